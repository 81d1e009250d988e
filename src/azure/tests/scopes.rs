//! Deployments to a subscription and to other groups, their history, and bodies that are wrong.

use super::*;

const RESOURCES: &str = "2025-04-01";

fn template(schema: &str, resources: Value) -> Value {
    json!({
        "$schema": format!("https://schema.management.azure.com/schemas/{schema}#"),
        "contentVersion": "1.0.0.0",
        "resources": resources,
    })
}

const GROUP: &str = "2019-04-01/deploymentTemplate.json";
const WHOLE: &str = "2018-05-01/subscriptionDeploymentTemplate.json";

fn nested(name: &str, more: Value, parameters: Value, template: Value) -> Value {
    let mut nested = json!({
        "type": "Microsoft.Resources/deployments", "apiVersion": RESOURCES, "name": name,
        "properties": {"expressionEvaluationOptions": {"scope": "inner"}, "mode": "Incremental",
            "parameters": parameters, "template": template},
    });
    if let (Value::Object(nested), Value::Object(more)) = (&mut nested, more) {
        nested.extend(more);
    }
    nested
}

/// A group, and an account in it by a nested deployment; a role on the subscription.
fn landing() -> Value {
    let mut inner = template(
        GROUP,
        json!([{"type": "Microsoft.CognitiveServices/accounts", "apiVersion": COGNITIVE, "name": "aoai",
            "location": "[parameters('where')]", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}]),
    );
    inner["parameters"] = json!({"where": {"type": "string", "defaultValue": "[resourceGroup().location]"}});
    let role =
        "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd')]";
    template(
        WHOLE,
        json!([
            {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2021-04-01", "name": "made", "location": "West US",
             "tags": {"a": "b"}},
            nested("inner", json!({"resourceGroup": "made", "dependsOn": ["[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'made')]"]}),
                json!({}), inner),
            {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01",
             "name": "00000000-0000-0000-0000-0000000000aa",
             "properties": {"principalId": "00000000-0000-0000-0000-0000000000bb", "principalType": "ServicePrincipal",
                "roleDefinitionId": role}},
        ]),
    )
}

fn order(location: &str, template: Value) -> Value {
    json!({"location": location, "tags": {"why": "test"}, "properties": {"mode": "Incremental", "template": template}})
}

fn path(rest: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Resources/deployments/{rest}")
}

#[test]
fn a_subscription_makes_its_groups_and_what_is_in_them() {
    let mut bench = Bench::new();
    let valid = bench.send(Method::Post, &path("main/validate"), RESOURCES, order("westus", landing()));
    let valid = valid.value().expect("a deployment");
    let ids = |value: &Value, list: &str| -> Vec<String> {
        let all = value["properties"][list].as_array().into_iter().flatten();
        all.filter_map(|item| item["id"].as_str()).map(|id| id.rsplit('/').next().unwrap_or("").to_string()).collect()
    };
    let mut seen = ids(&valid, "validatedResources");
    seen.sort();
    assert_eq!(seen, ["00000000-0000-0000-0000-0000000000aa", "aoai", "inner", "made"]);
    assert_ne!(valid["properties"]["timestamp"], "0001-01-01T00:00:00Z");

    let taken = bench.send(Method::Put, &path("main"), RESOURCES, order("West US", landing()));
    assert_eq!(taken.status, 201, "{:?}", taken.value());
    let poll = taken.headers.get("Azure-AsyncOperation").expect("an address").to_string();
    assert!(poll.contains(&path("main/operationStatuses/")), "{poll}");
    let shown = taken.value().expect("a deployment");
    assert_eq!((&shown["location"], &shown["tags"]["why"]), (&json!("westus"), &json!("test")));
    assert_eq!(
        shown["properties"]["providers"][0]["resourceTypes"][0],
        json!({"resourceType": "resourceGroups", "locations": ["westus"]})
    );
    bench.wait(60);
    assert_eq!(bench.request(&Request::arm(Method::Get, poll)).value(), Some(json!({"status": "Succeeded"})));
    let done = bench.get(&path("main"), RESOURCES).1;
    let mut made = ids(&done, "outputResources");
    made.sort();
    assert_eq!(made, ["00000000-0000-0000-0000-0000000000aa", "aoai", "made"]);
    assert_eq!(done["properties"].get("outputs"), None, "the template has no such section");
    let account = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/made/providers/Microsoft.CognitiveServices/accounts/aoai"
    );
    assert_eq!(bench.get(&account, COGNITIVE).1["location"], "westus");
    // a nested deployment is one of its group, with operations of its own
    let inner = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/made/deployments/inner/operations");
    let operations = bench.get(&inner, RESOURCES).1["value"].clone();
    assert_eq!(operations[0]["properties"]["targetResource"]["resourceName"], "aoai");
    let own = bench.get(&path("main/operations"), RESOURCES).1["value"].clone();
    let named = |i: usize| own[i]["properties"]["targetResource"]["resourceName"].clone();
    assert_eq!(named(0), "inner", "what started last comes first");
    assert_eq!(own.as_array().map(Vec::len), Some(4));

    // once more: the name is there, in its location
    assert_eq!(bench.send(Method::Put, &path("main"), RESOURCES, order("westus", landing())).status, 200);
    let moved = bench.send(Method::Put, &path("MAIN"), RESOURCES, order("eastus", landing()));
    assert_eq!((moved.status, code(&moved).as_str()), (409, "DeploymentActive"));
    bench.wait(60);
    let moved = bench.send(Method::Put, &path("MAIN"), RESOURCES, order("eastus", landing()));
    assert_eq!(
        (moved.status, code(&moved), message(&moved)),
        (
            409,
            "InvalidDeploymentLocation".into(),
            "Invalid deployment location 'eastus'. The deployment 'main' already exists in location 'westus'.".into()
        )
    );
    // the group goes; the deployment stays in the subscription's history
    bench.send(Method::Delete, &format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/made"), RESOURCES, Value::Null);
    bench.wait(200);
    assert_eq!(bench.get(&path("main"), RESOURCES).0, 200);
    assert_eq!(bench.get(&inner, RESOURCES).0, 404);
}

