//! Topologies to render: the examples, some made by hand, and any.

mod any;

pub use any::{Texts, any_topology, anything, topology_of};

use aoai_lb::topology::*;
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

/// The examples, and what they do not show: names of one's own, an environment, percentages, odd keys; a gateway of
/// somebody else's; networks, identities, vaults, every kind of backend; what is recorded, products, definitions.
pub fn several() -> Vec<(String, Topology)> {
    let by_hand = [
        ("one region", minimal()),
        ("names of its own", two_regions()),
        ("a shared gateway", shared()),
        ("a shared gateway here", Topology { gateway: shared_here(), ..shared() }),
        ("closed", closed()),
        ("observed", super::observed::observed()),
        ("a shared workspace", super::observed::shared()),
        ("observed on a shared gateway", super::observed::elsewhere()),
    ];
    let mut several = examples();
    several.extend(by_hand.map(|(name, topology)| (name.to_owned(), topology)));
    several
}

const OTHER: &str = "11111111-1111-1111-1111-111111111111";

fn elsewhere(subscription: Option<&str>, group: Option<&str>) -> Place {
    Place { subscription: subscription.map(str::to_owned), resource_group: group.map(str::to_owned) }
}

fn shared_here() -> Option<Gateway> {
    let mut gateway = shared().gateway?;
    gateway.place = Place::default();
    gateway.identity = Identity::System;
    Some(gateway)
}

/// A gateway of another group with an identity that is there; accounts of the stack's own group, of two others, and of
/// somebody else's; policies that pick themselves, a foreign backend with a key, stateful calls.
pub fn shared() -> Topology {
    let deployments = || map([("gpt-4.1", deployment(DeploymentSku::GlobalStandard, 100))]);
    let mut base = topology("shared");
    if let Some(gateway) = &mut base.gateway {
        gateway.name = Name::Literal("apim-shared".into());
        gateway.standing = Standing::Existing;
        gateway.place = elsewhere(None, Some("rg-shared"));
        gateway.identity = Identity::Existing(format!(
            "/subscriptions/{OTHER}/resourceGroups/rg-identities/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-apim"
        ));
    }
    let placed = |place, account: Account| Account { place, ..account };
    let there = |name: &str, account: Account| Account {
        name: Name::Literal(name.into()),
        standing: Standing::Existing,
        ..account
    };
    let target = |account: &str| Target::Deployment { account: account.into(), deployment: "gpt-4.1".into() };
    let named = |name: &str, target| Backend::new(&format!("shared-{name}"), target, None);
    let foreign = Backend {
        credential: Some(Credential { header: "api-key".into(), named_value: "foreign".into() }),
        ..named("foreign", Target::Url("https://example.com/openai/deployments/x".into()))
    };
    let candidate = |backend: &str, credential| intent::Candidate {
        backend: format!("shared-{backend}"),
        priority: 1,
        weight: 1,
        credential,
    };
    let key = intent::CandidateKey { header: "api-key".into(), named_value: "shared-foreign-key".into() };
    let smart = Intent {
        strategy: Strategy::Smart,
        pools: map([(
            "shared-chat",
            vec![candidate("own", None), candidate("france", None), candidate("foreign", Some(key))],
        )]),
        stateful: Some("shared-own-stateful".into()),
        client_id: Some("shared-identity-client-id".into()),
        ..Intent::new(Routes::All("shared-chat".into()))
    };
    let members = ["own", "france", "foreign"].map(|key| member(key, 1, 1));
    granted(Topology {
        accounts: map([
            ("own", account("own", "eastus2", deployments())),
            ("sweden", placed(elsewhere(None, Some("rg-sweden")), account("sweden", "swedencentral", deployments()))),
            (
                "france",
                placed(elsewhere(Some(OTHER), Some("rg-france")), account("france", "francecentral", deployments())),
            ),
            ("same-name", placed(elsewhere(Some(OTHER), None), account("same-name", "westus", map([])))),
            ("legacy", there("legacy", placed(elsewhere(None, Some("rg-old")), account("l", "eastus", deployments())))),
            ("here", there("here", account("here", "eastus", deployments()))),
        ]),
        named_values: map([
            (
                "foreign",
                NamedValue {
                    name: "shared-foreign-key".into(),
                    holds: Holds::Vault("https://shared.vault.azure.net/secrets/foreign".into()),
                },
            ),
            ("identity-client-id", NamedValue { name: "shared-identity-client-id".into(), holds: Holds::ClientId }),
        ]),
        backends: map([
            ("own", named("own", target("own"))),
            ("sweden", named("sweden", target("sweden"))),
            ("france", named("france", target("france"))),
            ("legacy", named("legacy", target("legacy"))),
            ("here", named("here", Target::V1 { account: "here".into(), deployment: "gpt-4.1".into() })),
            ("own-stateful", named("own-stateful", Target::Account { account: "own".into() })),
            ("foreign", foreign),
        ]),
        pools: map([
            ("chat", Pool { balancing: Balancing::Policy, ..Pool::new("shared-chat", members.into()) }),
            ("old", Pool::new("shared-old", vec![member("legacy", 1, 1), member("sweden", 2, 1)])),
        ]),
        apis: map([
            ("openai", Api::new("shared-openai", Policy::Rendered(smart))),
            ("old", Api::new("shared-old", Policy::Rendered(Intent::new(Routes::All("shared-old".into()))))),
        ]),
        subscriptions: map([("probe", subscription("probe"))]),
        ..base
    })
}

