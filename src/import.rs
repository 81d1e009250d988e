//! Somebody's ARM template or policy becomes a spec, as far as it can, and what could not be carried over is said.
//!
//! - `evaluate` what the resources of a template come to without Azure;
//! - `template` those resources become a topology, as live state does: `accounts`, `routing` with backends and pools,
//!   `apis`, `observe`;
//! - `policy` what a policy of somebody else's means;
//! - `document` a policy alone, whose backends are a list.
//!
//! Invariants: what comes out is read by [`spec::load`] without an unknown key; nothing is invented, what is not known
//! is left out and named; a key of somebody's is neither written nor told; a policy of ours is read back from its intent. No input panics.
//!
//! Deliberately absent: Bicep (it is compiled first), links to templates and policies elsewhere, live state (`arm`), and
//! what a spec has no word for.

mod accounts;
mod apis;
mod document;
mod evaluate;
mod observe;
mod policy;
mod routing;
mod template;

use crate::diagnostic::{Diagnostic, Severity, Span, code};
use crate::spec::{self, Written};
use crate::template::lint::json;
use serde_json::{Map, Value};

/// What is known beside the file.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The file's name, for the comment at the beginning and for the stack.
    pub file: &'a str,
    /// Values of the template's parameters.
    pub parameters: &'a Map<String, Value>,
    /// `--subscription`
    pub subscription: Option<&'a str>,
    /// `--resource-group`
    pub resource_group: Option<&'a str>,
    /// The region of the resource group.
    pub location: Option<&'a str>,
}

/// A spec that was made.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The YAML.
    pub spec: String,
    /// What it was made from: `template` or `policy`.
    pub kind: &'static str,
    /// Keys that somebody must fill in.
    pub missing: Vec<String>,
    /// What was not carried over, with places in the file, in its order.
    pub problems: Vec<Diagnostic>,
}

/// Makes a spec of a template (JSON) or a policy (XML).
pub fn read(text: &str, options: &Options<'_>) -> Result<Imported, Diagnostic> {
    let bare = text.trim_start_matches('\u{feff}');
    let skipped = text.len() - bare.len();
    let shift = |problem: &mut Diagnostic| {
        problem.span = problem.span.map(|span| Span { start: span.start + skipped, end: span.end + skipped });
    };
    let made = match bare.trim_start().chars().next() {
        Some('<') => document::read(bare, options).map(|made| (made, "policy")),
        Some('{') => template::read(bare, options).map(|made| (made, "template")),
        _ => {
            Err(Diagnostic::new(code::NOT_IMPORTABLE, "the text is neither a policy (XML) nor an ARM template (JSON)")
                .help("name a policy document or a template; compile Bicep with `bicep build` first"))
        }
    };
    let ((draft, mut problems), kind) = made.map_err(|mut problem| {
        shift(&mut problem);
        problem
    })?;
    problems.iter_mut().for_each(shift);
    problems.sort_by_key(|problem| (problem.span.map(|span| span.start), problem.code));
    problems.dedup();
    debug_assert!(problems.iter().all(|problem| problem.severity != Severity::Error));
    let Written { spec, missing, secrets } = spec::write(&draft);
    let start = text.len() - text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace()).len();
    problems.extend(secrets.iter().map(|place| {
        Diagnostic::new(code::NOT_CARRIED_OVER, format!("what `{place}` would be looks like a key, and is left out"))
            .span(Span { start, end: start + 1 })
            .help(
                "rotate the key if somebody else could read this file; the gateway signs in with its managed identity",
            )
    }));
    problems.iter_mut().for_each(|problem| problem.message = spec::covered(&problem.message));
    Ok(Imported { spec, kind, missing, problems })
}

/// The values in a parameters file: `{"parameters": {"name": {"value": ...}}}`, or its inner part alone.
pub fn parameters(text: &str) -> Result<Map<String, Value>, Diagnostic> {
    let wrong = |message: String| {
        Diagnostic::new(code::BAD_PARAMETERS, message).help("name the file that `bicep build-params` writes")
    };
    let read: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| wrong(format!("the text is no JSON: {error}")))?;
    let all = read.get("parameters").unwrap_or(&read);
    let Value::Object(all) = all else { return Err(wrong("the parameters are no object".into())) };
    let mut values = Map::new();
    for (name, given) in all.iter().filter(|(name, _)| !matches!(name.as_str(), "$schema" | "contentVersion")) {
        match given.get("value") {
            Some(value) => {
                values.insert(name.clone(), value.clone());
            }
            // a reference to a vault: nobody here may read it
            None if given.get("reference").is_some() => {}
            None => return Err(wrong(format!("the parameter `{name}` has no `value`"))),
        }
    }
    Ok(values)
}

/// The name of a stack, made of some text.
fn stack_name(text: &str) -> String {
    let lower: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let name: String = lower.trim_matches(|c: char| c == '-' || c.is_ascii_digit()).chars().take(40).collect();
    let name = name.trim_end_matches('-');
    if name.len() < 2 { "imported".into() } else { name.into() }
}

/// A file without its folders.
fn named(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

/// The name of a file without folders and extension.
fn stem(file: &str) -> &str {
    let name = named(file);
    name.split('.').next().unwrap_or(name)
}

/// The account that an address calls, where its host is one of Azure OpenAI's.
fn account_of_host(host: &str) -> Option<&str> {
    const ENDS: [&str; 5] = [
        ".openai.azure.com",
        ".cognitiveservices.azure.com",
        ".services.ai.azure.com",
        ".openai.azure.us",
        ".openai.azure.cn",
    ];
    ENDS.iter().find_map(|end| host.strip_suffix(end)).filter(|name| !name.is_empty() && !name.contains(['.', '/']))
}

/// Host and path of an address, the path without slashes at its ends.
fn host_and_path(url: &str) -> (String, String) {
    let rest = url.trim().split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    (host.to_lowercase(), parts.join("/"))
}

/// Reads JSON with places.
fn json(text: &str) -> Option<json::Node> {
    json::read(text)
}

#[cfg(test)]
mod tests;
