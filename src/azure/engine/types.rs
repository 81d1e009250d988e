//! Types of parameters, outputs and arguments: what they admit.
//!
//! Language version 1.0 has seven types with constraints; 2.0 adds definitions that refer to each other, members, items
//! and tags. Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/definitions>.
//!
//! Deliberately absent: references to anything but the template's own definitions, which are refused by name.

use super::error::{AT, TemplateError};
use super::shape::Version;
use crate::expr::{get, type_name};
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

/// Members of a type that language version 1.0 has not.
const NEWER: [&str; 8] =
    ["$ref", "items", "prefixItems", "properties", "additionalProperties", "discriminator", "nullable", "sealed"];

/// How many definitions may refer to each other in a row, and how deep a value is looked at.
const MAX_DEPTH: usize = 256;

/// The types of one template.
#[derive(Clone, Debug)]
pub(super) struct Types {
    definitions: Map<String, Value>,
    version: Version,
}

/// A type as a parameter or an output has it.
#[derive(Clone, Debug)]
pub(super) struct Type {
    /// As a deployment shows it.
    pub shown: &'static str,
    written: Value,
    /// Whether values of this type are never shown, for there is something secret in them.
    pub is_secure: bool,
    pub is_nullable: bool,
}

/// Why a value is not of a type.
pub(super) enum Mismatch {
    /// It is of another type altogether: what was expected, what it is.
    Type(&'static str, &'static str),
    /// Anything else, in a sentence.
    Other(String),
}

impl Types {
    pub fn of(template: &Value, version: Version) -> Result<Types, TemplateError> {
        let definitions = super::members(template, "definitions")?.clone();
        let types = Types { definitions, version };
        for (name, definition) in &types.definitions {
            types.verify(definition, &format!("definition '{name}'"), &format!("definitions.{name}"), 0)?;
        }
        Ok(types)
    }

    /// The type of a parameter or an output, `subject` and `path` for errors.
    pub fn read(&self, definition: &Value, subject: &str, path: &str) -> Result<Type, TemplateError> {
        self.verify(definition, subject, path, 0)?;
        let chain = self.chain(definition);
        let base = chain.iter().find_map(|link| known(link));
        let (_, shown, _) = base.ok_or_else(|| unknown(definition, subject, path))?;
        Ok(Type {
            shown,
            is_secure: self.has_secret(definition, &mut Vec::new()),
            is_nullable: is_nullable(&chain),
            // what a default or an output's value is like is not for the type to keep
            written: without_values(definition),
        })
    }

    /// Whether a definition, and everything in it, is one.
    fn verify(&self, definition: &Value, subject: &str, path: &str, depth: usize) -> Result<(), TemplateError> {
        let invalid = |why: &str| {
            TemplateError::invalid(format!("The template {subject} {AT} is not valid: {why}"), path.to_owned())
        };
        let Some(members) = definition.as_object() else { return Err(invalid("its type is not an object")) };
        if depth > MAX_DEPTH {
            return Err(invalid("its type is nested too deeply"));
        }
        if self.version == Version::One
            && let Some(newer) = NEWER.into_iter().find(|member| members.contains_key(*member))
        {
            return Err(TemplateError::unsupported(
                format!("the member '{newer}' of a type, which needs language version 2.0"),
                path,
            ));
        }
        match members.get("$ref") {
            Some(target) => {
                if self.target(target).is_none() {
                    return Err(TemplateError::unsupported(
                        format!("the type {target}, no definition of the template"),
                        path,
                    ));
                }
                if self.chain(definition).len() > self.definitions.len() + 1 {
                    return Err(invalid("its definition refers to itself"));
                }
            }
            None if known(definition).is_none() => return Err(unknown(definition, subject, path)),
            None => {}
        }
        let one = ["items", "additionalProperties"].into_iter().filter_map(|name| members.get(name));
        let many = members.get("prefixItems").and_then(Value::as_array).into_iter().flatten();
        let mapping = members.get("discriminator").and_then(|tag| tag.get("mapping"));
        let named = [members.get("properties"), mapping].into_iter().flatten();
        let named = named.filter_map(Value::as_object).flat_map(Map::values);
        let mut parts = one.filter(|part| !part.is_boolean()).chain(many).chain(named);
        parts.try_for_each(|part| self.verify(part, subject, path, depth + 1))
    }

    fn target(&self, reference: &Value) -> Option<&Value> {
        get(&self.definitions, reference.as_str()?.strip_prefix("#/definitions/")?)
    }

    /// A definition and what it refers to, one after the other; all of their constraints hold. One that refers to itself
    /// gives more links than there are definitions.
    fn chain<'v>(&'v self, definition: &'v Value) -> Vec<&'v Value> {
        let mut chain = vec![definition];
        while let Some(next) = chain.last().and_then(|last| self.target(last.get("$ref")?)) {
            chain.push(next);
            if chain.len() > self.definitions.len() + 1 {
                break;
            }
        }
        chain
    }

