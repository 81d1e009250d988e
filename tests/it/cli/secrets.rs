//! Keys that somebody wrote down stand in nothing that the program writes; roles that somebody else assigns.

use super::Place;

const KEY: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn a_key_is_refused_and_shown_nowhere() {
    let place = Place::quickstart();
    place.edit(
        "quickstart.yaml",
        "tags: { sample: quickstart }",
        &format!("tags: {{ team: \"the key {KEY}\", {KEY}: x }}"),
    );
    for line in [
        "validate quickstart.yaml",
        "validate quickstart.yaml -vv --output json",
        "validate quickstart.yaml --sarif s.sarif --events e.ndjson",
        "render quickstart.yaml -o out",
        "render quickstart.yaml --expanded",
        "plan quickstart.yaml --cloud local",
        "simulate --trace none.csv quickstart.yaml",
    ] {
        let ran = place.run(line).exits(4);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains("AL0212") && !said.contains(KEY), "{line}: {said}");
    }
    for file in ["s.sarif", "e.ndjson"] {
        assert!(!place.read(file).contains(KEY), "{file}");
    }
    assert!(!place.path("out").exists());
    place.run("validate quickstart.yaml").says("team: \"*** *** ********************************\"");
}

#[test]
fn roles_that_are_printed_are_in_no_template() {
    let place = Place::quickstart();
    let text = place.read("quickstart.yaml");
    place.write("quickstart.yaml", &format!("{text}\nroles: print\n"));
    let ran = place.run("render quickstart.yaml -o out").exits(0).says("az role assignment create");
    assert!(ran.err.contains("output() { az deployment group show --name main"), "{}", ran.err);
    assert!(!place.path("out/modules").exists() && !place.read("out/main.json").contains("roleAssignments"));
    // the commands ask for what the template answers
    let main = place.read("out/main.bicep");
    for output in ["output gatewayId string", "output accounts object"] {
        assert!(main.contains(output), "{output}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&place.run("render quickstart.yaml --output json").exits(0).out).unwrap();
    let commands = json["data"]["roleCommands"].as_array().or(json["roleCommands"].as_array()).unwrap();
    assert!(commands.len() >= 4, "{json}");
    place.write("quickstart.yaml", &format!("{text}\nroles: check\n"));
    let ran = place.run("render quickstart.yaml -o out").exits(0);
    assert!(!ran.err.contains("az role"), "{}", ran.err);
}
