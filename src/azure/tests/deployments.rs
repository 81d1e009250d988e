//! Template deployments, from taking to purging.

use super::*;

pub(super) const RESOURCES: &str = "2025-04-01";

fn template(resources: Value, outputs: Value) -> Value {
    json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {"gateway": {"type": "string", "defaultValue": "apim"}, "key": {"type": "secureString", "defaultValue": "CANARY"}},
        "resources": resources,
        "outputs": outputs,
    })
}

/// A service, a backend and a pool over it, and a role by a nested deployment.
pub(super) fn small() -> Value {
    let service_id = "[resourceId('Microsoft.ApiManagement/service', parameters('gateway'))]";
    let member = "[resourceId('Microsoft.ApiManagement/service/backends', parameters('gateway'), 'a')]";
    let principal = "[reference(resourceId('Microsoft.ApiManagement/service', parameters('gateway')), '2024-05-01', 'full').identity.principalId]";
    template(
        json!([
            {"type": "Microsoft.ApiManagement/service/backends", "apiVersion": APIM, "name": "[format('{0}/pool', parameters('gateway'))]",
             "properties": {"type": "Pool", "pool": {"services": [{"id": member, "priority": 1, "weight": 3}]}}, "dependsOn": [member]},
            {"type": "Microsoft.ApiManagement/service/backends", "apiVersion": APIM, "name": "[format('{0}/a', parameters('gateway'))]",
             "properties": {"type": "Single", "protocol": "http", "url": "[reference(resourceId('Microsoft.CognitiveServices/accounts', 'aoai'), '2024-10-01').endpoint]"},
             "dependsOn": [service_id, "[resourceId('Microsoft.CognitiveServices/accounts', 'aoai')]"]},
            {"type": "Microsoft.ApiManagement/service", "apiVersion": APIM, "name": "[parameters('gateway')]", "location": "[resourceGroup().location]",
             "sku": {"name": "BasicV2", "capacity": 1}, "identity": {"type": "SystemAssigned"},
             "properties": {"publisherEmail": "a@contoso.com", "publisherName": "Contoso"}},
            {"type": "Microsoft.CognitiveServices/accounts", "apiVersion": COGNITIVE, "name": "aoai", "location": "swedencentral", "kind": "OpenAI",
             "sku": {"name": "S0"}, "properties": {"customSubDomainName": "contoso-1"}},
            {"type": "Microsoft.Resources/deployments", "apiVersion": RESOURCES, "name": "role", "dependsOn": [service_id],
             "properties": {
                "expressionEvaluationOptions": {"scope": "inner"}, "mode": "Incremental",
                "parameters": {"principal": {"value": principal}},
                "template": {
                    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                    "contentVersion": "1.0.0.0",
                    "parameters": {"principal": {"type": "string"}},
                    "resources": [{"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01",
                        "scope": "[resourceId('Microsoft.CognitiveServices/accounts', 'aoai')]", "name": "[guid(parameters('principal'))]",
                        "properties": {"principalId": "[parameters('principal')]", "principalType": "ServicePrincipal",
                            "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd')]"}}],
                    "outputs": {"WHO": {"type": "string", "value": "[parameters('principal')]"}},
                }}},
        ]),
        json!({
            "GATEWAY_URL": {"type": "string", "value": "[reference(resourceId('Microsoft.ApiManagement/service', parameters('gateway')), '2024-05-01').gatewayUrl]"},
            "who": {"type": "string", "value": "[reference(resourceId('Microsoft.Resources/deployments', 'role'), '2025-04-01').outputs.WHO.value]"},
        }),
    )
}

pub(super) fn order(template: Value) -> Value {
    json!({"properties": {"mode": "Incremental", "template": template}})
}

pub(super) fn deployment(bench: &Bench, rest: &str) -> String {
    bench.group(&format!("/providers/Microsoft.Resources/deployments/main{rest}"))
}

