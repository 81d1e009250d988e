//! Plain resources, locks, tags, namespaces, types that are not known.

use super::*;

const NETWORK: &str = "2024-05-01";
const INSIGHTS: &str = "/providers/Microsoft.Insights/components/appi";
const WORKSPACES: &str = "/providers/Microsoft.OperationalInsights/workspaces/logs";

impl Bench {
    /// A PUT in the group that is expected to make something.
    fn make(&mut self, rest: &str, version: &str, body: Value) -> Value {
        let path = self.group(rest);
        let made = self.send(Method::Put, &path, version, body);
        assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
        made.value().expect("a body")
    }

    fn lock(&mut self, scope: &str, level: &str) {
        let path = format!("{scope}/providers/Microsoft.Authorization/locks/l");
        let body = json!({"properties": {"level": level, "notes": "n"}});
        assert_eq!(self.send(Method::Put, &path, "2020-05-01", body).status, 201);
    }
}

#[test]
fn a_workspace_and_what_stands_on_it() {
    let mut bench = Bench::with_group();
    let body = json!({"location": "eastus2", "properties": {"sku": {"name": "PerGB2018"}, "retentionInDays": 60}});
    let workspace = bench.make(WORKSPACES, "2023-09-01", body.clone());
    assert_eq!(
        (&workspace["properties"]["sku"]["name"], &workspace["properties"]["retentionInDays"]),
        (&json!("pergb2018"), &json!(60))
    );
    let customer = workspace["properties"]["customerId"].clone();
    let keys = bench.send(Method::Post, &bench.group(&format!("{WORKSPACES}/sharedKeys")), "2023-09-01", Value::Null);
    let key = keys.value().expect("keys")["primarySharedKey"].clone();
    assert!(key.as_str().is_some_and(|key| !key.is_empty()), "{key}");

    let component = bench.make(INSIGHTS, "2020-02-02", json!({"location": "eastus2", "kind": "web", "properties": {"Application_Type": "web", "WorkspaceResourceId": workspace["id"]}}));
    assert!(component["id"].as_str().is_some_and(|id| id.ends_with("/providers/microsoft.insights/components/appi")));
    assert_eq!(
        (&component["type"], &component["properties"]["RetentionInDays"]),
        (&json!("microsoft.insights/components"), &json!(90))
    );
    let key = component["properties"]["InstrumentationKey"].as_str().expect("a key").to_string();
    assert!(component["properties"]["ConnectionString"].as_str().is_some_and(|text| text.contains(&key)));
    let again =
        bench.send(Method::Put, &bench.group(INSIGHTS), "2020-02-02", json!({"location": "eastus2", "kind": "web"}));
    assert_eq!(
        (again.status, again.value().expect("a body")["properties"]["InstrumentationKey"].as_str()),
        (200, Some(key.as_str()))
    );

    let setting = format!("{WORKSPACES}/providers/Microsoft.Insights/diagnosticSettings/all");
    let sent = json!({"properties": {"workspaceId": workspace["id"], "logs": [{"categoryGroup": "allLogs", "enabled": true}]}});
    let path = bench.group(&setting);
    let made = bench.send(Method::Put, &path, "2021-05-01-preview", sent);
    assert_eq!(made.status, 200);
    assert_eq!(
        made.value().expect("a setting")["properties"]["logs"][0]["retentionPolicy"],
        json!({"enabled": false, "days": 0})
    );
    let listed = bench.get(
        &bench.group(&format!("{WORKSPACES}/providers/Microsoft.Insights/diagnosticSettings")),
        "2021-05-01-preview",
    );
    assert_eq!(listed.1["value"].as_array().map(Vec::len), Some(1));
    let elsewhere = bench.get(
        &bench.group(&format!("{INSIGHTS}/providers/Microsoft.Insights/diagnosticSettings")),
        "2021-05-01-preview",
    );
    assert_eq!(elsewhere.1["value"], json!([]));

    // deleted, it comes back with its ids and without what stood on it; forced, it is gone
    let path = bench.group(WORKSPACES);
    assert_eq!(bench.send(Method::Delete, &path, "2023-09-01", Value::Null).status, 200);
    assert_eq!(bench.get(&path, "2023-09-01").0, 404);
    let gone = "/providers/Microsoft.OperationalInsights/deletedWorkspaces";
    for base in [bench.group(gone), format!("/subscriptions/{SUBSCRIPTION}{gone}")] {
        assert_eq!(bench.get(&base, "2023-09-01").1["value"][0]["properties"]["customerId"], customer);
    }
    bench.wait(13 * 24 * 3600);
    assert_eq!(bench.make(WORKSPACES, "2023-09-01", body.clone())["properties"]["customerId"], customer);
    assert_eq!(bench.get(&bench.group(&setting), "2021-05-01-preview").0, 404);
    assert_eq!(bench.send(Method::Delete, &format!("{path}?force=true"), "2023-09-01", Value::Null).status, 200);
    assert_ne!(bench.make(WORKSPACES, "2023-09-01", body)["properties"]["customerId"], customer);
}

