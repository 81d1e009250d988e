use super::*;
use crate::time::Duration;
use crate::topology::intent::{Candidate, CandidateKey, Entra, LimitBy, Metrics, TokenLimit, eligible};
use crate::topology::{KeyNames, Routes, defaults};
use minijinja::context;
use proptest::prelude::{Just, Strategy as Cases, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
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

/// Everything that an intent can say, at once.
pub(crate) fn full(strategy: Strategy) -> Intent {
    let key = CandidateKey { header: "x-foreign-key".into(), named_value: "foreign-key".into() };
    let candidate = |backend: &str, priority, weight, credential| {
        let priority = if strategy == Strategy::Smart { priority } else { 1 };
        Candidate { backend: backend.into(), priority, weight, credential }
    };
    let pools = [
        (
            "gpt",
            vec![candidate("ptu", 1, 1, None), candidate("foreign", 2, 2, Some(key)), candidate("east", 2, 1, None)],
        ),
        ("gpt-v1", vec![candidate("ptu-v1", 1, 1, None), candidate("east-v1", 2, 1, None)]),
    ];
    let pools = pools.map(|(name, pool)| (name.to_owned(), pool)).into();
    Intent {
        strategy,
        v1: Some(Routes::ByName([("gpt-4.1".to_owned(), "gpt-v1".to_owned())].into())),
        pools: if strategy == Strategy::Pool { BTreeMap::new() } else { pools },
        stateful: Some("east-stateful".into()),
        entra: Some(Entra {
            tenant: "contoso.onmicrosoft.com".into(),
            audiences: vec!["api://aoai".into()],
            applications: vec!["00000000-0000-0000-0000-00000000000a".into()],
        }),
        client_id: Some("aoai-lb-client-id".into()),
        token_limit: Some(TokenLimit { tokens_per_minute: 400_000, estimate_prompt: true, by: LimitBy::Pool }),
        metrics: Some(Metrics {
            namespace: defaults::METRICS_NAMESPACE.into(),
            dimensions: ["Subscription ID", "Client IP", "Deployment", "Pool"].map(str::to_owned).into(),
        }),
        ..Intent::new(Routes::ByName([("gpt-4.1".to_owned(), "gpt".to_owned())].into()))
    }
}

const STRATEGIES: [Strategy; 3] = [Strategy::Pool, Strategy::RoundRobin, Strategy::Smart];

fn texts() -> impl Cases<Value = String> + Clone {
    prop_oneof!["[a-z0-9.-]{1,12}", "['\"<>&@(){}/\\\\\n\t$ \u{0}-\u{1f}\u{85}\u{2028}ü]{0,12}", any::<String>(),]
}

fn routes() -> impl Cases<Value = Routes> + Clone {
    prop_oneof![
        texts().prop_map(Routes::All),
        prop::collection::btree_map(texts(), texts(), 0..5).prop_map(Routes::ByName),
    ]
}

/// Every text that an intent can hold, and every number.
fn intents() -> impl Cases<Value = Intent> {
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
    let credential = (texts(), texts()).prop_map(|(header, named_value)| CandidateKey { header, named_value });
    let candidate = (texts(), 0..4u8, 0..101u8, prop::option::weighted(0.2, credential))
        .prop_map(|(backend, priority, weight, credential)| Candidate { backend, priority, weight, credential });
    let pools = prop::collection::btree_map(texts(), prop::collection::vec(candidate, 0..4), 0..3);
    let keys = prop::option::of((texts(), texts()).prop_map(|(header, query)| KeyNames { header, query }));
    let some = |max| prop::collection::vec(texts(), 0..max);
    let entra = prop::option::of((texts(), some(3), some(3)).prop_map(|(tenant, audiences, applications)| Entra {
        tenant,
        audiences,
        applications,
    }));
    let limit = (any::<u32>(), any::<bool>(), prop_oneof![Just(LimitBy::Pool), Just(LimitBy::Subscription)])
        .prop_map(|(tokens_per_minute, estimate_prompt, by)| TokenLimit { tokens_per_minute, estimate_prompt, by });
    let dimension =
        prop_oneof![texts(), prop::sample::select(defaults::CUSTOM_DIMENSIONS.to_vec()).prop_map(str::to_owned)];
    let metrics = (texts(), prop::collection::vec(dimension, 0..4))
        .prop_map(|(namespace, dimensions)| Metrics { namespace, dimensions });
    let served = (routes(), prop::option::of(routes()), prop::option::of(texts()), pools);
    let callers = (keys, entra, prop::option::of(limit), prop::option::of(metrics));
    let strategy = prop::sample::select(STRATEGIES.to_vec());
    (strategy, served, callers, (texts(), prop::option::of(texts())), retry, exhausted, texts()).prop_map(
        |(strategy, served, callers, (audience, client_id), retry, on_exhausted, probe)| {
            let (routes, v1, stateful, pools) = served;
            let (keys, entra, token_limit, metrics) = callers;
            Intent {
                strategy,
                routes,
                v1,
                pools: if strategy == Strategy::Pool { BTreeMap::new() } else { pools },
                stateful,
                keys,
                entra,
                audience,
                client_id,
                token_limit,
                metrics,
                retry,
                on_exhausted,
                probe,
            }
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
        let routed = variable("aoai-lb-backend");
        for routes in std::iter::once(&intent.routes).chain(&intent.v1) {
            match routes {
                Routes::All(pool) => prop_assert!(routed.contains(pool)),
                Routes::ByName(map) => for (name, pool) in map {
                    prop_assert!(routed.windows(2).any(|pair| pair == [name.clone(), pool.clone()]), "{name:?} {routed:?}");
                }
            }
        }
        prop_assert!(intent.stateful.as_ref().is_none_or(|stateful| routed.contains(stateful)));
        prop_assert!(variable("aoai-lb-probe").contains(&intent.probe));
        for (pool, candidates) in &intent.pools {
            let literals = variable("aoai-lb-members");
            let after = |pair: &[String]| (pair[0] == *pool).then(|| serde_json::from_str(&pair[1]).ok()).flatten();
            let members: serde_json::Value = literals.windows(2).find_map(after).expect("the pool");
            for candidate in eligible(candidates) {
                let there = match intent.strategy {
                    Strategy::RoundRobin => members["names"].as_array().is_some_and(|n| n.iter().any(|n| *n == candidate.backend)),
                    _ => members.get(&candidate.backend).is_some(),
                };
                prop_assert!(there, "{members}");
            }
        }
        let attributes = |element: &str, attribute: &str| -> Vec<String> {
            let found = all.iter().filter(|e| e.name == element).filter_map(|e| e.attribute(attribute));
            found.map(literal).collect()
        };
        for (backend, key) in intent.credentials() {
            let there = all.iter().filter(|e| e.name == "when").any(|when| {
                let condition = string_literals(when.attribute("condition").unwrap_or_default());
                let headers: Vec<_> = when.elements().filter(|e| e.name == "set-header").collect();
                condition.contains(&backend.to_owned())
                    && headers.iter().any(|e| literal(e.attribute("name").unwrap_or_default()) == key.header)
            });
            prop_assert!(there, "{backend:?}");
        }
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
        prop_assert_eq!(attributes("authentication-managed-identity", "resource"), [intent.audience.clone()]);
        let safe = |name: &String| {
            let safe: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).collect();
            ["{{", &safe, "}}"].concat()
        };
        let client_id: Vec<String> = intent.client_id.iter().map(safe).collect();
        prop_assert_eq!(attributes("authentication-managed-identity", "client-id"), client_id);
        let texts = |name: &str| -> Vec<String> {
            all.iter().filter(|e| e.name == name).map(|e| literal(&text_of(e))).collect()
        };
        let entra = intent.entra.iter();
        prop_assert_eq!(attributes("validate-azure-ad-token", "tenant-id"), entra.clone().map(|e| e.tenant.clone()).collect::<Vec<_>>());
        prop_assert_eq!(texts("audience"), entra.clone().flat_map(|e| e.audiences.clone()).collect::<Vec<_>>());
        prop_assert_eq!(texts("application-id"), entra.flat_map(|e| e.applications.clone()).collect::<Vec<_>>());
        let limits: Vec<String> = intent.token_limit.iter().map(|limit| limit.tokens_per_minute.to_string()).collect();
        prop_assert_eq!(attributes("llm-token-limit", "tokens-per-minute"), limits);
        let metrics = intent.metrics.iter();
        prop_assert_eq!(attributes("dimension", "name"), metrics.clone().flat_map(|m| m.dimensions.clone()).collect::<Vec<_>>());
        prop_assert_eq!(attributes("llm-emit-token-metric", "namespace"), metrics.map(|m| m.namespace.clone()).collect::<Vec<_>>());
    }

    #[test]
    fn what_both_readers_of_the_service_need(intent in intents()) {
        let text = render(&intent);
        let named = |value: &str| {
            let name = value.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
            name.is_some_and(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)))
        };
        for element in policy_xml::parse(&text).expect("XML").root.descendants() {
            let attributes = element.attributes.iter().map(|(name, value)| (name.clone(), value.clone()));
            for (name, value) in attributes.chain([("text".to_owned(), text_of(element).trim().to_owned())]) {
                let expression = value.starts_with("@(") || value.starts_with("@{");
                let marked = ["@(", "@{", "{{"].iter().any(|mark| value.contains(mark));
                prop_assert!(expression || named(&value) || !marked, "{name}: {value}");
                prop_assert!(!expression || !value.contains("//"), "{name}: {value}");
                prop_assert!(!expression || !value.contains('\''), "{name}: {value}");
            }
        }
    }
}

