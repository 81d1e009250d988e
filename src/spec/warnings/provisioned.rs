//! Provisioned throughput that is none, or that its breaker wastes.

use super::{deployed, listed};
use crate::diagnostic::{Diagnostic, code};
use crate::spec::Spans;
use crate::spec::build::NO_BREAKER;
use crate::time::Duration;
use crate::topology::{Backend, Breaker, GatewaySku, Target, Topology};
use std::collections::BTreeMap;

/// A full PTU has room again within seconds (facts/azure-openai.md 1.3); a breaker that stays open for longer leaves
/// paid capacity idle.
const LONG_TRIP: Duration = Duration::from_secs(10);

/// The same where the breaker does not hear what Azure asks for.
const LONG_DEAF_TRIP: Duration = Duration::from_secs(2);

/// What is called provisioned and is paid for by the token (C9 in facts/seeds.md 4): one warning an account or a
/// deployment, at the SKU that was probably meant to be another.
pub fn misnamed(topology: &Topology, out: &mut Vec<Diagnostic>) {
    for (key, account) in topology.accounts.iter().filter(|(key, _)| says_provisioned(key)) {
        let deployments = &account.deployments;
        if !deployments.is_empty() && !deployments.values().any(|deployment| deployment.sku.is_provisioned()) {
            let message = format!("the account `{key}` is called provisioned, and none of its deployments is");
            out.push(misnomer(message, format!("accounts.{key}")));
        }
    }
    for found in deployed(topology).filter(|found| !found.deployment.sku.is_provisioned()) {
        // the account's name is part of its backends' names, where those were left out
        let by_account = says_provisioned(found.account_key);
        let backend = topology.backends.iter().find(|(key, backend)| {
            let target = Target::Deployment { account: found.account_key.clone(), deployment: found.key.clone() };
            backend.target == target && says_provisioned(key) && !by_account
        });
        let sku = found.deployment.sku.as_str();
        let message = match backend {
            _ if says_provisioned(found.key) => format!("`{}` is called provisioned, and is {sku}", found.key),
            Some((name, _)) => format!("the backend `{name}` is called provisioned, and `{}` is {sku}", found.key),
            None => continue,
        };
        out.push(misnomer(message, found.path("sku")));
    }
}

fn misnomer(message: String, path: String) -> Diagnostic {
    let problem = Diagnostic::new(code::NAMED_PROVISIONED, message).at(path);
    problem.help("give it a provisioned sku with its capacity in PTU, or another name")
}

/// Whether one of the words of a name says so: `gpt-PTU-east`, `provisioned_1`.
fn says_provisioned(name: &str) -> bool {
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase);
    words.any(|word| ["ptu", "ptus", "provisioned"].contains(&word.as_str()))
}

/// Trap 24: a breaker that keeps calls from a provisioned member for longer than it is full. Once a breaker.
pub fn wasteful_breakers(topology: &Topology, spans: &Spans, out: &mut Vec<Diagnostic>) {
    let mut by_breaker: BTreeMap<&str, Vec<(&str, &Breaker)>> = BTreeMap::new();
    // the twin of a backend for the surface v1 has the same breaker
    let twin = |backend: &Backend| matches!(backend.target, Target::V1 { .. });
    for (key, backend) in topology.backends.iter().filter(|(_, backend)| !twin(backend)) {
        let provisioned = topology.deployment_of(backend).is_some_and(|deployment| deployment.sku.is_provisioned());
        let breaker = wasteful(backend).filter(|_| provisioned);
        by_breaker
            .entry(breaker.map_or("", |breaker| &breaker.name))
            .or_default()
            .extend(breaker.map(|b| (key.as_str(), b)));
    }
    for (name, backends) in &by_breaker {
        let Some((first, breaker)) = backends.first() else { continue };
        let trip = breaker.trip_duration;
        let named = listed(backends.iter().map(|(key, _)| format!("`{key}`")));
        let is = if backends.len() == 1 { "is" } else { "are" };
        let deaf = if breaker.accept_retry_after { "" } else { ", whatever Retry-After says" };
        let message =
            format!("{named} {is} provisioned, and the breaker `{name}` stays open for {trip} after a 429{deaf}");
        let written = spans.has(&format!("breakers.{name}"));
        let path = if written { format!("breakers.{name}.tripDuration") } else { format!("backends.{first}.breaker") };
        let problem = Diagnostic::new(code::PROVISIONED_BREAKER, message).at(path);
        out.push(problem.help(
            "use the breaker `ptu`, or a tripDuration of 1s with acceptRetryAfter: paid capacity is idle meanwhile",
        ));
    }
}

fn wasteful(backend: &Backend) -> Option<&Breaker> {
    let breaker = backend.breaker.as_ref()?;
    let throttled = breaker.status_codes.iter().any(|range| range.contains(429));
    let longest = if breaker.accept_retry_after { LONG_TRIP } else { LONG_DEAF_TRIP };
    (throttled && breaker.trip_duration > longest).then_some(breaker)
}

/// A breaker that was written and that no backend has.
pub fn unused_breakers(topology: &Topology, spans: &Spans, out: &mut Vec<Diagnostic>) {
    let used = |name: &str| topology.backends.values().filter_map(|b| b.breaker.as_ref()).any(|b| b.name == name);
    // a gateway without breakers has said so
    if topology.gateway.as_ref().is_some_and(|gateway| gateway.sku == GatewaySku::Consumption) {
        return;
    }
    for name in spans.children("breakers").filter(|name| *name != NO_BREAKER && !used(name)) {
        let problem = Diagnostic::new(code::UNUSED_BREAKER, format!("no backend has the breaker `{name}`"));
        out.push(problem.at(format!("breakers.{name}")).help("name it as a backend's `breaker`, or take it out"));
    }
}

#[cfg(test)]
mod tests {
    use super::says_provisioned;

    #[test]
    fn names_are_read_by_their_words() {
        for name in ["ptu", "gpt-5-1-PTU-eastus2", "gpt_provisioned", "a.ptus"] {
            assert!(says_provisioned(name), "{name}");
        }
        for name in ["gpt-5", "output", "unprovisioned", "captured", "ptu1"] {
            assert!(!says_provisioned(name), "{name}");
        }
    }
}
