//! What only some specs use: what it becomes, and the rules of it.

use super::super::*;
use super::{BASE, FULL, check, full_files, said};
use crate::topology::*;

fn full() -> Topology {
    load(FULL, &Options { files: &full_files, ..Options::default() }).expect("a spec").topology
}

#[test]
fn a_pool_is_a_resource_only_where_api_management_picks() {
    let topology = full();
    let by: Vec<(&str, bool)> =
        topology.pools.iter().map(|(key, pool)| (key.as_str(), pool.balancing == Balancing::Native)).collect();
    // d1 is routed to natively by `six`; its twin by `four`, and by `five`, which picks itself
    assert_eq!(by, [("d1", true), ("d1-v1", true), ("p", true), ("q", true), ("s", false)]);
    let has = |address: Address| topology.has(&address);
    assert!(has(Address::Pool("d1-v1".into())) && !has(Address::Pool("s".into())));
    // who keeps count itself has no breaker to trip behind its back
    assert_eq!(topology.backends["v"].breaker, None);
    assert!(topology.backends["z"].breaker.is_some() && topology.backends["x-v1"].breaker.is_some());
}

#[test]
fn twins_call_the_same_deployment_by_the_bodys_name() {
    let topology = full();
    let target = |key: &str| topology.backends[key].target.clone();
    assert_eq!(target("w-v1"), Target::V1 { account: "c".into(), deployment: "d1".into() });
    assert_eq!(target("a-stateful"), Target::Account { account: "a".into() });
    let members: Vec<_> = topology.pools["d1-v1"].members.iter().map(|m| (m.backend.as_str(), m.priority)).collect();
    assert_eq!(members, [("x-v1", 1), ("w-v1", 2)]);
    let intent = |api: &str| topology.apis[api].policy.intent().expect("ours").clone();
    assert_eq!(intent("four").routes, Routes::ByName([].into()));
    assert_eq!(intent("four").v1, Some(Routes::ByName([("d1".into(), "d1-v1".into())].into())));
    assert_eq!(
        (intent("five").routes, intent("five").v1),
        (Routes::All("d1".into()), Some(Routes::All("d1-v1".into())))
    );
    assert_eq!(intent("three").stateful.as_deref(), Some("a-stateful"));
}

#[test]
fn a_policy_that_picks_holds_its_members_with_their_keys() {
    let topology = full();
    let intent = topology.apis["three"].policy.intent().expect("ours");
    let members: Vec<_> = intent.pools["s"]
        .iter()
        .map(|m| (m.backend.as_str(), m.priority, m.weight, m.credential.as_ref().map(|key| key.named_value.as_str())))
        .collect();
    assert_eq!(members, [("u", 1, 1, Some("u-key")), ("v", 1, 3, None)]);
    assert_eq!(intent.client_id.as_deref(), Some("identity-client-id"));
    assert!(topology.apis["one"].policy.intent().expect("ours").pools.is_empty());
    let held: Vec<_> = topology.named_values.values().map(|value| (value.name.as_str(), &value.holds)).collect();
    let vault = Holds::Vault("https://kv.vault.azure.net/secrets/llm".into());
    assert_eq!(held, [("identity-client-id", &Holds::ClientId), ("u-key", &vault)]);
}

#[test]
fn places_and_roles_follow_the_accounts() {
    let topology = full();
    let place = |key: &str| {
        let place = &topology.accounts[key].place;
        (place.subscription.as_deref(), place.resource_group.as_deref())
    };
    assert_eq!(place("a"), (None, None));
    assert_eq!(place("b"), (Some("00000000-0000-0000-0000-000000000002"), Some("rg-b")));
    assert_eq!(place("c"), (None, Some("rg-old")));
    assert_eq!(topology.accounts["c"].standing, Standing::Existing);
    assert!(!topology.has(&Address::Account("c".into())) && topology.has(&Address::Grant("c".into())));
    let roles: Vec<_> = topology.grants.iter().map(|(key, role)| (key.as_str(), role.title())).collect();
    let (openai, any) = ("Cognitive Services OpenAI User", "Cognitive Services User");
    assert_eq!(roles, [("a", any), ("b", openai), ("c", any), ("closed", openai)]);
    assert!(!topology.accounts["closed"].network.public);
}

