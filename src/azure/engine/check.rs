//! What can be said of an expression before anything runs: that it is one, that its functions, parameters and variables
//! exist and may stand there, and which resources it refers to.

use super::copy::{Of, Turn, loops};
use super::outer::is_inner;
use super::place::{Place, missing};
use crate::expr::{Context, EvalError, Expr, TemplateString, get, known, parse, template_string};
use serde_json::{Map, Value};

/// Checks every string of a piece of a template; gives the targets of `reference` and `list*`.
pub(super) fn check(value: &Value, place: Place) -> Result<Vec<Expr>, EvalError> {
    let mut targets = Vec::new();
    walk(value, place, &mut targets)?;
    Ok(targets)
}

fn walk(value: &Value, place: Place, targets: &mut Vec<Expr>) -> Result<(), EvalError> {
    match value {
        Value::String(text) => string(text, place, targets),
        Value::Array(items) => items.iter().try_for_each(|item| walk(item, place, targets)),
        Value::Object(members) => {
            let inner = is_inner(members);
            members.iter().try_for_each(|(key, value)| match (loops(key, value), value) {
                (Some(loops), _) => loops.iter().try_for_each(|one| one_loop(one, place, targets)),
                (None, Value::Object(properties)) if inner && key == "properties" => {
                    // the template of a deployment of its own is checked when that is deployed
                    let other = properties.iter().filter(|(key, _)| *key != "template");
                    other.map(|(_, value)| value).try_for_each(|value| walk(value, place, targets))
                }
                _ => {
                    string(key, place, targets)?;
                    walk(value, place, targets)
                }
            })
        }
        _ => Ok(()),
    }
}

fn one_loop(one: &Value, place: Place, targets: &mut Vec<Expr>) -> Result<(), EvalError> {
    let turn = Turn { name: one["name"].as_str().unwrap_or_default(), index: 0, of: Of::Part, outer: place.turn };
    one.get("count").map_or(Ok(()), |count| walk(count, place, targets))?;
    one.get("input").map_or(Ok(()), |input| walk(input, Place { turn: Some(&turn), ..place }, targets))
}

fn string(text: &str, place: Place, targets: &mut Vec<Expr>) -> Result<(), EvalError> {
    match template_string(text) {
        TemplateString::Literal(_) => Ok(()),
        TemplateString::Expression(text) => expression(&parse(text)?, place, targets),
    }
}

fn expression(expr: &Expr, mut place: Place, targets: &mut Vec<Expr>) -> Result<(), EvalError> {
    match expr {
        Expr::Str(_) | Expr::Int(_) => Ok(()),
        Expr::Prop(base, _) => expression(base, place, targets),
        Expr::Index(base, index) => {
            expression(base, place, targets)?;
            expression(index, place, targets)
        }
        Expr::Call(name, args) => {
            if !place.functions.has(name) {
                known(name)?;
            }
            let empty = Map::new();
            let variables = place.variables.unwrap_or(&empty);
            match (name.to_ascii_lowercase().as_str(), args.first()) {
                ("parameters", Some(Expr::Str(name))) if get(place.parameters, name).is_none() => {
                    return Err(missing("parameters", name));
                }
                ("variables", Some(Expr::Str(name))) if get(variables, name).is_none() => {
                    return Err(missing("variables", name));
                }
                ("copyindex", first) => {
                    let named = if let Some(Expr::Str(name)) = first { Some(name.as_str()) } else { None };
                    place.copy_index(named)?;
                }
                ("newguid", _) => return Err(EvalError::misplaced("newGuid")),
                ("utcnow", _) => return Err(EvalError::misplaced("utcNow")),
                ("references", Some(_)) if place.turn.is_some_and(|turn| turn.index(None).is_some()) => {
                    return Err(EvalError::misplaced("references"));
                }
                (name, Some(target)) if matches!(name, "reference" | "references") || name.starts_with("list") => {
                    targets.push(target.clone());
                }
                _ => {}
            }
            args.iter().try_for_each(|arg| expression(arg, place, targets))
        }
    }
}
