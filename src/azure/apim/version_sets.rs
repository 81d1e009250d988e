//! `service/apiVersionSets`: APIs of one name in several versions. Recorded: a set goes with its last API.

use super::child::{Written, named};
use super::sent::Sent;
use crate::azure::World;
use crate::azure::ids::ResourceId;
use crate::azure::reply::{Reply, validation};
use crate::azure::router::Call;
use crate::azure::state::Resource;
use serde_json::{Map, Value, json};

const SCHEMES: [&str; 3] = ["Segment", "Query", "Header"];

pub(super) fn write(_: &mut World, _: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let name = sent.needed("displayName", 1..=100);
    sent.needed("versioningScheme", 1..=20);
    let scheme = sent.word("versioningScheme", &SCHEMES);
    let description = sent.text("description", 0..=usize::MAX);
    let query = sent.text("versionQueryName", 1..=100);
    let header = sent.text("versionHeaderName", 1..=100);
    match scheme {
        Some("Query") if query.is_none() => sent.refuse("versionQueryName", "VersionQueryName is required."),
        Some("Header") if header.is_none() => sent.refuse("versionHeaderName", "VersionHeaderName is required."),
        _ => {}
    }
    sent.end()?;
    Ok(Written::of(&json!({
        "displayName": name,
        "description": description,
        "versioningScheme": scheme,
        "versionQueryName": query,
        "versionHeaderName": header,
    })))
}

pub(super) fn delete(world: &mut World, call: &Call) -> Option<Reply> {
    let user = members(world, &call.id).next()?;
    let message = format!("The API version set is used by the API '{}' and cannot be deleted.", user.name);
    Some(validation(&[("versionSetId", message)]))
}

/// The APIs of a set.
fn members<'a>(world: &'a World, set: &ResourceId) -> impl Iterator<Item = &'a Resource> + use<'a> {
    let (under, key) = (format!("{}/apis/", set.top().key()), set.key());
    let apis = world.state.children(&under, super::apis::KIND);
    apis.filter(move |api| api.text("properties/apiVersionSetId").to_lowercase() == key)
}

/// Takes a set away that no API is in any more.
pub(super) fn forget_empty(world: &mut World, id: &ResourceId, set: &str) {
    let Some(set) = named(world, id, "apiVersionSets", set).and_then(|set| crate::azure::ids::parse_id(&set.id)) else {
        return;
    };
    if members(world, &set).next().is_none() {
        world.state.take(&set.key());
    }
}

/// A set as an API that was just written shows it.
pub(super) fn embedded(set: &Resource) -> Value {
    json!({
        "id": set.id,
        "name": set.text("properties/displayName"),
        "description": set.at("properties/description"),
        "versioningScheme": set.text("properties/versioningScheme"),
        "versionQueryName": set.at("properties/versionQueryName"),
        "versionHeaderName": set.at("properties/versionHeaderName"),
    })
}
