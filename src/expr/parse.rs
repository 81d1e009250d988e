//! From text to tree, and which strings of a template are expressions at all.
//!
//! Written so that no text can hurt: the tree is never deeper than [`MAX_DEPTH`], so that neither this parser nor
//! anything that later walks or drops a tree can run out of stack.

use super::Expr;
use std::borrow::Cow;
use std::fmt;

/// How deep a tree may be: calls in calls, and every `.name` and `[index]` of a chain counts as one. Azure's own limit is
/// not documented; what compilers write stays below 30.
pub const MAX_DEPTH: usize = 128;

/// How long an expression may be, in characters, as Azure has it.
pub const MAX_LENGTH: usize = 24_576;

/// A string of a template, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateString<'a> {
    /// The text that the string stands for.
    Literal(Cow<'a, str>),
    /// The text between the brackets, for [`parse`].
    Expression(&'a str),
}

/// Reads a string as it stands in a template: an expression begins with `[` and ends with `]`; `[[x]` is the text `[x]`;
/// anything else is itself.
pub fn template_string(text: &str) -> TemplateString<'_> {
    match text.strip_prefix('[').and_then(|rest| Some((rest, rest.strip_suffix(']')?))) {
        None => TemplateString::Literal(Cow::Borrowed(text)),
        Some((rest, _)) if rest.starts_with('[') => TemplateString::Literal(Cow::Borrowed(rest)),
        Some((_, inside)) => TemplateString::Expression(inside),
    }
}

/// How a text is written in a template so that [`template_string`] gives it back: a text that would be taken for an
/// expression gets a second `[`.
pub fn literal(text: &str) -> String {
    if text.starts_with('[') && text.ends_with(']') { format!("[{text}") } else { text.to_owned() }
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Something else was expected.
    Unexpected {
        /// The whole text.
        text: String,
        /// The byte where it went wrong.
        at: usize,
        /// The name of what was expected, as Azure calls it.
        expected: &'static str,
        /// The name of what stands there.
        actual: &'static str,
    },
    /// Deeper than [`MAX_DEPTH`].
    TooDeep,
    /// Longer than [`MAX_LENGTH`].
    TooLong,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::Unexpected { text, expected, actual, .. } => {
                write!(
                    f,
                    "Unable to parse language expression '{text}': expected token '{expected}' and actual '{actual}'."
                )
            }
            ParseError::TooDeep => write!(f, "The language expression is nested deeper than {MAX_DEPTH} levels."),
            ParseError::TooLong => {
                write!(f, "The language expression length limit exceeded. Limit: '{MAX_LENGTH}' characters.")
            }
        }
    }
}

impl std::error::Error for ParseError {}

/// Reads an expression: the text between the brackets of a template string.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    if text.len() > MAX_LENGTH && text.chars().count() > MAX_LENGTH {
        return Err(ParseError::TooLong);
    }
    let mut parser = Parser { text, at: 0, token: Token::End, start: 0 };
    parser.next();
    let (expr, _) = parser.expr(MAX_DEPTH)?;
    match parser.take() {
        (_, Token::End) => Ok(expr),
        (at, other) => Err(parser.unexpected(at, "EndOfData", &other)),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Str(String),
    Int(i64),
    Name(String),
    Mark(char),
    End,
    /// A character, an unclosed string or a number that no token can be.
    Bad,
}

