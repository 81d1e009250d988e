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

/// The quickstart with everything beside it that stands in one service and its group.
pub fn everything() -> Topology {
    let mut topology = quickstart();
    let whole = Extras {
        products: BTreeMap::from([
            ("gold".to_owned(), (200_000, Some(5_000_000))),
            ("bronze".to_owned(), (9_000, None)),
        ]),
        observed: Some(Observed {
            workspace: true,
            insights: true,
            llm_logs: true,
            bodies: 0,
            workbook: true,
            alerts: Some((5, 25)),
        }),
        secret: true,
        own_template: true,
        paths: 2,
        properties: true,
    };
    whole.put_into(&mut topology);
    topology
}

/// What stands in one service and its group beside models, pools and an API.
#[derive(Clone, Debug)]
pub struct Extras {
    /// Tokens a minute and a month by the product's key.
    pub products: BTreeMap<Key, (u32, Option<u64>)>,
    pub observed: Option<Observed>,
    /// A backend whose key stands in a vault.
    pub secret: bool,
    /// A policy template of the user's own, for a second API.
    pub own_template: bool,
    /// Paths of an OpenAPI document, for a third API; none without any.
    pub paths: usize,
    /// Properties in Azure's own words.
    pub properties: bool,
}

#[derive(Clone, Debug)]
pub struct Observed {
    pub workspace: bool,
    pub insights: bool,
    pub llm_logs: bool,
    pub bodies: u32,
    pub workbook: bool,
    pub alerts: Option<(u8, u8)>,
}

impl Extras {
    pub fn put_into(self, topology: &mut Topology) {
        let pool = topology.pools.keys().next().cloned().unwrap_or_default();
        if self.own_template {
            let text = "<policies>\n  <inbound>\n    <base />\n    <set-backend-service backend-id=\"POOL\" />\n  </inbound>\n  <backend>\n    <base />\n  </backend>\n  <outbound>\n    <base />\n  </outbound>\n  <on-error>\n    <base />\n  </on-error>\n</policies>\n";
            let template = OwnTemplate { path: "own.xml.j2".into(), text: text.replace("POOL", &pool) };
            topology.apis.insert("own".into(), Api { template: Some(template), ..api("own", &[&pool]) });
        }
        if self.paths > 0 {
            let definition = imported(self.paths);
            topology.apis.insert(
                "imported".into(),
                Api { definition, operations: BTreeMap::new(), ..api("imported", &[&pool]) },
            );
        }
        for (key, (tokens_per_minute, tokens)) in self.products {
            let by = intent::LimitBy::Subscription;
            let intent = ProductIntent {
                product: key.clone(),
                token_limit: Some(intent::TokenLimit { tokens_per_minute, estimate_prompt: true, by }),
                quota: tokens.map(|tokens| intent::TokenQuota { tokens, per: intent::Period::Monthly }),
            };
            let apis = topology.apis.keys().filter(|api| key != "bronze" || *api == "openai").cloned().collect();
            let product =
                Product { name: key.clone(), display_name: key.to_uppercase(), apis, policy: Policy::Rendered(intent) };
            topology.products.insert(key.clone(), product);
            let name = format!("of-{key}");
            let access = Access::Product(key);
            topology.subscriptions.insert(name.clone(), Subscription { access, ..subscription(&name, "") });
        }
        if self.secret {
            let secret = "https://kv-quick.vault.azure.net/secrets/partner-key";
            let holds = Holds::Vault(secret.into());
            topology.named_values.insert("partner".into(), NamedValue { name: "partner-key".into(), holds });
            let target = Target::Url("https://partner.example.com/openai/deployments/gpt".into());
            let credential = Some(Credential { header: "api-key".into(), named_value: "partner".into() });
            topology.backends.insert("partner".into(), Backend { credential, ..Backend::new("partner", target, None) });
        }
        topology.observability = self.observed.map(|observed| Observability {
            workspace: observed.workspace.then(|| Sink::Managed(Name::Unique("log-".into()))),
            app_insights: observed.insights.then(|| Sink::Managed(Name::Unique("appi-".into()))),
            llm_logs: observed.llm_logs,
            bodies: observed.bodies,
            headers: defaults::logged_headers(),
            workbook: observed.workbook,
            alerts: observed.alerts.map(|(throttled, spillover)| Alerts { throttled, spillover, action_group: None }),
        });
        if self.properties {
            let words = |json: serde_json::Value| json.as_object().cloned().unwrap_or_default();
            if let Some(gateway) = &mut topology.gateway {
                gateway.properties = words(serde_json::json!({"notificationSenderEmail": "noreply@contoso.com"}));
            }
            for account in topology.accounts.values_mut() {
                account.properties = words(serde_json::json!({"restrictOutboundNetworkAccess": true}));
            }
        }
    }
}

/// A definition with so many paths.
pub fn imported(paths: usize) -> Definition {
    let operation = |n: usize| serde_json::json!({"post": {"operationId": format!("call-{n}"), "summary": format!("Call {n}"), "responses": {"200": {"description": "Done"}}}});
    let paths: serde_json::Map<_, _> = (0..paths).map(|n| (format!("/call/{n}"), operation(n))).collect();
    let text =
        serde_json::json!({"openapi": "3.0.1", "info": {"title": "Calls", "version": "1"}, "paths": paths}).to_string();
    let document = Document::Text { path: "calls.json".into(), text };
    Definition::Imported(Import { hash: document.hash(), document: Some(document) })
}

fn extras() -> impl Arbitrary<Value = Extras> {
    let product = (1u32..1_000_000, prop::option::of(1u64..1_000_000_000));
    let products =
        prop::collection::btree_map(prop::sample::select(vec!["gold".to_owned(), "bronze".to_owned()]), product, 0..3);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let observed = (flags, prop::sample::select(vec![0u32, 0, 1024]), prop::option::of((1u8..100, 1u8..100)));
    let observed = observed.prop_map(|((workspace, insights, llm_logs, workbook), bodies, alerts)| Observed {
        workspace,
        insights,
        // what is recorded of models goes to the workspace
        llm_logs: llm_logs && workspace,
        bodies,
        workbook: workbook && workspace,
        alerts: alerts.filter(|_| workspace),
    });
    let more = (any::<bool>(), any::<bool>(), 0usize..3, any::<bool>());
    (products, prop::option::weighted(0.4, observed), more).prop_map(
        |(products, observed, (secret, own_template, paths, properties))| Extras {
            products,
            observed,
            secret,
            own_template,
            paths,
            properties,
        },
    )
}

/// A random topology of models and pools, sometimes with more beside them.
pub fn topology() -> impl Arbitrary<Value = Topology> {
    (models(), prop::option::of(extras())).prop_map(|(mut topology, extras)| {
        if let Some(extras) = extras {
            extras.put_into(&mut topology);
        }
        topology
    })
}

/// A random topology: up to three accounts with up to three deployments, backends for some, pools over some.
fn models() -> impl Arbitrary<Value = Topology> {
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
        missing: Vec::new(),
        topology: Topology { observability: None, ..topology.clone() },
    }
}
