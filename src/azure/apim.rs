//! API Management: the service, its children, and what is left of deleted services.

pub(super) mod apis;
pub(super) mod backends;
mod deleted;
pub(super) mod operations;
pub(super) mod policies;
pub(super) mod service;
pub(super) mod subscriptions;

use super::World;
use super::ids::ResourceId;
use super::reply::{Reply, child_not_found, error, method_not_allowed, service_error};
use super::router::{Ask, Call, unknown, version_problem};
use super::shape::cut_to_version;
use super::state::Resource;
use crate::catalogue;
use crate::time::Time;
use crate::wire::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) const SERVICE: &str = "Microsoft.ApiManagement/service";

/// How many children a page of a list holds where the caller does not say.
const PAGE: usize = 100;

/// Addresses of a subscription: `service`, `deletedservices`, `checkNameAvailability`.
pub(super) fn in_subscription(
    world: &mut World,
    ask: &Ask<'_>,
    subscription: &str,
    low: &[&str],
    raw: &[&str],
) -> Reply {
    if let Some(refusal) = catalogue::resource_type(SERVICE).and_then(|kind| version_problem(kind, &ask.version)) {
        return refusal;
    }
    match (low, ask.method) {
        (["service"], Method::Get) => {
            let under = format!("/subscriptions/{}/", subscription.to_lowercase());
            let value: Vec<Value> = world.state.children(&under, SERVICE).map(service::show).collect();
            Reply::json(200, json!({ "value": value }))
        }
        (["checknameavailability"], Method::Post) => match ask.body() {
            Ok(body) => service::check_name(world, &body),
            Err(refusal) => refusal,
        },
        (["deletedservices"], Method::Get) => deleted::list(world, subscription),
        (["locations", _, "deletedservices", _], _) => {
            deleted::one(world, ask, subscription, raw.get(1).unwrap_or(&""), raw.get(3).unwrap_or(&""))
        }
        (["service" | "deletedservices" | "checknameavailability"], method) => method_not_allowed(method.as_str()),
        _ => unknown(&format!("Microsoft.ApiManagement/{}", raw.join("/"))),
    }
}

/// A child as it is shown: what an older api-version does not know is left out.
pub(super) fn show_child(resource: &Resource, version: &str) -> Value {
    let mut properties = resource.at("properties").clone();
    cut_to_version(&resource.kind, version, &mut properties);
    json!({"id": resource.id, "type": resource.kind, "name": resource.name, "properties": properties})
}

/// The answer for a child of a live service that is not there.
pub(super) fn not_found(kind: &str) -> Reply {
    child_not_found(match kind.rsplit('/').next().unwrap_or("") {
        "backends" => "Backend",
        "apis" => "Api",
        "operations" => "Operation",
        "policies" => "PoliciesConfiguration",
        "subscriptions" => "Subscription",
        other => other,
    })
}

/// A page of a list: `value`, `count` of all, `nextLink` where there is more.
pub(super) fn page(world: &World, ask: &Ask<'_>, values: Vec<Value>) -> Reply {
    if ask.url.query("$filter").is_some_and(|filter| !filter.is_empty()) {
        return error(400, "UnsupportedFilter", "the local Azure does not evaluate $filter of API Management");
    }
    let number = |name: &str| ask.url.query(name).and_then(|text| text.parse::<usize>().ok());
    let (top, skip) = (number("$top").unwrap_or(PAGE).max(1), number("$skip").unwrap_or(0));
    let count = values.len();
    let shown: Vec<Value> = values.into_iter().skip(skip).take(top).collect();
    let mut body = json!({"value": shown, "count": count});
    if skip.saturating_add(top) < count
        && let Value::Object(map) = &mut body
    {
        // recorded: with a port, and with escapes that the caller did not write
        let path = ask.url.path.join("/");
        let rest = format!("%24top={top}&api-version={}&%24skip={}", ask.version, skip + top);
        let origin = match world.origin.starts_with("https://management") {
            true => format!("{}:443", world.origin),
            false => world.origin.clone(),
        };
        map.insert("nextLink".into(), format!("{origin}/{path}?{rest}").into());
    }
    Reply::pretty(200, body)
}

/// Answers the methods that every child has in common: GET, HEAD and DELETE. `None` for the others.
pub(super) fn read_or_delete(world: &mut World, call: &Call, what: &str) -> Option<Reply> {
    let key = call.key();
    match call.method {
        Method::Get => Some(match world.state.resources.get(&key) {
            Some(child) => Reply::pretty(200, show_child(child, &call.version)).etag(&child.etag),
            None => child_not_found(what),
        }),
        Method::Head => Some(match world.state.resources.get(&key) {
            Some(child) => Reply::empty(200).etag(&child.etag),
            None => Reply::empty(404),
        }),
        Method::Delete => {
            if let Some(refusal) = locked(world, &call.id) {
                return Some(refusal);
            }
            let Some(child) = world.state.resources.get(&key) else { return Some(Reply::empty(204)) };
            if let Some(refusal) = precondition(call, child) {
                return Some(refusal);
            }
            world.state.take(&key);
            Some(Reply::empty(200))
        }
        _ => None,
    }
}

/// Refuses a write while the service is in transition.
pub(super) fn locked(world: &World, id: &ResourceId) -> Option<Reply> {
    let service = world.state.resources.get(&id.top().key())?;
    (!service.at_rest()).then(|| transitioning(&service.name))
}

pub(super) fn transitioning(name: &str) -> Reply {
    let message = format!("The API Service {name} is transitioning at this time. Please try the request again later.");
    service_error(409, "ServiceLocked", message)
}

/// Refuses a write whose `If-Match` names another state of the child.
pub(super) fn precondition(call: &Call, child: &Resource) -> Option<Reply> {
    let wanted = call.if_match.as_deref()?.trim();
    if wanted == "*" || wanted.trim_matches('"') == child.etag {
        return None;
    }
    let message = "Resource was modified since last retrieval.";
    Some(Reply::pretty(412, json!({"error": {"code": "PreconditionFailed", "message": message, "details": null}})))
}

/// Keeps a child's properties. The ETag changes only where they did, as recorded.
pub(super) fn keep(world: &mut World, now: Time, id: &ResourceId, properties: Map<String, Value>) -> (u16, String) {
    let key = id.key();
    let known = world.state.resources.get(&key);
    let status = if known.is_some() { 200 } else { 201 };
    if let Some(known) = known
        && known.at("properties").as_object() == Some(&properties)
    {
        return (status, known.etag.clone());
    }
    let etag = world.new_etag();
    let created = known_created(world, &key).unwrap_or(now);
    let hidden = world.state.resources.get(&key).map_or_else(BTreeMap::new, |known| known.hidden.clone());
    let body = Map::from_iter([("properties".to_string(), Value::Object(properties))]);
    let child = Resource {
        id: id.text(),
        name: id.name().to_string(),
        kind: id.kind.name.to_string(),
        etag: etag.clone(),
        created,
        changed: now,
        body,
        hidden,
        busy: Time::ZERO,
    };
    world.state.resources.insert(key, child);
    (status, etag)
}

fn known_created(world: &World, key: &str) -> Option<Time> {
    world.state.resources.get(key).map(|known| known.created)
}
