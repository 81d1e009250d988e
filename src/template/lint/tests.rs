use super::*;
use crate::diagnostic::Severity;
use serde_json::{Value, json};

mod published;

const APIM: &str = "Microsoft.ApiManagement/service";
const ACCOUNT: &str = "Microsoft.CognitiveServices/accounts";

const POLICY: &str = "<policies><inbound><set-header name=\"api-key\" exists-action=\"delete\" /><authentication-managed-identity resource=\"r\" /><set-backend-service backend-id=\"pool\" /></inbound></policies>";

fn id(kind: &str, names: &str) -> String {
    format!("[resourceId('{kind}', {names})]")
}

fn account(name: &str) -> Value {
    json!({ "type": ACCOUNT, "apiVersion": "2024-10-01", "name": format!("[format('{name}-{{0}}', variables('suffix'))]"), "properties": {} })
}

fn deployment(account: &str, name: &str) -> Value {
    json!({
        "type": format!("{ACCOUNT}/deployments"), "apiVersion": "2024-10-01",
        "name": format!("[format('{{0}}/{{1}}', format('{account}-{{0}}', variables('suffix')), '{name}')]"),
        "sku": { "name": "Standard", "capacity": 1 },
        "properties": { "model": {} },
        "dependsOn": [id(ACCOUNT, &format!("format('{account}-{{0}}', variables('suffix'))"))],
    })
}

fn backend(name: &str, account: &str) -> Value {
    json!({
        "type": format!("{APIM}/backends"), "apiVersion": "2024-05-01",
        "name": format!("[format('{{0}}/{{1}}', parameters('apim'), '{name}')]"),
        "properties": {
            "url": format!("[format('{{0}}openai', reference(resourceId('{ACCOUNT}', format('{account}-{{0}}', variables('suffix'))), '2024-10-01').endpoint)]"),
            "protocol": "http",
        },
        "dependsOn": [id(ACCOUNT, &format!("format('{account}-{{0}}', variables('suffix'))"))],
    })
}

/// A template without a finding: two accounts, two backends, a pool, an API with its policy, a subscription, a role.
fn template() -> Value {
    let backends = format!("{APIM}/backends");
    json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": { "apim": { "type": "string" } },
        "variables": { "$fxv#0": POLICY, "suffix": "[uniqueString(resourceGroup().id)]" },
        "resources": [
            account("a"),
            account("b"),
            deployment("a", "gpt"),
            deployment("b", "gpt"),
            backend("one", "a"),
            backend("two", "b"),
            {
                "type": backends, "apiVersion": "2024-05-01", "name": "[format('{0}/{1}', parameters('apim'), 'pool')]",
                "properties": { "type": "Pool", "pool": { "services": [
                    { "id": "/backends/one", "priority": 1, "weight": 1 },
                    { "id": id(&backends, "parameters('apim'), 'two'"), "priority": 1, "weight": 1 },
                ] } },
                "dependsOn": [id(&backends, "parameters('apim'), 'one'"), id(&backends, "parameters('apim'), 'two'")],
            },
            {
                "type": format!("{APIM}/apis"), "apiVersion": "2024-05-01", "name": "[format('{0}/{1}', parameters('apim'), 'openai')]",
                "properties": { "path": "openai", "format": "openapi-link", "value": "https://raw.githubusercontent.com/x/y/0123456789abcdef0123456789abcdef01234567/spec.json" },
            },
            {
                "type": format!("{APIM}/apis/policies"), "apiVersion": "2024-05-01", "name": "[format('{0}/{1}/{2}', parameters('apim'), 'openai', 'policy')]",
                "properties": { "format": "rawxml", "value": "[variables('$fxv#0')]" },
                "dependsOn": [id(&format!("{APIM}/apis"), "parameters('apim'), 'openai'"), id(&backends, "parameters('apim'), 'pool'")],
            },
            {
                "type": format!("{APIM}/subscriptions"), "apiVersion": "2024-05-01", "name": "[format('{0}/{1}', parameters('apim'), 'team')]",
                "properties": { "scope": "[format('/apis/{0}', 'openai')]", "displayName": "team" },
            },
            {
                "type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01",
                "scope": id(ACCOUNT, "format('a-{0}', variables('suffix'))"),
                "name": "[guid(resourceGroup().id, reference(resourceId('Microsoft.ApiManagement/service', parameters('apim')), '2024-05-01', 'full').identity.principalId)]",
                "properties": { "principalId": "[reference(resourceId('Microsoft.ApiManagement/service', parameters('apim')), '2024-05-01', 'full').identity.principalId]" },
            },
        ],
    })
}

