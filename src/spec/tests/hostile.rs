//! No input is too strange: no panic, no bug of ours, every place inside the text.

use super::super::*;
use super::{FULL, config};
use proptest::prelude::*;

/// Whatever is said about a text is well placed, and is no bug of ours.
fn survives(text: &str) -> Result<(), TestCaseError> {
    let get = |name: &str| name.len().is_multiple_of(2).then(|| name.to_string());
    for environment in [None, Some("dev")] {
        let options = Options { environment, variables: &get, ..Options::default() };
        let problems = match load(text, &options) {
            Ok(loaded) => {
                let long = expand(text, &options).map_err(|_| TestCaseError::fail("expands not"))?;
                let again = load(&long, &options).map_err(|p| TestCaseError::fail(format!("{p:#?}\n{long}")))?;
                prop_assert_eq!(&again.topology, &loaded.topology, "{}", long);
                loaded.warnings
            }
            Err(problems) => {
                prop_assert!(problems.iter().any(|problem| problem.severity == Severity::Error), "{:?}", problems);
                problems
            }
        };
        for problem in &problems {
            prop_assert!(problem.code != code::INTERNAL, "{}", problem);
            prop_assert!(problem.help.is_some() || problem.code < code::UNKNOWN_KEY, "{}", problem);
            if let Some(span) = problem.span {
                prop_assert!(text.get(span.start..span.end).is_some(), "{} {:?}", problem, span);
            }
        }
        let place = |problem: &Diagnostic| (problem.severity, problem.span.map(|span| span.start));
        prop_assert!(problems.is_sorted_by_key(place));
    }
    Ok(())
}

/// Every word that stands in the schema or means something to us.
fn words() -> Vec<String> {
    fn walk(schema: &Json, out: &mut Vec<String>) {
        match schema {
            Json::Object(members) => {
                out.extend(
                    members.get("properties").and_then(Json::as_object).into_iter().flat_map(|map| map.keys().cloned()),
                );
                out.extend(
                    members
                        .get("enum")
                        .and_then(Json::as_array)
                        .into_iter()
                        .flatten()
                        .map(|word| word.as_str().map_or_else(|| word.to_string(), String::from)),
                );
                members.values().for_each(|inner| walk(inner, out));
            }
            Json::Array(items) => items.iter().for_each(|inner| walk(inner, out)),
            _ => {}
        }
    }
    let mut words: Vec<String> = [
        "a",
        "b",
        "dev",
        "probe",
        "none",
        "default",
        "ptu",
        "AL0310",
        "0",
        "1",
        "101",
        "-1",
        "4294967296",
        "60s",
        "PT1M",
        "5xx",
        "500-503",
        "${ab}",
        "${a}",
        "x${ab}",
        "${",
        "\"1\"",
        "\"\"",
        "~",
        "true",
        "eastus2",
        "a@b",
        "1.5",
        "existing",
        "smart",
    ]
    .map(String::from)
    .to_vec();
    walk(structure(), &mut words);
    words.sort();
    words.dedup();
    words
}

/// A tree as one line of YAML, of words that specs are made of.
fn tree() -> impl Strategy<Value = String> {
    let word = prop::sample::select(words())
        .prop_map(|word| if word.contains(['{', '[']) { format!("\"{word}\"") } else { word });
    word.clone().prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            4 => prop::collection::btree_map(word.clone(), inner, 0..6).prop_map(|entries| {
                let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    })
}

/// The full spec with some of its scalars replaced: mostly right, and wrong in any place.
fn mutated() -> impl Strategy<Value = String> {
    let pieces: Vec<&str> = FULL.split_inclusive([' ', ',', '{', '}', '[', ']', '\n', ':']).collect();
    let count = pieces.len();
    let change = (0..count, prop::sample::select(words()), any::<bool>());
    prop::collection::vec(change, 0..4).prop_map(move |changes| {
        let mut pieces: Vec<String> = pieces.iter().map(|piece| piece.to_string()).collect();
        for (at, word, drop) in changes {
            let last = pieces[at].pop().unwrap_or(' ');
            pieces[at] = if drop { String::new() } else { format!("{word}{last}") };
        }
        pieces.concat()
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        survives(&text)?;
    }

    #[test]
    fn no_yaml_is_too_strange(text in r##"([a-c&*!|>%@`'\"#,\[\]{}:?\-\t \n$]|<<|---|\.\.\.|: |- |\$\{a\}|[a-z]+: ){0,60}"##) {
        survives(&text)?;
    }

    #[test]
    fn no_tree_is_too_strange(text in tree()) {
        survives(&text)?;
    }

    #[test]
    fn a_spec_with_mistakes_is_told_about_them(text in mutated()) {
        survives(&text)?;
    }

    #[test]
    fn no_key_of_set_is_too_strange(path in r#"[a-z\.\[\]"0-9]{0,12}|(pools|p|members|\.|\[|\]|0|1|"){0,8}"#, value in any::<String>()) {
        let set = [(path, value)];
        let options = Options { set: &set, ..Options::default() };
        if let Err(problems) = load(FULL, &options) {
            prop_assert!(problems.iter().all(|problem| problem.code != code::INTERNAL), "{:?}", problems);
        }
    }
}
