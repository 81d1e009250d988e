//! `service/apis`: APIs with their revisions and versions, written plainly or from a definition.
//!
//! The current revision stands under the API's own name, every other one under `name;rev=2`. A release makes another one
//! current: then the two change places, with all that hangs on them.

pub(super) mod import;
pub(super) mod revisions;

use super::child::{View, Written, named};
use super::sent::Sent;
use super::{products, version_sets};
use crate::azure::World;
use crate::azure::ids::ResourceId;
use crate::azure::lro::{Effect, Follow, Start};
use crate::azure::reply::Reply;
use crate::azure::router::Call;
use crate::azure::shape::{merge, object};
use crate::azure::state::Resource;
use crate::catalogue::not_older;
use crate::time::Duration;
use serde_json::{Map, Value, json};

pub(super) const KIND: &str = "Microsoft.ApiManagement/service/apis";
const TYPES: [&str; 6] = ["http", "soap", "websocket", "graphql", "odata", "grpc"];
const PROTOCOLS: [&str; 4] = ["http", "https", "ws", "wss"];

/// How long a deletion and an import take.
const DELETION: Duration = Duration::from_secs(5);
const IMPORT: Duration = Duration::from_secs(10);

/// An API for an answer. What agents brought came with 2024-05-01.
pub(super) fn show(_: &Resource, version: &str, view: View, properties: &mut Map<String, Value>) {
    let fresh = matches!(view, View::Created | View::Updated);
    if !fresh {
        for name in ["apiVersionSet", "effectivePath"] {
            properties.shift_remove(name);
        }
    }
    if !not_older(version, "2024-05-01") {
        for name in ["mcpProperties", "a2aProperties", "isAgent", "agent", "jsonRpcProperties", "effectivePath"] {
            properties.shift_remove(name);
        }
        if let Some(Value::Object(names)) = properties.get_mut("subscriptionKeyParameterNames") {
            names.shift_remove("bearer");
        }
        // recorded: the answer to a PUT has less than a GET
        if let (true, Some(Value::Object(settings))) = (fresh, properties.get_mut("authenticationSettings")) {
            for name in ["oAuth2AuthenticationSettings", "openidAuthenticationSettings"] {
                settings.shift_remove(name);
            }
        }
    }
    // recorded in 2019 and documented since: a list does not say how a key is sent
    if view == View::Listed && !not_older(version, "2019-12-01") {
        properties.insert("authenticationSettings".into(), Value::Null);
        properties.insert("subscriptionKeyParameterNames".into(), Value::Null);
    }
}

pub(super) fn write(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let source = source(world, call, &sent);
    let definition = import::read(world, &sent)?;
    // what was sent stands over what the definition says, and that over the API that this one is made from
    let mut base = object(source.as_ref().map(|source| source.at("properties")));
    base.shift_remove("isCurrent");
    if let Some(definition) = &definition {
        base.extend(definition.properties.clone());
    }
    base.extend(sent.into_iter().filter(|(_, value)| !value.is_null()));
    let mut sent = Sent::new(base);
    let revision = revision(world, call, &mut sent);
    let properties = properties(world, call, &mut sent, &revision);
    sent.end()?;
    let mut written = Written { properties, ..Written::default() };
    match (&definition, &source) {
        (Some(definition), _) => {
            written.takes = definition.is_slow.then_some(IMPORT);
            written.under = import::operations(world, call, definition);
        }
        (None, Some(source)) if !world.state.resources.contains_key(&call.key()) => {
            written.under = revisions::copies(world, source, &call.id.text());
        }
        _ => {}
    }
    Ok(written)
}

/// The API that this one is made from.
fn source(world: &World, call: &Call, sent: &Map<String, Value>) -> Option<Resource> {
    let text = sent.get("sourceApiId").and_then(Value::as_str)?;
    named(world, &call.id, "apis", text).cloned()
}

