//! API Management: the service, its children, and what is left of deleted services.
//!
//! A kind of child is a row of the table in `kinds`: how it is written and shown. What all have in common is in `child`.
//!
//! Deliberately absent: workspaces, the developer portal, certificates, and what only the gateway does.

mod apis;
mod backends;
mod child;
mod deleted;
mod diagnostics;
mod filter;
pub(super) mod follow;
mod fragments;
mod kinds;
mod loggers;
mod named_values;
mod operations;
mod people;
mod plain;
mod policies;
mod products;
mod releases;
mod samples;
mod sent;
pub(super) mod service;
mod subscriptions;
mod version_sets;

use super::World;
use super::ids::{ResourceId, from_parts};
use super::reply::{Reply, child_not_found, method_not_allowed, validation};
use super::router::{Ask, Call, unknown, version_problem};
use super::state::Resource;
use crate::catalogue;
use crate::wire::Method;
use child::transitioning;
pub(super) use child::{View, place, show};
use kinds::kind_of;
use serde_json::{Value, json};

pub(super) const SERVICE: &str = "Microsoft.ApiManagement/service";

/// How many children a page of a list holds where the caller does not say.
const PAGE: usize = 100;

/// Addresses of a subscription: `service`, `deletedservices`, `checkNameAvailability`.
pub(super) fn in_subscription(
    world: &mut World,
    ask: &Ask<'_>,
    subscription: &str,
    low: &[&str],
    raw: &[&str],
) -> Reply {
    if let Some(refusal) = catalogue::resource_type(SERVICE).and_then(|kind| version_problem(kind, &ask.version)) {
        return refusal;
    }
    match (low, ask.method) {
        (["service"], Method::Get) => services(world, ask, &format!("/subscriptions/{}/", subscription.to_lowercase())),
        (["checknameavailability"], Method::Post) => match ask.body() {
            Ok(body) => service::check_name(world, &body, &ask.version),
            Err(refusal) => refusal,
        },
        (["deletedservices"], Method::Get) => deleted::list(world, subscription),
        (["locations", _, "deletedservices", _], _) => {
            deleted::one(world, ask, subscription, raw.get(1).unwrap_or(&""), raw.get(3).unwrap_or(&""))
        }
        (["service" | "deletedservices" | "checknameavailability"], method) => method_not_allowed(method.as_str()),
        _ => unknown(&format!("Microsoft.ApiManagement/{}", raw.join("/"))),
    }
}

/// The services whose ids begin so.
pub(super) fn services(world: &World, ask: &Ask<'_>, under: &str) -> Reply {
    let kept = world.state.children(under, SERVICE);
    let value: Vec<Value> = kept.map(|kept| service::show(kept, &ask.version)).collect();
    service::pretty_before_2020(Reply::json(200, json!({ "value": value })), &ask.version)
}

/// A request for a service or one of its children.
pub(super) fn handle(world: &mut World, call: &Call) -> Reply {
    let kind = call.id.kind.name.as_str();
    match kind {
        SERVICE => return service::handle(world, call),
        products::APIS | products::GROUPS => return products::link(world, call),
        _ => {}
    }
    let Some(child) = kind_of(kind) else { return unknown(kind) };
    if call.method == Method::Put
        && let Some(first) = apis::revisions::first(world, call)
    {
        return child::handle(world, &first, child);
    }
    let raw = call.url.query("format").is_some_and(|format| format.eq_ignore_ascii_case("rawxml"));
    if call.method == Method::Get && raw && kind.ends_with("/policies") {
        return policies::get_raw(world, call);
    }
    child::handle(world, call, child)
}

/// The answer for a child of a live service that is not there.
pub(super) fn not_found(kind: &str) -> Reply {
    child_not_found(kind_of(kind).map_or("Resource", |child| child.what))
}

/// The answer for a child whose parent is not there: recorded, a policy is missed itself, everything else by its parent.
pub(super) fn orphan(id: &ResourceId, parent: &ResourceId) -> Reply {
    let policy = id.kind.name.ends_with("/policies");
    not_found(if policy { &id.kind.name } else { &parent.kind.name })
}

