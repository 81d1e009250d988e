//! `service/backends`: single ones with a breaker, and pools of them.
//!
//! What is refused is what API Management refuses (documentation of backends 2025-05, issue texts 2024): a url or a
//! protocol on a pool, a pool before its members, a second breaker rule, weight or priority out of 0 to 100, more than 30
//! members. That a member of a pool cannot be deleted is known, its words are not.

use super::child::{Written, no_action};
use crate::azure::World;
use crate::azure::ids::{ResourceId, parse_id};
use crate::azure::reply::{Reply, validation};
use crate::azure::router::Call;
use crate::azure::shape::{merge, object};
use crate::time::Duration;
use serde_json::{Map, Value, json};

const MEMBERS: usize = 30;

type Problems = Vec<(&'static str, String)>;

pub(super) fn delete(world: &mut World, call: &Call) -> Option<Reply> {
    let pool = pool_of(world, &call.id)?;
    let message = format!("Backend '{}' is used by the backend pool '{pool}'.", call.id.name());
    Some(validation(&[("backendId", message)]))
}

/// `reconnect` asks the gateway to connect anew after a while: nothing that shows here.
pub(super) fn action(world: &mut World, call: &Call) -> Reply {
    if call.action == "reconnect" { Reply::empty(202) } else { no_action(world, call) }
}

pub(super) fn write(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut problems = Problems::new();
    for (field, most) in [("title", 300), ("description", 2000), ("url", 2000)] {
        if let Some(text) = sent.get(field).and_then(Value::as_str)
            && (text.is_empty() || text.chars().count() > most)
        {
            problems.push((field, format!("The field {field} must have a length from 1 to {most}.")));
        }
    }
    let pool = sent.get("type").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("Pool"));
    let properties = match pool {
        true => pool_properties(world, call, &sent, &mut problems),
        false => single_properties(&sent, &mut problems),
    };
    match problems.as_slice() {
        [] => Ok(Written { properties, ..Written::default() }),
        problems => Err(validation(problems)),
    }
}

fn given<'a>(sent: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    sent.get(name).filter(|value| !value.is_null())
}

fn common(sent: &Map<String, Value>) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("title".into(), sent.get("title").cloned().unwrap_or(Value::Null));
    for name in ["description"] {
        if let Some(value) = given(sent, name) {
            properties.insert(name.into(), value.clone());
        }
    }
    properties
}

fn single_properties(sent: &Map<String, Value>, problems: &mut Problems) -> Map<String, Value> {
    let mut properties = common(sent);
    for (name, missing) in [("url", "Url is required."), ("protocol", "Protocol is required.")] {
        match given(sent, name) {
            Some(value) if value.is_string() => {
                properties.insert(name.into(), value.clone());
            }
            _ => problems.push((name, missing.into())),
        }
    }
    if let Some(protocol) = sent.get("protocol").and_then(Value::as_str)
        && !["http", "soap"].contains(&protocol.to_ascii_lowercase().as_str())
    {
        problems.push(("protocol", format!("The value '{protocol}' is not valid for Protocol.")));
    }
    if let Some(kind) = sent.get("type").and_then(Value::as_str)
        && !kind.eq_ignore_ascii_case("Single")
    {
        problems.push(("type", format!("The value '{kind}' is not valid for Type.")));
    }
    if given(sent, "pool").is_some() {
        problems.push(("pool", "Pool is not supported for a single backend.".into()));
    }
    for name in ["resourceId", "properties", "azureRegion"] {
        if let Some(value) = given(sent, name) {
            properties.insert(name.into(), value.clone());
        }
    }
    // the newer contract answers with empty credentials and checked certificates; the older, recorded, with neither
    let newer = given(sent, "type").is_some() || given(sent, "circuitBreaker").is_some();
    match given(sent, "credentials") {
        Some(sent) => {
            let mut credentials = object(Some(sent));
            for name in ["header", "query"] {
                if newer {
                    credentials.entry(name).or_insert_with(|| json!({}));
                }
            }
            properties.insert("credentials".into(), credentials.into());
        }
        None if newer => {
            properties.insert("credentials".into(), json!({"header": {}, "query": {}}));
        }
        None => {}
    }
    if let Some(proxy) = given(sent, "proxy") {
        let mut proxy = object(Some(proxy));
        proxy.shift_remove("password");
        properties.insert("proxy".into(), proxy.into());
    }
    if newer || given(sent, "tls").is_some() {
        let mut tls = json!({"validateCertificateChain": true, "validateCertificateName": true});
        merge(&mut tls, given(sent, "tls").unwrap_or(&json!({})));
        properties.insert("tls".into(), tls);
    }
    if let Some(breaker) = given(sent, "circuitBreaker") {
        properties.insert("circuitBreaker".into(), circuit_breaker(breaker, problems));
    }
    if let Some(kind) = given(sent, "type") {
        properties.insert("type".into(), if kind.is_string() { "Single".into() } else { kind.clone() });
    }
    properties
}

fn circuit_breaker(breaker: &Value, problems: &mut Problems) -> Value {
    const TARGET: &str = "circuitBreaker";
    let rules = breaker.get("rules").and_then(Value::as_array).cloned().unwrap_or_default();
    if rules.len() > 1 {
        problems.push((TARGET, "Only one circuit breaker rule is supported for a backend.".into()));
    }
    let shown: Vec<Value> = rules.iter().map(|rule| breaker_rule(rule, problems)).collect();
    json!({ "rules": shown })
}

