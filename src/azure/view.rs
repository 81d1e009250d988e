//! What stands in a world and what runs in it, for people: names, types, states and times, never a value.

use super::World;
use super::deployments::{Deployment, Phase, StepState};
use super::lro::{Effect, Operation};
use super::shape::short_location;
use super::state::Resource;
use crate::time::{Duration, Time};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// So many deployments that have ended are shown, the last first.
const ENDED: usize = 20;

/// A world at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// What time it is there.
    pub now: String,
    /// How much later that is than where the caller is.
    pub ahead: String,
    /// By what durations are divided.
    pub scale: u32,
    /// The subscription that it was made with.
    pub subscription: String,
    /// What exists, by resource group.
    pub groups: Vec<Group>,
    /// Resources that stand in no group: role assignments on a subscription.
    pub elsewhere: Vec<Node>,
    /// Operations that run.
    pub operations: Vec<Running>,
    /// Deployments, those that run first.
    pub deployments: Vec<Deployed>,
    /// What is soft-deleted.
    pub deleted: Vec<Gone>,
    /// Faults that are set.
    pub faults: Vec<Set>,
}

/// A resource group.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub location: String,
    pub state: &'static str,
    pub resources: Vec<Node>,
}

/// A resource and what hangs on it.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Node {
    pub id: String,
    pub name: String,
    /// The whole type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Empty where it has none of its own.
    pub state: String,
    /// Empty where it has none of its own.
    pub location: String,
    pub children: Vec<Node>,
}

/// An operation that runs.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Running {
    pub id: String,
    pub name: String,
    /// `write`, `delete` or `purge`.
    pub does: &'static str,
    pub started: String,
    /// When it ends, by the clock that asked.
    pub ends: String,
    /// 0 to 99.
    pub percent: u64,
}

/// A deployment.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Deployed {
    pub id: String,
    pub name: String,
    /// `None` at the scope of a subscription.
    pub group: Option<String>,
    pub state: &'static str,
    pub started: String,
    /// How long it has run, or ran.
    pub took: String,
    pub steps: usize,
    pub done: usize,
    pub failed: usize,
    /// The names of what is at work.
    pub running: Vec<String>,
    /// The code of its error.
    pub error: Option<String>,
}

/// A soft-deleted service or account.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Gone {
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub location: String,
    pub at: String,
    pub until: String,
    pub purging: bool,
}

/// A fault that is set.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Set {
    pub name: String,
    pub seen: u64,
    pub done: u64,
    pub times: Option<u64>,
}

impl World {
    /// What is there at `now`. Looking changes nothing.
    pub fn view(&self, now: Time) -> View {
        let mut world = self.clone();
        let now = world.advance(now);
        let state = &world.state;
        let mut hanging = hanging(&world);
        let groups = state.groups.iter().map(|(key, group)| Group {
            id: super::ids::group_id(&group.subscription, &group.name),
            name: group.name.clone(),
            location: group.location.clone(),
            state: if group.deleting { "Deleting" } else { "Succeeded" },
            resources: nodes(&mut hanging, key),
        });
        let groups = groups.collect();
        let operations = state.operations.iter().filter(|(_, operation)| !operation.settled);
        let mut deployments: Vec<&Deployment> = state.deployments.values().collect();
        deployments.sort_by_key(|deployment| (!deployment.state.is_active(), std::cmp::Reverse(deployment.started)));
        let active = deployments.iter().filter(|deployment| deployment.state.is_active()).count();
        deployments.truncate(active + ENDED);
        View {
            now: now.rfc3339(),
            ahead: state.ahead.to_string(),
            scale: world.scale,
            subscription: state.subscription.clone(),
            groups,
            elsewhere: nodes(&mut hanging, ""),
            operations: operations.map(|(_, operation)| running(&world, now, operation)).collect(),
            deployments: deployments.into_iter().map(|deployment| deployed(now, deployment)).collect(),
            deleted: state
                .deleted
                .values()
                .map(|deleted| Gone {
                    id: deleted.id.clone(),
                    name: deleted.id.rsplit('/').next().unwrap_or("").into(),
                    kind: deleted.resources.first().map(|resource| resource.kind.clone()).unwrap_or_default(),
                    location: short_location(&deleted.location),
                    at: deleted.at.rfc3339(),
                    until: deleted.purge.rfc3339(),
                    purging: deleted.purging,
                })
                .collect(),
            faults: state
                .faults
                .iter()
                .map(|armed| Set {
                    name: armed.fault.title().into(),
                    seen: armed.seen,
                    done: armed.done,
                    times: armed.fault.times,
                })
                .collect(),
        }
    }
}

