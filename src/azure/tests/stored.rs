//! The file's text: what an earlier version wrote is read, what a later one wrote is not, and nothing else is taken for one.

use super::fuzz::config;
use super::*;
use proptest::prelude::{Just, prop_assert, prop_oneof, proptest};

/// Written by the first version of the program, with an account, one of its deployments, a soft-deleted account, a template
/// deployment that has ended, and, three seconds before, a service and another deployment that have begun.
const FORMAT_1: &str = include_str!("state-format-1.json");

const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-old";

/// A bench that goes on from a text of format 1, at the moment of its last request.
fn old() -> Bench {
    let world = World::from_json(FORMAT_1).expect("format 1");
    let now = world.state.resources.values().map(|resource| resource.created).max().expect("resources");
    Bench { world, now: now + Duration::from_secs(4) }
}

#[test]
fn format_1_is_read_and_goes_on() {
    let mut bench = old();
    assert_eq!((bench.world.state.format, bench.world.revision()), (state::FORMAT, 9));
    let path = |rest: &str| format!("{GROUP}/providers/{rest}");
    let state = |bench: &mut Bench, rest: &str, version: &str| {
        let (status, body) = bench.get(&path(rest), version);
        assert_eq!(status, 200, "{rest}: {body}");
        body["properties"]["provisioningState"].as_str().unwrap_or("").to_string()
    };
    assert_eq!(state(&mut bench, "Microsoft.CognitiveServices/accounts/aoai-old", COGNITIVE), "Succeeded");
    assert_eq!(
        state(&mut bench, "Microsoft.CognitiveServices/accounts/aoai-old/deployments/gpt", COGNITIVE),
        "Succeeded"
    );
    assert_eq!(state(&mut bench, "Microsoft.ApiManagement/service/apim-old", APIM), "Created");
    assert_eq!(state(&mut bench, "Microsoft.Resources/deployments/done", "2024-03-01"), "Succeeded");
    assert_eq!(state(&mut bench, "Microsoft.Resources/deployments/running", "2024-03-01"), "Running");
    bench.wait(3600);
    assert_eq!(state(&mut bench, "Microsoft.ApiManagement/service/apim-old", APIM), "Succeeded");
    assert_eq!(state(&mut bench, "Microsoft.Resources/deployments/running", "2024-03-01"), "Succeeded");
    assert_eq!(state(&mut bench, "Microsoft.CognitiveServices/accounts/aoai-three", COGNITIVE), "Succeeded");
    let gone = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/deletedAccounts");
    assert_eq!(bench.get(&gone, COGNITIVE).1["value"].as_array().map(Vec::len), Some(1));
    // and is written anew in today's format, whole
    assert_eq!(bench.send(Method::Delete, &format!("{GROUP}?x=1"), "2024-03-01", Value::Null).status, 202);
    let text = bench.world.to_json();
    let again = World::from_json(&text).expect("today's format");
    assert_eq!((again.state.format, &again.state), (state::FORMAT, &bench.world.state));
}

#[test]
fn a_newer_format_is_said_and_none_is_invented() {
    let newer = World::from_json("{\"format\": 99}");
    assert_eq!(newer.err(), Some(Unreadable::Format(99)));
    let whole = old().world.to_json();
    for text in
        ["", "{}", "[]", "[1]", "null", "{\"format\": \"1\"}", "{\"format\": -1}", "{\"format\": 0}", "{\"format\": 1}"]
    {
        assert!(matches!(World::from_json(text), Err(Unreadable::Malformed(_))), "{text}");
    }
    let wrong = whole.replacen("\"serial\":", "\"serial\":{},\"old\":", 1);
    assert!(matches!(World::from_json(&wrong), Err(Unreadable::Malformed(_))));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn half_a_text_is_none(cut in 0..FORMAT_1.len(), tail in prop_oneof![Just(""), Just("\u{0}"), Just("}")]) {
        let mut cut = cut;
        while !FORMAT_1.is_char_boundary(cut) {
            cut -= 1;
        }
        let half = format!("{}{tail}", &FORMAT_1[..cut]);
        prop_assert!(cut + 2 >= FORMAT_1.len() || matches!(World::from_json(&half), Err(Unreadable::Malformed(_))));
    }
}
