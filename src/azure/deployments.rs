//! Template deployments to a resource group: taken, run step by step in time, shown.
//!
//! A step is one resource of the template. It starts when what it depends on has ended, goes through the same provider as
//! a request would, and ends when its operation does. What fails does not start what depends on it; everything else
//! goes on, and then the deployment fails with the whole tree of errors.
//!
//! Deliberately absent, and refused by name: deployments to a subscription, the mode Complete, linked templates, what-if.

mod check;
mod run;
mod show;

pub(super) use run::{Next, begin, end_step, finish, remove};
pub(super) use show::{body, poll};

use super::World;
use super::ids::{group_id, group_key};
use super::reply::{Reply, error, gateway, group_not_found, method_not_allowed};
use super::router::Ask;
use super::shape::{guid, ticks};
use crate::catalogue::resource_type;
use crate::time::Time;
use crate::wire::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) const DEPLOYMENT: &str = "Microsoft.Resources/deployments";

/// A deployment, running or ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Deployment {
    pub id: String,
    pub subscription: String,
    pub group: String,
    pub name: String,
    pub version: String,
    pub tags: Option<Value>,
    pub template: Value,
    pub parameters: Value,
    /// What every answer shows of the template: hash, parameters without secrets, providers, dependencies.
    pub facts: Value,
    /// The name of its operation: the ticks left until time ends.
    pub ticks: String,
    pub correlation: String,
    pub started: Time,
    /// When `state` last changed.
    pub changed: Time,
    pub state: Phase,
    /// When the outputs will have been evaluated, once no step runs any more.
    pub finishes: Option<Time>,
    pub steps: Vec<Step>,
    pub outputs: Option<Value>,
    pub error: Option<Value>,
}

/// Where a deployment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    Accepted,
    Running,
    Succeeded,
    Failed,
    Canceled,
}

impl Phase {
    pub const fn word(self) -> &'static str {
        match self {
            Phase::Accepted => "Accepted",
            Phase::Running => "Running",
            Phase::Succeeded => "Succeeded",
            Phase::Failed => "Failed",
            Phase::Canceled => "Canceled",
        }
    }

    pub const fn is_active(self) -> bool {
        matches!(self, Phase::Accepted | Phase::Running)
    }
}

/// One resource of a deployment, at the same place as its node in the template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Step {
    pub id: String,
    pub kind: String,
    pub name: String,
    pub depends_on: Vec<usize>,
    /// The id of its entry in the list of operations.
    pub operation: String,
    pub state: StepState,
}

/// Where a step stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum StepState {
    Waiting,
    Running {
        since: Time,
        until: Until,
        status: u16,
    },
    Succeeded {
        since: Time,
        at: Time,
        status: u16,
    },
    /// The error is the whole status message.
    Failed {
        since: Time,
        at: Time,
        status: u16,
        error: Value,
    },
}

/// What a running step waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Until {
    At(Time),
    /// A nested deployment; the key.
    Deployment(String),
}

/// The key of a deployment in the state's map.
pub(super) fn key(subscription: &str, group: &str, name: &str) -> String {
    format!("{}/providers/{DEPLOYMENT}/{name}", group_id(subscription, group)).to_lowercase()
}

/// Addresses in a group: `rest` is what follows `deployments`.
pub(super) fn route(world: &mut World, ask: &Ask<'_>, subscription: &str, group: &str, rest: &[&str]) -> Reply {
    if let Some(refusal) = resource_type(DEPLOYMENT).and_then(|kind| super::router::version_problem(kind, &ask.version))
    {
        return refusal;
    }
    let Some(known) = world.state.groups.get(&group_key(subscription, group)) else { return group_not_found(group) };
    if known.deleting && ask.method.writes() {
        let state = "is in deprovisioning state and cannot perform this operation.";
        return gateway(409, "ResourceGroupBeingDeleted", format!("The resource group '{group}' {state}"));
    }
    let (subscription, group) = (known.subscription.clone(), known.name.clone());
    let [name, more @ ..] = rest else {
        return match ask.method {
            Method::Get => show::list(world, ask, &subscription, &group),
            other => method_not_allowed(other.as_str()),
        };
    };
    let key = key(&subscription, &group, name);
    let more: Vec<String> = more.iter().map(|part| part.to_lowercase()).collect();
    match (ask.method, more.iter().map(String::as_str).collect::<Vec<_>>().as_slice()) {
        (Method::Put, []) | (Method::Post, ["validate"]) => match ask.body() {
            Ok(body) => {
                let (now, version) = (ask.now, ask.version.as_str());
                let order = Order { now, version, subscription: &subscription, group: &group, name, body: &body };
                if ask.method == Method::Put { put(world, &order) } else { validate(world, &order) }
            }
            Err(refusal) => refusal,
        },
        (Method::Post, ["cancel"]) => cancel(world, ask.now, &key, name),
        (Method::Post, ["exporttemplate"]) => match world.state.deployments.get(&key) {
            Some(deployment) => Reply::json(200, json!({"template": deployment.template})),
            None => not_found(name),
        },
        (Method::Post, [other]) => {
            error(404, "NotFound", format!("The local Azure has no action '{other}' of deployments."))
        }
        (Method::Get, []) => match world.state.deployments.get(&key) {
            Some(deployment) => Reply::json(200, body(world, deployment)),
            None => not_found(name),
        },
        (Method::Head, []) => Reply::empty(if world.state.deployments.contains_key(&key) { 204 } else { 404 }),
        (Method::Delete, []) => delete(world, &key, name),
        (Method::Get, ["operations", tail @ ..]) => match world.state.deployments.get(&key) {
            Some(deployment) => show::operations(deployment, tail.first().copied()),
            None => not_found(name),
        },
        (Method::Get, ["operationstatuses", _]) => match world.state.deployments.get(&key) {
            Some(deployment) => poll(deployment),
            None => not_found(name),
        },
        (other, _) => method_not_allowed(other.as_str()),
    }
}

