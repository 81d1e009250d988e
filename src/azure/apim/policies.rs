//! Policies of every scope: a document, checked a little and given back in the service's form.
//!
//! Checked: that it is XML or `rawxml`, its sections and the policies that stand in one of them alone, attributes that some
//! policies must have, one policy in `backend`, and that what it names is there. The schema of every policy is not checked
//! here (sources: Microsoft's published schemas of policies, 2025-07, and documentation).
//!
//! Deliberately absent, and refused by name: links.

use super::child::{View, Written, keep};
use super::sent::Sent;
use crate::azure::World;
use crate::azure::ids::ResourceId;
use crate::azure::reply::{Reply, child_not_found};
use crate::azure::router::Call;
use crate::azure::state::Resource;
use crate::diagnostic::Span;
use crate::policy_xml::{self, Document, Element, Node, raw};
use crate::time::Time;
use serde_json::{Map, Value, json};

const WHAT: &str = "PoliciesConfiguration";
const GLOBAL: &str = "<policies><inbound /><backend><forward-request /></backend><outbound /></policies>";

/// The policy that every service has from its first day.
pub(super) fn give_global(world: &mut World, now: Time, service: &ResourceId) {
    let id = service.child("policies", "policy");
    let value = policy_xml::service_form(GLOBAL).unwrap_or_default();
    keep(world, now, &id, Written::of(&json!({ "value": value })));
}

/// A GET that asks for `rawxml`.
pub(super) fn get_raw(world: &World, call: &Call) -> Reply {
    let Some(kept) = world.state.resources.get(&call.key()) else { return child_not_found(WHAT) };
    let mut shown = super::child::show(kept, &call.version, View::Read);
    if let Some(Value::Object(properties)) = shown.get_mut("properties") {
        properties.insert("format".into(), "rawxml".into());
        properties.insert("value".into(), unescaped(kept.text("properties/value")).into());
    }
    Reply::pretty(200, shown).etag(&kept.etag)
}

/// Every other answer is `xml`.
pub(super) fn show(_: &Resource, _: &str, _: View, properties: &mut Map<String, Value>) {
    properties.shift_insert(0, "format".into(), "xml".into());
}

