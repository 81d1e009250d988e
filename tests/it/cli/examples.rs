//! Every example does what its comments say, and nothing that `lint` would find.

use super::{Place, examples};

/// What a trace without names is about, for the examples that serve more than one.
fn about(example: &str) -> &'static str {
    match example {
        "environments" | "round-robin" => "--deployment gpt-5.4-mini",
        "multi-model" | "v1" => "--deployment gpt-5.1",
        "teams" => "--api openai --deployment gpt-5.1",
        _ => "",
    }
}

#[test]
fn every_example_validates_renders_and_simulates() {
    let place = Place::quickstart();
    for name in examples() {
        let validated = place.run(&format!("validate {name}.yaml")).exits(0);
        assert!(!validated.err.contains("warning"), "{name}: {}", validated.err);
        place.run(&format!("render {name}.yaml -o out-{name}")).exits(0);
        place.run(&format!("render {name}.yaml -o out-{name} --check")).exits(0);
        let line = format!("simulate {name}.yaml --trace traces/burst.csv {}", about(&name));
        let report = place.run(&format!("{line} --output json")).exits(0).json();
        let served: u64 = report["report"]["backends"]
            .as_array()
            .unwrap_or_else(|| panic!("{name}: {report}"))
            .iter()
            .filter_map(|backend| backend["served"].as_u64())
            .sum();
        assert!(served > 100, "{name}: {served} of 707 calls were served");
        assert_eq!(place.run(&line).exits(0).out, place.run(&line).exits(0).out, "{name}: two runs differ");
    }
}

#[test]
fn every_example_deploys_plans_to_no_change_and_is_destroyed() {
    let mut made_keys = false;
    for name in examples() {
        let place = Place::quickstart();
        // every key that the local Azure makes holds this word, and none is told
        let run = |line: &str| {
            let ran = place.run(&format!("{line} --cloud local --time-scale 6000 -vv --events events.ndjson"));
            let told = [ran.out.as_str(), ran.err.as_str(), &place.read("events.ndjson")].concat();
            assert!(!told.contains("CANARY"), "{name}: {line}: {told}");
            ran
        };
        run(&format!("plan {name}.yaml --detailed-exitcode")).exits(2);
        run(&format!("deploy {name}.yaml --yes")).exits(0);
        run(&format!("plan {name}.yaml --detailed-exitcode")).exits(0);
        run(&format!("deploy {name}.yaml --yes")).exits(0).says("Nothing to change");
        made_keys |= place.read(".aoai-lb/local/state.json").contains("CANARY");
        run(&format!("destroy {name}.yaml --yes --purge-soft-deleted")).exits(0);
        let state: serde_json::Value = serde_json::from_str(&place.read(".aoai-lb/local/state.json")).unwrap();
        let ours = |part: &str| {
            let all = state[part].as_object().unwrap_or_else(|| panic!("{name}: no {part}"));
            // what was on its way when the last write was stored has gone by now
            let going = |one: &serde_json::Value| one["deleting"] == true || one["purging"] == true;
            let marked = |one: &&serde_json::Value| one.to_string().contains("aoai-lb") && !going(one);
            all.values().filter(marked).map(ToString::to_string).collect::<Vec<_>>()
        };
        for part in ["groups", "resources", "deleted"] {
            assert_eq!(ours(part), Vec::<String>::new(), "{name}: {part}");
        }
        run(&format!("destroy {name}.yaml --yes")).exits(0).says("owns nothing here");
    }
    assert!(made_keys);
}

#[test]
fn rotation_is_even_and_priorities_are_kept() {
    let place = Place::quickstart();
    let backends = |name: &str| {
        let line = format!("simulate {name}.yaml --trace traces/burst.csv {} --output json", about(name));
        place.run(&line).exits(0).json()["report"]["backends"].as_array().unwrap().clone()
    };
    let of = |all: &[serde_json::Value], key: &str, member: &str| {
        let found = all.iter().find(|backend| backend["backend"] == key).unwrap_or_else(|| panic!("no {key}"));
        found[member].as_u64().unwrap()
    };
    // the published sample sends every first attempt to one of its two accounts (facts/seeds.md 1.3)
    let rotation = backends("round-robin");
    let (one, two) = ("uks-gpt-5.4-mini", "wus-gpt-5.4-mini");
    // a call of three attempts gives one of the two one more
    let (one, two) = (of(&rotation, one, "attempts"), of(&rotation, two, "attempts"));
    assert!(one.abs_diff(two) * 50 < one, "{one} {two}");
    // a lower priority serves what the higher ones cannot
    let smart = backends("smart");
    let first = of(&smart, "eastus", "served") + of(&smart, "northcentralus", "served");
    assert!(first > 10 * of(&smart, "partner", "served"), "{smart:?}");
    let ptu = backends("ptu-spillover");
    assert!(of(&ptu, "ptu", "served") > of(&ptu, "eastus2", "served"), "{ptu:?}");
}