fn breaker_rule(rule: &Value, problems: &mut Problems) -> Value {
    const TARGET: &str = "circuitBreaker";
    let mut refuse = |message: &str| problems.push((TARGET, message.to_string()));
    let condition = rule.get("failureCondition").cloned().unwrap_or(json!({}));
    let number = |name: &str| condition.get(name).filter(|value| !value.is_null());
    match (number("count"), number("percentage")) {
        (Some(count), None) if count.as_u64().is_some_and(|count| (1..=10_000).contains(&count)) => {}
        (None, Some(share)) if share.as_u64().is_some_and(|share| (1..=100).contains(&share)) => {}
        (Some(_), None) => refuse("Count must be from 1 to 10000."),
        (None, Some(_)) => refuse("Percentage must be from 1 to 100."),
        _ => refuse("Exactly one of count and percentage must be set."),
    }
    let ranges = condition.get("statusCodeRanges").and_then(Value::as_array).cloned().unwrap_or_default();
    let reasons = condition.get("errorReasons").and_then(Value::as_array).cloned().unwrap_or_default();
    if ranges.is_empty() && reasons.is_empty() {
        refuse("At least one of statusCodeRanges and errorReasons must be set.");
    }
    if ranges.len() > 10 || reasons.len() > 10 {
        refuse("At most 10 statusCodeRanges and 10 errorReasons can be set.");
    }
    for range in &ranges {
        let code = |name: &str| range.get(name).and_then(Value::as_u64).filter(|code| (200..=599).contains(code));
        if !matches!((code("min"), code("max")), (Some(min), Some(max)) if min <= max) {
            refuse("A status code range must have min and max from 200 to 599, min not above max.");
        }
    }
    let mut shown = rule.clone();
    for (pointer, name) in [("failureCondition", "interval"), ("", "tripDuration")] {
        let holder = if pointer.is_empty() { Some(&mut shown) } else { shown.get_mut(pointer) };
        let Some(Value::Object(holder)) = holder else { continue };
        match holder.get(name).and_then(Value::as_str).filter(|text| text.starts_with('P')).and_then(Duration::parse) {
            // a length comes back as it would be written anew
            Some(length) => {
                holder.insert(name.into(), length.iso().into());
            }
            None => refuse(&format!("The field {name} must be an ISO 8601 duration.")),
        }
    }
    if let Value::Object(map) = &mut shown {
        map.entry("acceptRetryAfter").or_insert(Value::Bool(false));
    }
    shown
}

fn pool_properties(
    world: &World,
    call: &Call,
    sent: &Map<String, Value>,
    problems: &mut Problems,
) -> Map<String, Value> {
    let mut properties = common(sent);
    for (name, refusal) in
        [("url", "Url is not supported for backend pool."), ("protocol", "Protocol is not supported for backend pool.")]
    {
        if given(sent, name).is_some() {
            problems.push((name, refusal.into()));
        }
    }
    let mut pool = object(sent.get("pool"));
    let services = pool.get("services").and_then(Value::as_array).cloned().unwrap_or_default();
    if services.is_empty() {
        problems.push(("pool", "A backend pool must have at least one service.".into()));
    }
    if services.len() > MEMBERS {
        problems.push(("pool", format!("A backend pool can have at most {MEMBERS} services.")));
    }
    let members = services.iter().map(|service| member(world, call, service, problems)).collect();
    pool.insert("services".into(), Value::Array(members));
    properties.insert("type".into(), "Pool".into());
    properties.insert("pool".into(), pool.into());
    properties
}

fn member(world: &World, call: &Call, service: &Value, problems: &mut Problems) -> Value {
    let text = service.get("id").and_then(Value::as_str).unwrap_or("");
    let id = member_id(&call.id, text).map(|id| id.recased(&world.state));
    let known = id.as_ref().and_then(|id| world.state.resources.get(&id.key()));
    match known {
        None => {
            let name = text.rsplit('/').next().unwrap_or(text);
            problems.push(("pool", format!("Backend Entity '{name}' not found.")));
        }
        Some(known) if known.text("properties/type") == "Pool" => {
            problems.push(("pool", format!("Backend Entity '{}' is a pool itself.", known.name)));
        }
        Some(_) => {}
    }
    let mut shown = Map::from_iter([("id".to_string(), id.map_or_else(|| text.into(), |id| id.text().into()))]);
    for name in ["priority", "weight"] {
        let value = service.get(name).cloned().unwrap_or(Value::Null);
        if !value.is_null() && value.as_u64().is_none_or(|number| number > 100) {
            problems.push((name, format!("The field {name} must be from 0 to 100.")));
        }
        shown.insert(name.into(), value);
    }
    if let Some(emission) = service.get("preferredCarbonEmission").filter(|value| !value.is_null()) {
        shown.insert("preferredCarbonEmission".into(), emission.clone());
    }
    Value::Object(shown)
}

/// A member is named by its whole id or as `/backends/name`; it lives in the same service.
fn member_id(pool: &ResourceId, text: &str) -> Option<ResourceId> {
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    if let [backends, name] = parts.as_slice()
        && backends.eq_ignore_ascii_case("backends")
    {
        let mut id = pool.clone();
        *id.names.last_mut()? = name.to_string();
        return Some(id);
    }
    let id = parse_id(text)?;
    (id.kind == pool.kind && id.top().key() == pool.top().key()).then_some(id)
}

/// The name of a live pool that a backend is a member of.
fn pool_of(world: &World, id: &ResourceId) -> Option<String> {
    let key = id.key();
    let under = format!("{}/backends/", id.top().key());
    let pools = world.state.children(&under, &id.kind.name);
    pools
        .into_iter()
        .find(|pool| {
            let services = pool.at("properties/pool/services").as_array();
            services
                .into_iter()
                .flatten()
                .any(|service| service.get("id").and_then(Value::as_str).is_some_and(|id| id.to_lowercase() == key))
        })
        .map(|pool| pool.name.clone())
}
