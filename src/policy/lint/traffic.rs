//! Pitfalls of what goes to the backend and what comes back.

use super::condition::{Truth, holds};
use super::view::{self, Value};
use super::{Policy, Site, problem};
use crate::diagnostic::{Diagnostic, Span, code};
use crate::policy_xml::csharp::{Kind, Token};

pub(super) fn check(policy: &Policy<'_>, out: &mut Vec<Diagnostic>) {
    let sites = policy.expressions();
    reason_phrase(&sites, out);
    retry_after(&sites, out);
    secrets(policy, out);
    buffering(policy, &sites, out);
    keys(policy, &sites, out);
    traceparent(policy, out);
    for at in policy.named("set-backend-service").filter(|at| policy.elements[*at].attribute("id").is_some()) {
        let span = policy.elements[at].attribute("id").map_or(policy.elements[at].span, |id| id.span);
        let message = "`id` of `<set-backend-service>` names no backend, it only labels the policy";
        out.push(problem(code::MEANINGLESS_ATTRIBUTE, span, message, "take it out; `backend-id` names the backend"));
    }
}

fn reason_phrase(sites: &[Site], out: &mut Vec<Diagnostic>) {
    for site in sites {
        let tokens = site.value.tokens();
        let reason = tokens.iter().enumerate().find(|(at, token)| token.is("StatusReason") && compared(tokens, *at));
        if let Some((_, token)) = reason {
            let message = "the condition hangs on a reason phrase, and its text changes without notice";
            let help = "test `context.Response.StatusCode` instead";
            out.push(problem(code::REASON_PHRASE, token.span, message, help));
        }
    }
}

/// Whether what ends with this token is compared with a text.
fn compared(tokens: &[Token], at: usize) -> bool {
    let equal = |token: &Token| token.is("==") || token.is("!=");
    let after = tokens.get(at + 1);
    let searched = after.is_some_and(|dot| dot.is(".") || dot.is("?."))
        && tokens.get(at + 2).is_some_and(|name| {
            ["Contains", "Equals", "StartsWith", "EndsWith", "IndexOf", "ToLower", "ToUpper"]
                .contains(&name.text.as_str())
        });
    // "text" == context.Response.StatusReason
    let turned = at.checked_sub(5).is_some_and(|before| equal(&tokens[before]));
    searched || turned || after.is_some_and(equal)
}

fn is_text(token: &Token, text: &str) -> bool {
    token.kind == Kind::Text && token.text.eq_ignore_ascii_case(text)
}

fn retry_after(sites: &[Site], out: &mut Vec<Diagnostic>) {
    let mut reads =
        sites.iter().filter(|site| site.says("Retry-After") && site.value.tokens().iter().any(|t| t.is("Response")));
    for site in reads.clone() {
        let tokens = site.value.tokens();
        for (at, _) in tokens.iter().enumerate() {
            let Some(span) = strict_parse(tokens, at) else { continue };
            let message = "a `Retry-After` that holds a date makes this throw";
            let help = "use `int.TryParse`, and read a date by `DateTimeOffset.TryParse`";
            out.push(problem(code::RETRY_AFTER_DATE, span, message, help));
        }
        let computes = tokens.iter().any(|token| token.is("AddSeconds") || token.is("FromSeconds"));
        let bounded = tokens.iter().any(|token| token.is("Min") || token.is("Clamp"));
        if let Some(read) = tokens.iter().find(|token| is_text(token, "Retry-After") && computes && !bounded) {
            let message =
                "a backend that asks for a day is left alone for a day: `Retry-After` has no upper limit here";
            out.push(problem(code::RETRY_AFTER_UNCAPPED, read.span, message, "bound it, by `Math.Min(..., 60)`"));
        }
    }
    let first = reads.next().filter(|_| !sites.iter().any(|site| site.says("retry-after-ms")));
    let read = first.and_then(|site| site.value.tokens().iter().find(|token| is_text(token, "Retry-After")));
    if let Some(read) = read {
        let message = "`retry-after-ms` is not read: provisioned deployments say there how long they are full";
        out.push(problem(
            code::RETRY_AFTER_MS,
            read.span,
            message,
            "read it first, and `Retry-After` where it is absent",
        ));
    }
}

