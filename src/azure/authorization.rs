//! Role assignments on any scope, and the definitions of built-in roles.
//!
//! An assignment is an extension: its address is that of its scope with a provider behind it. It is kept beside the
//! resources, so that it goes when its scope goes.
//!
//! A principal is known when it is the identity of a resource here, thirty seconds after that was made (directories
//! replicate slowly); any other is believed where the caller says what type it is.

use super::ids::{group_key, is_guid, parse_id};
use super::reply::{Reply, error, gateway, group_not_found, method_not_allowed, resource_not_found};
use super::router::{Ask, Call, version_problem};
use super::shape::{object, stamp};
use super::state::Resource;
use super::{World, page, plain};
use crate::catalogue::{ROLES, Role, not_older, resource_type, role};
use crate::time::{Duration, Time};
use crate::wire::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) const ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";
/// An api-version that shows everything.
const WHOLE: &str = "2022-04-01";
/// The first api-version: its answers stand on several lines.
const FIRST: &str = "2015-07-01";
/// How many assignments a page of it holds; later ones were seen with all on one.
const FIRST_PAGE: usize = 20;
const DEFINITION: &str = "Microsoft.Authorization/roleDefinitions";

/// How long a new identity is unknown to the directory's other copies.
const REPLICATION: Duration = Duration::from_secs(30);

/// The object id of whoever calls: nobody signs in here.
const CALLER: &str = "00000000-0000-0000-0000-00000000ca11";

/// A write of an assignment, from a request or a deployment.
pub(super) struct Assignment<'a> {
    pub now: Time,
    /// The id of the scope, as it was written.
    pub scope: &'a str,
    pub name: &'a str,
    pub body: &'a Value,
}

/// Answers where the address is one of role definitions, at any scope or none.
pub(super) fn definitions_at(ask: &Ask<'_>, low: &[&str], raw: &[&str]) -> Option<Reply> {
    let at = low.windows(3).rposition(|three| three == ["providers", "microsoft.authorization", "roledefinitions"])?;
    if let Some(refusal) = resource_type(DEFINITION).and_then(|kind| version_problem(kind, &ask.version)) {
        return Some(refusal);
    }
    if ask.method != Method::Get {
        return Some(method_not_allowed(ask.method.as_str()));
    }
    let scope = format!("/{}", raw[..at].join("/"));
    Some(match &raw[at + 3..] {
        [] => definitions(ask, &scope),
        [name] => definition(&scope, name),
        _ => Reply::empty(404),
    })
}

pub(super) fn handle(world: &mut World, call: &Call) -> Reply {
    let mut reply = answer(world, call);
    reply.pretty = reply.is_success() && call.version == FIRST;
    reply
}

fn answer(world: &mut World, call: &Call) -> Reply {
    let key = call.key();
    match call.method {
        Method::Get => match world.state.resources.get(&key) {
            Some(kept) => Reply::json(200, show(kept, &call.version)),
            None => not_found(call.id.name()),
        },
        Method::Put => {
            let scope = call.id.scope();
            let mut reply =
                put(world, &Assignment { now: call.now, scope: &scope, name: call.id.name(), body: &call.body });
            reply.body.iter_mut().for_each(|body| cut(body, &call.version));
            reply
        }
        Method::Delete => match world.state.resources.remove(&key) {
            Some(kept) => Reply::json(200, show(&kept, &call.version)),
            None => Reply::empty(204),
        },
        other => method_not_allowed(other.as_str()),
    }
}

fn not_found(name: &str) -> Reply {
    error(404, "RoleAssignmentNotFound", format!("The role assignment '{name}' is not found."))
}