/// Every resource by the key of what it hangs on: a resource, a group, or nothing that is there.
fn hanging(world: &World) -> BTreeMap<String, Vec<&Resource>> {
    let state = &world.state;
    let known: BTreeSet<&str> = state.resources.keys().chain(state.groups.keys()).map(String::as_str).collect();
    let mut hanging: BTreeMap<String, Vec<&Resource>> = BTreeMap::new();
    for (key, resource) in &state.resources {
        let mut above = key.as_str();
        while let Some((shorter, _)) = above.rsplit_once('/') {
            above = shorter;
            if known.contains(above) {
                break;
            }
        }
        hanging.entry(above.to_string()).or_default().push(resource);
    }
    hanging
}

fn nodes(hanging: &mut BTreeMap<String, Vec<&Resource>>, key: &str) -> Vec<Node> {
    let mut nodes: Vec<Node> = hanging
        .remove(key)
        .into_iter()
        .flatten()
        .map(|resource| Node {
            id: resource.id.clone(),
            name: resource.name.clone(),
            kind: resource.kind.clone(),
            state: resource.text("properties/provisioningState").into(),
            location: short_location(resource.text("location")),
            children: nodes(hanging, &resource.id.to_lowercase()),
        })
        .collect();
    nodes.sort_by(|a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)));
    nodes
}

fn running(world: &World, now: Time, operation: &Operation) -> Running {
    let (past, whole) = (now.since(operation.started), operation.ends.since(operation.started));
    Running {
        id: operation.target.clone(),
        name: operation.target.rsplit('/').next().unwrap_or("").into(),
        does: match operation.effect {
            Effect::SoftDelete | Effect::Remove | Effect::RemoveGroup => "delete",
            Effect::Purge(_) => "purge",
            Effect::Settle | Effect::Place(_) | Effect::Nothing => "write",
        },
        started: operation.started.rfc3339(),
        // the caller's clock stands where ours would without the jumps
        ends: (operation.ends - world.state.ahead).rfc3339(),
        percent: percent(past, whole),
    }
}

fn percent(past: Duration, whole: Duration) -> u64 {
    match whole.0 {
        0 => 99,
        whole => u64::try_from(u128::from(past.0) * 100 / u128::from(whole)).unwrap_or(99).min(99),
    }
}

fn deployed(now: Time, deployment: &Deployment) -> Deployed {
    let count = |wanted: fn(&StepState) -> bool| deployment.steps.iter().filter(|step| wanted(&step.state)).count();
    let end = if deployment.state.is_active() { now } else { deployment.changed };
    let at_work = deployment.steps.iter().filter(|step| matches!(step.state, StepState::Running { .. }));
    let error = deployment.error.as_ref().filter(|_| deployment.state == Phase::Failed);
    Deployed {
        id: deployment.id.clone(),
        name: deployment.name.clone(),
        group: deployment.group.clone(),
        state: deployment.state.word(),
        started: deployment.started.rfc3339(),
        took: end.since(deployment.started).to_string(),
        steps: deployment.steps.len(),
        done: count(|state| matches!(state, StepState::Succeeded { .. })),
        failed: count(|state| matches!(state, StepState::Failed { .. })),
        running: at_work.map(|step| step.name.clone()).collect(),
        error: error.map(|error| leaf(error).to_string()),
    }
}

/// The code of the deepest error.
fn leaf(error: &serde_json::Value) -> &str {
    match error.get("details").and_then(|details| details.get(0)) {
        Some(inner) => leaf(inner),
        None => error.get("code").and_then(|code| code.as_str()).unwrap_or(""),
    }
}
