//! The gateway's load-balanced pools, as API Management runs them: [`GatewayState`] picks a member and watches what
//! becomes of the call.
//!
//! One state is one gateway instance. Breakers belong to backends, so every pool that names a backend sees the same
//! breaker; the rotation belongs to the pool. Nothing is shared between instances.
//!
//! Documented (learn.microsoft.com, API Management, Backends):
//!
//! - members whose breaker is closed can be picked; the lowest priority number first, a lower group only when every
//!   breaker of the groups above is open;
//! - inside a group calls go round by relative weight;
//! - a breaker opens at `count` failures (or a `percentage`) within `interval`, stays open for `tripDuration`, or for what
//!   `Retry-After` says where that is accepted, and then closes fully, its counter at zero; a backend without a breaker
//!   never trips;
//! - instances of the gateway share neither rotation nor breakers.
//!
//! What is not documented, and therefore assumed, is listed by [`assumptions`]; a report prints what mattered to it.
//!
//! Where a policy picks by itself, the state also keeps what that policy keeps in the gateway's internal cache
//! ([`CandidatesId`]).
//!
//! Deliberately absent: who retries and what a caller sees (`exchange`), and anything about a backend's inside
//! (`backend`).

mod breaker;
mod candidates;
mod rotation;

pub use candidates::Chosen;
pub use rotation::Rotation;

use crate::time::{Duration, Time};
use crate::topology::{self, Threshold, Topology};
use breaker::Breaker;
use candidates::Candidates;
use rotation::Members;
use std::collections::BTreeMap;

/// A backend by its place among the topology's backends, which are ordered by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackendId(pub u16);

/// A pool by its place among the topology's pools, which are ordered by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(pub u16);

/// What a policy picks from in one pool, by its place: the APIs by key, and of each the pools of its intent by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CandidatesId(pub u16);

impl BackendId {
    /// The place in a list of all backends.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl PoolId {
    /// The place in a list of all pools.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What one gateway instance remembers between calls.
#[derive(Clone, Debug)]
pub struct GatewayState {
    rotation: Rotation,
    breakers: Vec<Breaker>,
    pools: Vec<Members>,
    candidates: Vec<Candidates>,
}

/// The member that a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picked {
    /// Which backend.
    pub backend: BackendId,
    /// The member's place in the pool as it was written.
    pub member: u16,
    /// The priority group that it was found in.
    pub priority: u8,
}

/// What became of an attempt, as far as a breaker can see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A response came.
    Status {
        /// Its status.
        status: u16,
        /// Its `Retry-After` header, where there was one. `retry-after-ms` is not read.
        retry_after: Option<Duration>,
    },
    /// None came: not reached, broken, timed out. Our breakers name statuses only, so this moves none.
    NoResponse,
}

/// A breaker has opened. It closes at `until` by itself: nothing extends it, so no second event follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    /// Whose breaker.
    pub backend: BackendId,
    /// The status that was one failure too many.
    pub status: u16,
    /// When it closes.
    pub until: Time,
    /// What decided how long it stays open.
    pub by: TripBy,
}

/// What decided how long a breaker stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TripBy {
    /// The backend's `Retry-After`.
    RetryAfter,
    /// The rule's trip duration.
    TripDuration,
}

/// A breaker's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls are kept away.
    Open {
        /// When it closes.
        until: Time,
    },
}

impl GatewayState {
    /// A gateway that has just started: every breaker closed, every rotation at its beginning. A member whose backend the
    /// topology does not hold is left out.
    pub fn new(topology: &Topology, rotation: Rotation) -> GatewayState {
        let ids: BTreeMap<&String, BackendId> = topology.backends.keys().zip((0..=u16::MAX).map(BackendId)).collect();
        let pool = |pool: &topology::Pool| {
            let members = (0..=u16::MAX).zip(&pool.members);
            Members::new(members.filter_map(|(at, member)| Some((at, *ids.get(&member.backend)?, member))))
        };
        GatewayState {
            rotation,
            breakers: topology.backends.values().map(|backend| Breaker::new(backend.breaker.as_ref())).collect(),
            pools: topology.pools.values().map(pool).collect(),
            candidates: candidates(topology),
        }
    }

    /// How members of one group take turns.
    pub fn rotation(&self) -> Rotation {
        self.rotation
    }

    /// The member that the next call to `pool` goes to, `None` where every breaker is open. `draw` matters only for
    /// [`Rotation::Random`].
    #[inline]
    pub fn pick(&mut self, now: Time, draw: u64, pool: PoolId) -> Option<Picked> {
        let GatewayState { rotation, breakers, pools, .. } = self;
        let closed = |backend: BackendId| breakers.get(backend.index()).is_some_and(|b| b.state(now) == State::Closed);
        pools.get_mut(pool.index())?.pick(*rotation, draw, closed)
    }

    /// Whose turn it is, by place; the next call is the next one's. `None` where there is nobody.
    #[inline]
    pub fn turn(&mut self, of: CandidatesId) -> Option<u16> {
        self.candidates.get_mut(usize::from(of.0))?.turn()
    }

