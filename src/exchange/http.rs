//! The texts of an exchange: reading a caller's request and a backend's headers, making what a backend is sent and what
//! the gateway itself answers.

use super::{Answer, ApiId, Ask, Caller, Destination, Gateway, Origin, Relay, Reply, RetryAfter};
use crate::pool::BackendId;
use crate::time::{Duration, Time};
use crate::topology::intent::{
    self, ATTEMPTS_HEADER, Body, CONTENT_TYPE, Called, CandidateKey, OnExhausted, PROBE_HEADER, SERVED_BY_HEADER,
};
use crate::topology::{self, AccountKind, Definition, KeyNames, Routes, Target, Topology};
use crate::wire::{Headers, Method, Response};

/// A caller's request, with what matters of its body.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Its method.
    pub method: Method,
    /// Path and query: `/openai/deployments/gpt/chat/completions?api-version=2024-10-21`.
    pub target: &'a str,
    /// Its headers.
    pub headers: &'a Headers,
    /// What its body says ([`Body::read`]).
    pub body: &'a Body,
}

impl<'a> Call<'a> {
    fn path(&self) -> &'a str {
        self.target.split_once('?').map_or(self.target, |(path, _)| path)
    }

    fn query(&self) -> impl Iterator<Item = &'a str> {
        self.target.split_once('?').map_or("", |(_, query)| query).split('&').filter(|field| !field.is_empty())
    }
}

/// What a backend is sent, beside the body and the gateway's own `Authorization`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The whole address.
    pub url: String,
    /// The caller's headers without anything secret.
    pub headers: Headers,
    /// The key that the backend wants instead of the gateway's own `Authorization`.
    pub credential: Option<CandidateKey>,
}

/// Where an API is found.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    /// `openai`, without slashes at its ends.
    root: String,
    keys: Option<KeyNames>,
    /// Method and template of each operation; `None` where a document that is imported has them.
    operations: Option<Vec<(String, String)>>,
}

impl Paths {
    pub(super) fn new(api: &topology::Api) -> Paths {
        let operation = |op: &topology::Operation| (op.method.clone(), op.url_template.clone());
        Paths {
            root: api.path.clone(),
            keys: api.keys.clone(),
            operations: match api.definition {
                Definition::Operations => Some(api.operations.values().map(operation).collect()),
                Definition::Imported(_) => None,
            },
        }
    }

    /// What follows the API's own path, with its slash.
    fn below<'a>(&self, path: &'a str) -> Option<&'a str> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (root, rest) = path.split_at_checked(self.root.len())?;
        let rest = if self.root.is_empty() { path } else { rest };
        let whole_segment = self.root.is_empty() || rest.is_empty() || rest.starts_with('/');
        (root.eq_ignore_ascii_case(&self.root) && whole_segment).then_some(rest)
    }

    fn has_operation(&self, method: Method, path: &str) -> bool {
        let fits = |template: &str| {
            let (mut left, mut right) = (template.trim_matches('/').split('/'), path.trim_matches('/').split('/'));
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return true,
                    (Some("*"), _) => return true,
                    (Some(want), Some(got)) if want.starts_with('{') && !got.is_empty() => {}
                    (Some(want), Some(got)) if want.eq_ignore_ascii_case(got) => {}
                    _ => return false,
                }
            }
        };
        let any = |all: &Vec<(String, String)>| all.iter().any(|(verb, path)| *verb == method.as_str() && fits(path));
        self.operations.as_ref().is_none_or(any)
    }
}

/// Where a backend is.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) name: String,
    url: String,
    pub(super) served_by: String,
}

impl Address {
    pub(super) fn new(topology: &Topology, backend: &topology::Backend) -> Address {
        let url = match &backend.target {
            Target::Url(url) => url.trim_end_matches('/').to_owned(),
            target => {
                let account = target.account().map(|(account, _)| account.as_str()).unwrap_or_default();
                let (name, suffix) = match topology.accounts.get(account) {
                    Some(found) => (found.name.to_string(), suffix(found.kind)),
                    None => (account.to_owned(), suffix(AccountKind::OpenAI)),
                };
                format!("https://{name}.{suffix}/{}", target.path().unwrap_or_default())
            }
        };
        let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest).split('/').next().unwrap_or_default();
        let served_by = match intent::by_deployment(&url) {
            Some((deployment, _)) => format!("{host}/{deployment}"),
            None => host.to_owned(),
        };
        Address { served_by, url, name: backend.name.clone() }
    }
}

