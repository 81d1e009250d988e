//! `Microsoft.CognitiveServices/accounts`: kinds OpenAI and AIServices, and a few more that behave alike.

use super::ACCOUNT;
use crate::azure::World;
use crate::azure::advance::soft_delete;
use crate::azure::lro::{Effect, Follow, Start, system_data};
use crate::azure::reply::{Reply, error, method_not_allowed, resource_not_found};
use crate::azure::router::Call;
use crate::azure::shape::{cut_to_version, hex, object, patched, short_location, stamp};
use crate::azure::state::{Deleted, Resource};
use crate::catalogue::{not_older, resource_type};
use crate::time::{Duration, Time};
use crate::wire::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Kinds that this Azure offers.
pub(super) const KINDS: [&str; 10] = [
    "OpenAI",
    "AIServices",
    "CognitiveServices",
    "ComputerVision",
    "ContentSafety",
    "Face",
    "FormRecognizer",
    "SpeechServices",
    "TextAnalytics",
    "TextTranslation",
];

pub(in crate::azure) fn handle(world: &mut World, call: &Call) -> Reply {
    let key = call.key();
    match (call.method, world.state.resources.get(&key)) {
        (Method::Get, Some(account)) => Reply::json(200, show(account, &call.version)).etag(&account.etag),
        (Method::Put, None) => create(world, call),
        (Method::Put, Some(known)) => {
            let known = known.clone();
            update(world, call, known, &call.body)
        }
        (Method::Patch, Some(known)) => {
            let known = known.clone();
            patch(world, call, known)
        }
        (Method::Delete, Some(account)) => {
            if let Some(refusal) = conflict(account, call.now) {
                return refusal;
            }
            soft_delete(world, call.now, &key);
            Reply::empty(200)
        }
        (Method::Delete, None) => Reply::empty(204),
        (Method::Post, Some(account)) => {
            let account = account.clone();
            keys(world, call, &account)
        }
        (Method::Get | Method::Patch | Method::Post, None) => resource_not_found(&call.id.short(), &call.id.group),
        (Method::Head, _) => method_not_allowed("HEAD"),
    }
}

/// The account as every answer shows it.
pub(in crate::azure) fn show(account: &Resource, version: &str) -> Value {
    let mut body = Map::from_iter([
        ("id".to_string(), account.id.clone().into()),
        ("name".to_string(), account.name.clone().into()),
        ("type".to_string(), account.kind.clone().into()),
        ("etag".to_string(), format!("\"{}\"", account.etag).into()),
    ]);
    body.extend(account.body.clone());
    let first = is_first(version);
    if let Some(properties) = body.get_mut("properties") {
        cut_to_version(ACCOUNT, version, properties);
        if let (Value::Object(properties), true) = (properties, first) {
            properties.retain(|name, _| !["endpoints", "isMigrated"].contains(&name.as_str()));
        }
    }
    if !first {
        body.insert("systemData".into(), system_data(account.created, account.changed));
    }
    Value::Object(body)
}

/// The api-version of 2017, which knows no operations: a write is done when it is answered.
fn is_first(version: &str) -> bool {
    !not_older(version, "2021-04-30")
}

/// Refuses a write while another one works on the account.
pub(in crate::azure) fn conflict(account: &Resource, now: Time) -> Option<Reply> {
    (!account.at_rest() || account.busy > now).then(|| {
        let message = format!(
            "Another operation is being performed on the parent resource '{}'. Please try again later.",
            account.id
        );
        error(409, "RequestConflict", message)
    })
}

/// What a template is refused for before anything is deployed; the same that a PUT is refused for.
pub(in crate::azure) fn soft_deleted(world: &World, id: &str, body: &Value) -> Option<Reply> {
    if restores(body) || world.state.resources.contains_key(&id.to_lowercase()) {
        return None;
    }
    gone(world, id)?;
    let message = format!(
        "An existing resource with ID '{id}' has been soft-deleted. To restore the resource, you must specify 'restore' to be 'true' in the property. If you don't want to restore existing resource, please purge it first."
    );
    Some(error(409, "FlagMustBeSetForRestore", message))
}

