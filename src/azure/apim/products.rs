//! `service/products` with their links: `products/apis` and `products/groups`, which are no resources of their own. A link
//! is written, asked for by HEAD and deleted; a GET of it is 405, as recorded.

use super::child::{View, Written, in_service, keep, locked, named, resource};
use super::people::administrators;
use super::sent::Sent;
use crate::azure::World;
use crate::azure::ids::ResourceId;
use crate::azure::reply::{Reply, child_not_found, method_not_allowed, validation};
use crate::azure::router::Call;
use crate::azure::state::Resource;
use crate::catalogue::not_older;
use crate::wire::Method;
use serde_json::{Map, Value, json};

pub(super) const APIS: &str = "Microsoft.ApiManagement/service/products/apis";
pub(super) const GROUPS: &str = "Microsoft.ApiManagement/service/products/groups";
const SUBSCRIPTIONS: &str = "Microsoft.ApiManagement/service/subscriptions";

pub(super) fn write(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let name = sent.needed("displayName", 1..=300);
    let description = sent.text("description", 0..=1000);
    let terms = sent.text("terms", 0..=usize::MAX);
    let subscription = sent.flag("subscriptionRequired").unwrap_or(true);
    let approval = sent.flag("approvalRequired");
    let limit = sent.whole("subscriptionsLimit", 0..=i32::MAX as u64);
    let state = sent.word("state", &["notPublished", "published"]).unwrap_or("notPublished");
    if !subscription && approval == Some(true) {
        sent.refuse("approvalRequired", "ApprovalRequired can be set only if subscriptionRequired is true.");
    }
    if !subscription && limit.is_some() {
        sent.refuse("subscriptionsLimit", "SubscriptionsLimit can be set only if subscriptionRequired is true.");
    }
    sent.end()?;
    let properties = json!({
        "displayName": name,
        "description": description,
        "terms": terms,
        "subscriptionRequired": subscription,
        "approvalRequired": if subscription { Value::from(approval.unwrap_or(false)) } else { Value::Null },
        "subscriptionsLimit": limit,
        "state": state,
    });
    let mut written = Written::of(&properties);
    if !world.state.resources.contains_key(&call.key()) {
        let id = in_service(&call.id, "products/groups", &[call.id.name(), "administrators"]);
        written.under.push(resource(world, call.now, &id, Map::new(), Default::default()).1);
    }
    Ok(written)
}

/// Recorded: a product that was just made shows the administrators, one that was changed no group; since 2024-05-01 a GET
/// shows an empty list, before none.
pub(super) fn show(kept: &Resource, version: &str, view: View, properties: &mut Map<String, Value>) {
    let service = kept.id.split("/products/").next().unwrap_or("");
    let groups = match view {
        View::Created => json!([administrators(service)]),
        View::Updated => json!([]),
        View::Read | View::Listed if not_older(version, "2024-05-01") => json!([]),
        View::Read | View::Listed => return,
    };
    properties.insert("groups".into(), groups);
}

pub(super) fn delete(world: &mut World, call: &Call) -> Option<Reply> {
    let all = call.url.query("deleteSubscriptions").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let (under, key) = (format!("{}/subscriptions/", call.id.top().key()), call.key());
    let own: Vec<String> = world
        .state
        .children(&under, SUBSCRIPTIONS)
        .filter(|subscription| subscription.text("properties/scope").to_lowercase() == key)
        .map(|subscription| subscription.id.to_lowercase())
        .collect();
    if !all && !own.is_empty() {
        let message =
            "The product has subscriptions and cannot be deleted. Set deleteSubscriptions to delete them too.";
        return Some(validation(&[("productId", message.into())]));
    }
    for subscription in own {
        world.state.take(&subscription);
    }
    None
}

/// A link of a product to an API or a group.
pub(super) fn link(world: &mut World, call: &Call) -> Reply {
    let (path, what) = if call.id.kind.name == APIS { ("apis", "Api") } else { ("groups", "Group") };
    let key = call.key();
    let there = world.state.resources.contains_key(&key);
    match call.method {
        Method::Head => Reply::empty(if there { 204 } else { 404 }),
        Method::Put => {
            if let Some(refusal) = locked(world, &call.id) {
                return refusal;
            }
            let target = in_service(&call.id, path, &[call.id.name()]).recased(&world.state);
            let Some(target) = world.state.resources.get(&target.key()).cloned() else {
                return child_not_found(what);
            };
            let (status, kept) = keep(world, call.now, &call.id, Written::default());
            Reply::pretty(status, linked(&kept, &target, &call.version, View::Updated)).etag(&target.etag)
        }
        Method::Delete => {
            if let Some(refusal) = locked(world, &call.id) {
                return refusal;
            }
            world.state.take(&key);
            Reply::empty(if there { 200 } else { 204 })
        }
        other => method_not_allowed(other.as_str()),
    }
}

/// What a link shows: the API or group at the link's own address. Recorded: an API does not say here how a key is sent,
/// and in the answer to a PUT not even its protocols, terms and version set.
fn linked(link: &Resource, target: &Resource, version: &str, view: View) -> Value {
    let mut shown = super::child::show(target, version, View::Listed);
    if let Some(Value::Object(properties)) = shown.get_mut("properties")
        && link.kind == APIS
    {
        for name in ["authenticationSettings", "subscriptionKeyParameterNames"] {
            properties.insert(name.into(), Value::Null);
        }
        if view != View::Listed {
            properties.insert("protocols".into(), Value::Null);
            for name in ["termsOfServiceUrl", "contact", "license", "apiVersionSetId"] {
                properties.shift_remove(name);
            }
        }
    }
    if let Value::Object(map) = &mut shown {
        map.insert("id".into(), link.id.clone().into());
        map.insert("type".into(), link.kind.clone().into());
    }
    shown
}

/// A link in a list.
pub(super) fn show_link(world: &World, link: &Resource, version: &str) -> Option<Value> {
    let path = if link.kind == APIS { "apis" } else { "groups" };
    let id = crate::azure::ids::parse_id(&link.id)?;
    let target = in_service(&id, path, &[&link.name]);
    let target = world.state.resources.get(&target.key())?;
    Some(linked(link, target, version, View::Listed))
}

/// Takes away what products link to something that is gone.
pub(super) fn unlink(world: &mut World, target: &ResourceId, kind: &str) {
    let under = format!("{}/products/", target.top().key());
    let links: Vec<String> = world
        .state
        .children(&under, kind)
        .filter(|link| link.name.eq_ignore_ascii_case(target.name()))
        .map(|link| link.id.to_lowercase())
        .collect();
    for link in links {
        world.state.take(&link);
    }
}

/// The newer form of a link: a resource of its own, whose name is free.
pub(super) fn api_link(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let text = sent.needed("apiId", 1..=2000);
    let api = named(world, &call.id, "apis", &text).cloned();
    if api.is_none() && !text.is_empty() {
        sent.refuse("apiId", format!("API with id '{}' could not be found.", text.rsplit('/').next().unwrap_or("")));
    }
    sent.end()?;
    Ok(Written::of(&json!({"apiId": api.map(|api| api.id)})))
}
