//! Where each key of the spec stands.

use super::yaml::{Node, Value, item, join};
use crate::diagnostic::Span;
use std::collections::BTreeMap;

/// The places of a spec's keys. A key that the short form makes stands where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans(BTreeMap<String, Span>);

impl Spans {
    /// Where `key` stands, or the nearest key above it that the file has, at last the file itself.
    pub fn get(&self, key: &str) -> Option<Span> {
        let mut key = key;
        loop {
            match self.0.get(key) {
                Some(span) => return Some(*span),
                None if key.is_empty() => return None,
                None => key = &key[..key.rfind(['.', '[']).unwrap_or(0)],
            }
        }
    }

    /// Whether the file itself has this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The keys right below one, where they hold neither dots nor brackets.
    pub(super) fn children<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let below = self.0.keys().filter_map(move |known| known.strip_prefix(key)?.strip_prefix('.'));
        below.filter(|rest| !rest.contains(['.', '[']))
    }

    /// The places in a tree: of a value that is one word its own, of a larger one its key's.
    pub(super) fn of(root: &Node) -> Spans {
        let mut spans = Spans::default();
        spans.add(root, "", root.span);
        spans
    }

    fn add(&mut self, node: &Node, path: &str, span: Option<Span>) {
        if let Some(span) = span {
            self.0.insert(path.into(), span);
        }
        match &node.value {
            Value::Seq(items) => {
                items.iter().enumerate().for_each(|(index, node)| self.add(node, &item(path, index), node.span));
            }
            Value::Map(entries) => entries.iter().for_each(|entry| {
                // of a silence, what is wrong is the code, never the reason
                let by_key = path == "silence" || matches!(entry.node.value, Value::Seq(_) | Value::Map(_));
                let span = if by_key { entry.key_span } else { entry.node.span };
                self.add(&entry.node, &join(path, &entry.key), span);
            }),
            _ => {}
        }
    }

    /// Gives keys that are not in the file the place of the key that they come from.
    pub(super) fn derive(&mut self, origins: &[(String, String)]) {
        for (key, source) in origins {
            if let Some(span) = self.0.get(source).copied() {
                self.0.entry(key.clone()).or_insert(span);
            }
        }
    }
}
