//! A deployment in time: it begins, its steps start and end, it finishes.

use super::check::{self, error_of};
use super::errors::{failure, unfinished};
use super::{Deployment, Order, Phase, StepState, Until, known};
use crate::azure::World;
use crate::azure::engine::{Node, Prepared, Runtime, Target, TemplateError};
use crate::azure::faults;
use crate::azure::groups;
use crate::azure::ids::{Url, parse_id};
use crate::azure::reply::Reply;
use crate::azure::router::{Call, call_provider, route, show};
use crate::catalogue::{Operation, newest, resource_type};
use crate::time::{Duration, Time};
use crate::wire::{Method, Request};
use serde_json::{Value, json};

/// How long a deployment is only accepted, and how long the evaluation of its outputs takes.
const MOMENT: Duration = Duration::from_secs(1);

/// What exists, for the template's expressions.
pub(super) struct Look<'a> {
    pub world: &'a World,
}

impl Runtime for Look<'_> {
    fn resource(&self, id: &str, api_version: Option<&str>) -> Option<Value> {
        let key = id.to_lowercase();
        if let Some(deployment) = self.world.state.deployments.get(&key) {
            return Some(super::body(self.world, deployment, api_version.unwrap_or(&deployment.version)));
        }
        if let Some(group) = self.world.state.groups.get(&key) {
            return Some(groups::show(group));
        }
        let resource = self.world.state.resources.get(&key)?;
        let version = api_version.or_else(|| newest(&resource.kind)).unwrap_or("");
        Some(show(resource, version))
    }

    fn list(&self, function: &str, id: &str, api_version: &str) -> Option<Value> {
        let mut world = self.world.clone();
        let call = Call {
            now: Time::ZERO,
            method: Method::Post,
            id: parse_id(id)?.recased(&world.state),
            version: api_version.to_string(),
            url: Url::default(),
            if_match: None,
            body: Value::Null,
            action: function.to_lowercase(),
            takes: Duration::ZERO,
        };
        let reply = call_provider(&mut world, &call);
        if reply.is_success() { reply.body.map(|body| *body) } else { None }
    }
}

/// When the next thing happens to a deployment, and which.
pub(in crate::azure) enum Next {
    Begin,
    EndStep(usize),
    Finish,
}

impl Deployment {
    pub(in crate::azure) fn next(&self, world: &World) -> Option<(Time, Next)> {
        match self.state {
            Phase::Accepted => Some((self.started + world.scaled(MOMENT), Next::Begin)),
            Phase::Running | Phase::Canceled => {
                let step = self.steps.iter().enumerate().filter_map(|(i, step)| match &step.state {
                    StepState::Running { until: Until::At(at), .. } => Some((*at, i)),
                    _ => None,
                });
                let step = step.min().map(|(at, i)| (at, Next::EndStep(i)));
                let finish = self.finishes.map(|at| (at, Next::Finish));
                step.into_iter().chain(finish).min_by_key(|(at, _)| *at)
            }
            Phase::Succeeded | Phase::Failed => None,
        }
    }
}

pub(in crate::azure) fn begin(world: &mut World, at: Time, key: &str) {
    if let Some(deployment) = world.state.deployments.get_mut(key) {
        deployment.state = Phase::Running;
        deployment.changed = at;
    }
    launch(world, at, key);
}

pub(in crate::azure) fn end_step(world: &mut World, at: Time, key: &str, index: usize) {
    if let Some(step) = world.state.deployments.get(key).and_then(|deployment| deployment.steps.get(index))
        && let StepState::Running { since, status, .. } = step.state
    {
        let operation = step.operation.clone();
        let state = faults::step_end(world, at, &operation, StepState::Succeeded { since, at, status });
        if let Some(step) = world.state.deployments.get_mut(key).and_then(|deployment| deployment.steps.get_mut(index))
        {
            step.state = state;
        }
    }
    launch(world, at, key);
}

