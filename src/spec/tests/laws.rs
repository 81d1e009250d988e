//! Laws over any valid spec, not the examples alone.

use super::super::*;
use super::{any, config};
use proptest::prelude::*;

/// The files that a spec of [`any`] names.
fn files(path: &str) -> Result<String, String> {
    match path {
        "openapi.json" => Ok(r#"{ "openapi": "3.0.1", "servers": [], "paths": { "/chat": {} } }"#.into()),
        "own.xml.j2" => Ok("<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>".into()),
        other => Err(format!("no {other}")),
    }
}

fn options() -> Options<'static> {
    Options { files: &files, today: Time::from_rfc3339("2026-06-01T00:00:00Z"), ..Options::default() }
}

/// A spec that loads, as text; `None` where nothing was left of it.
fn valid(seed: u64) -> Option<String> {
    let refused = |text: &str| match load(text, &options()) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
            errors.map(|problem| problem.key.clone().unwrap_or_default()).collect()
        }
    };
    any::repaired(any::spec(structure(), seed), refused).map(|spec| spec.to_string())
}

/// The first line in which what was loaded differs, warnings and places left out.
fn difference(one: &Loaded, other: &Loaded) -> Option<(String, String)> {
    let of = |loaded: &Loaded| format!("{:#?}\n{:#?}\n{:#?}", loaded.topology, loaded.simulation, loaded.management);
    let (one, other) = (of(one), of(other));
    let found = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    assert_eq!(found.is_none(), one == other);
    found.map(|(one, other)| (one.trim().to_owned(), other.trim().to_owned()))
}

#[test]
fn most_seeds_give_a_spec_and_together_they_say_everything() {
    let mut used = std::collections::BTreeSet::new();
    let texts: Vec<String> = (0..400).filter_map(valid).collect();

    fn walk(value: &Json, schema: &Json, path: &str, used: &mut std::collections::BTreeSet<String>) {
        schema["anyOf"].as_array().into_iter().flatten().for_each(|inner| walk(value, inner, path, used));
        match value {
            Json::Object(members) => members.iter().for_each(|(key, value)| {
                if let Some(inner) = schema["properties"].get(key) {
                    used.insert(format!("{path}.{key}"));
                    walk(value, inner, &format!("{path}.{key}"), used);
                } else if schema["additionalProperties"].is_object() {
                    walk(value, &schema["additionalProperties"], &format!("{path}.*"), used);
                }
            }),
            Json::Array(items) => items.iter().for_each(|item| walk(item, &schema["items"], path, used)),
            _ => {}
        }
    }
    texts.iter().for_each(|text| walk(&serde_json::from_str(text).expect("JSON"), structure(), "", &mut used));
    let mut missing = Vec::new();
    fn known(schema: &Json, path: &str, out: &mut Vec<String>) {
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            out.push(format!("{path}.{key}"));
            known(inner, &format!("{path}.{key}"), out);
        }
        for inner in schema["anyOf"].as_array().into_iter().flatten().chain(schema.get("items")) {
            known(inner, path, out);
        }
        if schema["additionalProperties"].is_object() {
            known(&schema["additionalProperties"], &format!("{path}.*"), out);
        }
    }
    let mut all = Vec::new();
    known(structure(), "", &mut all);
    missing.extend(all.into_iter().filter(|key| !used.contains(key) && key != ".environments"));
    assert!(missing.is_empty(), "{missing:?} {}", texts.len());
    assert!(texts.len() > 250, "{}", texts.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: config().cases / 4, ..config() })]

    #[test]
    fn any_spec_means_what_its_long_form_means(seed in any::<u64>()) {
        let text = (0..32).find_map(|more| valid(seed.wrapping_add(more))).expect("a valid spec");
        let loaded = load(&text, &options()).expect("a valid spec");
        let long = expand(&text, &options()).expect("a valid spec");
        let again = load(&long, &options()).map_err(|problems| {
            let errors: Vec<String> = problems.iter().filter(|p| p.severity == Severity::Error).map(ToString::to_string).collect();
            TestCaseError::fail(format!("{errors:?}\n{text}\n{long}"))
        })?;
        let difference = difference(&loaded, &again);
        prop_assert!(difference.is_none(), "{difference:?}\n{text}\n{long}");
        let twice = expand(&long, &options());
        prop_assert_eq!(twice.as_ref(), Ok(&long), "{}", text);
        for warning in &loaded.warnings {
            let place = warning.span.and_then(|span| text.get(span.start..span.end));
            prop_assert!(place.is_some_and(|place| !place.is_empty()), "{} {}", warning, text);
            prop_assert!(warning.help.is_some(), "{}", warning);
        }
    }
}