/// Writes an assignment: always a 201, with `createdBy` null, which a GET has.
pub(super) fn put(world: &mut World, assignment: &Assignment<'_>) -> Reply {
    let Assignment { now, scope, name, body } = *assignment;
    let scope = match whole_scope(world, scope) {
        Ok(scope) => scope,
        Err(refusal) => return refusal,
    };
    if !is_guid(name) {
        let message = format!("The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.");
        return error(400, "InvalidRoleAssignmentId", message);
    }
    let sent = object(body.get("properties"));
    let text = |name: &str| sent.get(name).and_then(Value::as_str).unwrap_or("");
    let Some(role) = role(text("roleDefinitionId")) else {
        let id = text("roleDefinitionId").rsplit('/').next().unwrap_or("").replace('-', "");
        let message = format!("The specified role definition with ID '{id}' does not exist.");
        return error(400, "RoleDefinitionDoesNotExist", message);
    };
    let principal = text("principalId");
    if !is_guid(principal) {
        return error(
            400,
            "InvalidPrincipalId",
            format!("A valid principal ID must be provided; '{principal}' is none."),
        );
    }
    let kind = match text("principalType") {
        "" if replicated(world, now, principal) => "ServicePrincipal",
        "" => {
            let message = format!(
                "Principal {} does not exist in the directory {}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
                principal.replace('-', ""),
                world.state.tenant
            );
            return error(400, "PrincipalNotFound", message);
        }
        kind => kind,
    };
    let id = format!("{scope}/providers/{ASSIGNMENT}/{name}");
    let key = id.to_lowercase();
    let definition = definition_id(&scope, role);
    let known = world.state.resources.get(&key);
    let same = |kept: &Resource| {
        kept.text("properties/principalId").eq_ignore_ascii_case(principal)
            && kept.text("properties/roleDefinitionId").rsplit('/').next() == Some(role.id)
    };
    if known.is_some_and(|known| !same(known)) {
        let message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
        return error(400, "RoleAssignmentUpdateNotPermitted", message);
    }
    let under = format!("{scope}/providers/{ASSIGNMENT}/").to_lowercase();
    if known.is_none() && world.state.children(&under, ASSIGNMENT).any(same) {
        return error(409, "RoleAssignmentExists", "The role assignment already exists.");
    }
    let created = known.map_or(now, |known| known.created);
    let properties = json!({
        "roleDefinitionId": definition,
        "principalId": principal,
        "principalType": kind,
        "scope": scope,
        "condition": sent.get("condition").cloned().unwrap_or(Value::Null),
        "conditionVersion": sent.get("conditionVersion").cloned().unwrap_or(Value::Null),
        "createdOn": stamp(created),
        "updatedOn": stamp(now),
        "createdBy": CALLER,
        "updatedBy": CALLER,
        "delegatedManagedIdentityResourceId": null,
        "description": sent.get("description").cloned().unwrap_or(Value::Null),
    });
    let kept = Resource {
        id,
        name: name.to_string(),
        kind: ASSIGNMENT.to_string(),
        etag: String::new(),
        created,
        changed: now,
        body: Map::from_iter([("properties".to_string(), properties)]),
        hidden: BTreeMap::new(),
        busy: Time::ZERO,
    };
    let mut shown = show(&kept, WHOLE);
    if let Some(Value::Object(properties)) = shown.get_mut("properties") {
        properties.insert("createdBy".into(), Value::Null);
    }
    world.state.resources.insert(key, kept);
    Reply::json(201, shown)
}

/// An assignment as an api-version knows it.
pub(super) fn show(kept: &Resource, version: &str) -> Value {
    let mut shown = json!({"properties": kept.at("properties"), "id": kept.id, "type": kept.kind, "name": kept.name});
    cut(&mut shown, version);
    shown
}

/// Takes out what an older api-version does not show.
fn cut(shown: &mut Value, version: &str) {
    let Some(Value::Object(properties)) = shown.get_mut("properties") else { return };
    if !not_older(version, "2020-03-01-preview") {
        let young = ["condition", "conditionVersion", "delegatedManagedIdentityResourceId", "description"];
        properties.retain(|name, _| !young.contains(&name.as_str()));
    }
    if !not_older(version, "2018-01-01-preview") {
        properties.shift_remove("principalType");
    }
}

