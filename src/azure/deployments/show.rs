//! Deployments and their operations as answers show them.

use super::{DEPLOYMENT, Deployment, Phase, Step, StepState};
use crate::azure::World;
use crate::azure::engine::output_name;
use crate::azure::ids::group_id;
use crate::azure::reply::{Reply, error, gateway};
use crate::azure::router::Ask;
use crate::azure::shape::{guid, span, stamp};
use crate::time::Time;
use serde_json::{Map, Value, json};

/// A deployment; outputs and the resources that it made only when it has succeeded.
pub(in crate::azure) fn body(world: &World, deployment: &Deployment) -> Value {
    let duration = match deployment.state {
        Phase::Accepted => "PT0.0001311S".to_string(),
        _ => span(deployment.changed.since(deployment.started)),
    };
    let mut properties = Map::new();
    let fact = |name: &str| deployment.facts.get(name).cloned().unwrap_or(Value::Null);
    for name in ["templateHash", "parameters", "mode"] {
        properties.insert(name.into(), fact(name));
    }
    properties.insert("provisioningState".into(), deployment.state.word().into());
    properties.insert("timestamp".into(), stamp(deployment.changed).into());
    properties.insert("duration".into(), duration.into());
    properties.insert("correlationId".into(), deployment.correlation.clone().into());
    for name in ["providers", "dependencies"] {
        properties.insert(name.into(), fact(name));
    }
    if let Some(Value::Object(outputs)) = &deployment.outputs {
        let outputs: Map<String, Value> =
            outputs.iter().map(|(name, value)| (output_name(name), value.clone())).collect();
        if !outputs.is_empty() {
            properties.insert("outputs".into(), outputs.into());
        }
    }
    if deployment.state == Phase::Succeeded {
        let mut made = Vec::new();
        resources(world, deployment, &mut made);
        properties.insert("outputResources".into(), made.into());
    }
    if let Some(error) = &deployment.error {
        properties.insert("error".into(), error.clone());
    }
    let mut body = Map::from_iter([
        ("id".to_string(), Value::from(deployment.id.clone())),
        ("name".to_string(), deployment.name.clone().into()),
        ("type".to_string(), DEPLOYMENT.into()),
    ]);
    if let Some(tags) = &deployment.tags {
        body.insert("tags".into(), tags.clone());
    }
    body.insert("properties".into(), properties.into());
    Value::Object(body)
}

/// The ids of what was made, those of nested deployments in their place.
fn resources(world: &World, deployment: &Deployment, made: &mut Vec<Value>) {
    for step in deployment.steps.iter().filter(|step| matches!(step.state, StepState::Succeeded { .. })) {
        match world.state.deployments.get(&step.id.to_lowercase()) {
            // a deployment cannot hold itself: its own name is active while it runs
            Some(nested) if step.kind == DEPLOYMENT && nested.id != deployment.id => resources(world, nested, made),
            _ => {
                let id = world.state.resources.get(&step.id.to_lowercase()).map_or(&step.id, |kept| &kept.id);
                made.push(json!({ "id": id }));
            }
        }
    }
}

/// The answer of `Azure-AsyncOperation`: bare.
pub(in crate::azure) fn poll(deployment: &Deployment) -> Reply {
    let mut body = json!({"status": deployment.state.word()});
    if let (Value::Object(map), Some(error)) = (&mut body, &deployment.error) {
        map.insert("error".into(), error.clone());
    }
    Reply::json(200, body)
}

pub(super) fn list(world: &World, ask: &Ask<'_>, subscription: &str, group: &str) -> Reply {
    let filter = ask.url.query("$filter").unwrap_or("");
    let wanted = match filter.split_once("provisioningState eq '").and_then(|(_, rest)| rest.split_once('\'')) {
        Some((word, _)) => Some(word),
        None if filter.is_empty() => None,
        None => return error(400, "InvalidFilterInQueryString", format!("Invalid $filter '{filter}' specified.")),
    };
    let top = ask.url.query("$top").and_then(|top| top.parse().ok()).unwrap_or(usize::MAX);
    let under = format!("{}/", group_id(subscription, group)).to_lowercase();
    let mut found: Vec<&Deployment> = world
        .state
        .deployments
        .iter()
        .filter(|(key, deployment)| {
            key.starts_with(&under) && wanted.is_none_or(|word| word.eq_ignore_ascii_case(deployment.state.word()))
        })
        .map(|(_, deployment)| deployment)
        .collect();
    found.sort_by_key(|deployment| std::cmp::Reverse(deployment.changed));
    let value: Vec<Value> = found.into_iter().take(top).map(|deployment| body(world, deployment)).collect();
    Reply::json(200, json!({ "value": value }))
}

