//! JSON with the place of every value: a text that `serde_json` accepts, read once more.
//!
//! Deliberately absent: what is wrong with a text that is no JSON; `serde_json` says it.

use crate::diagnostic::Span;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Json,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    /// Keys in order, with their places.
    Object(Vec<(String, Span, Node)>),
    Array(Vec<Node>),
    Text(String),
    Number(String),
    Bool(bool),
    Null,
}

/// Reads a text; `None` where it is no JSON.
pub(crate) fn read(text: &str) -> Option<Node> {
    serde_json::from_str::<serde_json::Value>(text).ok()?;
    Reader { text, at: 0 }.value()
}

impl Node {
    /// The value of a key, found without case as Azure does.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(name, ..)| name.eq_ignore_ascii_case(key)).map(|(_, _, node)| node)
    }

    /// Where a key stands.
    pub(crate) fn key(&self, key: &str) -> Option<Span> {
        self.entries().iter().find(|(name, ..)| name.eq_ignore_ascii_case(key)).map(|(_, span, _)| *span)
    }

    /// The value behind several keys.
    pub(crate) fn path(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    pub(crate) fn entries(&self) -> &[(String, Span, Node)] {
        match &self.value {
            Json::Object(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Json::Array(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Every string below, keys left out.
    pub(crate) fn texts(&self) -> Vec<&str> {
        match &self.value {
            Json::Text(text) => vec![text],
            Json::Array(items) => items.iter().flat_map(Node::texts).collect(),
            Json::Object(entries) => entries.iter().flat_map(|(_, _, node)| node.texts()).collect(),
            _ => Vec::new(),
        }
    }

    /// Where byte `at` of this string's text stands in the source.
    pub(crate) fn source_of(&self, source: &str, at: usize) -> usize {
        let mut reader = Reader { text: source, at: self.span.start + 1 };
        let mut decoded = 0;
        while decoded < at && reader.at + 1 < self.span.end {
            let Some(c) = reader.character() else { break };
            decoded += c.len_utf8();
        }
        reader.at
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.as_bytes().get(self.at) {
            self.at += 1;
        }
        self.text.as_bytes().get(self.at).copied()
    }

    fn value(&mut self) -> Option<Node> {
        let first = self.peek()?;
        let start = self.at;
        let value = match first {
            b'{' => {
                self.at += 1;
                let mut entries = Vec::new();
                while self.peek()? != b'}' {
                    self.peek()?;
                    let start = self.at;
                    let key = self.string()?;
                    let span = Span { start, end: self.at };
                    self.peek()?;
                    self.at += 1;
                    entries.push((key, span, self.value()?));
                    if self.peek()? == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Json::Object(entries)
            }
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                while self.peek()? != b']' {
                    items.push(self.value()?);
                    if self.peek()? == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Json::Array(items)
            }
            b'"' => Json::Text(self.string()?),
            _ => {
                let rest = &self.text[start..];
                let end = rest.find([',', '}', ']', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
                self.at += end;
                match &rest[..end] {
                    "true" => Json::Bool(true),
                    "false" => Json::Bool(false),
                    "null" => Json::Null,
                    number => Json::Number(number.to_owned()),
                }
            }
        };
        Some(Node { span: Span { start, end: self.at }, value })
    }

    fn string(&mut self) -> Option<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            if self.text.as_bytes().get(self.at)? == &b'"' {
                self.at += 1;
                return Some(text);
            }
            text.push(self.character()?);
        }
    }

    /// One character of a string, its escape resolved.
    fn character(&mut self) -> Option<char> {
        let c = self.text.get(self.at..)?.chars().next()?;
        self.at += c.len_utf8();
        if c != '\\' {
            return Some(c);
        }
        let escaped = self.text.get(self.at..)?.chars().next()?;
        self.at += escaped.len_utf8();
        Some(match escaped {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let first = self.unit()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first);
                }
                self.at += 2;
                let second = self.unit()?;
                let low = second.checked_sub(0xdc00)?;
                return char::from_u32(0x10000 + ((first - 0xd800) << 10) + low);
            }
            other => other,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(node: &Node) -> serde_json::Value {
        match &node.value {
            Json::Object(entries) => entries
                .iter()
                .map(|(key, _, node)| (key.clone(), plain(node)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Json::Array(items) => items.iter().map(plain).collect(),
            Json::Text(text) => text.as_str().into(),
            Json::Number(number) => serde_json::from_str(number).expect("a number"),
            Json::Bool(value) => (*value).into(),
            Json::Null => serde_json::Value::Null,
        }
    }

    #[test]
    fn values_have_their_places() {
        let text = r#" { "a" : [1, -2.5e3, "x\"y\u00e9\ud83d\ude00"], "B": {"c": null} } "#;
        let node = read(text).expect("JSON");
        let string = &node.get("A").expect("a").items()[2];
        assert_eq!(string.text(), Some("x\"yé😀"));
        assert_eq!(&text[string.span.start..string.span.end], r#""x\"y\u00e9\ud83d\ude00""#);
        for (at, rest) in [(0, "x"), (1, "\\\""), (2, "y"), (3, "\\u00e9"), (5, "\\ud83d"), (9, "\"]")] {
            let found = string.source_of(text, at);
            assert!(text[found..].starts_with(rest), "{at}: {}", &text[found..]);
        }
        assert_eq!(node.key("a").map(|span| &text[span.start..span.end]), Some("\"a\""));
        assert!(node.path(&["b", "C"]).is_some());
        assert!(read("{").is_none() && read("").is_none());
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i32>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_serde_reads_is_read_alike(value in json()) {
            for text in [value.to_string(), format!("{value:#}")] {
                prop_assert_eq!(plain(&read(&text).expect("JSON")), value.clone());
            }
        }
    }
}
