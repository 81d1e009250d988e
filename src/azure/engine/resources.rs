//! The resources of a template: loops unrolled, children after their parents, names and ids made.

use super::check::check;
use super::copy::{self, MAX_TURNS, Of, Turn, resolve};
use super::error::{AT, TemplateError};
use super::nodes::{Node, Nodes, Standing, Target, relative};
use super::order::{Bonds, dependencies, order};
use super::outer;
use super::place::Place;
use super::shape::{Version, too_many};
use super::without_nulls;
use crate::expr::{EvalError, Expr, Fault, get, limit, size, type_name};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

const MAX_RESOURCES: usize = 800;

/// A resource as the template has it.
struct Written<'a> {
    /// Its key, where the form is the symbolic one.
    symbol: Option<&'a str>,
    resource: &'a Value,
    path: String,
}

/// The resource that others are nested in.
#[derive(Clone, Copy)]
struct Parent<'a> {
    type_: &'a str,
    name: &'a str,
}

/// What has been read so far.
#[derive(Default)]
struct Drafts {
    nodes: Vec<Node>,
    bonds: Vec<Bonds>,
    /// How much is evaluated up front.
    size: usize,
}

/// All resources: first those to be deployed, in order, then the others.
pub(super) fn resources(template: &Value, version: Version, place: Place) -> Result<Nodes, TemplateError> {
    let written = written(&template["resources"], "resources", version)?;
    let mut drafts = Drafts::default();
    // as Azure unrolls them: resources without a loop first
    let (loops, single): (Vec<_>, Vec<_>) = written.iter().partition(|one| one.resource.get("copy").is_some());
    for one in single {
        read(one, None, version, place, &mut drafts)?;
    }
    for one in loops {
        unroll(one, version, place, &mut drafts)?;
        if drafts.nodes.len() > MAX_RESOURCES {
            break;
        }
    }
    let Drafts { nodes, bonds, .. } = drafts;
    if nodes.len() > MAX_RESOURCES {
        return Err(too_many("resources", MAX_RESOURCES, nodes.len()));
    }
    // two of one name are fine where the conditions let only one of them be
    let mut ids = BTreeSet::new();
    for node in nodes.iter().filter(|node| node.standing == Standing::Deployed) {
        if !ids.insert(node.id.to_lowercase()) {
            let text = format!(
                "The resource '{}' {AT} is defined multiple times in a template. Please see \
                 https://aka.ms/arm-template/#resources for usage details.",
                relative(&node.id)
            );
            return Err(TemplateError::invalid(text, "resources"));
        }
    }
    let nodes = Nodes::new(nodes);
    let dependencies = dependencies(&nodes, &bonds, place)?;
    order(nodes.all, &dependencies).map(Nodes::new)
}

/// The resources of a section, which is an array, or in the symbolic form an object.
fn written<'a>(section: &'a Value, path: &str, version: Version) -> Result<Vec<Written<'a>>, TemplateError> {
    match (section, version) {
        (Value::Array(all), Version::One) => Ok(all
            .iter()
            .enumerate()
            .map(|(index, resource)| Written { symbol: None, resource, path: format!("{path}[{index}]") })
            .collect()),
        (Value::Object(all), Version::Two) => Ok(all
            .iter()
            .map(|(symbol, resource)| Written { symbol: Some(symbol), resource, path: format!("{path}.{symbol}") })
            .collect()),
        (_, version) => {
            let kind = if version == Version::One { "array" } else { "object" };
            Err(TemplateError::invalid(format!("The template section 'resources' is not an {kind}"), path))
        }
    }
}

