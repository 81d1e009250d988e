//! Whatever is asked, there is an answer, and a refusal changes nothing.

use super::*;
use proptest::prelude::*;

pub(super) fn config() -> ProptestConfig {
    let nightly = std::env::var_os("AOAI_LB_NIGHTLY").is_some();
    ProptestConfig {
        cases: if nightly { 6400 } else { 64 },
        rng_seed: match nightly {
            true => proptest::test_runner::RngSeed::Random,
            false => proptest::test_runner::RngSeed::Fixed(1),
        },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// JSON with the names that providers look for.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![
            "eastus2",
            "BasicV2",
            "S0",
            "OpenAI",
            "gpt-4o",
            "Single",
            "Pool",
            "http",
            "PT1M",
            "/backends/a",
            "SystemAssigned",
            "Incremental",
            "<policies><inbound /></policies>",
            "/apis",
            "rawxml",
            "CanNotDelete",
            "ReadOnly",
            "global",
            "Merge",
            "AIServices",
            "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
            "[concat('a', 1)]",
            "[reference('x').y]",
            "{a}/{*b",
            "é🦀",
            "",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let name = prop::sample::select(vec![
            "properties",
            "sku",
            "name",
            "location",
            "kind",
            "capacity",
            "type",
            "url",
            "protocol",
            "pool",
            "services",
            "id",
            "weight",
            "priority",
            "circuitBreaker",
            "rules",
            "failureCondition",
            "count",
            "interval",
            "statusCodeRanges",
            "min",
            "max",
            "tripDuration",
            "publisherEmail",
            "publisherName",
            "identity",
            "userAssignedIdentities",
            "tags",
            "model",
            "format",
            "version",
            "value",
            "displayName",
            "path",
            "scope",
            "urlTemplate",
            "templateParameters",
            "method",
            "principalId",
            "roleDefinitionId",
            "mode",
            "template",
            "resources",
            "apiVersion",
            "dependsOn",
            "restore",
            "tls",
            "credentials",
            "customProperties",
            "subscriptionKeyParameterNames",
            "authenticationSettings",
            "parameters",
            "outputs",
            "level",
            "subnets",
            "subnet",
            "privateLinkServiceConnections",
            "privateLinkServiceId",
            "privateDnsZoneConfigs",
            "workspaceId",
            "logs",
            "features",
            "workspaceCapping",
            "operation",
            "customSubDomainName",
            "allowProjectManagement",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().map(|(n, v)| (n.to_string(), v)).collect())),
        ]
    })
}

