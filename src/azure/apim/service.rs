//! `Microsoft.ApiManagement/service`: created in minutes, deleted softly, full of properties that nobody sent.

use super::child::{locked, transitioning};
use super::{SERVICE, people, policies, samples, subscriptions};
use crate::azure::World;
use crate::azure::lro::{Effect, Follow, Start, system_data};
use crate::azure::reply::{Reply, method_not_allowed, resource_not_found, service_error};
use crate::azure::router::Call;
use crate::azure::shape::{display_location, merge, object, patched, short_location, stamp};
use crate::azure::state::{Deleted, Resource};
use crate::catalogue::{Generation, Tier, not_older, tier};
use crate::time::{Duration, Time};
use crate::wire::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How long a deletion takes; restoring takes as long.
const DELETION: Duration = Duration::from_secs(60);
const BACKUP: Duration = Duration::from_secs(540);

pub(in crate::azure) fn handle(world: &mut World, call: &Call) -> Reply {
    let key = call.key();
    match call.method {
        Method::Get => match world.state.resources.get(&key) {
            Some(service) => answer(200, service, &call.version).etag(&service.etag),
            None => missing(call),
        },
        Method::Put => put(world, call),
        Method::Patch => match world.state.resources.get(&key) {
            Some(service) => {
                let body = patched(&service.body, &call.body);
                update(world, call, &body)
            }
            None => resource_not_found(&call.id.short(), &call.id.group),
        },
        Method::Delete => delete(world, call),
        Method::Post => action(world, call),
        Method::Head => method_not_allowed("HEAD"),
    }
}

/// Recorded: in 2019 the provider answered itself, since then the gateway does.
fn missing(call: &Call) -> Reply {
    if not_older(&call.version, "2019-12-01") {
        return resource_not_found(&call.id.short(), &call.id.group);
    }
    let message = format!("Api service does not exist: {}", call.id.name());
    Reply::pretty(404, json!({"code": "ServiceNotFound", "message": message, "details": null, "innerError": null}))
}

fn action(world: &mut World, call: &Call) -> Reply {
    let Some(kept) = world.state.resources.get(&call.key()) else {
        return resource_not_found(&call.id.short(), &call.id.group);
    };
    let (name, location) = (kept.name.clone(), short_location(kept.text("location")));
    match call.action.as_str() {
        "getssotoken" => {
            let token = world.new_key("token", 64);
            let url = format!("https://{name}.portal.azure-api.net:443/signin-sso?token={token}");
            pretty_before_2020(Reply::json(200, json!({ "redirectUri": url })), &call.version)
        }
        "backup" => {
            let missing = ["storageAccount", "containerName", "backupName"]
                .into_iter()
                .find(|name| call.body.get(*name).and_then(Value::as_str).is_none_or(str::is_empty));
            if let Some(missing) = missing {
                let message = format!("Invalid parameter: '{missing}' must not be empty.");
                return service_error(400, "InvalidParameters", message);
            }
            if let Some(refusal) = locked(world, &call.id) {
                return refusal;
            }
            follow(world, call, Reply::empty(202), &location, BACKUP, Effect::Nothing)
        }
        other => service_error(404, "NotFound", format!("The action '{other}' is not known.")),
    }
}

