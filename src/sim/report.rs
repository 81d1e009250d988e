//! What a run found: data that serialises, and that `text` prints.
//!
//! The JSON form is described for users in `docs/simulate-report.md`, which a test holds to name every key. Units stand in
//! the keys: `Ns` is nanoseconds, `PerMille` thousandths; everything else that is a number is a count.

use super::tally::{COLUMNS, Tally};
use super::{MaxTokens, Options};
use crate::pool::{Rotation, TripBy};
use crate::time::{Duration, Time};
use crate::topology::{Key, Topology};
use serde::Serialize;
use std::collections::BTreeMap;

pub use super::tally::Ending;

/// The whole result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The format of this document: 1.
    pub format: u32,
    /// The stack that was simulated.
    pub stack: String,
    /// Key of the API that was called.
    pub api: Key,
    /// The seed.
    pub seed: u64,
    /// Gateway instances.
    pub instances: u32,
    /// How members took turns.
    pub rotation: Rotation,
    /// What callers said in `max_tokens`.
    pub max_tokens: MaxTokens,
    /// From the start to the last answer.
    #[serde(rename = "durationNs")]
    pub duration: Duration,
    /// How many requests arrived.
    pub requests: u64,
    /// What callers got; the counts add up to `requests`.
    pub callers: Vec<Callers>,
    /// Arrival to last token, of what was served.
    #[serde(rename = "latencyNs")]
    pub latency: Quantiles,
    /// Arrival to first token, of what was served.
    #[serde(rename = "firstTokenNs")]
    pub first_token: Quantiles,
    /// What repeating did.
    pub retries: Retries,
    /// Each backend that is a member of a pool, by priority.
    pub backends: Vec<Backend>,
    /// When breakers opened.
    pub breakers: Breakers,
    /// What nobody documents, and how it was taken here.
    pub assumptions: Vec<String>,
}

/// Requests that ended alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Callers {
    /// The status that the caller saw.
    pub status: u16,
    /// How it ended.
    pub ending: Ending,
    /// How many.
    pub count: u64,
}

/// Lengths of time; at most one part in 64 too long, `max` is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quantiles {
    /// Half took at most this.
    pub p50: Duration,
    /// 95 of 100 took at most this.
    pub p95: Duration,
    /// 99 of 100 took at most this.
    pub p99: Duration,
    /// None took longer.
    pub max: Duration,
}

/// What repeating attempts did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retries {
    /// Attempts that reached a backend.
    pub attempts: u64,
    /// Requests of which a backend got more than one.
    pub repeated: u64,
    /// Of these, those that were served in the end: failures that no caller saw.
    pub saved: u64,
}

/// One backend. `attempts` is the sum of `served`, the three refusals and `timedOut`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    /// Its key.
    pub backend: Key,
    /// Attempts that it got.
    pub attempts: u64,
    /// Of a thousand attempts that any backend got.
    pub share_per_mille: u64,
    /// Attempts that it served.
    pub served: u64,
    /// Refused for tokens a minute.
    pub refused_tpm: u64,
    /// Refused for requests a minute.
    pub refused_rpm: u64,
    /// Refused for utilisation.
    pub refused_ptu: u64,
    /// Given up by the gateway.
    pub timed_out: u64,
    /// Prompt tokens of what it served.
    pub prompt_tokens: u64,
    /// Output tokens of what it served.
    pub output_tokens: u64,
    /// How often its breaker opened, all instances together.
    pub trips: u64,
    /// How long its breaker was open, all instances together.
    #[serde(rename = "openNs")]
    pub open: Duration,
    /// The same over time: nanoseconds open in each of the timeline's columns.
    #[serde(rename = "openTimelineNs")]
    pub open_timeline: Vec<u64>,
}

/// Breakers that opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Breakers {
    /// How often.
    pub trips: u64,
    /// The first thousand.
    pub first: Vec<Trip>,
    /// How long one column of a backend's `openTimeline` is.
    #[serde(rename = "columnNs")]
    pub column: Duration,
}

