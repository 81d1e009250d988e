//! The engine held against the corpus of templates beside the project.

use super::*;
use std::path::Path;

/// A file of the shared corpus, or `None` where that is absent, which CI does not accept.
pub(super) fn shared(path: &str) -> Option<Value> {
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus")).join(path);
    match std::fs::read_to_string(&file) {
        Ok(text) => Some(serde_json::from_str(&text).expect("the corpus is JSON")),
        Err(_) => {
            assert!(std::env::var_os("CI").is_none(), "../shared/corpus/{path} is not here");
            println!("skipped: ../shared/corpus/{path} is not here");
            None
        }
    }
}

#[test]
fn quickstart() {
    let Some(template) = shared("bicep/01-quickstart.json") else { return };
    let parameters = shared("bicep/01-quickstart.parameters.json").expect("beside it");
    let mut world = World::default();
    let outputs = world.deploy(&template, &parameters["parameters"], &here()).expect("deploys");
    let u =
        crate::expr::unique_string(&[&format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/rg"), "contoso-ai", ""]);
    let account = format!("Microsoft.CognitiveServices/accounts/aoai-eastus2-{u}");
    let roles: Vec<&str> = world.ids().into_iter().filter(|id| id.contains("roleAssignments")).collect();
    assert_eq!(roles.len(), 2);
    let name = crate::expr::guid(&[&id(&account), "principal of apim-contoso", "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"]);
    assert_eq!(roles[0], id(&format!("{account}/providers/Microsoft.Authorization/roleAssignments/{name}")));
    assert_eq!(
        *world.body(roles[0]),
        json!({"properties": {
            "principalId": "principal of apim-contoso",
            "principalType": "ServicePrincipal",
            "description": format!("aoai-lb:contoso-ai/{u}"),
            "roleDefinitionId": format!(
                "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
            )
        }})
    );
    assert_eq!(
        world.ids()[..3],
        [id(&account), id(&format!("{account}/deployments/gpt-4o-ptu")), id(&format!("{account}/deployments/gpt-4o"))]
    );
    let service = world.body("/service/apim-contoso");
    assert_eq!(
        service.as_object().expect("a body").keys().collect::<Vec<_>>(),
        ["location", "tags", "sku", "identity", "properties"]
    );
    assert_eq!(service["sku"], json!({"name": "BasicV2", "capacity": 2}));
    assert_eq!(service["location"], "eastus2");
    assert_eq!(service["tags"], json!({"owner": "platform", "aoai-lb-stack": format!("contoso-ai/{u}")}));
    assert_eq!(
        world.body("/backends/ptu")["properties"]["url"],
        format!("https://aoai-eastus2-{u}.openai.azure.com/openai/deployments/gpt-4o-ptu")
    );
    let pool = &world.body("/backends/gpt-4o")["properties"]["pool"]["services"];
    assert_eq!(
        pool[1],
        json!({"id": id("Microsoft.ApiManagement/service/apim-contoso/backends/sweden"), "priority": 2, "weight": 50})
    );
    assert_eq!(outputs["gatewayUrl"], json!({"type": "String", "value": "https://apim-contoso.azure-api.net"}));
    assert_eq!(outputs["endpoints"]["value"]["eastus2"], format!("https://aoai-eastus2-{u}.openai.azure.com/"));
}

#[test]
fn other_scopes() {
    let Some(template) = shared("bicep/02-existing-cross-scope.json") else { return };
    let mut world = World::default();
    let other = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-other";
    world.put(
        &format!("{other}/providers/Microsoft.CognitiveServices/accounts/a"),
        json!({"properties": {"endpoint": "https://a/"}}),
    );
    let service =
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shared/providers/Microsoft.ApiManagement/service/g");
    world.put(&service, json!({"identity": {"principalId": "p"}}));
    let parameters = json!({"gatewayName": {"value": "g"}, "accountName": {"value": "a"}});
    world.deploy(&template, &parameters, &here()).expect("deploys");
    assert_eq!(world.body("/backends/shared")["properties"]["url"], "https://a/openai/deployments/gpt-4o");
    assert_eq!(world.ids()[1], format!("{service}/backends/shared"));
    let role = world.ids()[4].to_owned();
    assert!(role.starts_with(&format!(
        "{other}/providers/Microsoft.CognitiveServices/accounts/a/providers/Microsoft.Authorization/"
    )));
    assert_eq!(world.body(&role)["properties"]["principalId"], "p");
}

#[test]
fn observability() {
    let Some(template) = shared("bicep/03-observability.json") else { return };
    let mut world = World::default();
    let outputs = world.deploy(&template, &json!({"gatewayName": {"value": "g"}}), &here()).expect("deploys");
    assert_eq!(outputs["insightsId"]["value"], id("Microsoft.Insights/components/g-insights"));
    assert_eq!(world.body("/loggers/app-insights")["properties"]["credentials"]["connectionString"], "connection");
    assert_eq!(world.body("/namedValues/uami-client-id")["properties"]["value"], "client");
    let setting = id("Microsoft.ApiManagement/service/g/providers/Microsoft.Insights/diagnosticSettings/aoai-lb");
    assert_eq!(
        world.body(&setting)["properties"]["workspaceId"],
        id("Microsoft.OperationalInsights/workspaces/g-logs")
    );
    // the identity is written after the named value that needs it
    let position = |end: &str| world.ids().iter().position(|id| id.ends_with(end));
    assert!(position("/g-id") < position("/uami-client-id"));
    assert_eq!(*world.body("/products/gold/apis/catch-all"), json!({}));
}

#[test]
fn user_identity() {
    let Some(template) = shared("bicep/07-user-identity.json") else { return };
    let mut world = World::default();
    let account = id("Microsoft.CognitiveServices/accounts/aoai-existing");
    world.put(&account, json!({"properties": {"endpoint": "https://e/"}}));
    let parameters =
        json!({"gatewayName": {"value": "g"}, "publisherName": {"value": "n"}, "publisherEmail": {"value": "e"}});
    let outputs = world.deploy(&template, &parameters, &here()).expect("deploys");
    let identity = id("Microsoft.ManagedIdentity/userAssignedIdentities/g-identity");
    assert_eq!(
        world.body("/service/g")["identity"],
        json!({"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {identity: {}}})
    );
    assert_eq!(outputs["identityClientId"]["value"], "client");
    assert!(world.body("/apis/openai")["properties"]["value"].as_str().is_some_and(|text| text.starts_with("{\n")));
    let role = &world.body("/deployments/aoai-lb-contoso-ai-role")["properties"];
    assert_eq!(role["parameters"]["principalId"]["value"], "principal");
}

#[test]
fn other_groups() {
    let Some(template) = shared("bicep/08-other-groups.json") else { return };
    let mut world = World::default();
    world.put(&id("Microsoft.ApiManagement/service/g"), json!({"identity": {"principalId": "p"}}));
    world.deploy(&template, &json!({"gatewayName": {"value": "g"}}), &here()).expect("deploys");
    let sweden = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-sweden/providers/");
    assert_eq!(
        world.ids()[..2],
        [
            format!("{sweden}Microsoft.Resources/deployments/aoai-lb-contoso-ai-account-sweden"),
            format!("{sweden}Microsoft.CognitiveServices/accounts/contoso-sweden"),
        ]
    );
    let backend = &world.body("/backends/sweden")["properties"];
    assert_eq!(backend["url"], "https://contoso-sweden.openai.azure.com/openai/deployments/gpt-4o");
    assert_eq!(
        backend["resourceId"],
        format!("https://management.azure.com{sweden}Microsoft.CognitiveServices/accounts/contoso-sweden")
    );
    assert_eq!(world.body("/accounts/contoso-france")["tags"], json!({"owner": "platform"}));
}

#[test]
fn brackets() {
    let Some(template) = shared("bicep/09-brackets.json") else { return };
    let (_, outputs) = deploy(&template, json!({"a": {"value": "[v]"}})).expect("deploys");
    let texts: Vec<&str> = (1..=11).filter_map(|n| outputs[format!("s{n}")]["value"].as_str()).collect();
    assert_eq!(texts, ["[[x]", "[[", "[]", "[[[x]]", "x]", "[[v]", "[v]]", "[x[v]]", "[", "${a} $a $[v] {", "[v]"]);
    assert_eq!(outputs["s13"]["value"], "lit[v]1True");
    assert_eq!(outputs["o"]["value"], json!({"[v]": 1, "[x]": 2, "x-[v]": ["[y]"]}));
}

/// Strings and expressions of two symbolic templates.
#[test]
fn strings_and_expressions() {
    let (Some(strings), Some(expressions)) = (shared("bicep/04-strings.json"), shared("bicep/06-expressions.json"))
    else {
        return;
    };
    let (world, outputs) = deploy(&strings, json!({"gatewayName": {"value": "g"}})).expect("deploys");
    let tags = json!(["[brackets]", "[[double", "[open", "{0}", "'quoted'", "agb{0}c'd", "[g]", "", " "]);
    assert_eq!(world.body("/namedValues/strings")["properties"]["tags"], tags);
    assert_eq!(outputs["big"]["value"], 9_007_199_254_740_993_i64);
    assert_eq!(outputs["nothing"], json!({"type": "String"}));
    assert_eq!(outputs["mixed"]["value"][2]["[x]"], "[y]");

    let parameters = json!({"adminKey": {"value": "k"}, "gatewayName": {"value": "g"}, "opt": {"value": "A-B"}});
    let (world, outputs) = deploy(&expressions, parameters).expect("deploys");
    assert_eq!(
        world.ids(),
        [id("Microsoft.ApiManagement/service/g"), id("Microsoft.ApiManagement/service/g/backends/pool")]
    );
    assert_eq!(outputs["sum"]["value"], 7);
    assert_eq!(outputs["cmp"]["value"], true);
    assert_eq!(outputs["key"]["value"], "ab");
    assert_eq!(outputs["all"]["value"], json!({"a": 1, "b": "no"}));
    assert_eq!(outputs["url"]["value"], "https://g.azure-api.net");
}

/// Checks what a case expects; says what is wrong.
fn complaint(case: &Value) -> Result<(), String> {
    let context = &case["context"];
    let subscription = context["subscriptionId"].as_str().unwrap_or(SUBSCRIPTION);
    let group = context["resourceGroup"].as_str().unwrap_or("rg");
    let in_group = context["scope"].as_str().unwrap_or("resourceGroup") == "resourceGroup";
    let management_group = context["managementGroup"].as_str().map(str::to_owned);
    let subscription = if management_group.is_some() { "" } else { subscription };
    let scope = Scope { management_group, ..scope(subscription, in_group.then_some(group)) };
    let given = |given: &Value| -> Value {
        let given = given.as_object().into_iter().flatten();
        Value::Object(given.map(|(name, value)| (name.clone(), json!({"value": value}))).collect())
    };
    let parameters = given(&case["parameters"]);
    for (index, one) in case["cases"].as_array().into_iter().flatten().enumerate() {
        let outcome = prepare(&case["template"], &given(&one["parameters"]), &scope);
        if json!(outcome.is_ok()) != one["valid"] {
            return Err(format!("case {index}: {:?}", outcome.err()));
        }
    }
    if case["cases"].is_array() {
        return Ok(());
    }
    let mut world = World::default();
    let template = &case["template"];
    let root = scope.resource_group.as_ref().map_or(String::new(), |group| group.id.clone());
    let prepared = prepare(template, &parameters, &scope);
    for answer in case["runtime"].as_array().into_iter().flatten() {
        let id = answer["id"].as_str().map(|id| id.replace("{rg}", &root));
        let named = |name: &str| {
            let node = prepared.as_ref().ok()?.nodes().iter().find(|node| node.name == name)?;
            Some(node.id.clone())
        };
        if let Some(id) = id.or_else(|| named(answer["name"].as_str()?)) {
            world.answers.insert(id.to_lowercase(), answer.clone());
        }
    }
    let outcome = world.deploy(template, &parameters, &scope);
    if let Err(error) = &outcome {
        let expected = &case["error"];
        let all: String =
            std::iter::once(error).chain(&error.details).map(|error| error.message.clone() + "\n").collect();
        let code = expected["code"].as_str().is_none_or(|code| code == error.code);
        let text = expected["messageContains"].as_str().is_none_or(|text| all.contains(text));
        return if !expected.is_null() && code && text { Ok(()) } else { Err(all) };
    }
    if !case["error"].is_null() {
        return Err("no error".into());
    }
    let prepared = prepared.map_err(|error| error.message)?;
    let nodes = prepared.nodes();
    let expect = &case["expect"];
    let outputs = outcome.unwrap_or_default();
    for (name, value) in expect["outputs"].as_object().into_iter().flatten() {
        if outputs[name].get("value").unwrap_or(&Value::Null) != value {
            return Err(format!("output {name} is {}", outputs[name]));
        }
    }
    let deployed: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    let listed =
        |key: &str| -> Vec<&str> { expect[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect() };
    let mut sorted = (deployed.clone(), listed("resourceNames"));
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    if expect.get("resourceNames").is_some() && sorted.0 != sorted.1 {
        return Err(format!("deployed {deployed:?}"));
    }
    if listed("deployed").iter().any(|name| !deployed.contains(name))
        || listed("notDeployed").iter().any(|name| deployed.contains(name))
    {
        return Err(format!("deployed {deployed:?}"));
    }
    let ids: Vec<&str> =
        world.ids().into_iter().filter(|id| !id.contains("/Microsoft.Resources/deployments/")).collect();
    if expect.get("deployedIds").is_some() && ids != listed("deployedIds") {
        return Err(format!("deployed {ids:?}"));
    }
    for (name, dependents) in expect["dependents"].as_object().into_iter().flatten() {
        let got: Vec<&str> = nodes
            .iter()
            .filter(|node| node.depends_on.iter().any(|&on| nodes[on].name == *name))
            .map(|node| node.name.as_str())
            .collect();
        if json!(got) != *dependents {
            return Err(format!("{got:?} depend on {name}"));
        }
    }
    for (name, on) in expect["dependsOn"].as_object().into_iter().flatten() {
        let called = |node: &Node| node.symbol.clone().unwrap_or_else(|| node.name.clone());
        let node = nodes.iter().find(|node| called(node) == *name).ok_or("a symbol is missing")?;
        let got: Vec<String> = node.depends_on.iter().map(|&on| called(&nodes[on])).collect();
        if json!(got) != *on {
            return Err(format!("{name} depends on {got:?}"));
        }
    }
    let batches = expect["order"].as_array().cloned().unwrap_or_default();
    for pair in batches.windows(2) {
        for later in pair[1].as_array().into_iter().flatten() {
            let node = nodes.iter().find(|node| *later == *node.name).ok_or("a name is missing")?;
            let on: Vec<&str> = node.depends_on.iter().map(|&on| nodes[on].name.as_str()).collect();
            if pair[0].as_array().into_iter().flatten().any(|before| !on.iter().any(|on| *before == **on)) {
                return Err(format!("{} depends on {on:?}", node.name));
            }
        }
    }
    for (index, expected) in expect["resources"].as_array().into_iter().flatten().enumerate() {
        let mut got = world.log[index].1.clone();
        got["name"] = nodes[index].name.as_str().into();
        if !part_of(expected, &got) {
            return Err(format!("resource {index} is {got}"));
        }
    }
    Ok(())
}

fn part_of(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            expected.iter().all(|(key, value)| got.get(key).is_some_and(|got| part_of(value, got)))
        }
        (expected, got) => expected == got,
    }
}

#[test]
fn template_cases() {
    let Some(cases) = shared("functions/templates.json") else { return };
    let cases = cases.as_array().expect("cases");
    let wrong: Vec<String> =
        cases.iter().filter_map(|case| Some(format!("{}: {}", case["id"], complaint(case).err()?))).collect();
    println!("{} of {} template cases pass", cases.len() - wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
