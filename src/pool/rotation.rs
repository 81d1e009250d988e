//! Whose turn it is: the members of one pool in priority groups.

use super::{BackendId, Picked};
use crate::rng;
use crate::topology::Member;

/// How members of one priority group take turns. API Management does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rotation {
    /// Smooth weighted round robin, as nginx does it: exact shares over every cycle.
    #[default]
    Smooth,
    /// At random, in proportion to the weights.
    Random,
}

/// The members of a pool, lowest priority number first.
#[derive(Clone, Debug)]
pub(super) struct Members {
    groups: Vec<Group>,
}

#[derive(Clone, Debug)]
struct Group {
    priority: u8,
    turns: Vec<Turn>,
}

#[derive(Clone, Debug)]
struct Turn {
    backend: BackendId,
    member: u16,
    weight: i32,
    /// Smooth rotation's account: what the member is owed, in weights.
    owed: i32,
}

impl Members {
    pub(super) fn new<'a>(members: impl Iterator<Item = (u16, BackendId, &'a Member)>) -> Members {
        let mut members: Vec<_> = members.collect();
        members.sort_by_key(|(_, _, member)| member.priority);
        let group = |group: &[(u16, BackendId, &Member)]| {
            let idle = group.iter().all(|(_, _, member)| member.weight == 0);
            let turn = |&(member, backend, written): &(u16, BackendId, &Member)| {
                let weight = if idle { 1 } else { i32::from(written.weight) };
                (weight > 0).then_some(Turn { backend, member, weight, owed: 0 })
            };
            Group { priority: group[0].2.priority, turns: group.iter().filter_map(turn).collect() }
        };
        Members { groups: members.chunk_by(|(_, _, a), (_, _, b)| a.priority == b.priority).map(group).collect() }
    }

    /// Every backend that can be picked.
    pub(super) fn backends(&self) -> impl Iterator<Item = BackendId> {
        self.groups.iter().flat_map(|group| &group.turns).map(|turn| turn.backend)
    }

    #[inline]
    pub(super) fn pick(&mut self, rotation: Rotation, draw: u64, closed: impl Fn(BackendId) -> bool) -> Option<Picked> {
        self.groups.iter_mut().find_map(|group| {
            let turn = match rotation {
                Rotation::Smooth => group.smooth(&closed),
                Rotation::Random => group.random(draw, &closed),
            }?;
            Some(Picked { backend: turn.backend, member: turn.member, priority: group.priority })
        })
    }
}

impl Group {
    /// Everybody is owed its weight; whoever is owed most gets the call, the first of equals, and pays the sum. Members
    /// behind an open breaker neither earn nor pay.
    #[inline]
    fn smooth(&mut self, closed: impl Fn(BackendId) -> bool) -> Option<&Turn> {
        let mut best: Option<usize> = None;
        let mut sum = 0;
        for at in 0..self.turns.len() {
            if !closed(self.turns[at].backend) {
                continue;
            }
            self.turns[at].owed += self.turns[at].weight;
            sum += self.turns[at].weight;
            if best.is_none_or(|best| self.turns[at].owed > self.turns[best].owed) {
                best = Some(at);
            }
        }
        let turn = &mut self.turns[best?];
        turn.owed -= sum;
        Some(turn)
    }

    #[inline]
    fn random(&self, draw: u64, closed: impl Fn(BackendId) -> bool) -> Option<&Turn> {
        let open_for_calls = || self.turns.iter().filter(|turn| closed(turn.backend));
        let sum: i32 = open_for_calls().map(|turn| turn.weight).sum();
        let mut left = rng::below(draw, sum as u64) as i32;
        open_for_calls().find(|turn| {
            left -= turn.weight;
            left < 0
        })
    }
}
