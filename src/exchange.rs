//! One caller's request from its arrival at the gateway to its answer, as a state machine without I/O: the twin of the
//! policies that `policy` renders.
//!
//! A driver (the simulator, the local gateway, a test) asks, and does what it is told: [`Gateway::start`] and
//! [`Gateway::on`] give a [`Step`]: send to a backend, wait, relay the backend's answer, or answer itself. Keys, routes,
//! retries, time-outs, an exhausted pool and our headers are decided here and nowhere else. The numbered rules stand in
//! the documentation of `policy`, and numbers in comments here are theirs.
//!
//! Steps and asks are small and `Copy`. Texts (urls, headers, bodies) are made by [`http`] for those who want them, so a
//! simulator allocates nothing for a request.
//!
//! Deliberately absent: sockets, keys (a driver knows whose key it is and says a [`Caller`]), and tokens: the driver adds
//! the gateway's own `Authorization` (rule 6).

pub mod http;

pub use http::{Call, Forward};

use crate::diagnostic::{Diagnostic, code};
use crate::pool::{BackendId, GatewayState, Outcome, PoolId, Rotation, State, Trip};
use crate::rng::{Draws, Stream};
use crate::time::{Duration, Time};
use crate::topology::intent::{OnExhausted, Retry, Routes, UNAVAILABLE_STATUSES};
use crate::topology::{self, Intent, Topology, defaults};

/// An API by its place among the topology's APIs, which are ordered by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiId(pub u16);

/// A subscription by its place among the topology's subscriptions, which are ordered by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubscriptionId(pub u16);

/// The part of a gateway that no call changes: its APIs with their policies, its subscriptions, where its backends are.
#[derive(Clone, Debug)]
pub struct Gateway {
    apis: Vec<Api>,
    subscriptions: Vec<Subscription>,
    backends: Vec<http::Address>,
    /// Names of pools and backends in Azure, one namespace.
    names: Vec<(String, Destination)>,
}

#[derive(Clone, Debug)]
struct Api {
    intent: Intent,
    paths: http::Paths,
}

#[derive(Clone, Debug)]
struct Subscription {
    name: String,
    apis: Vec<ApiId>,
}

/// Who calls. The driver looks up the key that [`Gateway::key`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The request has no key.
    Missing,
    /// Nobody has that key.
    Invalid,
    /// The key of this subscription.
    Subscription(SubscriptionId),
}

/// What is asked of the gateway, decided as far as the request alone decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A call to a pool.
    Pool {
        /// By whose policy.
        api: ApiId,
        /// Which pool.
        pool: PoolId,
        /// Who calls.
        subscription: SubscriptionId,
    },
    /// The probe's call to one backend by name.
    Probe {
        /// By whose policy.
        api: ApiId,
        /// What the name stands for.
        destination: Destination,
    },
    /// Something that no backend will see.
    Refused(Answer),
}

/// What a backend's name in the gateway stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A single backend.
    Backend(BackendId),
    /// A pool.
    Pool(PoolId),
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer, as far as the gateway looks at it; [`Reply::read`] makes it from headers.
    Answered {
        /// Its status.
        status: u16,
        /// Its `Retry-After`.
        retry_after: RetryAfter,
        /// How long it asks to wait, by `Retry-After` and `retry-after-ms` together.
        wait: Option<Duration>,
        /// Whose answer it is.
        origin: Origin,
    },
    /// None: not reached, broken, or nothing until [`Step::Send`]'s time-out.
    Silence,
}

/// A `Retry-After` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// There is none.
    Absent,
    /// There is one that nobody understands.
    Unreadable,
    /// There is one.
    Wait(Duration),
}

/// Whose answer it is, by its headers (rule 13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A backend of Azure OpenAI.
    Backend,
    /// It carries no mark of a backend: a 503 of that kind counts as the gateway's own.
    Unmarked,
}

/// What the driver does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send the request to this backend ([`Gateway::forward`] makes it) and give [`Gateway::on`] what comes.
    Send {
        /// Where to.
        backend: BackendId,
        /// How long to wait for an answer to begin.
        timeout: Duration,
    },
    /// Do nothing until then, and call [`Gateway::wake`].
    Wait(Time),
    /// The last reply is the caller's, with these headers changed.
    Relay(Relay),
    /// The gateway's own answer.
    Answer(Answer),
}

