//! Revisions of an API, and what makes one of them current.

use super::KIND;
use crate::azure::World;
use crate::azure::ids::ResourceId;
use crate::azure::reply::Reply;
use crate::azure::router::Call;
use crate::azure::shape::stamp;
use crate::azure::state::Resource;
use serde_json::{Value, json};

/// The keys of the revisions that are not current.
pub(in crate::azure::apim) fn others(world: &World, api: &ResourceId) -> Vec<String> {
    let start = format!("{};rev=", api.key());
    world.state.below(&start).filter(|(_, resource)| resource.kind == KIND).map(|(key, _)| key.clone()).collect()
}

/// A write of `x;rev=3` where there is no `x`: it makes the API, whose first revision has that number.
pub(in crate::azure::apim) fn first(world: &World, call: &Call) -> Option<Call> {
    let (name, number) = call.id.name().split_once(";rev=").filter(|_| call.id.kind.name == KIND)?;
    let id = super::super::child::in_service(&call.id, "apis", &[name]).recased(&world.state);
    let plain =
        !number.starts_with('0') && number.chars().all(|c| c.is_ascii_digit()) && (1..10).contains(&number.len());
    if !plain || name.contains(';') || world.state.resources.contains_key(&id.key()) {
        return None;
    }
    let mut body = call.body.clone();
    if let Some(Value::Object(properties)) = body.get_mut("properties") {
        properties.insert("apiRevision".into(), number.into());
    }
    Some(call.to(id, body))
}

/// The list of an API's revisions, the newest first.
pub(in crate::azure::apim) fn list(world: &World, api: &ResourceId) -> Reply {
    let base = api.name().split(';').next().unwrap_or("");
    let all = others(world, api).into_iter().chain([api.key()]).filter_map(|key| world.state.resources.get(&key));
    let mut found: Vec<(u64, Value)> = all
        .map(|revision| {
            let number = revision.text("properties/apiRevision");
            let current = !revision.name.contains(';');
            let (id, path) = (format!("/apis/{base};rev={number}"), revision.text("properties/path"));
            let url = if current { format!("/{path}") } else { format!("/{path};rev={number}") };
            let item = json!({
                "id": format!("{id}/revisions/{base};rev={number}"),
                "apiId": id,
                "apiRevision": number,
                "createdDateTime": stamp(revision.created),
                "updatedDateTime": stamp(revision.changed),
                "description": revision.at("properties/apiRevisionDescription"),
                "privateUrl": url,
                "isOnline": true,
                "isCurrent": current,
            });
            (number.parse().unwrap_or(0), item)
        })
        .collect();
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let value: Vec<Value> = found.into_iter().map(|(_, item)| item).collect();
    // recorded: on one line, unlike other lists
    Reply::json(200, json!({"value": value, "count": value.len(), "nextLink": null}))
}

/// Copies of what hangs on an API, for another one.
pub(super) fn copies(world: &World, source: &Resource, target: &str) -> Vec<Resource> {
    let under = format!("{}/", source.id.to_lowercase());
    let parts = ["/operations", "/policies", "/schemas", "/resolvers", "/diagnostics"];
    world
        .state
        .below(&under)
        .filter(|(_, resource)| {
            // locks and roles that hang on it are of other providers
            let part = resource.kind.strip_prefix(KIND);
            part.is_some_and(|kind| parts.iter().any(|part| kind.starts_with(part)))
        })
        .filter_map(|(_, resource)| {
            let id = format!("{target}{}", resource.id.get(source.id.len()..)?);
            Some(Resource { id, ..resource.clone() })
        })
        .collect()
}

/// Makes the revision `chosen` (a key) current: it and the one that was change places.
pub(in crate::azure::apim) fn make_current(world: &mut World, api: &ResourceId, chosen: &str) {
    let (key, id) = (api.key(), api.text());
    if chosen == key {
        return;
    }
    let Some(old) = world.state.resources.get(&key) else { return };
    let aside = format!("{id};rev={}", old.text("properties/apiRevision"));
    // releases are of the API, not of a revision
    let released: Vec<Resource> = world
        .state
        .children(&format!("{key}/releases/"), "Microsoft.ApiManagement/service/apis/releases")
        .cloned()
        .collect();
    let (old, new) = (world.state.take(&key), world.state.take(chosen));
    let mut moved = |resources: Vec<Resource>, from: usize, to: &str| {
        for mut resource in resources {
            let rest = resource.id[from..].to_string();
            resource.id = format!("{to}{rest}");
            if rest.is_empty() {
                resource.name = to.rsplit('/').next().unwrap_or("").to_string();
                resource.etag = world.new_etag();
                if let Some(Value::Object(properties)) = resource.body.get_mut("properties") {
                    properties.shift_remove("isCurrent");
                    if !resource.name.contains(';') {
                        let at = properties
                            .keys()
                            .position(|name| name == "apiRevisionDescription" || name == "apiVersion")
                            .unwrap_or(properties.len());
                        properties.shift_insert(at, "isCurrent".into(), true.into());
                    }
                }
            }
            world.state.resources.insert(resource.id.to_lowercase(), resource);
        }
    };
    moved(old.into_iter().filter(|resource| !resource.kind.ends_with("/releases")).collect(), id.len(), &aside);
    moved(new, chosen.len(), &id);
    for release in released {
        world.state.resources.insert(release.id.to_lowercase(), release);
    }
}
