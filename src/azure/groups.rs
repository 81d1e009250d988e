//! Subscriptions and resource groups.

use super::ids::{group_id, group_key};
use super::lro::{Effect, Follow, Start};
use super::reply::{Reply, error, gateway, group_not_found, method_not_allowed};
use super::router::Ask;
use super::shape::short_location;
use super::state::{Group, Resource};
use super::{World, locks, page};
use crate::catalogue;
use crate::time::Duration;
use crate::wire::Method;
use serde_json::{Map, Value, json};

/// How long an empty group takes to go, and how much longer one with a service in it.
const EMPTY: Duration = Duration::from_secs(60);
const SERVICE: Duration = Duration::from_secs(80);

/// Every subscription exists here, once something names it; listed are the first and those that hold something.
pub(super) fn subscriptions(world: &World, ask: &Ask<'_>) -> Reply {
    if ask.method != Method::Get {
        return method_not_allowed(ask.method.as_str());
    }
    let mut ids = vec![world.state.subscription.as_str()];
    for group in world.state.groups.values() {
        if !ids.contains(&group.subscription.as_str()) {
            ids.push(&group.subscription);
        }
    }
    let value: Vec<Value> = ids.into_iter().map(|id| subscription_body(world, id)).collect();
    Reply::json(200, json!({ "value": value, "count": {"type": "Total", "value": value.len()} }))
}

pub(super) fn subscription(world: &World, ask: &Ask<'_>, id: &str) -> Reply {
    if ask.method != Method::Get {
        return method_not_allowed(ask.method.as_str());
    }
    Reply::json(200, subscription_body(world, id))
}

/// The regions that a subscription may use: all.
pub(super) fn locations(ask: &Ask<'_>, subscription: &str) -> Reply {
    if ask.method != Method::Get {
        return method_not_allowed(ask.method.as_str());
    }
    let value: Vec<Value> = catalogue::REGIONS
        .iter()
        .map(|region| {
            json!({
                "id": format!("/subscriptions/{subscription}/locations/{}", region.name),
                "name": region.name,
                "type": "Region",
                "displayName": region.display,
                "regionalDisplayName": region.display,
            })
        })
        .collect();
    Reply::json(200, json!({ "value": value }))
}

fn subscription_body(world: &World, id: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{id}"),
        "authorizationSource": "RoleBased",
        "subscriptionId": id,
        "tenantId": world.state.tenant,
        "displayName": "Local",
        "state": "Enabled",
    })
}

/// How many items a page of a list holds where the caller does not say.
const PAGE: usize = 1000;

pub(super) fn list(world: &World, ask: &Ask<'_>, subscription: &str) -> Reply {
    if ask.method != Method::Get {
        return method_not_allowed(ask.method.as_str());
    }
    let filter = match page::filter(ask, &["tagname", "tagvalue"]) {
        Ok(filter) => filter,
        Err(refusal) => return refusal,
    };
    let value: Vec<Value> = world
        .state
        .groups
        .values()
        .filter(|group| group.subscription.eq_ignore_ascii_case(subscription))
        .filter(|group| tagged(group.body.get("tags"), &filter))
        .map(show)
        .collect();
    page::page(world, ask, value, PAGE)
}

/// Whether one tag has the name and the value that a filter asks for; names without case.
fn tagged(tags: Option<&Value>, filter: &page::Filter) -> bool {
    let wanted = |wanted: &str| filter.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let (name, value) = (wanted("tagname"), wanted("tagvalue"));
    if name.is_none() && value.is_none() {
        return true;
    }
    tags.and_then(Value::as_object).into_iter().flatten().any(|(own, tag)| {
        name.is_none_or(|name| own.eq_ignore_ascii_case(name)) && value.is_none_or(|value| tag == value.as_str())
    })
}

