//! The functions that depend on nothing but their arguments.
//!
//! One table: name, how many arguments, what it does. Names are compared without case. Where the rules of Azure are not
//! known, a function refuses; it never guesses.
//!
//! Deliberately absent: what needs a place (`resourceId`, `reference`, `copyIndex`) or laziness (`if`, lambdas); that is
//! in `evaluate`.

mod collection;
mod date;
mod encoding;
mod format;
mod id;
mod network;
mod number;
mod text;
mod zone;

pub(super) use date::utc_now;
pub(super) use id::resource_path;

use super::error::{EvalError, Fault, type_name};
use serde_json::{Map, Value};

/// A function of the table.
pub(super) struct Function {
    pub name: &'static str,
    /// The least and the greatest number of arguments.
    pub arity: (usize, usize),
    pub body: fn(&Args) -> Result<Value, EvalError>,
}

const MANY: usize = usize::MAX;

const fn function(name: &'static str, arity: (usize, usize), body: fn(&Args) -> Result<Value, EvalError>) -> Function {
    Function { name, arity, body }
}

/// Calls a function that depends on nothing but its arguments.
pub fn call(name: &str, args: &[Value]) -> Result<Value, EvalError> {
    let function = find(name).ok_or_else(|| EvalError::unknown(name))?;
    let (least, most) = function.arity;
    let args = Args { function: function.name, values: args };
    if args.values.len() < least || args.values.len() > most {
        return Err(args.count_error(least, most, args.values.len()));
    }
    (function.body)(&args)
}

/// Whether [`call`] knows a function.
pub(super) fn is_function(name: &str) -> bool {
    find(name).is_some()
}

fn find(name: &str) -> Option<&'static Function> {
    const TABLES: [&[Function]; 8] = [
        text::TABLE,
        encoding::TABLE,
        collection::TABLE,
        number::TABLE,
        id::TABLE,
        date::TABLE,
        network::TABLE,
        zone::TABLE,
    ];
    TABLES.into_iter().flatten().find(|function| function.name.eq_ignore_ascii_case(name))
}

/// The arguments of a call, and who is called, for the texts of errors.
pub(super) struct Args<'a> {
    pub function: &'static str,
    pub values: &'a [Value],
}

impl<'a> Args<'a> {
    pub fn get(&self, index: usize) -> Option<&'a Value> {
        self.values.get(index)
    }

    pub fn any(&self, index: usize) -> &'a Value {
        self.values.get(index).unwrap_or(&Value::Null)
    }

    pub fn text(&self, index: usize) -> Result<&'a str, EvalError> {
        self.any(index).as_str().ok_or_else(|| self.type_error(index, "String"))
    }

    pub fn texts(&self) -> Result<Vec<&'a str>, EvalError> {
        (0..self.values.len()).map(|index| self.text(index)).collect()
    }

    pub fn int(&self, index: usize) -> Result<i64, EvalError> {
        self.any(index).as_i64().ok_or_else(|| self.type_error(index, "Integer"))
    }

    pub fn bool(&self, index: usize) -> Result<bool, EvalError> {
        self.any(index).as_bool().ok_or_else(|| self.type_error(index, "Boolean"))
    }

    pub fn array(&self, index: usize) -> Result<&'a Vec<Value>, EvalError> {
        self.any(index).as_array().ok_or_else(|| self.type_error(index, "Array"))
    }

    pub fn object(&self, index: usize) -> Result<&'a Map<String, Value>, EvalError> {
        self.any(index).as_object().ok_or_else(|| self.type_error(index, "Object"))
    }

    /// The argument is of another type than the one that is expected.
    pub fn type_error(&self, index: usize, expected: &str) -> EvalError {
        self.wrong_type(&format!(
            "expects its parameter to be of type '{expected}'. The provided value is of type '{}'",
            type_name(self.any(index))
        ))
    }

    /// An argument of the wrong type, in words that begin after the function's name.
    pub fn wrong_type(&self, words: &str) -> EvalError {
        self.error(Fault::ArgumentType, words)
    }

    /// An argument that means nothing, in words that begin after the function's name.
    pub fn wrong_value(&self, words: &str) -> EvalError {
        self.error(Fault::ArgumentValue, words)
    }

    /// Any error, in words that begin after the function's name.
    pub fn error(&self, fault: Fault, words: &str) -> EvalError {
        let message = format!(
            "The template language function '{0}' {words}. Please see https://aka.ms/arm-template-expressions#{0} for \
             usage details.",
            self.function
        );
        EvalError::new(fault, message)
    }

    /// Too few or too many arguments.
    pub fn count_error(&self, least: usize, most: usize, given: usize) -> EvalError {
        const SEE: &str = "Please see https://aka.ms/arm-template-expressions";
        let name = self.function;
        let whole = |words: String| EvalError::new(Fault::ArgumentCount, words);
        let requires = |count: String| {
            whole(format!(
                "Unable to evaluate template language function '{name}': function requires {count} argument(s) while \
                 {given} were provided. {SEE}/#{name} for usage details."
            ))
        };
        match (name, least, most) {
            ("base64", ..) => whole(format!(
                "The template language function '{name}' must have only one parameter. {SEE} for usage details."
            )),
            (_, 1, MANY) => whole(format!(
                "Unable to evaluate template language function '{name}'. At least one parameter should be provided. {SEE} \
                 for usage details."
            )),
            (_, _, MANY) => requires(format!("at least {least}")),
            _ if least == most => requires(least.to_string()),
            _ => requires(format!("{least} to {most}")),
        }
    }
}