#[test]
fn a_workbook_shows_its_content_when_it_is_asked_for() {
    let mut bench = Bench::with_group();
    let path = "/providers/Microsoft.Insights/workbooks/88888888-0000-0000-0000-000000000001";
    let body =
        json!({"location": "eastus2", "kind": "shared", "properties": {"displayName": "d", "serializedData": "{}"}});
    bench.make(path, "2023-06-01", body);
    let path = bench.group(path);
    assert_eq!(bench.get(&path, "2023-06-01").1["properties"]["serializedData"], Value::Null);
    assert_eq!(
        bench.get(&format!("{path}?canFetchContent=true"), "2023-06-01").1["properties"]["serializedData"],
        "{}"
    );
}

#[test]
fn an_identity_is_the_same_wherever_it_is_used() {
    let mut bench = Bench::with_group();
    let made = bench.make(
        "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id",
        "2023-01-31",
        json!({"location": "eastus2"}),
    );
    let id = made["id"].as_str().expect("an id").to_string();
    assert!(id.contains("/resourcegroups/rg/"), "{id}");
    let mut body = account("a-1");
    body["identity"] = json!({"type": "UserAssigned", "userAssignedIdentities": {&id: {}}});
    let path = bench.account("");
    let used = bench.send(Method::Put, &path, COGNITIVE, body).value().expect("an account");
    assert_eq!(used["identity"]["userAssignedIdentities"][&id]["principalId"], made["properties"]["principalId"]);

    // its principal is as unknown to the directory as a service's, for as long
    let role = bench.group("/providers/Microsoft.Authorization/roleAssignments/88888888-0000-0000-0000-000000000001");
    let body = json!({"properties": {"principalId": made["properties"]["principalId"], "roleDefinitionId": "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"}});
    assert_eq!(code(&bench.send(Method::Put, &role, "2022-04-01", body.clone())), "PrincipalNotFound");
    bench.wait(30);
    assert_eq!(bench.send(Method::Put, &role, "2022-04-01", body).status, 201);
}

