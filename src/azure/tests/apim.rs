//! API Management: every kind of child, and how a service is followed by api-version.

use super::*;

const OLD: &str = "2022-08-01";

fn put(bench: &mut Bench, rest: &str, properties: Value) -> Response {
    let path = bench.service(rest);
    bench.send(Method::Put, &path, APIM, json!({ "properties": properties }))
}

/// Puts a slow child and waits for it.
fn settled(bench: &mut Bench, rest: &str, properties: Value) {
    let answer = put(bench, rest, properties);
    assert!(answer.is_success(), "{rest}: {}", message(&answer));
    bench.wait(20);
}

fn get(bench: &mut Bench, rest: &str) -> Value {
    let path = bench.service(rest);
    bench.get(&path, APIM).1
}

fn names(bench: &mut Bench, rest: &str) -> Vec<String> {
    let listed = get(bench, rest);
    let items = listed["value"].as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|item| item["name"].as_str().map(str::to_string)).collect()
}

fn api(path: &str) -> Value {
    json!({"displayName": path, "path": path, "protocols": ["https"]})
}

/// A service of a tier and an api-version, just asked for.
fn made(tier: &str, capacity: u64, version: &str) -> (Bench, Response) {
    let mut bench = Bench::with_group();
    let mut body = service();
    body["sku"] = json!({"name": tier, "capacity": capacity});
    let path = bench.service("");
    let answer = bench.send(Method::Put, &path, version, body);
    assert_eq!(answer.status, 201);
    (bench, answer)
}

#[test]
fn until_2019_a_service_is_followed_by_location_alone() {
    let (mut bench, answer) = made("Developer", 1, "2019-01-01");
    assert_eq!((answer.headers.get("Azure-AsyncOperation"), answer.headers.get("Retry-After")), (None, Some("60")));
    let address = answer.headers.get("Location").expect("an address").to_string();
    assert!(address.contains("/service/apim/operationresults/"), "{address}");
    let body = answer.value().expect("a service");
    assert_eq!((&body["properties"]["provisioningState"], body.get("systemData")), (&json!("Created"), None));
    let poll = bench.request(&Request::arm(Method::Get, address.clone()));
    assert_eq!((poll.status, poll.body.len(), poll.headers.get("Retry-After")), (202, 0, Some("60")));
    bench.wait(2160);
    let end = bench.request(&Request::arm(Method::Get, address));
    let body = end.value().expect("a service");
    assert_eq!((end.status, &body["properties"]["provisioningState"]), (200, &json!("Succeeded")));
    assert!(body["properties"].get("platformVersion").is_none());
    let path = bench.service("");
    bench.send(Method::Delete, &path, "2019-01-01", Value::Null);
    bench.wait(60);
    let gone = bench.get(&path, "2019-01-01");
    assert_eq!((gone.0, &gone.1["code"]), (404, &json!("ServiceNotFound")));
}

#[test]
fn in_2022_both_headers_were_one_address() {
    let (mut bench, answer) = made("Developer", 1, OLD);
    let address = answer.headers.get("Azure-AsyncOperation").expect("an address").to_string();
    assert_eq!(answer.headers.get("Location"), Some(address.as_str()));
    assert!(address.contains("/operationresults/") && address.ends_with("&asyncResponse"), "{address}");
    let body = answer.value().expect("a service");
    assert_eq!(body["properties"]["provisioningState"], "Activating");
    assert_eq!(
        (&body["properties"]["portalUrl"], &body["properties"]["customProperties"]),
        (&Value::Null, &Value::Null)
    );
    let poll = bench.request(&Request::arm(Method::Get, address.clone()));
    assert_eq!((poll.value(), poll.headers.get("Retry-After")), (Some(json!({"status": "InProgress"})), Some("20")));
    bench.wait(2160);
    let end = bench.request(&Request::arm(Method::Get, address));
    assert_eq!((end.value(), end.headers.get("Location")), (Some(json!({"status": "Succeeded"})), None));
    let path = bench.service("");
    let whole = bench.get(&path, OLD).1;
    assert_eq!(whole["properties"]["platformVersion"], "stv2");
    assert!(whole["properties"].get("developerPortalStatus").is_none());
    // new tags alone are no work
    let mut body = service();
    body["sku"] = json!({"name": "Developer", "capacity": 1});
    body["tags"] = json!({"a": "b"});
    let tagged = bench.send(Method::Put, &path, OLD, body);
    assert_eq!((tagged.status, tagged.headers.get("Location")), (200, None));
    // the address goes with the service
    let gone = bench.send(Method::Delete, &path, OLD, Value::Null);
    let address = gone.headers.get("Azure-AsyncOperation").expect("an address").to_string();
    bench.wait(60);
    let poll = bench.request(&Request::arm(Method::Get, address.clone()));
    assert_eq!(poll.value(), Some(json!({"status": "Succeeded"})));
    bench.wait(60);
    let poll = bench.request(&Request::arm(Method::Get, address));
    assert_eq!((poll.status, code(&poll).as_str()), (404, "ResourceNotFound"));
}

