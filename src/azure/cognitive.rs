//! Cognitive Services: accounts, what is left of deleted ones, and quota.

pub(super) mod accounts;
mod deleted;
pub(super) mod deployments;
mod usages;

use super::World;
use super::reply::{Reply, method_not_allowed};
use super::router::{Ask, unknown, version_problem};
use crate::catalogue;
use crate::wire::Method;
use serde_json::{Value, json};

pub(super) const ACCOUNT: &str = "Microsoft.CognitiveServices/accounts";

/// Addresses of a subscription: `accounts`, `deletedAccounts`, `locations/{location}/usages`.
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
            let value: Vec<Value> = world.state.children(&under, ACCOUNT).map(accounts::show).collect();
            Reply::json(200, json!({ "value": value }))
        }
        (["deletedaccounts"], Method::Get) => deleted::list(world, subscription),
        (["locations", _, "resourcegroups", _, "deletedaccounts", _], _) => {
            deleted::one(world, ask, subscription, &raw[1..])
        }
        (["locations", location, "usages"], Method::Get) => usages::list(world, subscription, location),
        (["accounts" | "deletedaccounts"] | ["locations", _, "usages"], method) => method_not_allowed(method.as_str()),
        _ => unknown(&format!("Microsoft.CognitiveServices/{}", raw.join("/"))),
    }
}
