//! Every template that others published or that the compiler wrote, deployed by requests.

use super::*;
use std::path::Path;

const RESOURCES: &str = "2025-04-01";

/// A template, and what its parameters are.
struct Row {
    file: &'static str,
    given: Value,
    /// How many resources it makes, itself and by what is nested.
    makes: usize,
}

#[allow(clippy::disallowed_methods)] // a test may read the disk
fn shared(file: &str) -> Option<Value> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus")).join(file);
    let Ok(text) = std::fs::read_to_string(path) else {
        assert!(std::env::var_os("CI").is_none(), "../shared is not here");
        println!("skipped: ../shared/corpus/{file} is not here");
        return None;
    };
    Some(serde_json::from_str(&text).expect("the corpus is JSON"))
}

fn row(file: &'static str, makes: usize, given: Value) -> Row {
    Row { file, given, makes }
}

/// What stands there before, as other templates would have made it.
fn with_what_templates_expect() -> Bench {
    let mut bench = Bench::with_group();
    bench.world = bench.world.with_unknown_types(Unknown::Accepted);
    let other = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups";
    let here = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups");
    for (base, group) in [
        (here.as_str(), "rg-shared"),
        (here.as_str(), "rg-net"),
        (here.as_str(), "rg-vault"),
        (here.as_str(), "rg-sweden"),
        (here.as_str(), "rg-aoai-sweden"),
        (other, "rg-other"),
        (other, "rg-france"),
        (other, "rg-aoai-france"),
    ] {
        let path = format!("{base}/{group}");
        assert_eq!(bench.send(Method::Put, &path, RESOURCES, json!({"location": "eastus2"})).status, 201);
    }
    let mut made = |path: String, version: &str, body: Value| {
        let answer = bench.send(Method::Put, &path, version, body);
        assert!(answer.status < 300, "{path}: {:?}", answer.value());
    };
    for (base, name) in
        [(format!("{here}/rg"), "apim"), (format!("{here}/rg-shared"), "apim-shared"), (format!("{here}/rg"), "apim-x")]
    {
        made(format!("{base}/providers/Microsoft.ApiManagement/service/{name}"), APIM, service());
    }
    for (base, name) in [
        (format!("{other}/rg-other"), "aoai-other"),
        (format!("{here}/rg"), "aoai-there"),
        (format!("{here}/rg"), "aoai-existing"),
    ] {
        made(format!("{base}/providers/Microsoft.CognitiveServices/accounts/{name}"), COGNITIVE, account(name));
    }
    let mut developer = service();
    developer["sku"]["name"] = json!("Developer");
    made(format!("{here}/rg/providers/Microsoft.ApiManagement/service/apim-dev"), APIM, developer);
    bench.wait(3 * 3600);
    let mut made = |path: String, version: &str, body: Value| {
        let answer = bench.send(Method::Put, &path, version, body);
        assert!(answer.status < 300, "{path}: {:?}", answer.value());
    };
    let apim = format!("{here}/rg/providers/Microsoft.ApiManagement/service/apim");
    for name in ["x", "y"] {
        let api = json!({"properties": {"displayName": name, "path": name, "protocols": ["https"], "serviceUrl": "https://x.contoso.com"}});
        made(format!("{apim}/apis/{name}"), APIM, api);
    }
    for path in ["apim/backends/b", "apim/backends/gpt-4o", "apim-dev/backends/gpt-4o"] {
        let path = format!("{here}/rg/providers/Microsoft.ApiManagement/service/{path}");
        made(path, APIM, single("https://b.contoso.com"));
    }
    let logger = json!({"properties": {"loggerType": "azureMonitor"}});
    made(format!("{apim}/loggers/l"), APIM, logger.clone());
    made(format!("{here}/rg/providers/Microsoft.ApiManagement/service/apim-x/loggers/apim-logger"), APIM, logger);
    made(
        format!("{here}/rg/providers/Microsoft.Insights/components/appi-x"),
        "2020-02-02",
        json!({"location": "eastus2", "kind": "web", "properties": {"Application_Type": "web"}}),
    );
    bench.wait(60);
    bench
}

