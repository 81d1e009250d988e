//! Known traps in somebody's ARM template, and in the policies that stand in it.
//!
//! Both forms of a template are read, the classic and the symbolic one, with the templates nested in them. Names are
//! followed through variables, parameters of nested templates, `format` and `concat`; what cannot be followed is passed
//! over in silence. Each finding has its place in the JSON text.
//!
//! Deliberately absent: what the published contracts say of each property, what Azure holds already, and Bicep.

mod follow;
pub(crate) mod json;
mod models;
mod pools;
mod resources;

use crate::diagnostic::{Code, Diagnostic, Span, code};
use crate::policy;
use crate::policy_xml;
use follow::{known, last_segment};
use json::Node;
use resources::{Resource, Resources};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that can be said about a template, in the order of the text.
pub fn lint(text: &str) -> Vec<Diagnostic> {
    let bare = text.trim_start_matches('\u{feff}');
    let skipped = text.len() - bare.len();
    let mut found = match json::read(bare) {
        None => vec![unreadable(bare)],
        Some(root) if root.get("resources").is_none() => {
            let message = "the JSON is no ARM template: it has no `resources`";
            let problem = Diagnostic::new(code::UNREADABLE_TEMPLATE, message).span(Span { start: 0, end: 1 });
            vec![problem.help("name the template that `bicep build` writes")]
        }
        Some(root) => {
            let resources = Resources::of(&root);
            let mut found = Vec::new();
            pools::check(&resources, &mut found);
            models::check(&resources, &mut found);
            policies(bare, &resources, &mut found);
            found
        }
    };
    for span in found.iter_mut().filter_map(|problem| problem.span.as_mut()) {
        *span = Span { start: span.start + skipped, end: span.end + skipped };
    }
    found.sort_by_key(|problem| (problem.span.map(|span| span.start), problem.code));
    found.dedup();
    found
}

fn unreadable(text: &str) -> Diagnostic {
    let error = serde_json::from_str::<serde_json::Value>(text).err();
    let (line, column, why) = error.map_or((1, 1, "it is nested too deep".to_owned()), |error| {
        let words = error.to_string();
        let why = words.split(" at line ").next().unwrap_or_default().to_owned();
        (error.line().max(1), error.column().max(1), why)
    });
    let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let start = (before + column - 1).min(text.len());
    Diagnostic::new(code::UNREADABLE_TEMPLATE, format!("the text is no JSON: {why}"))
        .span(Span { start, end: start + 1 })
        .help("name the template that `bicep build` writes")
}

fn problem(code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
    Diagnostic::new(code, message).span(span).help(help)
}

impl Resource<'_> {
    fn properties(&self) -> Option<&Node> {
        self.node.get("properties")
    }

    fn version(&self) -> Option<&str> {
        self.node.get("apiVersion").and_then(Node::text)
    }

    /// Where it is named.
    fn span(&self) -> Span {
        self.node.get("name").map_or(self.node.span, |name| name.span)
    }

    /// Its own name as it can be shown.
    fn label(&self) -> String {
        let (_, own) = last_segment(&self.name);
        match known(&own) {
            Some(name) => format!("`{name}`"),
            None => format!("`{}`", self.node.get("name").and_then(Node::text).unwrap_or_default()),
        }
    }
}

/// A literal property, or one that comes to a literal.
fn literal(resources: &Resources<'_>, resource: &Resource<'_>, path: &[&str]) -> Option<String> {
    let text = resource.properties()?.path(path)?.text()?;
    resources.frames.literal(text, resource.frame)
}

