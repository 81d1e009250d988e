//! The event loop.

use super::tally::{Outcome, Tally};
use super::trace::Arrival;
use super::{MaxTokens, Options};
use crate::backend::{self, Backend, Noise, Work};
use crate::exchange::{self, Ask, Exchange, Gateway, Origin, RetryAfter, Step};
use crate::pool::{BackendId, GatewayState, Trip};
use crate::quota::Cause;
use crate::rng::{self, Draws, Stream};
use crate::time::{Duration, Time};
use crate::topology::Topology;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A run between two events.
pub(super) struct Engine<'a> {
    gateway: &'a Gateway,
    options: &'a Options,
    states: Vec<GatewayState>,
    backends: Vec<Option<Backend>>,
    noise: Noise,
    queue: BinaryHeap<Reverse<Event>>,
    /// Requests on their way; a slot that is free stands in `free`.
    flights: Vec<Flight>,
    free: Vec<u32>,
    tally: Tally,
    now: Time,
}

/// Something that will happen. The order of the fields is the order of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    pub(super) at: Time,
    pub(super) class: Class,
    pub(super) request: u64,
    pub(super) attempt: u32,
    slot: u32,
}

#[cfg(test)]
impl Event {
    pub(super) fn new(at: Time, class: Class, request: u64, attempt: u32) -> Event {
        Event { at, class, request, attempt, slot: 0 }
    }
}

/// What comes first at one instant. Arrivals are the trace's and never in the queue, but they are the last class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// An attempt has ended.
    Completion,
    /// A wait between attempts is over.
    Wake,
}

/// A request on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) request: u64,
    pub(super) instance: u32,
    pub(super) arrival: Time,
    /// Attempts that reached a backend.
    pub(super) sends: u32,
    pub(super) backend: BackendId,
    /// When the first token of the last attempt came.
    pub(super) first: Time,
    work: Work,
    exchange: Exchange,
    said: Said,
}

/// What an attempt will turn out to be.
#[derive(Clone, Copy, Debug)]
enum Said {
    Served,
    Refused {
        cause: Cause,
        retry_after: Duration,
        retry_after_ms: Option<Duration>,
    },
    TimedOut,
    /// Nobody waits for this attempt any more; the backend still works on it.
    Abandoned,
}

