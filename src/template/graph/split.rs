//! What stands on a gateway of another resource group moves into a module with that scope: Bicep and Azure refuse such
//! children in a template of ours (BCP165).
//!
//! The graph is built as if the gateway stood here. Then everything that is a child of it, or extends it, moves; what
//! that names outside becomes a parameter of the module.

use super::super::value::body;
use super::super::{ABOVE, About, Body, Module, Parameter, Presence, Resource, Template, Value};
use super::accounts::Named;
use super::inputs::{nested, parameter};
use super::{Build, GATEWAY, resource};
use crate::topology::{Address, Gateway, Place, Standing};
use std::collections::{BTreeMap, BTreeSet};

/// The module's symbol.
pub(super) const MODULE: &str = "gatewayConfig";

/// The module's parameter with the accounts' endpoints by key.
pub(super) const ENDPOINTS: &str = "endpoints";

/// Properties that no history of deployments is to show.
const SECRETS: [&str; 1] = ["ConnectionString"];

const GATEWAY_NAME: &str = "gatewayName";

/// The finished template: with a module where the gateway stands elsewhere.
pub(super) fn gateway(build: Build<'_>) -> Template {
    let topology = build.topology;
    let elsewhere = |gateway: &&Gateway| gateway.standing == Standing::Existing && !gateway.place.is_own();
    let Some(gateway) = topology.gateway.as_ref().filter(elsewhere) else { return build.template };
    let accounts = build.accounts.iter().map(|(key, named)| match named {
        Named::Resource(symbol) | Named::Module(symbol) => (symbol.clone(), (*key).to_owned()),
    });
    let mut main = build.template;
    let inside = children(&main);
    if inside.is_empty() {
        return main;
    }
    let (moved, kept) = std::mem::take(&mut main.resources).into_iter().partition(|r| inside.contains(&r.symbol));
    main.resources = kept;
    let mut crossing = Crossing {
        inside: &inside,
        accounts: accounts.collect(),
        parameters: &main.parameters,
        endpoints: BTreeMap::new(),
        given: body([(GATEWAY_NAME, Value::param(GATEWAY_NAME))]),
        taken: vec![parameter(GATEWAY_NAME, "string", "Name of the API Management service.")],
    };
    let moved: Vec<Resource> = moved;
    let (mut resources, mut depends_on) = (Vec::new(), BTreeSet::new());
    for mut resource in moved {
        resource.name = crossing.value(&resource.name);
        resource.body.iter_mut().for_each(|(_, value)| *value = crossing.value(value));
        let (within, outside): (Vec<String>, Vec<String>) =
            resource.depends_on.drain(..).partition(|symbol| inside.contains(symbol));
        resource.depends_on = within;
        depends_on.extend(outside);
        resources.push(resource);
    }
    let (params, parameters) = crossing.finish();
    let there = Resource {
        presence: Presence::Existing,
        name: Value::param(GATEWAY_NAME),
        ..resource(Address::Gateway, GATEWAY, super::SERVICE, super::API_MANAGEMENT)
    };
    resources.insert(0, there);
    let texts = main.texts.iter().map(|(path, text)| (format!("{ABOVE}{path}"), text.clone()));
    let mut template = Template { parameters, resources, texts: texts.collect(), ..Template::default() };
    template.prune();
    // where the sections of the Bicep have it: behind the accounts
    let at = main.modules.iter().position(|module| module.about == About::Role).unwrap_or(main.modules.len());
    let module = Module {
        about: About::Gateway,
        symbol: MODULE.into(),
        path: "modules/gateway.bicep".into(),
        name: nested(&topology.stack, "gateway", "config"),
        place: Place::clone(&gateway.place),
        params,
        template,
        depends_on: depends_on.into_iter().collect(),
        tells_of: None,
    };
    main.modules.insert(at, module);
    for resource in &mut main.resources {
        let before = resource.depends_on.len();
        resource.depends_on.retain(|symbol| !inside.contains(symbol));
        if resource.depends_on.len() < before {
            resource.depends_on.push(MODULE.into());
        }
    }
    main
}

/// Symbols of everything that is a child of the gateway, however far, or extends it.
fn children(template: &Template) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for resource in &template.resources {
        let above = [&resource.parent, &resource.scope].into_iter().flatten();
        if above.into_iter().any(|symbol| symbol == GATEWAY || found.contains(symbol)) {
            found.insert(resource.symbol.clone());
        }
    }
    found
}

/// What the values of the module name outside, as parameters.
struct Crossing<'a> {
    inside: &'a BTreeSet<String>,
    /// Keys of the accounts by symbol.
    accounts: BTreeMap<String, String>,
    /// The parameters of the main template.
    parameters: &'a [Parameter],
    endpoints: BTreeMap<String, Value>,
    given: Body,
    taken: Vec<Parameter>,
}

impl Crossing<'_> {
    fn value(&mut self, value: &Value) -> Value {
        value.map(&mut |part| self.part(part))
    }

    fn part(&mut self, part: &Value) -> Option<Value> {
        match part {
            Value::File(path) => Some(Value::File(format!("{ABOVE}{path}"))),
            Value::Param(name) => {
                let known = self.parameters.iter().find(|parameter| parameter.name == *name);
                let (kind, description) = known.map_or(("string", ""), |p| (p.kind, p.description.as_str()));
                Some(self.take(name, kind, description, part))
            }
            Value::Var(name) if name == "stackTags" => {
                Some(self.take(name, "object", "Tags of every resource that can have them.", part))
            }
            Value::Var(name) if name == "stack" => {
                Some(self.take(name, "string", "Id of the stack that owns what is made here.", part))
            }
            Value::Var(name) => Some(self.take(name, "string", &format!("`{name}` of the main file."), part)),
            Value::Prop(symbol, _) if self.inside.contains(symbol) || symbol == GATEWAY => None,
            Value::Prop(symbol, path) => Some(self.outside(symbol, path.last().copied().unwrap_or_default(), part)),
            Value::Output(symbol, name) => Some(self.outside(symbol, name, part)),
            _ => None,
        }
    }

    fn outside(&mut self, symbol: &str, what: &'static str, part: &Value) -> Value {
        match self.accounts.get(symbol) {
            Some(key) if what == "endpoint" => {
                self.endpoints.insert(key.clone(), part.clone());
                Value::param(ENDPOINTS).member(key)
            }
            _ => {
                let mut chars = what.chars();
                let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
                let name = format!("{symbol}{first}{}", chars.as_str());
                let kind = if SECRETS.contains(&what) { "securestring" } else { "string" };
                self.take(&name, kind, &format!("`{what}` of `{symbol}` in the main file."), part)
            }
        }
    }

    fn take(&mut self, name: &str, kind: &'static str, description: &str, given: &Value) -> Value {
        if !self.taken.iter().any(|parameter| parameter.name == name) {
            self.taken.push(parameter(name, kind, description));
            self.given.push((name.to_owned(), given.clone()));
        }
        Value::param(name)
    }

    /// What the module is given, and what it takes.
    fn finish(mut self) -> (Body, Vec<Parameter>) {
        if !self.endpoints.is_empty() {
            self.taken.push(parameter(ENDPOINTS, "object", "Endpoints of the accounts by key."));
            self.given.push((ENDPOINTS.into(), self.endpoints.into_iter().collect()));
        }
        (self.given, self.taken)
    }
}
