//! The template engine of the local Azure: from a template to the bodies that resource providers get.
//!
//! [`prepare`] does what Azure does before it deploys anything: it reads the template, takes the parameters, evaluates
//! variables, names, types, conditions and dependencies, and refuses what is wrong. [`Prepared::body`] then gives the
//! body of one resource, when what it refers to is there, and [`Prepared::outputs`] the outputs at the end.
//!
//! Invariants: the engine does no I/O and knows no resource provider; what exists it asks of a [`Runtime`]. Resources
//! come in an order that respects their dependencies and otherwise is the template's, loops after the rest.
//!
//! Both forms of the language are evaluated: the classic one, and the symbolic one with types, in which what
//! exists is called by a symbol too. A template that cannot be evaluated is refused by name.
//!
//! Deliberately absent, and refused so: linked templates, parameters from a key vault, loops inside of nested templates of
//! the outer scope, nested deployments to tenants and management groups, extensions and other experiments.

mod check;
mod copy;
mod error;
mod functions;
mod nodes;
mod order;
mod outer;
mod place;
mod resources;
mod shape;
#[cfg(test)]
mod tests;
mod types;
mod values;

pub use error::TemplateError;
pub use nodes::{Node, Target};

use crate::expr::{Effort, EvalError};
use crate::time::Time;
use copy::{Of, Turn, resolve};
use error::not_valid;
use functions::Functions;
use nodes::{Nodes, Standing};
use place::{Place, Unknown};
use serde_json::{Map, Value, json};
use std::cell::Cell;
use types::{Mismatch, Type, Types};
use values::Parameter;

/// Where a deployment stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// The id of the subscription, a GUID.
    pub subscription: String,
    /// The group, where the deployment is one of a group.
    pub resource_group: Option<ResourceGroup>,
    /// The name of the management group, where the deployment is one of it; then there is no subscription.
    pub management_group: Option<String>,
    /// The name of the deployment.
    pub deployment_name: String,
    /// The location of the deployment's own data, where it is not one of a group.
    pub location: Option<String>,
    /// The id of the tenant, a GUID.
    pub tenant: String,
    /// When the deployment was asked for, which `utcNow` tells.
    pub now: Time,
    /// What `newGuid` is made from. Equal seeds give equal GUIDs.
    pub seed: u64,
}

impl Scope {
    /// The id of where the deployment stands.
    fn base(&self) -> String {
        match (&self.resource_group, &self.management_group) {
            (Some(group), _) => group.id.clone(),
            (None, Some(group)) => format!("/providers/Microsoft.Management/managementGroups/{group}"),
            (None, None) => format!("/subscriptions/{}", self.subscription),
        }
    }
}

/// A resource group as Azure keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceGroup {
    /// `/subscriptions/{id}/resourceGroups/{name}`
    pub id: String,
    /// Its name, in the case it was created with.
    pub name: String,
    /// Its location, as in `eastus2`.
    pub location: String,
    /// Its tags, an object.
    pub tags: Value,
}

/// What exists.
pub trait Runtime {
    /// A resource as a GET at this version shows it, the whole body, or `None` where there is none. Nested deployments,
    /// with their outputs, are resources too.
    fn resource(&self, id: &str, api_version: Option<&str>) -> Option<Value>;

    /// The answer of a POST such as `listKeys`, or `None` where there is no such resource or action.
    fn list(&self, function: &str, id: &str, api_version: &str) -> Option<Value>;
}

/// A template whose parameters, variables, names and order are known.
#[derive(Clone, Debug)]
pub struct Prepared {
    scope: Scope,
    deployment: Value,
    functions: Functions,
    types: Types,
    parameters: Vec<Parameter>,
    parameter_values: Map<String, Value>,
    variables: Map<String, Value>,
    /// What is deployed, in order; then what is not.
    nodes: Nodes,
    deployed: usize,
    outputs: Vec<Output>,
}

