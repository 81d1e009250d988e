//! Bicep text to tokens. A string is one token that holds its pieces; an interpolation inside it holds its own tokens.
//! Comments and `#disable` lines leave no token. Deliberately absent: double quotes, tabs in no way special, recovery.

use std::fmt;

/// A place in a file, counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pos {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A first place and the one after the last.
pub type Span = (Pos, Pos);

/// What was not understood, and where; the file is added by whoever knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub at: Pos,
    /// What.
    pub message: String,
}

impl Fault {
    /// A fault at a place.
    pub fn new(at: Pos, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.at.line, self.at.column, self.message)
    }
}

/// The kind of a token with what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or a keyword: Bicep's keywords are only keywords where they stand.
    Word(String),
    /// A whole number without its sign.
    Number(u64),
    /// A string.
    Text(Vec<Segment>),
    /// An operator or a bracket.
    Mark(&'static str),
    /// The end of a line.
    Newline,
    /// The end of the tokens.
    End,
}

/// A piece of a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Characters, escapes resolved.
    Literal(String),
    /// What stands in `${}`.
    Tokens(Vec<Token>),
}

/// One token with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its first character.
    pub at: Pos,
    /// The character after its last.
    pub end: Pos,
}

/// Longest first, so that `==` is not two of `=`.
const MARKS: [&str; 34] = [
    "...", "==", "!=", "=~", "!~", "<=", ">=", "&&", "||", "??", "=>", "::", "{", "}", "[", "]", "(", ")", ",", ":",
    ".", "=", "?", "!", "<", ">", "+", "-", "*", "/", "%", "@", "|", ";",
];

/// Strings within interpolations within strings; deeper is nobody's template and would only spend the stack.
const DEPTH: usize = 32;

struct Lexer<'a> {
    rest: &'a str,
    at: Pos,
    depth: usize,
    comments: Vec<Span>,
}

/// The tokens of a whole file, closed by [`Kind::End`].
pub fn tokens(source: &str) -> Result<Vec<Token>, Fault> {
    Ok(scan(source)?.0)
}

