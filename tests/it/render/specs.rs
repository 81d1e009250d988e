//! Any valid spec, rendered: what a person may write, beside the topologies that a program may hold.

#[path = "../../../src/spec/tests/any.rs"]
mod any_spec;

use super::cases;
use super::laws::two_printers_agree;
use aoai_lb::diagnostic::{Diagnostic, Severity};
use aoai_lb::spec::{Loaded, Options, load, schema};
use aoai_lb::topology::Topology;
use aoai_lb::{policy, template};
use proptest::prelude::*;

fn files(path: &str) -> Result<String, String> {
    match path {
        "openapi.json" => Ok(r#"{ "openapi": "3.0.1", "servers": [], "paths": { "/chat": {} } }"#.into()),
        "own.xml.j2" => Ok("<policies>\n  <inbound><base /></inbound>\n  <backend><forward-request /></backend>\n  <outbound><base /></outbound>\n  <on-error><base /></on-error>\n</policies>\n".into()),
        other => Err(format!("no {other}")),
    }
}

/// What `validate` holds against a spec.
fn checked(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    let loaded = load(text, &Options { files: &files, ..Options::default() })?;
    let found = [policy::problems(&loaded.topology), template::problems(&loaded.topology)].concat();
    let problems = loaded.placed(found);
    if problems.iter().any(|problem| problem.severity == Severity::Error) { Err(problems) } else { Ok(loaded) }
}

fn valid(seed: u64) -> Option<Loaded> {
    let refused = |text: &str| {
        let problems = checked(text).err().unwrap_or_default();
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        errors.map(|problem| problem.key.clone().unwrap_or_default()).collect()
    };
    let spec = any_spec::repaired(any_spec::spec(&schema(), seed), refused)?;
    checked(&spec.to_string()).ok()
}

/// The topologies of so many specs, the same ones each time.
pub fn some(number: u64) -> Vec<(String, Topology)> {
    let found = (0..).filter_map(|seed| Some((format!("spec-{seed}"), valid(seed)?.topology)));
    found.take(usize::try_from(number).unwrap_or(usize::MAX)).collect()
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn the_compiler_makes_our_json_of_any_spec(seed in any::<u64>()) {
        let loaded = (0..32).find_map(|more| valid(seed.wrapping_add(more))).expect("a valid spec");
        two_printers_agree(&loaded.topology);
    }
}