fn restores(body: &Value) -> bool {
    body.pointer("/properties/restore").and_then(Value::as_bool).unwrap_or(false)
}

fn gone<'a>(world: &'a World, id: &str) -> Option<(&'a String, &'a Deleted)> {
    let fits =
        |gone: &Deleted| gone.resources.first().is_some_and(|r| r.kind == ACCOUNT && r.id.eq_ignore_ascii_case(id));
    world.state.deleted.iter().find(|(_, deleted)| fits(deleted))
}

fn create(world: &mut World, call: &Call) -> Reply {
    let id = call.id.text();
    if let Some(refusal) = soft_deleted(world, &id, &call.body) {
        return refusal;
    }
    if restores(&call.body) {
        return restore(world, call);
    }
    if let Some(refusal) = problem(world, call, &call.body) {
        return refusal;
    }
    let body = written(world, call, &call.body, None);
    let etag = world.new_account_etag(call.now);
    let hidden = ["key1", "key2"].map(|name| (name.to_string(), world.new_key(name, 84)));
    let mut account = Resource {
        id,
        name: call.id.name().to_string(),
        kind: ACCOUNT.to_string(),
        etag: etag.clone(),
        created: call.now,
        changed: call.now,
        body,
        hidden: BTreeMap::from(hidden),
        busy: Time::ZERO,
    };
    if is_first(&call.version) {
        let reply = Reply::json(201, show(&account, &call.version)).etag(&etag);
        world.state.resources.insert(call.key(), account);
        return reply;
    }
    account.set_property("provisioningState", "Creating");
    let reply = Reply::json(201, show(&account, &call.version)).etag(&etag);
    let location = account.text("location").to_string();
    world.state.resources.insert(call.key(), account);
    follow(world, call, reply, &location, "Creating")
}

fn update(world: &mut World, call: &Call, known: Resource, body: &Value) -> Reply {
    if let Some(refusal) = conflict(&known, call.now).or_else(|| problem(world, call, body)) {
        return refusal;
    }
    let written = written(world, call, body, Some(&known));
    if written == known.body {
        return Reply::json(200, show(&known, &call.version)).etag(&known.etag);
    }
    let etag = world.new_account_etag(call.now);
    let mut account = Resource { body: written, etag: etag.clone(), changed: call.now, ..known };
    if is_first(&call.version) {
        let reply = Reply::json(200, show(&account, &call.version)).etag(&etag);
        world.state.resources.insert(call.key(), account);
        return reply;
    }
    account.set_property("provisioningState", "Accepted");
    let reply = Reply::json(200, show(&account, &call.version)).etag(&etag);
    let location = account.text("location").to_string();
    world.state.resources.insert(call.key(), account);
    follow(world, call, reply, &location, "Updating")
}

/// Tags and SKU change at once; properties take an operation, whose first answer is a 202 with the account.
fn patch(world: &mut World, call: &Call, known: Resource) -> Reply {
    let body = patched(&known.body, &call.body);
    if let Some(refusal) = conflict(&known, call.now).or_else(|| problem(world, call, &body)) {
        return refusal;
    }
    let written = written(world, call, &body, Some(&known));
    let deeper = !is_first(&call.version) && written.get("properties") != known.body.get("properties");
    let etag = world.new_account_etag(call.now);
    let mut account = Resource { body: written, etag: etag.clone(), changed: call.now, ..known };
    if deeper {
        account.set_property("provisioningState", "Accepted");
    }
    let shown = show(&account, &call.version);
    let location = account.text("location").to_string();
    world.state.resources.insert(call.key(), account);
    match deeper {
        true => follow(world, call, Reply::json(202, shown).etag(&etag), &location, "Updating"),
        false => Reply::json(200, shown).etag(&etag),
    }
}