#[test]
fn a_classic_service_has_products_and_an_api_from_its_first_day() {
    let (mut bench, _) = made("Developer", 1, APIM);
    bench.wait(2160);
    assert_eq!(names(&mut bench, "/products"), ["starter", "unlimited"]);
    assert_eq!(names(&mut bench, "/apis"), ["echo-api"]);
    assert_eq!(names(&mut bench, "/apis/echo-api/operations").len(), 6);
    assert_eq!(names(&mut bench, "/products/starter/apis"), ["echo-api"]);
    assert_eq!(names(&mut bench, "/products/starter/groups"), ["administrators", "developers", "guests"]);
    assert_eq!(get(&mut bench, "/subscriptions")["count"], 3);
    assert_eq!(names(&mut bench, "/products/starter/subscriptions").len(), 1);
    assert!(get(&mut bench, "/products/starter/policies/policy")["properties"]["value"].is_string());
    assert_eq!(names(&mut bench, "/users"), ["1"]);
    let (mut bench, _) = made("BasicV2", 1, APIM);
    bench.wait(100);
    assert!(names(&mut bench, "/products").is_empty() && names(&mut bench, "/apis").is_empty());
    assert_eq!(names(&mut bench, "/groups"), ["administrators", "developers", "guests"]);
}

#[test]
fn a_named_value_takes_its_time_and_keeps_its_secret() {
    let mut bench = Bench::with_service();
    let path = bench.service("/namedValues/key");
    let body = json!({"properties": {"displayName": "Key-1", "value": "hidden text", "secret": true, "tags": ["a"]}});
    let answer = bench.send(Method::Put, &path, APIM, body.clone());
    assert_eq!((answer.status, answer.headers.get("ETag")), (201, None));
    assert_eq!(answer.value().expect("a stub")["properties"], json!({"ProvisioningState": "InProgress"}));
    let status = answer.headers.get("Azure-AsyncOperation").expect("an address").to_string();
    let result = answer.headers.get("Location").expect("an address").to_string();
    assert!(status.contains("azure-asyncId=") && result.contains("&asyncCode=201"));
    assert_eq!(
        bench.request(&Request::arm(Method::Get, status.clone())).value(),
        Some(json!({"status": "InProgress"}))
    );
    assert_eq!(bench.get(&path, APIM).0, 404, "it is not there yet");
    assert_eq!(code(&bench.send(Method::Put, &path, APIM, body.clone())), "PessimisticConcurrencyConflict");
    bench.wait(2);
    assert_eq!(bench.request(&Request::arm(Method::Get, status)).value(), Some(json!({"status": "Succeeded"})));
    let shown = bench.get(&path, APIM).1;
    assert_eq!(
        shown["properties"],
        json!({"displayName": "Key-1", "tags": ["a"], "secret": true, "provisioningState": "Succeeded"})
    );
    let told = bench.send(Method::Post, &format!("{path}/listValue"), APIM, Value::Null);
    assert_eq!(told.value(), Some(json!({"value": "hidden text"})));

    // until 2022 the answer is empty, and the end of a poll is the resource
    let answer = bench.send(Method::Put, &path, OLD, body);
    assert_eq!((answer.status, answer.body.len(), answer.headers.get("Azure-AsyncOperation")), (202, 0, None));
    let result = answer.headers.get("Location").expect("an address").to_string();
    assert!(result.ends_with("&asyncCode=200"), "{result}");
    assert_eq!(bench.request(&Request::arm(Method::Get, result.clone())).status, 202);
    bench.wait(2);
    let end = bench.request(&Request::arm(Method::Get, result));
    assert_eq!((end.status, end.headers.get("ETag").is_some()), (200, true));
    // a value that is no secret is shown
    settled(&mut bench, "/namedValues/open", json!({"displayName": "open", "value": "x"}));
    assert_eq!(get(&mut bench, "/namedValues/open")["properties"]["value"], "x");
    for (properties, word) in [
        (json!({"displayName": "a b", "value": "x"}), "may contain only"),
        (json!({"displayName": "key-1", "value": "x"}), "already exists"),
        (json!({"displayName": "n"}), "Value is required"),
        (json!({"displayName": "n", "value": "  "}), "Value is required"),
        (json!({"displayName": "n", "value": "x".repeat(4097)}), "4096"),
        (json!({"displayName": "n", "keyVault": {"secretIdentifier": "x"}}), "secretIdentifier"),
        (json!({"displayName": 5, "value": "x"}), "JSON is not in correct format"),
        (json!({"value": "x"}), "DisplayName is required"),
    ] {
        let refused = put(&mut bench, "/namedValues/n", properties.clone());
        assert_eq!((refused.status, code(&refused).as_str()), (400, "ValidationError"), "{properties}");
        assert!(message(&refused).contains(word), "{properties}: {}", message(&refused));
    }
}

