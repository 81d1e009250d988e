//! The simulator: what callers would have seen, had the trace's requests gone through this gateway to these backends.
//!
//! Discrete events drive `exchange` (what the gateway decides) and `backend` (what a deployment does); this module decides
//! neither. Events are ordered by (time, class, request, attempt); at one instant completions come before waits that are
//! over, and those before arrivals. Chance is a function of seed, purpose, request and attempt, and sums are integers, so
//! the same topology, options and trace give the same report, to the byte, on any machine.
//!
//! Deliberately absent: files, threads, callers that try again by themselves, outages and costs.

mod engine;
pub mod histogram;
pub mod report;
mod tally;
mod text;
pub mod trace;

pub use report::Report;
pub use trace::Arrival;

use crate::backend::{self, Backend, figures};
use crate::diagnostic::{Diagnostic, code};
use crate::exchange::{self, ApiId, Ask, Gateway, SubscriptionId};
use crate::pool::{self, Rotation};
use crate::quota;
use crate::time::Duration;
use crate::topology::{self, Intent, Strategy, Threshold, Topology};
use engine::Engine;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tally::{Served as Counts, Tally};

/// What a run depends on beside topology and trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Chance: the same seed gives the same report.
    pub seed: u64,
    /// Gateway instances, which share nothing; 0 counts as 1.
    pub instances: u32,
    /// How members of a priority group take turns.
    pub rotation: Rotation,
    /// What callers say in `max_tokens`, which traces do not hold.
    pub max_tokens: MaxTokens,
    /// How far behind a provisioned deployment may be before it refuses.
    pub ptu_depth: Duration,
    /// Key of the API that is called; needed where there are several.
    pub api: Option<String>,
    /// The deployment that callers name where the trace does not say; needed where there are several.
    pub deployment: Option<String>,
    /// What is assumed of backends that call nobody's deployment here, by key: tokens and requests a minute.
    pub quotas: BTreeMap<String, (u32, u32)>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: 0,
            instances: 1,
            rotation: Rotation::Smooth,
            max_tokens: MaxTokens::Actual,
            ptu_depth: quota::PTU_DEPTH,
            api: None,
            deployment: None,
            quotas: BTreeMap::new(),
        }
    }
}

/// What callers say in `max_tokens`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MaxTokens {
    /// As many as are written in the end: the most careful callers there can be.
    Actual,
    /// Always the same; longer answers are cut.
    Constant(u32),
}

/// How many arrivals lie between two calls of `progress`.
const PROGRESS: u64 = 65_536;

/// Sends a trace through the gateway of `topology`. `progress` hears now and then how many requests have arrived.
///
/// Arrivals come in order of time; one that does not counts as simultaneous with the one before.
pub fn run(
    topology: &Topology,
    options: &Options,
    trace: impl IntoIterator<Item = Result<Arrival, Diagnostic>>,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, Diagnostic> {
    let gateway = Gateway::new(topology)?;
    let mut asks = Asks::new(topology, &gateway, options)?;
    let (backends, notes) = backends(topology, options)?;
    let mut engine = Engine::new(topology, &gateway, backends, options);
    let mut requests = 0;
    for arrival in trace {
        let arrival = arrival?;
        let ask = asks.of(arrival.deployment.as_ref())?;
        engine.arrive(requests, &arrival, ask);
        requests += 1;
        if requests % PROGRESS == 0 {
            progress(requests);
        }
    }
    if requests == 0 {
        return Err(Diagnostic::new(code::TRACE_FORMAT, "the trace has no requests"));
    }
    progress(requests);
    let tally = engine.finish();
    let assumptions = assumptions(topology, asks.key, options, &tally, &notes);
    Ok(report::report(topology, asks.key, options, requests, &tally, assumptions))
}

/// What the trace's deployment names mean.
struct Asks<'a> {
    gateway: &'a Gateway,
    key: &'a str,
    api: ApiId,
    subscription: Option<SubscriptionId>,
    /// For requests whose trace names none.
    unnamed: Option<Ask>,
    names: Vec<String>,
    known: BTreeMap<Arc<str>, Ask>,
}

