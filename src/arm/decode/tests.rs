use super::*;
use crate::time::Duration;
use serde_json::json;

const GROUP: &str = "/subscriptions/s/resourceGroups/rg";

fn desired() -> Topology {
    let deployment = Deployment {
        version_upgrade: VersionUpgrade::NoAutoUpgrade,
        ..Deployment::new("gpt-4.1", "2025-04-14", DeploymentSku::GlobalStandard, 10)
    };
    let deployments = BTreeMap::from([("gpt".to_owned(), deployment)]);
    let account = Account::new(Name::Literal("aoai-east".into()), Location::new("eastus2"), deployments);
    let publisher = Publisher { name: "Contoso".into(), email: "a@contoso.com".into() };
    let stack = Stack { name: "stack".into(), environment: String::new() };
    let scope =
        Scope { subscription: Some("s".into()), resource_group: "rg".into(), location: Location::new("eastus2") };
    let target = Target::Deployment { account: "east".into(), deployment: "gpt".into() };
    Topology {
        tags: BTreeMap::from([("owner".to_owned(), "platform".to_owned())]),
        gateway: Some(Gateway::new(Name::Literal("apim".into()), Location::new("eastus2"), publisher)),
        accounts: BTreeMap::from([("east".to_owned(), account)]),
        grants: BTreeMap::from([("east".to_owned(), Role::OpenAIUser)]),
        backends: BTreeMap::from([("one".to_owned(), Backend::new("one", target, Some(defaults::breaker())))]),
        pools: BTreeMap::from([(
            "pool".to_owned(),
            Pool::new("pool", vec![Member { backend: "one".into(), priority: 1, weight: 1 }]),
        )]),
        ..Topology::new(stack, scope)
    }
}

/// What Azure answers for that, in its own words.
fn answers(stack: &str) -> Answers {
    let service = format!("{GROUP}/providers/Microsoft.ApiManagement/service/APIM");
    let account = format!("{GROUP}/providers/Microsoft.CognitiveServices/accounts/aoai-east");
    Answers {
        group: Some(json!({"id": GROUP, "name": "rg", "location": "eastus2", "tags": {"AOAI-LB-STACK": stack}})),
        services: vec![json!({
            "id": service, "name": "APIM", "location": "East US 2", "sku": {"name": "Basicv2", "capacity": 1},
            "tags": {"aoai-lb-stack": stack, "Owner": "platform", "added": "by a policy"},
            "identity": {"type": "SystemAssigned", "principalId": "P-1"},
            "properties": {"publisherName": "Contoso", "publisherEmail": "a@contoso.com", "gatewayUrl": "https://apim.azure-api.net/",
                "provisioningState": "Succeeded", "customProperties": null},
        })],
        accounts: vec![json!({
            "id": account.to_uppercase(), "name": "aoai-east", "location": "EASTUS2", "kind": "OpenAI",
            "tags": {"aoai-lb-stack": stack, "owner": "platform"}, "sku": {"name": "s0"},
            "properties": {"customSubDomainName": "AOAI-east", "disableLocalAuth": true, "publicNetworkAccess": "Enabled",
                "endpoint": "https://aoai-east.openai.azure.com/", "provisioningState": "Succeeded"},
        })],
        deployments: BTreeMap::from([(
            account.clone(),
            vec![json!({
                "id": format!("{account}/deployments/GPT"), "name": "GPT", "sku": {"name": "globalstandard", "capacity": 10},
                "tags": {"aoai-lb-stack": stack, "OWNER": "platform"}, "etag": "\"d\"",
                "properties": {"model": {"format": "OpenAI", "name": "gpt-4.1", "version": "2025-04-14"},
                    "versionUpgradeOption": "NoAutoUpgrade", "capabilities": {"chatCompletion": "true"}},
            })],
        )]),
        roles: vec![json!({
            "id": "/r/1", "properties": {"principalId": "p-1", "scope": account.to_lowercase(), "description": format!("aoai-lb:{stack}"),
                "roleDefinitionId": format!("/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{}", Role::OpenAIUser.id())},
        })],
        backends: vec![
            json!({
                "id": format!("{service}/backends/pool"), "name": "pool",
                "properties": {"title": null, "type": "Pool", "description": format!("For people.\naoai-lb:{stack}"),
                    "pool": {"services": [{"id": format!("{}/backends/ONE", service.to_uppercase()), "weight": null, "priority": null}]}},
            }),
            json!({
                "id": format!("{service}/backends/one"), "name": "one",
                "properties": {"title": null, "protocol": "http", "description": format!("aoai-lb:{stack}"),
                    "url": "https://AOAI-EAST.openai.azure.com/openai/deployments/gpt/",
                    "credentials": {"header": {}, "query": {}},
                    "tls": {"validateCertificateChain": true, "validateCertificateName": true},
                    "circuitBreaker": {"rules": [{
                        "name": "default", "tripDuration": "00:01:00", "acceptRetryAfter": true,
                        "failureCondition": {"count": 1, "interval": "PT60S", "percentage": null, "errorReasons": [], "statusCodeRanges": [
                            {"min": 502, "max": 504}, {"min": 408, "max": 408}, {"min": 429, "max": 429},
                            {"min": 500, "max": 500}, {"min": 499, "max": 499}]}}]}},
            }),
        ],
        ..Answers::default()
    }
}