/// Starts every step whose dependencies have ended; with none running any more, the end is near.
fn launch(world: &mut World, at: Time, key: &str) {
    let Some(deployment) = world.state.deployments.get(key) else { return };
    if deployment.state != Phase::Running {
        return;
    }
    let ended = |i: &usize| matches!(deployment.steps.get(*i).map(|s| &s.state), Some(StepState::Succeeded { .. }));
    let ready: Vec<usize> = deployment
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.state == StepState::Waiting && step.depends_on.iter().all(ended))
        .map(|(i, _)| i)
        .collect();
    let prepared = if ready.is_empty() { None } else { check::again(world, key) };
    for i in ready {
        let state = start(world, at, prepared.as_deref(), i);
        let version =
            prepared.as_deref().and_then(|prepared| prepared.nodes().get(i)).map(|node| node.api_version.clone());
        let step = world.state.deployments.get(key).and_then(|deployment| deployment.steps.get(i));
        let (id, operation) = step.map(|step| (step.id.clone(), step.operation.clone())).unwrap_or_default();
        let state = faults::step(world, at, &id, version.as_deref(), &operation, state);
        if let Some(step) = world.state.deployments.get_mut(key).and_then(|d| d.steps.get_mut(i)) {
            step.state = state;
        }
    }
    let pause = world.scaled(MOMENT);
    if let Some(deployment) = world.state.deployments.get_mut(key)
        && !deployment.steps.iter().any(|step| matches!(step.state, StepState::Running { .. }))
    {
        deployment.finishes = Some(at + pause);
    }
}

fn start(world: &mut World, now: Time, prepared: Option<&Prepared>, i: usize) -> StepState {
    let failed =
        |status: u16, error: Value| StepState::Failed { since: now, at: now, status, error: json!({ "error": error }) };
    let Some((prepared, node)) = prepared.and_then(|prepared| prepared.nodes().get(i).map(|node| (prepared, node)))
    else {
        return failed(400, json!({"code": "InvalidTemplate", "message": "The template cannot be evaluated again."}));
    };
    let body = match prepared.body(i, &Look { world }) {
        Ok(body) => body,
        Err(problem) => return failed(status_of(&problem), problem.to_value()),
    };
    let kind = resource_type(&node.type_);
    let takes = kind.map_or(MOMENT, |kind| kind.duration());
    let (reply, until) = match &node.nested {
        Some(target) => nested(world, now, &node.api_version, target, &node.name, &body),
        None => (resource(world, now, node, body, takes), None),
    };
    if !reply.is_success() {
        return failed(reply.status, error_of(&reply));
    }
    let operation = reply.operation.as_ref().and_then(|key| world.state.operations.get(key));
    // a write that would be followed and is not has found nothing to do
    let idle = kind.is_some_and(|kind| kind.operation != Operation::Synchronous);
    let ends = operation.map_or(now + world.scaled(if idle { MOMENT } else { takes }), |operation| operation.ends);
    StepState::Running { since: now, until: until.unwrap_or(Until::At(ends)), status: reply.status }
}

fn status_of(problem: &TemplateError) -> u16 {
    if problem.code == "ResourceNotFound" { 404 } else { 400 }
}

fn resource(world: &mut World, now: Time, node: &Node, body: Value, takes: Duration) -> Reply {
    let Some(id) = parse_id(&node.id) else { return elsewhere(world, now, node, &body) };
    let call = Call {
        now,
        method: Method::Put,
        id: id.recased(&world.state),
        version: node.api_version.clone(),
        url: Url::default(),
        if_match: None,
        body,
        action: String::new(),
        takes,
    };
    call_provider(world, &call)
}

/// A resource that stands in no group, or on another resource: a request like any other.
fn elsewhere(world: &mut World, now: Time, node: &Node, body: &Value) -> Reply {
    let url = format!("{}?api-version={}", node.id, node.api_version);
    route(world, now, &Request::arm(Method::Put, url).json(body))
}

