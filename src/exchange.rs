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
//! the gateway's own `Authorization`, or the key of [`Forward`] (rule 9).

pub mod http;

mod pick;

pub use http::{Call, Forward};

use crate::diagnostic::{Diagnostic, code};
use crate::pool::{BackendId, CandidatesId, GatewayState, Outcome, PoolId, Trip};
use crate::rng::Draws;
use crate::time::{Duration, Time};
use crate::topology::intent::{OnExhausted, Retry, Routes, UNAVAILABLE_STATUSES};
use crate::topology::{self, Balancing, Intent, Strategy, Topology, defaults};
use pick::Pick;

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
    /// What the policy picks from, by the pool's name.
    candidates: Vec<(String, CandidatesId)>,
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
        /// Who calls; `None` for a caller without a key, where none is needed.
        subscription: Option<SubscriptionId>,
    },
    /// A call to a pool that the policy picks from.
    Candidates {
        /// By whose policy.
        api: ApiId,
        /// What it picks from.
        candidates: CandidatesId,
        /// Who calls.
        subscription: Option<SubscriptionId>,
    },
    /// A call about something that one account keeps.
    Account {
        /// By whose policy.
        api: ApiId,
        /// The account's backend.
        backend: BackendId,
        /// Who calls.
        subscription: Option<SubscriptionId>,
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
    /// A pool that the policy picks from.
    Candidates(CandidatesId),
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

/// Whose answer it is, by its headers (rule 21).
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
    /// 404: the path or the body names no deployment that has a route (rule 6).
    DeploymentNotFound,
    /// 400: only one account could answer, and none is chosen for such calls (rule 6).
    StatefulRefused,
    /// 500: the gateway's own error. The policy names a backend that it has not, or a probe had no answer (rule 20).
    GatewayError,
    /// 503: a probe's backend has an open breaker, or says what the gateway would say then (rules 20, 21).
    BreakerOpen,
    /// 429 or 503: nobody is left to serve it (rules 19, 21).
    Exhausted {
        /// The status that the spec wants.
        status: u16,
        /// How many attempts were made.
        attempts: u32,
        /// Seconds, where a wait is known.
        retry_after: Option<u64>,
    },
    /// 503: the last attempt had no answer or a fault of the backend's (rule 22).
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
    /// Attempts so far, those that met an exhausted pool included (rules 12, 15).
    attempts: u32,
    backend: BackendId,
    /// Round robin: whose turn it was. Smart: who was picked last. Places among the candidates.
    place: u16,
    /// Whether the last attempt ended without an answer.
    silent: bool,
    sent: Time,
    /// The smallest wait that any attempt asked for (rule 14).
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
    /// The policy finds nobody to pick.
    Nobody,
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
        let mut next = 0..=u16::MAX;
        let api = |(key, api): (&String, &topology::Api)| match api.policy.intent() {
            Some(intent) => Ok(Api {
                paths: http::Paths::new(api),
                candidates: intent.pools.keys().cloned().zip((&mut next).map(CandidatesId)).collect(),
                intent: intent.clone(),
            }),
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
        // a pool that policies pick from is not there in the gateway
        let pools = pools.filter(|(pool, _)| pool.balancing == Balancing::Native);
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

    /// A call of a subscription to a deployment by the name that callers use, on any surface that has it (rule 6). Without
    /// a subscription it is a caller's whose key nobody asks for.
    pub fn ask(&self, api: ApiId, subscription: Option<SubscriptionId>, deployment: &str) -> Ask {
        let Some(found) = self.api(api) else { return Ask::Refused(Answer::OperationNotFound) };
        let may = match subscription {
            Some(id) => self.subscriptions.get(usize::from(id.0)).is_some_and(|s| s.apis.contains(&api)),
            None => found.intent.keys.is_none(),
        };
        let surfaces = std::iter::once(&found.intent.routes).chain(&found.intent.v1);
        match surfaces.filter_map(|routes| routes.pool(deployment)).next() {
            _ if !may => Ask::Refused(Answer::KeyInvalid),
            Some(pool) => self.to_pool(api, found, subscription, pool),
            None => Ask::Refused(Answer::DeploymentNotFound),
        }
    }

    /// A call to the pool that a route names.
    fn to_pool(&self, api: ApiId, found: &Api, subscription: Option<SubscriptionId>, pool: &str) -> Ask {
        if found.intent.strategy == Strategy::Pool {
            return match self.destination(pool) {
                Some(Destination::Pool(pool)) => Ask::Pool { api, pool, subscription },
                _ => Ask::Refused(Answer::GatewayError),
            };
        }
        match found.candidates.iter().find(|(name, _)| name == pool) {
            Some(&(_, candidates)) => Ask::Candidates { api, candidates, subscription },
            None => Ask::Refused(Answer::GatewayError),
        }
    }

    /// Names that callers may use for a deployment; `None` where any will do.
    pub fn route_names(&self, api: ApiId) -> Option<Vec<&str>> {
        let intent = &self.api(api)?.intent;
        let mut names = Vec::new();
        for routes in std::iter::once(&intent.routes).chain(&intent.v1) {
            match routes {
                Routes::All(_) => return None,
                Routes::ByName(routes) => names.extend(routes.keys().map(String::as_str)),
            }
        }
        names.sort_unstable();
        names.dedup();
        Some(names)
    }

    /// Begins: the first step of a request.
    #[inline]
    pub fn start(&self, state: &mut GatewayState, now: Time, draws: Draws, ask: Ask) -> (Exchange, Step) {
        let (api, destination, kind) = match ask {
            Ask::Pool { api, pool, .. } => (api, Destination::Pool(pool), Kind::Ordinary),
            Ask::Candidates { api, candidates, .. } => (api, Destination::Candidates(candidates), Kind::Ordinary),
            Ask::Account { api, backend, .. } => (api, Destination::Backend(backend), Kind::Ordinary),
            Ask::Probe { api, destination } => (api, destination, Kind::Probe),
            Ask::Refused(_) => (ApiId(0), Destination::Backend(BackendId(0)), Kind::Ordinary),
        };
        let mut exchange = Exchange {
            api,
            destination,
            kind,
            attempts: 0,
            backend: BackendId(0),
            place: 0,
            silent: false,
            sent: now,
            smallest: None,
        };
        let step = match ask {
            Ask::Refused(answer) => Step::Answer(answer),
            _ => {
                if let (Destination::Candidates(of), Strategy::RoundRobin) = (destination, self.strategy(api)) {
                    exchange.place = state.turn(of).unwrap_or_default();
                }
                self.attempt(&mut exchange, state, now, draws)
            }
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
        exchange.silent = reply == Reply::Silence;
        if let Reply::Answered { wait: Some(wait), .. } = reply {
            exchange.note(wait);
        }
        if let Reply::Answered { status, wait, .. } = reply
            && defaults::FAILURES.iter().any(|range| range.contains(status))
        {
            self.send_away(exchange, state, now, wait);
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
            if std::mem::take(&mut exchange.silent) {
                self.send_away(exchange, state, now, None);
            }
            match self.pick(exchange, state, now, draws) {
                Pick::Backend(backend) => {
                    (exchange.backend, exchange.sent) = (backend, now);
                    let timeout = self.api(exchange.api).map_or(Duration::ZERO, |api| api.intent.retry.timeout);
                    return Step::Send { backend, timeout };
                }
                Pick::Closed(reopens) => {
                    let wait = reopens.map(|reopens| reopens.since(now));
                    wait.into_iter().for_each(|wait| exchange.note(wait));
                    self.send_away(exchange, state, now, wait);
                }
                Pick::Nobody(back) => {
                    back.into_iter().for_each(|back| exchange.note(back.since(now)));
                    return self.last_word(exchange, Word::Nobody);
                }
            }
            match self.repetition(exchange, now) {
                None => return self.last_word(exchange, Word::Closed),
                Some(until) if until > now => return Step::Wait(until),
                Some(_) => {}
            }
        }
    }

    /// When the next attempt may begin, `None` where there is none left (rule 15).
    #[inline]
    fn repetition(&self, exchange: &Exchange, now: Time) -> Option<Time> {
        let Retry { count, interval, first_fast, .. } = self.api(exchange.api)?.intent.retry;
        let left = exchange.kind == Kind::Ordinary && exchange.attempts <= count;
        let at_once = first_fast && exchange.attempts == 1;
        left.then(|| if at_once { now } else { now + interval })
    }

    /// Rules 20 to 23.
    #[inline]
    fn last_word(&self, exchange: &Exchange, word: Word) -> Step {
        let Some(api) = self.api(exchange.api) else { return Step::Answer(Answer::OperationNotFound) };
        let OnExhausted { status, .. } = api.intent.on_exhausted;
        let attempts = exchange.attempts;
        let retry_after = exchange.smallest.map(|wait| api.intent.on_exhausted.retry_after(wait));
        let unavailable = Step::Answer(Answer::Unavailable { attempts, retry_after });
        let relay = |retry_after| Step::Relay(Relay { backend: exchange.backend, attempts, retry_after });
        let exhausted = Step::Answer(Answer::Exhausted { status, attempts, retry_after });
        // only of a pool of the gateway's a 503 of its own says more than that one backend is tripped
        let closed = if api.intent.strategy == Strategy::Pool { exhausted } else { unavailable };
        match (word, exchange.kind) {
            (
                Word::Closed | Word::Reply(Reply::Answered { status: 503, origin: Origin::Unmarked, .. }),
                Kind::Probe,
            ) => Step::Answer(Answer::BreakerOpen),
            (Word::Reply(Reply::Silence), Kind::Probe) => Step::Answer(Answer::GatewayError),
            (Word::Reply(Reply::Silence), Kind::Ordinary) => unavailable,
            (Word::Reply(_), Kind::Probe) => relay(None),
            (Word::Nobody, _) => exhausted,
            (Word::Closed, Kind::Ordinary)
            | (Word::Reply(Reply::Answered { status: 503, origin: Origin::Unmarked, .. }), Kind::Ordinary) => closed,
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
            Answer::StatefulRefused => 400,
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

/// What is assumed of the strategy smart.
pub fn smart_assumptions() -> Vec<&'static str> {
    vec!["chance in the policy is as good as the simulator's: calls of one priority are shared by weight, not in turn"]
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
