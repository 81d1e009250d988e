//! The laws of `plan`, over random topologies, with a live state that is a value.

use super::topologies::{UNIQUE, bodies, config, live, topology};
use aoai_lb::plan::{Action, Change, Plan, Scope, plan, show, wire};
use aoai_lb::topology::*;
use proptest::prelude::{Strategy as Arbitrary, any, prop, prop_assert, prop_assert_eq, proptest};
use std::collections::BTreeSet;

pub fn scope(desired: &Topology) -> Scope {
    Scope { bodies: bodies(desired), ..Scope::default() }
}

/// The same state, whose ids are of what its topology has, and of what no topology describes.
pub fn seen(live: &Live) -> Live {
    let mut live = live.clone();
    let described: BTreeSet<Address> = live.topology.addresses().into_iter().collect();
    live.ids.retain(|address, _| described.contains(address) || is_plain(&live.topology, address));
    let new = described.into_iter().map(|address| (address.clone(), format!("/{address}")));
    live.ids.extend(new);
    live
}

/// Whether live state has no more of it than its body.
fn is_plain(topology: &Topology, address: &Address) -> bool {
    match address {
        Address::Diagnostic { api, .. } => topology.apis.contains_key(api),
        Address::Logger(_) | Address::DiagnosticSetting => topology.gateway.is_some(),
        Address::Workspace | Address::AppInsights | Address::Workbook | Address::Alert(_) => true,
        _ => false,
    }
}

pub fn planned(desired: &Topology, live: &Live) -> Plan {
    plan(desired, &seen(live), &scope(desired))
}

pub fn resolved(topology: Topology) -> Topology {
    topology.resolve(UNIQUE)
}

/// Carries one change out on a value.
pub fn apply(live: &mut Live, desired: &Topology, change: &Change) {
    let address = &change.address;
    live.soft_deleted.retain(|held| {
        held.address.as_ref() != Some(address) || !matches!(change.action, Action::Recover | Action::Purge)
    });
    match change.action {
        Action::Create | Action::Update(_) | Action::Recover => {
            copy(&mut live.topology, desired, address);
            live.owners.insert(address.clone(), Owner::Ours);
            live.ids.insert(address.clone(), format!("/{address}"));
            live.bodies.extend(bodies(desired).remove(address).map(|body| (address.clone(), body)));
            if *address == Address::ResourceGroup {
                live.resource_group = Some(Owner::Ours);
            }
        }
        Action::Delete => {
            remove(&mut live.topology, address);
            live.owners.remove(address);
            live.ids.remove(address);
        }
        Action::Purge => {}
    }
}

fn copy(live: &mut Topology, desired: &Topology, address: &Address) {
    match address {
        Address::ResourceGroup => {}
        Address::Gateway => {
            live.gateway = desired.gateway.clone();
            live.tags = desired.tags.clone();
        }
        Address::Account(key) => {
            live.accounts
                .insert(key.clone(), Account { deployments: Default::default(), ..desired.accounts[key].clone() });
            live.tags = desired.tags.clone();
        }
        Address::Deployment { account, deployment } => {
            let made = desired.accounts[account].deployments[deployment].clone();
            let account = live.accounts.get_mut(account).expect("the account comes first");
            account.deployments.insert(deployment.clone(), made);
        }
        Address::Grant(key) => {
            assert!(live.gateway.is_some() && live.accounts.contains_key(key), "{address} before its ends");
            live.grants.insert(key.clone(), desired.grants[key]);
        }
        Address::Backend(key) => {
            live.backends.insert(key.clone(), desired.backends[key].clone());
        }
        Address::Pool(key) => {
            for member in &desired.pools[key].members {
                assert!(live.backends.contains_key(&member.backend), "{address} before its member {}", member.backend);
            }
            live.pools.insert(key.clone(), desired.pools[key].clone());
        }
        Address::Api(key) => {
            let Api { operations, policy, .. } = match live.apis.get(key) {
                Some(there) => there.clone(),
                None => Api {
                    operations: Default::default(),
                    policy: Policy::Other(String::new()),
                    ..desired.apis[key].clone()
                },
            };
            live.apis.insert(key.clone(), Api { operations, policy, ..desired.apis[key].clone() });
        }
        Address::Operation { api, operation } => {
            let made = desired.apis[api].operations[operation].clone();
            live.apis.get_mut(api).expect("the API comes first").operations.insert(operation.clone(), made);
        }
        Address::Policy(key) => {
            let policy = desired.apis[key].policy.clone();
            for pool in policy.intent().map(|intent| intent.routes.pools()).unwrap_or_default() {
                assert!(live.pool_by_name(pool).is_some(), "{address} before the pool {pool}");
            }
            live.apis.get_mut(key).expect("the API comes first").policy = policy;
        }
        Address::Subscription(key) => {
            let made = desired.subscriptions[key].clone();
            let there = match &made.access {
                Access::Api(key) => live.apis.contains_key(key),
                Access::Product(key) => live.products.contains_key(key),
            };
            assert!(there, "{address} before what it may call");
            live.subscriptions.insert(key.clone(), made);
        }
        Address::NamedValue(key) => {
            live.named_values.insert(key.clone(), desired.named_values[key].clone());
        }
        Address::Product(key) => {
            let there = live.products.get(key).map(|there| (there.apis.clone(), there.policy.clone()));
            let (apis, policy) = there.unwrap_or((BTreeSet::new(), Policy::Other(String::new())));
            live.products.insert(key.clone(), Product { apis, policy, ..desired.products[key].clone() });
        }
        Address::ProductApi { product, api } => {
            assert!(live.apis.contains_key(api), "{address} before its API");
            live.products.get_mut(product).expect("the product comes first").apis.insert(api.clone());
        }
        Address::ProductPolicy(key) => {
            live.products.get_mut(key).expect("the product comes first").policy = desired.products[key].policy.clone();
        }
        // live state has only their bodies
        Address::Workspace | Address::AppInsights | Address::Workbook | Address::Alert(_) => {}
        Address::Logger(_) | Address::DiagnosticSetting => assert!(live.gateway.is_some(), "{address} before it"),
        Address::Diagnostic { api, .. } => assert!(live.apis.contains_key(api), "{address} before its API"),
        other => panic!("no topology here has a {other}"),
    }
}