#[test]
fn a_private_endpoint_connects_its_target() {
    let mut bench = Bench::with_group();
    let path = bench.account("");
    bench.send(Method::Put, &path, COGNITIVE, account("a-1"));
    bench.wait(30);
    let network = "/providers/Microsoft.Network/virtualNetworks/v";
    let body = json!({"location": "eastus2", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}]}});
    bench.make(network, NETWORK, body);
    bench.make(&format!("{network}/subnets/b"), NETWORK, json!({"properties": {"addressPrefix": "10.0.1.0/24"}}));
    let subnets = bench.get(&bench.group(network), NETWORK).1["properties"]["subnets"].clone();
    assert_eq!((&subnets[0]["name"], &subnets[1]["name"]), (&json!("a"), &json!("b")));

    let endpoint = "/providers/Microsoft.Network/privateEndpoints/pe";
    let connection =
        |target: &str| json!([{"name": "c", "properties": {"privateLinkServiceId": target, "groupIds": ["account"]}}]);
    let body = |subnet: &Value, target: &str| json!({"location": "eastus2", "properties": {"subnet": {"id": subnet}, "privateLinkServiceConnections": connection(target)}});
    let at = bench.group(endpoint);
    let nowhere = bench.send(Method::Put, &at, NETWORK, body(&json!("/no"), &path));
    assert_eq!(code(&nowhere), "InvalidResourceReference");
    let made = bench.send(Method::Put, &at, NETWORK, body(&subnets[1]["id"], &path));
    assert_eq!((made.status, made.headers.get("Retry-After"), made.headers.get("Location")), (201, Some("10"), None));
    let poll = made.headers.get("Azure-AsyncOperation").expect("an address").to_string();
    let status = |bench: &mut Bench| bench.request(&Request::arm(Method::Get, poll.clone())).value().expect("a status");
    assert_eq!(status(&mut bench)["status"], "InProgress");
    assert_eq!(code(&bench.send(Method::Delete, &at, NETWORK, Value::Null)), "AnotherOperationInProgress");
    bench.wait(30);
    assert_eq!(status(&mut bench)["status"], "Succeeded");
    assert_eq!(bench.get(&at, NETWORK).1["properties"]["provisioningState"], "Succeeded");
    let shown = bench.get(&path, COGNITIVE).1["properties"]["privateEndpointConnections"].clone();
    assert_eq!(shown[0]["properties"]["privateLinkServiceConnectionState"]["status"], "Approved");
    assert_eq!(shown[0]["properties"]["privateEndpoint"]["id"], bench.get(&at, NETWORK).1["id"]);

    let zone = "/providers/Microsoft.Network/privateDnsZones/privatelink.openai.azure.com";
    bench.make(zone, "2024-06-01", json!({"location": "global"}));
    let config = json!({"properties": {"privateDnsZoneConfigs": [{"name": "z", "properties": {"privateDnsZoneId": bench.group(zone)}}]}});
    bench.make(&format!("{endpoint}/privateDnsZoneGroups/default"), NETWORK, config);
    bench.wait(10);

    let gone = bench.send(Method::Delete, &at, NETWORK, Value::Null);
    assert_eq!(gone.status, 202);
    let poll = gone.headers.get("Location").expect("an address").to_string();
    assert_eq!(bench.request(&Request::arm(Method::Get, poll.clone())).status, 202);
    bench.wait(30);
    assert_eq!(bench.request(&Request::arm(Method::Get, poll)).status, 204);
    assert_eq!(bench.get(&path, COGNITIVE).1["properties"]["privateEndpointConnections"], json!([]));
    assert_eq!(bench.get(&bench.group(&format!("{endpoint}/privateDnsZoneGroups/default")), NETWORK).0, 404);
    bench.make(&format!("{zone}/virtualNetworkLinks/l"), "2024-06-01", json!({"location": "global"}));
    assert_eq!(
        code(&bench.send(Method::Delete, &bench.group(zone), "2024-06-01", Value::Null)),
        "CannotDeleteResource"
    );
}

