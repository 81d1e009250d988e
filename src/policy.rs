//! The policy of an API: rendered from an [`Intent`], and recognised again.
//!
//! # What the policy does
//!
//! `exchange` is the twin of this text; both follow these numbered rules, and share texts and readings through
//! [`topology::intent`](mod@crate::topology::intent). One template a strategy, made of shared parts.
//!
//! Inbound, in this order:
//!
//! 1. `<base />`, then our marker: a literal `set-variable` named `aoai-lb`, whose value is the format number 1, a dot and
//!    the base64url of the intent as JSON.
//! 2. *Probe*: a call with the subscription `intent.probe` (compared without case) and a non-empty header
//!    `x-aoai-lb-backend` is a probe of the backend that the header names. The name is taken as it stands. Any other
//!    call, with or without that header, is an ordinary one. Who has no key (`intent.keys` is none) has no subscription.
//! 3. *Entra*: where `intent.entra` asks for it, an ordinary call's `Authorization` must be a token of that tenant, for one
//!    of the audiences, of one of the applications. It is read before rule 8 deletes it.
//! 4. *Path*: what follows the API's own path (`intent::below`).
//! 5. *Call* (`Intent::called`):
//!    - `/v1/...`, where the surface `v1` is served: a POST to one of `intent::BALANCED` asks for the deployment that its
//!      body's `model` names, and the backend is asked for what follows `/v1`. But it belongs to one account if the body
//!      goes on from something kept (`previous_response_id`, `conversation`), or if there is an account for what is kept
//!      and the answer is to be kept: `store` true, or `/v1/responses` without `store`. Every other call of the surface
//!      belongs to one account.
//!    - `/deployments/NAME/...` (the word without case, NAME percent decoded) asks for that deployment, and the backend for
//!      what follows, `/` where nothing follows.
//!    - Anything else belongs to one account, which is asked for the whole path behind the API's.
//!
//!    A body is looked into only on the surface `v1`, once, and stays as it is. No body, `multipart/...`, or what is no JSON
//!    object names no deployment. (Which parts of an `input` name stored items is not looked at.)
//! 6. *Route*: a probe goes to its backend, unless the path is one by deployment and has no NAME. An ordinary call goes to
//!    the pool that the routes of its surface give for the name (`Routes::pool`, without case); no name or no route: 404,
//!    `intent::DEPLOYMENT_NOT_FOUND`. What belongs to one account goes to the backend `intent.stateful`; without one: 400,
//!    `intent::STATEFUL_REFUSED`. These answers have `Content-Type: application/json` and no header of ours; nothing is
//!    sent to any backend.
//! 7. *Limits*, of ordinary calls: `llm-token-limit` counts by the API's id, a colon and the caller: the subscription, or
//!    without one the client id of the Entra token, or without one the address. `by: pool` adds the pool. What is left and
//!    what was used stand in `x-aoai-lb-remaining-tokens` and `x-aoai-lb-consumed-tokens`. `llm-emit-token-metric` sends
//!    metrics with the dimensions of the spec; those of our own are the caller's address, the deployment's name as the
//!    caller said it, and the pool.
//! 8. *Secrets*: `Intent::deleted_headers` and `Intent::deleted_query` are deleted.
//! 9. *Token*: the gateway's identity gets a token for `intent.audience`, which becomes `Authorization`. A candidate with a
//!    key of its own gets that key instead, and no other member sees it: before each attempt the headers of all such keys
//!    are deleted, then either the key or our `Authorization` is set.
//! 10. *Round robin*: one turn a call: the count of turns in the internal cache, under the API's id and the pool, gives the
//!     first member (`intent::turns`: smooth, exact shares over a cycle), and goes up by one. It is kept a day.
//! 11. *Address*: the path is replaced by what rule 5 left; the query stays, except for rule 8.
//!
//! Backend, one attempt after another:
//!
//! 12. The attempt counter (from 0) goes up by one, and the clock of the attempt starts. The backend is set, for each
//!     attempt anew and once for each: whether a pool picks again for a bare second `forward-request` is disputed
//!     (facts/apim.md 2.2 j), and setting it twice for one attempt could turn the rotation twice. Under `pool` it is the
//!     pool. Under `round-robin` it is the member whose turn it is, and for each further attempt the next one in the
//!     pool's order, around and around. Under `smart` see rule 18. What belongs to one account, and a probe, has the one
//!     backend under every strategy.
//! 13. The request is forwarded with its body kept for a repetition, the answer streamed, with `retry.timeout` as
//!     time-out.
//! 14. The wait that an answer asks for (`intent::wait`) is noted; the *smallest known* wait of the call is kept. An
//!     attempt without an answer has no wait. The gateway's own 503 may come as an answer or as an error (facts/apim.md
//!     2.2 f): what an error's response asks for is noted where the error is the last word, in on-error.
//! 15. At most `retry.count` more attempts follow: after an answer with 408, 429, 499, 500, 502, 503 or 504, after a 409
//!     with a `Retry-After` (`Retry::repeats`), and after no answer if the attempt ended before the time-out
//!     (`Retry::timed_out`) or `retry.timeouts` is set (`Retry::repeats_silence`). Nothing else is repeated, and a probe
//!     never is. The gateway's own 503 of an exhausted pool is repeated like any other. Between attempts the gateway waits
//!     `retry.interval`; not before the second if `first_fast`. Retry-After is not waited for.
//! 16. Candidates of weight 0 get no calls, unless every weight of their priority is 0 (`intent::eligible`).
//! 17. The members stand in the text, not in the cache, so an edit counts from the next call on.
//! 18. *Smart*: who failed with a status of rule 15 (409 aside) is away as long as the answer asks (rule 14), or 10 s where
//!     it does not ask, and never longer than `maxRetryAfter` (`Intent::away`); who gave no answer is away for 10 s, from
//!     when the call is repeated on. The last attempt's silence sends nobody away: the caller may have hung up. An attempt
//!     goes to a member that is not away: of the lowest priority there is, by chance and weight. Who is away until when is
//!     kept in the internal cache under the API's id and the pool for as long as somebody is away, and is read again
//!     before every attempt and before every write; the cache is written behind the call's back, so what the call itself
//!     saw counts too. Two calls that write at one instant may lose a mark, which costs one refused attempt.
//! 19. If everybody is away, nobody is asked, no attempt follows, and the pool is exhausted. How long until the first is
//!     back counts as a known wait. (System (e) asked its first member in this case: a certain refusal, which a provisioned
//!     deployment counts against the caller.)
//!
//! Outbound and on-error, alike:
//!
//! 20. A probe's last answer passes as it is, but for rule 24. So does the gateway's own word, an error or the 503 of
//!     rule 21 (here: the backend's breaker is open), without any header of ours.
//! 21. Under `pool`, the last word was a 503 with neither `apim-request-id` nor `x-ms-region` (`intent::is_exhausted`; an
//!     assumption: the gateway does not say so): the pool is *exhausted*, as it is after rule 19. The caller gets
//!     `OnExhausted::answer`. An error without any response cannot be told from no answer: rule 22. Where the policy
//!     picks, such a 503 says no more than that one backend is tripped, or is no Azure OpenAI: rule 22 too.
//! 22. The last attempt had no answer, or one with 500, 502, 503 or 504: the caller gets 503, `intent::UNAVAILABLE`.
//!     Answers of 21 and 22 have `Content-Type: application/json`, `x-aoai-lb-attempts`, and `Retry-After` with the
//!     smallest known wait of the call (`OnExhausted::retry_after`: whole seconds, rounded up, at least 1, at most
//!     `maxRetryAfter`), or none where no wait is known. No header of a backend's goes with them.
//! 23. Anything else passes as the backend sent it, status, headers and body. Only where it asks to wait longer than
//!     `maxRetryAfter`, `Retry-After` becomes `maxRetryAfter` in whole seconds and `retry-after-ms` is deleted.
//! 24. An answer that passes (20, 23) carries `x-aoai-lb-served-by` (`HOST/DEPLOYMENT` of the backend's url, the host alone
//!     where the url has no deployment) and `x-aoai-lb-attempts`, whatever the backend sent under these names. An answer
//!     with a body of ours does not say who served it.
//! 25. What fails before the first attempt (no key, no such operation, no token) is the gateway's own answer, unchanged.
//!
//! The internal cache is named in the text (`caching-type`), so an external one is never used by chance. Consumption has
//! none: there `round-robin` and `smart` are refused by a rule of `spec`.
//!
//! The text is valid XML and valid `rawxml` at once: attributes that hold expressions stand in single quotes, expressions
//! are escaped and have no `//` and no character literal. Its C# is 7.0 and uses only the types that API Management allows
//! (facts/policy.md c). What does not depend on the intent's fields is short: on Consumption there is room for 16 KiB.
//!
//! Foreign policies are another matter: [`rules`] holds any document against what the service accepts, [`lint`] against
//! what goes wrong in hand-written ones.
//!
//! Deliberately absent: any match on a reason phrase; weights under `pool`, whose members are the pool's business; the
//! health of anybody who was not called; and a `traceparent` of our own. With W3C correlation the gateway makes one itself
//! and sends it to the backend, and one that the caller sent goes on; one from the policy would name a parent that nobody
//! records.

