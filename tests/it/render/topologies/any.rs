//! Any topology whose references hold: with texts that printers fear, or with such as Azure takes.

use super::super::observed::{any_definition, any_observability, any_products};
use super::{OTHER, elsewhere, topology};
use aoai_lb::time::Duration;
use aoai_lb::topology::intent::{Candidate, CandidateKey};
use aoai_lb::topology::*;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select, subsequence};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// What the texts of a topology are like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Texts {
    /// Whatever YAML can hold.
    Any,
    /// Names and values that Azure takes.
    Plain,
}

/// A text as people write it, as printers fear it, or any.
pub fn anything() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        "[a-z][a-z0-9.-]{0,12}",
        "[\\[\\]{}$'\"\\\\\n\r\t%@<>&/ a0:#-]{0,10}",
        "\\PC{0,6}",
        "[\u{0}\u{7f}\u{85}\u{2028}\u{2029}\u{feff}\u{e9}\u{1f600}]{0,3}",
        Just("https://x.VAULT.azure.net/secrets/a".to_owned()),
    ]
}

/// Any topology whose references hold.
pub fn any_topology() -> impl Strategy<Value = Topology> {
    topology_of(Texts::Any)
}

impl Texts {
    pub fn text(self) -> BoxedStrategy<String> {
        match self {
            Texts::Any => anything().boxed(),
            Texts::Plain => "[a-z][a-z0-9]{1,12}".boxed(),
        }
    }

    pub fn key(self) -> BoxedStrategy<String> {
        match self {
            Texts::Any => prop_oneof![4 => "[a-z][a-z0-9.-]{0,8}", 1 => anything()].boxed(),
            Texts::Plain => "[a-z][a-z0-9-]{1,8}[a-z0-9]".boxed(),
        }
    }

    pub fn name(self) -> BoxedStrategy<Name> {
        prop_oneof![self.text().prop_map(Name::Literal), self.text().prop_map(Name::Unique)].boxed()
    }

    /// Names that differ from each other.
    fn id(self, of: &str) -> BoxedStrategy<String> {
        let group = self.group();
        let of = of.to_owned();
        (group, self.text())
            .prop_map(move |(group, name)| {
                format!("/subscriptions/{OTHER}/resourceGroups/{group}/providers/{of}/{name}")
            })
            .boxed()
    }

    fn group(self) -> BoxedStrategy<String> {
        match self {
            Texts::Any => prop_oneof![2 => anything(), 1 => "[a-z]{70,90}"].boxed(),
            Texts::Plain => "rg-[a-z]{1,8}".boxed(),
        }
    }

    fn properties(self, fitting: Json) -> BoxedStrategy<Properties> {
        let fitting = fitting.as_object().cloned().unwrap_or_default();
        match self {
            Texts::Any => btree_map(self.key(), any_json(), 0..3).prop_map(|all| all.into_iter().collect()).boxed(),
            Texts::Plain => prop_oneof![Just(Properties::new()), Just(fitting)].boxed(),
        }
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (-1000..1000i32).prop_map(|number| Json::from(f64::from(number) / 8.0)),
        anything().prop_map(Json::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Json::from),
            btree_map(Texts::Any.key(), inner, 0..3).prop_map(|all| Json::Object(all.into_iter().collect())),
        ]
    })
}

fn place(texts: Texts) -> impl Strategy<Value = Place> {
    let subscription = match texts {
        Texts::Any => prop_oneof![Just(OTHER.to_owned()), anything()].boxed(),
        Texts::Plain => Just(OTHER.to_owned()).boxed(),
    };
    let other = (option::of(subscription), option::of(texts.group()));
    prop_oneof![
        2 => Just(Place::default()),
        1 => other.prop_map(|(subscription, group)| elsewhere(subscription.as_deref(), group.as_deref())),
    ]
}

fn standing() -> impl Strategy<Value = Standing> {
    prop_oneof![2 => Just(Standing::Managed), 1 => Just(Standing::Existing)]
}