/// The number of the revision that is written: its own, that of the name, or 1.
fn revision(world: &World, call: &Call, sent: &mut Sent) -> String {
    let kept = world.state.resources.get(&call.key()).map(|kept| kept.text("properties/apiRevision").to_string());
    if let Some(source) = sent.text("sourceApiId", 1..=2000)
        && named(world, &call.id, "apis", &source).is_none()
    {
        let name = source.rsplit('/').next().unwrap_or("");
        sent.refuse("sourceApiId", format!("API with id '{name}' could not be found."));
    }
    match call.id.name().split_once(';') {
        // recorded: a revision that is no number is taken for the first
        None => {
            let asked = sent.text("apiRevision", 0..=100);
            let number = asked.filter(|text| text.chars().all(|c| c.is_ascii_digit()) && !text.is_empty());
            kept.or(number).unwrap_or_else(|| "1".into())
        }
        Some((_, rest)) => {
            let number = rest.strip_prefix("rev=").filter(|number| {
                number.len() <= 9 && !number.starts_with('0') && number.chars().all(|c| c.is_ascii_digit())
            });
            match number {
                Some(number) if !number.is_empty() => number.to_string(),
                _ => {
                    sent.refuse("apiId", "A revision is named by ';rev=' and a number from 1.");
                    String::new()
                }
            }
        }
    }
}

fn properties(world: &World, call: &Call, sent: &mut Sent, revision: &str) -> Map<String, Value> {
    let name = sent.needed("displayName", 1..=300);
    let description = sent.text("description", 0..=usize::MAX);
    let service = sent.text("serviceUrl", 0..=2000).filter(|url| !url.is_empty());
    let subscription = sent.flag("subscriptionRequired").unwrap_or(true);
    let path = match sent.given("path") {
        Some(_) => sent.text("path", 0..=400).unwrap_or_default().trim_matches('/').to_string(),
        None => {
            sent.refuse("path", "Path is required.");
            String::new()
        }
    };
    if path.contains(|c: char| "*?#&<>\\ ".contains(c)) || path.split('/').any(|part| part == "..") {
        sent.refuse("path", format!("The path '{path}' is not valid."));
    }
    let protocols = sent.list("protocols");
    if protocols.iter().any(|word| !word.as_str().is_some_and(|word| PROTOCOLS.contains(&word))) {
        sent.refuse("protocols", "A protocol must be one of http, https, ws, wss.");
    }
    let kind = sent.word("apiType", &TYPES).or_else(|| sent.word("type", &TYPES)).unwrap_or("http");
    let version = sent.text("apiVersion", 0..=100);
    let set = version_set(world, call, sent, version.as_deref());
    if sent.is_good()
        && let Some(twin) = twin(world, call, &path, set, version.as_deref())
    {
        let other = twin.text("properties/displayName");
        sent.refuse("path", format!("Cannot create API '{name}' with the same Path '{path}' as API '{other}'."));
    }
    let authentication = sent.object("authenticationSettings");
    let mut settings =
        json!({"oAuth2": null, "openid": null, "oAuth2AuthenticationSettings": [], "openidAuthenticationSettings": []});
    merge(&mut settings, &Value::Object(authentication));
    let mut names = json!({"header": "Ocp-Apim-Subscription-Key", "query": "subscription-key", "bearer": null});
    if let Value::Object(names) = &mut names {
        names.extend(sent.object("subscriptionKeyParameterNames").into_iter().filter(|(_, value)| !value.is_null()));
    }
    let mut properties = json!({
        "displayName": name,
        "apiRevision": revision,
        "description": description,
        "subscriptionRequired": subscription,
        "serviceUrl": service,
        "backendId": null,
        "path": path,
        "protocols": if protocols.is_empty() { json!(["https"]) } else { protocols.into() },
        "mcpProperties": null,
        "a2aProperties": null,
        "isAgent": false,
        "agent": null,
        "jsonRpcProperties": null,
        "authenticationSettings": settings,
        "subscriptionKeyParameterNames": names,
    });
    let Value::Object(map) = &mut properties else { return Map::new() };
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            map.insert(name.into(), value);
        }
    };
    add("termsOfServiceUrl", sent.text("termsOfServiceUrl", 0..=2000).map(Value::from));
    add("contact", ordered(sent.object("contact"), ["name", "url", "email"]));
    add("license", ordered(sent.object("license"), ["name", "url"]));
    add("type", (kind != "http").then(|| kind.into()));
    add("isCurrent", (!call.id.name().contains(';')).then(|| true.into()));
    add("apiRevisionDescription", sent.text("apiRevisionDescription", 0..=256).map(Value::from));
    add("apiVersion", version.clone().filter(|version| !version.is_empty()).map(Value::from));
    add("apiVersionDescription", sent.text("apiVersionDescription", 0..=256).map(Value::from));
    add("apiVersionSetId", set.map(|set| set.id.clone().into()));
    add("apiVersionSet", set.map(version_sets::embedded));
    let segment = set.is_some_and(|set| set.text("properties/versioningScheme") == "Segment");
    add("effectivePath", segment.then(|| format!("{path}/{}", version.unwrap_or_default()).into()));
    map.clone()
}