/// What a subscription may call.
fn called(subscription: &Subscription) -> Address {
    match &subscription.access {
        Access::Api(api) => Address::Api(api.clone()),
        Access::Product(product) => Address::Product(product.clone()),
    }
}

fn remove(live: &mut Topology, address: &Address) {
    match address {
        Address::ResourceGroup | Address::Gateway | Address::Account(_) => panic!("a deploy deletes no {address}"),
        Address::Deployment { account, deployment } => {
            live.accounts.get_mut(account).expect("an account").deployments.remove(deployment);
        }
        Address::Grant(key) => {
            live.grants.remove(key);
        }
        Address::Backend(key) => {
            let member = |pool: &Pool| pool.members.iter().any(|member| member.backend == *key);
            assert!(!live.pools.values().any(member), "{address} while a pool has it");
            live.backends.remove(key);
        }
        Address::Pool(key) => {
            let name = &live.pools[key].name;
            let routed =
                |api: &Api| api.policy.intent().is_some_and(|intent| intent.routes.pools().contains(&name.as_str()));
            assert!(!live.apis.values().any(routed), "{address} while a policy routes to it");
            live.pools.remove(key);
        }
        Address::Api(key) => {
            assert!(
                !live.subscriptions.values().any(|s| called(s) == *address),
                "{address} while it has subscriptions"
            );
            assert!(!live.products.values().any(|p| p.apis.contains(key)), "{address} while it is in a product");
            live.apis.remove(key);
        }
        Address::Operation { api, operation } => {
            live.apis.get_mut(api).expect("an API").operations.remove(operation);
        }
        Address::Policy(key) => live.apis.get_mut(key).expect("an API").policy = Policy::Other(String::new()),
        Address::Subscription(key) => {
            live.subscriptions.remove(key);
        }
        Address::NamedValue(key) => {
            live.named_values.remove(key);
        }
        Address::Product(key) => {
            assert!(
                !live.subscriptions.values().any(|s| called(s) == *address),
                "{address} while it has subscriptions"
            );
            live.products.remove(key);
        }
        Address::ProductApi { product, api } => {
            live.products.get_mut(product).expect("a product").apis.remove(api);
        }
        Address::ProductPolicy(key) => {
            live.products.get_mut(key).expect("a product").policy = Policy::Other(String::new());
        }
        Address::Workspace
        | Address::AppInsights
        | Address::Workbook
        | Address::Alert(_)
        | Address::Logger(_)
        | Address::DiagnosticSetting
        | Address::Diagnostic { .. } => {}
        other => panic!("no topology here has a {other}"),
    }
}