/// The policies in the template: their format, what they say, and whether what they name is there before.
fn policies(text: &str, resources: &Resources<'_>, out: &mut Vec<Diagnostic>) {
    let counts = pools::counts(resources);
    let mut said = BTreeSet::new();
    for at in 0..resources.list.len() {
        let resource = &resources.list[at];
        let kind = resource.kind.strip_prefix("microsoft.apimanagement/service/").unwrap_or_default();
        if !(kind == "policies" || kind.ends_with("/policies") || kind == "policyfragments") {
            continue;
        }
        let Some(value) = resource.properties().and_then(|properties| properties.get("value")) else { continue };
        // a text with replacements is followed to what they leave; its places are those of the property
        let Some(written) = value.text() else { continue };
        let whole = resources.frames.literal(written, resource.frame);
        let known_values = whole.is_some();
        let followed = whole.or_else(|| resources.frames.unreplaced(written, resource.frame));
        let Some(document) = followed.filter(|document| document.trim_start().starts_with('<')) else { continue };
        let holder =
            resources.frames.holder(value, resource.frame).filter(|node| node.text() == Some(document.as_str()));
        format(resources, resource, &document, out);
        backends(resources, at, &document, out);
        if said.insert((holder.map_or(value.span.start, |node| node.span.start), document.len())) {
            for mut found in policy::lint::lint(&document, &counts) {
                // what will stand in place of a mark may be of any type
                if found.code == code::POLICY_VALUE && !known_values {
                    continue;
                }
                let place = found.span.unwrap_or_default();
                found.span = Some(match holder {
                    Some(node) => {
                        Span { start: node.source_of(text, place.start), end: node.source_of(text, place.end) }
                    }
                    None => value.span,
                });
                let line = document.get(..place.start).unwrap_or_default().matches('\n').count() + 1;
                let (parent, own) = last_segment(&resource.name);
                let owner = if kind == "policyfragments" { own } else { last_segment(&parent).1 };
                let of = known(&owner).map(|owner| format!(" of `{owner}`")).unwrap_or_default();
                out.push(found.note(format!("line {line} of the policy{of}")));
            }
        }
    }
}

/// Escaped or not: what the format says must be what the text is.
fn format(resources: &Resources<'_>, resource: &Resource<'_>, document: &str, out: &mut Vec<Diagnostic>) {
    let format = literal(resources, resource, &["format"]);
    let given = resource.properties().is_some_and(|properties| properties.get("format").is_some());
    let is_xml = match &format {
        Some(format) => format.eq_ignore_ascii_case("xml"),
        None => !given,
    };
    let Some(malformed) = policy_xml::parse(document).err().filter(|_| is_xml) else { return };
    let span = resource.properties().map_or(resource.span(), |properties| follow::key_span(properties, "format"));
    let message = "the policy is no XML, and the format that it is sent in is `xml`";
    let problem = problem(code::POLICY_FORMAT, span, message, "use `\"format\": \"rawxml\"`");
    out.push(problem.note(malformed.to_string()));
}

/// A policy that names a backend of this template must wait for it.
fn backends(resources: &Resources<'_>, at: usize, document: &str, out: &mut Vec<Diagnostic>) {
    let Ok(read) = policy_xml::raw::read(document) else { return };
    let sets = read.root.descendants().into_iter().filter(|element| element.name == "set-backend-service");
    let names: BTreeSet<String> = sets
        .filter_map(|set| set.attribute("backend-id"))
        .map(|attribute| policy_xml::raw::decode(document, attribute.value))
        .collect();
    for backend in resources.kind(pools::BACKENDS) {
        let (_, own) = last_segment(&resources.list[backend].name);
        let Some(name) = known(&own).filter(|own| names.iter().any(|name| name.eq_ignore_ascii_case(own))) else {
            continue;
        };
        if !resources.waits_for(at, backend) {
            let resource = &resources.list[at];
            let message = format!("the policy names the backend `{name}` and does not wait for it");
            let help = "add the backend to `dependsOn` of the policy";
            let problem = problem(code::MISSING_DEPENDENCY, resource.span(), message, help);
            out.push(problem.note("Azure answers \"Backend with id could not be found\" when the policy comes first"));
        }
    }
}

/// How many members each pool of the template has, by its name.
type Counts = BTreeMap<String, usize>;

#[cfg(test)]
mod tests;
