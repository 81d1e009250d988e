//! What the children of a service have in common: GET, HEAD, lists, PUT, PATCH and DELETE, with ETags, and how a slow
//! write is followed.
//!
//! A write gives the whole of a child's properties; [`keep`] changes its ETag only where they differ from those that are
//! there, as recorded. A slow write takes effect when its operation ends: until then a GET gives what was there before.
//!
//! A PATCH wants `If-Match`, as the contract says; what a service answers without it was not recorded. A DELETE does not,
//! against the contract, as recorded.

use super::kinds::kind_of;
use crate::azure::World;
use crate::azure::ids::ResourceId;
use crate::azure::lro::{Effect, Follow, Start};
use crate::azure::reply::{Reply, child_not_found, error, service_error, validation};
use crate::azure::router::Call;
use crate::azure::shape::{cut_to_version, merge, object};
use crate::azure::state::Resource;
use crate::catalogue::not_older;
use crate::time::{Duration, Time};
use crate::wire::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Since this version an answer to a slow write has a body and both headers; before it is empty and has `Location`.
const BOTH_HEADERS: &str = "2023-05-01-preview";

/// How a child is written: from the properties that were sent.
pub(super) type Write = fn(&mut World, &Call, Map<String, Value>) -> Result<Written, Reply>;

/// A kind of child.
pub(super) struct Child {
    /// The type.
    pub kind: &'static str,
    /// What errors call it: `Backend not found.`
    pub what: &'static str,
    /// The name of its id in errors, and how long it may be.
    pub id: (&'static str, usize),
    pub write: Write,
    /// Shapes the properties for an answer.
    pub show: fn(&Resource, &str, View, &mut Map<String, Value>),
    /// Refuses a deletion, or takes along what goes with the child.
    pub delete: fn(&mut World, &Call) -> Option<Reply>,
    pub action: fn(&mut World, &Call) -> Reply,
}

/// The occasion on which a child is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::azure) enum View {
    Created,
    Updated,
    Read,
    Listed,
}

/// What a write leaves.
#[derive(Default)]
pub(super) struct Written {
    pub properties: Map<String, Value>,
    /// What no GET shows. A name that is not here keeps what it had.
    pub hidden: BTreeMap<String, String>,
    /// It takes a while.
    pub takes: Option<Duration>,
    /// What comes with it, in place of what of these types is under it.
    pub under: Vec<Resource>,
}

impl Written {
    /// Of a JSON object.
    pub fn of(properties: &Value) -> Written {
        Written { properties: object(Some(properties)), ..Written::default() }
    }
}

pub(super) fn handle(world: &mut World, call: &Call, child: &Child) -> Reply {
    let key = call.key();
    match call.method {
        Method::Get => match world.state.resources.get(&key) {
            Some(kept) => Reply::pretty(200, show(kept, &call.version, View::Read)).etag(&kept.etag),
            None => child_not_found(child.what),
        },
        Method::Head => match world.state.resources.get(&key) {
            Some(kept) => Reply::empty(200).etag(&kept.etag),
            None => Reply::empty(404),
        },
        Method::Put => {
            if let Some(refusal) = name_problem(call, child).or_else(|| refused(world, call)) {
                return refusal;
            }
            write(world, call, child, object(call.body.get("properties")))
        }
        Method::Patch => patch(world, call, child),
        Method::Delete => {
            if let Some(refusal) = locked(world, &call.id) {
                return refusal;
            }
            let Some(kept) = world.state.resources.get(&key) else { return Reply::empty(204) };
            if let Some(refusal) = precondition(call, kept).or_else(|| busy(world, call)) {
                return refusal;
            }
            if let Some(reply) = (child.delete)(world, call) {
                return reply;
            }
            world.state.take(&key);
            Reply::empty(200)
        }
        Method::Post => match world.state.resources.contains_key(&key) {
            true => (child.action)(world, call),
            false => child_not_found(child.what),
        },
    }
}

