//! The graph as ARM JSON: byte for byte what the Bicep compiler writes from our Bicep, in its classic form, without
//! `metadata._generator` (facts/bicep.md 4).

use super::{Body, Module, Output, Parameter, Presence, Resource, Template, Value};
use crate::expr::{Expr, literal};
use crate::topology::Place;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
const DEPLOYMENTS: &str = "Microsoft.Resources/deployments";
const DEPLOYMENTS_VERSION: &str = "2025-04-01";

/// The template as JSON, modules inlined.
pub fn arm(template: &Template) -> Json {
    Printer::new(template).template()
}

/// [`arm`] as `bicep build` writes it: two spaces, no newline at the end, line separators that JavaScript knows escaped.
pub fn arm_text(template: &Template) -> String {
    let text = format!("{:#}", arm(template));
    if !text.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return text;
    }
    text.replace('\u{85}', "\\u0085").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

struct Printer<'a> {
    template: &'a Template,
    symbols: BTreeMap<&'a str, &'a Resource>,
    modules: BTreeMap<&'a str, &'a Module>,
    /// Names of the variables that hold files, by path.
    files: BTreeMap<&'a str, String>,
}

impl<'a> Printer<'a> {
    fn new(template: &'a Template) -> Printer<'a> {
        let symbols = template.resources.iter().map(|resource| (resource.symbol.as_str(), resource)).collect();
        let modules = template.modules.iter().map(|module| (module.symbol.as_str(), module)).collect();
        let mut files = BTreeMap::new();
        for resource in template.resources.iter().filter(|resource| resource.presence == Presence::Written) {
            for (_, value) in &resource.body {
                value.files(&mut |path| {
                    let number = files.len();
                    files.entry(path).or_insert_with(|| format!("$fxv#{number}"));
                });
            }
        }
        Printer { template, symbols, modules, files }
    }

    fn template(&self) -> Json {
        let mut out = Map::new();
        out.insert("$schema".into(), SCHEMA.into());
        out.insert("contentVersion".into(), "1.0.0.0".into());
        let template = self.template;
        let parameters = template.parameters.iter().map(|p| (p.name.clone(), self.parameter(p)));
        insert_members(&mut out, "parameters", parameters.collect());

        let mut files: Vec<(&str, &String)> = self.files.iter().map(|(path, name)| (*path, name)).collect();
        files.sort_by_key(|(_, name)| name.trim_start_matches("$fxv#").parse::<u32>().unwrap_or(0));
        let texts = files
            .into_iter()
            .map(|(path, name)| (name.clone(), literal(template.texts.get(path).map_or("", String::as_str)).into()));
        let variables = template.variables.iter().map(|v| (v.name.clone(), self.json(&v.value)));
        insert_members(&mut out, "variables", texts.chain(variables).collect());

        let written = template.resources.iter().filter(|resource| resource.presence == Presence::Written);
        let resources = written.map(|r| self.resource(r)).chain(template.modules.iter().map(|m| self.module(m)));
        out.insert("resources".into(), resources.collect());
        insert_members(&mut out, "outputs", template.outputs.iter().map(|o| (o.name.into(), self.output(o))).collect());
        Json::Object(out)
    }

    fn parameter(&self, parameter: &Parameter) -> Json {
        let mut out = Map::new();
        out.insert("type".into(), parameter.kind.into());
        if let Some(default) = &parameter.default {
            out.insert("defaultValue".into(), self.json(default));
        }
        if !parameter.allowed.is_empty() {
            out.insert("allowedValues".into(), parameter.allowed.iter().map(|value| self.json(value)).collect());
        }
        let limits = [
            ("minLength", parameter.min_length),
            ("maxLength", parameter.max_length),
            ("minValue", parameter.min_value),
        ];
        out.extend(limits.into_iter().filter_map(|(name, limit)| Some((name.to_owned(), limit?.into()))));
        out.insert("metadata".into(), json!({ "description": literal(&parameter.description) }));
        Json::Object(out)
    }

    fn output(&self, output: &Output) -> Json {
        json!({
            "type": output.kind,
            "metadata": { "description": literal(output.description) },
            "value": self.json(&output.value),
        })
    }

    fn resource(&self, resource: &Resource) -> Json {
        let mut out = Map::new();
        out.insert("type".into(), resource.kind.into());
        out.insert("apiVersion".into(), resource.version.into());
        if let Some(scope) = &resource.scope {
            out.insert("scope".into(), bracketed(&self.id(scope)));
        }
        let names = self.names(resource);
        let name = match names.as_slice() {
            [_] => self.json(&resource.name),
            _ => {
                let holes: Vec<String> = (0..names.len()).map(|n| format!("{{{n}}}")).collect();
                bracketed(&Expr::call("format", [Expr::str(holes.join("/"))].into_iter().chain(names)))
            }
        };
        out.insert("name".into(), name);
        self.members(&mut out, &resource.body);
        self.depends_on(&mut out, resource.dependencies());
        Json::Object(out)
    }

    fn module(&self, module: &Module) -> Json {
        let params: Map<String, Json> =
            module.params.iter().map(|(name, value)| (name.clone(), json!({ "value": self.json(value) }))).collect();
        let mut out = Map::new();
        out.insert("type".into(), DEPLOYMENTS.into());
        out.insert("apiVersion".into(), DEPLOYMENTS_VERSION.into());
        out.insert("name".into(), self.json(&module.name));
        if let Some(subscription) = &module.place.subscription {
            out.insert("subscriptionId".into(), literal(subscription).into());
        }
        if !module.place.is_own() {
            out.insert("resourceGroup".into(), bracketed(&group(&module.place)));
        }
        out.insert(
            "properties".into(),
            json!({
                "expressionEvaluationOptions": { "scope": "inner" },
                "mode": "Incremental",
                "parameters": params,
                "template": arm(&module.template),
            }),
        );
        self.depends_on(&mut out, module.dependencies());
        Json::Object(out)
    }

    fn members(&self, out: &mut Map<String, Json>, body: &Body) {
        out.extend(body.iter().map(|(name, value)| (literal(name), self.json(value))));
    }

    /// Each once, by symbol without case, without what exists.
    fn depends_on(&self, out: &mut Map<String, Json>, symbols: impl IntoIterator<Item = String>) {
        let written = |symbol: &String| {
            self.modules.contains_key(symbol.as_str())
                || self.symbols.get(symbol.as_str()).is_some_and(|resource| resource.presence == Presence::Written)
        };
        let mut symbols: Vec<String> = symbols.into_iter().filter(written).collect();
        symbols.sort_by_key(|symbol| symbol.to_ascii_lowercase());
        symbols.dedup();
        if !symbols.is_empty() {
            out.insert("dependsOn".into(), symbols.iter().map(|symbol| bracketed(&self.id(symbol))).collect());
        }
    }

    /// A value where JSON stands: structure stays structure, what must be computed becomes a string in brackets.
    fn json(&self, value: &Value) -> Json {
        match value {
            Value::Null => Json::Null,
            Value::Bool(flag) => (*flag).into(),
            Value::Int(number) => (*number).into(),
            Value::Text(text) => literal(text).into(),
            Value::Array(items) => items.iter().map(|item| self.json(item)).collect(),
            Value::Object(members) => {
                let mut out = Map::new();
                self.members(&mut out, members);
                Json::Object(out)
            }
            Value::Keyed(name, value) => {
                let name = format!("[{}]", Expr::call("format", [Expr::str("{0}"), self.expr(name)]));
                Json::Object([(name, self.json(value))].into_iter().collect())
            }
            expression => bracketed(&self.expr(expression)),
        }
    }

    /// A value inside an expression.
    fn expr(&self, value: &Value) -> Expr {
        let all = |items: &[Value]| items.iter().map(|item| self.expr(item)).collect::<Vec<Expr>>();
        match value {
            Value::Null => Expr::call("null", []),
            Value::Bool(true) => Expr::call("true", []),
            Value::Bool(false) => Expr::call("false", []),
            Value::Int(number) => Expr::Int(*number),
            Value::Text(text) => Expr::str(text),
            Value::Array(items) => Expr::call("createArray", all(items)),
            Value::Object(members) => {
                let pairs = members.iter().flat_map(|(name, value)| [Expr::str(name), self.expr(value)]);
                Expr::call("createObject", pairs)
            }
            Value::Param(name) => Expr::call("parameters", [Expr::str(name)]),
            Value::Var(name) => Expr::call("variables", [Expr::str(name)]),
            Value::Member(base, name) => self.expr(base).prop(name),
            Value::Call(name, arguments) => Expr::call(*name, all(arguments)),
            Value::Interpolated(parts) => self.format(parts),
            Value::File(path) => {
                let name = self.files.get(path.as_str()).map_or("", String::as_str);
                Expr::call("variables", [Expr::str(name)])
            }
            Value::Prop(symbol, path) => self.property(symbol, path),
            Value::Output(symbol, name) => {
                let read = Expr::call("reference", [self.id(symbol), Expr::str(DEPLOYMENTS_VERSION)]);
                read.prop("outputs").prop(*name).prop("value")
            }
            Value::Keyed(name, value) => {
                let name = Expr::call("format", [Expr::str("{0}"), self.expr(name)]);
                Expr::call("createObject", [name, self.expr(value)])
            }
        }
    }

    fn format(&self, parts: &[Value]) -> Expr {
        let (mut text, mut arguments) = (String::new(), Vec::new());
        for part in parts {
            if let Value::Text(literal) = part {
                text.push_str(&literal.replace('{', "{{").replace('}', "}}"));
            } else {
                text.push_str(&format!("{{{}}}", arguments.len()));
                arguments.push(self.expr(part));
            }
        }
        Expr::call("format", [Expr::str(text)].into_iter().chain(arguments))
    }

    /// `id` and `name` are known before anything runs; anything else is read from the resource itself.
    fn property(&self, symbol: &str, path: &[&'static str]) -> Expr {
        let Some(resource) = self.symbols.get(symbol) else { return Expr::call("null", []) };
        let version = || Expr::str(resource.version);
        match path {
            ["id"] => self.id(symbol),
            ["name"] => self.expr(&resource.name),
            ["properties", rest @ ..] => {
                let base = Expr::call("reference", [self.id(symbol), version()]);
                rest.iter().fold(base, |base, name| base.prop(*name))
            }
            path => {
                let base = Expr::call("reference", [self.id(symbol), version(), Expr::str("full")]);
                path.iter().fold(base, |base, name| base.prop(*name))
            }
        }
    }

    fn id(&self, symbol: &str) -> Expr {
        if let Some(module) = self.modules.get(symbol) {
            return placed(&module.place, DEPLOYMENTS, vec![self.expr(&module.name)]);
        }
        let Some(resource) = self.symbols.get(symbol) else { return Expr::call("null", []) };
        match &resource.scope {
            None => placed(&resource.place, resource.kind, self.names(resource)),
            Some(scope) => {
                let kind = Expr::str(resource.kind);
                Expr::call("extensionResourceId", [self.id(scope), kind].into_iter().chain(self.names(resource)))
            }
        }
    }

    /// The names of a resource's parents and its own.
    fn names(&self, resource: &Resource) -> Vec<Expr> {
        let parent = resource.parent.as_deref().and_then(|symbol| self.symbols.get(symbol));
        let mut names = parent.map(|parent| self.names(parent)).unwrap_or_default();
        names.push(self.expr(&resource.name));
        names
    }
}

/// The id of something in a resource group.
fn placed(place: &Place, kind: &str, names: Vec<Expr>) -> Expr {
    if place.is_own() {
        return Expr::call("resourceId", [Expr::str(kind)].into_iter().chain(names));
    }
    let subscription = match &place.subscription {
        Some(id) => Expr::str(id),
        None => Expr::call("subscription", []).prop("subscriptionId"),
    };
    let text = Expr::str("/subscriptions/{0}/resourceGroups/{1}");
    let within = Expr::call("format", [text, subscription, group(place)]);
    Expr::call("extensionResourceId", [within, Expr::str(kind)].into_iter().chain(names))
}

/// The name of a place's resource group.
fn group(place: &Place) -> Expr {
    match &place.resource_group {
        Some(name) => Expr::str(name),
        None => Expr::call("resourceGroup", []).prop("name"),
    }
}

/// An expression as a string of a template; one that is only a text is that text.
fn bracketed(expr: &Expr) -> Json {
    match expr {
        Expr::Str(text) => literal(text).into(),
        expr => format!("[{expr}]").into(),
    }
}

fn insert_members(out: &mut Map<String, Json>, name: &str, members: Map<String, Json>) {
    if !members.is_empty() {
        out.insert(name.into(), Json::Object(members));
    }
}
