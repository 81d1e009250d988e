//! JSON values as Azure's engine handles them: names without case, strings of UTF-16, texts of values, orders, limits.

use super::error::{EvalError, Fault};
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// How much a value may hold, in bytes of text and members together: what a whole template may hold in Azure.
pub const MAX_VALUE: usize = 4 << 20;

/// How deep a value may be.
pub const MAX_VALUE_DEPTH: usize = 256;

/// The member of an object, its name compared without case; one in the very same case goes first.
pub fn get<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| object.iter().find(|(key, _)| same(key, name)).map(|(_, value)| value))
}

/// The same, to be changed.
pub(super) fn entry<'a>(object: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Value> {
    let exact = object.contains_key(name);
    object.iter_mut().find(|(key, _)| if exact { *key == name } else { same(key, name) }).map(|(_, value)| value)
}

/// Sets a member: names that differ only in case are one, whose first spelling stays.
pub fn set(object: &mut Map<String, Value>, name: &str, value: Value) {
    match entry(object, name) {
        Some(old) => *old = value,
        None => {
            object.insert(name.to_owned(), value);
        }
    }
}

/// Whether two names are one: case is ignored.
pub fn same(a: &str, b: &str) -> bool {
    a.chars().map(upper).eq(b.chars().map(upper))
}

/// One character in upper case as .NET's invariant culture has it: never another number of characters.
pub(super) fn upper(c: char) -> char {
    match (c, c.to_uppercase()) {
        ('\u{131}', _) => c,
        (_, mut many) if many.len() == 1 => many.next().unwrap_or(c),
        _ => c,
    }
}

/// One character in lower case, likewise.
pub(super) fn lower(c: char) -> char {
    let mut many = c.to_lowercase();
    if many.len() == 1 { many.next().unwrap_or(c) } else { c }
}

/// A text as .NET counts it.
pub(super) fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// A text for searching without case, unit by unit the same as [`units`].
pub(super) fn folded(text: &str) -> Vec<u16> {
    let mut units = Vec::with_capacity(text.len());
    for c in text.chars() {
        let up = upper(c);
        // a unit for a unit, or the positions would move
        let c = if up.len_utf16() == c.len_utf16() { up } else { c };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    units
}

/// A value as text: what `string`, `concat` and `join` make of it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value as JSON with single quotes: what `format` makes of objects and arrays.
pub(super) fn single_quoted(value: &Value) -> String {
    let quoted = |text: &str| {
        // serde's escapes, with the roles of the quotes exchanged
        let json = Value::from(text).to_string();
        let inner = json[1..json.len() - 1].replace("\\\"", "\"").replace('\'', "\\'");
        format!("'{inner}'")
    };
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(single_quoted).collect::<Vec<_>>().join(",")),
        Value::Object(object) => {
            let member = |(key, value): (&String, &Value)| format!("{}:{}", quoted(key), single_quoted(value));
            format!("{{{}}}", object.iter().map(member).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// Reads JSON, strings in single quotes too.
pub(super) fn read_json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&double_quoted(text)).ok())
}

fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => {
                quote = Some(c);
                out.push('"');
            }
            (Some(open), _) if c == open => {
                quote = None;
                out.push('"');
            }
            (Some(_), '"') => out.push_str("\\\""),
            (Some(_), '\\') => match chars.next() {
                Some('\'') => out.push('\''),
                Some(next) => out.extend(['\\', next]),
                None => out.push('\\'),
            },
            _ => out.push(c),
        }
    }
    out
}

/// The order of two texts for a reader: signs, digits, letters; letters without case first, then small before capital.
/// That is .NET's invariant culture as far as ASCII goes; beyond it the order is that of code points.
pub(super) fn linguistic(a: &str, b: &str) -> Ordering {
    const SIGNS: &str = "\t\n\u{b}\u{c}\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
    let rank = |c: char| match SIGNS.chars().position(|sign| sign == c) {
        Some(at) => (0, at as u32),
        None => (1, u32::from(lower(c))),
    };
    let primary = a.chars().map(rank).cmp(b.chars().map(rank));
    let tertiary = || a.chars().map(|c| c != lower(c)).cmp(b.chars().map(|c| c != lower(c)));
    primary.then_with(tertiary)
}

/// The order of member names in `items` and `objectKeys`: case is ignored, ties keep their order.
pub(super) fn sorted(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = object.iter().collect();
    members.sort_by_cached_key(|(key, _)| folded(key));
    members
}

/// How much a value holds.
pub fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => 1 + text.len(),
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(object) => 1 + object.iter().map(|(key, value)| key.len() + size(value)).sum::<usize>(),
        _ => 1,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(object) => 1 + object.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Refuses more than `MAX_VALUE`.
pub fn limit(size: usize) -> Result<(), EvalError> {
    if size > MAX_VALUE {
        let message =
            format!("The language expression evaluation limit exceeded. Limit: '{MAX_VALUE}' and actual: '{size}'.");
        return Err(EvalError::new(Fault::Limit, message));
    }
    Ok(())
}

/// A value that is kept to be used again: no larger and no deeper than allowed, so that values made from values cannot
/// grow for ever.
pub fn bounded(value: Value) -> Result<Value, EvalError> {
    limit(size(&value))?;
    if depth(&value) > MAX_VALUE_DEPTH {
        let message = format!("The value is nested deeper than {MAX_VALUE_DEPTH} levels.");
        return Err(EvalError::new(Fault::Limit, message));
    }
    Ok(value)
}
