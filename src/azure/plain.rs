//! Resources that are kept as they were sent, with what their providers add: monitoring, networks, identities, vaults,
//! and whatever type a world was told to take without knowing it.
//!
//! One mechanism for all: a PUT makes or replaces, a PATCH merges, a DELETE takes away with everything under it. What a
//! provider adds is a function a type ([`dress`]); a write that is followed to its end is one by the catalogue's table.
//!
//! Deliberately absent: what these resources do. A vault holds no secrets, a network routes nothing, a rule never fires.

pub(super) mod network;
pub(super) mod observe;

use super::World;
use super::lro::{Effect, Follow, Start};
use super::reply::{Reply, error, gateway, resource_not_found};
use super::router::Call;
use super::shape::{guid, hex, object, patched, short_location};
use super::state::Resource;
use crate::catalogue::{Operation, ResourceType};
use crate::time::Time;
use crate::wire::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) use observe::WORKSPACE;

pub(super) const IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";

const CONTAINER_APP: &str = "Microsoft.App/containerApps";

/// Members of a body that are the gateway's or the provider's own.
const OWN: [&str; 5] = ["id", "name", "type", "etag", "systemData"];

pub(super) fn handle(world: &mut World, call: &Call) -> Reply {
    let key = call.key();
    let known = world.state.resources.get(&key);
    if call.method.writes()
        && let Some(refusal) = known.and_then(|known| network::busy(world, known))
    {
        return refusal;
    }
    match (call.method, known) {
        (Method::Get, Some(known)) => Reply { pretty: is_pretty(known), ..Reply::json(200, read(known, call)) },
        (Method::Head, known) => Reply::empty(if known.is_some() { 204 } else { 404 }),
        (Method::Put, _) => write(world, call, &call.body),
        (Method::Patch, Some(known)) => {
            let body = patched(&known.body, &call.body);
            write(world, call, &body)
        }
        (Method::Delete, Some(_)) => delete(world, call, &key),
        (Method::Delete, None) => Reply::empty(204),
        (Method::Post, Some(known)) => match observe::action(known, &call.action) {
            Some(reply) => reply,
            None => error(404, "NotFound", format!("The action '{}' is not known.", call.action)),
        },
        (Method::Get | Method::Patch | Method::Post, None) => resource_not_found(&call.id.short(), &call.id.group),
    }
}

/// A resource as every answer shows it.
pub(super) fn show(resource: &Resource) -> Value {
    // recorded: components of Application Insights have their provider in lower case
    let kind = match resource.kind.as_str() {
        observe::COMPONENT => observe::COMPONENT_SHOWN,
        kind => kind,
    };
    let mut body = Map::from_iter([
        ("id".to_string(), resource.id.clone().into()),
        ("name".to_string(), resource.name.clone().into()),
        ("type".to_string(), kind.into()),
    ]);
    if !resource.etag.is_empty() {
        body.insert("etag".into(), format!("\"{}\"", resource.etag).into());
    }
    body.extend(resource.body.clone());
    Value::Object(body)
}

/// What a GET shows: of a workbook nothing of its content unless that is asked for.
fn read(resource: &Resource, call: &Call) -> Value {
    let mut body = show(resource);
    let asked = call.url.query("canFetchContent").is_some_and(|asked| asked.eq_ignore_ascii_case("true"));
    if resource.kind == observe::WORKBOOK
        && !asked
        && let Some(Value::Object(properties)) = body.get_mut("properties")
    {
        properties.shift_remove("serializedData");
    }
    body
}

fn is_pretty(resource: &Resource) -> bool {
    resource.kind == observe::COMPONENT
}

