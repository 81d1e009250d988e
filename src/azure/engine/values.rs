//! Parameters and variables.

use super::copy::{self, resolve};
use super::error::{AT, TemplateError};
use super::members;
use super::place::{Place, missing};
use super::shape::Version;
use super::types::{Mismatch, Type, Types};
use crate::expr::{EvalError, Fault, bounded, get, limit, same, size};
use serde_json::{Map, Value};
use std::cell::RefCell;

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
    types: &Types,
    version: Version,
    place: Place,
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
    let mut values = Map::new();
    let mut sources = Vec::new();
    for (name, definition) in definitions {
        let path = format!("parameters.{name}");
        let type_ = types.read(definition, &format!("parameter '{name}'"), &path)?;
        let default = definition.get("defaultValue");
        let given = get(given, name);
        if given.is_some_and(|given| given.get("value").is_none() && given.get("reference").is_some()) {
            return Err(TemplateError::unsupported("parameters from a key vault", path));
        }
        // a parameter without a value has its default; modules are given null where nobody said anything
        let absent = |value: &&Value| value.is_null() && !type_.is_nullable && default.is_some();
        match (given.and_then(|given| given.get("value")).filter(|value| !absent(value)), default) {
            (Some(value), _) => {
                let value = bounded(value.clone()).map_err(|error| {
                    TemplateError::expression(&format!("parameter '{name}'"), &error, path.as_str())
                })?;
                values.insert(name.clone(), value);
            }
            (None, Some(default)) => sources.push((name.as_str(), Source::Value(default))),
            (None, None) if type_.is_nullable => {
                values.insert(name.clone(), Value::Null);
            }
            (None, None) => {
                let text = format!(
                    "The value for the template parameter '{name}' {AT} is not provided. Please see \
                     https://aka.ms/arm-create-parameter-file for usage details."
                );
                return Err(TemplateError::invalid(text, path));
            }
        }
        list.push(Parameter { name: name.clone(), type_ });
    }
    // Azure calls a parameter's default a template resource
    let values = settle("resource", "parameters", &sources, values, place)?;
    for Parameter { name, type_ } in &list {
        let value = values.get(name).unwrap_or(&Value::Null);
        types.admit(type_, value).map_err(|problem| refused(name, &problem, version))?;
    }
    Ok((list, values))
}

fn refused(name: &str, problem: &Mismatch, version: Version) -> TemplateError {
    let path = format!("parameters.{name}");
    if let (Mismatch::Type(..), Version::One) = (problem, version) {
        let text = format!(
            "{} Please see https://aka.ms/resource-manager-parameter-files for usage details.",
            wrong_type("parameter", problem)
        );
        return TemplateError::invalid(text, path);
    }
    let text = format!(
        "The provided value for the template parameter '{name}' {AT} is not valid. {} Please see \
         https://aka.ms/arm-create-parameter-file for usage details.",
        problem.sentence()
    );
    TemplateError::invalid(text, path)
}

/// The sentence of language version 1.0 about a parameter or an output of another type.
pub(super) fn wrong_type(kind: &str, problem: &Mismatch) -> String {
    match problem {
        Mismatch::Type(expected, actual) => {
            format!("Template {kind} JToken type is not valid. Expected '{expected}'. Actual '{actual}'.")
        }
        other => other.sentence(),
    }
}

/// The variables of a template and their values.
pub(super) fn variables(template: &Value, place: Place) -> Result<Map<String, Value>, TemplateError> {
    let mut sources = Vec::new();
    for (name, source) in members(template, "variables")? {
        match copy::loops(name, source) {
            None => sources.push((name.as_str(), Source::Value(source))),
            Some(loops) => {
                sources.extend(loops.iter().map(|one| (one["name"].as_str().unwrap_or_default(), Source::Loop(one))))
            }
        }
    }
    settle("variable", "variables", &sources, Map::new(), place)
}

/// Where a value comes from.
#[derive(Clone, Copy)]
enum Source<'a> {
    Value(&'a Value),
    Loop(&'a Value),
}

/// A section whose members refer to each other, and those of them that are known.
pub(super) struct Settling<'a> {
    pub section: &'a str,
    sources: &'a [(&'a str, Source<'a>)],
    values: &'a Map<String, Value>,
    /// The member that must come first.
    wanted: RefCell<Option<String>>,
}

impl Settling<'_> {
    /// A member that is known, or the wish to know it.
    pub fn own(&self, name: &str) -> Result<Value, EvalError> {
        if let Some(value) = get(self.values, name) {
            return Ok(value.clone());
        }
        let (key, _) =
            self.sources.iter().find(|(key, _)| same(key, name)).ok_or_else(|| missing(self.section, name))?;
        self.wanted.replace(Some((*key).to_owned()));
        Err(EvalError::new(Fault::NotFound, String::new()))
    }
}

/// Evaluates members that may refer to each other, in whatever order that takes, to those that are known already. Not by
/// recursion: a chain of hundreds is no danger to the stack.
fn settle(
    subject: &str,
    section: &str,
    sources: &[(&str, Source)],
    mut values: Map<String, Value>,
    place: Place,
) -> Result<Map<String, Value>, TemplateError> {
    let mut total: usize = values.values().map(size).sum();
    for (first, _) in sources {
        let mut waiting = vec![(*first).to_owned()];
        while let Some(name) = waiting.last().cloned() {
            let source = sources.iter().find(|(key, _)| *key == name).map(|(_, source)| *source);
            let Some(source) = source.filter(|_| !values.contains_key(&name)) else {
                waiting.pop();
                continue;
            };
            let settling = Settling { section, sources, values: &values, wanted: RefCell::default() };
            let place = Place { settling: Some(&settling), ..place };
            let outcome = match source {
                Source::Value(source) => resolve(source, place),
                Source::Loop(one) => copy::unroll(one, place).map(|(_, items)| items),
            };
            let outcome = outcome.and_then(bounded);
            let wanted = settling.wanted.take();
            let failed = |error: &EvalError| {
                TemplateError::expression(&format!("{subject} '{name}'"), error, format!("{section}.{name}"))
            };
            match (outcome, wanted) {
                (Ok(value), _) => {
                    total += size(&value);
                    limit(total).map_err(|error| failed(&error))?;
                    values.insert(name, value);
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
    Ok(values)
}