/// The elements of a loop.
fn unroll(one: &Written, version: Version, place: Place, drafts: &mut Drafts) -> Result<(), TemplateError> {
    let copy = &one.resource["copy"];
    let path = format!("{}.copy", one.path);
    let invalid = |text: String| {
        TemplateError::invalid(format!("The template resource {AT} has a copy that is not valid: {text}"), &*path)
    };
    let name = copy["name"].as_str().filter(|name| !name.is_empty()).ok_or_else(|| invalid("it has no name".into()))?;
    let count = copy.get("count").ok_or_else(|| invalid("it has no count".into()))?;
    let count = copy::turns(count, place).map_err(|error| invalid(error.message))?;
    let serial = match copy.get("mode").and_then(Value::as_str) {
        None => false,
        Some(mode) if mode.eq_ignore_ascii_case("parallel") => false,
        Some(mode) if mode.eq_ignore_ascii_case("serial") => true,
        Some(mode) => return Err(invalid(format!("its mode '{mode}' is neither 'Parallel' nor 'Serial'"))),
    };
    let batch = match copy.get("batchSize") {
        None => 1,
        Some(batch) => copy::number(batch, place).map_err(|error| invalid(error.message))?,
    };
    if serial && (batch < 1 || batch > count.max(1)) {
        return Err(invalid(format!("its batchSize '{batch}' is not between 1 and its count '{count}'")));
    }
    for index in 0..count.min(MAX_TURNS) {
        place.step().map_err(|error| invalid(error.message))?;
        let turn = Turn { name, index, of: Of::Whole, outer: None };
        let first = drafts.bonds.len();
        read(one, None, version, Place { turn: Some(&turn), ..place }, drafts)?;
        if let Some(bonds) = drafts.bonds.get_mut(first).filter(|_| serial) {
            let start = index - index % batch;
            bonds.after = (start - batch).max(0)..start;
        }
    }
    Ok(())
}

/// A resource, and what is nested in it.
fn read(
    one: &Written,
    parent: Option<Parent>,
    version: Version,
    place: Place,
    drafts: &mut Drafts,
) -> Result<(), TemplateError> {
    let Some(members) = one.resource.as_object() else {
        return Err(TemplateError::invalid(format!("The template resource {AT} is not an object"), &*one.path));
    };
    let raw_name = members.get("name").and_then(Value::as_str).unwrap_or_default();
    let (node, bonds) = Reader { members, place, path: &one.path, raw_name, parent, version }.draft(one.symbol)?;
    drafts.size += size(&Value::Object(node.fixed.clone()));
    limit(drafts.size).map_err(|error| TemplateError::expression("resources", &error, "resources"))?;
    let (type_, name) = (node.type_.clone(), node.name.clone());
    drafts.nodes.push(node);
    drafts.bonds.push(bonds);
    let Some(children) = members.get("resources").filter(|all| !all.is_null() && **all != json!([])) else {
        return Ok(());
    };
    for child in written(children, &format!("{}.resources", one.path), version)? {
        if child.resource.get("copy").is_some() {
            let text = format!(
                "The template resource '{raw_name}' {AT} is not valid. Copy is not supported for nested resources. Please see \
                 https://aka.ms/arm-copy for usage details."
            );
            return Err(TemplateError::invalid(text, child.path));
        }
        read(&child, Some(Parent { type_: &type_, name: &name }), version, place, drafts)?;
    }
    Ok(())
}

/// One resource of the template being read.
struct Reader<'a> {
    members: &'a Map<String, Value>,
    place: Place<'a>,
    path: &'a str,
    /// The name as the template has it, which errors show.
    raw_name: &'a str,
    parent: Option<Parent<'a>>,
    version: Version,
}

/// What a resource is called.
struct Called {
    type_: String,
    name: String,
    api_version: String,
    id: String,
    target: Target,
}

