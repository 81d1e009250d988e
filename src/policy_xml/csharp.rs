//! A policy expression, `@(...)` or `@{...}`, cut into tokens: enough C# to know where it ends and what it names.
//!
//! Entities of XML are read through where the text holds them, so a token's text is what the compiler sees and its span
//! is where that stands. What is inside the holes of an interpolated string is tokens too.
//!
//! Deliberately absent: grammar, types, values.

use crate::diagnostic::Span;

/// Interpolated strings inside each other; nobody writes more than two.
const DEPTH: usize = 16;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or a keyword.
    Word,
    /// A number.
    Number,
    /// A string; its text is what stands between the quotes, as written.
    Text,
    /// A character literal, without its quotes.
    Char,
    /// An operator or a bracket.
    Mark,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its text, entities resolved.
    pub text: String,
    /// Where it stands in the source.
    pub span: Span,
}

impl Token {
    /// Whether it is this word or mark.
    pub fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && self.text == text
    }
}

/// Whether an expression has one value or is a block of statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `@(...)`
    Single,
    /// `@{...}`
    Block,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// `@(...)` or `@{...}`.
    pub form: Form,
    /// What stands between the outer brackets, comments left out.
    pub tokens: Vec<Token>,
    /// From the `@` to the closing bracket.
    pub span: Span,
    /// The first comment that begins with `//`.
    pub line_comment: Option<Span>,
}

/// Where C# cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The byte.
    pub at: usize,
    /// What is wrong, a lower-case fragment.
    pub message: String,
}

/// Whether a text holds XML entities that stand for characters of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entities {
    /// An attribute or a text.
    Read,
    /// CDATA.
    Literal,
}

/// Reads the expression that begins with the `@` at byte `start`, and nothing after byte `end`.
pub fn expression(text: &str, start: usize, end: usize, entities: Entities) -> Result<Expression, Fault> {
    let mut reader =
        Reader { text: text.get(..end).unwrap_or(text), entities, at: start, tokens: Vec::new(), line_comment: None };
    reader.next();
    let form = match reader.peek() {
        Some('(') => Form::Single,
        Some('{') => Form::Block,
        _ => return Err(Fault { at: start, message: "`@` begins no expression".into() }),
    };
    reader.code(start, 0)?;
    // the outer brackets belong to the form
    reader.tokens.pop();
    if !reader.tokens.is_empty() {
        reader.tokens.remove(0);
    }
    Ok(Expression {
        form,
        tokens: reader.tokens,
        span: Span { start, end: reader.at },
        line_comment: reader.line_comment,
    })
}

/// The text that an entity stands for, and its length with `&` and `;`.
pub(super) fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(12).position(|b| b == b';')?;
    let name = text.get(1..end)?;
    let found = match name {
        "quot" => '"',
        "apos" => '\'',
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        _ => {
            let digits = name.strip_prefix('#')?;
            let number = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(number)?
        }
    };
    Some((found, end + 1))
}

#[derive(Clone, Copy, PartialEq)]
enum Quoting {
    /// `"a\n"`
    Escaped,
    /// `@"a""b"`
    Verbatim,
}

struct Reader<'a> {
    text: &'a str,
    entities: Entities,
    at: usize,
    tokens: Vec<Token>,
    line_comment: Option<Span>,
}

const MARKS: [&str; 15] = ["==", "!=", "<=", ">=", "&&", "||", "=>", "??", "?.", "++", "--", "+=", "-=", "*=", "::"];