fn patch(world: &mut World, call: &Call, child: &Child) -> Reply {
    let Some(kept) = world.state.resources.get(&call.key()) else { return child_not_found(child.what) };
    if call.if_match.is_none() {
        return validation(&[("If-Match", "The header 'If-Match' is required.".into())]);
    }
    let mut properties = kept.at("properties").clone();
    if let Some(refusal) = refused(world, call) {
        return refusal;
    }
    merge(&mut properties, call.body.get("properties").unwrap_or(&json!({})));
    let reply = write(world, call, child, object(Some(&properties)));
    // recorded in 2019: 204 without a body; the contract since then: 200 with one
    if reply.is_success() && !not_older(&call.version, "2021-08-01") { Reply::empty(204) } else { reply }
}

/// Refuses a write while the service or the child is in transition, or where the child is another than the caller knows.
fn refused(world: &World, call: &Call) -> Option<Reply> {
    let kept = world.state.resources.get(&call.key());
    locked(world, &call.id).or_else(|| kept.and_then(|kept| precondition(call, kept))).or_else(|| busy(world, call))
}

/// Refuses a write while a slow one on the child, or on the API that it hangs on, goes on.
fn busy(world: &World, call: &Call) -> Option<Reply> {
    let ids: Vec<String> =
        std::iter::successors(Some(call.id.clone()), ResourceId::parent).map(|id| id.key()).collect();
    let runs = world.state.operations.values().any(|operation| {
        !operation.settled
            && matches!(operation.effect, Effect::Place(_))
            && ids.contains(&operation.target.to_lowercase())
    });
    let message = "Operation on the API is in progress";
    runs.then(|| {
        Reply::pretty(
            409,
            json!({"error": {"code": "PessimisticConcurrencyConflict", "message": message, "details": null}}),
        )
    })
}

/// Refuses a name that no child can have.
fn name_problem(call: &Call, child: &Child) -> Option<Reply> {
    let (field, most) = child.id;
    let name = call.id.name();
    if name.is_empty() || name.chars().count() > most {
        return Some(validation(&[(field, format!("The field {field} must have a length from 1 to {most}."))]));
    }
    let bad = |c: char| "*#&+:<>?/\\".contains(c) || c.is_control();
    (name.contains(bad) || name == "." || name == "..").then(|| {
        validation(&[(field, format!("The field {field} must match the regular expression '^[^*#&+:<>?]+$'."))])
    })
}

fn write(world: &mut World, call: &Call, child: &Child, sent: Map<String, Value>) -> Reply {
    let written = match (child.write)(world, call, sent) {
        Ok(written) => written,
        Err(refusal) => return refusal,
    };
    let Some(takes) = written.takes else {
        let (status, kept) = keep(world, call.now, &call.id, written);
        let view = if status == 201 { View::Created } else { View::Updated };
        return Reply::pretty(status, show(&kept, &call.version, view)).etag(&kept.etag);
    };
    let (status, fresh) = resource(world, call.now, &call.id, written.properties, written.hidden);
    let reply = match not_older(&call.version, BOTH_HEADERS) {
        true => {
            let stub = json!({"id": fresh.id, "type": fresh.kind, "name": fresh.name,
                "properties": {"ProvisioningState": "InProgress"}});
            Reply::pretty(status, stub)
        }
        false => Reply::empty(202),
    };
    let (target, name) = (fresh.id.clone(), fresh.name.clone());
    let effect = Effect::Place(std::iter::once(fresh).chain(written.under).collect());
    let (now, version) = (call.now, call.version.as_str());
    let follow = Follow::Child(status);
    world.start(reply, Start { now, follow, target: &target, name: &name, location: "", version, takes, effect })
}

/// Keeps a child. Gives 201 for a new one, 200 for one that was there.
pub(super) fn keep(world: &mut World, now: Time, id: &ResourceId, written: Written) -> (u16, Resource) {
    let (status, fresh) = resource(world, now, id, written.properties, written.hidden);
    let mut all = vec![fresh.clone()];
    all.extend(written.under);
    place(world, all);
    (status, fresh)
}

