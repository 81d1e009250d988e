//! `service/apis/releases`: a revision becomes the current one, with a note.

use super::apis::revisions::make_current;
use super::child::{Written, named};
use super::sent::Sent;
use crate::azure::World;
use crate::azure::reply::Reply;
use crate::azure::router::Call;
use crate::azure::shape::stamp;
use serde_json::{Map, Value, json};

pub(super) fn write(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let text = sent.needed("apiId", 1..=2000);
    let notes = sent.text("notes", 0..=usize::MAX);
    let Some(api) = call.id.parent() else { return Err(crate::azure::reply::child_not_found("Api")) };
    let chosen = named(world, &call.id, "apis", &text).map(|revision| revision.id.to_lowercase());
    let own = |chosen: &String| *chosen == api.key() || chosen.starts_with(&format!("{};rev=", api.key()));
    let chosen = chosen.filter(own);
    if chosen.is_none() && !text.is_empty() {
        let name = text.rsplit('/').next().unwrap_or("");
        sent.refuse("apiId", format!("'{name}' is no revision of the API '{}'.", api.name()));
    }
    sent.end()?;
    if let Some(chosen) = chosen {
        make_current(world, &api, &chosen);
    }
    let created = world.state.resources.get(&call.key()).map_or(call.now, |kept| kept.created);
    Ok(Written::of(&json!({
        "apiId": api.text(), "createdDateTime": stamp(created), "updatedDateTime": stamp(call.now), "notes": notes,
    })))
}
