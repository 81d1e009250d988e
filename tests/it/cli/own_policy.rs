//! A policy template of the user's own: checked like ours, and written.

use super::Place;

const OWN: &str = r#"<policies>
  <inbound>
    <base />
    <set-header name="x-team" exists-action="override"><value>platform</value></set-header>
<% include "parts/auth.xml.j2" %>
    <set-backend-service backend-id="openai-backend-pool" />
  </inbound>
  <backend>
    <forward-request timeout="120" buffer-request-body="true" buffer-response="false" />
  </backend>
  <outbound><base /></outbound>
  <on-error><base /></on-error>
</policies>
"#;

fn place(template: &str) -> Place {
    let place = Place::quickstart();
    place.edit("quickstart.yaml", "    strategy: pool\n", "    strategy: pool\n    policy: { template: own.xml.j2 }\n");
    place.write("own.xml.j2", template);
    place
}

#[test]
fn it_is_written_and_read_from_beside_the_spec() {
    let place = place(OWN);
    place.run("validate quickstart.yaml").exits(0);
    place.run("render quickstart.yaml -o out").exits(0);
    let policy = place.read("out/policy.xml");
    assert!(policy.contains("x-team") && policy.contains("authentication-managed-identity"), "{policy}");
    assert!(place.read("out/main.json").contains("x-team"));
    place.run("lint out/policy.xml").exits(0);
    place.run("deploy quickstart.yaml --cloud local --yes").exits(0);
    place.run("plan quickstart.yaml --cloud local --detailed-exitcode").exits(0);
    place.run("validate sub/../quickstart.yaml").exits(4).says("AL0101");
}

#[test]
fn what_it_may_not_say_is_told_with_its_line() {
    let said = |template: &str, code: &str| {
        let place = place(template);
        let run = place.run("validate quickstart.yaml").exits(4).says(code).says("own.xml.j2");
        place.run("render quickstart.yaml -o out").exits(4);
        assert!(!place.path("out").exists(), "something was written");
        run.err
    };
    assert!(said("<policies>\n<% if %></policies>", "AL0401").contains("line 2"));
    said("<policies>\n<inbound>", "AL0402");
    said(
        &OWN.replace("<set-header name", "<set-haeder name")
            .replace("</set-header>", "</set-haeder>")
            .replace("timeout=\"120\"", "timeout=\"soon\""),
        "AL0806",
    );
    said(&OWN.replace("<backend>", "<backend><base />"), "AL0809");
    let place = Place::quickstart();
    place.edit(
        "quickstart.yaml",
        "    strategy: pool\n",
        "    strategy: pool\n    policy: { template: gone.xml.j2 }\n",
    );
    place.run("validate quickstart.yaml").exits(4).says("AL0235");
}

#[test]
fn its_pitfalls_are_told_and_can_be_meant() {
    let place = place(&OWN.replace(" buffer-response=\"false\"", ""));
    place.run("validate quickstart.yaml").exits(0).says("AL0832").says("own.xml.j2 gives, line");
    let text = place.read("quickstart.yaml");
    place.write("quickstart.yaml", &format!("{text}\nsilence: {{ AL0832: nobody streams here }}\n"));
    let ran = place.run("validate quickstart.yaml").exits(0);
    assert!(!ran.err.contains("AL0832") && !ran.err.contains("AL0317"), "{}", ran.err);
}
