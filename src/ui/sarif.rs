//! Diagnostics as SARIF 2.1.0, the form that code scanning of repositories reads (OASIS, sarif-v2.1.0, 2020).
//!
//! One run, one artifact: the spec. Each code that occurs is a rule with its explain text; each diagnostic is a result, in
//! their order. Lines and columns count from 1, columns in Unicode code points, which `columnKind` says. What has no place
//! in the spec stands at its first line, because code scanning drops a result without one.
//!
//! Deliberately absent: fixes, code flows, and anything about how the program was called but its exit code.

use super::frame::Source;
use crate::diagnostic::{Code, Diagnostic, Exit};
use serde_json::{Value, json};
use sha2::Digest;
use std::collections::BTreeMap;
use std::path::{Component, Path};

/// The name of the folder that relative addresses start at.
const ROOT: &str = "%SRCROOT%";

/// The document of one check; `artifact` is where the spec stands, as [`artifact`] says.
pub fn sarif(source: Option<&Source>, artifact: &Value, problems: &[Diagnostic]) -> Value {
    let mut codes: Vec<Code> = problems.iter().map(|problem| problem.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut seen = BTreeMap::new();
    let results: Vec<Value> = problems
        .iter()
        .map(|problem| {
            let index = codes.binary_search(&problem.code).unwrap_or_default();
            result(problem, index, source, artifact, &mut seen)
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{ "executionSuccessful": true, "exitCode": Exit::of(problems) as u8 }],
            "artifacts": [{ "location": artifact }],
            "results": results,
        }],
    })
}

/// The address of a file: relative to `root` where it is below that, else absolute.
pub fn artifact(file: &Path, root: &Path) -> Value {
    match file.strip_prefix(root) {
        Ok(below) => json!({ "uri": address(below), "uriBaseId": ROOT }),
        Err(_) => {
            let path = address(file);
            json!({ "uri": format!("file://{}{path}", if path.starts_with('/') { "" } else { "/" }) })
        }
    }
}

fn rule(code: Code) -> Value {
    let text = code.explain();
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.title() },
        "fullDescription": { "text": paragraph(text) },
        "help": { "text": text, "markdown": text },
        "defaultConfiguration": { "level": code.severity().word() },
    })
}

/// The first paragraph below the heading, on one line.
fn paragraph(text: &str) -> String {
    let below = text.split("\n\n").nth(1).unwrap_or_default();
    below.lines().collect::<Vec<_>>().join(" ")
}

fn result(
    problem: &Diagnostic,
    index: usize,
    source: Option<&Source>,
    artifact: &Value,
    seen: &mut BTreeMap<String, u32>,
) -> Value {
    let place = source.zip(problem.span).map(|(source, span)| source.place(span));
    let region = match &place {
        Some(place) => json!({
            "startLine": place["line"],
            "startColumn": place["column"],
            "endLine": place["endLine"],
            "endColumn": place["endColumn"],
        }),
        None => json!({ "startLine": 1 }),
    };
    let mut location = json!({ "physicalLocation": { "artifactLocation": artifact, "region": region } });
    if let Some(key) = &problem.key {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": key, "kind": "member" }]);
    }
    let line = place.as_ref().and_then(|place| place["line"].as_u64()).unwrap_or(1);
    let line = source.and_then(|source| source.text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?));
    let hash = fingerprint(problem, line.unwrap_or_default());
    let count = seen.entry(hash.clone()).or_default();
    *count += 1;
    json!({
        "ruleId": problem.code.as_str(),
        "ruleIndex": index,
        "level": problem.severity.word(),
        "message": { "text": message(problem) },
        "locations": [location],
        // the one that GitHub compares, in its form: hash and occurrence
        "partialFingerprints": { "primaryLocationLineHash": format!("{hash}:{count}") },
    })
}

fn message(problem: &Diagnostic) -> String {
    let mut parts = vec![problem.message.clone()];
    parts.extend(problem.label.clone());
    parts.extend(problem.notes.iter().cloned());
    parts.extend(problem.help.iter().map(|help| format!("help: {help}")));
    parts.join("\n")
}

