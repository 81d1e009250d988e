//! `Microsoft.Resources/tags/default` on any scope: the tags of a subscription, a group or a resource, and nothing else.

use super::World;
use super::ids::group_key;
use super::reply::{Reply, gateway, method_not_allowed, no_such_address};
use super::router::Call;
use super::shape::object;
use crate::wire::Method;
use serde_json::{Map, Value, json};

pub(super) const TAGS: &str = "Microsoft.Resources/tags";

/// Azure takes 50 tags at most.
const MOST: usize = 50;

pub(super) fn handle(world: &mut World, call: &Call) -> Reply {
    if !call.id.name().eq_ignore_ascii_case("default") {
        return no_such_address();
    }
    let sent = object(call.body.pointer("/properties/tags"));
    let operation = call.body.get("operation").and_then(Value::as_str).unwrap_or("");
    let mut tags = tags(world, call);
    match (call.method, operation.to_ascii_lowercase().as_str()) {
        (Method::Get, _) => return Reply::json(200, show(call, &tags)),
        (Method::Put, _) | (Method::Patch, "replace") => tags = sent,
        (Method::Patch, "merge") => tags.extend(sent),
        (Method::Patch, "delete") => tags.retain(|name, _| !sent.contains_key(name)),
        (Method::Patch, _) => {
            let message = format!("The tags operation '{operation}' is not one of 'Replace', 'Merge', 'Delete'.");
            return gateway(400, "InvalidTagsOperation", message);
        }
        (Method::Delete, _) => {
            keep(world, call, Map::new());
            return Reply::empty(200);
        }
        (method, _) => return method_not_allowed(method.as_str()),
    }
    if let Some((name, _)) = tags.iter().find(|(_, value)| !value.is_string()) {
        let message = format!("The value of the tag '{name}' is no text.");
        return gateway(400, "InvalidTagValue", message);
    }
    if tags.len() > MOST {
        let message = format!("A scope has {MOST} tags at most, and {} were sent.", tags.len());
        return gateway(400, "TooManyTags", message);
    }
    keep(world, call, tags.clone());
    Reply::json(200, show(call, &tags))
}

fn show(call: &Call, tags: &Map<String, Value>) -> Value {
    json!({"id": call.id.text(), "name": "default", "type": TAGS, "properties": {"tags": tags}})
}

/// The tags of the scope, however it keeps them.
fn tags(world: &World, call: &Call) -> Map<String, Value> {
    let state = &world.state;
    match &call.id.on {
        Some(on) => object(state.resources.get(&on.key()).map(|resource| resource.at("tags"))),
        None if call.id.group.is_empty() => {
            state.tags.get(&call.id.subscription.to_lowercase()).cloned().unwrap_or_default()
        }
        None => {
            let group = state.groups.get(&group_key(&call.id.subscription, &call.id.group));
            object(group.and_then(|group| group.body.get("tags")))
        }
    }
}

fn keep(world: &mut World, call: &Call, tags: Map<String, Value>) {
    let state = &mut world.state;
    let body = match &call.id.on {
        Some(on) => state.resources.get_mut(&on.key()).map(|resource| &mut resource.body),
        None if call.id.group.is_empty() => {
            state.tags.insert(call.id.subscription.to_lowercase(), tags);
            return;
        }
        None => state.groups.get_mut(&group_key(&call.id.subscription, &call.id.group)).map(|group| &mut group.body),
    };
    if let Some(body) = body {
        body.insert("tags".into(), tags.into());
    }
}