fn write(world: &mut World, call: &Call, sent: &Value) -> Reply {
    let Some(members) = sent.as_object() else {
        let message = "The request content was invalid and could not be deserialized: a JSON object is required.";
        return gateway(400, "InvalidRequestContent", message);
    };
    let key = call.key();
    let known = match world.state.resources.get(&key) {
        Some(known) => Some(known.clone()),
        None => observe::recover(world, &key),
    };
    let mut body: Map<String, Value> = members
        .iter()
        .filter(|(name, value)| !value.is_null() && !OWN.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if let Some(location) = known.as_ref().map(|known| known.at("location")).filter(|kept| !kept.is_null()) {
        body.insert("location".into(), location.clone());
    }
    let identity = world.identity(sent.get("identity"), known.as_ref().map(|known| known.at("identity")));
    body.shift_remove("identity");
    if !identity.is_null() {
        body.insert("identity".into(), identity);
    }
    let mut properties = object(sent.get("properties"));
    properties.retain(|_, value| !value.is_null());
    body.insert("properties".into(), properties.into());
    let mut resource = Resource {
        id: shown_id(call),
        name: call.id.name().to_string(),
        kind: call.id.kind.name.clone(),
        etag: String::new(),
        created: known.as_ref().map_or(call.now, |known| known.created),
        changed: call.now,
        body,
        hidden: known.as_ref().map_or_else(BTreeMap::new, |known| known.hidden.clone()),
        busy: Time::ZERO,
    };
    if let Err(refusal) = dress(world, &mut resource, known.as_ref()) {
        return refusal;
    }
    let mut status = if world.state.resources.contains_key(&key) { 200 } else { 201 };
    let mut reply = Reply { pretty: is_pretty(&resource), ..Reply::json(status, show(&resource)) };
    match resource.kind.as_str() {
        // recorded: a new identity comes with an address that is no operation's
        IDENTITY if status == 201 => reply = reply.header("Location", resource.id.clone()),
        observe::SETTING => status = 200,
        _ => {}
    }
    reply.status = status;
    let location = resource.text("location").to_string();
    world.state.resources.insert(key.clone(), resource);
    network::wrote(world, &key);
    let followed = call.id.kind.known.filter(|kind| kind.operation != Operation::Synchronous);
    match followed {
        Some(kind) => follow(world, call, reply, kind, &location, Effect::Settle),
        None => reply,
    }
}

/// The id as the provider writes it.
fn shown_id(call: &Call) -> String {
    let id = call.id.text();
    match call.id.kind.name.as_str() {
        IDENTITY => id.replacen("/resourceGroups/", "/resourcegroups/", 1),
        observe::COMPONENT => {
            id.replacen("/providers/Microsoft.Insights/components/", "/providers/microsoft.insights/components/", 1)
        }
        _ => id,
    }
}

/// Adds what the provider of a type adds. `known` is what stood there before.
fn dress(world: &mut World, resource: &mut Resource, known: Option<&Resource>) -> Result<(), Reply> {
    match resource.kind.as_str() {
        IDENTITY => identity(world, resource),
        "Microsoft.KeyVault/vaults" => vault(world, resource),
        kind if kind.eq_ignore_ascii_case(CONTAINER_APP) => container_app(world, resource),
        kind if kind.starts_with("Microsoft.Network/") => network::dress(world, resource, known)?,
        kind if kind.starts_with("Microsoft.Insights/") || kind.starts_with("Microsoft.OperationalInsights/") => {
            observe::dress(world, resource, known)?;
        }
        _ => resource.set_property("provisioningState", "Succeeded"),
    }
    Ok(())
}

/// An identity's ids follow from its own, as what uses it shows them.
fn identity(world: &World, resource: &mut Resource) {
    let key = resource.id.to_lowercase();
    let (principal, client) = (world.hash(&["user identity", &key]), world.hash(&["user client", &key]));
    resource.body.entry("tags").or_insert_with(|| json!({}));
    let properties =
        json!({"tenantId": world.state.tenant, "principalId": guid(&principal), "clientId": guid(&client)});
    resource.body.insert("properties".into(), properties);
}

/// Published templates put mocks of Azure OpenAI into container apps, and read their host names.
fn container_app(world: &World, resource: &mut Resource) {
    let environment = hex(&world.hash(&["container apps", &resource.id.to_lowercase()])[..4]);
    let region = short_location(resource.text("location"));
    let host = format!("{}.{environment}.{region}.azurecontainerapps.io", resource.name);
    if let Some(Value::Object(ingress)) =
        resource.body.get_mut("properties").and_then(|properties| properties.pointer_mut("/configuration/ingress"))
    {
        ingress.insert("fqdn".into(), host.into());
    }
    resource.set_property("provisioningState", "Succeeded");
}

fn vault(world: &World, resource: &mut Resource) {
    let uri = format!("https://{}.vault.azure.net/", resource.name.to_lowercase());
    let tenant = world.state.tenant.clone();
    let Some(Value::Object(properties)) = resource.body.get_mut("properties") else { return };
    properties.entry("tenantId").or_insert(tenant.into());
    properties.entry("accessPolicies").or_insert(json!([]));
    properties.entry("enableSoftDelete").or_insert(true.into());
    properties.insert("vaultUri".into(), uri.into());
    properties.insert("provisioningState".into(), "Succeeded".into());
}

fn delete(world: &mut World, call: &Call, key: &str) -> Reply {
    if let Some(refusal) = network::holds(world, call) {
        return refusal;
    }
    let Some(kept) = world.state.resources.get(key) else { return Reply::empty(204) };
    let location = kept.text("location").to_string();
    if let Some(kind) = call.id.kind.known.filter(|kind| kind.operation != Operation::Synchronous) {
        if let Some(kept) = world.state.resources.get_mut(key) {
            kept.set_property("provisioningState", "Deleting");
        }
        return follow(world, call, Reply::empty(202), kind, &location, Effect::Remove);
    }
    match observe::keeps(call) {
        true => super::advance::soft_delete(world, call.now, key),
        false => remove(world, key),
    }
    Reply::empty(200)
}

/// Takes a resource away, and its traces elsewhere.
pub(super) fn remove(world: &mut World, key: &str) {
    network::removed(world, key);
    world.state.take(key);
}

fn follow(world: &mut World, call: &Call, reply: Reply, kind: &ResourceType, location: &str, effect: Effect) -> Reply {
    let target = call.id.text();
    // a child has no location: it is followed where its parent is
    let top = world.state.resources.get(&call.id.top().key()).map(|top| top.text("location").to_string());
    let location = if location.is_empty() { top.unwrap_or_default() } else { location.to_string() };
    let start = Start {
        now: call.now,
        follow: Follow::Network,
        target: &target,
        name: call.id.name(),
        location: &super::shape::short_location(&location),
        version: &call.version,
        takes: kind.duration(),
        effect,
    };
    world.start(reply, start)
}
