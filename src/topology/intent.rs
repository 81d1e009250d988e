//! What an API's policy does: the part of a topology that the policy's text depends on, and no more.
//!
//! An [`Intent`] is rendered to XML by `policy`, executed by `exchange`, and carried inside the rendered XML, so that a
//! live policy can be recognised as ours and simulated. Names in it are names in Azure, because the text holds those.
//!
//! What the policy's text and its twin must both say, they say through here: header names, answers, which statuses are
//! retried, how a path and a Retry-After are read. `policy` has the numbered specification.

mod call;
mod candidates;

pub use call::{BALANCED, Body, Called, KEPT, KEPT_BEFORE, NO_BODY, below, by_deployment, unescape};
pub use candidates::{AWAY, TURNS_KEPT, eligible, turns};

use super::{KeyNames, defaults};
use crate::time::{Duration, Time};
use crate::wire::Headers;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The policy of an API, or of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy<I = Intent> {
    /// What we render from an intent.
    Rendered(I),
    /// Anything else, as canonical XML; only in live state. Empty where there is no policy.
    Other(String),
}

impl<I> Policy<I> {
    /// The intent, where it is known.
    pub fn intent(&self) -> Option<&I> {
        match self {
            Policy::Rendered(intent) => Some(intent),
            Policy::Other(_) => None,
        }
    }
}

/// What the policy of an API is to do. What is left out of the encoded form has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Intent {
    /// Who picks the backend.
    pub strategy: Strategy,
    /// Which pool serves which deployment name of the caller's path.
    pub routes: Routes,
    /// The surface `v1`: which pool serves which `model` of the caller's body; `None` where it is not served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v1: Option<Routes>,
    /// What the policy picks from, by the pool's name; empty under [`Strategy::Pool`], where the gateway picks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pools: BTreeMap<String, Vec<Candidate>>,
    /// Name of the backend that gets every stateful call; `None` where those are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stateful: Option<String>,
    /// Header and query parameter of the caller's key, deleted before the backend sees the call; `None` where callers
    /// need no key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeyNames>,
    /// What a caller's Entra token must be; `None` where none is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entra: Option<Entra>,
    /// The resource that the gateway's identity asks a token for.
    pub audience: String,
    /// Name of the named value with the client id of the gateway's identity; `None` for the service's own identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// How many tokens a subscription may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_limit: Option<TokenLimit>,
    /// Which token metrics are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// When an attempt is repeated.
    pub retry: Retry,
    /// What the caller gets when every member's breaker is open.
    pub on_exhausted: OnExhausted,
    /// Name of the subscription that may ask for one backend by name.
    pub probe: String,
}

/// Who picks the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// API Management's own backend pool.
    Pool,
    /// The policy, by priority, Retry-After and weight.
    Smart,
    /// The policy, one after another.
    RoundRobin,
}

impl Strategy {
    /// `pool`, `smart`, `round-robin`.
    pub const fn word(self) -> &'static str {
        match self {
            Strategy::Pool => "pool",
            Strategy::Smart => "smart",
            Strategy::RoundRobin => "round-robin",
        }
    }
}

/// A member of a pool that the policy picks from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Candidate {
    /// Name of the backend in Azure.
    pub backend: String,
    /// The lowest number is used first; 1 under [`Strategy::RoundRobin`], which has none.
    pub priority: u8,
    /// Its share inside its priority.
    pub weight: u8,
    /// The key that it wants; `None` for the gateway's identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CandidateKey>,
}

/// The key that a candidate wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CandidateKey {
    /// The header that carries it.
    pub header: String,
    /// Name of the named value that holds it.
    pub named_value: String,
}

/// What a caller's Entra token must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entra {
    /// The tenant's id or domain.
    pub tenant: String,
    /// Audiences, one of which the token must have; empty for any.
    pub audiences: Vec<String>,
    /// Client ids of the applications that may call; empty for any.
    pub applications: Vec<String>,
}

