//! Trap 3: deployments that draw on one quota. A group is named once, with what it asks for together.

use super::{Deployed, deployed, named};
use crate::catalogue;
use crate::diagnostic::{Diagnostic, code};
use crate::topology::Topology;
use std::collections::BTreeMap;

/// Subscription, SKU, region, model.
type Quota<'a> = (&'a str, &'a str, &'a str, String);

/// Metered deployments of one region, model and SKU share what the subscription may use of it. Provisioned ones share a
/// quota too, but each has the units that it was given.
pub fn shared(topology: &Topology, out: &mut Vec<Diagnostic>) {
    let mut groups: BTreeMap<Quota, Vec<Deployed>> = BTreeMap::new();
    let metered = deployed(topology).filter(|found| !found.deployment.sku.is_provisioned());
    for found in metered.filter(|found| found.account.location.is_known()) {
        let name = found.deployment.sku.as_str();
        let Some(sku) = catalogue::sku(name) else { continue };
        let (region, model) = catalogue::quota_of(sku, found.account.location.as_str(), &found.deployment.model.name);
        // without one an account stands in the stack's own subscription
        let subscription = found.account.place.subscription.as_deref().unwrap_or_default();
        groups.entry((subscription, name, region, model.to_lowercase())).or_default().push(found);
    }
    for ((_, sku, region, model), group) in &groups {
        let [_, second, ..] = group.as_slice() else { continue };
        let message = format!("{} draw on one quota: {sku} {model} in {region}", named(group));
        let total: u64 = group.iter().map(|found| u64::from(found.deployment.capacity)).sum();
        let problem = Diagnostic::new(code::SHARED_QUOTA, message).at(second.path(""));
        let problem = problem.label(format!("together they ask for {total}K TPM of it"));
        let why = if balanced(topology, group) {
            "balancing between them adds no tokens a minute"
        } else {
            "what one has, the others have not"
        };
        out.push(problem.help(format!("use another region or another sku: {why}")));
    }
}

/// Whether two of them are members of one pool.
fn balanced(topology: &Topology, group: &[Deployed]) -> bool {
    topology.pools.values().any(|pool| {
        let of_group = pool.members.iter().filter(|member| {
            let called = topology.backends.get(&member.backend).and_then(|backend| backend.target.account());
            group.iter().any(|found| called == Some((found.account_key, Some(found.key))))
        });
        of_group.count() > 1
    })
}
