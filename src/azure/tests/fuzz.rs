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
        format!("{group}/providers/Microsoft.CognitiveServices/accounts/aoai"),
        format!("{group}/providers/Microsoft.CognitiveServices/accounts/aoai/deployments/m"),
        format!("{group}/providers/Microsoft.Resources/deployments/main"),
        format!("{group}/providers/Microsoft.Resources/deployments/main/validate"),
        format!("{group}/providers/Microsoft.Resources/deployments/main/operations"),
        format!("{group}/providers/Microsoft.Resources/deployments/main/cancel"),
        format!("{group}/providers/Microsoft.Authorization/roleAssignments"),
        format!("{group}/providers/Microsoft.Authorization/roleAssignments/88888888-0000-0000-0000-000000000001"),
        format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ApiManagement/deletedservices"),
        format!(
            "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ApiManagement/locations/eastus2/deletedservices/apim"
        ),
        format!(
            "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/eastus2/resourceGroups/rg/deletedAccounts/aoai"
        ),
        format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ApiManagement/checkNameAvailability"),
    ]);
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
        "?$top=1&$skip=99999999999999999999&api-version=2024-05-01",
    ]);
    let usual = (known, query).prop_map(|(path, query)| format!("{path}{query}"));
    prop_oneof![8 => usual, 1 => "/{0,2}(subscriptions/[a-z%/0-9]{0,20})?[ -~]{0,30}", 1 => ".{0,40}"]
}

fn method() -> impl Strategy<Value = Method> {
    use Method::*;
    prop::sample::select(vec![Put, Put, Put, Put, Get, Patch, Delete, Post, Head])
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_request_has_an_answer(
        requests in prop::collection::vec((method(), url(), body(), 0u64..200), 1..40),
        start in prop_oneof![Just(0u64), Just(u64::MAX), Just(1_795_000_000_000_000_000)],
    ) {
        let mut bench = Bench::new();
        bench.now = Time(start);
        bench.send(Method::Put, &bench.group(""), "2024-03-01", json!({"location": "eastus2"}));
        bench.send(Method::Put, &bench.service(""), APIM, service());
        for (method, url, body, wait) in requests {
            let kept = bench.world.to_json();
            let (before, request) = (bench.world.revision(), Request::arm(method, url).json(&body));
            let answer = bench.request(&request);
            prop_assert!((200..600).contains(&answer.status));
            if answer.status >= 300 || !method.writes() {
                prop_assert_eq!(bench.world.revision(), before);
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
        prop_assert!((200..600).contains(&bench.request(&request).status));
    }
}