pub(super) fn one(world: &mut World, ask: &Ask<'_>, subscription: &str, group: &str) -> Reply {
    let key = group_key(subscription, group);
    let known = world.state.groups.get(&key);
    if known.is_some() && [Method::Put, Method::Patch].contains(&ask.method) {
        let refusal = locks::refusal(world, ask.method, &key, &ask.url);
        let going = known.is_some_and(|known| known.deleting).then(|| being_deleted(group));
        if let Some(refusal) = refusal.or(going) {
            return refusal;
        }
    }
    match (ask.method, known) {
        (Method::Get, Some(known)) => Reply::json(200, show(known)),
        (Method::Get, None) => group_not_found(group),
        (Method::Head, Some(_)) => Reply::empty(204),
        (Method::Head, None) => Reply::empty(404).header("x-ms-failure-cause", "gateway"),
        (Method::Put, known) => {
            let created = known.is_none();
            let body = match ask.body() {
                Ok(body) => body,
                Err(refusal) => return refusal,
            };
            put(world, subscription, group, created, &body)
        }
        (Method::Patch, Some(_)) => {
            let body = match ask.body() {
                Ok(body) => body,
                Err(refusal) => return refusal,
            };
            if let (Some(tags), Some(known)) = (body.get("tags"), world.state.groups.get_mut(&key)) {
                if !(tags.is_object() || tags.is_null()) {
                    let message = "The request content was invalid and could not be deserialized: 'tags' is no object.";
                    return gateway(400, "InvalidRequestContent", message);
                }
                known.body.insert("tags".into(), tags.clone());
            }
            world.state.groups.get(&key).map_or_else(|| group_not_found(group), |known| Reply::json(200, show(known)))
        }
        (Method::Delete, Some(_)) => delete(world, ask, &key),
        (Method::Patch | Method::Delete, None) => group_not_found(group),
        (Method::Post, _) => method_not_allowed("POST"),
    }
}

fn put(world: &mut World, subscription: &str, group: &str, created: bool, body: &Value) -> Reply {
    let plain = |c: char| c.is_alphanumeric() || "-_.()".contains(c);
    if group.chars().count() > 90 || !group.chars().all(plain) || group.ends_with('.') {
        let message = format!(
            "The provided resource group name '{group}' has these invalid characters or is too long. The name can only be a letter, digit, '-', '.', '(', ')' or '_', at most 90 of them, and cannot end with '.'."
        );
        return gateway(400, "InvalidResourceGroup", message);
    }
    let key = group_key(subscription, group);
    let location = match body.get("location").and_then(Value::as_str) {
        Some(location) => location,
        None => return gateway(400, "LocationRequired", "The location property is required for this definition."),
    };
    if catalogue::region(location).is_none() {
        let known: Vec<&str> = catalogue::REGIONS.iter().map(|region| region.name).collect();
        let message = format!(
            "The provided location '{location}' is not available for resource group. List of available regions is '{}'.",
            known.join(",")
        );
        return gateway(400, "LocationNotAvailableForResourceGroup", message);
    }
    let location = short_location(location);
    if let Some(known) = world.state.groups.get(&key) {
        if known.deleting {
            return being_deleted(group);
        }
        if known.location != location {
            let message = format!(
                "Invalid resource group location '{location}'. The Resource group already exists in location '{}'.",
                known.location
            );
            return error(409, "InvalidResourceGroupLocation", message);
        }
    }
    let mut kept = Map::new();
    for name in ["managedBy", "tags"] {
        if let Some(value) = body.get(name).filter(|value| !value.is_null()) {
            kept.insert(name.into(), value.clone());
        }
    }
    let name = world.state.groups.get(&key).map_or(group, |known| &known.name).to_string();
    let fresh = Group { subscription: subscription.to_string(), name, location, body: kept, deleting: false };
    let answer = show(&fresh);
    world.state.groups.insert(key, fresh);
    Reply::json(if created { 201 } else { 200 }, answer)
}

/// The refusal of every write in a group that is going.
pub(super) fn being_deleted(group: &str) -> Reply {
    let state = "is in deprovisioning state and cannot perform this operation.";
    gateway(409, "ResourceGroupBeingDeleted", format!("The resource group '{group}' {state}"))
}

