//! `service/subscriptions`: keys of callers. A PUT shows them, no GET does.

use super::child::{View, Written, keep, named};
use super::sent::Sent;
use crate::azure::World;
use crate::azure::ids::{ResourceId, parse_id};
use crate::azure::reply::{Reply, child_not_found, error};
use crate::azure::router::Call;
use crate::azure::shape::{object, stamp};
use crate::azure::state::Resource;
use crate::catalogue::not_older;
use crate::time::{Duration, Time};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How long before its end a subscription is told of.
const NOTICE: Duration = Duration::from_secs(12 * 24 * 3600);
const STATES: [&str; 6] = ["active", "suspended", "submitted", "rejected", "cancelled", "expired"];

/// The subscription that opens everything, which every service has.
pub(super) fn give_master(world: &mut World, now: Time, service: &ResourceId) {
    let sent = Map::from_iter([
        ("displayName".to_string(), Value::from("Built-in all-access subscription")),
        ("allowTracing".to_string(), true.into()),
    ]);
    give(world, now, &service.child("subscriptions", "master"), &sent, format!("{}/", service.text()));
}

/// A subscription that nobody asked for.
pub(super) fn give(world: &mut World, now: Time, id: &ResourceId, sent: &Map<String, Value>, scope: String) {
    let properties = properties(sent, scope, now);
    let hidden = keys(world, &id.key(), &Map::new());
    keep(world, now, id, Written { properties, hidden, ..Written::default() });
}

pub(super) fn write(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut checked = Sent::new(sent.clone());
    checked.needed("displayName", 1..=100);
    checked.word("state", &STATES);
    checked.flag("allowTracing");
    for name in ["primaryKey", "secondaryKey"] {
        checked.text(name, 0..=256);
    }
    let scope = checked.needed("scope", 1..=2000);
    let scope = if scope.is_empty() { String::new() } else { whole_scope(world, call, &scope, &mut checked) };
    let owner = checked.text("ownerId", 0..=2000);
    let owner = owner.filter(|owner| !owner.is_empty()).map(|owner| match named(world, &call.id, "users", &owner) {
        Some(user) => user.id.clone(),
        None => {
            checked.refuse("ownerId", "User not found.");
            owner
        }
    });
    checked.end()?;
    let mut sent = sent;
    sent.insert("ownerId".into(), owner.into());
    if !not_older(&call.version, "2019-12-01") {
        // recorded: in 2019 calls could be traced
        sent.entry("allowTracing").or_insert(true.into());
    }
    let key = call.key();
    let created = world.state.resources.get(&key).map_or(call.now, |known| known.created);
    let hidden = keys(world, &key, &sent);
    Ok(Written { properties: properties(&sent, scope, created), hidden, ..Written::default() })
}

/// `/apis`, `/apis/x` and whole ids become whole ids, in the case of what they name.
fn whole_scope(world: &World, call: &Call, scope: &str, problems: &mut Sent) -> String {
    let service = call.id.top();
    let base = service.text();
    let lower = scope.to_lowercase();
    // published templates write `/apis/` before a whole id too, and the service takes it
    let rest = match lower.split_once(&service.key()) {
        Some((_, rest)) => rest.trim_start_matches('/').to_string(),
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
                    problems.refuse("scope", format!("API with id '{name}' could not be found."));
                    String::new()
                }
            }
        }
        ["products", name] => match named(world, &call.id, "products", &format!("/products/{name}")) {
            Some(product) => product.id.clone(),
            None => {
                problems.refuse("scope", format!("Product with id '{name}' could not be found."));
                String::new()
            }
        },
        _ => {
            problems.refuse("scope", format!("The scope '{scope}' is not valid."));
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
    // recorded: twelve days before the end
    let expires = sent.get("expirationDate").and_then(Value::as_str).and_then(Time::from_rfc3339);
    let notice = expires.map(|end| stamp(Time(end.0.saturating_sub(NOTICE.0))));
    let rest = json!({
        "scope": scope,
        "displayName": value("displayName"),
        "state": state,
        "createdDate": stamp(created),
        "startDate": null,
        "expirationDate": value("expirationDate"),
        "endDate": null,
        "notificationDate": notice,
        "stateComment": value("stateComment"),
        "allowTracing": sent.get("allowTracing").and_then(Value::as_bool).unwrap_or(false),
    });
    properties.extend(object(Some(&rest)));
    properties
}

/// Keys that the caller sent, those that are there, or new ones.
fn keys(world: &mut World, key: &str, sent: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    for name in ["primaryKey", "secondaryKey"] {
        let given = sent.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_string);
        let there = world.state.resources.get(key).and_then(|kept| kept.hidden.get(name).cloned());
        let value = given.or(there).unwrap_or_else(|| world.new_key(name, 32));
        keys.insert(name.to_string(), value);
    }
    keys
}

/// Keys are shown by the answer to a PUT; until 2019 by every answer, as recorded.
pub(super) fn show(kept: &Resource, version: &str, view: View, properties: &mut Map<String, Value>) {
    let fresh = matches!(view, View::Created | View::Updated);
    if fresh || !not_older(version, "2019-12-01") {
        let at = properties.keys().position(|name| name == "stateComment").unwrap_or(properties.len());
        if fresh && !not_older(version, "2019-12-01") {
            properties.shift_remove("allowTracing");
        }
        for (i, name) in ["primaryKey", "secondaryKey"].into_iter().enumerate() {
            properties.shift_insert(at + i, name.into(), kept.hidden.get(name).cloned().unwrap_or_default().into());
        }
    }
}

pub(super) fn action(world: &mut World, call: &Call) -> Reply {
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
    let (fresh, etag) = (world.new_key(renewed, 32), world.new_etag());
    if let Some(kept) = world.state.resources.get_mut(&key) {
        kept.hidden.insert(renewed.into(), fresh);
        kept.etag = etag;
    }
    Reply::empty(204)
}
