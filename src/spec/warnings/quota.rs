//! Trap 3: deployments that draw on one quota. A group is named once, with what it asks for together.

use super::{Deployed, deployed, named};
use crate::catalogue;
use crate::diagnostic::{Diagnostic, code};
use crate::topology::{Target, Topology};
use std::collections::BTreeMap;

/// Metered deployments of one region, model and SKU share what the subscription may use of it. Provisioned ones share a
/// quota too, but each has the units that it was given.
pub fn shared(topology: &Topology, out: &mut Vec<Diagnostic>) {
    let mut groups: BTreeMap<(&str, &str, String), Vec<Deployed>> = BTreeMap::new();
    for found in deployed(topology).filter(|found| !found.deployment.sku.is_provisioned()) {
        let name = found.deployment.sku.as_str();
        let Some(sku) = catalogue::sku(name) else { continue };
        let (region, model) = catalogue::quota_of(sku, found.account.location.as_str(), &found.deployment.model.name);
        groups.entry((name, region, model.to_lowercase())).or_default().push(found);
    }
    for ((sku, region, model), group) in &groups {
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
            let target = topology.backends.get(&member.backend).map(|backend| &backend.target);
            let Some(Target::Deployment { account, deployment }) = target else { return false };
            group.iter().any(|found| found.account_key == account && found.key == deployment)
        });
        of_group.count() > 1
    })
}
