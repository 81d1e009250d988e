//! A template of what stands in a group: its resources as they are, names and locations written out.
//!
//! Deliberately absent: parameters for names and for their use elsewhere (every answer is as with the option
//! `SkipAllParameterization`), and everything below a resource that stands in the group itself.

use crate::azure::World;
use crate::azure::ids::{group_id, parse_id};
use crate::azure::reply::{Reply, gateway, method_not_allowed};
use crate::azure::router::{Ask, group_problem, show};
use crate::catalogue::newest;
use crate::wire::Method;
use serde_json::{Map, Value, json};

/// Answers a request for the template of a group, or of some of its resources.
pub(in crate::azure) fn export(world: &World, ask: &Ask<'_>, subscription: &str, group: &str) -> Reply {
    if ask.method != Method::Post {
        return method_not_allowed(ask.method.as_str());
    }
    if let Some(refusal) = group_problem(world, Method::Get, subscription, group) {
        return refusal;
    }
    let body = match ask.body() {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let Some(wanted) = body.get("resources").and_then(Value::as_array) else {
        let message = "The request content was invalid: the resources to export are required, '*' for all.";
        return gateway(400, "InvalidRequestContent", message);
    };
    let wanted: Vec<String> = wanted.iter().filter_map(Value::as_str).map(str::to_lowercase).collect();
    let under = format!("{}/", group_id(subscription, group).to_lowercase());
    let resources: Value = world
        .state
        .below(&under)
        .filter(|(key, _)| wanted.iter().any(|wanted| wanted == "*" || wanted == *key))
        .filter(|(_, resource)| parse_id(&resource.id).is_some_and(|id| id.on.is_none() && id.parent().is_none()))
        .map(|(_, resource)| {
            let version = newest(&resource.kind).unwrap_or("");
            let shown = show(resource, version);
            let mut out = Map::from_iter([
                ("type".to_string(), Value::from(resource.kind.clone())),
                ("apiVersion".to_string(), version.into()),
                ("name".to_string(), resource.name.clone().into()),
            ]);
            for name in ["location", "tags", "sku", "kind", "identity", "properties"] {
                if let Some(value) = shown.get(name).filter(|value| !value.is_null()) {
                    out.insert(name.into(), value.clone());
                }
            }
            Value::Object(out)
        })
        .collect();
    Reply::json(
        200,
        json!({"template": {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0",
            "parameters": {},
            "variables": {},
            "resources": resources,
        }}),
    )
}