/// What follows an account's name in its host, in the public cloud.
const fn suffix(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::OpenAI => "openai.azure.com",
        AccountKind::AIServices => "cognitiveservices.azure.com",
    }
}

/// Where API Management looks for a key unless an API says otherwise: header and query parameter.
const OWN_KEYS: (&str, &str) = ("Ocp-Apim-Subscription-Key", "subscription-key");

impl Gateway {
    /// The API that a path belongs to: the one with the longest path.
    fn find(&self, call: &Call<'_>) -> Option<ApiId> {
        let fits = self.apis.iter().zip(0..=u16::MAX).filter(|(api, _)| api.paths.below(call.path()).is_some());
        fits.max_by_key(|(api, _)| api.paths.root.len()).map(|(_, at)| ApiId(at))
    }

    /// The key that a caller shows: the header of its API, else the query parameter. Where callers need no key, one is
    /// looked for under API Management's own names: the probe has one.
    pub fn key<'a>(&self, call: &Call<'a>) -> Option<&'a str> {
        let keys = self.api(self.find(call)?)?.paths.keys.as_ref();
        let (header, query) = keys.map_or(OWN_KEYS, |KeyNames { header, query }| (header, query));
        call.headers.get(header).or_else(|| {
            let named = |field: &'a str| field.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case(query));
            call.query().find_map(named).map(|(_, value)| value)
        })
    }

    /// Reads a caller's request (rules 2 to 6). Whether an Entra token is what the spec asks for (rule 3) is the
    /// driver's to find out before.
    pub fn read(&self, call: &Call<'_>, caller: Caller) -> Ask {
        let refused = Ask::Refused;
        let Some((id, api)) = self.find(call).and_then(|id| Some((id, self.api(id)?))) else {
            return refused(Answer::OperationNotFound);
        };
        if !api.paths.below(call.path()).is_some_and(|path| api.paths.has_operation(call.method, path)) {
            return refused(Answer::OperationNotFound);
        }
        let known = |caller| match caller {
            Caller::Subscription(id) => Some((id, self.subscriptions.get(usize::from(id.0))?)),
            Caller::Missing | Caller::Invalid => None,
        };
        let found = known(caller).filter(|(_, subscription)| subscription.apis.contains(&id));
        match (caller, &api.paths.keys) {
            _ if found.is_some() => {}
            (_, None) => {}
            (Caller::Missing, Some(_)) => return refused(Answer::KeyMissing),
            (_, Some(_)) => return refused(Answer::KeyInvalid),
        }
        let called = api.intent.called(call.method, intent::below(call.path(), &api.paths.root), call.body);
        let named = call.headers.get(PROBE_HEADER).filter(|backend| !backend.is_empty());
        let probes = found.is_some_and(|(_, subscription)| subscription.name.eq_ignore_ascii_case(&api.intent.probe));
        let nameless = matches!(&called, Called::Deployment { name, .. } if name.is_empty());
        if let Some(backend) = named.filter(|_| probes && !nameless) {
            return match self.destination(backend) {
                Some(destination) => Ask::Probe { api: id, destination },
                None => refused(Answer::GatewayError),
            };
        }
        let subscription = found.map(|(subscription, _)| subscription);
        let route = |routes: Option<&Routes>, name: &str| match routes
            .filter(|_| !name.is_empty())
            .and_then(|routes| routes.pool(name))
        {
            Some(pool) => self.to_pool(id, api, subscription, pool),
            None => refused(Answer::DeploymentNotFound),
        };
        match called {
            Called::Deployment { name, .. } => route(Some(&api.intent.routes), &name),
            Called::Model { name, .. } => route(api.intent.v1.as_ref(), name),
            Called::Account { .. } => match api.intent.stateful.as_deref().map(|name| self.destination(name)) {
                Some(Some(Destination::Backend(backend))) => Ask::Account { api: id, backend, subscription },
                Some(_) => refused(Answer::GatewayError),
                None => refused(Answer::StatefulRefused),
            },
        }
    }

    /// What a backend is sent (rules 5, 8, 9, 11); `None` for a backend or an API that is not there.
    pub fn forward(&self, call: &Call<'_>, backend: BackendId) -> Option<Forward> {
        let api = self.api(self.find(call)?)?;
        let path = match api.intent.called(call.method, intent::below(call.path(), &api.paths.root), call.body) {
            Called::Deployment { rest, .. } | Called::Model { rest, .. } | Called::Account { rest } => rest,
        };
        let address = self.backends.get(backend.index())?;
        let mut url = format!("{}{path}", address.url);
        let deleted = api.intent.deleted_query();
        let stays = |field: &&str| {
            // nobody hides a key behind an escape
            let name = intent::unescape(field.split_once('=').map_or(*field, |(name, _)| name));
            !deleted.iter().any(|deleted| name.eq_ignore_ascii_case(deleted))
        };
        for (at, field) in call.query().filter(stays).enumerate() {
            url.push(if at == 0 { '?' } else { '&' });
            url.push_str(field);
        }
        let mut headers = call.headers.clone();
        api.intent.deleted_headers().into_iter().for_each(|name| headers.remove(name));
        headers.remove("Host");
        let mut credentials = api.intent.credentials();
        let credential = credentials.find(|(name, _)| name.eq_ignore_ascii_case(&address.name));
        Some(Forward { url, headers, credential: credential.map(|(_, key)| key.clone()) })
    }

    /// Changes a backend's headers as the caller is to see them (rules 23, 24).
    pub fn relayed(&self, relay: &Relay, headers: &mut Headers) {
        if let Some(seconds) = relay.retry_after {
            headers.set("Retry-After", seconds.to_string());
            headers.remove("retry-after-ms");
        }
        if let Some(address) = self.backends.get(relay.backend.index()) {
            headers.set(SERVED_BY_HEADER, address.served_by.as_str());
        }
        headers.set(ATTEMPTS_HEADER, relay.attempts.to_string());
    }
}

