//! What the templates of an API's policy see.

use super::marker;
use super::print::{code, csharp, named_value, named_value_attribute, numbers, strings, xml, xml_attribute, xml_text};
use crate::topology::intent::{self, Answer, Candidate, LimitBy, Metrics, eligible};
use crate::topology::{Intent, Routes, Strategy, defaults};
use minijinja::{Value, context};
use serde_json::json;

/// Everything that a template may use, for one intent.
pub(super) fn of(intent: &Intent) -> Value {
    let (retry, exhausted) = (&intent.retry, &intent.on_exhausted);
    let statuses = |statuses: &mut dyn Iterator<Item = u16>| numbers(statuses.map(u64::from));
    let attributes = |texts: Vec<&str>| texts.into_iter().map(xml_attribute).collect::<Vec<_>>();
    let milliseconds = |duration: crate::time::Duration| duration.0 / 1_000_000;
    let rest = context! {
        retry => context! {
            count => retry.count,
            interval => retry.interval.secs_ceil(),
            first_fast => retry.first_fast,
            timeout => retry.timeout.secs_ceil().max(1),
            timed_out => milliseconds(retry.timed_out()),
            timeouts => retry.timeouts,
            statuses => statuses(&mut defaults::FAILURES.iter().flat_map(|range| range.min..=range.max)),
            longest => intent::LONGEST_WAIT_SECS,
        },
        exhausted => answer(&exhausted.answer()),
        unavailable => answer(&intent::UNAVAILABLE),
        not_found => answer(&intent::DEPLOYMENT_NOT_FOUND),
        stateful_refused => answer(&intent::STATEFUL_REFUSED),
        unavailable_statuses => statuses(&mut intent::UNAVAILABLE_STATUSES.into_iter()),
        backend_headers => intent::BACKEND_HEADERS.iter().copied().map(csharp).collect::<Vec<_>>(),
        max_retry_after => exhausted.max_retry_after.secs_ceil(),
        away => milliseconds(intent.away(None)),
        turns_kept => intent::TURNS_KEPT.secs_ceil(),
        headers => context! {
            served_by => xml_attribute(intent::SERVED_BY_HEADER),
            attempts => xml_attribute(intent::ATTEMPTS_HEADER),
            remaining => xml_attribute(intent::REMAINING_HEADER),
            consumed => xml_attribute(intent::CONSUMED_HEADER),
        },
        content_type => xml(intent::CONTENT_TYPE),
    };
    let mut credential_headers: Vec<&str> = intent.credentials().map(|(_, key)| key.header.as_str()).collect();
    credential_headers.sort_unstable();
    credential_headers.dedup();
    let credential = |(backend, key): (&str, &intent::CandidateKey)| {
        context! {
            backend => csharp(backend),
            header => xml_attribute(&key.header),
            value => named_value(&key.named_value),
        }
    };
    let entra = intent.entra.as_ref().map(|entra| {
        let texts = |texts: &[String]| texts.iter().map(|text| xml_text(text)).collect::<Vec<_>>();
        context! {
            tenant => xml_attribute(&entra.tenant),
            audiences => texts(&entra.audiences),
            applications => texts(&entra.applications),
        }
    });
    let pool = |(name, candidates): (&String, &Vec<Candidate>)| {
        context! { name => csharp(name), members => csharp(&members(intent.strategy, candidates)) }
    };
    let own = context! {
        marker => xml_attribute(&marker(intent)),
        probe => context! { subscription => csharp(&intent.probe), header => csharp(intent::PROBE_HEADER) },
        deployments => routes(&intent.routes),
        v1 => intent.v1.as_ref().map(routes),
        balanced => strings(&intent::BALANCED),
        kept => csharp(intent::KEPT),
        kept_before => strings(&intent::KEPT_BEFORE),
        stateful => intent.stateful.as_deref().map(csharp),
        picks => intent.strategy != Strategy::Pool,
        pools => intent.pools.iter().map(pool).collect::<Vec<_>>(),
        // the two keep different things
        state_key => csharp(&format!("aoai-lb-{}:", intent.strategy.word())),
        entra,
        token_limit => intent.token_limit.as_ref().map(limit),
        metrics => intent.metrics.as_ref().map(metrics),
        deleted_headers => attributes(intent.deleted_headers()),
        deleted_query => attributes(intent.deleted_query()),
        credentials => intent.credentials().map(credential).collect::<Vec<_>>(),
        credential_headers => attributes(credential_headers),
        audience => xml_attribute(&intent.audience),
        client_id => intent.client_id.as_deref().map(named_value_attribute),
    };
    context! { ..own, ..rest }
}

/// What the policy picks from, as JSON: by name priority and weight, or names and turns.
fn members(strategy: Strategy, candidates: &[Candidate]) -> String {
    let eligible = eligible(candidates);
    let json = if strategy == Strategy::RoundRobin {
        let names: Vec<&str> = eligible.iter().map(|candidate| candidate.backend.as_str()).collect();
        json!({ "names": names, "turns": intent::turns(&eligible) })
    } else {
        let member = |c: &Candidate| (c.backend.clone(), json!([c.priority, c.weight]));
        serde_json::Value::Object(eligible.iter().map(member).collect())
    };
    json.to_string()
}

fn routes(routes: &Routes) -> Value {
    match routes {
        Routes::All(pool) => context! { routes => Vec::<Value>::new(), pool => csharp(pool) },
        Routes::ByName(routes) => {
            let route = |(name, pool): (&String, &String)| context! { name => csharp(name), pool => csharp(pool) };
            context! { routes => routes.iter().map(route).collect::<Vec<_>>(), pool => csharp("") }
        }
    }
}

pub(super) fn limit(limit: &intent::TokenLimit) -> Value {
    context! {
        tokens_per_minute => limit.tokens_per_minute,
        estimate_prompt => limit.estimate_prompt,
        by_pool => limit.by == LimitBy::Pool,
    }
}

fn metrics(metrics: &Metrics) -> Value {
    let dimension = |name: &String| {
        let mut values = defaults::CUSTOM_DIMENSIONS.iter().zip(VALUES);
        let value = values.find(|(known, _)| *known == name).map(|(_, value)| code(value));
        context! { name => xml_attribute(name), value }
    };
    context! {
        namespace => xml_attribute(&metrics.namespace),
        dimensions => metrics.dimensions.iter().map(dimension).collect::<Vec<_>>(),
    }
}

/// What [`defaults::CUSTOM_DIMENSIONS`] stand for, in their order, as C# inside XML.
const VALUES: [&str; defaults::CUSTOM_DIMENSIONS.len()] = [
    "context.Request.IpAddress",
    r#"((string)context.Variables["aoai-lb-call"]).Substring(((string)context.Variables["aoai-lb-call"]).IndexOf(":", StringComparison.Ordinal) + 1)"#,
    r#"(string)context.Variables["aoai-lb-backend"]"#,
];

fn answer(answer: &Answer) -> Value {
    context! {
        status => answer.status,
        reason => csharp(answer.reason),
        phrase => xml_attribute(answer.reason),
        body => csharp(answer.body),
    }
}
