//! What can be said of an expression before anything runs: that it is one, that its functions, parameters and variables
//! exist and may stand there, and which resources it refers to.

use super::place::{missing, outside_of_a_copy};
use crate::expr::{EvalError, Expr, TemplateString, get, known, parse, template_string};
use serde_json::{Map, Value};

/// What may stand in a place.
#[derive(Clone, Copy)]
pub(super) struct Allowed<'a> {
    pub parameters: &'a Map<String, Value>,
    pub variables: &'a Map<String, Value>,
    /// The loop around.
    pub copy: Option<&'a str>,
}

/// Checks every string of a piece of a template; gives the targets of `reference` and `list*`.
pub(super) fn check(value: &Value, allowed: Allowed) -> Result<Vec<Expr>, EvalError> {
    let mut targets = Vec::new();
    walk(value, allowed, &mut targets)?;
    Ok(targets)
}

fn walk(value: &Value, allowed: Allowed, targets: &mut Vec<Expr>) -> Result<(), EvalError> {
    match value {
        Value::String(text) => string(text, allowed, targets),
        Value::Array(items) => items.iter().try_for_each(|item| walk(item, allowed, targets)),
        Value::Object(members) => members.iter().try_for_each(|(key, value)| {
            string(key, allowed, targets)?;
            walk(value, allowed, targets)
        }),
        _ => Ok(()),
    }
}

fn string(text: &str, allowed: Allowed, targets: &mut Vec<Expr>) -> Result<(), EvalError> {
    match template_string(text) {
        TemplateString::Literal(_) => Ok(()),
        TemplateString::Expression(text) => expression(&parse(text)?, allowed, targets),
    }
}

fn expression(expr: &Expr, allowed: Allowed, targets: &mut Vec<Expr>) -> Result<(), EvalError> {
    match expr {
        Expr::Str(_) | Expr::Int(_) => Ok(()),
        Expr::Prop(base, _) => expression(base, allowed, targets),
        Expr::Index(base, index) => {
            expression(base, allowed, targets)?;
            expression(index, allowed, targets)
        }
        Expr::Call(name, args) => {
            known(name)?;
            match (name.to_ascii_lowercase().as_str(), args.first()) {
                ("parameters", Some(Expr::Str(name))) if get(allowed.parameters, name).is_none() => {
                    return Err(missing("parameter", name));
                }
                ("variables", Some(Expr::Str(name))) if get(allowed.variables, name).is_none() => {
                    return Err(missing("variable", name));
                }
                ("copyindex", first) => {
                    let named = if let Some(Expr::Str(name)) = first { Some(name) } else { None };
                    let fits = |copy: &str| named.is_none_or(|name| name.eq_ignore_ascii_case(copy));
                    if !allowed.copy.is_some_and(fits) {
                        return Err(outside_of_a_copy());
                    }
                }
                (name, Some(target)) if name == "reference" || name.starts_with("list") => targets.push(target.clone()),
                _ => {}
            }
            args.iter().try_for_each(|arg| expression(arg, allowed, targets))
        }
    }
}
