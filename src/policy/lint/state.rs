//! Pitfalls of what a policy remembers: variables and the cache.

use super::view::Value;
use super::{Policy, problem};
use crate::diagnostic::{Diagnostic, Span, code};
use crate::policy_xml::csharp::{Form, Kind, Token};
use std::collections::BTreeSet;

pub(super) fn check(policy: &Policy<'_>, out: &mut Vec<Diagnostic>) {
    double_flip(policy, out);
    casts(policy, out);
    shared_keys(policy, out);
}

/// The key of a cache policy, as text that can be compared.
fn key(policy: &Policy<'_>, at: usize) -> Option<String> {
    let value = policy.value(at, "key")?;
    Some(match value.literal() {
        Some(literal) => literal.to_owned(),
        None => value.tokens().iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" "),
    })
}

/// A turn of a rotation: a backend is chosen and what is chosen next is stored, side by side.
fn turns<'a>(policy: &'a Policy<'_>, section: &'a str) -> impl Iterator<Item = (usize, String)> + 'a {
    let stores = (0..policy.elements.len()).filter(|at| policy.elements[*at].name == "cache-store-value");
    stores.filter_map(move |store| {
        let parent = policy.parents[store]?;
        let chooses = policy.elements[parent].children.iter().any(|child| child.name == "set-backend-service");
        (chooses && policy.section(store) == Some(section)).then(|| key(policy, store).map(|key| (store, key)))?
    })
}

fn double_flip(policy: &Policy<'_>, out: &mut Vec<Diagnostic>) {
    let first: BTreeSet<String> = turns(policy, "inbound").map(|(_, key)| key).collect();
    let again = turns(policy, "backend").find(|(at, key)| {
        first.contains(key)
            && policy.around(*at, "retry").is_some_and(|retry| {
                policy.named("forward-request").any(|call| policy.inside(call, retry) && *at < call)
            })
    });
    let Some((at, key)) = again else { return };
    let message = format!("the rotation `{key}` turns twice a request: in inbound, and before the first attempt");
    let help = "choose the backend in one place: in the retry alone, before `forward-request`";
    let note = "with two backends every first attempt then goes to the same one";
    out.push(problem(code::DOUBLE_FLIP, policy.elements[at].span, message, help).note(note));
}

/// What a variable holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    Int,
    Bool,
    Unknown,
}

impl Holds {
    const fn word(self) -> &'static str {
        match self {
            Holds::Text => "a string",
            Holds::Int => "an int",
            Holds::Bool => "a bool",
            Holds::Unknown => "something",
        }
    }
}

fn casts(policy: &Policy<'_>, out: &mut Vec<Diagnostic>) {
    let sets: Vec<(String, usize, Holds)> = policy
        .named("set-variable")
        .filter_map(|at| {
            let holds = policy.value(at, "value").map_or(Holds::Unknown, |value| holds(&value));
            Some((policy.literal(at, "name")?, at, holds))
        })
        .collect();
    for site in policy.expressions() {
        for (name, wanted, span) in cast_reads(site.value.tokens()) {
            let element = policy.elements[site.at];
            // the condition of a retry runs after what is inside
            let late = element.name == "retry" && site.attribute.as_deref() == Some("condition");
            let end = if late { site.at + element.descendants().len() } else { site.at };
            let last = sets.iter().rfind(|(variable, at, _)| *variable == name && *at < end);
            let Some((_, set, is)) = last else { continue };
            // inside a retry the next attempt sees what a later policy of this one set
            let again = policy.around(site.at, "retry").and_then(|retry| {
                sets.iter().rfind(|(variable, at, _)| *variable == name && policy.inside(*at, retry))
            });
            let fails = |is: Holds| is != Holds::Unknown && is != wanted;
            let (set, is) = match again {
                _ if fails(*is) => (*set, *is),
                Some((_, set, is)) if fails(*is) => (*set, *is),
                _ => continue,
            };
            let cast = if wanted == Holds::Text { "string" } else { wanted.word().rsplit(' ').next().unwrap_or("") };
            let message = format!("`({cast})` of the variable `{name}` fails: it holds {}", is.word());
            let line = policy.text[..policy.elements[set].span.start].matches('\n').count() + 1;
            let note = format!("line {line} sets it; the cast throws, and the caller gets a 500");
            let help = match wanted {
                Holds::Text => "use `Convert.ToString(...)` or `Convert.ToInt32(...)`, which take both",
                _ => "use `Convert.ToInt32(...)` or `Convert.ToBoolean(...)`, which take both",
            };
            out.push(problem(code::CAST_FAILS, span, message, help).note(note));
        }
    }
}

/// `(string)context.Variables["x"]` with what the cast needs.
fn cast_reads(tokens: &[Token]) -> Vec<(String, Holds, Span)> {
    let mut found = Vec::new();
    for window in tokens.windows(9) {
        let shape = ["(", "", ")", "context", ".", "Variables", "[", "", "]"];
        let fits = window.iter().zip(shape).all(|(token, text)| text.is_empty() || token.is(text));
        let wanted = match window[1].text.as_str() {
            "string" | "String" => Holds::Text,
            "int" | "Int32" => Holds::Int,
            "bool" | "Boolean" => Holds::Bool,
            _ => continue,
        };
        if fits && window[7].kind == Kind::Text {
            let span = Span { start: window[0].span.start, end: window[8].span.end };
            found.push((window[7].text.clone(), wanted, span));
        }
    }
    found
}