/// What an attribute or a text says: as it stands, or the literals of an expression.
fn literal(value: &str) -> String {
    match value.trim().strip_prefix("@(") {
        Some(code) => string_literals(code).concat(),
        None => value.to_owned(),
    }
}

fn text_of(element: &policy_xml::Element) -> String {
    let text = element.children.iter().filter_map(|node| match node {
        policy_xml::Node::Text(text) => Some(text.as_str()),
        _ => None,
    });
    text.collect()
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

/// The names of the elements that stand directly in a section; what repeats stands once.
fn section(intent: &Intent, name: &str) -> Vec<String> {
    let document = policy_xml::parse(&render(intent)).expect("XML");
    let section = document.root.elements().find(|section| section.name == name).expect("a section");
    let mut found: Vec<String> = section.elements().map(|policy| policy.name.clone()).collect();
    found.dedup();
    found
}

#[test]
fn sections_hold_what_the_rules_say_in_their_order() {
    let token = "authentication-managed-identity";
    let deleted = ["set-header", "set-query-parameter", token];
    let mut plain_inbound = vec!["base", "set-variable", "choose"];
    plain_inbound.extend(deleted);
    plain_inbound.extend(["set-variable", "rewrite-uri"]);
    assert_eq!(section(&plain(), "inbound"), plain_inbound);
    for strategy in STRATEGIES {
        let inbound = section(&full(strategy), "inbound");
        // the caller's identity, the route, the limits, and only then nothing of the caller's goes on
        let first = ["base", "set-variable", "choose", "set-variable", "choose", "set-variable", "choose"];
        assert_eq!(inbound[..7], first, "{strategy:?}");
        assert_eq!(inbound[7..10], deleted, "{strategy:?}");
        assert_eq!(section(&full(strategy), "backend"), ["retry"]);
        let outbound = section(&full(strategy), "outbound");
        assert_eq!(outbound, ["base", "set-variable", "choose"]);
        // what went wrong without an answer has not been asked for its wait yet
        assert_eq!(section(&full(strategy), "on-error"), outbound);
        assert!(!render(&full(strategy)).contains("StatusReason"));
    }
    let document = policy_xml::parse(&render(&plain())).expect("XML");
    let retry = document.root.descendants().into_iter().find(|e| e.name == "retry").expect("retry");
    let condition = retry.attribute("condition").unwrap_or_default();
    assert!(condition.contains("new[] { 408, 429, 499, 500, 502, 503, 504 }.Contains(status)"), "{condition}");
}

#[test]
fn the_token_is_looked_at_before_it_is_deleted() {
    for strategy in STRATEGIES {
        let text = render(&full(strategy));
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}"));
        let order = [
            "x-aoai-lb-backend",
            "<validate-azure-ad-token",
            "aoai-lb-call",
            "<llm-token-limit",
            "<llm-emit-token-metric",
            r#"<set-header name="Authorization" exists-action="delete" />"#,
            "<authentication-managed-identity",
            "<retry",
        ];
        let places: Vec<usize> = order.iter().map(|what| at(what)).collect();
        assert!(places.is_sorted(), "{strategy:?}: {places:?}");
    }
}