/// The tokens of a whole file, and the places of the comments and directives between them.
pub fn scan(source: &str) -> Result<(Vec<Token>, Vec<Span>), Fault> {
    let mut lexer = Lexer { rest: source, at: Pos { line: 1, column: 1 }, depth: 0, comments: Vec::new() };
    let tokens = lexer.run(false)?;
    Ok((tokens, lexer.comments))
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.at = Pos { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
        Some(c)
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.bump();
        }
    }

    fn fault<T>(&self, message: impl Into<String>) -> Result<T, Fault> {
        Err(Fault::new(self.at, message))
    }

    /// Tokens to the end of the text, or to the brace that closes an interpolation, which is left unread.
    fn run(&mut self, interpolation: bool) -> Result<Vec<Token>, Fault> {
        let mut found: Vec<Token> = Vec::new();
        let mut open = 0usize;
        loop {
            let at = self.at;
            let Some(c) = self.peek() else {
                if interpolation {
                    return self.fault("this interpolation is never closed");
                }
                found.push(Token { kind: Kind::End, at, end: at });
                return Ok(found);
            };
            if interpolation && open == 0 && c == '}' {
                found.push(Token { kind: Kind::End, at, end: at });
                return Ok(found);
            }
            let kind = match c {
                ' ' | '\t' | '\r' => {
                    self.bump();
                    continue;
                }
                '\n' if interpolation => return self.fault("a string in single quotes stays on one line"),
                '\n' => {
                    self.bump();
                    Kind::Newline
                }
                '/' if self.rest.starts_with("//") => {
                    self.line_end();
                    self.comments.push((at, self.at));
                    continue;
                }
                '/' if self.rest.starts_with("/*") => {
                    let Some(length) = self.rest.find("*/") else {
                        return self.fault("this comment is never closed");
                    };
                    let count = self.rest[..length + 2].chars().count();
                    self.skip(count);
                    self.comments.push((at, self.at));
                    continue;
                }
                '#' if found.last().is_none_or(|last| last.kind == Kind::Newline) => {
                    if !self.rest.starts_with("#disable-next-line ") && !self.rest.starts_with("#disable-diagnostics ")
                    {
                        return self.fault("no such directive");
                    }
                    self.line_end();
                    self.comments.push((at, self.at));
                    continue;
                }
                '\'' if self.rest.starts_with("'''") => self.verbatim()?,
                '\'' => self.text()?,
                '"' => return self.fault("strings stand in single quotes"),
                '0'..='9' => self.number()?,
                c if c == '_' || c.is_ascii_alphabetic() => {
                    let word: String =
                        self.rest.chars().take_while(|c| *c == '_' || c.is_ascii_alphanumeric()).collect();
                    self.skip(word.len());
                    Kind::Word(word)
                }
                _ => {
                    let Some(mark) = MARKS.into_iter().find(|mark| self.rest.starts_with(mark)) else {
                        return self.fault(format!("`{c}` is no part of the language"));
                    };
                    match mark {
                        "{" => open += 1,
                        "}" => open = open.saturating_sub(1),
                        _ => {}
                    }
                    self.skip(mark.len());
                    Kind::Mark(mark)
                }
            };
            found.push(Token { kind, at, end: self.at });
        }
    }

    fn line_end(&mut self) {
        while self.peek().is_some_and(|c| c != '\n') {
            self.bump();
        }
    }

    fn number(&mut self) -> Result<Kind, Fault> {
        let digits: String = self.rest.chars().take_while(char::is_ascii_digit).collect();
        let Ok(number) = digits.parse() else {
            return self.fault(format!("{digits} is larger than 64 bits"));
        };
        self.skip(digits.len());
        if self.peek().is_some_and(|c| c == '_' || c.is_ascii_alphabetic()) {
            return self.fault("a number ends where a name begins");
        }
        Ok(Kind::Number(number))
    }

    fn text(&mut self) -> Result<Kind, Fault> {
        let start = self.at;
        self.bump();
        let mut segments = Vec::new();
        let mut literal = String::new();
        loop {
            if self.rest.starts_with("${") {
                if self.depth == DEPTH {
                    return self.fault(format!("strings nested more than {DEPTH} deep"));
                }
                self.skip(2);
                segments.push(Segment::Literal(std::mem::take(&mut literal)));
                self.depth += 1;
                segments.push(Segment::Tokens(self.run(true)?));
                self.depth -= 1;
                self.bump();
                continue;
            }
            match self.bump() {
                Some('\'') => {
                    segments.push(Segment::Literal(literal));
                    segments.retain(|segment| *segment != Segment::Literal(String::new()));
                    return Ok(Kind::Text(segments));
                }
                Some('\\') => literal.push(self.escape()?),
                None | Some('\n') => return Err(Fault::new(start, "this string is never closed")),
                Some(c) => literal.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let at = self.at;
        match self.bump() {
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some(c @ ('\\' | '\'' | '$')) => Ok(c),
            Some('u') => {
                let code = self.rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(code, _)| code);
                let Some(code) = code else {
                    return Err(Fault::new(at, "a character by number is written \\u{1F600}"));
                };
                let c = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
                let Some(c) = c else {
                    return Err(Fault::new(at, format!("\\u{{{code}}} is no character")));
                };
                self.skip(code.chars().count() + 2);
                Ok(c)
            }
            _ => Err(Fault::new(at, "no such escape; there are \\\\ \\' \\n \\r \\t \\u{...} \\$")),
        }
    }

    /// `'''...'''`: no escapes, no interpolation; a newline right after the opening falls away.
    fn verbatim(&mut self) -> Result<Kind, Fault> {
        let start = self.at;
        self.skip(3);
        if self.rest.starts_with("\r\n") {
            self.skip(2);
        } else if self.rest.starts_with('\n') {
            self.skip(1);
        }
        let Some(mut length) = self.rest.find("'''") else {
            return Err(Fault::new(start, "this string is never closed"));
        };
        // Quotes beyond the closing three belong to the text.
        while self.rest[length + 3..].starts_with('\'') {
            length += 1;
        }
        let literal = self.rest[..length].to_owned();
        self.skip(literal.chars().count() + 3);
        let segments = if literal.is_empty() { Vec::new() } else { vec![Segment::Literal(literal)] };
        Ok(Kind::Text(segments))
    }
}
