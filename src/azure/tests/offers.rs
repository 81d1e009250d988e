//! Lists with filters and pages, what a region offers, what hangs on an account, roles by api-version.

use super::*;

const RESOURCES: &str = "2024-03-01";

fn names(list: &Value) -> Vec<String> {
    let items = list["value"].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| item["name"].as_str().unwrap_or("").to_string()).collect()
}

#[test]
fn groups_are_listed_by_tag_and_in_pages() {
    let mut bench = Bench::new();
    let base = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups");
    for (name, tags) in [("a", json!({"env": "prod"})), ("b", json!({"Env": "test"})), ("c", json!({"x": "prod"}))] {
        let body = json!({"location": "eastus2", "tags": tags});
        assert_eq!(bench.send(Method::Put, &format!("{base}/{name}"), RESOURCES, body).status, 201);
    }
    let mut found = |query: &str| bench.get(&format!("{base}?{query}"), RESOURCES);
    assert_eq!(names(&found("$filter=tagName eq 'env'").1), ["a", "b"]);
    assert_eq!(names(&found("$filter=tagName%20eq%20'env'%20and%20tagValue%20eq%20'prod'").1), ["a"]);
    assert_eq!(found("$filter=name gt 'a'").1["error"]["code"], "InvalidFilterInQueryString");
    let first = found("$top=2").1;
    assert_eq!(names(&first), ["a", "b"]);
    let next = first["nextLink"].as_str().expect("another page").to_string();
    assert!(next.contains("&%24skiptoken="), "{next}");
    let second = bench.request(&Request::arm(Method::Get, next)).value().expect("a page");
    assert_eq!((names(&second), &second["nextLink"]), (vec!["c".to_string()], &Value::Null));
    for query in ["$skiptoken=x", "$skiptoken=bm8=", "$top=0", "$top=-1", "$top=x"] {
        assert_eq!(bench.get(&format!("{base}?{query}"), RESOURCES).0, 400, "{query}");
    }
    assert_eq!(bench.get(&base, "2011-01-01").1["error"]["code"], "InvalidApiVersionParameter");
}

#[test]
fn resources_are_listed_by_type_and_tag() {
    let mut bench = Bench::with_service();
    let path = bench.account("");
    let mut body = account("a-1");
    body["tags"] = json!({"env": "prod"});
    bench.send(Method::Put, &path, COGNITIVE, body);
    let role = format!("{path}/providers/Microsoft.Authorization/roleAssignments/88888888-0000-0000-0000-000000000001");
    let assignment = json!({"properties": {
        "principalId": "99999999-0000-0000-0000-000000000001",
        "principalType": "User",
        "roleDefinitionId": "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
    }});
    assert_eq!(bench.send(Method::Put, &role, "2022-04-01", assignment).status, 201);
    for base in [bench.group("/resources"), format!("/subscriptions/{SUBSCRIPTION}/resources")] {
        assert_eq!(names(&bench.get(&base, RESOURCES).1), ["apim", "aoai"]);
        let by = |bench: &mut Bench, filter: &str| names(&bench.get(&format!("{base}?$filter={filter}"), RESOURCES).1);
        assert_eq!(by(&mut bench, "resourceType eq 'microsoft.cognitiveservices/accounts'"), ["aoai"]);
        assert_eq!(by(&mut bench, "tagName eq 'env' and tagValue eq 'prod'"), ["aoai"]);
        assert_eq!(by(&mut bench, "location eq 'East US 2' and name eq 'apim'"), ["apim"]);
    }
    // what stands on a resource goes with it, and does not come back with it
    bench.wait(30);
    assert_eq!(bench.send(Method::Delete, &path, COGNITIVE, Value::Null).status, 200);
    let restored = json!({"location": "eastus2", "properties": {"restore": true}});
    assert_eq!(bench.send(Method::Put, &path, COGNITIVE, restored).status, 201);
    assert_eq!(bench.get(&role, "2022-04-01").0, 404);
}

