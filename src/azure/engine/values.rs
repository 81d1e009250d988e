//! Parameters and variables.

use super::error::{AT, TemplateError};
use super::place::Place;
use super::{Scope, members};
use crate::expr::{Context, EvalError, Fault, View, bounded, get, resolve, type_name};
use serde_json::{Map, Value};

/// The types that a parameter or an output may have, as a template writes them, as a deployment shows them, and what a
/// value of that type is called in errors.
const TYPES: &[(&str, &str, &str)] = &[
    ("string", "String", "String, Uri"),
    ("securestring", "SecureString", "String, Uri"),
    ("int", "Int", "Integer"),
    ("bool", "Bool", "Boolean"),
    ("array", "Array", "Array"),
    ("object", "Object", "Object"),
    ("secureobject", "SecureObject", "Object"),
];

/// A type of a template.
#[derive(Clone, Copy, Debug)]
pub(super) struct Type {
    /// As a deployment shows it.
    pub shown: &'static str,
    expected: &'static str,
}

impl Type {
    /// The type of a parameter or an output, `subject` and `path` for errors.
    pub fn of(definition: &Value, subject: &str, path: &str) -> Result<Type, TemplateError> {
        const NEWER: [&str; 8] = [
            "$ref",
            "items",
            "prefixItems",
            "properties",
            "additionalProperties",
            "discriminator",
            "nullable",
            "sealed",
        ];
        if let Some(newer) = NEWER.into_iter().find(|member| definition.get(member).is_some()) {
            return Err(TemplateError::unsupported(
                format!("the member '{newer}' of a type, which needs language version 2.0"),
                path,
            ));
        }
        let name = definition["type"].as_str().unwrap_or_default();
        let found = TYPES.iter().find(|(written, ..)| written.eq_ignore_ascii_case(name));
        found.map(|&(_, shown, expected)| Type { shown, expected }).ok_or_else(|| {
            TemplateError::invalid(
                format!("The template {subject} {AT} is not valid: its type '{name}' is not known"),
                path,
            )
        })
    }

    /// Whether values of this type are never shown.
    pub fn is_secure(self) -> bool {
        self.shown.starts_with("Secure")
    }

    /// Whether a value is of this type; says what is wrong, `kind` being `parameter` or `output`.
    pub fn admit(self, value: &Value, kind: &str) -> Result<(), String> {
        let actual = type_name(value);
        if self.expected.split(", ").any(|expected| expected == actual) {
            return Ok(());
        }
        Err(format!("Template {kind} JToken type is not valid. Expected '{}'. Actual '{actual}'.", self.expected))
    }
}

/// A parameter of a template.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub name: String,
    pub type_: Type,
}

/// The parameters of a template and their values: what is given, literally; what is not, from its default.
pub(super) fn parameters(
    template: &Value,
    given: &Value,
    scope: &Scope,
    deployment: &Value,
) -> Result<(Vec<Parameter>, Map<String, Value>), TemplateError> {
    let definitions = members(template, "parameters")?;
    let empty = Map::new();
    let given = given.as_object().unwrap_or(&empty);
    let unknown: Vec<&str> = given.keys().map(String::as_str).filter(|name| get(definitions, name).is_none()).collect();
    if !unknown.is_empty() {
        let supported: Vec<&str> = definitions.keys().map(String::as_str).collect();
        let text = format!(
            "The template parameters '{}' in the parameters file are not valid; they are not present in the original \
             template and can therefore not be provided at deployment time. The only supported parameters for this \
             template are '{}'. Please see https://aka.ms/arm-pass-parameter-values for usage details.",
            unknown.join(", "),
            supported.join(", ")
        );
        return Err(TemplateError::invalid(text, ""));
    }
    let mut list = Vec::new();
    let mut sources = Map::new();
    for (name, definition) in definitions {
        let path = format!("parameters.{name}");
        let type_ = Type::of(definition, &format!("parameter '{name}'"), &path)?;
        list.push(Parameter { name: name.clone(), type_ });
        match get(given, name) {
            None => {}
            Some(given) => match given.get("value") {
                Some(_) => continue,
                None if given.get("reference").is_some() => {
                    return Err(TemplateError::unsupported("parameters from a key vault", path));
                }
                // a parameter without a value has its default
                None => {}
            },
        }
        let default = definition.get("defaultValue").ok_or_else(|| {
            let text = format!(
                "The value for the template parameter '{name}' {AT} is not provided. Please see \
                 https://aka.ms/arm-create-parameter-file for usage details."
            );
            TemplateError::invalid(text, &*path)
        })?;
        sources.insert(name.clone(), default.clone());
    }
    let mut values = Map::new();
    for Parameter { name, .. } in &list {
        if let Some(value) = get(given, name).and_then(|given| given.get("value")) {
            let value = bounded(value.clone()).map_err(|error| {
                TemplateError::expression(&format!("parameter '{name}'"), &error, format!("parameters.{name}"))
            })?;
            values.insert(name.clone(), value);
        }
    }
    let nothing = Map::new();
    let place = Place { scope, deployment, parameters: &nothing, variables: None, copy: None, runtime: None };
    // Azure calls a parameter's default a template resource
    settle("resource", "parameters", &sources, &mut values, place)?;
    for Parameter { name, type_ } in &list {
        if let (Some(definition), Some(value)) = (definitions.get(name), values.get(name)) {
            constrain(name, *type_, definition, value)?;
        }
    }
    Ok((list, values))
}

