//! The domain: what stands in Azure, or should, in canonical form.
//!
//! A [`Topology`] has every default filled in and every name decided. *Desired* (from a spec) and *live* (from Azure
//! Resource Manager) are the same type, so comparing them is comparing values. Maps are keyed by the spec's key; in live
//! state a thing that the spec names keeps the spec's key, any other has its Azure name as key.
//!
//! Every default stands here, once, in the constructors that `spec` and `arm` share ([`defaults`]).
//!
//! Deliberately absent: positions in the YAML (a diagnostic names a key, `spec::Spans` knows the place), keys and other
//! secrets, ARM ids, and anything about how a thing is written or read.

pub mod address;
pub mod defaults;
pub mod intent;
pub mod live;

pub use address::Address;
pub use intent::{Intent, OnExhausted, Policy, Retry, Routes, Strategy};
pub use live::{Drift, Live, Owner, SoftDeleted};

use crate::time::Duration;
use std::collections::BTreeMap;
use std::fmt;

/// A key of the spec, as `eastus2` in `accounts.eastus2`.
pub type Key = String;

/// One gateway with everything behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// Who owns it.
    pub stack: Stack,
    /// Where it stands.
    pub scope: Scope,
    /// Tags of every resource that can have them, without our own.
    pub tags: BTreeMap<String, String>,
    /// The API Management service; `None` only in live state, where there is none yet.
    pub gateway: Option<Gateway>,
    /// Azure OpenAI accounts.
    pub accounts: BTreeMap<Key, Account>,
    /// Accounts that the gateway's identity may call, each with the role it has there.
    pub grants: BTreeMap<Key, Role>,
    /// Single backends of the gateway.
    pub backends: BTreeMap<Key, Backend>,
    /// Pools of the gateway. Backends and pools share one namespace in Azure.
    pub pools: BTreeMap<Key, Pool>,
    /// APIs of the gateway.
    pub apis: BTreeMap<Key, Api>,
    /// Subscriptions of the gateway: who may call.
    pub subscriptions: BTreeMap<Key, Subscription>,
}

/// The stack: what one spec owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The spec's `name`.
    pub name: String,
    /// The environment that was chosen, empty for none.
    pub environment: String,
}

/// Where the stack stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The Azure subscription's id, `None` until a command needs one.
    pub subscription: Option<String>,
    /// The resource group.
    pub resource_group: String,
    /// The region of the resource group and of the gateway.
    pub location: Location,
}

/// A region by its short name, `eastus2`: lower case, no blanks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location(String);

impl Location {
    /// From any spelling that Azure uses: `East US 2`, `EASTUS2`, `eastus2`.
    pub fn new(text: &str) -> Location {
        Location(text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect())
    }

    /// The short name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name in Azure: as written, or made unique by the hash of the resource group and the stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// As it stands.
    Literal(String),
    /// The prefix, followed by 13 characters that depend on the subscription: `apim-` and `uniqueString(...)`.
    Unique(String),
}

impl Name {
    /// The name once the hash is known.
    pub fn resolve(&self, unique: &str) -> String {
        match self {
            Name::Literal(name) => name.clone(),
            Name::Unique(prefix) => format!("{prefix}{unique}"),
        }
    }

    /// The name if it is known already.
    pub fn literal(&self) -> Option<&str> {
        match self {
            Name::Literal(name) => Some(name),
            Name::Unique(_) => None,
        }
    }
}

impl fmt::Display for Name {
    /// For people: `apim-*` where the hash is not known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Literal(name) => f.write_str(name),
            Name::Unique(prefix) => write!(f, "{prefix}*"),
        }
    }
}

/// An API Management service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The service's name, unique in the world.
    pub name: Name,
    /// Its region.
    pub location: Location,
    /// Its tier.
    pub sku: GatewaySku,
    /// Scale units; 0 on Consumption only.
    pub capacity: u32,
    /// Who is named as the publisher.
    pub publisher: Publisher,
}

/// Tiers of API Management (facts/apim.md 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum GatewaySku {
    Consumption,
    Developer,
    Basic,
    Standard,
    Premium,
    BasicV2,
    StandardV2,
    PremiumV2,
}

impl GatewaySku {
    /// Every tier.
    pub const ALL: [GatewaySku; 8] = {
        use GatewaySku::*;
        [Consumption, Developer, Basic, Standard, Premium, BasicV2, StandardV2, PremiumV2]
    };

