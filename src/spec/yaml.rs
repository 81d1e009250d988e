//! YAML text to our own tree: every node with its place.
//!
//! What is read is YAML 1.2 with its core schema: `yes` and `2024-11-20` are text, a quoted scalar is always text. Keys
//! are text and stand once in a mapping. Anchors and aliases are expanded, and paid for from one budget of nodes; tags,
//! merge keys and several documents are refused.
//!
//! Deliberately absent: numbers beyond 64 bits (they become floats, which nothing in a spec takes).

use crate::diagnostic::{Diagnostic, Span, code};
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError};
use std::collections::BTreeMap;

/// The longest text that is read.
pub const MAX_BYTES: usize = 1 << 20;
/// The most nodes, those that aliases stand for counted each time.
const MAX_NODES: usize = 50_000;
/// The deepest nesting; a real spec is seven deep.
const MAX_DEPTH: usize = 64;

/// A node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands; `None` where the command line set it.
    pub span: Option<Span>,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text, written plainly.
    Plain(String),
    /// Text in quotes or in a block.
    Quoted(String),
    /// A list.
    Seq(Vec<Node>),
    /// A mapping, in the order in which it was written.
    Map(Vec<Entry>),
    /// Something that could not be read and has been reported; fits everywhere.
    Hole,
}

/// An entry of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Option<Span>,
    /// The value.
    pub node: Node,
}

impl Node {
    /// The entry with that key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// Takes the entry with that key out.
    pub fn take(&mut self, key: &str) -> Option<Entry> {
        match &mut self.value {
            Value::Map(entries) => {
                let at = entries.iter().position(|entry| entry.key == key)?;
                Some(entries.remove(at))
            }
            _ => None,
        }
    }

    /// The text, where it is text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Plain(text) | Value::Quoted(text) => Some(text),
            _ => None,
        }
    }
}

/// The key of an entry: `pools` and `gpt` give `pools.gpt`.
pub fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.into() } else { format!("{path}.{key}") }
}

/// The key of an item of a list.
pub fn item(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// Line and column of a byte, both from 1, columns in characters.
pub fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

/// Reads a plain scalar by the core schema of YAML 1.2.
pub fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Value::Float(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        let digits = text.strip_prefix(prefix).filter(|digits| digits.chars().all(|c| c.is_digit(radix)));
        if let Some(number) = digits.and_then(|digits| i64::from_str_radix(digits, radix).ok()) {
            return Value::Int(number);
        }
    }
    if !is_decimal(unsigned) {
        return Value::Plain(text.into());
    }
    match text.parse::<i64>() {
        Ok(number) => Value::Int(number),
        Err(_) => text.parse().map_or_else(|_| Value::Plain(text.into()), Value::Float),
    }
}

/// `1`, `1.5`, `.5`, `1.`, each with or without an exponent.
fn is_decimal(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.is_none_or(|text| {
        let text = text.strip_prefix(['+', '-']).unwrap_or(text);
        !text.is_empty() && digits(text)
    });
    digits(whole) && digits(fraction) && (!whole.is_empty() || !fraction.is_empty()) && exponent
}

/// Reads a spec's text. A tree is there even where some keys stand twice; those are reported, and the first one counts.
pub fn parse(text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    parse_as("spec", text)
}

/// Reads the text of another document, which messages call `what`.
pub fn parse_as(what: &'static str, text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    if text.len() > MAX_BYTES {
        let long = format!("the {what} is {} bytes long, more than {MAX_BYTES}", text.len());
        let problem = Diagnostic::new(code::UNREADABLE_FILE, long);
        let help = format!("a {what} has some kilobytes: check that this is the right file");
        return (None, vec![problem.help(help)]);
    }
    let mut builder = Builder { text, what, ..Builder::default() };
    match builder.document() {
        Ok(root) => (Some(root), builder.problems),
        Err(problem) => {
            builder.problems.push(problem);
            (None, builder.problems)
        }
    }
}

#[derive(Default)]
struct Builder<'a> {
    text: &'a str,
    /// What messages call the document.
    what: &'static str,
    problems: Vec<Diagnostic>,
    open: Vec<Frame>,
    root: Option<Node>,
    anchors: BTreeMap<usize, Anchor>,
    nodes: usize,
}

/// A collection that is being read.
struct Frame {
    start: usize,
    anchor: usize,
    items: Items,
}

enum Items {
    Seq(Vec<Node>),
    Map(Vec<Entry>, Option<(String, Span)>),
}

struct Anchor {
    node: Node,
    nodes: usize,
    depth: usize,
}