#[test]
fn a_named_value_in_a_key_vault_is_not_read() {
    let mut bench = Bench::with_service();
    let vault = json!({"secretIdentifier": "https://contoso.vault.azure.net/secrets/a"});
    settled(&mut bench, "/namedValues/kv", json!({"displayName": "kv", "keyVault": vault, "secret": true}));
    let shown = get(&mut bench, "/namedValues/kv");
    assert_eq!(shown["properties"]["keyVault"]["lastStatus"]["code"], "Success");
    assert_eq!(shown["properties"]["keyVault"]["identityClientId"], Value::Null);
    assert!(shown["properties"].get("value").is_none());
    let path = bench.service("/namedValues/kv");
    let told = bench.send(Method::Post, &format!("{path}/listValue"), APIM, Value::Null).value().expect("a value");
    assert!(told["value"].as_str().is_some_and(|value| value.contains("CANARY")));
    assert_eq!(bench.send(Method::Post, &format!("{path}/refreshSecret"), APIM, Value::Null).status, 200);
}

#[test]
fn what_a_policy_names_must_be_there_and_stays() {
    let mut bench = Bench::with_service();
    assert_eq!(put(&mut bench, "/apis/a", api("a")).status, 201);
    let policy = |inside: &str| json!({"value": format!("<policies><inbound><base />{inside}</inbound></policies>")});
    let key = policy("<set-header name=\"x\"><value>{{key}}</value></set-header>");
    let refused = put(&mut bench, "/apis/a/policies/policy", key.clone());
    assert!(message(&refused).contains("property 'key'"), "{}", message(&refused));
    let part = policy("<include-fragment fragment-id=\"part\" />");
    let refused = put(&mut bench, "/apis/a/policies/policy", part.clone());
    assert!(message(&refused).contains("'part' could not be found"), "{}", message(&refused));
    settled(&mut bench, "/namedValues/key", json!({"displayName": "key", "value": "v", "secret": true}));
    settled(
        &mut bench,
        "/policyFragments/part",
        json!({"value": "<fragment><set-variable name=\"a\" value=\"b\" /></fragment>"}),
    );
    let fragment = get(&mut bench, "/policyFragments/part");
    assert!(fragment["id"].as_str().is_some_and(|id| id.contains("/policyfragments/")));
    assert_eq!(put(&mut bench, "/apis/a/policies/policy", key).status, 201);
    let delete = |bench: &mut Bench, rest: &str| {
        let path = bench.service(rest);
        bench.send(Method::Delete, &path, APIM, Value::Null)
    };
    assert_eq!(delete(&mut bench, "/namedValues/key").status, 400, "it is in use");
    assert_eq!(put(&mut bench, "/apis/a/policies/policy", part).status, 200);
    assert_eq!(delete(&mut bench, "/namedValues/key").status, 200);
    assert_eq!(delete(&mut bench, "/policyFragments/part").status, 400, "it is in use");
    assert_eq!(delete(&mut bench, "/apis/a/policies/policy").status, 200);
    assert_eq!(delete(&mut bench, "/policyFragments/part").status, 200);
    for wrong in [
        "<policies />",
        "<fragment><base /></fragment>",
        "<fragment><include-fragment fragment-id=\"a\" /></fragment>",
        "<fragment",
    ] {
        assert_eq!(put(&mut bench, "/policyFragments/bad", json!({ "value": wrong })).status, 400, "{wrong}");
    }
    assert_eq!(put(&mut bench, "/policyFragments/-bad", json!({"value": "<fragment />"})).status, 400);
}