impl Reply {
    /// A backend's answer.
    pub fn read(now: Time, status: u16, headers: &Headers) -> Reply {
        let retry_after = match (headers.get("Retry-After"), intent::retry_after(headers, now)) {
            (None, _) => RetryAfter::Absent,
            (Some(_), None) => RetryAfter::Unreadable,
            (Some(_), Some(wait)) => RetryAfter::Wait(wait),
        };
        let origin = if intent::is_exhausted(status, headers) { Origin::Unmarked } else { Origin::Backend };
        Reply::Answered { status, retry_after, wait: intent::wait(headers, now), origin }
    }
}

impl Answer {
    /// The whole answer.
    pub fn response(&self) -> Response {
        let gateway = |text: &str| {
            let body = serde_json::json!({ "statusCode": self.status(), "message": text });
            Response { status: self.status(), headers: json(), body: body.to_string().into_bytes() }
        };
        match *self {
            Answer::OperationNotFound => gateway("Resource not found"),
            Answer::KeyMissing => gateway(
                "Access denied due to missing subscription key. \
                 Make sure to include subscription key when making requests to an API.",
            ),
            Answer::KeyInvalid => gateway(
                "Access denied due to invalid subscription key. \
                 Make sure to provide a valid key for an active subscription.",
            ),
            Answer::GatewayError => gateway("Internal server error"),
            Answer::BreakerOpen => gateway("Service Unavailable"),
            Answer::DeploymentNotFound => ours(intent::DEPLOYMENT_NOT_FOUND),
            Answer::StatefulRefused => ours(intent::STATEFUL_REFUSED),
            Answer::Exhausted { status, attempts, retry_after } => {
                let answer = OnExhausted { status, max_retry_after: Duration::ZERO }.answer();
                counted(ours(answer), attempts, retry_after)
            }
            Answer::Unavailable { attempts, retry_after } => counted(ours(intent::UNAVAILABLE), attempts, retry_after),
        }
    }
}

fn json() -> Headers {
    [("Content-Type", CONTENT_TYPE)].into_iter().collect()
}

fn ours(answer: intent::Answer) -> Response {
    Response { status: answer.status, headers: json(), body: answer.body.into() }
}

fn counted(response: Response, attempts: u32, retry_after: Option<u64>) -> Response {
    let response = response.header(ATTEMPTS_HEADER, attempts.to_string());
    match retry_after {
        Some(seconds) => response.header("Retry-After", seconds.to_string()),
        None => response,
    }
}