fn restore(world: &mut World, call: &Call) -> Reply {
    let id = call.id.text();
    let Some(key) = gone(world, &id).map(|(key, _)| key.clone()) else {
        return error(400, "CanNotRestoreANonExistingResource", "Can not restore a non-existing resource.");
    };
    let Some(deleted) = world.state.deleted.remove(&key) else { return Reply::empty(404) };
    let etag = world.new_account_etag(call.now);
    let mut reply = Reply::empty(201);
    for mut resource in deleted.resources {
        if resource.kind == ACCOUNT {
            resource.etag.clone_from(&etag);
            reply = Reply::json(201, show(&resource, &call.version)).etag(&etag);
        }
        world.state.resources.insert(resource.id.to_lowercase(), resource);
    }
    reply
}

fn follow(world: &mut World, call: &Call, reply: Reply, location: &str, word: &str) -> Reply {
    let target = call.id.text();
    let takes = resource_type(ACCOUNT).map_or(Duration::ZERO, |kind| kind.duration());
    let start = Start {
        now: call.now,
        follow: Follow::Account(word.into()),
        target: &target,
        name: call.id.name(),
        location,
        version: &call.version,
        takes,
        effect: Effect::Settle,
    };
    world.start(reply, start)
}

fn keys(world: &mut World, call: &Call, account: &Resource) -> Reply {
    if account.at("properties/disableLocalAuth") == &Value::Bool(true) {
        let message = "Failed to list key. disableLocalAuth is set to be true";
        return error(400, "BadRequest", message);
    }
    match call.action.as_str() {
        "listkeys" => {}
        "regeneratekey" => {
            let name = call.body.get("keyName").and_then(Value::as_str).unwrap_or("").to_ascii_lowercase();
            if !["key1", "key2"].contains(&name.as_str()) {
                return error(400, "BadRequest", "The key name must be Key1 or Key2.");
            }
            let fresh = world.new_key(&name, 84);
            if let Some(account) = world.state.resources.get_mut(&call.key()) {
                account.hidden.insert(name, fresh);
            }
        }
        other => return error(404, "NotFound", format!("The action '{other}' is not known.")),
    }
    let hidden = world.state.resources.get(&call.key()).map(|account| &account.hidden);
    let key = |name: &str| hidden.and_then(|hidden| hidden.get(name)).cloned();
    Reply::json(200, json!({"key1": key("key1"), "key2": key("key2")}))
}

fn problem(world: &World, call: &Call, body: &Value) -> Option<Reply> {
    let name = call.id.name();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let first = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !(2..=64).contains(&name.len()) || !first || !name.chars().all(plain) {
        return Some(error(400, "AccountNameInvalid", format!("The account name '{name}' is invalid.")));
    }
    let kind = body.get("kind").and_then(Value::as_str).unwrap_or("");
    if !KINDS.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        return Some(error(400, "InvalidApiSetId", format!("The account type '{kind}' is invalid.")));
    }
    let sku = body.pointer("/sku/name").and_then(Value::as_str).unwrap_or("");
    if sku.is_empty() {
        return Some(error(400, "InvalidSkuId", "The sku is required for this definition."));
    }
    if sku != "S0" && ["OpenAI", "AIServices"].iter().any(|k| k.eq_ignore_ascii_case(kind)) {
        return Some(error(400, "InvalidSkuId", format!("The account sku '{sku}' is invalid for kind '{kind}'.")));
    }
    let domain = body.pointer("/properties/customSubDomainName").and_then(Value::as_str).unwrap_or("");
    let known = world.state.resources.get(&call.key());
    let before = known.map_or("", |known| known.text("properties/customSubDomainName"));
    if !before.is_empty() && !domain.is_empty() && !before.eq_ignore_ascii_case(domain) {
        return Some(error(400, "BadRequest", "The custom subdomain name of an account cannot be changed."));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !domain.is_empty() && (!(2..=64).contains(&domain.len()) || !domain.chars().all(plain)) {
        return Some(error(400, "CustomDomainInvalid", format!("The subdomain name '{domain}' is invalid.")));
    }
    if !domain.is_empty() && taken(world, &call.key(), domain) {
        let message = format!(
            "Please pick a different name. The subdomain name '{domain}' is not available as it's already used by a resource."
        );
        return Some(error(409, "CustomDomainInUse", message));
    }
    None
}

