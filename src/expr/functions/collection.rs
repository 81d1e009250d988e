//! Arrays and objects.

use super::super::value::{get, set, sorted, units};
use super::{Args, Function, MANY, function};
use crate::expr::error::{EvalError, Fault, type_name};
use serde_json::{Map, Value};

pub(super) const TABLE: &[Function] = &[
    function("array", (1, 1), |args| match args.any(0) {
        Value::Array(items) => Ok(Value::Array(items.clone())),
        other => Ok(Value::Array(vec![other.clone()])),
    }),
    function("createArray", (0, MANY), |args| Ok(Value::Array(args.values.to_vec()))),
    function("createObject", (0, MANY), create_object),
    function("contains", (2, 2), contains),
    function("empty", (1, 1), empty),
    function("length", (1, 1), length),
    function("flatten", (1, 1), flatten),
    function("union", (1, MANY), union),
    function("intersection", (2, MANY), intersection),
    function("shallowMerge", (1, 1), shallow_merge),
    function("items", (1, 1), |args| {
        let item = |(key, value): (&String, &Value)| serde_json::json!({"key": key, "value": value});
        Ok(sorted(args.object(0)?).into_iter().map(item).collect())
    }),
    function("objectKeys", (1, 1), |args| {
        Ok(sorted(args.object(0)?).into_iter().map(|(key, _)| Value::from(key.as_str())).collect())
    }),
    function("tryGet", (2, MANY), try_get),
    function("indexFromEnd", (2, 2), |args| {
        let (items, at) = (args.array(0)?, args.int(1)?);
        from_end(items, at).cloned().ok_or_else(|| {
            let message = format!("The language expression property array index '{at}' from the end is out of bounds.");
            EvalError::new(Fault::Index, message)
        })
    }),
    function("tryIndexFromEnd", (2, 2), |args| match args.any(0) {
        Value::Null => Ok(Value::Null),
        _ => {
            let items = args.array(0)?;
            Ok(args.any(1).as_i64().and_then(|at| from_end(items, at)).cloned().unwrap_or(Value::Null))
        }
    }),
];

/// The last is 1 from the end.
fn from_end(items: &[Value], at: i64) -> Option<&Value> {
    items.len().checked_sub(usize::try_from(at).ok().filter(|at| *at > 0)?).and_then(|at| items.get(at))
}

fn create_object(args: &Args) -> Result<Value, EvalError> {
    if !args.values.len().is_multiple_of(2) {
        return Err(args.error(Fault::ArgumentCount, "expects an even number of parameters"));
    }
    let mut object = Map::new();
    for index in (0..args.values.len()).step_by(2) {
        set(&mut object, args.text(index)?, args.any(index + 1).clone());
    }
    Ok(object.into())
}

fn contains(args: &Args) -> Result<Value, EvalError> {
    let found = match args.any(0) {
        Value::Array(items) => items.contains(args.any(1)),
        Value::Object(object) => get(object, args.text(1)?).is_some(),
        Value::String(text) => match args.any(1) {
            Value::Number(number) => text.contains(&number.to_string()),
            _ => text.contains(args.text(1)?),
        },
        _ => return Err(args.type_error(0, "String, Array, Object")),
    };
    Ok(found.into())
}

fn empty(args: &Args) -> Result<Value, EvalError> {
    let is_empty = match args.any(0) {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        other => {
            let message = format!(
                "The template function 'empty' expects its parameter to be an object, an array, or a string. The provided \
                 value is of type '{}'. Please see https://aka.ms/arm-template-expressions#empty for usage details.",
                type_name(other)
            );
            return Err(EvalError::new(Fault::ArgumentType, message));
        }
    };
    Ok(is_empty.into())
}

fn length(args: &Args) -> Result<Value, EvalError> {
    match args.any(0) {
        Value::String(text) => Ok(units(text).len().into()),
        Value::Array(items) => Ok(items.len().into()),
        Value::Object(object) => Ok(object.len().into()),
        _ => Err(args.type_error(0, "String, Array, Object")),
    }
}

