//! The properties that a caller sent: each member is read once, and what is wrong with any of them is told together.

use crate::azure::reply::{Reply, validation};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// What a caller sent, and what was found wrong with it.
pub(super) struct Sent {
    map: Map<String, Value>,
    problems: Vec<(&'static str, String)>,
    /// A member is of another type than the contract says: then the whole body counts as unreadable.
    unreadable: bool,
}

impl Sent {
    pub fn new(map: Map<String, Value>) -> Sent {
        Sent { map, problems: Vec::new(), unreadable: false }
    }

    pub fn refuse(&mut self, field: &'static str, message: impl Into<String>) {
        self.problems.push((field, message.into()));
    }

    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && !self.unreadable
    }

    /// A member that is there and not null.
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// A text, if one was sent.
    pub fn text(&mut self, name: &'static str, length: RangeInclusive<usize>) -> Option<String> {
        let text = match self.given(name)? {
            Value::String(text) => text.clone(),
            // widely used templates send a boolean where a text is wanted, and it is taken
            Value::Bool(flag) => flag.to_string(),
            _ => {
                self.unreadable = true;
                return None;
            }
        };
        if !length.contains(&text.chars().count()) {
            let (least, most) = (length.start(), length.end());
            self.refuse(name, format!("The field {name} must have a length from {least} to {most}."));
        }
        Some(text)
    }

    /// A text that must be there; empty where it is not.
    pub fn needed(&mut self, name: &'static str, length: RangeInclusive<usize>) -> String {
        if self.given(name).is_none() {
            self.refuse(name, format!("{} is required.", capital(name)));
        }
        self.text(name, length).unwrap_or_default()
    }

    /// One of some words, their case ignored; it comes back in the case of the list.
    pub fn word(&mut self, name: &'static str, words: &[&'static str]) -> Option<&'static str> {
        let text = self.text(name, 0..=usize::MAX)?;
        let found = words.iter().find(|word| word.eq_ignore_ascii_case(&text)).copied();
        if found.is_none() {
            self.refuse(name, format!("The value '{text}' is not valid for {}.", capital(name)));
        }
        found
    }

    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.given(name)? {
            Value::Bool(flag) => Some(*flag),
            _ => {
                self.unreadable = true;
                None
            }
        }
    }

    pub fn whole(&mut self, name: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let number = self.given(name)?.as_u64();
        if number.is_none_or(|number| !range.contains(&number)) {
            self.refuse(name, format!("The field {name} must be from {} to {}.", range.start(), range.end()));
        }
        number
    }

    /// An object, empty where none was sent.
    pub fn object(&mut self, name: &'static str) -> Map<String, Value> {
        match self.given(name) {
            Some(Value::Object(map)) => map.clone(),
            Some(_) => {
                self.unreadable = true;
                Map::new()
            }
            None => Map::new(),
        }
    }

    /// A list, empty where none was sent.
    pub fn list(&mut self, name: &'static str) -> Vec<Value> {
        match self.given(name) {
            Some(Value::Array(items)) => items.clone(),
            Some(_) => {
                self.unreadable = true;
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// All that was found wrong, as one answer.
    pub fn end(self) -> Result<(), Reply> {
        if self.unreadable {
            let message = "Parsing error(s): JSON is not in correct format.";
            return Err(validation(&[("representation", message.into())]));
        }
        match self.problems.as_slice() {
            [] => Ok(()),
            problems => Err(validation(problems)),
        }
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
