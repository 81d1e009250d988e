//! `deletedservices`: what is left of a service for two days.

use super::SERVICE;
use crate::azure::World;
use crate::azure::lro::{Effect, Follow, Start};
use crate::azure::reply::{Reply, method_not_allowed, service_error};
use crate::azure::router::Ask;
use crate::azure::shape::{display_location, short_location, stamp};
use crate::azure::state::Deleted;
use crate::time::Duration;
use crate::wire::Method;
use serde_json::{Value, json};

const PURGE: Duration = Duration::from_secs(61);

pub(super) fn list(world: &World, subscription: &str) -> Reply {
    let under = format!("/subscriptions/{}/", subscription.to_lowercase());
    let value: Vec<Value> = world
        .state
        .deleted
        .iter()
        .filter(|(key, gone)| key.starts_with(&under) && is_service(gone))
        .map(|(_, gone)| show(gone))
        .collect();
    Reply::json(200, json!({ "value": value }))
}

pub(super) fn one(world: &mut World, ask: &Ask<'_>, subscription: &str, location: &str, name: &str) -> Reply {
    let location = short_location(location);
    let key = format!(
        "/subscriptions/{subscription}/providers/Microsoft.ApiManagement/locations/{location}/deletedservices/{name}"
    )
    .to_lowercase();
    match (ask.method, world.state.deleted.get_mut(&key)) {
        (Method::Get, Some(gone)) => Reply::json(200, show(gone)),
        (Method::Get, None) => {
            service_error(404, "ServiceNotFound", format!("Deleted api service does not exist: {name}"))
        }
        (Method::Delete, None) => Reply::empty(204),
        (Method::Delete, Some(gone)) if gone.purging => super::transitioning(name),
        (Method::Delete, Some(gone)) => {
            gone.purging = true;
            gone.purge = ask.now;
            let (reply, id, location) = (Reply::json(202, show(gone)), gone.id.clone(), gone.location.clone());
            let start = Start {
                now: ask.now,
                follow: Follow::ServicePurge,
                target: &id,
                name,
                location: &location,
                version: &ask.version,
                takes: PURGE,
                effect: Effect::Purge(key),
            };
            world.start(reply, start)
        }
        (method, _) => method_not_allowed(method.as_str()),
    }
}

fn is_service(gone: &Deleted) -> bool {
    gone.resources.first().is_some_and(|service| service.kind == SERVICE)
}

fn show(gone: &Deleted) -> Value {
    let service = gone.resources.first();
    json!({
        "id": gone.id,
        "name": service.map_or("", |service| &service.name),
        "type": "Microsoft.ApiManagement/deletedservices",
        "location": display_location(&gone.location),
        "properties": {
            "serviceId": service.map_or("", |service| &service.id),
            "scheduledPurgeDate": stamp(gone.purge),
            "deletionDate": stamp(gone.at),
        },
    })
}