/// The text with expressions as C# has them: no XML any more, where one holds a quote or a bracket.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\"@").into_iter().chain(rest.find(">@")).min() {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        let end = after.find(if before.ends_with('"') { '"' } else { '<' }).unwrap_or(after.len());
        let (expression, tail) = after.split_at(end);
        match policy_xml::is_expression(expression) {
            true => out.push_str(&unescape(expression)),
            false => out.push_str(expression),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn unescape(text: &str) -> String {
    text.replace("&#xA;", "\n").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

pub(super) fn write(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let format = sent.word("format", &["xml", "rawxml", "xml-link", "rawxml-link"]).unwrap_or("xml");
    let text = sent.needed("value", 1..=256 * 1024);
    if call.id.name() != "policy" {
        sent.refuse("policyId", "The only policy identifier is 'policy'.");
    }
    if format.ends_with("-link") {
        sent.refuse("value", "The local Azure reads no links.");
    }
    let mut value = String::new();
    if sent.is_good() {
        match read(&text, format) {
            Ok(document) => {
                for (field, message) in problems(world, &call.id, &document) {
                    sent.refuse(field, message);
                }
                value = document.service_form();
            }
            Err(problem) => sent.refuse("representation", problem),
        }
    }
    sent.end()?;
    Ok(Written::of(&json!({ "value": value })))
}

/// Reads a document. `rawxml` may have expressions in it that are no XML; comments of such a one are lost.
pub(super) fn read(text: &str, format: &str) -> Result<Document, String> {
    match (policy_xml::parse(text), format) {
        (Ok(document), _) => Ok(document),
        (Err(_), "rawxml") => match raw::read(text) {
            Ok(document) => Ok(Document { before: Vec::new(), root: tree(text, &document.root), after: Vec::new() }),
            Err(fault) => {
                let line = text.get(..fault.at).unwrap_or(text).matches('\n').count() + 1;
                Err(format!("{} on line {line}.", fault.message))
            }
        },
        (Err(problem), _) => Err(format!("{problem}.")),
    }
}

/// An element that was read with its places, as a tree of texts.
fn tree(text: &str, element: &raw::Element) -> Element {
    let plain = |span: Span| {
        let source = text.get(span.start..span.end).unwrap_or_default();
        let value = if policy_xml::is_expression(source) { source.to_string() } else { raw::decode(text, span) };
        value.replace("\r\n", "\n")
    };
    let attributes =
        element.attributes.iter().map(|attribute| (attribute.name.clone(), plain(attribute.value))).collect();
    let children = element.children.iter().map(|child| (child.span.start, Node::Element(tree(text, child))));
    let texts = element.texts.iter().map(|piece| (piece.span.start, plain(piece.span)));
    let texts = texts.filter(|(_, text)| !text.trim().is_empty()).map(|(at, text)| (at, Node::Text(text)));
    let mut inside: Vec<(usize, Node)> = children.chain(texts).collect();
    inside.sort_by_key(|(at, _)| *at);
    Element { name: element.name.clone(), attributes, children: inside.into_iter().map(|(_, node)| node).collect() }
}

fn problems(world: &World, id: &ResourceId, document: &Document) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let root = &document.root;
    if id.kind.name.contains("/resolvers/") {
        if root.name != "http-data-source" && root.name != "sql-data-source" && root.name != "cosmosdb-data-source" {
            problems.push(("policies", format!("Error in element '{}': a data source was expected.", root.name)));
        }
        return problems;
    }
    if root.name != "policies" {
        problems.push(("policies", format!("Error in element '{}': 'policies' was expected.", root.name)));
    }
    let mut seen: Vec<&str> = Vec::new();
    for section in root.elements() {
        let name = section.name.as_str();
        if !["inbound", "backend", "outbound", "on-error"].contains(&name) || seen.contains(&name) {
            problems.push(("policies", format!("Error in element 'policies': element '{name}' is not allowed here.")));
        }
        seen.push(name);
        if name == "backend" && section.elements().count() > 1 {
            problems
                .push(("backend", "Error in element 'backend': only one policy is allowed in this section.".into()));
        }
        if section.children.iter().any(|node| matches!(node, Node::Text(_))) {
            problems.push(("policies", format!("Error in element '{name}': the element cannot contain text.")));
        }
        for element in section.descendants() {
            let own = PLACES.iter().find(|(policy, _)| *policy == element.name).map(|(_, section)| *section);
            if own.is_some_and(|own| own != name) {
                let policy = &element.name;
                problems
                    .push(("policies", format!("Error in element '{policy}': it is not allowed in section '{name}'.")));
            }
        }
    }
    problems.extend(content_problems(world, id, root));
    problems
}

/// What the elements of a document name that is not there.
pub(super) fn content_problems(world: &World, id: &ResourceId, root: &Element) -> Vec<(&'static str, String)> {
    let elements = root.descendants();
    let faults = elements.iter().filter_map(|element| fault(element));
    faults.chain(elements.iter().filter_map(|element| missing(world, id, element))).collect()
}

/// Policies that stand in one section alone.
const PLACES: [(&str, &str); 16] = [
    ("forward-request", "backend"),
    ("rewrite-uri", "inbound"),
    ("rate-limit", "inbound"),
    ("rate-limit-by-key", "inbound"),
    ("quota", "inbound"),
    ("quota-by-key", "inbound"),
    ("validate-jwt", "inbound"),
    ("validate-azure-ad-token", "inbound"),
    ("llm-token-limit", "inbound"),
    ("azure-openai-token-limit", "inbound"),
    ("llm-emit-token-metric", "inbound"),
    ("azure-openai-emit-token-metric", "inbound"),
    ("llm-semantic-cache-lookup", "inbound"),
    ("azure-openai-semantic-cache-lookup", "inbound"),
    ("llm-semantic-cache-store", "outbound"),
    ("azure-openai-semantic-cache-store", "outbound"),
];

/// Attributes that an element must have.
const NEEDED: [(&str, &[&str]); 13] = [
    ("when", &["condition"]),
    ("retry", &["condition", "count", "interval"]),
    ("set-header", &["name"]),
    ("set-query-parameter", &["name"]),
    ("set-variable", &["name", "value"]),
    ("include-fragment", &["fragment-id"]),
    ("limit-concurrency", &["key", "max-count"]),
    ("rate-limit", &["calls", "renewal-period"]),
    ("rate-limit-by-key", &["calls", "renewal-period", "counter-key"]),
    ("cache-lookup-value", &["key", "variable-name"]),
    ("cache-store-value", &["key", "value", "duration"]),
    ("llm-token-limit", &["counter-key"]),
    ("azure-openai-token-limit", &["counter-key"]),
];

/// Attributes that are whole numbers, unless an expression or a named value says them.
const NUMBERS: [(&str, &[&str]); 4] = [
    ("retry", &["count"]),
    ("rate-limit", &["calls", "renewal-period"]),
    ("rate-limit-by-key", &["calls", "renewal-period"]),
    ("limit-concurrency", &["max-count"]),
];

/// What the schema of an element says against it.
fn fault(element: &Element) -> Option<(&'static str, String)> {
    let of = |table: &[(&str, &'static [&'static str])]| {
        table.iter().find(|(name, _)| *name == element.name).map_or(&[][..], |(_, attributes)| *attributes)
    };
    let refuse = |message: String| Some(("policies", format!("Error in element '{}': {message}", element.name)));
    if let Some(missing) = of(&NEEDED).iter().find(|name| element.attribute(name).is_none()) {
        return refuse(format!("The required attribute '{missing}' is missing."));
    }
    for name in of(&NUMBERS) {
        let value = element.attribute(name).unwrap_or("");
        let said_elsewhere = policy_xml::is_expression(value) || value.contains("{{");
        if !said_elsewhere && value.trim().parse::<i32>().is_err() {
            let kind = "http://www.w3.org/2001/XMLSchema:int";
            return refuse(format!(
                "The '{name}' attribute is invalid - The value '{value}' is invalid according to its datatype '{kind}'."
            ));
        }
    }
    let text = element.children.iter().any(|node| matches!(node, Node::Text(_)));
    if text && element.name == "set-header" {
        return refuse(
            "The element 'set-header' cannot contain text. List of possible elements expected: 'value'.".into(),
        );
    }
    None
}