fn holds(value: &Value) -> Holds {
    let expression = match value {
        // a named value may hold an expression
        Value::Literal(text) if text.contains("{{") => return Holds::Unknown,
        Value::Literal(_) => return Holds::Text,
        Value::Broken(_) => return Holds::Unknown,
        Value::Expression(expression, _) => expression,
    };
    let tokens = &expression.tokens;
    if expression.form == Form::Single {
        return of(tokens, tokens);
    }
    let mut all = returns(tokens).into_iter().map(|returned| of(returned, tokens));
    let first = all.next().unwrap_or(Holds::Unknown);
    if all.all(|other| other == first) { first } else { Holds::Unknown }
}

/// What stands between each `return` and its `;`.
fn returns(tokens: &[Token]) -> Vec<&[Token]> {
    let starts = tokens.iter().enumerate().filter(|(_, token)| token.is("return")).map(|(at, _)| at + 1);
    let piece = |start: usize| {
        let rest = &tokens[start..];
        &rest[..rest.iter().position(|token| token.is(";")).unwrap_or(rest.len())]
    };
    starts.map(piece).collect()
}

/// What a single expression gives, where its first tokens and the marks between its parts say so.
fn of(tokens: &[Token], block: &[Token]) -> Holds {
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let outer = outer(tokens);
    let says = |text: &str| outer.iter().any(|token| token.is(text));
    let first = tokens.first();
    if ["?", "??", "=>"].into_iter().any(says) {
        return Holds::Unknown;
    }
    if ["==", "!=", "&&", "||", ">=", "<="].into_iter().any(says) || matches!(words.as_slice(), ["true" | "false"]) {
        return Holds::Bool;
    }
    // whatever is added to a string is one
    if outer.iter().any(|token| token.kind == Kind::Text) && outer.iter().all(|token| !token.is("[")) {
        let plain = outer.iter().all(|token| token.kind != Kind::Mark || token.is("+"));
        return if plain { Holds::Text } else { Holds::Unknown };
    }
    match words.as_slice() {
        ["string" | "String", ".", "Format" | "Join" | "Concat", ..] => return Holds::Text,
        [.., ".", "ToString", "(", ")"] => return Holds::Text,
        [number] if number.parse::<i32>().is_ok() && first.is_some_and(|t| t.kind == Kind::Number) => {
            return Holds::Int;
        }
        ["-", number] if number.parse::<i32>().is_ok() => return Holds::Int,
        [name] if first.is_some_and(|token| token.kind == Kind::Word) => return declared(name, block),
        _ => {}
    }
    let starts_as_int = matches!(
        words.as_slice(),
        ["int" | "Int32", ".", "Parse", "(", ..]
            | ["Convert", ".", "ToInt32", "(", ..]
            | ["(", "int" | "Int32", ")", ..]
    );
    let arithmetic = outer.iter().skip(1).all(|token| match token.kind {
        Kind::Mark => ["+", "-", "*", "%", ".", "(", ")", "[", "]"].contains(&token.text.as_str()),
        Kind::Number => token.text.parse::<i32>().is_ok(),
        _ => true,
    });
    if starts_as_int && arithmetic { Holds::Int } else { Holds::Unknown }
}

/// The tokens that stand in no bracket, and the brackets around the others.
fn outer(tokens: &[Token]) -> Vec<&Token> {
    let (mut depth, mut found) = (0usize, Vec::new());
    for token in tokens {
        let closes = [")", "]", "}"].into_iter().any(|mark| token.is(mark));
        depth = depth.saturating_sub(usize::from(closes));
        if depth == 0 {
            found.push(token);
        }
        depth += usize::from(["(", "[", "{"].into_iter().any(|mark| token.is(mark)));
    }
    found
}

/// What a local variable is declared as.
fn declared(name: &str, block: &[Token]) -> Holds {
    let declaration =
        block.windows(2).position(|pair| pair[1].is(name) && pair[0].kind == Kind::Word && !pair[0].is("return"));
    let Some(at) = declaration else { return Holds::Unknown };
    match block[at].text.as_str() {
        "int" | "Int32" => Holds::Int,
        "string" | "String" => Holds::Text,
        "bool" | "Boolean" => Holds::Bool,
        _ => Holds::Unknown,
    }
}

/// Constant keys of what decides about the backend: every API that has the policy shares them.
fn shared_keys(policy: &Policy<'_>, out: &mut Vec<Diagnostic>) {
    let deciding = deciding(policy);
    let mut said = BTreeSet::new();
    for at in policy.named("cache-lookup-value") {
        let Some(key) = policy.literal(at, "key").filter(|key| !key.contains("{{")) else { continue };
        let decides = policy.literal(at, "variable-name").is_some_and(|variable| deciding.contains(&variable));
        if decides && said.insert(key.clone()) {
            let message = format!("the cache key `{key}` is the same for every API of the gateway");
            let help = format!("make it the API's own: `key=\"@(&quot;{key}-&quot; + context.Api.Id)\"`");
            out.push(problem(code::SHARED_CACHE_KEY, policy.span(at, "key"), message, help));
        }
    }
}

/// The variables that the choice of a backend hangs on.
fn deciding(policy: &Policy<'_>) -> BTreeSet<String> {
    let names = |tokens: &[Token]| -> Vec<String> {
        tokens.iter().filter(|token| token.kind == Kind::Text).map(|token| token.text.clone()).collect()
    };
    let mut found = BTreeSet::new();
    let sites = policy.expressions();
    for site in &sites {
        let element = policy.elements[site.at];
        let chooses = element.name == "set-backend-service"
            || element.name == "when" && element.descendants().iter().any(|inner| inner.name == "set-backend-service");
        if chooses {
            found.extend(names(site.value.tokens()));
        }
    }
    loop {
        let before = found.len();
        for site in sites.iter().filter(|site| policy.elements[site.at].name == "set-variable") {
            if policy.literal(site.at, "name").is_some_and(|name| found.contains(&name)) {
                found.extend(names(site.value.tokens()));
            }
        }
        if found.len() == before {
            return found;
        }
    }
}