#[test]
fn a_group_that_goes_is_deleted_once() {
    let mut bench = Bench::with_group();
    let path = bench.group("");
    let first = bench.send(Method::Delete, &path, RESOURCES, Value::Null);
    bench.wait(30);
    let second = bench.send(Method::Delete, &path, RESOURCES, Value::Null);
    let key = |answer: &Response| {
        let address = answer.headers.get("Location").unwrap_or("");
        address.split('?').next().unwrap_or("").to_string()
    };
    assert_eq!((second.status, key(&second)), (202, key(&first)));
    bench.wait(31);
    assert_eq!(bench.send(Method::Put, &path, RESOURCES, json!({"location": "eastus2"})).status, 201);
    bench.wait(100);
    assert_eq!(bench.get(&path, RESOURCES).0, 200);
}

#[test]
fn a_region_offers_models_and_an_account_takes_them() {
    let mut bench = Bench::with_group();
    let base = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices");
    let models = bench.get(&format!("{base}/locations/swedencentral/models"), COGNITIVE).1;
    let found = models["value"].as_array().expect("a list").iter().find(|item| item["model"]["name"] == "gpt-4.1");
    let skus = found.expect("a model")["model"]["skus"].as_array().cloned().unwrap_or_default();
    assert!(skus.iter().any(|sku| sku["name"] == "GlobalStandard" && sku["usageName"].is_string()), "{skus:?}");
    assert_eq!(bench.get(&format!("{base}/locations/nowhere/models"), COGNITIVE).0, 400);

    let path = bench.account("");
    bench.send(Method::Put, &path, COGNITIVE, account("a-1"));
    bench.wait(30);
    assert!(!names(&bench.get(&format!("{path}/models"), COGNITIVE).1).is_empty());
    assert_eq!(bench.get(&format!("{path}/skus"), COGNITIVE).1["value"][0]["sku"]["name"], "S0");
    let query = "modelFormat=OpenAI&modelName=gpt-4o&modelVersion=2024-11-20";
    let left = |bench: &mut Bench| {
        let found = bench.get(&format!("{base}/locations/eastus2/modelCapacities?{query}"), COGNITIVE).1;
        let items = found["value"].as_array().cloned().unwrap_or_default();
        items.iter().find(|item| item["name"] == "GlobalStandard").expect("a SKU")["properties"]["availableCapacity"]
            .as_u64()
    };
    let before = left(&mut bench).expect("a figure");
    let model = json!({"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"});
    let body = json!({"sku": {"name": "GlobalStandard", "capacity": 10}, "properties": {"model": model}});
    assert_eq!(bench.send(Method::Put, &format!("{path}/deployments/m"), COGNITIVE, body).status, 201);
    assert_eq!(left(&mut bench), Some(before - 10));

    let mut check = |name: &str| {
        let body = json!({"subdomainName": name, "type": "Microsoft.CognitiveServices/accounts"});
        let answer = bench.send(Method::Post, &format!("{base}/checkDomainAvailability"), COGNITIVE, body);
        answer.value().expect("an answer")["isSubdomainAvailable"].clone()
    };
    assert_eq!((check("A-1"), check("a-2")), (json!(false), json!(true)));
}