impl Reader<'_> {
    fn look(&self, at: usize) -> Option<(char, usize)> {
        let rest = self.text.get(at..)?;
        let first = rest.chars().next()?;
        let read = (first == '&' && self.entities == Entities::Read).then(|| entity(rest)).flatten();
        Some(read.unwrap_or((first, first.len_utf8())))
    }

    fn peek(&self) -> Option<char> {
        self.look(self.at).map(|(c, _)| c)
    }

    fn next(&mut self) -> Option<char> {
        let (c, length) = self.look(self.at)?;
        self.at += length;
        Some(c)
    }

    /// Whether these characters come next; if so they are behind us.
    fn eat(&mut self, text: &str) -> bool {
        let mut at = self.at;
        for wanted in text.chars() {
            match self.look(at) {
                Some((c, length)) if c == wanted => at += length,
                _ => return false,
            }
        }
        self.at = at;
        true
    }

    fn push(&mut self, kind: Kind, text: String, start: usize) {
        self.tokens.push(Token { kind, text, span: Span { start, end: self.at } });
    }

    /// From a bracket to the one that closes it.
    fn code(&mut self, start: usize, depth: usize) -> Result<(), Fault> {
        if depth > DEPTH {
            return Err(Fault { at: start, message: "strings inside strings go too deep".into() });
        }
        let mut open: Vec<(char, usize)> = Vec::new();
        let mut after_string = false;
        loop {
            let at = self.at;
            let Some(c) = self.peek() else {
                let (bracket, at) = open.last().copied().unwrap_or(('@', start));
                return Err(Fault { at, message: format!("`{bracket}` is never closed") });
            };
            let is_string = ["\"", "@\"", "$\"", "$@\"", "@$\""].iter().any(|prefix| self.comes(prefix));
            if is_string && after_string {
                return Err(Fault { at, message: "a string follows a string with nothing between".into() });
            }
            after_string = is_string || (after_string && c.is_whitespace());
            if is_string {
                self.string(depth)?;
            } else if depth > 0 && open.len() == 1 && c == ':' && !self.comes("::") {
                // the format of a hole
                while self.peek().is_some_and(|c| c != '}') {
                    self.next();
                }
            } else if self.eat("//") {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.next();
                }
                self.line_comment.get_or_insert(Span { start: at, end: self.at });
            } else if self.eat("/*") {
                while !self.eat("*/") {
                    if self.next().is_none() {
                        return Err(Fault { at, message: "the comment is never closed".into() });
                    }
                }
            } else if c == '\'' {
                self.character()?;
            } else if c.is_alphabetic() || c == '_' {
                self.word(Kind::Word);
            } else if c.is_ascii_digit() {
                self.word(Kind::Number);
            } else if c.is_whitespace() {
                self.next();
            } else {
                match c {
                    '(' | '[' | '{' => open.push((c, at)),
                    ')' | ']' | '}' => match open.pop() {
                        Some((bracket, _)) if closes(bracket, c) => {}
                        Some((bracket, _)) => {
                            return Err(Fault { at, message: format!("`{c}` does not close `{bracket}`") });
                        }
                        None => return Err(Fault { at, message: format!("`{c}` closes nothing") }),
                    },
                    _ => {}
                }
                let mark = MARKS.iter().find(|mark| self.eat(mark));
                if mark.is_none() {
                    self.next();
                }
                self.push(Kind::Mark, mark.map_or_else(|| c.to_string(), |mark| (*mark).to_owned()), at);
                if open.is_empty() {
                    return Ok(());
                }
            }
        }
    }

    fn comes(&mut self, text: &str) -> bool {
        let at = self.at;
        let found = self.eat(text);
        self.at = at;
        found
    }

    fn word(&mut self, kind: Kind) {
        let start = self.at;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            let point = kind == Kind::Number
                && c == '.'
                && self.look(self.at + 1).is_some_and(|(next, _)| next.is_ascii_digit());
            if !(c.is_alphanumeric() || c == '_' || point) {
                break;
            }
            text.push(c);
            self.next();
        }
        self.push(kind, text, start);
    }

    fn character(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.next();
        let (mut text, mut count) = (String::new(), 0);
        loop {
            match self.next() {
                None | Some('\n') => {
                    return Err(Fault { at: start, message: "the character literal is never closed".into() });
                }
                Some('\'') => break,
                Some('\\') => {
                    text.push('\\');
                    let escaped = self.next();
                    text.extend(escaped);
                    if matches!(escaped, Some('u' | 'x' | 'U')) {
                        while self.peek().is_some_and(|c| c.is_ascii_hexdigit()) {
                            text.extend(self.next());
                        }
                    }
                }
                Some(c) => text.push(c),
            }
            count += 1;
        }
        if count != 1 {
            let message = match count {
                0 => "an empty character literal",
                _ => "too many characters in a character literal: a string stands in double quotes",
            };
            return Err(Fault { at: start, message: message.into() });
        }
        self.push(Kind::Char, text, start);
        Ok(())
    }

    fn string(&mut self, depth: usize) -> Result<(), Fault> {
        let start = self.at;
        let verbatim = ["$@\"", "@$\"", "@\""].into_iter().find(|prefix| self.comes(prefix));
        let holes = self.comes("$") || self.comes("@$");
        let quoting = if verbatim.is_some() { Quoting::Verbatim } else { Quoting::Escaped };
        while self.next() != Some('"') {}
        // its holes come after it
        let place = self.tokens.len();
        let mut text = String::new();
        loop {
            let at = self.at;
            if holes && (self.eat("{{") || self.eat("}}")) {
                text.push('{');
                continue;
            }
            if holes && self.peek() == Some('{') {
                self.code(at, depth + 1)?;
                text.push_str("{}");
                continue;
            }
            if quoting == Quoting::Verbatim && self.eat("\"\"") {
                text.push('"');
                continue;
            }
            match self.next() {
                None => return Err(Fault { at: start, message: "the string is never closed".into() }),
                Some('"') => break,
                Some('\\') if quoting == Quoting::Escaped => {
                    text.push('\\');
                    text.extend(self.next());
                }
                Some('\n') if quoting == Quoting::Escaped => {
                    let message = "the string is not closed on its line, or a bracket before it is not closed";
                    return Err(Fault { at: start, message: message.into() });
                }
                Some(c) => text.push(c),
            }
        }
        let token = Token { kind: Kind::Text, text, span: Span { start, end: self.at } };
        self.tokens.insert(place, token);
        Ok(())
    }
}