/// The same for the same problem in the same line, wherever that line has moved to.
fn fingerprint(problem: &Diagnostic, line: &str) -> String {
    let key = problem.key.as_deref().unwrap_or_default();
    let hash = sha2::Sha256::digest(format!("{}\n{key}\n{}", problem.code, line.trim()).as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A path as a URI reference: slashes between its parts, everything else that is not plain escaped.
fn address(path: &Path) -> String {
    let mut text = String::new();
    for part in path.components() {
        match part {
            Component::RootDir => text.push('/'),
            part => {
                if !text.is_empty() && !text.ends_with('/') {
                    text.push('/');
                }
                escape(&part.as_os_str().to_string_lossy(), &mut text);
            }
        }
    }
    text
}

fn escape(part: &str, out: &mut String) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Span, code};

    const SPEC: &str = "version: 1\nname: ü𝒳 # x\npools:\n  p: { members: [] }\n";

    fn document() -> Value {
        let at = SPEC.find('#').expect("a comment");
        let source = Source { name: "a b/spec.yaml".into(), text: SPEC.into() };
        let problems = [
            Diagnostic::new(code::POOL_SIZE, "`p` has 0 members").at("pools.p").span(Span { start: at, end: at + 3 }),
            Diagnostic::new(code::ONE_REGION, "every account is in x").at("accounts").label("one").help("add one"),
            Diagnostic::new(code::POOL_SIZE, "`p` has 0 members").at("pools.p").span(Span { start: at, end: at + 3 }),
            Diagnostic::new(code::UNUSED_SILENCE, "said for nothing"),
        ];
        sarif(Some(&source), &artifact(Path::new("/repo/a b/spec.yaml"), Path::new("/repo")), &problems)
    }

    #[test]
    fn what_the_standard_and_code_scanning_require_is_there() {
        let document = document();
        assert_eq!((document["version"].as_str(), document["runs"].as_array().map(Vec::len)), (Some("2.1.0"), Some(1)));
        assert!(document["$schema"].as_str().is_some_and(|schema| schema.ends_with("sarif-2.1.0.json")));
        let run = &document["runs"][0];
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        assert_eq!(run["invocations"][0], json!({ "executionSuccessful": true, "exitCode": 4 }));
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        let ids: Vec<&str> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
        assert_eq!(ids, ["AL0211", "AL0310", "AL0317"]);
        for rule in rules {
            for text in ["/shortDescription/text", "/fullDescription/text", "/help/text", "/help/markdown"] {
                assert!(
                    rule.pointer(text).and_then(Value::as_str).is_some_and(|text| text.len() > 5),
                    "{text}: {rule}"
                );
            }
        }
        for result in run["results"].as_array().expect("results") {
            let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small")];
            assert_eq!(rule["id"], result["ruleId"]);
            assert_eq!(rule["defaultConfiguration"]["level"], result["level"]);
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"], json!({ "uri": "a%20b/spec.yaml", "uriBaseId": "%SRCROOT%" }));
            assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line > 0));
        }
    }

    #[test]
    fn results_keep_their_order_place_and_words() {
        let document = document();
        let results = document["runs"][0]["results"].as_array().expect("results");
        let levels: Vec<_> = results.iter().filter_map(|result| result["level"].as_str()).collect();
        assert_eq!(levels, ["error", "warning", "error", "note"]);
        // two letters of one code point each, whatever they take in UTF-8 or UTF-16
        let region = json!({ "startLine": 2, "startColumn": 10, "endLine": 2, "endColumn": 13 });
        assert_eq!(results[0]["locations"][0]["physicalLocation"]["region"], region);
        assert_eq!(results[0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "pools.p");
        assert_eq!(results[1]["locations"][0]["physicalLocation"]["region"], json!({ "startLine": 1 }));
        assert_eq!(results[1]["message"]["text"], "every account is in x\none\nhelp: add one");
    }

    #[test]
    fn fingerprints_outlive_a_move_and_tell_repetitions_apart() {
        let print = |document: &Value, n: usize| {
            document["runs"][0]["results"][n]["partialFingerprints"]["primaryLocationLineHash"].to_string()
        };
        let document = document();
        assert_eq!(print(&document, 0).replace(":1", ":2"), print(&document, 2));
        assert_ne!(print(&document, 0), print(&document, 1));
        let problem = Diagnostic::new(code::POOL_SIZE, "`p` has 0 members").at("pools.p");
        assert_eq!(fingerprint(&problem, "  p: {}"), fingerprint(&problem, "p: {}  "));
        assert_ne!(fingerprint(&problem, "p: {}"), fingerprint(&problem, "p: [ ]"));
    }

    #[test]
    fn files_outside_the_repository_have_an_absolute_address() {
        let of = |file: &str, root: &str| artifact(Path::new(file), Path::new(root));
        assert_eq!(of("/other/ü#.yaml", "/repo"), json!({ "uri": "file:///other/%C3%BC%23.yaml" }));
        assert_eq!(of("/repo/x/y.yaml", "/repo")["uri"], "x/y.yaml");
    }
}