/// An output that is wanted.
#[derive(Clone, Debug)]
struct Output {
    name: String,
    type_: Type,
    /// The value, or the input of the loop, as the template has it.
    source: Value,
    /// How many items there are, where there is a loop.
    count: Option<Value>,
}

/// Reads a template and its parameters (`{"name": {"value": ...}}`).
pub fn prepare(template: &Value, parameters: &Value, scope: &Scope) -> Result<Prepared, TemplateError> {
    let version = shape::shape(template, scope)?;
    let types = Types::of(template, version)?;
    let functions = Functions::of(template, types.clone(), version)?;
    let deployment = deployment(template, parameters, scope);
    let (nothing, effort, drawn) = (Map::new(), Cell::default(), Cell::new(0));
    let place = Place {
        scope,
        deployment: &deployment,
        functions: &functions,
        parameters: &nothing,
        variables: None,
        turn: None,
        runtime: None,
        settling: None,
        entropy: Some(&drawn),
        unknown: Unknown::Fails,
        effort: &effort,
    };
    let (parameters, parameter_values) = values::parameters(template, parameters, &types, version, place)?;
    let place = Place { parameters: &parameter_values, entropy: None, ..place };
    let variables = values::variables(template, place)?;
    let place = Place { variables: Some(&variables), ..place };
    let nodes = resources::resources(template, version, place)?;
    let outputs = outputs(template, &types, place)?;
    let deployed = nodes.all.iter().take_while(|node| node.standing == Standing::Deployed).count();
    let scope = scope.clone();
    Ok(Prepared {
        nodes,
        deployed,
        outputs,
        parameters,
        scope,
        parameter_values,
        variables,
        functions,
        types,
        deployment,
    })
}

impl Prepared {
    /// What is deployed: everything whose condition holds, after what it depends on.
    pub fn nodes(&self) -> &[Node] {
        self.nodes.all.get(..self.deployed).unwrap_or_default()
    }

    /// The body for the provider of the resource at this position of [`Prepared::nodes`]: what the template says of it
    /// without its type, version, name, condition, loop, scope and dependencies. Members that are null are left out. Of a
    /// nested deployment the parameters are evaluated, and its template can be deployed as it stands: one of the inner
    /// scope is the template's own text, in one of the outer scope every expression is replaced by its value.
    ///
    /// # Panics
    ///
    /// If there is no such resource.
    pub fn body(&self, node: usize, runtime: &dyn Runtime) -> Result<Value, TemplateError> {
        let node = &self.nodes()[node];
        self.whole_body(node, runtime, Unknown::Fails).map_err(|error| TemplateError::running(&node.id, &error))
    }

    /// The same as far as it can be known: an expression that has no value stays as it is written, as a what-if shows it.
    ///
    /// # Panics
    ///
    /// If there is no such resource.
    pub fn foreseen_body(&self, node: usize, runtime: &dyn Runtime) -> Value {
        let node = &self.nodes()[node];
        // what remains to fail is what no deployment could do
        self.whole_body(node, runtime, Unknown::Stays).unwrap_or_else(|_| Value::Object(node.fixed.clone()))
    }

    fn whole_body(&self, node: &Node, runtime: &dyn Runtime, unknown: Unknown) -> Result<Value, EvalError> {
        let (turn, effort) = (order::turn_of(node), Cell::default());
        let place = Place { turn: turn.as_ref(), unknown, ..self.place(runtime, &effort) };
        let mut body = node.fixed.clone();
        if let Some(properties) = node.properties.as_deref() {
            let properties = match &node.nested {
                None => resolve(properties, place).map(without_nulls),
                Some(_) => resources::nested_properties(properties, place),
            };
            body.insert("properties".into(), properties?);
        }
        body.retain(|_, value| !value.is_null());
        Ok(body.into())
    }