/// The variables of a template and their values.
pub(super) fn variables(template: &Value, place: Place) -> Result<Map<String, Value>, TemplateError> {
    let sources = members(template, "variables")?;
    if let Some(name) = sources.iter().find_map(|(name, source)| has_loop(name, source).then_some(name)) {
        return Err(TemplateError::unsupported("loops in variables", format!("variables.{name}")));
    }
    let (nothing, mut values) = (Map::new(), Map::new());
    settle("variable", "variables", sources, &mut values, Place { variables: Some(&nothing), ..place })?;
    Ok(values)
}

/// Whether a member is, or holds somewhere, a loop over values.
pub(super) fn has_loop(name: &str, value: &Value) -> bool {
    let is_loop = |item: &Value| item.get("count").is_some() && item.get("input").is_some();
    match value {
        Value::Array(items) => {
            name.eq_ignore_ascii_case("copy") && items.iter().any(is_loop)
                || items.iter().any(|item| has_loop("", item))
        }
        Value::Object(members) => members.iter().any(|(name, value)| has_loop(name, value)),
        _ => false,
    }
}

/// Evaluates members that may refer to each other, in whatever order that takes. Not by recursion: a chain of hundreds
/// is no danger to the stack.
fn settle(
    subject: &str,
    section: &str,
    sources: &Map<String, Value>,
    values: &mut Map<String, Value>,
    place: Place,
) -> Result<(), TemplateError> {
    for first in sources.keys() {
        let mut waiting = vec![first.as_str()];
        while let Some(&name) = waiting.last() {
            let Some(source) = sources.get(name).filter(|_| !values.contains_key(name)) else {
                waiting.pop();
                continue;
            };
            let mut settling = Settling { section, sources, values, place, wanted: None };
            let outcome = resolve(source, &mut settling).and_then(bounded);
            let wanted = settling.wanted.take();
            let failed = |error: &EvalError| {
                TemplateError::expression(&format!("{subject} '{name}'"), error, format!("{section}.{name}"))
            };
            match (outcome, wanted) {
                (Ok(value), _) => {
                    values.insert(name.to_owned(), value);
                    waiting.pop();
                }
                (Err(_), Some(wanted)) if waiting.contains(&wanted) => {
                    let message = format!("Circular reference to '{wanted}' detected");
                    return Err(failed(&EvalError::new(Fault::Limit, message)));
                }
                (Err(_), Some(wanted)) => waiting.push(wanted),
                (Err(error), None) => return Err(failed(&error)),
            }
        }
    }
    Ok(())
}

/// A place where some of the section's own members are not known yet.
struct Settling<'a, 'v> {
    section: &'a str,
    sources: &'a Map<String, Value>,
    values: &'v Map<String, Value>,
    place: Place<'v>,
    /// The member that must come first.
    wanted: Option<&'a str>,
}

impl Settling<'_, '_> {
    fn own(&mut self, section: &str, name: &str) -> Option<Result<Value, EvalError>> {
        if section != self.section {
            return None;
        }
        if let Some(value) = get(self.values, name) {
            return Some(Ok(value.clone()));
        }
        let key = self.sources.keys().find(|key| crate::expr::same(key, name))?;
        self.wanted = Some(key);
        Some(Err(EvalError::new(Fault::NotFound, String::new())))
    }
}

impl Context for Settling<'_, '_> {
    fn parameter(&mut self, name: &str) -> Result<Value, EvalError> {
        self.own("parameters", name).unwrap_or_else(|| self.place.parameter(name))
    }

    fn variable(&mut self, name: &str) -> Result<Value, EvalError> {
        self.own("variables", name).unwrap_or_else(|| self.place.variable(name))
    }

    fn subscription(&mut self) -> Result<Value, EvalError> {
        self.place.subscription()
    }

    fn resource_group(&mut self) -> Result<Value, EvalError> {
        self.place.resource_group()
    }

    fn deployment(&mut self) -> Result<Value, EvalError> {
        self.place.deployment()
    }

    fn tenant(&mut self) -> Result<Value, EvalError> {
        self.place.tenant()
    }

    fn reference(&mut self, target: &str, api_version: Option<&str>, view: View) -> Result<Value, EvalError> {
        self.place.reference(target, api_version, view)
    }
}

/// Holds a value against the constraints of its parameter.
fn constrain(name: &str, type_: Type, definition: &Value, value: &Value) -> Result<(), TemplateError> {
    const SEE: &str = "Please see https://aka.ms/arm-create-parameter-file for usage details.";
    let path = format!("parameters.{name}");
    type_.admit(value, "parameter").map_err(|text| {
        TemplateError::invalid(
            format!("{text} Please see https://aka.ms/resource-manager-parameter-files for usage details."),
            &*path,
        )
    })?;
    let refuse = |why: String| {
        let text = format!("The provided value for the template parameter '{name}' {AT} is not valid. {why} {SEE}");
        Err(TemplateError::invalid(text, &*path))
    };
    if let Some(allowed) = definition["allowedValues"].as_array() {
        let every = |items: &Vec<Value>| items.iter().all(|item| allowed.contains(item));
        if !allowed.contains(value) && !value.as_array().is_some_and(every) {
            return refuse("The parameter value is not part of the allowed value(s).".into());
        }
    }
    let length = match value {
        Value::String(text) => Some(text.encode_utf16().count() as i64),
        Value::Array(items) => Some(items.len() as i64),
        _ => None,
    };
    for (least, most, measure, what) in [
        ("minLength", "maxLength", length, "Length of the value"),
        ("minValue", "maxValue", value.as_i64(), "The value"),
    ] {
        let Some(measure) = measure else { continue };
        if let Some(least) = definition[least].as_i64().filter(|&least| measure < least) {
            return refuse(format!("{what} should be greater than or equal to '{least}'."));
        }
        if let Some(most) = definition[most].as_i64().filter(|&most| measure > most) {
            return refuse(format!("{what} should be less than or equal to '{most}'."));
        }
    }
    Ok(())
}
