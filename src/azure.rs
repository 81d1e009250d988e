//! The local Azure: real requests to Azure Resource Manager in, real answers out, without I/O.
//!
//! [`World::handle`] is a function of the state, the time and the request. Nothing runs in the background: an operation
//! stores when it ends, and what has ended by `now` takes effect before the request is looked at. Looking never needs
//! to be stored: looking again later gives the same. So a file around it is written only when [`World::revision`] grew.
//!
//! It answers as Azure does, never with what it was sent: nulls and defaults added, locations by their display name, ids
//! and output names in another case, policies indented anew, keys never shown. Where it differs from recorded traffic,
//! the recording is right.
//!
//! - `state` what is kept; `advance` what time makes of it; `lro` operations and how they are followed
//! - `router` from a url to a provider, with the checks that Azure Resource Manager makes itself
//! - `groups`, `apim`, `cognitive`, `authorization` the providers; `plain` all others, which keep what they were sent
//! - `providers`, `locks`, `tags` what the gateway itself knows of namespaces and scopes
//! - [`faults`] errors, delays and broken connections on demand
//! - `deployments` templates, run step by step through the same providers; [`engine`] evaluates them
//! - `shape`, `reply`, `page`, `ids` what answers are made of; `json` how texts of requests are read
//!
//! The scale divides the durations of operations and `Retry-After` (whole seconds, at least 1), never retention or dates.
//!
//! Deliberately absent: who may do what (every caller is the owner), the data plane of models, and the file, its
//! lock and its replacement, which are the shell's. A type that is not known is refused by name, or taken as plain.

mod advance;
mod apim;
mod authorization;
mod cognitive;
mod deployments;
pub mod engine;
pub mod faults;
mod groups;
mod ids;
mod json;
mod locks;
mod lro;
mod page;
mod plain;
mod providers;
mod reply;
mod router;
mod shape;
mod state;
mod tags;
pub mod view;

use crate::catalogue;
use crate::time::{Duration, Time};
use crate::wire::{Request, Response, Transport};
use faults::{Armed, Fault, Met, Moment};
use state::State;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A whole Azure, in memory.
#[derive(Clone, Debug)]
pub struct World {
    state: State,
    /// The scale of what happens from the next request on; until then the state's.
    scale: u32,
    origin: String,
    /// Templates that were read while time advances, by deployment; empty between requests.
    prepared: BTreeMap<String, Arc<engine::Prepared>>,
    /// Limits of quotas, by the quota's key, that are others than usual; no part of what a file keeps.
    quota: BTreeMap<String, u64>,
    /// What becomes of types that are not known; no part of what a file keeps.
    unknown: Unknown,
}

/// What becomes of a resource whose type the local Azure does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// It is refused by its name, with the list of those that are known.
    #[default]
    Refused,
    /// It is kept as it was sent, whatever it is.
    Accepted,
}

/// Why a text is no state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no JSON of the right shape.
    Malformed(String),
    /// It was written by a newer program.
    Format(u64),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Malformed(why) => f.write_str(why),
            Unreadable::Format(format) => {
                write!(f, "format {format}, and this program reads formats up to {}", state::FORMAT)
            }
        }
    }
}

impl World {
    /// An Azure with one subscription and nothing in it. Durations are divided by `scale`.
    pub fn new(subscription: impl Into<String>, tenant: impl Into<String>, scale: u32) -> World {
        let state = State {
            format: state::FORMAT,
            subscription: subscription.into(),
            tenant: tenant.into(),
            scale: scale.max(1),
            seed: 0,
            serial: 0,
            revision: 0,
            groups: BTreeMap::new(),
            resources: BTreeMap::new(),
            deleted: BTreeMap::new(),
            operations: BTreeMap::new(),
            deployments: BTreeMap::new(),
            registrations: BTreeMap::new(),
            tags: BTreeMap::new(),
            faults: Vec::new(),
            failing: BTreeMap::new(),
            ahead: Duration::ZERO,
        };
        let origin = "https://management.azure.com".into();
        World {
            scale: state.scale,
            state,
            origin,
            prepared: BTreeMap::new(),
            quota: BTreeMap::new(),
            unknown: Unknown::Refused,
        }
    }

    /// The same Azure with keys and ids that follow from `seed`.
    pub fn with_seed(mut self, seed: u64) -> World {
        self.state.seed = seed;
        self
    }

    /// The same Azure, whose operation addresses begin with `origin` (`http://127.0.0.1:8080`).
    pub fn with_origin(mut self, origin: impl Into<String>) -> World {
        self.origin = origin.into();
        self
    }

    /// The same Azure with another scale from the next request on: what ended before it has ended, at the scale it had.
    pub fn with_scale(mut self, scale: u32) -> World {
        self.scale = scale.max(1);
        self
    }

    /// The same Azure with another limit of a quota (`OpenAI.GlobalStandard.gpt-4o`), in every region.
    pub fn with_quota(mut self, name: &str, limit: u64) -> World {
        self.quota.insert(catalogue::quota_key(name), limit);
        self
    }

    /// The same Azure, which takes or refuses types that it does not know.
    pub fn with_unknown_types(mut self, unknown: Unknown) -> World {
        self.unknown = unknown;
        self
    }

    /// The same Azure, whose own subscription still has to register a provider (`Microsoft.CognitiveServices`).
    pub fn without_provider(mut self, namespace: &str) -> World {
        providers::forget(&mut self, namespace);
        self
    }

    /// Reads what [`World::to_json`] wrote, in this version of the program or in an earlier one.
    pub fn from_json(text: &str) -> Result<World, Unreadable> {
        let state = state::read(text)?;
        Ok(World { scale: state.scale, state, ..World::new("", "", 1) })
    }

