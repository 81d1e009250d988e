//! The policy of an API: rendered from an [`Intent`](crate::topology::Intent), and recognised again.
//!
//! # What the policy does
//!
//! `exchange` is the twin of this text; both follow these numbered rules, and share texts and readings through
//! [`topology::intent`](crate::topology::intent).
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
//!     attempt without an answer has no wait.
//! 11. At most `retry.count` more attempts follow: after an answer with 408, 429, 499, 500, 502, 503 or 504, after a 409
//!     with a `Retry-After` (`Retry::repeats`), and after no answer if the attempt ended before the time-out or
//!     `retry.timeouts` is set (`Retry::repeats_silence`). Nothing else is repeated, and a probe never is. The gateway's
//!     own 503 of an exhausted pool is repeated like any other. Between attempts the gateway waits `retry.interval`; not
//!     before the second if `first_fast`. Retry-After is not waited for.
//!
//! Outbound and on-error, alike:
//!
//! 12. A probe's last answer passes as it is, but for rule 16.
//! 13. The last word was a 503 with neither `apim-request-id` nor `x-ms-region` (`intent::is_exhausted`; an assumption:
//!     the gateway does not say so): the pool is *exhausted*. The caller gets `OnExhausted::answer`.
//! 14. The last attempt had no answer, or one with 500, 502, 503 or 504: the caller gets 503, `intent::UNAVAILABLE`.
//!     Answers of 13 and 14 have `Content-Type: application/json`, `x-aoai-lb-attempts`, and `Retry-After` with the
//!     smallest known wait of the call (`OnExhausted::retry_after`: whole seconds, rounded up, at least 1, at most
//!     `maxRetryAfter`), or none where no wait is known. No header of a backend's goes with them.
//! 15. Anything else passes as the backend sent it, status, headers and body. Only where it asks to wait longer than
//!     `maxRetryAfter`, `Retry-After` becomes `maxRetryAfter` in whole seconds and `retry-after-ms` is deleted.
//! 16. Every answer that came from a backend carries `x-aoai-lb-served-by` (`HOST/DEPLOYMENT` of the backend's url, the
//!     host alone where the url has no deployment) and `x-aoai-lb-attempts`. An answer with a body of ours does not say
//!     who served it.
//! 17. What fails before the first attempt (no key, no such operation, no token) is the gateway's own answer, unchanged.

pub(crate) mod print;

use crate::topology::Intent;

/// The policy that does what `intent` says.
pub fn render(intent: &Intent) -> String {
    let _ = intent;
    String::new()
}
