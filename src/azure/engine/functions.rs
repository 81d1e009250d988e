//! The functions that a template defines, by namespace and name.
//!
//! In language version 1.0 such a function sees its arguments only; in 2.0 also variables and the other functions. Neither
//! sees what exists. Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/user-defined-functions>.

use super::copy::resolve;
use super::error::{AT, TemplateError};
use super::place::{Place, Unknown};
use super::shape::Version;
use super::types::{Type, Types};
use crate::expr::{Effort, EvalError, Expr, Fault, TemplateString, parse, same, template_string};
use serde_json::{Map, Value};
use std::cell::Cell;

/// All functions of one template.
#[derive(Clone, Debug)]
pub(super) struct Functions {
    all: Vec<Function>,
    types: Types,
    version: Version,
}

#[derive(Clone, Debug)]
struct Function {
    /// `namespace.name`
    name: String,
    parameters: Vec<(String, Type)>,
    output: Value,
    type_: Type,
}

impl Functions {
    pub fn of(template: &Value, types: Types, version: Version) -> Result<Functions, TemplateError> {
        let mut functions = Functions { all: Vec::new(), types, version };
        let Some(section) = template.get("functions").filter(|section| !section.is_null()) else {
            return Ok(functions);
        };
        let invalid = |text: String, path: &str| {
            TemplateError::invalid(format!("The template functions {AT} are not valid: {text}"), path)
        };
        let spaces = section.as_array().ok_or_else(|| invalid("they are not an array".into(), "functions"))?;
        for space in spaces {
            let namespace = space["namespace"].as_str().unwrap_or_default();
            if namespace.is_empty() {
                return Err(invalid("there is no namespace".into(), "functions"));
            }
            for (member, definition) in space["members"].as_object().into_iter().flatten() {
                let name = format!("{namespace}.{member}");
                let path = format!("functions.{name}");
                let subject = format!("function '{name}'");
                let mut parameters = Vec::new();
                for parameter in definition["parameters"].as_array().into_iter().flatten() {
                    let own = parameter["name"].as_str().unwrap_or_default();
                    parameters.push((own.to_owned(), functions.types.read(parameter, &subject, &path)?));
                }
                let output = &definition["output"];
                let type_ = functions.types.read(output, &subject, &path)?;
                let output = output.get("value").unwrap_or(&Value::Null).clone();
                functions.all.push(Function { name, parameters, output, type_ });
            }
        }
        functions.all.iter().try_for_each(|function| functions.verify(function))?;
        Ok(functions)
    }

    pub fn has(&self, name: &str) -> bool {
        self.all.iter().any(|function| same(&function.name, name))
    }

    /// Refuses what may not stand in a function.
    fn verify(&self, function: &Function) -> Result<(), TemplateError> {
        let path = format!("functions.{}", function.name);
        let mut calls = Vec::new();
        let found = every_call(&function.output, &mut calls);
        found.map_err(|error| TemplateError::expression(&format!("function '{}'", function.name), &error, &*path))?;
        let refused = |name: &&String| {
            let lower = name.to_ascii_lowercase();
            let of_version = self.version == Version::One && (lower == "variables" || lower.contains('.'));
            of_version || lower.starts_with("list") || ["reference", "references", "resourceinfo"].contains(&&*lower)
        };
        let mut refused: Vec<&str> = calls.iter().filter(refused).map(String::as_str).collect();
        refused.dedup();
        if refused.is_empty() {
            return Ok(());
        }
        let text = format!(
            "The template function '{}' {AT} is not valid. These function calls are not supported in a function definition: \
             '{}'. Please see https://aka.ms/arm-template/#functions for usage details.",
            function.name,
            refused.join(", ")
        );
        Err(TemplateError::invalid(text, path))
    }

    /// Calls a function from a place.
    pub fn call(
        &self,
        name: &str,
        arguments: Vec<Value>,
        from: Place,
        effort: &mut Effort,
    ) -> Option<Result<Value, EvalError>> {
        let function = self.all.iter().find(|function| same(&function.name, name))?;
        Some(self.run(function, arguments, from, effort))
    }

    fn run(
        &self,
        function: &Function,
        given: Vec<Value>,
        from: Place,
        effort: &mut Effort,
    ) -> Result<Value, EvalError> {
        let name = &function.name;
        if given.len() != function.parameters.len() {
            let message = format!(
                "Unable to evaluate template language function '{name}': function requires {} argument(s) while {} were \
                 provided. Please see https://aka.ms/arm-template/#functions for usage details.",
                function.parameters.len(),
                given.len()
            );
            return Err(EvalError::new(Fault::ArgumentCount, message));
        }
        let mut arguments = Map::new();
        for ((own, type_), value) in function.parameters.iter().zip(given) {
            self.types.admit(type_, &value).map_err(|problem| {
                let message = format!(
                    "The argument '{own}' of the template function '{name}' is not valid. {}",
                    problem.sentence()
                );
                EvalError::new(Fault::ArgumentType, message)
            })?;
            arguments.insert(own.clone(), value);
        }
        // a call weighs more than a level of an expression, and so does what is written deep inside
        const CALL: u32 = 16;
        effort.deeper(CALL + depth(&function.output))?;
        effort.spend(CALL)?;
        let shared = Cell::new(*effort);
        let newer = self.version == Version::Two;
        let place = Place {
            parameters: &arguments,
            variables: from.variables.filter(|_| newer),
            settling: from.settling.filter(|settling| newer && settling.section == "variables"),
            turn: None,
            runtime: None,
            entropy: None,
            unknown: Unknown::Fails,
            effort: &shared,
            ..from
        };
        let value = resolve(&function.output, place);
        *effort = shared.get();
        let value = value?;
        self.types.admit(&function.type_, &value).map_err(|problem| {
            let message = format!("The output of the template function '{name}' is not valid. {}", problem.sentence());
            EvalError::new(Fault::ArgumentType, message)
        })?;
        Ok(value)
    }
}

fn depth(value: &Value) -> u32 {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The names of all functions that a piece of a template calls.
fn every_call(value: &Value, calls: &mut Vec<String>) -> Result<(), EvalError> {
    match value {
        Value::String(text) => match template_string(text) {
            TemplateString::Literal(_) => {}
            TemplateString::Expression(text) => of_expression(&parse(text)?, calls),
        },
        Value::Array(items) => items.iter().try_for_each(|item| every_call(item, calls))?,
        Value::Object(members) => members.values().try_for_each(|value| every_call(value, calls))?,
        _ => {}
    }
    Ok(())
}

fn of_expression(expr: &Expr, calls: &mut Vec<String>) {
    match expr {
        Expr::Str(_) | Expr::Int(_) => {}
        Expr::Prop(base, _) => of_expression(base, calls),
        Expr::Index(base, index) => {
            of_expression(base, calls);
            of_expression(index, calls);
        }
        Expr::Call(name, args) => {
            calls.push(name.clone());
            args.iter().for_each(|arg| of_expression(arg, calls));
        }
    }
}
