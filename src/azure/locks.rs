//! Locks on a subscription, a group or a resource. Whoever stands under one has it too.
//!
//! `CanNotDelete` refuses deletes; `ReadOnly` every write, and actions too (learn.microsoft.com, lock your Azure
//! resources). What holds a lock cannot go either. Locks themselves are never locked, or none could be taken away.

use super::World;
use super::ids::Url;
use super::reply::{Reply, error, gateway, method_not_allowed};
use super::router::{Ask, Call};
use super::state::Resource;
use crate::time::Time;
use crate::wire::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) const LOCK: &str = "Microsoft.Authorization/locks";
const LEVELS: [&str; 2] = ["CanNotDelete", "ReadOnly"];

pub(super) fn handle(world: &mut World, call: &Call) -> Reply {
    let key = call.key();
    match (call.method, world.state.resources.get(&key)) {
        (Method::Get, Some(lock)) => Reply::json(200, show(lock)),
        (Method::Get, None) => error(404, "LockNotFound", format!("The lock '{}' could not be found.", call.id.name())),
        (Method::Put, _) => put(world, call),
        (Method::Delete, None) => Reply::empty(204),
        (Method::Delete, Some(_)) => {
            world.state.resources.remove(&key);
            Reply::empty(200)
        }
        (method, _) => method_not_allowed(method.as_str()),
    }
}

fn put(world: &mut World, call: &Call) -> Reply {
    let sent = call.body.pointer("/properties/level").and_then(Value::as_str).unwrap_or("");
    let Some(level) = LEVELS.into_iter().find(|level| level.eq_ignore_ascii_case(sent)) else {
        let message = format!("The lock level '{sent}' is not valid. The allowed levels are 'CanNotDelete, ReadOnly'.");
        return error(400, "InvalidLockLevel", message);
    };
    let known = world.state.resources.get(&call.key());
    let status = if known.is_some() { 200 } else { 201 };
    let created = known.map_or(call.now, |known| known.created);
    let mut properties = Map::from_iter([("level".to_string(), level.into())]);
    for name in ["notes", "owners"] {
        if let Some(value) = call.body.pointer(&format!("/properties/{name}")).filter(|value| !value.is_null()) {
            properties.insert(name.into(), value.clone());
        }
    }
    let lock = Resource {
        id: call.id.text(),
        name: call.id.name().to_string(),
        kind: LOCK.to_string(),
        etag: String::new(),
        created,
        changed: call.now,
        body: Map::from_iter([("properties".to_string(), properties.into())]),
        hidden: BTreeMap::new(),
        busy: Time::ZERO,
    };
    let reply = Reply::json(status, show(&lock));
    world.state.resources.insert(call.key(), lock);
    reply
}

fn show(lock: &Resource) -> Value {
    json!({"properties": lock.at("properties"), "id": lock.id, "type": lock.kind, "name": lock.name})
}

/// The scope that a lock is on, in lower case.
fn scope(key: &str) -> &str {
    key.rsplit_once("/providers/").map_or(key, |(scope, _)| scope)
}

/// Whether `inner` is `outer` or stands under it; both in lower case.
pub(super) fn under(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Locks on a scope, above it, and, without `atScope()`, below it. `at` is in lower case.
pub(super) fn list(world: &World, ask: &Ask<'_>, at: &str) -> Reply {
    let filter = ask.url.query("$filter").unwrap_or("");
    let only = filter.eq_ignore_ascii_case("atScope()");
    if !filter.is_empty() && !only {
        return error(400, "InvalidFilterInQueryString", format!("The filter '{filter}' is not supported."));
    }
    let value: Vec<Value> = world
        .state
        .resources
        .iter()
        .filter(|(_, resource)| resource.kind == LOCK)
        .filter(|(key, _)| under(at, scope(key)) || (!only && under(scope(key), at)))
        .map(|(_, lock)| show(lock))
        .collect();
    Reply::json(200, json!({ "value": value }))
}

/// Refuses what a lock forbids.
pub(super) fn problem(world: &World, call: &Call) -> Option<Reply> {
    if call.id.kind.name == LOCK {
        return None;
    }
    refusal(world, call.method, &call.key(), &call.url)
}

/// The same for any scope, given in lower case. The text shows the scope as the request wrote it.
pub(super) fn refusal(world: &World, method: Method, key: &str, url: &Url) -> Option<Reply> {
    let operation = match method {
        Method::Get | Method::Head => return None,
        Method::Delete => "delete",
        Method::Put | Method::Patch | Method::Post => "write",
    };
    let locks: Vec<&str> = world
        .state
        .resources
        .iter()
        .filter(|(_, resource)| resource.kind == LOCK)
        .filter(|(at, lock)| {
            let deletes = method == Method::Delete;
            let level = deletes || lock.text("properties/level") == "ReadOnly";
            level && (under(key, scope(at)) || (deletes && under(scope(at), key)))
        })
        .map(|(_, lock)| lock.id.rsplit_once("/providers/").map_or("", |(scope, _)| scope))
        .collect();
    if locks.is_empty() {
        return None;
    }
    let asked = format!("/{}", url.path.join("/"));
    let asked = if url.path.is_empty() { key } else { asked.as_str() };
    let message = format!(
        "The scope '{asked}' cannot perform {operation} operation because following scope(s) are locked: '{}'. Please remove the lock and try again.",
        locks.join(",")
    );
    Some(gateway(409, "ScopeLocked", message))
}
