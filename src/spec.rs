//! A spec becomes a topology, in five steps (DESIGN 2):
//!
//! 1. `yaml`: text to a tree of our own, every node with its place; budget, duplicate keys refused;
//! 2. `overlay`: `--env`, `--set` and `${VAR}`, on the tree;
//! 3. `check`: the tree against the JSON Schema of `model`; every problem, with a suggestion;
//! 4. serde, which cannot fail after that;
//! 5. `build` and `rules`: defaults and names, then what a topology must be; `warnings` last.
//!
//! Invariants: everything that is wrong is reported at once, each problem with the key and, where it stands in the file,
//! its place; nothing that a user wrote is ignored; no input panics; `load(expand(x))` gives the topology of `load(x)`.
//! What a message quotes is never a key (`secrets`). A warning never comes from what was read in place of a mistake.
//!
//! Deliberately absent: reading files, the environment and the clock (the caller passes text, functions and a day), what
//! Azure answers today (preflight), and what a policy's text may be (`policy`).

mod build;
mod check;
mod expand;
mod formats;
mod model;
mod overlay;
pub mod roles;
mod rules;
mod secrets;
mod short;
mod spans;
mod starter;
mod suggest;
mod warnings;
mod write;
mod yaml;

pub use secrets::covered;
pub use spans::Spans;
pub use starter::{Starter, starter};
pub use write::{Draft, Written, write};
pub use yaml::{MAX_BYTES, position};

use crate::diagnostic::{Diagnostic, Severity, code};
use crate::expr;
use crate::time::Time;
use crate::topology::{Key, Role, Topology};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use yaml::{Node, Value};

/// What the command line and the environment say about a spec.
pub struct Options<'a> {
    /// `--env`
    pub environment: Option<&'a str>,
    /// `--set key=value`, in order.
    pub set: &'a [(String, String)],
    /// Variables of the environment, for `${VAR}`.
    pub variables: &'a dyn Fn(&str) -> Option<String>,
    /// Files beside the spec, by the path that it names: an OpenAPI document, a policy template.
    pub files: &'a dyn Fn(&str) -> Result<String, String>,
    /// `--subscription`
    pub subscription: Option<&'a str>,
    /// `--resource-group`
    pub resource_group: Option<&'a str>,
    /// The day on which models are judged; without one, nothing is said about when they end.
    pub today: Option<Time>,
}

impl Default for Options<'_> {
    /// Nothing is said, no variable is set, there is no file, and nobody knows the day.
    fn default() -> Self {
        Options {
            environment: None,
            set: &[],
            variables: &|_| None,
            files: &|_| Err("there are no files here".into()),
            subscription: None,
            resource_group: None,
            today: None,
        }
    }
}

/// A spec that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What is wanted.
    pub topology: Topology,
    /// Where its keys stand.
    pub spans: Spans,
    /// What the simulator assumes.
    pub simulation: Simulation,
    /// How live state is looked after.
    pub management: Management,
    /// Warnings and notes, with places, without those that are silenced.
    pub warnings: Vec<Diagnostic>,
    /// Warnings that are meant, by code, each with the reason.
    pub silence: BTreeMap<String, String>,
}

impl Loaded {
    /// Gives the problems that others found in the topology their places, without those that are silenced, sorted.
    pub fn placed(&self, mut problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let meant = |problem: &Diagnostic| {
            problem.severity == Severity::Warning && self.silence.contains_key(problem.code.as_str())
        };
        problems.retain(|problem| !meant(problem));
        place(&mut problems, &self.spans, &[]);
        problems
    }
}

/// How live state is looked after: what a topology, which is the same for desired and live state, cannot say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Management {
    /// How the gateway's identity gets its roles.
    pub roles: Roles,
    /// The roles that it needs, by account.
    pub needed: BTreeMap<Key, Role>,
    /// Keys whose live value is left as it is.
    pub ignore_changes: Vec<String>,
    /// What is never deleted or replaced by a deploy.
    pub protect: Vec<String>,
    /// Whether the gateway's tier is known: that of an existing service is, where the spec says it.
    pub tier_known: bool,
}

pub use model::Roles;

/// What the simulator assumes of a backend that is nobody's deployment here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Tokens a minute.
    pub tokens_per_minute: u32,
    /// Requests a minute.
    pub requests_per_minute: u32,
}

/// What the simulator assumes of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// Instances, each with its own state.
    pub instances: u32,
    /// How an instance rotates inside a priority group.
    pub rotation: Rotation,
    /// Quotas of backends with an address of somebody else's, by key.
    pub quotas: BTreeMap<Key, Quota>,
}

