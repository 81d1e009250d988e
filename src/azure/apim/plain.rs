//! Kinds of which little is checked: schemas, resolvers, tags, caches, authorization providers.

use super::child::{View, Written};
use super::sent::Sent;
use crate::azure::World;
use crate::azure::reply::Reply;
use crate::azure::router::Call;
use crate::azure::shape::{hex, object};
use crate::azure::state::Resource;
use crate::time::Duration;
use serde_json::{Map, Value, json};

/// How long a schema takes.
const SCHEMA: Duration = Duration::from_secs(3);

pub(super) fn schema(_: &mut World, _: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let kind = sent.needed("contentType", 1..=200);
    let document = sent.object("document");
    if document.is_empty() {
        sent.refuse("document", "Document is required.");
    }
    sent.end()?;
    let written = Written::of(&json!({"contentType": kind, "document": document}));
    Ok(Written { takes: Some(SCHEMA), ..written })
}

/// Recorded: a list has no documents.
pub(super) fn show_schema(_: &Resource, _: &str, view: View, properties: &mut Map<String, Value>) {
    if view == View::Listed {
        properties.shift_remove("document");
    }
}

pub(super) fn resolver(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let path = sent.needed("path", 1..=300);
    let description = sent.text("description", 0..=1000);
    sent.text("displayName", 1..=300);
    sent.end()?;
    let known = world.state.resources.get(&call.key()).map(|kept| kept.text("properties/internalId").to_string());
    let internal = known.unwrap_or_else(|| hex(&world.fresh("resolver")[..12]));
    Ok(Written::of(
        &json!({"internalId": internal, "publicId": call.id.name(), "description": description, "path": path}),
    ))
}

/// Recorded: a list has no ids beside the name.
pub(super) fn show_resolver(_: &Resource, _: &str, view: View, properties: &mut Map<String, Value>) {
    if view == View::Listed {
        properties.insert("internalId".into(), Value::Null);
        properties.insert("publicId".into(), Value::Null);
    }
}

pub(super) fn tag(_: &mut World, _: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let name = sent.needed("displayName", 1..=160);
    sent.end()?;
    Ok(Written::of(&json!({ "displayName": name })))
}

/// A tag put on an API, an operation or a product shows what the service's tag of that name does.
pub(super) fn tag_link(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let tag = call.id.top().child("tags", call.id.name());
    let name = world.state.resources.get(&tag.key()).map(|tag| tag.text("properties/displayName").to_owned());
    if name.is_none() {
        sent.refuse("tagId", format!("Tag with id '{}' could not be found.", call.id.name()));
    }
    sent.end()?;
    Ok(Written::of(&json!({ "displayName": name })))
}

pub(super) fn cache(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let connection = sent.needed("connectionString", 1..=300);
    let location = sent.needed("useFromLocation", 1..=256);
    let description = sent.text("description", 0..=2000);
    let target = sent.text("resourceId", 0..=2000);
    sent.end()?;
    // documented: the connection string comes back as a reference to a named value
    let service = call.id.top();
    let kept = world.state.resources.get(&call.key()).map(|kept| kept.text("properties/connectionString").to_string());
    let same = kept.filter(|kept| {
        let name = kept.trim_start_matches("{{").trim_end_matches("}}");
        let value = super::named_values::by_name(world, &service.key(), name);
        value.is_some_and(|value| value.hidden.get("value") == Some(&connection))
    });
    let shown = match same {
        Some(same) => same,
        None if connection.starts_with("{{") => connection,
        None => super::named_values::conceal(world, call.now, &service, "", &connection),
    };
    Ok(Written::of(&json!({
        "useFromLocation": location, "description": description, "resourceId": target, "connectionString": shown,
    })))
}

pub(super) fn authorization_provider(_: &mut World, _: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let name = sent.needed("displayName", 1..=300);
    let provider = sent.needed("identityProvider", 1..=300);
    let mut oauth = sent.object("oauth2");
    sent.end()?;
    // the secret is written, never read
    if let Some(Value::Object(grants)) = oauth.get_mut("grantTypes") {
        for grant in grants.values_mut() {
            let mut shown = object(Some(grant));
            shown.shift_remove("clientSecret");
            *grant = shown.into();
        }
    }
    Ok(Written::of(&json!({"displayName": name, "identityProvider": provider, "oauth2": oauth})))
}
