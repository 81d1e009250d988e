//! Any text comes out as that text: decoders of our own read back what was printed.

use super::topologies::{anything, minimal};
use super::{cases, text};
use aoai_lb::template::{arm, files, graph};
use proptest::prelude::*;

/// The text that a Bicep string literal stands for, by the rules of the language.
fn decode_bicep(literal: &str) -> String {
    let inner = literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).expect("quotes");
    let mut out = String::new();
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        assert!(c != '\'' && c != '\n' && c != '\r', "unescaped {c:?}");
        assert!(c != '$' || chars.peek() != Some(&'{'), "an interpolation");
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some(c @ ('\\' | '\'' | '$')) => out.push(c),
            Some('u') => {
                assert_eq!(chars.next(), Some('{'));
                let digits: String = chars.by_ref().take_while(|c| *c != '}').collect();
                let number = u32::from_str_radix(&digits, 16).expect("hexadecimal");
                out.push(char::from_u32(number).expect("a character"));
            }
            other => panic!("escape {other:?}"),
        }
    }
    out
}

/// The text that a string of a template stands for; it must be none that is evaluated.
fn decode_arm(text: &str) -> &str {
    match text.strip_prefix('[') {
        Some(rest) if text.ends_with(']') => {
            assert!(rest.starts_with('['), "{text} would be evaluated");
            rest
        }
        _ => text,
    }
}

/// The first argument of a `format` whose only hole stands at its end, read by the rules of ARM and of .NET.
fn decode_format(expression: &str) -> String {
    let inside = expression.strip_prefix("[format('").expect("a format");
    let quoted = inside.strip_suffix("', variables('unique'))]").expect("one hole");
    let mut out = String::new();
    let mut rest = quoted.strip_suffix("{0}").expect("the hole");
    while let Some(c) = rest.chars().next() {
        let doubled = matches!(c, '\'' | '{' | '}');
        assert!(!doubled || rest[1..].starts_with(c), "a single {c}");
        out.push(c);
        rest = &rest[c.len_utf8() * if doubled { 2 } else { 1 }..];
    }
    out
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_text_is_itself(any in anything()) {
        let mut topology = minimal();
        topology.apis.get_mut("openai").expect("the api").display_name = any.clone();
        let template = arm(&graph(&topology));
        let api = template["resources"].as_array().expect("resources").iter()
            .find(|r| r["type"] == "Microsoft.ApiManagement/service/apis").expect("the api");
        prop_assert_eq!(decode_arm(api["properties"]["displayName"].as_str().expect("text")), &any);

        let files = files(&topology);
        let bicep = text(&files, "main.bicep");
        let api = bicep.split("service/apis@").nth(1).expect("the api");
        let line = api.lines().find(|line| line.trim_start().starts_with("displayName: ")).expect("the name");
        prop_assert_eq!(decode_bicep(line.trim_start().trim_start_matches("displayName: ")), any);
    }

    #[test]
    fn a_key_is_itself(any in anything()) {
        let mut topology = minimal();
        topology.tags.insert(any.clone(), "x".into());
        let template = arm(&graph(&topology));
        let tags = template["parameters"]["tags"]["defaultValue"].as_object().expect("tags");
        prop_assert_eq!(tags.keys().map(|key| decode_arm(key)).collect::<Vec<_>>(), [any.as_str()]);
    }

    #[test]
    fn a_text_before_the_hash_is_itself(any in anything()) {
        let mut topology = minimal();
        topology.accounts.get_mut("eastus2").expect("the account").name = aoai_lb::topology::Name::Unique(any.clone());
        let template = arm(&graph(&topology));
        let name = template["resources"][0]["name"].as_str().expect("a name");
        if any.is_empty() {
            prop_assert_eq!(name, "[variables('unique')]");
        } else {
            prop_assert_eq!(decode_format(name), any);
        }
    }
}
