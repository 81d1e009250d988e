//! A scenario: faults as a file or as the body of a request, in YAML or in JSON, which is YAML too.

use crate::azure::faults::Fault;
use crate::diagnostic::{Diagnostic, code};
use crate::spec;
use schemars::JsonSchema;
use serde::Deserialize;

/// The whole of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// The faults, in the order in which they are looked at.
    faults: Vec<Fault>,
}

/// Reads a scenario. The error holds every problem, each with its place.
pub fn read(text: &str) -> Result<Vec<Fault>, Vec<Diagnostic>> {
    let (scenario, spans) = spec::document::<Scenario>(text, "scenario")?;
    let problems: Vec<Diagnostic> = scenario
        .faults
        .iter()
        .enumerate()
        .flat_map(|(index, fault)| fault.flaws().into_iter().map(move |flaw| (index, flaw)))
        .map(|(index, flaw)| {
            let of = format!("faults[{index}]");
            let key = if flaw.key.is_empty() { of } else { format!("{of}.{}", flaw.key) };
            let problem = Diagnostic::new(code::BAD_FAULT, flaw.message).help(flaw.help);
            let problem = Diagnostic { span: spans.get(&key), ..problem };
            problem.at(key)
        })
        .collect();
    if problems.is_empty() { Ok(scenario.faults) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let problems = read(text).err().unwrap_or_default();
        let line = |problem: &Diagnostic| problem.span.map_or(0, |span| spec::position(text, span.start).0);
        problems.iter().map(|problem| format!("{} {}: {}", line(problem), problem.code, problem.message)).collect()
    }

    #[test]
    fn yaml_and_json_say_the_same() {
        let yaml = "faults:\n- name: busy\n  match: { method: PUT, path: \"*/service/*\" }\n  times: 2\n  answer: { status: 429, retryAfter: 12s }\n- lag: PT5S\n";
        let json = "{\n\t\"faults\": [\n\t\t{\"name\": \"busy\", \"match\": {\"method\": \"PUT\", \"path\": \"*\\/service\\/*\"}, \"times\": 2,\n\t\t \"answer\": {\"status\": 429, \"retryAfter\": \"PT12S\"}},\n\t\t{\"lag\": \"5s\"}\n\t]\n}\n";
        let read = read(yaml).expect("YAML");
        assert_eq!(super::read(json).expect("JSON"), read);
        assert_eq!(read.len(), 2);
        // and what is told of them is read again
        let told = serde_json::json!({ "faults": read }).to_string();
        assert_eq!(super::read(&told).expect("JSON"), read);
        assert_eq!(super::read("faults: []").expect("none"), []);
    }

    #[test]
    fn everything_wrong_is_told_with_its_place() {
        let text = "faults:\n- answr: { status: 429 }\n- match: { methd: PUT }\n  answer: { status: 42 }\n- slow: soon\n- drop: later\n- {}\n";
        let told = problems(text);
        for wanted in ["2 AL0110", "3 AL0110", "4 AL0115", "5 AL0209", "6 AL0114"] {
            assert!(told.iter().any(|line| line.starts_with(wanted)), "{wanted}: {told:#?}");
        }
        assert_eq!(problems("faults:\n- {}\n- lag: 1s\n  fail: { code: A }\n").len(), 2);
        assert!(problems("faults:\n- {}\n")[0].starts_with("2 AL0606"));
        for text in
            ["", "faults", "- a", "faults: {}", "fault: []", "faults: [1]", "faults: [{lag: [1]}]", "{", "\0", "!x {}"]
        {
            assert!(!problems(text).is_empty(), "{text}");
        }
        assert!(problems("").iter().all(|line| !line.contains("the spec")), "{:?}", problems(""));
    }
}
