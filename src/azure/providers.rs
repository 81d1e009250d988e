//! Namespaces of a subscription: which there are, their types with versions and regions, and whether they are registered.
//!
//! Everything is registered unless a world is set up otherwise ([`World::without_provider`]); then every write is a 409
//! until somebody has registered the namespace and the registration has taken its time, as recorded.

use super::World;
use super::reply::{Reply, gateway, method_not_allowed};
use super::router::{Ask, Call};
use crate::catalogue::{REGIONS, TYPES};
use crate::time::{Duration, Time};
use crate::wire::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How long a registration takes: recorded, about a minute.
const REGISTERING: Duration = Duration::from_secs(60);

/// Where a namespace stands that is not simply registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Registration {
    /// Nobody has registered it.
    Absent,
    /// It is registered from then on.
    Until(Time),
}

/// Namespaces in the order of the catalogue.
fn namespaces() -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    for kind in TYPES {
        if !found.contains(&kind.namespace()) {
            found.push(kind.namespace());
        }
    }
    found
}

fn canonical(namespace: &str) -> Option<&'static str> {
    namespaces().into_iter().find(|known| known.eq_ignore_ascii_case(namespace))
}

fn key(subscription: &str, namespace: &str) -> String {
    format!("{subscription}/{namespace}").to_lowercase()
}

/// Takes the registration away, as in a subscription that never used a provider.
pub(super) fn forget(world: &mut World, namespace: &str) {
    let key = key(&world.state.subscription, namespace);
    world.state.registrations.insert(key, Registration::Absent);
}

fn word(world: &World, now: Time, subscription: &str, namespace: &str) -> &'static str {
    match world.state.registrations.get(&key(subscription, namespace)) {
        Some(Registration::Absent) => "NotRegistered",
        Some(Registration::Until(at)) if *at > now => "Registering",
        Some(Registration::Until(_)) | None => "Registered",
    }
}

/// Refuses a write to a provider that the subscription has not registered.
pub(super) fn problem(world: &World, call: &Call) -> Option<Reply> {
    let namespace = call.id.kind.namespace();
    if call.method != Method::Put || word(world, call.now, &call.id.subscription, namespace) == "Registered" {
        return None;
    }
    let message = format!(
        "The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how to register subscriptions."
    );
    let code = "MissingSubscriptionRegistration";
    let details = json!([{"code": code, "target": namespace, "message": message}]);
    let error = json!({"code": code, "message": message, "details": details});
    Some(Reply::json(409, json!({ "error": error })).header("x-ms-failure-cause", "gateway"))
}

pub(super) fn list(world: &World, ask: &Ask<'_>, subscription: &str) -> Reply {
    if ask.method != Method::Get {
        return method_not_allowed(ask.method.as_str());
    }
    let value: Vec<Value> = namespaces().into_iter().map(|name| show(world, ask.now, subscription, name)).collect();
    Reply::json(200, json!({ "value": value }))
}

pub(super) fn one(world: &World, ask: &Ask<'_>, subscription: &str, namespace: &str) -> Reply {
    if ask.method != Method::Get {
        return method_not_allowed(ask.method.as_str());
    }
    match canonical(namespace) {
        Some(namespace) => Reply::json(200, show(world, ask.now, subscription, namespace)),
        None => not_found(namespace),
    }
}

/// `register` and `unregister`.
pub(super) fn change(world: &mut World, ask: &Ask<'_>, subscription: &str, namespace: &str, action: &str) -> Reply {
    if ask.method != Method::Post {
        return method_not_allowed(ask.method.as_str());
    }
    let Some(namespace) = canonical(namespace) else { return not_found(namespace) };
    let key = key(subscription, namespace);
    if action == "unregister" {
        world.state.registrations.insert(key, Registration::Absent);
    } else if world.state.registrations.get(&key) == Some(&Registration::Absent) {
        let at = ask.now + world.scaled(REGISTERING);
        world.state.registrations.insert(key, Registration::Until(at));
    }
    Reply::json(200, show(world, ask.now, subscription, namespace))
}

fn not_found(namespace: &str) -> Reply {
    let message = format!("The resource namespace '{namespace}' is invalid.");
    gateway(404, "InvalidResourceNamespace", message)
}

fn show(world: &World, now: Time, subscription: &str, namespace: &str) -> Value {
    let regions: Vec<&str> = REGIONS.iter().map(|region| region.display).collect();
    let types: Vec<Value> = TYPES
        .iter()
        .filter(|kind| kind.namespace() == namespace)
        .map(|kind| {
            let versions: Vec<&str> = kind.versions.iter().rev().copied().collect();
            let name = kind.name.split_once('/').map_or(kind.name, |(_, name)| name);
            let locations = if kind.located { regions.clone() } else { Vec::new() };
            json!({"resourceType": name, "locations": locations, "apiVersions": versions, "capabilities": "None"})
        })
        .collect();
    // the list of the tenant has no subscription in its ids
    let base = if subscription.is_empty() { String::new() } else { format!("/subscriptions/{subscription}") };
    json!({
        "id": format!("{base}/providers/{namespace}"),
        "namespace": namespace,
        "resourceTypes": types,
        "registrationState": word(world, now, subscription, namespace),
        "registrationPolicy": "RegistrationRequired",
    })
}
