//! What `protect` and `ignoreChanges` name: a misspelt one would protect nothing.

use super::super::build::Built;
use super::super::check::shown;
use super::super::yaml::{item, join};
use super::super::{structure, suggest};
use crate::diagnostic::{Diagnostic, code};
use serde_json::Value as Json;

/// What `protect` and `ignoreChanges` name must be there, and a key of it one that a spec can have.
pub fn check(built: &Built, out: &mut Vec<Diagnostic>) {
    let topology = &built.topology;
    let named: Vec<String> = topology.addresses().iter().map(|address| address.key()).collect();
    let sections = ["gateway", "accounts", "backends", "pools", "apis", "products", "subscriptions", "observability"];
    // what has keys of its own, the longest name last: a key may hold dots
    let mut wholes: Vec<&str> = named.iter().map(String::as_str).filter(|name| !sections.contains(name)).collect();
    wholes.extend(["gateway", "observability"]);
    wholes.sort_by_key(|name| name.len());
    let inside = |entry: &str| {
        let below = |whole: &&&str| entry.strip_prefix(**whole).is_some_and(|rest| rest.starts_with('.'));
        let whole = wholes.iter().rev().find(below)?;
        Some((*whole, entry[whole.len()..].trim_start_matches('.').to_owned()))
    };
    let known = |entry: &str| {
        sections.contains(&entry)
            || wholes.contains(&entry)
            || inside(entry).is_some_and(|(whole, rest)| has_key(schema_of(whole), &rest))
    };
    let candidates = |entry: &str| {
        let of_whole = inside(entry).into_iter().flat_map(|(whole, _)| {
            let keys = schema_of(whole)["properties"].as_object().into_iter().flat_map(|all| all.keys());
            keys.map(|key| join(whole, key)).collect::<Vec<_>>()
        });
        named.iter().cloned().chain(sections.map(str::to_owned)).chain(of_whole).collect::<Vec<String>>()
    };
    for (list, entries) in [("protect", &built.management.protect), ("ignoreChanges", &built.management.ignore_changes)]
    {
        for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| !known(entry)) {
            let problem = Diagnostic::new(code::BAD_SCOPE, format!("{} names nothing here", shown(entry)));
            let problem = problem.at(item(list, index));
            let candidates = candidates(entry);
            let near = suggest::closest(entry, candidates.iter().map(String::as_str));
            out.push(match near {
                Some(meant) => problem.label(format!("did you mean `{meant}`?")).help(format!("write `{meant}`")),
                None => problem.help("name a key of the spec, as `accounts.eastus2` or `gateway.capacity`"),
            });
        }
    }
}

/// The schema of what an address names, as `pools.main`.
fn schema_of(name: &str) -> &'static Json {
    let section = name.split('.').next().unwrap_or_default();
    let whole = &structure()["properties"][section];
    let one = objects(whole).find(|one| one["additionalProperties"].is_object());
    let Some(one) = one.filter(|_| name.contains('.')) else { return objects(whole).next().unwrap_or(whole) };
    let one = &one["additionalProperties"];
    match section == "accounts" && name.contains(".deployments.") {
        true => &one["properties"]["deployments"]["additionalProperties"],
        false => one,
    }
}

/// A schema, or those of its alternatives, that are of mappings.
fn objects(schema: &'static Json) -> Box<dyn Iterator<Item = &'static Json>> {
    match schema["anyOf"].as_array() {
        Some(alternatives) => Box::new(alternatives.iter().flat_map(objects)),
        None => Box::new(
            std::iter::once(schema)
                .filter(|one| one["properties"].is_object() || !one["additionalProperties"].is_null()),
        ),
    }
}

/// Whether what has this schema may have a key, `retry.count`.
fn has_key(schema: &'static Json, path: &str) -> bool {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    objects(schema).any(|one| match &one["properties"][first] {
        // names of the user's own: a deployment that is there has an address
        Json::Null => !one["properties"].is_object() && !one["additionalProperties"]["properties"]["model"].is_object(),
        inner => rest.is_empty() || has_key(inner, rest),
    })
}
