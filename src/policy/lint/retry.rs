//! Pitfalls of `retry` around a call to a backend.

use super::condition::{Truth, holds};
use super::view::Value;
use super::{Policy, problem};
use crate::diagnostic::{Diagnostic, code};
use crate::policy_xml::csharp::{Form, Token};
use std::collections::BTreeSet;

pub(super) fn check(policy: &Policy<'_>, out: &mut Vec<Diagnostic>) {
    for retry in policy.named("retry") {
        let calls: Vec<usize> = policy.named("forward-request").filter(|call| policy.inside(*call, retry)).collect();
        if calls.is_empty() {
            continue;
        }
        condition(policy, retry, out);
        count(policy, retry, out);
        for call in calls {
            if policy.literal(call, "buffer-request-body").as_deref().map(str::trim) != Some("true") {
                let message = "a repeated request has no body: `buffer-request-body` is not \"true\"";
                let help = "add `buffer-request-body=\"true\"`";
                out.push(problem(code::BODY_LOST, policy.elements[call].span, message, help));
            }
        }
    }
}

fn condition(policy: &Policy<'_>, retry: usize, out: &mut Vec<Diagnostic>) {
    let Some(value) = policy.value(retry, "condition") else { return };
    let tokens = value.tokens();
    let span = policy.span(retry, "condition");
    if reads_response(tokens) && !guards_response(tokens) {
        let message = "the condition reads `context.Response`, which is null when the backend did not answer";
        let help = "test `context.Response != null` first, or read it by `?.`";
        out.push(problem(code::NULL_RESPONSE, span, message, help));
    }
    let Value::Expression(expression, _) = &value else { return };
    if expression.form == Form::Block || holds(tokens, 200) != Truth::No {
        return;
    }
    let client: Vec<u16> =
        [400, 401, 403, 404].into_iter().filter(|status| holds(tokens, *status) != Truth::No).collect();
    // a 401 alone is retried on purpose: the next backend may accept the identity
    if client.iter().any(|status| *status != 401) {
        let words: Vec<String> = client.iter().map(u16::to_string).collect();
        let message = format!("the caller's own mistakes are repeated: the condition holds for {}", words.join(", "));
        let help = "repeat 408, 429, 499 and 5xx only";
        out.push(problem(code::CLIENT_ERRORS_RETRIED, span, message, help));
    }
    if holds(tokens, 429) != Truth::No && holds(tokens, 503) == Truth::No {
        let message = "429 is repeated, 503 is not: an exhausted pool or an open breaker answers with 503";
        let help = "add `|| context.Response.StatusCode >= 500` to the condition";
        out.push(problem(code::UNAVAILABLE_NOT_RETRIED, span, message, help));
    }
}

/// Whether `context.Response` is read before anything that may tell whether there is one.
fn reads_response(tokens: &[Token]) -> bool {
    let read = tokens.windows(4).position(|w| w[0].is("context") && w[2].is("Response") && w[3].is("."));
    // a variable may say whether there was an answer
    read.is_some_and(|at| !tokens[..at].iter().any(|token| token.is("Variables")))
}

fn guards_response(tokens: &[Token]) -> bool {
    let compared = |pair: &[Token]| (pair[0].is("==") || pair[0].is("!=")) && pair[1].is("null");
    let turned = |pair: &[Token]| pair[0].is("null") && (pair[1].is("==") || pair[1].is("!="));
    tokens.windows(2).any(|pair| compared(pair) || turned(pair)) || tokens.iter().any(|token| token.is("?."))
}

fn count(policy: &Policy<'_>, retry: usize, out: &mut Vec<Diagnostic>) {
    let Some(count) = policy.literal(retry, "count").and_then(|count| count.trim().parse::<usize>().ok()) else {
        return;
    };
    let span = policy.span(retry, "count");
    let attempts = count.saturating_add(1);
    if count > 50 {
        return; // refused as it is
    }
    if count == 50 {
        let message = format!("one request may be sent {attempts} times");
        let help = "repeat as often as there are other backends, at most";
        out.push(problem(code::RETRY_COUNT, span, message, help));
        return;
    }
    let Some(members) = members(policy, retry).filter(|members| count >= *members) else { return };
    let message = format!("up to {attempts} attempts for {members} backends: some get the same request again");
    let help = format!("use `count=\"{}\"`", members.saturating_sub(1).max(1));
    if members > 1 || count > 1 {
        out.push(problem(code::RETRY_COUNT, span, message, help));
    }
}

/// How many backends the attempts go to, where the policy or its surroundings say so.
fn members(policy: &Policy<'_>, retry: usize) -> Option<usize> {
    let mut inside = BTreeSet::new();
    let mut all = BTreeSet::new();
    for set in policy.named("set-backend-service") {
        let literal = policy.literal(set, "backend-id").or_else(|| policy.literal(set, "base-url"));
        let name = literal?;
        if policy.inside(set, retry) {
            inside.insert(name.clone());
        }
        all.insert(name);
    }
    // several backends that the policy itself picks from
    if inside.len() > 1 {
        return Some(inside.len());
    }
    let mut only = all.into_iter();
    match (only.next(), only.next()) {
        (Some(pool), None) => policy.pools.get(&pool).copied(),
        _ => None,
    }
}
