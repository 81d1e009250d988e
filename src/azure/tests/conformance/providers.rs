//! Accounts, groups, roles.

use super::*;

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

fn plain(name: &'static str, group: (&'static str, &'static str)) -> Recording {
    Recording { name, group, ..*NOTHING }
}

#[test]
fn an_account_of_several_services_a_model_and_a_project() {
    play(&Recording {
        retry_after: true,
        aside: |bench, i| {
            // somebody had made the account before
            if i == 0 {
                let path = format!(
                    "/subscriptions/{NOBODY}/resourceGroups/asotest-rg-hdctow/providers/Microsoft.CognitiveServices/accounts/asotestcogsvcacczytcvb"
                );
                let body =
                    json!({"kind": "AIServices", "location": "westus3", "sku": {"name": "S0"}, "properties": {}});
                assert_eq!(bench.send(Method::Put, &path, "2025-06-01", body).status, 201);
                bench.wait(60);
            }
            // the operation of #5 was not followed to its end
            if i == 9 {
                bench.wait(60);
            }
        },
        absent: &[("armFeatures", "what a subscription was given early")],
        ..plain("cogsvc-aiservices-account-deployment-2025-06-01", ("asotest-rg-hdctow", "westus3"))
    });
}

#[test]
fn rules_of_an_accounts_network() {
    play(&plain("cogsvc-patch-202-network-rules", ("clitest.rg000001", "southcentralus")));
}

#[test]
fn a_provider_is_registered_first() {
    play(&Recording {
        aside: |bench, i| match i {
            0 => bench.world = bench.world.clone().without_provider("Microsoft.CognitiveServices"),
            8 => bench.wait(60),
            _ => {}
        },
        ..plain("cogsvc-missing-registration-then-register", ("clitest.rg000001", "westus"))
    });
}

#[test]
fn a_group_that_is_going_takes_nothing() {
    play(&Recording {
        retry_after: true,
        skipped: &[("/asyncoperations/", "a type that is not known is written at once")],
        known: &[
            (0, "a type that is not known is written at once"),
            (3, "of a type that is not known nothing is added"),
            (4, "of a type that is not known nothing is added"),
        ],
        aside: |bench, i| {
            if i == 0 {
                bench.world = bench.world.clone().with_unknown_types(Unknown::Accepted);
            }
        },
        ..plain("rg-being-deleted-409", ("asotest-rg-wgengz", "westus2"))
    });
}

#[test]
fn a_group_under_a_lock_stays() {
    play(&Recording {
        skipped: &[("/deployments/", "another test's")],
        aside: |bench, i| {
            if i == 4 {
                let path = format!("/subscriptions/{NOBODY}/providers/Microsoft.Authorization/locks/l");
                let body = json!({"properties": {"level": "CanNotDelete"}});
                assert_eq!(bench.send(Method::Put, &path, "2016-09-01", body).status, 201);
            }
        },
        ..plain("rg-delete-409-scope-locked", ("cli_test_group_deployment_no_wait000001", "westus"))
    });
}

#[test]
fn a_role_is_assigned_once() {
    const THIS: &str = "\"principalId\"";
    const THAT: &str = "\"principalType\":\"User\",\"principalId\"";
    const WHY: &str = "no directory here knows the user";
    play(&Recording {
        edits: &[(1, THIS, THAT, WHY), (2, THIS, THAT, WHY)],
        ..plain("role-assignment-exists-409", ("cli_role_assign000001", "westus"))
    });
}

