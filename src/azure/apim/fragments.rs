//! `service/policyFragments`: pieces that policies include by name. A fragment comes back as it was sent, as recorded.

use super::child::Written;
use super::policies;
use super::sent::Sent;
use crate::azure::World;
use crate::azure::reply::{Reply, validation};
use crate::azure::router::Call;
use crate::policy_xml;
use crate::time::Duration;
use serde_json::{Map, Value};

/// How long a write takes.
const TAKES: Duration = Duration::from_secs(2);

pub(super) fn write(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let value = sent.needed("value", 1..=512 * 1024);
    let description = sent.text("description", 0..=1000);
    let format = sent.word("format", &["xml", "rawxml"]).unwrap_or("xml");
    let inside = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let name = call.id.name();
    if !name.chars().all(inside) || name.starts_with('-') || name.ends_with('-') {
        sent.refuse("id", "The field id must match the regular expression '(^[\\w]+$)|(^[\\w][\\w\\-]+[\\w]$)'.");
    }
    if !value.is_empty() {
        match policies::read(&value, format) {
            Ok(document) => {
                if document.root.name != "fragment" {
                    let message = format!("Error in element '{}': 'fragment' was expected.", document.root.name);
                    sent.refuse("representation", message);
                }
                let outside = ["policies", "inbound", "backend", "outbound", "on-error", "base", "include-fragment"];
                for element in document.root.descendants() {
                    if outside.contains(&element.name.as_str()) {
                        let message = format!("Error in element '{}': it is not allowed in a fragment.", element.name);
                        sent.refuse("representation", message);
                    }
                }
                for (field, message) in policies::content_problems(world, &call.id, &document.root) {
                    sent.refuse(field, message);
                }
            }
            Err(problem) => sent.refuse("representation", problem),
        }
    }
    sent.end()?;
    let mut properties = Map::new();
    if let Some(description) = description {
        properties.insert("description".into(), description.into());
    }
    properties.insert("value".into(), value.into());
    properties.insert("provisioningState".into(), "Succeeded".into());
    Ok(Written { properties, takes: Some(TAKES), ..Written::default() })
}

pub(super) fn delete(world: &mut World, call: &Call) -> Option<Reply> {
    let under = format!("{}/", call.id.top().key());
    let user =
        world.state.below(&under).filter(|(_, other)| other.kind.ends_with("/policies")).find(|(_, other)| {
            policy_xml::parse(other.text("properties/value")).is_ok_and(|document| {
                document.root.descendants().iter().any(|element| {
                    element.name == "include-fragment"
                        && element.attribute("fragment-id").is_some_and(|id| id.eq_ignore_ascii_case(call.id.name()))
                })
            })
        })?;
    let message = format!("The policy fragment is used by '{}' and cannot be deleted.", user.1.id);
    Some(validation(&[("id", message)]))
}