/// `int.Parse(... "Retry-After" ...)`
fn strict_parse(tokens: &[Token], at: usize) -> Option<Span> {
    let words: Vec<&str> = tokens[at..].iter().take(4).map(|token| token.text.as_str()).collect();
    let [owner, ".", method, "("] = words.as_slice() else { return None };
    let strict = match *owner {
        "int" | "long" | "double" | "Int32" | "Int64" | "Double" => *method == "Parse",
        "Convert" => ["ToInt32", "ToInt64", "ToDouble"].contains(method),
        _ => false,
    };
    if !strict {
        return None;
    }
    let mut depth = 0usize;
    for token in &tokens[at + 3..] {
        depth += usize::from(token.is("("));
        if token.is(")") {
            depth -= 1;
            if depth == 0 {
                return None;
            }
        }
        if is_text(token, "Retry-After") {
            return Some(Span { start: tokens[at].span.start, end: tokens[at + 2].span.end });
        }
    }
    None
}

/// Whether a section of the document replaces or removes a header.
fn handles(policy: &Policy<'_>, name: &str) -> bool {
    policy.named("set-header").any(|at| {
        let header = policy.literal(at, "name").is_some_and(|header| header.trim().eq_ignore_ascii_case(name));
        let action = policy.value(at, "exists-action");
        let action = action.as_ref().and_then(Value::literal).unwrap_or("override");
        header
            && ["override", "delete"].contains(&action)
            && ["inbound", "backend"].contains(&policy.section(at).unwrap_or(""))
    })
}

fn secrets(policy: &Policy<'_>, out: &mut Vec<Diagnostic>) {
    let mut sets = policy.named("set-backend-service");
    let Some(set) = sets.find(|at| matches!(policy.section(*at), Some("inbound" | "backend"))) else { return };
    let mut left = Vec::new();
    let keys = ["api-key", "Ocp-Apim-Subscription-Key"];
    if !keys.iter().any(|key| handles(policy, key)) {
        left.extend(keys);
    }
    let identity = policy.named("authentication-managed-identity").any(|at| {
        policy.elements[at].attribute("output-token-variable-name").is_none()
            && policy.around(at, "send-request").is_none()
    });
    if !identity && !handles(policy, "Authorization") && policy.named("authentication-basic").next().is_none() {
        left.push("Authorization");
    }
    if left.is_empty() {
        return;
    }
    let names: Vec<String> = left.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("what the caller sent goes on to the backend: {}", names.join(", "));
    let help = format!("add `<set-header name=\"{}\" exists-action=\"delete\" />` to inbound", left[0]);
    let mut problem = problem(code::SECRETS_PASSED_ON, policy.elements[set].span, message, help);
    if left.contains(&"Authorization") {
        problem = problem.note("a backend whose own credentials set `Authorization` replaces the caller's");
    }
    out.push(problem);
}

fn buffering(policy: &Policy<'_>, sites: &[Site], out: &mut Vec<Diagnostic>) {
    for call in policy.named("forward-request") {
        let buffers = policy.literal(call, "buffer-response").as_deref().map(str::trim) != Some("false");
        if buffers {
            let message = "the answer is buffered: a stream reaches the caller in one piece at its end";
            let help = "add `buffer-response=\"false\"`";
            out.push(problem(code::BUFFERED_STREAM, policy.elements[call].span, message, help));
        }
    }
    // without one of these it is some other API's policy
    let calls = ["forward-request", "set-backend-service"].into_iter().any(|name| policy.named(name).next().is_some());
    let body = sites.iter().filter(|_| calls).find_map(|site| {
        if !["outbound", "backend"].contains(&policy.section(site.at).unwrap_or("")) || errors_only(policy, site.at) {
            return None;
        }
        let tokens = site.value.tokens();
        let mut windows = tokens.windows(5);
        windows.find(|w| w[0].is("context") && w[2].is("Response") && w[4].is("Body")).map(|w| w[4].span)
    });
    if let Some(span) = body {
        let message = "reading the body of the answer waits for its end: a stream is held back";
        let help = "read it only for statuses from 400 on, inside a `when`";
        out.push(problem(code::BUFFERED_STREAM, span, message, help));
    }
}

/// Whether an element runs only where the answer is not a success.
fn errors_only(policy: &Policy<'_>, at: usize) -> bool {
    policy.ancestors(at).filter(|outer| policy.elements[*outer].name == "when").any(|when| {
        let condition = policy.value(when, "condition");
        condition.is_some_and(|condition| holds(condition.tokens(), 200) == Truth::No)
    })
}

