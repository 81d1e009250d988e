//! Deployments, their templates and their operations as answers show them.

use super::errors::{outputs_skipped, status_word};
use super::{DEPLOYMENT, Deployment, Phase, Step, StepState};
use crate::azure::World;
use crate::azure::engine::output_name;
use crate::azure::reply::{Reply, gateway};
use crate::azure::router::Ask;
use crate::azure::shape::{guid, span, stamp};
use crate::catalogue::not_older;
use crate::time::Time;
use serde_json::{Map, Value, json};

/// A deployment; outputs and the resources that it made only when it has succeeded.
pub(in crate::azure) fn body(world: &World, deployment: &Deployment, version: &str) -> Value {
    let accepted = deployment.state == Phase::Accepted;
    let duration = match accepted {
        true => "PT0.0001311S".to_string(),
        false => span(deployment.changed.since(deployment.started)),
    };
    let mut properties = Map::new();
    let fact = |name: &str| deployment.facts.get(name).cloned();
    for name in ["templateHash", "parameters", "mode", "debugSetting"] {
        let shown = match fact(name) {
            // recorded: while a deployment has not begun, parameters that are null say so
            Some(parameters) if name == "parameters" && !accepted => without_nulls(parameters),
            fact => fact.unwrap_or(Value::Null),
        };
        if !shown.is_null() {
            properties.insert(name.into(), shown);
        }
    }
    properties.insert("provisioningState".into(), deployment.state.word().into());
    properties.insert("timestamp".into(), stamp(deployment.changed).into());
    properties.insert("duration".into(), duration.into());
    properties.insert("correlationId".into(), deployment.correlation.clone().into());
    for name in ["providers", "dependencies"] {
        properties.insert(name.into(), fact(name).unwrap_or_else(|| json!([])));
    }
    if let (Some(Value::Object(outputs)), true) = (&deployment.outputs, deployment.template.get("outputs").is_some()) {
        let outputs: Map<String, Value> =
            outputs.iter().map(|(name, value)| (output_name(name), value.clone())).collect();
        properties.insert("outputs".into(), outputs.into());
    }
    if deployment.state == Phase::Succeeded {
        let mut made = Vec::new();
        resources(world, deployment, &mut made);
        // recorded: by their ids, whatever was made first
        made.sort_by_key(|id| id.to_lowercase());
        let made: Value = made.into_iter().map(|id| json!({ "id": id })).collect();
        properties.insert("outputResources".into(), made);
    }
    if let Some(error) = &deployment.error {
        properties.insert("error".into(), error.clone());
    }
    let tags = deployment.tags.as_ref();
    with_properties(
        head(&deployment.id, &deployment.name, version, deployment.location.clone(), tags),
        properties.into(),
    )
}

/// What stands before the properties.
pub(super) fn head(
    id: &str,
    name: &str,
    version: &str,
    location: Option<String>,
    tags: Option<&Value>,
) -> Map<String, Value> {
    let mut head = Map::from_iter([("id".to_string(), Value::from(id)), ("name".to_string(), name.into())]);
    // recorded: no type in 2016
    if not_older(version, "2018-05-01") {
        head.insert("type".into(), DEPLOYMENT.into());
    }
    if let Some(location) = location {
        head.insert("location".into(), location.into());
    }
    if let Some(tags) = tags.filter(|tags| !tags.is_null()) {
        head.insert("tags".into(), tags.clone());
    }
    head
}

pub(super) fn with_properties(mut head: Map<String, Value>, properties: Value) -> Value {
    head.insert("properties".into(), properties);
    Value::Object(head)
}

fn without_nulls(mut parameters: Value) -> Value {
    for parameter in parameters.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(parameter) = parameter.as_object_mut() {
            parameter.retain(|_, value| !value.is_null());
        }
    }
    parameters
}

/// The ids of what was made, in nested deployments too.
fn resources(world: &World, deployment: &Deployment, made: &mut Vec<String>) {
    for step in deployment.steps.iter().filter(|step| matches!(step.state, StepState::Succeeded { .. })) {
        match world.state.deployments.get(&step.id.to_lowercase()) {
            // a deployment cannot hold itself: its own name is active while it runs
            Some(nested) if step.kind == DEPLOYMENT && nested.id != deployment.id => resources(world, nested, made),
            _ => {
                let id = world.state.resources.get(&step.id.to_lowercase()).map_or(&step.id, |kept| &kept.id);
                made.push(id.clone());
            }
        }
    }
}