/// How a backend's answer goes to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relay {
    /// Who served it.
    pub backend: BackendId,
    /// How many attempts were made.
    pub attempts: u32,
    /// The seconds that replace its `Retry-After`, its `retry-after-ms` deleted; `None` where both stay.
    pub retry_after: Option<u64>,
}

/// An answer of the gateway itself; [`Answer::response`] has its headers and body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 404: no API or no operation has that path.
    OperationNotFound,
    /// 401: no key.
    KeyMissing,
    /// 401: nobody's key, or not for this API.
    KeyInvalid,
    /// 404: the path names no deployment that has a route (rule 4).
    DeploymentNotFound,
    /// 500: the gateway's own error. The policy names a backend that it has not, or a probe had no answer (rule 12).
    GatewayError,
    /// 503: a probe's backend has an open breaker, or says what the gateway would say then (rules 12, 13).
    BreakerOpen,
    /// 429 or 503: every member's breaker is open (rule 13).
    Exhausted {
        /// The status that the spec wants.
        status: u16,
        /// How many attempts were made.
        attempts: u32,
        /// Seconds, where a wait is known.
        retry_after: Option<u64>,
    },
    /// 503: the last attempt had no answer or a fault of the backend's (rule 14).
    Unavailable {
        /// How many attempts were made.
        attempts: u32,
        /// Seconds, where a wait is known.
        retry_after: Option<u64>,
    },
}

/// One request on its way.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    api: ApiId,
    destination: Destination,
    kind: Kind,
    /// Attempts so far, those that met an exhausted pool included (rules 8, 11).
    attempts: u32,
    backend: BackendId,
    sent: Time,
    /// The smallest wait that any attempt asked for (rule 10).
    smallest: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ordinary,
    Probe,
}

/// The last word of an attempt.
#[derive(Clone, Copy)]
enum Word {
    Reply(Reply),
    /// The gateway's own 503: no member, or an open breaker of a single backend.
    Closed,
}

impl Exchange {
    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

impl Gateway {
    /// The gateway of a topology. An API whose policy is not ours cannot be followed.
    pub fn new(topology: &Topology) -> Result<Gateway, Diagnostic> {
        let api = |(key, api): (&String, &topology::Api)| match api.policy.intent() {
            Some(intent) => Ok(Api { intent: intent.clone(), paths: http::Paths::new(api) }),
            None => Err(Diagnostic::new(code::FOREIGN_POLICY, format!("the policy of the api `{key}` is not ours"))
                .at(format!("apis.{key}"))
                .help("deploy the spec first, or take the api out of the simulation")),
        };
        let subscription = |subscription: &topology::Subscription| Subscription {
            name: subscription.name.clone(),
            apis: (topology.apis.keys().zip(0..=u16::MAX))
                .filter(|(key, _)| topology.may_call(&subscription.access, key))
                .map(|(_, at)| ApiId(at))
                .collect(),
        };
        let backends =
            topology.backends.values().zip(0..=u16::MAX).map(|(b, at)| (b, Destination::Backend(BackendId(at))));
        let pools = topology.pools.values().zip(0..=u16::MAX).map(|(p, at)| (p, Destination::Pool(PoolId(at))));
        let names = backends.map(|(b, to)| (b.name.clone(), to)).chain(pools.map(|(p, to)| (p.name.clone(), to)));
        Ok(Gateway {
            apis: topology.apis.iter().map(api).collect::<Result<_, _>>()?,
            subscriptions: topology.subscriptions.values().map(subscription).collect(),
            backends: topology.backends.values().map(|backend| http::Address::new(topology, backend)).collect(),
            names: names.collect(),
        })
    }

    /// The subscription with that name.
    pub fn subscription(&self, name: &str) -> Option<SubscriptionId> {
        let at = self.subscriptions.iter().position(|subscription| subscription.name.eq_ignore_ascii_case(name))?;
        Some(SubscriptionId(at as u16))
    }

    /// A call of a subscription to a deployment by the name that callers use (rule 4).
    pub fn ask(&self, api: ApiId, subscription: SubscriptionId, deployment: &str) -> Ask {
        let Some(found) = self.api(api) else { return Ask::Refused(Answer::OperationNotFound) };
        if self.subscriptions.get(usize::from(subscription.0)).is_none_or(|s| !s.apis.contains(&api)) {
            return Ask::Refused(Answer::KeyInvalid);
        }
        match found.intent.routes.pool(deployment).map(|pool| self.destination(pool)) {
            Some(Some(Destination::Pool(pool))) => Ask::Pool { api, pool, subscription },
            Some(_) => Ask::Refused(Answer::GatewayError),
            None => Ask::Refused(Answer::DeploymentNotFound),
        }
    }

