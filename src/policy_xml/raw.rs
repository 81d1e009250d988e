//! A policy document with the place of everything in it, for whoever points into a text: XML, and `rawxml` whose
//! expressions are not escaped.
//!
//! What is well-formed is read as XML. In anything else an attribute value or a text that begins as an expression ends
//! where the C# ends, as the service reads `rawxml`; there `condition="@(a == "x" && b < c)"` is one attribute.
//!
//! Deliberately absent: which elements exist (`policy::rules`), and a tree to compare by ([`super::parse`]).

use super::csharp::{self, Entities, entity};
use crate::diagnostic::Span;

/// Deeper documents are refused, as by [`super::parse`].
const DEPTH: usize = 100;

/// So many expressions without an end are looked for to the end of the text; more are taken as they stand.
const FAULTS: usize = 50;

/// How the text was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It is well-formed XML.
    Xml,
    /// It is not: expressions stand in it unescaped.
    RawXml,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// How it was read.
    pub reading: Reading,
    /// Its root.
    pub root: Element,
}

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Where `<name` stands.
    pub span: Span,
    /// Its attributes in order, also when one stands twice.
    pub attributes: Vec<Attribute>,
    /// The elements right inside.
    pub children: Vec<Element>,
    /// The pieces of text right inside, blank ones too.
    pub texts: Vec<Text>,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Where the value stands, without its quotes.
    pub value: Span,
}

/// A piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// Where it stands; of CDATA, what is inside.
    pub span: Span,
    /// Whether entities stand for characters in it.
    pub entities: Entities,
}

/// Where a text cannot be read, and why.
pub type Fault = csharp::Fault;

impl Element {
    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// This element and all inside it, in document order.
    pub fn descendants(&self) -> Vec<&Element> {
        let mut found = vec![self];
        for element in &self.children {
            found.extend(element.descendants());
        }
        found
    }
}

/// A piece of the source with its entities resolved.
pub fn decode(text: &str, span: Span) -> String {
    let mut rest = text.get(span.start..span.end).unwrap_or_default();
    let mut decoded = String::with_capacity(rest.len());
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        let (c, length) = entity(&rest[at..]).unwrap_or(('&', 1));
        decoded.push(c);
        rest = &rest[at + length..];
    }
    decoded + rest
}

/// Reads a document.
pub fn read(text: &str) -> Result<Document, Fault> {
    let reading = if super::parse(text).is_ok() { Reading::Xml } else { Reading::RawXml };
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut reader = Reader { text, reading, at: start, suspect: None, faults: 0 };
    match reader.document() {
        Ok(root) => Ok(Document { reading, root }),
        // an expression without an end swallows what follows: it is the cause
        Err(fault) => Err(reader.suspect.unwrap_or(fault)),
    }
}

struct Reader<'a> {
    text: &'a str,
    reading: Reading,
    at: usize,
    /// The first expression whose end was not found.
    suspect: Option<Fault>,
    faults: usize,
}

