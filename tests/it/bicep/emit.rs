//! A program to the template that the compiler writes from it, `metadata._generator` left out.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ast::{Decl, DeclKind, Decorator, Expr, Module, Node, Property, Resource, Type};
use super::expr::{DEPLOYMENTS, Form, Place, Writer, literal, own_name};
use super::lexer::Fault;
use super::program::{Explicit, Program, names_in};

const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";

type Written<T> = Result<T, Fault>;

/// The template of a program.
pub fn template(program: &Program) -> Result<Value, String> {
    let mut modules = BTreeMap::new();
    for (symbol, module) in &program.modules {
        modules.insert(symbol.as_str(), template(module)?);
    }
    let texts = program.indirect_texts().into_iter().enumerate().map(|(number, at)| (at, number)).collect();
    let writer = Writer { program, form: form(program), texts };
    writer.template(&modules).map_err(|fault| program.say(&fault))
}

/// Which of the two forms a program takes.
fn form(program: &Program) -> Form {
    let symbolic = program.decls.iter().any(|decl| match &decl.kind {
        DeclKind::Param(kind, _) | DeclKind::Output(kind, _) => kind.depth > 0 || kind.nullable,
        DeclKind::Resource(resource) => resource.existing && decl.property("dependsOn").is_some(),
        _ => false,
    });
    if symbolic { Form::Symbolic } else { Form::Classic }
}

impl<'a> Writer<'a> {
    fn template(&self, modules: &BTreeMap<&str, Value>) -> Written<Value> {
        let mut out = Map::new();
        out.insert("$schema".into(), SCHEMA.into());
        if self.form == Form::Symbolic {
            out.insert("languageVersion".into(), "2.0".into());
        }
        out.insert("contentVersion".into(), "1.0.0.0".into());
        let mut metadata = Map::new();
        let mut parameters = Map::new();
        let mut variables = Map::new();
        let mut outputs = Map::new();
        for (at, number) in &self.texts {
            let text = self.program.texts.get(at).map_or("", String::as_str);
            variables.insert(format!("$fxv#{number}"), literal(text).into());
        }
        for decl in &self.program.decls {
            let name = decl.name.clone();
            match &decl.kind {
                DeclKind::TargetScope(scope) if scope.plain() != Some("resourceGroup") => {
                    return Err(Fault::new(scope.at, "only the scope 'resourceGroup' is supported here"));
                }
                DeclKind::TargetScope(_) => {}
                DeclKind::Metadata(value) => {
                    metadata.insert(name, self.value(value)?);
                }
                DeclKind::Param(kind, default) => {
                    parameters.insert(name, self.parameter(decl, kind, default.as_ref())?);
                }
                DeclKind::Var(value) => {
                    only(decl, &["description"])?;
                    if !self.program.inlined(value) {
                        variables.insert(name, self.value(value)?);
                    }
                }
                DeclKind::Output(kind, value) => {
                    outputs.insert(name, self.output(decl, kind, value)?);
                }
                DeclKind::Resource(_) | DeclKind::Module(_) => {}
                DeclKind::Using(_) | DeclKind::Assign(_) => {
                    return Err(Fault::new(decl.at, "this stands only in a parameters file"));
                }
            }
        }
        let resources = self.resources(modules)?;
        let sections = [("metadata", metadata), ("parameters", parameters), ("variables", variables)];
        for (name, section) in sections {
            if !section.is_empty() {
                out.insert(name.into(), section.into());
            }
        }
        out.insert("resources".into(), resources);
        if !outputs.is_empty() {
            out.insert("outputs".into(), outputs.into());
        }
        Ok(out.into())
    }

    fn resources(&self, modules: &BTreeMap<&str, Value>) -> Written<Value> {
        let mut found: Vec<(&str, Value)> = Vec::new();
        for decl in &self.program.decls {
            if let DeclKind::Resource(resource) = &decl.kind {
                let written = self.resource(decl, resource)?;
                if self.form == Form::Symbolic || !resource.existing {
                    found.push((&decl.name, written));
                }
            }
        }
        for decl in &self.program.decls {
            if let DeclKind::Module(module) = &decl.kind {
                let template = modules.get(decl.name.as_str()).cloned().unwrap_or(Value::Null);
                found.push((&decl.name, self.module(decl, module, template)?));
            }
        }
        Ok(match self.form {
            Form::Classic => found.into_iter().map(|(_, written)| written).collect::<Vec<_>>().into(),
            Form::Symbolic => {
                found.into_iter().map(|(symbol, written)| (symbol.to_owned(), written)).collect::<Map<_, _>>().into()
            }
        })
    }