/// What an element names that is not there.
fn missing(world: &World, id: &ResourceId, element: &Element) -> Option<(&'static str, String)> {
    let service = id.top().key();
    if element.name == "include-fragment" {
        let name = element.attribute("fragment-id").unwrap_or("");
        let there = world.state.resources.contains_key(&format!("{service}/policyfragments/{}", name.to_lowercase()));
        return (!there).then(|| ("include-fragment", format!("Policy fragment with id '{name}' could not be found.")));
    }
    let texts = element.children.iter().filter_map(|node| match node {
        Node::Text(text) => Some(text.as_str()),
        _ => None,
    });
    for name in element.attributes.iter().map(|(_, value)| value.as_str()).chain(texts).flat_map(named_values) {
        if super::named_values::by_name(world, &service, name).is_none() {
            return Some(("named-value", format!("Cannot find a property '{name}'.")));
        }
    }
    if element.name != "set-backend-service" {
        return None;
    }
    let Some(name) = element.attribute("backend-id") else {
        let both = element.attribute("base-url").is_none();
        return both.then(|| ("set-backend-service", "Either 'backend-id' or 'base-url' must be set.".into()));
    };
    let there = policy_xml::is_expression(name)
        || world.state.resources.contains_key(&format!("{service}/backends/{}", name.to_lowercase()));
    (!there).then(|| ("set-backend-service", format!("Backend with id '{name}' could not be found.")))
}

/// Every `{{name}}` of a text.
fn named_values(text: &str) -> impl Iterator<Item = &str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    text.split("{{").skip(1).filter_map(move |part| {
        let (name, _) = part.split_once("}}")?;
        (!name.is_empty() && name.chars().all(plain)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_text_has_expressions_as_they_are() {
        let text =
            "<a x=\"@(b == &quot;c&quot; &amp;&amp; d &lt; 1)\" y=\"&lt;z\"><v>@{&#xA; return a &lt; b; }</v></a>";
        assert_eq!(unescaped(text), "<a x=\"@(b == \"c\" && d < 1)\" y=\"&lt;z\"><v>@{\n return a < b; }</v></a>");
        assert_eq!(unescaped("<a x=\"u@v\" />"), "<a x=\"u@v\" />");
    }

    #[test]
    fn named_values_are_seen() {
        assert_eq!(named_values("a {{key-1}} b{{c}}").collect::<Vec<_>>(), ["key-1", "c"]);
        assert_eq!(named_values("@($\"{{ not one }}\")").count(), 0);
    }
}
