//! Numbers, truth values, comparisons.

use super::super::value::linguistic;
use super::{Args, Function, MANY, function};
use crate::expr::error::{EvalError, Fault};
use serde_json::Value;
use std::cmp::Ordering;

pub(super) const TABLE: &[Function] = &[
    function("add", (2, 2), |args| arithmetic(args, i64::checked_add)),
    function("sub", (2, 2), |args| arithmetic(args, i64::checked_sub)),
    function("mul", (2, 2), |args| arithmetic(args, i64::checked_mul)),
    function("div", (2, 2), |args| arithmetic(args, i64::checked_div)),
    function("mod", (2, 2), |args| arithmetic(args, i64::checked_rem)),
    function("min", (1, MANY), |args| extreme(args, Iterator::min)),
    function("max", (1, MANY), |args| extreme(args, Iterator::max)),
    function("range", (2, 2), range),
    function("int", (1, 1), int),
    function("bool", (1, 1), bool),
    function("float", (1, 1), float),
    function("true", (0, 0), |_| Ok(true.into())),
    function("false", (0, 0), |_| Ok(false.into())),
    function("null", (0, 0), |_| Ok(Value::Null)),
    function("not", (1, 1), |args| Ok((!args.bool(0)?).into())),
    function("equals", (2, 2), |args| Ok((args.any(0) == args.any(1)).into())),
    function("less", (2, 2), |args| Ok(compare(args)?.is_lt().into())),
    function("lessOrEquals", (2, 2), |args| Ok(compare(args)?.is_le().into())),
    function("greater", (2, 2), |args| Ok(compare(args)?.is_gt().into())),
    function("greaterOrEquals", (2, 2), |args| Ok(compare(args)?.is_ge().into())),
];

fn arithmetic(args: &Args, operation: fn(i64, i64) -> Option<i64>) -> Result<Value, EvalError> {
    let (a, b) = (args.int(0)?, args.int(1)?);
    if b == 0 && matches!(args.function, "div" | "mod") {
        return Err(args.error(Fault::DivideByZero, "was invoked with a divisor that is zero"));
    }
    // the smallest number divided by minus one leaves no rest, though the division itself overflows
    if args.function == "mod" && b == -1 {
        return Ok(0.into());
    }
    operation(a, b).map(Value::from).ok_or_else(|| {
        // Azure writes "operants"
        let message = format!(
            "The template language function '{}' overflowed with the operants '{a}' and '{b}'. Please see \
             https://aka.ms/arm-functions for usage details.",
            args.function
        );
        EvalError::new(Fault::Overflow, message)
    })
}

fn extreme(args: &Args, choose: fn(std::vec::IntoIter<i64>) -> Option<i64>) -> Result<Value, EvalError> {
    // arrays among the arguments count by their items
    let values = args.values.iter().flat_map(|value| match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    });
    let wrong = || args.wrong_type("expects its parameters to be integers, or an array of integers");
    let numbers = values.map(Value::as_i64).collect::<Option<Vec<i64>>>().ok_or_else(wrong)?;
    choose(numbers.into_iter()).map(Value::from).ok_or_else(|| args.wrong_value("was invoked with an empty array"))
}

fn range(args: &Args) -> Result<Value, EvalError> {
    let (start, count) = (args.int(0)?, args.int(1)?);
    let end = start.checked_add(count);
    if !(0..=10_000).contains(&count) || end.is_none_or(|end| end > i64::from(i32::MAX)) {
        return Err(args.error(
            Fault::Range,
            "expects a count from 0 to 10000, and the sum of its parameters to be no greater than 2147483647",
        ));
    }
    Ok((start..start + count).map(Value::from).collect())
}

fn int(args: &Args) -> Result<Value, EvalError> {
    match args.any(0) {
        Value::Number(number) if number.is_i64() => Ok(number.clone().into()),
        Value::String(text) => text.trim().parse::<i64>().map(Value::from).map_err(|_| {
            let message = format!(
                "The template language function 'int' cannot convert provided value '{text}' to integer value. Please \
                 see https://aka.ms/arm-function-int for usage details."
            );
            EvalError::new(Fault::ArgumentValue, message)
        }),
        _ => Err(args.type_error(0, "String, Integer")),
    }
}

fn float(args: &Args) -> Result<Value, EvalError> {
    let number = match args.any(0) {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => return Err(args.type_error(0, "String, Integer")),
    };
    // JSON has no numbers that are none
    let number = number.and_then(serde_json::Number::from_f64).map(Value::Number);
    number.ok_or_else(|| args.wrong_value("cannot convert the provided value to a floating point number"))
}

fn bool(args: &Args) -> Result<Value, EvalError> {
    let invalid = || {
        args.wrong_value(
            "was invoked with a parameter that is not valid. The value cannot be converted to the target type",
        )
    };
    match args.any(0) {
        Value::Bool(truth) => Ok((*truth).into()),
        Value::Number(number) => number.as_i64().map(|n| (n != 0).into()).ok_or_else(invalid),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Ok(true.into()),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Ok(false.into()),
        Value::String(_) => Err(invalid()),
        _ => Err(args.type_error(0, "String, Integer, Boolean")),
    }
}

fn compare(args: &Args) -> Result<Ordering, EvalError> {
    match args.values {
        [Value::String(a), Value::String(b)] => Ok(linguistic(a, b)),
        [Value::String(_), _] => Err(args.type_error(1, "String")),
        _ => Ok(args.int(0)?.cmp(&args.int(1)?)),
    }
}