/// Links are not read: the API behind them is given as a text.
fn without_links(value: Value) -> Value {
    const API: &str = r#"{"openapi": "3.0.1", "info": {"title": "OpenAI", "version": "1"}, "paths": {"/a": {"get": {"operationId": "a", "responses": {"200": {"description": "OK"}}}}}}"#;
    match value {
        Value::String(text) if text == "openapi-link" => "openapi+json".into(),
        Value::String(text) if text.starts_with("https://raw.githubusercontent.com/Azure/azure-rest-api-specs/") => {
            API.into()
        }
        Value::Array(items) => items.into_iter().map(without_links).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, without_links(value))).collect())
        }
        other => other,
    }
}

fn rows() -> Vec<Row> {
    let policy = "<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>";
    let of = |more: Value| {
        let mut given = json!({"apiManagementServiceName": "apim"});
        for (name, value) in more.as_object().into_iter().flatten() {
            given[name] = value.clone();
        }
        given
    };
    let model = json!({"name": "gpt-4o", "version": "2024-11-20", "format": "OpenAI"});
    let logger = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ApiManagement/service/apim/loggers/l"
    );
    vec![
        row("bicep/01-quickstart.json", 15, json!({})),
        row(
            "bicep/02-existing-cross-scope.json",
            3,
            json!({"gatewayName": "apim-shared", "accountName": "aoai-other"}),
        ),
        row("bicep/03-observability.json", 15, json!({"gatewayName": "apim"})),
        row("bicep/04-strings.json", 1, json!({"gatewayName": "apim"})),
        row("bicep/05-loops.json", 6, json!({"gatewayName": "apim"})),
        row(
            "bicep/06-expressions.json",
            3,
            json!({"adminKey": "k", "gatewayName": "apim-new", "opt": "A-B", "flag": true}),
        ),
        row(
            "bicep/07-user-identity.json",
            7,
            json!({"gatewayName": "apim-dev", "publisherName": "n", "publisherEmail": "e@contoso.com"}),
        ),
        row("bicep/08-other-groups.json", 11, json!({"gatewayName": "apim"})),
        row("bicep/09-brackets.json", 0, json!({"a": "v"})),
        row(
            "templates/avm/apim-api-diagnostics.json",
            1,
            of(json!({"apiName": "x", "loggerName": "l", "enableTelemetry": false})),
        ),
        row("templates/avm/apim-api-policy.json", 1, of(json!({"apiName": "x", "value": policy}))),
        row(
            "templates/avm/apim-api.json",
            4,
            of(json!({
                "name": "z", "displayName": "Z", "path": "z", "policies": [{"value": policy}],
                "diagnostics": [{"loggerName": "l", "name": "azuremonitor"}],
                "operations": [{"name": "get", "displayName": "Get", "method": "GET", "urlTemplate": "/"}]
            })),
        ),
        row(
            "templates/avm/apim-backend.json",
            1,
            of(json!({"name": "pool", "type": "Pool", "pool": {"services": [{"id": "/backends/b", "priority": 1}]}})),
        ),
        row("templates/avm/apim-diagnostics.json", 1, of(json!({"name": "azuremonitor", "loggerResourceId": logger}))),
        row("templates/avm/apim-logger.json", 1, of(json!({"name": "m", "type": "azureMonitor"}))),
        row("templates/avm/apim-named-value.json", 1, of(json!({"displayName": "N", "name": "n", "secret": true}))),
        row("templates/avm/apim-policy.json", 1, of(json!({"value": policy}))),
        row(
            "templates/avm/apim-product.json",
            4,
            of(
                json!({"name": "gold", "displayName": "Gold", "apis": ["x", "y"], "policies": [{"value": policy}], "enableTelemetry": false}),
            ),
        ),
        row("templates/avm/apim-subscription.json", 1, of(json!({"name": "s", "displayName": "S"}))),
        row(
            "templates/avm/cognitive-account-deployment.json",
            1,
            json!({"name": "d", "accountName": "aoai-there", "model": model, "sku": {"name": "GlobalStandard", "capacity": 1}}),
        ),
        row(
            "templates/avm/cognitive-account.json",
            2,
            json!({
                "name": "acc", "kind": "OpenAI", "customSubDomainName": "acc", "location": "eastus2",
                "deployments": [{"name": "one", "model": model, "sku": {"name": "GlobalStandard", "capacity": 1}}]
            }),
        ),
        row(
            "templates/published/ai-gateway-advanced-load-balancing.json",
            14,
            json!({
                "openAIConfig": [{"name": "one", "location": "eastus2", "priority": 1}, {"name": "two", "location": "swedencentral", "priority": 2, "weight": 3}],
                "openAIDeploymentName": "gpt", "openAIModelName": "gpt-4o", "openAIModelVersion": "2024-11-20", "apimResourceName": "apim-lb",
                "openAILoadBalancingConfigValue": "[]"
            }),
        ),
        row(
            "templates/published/apim-samples-load-balancing.json",
            16,
            json!({"resourceSuffix": "x", "apis": [{
                "name": "lb", "displayName": "LB", "path": "lb", "description": "d", "policyXml": policy, "tags": ["t1"], "subscriptionRequired": true,
                "operations": [{"name": "GET", "displayName": "Get", "urlTemplate": "/", "method": "GET", "description": "g", "policyXml": policy, "templateParameters": []}]
            }]}),
        ),
        row(
            "templates/published/openai-apim-lb.json",
            29,
            json!({
                "environmentName": "env", "location": "eastus2", "entraAuth": true, "entraTenantId": "t",
                "entraClientId": "c", "entraAudience": "a"
            }),
        ),
        row("templates/published/seed-a-quickstart.json", 13, json!({})),
        row(
            "templates/published/seed-c-round-robin.json",
            17,
            json!({"workloadName": "w", "location": "uksouth", "apiManagementPublisherEmail": "e@contoso.com", "apiManagementPublisherName": "n"}),
        ),
    ]
}