/// The places of the resources in the list above.
const ACCOUNT_A: usize = 0;
const MODEL_A: usize = 2;
const MODEL_B: usize = 3;
const ONE: usize = 4;
const POOL: usize = 6;
const API: usize = 7;
const API_POLICY: usize = 8;
const SUBSCRIPTION: usize = 9;
const ROLE: usize = 10;

fn found(template: &Value) -> Vec<(String, String)> {
    let text = format!("{template:#}");
    let place = |span: Span| text.get(span.start..span.end).unwrap_or("?").to_owned();
    lint(&text).iter().map(|problem| (problem.code.to_string(), place(problem.span.unwrap_or_default()))).collect()
}

/// The template with one place changed has exactly this finding, at a text that begins so.
#[track_caller]
fn one(change: impl Fn(&mut Value), code: &str, place: &str) {
    let mut changed = template();
    change(&mut changed);
    let found = found(&changed);
    assert!(found.len() == 1 && found[0].0 == code && found[0].1.starts_with(place), "{found:?}");
}

#[track_caller]
fn none(change: impl Fn(&mut Value)) {
    let mut changed = template();
    change(&mut changed);
    assert_eq!(found(&changed), []);
}

#[test]
fn a_template_that_is_right_has_no_finding() {
    none(|_| {});
}

#[test]
fn trap_01_deployment_names_differ_between_members() {
    let other = |name: &'static str| move |t: &mut Value| t["resources"][MODEL_B] = deployment("b", name);
    one(other("other"), "AL0840", "\"[format('{0}/{1}', parameters('apim'), 'pool')]\"");
    // one name in common is enough
    none(|t| {
        other("other")(t);
        let mut third = deployment("b", "gpt");
        third["dependsOn"] =
            json!([id(&format!("{ACCOUNT}/deployments"), "format('b-{0}', variables('suffix')), 'other'")]);
        t["resources"].as_array_mut().expect("resources").push(third);
    });
    // the deployment stands in the url
    none(|t| {
        other("other")(t);
        for (at, path) in [(ONE, "gpt"), (ONE + 1, "other")] {
            let url = t["resources"][at]["properties"]["url"]
                .as_str()
                .expect("a url")
                .replace("openai', ref", &format!("openai/deployments/{path}', ref"));
            t["resources"][at]["properties"]["url"] = url.into();
        }
    });
    // a name that cannot be followed may be the same
    none(|t| {
        t["resources"][MODEL_B] = {
            let mut model = deployment("b", "gpt");
            model["name"] = "[format('{0}/{1}', format('b-{0}', variables('suffix')), parameters('apim'))]".into();
            model
        }
    });
    // the host alone, written out
    one(
        |t| {
            for (at, name) in [(ONE, "a"), (ONE + 1, "b")] {
                t["resources"][at - ONE]["name"] = name.into();
                t["resources"][at]["properties"]["url"] = format!("https://{name}.openai.azure.com/openai/").into();
            }
            t["resources"][MODEL_A]["name"] = "a/gpt".into();
            t["resources"][MODEL_B]["name"] = "b/other".into();
        },
        "AL0840",
        "\"[format",
    );
}

