//! Small documents of our own, and the published samples where they are here.

use super::*;
use crate::diagnostic::Code;
use crate::spec::Loaded;
use crate::topology::{DeploymentSku, Strategy};
use serde_json::json;

fn options<'a>(parameters: &'a Map<String, Value>) -> Options<'a> {
    Options {
        file: "folder/main.json",
        parameters,
        subscription: None,
        resource_group: Some("rg-contoso"),
        location: Some("eastus2"),
    }
}

fn import(text: &str) -> Imported {
    read(text, &options(&Map::new())).unwrap_or_else(|problem| panic!("{problem}"))
}

fn load(made: &Imported) -> Loaded {
    spec::load(&made.spec, &spec::Options::default()).unwrap_or_else(|problems| panic!("{problems:#?}\n{}", made.spec))
}

/// What `validate` asks for.
fn asked(made: &Imported) -> Vec<String> {
    let problems = spec::load(&made.spec, &spec::Options::default()).err().unwrap_or_default();
    assert!(
        problems.iter().all(|problem| problem.span.is_some() && problem.code != code::UNKNOWN_KEY),
        "{problems:#?}"
    );
    let mut keys: Vec<String> = problems.into_iter().filter_map(|problem| problem.key).collect();
    keys.sort();
    keys
}

fn has(made: &Imported, code: Code, words: &str) -> bool {
    made.problems.iter().any(|problem| problem.code == code && problem.message.contains(words))
}

const POOL_POLICY: &str = "<policies><inbound><base /><set-backend-service backend-id=\"pool\" /><cors /></inbound>\
    <backend><retry condition=\"@(context.Response.StatusCode == 429)\" count=\"3\" interval=\"1\" first-fast-retry=\"true\">\
    <forward-request buffer-request-body=\"true\" /></retry></backend></policies>";