#[test]
fn an_existing_gateway_is_shared_so_names_say_whose_they_are() {
    let text = BASE.replace(
        "  sku: BasicV2\n  publisher: { email: ai@contoso.com }\n",
        "  existing: { resourceId: /subscriptions/AAAAAAAA-0000-0000-0000-000000000001/resourceGroups/rg-shared/providers/Microsoft.ApiManagement/service/apim-shared }\n",
    );
    let loaded = load(&text, &Options::default()).expect("a spec");
    let topology = &loaded.topology;
    let gateway = topology.gateway.as_ref().expect("a gateway");
    assert_eq!((gateway.name.to_string().as_str(), gateway.standing), ("apim-shared", Standing::Existing));
    assert_eq!(gateway.place.resource_group.as_deref(), Some("rg-shared"));
    assert_eq!(gateway.place.subscription.as_deref(), Some("aaaaaaaa-0000-0000-0000-000000000001"));
    assert_eq!(topology.backends["first"].name, "contoso-ai-first");
    assert_eq!(topology.pools["main"].name, "contoso-ai-main");
    assert_eq!(topology.subscriptions["probe"].name, "contoso-ai-probe");
    let intent = topology.apis["openai"].policy.intent().expect("ours");
    assert_eq!(intent.routes, Routes::ByName([("gpt".into(), "contoso-ai-main".into())].into()));
    assert_eq!(intent.probe, "contoso-ai-probe");
    assert!(!topology.has(&Address::Gateway));
    assert_eq!(loaded.warnings, []);
    let long = expand(&text, &Options::default()).expect("a spec");
    assert_eq!(load(&long, &Options::default()).expect(&long).topology, *topology);
}

#[test]
fn a_document_is_sent_without_its_servers() {
    let Definition::Imported(Import { hash, document: Some(Document::Text { text, .. }) }) =
        &full().apis["four"].definition
    else {
        panic!("a document")
    };
    assert!(!text.contains("servers") && text.contains("3.0.1") && hash.len() == 8);
    let link = Document::link("2024-10-21", "abc");
    assert!(link.ends_with(
        "/abc/specification/cognitiveservices/data-plane/AzureOpenAI/inference/stable/2024-10-21/inference.json"
    ));
    assert!(Document::link("2025-01-01-preview", "abc").contains("/preview/2025-01-01-preview/"));
}

#[test]
fn one_thing_is_said_once() {
    check(
        "{ account: north, deployment: gpt }",
        "{ account: north, deployment: gpt, url: https://x.test }",
        &[
            "AL0230 `https://x.test` a backend has a url and a deployment",
            "AL0232 `third` `third` is an address of somebody else's, and `main` is API Management's pool",
        ],
    );
    check(
        "{ account: north, deployment: gpt }",
        "{ account: north, deployment: gpt, quota: { tokensPerMinute: 5 } }",
        &["AL0230 `quota` `quota` belongs to a backend with a url"],
    );
    check(
        "{ account: north, deployment: gpt }",
        "{ account: north }",
        &["AL0112 `third` a backend has no `deployment`"],
    );
    check(
        "  sku: BasicV2",
        "  existing: { name: x }\n  name: y",
        &[
            "AL0230 `y` the gateway has a name and is an existing one",
            "AL0230 `publisher` the service is an existing one, and never written",
        ],
    );
    check("  publisher: { email: ai@contoso.com }\n", "", &["AL0112 `gateway` `gateway` has no `publisher`"]);
    check(
        "  sku: BasicV2\n  publisher: { email: ai@contoso.com }",
        "  existing: { resourceId: /subscriptions/x/resourceGroups/y/providers/Microsoft.CognitiveServices/accounts/z }",
        &[
            "AL0116 `/subscriptions/x/resourceGroups/y/providers/Microsoft.CognitiveServices/accounts/z` this is no id of the type `Microsoft.ApiManagement/service`",
        ],
    );
    check(
        "team: { api: openai }",
        "team: { api: openai, product: gold }",
        &["AL0230 `gold` `team` has an API and a product", "AL0201 `gold` there is no product `gold`"],
    );
    check(
        "    routes: { gpt: main }",
        "    routes: { gpt: main }\n    definition: { azureOpenAI: \"2024-10-21\" }",
        &["AL0112 `definition` `definition` has no `commit`"],
    );
    check(
        "    routes: { gpt: main }",
        "    routes: { gpt: main }\n    definition: { file: a.json }",
        &["AL0235 `a.json` `a.json` cannot be read: there are no files here"],
    );
}

