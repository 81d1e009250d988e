//! Topologies to render: the examples, two made by hand, and any.

use aoai_lb::time::Duration;
use aoai_lb::topology::*;
use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use std::collections::BTreeMap;
use std::path::Path;

type Map<T> = BTreeMap<String, T>;

fn map<T, const N: usize>(items: [(&str, T); N]) -> Map<T> {
    items.into_iter().map(|(key, item)| (key.to_owned(), item)).collect()
}

fn account(key: &str, location: &str, deployments: Map<Deployment>) -> Account {
    Account::new(Name::Unique(format!("aoai-{key}-")), Location::new(location), deployments)
}

fn deployment(sku: DeploymentSku, capacity: u32) -> Deployment {
    Deployment::new("gpt-4.1", "2025-04-14", sku, capacity)
}

fn backend(name: &str, account: &str, deployment: &str, breaker: Breaker) -> Backend {
    let target = Target::Deployment { account: account.into(), deployment: deployment.into() };
    Backend::new(name, target, Some(breaker))
}

fn member(backend: &str, priority: u8, weight: u8) -> Member {
    Member { backend: backend.into(), priority, weight }
}

fn api(routes: &[(&str, &str)]) -> Api {
    let routes = routes.iter().map(|(name, pool)| ((*name).into(), (*pool).into())).collect();
    Api::new("openai", Policy::Rendered(Intent::new(Routes::ByName(routes))))
}

fn subscription(name: &str) -> Subscription {
    Subscription { name: name.into(), display_name: name.into(), access: Access::Api("openai".into()), tracing: false }
}

fn topology(name: &str) -> Topology {
    let stack = Stack { name: name.into(), environment: String::new() };
    let location = Location::new("eastus2");
    let publisher = Publisher { name: "Contoso".into(), email: "ai@contoso.com".into() };
    let gateway = Some(Gateway::new(Name::Unique("apim-".into()), location.clone(), publisher));
    let scope = Scope { subscription: None, resource_group: format!("rg-{name}"), location };
    Topology { gateway, ..Topology::new(stack, scope) }
}

fn granted(mut topology: Topology) -> Topology {
    topology.grants = topology.accounts.keys().map(|key| (key.clone(), Role::OpenAIUser)).collect();
    topology
}

/// One region, one model, one pool.
pub fn minimal() -> Topology {
    let deployments = map([("gpt-4.1", deployment(DeploymentSku::GlobalStandard, 100))]);
    granted(Topology {
        accounts: map([("eastus2", account("eastus2", "eastus2", deployments))]),
        backends: map([("eastus2-gpt-4.1", backend("eastus2-gpt-4.1", "eastus2", "gpt-4.1", defaults::breaker()))]),
        pools: map([("gpt-4.1", Pool::new("gpt-4.1", vec![member("eastus2-gpt-4.1", 1, 1)]))]),
        apis: map([("openai", api(&[("gpt-4.1", "gpt-4.1")]))]),
        subscriptions: map([("default", subscription("default")), ("probe", subscription("probe"))]),
        ..topology("minimal")
    })
}

/// Provisioned first, two metered regions behind it, different deployment names, names of one's own.
pub fn two_regions() -> Topology {
    let east = map([
        ("chat-ptu", deployment(DeploymentSku::ProvisionedManaged, 50)),
        ("chat", deployment(DeploymentSku::GlobalStandard, 100)),
    ]);
    let sweden = map([("chat-sweden", deployment(DeploymentSku::DataZoneStandard, 100))]);
    let mut base = topology("two-regions");
    base.stack.environment = "dev".into();
    if let Some(gateway) = &mut base.gateway {
        gateway.name = Name::Literal("apim-two-regions".into());
        gateway.sku = GatewaySku::Developer;
    }
    let literal = |account: Account, name: &str| Account { name: Name::Literal(name.into()), ..account };
    granted(Topology {
        tags: map([("cost center", "it's 42".into()), ("owner", "platform".into())]),
        accounts: map([
            ("east-us", literal(account("east-us", "East US 2", east), "aoai-two-regions-east")),
            ("sweden", account("sweden", "swedencentral", sweden)),
        ]),
        backends: map([
            ("ptu", backend("ptu", "east-us", "chat-ptu", defaults::breaker_provisioned())),
            ("east", backend("east", "east-us", "chat", defaults::breaker())),
            (
                "sweden",
                backend(
                    "sweden",
                    "sweden",
                    "chat-sweden",
                    Breaker { threshold: Threshold::Percentage(50), ..defaults::breaker() },
                ),
            ),
        ]),
        pools: map([(
            "gpt-4.1",
            Pool::new("gpt-4.1", vec![member("ptu", 1, 1), member("east", 2, 50), member("sweden", 2, 50)]),
        )]),
        apis: map([("openai", api(&[("chat", "gpt-4.1"), ("gpt-4.1", "gpt-4.1")]))]),
        subscriptions: map([("probe", subscription("probe")), ("team-a", subscription("team-a"))]),
        ..base
    })
}

