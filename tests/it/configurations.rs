//! Real configurations in the shape of a spec (facts/seeds.md 4), their numbers exact, with what is said of each.
//!
//! A configuration is a spec in `tests/it/configurations/`, written from the public source that its first line names.

use aoai_lb::diagnostic::Severity;
use aoai_lb::spec::{self, Loaded, Options};
use aoai_lb::template;
use aoai_lb::time::Time;
use aoai_lb::topology::*;
use std::collections::BTreeSet;
use std::path::Path;

fn load(name: &str) -> Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/configurations").join(format!("{name}.yaml"));
    let text = std::fs::read_to_string(path).expect("the configuration");
    // models end; what is said of one depends on the day
    let today = Time::from_rfc3339("2026-11-28T00:00:00Z");
    spec::load(&text, &Options { today, ..Options::default() })
        .unwrap_or_else(|problems| panic!("{name}: {problems:#?}"))
}

/// Loads a configuration of which exactly these codes are told.
fn told(name: &str, codes: &[&str]) -> Topology {
    let loaded = load(name);
    assert!(loaded.warnings.iter().all(|warning| warning.span.is_some() && warning.severity != Severity::Error));
    let said: BTreeSet<&str> = loaded.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert_eq!(said, codes.iter().copied().collect(), "{name}: {:#?}", loaded.warnings);
    // each of them renders
    assert!(template::files(&loaded.topology).iter().any(|file| file.path == "main.bicep"));
    loaded.topology
}

/// `backend priority weight` of each member.
fn members(topology: &Topology, pool: &str) -> Vec<String> {
    let members = topology.pools[pool].members.iter();
    members.map(|member| format!("{} {} {}", member.backend, member.priority, member.weight)).collect()
}

/// `count/interval codes -> trip, RA`
fn breaker(topology: &Topology, backend: &str) -> String {
    let breaker = topology.backends[backend].breaker.as_ref().expect("a breaker");
    let codes: Vec<String> = breaker.status_codes.iter().map(ToString::to_string).collect();
    let Threshold::Count(count) = breaker.threshold else { panic!("a count") };
    let (interval, trip) = (breaker.interval.iso(), breaker.trip_duration.iso());
    format!("{count}/{interval} {} -> {trip}, RA={}", codes.join(","), breaker.accept_retry_after)
}

fn intent<'a>(topology: &'a Topology, api: &str) -> &'a Intent {
    topology.apis[api].policy.intent().expect("ours")
}

#[test]
fn c1_two_accounts_that_share_one_quota() {
    let topology = told("c1-quickstart", C1);
    assert_eq!(members(&topology, "openai-backend-pool"), ["backend1 1 10", "backend2 1 20"]);
    assert_eq!(breaker(&topology, "backend1"), "3/PT5M 429 -> PT1M, RA=false");
    assert_eq!(topology.backends["backend1"].breaker.as_ref().expect("it").error_reasons, ["Server errors"]);
    assert_eq!(intent(&topology, "openai").retry.count, 0);
    assert!(topology.subscriptions["openAISubscriptionName"].tracing);
}

#[test]
fn c2_rotation_by_policy_over_two_regions() {
    let topology = told("c2-round-robin", C2);
    let intent = intent(&topology, "openai");
    assert_eq!(intent.strategy, Strategy::RoundRobin);
    assert_eq!(
        (intent.retry.count, intent.retry.interval.to_string(), intent.retry.first_fast),
        (3, "5s".into(), true)
    );
    let candidates: Vec<&str> = intent.pools["chat"].iter().map(|candidate| candidate.backend.as_str()).collect();
    assert_eq!(candidates, ["OPENAIUKS", "OPENAIWUS"]);
    assert!(topology.backends.values().all(|backend| backend.breaker.is_none()));
    assert_eq!(topology.gateway.as_ref().expect("it").identity, Identity::Managed("id-aoai-apim-loadbalancing".into()));
    assert_eq!(topology.named_values["identity-client-id"].holds, Holds::ClientId);
    let keys = intent.keys.as_ref().expect("keys");
    assert_eq!((keys.header.as_str(), keys.query.as_str()), ("Ocp-Apim-Subscription-Key", "subscription-key"));
}

