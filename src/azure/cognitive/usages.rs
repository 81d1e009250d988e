//! `locations/{location}/usages`: what of each quota is used in a region, and the refusal of what goes beyond it.
//!
//! A quota is a subscription's, a region's, and a model's and SKU's; provisioned units have one for all models. What a
//! soft-deleted account had deployed counts until the account is purged (learn.microsoft.com, manage Azure OpenAI quota).
//!
//! What a subscription is granted differs from one to the next, so the limits here are one figure a way of serving:
//! 1000 (a million tokens a minute) is what the lowest tier has for gpt-4.1 (azure-ai-docs, quota tier 1, 2026-08); the
//! limit of provisioned units is made up, and so are the titles of quotas in other units than tokens a minute.
//! [`World::with_quota`] sets other limits.
//!
//! Deliberately absent: quota of fine-tuned models and of trials, and the number of accounts.

use super::deployments::Asked;
use crate::azure::World;
use crate::azure::ids::ResourceId;
use crate::azure::reply::{Reply, error};
use crate::azure::shape::short_location;
use crate::azure::state::{Resource, State};
use crate::catalogue::{MODELS, Model, SKUS, Serving, Sku, quota_key, quota_name, region, sku};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const DEPLOYMENT: &str = "Microsoft.CognitiveServices/accounts/deployments";
/// Thousands of tokens a minute; of batches, thousands of tokens that wait.
const TOKENS: u64 = 1000;
const UNITS: u64 = 500;

/// A quota as the list shows it.
struct Quota {
    name: String,
    title: String,
    limit: u64,
}

/// The list of a region.
pub(super) fn list(world: &World, subscription: &str, location: &str) -> Reply {
    if region(location).is_none() {
        return super::offers::no_such_location(location);
    }
    let used = used(&world.state, subscription, location);
    let mut seen = BTreeSet::new();
    let offered = MODELS.iter().flat_map(|model| SKUS.iter().map(move |sku| (model, sku)));
    let offered = offered.filter(|(model, sku)| sku.serving != Serving::Provisioned || model.provisioned.is_some());
    let value: Vec<Value> = offered
        .filter_map(|(model, sku)| quota(world, sku, model))
        .filter(|quota| seen.insert(quota_key(&quota.name)))
        .map(|quota| {
            let now = used.get(&quota_key(&quota.name)).copied().unwrap_or(0);
            json!({
                "name": {"value": quota.name, "localizedValue": quota.title},
                "currentValue": now,
                "limit": quota.limit,
                "unit": "Count",
            })
        })
        .collect();
    Reply::json(200, json!({ "value": value }))
}

/// How much of a model's quota is left in a region, where there is one.
pub(super) fn left(world: &World, subscription: &str, location: &str, sku: &Sku, model: &Model) -> Option<u64> {
    let quota = quota(world, sku, model)?;
    let used = used(&world.state, subscription, location).remove(&quota_key(&quota.name)).unwrap_or(0);
    Some(quota.limit.saturating_sub(used))
}

/// Why a deployment of that much more cannot be made: Azure counts what is new beside what the deployment has.
pub(super) fn problem(world: &World, id: &ResourceId, location: &str, asked: Asked) -> Option<Reply> {
    let (sku_name, capacity, model) = asked;
    let quota = quota(world, sku(sku_name)?, model)?;
    let key = quota_key(&quota.name);
    let there = world.state.resources.get(&id.key()).and_then(drawn).filter(|(from, _)| *from == key);
    let more = capacity.saturating_sub(there.map_or(0, |(_, has)| has));
    let used = used(&world.state, &id.subscription, location).remove(&key).unwrap_or(0);
    let left = quota.limit.saturating_sub(used);
    if more <= left {
        return None;
    }
    let Quota { title, limit, .. } = quota;
    let message = format!(
        "This operation require {more} new capacity in quota {title}, which is bigger than the current available capacity {left}. The current quota usage is {used} and the quota limit is {limit} for quota {title}."
    );
    Some(error(400, "InsufficientQuota", message))
}

fn quota(world: &World, sku: &Sku, model: &Model) -> Option<Quota> {
    // recorded by many: the quotas of gpt-4.1 are spelled without the first hyphen
    let spelled = match model.name.strip_prefix("gpt-4.1") {
        Some(rest) => format!("gpt4.1{rest}"),
        None => model.name.to_owned(),
    };
    let name = quota_name(sku, model.format, &spelled);
    let (limit, title) = match sku.serving {
        Serving::Metered => (TOKENS, format!("Tokens Per Minute (thousands) - {}", model.name)),
        Serving::Batch => (TOKENS, format!("Enqueued Tokens (thousands) - {}", model.name)),
        Serving::Provisioned => (UNITS, format!("Provisioned Throughput Units - {}", sku.name)),
        Serving::Developer => return None,
    };
    let limit = world.quota.get(&quota_key(&name)).copied().unwrap_or(limit);
    Some(Quota { name, title, limit })
}

/// What is used in a region, by the key of the quota.
fn used(state: &State, subscription: &str, location: &str) -> BTreeMap<String, u64> {
    let under = format!("/subscriptions/{}/", subscription.to_lowercase());
    let there = |found: &str| short_location(found) == short_location(location);
    let account = |id: &str| state.resources.get(id.to_lowercase().rsplit_once("/deployments/")?.0);
    let live = state.children(&under, DEPLOYMENT);
    let live = live.filter(|found| account(&found.id).is_some_and(|account| there(account.text("location"))));
    let gone = state.deleted.values().filter(|gone| there(&gone.location));
    let gone = gone.flat_map(|gone| &gone.resources).filter(|left| left.id.to_lowercase().starts_with(&under));
    let mut used = BTreeMap::new();
    for (key, capacity) in live.chain(gone).filter_map(drawn) {
        *used.entry(key).or_insert(0) += capacity;
    }
    used
}

/// The key of the quota that a deployment draws on, and how much.
fn drawn(deployment: &Resource) -> Option<(String, u64)> {
    if deployment.kind != DEPLOYMENT {
        return None;
    }
    let sku = sku(deployment.text("sku/name"))?;
    let model = |name: &str| deployment.text(&format!("properties/model/{name}"));
    let key = quota_key(&quota_name(sku, model("format"), model("name")));
    Some((key, deployment.at("sku/capacity").as_u64()?))
}