impl<'a> Asks<'a> {
    fn new(topology: &'a Topology, gateway: &'a Gateway, options: &Options) -> Result<Asks<'a>, Diagnostic> {
        let problem = |message: String| Diagnostic::new(code::TRACE_ROUTE, message);
        let listed = |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let keys: Vec<&str> = topology.apis.keys().map(String::as_str).collect();
        let at = match (&options.api, keys.len()) {
            (Some(name), _) => keys.iter().position(|key| key == name),
            (None, 1) => Some(0),
            (None, 0) => return Err(problem("the spec has no api to call".into())),
            (None, _) => {
                let message = format!("the spec has several apis: {}", listed(keys));
                return Err(problem(message).help("name the one that the trace is about: `--api KEY`"));
            }
        };
        let Some((at, key)) = at.and_then(|at| Some((at, *keys.get(at)?))) else {
            let name = options.api.as_deref().unwrap_or_default();
            return Err(problem(format!("the spec has no api `{name}`")).help(format!("name one of {}", listed(keys))));
        };
        let api = ApiId(at as u16);
        let probe = topology.apis[key].policy.intent().map(|intent| intent.probe.as_str());
        let callers = topology
            .subscriptions
            .values()
            .filter(|s| topology.may_call(&s.access, key) && Some(s.name.as_str()) != probe);
        let subscription = callers.map(|subscription| &subscription.name).next();
        let subscription = subscription.and_then(|name| gateway.subscription(name));
        if subscription.is_none() && topology.apis[key].keys.is_some() {
            return Err(Diagnostic::new(code::NO_CALLER, format!("no subscription may call the api `{key}`"))
                .at(format!("apis.{key}"))
                .help("add a subscription for it"));
        }
        let names = gateway.route_names(api);
        let unnamed = match (&options.deployment, &names) {
            (Some(name), _) => Some(gateway.ask(api, subscription, name)),
            (None, None) => Some(gateway.ask(api, subscription, "any")),
            (None, Some(names)) if names.len() == 1 => Some(gateway.ask(api, subscription, names[0])),
            (None, Some(_)) => None,
        };
        if let (Some(name), Some(Ask::Refused(_))) = (&options.deployment, &unnamed) {
            let message = format!("the api `{key}` has no route for the deployment `{name}`");
            return Err(problem(message).help(format!("name one of {}", listed(names.unwrap_or_default()))));
        }
        let names = names.unwrap_or_default().into_iter().map(str::to_owned).collect();
        Ok(Asks { gateway, key, api, subscription, unnamed, names, known: BTreeMap::new() })
    }

    fn of(&mut self, deployment: Option<&Arc<str>>) -> Result<Ask, Diagnostic> {
        match deployment {
            None => self.unnamed.ok_or_else(|| {
                let names = self.names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let message = format!("the trace does not say which deployment is called: {names}");
                Diagnostic::new(code::TRACE_ROUTE, message)
                    .help("add a column `deployment`, or name one for all: `--deployment NAME`")
            }),
            Some(name) => {
                let ask = |name: &Arc<str>| self.gateway.ask(self.api, self.subscription, name);
                if !self.known.contains_key(name) {
                    self.known.insert(name.clone(), ask(name));
                }
                Ok(self.known.get(name).copied().unwrap_or_else(|| ask(name)))
            }
        }
    }
}

/// What had to be assumed about the model of each backend.
type Notes = Vec<Option<String>>;

/// A backend for each that is a member of a pool.
fn backends(topology: &Topology, options: &Options) -> Result<(Vec<Option<Backend>>, Notes), Diagnostic> {
    let members: BTreeSet<&String> =
        topology.pools.values().flat_map(|pool| &pool.members).map(|member| &member.backend).collect();
    let one = |(key, backend): (&String, &topology::Backend)| {
        if !members.contains(key) {
            return Ok((None, None));
        }
        let problem = |why: String| Diagnostic::new(code::NO_FIGURES, why).at(format!("backends.{key}"));
        if let Some((tokens, requests)) = options.quotas.get(key) {
            let (figures, note) = figures::foreign(key, *tokens, *requests);
            return Ok((Some(Backend::new(figures, options.ptu_depth)), Some(note)));
        }
        let deployment = topology.deployment_of(backend).ok_or_else(|| {
            problem(format!("the backend `{key}` calls no deployment of this spec"))
                .help("say what it can take: `quota: { tokensPerMinute: 60000 }`")
        })?;
        let (figures, note) = figures::of(deployment).ok_or_else(|| {
            let model = &deployment.model.name;
            problem(format!("no throughput of a provisioned unit is known for `{model}`, which `{key}` calls"))
        })?;
        Ok((Some(Backend::new(figures, options.ptu_depth)), note))
    };
    let both: Result<Vec<_>, Diagnostic> = topology.backends.iter().map(one).collect();
    Ok(both?.into_iter().unzip())
}