/// A subdomain is taken by a live or a soft-deleted account.
pub(super) fn taken(world: &World, own: &str, domain: &str) -> bool {
    let deleted = world.state.deleted.values().filter_map(|gone| gone.resources.first());
    world
        .state
        .resources
        .values()
        .chain(deleted)
        .filter(|resource| resource.kind == ACCOUNT && resource.id.to_lowercase() != own)
        .any(|resource| resource.text("properties/customSubDomainName").eq_ignore_ascii_case(domain))
}

/// Properties that a caller sets.
const KEPT: [&str; 11] = [
    "allowProjectManagement",
    "allowedFqdnList",
    "amlWorkspace",
    "associatedProjects",
    "defaultProject",
    "disableLocalAuth",
    "dynamicThrottlingEnabled",
    "encryption",
    "networkAcls",
    "restrictOutboundNetworkAccess",
    "userOwnedStorage",
];

/// The body that a write leaves: what was sent, and everything that the provider adds.
fn written(world: &mut World, call: &Call, body: &Value, known: Option<&Resource>) -> Map<String, Value> {
    let sent = object(body.get("properties"));
    let kind = body.get("kind").and_then(Value::as_str).unwrap_or("");
    let kind = KINDS.into_iter().find(|k| k.eq_ignore_ascii_case(kind)).unwrap_or(kind);
    let location = match known {
        // recorded: what was sent first stays, in its own case
        Some(known) => known.text("location").to_string(),
        None => body.get("location").and_then(Value::as_str).unwrap_or("").to_string(),
    };
    let before = known.map(|known| known.text("properties/customSubDomainName").to_string()).unwrap_or_default();
    let domain = sent.get("customSubDomainName").and_then(Value::as_str).filter(|text| !text.is_empty());
    let domain = domain.map(str::to_lowercase).or((!before.is_empty()).then_some(before));
    let (endpoint, endpoints) = endpoints(kind, &short_location(&location), domain.as_deref());
    let internal = match known {
        Some(known) => known.text("properties/internalId").to_string(),
        None => hex(&world.fresh("internal id")[..16]),
    };
    let created = known.map_or(call.now, |known| known.created);
    let mut properties = Map::new();
    let mut put = |name: &str, value: Value| properties.insert(name.to_string(), value);
    put("endpoint", endpoint.into());
    put("provisioningState", "Succeeded".into());
    put("internalId", internal.into());
    put("dateCreated", stamp(created).into());
    if kind == "AIServices" {
        put("apiProperties", json!({"qnaAzureSearchEndpointKey": null}));
    }
    put("callRateLimit", call_rates());
    put("isMigrated", false.into());
    if let Some(domain) = domain {
        put("customSubDomainName", domain.into());
    }
    for name in KEPT {
        if let Some(value) = sent.get(name).filter(|value| !value.is_null()) {
            put(name, if name == "networkAcls" { network_rules(value) } else { value.clone() });
        }
    }
    let connected = known.map(|known| known.at("properties/privateEndpointConnections").clone());
    put("privateEndpointConnections", connected.filter(Value::is_array).unwrap_or_else(|| json!([])));
    put("publicNetworkAccess", sent.get("publicNetworkAccess").cloned().unwrap_or("Enabled".into()));
    put("capabilities", capabilities());
    put("endpoints", endpoints);
    let mut whole = Map::from_iter([
        ("location".to_string(), Value::from(location)),
        ("sku".to_string(), json!({"name": body.pointer("/sku/name")})),
        ("kind".to_string(), kind.into()),
    ]);
    if let Some(tags) = body.get("tags").filter(|tags| !tags.is_null()) {
        whole.insert("tags".into(), tags.clone());
    }
    let identity = world.identity(body.get("identity"), known.map(|known| known.at("identity")));
    if !identity.is_null() {
        whole.insert("identity".into(), identity);
    }
    whole.insert("properties".into(), properties.into());
    whole
}

