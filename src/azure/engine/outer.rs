//! Nested templates of the outer scope: their expressions belong to the parent, which evaluates all of them before the
//! nested deployment gets the template.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/linked-templates#expression-evaluation-scope-in-nested-templates>.
//!
//! Deliberately absent, and refused by name: loops inside of such a template; whose index an expression means there, no
//! published example says.

use super::place::{Place, Unknown};
use crate::expr::{EvalError, Fault, TemplateString, literal, template_string};
use serde_json::{Map, Value};

/// Whether a resource is a nested deployment whose template is evaluated on its own.
pub(super) fn is_inner(resource: &Map<String, Value>) -> bool {
    is_deployment(resource) && resource.get("properties").is_some_and(has_inner_scope)
}

fn is_deployment(resource: &Map<String, Value>) -> bool {
    let kind = resource.get("type").and_then(Value::as_str).unwrap_or_default();
    kind.eq_ignore_ascii_case("Microsoft.Resources/deployments")
}

/// Whether the properties of a nested deployment say that its template is evaluated on its own; outer is the default.
pub(super) fn has_inner_scope(properties: &Value) -> bool {
    let scope = properties["expressionEvaluationOptions"]["scope"].as_str().unwrap_or_default();
    scope.eq_ignore_ascii_case("inner")
}

/// A template whose every expression is replaced by its value, written so that it can be deployed.
pub(super) fn resolve(template: &Value, place: Place) -> Result<Value, EvalError> {
    piece(template, place, Whose::Parent)
}

/// Whose the expressions of a piece are.
#[derive(Clone, Copy, PartialEq)]
enum Whose {
    Parent,
    /// Its own; it stays as it stands.
    Own,
}

fn piece(value: &Value, place: Place, whose: Whose) -> Result<Value, EvalError> {
    match value {
        other if whose == Whose::Own => Ok(other.clone()),
        Value::String(text) => match place.text(text)? {
            // what cannot be known stays an expression
            Value::String(same) if place.unknown == Unknown::Stays && same == *text && is_expression(text) => {
                Ok(same.into())
            }
            value => Ok(escaped(value)),
        },
        Value::Array(items) => items.iter().map(|item| piece(item, place, whose)).collect(),
        Value::Object(members) => object(members, place).map(Value::Object),
        other => Ok(other.clone()),
    }
}

fn is_expression(text: &str) -> bool {
    matches!(template_string(text), TemplateString::Expression(_))
}

fn object(members: &Map<String, Value>, place: Place) -> Result<Map<String, Value>, EvalError> {
    let inner = is_inner(members);
    let mut out = Map::new();
    for (key, value) in members {
        let has_count = |value: &Value| value.get("count").is_some();
        if key.eq_ignore_ascii_case("copy")
            && (has_count(value) || value.as_array().is_some_and(|all| all.iter().any(has_count)))
        {
            let message = "The local Azure does not support loops inside of a nested template of the scope 'outer'.";
            return Err(EvalError::new(Fault::Unsupported, message));
        }
        let value = match (key.as_str(), value) {
            ("functions", value) => piece(value, place, Whose::Own)?,
            ("properties", Value::Object(properties)) if inner => {
                let mut kept = Map::new();
                for (key, value) in properties {
                    let whose = if key == "template" { Whose::Own } else { Whose::Parent };
                    kept.insert(key.clone(), piece(value, place, whose)?);
                }
                kept.into()
            }
            (_, value) => piece(value, place, Whose::Parent)?,
        };
        let key = match place.text(key)? {
            Value::String(key) => literal(&key),
            _ => key.clone(),
        };
        out.insert(key, value);
    }
    Ok(out)
}

/// A value as a template writes it.
fn escaped(value: Value) -> Value {
    match value {
        Value::String(text) => literal(&text).into(),
        Value::Array(items) => items.into_iter().map(escaped).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(key, value)| (literal(&key), escaped(value))).collect())
        }
        other => other,
    }
}