    /// The candidate so many steps after a place, around and around.
    #[inline]
    pub fn after(&self, of: CandidatesId, place: u16, steps: u32) -> Option<Chosen> {
        self.candidates.get(usize::from(of.0))?.after(place, steps)
    }

    /// By chance and weight, a candidate of the lowest priority of those that are not away.
    #[inline]
    pub fn choose(&self, now: Time, draw: u64, of: CandidatesId) -> Option<Chosen> {
        self.candidates.get(usize::from(of.0))?.pick(now, draw)
    }

    /// No call goes to this candidate before `until`; a later instant that is known stays.
    #[inline]
    pub fn send_away(&mut self, of: CandidatesId, place: u16, until: Time) {
        if let Some(candidates) = self.candidates.get_mut(usize::from(of.0)) {
            candidates.send_away(place, until);
        }
    }

    /// When the first of candidates that are all away is back.
    pub fn back(&self, of: CandidatesId) -> Option<Time> {
        self.candidates.get(usize::from(of.0))?.back()
    }

    /// Counts what became of an attempt; `Some` where that opened the backend's breaker.
    #[inline]
    pub fn observe(&mut self, now: Time, backend: BackendId, outcome: Outcome) -> Option<Trip> {
        let Outcome::Status { status, retry_after } = outcome else { return None };
        let (until, by) = self.breakers.get_mut(backend.index())?.observe(now, status, retry_after)?;
        Some(Trip { backend, status, until, by })
    }

    /// When the first member of an exhausted pool can be picked again; `None` where one can be picked now, or none ever.
    pub fn reopens(&self, now: Time, pool: PoolId) -> Option<Time> {
        let mut first: Option<Time> = None;
        for backend in self.pools.get(pool.index())?.backends() {
            match self.state(now, backend) {
                State::Closed => return None,
                State::Open { until } => first = Some(first.map_or(until, |first| first.min(until))),
            }
        }
        first
    }

    /// Whether the backend's breaker lets calls pass; a backend that is not there is closed.
    pub fn state(&self, now: Time, backend: BackendId) -> State {
        self.breakers.get(backend.index()).map_or(State::Closed, |breaker| breaker.state(now))
    }
}

/// In the order that [`CandidatesId`] counts in.
fn candidates(topology: &Topology) -> Vec<Candidates> {
    let id = |name: &str| {
        let at = topology.backends.values().position(|backend| backend.name.eq_ignore_ascii_case(name))?;
        u16::try_from(at).ok().map(BackendId)
    };
    let intents = topology.apis.values().filter_map(|api| api.policy.intent());
    intents.flat_map(|intent| intent.pools.values()).map(|written| Candidates::new(written, id)).collect()
}

/// What is assumed of a policy's memory in the gateway's internal cache.
pub fn cache_assumptions() -> Vec<&'static str> {
    vec!["each call sees in the gateway's cache what the calls before it wrote there; two at one instant may not"]
}

/// What the pool assumes where API Management's documentation says nothing, as far as it mattered: `called` are the
/// backends that got a call at all, `opened` those whose breaker opened.
pub fn assumptions(
    topology: &Topology,
    rotation: Rotation,
    called: impl Fn(&str) -> bool,
    opened: impl Fn(&str) -> bool,
) -> Vec<&'static str> {
    let (mut turns, mut idle, mut window, mut percentage, mut open, mut retry_after) = Default::default();
    for pool in topology.pools.values() {
        for member in pool.members.iter().filter(|member| called(&member.backend)) {
            let group = || pool.members.iter().filter(|other| other.priority == member.priority);
            turns |= group().count() > 1;
            idle |= group().any(|other| other.weight == 0);
        }
    }
    for (key, backend) in topology.backends.iter().filter(|(key, _)| called(key)) {
        let Some(breaker) = &backend.breaker else { continue };
        window |= breaker.threshold != Threshold::Count(1);
        percentage |= matches!(breaker.threshold, Threshold::Percentage(_));
        open |= opened(key);
        retry_after |= opened(key) && breaker.accept_retry_after;
    }
    let rotation = match rotation {
        Rotation::Smooth => "members of a group take turns by smooth weighted round robin, as nginx does",
        Rotation::Random => "each call draws a member of the group at random, in proportion to the weights",
    };
    let all: [(bool, &str); 7] = [
        (turns, rotation),
        (idle, "a member of weight 0 gets no calls, unless every weight of its group is 0: then they share equally"),
        (window, "a breaker's window slides: a failure counts for exactly `interval`; successes do not clear it"),
        (
            percentage,
            "a breaker that counts a percentage needs no minimum of calls, and counts those that got a response",
        ),
        (open, "a failure that arrives while the breaker is open does not extend it"),
        (open, "an open breaker closes fully, without a half-open phase"),
        (retry_after, "an accepted Retry-After of any length replaces the trip duration; retry-after-ms is not read"),
    ];
    all.into_iter().filter(|(applies, _)| *applies).map(|(_, text)| text).collect()
}

#[cfg(test)]
pub(crate) mod tests;
