//! `init`: what one begins with.

use super::Place;

const INIT: &str = "init --name contoso-ai --email ai@contoso.com";

#[test]
fn what_is_written_is_valid_and_deploys() {
    let place = Place::new();
    place.run(INIT).exits(0).says("wrote");
    assert!(place.read("aoai-lb.yaml").starts_with("# yaml-language-server: $schema=./aoai-lb.schema.json\n"));
    let schema: serde_json::Value = serde_json::from_str(&place.read("aoai-lb.schema.json")).unwrap();
    assert_eq!(schema, place.run("schema --output json").exits(0).json()["schema"]);
    let validated = place.run("validate").exits(0);
    assert!(!validated.err.contains("warning"), "{}", validated.err);
    place.run("render --expanded").exits(0);
    place.run("deploy --cloud local --yes").exits(0);
    place.run("plan --cloud local --detailed-exitcode").exits(0);
}

#[test]
fn nothing_is_written_over_without_being_told_to() {
    let place = Place::new();
    place.write("aoai-lb.yaml", "mine");
    place.run(INIT).exits(1).says("AL0911");
    assert_eq!(place.read("aoai-lb.yaml"), "mine");
    place.run(&format!("{INIT} --force")).exits(0);
    assert_ne!(place.read("aoai-lb.yaml"), "mine");
    place.run(&format!("{INIT} sub/folder")).exits(0);
    assert!(place.path("sub/folder/aoai-lb.yaml").exists());
}

#[test]
fn a_wrong_answer_writes_nothing() {
    let place = Place::new();
    place
        .run("init --name Contoso --email nobody --model gpt-99")
        .exits(4)
        .says("AL0202")
        .says("AL0116")
        .says("AL0114");
    assert!(!place.path("aoai-lb.yaml").exists());
}