fn stack() -> String {
    crate::arm::stack_id(&desired())
}

#[test]
fn whatever_azure_added_is_no_difference() {
    let live = decode(&desired(), &answers(&stack())).expect("it is understood");
    assert_eq!(live.topology, desired());
    assert!(live.owners.values().all(|owner| *owner == Owner::Ours), "{:?}", live.owners);
    assert_eq!(live.gateway_url.as_deref(), Some("https://apim.azure-api.net"));
    let deployment = Address::Deployment { account: "east".into(), deployment: "gpt".into() };
    assert_eq!(live.etags.get(&deployment).map(String::as_str), Some("\"d\""));
    assert_eq!((live.busy.len(), live.running, live.resource_group), (0, None, Some(Owner::Ours)));
}

#[test]
fn owners_are_read_from_the_tag_and_the_last_line() {
    let stack = stack();
    let mine = |description: &str| marked(description, &stack);
    assert_eq!(mine(&format!("aoai-lb:{stack}")), Owner::Ours);
    assert_eq!(mine(&format!("text\r\naoai-lb:{stack} 1a2b3c4d\r\n")), Owner::Ours);
    assert_eq!(mine("aoai-lb:other/x"), Owner::Stack("other/x".into()));
    assert_eq!(mine(&format!("aoai-lb:{stack}\nsomebody wrote below")), Owner::Foreign);
    assert_eq!(mine(""), Owner::Foreign);
    assert_eq!(mine("aoai-lb:"), Owner::Foreign);
    let live = decode(&desired(), &answers("other/x")).expect("it is understood");
    assert!(live.owners.values().all(|owner| *owner == Owner::Stack("other/x".into())), "{:?}", live.owners);
}

#[test]
fn strangers_keep_their_names_and_never_take_a_key() {
    let mut answers = answers(&stack());
    let backend = |name: &str, url: &str| json!({"id": format!("/b/{name}"), "name": name, "properties": {"url": url}});
    answers.backends.push(backend("legacy", "https://legacy.example.com/openai"));
    let mut desired = desired();
    // the spec's key `legacy` is another backend than the live one of that name
    desired.backends.insert("legacy".into(), Backend { name: "x-legacy".into(), ..desired.backends["one"].clone() });
    let live = decode(&desired, &answers).expect("it is understood");
    assert!(!live.topology.backends.contains_key("legacy"));
    assert_eq!(live.topology.backends["/legacy"].target, Target::Url("https://legacy.example.com/openai".into()));
    assert_eq!(live.owners[&Address::Backend("/legacy".into())], Owner::Foreign);
}

#[test]
fn a_role_counts_from_above_and_is_not_ours_there() {
    let mut answers = answers(&stack());
    answers.roles[0]["properties"]["scope"] = json!("/subscriptions/s");
    let live = decode(&desired(), &answers).expect("it is understood");
    assert_eq!(live.topology.grants, desired().grants);
    assert_eq!(live.owners[&Address::Grant("east".into())], Owner::Foreign);
    answers.roles[0]["properties"]["principalId"] = json!("somebody");
    assert!(decode(&desired(), &answers).expect("it is understood").topology.grants.is_empty());
}

#[test]
fn what_a_topology_cannot_say_is_a_problem_or_listed() {
    let mut odd = answers(&stack());
    odd.services[0]["sku"]["name"] = json!("Isolated");
    odd.deployments.values_mut().for_each(|all| all[0]["sku"]["name"] = json!("DeveloperTier"));
    let problems = decode(&desired(), &odd).expect_err("the spec names both");
    let keys: Vec<_> = problems.iter().map(|problem| problem.key.clone().unwrap_or_default()).collect();
    assert_eq!(keys, ["gateway", "accounts.east.deployments.gpt"]);
    let mut beside = answers(&stack());
    beside.accounts.push(json!({"id": "/odd", "name": "face", "kind": "Face"}));
    assert_eq!(decode(&desired(), &beside).expect("nobody named it").undescribed, ["/odd"]);
}

#[test]
fn usage_is_read_by_region_and_what_is_odd_is_passed_over() {
    let mut answers = answers(&stack());
    let quota =
        |name: &str, used: Value, limit: Value| json!({"name": {"value": name}, "currentValue": used, "limit": limit});
    let told = vec![
        quota("OpenAI.GlobalStandard.gpt4.1", json!(9.5), json!(20.0)),
        quota("OpenAI.S0.AccountCount", json!(31), json!(30)),
        quota("OpenAI.Standard.gpt-4o", json!(-1), json!(20)),
        quota("OpenAI.Standard.o1", Value::Null, json!(20)),
        quota("", json!(1), json!(2)),
        json!({"name": "OpenAI.Standard.o3"}),
        Value::Null,
    ];
    answers.usages.insert(Location::new("East US 2"), told);
    let live = decode(&desired(), &answers).expect("it is understood");
    let key = |name: &str| (Location::new("eastus2"), crate::catalogue::quota_key(name));
    assert_eq!(live.usage.len(), 2, "{:?}", live.usage);
    let used = Usage { name: "OpenAI.GlobalStandard.gpt4.1".into(), used: 10, limit: 20 };
    assert_eq!(live.usage[&key("OpenAI.GlobalStandard.gpt-4.1")], used);
    assert_eq!(used.left(), 10);
    assert_eq!(live.usage[&key("OpenAI.S0.AccountCount")].left(), 0, "more is used than there is");
}

