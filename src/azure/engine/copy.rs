//! Pieces of a template that become values: every expression evaluated, every loop over values unrolled.
//!
//! A loop is an entry of a member `copy`: `{"name", "count", "input"}`; it becomes a member of its name beside it. A nested
//! template stays as it stands, unless it belongs to the outer scope ([`super::outer`]).

use super::place::{Place, Unknown};
use crate::expr::{EvalError, Fault, bounded, limit, set, size, type_name};
use serde_json::{Map, Value};

/// How often a loop may turn.
pub(super) const MAX_TURNS: i64 = 800;

/// One turn of a loop, and the loop around it.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    pub name: &'a str,
    pub index: i64,
    pub of: Of,
    pub outer: Option<&'a Turn<'a>>,
}

/// What a loop makes many of.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Of {
    /// Resources, or the items of an output: `copyIndex()` without a name is its index.
    Whole,
    /// The items of a member or a variable, whose index has a name.
    Part,
}

impl Turn<'_> {
    /// `copyIndex(name)` here.
    pub fn index(&self, name: Option<&str>) -> Option<i64> {
        let is_meant = match name {
            Some(name) => name.eq_ignore_ascii_case(self.name),
            None => self.of == Of::Whole,
        };
        if is_meant { Some(self.index) } else { self.outer?.index(name) }
    }
}

/// The value of a piece of a template.
pub(super) fn resolve(value: &Value, place: Place) -> Result<Value, EvalError> {
    match value {
        Value::String(text) => place.text(text),
        Value::Array(items) => items.iter().map(|item| resolve(item, place)).collect(),
        Value::Object(members) => {
            let mut out = Map::new();
            for (key, value) in members {
                match loops(key, value) {
                    Some(loops) => {
                        for one in loops {
                            match (unroll(one, place), place.unknown) {
                                (Ok((name, items)), _) => set(&mut out, &name, items),
                                (Err(error), Unknown::Fails) => return Err(error),
                                (Err(_), Unknown::Stays) => set(&mut out, key, value.clone()),
                            }
                        }
                    }
                    None => {
                        let key = match place.text(key)? {
                            Value::String(key) => key,
                            other => {
                                let message = format!(
                                    "The template language expression property name '{key}' is not valid: it is of type '{}'.",
                                    type_name(&other)
                                );
                                return Err(EvalError::new(Fault::ArgumentType, message));
                            }
                        };
                        set(&mut out, &key, resolve(value, place)?);
                    }
                }
            }
            Ok(out.into())
        }
        other => Ok(other.clone()),
    }
}

/// The loops of a member, if that is what it holds.
pub(super) fn loops<'v>(name: &str, value: &'v Value) -> Option<&'v Vec<Value>> {
    let is_loop = |item: &Value| item.get("count").is_some() && item.get("input").is_some();
    value.as_array().filter(|items| name.eq_ignore_ascii_case("copy") && items.iter().any(is_loop))
}

/// The name and the items of a loop over values.
pub(super) fn unroll(one: &Value, place: Place) -> Result<(String, Value), EvalError> {
    let invalid = |why: &str| EvalError::new(Fault::ArgumentValue, format!("The copy is not valid: {why}"));
    let name = one["name"].as_str().filter(|name| !name.is_empty()).ok_or_else(|| invalid("it has no name"))?;
    let count = one.get("count").ok_or_else(|| invalid("it has no count"))?;
    let input = one.get("input").ok_or_else(|| invalid("it has no input"))?;
    let turn = Turn { name, index: 0, of: Of::Part, outer: place.turn };
    Ok((name.to_owned(), items(count, input, turn, place)?))
}

/// The items of a loop: its input once for every turn.
pub(super) fn items(count: &Value, input: &Value, turn: Turn, place: Place) -> Result<Value, EvalError> {
    let (mut items, mut total) = (Vec::new(), 0);
    for index in 0..turns(count, place)? {
        place.step()?;
        let turn = Turn { index, ..turn };
        let item = resolve(input, Place { turn: Some(&turn), ..place })?;
        total += size(&item);
        limit(total)?;
        items.push(item);
    }
    bounded(Value::Array(items))
}

/// How often a loop turns.
pub(super) fn turns(count: &Value, place: Place) -> Result<i64, EvalError> {
    // what exists is not known when a loop is unrolled
    let turns = number(count, Place { runtime: None, unknown: Unknown::Fails, ..place })?;
    if !(0..=MAX_TURNS).contains(&turns) {
        let message = format!("its count '{turns}' is not between 0 and {MAX_TURNS}");
        return Err(EvalError::new(Fault::Range, message));
    }
    Ok(turns)
}

/// A member of a loop that is a number; a text of digits is taken too.
pub(super) fn number(value: &Value, place: Place) -> Result<i64, EvalError> {
    let value = resolve(value, place)?;
    value
        .as_i64()
        .or_else(|| value.as_str()?.parse().ok())
        .ok_or_else(|| EvalError::new(Fault::ArgumentType, format!("its count is of type '{}'", type_name(&value))))
}
