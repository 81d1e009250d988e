//! What-if: what a deployment would change, told before it changes anything.
//!
//! Each resource is compared as it is with what the template says of it. Azure keeps quiet about what a provider fills in
//! by itself: here that is what a fresh resource of the same template would have. The rest is noise, as in Azure:
//!
//! - an expression that only running can evaluate (`reference`) is compared as its text (Microsoft, "What-if limitations")
//! - a policy comes back indented anew, a secret never does
//! - some properties of a service are said to be deleted although nobody wrote them (Azure/arm-template-whatif issue 417)
//!
//! Deliberately absent: the order in which Azure pairs the elements of arrays. Here they are paired by their places.

use super::check::{self, Groups, error_of, made_groups};
use super::{Order, base, known};
use crate::azure::World;
use crate::azure::engine::{Node, Prepared, Runtime, prepare};
use crate::azure::lro::{Effect, Follow, Start};
use crate::azure::reply::{Reply, gateway};
use crate::azure::router::route;
use crate::azure::shape::short_location;
use crate::time::{Duration, Time};
use crate::wire::{Method, Request};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How long the job takes.
const FORESEEING: Duration = Duration::from_secs(10);

/// Members that only the provider writes, of any type: what-if does not show them.
const READ_ONLY: &[&str] = &[
    "etag",
    "systemData",
    "identity.principalId",
    "identity.tenantId",
    "sku.tier",
    "properties.AppId",
    "properties.ApplicationId",
    "properties.ConnectionString",
    "properties.CreationDate",
    "properties.InstrumentationKey",
    "properties.TenantId",
    "properties.callRateLimit",
    "properties.capabilities",
    "properties.clientId",
    "properties.createdAtUtc",
    "properties.createdBy",
    "properties.createdDate",
    "properties.createdOn",
    "properties.currentCapacity",
    "properties.customerId",
    "properties.dateCreated",
    "properties.developerPortalUrl",
    "properties.endpoint",
    "properties.endpoints",
    "properties.gatewayRegionalUrl",
    "properties.gatewayUrl",
    "properties.internalId",
    "properties.isMigrated",
    "properties.managementApiUrl",
    "properties.modifiedDate",
    "properties.ownerId",
    "properties.platformVersion",
    "properties.portalUrl",
    "properties.primaryKey",
    "properties.provisioningState",
    "properties.rateLimits",
    "properties.resourceGuid",
    "properties.scmUrl",
    "properties.secondaryKey",
    "properties.targetProvisioningState",
    "properties.updatedBy",
    "properties.updatedOn",
];

/// Properties that what-if says will be deleted, because the provider filled them in.
const NOISE: &[(&str, &str)] = &[
    ("Microsoft.ApiManagement/service", "properties.developerPortalStatus"),
    ("Microsoft.ApiManagement/service", "properties.legacyPortalStatus"),
    ("Microsoft.ApiManagement/service", "properties.natGatewayState"),
];

/// How much a result shows.
#[derive(Clone, Copy, PartialEq)]
enum Format {
    Full,
    Ids,
}

/// A world that cannot be asked yet.
struct Nothing;

impl Runtime for Nothing {
    fn resource(&self, _id: &str, _api_version: Option<&str>) -> Option<Value> {
        None
    }

    fn list(&self, _function: &str, _id: &str, _api_version: &str) -> Option<Value> {
        None
    }
}

/// Takes a what-if: empty, with the address of its result.
pub(super) fn post(world: &mut World, order: &Order<'_>) -> Reply {
    if let Err(refusal) = check::asked(order) {
        return refusal;
    }
    let format = match order.body.pointer("/properties/whatIfSettings/resultFormat") {
        None | Some(Value::Null) => Format::Full,
        Some(Value::String(word)) if word.eq_ignore_ascii_case("FullResourcePayloads") => Format::Full,
        Some(Value::String(word)) if word.eq_ignore_ascii_case("ResourceIdOnly") => Format::Ids,
        Some(other) => {
            let message = "The request content was invalid and could not be deserialized";
            let message = format!(
                "{message}: 'Error converting value {other} to type 'DeploymentWhatIfResultFormat'. Path 'properties.whatIfSettings.resultFormat'.'."
            );
            return gateway(400, "InvalidRequestContent", message);
        }
    };
    let result = match foresee(world, order, format) {
        Ok(changes) => {
            let correlation = world.new_guid("correlation");
            json!({"status": "Succeeded", "properties": {"correlationId": correlation, "changes": changes}})
        }
        Err(refusal) => json!({"status": "Failed", "error": error_of(&refusal)}),
    };
    let group = world.state.groups.get(&base(order.target).to_lowercase());
    let location = order.location().or(group.map(|group| group.location.clone())).unwrap_or_default();
    let start = Start {
        now: order.now,
        follow: Follow::WhatIf(result),
        target: &super::id(order.target, order.name),
        name: order.name,
        location: &location,
        version: order.version,
        takes: FORESEEING,
        effect: Effect::Nothing,
    };
    world.start(Reply::empty(202), start)
}