fn closes(open: char, close: char) -> bool {
    matches!((open, close), ('(', ')') | ('[', ']') | ('{', '}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Expression, Fault> {
        expression(text, 0, text.len(), Entities::Read)
    }

    fn words(text: &str) -> Vec<String> {
        read(text).expect(text).tokens.into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn an_expression_ends_with_its_bracket() {
        for (text, rest) in [
            (r#"@(a == "x") b"#, " b"),
            (r#"@(a == ")" && b < c)""#, "\""),
            (r#"@(a == &quot;)&quot; &amp;&amp; b &lt; c)'"#, "'"),
            ("@{ return '}'; /* } */ // }\n }<", "<"),
            (r#"@($"{a:yyyy}{{" + $@"{b}""")x"#, "x"),
            (r#"@(f("\"") + @"\")y"#, "y"),
        ] {
            let end = read(text).expect(text).span.end;
            assert_eq!(&text[end..], rest, "{text}");
        }
    }

    #[test]
    fn tokens_are_what_the_compiler_sees() {
        assert_eq!(words("@(a?.B &gt;= 1.5 &amp;&amp; c)"), ["a", "?.", "B", ">=", "1.5", "&&", "c"]);
        assert_eq!(words(r#"@($"x{a + 1}" + '\u0041')"#), ["x{}", "{", "a", "+", "1", "}", "+", "\\u0041"]);
        let found = read("@(a &lt; b)").expect("an expression");
        assert_eq!((found.tokens[1].text.as_str(), found.tokens[1].span), ("<", Span { start: 4, end: 8 }));
        assert!(read("@{ // x\n return 1; }").expect("a block").line_comment.is_some());
    }

    #[test]
    fn what_is_broken_is_named_where_it_is() {
        for (text, at, word) in [
            ("@(a", 1, "never closed"),
            ("@(a]", 3, "does not close"),
            (r#"@(a == "x)"#, 7, "string"),
            (r#"@("a" "b")"#, 6, "follows"),
            ("@(a == 'xy')", 7, "too many"),
            ("@('')", 2, "empty"),
            ("@('a", 2, "never closed"),
            ("@{ /* }", 3, "comment"),
            ("@x", 0, "begins no"),
        ] {
            let fault = read(text).expect_err(text);
            assert!(fault.at == at && fault.message.contains(word), "{text}: {fault:?}");
        }
        let deep = format!("@({}1", "$\"{".repeat(200));
        assert!(read(&deep).is_err_and(|fault| fault.message.contains("too deep")));
    }
}
