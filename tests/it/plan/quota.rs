//! Trap 12: more capacity than is left of a quota is refused before anything is written.

use super::cloud::{Virtual, carry_out, deploy, planned};
use super::laws::{self, apply, resolved};
use super::topologies::{self, config, live, quickstart, topology};
use aoai_lb::arm;
use aoai_lb::catalogue::quota_key;
use aoai_lb::diagnostic::Diagnostic;
use aoai_lb::plan::{Plan, Scope, plan};
use aoai_lb::time::Time;
use aoai_lb::topology::*;
use aoai_lb::wire::Response;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use serde_json::json;
use std::collections::BTreeMap;

const QUOTA: &str = "OpenAI.GlobalStandard.gpt-4.1";

/// The quickstart with these deployments, all in eastus2 and on one quota.
fn asking(deployments: &[(&str, &str, u32)]) -> Topology {
    let mut topology = quickstart();
    topology.accounts.get_mut("swedencentral").expect("it").location = Location::new("eastus2");
    for account in topology.accounts.values_mut() {
        account.deployments.clear();
    }
    for (account, name, capacity) in deployments {
        let account = topology.accounts.get_mut(*account).expect("the account");
        account.deployments.insert((*name).to_owned(), topologies::deployment(*capacity));
    }
    resolved(topology)
}

/// Live state that holds `before`, and of the quota `used` of `limit`.
fn with_usage(before: &Topology, used: u64, limit: u64) -> Live {
    let mut there = live(before, &Owner::Ours);
    let usage = Usage { name: "OpenAI.GlobalStandard.gpt4.1".into(), used, limit };
    there.usage.insert((Location::new("eastus2"), quota_key(QUOTA)), usage);
    there
}

fn short(plan: &Plan) -> Vec<&Diagnostic> {
    plan.refusals.iter().filter(|refusal| refusal.code.as_str() == "AL0517").collect()
}

fn short_keys(desired: &Topology, there: &Live) -> Vec<String> {
    let plan = laws::planned(desired, there);
    assert_eq!(short(&plan).len(), plan.refusals.len(), "{:?}", plan.refusals);
    plan.refusals.iter().map(|refusal| refusal.key.clone().unwrap_or_default()).collect()
}

const FIRST: &str = "accounts.eastus2.deployments.gpt";
const SECOND: &str = "accounts.swedencentral.deployments.gpt";

#[test]
fn a_new_deployment_asks_for_all_of_its_capacity() {
    let nothing = asking(&[]);
    let desired = asking(&[("eastus2", "gpt", 30)]);
    assert_eq!(short_keys(&desired, &with_usage(&nothing, 70, 100)), Vec::<String>::new());
    assert_eq!(short_keys(&desired, &live(&nothing, &Owner::Ours)), Vec::<String>::new(), "nothing is known");
    let plan = laws::planned(&desired, &with_usage(&nothing, 71, 100));
    expect_test::expect!["error[AL0517]: deployment gpt of eastus2 asks for 30K TPM of OpenAI.GlobalStandard.gpt4.1 in eastus2, and 29K TPM is left (accounts.eastus2.deployments.gpt)"].assert_eq(&short(&plan).iter().map(ToString::to_string).collect::<String>());
    assert_eq!(plan.refusals[0].key.as_deref(), Some(FIRST));
    assert!(plan.refusals[0].help.as_deref().is_some_and(|help| help.contains("https://aka.ms/oai/quotaincrease")));
    // more is used than there is
    assert_eq!(short_keys(&desired, &with_usage(&nothing, 200, 100)), [FIRST]);
}

#[test]
fn a_larger_capacity_asks_for_what_is_new() {
    let before = asking(&[("eastus2", "gpt", 60)]);
    let after = |capacity| asking(&[("eastus2", "gpt", capacity)]);
    let there = with_usage(&before, 60, 100);
    assert_eq!(short_keys(&after(100), &there), Vec::<String>::new());
    assert_eq!(short_keys(&after(101), &there), [FIRST]);
    assert_eq!(short_keys(&after(10), &with_usage(&before, 160, 100)), Vec::<String>::new(), "it asks for nothing");
    assert_eq!(short_keys(&before, &with_usage(&before, 160, 100)), Vec::<String>::new(), "it does not change");
}