#[test]
fn c3_an_existing_gateway_with_two_priorities() {
    let topology = told("c3-existing-apim", C3);
    assert_eq!(
        members(&topology, "openaiopool"),
        ["aoai-eus2-1-gpt-4o 1 1", "aoai-eus-1-gpt-4o 2 1", "aoai-eus-2-gpt-4o 2 1"]
    );
    assert_eq!(breaker(&topology, "aoai-eus-1-gpt-4o"), "1/PT10S 429,500-503 -> PT10S, RA=true");
    let intent = intent(&topology, "openai");
    assert_eq!(
        (intent.retry.count, intent.retry.interval.to_string(), intent.retry.first_fast),
        (3, "1s".into(), true)
    );
    assert_eq!(intent.token_limit.as_ref().expect("it").tokens_per_minute, 400_000);
    let metrics = intent.metrics.as_ref().expect("metrics");
    assert_eq!(
        (metrics.namespace.as_str(), metrics.dimensions.join(", ")),
        ("genaimetrics", "Subscription ID, Client IP".into())
    );
    let methods: BTreeSet<&str> = topology.apis["openai"].operations.values().map(|op| op.method.as_str()).collect();
    assert_eq!(methods, ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"].into());
}

#[test]
fn c4_eight_regions_in_four_priorities() {
    let topology = told("c4-eight-regions", C4);
    let intent = intent(&topology, "openai");
    let priorities: Vec<(&str, u8)> = intent.pools["chat"].iter().map(|c| (c.backend.as_str(), c.priority)).collect();
    assert_eq!(
        priorities,
        [
            ("eastus-gpt-4", 1),
            ("eastus-2-gpt-4", 1),
            ("northcentralus-gpt-4", 1),
            ("canadaeast-gpt-4", 2),
            ("francecentral-gpt-4", 3),
            ("uksouth-gpt-4", 3),
            ("westeurope-gpt-4", 3),
            ("australia-gpt-4", 4),
        ]
    );
    assert_eq!((intent.strategy, intent.retry.count), (Strategy::Smart, 50));
}

#[test]
fn c6_two_models_with_a_backend_for_each_deployment() {
    let topology = told("c6-inference-failover", C6);
    let name = |suffix: &str| format!("gpt-5-1-{suffix}");
    assert_eq!(
        members(&topology, "inference-gpt-5-1-pool"),
        ["PTU-eastus2 1 50", "PTU-westus3 1 50", "PAYG-eastus2 2 100", "PAYG-westus3 3 50", "PAYG-southcentralus 3 50"]
            .map(name)
    );
    assert_eq!(
        members(&topology, "inference-gpt-4-1-mini-pool"),
        ["PTU-eastus2 1 50", "PTU-westus3 1 50", "PAYG-eastus2 2 100", "PAYG-southcentralus 3 100"]
            .map(|suffix| format!("gpt-4-1-mini-{suffix}"))
    );
    assert_eq!(breaker(&topology, "gpt-5-1-PTU-eastus2"), "1/PT1M 408,429,499-500,502-504 -> PT1M, RA=true");
    let retry = &intent(&topology, "inference").retry;
    assert_eq!((retry.count, retry.interval.to_string(), retry.timeout.to_string()), (2, "0s".into(), "1m".into()));
}

#[test]
fn c9_called_provisioned_and_metered_in_one_region() {
    let topology = told("c9-ptu-in-name", C9);
    assert_eq!(members(&topology, "aoai-default-load-balanced-pool"), ["ptu-gpt-4o 1 1", "paygo-gpt-4o 2 1"]);
    assert_eq!(breaker(&topology, "ptu-gpt-4o"), "1/PT1M 429 -> PT1M, RA=true");
    let capacity = |account: &str, name: &str| topology.accounts[account].deployments[name].capacity;
    assert_eq!((capacity("ptu", "gpt-4o"), capacity("paygo", "gpt-4o")), (100, 50));
    assert_eq!(topology.accounts["ptu"].deployments["gpt-4o"].rai_policy.as_deref(), Some("Microsoft.DefaultV2"));
    assert_eq!(intent(&topology, "openai").token_limit.as_ref().expect("it").tokens_per_minute, 1_000_000);
}

#[test]
fn c15_a_proxys_clients_become_products() {
    let topology = told("c15-proxy", C15);
    let limit = |key: &str| {
        let intent = topology.products[key].policy.intent().expect("ours");
        intent.token_limit.as_ref().expect("a limit").tokens_per_minute
    };
    assert_eq!(["team-1", "team-2", "team-3"].map(limit), [20_000, 5_000, 30_000]);
    assert_eq!(members(&topology, "gpt-4o"), ["endpoint-gpt-4o-ptu 1 1", "endpoint-gpt-4o-paygo 2 1"]);
    assert_eq!(intent(&topology, "openai").retry.timeout.to_string(), "2m");
}

/// Traps 3 (AL0311), 13 (AL0321), 22 (AL0315), 34 (AL0314), and one region.
const C1: &[&str] = &["AL0310", "AL0311", "AL0314", "AL0315", "AL0321"];
/// Traps 13, 26 (AL0340) and 34.
const C2: &[&str] = &["AL0314", "AL0321", "AL0340"];
/// Traps 3, 13 and 26.
const C3: &[&str] = &["AL0311", "AL0321", "AL0340"];
const C4: &[&str] = &[];
/// Traps 3 and 13; called provisioned (AL0325).
const C6: &[&str] = &["AL0311", "AL0321", "AL0325"];
/// Traps 3, 13 and 36 (AL0342); called provisioned; one region. Trap 21 is the policy's, for `lint`.
const C9: &[&str] = &["AL0310", "AL0311", "AL0321", "AL0325", "AL0342"];
const C15: &[&str] = &["AL0310", "AL0321"];