/// How many tokens a subscription may use in a minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenLimit {
    /// Tokens of a minute.
    pub tokens_per_minute: u32,
    /// Whether a prompt's tokens are estimated before the call.
    pub estimate_prompt: bool,
    /// What has a count of its own.
    pub by: LimitBy,
}

/// What has a count of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitBy {
    /// A subscription.
    Subscription,
    /// A subscription at a pool.
    Pool,
}

/// How many tokens a subscription may use in a longer time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenQuota {
    /// Tokens of the period.
    pub tokens: u64,
    /// How long the period is.
    pub per: Period,
}

/// A period of a token quota (facts/policy.md a).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Period {
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

impl Period {
    /// Every period.
    pub const ALL: [Period; 5] = [Period::Hourly, Period::Daily, Period::Weekly, Period::Monthly, Period::Yearly];

    /// As Azure spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Period::Hourly => "Hourly",
            Period::Daily => "Daily",
            Period::Weekly => "Weekly",
            Period::Monthly => "Monthly",
            Period::Yearly => "Yearly",
        }
    }
}

/// Which token metrics are sent to Application Insights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metrics {
    /// The namespace that they stand in.
    pub namespace: String,
    /// What they are split by: names that API Management knows ([`defaults::DIMENSIONS`]).
    pub dimensions: Vec<String>,
}

/// What the policy of a product is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductIntent {
    /// The product's name in Azure: counts are its own.
    pub product: String,
    /// How many tokens a subscription may use in a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_limit: Option<TokenLimit>,
    /// How many tokens a subscription may use in a longer time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<TokenQuota>,
}

/// Which pool serves a call. Values are names of pools in Azure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Routes {
    /// By the deployment name that the caller's path holds.
    ByName(BTreeMap<String, String>),
    /// One pool for every name.
    All(String),
}

impl Routes {
    /// The pool for the deployment name that the caller gave. Names are compared without case, as Azure does.
    pub fn pool(&self, name: &str) -> Option<&str> {
        match self {
            Routes::All(pool) => Some(pool),
            Routes::ByName(routes) => {
                routes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, pool)| pool.as_str())
            }
        }
    }

    /// Every pool that a route leads to, each once.
    pub fn pools(&self) -> Vec<&str> {
        let mut pools: Vec<&str> = match self {
            Routes::All(pool) => vec![pool],
            Routes::ByName(routes) => routes.values().map(String::as_str).collect(),
        };
        pools.sort_unstable();
        pools.dedup();
        pools
    }
}

/// When an attempt is repeated (DESIGN 5: 408, 429, 499, 500, 502 to 504, 409 only with Retry-After, no response).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// Attempts after the first, 0 to 50.
    pub count: u32,
    /// The wait before an attempt after the second; whole seconds.
    pub interval: Duration,
    /// Whether the second attempt follows at once.
    pub first_fast: bool,
    /// How long the gateway waits for a backend; whole seconds.
    pub timeout: Duration,
    /// Whether an attempt that timed out is repeated, although its generation is already paid for.
    pub timeouts: bool,
}

/// What the caller gets when every member's breaker is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnExhausted {
    /// 429 or 503.
    pub status: u16,
    /// No Retry-After that leaves the gateway is longer than this; whole seconds.
    pub max_retry_after: Duration,
}

/// The header by which the probe's subscription names one backend.
pub const PROBE_HEADER: &str = "x-aoai-lb-backend";

/// The header that tells the caller who answered: host and deployment, `HOST/DEPLOYMENT`.
pub const SERVED_BY_HEADER: &str = "x-aoai-lb-served-by";

/// The header that tells the caller how many attempts were made.
pub const ATTEMPTS_HEADER: &str = "x-aoai-lb-attempts";

/// The header that tells the caller how many tokens of a limit are left.
pub const REMAINING_HEADER: &str = "x-aoai-lb-remaining-tokens";

