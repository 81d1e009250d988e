//! `validate --sarif`: what code scanning reads, also where the spec is wrong.

use super::Place;
use serde_json::{Value, json};

fn results(document: &Value) -> Vec<(String, String, u64)> {
    let results = document["runs"][0]["results"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    results
        .iter()
        .map(|result| {
            let line = &result["locations"][0]["physicalLocation"]["region"]["startLine"];
            (text(&result["ruleId"]), text(&result["level"]), line.as_u64().unwrap())
        })
        .collect()
}

#[test]
fn a_wrong_spec_is_written_too_with_an_address_from_the_repository() {
    let place = Place::quickstart();
    std::fs::create_dir(place.path(".git")).unwrap();
    place.write("deep/er/x", "");
    let text =
        place.read("quickstart.yaml").replace("weight: 10 ", "weight: 101 ").replace("ai-platform@", "publisher@");
    place.write("deep/my spec.yaml", &text);
    let mut command = place.command(&["validate", "../my spec.yaml", "--sarif", "../../out.sarif"]);
    let status = command.current_dir(place.path("deep/er")).status().unwrap();
    assert_eq!(status.code(), Some(4));
    let document: Value = serde_json::from_str(&place.read("out.sarif")).unwrap();
    let line = |what: &str| text.lines().position(|line| line.contains(what)).unwrap() as u64 + 1;
    assert_eq!(
        results(&document),
        [
            ("AL0115".into(), "error".into(), line("weight: 101")),
            ("AL0314".into(), "warning".into(), line("publisher@")),
        ]
    );
    let artifact = json!({ "uri": "deep/my%20spec.yaml", "uriBaseId": "%SRCROOT%" });
    assert_eq!(document["runs"][0]["artifacts"][0]["location"], artifact);
    assert_eq!(document["runs"][0]["invocations"][0]["exitCode"], 4);
}

#[test]
fn a_good_spec_gives_a_run_without_results() {
    let place = Place::quickstart();
    let ran = place.run("validate quickstart.yaml --sarif out.sarif");
    assert_eq!(ran.code, 0, "{ran:?}");
    let document: Value = serde_json::from_str(&place.read("out.sarif")).unwrap();
    assert_eq!(results(&document), []);
    assert_eq!(document["runs"][0]["tool"]["driver"]["name"], "aoai-lb");
}

#[test]
fn standard_output_holds_one_document() {
    let place = Place::quickstart();
    for arguments in [
        "validate quickstart.yaml --sarif -",
        "validate quickstart.yaml --sarif - --output json",
        "validate quickstart.yaml --sarif - --output json --set gateway.capacity=99",
    ] {
        let ran = place.run(arguments);
        let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        assert_eq!(document["version"], "2.1.0");
        assert_eq!(results(&document).len(), usize::from(ran.code == 4));
        assert_eq!(ran.code, if arguments.ends_with("99") { 4 } else { 0 });
    }
}

#[test]
fn a_file_that_cannot_be_written_is_told_beside_the_rest() {
    let place = Place::quickstart();
    let ran = place.run("validate quickstart.yaml --sarif no/folder/out.sarif --set gateway.capacity=99");
    assert!(ran.code == 4 && ran.err.contains("AL0205") && ran.err.contains("AL0905"), "{ran:?}");
    let ran = place.run("validate quickstart.yaml --sarif no/folder/out.sarif");
    assert!(ran.code == 1 && ran.err.contains("AL0905"), "{ran:?}");
    // a spec that is not there has no place, and is told all the same
    let ran = place.run("validate nowhere.yaml --sarif out.sarif");
    assert_eq!(ran.code, 4, "{ran:?}");
    let document: Value = serde_json::from_str(&place.read("out.sarif")).unwrap();
    assert_eq!(results(&document), [("AL0101".into(), "error".into(), 1)]);
    assert_eq!(document["runs"][0]["artifacts"][0]["location"]["uri"], "nowhere.yaml");
}

#[test]
fn models_are_judged_on_the_day_that_the_build_says() {
    let place = Place::quickstart();
    let said = |epoch: &str| {
        let output = place.command(&["validate", "quickstart.yaml"]).env("SOURCE_DATE_EPOCH", epoch).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(!said("1793491200").contains("AL032"));
    // 2027-05-01 and 2027-05-15
    assert!(said("1809129600").contains("AL0322"));
    assert!(said("1810339200").contains("AL0321"));
}

#[test]
fn a_problem_in_json_says_what_an_editor_needs() {
    let place = Place::quickstart();
    place.edit("quickstart.yaml", "weight: 10 ", "weight: 101 ");
    let document: Value = serde_json::from_str(&place.run("validate quickstart.yaml --output json").out).unwrap();
    let [problem] = document["diagnostics"].as_array().unwrap().as_slice() else { panic!("{document:#}") };
    let line = place.read("quickstart.yaml").lines().position(|line| line.contains("101")).unwrap() + 1;
    assert_eq!(
        problem,
        &json!({
            "code": "AL0115",
            "severity": "error",
            "title": "a number out of its range",
            "message": "weight 101 is above 100",
            "key": "pools.openai-backend-pool.members[0].weight",
            "place": { "file": "quickstart.yaml", "line": line, "column": 51, "endLine": line, "endColumn": 54 },
            "label": null,
            "help": "use a number from 0 to 100",
            "notes": [],
            "explain": "aoai-lb explain AL0115",
        })
    );
}

#[test]
fn findings_in_other_peoples_files_are_written_alike() {
    let place = Place::new();
    place
        .write("p.xml", "<policies>\n<inbound>\n<bse />\n</inbound>\n<backend><base /><base /></backend></policies>\n");
    place.run("lint p.xml --sarif out.sarif").exits(4);
    let document: Value = serde_json::from_str(&place.read("out.sarif")).unwrap();
    let found = results(&document);
    assert!(found.contains(&("AL0809".into(), "error".into(), 5)), "{found:?}");
    assert_eq!(document["runs"][0]["artifacts"][0]["location"]["uri"], "p.xml");
    let streamed = place.run("lint p.xml --sarif - --output json").exits(4);
    assert_eq!(serde_json::from_str::<Value>(&streamed.out).unwrap()["version"], "2.1.0");
    place.run("lint p.xml --sarif nowhere/out.sarif").exits(1).says("AL0905");
}
