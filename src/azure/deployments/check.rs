//! What Azure looks at before it takes a deployment: the template, and what providers say up front.

use super::{DEPLOYMENT, Order, Step, StepState};
use crate::azure::World;
use crate::azure::cognitive::{accounts, deployments};
use crate::azure::engine::{self, Prepared, ResourceGroup, Scope, TemplateError, prepare};
use crate::azure::ids::{ResourceId, group_id, group_key, parse_id};
use crate::azure::reply::{Reply, gateway};
use crate::azure::router::{location_problem, unknown, version_problem};
use crate::azure::shape::{guid, hex};
use crate::catalogue::resource_type;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A template that was found good.
pub(super) struct Checked {
    pub template: Value,
    pub parameters: Value,
    pub facts: Value,
    pub steps: Vec<Step>,
}

pub(super) fn check(world: &World, order: &Order<'_>) -> Result<Checked, Reply> {
    let refuse = |code: &str, message: String| Err(gateway(400, code, message));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.()".contains(c);
    if order.name.is_empty() || order.name.len() > 64 || !order.name.chars().all(plain) {
        let message = format!(
            "The deployment name '{}' is not valid: it has from 1 to 64 letters, digits, '-', '_', '.', '(' or ')'.",
            order.name
        );
        return refuse("InvalidDeployment", message);
    }
    let properties = order.body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mode = properties.get("mode").and_then(Value::as_str).unwrap_or("");
    if !mode.eq_ignore_ascii_case("Incremental") {
        let message = match mode {
            "" => "The deployment mode is required.".to_string(),
            mode => format!("The local Azure deploys in mode 'Incremental' only, not '{mode}'."),
        };
        return refuse("InvalidDeployment", message);
    }
    if properties.contains_key("templateLink") || properties.contains_key("parametersLink") {
        return refuse("InvalidDeployment", "The local Azure has no linked templates.".into());
    }
    let Some(template) = properties.get("template") else {
        return refuse("InvalidRequestContent", "The template of the deployment is required.".into());
    };
    let parameters = properties.get("parameters").cloned().unwrap_or(json!({}));
    let Some(scope) = scope(world, order.subscription, order.group, order.name) else {
        return Err(crate::azure::reply::group_not_found(order.group));
    };
    let prepared = prepare(template, &parameters, &scope).map_err(|problem| refused(&problem))?;
    preflight(world, order, &prepared)?;
    let steps = steps(order, &prepared);
    let facts = json!({
        "templateHash": engine::template_hash(template),
        "parameters": prepared.parameters(),
        "mode": "Incremental",
        "providers": prepared.providers(),
        "dependencies": prepared.dependencies(),
    });
    Ok(Checked { template: template.clone(), parameters, facts, steps })
}

/// Where a deployment stands, as its expressions see it.
pub(super) fn scope(world: &World, subscription: &str, group: &str, name: &str) -> Option<Scope> {
    let group = world.state.groups.get(&group_key(subscription, group))?;
    Some(Scope {
        subscription: group.subscription.clone(),
        resource_group: Some(ResourceGroup {
            id: group_id(&group.subscription, &group.name),
            name: group.name.clone(),
            location: group.location.clone(),
            tags: group.body.get("tags").cloned().unwrap_or_else(|| json!({})),
        }),
        deployment_name: name.to_string(),
        location: None,
        tenant: world.state.tenant.clone(),
    })
}

/// The template of a deployment that was taken, once more: read once while time advances, for it may have hundreds of
/// steps.
pub(super) fn again(world: &mut World, key: &str) -> Option<Arc<Prepared>> {
    if let Some(prepared) = world.prepared.get(key) {
        return Some(prepared.clone());
    }
    let deployment = world.state.deployments.get(key)?;
    let scope = scope(world, &deployment.subscription, &deployment.group, &deployment.name)?;
    let prepared = Arc::new(prepare(&deployment.template, &deployment.parameters, &scope).ok()?);
    world.prepared.insert(key.to_owned(), prepared.clone());
    Some(prepared)
}

fn refused(problem: &TemplateError) -> Reply {
    let mut reply = gateway(400, problem.code, "");
    reply.body = Some(Box::new(json!({"error": problem.to_value()})));
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

/// What providers refuse before anything is deployed. Then there is no deployment, and no operation to list.
fn preflight(world: &World, order: &Order<'_>, prepared: &Prepared) -> Result<(), Reply> {
    let look = super::run::Look { world };
    let mut details = Vec::new();
    for (i, node) in prepared.nodes().iter().enumerate() {
        let Some(kind) = resource_type(&node.type_) else {
            details.push(detail(&unknown(&node.type_)));
            continue;
        };
        if let Some(refusal) = version_problem(kind, &node.api_version) {
            details.push(detail(&refusal));
            continue;
        }
        if kind.name == DEPLOYMENT || kind.namespace() == "Microsoft.Authorization" {
            continue;
        }
        let Some(id) = parse_id(&node.id) else {
            let message = format!("The local Azure does not deploy '{}' outside of a resource group.", node.type_);
            details.push(json!({"code": "InvalidTemplate", "message": message}));
            continue;
        };
        if let Some(refusal) = location_problem(world, &id, node.location.as_deref()) {
            details.push(detail(&refusal));
        }
        if kind.name == "Microsoft.CognitiveServices/accounts" {
            let body = prepared.body(i, &look).unwrap_or(Value::Null);
            details.extend(accounts::soft_deleted(world, &id.text(), &body).map(|refusal| detail(&refusal)));
        }
        if kind.name == "Microsoft.CognitiveServices/accounts/deployments" {
            let body = prepared.body(i, &look).unwrap_or(Value::Null);
            let location = location(world, &id.top(), prepared);
            let short = deployments::short_of_quota(world, &id.recased(&world.state), &location, &body);
            details.extend(short.map(|refusal| detail(&refusal)));
        }
    }
    if details.is_empty() {
        return Ok(());
    }
    let tracking = guid(&world.hash(&["tracking", &order.now.0.to_string(), order.name]));
    let message = format!(
        "The template deployment '{}' is not valid according to the validation procedure. The tracking id is '{tracking}'. See inner errors for details.",
        order.name
    );
    let error = json!({"code": "InvalidTemplateDeployment", "message": message, "details": details});
    Err(Reply::json(400, json!({ "error": error })))
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
