//! Children of a service, model deployments, role assignments.

use super::*;

const AUTHORIZATION: &str = "2022-04-01";
const USER: &str = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd";

fn api() -> Value {
    json!({"properties": {"displayName": "openai", "path": "/openai", "protocols": ["https"],
        "subscriptionKeyParameterNames": {"header": "api-key", "query": "api-key"}}})
}

fn policy(backend: &str) -> Value {
    let value = format!(
        "<policies>\n  <inbound>\n    <base />\n    <set-backend-service backend-id='{backend}' />\n  </inbound>\n  <backend>\n    <forward-request />\n  </backend>\n</policies>\n"
    );
    json!({"properties": {"format": "rawxml", "value": value}})
}

#[test]
fn an_api_has_a_path_without_slashes_and_many_nulls() {
    let mut bench = Bench::with_service();
    let path = bench.service("/apis/openai");
    let made = bench.send(Method::Put, &path, APIM, api());
    assert_eq!(made.status, 201);
    let body = made.value().expect("an api");
    let properties = &body["properties"];
    assert_eq!((&properties["path"], &properties["apiRevision"]), (&json!("openai"), &json!("1")));
    assert_eq!((&properties["isCurrent"], &properties["serviceUrl"]), (&json!(true), &Value::Null));
    assert_eq!(
        properties["subscriptionKeyParameterNames"],
        json!({"header": "api-key", "query": "api-key", "bearer": null})
    );
    // in 2019 a list did not say how a key is sent
    let listed = bench.get(&bench.service("/apis"), "2019-01-01").1;
    assert_eq!(
        (&listed["count"], &listed["value"][0]["properties"]["subscriptionKeyParameterNames"]),
        (&json!(1), &Value::Null)
    );
    let listed = bench.get(&bench.service("/apis"), APIM).1;
    assert_eq!(listed["value"][0]["properties"]["subscriptionKeyParameterNames"]["header"], "api-key");
    let twin = bench.send(Method::Put, &bench.service("/apis/other"), APIM, api());
    assert!(message(&twin).contains("same Path"));
    let mut import = api();
    import["properties"]["format"] = json!("wadl-xml");
    import["properties"]["value"] = json!("<application />");
    assert!(message(&bench.send(Method::Put, &path, APIM, import)).contains("'wadl-xml' is refused"));

    let url = format!("{path}?api-version={APIM}");
    let gone = bench.request(&Request::arm(Method::Delete, url));
    assert_eq!(gone.status, 202);
    let status = gone.headers.get("Azure-AsyncOperation").expect("an address").to_string();
    assert!(status.contains("azure-asyncId="));
    bench.wait(5);
    assert_eq!(bench.request(&Request::arm(Method::Get, status)).value(), Some(json!({"status": "Succeeded"})));
    assert_eq!(bench.get(&path, APIM).1["error"]["message"], "Api not found.");
}

#[test]
fn operations_need_their_parameters_and_differ() {
    let mut bench = Bench::with_service();
    bench.send(Method::Put, &bench.service("/apis/openai"), APIM, api());
    let path = bench.service("/apis/openai/operations/chat");
    let operation = json!({"properties": {"displayName": "Chat", "method": "POST", "urlTemplate": "/d/{d}/chat",
        "templateParameters": [{"name": "d", "type": "string", "required": true}]}});
    let made = bench.send(Method::Put, &path, APIM, operation.clone());
    assert_eq!(made.status, 201);
    assert_eq!(made.value().expect("an operation")["properties"]["templateParameters"][0]["values"], json!([]));
    let listed = bench.get(&bench.service("/apis/openai/operations"), APIM).1;
    assert!(listed["value"][0]["properties"].get("request").is_none());
    let mut bare = operation.clone();
    bare["properties"]["templateParameters"] = json!([]);
    assert!(message(&bench.send(Method::Put, &path, APIM, bare)).contains("must be defined"));
    let twin = bench.send(Method::Put, &bench.service("/apis/openai/operations/other"), APIM, operation);
    assert!(message(&twin).contains("already exists"));
}

