//! What a template would write, as plain values: for comparing it with what is there.
//!
//! Parameters have their defaults. What is known only while it is deployed, as a connection string or the id of an
//! identity, is left out: nobody can compare it.

use super::{Presence, Resource, Template, Value, graph};
use crate::expr;
use crate::topology::{Address, Place, Topology};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// A resource as it would be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its ARM id.
    pub id: String,
    /// Its body, without name and api-version.
    pub body: Json,
}

/// Everything that a topology writes, its modules included. Its names are literal and its subscription is known.
pub fn written(topology: &Topology) -> BTreeMap<Address, Written> {
    let template = graph(topology);
    let main = Frame { topology, template: &template, place: Place::default(), given: BTreeMap::new() };
    let mut all = main.resources();
    for module in &template.modules {
        let given = module.params.iter().filter_map(|(name, value)| Some((name.clone(), main.value(value)?)));
        let given: BTreeMap<String, Json> = given.collect();
        let inner = Frame { topology, template: &module.template, place: module.place.clone(), given };
        all.extend(inner.resources());
    }
    all
}

/// A template in its place, with the values of its parameters.
struct Frame<'a> {
    topology: &'a Topology,
    template: &'a Template,
    place: Place,
    given: BTreeMap<String, Json>,
}

impl Frame<'_> {
    fn resources(&self) -> BTreeMap<Address, Written> {
        let written = self.template.resources.iter().filter(|resource| resource.presence == Presence::Written);
        let known = written.filter_map(|resource| {
            let body = resource.body.iter().filter_map(|(name, value)| Some((name.clone(), self.value(value)?)));
            let written = Written { id: self.id(resource)?, body: Json::Object(body.collect()) };
            Some((resource.address.clone()?, written))
        });
        known.collect()
    }

    fn id(&self, resource: &Resource) -> Option<String> {
        let name = self.value(&resource.name)?;
        let name = name.as_str()?;
        if let Some(parent) = &resource.parent {
            let last = resource.kind.rsplit('/').next()?;
            return Some(format!("{}/{last}/{name}", self.id(self.template.resource(parent)?)?));
        }
        let above = match &resource.scope {
            Some(scope) => self.id(self.template.resource(scope)?)?,
            None => self.group(&resource.place),
        };
        Some(format!("{above}/providers/{}/{name}", resource.kind))
    }

    /// The id of a resource group: what a place leaves open is the template's, then the stack's.
    fn group(&self, place: &Place) -> String {
        let scope = &self.topology.scope;
        let subscription = place.subscription.as_ref().or(self.place.subscription.as_ref());
        let group = place.resource_group.as_ref().or(self.place.resource_group.as_ref());
        format!(
            "/subscriptions/{}/resourceGroups/{}",
            subscription.or(scope.subscription.as_ref()).map(String::as_str).unwrap_or_default(),
            group.unwrap_or(&scope.resource_group)
        )
    }

    /// `None` for what is known only while it is deployed; a member of an object without a value is not there.
    fn value(&self, value: &Value) -> Option<Json> {
        Some(match value {
            Value::Null => Json::Null,
            Value::Bool(flag) => json!(flag),
            Value::Int(number) => json!(number),
            Value::Text(text) => json!(text),
            Value::Array(items) => Json::Array(items.iter().map(|item| self.value(item)).collect::<Option<_>>()?),
            Value::Object(members) => {
                let known = members.iter().filter_map(|(name, value)| Some((name.clone(), self.value(value)?)));
                Json::Object(known.collect())
            }
            Value::Param(name) => match self.given.get(name) {
                Some(given) => given.clone(),
                None => {
                    let parameter = self.template.parameters.iter().find(|parameter| parameter.name == *name)?;
                    self.value(parameter.default.as_ref()?)?
                }
            },
            Value::Var(name) => {
                self.value(&self.template.variables.iter().find(|variable| variable.name == *name)?.value)?
            }
            Value::Prop(symbol, path) => {
                let resource = self.template.resource(symbol)?;
                match path.as_slice() {
                    ["id"] => json!(self.id(resource)?),
                    ["name"] => self.value(&resource.name)?,
                    _ => return None,
                }
            }
            Value::Output(symbol, "id" | "name") => {
                let told = self.template.module(symbol)?.tells_of.as_deref()?;
                match value {
                    Value::Output(_, "id") => json!(self.id(told)?),
                    _ => self.value(&told.name)?,
                }
            }
            Value::Output(..) => return None,
            Value::Member(base, name) => self.value(base)?.get(name)?.clone(),
            Value::Keyed(name, value) => {
                Json::Object(Map::from_iter([(self.value(name)?.as_str()?.to_owned(), self.value(value)?)]))
            }
            Value::Call("resourceGroup", _) => json!({ "id": self.group(&Place::default()) }),
            Value::Call(name, arguments) => {
                let arguments: Vec<Json> =
                    arguments.iter().map(|argument| self.value(argument)).collect::<Option<_>>()?;
                // what depends on the place, as `reference`, is no function of values alone
                expr::call(name, &arguments).ok()?
            }
            Value::Interpolated(parts) => {
                let parts: Vec<Json> = parts.iter().map(|part| self.value(part)).collect::<Option<_>>()?;
                json!(
                    parts
                        .iter()
                        .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
                        .collect::<String>()
                )
            }
            Value::File(path) => json!(self.template.texts.get(path)?),
        })
    }
}
