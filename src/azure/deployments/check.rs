//! What Azure looks at before it takes a deployment: the template, and what providers say up front.
//!
//! A nested deployment is looked into as far as its parameters are known before anything runs; what only running can
//! tell is met while running.

use super::{DEPLOYMENT, Order, Step, StepState, base, known};
use crate::azure::World;
use crate::azure::cognitive::{accounts, deployments};
use crate::azure::engine::{self, Prepared, ResourceGroup, Scope, Target, TemplateError, prepare};
use crate::azure::ids::{Kind, ResourceId, group_id, group_key, parse_id};
use crate::azure::reply::{Reply, gateway};
use crate::azure::router::{location_problem, type_problem};
use crate::azure::shape::{guid, hex, short_location};
use crate::catalogue::{self, resource_type};
use crate::time::Time;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const GROUP: &str = "Microsoft.Resources/resourceGroups";

/// A template that was found good.
pub(super) struct Checked {
    pub template: Value,
    pub parameters: Value,
    pub facts: Value,
    pub steps: Vec<Step>,
    /// The ids of what will be written, those of nested deployments after their parents'.
    pub resources: Vec<String>,
}

pub(super) fn check(world: &World, order: &Order<'_>) -> Result<Checked, Reply> {
    let asked = asked(order)?;
    let mut findings = Findings::default();
    let scope = scope(world, order, &findings.groups);
    let prepared = prepare(asked.template, &asked.parameters, &scope).map_err(|problem| refused(&problem))?;
    look_into(world, order, &prepared, &mut findings)?;
    if !findings.details.is_empty() {
        return Err(invalid(world, order, findings.details));
    }
    let mut facts = json!({
        "templateHash": engine::template_hash(asked.template),
        "parameters": with_nulls(prepared.parameters()),
        "mode": "Incremental",
        "providers": with_short_locations(prepared.providers()),
        "dependencies": prepared.dependencies(),
    });
    if let (Some(setting), Value::Object(facts)) = (asked.debug, &mut facts) {
        facts.insert("debugSetting".into(), setting.clone());
    }
    let template = asked.template.clone();
    Ok(Checked {
        template,
        parameters: asked.parameters,
        facts,
        steps: steps(order, &prepared),
        resources: findings.resources,
    })
}

/// What a body asks for.
pub(super) struct Asked<'a> {
    pub template: &'a Value,
    pub parameters: Value,
    debug: Option<&'a Value>,
}

/// Reads a body, and refuses what is no deployment.
pub(super) fn asked<'a>(order: &Order<'a>) -> Result<Asked<'a>, Reply> {
    let refuse = |code: &str, message: String| Err(gateway(400, code, message));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.()".contains(c);
    if order.name.is_empty() || order.name.len() > 64 || !order.name.chars().all(plain) {
        let message = format!(
            "The deployment name '{}' is not valid: it has from 1 to 64 letters, digits, '-', '_', '.', '(' or ')'.",
            order.name
        );
        return refuse("InvalidDeployment", message);
    }
    if order.target.resource_group.is_none() {
        match order.location() {
            None => {
                let page = "https://aka.ms/arm-deployment-subscription";
                let message = format!(
                    "The 'location' property must be specified for '{}'. Please see {page} for usage details.",
                    order.name
                );
                return refuse("InvalidDeployment", message);
            }
            Some(location) if catalogue::region(&location).is_none() => {
                return refuse("LocationNotAvailableForDeployment", not_available(&location, "deployment"));
            }
            Some(_) => {}
        }
    }
    let properties = order.body.get("properties");
    let given = |name: &str| properties?.get(name).filter(|value| !value.is_null());
    let mode = given("mode").and_then(Value::as_str).unwrap_or("");
    if !mode.eq_ignore_ascii_case("Incremental") {
        let message = match mode {
            "" => "The deployment mode is required.".to_string(),
            mode => format!("The local Azure deploys in mode 'Incremental' only, not '{mode}'."),
        };
        return refuse("InvalidDeployment", message);
    }
    for name in ["templateLink", "parametersLink", "onErrorDeployment"] {
        if given(name).is_some() {
            return refuse("InvalidDeployment", format!("The local Azure does not support '{name}' of a deployment."));
        }
    }
    let Some(template) = given("template") else {
        return refuse("InvalidRequestContent", "The template of the deployment is required.".into());
    };
    let parameters = given("parameters").map_or(Ok(json!({})), parameters)?;
    Ok(Asked { template, parameters, debug: given("debugSetting") })
}