/// The shipped examples by name, as a user's spec becomes a topology.
pub fn examples() -> Vec<(String, Topology)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = |path: &str| std::fs::read_to_string(folder.join(path)).map_err(|error| error.to_string());
    let load = |name: String| {
        let text = files(&format!("{name}.yaml")).expect("the example");
        let options = aoai_lb::spec::Options { files: &files, ..aoai_lb::spec::Options::default() };
        let loaded = aoai_lb::spec::load(&text, &options);
        let topology = loaded.unwrap_or_else(|problems| panic!("{name}: {problems:?}")).topology;
        (name, topology)
    };
    crate::cli::examples().into_iter().map(load).collect()
}

/// The examples, and what they do not show: names of one's own, an environment, percentages, odd keys.
pub fn several() -> Vec<(String, Topology)> {
    let mut several = examples();
    several.extend([("one region".to_owned(), minimal()), ("names of its own".to_owned(), two_regions())]);
    let observed = [("observed", super::observed::observed()), ("shared workspace", super::observed::shared())];
    several.extend(observed.map(|(name, topology)| (name.to_owned(), topology)));
    several
}

/// A text as people write it, as printers fear it, or any.
pub fn anything() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        "[a-z][a-z0-9.-]{0,12}",
        "[\\[\\]{}$'\"\\\\\n\r\t%@<>&/ a0:#-]{0,10}",
        "\\PC{0,6}",
        "[\u{0}\u{7f}\u{85}\u{2028}\u{2029}\u{feff}\u{e9}\u{1f600}]{0,3}",
    ]
}

fn key() -> impl Strategy<Value = String> + Clone {
    prop_oneof![4 => "[a-z][a-z0-9.-]{0,8}", 1 => anything()]
}

fn any_name() -> impl Strategy<Value = Name> {
    prop_oneof![anything().prop_map(Name::Literal), anything().prop_map(Name::Unique)]
}

fn any_deployment() -> impl Strategy<Value = Deployment> {
    use VersionUpgrade::*;
    let upgrade = prop::sample::select(vec![NoAutoUpgrade, OnceCurrentVersionExpired, OnceNewDefaultVersionAvailable]);
    (anything(), anything(), prop::sample::select(DeploymentSku::ALL.to_vec()), 1..1000u32, upgrade).prop_map(
        |(name, version, sku, capacity, version_upgrade)| Deployment {
            version_upgrade,
            ..Deployment::new(&name, &version, sku, capacity)
        },
    )
}

fn any_account() -> impl Strategy<Value = Account> {
    let kind = prop_oneof![Just(AccountKind::OpenAI), Just(AccountKind::AIServices)];
    (any_name(), anything(), kind, btree_map(key(), any_deployment(), 0..4)).prop_map(
        |(name, location, kind, deployments)| Account {
            kind,
            ..Account::new(name, Location::new(&location), deployments)
        },
    )
}

fn any_breaker() -> impl Strategy<Value = Breaker> {
    let threshold = prop_oneof![(1..10_001u32).prop_map(Threshold::Count), (1..101u8).prop_map(Threshold::Percentage)];
    let range = (200..600u16, 0..9u16).prop_map(|(min, width)| StatusRange { min, max: (min + width).min(599) });
    let seconds = || (1..100_000u64).prop_map(Duration::from_secs);
    (anything(), threshold, seconds(), vec(range, 0..4), seconds(), any::<bool>()).prop_map(
        |(name, threshold, interval, status_codes, trip_duration, accept_retry_after)| Breaker {
            name,
            threshold,
            interval,
            status_codes,
            trip_duration,
            accept_retry_after,
            error_reasons: Vec::new(),
        },
    )
}