#[test]
fn deployments_of_one_quota_are_added_up_and_smaller_ones_counted_back() {
    let nothing = asking(&[]);
    let both = |one, other| asking(&[("eastus2", "gpt", one), ("swedencentral", "gpt", other)]);
    let there = with_usage(&nothing, 0, 100);
    assert_eq!(short_keys(&both(50, 50), &there), Vec::<String>::new());
    assert_eq!(short_keys(&both(50, 51), &there), [SECOND]);
    let message = laws::planned(&both(50, 51), &there).refusals[0].message.clone();
    assert!(
        message.contains("deployment gpt of eastus2 and deployment gpt of swedencentral ask for 101K TPM of"),
        "{message}"
    );
    // 40 are left: each fits by itself, and with what the third gives back they fit together
    let three = |one, other, third| {
        asking(&[("eastus2", "gpt", one), ("swedencentral", "gpt", other), ("swedencentral", "spare", third)])
    };
    let there = with_usage(&three(10, 10, 40), 60, 100);
    assert_eq!(short_keys(&three(40, 40, 20), &there), Vec::<String>::new());
    assert_eq!(short_keys(&three(40, 40, 21), &there), [SECOND]);
    // Azure looks at each by itself first
    assert_eq!(short_keys(&three(51, 10, 1), &there), [FIRST]);
    // what is deleted goes last
    assert_eq!(short_keys(&both(40, 40), &there), [SECOND]);
}

#[test]
fn what_a_soft_deleted_account_holds_is_not_known() {
    let desired = asking(&[("eastus2", "gpt", 50)]);
    let mut there = with_usage(&desired, 50, 50);
    there.topology.accounts.remove("eastus2");
    let held = |key: &str| SoftDeleted {
        address: Some(Address::Account(key.into())),
        name: key.into(),
        id: format!("/deleted/{key}"),
        location: Location::new("eastus2"),
        resource_group: desired.scope.resource_group.clone(),
        scheduled_purge: Some(Time::from_secs(1)),
        owner: Owner::Ours,
    };
    there.soft_deleted = vec![held("eastus2")];
    let chosen = |recover: &[&str], purge: &[&str]| {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        plan(
            &desired,
            &super::laws::seen(&there),
            &Scope { recover: names(recover), purge: names(purge), ..Scope::default() },
        )
    };
    assert_eq!(short(&chosen(&["eastus2"], &[])).len(), 0, "it comes back with what it had");
    assert_eq!(short(&chosen(&[], &["eastus2"])).len(), 0, "it gives free what it had");
    assert_eq!(short(&chosen(&[], &[])).len(), 1);
}

#[test]
fn nothing_is_written_where_quota_is_short_and_a_rerun_asks_for_nothing() {
    let desired = drawn();
    let cloud = Virtual::new().with_quota(QUOTA, 9);
    let (there, refused) = planned(&cloud, &desired);
    // each region has a quota of its own, and asks for 10 of it
    assert_eq!(short(&refused).len(), 2, "{:?}", refused.refusals);
    cloud.writes();
    assert!(carry_out(&cloud, &desired, &there, &refused).is_err());
    assert_eq!(cloud.writes(), Vec::<String>::new());
    let cloud = cloud.with_quota(QUOTA, 10);
    deploy(&cloud, &desired).expect("now there is enough");
    let (there, plan) = planned(&cloud, &desired);
    assert!(plan.is_empty(), "{}", plan.summary());
    assert_eq!(there.usage[&(Location::new("eastus2"), quota_key(QUOTA))].left(), 0);
}

/// The quickstart as the local Azure names it.
fn drawn() -> Topology {
    let topology = quickstart();
    let unique = arm::unique(&topology);
    topology.resolve(&unique)
}

