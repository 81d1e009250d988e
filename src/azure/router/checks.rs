//! What Azure Resource Manager refuses before it asks a provider.

use super::Call;
use crate::azure::ids::{Kind, ResourceId, group_key};
use crate::azure::reply::{Reply, error, gateway, group_not_found, resource_not_found};
use crate::azure::shape::short_location;
use crate::azure::{Unknown, World, apim, groups, known_types};
use crate::catalogue::{self, ResourceType};
use crate::wire::Method;

/// Api-versions of Azure Resource Manager itself, as its own refusal lists them (2025).
const VERSIONS: [&str; 58] = [
    "2025-04-01",
    "2025-03-01",
    "2024-11-01",
    "2024-08-01",
    "2024-07-01",
    "2024-05-01",
    "2024-03-01",
    "2024-02-01",
    "2024-01-01",
    "2023-11-01",
    "2023-09-01",
    "2023-08-01",
    "2023-07-01",
    "2023-03-01",
    "2022-12-01",
    "2022-09-01",
    "2022-06-01",
    "2022-05-01",
    "2022-01-01",
    "2021-04-01",
    "2021-01-01",
    "2020-10-01",
    "2020-09-01",
    "2020-08-01",
    "2020-07-01",
    "2020-06-01",
    "2020-05-01",
    "2020-01-01",
    "2019-11-01",
    "2019-10-01",
    "2019-09-01",
    "2019-08-01",
    "2019-07-01",
    "2019-06-01",
    "2019-05-10",
    "2019-05-01",
    "2019-03-01",
    "2018-11-01",
    "2018-09-01",
    "2018-08-01",
    "2018-07-01",
    "2018-06-01",
    "2018-05-01",
    "2018-02-01",
    "2018-01-01",
    "2017-12-01",
    "2017-08-01",
    "2017-06-01",
    "2017-05-10",
    "2017-05-01",
    "2017-03-01",
    "2016-09-01",
    "2016-07-01",
    "2016-06-01",
    "2016-02-01",
    "2015-11-01",
    "2015-01-01",
    "2014-04-01",
];

/// The longest body that Azure Resource Manager takes.
pub(super) const LONGEST: usize = 4 * 1024 * 1024;

/// Refuses what is asked of a group that is not there, and every write to one that is going.
pub(in crate::azure) fn group_problem(world: &World, method: Method, subscription: &str, group: &str) -> Option<Reply> {
    let Some(known) = world.state.groups.get(&group_key(subscription, group)) else {
        return Some(group_not_found(group));
    };
    (known.deleting && method.writes()).then(|| groups::being_deleted(group))
}

/// Refuses what hangs on a resource that is not there. The gateway knows services and accounts; of what hangs on those
/// only the provider knows.
pub(super) fn orphan(world: &World, call: &Call) -> Option<Reply> {
    if let Some(on) = &call.id.on {
        let there = world.state.resources.contains_key(&on.key());
        return (!there).then(|| resource_not_found(&on.short(), &on.group));
    }
    let parent = call.id.parent()?;
    if world.state.resources.contains_key(&parent.key()) {
        return None;
    }
    let top = call.id.top();
    if top.kind.name == apim::SERVICE && world.state.resources.contains_key(&top.key()) {
        return Some(match call.method {
            Method::Put | Method::Patch | Method::Post => apim::not_found(&parent.kind.name),
            Method::Head => Reply::empty(404),
            Method::Get | Method::Delete => apim::orphan(&call.id, &parent),
        });
    }
    Some(match call.method {
        Method::Put => {
            let kind = call.id.kind.name.split_once('/').map_or("", |(_, rest)| rest);
            let id = parent.text();
            let message = format!(
                "Failed to perform 'write' on resource(s) of type '{kind}', because the parent resource '{id}' could not be found."
            );
            gateway(404, "ParentResourceNotFound", message)
        }
        _ => resource_not_found(&top.short(), &call.id.group),
    })
}

/// Refuses names that no resource can have, whatever its type.
pub(super) fn name_problem(id: &ResourceId) -> Option<Reply> {
    let odd = |c: char| c.is_control() || "<>%&\\?/".contains(c);
    let wrong = id.names.iter().find(|name| name.len() > 260 || name.chars().any(odd) || name.ends_with(['.', ' ']))?;
    let message = format!(
        "The resource name '{wrong}' is invalid: it has 260 characters at most, none of '<>%&\\?/' and no control characters, and ends neither with '.' nor with a blank."
    );
    Some(gateway(400, "InvalidResourceName", message))
}