/// How members of one priority take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// Smooth weighted round robin: no run longer than the weights need.
    Smooth,
    /// At random, by weight.
    Random,
}

/// Reads a spec. The error holds every problem: errors first, in the order of the file, then warnings.
pub fn load(text: &str, options: &Options) -> Result<Loaded, Vec<Diagnostic>> {
    read(text, options).map(|read| read.loaded)
}

/// The long form of a spec as YAML: what [`load`] makes of it, and nothing left out.
///
/// Environments are merged; the chosen one stays as a name, so that `--env` gives the same stack.
pub fn expand(text: &str, options: &Options) -> Result<String, Vec<Diagnostic>> {
    read(text, options).map(|read| expand::print(&read.loaded, &read.loaded.silence, &read.mixed))
}

/// Reads another YAML document than a spec, by the same rules: every problem is told, with its place.
///
/// The type's fields are camel case, no `untagged` and no `flatten`; messages call the document `what`.
pub fn document<T: JsonSchema + DeserializeOwned>(
    text: &str,
    what: &'static str,
) -> Result<(T, Spans), Vec<Diagnostic>> {
    let (root, mut problems) = yaml::parse_as(what, text);
    let Some(root) = root else { return Err(problems) };
    let spans = Spans::of(&root);
    let checked = check::check(&schema_of::<T>(), &root, &check::At::top(what), &mut problems);
    place(&mut problems, &spans, &[]);
    match checked.filter(|_| problems.is_empty()).map(serde_json::from_value) {
        Some(Ok(read)) => Ok((read, spans)),
        Some(Err(error)) => {
            let bug = format!("the {what} fits its schema and cannot be read: {error}");
            Err(vec![Diagnostic::new(code::INTERNAL, bug)])
        }
        None => Err(problems),
    }
}

/// The JSON Schema of a spec, for editors: a scalar may also be a text with a variable.
pub fn schema() -> Json {
    let mut schema = structure().clone();
    allow_variables(&mut schema);
    schema
}

/// `uniqueString(toLower(resourceGroup().id), name, environment)`, once the subscription is known.
pub fn stack_unique(topology: &Topology) -> Option<String> {
    let scope = &topology.scope;
    let subscription = scope.subscription.as_ref()?;
    let group = format!("/subscriptions/{subscription}/resourceGroups/{}", scope.resource_group).to_lowercase();
    Some(expr::unique_string(&[&group, &topology.stack.name, &topology.stack.environment]))
}

struct Read {
    loaded: Loaded,
    mixed: BTreeSet<Key>,
}

fn read(text: &str, options: &Options) -> Result<Read, Vec<Diagnostic>> {
    let (root, mut problems) = yaml::parse(text);
    let Some(mut root) = root else { return Err(problems) };
    let set = overlay(&mut root, options, &mut problems);
    let mut spans = Spans::of(&root);
    let secrets = secrets::find(&root, &mut problems);
    let checked = check::check(structure(), &root, &check::At::top("spec"), &mut problems);
    // a key is no misspelt address as well
    let keys: Vec<_> = problems.iter().filter(|problem| problem.code == code::LITERAL_SECRET).cloned().collect();
    let is_key = |problem: &Diagnostic| problem.span.is_some() && keys.iter().any(|key| key.span == problem.span);
    problems.retain(|problem| problem.code == code::LITERAL_SECRET || !is_key(problem));
    let built = checked.and_then(|checked| match serde_json::from_value::<model::Spec>(checked) {
        Ok(spec) => Some(build::build(spec, options.environment, options.files, &mut problems)),
        Err(error) => {
            let bug = Diagnostic::new(code::INTERNAL, format!("the spec fits its schema and cannot be read: {error}"));
            problems.push(bug.help("please report this with the spec"));
            None
        }
    });
    if let Some(built) = &built {
        spans.derive(&built.origins);
        // what was repaired to go on with is good enough for the rules, and no ground for a warning
        let misread = problems.iter().filter(|problem| {
            let of_reading = problem.code.as_str() < "AL02" || problem.code == code::SKU_WITHOUT_CALLS;
            of_reading && problem.code != code::DUPLICATE_KEY
        });
        let repaired: Vec<String> = misread.map(|problem| problem.key.clone().unwrap_or_default()).collect();
        rules::check(built, &mut problems);
        // `0613` without quotes is a number, and would seem to be another version than "0613"
        let version = |key: &String| key.ends_with(".version") || key.ends_with(".model");
        problems.retain(|problem| problem.code != code::MIXED_MODELS || !repaired.iter().any(version));
        // a weight out of range is read as the nearest in it, which may be none
        let weight = |of: &str| repaired.iter().any(|key| key.starts_with(of) && key.ends_with(".weight"));
        problems.retain(|problem| problem.code != code::NO_WEIGHT || !problem.key.as_deref().is_some_and(weight));
        let day = options.today.and_then(|today| today.rfc3339().get(..10)?.parse().ok());
        let mut found = Vec::new();
        warnings::find(built, &spans, day, &mut found);
        let doubtful = |about: &str| repaired.iter().any(|key| warnings::is_doubtful(about, key));
        found.retain(|warning| !warning.key.as_deref().is_some_and(doubtful));
        found.retain(|warning| !warnings::is_sought(warning.code, &problems));
        problems.append(&mut found);
        warnings::silence(&built.silence, &mut problems);
        // one that has nothing to silence yet may have when the rest is repaired
        problems.retain(|problem| repaired.is_empty() || problem.code != code::UNUSED_SILENCE);
    }
    place(&mut problems, &spans, &set);
    secrets::redact(&mut problems, &secrets);
    match built {
        Some(built) if problems.iter().all(|problem| problem.severity != Severity::Error) => Ok(Read {
            loaded: Loaded {
                topology: built.topology,
                spans,
                simulation: built.simulation,
                management: built.management,
                warnings: problems,
                silence: built.silence,
            },
            mixed: built.mixed,
        }),
        _ => Err(problems),
    }
}

