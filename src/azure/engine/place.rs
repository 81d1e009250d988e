//! Where an expression of a template stands: what [`Context`] asks for, answered.

use super::copy::Turn;
use super::functions::Functions;
use super::nodes::{Node, Nodes, Standing};
use super::values::Settling;
use super::{Runtime, Scope};
use crate::expr::{self, Context, Effort, EvalError, Fault, View, get};
use serde_json::{Map, Value, json};
use std::cell::Cell;

/// A place in a template. What is `None` may not be asked for there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub scope: &'a Scope,
    /// What `deployment()` says.
    pub deployment: &'a Value,
    pub functions: &'a Functions,
    pub parameters: &'a Map<String, Value>,
    pub variables: Option<&'a Map<String, Value>>,
    /// The loop around.
    pub turn: Option<&'a Turn<'a>>,
    /// The world, and the resources of the template.
    pub runtime: Option<(&'a dyn Runtime, &'a Nodes)>,
    /// The section that is being evaluated.
    pub settling: Option<&'a Settling<'a>>,
    /// How often `newGuid` has been asked, where it and `utcNow` may stand.
    pub entropy: Option<&'a Cell<u64>>,
    pub unknown: Unknown,
    /// What everything that belongs together has done so far.
    pub effort: &'a Cell<Effort>,
}

/// What becomes of an expression that has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    Fails,
    /// It stays as it is written.
    Stays,
}

impl Place<'_> {
    fn named(&self, section: &str, values: Option<&Map<String, Value>>, name: &str) -> Result<Value, EvalError> {
        if let Some(settling) = self.settling.filter(|settling| settling.section == section) {
            return settling.own(name);
        }
        let values = values.ok_or_else(|| EvalError::misplaced(section))?;
        get(values, name).cloned().ok_or_else(|| missing(section, name))
    }

    /// The value of a string of the template.
    pub fn text(self, text: &str) -> Result<Value, EvalError> {
        let mut effort = self.effort.get();
        let value = expr::text_value(text, &mut { self }, &mut effort);
        self.effort.set(effort);
        match (value, self.unknown) {
            (Err(_), Unknown::Stays) => Ok(text.into()),
            (value, _) => value,
        }
    }

    /// One turn of a loop.
    pub fn step(self) -> Result<(), EvalError> {
        let mut effort = self.effort.get();
        let step = effort.spend(1);
        self.effort.set(effort);
        step
    }

    /// The resource that a reference means, and its id.
    fn target(&self, function: &str, target: &str) -> Result<(&dyn Runtime, Option<&Node>, String), EvalError> {
        let (runtime, nodes) = self.runtime.ok_or_else(|| EvalError::misplaced(function))?;
        match nodes.called(target) {
            Some(node) if node.id.is_empty() => Err(not_found(&format!("{}/{}", node.type_, node.name))),
            Some(node) => Ok((runtime, Some(node), node.id.clone())),
            None if target.starts_with('/') => Ok((runtime, None, target.to_owned())),
            None => Err(unknown_target(target)),
        }
    }
}

/// There is no such parameter or variable.
pub(super) fn missing(section: &str, name: &str) -> EvalError {
    let kind = section.trim_end_matches('s');
    let message = format!(
        "The template {kind} '{name}' is not found. Please see https://aka.ms/arm-template/#{section} for usage details."
    );
    EvalError::new(Fault::NotFound, message)
}

impl Context for Place<'_> {
    fn parameter(&mut self, name: &str) -> Result<Value, EvalError> {
        self.named("parameters", Some(self.parameters), name)
    }

    fn variable(&mut self, name: &str) -> Result<Value, EvalError> {
        self.named("variables", self.variables, name)
    }

    fn function(&mut self, name: &str, arguments: Vec<Value>, effort: &mut Effort) -> Option<Result<Value, EvalError>> {
        self.functions.call(name, arguments, *self, effort)
    }

    fn subscription(&mut self) -> Result<Value, EvalError> {
        let Scope { subscription, tenant, management_group: None, .. } = self.scope else {
            return Err(EvalError::misplaced("SUBSCRIPTION"));
        };
        Ok(json!({
            "id": format!("/subscriptions/{subscription}"),
            "subscriptionId": subscription,
            "tenantId": tenant,
            "displayName": "local"
        }))
    }

    fn resource_group(&mut self) -> Result<Value, EvalError> {
        // Azure writes the name in capitals here
        let group = self.scope.resource_group.as_ref().ok_or_else(|| EvalError::misplaced("RESOURCEGROUP"))?;
        Ok(json!({
            "id": group.id,
            "name": group.name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": group.location,
            "tags": group.tags,
            "properties": {"provisioningState": "Succeeded"}
        }))
    }

    fn management_group(&mut self) -> Result<Value, EvalError> {
        let name = self.scope.management_group.as_ref().ok_or_else(|| EvalError::misplaced("MANAGEMENTGROUP"))?;
        Ok(json!({
            "id": self.scope.base(),
            "name": name,
            "type": "Microsoft.Management/managementGroups",
            "properties": {"tenantId": self.scope.tenant}
        }))
    }

    fn deployment(&mut self) -> Result<Value, EvalError> {
        Ok(self.deployment.clone())
    }

    fn tenant(&mut self) -> Result<Value, EvalError> {
        Ok(json!({"tenantId": self.scope.tenant}))
    }

    fn now(&mut self) -> Result<i64, EvalError> {
        const NANOSECONDS: u64 = 1_000_000_000;
        self.entropy.ok_or_else(|| EvalError::misplaced("utcNow"))?;
        Ok((self.scope.now.0 / NANOSECONDS) as i64)
    }

    fn new_guid(&mut self) -> Result<String, EvalError> {
        use sha2::{Digest, Sha256};
        let drawn = self.entropy.ok_or_else(|| EvalError::misplaced("newGuid"))?;
        drawn.set(drawn.get() + 1);
        let digest: [u8; 32] = Sha256::digest(format!("newGuid {} {}", self.scope.seed, drawn.get())).into();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
    }

    fn copy_index(&mut self, name: Option<&str>) -> Result<i64, EvalError> {
        self.turn.and_then(|turn| turn.index(name)).ok_or_else(outside_of_a_copy)
    }

    fn reference(&mut self, target: &str, api_version: Option<&str>, view: View) -> Result<Value, EvalError> {
        let (runtime, node, id) = self.target("reference", target)?;
        shown(runtime, node, &id, api_version, view)
    }

    fn references(&mut self, symbol: &str, view: View) -> Result<Value, EvalError> {
        let (runtime, nodes) = self.runtime.ok_or_else(|| EvalError::misplaced("references"))?;
        let all = nodes.of_symbol(symbol).ok_or_else(|| unknown_target(symbol))?;
        let there = all.filter(|node| node.standing != Standing::Skipped);
        there.map(|node| shown(runtime, Some(node), &node.id, None, view)).collect()
    }

    fn resource_info(&mut self, symbol: &str) -> Result<Value, EvalError> {
        let (_, nodes) = self.runtime.ok_or_else(|| EvalError::misplaced("resourceInfo"))?;
        let node = nodes.called(symbol).ok_or_else(|| unknown_target(symbol))?;
        Ok(json!({"id": node.id, "name": node.name, "type": node.type_, "apiVersion": node.api_version}))
    }

    fn list(&mut self, function: &str, target: &str, api_version: &str) -> Result<Value, EvalError> {
        let (runtime, _, id) = self.target(function, target)?;
        runtime.list(function, &id, api_version).ok_or_else(|| not_found(&id))
    }
}

