//! Why an expression has no value, in Azure's words where those are known.

use serde_json::Value;
use std::fmt;

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no such function.
    UnknownFunction,
    /// Azure has the function, this program has it not.
    Unsupported,
    /// The function may not stand here.
    Misplaced,
    /// The text is no expression.
    Syntax,
    /// Too few or too many arguments.
    ArgumentCount,
    /// An argument of the wrong type.
    ArgumentType,
    /// An argument of the right type that means nothing.
    ArgumentValue,
    /// A number outside of what is allowed.
    Range,
    /// More than 64 bits.
    Overflow,
    /// Division by zero.
    DivideByZero,
    /// An index outside of an array.
    Index,
    /// No such property, parameter or variable.
    NotFound,
    /// A type and its names differ in their number of segments.
    Segments,
    /// The function `fail`.
    Fail,
    /// The resource that `reference` or `list*` asks for does not exist.
    ResourceNotFound,
    /// More than a template may hold, or more work than any real one is.
    Limit,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// The kind.
    pub fault: Fault,
    /// The text, as Azure would write it.
    pub message: String,
}

impl EvalError {
    /// An error of a kind with a text.
    pub fn new(fault: Fault, message: impl Into<String>) -> EvalError {
        EvalError { fault, message: message.into() }
    }

    /// There is no function of this name; or Azure has it and this program has it not.
    pub fn unknown(function: &str) -> EvalError {
        if ELSEWHERE.iter().any(|name| name.eq_ignore_ascii_case(function)) {
            return EvalError::unsupported(function);
        }
        let message = format!(
            "The template function '{function}' is not valid. Please see https://aka.ms/arm-functions for usage details."
        );
        EvalError::new(Fault::UnknownFunction, message)
    }

    /// Azure has the function, this program has it not.
    pub fn unsupported(function: &str) -> EvalError {
        let message = format!("The template function '{function}' is not supported by the local Azure.");
        EvalError::new(Fault::Unsupported, message)
    }

    /// The function may not stand here.
    pub fn misplaced(function: &str) -> EvalError {
        let message = format!(
            "The template function '{function}' is not expected at this location. Please see \
             https://aka.ms/arm-template-expressions for usage details."
        );
        EvalError::new(Fault::Misplaced, message)
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EvalError {}

impl From<super::ParseError> for EvalError {
    fn from(error: super::ParseError) -> EvalError {
        EvalError::new(Fault::Syntax, error.to_string())
    }
}

/// What Azure calls the type of a value.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(number) if number.is_i64() => "Integer",
        Value::Number(_) => "Float",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "Object",
    }
}

/// Functions of Azure that are not evaluated here.
const ELSEWHERE: &[&str] = &["distinct", "externalInput", "like"];