#[test]
fn a_policy_comes_back_in_the_services_form() {
    let mut bench = Bench::with_service();
    // every service has one from its first day
    let global = bench.service("/policies/policy");
    assert_eq!(bench.get(&global, APIM).1["properties"]["format"], "xml");
    bench.send(Method::Put, &bench.service("/apis/openai"), APIM, api());
    let path = bench.service("/apis/openai/policies/policy");
    assert_eq!(bench.get(&path, APIM).1["error"]["message"], "PoliciesConfiguration not found.");
    let early = bench.send(Method::Put, &path, APIM, policy("pool"));
    assert_eq!((early.status, message(&early).as_str()), (400, "Backend with id 'pool' could not be found."));
    bench.send(Method::Put, &bench.service("/backends/pool"), APIM, single("https://p/"));
    let made = bench.send(Method::Put, &path, APIM, policy("pool"));
    assert_eq!(made.status, 201);
    let value = made.value().expect("a policy")["properties"]["value"].clone();
    assert!(
        value.as_str().is_some_and(|text| text.starts_with(
            "<policies>\r\n\t<inbound>\r\n\t\t<base />\r\n\t\t<set-backend-service backend-id=\"pool\" />"
        )),
        "{value}"
    );
    assert_eq!(bench.get(&format!("{path}?format=rawxml"), APIM).1["properties"]["format"], "rawxml");
    for (wrong, word) in [
        ("<policies><inbound><x></inbound></policies>", "on line 1"),
        ("<fragment />", "'policies' was expected"),
        ("<policies><inbound /><inbound /></policies>", "not allowed"),
        ("<policies><backend><base /><forward-request /></backend></policies>", "only one policy"),
        ("<policies><inbound><set-header name='{{key}}' /></inbound></policies>", "property 'key'"),
        ("<policies><inbound><set-backend-service backend-id='nobody' /></inbound></policies>", "'nobody'"),
        ("<policies>text<inbound /></policies>", ""),
    ] {
        let refused = bench.send(Method::Put, &path, APIM, json!({"properties": {"value": wrong}}));
        if !word.is_empty() {
            assert_eq!(refused.status, 400, "{wrong}");
            assert!(message(&refused).contains(word), "{wrong}: {}", message(&refused));
        }
    }
    let expression = "<policies><inbound><set-backend-service backend-id='@(\"x\" + 1)' /></inbound></policies>";
    assert_eq!(bench.send(Method::Put, &path, APIM, json!({"properties": {"value": expression}})).status, 200);
    let raw = bench.get(&format!("{path}?format=rawxml"), APIM).1["properties"]["value"].clone();
    assert!(raw.as_str().is_some_and(|text| text.contains("backend-id=\"@(\"x\" + 1)\"")), "{raw}");
}