/// Refuses a location that is missing, unknown, or another than the resource has.
pub(in crate::azure) fn location_problem(world: &World, id: &ResourceId, sent: Option<&str>) -> Option<Reply> {
    let kind = id.kind.known.filter(|kind| kind.located)?;
    let kept = world.state.resources.get(&id.key());
    let sent = match sent {
        Some(location) if !location.is_empty() => location,
        _ if kept.is_some() => return None,
        _ => return Some(gateway(400, "LocationRequired", "The location property is required for this definition.")),
    };
    if catalogue::region(sent).is_none() {
        let known: Vec<&str> = catalogue::REGIONS.iter().map(|region| region.name).collect();
        let message = format!(
            "The provided location '{sent}' is not available for resource type '{}'. List of available regions for the resource type is '{}'.",
            kind.name,
            known.join(",")
        );
        return Some(gateway(400, "LocationNotAvailableForResourceType", message));
    }
    let kept = kept?;
    let there = short_location(kept.text("location"));
    if there == short_location(sent) {
        return None;
    }
    let (name, group) = (&kept.name, &id.group);
    let message = format!(
        "The resource '{name}' already exists in location '{there}' in resource group '{group}'. A resource with the same name cannot be created in location '{sent}'. Please select a new resource name."
    );
    Some(gateway(409, "InvalidResourceLocation", message))
}

/// Refuses a type that this world does not take, and an api-version that a type does not have.
pub(in crate::azure) fn type_problem(world: &World, kind: &Kind, version: &str) -> Option<Reply> {
    match (kind.known, world.unknown) {
        (Some(known), _) => version_problem(known, version),
        (None, Unknown::Refused) => Some(unknown(&kind.name)),
        (None, Unknown::Accepted) => (!is_version(version)).then(|| {
            let message = format!("The api-version '{version}' is invalid. An api-version is a date, '2024-05-01'.");
            gateway(400, "InvalidApiVersionParameter", message)
        }),
    }
}

/// Refuses an api-version that Azure Resource Manager itself does not have, for what it answers itself.
pub(super) fn own_version_problem(low: &[&str], version: &str) -> Option<Reply> {
    let own = match low {
        ["subscriptions"] | ["subscriptions", _] | ["providers"] => true,
        ["subscriptions", _, "resourcegroups" | "resources" | "locations"] => true,
        ["subscriptions", _, "resourcegroups", _] | ["subscriptions", _, "resourcegroups", _, "resources"] => true,
        ["subscriptions", _, "providers", ..] => low.len() < 5 || ["register", "unregister"].contains(&low[4]),
        _ => false,
    };
    if !own || VERSIONS.iter().any(|known| known.eq_ignore_ascii_case(version)) {
        return None;
    }
    let message =
        format!("The api-version '{version}' is invalid. The supported versions are '{}'.", VERSIONS.join(","));
    Some(gateway(400, "InvalidApiVersionParameter", message))
}

/// Whether a text is a date with or without a word behind it.
fn is_version(text: &str) -> bool {
    let (date, word) = text.split_at_checked(10).unwrap_or((text, "?"));
    let digits = |(i, c): (usize, char)| if [4, 7].contains(&i) { c == '-' } else { c.is_ascii_digit() };
    date.len() == 10
        && date.char_indices().all(digits)
        && (word.is_empty() || (word.starts_with('-') && word.chars().all(|c| c == '-' || c.is_ascii_alphanumeric())))
}

/// Refuses an api-version that a known type does not have.
pub(in crate::azure) fn version_problem(kind: &ResourceType, version: &str) -> Option<Reply> {
    if kind.knows(version) {
        return None;
    }
    let name = kind.name.split_once('/').map_or(kind.name, |(_, name)| name);
    let message = format!(
        "No registered resource provider found for location '' and API version '{version}' for type '{name}'. The supported api-versions are '{}'.",
        kind.versions.join(", ")
    );
    Some(gateway(400, "NoRegisteredProviderFound", message))
}

/// Refuses a type that is not known, by its name.
pub(in crate::azure) fn unknown(kind: &str) -> Reply {
    let known: Vec<&str> = known_types().collect();
    let message =
        format!("The local Azure does not know the resource type '{kind}'. It knows '{}'.", known.join("', '"));
    error(404, "InvalidResourceType", message).header("x-ms-failure-cause", "gateway")
}