pub mod lint;
pub(crate) mod print;
pub mod rules;

mod context;
mod own;
mod product;
mod view;

pub use own::{problems, text};
pub use product::{product_intent, render_product};

use crate::policy_xml;
use crate::topology::{Intent, Strategy};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minijinja::Environment;
use print::environment;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::OnceLock;

/// The variable that carries the intent.
pub const MARKER: &str = "aoai-lb";

/// What stands before the encoded intent: the format's number.
const FORMAT: &str = "1.";

macro_rules! templates {
    ($($path:literal)*) => {
        &[$(($path, include_str!(concat!("../templates/policy/", $path)))),*]
    };
}

const TEMPLATES: &[(&str, &str)] = templates![
    "pool.xml.j2"
    "product.xml.j2"
    "round-robin.xml.j2"
    "smart.xml.j2"
    "parts/answer.xml.j2"
    "parts/auth.xml.j2"
    "parts/away.xml.j2"
    "parts/condition.xml.j2"
    "parts/entra.xml.j2"
    "parts/exhausted.xml.j2"
    "parts/forward.xml.j2"
    "parts/inbound.xml.j2"
    "parts/least.xml.j2"
    "parts/limits.xml.j2"
    "parts/members.xml.j2"
    "parts/rewrite.xml.j2"
    "parts/route.xml.j2"
    "parts/served-by.xml.j2"
    "parts/sign-in.xml.j2"
    "parts/wait.xml.j2"
];

