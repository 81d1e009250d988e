//! The template engine of the local Azure: from a template to the bodies that resource providers get.
//!
//! [`prepare`] does what Azure does before it deploys anything: it reads the template, takes the parameters, evaluates
//! variables, names, types, conditions and dependencies, and refuses what is wrong. [`Prepared::body`] then gives the
//! body of one resource, when what it refers to is there, and [`Prepared::outputs`] the outputs at the end.
//!
//! Invariants: the engine does no I/O and knows no resource provider; what exists it asks of a [`Runtime`]. Resources
//! come in an order that respects their dependencies and otherwise is the template's, loops after the rest.
//!
//! Deliberately absent, and refused by name: language version 2.0 (symbolic names, types), functions of a template's
//! own, loops in variables, properties and outputs, resources nested in resources, linked templates, and nested
//! templates that are evaluated in the scope of their parent.

mod check;
mod error;
mod place;
mod resources;
#[cfg(test)]
mod tests;
mod values;

pub use error::TemplateError;

use crate::expr::resolve;
use error::not_valid;
use place::Place;
use serde_json::{Map, Value, json};
use values::{Parameter, Type};

/// Where a deployment stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// The id of the subscription, a GUID.
    pub subscription: String,
    /// The group, where the deployment is one of a group.
    pub resource_group: Option<ResourceGroup>,
    /// The name of the deployment.
    pub deployment_name: String,
    /// The location of the deployment's own data, where it is one of a subscription.
    pub location: Option<String>,
    /// The id of the tenant, a GUID.
    pub tenant: String,
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

/// One resource of a template that is to be deployed.
#[derive(Clone, Debug)]
pub struct Node {
    /// The whole id.
    pub id: String,
    /// The type, as in `Microsoft.ApiManagement/service/backends`.
    pub type_: String,
    /// The version of the provider's interface.
    pub api_version: String,
    /// The name with its parents' names, as in `gateway/pool`.
    pub name: String,
    /// The location, where the template gives one.
    pub location: Option<String>,
    /// The resources that must be there first, as positions in [`Prepared::nodes`].
    pub depends_on: Vec<usize>,
    /// Where a nested deployment deploys to; `None` for every other resource.
    pub nested: Option<Target>,
    /// Whether it is deployed at all.
    deployed: bool,
    /// The members that are evaluated up front, in the order of the template.
    fixed: Map<String, Value>,
    /// The member `properties` as the template has it.
    properties: Option<Value>,
    /// The loop that it comes from, and the index in it.
    copy: Option<(String, i64)>,
}

/// Where a nested deployment deploys to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The id of the subscription.
    pub subscription: String,
    /// The name of the group; `None` for the subscription itself.
    pub resource_group: Option<String>,
}

impl Node {
    /// Whether a `reference` or a `dependsOn` means this resource: by its id, its name, or type and name.
    fn is_called(&self, target: &str) -> bool {
        let same = |text: &str| text.eq_ignore_ascii_case(target);
        let relative = || self.id.rsplit_once("/providers/").map_or(self.id.as_str(), |(_, relative)| relative);
        same(&self.id) || same(&self.name) || same(relative())
    }
}

/// A template whose parameters, variables, names and order are known.
#[derive(Clone, Debug)]
pub struct Prepared {
    scope: Scope,
    deployment: Value,
    parameters: Vec<Parameter>,
    parameter_values: Map<String, Value>,
    variables: Map<String, Value>,
    /// What is deployed, in order; then what is not.
    nodes: Vec<Node>,
    deployed: usize,
    outputs: Vec<(String, Type, Value)>,
}