/// The members in the order in which they come back, every one of them; `None` where nothing was sent.
fn ordered<const N: usize>(sent: Map<String, Value>, names: [&str; N]) -> Option<Value> {
    let value = |name: &str| (name.to_string(), sent.get(name).cloned().unwrap_or_default());
    (!sent.is_empty()).then(|| Value::Object(names.into_iter().map(value).collect()))
}

fn version_set<'a>(world: &'a World, call: &Call, sent: &mut Sent, version: Option<&str>) -> Option<&'a Resource> {
    let Some(id) = sent.text("apiVersionSetId", 1..=2000) else {
        if version.is_some_and(|version| !version.is_empty()) {
            sent.refuse("apiVersionSetId", "ApiVersionSetId is required where an API has a version.");
        }
        return None;
    };
    let set = named(world, &call.id, "apiVersionSets", &id);
    if set.is_none() {
        let name = id.rsplit('/').next().unwrap_or("");
        sent.refuse("apiVersionSetId", format!("API version set with id '{name}' could not be found."));
    }
    set
}

/// Another API at the same path. In one version set a path is shared, and the versions differ.
fn twin<'a>(
    world: &'a World,
    call: &Call,
    path: &str,
    set: Option<&Resource>,
    version: Option<&str>,
) -> Option<&'a Resource> {
    let under = format!("{}/apis/", call.id.top().key());
    let own = call.id.name().split(';').next().unwrap_or("");
    world.state.children(&under, KIND).find(|other| {
        let name = other.name.split(';').next().unwrap_or("");
        let same_set = set.is_some_and(|set| other.text("properties/apiVersionSetId").eq_ignore_ascii_case(&set.id));
        let same_version = other.text("properties/apiVersion") == version.unwrap_or("");
        !name.eq_ignore_ascii_case(own)
            && other.text("properties/path").eq_ignore_ascii_case(path)
            && (!same_set || same_version)
    })
}

/// An API goes with its revisions, its subscriptions and the products' links to it. Since 2023-05-01-preview the answer
/// says that it will be gone.
pub(super) fn delete(world: &mut World, call: &Call) -> Option<Reply> {
    let key = call.key();
    let set = world.state.resources.get(&key).map(|api| api.text("properties/apiVersionSetId").to_string());
    world.state.take(&key);
    if !call.id.name().contains(';') {
        for other in revisions::others(world, &call.id) {
            world.state.take(&other);
        }
        take_along(world, &call.id);
        version_sets::forget_empty(world, &call.id, &set.unwrap_or_default());
    }
    if !not_older(&call.version, "2023-05-01-preview") {
        return None;
    }
    let target = call.id.text();
    let start = Start {
        now: call.now,
        follow: Follow::Child(204),
        target: &target,
        name: call.id.name(),
        location: "",
        version: &call.version,
        takes: DELETION,
        effect: Effect::Nothing,
    };
    Some(world.start(Reply::empty(202), start))
}

fn take_along(world: &mut World, api: &ResourceId) {
    products::unlink(world, api, products::APIS);
    let (under, key) = (format!("{}/subscriptions/", api.top().key()), api.key());
    let orphans: Vec<String> = world
        .state
        .children(&under, "Microsoft.ApiManagement/service/subscriptions")
        .filter(|subscription| subscription.text("properties/scope").to_lowercase() == key)
        .map(|subscription| subscription.id.to_lowercase())
        .collect();
    for orphan in orphans {
        world.state.resources.remove(&orphan);
    }
}