fn delete(world: &mut World, ask: &Ask<'_>, key: &str) -> Reply {
    if let Some(refusal) = locks::refusal(world, Method::Delete, key, &ask.url) {
        return refusal;
    }
    let Some(known) = world.state.groups.get_mut(key) else { return Reply::empty(404) };
    if known.deleting {
        // the one that runs is followed by whoever asks for it again
        return world.again(ask.now, key).unwrap_or_else(|| Reply::empty(202));
    }
    known.deleting = true;
    let (id, name, location) = (group_id(&known.subscription, &known.name), known.name.clone(), known.location.clone());
    let under = format!("{key}/");
    let services = world.state.children(&under, "Microsoft.ApiManagement/service").count();
    let takes = if services > 0 { EMPTY + SERVICE } else { EMPTY };
    world.start(
        Reply::empty(202),
        Start {
            now: ask.now,
            follow: Follow::Group,
            target: &id,
            name: &name,
            location: &location,
            version: &ask.version,
            takes,
            effect: Effect::RemoveGroup,
        },
    )
}

pub(super) fn show(group: &Group) -> Value {
    let mut body = json!({
        "id": group_id(&group.subscription, &group.name),
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
    });
    if let Value::Object(map) = &mut body {
        map.extend(group.body.clone());
        let state = if group.deleting { "Deleting" } else { "Succeeded" };
        map.insert("properties".into(), json!({ "provisioningState": state }));
    }
    body
}

/// The resources of a group, or of the whole subscription: only those that stand in a group themselves.
pub(super) fn resources(world: &World, ask: &Ask<'_>, subscription: &str, group: Option<&str>) -> Reply {
    if ask.method != Method::Get {
        return method_not_allowed(ask.method.as_str());
    }
    let known = ["resourcetype", "resourcegroup", "name", "location", "tagname", "tagvalue"];
    let filter = match page::filter(ask, &known) {
        Ok(filter) => filter,
        Err(refusal) => return refusal,
    };
    let base = match group {
        Some(group) => {
            let key = group_key(subscription, group);
            if !world.state.groups.contains_key(&key) {
                return group_not_found(group);
            }
            format!("{key}/")
        }
        None => format!("/subscriptions/{}/", subscription.to_lowercase()),
    };
    let value: Vec<Value> = world
        .state
        .resources
        .iter()
        .filter(|(key, resource)| key.starts_with(&base) && is_top(key, resource))
        .filter(|(_, resource)| tagged(resource.body.get("tags"), &filter) && fits(resource, &filter))
        .map(|(_, resource)| {
            let mut item = json!({"id": resource.id, "name": resource.name, "type": resource.kind});
            if let Value::Object(map) = &mut item {
                for name in ["kind", "sku", "identity", "tags"] {
                    if let Some(value) = resource.body.get(name).filter(|value| !value.is_null()) {
                        map.insert(name.into(), value.clone());
                    }
                }
                map.insert("location".into(), short_location(resource.text("location")).into());
            }
            item
        })
        .collect();
    page::page(world, ask, value, PAGE)
}

/// Whether a resource has what a filter asks for, beside tags.
fn fits(resource: &Resource, filter: &page::Filter) -> bool {
    filter.iter().all(|(name, value)| match name.as_str() {
        "resourcetype" => resource.kind.eq_ignore_ascii_case(value),
        "resourcegroup" => resource.id.split('/').nth(4).is_some_and(|group| group.eq_ignore_ascii_case(value)),
        "name" => resource.name.eq_ignore_ascii_case(value),
        "location" => short_location(resource.text("location")) == short_location(value),
        _ => true,
    })
}

/// Whether a resource stands in a group itself: no child, and no extension of another.
fn is_top(key: &str, resource: &Resource) -> bool {
    let extends = key.matches("/providers/").count() > 1 || resource.kind.starts_with("Microsoft.Authorization/");
    resource.kind.split('/').count() == 2 && !extends
}