#[test]
fn a_subscription_in_one_jump_or_in_many_steps() {
    let run = |step: u64| {
        let mut bench = Bench::new();
        bench.send(Method::Put, &path("main"), RESOURCES, order("westus", landing()));
        for _ in 0..60 / step {
            bench.wait(step);
            bench.get(&path("main"), RESOURCES);
        }
        bench.world.to_json()
    };
    assert_eq!(run(60), run(1));
}

#[test]
fn a_nested_deployment_goes_to_another_subscription() {
    const OTHER: &str = "00000000-0000-0000-0000-000000000002";
    let mut bench = Bench::with_group();
    let there = format!("/subscriptions/{OTHER}/resourceGroups/there");
    bench.send(Method::Put, &there, RESOURCES, json!({"location": "westus"}));
    let inner = template(
        GROUP,
        json!([{"type": "Microsoft.CognitiveServices/accounts", "apiVersion": COGNITIVE, "name": "aoai",
            "location": "[resourceGroup().location]", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}]),
    );
    let outer = |group: &str| {
        let more = json!({"subscriptionId": OTHER, "resourceGroup": group});
        order("", template(GROUP, json!([nested("inner", more, json!({}), inner.clone())])))
    };
    let main = bench.group("/providers/Microsoft.Resources/deployments/main");
    let nowhere = bench.send(Method::Put, &main, RESOURCES, outer("nowhere"));
    assert_eq!((nowhere.status, code(&nowhere).as_str()), (404, "ResourceGroupNotFound"));
    assert_eq!(bench.send(Method::Put, &main, RESOURCES, outer("there")).status, 201);
    bench.wait(60);
    assert_eq!(bench.get(&main, RESOURCES).1["properties"]["provisioningState"], "Succeeded");
    let account = format!("{there}/providers/Microsoft.CognitiveServices/accounts/aoai");
    assert_eq!(bench.get(&account, COGNITIVE).1["location"], "westus");
}

#[test]
fn what_is_cancelled_is_cancelled_in_what_is_nested_too() {
    let mut bench = Bench::new();
    bench.send(Method::Put, &path("main"), RESOURCES, order("westus", landing()));
    bench.wait(4);
    assert_eq!(bench.send(Method::Post, &path("main/cancel"), RESOURCES, Value::Null).status, 204);
    let state = |bench: &mut Bench, path: &str| bench.get(path, RESOURCES).1["properties"]["provisioningState"].clone();
    assert_eq!(state(&mut bench, &path("main")), "Canceled");
    let inner = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/made/deployments/inner");
    assert_eq!(state(&mut bench, &inner), "Canceled");
}