/// All changes, by the ids of their resources.
struct Foresight<'a> {
    world: &'a World,
    now: Time,
    format: Format,
    made: Groups,
    changes: BTreeMap<String, Value>,
    /// The keys of groups whose other resources are ignored.
    touched: BTreeSet<String>,
}

fn foresee(world: &World, order: &Order<'_>, format: Format) -> Result<Vec<Value>, Reply> {
    check::check(world, order)?;
    let asked = check::asked(order)?;
    let scope = check::scope(world, order, &Groups::new());
    let prepared = prepare(asked.template, &asked.parameters, &scope).map_err(|problem| check::refused(&problem))?;
    let (made, changes) = (Groups::new(), BTreeMap::new());
    let touched = BTreeSet::from([base(order.target).to_lowercase()]);
    let mut foresight = Foresight { world, now: order.now, format, made, changes, touched };
    foresight.template(&prepared, &BTreeSet::new());
    foresight.ignore_the_rest();
    Ok(foresight.changes.into_values().collect())
}

impl Foresight<'_> {
    /// The resources of a template, and of those nested in it. The ids of some hang on what only running can tell.
    fn template(&mut self, prepared: &Prepared, shaky: &BTreeSet<String>) {
        self.made.extend(made_groups(self.world, prepared));
        for (i, node) in prepared.nodes().iter().enumerate() {
            let body = prepared.foreseen_body(i, &Nothing);
            let group = node.id.split('/').take(5).collect::<Vec<_>>().join("/").to_lowercase();
            if self.world.state.groups.contains_key(&group) && node.id.split('/').count() > 5 {
                self.touched.insert(group);
            }
            match node.nested {
                Some(_) => {
                    if self.nested(node, &body).is_none() {
                        self.unsupported(&node.id);
                    }
                }
                None if shaky.contains(&node.id.to_lowercase()) => self.unsupported(&node.id),
                None => self.resource(node, body),
            }
        }
    }

    fn nested(&mut self, node: &Node, body: &Value) -> Option<()> {
        let target = node.nested.as_ref()?;
        let target = match known(self.world, target) {
            Ok(target) => target,
            Err(_) => self.made.get(&base(target).to_lowercase()).map(|_| target.clone())?,
        };
        let order = Order { now: self.now, version: &node.api_version, target: &target, name: &node.name, body };
        let asked = check::asked(&order).ok()?;
        let scope = check::scope(self.world, &order, &self.made);
        let prepared = prepare(asked.template, &asked.parameters, &scope).ok()?;
        // with other values of what is unknown, what is known keeps its id
        let other = prepare(asked.template, &disturbed(&asked.parameters), &scope).ok();
        let ids = |prepared: &Prepared| -> Vec<String> {
            prepared.nodes().iter().map(|node| node.id.to_lowercase()).collect()
        };
        let others: BTreeSet<String> = other.iter().flat_map(ids).collect();
        let shaky = ids(&prepared).into_iter().filter(|id| other.is_some() && !others.contains(id)).collect();
        self.template(&prepared, &shaky);
        Some(())
    }

    fn unsupported(&mut self, id: &str) {
        let mut change = json!({"resourceId": id, "changeType": "Unsupported"});
        if self.format == Format::Full {
            let reason = format!(
                "Changes to the resource '{id}' cannot be analyzed because its resource ID or API version cannot be calculated until the deployment is under way. Please see https://aka.ms/WhatIfUnidentifiableResource for more information."
            );
            change["unsupportedReason"] = reason.into();
        }
        self.changes.insert(id.to_lowercase(), change);
    }

    fn resource(&mut self, node: &Node, body: Value) {
        let current = fetch(&mut self.world.clone(), self.now, &node.id, &node.api_version);
        let id = current.as_ref().and_then(|current| current.get("id")).and_then(Value::as_str).unwrap_or(&node.id);
        let change = match (&current, self.format) {
            (None, Format::Ids) => json!({"resourceId": id, "changeType": "Create"}),
            (Some(_), Format::Ids) => json!({"resourceId": id, "changeType": "Deploy"}),
            (None, Format::Full) => {
                json!({"resourceId": id, "changeType": "Create", "after": wanted(node, id, body)})
            }
            (Some(current), Format::Full) => self.compared(node, id, body, current),
        };
        self.changes.insert(node.id.to_lowercase(), change);
    }

    fn compared(&self, node: &Node, id: &str, body: Value, current: &Value) -> Value {
        let fresh = self.fresh(node, &body).map(|fresh| cleaned(fresh, &node.api_version));
        let before = cleaned(current.clone(), &node.api_version);
        let mut after = wanted(node, id, body);
        let kind = node.type_.as_str();
        fill(&before, fresh.as_ref(), &mut after, kind, "");
        let after = sorted(after);
        let mut delta = Vec::new();
        differences(&before, &after, "", &mut delta);
        let kind = if delta.is_empty() { "NoChange" } else { "Modify" };
        let mut change = json!({"resourceId": id, "changeType": kind, "before": before, "after": after});
        if !delta.is_empty() {
            change["delta"] = delta.into();
        }
        change
    }

    /// The same resource as if it were made now, which shows what its provider fills in; none where that cannot be told.
    fn fresh(&self, node: &Node, body: &Value) -> Option<Value> {
        let mut world = self.world.clone();
        world.state.take(&node.id.to_lowercase());
        let url = format!("{}?api-version={}", node.id, node.api_version);
        let made = route(&mut world, self.now, &Request::arm(Method::Put, url).json(body));
        if !made.is_success() {
            return None;
        }
        fetch(&mut world, self.now, &node.id, &node.api_version)
    }

    /// Everything else in the groups that the deployment touches.
    fn ignore_the_rest(&mut self) {
        for group in std::mem::take(&mut self.touched) {
            let listed = fetch(&mut self.world.clone(), self.now, &format!("{group}/resources"), "2021-04-01");
            for resource in listed.iter().filter_map(|listed| listed.get("value")?.as_array()).flatten() {
                let Some(id) = resource.get("id").and_then(Value::as_str) else { continue };
                let shown = cleaned(resource.clone(), "");
                let change = match self.format {
                    Format::Ids => json!({"resourceId": id, "changeType": "Ignore"}),
                    Format::Full => json!({"resourceId": id, "changeType": "Ignore", "before": shown, "after": shown}),
                };
                self.changes.entry(id.to_lowercase()).or_insert(change);
            }
        }
    }
}