fn engine() -> &'static Environment<'static> {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut engine = environment(TEMPLATES, print::printed);
        // for a part that stands in several depths
        engine.add_filter("deeper", print::deeper);
        engine
    })
}

fn rendered(template: &str, context: minijinja::Value) -> String {
    let template = engine().get_template(template).expect("our templates are there");
    template.render(context).unwrap_or_else(|error| panic!("our templates fit an intent: {error:#}"))
}

/// The policy that does what `intent` says.
pub fn render(intent: &Intent) -> String {
    let template = match intent.strategy {
        Strategy::Pool => "pool.xml.j2",
        Strategy::RoundRobin => "round-robin.xml.j2",
        Strategy::Smart => "smart.xml.j2",
    };
    rendered(template, context::of(intent))
}

/// The intent that a policy of ours carries; `None` for any other policy, and for one of a format of tomorrow.
pub fn intent(xml: &str) -> Option<Intent> {
    unmarked(xml)
}

fn marker(intent: &impl Serialize) -> String {
    let json = serde_json::to_vec(intent).expect("an intent is plain data");
    format!("{FORMAT}{}", URL_SAFE_NO_PAD.encode(json))
}

fn unmarked<T: DeserializeOwned>(xml: &str) -> Option<T> {
    let value = policy_xml::set_variable(xml, MARKER)?;
    let json = URL_SAFE_NO_PAD.decode(value.strip_prefix(FORMAT)?).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests;