fn any_deployment(texts: Texts) -> impl Strategy<Value = Deployment> {
    use VersionUpgrade::*;
    let upgrade = select(vec![NoAutoUpgrade, OnceCurrentVersionExpired, OnceNewDefaultVersionAvailable]);
    let rai_policy = option::of(texts.text());
    (texts.text(), texts.text(), texts.text(), select(DeploymentSku::ALL.to_vec()), 1..1000u32, upgrade, rai_policy)
        .prop_map(|(format, name, version, sku, capacity, version_upgrade, rai_policy)| Deployment {
            model: Model { format, name: name.clone(), version: version.clone() },
            version_upgrade,
            rai_policy,
            ..Deployment::new(&name, &version, sku, capacity)
        })
}

/// Deployments of one account; some spill over to another, if only in a ring.
fn any_deployments(texts: Texts) -> impl Strategy<Value = BTreeMap<String, Deployment>> {
    let spillovers = vec(option::of(any::<Index>()), 4);
    (btree_map(texts.key(), any_deployment(texts), 0..4), spillovers).prop_map(|(mut all, spillovers)| {
        let keys: Vec<String> = all.keys().cloned().collect();
        for (deployment, target) in all.values_mut().zip(spillovers) {
            deployment.spillover = target.map(|target| target.get(&keys).clone());
        }
        all
    })
}

fn any_account(texts: Texts) -> impl Strategy<Value = Account> {
    let kind = prop_oneof![Just(AccountKind::OpenAI), Just(AccountKind::AIServices)];
    let zone = option::of(texts.id("Microsoft.Network/privateDnsZones"));
    let subnet = texts.id("Microsoft.Network/virtualNetworks/vnet/subnets");
    let endpoint = (subnet, zone).prop_map(|(subnet, dns_zone)| PrivateEndpoint { subnet, dns_zone });
    let network = (any::<bool>(), option::weighted(0.3, endpoint))
        .prop_map(|(public, private_endpoint)| AccountNetwork { public, private_endpoint });
    let properties = texts.properties(json!({ "allowProjectManagement": true, "networkAcls": { "ipRules": [] } }));
    let whereabouts = (texts.name(), texts.text(), place(texts), standing());
    (whereabouts, kind, any_deployments(texts), network, properties).prop_map(
        |((name, location, place, standing), kind, deployments, network, properties)| Account {
            kind,
            place,
            standing,
            network,
            properties,
            ..Account::new(name, Location::new(&location), deployments)
        },
    )
}

fn any_gateway(texts: Texts) -> impl Strategy<Value = Gateway> {
    let written = texts.id("Microsoft.ManagedIdentity/userAssignedIdentities");
    let identity = prop_oneof![
        2 => Just(Identity::System),
        1 => texts.text().prop_map(Identity::Managed),
        1 => written.prop_map(Identity::Existing),
        1 => texts.text().prop_map(Identity::Existing),
    ];
    let mode = prop_oneof![Just(NetworkMode::External), Just(NetworkMode::Internal)];
    let network = (texts.id("Microsoft.Network/virtualNetworks/vnet/subnets"), mode);
    let network = option::weighted(0.3, network.prop_map(|(subnet, mode)| GatewayNetwork { subnet, mode }));
    let properties = texts.properties(json!({ "disableGateway": true, "zoneRedundant": true }));
    let publisher = (texts.text(), texts.text()).prop_map(|(name, email)| Publisher { name, email });
    let service = (texts.name(), select(GatewaySku::ALL.to_vec()), 0..30u32, publisher);
    (service, place(texts), standing(), identity, network, properties).prop_map(
        |((name, sku, capacity, publisher), place, standing, identity, network, properties)| Gateway {
            sku,
            capacity,
            place: if standing == Standing::Existing { place } else { Place::default() },
            standing,
            identity,
            network,
            properties,
            ..Gateway::new(name, Location::new("eastus2"), publisher)
        },
    )
}