/// The parameters without members that are null: a parameter that is null is one that is not given. Whoever sends a whole
/// file of parameters hears of its first member.
fn parameters(sent: &Value) -> Result<Value, Reply> {
    const MEMBERS: [&str; 4] = ["value", "reference", "expression", "metadata"];
    const KIND: &str = "DeploymentParameterDefinition";
    let refuse = |what: String, path: &str| {
        let message = "The request content was invalid and could not be deserialized";
        let message = format!("{message}: '{what}. Path 'properties.parameters{path}'.'.");
        Err(gateway(400, "InvalidRequestContent", message))
    };
    let Some(all) = sent.as_object() else { return refuse(format!("Error converting value {sent} to an object"), "") };
    let mut out = Map::new();
    for (name, parameter) in all {
        let Some(members) = parameter.as_object() else {
            return refuse(format!("Error converting value {parameter} to type '{KIND}'"), &format!(".{name}"));
        };
        if let Some(member) = members.keys().find(|key| !MEMBERS.iter().any(|known| known.eq_ignore_ascii_case(key))) {
            let what = format!("Could not find member '{member}' on object of type '{KIND}'");
            return refuse(what, &format!(".{name}.{member}"));
        }
        let mut members = members.clone();
        members.retain(|_, value| !value.is_null());
        out.insert(name.clone(), members.into());
    }
    Ok(out.into())
}

fn not_available(location: &str, what: &str) -> String {
    let known: Vec<&str> = catalogue::REGIONS.iter().map(|region| region.name).collect();
    format!(
        "The provided location '{location}' is not available for {what}. List of available regions is '{}'.",
        known.join(",")
    )
}

/// The parameters as they are shown until the deployment begins: those that are null say so.
fn with_nulls(mut parameters: Value) -> Value {
    for parameter in parameters.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let secure = parameter.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("Secure"));
        if let (Value::Object(parameter), false) = (parameter, secure) {
            parameter.entry("value").or_insert(Value::Null);
        }
    }
    parameters
}

fn with_short_locations(mut providers: Value) -> Value {
    let members = |value: &mut Value, name: &str| -> Vec<Value> {
        value.get_mut(name).and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default()
    };
    for provider in providers.as_array_mut().into_iter().flatten() {
        let mut kinds = members(provider, "resourceTypes");
        for kind in &mut kinds {
            let mut short: Vec<Value> = Vec::new();
            for location in members(kind, "locations") {
                let location = location.as_str().map_or(Value::Null, |location| short_location(location).into());
                if !short.contains(&location) {
                    short.push(location);
                }
            }
            kind["locations"] = short.into();
        }
        provider["resourceTypes"] = kinds.into();
    }
    providers
}

/// Where a deployment stands, as its expressions see it. A group that is yet to be made is as its maker says.
pub(super) fn scope(world: &World, order: &Order<'_>, made: &Groups) -> Scope {
    let Target { subscription, resource_group } = order.target;
    let group = resource_group.as_ref().and_then(|group| {
        let key = group_key(subscription, group);
        let there = world.state.groups.get(&key).map(|there| ResourceGroup {
            id: group_id(&there.subscription, &there.name),
            name: there.name.clone(),
            location: there.location.clone(),
            tags: there.body.get("tags").cloned().unwrap_or_else(|| json!({})),
        });
        there.or_else(|| made.get(&key).cloned())
    });
    let digest = world.hash(&["newGuid", &order.now.0.to_string(), order.name]);
    Scope {
        subscription: subscription.clone(),
        resource_group: group,
        management_group: None,
        deployment_name: order.name.to_string(),
        location: order.location(),
        tenant: world.state.tenant.clone(),
        now: order.now,
        seed: digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte)),
    }
}