    fn has_secret<'v>(&'v self, definition: &'v Value, seen: &mut Vec<&'v Value>) -> bool {
        if seen.iter().any(|other| std::ptr::eq(*other, definition)) {
            return false;
        }
        seen.push(definition);
        match definition {
            Value::Object(members) => members.iter().any(|(name, value)| match (name.as_str(), value) {
                ("type", Value::String(kind)) => kind.to_ascii_lowercase().starts_with("secure"),
                ("$ref", target) => self.target(target).is_some_and(|target| self.has_secret(target, seen)),
                ("allowedValues" | "defaultValue" | "metadata" | "value" | "copy", _) => false,
                (_, value) => self.has_secret(value, seen),
            }),
            Value::Array(items) => items.iter().any(|item| self.has_secret(item, seen)),
            _ => false,
        }
    }

    /// Whether a value is of a type.
    pub fn admit(&self, type_: &Type, value: &Value) -> Result<(), Mismatch> {
        self.check(&type_.written, value, None, 0)
    }

    /// `tag` is a member that is known to be right.
    fn check(&self, definition: &Value, value: &Value, tag: Option<&str>, depth: usize) -> Result<(), Mismatch> {
        if depth > MAX_DEPTH {
            return Err(Mismatch::Other("The value is nested too deeply.".into()));
        }
        let chain = self.chain(definition);
        if value.is_null() && is_nullable(&chain) {
            return Ok(());
        }
        let actual = type_name(value);
        if let Some((_, _, expected)) = chain.iter().find_map(|link| known(link))
            && !expected.split(", ").any(|expected| expected == actual)
        {
            return Err(Mismatch::Type(expected, actual));
        }
        chain.into_iter().try_for_each(|link| {
            constraints(link, value)?;
            match value {
                Value::Object(members) => self.check_members(link, members, value, tag, depth),
                Value::Array(items) => self.check_items(link, items, depth),
                _ => Ok(()),
            }
        })
    }

    fn check_members(
        &self,
        definition: &Value,
        members: &Map<String, Value>,
        whole: &Value,
        tag: Option<&str>,
        depth: usize,
    ) -> Result<(), Mismatch> {
        let empty = Map::new();
        let properties = definition["properties"].as_object().unwrap_or(&empty);
        for (name, property) in properties {
            match get(members, name) {
                Some(value) => {
                    self.check(property, value, None, depth + 1)
                        .map_err(|problem| problem.inside(&format!("property '{name}'")))?;
                }
                None if is_nullable(&self.chain(property)) => {}
                None => return Err(Mismatch::Other(format!("The property '{name}' is missing."))),
            }
        }
        let discriminator = &definition["discriminator"];
        let chosen_by = discriminator["propertyName"].as_str();
        if let Some(chosen_by) = chosen_by {
            let choice = get(members, chosen_by).and_then(Value::as_str);
            let mapped = choice.and_then(|choice| discriminator["mapping"].get(choice)).ok_or_else(|| {
                let all = discriminator["mapping"].as_object().unwrap_or(&empty);
                let all: Vec<&str> = all.keys().map(String::as_str).collect();
                Mismatch::Other(format!("The property '{chosen_by}' is not one of '{}'.", all.join(", ")))
            })?;
            self.check(mapped, whole, Some(chosen_by), depth + 1)?;
        }
        let more = match &definition["additionalProperties"] {
            Value::Null if definition["sealed"] == true => &Value::Bool(false),
            more => more,
        };
        let is_more = |name: &str| {
            get(properties, name).is_none()
                && ![tag, chosen_by].into_iter().flatten().any(|tag| crate::expr::same(tag, name))
        };
        for (name, value) in members.iter().filter(|(name, _)| is_more(name)) {
            match more {
                Value::Bool(false) => {
                    return Err(Mismatch::Other(format!("The property '{name}' is not allowed.")));
                }
                Value::Object(_) => {
                    self.check(more, value, None, depth + 1)
                        .map_err(|problem| problem.inside(&format!("property '{name}'")))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check_items(&self, definition: &Value, items: &[Value], depth: usize) -> Result<(), Mismatch> {
        let none = Vec::new();
        let prefix = definition["prefixItems"].as_array().unwrap_or(&none);
        if items.len() < prefix.len() {
            return Err(Mismatch::Other(format!("There are {} items, not at least {}.", items.len(), prefix.len())));
        }
        let rest = &definition["items"];
        for (index, item) in items.iter().enumerate() {
            let item_type = match (prefix.get(index), rest) {
                (Some(own), _) => own,
                (None, Value::Bool(false)) => {
                    return Err(Mismatch::Other(format!("There are more than {} items.", prefix.len())));
                }
                (None, Value::Object(_)) => rest,
                (None, _) => return Ok(()),
            };
            self.check(item_type, item, None, depth + 1).map_err(|problem| problem.inside(&format!("item {index}")))?;
        }
        Ok(())
    }
}

impl Mismatch {
    /// The same, of a part of the value.
    fn inside(self, part: &str) -> Mismatch {
        Mismatch::Other(format!("In {part}: {}", self.sentence()))
    }

    /// In a sentence, or several.
    pub fn sentence(&self) -> String {
        match self {
            Mismatch::Type(expected, actual) => {
                format!("Expected a value of type '{expected}', but received a value of type '{actual}'.")
            }
            Mismatch::Other(why) => why.clone(),
        }
    }
}

fn known(definition: &Value) -> Option<(&'static str, &'static str, &'static str)> {
    let name = definition.get("type")?.as_str()?;
    TYPES.iter().find(|(written, ..)| written.eq_ignore_ascii_case(name)).copied()
}

fn unknown(definition: &Value, subject: &str, path: &str) -> TemplateError {
    let name = definition["type"].as_str().unwrap_or_default();
    TemplateError::invalid(format!("The template {subject} {AT} is not valid: its type '{name}' is not known"), path)
}

fn is_nullable(chain: &[&Value]) -> bool {
    chain.iter().any(|link| link["nullable"] == true)
}

fn without_values(definition: &Value) -> Value {
    let mut definition = definition.clone();
    if let Some(members) = definition.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "defaultValue" | "metadata" | "value" | "copy"));
    }
    definition
}

/// What language version 1.0 has too: allowed values, lengths, limits.
fn constraints(definition: &Value, value: &Value) -> Result<(), Mismatch> {
    let refuse = |why: String| Err(Mismatch::Other(why));
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