impl Reader<'_> {
    fn fail(&self, error: &EvalError) -> TemplateError {
        TemplateError::expression(&format!("resource '{}' {AT}", self.raw_name), error, self.path)
    }

    fn invalid(&self, text: &str) -> TemplateError {
        TemplateError::invalid(
            format!("The template resource '{}' {AT} is not valid. {text}", self.raw_name),
            self.path,
        )
    }

    /// A member that is a text and may not be empty.
    fn text(&self, member: &str) -> Result<String, TemplateError> {
        match self.optional(member)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(self.invalid(&format!(
                "The {member} property cannot be null or empty. Please see https://aka.ms/arm-template/#resources for usage \
                 details."
            ))),
        }
    }

    fn optional(&self, member: &str) -> Result<Option<String>, TemplateError> {
        let Some(value) = self.members.get(member) else { return Ok(None) };
        match resolve(value, self.place).map_err(|error| self.fail(&error))? {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            other => Err(self.invalid(&format!("The {member} property is of type '{}'.", type_name(&other)))),
        }
    }

    fn draft(&self, symbol: Option<&str>) -> Result<(Node, Bonds), TemplateError> {
        self.known_members()?;
        let standing = self.standing()?;
        let called = match self.called(standing) {
            // what is not deployed need not have a name: it may be made of what is not given
            Err(_) if standing == Standing::Skipped && self.members.contains_key("name") => Called {
                type_: self.members["type"].as_str().unwrap_or_default().to_owned(),
                name: self.raw_name.to_owned(),
                api_version: String::new(),
                id: String::new(),
                target: self.here(),
            },
            called => called?,
        };
        let is_deployment = called.type_.eq_ignore_ascii_case("Microsoft.Resources/deployments");
        let (fixed, bonds) = match standing {
            Standing::Deployed => {
                (self.fixed()?, Bonds { wants: self.wants()?, refers: self.refers(is_deployment)?, after: 0..0 })
            }
            Standing::Existing => (Map::new(), Bonds { wants: self.wants()?, ..Bonds::default() }),
            Standing::Skipped => {
                self.refers(is_deployment)?;
                (Map::new(), Bonds::default())
            }
        };
        let Called { type_, name, api_version, id, target } = called;
        let node = Node {
            id,
            location: fixed.get("location").and_then(Value::as_str).map(str::to_owned),
            type_,
            api_version,
            name,
            depends_on: Vec::new(),
            nested: is_deployment.then_some(target),
            standing,
            symbol: symbol.map(str::to_owned),
            fixed,
            properties: self.members.get("properties").map(|properties| Arc::new(properties.clone())),
            turn: self.place.turn.map(|turn| (turn.name.to_owned(), turn.index)),
        };
        Ok((node, bonds))
    }

    fn standing(&self) -> Result<Standing, TemplateError> {
        let holds = condition_of(self.members, self.place).map_err(|error| self.fail(&error))?;
        match self.members.get("existing") {
            _ if !holds => Ok(Standing::Skipped),
            None | Some(Value::Bool(false)) => Ok(Standing::Deployed),
            Some(Value::Bool(true)) => Ok(Standing::Existing),
            Some(other) => Err(self.invalid(&format!("The existing property is of type '{}'.", type_name(other)))),
        }
    }

    fn known_members(&self) -> Result<(), TemplateError> {
        for member in self.members.keys() {
            let path = format!("{}.{member}", self.path);
            if role_of(member, self.version).is_none() {
                let text = format!(
                    "Could not find member '{member}' on object of type 'TemplateResource'. Path '{path}', line 1, position 0."
                );
                return Err(TemplateError::invalid(text, path));
            }
        }
        Ok(())
    }

    fn called(&self, standing: Standing) -> Result<Called, TemplateError> {
        let own_type = self.text("type")?.trim_end_matches('/').to_owned();
        let api_version = self.text("apiVersion")?;
        let own_name = self.text("name")?;
        let (type_, name) = match self.parent {
            None => (own_type, own_name),
            Some(parent) => (format!("{}/{own_type}", parent.type_), format!("{}/{own_name}", parent.name)),
        };
        self.segments(&type_, &name)?;
        let elsewhere = type_.eq_ignore_ascii_case("Microsoft.Resources/deployments") || standing == Standing::Existing;
        let target = self.target(elsewhere)?;
        let id = self.id(&type_, &name, &target)?;
        Ok(Called { type_, name, api_version, id, target })
    }

    fn segments(&self, type_: &str, name: &str) -> Result<(), TemplateError> {
        if type_.split('/').count() == name.split('/').count() + 1 && !name.split('/').any(str::is_empty) {
            return Ok(());
        }
        let text = format!(
            "The template resource '{name}' for type '{type_}' {AT} has incorrect segment lengths. A nested resource type must \
             have identical number of segments as its resource name. A root resource type must have segment length one \
             greater than its resource name. Please see https://aka.ms/arm-template/#resources for usage details."
        );
        Err(TemplateError::invalid(text, format!("{}.type", self.path)))
    }

    /// Where the template is deployed.
    fn here(&self) -> Target {
        let scope = self.place.scope;
        Target {
            subscription: scope.subscription.clone(),
            resource_group: scope.resource_group.as_ref().map(|group| group.name.clone()),
        }
    }

    /// Where the resource is deployed to: where the template is, unless a nested deployment says otherwise, or stands,
    /// where it exists already.
    fn target(&self, elsewhere: bool) -> Result<Target, TemplateError> {
        let (subscription, group) = (self.optional("subscriptionId")?, self.optional("resourceGroup")?);
        if !elsewhere && (subscription.is_some() || group.is_some()) {
            return Err(self.invalid("Only a nested deployment has a subscriptionId or a resourceGroup."));
        }
        let here = self.here();
        let resource_group = match (&subscription, group) {
            (_, Some(group)) => Some(group),
            (Some(_), None) => None,
            (None, None) => here.resource_group,
        };
        Ok(Target { subscription: subscription.unwrap_or(here.subscription), resource_group })
    }

    fn id(&self, type_: &str, name: &str, target: &Target) -> Result<String, TemplateError> {
        let base = self.base(target);
        let mut segments = type_.split('/');
        let namespace = segments.next().unwrap_or_default();
        let woven: String = segments.zip(name.split('/')).map(|(kind, name)| format!("/{kind}/{name}")).collect();
        let own = format!("/providers/{namespace}{woven}");
        let is_deployment = type_.eq_ignore_ascii_case("Microsoft.Resources/deployments");
        match self.optional("scope")? {
            None if type_.eq_ignore_ascii_case("Microsoft.Resources/resourceGroups") => {
                Ok(format!("/subscriptions/{}/resourceGroups/{name}", target.subscription))
            }
            None => Ok(base + &own),
            Some(_) if is_deployment => {
                let path = format!("{}.scope", self.path);
                Err(TemplateError::unsupported("nested deployments to tenants and management groups", path))
            }
            Some(scope) if scope.starts_with('/') => Ok(scope.trim_end_matches('/').to_owned() + &own),
            // type and name of a resource that stands where the template is deployed
            Some(scope) => Ok(format!("{base}/providers/{scope}{own}")),
        }
    }

    fn base(&self, target: &Target) -> String {
        let scope = self.place.scope;
        if scope.management_group.is_some() && target.subscription == scope.subscription {
            return scope.base();
        }
        let own = scope.resource_group.as_ref();
        let subscription = format!("/subscriptions/{}", target.subscription);
        let here = target.subscription.eq_ignore_ascii_case(&scope.subscription);
        match (&target.resource_group, own) {
            (None, _) => subscription,
            (Some(group), Some(own)) if here && own.name.eq_ignore_ascii_case(group) => own.id.clone(),
            (Some(group), _) => format!("{subscription}/resourceGroups/{group}"),
        }
    }

    /// The members that go to the provider and may not depend on anything that is deployed.
    fn fixed(&self) -> Result<Map<String, Value>, TemplateError> {
        let mut fixed = Map::new();
        for (member, value) in self.members {
            match role_of(member, self.version) {
                Some(Role::Body) => {
                    let value = resolve(value, self.place).map_err(|error| self.fail(&error))?;
                    if !value.is_null() {
                        fixed.insert(member.clone(), without_nulls(value));
                    }
                }
                // keeps its place among the others
                Some(Role::Properties) => {
                    fixed.insert(member.clone(), Value::Null);
                }
                _ => {}
            }
        }
        Ok(fixed)
    }

    /// Checks the properties, and finds what they refer to.
    fn refers(&self, is_deployment: bool) -> Result<Vec<Expr>, TemplateError> {
        let Some(properties) = self.members.get("properties") else { return Ok(Vec::new()) };
        let checked = |value: &Value| check(value, self.place).map_err(|error| self.fail(&error));
        if !is_deployment {
            return checked(properties);
        }
        let path = |member: &str| format!("{}.properties.{member}", self.path);
        if properties.get("templateLink").is_some() {
            return Err(TemplateError::unsupported("linked templates", path("templateLink")));
        }
        if !properties["template"].is_object() {
            return Err(self.invalid("The nested deployment has no template."));
        }
        if !properties["mode"].as_str().is_some_and(|mode| mode.eq_ignore_ascii_case("incremental")) {
            return Err(self.invalid("A nested deployment has the mode 'Incremental'."));
        }
        let mut refers = checked(&properties["parameters"])?;
        if !outer::has_inner_scope(properties) {
            refers.extend(checked(&properties["template"])?);
        }
        Ok(refers)
    }

    fn wants(&self) -> Result<Vec<String>, TemplateError> {
        let all = match self.members.get("dependsOn") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(all) => resolve(all, self.place).map_err(|error| self.fail(&error))?,
        };
        let texts = all.as_array().and_then(|all| all.iter().map(|on| on.as_str().map(str::to_owned)).collect());
        texts.ok_or_else(|| self.invalid("The dependsOn property is not an array of texts."))
    }
}