/// A list of children under a parent, given by its key.
pub(super) fn list(world: &World, ask: &Ask<'_>, kind: &str, parent: &str) -> Reply {
    let kept = world.state.children(&format!("{parent}/"), kind);
    let values: Vec<Value> = match kind {
        products::APIS | products::GROUPS => {
            kept.filter_map(|link| products::show_link(world, link, &ask.version)).collect()
        }
        // a list has the current revisions
        apis::KIND => {
            kept.filter(|api| !api.name.contains(';')).map(|api| show(api, &ask.version, View::Listed)).collect()
        }
        _ => kept.map(|resource| show(resource, &ask.version, View::Listed)).collect(),
    };
    page(world, ask, values)
}

/// Lists that are no types of their own: revisions of an API, subscriptions of a product.
pub(super) fn derived_list(world: &World, ask: &Ask<'_>, raw: &[&str]) -> Option<Reply> {
    let (last, before) = raw.split_last()?;
    if ask.method != Method::Get {
        return None;
    }
    let id = from_parts(before)?.recased(&world.state);
    let kept = world.state.resources.get(&id.key());
    match (id.kind.name.as_str(), last.to_lowercase().as_str()) {
        (apis::KIND, "revisions") => Some(match kept {
            Some(_) => apis::revisions::list(world, &id),
            None => not_found(&id.kind.name),
        }),
        ("Microsoft.ApiManagement/service/products", "subscriptions") => Some(match kept {
            Some(product) => page(world, ask, subscriptions_of(world, &id, product, &ask.version)),
            None => not_found(&id.kind.name),
        }),
        _ => None,
    }
}

/// The subscriptions of a product, each at an address under it, as recorded.
fn subscriptions_of(world: &World, id: &ResourceId, product: &Resource, version: &str) -> Vec<Value> {
    let under = format!("{}/subscriptions/", id.top().key());
    world
        .state
        .children(&under, "Microsoft.ApiManagement/service/subscriptions")
        .filter(|kept| kept.text("properties/scope").eq_ignore_ascii_case(&product.id))
        .map(|kept| {
            let mut shown = show(kept, version, View::Listed);
            if let Value::Object(map) = &mut shown {
                map.insert("id".into(), format!("{}/subscriptions/{}", product.id, kept.name).into());
                map.insert("type".into(), "Microsoft.ApiManagement/service/products/subscriptions".into());
            }
            shown
        })
        .collect()
}

/// A page of a list: `value`, `count` of all, `nextLink` where there is more.
fn page(world: &World, ask: &Ask<'_>, values: Vec<Value>) -> Reply {
    let number = |name: &'static str, usual: usize, least: usize| match ask.url.query(name) {
        None => Ok(usual),
        Some(text) if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) => {
            let number = text.parse().unwrap_or(usize::MAX);
            if number < least { Err(name) } else { Ok(number) }
        }
        Some(_) => Err(name),
    };
    let (top, skip) = match (number("$top", PAGE, 1), number("$skip", 0, 0)) {
        (Ok(top), Ok(skip)) => (top, skip),
        (Err(name), _) | (_, Err(name)) => {
            return validation(&[(name, format!("The value of '{name}' is no number that a list can have."))]);
        }
    };
    let filter = ask.url.query("$filter").filter(|text| !text.is_empty());
    let values = match filter::filtered(filter, values) {
        Ok(values) => values,
        Err(refusal) => return refusal,
    };
    let count = values.len();
    let shown: Vec<Value> = values.into_iter().skip(skip).take(top).collect();
    let mut body = json!({"value": shown, "count": count});
    if skip.saturating_add(top) < count
        && let Value::Object(map) = &mut body
    {
        // recorded: with a port, and with escapes that the caller did not write
        let path = ask.url.path.join("/");
        let filter = filter.map(|text| format!("%24filter={}&", escaped(text))).unwrap_or_default();
        let rest = format!("{filter}%24top={top}&api-version={}&%24skip={}", ask.version, skip + top);
        let origin = match world.origin.starts_with("https://management") {
            true => format!("{}:443", world.origin),
            false => world.origin.clone(),
        };
        map.insert("nextLink".into(), format!("{origin}/{path}?{rest}").into());
    }
    Reply::pretty(200, body)
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