/// The header that tells the caller how many tokens a call has cost.
pub const CONSUMED_HEADER: &str = "x-aoai-lb-consumed-tokens";

/// Azure OpenAI sends these with every answer. A 503 with none of them is the gateway's own: the pool is exhausted.
pub const BACKEND_HEADERS: [&str; 2] = ["apim-request-id", "x-ms-region"];

/// Final statuses of a backend that the caller sees as [`UNAVAILABLE`].
pub const UNAVAILABLE_STATUSES: [u16; 4] = [500, 502, 503, 504];

/// The content type of every answer of our own.
pub const CONTENT_TYPE: &str = "application/json";

/// No Retry-After is taken for longer than this many seconds, so that sums stay small.
pub const LONGEST_WAIT_SECS: u64 = 1_000_000_000;

/// An answer of our own to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The reason phrase.
    pub reason: &'static str,
    /// The body, JSON.
    pub body: &'static str,
}

/// The caller's path names no deployment that has a route: what Azure OpenAI itself says.
pub const DEPLOYMENT_NOT_FOUND: Answer = Answer {
    status: 404,
    reason: "Not Found",
    body: concat!(
        r#"{ "error": { "code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist. "#,
        r#"If you created the deployment within the last 5 minutes, please wait a moment and try again." } }"#
    ),
};

/// The call is about something that one account keeps, or that no deployment serves, and no account is chosen for such
/// calls. 400, because a 404 would say that the thing is gone, and because SDKs do not repeat it.
pub const STATEFUL_REFUSED: Answer = Answer {
    status: 400,
    reason: "Bad Request",
    body: concat!(
        r#"{ "error": { "message": "This call names no deployment. What an account keeps (stored responses, files, "#,
        r#"batches, assistants), only that account can answer, and calls go to several here: send the whole conversation "#,
        r#"with each call, or ask the owner of this gateway to pin such calls to one account.", "#,
        r#""type": "invalid_request_error", "param": null, "code": "stateful_not_supported" } }"#
    ),
};

/// No backend answered, or the last answer was a fault of the backend's, in the shape of OpenAI's errors.
pub const UNAVAILABLE: Answer = Answer {
    status: 503,
    reason: "Service Unavailable",
    body: concat!(
        r#"{ "error": { "message": "No backend could answer this request. Please try again later.", "#,
        r#""type": "server_error", "param": null, "code": "service_unavailable" } }"#
    ),
};

impl OnExhausted {
    /// The answer of an exhausted pool, in the shape of OpenAI's errors.
    pub const fn answer(&self) -> Answer {
        if self.status == 503 {
            Answer {
                status: 503,
                reason: "Service Unavailable",
                body: concat!(
                    r#"{ "error": { "message": "Every backend of this pool is busy. Please try again later.", "#,
                    r#""type": "server_error", "param": null, "code": "service_unavailable" } }"#
                ),
            }
        } else {
            Answer {
                status: 429,
                reason: "Too Many Requests",
                body: concat!(
                    r#"{ "error": { "message": "Every backend of this pool is busy. Please try again later.", "#,
                    r#""type": "requests", "param": null, "code": "rate_limit_exceeded" } }"#
                ),
            }
        }
    }

    /// The seconds that a Retry-After of our own says for a known wait: rounded up, at least 1, capped.
    pub fn retry_after(&self, wait: Duration) -> u64 {
        wait.secs_ceil().max(1).min(self.max_retry_after.secs_ceil())
    }
}