#[test]
fn assignments_come_in_pages() {
    const ROLE: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
    const OTHER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    const THIS: &str = "\"principalId\"";
    const THAT: &str = "\"principalType\":\"User\",\"principalId\"";
    play(&Recording {
        edits: &[
            (0, "86e8f5dc-a6e9-4c67-9d15-de283e8eac25", ROLE, "no such role here"),
            (1, "056cd41c-7e88-42e1-933e-88ba6a50c9c3", OTHER, "no such role here"),
            (0, THIS, THAT, "no directory here knows the user"),
            (1, THIS, THAT, "no directory here knows the user"),
        ],
        aside: |bench, i| {
            if i == 2 {
                for n in 0..30 {
                    let path = format!(
                        "/subscriptions/{NOBODY}/providers/Microsoft.Authorization/roleAssignments/88888888-0000-0000-0000-0000000000{n:02}"
                    );
                    let body = json!({"properties": {
                        "principalId": format!("99999999-0000-0000-0000-0000000000{n:02}"),
                        "principalType": "User",
                        "roleDefinitionId": "b24988ac-6180-42a0-ab88-20f7382dd24c",
                    }});
                    assert_eq!(bench.send(Method::Put, &path, "2022-04-01", body).status, 201);
                }
            }
        },
        ..plain("role-assignment-paging", ("rg", "westus"))
    });
}

#[test]
fn roles_and_a_directory_that_lags() {
    play(&Recording {
        retry_after: true,
        known: &[
            (0, "the group is there already"),
            (16, "some polls of a group's deletion bring no address, which one differs"),
        ],
        // the directory has caught up at #10
        aside: |bench, i| {
            if i == 10 {
                bench.wait(30);
            }
        },
        ..plain("role-assignment-principal-not-found-retry", ("asotest-rg-mnlufu", "westus2"))
    });
}

/// What an account answers at, by kind, with and without a name of its own; the rules of its network.
#[test]
fn addresses_of_accounts() {
    let seen = [
        ("cogsvc-openai-deployment-2023-05-01", 0),
        ("cogsvc-crud-keys-2023-05-01", 0),
        ("cogsvc-patch-202-network-rules", 0),
        ("cogsvc-patch-202-network-rules", 8),
        ("cogsvc-aiservices-account-deployment-2025-06-01", 3),
    ];
    for (name, at) in seen {
        let Some(exchanges) = exchanges(name) else { return };
        let theirs: Value =
            serde_json::from_str(exchanges[at]["response"]["body"].as_str().unwrap_or("")).expect("an account");
        let mut bench = Bench::with_group();
        let path = bench.account("");
        let mut body =
            json!({"location": theirs["location"], "kind": theirs["kind"], "sku": theirs["sku"], "properties": {}});
        for name in ["customSubDomainName", "networkAcls"] {
            body["properties"][name] = theirs["properties"][name].clone();
        }
        let ours = bench.send(Method::Put, &path, "2025-06-01", body).value().expect("an account");
        let (ours, theirs) = (&ours["properties"], &theirs["properties"]);
        assert_eq!((&ours["endpoint"], &ours["networkAcls"]), (&theirs["endpoint"], &theirs["networkAcls"]), "{name}");
        let all = theirs["endpoints"].as_object().expect("addresses");
        for (what, address) in ours["endpoints"].as_object().expect("addresses") {
            assert_eq!(Some(address), all.get(what), "{name}: {what}");
        }
        // an account of many kinds answers for more services than the models here need
        let several = name.contains("aiservices");
        assert!(several || all.len() == ours["endpoints"].as_object().map_or(0, serde_json::Map::len), "{name}");
    }
}

/// Lists have the members of recorded lists, item by item.
#[test]
fn lists_of_models_and_usages() {
    for name in ["cogsvc-models-list", "cogsvc-models-and-usages-list"] {
        let Some(exchanges) = exchanges(name) else { return };
        let (asked, said) = (&exchanges[0]["request"], &exchanges[0]["response"]);
        let mut bench = Bench::new();
        let answer = bench.request(&Request::arm(Method::Get, asked["url"].as_str().unwrap_or("")));
        assert_eq!(answer.status, 200);
        let theirs: Value = serde_json::from_str(said["body"].as_str().unwrap_or("")).expect("a list");
        let ours = answer.value().expect("a list");
        let members = |list: &Value| -> Vec<String> {
            let items = list["value"].as_array().cloned().unwrap_or_default();
            let always = |name: &String| items.iter().all(|item| item.get(name).is_some());
            let mut names: Vec<String> = items[0].as_object().expect("an item").keys().cloned().collect();
            names.retain(always);
            names
        };
        assert_eq!(members(&ours), members(&theirs), "{name}");
        if name == "cogsvc-models-list" {
            let model = |list: &Value| {
                let mut names: Vec<String> =
                    list["value"][0]["model"].as_object().expect("a model").keys().cloned().collect();
                // nobody publishes when a model was first listed, and fine-tuning is not offered here
                names.retain(|name| !["finetuneCapabilities", "systemData"].contains(&name.as_str()));
                names.sort();
                names
            };
            assert_eq!(model(&ours), model(&theirs));
        }
    }
}

