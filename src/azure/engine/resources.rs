//! The resources of a template: loops unrolled, names and ids made, dependencies found, all in order.

use super::check::{Allowed, check};
use super::error::{AT, TemplateError};
use super::place::Place;
use super::{Node, Target, too_many, values, without_nulls};
use crate::expr::{EvalError, Expr, Fault, evaluate, get, resolve, type_name};
use serde_json::{Map, Value, json};

const MAX_RESOURCES: usize = 800;

/// A node while its dependencies are being found.
struct Draft {
    node: Node,
    /// What `dependsOn` says.
    wants: Vec<String>,
    /// What `reference` and `list*` ask for.
    refers: Vec<Expr>,
    /// The elements of its loop that must come before it, where the loop is a serial one.
    after: std::ops::Range<i64>,
}

/// All resources: first those to be deployed, in order, then those whose condition does not hold.
pub(super) fn resources(template: &Value, place: Place) -> Result<Vec<Node>, TemplateError> {
    let Some(written) = template["resources"].as_array() else {
        return Err(TemplateError::invalid("The template section 'resources' is not an array", "resources"));
    };
    let mut drafts = Vec::new();
    // as Azure unrolls them: resources without a loop first
    let (loops, single): (Vec<_>, Vec<_>) =
        written.iter().enumerate().partition(|(_, resource)| resource.get("copy").is_some());
    for (index, resource) in single {
        drafts.push(Reader::new(index, resource, place)?.draft()?);
    }
    for (index, resource) in loops {
        unroll(index, resource, place, &mut drafts)?;
        if drafts.len() > MAX_RESOURCES {
            return Err(too_many("resources", MAX_RESOURCES, drafts.len()));
        }
    }
    if drafts.len() > MAX_RESOURCES {
        return Err(too_many("resources", MAX_RESOURCES, drafts.len()));
    }
    for (index, draft) in drafts.iter().enumerate() {
        if drafts[..index].iter().any(|other| other.node.id.eq_ignore_ascii_case(&draft.node.id)) {
            let text = format!(
                "The resource '{}' {AT} is defined multiple times in a template. Please see \
                 https://aka.ms/arm-template/#resources for usage details.",
                relative(&draft.node.id)
            );
            return Err(TemplateError::invalid(text, "resources"));
        }
    }
    let dependencies = drafts.iter().map(|draft| depend(draft, &drafts, place)).collect::<Result<Vec<_>, _>>()?;
    order(drafts.into_iter().map(|draft| draft.node).collect(), &dependencies)
}

/// The elements of a loop.
fn unroll(index: usize, resource: &Value, place: Place, drafts: &mut Vec<Draft>) -> Result<(), TemplateError> {
    let copy = &resource["copy"];
    let path = format!("resources[{index}].copy");
    let invalid = |text: String| {
        TemplateError::invalid(format!("The template resource {AT} has a copy that is not valid: {text}"), &*path)
    };
    let name = copy["name"].as_str().filter(|name| !name.is_empty()).ok_or_else(|| invalid("it has no name".into()))?;
    let number = |member: &str| -> Result<Option<i64>, TemplateError> {
        let Some(value) = copy.get(member) else { return Ok(None) };
        let value = resolve(value, &mut place.clone()).map_err(|error| invalid(error.message))?;
        // a text of digits is taken too
        let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        number.map(Some).ok_or_else(|| invalid(format!("its {member} is of type '{}'", type_name(&value))))
    };
    let count = number("count")?.ok_or_else(|| invalid("it has no count".into()))?;
    if !(0..=MAX_RESOURCES as i64).contains(&count) {
        return Err(invalid(format!("its count '{count}' is not between 0 and {MAX_RESOURCES}")));
    }
    let serial = match copy.get("mode").and_then(Value::as_str) {
        None => false,
        Some(mode) if mode.eq_ignore_ascii_case("parallel") => false,
        Some(mode) if mode.eq_ignore_ascii_case("serial") => true,
        Some(mode) => return Err(invalid(format!("its mode '{mode}' is neither 'Parallel' nor 'Serial'"))),
    };
    let batch = number("batchSize")?.unwrap_or(1);
    if serial && (batch < 1 || batch > count.max(1)) {
        return Err(invalid(format!("its batchSize '{batch}' is not between 1 and its count '{count}'")));
    }
    for at in 0..count {
        let place = Place { copy: Some((name, at)), ..place };
        let mut draft = Reader::new(index, resource, place)?.draft()?;
        if serial {
            let start = at - at % batch;
            draft.after = (start - batch).max(0)..start;
        }
        drafts.push(draft);
    }
    Ok(())
}

