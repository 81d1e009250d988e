//! The spec as it is written: serde types, and the JSON Schema that comes from them.
//!
//! These are wire types: what a user may leave out is an [`Option`], words are [`Word`]s, and nothing is resolved. Their
//! doc comments are what an editor shows. Key names that belong to later versions are in [`super::later`].
//!
//! No `untagged` and no `flatten`: their errors have no place. Where a value has two forms, the type reads both itself.

use super::formats;
use crate::time;
use crate::topology::{AccountKind, DeploymentSku, GatewaySku, StatusRange, VersionUpgrade};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

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
    /// How the gateway's identity gets its roles: `manage` assigns them.
    #[expect(dead_code, reason = "one value so far")]
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
    /// Who may call. Left out: `default` for the one API, or one for each API under its key.
    pub subscriptions: Option<Map<Subscription>>,
    /// Changes for `--env NAME`, each a JSON merge patch of this file.
    #[schemars(with = "Option<Map<serde_json::Map<String, Value>>>")]
    #[expect(dead_code, reason = "merged before")]
    pub environments: Option<Value>,
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
    /// Who is named as the publisher.
    pub publisher: Publisher,
    /// The identity that calls the models. Left out: `system`.
    #[expect(dead_code, reason = "one value so far")]
    pub identity: Option<Word<Identity>>,
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
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// Its region, as `swedencentral`.
    #[schemars(extend("pattern" = formats::LOCATION))]
    pub location: String,
    /// OpenAI or AIServices. Left out: OpenAI.
    pub kind: Option<Word<AccountKind>>,
    /// Its name, unique in the world. Left out: `aoai-{key}-` and 13 characters.
    #[schemars(extend("pattern" = formats::ACCOUNT))]
    pub name: Option<String>,
    /// Its model deployments, by the name that they have in Azure.
    pub deployments: Map<Deployment>,
}

/// A model deployment.
#[derive(Deserialize, JsonSchema)]
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
}

/// A circuit breaker rule: when the gateway leaves a backend alone.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Breaker {
    /// How many failures in the interval open it. Left out: 1.
    #[schemars(range(min = 1, max = 10_000))]
    pub count: Option<u32>,
    /// Which share of the requests in the interval opens it, in percent; instead of `count`.
    #[schemars(range(min = 1, max = 100))]
    pub percentage: Option<u8>,
    /// The window in which failures are counted. Left out: PT1M; PT10S in the breaker `ptu`.
    pub interval: Option<Length>,
    /// Which statuses are failures: `429`, `500-503`, `5xx`. Left out: 408, 429, 499, 500, 502-504.
    pub status_codes: Option<Vec<Statuses>>,
    /// How long it stays open. Left out: PT1M; PT1S in the breaker `ptu`.
    pub trip_duration: Option<Length>,
    /// Whether a Retry-After header replaces the trip duration. Left out: true.
    pub accept_retry_after: Option<bool>,
}

/// A backend: one deployment of one account.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Backend {
    /// Key of the account.
    pub account: String,
    /// Key of the deployment in that account.
    pub deployment: String,
    /// Key of the breaker, or `none`. Left out: `ptu` for a provisioned deployment, else `default`.
    pub breaker: Option<String>,
}

/// A load-balanced pool.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pool {
    /// Its members, 1 to 30.
    pub members: Vec<Member>,
}

/// A member of a pool.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// Key of the backend.
    pub backend: String,
    /// The lowest number is used first; others only when every member above is tripped. Left out: 1.
    #[schemars(range(min = 0, max = 100))]
    pub priority: Option<u8>,
    /// Its share inside its priority. Left out: 1.
    #[schemars(range(min = 0, max = 100))]
    pub weight: Option<u8>,
}

/// An API of the gateway.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Api {
    /// The path under the gateway's address. Left out: the API's key. The OpenAI SDKs want it to end in `openai`.
    #[schemars(extend("pattern" = formats::API_PATH))]
    pub path: Option<String>,
    /// What people see. Left out: the key.
    #[schemars(length(min = 1, max = 300))]
    pub display_name: Option<String>,
    /// What callers can call: `deployments`.
    #[schemars(length(min = 1))]
    #[expect(dead_code, reason = "one value so far")]
    pub surfaces: Option<Vec<Word<Surface>>>,
    /// Where the operations come from: `operations` is our own table.
    #[expect(dead_code, reason = "one value so far")]
    pub definition: Option<Word<Definition>>,
    /// Who picks the backend: `pool` is API Management's own pool.
    #[expect(dead_code, reason = "one value so far")]
    pub strategy: Option<Word<Strategy>>,
    /// Which pool serves which deployment name of the caller. Left out, with `pool`: every pool under its own key.
    pub routes: Option<Map<String>>,
    /// One pool for every deployment name; instead of `routes`.
    pub pool: Option<String>,
    /// When an attempt is repeated.
    pub retry: Option<Retry>,
    /// What the caller gets when every member's breaker is open.
    pub on_exhausted: Option<OnExhausted>,
    /// How callers say who they are.
    pub callers: Option<Callers>,
}

/// When an attempt is repeated.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// Attempts after the first. Left out: 2.
    #[schemars(range(min = 0, max = 50))]
    pub count: Option<u32>,
    /// The wait before each attempt, in whole seconds. Left out: 0s.
    pub interval: Option<Length>,
    /// Whether the second attempt follows at once. Left out: true.
    pub first_fast: Option<bool>,
    /// How long the gateway waits for a backend, 1s to 240s. Left out: 240s.
    pub timeout: Option<Length>,
    /// Whether an attempt that timed out is repeated, although its generation is already paid for. Left out: false.
    pub timeouts: Option<bool>,
}