/// The service as an answer of an api-version shows it.
pub(in crate::azure) fn show(service: &Resource, version: &str) -> Value {
    let mut body = Map::from_iter([("etag".to_string(), service.etag.clone().into())]);
    body.extend(service.body.clone());
    body.insert("id".into(), service.id.clone().into());
    body.insert("name".into(), service.name.clone().into());
    body.insert("type".into(), service.kind.clone().into());
    let tier = tier(service.text("sku/name"));
    let generation = tier.map_or(Generation::V2, |tier| tier.generation);
    let old = !not_older(version, "2019-12-01");
    if let Some(Value::Object(properties)) = body.get_mut("properties") {
        let activating = properties.get("provisioningState").and_then(Value::as_str) == Some("Activating");
        if activating {
            // what is only known when the service runs
            for name in RUNNING {
                properties.insert(name.into(), Value::Null);
            }
            if generation == Generation::Classic {
                properties.insert("platformVersion".into(), "undetermined".into());
            }
        }
        if generation == Generation::V2 {
            properties.shift_remove("disableGateway");
        }
        if !not_older(version, "2023-05-01-preview") {
            for name in ["dataApiUrl", "configurationApi", "legacyPortalStatus", "developerPortalStatus"] {
                properties.shift_remove(name);
            }
        }
        if old {
            in_2019(properties, activating);
        }
    }
    if old {
        body.shift_remove("systemData");
        body.shift_remove("zones");
    } else {
        let data = match generation {
            Generation::V2 if service.changed == service.created => Value::Null,
            Generation::V2 => {
                let mut data = system_data(service.created, service.changed);
                for name in ["createdBy", "createdByType", "createdAt"] {
                    data[name] = Value::Null;
                }
                data
            }
            _ => system_data(service.created, service.changed),
        };
        body.insert("systemData".into(), data);
    }
    Value::Object(body)
}

/// The same as the recordings of 2019 have it.
fn in_2019(properties: &mut Map<String, Value>, activating: bool) {
    for name in AFTER_2019 {
        properties.shift_remove(name);
    }
    let deleting = properties.get("provisioningState").and_then(Value::as_str) == Some("Deleting");
    if activating {
        properties.insert("provisioningState".into(), "Created".into());
        properties.insert("gatewayUrl".into(), Value::Null);
    }
    if deleting {
        properties.insert("provisioningState".into(), "Succeeded".into());
        properties.insert("hostnameConfigurations".into(), json!([]));
    }
    for host in properties.get_mut("hostnameConfigurations").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(host) = host {
            for name in ["identityClientId", "certificateSource", "certificateStatus"] {
                host.shift_remove(name);
            }
        }
    }
}

/// An answer with the service in it. Recorded: on several lines in 2019, on one since.
pub(super) fn answer(status: u16, service: &Resource, version: &str) -> Reply {
    pretty_before_2020(Reply::json(status, show(service, version)), version)
}

pub(super) fn pretty_before_2020(reply: Reply, version: &str) -> Reply {
    Reply { pretty: !not_older(version, "2019-12-01"), ..reply }
}

pub(in crate::azure) fn check_name(world: &World, body: &Value, version: &str) -> Reply {
    let Some(name) = body.get("name").and_then(Value::as_str) else {
        return service_error(400, "InvalidParameters", "Invalid parameter: 'name' must not be empty.".into());
    };
    let (reason, message) = if !valid_name(name) {
        ("Invalid", format!("{name} is not a valid service name"))
    } else if holder(world, name).is_some() || deleted(world, name).is_some() {
        ("AlreadyExists", format!("{name} is already in use"))
    } else {
        let body = json!({"nameAvailable": true, "reason": "Valid", "message": ""});
        return pretty_before_2020(Reply::json(200, body), version);
    };
    let body = json!({"nameAvailable": false, "reason": reason, "message": message});
    pretty_before_2020(Reply::json(200, body), version)
}