/// All operations of a deployment, or one.
pub(super) fn operations(deployment: &Deployment, wanted: Option<&str>) -> Reply {
    let mut shown: Vec<Value> = deployment.steps.iter().filter_map(|step| operation(deployment, step)).collect();
    shown.extend(outputs_operation(deployment));
    match wanted {
        None => Reply::json(200, json!({ "value": shown })),
        Some(id) => {
            let same = |value: &Value| {
                value.get("operationId").and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(id))
            };
            match shown.into_iter().find(same) {
                Some(found) => Reply::json(200, found),
                None => {
                    let name = &deployment.name;
                    gateway(
                        404,
                        "DeploymentOperationNotFound",
                        format!("Deployment operation '{id}' of '{name}' could not be found."),
                    )
                }
            }
        }
    }
}

/// One resource's operation; none while it waits.
fn operation(deployment: &Deployment, step: &Step) -> Option<Value> {
    let (word, since, at, status, message) = match &step.state {
        StepState::Waiting => return None,
        StepState::Running { since, status, .. } => ("Running", *since, *since, *status, None),
        StepState::Succeeded { since, at, status } => ("Succeeded", *since, *at, *status, None),
        StepState::Failed { since, at, status, error } => ("Failed", *since, *at, *status, Some(error)),
    };
    let mut properties = head("Create", word, since, at, status);
    properties.insert("trackingId".into(), tracking(deployment, &step.operation).into());
    properties.insert("serviceRequestId".into(), tracking(deployment, &step.name).into());
    properties.insert("statusCode".into(), status_word(status).into());
    if let Some(message) = message {
        properties.insert("statusMessage".into(), message.clone());
    }
    properties
        .insert("targetResource".into(), json!({"id": step.id, "resourceType": step.kind, "resourceName": step.name}));
    Some(entry(deployment, &step.operation, properties))
}

/// The last operation, that of the outputs: it has no target.
fn outputs_operation(deployment: &Deployment) -> Option<Value> {
    let (word, status) = match deployment.state {
        Phase::Succeeded => ("Succeeded", 200),
        Phase::Failed => ("Failed", 409),
        _ => return None,
    };
    let mut properties = head("EvaluateDeploymentOutput", word, deployment.changed, deployment.changed, status);
    properties.insert("trackingId".into(), tracking(deployment, &deployment.ticks).into());
    properties.insert("statusCode".into(), status_word(status).into());
    if deployment.state == Phase::Failed {
        let steps = deployment.steps.iter().any(|step| matches!(step.state, StepState::Failed { .. }));
        let message = match steps {
            true => "Template output evaluation skipped: at least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.".into(),
            false => json!({"error": deployment.error}),
        };
        properties.insert("statusMessage".into(), message);
    }
    Some(entry(deployment, &deployment.ticks, properties))
}

fn head(what: &str, word: &str, since: Time, at: Time, _status: u16) -> Map<String, Value> {
    Map::from_iter([
        ("provisioningOperation".to_string(), Value::from(what)),
        ("provisioningState".to_string(), word.into()),
        ("timestamp".to_string(), stamp(at).into()),
        ("duration".to_string(), span(at.since(since)).into()),
    ])
}

fn entry(deployment: &Deployment, id: &str, properties: Map<String, Value>) -> Value {
    json!({"id": format!("{}/operations/{id}", deployment.id), "operationId": id, "properties": properties})
}

fn tracking(deployment: &Deployment, what: &str) -> String {
    use sha2::{Digest, Sha256};
    guid(&Sha256::digest(format!("{}{}{what}", deployment.correlation, deployment.ticks)).into())
}

fn status_word(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        400 => "BadRequest",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        412 => "PreconditionFailed",
        _ => "InternalServerError",
    }
}