/// Merges the environment, sets what the command line sets, replaces variables. Gives the keys that were set.
fn overlay<'a>(root: &mut Node, options: &Options<'a>, problems: &mut Vec<Diagnostic>) -> Vec<&'a str> {
    if !matches!(root.value, Value::Map(_)) {
        return Vec::new();
    }
    overlay::environment(root, options.environment, problems);
    let flags = [("azure.subscription", options.subscription), ("azure.resourceGroup", options.resource_group)];
    let flags = flags.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let set: Vec<(&str, &str)> =
        options.set.iter().map(|(key, value)| (key.as_str(), value.as_str())).chain(flags).collect();
    for (key, value) in &set {
        if let Err(problem) = overlay::set(root, key, value) {
            problems.push(problem);
        }
    }
    overlay::variables(root, "", options.variables, problems);
    set.into_iter().map(|(key, _)| key).collect()
}

/// Fills places in, says what came from the command line, and sorts: errors first, then as the file has them.
fn place(problems: &mut [Diagnostic], spans: &Spans, set: &[&str]) {
    for problem in problems.iter_mut() {
        let Some(key) = &problem.key else { continue };
        let under =
            |path: &&&str| key.strip_prefix(**path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        if let Some(path) = set.iter().find(under) {
            problem.notes.push(format!("`{path}` is set on the command line"));
        }
        problem.span = problem.span.or_else(|| spans.get(key));
    }
    problems.sort_by_key(|problem| (problem.severity, problem.span.map(|span| span.start)));
}

/// The schema that the checker holds a tree against: as published, but after variables.
fn structure() -> &'static Json {
    static SCHEMA: OnceLock<Json> = OnceLock::new();
    SCHEMA.get_or_init(schema_of::<model::Spec>)
}

fn schema_of<T: JsonSchema>() -> Json {
    let settings =
        schemars::generate::SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Lets every scalar also be a text with a variable: where the type is text, anywhere in it; else at its start.
fn allow_variables(schema: &mut Json) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(allow_variables),
        Json::Object(members) => {
            for (name, member) in members.iter_mut() {
                match (name.as_str(), member) {
                    ("properties", Json::Object(properties)) => properties.values_mut().for_each(allow_variables),
                    ("items" | "additionalProperties" | "anyOf" | "oneOf", member) => allow_variables(member),
                    _ => {}
                }
            }
            let kinds: Vec<&str> = match members.get("type") {
                Some(Json::String(one)) => vec![one],
                Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).collect(),
                _ => Vec::new(),
            };
            let text = kinds.contains(&"string");
            let narrow =
                ["enum", "const", "pattern", "minLength", "maxLength"].iter().any(|key| members.contains_key(*key));
            let scalar = kinds.contains(&"integer") || kinds.contains(&"boolean") || (text && narrow);
            if scalar {
                let pattern = if text { "\\$\\{" } else { "^\\$\\{" };
                let described = members.shift_remove("description");
                let strict = Json::Object(std::mem::take(members));
                members.extend(described.map(|text| ("description".to_string(), text)));
                let variable = serde_json::json!({ "type": "string", "pattern": pattern });
                members.insert("anyOf".into(), Json::Array(vec![strict, variable]));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