/// Any topology whose references hold.
pub fn any_topology() -> impl Strategy<Value = Topology> {
    let stack = (anything(), anything()).prop_map(|(name, environment)| Stack { name, environment });
    let gateway = (any_name(), prop::sample::select(GatewaySku::ALL.to_vec()), 0..30u32, anything(), anything())
        .prop_map(|(name, sku, capacity, publisher, email)| Gateway {
            sku,
            capacity,
            ..Gateway::new(name, Location::new("eastus2"), Publisher { name: publisher, email })
        });
    let accounts = btree_map(key(), any_account(), 0..4);
    let gateway = prop_oneof![9 => gateway.prop_map(Some), 1 => Just(None)];
    (stack, btree_map(key(), anything(), 0..3), gateway, accounts)
        .prop_flat_map(|(stack, tags, gateway, accounts)| {
            let targets: Vec<Target> = accounts
                .iter()
                .flat_map(|(account, a)| {
                    a.deployments.keys().map(move |deployment| (account.clone(), deployment.clone()))
                })
                .map(|(account, deployment)| Target::Deployment { account, deployment })
                .chain([Target::Url("https://example.com/openai/deployments/x".into())])
                .collect();
            let backend = (key(), prop::sample::select(targets), prop::option::of(any_breaker()))
                .prop_map(|(name, target, breaker)| Backend::new(&name, target, breaker));
            let granted = prop::sample::subsequence(accounts.keys().cloned().collect::<Vec<_>>(), 0..=accounts.len());
            let base = Topology { stack, tags, gateway, accounts, ..topology("any") };
            (Just(base), granted, btree_map(key(), backend, 0..5))
        })
        .prop_flat_map(|(base, granted, backends)| {
            let members: Vec<String> = backends.keys().cloned().collect();
            let some = prop::sample::subsequence(members.clone(), 0..=members.len());
            let pool = (key(), some, 0..101u8, 0..101u8).prop_map(|(name, members, priority, weight)| {
                let members = members.into_iter().map(|backend| Member { backend, priority, weight });
                Pool::new(&name, members.collect())
            });
            let grants = granted.into_iter().map(|key| (key, Role::OpenAIUser)).collect();
            let base = Topology { grants, backends, ..base };
            (Just(base), btree_map(key(), pool, 0..3))
        })
        .prop_flat_map(|(base, pools)| {
            let names: Vec<String> = pools.values().map(|pool| pool.name.clone()).chain(["gone".into()]).collect();
            let operation = (anything(), anything()).prop_map(|(display_name, url_template)| Operation {
                display_name,
                method: "POST".into(),
                url_template,
            });
            let routes = btree_map(key(), prop::sample::select(names), 0..3).prop_map(Routes::ByName);
            let api = (key(), anything(), anything(), btree_map(key(), operation, 0..3), routes, any::<bool>())
                .prop_map(|(name, display_name, path, operations, routes, ours)| {
                    let policy = match ours {
                        true => Policy::Rendered(Intent::new(routes)),
                        false => Policy::Other(format!("<policies><!-- {display_name} --></policies>")),
                    };
                    Api { display_name, path, operations, ..Api::new(&name, policy) }
                });
            (Just(Topology { pools, ..base }), btree_map(key(), api, 0..3))
        })
        .prop_flat_map(|(base, apis)| {
            let keys: Vec<String> = apis.keys().cloned().chain(["gone".into()]).collect();
            let subscription = (key(), anything(), prop::sample::select(keys), any::<bool>()).prop_map(
                |(name, display_name, api, tracing)| Subscription {
                    name,
                    display_name,
                    access: Access::Api(api),
                    tracing,
                },
            );
            let base = Topology { apis, ..base };
            btree_map(key(), subscription, 0..3)
                .prop_map(move |subscriptions| Topology { subscriptions, ..base.clone() })
        })
}
