//! What a policy that picks by itself remembers between calls, in the gateway's internal cache: whose turn it is, and who
//! is away until when.
//!
//! In the real gateway two calls at one instant may read the same turn, or write over each other's marks; here every call
//! sees what the one before wrote ([`super::cache_assumptions`] says so).

use super::BackendId;
use crate::rng;
use crate::time::Time;
use crate::topology::intent::{Candidate, eligible, turns};

#[derive(Clone, Debug)]
pub(super) struct Candidates {
    members: Vec<One>,
    turns: Vec<usize>,
    turn: usize,
}

#[derive(Clone, Copy, Debug)]
struct One {
    backend: BackendId,
    priority: u8,
    weight: u8,
    /// Not picked before this instant.
    away: Time,
}

/// A candidate that a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Which backend.
    pub backend: BackendId,
    /// Its place among those that get calls.
    pub place: u16,
}

impl Candidates {
    /// Of a pool's candidates those that get calls; one whose backend is not there is left out.
    pub(super) fn new(written: &[Candidate], backend: impl Fn(&str) -> Option<BackendId>) -> Candidates {
        let there = |candidate: &&Candidate| backend(&candidate.backend).is_some();
        let eligible = eligible(&written.iter().filter(there).cloned().collect::<Vec<_>>());
        let one = |c: &Candidate| {
            Some(One { backend: backend(&c.backend)?, priority: c.priority, weight: c.weight, away: Time::ZERO })
        };
        Candidates { turns: turns(&eligible), members: eligible.iter().filter_map(one).collect(), turn: 0 }
    }

    /// Whose turn it is; the next call is the next one's.
    #[inline]
    pub(super) fn turn(&mut self) -> Option<u16> {
        let place = *self.turns.get(self.turn)?;
        self.turn = (self.turn + 1) % self.turns.len();
        Some(place as u16)
    }

    /// The candidate so many steps after a place, around and around.
    #[inline]
    pub(super) fn after(&self, place: u16, steps: u32) -> Option<Chosen> {
        let count = self.members.len();
        let place = (usize::from(place) + steps as usize).checked_rem(count)?;
        Some(Chosen { backend: self.members[place].backend, place: place as u16 })
    }

    /// By chance and weight, one of the lowest priority of those that are not away.
    #[inline]
    pub(super) fn pick(&self, now: Time, draw: u64) -> Option<Chosen> {
        let here = || self.members.iter().zip(0..).filter(|(one, _)| one.away <= now);
        let first = here().map(|(one, _)| one.priority).min()?;
        let group = || here().filter(|(one, _)| one.priority == first);
        let sum: u64 = group().map(|(one, _)| u64::from(one.weight)).sum();
        let mut left = rng::below(draw, sum) as i64;
        let chosen = group().find(|(one, _)| {
            left -= i64::from(one.weight);
            left < 0
        });
        chosen.map(|(one, place)| Chosen { backend: one.backend, place })
    }

    /// Nobody picks this one before `until`.
    #[inline]
    pub(super) fn send_away(&mut self, place: u16, until: Time) {
        if let Some(one) = self.members.get_mut(usize::from(place)) {
            one.away = one.away.max(until);
        }
    }

    /// When the first of those that are all away is back.
    pub(super) fn back(&self) -> Option<Time> {
        self.members.iter().map(|one| one.away).min()
    }
}
