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
//! Foreign policies are another matter: [`rules`] holds any document against what the service accepts, [`lint`] against
//! what goes wrong in hand-written ones.
//!
//! Deliberately absent: any match on a reason phrase, any look into a body, and weights: which member a pool picks is the
//! pool's business.

pub mod lint;
pub(crate) mod print;
mod product;
pub mod rules;
mod view;

pub use product::render_product;

use crate::policy_xml;
use crate::topology::intent::{self, Answer};
use crate::topology::{Intent, Routes, defaults};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minijinja::{Environment, Value, context};
use print::{csharp, environment, xml, xml_attribute};
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
    "parts/auth.xml.j2"
    "parts/exhausted.xml.j2"
    "parts/retry.xml.j2"
    "parts/route.xml.j2"
    "parts/served-by.xml.j2"
    "parts/wait.xml.j2"
];

/// The policy that does what `intent` says.
pub fn render(intent: &Intent) -> String {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| environment(TEMPLATES, print::printed));
    let template = engine.get_template("pool.xml.j2").expect("our templates are there");
    template.render(context_of(intent)).unwrap_or_else(|error| panic!("our templates fit an intent: {error:#}"))
}

/// The intent that a policy of ours carries; `None` for any other policy, and for one of a format of tomorrow.
pub fn intent(xml: &str) -> Option<Intent> {
    let value = policy_xml::set_variable(xml, MARKER)?;
    let json = URL_SAFE_NO_PAD.decode(value.strip_prefix(FORMAT)?).ok()?;
    serde_json::from_slice(&json).ok()
}

fn marker(intent: &Intent) -> String {
    let json = serde_json::to_vec(intent).expect("an intent is plain data");
    format!("{FORMAT}{}", URL_SAFE_NO_PAD.encode(json))
}

/// What the templates see.
fn context_of(intent: &Intent) -> Value {
    let (retry, exhausted) = (&intent.retry, &intent.on_exhausted);
    let statuses = |statuses: &mut dyn Iterator<Item = u16>| print::numbers(statuses.map(u64::from));
    let (pool, routes) = match &intent.routes {
        Routes::All(pool) => (Some(csharp(pool)), Vec::new()),
        Routes::ByName(routes) => {
            let route = |(name, pool): (&String, &String)| context! { name => csharp(name), pool => csharp(pool) };
            (None, routes.iter().map(route).collect())
        }
    };
    context! {
        marker => xml_attribute(&marker(intent)),
        probe => context! { subscription => csharp(&intent.probe), header => csharp(intent::PROBE_HEADER) },
        routes,
        pool,
        not_found => answer(&intent::DEPLOYMENT_NOT_FOUND),
        deleted_headers => intent.deleted_headers().into_iter().map(xml_attribute).collect::<Vec<_>>(),
        deleted_query => intent.deleted_query().into_iter().map(xml_attribute).collect::<Vec<_>>(),
        audience => xml_attribute(&intent.audience),
        retry => context! {
            count => retry.count,
            interval => retry.interval.secs_ceil(),
            first_fast => retry.first_fast,
            timeout => retry.timeout.secs_ceil().max(1),
            timed_out => retry.timed_out().0 / 1_000_000,
            timeouts => retry.timeouts,
            statuses => statuses(&mut defaults::FAILURES.iter().flat_map(|range| range.min..=range.max)),
            longest => intent::LONGEST_WAIT_SECS,
        },
        exhausted => answer(&exhausted.answer()),
        unavailable => answer(&intent::UNAVAILABLE),
        unavailable_statuses => statuses(&mut intent::UNAVAILABLE_STATUSES.into_iter()),
        backend_headers => intent::BACKEND_HEADERS.iter().copied().map(csharp).collect::<Vec<_>>(),
        max_retry_after => exhausted.max_retry_after.secs_ceil(),
        headers => context! {
            served_by => xml_attribute(intent::SERVED_BY_HEADER),
            attempts => xml_attribute(intent::ATTEMPTS_HEADER),
        },
        content_type => xml(intent::CONTENT_TYPE),
    }
}

