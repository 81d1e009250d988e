//! Cognitive Services: accounts with what hangs on them, what is left of deleted ones, offers and quota.

pub(super) mod accounts;
pub(super) mod children;
mod deleted;
pub(super) mod deployments;
mod offers;
mod usages;

use super::World;
use super::ids::from_parts;
use super::reply::{Reply, method_not_allowed, resource_not_found};
use super::router::{Ask, unknown, version_problem};
use crate::catalogue;
use crate::wire::Method;
use serde_json::{Value, json};

pub(super) const ACCOUNT: &str = "Microsoft.CognitiveServices/accounts";

/// Addresses of a subscription: `accounts`, `deletedAccounts`, `skus`, and what stands under `locations/{location}`.
pub(super) fn in_subscription(
    world: &mut World,
    ask: &Ask<'_>,
    subscription: &str,
    low: &[&str],
    raw: &[&str],
) -> Reply {
    if let Some(refusal) = catalogue::resource_type(ACCOUNT).and_then(|kind| version_problem(kind, &ask.version)) {
        return refusal;
    }
    match (low, ask.method) {
        (["accounts"], Method::Get) => {
            let under = format!("/subscriptions/{}/", subscription.to_lowercase());
            let value: Vec<Value> =
                world.state.children(&under, ACCOUNT).map(|account| accounts::show(account, &ask.version)).collect();
            Reply::json(200, json!({ "value": value }))
        }
        (["deletedaccounts"], Method::Get) => deleted::list(world, ask, subscription),
        (["locations", _, "resourcegroups", _, "deletedaccounts", _], _) => {
            deleted::one(world, ask, subscription, &raw[1..])
        }
        (["locations", location, "usages"], Method::Get) => usages::list(world, subscription, location),
        (["locations", location, "models"], Method::Get) => offers::models(location),
        (["modelcapacities"], Method::Get) => offers::capacities(world, ask, subscription, None),
        (["locations", location, "modelcapacities"], Method::Get) => {
            offers::capacities(world, ask, subscription, Some(location))
        }
        (["skus"], Method::Get) => offers::account_skus(),
        (["checkdomainavailability"], Method::Post) => match ask.body() {
            Ok(body) => offers::check_domain(world, &body),
            Err(refusal) => refusal,
        },
        (["locations", location, "checkskuavailability"], Method::Post) => match ask.body() {
            Ok(body) => offers::check_skus(location, &body),
            Err(refusal) => refusal,
        },
        (
            ["accounts" | "deletedaccounts" | "skus" | "modelcapacities" | "checkdomainavailability"]
            | ["locations", _, "usages" | "models" | "modelcapacities" | "checkskuavailability"],
            method,
        ) => method_not_allowed(method.as_str()),
        _ => unknown(&format!("Microsoft.CognitiveServices/{}", raw.join("/"))),
    }
}

/// Lists of an account that are no children of it: `models`, `skus`, `usages`. `None` for others.
pub(super) fn of_account(world: &World, ask: &Ask<'_>, raw: &[&str]) -> Option<Reply> {
    let [_, _, _, _, _, namespace, accounts, _, what] = raw else { return None };
    let is_account = format!("{namespace}/{accounts}").eq_ignore_ascii_case(ACCOUNT);
    let what = what.to_ascii_lowercase();
    if !is_account || !["models", "skus", "usages"].contains(&what.as_str()) || ask.method != Method::Get {
        return None;
    }
    if let Some(refusal) = catalogue::resource_type(ACCOUNT).and_then(|kind| version_problem(kind, &ask.version)) {
        return Some(refusal);
    }
    let id = from_parts(&raw[..8])?;
    let Some(account) = world.state.resources.get(&id.key()) else {
        return Some(resource_not_found(&id.short(), &id.group));
    };
    Some(match what.as_str() {
        "models" => offers::models_of_account(account.text("kind"), account.text("location")),
        "skus" => {
            let sku = json!({"resourceType": ACCOUNT, "sku": {"name": account.text("sku/name"), "tier": "Standard"}});
            Reply::json(200, json!({"value": [sku]}))
        }
        // usage of an account itself is calls in a period, which nobody makes here
        _ => Reply::json(200, json!({"value": []})),
    })
}