impl Builder<'_> {
    fn document(&mut self) -> Result<Node, Diagnostic> {
        let mut options = granit_parser::Options::default();
        options.set_emit_comments(false);
        let mut documents = 0;
        for event in Parser::new_from_str_with_options(self.text, options) {
            let (event, span) = event.map_err(|error| self.broken(&error))?;
            let span = span.byte_range().map_or(Span::default(), |range| Span { start: range.start, end: range.end });
            if event.tag().is_some() {
                return Err(Diagnostic::new(code::YAML_FEATURE, format!("tags are not read in a {}", self.what))
                    .span(span)
                    .help("take the tag out; quote a value that is text"));
            }
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(Diagnostic::new(
                            code::YAML_FEATURE,
                            format!("a {} is one document, and here begins another", self.what),
                        )
                        .span(span)
                        .help("put the second document into its own file"));
                    }
                }
                Event::Scalar(text, style, anchor, _) => {
                    if let Some(blank) =
                        strange_blank(&text).filter(|_| style == ScalarStyle::Plain && self.wants_key())
                    {
                        let message = format!("this key holds {blank}, which looks like a blank and is none");
                        let problem = Diagnostic::new(code::BROKEN_YAML, message).span(span);
                        return Err(problem.help("type the line anew: it comes with text from a web page"));
                    }
                    let value = match style {
                        ScalarStyle::Plain if self.wants_key() => Value::Plain(text.into_owned()),
                        ScalarStyle::Plain if text.starts_with(['“', '”', '„', '‘', '’']) => {
                            let message = "a typographic quote begins this text, and YAML does not know it as one";
                            let problem = Diagnostic::new(code::BROKEN_YAML, message).span(span);
                            return Err(problem.help("write \" or ' instead; quote the text where the other is meant"));
                        }
                        ScalarStyle::Plain => plain(&text),
                        _ => Value::Quoted(text.into_owned()),
                    };
                    self.node(Node { value, span: Some(span) }, anchor, 1, 0)?;
                }
                Event::SequenceStart(_, anchor, _) => self.open(Items::Seq(Vec::new()), span, anchor)?,
                Event::MappingStart(_, anchor, _) => self.open(Items::Map(Vec::new(), None), span, anchor)?,
                Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
                Event::Alias(anchor) => {
                    let Some(Anchor { node, nodes, depth }) = self.anchors.get(&anchor) else {
                        return Err(
                            Diagnostic::new(code::YAML_FEATURE, "an alias stands inside its own anchor").span(span)
                        );
                    };
                    let (node, nodes, depth) = (Node { span: Some(span), ..node.clone() }, *nodes, *depth);
                    self.node(node, 0, nodes, depth)?;
                }
                _ => {}
            }
        }
        self.root.take().filter(|root| root.value != Value::Null).ok_or_else(|| {
            let problem = Diagnostic::new(code::BROKEN_YAML, format!("the {} is empty", self.what));
            let problem = problem.span(Span::default());
            match self.what {
                "spec" => problem.help("start with `version: 1`; `aoai-lb explain AL0221` has a whole one"),
                _ => problem,
            }
        })
    }

    /// Whether the next node is the key of a mapping.
    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Frame { items: Items::Map(_, None), .. }))
    }

    fn open(&mut self, items: Items, span: Span, anchor: usize) -> Result<(), Diagnostic> {
        if self.wants_key() {
            return Err(key_is_no_text(span));
        }
        self.open.push(Frame { start: span.start, anchor, items });
        self.pay(1, 0, span)
    }

    fn pay(&mut self, nodes: usize, depth: usize, span: Span) -> Result<(), Diagnostic> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err(Diagnostic::new(
                code::TOO_MUCH_YAML,
                format!("the {} has more than {MAX_NODES} nodes", self.what),
            )
            .span(span)
            .help("write fewer entries; what an alias stands for counts each time"));
        }
        if self.open.len() + depth > MAX_DEPTH {
            return Err(Diagnostic::new(
                code::TOO_MUCH_YAML,
                format!("the {} is nested deeper than {MAX_DEPTH}", self.what),
            )
            .span(span)
            .help(format!("a {} is at most seven deep: look for an unclosed bracket", self.what)));
        }
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), Diagnostic> {
        let Some(Frame { start, anchor, items }) = self.open.pop() else { return Ok(()) };
        let value = match items {
            Items::Seq(items) => Value::Seq(items),
            Items::Map(entries, _) => Value::Map(entries),
        };
        let node = Node { value, span: Some(self.first_line(start, span.end)) };
        let (nodes, depth) = if anchor > 0 { measure(&node) } else { (0, 0) };
        // its own nodes are paid for; what the anchor keeps is paid for as well, so that nested anchors cost what they weigh
        self.pay(nodes, depth, span)?;
        self.place(node, anchor, nodes, depth)
    }

    /// A scalar or an alias.
    fn node(&mut self, node: Node, anchor: usize, nodes: usize, depth: usize) -> Result<(), Diagnostic> {
        self.pay(nodes, depth, node.span.unwrap_or_default())?;
        self.place(node, anchor, nodes, depth)
    }

    fn place(&mut self, node: Node, anchor: usize, nodes: usize, depth: usize) -> Result<(), Diagnostic> {
        if anchor > 0 {
            self.anchors.insert(anchor, Anchor { node: node.clone(), nodes, depth });
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Frame { items: Items::Seq(items), .. }) => items.push(node),
            Some(Frame { items: Items::Map(entries, key), .. }) => match key.take() {
                Some((key, key_span)) => match entries.iter().find(|entry| entry.key == key) {
                    Some(first) => {
                        let (line, column) = position(self.text, first.key_span.map_or(0, |span| span.start));
                        let twice = Diagnostic::new(code::DUPLICATE_KEY, format!("the key `{key}` stands twice"));
                        self.problems.push(
                            twice
                                .span(key_span)
                                .label(format!("first at line {line}, column {column}"))
                                .help("rename or remove one of them"),
                        );
                    }
                    None => entries.push(Entry { key, key_span: Some(key_span), node }),
                },
                None => {
                    let span = node.span.unwrap_or_default();
                    let Some(text) = node.text().filter(|text| !text.is_empty()) else {
                        return Err(key_is_no_text(span));
                    };
                    if text == "<<" {
                        return Err(Diagnostic::new(code::YAML_FEATURE, "merge keys (`<<`) are not YAML 1.2")
                            .span(span)
                            .help("write the keys out, or use an alias for the whole value"));
                    }
                    *key = Some((text.into(), span));
                }
            },
        }
        Ok(())
    }

    /// A collection is underlined to the end of its first line.
    fn first_line(&self, start: usize, end: usize) -> Span {
        let text = self.text.get(start..end).unwrap_or("");
        let line = text.lines().next().unwrap_or("").trim_end();
        Span { start, end: start + line.len() }
    }

    fn broken(&self, error: &ScanError) -> Diagnostic {
        let mut start = error.marker().byte_offset().unwrap_or(0).min(self.text.len());
        // a tab is found out by what comes behind it
        while start > 0 && self.text.as_bytes()[start - 1] == b'\t' {
            start -= 1;
        }
        let next = self.text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let line_start = self.text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
        let line = self.text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or("");
        let (what, help) = words(error.kind());
        let message = match what {
            Some(what) => what.to_string(),
            None => format!("broken YAML: {}", error.info()),
        };
        let help = if line.contains("${") && line.contains(['{', '[']) {
            "inside { } and [ ] write a variable in quotes: \"${NAME}\""
        } else if what == Some(NOT_INDENTED) && is_key_without_blank(line) {
            "write a blank after the colon"
        } else {
            help.unwrap_or("look for a quote, a bracket or a colon that is out of place, here or on the line above")
        };
        Diagnostic::new(code::BROKEN_YAML, message).span(Span { start, end: start + next }).help(help)
    }
}