impl Intent {
    /// Names of the caller's headers that no backend sees, each once: everything that can hold a secret, or that
    /// steers this gateway or Azure OpenAI, and what candidates sign in with. Those that begin with `x-aoai-lb-` are ours.
    pub fn deleted_headers(&self) -> Vec<&str> {
        let mut names = vec![
            self.keys.as_ref().map_or("", |keys| &keys.header),
            "api-key",
            "Ocp-Apim-Subscription-Key",
            "Authorization",
            "x-ms-spillover-deployment",
            PROBE_HEADER,
            SERVED_BY_HEADER,
            ATTEMPTS_HEADER,
            REMAINING_HEADER,
            CONSUMED_HEADER,
        ];
        names.extend(self.credentials().map(|(_, key)| key.header.as_str()));
        distinct(&names)
    }

    /// Candidates that want a key of their own, each backend once, with the key.
    pub fn credentials(&self) -> impl Iterator<Item = (&str, &CandidateKey)> {
        let keys: BTreeMap<&str, &CandidateKey> = (self.pools.values().flatten())
            .filter_map(|candidate| Some((candidate.backend.as_str(), candidate.credential.as_ref()?)))
            .collect();
        keys.into_iter()
    }

    /// Names of the caller's query parameters that no backend sees, each once.
    pub fn deleted_query(&self) -> Vec<&str> {
        distinct(&[self.keys.as_ref().map_or("", |keys| &keys.query), "api-key", "subscription-key"])
    }
}

/// Each name once, compared without case, the first spelling kept; empty names dropped.
fn distinct<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut kept: Vec<&str> = Vec::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        if !kept.iter().any(|k| k.eq_ignore_ascii_case(name)) {
            kept.push(name);
        }
    }
    kept
}

impl Retry {
    /// Whether an answer is worth another attempt, as long as there is one left.
    pub fn repeats(status: u16, headers: &Headers) -> bool {
        defaults::FAILURES.iter().any(|range| range.contains(status))
            || (status == 409 && headers.get("Retry-After").is_some())
    }

    /// Whether an attempt that ended after `elapsed` without an answer is worth another one.
    pub fn repeats_silence(&self, elapsed: Duration) -> bool {
        self.timeouts || elapsed < self.timed_out()
    }

    /// What an attempt without an answer has lasted if it timed out: a little less than `timeout`, because a gateway's
    /// timer ticks about 60 times a second and may ring a tick before the clock says so.
    pub fn timed_out(&self) -> Duration {
        Duration(self.timeout.0.saturating_sub(Duration::from_millis(100).0))
    }
}

/// Whether an answer is the gateway's own word for an exhausted pool.
pub fn is_exhausted(status: u16, headers: &Headers) -> bool {
    status == 503 && BACKEND_HEADERS.iter().all(|name| headers.get(name).is_none())
}

/// How long an answer asks to wait: the longer of `Retry-After` (whole seconds or an HTTP date) and `retry-after-ms`.
/// What cannot be read counts as absent.
pub fn wait(headers: &Headers, now: Time) -> Option<Duration> {
    let milliseconds = number(&joined(headers, "retry-after-ms")).and_then(|ms| u64::try_from(ms).ok());
    let milliseconds = milliseconds.map(|ms| Duration::from_millis(ms.min(LONGEST_WAIT_SECS * 1000)));
    retry_after(headers, now).max(milliseconds)
}

/// How long an answer's `Retry-After` asks to wait.
pub fn retry_after(headers: &Headers, now: Time) -> Option<Duration> {
    let text = joined(headers, "Retry-After");
    match number(&text) {
        Some(seconds) => u64::try_from(seconds).ok().map(|s| Duration::from_secs(s.min(LONGEST_WAIT_SECS))),
        None => http_date(&text).map(|date| date.since(now)),
    }
}