    fn parameter(&self, decl: &'a Decl, kind: &'a Type, default: Option<&'a Expr>) -> Written<Value> {
        let limits = ["allowed", "minLength", "maxLength", "minValue", "maxValue"];
        only(decl, &[&limits[..], &["description", "metadata", "secure"]].concat())?;
        if let Some(default) = default {
            fits(default, kind)?;
        }
        let mut out = typed(kind);
        if decl.decorator("secure").is_some() {
            let secure = match kind.base.as_str() {
                "string" => "securestring",
                "object" => "secureObject",
                other => {
                    return Err(Fault::new(decl.at, format!("a parameter of type {other} cannot be secure (BCP125)")));
                }
            };
            out.insert("type".into(), secure.into());
        }
        if let Some(default) = default {
            out.insert("defaultValue".into(), self.value(default)?);
        }
        for limit in limits {
            if let Some(decorator) = decl.decorator(limit) {
                let name = if limit == "allowed" { "allowedValues" } else { limit };
                out.insert(name.into(), self.argument(decorator)?);
            }
        }
        if let (Some(allowed), Some(default)) = (out.get("allowedValues"), default)
            && literal_type(default).is_some()
            && allowed
                .as_array()
                .is_some_and(|allowed| !out.get("defaultValue").is_some_and(|value| allowed.contains(value)))
        {
            return Err(Fault::new(default.at, "the default is none of the allowed values (BCP033)"));
        }
        self.describe(decl, &mut out)?;
        Ok(out.into())
    }

    fn output(&self, decl: &'a Decl, kind: &'a Type, value: &'a Expr) -> Written<Value> {
        only(decl, &["description", "metadata"])?;
        fits(value, kind)?;
        let mut out = typed(kind);
        self.describe(decl, &mut out)?;
        out.insert("value".into(), self.value(value)?);
        Ok(out.into())
    }

    /// `metadata` from the decorators, which work from the lowest up.
    fn describe(&self, decl: &'a Decl, out: &mut Map<String, Value>) -> Written<()> {
        let mut metadata = Map::new();
        for decorator in decl.decorators.iter().rev() {
            match (decorator.name.as_str(), self.argument(decorator)) {
                ("description", text) => {
                    metadata.insert("description".into(), text?);
                }
                ("metadata", Ok(Value::Object(members))) => metadata.extend(members),
                ("metadata", _) => return Err(Fault::new(decorator.at, "@metadata() takes an object")),
                _ => {}
            }
        }
        if !metadata.is_empty() {
            out.insert("metadata".into(), metadata.into());
        }
        Ok(())
    }

    /// The one argument of a decorator, a literal.
    fn argument(&self, decorator: &'a Decorator) -> Written<Value> {
        let [argument] = decorator.arguments.as_slice() else {
            return Err(Fault::new(decorator.at, format!("@{}() takes one argument", decorator.name)));
        };
        constant(argument)?;
        self.value(argument)
    }

