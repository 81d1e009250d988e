//! One backend's circuit breaker.

use super::{State, TripBy};
use crate::time::{Duration, Time};
use crate::topology::{self, StatusRange, Threshold};
use std::collections::VecDeque;

#[derive(Clone, Debug)]
pub(super) struct Breaker {
    rule: Option<Rule>,
    /// Open before this instant; the start of time where it never tripped.
    until: Time,
    window: Window,
}

#[derive(Clone, Debug)]
struct Rule {
    threshold: Threshold,
    interval: Duration,
    failures: Vec<StatusRange>,
    trip_duration: Duration,
    accept_retry_after: bool,
}

/// What happened within the last interval.
#[derive(Clone, Debug, Default)]
struct Window {
    /// When, and whether it was a failure. A counting breaker keeps failures only, at most `count` of them.
    calls: VecDeque<(Time, Call)>,
    failed: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Served,
    Failed,
}

impl Breaker {
    pub(super) fn new(rule: Option<&topology::Breaker>) -> Breaker {
        let rule = rule.map(|rule| Rule {
            threshold: rule.threshold,
            interval: rule.interval,
            failures: rule.status_codes.clone(),
            trip_duration: rule.trip_duration,
            accept_retry_after: rule.accept_retry_after,
        });
        Breaker { rule, until: Time::ZERO, window: Window::default() }
    }

    #[inline]
    pub(super) fn state(&self, now: Time) -> State {
        if now < self.until { State::Open { until: self.until } } else { State::Closed }
    }

    /// Counts a response; until when the breaker is open, and why, where this opened it.
    #[inline]
    pub(super) fn observe(&mut self, now: Time, status: u16, retry_after: Option<Duration>) -> Option<(Time, TripBy)> {
        let rule = self.rule.as_ref()?;
        if now < self.until {
            return None; // sent before it opened
        }
        let failed = rule.failures.iter().any(|range| range.contains(status));
        let tripped = match rule.threshold {
            Threshold::Count(_) if !failed => false,
            Threshold::Count(count) => {
                self.window.forget(now, rule.interval);
                self.window.push(now, Call::Failed);
                self.window.failed >= count as usize
            }
            Threshold::Percentage(share) => {
                self.window.forget(now, rule.interval);
                self.window.push(now, if failed { Call::Failed } else { Call::Served });
                failed && self.window.failed * 100 >= usize::from(share) * self.window.calls.len()
            }
        };
        if !tripped {
            return None;
        }
        self.window.clear();
        let (length, by) = match retry_after.filter(|_| rule.accept_retry_after) {
            Some(length) => (length, TripBy::RetryAfter),
            None => (rule.trip_duration, TripBy::TripDuration),
        };
        self.until = now + length;
        Some((self.until, by))
    }
}

impl Window {
    fn push(&mut self, now: Time, call: Call) {
        self.calls.push_back((now, call));
        self.failed += usize::from(call == Call::Failed);
    }

    fn clear(&mut self) {
        self.calls.clear();
        self.failed = 0;
    }

    fn forget(&mut self, now: Time, interval: Duration) {
        while let Some(&(at, call)) = self.calls.front() {
            if now.since(at) < interval {
                break;
            }
            self.calls.pop_front();
            self.failed -= usize::from(call == Call::Failed);
        }
    }
}