#[test]
fn policies_of_every_scope_are_checked_by_their_sections() {
    let mut bench = Bench::with_service();
    put(&mut bench, "/apis/a", api("a"));
    let operation = json!({"displayName": "o", "method": "GET", "urlTemplate": "/o"});
    assert_eq!(put(&mut bench, "/apis/a/operations/o", operation).status, 201);
    assert_eq!(put(&mut bench, "/products/p", json!({"displayName": "p"})).status, 201);
    let good = json!({"value": "<policies><inbound><base /></inbound></policies>"});
    for scope in ["/apis/a", "/apis/a/operations/o", "/products/p"] {
        assert_eq!(put(&mut bench, &format!("{scope}/policies/policy"), good.clone()).status, 201, "{scope}");
        assert_eq!(names(&mut bench, &format!("{scope}/policies")), ["policy"], "{scope}");
    }
    assert_eq!(put(&mut bench, "/policies/policy", good.clone()).status, 200, "every service has one");
    assert_eq!(put(&mut bench, "/apis/a/policies/other", good.clone()).status, 400);
    assert_eq!(put(&mut bench, "/apis/none/policies/policy", good).status, 404);
    for (wrong, word) in [
        ("<policies><inbound><forward-request /></inbound></policies>", "forward-request"),
        ("<policies><outbound><rate-limit calls=\"1\" renewal-period=\"9\" /></outbound></policies>", "rate-limit"),
        ("<policies><backend><llm-token-limit counter-key=\"a\" /></backend></policies>", "llm-token-limit"),
        ("<policies><inbound><choose><when><base /></when></choose></inbound></policies>", "'condition' is missing"),
        ("<policies><inbound><set-header><value>a</value></set-header></inbound></policies>", "'name' is missing"),
        ("<policies><inbound><set-header name=\"a\">text</set-header></inbound></policies>", "cannot contain text"),
        (
            "<policies><inbound><rate-limit calls=\"x\" renewal-period=\"9\" /></inbound></policies>",
            "'calls' attribute is invalid",
        ),
    ] {
        let refused = put(&mut bench, "/apis/a/policies/policy", json!({ "value": wrong }));
        assert_eq!(refused.status, 400, "{wrong}");
        assert!(message(&refused).contains(word), "{wrong}: {}", message(&refused));
    }
}