/// What a GET answers.
fn fetch(world: &mut World, now: Time, id: &str, version: &str) -> Option<Value> {
    let reply = route(world, now, &Request::arm(Method::Get, format!("{id}?api-version={version}")));
    if reply.is_success() { reply.body.map(|body| *body) } else { None }
}

/// The parameters with another text in the place of every expression that has no value yet.
fn disturbed(parameters: &Value) -> Value {
    match parameters {
        Value::String(text) if text.starts_with('[') && text.ends_with(']') => format!("{text} ").into(),
        Value::Array(items) => items.iter().map(disturbed).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), disturbed(value))).collect())
        }
        other => other.clone(),
    }
}

/// A resource as the template has it.
fn wanted(node: &Node, id: &str, body: Value) -> Value {
    let mut members = match cleaned(body, &node.api_version) {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let name = node.name.rsplit('/').next().unwrap_or("");
    for (name, value) in [("id", id), ("name", name), ("type", &node.type_)] {
        members.insert(name.into(), value.into());
    }
    sorted(members.into())
}

/// A resource without what what-if does not compare: what only the provider writes, nulls, and what is empty.
fn cleaned(mut resource: Value, version: &str) -> Value {
    for path in READ_ONLY {
        let mut parts = path.split('.');
        let (first, second) = (parts.next().unwrap_or(""), parts.next());
        match (&mut resource, second) {
            (Value::Object(members), None) => {
                members.shift_remove(first);
            }
            (Value::Object(members), Some(name)) => {
                if let Some(Value::Object(inner)) = members.get_mut(first) {
                    inner.shift_remove(name);
                }
            }
            _ => {}
        }
    }
    if let Value::Object(members) = &mut resource {
        if let Some(Value::String(location)) = members.get_mut("location") {
            *location = short_location(location);
        }
        if !version.is_empty() {
            members.insert("apiVersion".into(), version.into());
        }
    }
    sorted(filled(resource))
}

/// Without nulls and without what is empty.
fn filled(value: Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, filled(value)));
            Value::Object(members.filter(|(_, value)| !is_empty(value)).collect())
        }
        Value::Array(items) => items.into_iter().map(filled).collect(),
        other => other,
    }
}