    /// The state as a file keeps it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.state).unwrap_or_default()
    }

    /// How many requests have changed the state: a file is written only where this grew.
    pub fn revision(&self) -> u64 {
        self.state.revision
    }

    /// The subscription that it was made with.
    pub fn subscription(&self) -> &str {
        &self.state.subscription
    }

    /// The tenant.
    pub fn tenant(&self) -> &str {
        &self.state.tenant
    }

    /// By what durations are divided.
    pub fn scale(&self) -> u32 {
        self.scale
    }

    /// What time it is in this Azure, whose clock may have jumped ahead.
    pub fn time(&self, now: Time) -> Time {
        now + self.state.ahead
    }

    /// What a GET would be answered, or a POST that lists secrets, if nothing came in between. It changes nothing. `at` is
    /// [this Azure's own time](World::time).
    pub fn look(&mut self, at: Time, request: &Request) -> Response {
        advance::advance(self, at);
        router::route(self, at, request).into_response()
    }

    /// Answers a request to Azure Resource Manager, whichever door it names: the gateway's door is not this one's.
    ///
    /// A request that is refused changes nothing. Where a fault breaks the connection, the answer is lost: the error is
    /// [`Transport::Lost`], and only who set the fault knows whether the request was carried out.
    pub fn exchange(&mut self, now: Time, request: &Request) -> Result<Response, Transport> {
        let now = self.advance(now);
        let (lost, mut response) = match faults::meet(self, now, request) {
            Met::Nothing => (None, self.answer(now, request)),
            Met::Answer(response) => (None, response),
            Met::Lag(by) => (None, self.answer_late(now, by, request)),
            Met::Drop(Moment::Before, name) => (Some(name), Response::empty(0)),
            Met::Drop(Moment::After, name) => (Some(name), self.answer(now, request)),
        };
        if let Some(name) = lost {
            return Err(Transport::Lost(format!("the connection was closed without an answer (fault `{name}`)")));
        }
        let id = shape::guid(&self.hash(&["request", &now.0.to_string(), request.method.as_str(), &request.url]));
        let allowance = if request.method.writes() { ("writes", "11999") } else { ("reads", "16499") };
        response.headers.set(format!("x-ms-ratelimit-remaining-subscription-global-{}", allowance.0), allowance.1);
        response.headers.set("x-ms-request-id", id.clone());
        response.headers.set("x-ms-correlation-request-id", id);
        Ok(response)
    }

    /// The same for a caller whose connection never breaks: it gets what Azure's own gateway says when one behind it does.
    pub fn handle(&mut self, now: Time, request: &Request) -> Response {
        let lost = |_| reply::gateway(504, "GatewayTimeout", "The connection was closed without an answer.");
        self.exchange(now, request).unwrap_or_else(|why| lost(why).into_response())
    }

    fn advance(&mut self, now: Time) -> Time {
        let now = self.time(now);
        advance::advance(self, now);
        self.state.scale = self.scale;
        now
    }

    fn answer(&mut self, now: Time, request: &Request) -> Response {
        let before = request.method.writes().then(|| self.state.clone());
        let reply = router::route(self, now, request);
        if let Some(before) = before {
            if !reply.is_success() {
                self.state = before;
            } else {
                faults::started(self, now, request, &reply);
                if self.state != before {
                    self.state.revision += 1;
                }
            }
        }
        reply.into_response()
    }

    /// What a reader sees whose copy is so far behind.
    fn answer_late(&self, now: Time, by: Duration, request: &Request) -> Response {
        let mut behind = self.clone();
        behind.state.resources.retain(|_, resource| now.since(resource.created) >= by);
        router::route(&mut behind, now, request).into_response()
    }

    /// The faults that are set, in order.
    pub fn faults(&self) -> &[Armed] {
        &self.state.faults
    }

    /// Sets these faults in place of those that were set. Their time and their counts begin now.
    pub fn set_faults(&mut self, now: Time, faults: Vec<Fault>) {
        let now = self.advance(now);
        self.state.faults = faults.into_iter().map(|fault| Armed::new(fault, now)).collect();
        self.state.revision += 1;
    }

    /// Sets these faults after those that were set.
    pub fn add_faults(&mut self, now: Time, faults: Vec<Fault>) {
        let now = self.advance(now);
        self.state.faults.extend(faults.into_iter().map(|fault| Armed::new(fault, now)));
        self.state.revision += 1;
    }

    /// Takes away everything that was made. Faults stay, and begin anew.
    pub fn reset(&mut self, now: Time) {
        let now = self.advance(now);
        let kept =
            std::mem::take(&mut self.state.faults).into_iter().map(|armed| Armed::new(armed.fault, now)).collect();
        let State { subscription, tenant, seed, serial, revision, ahead, .. } = self.state.clone();
        let fresh = World::new(subscription, tenant, self.scale).state;
        // ids and ETags go on, so that nothing new has an old one's
        self.state = State { seed, serial, revision: revision + 1, ahead, faults: kept, ..fresh };
    }

    /// Lets this Azure's clock jump ahead, whatever the scale: what is due until then has happened, retention too.
    pub fn forward(&mut self, now: Time, by: Duration) {
        self.state.ahead = self.state.ahead + by;
        self.advance(now);
        self.state.revision += 1;
    }
}

/// The resource types that the local Azure knows, in Azure's own case.
pub fn known_types() -> impl Iterator<Item = &'static str> {
    catalogue::TYPES.iter().map(|known| known.name)
}

#[cfg(test)]
mod tests;