    /// As Azure spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            GatewaySku::Consumption => "Consumption",
            GatewaySku::Developer => "Developer",
            GatewaySku::Basic => "Basic",
            GatewaySku::Standard => "Standard",
            GatewaySku::Premium => "Premium",
            GatewaySku::BasicV2 => "BasicV2",
            GatewaySku::StandardV2 => "StandardV2",
            GatewaySku::PremiumV2 => "PremiumV2",
        }
    }

    /// Azure compares tiers without case.
    pub fn parse(text: &str) -> Option<GatewaySku> {
        GatewaySku::ALL.into_iter().find(|sku| sku.as_str().eq_ignore_ascii_case(text))
    }
}

/// Who publishes the APIs, as developers and the service's notifications see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// A name.
    pub name: String,
    /// An address that is read.
    pub email: String,
}

/// An Azure OpenAI account (`Microsoft.CognitiveServices/accounts`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name, which is also its sub-domain.
    pub name: Name,
    /// Its region.
    pub location: Location,
    /// `OpenAI` or `AIServices`.
    pub kind: AccountKind,
    /// Its model deployments.
    pub deployments: BTreeMap<Key, Deployment>,
}

/// The kinds of account that can hold Azure OpenAI deployments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// Azure OpenAI alone.
    OpenAI,
    /// Azure AI Foundry.
    AIServices,
}

impl AccountKind {
    /// As Azure spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            AccountKind::OpenAI => "OpenAI",
            AccountKind::AIServices => "AIServices",
        }
    }
}

/// A model deployment of an account. Its key is its name in Azure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Which model, and which version of it.
    pub model: Model,
    /// How it is served and billed.
    pub sku: DeploymentSku,
    /// Thousands of tokens a minute on standard tiers, PTUs on provisioned ones.
    pub capacity: u32,
    /// Whether Azure may replace the version.
    pub version_upgrade: VersionUpgrade,
}

/// A model with its version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Model {
    /// `gpt-4.1`
    pub name: String,
    /// `2025-04-14`
    pub version: String,
}

/// How a deployment is served and billed (facts/apim.md 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum DeploymentSku {
    Standard,
    GlobalStandard,
    DataZoneStandard,
    ProvisionedManaged,
    GlobalProvisionedManaged,
    DataZoneProvisionedManaged,
}

impl DeploymentSku {
    /// Every tier that can stand behind a pool.
    pub const ALL: [DeploymentSku; 6] = {
        use DeploymentSku::*;
        [
            Standard,
            GlobalStandard,
            DataZoneStandard,
            ProvisionedManaged,
            GlobalProvisionedManaged,
            DataZoneProvisionedManaged,
        ]
    };

    /// As Azure spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            DeploymentSku::Standard => "Standard",
            DeploymentSku::GlobalStandard => "GlobalStandard",
            DeploymentSku::DataZoneStandard => "DataZoneStandard",
            DeploymentSku::ProvisionedManaged => "ProvisionedManaged",
            DeploymentSku::GlobalProvisionedManaged => "GlobalProvisionedManaged",
            DeploymentSku::DataZoneProvisionedManaged => "DataZoneProvisionedManaged",
        }
    }

    /// Azure compares tiers without case.
    pub fn parse(text: &str) -> Option<DeploymentSku> {
        DeploymentSku::ALL.into_iter().find(|sku| sku.as_str().eq_ignore_ascii_case(text))
    }

    /// Whether capacity is reserved (PTU) instead of metered (TPM).
    pub const fn is_provisioned(self) -> bool {
        use DeploymentSku::*;
        matches!(self, ProvisionedManaged | GlobalProvisionedManaged | DataZoneProvisionedManaged)
    }
}

/// Whether Azure may replace a deployment's model version by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum VersionUpgrade {
    NoAutoUpgrade,
    OnceCurrentVersionExpired,
    OnceNewDefaultVersionAvailable,
}

impl VersionUpgrade {
    /// As Azure spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            VersionUpgrade::NoAutoUpgrade => "NoAutoUpgrade",
            VersionUpgrade::OnceCurrentVersionExpired => "OnceCurrentVersionExpired",
            VersionUpgrade::OnceNewDefaultVersionAvailable => "OnceNewDefaultVersionAvailable",
        }
    }

    /// Reads Azure's word.
    pub fn parse(text: &str) -> Option<VersionUpgrade> {
        use VersionUpgrade::*;
        [NoAutoUpgrade, OnceCurrentVersionExpired, OnceNewDefaultVersionAvailable]
            .into_iter()
            .find(|option| option.as_str().eq_ignore_ascii_case(text))
    }
}

/// The role that the gateway's identity has on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Cognitive Services OpenAI User: calls models, reads nothing else.
    OpenAIUser,
}

