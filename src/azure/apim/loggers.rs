//! `service/loggers`: where records go. What a caller sends as credentials comes back as a reference to a named value that
//! the service makes, as recorded.

use super::child::Written;
use super::named_values::{by_name, conceal};
use super::sent::Sent;
use crate::azure::World;
use crate::azure::reply::Reply;
use crate::azure::router::Call;
use serde_json::{Map, Value, json};

const TYPES: [&str; 3] = ["azureEventHub", "applicationInsights", "azureMonitor"];
/// Credentials that are secrets.
const SECRETS: [&str; 2] = ["instrumentationKey", "connectionString"];
const PREFIX: &str = "Logger-Credentials--";

pub(super) fn write(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    sent.needed("loggerType", 1..=80);
    let kind = sent.word("loggerType", &TYPES).unwrap_or("");
    let description = sent.text("description", 0..=256);
    let credentials = sent.object("credentials");
    let buffered = sent.flag("isBuffered").unwrap_or(true);
    let target = sent.text("resourceId", 0..=2000);
    let has = |name: &str| credentials.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    match kind {
        "applicationInsights" if !has("instrumentationKey") && !has("connectionString") => {
            sent.refuse("credentials", "Either instrumentationKey or connectionString must be set.");
        }
        "azureEventHub" if !has("name") || !(has("connectionString") || has("endpointAddress")) => {
            sent.refuse("credentials", "The name and the connectionString or endpointAddress must be set.");
        }
        _ => {}
    }
    if credentials.values().any(|value| !value.is_string() && !value.is_null()) {
        sent.refuse("credentials", "Credentials must be texts.");
    }
    sent.end()?;
    let known = world.state.resources.get(&call.key()).cloned();
    let mut shown = Map::new();
    for (name, value) in &credentials {
        let Some(text) = value.as_str() else { continue };
        let reference = text.starts_with("{{") && text.ends_with("}}");
        if reference || !SECRETS.contains(&name.as_str()) {
            shown.insert(name.clone(), text.into());
            continue;
        }
        // the same secret again keeps its reference
        let kept = known.as_ref().map(|known| known.text(&format!("properties/credentials/{name}")));
        let same = kept.filter(|kept| {
            let inner = kept.trim_start_matches("{{").trim_end_matches("}}");
            let value = by_name(world, &call.id.top().key(), inner);
            value.is_some_and(|value| value.hidden.get("value").map(String::as_str) == Some(text))
        });
        let reference = match same {
            Some(same) => same.to_string(),
            None => conceal(world, call.now, &call.id.top(), PREFIX, text),
        };
        shown.insert(name.clone(), reference.into());
    }
    Ok(Written::of(&json!({
        "loggerType": kind,
        "description": description,
        "credentials": if shown.is_empty() { Value::Null } else { shown.into() },
        "isBuffered": buffered,
        "resourceId": target,
        "maxMessageSizeInBytes": null,
    })))
}