#[test]
fn trap_04_properties_are_not_younger_than_the_api_version() {
    let version = |version: &'static str| move |t: &mut Value| t["resources"][POOL]["apiVersion"] = version.into();
    let mut old = template();
    version("2023-05-01-preview")(&mut old);
    assert_eq!(found(&old), [("AL0841".into(), "\"priority\"".into()), ("AL0841".into(), "\"weight\"".into())]);
    none(version("2023-09-01-preview"));
    one(|t| t["resources"][POOL]["properties"]["pool"]["sessionAffinity"] = json!({}), "AL0841", "\"sessionAffinity\"");
    none(|t| t["resources"][POOL]["properties"]["pool"]["sessionAffinity"] = Value::Null);
    let rules = json!({ "rules": [{ "acceptRetryAfter": true }] });
    let breaker = |version: &'static str| {
        let rules = rules.clone();
        move |t: &mut Value| {
            t["resources"][ONE]["apiVersion"] = version.into();
            t["resources"][ONE]["properties"]["circuitBreaker"] = rules.clone();
        }
    };
    one(breaker("2023-05-01-preview"), "AL0841", "\"acceptRetryAfter\"");
    none(breaker("2024-05-01"));
    // what a loop makes
    one(
        |t| {
            t["resources"][POOL]["apiVersion"] = "2023-05-01-preview".into();
            t["resources"][POOL]["properties"]["pool"] = json!({ "copy": [{ "name": "services", "count": 2, "input": { "id": "[format('/backends/{0}', copyIndex('services'))]", "weight": 1 } }] });
        },
        "AL0841",
        "\"weight\"",
    );
    one(
        |t| t["resources"][MODEL_A]["properties"]["spilloverDeploymentName"] = "x".into(),
        "AL0841",
        "\"spilloverDeploymentName\"",
    );
}

#[test]
fn trap_05_a_pool_has_no_url() {
    for name in ["url", "protocol"] {
        one(|t| t["resources"][POOL]["properties"][name] = "http".into(), "AL0842", &format!("\"{name}\""));
        none(|t| t["resources"][POOL]["properties"][name] = Value::Null);
        none(|t| t["resources"][POOL]["properties"][name] = "[null()]".into());
    }
}

#[test]
fn trap_08_a_scope_is_no_path_and_id() {
    let scope =
        |scope: &'static str| move |t: &mut Value| t["resources"][SUBSCRIPTION]["properties"]["scope"] = scope.into();
    for wrong in [
        "[format('/apis/{0}', resourceId('Microsoft.ApiManagement/service/apis', parameters('apim'), 'openai'))]",
        "[concat('/apis/', reference('api', '2024-05-01', 'full').id)]",
        "[format('/products/{0}', resourceId('Microsoft.ApiManagement/service/products', parameters('apim'), 'p'))]",
        "/apis//subscriptions/s/resourceGroups/g/providers/x",
    ] {
        one(scope(wrong), "AL0843", "\"");
    }
    for right in [
        "[resourceId('Microsoft.ApiManagement/service/apis', parameters('apim'), 'openai')]",
        "[format('/apis/{0}', parameters('apim'))]",
        "[format('{0}/apis/{1}', resourceId('Microsoft.ApiManagement/service', parameters('apim')), 'openai')]",
        "/apis",
    ] {
        none(scope(right));
    }
}

#[test]
fn trap_09_what_is_named_is_waited_for() {
    one(
        |t| drop(t["resources"][API_POLICY]["dependsOn"].as_array_mut().expect("a list").pop()),
        "AL0844",
        "\"[format('{0}/{1}/{2}'",
    );
    one(|t| drop(t["resources"][POOL]["dependsOn"].as_array_mut().expect("a list").pop()), "AL0844", "{");
    // in two steps
    none(|t| {
        t["resources"][SUBSCRIPTION]["dependsOn"] =
            json!([id(&format!("{APIM}/backends"), "parameters('apim'), 'pool'")]);
        t["resources"][API_POLICY]["dependsOn"] =
            json!([id(&format!("{APIM}/subscriptions"), "parameters('apim'), 'team'")]);
    });
    // a backend of another template, or one that an expression names
    none(|t| {
        t["variables"]["$fxv#0"] = POLICY.replace("\"pool\"", "\"elsewhere\"").into();
        t["resources"][API_POLICY]["dependsOn"] = json!([]);
    });
}

