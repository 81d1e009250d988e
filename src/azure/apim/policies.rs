//! `service/policies` and `service/apis/policies`: a document, checked a little and given back in the service's form.
//!
//! Checked: that it is XML, its sections, one policy in `backend`, and that what it names is there. The schema of every
//! policy is not checked here.
//!
//! Deliberately absent, and refused by name: links, fragments, and `rawxml` in which expressions are not escaped.

use super::{keep, locked, precondition, read_or_delete};
use crate::azure::World;
use crate::azure::ids::ResourceId;
use crate::azure::reply::{Reply, child_not_found, method_not_allowed, validation};
use crate::azure::router::Call;
use crate::azure::state::Resource;
use crate::policy_xml::{self, Document, Element, Node};
use crate::time::Time;
use crate::wire::Method;
use serde_json::{Map, Value, json};

const WHAT: &str = "PoliciesConfiguration";
const GLOBAL: &str = "<policies><inbound /><backend><forward-request /></backend><outbound /></policies>";

pub(in crate::azure) fn handle(world: &mut World, call: &Call) -> Reply {
    let key = call.key();
    match call.method {
        Method::Put => put(world, call),
        Method::Get => match world.state.resources.get(&key) {
            Some(policy) => {
                let format = call.url.query("format").unwrap_or("xml");
                Reply::pretty(200, show(policy, format)).etag(&policy.etag)
            }
            None => child_not_found(WHAT),
        },
        other => read_or_delete(world, call, WHAT).unwrap_or_else(|| method_not_allowed(other.as_str())),
    }
}

/// The policy that every service has from its first day.
pub(super) fn give_global(world: &mut World, now: Time, service: &ResourceId) {
    let id = service.child("policies", "policy");
    let value = policy_xml::service_form(GLOBAL).unwrap_or_default();
    keep(world, now, &id, Map::from_iter([("value".to_string(), value.into())]));
}

/// A policy in one of the two formats.
pub(in crate::azure) fn show(policy: &Resource, format: &str) -> Value {
    let value = policy.text("properties/value");
    let (format, value) = match format {
        "rawxml" => ("rawxml", raw(value)),
        _ => ("xml", value.to_string()),
    };
    json!({
        "id": policy.id,
        "type": policy.kind,
        "name": policy.name,
        "properties": {"format": format, "value": value},
    })
}

/// The text with expressions as C# has them: no XML any more, where one holds a quote or a bracket.
fn raw(text: &str) -> String {
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

fn put(world: &mut World, call: &Call) -> Reply {
    let known = world.state.resources.get(&call.key());
    if let Some(refusal) = locked(world, &call.id).or_else(|| known.and_then(|known| precondition(call, known))) {
        return refusal;
    }
    let format = call.body.pointer("/properties/format").and_then(Value::as_str).unwrap_or("xml");
    if !["xml", "rawxml"].contains(&format) {
        return validation(&[("format", format!("The local Azure takes xml and rawxml, not '{format}'."))]);
    }
    let Some(text) = call.body.pointer("/properties/value").and_then(Value::as_str) else {
        return validation(&[("value", "Value is required.".into())]);
    };
    if call.id.name() != "policy" {
        return validation(&[("policyId", "The only policy identifier is 'policy'.".into())]);
    }
    let document = match policy_xml::parse(text) {
        Ok(document) => document,
        Err(problem) => {
            let hint = match format {
                "rawxml" => " The local Azure reads rawxml only where it is XML too.",
                _ => "",
            };
            return validation(&[("representation", format!("{problem}.{hint}"))]);
        }
    };
    let problems = problems(world, &call.id, &document);
    if !problems.is_empty() {
        return validation(&problems);
    }
    let value = policy_xml::service_form(text).unwrap_or_default();
    let properties = Map::from_iter([("value".to_string(), Value::from(value))]);
    let (status, etag) = keep(world, call.now, &call.id, properties);
    match world.state.resources.get(&call.key()) {
        Some(kept) => Reply::pretty(status, show(kept, "xml")).etag(&etag),
        None => child_not_found(WHAT),
    }
}

fn problems(world: &World, id: &ResourceId, document: &Document) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let root = &document.root;
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
    }
    for element in root.descendants() {
        if let Some(problem) = missing(world, id, element) {
            problems.push(problem);
        }
    }
    problems
}

/// What an element names that is not there.
fn missing(world: &World, id: &ResourceId, element: &Element) -> Option<(&'static str, String)> {
    let service = id.top().key();
    if element.name == "include-fragment" {
        return Some(("include-fragment", "The local Azure has no policy fragments yet.".into()));
    }
    for (_, value) in &element.attributes {
        if let Some(name) = named_value(value) {
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

/// The first `{{name}}` of a text.
fn named_value(text: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    text.split("{{").skip(1).find_map(|part| {
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
        assert_eq!(raw(text), "<a x=\"@(b == \"c\" && d < 1)\" y=\"&lt;z\"><v>@{\n return a < b; }</v></a>");
        assert_eq!(raw("<a x=\"u@v\" />"), "<a x=\"u@v\" />");
    }

    #[test]
    fn named_values_are_seen() {
        assert_eq!(named_value("a {{key-1}} b"), Some("key-1"));
        assert_eq!(named_value("@($\"{{ not one }}\")"), None);
    }
}
