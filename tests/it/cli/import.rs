//! `import`: a template or a policy becomes a spec.

use super::Place;

/// A service, an account, a pool of one, and what no spec says.
const TEMPLATE: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": { "email": { "type": "string" } },
  "resources": [
    {
      "type": "Microsoft.CognitiveServices/accounts",
      "apiVersion": "2024-10-01",
      "name": "contoso-east",
      "location": "eastus2",
      "kind": "OpenAI",
      "sku": { "name": "S0" },
      "properties": { "customSubDomainName": "contoso-east", "disableLocalAuth": true }
    },
    {
      "type": "Microsoft.CognitiveServices/accounts/deployments",
      "apiVersion": "2024-10-01",
      "name": "contoso-east/chat",
      "sku": { "name": "GlobalStandard", "capacity": 100 },
      "properties": { "model": { "format": "OpenAI", "name": "gpt-5.1", "version": "2025-11-13" } }
    },
    {
      "type": "Microsoft.ApiManagement/service",
      "apiVersion": "2024-05-01",
      "name": "apim-contoso",
      "location": "eastus2",
      "sku": { "name": "BasicV2", "capacity": 1 },
      "identity": { "type": "SystemAssigned" },
      "properties": { "publisherName": "Contoso", "publisherEmail": "[parameters('email')]" }
    },
    {
      "type": "Microsoft.ApiManagement/service/backends",
      "apiVersion": "2024-05-01",
      "name": "apim-contoso/east",
      "properties": { "protocol": "http", "url": "https://contoso-east.openai.azure.com/openai/deployments/chat" }
    },
    {
      "type": "Microsoft.ApiManagement/service/backends",
      "apiVersion": "2024-05-01",
      "name": "apim-contoso/chat",
      "properties": { "type": "Pool", "pool": { "services": [{ "id": "/backends/east" }] } }
    },
    { "type": "Microsoft.Storage/storageAccounts", "apiVersion": "2023-01-01", "name": "logs", "location": "eastus2" }
  ]
}
"#;

#[test]
fn a_template_becomes_a_spec_and_what_is_lost_is_said() {
    let place = Place::new();
    place.write("main.json", TEMPLATE);
    let run = place.run("import main.json --resource-group rg-contoso").exits(0);
    run.snapshot("import-template");
    let json = place.run("import main.json --resource-group rg-contoso --output json").exits(0).json();
    assert_eq!((json["spec"].as_str().unwrap(), &json["missing"][0]), (&*run.out, &"gateway.publisher.email".into()));
    assert!(json["diagnostics"].as_array().unwrap().iter().all(|said| said["place"]["line"].is_u64()));
    place.write("given.json", r#"{ "parameters": { "email": { "value": "ai@contoso.com" } } }"#);
    place.run("import main.json --parameters given.json --resource-group rg-contoso -o aoai-lb.yaml").exits(0);
    place.run("validate").exits(0).says("is valid");
}

#[test]
fn a_spec_that_is_there_is_not_written_over() {
    let place = Place::new();
    place.write("main.json", TEMPLATE);
    place.write("aoai-lb.yaml", "mine");
    place.run("import main.json -o aoai-lb.yaml").exits(1).says("AL0858").says("--force");
    assert_eq!(place.read("aoai-lb.yaml"), "mine");
    place.run("import main.json -o aoai-lb.yaml --force").exits(0);
    assert!(place.read("aoai-lb.yaml").starts_with("# Made by `aoai-lb import` from main.json."));
    place.run("import main.json -o no/such/folder.yaml").exits(1).says("AL0905");
}

#[test]
fn other_files_are_refused() {
    let place = Place::new();
    place.write("spec.yaml", "version: 1");
    place.write("empty.json", "{}");
    place.write("broken.xml", "<policies><inbound>");
    place.write("given.json", "[]");
    place.write("main.json", TEMPLATE);
    for file in ["spec.yaml", "empty.json", "broken.xml", "missing.json", "main.json --parameters given.json"] {
        let run = place.run(&format!("import {file}")).exits(4);
        assert!(run.out.is_empty() && run.err.contains("error[AL0"), "{file}");
    }
    place.run("import").exits(64);
    place.run("import main.json --force").exits(64);
}

#[test]
fn what_render_writes_is_read_from_standard_input() {
    let place = Place::with_examples();
    place.run("render examples/quickstart.yaml -o out").exits(0);
    let mut command = place.command(&["import", "-", "--resource-group", "rg-contoso-ai", "--location", "eastus2"]);
    command.stdin(std::fs::File::open(place.path("out/main.json")).unwrap());
    let run = super::ran(&mut command).exits(0);
    assert!(run.out.contains("\nname: apim-lbpool\n"), "{}", run.out);
    assert_eq!(run.out.matches("strategy: pool").count(), 1);
}