fn put(world: &mut World, call: &Call) -> Reply {
    if world.state.resources.contains_key(&call.key()) {
        return update(world, call, &call.body);
    }
    let name = call.id.name();
    if !valid_name(name) {
        let message = format!("Invalid parameter: The service name '{name}' is not valid.");
        return service_error(400, "InvalidParameters", message);
    }
    let restore = call.body.pointer("/properties/restore").and_then(Value::as_bool).unwrap_or(false);
    match deleted(world, name) {
        Some((_, gone)) if gone.purging => return transitioning(name),
        Some((key, _)) if restore => return bring_back(world, call, &key),
        Some(_) => {
            let message = format!(
                "Api service {name} was soft-deleted. In order to create the new service with the same name, you have to either undelete the service or purge it. See https://aka.ms/apimsoftdelete."
            );
            return service_error(409, "ServiceAlreadyExistsInSoftDeletedState", message);
        }
        None if restore => {
            return service_error(404, "ServiceNotFound", format!("Api service does not exist: {name}"));
        }
        None => {}
    }
    if holder(world, name).is_some() {
        return service_error(409, "ServiceAlreadyExists", format!("Api service already exists: {name}"));
    }
    let tier = match problem(&call.body, None) {
        Ok(tier) => tier,
        Err(refusal) => return refusal,
    };
    let mut body = written(world, call, &call.body, tier, None);
    if let Some(Value::Object(properties)) = body.get_mut("properties") {
        // recorded: a service of version 2 is only created, any other one is activated
        let v2 = tier.generation == Generation::V2;
        properties.insert("provisioningState".into(), if v2 { "Created" } else { "Activating" }.into());
        properties.insert("targetProvisioningState".into(), if v2 { "" } else { "Activating" }.into());
    }
    let etag = world.new_etag();
    let service = Resource {
        id: call.id.text(),
        name: name.to_string(),
        kind: SERVICE.to_string(),
        etag: etag.clone(),
        created: call.now,
        changed: call.now,
        body,
        hidden: BTreeMap::new(),
        busy: Time::ZERO,
    };
    let reply = answer(201, &service, &call.version).etag(&etag);
    let location = short_location(service.text("location"));
    world.state.resources.insert(call.key(), service);
    policies::give_global(world, call.now, &call.id);
    subscriptions::give_master(world, call.now, &call.id);
    let email = call.body.pointer("/properties/publisherEmail").and_then(Value::as_str).unwrap_or("");
    people::give_built_in(world, call.now, &call.id, email);
    if tier.generation == Generation::Classic {
        samples::give(world, call);
    }
    follow(world, call, reply, &location, tier.creation(), Effect::Settle)
}

/// A PUT or PATCH of a service that exists: `body` is the whole of what it shall be.
fn update(world: &mut World, call: &Call, body: &Value) -> Reply {
    if let Some(refusal) = locked(world, &call.id) {
        return refusal;
    }
    let key = call.key();
    let Some(known) = world.state.resources.get(&key).cloned() else {
        return resource_not_found(&call.id.short(), &call.id.group);
    };
    let old = tier(known.text("sku/name"));
    let new = match problem(body, old) {
        Ok(tier) => tier,
        Err(refusal) => return refusal,
    };
    let written = written(world, call, body, new, Some(&known));
    if written == known.body {
        return answer(200, &known, &call.version).etag(&known.etag);
    }
    let etag = world.new_etag();
    let mut tagged = known.body.clone();
    tagged.insert("tags".into(), written.get("tags").cloned().unwrap_or_default());
    if written == tagged && new.generation != Generation::V2 {
        // recorded: new tags alone are no work for a service that is not of version 2
        let changed = Resource { body: written, etag, changed: call.now, ..known };
        let reply = answer(200, &changed, &call.version).etag(&changed.etag);
        world.state.resources.insert(key, changed);
        return reply;
    }
    let switches = switches(true, body.pointer("/properties/customProperties"));
    let mut changed = Resource { body: written, etag: etag.clone(), changed: call.now, ..known };
    changed.set_property("customProperties", switches);
    changed.set_property("provisioningState", "Updating");
    changed.set_property("targetProvisioningState", "Updating");
    let reply = answer(200, &changed, &call.version).etag(&etag);
    let location = short_location(changed.text("location"));
    world.state.resources.insert(key, changed);
    follow(world, call, reply, &location, new.change(), Effect::Settle)
}

fn delete(world: &mut World, call: &Call) -> Reply {
    let key = call.key();
    if !world.state.resources.contains_key(&key) {
        return Reply::empty(204);
    }
    if let Some(refusal) = locked(world, &call.id) {
        return refusal;
    }
    let etag = world.new_etag();
    let Some(service) = world.state.resources.get_mut(&key) else { return Reply::empty(204) };
    service.set_property("provisioningState", "Deleting");
    service.set_property("targetProvisioningState", "Deleting");
    service.etag = etag;
    let reply = answer(202, service, &call.version);
    let location = short_location(service.text("location"));
    follow(world, call, reply, &location, DELETION, Effect::SoftDelete)
}