/// The template of a deployment that was taken, once more: read once while time advances, for it may have hundreds of
/// steps.
pub(super) fn again(world: &mut World, key: &str) -> Option<Arc<Prepared>> {
    if let Some(prepared) = world.prepared.get(key) {
        return Some(prepared.clone());
    }
    let deployment = world.state.deployments.get(key)?;
    let target = known(world, &deployment.target()).ok()?;
    let body = json!({ "location": deployment.location });
    let order = Order {
        now: deployment.started,
        version: &deployment.version,
        target: &target,
        name: &deployment.name,
        body: &body,
    };
    let scope = scope(world, &order, &Groups::new());
    let prepared = Arc::new(prepare(&deployment.template, &deployment.parameters, &scope).ok()?);
    world.prepared.insert(key.to_owned(), prepared.clone());
    Some(prepared)
}

pub(super) fn refused(problem: &TemplateError) -> Reply {
    let mut error = problem.to_value();
    // the path is that of the request
    if let Some(Value::String(path)) = error.pointer_mut("/additionalInfo/0/info/path") {
        *path = match path.as_str() {
            "" => "properties.template".into(),
            path => format!("properties.template.{path}"),
        };
    }
    let mut reply = gateway(400, problem.code, "");
    reply.body = Some(Box::new(json!({ "error": error })));
    reply
}

fn steps(order: &Order<'_>, prepared: &Prepared) -> Vec<Step> {
    use sha2::{Digest, Sha256};
    prepared
        .nodes()
        .iter()
        .map(|node| {
            let digest: [u8; 32] = Sha256::digest(format!("{}{}", order.name, node.id.to_lowercase())).into();
            Step {
                id: node.id.clone(),
                kind: resource_type(&node.type_).map_or(node.type_.clone(), |kind| kind.name.to_string()),
                name: node.name.clone(),
                depends_on: node.depends_on.clone(),
                operation: hex(&digest[..8]).to_uppercase(),
                state: StepState::Waiting,
            }
        })
        .collect()
}

/// Groups that a template makes, by their keys.
pub(super) type Groups = BTreeMap<String, ResourceGroup>;

/// What was found on the way through a template and what is nested in it.
#[derive(Default)]
struct Findings {
    groups: Groups,
    resources: Vec<String>,
    details: Vec<Value>,
}

fn invalid(world: &World, order: &Order<'_>, details: Vec<Value>) -> Reply {
    let tracking = guid(&world.hash(&["tracking", &order.now.0.to_string(), order.name]));
    let message = format!(
        "The template deployment '{}' is not valid according to the validation procedure. The tracking id is '{tracking}'. See inner errors for details.",
        order.name
    );
    let mut reply = gateway(400, "InvalidTemplateDeployment", "");
    let error = json!({"code": "InvalidTemplateDeployment", "message": message, "details": details});
    reply.body = Some(Box::new(json!({ "error": error })));
    reply
}

/// What providers refuse before anything is deployed. Then there is no deployment, and no operation to list.
fn look_into(world: &World, order: &Order<'_>, prepared: &Prepared, found: &mut Findings) -> Result<(), Reply> {
    found.groups.extend(made_groups(world, prepared));
    found.resources.extend(prepared.nodes().iter().map(|node| node.id.clone()));
    for i in 0..prepared.nodes().len() {
        let problems = preflight(world, order, prepared, i);
        found.details.extend(problems.iter().map(detail));
    }
    for child in children(world, order.now, prepared, &found.groups)? {
        let order = Order {
            now: order.now,
            version: &child.version,
            target: &child.target,
            name: &child.name,
            body: &child.body,
        };
        look_into(world, &order, &child.prepared, found)?;
    }
    Ok(())
}

/// The groups that a template makes itself.
pub(super) fn made_groups(world: &World, prepared: &Prepared) -> Groups {
    let look = super::run::Look { world };
    let mut groups = Groups::new();
    for (i, node) in prepared.nodes().iter().enumerate() {
        if node.type_.eq_ignore_ascii_case(GROUP) {
            let body = prepared.body(i, &look).unwrap_or(Value::Null);
            let made = ResourceGroup {
                id: node.id.clone(),
                name: node.name.clone(),
                location: short_location(node.location.as_deref().unwrap_or("")),
                tags: body.get("tags").cloned().unwrap_or_else(|| json!({})),
            };
            groups.insert(node.id.to_lowercase(), made);
        }
    }
    groups
}

/// A nested deployment whose template can be read before anything runs.
pub(super) struct Child {
    pub target: Target,
    pub version: String,
    pub name: String,
    pub body: Value,
    pub prepared: Prepared,
}