#[test]
fn trap_01_members_of_v1_have_one_deployment_name() {
    check(
        "    routes: { gpt: main }",
        "    routes: { gpt: main }\n    surfaces: [v1]",
        &[
            "AL0231 `members` `openai` serves v1, and members of `main` have different names: `ptu` of east, `gpt` of east",
        ],
    );
    let same = |route: &str| {
        BASE.replace("      - { backend: first }\n", "")
            .replace("  first: { account: east, deployment: ptu }\n", "")
            .replace("routes: { gpt: main }", &format!("routes: {{ {route}: main }}\n    surfaces: [deployments, v1]"))
    };
    assert_eq!(said(&same("gpt"), &Options::default()), [""; 0]);
    assert_eq!(
        said(&same("chat"), &Options::default()),
        ["AL0231 `main` callers of v1 say `chat`, and the deployments of `main` are called `gpt`"]
    );
    // on the other surface the names stand in the addresses
    check("retry: { count: 2 }", "retry: { count: 1 }", &[]);
}

#[test]
fn trap_02_mixed_models_can_be_meant() {
    let mixed = BASE.replace(
        "model: gpt-4.1, version: \"2025-04-14\", capacity: 100 }\n  north",
        "model: gpt-4.1-mini, version: \"2025-04-14\", capacity: 100 }\n  north",
    );
    assert_eq!(
        said(&mixed, &Options::default())[0],
        "AL0216 `second` `main` mixes gpt-4.1 2025-04-14 and gpt-4.1-mini 2025-04-14"
    );
    let meant = mixed.replace("  main:\n", "  main:\n    allowMixedModels: true\n");
    assert_eq!(said(&meant, &Options::default()), [""; 0]);
}

#[test]
fn foreign_addresses_need_a_policy_that_picks() {
    let foreign = BASE.replace("third: { account: north, deployment: gpt }", "third: { url: https://x.test/openai, credential: { keyVault: https://kv.vault.azure.net/secrets/k, header: api-key } }");
    assert_eq!(
        said(&foreign, &Options::default()),
        ["AL0232 `third` `third` is an address of somebody else's, and `main` is API Management's pool"]
    );
    let smart = foreign.replace("retry: { count: 2 }", "strategy: smart").replace(", breaker: fast", "");
    let rules = smart.find("breakers:").zip(smart.find("backends:")).expect("both");
    let smart = format!("{}{}", &smart[..rules.0], &smart[rules.1..]);
    assert_eq!(said(&smart, &Options::default()), [""; 0]);
    let v1 = smart.replace("strategy: smart", "strategy: smart\n    surfaces: [deployments, v1]");
    assert!(
        said(&v1, &Options::default()).iter().any(|said| said.starts_with("AL0232 `third` ")),
        "{:?}",
        said(&v1, &Options::default())
    );
}

#[test]
fn spillover_stays_in_its_account_and_reach() {
    let with = |sku: &str, spillover: &str| {
        let text = BASE.replace(
            "sku: ProvisionedManaged, capacity: 50",
            &format!("sku: {sku}, capacity: 50, spillover: {spillover}"),
        );
        said(&text, &Options::default())
    };
    assert_eq!(with("GlobalProvisionedManaged", "gpt"), [""; 0]);
    assert_eq!(
        with("ProvisionedManaged", "gpt"),
        ["AL0233 `gpt` `ptu` is provisioned in one region, which does not spill over"]
    );
    assert_eq!(
        with("DataZoneProvisionedManaged", "gpt"),
        ["AL0233 `gpt` DataZoneProvisionedManaged does not spill over to GlobalStandard"]
    );
    assert_eq!(with("GlobalProvisionedManaged", "gone")[0], "AL0201 `gone` there is no deployment `gone`");
    assert_eq!(
        with("GlobalStandard", "gpt")[0],
        "AL0233 `gpt` `ptu` is not provisioned, and only provisioned deployments spill over"
    );
}

#[test]
fn trap_16_the_role_calls_models_and_no_more() {
    let with =
        |role: &str| said(&BASE.replace("  north:\n", &format!("  north:\n    role: {role}\n")), &Options::default());
    assert_eq!(with("Cognitive Services OpenAI User"), [""; 0]);
    assert_eq!(with("5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"), [""; 0]);
    assert_eq!(
        with("Cognitive Services Data Reader"),
        [
            "AL0234 `Cognitive Services Data Reader` with the role `Cognitive Services Data Reader` the gateway cannot call models"
        ]
    );
    assert_eq!(
        with("Cognitive Services OpenAI Contributor"),
        [
            "AL0346 `Cognitive Services OpenAI Contributor` with Cognitive Services OpenAI Contributor the gateway may also fine-tune, deploy and delete"
        ]
    );
    let format = BASE.replace("  north:\n    location: swedencentral\n    deployments:\n      gpt: { model: gpt-4.1, ", "  north:\n    role: Cognitive Services OpenAI User\n    location: swedencentral\n    deployments:\n      gpt: { model: gpt-4.1, format: Other, ");
    assert!(
        said(&format, &Options::default())
            .iter()
            .any(|s| s.starts_with("AL0234 ") && s.contains("has the format `Other`"))
    );
}