/// A template in the classic form, as system (a) has it: accounts, a pool of two, an API, a subscription.
fn classic() -> Value {
    let account = |name: &str, region: &str| {
        json!({
            "type": "Microsoft.CognitiveServices/accounts", "apiVersion": "2024-10-01",
            "name": format!("[format('{name}-{{0}}', variables('suffix'))]"),
            "location": region, "kind": "OpenAI", "sku": { "name": "S0" },
            "properties": { "customSubDomainName": format!("[format('{name}-{{0}}', variables('suffix'))]") }
        })
    };
    let deployment = |account: &str, name: &str| {
        json!({
            "type": "Microsoft.CognitiveServices/accounts/deployments", "apiVersion": "2024-10-01",
            "name": format!("[format('{{0}}/{{1}}', format('{account}-{{0}}', variables('suffix')), '{name}')]"),
            "sku": { "name": "GlobalStandard", "capacity": 50 },
            "properties": { "model": { "format": "OpenAI", "name": "gpt-5.1", "version": "2025-11-13" } }
        })
    };
    let backend = |name: &str, account: &str| {
        let id = format!(
            "resourceId('Microsoft.CognitiveServices/accounts', format('{account}-{{0}}', variables('suffix')))"
        );
        json!({
            "type": "Microsoft.ApiManagement/service/backends", "apiVersion": "2024-05-01",
            "name": format!("[format('{{0}}/{name}', parameters('service'))]"),
            "properties": {
                "protocol": "http",
                "url": format!("[format('{{0}}openai', reference({id}, '2024-10-01').endpoint)]"),
                "circuitBreaker": { "rules": [{
                    "name": "rule", "tripDuration": "PT10S", "acceptRetryAfter": true,
                    "failureCondition": { "count": 1, "interval": "PT10S", "statusCodeRanges": [{ "min": 429, "max": 429 }] }
                }] }
            }
        })
    };
    let child = |kind: &str, name: &str, properties: Value| {
        json!({
            "type": format!("Microsoft.ApiManagement/service/{kind}"), "apiVersion": "2024-05-01",
            "name": format!("[format('{{0}}/{name}', parameters('service'))]"), "properties": properties
        })
    };
    let role = |account: &str| {
        json!({
            "type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01",
            "name": format!("[guid(resourceGroup().id, '{account}')]"),
            "scope": format!("[resourceId('Microsoft.CognitiveServices/accounts', format('{account}-{{0}}', variables('suffix')))]"),
            "properties": {
                "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd')]",
                "principalId": "[reference(resourceId('Microsoft.ApiManagement/service', parameters('service')), '2024-05-01', 'full').identity.principalId]"
            }
        })
    };
    json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {
            "service": { "type": "string", "defaultValue": "apim-contoso" },
            "email": { "type": "string", "defaultValue": "ai@contoso.com" }
        },
        "variables": { "suffix": "[uniqueString(resourceGroup().id)]", "policy": POOL_POLICY },
        "resources": [
            account("east", "eastus"), deployment("east", "chat"),
            account("west", "[resourceGroup().location]"), deployment("west", "chat-west"),
            {
                "type": "Microsoft.ApiManagement/service", "apiVersion": "2024-05-01",
                "name": "[parameters('service')]", "location": "eastus", "sku": { "name": "Basicv2", "capacity": 1 },
                "identity": { "type": "SystemAssigned" },
                "properties": { "publisherName": "Contoso", "publisherEmail": "[parameters('email')]" }
            },
            backend("one", "east"), backend("two", "west"),
            child("backends", "pool", json!({ "type": "Pool", "pool": { "services": [
                { "id": "/backends/one", "priority": 1, "weight": 3 }, { "id": "/backends/two", "priority": 2 }
            ] } })),
            child("apis", "chat", json!({ "displayName": "Chat", "path": "chat/openai", "subscriptionRequired": true,
                "subscriptionKeyParameterNames": { "header": "api-key", "query": "api-key" } })),
            child("apis/policies", "chat/policy", json!({ "format": "rawxml", "value": "[variables('policy')]" })),
            child("subscriptions", "team", json!({ "displayName": "Team",
                "scope": "[format('/apis/{0}', resourceId('Microsoft.ApiManagement/service/apis', parameters('service'), 'chat'))]" })),
            role("east"), role("west"),
            { "type": "Microsoft.Storage/storageAccounts", "apiVersion": "2023-01-01", "name": "logs", "location": "eastus" }
        ]
    })
}

#[test]
fn a_classic_template_becomes_a_valid_spec() {
    let made = import(&classic().to_string());
    let Loaded { topology, .. } = load(&made);
    assert_eq!((made.kind, made.missing.len(), topology.stack.name.as_str()), ("template", 0, "apim-contoso"));
    assert!(made.spec.starts_with("# Made by `aoai-lb import` from main.json.\n"), "{}", made.spec);
    let gateway = topology.gateway.as_ref().expect("a gateway");
    assert_eq!(gateway.name.literal(), Some("apim-contoso"));
    assert_eq!(topology.accounts["east"].name.literal(), None, "a name that Azure makes is left out");
    assert_eq!(topology.accounts["west"].location.as_str(), "eastus2");
    let deployment = &topology.accounts["east"].deployments["chat"];
    assert_eq!((deployment.sku, deployment.capacity), (DeploymentSku::GlobalStandard, 50));
    let members: Vec<_> =
        topology.pools["pool"].members.iter().map(|m| (m.backend.as_str(), m.priority, m.weight)).collect();
    assert_eq!(members, [("one", 1, 3), ("two", 2, 1)]);
    assert_eq!(topology.grants.len(), 2);
    let api = &topology.apis["chat"];
    let intent = api.policy.intent().expect("ours");
    assert_eq!((intent.strategy, intent.retry.count, intent.retry.first_fast), (Strategy::Pool, 3, true));
    assert_eq!(intent.routes.pool("chat-west"), Some("pool"), "every name that a deployment has leads to the pool");
    assert_eq!((api.path.as_str(), topology.subscriptions["team"].display_name.as_str()), ("chat/openai", "Team"));
    assert!(has(&made, code::NAME_LEFT_OUT, "`east`"));
    assert!(has(&made, code::SPLIT_BACKEND, "`chat`, `chat-west`"));
    assert!(has(&made, code::CHANGED, "different names"));
    assert!(has(&made, code::STRATEGY_GUESSED, "`pool`"));
    assert!(has(&made, code::NOT_CARRIED_OVER, "`cors`"));
    assert!(has(&made, code::NOT_CARRIED_OVER, "Microsoft.Storage/storageAccounts"));
}

