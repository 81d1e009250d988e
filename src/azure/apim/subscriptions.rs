//! `service/subscriptions`: keys of callers. A PUT shows them, no GET does.

use super::{keep, locked, precondition, read_or_delete, show_child};
use crate::azure::World;
use crate::azure::ids::{ResourceId, parse_id};
use crate::azure::reply::{Reply, child_not_found, error, method_not_allowed, validation};
use crate::azure::router::Call;
use crate::azure::shape::{merge, object, stamp};
use crate::azure::state::Resource;
use crate::catalogue::not_older;
use crate::time::Time;
use crate::wire::Method;
use serde_json::{Map, Value, json};

const STATES: [&str; 6] = ["active", "suspended", "submitted", "rejected", "cancelled", "expired"];

pub(in crate::azure) fn handle(world: &mut World, call: &Call) -> Reply {
    match call.method {
        Method::Put | Method::Patch => {
            let known = world.state.resources.get(&call.key()).cloned();
            if let Some(refusal) =
                locked(world, &call.id).or_else(|| known.as_ref().and_then(|known| precondition(call, known)))
            {
                return refusal;
            }
            match (call.method, known) {
                (Method::Patch, None) => child_not_found("Subscription"),
                (Method::Patch, Some(known)) => {
                    let mut properties = known.at("properties").clone();
                    merge(&mut properties, call.body.get("properties").unwrap_or(&json!({})));
                    let reply = write(world, call, object(Some(&properties)));
                    if reply.is_success() && !not_older(&call.version, "2021-08-01") {
                        Reply::empty(204)
                    } else {
                        reply
                    }
                }
                _ => write(world, call, object(call.body.get("properties"))),
            }
        }
        Method::Post => action(world, call),
        other => read_or_delete(world, call, "Subscription").unwrap_or_else(|| method_not_allowed(other.as_str())),
    }
}

/// The subscription that opens everything, which every service has.
pub(super) fn give_master(world: &mut World, now: Time, service: &ResourceId) {
    let id = service.child("subscriptions", "master");
    let sent = Map::from_iter([
        ("displayName".to_string(), Value::from("Built-in all-access subscription")),
        ("allowTracing".to_string(), true.into()),
    ]);
    let properties = properties(&sent, format!("{}/", service.text()), now);
    keep(world, now, &id, properties);
    give_keys(world, &id.key(), &Map::new());
}

fn write(world: &mut World, call: &Call, sent: Map<String, Value>) -> Reply {
    let mut problems = Vec::new();
    let name = sent.get("displayName").and_then(Value::as_str).unwrap_or("");
    if name.is_empty() || name.chars().count() > 100 {
        problems.push(("displayName", "The field displayName must have a length from 1 to 100.".into()));
    }
    let scope = match sent.get("scope").and_then(Value::as_str) {
        Some(scope) => whole_scope(world, call, scope, &mut problems),
        None => {
            problems.push(("scope", "Scope is required.".into()));
            String::new()
        }
    };
    if let Some(state) = sent.get("state").and_then(Value::as_str)
        && !STATES.contains(&state.to_ascii_lowercase().as_str())
    {
        problems.push(("state", format!("The value '{state}' is not valid for State.")));
    }
    if !problems.is_empty() {
        return validation(&problems);
    }
    let key = call.key();
    let created = world.state.resources.get(&key).map_or(call.now, |known| known.created);
    let (status, etag) = keep(world, call.now, &call.id, properties(&sent, scope, created));
    give_keys(world, &key, &sent);
    match world.state.resources.get(&key) {
        Some(kept) => Reply::pretty(status, with_keys(kept, &call.version)).etag(&etag),
        None => child_not_found("Subscription"),
    }
}