fn any_breaker(texts: Texts) -> impl Strategy<Value = Breaker> {
    let threshold = prop_oneof![(1..10_001u32).prop_map(Threshold::Count), (1..101u8).prop_map(Threshold::Percentage)];
    let range = (200..600u16, 0..9u16).prop_map(|(min, width)| StatusRange { min, max: (min + width).min(599) });
    let seconds = || (1..100_000u64).prop_map(Duration::from_secs);
    let counted = (vec(range, 0..4), vec(texts.text(), 0..3));
    (texts.text(), threshold, seconds(), counted, seconds(), any::<bool>()).prop_map(
        |(name, threshold, interval, (status_codes, error_reasons), trip_duration, accept_retry_after)| Breaker {
            name,
            threshold,
            interval,
            status_codes,
            error_reasons,
            trip_duration,
            accept_retry_after,
        },
    )
}

fn any_named_value(texts: Texts) -> impl Strategy<Value = NamedValue> {
    let holds = prop_oneof![Just(Holds::ClientId), texts.text().prop_map(Holds::Vault)];
    (texts.key(), holds).prop_map(|(name, holds)| NamedValue { name, holds })
}

/// Everything that a backend of these accounts can call.
fn targets(accounts: &BTreeMap<String, Account>) -> Vec<Target> {
    let mut all = vec![Target::Url("https://example.com/openai/deployments/x".into())];
    for (account, found) in accounts {
        all.push(Target::Account { account: account.clone() });
        for deployment in found.deployments.keys() {
            let (account, deployment) = (account.clone(), deployment.clone());
            all.push(Target::Deployment { account: account.clone(), deployment: deployment.clone() });
            all.push(Target::V1 { account, deployment });
        }
    }
    all
}

fn any_pool(texts: Texts, members: Vec<String>) -> impl Strategy<Value = Pool> {
    let some = match texts {
        Texts::Plain if !members.is_empty() => subsequence(members.clone(), 1..=members.len()).boxed(),
        _ => subsequence(members.clone(), 0..=members.len()).boxed(),
    };
    let balancing = prop_oneof![3 => Just(Balancing::Native), 1 => Just(Balancing::Policy)];
    let options = (option::of(100..600u16), option::of(texts.text()));
    (texts.key(), some, 0..101u8, 0..101u8, balancing, options).prop_map(
        |(name, members, priority, weight, balancing, (failure_status, session_affinity))| {
            let members = members.into_iter().map(|backend| Member { backend, priority, weight });
            Pool { balancing, failure_status, session_affinity, ..Pool::new(&name, members.collect()) }
        },
    )
}

/// What a policy can name: pools, backends and named values of this topology, and such as are not there.
fn any_intent(base: &Topology, texts: Texts) -> impl Strategy<Value = Intent> + use<> {
    let gone = || ["gone".to_owned()];
    let pools: Vec<String> = base.pools.values().map(|pool| pool.name.clone()).chain(gone()).collect();
    let backends: Vec<String> = base.backends.values().map(|backend| backend.name.clone()).chain(gone()).collect();
    let values: Vec<String> = base.named_values.values().map(|value| value.name.clone()).chain(gone()).collect();
    let key =
        (texts.text(), select(values.clone())).prop_map(|(header, named_value)| CandidateKey { header, named_value });
    let candidate = (select(backends.clone()), 1..4u8, 0..101u8, option::of(key))
        .prop_map(|(backend, priority, weight, credential)| Candidate { backend, priority, weight, credential });
    let strategy = select(vec![aoai_lb::topology::Strategy::Smart, aoai_lb::topology::Strategy::RoundRobin]);
    let picked = option::of((strategy, btree_map(select(pools.clone()), vec(candidate, 1..4), 0..3)));
    let routes = || {
        let by_name = btree_map(texts.key(), select(pools.clone()), 0..3).prop_map(Routes::ByName);
        prop_oneof![3 => by_name, 1 => select(pools.clone()).prop_map(Routes::All)]
    };
    let named = (option::of(select(backends)), option::of(select(values)));
    (routes(), option::of(routes()), picked, named).prop_map(|(routes, v1, picked, (stateful, client_id))| {
        let (strategy, pools) = picked.unwrap_or((aoai_lb::topology::Strategy::Pool, BTreeMap::new()));
        Intent { v1, strategy, pools, stateful, client_id, ..Intent::new(routes) }
    })
}

