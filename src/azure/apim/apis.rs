//! `service/apis`: an API, its revision 1.
//!
//! Deliberately absent, and refused by name: import of a definition (`format`, `value`), revisions, version sets.

use super::{keep, locked, precondition, read_or_delete};
use crate::azure::World;
use crate::azure::lro::{Effect, Follow, Start};
use crate::azure::reply::{Reply, child_not_found, method_not_allowed, validation};
use crate::azure::router::Call;
use crate::azure::shape::{merge, object};
use crate::azure::state::Resource;
use crate::catalogue::not_older;
use crate::time::Duration;
use crate::wire::Method;
use serde_json::{Map, Value, json};

const DELETION: Duration = Duration::from_secs(5);

pub(in crate::azure) fn handle(world: &mut World, call: &Call) -> Reply {
    match call.method {
        Method::Put => {
            if let Some(refusal) = refused(world, call) {
                return refusal;
            }
            write(world, call, object(call.body.get("properties")))
        }
        Method::Patch => {
            let Some(known) = world.state.resources.get(&call.key()) else { return child_not_found("Api") };
            let mut properties = known.at("properties").clone();
            if let Some(refusal) = refused(world, call) {
                return refusal;
            }
            merge(&mut properties, call.body.get("properties").unwrap_or(&json!({})));
            write(world, call, object(Some(&properties)))
        }
        Method::Delete => delete(world, call),
        Method::Get => match world.state.resources.get(&call.key()) {
            Some(api) => Reply::pretty(200, show(api, &call.version)).etag(&api.etag),
            None => child_not_found("Api"),
        },
        other => read_or_delete(world, call, "Api").unwrap_or_else(|| method_not_allowed(other.as_str())),
    }
}

fn refused(world: &World, call: &Call) -> Option<Reply> {
    let known = world.state.resources.get(&call.key());
    locked(world, &call.id).or_else(|| known.and_then(|known| precondition(call, known)))
}

/// An API as a GET or PUT shows it. What agents brought came with 2024-05-01.
pub(in crate::azure) fn show(api: &Resource, version: &str) -> Value {
    let mut shown = super::show_child(api, version);
    if !not_older(version, "2024-05-01")
        && let Some(Value::Object(properties)) = shown.get_mut("properties")
    {
        for name in ["mcpProperties", "a2aProperties", "isAgent", "agent", "jsonRpcProperties"] {
            properties.shift_remove(name);
        }
        if let Some(Value::Object(names)) = properties.get_mut("subscriptionKeyParameterNames") {
            names.shift_remove("bearer");
        }
    }
    shown
}

/// An API as a list shows it: recorded and documented, a list does not say how a key is sent.
pub(in crate::azure) fn show_listed(api: &Resource, version: &str) -> Value {
    let mut shown = show(api, version);
    if let Some(Value::Object(properties)) = shown.get_mut("properties") {
        properties.insert("authenticationSettings".into(), Value::Null);
        properties.insert("subscriptionKeyParameterNames".into(), Value::Null);
    }
    shown
}

fn write(world: &mut World, call: &Call, sent: Map<String, Value>) -> Reply {
    let text = |name: &str| sent.get(name).and_then(Value::as_str);
    let mut problems: Vec<(&str, String)> = Vec::new();
    for name in ["format", "value"] {
        if text(name).is_some() {
            problems.push((name, "The local Azure does not import API definitions yet.".into()));
        }
    }
    if text("apiVersionSetId").is_some() {
        problems.push(("apiVersionSetId", "The local Azure has no API version sets yet.".into()));
    }
    if call.id.name().contains(';') {
        problems.push(("apiId", "The local Azure has no API revisions yet.".into()));
    }
    let name = text("displayName").unwrap_or("");
    if name.is_empty() || name.chars().count() > 300 {
        problems.push(("displayName", "The field displayName must have a length from 1 to 300.".into()));
    }
    let path = match text("path") {
        Some(path) if path.len() <= 400 => path.trim_matches('/').to_string(),
        Some(_) => {
            problems.push(("path", "The field path must have a length of at most 400.".into()));
            String::new()
        }
        None => {
            problems.push(("path", "Path is required.".into()));
            String::new()
        }
    };
    let under = format!("{}/apis/", call.id.top().key());
    let twin = world
        .state
        .children(&under, &call.id.kind.name)
        .find(|api| api.id.to_lowercase() != call.key() && api.text("properties/path").eq_ignore_ascii_case(&path));
    if let (Some(twin), true) = (twin, problems.is_empty()) {
        let message = format!(
            "Cannot create API '{}' with the same Path '{path}' as API '{}'.",
            name,
            twin.text("properties/displayName")
        );
        problems.push(("path", message));
    }
    if !problems.is_empty() {
        return validation(&problems);
    }
    let (status, etag) = keep(world, call.now, &call.id, properties(&sent, &path));
    match world.state.resources.get(&call.key()) {
        Some(api) => Reply::pretty(status, show(api, &call.version)).etag(&etag),
        None => child_not_found("Api"),
    }
}

