//! What time makes of the state: operations end, deployments go on, soft-deleted resources are purged.
//!
//! Events happen in the order of their times; at one time by their kind and key. What happens depends on the state
//! alone, so advancing to a time in two steps gives what one step gives.

use super::World;
use super::deployments::{self, Next};
use super::faults;
use super::lro::Effect;
use super::plain;
use super::state::{Deleted, Resource};
use crate::time::{Duration, Time};

/// Azure keeps a deleted service or account for two days, whatever the scale.
pub(super) const RETENTION: Duration = Duration::from_secs(48 * 3600);

/// A workspace of Log Analytics is kept for longer.
const WORKSPACE_RETENTION: Duration = Duration::from_secs(14 * 24 * 3600);

/// How long an ended operation can still be asked for.
const MEMORY: Duration = Duration::from_secs(24 * 3600);

enum Event {
    Operation(String),
    Expiry(String),
    Deployment(String, Next),
}

/// Makes everything happen that is due at `now`.
pub(super) fn advance(world: &mut World, now: Time) {
    while let Some((at, event)) = next(world, now) {
        match event {
            Event::Operation(key) => end(world, at, &key),
            Event::Expiry(key) => {
                world.state.deleted.remove(&key);
            }
            Event::Deployment(key, Next::Begin) => deployments::begin(world, at, &key),
            Event::Deployment(key, Next::EndStep(step)) => deployments::end_step(world, at, &key, step),
            Event::Deployment(key, Next::Finish) => deployments::finish(world, at, &key),
        }
    }
    world.prepared.clear();
    world.state.operations.retain(|_, operation| !operation.settled || now.since(operation.ends) < MEMORY);
}

fn next(world: &World, now: Time) -> Option<(Time, Event)> {
    let state = &world.state;
    let operation = state
        .operations
        .iter()
        .filter(|(_, operation)| !operation.settled && operation.ends <= now)
        .min_by_key(|(_, operation)| operation.ends)
        .map(|(key, operation)| (operation.ends, Event::Operation(key.clone())));
    let expiry = state
        .deleted
        .iter()
        .filter(|(_, deleted)| !deleted.purging && deleted.purge <= now)
        .min_by_key(|(_, deleted)| deleted.purge)
        .map(|(key, deleted)| (deleted.purge, Event::Expiry(key.clone())));
    let deployment = state
        .deployments
        .iter()
        .filter_map(|(key, deployment)| deployment.next(world).map(|(at, next)| (at, key, next)))
        .filter(|(at, _, _)| *at <= now)
        .min_by_key(|(at, _, _)| *at)
        .map(|(at, key, next)| (at, Event::Deployment(key.clone(), next)));
    [operation, expiry, deployment].into_iter().flatten().min_by_key(|(at, _)| *at)
}

fn end(world: &mut World, at: Time, key: &str) {
    let Some(operation) = world.state.operations.get_mut(key) else { return };
    operation.settled = true;
    let (effect, target) = (operation.effect.clone(), operation.target.to_lowercase());
    if operation.fails.is_some() {
        return faults::settle(world, &effect, &target);
    }
    match effect {
        Effect::Settle => {
            settle(world, at, &target);
            plain::network::settled(world, &target);
        }
        Effect::Remove => plain::remove(world, &target),
        Effect::SoftDelete => soft_delete(world, at, &target),
        Effect::RemoveGroup => remove_group(world, at, &target),
        Effect::Purge(key) => {
            world.state.deleted.remove(&key);
        }
        Effect::Place(children) => super::apim::place(world, children),
        Effect::Nothing => {}
    }
}

fn settle(world: &mut World, at: Time, key: &str) {
    let is_service = world.state.resources.get(key).is_some_and(|r| r.kind == "Microsoft.ApiManagement/service");
    let etag = if is_service { world.new_etag() } else { world.new_account_etag(at) };
    if let Some(resource) = world.state.resources.get_mut(key) {
        resource.etag = etag;
        resource.set_property("provisioningState", "Succeeded");
        if is_service {
            resource.set_property("targetProvisioningState", "");
        }
    }
}

/// Takes a service or account with all its children among the soft-deleted.
pub(super) fn soft_delete(world: &mut World, at: Time, key: &str) {
    let mut resources = world.state.take(key);
    // what stood on it goes for good: a role does not come back with its scope
    let on = |resource: &Resource| {
        resource.id.to_lowercase().get(key.len()..).is_some_and(|rest| rest.contains("/providers/"))
    };
    resources.retain(|resource| !on(resource));
    let Some(first) = resources.first_mut() else { return };
    first.changed = at;
    let (id, location) = deleted_id(first);
    let kept = if first.kind == plain::WORKSPACE { WORKSPACE_RETENTION } else { RETENTION };
    let deleted = Deleted { id: id.clone(), location, at, purge: at + kept, purging: false, resources };
    world.state.deleted.insert(id.to_lowercase(), deleted);
}

/// The id and the location under which a deleted service or account is found.
fn deleted_id(resource: &Resource) -> (String, String) {
    let parts: Vec<&str> = resource.id.split('/').collect();
    let (subscription, group) = (parts.get(2).copied().unwrap_or(""), parts.get(4).copied().unwrap_or(""));
    let name = &resource.name;
    if resource.kind == plain::WORKSPACE {
        return (format!("{}/deleted", resource.id), resource.text("location").to_string());
    }
    if resource.kind == "Microsoft.ApiManagement/service" {
        let location = super::shape::short_location(resource.text("location"));
        let base = format!("/subscriptions/{subscription}/providers/Microsoft.ApiManagement");
        (format!("{base}/locations/{location}/deletedservices/{name}"), location)
    } else {
        let location = resource.text("location").to_string();
        let base = format!("/subscriptions/{subscription}/providers/Microsoft.CognitiveServices");
        (format!("{base}/locations/{location}/resourceGroups/{group}/deletedAccounts/{name}"), location)
    }
}

fn remove_group(world: &mut World, at: Time, group: &str) {
    let under = format!("{group}/");
    let kept: Vec<String> = world
        .state
        .resources
        .iter()
        .filter(|(key, _)| key.starts_with(&under))
        .filter(|(_, r)| {
            let kept = ["Microsoft.ApiManagement/service", "Microsoft.CognitiveServices/accounts", plain::WORKSPACE];
            kept.contains(&r.kind.as_str())
        })
        .map(|(key, _)| key.clone())
        .collect();
    for key in kept {
        soft_delete(world, at, &key);
    }
    let endpoints: Vec<String> =
        world.state.children(&under, plain::network::ENDPOINT).map(|endpoint| endpoint.id.to_lowercase()).collect();
    for key in endpoints {
        plain::network::removed(world, &key);
    }
    world.state.resources.retain(|key, _| !key.starts_with(&under));
    world.state.groups.remove(group);
    deployments::remove(world, at, &under);
}