/// A random live state near a random topology: parts of it missing, parts changed, other things beside it.
fn pair() -> impl Arbitrary<Value = (Topology, Live)> {
    (
        topology(),
        topology(),
        prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        any::<bool>(),
        0..3u8,
        0..4usize,
    )
        .prop_map(|(desired, other, cuts, foreign, absent, strange)| {
            let (desired, other) = (resolved(desired), resolved(other));
            let mut before = other.clone();
            // what exists of accounts and the gateway equals the spec, or is not in it
            before.tags = desired.tags.clone();
            let all = before.addresses();
            let mut state = live(&before, &Owner::Ours);
            for cut in cuts {
                let address = cut.get(&all).clone();
                match &address {
                    Address::Backend(key)
                        if before.pools.values().all(|p| p.members.iter().all(|m| m.backend != *key)) =>
                    {
                        state.topology.backends.remove(key);
                    }
                    Address::Operation { api, operation } => {
                        if let Some(api) = state.topology.apis.get_mut(api) {
                            api.operations.remove(operation);
                        }
                    }
                    Address::Subscription(key) => {
                        state.topology.subscriptions.remove(key);
                    }
                    Address::Grant(key) => {
                        state.topology.grants.remove(key);
                    }
                    Address::Policy(key) => {
                        if let Some(api) = state.topology.apis.get_mut(key) {
                            api.policy = Policy::Other("<policies />\n".into());
                        }
                    }
                    _ => {}
                }
            }
            if absent == 0 {
                state.topology.gateway = None;
                state.topology.apis.clear();
                state.topology.pools.clear();
                state.topology.backends.clear();
                state.topology.subscriptions.clear();
                state.topology.products.clear();
                state.topology.named_values.clear();
                state.topology.grants.clear();
            }
            let mut state = seen(&state);
            if foreign {
                let strangers: Vec<Address> = state.addresses().into_iter().skip(strange).step_by(3).collect();
                for address in strangers {
                    state.owners.insert(address, Owner::Foreign);
                }
            }
            (desired, state)
        })
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn a_plan_of_what_is_there_is_empty(desired in topology(), theirs in any::<bool>()) {
        let desired = resolved(desired);
        let owner = if theirs { Owner::Foreign } else { Owner::Ours };
        let plan = planned(&desired, &live(&desired, &owner));
        prop_assert!(plan.is_empty(), "{}", plan.summary());
        prop_assert!(plan.kept.is_empty());
        prop_assert_eq!(plan.unchanged.len(), desired.addresses().len() + 1);
    }

    #[test]
    fn carrying_a_plan_out_leaves_nothing_to_do((desired, mut state) in pair()) {
        let plan = planned(&desired, &state);
        if plan.refusals.is_empty() {
            for change in &plan.changes {
                apply(&mut state, &desired, change);
            }
            let again = planned(&desired, &state);
            prop_assert!(again.is_empty(), "{:#?}", again.changes);
        }
    }

    #[test]
    fn nothing_that_is_not_ours_is_deleted_or_overwritten((desired, state) in pair()) {
        let plan = planned(&desired, &state);
        for change in &plan.changes {
            let owner = match &change.address {
                Address::Operation { api, .. } | Address::Policy(api) | Address::Diagnostic { api, .. } => Address::Api(api.clone()),
                Address::ProductApi { product, .. } | Address::ProductPolicy(product) => Address::Product(product.clone()),
                Address::Subscription(key) => {
                    let found = state.topology.subscriptions.get(key);
                    match found.filter(|_| change.action == Action::Delete) {
                        Some(found) => called(found),
                        None => change.address.clone(),
                    }
                }
                other => other.clone(),
            };
            let host = match &change.address {
                Address::Deployment { account, .. } => Some(Address::Account(account.clone())),
                Address::Operation { api, .. } | Address::Policy(api) | Address::Diagnostic { api, .. } => {
                    Some(Address::Api(api.clone()))
                }
                Address::ProductApi { product, .. } | Address::ProductPolicy(product) => {
                    Some(Address::Product(product.clone()))
                }
                Address::Backend(_)
                | Address::Pool(_)
                | Address::Api(_)
                | Address::Subscription(_)
                | Address::Product(_)
                | Address::NamedValue(_)
                | Address::Logger(_) => Some(Address::Gateway),
                _ => None,
            };
            if let Some(host) = host.filter(|host| change.action == Action::Create && state.has(host)) {
                prop_assert_eq!(state.owners.get(&host), Some(&Owner::Ours), "{} in {}", change.address, host);
            }
            if matches!(change.action, Action::Delete | Action::Update(_)) {
                prop_assert_eq!(state.owners.get(&owner), Some(&Owner::Ours), "{}", change.address);
            }
        }
        // everything is told about exactly once
        for address in state.addresses() {
            let told = plan.changes.iter().filter(|change| change.address == address).count()
                + plan.unchanged.iter().filter(|same| **same == address).count()
                + plan.kept.iter().filter(|kept| kept.address.as_ref() == Some(&address)).count();
            prop_assert!(told <= 1, "{} is told {} times", address, told);
            prop_assert!(told == 1 || !plan.refusals.is_empty() || !desired.has(&address), "{} is not told", address);
        }
    }

    #[test]
    fn order_is_that_of_phases_and_text_and_json_can_be_made((desired, state) in pair()) {
        let plan = planned(&desired, &state);
        prop_assert!(plan.changes.windows(2).all(|pair| pair[0].phase <= pair[1].phase));
        prop_assert!(plan.changes.iter().all(|change| change.takes.from <= change.takes.to));
        let lines = show::lines(&plan, show::Detail::Everything);
        let whole = lines.iter().all(|line| !line.text().contains(char::is_control));
        prop_assert!(whole);
        let document = serde_json::to_value(wire::document(&plan)).expect("a document");
        prop_assert_eq!(document["format"].as_u64(), Some(1));
        prop_assert_eq!(document["changes"].as_array().map(Vec::len), Some(plan.changes.len()));
    }
}
