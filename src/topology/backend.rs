//! Backends with their breakers, and pools of them.

use super::Key;
use crate::time::Duration;
use std::fmt;

/// A single backend of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Its name in the gateway.
    pub name: String,
    /// What it calls.
    pub target: Target,
    /// When the gateway leaves it alone.
    pub breaker: Option<Breaker>,
    /// How the policy signs in where the gateway's identity does not serve.
    pub credential: Option<Credential>,
}

/// A key in a vault that the policy sends to a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The header that carries it.
    pub header: String,
    /// Key of the named value that reads the vault.
    pub named_value: Key,
}

/// What a backend calls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A deployment of an account of this topology, both by key, at `{endpoint}openai/deployments/{deployment}`.
    Deployment {
        /// Key of the account.
        account: Key,
        /// Key of the deployment, which is its Azure name.
        deployment: Key,
    },
    /// The same deployment, named by the body's `model`, at `{endpoint}openai/v1`.
    V1 {
        /// Key of the account.
        account: Key,
        /// Key of the deployment.
        deployment: Key,
    },
    /// Whatever of an account no deployment serves, as stored responses, at `{endpoint}openai`.
    Account {
        /// Key of the account.
        account: Key,
    },
    /// Any address: in a spec somebody else's, in live state a backend that calls none of our accounts.
    Url(String),
}

impl Target {
    /// Keys of the account, and of the deployment where there is one.
    pub fn account(&self) -> Option<(&Key, Option<&Key>)> {
        match self {
            Target::Deployment { account, deployment } | Target::V1 { account, deployment } => {
                Some((account, Some(deployment)))
            }
            Target::Account { account } => Some((account, None)),
            Target::Url(_) => None,
        }
    }

    /// What follows the account's endpoint, which ends in a slash.
    pub fn path(&self) -> Option<String> {
        match self {
            Target::Deployment { deployment, .. } => Some(format!("openai/deployments/{deployment}")),
            Target::V1 { .. } => Some("openai/v1".into()),
            Target::Account { .. } => Some("openai".into()),
            Target::Url(_) => None,
        }
    }
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
    /// Which of the gateway's own error reasons are failures, as written.
    pub error_reasons: Vec<String>,
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
    /// Who picks a member.
    pub balancing: Balancing,
    /// What callers get when every member is tripped; `None` for the gateway's 503.
    pub failure_status: Option<u16>,
    /// Name of the cookie that keeps a caller at one member.
    pub session_affinity: Option<String>,
}

/// Who picks a member of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balancing {
    /// API Management: the pool is a resource of the gateway.
    #[default]
    Native,
    /// The policy of every API that routes to it: nothing of the pool stands in Azure.
    Policy,
    /// Nobody: only its twin for the surface v1 is used.
    Twin,
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