#[test]
fn trap_06_and_33_what_a_tier_does_not_have() {
    let consumption = BASE
        .replace("sku: BasicV2", "sku: Consumption")
        .replace("breakers:\n  fast: { count: 1, interval: PT10S, statusCodes: [429, 5xx], tripDuration: 1s }\n", "")
        .replace(", breaker: fast", "");
    let said_of = |text: &str| said(text, &Options::default());
    assert_eq!(
        said_of(&consumption)[0],
        "AL0236 `2` a lower priority of `main` is never used: Consumption has no circuit breakers"
    );
    let flat = consumption.replace(", priority: 2", "");
    let errors =
        |text: &str| -> Vec<String> { said_of(text).into_iter().filter(|said| said.starts_with("AL02")).collect() };
    assert_eq!(errors(&flat), [""; 0]);
    assert_eq!(
        errors(&flat.replace("retry: { count: 2 }", "tokenLimit: { tokensPerMinute: 5 }")),
        ["AL0236 `tokenLimit` Consumption has no token limits"]
    );
    assert!(
        errors(&flat.replace("retry: { count: 2 }", "strategy: smart"))[0]
            .starts_with("AL0236 `smart` the strategy smart")
    );
    let private = |sku: &str, network: &str| {
        let subnet = "/subscriptions/s/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/p";
        let text = BASE.replace("sku: BasicV2", &format!("sku: {sku}{}", network.replace("SUBNET", subnet))).replace(
            "    location: swedencentral\n",
            &format!("    location: swedencentral\n    network: {{ subnet: {subnet} }}\n"),
        );
        said_of(&text)
    };
    for sku in ["Basic", "BasicV2", "Standard"] {
        assert_eq!(
            private(sku, ""),
            [format!(
                "AL0236 `network` `north` is private, and a gateway of the tier {sku} cannot be part of a network"
            )]
        );
    }
    assert_eq!(
        private("StandardV2", ""),
        ["AL0236 `network` `north` is private, and the gateway is part of no network"]
    );
    assert_eq!(private("StandardV2", "\n  network: { subnet: SUBNET }"), [""; 0]);
    assert!(private("StandardV2", "\n  network: { subnet: SUBNET, mode: Internal }")[0].contains("cannot be hidden"));
    assert!(private("BasicV2", "\n  network: { subnet: SUBNET }")[0].contains("cannot be part of a network"));
}

#[test]
fn records_need_a_place_and_dimensions_a_name() {
    let with = |text: &str| said(&format!("{BASE}observability: {text}\n"), &Options::default());
    assert_eq!(
        with("{ workspace: new, appInsights: new, metrics: {}, llmLogs: true, workbook: true, alerts: {} }"),
        [""; 0]
    );
    assert_eq!(with("{ metrics: {} }"), ["AL0237 `metrics` token metrics need Application Insights"]);
    assert_eq!(with("{ llmLogs: true }"), ["AL0237 `true` logs of calls need a workspace"]);
    assert_eq!(with("{ appInsights: new }"), ["AL0237 `new` new Application Insights need a workspace"]);
    assert_eq!(with("{ workspace: old }"), ["AL0116 `old` `workspace` cannot be `old`"]);
    assert_eq!(
        with("{ workspace: new, appInsights: new, metrics: { dimensions: [Client IP, client ip, Pool, Pool] } }"),
        ["AL0239 `client ip` `client ip` is no dimension", "AL0239 `Pool` `Pool` stands twice"]
    );
    assert_eq!(
        with("{ workspace: new, bodies: 100 }"),
        ["AL0341 `100` bodies are logged, so streams reach callers all at once"]
    );
}

#[test]
fn ids_are_of_what_they_stand_for() {
    let with = |text: &str| said(&format!("{BASE}observability: {text}\n"), &Options::default());
    let group = "/subscriptions/s/resourceGroups/g/providers";
    let workspace = format!("{group}/Microsoft.OperationalInsights/workspaces/w");
    assert_eq!(with(&format!("{{ workspace: {workspace} }}")), [""; 0]);
    assert_eq!(
        with(&format!("{{ workspace: new, appInsights: {workspace} }}")),
        [format!("AL0116 `{workspace}` `{}...` is no id of Application Insights", &workspace[..60])]
    );
    assert_eq!(with("{ workspace: new, headers: [\"a b\"] }"), ["AL0202 `\"a b\"` `a b` is no header"]);
}