#[test]
fn trap_09_order_is_followed_through_nested_templates() {
    let nested = |waits: Value| {
        move |t: &mut Value| {
            let mut policy = t["resources"][API_POLICY].take();
            policy["dependsOn"] = json!([]);
            policy["properties"]["value"] = "[parameters('xml')]".into();
            t["resources"][API_POLICY] = json!({
                "type": "Microsoft.Resources/deployments", "apiVersion": "2025-04-01", "name": "policies",
                "properties": {
                    "expressionEvaluationOptions": { "scope": "inner" }, "mode": "Incremental",
                    "parameters": { "xml": { "value": "[variables('$fxv#0')]" }, "apim": { "value": "[parameters('apim')]" } },
                    "template": { "parameters": { "xml": { "type": "string" }, "apim": { "type": "string" } }, "resources": [policy] },
                },
                "dependsOn": waits.clone(),
            });
        }
    };
    none(nested(json!([id(&format!("{APIM}/backends"), "parameters('apim'), 'pool'")])));
    one(nested(json!([])), "AL0844", "\"[format('{0}/{1}/{2}'");
    // the symbolic form
    let symbolic = |waits: Value| {
        move |t: &mut Value| {
            let list = t["resources"].take();
            let names = ["a", "b", "ma", "mb", "one", "two", "pool", "api", "policy", "team", "role"];
            let mut resources: serde_json::Map<String, Value> =
                names.iter().map(|n| (*n).to_owned()).zip(list.as_array().expect("a list").iter().cloned()).collect();
            resources["pool"]["dependsOn"] = json!(["one", "two"]);
            resources["policy"]["dependsOn"] = waits.clone();
            t["languageVersion"] = "2.0".into();
            t["resources"] = resources.into();
        }
    };
    none(symbolic(json!(["pool"])));
    one(symbolic(json!(["api"])), "AL0844", "\"[format('{0}/{1}/{2}'");
}

#[test]
fn trap_10_an_endpoint_ends_with_a_slash() {
    let url = |from: &'static str, to: &'static str| {
        move |t: &mut Value| {
            let url = t["resources"][ONE]["properties"]["url"].as_str().expect("a url").replace(from, to);
            t["resources"][ONE]["properties"]["url"] = url.into();
        }
    };
    one(url("{0}openai", "{0}/openai"), "AL0845", "\"[format('{0}/openai'");
    one(
        |t| t["resources"][ONE]["properties"]["url"] = "https://x.openai.azure.com//openai".into(),
        "AL0845",
        "\"https",
    );
    none(|t| t["resources"][ONE]["properties"]["url"] = "https://x.openai.azure.com/openai".into());
    none(|t| t["resources"][ONE]["properties"]["url"] = "[format('{0}/openai', parameters('apim'))]".into());
}

#[test]
fn trap_11_deployments_of_one_account_are_made_in_a_row() {
    let second = |waits: bool| {
        move |t: &mut Value| {
            let mut second = deployment("a", "mini");
            if waits {
                second["dependsOn"] =
                    json!([id(&format!("{ACCOUNT}/deployments"), "format('a-{0}', variables('suffix')), 'gpt'")]);
            }
            t["resources"].as_array_mut().expect("a list").push(second);
        }
    };
    one(second(false), "AL0846", "\"[format('{0}/{1}', format('a-{0}'");
    none(second(true));
    // alternatives are not both made
    none(|t| {
        second(false)(t);
        let last = t["resources"].as_array().expect("a list").len() - 1;
        for at in [MODEL_A, last] {
            t["resources"][at]["condition"] = "[parameters('which')]".into();
        }
    });
    let looped = |copy: Value| {
        move |t: &mut Value| {
            t["resources"][MODEL_A]["copy"] = copy.clone();
            t["resources"][MODEL_A]["name"] =
                "[format('{0}/{1}', format('a-{0}', variables('suffix')), parameters('models')[copyIndex()].name)]"
                    .into();
        }
    };
    one(looped(json!({ "name": "m", "count": 2 })), "AL0846", "{");
    one(looped(json!({ "name": "m", "count": 2, "mode": "serial", "batchSize": 2 })), "AL0846", "{");
    none(looped(json!({ "name": "m", "count": 2, "mode": "Serial", "batchSize": 1 })));
    // one for each account
    none(|t| {
        t["resources"][MODEL_A]["copy"] = json!({ "name": "m", "count": 2 });
        t["resources"][MODEL_A]["name"] = "[format('{0}/{1}', format('a-{0}', copyIndex()), 'gpt')]".into();
    });
}