impl<'a> Engine<'a> {
    pub(super) fn new(
        topology: &Topology,
        gateway: &'a Gateway,
        backends: Vec<Option<Backend>>,
        options: &'a Options,
    ) -> Engine<'a> {
        let instances = options.instances.max(1);
        Engine {
            gateway,
            options,
            states: vec![GatewayState::new(topology, options.rotation); instances as usize],
            tally: Tally::new(backends.len(), instances),
            backends,
            noise: Noise::new(),
            queue: BinaryHeap::new(),
            flights: Vec::new(),
            free: Vec::new(),
            now: Time::ZERO,
        }
    }

    /// Everything that happens until a request arrives, and its arrival.
    #[inline]
    pub(super) fn arrive(&mut self, request: u64, arrival: &Arrival, ask: Ask) {
        self.advance(arrival.at);
        self.now = self.now.max(arrival.at);
        let draws = self.draws(request);
        let instance = match self.states.len() as u64 {
            1 => 0,
            n => rng::below(draws.get(Stream::Instance, 0), n) as u32,
        };
        let Arrival { prompt, output, .. } = *arrival;
        let work = match self.options.max_tokens {
            MaxTokens::Actual => Work { prompt, output, max_tokens: output },
            MaxTokens::Constant(max_tokens) => Work { prompt, output: output.min(max_tokens), max_tokens },
        };
        let (exchange, step) = self.gateway.start(&mut self.states[instance as usize], self.now, draws, ask);
        let flight = Flight {
            request,
            instance,
            arrival: self.now,
            sends: 0,
            backend: BackendId(0),
            first: self.now,
            work,
            exchange,
            said: Said::TimedOut,
        };
        self.follow(None, flight, step);
    }

    /// Everything that is still on its way, and the counts.
    pub(super) fn finish(mut self) -> Tally {
        self.advance(Time(u64::MAX));
        self.tally.close();
        self.tally
    }

    #[inline]
    fn advance(&mut self, until: Time) {
        while let Some(Reverse(event)) = self.queue.peek() {
            if event.at > until {
                break;
            }
            let event = *event;
            self.queue.pop();
            self.now = event.at;
            self.handle(event);
        }
    }

    #[inline]
    fn handle(&mut self, event: Event) {
        let mut flight = self.flights[event.slot as usize];
        let draws = self.draws(flight.request);
        let state = &mut self.states[flight.instance as usize];
        let step = match event.class {
            Class::Wake => self.gateway.wake(&mut flight.exchange, state, self.now, draws),
            Class::Completion => {
                if let (Said::Served | Said::Abandoned, Some(backend)) =
                    (flight.said, &mut self.backends[flight.backend.index()])
                {
                    backend.complete(self.now, flight.work);
                }
                let Some(reply) = flight.said.reply() else {
                    self.free.push(event.slot);
                    return;
                };
                let (step, trip) = self.gateway.on(&mut flight.exchange, state, self.now, draws, reply);
                if let Some(Trip { backend, status, until, by }) = trip {
                    self.tally.trip(flight.instance, backend, self.now, until, status, by);
                }
                step
            }
        };
        self.follow(Some(event.slot), flight, step);
    }

    /// Does what the exchange says.
    #[inline]
    fn follow(&mut self, slot: Option<u32>, mut flight: Flight, step: Step) {
        let (at, class) = match step {
            Step::Send { backend, timeout } => (self.send(&mut flight, backend, timeout), Class::Completion),
            Step::Wait(until) => (until, Class::Wake),
            Step::Relay(_) | Step::Answer(_) => {
                self.tally.answered(&flight, self.now, step);
                self.free.extend(slot);
                return;
            }
        };
        let slot = self.keep(slot, flight);
        self.schedule(at, class, slot);
    }

    /// Sends an attempt; when the gateway hears of it again.
    #[inline]
    fn send(&mut self, flight: &mut Flight, backend: BackendId, timeout: Duration) -> Time {
        flight.sends += 1;
        flight.backend = backend;
        let attempt = flight.exchange.attempts();
        let draws = self.draws(flight.request);
        let patience = self.now + timeout;
        let offered = self.backends[backend.index()]
            .as_mut()
            .map(|target| target.offer(self.now, draws, attempt, &self.noise, flight.work));
        let (said, begins, ends) = match offered {
            Some(backend::Reply::Served { first, last }) => (Said::Served, first, last),
            Some(backend::Reply::Refused { at, cause, retry_after, retry_after_ms }) => {
                (Said::Refused { cause, retry_after, retry_after_ms }, at, at)
            }
            None => (Said::TimedOut, patience, patience),
        };
        let timed_out = begins > patience || matches!(said, Said::TimedOut);
        if timed_out && matches!(said, Said::Served) {
            let left_behind = Flight { said: Said::Abandoned, ..*flight };
            let slot = self.keep(None, left_behind);
            self.schedule(ends, Class::Completion, slot);
        }
        flight.said = if timed_out { Said::TimedOut } else { said };
        flight.first = begins;
        self.tally.sent(backend, flight.said.outcome(), flight.work);
        if timed_out { patience } else { ends }
    }

    fn keep(&mut self, slot: Option<u32>, flight: Flight) -> u32 {
        match slot.or_else(|| self.free.pop()) {
            Some(slot) => {
                self.flights[slot as usize] = flight;
                slot
            }
            None => {
                self.flights.push(flight);
                (self.flights.len() - 1) as u32
            }
        }
    }

    #[inline]
    fn schedule(&mut self, at: Time, class: Class, slot: u32) {
        let flight = &self.flights[slot as usize];
        let (request, attempt) = (flight.request, flight.exchange.attempts());
        self.queue.push(Reverse(Event { at, class, request, attempt, slot }));
    }

    #[inline]
    fn draws(&self, request: u64) -> Draws {
        Draws { seed: self.options.seed, request }
    }
}

impl Flight {
    /// Whether the last attempt was served.
    #[inline]
    pub(super) fn is_served(&self) -> bool {
        matches!(self.said, Said::Served)
    }
}

impl Said {
    /// What the gateway hears; nothing of an attempt that it has given up.
    #[inline]
    fn reply(self) -> Option<exchange::Reply> {
        let answered = |status, retry_after, wait| exchange::Reply::Answered {
            status,
            retry_after,
            wait,
            origin: Origin::Backend,
        };
        Some(match self {
            Said::Served => answered(200, RetryAfter::Absent, None),
            Said::Refused { retry_after, retry_after_ms, .. } => {
                answered(429, RetryAfter::Wait(retry_after), Some(retry_after).max(retry_after_ms))
            }
            Said::TimedOut => exchange::Reply::Silence,
            Said::Abandoned => return None,
        })
    }

    fn outcome(self) -> Outcome {
        match self {
            Said::Served => Outcome::Served,
            Said::Refused { cause, .. } => Outcome::Refused(cause),
            Said::TimedOut | Said::Abandoned => Outcome::TimedOut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::refusal;

    /// What the simulator says for short is what the gateway would read off the wire.
    #[test]
    fn the_short_form_of_a_refusal_is_the_long_one() {
        let (two, ms) = (Duration::from_secs(2), Duration::from_millis(1600));
        for (cause, retry_after_ms) in [(Cause::Tpm, None), (Cause::Rpm, None), (Cause::Ptu, Some(ms))] {
            let said = Said::Refused { cause, retry_after: two, retry_after_ms };
            let reply = backend::Reply::Refused { at: Time::ZERO, cause, retry_after: two, retry_after_ms };
            let response = refusal(&reply, "ChatCompletions_Create", "2024-10-21").expect("a refusal");
            assert_eq!(said.reply(), Some(exchange::Reply::read(Time::ZERO, response.status, &response.headers)));
        }
    }
}