fn key_is_no_text(span: Span) -> Diagnostic {
    Diagnostic::new(code::YAML_FEATURE, "a key must be text").span(span).help("write a word before the colon")
}

/// A character that looks like a blank, or like nothing, and is none to YAML.
fn strange_blank(text: &str) -> Option<String> {
    let strange = |c: &char| (c.is_whitespace() && !c.is_ascii()) || ('\u{200b}'..='\u{200d}').contains(c);
    text.chars().find(strange).map(|c| format!("U+{:04X}", u32::from(c)))
}

/// `name:contoso`, which is one word to YAML.
fn is_key_without_blank(line: &str) -> bool {
    line.trim_start().split_once(':').is_some_and(|(key, rest)| {
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric()) && !rest.is_empty() && !rest.starts_with(' ')
    })
}

const NOT_INDENTED: &str = "this line is not indented like its neighbours";

/// Nodes and depth of a tree.
fn measure(node: &Node) -> (usize, usize) {
    let children: Vec<(usize, usize)> = match &node.value {
        Value::Seq(items) => items.iter().map(measure).collect(),
        Value::Map(entries) => entries.iter().map(|entry| measure(&entry.node)).collect(),
        _ => return (1, 0),
    };
    let nodes = children.iter().map(|(nodes, _)| nodes).sum::<usize>() + 1;
    (nodes, children.iter().map(|(_, depth)| depth + 1).max().unwrap_or(1))
}

