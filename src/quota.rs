//! Admission to one Azure OpenAI deployment: [`Metered`] for tokens and requests a minute, [`Provisioned`] for PTUs.
//!
//! Metered (facts: a published log of a real deployment, June 2024, which the tests replay): tokens are taken at
//! admission, an estimate of prompt and `max_tokens`, and come back 60 s after they were taken; requests are counted over
//! 10 s, a sixth of the minute's limit. Only what is admitted is charged.
//!
//! Provisioned (learn.microsoft.com, "What is provisioned throughput"): a call is refused while utilisation is above
//! 100 %, otherwise it is admitted and its estimate added, so that one call may overshoot; at completion the estimate is
//! replaced by what it was; utilisation drains all the time.
//!
//! Everything is integer arithmetic, so a run repeats to the byte. What is assumed is listed by
//! [`metered_assumptions`] and [`provisioned_assumptions`].
//!
//! Deliberately absent: prices, latency, error bodies (`backend`), and quota of a whole subscription.

mod metered;
mod provisioned;

pub use metered::{Metered, Remaining};
pub use provisioned::Provisioned;

use crate::time::Duration;

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// Tokens a minute.
    Tpm,
    /// Requests a minute, counted over 10 s.
    Rpm,
    /// Utilisation of provisioned throughput.
    Ptu,
}

/// A call was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which limit.
    pub cause: Cause,
    /// When it would be admitted if nobody else called, to the nanosecond.
    pub wait: Duration,
}

/// How long tokens stay taken.
pub const TOKEN_WINDOW: Duration = Duration::from_secs(60);

/// Over how long requests are counted.
pub const REQUEST_WINDOW: Duration = Duration::from_secs(10);

/// How many seconds of its capacity a provisioned deployment can be behind before utilisation is 100 %. Nobody publishes
/// it.
pub const PTU_DEPTH: Duration = Duration::from_secs(10);

/// What admission to metered deployments assumes where Azure's documentation says nothing.
pub fn metered_assumptions() -> Vec<String> {
    vec![
        "TPM is a log that slides over 60 s (measured in 2024; the documentation speaks of a reset each minute)".into(),
        "RPM is a sixth of the limit in any 10 s, rounded down, at least 1".into(),
        "a call takes its prompt's tokens and its max_tokens at admission; nothing is given back when it ends (Azure \
         estimates the prompt, nobody publishes how)"
            .into(),
        "a refused call is not charged; Retry-After is the wait in whole seconds, rounded up".into(),
    ]
}

/// What admission to provisioned deployments assumes; `depth` is the one in use.
pub fn provisioned_assumptions(depth: Duration) -> Vec<String> {
    vec![
        format!("a PTU deployment is at 100 % when it is {depth} of its capacity behind: nobody publishes it"),
        "max_tokens count on PTUs as much as the output that they allow; no prompt is cached".into(),
    ]
}

#[cfg(test)]
mod tests;
