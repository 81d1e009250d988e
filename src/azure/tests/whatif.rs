//! What-if: what a deployment would change.

use super::*;

const RESOURCES: &str = "2025-04-01";

fn template(resources: Value) -> Value {
    json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": resources,
    })
}

/// A service with a backend, an account with a model, and who may use it.
fn gateway() -> Value {
    let service = "[resourceId('Microsoft.ApiManagement/service', 'apim')]";
    let account = "[resourceId('Microsoft.CognitiveServices/accounts', 'aoai')]";
    template(json!([
        {"type": "Microsoft.ApiManagement/service", "apiVersion": APIM, "name": "apim", "location": "eastus2",
         "sku": {"name": "BasicV2", "capacity": 1}, "identity": {"type": "SystemAssigned"},
         "properties": {"publisherEmail": "a@contoso.com", "publisherName": "Contoso"}},
        {"type": "Microsoft.ApiManagement/service/backends", "apiVersion": APIM, "name": "apim/a",
         "properties": {"type": "Single", "protocol": "http", "url": "https://a.contoso.com"}, "dependsOn": [service]},
        {"type": "Microsoft.CognitiveServices/accounts", "apiVersion": COGNITIVE, "name": "aoai", "location": "swedencentral",
         "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {"customSubDomainName": "contoso-1"}},
        {"type": "Microsoft.CognitiveServices/accounts/deployments", "apiVersion": COGNITIVE, "name": "aoai/gpt",
         "sku": {"name": "GlobalStandard", "capacity": 10},
         "properties": {"model": {"format": "OpenAI", "name": "gpt-5.1", "version": "2025-11-13"}}, "dependsOn": [account]},
        {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01",
         "scope": account, "name": "00000000-0000-0000-0000-0000000000aa",
         "properties": {"principalId": "[reference(resourceId('Microsoft.ApiManagement/service', 'apim'), '2024-05-01', 'full').identity.principalId]",
            "principalType": "ServicePrincipal",
            "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd')]"},
         "dependsOn": [service, account]},
    ]))
}

fn order(template: Value) -> Value {
    json!({"properties": {"mode": "Incremental", "template": template}})
}

fn asked(bench: &mut Bench, path: &str, body: Value) -> Value {
    let taken = bench.send(Method::Post, &format!("{path}/whatIf"), RESOURCES, body);
    assert_eq!((taken.status, taken.body.len()), (202, 0), "{:?}", taken.value());
    assert_eq!((taken.headers.get("Azure-AsyncOperation"), taken.headers.get("Retry-After")), (None, None));
    let poll = taken.headers.get("Location").expect("an address").to_string();
    assert!(poll.contains("/operationresults/"), "{poll}");
    let running = bench.request(&Request::arm(Method::Get, poll.clone()));
    assert_eq!((running.status, running.body.len(), running.headers.get("Location").is_some()), (202, 0, true));
    bench.wait(10);
    let done = bench.request(&Request::arm(Method::Get, poll));
    assert_eq!(done.status, 200);
    done.value().expect("a result")
}

/// `Create name` and so on, in their order.
fn changes(result: &Value) -> Vec<String> {
    let all = result["properties"]["changes"].as_array().into_iter().flatten();
    all.map(|change| {
        let name = change["resourceId"].as_str().unwrap_or("").rsplit('/').next().unwrap_or("").to_string();
        format!("{} {name}", change["changeType"].as_str().unwrap_or(""))
    })
    .collect()
}

fn deltas(result: &Value) -> Vec<String> {
    let all = result["properties"]["changes"].as_array().into_iter().flatten();
    all.flat_map(|change| change["delta"].as_array().into_iter().flatten())
        .map(|delta| {
            format!("{} {}", delta["propertyChangeType"].as_str().unwrap_or(""), delta["path"].as_str().unwrap_or(""))
        })
        .collect()
}

fn deployment(bench: &Bench) -> String {
    bench.group("/providers/Microsoft.Resources/deployments/main")
}

#[test]
fn a_new_gateway_is_created_and_then_only_azures_noise_is_left() {
    let mut bench = Bench::with_group();
    let path = deployment(&bench);
    let result = asked(&mut bench, &path, order(gateway()));
    assert_eq!(result["status"], "Succeeded");
    assert_eq!(
        changes(&result),
        ["Create apim", "Create a", "Create aoai", "Create gpt", "Create 00000000-0000-0000-0000-0000000000aa"]
    );
    assert_eq!(bench.get(&path, RESOURCES).0, 404, "nothing is deployed");
    let backend = &result["properties"]["changes"][1]["after"];
    assert_eq!((&backend["name"], &backend["apiVersion"]), (&json!("a"), &json!(APIM)));

    assert_eq!(bench.send(Method::Put, &path, RESOURCES, order(gateway())).status, 201);
    bench.wait(300);
    assert_eq!(bench.get(&path, RESOURCES).1["properties"]["provisioningState"], "Succeeded");
    let again = asked(&mut bench, &path, order(gateway()));
    assert_eq!(
        changes(&again),
        ["Modify apim", "NoChange a", "NoChange aoai", "NoChange gpt", "Modify 00000000-0000-0000-0000-0000000000aa"],
        "{again}"
    );
    assert_eq!(
        deltas(&again),
        [
            "Delete properties.developerPortalStatus",
            "Delete properties.legacyPortalStatus",
            "Delete properties.natGatewayState",
            "Modify properties.principalId"
        ]
    );
    let role = &again["properties"]["changes"][4]["delta"][0];
    assert!(role["after"].as_str().is_some_and(|text| text.starts_with("[reference(resourceId(")), "{role}");

    let mut other = gateway();
    other["resources"][1]["properties"]["url"] = json!("https://b.contoso.com");
    other["resources"][3]["sku"]["capacity"] = json!(20);
    other["resources"][2]["tags"] = json!({"team": "a"});
    other["resources"].as_array_mut().expect("resources").remove(4);
    let result = asked(&mut bench, &path, order(other));
    assert_eq!(
        changes(&result),
        ["Modify apim", "Modify a", "Modify aoai", "Modify gpt"],
        "the assignment stands in no group"
    );
    let told = deltas(&result);
    assert_eq!(told[3..], ["Modify properties.url", "Create tags", "Modify sku.capacity"]);
}

#[test]
fn what_a_template_does_not_speak_of_is_ignored() {
    let mut bench = Bench::with_service();
    let path = deployment(&bench);
    let result = asked(&mut bench, &path, order(template(json!([]))));
    assert_eq!(changes(&result), ["Ignore apim"]);
    let change = &result["properties"]["changes"][0];
    assert_eq!((&change["before"], &change["before"]["location"]), (&change["after"], &json!("eastus2")));
    let mut few = order(gateway());
    few["properties"]["whatIfSettings"] = json!({"resultFormat": "ResourceIdOnly"});
    let result = asked(&mut bench, &path, few);
    assert_eq!(changes(&result)[..2], ["Deploy apim", "Create a"]);
    assert_eq!(result["properties"]["changes"][0].as_object().map(serde_json::Map::len), Some(2));
}

#[test]
fn what_would_be_refused_fails_and_what_is_no_deployment_is_refused() {
    let mut bench = Bench::with_group();
    let path = deployment(&bench);
    let mut nowhere = gateway();
    nowhere["resources"][2]["location"] = json!("moon");
    let result = asked(&mut bench, &path, order(nowhere));
    assert_eq!((&result["status"], &result["error"]["code"]), (&json!("Failed"), &json!("InvalidTemplateDeployment")));
    let odd = json!({"properties": {"mode": "Incremental", "template": {}, "whatIfSettings": {"resultFormat": 7}}});
    let refused = bench.send(Method::Post, &format!("{path}/whatIf"), RESOURCES, odd);
    assert_eq!((refused.status, code(&refused).as_str()), (400, "InvalidRequestContent"));
}

#[test]
fn what_is_nested_is_looked_into_as_far_as_its_ids_are_known() {
    let mut bench = Bench::with_group();
    let inner = |name: &str| {
        let mut inner = template(json!([
            {"type": "Microsoft.ApiManagement/service/backends", "apiVersion": APIM, "name": name,
             "properties": {"type": "Single", "protocol": "http", "url": "https://a.contoso.com", "title": "[parameters('who')]"}},
        ]));
        inner["parameters"] = json!({"who": {"type": "string"}});
        inner
    };
    let nested = |name: &str, who: &str, template: Value| {
        json!({"type": "Microsoft.Resources/deployments", "apiVersion": RESOURCES, "name": name,
            "dependsOn": ["[resourceId('Microsoft.ApiManagement/service', 'apim')]"],
            "properties": {"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"},
                "parameters": {"who": {"value": who}}, "template": template}})
    };
    let principal =
        "[reference(resourceId('Microsoft.ApiManagement/service', 'apim'), '2024-05-01', 'full').identity.principalId]";
    let mut whole = gateway();
    whole["resources"].as_array_mut().expect("resources").truncate(1);
    for (name, who, inner) in [
        ("plain", "me", inner("apim/known")),
        ("late", principal, inner("apim/titled")),
        ("later", principal, inner("[format('apim/{0}', uniqueString(parameters('who')))]")),
    ] {
        whole["resources"].as_array_mut().expect("resources").push(nested(name, who, inner));
    }
    let path = deployment(&bench);
    let result = asked(&mut bench, &path, order(whole));
    let mut seen = changes(&result);
    seen.sort();
    assert_eq!(seen[..3], ["Create apim", "Create known", "Create titled"]);
    assert!(seen[3].starts_with("Unsupported ") && seen.len() == 4, "{seen:?}");
    let all = result["properties"]["changes"].as_array().cloned().unwrap_or_default();
    let odd = all.iter().find(|change| change["changeType"] == "Unsupported").expect("one");
    assert!(odd["unsupportedReason"].as_str().is_some_and(|why| why.contains("cannot be calculated until")));
}

#[test]
fn a_subscription_says_what_its_new_groups_will_hold() {
    let mut bench = Bench::new();
    let inner =
        template(json!([{"type": "Microsoft.CognitiveServices/accounts", "apiVersion": COGNITIVE, "name": "aoai",
        "location": "[resourceGroup().location]", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}]));
    let whole = json!({
        "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [
            {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2021-04-01", "name": "made", "location": "West US"},
            {"type": "Microsoft.Resources/deployments", "apiVersion": RESOURCES, "name": "inner", "resourceGroup": "made",
             "dependsOn": ["[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'made')]"],
             "properties": {"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}, "template": inner}}],
    });
    let path = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Resources/deployments/main");
    let mut body = order(whole);
    body["location"] = json!("westus");
    let result = asked(&mut bench, &path, body.clone());
    assert_eq!(changes(&result), ["Create made", "Create aoai"]);
    assert_eq!(result["properties"]["changes"][1]["after"]["location"], "westus");
    assert_eq!(bench.send(Method::Put, &path, RESOURCES, body.clone()).status, 201);
    bench.wait(100);
    assert_eq!(changes(&asked(&mut bench, &path, body)), ["NoChange made", "NoChange aoai"]);
}