/// What was assumed, as far as it mattered to this run: nothing is said about PTUs that nobody called.
fn assumptions(topology: &Topology, api: &str, options: &Options, tally: &Tally, notes: &Notes) -> Vec<String> {
    let called: BTreeMap<&str, (&topology::Backend, &Counts)> = topology
        .backends
        .iter()
        .zip(&tally.backends)
        .filter(|(_, counts)| counts.attempts > 0)
        .map(|((key, backend), counts)| (key.as_str(), (backend, counts)))
        .collect();
    let opened = |key: &str| called.get(key).is_some_and(|(_, counts)| counts.trips > 0);
    let by_pool = pool::assumptions(topology, options.rotation, |key| called.contains_key(key), opened);
    let percentage = called
        .values()
        .filter_map(|(backend, _)| backend.breaker.as_ref())
        .any(|breaker| matches!(breaker.threshold, Threshold::Percentage(_)));
    let provisioned = |(backend, _): &(&topology::Backend, _)| {
        topology.deployment_of(backend).is_some_and(|deployment| deployment.sku.is_provisioned())
    };
    let any = |what: fn(&Counts) -> u64| called.values().any(|(_, counts)| what(counts) > 0);
    let notes: BTreeSet<&String> = notes
        .iter()
        .zip(&tally.backends)
        .filter(|(_, counts)| counts.attempts > 0)
        .filter_map(|(note, _)| note.as_ref())
        .collect();

    let mut all: Vec<String> = Vec::new();
    let mut say = |applies: bool, texts: Vec<String>| all.extend(texts.into_iter().filter(|_| applies));
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    let intent = topology.apis.get(api).and_then(|api| api.policy.intent());
    let strategy = intent.map_or(Strategy::Pool, |intent| intent.strategy);
    say(strategy == Strategy::Pool, owned(by_pool));
    say(strategy == Strategy::Pool && tally.repeated > 0, owned(exchange::retry_assumptions()));
    say(strategy == Strategy::Pool && tally.exhausted() > 0, owned(exchange::exhausted_assumptions()));
    say(strategy != Strategy::Pool, owned(pool::cache_assumptions()));
    say(strategy == Strategy::Smart, owned(exchange::smart_assumptions()));
    say(true, intent.map(not_simulated).unwrap_or_default());
    say(true, products(topology, api));
    say(options.instances > 1, vec!["each call meets one of the gateway's instances at random".into()]);
    say(!called.values().all(provisioned), quota::metered_assumptions());
    say(called.values().any(provisioned), quota::provisioned_assumptions(options.ptu_depth));
    let max_tokens = match options.max_tokens {
        MaxTokens::Actual => "max_tokens of every call is what was written in the end: the least that it can be".into(),
        MaxTokens::Constant(n) => format!("max_tokens of every call is {n}, and longer answers are cut there"),
    };
    say(!called.is_empty(), vec![max_tokens]);
    say(!called.is_empty(), figures::assumptions());
    say(any(|counts| counts.refused.iter().sum()), vec![format!("a refusal takes {}", backend::REFUSAL)]);
    say(true, notes.into_iter().cloned().collect());
    say(percentage, vec!["a breaker sees an answer when it ends".into()]);
    say(
        any(|counts| counts.timed_out),
        vec![
            "answers are streamed: a time-out ends at the first token".into(),
            "an attempt without a response moves no breaker, and its backend writes the answer to its end".into(),
        ],
    );
    say(true, vec!["callers do not try again by themselves".into()]);
    all
}

/// What the policy does to callers and this simulator does not.
fn not_simulated(intent: &Intent) -> Vec<String> {
    let limit = intent.token_limit.as_ref().map(|limit| {
        let limit = limit.tokens_per_minute;
        format!("the token limit of {limit} a minute (`tokenLimit`) is not simulated: no caller is held back by it")
    });
    let entra = intent.entra.as_ref().map(|_| {
        "callers' Entra tokens (`callers.entra`) are not simulated: every caller counts as one with a good token"
            .to_owned()
    });
    limit.into_iter().chain(entra).collect()
}

/// Limits of the products that the API is part of.
fn products(topology: &Topology, api: &str) -> Vec<String> {
    let limited = |(key, product): (&String, &topology::Product)| {
        let intent = product.policy.intent()?;
        let what = match (intent.token_limit.is_some(), intent.quota.is_some()) {
            (true, true) => "token limit and quota",
            (true, false) => "the token limit",
            (false, true) => "the quota",
            (false, false) => return None,
        };
        Some(format!("no caller is held back by {what} of the product `{key}`: that is not simulated"))
    };
    topology.products.iter().filter(|(_, product)| product.apis.contains(api)).filter_map(limited).collect()
}

#[cfg(test)]
mod tests;