fn state(bench: &mut Bench) -> String {
    let path = deployment(bench, "");
    bench.get(&path, RESOURCES).1["properties"]["provisioningState"].as_str().unwrap_or("").to_string()
}

/// What the list of operations says of a resource.
fn operation(bench: &mut Bench, name: &str) -> Value {
    let path = deployment(bench, "/operations");
    let listed = bench.get(&path, RESOURCES).1;
    let found = listed["value"].as_array().into_iter().flatten();
    found
        .map(|item| &item["properties"])
        .find(|item| item["targetResource"]["resourceName"] == name)
        .cloned()
        .unwrap_or(Value::Null)
}

#[test]
fn steps_start_when_what_they_need_has_ended() {
    let mut bench = Bench::with_group();
    let path = deployment(&bench, "");
    let taken = bench.send(Method::Put, &path, RESOURCES, order(small()));
    assert_eq!((taken.status, taken.headers.get("Location"), taken.headers.get("Retry-After")), (201, None, None));
    let poll = taken.headers.get("Azure-AsyncOperation").expect("an address").to_string();
    assert!(poll.contains("/operationStatuses/085"), "{poll}");
    let shown = taken.value().expect("a deployment");
    assert_eq!(shown["properties"]["provisioningState"], "Accepted");
    assert_eq!(
        shown["properties"]["parameters"],
        json!({"gateway": {"type": "String", "value": "apim"}, "key": {"type": "SecureString"}})
    );
    assert_eq!(bench.request(&Request::arm(Method::Get, poll.clone())).value(), Some(json!({"status": "Accepted"})));
    let active = bench.send(Method::Put, &path, RESOURCES, order(small()));
    assert_eq!((active.status, code(&active).as_str()), (409, "DeploymentActive"));

    // a second later the two that need nothing have started
    bench.wait(1);
    assert_eq!(bench.request(&Request::arm(Method::Get, poll.clone())).value(), Some(json!({"status": "Running"})));
    assert_eq!(operation(&mut bench, "apim")["provisioningState"], "Running");
    assert_eq!(operation(&mut bench, "aoai")["statusCode"], "Created");
    assert_eq!(operation(&mut bench, "apim/a"), Value::Null);
    bench.wait(20);
    assert_eq!(operation(&mut bench, "aoai")["provisioningState"], "Succeeded");
    bench.wait(80);
    // the service has ended: its backend and the role run
    assert_eq!(operation(&mut bench, "apim")["duration"], "PT1M40S");
    assert_eq!(operation(&mut bench, "apim/a")["provisioningState"], "Running");
    assert_eq!(operation(&mut bench, "role")["provisioningState"], "Running");
    assert_eq!(operation(&mut bench, "apim/pool"), Value::Null);
    bench.wait(1);
    assert_eq!(operation(&mut bench, "apim/pool")["provisioningState"], "Running");
    bench.wait(20);
    let end = bench.request(&Request::arm(Method::Get, poll));
    assert_eq!(end.value(), Some(json!({"status": "Succeeded"})));

    let (status, done) = bench.get(&path, RESOURCES);
    assert_eq!((status, &done["properties"]["provisioningState"]), (200, &json!("Succeeded")));
    let principal = bench.get(&bench.service(""), APIM).1["identity"]["principalId"].clone();
    assert_eq!(
        done["properties"]["outputs"],
        json!({
            "gatewaY_URL": {"type": "String", "value": "https://apim.azure-api.net"},
            "who": {"type": "String", "value": principal},
        })
    );
    let made: Vec<&str> = done["properties"]["outputResources"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item["id"].as_str())
        .collect();
    assert_eq!(made.len(), 5);
    assert!(
        made.iter().any(|id| id.contains("/accounts/aoai/providers/Microsoft.Authorization/roleAssignments/")),
        "{made:?}"
    );
    assert_eq!(
        bench.get(&bench.service("/backends/a"), APIM).1["properties"]["url"],
        "https://contoso-1.openai.azure.com/"
    );
    assert!(!bench.world.to_json().is_empty() && !done.to_string().contains("CANARY"));
    let again = bench.send(Method::Put, &path, RESOURCES, order(small()));
    assert_eq!(again.status, 200, "the name exists");
    bench.wait(10);
    assert_eq!(state(&mut bench), "Succeeded", "what is there already takes no time");
}

