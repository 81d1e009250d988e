//! Policies that pick by themselves, and what of a policy is not simulated.

use super::*;
use crate::exchange::tests::strategies::picking;
use crate::topology::intent::{Entra, LimitBy, Period, ProductIntent, TokenLimit, TokenQuota};
use crate::topology::{Product, Strategy};

/// Two regions and a PTU, with this capacity each, under a strategy.
fn under(strategy: Strategy, capacity: u32) -> Topology {
    let mut topology = picking(strategy);
    for account in topology.accounts.values_mut() {
        account.deployments.values_mut().for_each(|deployment| deployment.capacity = capacity);
    }
    change(&mut topology, |intent| {
        if let Some(pool) = intent.pools.get_mut("gpt") {
            pool.retain(|candidate| candidate.backend != "foreign");
        }
    });
    topology
}

fn change(topology: &mut Topology, change: impl FnOnce(&mut crate::topology::Intent)) {
    if let Policy::Rendered(intent) = &mut topology.apis.get_mut("openai").unwrap().policy {
        change(intent);
    }
}

fn says(report: &Report, part: &str) -> bool {
    report.assumptions.iter().any(|assumption| assumption.contains(part))
}

#[test]
fn round_robin_shares_by_turns_and_goes_on_to_the_next() {
    let report = simulate(&under(Strategy::RoundRobin, 100_000), &Options::default(), &every(1_000, 300, 100, 10));
    conserved(&report);
    assert_eq!(["ptu", "east", "sweden"].map(|key| row(&report, key).served), [100; 3]);
    assert!(says(&report, "each call sees in the gateway's cache") && !says(&report, "smooth weighted"));

    // nobody learns from a refusal: each call tries again where its turn is
    let full = simulate(&under(Strategy::RoundRobin, 1), &Options::default(), &every(100, 300, 900, 50));
    conserved(&full);
    assert!(full.retries.attempts > 800, "{}", full.retries.attempts);
    assert_eq!(full.breakers.trips, 0);
}

#[test]
fn smart_leaves_alone_who_refused() {
    let plain = simulate(&under(Strategy::Smart, 100_000), &Options::default(), &every(100, 300, 100, 10));
    conserved(&plain);
    assert_eq!(["ptu", "east", "sweden"].map(|key| row(&plain, key).served), [300, 0, 0], "the first priority alone");
    assert!(says(&plain, "shared by weight, not in turn") && !says(&plain, "breaker"));

    let full = simulate(&under(Strategy::Smart, 1), &Options::default(), &every(100, 300, 900, 50));
    conserved(&full);
    let exhausted = full.callers.iter().find(|callers| callers.ending == Ending::PoolExhausted).unwrap();
    assert!(exhausted.status == 429 && exhausted.count > 200, "{exhausted:?}");
    assert!(full.retries.attempts < 100, "who refused is not asked again: {}", full.retries.attempts);
    assert_eq!(simulate(&under(Strategy::Smart, 1), &Options::default(), &every(100, 300, 900, 50)), full);
}

#[test]
fn the_surface_v1_alone_is_simulated_by_its_twins() {
    let mut topology = under(Strategy::Smart, 100_000);
    change(&mut topology, |intent| intent.routes = Routes::ByName(BTreeMap::new()));
    let report = simulate(&topology, &Options::default(), &every(100, 30, 100, 10));
    conserved(&report);
    assert_eq!(row(&report, "ptu-v1").served, 30);
}

#[test]
fn what_is_not_simulated_is_said_by_name() {
    let trace = every(1_000, 3, 100, 10);
    let mut topology = under(Strategy::Pool, 100_000);
    let silent = simulate(&topology, &Options::default(), &trace);
    assert!(!["tokenLimit", "Entra", "product"].iter().any(|part| says(&silent, part)), "{:?}", silent.assumptions);

    let limit = TokenLimit { tokens_per_minute: 4_000, estimate_prompt: true, by: LimitBy::Subscription };
    change(&mut topology, |intent| {
        intent.token_limit = Some(limit.clone());
        intent.entra = Some(Entra { tenant: "t".into(), audiences: vec![], applications: vec![] });
    });
    let product = |key: &str, apis: &[&str], token_limit, quota| {
        let policy = Policy::Rendered(ProductIntent { product: key.into(), token_limit, quota });
        let apis = apis.iter().map(|api| (*api).to_owned()).collect();
        (key.to_owned(), Product { name: key.into(), display_name: key.into(), apis, policy })
    };
    let quota = TokenQuota { tokens: 9, per: Period::Daily };
    topology.products = [
        product("gold", &["openai"], Some(limit.clone()), Some(quota.clone())),
        product("silver", &["openai"], None, Some(quota)),
        product("other", &["another"], Some(limit), None),
        product("free", &["openai"], None, None),
    ]
    .into();
    let report = simulate(&topology, &Options::default(), &trace);
    for part in [
        "the token limit of 4000 a minute (`tokenLimit`) is not simulated",
        "Entra tokens (`callers.entra`) are not simulated",
        "token limit and quota of the product `gold`",
        "the quota of the product `silver`",
    ] {
        assert!(says(&report, part), "{part}: {:?}", report.assumptions);
    }
    assert!(!says(&report, "`other`") && !says(&report, "`free`"));
    assert!(report.text().contains("is not simulated"));
}

#[test]
fn callers_without_keys_are_simulated() {
    let mut topology = under(Strategy::Smart, 100_000);
    topology.subscriptions.retain(|key, _| key == "probe");
    let trace = || every(100, 3, 100, 10).into_iter().map(Ok);
    let refused = run(&topology, &Options::default(), trace(), &mut |_| {}).unwrap_err();
    assert_eq!(refused.code, code::NO_CALLER);
    change(&mut topology, |intent| intent.keys = None);
    topology.apis.get_mut("openai").unwrap().keys = None;
    let report = run(&topology, &Options::default(), trace(), &mut |_| {}).unwrap();
    assert_eq!(row(&report, "ptu").served, 3);
}
