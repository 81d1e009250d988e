//! Template deployments to a resource group or a subscription: taken, run step by step in time, shown.
//!
//! A step is one resource of the template. It starts when what it depends on has ended, goes through the same provider as
//! a request would, and ends when its operation does. What fails does not start what depends on it; everything else
//! goes on, and then the deployment fails with the whole tree of errors.
//!
//! - `check` what is looked at before a deployment is taken; `run` a deployment in time; `show` what answers show
//! - `errors` trees of errors, as each api-version nests them; `history` lists, and how much of it is kept
//! - `whatif` what a deployment would change; `export` a template of what is there
//!
//! Deliberately absent, and refused by name: the mode Complete, linked templates, deployments to management groups and
//! tenants.

mod check;
mod errors;
mod export;
mod history;
mod run;
mod show;
mod whatif;

pub(super) use export::export;
pub(super) use run::{Next, begin, end_step, finish, remove};
pub(super) use show::{body, poll};

use super::World;
use super::engine::Target;
use super::ids::{group_id, group_key};
use super::json::{locate, read as read_json};
use super::lro::{Effect, Follow, Start};
use super::reply::{Reply, error, gateway, group_not_found, method_not_allowed};
use super::router::{Ask, group_problem, version_problem};
use super::shape::{guid, short_location, ticks};
use crate::catalogue::{not_older, resource_type};
use crate::time::{Duration, Time};
use crate::wire::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) const DEPLOYMENT: &str = "Microsoft.Resources/deployments";

/// How long a deployment that was not finished keeps its name to itself.
const EXPIRY: Duration = Duration::from_secs(7 * 24 * 3600);

/// How large a request may be.
const MOST: usize = 4 * 1024 * 1024;

/// How long a deployment takes to be forgotten.
const FORGETTING: Duration = Duration::from_secs(15);

/// A deployment, running or ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Deployment {
    pub id: String,
    pub subscription: String,
    /// None for a deployment to the subscription itself.
    #[serde(default)]
    pub group: Option<String>,
    /// Where a deployment to a subscription keeps its own data.
    #[serde(default)]
    pub location: Option<String>,
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

impl Deployment {
    /// Where it deploys to.
    pub fn target(&self) -> Target {
        Target { subscription: self.subscription.clone(), resource_group: self.group.clone() }
    }
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

impl StepState {
    /// When it was started or ended, if it was.
    const fn changed(&self) -> Option<Time> {
        match self {
            StepState::Waiting => None,
            StepState::Running { since: at, .. } | StepState::Succeeded { at, .. } | StepState::Failed { at, .. } => {
                Some(*at)
            }
        }
    }
}

/// What a running step waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Until {
    At(Time),
    /// A nested deployment; the key.
    Deployment(String),
}

/// The id of where deployments stand: a group, or a subscription.
pub(super) fn base(target: &Target) -> String {
    match &target.resource_group {
        Some(group) => group_id(&target.subscription, group),
        None => format!("/subscriptions/{}", target.subscription),
    }
}

/// The id of a deployment.
pub(super) fn id(target: &Target, name: &str) -> String {
    format!("{}/providers/{DEPLOYMENT}/{name}", base(target))
}

/// The key of a deployment in the state's map.
pub(super) fn key(target: &Target, name: &str) -> String {
    id(target, name).to_lowercase()
}

/// The target in the case in which Azure keeps it, or the refusal where there is no such group.
pub(super) fn known(world: &World, target: &Target) -> Result<Target, Reply> {
    let Some(group) = &target.resource_group else { return Ok(target.clone()) };
    match world.state.groups.get(&group_key(&target.subscription, group)) {
        Some(known) => {
            Ok(Target { subscription: known.subscription.clone(), resource_group: Some(known.name.clone()) })
        }
        None => Err(group_not_found(group)),
    }
}