/// The template as it is exported: types by their own names, the members of a resource in their usual order.
pub(super) fn template(deployment: &Deployment) -> Value {
    const ORDER: [&str; 14] = [
        "condition",
        "copy",
        "type",
        "apiVersion",
        "name",
        "scope",
        "location",
        "dependsOn",
        "tags",
        "sku",
        "kind",
        "identity",
        "properties",
        "resourceGroup",
    ];
    let mut template = deployment.template.clone();
    let typed = ["parameters", "outputs"].map(|section| section.to_string());
    for section in &typed {
        for one in template.get_mut(section).and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
            if let Some(kind) = one.get_mut("type")
                && let Some(name) = kind.as_str().and_then(type_name)
            {
                *kind = name.into();
            }
        }
    }
    let ordered = |resource: &mut Value| {
        if let Value::Object(members) = resource {
            let rank = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
            let mut all: Vec<(String, Value)> = std::mem::take(members).into_iter().collect();
            all.sort_by_key(|(name, _)| rank(name));
            members.extend(all);
        }
    };
    match template.get_mut("resources") {
        Some(Value::Array(resources)) => resources.iter_mut().for_each(ordered),
        Some(Value::Object(resources)) => resources.values_mut().for_each(ordered),
        _ => {}
    }
    template
}

/// The name of a type in Azure's own case.
fn type_name(word: &str) -> Option<&'static str> {
    const TYPES: [&str; 7] = ["String", "SecureString", "Int", "Bool", "Object", "SecureObject", "Array"];
    TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(word))
}

/// The answer of `Azure-AsyncOperation`: bare.
pub(in crate::azure) fn poll(deployment: &Deployment) -> Reply {
    let mut body = json!({"status": deployment.state.word()});
    if let (Value::Object(map), Some(error)) = (&mut body, &deployment.error) {
        map.insert("error".into(), error.clone());
    }
    Reply::json(200, body)
}

/// The operations of a deployment: what changed last comes first, and that of the outputs at the end.
pub(super) fn operations(deployment: &Deployment, ask: &Ask<'_>) -> Reply {
    let mut steps: Vec<&Step> = deployment.steps.iter().rev().collect();
    steps.sort_by_key(|step| std::cmp::Reverse(step.state.changed()));
    let mut shown: Vec<Value> = steps.into_iter().filter_map(|step| entry_of(deployment, step)).collect();
    shown.extend(outputs_operation(deployment, &ask.version));
    if let Some(top) = ask.url.query("$top").and_then(|top| top.parse().ok()) {
        shown.truncate(top);
    }
    Reply::json(200, json!({ "value": shown }))
}

/// One operation of a deployment.
pub(super) fn operation(deployment: &Deployment, id: &str, version: &str) -> Reply {
    let mut all = deployment.steps.iter().filter_map(|step| entry_of(deployment, step));
    let outputs = outputs_operation(deployment, version);
    let same = |value: &Value| {
        value.get("operationId").and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(id))
    };
    match all.find(same).or(outputs.filter(same)) {
        Some(found) => Reply::json(200, found),
        None => {
            let name = &deployment.name;
            let message = format!("Deployment operation '{id}' of '{name}' could not be found.");
            gateway(404, "DeploymentOperationNotFound", message)
        }
    }
}

/// One resource's operation; none while it waits.
fn entry_of(deployment: &Deployment, step: &Step) -> Option<Value> {
    let (word, since, at, status, message) = match &step.state {
        StepState::Waiting => return None,
        StepState::Running { since, status, .. } => ("Running", *since, *since, *status, None),
        StepState::Succeeded { since, at, status } => ("Succeeded", *since, *at, *status, None),
        StepState::Failed { since, at, status, error } => ("Failed", *since, *at, *status, Some(error)),
    };
    let mut properties = properties_of("Create", word, since, at);
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
fn outputs_operation(deployment: &Deployment, version: &str) -> Option<Value> {
    let (word, status) = match deployment.state {
        Phase::Succeeded => ("Succeeded", 200),
        Phase::Failed => ("Failed", 409),
        _ => return None,
    };
    let mut properties = properties_of("EvaluateDeploymentOutput", word, deployment.changed, deployment.changed);
    properties.insert("trackingId".into(), tracking(deployment, &deployment.ticks).into());
    properties.insert("statusCode".into(), status_word(status).into());
    if deployment.state == Phase::Failed {
        let steps = deployment.steps.iter().any(|step| matches!(step.state, StepState::Failed { .. }));
        let message = match steps {
            true => outputs_skipped(version).into(),
            false => json!({"error": deployment.error}),
        };
        properties.insert("statusMessage".into(), message);
    }
    Some(entry(deployment, &deployment.ticks, properties))
}

fn properties_of(what: &str, word: &str, since: Time, at: Time) -> Map<String, Value> {
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