/// Errors that were recorded one by one: the same code, the same words where the words are not about their case.
#[test]
fn errors_of_other_recordings() {
    let Some(conflicts) = exchanges("conflicts-409") else { return };
    let mut bench = Bench::with_group();
    let shape = |body: &Value| -> Vec<String> {
        body["error"].as_object().map(|error| error.keys().cloned().collect()).unwrap_or_default()
    };
    let recorded = |exchange: &Value| -> Value {
        serde_json::from_str(exchange["response"]["body"].as_str().unwrap_or("")).expect("JSON")
    };
    // another operation in progress
    let network = bench.group("/providers/Microsoft.Network/virtualNetworks/v");
    let subnets = json!({"subnets": [{"name": "a"}]});
    bench.send(Method::Put, &network, "2020-11-01", json!({"location": "eastus2", "properties": subnets}));
    let endpoint = bench.group("/providers/Microsoft.Network/privateEndpoints/e");
    let body = json!({"location": "eastus2", "properties": {"subnet": {"id": format!("{network}/subnets/a")}}});
    assert_eq!(bench.send(Method::Put, &endpoint, "2020-11-01", body.clone()).status, 201);
    let busy = bench.send(Method::Put, &endpoint, "2020-11-01", body);
    let theirs = recorded(&conflicts[0]);
    assert_eq!((busy.status, shape(&busy.value().expect("JSON"))), (409, shape(&theirs)));
    let start = |text: &str| text.split(" https").next().unwrap_or("").to_string();
    assert_eq!(start(&message(&busy)), start(theirs["error"]["message"].as_str().unwrap_or("")));
    // nested resources
    let zone = bench.group("/providers/Microsoft.Network/privateDnsZones/asotest-pdz-cjheok.com");
    let link = format!("{zone}/virtualNetworkLinks/asotest-pdz-cjheok.com-link");
    bench.send(Method::Put, &zone, "2018-09-01", json!({"location": "global"}));
    bench.send(Method::Put, &link, "2018-09-01", json!({"location": "global"}));
    let held = bench.send(Method::Delete, &zone, "2018-09-01", Value::Null);
    assert_eq!((held.status, held.value().expect("JSON")), (409, recorded(&conflicts[1])));
    // a location that is not available, a kind that is not offered, a group that is not there
    let Some(errors) = exchanges("cogsvc-create-errors") else { return };
    for (at, group, change) in [(0, "NotExistedRG", 0), (1, "rg", 1), (2, "rg", 2)] {
        let mut body: Value = serde_json::from_str(errors[at]["request"]["body"].as_str().unwrap_or("")).expect("JSON");
        body["location"] = if change == 1 { "BLA" } else { "westus" }.into();
        let path = format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/csa7360"
        );
        let refused = bench.send(Method::Put, &path, "2017-04-18", body);
        let theirs = recorded(&errors[at]);
        assert_eq!(u64::from(refused.status), errors[at]["response"]["status"].as_u64().unwrap_or(0));
        assert_eq!(code(&refused), theirs["error"]["code"].as_str().unwrap_or(""));
        let words = |text: &str| text.split(". List").next().unwrap_or("").to_string();
        assert_eq!(words(&message(&refused)), words(theirs["error"]["message"].as_str().unwrap_or("")));
        assert_eq!(
            refused.headers.get("x-ms-failure-cause"),
            errors[at]["response"]["headers"]["x-ms-failure-cause"].as_str()
        );
    }
}