    /// The outputs: `{"name": {"type", "value"}}`, without the value where that is null or secret.
    pub fn outputs(&self, runtime: &dyn Runtime) -> Result<Value, TemplateError> {
        const FAILED: &str = "DeploymentOutputEvaluationFailed";
        let effort = Cell::default();
        let place = self.place(runtime, &effort);
        let (mut out, mut details, mut failed) = (Map::new(), Vec::new(), Vec::new());
        for Output { name, type_, source, count } in &self.outputs {
            let subject = format!("output '{name}'");
            let value = match count {
                None => resolve(source, place),
                Some(count) => {
                    copy::items(count, source, Turn { name: "", index: 0, of: Of::Whole, outer: None }, place)
                }
            };
            let value = value.map_err(|error| not_valid(&subject, &error)).and_then(|value| {
                let admitted = if value.is_null() { Ok(()) } else { self.types.admit(type_, &value) };
                let wrong = |problem: Mismatch| {
                    format!("The template {subject} is not valid: {}", values::wrong_type("output", &problem))
                };
                admitted.map(|()| value).map_err(wrong)
            });
            match value {
                Ok(value) => {
                    out.insert(name.clone(), shown(type_, &value));
                }
                Err(text) => {
                    details.push(TemplateError::new(FAILED, text));
                    failed.push(name.as_str());
                }
            }
        }
        if details.is_empty() {
            return Ok(out.into());
        }
        let message = format!(
            "Unable to evaluate template outputs: '{}'. Please see error details and deployment operations. Please see \
             https://aka.ms/arm-common-errors for usage details.",
            failed.join(",")
        );
        Err(TemplateError { details, ..TemplateError::new(FAILED, message) })
    }

    /// The parameters as a deployment shows them: `{"name": {"type", "value"}}`, without the value where that is null or
    /// secret.
    pub fn parameters(&self) -> Value {
        let value = |name: &str| self.parameter_values.get(name).unwrap_or(&Value::Null);
        let all = self.parameters.iter().map(|Parameter { name, type_ }| (name.clone(), shown(type_, value(name))));
        Value::Object(all.collect())
    }

    /// The providers, types and locations of what is deployed, as a deployment shows them.
    pub fn providers(&self) -> Value {
        let mut providers: ByName<ByName<Vec<Value>>> = Vec::new();
        for node in self.nodes() {
            let (namespace, kind) = node.type_.split_once('/').unwrap_or((&node.type_, ""));
            let location = node.location.as_deref().map_or(Value::Null, Value::from);
            let kinds = entry(&mut providers, namespace);
            let locations = entry(kinds, kind);
            if !locations.contains(&location) {
                locations.push(location);
            }
        }
        let kind = |(kind, locations)| json!({"resourceType": kind, "locations": Value::Array(locations)});
        let provider = |(namespace, kinds): (&str, Vec<_>)| json!({"namespace": namespace, "resourceTypes": kinds.into_iter().map(kind).collect::<Value>()});
        providers.into_iter().map(provider).collect()
    }

    /// Who depends on whom, as a deployment shows it.
    pub fn dependencies(&self) -> Value {
        let named = |node: &Node| json!({"id": node.id, "resourceType": node.type_, "resourceName": node.name});
        let dependent = self.nodes().iter().filter(|node| !node.depends_on.is_empty());
        let entry = |node: &Node| {
            let on: Value = node.depends_on.iter().filter_map(|&on| self.nodes.all.get(on)).map(named).collect();
            json!({"dependsOn": on, "id": node.id, "resourceType": node.type_, "resourceName": node.name})
        };
        dependent.map(entry).collect()
    }

    fn place<'a>(&'a self, runtime: &'a dyn Runtime, effort: &'a Cell<Effort>) -> Place<'a> {
        Place {
            scope: &self.scope,
            deployment: &self.deployment,
            functions: &self.functions,
            parameters: &self.parameter_values,
            variables: Some(&self.variables),
            turn: None,
            runtime: Some((runtime, &self.nodes)),
            settling: None,
            entropy: None,
            unknown: Unknown::Fails,
            effort,
        }
    }
}