impl Token {
    fn name(&self) -> &'static str {
        match self {
            Token::Str(_) => "StringLiteral",
            Token::Int(_) => "Integer",
            Token::Name(_) => "Identifier",
            Token::Mark('(') => "LeftParenthesis",
            Token::Mark(')') => "RightParenthesis",
            Token::Mark('[') => "LeftSquareBracket",
            Token::Mark(']') => "RightSquareBracket",
            Token::Mark(',') => "Comma",
            Token::Mark(_) => "Dot",
            Token::End => "EndOfData",
            Token::Bad => "Unrecognized",
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Where the token after the current one may begin.
    at: usize,
    /// The current token, and where it begins.
    token: Token,
    start: usize,
}

impl Parser<'_> {
    /// An expression of at most `depth` levels, and how many it has.
    fn expr(&mut self, depth: usize) -> Result<(Expr, usize), ParseError> {
        if depth == 0 {
            return Err(ParseError::TooDeep);
        }
        let (mut expr, mut levels) = match self.take() {
            (_, Token::Str(text)) => (Expr::Str(text), 1),
            (_, Token::Int(number)) => (Expr::Int(number), 1),
            (_, Token::Name(name)) => self.call(name, depth)?,
            (at, other) => return Err(self.unexpected(at, "LeftParenthesis", &other)),
        };
        loop {
            let (index, inner) = match self.token {
                Token::Mark('.') => {
                    self.next();
                    (Expr::Str(self.name()?), 0)
                }
                Token::Mark('[') => {
                    self.next();
                    let index = self.expr(depth - 1)?;
                    self.expect(']', "RightSquareBracket")?;
                    index
                }
                _ => return Ok((expr, levels)),
            };
            levels = levels.max(inner) + 1;
            if levels > depth {
                return Err(ParseError::TooDeep);
            }
            // a name in brackets and a name behind a dot are one thing
            expr = match index {
                Expr::Str(name) => Expr::Prop(Box::new(expr), name),
                index => Expr::Index(Box::new(expr), Box::new(index)),
            };
        }
    }

    fn call(&mut self, mut name: String, depth: usize) -> Result<(Expr, usize), ParseError> {
        // a function of the template's own: `namespace.name(...)`
        if self.token == Token::Mark('.') {
            self.next();
            name = format!("{name}.{}", self.name()?);
        }
        self.expect('(', "LeftParenthesis")?;
        let (mut args, mut levels) = (Vec::new(), 0);
        if self.token != Token::Mark(')') {
            loop {
                let (arg, inner) = self.expr(depth - 1)?;
                args.push(arg);
                levels = levels.max(inner);
                match self.token {
                    Token::Mark(',') => self.next(),
                    _ => break,
                }
            }
        }
        self.expect(')', "RightParenthesis")?;
        Ok((Expr::Call(name, args), levels + 1))
    }

    fn name(&mut self) -> Result<String, ParseError> {
        match self.take() {
            (_, Token::Name(name)) => Ok(name),
            (at, other) => Err(self.unexpected(at, "Identifier", &other)),
        }
    }

    fn expect(&mut self, mark: char, name: &'static str) -> Result<(), ParseError> {
        match self.take() {
            (_, Token::Mark(found)) if found == mark => Ok(()),
            (at, other) => Err(self.unexpected(at, name, &other)),
        }
    }

    /// The current token and where it begins; moves to the next.
    fn take(&mut self) -> (usize, Token) {
        let token = (self.start, std::mem::replace(&mut self.token, Token::End));
        self.next();
        token
    }

    fn unexpected(&self, at: usize, expected: &'static str, actual: &Token) -> ParseError {
        ParseError::Unexpected { text: self.text.to_owned(), at, expected, actual: actual.name() }
    }

    /// Moves to the next token.
    fn next(&mut self) {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start();
        self.start = self.at + (rest.len() - trimmed.len());
        let (token, length) = match trimmed.chars().next() {
            None => (Token::End, 0),
            Some(mark @ ('(' | ')' | '[' | ']' | ',' | '.')) => (Token::Mark(mark), 1),
            Some('\'') => string(trimmed),
            Some(c) if c == '-' || c.is_ascii_digit() => {
                let digits = trimmed[1..].find(|c: char| !c.is_ascii_digit()).map_or(trimmed.len(), |i| i + 1);
                (trimmed[..digits].parse().map_or(Token::Bad, Token::Int), digits)
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let end = trimmed.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(trimmed.len());
                (Token::Name(trimmed[..end].to_owned()), end)
            }
            Some(c) => (Token::Bad, c.len_utf8()),
        };
        self.at = self.start + length;
        self.token = token;
    }
}

/// A string with its quotes at the start of `text`, and its length there.
fn string(text: &str) -> (Token, usize) {
    let mut value = String::new();
    let mut from = 1;
    while let Some(quote) = text[from..].find('\'').map(|i| i + from) {
        value.push_str(&text[from..quote]);
        if text[quote + 1..].starts_with('\'') {
            value.push('\'');
            from = quote + 2;
        } else {
            return (Token::Str(value), quote + 1);
        }
    }
    (Token::Bad, text.len())
}
