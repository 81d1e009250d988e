//! What a run counts, in integers.

use super::engine::Flight;
use super::histogram::Histogram;
use crate::backend::Work;
use crate::exchange::{Answer, Step};
use crate::pool::{BackendId, TripBy};
use crate::quota::Cause;
use crate::time::{Duration, Time};
use std::collections::BTreeMap;

/// How an attempt turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Served,
    Refused(Cause),
    TimedOut,
}

/// Counts of one backend.
#[derive(Clone, Debug, Default)]
pub(super) struct Served {
    pub(super) attempts: u64,
    pub(super) served: u64,
    /// By cause, in the order of [`Cause`].
    pub(super) refused: [u64; 3],
    pub(super) timed_out: u64,
    pub(super) trips: u64,
    /// How long its breaker was open, all instances together.
    pub(super) open: Duration,
    pub(super) prompt_tokens: u64,
    pub(super) output_tokens: u64,
}

/// A breaker that opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tripped {
    pub(super) at: Time,
    pub(super) instance: u32,
    pub(super) backend: BackendId,
    pub(super) until: Time,
    pub(super) status: u16,
    pub(super) by: TripBy,
}

/// How a caller's request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// A backend served it.
    Served,
    /// A backend refused it, and its refusal is the caller's.
    Refused,
    /// Every member's breaker was open.
    PoolExhausted,
    /// The last attempt failed or had no answer.
    Unavailable,
    /// No backend was asked.
    Rejected,
}

impl Ending {
    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Ending::Served => "served",
            Ending::Refused => "refused by a backend",
            Ending::PoolExhausted => "pool exhausted",
            Ending::Unavailable => "backend unavailable",
            Ending::Rejected => "not routed",
        }
    }
}

/// How many trips are kept one by one; all are counted.
const KEPT_TRIPS: usize = 1_000;

/// Columns of the timeline.
pub(super) const COLUMNS: usize = 56;

/// When breakers were open, in a fixed number of columns that grow wider as the run grows longer.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    pub(super) width: Duration,
    /// Nanoseconds open, by backend and column, all instances together.
    pub(super) open: Vec<[u64; COLUMNS]>,
}

#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// Callers' answers by how they ended and with which status. A handful, the most frequent first in practice.
    pub(super) endings: BTreeMap<(Ending, u16), u64>,
    pub(super) served: u64,
    pub(super) backends: Vec<Served>,
    pub(super) trips: Vec<Tripped>,
    pub(super) timeline: Timeline,
    /// Arrival to last token, of what was served.
    pub(super) whole: Histogram,
    /// Arrival to first token, of what was served.
    pub(super) first: Histogram,
    /// Requests of which a backend got more than one attempt.
    pub(super) repeated: u64,
    /// Of these, those that were served in the end.
    pub(super) saved: u64,
    /// When the last caller was answered.
    pub(super) end: Time,
    /// The last opening of each breaker, by instance and backend; counted once the next comes or the run ends.
    openings: Vec<Option<(Time, Time)>>,
}

impl Tally {
    pub(super) fn new(backends: usize, instances: u32) -> Tally {
        Tally {
            endings: BTreeMap::new(),
            served: 0,
            backends: vec![Served::default(); backends],
            trips: Vec::new(),
            timeline: Timeline { width: Duration::from_secs(1), open: vec![[0; COLUMNS]; backends] },
            whole: Histogram::default(),
            first: Histogram::default(),
            repeated: 0,
            saved: 0,
            end: Time::ZERO,
            openings: vec![None; backends * instances as usize],
        }
    }

    #[inline]
    pub(super) fn sent(&mut self, backend: BackendId, outcome: Outcome, work: Work) {
        let counts = &mut self.backends[backend.index()];
        counts.attempts += 1;
        match outcome {
            Outcome::Served => {
                counts.served += 1;
                counts.prompt_tokens += u64::from(work.prompt);
                counts.output_tokens += u64::from(work.output);
            }
            Outcome::Refused(cause) => counts.refused[cause as usize] += 1,
            Outcome::TimedOut => counts.timed_out += 1,
        }
    }

    #[inline]
    pub(super) fn answered(&mut self, flight: &Flight, now: Time, step: Step) {
        let ending = match step {
            Step::Relay(_) if flight.is_served() => Ending::Served,
            Step::Answer(Answer::Exhausted { .. }) => Ending::PoolExhausted,
            Step::Answer(Answer::Unavailable { .. }) => Ending::Unavailable,
            Step::Answer(_) => Ending::Rejected,
            Step::Relay(_) | Step::Send { .. } | Step::Wait(_) => Ending::Refused,
        };
        self.end = now;
        self.repeated += u64::from(flight.sends > 1);
        if ending == Ending::Served {
            self.served += 1;
            self.saved += u64::from(flight.sends > 1);
            self.whole.add(now.since(flight.arrival));
            self.first.add(flight.first.since(flight.arrival));
            return;
        }
        let status = match step {
            Step::Answer(answer) => answer.status(),
            _ => 429,
        };
        *self.endings.entry((ending, status)).or_default() += 1;
    }

    pub(super) fn trip(&mut self, instance: u32, backend: BackendId, now: Time, until: Time, status: u16, by: TripBy) {
        self.backends[backend.index()].trips += 1;
        if self.trips.len() < KEPT_TRIPS {
            self.trips.push(Tripped { at: now, instance, backend, until, status, by });
        }
        let breaker = instance as usize * self.backends.len() + backend.index();
        if let Some((from, until)) = self.openings[breaker].replace((now, until)) {
            self.opened(backend.index(), from, until);
        }
    }

    /// How many callers found every breaker open.
    pub(super) fn exhausted(&self) -> u64 {
        self.endings.iter().filter(|((ending, _), _)| *ending == Ending::PoolExhausted).map(|(_, count)| count).sum()
    }

    /// The run has ended: what is open still counts until the last answer.
    pub(super) fn close(&mut self) {
        let end = self.end;
        for breaker in 0..self.openings.len() {
            if let Some((from, until)) = self.openings[breaker].take() {
                self.opened(breaker % self.backends.len(), from, until.min(end));
            }
        }
        self.timeline.reach(end);
    }

    fn opened(&mut self, backend: usize, from: Time, until: Time) {
        self.backends[backend].open = self.backends[backend].open + until.since(from);
        self.timeline.reach(until);
        self.timeline.add(backend, from, until);
    }
}

impl Timeline {
    /// Widens the columns until they reach `end`.
    fn reach(&mut self, end: Time) {
        while end.0.div_ceil(self.width.0.max(1)) > COLUMNS as u64 {
            self.width = self.width + self.width;
            for row in &mut self.open {
                for at in 0..COLUMNS {
                    row[at] = if at < COLUMNS / 2 { row[2 * at].saturating_add(row[2 * at + 1]) } else { 0 };
                }
            }
        }
    }

    fn add(&mut self, backend: usize, from: Time, until: Time) {
        for (at, open) in self.open[backend].iter_mut().enumerate() {
            let start = Time(self.width.0.saturating_mul(at as u64));
            *open = open.saturating_add(until.min(start + self.width).since(from.max(start)).0);
        }
    }
}