#[test]
fn filters_and_projects_hang_on_an_account() {
    let mut bench = Bench::with_group();
    let path = bench.account("");
    let mut body = account("a-1");
    body["kind"] = "AIServices".into();
    bench.send(Method::Put, &path, COGNITIVE, body.clone());
    bench.wait(30);
    let filter = format!("{path}/raiPolicies/strict");
    let content =
        json!([{"name": "hate", "enabled": true, "blocking": true, "severityThreshold": "Low", "source": "Prompt"}]);
    let sent =
        json!({"properties": {"basePolicyName": "Microsoft.DefaultV2", "mode": "Blocking", "contentFilters": content}});
    assert_eq!(bench.send(Method::Put, &filter, COGNITIVE, sent).status, 201);
    let kept = bench.get(&filter, COGNITIVE).1;
    assert_eq!((&kept["properties"]["type"], &kept["properties"]["contentFilters"]), (&json!("UserManaged"), &content));
    assert_eq!(
        bench.get(&format!("{path}/raiPolicies/Microsoft.DefaultV2"), COGNITIVE).1["properties"]["type"],
        "SystemManaged"
    );
    assert_eq!(bench.send(Method::Delete, &filter, COGNITIVE, Value::Null).status, 200);
    assert_eq!(bench.get(&filter, COGNITIVE).1["error"]["code"], "NotFound");

    let project = format!("{path}/projects/p");
    let sent =
        json!({"location": "eastus2", "identity": {"type": "SystemAssigned"}, "properties": {"displayName": "P"}});
    assert_eq!(bench.send(Method::Put, &project, "2025-06-01", sent.clone()).status, 400);
    body["properties"]["allowProjectManagement"] = true.into();
    bench.send(Method::Put, &path, "2025-06-01", body);
    bench.wait(30);
    let made = bench.send(Method::Put, &project, "2025-06-01", sent);
    assert_eq!(made.status, 201, "{}", message(&made));
    let made = made.value().expect("a project");
    assert_eq!((&made["name"], &made["properties"]["isDefault"]), (&json!("aoai/p"), &json!(true)));
    assert_eq!(made["properties"]["endpoints"]["AI Foundry API"], "https://a-1.services.ai.azure.com/api/projects/p");
    // an older api-version of the account does not show what came later
    assert_eq!(bench.get(&path, "2024-10-01").1["properties"]["allowProjectManagement"], Value::Null);
    assert_eq!(bench.get(&path, "2025-06-01").1["properties"]["allowProjectManagement"], true);
}

#[test]
fn the_first_api_version_knows_no_operations() {
    let mut bench = Bench::with_group();
    let path = bench.account("");
    let made = bench.send(Method::Put, &path, "2017-04-18", account("a-1"));
    assert_eq!((made.status, made.headers.get("Azure-AsyncOperation")), (201, None));
    let made = made.value().expect("an account");
    assert_eq!(
        (&made["properties"]["provisioningState"], &made["properties"]["endpoints"]),
        (&json!("Succeeded"), &Value::Null)
    );
    let patched =
        bench.send(Method::Patch, &path, "2017-04-18", json!({"properties": {"publicNetworkAccess": "Disabled"}}));
    assert_eq!(patched.status, 200);
}

#[test]
fn what_the_gateway_refuses_by_itself() {
    let mut bench = Bench::with_group();
    let put = |bench: &mut Bench, rest: &str, body: Vec<u8>| {
        let path = bench.group(rest);
        bench.request(&Request { body, ..Request::arm(Method::Put, format!("{path}?api-version=2023-09-01")) })
    };
    let workspace = "/providers/Microsoft.OperationalInsights/workspaces/logs";
    let path = format!("{}?api-version=2023-09-01", bench.group(workspace));
    let text = Request { body: b"{}".to_vec(), ..Request::arm(Method::Put, path) }.header("Content-Type", "text/plain");
    let refused = bench.request(&text);
    assert_eq!((refused.status, code(&refused).as_str()), (415, "UnsupportedMediaType"));
    let long = vec![b' '; 4 * 1024 * 1024 + 1];
    assert_eq!(code(&put(&mut bench, workspace, long)), "RequestContentTooLarge");
    assert_eq!(code(&put(&mut bench, workspace, b"{".to_vec())), "InvalidRequestContent");
    assert_eq!(code(&put(&mut bench, workspace, b"[]".to_vec())), "LocationRequired");
    let body = json!({"location": "eastus2"}).to_string().into_bytes();
    for name in ["a%3Cb", "a%00b", "a%26b", "ab.", "a%20"] {
        let odd = format!("/providers/Microsoft.OperationalInsights/workspaces/{name}");
        assert_eq!(code(&put(&mut bench, &odd, body.clone())), "InvalidResourceName", "{name}");
    }
    // what is known in a group is nothing in a subscription or on another resource
    let path = format!("/subscriptions/{SUBSCRIPTION}{workspace}");
    assert_eq!(bench.send(Method::Put, &path, "2023-09-01", json!({"location": "eastus2"})).status, 404);
    assert_eq!(put(&mut bench, workspace, body.clone()).status, 201);
    assert_eq!(put(&mut bench, &format!("{workspace}{workspace}"), body).status, 404);
}