/// The name of an output as a deployment shows it: the capitals at its beginning become small.
pub fn output_name(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let keeps =
        |i: usize| !chars[i].is_uppercase() || i > 0 && chars.get(i + 1).is_some_and(|next| !next.is_uppercase());
    let first = (0..chars.len()).find(|&i| keeps(i)).unwrap_or(chars.len());
    chars[..first].iter().flat_map(|c| c.to_lowercase()).chain(chars[first..].iter().copied()).collect()
}

/// Names with something each, in the order in which they came.
type ByName<'a, T> = Vec<(&'a str, T)>;

/// What a name has, made where it is not there yet.
fn entry<'k, 'm, T: Default>(list: &'m mut ByName<'k, T>, key: &'k str) -> &'m mut T {
    let at = list.iter().position(|(name, _)| name.eq_ignore_ascii_case(key)).unwrap_or_else(|| {
        list.push((key, T::default()));
        list.len() - 1
    });
    &mut list[at].1
}

fn shown(type_: &Type, value: &Value) -> Value {
    match value {
        Value::Null => json!({"type": type_.shown}),
        _ if type_.is_secure => json!({"type": type_.shown}),
        value => json!({"type": type_.shown, "value": value}),
    }
}

/// The object without members that are null, at any depth: to Azure they are not there.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// A section of a template that is an object; absent is empty.
fn members<'a>(template: &'a Value, section: &str) -> Result<&'a Map<String, Value>, TemplateError> {
    static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    match template.get(section) {
        None | Some(Value::Null) => Ok(&EMPTY),
        Some(Value::Object(members)) => Ok(members),
        Some(_) => Err(TemplateError::invalid(format!("The template section '{section}' is not an object"), section)),
    }
}

/// What `deployment()` says.
fn deployment(template: &Value, parameters: &Value, scope: &Scope) -> Value {
    let mut out = Map::new();
    out.insert("name".into(), scope.deployment_name.as_str().into());
    if let Some(location) = scope.location.as_deref().filter(|_| scope.resource_group.is_none()) {
        out.insert("location".into(), location.into());
    }
    let properties = json!({
        "template": template,
        "templateHash": template_hash(template),
        "parameters": parameters,
        "mode": "Incremental",
        "provisioningState": "Accepted"
    });
    out.insert("properties".into(), properties);
    out.into()
}

/// A number that differs where templates differ. How Azure makes its own is not known.
pub fn template_hash(template: &Value) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(template.to_string());
    digest[..8].iter().fold(0u64, |hash, &byte| hash << 8 | u64::from(byte)).to_string()
}

/// The outputs that are wanted.
fn outputs(template: &Value, types: &Types, place: Place) -> Result<Vec<Output>, TemplateError> {
    let mut out = Vec::new();
    for (name, definition) in members(template, "outputs")? {
        let (path, subject) = (format!("outputs.{name}"), format!("output '{name}'"));
        let fail = |error: EvalError| TemplateError::expression(&subject, &error, path.as_str());
        let type_ = types.read(definition, &subject, &path)?;
        let copy = definition.get("copy").filter(|copy| !copy.is_null());
        let turn = Turn { name: "", index: 0, of: Of::Whole, outer: None };
        let place = Place { turn: copy.and(Some(&turn)), ..place };
        let source = match copy {
            None => definition.get("value"),
            Some(copy) => copy.get("input"),
        };
        let source = source.unwrap_or(&Value::Null);
        check::check(source, place).map_err(fail)?;
        if resources::condition(definition, Place { turn: None, ..place }).map_err(fail)? {
            let count = copy.map(|copy| copy.get("count").unwrap_or(&Value::Null).clone());
            if let Some(count) = &count {
                copy::turns(count, Place { turn: None, ..place }).map_err(fail)?;
            }
            out.push(Output { name: name.clone(), type_, source: source.clone(), count });
        }
    }
    Ok(out)
}