/// Good bodies, and what becomes of them when one piece is replaced.
fn body() -> impl Strategy<Value = Value> {
    let good = prop::sample::select(vec![
        service(),
        account("a-1"),
        single("https://a/"),
        pool(&["/backends/a"]),
        json!({"location": "eastus2"}),
        json!({"properties": {"displayName": "x", "path": "x", "scope": "/apis"}}),
        json!({"properties": {"value": "<policies><inbound><base /></inbound></policies>"}}),
        json!({"properties": {"mode": "Incremental", "template": {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0",
            "resources": [{"type": "Microsoft.ApiManagement/service/backends", "apiVersion": "2024-05-01", "name": "apim/a",
                "properties": {"type": "Single", "protocol": "http", "url": "https://a/"}}],
        }}}),
        json!({"properties": {"level": "CanNotDelete"}}),
        json!({"operation": "Merge", "properties": {"tags": {"a": "b"}}}),
        json!({"location": "eastus2", "properties": {"subnets": [{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}),
        json!({"location": "eastus2", "properties": {
            "subnet": {"id": format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/a")},
            "privateLinkServiceConnections": [{"name": "c", "properties": {
                "privateLinkServiceId": format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/aoai"),
                "groupIds": ["account"],
            }}],
        }}),
        json!({"properties": {"privateDnsZoneConfigs": [{"name": "z", "properties": {"privateDnsZoneId": "/z"}}]}}),
        json!({"properties": {"workspaceId": "/w", "logs": [{"categoryGroup": "allLogs", "enabled": true}]}}),
        json!({"location": "eastus2", "properties": {"sku": {"name": "PerGB2018"}, "features": {}, "workspaceCapping": {}}}),
        json!({"properties": {
            "principalId": "99999999-0000-0000-0000-000000000001",
            "principalType": "User",
            "roleDefinitionId": "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
        }}),
        json!({"properties": {"displayName": "key", "value": "{{other}}", "secret": true, "tags": ["a"]}}),
        json!({"properties": {"displayName": "kv", "keyVault": {"secretIdentifier": "https://v/secrets/s"}}}),
        json!({"properties": {"value": "<fragment><set-header name=\"a\"><value>{{key}}</value></set-header></fragment>"}}),
        json!({"properties": {"format": "rawxml", "value": "<policies><inbound><include-fragment fragment-id=\"x\" /><set-variable name=\"a\" value=\"@(1 < 2 ? \"b\" : \"c\")\" /></inbound></policies>"}}),
        json!({"properties": {"loggerType": "applicationInsights", "credentials": {"instrumentationKey": "i"}}}),
        json!({"properties": {"loggerId": "/loggers/x", "sampling": {"percentage": 1.5}, "frontend": {"request": {"body": {"bytes": 1}}}}}),
        json!({"properties": {"displayName": "v", "versioningScheme": "Query", "versionQueryName": "v"}}),
        json!({"properties": {"displayName": "x", "path": "x", "apiVersion": "1", "apiVersionSetId": "/apiVersionSets/x", "sourceApiId": "/apis/x"}}),
        json!({"properties": {"path": "x", "format": "openapi", "value": "{\"openapi\":\"3\",\"info\":{\"title\":\"t\"},\"paths\":{\"/{a}\":{\"get\":{\"parameters\":[{\"name\":\"q\",\"in\":\"query\",\"required\":true}]}}}}"}}),
        json!({"properties": {"apiId": "/apis/x;rev=2", "notes": "n"}}),
        json!({"properties": {"email": "a@b", "firstName": "a", "lastName": "b", "groupId": "/groups/x"}}),
        json!({"properties": {"displayName": "x", "method": "GET", "urlTemplate": "/y"}}),
        json!({"sku": {"name": "Standard", "capacity": 1}, "properties": {"model": {"format": "OpenAI", "name": "gpt-4o"}}}),
    ]);
    let bent = (good.clone(), json(), any::<prop::sample::Index>()).prop_map(|(mut good, piece, at)| {
        let mut pointers = vec![String::new()];
        let mut i = 0;
        while i < pointers.len() {
            let here = pointers[i].clone();
            match good.pointer(&here) {
                Some(Value::Object(map)) => {
                    pointers.extend(map.keys().map(|k| format!("{here}/{}", k.replace('~', "~0").replace('/', "~1"))))
                }
                Some(Value::Array(items)) => pointers.extend((0..items.len()).map(|k| format!("{here}/{k}"))),
                _ => {}
            }
            i += 1;
        }
        if let Some(place) = good.pointer_mut(&pointers[at.index(pointers.len())]) {
            *place = piece;
        }
        good
    });
    prop_oneof![good, bent, json()]
}

fn url() -> impl Strategy<Value = String> {
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg");
    let known = prop::sample::select(vec![
        group.clone(),
        format!("{group}/resources"),
        format!("{group}/providers/Microsoft.ApiManagement/service"),
        format!("{group}/providers/Microsoft.ApiManagement/service/apim"),
        format!("{group}/providers/Microsoft.ApiManagement/service/apim/backends"),
        format!("{group}/providers/Microsoft.ApiManagement/service/apim/backends/a"),
        format!("{group}/providers/Microsoft.ApiManagement/service/apim/backends/pool"),
        format!("{group}/providers/Microsoft.ApiManagement/service/apim/apis/x"),
        format!("{group}/providers/Microsoft.ApiManagement/service/apim/apis/x/operations/y"),
        format!("{group}/providers/Microsoft.ApiManagement/service/apim/apis/x/policies/policy"),
        format!("{group}/providers/Microsoft.ApiManagement/service/apim/policies/policy"),
        format!("{group}/providers/Microsoft.ApiManagement/service/apim/subscriptions/s"),
        format!("{group}/providers/Microsoft.ApiManagement/service/apim/subscriptions/s/listSecrets"),
        format!("{group}/providers/Microsoft.ApiManagement/service/apim/operationresults/x"),
        format!("{group}/providers/Microsoft.ApiManagement/service/apim/backup"),
        format!("{group}/providers/Microsoft.CognitiveServices/accounts/aoai"),
        format!("{group}/providers/Microsoft.CognitiveServices/accounts/aoai/deployments/m"),
        format!("{group}/providers/Microsoft.Resources/deployments/main"),
        format!("{group}/providers/Microsoft.Resources/deployments/main/validate"),
        format!("{group}/providers/Microsoft.Resources/deployments/main/operations"),
        format!("{group}/providers/Microsoft.Resources/deployments/main/cancel"),
        format!("{group}/providers/Microsoft.Authorization/roleAssignments"),
        format!("{group}/providers/Microsoft.Authorization/roleAssignments/88888888-0000-0000-0000-000000000001"),
        format!("{group}/providers/Microsoft.Authorization/locks/l"),
        format!("{group}/providers/Microsoft.Resources/tags/default"),
        format!("{group}/providers/Microsoft.OperationalInsights/workspaces/logs"),
        format!("{group}/providers/Microsoft.OperationalInsights/workspaces/logs/sharedKeys"),
        format!(
            "{group}/providers/Microsoft.OperationalInsights/workspaces/logs/providers/Microsoft.Insights/diagnosticSettings/d"
        ),
        format!("{group}/providers/Microsoft.Insights/components/appi"),
        format!("{group}/providers/Microsoft.Insights/workbooks/88888888-0000-0000-0000-000000000001"),
        format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"),
        format!("{group}/providers/Microsoft.Network/virtualNetworks/v"),
        format!("{group}/providers/Microsoft.Network/virtualNetworks/v/subnets/a"),
        format!("{group}/providers/Microsoft.Network/privateEndpoints/pe"),
        format!("{group}/providers/Microsoft.Network/privateEndpoints/pe/privateDnsZoneGroups/default"),
        format!("{group}/providers/Microsoft.Network/privateDnsZones/z"),
        format!("{group}/providers/Microsoft.Network/privateDnsZones/z/virtualNetworkLinks/l"),
        format!("{group}/providers/Microsoft.CognitiveServices/accounts/aoai/raiPolicies/r"),
        format!("{group}/providers/Microsoft.CognitiveServices/accounts/aoai/projects/p"),
        format!("{group}/providers/Microsoft.CognitiveServices/accounts/aoai/models"),
        format!(
            "{group}/providers/Microsoft.CognitiveServices/accounts/aoai/providers/Microsoft.Authorization/roleAssignments/88888888-0000-0000-0000-000000000002"
        ),
        format!("{group}/providers/Contoso.Odd/things/t"),
        format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/locks/l"),
        format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"),
        format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/register"),
        format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/unregister"),
        format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/eastus2/models"),
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups"),
        format!("/subscriptions/{SUBSCRIPTION}/resources"),
        format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ApiManagement/deletedservices"),
        format!(
            "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ApiManagement/locations/eastus2/deletedservices/apim"
        ),
        format!(
            "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/eastus2/resourceGroups/rg/deletedAccounts/aoai"
        ),
        format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ApiManagement/checkNameAvailability"),
    ]);
    let parts = [
        "namedValues/x",
        "namedValues/x/listValue",
        "namedValues",
        "policyFragments/x",
        "loggers/x",
        "diagnostics/x",
        "apis",
        "apis/x;rev=2",
        "apis/x;rev=1",
        "apis/x/revisions",
        "apis/x/releases/x",
        "apis/x/schemas/x",
        "apis/x/resolvers/x",
        "apis/x/resolvers/x/policies/policy",
        "apis/x/diagnostics/x",
        "apis/x/operations/y/policies/policy",
        "apiVersionSets/x",
        "products/x",
        "products/x/apis/x",
        "products/x/apis",
        "products/x/apiLinks/x",
        "products/x/groups/guests",
        "products/x/policies/policy",
        "products/x/subscriptions",
        "groups/x",
        "groups/guests",
        "users/x",
        "users/1",
        "tags/x",
        "caches/x",
        "authorizationProviders/x",
        "subscriptions/s/regeneratePrimaryKey",
        "backends/..",
        "apis/é🦀",
        "apis/a%2Fb",
        "products/*",
    ];
    let service = format!("{group}/providers/Microsoft.ApiManagement/service/apim");
    let child = prop::sample::select(parts.map(|part| format!("{service}/{part}")).to_vec());
    let known = prop_oneof![known, child];
    let query = prop::sample::select(vec![
        "?api-version=2024-05-01",
        "?api-version=2024-10-01",
        "?api-version=2022-04-01",
        "?api-version=2025-04-01",
        "?api-version=2019-01-01&x",
        "",
        "?api-version=",
        "?azure-asyncId=1&api-version=2024-05-01",
        "?$filter=atScope()&api-version=2022-04-01",
        "?api-version=2023-09-01",
        "?api-version=2020-05-01",
        "?api-version=2021-05-01-preview",
        "?api-version=2018-11-30",
        "?force=true&api-version=2023-09-01",
        "?$filter=tagName eq 'a'&$top=1&api-version=2024-03-01",
        "?$skiptoken=eyJTa2lwQ291bnQiOjF9&api-version=2015-07-01",
        "?$filter=name%20eq%20'x'&api-version=2024-05-01",
        "?api-version=2022-08-01",
        "?api-version=2022-08-01&deleteRevisions=true",
        "?api-version=2024-05-01&format=rawxml",
        "?$top=1&$skip=99999999999999999999&api-version=2024-05-01",
    ]);
    let usual = (known, query).prop_map(|(path, query)| format!("{path}{query}"));
    prop_oneof![8 => usual, 1 => "/{0,2}(subscriptions/[a-z%/0-9]{0,20})?[ -~]{0,30}", 1 => ".{0,40}"]
}

fn method() -> impl Strategy<Value = Method> {
    use Method::*;
    prop::sample::select(vec![Put, Put, Put, Put, Get, Patch, Delete, Post, Head])
}

/// What a refusal looks like: one of Azure's shapes, or nothing where Azure says nothing.
fn is_refusal(answer: &Response) -> bool {
    if answer.body.is_empty() {
        return answer.headers.get("Content-Type").is_none();
    }
    let body = answer.value().unwrap_or(Value::Null);
    let error = body.get("error").unwrap_or(&body);
    let word = |name: &str| error.get(name).is_some_and(Value::is_string);
    (word("code") && word("message")) || (answer.status == 405 && word("Message"))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_request_has_an_answer(
        requests in prop::collection::vec((method(), url(), body(), 0u64..200), 1..40),
        lenient in any::<bool>(),
        start in prop_oneof![Just(0u64), Just(u64::MAX), Just(1_795_000_000_000_000_000)],
    ) {
        let mut bench = Bench::new();
        bench.now = Time(start);
        bench.send(Method::Put, &bench.group(""), "2024-03-01", json!({"location": "eastus2"}));
        bench.send(Method::Put, &bench.service(""), APIM, service());
        if lenient {
            bench.world = bench.world.clone().with_unknown_types(Unknown::Accepted);
        }
        for (method, url, body, wait) in requests {
            let kept = bench.world.to_json();
            let (before, request) = (bench.world.revision(), Request::arm(method, url).json(&body));
            let answer = bench.request(&request);
            prop_assert!((200..600).contains(&answer.status));
            if answer.status >= 300 || !method.writes() {
                prop_assert_eq!(bench.world.revision(), before);
            }
            if answer.status >= 400 {
                prop_assert!(is_refusal(&answer), "{:?} {}", answer, String::from_utf8_lossy(&answer.body));
            }
            if let Some(address) = answer.headers.get("Azure-AsyncOperation").or(answer.headers.get("Location")) {
                let poll = bench.request(&Request::arm(Method::Get, address.to_string()));
                prop_assert!(poll.status < 300, "{} answered {}", address, poll.status);
            }
            prop_assert!(World::from_json(&kept).is_ok());
            bench.wait(wait);
        }
    }

    #[test]
    fn any_bytes_have_an_answer(body in prop::collection::vec(any::<u8>(), 0..60), method in method(), url in url()) {
        let mut bench = Bench::with_group();
        let request = Request { body, ..Request::arm(method, url) };
        let answer = bench.request(&request);
        prop_assert!((200..600).contains(&answer.status));
        prop_assert!(answer.status < 400 || is_refusal(&answer), "{}", String::from_utf8_lossy(&answer.body));
    }
}