#[test]
fn raw_policies_may_have_expressions_that_are_no_xml() {
    let mut bench = Bench::with_service();
    put(&mut bench, "/apis/a", api("a"));
    let raw = "<policies>\r\n  <inbound>\r\n    <choose>\r\n      <when condition=\"@(context.Request.Method == \"GET\" && 1 < 2)\">\r\n        <set-header name=\"x\"><value>@(\"a\" + (1 < 2 ? \"b\" : \"c\"))</value></set-header>\r\n      </when>\r\n    </choose>\r\n  </inbound>\r\n</policies>";
    let path = bench.service("/apis/a/policies/policy");
    let refused = put(&mut bench, "/apis/a/policies/policy", json!({ "value": raw }));
    assert_eq!(refused.status, 400, "as xml it is malformed");
    let answer = put(&mut bench, "/apis/a/policies/policy", json!({"format": "rawxml", "value": raw}));
    assert_eq!(answer.status, 201, "{}", message(&answer));
    let xml = bench.get(&path, APIM).1["properties"]["value"].as_str().expect("a text").to_string();
    assert!(xml.contains("condition=\"@(context.Request.Method == &quot;GET&quot; &amp;&amp; 1 &lt; 2)\""), "{xml}");
    let again = bench.get(&format!("{path}?format=rawxml"), APIM).1["properties"]["value"]
        .as_str()
        .expect("a text")
        .to_string();
    assert!(again.contains("condition=\"@(context.Request.Method == \"GET\" && 1 < 2)\""), "{again}");
    assert!(again.contains("<value>@(\"a\" + (1 < 2 ? \"b\" : \"c\"))</value>"), "{again}");
    // what was given can be sent again
    let back = put(&mut bench, "/apis/a/policies/policy", json!({"format": "rawxml", "value": again}));
    assert_eq!((back.status, back.headers.get("ETag")), (200, answer.headers.get("ETag")));
}

#[test]
fn credentials_of_a_logger_come_back_as_a_reference() {
    let mut bench = Bench::with_service();
    let sent = json!({"loggerType": "applicationInsights", "description": "d", "resourceId": "/subscriptions/x",
        "credentials": {"connectionString": "InstrumentationKey=secret"}});
    let made = put(&mut bench, "/loggers/l", sent.clone());
    assert_eq!(made.status, 201);
    let shown = made.value().expect("a logger");
    assert!(!shown.to_string().contains("secret"));
    let reference = shown["properties"]["credentials"]["connectionString"].as_str().expect("a reference").to_string();
    assert!(reference.starts_with("{{Logger-Credentials--") && reference.ends_with("}}"), "{reference}");
    let values = get(&mut bench, "/namedValues");
    assert_eq!(values["value"][0]["properties"]["displayName"], json!(reference.trim_matches(['{', '}'])));
    let path = bench.service(&format!("/namedValues/{}", values["value"][0]["name"].as_str().expect("a name")));
    let told = bench.send(Method::Post, &format!("{path}/listValue"), APIM, Value::Null).value();
    assert_eq!(told, Some(json!({"value": "InstrumentationKey=secret"})));
    assert_eq!(bench.send(Method::Delete, &path, APIM, Value::Null).status, 400, "it is in use");
    // the same again: no second named value
    let again = put(&mut bench, "/loggers/l", sent);
    assert_eq!((again.status, again.headers.get("ETag")), (200, made.headers.get("ETag")));
    assert_eq!(get(&mut bench, "/namedValues")["count"], 1);
    let monitor =
        put(&mut bench, "/loggers/azuremonitor", json!({"loggerType": "azureMonitor"})).value().expect("a logger");
    assert_eq!(
        (&monitor["properties"]["credentials"], &monitor["properties"]["isBuffered"]),
        (&Value::Null, &json!(true))
    );
    let hub = json!({"loggerType": "azureEventHub", "credentials": {"name": "hub", "connectionString": "secret"}});
    let hub = put(&mut bench, "/loggers/hub", hub).value().expect("a logger");
    assert_eq!(hub["properties"]["credentials"]["name"], "hub");
    assert!(!hub.to_string().contains("secret"));
    for wrong in [
        json!({}),
        json!({"loggerType": "file"}),
        json!({"loggerType": "applicationInsights"}),
        json!({"loggerType": "azureEventHub", "credentials": {"name": "x"}}),
    ] {
        assert_eq!(put(&mut bench, "/loggers/bad", wrong.clone()).status, 400, "{wrong}");
    }
}

