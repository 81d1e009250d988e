//! `accounts/deployments`: a model deployed. Synchronous, one at a time for an account.
//!
//! Deliberately absent: which region offers which model, and the end of a model's life.

use super::{accounts, usages};
use crate::azure::World;
use crate::azure::ids::ResourceId;
use crate::azure::lro::system_data;
use crate::azure::reply::{Reply, error, method_not_allowed};
use crate::azure::router::Call;
use crate::azure::shape::{cut_to_version, guid, object, patched};
use crate::azure::state::Resource;
use crate::catalogue::{Kind, Model, SKUS, is_provisioned, model, not_older, rpm_per_1k_tpm};
use crate::time::Time;
use crate::wire::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const UPGRADES: [&str; 3] = ["OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade"];

pub(in crate::azure) fn handle(world: &mut World, call: &Call) -> Reply {
    let key = call.key();
    match (call.method, world.state.resources.get(&key)) {
        (Method::Get, Some(known)) => Reply::json(200, show(known, &call.version)).etag(&known.etag),
        (Method::Get | Method::Patch, None) => {
            let message = format!("Specified resource '{}' cannot be found.", call.id.text());
            error(404, "NotFound", message)
        }
        (Method::Put, _) => write(world, call, &call.body),
        (Method::Patch, Some(known)) => {
            let body = patched(&known.body, &call.body);
            write(world, call, &body)
        }
        (Method::Delete, None) => Reply::empty(204),
        (Method::Delete, Some(_)) => {
            if let Some(refusal) = busy(world, call) {
                return refusal;
            }
            world.state.take(&key);
            hold(world, call);
            Reply::empty(200)
        }
        (method, _) => method_not_allowed(method.as_str()),
    }
}

/// A deployment as it is shown; before 2024 with fewer properties, and one of them spelled otherwise.
pub(in crate::azure) fn show(deployment: &Resource, version: &str) -> Value {
    let mut body = deployment.body.clone();
    if let Some(properties) = body.get_mut("properties") {
        cut_to_version(&deployment.kind, version, properties);
        if let (Value::Object(map), false) = (properties, not_older(version, "2023-10-01-preview")) {
            map.shift_remove("currentCapacity");
            map.shift_remove("raiPolicyName");
            if let Some(limits) = map.shift_remove("rateLimits") {
                map.insert("ratelimits".into(), limits);
            }
        }
    }
    let mut shown = Map::from_iter([
        ("id".to_string(), deployment.id.clone().into()),
        ("type".to_string(), deployment.kind.clone().into()),
        ("name".to_string(), deployment.name.clone().into()),
    ]);
    shown.extend(body);
    shown.insert("systemData".into(), system_data(deployment.created, deployment.changed));
    shown.insert("etag".into(), format!("\"{}\"", deployment.etag).into());
    Value::Object(shown)
}

/// Refuses a write while the account is written, or another of its deployments.
fn busy(world: &World, call: &Call) -> Option<Reply> {
    let account = world.state.resources.get(&call.id.top().key())?;
    accounts::conflict(account, call.now)
}

/// The account is taken for as long as the write takes.
fn hold(world: &mut World, call: &Call) {
    let until = call.now + world.scaled(call.takes);
    if let Some(account) = world.state.resources.get_mut(&call.id.top().key()) {
        account.busy = until;
    }
}

fn write(world: &mut World, call: &Call, body: &Value) -> Reply {
    if let Some(refusal) = busy(world, call) {
        return refusal;
    }
    let (sku, capacity, model) = match check(body) {
        Ok(checked) => checked,
        Err(refusal) => return refusal,
    };
    let account = world.state.resources.get(&call.id.top().key());
    let location = account.map_or_else(String::new, |account| account.text("location").to_owned());
    if let Some(refusal) = usages::problem(world, &call.id, &location, (sku, capacity, model)) {
        return refusal;
    }
    let kept = written(body, sku, capacity, model);
    let key = call.key();
    let known = world.state.resources.get(&key);
    let status = if known.is_some() { 200 } else { 201 };
    let created = known.map_or(call.now, |known| known.created);
    let etag = guid(&world.fresh("deployment etag"));
    let deployment = Resource {
        id: call.id.text(),
        name: call.id.name().to_string(),
        kind: call.id.kind.name.to_string(),
        etag: etag.clone(),
        created,
        changed: call.now,
        body: kept,
        hidden: BTreeMap::new(),
        busy: Time::ZERO,
    };
    let reply = Reply::json(status, show(&deployment, &call.version)).etag(&etag);
    world.state.resources.insert(key, deployment);
    hold(world, call);
    reply
}

