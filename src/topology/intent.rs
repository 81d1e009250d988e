//! What an API's policy does: the part of a topology that the policy's text depends on, and no more.
//!
//! An [`Intent`] is rendered to XML by `policy`, executed by `exchange`, and carried inside the rendered XML, so that a
//! live policy can be recognised as ours and simulated. Names in it are names in Azure, because the text holds those.

use super::KeyNames;
use crate::time::Duration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An API's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// What we render from an intent.
    Rendered(Intent),
    /// Anything else, as canonical XML; only in live state. Empty where the API has no policy.
    Other(String),
}

impl Policy {
    /// The intent, where it is known.
    pub fn intent(&self) -> Option<&Intent> {
        match self {
            Policy::Rendered(intent) => Some(intent),
            Policy::Other(_) => None,
        }
    }
}

/// What the policy of an API is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Intent {
    /// Who picks the backend.
    pub strategy: Strategy,
    /// Which pool serves which deployment name of the caller.
    pub routes: Routes,
    /// Header and query parameter of the caller's key, deleted before the backend sees the call.
    pub keys: KeyNames,
    /// The resource that the gateway's identity asks a token for.
    pub audience: String,
    /// When an attempt is repeated.
    pub retry: Retry,
    /// What the caller gets when every member's breaker is open.
    pub on_exhausted: OnExhausted,
    /// Name of the subscription that may ask for one backend by name.
    pub probe: String,
}

/// Who picks the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// API Management's own backend pool.
    Pool,
}

/// Which pool serves a call. Values are names of pools in Azure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Routes {
    /// By the deployment name that the caller's path holds.
    ByName(BTreeMap<String, String>),
    /// One pool for every name.
    All(String),
}

impl Routes {
    /// The pool for the deployment name that the caller gave. Names are compared without case, as Azure does.
    pub fn pool(&self, name: &str) -> Option<&str> {
        match self {
            Routes::All(pool) => Some(pool),
            Routes::ByName(routes) => {
                routes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, pool)| pool.as_str())
            }
        }
    }

    /// Every pool that a route leads to, each once.
    pub fn pools(&self) -> Vec<&str> {
        let mut pools: Vec<&str> = match self {
            Routes::All(pool) => vec![pool],
            Routes::ByName(routes) => routes.values().map(String::as_str).collect(),
        };
        pools.sort_unstable();
        pools.dedup();
        pools
    }
}

/// When an attempt is repeated (DESIGN 5: 408, 429, 499, 500, 502 to 504, 409 only with Retry-After, no response).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// Attempts after the first, 0 to 50.
    pub count: u32,
    /// The wait before an attempt after the second; whole seconds.
    pub interval: Duration,
    /// Whether the second attempt follows at once.
    pub first_fast: bool,
    /// How long the gateway waits for a backend; whole seconds.
    pub timeout: Duration,
    /// Whether an attempt that timed out is repeated, although its generation is already paid for.
    pub timeouts: bool,
}

/// What the caller gets when every member's breaker is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnExhausted {
    /// 429 or 503.
    pub status: u16,
    /// No Retry-After that leaves the gateway is longer than this; whole seconds.
    pub max_retry_after: Duration,
}
