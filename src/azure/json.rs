//! JSON as Azure Resource Manager reads it: comments, unquoted names, single quotes, line breaks inside of strings and
//! commas at the end are taken, as Newtonsoft's reader takes them. Clients rely on it: azure-cli pastes the text of a
//! template, comments and all, into its requests.
//!
//! Deliberately absent: what that reader knows beyond values of JSON (`NaN`, `undefined`, constructors, hexadecimal
//! numbers).

use serde_json::{Map, Value};

/// How deep a text may be nested.
const DEPTH: usize = 128;

/// Reads a text. The error says what, and where: `... Path 'a.b[0]', line 3, position 7.`
pub(super) fn read(text: &str) -> Result<Value, String> {
    // every strict text reads the same both ways
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    let mut reader = Reader::new(text, None);
    reader.whole().map_err(|what| {
        let (line, position) = reader.at();
        format!("{what}. Path '{}', line {line}, position {position}.", reader.path())
    })
}

/// The line and the position at which the value at a path begins: after its brace, or after the value itself.
pub(super) fn locate(text: &str, path: &str) -> Option<(usize, usize)> {
    let mut reader = Reader::new(text, Some(path));
    reader.whole().ok()?;
    reader.found
}

struct Reader<'a> {
    text: &'a str,
    /// What is read so far, in bytes.
    next: usize,
    path: Vec<Step>,
    wanted: Option<&'a str>,
    found: Option<(usize, usize)>,
}

enum Step {
    Name(String),
    Index(usize),
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, wanted: Option<&'a str>) -> Reader<'a> {
        Reader { text, next: 0, path: Vec::new(), wanted, found: None }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.next..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.next += char.len_utf8();
        Some(char)
    }

    fn takes(&mut self, wanted: char) -> bool {
        let fits = self.peek() == Some(wanted);
        if fits {
            self.next += wanted.len_utf8();
        }
        fits
    }

    /// The line, from 1, and how many characters of it are read.
    fn at(&self) -> (usize, usize) {
        let read = self.text.get(..self.next).unwrap_or("");
        let line = read.matches('\n').count() + 1;
        (line, read.rsplit('\n').next().unwrap_or("").chars().count())
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Name(name) if path.is_empty() => path.push_str(name),
                Step::Name(name) => path.push_str(&format!(".{name}")),
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }

    /// Remembers the place, where it is the one that is looked for.
    fn mark(&mut self) {
        if self.found.is_none() && self.wanted.is_some_and(|wanted| wanted == self.path()) {
            self.found = Some(self.at());
        }
    }

    fn whole(&mut self) -> Result<Value, String> {
        let value = self.value()?;
        self.blanks()?;
        match self.peek() {
            None => Ok(value),
            Some(more) => Err(format!("Additional text encountered after finished reading JSON content: {more}")),
        }
    }