fn any_api(base: &Topology, texts: Texts) -> impl Strategy<Value = Api> + use<> {
    let operation = (texts.text(), texts.text()).prop_map(|(display_name, url_template)| Operation {
        display_name,
        method: "POST".into(),
        url_template,
    });
    let names = (texts.key(), texts.text(), texts.text());
    let policy = (any_intent(base, texts), any::<bool>());
    (names, btree_map(texts.key(), operation, 0..3), policy, any::<bool>()).prop_map(
        |((name, display_name, path), operations, (intent, ours), keys)| {
            let policy = match ours {
                true => Policy::Rendered(intent),
                false => Policy::Other(format!("<policies><!-- {display_name} --></policies>")),
            };
            let keys = keys.then(defaults::keys);
            Api { display_name, path, operations, keys, ..Api::new(&name, policy) }
        },
    )
}

/// Any topology whose references hold, with such texts.
pub fn topology_of(texts: Texts) -> impl Strategy<Value = Topology> {
    let stack = (texts.text(), texts.text()).prop_map(|(name, environment)| Stack { name, environment });
    let accounts = btree_map(texts.key(), any_account(texts), 0..4);
    let gateway = prop_oneof![9 => any_gateway(texts).prop_map(Some), 1 => Just(None)];
    let named_values = btree_map(texts.key(), any_named_value(texts), 0..3);
    (stack, btree_map(texts.key(), texts.text(), 0..3), gateway, accounts, named_values)
        .prop_flat_map(move |(stack, tags, gateway, accounts, named_values)| {
            let backend = (texts.key(), select(targets(&accounts)), option::of(any_breaker(texts)))
                .prop_map(|(name, target, breaker)| Backend::new(&name, target, breaker));
            let granted = subsequence(accounts.keys().cloned().collect::<Vec<_>>(), 0..=accounts.len());
            let base = Topology { stack, tags, gateway, accounts, named_values, ..topology("any") };
            (Just(base), granted, btree_map(texts.key(), backend, 0..5))
        })
        .prop_flat_map(move |(base, granted, backends)| {
            let pools = match (texts, backends.is_empty()) {
                // Azure takes no pool without members
                (Texts::Plain, true) => Just(BTreeMap::new()).boxed(),
                _ => btree_map(texts.key(), any_pool(texts, backends.keys().cloned().collect()), 0..3).boxed(),
            };
            let grants = granted.into_iter().zip(Role::ALL.into_iter().cycle()).collect();
            (Just(Topology { grants, backends, ..base }), pools)
        })
        .prop_flat_map(move |(base, pools)| {
            let base = Topology { pools, ..base };
            let apis = btree_map(texts.key(), any_api(&base, texts), 0..3);
            (Just(base), apis)
        })
        .prop_flat_map(move |(base, apis)| {
            let definitions = vec(any_definition(), apis.len());
            let products = any_products(texts, apis.keys().cloned().collect());
            let base = Topology { apis, ..base };
            (Just(base), definitions, products, option::of(any_observability(texts)))
        })
        .prop_flat_map(move |(mut base, definitions, products, observability)| {
            base.apis.values_mut().zip(definitions).for_each(|(api, definition)| api.definition = definition);
            // records are a gateway's
            base.observability = observability.filter(|_| base.gateway.is_some());
            base.products = products;
            let apis = base.apis.keys().cloned().map(Access::Api);
            let products = base.products.keys().cloned().map(Access::Product);
            let all: Vec<Access> = apis.chain(products).chain([Access::Api("gone".into())]).collect();
            let subscription = (texts.key(), texts.text(), select(all), any::<bool>())
                .prop_map(|(name, display_name, access, tracing)| Subscription { name, display_name, access, tracing });
            btree_map(texts.key(), subscription, 0..3)
                .prop_map(move |subscriptions| Topology { subscriptions, ..base.clone() })
        })
}