#[test]
fn diagnostics_come_back_with_every_member() {
    let mut bench = Bench::with_service();
    put(&mut bench, "/apis/a", api("a"));
    let early = put(&mut bench, "/apis/a/diagnostics/azuremonitor", json!({"loggerId": "/loggers/azuremonitor"}));
    assert!(message(&early).contains("could not be found"), "{}", message(&early));
    put(&mut bench, "/loggers/azuremonitor", json!({"loggerType": "azureMonitor"}));
    let sent = json!({
        "loggerId": bench.service("/loggers/AzureMonitor"), "alwaysLog": "allerrors",
        "sampling": {"samplingType": "fixed", "percentage": 50}, "largeLanguageModel": {"logs": "enabled"},
        "frontend": {"request": {"headers": ["a"], "body": {"bytes": 0}}, "response": {"headers": [], "body": {"bytes": 0}}},
    });
    for scope in ["", "/apis/a"] {
        let path = bench.service(&format!("{scope}/diagnostics/azuremonitor"));
        let newest = "2024-10-01-preview";
        let made = bench.send(Method::Put, &path, newest, json!({ "properties": sent }));
        assert_eq!(made.status, 201, "{}", message(&made));
        let shown = bench.get(&path, newest).1["properties"].clone();
        assert_eq!(shown["loggerId"], json!(bench.service("/loggers/azuremonitor")));
        assert_eq!((&shown["alwaysLog"], &shown["sampling"]["percentage"]), (&json!("allErrors"), &json!(50.0)));
        assert_eq!(shown["largeLanguageModel"], json!({"logs": "enabled"}));
        assert_eq!(shown["frontend"]["request"]["headers"], json!(["a"]));
        assert_eq!(shown["frontend"]["request"]["dataMasking"]["queryParams"][0]["mode"], "Hide");
        assert_eq!(shown["backend"]["response"], Value::Null);
        assert!(bench.get(&path, OLD).1["properties"].get("largeLanguageModel").is_none());
    }
    for (name, value) in [
        ("sampling", json!({"percentage": 101})),
        ("verbosity", json!("loud")),
        ("frontend", json!({"request": {"body": {"bytes": 8193}}})),
        ("httpCorrelationProtocol", json!("W4C")),
    ] {
        let mut wrong = sent.clone();
        wrong[name] = value;
        assert_eq!(put(&mut bench, "/diagnostics/azuremonitor", wrong).status, 400, "{name}");
    }
}