/// What is said in our own words, where the parser's are for people who write parsers.
fn words(kind: &ErrorKind) -> (Option<&'static str>, Option<&'static str>) {
    use ErrorKind::*;
    match kind {
        TabNotAllowed | TabInBlockIndentation | TabInIndentation | TabAtBlockScalarStart | TabInPlainScalar => {
            (Some("a tab stands where YAML takes only blanks"), Some("indent with blanks"))
        }
        UnexpectedEofFlowMapping | UnexpectedEofImplicitFlowMapping | UnclosedFlowCollection { open: '{' } => {
            (Some("a `{` is never closed"), Some("close it with `}`"))
        }
        UnexpectedEofFlowSequence | UnclosedFlowCollection { open: '[' } => {
            (Some("a `[` is never closed"), Some("close it with `]`"))
        }
        UnclosedQuotedScalar => (Some("a quote is never closed"), Some("close the text with the quote it began with")),
        InvalidQuotedScalarIndent => (
            Some("a quote of the line above is not closed, and this line is not indented"),
            Some("close the quote, or indent the lines of its text"),
        ),
        InvalidTrailingSingleQuotedScalar | InvalidTrailingDoubleQuotedScalar => (
            Some("text follows a quote that is closed"),
            Some("a quote before it may not be closed: close it, or write \\\" for a quote inside \"...\""),
        ),
        UnexpectedCharacter { .. } => (Some("a character that no text file holds"), Some("take it out")),
        UnknownAnchor => {
            (Some("an alias has no anchor before it"), Some("write the anchor, as `&name`, before its alias"))
        }
        MappingValueNotAllowed | InvalidColonPlacement => {
            (Some("a `:` stands where no key can be"), Some("quote a text that holds `: `, or check the indentation"))
        }
        ExpectedBlockMappingKey | SimpleKeyExpected | InvalidIndentation => (
            Some(NOT_INDENTED),
            Some("keys of one mapping start in one column, and each has a colon and a blank after it"),
        ),
        ExpectedFlowMappingSeparator | ExpectedFlowSequenceSeparator => (
            Some("a comma or a closing bracket is missing here"),
            Some("quote a text that holds a colon, a comma or a bracket, or close the bracket"),
        ),
        MismatchedFlowCollectionEnd { .. } => {
            (Some("a bracket is closed by one of the other kind"), Some("close `[` with `]` and `{` with `}`"))
        }
        RecursionLimitExceeded => (Some("the spec is nested too deeply"), Some("look for an unclosed bracket")),
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Node {
        let (node, problems) = parse(text);
        assert_eq!(problems, []);
        node.expect("a tree")
    }

    fn problem(text: &str) -> (Diagnostic, (usize, usize)) {
        let (_, problems) = parse(text);
        let problem = problems.into_iter().next().expect("a problem");
        let at = position(text, problem.span.expect("a place").start);
        (problem, at)
    }

    #[test]
    fn plain_scalars_are_typed_by_the_core_schema() {
        for (text, value) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("True", Value::Bool(true)),
            ("yes", Value::Plain("yes".into())),
            ("0613", Value::Int(613)),
            ("0x1F", Value::Int(31)),
            ("0o17", Value::Int(15)),
            ("-12", Value::Int(-12)),
            ("1.5", Value::Float(1.5)),
            ("1e3", Value::Float(1000.0)),
            ("e3", Value::Plain("e3".into())),
            (".", Value::Plain(".".into())),
            ("1.2.3", Value::Plain("1.2.3".into())),
            ("2024-11-20", Value::Plain("2024-11-20".into())),
            ("502-504", Value::Plain("502-504".into())),
            ("0x", Value::Plain("0x".into())),
            ("99999999999999999999", Value::Float(99_999_999_999_999_999_999.0)),
        ] {
            assert_eq!(plain(text), value, "{text}");
        }
    }

    #[test]
    fn nodes_know_their_places() {
        let text = "a: { b: 1 }\nc:\n  - x\n  - \"y\"\n";
        let root = tree(text);
        let shown = |node: &Node| node.span.and_then(|span| text.get(span.start..span.end)).map(String::from);
        let a = &root.entry("a").expect("a").node;
        assert_eq!(shown(a).as_deref(), Some("{ b: 1 }"));
        assert_eq!(shown(&a.entry("b").expect("b").node).as_deref(), Some("1"));
        let Value::Seq(items) = &root.entry("c").expect("c").node.value else { panic!("a list") };
        assert_eq!((items[1].value.clone(), shown(&items[1]).as_deref()), (Value::Quoted("y".into()), Some("\"y\"")));
    }

    #[test]
    fn a_key_that_stands_twice_is_reported_with_both_places() {
        let (root, problems) = parse("a:\n  b: 1\n  b: 2\na: 3\n");
        let said: Vec<_> = problems.iter().map(|p| (p.code, p.label.clone().unwrap_or_default())).collect();
        assert_eq!(
            said,
            [
                (code::DUPLICATE_KEY, "first at line 2, column 3".into()),
                (code::DUPLICATE_KEY, "first at line 1, column 1".into())
            ]
        );
        assert!(root.is_some());
    }

    #[test]
    fn broken_text_says_where_and_what() {
        for (text, at, says) in [
            ("a: {b: 1\n", (1, 4), "never closed"),
            ("a:\n\tb: 1\n", (2, 1), "tab"),
            ("a: 1\n b: 2\n", (2, 3), ":"),
            ("a: \"x\n", (2, 1), "quote"),
            ("a: \"x", (1, 4), "quote"),
            ("a: \"x\nb: \"y\"\n", (2, 1), "not closed"),
            ("a: { b: \"x,\n  c: \"y\" }\n", (2, 7), "follows a quote"),
            ("a: 1\n\0", (2, 1), "no text file"),
            ("a: *b\n", (1, 4), "alias"),
            ("a: !x 1\n", (1, 7), "tags"),
            ("a: 1\n---\nb: 1\n", (2, 1), "one document"),
            ("? [a]\n: 1\n", (1, 3), "key must be text"),
            ("a: { b: ${X} }\n", (1, 10), ""),
            ("a: { b: c: d }\n", (1, 10), "missing here"),
            ("a: [b, c }\n", (1, 4), "closed by one"),
            ("a: “b”\n", (1, 4), "typographic"),
            ("a:\n\u{a0} b: 1\n", (2, 1), "U+00A0"),
            ("", (1, 1), "empty"),
            ("# nothing\n", (1, 1), "empty"),
            ("a: &b { <<: *b }\n", (1, 9), "merge keys"),
            ("a: &b [*b]\n", (1, 8), "its own anchor"),
        ] {
            let (problem, place) = problem(text);
            assert!(problem.message.contains(says), "{text}: {}", problem.message);
            assert_eq!(place, at, "{text}: {}", problem.message);
        }
    }

    #[test]
    fn broken_text_says_what_to_do() {
        for (text, help) in [
            ("a: 1\nb:2\nc: 3\n", "write a blank after the colon"),
            ("a: 1\nb\nc: 3\n", "keys of one mapping start in one column, and each has a colon and a blank after it"),
            ("a: { b: ${X} }\n", "inside { } and [ ] write a variable in quotes: \"${NAME}\""),
            ("a: 1\n\0", "take it out"),
        ] {
            assert_eq!(problem(text).0.help.as_deref(), Some(help), "{text}");
        }
    }

    #[test]
    fn bombs_are_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..9 {
            let alias = format!("*a{}", i - 1);
            bomb.push_str(&format!("a{i}: &a{i} [{}]\n", [alias.as_str(); 10].join(", ")));
        }
        assert_eq!(problem(&bomb).0.code, code::TOO_MUCH_YAML);
        assert_eq!(problem(&format!("{}{}", "[".repeat(100), "]".repeat(100))).0.code, code::TOO_MUCH_YAML);
        assert_eq!(problem(&"[".repeat(100_000)).0.code, code::BROKEN_YAML);
        assert_eq!(problem(&"- ".repeat(100)).0.code, code::TOO_MUCH_YAML);
        assert_eq!(problem(&format!("[{}]", "1,".repeat(60_000))).0.code, code::TOO_MUCH_YAML);
        assert_eq!(parse(&"#".repeat(MAX_BYTES + 1)).1[0].code, code::UNREADABLE_FILE);
        assert_eq!(tree("a: &x { b: 1 }\nc: *x\n").entry("c").map(|c| c.node.entry("b").is_some()), Some(true));
    }

    #[test]
    fn a_byte_order_mark_and_crlf_are_read() {
        let text = "\u{feff}a: 1\r\nb: 2\r\n";
        let span = tree(text).entry("b").and_then(|b| b.key_span).expect("a place");
        assert_eq!(&text[span.start..span.end], "b");
    }
}