/// What becomes of a member of a resource.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// The engine reads it.
    Engine,
    /// Evaluated up front, it goes to the provider.
    Body,
    /// `properties`
    Properties,
}

fn role_of(member: &str, version: Version) -> Option<Role> {
    const ENGINE: [&str; 12] = [
        "type",
        "apiVersion",
        "name",
        "condition",
        "copy",
        "dependsOn",
        "scope",
        "comments",
        "metadata",
        "resources",
        "subscriptionId",
        "resourceGroup",
    ];
    const BODY: [&str; 12] = [
        "location",
        "tags",
        "sku",
        "kind",
        "plan",
        "identity",
        "zones",
        "managedBy",
        "extendedLocation",
        "etag",
        "managedByExtended",
        "placement",
    ];
    let is_one_of = |known: &[&str]| known.iter().any(|known| known.eq_ignore_ascii_case(member));
    match member {
        "properties" => Some(Role::Properties),
        "existing" if version == Version::Two => Some(Role::Engine),
        _ if is_one_of(&ENGINE) => Some(Role::Engine),
        _ if is_one_of(&BODY) => Some(Role::Body),
        _ => None,
    }
}

/// The member `condition`, which may be absent.
pub(super) fn condition(definition: &Value, place: Place) -> Result<bool, EvalError> {
    definition.as_object().map_or(Ok(true), |members| condition_of(members, place))
}

fn condition_of(members: &Map<String, Value>, place: Place) -> Result<bool, EvalError> {
    let Some(condition) = get(members, "condition") else { return Ok(true) };
    match resolve(condition, place)? {
        Value::Bool(holds) => Ok(holds),
        Value::String(word) if word.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(word) if word.eq_ignore_ascii_case("false") => Ok(false),
        other => {
            let message = format!("The condition is of type '{}', not 'Boolean'.", type_name(&other));
            Err(EvalError::new(Fault::ArgumentType, message))
        }
    }
}

/// The properties of a nested deployment, everything in them evaluated but for a template of the inner scope, which stays
/// as it stands; one of the outer scope is as it is to be deployed.
pub(super) fn nested_properties(properties: &Value, place: Place) -> Result<Value, EvalError> {
    let mut out = Map::new();
    for (member, value) in properties.as_object().into_iter().flatten() {
        let value = match member.as_str() {
            "template" if outer::has_inner_scope(properties) => value.clone(),
            "template" => outer::resolve(value, place)?,
            _ => resolve(value, place)?,
        };
        out.insert(member.clone(), value);
    }
    Ok(out.into())
}
