//! `deletedAccounts`: what is left of an account for two days.

use super::{ACCOUNT, accounts};
use crate::azure::World;
use crate::azure::lro::{Effect, Follow, Start};
use crate::azure::reply::{Reply, error, method_not_allowed};
use crate::azure::router::Ask;
use crate::azure::shape::{short_location, stamp};
use crate::azure::state::Deleted;
use crate::time::Duration;
use crate::wire::Method;
use serde_json::{Value, json};

const PURGE: Duration = Duration::from_secs(30);

pub(super) fn list(world: &World, ask: &Ask<'_>, subscription: &str) -> Reply {
    let under = format!("/subscriptions/{}/", subscription.to_lowercase());
    let value: Vec<Value> = world
        .state
        .deleted
        .iter()
        .filter(|(key, gone)| key.starts_with(&under) && is_account(gone))
        .map(|(_, gone)| show(gone, &ask.version))
        .collect();
    Reply::json(200, json!({ "value": value }))
}

/// `rest` is `{location}/resourceGroups/{group}/deletedAccounts/{name}`.
pub(super) fn one(world: &mut World, ask: &Ask<'_>, subscription: &str, rest: &[&str]) -> Reply {
    let [location, _, group, _, name] = rest else { return Reply::empty(404) };
    // a location is found however it is written
    let found = world.state.deleted.iter().find(|(key, gone)| {
        let tail = format!("/resourcegroups/{group}/deletedaccounts/{name}").to_lowercase();
        let under = format!("/subscriptions/{}/", subscription.to_lowercase());
        let there = short_location(&gone.location) == short_location(location);
        is_account(gone) && there && key.starts_with(&under) && key.ends_with(&tail)
    });
    let key = found.map(|(key, _)| key.clone()).unwrap_or_default();
    match (ask.method, world.state.deleted.get_mut(&key)) {
        (Method::Get, Some(gone)) => Reply::json(200, show(gone, &ask.version)),
        (Method::Get, None) => {
            let message = format!("Specified resource '{name}' cannot be found.");
            error(404, "NotFound", message)
        }
        (Method::Delete, None) => Reply::empty(204),
        (Method::Delete, Some(gone)) if gone.purging => {
            let id = gone.id.to_lowercase();
            world.again(ask.now, &id).unwrap_or_else(|| Reply::empty(202))
        }
        (Method::Delete, Some(gone)) => {
            gone.purging = true;
            let (id, kept) = (gone.id.clone(), gone.location.clone());
            let start = Start {
                now: ask.now,
                follow: Follow::Account("Deleting".into()),
                target: &id,
                name,
                location: &kept,
                version: &ask.version,
                takes: PURGE,
                effect: Effect::Purge(key),
            };
            world.start(Reply::empty(202), start)
        }
        (method, _) => method_not_allowed(method.as_str()),
    }
}

fn is_account(gone: &Deleted) -> bool {
    gone.resources.first().is_some_and(|account| account.kind == ACCOUNT)
}

fn show(gone: &Deleted, version: &str) -> Value {
    let Some(account) = gone.resources.first() else { return Value::Null };
    let mut body = accounts::show(account, version);
    if let Value::Object(map) = &mut body {
        map.insert("id".into(), gone.id.clone().into());
        map.insert("type".into(), "Microsoft.CognitiveServices/deletedAccounts".into());
        if let Some(Value::Object(properties)) = map.get_mut("properties") {
            properties.insert("deletionDate".into(), stamp(gone.at).into());
            properties.insert("scheduledPurgeDate".into(), stamp(gone.purge).into());
        }
    }
    body
}