/// The scope in the case in which Azure keeps it. It must be there.
fn whole_scope(world: &World, scope: &str) -> Result<String, Reply> {
    let parts: Vec<&str> = scope.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [_, subscription] => Ok(format!("/subscriptions/{subscription}")),
        [_, subscription, _, group] => match world.state.groups.get(&group_key(subscription, group)) {
            Some(known) => Ok(super::ids::group_id(&known.subscription, &known.name)),
            None => Err(group_not_found(group)),
        },
        [_, _, _, group, ..] => match parse_id(scope).map(|id| id.recased(&world.state)) {
            Some(id) if world.state.resources.contains_key(&id.key()) => Ok(id.text()),
            Some(id) => Err(resource_not_found(&id.short(), &id.group)),
            None => Err(resource_not_found(scope, group)),
        },
        _ => Err(gateway(400, "InvalidScope", format!("The scope '{scope}' is not valid."))),
    }
}

/// Whether a principal is the identity of a resource here, and known everywhere by now.
fn replicated(world: &World, now: Time, principal: &str) -> bool {
    world.state.resources.values().any(|resource| {
        let own = resource.text("identity/principalId").eq_ignore_ascii_case(principal);
        let assigned = || resource.text("properties/principalId").eq_ignore_ascii_case(principal);
        (own || (resource.kind == plain::IDENTITY && assigned())) && resource.created + world.scaled(REPLICATION) <= now
    })
}

/// Assignments that act on a scope: those on it, above it, and, without `atScope()`, below it.
pub(super) fn list(world: &World, ask: &Ask<'_>, scope: &str) -> Reply {
    let filter = ask.url.query("$filter").unwrap_or("");
    let lower = filter.to_lowercase().replace(' ', "");
    let principal = lower
        .split_once("principalideq'")
        .or_else(|| lower.split_once("assignedto('"))
        .and_then(|(_, rest)| rest.split_once('\''))
        .map(|(id, _)| id.to_string());
    let at_scope = lower.contains("atscope()");
    if !filter.is_empty() && principal.is_none() && !at_scope {
        return error(400, "InvalidFilter", format!("The filter '{filter}' is not supported."));
    }
    let scope = scope.trim_end_matches('/').to_lowercase();
    let below = format!("{scope}/");
    let value: Vec<Value> = world
        .state
        .resources
        .values()
        .filter(|resource| resource.kind == ASSIGNMENT)
        .filter(|resource| {
            let own = resource.text("properties/scope").to_lowercase();
            own == scope || scope.starts_with(&format!("{own}/")) || (!at_scope && own.starts_with(&below))
        })
        .filter(|resource| {
            principal.as_ref().is_none_or(|id| resource.text("properties/principalId").eq_ignore_ascii_case(id))
        })
        .map(|kept| show(kept, &ask.version))
        .collect();
    let first = ask.version == FIRST;
    Reply { pretty: first, ..page::page(world, ask, value, if first { FIRST_PAGE } else { usize::MAX }) }
}

fn definitions(ask: &Ask<'_>, scope: &str) -> Reply {
    let filter = match page::filter(ask, &["rolename", "type"]) {
        Ok(filter) => filter,
        Err(refusal) => return refusal,
    };
    let fits = |role: &Role| {
        filter.iter().all(|(name, value)| match name.as_str() {
            "rolename" => role.name.eq_ignore_ascii_case(value),
            _ => value.eq_ignore_ascii_case("BuiltInRole"),
        })
    };
    let value: Vec<Value> = ROLES.iter().filter(|role| fits(role)).map(|role| show_definition(scope, role)).collect();
    Reply::json(200, json!({ "value": value }))
}

fn definition(scope: &str, name: &str) -> Reply {
    match role(name) {
        Some(role) => Reply::json(200, show_definition(scope, role)),
        None => {
            let message = format!("The specified role definition with ID '{name}' does not exist.");
            error(404, "RoleDefinitionDoesNotExist", message)
        }
    }
}

/// Definitions live in the subscription, wherever they are asked for.
fn definition_id(scope: &str, role: &Role) -> String {
    let subscription = super::lro::subscription_of(scope);
    let base = if subscription.is_empty() { String::new() } else { format!("/subscriptions/{subscription}") };
    format!("{base}/providers/{DEFINITION}/{}", role.id)
}

fn show_definition(scope: &str, role: &Role) -> Value {
    json!({
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "description": role.description,
            "assignableScopes": ["/"],
            "createdBy": null,
            "updatedBy": null,
        },
        "id": definition_id(scope, role),
        "type": DEFINITION,
        "name": role.id,
    })
}