/// A breaker that opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trip {
    /// When.
    #[serde(rename = "atNs")]
    pub at: Time,
    /// On which instance, counted from zero.
    pub instance: u32,
    /// Key of the backend.
    pub backend: Key,
    /// The status that was one failure too many.
    pub status: u16,
    /// When it closed.
    #[serde(rename = "untilNs")]
    pub until: Time,
    /// What decided how long.
    pub by: TripBy,
}

impl Report {
    /// For people: plain text, at most 80 columns.
    pub fn text(&self) -> String {
        super::text::text(self)
    }
}

/// Puts the counts into words.
pub(super) fn report(
    topology: &Topology,
    api: &str,
    options: &Options,
    requests: u64,
    tally: &Tally,
    assumptions: Vec<String>,
) -> Report {
    let attempts: u64 = tally.backends.iter().map(|backend| backend.attempts).sum();
    let columns = usize::try_from(tally.end.0.div_ceil(tally.timeline.width.0.max(1))).unwrap_or(COLUMNS).min(COLUMNS);
    let mut priorities: BTreeMap<&Key, u8> = BTreeMap::new();
    for member in topology.pools.values().flat_map(|pool| &pool.members) {
        let lowest = priorities.entry(&member.backend).or_insert(member.priority);
        *lowest = member.priority.min(*lowest);
    }
    let mut backends: Vec<(u8, Backend)> = topology
        .backends
        .keys()
        .zip(&tally.backends)
        .zip(&tally.timeline.open)
        .filter_map(|((key, counts), timeline)| {
            let priority = *priorities.get(key)?;
            let [refused_tpm, refused_rpm, refused_ptu] = counts.refused;
            let backend = Backend {
                backend: key.clone(),
                attempts: counts.attempts,
                share_per_mille: per_mille(counts.attempts, attempts),
                served: counts.served,
                refused_tpm,
                refused_rpm,
                refused_ptu,
                timed_out: counts.timed_out,
                prompt_tokens: counts.prompt_tokens,
                output_tokens: counts.output_tokens,
                trips: counts.trips,
                open: counts.open,
                open_timeline: timeline[..columns].to_vec(),
            };
            Some((priority, backend))
        })
        .collect();
    backends.sort_by_key(|(priority, _)| *priority);
    let keys: Vec<&Key> = topology.backends.keys().collect();
    let trip = |trip: &super::tally::Tripped| Trip {
        at: trip.at,
        instance: trip.instance,
        backend: keys.get(trip.backend.index()).map(|key| (*key).clone()).unwrap_or_default(),
        status: trip.status,
        until: trip.until,
        by: trip.by,
    };
    let served = Callers { status: 200, ending: Ending::Served, count: tally.served };
    let others = tally.endings.iter().map(|(&(ending, status), &count)| Callers { status, ending, count });
    Report {
        format: 1,
        stack: topology.stack.name.clone(),
        api: api.to_owned(),
        seed: options.seed,
        instances: options.instances.max(1),
        rotation: options.rotation,
        max_tokens: options.max_tokens,
        duration: tally.end.since(Time::ZERO),
        requests,
        callers: std::iter::once(served).chain(others).filter(|callers| callers.count > 0).collect(),
        latency: quantiles(&tally.whole),
        first_token: quantiles(&tally.first),
        retries: Retries { attempts, repeated: tally.repeated, saved: tally.saved },
        backends: backends.into_iter().map(|(_, backend)| backend).collect(),
        breakers: Breakers {
            trips: tally.backends.iter().map(|backend| backend.trips).sum(),
            first: tally.trips.iter().map(trip).collect(),
            column: tally.timeline.width,
        },
        assumptions,
    }
}

fn quantiles(histogram: &super::histogram::Histogram) -> Quantiles {
    let at = |per_mille| histogram.quantile(per_mille);
    Quantiles { p50: at(500), p95: at(950), p99: at(990), max: histogram.max() }
}

/// A part of a whole in thousandths, rounded.
pub(super) fn per_mille(part: u64, whole: u64) -> u64 {
    let whole = u128::from(whole.max(1));
    ((u128::from(part) * 1000 + whole / 2) / whole) as u64
}
