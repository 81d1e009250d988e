//! Resource ids that need no place, and names made from names.

use super::{Args, Function, MANY, function};
use crate::expr::error::{EvalError, Fault};
use crate::expr::{guid, unique_string};
use serde_json::Value;

pub(super) const TABLE: &[Function] = &[
    function("uniqueString", (1, MANY), |args| Ok(unique_string(&args.texts()?).into())),
    function("guid", (1, MANY), |args| Ok(guid(&args.texts()?).into())),
    function("extensionResourceId", (3, MANY), |args| {
        let texts = args.texts()?;
        Ok(format!("{}{}", texts[0].trim_end_matches('/'), resource_path(args.function, &texts[1..])?).into())
    }),
    function("tenantResourceId", (2, MANY), |args| Ok(resource_path(args.function, &args.texts()?)?.into())),
    // what it shows of a role is not published
    function("roleDefinitions", (1, 1), |args| args.text(0).and(Err(EvalError::unsupported("roleDefinitions")))),
    function("fail", (1, 1), |args: &Args| Err::<Value, _>(EvalError::new(Fault::Fail, args.text(0)?))),
];

/// `/providers/` and a type woven with its names: `A.B/c/d`, `x`, `y` is `/providers/A.B/c/x/d/y`.
pub(in super::super) fn resource_path(function: &str, type_and_names: &[&str]) -> Result<String, EvalError> {
    let (type_, names) = type_and_names.split_first().unwrap_or((&"", &[]));
    let (namespace, kinds) = split_type(type_);
    if namespace.is_empty()
        || kinds.is_empty()
        || kinds.len() != names.len()
        || names.iter().any(|name| name.is_empty())
    {
        let message = format!(
            "Unable to evaluate template language function '{function}': the type '{type_}' requires '{}' resource name \
             argument(s). Please see https://aka.ms/arm-resource-functions for usage details.",
            kinds.len()
        );
        return Err(EvalError::new(Fault::Segments, message));
    }
    let woven = kinds.iter().zip(names).map(|(kind, name)| format!("/{kind}/{name}"));
    Ok(format!("/providers/{namespace}{}", woven.collect::<String>()))
}

/// The name space of a resource type, and its segments. A slash at the end is no segment.
pub(in super::super) fn split_type(type_: &str) -> (&str, Vec<&str>) {
    let mut segments = type_.split('/').filter(|segment| !segment.is_empty());
    (segments.next().unwrap_or_default(), segments.collect())
}
