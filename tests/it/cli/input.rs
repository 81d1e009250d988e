//! Bad input: each a clear message with place and cure, the right exit code, and nothing half-written.

use super::{Place, Ran};

/// A small spec that is right, with every part that the cases below break.
const SPEC: &str = r#"version: 1
name: contoso-ai
azure: { resourceGroup: rg-contoso-ai, location: eastus2 }
gateway: { publisher: { email: ops@contoso.com } }
accounts:
  east:
    location: eastus2
    deployments:
      gpt: { model: gpt-5.1, version: "2025-11-13", capacity: 100 }
  sweden:
    location: swedencentral
    deployments:
      gpt: { model: gpt-5.1, version: "2025-11-13", capacity: 100 }
backends:
  east: { account: east, deployment: gpt, breaker: default }
  sweden: { account: sweden, deployment: gpt, breaker: default }
pools:
  gpt:
    members:
      - { backend: east, weight: 10 }
      - { backend: sweden, weight: 20 }
"#;

/// `validate` of the spec with one place changed.
fn validate(from: &str, to: &str) -> Ran {
    assert_eq!(SPEC.matches(from).count(), 1, "`{from}`");
    let place = Place::new();
    place.write("spec.yaml", &SPEC.replace(from, to));
    place.run("validate spec.yaml")
}

#[test]
fn the_spec_that_is_broken_below_is_right() {
    let place = Place::new();
    place.write("spec.yaml", SPEC);
    place.run("validate spec.yaml").exits(0).says("is valid");
}

#[test]
fn a_missing_file_is_named() {
    let place = Place::new();
    place.run("validate nowhere.yaml").exits(4).snapshot("missing-file");
    place.run("validate").exits(64).snapshot("no-spec");
    place.write("folder/x", "");
    place.run("validate folder").exits(4).says("AL0101").says("is a folder").says("name the file in it");
    std::fs::write(place.path("utf16.yaml"), b"\xff\xfev\0e\0").unwrap();
    place.run("validate utf16.yaml").exits(4).says("UTF-16").says("save it as UTF-8");
    place.write("long.yaml", &"# a comment\n".repeat(100_000));
    place.run("validate long.yaml").exits(4).says("AL0101").says("longer than 1048576 bytes").says("check the path");
    std::fs::write(place.path("latin1.yaml"), b"name: caf\xe9\n").unwrap();
    place.run("validate latin1.yaml").exits(4).says("AL0101").says("not UTF-8 at byte 9");
}

#[test]
fn broken_yaml_points_at_the_place() {
    validate("  east:\n    location", "  east: [\n    location").exits(4).snapshot("broken-yaml");
}

#[test]
fn wrong_types_are_all_told_at_once() {
    let place = Place::new();
    let text = SPEC
        .replace("capacity: 100 }\n  sweden", "capacity: many }\n  sweden")
        .replace("version: 1\n", "version: one\n");
    place.write("spec.yaml", &text.replace("weight: 20", "wieght: 20"));
    place.run("validate spec.yaml").exits(4).snapshot("wrong-types");
}

#[test]
fn an_unknown_reference_gets_a_suggestion() {
    validate("backend: sweden, weight", "backend: swedn, weight").exits(4).snapshot("unknown-reference");
}

#[test]
fn a_weight_of_101_is_refused() {
    validate("weight: 20", "weight: 101").exits(4).snapshot("weight-101");
}

#[test]
fn two_breaker_rules_are_refused() {
    let to = "breaker: [default, ptu] }\n  sweden: { account: sweden";
    validate("breaker: default }\n  sweden: { account: sweden", to).exits(4).snapshot("two-breaker-rules");
}

#[test]
fn a_pool_of_31_members_is_refused() {
    let mut text = SPEC.split("accounts:").next().unwrap().to_owned();
    text.push_str("accounts:\n  east:\n    location: eastus2\n    deployments:\n");
    for n in 1..=31 {
        text.push_str(&format!("      d{n}: {{ model: gpt-5.1, version: \"2025-11-13\", capacity: 1 }}\n"));
    }
    text.push_str("pools:\n  gpt:\n    members:\n");
    for n in 1..=31 {
        text.push_str(&format!("      - {{ backend: east-d{n} }}\n"));
    }
    let place = Place::new();
    place.write("spec.yaml", &text);
    place.run("validate spec.yaml").exits(4).snapshot("pool-of-31");
}

#[test]
fn two_backends_with_one_url_are_refused() {
    let from = "sweden: { account: sweden, deployment: gpt, breaker";
    validate(from, "sweden: { account: east, deployment: gpt, breaker").exits(4).snapshot("two-backends-one-url");
}

#[test]
fn a_missing_variable_is_told_at_its_line() {
    validate("resourceGroup: rg-contoso-ai", "resourceGroup: \"${NO_SUCH_GROUP}\"")
        .exits(4)
        .snapshot("missing-variable");
}

#[test]
fn every_command_tells_a_wrong_spec_alike() {
    let place = Place::new();
    place.write("spec.yaml", &SPEC.replace("weight: 20", "weight: 101"));
    place.write("trace.csv", "");
    for command in [
        "render spec.yaml",
        "render spec.yaml -o out",
        "render spec.yaml -o out --check",
        "render spec.yaml --expanded",
        "plan spec.yaml --cloud local",
        "deploy spec.yaml --cloud local --yes",
        "destroy spec.yaml --cloud local --yes",
        "simulate spec.yaml --trace trace.csv",
    ] {
        let run = place.run(command).exits(4).says("spec.yaml:21:36");
        assert_eq!(run.out, "", "{command}");
        let json = place.run(&format!("{command} --output json")).json();
        assert_eq!(json["diagnostics"][0]["place"]["line"], 21, "{command}");
    }
    assert!(!place.path("out").exists() && !place.path(".aoai-lb").exists(), "something was written");
}

#[test]
fn a_state_that_cannot_be_read_is_moved_aside_and_named() {
    let place = Place::quickstart();
    place.write(".aoai-lb/local/state.json", "this is no state");
    place.run("plan quickstart.yaml --cloud local").exits(1).snapshot("damaged-state");
    assert_eq!(place.read(".aoai-lb/local/state.json.damaged-1"), "this is no state");
    place.write(".aoai-lb/local/state.json", "{\"format\":99}");
    place.run("deploy quickstart.yaml --cloud local --yes").exits(1).says("AL0602");
    assert_eq!(place.read(".aoai-lb/local/state.json"), "{\"format\":99}");
}