fn answer(answer: &Answer) -> Value {
    context! { status => answer.status, reason => csharp(answer.reason), body => csharp(answer.body) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Duration;
    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngSeed};
    use std::collections::BTreeMap;

    /// The same cases every time, unless the nightly run asks for many new ones.
    fn cases(cases: u32) -> Config {
        match std::env::var_os("AOAI_LB_NIGHTLY") {
            None => Config { cases, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() },
            Some(_) => Config { cases: cases * 100, failure_persistence: None, ..Config::default() },
        }
    }

    fn plain() -> Intent {
        Intent::new(Routes::ByName(BTreeMap::from([("gpt-4.1".into(), "pool-41".into())])))
    }

    /// Every text that an intent can hold, and every number.
    fn intents() -> impl Strategy<Value = Intent> {
        let text = || {
            prop_oneof!["[a-z0-9.-]{1,12}", "['\"<>&@(){}/\\\\\n\t$\u{0}-\u{1f}\u{85}\u{2028}ü]{0,12}", any::<String>(),]
        };
        let routes = prop_oneof![
            text().prop_map(Routes::All),
            prop::collection::btree_map(text(), text(), 0..5).prop_map(Routes::ByName),
        ];
        let retry = (0..51u32, 0..99u64, any::<bool>(), 1..999u64, any::<bool>()).prop_map(
            |(count, interval, first_fast, timeout, timeouts)| crate::topology::Retry {
                count,
                interval: Duration::from_secs(interval),
                first_fast,
                timeout: Duration::from_secs(timeout),
                timeouts,
            },
        );
        let exhausted = (prop_oneof![Just(429u16), Just(503u16)], 1..100_000u64)
            .prop_map(|(status, s)| crate::topology::OnExhausted { status, max_retry_after: Duration::from_secs(s) });
        (routes, text(), text(), text(), retry, exhausted, text()).prop_map(
            |(routes, header, query, audience, retry, on_exhausted, probe)| Intent {
                routes,
                keys: Some(crate::topology::KeyNames { header, query }),
                audience,
                retry,
                on_exhausted,
                probe,
                ..plain()
            },
        )
    }

    /// Every C# string literal of a policy, decoded as C# does, in order.
    fn string_literals(code: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut rest = code;
        while let Some(start) = rest.find('"') {
            let body = &rest[start + 1..];
            let escaped = |at: usize| body[..at].chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
            let mut quotes = body.match_indices('"').map(|(at, _)| at);
            let end = quotes.find(|at| !escaped(*at)).expect("a literal ends");
            let mut units = Vec::new();
            let mut chars = body[..end].chars();
            while let Some(c) = chars.next() {
                match c {
                    '\\' => match chars.next() {
                        Some('u') => {
                            let digits: String = chars.by_ref().take(4).collect();
                            units.push(u16::from_str_radix(&digits, 16).expect("four digits"));
                        }
                        Some(c @ ('"' | '\\')) => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
                        other => panic!("escape {other:?}"),
                    },
                    c => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
                }
            }
            found.push(String::from_utf16(&units).expect("whole characters"));
            rest = &body[end + 1..];
        }
        found
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn the_intent_is_read_back(intent in intents()) {
            prop_assert_eq!(super::intent(&render(&intent)), Some(intent));
        }

        #[test]
        fn every_text_stands_in_its_place(intent in intents()) {
            let document = policy_xml::parse(&render(&intent)).expect("XML");
            let all = document.root.descendants();
            let variable = |name: &str| {
                let found = all.iter().find(|e| e.name == "set-variable" && e.attribute("name") == Some(name));
                string_literals(found.and_then(|e| e.attribute("value")).expect("a value"))
            };
            let literal = |value: &str| match value.strip_prefix("@(") {
                Some(code) => string_literals(code).concat(),
                None => value.to_owned(),
            };
            let routes = variable("aoai-lb-backend");
            match &intent.routes {
                Routes::All(pool) => prop_assert!(routes.contains(pool)),
                Routes::ByName(map) => for (name, pool) in map {
                    prop_assert!(routes.windows(2).any(|pair| pair == [name.clone(), pool.clone()]), "{name:?} {routes:?}");
                }
            }
            prop_assert!(variable("aoai-lb-probe").contains(&intent.probe));
            let deleted = |kind: &str| -> Vec<String> {
                let kind = all.iter().filter(|e| e.name == kind && e.attribute("exists-action") == Some("delete"));
                kind.map(|e| literal(e.attribute("name").unwrap_or_default())).collect()
            };
            for name in intent.deleted_headers() {
                prop_assert!(deleted("set-header").contains(&name.to_owned()), "{name:?}");
            }
            for name in intent.deleted_query() {
                prop_assert!(deleted("set-query-parameter").contains(&name.to_owned()), "{name:?}");
            }
            let token = all.iter().find(|e| e.name == "authentication-managed-identity");
            prop_assert_eq!(literal(token.and_then(|e| e.attribute("resource")).expect("a resource")), intent.audience);
        }

        #[test]
        fn what_both_readers_of_the_service_need(intent in intents()) {
            let text = render(&intent);
            for element in policy_xml::parse(&text).expect("XML").root.descendants() {
                for (name, value) in &element.attributes {
                    let expression = value.starts_with("@(") || value.starts_with("@{");
                    prop_assert!(expression || !["@(", "@{", "{{"].iter().any(|mark| value.contains(mark)), "{name}");
                    prop_assert!(!expression || !value.contains("//"), "{name}: {value}");
                    prop_assert!(!expression || !value.contains('\''), "{name}: {value}");
                }
            }
        }
    }

    #[test]
    fn foreign_policies_are_not_ours() {
        for xml in [
            "",
            "<policies />",
            "not xml",
            r#"<policies><inbound><set-variable name="aoai-lb" value="2.e30" /></inbound></policies>"#,
            r#"<policies><inbound><set-variable name="aoai-lb" value="1.e30" /></inbound></policies>"#,
            r#"<policies><inbound><set-variable name="aoai-lb" value="1.%%%" /></inbound></policies>"#,
        ] {
            assert_eq!(super::intent(xml), None, "{xml}");
        }
    }

    #[test]
    fn sections_hold_what_the_rules_say_in_their_order() {
        let document = policy_xml::parse(&render(&plain())).expect("XML");
        let section = |name: &str| {
            let section = document.root.elements().find(|section| section.name == name).expect("a section");
            section.elements().map(|policy| policy.name.as_str()).collect::<Vec<_>>()
        };
        let mut inbound = section("inbound");
        inbound.dedup();
        assert_eq!(
            inbound,
            [
                "base",
                "set-variable",
                "choose",
                "set-header",
                "set-query-parameter",
                "authentication-managed-identity",
                "set-variable",
                "set-backend-service",
                "rewrite-uri",
            ]
        );
        assert_eq!(section("backend"), ["retry"]);
        let outbound = section("outbound");
        assert_eq!(outbound, ["base", "set-variable", "choose", "choose"]);
        // what went wrong without an answer has not been asked for its wait yet
        assert_eq!(section("on-error"), [&["base", "set-variable", "set-variable"], &outbound[1..]].concat());
        let retry = document.root.descendants().into_iter().find(|e| e.name == "retry").expect("retry");
        let condition = retry.attribute("condition").unwrap_or_default();
        assert!(condition.contains("new[] { 408, 429, 499, 500, 502, 503, 504 }.Contains(status)"), "{condition}");
        assert!(!render(&plain()).contains("StatusReason"));
    }

    #[test]
    fn expressions_name_only_types_that_the_service_allows() {
        let document = policy_xml::parse(&render(&plain())).expect("XML");
        let mut types = std::collections::BTreeSet::new();
        for element in document.root.descendants() {
            let texts = element.children.iter().filter_map(|node| match node {
                policy_xml::Node::Text(text) => Some(text.as_str()),
                _ => None,
            });
            let values = element.attributes.iter().map(|(_, value)| value.as_str()).chain(texts);
            for expression in values.filter(|value| policy_xml::is_expression(value)) {
                // once escaped quotes are gone, every second piece between quotes is code
                for code in expression.replace(r#"\""#, "").split('"').step_by(2) {
                    let words = code.split(|c: char| !c.is_alphanumeric() && c != '.');
                    let types_of = words.filter(|word| word.starts_with(char::is_uppercase));
                    types.extend(types_of.filter_map(|word| word.split('.').next()).map(str::to_owned));
                }
            }
        }
        let types: Vec<&str> = types.iter().map(String::as_str).collect();
        assert_eq!(types, ["Convert", "DateTimeOffset", "Math", "StringComparison", "Uri"]);
    }

    #[test]
    fn no_retry_is_one_attempt() {
        let mut intent = plain();
        intent.retry.count = 0;
        let text = render(&intent);
        assert!(text.contains("<retry condition='@(false)' count=\"1\" interval=\"0\">"), "{text}");
    }

    #[test]
    fn a_plain_text_cannot_be_printed() {
        let engine = environment(&[("t", "<< text >>")], print::printed);
        let template = engine.get_template("t").expect("a template");
        let refused = template.render(context! { text => "plain" }).map_err(|error| error.to_string());
        assert!(refused.is_err_and(|error| error.contains("may not print a plain string")));
        assert_eq!(template.render(context! { text => 7 }).ok().as_deref(), Some("7"));
        assert!(template.render(context! {}).is_err());
    }
}