/// What an account of one kind for models answers at its address for models, as recorded in 2024.
const MODEL_ADDRESSES: [&str; 3] = ["OpenAI Language Model Instance API", "OpenAI Dall-E API", "OpenAI Whisper API"];
/// What an account of many kinds answers there beside, as recorded in 2026.
const MORE_MODEL_ADDRESSES: [&str; 8] = [
    "OpenAI Sora API",
    "OpenAI Moderations API",
    "OpenAI Model Scaleset API",
    "OpenAI Realtime API",
    "Token Service API",
    "Azure OpenAI Legacy API - Latest moniker",
    "OpenAI Response API on Websocket",
    "OpenAI Realtime Translation WebSocket API",
];
/// What it answers at the address of its projects.
const PROJECT_ADDRESSES: [&str; 5] =
    ["AI Foundry API", "Azure AI Model Inference API", "Cohere AI API", "Mistral AI API", "Content Understanding"];
/// What it answers at its own; speech, language and translation have many more.
const OWN_ADDRESSES: [&str; 5] = ["Content Safety", "Container", "Computer Vision", "FormRecognizer", "Token"];

/// The endpoint, always with its slash at the end, and the map of all of them.
fn endpoints(kind: &str, location: &str, domain: Option<&str>) -> (String, Value) {
    let regional = format!("https://{location}.api.cognitive.microsoft.com/");
    let at = |host: &str| domain.map_or_else(|| regional.clone(), |domain| format!("https://{domain}.{host}/"));
    let (own, models) = (at("cognitiveservices.azure.com"), at("openai.azure.com"));
    let mut map = Map::new();
    let mut put = |names: &[&str], address: &str| {
        for name in names {
            map.insert((*name).to_string(), address.into());
        }
    };
    match kind {
        "OpenAI" => put(&MODEL_ADDRESSES, &models),
        "AIServices" => {
            put(&PROJECT_ADDRESSES, &at("services.ai.azure.com"));
            put(&MODEL_ADDRESSES, &models);
            put(&MORE_MODEL_ADDRESSES, &models);
            put(&OWN_ADDRESSES, &own);
        }
        kind => put(&[kind, "Container"], &own),
    }
    (if kind == "OpenAI" { models } else { own }, Value::Object(map))
}

/// Rules of an account's network with the lists that were not sent.
fn network_rules(sent: &Value) -> Value {
    let Some(sent) = sent.as_object() else { return sent.clone() };
    let mut rules = Map::new();
    let usual = [("bypass", Value::Null), ("defaultAction", "Allow".into())];
    let lists = [("virtualNetworkRules", json!([])), ("ipRules", json!([]))];
    for (name, usual) in usual.into_iter().chain(lists) {
        let value = sent.get(name).filter(|value| !value.is_null()).cloned().unwrap_or(usual);
        if !value.is_null() {
            rules.insert(name.to_string(), value);
        }
    }
    rules.into()
}

fn call_rates() -> Value {
    let rule = |key: &str, path: &str, method: &str| json!({"key": key, "renewalPeriod": 1, "count": 30, "matchPatterns": [{"path": path, "method": method}]});
    json!({"rules": [rule("openai", "openai/*", "*"), rule("default", "*", "*")]})
}

fn capabilities() -> Value {
    json!([
        {"name": "VirtualNetworks"},
        {"name": "CustomerManagedKey"},
        {"name": "MaxFineTuneCount", "value": "100"},
        {"name": "MaxRunningFineTuneCount", "value": "1"},
        {"name": "raiLevelOverride"},
    ])
}
