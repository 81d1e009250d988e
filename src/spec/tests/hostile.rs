//! No input is too strange: no panic, no bug of ours, every place inside the text.

use super::super::yaml;
use super::super::*;
use super::{FULL, config, examples};
use proptest::prelude::*;

/// A document where one is named, and nothing anywhere else.
fn files(path: &str) -> Result<String, String> {
    match path.ends_with(".json") {
        true => Ok(r#"{ "openapi": "3.0.1", "paths": { "/files": {} } }"#.into()),
        false => Err("there is no such file".into()),
    }
}

/// Whatever is said about a text is well placed, and is no bug of ours.
fn survives(text: &str) -> Result<(), TestCaseError> {
    let get = |name: &str| name.len().is_multiple_of(2).then(|| name.to_string());
    for environment in [None, Some("dev")] {
        let options = Options { environment, variables: &get, files: &files, ..Options::default() };
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

/// A tree as JSON, which is YAML as well.
fn json(node: &yaml::Node) -> Json {
    match &node.value {
        Value::Null | Value::Hole => Json::Null,
        Value::Bool(word) => Json::from(*word),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::Plain(text) | Value::Quoted(text) => Json::from(text.as_str()),
        Value::Seq(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|entry| (entry.key.clone(), json(&entry.node))).collect())
        }
    }
}

/// What is done to one node of a spec.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Drop,
    Double,
    Retype(usize),
    Reverse,
    Bury(usize),
    Swap,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::Drop),
        Just(Damage::Double),
        (0..7usize).prop_map(Damage::Retype),
        Just(Damage::Reverse),
        (1..200usize).prop_map(Damage::Bury),
        Just(Damage::Swap),
    ]
}

/// Goes down by `path` and damages what it finds at its end.
fn hurt(value: &mut Json, path: &[usize], damage: Damage) {
    let (Some((step, rest)), false) = (path.split_first(), matches!(value, Json::Null)) else {
        return spoil(value, damage);
    };
    match value {
        Json::Array(items) if !items.is_empty() => {
            let at = step % items.len();
            match (damage, rest.is_empty()) {
                (Damage::Drop, true) => drop(items.remove(at)),
                (Damage::Double, true) => items.insert(at, items[at].clone()),
                _ => hurt(&mut items[at], rest, damage),
            }
        }
        Json::Object(members) if !members.is_empty() => {
            let at = step % members.len();
            let key = members.keys().nth(at).cloned().unwrap_or_default();
            match (damage, rest.is_empty()) {
                (Damage::Drop, true) => drop(members.shift_remove(&key)),
                (Damage::Double, true) => drop(members.insert(format!("{key}-2"), members[&key].clone())),
                (Damage::Swap, true) => {
                    let other = members.values().nth((at + 1) % members.len()).cloned().unwrap_or_default();
                    members.insert(key, other);
                }
                _ => hurt(&mut members[&key], rest, damage),
            }
        }
        leaf => spoil(leaf, damage),
    }
}

fn spoil(value: &mut Json, damage: Damage) {
    match damage {
        Damage::Drop => *value = Json::Null,
        Damage::Double => *value = Json::from(vec![value.clone(), value.clone()]),
        Damage::Swap | Damage::Retype(0) => *value = Json::from("x"),
        Damage::Retype(1) => *value = Json::from(-1),
        Damage::Retype(2) => *value = Json::from(true),
        Damage::Retype(3) => *value = Json::from(1.5),
        Damage::Retype(4) => *value = serde_json::json!([]),
        Damage::Retype(5) => *value = serde_json::json!({ "a": { "b": [] } }),
        Damage::Retype(_) => *value = Json::from(u64::MAX),
        Damage::Reverse => match value {
            Json::Array(items) => items.reverse(),
            Json::Object(members) => {
                *members = members.iter().rev().map(|(key, value)| (key.clone(), value.clone())).collect();
            }
            _ => {}
        },
        Damage::Bury(depth) => {
            for _ in 0..depth {
                *value = Json::from(vec![value.take()]);
            }
        }
    }
}

#[test]
fn what_is_too_long_is_refused_before_it_is_read() {
    let long = format!("# {}\n", "x".repeat(10 << 20));
    let problems = load(&long, &Options::default()).expect_err("ten megabytes");
    assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), [code::UNREADABLE_FILE]);
    let bomb = format!("a: &a [x, x, x, x, x, x, x, x, x]\n{}", {
        let level = |n: u8| {
            format!(
                "{0}: &{0} [*{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}]\n",
                (b'a' + n) as char,
                (b'a' + n - 1) as char
            )
        };
        (1..20).map(level).collect::<String>()
    });
    let problems = load(&bomb, &Options::default()).expect_err("a bomb");
    assert!(problems.iter().any(|problem| problem.code == code::TOO_MUCH_YAML), "{problems:?}");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_example_with_damaged_nodes_is_told_about_them(
        which in any::<prop::sample::Index>(),
        wounds in prop::collection::vec((prop::collection::vec(0..40usize, 1..7), damage()), 1..4),
    ) {
        let mut all = examples();
        all.push(("full".into(), FULL.into()));
        let (name, text) = which.get(&all);
        let (root, problems) = yaml::parse(text);
        prop_assert!(problems.is_empty(), "{} {:?}", name, problems);
        let mut tree = json(&root.expect("a tree"));
        for (path, damage) in &wounds {
            hurt(&mut tree, path, *damage);
        }
        survives(&tree.to_string())?;
    }

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
