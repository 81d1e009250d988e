//! Every template that others published or that the compiler wrote, with parameters of ours: which resources stand there at
//! the end. A file without a row in the table fails the test.

use super::corpus::shared;
use super::*;
use std::path::Path;

/// What is deployed from a file.
struct Row {
    file: &'static str,
    given: Value,
    /// How many resources of each type there are at the end, deployments among them.
    kinds: Value,
    /// Ends of ids that are among them.
    names: &'static [&'static str],
}

fn row(file: &'static str, given: Value, kinds: Value, names: &'static [&'static str]) -> Row {
    Row { file, given, kinds, names }
}

/// What stands there before, as other templates would have made it.
fn world() -> World {
    let mut world = World::default();
    let account = json!({"location": "eastus2", "properties": {"endpoint": "https://there.openai.azure.com/"}});
    let service = json!({"location": "eastus2", "identity": {"principalId": "p"}, "properties": {"gatewayUrl": "https://there/"}});
    for name in ["there", "aoai-existing", "a"] {
        world.put(&id(&format!("Microsoft.CognitiveServices/accounts/{name}")), account.clone());
    }
    world.put(
        &id("Microsoft.Network/virtualNetworks/net").replace("/rg/", "/rg-net/"),
        json!({"location": "westeurope"}),
    );
    world.put(&id("Microsoft.Insights/components/appi-x"), json!({"properties": {"InstrumentationKey": "key"}}));
    world.put(&id("Microsoft.ApiManagement/service/apim-x"), service.clone());
    let other = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-other/providers";
    world.put(&format!("{other}/Microsoft.CognitiveServices/accounts/a"), account);
    world.put(&id("Microsoft.ApiManagement/service/g").replace("/rg/", "/rg-shared/"), service.clone());
    for name in ["there", "g"] {
        world.put(&id(&format!("Microsoft.ApiManagement/service/{name}")), service.clone());
    }
    world
}

fn rows() -> Vec<Row> {
    let none = json!({});
    let there = |more: Value| {
        let mut given = json!({"apiManagementServiceName": "there"});
        more.as_object().expect("members").iter().for_each(|(name, value)| given[name] = value.clone());
        given
    };
    let vault = id("Microsoft.KeyVault/vaults/v").replace("/rg/", "/rg-vault/");
    let subnet = id("Microsoft.Network/virtualNetworks/net/subnets/s").replace("/rg/", "/rg-net/");
    let zone = id("Microsoft.Network/privateDnsZones/privatelink.openai.azure.com");
    let identity = id("Microsoft.ManagedIdentity/userAssignedIdentities/i");
    let model = |name: &str| json!({"name": name, "version": "1", "format": "OpenAI"});
    vec![
        row(
            "bicep/01-quickstart.json",
            none.clone(),
            json!({"ApiManagement/service": 1, "ApiManagement/service/apis": 1, "ApiManagement/service/apis/operations": 1, "ApiManagement/service/apis/policies": 1, "ApiManagement/service/backends": 3, "ApiManagement/service/subscriptions": 1, "Authorization/roleAssignments": 2, "CognitiveServices/accounts": 2, "CognitiveServices/accounts/deployments": 3, "Resources/deployments": 2}),
            &["/backends/gpt-4o", "/deployments/gpt-4o-ptu", "/apis/openai/operations/chat-completions"],
        ),
        row(
            "bicep/02-existing-cross-scope.json",
            json!({"gatewayName": "g", "accountName": "a"}),
            json!({"Resources/deployments": 2, "ApiManagement/service/backends": 2, "Authorization/roleAssignments": 1}),
            &["/resourceGroups/rg-shared/providers/Microsoft.ApiManagement/service/g/backends/shared"],
        ),
        row(
            "bicep/03-observability.json",
            json!({"gatewayName": "g"}),
            json!({"ApiManagement/service/apis": 1, "ApiManagement/service/apis/diagnostics": 2, "ApiManagement/service/apis/operations": 1, "ApiManagement/service/apis/operations/policies": 1, "ApiManagement/service/loggers": 2, "ApiManagement/service/namedValues": 1, "ApiManagement/service/policyFragments": 1, "ApiManagement/service/products": 1, "ApiManagement/service/products/apis": 1, "Insights/components": 1, "Insights/diagnosticSettings": 1, "ManagedIdentity/userAssignedIdentities": 1, "OperationalInsights/workspaces": 1}),
            &["/service/g/providers/Microsoft.Insights/diagnosticSettings/aoai-lb", "/products/gold/apis/catch-all"],
        ),
        row(
            "bicep/04-strings.json",
            json!({"gatewayName": "g"}),
            json!({"ApiManagement/service/namedValues": 1}),
            &["/namedValues/strings"],
        ),
        row(
            "bicep/05-loops.json",
            json!({"gatewayName": "g"}),
            json!({"ApiManagement/service/backends": 2, "CognitiveServices/accounts": 2, "CognitiveServices/accounts/deployments": 2}),
            &["/accounts/aoai-a/deployments/gpt-4o-mini-1", "/backends/backend-b"],
        ),
        row(
            "bicep/06-expressions.json",
            json!({"adminKey": "k", "gatewayName": "g", "opt": "A-B"}),
            json!({"ApiManagement/service": 1, "ApiManagement/service/backends": 1}),
            &["/backends/pool"],
        ),
        row(
            "bicep/07-user-identity.json",
            json!({"publisherName": "n", "publisherEmail": "e"}),
            json!({"ApiManagement/service": 1, "ApiManagement/service/apis": 1, "ApiManagement/service/apis/policies": 1, "ApiManagement/service/backends": 1, "ApiManagement/service/namedValues": 1, "Authorization/roleAssignments": 1, "ManagedIdentity/userAssignedIdentities": 1, "Resources/deployments": 1}),
            &["/backends/OPENAIUKS", "/namedValues/managed-identity-client-id"],
        ),
        row(
            "bicep/08-other-groups.json",
            json!({"gatewayName": "g"}),
            json!({"ApiManagement/service/backends": 3, "Authorization/roleAssignments": 2, "CognitiveServices/accounts": 2, "CognitiveServices/accounts/deployments": 4, "Resources/deployments": 4}),
            &[
                "/resourceGroups/rg-france/providers/Microsoft.CognitiveServices/accounts/contoso-france/deployments/gpt-4o",
                "/backends/pool",
            ],
        ),
        row("bicep/09-brackets.json", json!({"a": "v"}), json!({}), &[]),
        row(
            "templates/avm/apim-api-diagnostics.json",
            there(json!({"apiName": "x", "loggerName": "l", "enableTelemetry": false})),
            json!({"ApiManagement/service/apis/diagnostics": 1}),
            &["/apis/x/diagnostics/local"],
        ),
        row(
            "templates/avm/apim-api-policy.json",
            there(json!({"apiName": "x", "value": "<policies />"})),
            json!({"ApiManagement/service/apis/policies": 1, "Resources/deployments": 1}),
            &["/apis/x/policies/policy"],
        ),
        row(
            "templates/avm/apim-api.json",
            there(json!({
                "name": "x", "displayName": "X", "path": "x", "apiVersionSetName": "set",
                "policies": [{"value": "<policies />"}],
                "diagnostics": [{"loggerName": "l", "name": "azuremonitor"}, {"loggerName": "l", "name": "applicationinsights"}],
                "operations": [
                    {"name": "get", "displayName": "Get", "method": "GET", "urlTemplate": "/"},
                    {"name": "post", "displayName": "Post", "method": "POST", "urlTemplate": "/", "policies": [{"format": "rawxml", "value": "<policies />"}]}
                ]
            })),
            json!({"ApiManagement/service/apis": 1, "ApiManagement/service/apis/policies": 1, "ApiManagement/service/apis/diagnostics": 2, "ApiManagement/service/apis/operations": 2, "ApiManagement/service/apis/operations/policies": 1, "Resources/deployments": 7}),
            &["/apis/x/diagnostics/applicationinsights", "/apis/x/operations/post/policies/policy"],
        ),
        row(
            "templates/avm/apim-backend.json",
            there(
                json!({"name": "pool", "type": "Pool", "pool": {"services": [{"id": "/backends/b", "priority": 1}]}}),
            ),
            json!({"ApiManagement/service/backends": 1, "Resources/deployments": 1}),
            &["/service/there/backends/pool"],
        ),
        row(
            "templates/avm/apim-diagnostics.json",
            there(json!({"name": "azuremonitor", "loggerResourceId": "/loggers/azuremonitor"})),
            json!({"ApiManagement/service/diagnostics": 1, "Resources/deployments": 1}),
            &["/service/there/diagnostics/azuremonitor"],
        ),
        row(
            "templates/avm/apim-logger.json",
            there(json!({"name": "l", "type": "azureMonitor"})),
            json!({"ApiManagement/service/loggers": 1, "Resources/deployments": 1}),
            &["/service/there/loggers/l"],
        ),
        row(
            "templates/avm/apim-named-value.json",
            there(json!({"displayName": "N", "name": "n", "secret": true})),
            json!({"ApiManagement/service/namedValues": 1, "Resources/deployments": 1}),
            &["/service/there/namedValues/n"],
        ),
        row(
            "templates/avm/apim-policy.json",
            there(json!({"value": "<policies />"})),
            json!({"ApiManagement/service/policies": 1, "Resources/deployments": 1}),
            &["/service/there/policies/policy"],
        ),
        row(
            "templates/avm/apim-product.json",
            there(json!({
                "name": "gold", "displayName": "Gold", "apis": ["x", "y"], "groups": ["developers"],
                "policies": [{"value": "<policies />"}], "enableTelemetry": false
            })),
            json!({"ApiManagement/service/products": 1, "ApiManagement/service/products/apis": 2, "ApiManagement/service/products/groups": 1, "ApiManagement/service/products/policies": 1, "Resources/deployments": 4}),
            &["/products/gold/apis/y", "/products/gold/groups/developers"],
        ),
        row(
            "templates/avm/apim-subscription.json",
            there(json!({"name": "s", "displayName": "S"})),
            json!({"ApiManagement/service/subscriptions": 1, "Resources/deployments": 1}),
            &["/subscriptions/s"],
        ),
        row(
            "templates/avm/cognitive-account-deployment.json",
            json!({"name": "d", "accountName": "there", "model": model("gpt")}),
            json!({"CognitiveServices/accounts/deployments": 1}),
            &["/accounts/there/deployments/d"],
        ),
        row(
            "templates/avm/cognitive-account.json",
            json!({
                "name": "acc", "kind": "OpenAI", "disableLocalAuth": false, "customSubDomainName": "acc",
                "managedIdentities": {"systemAssigned": true, "userAssignedResourceIds": [identity]},
                "lock": {"kind": "CanNotDelete"},
                "networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "10.0.0.0/8"}]},
                "deployments": [{"name": "one", "model": model("a"), "sku": {"name": "Standard", "capacity": 1}}, {"model": model("b")}],
                "roleAssignments": [
                    {"roleDefinitionIdOrName": "Cognitive Services OpenAI User", "principalId": "p1", "principalType": "ServicePrincipal"},
                    {"roleDefinitionIdOrName": "/providers/Microsoft.Authorization/roleDefinitions/r2", "principalId": "p2", "name": "named"}
                ],
                "diagnosticSettings": [{"workspaceResourceId": "/w"}, {"name": "d2", "logCategoriesAndGroups": [], "metricCategories": [{"category": "AllMetrics"}]}],
                "privateEndpoints": [{
                    "subnetResourceId": subnet,
                    "resourceGroupResourceId": format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-net"),
                    "privateDnsZoneGroup": {"privateDnsZoneGroupConfigs": [{"privateDnsZoneResourceId": zone}]},
                    "lock": {"kind": "ReadOnly", "name": "endpoint-lock"},
                    "roleAssignments": [{"roleDefinitionIdOrName": "Owner", "principalId": "p3"}]
                }],
                "secretsExportConfiguration": {"keyVaultResourceId": vault, "accessKey1Name": "k1"},
                "commitmentPlans": [{"autoRenew": true, "current": {"count": 1, "tier": "T1"}, "hostingModel": "Web", "planType": "TA"}]
            }),
            json!({"Authorization/locks": 2, "Authorization/roleAssignments": 3, "CognitiveServices/accounts": 1, "CognitiveServices/accounts/commitmentPlans": 1, "CognitiveServices/accounts/deployments": 2, "Insights/diagnosticSettings": 2, "KeyVault/vaults/secrets": 1, "Network/privateEndpoints": 1, "Network/privateEndpoints/privateDnsZoneGroups": 1, "Resources/deployments": 6}),
            &[
                "/accounts/acc/providers/Microsoft.Authorization/locks/lock-acc",
                "/accounts/acc/providers/Microsoft.Authorization/roleAssignments/named",
                "/accounts/acc/deployments/acc-deployments",
                "/resourceGroups/rg-net/providers/Microsoft.Network/privateEndpoints/pep-acc-account-0/providers/Microsoft.Authorization/locks/endpoint-lock",
                "/resourceGroups/rg-vault/providers/Microsoft.KeyVault/vaults/v/secrets/k1",
                "/accounts/acc/commitmentPlans/Web-TA",
            ],
        ),
        row(
            "templates/published/ai-gateway-advanced-load-balancing.json",
            json!({
                "openAIConfig": [{"name": "one", "location": "eastus2", "priority": 1}, {"name": "two", "location": "swedencentral", "priority": 2, "weight": 3}],
                "openAIDeploymentName": "gpt", "openAIModelName": "gpt-4o", "openAIModelVersion": "1", "apimResourceName": "apim",
                "openAILoadBalancingConfigValue": "[]"
            }),
            json!({"ApiManagement/service": 1, "ApiManagement/service/apis": 1, "ApiManagement/service/apis/policies": 1, "ApiManagement/service/backends": 3, "ApiManagement/service/namedValues": 1, "ApiManagement/service/subscriptions": 1, "Authorization/roleAssignments": 2, "CognitiveServices/accounts": 2, "CognitiveServices/accounts/deployments": 2}),
            &["/backends/openai-backend-pool", "/backends/one", "/subscriptions/openai-subscription"],
        ),
        row(
            "templates/published/apim-samples-load-balancing.json",
            json!({"resourceSuffix": "x", "apis": [{
                "name": "lb", "displayName": "LB", "path": "lb", "description": "d", "policyXml": "<policies />", "tags": ["t1", "t2"], "subscriptionRequired": true,
                "operations": [{"name": "GET", "displayName": "Get", "urlTemplate": "/", "method": "GET", "description": "g", "policyXml": "<policies />", "templateParameters": []}]
            }]}),
            json!({"ApiManagement/service/apis": 1, "ApiManagement/service/apis/diagnostics": 1, "ApiManagement/service/apis/operations": 1, "ApiManagement/service/apis/operations/policies": 1, "ApiManagement/service/apis/policies": 1, "ApiManagement/service/apis/tags": 2, "ApiManagement/service/backends": 7, "ApiManagement/service/subscriptions": 1, "ApiManagement/service/tags": 2, "App/containerApps": 1, "Resources/deployments": 9}),
            &[
                "/containerApps/ca-x-webapi429",
                "/backends/aca-backend-pool-web-api-429-prioritized-and-weighted",
                "/subscriptions/api-lb",
            ],
        ),
        row(
            "templates/published/openai-apim-lb.json",
            json!({"environmentName": "env", "location": "eastus2"}),
            json!({"resourceGroups": 1, "Resources/deployments": 9, "ManagedIdentity/userAssignedIdentities": 1, "Authorization/roleAssignments": 1, "OperationalInsights/workspaces": 1, "Insights/components": 1, "Portal/dashboards": 1, "CognitiveServices/accounts": 3, "CognitiveServices/accounts/deployments": 6, "ApiManagement/service": 1, "ApiManagement/service/apis": 1, "ApiManagement/service/apis/policies": 1, "ApiManagement/service/backends": 3, "ApiManagement/service/namedValues": 5, "ApiManagement/service/loggers": 1, "ApiManagement/service/users": 1, "ApiManagement/service/subscriptions": 1}),
            &[
                "/loggers/appinsights-logger",
                "/users/myUser",
                "/subscriptions/mySubscription",
                "/deployments/embedding",
            ],
        ),
        row(
            "templates/published/seed-a-quickstart.json",
            none.clone(),
            json!({"ApiManagement/service": 1, "ApiManagement/service/apis": 1, "ApiManagement/service/apis/policies": 1, "ApiManagement/service/backends": 3, "ApiManagement/service/subscriptions": 1, "Authorization/roleAssignments": 2, "CognitiveServices/accounts": 2, "CognitiveServices/accounts/deployments": 2}),
            &["/backends/openai-backend-pool", "/deployments/openaideploy2"],
        ),
        row(
            "templates/published/seed-c-round-robin.json",
            json!({"workloadName": "w", "location": "uksouth", "apiManagementPublisherEmail": "e", "apiManagementPublisherName": "n"}),
            json!({"resourceGroups": 1, "ApiManagement/service": 1, "ApiManagement/service/apis": 1, "ApiManagement/service/apis/policies": 1, "ApiManagement/service/backends": 2, "ApiManagement/service/namedValues": 1, "ApiManagement/service/subscriptions": 1, "Authorization/roleAssignments": 2, "CognitiveServices/accounts": 2, "CognitiveServices/accounts/deployments": 4, "ManagedIdentity/userAssignedIdentities": 1, "Resources/deployments": 10}),
            &["/resourceGroups/rg-w", "/backends/OPENAIWUS", "/namedValues/MANAGED-IDENTITY-CLIENT-ID"],
        ),
    ]
}

#[test]
fn every_template_evaluates() {
    let Some(files) = files() else { return };
    let rows = rows();
    let mut wrong = Vec::new();
    for file in &files {
        let Some(row) = rows.iter().find(|row| row.file == file) else {
            wrong.push(format!("{file} has no row"));
            continue;
        };
        let Some(template) = shared(file) else { return };
        let of_subscription = template["$schema"].as_str().is_some_and(|schema| schema.contains("subscription"));
        let scope = scope(SUBSCRIPTION, (!of_subscription).then_some("rg"));
        let given: Map<String, Value> = row
            .given
            .as_object()
            .expect("parameters")
            .iter()
            .map(|(name, value)| (name.clone(), json!({"value": value})))
            .collect();
        let mut world = world();
        if let Err(error) = world.deploy(&template, &given.into(), &scope) {
            wrong.push(format!("{file}: {}", error.to_value()));
            continue;
        }
        let mut kinds = BTreeMap::<String, u32>::new();
        for id in world.ids() {
            *kinds.entry(kind_of(id)).or_default() += 1;
        }
        let missing: Vec<&&str> =
            row.names.iter().filter(|end| !world.ids().iter().any(|id| id.ends_with(*end))).collect();
        if json!(kinds) != row.kinds || !missing.is_empty() {
            wrong.push(format!("{file}: {} without {missing:?} among {:#?}", json!(kinds), world.ids()));
        }
    }
    println!("{} of {} templates evaluate to what is expected", files.len() - wrong.len(), files.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(rows.iter().all(|row| files.iter().any(|file| file == row.file)), "a row without a file");
}

/// The type in an id, without the name that all namespaces begin with.
fn kind_of(id: &str) -> String {
    let Some((_, relative)) = id.rsplit_once("/providers/") else { return "resourceGroups".into() };
    let mut segments = relative.split('/');
    let namespace = segments.next().unwrap_or_default();
    let kinds: Vec<&str> = segments.step_by(2).collect();
    format!("{}/{}", namespace.trim_start_matches("Microsoft."), kinds.join("/"))
}

/// The files of the corpus, or `None` where that is absent.
fn files() -> Option<Vec<String>> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus"));
    let mut files = Vec::new();
    for folder in ["bicep", "templates/avm", "templates/published"] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
            assert!(std::env::var_os("CI").is_none(), "../shared/corpus/{folder} is not here");
            println!("skipped: ../shared/corpus/{folder} is not here");
            return None;
        };
        for entry in entries {
            let name = entry.expect("an entry").file_name().into_string().expect("a name");
            // what others need, but is no template
            let is_template = name.ends_with(".json") && !name.ends_with(".parameters.json") && name != "openapi.json";
            if is_template {
                files.push(format!("{folder}/{name}"));
            }
        }
    }
    files.sort();
    Some(files)
}