/// What the caller gets when every member's breaker is open.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnExhausted {
    /// 429 or 503. Left out: 429.
    #[schemars(extend("enum" = [429, 503, null]))]
    pub status: Option<u16>,
    /// No Retry-After that leaves the gateway is longer. Left out: 60s.
    pub max_retry_after: Option<Length>,
}

/// How callers say who they are.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Callers {
    /// Where the subscription key stands.
    pub keys: Option<Keys>,
}

/// Where the subscription key stands.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Keys {
    /// The header. Left out: `api-key`, as the OpenAI SDKs send it.
    #[schemars(extend("pattern" = formats::HEADER))]
    pub header: Option<String>,
    /// The query parameter. Left out: `api-key`.
    #[schemars(extend("pattern" = formats::HEADER))]
    pub query: Option<String>,
}

/// A subscription of the gateway: a pair of keys.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subscription {
    /// Key of the API that it may call. Left out: the only one.
    pub api: Option<String>,
    /// What people see. Left out: the key.
    #[schemars(length(min = 1, max = 100))]
    pub display_name: Option<String>,
    /// Whether its callers may ask for a trace. Left out: false.
    pub tracing: Option<bool>,
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

/// One of a fixed set of words.
#[derive(Clone, Copy)]
pub struct Word<T>(pub T);

/// A fixed set of words.
pub trait Words: Copy + 'static {
    /// Its name in the schema.
    const NAME: &'static str;
    /// Every word with what it means.
    fn all() -> Vec<(&'static str, Self)>;
}

impl<'de, T: Words> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Word<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = T::all().into_iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| Word(value)).ok_or_else(|| de::Error::custom("no such word"))
    }
}

impl<T: Words> JsonSchema for Word<T> {
    fn schema_name() -> Cow<'static, str> {
        T::NAME.into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = T::all().into_iter().map(|(word, _)| word).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub enum $name { $(
            #[doc = concat!("`", $word, "`")]
            $variant
        ),+ }
        impl Words for $name {
            const NAME: &'static str = stringify!($name);
            fn all() -> Vec<(&'static str, $name)> {
                vec![$(($word, $name::$variant)),+]
            }
        }
    )*};
}

words! {
    /// How the gateway's identity gets its roles.
    Roles { Manage = "manage" }
    /// The identity that calls the models.
    Identity { System = "system" }
    /// What callers can call.
    Surface { Deployments = "deployments" }
    /// Where an API's operations come from.
    Definition { Operations = "operations" }
    /// Who picks the backend.
    Strategy { Pool = "pool" }
}

impl Words for GatewaySku {
    const NAME: &'static str = "GatewaySku";
    fn all() -> Vec<(&'static str, GatewaySku)> {
        GatewaySku::ALL.into_iter().map(|sku| (sku.as_str(), sku)).collect()
    }
}

impl Words for DeploymentSku {
    const NAME: &'static str = "DeploymentSku";
    fn all() -> Vec<(&'static str, DeploymentSku)> {
        DeploymentSku::ALL.into_iter().map(|sku| (sku.as_str(), sku)).collect()
    }
}

impl Words for AccountKind {
    const NAME: &'static str = "AccountKind";
    fn all() -> Vec<(&'static str, AccountKind)> {
        [AccountKind::OpenAI, AccountKind::AIServices].into_iter().map(|kind| (kind.as_str(), kind)).collect()
    }
}

impl Words for VersionUpgrade {
    const NAME: &'static str = "VersionUpgrade";
    fn all() -> Vec<(&'static str, VersionUpgrade)> {
        use VersionUpgrade::*;
        [NoAutoUpgrade, OnceCurrentVersionExpired, OnceNewDefaultVersionAvailable]
            .into_iter()
            .map(|option| (option.as_str(), option))
            .collect()
    }
}

impl Words for super::Rotation {
    const NAME: &'static str = "Rotation";
    fn all() -> Vec<(&'static str, super::Rotation)> {
        vec![("smooth", super::Rotation::Smooth), ("random", super::Rotation::Random)]
    }
}

/// A length of time: `PT1M`, `60s`.
#[derive(Clone, Copy)]
pub struct Length(pub time::Duration);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Length, D::Error> {
        let text = String::deserialize(deserializer)?;
        time::Duration::parse(&text).map(Length).ok_or_else(|| de::Error::custom("no length of time"))
    }
}

impl JsonSchema for Length {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": formats::DURATION })
    }
}

/// One or several statuses: `429`, `500-503`, `5xx`. As written: `min` may be above `max`.
#[derive(Clone, Copy)]
pub struct Statuses(pub StatusRange);

impl Statuses {
    /// Reads `500-503`, `5xx` and `429`.
    pub fn parse(text: &str) -> Option<StatusRange> {
        let status = |digits: &str| {
            let three = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse::<u16>().ok().filter(|status| three && (200..600).contains(status))
        };
        if let Some(hundred) = text.strip_suffix("xx") {
            let min = status(&format!("{hundred}00"))?;
            return Some(StatusRange { min, max: min + 99 });
        }
        let (min, max) = text.split_once('-').unwrap_or((text, text));
        Some(StatusRange { min: status(min)?, max: status(max)? })
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Statuses, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Statuses;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status or a range of them")
            }
            fn visit_u64<E: de::Error>(self, status: u64) -> Result<Statuses, E> {
                self.visit_str(&status.to_string())
            }
            fn visit_i64<E: de::Error>(self, status: i64) -> Result<Statuses, E> {
                self.visit_str(&status.to_string())
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Statuses, E> {
                Statuses::parse(text).map(Statuses).ok_or_else(|| E::custom("no status"))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Statuses {
    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 200, "maximum": 599 },
            { "type": "string", "pattern": formats::STATUSES },
        ] })
    }
}