fn fault<T>(at: usize, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { at, message: message.into() })
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn document(&mut self) -> Result<Element, Fault> {
        let mut open: Vec<Element> = Vec::new();
        let mut root: Option<Element> = None;
        while self.at < self.text.len() {
            let start = self.at;
            if self.rest().starts_with("<!--") {
                self.past("-->", "the comment is never closed")?;
            } else if self.rest().starts_with("<![CDATA[") {
                self.past("]]>", "the CDATA is never closed")?;
                let span = Span { start: start + 9, end: self.at - 3 };
                match open.last_mut() {
                    Some(parent) => parent.texts.push(Text { span, entities: Entities::Literal }),
                    None => return fault(start, "text outside the root element"),
                }
            } else if self.rest().starts_with("<?") {
                self.past("?>", "the processing instruction is never closed")?;
            } else if self.rest().starts_with("</") {
                self.at += 2;
                let name = self.name().unwrap_or_default();
                let Some(element) = open.pop() else { return fault(start, "an end tag without its start") };
                if element.name != name {
                    return fault(start, format!("`</{name}>` does not close `<{}>`", element.name));
                }
                self.past(">", "the end tag is never closed")?;
                close(element, &mut open, &mut root);
            } else if self.rest().starts_with('<') {
                self.at += 1;
                let Some(name) = self.name() else { return fault(start, "`<` begins no element") };
                if root.is_some() {
                    return fault(start, format!("a second root element, `<{name}>`"));
                }
                if open.len() >= DEPTH {
                    return fault(start, format!("more than {DEPTH} elements inside each other"));
                }
                let span = Span { start, end: self.at };
                let mut element =
                    Element { name, span, attributes: Vec::new(), children: Vec::new(), texts: Vec::new() };
                if self.attributes(&mut element)? {
                    close(element, &mut open, &mut root);
                } else {
                    open.push(element);
                }
            } else {
                self.piece();
                let span = Span { start, end: self.at };
                match open.last_mut() {
                    Some(parent) => parent.texts.push(Text { span, entities: Entities::Read }),
                    None if self.text[start..self.at].trim().is_empty() => {}
                    None => return fault(start, "text outside the root element"),
                }
            }
        }
        if let Some(element) = open.last() {
            return fault(element.span.start, format!("`<{}>` is never closed", element.name));
        }
        match root {
            Some(root) => Ok(root),
            None => fault(0, "no element"),
        }
    }

    fn past(&mut self, end: &str, otherwise: &str) -> Result<(), Fault> {
        match self.rest().find(end) {
            Some(at) => {
                self.at += at + end.len();
                Ok(())
            }
            None => fault(self.at, otherwise),
        }
    }

    fn name(&mut self) -> Option<String> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        if !(first.is_alphabetic() || first == '_' || first == ':') {
            return None;
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "_:.-".contains(c))).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        self.at += end;
        Some(name)
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The attributes of a start tag and its end; gives whether the element is closed with it.
    fn attributes(&mut self, element: &mut Element) -> Result<bool, Fault> {
        loop {
            self.blanks();
            if self.rest().starts_with("/>") {
                self.at += 2;
                return Ok(true);
            }
            if self.rest().starts_with('>') {
                self.at += 1;
                return Ok(false);
            }
            let start = self.at;
            let Some(name) = self.name() else {
                return fault(start, format!("`<{}>`: an attribute or `>` is expected", element.name));
            };
            let span = Span { start, end: self.at };
            self.blanks();
            let equals = self.rest().starts_with('=');
            self.at += usize::from(equals);
            self.blanks();
            let Some(quote) = self.rest().chars().next().filter(|c| equals && matches!(c, '"' | '\'')) else {
                return fault(start, format!("`<{}>`: attribute `{name}` has no quoted value", element.name));
            };
            self.at += 1;
            let start = self.at;
            let end = match self.expression_end(quote).or_else(|| self.rest().find(quote).map(|at| start + at)) {
                Some(end) => end,
                None => return fault(start, format!("`<{}>`: the value of `{name}` is never closed", element.name)),
            };
            self.at = end + 1;
            element.attributes.push(Attribute { name, span, value: Span { start, end } });
        }
    }

    /// Where the value that begins here ends, if it is an expression of `rawxml`.
    fn expression_end(&mut self, quote: char) -> Option<usize> {
        let rest = self.rest();
        let lead = self.at + rest.len() - rest.trim_start().len();
        let fault = match self.expression(lead)? {
            Ok(expression) => {
                let after = &self.text[expression.span.end..];
                let end = expression.span.end + after.len() - after.trim_start().len();
                if self.text[end..].starts_with(quote) {
                    return Some(end);
                }
                Fault { at: end, message: "text follows the end of the expression".into() }
            }
            Err(fault) => fault,
        };
        self.suspect.get_or_insert(fault);
        None
    }

    /// Text up to the next tag.
    fn piece(&mut self) {
        while let Some(at) = self.rest().find(['<', '@']) {
            self.at += at;
            if self.rest().starts_with('<') {
                return;
            }
            let expression = self.expression(self.at).and_then(Result::ok);
            self.at = expression.map_or(self.at + 1, |expression| expression.span.end);
        }
        self.at = self.text.len();
    }

    /// The expression of `rawxml` that begins at this byte, if one does.
    fn expression(&mut self, start: usize) -> Option<Result<csharp::Expression, Fault>> {
        if self.reading == Reading::Xml || !begins(&self.text[start..]) || self.faults >= FAULTS {
            return None;
        }
        let found = csharp::expression(self.text, start, self.text.len(), Entities::Read);
        self.faults += usize::from(found.is_err());
        Some(found)
    }
}

/// Whether a text begins as an expression does.
pub fn begins(text: &str) -> bool {
    text.starts_with("@(") || text.starts_with("@{")
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn unescaped_expressions_are_one_value() {
        let text = "<policies><inbound><choose><when condition=\"@(a == \"x\" && b < c)\" x='1'><set-body>@{ return \"</a>\"; }</set-body></when></choose></inbound></policies>";
        let document = read(text).expect("rawxml");
        assert_eq!(document.reading, Reading::RawXml);
        let when = document.root.descendants().into_iter().find(|e| e.name == "when").expect("when");
        assert_eq!(when.attributes.len(), 2);
        assert_eq!(decode(text, when.attributes[0].value), "@(a == \"x\" && b < c)");
        let body = when.children[0].texts[0];
        assert_eq!(&text[body.span.start..body.span.end], "@{ return \"</a>\"; }");
    }

    #[test]
    fn escaped_expressions_are_the_same() {
        let text = "<a><when c='@(a == \"x\" &amp;&amp; b &lt; c)'/><![CDATA[ <x> ]]></a>";
        let document = read(text).expect("XML");
        assert_eq!(document.reading, Reading::Xml);
        let when = &document.root.children[0];
        assert_eq!(decode(text, when.attributes[0].value), "@(a == \"x\" && b < c)");
        assert_eq!(&text[when.span.start..when.span.end], "<when");
        assert_eq!(document.root.texts[0].entities, Entities::Literal);
    }

    #[test]
    fn what_cannot_be_read_is_named_at_its_cause() {
        for (text, at, word) in [
            ("", 0, "no element"),
            ("<a>", 0, "never closed"),
            ("<a></b>", 3, "does not close"),
            ("x<a/>", 0, "outside"),
            ("<a/><b/>", 4, "second root"),
            ("<a b></a>", 3, "no quoted value"),
            ("<a b='1></a>", 6, "never closed"),
            ("<a><b c=\"@(x == \"y)\" d=\"<\"/></a>", 10, "never closed"),
            ("<a><!-- </a>", 3, "comment"),
            ("<a>< b</a>", 3, "begins no element"),
        ] {
            let fault = read(text).expect_err(text);
            assert!(fault.at == at && fault.message.contains(word), "{text}: {fault:?}");
        }
        assert!(read(&format!("{}{}", "<a>".repeat(500), "</a>".repeat(500))).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn places_are_inside_the_text(text in "(<a|<b c=\"|@\\(|@\\{|\"|>|</a>|/>|&amp;|'|<!--|-->|\\)|\\}|é| |x|&){0,24}") {
            if let Ok(document) = read(&text) {
                for element in document.root.descendants() {
                    prop_assert!(text.get(element.span.start..element.span.end).is_some());
                    for attribute in &element.attributes {
                        prop_assert!(text.get(attribute.value.start..attribute.value.end).is_some());
                    }
                }
            }
        }
    }
}
