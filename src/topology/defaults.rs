//! Every default, once, shared by `spec` (what a user left out) and `arm` (what Azure left out).

use super::*;
use crate::time::Duration;

pub use super::operations::*;

/// The probe's subscription: a reserved key, always rendered.
pub const PROBE: &str = "probe";

/// The subscription that every API Management service has from birth; it opens every API.
pub const MASTER: &str = "master";

/// The tag that says which stack owns a resource.
pub const STACK_TAG: &str = "aoai-lb-stack";

/// The name of the gateway's diagnostic setting.
pub fn setting_name(unique: &str) -> String {
    format!("{SETTING}{unique}")
}

/// What stands before the hash in the name of the gateway's diagnostic setting.
pub const SETTING: &str = "aoai-lb-";

/// What stands before the stack id in a description.
pub const MARKER: &str = "aoai-lb:";

/// Audience of Azure OpenAI tokens in the public cloud (facts/apim.md 6).
pub const AUDIENCE: &str = "https://cognitiveservices.azure.com";

/// Members without one have this priority.
pub const PRIORITY: u8 = 1;

/// Members without one have this weight.
pub const WEIGHT: u8 = 1;

/// Weight and priority go from 0 to this (facts/apim.md 1.2).
pub const MAX_WEIGHT: u8 = 100;

/// A pool has at most so many members (facts/apim.md 2.1, 6).
pub const MAX_MEMBERS: usize = 30;

/// Statuses that mean "this backend cannot serve now": what is retried, and what a breaker counts.
///
/// Source: Azure-Samples/Apim-Samples, inference-failover, response matrix (facts/seeds.md 2).
pub const FAILURES: [StatusRange; 4] = [
    StatusRange { min: 408, max: 408 },
    StatusRange { min: 429, max: 429 },
    StatusRange { min: 499, max: 500 },
    StatusRange { min: 502, max: 504 },
];

/// The breaker of a metered deployment.
pub fn breaker() -> Breaker {
    Breaker {
        name: "default".into(),
        threshold: Threshold::Count(1),
        interval: Duration::from_secs(60),
        status_codes: FAILURES.to_vec(),
        error_reasons: Vec::new(),
        trip_duration: Duration::from_secs(60),
        accept_retry_after: true,
    }
}

/// The breaker of a provisioned deployment: short, because a full PTU recovers within seconds.
pub fn breaker_provisioned() -> Breaker {
    Breaker {
        name: "ptu".into(),
        interval: Duration::from_secs(10),
        trip_duration: Duration::from_secs(1),
        ..breaker()
    }
}

/// Retries of an API: two more attempts, at once.
pub fn retry() -> Retry {
    Retry { count: 2, interval: Duration::ZERO, first_fast: true, timeout: Duration::from_secs(240), timeouts: false }
}

/// What callers get from an exhausted pool.
pub fn on_exhausted() -> OnExhausted {
    OnExhausted { status: 429, max_retry_after: Duration::from_secs(60) }
}

/// Where the OpenAI SDKs put the key.
pub fn keys() -> KeyNames {
    KeyNames { header: "api-key".into(), query: "api-key".into() }
}

/// What token metrics can be split by without a value of its own.
///
/// Source: learn.microsoft.com, azure-openai-emit-token-metric policy, 2026-05 (facts/policy.md a).
pub const DIMENSIONS: [&str; 7] =
    ["API ID", "Operation ID", "Product ID", "User ID", "Subscription ID", "Location", "Gateway ID"];

/// What token metrics can be split by with a value that the policy gives.
pub const CUSTOM_DIMENSIONS: [&str; 3] = ["Client IP", "Deployment", "Pool"];

/// A policy may add so many dimensions of its own (facts/apim.md 6).
pub const MAX_DIMENSIONS: usize = 5;

/// Where token metrics stand.
pub const METRICS_NAMESPACE: &str = "aoai-lb";

/// Name of the backend and of the pool that serve the surface `v1` for this one.
pub fn v1_twin(key: &str) -> String {
    format!("{key}-v1")
}

/// Name of the backend that gets an account's stateful calls.
pub fn pinned(account: &str) -> String {
    format!("{account}-stateful")
}

impl Topology {
    /// Nothing, of a stack at a scope.
    pub fn new(stack: Stack, scope: Scope) -> Topology {
        Topology {
            stack,
            scope,
            tags: BTreeMap::new(),
            api_versions: BTreeMap::new(),
            gateway: None,
            accounts: BTreeMap::new(),
            grants: BTreeMap::new(),
            needs: BTreeMap::new(),
            named_values: BTreeMap::new(),
            backends: BTreeMap::new(),
            pools: BTreeMap::new(),
            apis: BTreeMap::new(),
            products: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            observability: None,
        }
    }
}

impl Gateway {
    /// A service of the stack's own.
    pub fn new(name: Name, location: Location, publisher: Publisher) -> Gateway {
        Gateway {
            name,
            place: Place::default(),
            standing: Standing::Managed,
            location,
            sku: GATEWAY_SKU,
            capacity: 1,
            publisher,
            identity: Identity::System,
            network: None,
            properties: Properties::new(),
        }
    }
}

impl Account {
    /// An account of the stack's own.
    pub fn new(name: Name, location: Location, deployments: BTreeMap<Key, Deployment>) -> Account {
        Account {
            name,
            place: Place::default(),
            standing: Standing::Managed,
            location,
            kind: AccountKind::OpenAI,
            deployments,
            network: AccountNetwork::default(),
            properties: Properties::new(),
        }
    }
}