/// A gateway inside a network, an identity of the stack's own, accounts that only the network reaches, what the spec
/// sends as it is, spill-over, content filters, error reasons, and what a pool can say beside its members.
pub fn closed() -> Topology {
    let mut ptu = deployment(DeploymentSku::ProvisionedManaged, 50);
    ptu.spillover = Some("b-standard".into());
    ptu.rai_policy = Some("Microsoft.DefaultV2".into());
    let deployments = map([
        ("a-ptu", ptu),
        ("b-standard", deployment(DeploymentSku::Standard, 10)),
        ("c-other", deployment(DeploymentSku::GlobalStandard, 10)),
    ]);
    let network = format!("/subscriptions/{OTHER}/resourceGroups/rg-network/providers/Microsoft.Network");
    let subnet = |name: &str| format!("{network}/virtualNetworks/vnet/subnets/{name}");
    let endpoint = PrivateEndpoint {
        subnet: subnet("endpoints"),
        dns_zone: Some(format!("{network}/privateDnsZones/privatelink.openai.azure.com")),
    };
    let closed = |account: Account| Account {
        network: AccountNetwork { public: false, private_endpoint: Some(endpoint.clone()) },
        ..account
    };
    let mut base = topology("closed");
    if let Some(gateway) = &mut base.gateway {
        gateway.sku = GatewaySku::PremiumV2;
        gateway.identity = Identity::Managed("id-closed".into());
        gateway.network = Some(GatewayNetwork { subnet: subnet("gateway"), mode: NetworkMode::Internal });
        let written = serde_json::json!({
            "disableGateway": false,
            "customProperties": { "Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls11": "False" },
            "zoneRedundant": true,
        });
        gateway.properties = written.as_object().cloned().unwrap_or_default();
    }
    let mut ai = closed(account("ai", "swedencentral", map([])));
    ai.kind = AccountKind::AIServices;
    ai.place = elsewhere(None, Some("rg-ai"));
    let written = serde_json::json!({
        "allowProjectManagement": true,
        "networkAcls": { "defaultAction": "Deny", "ipRules": [{ "value": "192.0.2.0/24" }] },
        "apiProperties": {},
        "allowedFqdnList": [],
    });
    ai.properties = written.as_object().cloned().unwrap_or_default();
    let breaker = Breaker { error_reasons: vec!["Timeout".into(), "[reason]".into()], ..defaults::breaker() };
    let mut api = api(&[("a-ptu", "chat")]);
    api.keys = None;
    granted(Topology {
        accounts: map([("east", closed(account("east", "eastus2", deployments))), ("ai", ai)]),
        named_values: map([(
            "identity-client-id",
            NamedValue { name: "identity-client-id".into(), holds: Holds::ClientId },
        )]),
        backends: map([
            ("ptu", backend("ptu", "east", "a-ptu", Breaker { status_codes: Vec::new(), ..breaker.clone() })),
            ("standard", backend("standard", "east", "b-standard", breaker)),
        ]),
        pools: map([(
            "chat",
            Pool {
                failure_status: Some(429),
                session_affinity: Some("SessionId".into()),
                ..Pool::new("chat", vec![member("ptu", 1, 1), member("standard", 2, 1)])
            },
        )]),
        apis: map([("openai", api)]),
        subscriptions: map([("probe", subscription("probe"))]),
        ..base
    })
}