/// What a template is refused for before anything is deployed: each deployment by itself against what is left now.
pub(in crate::azure) fn short_of_quota(world: &World, id: &ResourceId, location: &str, body: &Value) -> Option<Reply> {
    match check(body) {
        Ok(asked) => usages::problem(world, id, location, asked),
        Err(refusal) => Some(refusal),
    }
}

/// SKU, capacity and model of a body.
pub(super) type Asked = (&'static str, u64, &'static Model);

fn check(body: &Value) -> Result<Asked, Reply> {
    let sku = body.pointer("/sku/name").and_then(Value::as_str).unwrap_or("Standard");
    let capacity = body.pointer("/sku/capacity").map_or(Some(1), Value::as_u64);
    let sent = |name: &str| body.pointer(&format!("/properties/model/{name}")).and_then(Value::as_str);
    let (format, name, version) = (sent("format").unwrap_or(""), sent("name").unwrap_or(""), sent("version"));
    if format.is_empty() || name.is_empty() {
        return Err(error(400, "InvalidResourceProperties", "The model of a deployment needs 'format' and 'name'."));
    }
    let shown = format!("Format: {format}, Name: {name}, Version: {}", version.unwrap_or(""));
    let known = model(name, version).filter(|model| model.format.eq_ignore_ascii_case(format));
    let Some(known) = known else {
        let message = format!("The model '{shown}' of account deployment is not supported.");
        return Err(error(400, "DeploymentModelNotSupported", message));
    };
    let offered = SKUS.iter().map(|sku| sku.name).find(|offered| offered.eq_ignore_ascii_case(sku));
    let Some(offered) = offered.filter(|sku| !is_provisioned(sku) || known.provisioned.is_some()) else {
        let message = format!(
            "The specified SKU '{sku}' of account deployment is not supported by the model '{name}' version: '{}'.",
            known.version
        );
        return Err(error(400, "InvalidResourceProperties", message));
    };
    let least = known.units(offered).unwrap_or((1, 1));
    let (min, step) = (u64::from(least.0), u64::from(least.1));
    match capacity {
        Some(capacity) if capacity >= min && (capacity - min).is_multiple_of(step) => Ok((offered, capacity, known)),
        _ => {
            let message = format!(
                "The capacity of SKU '{offered}' for the model '{name}' must be at least {min} in steps of {step}."
            );
            Err(error(400, "InvalidCapacity", message))
        }
    }
}

fn written(body: &Value, sku: &str, capacity: u64, model: &Model) -> Map<String, Value> {
    let sent = object(body.get("properties"));
    let mut shown = object(sent.get("model"));
    shown.insert("version".into(), model.version.into());
    let upgrade = sent.get("versionUpgradeOption").and_then(Value::as_str);
    let upgrade = UPGRADES.into_iter().find(|known| upgrade.is_some_and(|sent| sent.eq_ignore_ascii_case(known)));
    let mut properties = Map::new();
    let mut put = |name: &str, value: Value| properties.insert(name.to_string(), value);
    put("model", shown.into());
    put("versionUpgradeOption", upgrade.unwrap_or(UPGRADES[0]).into());
    put("currentCapacity", capacity.into());
    put(
        "capabilities",
        match model.kind {
            Kind::Chat => {
                json!({"chatCompletion": "true", "jsonSchemaResponse": "true", "responses": "true", "assistants": "true"})
            }
            Kind::Embedding => json!({"embeddings": "true", "embeddingsMaxInputs": "2048"}),
            Kind::Media => json!({}),
        },
    );
    put("raiPolicyName", sent.get("raiPolicyName").cloned().unwrap_or("Microsoft.DefaultV2".into()));
    for name in ["spilloverDeploymentName", "serviceTier", "routing", "parentDeploymentName"] {
        if let Some(value) = sent.get(name).filter(|value| !value.is_null()) {
            put(name, value.clone());
        }
    }
    put("provisioningState", "Succeeded".into());
    if let Some((requests, thousands)) = rpm_per_1k_tpm(model.name, sku) {
        let per_minute = capacity * u64::from(requests) / u64::from(thousands);
        put(
            "rateLimits",
            json!([
                {"key": "request", "renewalPeriod": 10, "count": (per_minute / 6).max(1)},
                {"key": "token", "renewalPeriod": 60, "count": capacity * 1000},
            ]),
        );
    }
    let mut whole = Map::from_iter([("sku".to_string(), json!({"name": sku, "capacity": capacity}))]);
    if let Some(tags) = body.get("tags").filter(|tags| !tags.is_null()) {
        whole.insert("tags".into(), tags.clone());
    }
    whole.insert("properties".into(), properties.into());
    whole
}