    /// Names that callers may use for a deployment; `None` where any will do.
    pub fn route_names(&self, api: ApiId) -> Option<Vec<&str>> {
        match &self.api(api)?.intent.routes {
            Routes::All(_) => None,
            Routes::ByName(routes) => Some(routes.keys().map(String::as_str).collect()),
        }
    }

    /// Begins: the first step of a request.
    #[inline]
    pub fn start(&self, state: &mut GatewayState, now: Time, draws: Draws, ask: Ask) -> (Exchange, Step) {
        let (api, destination, kind) = match ask {
            Ask::Pool { api, pool, .. } => (api, Destination::Pool(pool), Kind::Ordinary),
            Ask::Probe { api, destination } => (api, destination, Kind::Probe),
            Ask::Refused(_) => (ApiId(0), Destination::Backend(BackendId(0)), Kind::Ordinary),
        };
        let mut exchange =
            Exchange { api, destination, kind, attempts: 0, backend: BackendId(0), sent: now, smallest: None };
        let step = match ask {
            Ask::Refused(answer) => Step::Answer(answer),
            _ => self.attempt(&mut exchange, state, now, draws),
        };
        (exchange, step)
    }

    /// Goes on after the reply to a [`Step::Send`]; the trip is a breaker that this reply opened.
    #[inline]
    pub fn on(
        &self,
        exchange: &mut Exchange,
        state: &mut GatewayState,
        now: Time,
        draws: Draws,
        reply: Reply,
    ) -> (Step, Option<Trip>) {
        let outcome = match reply {
            Reply::Silence => Outcome::NoResponse,
            Reply::Answered { status, retry_after, .. } => Outcome::Status { status, retry_after: retry_after.wait() },
        };
        let trip = state.observe(now, exchange.backend, outcome);
        if let Reply::Answered { wait: Some(wait), .. } = reply {
            exchange.note(wait);
        }
        let repeats = match reply {
            Reply::Answered { status, retry_after, .. } => repeats(status, retry_after),
            Reply::Silence => {
                self.api(exchange.api).is_some_and(|api| api.intent.retry.repeats_silence(now.since(exchange.sent)))
            }
        };
        let step = match self.repetition(exchange, now).filter(|_| repeats) {
            Some(until) if until > now => Step::Wait(until),
            Some(_) => self.attempt(exchange, state, now, draws),
            None => self.last_word(exchange, Word::Reply(reply)),
        };
        (step, trip)
    }

    /// Goes on after a [`Step::Wait`].
    pub fn wake(&self, exchange: &mut Exchange, state: &mut GatewayState, now: Time, draws: Draws) -> Step {
        self.attempt(exchange, state, now, draws)
    }

    #[inline]
    fn attempt(&self, exchange: &mut Exchange, state: &mut GatewayState, now: Time, draws: Draws) -> Step {
        loop {
            exchange.attempts += 1;
            if let Some(backend) = exchange.pick(state, now, draws) {
                (exchange.backend, exchange.sent) = (backend, now);
                let timeout = self.api(exchange.api).map_or(Duration::ZERO, |api| api.intent.retry.timeout);
                return Step::Send { backend, timeout };
            }
            if let Destination::Pool(pool) = exchange.destination
                && let Some(reopens) = state.reopens(now, pool)
            {
                exchange.note(reopens.since(now));
            }
            match self.repetition(exchange, now) {
                None => return self.last_word(exchange, Word::Closed),
                Some(until) if until > now => return Step::Wait(until),
                Some(_) => {}
            }
        }
    }

    /// When the next attempt may begin, `None` where there is none left (rule 11).
    #[inline]
    fn repetition(&self, exchange: &Exchange, now: Time) -> Option<Time> {
        let Retry { count, interval, first_fast, .. } = self.api(exchange.api)?.intent.retry;
        let left = exchange.kind == Kind::Ordinary && exchange.attempts <= count;
        let at_once = first_fast && exchange.attempts == 1;
        left.then(|| if at_once { now } else { now + interval })
    }

