//! Recorded deployments. Beyond what every recording is held to, the bodies have the same members, all the way down.

use super::*;
use crate::azure::faults::{Failure, Fault, Requests};

/// Types of other providers are taken as they come.
fn any_type(bench: &mut Bench) {
    bench.world = bench.world.clone().with_unknown_types(Unknown::Accepted);
}

/// A version of network security groups that is too old for this Azure, and one that is not.
const OLD: &str = "\"2015-06-15\"";
const NEW: &str = "\"2023-11-01\"";
const LATER: &str = "versions from before are not known";

#[test]
fn validated_created_again_listed_exported_and_cancelled() {
    let recording = Recording {
        name: "deployment-group-validate-create-cancel",
        group: ("cli_test_resource_group_deployment000001", "westus"),
        skipped: &[("/operations/88A2CF5860583BC5", "the id of an operation is ours")],
        edits: &[
            (0, OLD, NEW, LATER),
            (1, "2018-04-16", "2023-12-01", LATER),
            (2, OLD, NEW, LATER),
            (4, OLD, NEW, LATER),
            (5, OLD, NEW, LATER),
            (9, OLD, NEW, LATER),
            (10, OLD, NEW, LATER),
            (21, OLD, NEW, LATER),
            (22, OLD, NEW, LATER),
        ],
        aside: |bench, i| {
            if i == 0 {
                any_type(bench);
            }
        },
        ..*NOTHING
    };
    let answers = play(&recording);
    same_members(
        &recording,
        &answers,
        &[],
        &[(".value[].properties.serviceRequestId", "recorded, a list of operations has it in other versions only")],
    );
    for (i, theirs, ours) in &answers {
        if let (18, Some(theirs), Some(ours)) = (i, theirs.get("template"), ours.get("template")) {
            // names and types as recorded, word by word; only the order of members inside is not looked at
            let ours: Value = serde_json::from_str(&ours.to_string().replace(NEW, OLD)).expect("a template");
            assert_eq!(*theirs, ours);
        }
        if *i == 3 {
            assert_eq!(theirs, ours, "the line and the position of a fault");
        }
        let parameters = "/properties/parameters";
        assert_eq!(theirs.pointer(parameters), ours.pointer(parameters), "#{i}");
        for list in ["providers", "dependencies", "validatedResources", "outputResources"] {
            let list = format!("/properties/{list}");
            let differs = theirs.pointer(&list) != ours.pointer(&list);
            assert!(!differs, "#{i} {list}: {:?} {:?}", theirs.pointer(&list), ours.pointer(&list));
        }
    }
}

#[test]
fn without_waiting() {
    let recording = Recording {
        name: "deployment-no-wait",
        group: ("cli_test_group_deployment_no_wait000001", "westus"),
        edits: &[(0, OLD, NEW, LATER), (1, OLD, NEW, LATER)],
        aside: |bench, i| {
            if i == 0 {
                any_type(bench);
            }
        },
        ..*NOTHING
    };
    same_members(&recording, &play(&recording), &[], &[]);
}

#[test]
fn a_what_if_of_a_group() {
    let recording = Recording {
        name: "deployment-whatif-group",
        group: ("cli_test_deployment_what_if000001", "westus"),
        aside: |bench, i| {
            if i == 0 {
                any_type(bench);
            }
        },
        ..*NOTHING
    };
    let answers = play(&recording);
    same_members(&recording, &answers, &[], &[]);
    for (_, theirs, ours) in answers.iter().filter(|(i, ..)| *i == 6) {
        let change = |body: &Value| body["properties"]["changes"][0].clone();
        let (theirs, ours) = (change(theirs), change(ours));
        assert_eq!((&theirs["changeType"], &theirs["delta"]), (&ours["changeType"], &ours["delta"]));
        let outer = |side: &Value| -> Vec<String> {
            side.as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .filter(|name| name != "properties")
                .collect()
        };
        for side in ["before", "after"] {
            assert_eq!(outer(&theirs[side]), outer(&ours[side]), "{side}");
            assert_eq!(theirs[side]["sku"], ours[side]["sku"]);
        }
    }
}

