//! Operations and steps of deployments that take longer or fail: what is done to them when they start, and what they
//! answer at their end.

use super::{Failure, Fault, Subject, act};
use crate::azure::World;
use crate::azure::deployments::{StepState, Until};
use crate::azure::lro::{Asked, Effect, Follow, Operation};
use crate::azure::reply::Reply;
use crate::time::{Duration, Time};
use crate::wire::{Method, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How an operation fails at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::azure) struct Failed {
    /// Where a status says it: an operation that is followed by `Location`.
    pub status: u16,
    pub error: Value,
}

impl From<&Failure> for Failed {
    fn from(failure: &Failure) -> Failed {
        let mut error = json!({"code": failure.code, "message": failure.message});
        if let Some(target) = &failure.target {
            error["target"] = target.as_str().into();
        }
        Failed { status: failure.status.unwrap_or(500), error }
    }
}

fn of_operations(fault: &Fault) -> bool {
    fault.slow.is_some() || fault.fail.is_some()
}

/// Looks for what acts on the operation that a request has started. Such a fault counts only writes that start one.
pub(in crate::azure) fn started(world: &mut World, now: Time, request: &Request, reply: &Reply) {
    let Some(key) = &reply.operation else { return };
    if world.state.faults.is_empty() {
        return;
    }
    let url = crate::azure::ids::Url::parse(&request.url);
    let path = format!("/{}", url.path.join("/")).to_lowercase();
    let subject = Subject { method: request.method, path: &path, version: url.query("api-version") };
    let Some(fault) = act(world, now, &subject, of_operations) else { return };
    spoil(world, key, &fault);
}

fn spoil(world: &mut World, key: &str, fault: &Fault) {
    let extra = world.scaled(fault.slow.unwrap_or(Duration::ZERO));
    let Some(operation) = world.state.operations.get_mut(key) else { return };
    let (target, ended) = (operation.target.to_lowercase(), operation.ends);
    operation.ends = ended + extra;
    operation.fails = fault.fail.as_ref().map(Failed::from);
    // what is kept away from the resource until the operation ends is kept away longer
    if let Some(resource) = world.state.resources.get_mut(&target)
        && resource.busy >= ended
    {
        resource.busy += extra;
    }
}

/// What becomes of a step of a deployment that has just started. `operation` is the id of its entry in the list.
pub(in crate::azure) fn step(
    world: &mut World,
    now: Time,
    id: &str,
    version: Option<&str>,
    operation: &str,
    state: StepState,
) -> StepState {
    // a nested deployment fails at its own end
    let StepState::Running { since, until: Until::At(ends), status } = state else { return state };
    if world.state.faults.is_empty() {
        return state;
    }
    let path = id.to_lowercase();
    let subject = Subject { method: Method::Put, path: &path, version };
    let Some(fault) = act(world, now, &subject, of_operations) else { return state };
    let own = world.state.operations.iter().find(|(_, own)| !own.settled && own.target.eq_ignore_ascii_case(id));
    if let Some(key) = own.map(|(key, _)| key.clone()) {
        spoil(world, &key, &fault);
    }
    if let Some(failure) = &fault.fail {
        world.state.failing.insert(operation.to_string(), failure.into());
    }
    let extra = world.scaled(fault.slow.unwrap_or(Duration::ZERO));
    StepState::Running { since, until: Until::At(ends + extra), status }
}

/// The end of a step: what it came to, unless it was to fail.
pub(in crate::azure) fn step_end(world: &mut World, at: Time, operation: &str, state: StepState) -> StepState {
    match (world.state.failing.remove(operation), state) {
        (Some(failed), StepState::Succeeded { since, .. }) => {
            let error = json!({"status": "Failed", "error": failed.error});
            StepState::Failed { since, at, status: failed.status, error }
        }
        (_, state) => state,
    }
}

/// Why a deployment fails at its end although every step succeeded.
pub(in crate::azure) fn deployment(world: &mut World, at: Time, id: &str, version: &str) -> Option<Value> {
    if world.state.faults.is_empty() {
        return None;
    }
    let path = id.to_lowercase();
    let subject = Subject { method: Method::Put, path: &path, version: Some(version) };
    let fault = act(world, at, &subject, |fault| fault.fail.is_some())?;
    fault.fail.as_ref().map(|failure| Failed::from(failure).error)
}

/// What an operation that fails leaves behind.
pub(in crate::azure) fn settle(world: &mut World, effect: &Effect, target: &str) {
    match effect {
        Effect::Settle | Effect::SoftDelete | Effect::Remove => {
            if let Some(resource) = world.state.resources.get_mut(target) {
                resource.set_property("provisioningState", "Failed");
                if resource.kind == "Microsoft.ApiManagement/service" {
                    resource.set_property("targetProvisioningState", "");
                }
            }
        }
        Effect::RemoveGroup => {
            if let Some(group) = world.state.groups.get_mut(target) {
                group.deleting = false;
            }
        }
        Effect::Purge(key) => {
            if let Some(deleted) = world.state.deleted.get_mut(key) {
                deleted.purging = false;
            }
        }
        // what was to be placed is not; what was there stays
        Effect::Place(_) | Effect::Nothing => {}
    }
}

/// What a poll of an operation that has failed answers: 200 at the address of its status, an error at that of its result.
pub(in crate::azure) fn poll(operation: &Operation, key: &str, id: &str, asked: Asked) -> Option<Reply> {
    let failed = operation.fails.as_ref().filter(|_| operation.settled)?;
    if asked == Asked::Result {
        return Some(Reply::json(failed.status, json!({ "error": failed.error })));
    }
    Some(Reply::json(
        200,
        match &operation.follow {
            Follow::Account(_) => json!({
                "id": id,
                "name": key,
                "status": "Failed",
                "startTime": operation.started.rfc3339(),
                "endTime": operation.ends.rfc3339(),
                "error": failed.error,
            }),
            _ => json!({"status": "Failed", "error": failed.error}),
        },
    ))
}
