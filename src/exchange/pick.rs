//! Which backend an attempt goes to, under each strategy (rules 12, 18, 19).

use super::{ApiId, Destination, Exchange, Gateway};
use crate::pool::{BackendId, GatewayState, Rotation, State};
use crate::rng::{Draws, Stream};
use crate::time::{Duration, Time};
use crate::topology::Strategy;

/// What a pick comes to.
pub(super) enum Pick {
    Backend(BackendId),
    /// The gateway's own 503; when the first breaker closes.
    Closed(Option<Time>),
    /// Every candidate is away; when the first is back.
    Nobody(Option<Time>),
}

impl Gateway {
    #[inline]
    pub(super) fn pick(&self, exchange: &mut Exchange, state: &mut GatewayState, now: Time, draws: Draws) -> Pick {
        let chosen = match exchange.destination {
            Destination::Pool(pool) => {
                let draw = match state.rotation() {
                    Rotation::Smooth => 0,
                    Rotation::Random => draws.get(Stream::Pick, exchange.attempts),
                };
                return match state.pick(now, draw, pool) {
                    Some(picked) => Pick::Backend(picked.backend),
                    None => Pick::Closed(state.reopens(now, pool)),
                };
            }
            Destination::Backend(backend) => Some(backend),
            Destination::Candidates(of) if self.strategy(exchange.api) == Strategy::RoundRobin => {
                state.after(of, exchange.place, exchange.attempts - 1).map(|chosen| chosen.backend)
            }
            Destination::Candidates(of) => {
                let chosen = state.choose(now, draws.get(Stream::Pick, exchange.attempts), of);
                chosen.map(|chosen| {
                    exchange.place = chosen.place;
                    chosen.backend
                })
            }
        };
        match (chosen, exchange.destination) {
            (Some(backend), _) => match state.state(now, backend) {
                State::Closed => Pick::Backend(backend),
                State::Open { until } => Pick::Closed(Some(until)),
            },
            (None, Destination::Candidates(of)) => Pick::Nobody(state.back(of)),
            (None, _) => Pick::Nobody(None),
        }
    }

    /// Rule 18: under `smart` a member that failed gets no calls for a while.
    #[inline]
    pub(super) fn send_away(&self, exchange: &Exchange, state: &mut GatewayState, now: Time, wait: Option<Duration>) {
        if let (Destination::Candidates(of), Some(api)) = (exchange.destination, self.api(exchange.api))
            && api.intent.strategy == Strategy::Smart
        {
            state.send_away(of, exchange.place, now + api.intent.away(wait));
        }
    }

    pub(super) fn strategy(&self, api: ApiId) -> Strategy {
        self.api(api).map_or(Strategy::Pool, |api| api.intent.strategy)
    }
}