#[test]
fn what_is_protected_or_ignored_is_there() {
    check(
        "version: 1\n",
        "version: 1\nprotect: [gateway, pools.main]\nignoreChanges: [gateway.capacity, accounts.north]\n",
        &[],
    );
    check(
        "version: 1\n",
        "version: 1\nprotect: [pools.mian]\n",
        &["AL0240 `pools.mian` `pools.mian` names nothing here"],
    );
    check(
        "version: 1\n",
        "version: 1\nignoreChanges: [gateway.capacty]\n",
        &["AL0240 `gateway.capacty` `gateway.capacty` names nothing here"],
    );
    check("version: 1\n", "version: 1\nignoreChanges: [nothing]\n", &["AL0240 `nothing` `nothing` names nothing here"]);
    for fine in [
        "gateway.capacity, gateway.publisher.email, gateway.properties.customProperties.a, observability.alerts",
        "accounts.east.deployments.gpt.version, accounts.north.location, accounts.east.deployments",
        "pools.main.members, backends.first.breaker, apis.openai.retry.count, apis.openai.routes.gpt, subscriptions.team",
    ] {
        check("version: 1\n", &format!("version: 1\nignoreChanges: [{fine}]\n"), &[]);
    }
    for wrong in [
        "gateway.capasity",
        "gateway.capacity.x",
        "accounts.east.lokation",
        "accounts.east.deployments.gtp",
        "accounts.east.deployments.gpt.verison",
        "apis.openai.retry.cuont",
        "apis.other",
        "pool.main",
    ] {
        let said = format!("AL0240 `{wrong}` `{wrong}` names nothing here");
        check("version: 1\n", &format!("version: 1\nprotect: [{wrong}]\n"), &[&said]);
    }
    let text = BASE.replace("version: 1\n", "version: 1\nprotect: [gateway.capasity]\n");
    let problems = load(&text, &Options::default()).expect_err("a problem");
    assert_eq!(problems[0].help.as_deref(), Some("write `gateway.capacity`"));
}

#[test]
fn products_lead_to_apis() {
    let with = |text: &str| said(&format!("{BASE}products: {text}\n"), &Options::default());
    assert_eq!(with("{ gold: { apis: [openai], tokenLimit: { tokensPerMinute: 10 } } }"), [""; 0]);
    assert_eq!(with("{ gold: { apis: [opnai] } }"), ["AL0201 `apis` there is no API `opnai`"]);
    assert_eq!(
        with("{ gold: { apis: [openai], tokenLimit: { tokensPerMinute: 10, by: pool } } }"),
        ["AL0241 `pool` the limit of `gold` cannot know the pool"]
    );
}

#[test]
fn warnings_of_what_works_and_is_regretted() {
    // trap 26
    check(
        "retry: { count: 2 }",
        "definition: catch-all",
        &["AL0340 `catch-all` `openai` offers files, assistants and responses by id, and refuses them all"],
    );
    check("retry: { count: 2 }", "definition: catch-all\n    stateful: { pin: north }", &[]);
    check(
        "retry: { count: 2 }",
        "callers: { keys: false }",
        &["AL0344 `false` anybody who knows the address may call `openai`, and you pay"],
    );
    check("retry: { count: 2 }", "callers: { keys: false, entra: { tenant: contoso.com } }", &[]);
    // trap 36
    check(
        "statusCodes: [429, 5xx]",
        "errorReasons: [timeout]",
        &["AL0342 `timeout` nobody knows whether API Management has the error reason `timeout`"],
    );
    check("statusCodes: [429, 5xx]", "errorReasons: [Server errors]", &[]);
    check(
        "apis:\n",
        "  spare: { members: [{ backend: third }] }\napis:\n",
        &["AL0345 `spare` no API routes to `spare`"],
    );
    check(
        "retry: { count: 2 }",
        "strategy: smart",
        &["AL0347 `fast` only policies pick `second`, and its breaker answers them 503 behind their back"],
    );
    // trap 18
    check(
        "retry: { count: 2 }",
        "definition: { azureOpenAI: 2025-04-01-preview, commit: 0123456789abcdef0123456789abcdef01234567 }\n    stateful: { pin: north }",
        &["AL0348 `2025-04-01-preview` API Management refuses the document of 2025-04-01-preview"],
    );
    let images = BASE.replace("model: gpt-4.1,", "model: gpt-image-1,");
    assert!(
        said(&images, &Options::default()).contains(
            &"AL0343 `members` `main` makes images, and its deployments are called `ptu` and `gpt`".to_owned()
        )
    );
}