#[test]
fn products_have_groups_links_and_subscriptions() {
    let mut bench = Bench::with_service();
    let made = put(&mut bench, "/products/p", json!({"displayName": "P", "subscriptionRequired": false}));
    let shown = made.value().expect("a product");
    assert_eq!((made.status, &shown["properties"]["groups"][0]["name"]), (201, &json!("Administrators")));
    assert_eq!(
        (&shown["properties"]["state"], &shown["properties"]["approvalRequired"]),
        (&json!("notPublished"), &Value::Null)
    );
    assert_eq!(get(&mut bench, "/products/p")["properties"]["groups"], json!([]));
    let path = bench.service("/products/p");
    assert!(bench.get(&path, OLD).1["properties"].get("groups").is_none());
    assert_eq!(names(&mut bench, "/products/p/groups"), ["administrators"]);
    let send = |bench: &mut Bench, method: Method, rest: &str| {
        let path = bench.service(rest);
        bench.send(method, &path, APIM, Value::Null)
    };
    assert_eq!(send(&mut bench, Method::Put, "/products/p/apis/a").status, 404);
    put(&mut bench, "/apis/a", api("a"));
    let linked = send(&mut bench, Method::Put, "/products/p/apis/a");
    assert_eq!((linked.status, linked.headers.get("ETag").is_some()), (201, true));
    let body = linked.value().expect("an api");
    assert_eq!(
        (&body["id"], &body["properties"]["protocols"]),
        (&json!(bench.service("/products/p/apis/a")), &Value::Null)
    );
    assert_eq!(send(&mut bench, Method::Put, "/products/p/apis/a").status, 200);
    assert_eq!(send(&mut bench, Method::Head, "/products/p/apis/a").status, 204);
    assert_eq!(send(&mut bench, Method::Head, "/products/p/apis/b").status, 404);
    let refused = send(&mut bench, Method::Get, "/products/p/apis/a");
    assert_eq!(refused.status, 405);
    assert_eq!(refused.value(), Some(json!({"Message": "The requested resource does not support http method 'GET'."})));
    assert_eq!(get(&mut bench, "/products/p/apis")["value"][0]["properties"]["protocols"], json!(["https"]));
    assert_eq!(send(&mut bench, Method::Put, "/products/p/groups/guests").status, 201);
    assert_eq!(send(&mut bench, Method::Delete, "/products/p/groups/guests").status, 200);
    assert_eq!(send(&mut bench, Method::Delete, "/products/p/groups/guests").status, 204);
    // a link goes with what it leads to
    assert_eq!(send(&mut bench, Method::Delete, "/apis/a").status, 202);
    assert!(names(&mut bench, "/products/p/apis").is_empty());
    let team = json!({"displayName": "team", "scope": "/products/P"});
    let subscription = put(&mut bench, "/subscriptions/team", team).value().expect("a subscription");
    assert_eq!(subscription["properties"]["scope"], json!(path));
    assert_eq!(names(&mut bench, "/products/p/subscriptions"), ["team"]);
    assert_eq!(send(&mut bench, Method::Delete, "/products/p").status, 400, "it has subscriptions");
    assert_eq!(send(&mut bench, Method::Delete, "/products/p?deleteSubscriptions=true").status, 200);
    assert_eq!(names(&mut bench, "/subscriptions"), ["master"]);
    assert_eq!(
        put(
            &mut bench,
            "/products/q",
            json!({"displayName": "q", "subscriptionRequired": false, "subscriptionsLimit": 1})
        )
        .status,
        400
    );
}

#[test]
fn groups_and_users_that_are_built_in_stay() {
    let mut bench = Bench::with_service();
    let send = |bench: &mut Bench, method: Method, rest: &str| {
        let path = bench.service(rest);
        bench.send(method, &path, APIM, Value::Null)
    };
    assert_eq!(send(&mut bench, Method::Delete, "/groups/administrators").status, 400);
    assert_eq!(send(&mut bench, Method::Delete, "/users/1").status, 400);
    assert_eq!(put(&mut bench, "/groups/guests", json!({"displayName": "x"})).status, 400);
    let group = put(&mut bench, "/groups/team", json!({"displayName": "Team"})).value().expect("a group");
    assert_eq!((&group["properties"]["builtIn"], &group["properties"]["type"]), (&json!(false), &json!("custom")));
    let user = json!({"email": "a@contoso.com", "firstName": "A", "lastName": "B"});
    assert_eq!(put(&mut bench, "/users/a", user).status, 201);
    assert_eq!(put(&mut bench, "/users/b", json!({"email": "x"})).status, 400);
    let owned = json!({"displayName": "s", "scope": "/apis", "ownerId": "/users/a"});
    assert_eq!(
        put(&mut bench, "/subscriptions/s", owned).value().expect("one")["properties"]["ownerId"],
        json!(bench.service("/users/a"))
    );
    let owned = json!({"displayName": "s", "scope": "/apis", "ownerId": "/users/nobody"});
    assert_eq!(put(&mut bench, "/subscriptions/s", owned).status, 400);
    assert_eq!(send(&mut bench, Method::Delete, "/users/a").status, 200);
}

