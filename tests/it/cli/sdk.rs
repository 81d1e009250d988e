//! A client of somebody else's: the Azure SDK for Python deploys, lists, deletes and purges through the emulator.

use super::emulator::Server;
use super::{Place, root};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

/// A Python that has the SDK: that of `.ci/run`, else the system's.
fn python() -> Option<PathBuf> {
    let own = root().join("target/azure-sdk/bin/python");
    let python = if own.exists() { own } else { "python3".into() };
    let modules = "import azure.mgmt.apimanagement, azure.mgmt.cognitiveservices, azure.mgmt.resource.deployments, azure.mgmt.resource.resources";
    let there = Command::new(&python).args(["-c", modules]).output().is_ok_and(|ran| ran.status.success());
    there.then_some(python)
}

#[test]
fn the_sdk_for_python_finds_an_azure() {
    let Some(python) = python() else {
        println!("skipped: python3 has no Azure SDK; .ci/run installs it");
        return;
    };
    let place = Place::new();
    let server = Server::with(&place, &["--time-scale", "6000"]);
    let ran = super::ran(
        Command::new(python)
            .arg(root().join("tests/it/cli/sdk.py"))
            .args([format!("http://{}", server.address), server.token.clone()])
            .current_dir(place.path("")),
    )
    .exits(0);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let wanted = json!({
        "deployment": "Succeeded",
        "outputs": {"endpoint": "https://aoai-sdk.openai.azure.com/"},
        "operations": 4,
        "accounts": ["aoai-sdk"],
        "models": [["gpt", 10]],
        "services": ["apim-sdk"],
        "missing": "ResourceNotFound",
        "broken": "InvalidTemplate",
        "deleted": ["aoai-sdk"],
        "deleted_services": ["apim-sdk"],
        "left": [],
        "group": false,
    });
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(told[name], *value, "{name}");
    }
    assert!(told["keys"].as_u64() > Some(20), "{told}");
}
