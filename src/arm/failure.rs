//! Error bodies: every shape that Azure answers with, walked to the leaves.
//!
//! The cause of a failed deployment stands at the bottom of a tree whose branches are objects, JSON inside strings, and
//! JSON inside those. [`leaves`] unwraps them all. A leaf that only repeats its parent with a stack trace behind it is
//! no better than the parent, so the parent is taken.

use crate::time::Duration;
use crate::wire::{Method, Response};
use serde_json::Value;

/// How deep a tree is walked; real ones are at most seven deep.
const DEPTH: usize = 24;
/// How many leaves are kept.
const LEAVES: usize = 50;

/// One cause, as Azure says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Azure's code, `InsufficientQuota`; empty where it gave none.
    pub code: String,
    /// What Azure said, one line.
    pub message: String,
    /// What it is about: an ARM id or the name of a property.
    pub target: Option<String>,
    /// The status of the answer, 0 where it came inside an operation's result.
    pub status: u16,
    /// The id by which Azure's support finds the request.
    pub request: Option<String>,
}

/// The causes in an answer, at least one.
pub fn failures(response: &Response) -> Vec<Failure> {
    let text = String::from_utf8_lossy(&response.body);
    let mut found = match response.value() {
        Some(value) => leaves(&value),
        None => Vec::new(),
    };
    if found.is_empty() {
        found.push(Failure { message: plain(&text), ..Failure::default() });
    }
    let request = ["x-ms-correlation-request-id", "x-ms-request-id"]
        .into_iter()
        .find_map(|name| response.headers.get(name))
        .map(str::to_owned);
    for failure in &mut found {
        failure.status = response.status;
        failure.request.clone_from(&request);
        if failure.message.is_empty() {
            failure.message = format!("Azure answered {} and did not say why", response.status);
        }
    }
    found
}

/// The leaves of an error tree, in the order in which they stand; none where there is no error in it.
pub fn leaves(value: &Value) -> Vec<Failure> {
    let mut found = Vec::new();
    walk(value, None, DEPTH, &mut found);
    let mut unique: Vec<Failure> = Vec::new();
    for failure in found {
        if !unique.iter().any(|seen| seen.code == failure.code && seen.message == failure.message) {
            unique.push(failure);
        }
    }
    unique.truncate(LEAVES);
    unique
}

/// Adds the leaves below `node`.
fn walk(node: &Value, target: Option<&str>, depth: usize, found: &mut Vec<Failure>) {
    if depth == 0 || found.len() >= LEAVES {
        return;
    }
    let Value::Object(_) = node else { return };
    if let Some(inner) = member(node, "error").filter(|inner| inner.is_object()) {
        return walk(inner, target, depth - 1, found);
    }
    let message = text(node, "message");
    let own = text(node, "target");
    let target = if own.is_empty() { target } else { Some(own) };
    let mut below = Vec::new();
    if let Some(inner) = embedded(message) {
        walk(&inner, target, depth - 1, &mut below);
    }
    for name in ["details", "errors"] {
        if let Some(Value::Array(details)) = member(node, name) {
            details.iter().for_each(|detail| walk(detail, target, depth - 1, &mut below));
        }
    }
    let code = text(node, "code");
    // a piece of a sentence that was cut into details is no cause of its own
    below.retain(|leaf| {
        let whole = !leaf.message.is_empty() && (!leaf.code.is_empty() || code.is_empty());
        whole || (leaf.message.is_empty() && !leaf.code.eq_ignore_ascii_case(code))
    });
    let repeats = |leaf: &Failure| message.len() > 8 && leaf.message.contains(plain(message).as_str());
    if below.is_empty() || below.iter().all(repeats) {
        if !code.is_empty() || !message.is_empty() {
            found.push(Failure {
                code: code.to_owned(),
                message: plain(message),
                target: target.map(str::to_owned),
                ..Failure::default()
            });
        }
    } else {
        found.append(&mut below);
    }
}

