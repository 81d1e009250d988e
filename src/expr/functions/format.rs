//! `format`: .NET's `String.Format` in the invariant culture.
//!
//! Specifiers: `D X N F P E G` and the patterns of `0`, `#` and `,` for integers. Any other is refused by name.

use super::super::value::{self, limit, single_quoted};
use super::Args;
use crate::expr::error::{EvalError, Fault};
use serde_json::Value;

pub(super) fn format(args: &Args) -> Result<Value, EvalError> {
    let (pattern, values) = (args.text(0)?, &args.values[1..]);
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(brace) = rest.find(['{', '}']) {
        out.push_str(&rest[..brace]);
        let from = &rest[brace..];
        rest = match from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            Some(after) => {
                out.push_str(&from[..1]);
                after
            }
            None => {
                let (item, after) =
                    from.strip_prefix('{').and_then(|from| from.split_once('}')).ok_or_else(|| invalid(MALFORMED))?;
                out.push_str(&placeholder(item, values)?);
                after
            }
        };
        limit(out.len())?;
    }
    out.push_str(rest);
    Ok(out.into())
}

const MALFORMED: &str = "Input string was not in a correct format.";

fn invalid(why: &str) -> EvalError {
    let message = format!(
        "Unable to evaluate language function 'format': the format is invalid: '{why}'. Please see \
         https://aka.ms/arm-function-format for usage details."
    );
    EvalError::new(Fault::ArgumentValue, message)
}

/// What stands between the braces: `index[,width][:specifier]`.
fn placeholder(item: &str, values: &[Value]) -> Result<String, EvalError> {
    let (item, specifier) = item.split_once(':').map_or((item, ""), |(item, specifier)| (item, specifier));
    let (index, width) = item.split_once(',').map_or((item, "0"), |(index, width)| (index, width));
    let index: usize = index.trim().parse().map_err(|_| invalid(MALFORMED))?;
    let width: i32 = width.trim().parse().map_err(|_| invalid(MALFORMED))?;
    let value = values.get(index).ok_or_else(|| {
        invalid("Index (zero based) must be greater than or equal to zero and less than the size of the argument list.")
    })?;
    let text = match value {
        Value::Number(number) => match number.as_i64() {
            Some(number) => integer(number, specifier)?,
            None if specifier.is_empty() => number.to_string(),
            None => return Err(unsupported(specifier)),
        },
        Value::Array(_) | Value::Object(_) => single_quoted(value),
        other => value::text(other),
    };
    let (space, length) = (width.unsigned_abs() as usize, value::units(&text).len());
    limit(space)?;
    let pad = " ".repeat(space.saturating_sub(length));
    Ok(if width < 0 { text + &pad } else { pad + &text })
}

fn unsupported(specifier: &str) -> EvalError {
    let message = format!(
        "The format specifier '{specifier}' of the template language function 'format' is not supported by the local Azure."
    );
    EvalError::new(Fault::Unsupported, message)
}

fn integer(number: i64, specifier: &str) -> Result<String, EvalError> {
    let mut chars = specifier.chars();
    let Some(kind) = chars.next() else { return Ok(number.to_string()) };
    let digits = chars.as_str();
    if !kind.is_ascii_alphabetic() {
        return pattern(number, specifier);
    }
    // .NET takes more digits than anybody needs; a hundred are enough
    let precision: Option<usize> = match digits {
        "" => None,
        digits => Some(digits.parse().ok().filter(|&digits| digits <= 100).ok_or_else(|| unsupported(specifier))?),
    };
    let width = precision.unwrap_or(0);
    let sign = if number < 0 { "-" } else { "" };
    let positive = number.unsigned_abs();
    let fraction = |default: usize| match precision.unwrap_or(default) {
        0 => String::new(),
        zeros => format!(".{}", "0".repeat(zeros)),
    };
    Ok(match kind {
        'D' | 'd' => format!("{sign}{positive:0>width$}"),
        'G' | 'g' if precision.is_none() => number.to_string(),
        'X' => format!("{number:0width$X}"),
        'x' => format!("{number:0width$x}"),
        'F' | 'f' => format!("{number}{}", fraction(2)),
        'N' | 'n' => format!("{sign}{}{}", grouped(&positive.to_string()), fraction(2)),
        'P' | 'p' => {
            let percent = u128::from(positive) * 100;
            format!("{sign}{}{} %", grouped(&percent.to_string()), fraction(2))
        }
        'E' | 'e' => exponent(sign, positive, precision.unwrap_or(6), kind),
        'B' | 'b' | 'C' | 'c' | 'G' | 'g' => return Err(unsupported(specifier)),
        _ => return Err(invalid("Format specifier was invalid.")),
    })
}

fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn exponent(sign: &str, positive: u64, precision: usize, letter: char) -> String {
    let mut digits = positive.to_string();
    let mut power = digits.len() - 1;
    if digits.len() > precision + 1 {
        // half goes away from zero
        let scale = 10u64.pow((digits.len() - precision - 1) as u32);
        let rounded = positive / scale + u64::from(positive % scale >= scale.div_ceil(2));
        digits = rounded.to_string();
        power += digits.len() - precision - 1;
        digits.truncate(precision + 1);
    }
    let fraction = format!("{:0<1$}", &digits[1..], precision);
    let point = if precision > 0 { "." } else { "" };
    format!("{sign}{}{point}{fraction}{letter}+{power:03}", &digits[..1])
}

/// A pattern without a fraction: `000`, `#,##0`.
fn pattern(number: i64, specifier: &str) -> Result<String, EvalError> {
    if !specifier.chars().all(|c| matches!(c, '0' | '#' | ','))
        || specifier.starts_with(',')
        || specifier.ends_with(',')
    {
        return Err(unsupported(specifier));
    }
    let places = specifier.replace(',', "");
    let least = places.find('0').map_or(0, |first| places.len() - first);
    let positive = number.unsigned_abs();
    let digits = if positive == 0 { String::new() } else { positive.to_string() };
    let digits = format!("{digits:0>least$}");
    let sign = if number < 0 { "-" } else { "" };
    Ok(format!("{sign}{}", if specifier.contains(',') { grouped(&digits) } else { digits }))
}
