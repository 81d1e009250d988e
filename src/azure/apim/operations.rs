//! `service/apis/operations`: one row of an API's table.

use super::child::{View, Written};
use crate::azure::World;
use crate::azure::reply::{Reply, validation};
use crate::azure::router::Call;
use crate::azure::state::Resource;
use serde_json::{Map, Value, json};

pub(super) fn write(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let text = |name: &str| sent.get(name).and_then(Value::as_str).unwrap_or("");
    let mut problems = Vec::new();
    for (name, most) in [("displayName", 300), ("method", 100), ("urlTemplate", 1000)] {
        let length = text(name).chars().count();
        if length == 0 || length > most {
            problems.push((name, format!("The field {name} must have a length from 1 to {most}.")));
        }
    }
    let parameters = sent.get("templateParameters").and_then(Value::as_array).cloned().unwrap_or_default();
    let undeclared: Vec<String> = template_names(text("urlTemplate"))
        .into_iter()
        .filter(|name| !parameters.iter().any(|parameter| parameter.get("name").and_then(Value::as_str) == Some(name)))
        .collect();
    if !undeclared.is_empty() {
        let message = format!(
            "All template parameters used in the UriTemplate must be defined in the Operation, please ensure to define: {}.",
            undeclared.join(", ")
        );
        problems.push(("templateParameters", message));
    }
    if let Some(twin) = twin(world, call, text("method"), text("urlTemplate")) {
        let message = format!(
            "Operation with the same method and URL template already exists: {}, {} ('{twin}').",
            text("method"),
            text("urlTemplate")
        );
        problems.push(("urlTemplate", message));
    }
    if !problems.is_empty() {
        return Err(validation(&problems));
    }
    let parameters: Vec<Value> = parameters
        .into_iter()
        .map(|mut parameter| {
            if let Value::Object(map) = &mut parameter {
                map.entry("values").or_insert_with(|| json!([]));
            }
            parameter
        })
        .collect();
    let mut request = json!({"queryParameters": [], "headers": [], "representations": []});
    crate::azure::shape::merge(&mut request, sent.get("request").unwrap_or(&json!({})));
    let properties = json!({
        "displayName": text("displayName"),
        "method": text("method"),
        "urlTemplate": text("urlTemplate"),
        "templateParameters": parameters,
        "description": sent.get("description").cloned().unwrap_or(Value::Null),
        "request": request,
        "responses": sent.get("responses").cloned().unwrap_or(json!([])),
        "policies": null,
    });
    Ok(Written::of(&properties))
}

/// Recorded: a list has no requests.
pub(super) fn show(_: &Resource, _: &str, view: View, properties: &mut Map<String, Value>) {
    if view == View::Listed {
        properties.shift_remove("request");
    }
}

/// The names in braces.
pub(super) fn template_names(template: &str) -> Vec<String> {
    template
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| name.trim_start_matches('*').split('=').next().unwrap_or("").to_string())
        .collect()
}

fn twin(world: &World, call: &Call, method: &str, template: &str) -> Option<String> {
    let under = format!("{}/operations/", call.id.parent()?.key());
    world
        .state
        .children(&under, &call.id.kind.name)
        .find(|other| {
            other.id.to_lowercase() != call.key()
                && other.text("properties/method").eq_ignore_ascii_case(method)
                && other.text("properties/urlTemplate").eq_ignore_ascii_case(template)
        })
        .map(|other| other.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_template() {
        assert_eq!(template_names("/deployments/{deployment}/x/{*rest}?a={b}"), ["deployment", "rest", "b"]);
        assert!(template_names("/x").is_empty());
    }
}