#[test]
fn names_are_kept_where_the_place_is_known() {
    let subscription = Some("11111111-1111-1111-1111-111111111111");
    let parameters = Map::new();
    let made = read(&classic().to_string(), &Options { subscription, ..options(&parameters) }).expect("a spec");
    let topology = load(&made).topology;
    let account =
        topology.accounts.values().find(|account| account.location.as_str() == "eastus").expect("the account");
    let name = account.name.literal().expect("a literal name");
    let group = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-contoso";
    assert_eq!(name, format!("east-{}", crate::expr::unique_string(&[group])));
    assert!(!has(&made, code::NAME_LEFT_OUT, ""));
}

#[test]
fn what_is_not_known_is_left_out_and_asked_for() {
    let mut template = classic();
    template["parameters"]["email"] = json!({ "type": "string" });
    template["resources"][1]["sku"]["capacity"] = json!("[parameters('capacity')]");
    template["parameters"]["capacity"] = json!({ "type": "int" });
    let text = template.to_string();
    let made = import(&text);
    assert_eq!(made.missing, ["gateway.publisher.email", "accounts.east.deployments.chat.capacity"]);
    assert_eq!(asked(&made), ["accounts.east.deployments.chat.capacity", "gateway.publisher.email"]);
    let problem = made.problems.iter().find(|problem| problem.message.contains("publisherEmail")).expect("it is said");
    let span = problem.span.expect("a place");
    assert_eq!(&text[span.start..span.end], "\"[parameters('email')]\"");
    let given = parameters(
        r#"{ "parameters": { "email": { "value": "a@contoso.com" }, "capacity": { "value": 7 }, "x": { "value": 1 } } }"#,
    );
    let given = given.expect("parameters");
    let made = read(&text, &options(&given)).expect("a spec");
    let Loaded { topology, .. } = load(&made);
    assert_eq!(topology.accounts["east"].deployments["chat"].capacity, 7);
    assert!(has(&made, code::NOT_CARRIED_OVER, "no parameter `x`"));
}