fn nested(
    world: &mut World,
    now: Time,
    version: &str,
    target: &Target,
    name: &str,
    body: &Value,
) -> (Reply, Option<Until>) {
    let target = match known(world, target) {
        Ok(target) => target,
        Err(refusal) => return (refusal, None),
    };
    let order = Order { now, version, target: &target, name, body };
    let reply = super::put(world, &order);
    (reply, Some(Until::Deployment(super::key(&target, name))))
}

/// Evaluates the outputs, or gathers the errors; whoever waits for the deployment goes on.
pub(in crate::azure) fn finish(world: &mut World, at: Time, key: &str) {
    let Some(deployment) = world.state.deployments.get(key).cloned() else { return };
    let failed = deployment.steps.iter().any(|step| matches!(step.state, StepState::Failed { .. }));
    let result = match failed {
        true => Err(failure(&deployment)),
        false => outputs(world, key),
    };
    let result = result.and_then(|outputs| {
        let fault = faults::deployment(world, at, &deployment.id, &deployment.version);
        fault.map_or(Ok(outputs), Err)
    });
    let Some(deployment) = world.state.deployments.get_mut(key) else { return };
    deployment.finishes = None;
    if deployment.state == Phase::Running {
        deployment.changed = at;
        match result {
            Ok(outputs) => {
                deployment.state = Phase::Succeeded;
                deployment.outputs = Some(outputs);
            }
            Err(error) => {
                deployment.state = Phase::Failed;
                deployment.error = Some(error);
            }
        }
    }
    let child = deployment.id.clone();
    let outcome = match deployment.state {
        Phase::Succeeded => Outcome::Succeeded,
        state => Outcome::Ended(state.word(), deployment.error.clone()),
    };
    wake(world, at, key, outcome, &child);
}

/// Takes deployments away with their group. Whoever waits for one outside of it is told.
pub(in crate::azure) fn remove(world: &mut World, at: Time, under: &str) {
    let gone: Vec<(String, String)> = world
        .state
        .deployments
        .iter()
        .filter(|(key, _)| key.starts_with(under))
        .map(|(key, deployment)| (key.clone(), deployment.id.clone()))
        .collect();
    world.state.deployments.retain(|key, _| !key.starts_with(under));
    for (key, id) in gone {
        wake(world, at, &key, Outcome::Ended("Deleted", None), &id);
    }
}

/// How a nested deployment ended, for its parent.
pub(super) enum Outcome {
    Succeeded,
    /// The state, and the error where there is one.
    Ended(&'static str, Option<Value>),
}

/// Ends the steps that waited for a nested deployment.
pub(super) fn wake(world: &mut World, at: Time, key: &str, outcome: Outcome, child: &str) {
    let waits = |state: &StepState| matches!(state, StepState::Running { until: Until::Deployment(k), .. } if k == key);
    let parents: Vec<(String, usize)> = world
        .state
        .deployments
        .iter()
        .flat_map(|(parent, deployment)| {
            let steps = deployment.steps.iter().enumerate().filter(|(_, step)| waits(&step.state));
            steps.map(|(i, _)| (parent.clone(), i)).collect::<Vec<_>>()
        })
        .collect();
    for (parent, i) in parents {
        let version = world.state.deployments.get(&parent).map_or(String::new(), |parent| parent.version.clone());
        if let Some(step) = world.state.deployments.get_mut(&parent).and_then(|d| d.steps.get_mut(i))
            && let StepState::Running { since, status, .. } = step.state
        {
            step.state = match &outcome {
                Outcome::Succeeded => StepState::Succeeded { since, at, status },
                Outcome::Ended(state, error) => StepState::Failed {
                    since,
                    at,
                    status: 409,
                    error: unfinished(&version, child, state, error.clone()),
                },
            };
        }
        launch(world, at, &parent);
    }
}

fn outputs(world: &mut World, key: &str) -> Result<Value, Value> {
    let Some(prepared) = check::again(world, key) else {
        return Err(json!({"code": "InvalidTemplate", "message": "The template cannot be evaluated again."}));
    };
    prepared.outputs(&Look { world }).map_err(|problem| problem.to_value())
}
