//! Where an expression of a template stands: what [`Context`] asks for, answered.

use super::{Node, Runtime, Scope};
use crate::expr::{Context, EvalError, Fault, View, get};
use serde_json::{Map, Value, json};

/// A place in a template. What is `None` may not be asked for there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub scope: &'a Scope,
    /// What `deployment()` says.
    pub deployment: &'a Value,
    pub parameters: &'a Map<String, Value>,
    pub variables: Option<&'a Map<String, Value>>,
    /// The loop around, and the index in it.
    pub copy: Option<(&'a str, i64)>,
    /// The world, and the resources of the template.
    pub runtime: Option<(&'a dyn Runtime, &'a [Node])>,
}

impl Place<'_> {
    fn named(&self, kind: &str, values: Option<&Map<String, Value>>, name: &str) -> Result<Value, EvalError> {
        let values = values.ok_or_else(|| EvalError::misplaced(&format!("{kind}s")))?;
        get(values, name).cloned().ok_or_else(|| missing(kind, name))
    }
}

/// There is no such parameter or variable.
pub(super) fn missing(kind: &str, name: &str) -> EvalError {
    let message = format!(
        "The template {kind} '{name}' is not found. Please see https://aka.ms/arm-template/#{kind}s for usage details."
    );
    EvalError::new(Fault::NotFound, message)
}

impl Context for Place<'_> {
    fn parameter(&mut self, name: &str) -> Result<Value, EvalError> {
        self.named("parameter", Some(self.parameters), name)
    }

    fn variable(&mut self, name: &str) -> Result<Value, EvalError> {
        self.named("variable", self.variables, name)
    }

    fn subscription(&mut self) -> Result<Value, EvalError> {
        let Scope { subscription, tenant, .. } = self.scope;
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

    fn deployment(&mut self) -> Result<Value, EvalError> {
        Ok(self.deployment.clone())
    }

    fn tenant(&mut self) -> Result<Value, EvalError> {
        Ok(json!({"tenantId": self.scope.tenant}))
    }

    fn copy_index(&mut self, name: Option<&str>) -> Result<i64, EvalError> {
        match self.copy {
            Some((loop_name, index)) if name.is_none_or(|name| name.eq_ignore_ascii_case(loop_name)) => Ok(index),
            _ => Err(outside_of_a_copy()),
        }
    }

    fn reference(&mut self, target: &str, api_version: Option<&str>, view: View) -> Result<Value, EvalError> {
        let (runtime, nodes) = self.runtime.ok_or_else(|| EvalError::misplaced("reference"))?;
        let node = nodes.iter().find(|node| node.is_called(target));
        let id = match node {
            Some(node) => node.id.as_str(),
            None if target.starts_with('/') => target,
            None => return Err(unknown_target(target)),
        };
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

    fn list(&mut self, function: &str, target: &str, api_version: &str) -> Result<Value, EvalError> {
        let (runtime, nodes) = self.runtime.ok_or_else(|| EvalError::misplaced(function))?;
        let id = match nodes.iter().find(|node| node.is_called(target)) {
            Some(node) => node.id.as_str(),
            None if target.starts_with('/') => target,
            None => return Err(unknown_target(target)),
        };
        runtime.list(function, id, api_version).ok_or_else(|| not_found(id))
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