#[test]
fn a_connection_stays_when_its_target_is_written() {
    let mut bench = Bench::with_service();
    let path = bench.service("");
    let network = "/providers/Microsoft.Network/virtualNetworks/v";
    bench.make(network, NETWORK, json!({"location": "eastus2", "properties": {"subnets": [{"name": "a"}]}}));
    let connection = json!([{"name": "c", "properties": {"privateLinkServiceId": path, "groupIds": ["Gateway"]}}]);
    let subnet = json!({"id": bench.group(&format!("{network}/subnets/a"))});
    let body =
        json!({"location": "eastus2", "properties": {"subnet": subnet, "privateLinkServiceConnections": connection}});
    bench.make("/providers/Microsoft.Network/privateEndpoints/pe", NETWORK, body);
    bench.wait(30);
    let mut changed = service();
    changed["tags"] = json!({"a": "b"});
    assert_eq!(bench.send(Method::Put, &path, APIM, changed).status, 200);
    bench.wait(3000);
    let shown = bench.get(&path, APIM).1["properties"]["privateEndpointConnections"].clone();
    assert_eq!(shown[0]["properties"]["privateLinkServiceConnectionState"]["status"], "Approved");
}

#[test]
fn types_that_are_not_known_are_refused_by_name_or_kept() {
    let mut bench = Bench::with_group();
    let path = bench.group("/providers/Contoso.Odd/Things/t");
    let body = json!({"location": "eastus2", "tags": {"a": "b"}, "properties": {"x": 1, "y": null}});
    let refused = bench.send(Method::Put, &path, "2024-01-01", body.clone());
    assert_eq!((refused.status, code(&refused).as_str()), (404, "InvalidResourceType"));
    assert!(
        message(&refused).contains("Contoso.Odd/Things") && message(&refused).contains("Microsoft.Insights/workbooks")
    );

    bench.world = bench.world.clone().with_unknown_types(Unknown::Accepted);
    assert_eq!(bench.send(Method::Put, &path, "2024-01-01", body.clone()).status, 201);
    assert_eq!(code(&bench.send(Method::Put, &path, "newest", body)), "InvalidApiVersionParameter");
    let (status, kept) = bench.get(&path.to_lowercase(), "2024-01-01");
    assert_eq!(
        (status, &kept["type"], &kept["properties"]),
        (200, &json!("Contoso.Odd/Things"), &json!({"x": 1, "provisioningState": "Succeeded"}))
    );
    let listed = bench.get(&bench.group("/providers/Contoso.Odd/Things"), "2024-01-01").1;
    assert_eq!(listed["value"].as_array().map(Vec::len), Some(1));
    let child = format!("{path}/parts/p");
    assert_eq!(bench.send(Method::Put, &child, "2024-01-01", json!({"properties": {}})).status, 201);
    assert_eq!(bench.send(Method::Delete, &path, "2024-01-01", Value::Null).status, 200);
    assert_eq!(bench.get(&child, "2024-01-01").0, 404);
    // a file does not keep the choice
    let again = World::from_json(&bench.world.to_json()).expect("its own text");
    assert_eq!(again.unknown, Unknown::Refused);
}