    fn resource(&self, decl: &'a Decl, resource: &'a Resource) -> Written<Value> {
        only(decl, &["description"])?;
        let mut out = Map::new();
        self.condition(resource.condition.as_ref(), &mut out)?;
        if resource.existing {
            out.insert("existing".into(), true.into());
        }
        out.insert("type".into(), resource.kind.as_str().into());
        out.insert("apiVersion".into(), resource.version.as_str().into());
        let parent = self.parent(decl, resource)?;
        match self.place(decl)? {
            Place::Here => {}
            Place::On(on, above) if parent.is_none() => {
                out.insert("scope".into(), format!("[{}]", self.id(on, above)?).into());
            }
            Place::Group(..) if resource.existing && self.form == Form::Classic => {}
            Place::Group(..) if resource.existing => {
                return Err(Fault::new(
                    decl.at,
                    "an existing resource of another group is not supported here in the symbolic form",
                ));
            }
            Place::Group(..) => {
                return Err(Fault::new(decl.at, "a resource of another group must stand in a module (BCP139, BCP165)"));
            }
            Place::On(..) => {
                return Err(Fault::new(decl.at, "children of an extension resource are not supported here"));
            }
        }
        let name = match parent {
            None => self.value(own_name(decl)?)?,
            Some(_) => {
                let names = self.names(decl, resource)?;
                let pattern: Vec<String> = (0..names.len()).map(|number| format!("{{{number}}}")).collect();
                format!("[format('{}', {})]", pattern.join("/"), names.join(", ")).into()
            }
        };
        out.insert("name".into(), name);
        for property in &resource.body {
            let apart = ["name", "parent", "scope", "dependsOn"];
            match property.name() {
                Some(name) if apart.contains(&name) => {}
                Some(name @ ("type" | "apiVersion" | "id")) => {
                    return Err(Fault::new(property.at, format!("`{name}` of a resource is not written (BCP073)")));
                }
                Some(name) => {
                    out.insert(name.to_owned(), self.value(&property.value)?);
                }
                None => return Err(Fault::new(property.at, "a resource's own members have plain names")),
            }
        }
        self.waits(decl, &mut out)?;
        self.describe(decl, &mut out)?;
        Ok(out.into())
    }

    fn condition(&self, condition: Option<&'a Expr>, out: &mut Map<String, Value>) -> Written<()> {
        if let Some(condition) = condition {
            out.insert("condition".into(), self.value(condition)?);
        }
        Ok(())
    }

    fn waits(&self, decl: &'a Decl, out: &mut Map<String, Value>) -> Written<()> {
        if let Some(written) = decl.property("dependsOn") {
            let Node::Array(items) = &written.node else {
                return Err(Fault::new(written.at, "`dependsOn` is an array of symbols"));
            };
            for item in items {
                let known = match &item.node {
                    Node::Name(name) => self.program.symbol(name),
                    _ => None,
                };
                if !known.is_some_and(|known| matches!(known.kind, DeclKind::Resource(_) | DeclKind::Module(_))) {
                    return Err(Fault::new(item.at, "`dependsOn` holds symbols of resources and modules"));
                }
            }
        }
        let mut entries = Vec::new();
        for other in self.program.dependencies(decl, Explicit::Counted) {
            let id = match (&other.kind, self.form) {
                (_, Form::Symbolic) => other.name.clone(),
                (DeclKind::Resource(resource), _) => format!("[{}]", self.id(other, resource)?),
                _ => format!("[{}]", self.module_id(other)?),
            };
            entries.push(Value::from(id));
        }
        if !entries.is_empty() {
            out.insert("dependsOn".into(), entries.into());
        }
        Ok(())
    }

    fn module(&self, decl: &'a Decl, module: &'a Module, template: Value) -> Written<Value> {
        only(decl, &["description"])?;
        for property in &module.body {
            if !["name", "scope", "params", "dependsOn"].contains(&property.name().unwrap_or_default()) {
                return Err(Fault::new(property.at, "a module has name, scope, params and dependsOn (BCP037)"));
            }
        }
        if decl.property("name").is_none() {
            return Err(Fault::new(decl.at, format!("module `{}` without a name is not supported here", decl.name)));
        }
        let mut out = Map::new();
        self.condition(module.condition.as_ref(), &mut out)?;
        out.insert("type".into(), "Microsoft.Resources/deployments".into());
        out.insert("apiVersion".into(), DEPLOYMENTS.into());
        out.insert("name".into(), self.value(own_name(decl)?)?);
        if let Place::Group(subscription, group) = self.place(decl)? {
            if let Some(subscription) = subscription {
                out.insert("subscriptionId".into(), self.value(subscription)?);
            }
            out.insert("resourceGroup".into(), self.value(group)?);
        }
        let mut properties = Map::new();
        properties.insert("expressionEvaluationOptions".into(), json!({ "scope": "inner" }));
        properties.insert("mode".into(), "Incremental".into());
        if let Some(parameters) = self.arguments(decl, module)? {
            properties.insert("parameters".into(), parameters.into());
        }
        properties.insert("template".into(), template);
        out.insert("properties".into(), properties.into());
        self.waits(decl, &mut out)?;
        self.describe(decl, &mut out)?;
        Ok(out.into())
    }