/// The nested deployments of a template as far as they are known before anything runs. One that would be refused when
/// it is written refuses the whole.
pub(super) fn children(world: &World, now: Time, prepared: &Prepared, made: &Groups) -> Result<Vec<Child>, Reply> {
    let look = super::run::Look { world };
    let mut children = Vec::new();
    for (i, node) in prepared.nodes().iter().enumerate() {
        let Some(target) = &node.nested else { continue };
        // what refers to something that is not there yet is known only later
        let Ok(body) = prepared.body(i, &look) else { continue };
        let target = match known(world, target) {
            Ok(target) => target,
            Err(refusal) => match made.get(&base(target).to_lowercase()) {
                Some(_) => target.clone(),
                None => return Err(refusal),
            },
        };
        let order = Order { now, version: &node.api_version, target: &target, name: &node.name, body: &body };
        let asked = asked(&order)?;
        let scope = scope(world, &order, made);
        let prepared = prepare(asked.template, &asked.parameters, &scope).map_err(|problem| refused(&problem))?;
        children.push(Child { target, version: node.api_version.clone(), name: node.name.clone(), body, prepared });
    }
    Ok(children)
}

/// What is wrong with one resource, as far as its provider says so up front.
fn preflight(world: &World, order: &Order<'_>, prepared: &Prepared, i: usize) -> Vec<Reply> {
    let node = &prepared.nodes()[i];
    let kind = Kind::new(&node.type_);
    if let Some(refusal) = type_problem(world, &kind, &node.api_version) {
        return vec![refusal];
    }
    if kind.name == DEPLOYMENT {
        return Vec::new();
    }
    if kind.name == GROUP {
        let location = node.location.as_deref().unwrap_or("");
        if order.target.resource_group.is_some() {
            let message = format!("The resource group '{}' is made by a deployment to a subscription only.", node.name);
            return vec![gateway(400, "InvalidTemplate", message)];
        }
        return match (location, catalogue::region(location)) {
            ("", _) => vec![gateway(400, "LocationRequired", "The location property is required for this definition.")],
            (_, None) => {
                let message = not_available(location, "resource group");
                vec![gateway(400, "LocationNotAvailableForResourceGroup", message)]
            }
            (_, Some(_)) => Vec::new(),
        };
    }
    let fits = |id: &ResourceId| kind.extends() || (id.on.is_none() && !id.group.is_empty());
    let Some(id) = parse_id(&node.id).filter(fits) else {
        let message = format!("The local Azure does not deploy '{}' outside of a resource group.", node.type_);
        return vec![gateway(400, "InvalidTemplate", message)];
    };
    let look = super::run::Look { world };
    let body = || prepared.body(i, &look).ok();
    let mut problems: Vec<Reply> = location_problem(world, &id, node.location.as_deref()).into_iter().collect();
    if kind.name == "Microsoft.CognitiveServices/accounts" {
        problems.extend(body().and_then(|body| accounts::soft_deleted(world, &id.text(), &body)));
    }
    if kind.name == "Microsoft.CognitiveServices/accounts/deployments" {
        let location = location(world, &id.top(), prepared);
        let short =
            |body: Value| deployments::short_of_quota(world, &id.clone().recased(&world.state), &location, &body);
        problems.extend(body().and_then(short));
    }
    problems
}

/// Where an account stands, or will stand.
fn location(world: &World, account: &ResourceId, prepared: &Prepared) -> String {
    if let Some(there) = world.state.resources.get(&account.key()) {
        return there.text("location").to_owned();
    }
    let made = prepared.nodes().iter().find(|node| node.id.to_lowercase() == account.key());
    made.and_then(|node| node.location.clone()).unwrap_or_default()
}

fn detail(refusal: &Reply) -> Value {
    let error = refusal.body.as_ref().and_then(|body| body.get("error")).cloned();
    let mut error = error.unwrap_or_else(|| json!({"code": "Unknown", "message": ""}));
    if let Value::Object(map) = &mut error {
        map.retain(|_, value| !value.is_null());
    }
    error
}

/// The members of an error that are not null, without which Azure shows it in a deployment.
pub(super) fn error_of(reply: &Reply) -> Value {
    match detail(reply) {
        Value::Object(map) => Value::Object(map),
        _ => Value::Object(Map::new()),
    }
}