#[test]
fn trap_14_a_sku_stands_beside_the_properties() {
    one(|t| t["resources"][MODEL_A]["properties"]["sku"] = json!({ "name": "Standard" }), "AL0847", "\"sku\"");
    none(|t| t["resources"][ACCOUNT_A]["properties"]["sku"] = json!({ "name": "S0" }));
}

#[test]
fn trap_15_a_role_assignment_is_named_by_its_principal() {
    let name = |name: &'static str| move |t: &mut Value| t["resources"][ROLE]["name"] = name.into();
    one(name("[guid(subscription().id, resourceGroup().id, 'a')]"), "AL0848", "\"[guid(");
    none(name("[guid(resourceGroup().id, parameters('principalId'))]"));
    none(name("0af76519-16cd-43dd-8448-eb211c80319c"));
    // a principal that is given does not change with an identity
    none(|t| {
        name("[guid(resourceGroup().id, 'a')]")(t);
        t["resources"][ROLE]["properties"]["principalId"] = "[parameters('user')]".into();
    });
}

#[test]
fn trap_18_definitions_stand_still_and_are_what_their_format_says() {
    let api = |format: &'static str, value: Value| {
        move |t: &mut Value| {
            t["resources"][API]["properties"]["format"] = format.into();
            t["resources"][API]["properties"]["value"] = value.clone();
        }
    };
    one(api("openapi-link", "https://raw.githubusercontent.com/x/y/main/spec.json".into()), "AL0839", "\"https");
    one(
        api("openapi-link", "https://raw.githubusercontent.com/x/y/refs/heads/dev/spec.json".into()),
        "AL0839",
        "\"https",
    );
    one(api("openapi-link", "{ \"openapi\": \"3.0.0\" }".into()), "AL0838", "\"{");
    one(api("openapi+json", "https://example.com/spec.json".into()), "AL0838", "\"https");
    none(api("openapi+json", "{ \"openapi\": \"3.0.0\" }".into()));
    one(api("openapi+json", "{ \"servers\": [{ \"url\": \"https://{endpoint}/openai\" }] }".into()), "AL0849", "\"{");
    none(api("openapi+json", "{ \"servers\": [{ \"url\": \"https://x/openai\" }], \"a\": \"{endpoint}\" }".into()));
    none(api("openapi-link", "[parameters('apim')]".into()));
    // a default is what most will deploy
    one(
        |t| {
            t["parameters"]["spec"] =
                json!({ "type": "string", "defaultValue": "https://raw.githubusercontent.com/x/y/master/spec.json" });
            api("openapi-link", "[parameters('spec')]".into())(t);
        },
        "AL0839",
        "\"[parameters",
    );
    // a file that the compiler took in
    one(
        |t| {
            t["variables"]["$fxv#1"] = json!({ "servers": [{ "url": "https://{endpoint}/openai" }] });
            api("openapi+json", "[variables('$fxv#1')]".into())(t);
        },
        "AL0849",
        "\"[variables",
    );
}

#[test]
fn trap_19_the_format_is_that_of_the_text() {
    let raw = POLICY.replace("<inbound>", "<inbound><set-variable name=\"a\" value=\"@(\"x\" + (1 < 2))\" />");
    let policy = |format: Option<&'static str>, text: &str| {
        let text = text.to_owned();
        move |t: &mut Value| {
            t["variables"]["$fxv#0"] = text.clone().into();
            let properties = t["resources"][API_POLICY]["properties"].as_object_mut().expect("properties");
            properties.shift_remove("format");
            properties.extend(format.map(|format| ("format".to_owned(), format.into())));
        }
    };
    one(policy(Some("xml"), &raw), "AL0837", "\"format\"");
    one(policy(None, &raw), "AL0837", "{");
    none(policy(Some("rawxml"), &raw));
    none(policy(Some("xml"), POLICY));
    none(policy(None, POLICY));
}