/// The members of every object by their names.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> =
                members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// Keeps what the provider filled in and the template does not speak of.
fn fill(before: &Value, fresh: Option<&Value>, after: &mut Value, kind: &str, path: &str) {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return };
    for (name, value) in before {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let usual = fresh.and_then(|fresh| fresh.get(name));
        match after.get_mut(name) {
            Some(there) => fill(value, usual, there, kind, &path),
            None if NOISE.iter().any(|(k, p)| k.eq_ignore_ascii_case(kind) && *p == path) => {}
            // where a fresh one cannot be made, everything but tags may have been filled in
            None if usual == Some(value) || (fresh.is_none() && name != "tags") => {
                after.insert(name.clone(), value.clone());
            }
            None => {}
        }
    }
}

/// The differences of two values, the innermost that have a path without a place in an array.
fn differences(before: &Value, after: &Value, path: &str, delta: &mut Vec<Value>) {
    let deeper = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (before, after) {
        _ if before == after => {}
        (Value::Object(before), Value::Object(after)) => {
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                match (before.get(name), after.get(name)) {
                    (Some(before), Some(after)) => differences(before, after, &deeper(name), delta),
                    (before, after) => delta.push(one_sided(&deeper(name), before, after)),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            let mut children = Vec::new();
            for i in 0..before.len().max(after.len()) {
                match (before.get(i), after.get(i)) {
                    (Some(before @ Value::Object(_)), Some(after @ Value::Object(_))) => {
                        let mut inner = Vec::new();
                        differences(before, after, "", &mut inner);
                        if !inner.is_empty() {
                            let path = i.to_string();
                            children.push(json!({"path": path, "propertyChangeType": "Modify", "children": inner}));
                        }
                    }
                    (Some(before), Some(after)) => differences(before, after, &i.to_string(), &mut children),
                    (before, after) => children.push(one_sided(&i.to_string(), before, after)),
                }
            }
            delta.push(json!({"path": path, "propertyChangeType": "Array", "children": children}));
        }
        _ => delta.push(json!({"path": path, "propertyChangeType": "Modify", "before": before, "after": after})),
    }
}

fn one_sided(path: &str, before: Option<&Value>, after: Option<&Value>) -> Value {
    match (before, after) {
        (None, after) => json!({"path": path, "propertyChangeType": "Create", "after": after}),
        (before, _) => json!({"path": path, "propertyChangeType": "Delete", "before": before}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_have_paths() {
        let before = json!({"sku": {"name": "a"}, "list": [1, {"x": 1}, 3], "gone": true, "same": [{}]});
        let after = json!({"sku": {"name": "b"}, "list": [2, {"x": 2}], "new": {"a": 1}, "same": [{}]});
        let mut delta = Vec::new();
        differences(&before, &after, "", &mut delta);
        assert_eq!(
            Value::from(delta),
            json!([
                {"path": "gone", "propertyChangeType": "Delete", "before": true},
                {"path": "list", "propertyChangeType": "Array", "children": [
                    {"path": "0", "propertyChangeType": "Modify", "before": 1, "after": 2},
                    {"path": "1", "propertyChangeType": "Modify", "children": [
                        {"path": "x", "propertyChangeType": "Modify", "before": 1, "after": 2}]},
                    {"path": "2", "propertyChangeType": "Delete", "before": 3}]},
                {"path": "new", "propertyChangeType": "Create", "after": {"a": 1}},
                {"path": "sku.name", "propertyChangeType": "Modify", "before": "a", "after": "b"},
            ])
        );
    }
}
