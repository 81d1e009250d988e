//! Texts, and what works on texts and arrays alike.

use super::super::value::{self, folded, limit, lower, units, upper};
use super::{Args, Function, MANY, function};
use crate::expr::error::{EvalError, Fault, type_name};
use serde_json::Value;

pub(super) const TABLE: &[Function] = &[
    function("concat", (1, MANY), concat),
    function("format", (2, MANY), super::format::format),
    function("string", (1, 1), |args| Ok(value::text(args.any(0)).into())),
    function("toLower", (1, 1), |args| Ok(args.text(0)?.chars().map(lower).collect::<String>().into())),
    function("toUpper", (1, 1), |args| Ok(args.text(0)?.chars().map(upper).collect::<String>().into())),
    function("trim", (1, 1), |args| Ok(args.text(0)?.trim().into())),
    function("padLeft", (2, 3), pad_left),
    function("replace", (3, 3), replace),
    function("split", (2, 2), split),
    function("join", (2, 2), join),
    function("substring", (2, 3), substring),
    function("startsWith", (2, 2), |args| affix(args, <[u16]>::starts_with)),
    function("endsWith", (2, 2), |args| affix(args, <[u16]>::ends_with)),
    function("indexOf", (2, 2), |args| position(args, |mut places, found| places.find(|&at| found(at)))),
    function("lastIndexOf", (2, 2), |args| position(args, |places, found| places.rev().find(|&at| found(at)))),
    function("first", (1, 1), |args| end(args, <[u16]>::first, <[Value]>::first)),
    function("last", (1, 1), |args| end(args, <[u16]>::last, <[Value]>::last)),
    function("take", (2, 2), |args| part(args, |count, length| 0..count.min(length))),
    function("skip", (2, 2), |args| part(args, |count, length| count.min(length)..length)),
];

/// A piece of a text, counted in units. Half a character outside of the basic plane becomes a replacement character.
fn piece(text: &[u16]) -> Value {
    String::from_utf16_lossy(text).into()
}

fn concat(args: &Args) -> Result<Value, EvalError> {
    if let [Value::Array(_), ..] = args.values {
        let arrays = (0..args.values.len()).map(|index| args.array(index)).collect::<Result<Vec<_>, _>>()?;
        return Ok(arrays.into_iter().flatten().cloned().collect());
    }
    match args.values.iter().position(|value| value.is_array() || value.is_object()) {
        Some(index) => Err(args.type_error(index, "String, Integer, Boolean")),
        None => Ok(args.values.iter().map(value::text).collect::<String>().into()),
    }
}

fn pad_left(args: &Args) -> Result<Value, EvalError> {
    let text = match args.any(0) {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() => number.to_string(),
        _ => return Err(args.type_error(0, "String, Integer")),
    };
    let width =
        usize::try_from(args.int(1)?).map_err(|_| args.error(Fault::Range, "expects a length that is not negative"))?;
    let pad = if args.get(2).is_some() { args.text(2)? } else { " " };
    if units(pad).len() != 1 {
        return Err(args.wrong_value("expects its padding parameter to be a single character"));
    }
    limit(width)?;
    Ok(format!("{}{text}", pad.repeat(width.saturating_sub(units(&text).len()))).into())
}

fn replace(args: &Args) -> Result<Value, EvalError> {
    let (text, old, new) = (args.text(0)?, args.text(1)?, args.text(2)?);
    if old.is_empty() {
        return Err(args.wrong_value("expects the text to be replaced not to be empty"));
    }
    limit(text.len().saturating_add(text.matches(old).count().saturating_mul(new.len())))?;
    Ok(text.replace(old, new).into())
}

fn split(args: &Args) -> Result<Value, EvalError> {
    let text = args.text(0)?;
    let delimiters = match args.any(1) {
        Value::String(delimiter) => vec![delimiter.as_str()],
        Value::Array(items) => {
            items.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(|| args.type_error(1, "String, Array"))?
        }
        _ => return Err(args.type_error(1, "String, Array")),
    };
    let mut parts = Vec::new();
    let (mut from, mut at) = (0, 0);
    while at < text.len() {
        let here = &text[at..];
        match delimiters.iter().find(|delimiter| !delimiter.is_empty() && here.starts_with(**delimiter)) {
            Some(delimiter) => {
                parts.push(text[from..at].into());
                at += delimiter.len();
                from = at;
            }
            None => at += here.chars().next().map_or(1, char::len_utf8),
        }
    }
    parts.push(text[from..].into());
    Ok(Value::Array(parts))
}