#[test]
fn lists_are_filtered_and_cut() {
    let mut bench = Bench::with_service();
    for name in ["a", "b", "c"] {
        put(&mut bench, &format!("/products/{name}"), json!({"displayName": format!("Product {name}")}));
    }
    assert_eq!(names(&mut bench, "/products?$filter=name%20eq%20'product%20b'"), ["b"]);
    assert_eq!(names(&mut bench, "/products?$filter=startswith(displayName,'Prod')&$skip=1&$top=1"), ["b"]);
    let page = get(&mut bench, "/products?$filter=name%20ne%20'Product%20a'&$top=1");
    assert_eq!((&page["count"], page["value"][0]["name"].as_str()), (&json!(2), Some("b")));
    let next = page["nextLink"].as_str().expect("more").to_string();
    let second = bench.request(&Request::arm(Method::Get, next)).value().expect("a page");
    assert_eq!((&second["value"][0]["name"], second.get("nextLink")), (&json!("c"), None));
    for wrong in ["$filter=name%20gt%20'x'", "$top=0", "$top=x", "$skip=-1"] {
        let path = bench.service(&format!("/products?{wrong}"));
        let refused = bench.send(Method::Get, &path, APIM, Value::Null);
        assert_eq!((refused.status, code(&refused).as_str()), (400, "ValidationError"), "{wrong}");
    }
}

#[test]
fn names_that_nothing_can_have_are_refused() {
    let mut bench = Bench::with_service();
    let long = "x".repeat(500);
    for name in ["a*b", "a%23b", "a%26b", "a%2Bb", "a:b", "a%3Cb", "a%3Fb", "..", ".", "a%00b", "a%5Cb", &long] {
        for (kind, body) in [
            ("backends", json!({"url": "https://x", "protocol": "http"})),
            ("apis", api("a")),
            ("products", json!({"displayName": "p"})),
            ("namedValues", json!({"displayName": "n", "value": "v"})),
            ("subscriptions", json!({"displayName": "s", "scope": "/apis"})),
        ] {
            let refused = put(&mut bench, &format!("/{kind}/{name}"), body);
            assert!((400..500).contains(&refused.status), "{kind}/{name}: {}", refused.status);
            // the gateway refuses some itself
            assert!(["ValidationError", "InvalidResourceName"].contains(&code(&refused).as_str()), "{kind}/{name}");
        }
    }
    assert_eq!(put(&mut bench, "/backends/é🦀", json!({"url": "https://x", "protocol": "http"})).status, 201);
}

#[test]
fn a_patch_wants_a_state_to_change() {
    let mut bench = Bench::with_service();
    put(&mut bench, "/products/p", json!({"displayName": "p"}));
    let url = format!("{}?api-version={APIM}", bench.service("/products/p"));
    let bare = Request::arm(Method::Patch, url).json(&json!({"properties": {"state": "published"}}));
    assert_eq!(bench.request(&bare).status, 400);
    let stale = bench.request(&bare.clone().header("If-Match", "\"AAAA\""));
    assert_eq!((stale.status, code(&stale).as_str()), (412, "PreconditionFailed"));
    assert_eq!(get(&mut bench, "/products/p")["properties"]["state"], "notPublished");
    let done = bench.request(&bare.header("If-Match", "*"));
    assert_eq!((done.status, &done.value().expect("a product")["properties"]["state"]), (200, &json!("published")));
}

#[test]
fn every_secret_can_be_found_again() {
    let mut bench = Bench::with_service();
    let path = bench.service("/subscriptions/master/listSecrets");
    let keys = bench.send(Method::Post, &path, APIM, Value::Null).value().expect("keys");
    for name in ["primaryKey", "secondaryKey"] {
        let key = keys[name].as_str().expect("a key");
        assert!(key.len() == 32 && key.contains("CANARY") && key.chars().all(|c| c.is_ascii_alphanumeric()), "{key}");
    }
    assert_ne!(keys["primaryKey"], keys["secondaryKey"]);
    let mut with_keys = account("a-1");
    with_keys["properties"]["disableLocalAuth"] = json!(false);
    bench.send(Method::Put, &bench.account(""), COGNITIVE, with_keys);
    bench.wait(60);
    let path = bench.account("/listKeys");
    let keys = bench.send(Method::Post, &path, COGNITIVE, Value::Null).value().expect("keys");
    let key = keys["key1"].as_str().expect("a key");
    assert!(key.len() == 84 && key.contains("CANARY") && key.chars().all(|c| c.is_ascii_alphanumeric()), "{key}");
}

mod apis;