    /// Passes over blanks and comments.
    fn blanks(&mut self) -> Result<(), String> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.next += rest.len() - trimmed.len();
            let comment = match trimmed.get(..2) {
                Some("//") => trimmed.find('\n').unwrap_or(trimmed.len()),
                Some("/*") => match trimmed.get(2..).and_then(|text| text.find("*/")) {
                    Some(end) => end + 4,
                    None => return Err("Unexpected end while parsing comment".into()),
                },
                _ => return Ok(()),
            };
            self.next += comment;
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.path.len() > DEPTH {
            return Err(format!("The reader's MaxDepth of {DEPTH} has been exceeded"));
        }
        self.blanks()?;
        match self.peek() {
            None => Err("Unexpected end of content".into()),
            Some('{') => self.object(),
            Some('[') => self.array(),
            Some(quote @ ('"' | '\'')) => {
                let text = self.string(quote)?;
                self.mark();
                Ok(text.into())
            }
            Some(_) => self.word(),
        }
    }

    fn object(&mut self) -> Result<Value, String> {
        self.take();
        self.mark();
        let mut members = Map::new();
        loop {
            self.blanks()?;
            if self.takes('}') {
                return Ok(members.into());
            }
            let name = match self.peek() {
                None => return Err("Unexpected end when reading an object".into()),
                Some(quote @ ('"' | '\'')) => self.string(quote)?,
                Some(_) => {
                    let rest = self.rest();
                    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                    self.next += end;
                    rest.get(..end).unwrap_or("").to_owned()
                }
            };
            self.blanks()?;
            if !self.takes(':') {
                return Err(self.unexpected("Invalid character after parsing property name. Expected ':' but got"));
            }
            self.path.push(Step::Name(name.clone()));
            let value = self.value()?;
            self.path.pop();
            members.insert(name, value);
            self.blanks()?;
            if !self.takes(',') && self.peek() != Some('}') {
                return Err(self.unexpected("After parsing a value an unexpected character was encountered"));
            }
        }
    }

    fn array(&mut self) -> Result<Value, String> {
        self.take();
        self.mark();
        let mut items = Vec::new();
        loop {
            self.blanks()?;
            if self.takes(']') {
                return Ok(items.into());
            }
            self.path.push(Step::Index(items.len()));
            let item = self.value()?;
            self.path.pop();
            items.push(item);
            self.blanks()?;
            if !self.takes(',') && self.peek() != Some(']') {
                return Err(self.unexpected("After parsing a value an unexpected character was encountered"));
            }
        }
    }

    fn string(&mut self, quote: char) -> Result<String, String> {
        self.take();
        let mut out = String::new();
        loop {
            match self.take() {
                None => return Err(format!("Unterminated string. Expected delimiter: {quote}")),
                Some(end) if end == quote => return Ok(out),
                Some('\\') => {
                    let escaped = self.take().ok_or("Unterminated string")?;
                    out.push(match escaped {
                        'b' => '\u{8}',
                        'f' => '\u{c}',
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        'u' => self.unicode()?,
                        '"' | '\'' | '/' | '\\' => escaped,
                        other => return Err(format!("Bad JSON escape sequence: \\{other}")),
                    });
                }
                Some(char) => out.push(char),
            }
        }
    }

    fn unicode(&mut self) -> Result<char, String> {
        let first = self.unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.next;
        if self.takes('\\') && self.takes('u') {
            let second = self.unit()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        self.next = before;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn unit(&mut self) -> Result<u32, String> {
        let digits = self.rest().get(..4).filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
        let digits = digits.ok_or("Bad JSON escape sequence: \\u")?;
        self.next += 4;
        u32::from_str_radix(digits, 16).map_err(|_| "Bad JSON escape sequence: \\u".into())
    }

    /// A number, or one of the three words.
    fn word(&mut self) -> Result<Value, String> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or("");
        let value: Option<Value> = serde_json::from_str(word).ok();
        match value {
            Some(value) => {
                self.next += end;
                self.mark();
                Ok(value)
            }
            None => Err(self.unexpected("Unexpected character encountered while parsing value")),
        }
    }

    fn unexpected(&self, what: &str) -> String {
        match self.peek() {
            Some(char) => format!("{what}: {char}"),
            None => "Unexpected end of content".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_azure_takes_beyond_json() {
        let text = "{\"a\": 1, template:{ // one\n /** two **/ 'b': \"x\ny\", \"c\": [true, null, -1.5e2, ], },}";
        assert_eq!(read(text), Ok(json!({"a": 1, "template": {"b": "x\ny", "c": [true, null, -150.0]}})));
        assert_eq!(read(r"{'a': 'it\'s \u00e9 \ud83d\ude00 \ud83d!'}"), Ok(json!({"a": "it's é 😀 \u{fffd}!"})));
        assert_eq!(read("// all\n[]"), Ok(json!([])));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, told) in [
            ("", "Unexpected end of content. Path '', line 1, position 0."),
            (
                "{\"a\":\n [1, x]}",
                "Unexpected character encountered while parsing value: x. Path 'a[1]', line 2, position 5.",
            ),
            (
                "{\"a\" 1}",
                "Invalid character after parsing property name. Expected ':' but got: 1. Path '', line 1, position 5.",
            ),
            (
                "{} {",
                "Additional text encountered after finished reading JSON content: {. Path '', line 1, position 3.",
            ),
            ("{\"a\": \"b", "Unterminated string. Expected delimiter: \". Path 'a', line 1, position 8."),
            ("{\"a\": 1 /* ", "Unexpected end while parsing comment. Path '', line 1, position 8."),
            ("[1 2]", "After parsing a value an unexpected character was encountered: 2. Path '', line 1, position 3."),
            ("{a: '\\q'}", "Bad JSON escape sequence: \\q. Path 'a', line 1, position 7."),
        ] {
            assert_eq!(read(text), Err(told.to_string()), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(read(&deep).is_err_and(|told| told.starts_with("The reader's MaxDepth of 128 has been exceeded")));
    }

    #[test]
    fn a_path_has_a_place() {
        let text = "{\"properties\": {template:{\n  \"parameters\": {\n    \"one\": {\n    },\n    \"two\": [3, {}]\n";
        let text = format!("{text}  }}\n}}}}}}");
        assert_eq!(locate(&text, "properties.template.parameters.one"), Some((3, 12)));
        assert_eq!(locate(&text, "properties.template.parameters.two[0]"), Some((5, 13)));
        assert_eq!(locate(&text, "properties.template.parameters.three"), None);
    }
}