#[test]
fn a_validation_that_timed_out_and_a_large_template() {
    let recording = Recording {
        name: "deployment-validate-503-then-ok",
        group: ("clitest.rg000001", "southcentralus"),
        known: &[
            (0, "the gateway was out of time"),
            (4, "ours ends sooner, for a plain storage account has no endpoints to refer to"),
        ],
        edits: &[(1, OLD, NEW, LATER), (2, OLD, NEW, LATER)],
        aside: |bench, i| {
            if i == 0 {
                any_type(bench);
            }
        },
        ..*NOTHING
    };
    same_members(
        &recording,
        &play(&recording),
        &[
            (".properties.dependencies[].dependsOn[].actionName", "calls of listKeys are no dependencies of ours"),
            (".properties.dependencies[].dependsOn[].apiVersion", "calls of listKeys are no dependencies of ours"),
        ],
        &[],
    );
}

/// A deployment whose nested one fails: an account wants a subdomain that another has. The recorder kept no bodies of
/// requests, and the template was linked.
const FAILS: &str = r#"{"properties": {"mode": "Incremental", "parameters": {"storageAccountName": {"value": "sdkdeploymenttest9748"}}, "template": {
    "$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
    "parameters": {"storageAccountName": {"type": "string"}},
    "resources": [{"type": "Microsoft.Resources/deployments", "apiVersion": "2016-09-01", "name": "nestedTemplate", "properties": {
        "mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}, "template": {
            "$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
            "resources": [{"type": "Microsoft.CognitiveServices/accounts", "apiVersion": "2024-10-01", "name": "aoai", "location": "eastus",
                "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {"customSubDomainName": "taken-1"}}]}}}]}}}"#;

/// The codes of an error, level by level, texts of JSON looked into.
fn codes(error: &Value) -> Vec<String> {
    let mut found = vec![error["code"].as_str().unwrap_or("").to_string()];
    let inner = &error["details"][0];
    match inner["message"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
        Some(text) => {
            found.push(inner["code"].as_str().unwrap_or("").to_string());
            found.extend(codes(&text["error"]));
        }
        None if inner.is_object() => found.extend(codes(inner)),
        None => {}
    }
    found
}

#[test]
fn a_nested_template_that_fails() {
    let recording = Recording {
        name: "deployment-failed-nested-template",
        group: ("xDeploymentTestGroup1470", "southcentralus"),
        retry_after: true,
        known: &[
            (0, "the group is there already"),
            (1, "the group is there already"),
            (6, "ours has failed by then"),
            (10, "ours has failed by then"),
            (21, "some polls of a group's deletion bring no address, which one differs"),
        ],
        edits: &[(2, "", FAILS, "no bodies recorded"), (3, "", FAILS, "no bodies recorded")],
        aside: |bench, i| {
            if i == 2 {
                let path = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/other";
                bench.send(Method::Put, path, "2024-03-01", json!({"location": "eastus"}));
                let path = format!("{path}/providers/Microsoft.CognitiveServices/accounts/other");
                assert_eq!(bench.send(Method::Put, &path, COGNITIVE, account("taken-1")).status, 201);
            }
        },
        absent: &[("templateLink", "the template was linked"), ("templateHash", "a linked template had none then")],
        ..*NOTHING
    };
    let answers = play(&recording);
    same_members(
        &recording,
        &answers,
        &[
            (".properties.templateLink", "the template was linked"),
            (".properties.validatedResources[]", "in 2016 the whole resources"),
        ],
        &[
            (".properties.templateHash", "a linked template had none then"),
            (".properties.validatedResources[]", "in 2016 only what is nested"),
            (".value[].", "operations come at other times"),
        ],
    );
    let last = |number: usize| answers.iter().find(|(i, ..)| *i == number).map(|(_, theirs, ours)| (theirs, ours));
    // the failure tree: the same codes on the same levels, each a text inside of the other
    if let Some((theirs, ours)) = last(14) {
        let (mut theirs, mut ours) = (codes(&theirs["properties"]["error"]), codes(&ours["properties"]["error"]));
        let mut last = || [theirs.pop(), ours.pop()].map(Option::unwrap_or_default);
        assert_eq!(last(), ["NoRegisteredProviderFound", "CustomDomainInUse"]);
        assert_eq!(last(), ["BadRequest", "Conflict"]);
        assert_eq!(theirs, ours);
    }
    // the operations of both, at the end
    for number in [18, 17] {
        let Some((theirs, ours)) = last(number) else { continue };
        let (mut recorded, mut answered) = (BTreeSet::new(), BTreeSet::new());
        members(&theirs["value"][0], "", &mut recorded);
        members(&ours["value"][0], "", &mut answered);
        assert_eq!(recorded, answered, "#{number}");
        // an account's conflict is one, a version that is not known was a bad request
        let words = ["provisioningOperation", "provisioningState", "statusCode"];
        for name in &words[..if number == 18 { 3 } else { 2 }] {
            assert_eq!(
                theirs["value"][0]["properties"][name], ours["value"][0]["properties"][name],
                "#{number} {name}"
            );
        }
    }
    if let Some((theirs, ours)) = last(18) {
        let mut pair = [theirs, ours].map(|body| body["value"][1]["properties"].clone());
        for body in &mut pair {
            for name in ["timestamp", "duration", "trackingId"] {
                body[name] = json!("");
            }
        }
        assert_eq!(pair[0], pair[1], "the outputs' own operation");
    }
}

#[test]
fn a_resource_that_fails_says_why_in_a_text_of_its_own() {
    let recording = Recording {
        name: "deployment-failed-operation-status",
        group: ("vmss_low_pri000001", "westus"),
        known: &[(1, "the same codes, below; the provider's own words are others")],
        edits: &[
            (0, "2015-06-15", "2019-11-01", "networks are known from 2019 on"),
            (0, "2018-11-01", "2019-11-01", "addresses too"),
        ],
        aside: |bench, i| {
            if i == 0 {
                any_type(bench);
                let fail = Failure {
                    code: "MultiPlacementGroupVMScaleSetCannotReferenceBasicLoadbalancer".into(),
                    message: "VM scale set cannot use a basic SKU load balancer.".into(),
                    target: None,
                    status: Some(400),
                };
                let requests = Requests { path: Some("*/virtualMachineScaleSets/*".into()), ..Requests::default() };
                bench.world.set_faults(bench.now, vec![Fault { requests, fail: Some(fail), ..Fault::default() }]);
            }
        },
        ..*NOTHING
    };
    let answers = play(&recording);
    same_members(&recording, &answers, &[], &[]);
    if let Some((_, theirs, ours)) = answers.last() {
        assert_eq!(codes(&theirs["error"]), codes(&ours["error"]));
        assert_eq!(codes(&ours["error"]).len(), 3);
    }
}

#[test]
fn a_subscription_and_a_poll_that_timed_out() {
    let recording = Recording {
        name: "deployment-subscription-503-while-polling",
        group: ("unused", "westus"),
        known: &[
            (2, "the gateway was out of time"),
            (15, "some polls of a group's deletion bring no address, which one differs"),
        ],
        aside: |bench, i| {
            if i == 0 {
                any_type(bench);
            }
        },
        ..*NOTHING
    };
    let answers = play(&recording);
    same_members(&recording, &answers, &[], &[]);
    for (i, theirs, ours) in &answers {
        for list in ["providers", "dependencies", "validatedResources", "outputResources"] {
            let list = format!("/properties/{list}");
            assert_eq!(theirs.pointer(&list), ours.pointer(&list), "#{i} {list}");
        }
        let operations = |body: &Value| -> Vec<(String, String)> {
            let all = body["value"].as_array().into_iter().flatten().map(|one| &one["properties"]);
            let all = all.filter(|one| one["targetResource"].is_object());
            all.map(|one| (one["timestamp"].to_string(), one["targetResource"]["resourceName"].to_string())).collect()
        };
        for body in [theirs, ours] {
            assert!(operations(body).is_sorted_by(|one, next| one.0 >= next.0), "#{i} what changed last comes first");
        }
        let names = |body: &Value| operations(body).into_iter().map(|(_, name)| name).collect::<BTreeSet<_>>();
        assert_eq!(names(theirs), names(ours), "#{i}");
    }
}

#[test]
fn a_whole_environment_comes_and_goes() {
    let recording = Recording {
        name: "deployment-azd-subscription-up-down",
        group: ("unused", "westus"),
        aside: |bench, i| {
            if i == 0 {
                any_type(bench);
            }
        },
        ..*NOTHING
    };
    let answers = play(&recording);
    same_members(
        &recording,
        &answers,
        &[(".value[]", "which page has the deployment differs")],
        &[(".value[]", "which page has the deployment differs")],
    );
    for (i, theirs, ours) in &answers {
        let outputs = "/properties/outputs";
        let names = |body: &Value| -> Vec<String> {
            let all = body.pointer(outputs).and_then(Value::as_object).into_iter().flatten();
            all.map(|(name, value)| format!("{name} {} {}", value["type"], value.get("value").is_some())).collect()
        };
        assert_eq!(names(theirs), names(ours), "#{i}");
    }
}