#[test]
fn a_subscription_is_listed_in_pieces_and_some_are_empty() {
    let mut bench = Bench::new();
    for name in ["a", "b", "c"] {
        let body = order("westus", template(WHOLE, json!([])));
        assert_eq!(bench.send(Method::Put, &path(name), RESOURCES, body).status, 201);
    }
    bench.wait(10);
    let walk = |bench: &mut Bench, first: String| {
        let (mut next, mut names, mut pages, mut empty) = (Some(first), Vec::new(), 0, 0);
        while let Some(url) = next {
            let answer = bench.request(&Request::arm(Method::Get, url));
            assert_eq!(answer.status, 200, "{:?}", answer.value());
            let text = String::from_utf8(answer.body.clone()).expect("a text");
            let page = answer.value().expect("a page");
            next = page["nextLink"].as_str().map(str::to_string);
            assert_eq!(text.starts_with("{\"nextLink\":"), next.is_some());
            let found = page["value"].as_array().cloned().unwrap_or_default();
            (pages, empty) = (pages + 1, empty + usize::from(found.is_empty()));
            names.extend(found.iter().filter_map(|one| one["name"].as_str()).map(str::to_string));
        }
        names.sort();
        (names, pages, empty)
    };
    let whole = walk(&mut bench, format!("{}?api-version={RESOURCES}", path("")));
    assert_eq!((whole.0, whole.1), (vec!["a".to_string(), "b".into(), "c".into()], 5));
    assert!(whole.2 >= 2, "three deployments do not fill five pieces");
    let few = walk(
        &mut bench,
        format!("{}?$top=1&$filter=provisioningState%20eq%20%27Succeeded%27&api-version={RESOURCES}", path("")),
    );
    assert_eq!(few.0.len(), 3);
    let none = walk(
        &mut bench,
        format!("{}?$filter=provisioningState%20eq%20%27Running%27&api-version={RESOURCES}", path("")),
    );
    assert_eq!((none.0.len(), none.1, none.2), (0, 5, 5));
    for (query, wrong) in [
        ("$skiptoken=x", "InvalidSkipToken"),
        ("$top=0", "InvalidTopInQueryString"),
        ("$filter=name", "InvalidFilterInQueryString"),
    ] {
        let answer = bench.send(Method::Get, &path(&format!("?{query}")), RESOURCES, Value::Null);
        assert_eq!((answer.status, code(&answer).as_str()), (400, wrong));
    }
}

#[test]
fn the_history_has_an_end() {
    let mut bench = Bench::with_group();
    let put = |bench: &mut Bench, name: &str| {
        let path = bench.group(&format!("/deployments/{name}"));
        bench.send(Method::Put, &path, RESOURCES, order("", template(GROUP, json!([]))))
    };
    // hundreds at once: the same deployment under other names
    let fill = |bench: &mut Bench, count: usize| {
        let (key, one) = bench.world.state.deployments.first_key_value().expect("a deployment");
        let (key, one) = (key.clone(), one.clone());
        for i in 0..count {
            let mut other = one.clone();
            other.id = format!("{}{i}", one.id);
            bench.world.state.deployments.insert(format!("{key}{i}"), other);
        }
    };
    assert_eq!(put(&mut bench, "d").status, 201);
    bench.wait(10);
    bench.get(&bench.group("/deployments/d"), RESOURCES);
    fill(&mut bench, 773);
    assert_eq!(put(&mut bench, "c").status, 201);
    assert_eq!(bench.world.state.deployments.len(), 775, "there is room");
    bench.wait(10);
    bench.get(&bench.group("/deployments/c"), RESOURCES);
    assert_eq!(put(&mut bench, "e").status, 201);
    assert_eq!(bench.world.state.deployments.len(), 751, "the oldest went");
    // what runs cannot go
    bench.world.state.deployments.retain(|key, _| key.ends_with("/e"));
    fill(&mut bench, 798);
    assert_eq!(put(&mut bench, "f").status, 201);
    let refused = put(&mut bench, "g");
    assert_eq!((refused.status, code(&refused).as_str()), (409, "DeploymentQuotaExceeded"));
    assert!(
        message(&refused).contains("quota of '800'. The current deployment count is '800'"),
        "{}",
        message(&refused)
    );
    assert_eq!(put(&mut bench, "f").status, 409, "its own name is active");
}