impl Role {
    /// The id of the role definition, the same in every tenant (facts/apim.md 7.3).
    pub const fn id(self) -> &'static str {
        match self {
            Role::OpenAIUser => "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
        }
    }

    /// The role's name in Azure.
    pub const fn title(self) -> &'static str {
        match self {
            Role::OpenAIUser => "Cognitive Services OpenAI User",
        }
    }
}

/// A single backend of the gateway: one deployment, at `{endpoint}openai/deployments/{deployment}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Its name in the gateway.
    pub name: String,
    /// What it calls.
    pub target: Target,
    /// When the gateway leaves it alone.
    pub breaker: Option<Breaker>,
}

/// What a backend calls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A deployment of an account of this topology, both by key.
    Deployment {
        /// Key of the account.
        account: Key,
        /// Key of the deployment, which is its Azure name.
        deployment: Key,
    },
    /// Any address; in live state a backend that calls none of our accounts.
    Url(String),
}

/// The one circuit breaker rule that a backend may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// The rule's name.
    pub name: String,
    /// How many failures open it.
    pub threshold: Threshold,
    /// The window in which failures are counted.
    pub interval: Duration,
    /// Which statuses are failures, ascending, not overlapping, not adjacent.
    pub status_codes: Vec<StatusRange>,
    /// How long it stays open, unless Retry-After says otherwise.
    pub trip_duration: Duration,
    /// Whether a Retry-After header replaces the trip duration.
    pub accept_retry_after: bool,
}

/// What opens a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// This many failures in the interval, 1 to 10,000.
    Count(u32),
    /// This share of the requests in the interval, 1 to 100 percent.
    Percentage(u8),
}

/// Statuses from `min` to `max`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct StatusRange {
    /// The lowest.
    pub min: u16,
    /// The highest.
    pub max: u16,
}

impl StatusRange {
    /// Whether `status` is one of them.
    pub const fn contains(self, status: u16) -> bool {
        self.min <= status && status <= self.max
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max { write!(f, "{}", self.min) } else { write!(f, "{}-{}", self.min, self.max) }
    }
}

/// A load-balanced pool of backends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name in the gateway.
    pub name: String,
    /// Its members, in the order in which they were written; each backend once.
    pub members: Vec<Member>,
}

/// One member of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Key of the backend.
    pub backend: Key,
    /// 0 to 100; the lowest number is used first.
    pub priority: u8,
    /// 0 to 100; the share inside its priority group.
    pub weight: u8,
}

/// An API of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Its name in the gateway.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// The first part of the path that callers use, without slashes at its ends.
    pub path: String,
    /// Where a caller's subscription key stands.
    pub keys: KeyNames,
    /// What callers can call, by operation name.
    pub operations: BTreeMap<Key, Operation>,
    /// What happens to a call.
    pub policy: Policy,
}

/// Where a caller puts the subscription key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeyNames {
    /// A header.
    pub header: String,
    /// A query parameter.
    pub query: String,
}

/// One operation of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What people see.
    pub display_name: String,
    /// An HTTP method, in capitals.
    pub method: String,
    /// `/deployments/{deployment}/chat/completions`
    pub url_template: String,
}

impl Operation {
    /// The names between braces of the url template, in order.
    pub fn parameters(&self) -> Vec<&str> {
        self.url_template.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect()
    }
}

/// A subscription of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its name in the gateway.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// Key of the API that it may call.
    pub api: Key,
    /// Whether its callers may ask for a trace.
    pub tracing: bool,
}

impl Topology {
    /// The gateway's keys of backends and pools by their names in Azure.
    pub fn backend_by_name(&self, name: &str) -> Option<(&Key, &Backend)> {
        self.backends.iter().find(|(_, backend)| backend.name.eq_ignore_ascii_case(name))
    }

    /// The pool with that name in Azure.
    pub fn pool_by_name(&self, name: &str) -> Option<(&Key, &Pool)> {
        self.pools.iter().find(|(_, pool)| pool.name.eq_ignore_ascii_case(name))
    }

    /// The deployment that a backend calls.
    pub fn deployment_of(&self, backend: &Backend) -> Option<&Deployment> {
        match &backend.target {
            Target::Deployment { account, deployment } => self.accounts.get(account)?.deployments.get(deployment),
            Target::Url(_) => None,
        }
    }

    /// The same topology with every name literal: `unique` is `uniqueString(toLower(resourceGroup().id), name, environment)`.
    pub fn resolve(mut self, unique: &str) -> Topology {
        let literal = |name: &Name| Name::Literal(name.resolve(unique));
        if let Some(gateway) = &mut self.gateway {
            gateway.name = literal(&gateway.name);
        }
        self.accounts.values_mut().for_each(|account| account.name = literal(&account.name));
        self
    }
}
