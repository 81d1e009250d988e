//! Topologies to plan and deploy: the one of the quickstart, and random ones.

use aoai_lb::time::Duration;
use aoai_lb::topology::{defaults, *};
use proptest::prelude::{ProptestConfig, Strategy as Arbitrary, any, prop};
use std::collections::BTreeMap;

pub const UNIQUE: &str = "a7wkljktk6wne";

/// The configuration of every law here: the same cases each time, unless it is night.
pub fn config(cases: u32) -> ProptestConfig {
    let nightly = std::env::var_os("AOAI_LB_NIGHTLY").is_some();
    ProptestConfig {
        cases: if nightly { cases * 100 } else { cases },
        rng_seed: if nightly {
            proptest::test_runner::RngSeed::Random
        } else {
            proptest::test_runner::RngSeed::Fixed(1)
        },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Two accounts with a deployment each, a pool with the weights 10 and 20, an API, two subscriptions.
pub fn quickstart() -> Topology {
    let account = |region: &str| {
        let deployments = BTreeMap::from([("gpt".to_owned(), deployment(10))]);
        Account::new(Name::Unique(format!("aoai-{region}-")), Location::new(region), deployments)
    };
    let regions = ["eastus2", "swedencentral"];
    let backends = regions.map(|region| (region.to_owned(), backend(region, region, "gpt")));
    let pool = Pool::new(
        "gpt-pool",
        vec![
            Member { backend: "eastus2".into(), priority: 1, weight: 10 },
            Member { backend: "swedencentral".into(), priority: 1, weight: 20 },
        ],
    );
    let stack = Stack { name: "quick".into(), environment: String::new() };
    let scope = Scope {
        subscription: Some("00000000-0000-0000-0000-000000000001".into()),
        resource_group: "rg-quick".into(),
        location: Location::new("eastus2"),
    };
    let publisher = Publisher { name: "Contoso".into(), email: "ai@contoso.com".into() };
    Topology {
        tags: BTreeMap::from([("owner".to_owned(), "platform".to_owned())]),
        gateway: Some(Gateway::new(Name::Unique("apim-".into()), Location::new("eastus2"), publisher)),
        accounts: regions.map(|region| (region.to_owned(), account(region))).into(),
        grants: regions.map(|region| (region.to_owned(), Role::OpenAIUser)).into(),
        backends: backends.into(),
        pools: BTreeMap::from([("gpt-pool".to_owned(), pool)]),
        apis: BTreeMap::from([("openai".to_owned(), api("openai", &["gpt-pool"]))]),
        subscriptions: BTreeMap::from([
            ("default".to_owned(), subscription("default", "openai")),
            (defaults::PROBE.to_owned(), subscription(defaults::PROBE, "openai")),
        ]),
        ..Topology::new(stack, scope)
    }
}

pub fn deployment(capacity: u32) -> Deployment {
    Deployment {
        version_upgrade: VersionUpgrade::NoAutoUpgrade,
        ..Deployment::new("gpt-4.1", "2025-04-14", DeploymentSku::GlobalStandard, capacity)
    }
}

pub fn backend(name: &str, account: &str, deployment: &str) -> Backend {
    let target = Target::Deployment { account: account.into(), deployment: deployment.into() };
    Backend::new(name, target, Some(defaults::breaker()))
}

pub fn api(name: &str, pools: &[&str]) -> Api {
    let routes = pools.iter().map(|pool| (format!("model-{pool}"), (*pool).to_owned())).collect();
    let policy = Policy::Rendered(Intent::new(Routes::ByName(routes)));
    Api { display_name: format!("API {name}"), ..Api::new(name, policy) }
}

pub fn subscription(name: &str, api: &str) -> Subscription {
    Subscription { name: name.into(), display_name: name.into(), access: Access::Api(api.into()), tracing: false }
}

/// A random topology: up to three accounts with up to three deployments, backends for some, pools over some.
pub fn topology() -> impl Arbitrary<Value = Topology> {
    let deployments = prop::collection::btree_map("[a-d]", 1u32..50, 1..5);
    let accounts = prop::collection::btree_map(prop::sample::select(vec!["east", "north", "west"]), deployments, 1..4);
    let seeds = prop::collection::vec((any::<prop::sample::Index>(), 0u8..4, 1u8..101), 2..8);
    let breakers = prop::collection::vec((1u32..10, 1u64..600, any::<bool>(), any::<bool>()), 12);
    (accounts, seeds, breakers, 1usize..3, any::<bool>()).prop_map(|(accounts, seeds, breakers, pools, tagged)| {
        let mut topology = quickstart();
        if !tagged {
            topology.tags.clear();
        }
        let regions = BTreeMap::from([("east", "eastus2"), ("north", "swedencentral"), ("west", "westus3")]);
        topology.accounts.clear();
        topology.backends.clear();
        for (key, deployments) in &accounts {
            let made = deployments.iter().map(|(name, capacity)| (name.clone(), deployment(*capacity)));
            let name = Name::Unique(format!("aoai-{key}-"));
            let account = Account::new(name, Location::new(regions[key]), made.collect());
            topology.accounts.insert((*key).to_owned(), account);
            for (name, rule) in deployments.keys().zip(&breakers) {
                let key = format!("{key}-{name}");
                let mut backend = backend(&key, key.split('-').next().unwrap_or_default(), name);
                let (count, interval, retry_after, broken) = *rule;
                backend.breaker = broken.then(|| Breaker {
                    threshold: Threshold::Count(count),
                    interval: Duration::from_secs(interval),
                    accept_retry_after: retry_after,
                    ..defaults::breaker()
                });
                topology.backends.insert(key, backend);
            }
        }
        topology.grants = topology.accounts.keys().map(|key| (key.clone(), Role::OpenAIUser)).collect();
        let names: Vec<Key> = topology.backends.keys().cloned().collect();
        topology.pools = (0..pools)
            .map(|n| {
                let mut members: Vec<Member> = Vec::new();
                for (index, priority, weight) in seeds.iter().skip(n) {
                    let backend = index.get(&names).clone();
                    if members.iter().all(|member| member.backend != backend) {
                        members.push(Member { backend, priority: *priority, weight: *weight });
                    }
                }
                (format!("pool-{n}"), Pool::new(&format!("pool-{n}"), members))
            })
            .collect();
        let pools: Vec<&str> = topology.pools.keys().map(String::as_str).collect();
        topology.apis = BTreeMap::from([("openai".to_owned(), api("openai", &pools))]);
        topology
    })
}

/// What a resolved topology writes.
pub fn bodies(topology: &Topology) -> BTreeMap<Address, serde_json::Value> {
    aoai_lb::template::written(topology).into_iter().map(|(address, written)| (address, written.body)).collect()
}

/// Live state that holds exactly `topology`, all of it `owner`'s.
pub fn live(topology: &Topology, owner: &Owner) -> Live {
    Live {
        resource_group: Some(owner.clone()),
        owners: topology.addresses().into_iter().map(|address| (address, owner.clone())).collect(),
        etags: BTreeMap::new(),
        ids: topology.addresses().into_iter().map(|address| (address.clone(), format!("/{address}"))).collect(),
        principal: Some("p".into()),
        gateway_url: None,
        soft_deleted: Vec::new(),
        usage: BTreeMap::new(),
        busy: BTreeMap::new(),
        bodies: bodies(topology),
        undescribed: Vec::new(),
        running: None,
        topology: Topology { observability: None, ..topology.clone() },
    }
}