#[test]
fn a_write_in_flight_is_seen() {
    let mut answers = answers(&stack());
    answers.services[0]["properties"]["provisioningState"] = json!("Activating");
    answers.deployment =
        Some(json!({"name": "d", "tags": {"aoai-lb-hash": "h"}, "properties": {"provisioningState": "Running"}}));
    let live = decode(&desired(), &answers).expect("it is understood");
    assert_eq!(live.busy.get(&Address::Gateway).map(String::as_str), Some("Activating"));
    assert_eq!(live.running, Some(("d".into(), Some("h".into()))));
}

#[test]
fn durations_and_ranges_are_read_by_value() {
    assert_eq!(children::duration("00:01:30"), Some(Duration::from_secs(90)));
    assert_eq!(children::duration("PT90S"), Some(Duration::from_secs(90)));
    assert_eq!(children::duration("soon"), None);
    assert_eq!(children::duration("99999999999999999999:0:0"), None);
    let range = |min: u32, max: u32| json!({"min": min, "max": max});
    let merged = children::merged(&[range(500, 500), range(499, 499), range(400, 450), range(420, 430)]);
    assert_eq!(merged, [StatusRange { min: 400, max: 450 }, StatusRange { min: 499, max: 500 }]);
}

#[test]
fn soft_deleted_names_that_the_spec_wants_have_an_address() {
    let stack = stack();
    let services = [
        json!({"id": "/d/apim", "name": "apim", "location": "East US 2", "properties": {
            "serviceId": format!("{GROUP}/providers/Microsoft.ApiManagement/service/apim"), "scheduledPurgeDate": "2026-01-01T00:00:00Z"}}),
        json!({"id": "/d/other", "name": "other", "location": "West US", "properties": {}}),
    ];
    let accounts =
        [json!({"id": "/d/aoai", "name": "aoai-east", "location": "EASTUS2", "tags": {"aoai-lb-stack": stack}})];
    let found = soft_deleted(&desired(), &services, &accounts);
    // the name was chosen, it does not hold the stack's hash: whose it was nobody can say
    let seen: Vec<_> =
        found.iter().map(|held| (held.address.clone(), held.owner.clone(), held.location.as_str())).collect();
    assert_eq!(
        seen,
        [
            (Some(Address::Gateway), Owner::Foreign, "eastus2"),
            (None, Owner::Foreign, "westus"),
            (Some(Address::Account("east".into())), Owner::Ours, "eastus2"),
        ]
    );
    assert!(found[0].scheduled_purge.is_some() && found[2].scheduled_purge.is_none());
    assert_eq!((found[0].resource_group.as_str(), found[1].resource_group.as_str()), ("rg", ""));

    let mut hashed = desired();
    let name = format!("apim-{}", crate::arm::unique(&hashed));
    hashed.gateway.as_mut().expect("it").name = Name::Literal(name.clone());
    let held = |group: &str| {
        let was = format!("/subscriptions/s/resourceGroups/{group}/providers/Microsoft.ApiManagement/service/{name}");
        let service = json!({"id": "/d/x", "name": name, "location": "eastus2", "properties": {"serviceId": was}});
        soft_deleted(&hashed, &[service], &[]).remove(0).owner
    };
    assert_eq!((held("RG"), held("another")), (Owner::Ours, Owner::Foreign));
}

/// Replaces the value at one place of a document.
fn corrupt(value: &mut Value, path: &mut impl Iterator<Item = usize>, with: &Value) {
    let Some(step) = path.next() else { return value.clone_from(with) };
    match value {
        Value::Array(all) if !all.is_empty() => {
            let n = step % all.len();
            corrupt(&mut all[n], path, with);
        }
        Value::Object(all) if !all.is_empty() => {
            let n = step % all.len();
            if let Some((_, inner)) = all.iter_mut().nth(n) {
                corrupt(inner, path, with);
            }
        }
        other => other.clone_from(with),
    }
}

proptest::proptest! {
    #[test]
    fn no_odd_answer_panics(path in proptest::collection::vec(0usize..20, 1..8), which in 0usize..4, kind in 0usize..6) {
        let with = [json!(null), json!(-1), json!(1e300), json!("\u{0}é/"), json!([[]]), json!({"properties": []})][kind].clone();
        let mut answers = answers(&stack());
        let mut path = path.into_iter();
        let list = match which {
            0 => &mut answers.services,
            1 => &mut answers.accounts,
            2 => &mut answers.backends,
            _ => &mut answers.roles,
        };
        let n = path.next().unwrap_or_default() % list.len();
        corrupt(&mut list[n], &mut path, &with);
        let _ = decode(&desired(), &answers);
    }
}
