//! `lint`: other people's files, with the places of what is wrong in them.

use super::Place;
use std::io::Write;
use std::process::Stdio;

/// A policy as people write it, in `rawxml`: one error, some warnings, a note.
const POLICY: &str = r#"<policies>
    <inbound>
        <base />
        <set-backend-service id="lb" backend-id="openai-pool" />
    </inbound>
    <backend>
        <retry condition="@(context.Response.StatusCode == 429 && context.Response.StatusReason == "busy")" count="60" interval="1">
            <forward-request buffer-request-body="true" />
        </retry>
    </backend>
    <outbound>
        <base />
    </outbound>
</policies>
"#;

/// A template whose policy names a pool that it does not wait for.
const TEMPLATE: &str = r#"{
  "variables": {
    "xml": "<policies>\n  <inbound>\n    <set-header name=\"api-key\" exists-action=\"delete\" />\n    <authentication-managed-identity resource=\"https://cognitiveservices.azure.com\" />\n    <set-backend-service backend-id=\"pool\" />\n  </inbound>\n  <outbound>\n    <forward-request />\n  </outbound>\n</policies>"
  },
  "resources": [
    {
      "type": "Microsoft.ApiManagement/service/backends",
      "apiVersion": "2024-05-01",
      "name": "gateway/pool",
      "properties": { "type": "Pool", "url": "https://example.com", "pool": { "services": [] } }
    },
    {
      "type": "Microsoft.ApiManagement/service/apis/policies",
      "apiVersion": "2024-05-01",
      "name": "gateway/openai/policy",
      "properties": { "format": "rawxml", "value": "[variables('xml')]" }
    }
  ]
}
"#;

#[test]
fn findings_stand_in_their_place() {
    let place = Place::new();
    place.write("policy.xml", POLICY);
    place.run("lint policy.xml").exits(4).snapshot("lint-policy");
    place.write("main.json", TEMPLATE);
    place.run("lint main.json").exits(4).snapshot("lint-template");
    let document = place.run("lint policy.xml --output json").exits(4).json();
    assert_eq!((&document["file"], &document["kind"]), (&"policy.xml".into(), &"policy".into()));
    let first = &document["diagnostics"][0];
    assert_eq!((&first["code"], &first["place"]["line"]), (&"AL0831".into(), &4.into()));
}

#[test]
fn warnings_alone_are_no_failure() {
    let place = Place::new();
    place.write("policy.xml", &POLICY.replace("count=\"60\"", "count=\"3\""));
    place.run("lint policy.xml").exits(0).says("policy.xml: 5 warnings, 1 note.");
    place.write("right.xml", "<policies><inbound><base /></inbound></policies>");
    place.run("lint right.xml").exits(0).says("nothing found");
    assert_eq!(place.run("lint right.xml --output json").exits(0).json()["diagnostics"], serde_json::json!([]));
    place.write("fragment.xml", "<fragment><set-method>GET</set-method></fragment>");
    place.run("lint fragment.xml").exits(0).says("nothing found");
}

#[test]
fn what_is_neither_is_refused_by_name() {
    let place = Place::new();
    place.write("main.bicep", "param x string\n");
    place.run("lint main.bicep").exits(4).snapshot("lint-bicep");
    place.write("a.json", "[1]");
    place.run("lint a.json").exits(4).says("AL0802");
    place.write("b.json", "{ \"a\": }");
    place.run("lint b.json").exits(4).says("AL0802").says("b.json:1:8");
    place.write("c.xml", "<policies>");
    place.run("lint c.xml").exits(4).says("AL0801");
    place.run("lint nowhere.xml").exits(4).says("AL0101").says("check the path");
    place.run("lint").exits(64);
}

#[test]
fn standard_input_is_read() {
    let place = Place::new();
    let mut command = place.command(&["lint", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(TEMPLATE.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("standard input:") && told.contains("AL0842"), "{told}");
}

#[test]
fn our_own_renderings_have_no_finding() {
    let place = Place::with_examples();
    let mut specs: Vec<String> = std::fs::read_dir(place.path("examples"))
        .unwrap()
        .filter_map(|entry| {
            entry.unwrap().file_name().to_str().and_then(|name| name.strip_suffix(".yaml")).map(String::from)
        })
        .collect();
    specs.sort();
    assert!(specs.len() >= 3, "{specs:?}");
    for spec in specs {
        place.run(&format!("render examples/{spec}.yaml -o {spec}")).exits(0);
        let mut files = vec![format!("{spec}/main.json"), format!("{spec}/policy.xml")];
        let policies = std::fs::read_dir(place.path(&format!("{spec}/policies"))).into_iter().flatten();
        files.extend(policies.map(|entry| format!("{spec}/policies/{}", entry.unwrap().file_name().to_string_lossy())));
        for file in files.iter().filter(|file| place.path(file).exists()) {
            place.run(&format!("lint {file}")).exits(0).says("nothing found");
        }
    }
}