#[test]
fn the_symbolic_form_loops_and_nested_templates_are_followed() {
    let nested = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "languageVersion": "2.0",
        "parameters": { "name": { "type": "string" }, "models": { "type": "array" } },
        "resources": {
            "account": {
                "type": "Microsoft.CognitiveServices/accounts", "apiVersion": "2024-10-01",
                "name": "[parameters('name')]", "location": "swedencentral", "kind": "OpenAI",
                "properties": { "disableLocalAuth": true }
            },
            "deployments": {
                "copy": { "name": "deployments", "count": "[length(parameters('models'))]", "mode": "serial", "batchSize": 1 },
                "type": "Microsoft.CognitiveServices/accounts/deployments", "apiVersion": "2024-10-01",
                "name": "[format('{0}/{1}', parameters('name'), parameters('models')[copyIndex()].name)]",
                "sku": { "name": "Standard", "capacity": 10 },
                "properties": { "model": "[parameters('models')[copyIndex()]]" }
            }
        },
        "outputs": { "endpoint": { "type": "string", "value": "[reference('account').endpoint]" } }
    });
    let template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "languageVersion": "2.0",
        "variables": {
            "copy": [{ "name": "names", "count": 2, "input": "[format('ai-{0}', copyIndex('names'))]" }],
            "models": [{ "format": "OpenAI", "name": "gpt-5.1", "version": "2025-11-13" }]
        },
        "resources": {
            "service": { "existing": true, "type": "Microsoft.ApiManagement/service", "apiVersion": "2024-05-01", "name": "apim-shared" },
            "accounts": {
                "copy": { "name": "accounts", "count": "[length(variables('names'))]" },
                "type": "Microsoft.Resources/deployments", "apiVersion": "2025-04-01",
                "name": "[variables('names')[copyIndex()]]",
                "properties": {
                    "mode": "Incremental", "expressionEvaluationOptions": { "scope": "inner" },
                    "parameters": {
                        "name": { "value": "[variables('names')[copyIndex()]]" }, "models": { "value": "[variables('models')]" }
                    },
                    "template": nested
                }
            },
            "backends": {
                "copy": { "name": "backends", "count": 2 },
                "type": "Microsoft.ApiManagement/service/backends", "apiVersion": "2024-05-01",
                "name": "[format('apim-shared/b{0}', copyIndex())]",
                "properties": {
                    "protocol": "http",
                    "url": "[format('{0}openai/deployments/gpt-5.1', reference(format('accounts[{0}]', copyIndex())).outputs.endpoint.value)]"
                }
            },
            "off": { "condition": false, "type": "Microsoft.ApiManagement/service/backends", "apiVersion": "2024-05-01",
                     "name": "apim-shared/off", "properties": { "url": "https://off.example.com" } },
            "pool": {
                "type": "Microsoft.ApiManagement/service/backends", "apiVersion": "2024-05-01", "name": "apim-shared/chat",
                "properties": { "type": "Pool", "pool": { "copy": [{
                    "name": "services", "count": 2, "input": { "id": "[format('/backends/b{0}', copyIndex('services'))]" }
                }] } }
            }
        }
    });
    let made = import(&template.to_string());
    let Loaded { topology, .. } = load(&made);
    assert_eq!(topology.accounts.keys().collect::<Vec<_>>(), ["ai-0", "ai-1"]);
    assert_eq!(topology.backends.len(), 2);
    assert_eq!(topology.pools["chat"].members.len(), 2);
    let gateway = topology.gateway.expect("a gateway");
    assert_eq!((gateway.name.literal(), gateway.standing), (Some("apim-shared"), crate::topology::Standing::Existing));
    assert!(has(&made, code::CHANGED, "`roles` is `check`") && has(&made, code::CHANGED, "names of a spec begin with"));
}

/// The policy of system (e) in its shape; of the variant with names, and with a key of the API's own.
fn smart(key: &str, value: [&str; 2]) -> String {
    let backend = |value: &str, priority: u8| {
        format!(
            r#"backends.Add(new JObject() {{ {{ "{key}", "{value}" }}, {{ "priority", {priority} }}, {{ "isThrottling", false }} }});"#
        )
    };
    format!(
        r#"<policies><inbound><base />
        <cache-lookup-value key="@("list-" + context.Api.Id)" variable-name="list" />
        <choose><when condition="@(context.Variables.ContainsKey("list") == false)">
          <set-variable name="list" value="@{{ JArray backends = new JArray(); {} {} return backends; }}" />
          <cache-store-value key="@("list-" + context.Api.Id)" value="@((JArray)context.Variables["list"])" duration="60" />
        </when></choose>
        <authentication-managed-identity resource="https://cognitiveservices.azure.com" output-token-variable-name="token" />
        <set-header name="Authorization" exists-action="override"><value>@("Bearer " + (string)context.Variables["token"])</value></set-header>
        <set-variable name="left" value="1" />
      </inbound><backend>
        <retry condition="@(context.Response != null && (context.Response.StatusCode == 401 || context.Response.StatusCode == 429) && (Int32)context.Variables["left"] > 0)" count="50" interval="0">
          <set-variable name="index" value="@(0)" />
          <set-backend-service base-url="@(((JArray)context.Variables["list"])[(Int32)context.Variables["index"]].Value<string>("{key}") + "/openai")" />
          <forward-request buffer-request-body="true" />
        </retry>
      </backend><outbound><base /></outbound><on-error><base /></on-error></policies>"#,
        backend(value[0], 1),
        backend(value[1], 2)
    )
}

