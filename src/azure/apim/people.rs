//! `service/groups` and `service/users`: three groups and the administrator are there from the first day.

use super::child::{Written, in_service, keep};
use super::sent::Sent;
use crate::azure::World;
use crate::azure::ids::ResourceId;
use crate::azure::reply::{Reply, validation};
use crate::azure::router::Call;
use crate::azure::shape::stamp;
use crate::time::Time;
use serde_json::{Map, Value, json};

/// Groups of the system. The first one's text is recorded, the others' are documented.
const GROUPS: [(&str, &str, &str); 3] = [
    (
        "administrators",
        "Administrators",
        "Administrators is a built-in group containing the admin email account provided at the time of service creation. Its membership is managed by the system.",
    ),
    (
        "developers",
        "Developers",
        "Developers is a built-in group. Its membership is managed by the system. Signed-in users fall into this group.",
    ),
    (
        "guests",
        "Guests",
        "Guests is a built-in group. Its membership is managed by the system. Unauthenticated users visiting the developer portal fall into this group.",
    ),
];

pub(super) fn give_built_in(world: &mut World, now: Time, service: &ResourceId, email: &str) {
    for (name, title, description) in GROUPS {
        let id = in_service(service, "groups", &[name]);
        let written = Written::of(&json!({
            "displayName": title, "description": description, "builtIn": true, "type": "system", "externalId": null,
        }));
        keep(world, now, &id, written);
    }
    let written = Written::of(&json!({
        "firstName": "Administrator", "lastName": "", "email": email, "state": "active", "registrationDate": stamp(now),
        "note": null, "groups": [], "identities": [{"provider": "Azure", "id": email}],
    }));
    keep(world, now, &in_service(service, "users", &["1"]), written);
}

/// The administrators as a product that was just made shows them.
pub(super) fn administrators(service: &str) -> Value {
    let (name, title, description) = GROUPS[0];
    json!({
        "id": format!("{service}/groups/{name}"), "name": title, "description": description,
        "builtIn": true, "type": "system", "externalId": null,
    })
}

pub(super) fn group(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let built_in = is_built_in(world, call);
    let mut sent = Sent::new(sent);
    let name = sent.needed("displayName", 1..=300);
    let description = sent.text("description", 0..=1000);
    let kind = sent.word("type", &["custom", "external", "system"]).unwrap_or("custom");
    let external = sent.text("externalId", 0..=2000);
    if built_in {
        sent.refuse("groupId", "A built-in group cannot be changed.");
    } else if kind == "system" {
        sent.refuse("type", "The value 'system' is not valid for Type.");
    }
    if kind == "external" && external.is_none() {
        sent.refuse("externalId", "ExternalId is required.");
    }
    sent.end()?;
    Ok(Written::of(&json!({
        "displayName": name, "description": description, "builtIn": false, "type": kind, "externalId": external,
    })))
}

pub(super) fn delete_group(world: &mut World, call: &Call) -> Option<Reply> {
    is_built_in(world, call).then(|| validation(&[("groupId", "A built-in group cannot be deleted.".into())]))
}

fn is_built_in(world: &World, call: &Call) -> bool {
    world.state.resources.get(&call.key()).is_some_and(|kept| kept.at("properties/builtIn") == &Value::Bool(true))
}

pub(super) fn user(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let email = sent.needed("email", 1..=254);
    let first = sent.needed("firstName", 1..=100);
    let last = sent.needed("lastName", 1..=100);
    let state = sent.word("state", &["active", "blocked", "pending", "deleted"]).unwrap_or("active");
    let note = sent.text("note", 0..=2000);
    if !email.is_empty() && !email.contains('@') {
        sent.refuse("email", "The field email must be a valid email address.");
    }
    sent.end()?;
    let created = world.state.resources.get(&call.key()).map_or(call.now, |kept| kept.created);
    Ok(Written::of(&json!({
        "firstName": first, "lastName": last, "email": email, "state": state, "registrationDate": stamp(created),
        "note": note, "groups": [], "identities": [{"provider": "Basic", "id": email}],
    })))
}

pub(super) fn delete_user(_: &mut World, call: &Call) -> Option<Reply> {
    (call.id.name() == "1").then(|| validation(&[("userId", "The administrator cannot be deleted.".into())]))
}