/// A member by name, `Code` like `code`.
fn member<'a>(node: &'a Value, name: &str) -> Option<&'a Value> {
    node.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn text<'a>(node: &'a Value, name: &str) -> &'a str {
    member(node, name).and_then(Value::as_str).unwrap_or_default()
}

/// The JSON document that a message is.
fn embedded(message: &str) -> Option<Value> {
    let message = message.trim();
    if message.starts_with('{') { serde_json::from_str(message).ok() } else { None }
}

/// One line for a person: an HTML page becomes its title, a stack trace ends where it begins, blanks are joined.
fn plain(text: &str) -> String {
    let text = match text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")) {
        Some((title, _)) => title,
        None => text,
    };
    let text = text.split("\n   at ").next().unwrap_or(text);
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match joined.char_indices().nth(2000) {
        Some((end, _)) => format!("{}...", &joined[..end]),
        None => joined,
    }
}

/// Codes of conflicts that pass by themselves (facts: arm-wire 3).
const TRANSIENT: [&str; 8] = [
    "ServiceLocked",
    "AnotherOperationInProgress",
    "RequestConflict",
    "Conflict",
    "ResourceGroupBeingDeleted",
    "PessimisticConcurrencyConflict",
    "OperationInProgress",
    "RetryableError",
];

/// Whether the same request may succeed a little later.
pub fn retryable(response: &Response) -> bool {
    let known = |codes: &[&str]| {
        failures(response).iter().any(|failure| codes.iter().any(|code| code.eq_ignore_ascii_case(&failure.code)))
    };
    match response.status {
        408 | 429 | 500 | 502 | 503 | 504 => true,
        409 | 422 => known(&TRANSIENT),
        // a new identity is not known everywhere at once
        400 => known(&["PrincipalNotFound"]),
        _ => false,
    }
}

/// How often a request is sent again. Conflicts last as long as the operation that holds the lock.
pub fn retries(response: &Response, method: Method) -> u32 {
    match response.status {
        _ if !retryable(response) => 0,
        400 | 409 | 422 => 40,
        429 => 20,
        _ if method.writes() => 4,
        _ => 6,
    }
}

/// The longest wait that an answer can ask for.
const LONGEST: Duration = Duration::from_secs(1800);