fn number(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// Every value of a header, as API Management gives them to a policy: with commas between. So whoever sends two of
/// them asks for nothing that can be read.
fn joined(headers: &Headers, name: &str) -> String {
    let values: Vec<&str> =
        headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect();
    values.join(",")
}

/// `Wed, 21 Oct 2026 07:28:00 GMT` and nothing else: other forms are obsolete, and each library reads them its own way.
fn http_date(text: &str) -> Option<Time> {
    const FORM: &str = "%a, %d %b %Y %H:%M:%S GMT";
    const LONGEST: i64 = i64::MAX / 1_000_000_000;
    let date = jiff::civil::DateTime::strptime(FORM, text.trim()).ok()?;
    let seconds = date.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0)).as_secs();
    (date.strftime(FORM).to_string() == text.trim()).then(|| Time::from_secs(seconds.clamp(0, LONGEST).unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&str, &str)]) -> Headers {
        fields.iter().copied().collect()
    }

    #[test]
    fn a_wait_is_read_from_what_backends_really_send() {
        let now = Time::from_rfc3339("2026-10-21T07:27:50Z").expect("an instant");
        let wait = |fields: &[(&str, &str)]| wait(&headers(fields), now).map(|d| d.to_string());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(wait(&[("retry-after", "20")]), some("20s"));
        assert_eq!(wait(&[("Retry-After", " 0 ")]), some("0s"));
        assert_eq!(wait(&[("Retry-After", "1"), ("retry-after-ms", "200")]), some("1s"));
        assert_eq!(wait(&[("retry-after-ms", "1500")]), some("1.5s"));
        assert_eq!(wait(&[("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT")]), some("10s"));
        assert_eq!(wait(&[("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT")]), some("0s"));
        assert_eq!(wait(&[("Retry-After", "Fri, 01 Jan 1960 00:00:00 GMT")]), some("0s"));
        for none in ["", "-1", "soon", "1.5", "2026-10-21", "99999999999999999999", "GMT", "1,5"] {
            assert_eq!(wait(&[("Retry-After", none)]), None, "{none}");
        }
        for none in [
            "Tue, 21 Oct 2026 07:28:00 GMT",
            "Wed, 21 Oct 2026 07:28:00 +0000",
            "21 Oct 2026 07:28:00 GMT",
            "Wednesday, 21-Oct-26 07:28:00 GMT",
            "Wed Oct 21 07:28:00 2026",
            "wed, 21 oct 2026 07:28:00 GMT",
        ] {
            assert_eq!(wait(&[("Retry-After", none)]), None, "{none}");
        }
        assert_eq!(wait(&[("Retry-After", "5"), ("retry-after", "10")]), None, "two of them are unreadable");
        for long in ["9000000000000000000", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert!(wait(&[("Retry-After", long)]).is_some(), "{long}");
        }
    }

    #[test]
    fn every_answer_is_json() {
        let exhausted = |status| OnExhausted { status, max_retry_after: Duration::from_secs(60) };
        for answer in
            [DEPLOYMENT_NOT_FOUND, STATEFUL_REFUSED, UNAVAILABLE, exhausted(429).answer(), exhausted(503).answer()]
        {
            let body: serde_json::Value = serde_json::from_str(answer.body).expect("JSON");
            assert!(body["error"]["message"].is_string() && body["error"]["code"].is_string());
        }
        assert_eq!((exhausted(429).answer().status, exhausted(503).answer().status), (429, 503));
    }

    #[test]
    fn what_is_repeated() {
        let with = headers(&[("retry-after", "1")]);
        let none = Headers::default();
        let repeated: Vec<u16> = (100..600).filter(|status| Retry::repeats(*status, &none)).collect();
        assert_eq!(repeated, [408, 429, 499, 500, 502, 503, 504]);
        assert!(Retry::repeats(409, &with) && !Retry::repeats(404, &with));
    }

    #[test]
    fn a_retry_after_of_ours_is_whole_positive_and_capped() {
        let exhausted = OnExhausted { status: 429, max_retry_after: Duration::from_secs(60) };
        let shown = |wait| exhausted.retry_after(wait);
        assert_eq!(shown(Duration::ZERO), 1);
        assert_eq!(shown(Duration::from_millis(1001)), 2);
        assert_eq!(shown(Duration::from_secs(86_400)), 60);
    }
}