/// Headers and query parameters that carry a secret.
const SECRET_NAMES: [&str; 7] = [
    "api-key",
    "ocp-apim-subscription-key",
    "authorization",
    "x-api-key",
    "subscription-key",
    "x-functions-key",
    "code",
];

fn keys(policy: &Policy<'_>, sites: &[Site], out: &mut Vec<Diagnostic>) {
    let mut places: Vec<Span> = Vec::new();
    for (at, element) in policy.elements.iter().enumerate() {
        let carries = ["set-header", "set-query-parameter"].contains(&element.name.as_str())
            && policy
                .literal(at, "name")
                .is_some_and(|name| SECRET_NAMES.contains(&name.to_ascii_lowercase().as_str()));
        for value in element.children.iter().filter(|child| child.name == "value" && carries) {
            let Some((Value::Literal(text), span)) = view::content(policy.text, value) else { continue };
            let secret = text.trim().rsplit(' ').next().unwrap_or_default();
            if secret.len() >= 16 && !text.contains("{{") {
                places.push(span);
            }
        }
        for attribute in &element.attributes {
            let Value::Literal(text) = view::of(policy.text, attribute) else { continue };
            let password = attribute.name == "password" && !text.contains("{{") && !text.is_empty();
            if password || is_key(&text) {
                places.push(attribute.value);
            }
        }
        let content = view::content(policy.text, element);
        let key = content.filter(|(value, _)| value.literal().is_some_and(|text| is_key(text.trim())));
        places.extend(key.map(|(_, span)| span));
    }
    for site in sites {
        let strings = site.value.tokens().iter().filter(|token| token.kind == Kind::Text && is_key(&token.text));
        places.extend(strings.map(|token| token.span));
    }
    places.sort();
    places.dedup();
    for span in places {
        let message = "a key stands in the policy as it is";
        let help = "rotate it, and use the gateway's managed identity or a secret named value";
        out.push(problem(code::LITERAL_KEY, span, message, help));
    }
}

/// 32 hexadecimal digits: a key of Azure OpenAI or of an API Management subscription.
fn is_key(text: &str) -> bool {
    text.len() == 32
        && text.bytes().all(|b| b.is_ascii_hexdigit())
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

fn traceparent(policy: &Policy<'_>, out: &mut Vec<Diagnostic>) {
    for at in policy.named("set-header") {
        let named = policy.literal(at, "name").is_some_and(|name| name.trim().eq_ignore_ascii_case("traceparent"));
        for value in policy.elements[at].children.iter().filter(|_| named) {
            let Some((value, span)) = view::content(policy.text, value) else { continue };
            let wrong = match &value {
                Value::Literal(text) if text.contains("{{") => None,
                Value::Literal(text) => (!is_traceparent(text.trim())).then_some("is none"),
                Value::Expression(..) => malformed(value.tokens()),
                Value::Broken(_) => None,
            };
            if let Some(wrong) = wrong {
                let message = format!("the `traceparent` that is set here {wrong}: receivers ignore it");
                let help = "write 00, a dash, 32 hexadecimal digits, a dash, 16 that are not all zero, a dash, and 01";
                out.push(problem(code::MALFORMED_TRACEPARENT, span, message, help));
            }
        }
    }
}

/// `00-` 32 digits `-` 16 digits `-` 2 digits, neither id all zeros.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let hex = parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
    let ids = parts.iter().skip(1).take(2).all(|id| id.bytes().any(|b| b != b'0'));
    lengths == [2, 32, 16, 2] && hex && ids
}

/// What is wrong with an expression that puts a `traceparent` together.
fn malformed(tokens: &[Token]) -> Option<&'static str> {
    let first = tokens.iter().find(|token| token.kind == Kind::Text)?;
    if first.text.starts_with("00") && !first.text.starts_with("00-") {
        return Some("has no dash after its version");
    }
    if tokens.iter().any(|token| token.kind == Kind::Text && token.text.contains("0000000000000000")) {
        return Some("has a parent id of zeros");
    }
    let guid = tokens.iter().any(|token| token.is("NewGuid"));
    let plain = tokens.iter().any(|token| is_text(token, "N") || token.is("Replace"));
    (guid && !plain).then_some("has the dashes of a GUID in its trace id")
}