#[test]
fn keys_are_shown_by_a_put_and_by_list_secrets_alone() {
    let mut bench = Bench::with_service();
    bench.send(Method::Put, &bench.service("/apis/openai"), APIM, api());
    let path = bench.service("/subscriptions/team");
    let sent = json!({"properties": {"displayName": "team", "scope": "/apis/OPENAI"}});
    let made = bench.send(Method::Put, &path, APIM, sent.clone());
    assert_eq!(made.status, 201);
    let body = made.value().expect("a subscription");
    assert_eq!(
        (&body["properties"]["scope"], &body["properties"]["state"]),
        (&json!(bench.service("/apis/openai")), &json!("active"))
    );
    let key = body["properties"]["primaryKey"].as_str().expect("a key").to_string();
    assert_eq!(key.len(), 32);
    let shown = bench.get(&path, APIM).1;
    assert!(!shown.to_string().contains(&key) && shown["properties"].get("primaryKey").is_none());
    assert!(!bench.get(&bench.service("/subscriptions"), APIM).1.to_string().contains(&key));
    let secrets = format!("{path}/listSecrets");
    assert_eq!(bench.send(Method::Post, &secrets, APIM, Value::Null).value().expect("keys")["primaryKey"], json!(key));
    // the same again keeps the keys and the etag
    let again = bench.send(Method::Put, &path, APIM, sent);
    assert_eq!((again.status, again.headers.get("ETag")), (200, made.headers.get("ETag")));
    assert_eq!(again.value().expect("a subscription")["properties"]["primaryKey"], json!(key));
    assert_eq!(bench.send(Method::Post, &format!("{path}/regeneratePrimaryKey"), APIM, Value::Null).status, 204);
    assert_ne!(bench.send(Method::Post, &secrets, APIM, Value::Null).value().expect("keys")["primaryKey"], json!(key));
    let wrong = json!({"properties": {"displayName": "x", "scope": "/apis/none"}});
    assert_eq!(bench.send(Method::Put, &path, APIM, wrong).status, 400);
    // one that opens everything is always there; the API takes its own along
    let names = |bench: &mut Bench| {
        let listed = bench.get(&bench.service("/subscriptions"), APIM).1;
        listed["value"].as_array().into_iter().flatten().map(|item| item["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&mut bench), ["master", "team"]);
    bench.send(Method::Delete, &bench.service("/apis/openai"), APIM, Value::Null);
    assert_eq!(names(&mut bench), ["master"]);
}

#[test]
fn lists_have_pages() {
    let mut bench = Bench::with_service();
    for name in ["a", "b", "c"] {
        bench.send(Method::Put, &bench.service(&format!("/backends/{name}")), APIM, single("https://x/"));
    }
    let first = bench.get(&format!("{}?$top=2", bench.service("/backends")), APIM).1;
    assert_eq!((&first["count"], first["value"].as_array().map(Vec::len)), (&json!(3), Some(2)));
    let next = first["nextLink"].as_str().expect("more").to_string();
    let second = bench.request(&Request::arm(Method::Get, next)).value().expect("a page");
    assert_eq!((&second["value"][0]["name"], second.get("nextLink")), (&json!("c"), None));
}

#[test]
fn models_are_deployed_one_at_a_time() {
    let mut bench = Bench::with_group();
    bench.send(Method::Put, &bench.account(""), COGNITIVE, account("a-1"));
    let path = bench.account("/deployments/gpt");
    let sent = json!({"sku": {"name": "Standard", "capacity": 10},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}}});
    assert_eq!(
        code(&bench.send(Method::Put, &path, COGNITIVE, sent.clone())),
        "RequestConflict",
        "the account is made"
    );
    bench.wait(20);
    let made = bench.send(Method::Put, &path, COGNITIVE, sent.clone());
    assert_eq!((made.status, made.headers.get("Azure-AsyncOperation")), (201, None));
    let body = made.value().expect("a deployment");
    assert_eq!(body["properties"]["versionUpgradeOption"], "OnceNewDefaultVersionAvailable");
    assert_eq!(body["properties"]["rateLimits"][0], json!({"key": "request", "renewalPeriod": 10, "count": 10}));
    assert_eq!(body["properties"]["rateLimits"][1]["count"], 10_000);
    assert!(bench.get(&path, "2023-05-01").1["properties"].get("ratelimits").is_some());
    // at the same moment: in parallel
    assert_eq!(
        code(&bench.send(Method::Put, &bench.account("/deployments/b"), COGNITIVE, sent.clone())),
        "RequestConflict"
    );
    bench.wait(1);
    assert_eq!(bench.send(Method::Put, &path, COGNITIVE, sent.clone()).status, 200);
    bench.wait(1);
    for (pointer, value, word) in [
        ("/properties/model/name", json!("gpt-9"), "DeploymentModelNotSupported"),
        ("/sku/name", json!("Fast"), "InvalidResourceProperties"),
        ("/sku/capacity", json!(0), "InvalidCapacity"),
    ] {
        let mut wrong = sent.clone();
        *wrong.pointer_mut(pointer).expect("a place") = value;
        assert_eq!(code(&bench.send(Method::Put, &path, COGNITIVE, wrong)), word);
    }
    let mut units = sent;
    units["sku"] = json!({"name": "GlobalProvisionedManaged", "capacity": 17});
    assert_eq!(code(&bench.send(Method::Put, &path, COGNITIVE, units.clone())), "InvalidCapacity");
    units["sku"]["capacity"] = json!(20);
    let provisioned = bench.send(Method::Put, &path, COGNITIVE, units).value().expect("a deployment");
    assert!(provisioned["properties"].get("rateLimits").is_none());
    bench.wait(1);
    assert_eq!(bench.send(Method::Delete, &path, COGNITIVE, Value::Null).status, 200);
    assert_eq!(bench.get(&path, COGNITIVE).1["error"]["code"], "NotFound");
    bench.wait(1);
    assert_eq!(bench.send(Method::Delete, &path, COGNITIVE, Value::Null).status, 204);
}

#[test]
fn roles_are_assigned_once_and_seen_from_around() {
    let mut bench = Bench::with_service();
    bench.send(Method::Put, &bench.account(""), COGNITIVE, account("a-1"));
    bench.wait(20);
    let principal = bench.get(&bench.service(""), APIM).1["identity"]["principalId"].clone();
    let name = "88888888-0000-0000-0000-000000000001";
    let base = bench.account("/providers/Microsoft.Authorization/roleAssignments");
    let definition = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{USER}");
    let body = json!({"properties": {"roleDefinitionId": definition, "principalId": principal, "description": "ours"}});
    let made = bench.send(Method::Put, &format!("{base}/{name}"), AUTHORIZATION, body.clone());
    assert_eq!(made.status, 201);
    let shown = made.value().expect("an assignment");
    assert_eq!(
        (&shown["properties"]["createdBy"], &shown["properties"]["principalType"]),
        (&Value::Null, &json!("ServicePrincipal"))
    );
    assert_eq!(shown["properties"]["scope"], json!(bench.account("")));
    let read = bench.get(&format!("{base}/{name}"), AUTHORIZATION).1;
    assert!(read["properties"]["createdBy"].is_string() && read["properties"]["condition"].is_null());
    assert_eq!(bench.send(Method::Put, &format!("{base}/{name}"), AUTHORIZATION, body.clone()).status, 201);
    let other = base.clone() + "/88888888-0000-0000-0000-000000000002";
    assert_eq!(code(&bench.send(Method::Put, &other, AUTHORIZATION, body.clone())), "RoleAssignmentExists");
    let mut moved = body.clone();
    moved["properties"]["principalId"] = json!("99999999-0000-0000-0000-000000000001");
    assert_eq!(code(&bench.send(Method::Put, &other, AUTHORIZATION, moved.clone())), "PrincipalNotFound");
    moved["properties"]["principalType"] = json!("User");
    assert_eq!(
        code(&bench.send(Method::Put, &format!("{base}/{name}"), AUTHORIZATION, moved.clone())),
        "RoleAssignmentUpdateNotPermitted"
    );
    assert_eq!(bench.send(Method::Put, &other, AUTHORIZATION, moved).status, 201);
    let mut unknown = body;
    unknown["properties"]["roleDefinitionId"] = json!("11111111-0000-0000-0000-000000000001");
    assert_eq!(code(&bench.send(Method::Put, &other, AUTHORIZATION, unknown)), "RoleDefinitionDoesNotExist");

    let count = |bench: &mut Bench, scope: &str, filter: &str| {
        let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments?$filter={filter}");
        bench.get(&path, AUTHORIZATION).1["value"].as_array().map(Vec::len)
    };
    let (account, group) = (bench.account(""), bench.group(""));
    let principal = principal.as_str().expect("an id").to_string();
    assert_eq!(count(&mut bench, &account, "atScope()"), Some(2));
    assert_eq!(count(&mut bench, &account, &format!("principalId%20eq%20'{principal}'")), Some(1));
    assert_eq!(count(&mut bench, &group, "atScope()"), Some(0));
    assert_eq!(count(&mut bench, &group, &format!("principalId eq '{principal}'")), Some(1));
    let service = bench.service("");
    assert_eq!(count(&mut bench, &service, ""), Some(0));

    let roles =
        format!("{group}/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName%20eq%20'Contributor'");
    assert_eq!(bench.get(&roles, AUTHORIZATION).1["value"][0]["properties"]["roleName"], "Contributor");
    let gone = bench.send(Method::Delete, &format!("{base}/{name}"), AUTHORIZATION, Value::Null);
    assert_eq!((gone.status, gone.value().is_some()), (200, true));
    assert_eq!(bench.send(Method::Delete, &format!("{base}/{name}"), AUTHORIZATION, Value::Null).status, 204);
    assert_eq!(
        code(&bench.send(Method::Get, &format!("{base}/{name}"), AUTHORIZATION, Value::Null)),
        "RoleAssignmentNotFound"
    );
}

#[test]
fn a_new_identity_is_not_known_everywhere_at_once() {
    let mut bench = Bench::with_group();
    let made = bench.send(Method::Put, &bench.service(""), APIM, service()).value().expect("a service");
    let path = bench.group("/providers/Microsoft.Authorization/roleAssignments/88888888-0000-0000-0000-000000000001");
    let mut body = json!({"properties": {"roleDefinitionId": USER, "principalId": made["identity"]["principalId"]}});
    assert_eq!(code(&bench.send(Method::Put, &path, AUTHORIZATION, body.clone())), "PrincipalNotFound");
    body["properties"]["principalType"] = json!("ServicePrincipal");
    assert_eq!(bench.send(Method::Put, &path, AUTHORIZATION, body).status, 201);
}