impl Deployment {
    /// A deployment of a model of OpenAI's.
    pub fn new(model: &str, version: &str, sku: DeploymentSku, capacity: u32) -> Deployment {
        Deployment {
            model: Model { name: model.into(), version: version.into(), format: OPENAI_FORMAT.into() },
            sku,
            capacity,
            version_upgrade: VERSION_UPGRADE,
            rai_policy: None,
            spillover: None,
        }
    }
}

impl Backend {
    /// A backend that the gateway's identity signs in at.
    pub fn new(name: &str, target: Target, breaker: Option<Breaker>) -> Backend {
        Backend { name: name.into(), target, breaker, credential: None }
    }
}

impl Pool {
    /// A pool of API Management's.
    pub fn new(name: &str, members: Vec<Member>) -> Pool {
        let (failure_status, session_affinity) = (None, None);
        Pool { name: name.into(), members, balancing: Balancing::Native, failure_status, session_affinity }
    }
}

impl Intent {
    /// API Management's own pools on the surface `deployments`.
    pub fn new(routes: Routes) -> Intent {
        Intent {
            strategy: Strategy::Pool,
            routes,
            v1: None,
            pools: BTreeMap::new(),
            stateful: None,
            keys: Some(keys()),
            entra: None,
            audience: AUDIENCE.into(),
            client_id: None,
            token_limit: None,
            metrics: None,
            retry: retry(),
            on_exhausted: on_exhausted(),
            probe: PROBE.into(),
        }
    }
}

impl Api {
    /// An API of the surface `deployments`, at the path that is its name.
    pub fn new(name: &str, policy: Policy) -> Api {
        let keys = match &policy {
            Policy::Rendered(intent) => intent.keys.clone(),
            Policy::Other(_) => Some(keys()),
        };
        Api {
            name: name.into(),
            display_name: name.into(),
            path: name.into(),
            keys,
            definition: Definition::Operations,
            operations: operations_of(Surfaces::Deployments, false),
            policy,
            template: None,
        }
    }
}

/// Tier of a gateway.
pub const GATEWAY_SKU: GatewaySku = GatewaySku::BasicV2;

/// How a deployment is served.
pub const DEPLOYMENT_SKU: DeploymentSku = DeploymentSku::GlobalStandard;

/// A version is not swapped while it lives, so members of a pool stay alike; and it does not stop when it expires.
pub const VERSION_UPGRADE: VersionUpgrade = VersionUpgrade::OnceCurrentVersionExpired;

/// The stack id: `name/u`.
pub fn stack_id(stack: &Stack, unique: &str) -> String {
    format!("{}/{unique}", stack.name)
}

/// The length of what `uniqueString` gives.
pub const UNIQUE_LENGTH: usize = 13;

/// The name of every template write of a stack, which is also its lock: `aoai-lb-{name}-{u}`.
pub fn deployment_name(stack: &Stack, unique: &str) -> String {
    let (before, after) = affixes(format!("aoai-lb-{}-", stack.name), String::new());
    format!("{before}{unique}{after}")
}

/// What stands before and after `u` in the name of a nested deployment, `aoai-lb-{name}-{u}-{kind}-{key}`.
pub fn nested_affixes(stack: &Stack, kind: &str, key: &str) -> (String, String) {
    affixes(format!("aoai-lb-{}-", stack.name), format!("-{kind}-{key}"))
}

/// Keeps a deployment's name to the 64 characters that Azure allows (facts/apim.md 5.1): what is too long loses its
/// middle, and eight hex digits of the whole's SHA-256 stand there. `u` itself is never cut.
fn affixes(before: String, after: String) -> (String, String) {
    const BUDGET: usize = 64 - UNIQUE_LENGTH;
    if before.len() + after.len() <= BUDGET {
        return (before, after);
    }
    use sha2::Digest;
    let hash = sha2::Sha256::digest(format!("{before}*{after}").as_bytes());
    let digits: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let cut = |text: &str, keep: usize| text.chars().take(keep).filter(char::is_ascii).collect::<String>();
    let after: String = match after.len() {
        0..=24 => after,
        long => after.chars().skip(long.saturating_sub(24)).filter(char::is_ascii).collect(),
    };
    let before = cut(&before, BUDGET - digits.len() - 1 - after.len());
    (format!("{before}{digits}-"), after)
}

/// Headers of answers that are logged.
pub fn logged_headers() -> Vec<String> {
    [super::intent::SERVED_BY_HEADER, super::intent::ATTEMPTS_HEADER, "Retry-After"].map(str::to_owned).into()
}

/// Percent of calls that end in 429 before somebody is told.
pub const ALERT_THROTTLED: u8 = 5;

/// Percent of calls that a lower priority serves before somebody is told.
pub const ALERT_SPILLOVER: u8 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_deployment_names_keep_both_ends_and_64_characters() {
        let stack = |name: &str| Stack { name: name.into(), environment: String::new() };
        assert_eq!(deployment_name(&stack("contoso-ai"), "a7wkljktk6wne"), "aoai-lb-contoso-ai-a7wkljktk6wne");
        let nested = |n: usize, key: &str| {
            let (before, after) = nested_affixes(&stack(&"x".repeat(n)), "role", key);
            format!("{before}a7wkljktk6wne{after}")
        };
        let (one, two) = (nested(60, "eastus2"), nested(61, "eastus2"));
        assert!(
            one.len() == 64 && one.starts_with("aoai-lb-xxx") && one.ends_with("-a7wkljktk6wne-role-eastus2"),
            "{one}"
        );
        assert_ne!(one, two);
        assert!(nested(5, &"k".repeat(90)).len() <= 64 && nested(90, &"k".repeat(90)).len() <= 64);
        assert!(deployment_name(&stack(&"x".repeat(90)), "a7wkljktk6wne").len() <= 64);
    }
}