/// The child as it will be kept.
pub(super) fn resource(
    world: &mut World,
    now: Time,
    id: &ResourceId,
    properties: Map<String, Value>,
    hidden: BTreeMap<String, String>,
) -> (u16, Resource) {
    let known = world.state.resources.get(&id.key()).cloned();
    let status = if known.is_some() { 200 } else { 201 };
    let mut secrets = known.as_ref().map_or_else(BTreeMap::new, |known| known.hidden.clone());
    secrets.extend(hidden);
    let same = known.filter(|known| known.at("properties").as_object() == Some(&properties) && known.hidden == secrets);
    if let Some(known) = same {
        return (status, known);
    }
    let created = world.state.resources.get(&id.key()).map_or(now, |known| known.created);
    let fresh = Resource {
        id: id.text(),
        name: id.name().to_string(),
        kind: id.kind.name.clone(),
        etag: world.new_etag(),
        created,
        changed: now,
        body: Map::from_iter([("properties".to_string(), Value::Object(properties))]),
        hidden: secrets,
        busy: Time::ZERO,
    };
    (status, fresh)
}

/// Puts resources where they belong: the first, and what comes with it in place of what of the same types was under it.
/// Nothing happens where its parent has gone meanwhile.
pub(in crate::azure) fn place(world: &mut World, resources: Vec<Resource>) {
    let mut resources = resources.into_iter();
    let Some(first) = resources.next() else { return };
    let key = first.id.to_lowercase();
    let parent = crate::azure::ids::parse_id(&first.id).and_then(|id| id.parent());
    if parent.is_none_or(|parent| !world.state.resources.contains_key(&parent.key())) {
        return;
    }
    world.state.resources.insert(key.clone(), first);
    let rest: Vec<Resource> = resources.collect();
    let kinds: Vec<String> = rest.iter().map(|resource| resource.kind.clone()).collect();
    let under = format!("{key}/");
    let kept: Vec<String> = rest.iter().map(|resource| resource.id.to_lowercase()).collect();
    let gone: Vec<String> = world
        .state
        .resources
        .range(under.clone()..)
        .take_while(|(k, _)| k.starts_with(&under))
        .filter(|(k, resource)| kinds.contains(&resource.kind) && !kept.contains(k))
        .map(|(k, _)| k.clone())
        .collect();
    for key in gone {
        world.state.take(&key);
    }
    for resource in rest {
        world.state.resources.insert(resource.id.to_lowercase(), resource);
    }
}

/// A child as it is shown: what an older api-version does not know is left out.
pub(in crate::azure) fn show(resource: &Resource, version: &str, view: View) -> Value {
    let mut properties = resource.at("properties").clone();
    cut_to_version(&resource.kind, version, &mut properties);
    let mut properties = object(Some(&properties));
    if let Some(child) = kind_of(&resource.kind) {
        (child.show)(resource, version, view, &mut properties);
    }
    json!({"id": shown_id(resource), "type": resource.kind, "name": resource.name, "properties": properties})
}

/// Recorded: a fragment's id has another case than its type.
fn shown_id(resource: &Resource) -> String {
    match resource.kind.ends_with("/policyFragments") {
        true => resource.id.replacen("/policyFragments/", "/policyfragments/", 1),
        false => resource.id.clone(),
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

/// The id of a child of the service of `id`: `("products/groups", ["starter", "guests"])`.
pub(super) fn in_service(id: &ResourceId, path: &str, names: &[&str]) -> ResourceId {
    path.split('/').zip(names).fold(id.top(), |id, (segment, name)| id.child(segment, name))
}

/// A child of the same service that a text names by its whole id, or as `/backends/name`.
pub(super) fn named<'a>(world: &'a World, id: &ResourceId, path: &str, text: &str) -> Option<&'a Resource> {
    let lower = text.to_lowercase();
    let rest = lower.strip_prefix(&id.top().key()).unwrap_or(&lower).trim_matches('/');
    let name = rest.strip_prefix(&path.to_lowercase())?.strip_prefix('/')?;
    let named = in_service(id, path, &[name]).recased(&world.state);
    world.state.resources.get(&named.key())
}

pub(super) fn no_action(_: &mut World, call: &Call) -> Reply {
    error(404, "NotFound", format!("The action '{}' is not known.", call.action))
}

pub(super) fn nothing_more(_: &mut World, _: &Call) -> Option<Reply> {
    None
}

pub(super) fn as_kept(_: &Resource, _: &str, _: View, _: &mut Map<String, Value>) {}