    /// What a module is given, checked against what it takes.
    fn arguments(&self, decl: &'a Decl, module: &'a Module) -> Written<Option<Map<String, Value>>> {
        let given: &[Property] = match decl.property("params").map(|params| (&params.node, params.at)) {
            None => &[],
            Some((Node::Object(given), _)) => given,
            Some((_, at)) => return Err(Fault::new(at, "`params` is an object")),
        };
        let mut out = Map::new();
        for property in given {
            let Some(name) = property.name() else {
                return Err(Fault::new(property.at, "names of parameters hold no interpolation"));
            };
            let taken = self.taken(&decl.name).find(|(taken, _, _)| *taken == name);
            let Some((_, kind, _)) = taken else {
                return Err(Fault::new(property.at, format!("{} takes no parameter `{name}` (BCP037)", module.path)));
            };
            fits(&property.value, kind)?;
            out.insert(name.to_owned(), json!({ "value": self.value(&property.value)? }));
        }
        for (name, kind, default) in self.taken(&decl.name) {
            if default.is_none() && !kind.nullable && !out.contains_key(name) {
                return Err(Fault::new(decl.at, format!("{} needs the parameter `{name}` (BCP035)", module.path)));
            }
        }
        Ok(decl.property("params").is_some().then_some(out))
    }

    fn taken(&self, module: &str) -> impl Iterator<Item = (&'a str, &'a Type, Option<&'a Expr>)> + use<'a> {
        let decls = self.program.modules.get(module).map_or(&[][..], |program| &program.decls);
        decls.iter().filter_map(|decl| match &decl.kind {
            DeclKind::Param(kind, default) => Some((decl.name.as_str(), kind, default.as_ref())),
            _ => None,
        })
    }
}

/// Refuses decorators that are not among `names`, and one given twice.
fn only(decl: &Decl, names: &[&str]) -> Written<()> {
    for (index, decorator) in decl.decorators.iter().enumerate() {
        if !names.contains(&decorator.name.as_str()) {
            return Err(Fault::new(decorator.at, format!("@{}() is not supported here", decorator.name)));
        }
        if decl.decorators[..index].iter().any(|other| other.name == decorator.name) {
            return Err(Fault::new(decorator.at, format!("@{}() is given twice (BCP166)", decorator.name)));
        }
    }
    Ok(())
}

fn typed(kind: &Type) -> Map<String, Value> {
    let mut items = json!({ "type": kind.base });
    for _ in 0..kind.depth {
        items = json!({ "type": "array", "items": items });
    }
    let mut out = match items {
        Value::Object(out) => out,
        _ => Map::new(),
    };
    if kind.nullable {
        out.insert("nullable".into(), true.into());
    }
    out
}

/// The type of an expression, where it can be seen at once.
fn literal_type(value: &Expr) -> Option<&'static str> {
    match value.node {
        Node::Text(_) => Some("string"),
        Node::Int(_) => Some("int"),
        Node::Bool(_) => Some("bool"),
        Node::Object(_) => Some("object"),
        Node::Array(_) => Some("array"),
        Node::Null => Some("null"),
        _ => None,
    }
}

/// Refuses a value whose type is plainly another.
pub fn fits(value: &Expr, kind: &Type) -> Written<()> {
    let wanted = if kind.depth > 0 { "array" } else { kind.base.as_str() };
    match literal_type(value) {
        Some("null") if kind.nullable => Ok(()),
        Some(found) if found != wanted => {
            Err(Fault::new(value.at, format!("{wanted} expected, {found} given (BCP033)")))
        }
        _ => Ok(()),
    }
}

/// Refuses what is no literal all through.
fn constant(value: &Expr) -> Written<()> {
    let mut calls = false;
    value.walk(&mut |inner| {
        calls = calls || matches!(inner.node, Node::Call(..) | Node::Method(..));
        true
    });
    if calls || !names_in(value).is_empty() {
        return Err(Fault::new(value.at, "only literals can stand here"));
    }
    Ok(())
}
