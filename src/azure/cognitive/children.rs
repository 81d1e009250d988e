//! What else hangs on an account: content filters (`raiPolicies`) and projects. Both are kept as they were sent, with
//! what recorded answers add.

use super::accounts;
use crate::azure::World;
use crate::azure::lro::system_data;
use crate::azure::reply::{Reply, error, method_not_allowed, resource_not_found};
use crate::azure::router::Call;
use crate::azure::shape::{guid, hex, object, patched};
use crate::azure::state::Resource;
use crate::time::Time;
use crate::wire::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(in crate::azure) const PROJECT: &str = "Microsoft.CognitiveServices/accounts/projects";
pub(in crate::azure) const FILTER: &str = "Microsoft.CognitiveServices/accounts/raiPolicies";

/// Filters that Azure itself gives to every account.
const BUILT_IN: [&str; 2] = ["Microsoft.Default", "Microsoft.DefaultV2"];

pub(in crate::azure) fn handle(world: &mut World, call: &Call) -> Reply {
    let key = call.key();
    let is_filter = call.id.kind.name == FILTER;
    let built_in = is_filter && BUILT_IN.iter().any(|name| name.eq_ignore_ascii_case(call.id.name()));
    if built_in {
        return match call.method {
            Method::Get => Reply::json(200, show(&system_filter(call))),
            _ => error(400, "BadRequest", format!("The content filter '{}' is Azure's own.", call.id.name())),
        };
    }
    match (call.method, world.state.resources.get(&key)) {
        (Method::Get, Some(known)) => Reply::json(200, show(known)).etag(&known.etag),
        (Method::Get | Method::Patch, None) if is_filter => {
            error(404, "NotFound", format!("Specified resource '{}' cannot be found.", call.id.text()))
        }
        (Method::Get | Method::Patch, None) => resource_not_found(&call.id.short(), &call.id.group),
        (Method::Put, _) => write(world, call, &call.body),
        (Method::Patch, Some(known)) => {
            let body = patched(&known.body, &call.body);
            write(world, call, &body)
        }
        (Method::Delete, None) => Reply::empty(204),
        (Method::Delete, Some(_)) => {
            world.state.take(&key);
            Reply::empty(200)
        }
        (method, _) => method_not_allowed(method.as_str()),
    }
}

/// As every answer shows it: a project is called by its account too.
pub(in crate::azure) fn show(child: &Resource) -> Value {
    let name = match child.kind.as_str() {
        PROJECT => child.id.split('/').nth(8).map(|account| format!("{account}/{}", child.name)),
        _ => None,
    };
    let mut body = Map::from_iter([
        ("id".to_string(), child.id.clone().into()),
        ("name".to_string(), name.unwrap_or_else(|| child.name.clone()).into()),
        ("type".to_string(), child.kind.clone().into()),
        ("etag".to_string(), format!("\"{}\"", child.etag).into()),
    ]);
    body.extend(child.body.clone());
    body.insert("systemData".into(), system_data(child.created, child.changed));
    Value::Object(body)
}

fn system_filter(call: &Call) -> Resource {
    let properties = json!({"type": "SystemManaged", "mode": "Blocking", "basePolicyName": "", "contentFilters": []});
    resource(call, Map::from_iter([("properties".to_string(), properties)]), String::new(), call.now)
}

fn resource(call: &Call, body: Map<String, Value>, etag: String, created: Time) -> Resource {
    Resource {
        id: call.id.text(),
        name: call.id.name().to_string(),
        kind: call.id.kind.name.clone(),
        etag,
        created,
        changed: call.now,
        body,
        hidden: BTreeMap::new(),
        busy: Time::ZERO,
    }
}

fn write(world: &mut World, call: &Call, sent: &Value) -> Reply {
    let Some(account) = world.state.resources.get(&call.id.top().key()) else {
        return resource_not_found(&call.id.top().short(), &call.id.group);
    };
    if let Some(refusal) = accounts::conflict(account, call.now) {
        return refusal;
    }
    let key = call.key();
    let known = world.state.resources.get(&key).cloned();
    let mut properties = object(sent.get("properties"));
    properties.retain(|_, value| !value.is_null());
    let mut body = Map::new();
    if call.id.kind.name == FILTER {
        let mode = properties.get("mode").and_then(Value::as_str).unwrap_or("Default");
        let modes = ["Default", "Deferred", "Blocking", "Asynchronous_filter"];
        if !modes.iter().any(|known| known.eq_ignore_ascii_case(mode)) {
            let message = format!("The mode '{mode}' of a content filter is not one of '{}'.", modes.join("', '"));
            return error(400, "InvalidResourceProperties", message);
        }
        properties.insert("type".into(), "UserManaged".into());
    } else {
        let kind = account.text("kind").to_string();
        if kind != "AIServices" || account.at("properties/allowProjectManagement") != &Value::Bool(true) {
            let message = "Projects need an account of kind 'AIServices' with 'allowProjectManagement' true.";
            return error(400, "BadRequest", message);
        }
        let domain = account.text("properties/customSubDomainName").to_string();
        let under = format!("{}/projects/", call.id.top().key());
        let first = known.is_none() && world.state.children(&under, PROJECT).next().is_none();
        let location = known.as_ref().map_or_else(|| sent.get("location").cloned(), |k| Some(k.at("location").clone()));
        let kept = known.as_ref().map(|known| known.at("properties").clone()).unwrap_or_default();
        let address = format!("https://{domain}.services.ai.azure.com/api/projects/{}", call.id.name());
        properties.insert("endpoints".into(), json!({ "AI Foundry API": address }));
        properties.insert("isDefault".into(), kept.get("isDefault").cloned().unwrap_or_else(|| first.into()));
        let internal = kept.get("internalId").cloned();
        let internal = internal.unwrap_or_else(|| hex(&world.fresh("project")[..16]).into());
        properties.insert("internalId".into(), internal);
        properties.insert("provisioningState".into(), "Succeeded".into());
        body.insert("location".into(), location.unwrap_or_default());
        body.insert("kind".into(), kind.into());
        let identity = world.identity(sent.get("identity"), known.as_ref().map(|known| known.at("identity")));
        if !identity.is_null() {
            body.insert("identity".into(), identity);
        }
    }
    body.insert("properties".into(), properties.into());
    if let Some(tags) = sent.get("tags").filter(|tags| !tags.is_null()) {
        body.insert("tags".into(), tags.clone());
    }
    let etag = match call.id.kind.name.as_str() {
        PROJECT => world.new_account_etag(call.now),
        _ => guid(&world.fresh("filter etag")),
    };
    let created = known.as_ref().map_or(call.now, |known| known.created);
    let child = resource(call, body, etag.clone(), created);
    let reply = Reply::json(if known.is_some() { 200 } else { 201 }, show(&child)).etag(&etag);
    world.state.resources.insert(key, child);
    reply
}