fn bring_back(world: &mut World, call: &Call, deleted: &str) -> Reply {
    let Some(gone) = world.state.deleted.remove(deleted) else { return transitioning(call.id.name()) };
    let etag = world.new_etag();
    let mut reply = Reply::empty(201);
    let (old, new) = (gone.resources.first().map(|r| r.id.clone()).unwrap_or_default(), call.id.text());
    for mut resource in gone.resources {
        // it may come back in another group
        resource.id = resource.id.replacen(&old, &new, 1);
        if resource.kind == SERVICE {
            resource.etag.clone_from(&etag);
            resource.set_property("provisioningState", "Activating");
            reply = answer(201, &resource, &call.version).etag(&etag);
        }
        world.state.resources.insert(resource.id.to_lowercase(), resource);
    }
    follow(world, call, reply, &gone.location, DELETION, Effect::Settle)
}

fn follow(world: &mut World, call: &Call, reply: Reply, location: &str, takes: Duration, effect: Effect) -> Reply {
    let target = call.id.text();
    let version = &call.version;
    let name = call.id.name();
    let kind = if call.method == Method::Post { Follow::ServiceWork } else { Follow::Service };
    world.start(reply, Start { now: call.now, follow: kind, target: &target, name, location, version, takes, effect })
}

/// The live service of a name: names are global.
fn holder<'a>(world: &'a World, name: &str) -> Option<&'a Resource> {
    world.state.resources.values().find(|r| r.kind == SERVICE && r.name.eq_ignore_ascii_case(name))
}

/// The deleted service of a name.
fn deleted<'a>(world: &'a World, name: &str) -> Option<(String, &'a Deleted)> {
    let fits =
        |gone: &Deleted| gone.resources.first().is_some_and(|r| r.kind == SERVICE && r.name.eq_ignore_ascii_case(name));
    world.state.deleted.iter().find(|(_, gone)| fits(gone)).map(|(key, gone)| (key.clone(), gone))
}

fn valid_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let ends = name.ends_with(|c: char| c.is_ascii_alphanumeric());
    let inside = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    starts && ends && inside && name.len() <= 50
}

