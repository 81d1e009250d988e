//! `service/namedValues`: texts that policies name by `{{display-name}}`. A secret's value is told by `listValue` alone.
//!
//! A value in a key vault is not read: `listValue` gives one that is made up. That a named value which is in use cannot be
//! deleted is known (terraform-provider-azurerm issue 17080), Azure's words for it are not.

use super::child::{View, Written, resource};
use super::sent::Sent;
use crate::azure::World;
use crate::azure::ids::ResourceId;
use crate::azure::reply::{Reply, validation};
use crate::azure::router::Call;
use crate::azure::shape::stamp;
use crate::azure::state::Resource;
use crate::time::{Duration, Time};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const KIND: &str = "Microsoft.ApiManagement/service/namedValues";

/// How long a write takes.
const TAKES: Duration = Duration::from_secs(2);

pub(super) fn write(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let name = sent.needed("displayName", 1..=256);
    if !name.is_empty() && !name.chars().all(plain) {
        sent.refuse("displayName", "Name may contain only letters, digits, periods, dash, and underscore.");
    }
    if twin(world, &call.id, &name).is_some() {
        sent.refuse("displayName", format!("A named value with the display name '{name}' already exists."));
    }
    let secret = sent.flag("secret").unwrap_or(false);
    let tags = match sent.list("tags") {
        tags if tags.len() > 32 => {
            sent.refuse("tags", "The field tags must have at most 32 items.");
            Value::Null
        }
        tags if tags.is_empty() => Value::Null,
        tags => Value::Array(tags),
    };
    let vault = sent.object("keyVault");
    let held = world.state.resources.get(&call.key()).and_then(|kept| kept.hidden.get("value").cloned());
    let value = sent.text("value", 0..=4096).or(held.filter(|_| vault.is_empty() && call.method.as_str() == "PATCH"));
    let mut properties = Map::from_iter([("displayName".to_string(), Value::from(name))]);
    let mut hidden = BTreeMap::new();
    if vault.is_empty() {
        match value {
            Some(value) if !value.trim().is_empty() => {
                hidden.insert("value".to_string(), value);
            }
            _ => sent.refuse("value", "Value is required and cannot be empty or consist only of whitespace."),
        }
    } else {
        if value.is_some() {
            sent.refuse("value", "Either value or keyVault can be set, not both.");
        }
        if !vault.get("secretIdentifier").and_then(Value::as_str).is_some_and(|id| id.starts_with("https://")) {
            sent.refuse("keyVault", "The secretIdentifier must be the address of a secret in a key vault.");
        }
        let known = world.state.resources.get(&call.key());
        let same = known.map(|known| known.at("properties/keyVault")).filter(|known| {
            ["secretIdentifier", "identityClientId"].iter().all(|name| known.get(*name) == vault.get(*name))
        });
        let shown = same.cloned().unwrap_or_else(|| {
            json!({
                "secretIdentifier": vault.get("secretIdentifier").cloned().unwrap_or_default(),
                "identityClientId": vault.get("identityClientId").cloned().unwrap_or_default(),
                "lastStatus": {"code": "Success", "timeStampUtc": stamp(call.now)},
            })
        });
        if same.is_none() {
            hidden.insert("value".to_string(), world.new_key("key vault", 32));
        }
        properties.insert("keyVault".into(), shown);
    }
    sent.end()?;
    properties.insert("tags".into(), tags);
    properties.insert("secret".into(), secret.into());
    properties.insert("provisioningState".into(), "Succeeded".into());
    Ok(Written { properties, hidden, takes: Some(TAKES), under: Vec::new() })
}

fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._".contains(c)
}

/// A value that is no secret is shown, after its name.
pub(super) fn show(kept: &Resource, _: &str, _: View, properties: &mut Map<String, Value>) {
    let open = properties.get("secret") == Some(&Value::Bool(false)) && !properties.contains_key("keyVault");
    if let (true, Some(value)) = (open, kept.hidden.get("value")) {
        properties.shift_insert(1, "value".into(), value.clone().into());
    }
}

pub(super) fn action(world: &mut World, call: &Call) -> Reply {
    let Some(kept) = world.state.resources.get(&call.key()) else {
        return crate::azure::reply::child_not_found("Property");
    };
    match call.action.as_str() {
        "listvalue" => {
            let value = kept.hidden.get("value").cloned().unwrap_or_default();
            Reply::json(200, json!({ "value": value })).etag(&kept.etag)
        }
        "refreshsecret" if kept.at("properties/keyVault").is_object() => {
            Reply::pretty(200, super::child::show(kept, &call.version, View::Read)).etag(&kept.etag)
        }
        "refreshsecret" => validation(&[("keyVault", "The named value is not in a key vault.".into())]),
        _ => super::child::no_action(world, call),
    }
}

pub(super) fn delete(world: &mut World, call: &Call) -> Option<Reply> {
    let kept = world.state.resources.get(&call.key())?;
    let reference = format!("{{{{{}}}}}", kept.text("properties/displayName"));
    let under = format!("{}/", call.id.top().key());
    let user =
        world.state.below(&under).find(|(_, other)| other.kind != KIND && holds(other.at("properties"), &reference))?;
    let message = format!("The named value is used by '{}' and cannot be deleted.", user.1.id);
    Some(validation(&[("namedValueId", message)]))
}

fn holds(value: &Value, reference: &str) -> bool {
    match value {
        Value::String(text) => text.contains(reference),
        Value::Array(items) => items.iter().any(|item| holds(item, reference)),
        Value::Object(map) => map.values().any(|item| holds(item, reference)),
        _ => false,
    }
}

/// Another named value of the same service with a display name.
fn twin<'a>(world: &'a World, id: &ResourceId, name: &str) -> Option<&'a Resource> {
    let under = format!("{}/namedvalues/", id.top().key());
    let key = id.key();
    world
        .state
        .children(&under, KIND)
        .find(|other| other.id.to_lowercase() != key && other.text("properties/displayName").eq_ignore_ascii_case(name))
}

/// The named value with a display name.
pub(super) fn by_name<'a>(world: &'a World, service: &str, name: &str) -> Option<&'a Resource> {
    world
        .state
        .children(&format!("{service}/namedvalues/"), KIND)
        .find(|kept| kept.text("properties/displayName").eq_ignore_ascii_case(name))
}

/// Keeps a secret of another child under a name of its own, and gives the reference to it.
pub(super) fn conceal(world: &mut World, now: Time, service: &ResourceId, prefix: &str, value: &str) -> String {
    let hex = crate::azure::shape::hex(&world.fresh("credentials")[..12]);
    let name = format!("{prefix}{hex}");
    let id = super::child::in_service(service, "namedValues", &[&hex]);
    let properties = json!({"displayName": name, "tags": null, "secret": true, "provisioningState": "Succeeded"});
    let hidden = BTreeMap::from([("value".to_string(), value.to_string())]);
    let (_, kept) = resource(world, now, &id, crate::azure::shape::object(Some(&properties)), hidden);
    world.state.resources.insert(id.key(), kept);
    format!("{{{{{name}}}}}")
}
