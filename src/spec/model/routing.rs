//! The spec as it is written: breakers, backends, pools, APIs, products, subscriptions.

use super::super::formats;
use super::Map;
use super::words::{Either, Length, Statuses, Surface, Table, Word};
use crate::topology::Strategy;
use crate::topology::intent::{LimitBy, Period};
use schemars::JsonSchema;
use serde::Deserialize;

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
    /// Which errors of the gateway's own are failures, as `Server errors`; Azure publishes no list.
    pub error_reasons: Option<Vec<String>>,
    /// How long it stays open. Left out: PT1M; PT1S in the breaker `ptu`.
    pub trip_duration: Option<Length>,
    /// Whether a Retry-After header replaces the trip duration. Left out: true.
    pub accept_retry_after: Option<bool>,
}

/// A backend: one deployment of one account, or an address of somebody else's.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Backend {
    /// Key of the account.
    pub account: Option<String>,
    /// Key of the deployment in that account.
    pub deployment: Option<String>,
    /// Key of the breaker, or `none`. Left out: `ptu` for a provisioned deployment, else `default`; none where a policy
    /// picks the backend, which keeps count itself.
    pub breaker: Option<String>,
    /// The address of somebody else's backend, instead of `account` and `deployment`: all that comes before
    /// `/chat/completions`.
    #[schemars(extend("pattern" = formats::URL))]
    pub url: Option<String>,
    /// How the policy signs in at `url`.
    pub credential: Option<Credential>,
    /// What the simulator assumes of `url`.
    pub quota: Option<Quota>,
}

/// A key in a vault.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credential {
    /// Address of the secret, `https://VAULT.vault.azure.net/secrets/NAME`; the gateway's identity reads it.
    #[schemars(extend("pattern" = formats::SECRET))]
    pub key_vault: String,
    /// The header that carries it, as `api-key`.
    #[schemars(extend("pattern" = formats::HEADER))]
    pub header: String,
}

/// What the simulator assumes of a backend that is nobody's deployment here.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quota {
    /// Tokens a minute.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub tokens_per_minute: u32,
    /// Requests a minute. Left out: 6 for each 1,000 tokens a minute.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub requests_per_minute: Option<u32>,
}

/// A load-balanced pool.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pool {
    /// Its members, 1 to 30.
    pub members: Vec<Member>,
    /// The status that callers get when every member is tripped. Left out: 503, which the policy answers.
    #[schemars(range(min = 100, max = 599))]
    pub failure_status: Option<u16>,
    /// Name of the cookie that keeps a caller at one member. Left out: none.
    #[schemars(extend("pattern" = formats::HEADER))]
    pub session_affinity: Option<String>,
    /// Whether members may have different models or versions: callers then get one or the other by chance.
    pub allow_mixed_models: Option<bool>,
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
    /// What callers can call: `deployments` for `/openai/deployments/NAME/...`, `v1` for `/openai/v1/...`, where the body
    /// names the deployment. Left out: deployments.
    #[schemars(length(min = 1))]
    pub surfaces: Option<Vec<Word<Surface>>>,
    /// Where the operations come from: `operations` is our own table, `catch-all` takes every path and method, a mapping
    /// names an OpenAPI document. Left out: operations.
    pub definition: Option<Either<Word<Table>, Definition>>,
    /// Who picks the backend: `pool` is API Management's own pool; `smart` is the policy, by priority, weight and
    /// Retry-After; `round-robin` is the policy, one after another. Left out: pool.
    pub strategy: Option<Word<Strategy>>,
    /// Which pool serves which deployment name of the caller. Left out, with `pool`: every pool under its own key.
    pub routes: Option<Map<String>>,
    /// One pool for every deployment name; instead of `routes`.
    pub pool: Option<String>,
    /// When an attempt is repeated.
    pub retry: Option<Retry>,
    /// What the caller gets when every member's breaker is open.
    pub on_exhausted: Option<OnExhausted>,
    /// How many tokens a subscription may use in a minute.
    pub token_limit: Option<TokenLimit>,
    /// How callers say who they are.
    pub callers: Option<Callers>,
    /// A policy template of your own.
    pub policy: Option<OwnPolicy>,
    /// What happens to calls that only one account can answer: responses by id, files, batches, assistants. Left out:
    /// they are refused.
    pub stateful: Option<Stateful>,
}

/// An OpenAPI document.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Definition {
    /// Version of Azure OpenAI's own document, as `2024-10-21`; `commit` goes with it.
    #[serde(rename = "azureOpenAI")]
    #[schemars(extend("pattern" = formats::API_VERSION))]
    pub azure_openai: Option<String>,
    /// The commit of Azure/azure-rest-api-specs to take it from: a branch moves.
    #[schemars(extend("pattern" = formats::COMMIT))]
    pub commit: Option<String>,
    /// A JSON file beside the spec, instead.
    #[schemars(length(min = 1, max = 400))]
    pub file: Option<String>,
}

/// How many tokens a subscription may use in a minute.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenLimit {
    /// Tokens of a minute.
    #[schemars(range(min = 1, max = 2_000_000_000))]
    pub tokens_per_minute: u32,
    /// Whether a prompt's tokens are estimated before the call, so that it is refused before it costs. Left out: true.
    pub estimate_prompt: Option<bool>,
    /// What has a count of its own: a `subscription`, or a subscription at a `pool`. Left out: subscription.
    pub by: Option<Word<LimitBy>>,
}

/// A policy template of your own.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OwnPolicy {
    /// A file beside the spec.
    #[schemars(length(min = 1, max = 400))]
    pub template: String,
}

/// What happens to calls that only one account can answer.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stateful {
    /// Key of the account that gets them all.
    pub pin: String,
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
    /// Where the subscription key stands; `false` where callers need none.
    pub keys: Option<Either<bool, Keys>>,
    /// What a caller's Entra token must be.
    pub entra: Option<Entra>,
}

/// What a caller's Entra token must be.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entra {
    /// The tenant's id or domain.
    #[schemars(length(min = 1, max = 100))]
    pub tenant: String,
    /// Audiences, one of which the token must have. Left out: any.
    pub audiences: Option<Vec<String>>,
    /// Client ids of the applications that may call. Left out: any.
    pub applications: Option<Vec<String>>,
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

/// A product: APIs under one set of limits.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Product {
    /// Keys of the APIs in it.
    #[schemars(length(min = 1))]
    pub apis: Vec<String>,
    /// What people see. Left out: the key.
    #[schemars(length(min = 1, max = 300))]
    pub display_name: Option<String>,
    /// How many tokens a subscription may use in a minute.
    pub token_limit: Option<TokenLimit>,
    /// How many tokens a subscription may use in a longer time.
    pub quota: Option<TokenQuota>,
}

/// How many tokens a subscription may use in a longer time.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenQuota {
    /// Tokens of the period.
    #[schemars(range(min = 1, max = 1_000_000_000_000_i64))]
    pub tokens: u64,
    /// How long the period is.
    pub per: Word<Period>,
}

/// A subscription of the gateway: a pair of keys.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subscription {
    /// Key of the API that it may call. Left out, without `product`: the only one.
    pub api: Option<String>,
    /// Key of the product whose APIs it may call, instead of `api`.
    pub product: Option<String>,
    /// What people see. Left out: the key.
    #[schemars(length(min = 1, max = 100))]
    pub display_name: Option<String>,
    /// Whether its callers may ask for a trace. Left out: false.
    pub tracing: Option<bool>,
}