#[test]
fn a_lock_holds_what_stands_under_it_and_what_it_stands_on() {
    let mut bench = Bench::with_group();
    let (group, path) = (bench.group(""), bench.account(""));
    bench.send(Method::Put, &path, COGNITIVE, account("a-1"));
    bench.wait(30);
    bench.lock(&path, "CanNotDelete");
    for locked in [&group, &path, &format!("{path}/deployments/m")] {
        let refused =
            bench.send(Method::Delete, locked, if *locked == group { "2024-03-01" } else { COGNITIVE }, Value::Null);
        assert_eq!((refused.status, code(&refused).as_str()), (409, "ScopeLocked"), "{locked}");
        assert!(message(&refused).contains(&format!("locked: '{path}'")), "{}", message(&refused));
    }
    assert_eq!(bench.send(Method::Patch, &path, COGNITIVE, json!({"tags": {"a": "b"}})).status, 200);
    bench.lock(&format!("/subscriptions/{SUBSCRIPTION}"), "ReadOnly");
    assert_eq!(code(&bench.send(Method::Patch, &path, COGNITIVE, json!({"tags": {}}))), "ScopeLocked");
    assert_eq!(code(&bench.send(Method::Post, &format!("{path}/listKeys"), COGNITIVE, Value::Null)), "ScopeLocked");
    let locks = format!("{group}/providers/Microsoft.Authorization/locks");
    assert_eq!(bench.get(&locks, "2020-05-01").1["value"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        bench.get(&format!("{locks}?$filter=atScope()"), "2020-05-01").1["value"].as_array().map(Vec::len),
        Some(1)
    );
    for scope in [format!("/subscriptions/{SUBSCRIPTION}"), path.clone()] {
        let lock = format!("{scope}/providers/Microsoft.Authorization/locks/l");
        assert_eq!(bench.send(Method::Delete, &lock, "2020-05-01", Value::Null).status, 200);
        assert_eq!(bench.send(Method::Delete, &lock, "2020-05-01", Value::Null).status, 204);
    }
    assert_eq!(bench.send(Method::Delete, &path, COGNITIVE, Value::Null).status, 200);
}

#[test]
fn tags_are_set_on_any_scope() {
    let mut bench = Bench::with_group();
    let (group, path) = (bench.group(""), bench.account(""));
    bench.send(Method::Put, &path, COGNITIVE, account("a-1"));
    for scope in [format!("/subscriptions/{SUBSCRIPTION}"), group.clone(), path.clone()] {
        let tags = format!("{scope}/providers/Microsoft.Resources/tags/default");
        assert_eq!(bench.get(&tags, "2024-03-01").1["properties"]["tags"], json!({}));
        bench.send(Method::Put, &tags, "2024-03-01", json!({"properties": {"tags": {"a": "1", "b": "2"}}}));
        let merged = json!({"operation": "Merge", "properties": {"tags": {"a": "3", "c": "4"}}});
        bench.send(Method::Patch, &tags, "2024-03-01", merged);
        let less = json!({"operation": "Delete", "properties": {"tags": {"b": "2"}}});
        let left = bench.send(Method::Patch, &tags, "2024-03-01", less).value().expect("tags");
        assert_eq!(left["properties"]["tags"], json!({"a": "3", "c": "4"}));
        let odd = json!({"operation": "Merge", "properties": {"tags": {"a": 1}}});
        assert_eq!(bench.send(Method::Patch, &tags, "2024-03-01", odd).status, 400);
    }
    assert_eq!(bench.get(&group, "2024-03-01").1["tags"], json!({"a": "3", "c": "4"}));
    assert_eq!(bench.get(&path, COGNITIVE).1["tags"], json!({"a": "3", "c": "4"}));
}

#[test]
fn a_namespace_is_registered_before_it_is_used() {
    let mut bench = Bench::with_group();
    bench.world = bench.world.clone().without_provider("Microsoft.CognitiveServices");
    let path = bench.account("");
    let refused = bench.send(Method::Put, &path, COGNITIVE, account("a-1"));
    assert_eq!((refused.status, code(&refused).as_str()), (409, "MissingSubscriptionRegistration"));
    let provider = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices");
    let state = |bench: &mut Bench| bench.get(&provider, "2022-09-01").1["registrationState"].clone();
    assert_eq!(state(&mut bench), "NotRegistered");
    let asked = bench.send(Method::Post, &format!("{provider}/register"), "2022-09-01", Value::Null);
    assert_eq!((asked.status, state(&mut bench)), (200, json!("Registering")));
    assert_eq!(bench.send(Method::Put, &path, COGNITIVE, account("a-1")).status, 409);
    bench.wait(60);
    assert_eq!(state(&mut bench), "Registered");
    assert_eq!(bench.send(Method::Put, &path, COGNITIVE, account("a-1")).status, 201);
    let all = bench.get(&format!("/subscriptions/{SUBSCRIPTION}/providers"), "2022-09-01").1;
    assert!(all["value"].as_array().is_some_and(|all| all.len() > 5), "{all}");
    assert_eq!(bench.get("/subscriptions/x/providers", "2022-09-01").0, 400);
}