fn not_found(name: &str) -> Reply {
    gateway(404, "DeploymentNotFound", format!("Deployment '{name}' could not be found."))
}

/// What a PUT or a validation orders, from a request or from the parent of a nested deployment.
pub(super) struct Order<'a> {
    pub now: Time,
    pub version: &'a str,
    pub subscription: &'a str,
    pub group: &'a str,
    pub name: &'a str,
    pub body: &'a Value,
}

fn validate(world: &mut World, order: &Order<'_>) -> Reply {
    let checked = match check::check(world, order) {
        Ok(checked) => checked,
        Err(refusal) => return refusal,
    };
    let correlation = guid(&world.hash(&["validate", &order.now.0.to_string(), order.name]));
    let mut properties = checked.facts;
    if let Value::Object(map) = &mut properties {
        map.insert("mode".into(), "Incremental".into());
        map.insert("provisioningState".into(), "Succeeded".into());
        map.insert("timestamp".into(), "0001-01-01T00:00:00Z".into());
        map.insert("duration".into(), "PT0S".into());
        map.insert("correlationId".into(), correlation.into());
        let resources: Vec<Value> = checked.steps.iter().map(|step| json!({"id": step.id})).collect();
        map.insert("validatedResources".into(), resources.into());
    }
    let id = format!("{}/providers/{DEPLOYMENT}/{}", group_id(order.subscription, order.group), order.name);
    Reply::json(200, json!({"id": id, "name": order.name, "type": DEPLOYMENT, "properties": properties}))
}

/// Takes a deployment. It begins a moment later.
pub(super) fn put(world: &mut World, order: &Order<'_>) -> Reply {
    let key = key(order.subscription, order.group, order.name);
    let known = world.state.deployments.get(&key);
    if let Some(known) = known.filter(|known| known.state.is_active()) {
        let started = known.started.rfc3339();
        let message = format!(
            "Unable to edit or replace deployment '{}': previous deployment from '{started}' is still active. Please see https://aka.ms/arm-deploy for usage details.",
            known.name
        );
        return gateway(409, "DeploymentActive", message);
    }
    let status = if known.is_some() { 200 } else { 201 };
    let name = known.map_or(order.name, |known| &known.name).to_string();
    let checked = match check::check(world, order) {
        Ok(checked) => checked,
        Err(refusal) => return refusal,
    };
    let correlation = world.new_guid("correlation");
    let left = (i64::MAX as u64).saturating_sub(ticks(order.now)).saturating_sub(world.state.serial);
    let deployment = Deployment {
        id: format!("{}/providers/{DEPLOYMENT}/{name}", group_id(order.subscription, order.group)),
        subscription: order.subscription.to_string(),
        group: order.group.to_string(),
        name,
        version: order.version.to_string(),
        tags: order.body.get("tags").filter(|tags| !tags.is_null()).cloned(),
        template: checked.template,
        parameters: checked.parameters,
        facts: checked.facts,
        ticks: format!("{left:020}"),
        correlation,
        started: order.now,
        changed: order.now,
        state: Phase::Accepted,
        finishes: None,
        steps: checked.steps,
        outputs: None,
        error: None,
    };
    let poll = format!(
        "{}{}/operationStatuses/{}?api-version={}{}",
        world.origin,
        deployment.id.replacen("/resourceGroups/", "/resourcegroups/", 1),
        deployment.ticks,
        order.version,
        world.signature(order.now, &deployment.ticks)
    );
    let reply = Reply::json(status, body(world, &deployment)).header("Azure-AsyncOperation", poll);
    world.prepared.remove(&key);
    world.state.deployments.insert(key, deployment);
    reply
}

fn cancel(world: &mut World, now: Time, key: &str, name: &str) -> Reply {
    let Some(deployment) = world.state.deployments.get_mut(key) else { return not_found(name) };
    if !deployment.state.is_active() {
        let message = format!(
            "The deployment '{name}' cannot be cancelled because the provisioning state of the deployment is '{}'.",
            deployment.state.word()
        );
        return gateway(409, "DeploymentCannotBeCancelled", message);
    }
    deployment.state = Phase::Canceled;
    deployment.changed = now;
    deployment.finishes = None;
    let id = deployment.id.clone();
    // nested deployments that it waits for are cancelled with it
    let nested: Vec<String> = deployment
        .steps
        .iter()
        .filter_map(|step| match &step.state {
            StepState::Running { until: Until::Deployment(key), .. } => Some(key.clone()),
            _ => None,
        })
        .collect();
    for key in nested {
        cancel(world, now, &key, name);
    }
    run::wake(world, now, key, run::Outcome::Ended("Canceled", None), &id);
    Reply::empty(204)
}

fn delete(world: &mut World, key: &str, name: &str) -> Reply {
    match world.state.deployments.get(key) {
        Some(deployment) if deployment.state.is_active() => {
            let message = format!("The deployment '{name}' is still active and cannot be deleted.");
            gateway(409, "DeploymentActive", message)
        }
        _ => {
            world.state.deployments.remove(key);
            Reply::empty(204)
        }
    }
}