/// How long an answer asks to wait: its header, or on a 429 the number in its text.
pub fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = match response.headers.get("Retry-After").and_then(|value| value.trim().parse::<u64>().ok()) {
        Some(seconds) => seconds,
        None if response.status == 429 => {
            let text = String::from_utf8_lossy(&response.body);
            let (_, rest) = text.split_once("try again after '")?;
            rest.split('\'').next()?.parse().ok()?
        }
        None => return None,
    };
    Some(Duration::from_secs(seconds).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pairs(value: &Value) -> Vec<(String, String)> {
        leaves(value).into_iter().map(|leaf| (leaf.code, leaf.message)).collect()
    }

    fn one(code: &str, message: &str) -> Vec<(String, String)> {
        vec![(code.into(), message.into())]
    }

    #[test]
    fn every_wrapping_gives_the_leaf() {
        let leaf = json!({"code": "QuotaExceeded", "message": "no more"});
        let inside = json!({"error": leaf}).to_string();
        let twice = json!({"status": "Failed", "error": {"code": "X", "message": "y", "details": [{"code": "BadRequest", "message": inside}]}});
        let shapes = [
            leaf.clone(),
            json!({"error": leaf}),
            json!({"Code": "QuotaExceeded", "Message": "no more", "Target": null, "Details": [{"Message": "no more"}, {"Code": "QuotaExceeded"}]}),
            json!({"status": "Failed", "error": leaf, "id": "/x"}),
            json!({"error": {"code": "InvalidTemplateDeployment", "message": "see inside", "details": [leaf], "innerError": null}}),
            json!({"error": {"code": "DeploymentFailed", "message": "At least one", "details": [{"code": "Conflict", "message": twice.to_string()}]}}),
        ];
        for shape in shapes {
            assert_eq!(pairs(&shape), one("QuotaExceeded", "no more"), "{shape}");
        }
    }

    #[test]
    fn leaves_keep_order_and_inherit_the_target() {
        let tree = json!({"error": {"code": "ValidationError", "message": "One or more fields", "target": "b", "details": [
            {"code": "ValidationError", "target": "url", "message": "Url is not supported"},
            {"code": "ValidationError", "message": "Protocol is not supported"},
        ]}});
        let targets: Vec<_> = leaves(&tree).into_iter().map(|leaf| (leaf.message, leaf.target)).collect();
        assert_eq!(
            targets,
            [
                ("Url is not supported".to_owned(), Some("url".to_owned())),
                ("Protocol is not supported".to_owned(), Some("b".to_owned())),
            ]
        );
    }

    #[test]
    fn a_stack_trace_is_no_better_cause() {
        let trace = "Wrp.Exception: location is not supported.\r\n   at A.B()\r\n   at C.D()";
        let tree = json!({"error": {"code": "UnsupportedProperty", "message": "location is not supported.",
            "details": [{"code": "Exception", "message": trace}]}});
        assert_eq!(pairs(&tree), one("UnsupportedProperty", "location is not supported."));
    }

    #[test]
    fn text_pages_and_silence_have_a_message() {
        let answer = |status, body: &str| Response { body: body.into(), ..Response::empty(status) };
        let first = |response: &Response| failures(response).remove(0).message;
        assert_eq!(
            first(&answer(503, "<html><head><title>502 Bad\r\n Gateway</title></head></html>")),
            "502 Bad Gateway"
        );
        assert_eq!(first(&answer(403, "Forbidden")), "Forbidden");
        assert_eq!(first(&answer(503, "")), "Azure answered 503 and did not say why");
        assert_eq!(first(&answer(404, "null")), "null");
        let deep = "[".repeat(5000);
        assert!(!first(&answer(400, &deep)).is_empty());
    }

    #[test]
    fn what_is_tried_again() {
        let answer = |status, code: &str| Response::json(status, &json!({"error": {"code": code, "message": "m"}}));
        for (status, code, expected) in [
            (429, "429", true),
            (503, "", true),
            (409, "ServiceLocked", true),
            (409, "RequestConflict", true),
            (409, "ServiceAlreadyExistsInSoftDeletedState", false),
            (409, "RoleAssignmentExists", false),
            (409, "FlagMustBeSetForRestore", false),
            (400, "PrincipalNotFound", true),
            (400, "InvalidTemplate", false),
            (422, "ManagementApiRequestFailed", false),
            (412, "PreconditionFailed", false),
            (404, "NotFound", false),
        ] {
            let response = answer(status, code);
            assert_eq!(retryable(&response), expected, "{status} {code}");
            assert_eq!(retries(&response, Method::Put) > 0, expected, "{status} {code}");
        }
    }

    #[test]
    fn waits_come_from_the_header_or_the_text() {
        let throttled = json!({"error": {"code": "SubscriptionRequestsThrottled", "message": "Please try again after '6' seconds."}});
        assert_eq!(retry_after(&Response::json(429, &throttled)), Some(Duration::from_secs(6)));
        assert_eq!(retry_after(&Response::json(409, &throttled)), None);
        assert_eq!(retry_after(&Response::empty(202).header("retry-after", "20")), Some(Duration::from_secs(20)));
        assert_eq!(retry_after(&Response::empty(202).header("retry-after", "soon")), None);
        assert_eq!(retry_after(&Response::empty(202).header("retry-after", u64::MAX.to_string())), Some(LONGEST));
    }

    proptest::proptest! {
        #[test]
        fn no_body_panics(body in ".{0,200}", status in 100u16..600) {
            let response = Response { body: body.into_bytes(), ..Response::empty(status) };
            proptest::prop_assert!(!failures(&response).is_empty());
            let _ = (retryable(&response), retry_after(&response));
        }
    }
}