#[test]
fn where_azure_does_not_say_what_is_used_it_is_azure_that_refuses() {
    let desired = drawn();
    for (status, code) in [(403, "AuthorizationFailed"), (404, "NotFound"), (400, "NoRegisteredProviderFound")] {
        let cloud = Virtual::new().with_quota(QUOTA, 9);
        *cloud.fault.borrow_mut() = Some(Box::new(move |request, _, _| {
            let body = json!({"error": {"code": code, "message": "no"}});
            request.url.contains("/usages?").then(|| Ok(Response::json(status, &body)))
        }));
        let (there, plan) = planned(&cloud, &desired);
        assert!(there.usage.is_empty() && plan.refusals.is_empty(), "{status}: {:?}", plan.refusals);
        let problems = carry_out(&cloud, &desired, &there, &plan).map(|_| ()).expect_err("Azure refuses");
        assert!(problems.iter().any(|problem| problem.message.contains("new capacity in quota")), "{problems:?}");
    }
}

/// What each region's quota is asked for by two states, of which the first is live: what each deployment asks for more,
/// and what is given back.
fn asked(before: &Topology, after: &Topology) -> BTreeMap<Location, (Vec<u64>, u64)> {
    let mut asked: BTreeMap<Location, (Vec<u64>, u64)> = BTreeMap::new();
    for (key, account) in &after.accounts {
        for (name, wanted) in &account.deployments {
            let there = before.accounts.get(key).and_then(|account| account.deployments.get(name));
            let (to, from) = (u64::from(wanted.capacity), there.map_or(0, |there| u64::from(there.capacity)));
            let entry = asked.entry(account.location.clone()).or_default();
            entry.0.push(to.saturating_sub(from));
            entry.1 += from.saturating_sub(to);
        }
    }
    asked
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn refused_is_exactly_what_does_not_fit(before in topology(), after in topology(), limit in 0u64..400, others in 0u64..100) {
        let (before, after) = (resolved(before), resolved(after));
        let mut there = live(&before, &Owner::Ours);
        for account in before.accounts.values().chain(after.accounts.values()) {
            let held = before.accounts.values().filter(|other| other.location == account.location);
            let held: u64 = held.flat_map(|a| a.deployments.values()).map(|d| u64::from(d.capacity)).sum();
            let usage = Usage { name: QUOTA.into(), used: held + others, limit };
            there.usage.insert((account.location.clone(), quota_key(QUOTA)), usage);
        }
        let plan = laws::planned(&after, &there);
        let fits = |(location, (more, back)): (&Location, &(Vec<u64>, u64))| {
            let left = there.usage[&(location.clone(), quota_key(QUOTA))].left();
            more.iter().all(|more| *more <= left) && more.iter().sum::<u64>().saturating_sub(*back) <= left
        };
        let all = asked(&before, &after);
        prop_assert_eq!(short(&plan).len(), all.iter().filter(|quota| !fits(*quota)).count(), "{:?}", plan.refusals);
        // once it is carried out nothing is asked for, however little is left
        let mut done = there.clone();
        for change in &plan.changes {
            apply(&mut done, &after, change);
        }
        prop_assert_eq!(short(&laws::planned(&after, &done)).len(), 0);
    }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn what_the_plan_lets_through_the_local_azure_takes(desired in topology(), limit in 1u64..120) {
        let unique = arm::unique(&desired);
        let desired = desired.resolve(&unique);
        let cloud = Virtual::new().with_quota(QUOTA, limit);
        let (there, plan) = planned(&cloud, &desired);
        let enough = asked(&resolved(asking(&[])), &desired).values().all(|(more, _)| more.iter().sum::<u64>() <= limit);
        prop_assert_eq!(short(&plan).is_empty(), enough);
        let done = carry_out(&cloud, &desired, &there, &plan);
        prop_assert_eq!(done.is_ok(), enough, "{:?}", done.err());
        if enough {
            prop_assert!(planned(&cloud, &desired).1.is_empty());
        }
    }
}