#[test]
fn a_list_of_addresses_becomes_existing_accounts_under_smart() {
    let text = smart("url", ["https://contoso-east.openai.azure.com/", "https://contoso-west.openai.azure.com/"]);
    let made = import(&text);
    assert_eq!(made.kind, "policy");
    assert_eq!(
        asked(&made),
        [
            "accounts.contoso-east.deployments",
            "accounts.contoso-west.deployments",
            "backends.contoso-east.deployment",
            "backends.contoso-west.deployment",
            "gateway.existing.name"
        ]
    );
    let mut filled = made.spec.replace("existing: {}", "existing: { name: apim-contoso }");
    filled = filled
        .replace("deployments: {}", "deployments: { chat: { model: gpt-5.1, version: \"2025-11-13\", capacity: 9 } }");
    filled = filled.replace(", breaker: none }", ", deployment: chat, breaker: none }");
    let filled = Imported { spec: filled, ..made.clone() };
    let Loaded { topology, .. } = load(&filled);
    let intent = topology.apis["openai"].policy.intent().expect("ours");
    assert_eq!((intent.strategy, intent.retry.count), (Strategy::Smart, 50));
    assert_eq!(intent.pools.values().flatten().map(|candidate| candidate.priority).collect::<Vec<_>>(), [1, 2]);
    let said: Vec<&str> = made.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(said.iter().filter(|said| said.contains("not carried over")).count(), 1, "{said:#?}");
}

#[test]
fn a_list_of_names_asks_for_accounts() {
    let made = import(&smart("backend-id", ["one", "two"]));
    assert!(asked(&made).contains(&"backends.one.account".to_owned()), "{:?}", asked(&made));
    assert!(has(&made, code::NOT_KNOWN, "`one`"));
    let pool = import(POOL_POLICY);
    assert!(pool.missing.contains(&"pools.pool.members".to_owned()), "{:?}", pool.missing);
}

