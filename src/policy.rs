//! The policy of an API: rendered from an [`Intent`], and recognised again.
//!
//! # What the policy does
//!
//! `exchange` is the twin of this text; both follow these numbered rules, and share texts and readings through
//! [`topology::intent`](mod@intent).
//!
//! Inbound, in this order:
//!
//! 1. `<base />`, then our marker: a literal `set-variable` named `aoai-lb`, whose value is the format number 1, a dot and
//!    the base64url of the intent as JSON.
//! 2. *Probe*: a call with the subscription `intent.probe` (compared without case) and a non-empty header
//!    `x-aoai-lb-backend` is a probe of the backend that the header names. The name is taken as it stands. Any other
//!    call, with or without that header, is an ordinary one.
//! 3. *Path*: behind the API's own path the caller's path holds `/deployments/NAME` (the word without case, NAME percent
//!    decoded); what follows is what the backend is asked for, `/` where nothing follows (`intent::split_path`).
//! 4. *Route*: an ordinary call goes to the pool that the routes give for NAME (`Routes::pool`, without case). No NAME,
//!    for a probe too, or no route: 404, `intent::DEPLOYMENT_NOT_FOUND`, `Content-Type: application/json`, no header of
//!    ours; nothing is sent to any backend.
//! 5. *Secrets*: `Intent::deleted_headers` and `Intent::deleted_query` are deleted.
//! 6. *Token*: the gateway's identity gets a token for `intent.audience`, which becomes `Authorization`.
//! 7. *Backend*: the pool, or the probe's backend; the path is replaced by what rule 3 left; the query stays, except for
//!    rule 5.
//!
//! Backend, one attempt after another:
//!
//! 8. The attempt counter (from 0) goes up by one, and the clock of the attempt starts. From the second attempt on the
//!    backend is set anew: whether a pool picks again for a bare second `forward-request` is disputed (facts/apim.md 2.2
//!    j), setting it anew is correct under both readings. The first attempt uses what inbound set, because setting it
//!    twice could turn the rotation twice.
//! 9. The request is forwarded with its body kept for a repetition, the answer streamed, with `retry.timeout` as
//!    time-out.
//! 10. The wait that an answer asks for (`intent::wait`) is noted; the *smallest known* wait of the call is kept. An
//!     attempt without an answer has no wait. The gateway's own 503 may come as an answer or as an error (facts/apim.md
//!     2.2 f): what an error's response asks for is noted where the error is the last word, in on-error.
//! 11. At most `retry.count` more attempts follow: after an answer with 408, 429, 499, 500, 502, 503 or 504, after a 409
//!     with a `Retry-After` (`Retry::repeats`), and after no answer if the attempt ended before the time-out
//!     (`Retry::timed_out`) or `retry.timeouts` is set (`Retry::repeats_silence`). Nothing else is repeated, and a probe never is. The gateway's
//!     own 503 of an exhausted pool is repeated like any other. Between attempts the gateway waits `retry.interval`; not
//!     before the second if `first_fast`. Retry-After is not waited for.
//!
//! Outbound and on-error, alike:
//!
//! 12. A probe's last answer passes as it is, but for rule 16. So does the gateway's own word, an error or the 503 of
//!     rule 13 (here: the backend's breaker is open), without any header of ours.
//! 13. The last word was a 503 with neither `apim-request-id` nor `x-ms-region` (`intent::is_exhausted`; an assumption:
//!     the gateway does not say so): the pool is *exhausted*. The caller gets `OnExhausted::answer`. An error without
//!     any response cannot be told from no answer: rule 14.
//! 14. The last attempt had no answer, or one with 500, 502, 503 or 504: the caller gets 503, `intent::UNAVAILABLE`.
//!     Answers of 13 and 14 have `Content-Type: application/json`, `x-aoai-lb-attempts`, and `Retry-After` with the
//!     smallest known wait of the call (`OnExhausted::retry_after`: whole seconds, rounded up, at least 1, at most
//!     `maxRetryAfter`), or none where no wait is known. No header of a backend's goes with them.
//! 15. Anything else passes as the backend sent it, status, headers and body. Only where it asks to wait longer than
//!     `maxRetryAfter`, `Retry-After` becomes `maxRetryAfter` in whole seconds and `retry-after-ms` is deleted.
//! 16. An answer that passes (12, 15) carries `x-aoai-lb-served-by` (`HOST/DEPLOYMENT` of the backend's url, the host alone
//!     where the url has no deployment) and `x-aoai-lb-attempts`, whatever the backend sent under these names. An answer
//!     with a body of ours does not say who served it.
//! 17. What fails before the first attempt (no key, no such operation, no token) is the gateway's own answer, unchanged.
//!
//! The text is valid XML and valid `rawxml` at once: attributes that hold expressions stand in single quotes, expressions
//! are escaped and have no `//` and no character literal. Its C# is 7.0 and uses only the types that API Management allows
//! (facts/policy.md c).
//!
//! Deliberately absent: any match on a reason phrase, any look into a body, and weights: which member a pool picks is the
//! pool's business.

pub(crate) mod print;

mod context;
mod own;
mod product;

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
    ENGINE.get_or_init(|| environment(TEMPLATES, print::printed))
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