#[test]
fn published_templates_deploy() {
    let mut wrong = Vec::new();
    for Row { file, given, makes } in rows() {
        let Some(template) = shared(file) else { return };
        let template = without_links(template);
        let mut bench = with_what_templates_expect();
        let given: serde_json::Map<String, Value> = given
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), json!({ "value": value })))
            .collect();
        let of_subscription = template["$schema"].as_str().is_some_and(|schema| schema.contains("subscription"));
        let base = if of_subscription { format!("/subscriptions/{SUBSCRIPTION}") } else { bench.group("") };
        let path = format!("{base}/providers/Microsoft.Resources/deployments/main");
        let mut body = json!({"properties": {"mode": "Incremental", "template": template, "parameters": given}});
        if of_subscription {
            body["location"] = json!("eastus2");
        }
        let taken = bench.send(Method::Put, &path, RESOURCES, body);
        bench.wait(3 * 3600);
        let done = bench.get(&path, RESOURCES).1;
        let properties = &done["properties"];
        let made: Vec<&str> = properties["outputResources"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|made| made["id"].as_str())
            .collect();
        let stands = |id: &&str| {
            let key = id.to_lowercase();
            bench.world.state.resources.contains_key(&key) || bench.world.state.groups.contains_key(&key)
        };
        let error = match taken.status {
            201 => properties["error"].to_string(),
            _ => taken.value().unwrap_or(Value::Null).to_string(),
        };
        let succeeded = properties["provisioningState"] == "Succeeded";
        if !(succeeded && made.len() == makes && made.iter().all(stands)) {
            wrong.push(format!("{file}: {} {error} {made:#?}", made.len()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What published templates rely on, by hand: a flag where a text is wanted, a document instead of its text, a reference to
/// a resource group.
#[test]
fn what_templates_may_get_wrong_is_taken() {
    let mut bench = with_what_templates_expect();
    let apim = bench.group("/providers/Microsoft.ApiManagement/service/apim");
    let named = json!({"properties": {"displayName": "flag", "value": true}});
    assert!(bench.send(Method::Put, &format!("{apim}/namedValues/flag"), APIM, named).status < 300);
    bench.wait(60);
    assert_eq!(bench.get(&format!("{apim}/namedValues/flag"), APIM).1["properties"]["value"], "true");
    let operation = json!({"operationId": "ask", "responses": {"200": {"description": "OK"}}});
    let document =
        json!({"openapi": "3.0.1", "info": {"title": "T", "version": "1"}, "paths": {"/ask": {"post": operation}}});
    let api = json!({"properties": {"path": "doc", "format": "openapi+json", "value": document}});
    assert!(bench.send(Method::Put, &format!("{apim}/apis/doc"), APIM, api).status < 300);
    bench.wait(60);
    let operations = bench.get(&format!("{apim}/apis/doc/operations"), APIM).1;
    assert_eq!(operations["value"][0]["properties"]["urlTemplate"], "/ask");
    let template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [],
        "outputs": {"where": {"type": "string",
            "value": "[reference(subscriptionResourceId('Microsoft.Resources/resourceGroups', 'rg-sweden'), '2021-04-01', 'full').location]"}}
    });
    let path = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Resources/deployments/where");
    let body = json!({"location": "eastus2", "properties": {"mode": "Incremental", "template": template}});
    assert_eq!(bench.send(Method::Put, &path, RESOURCES, body).status, 201);
    bench.wait(600);
    assert_eq!(bench.get(&path, RESOURCES).1["properties"]["outputs"]["where"]["value"], "eastus2");
    // a tag is put on an API once it is there, and shows its name
    let (tag, link) = (format!("{apim}/tags/gold"), format!("{apim}/apis/doc/tags/gold"));
    assert_eq!(bench.send(Method::Put, &link, APIM, Value::Null).status, 400);
    assert_eq!(bench.send(Method::Put, &tag, APIM, json!({"properties": {"displayName": "Gold"}})).status, 201);
    assert_eq!(bench.send(Method::Put, &link, APIM, Value::Null).status, 201);
    assert_eq!(bench.get(&link, APIM).1["properties"]["displayName"], "Gold");
    // a container app says where it is
    let app = bench.group("/providers/Microsoft.App/containerApps/mock");
    let body = json!({"location": "East US 2", "properties": {"configuration": {"ingress": {"external": true}}}});
    assert!(bench.send(Method::Put, &app, "2025-01-01", body).status < 300);
    let host = bench.get(&app, "2025-01-01").1["properties"]["configuration"]["ingress"]["fqdn"].clone();
    let host = host.as_str().unwrap_or_default();
    assert!(host.starts_with("mock.") && host.ends_with(".eastus2.azurecontainerapps.io"), "{host}");
}

/// No template of the corpus is forgotten.
#[test]
#[allow(clippy::disallowed_methods)] // a test may read the disk
fn every_published_template_has_its_row() {
    let rows: Vec<&str> = rows().iter().map(|row| row.file).collect();
    for folder in ["bicep", "templates/avm", "templates/published"] {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus")).join(folder);
        let Ok(files) = std::fs::read_dir(path) else {
            assert!(std::env::var_os("CI").is_none(), "../shared is not here");
            println!("skipped: ../shared/corpus/{folder} is not here");
            return;
        };
        for file in files.filter_map(|file| file.ok()?.file_name().into_string().ok()) {
            let is_template = file.ends_with(".json") && !file.ends_with("parameters.json") && file != "openapi.json";
            assert!(!is_template || rows.contains(&format!("{folder}/{file}").as_str()), "{folder}/{file}");
        }
    }
}