#[test]
fn bodies_that_are_wrong_are_refused_in_azures_words() {
    let mut bench = Bench::with_group();
    let main = bench.group("/deployments/main");
    let mut refused = |body: &str, path: &str| {
        let mut request = Request::arm(Method::Put, format!("{path}?api-version={RESOURCES}"));
        request.body = body.as_bytes().to_vec();
        let answer = bench.request(&request);
        (answer.status, code(&answer), message(&answer))
    };
    let (status, code, text) = refused("{\"properties\": {\"mode\": \"Incremental\", \"template\": {} ", &main);
    assert_eq!((status, code.as_str()), (400, "InvalidRequestContent"));
    assert!(text.ends_with("Unexpected end of content. Path 'properties', line 1, position 54.'."), "{text}");
    for (body, code, piece) in [
        ("", "InvalidRequestContent", "Unexpected end of content"),
        ("[]", "InvalidDeployment", "mode"),
        ("{\"properties\": []}", "InvalidDeployment", "mode"),
        ("{\"properties\": {\"mode\": \"Complete\"}}", "InvalidDeployment", "'Complete'"),
        ("{\"properties\": {\"mode\": \"Incremental\"}}", "InvalidRequestContent", "template"),
        ("{\"properties\": {\"mode\": \"Incremental\", \"template\": 7}}", "InvalidTemplate", "not an object"),
        (
            "{\"properties\": {\"mode\": \"Incremental\", \"template\": {}, \"parameters\": {\"$schema\": \"x\"}}}",
            "InvalidRequestContent",
            "'DeploymentParameterDefinition'. Path 'properties.parameters.$schema'",
        ),
        (
            "{\"properties\": {\"mode\": \"Incremental\", \"template\": {}, \"parameters\": {\"a\": {\"valu\": 1}}}}",
            "InvalidRequestContent",
            "Could not find member 'valu'",
        ),
        (
            "{\"properties\": {\"mode\": \"Incremental\", \"templateLink\": {\"uri\": \"x\"}}}",
            "InvalidDeployment",
            "templateLink",
        ),
    ] {
        let (status, said, text) = refused(body, &main);
        assert_eq!((status, said.as_str()), (400, code), "{body}");
        assert!(text.contains(piece), "{body}: {text}");
    }
    let large =
        format!("{{\"properties\": {{\"mode\": \"Incremental\", \"x\": \"{}\"}}}}", "x".repeat(4 * 1024 * 1024));
    assert_eq!(refused(&large, &main).0, 413);
    let long = bench.group(&format!("/deployments/{}", "x".repeat(65)));
    let (subscription, body) = (path("main"), order("", template(WHOLE, json!([]))).to_string());
    let mut refused = |body: &str, path: &str| {
        let mut request = Request::arm(Method::Put, format!("{path}?api-version={RESOURCES}"));
        request.body = body.as_bytes().to_vec();
        let answer = bench.request(&request);
        (answer.status, code_of(&answer), message(&answer))
    };
    assert_eq!(refused(&body, &long).1, "InvalidDeployment");
    let (status, code, text) = refused(&body, &subscription);
    assert_eq!((status, code.as_str()), (400, "InvalidDeployment"));
    assert!(text.starts_with("The 'location' property must be specified for 'main'."), "{text}");
    let moon = order("moon", template(WHOLE, json!([]))).to_string();
    assert_eq!(refused(&moon, &subscription).1, "LocationNotAvailableForDeployment");
}

use super::code as code_of;

#[test]
fn azure_cli_pastes_templates_as_they_are_and_hears_their_lines() {
    let mut bench = Bench::with_group();
    let text = "{\"properties\": {\"mode\": \"Incremental\", \"parameters\": {}, template:{\n  // a comment\n  \"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\",\n  \"contentVersion\": \"1.0.0.0\",\n  \"parameters\": {\n    \"more\": {\n      \"type\": \"string\"\n    }\n  },\n  \"resources\": [] /** none **/\n}}}";
    let mut send = |text: &str| {
        let path = bench.group("/deployments/main/validate");
        let mut request = Request::arm(Method::Post, format!("{path}?api-version={RESOURCES}"));
        request.body = text.as_bytes().to_vec();
        bench.request(&request)
    };
    let refused = send(text);
    assert_eq!((refused.status, code(&refused).as_str()), (400, "InvalidTemplate"));
    assert!(message(&refused).contains("'more' at line '6' and column '13' is not provided"), "{}", message(&refused));
    assert_eq!(
        refused.value().expect("an error")["error"]["additionalInfo"][0]["info"],
        json!({"lineNumber": 6, "linePosition": 13, "path": "properties.template.parameters.more"})
    );
    assert_eq!(send(&text.replace("\"type\": \"string\"", "\"type\": \"string\", 'defaultValue': 'x\ny'")).status, 200);
}