/// Reads a template and its parameters (`{"name": {"value": ...}}`).
pub fn prepare(template: &Value, parameters: &Value, scope: &Scope) -> Result<Prepared, TemplateError> {
    shape(template)?;
    let deployment = deployment(template, parameters, scope);
    let (parameters, parameter_values) = values::parameters(template, parameters, scope, &deployment)?;
    let place = Place {
        scope,
        deployment: &deployment,
        parameters: &parameter_values,
        variables: None,
        copy: None,
        runtime: None,
    };
    let variables = values::variables(template, place)?;
    let place = Place { variables: Some(&variables), ..place };
    let nodes = resources::resources(template, place)?;
    let outputs = outputs(template, place)?;
    let deployed = nodes.iter().take_while(|node| node.deployed).count();
    let scope = scope.clone();
    Ok(Prepared { nodes, deployed, outputs, parameters, scope, parameter_values, variables, deployment })
}

impl Prepared {
    /// What is deployed: everything whose condition holds, after what it depends on.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes[..self.deployed]
    }

    /// The body for the provider of the resource at this position of [`Prepared::nodes`]: what the template says of it
    /// without its type, version, name, condition, loop, scope and dependencies. Members that are null are left out. Of a
    /// nested deployment the parameters are evaluated, and its template is as it stands.
    ///
    /// # Panics
    ///
    /// If there is no such resource.
    pub fn body(&self, node: usize, runtime: &dyn Runtime) -> Result<Value, TemplateError> {
        let node = &self.nodes()[node];
        let copy = node.copy.as_ref().map(|(name, index)| (name.as_str(), *index));
        let mut place = Place { copy, ..self.place(runtime) };
        let mut body = node.fixed.clone();
        if let Some(properties) = &node.properties {
            let properties = match &node.nested {
                None => resolve(properties, &mut place).map(without_nulls),
                Some(_) => resources::nested_properties(properties, &mut place),
            };
            body.insert("properties".into(), properties.map_err(|error| TemplateError::running(&node.id, &error))?);
        }
        body.retain(|_, value| !value.is_null());
        Ok(body.into())
    }

    /// The outputs: `{"name": {"type", "value"}}`, without the value where that is null or secret.
    pub fn outputs(&self, runtime: &dyn Runtime) -> Result<Value, TemplateError> {
        const FAILED: &str = "DeploymentOutputEvaluationFailed";
        let mut place = self.place(runtime);
        let (mut out, mut details, mut failed) = (Map::new(), Vec::new(), Vec::new());
        for (name, type_, source) in &self.outputs {
            let subject = format!("output '{name}'");
            let value = resolve(source, &mut place).map_err(|error| not_valid(&subject, &error)).and_then(|value| {
                let admitted = if value.is_null() { Ok(()) } else { type_.admit(&value, "output") };
                admitted.map(|()| value).map_err(|text| format!("The template {subject} is not valid: {text}"))
            });
            match value {
                Ok(value) => {
                    out.insert(name.clone(), shown(*type_, &value));
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
        let all = self.parameters.iter().map(|Parameter { name, type_ }| (name.clone(), shown(*type_, value(name))));
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
            let on: Value = node.depends_on.iter().map(|&on| named(&self.nodes[on])).collect();
            json!({"dependsOn": on, "id": node.id, "resourceType": node.type_, "resourceName": node.name})
        };
        dependent.map(entry).collect()
    }

    fn place<'a>(&'a self, runtime: &'a dyn Runtime) -> Place<'a> {
        Place {
            scope: &self.scope,
            deployment: &self.deployment,
            parameters: &self.parameter_values,
            variables: Some(&self.variables),
            copy: None,
            runtime: Some((runtime, &self.nodes)),
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

fn shown(type_: Type, value: &Value) -> Value {
    match value {
        Value::Null => json!({"type": type_.shown}),
        _ if type_.is_secure() => json!({"type": type_.shown}),
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

/// Checks the members of a template, its schema, and how much it holds.
fn shape(template: &Value) -> Result<(), TemplateError> {
    const MEMBERS: [&str; 11] = [
        "$schema",
        "languageVersion",
        "contentVersion",
        "apiProfile",
        "metadata",
        "definitions",
        "functions",
        "parameters",
        "variables",
        "resources",
        "outputs",
    ];
    let Some(all) = template.as_object() else {
        return Err(TemplateError::invalid("The template is not an object", ""));
    };
    if let Some(unknown) = all.keys().find(|key| !MEMBERS.iter().any(|member| member.eq_ignore_ascii_case(key))) {
        let text = format!(
            "Could not find member '{unknown}' on object of type 'Template'. Path '{unknown}', line 1, position 0."
        );
        return Err(TemplateError::invalid(text, unknown));
    }
    for required in ["$schema", "contentVersion", "resources"] {
        if !all.contains_key(required) {
            let text = format!("Required property '{required}' not found in JSON. Path '', line 1, position 0.");
            return Err(TemplateError::invalid(text, ""));
        }
    }
    schema(template["$schema"].as_str().unwrap_or_default())?;
    if template.get("languageVersion").is_some_and(|version| version != "1.0") {
        return Err(TemplateError::unsupported("templates of languageVersion 2.0 (symbolic names)", "languageVersion"));
    }
    for newer in ["definitions", "functions"] {
        if template
            .get(newer)
            .is_some_and(|value| !matches!(value, Value::Array(a) if a.is_empty()) && *value != json!({}))
        {
            return Err(TemplateError::unsupported(format!("the template section '{newer}'"), newer));
        }
    }
    for (section, limit) in [("parameters", 256), ("variables", 512), ("outputs", 64)] {
        let actual = members(template, section)?.len();
        if actual > limit {
            return Err(too_many(section, limit, actual));
        }
    }
    Ok(())
}

fn too_many(section: &str, limit: usize, actual: usize) -> TemplateError {
    let text = format!(
        "The number of template {section} limit exceeded. Limit: '{limit}' and actual: '{actual}'. Please see \
         https://aka.ms/arm-template/#{section} for usage details."
    );
    TemplateError::invalid(text, section)
}

fn schema(address: &str) -> Result<(), TemplateError> {
    const VERSIONS: [&str; 5] = ["2014-04-01-preview", "2015-01-01", "2018-05-01", "2019-04-01", "2019-08-01"];
    const KINDS: [&str; 2] = ["deploymentTemplate.json", "subscriptionDeploymentTemplate.json"];
    let path = address.trim_end_matches('#').split_once("://schema.management.azure.com/schemas/");
    let known = path.and_then(|(_, path)| path.split_once('/')).is_some_and(|(version, kind)| {
        VERSIONS.contains(&version) && KINDS.iter().any(|known| known.eq_ignore_ascii_case(kind))
    });
    if known {
        return Ok(());
    }
    for other in ["tenantDeploymentTemplate.json", "managementGroupDeploymentTemplate.json"] {
        if path.is_some_and(|(_, path)| path.ends_with(other)) {
            return Err(TemplateError::unsupported("deployments to tenants and management groups", "$schema"));
        }
    }
    let text = format!(
        "Template schema '{address}' is not supported. Supported versions are '{}'. Please see \
         https://aka.ms/arm-template for usage details.",
        VERSIONS.join(",")
    );
    Err(TemplateError::invalid(text, "$schema"))
}

/// The outputs that are wanted: name, type, value as the template has it.
fn outputs(template: &Value, place: Place) -> Result<Vec<(String, Type, Value)>, TemplateError> {
    let mut out = Vec::new();
    for (name, definition) in members(template, "outputs")? {
        let (path, subject) = (format!("outputs.{name}"), format!("output '{name}'"));
        let type_ = Type::of(definition, &subject, &path)?;
        if definition.get("copy").is_some() {
            return Err(TemplateError::unsupported("loops in outputs", path));
        }
        let source = definition.get("value").unwrap_or(&Value::Null);
        let allowed = check::Allowed {
            parameters: place.parameters,
            variables: place.variables.unwrap_or(place.parameters),
            copy: None,
        };
        check::check(source, allowed).map_err(|error| TemplateError::expression(&subject, &error, &*path))?;
        let wanted = resources::condition(definition, &mut place.clone());
        if wanted.map_err(|error| TemplateError::expression(&subject, &error, &*path))? {
            out.push((name.clone(), type_, source.clone()));
        }
    }
    Ok(out)
}