/// One resource of the template being read.
struct Reader<'a> {
    members: &'a Map<String, Value>,
    place: Place<'a>,
    path: String,
    /// The name as the template has it, which errors show.
    raw_name: &'a str,
}

impl<'a> Reader<'a> {
    fn new(index: usize, resource: &'a Value, place: Place<'a>) -> Result<Reader<'a>, TemplateError> {
        let path = format!("resources[{index}]");
        let Some(members) = resource.as_object() else {
            return Err(TemplateError::invalid(format!("The template resource {AT} is not an object"), path));
        };
        let raw_name = members.get("name").and_then(Value::as_str).unwrap_or_default();
        Ok(Reader { members, place, path, raw_name })
    }

    fn fail(&self, error: &EvalError) -> TemplateError {
        TemplateError::expression(&format!("resource '{}' {AT}", self.raw_name), error, &*self.path)
    }

    fn invalid(&self, text: &str) -> TemplateError {
        TemplateError::invalid(
            format!("The template resource '{}' {AT} is not valid. {text}", self.raw_name),
            &*self.path,
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
        match resolve(value, &mut self.place.clone()).map_err(|error| self.fail(&error))? {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            other => Err(self.invalid(&format!("The {member} property is of type '{}'.", type_name(&other)))),
        }
    }

    fn draft(self) -> Result<Draft, TemplateError> {
        self.known_members()?;
        let type_ = self.text("type")?.trim_end_matches('/').to_owned();
        let api_version = self.text("apiVersion")?;
        let name = self.text("name")?;
        self.segments(&type_, &name)?;
        let is_deployment = type_.eq_ignore_ascii_case("Microsoft.Resources/deployments");
        let target = self.target(is_deployment)?;
        let id = self.id(&type_, &name, &target)?;
        let deployed = condition_of(self.members, &mut self.place.clone()).map_err(|error| self.fail(&error))?;
        let fixed = if deployed { self.fixed()? } else { Map::new() };
        let refers = self.refers(is_deployment)?;
        Ok(Draft {
            wants: self.wants()?,
            refers,
            after: 0..0,
            node: Node {
                id,
                location: fixed.get("location").and_then(Value::as_str).map(str::to_owned),
                type_,
                api_version,
                name,
                depends_on: Vec::new(),
                nested: is_deployment.then_some(target),
                deployed,
                fixed,
                properties: self.members.get("properties").cloned(),
                copy: self.place.copy.map(|(name, index)| (name.to_owned(), index)),
            },
        })
    }

    fn known_members(&self) -> Result<(), TemplateError> {
        for (member, value) in self.members {
            let path = format!("{}.{member}", self.path);
            match role_of(member) {
                None => {
                    let text = format!(
                        "Could not find member '{member}' on object of type 'TemplateResource'. Path '{path}', line 1, \
                         position 0."
                    );
                    return Err(TemplateError::invalid(text, path));
                }
                Some(Role::Nested) if *value != json!([]) => {
                    return Err(TemplateError::unsupported("resources nested in resources", path));
                }
                Some(Role::Body | Role::Properties) if is_loop_in(member, value) => {
                    return Err(TemplateError::unsupported("loops in properties", path));
                }
                _ => {}
            }
        }
        Ok(())
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

    /// Where the resource is deployed to: where the template is, unless a nested deployment says otherwise.
    fn target(&self, is_deployment: bool) -> Result<Target, TemplateError> {
        let scope = self.place.scope;
        let own_group = scope.resource_group.as_ref().map(|group| group.name.clone());
        let (subscription, group) = (self.optional("subscriptionId")?, self.optional("resourceGroup")?);
        if !is_deployment && (subscription.is_some() || group.is_some()) {
            return Err(self.invalid("Only a nested deployment has a subscriptionId or a resourceGroup."));
        }
        let resource_group = match (&subscription, group) {
            (_, Some(group)) => Some(group),
            (Some(_), None) => None,
            (None, None) => own_group,
        };
        Ok(Target { subscription: subscription.unwrap_or_else(|| scope.subscription.clone()), resource_group })
    }

    fn id(&self, type_: &str, name: &str, target: &Target) -> Result<String, TemplateError> {
        let base = self.base(target);
        let mut segments = type_.split('/');
        let namespace = segments.next().unwrap_or_default();
        let woven: String = segments.zip(name.split('/')).map(|(kind, name)| format!("/{kind}/{name}")).collect();
        let own = format!("/providers/{namespace}{woven}");
        match self.optional("scope")? {
            None if type_.eq_ignore_ascii_case("Microsoft.Resources/resourceGroups") => {
                Ok(format!("/subscriptions/{}/resourceGroups/{name}", target.subscription))
            }
            None => Ok(base + &own),
            Some(scope) if scope.starts_with("/subscriptions/") => Ok(scope.trim_end_matches('/').to_owned() + &own),
            Some(scope) if scope.starts_with('/') => {
                Err(TemplateError::unsupported("resources outside of a subscription", format!("{}.scope", self.path)))
            }
            // type and name of a resource that stands where the template is deployed
            Some(scope) => Ok(format!("{base}/providers/{scope}{own}")),
        }
    }

    fn base(&self, target: &Target) -> String {
        let own = self.place.scope.resource_group.as_ref();
        let subscription = format!("/subscriptions/{}", target.subscription);
        let here = target.subscription.eq_ignore_ascii_case(&self.place.scope.subscription);
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
            match role_of(member) {
                Some(Role::Body) => {
                    let value = resolve(value, &mut self.place.clone()).map_err(|error| self.fail(&error))?;
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
        let allowed = Allowed {
            parameters: self.place.parameters,
            variables: self.place.variables.unwrap_or(self.place.parameters),
            copy: self.place.copy.map(|(name, _)| name),
        };
        let checked = |value: &Value| check(value, allowed).map_err(|error| self.fail(&error));
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
        let scope = properties["expressionEvaluationOptions"]["scope"].as_str().unwrap_or("outer");
        if !scope.eq_ignore_ascii_case("inner") {
            return Err(TemplateError::unsupported(
                "nested templates of the scope 'outer'",
                path("expressionEvaluationOptions"),
            ));
        }
        checked(&properties["parameters"])
    }

    fn wants(&self) -> Result<Vec<String>, TemplateError> {
        let all = match self.members.get("dependsOn") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(all) => resolve(all, &mut self.place.clone()).map_err(|error| self.fail(&error))?,
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
    /// `resources`
    Nested,
}

fn role_of(member: &str) -> Option<Role> {
    const ENGINE: [&str; 11] = [
        "type",
        "apiVersion",
        "name",
        "condition",
        "copy",
        "dependsOn",
        "scope",
        "comments",
        "metadata",
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
        "resources" => Some(Role::Nested),
        _ if is_one_of(&ENGINE) => Some(Role::Engine),
        _ if is_one_of(&BODY) => Some(Role::Body),
        _ => None,
    }
}

/// The member `condition`, which may be absent.
pub(super) fn condition(definition: &Value, place: &mut Place) -> Result<bool, EvalError> {
    definition.as_object().map_or(Ok(true), |members| condition_of(members, place))
}

fn condition_of(members: &Map<String, Value>, place: &mut Place) -> Result<bool, EvalError> {
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

/// The properties of a nested deployment: its template as it stands, everything else evaluated.
pub(super) fn nested_properties(properties: &Value, place: &mut Place) -> Result<Value, EvalError> {
    let mut out = Map::new();
    for (member, value) in properties.as_object().into_iter().flatten() {
        let value = if member == "template" { value.clone() } else { resolve(value, place)? };
        out.insert(member.clone(), value);
    }
    Ok(out.into())
}

/// Whether there is a loop in a member; a nested template is looked at when it is deployed.
fn is_loop_in(member: &str, value: &Value) -> bool {
    match value.as_object().filter(|properties| properties.contains_key("template")) {
        Some(properties) => properties.iter().any(|(name, value)| name != "template" && values::has_loop(name, value)),
        None => values::has_loop(member, value),
    }
}

fn relative(id: &str) -> &str {
    id.rsplit_once("/providers/").map_or(id, |(_, relative)| relative)
}

/// The positions of what a resource depends on, each once.
fn depend(draft: &Draft, drafts: &[Draft], place: Place) -> Result<Vec<usize>, TemplateError> {
    let mut on: Vec<usize> = Vec::new();
    let all = || drafts.iter().enumerate();
    let mut add = |index: usize| {
        // a dependency on what is not deployed falls away
        if drafts[index].node.deployed && !on.contains(&index) {
            on.push(index);
        }
    };
    for wanted in &draft.wants {
        let in_loop = |node: &Node| node.copy.as_ref().is_some_and(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let found: Vec<usize> = all()
            .filter(|(_, other)| other.node.is_called(wanted) || in_loop(&other.node))
            .map(|(index, _)| index)
            .collect();
        if found.is_empty() {
            let text = format!(
                "The resource '{}' is not defined in the template. Please see https://aka.ms/arm-template for usage details.",
                relative(wanted)
            );
            return Err(TemplateError::invalid(text, ""));
        }
        found.into_iter().for_each(&mut add);
    }
    let copy = draft.node.copy.as_ref().map(|(name, index)| (name.as_str(), *index));
    for target in &draft.refers {
        // what only running can tell is no dependency
        let target = evaluate(target, &mut Place { copy, ..place });
        let Ok(Value::String(target)) = target else { continue };
        all()
            .filter(|(_, other)| other.node.is_called(&target) && other.node.id != draft.node.id)
            .for_each(|(index, _)| add(index));
    }
    if let Some((name, _)) = copy {
        let before =
            |node: &Node| node.copy.as_ref().is_some_and(|(other, index)| other == name && draft.after.contains(index));
        all().filter(|(_, other)| before(&other.node)).for_each(|(index, _)| add(index));
    }
    Ok(on)
}

/// Puts what is deployed after what it depends on, otherwise in the order given; then what is not deployed.
fn order(nodes: Vec<Node>, dependencies: &[Vec<usize>]) -> Result<Vec<Node>, TemplateError> {
    let mut placed: Vec<Option<usize>> = vec![None; nodes.len()];
    let mut sequence = Vec::with_capacity(nodes.len());
    let ready = |index: usize, placed: &[Option<usize>]| {
        nodes[index].deployed && placed[index].is_none() && dependencies[index].iter().all(|&on| placed[on].is_some())
    };
    while let Some(next) = (0..nodes.len()).find(|&index| ready(index, &placed)) {
        placed[next] = Some(sequence.len());
        sequence.push(next);
    }
    if let Some(stuck) = (0..nodes.len()).find(|&index| nodes[index].deployed && placed[index].is_none()) {
        let text = format!(
            "Circular dependency detected on resource: '{}'. Please see https://aka.ms/arm-syntax-resources for usage details.",
            nodes[stuck].id
        );
        return Err(TemplateError::invalid(text, ""));
    }
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    let mut out = Vec::with_capacity(nodes.len());
    for index in sequence {
        let node = nodes[index]
            .take()
            .map(|node| Node { depends_on: dependencies[index].iter().filter_map(|&on| placed[on]).collect(), ..node });
        out.extend(node);
    }
    out.extend(nodes.into_iter().flatten());
    Ok(out)
}