#[test]
fn a_policy_of_a_simple_spec_fits_on_consumption() {
    let size = |intent: &Intent| render(intent).len();
    assert!(size(&plain()) < 16 * 1024, "{}", size(&plain()));
    let mut two = plain();
    two.routes = Routes::ByName((0..4).map(|n| (format!("gpt-4.1-{n}"), format!("pool-{n}"))).collect());
    assert!(size(&two) < 16 * 1024, "{}", size(&two));
}

#[test]
fn expressions_name_only_types_that_the_service_allows() {
    let mut types = std::collections::BTreeSet::new();
    for strategy in STRATEGIES {
        let document = policy_xml::parse(&render(&full(strategy))).expect("XML");
        for element in document.root.descendants() {
            let text = text_of(element);
            let values = element.attributes.iter().map(|(_, value)| value.as_str()).chain([text.as_str()]);
            for expression in values.filter(|value| policy_xml::is_expression(value)) {
                // once escaped quotes are gone, every second piece between quotes is code
                for code in expression.replace(r#"\""#, "").split('"').step_by(2) {
                    let words = code.split(|c: char| !c.is_alphanumeric() && c != '.');
                    let types_of = words.filter(|word| word.starts_with(char::is_uppercase));
                    types.extend(types_of.filter_map(|word| word.split('.').next()).map(str::to_owned));
                }
            }
        }
    }
    let types: Vec<&str> = types.iter().map(String::as_str).collect();
    let allowed = [
        "Convert",
        "DateTime",
        "DateTimeOffset",
        "Exception",
        "Guid",
        "JObject",
        "JTokenType",
        "Math",
        "Random",
        "StringComparer",
        "StringComparison",
        "Uri",
    ];
    assert_eq!(types, allowed);
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

#[test]
fn our_own_policies_keep_to_the_rules_for_everybodys() {
    for strategy in STRATEGIES {
        for intent in [full(strategy), Intent { strategy, ..plain() }] {
            assert_eq!(rules::check(&render(&intent), rules::Document::Policy), [], "{strategy:?}");
            assert_eq!(lint::lint(&render(&intent), &BTreeMap::new()), [], "{strategy:?}");
        }
    }
}

#[test]
fn elements_stand_as_deep_as_they_are() {
    for intent in [Strategy::Pool, Strategy::RoundRobin, Strategy::Smart].map(full).into_iter().chain([plain()]) {
        let text = render(&intent);
        let mut depth = 0_usize;
        let mut inside = false;
        for line in text.lines() {
            let (bare, indent) = (line.trim_start(), line.len() - line.trim_start().len());
            // the further lines of an attribute are code
            if !inside && bare.starts_with('<') {
                depth -= usize::from(bare.starts_with("</"));
                assert_eq!(indent, depth * 2, "{line}");
            }
            inside = if inside { !bare.ends_with('>') } else { bare.starts_with('<') && !bare.ends_with('>') };
            let closed =
                ["/>", "-->"].iter().any(|end| bare.ends_with(end)) || bare.starts_with("</") || bare.contains("</");
            if !inside && bare.ends_with('>') && !closed {
                depth += 1;
            }
        }
        assert_eq!(depth, 0, "{text}");
    }
}

#[test]
fn an_intent_of_tomorrow_is_not_ours_and_one_of_yesterday_is() {
    let with = |json: &serde_json::Value| {
        let marker = format!("{FORMAT}{}", URL_SAFE_NO_PAD.encode(json.to_string()));
        let text =
            format!(r#"<policies><inbound><set-variable name="aoai-lb" value="{marker}" /></inbound></policies>"#);
        super::intent(&text)
    };
    // what was left out before there was more to say has its default
    let mut json = serde_json::to_value(plain()).expect("plain data");
    assert!(["v1", "pools", "stateful", "entra", "tokenLimit"].iter().all(|field| json.get(*field).is_none()));
    assert_eq!(with(&json), Some(plain()));
    for strategy in STRATEGIES {
        assert_eq!(with(&serde_json::to_value(full(strategy)).expect("plain data")), Some(full(strategy)));
    }
    json["surprise"] = 1.into();
    assert_eq!(with(&json), None);
    let mut json = serde_json::to_value(full(Strategy::Smart)).expect("plain data");
    json["entra"]["surprise"] = 1.into();
    assert_eq!(with(&json), None);
}