#[test]
fn the_same_in_one_jump_or_in_many_steps() {
    let run = |step: u64| {
        let mut bench = Bench::with_group();
        let path = deployment(&bench, "");
        bench.send(Method::Put, &path, RESOURCES, order(small()));
        for _ in 0..200 / step {
            bench.wait(step);
            bench.get(&path, RESOURCES);
        }
        bench.get(&path, RESOURCES);
        bench.world.to_json()
    };
    assert_eq!(run(200), run(1));
}

#[test]
fn a_detail_is_a_text_before_2021_and_an_error_since() {
    for (version, is_text) in [("2020-10-01", true), ("2021-01-01", true), ("2021-04-01", false), ("2022-09-01", false)]
    {
        let mut bench = Bench::with_group();
        let mut broken = small();
        broken["resources"][3]["properties"]["customSubDomainName"] = json!("taken-1");
        let other = bench.group("/providers/Microsoft.CognitiveServices/accounts/other");
        bench.send(Method::Put, &other, COGNITIVE, account("taken-1"));
        let path = deployment(&bench, "");
        assert_eq!(bench.send(Method::Put, &path, version, order(broken)).status, 201);
        bench.wait(200);
        let (_, done) = bench.get(&path, version);
        let detail = &done["properties"]["error"]["details"][0];
        let text = detail["message"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        assert_eq!(text.is_some(), is_text, "{version}: {detail}");
        let error = text.map_or_else(|| detail.clone(), |text| text["error"].clone());
        assert_eq!(error["code"], "CustomDomainInUse", "{version}: {detail}");
    }
}

#[test]
fn a_failure_is_a_tree_and_stops_only_what_depends_on_it() {
    let mut bench = Bench::with_group();
    let mut broken = small();
    // the account takes another's subdomain, and the nested one has no such role
    broken["resources"][3]["properties"]["customSubDomainName"] = json!("taken-1");
    broken["resources"][4]["properties"]["template"]["resources"][0]["properties"]["roleDefinitionId"] = json!("none");
    let other = bench.group("/providers/Microsoft.CognitiveServices/accounts/other");
    bench.send(Method::Put, &other, COGNITIVE, account("taken-1"));
    let path = deployment(&bench, "");
    assert_eq!(bench.send(Method::Put, &path, RESOURCES, order(broken)).status, 201);
    bench.wait(2);
    // operations run ahead of the deployment
    assert_eq!(
        (operation(&mut bench, "aoai")["provisioningState"].clone(), state(&mut bench)),
        (json!("Failed"), "Running".into())
    );
    assert_eq!(operation(&mut bench, "aoai")["statusMessage"]["error"]["code"], "CustomDomainInUse");
    bench.wait(200);
    let (_, done) = bench.get(&path, RESOURCES);
    assert_eq!(done["properties"]["provisioningState"], "Failed");
    assert!(done["properties"].get("outputs").is_none());
    let error = &done["properties"]["error"];
    assert_eq!(error["code"], "DeploymentFailed");
    assert_eq!(error["details"][0]["code"], "CustomDomainInUse");
    assert_eq!(error["details"][1]["code"], "ResourceDeploymentFailure");
    assert_eq!(error["details"][1]["details"][0]["details"][0]["code"], "ResourceNotFound", "{error}");
    assert_eq!(bench.get(&bench.service(""), APIM).0, 200, "the service was made");
    assert_eq!(bench.get(&bench.service("/backends/a"), APIM).0, 404, "its backend was not");
    let status = operation(&mut bench, "role");
    assert_eq!((&status["statusCode"], &status["statusMessage"]["status"]), (&json!("Conflict"), &json!("Failed")));
    let listed = bench.get(&deployment(&bench, "/operations"), RESOURCES).1;
    let last = listed["value"].as_array().and_then(|all| all.last()).cloned().expect("operations");
    assert_eq!(last["properties"]["provisioningOperation"], "EvaluateDeploymentOutput");
    let poll = bench.get(&deployment(&bench, "/operationStatuses/0"), RESOURCES).1;
    assert_eq!((&poll["status"], &poll["error"]["code"]), (&json!("Failed"), &json!("DeploymentFailed")));
}

#[test]
fn two_models_at_once_on_one_account_conflict_and_in_a_chain_do_not() {
    let resources = |chained: bool| {
        let model = |name: &str, after: &str| {
            json!({"type": "Microsoft.CognitiveServices/accounts/deployments", "apiVersion": COGNITIVE, "name": format!("aoai/{name}"),
                "sku": {"name": "GlobalStandard", "capacity": 1},
                "properties": {"model": {"format": "OpenAI", "name": "gpt-5.1", "version": "2025-11-13"}},
                "dependsOn": [after]})
        };
        let account = "[resourceId('Microsoft.CognitiveServices/accounts', 'aoai')]";
        let first = "[resourceId('Microsoft.CognitiveServices/accounts/deployments', 'aoai', 'a')]";
        json!([
            {"type": "Microsoft.CognitiveServices/accounts", "apiVersion": COGNITIVE, "name": "aoai", "location": "swedencentral", "kind": "OpenAI",
             "sku": {"name": "S0"}, "properties": {}},
            model("a", account), model("b", if chained { first } else { account }),
        ])
    };
    for (chained, end) in [(true, "Succeeded"), (false, "Failed")] {
        let mut bench = Bench::with_group();
        let path = deployment(&bench, "");
        bench.send(Method::Put, &path, RESOURCES, order(template(resources(chained), json!({}))));
        bench.wait(100);
        assert_eq!(state(&mut bench), end);
        let error = bench.get(&path, RESOURCES).1["properties"]["error"]["details"][0]["code"].clone();
        assert_eq!(error == "RequestConflict", !chained);
    }
}

#[test]
fn what_is_wrong_up_front_leaves_no_deployment() {
    let mut bench = Bench::with_group();
    let path = deployment(&bench, "");
    let check = |bench: &mut Bench, body: Value| {
        let answers = [
            bench.send(Method::Post, &format!("{path}/validate"), RESOURCES, body.clone()),
            bench.send(Method::Put, &path, RESOURCES, body),
        ];
        assert_eq!(bench.get(&path, RESOURCES).0, 404);
        let [one, two] = answers.map(|answer| {
            assert_eq!(answer.status, 400, "{:?}", answer.value());
            let value = answer.value().expect("an error");
            let deep = value.pointer("/error/details/0/code").or(value.pointer("/error/code"));
            (code(&answer), deep.and_then(Value::as_str).unwrap_or("").to_string())
        });
        assert_eq!(one, two);
        one
    };
    assert_eq!(check(&mut bench, json!({})).0, "InvalidDeployment");
    assert_eq!(check(&mut bench, order(json!({}))).0, "InvalidTemplate");
    let storage = json!([{"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2024-01-01", "name": "x", "location": "eastus"}]);
    assert_eq!(check(&mut bench, order(template(storage, json!({})))).1, "InvalidResourceType");
    let mut nowhere = small();
    nowhere["resources"][3]["location"] = json!("moon");
    assert_eq!(check(&mut bench, order(nowhere)).1, "LocationNotAvailableForResourceType");
    let mut old = small();
    old["resources"][3]["apiVersion"] = json!("1999-01-01");
    assert_eq!(check(&mut bench, order(old)).1, "NoRegisteredProviderFound");
    // a soft-deleted account is found before anything is deployed, a soft-deleted service is not
    bench.send(Method::Put, &bench.account(""), COGNITIVE, account("contoso-1"));
    bench.wait(20);
    bench.send(Method::Delete, &bench.account(""), COGNITIVE, Value::Null);
    assert_eq!(
        check(&mut bench, order(small())),
        ("InvalidTemplateDeployment".into(), "FlagMustBeSetForRestore".into())
    );
    let mut restored = small();
    restored["resources"][3]["properties"]["restore"] = json!(true);
    assert_eq!(bench.send(Method::Post, &format!("{path}/validate"), RESOURCES, order(restored)).status, 200);
}

#[test]
fn models_and_quota_are_looked_at_up_front_in_what_is_nested_too() {
    let mut bench = Bench::with_group();
    let path = deployment(&bench, "");
    let model = |name: &str, sku: &str, capacity: u64| {
        let inner = template(
            json!([{"type": "Microsoft.CognitiveServices/accounts", "apiVersion": COGNITIVE, "name": "aoai",
                    "location": "swedencentral", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}},
                {"type": "Microsoft.CognitiveServices/accounts/deployments", "apiVersion": COGNITIVE, "name": "aoai/gpt",
                 "sku": {"name": sku, "capacity": capacity},
                 "properties": {"model": {"format": "OpenAI", "name": name, "version": "2025-11-13"}},
                 "dependsOn": ["[resourceId('Microsoft.CognitiveServices/accounts', 'aoai')]"]}]),
            json!({}),
        );
        order(template(
            json!([{"type": "Microsoft.Resources/deployments", "apiVersion": RESOURCES, "name": "inner",
                "properties": {"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}, "template": inner}}]),
            json!({}),
        ))
    };
    for (body, code) in [
        (model("gpt-0", "GlobalStandard", 1), "DeploymentModelNotSupported"),
        (model("gpt-5.1", "Sturdy", 1), "InvalidResourceProperties"),
        (model("gpt-5.1", "GlobalStandard", 1_000_000), "InsufficientQuota"),
    ] {
        for answer in [
            bench.send(Method::Post, &format!("{path}/validate"), RESOURCES, body.clone()),
            bench.send(Method::Put, &path, RESOURCES, body),
        ] {
            let error = answer.value().expect("an error")["error"].clone();
            assert_eq!((answer.status, &error["code"]), (400, &json!("InvalidTemplateDeployment")));
            let members = |error: &Value| -> Vec<String> {
                error.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
            };
            assert_eq!(members(&error), ["code", "message", "details"]);
            assert_eq!(members(&error["details"][0]), ["code", "message"]);
            assert_eq!(error["details"][0]["code"], code);
        }
        assert_eq!(bench.get(&path, RESOURCES).0, 404);
    }
    assert_eq!(bench.send(Method::Put, &path, RESOURCES, model("gpt-5.1", "GlobalStandard", 1)).status, 201);
}

#[test]
fn outputs_that_cannot_be_evaluated_fail_what_succeeded() {
    let mut bench = Bench::with_group();
    let path = deployment(&bench, "");
    let mut odd = small();
    odd["outputs"]["odd"] = json!({"type": "string", "value": "[reference(resourceId('Microsoft.ApiManagement/service', parameters('gateway')), '2024-05-01').nothing]"});
    assert_eq!(bench.send(Method::Put, &path, RESOURCES, order(odd)).status, 201);
    bench.wait(300);
    let done = bench.get(&path, RESOURCES).1["properties"].clone();
    assert_eq!(
        (&done["provisioningState"], &done["error"]["code"]),
        (&json!("Failed"), &json!("DeploymentOutputEvaluationFailed"))
    );
    assert_eq!(bench.get(&bench.service(""), APIM).0, 200, "the resources stay");
    let listed = bench.get(&deployment(&bench, "/operations"), RESOURCES).1;
    let last =
        listed["value"].as_array().and_then(|all| all.last()).cloned().expect("operations")["properties"].clone();
    assert_eq!(
        (&last["provisioningOperation"], &last["provisioningState"]),
        (&json!("EvaluateDeploymentOutput"), &json!("Failed"))
    );
    assert_eq!(last["statusMessage"]["error"]["code"], "DeploymentOutputEvaluationFailed");
    assert_eq!(last.get("targetResource"), None);
}

#[test]
fn a_soft_deleted_service_is_met_while_running() {
    let mut bench = Bench::with_service();
    bench.send(Method::Delete, &bench.service(""), APIM, Value::Null);
    bench.wait(60);
    let path = deployment(&bench, "");
    assert_eq!(bench.send(Method::Put, &path, RESOURCES, order(small())).status, 201);
    bench.wait(100);
    let error = bench.get(&path, RESOURCES).1["properties"]["error"].clone();
    assert_eq!(error["details"][0]["code"], "ServiceAlreadyExistsInSoftDeletedState");
    assert_eq!(error["details"][0]["target"], json!(bench.service("")));
}

#[test]
fn a_good_template_is_validated() {
    let mut bench = Bench::with_group();
    let path = deployment(&bench, "/validate");
    let answer = bench.send(Method::Post, &path, RESOURCES, order(small())).value().expect("a deployment");
    assert_eq!(answer["properties"]["provisioningState"], "Succeeded");
    assert_eq!(answer["properties"]["validatedResources"].as_array().map(Vec::len), Some(5));
    assert_eq!(bench.get(&deployment(&bench, ""), RESOURCES).0, 404);
}

#[test]
fn a_cancelled_deployment_starts_nothing_more() {
    let mut bench = Bench::with_group();
    let path = deployment(&bench, "");
    bench.send(Method::Put, &path, RESOURCES, order(small()));
    bench.wait(30);
    let cancel = format!("{path}/cancel");
    let done = bench.send(Method::Post, &cancel, RESOURCES, Value::Null);
    assert_eq!((done.status, done.body.len(), state(&mut bench).as_str()), (204, 0, "Canceled"));
    bench.wait(300);
    assert_eq!(
        bench.get(&bench.service(""), APIM).1["properties"]["provisioningState"],
        "Succeeded",
        "what runs runs on"
    );
    assert_eq!(bench.get(&bench.service("/backends/a"), APIM).0, 404);
    assert_eq!(bench.send(Method::Post, &cancel, RESOURCES, Value::Null).status, 409);
    assert_eq!(bench.send(Method::Put, &path, RESOURCES, order(small())).status, 200);
}

#[test]
fn deployments_are_listed_and_exported() {
    let mut bench = Bench::with_group();
    let path = deployment(&bench, "");
    bench.send(Method::Put, &path, RESOURCES, order(small()));
    let list = bench.group("/providers/Microsoft.Resources/deployments/");
    assert_eq!(bench.get(&list, RESOURCES).1["value"].as_array().map(Vec::len), Some(1));
    bench.wait(200);
    let filtered = format!("{list}?$filter=provisioningState%20eq%20%27Failed%27");
    assert_eq!(bench.get(&filtered, RESOURCES).1["value"], json!([]));
    let exported = bench.send(Method::Post, &format!("{path}/exportTemplate"), RESOURCES, Value::Null);
    let exported = exported.value().expect("a template")["template"].clone();
    assert_eq!(exported["parameters"]["gateway"]["type"], "String");
    let members: Vec<&str> =
        exported["resources"][0].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    assert_eq!(members, ["type", "apiVersion", "name", "dependsOn", "properties"]);
    assert_eq!(exported["resources"][0]["properties"], small()["resources"][0]["properties"]);
    assert_eq!(bench.send(Method::Head, &path, RESOURCES, Value::Null).status, 204);
    // the path works without its provider
    let short = bench.group("/deployments/main/operations");
    let first = bench.get(&short, RESOURCES).1["value"][0]["operationId"].clone();
    let one = format!("{short}/{}", first.as_str().expect("an id"));
    assert_eq!(bench.get(&one, RESOURCES).0, 200);
    let gone = bench.send(Method::Delete, &path, RESOURCES, Value::Null);
    assert_eq!((gone.status, gone.headers.get("Retry-After")), (202, Some("15")));
    let poll = gone.headers.get("Location").expect("an address").to_string();
    assert_eq!(bench.request(&Request::arm(Method::Get, poll.clone())).status, 202);
    bench.wait(15);
    assert_eq!(bench.request(&Request::arm(Method::Get, poll)).status, 204);
    assert_eq!(bench.send(Method::Head, &path, RESOURCES, Value::Null).status, 404);
    assert_eq!(bench.send(Method::Delete, &path, RESOURCES, Value::Null).status, 204);
}

#[test]
fn a_group_goes_with_all_in_it_and_leaves_the_soft_deleted() {
    let mut bench = Bench::with_group();
    bench.send(Method::Put, &deployment(&bench, ""), RESOURCES, order(small()));
    bench.wait(200);
    let resources = bench.get(&bench.group("/resources"), "2021-04-01").1;
    assert_eq!(resources["value"].as_array().map(Vec::len), Some(2));
    bench.send(Method::Delete, &bench.group(""), RESOURCES, Value::Null);
    bench.wait(140);
    assert_eq!(bench.get(&bench.group(""), RESOURCES).0, 404);
    let deleted = |bench: &mut Bench, provider: &str, what: &str, version: &str| {
        let path = format!("/subscriptions/{SUBSCRIPTION}/providers/{provider}/{what}");
        bench.get(&path, version).1["value"].as_array().cloned().unwrap_or_default()
    };
    for (provider, what, version) in [
        ("Microsoft.ApiManagement", "deletedservices", APIM),
        ("Microsoft.CognitiveServices", "deletedAccounts", COGNITIVE),
    ] {
        let found = deleted(&mut bench, provider, what, version);
        assert_eq!(found.len(), 1);
        let id = found[0]["id"].as_str().expect("an id").to_string();
        assert_eq!(bench.send(Method::Delete, &id, version, Value::Null).status, 202);
        bench.wait(61);
        assert_eq!(deleted(&mut bench, provider, what, version), Vec::<Value>::new());
    }
    // nothing is left
    bench.send(Method::Put, &bench.group(""), RESOURCES, json!({"location": "eastus2"}));
    assert_eq!(bench.send(Method::Put, &deployment(&bench, ""), RESOURCES, order(small())).status, 201);
    bench.wait(200);
    assert_eq!(state(&mut bench), "Succeeded");
}

#[test]
fn what_ended_at_one_scale_has_ended_at_every_other() {
    let mut bench = Bench::with_group();
    bench.world = bench.world.with_scale(100_000);
    assert_eq!(bench.send(Method::Put, &deployment(&bench, ""), RESOURCES, order(small())).status, 201);
    // nothing is stored while time passes: another process reads what the PUT left
    let text = bench.world.to_json();
    bench.now += Duration::from_millis(1000);
    bench.world = World::from_json(&text).expect("a state").with_scale(1);
    assert_eq!(bench.get(&deployment(&bench, ""), RESOURCES).1["properties"]["provisioningState"], "Succeeded");
}

/// The quickstart's template, as the real compiler wrote it, from nothing to nothing.
#[test]
#[allow(clippy::disallowed_methods)] // a test may read the disk
fn the_quickstart_deploys_reads_back_and_goes() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/bicep/01-quickstart.json");
    let Ok(text) = std::fs::read_to_string(file) else {
        assert!(std::env::var_os("CI").is_none(), "../shared is not here");
        println!("skipped: ../shared/corpus/bicep is not here");
        return;
    };
    let template: Value = serde_json::from_str(&text).expect("a template");
    let mut bench = Bench::with_group();
    bench.world = bench.world.with_scale(600);
    let path = deployment(&bench, "");
    assert_eq!(bench.send(Method::Put, &path, RESOURCES, order(template.clone())).status, 201);
    bench.now += Duration::from_millis(1000);
    let done = bench.get(&path, RESOURCES).1;
    assert_eq!(done["properties"]["provisioningState"], "Succeeded", "{}", done["properties"]["error"]);
    assert_eq!(done["properties"]["outputResources"].as_array().map(Vec::len), Some(15));
    let gateway = done["properties"]["outputs"]["gatewayName"]["value"].as_str().expect("a name").to_string();
    let base = bench.group(&format!("/providers/Microsoft.ApiManagement/service/{gateway}"));
    let pool = bench.get(&format!("{base}/backends/gpt-4o"), APIM).1;
    let members = pool["properties"]["pool"]["services"].as_array().cloned().unwrap_or_default();
    assert_eq!(members.iter().map(|m| m["weight"].clone()).collect::<Vec<_>>(), [json!(1), json!(50)]);
    let policy = bench.get(&format!("{base}/apis/openai/policies/policy"), APIM).1;
    assert!(
        policy["properties"]["value"]
            .as_str()
            .is_some_and(|text| text.contains("\r\n\t\t<set-backend-service backend-id=\"gpt-4o\" />"))
    );
    assert_eq!(bench.get(&base, APIM).1["location"], "East US 2");
    let accounts = bench.get(&bench.group("/providers/Microsoft.CognitiveServices/accounts"), COGNITIVE).1;
    assert_eq!(accounts["value"].as_array().map(Vec::len), Some(2));
    // sent once more, everything is as it was: no ETag moves
    let etag = |bench: &mut Bench, rest: &str| {
        let answer = bench.send(Method::Get, &format!("{base}{rest}"), APIM, Value::Null);
        answer.headers.get("ETag").map(str::to_string)
    };
    let kept = [
        "",
        "/backends/ptu",
        "/backends/gpt-4o",
        "/apis/openai",
        "/apis/openai/policies/policy",
        "/subscriptions/team-a",
    ];
    let before = kept.map(|rest| etag(&mut bench, rest));
    assert_eq!(bench.send(Method::Put, &path, RESOURCES, order(template)).status, 200);
    bench.now += Duration::from_millis(1000);
    assert_eq!(state(&mut bench), "Succeeded");
    assert_eq!(kept.map(|rest| etag(&mut bench, rest)), before);
    // and away with it, names included
    bench.send(Method::Delete, &bench.group(""), RESOURCES, Value::Null);
    bench.now += Duration::from_millis(1000);
    for (provider, what, version, count) in [
        ("Microsoft.ApiManagement", "deletedservices", APIM, 1),
        ("Microsoft.CognitiveServices", "deletedAccounts", COGNITIVE, 2),
    ] {
        let list = format!("/subscriptions/{SUBSCRIPTION}/providers/{provider}/{what}");
        let found = bench.get(&list, version).1["value"].as_array().cloned().unwrap_or_default();
        assert_eq!(found.len(), count);
        for gone in found {
            let id = gone["id"].as_str().expect("an id").to_string();
            assert_eq!(bench.send(Method::Delete, &id, version, Value::Null).status, 202);
        }
        bench.now += Duration::from_millis(1000);
        assert_eq!(bench.get(&list, version).1["value"], json!([]));
    }
    let state: Value = serde_json::from_str(&bench.world.to_json()).expect("a state");
    for what in ["groups", "resources", "deleted", "deployments"] {
        assert_eq!(state[what], json!({}), "{what}");
    }
}