fn join(args: &Args) -> Result<Value, EvalError> {
    let (items, delimiter) = (args.array(0)?, args.text(1)?);
    let parts: Vec<String> = items.iter().map(value::text).collect();
    limit(parts.iter().map(|part| part.len().saturating_add(delimiter.len())).fold(0, usize::saturating_add))?;
    Ok(parts.join(delimiter).into())
}

fn substring(args: &Args) -> Result<Value, EvalError> {
    let text = units(args.text(0)?);
    let start = args.int(1)?;
    let length = match args.get(2) {
        Some(_) => args.int(2)?,
        None => (text.len() as i64).saturating_sub(start),
    };
    let range = usize::try_from(start)
        .ok()
        .zip(usize::try_from(length).ok())
        .map(|(start, length)| start..start.saturating_add(length));
    match range.and_then(|range| text.get(range)) {
        Some(part) => Ok(piece(part)),
        None => Err(EvalError::new(
            Fault::Range,
            format!(
                "The index and length parameters must refer to a location within the string. The index parameter: \
                 '{start}', the length parameter: '{length}', the length of the string parameter: '{}'.",
                text.len()
            ),
        )),
    }
}

fn two_texts(args: &Args) -> Result<(Vec<u16>, Vec<u16>), EvalError> {
    match args.values {
        [Value::String(text), Value::String(part)] => Ok((folded(text), folded(part))),
        _ => Err(args.wrong_type(&format!(
            "expects its parameters to be of type string and string. The provided value is of type '{}' and '{}'",
            type_name(args.any(0)),
            type_name(args.any(1))
        ))),
    }
}

fn affix(args: &Args, test: fn(&[u16], &[u16]) -> bool) -> Result<Value, EvalError> {
    let (text, part) = two_texts(args)?;
    Ok(test(&text, &part).into())
}

type Places = std::ops::RangeInclusive<usize>;

/// Where something is, by a search through all places: in texts without case, in arrays by deep comparison.
fn position(
    args: &Args,
    search: fn(Places, &mut dyn FnMut(usize) -> bool) -> Option<usize>,
) -> Result<Value, EvalError> {
    let found = if let [Value::Array(items), item] = args.values {
        items.len().checked_sub(1).and_then(|last| search(0..=last, &mut |at| items.get(at) == Some(item)))
    } else {
        let (text, part) = two_texts(args)?;
        let last = text.len().checked_sub(part.len());
        last.and_then(|last| search(0..=last, &mut |at| text[at..].starts_with(&part)))
    };
    Ok(found.map_or(-1, |at| at as i64).into())
}

/// The first or last character or item: that of no characters is no text, that of no items is null.
fn end(
    args: &Args,
    unit: fn(&[u16]) -> Option<&u16>,
    item: fn(&[Value]) -> Option<&Value>,
) -> Result<Value, EvalError> {
    match args.any(0) {
        Value::Null => Ok(Value::Null),
        Value::Array(items) => Ok(item(items).cloned().unwrap_or(Value::Null)),
        Value::String(text) => Ok(piece(&unit(&units(text)).map_or(Vec::new(), |unit| vec![*unit]))),
        other => Err(args.wrong_type(&format!(
            "expects its parameter be an array or a string. The provided value is of type '{}'",
            type_name(other)
        ))),
    }
}

/// The part of a text or an array that `range` says for a count and a length.
fn part(args: &Args, range: fn(usize, usize) -> std::ops::Range<usize>) -> Result<Value, EvalError> {
    let count = |args: &Args| args.int(1).map(|count| usize::try_from(count).unwrap_or(0));
    match args.any(0) {
        Value::Array(items) => Ok(Value::Array(items[range(count(args)?, items.len())].to_vec())),
        Value::String(text) => {
            let text = units(text);
            Ok(piece(&text[range(count(args)?, text.len())]))
        }
        _ => Err(args.type_error(0, "String, Array")),
    }
}