#[test]
fn what_cannot_be_imported_is_said() {
    let intent = crate::topology::Intent::new(crate::topology::Routes::All("pool".into()));
    for (text, words) in [
        (String::new(), "neither a policy"),
        ("resource x 'y' = {}".into(), "neither a policy"),
        ("{".into(), "no JSON"),
        ("{}".into(), "no `resources`"),
        (r#"{ "resources": [] }"#.into(), "neither an API Management service"),
        ("<policies>".into(), ""),
        ("<policies><inbound><base /></inbound></policies>".into(), "plain way"),
        (crate::policy::render(&intent), "own"),
    ] {
        let problem = read(&text, &options(&Map::new())).expect_err(&text);
        assert!(problem.message.contains(words) && problem.help.is_some(), "{text}: {problem}");
        let span = problem.span.unwrap_or_default();
        assert!(text.get(span.start..span.end).is_some(), "{text}: {span:?}");
    }
    for (text, words) in [("x", "no JSON"), ("[]", "no object"), (r#"{ "a": {} }"#, "has no `value`")] {
        assert!(parameters(text).expect_err(text).message.contains(words), "{text}");
    }
    let secret = parameters(r#"{ "a": { "reference": {} }, "$schema": "" }"#).expect("a reference is passed over");
    assert!(secret.is_empty());
}

#[test]
fn a_key_is_neither_written_nor_told() {
    const KEY: &str = "0123456789abcdef0123456789abcdef";
    let template = classic().to_string().replace("\"Contoso\"", &format!("\"{KEY}\""));
    let made =
        read(&template.replace("\"Team\"", &format!("\"of key {KEY}\"")), &options(&Map::new())).expect("a spec");
    assert!(!format!("{made:?}").contains(KEY), "{made:#?}");
    for place in ["gateway.publisher.name", "subscriptions.team.displayName"] {
        let said = format!("`{place}` would be looks like a key");
        assert!(has(&made, code::NOT_CARRIED_OVER, &said), "{place}: {made:#?}");
    }
    asked(&made);
}

#[test]
fn hostile_expressions_come_to_an_end() {
    let chain: Map<String, Value> = (0..400)
        .map(|n| (format!("v{n}"), format!("[concat(variables('v{}'), variables('v{}'))]", n + 1, n + 1).into()))
        .collect();
    let circle = json!({ "a": "[variables('b')]", "b": "[variables('a')]" });
    for variables in [Value::Object(chain), circle] {
        let mut template = classic();
        template["variables"] = variables;
        template["resources"][0]["name"] = "[variables('v0')]".into();
        template["resources"][1]["copy"] = json!({ "name": "many", "count": 100_000 });
        read(&template.to_string(), &options(&Map::new())).expect("a spec");
    }
}

const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/templates/published");

/// A published template; `None`, after a plain notice, where it is not here.
#[allow(clippy::disallowed_methods)] // a test may read the disk
fn published(name: &str) -> Option<String> {
    match std::fs::read_to_string(format!("{PUBLISHED}/{name}.json")) {
        Ok(text) => Some(text),
        Err(_) => {
            assert!(std::env::var_os("CI").is_none(), "{PUBLISHED}/{name}.json is not here");
            eprintln!("skipped: {PUBLISHED}/{name}.json is not here");
            None
        }
    }
}

#[test]
fn system_a_is_complete() {
    let Some(text) = published("seed-a-quickstart") else { return };
    let made = import(&text);
    let Loaded { topology, .. } = load(&made);
    let intent = topology.apis["openai"].policy.intent().expect("ours").clone();
    assert_eq!((intent.strategy, intent.routes.pools()), (Strategy::Pool, vec!["openai-backend-pool"]));
    let members: Vec<_> =
        topology.pools["openai-backend-pool"].members.iter().map(|m| (m.backend.as_str(), m.weight)).collect();
    assert_eq!(members, [("backend1", 10), ("backend2", 20)]);
    assert_eq!(topology.grants.len(), 2);
    assert_eq!(topology.subscriptions["openAISubscriptionName"].display_name, "Open AI Subscription Description");
    assert!(has(&made, code::CHANGED, "branch `main`") && has(&made, code::CHANGED, "different names"));
}

#[test]
fn system_c_rotates() {
    let Some(text) = published("seed-c-round-robin") else { return };
    let made = import(&text);
    assert_eq!(made.missing, ["gateway.publisher.email"]);
    let given = parameters(r#"{ "apiManagementPublisherEmail": { "value": "ai@contoso.com" } }"#).expect("parameters");
    let Loaded { topology, .. } = load(&read(&text, &options(&given)).expect("a spec"));
    let intent = topology.apis["openai"].policy.intent().expect("ours");
    assert_eq!((intent.strategy, intent.retry.count, intent.retry.interval.secs_ceil()), (Strategy::RoundRobin, 3, 5));
    assert_eq!(topology.accounts.keys().collect::<Vec<_>>(), ["oai-uks", "oai-wus"]);
    assert_eq!(intent.routes.pools(), ["openai-gpt-35-turbo", "openai-text-embedding-ada-002"]);
    assert!(topology.pools.values().all(|pool| pool.members.len() == 2));
}

#[test]
fn the_smart_policy_with_names_leads_to_the_templates_backends() {
    let Some(text) = published("openai-apim-lb") else { return };
    let Loaded { topology, .. } = load(&import(&text));
    let intent = topology.apis["azure-openai-service-api"].policy.intent().expect("ours");
    assert_eq!((intent.strategy, intent.pools.len()), (Strategy::Smart, 2));
    assert!(intent.pools.values().all(|members| members.len() == 3));
}

#[test]
fn every_published_template_becomes_a_spec() {
    for name in ["ai-gateway-advanced-load-balancing", "apim-samples-load-balancing"] {
        let Some(text) = published(name) else { return };
        let made = import(&text);
        asked(&made);
        assert!(has(&made, code::NOT_CARRIED_OVER, ""), "{name}: {:#?}", made.problems);
    }
}