/// Addresses of deployments in a group or a subscription: `rest` is what follows `deployments`.
pub(super) fn route(world: &mut World, ask: &Ask<'_>, target: &Target, rest: &[&str]) -> Reply {
    if let Some(refusal) = resource_type(DEPLOYMENT).and_then(|kind| version_problem(kind, &ask.version)) {
        return refusal;
    }
    let target = match known(world, target) {
        Ok(target) => target,
        Err(refusal) => return refusal,
    };
    if let Some(group) = &target.resource_group
        && let Some(refusal) = group_problem(world, ask.method, &target.subscription, group)
    {
        return refusal;
    }
    let [name, more @ ..] = rest else {
        return match ask.method {
            Method::Get => history::list(world, ask, &target),
            other => method_not_allowed(other.as_str()),
        };
    };
    let key = key(&target, name);
    let more: Vec<String> = more.iter().map(|part| part.to_lowercase()).collect();
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    if let (Method::Put, []) | (Method::Post, ["validate" | "whatif"]) = (ask.method, more.as_slice()) {
        let text = String::from_utf8_lossy(&ask.request.body);
        let text = text.trim_start_matches('\u{feff}');
        let body = match read(text) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let order = Order { now: ask.now, version: &ask.version, target: &target, name, body: &body };
        let reply = match (ask.method, more.as_slice()) {
            (Method::Put, _) => put(world, &order),
            (_, ["whatif"]) => whatif::post(world, &order),
            _ => validate(world, &order),
        };
        return placed(reply, text);
    }
    match (ask.method, more.as_slice()) {
        (Method::Delete, []) => return delete(world, ask, &key, name),
        (Method::Head, []) => {
            return Reply::empty(if world.state.deployments.contains_key(&key) { 204 } else { 404 });
        }
        _ => {}
    }
    let Some(deployment) = world.state.deployments.get(&key) else { return not_found(name) };
    match (ask.method, more.as_slice()) {
        (Method::Get, []) => Reply::json(200, body(world, deployment, &ask.version)),
        (Method::Get, ["operations"]) => show::operations(deployment, ask),
        (Method::Get, ["operations", id]) => show::operation(deployment, id, &ask.version),
        (Method::Get, ["operationstatuses", _]) => poll(deployment),
        (Method::Post, ["exporttemplate"]) => Reply::json(200, json!({"template": show::template(deployment)})),
        (Method::Post, ["cancel"]) => cancel(world, ask.now, &key, name),
        (Method::Post, [other]) => {
            error(404, "NotFound", format!("The local Azure has no action '{other}' of deployments."))
        }
        (other, _) => method_not_allowed(other.as_str()),
    }
}

/// Reads the text of a request, which azure-cli does not write as JSON.
fn read(text: &str) -> Result<Value, Reply> {
    if text.len() > MOST {
        return Err(gateway(
            413,
            "RequestContentTooLarge",
            "The request content size exceeds the maximum size of 4 MB.",
        ));
    }
    read_json(text).map_err(|problem| {
        let message = "The request content was invalid and could not be deserialized";
        gateway(400, "InvalidRequestContent", format!("{message}: '{problem}'."))
    })
}

/// Says where in the text of a request the fault is that a refusal names by its path.
fn placed(mut reply: Reply, text: &str) -> Reply {
    let Some(body) = reply.body.as_deref_mut() else { return reply };
    let path = body.pointer("/error/additionalInfo/0/info/path").and_then(Value::as_str);
    let Some((line, position)) = path.and_then(|path| locate(text, path)) else { return reply };
    if let Some(Value::String(message)) = body.pointer_mut("/error/message") {
        *message = message.replace("at line '1' and column '0'", &format!("at line '{line}' and column '{position}'"));
    }
    if let Some(info) = body.pointer_mut("/error/additionalInfo/0/info") {
        info["lineNumber"] = line.into();
        info["linePosition"] = position.into();
    }
    reply
}

fn not_found(name: &str) -> Reply {
    gateway(404, "DeploymentNotFound", format!("Deployment '{name}' could not be found."))
}

/// What a PUT or a validation orders, from a request or from the parent of a nested deployment.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    pub now: Time,
    pub version: &'a str,
    /// In the case in which Azure keeps it.
    pub target: &'a Target,
    pub name: &'a str,
    pub body: &'a Value,
}

impl Order<'_> {
    /// The location of a deployment to a subscription.
    fn location(&self) -> Option<String> {
        let location = self.body.get("location").and_then(Value::as_str).filter(|location| !location.is_empty())?;
        Some(short_location(location)).filter(|_| self.target.resource_group.is_none())
    }
}