#[test]
fn trap_21_policies_in_a_template_are_linted_in_their_place() {
    let condition = "<policies><backend><retry condition=\"@(context.Response?.StatusReason == \"x\")\" count=\"1\" interval=\"0\"><forward-request buffer-request-body=\"true\" buffer-response=\"false\" /></retry></backend></policies>";
    one(|t| t["variables"]["$fxv#0"] = condition.into(), "AL0826", "StatusReason");
    // written in the property itself
    one(|t| t["resources"][API_POLICY]["properties"]["value"] = condition.into(), "AL0826", "StatusReason");
    // with replacements: found, at the property
    one(
        |t| {
            t["variables"]["$fxv#0"] = condition.replace("\"1\"", "\"{count}\"").into();
            t["resources"][API_POLICY]["properties"]["value"] = "[replace(variables('$fxv#0'), '{count}', '1')]".into();
        },
        "AL0826",
        "\"[replace(",
    );
    // with replacements that only the deployment knows
    one(
        |t| {
            t["variables"]["$fxv#0"] = condition.replace("\"1\"", "\"{count}\"").into();
            t["resources"][API_POLICY]["properties"]["value"] =
                "[replace(variables('$fxv#0'), '{count}', parameters('apim'))]".into();
        },
        "AL0826",
        "\"[replace(",
    );
    let mut twice = template();
    twice["variables"]["$fxv#0"] = condition.into();
    let mut other = twice["resources"][API_POLICY].clone();
    other["name"] = "[format('{0}/policy', parameters('apim'))]".into();
    other["type"] = format!("{APIM}/policies").into();
    twice["resources"].as_array_mut().expect("a list").push(other);
    assert_eq!(found(&twice).len(), 1, "one text is told once");
}

#[test]
fn trap_28_a_cast_in_an_embedded_policy() {
    let cast = POLICY.replace("<inbound>", "<inbound><set-variable name=\"n\" value=\"@(1)\" /><set-variable name=\"m\" value=\"@((string)context.Variables[\"n\"])\" />");
    one(|t| t["variables"]["$fxv#0"] = cast.clone().into(), "AL0821", "(string)context.Variables[\\\"n\\\"]");
}

#[test]
fn trap_20_a_policy_knows_the_members_of_its_pool() {
    let retry = |count: u32| {
        let text = POLICY.replace("</inbound>", &format!("</inbound><backend><retry condition=\"@(false)\" count=\"{count}\" interval=\"0\"><forward-request buffer-request-body=\"true\" buffer-response=\"false\" /></retry></backend>"));
        move |t: &mut Value| t["variables"]["$fxv#0"] = text.clone().into()
    };
    one(retry(2), "AL0824", "2");
    none(retry(1));
}

#[test]
fn what_is_no_template_is_said() {
    for (text, word) in [
        ("{", "no JSON"),
        ("{ \"a\": 1 }", "no `resources`"),
        ("{ \"resources\": [ }", "no JSON"),
        ("{\"resources\": []} x", "no JSON"),
    ] {
        let found = lint(text);
        assert!(
            found.len() == 1 && found[0].code == code::UNREADABLE_TEMPLATE && found[0].message.contains(word),
            "{found:?}"
        );
        assert!(found[0].severity == Severity::Error);
    }
    assert_eq!(lint("{\"resources\": []}"), []);
    assert_eq!(lint("\u{feff}{\"resources\": {}}"), []);
}

#[test]
fn hostile_templates_come_to_an_end() {
    // variables that name each other twice, and themselves
    let mut variables = serde_json::Map::new();
    for n in 0..40 {
        variables
            .insert(format!("v{n}"), format!("[concat(variables('v{m}'), variables('v{m}'), 'x')]", m = n + 1).into());
    }
    variables.insert("v40".into(), "[variables('v0')]".into());
    let mut wild = template();
    wild["variables"] = variables.into();
    wild["resources"][ONE]["properties"]["url"] = "[variables('v0')]".into();
    lint(&wild.to_string());
    let mut deep = json!({ "resources": [] });
    for _ in 0..20 {
        deep = json!({ "resources": [{ "type": "Microsoft.Resources/deployments", "apiVersion": "2025-04-01", "name": "n", "properties": { "template": deep } }] });
    }
    assert_eq!(lint(&deep.to_string()), []);
}
