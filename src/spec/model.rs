//! The spec as it is written: serde types, and the JSON Schema that comes from them.
//!
//! These are wire types: what a user may leave out is an [`Option`], words are [`Word`]s, and nothing is resolved. Their
//! doc comments are what an editor shows.
//!
//! No `untagged` and no `flatten`: their errors have no place. Where a value has two forms, the type reads both itself.

mod observe;
mod routing;
mod words;

pub use observe::*;
pub use routing::*;
pub use words::*;

use super::formats;
use crate::topology::{AccountKind, DeploymentSku, GatewaySku, NetworkMode, Properties, VersionUpgrade};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A map with the user's own keys.
pub type Map<T> = BTreeMap<String, T>;

/// Azure OpenAI deployments behind one API Management gateway.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "aoai-lb")]
pub struct Spec {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    #[expect(dead_code, reason = "one value so far")]
    pub version: u32,
    /// The stack. Names that are left out follow from it. Two to forty lower-case letters, digits and hyphens.
    #[schemars(extend("pattern" = formats::STACK))]
    pub name: String,
    /// Warnings that are meant, by code, each with the reason.
    pub silence: Option<Map<String>>,
    /// Where the stack stands in Azure.
    pub azure: Azure,
    /// The API Management service.
    pub gateway: Gateway,
    /// How the gateway's identity gets its roles: `manage` assigns them, `check` makes sure that it has them, `print`
    /// prints the commands that assign them.
    pub roles: Option<Word<Roles>>,
    /// The short form: models by name; it expands to accounts, deployments, backends and pools.
    pub models: Option<Map<Model>>,
    /// Azure OpenAI accounts with their deployments.
    pub accounts: Option<Map<Account>>,
    /// Circuit breaker rules that backends share. `default` and `ptu` exist without being written.
    pub breakers: Option<Map<Breaker>>,
    /// Backends of the gateway. Left out: one for every deployment, named `{account}-{deployment}`.
    pub backends: Option<Map<Backend>>,
    /// Load-balanced pools of backends.
    pub pools: Option<Map<Pool>>,
    /// APIs of the gateway. Left out: one, `openai`, with a route for every pool.
    pub apis: Option<Map<Api>>,
    /// APIs under one set of limits.
    pub products: Option<Map<Product>>,
    /// Who may call. Left out: `default` for the one API, or one for each API under its key.
    pub subscriptions: Option<Map<Subscription>>,
    /// What is recorded, and where it goes.
    pub observability: Option<Observability>,
    /// Changes for `--env NAME`, each a JSON merge patch of this file.
    #[schemars(with = "Option<Map<serde_json::Map<String, Value>>>")]
    #[expect(dead_code, reason = "merged before")]
    pub environments: Option<Value>,
    /// Keys whose live value is left as it is, as `gateway.capacity`: somebody else sees to it.
    pub ignore_changes: Option<Vec<String>>,
    /// What `deploy` never deletes or replaces: `gateway`, `accounts`, or a key. Left out: `gateway` and `accounts`, with
    /// provisioned deployments.
    pub protect: Option<Vec<String>>,
    /// What the simulator assumes of the gateway.
    pub simulation: Option<Simulation>,
}

/// Where the stack stands in Azure.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Azure {
    /// The subscription's id. Left out: `--subscription`, AZURE_SUBSCRIPTION_ID, or az's default.
    #[schemars(extend("pattern" = formats::GUID))]
    pub subscription: Option<String>,
    /// The resource group; it is made where it is missing.
    #[schemars(extend("pattern" = formats::RESOURCE_GROUP))]
    pub resource_group: String,
    /// The region of the resource group and of the gateway, as `eastus2`.
    #[schemars(extend("pattern" = formats::LOCATION))]
    pub location: String,
    /// Tags of every resource that can have them.
    pub tags: Option<Map<String>>,
    /// Api-versions to use instead of the ones that this program chooses, by resource type
    /// (`Microsoft.ApiManagement/service/backends`) or provider (`Microsoft.ApiManagement`).
    #[schemars(extend("additionalProperties" = version()))]
    pub api_versions: Option<Map<String>>,
}

/// The API Management service.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gateway {
    /// Its name, unique in the world. Left out: `apim-` and 13 characters that follow from subscription, group and stack.
    #[schemars(extend("pattern" = formats::SERVICE))]
    pub name: Option<String>,
    /// Its tier. Left out: BasicV2.
    pub sku: Option<Word<GatewaySku>>,
    /// Scale units. Left out: 1, and 0 on Consumption.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub capacity: Option<u32>,
    /// Who is named as the publisher; an existing service has one.
    pub publisher: Option<Publisher>,
    /// The identity that calls the models: `system`, or `user` with the name of one to make or the id of one that is
    /// there. Left out: `system`.
    pub identity: Option<Either<Word<OwnIdentity>, UserIdentity>>,
    /// A service that is there already. It is never written; what stands in it is.
    pub existing: Option<Existing>,
    /// The network that it reaches its backends through.
    pub network: Option<GatewayNetwork>,
    /// Properties of the service that are sent as written.
    pub properties: Option<Properties>,
}

/// A user-assigned identity.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserIdentity {
    /// The name of an identity to make, or the ARM id of one that is there. An existing gateway has it already: there a name
    /// is that of one in the gateway's own group.
    #[schemars(length(min = 1, max = 500))]
    pub user: String,
}