fn validate(world: &mut World, order: &Order<'_>) -> Reply {
    let checked = match check::check(world, order) {
        Ok(checked) => checked,
        Err(refusal) => return refusal,
    };
    let correlation = guid(&world.hash(&["validate", &order.now.0.to_string(), order.name]));
    let mut properties = checked.facts;
    // recorded: a group's since 2022 have no date
    let dated = order.target.resource_group.is_none() || !not_older(order.version, "2022-09-01");
    if let Value::Object(map) = &mut properties {
        // recorded: 'Accepted' in 2016
        let word = if not_older(order.version, "2018-05-01") { "Succeeded" } else { "Accepted" };
        let at = if dated { super::shape::stamp(order.now) } else { "0001-01-01T00:00:00Z".into() };
        map.insert("provisioningState".into(), word.into());
        map.insert("timestamp".into(), at.into());
        map.insert("duration".into(), "PT0S".into());
        map.insert("correlationId".into(), correlation.into());
        for name in ["providers", "dependencies"] {
            let moved = map.shift_remove(name).unwrap_or_else(|| json!([]));
            map.insert(name.into(), moved);
        }
        let resources: Vec<Value> = checked.resources.iter().map(|id| json!({ "id": id })).collect();
        map.insert("validatedResources".into(), resources.into());
    }
    let head =
        show::head(&id(order.target, order.name), order.name, order.version, order.location(), order.body.get("tags"));
    Reply::json(200, show::with_properties(head, properties))
}

/// Takes a deployment. It begins a moment later.
pub(super) fn put(world: &mut World, order: &Order<'_>) -> Reply {
    let key = key(order.target, order.name);
    let known = world.state.deployments.get(&key);
    if let Some(known) = known {
        if known.state.is_active() {
            let message = format!(
                "Unable to edit or replace deployment '{}': previous deployment from '{}' is still active (expiration time is '{}'). Please see https://aka.ms/arm-deploy for usage details.",
                known.name,
                super::shape::date_of_the_us(known.started),
                super::shape::date_of_the_us(known.started + EXPIRY)
            );
            return gateway(409, "DeploymentActive", message);
        }
        if let (Some(there), Some(sent)) = (&known.location, order.body.get("location").and_then(Value::as_str))
            && *there != short_location(sent)
        {
            let message = format!(
                "Invalid deployment location '{}'. The deployment '{}' already exists in location '{there}'.",
                short_location(sent),
                known.name
            );
            return gateway(409, "InvalidDeploymentLocation", message);
        }
    }
    let status = if known.is_some() { 200 } else { 201 };
    let name = known.map_or(order.name, |known| &known.name).to_string();
    let checked = match check::check(world, order) {
        Ok(checked) => checked,
        Err(refusal) => return refusal,
    };
    if status == 201
        && let Some(refusal) = history::make_room(world, order)
    {
        return refusal;
    }
    let correlation = world.new_guid("correlation");
    let left = (i64::MAX as u64).saturating_sub(ticks(order.now)).saturating_sub(world.state.serial);
    let deployment = Deployment {
        id: id(order.target, &name),
        subscription: order.target.subscription.clone(),
        group: order.target.resource_group.clone(),
        location: order.location(),
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
    let reply = Reply::json(status, body(world, &deployment, order.version)).header("Azure-AsyncOperation", poll);
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

fn delete(world: &mut World, ask: &Ask<'_>, key: &str, name: &str) -> Reply {
    let Some(deployment) = world.state.deployments.get(key) else { return Reply::empty(204) };
    if deployment.state.is_active() {
        let message = format!("The deployment '{name}' is still active and cannot be deleted.");
        return gateway(409, "DeploymentActive", message);
    }
    let (id, target) = (deployment.id.clone(), deployment.target());
    let group = world.state.groups.get(&base(&target).to_lowercase()).map(|group| group.location.clone());
    let location = deployment.location.clone().or(group).unwrap_or_default();
    world.state.deployments.remove(key);
    world.start(
        Reply::empty(202),
        Start {
            now: ask.now,
            follow: Follow::Forgetting,
            target: &id,
            name,
            location: &location,
            version: &ask.version,
            takes: FORGETTING,
            effect: Effect::Nothing,
        },
    )
}
