//! One Azure OpenAI deployment, as far as a gateway can tell it from a real one: whom it admits, how long it takes, what
//! it says when it refuses.
//!
//! [`Backend::offer`] decides a call at once, and says when the answer begins and ends; [`Backend::complete`] must follow
//! at the end of every admitted call, in order of time, because provisioned utilisation is corrected then.
//!
//! Deliberately absent: who picks it (`exchange`), faults and outages (nothing here ever fails, it only refuses), and
//! what a model writes: an answer is a number of tokens.

pub mod figures;
mod latency;

pub use figures::{Admission, Figures};
pub use latency::Noise;

use crate::quota::{Cause, Metered, Provisioned, Refusal, Remaining};
use crate::rng::{Draws, Stream};
use crate::time::{Duration, Time};
use crate::wire::{Headers, Response};

/// What one call brings and wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Tokens of the prompt.
    pub prompt: u32,
    /// Tokens that will be written.
    pub output: u32,
    /// Tokens that the caller allows, which is what admission counts with.
    pub max_tokens: u32,
}

/// A backend's answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// 200.
    Served {
        /// When its first token leaves.
        first: Time,
        /// When its last token leaves.
        last: Time,
    },
    /// 429.
    Refused {
        /// When the refusal leaves.
        at: Time,
        /// Why.
        cause: Cause,
        /// Its `Retry-After`, in whole seconds.
        retry_after: Duration,
        /// Its `retry-after-ms`, which provisioned deployments add.
        retry_after_ms: Option<Duration>,
    },
}

/// One deployment with its state.
#[derive(Clone, Debug)]
pub struct Backend {
    figures: Figures,
    quota: Quota,
}

#[derive(Clone, Debug)]
enum Quota {
    Metered(Metered),
    Provisioned(Provisioned),
}

/// How long a refusal takes.
pub const REFUSAL: Duration = Duration::from_millis(10);

impl Backend {
    /// A deployment that has served nobody yet. `ptu_depth` is how far behind a provisioned one may be
    /// ([`crate::quota::PTU_DEPTH`]).
    pub fn new(figures: Figures, ptu_depth: Duration) -> Backend {
        let quota = match figures.admission {
            Admission::Metered { tokens_per_minute, requests_per_minute } => {
                Quota::Metered(Metered::new(tokens_per_minute, requests_per_minute))
            }
            Admission::Provisioned { tokens_per_minute } => {
                Quota::Provisioned(Provisioned::new(tokens_per_minute, ptu_depth))
            }
        };
        Backend { figures, quota }
    }

    /// Decides a call that arrives now.
    #[inline]
    pub fn offer(&mut self, now: Time, draws: Draws, attempt: u32, noise: &Noise, work: Work) -> Reply {
        let admitted = match &mut self.quota {
            Quota::Metered(quota) => quota.admit(now, work.prompt.saturating_add(work.max_tokens)),
            Quota::Provisioned(quota) => quota.admit(now, self.figures.weight(work.prompt, work.max_tokens)),
        };
        match admitted {
            Ok(()) => {
                let bits = draws.get(Stream::Latency, attempt);
                let first = now + noise.stretch(self.figures.first_token(work.prompt), bits);
                let last = now + noise.stretch(self.figures.whole(work.prompt, work.output), bits);
                Reply::Served { first, last }
            }
            Err(refusal) => refused(now, refusal),
        }
    }

    /// An admitted call has ended.
    #[inline]
    pub fn complete(&mut self, now: Time, work: Work) {
        if let Quota::Provisioned(quota) = &mut self.quota {
            let weight = |output| self.figures.weight(work.prompt, output);
            quota.complete(now, weight(work.max_tokens), weight(work.output));
        }
    }

    /// What a metered deployment has left, which it says in every answer ([`rate_limits`]).
    pub fn remaining(&mut self, now: Time) -> Option<Remaining> {
        match &mut self.quota {
            Quota::Metered(quota) => Some(quota.remaining(now)),
            Quota::Provisioned(_) => None,
        }
    }
}

/// The headers that say what is left. The two `reset` headers are left out: nobody says what they count.
pub fn rate_limits(remaining: &Remaining, headers: &mut Headers) {
    let Remaining { tokens, tokens_limit, requests, requests_limit } = *remaining;
    for (name, value) in [
        ("x-ratelimit-limit-requests", requests_limit),
        ("x-ratelimit-limit-tokens", tokens_limit),
        ("x-ratelimit-remaining-requests", requests),
        ("x-ratelimit-remaining-tokens", tokens),
    ] {
        headers.set(name, value.to_string());
    }
}

fn refused(now: Time, Refusal { cause, wait }: Refusal) -> Reply {
    let retry_after_ms = (cause == Cause::Ptu).then(|| Duration::from_millis(wait.millis_ceil()));
    Reply::Refused { at: now + REFUSAL, cause, retry_after: Duration::from_secs(wait.secs_ceil()), retry_after_ms }
}

/// A refusal as it goes over the wire, in the words of Azure OpenAI. `None` for what was served.
pub fn refusal(reply: &Reply, operation: &str, api_version: &str) -> Option<Response> {
    let Reply::Refused { cause, retry_after, retry_after_ms, .. } = reply else { return None };
    let seconds = retry_after.secs_ceil();
    let plural = if seconds == 1 { "" } else { "s" };
    let limit = match cause {
        Cause::Tpm => "token rate limit",
        Cause::Rpm => "call rate limit",
        Cause::Ptu => "provisioned throughput",
    };
    let message = format!(
        "Requests to the {operation} Operation under Azure OpenAI API version {api_version} have exceeded {limit} of \
         your current OpenAI S0 pricing tier. Please retry after {seconds} second{plural}."
    );
    let body = serde_json::json!({ "error": { "code": "429", "message": message } });
    let response = Response::json(429, &body).header("Retry-After", seconds.to_string());
    Some(match retry_after_ms {
        Some(wait) => response.header("retry-after-ms", wait.millis_ceil().to_string()),
        None => response,
    })
}

#[cfg(test)]
mod tests;
