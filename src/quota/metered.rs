//! Tokens and requests a minute: one log of what was admitted within the last minute.

use super::{Cause, REQUEST_WINDOW, Refusal, TOKEN_WINDOW};
use crate::time::{Duration, Time};
use std::collections::VecDeque;

/// The limits of a metered deployment, and what it has admitted lately.
#[derive(Clone, Debug)]
pub struct Metered {
    tokens_limit: u64,
    requests_limit: usize,
    /// What was admitted within the last 60 s, oldest first.
    log: VecDeque<(Time, u32)>,
    /// The sum of the log's tokens.
    taken: u64,
    /// How many of the log's first entries are older than 10 s.
    aged: usize,
}

/// What a caller could still send now: the `x-ratelimit-*` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remaining {
    /// Tokens of the limit that are not taken.
    pub tokens: u64,
    /// Tokens a minute.
    pub tokens_limit: u64,
    /// Requests that still fit into the last 10 s.
    pub requests: u64,
    /// Requests in 10 s.
    pub requests_limit: u64,
}

impl Metered {
    /// A deployment with these limits a minute that has served nobody yet.
    pub fn new(tokens_per_minute: u64, requests_per_minute: u64) -> Metered {
        Metered {
            tokens_limit: tokens_per_minute,
            requests_limit: usize::try_from(requests_per_minute / 6).unwrap_or(usize::MAX).max(1),
            log: VecDeque::new(),
            taken: 0,
            aged: 0,
        }
    }

    /// Admits a call that may cost `tokens` and charges it, or says how long to wait. Calls must come in order of time.
    ///
    /// Where both limits refuse, the longer wait decides, and names the cause. A call that is larger than the whole limit
    /// is never admitted; its wait is a whole window.
    #[inline]
    pub fn admit(&mut self, now: Time, tokens: u32) -> Result<(), Refusal> {
        self.forget(now);
        let fits = self.taken + u64::from(tokens) <= self.tokens_limit;
        if fits && self.log.len() - self.aged < self.requests_limit {
            self.log.push_back((now, tokens));
            self.taken += u64::from(tokens);
            return Ok(());
        }
        let by_tokens = Refusal { cause: Cause::Tpm, wait: self.tokens_wait(now, tokens) };
        let by_requests = Refusal { cause: Cause::Rpm, wait: self.requests_wait(now) };
        Err(if by_tokens.wait >= by_requests.wait { by_tokens } else { by_requests })
    }

    /// What is left at this instant.
    pub fn remaining(&mut self, now: Time) -> Remaining {
        self.forget(now);
        Remaining {
            tokens: self.tokens_limit - self.taken,
            tokens_limit: self.tokens_limit,
            requests: (self.requests_limit - (self.log.len() - self.aged)) as u64,
            requests_limit: self.requests_limit as u64,
        }
    }

    fn forget(&mut self, now: Time) {
        while self.log.front().is_some_and(|&(at, _)| now.since(at) >= TOKEN_WINDOW) {
            self.taken -= self.log.pop_front().map_or(0, |(_, tokens)| u64::from(tokens));
            self.aged = self.aged.saturating_sub(1);
        }
        while self.log.get(self.aged).is_some_and(|&(at, _)| now.since(at) >= REQUEST_WINDOW) {
            self.aged += 1;
        }
    }

    /// Until enough tokens have come back.
    fn tokens_wait(&self, now: Time, tokens: u32) -> Duration {
        if u64::from(tokens) > self.tokens_limit {
            return TOKEN_WINDOW;
        }
        let mut over = (self.taken + u64::from(tokens)).saturating_sub(self.tokens_limit);
        let mut wait = Duration::ZERO;
        for &(at, taken) in &self.log {
            if over == 0 {
                break;
            }
            wait = (at + TOKEN_WINDOW).since(now);
            over = over.saturating_sub(u64::from(taken));
        }
        wait
    }

    /// Until one request has left the last 10 s.
    fn requests_wait(&self, now: Time) -> Duration {
        if self.log.len() - self.aged < self.requests_limit {
            return Duration::ZERO;
        }
        self.log.get(self.aged).map_or(Duration::ZERO, |&(at, _)| (at + REQUEST_WINDOW).since(now))
    }
}