    /// Rules 12 to 15.
    #[inline]
    fn last_word(&self, exchange: &Exchange, word: Word) -> Step {
        let Some(api) = self.api(exchange.api) else { return Step::Answer(Answer::OperationNotFound) };
        let OnExhausted { status, .. } = api.intent.on_exhausted;
        let attempts = exchange.attempts;
        let retry_after = exchange.smallest.map(|wait| api.intent.on_exhausted.retry_after(wait));
        let unavailable = Step::Answer(Answer::Unavailable { attempts, retry_after });
        let relay = |retry_after| Step::Relay(Relay { backend: exchange.backend, attempts, retry_after });
        match (word, exchange.kind) {
            (
                Word::Closed | Word::Reply(Reply::Answered { status: 503, origin: Origin::Unmarked, .. }),
                Kind::Probe,
            ) => Step::Answer(Answer::BreakerOpen),
            (Word::Reply(Reply::Silence), Kind::Probe) => Step::Answer(Answer::GatewayError),
            (Word::Reply(Reply::Silence), Kind::Ordinary) => unavailable,
            (Word::Reply(_), Kind::Probe) => relay(None),
            (Word::Closed, Kind::Ordinary)
            | (Word::Reply(Reply::Answered { status: 503, origin: Origin::Unmarked, .. }), Kind::Ordinary) => {
                Step::Answer(Answer::Exhausted { status, attempts, retry_after })
            }
            (Word::Reply(Reply::Answered { status, .. }), _) if UNAVAILABLE_STATUSES.contains(&status) => unavailable,
            (Word::Reply(Reply::Answered { wait, .. }), _) => {
                let longest = api.intent.on_exhausted.max_retry_after;
                relay(wait.filter(|wait| *wait > longest).map(|_| longest.secs_ceil()))
            }
        }
    }

    #[inline]
    fn api(&self, api: ApiId) -> Option<&Api> {
        self.apis.get(usize::from(api.0))
    }

    fn destination(&self, name: &str) -> Option<Destination> {
        self.names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, destination)| *destination)
    }
}

impl Exchange {
    #[inline]
    fn pick(&self, state: &mut GatewayState, now: Time, draws: Draws) -> Option<BackendId> {
        match self.destination {
            Destination::Pool(pool) => {
                let draw = match state.rotation() {
                    Rotation::Smooth => 0,
                    Rotation::Random => draws.get(Stream::Pick, self.attempts),
                };
                state.pick(now, draw, pool).map(|picked| picked.backend)
            }
            Destination::Backend(backend) => (state.state(now, backend) == State::Closed).then_some(backend),
        }
    }

    #[inline]
    fn note(&mut self, wait: Duration) {
        self.smallest = Some(self.smallest.map_or(wait, |smallest| smallest.min(wait)));
    }
}

impl RetryAfter {
    /// The wait, where it can be read.
    pub const fn wait(self) -> Option<Duration> {
        match self {
            RetryAfter::Wait(wait) => Some(wait),
            RetryAfter::Absent | RetryAfter::Unreadable => None,
        }
    }
}

impl Answer {
    /// Its status.
    pub const fn status(&self) -> u16 {
        match self {
            Answer::KeyMissing | Answer::KeyInvalid => 401,
            Answer::OperationNotFound | Answer::DeploymentNotFound => 404,
            Answer::GatewayError => 500,
            Answer::BreakerOpen | Answer::Unavailable { .. } => 503,
            Answer::Exhausted { status, .. } => *status,
        }
    }
}

/// What [`Retry::repeats`] says, of the little that a [`Reply`] knows.
#[inline]
fn repeats(status: u16, retry_after: RetryAfter) -> bool {
    defaults::FAILURES.iter().any(|range| range.contains(status))
        || (status == 409 && retry_after != RetryAfter::Absent)
}

/// What is assumed of a repeated attempt, where API Management's documentation says nothing.
pub fn retry_assumptions() -> Vec<&'static str> {
    vec!["a second attempt picks again from the pool, because the policy sets the backend anew"]
}

/// What is assumed of an exhausted pool.
pub fn exhausted_assumptions() -> Vec<&'static str> {
    vec![
        "the gateway's 503 of an exhausted pool says in Retry-After when the first breaker closes",
        "an attempt at an exhausted pool uses up one of the retries",
    ]
}

#[cfg(test)]
pub(crate) mod tests;