/// Something that is there already, by its name or its ARM id.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Existing {
    /// Its name.
    #[schemars(length(min = 1, max = 64))]
    pub name: Option<String>,
    /// Its resource group. Left out: the stack's.
    #[schemars(extend("pattern" = formats::RESOURCE_GROUP))]
    pub resource_group: Option<String>,
    /// Its subscription. Left out: the stack's.
    #[schemars(extend("pattern" = formats::GUID))]
    pub subscription: Option<String>,
    /// Its ARM id, instead of the other three.
    #[schemars(extend("pattern" = formats::ARM_ID))]
    pub resource_id: Option<String>,
}

/// The network that a gateway is part of.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GatewayNetwork {
    /// ARM id of the subnet. The network is never written.
    #[schemars(extend("pattern" = formats::ARM_ID))]
    pub subnet: String,
    /// Who reaches the gateway: `External` for everybody, `Internal` for the network alone. Left out: External.
    pub mode: Option<Word<NetworkMode>>,
}

/// Who is named as the publisher.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Publisher {
    /// A name. Left out: the stack's.
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    /// An address that is read: Azure writes to it.
    #[schemars(extend("pattern" = formats::EMAIL))]
    pub email: String,
}

/// The schema of an api-version that stands in a map.
fn version() -> Value {
    json!({ "type": "string", "pattern": formats::API_VERSION })
}

/// The schema of a capacity that stands in a map.
fn capacity() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": 1_000_000 })
}

/// A model in the short form.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Model {
    /// The model's version, in quotes.
    #[schemars(length(min = 1, max = 64))]
    pub version: String,
    /// Pay-as-you-go capacity by region, in thousands of tokens a minute.
    #[schemars(extend("additionalProperties" = capacity()))]
    pub regions: Option<Map<u32>>,
    /// Provisioned capacity by region, in PTU; these are used first.
    #[schemars(extend("additionalProperties" = capacity()))]
    pub ptu: Option<Map<u32>>,
}

/// An Azure OpenAI account.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// Its region, as `swedencentral`; an existing account has one.
    #[schemars(extend("pattern" = formats::LOCATION))]
    pub location: Option<String>,
    /// OpenAI or AIServices. Left out: OpenAI.
    pub kind: Option<Word<AccountKind>>,
    /// Its name, unique in the world. Left out: `aoai-{key}-` and 13 characters.
    #[schemars(extend("pattern" = formats::ACCOUNT))]
    pub name: Option<String>,
    /// Its model deployments, by the name that they have in Azure.
    pub deployments: Map<Deployment>,
    /// An account that is there already. Neither it nor its deployments are ever written; the role is assigned.
    pub existing: Option<Existing>,
    /// Its subscription. Left out: the stack's.
    #[schemars(extend("pattern" = formats::GUID))]
    pub subscription: Option<String>,
    /// Its resource group, which is there. Left out: the stack's.
    #[schemars(extend("pattern" = formats::RESOURCE_GROUP))]
    pub resource_group: Option<String>,
    /// The role that the gateway's identity gets on it, by name or id. Left out: Cognitive Services OpenAI User, and
    /// Cognitive Services User where a deployment has another format than OpenAI.
    #[schemars(length(min = 1, max = 100))]
    pub role: Option<String>,
    /// How it is reached. Left out: by whoever has a token.
    pub network: Option<AccountNetwork>,
    /// Properties of the account that are sent as written.
    pub properties: Option<Properties>,
}

/// How an account is reached.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountNetwork {
    /// Whether the world reaches it. Left out: true, and false where there is a subnet.
    pub public: Option<bool>,
    /// ARM id of the subnet in which it gets a private endpoint. The network is never written.
    #[schemars(extend("pattern" = formats::ARM_ID))]
    pub subnet: Option<String>,
    /// ARM id of the private DNS zone, `privatelink.openai.azure.com`, that names the endpoint. It is never written.
    #[schemars(extend("pattern" = formats::ARM_ID))]
    pub dns_zone: Option<String>,
}

/// A model deployment.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deployment {
    /// The model, as `gpt-5.1`.
    #[schemars(length(min = 1, max = 64))]
    pub model: String,
    /// The model's version, in quotes.
    #[schemars(length(min = 1, max = 64))]
    pub version: String,
    /// How it is served and billed. Left out: GlobalStandard.
    pub sku: Option<Word<DeploymentSku>>,
    /// Thousands of tokens a minute on standard tiers, PTU on provisioned ones.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub capacity: u32,
    /// Whether Azure may replace the version. Left out: OnceCurrentVersionExpired.
    pub version_upgrade: Option<Word<VersionUpgrade>>,
    /// Whose format the model's API has, as `OpenAI` or `DeepSeek`. Left out: OpenAI.
    #[schemars(length(min = 1, max = 64))]
    pub format: Option<String>,
    /// The content filter's name. Left out: Azure's default.
    #[schemars(length(min = 1, max = 64))]
    pub rai_policy: Option<String>,
    /// Key of the standard deployment of this account that takes what this provisioned one cannot.
    pub spillover: Option<String>,
}

/// What the simulator assumes of the gateway.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Simulation {
    /// Instances of the gateway; each has its own breakers and its own rotation. Left out: 1.
    #[schemars(range(min = 1, max = 1000))]
    pub instances: Option<u32>,
    /// How an instance rotates inside a priority group. Left out: smooth.
    pub rotation: Option<Word<super::Rotation>>,
}