fn properties(sent: &Map<String, Value>, path: &str) -> Map<String, Value> {
    let value = |name: &str| sent.get(name).cloned().unwrap_or(Value::Null);
    let or = |name: &str, default: Value| match value(name) {
        Value::Null => default,
        value => value,
    };
    let mut authentication =
        json!({"oAuth2": null, "openid": null, "oAuth2AuthenticationSettings": [], "openidAuthenticationSettings": []});
    merge(&mut authentication, &or("authenticationSettings", json!({})));
    let mut names = json!({"header": "Ocp-Apim-Subscription-Key", "query": "subscription-key"});
    merge(&mut names, &or("subscriptionKeyParameterNames", json!({})));
    if let Value::Object(names) = &mut names {
        names.entry("bearer").or_insert(Value::Null);
    }
    let mut properties = json!({
        "displayName": value("displayName"),
        "apiRevision": "1",
        "description": value("description"),
        "subscriptionRequired": or("subscriptionRequired", true.into()),
        "serviceUrl": value("serviceUrl"),
        "backendId": null,
        "path": path,
        "protocols": or("protocols", json!(["https"])),
        "mcpProperties": null,
        "a2aProperties": null,
        "isAgent": false,
        "agent": null,
        "jsonRpcProperties": null,
        "authenticationSettings": authentication,
        "subscriptionKeyParameterNames": names,
    });
    if let Value::Object(map) = &mut properties {
        for name in ["termsOfServiceUrl", "contact", "license"] {
            if let Some(value) = sent.get(name).filter(|value| !value.is_null()) {
                map.insert(name.into(), value.clone());
            }
        }
        map.insert("isCurrent".into(), true.into());
        for name in ["apiRevisionDescription", "apiVersion", "apiVersionDescription"] {
            if let Some(value) = sent.get(name).filter(|value| !value.is_null()) {
                map.insert(name.into(), value.clone());
            }
        }
    }
    object(Some(&properties))
}

/// The API is gone at once, the answer says that it will be. Its subscriptions go with it.
fn delete(world: &mut World, call: &Call) -> Reply {
    let key = call.key();
    if !world.state.resources.contains_key(&key) {
        return Reply::empty(204);
    }
    if let Some(refusal) = refused(world, call) {
        return refusal;
    }
    world.state.take(&key);
    let under = format!("{}/subscriptions/", call.id.top().key());
    let orphans: Vec<String> = world
        .state
        .children(&under, "Microsoft.ApiManagement/service/subscriptions")
        .filter(|subscription| subscription.text("properties/scope").to_lowercase() == key)
        .map(|subscription| subscription.id.to_lowercase())
        .collect();
    for orphan in orphans {
        world.state.resources.remove(&orphan);
    }
    if !not_older(&call.version, "2023-05-01-preview") {
        return Reply::empty(200);
    }
    let target = call.id.text();
    let start = Start {
        now: call.now,
        follow: Follow::Child(204),
        target: &target,
        name: call.id.name(),
        location: "",
        version: &call.version,
        takes: DELETION,
        effect: Effect::Nothing,
    };
    world.start(Reply::empty(202), start)
}