/// `/apis`, `/apis/x` and whole ids become whole ids, in the case of what they name.
fn whole_scope(world: &World, call: &Call, scope: &str, problems: &mut Vec<(&'static str, String)>) -> String {
    let service = call.id.top();
    let base = service.text();
    let lower = scope.to_lowercase();
    let rest = match lower.strip_prefix(&service.key()) {
        Some(rest) => rest.trim_start_matches('/').to_string(),
        None => lower.trim_start_matches('/').to_string(),
    };
    match rest.trim_end_matches('/').split('/').collect::<Vec<_>>().as_slice() {
        [""] => format!("{base}/"),
        ["apis"] => format!("{base}/apis"),
        ["apis", name] => {
            let id = parse_id(&format!("{base}/apis/{name}")).map(|id| id.recased(&world.state));
            match id.filter(|id| world.state.resources.contains_key(&id.key())) {
                Some(id) => id.text(),
                None => {
                    problems.push(("scope", format!("API with id '{name}' could not be found.")));
                    String::new()
                }
            }
        }
        ["products", name] => {
            problems.push(("scope", format!("Product with id '{name}' could not be found.")));
            String::new()
        }
        _ => {
            problems.push(("scope", format!("The scope '{scope}' is not valid.")));
            String::new()
        }
    }
}

fn properties(sent: &Map<String, Value>, scope: String, created: Time) -> Map<String, Value> {
    let value = |name: &str| sent.get(name).cloned().unwrap_or(Value::Null);
    let mut properties = Map::new();
    if let Some(owner) = sent.get("ownerId").filter(|owner| !owner.is_null()) {
        properties.insert("ownerId".into(), owner.clone());
    }
    let state = sent.get("state").and_then(Value::as_str).unwrap_or("active").to_ascii_lowercase();
    let rest = json!({
        "scope": scope,
        "displayName": value("displayName"),
        "state": state,
        "createdDate": stamp(created),
        "startDate": null,
        "expirationDate": value("expirationDate"),
        "endDate": null,
        "notificationDate": null,
        "stateComment": value("stateComment"),
        "allowTracing": sent.get("allowTracing").and_then(Value::as_bool).unwrap_or(false),
    });
    properties.extend(object(Some(&rest)));
    properties
}

/// Keys that the caller sent, those that are there, or new ones.
fn give_keys(world: &mut World, key: &str, sent: &Map<String, Value>) {
    for name in ["primaryKey", "secondaryKey"] {
        let given = sent.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_string);
        let there = world.state.resources.get(key).is_some_and(|kept| kept.hidden.contains_key(name));
        let value = match given {
            Some(given) => given,
            None if there => continue,
            None => world.new_key(name),
        };
        if let Some(kept) = world.state.resources.get_mut(key) {
            kept.hidden.insert(name.into(), value);
        }
    }
}

fn with_keys(subscription: &Resource, version: &str) -> Value {
    let mut shown = show_child(subscription, version);
    if let Some(Value::Object(properties)) = shown.get_mut("properties") {
        for name in ["primaryKey", "secondaryKey"] {
            properties.insert(name.into(), subscription.hidden.get(name).cloned().unwrap_or_default().into());
        }
    }
    shown
}

fn action(world: &mut World, call: &Call) -> Reply {
    let key = call.key();
    if !world.state.resources.contains_key(&key) {
        return child_not_found("Subscription");
    }
    let renewed = match call.action.as_str() {
        "listsecrets" => {
            let Some(kept) = world.state.resources.get(&key) else { return child_not_found("Subscription") };
            let secret = |name: &str| kept.hidden.get(name).cloned().unwrap_or_default();
            let body = json!({"primaryKey": secret("primaryKey"), "secondaryKey": secret("secondaryKey")});
            return Reply::json(200, body).etag(&kept.etag);
        }
        "regenerateprimarykey" => "primaryKey",
        "regeneratesecondarykey" => "secondaryKey",
        other => return error(404, "NotFound", format!("The action '{other}' is not known.")),
    };
    let (fresh, etag) = (world.new_key(renewed), world.new_etag());
    if let Some(kept) = world.state.resources.get_mut(&key) {
        kept.hidden.insert(renewed.into(), fresh);
        kept.etag = etag;
    }
    Reply::empty(204)
}