/// What `reference` shows of a resource.
fn shown(
    runtime: &dyn Runtime,
    node: Option<&Node>,
    id: &str,
    api_version: Option<&str>,
    view: View,
) -> Result<Value, EvalError> {
    let Some(api_version) = api_version.or(node.map(|node| node.api_version.as_str())) else {
        let message = format!(
            "The reference to resource '{id}' requires an API version. Please see https://aka.ms/arm-template for usage \
             details."
        );
        return Err(EvalError::new(Fault::ArgumentCount, message));
    };
    let resource = runtime.resource(id, Some(api_version)).ok_or_else(|| not_found(id))?;
    match view {
        View::Properties => Ok(resource.get("properties").cloned().unwrap_or_else(|| json!({}))),
        View::Full => Ok(full(resource, id, api_version, node.is_some())),
    }
}
/// `copyIndex` where there is no loop, or another one.
pub(super) fn outside_of_a_copy() -> EvalError {
    EvalError::new(
        Fault::Misplaced,
        "The template function 'copyIndex' is not expected at this location. The function can only be used in a resource \
         with copy specified. Please see https://aka.ms/arm-copy for usage details.",
    )
}

fn unknown_target(target: &str) -> EvalError {
    let message = format!(
        "The template reference '{target}' is not valid: could not find template resource or resource copy with this name. \
         Please see https://aka.ms/arm-function-reference for usage details."
    );
    EvalError::new(Fault::NotFound, message)
}

fn not_found(id: &str) -> EvalError {
    let (scope, relative) = id.rsplit_once("/providers/").unwrap_or(("", id));
    let group = segment_after(scope, "resourceGroups");
    let place = group.map_or(String::new(), |group| format!(" under resource group '{group}'"));
    let message = format!(
        "The Resource '{relative}'{place} was not found. For more details please go to \
         https://aka.ms/ARMResourceNotFoundFix"
    );
    EvalError::new(Fault::ResourceNotFound, message)
}

/// What `reference(..., 'Full')` shows: not the GET's own names, but what the engine knows of the resource.
fn full(resource: Value, id: &str, api_version: &str, in_template: bool) -> Value {
    let mut out = Map::new();
    out.insert("apiVersion".into(), api_version.into());
    if let Value::Object(members) = resource {
        out.extend(members.into_iter().filter(|(key, _)| !matches!(key.as_str(), "id" | "name" | "type" | "etag")));
    }
    for (key, segment) in [("subscriptionId", "subscriptions"), ("resourceGroupName", "resourceGroups")] {
        if let Some(value) = segment_after(id, segment) {
            out.insert(key.into(), value.into());
        }
    }
    let relative = id.rsplit_once("/providers/").map_or(id, |(_, relative)| relative);
    out.insert("resourceId".into(), relative.into());
    out.insert("referenceApiVersion".into(), api_version.into());
    out.insert("condition".into(), true.into());
    out.insert("isConditionTrue".into(), true.into());
    out.insert("isTemplateResource".into(), in_template.into());
    out.insert("isAction".into(), false.into());
    out.insert("provisioningOperation".into(), if in_template { "Create" } else { "Read" }.into());
    out.into()
}

fn segment_after<'a>(id: &'a str, name: &str) -> Option<&'a str> {
    let mut segments = id.split('/');
    segments.find(|segment| segment.eq_ignore_ascii_case(name))?;
    segments.next()
}