fn flatten(args: &Args) -> Result<Value, EvalError> {
    let mut out = Vec::new();
    for item in args.array(0)? {
        match item {
            Value::Array(items) => out.extend_from_slice(items),
            _ => return Err(args.type_error(0, "Array of arrays")),
        }
    }
    Ok(Value::Array(out))
}

/// Objects are joined deeply, arrays inside them replaced; of arrays every item is kept once. A null is no argument.
fn union(args: &Args) -> Result<Value, EvalError> {
    let mut out = Value::Null;
    for (index, value) in args.values.iter().enumerate() {
        match (&mut out, value) {
            (_, Value::Null) => {}
            (Value::Null, Value::Object(_)) => out = value.clone(),
            (Value::Null, Value::Array(items)) => {
                let mut kept = Vec::new();
                items.iter().for_each(|item| keep_once(&mut kept, item));
                out = Value::Array(kept);
            }
            (Value::Object(out), Value::Object(object)) => merge(out, object),
            (Value::Array(out), Value::Array(items)) => items.iter().for_each(|item| keep_once(out, item)),
            (Value::Object(_), _) => return Err(args.type_error(index, "Object")),
            (Value::Array(_), _) => return Err(args.type_error(index, "Array")),
            _ => return Err(args.type_error(index, "Object, Array")),
        }
    }
    Ok(out)
}

fn keep_once(out: &mut Vec<Value>, item: &Value) {
    if !out.contains(item) {
        out.push(item.clone());
    }
}

fn merge(out: &mut Map<String, Value>, object: &Map<String, Value>) {
    for (key, value) in object {
        let merged = match (get(out, key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let mut old = old.clone();
                merge(&mut old, new);
                old.into()
            }
            _ => value.clone(),
        };
        set(out, key, merged);
    }
}

fn intersection(args: &Args) -> Result<Value, EvalError> {
    match args.any(0) {
        Value::Array(first) => {
            let others = (1..args.values.len()).map(|index| args.array(index)).collect::<Result<Vec<_>, _>>()?;
            let mut out = Vec::new();
            first
                .iter()
                .filter(|item| others.iter().all(|other| other.contains(item)))
                .for_each(|item| keep_once(&mut out, item));
            Ok(Value::Array(out))
        }
        Value::Object(first) => {
            let others = (1..args.values.len()).map(|index| args.object(index)).collect::<Result<Vec<_>, _>>()?;
            let shared = first.iter().filter(|(key, value)| others.iter().all(|other| get(other, key) == Some(*value)));
            Ok(Value::Object(shared.map(|(key, value)| (key.clone(), value.clone())).collect()))
        }
        _ => Err(args.type_error(0, "Object, Array")),
    }
}

fn shallow_merge(args: &Args) -> Result<Value, EvalError> {
    let mut out = Map::new();
    for item in args.array(0)?.iter().filter(|item| !item.is_null()) {
        let object = item.as_object().ok_or_else(|| args.type_error(0, "Array of objects"))?;
        object.iter().for_each(|(key, value)| set(&mut out, key, value.clone()));
    }
    Ok(out.into())
}

fn try_get(args: &Args) -> Result<Value, EvalError> {
    let mut value = args.any(0);
    for (index, step) in args.values.iter().enumerate().skip(1) {
        let next = match (value, step) {
            (Value::Null, Value::String(_) | Value::Number(_)) => None,
            (Value::Object(object), Value::String(name)) => get(object, name),
            (Value::Array(items), Value::Number(at)) => at.as_u64().and_then(|at| items.get(usize::try_from(at).ok()?)),
            (Value::Object(_), _) => return Err(args.type_error(index, "String")),
            (Value::Array(_), _) => return Err(args.type_error(index, "Integer")),
            _ => return Err(args.type_error(0, "Object, Array")),
        };
        match next {
            Some(next) => value = next,
            None => return Ok(Value::Null),
        }
    }
    Ok(value.clone())
}