/// Checks what a service must have; gives its tier.
fn problem(body: &Value, old: Option<&'static Tier>) -> Result<&'static Tier, Reply> {
    let refuse = |message: String| Err(service_error(400, "InvalidParameters", message));
    let Some(sku) = body.pointer("/sku/name").and_then(Value::as_str) else {
        return refuse("Invalid parameter: 'sku' must not be empty.".into());
    };
    let Some(tier) = tier(sku) else {
        return refuse(format!("Invalid parameter: The sku '{sku}' is not valid."));
    };
    for name in ["publisherEmail", "publisherName"] {
        let sent = body.get("properties").and_then(|properties| properties.get(name)).and_then(Value::as_str);
        if sent.is_none_or(|text| text.trim().is_empty()) {
            return refuse(format!("Invalid parameter: '{name}' must not be empty."));
        }
    }
    let capacity = body.pointer("/sku/capacity").map_or(Some(u64::from(tier.min)), Value::as_u64);
    let (min, max) = (u64::from(tier.min), u64::from(tier.max));
    if capacity.is_none_or(|capacity| !(min..=max).contains(&capacity)) {
        return refuse(format!("Invalid parameter: The capacity of sku '{}' must be from {min} to {max}.", tier.name));
    }
    if old.is_some_and(|old| old.generation != tier.generation) {
        return refuse(format!(
            "Invalid parameter: A service cannot move to sku '{}' from another platform.",
            tier.name
        ));
    }
    Ok(tier)
}

/// Properties that a service has when it runs.
const RUNNING: [&str; 8] = [
    "gatewayRegionalUrl",
    "portalUrl",
    "developerPortalUrl",
    "managementApiUrl",
    "scmUrl",
    "publicIPAddresses",
    "outboundPublicIPAddresses",
    "customProperties",
];

/// Properties that came after 2019-01-01.
const AFTER_2019: [&str; 9] = [
    "disableGateway",
    "natGatewayState",
    "outboundPublicIPAddresses",
    "apiVersionConstraint",
    "publicIpAddressId",
    "publicNetworkAccess",
    "privateEndpointConnections",
    "platformVersion",
    "developerPortalStatus",
];

/// Properties that a caller sets and the service keeps as they are.
const KEPT: [&str; 13] = [
    "publisherEmail",
    "publisherName",
    "notificationSenderEmail",
    "virtualNetworkType",
    "virtualNetworkConfiguration",
    "additionalLocations",
    "natGatewayState",
    "publicIpAddressId",
    "publicNetworkAccess",
    "apiVersionConstraint",
    "developerPortalStatus",
    "legacyPortalStatus",
    "disableGateway",
];

/// The body that a write leaves: what was sent, and everything that the service adds.
fn written(world: &mut World, call: &Call, body: &Value, tier: &Tier, known: Option<&Resource>) -> Map<String, Value> {
    let sent = object(body.get("properties"));
    let name = call.id.name();
    let location = match known {
        Some(known) => known.text("location").to_string(),
        None => display_location(body.get("location").and_then(Value::as_str).unwrap_or("")),
    };
    let classic = tier.generation == Generation::Classic;
    let on_classic = |part: &str| match classic {
        true => Value::from(format!("https://{name}.{part}azure-api.net")),
        false => Value::Null,
    };
    let created = known.map_or(call.now, |known| known.created);
    let platform = match tier.generation {
        Generation::V2 => "undetermined",
        Generation::Classic => "stv2",
        Generation::Consumption => "mtv1",
    };
    let region = short_location(&location);
    let host = json!({
        "type": "Proxy", "hostName": format!("{name}.azure-api.net"), "encodedCertificate": null, "keyVaultId": null,
        "certificatePassword": null, "negotiateClientCertificate": false, "certificate": null, "defaultSslBinding": true,
        "identityClientId": null, "certificateSource": "BuiltIn", "certificateStatus": null,
    });
    let management = match classic {
        true => Value::from(format!("https://{name}.management.azure-api.net")),
        false if tier.generation == Generation::V2 => {
            "https://smapi.api-prod-scaleunit-001.p.azurewebsites.net/".into()
        }
        false => Value::Null,
    };
    let octets = world.hash(&["address", &call.id.key()]);
    let addresses = match classic {
        // a block for documentation (RFC 5737)
        true => json!([format!("203.0.113.{}", octets[0])]),
        false => Value::Null,
    };
    let mut custom = match known {
        Some(known) => known.at("properties/customProperties").clone(),
        None => switches(classic, None),
    };
    merge(&mut custom, sent.get("customProperties").unwrap_or(&json!({})));
    let mut properties = json!({
        "publisherEmail": null,
        "publisherName": null,
        "notificationSenderEmail": "apimgmt-noreply@mail.windowsazure.com",
        "provisioningState": "Succeeded",
        "targetProvisioningState": "",
        "createdAtUtc": stamp(created),
        "gatewayUrl": format!("https://{name}.azure-api.net"),
        "gatewayRegionalUrl": on_classic(&format!("{region}-01.regional.")),
        "portalUrl": on_classic("portal."),
        "developerPortalUrl": on_classic("developer."),
        "dataApiUrl": null,
        "managementApiUrl": management,
        "scmUrl": on_classic("scm."),
        "hostnameConfigurations": [host],
        "publicIPAddresses": addresses,
        "privateIPAddresses": null,
        "additionalLocations": null,
        "virtualNetworkConfiguration": null,
        "customProperties": custom,
        "virtualNetworkType": "None",
        "certificates": null,
        "disableGateway": false,
        "natGatewayState": if tier.generation == Generation::V2 { "Enabled" } else { "Disabled" },
        "outboundPublicIPAddresses": addresses,
        "apiVersionConstraint": {"minApiVersion": null},
        "publicIpAddressId": null,
        "publicNetworkAccess": "Enabled",
        "privateEndpointConnections": null,
        "platformVersion": platform,
        "configurationApi": null,
        "legacyPortalStatus": "Disabled",
        "developerPortalStatus": "Disabled",
    });
    if let Value::Object(properties) = &mut properties {
        for name in KEPT {
            if let Some(value) = sent.get(name).filter(|value| !value.is_null()) {
                properties.insert(name.into(), value.clone());
            }
        }
        if let Some(Value::Object(constraint)) = properties.get_mut("apiVersionConstraint") {
            constraint.entry("minApiVersion").or_insert(Value::Null);
        }
        if sent.get("publicNetworkAccess").and_then(Value::as_str) != Some("Disabled") {
            // recorded: any other word comes back so
            properties.insert("publicNetworkAccess".into(), "Enabled".into());
        }
        // private endpoints make connections, a write of the service neither makes nor ends one
        if let Some(known) = known {
            let connected = known.at("properties/privateEndpointConnections").clone();
            properties.insert("privateEndpointConnections".into(), connected);
        }
    }
    let capacity = body.pointer("/sku/capacity").and_then(Value::as_u64).unwrap_or(u64::from(tier.min));
    let there = known.map(|known| known.at("identity"));
    let identity = match body.get("identity") {
        // recorded: a write that says nothing of the identity leaves it
        None | Some(Value::Null) => there.cloned().unwrap_or_default(),
        sent => world.identity(sent, there),
    };
    Map::from_iter([
        ("properties".to_string(), properties),
        ("sku".to_string(), json!({"name": tier.name, "capacity": capacity})),
        ("identity".to_string(), identity),
        ("zones".to_string(), Value::Null),
        ("systemData".to_string(), Value::Null),
        ("location".to_string(), location.into()),
        ("tags".to_string(), Value::Object(object(body.get("tags")))),
    ])
}

/// The switches of old protocols: six on a fresh service of version 2, eight after its first update, as recorded.
fn switches(all: bool, sent: Option<&Value>) -> Value {
    let base = "Microsoft.WindowsAzure.ApiManagement.Gateway";
    let mut switches = Map::new();
    for (name, always) in [
        ("Security.Protocols.Tls10", true),
        ("Security.Protocols.Tls11", true),
        ("Security.Protocols.Ssl30", false),
        ("Security.Ciphers.TripleDes168", false),
        ("Security.Backend.Protocols.Tls10", true),
        ("Security.Backend.Protocols.Tls11", true),
        ("Security.Backend.Protocols.Ssl30", true),
        ("Protocols.Server.Http2", true),
    ] {
        if always || all {
            switches.insert(format!("{base}.{name}"), "False".into());
        }
    }
    switches.extend(object(sent));
    Value::Object(switches)
}

impl World {
    /// The identity of a resource: what was asked for, with the ids of principals, which last as long as the identity.
    pub(in crate::azure) fn identity(&mut self, sent: Option<&Value>, known: Option<&Value>) -> Value {
        let kind = sent.and_then(|sent| sent.get("type")).and_then(Value::as_str).unwrap_or("None");
        if kind.eq_ignore_ascii_case("None") {
            return Value::Null;
        }
        let mut identity = Map::new();
        let parts: Vec<&str> = kind.split(',').map(str::trim).collect();
        identity.insert("type".into(), parts.join(", ").into());
        if parts.iter().any(|part| part.eq_ignore_ascii_case("SystemAssigned")) {
            let kept = known.and_then(|known| known.get("principalId")).and_then(Value::as_str).map(str::to_string);
            let principal = kept.unwrap_or_else(|| self.new_guid("principal"));
            identity.insert("principalId".into(), principal.into());
            identity.insert("tenantId".into(), self.state.tenant.clone().into());
        }
        let asked = object(sent.and_then(|sent| sent.get("userAssignedIdentities")));
        if !asked.is_empty() {
            let mut users = Map::new();
            for id in asked.keys() {
                let lower = id.to_lowercase();
                let principal = super::super::shape::guid(&self.hash(&["user identity", &lower]));
                let client = super::super::shape::guid(&self.hash(&["user client", &lower]));
                users.insert(id.clone(), json!({"principalId": principal, "clientId": client}));
            }
            identity.insert("userAssignedIdentities".into(), users.into());
        }
        Value::Object(identity)
    }
}
