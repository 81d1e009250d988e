//! The far ends of the rules: the last value that is fine, and the first that is not.

use super::super::*;
use super::{BASE, check, said};

/// What is said where a piece of [`BASE`] is replaced, errors alone.
fn errors(from: &str, to: &str) -> Vec<String> {
    assert!(BASE.contains(from), "the base has no {from}");
    let text = BASE.replacen(from, to, 1);
    said(&text, &Options::default())
        .into_iter()
        .filter(|said| said.starts_with("AL02") || said.starts_with("AL01"))
        .collect()
}

const NETWORK: &str = "/subscriptions/s/resourceGroups/n/providers/Microsoft.Network";

#[test]
fn tags_have_their_limits() {
    let tags = |n: usize| (0..n).map(|n| format!("t{n}: x")).collect::<Vec<_>>().join(", ");
    check("owner: platform", &tags(49), &[]);
    assert_eq!(errors("owner: platform", &tags(50)), ["AL0202 `tags` 50 tags are too many"]);
    check("owner: platform", &format!("{}: x", "k".repeat(512)), &[]);
    assert_eq!(errors("owner: platform", &format!("{}: x", "k".repeat(513))).len(), 1);
    check("owner: platform", &format!("owner: {}", "v".repeat(256)), &[]);
    let long = "v".repeat(257);
    assert_eq!(
        errors("owner: platform", &format!("owner: {long}")),
        [format!("AL0202 `{long}` the tag `owner` has more than 256 characters")]
    );
}

#[test]
fn names_that_are_put_together_have_room() {
    let existing =
        BASE.replace("  sku: BasicV2\n  publisher: { email: ai@contoso.com }\n", "  existing: { name: x }\n");
    let with = |length: usize| said(&existing.replace("third", &"b".repeat(length)), &Options::default());
    // `contoso-ai-` stands before it
    assert_eq!(with(69), [""; 0]);
    let name = format!("contoso-ai-{}", "b".repeat(70));
    let told = with(70);
    assert!(told[0].ends_with(&format!("`{name}` has more than 80 characters")) && told.len() == 1, "{told:?}");
    let account = |length: usize| errors("  north:\n", &format!("  {}:\n", "n".repeat(length)));
    let none = |said: &Vec<String>| !said.iter().any(|said| said.contains("is no key of an account"));
    // aoai-{key}-{13 characters} in 64
    assert!(none(&account(45)) && !none(&account(46)));
}

#[test]
fn breakers_have_their_limits() {
    let reasons = |n: usize, of: &str| format!("errorReasons: [{}]", vec![of; n].join(", "));
    let with = |text: String| errors("statusCodes: [429, 5xx]", &text);
    assert_eq!(with(reasons(10, "Server errors")), [""; 0]);
    assert_eq!(
        with(reasons(11, "Server errors")),
        ["AL0208 `errorReasons` `fast` has 11 error reasons, and Azure takes 10 of up to 200 characters"]
    );
    assert_eq!((with(reasons(1, &"r".repeat(200))).len(), with(reasons(1, &"r".repeat(201))).len()), (0, 1));
    assert_eq!(with("errorReasons: [\"\"]".into()).len(), 1);
    let name = |name: &str| {
        let text = BASE.replace("  fast:", &format!("  {name}:")).replace("breaker: fast", &format!("breaker: {name}"));
        said(&text, &Options::default()).len()
    };
    assert_eq!((name(&"b".repeat(80)), name(&"b".repeat(81)), name("b-"), name("b-1")), (0, 1, 1, 0));
}

#[test]
fn one_address_is_one_backend_somebody_elses_too() {
    let smart = BASE
        .replace("retry: { count: 2 }", "strategy: smart")
        .replace(", breaker: fast", "")
        .replace("breakers:\n  fast: { count: 1, interval: PT10S, statusCodes: [429, 5xx], tripDuration: 1s }\n", "");
    let with = |second: &str, third: &str| {
        let text = smart
            .replace("{ account: east, deployment: gpt }", &format!("{{ url: {second} }}"))
            .replace("{ account: north, deployment: gpt }", &format!("{{ url: {third} }}"));
        said(&text, &Options::default())
    };
    assert_eq!(with("https://a.test/v1", "https://b.test/v1"), [""; 0]);
    assert_eq!(with("https://a.test/v1", "https://A.test/v1/"), ["AL0215 `third` `second` and `third` have one url"]);
}

#[test]
fn spillover_is_of_one_model_and_reach() {
    let with = |sku: &str, to: &str| {
        let text = BASE.replace("sku: ProvisionedManaged, capacity: 50", &format!("sku: {sku}, capacity: 50, spillover: s")).replace(
            "      gpt: { model: gpt-4.1, version: \"2025-04-14\", capacity: 100 }\n  north",
            &format!("      gpt: {{ model: gpt-4.1, version: \"2025-04-14\", capacity: 100 }}\n      s: {{ {to}, capacity: 10 }}\n  north"),
        );
        said(&text.replace("      s:", "      s1:").replace("spillover: s", "spillover: s1"), &Options::default())
            .into_iter()
            .filter(|said| said.starts_with("AL0233"))
            .collect::<Vec<_>>()
    };
    let zone = "model: gpt-4.1, version: \"2025-04-14\", sku: DataZoneStandard";
    assert_eq!(with("DataZoneProvisionedManaged", zone), [""; 0]);
    assert_eq!(
        with("GlobalProvisionedManaged", zone),
        ["AL0233 `s1` GlobalProvisionedManaged does not spill over to DataZoneStandard"]
    );
    assert_eq!(
        with("GlobalProvisionedManaged", "model: gpt-5.1, version: \"2025-11-13\""),
        ["AL0233 `s1` `s1` serves gpt-5.1, and `ptu` serves gpt-4.1"]
    );
}

#[test]
fn consumption_has_no_records_and_no_limits_of_products() {
    let flat = BASE
        .replace("sku: BasicV2", "sku: Consumption")
        .replace("breakers:\n  fast: { count: 1, interval: PT10S, statusCodes: [429, 5xx], tripDuration: 1s }\n", "")
        .replace(", breaker: fast", "")
        .replace(", priority: 2", "");
    let with = |more: &str| {
        let all = said(&format!("{flat}{more}"), &Options::default());
        all.into_iter().filter(|said| said.starts_with("AL02")).collect::<Vec<_>>()
    };
    assert_eq!(with(""), [""; 0]);
    assert_eq!(
        with("observability: { workspace: new }\n"),
        ["AL0236 `new` Consumption sends no logs of requests to a workspace"]
    );
    assert_eq!(with("products: { gold: { apis: [openai] } }\n"), [""; 0]);
    for limit in ["tokenLimit: { tokensPerMinute: 5 }", "quota: { tokens: 5, per: Daily }"] {
        assert_eq!(
            with(&format!("products:\n  gold: {{ apis: [openai], {limit} }}\n")),
            ["AL0236 `gold` Consumption has no token limits"]
        );
    }
}

#[test]
fn records_need_their_place() {
    let with = |text: &str| said(&format!("{BASE}observability: {text}\n"), &Options::default());
    assert_eq!(with("{ workbook: true }"), ["AL0237 `true` the workbook's queries need a workspace"]);
    assert_eq!(with("{ alerts: {} }"), ["AL0237 `alerts` alerts need a workspace"]);
    let insights = "/subscriptions/s/resourceGroups/n/providers/Microsoft.Insights/components/i";
    assert_eq!(with(&format!("{{ appInsights: {insights}, metrics: {{}} }}")), [""; 0]);
    assert_eq!(with("{ workspace: new, alerts: { actionGroup: /subscriptions/s } }").len(), 1);
}

#[test]
fn ids_name_their_type_wherever_they_stand() {
    let subnet = format!("{NETWORK}/virtualNetworks/v/subnets/p");
    let zone = format!("{NETWORK}/privateDnsZones/privatelink.openai.azure.com");
    let network = |network: &str| {
        let text = BASE.replace("sku: BasicV2", &format!("sku: StandardV2\n  network: {{ subnet: {subnet} }}"));
        let text = text.replace(
            "    location: swedencentral\n",
            &format!("    location: swedencentral\n    network: {network}\n"),
        );
        said(&text, &Options::default()).into_iter().map(|said| said[..6].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(network(&format!("{{ subnet: {subnet}, dnsZone: {zone} }}")), [""; 0]);
    assert_eq!(network(&format!("{{ subnet: {zone}, dnsZone: {subnet} }}")), ["AL0116", "AL0116"]);
    assert_eq!(network(&format!("{{ public: true, dnsZone: {zone} }}")), ["AL0112"]);
    let gateway = |text: &str| errors("  sku: BasicV2", &format!("  sku: StandardV2\n  {text}")).len();
    assert_eq!(gateway(&format!("network: {{ subnet: {zone} }}")), 1);
    let identity = "/subscriptions/s/resourceGroups/n/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";
    assert_eq!(
        (gateway(&format!("identity: {{ user: {identity} }}")), gateway(&format!("identity: {{ user: {zone} }}"))),
        (0, 1)
    );
}

#[test]
fn what_is_there_is_named_once() {
    let id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a";
    let with = |text: &str| errors("  north:\n", &format!("  north:\n    {text}\n"));
    assert_eq!(with(&format!("existing: {{ resourceId: {id} }}")), [""; 0]);
    assert_eq!(
        with(&format!("existing: {{ resourceId: {id}, name: a }}")),
        [format!("AL0230 `{id}` an id is given beside a name")]
    );
    assert_eq!(with("existing: { resourceGroup: g }"), ["AL0112 `existing` `existing` has no `name`"]);
    for more in ["name: ab", "resourceGroup: g", "subscription: 00000000-0000-0000-0000-000000000001"] {
        assert_eq!(
            with(&format!("existing: {{ name: a }}\n    {more}")),
            ["AL0230 `existing` `north` is an existing account, and its name or place is given again"]
        );
    }
}

#[test]
fn a_document_is_one_that_can_be_imported() {
    let with = |definition: &str, file: &str| {
        let text = BASE.replace("    retry: { count: 2 }", &format!("    definition: {definition}"));
        let file = file.to_owned();
        let files = move |_: &str| Ok(file.clone());
        said(&text, &Options { files: &files, ..Options::default() })
    };
    let one = "{ file: a.json }";
    assert_eq!(with(one, r#"{ "openapi": "3.0.3", "paths": {} }"#), [""; 0]);
    assert_eq!(with(one, "[]"), ["AL0235 `a.json` this is no OpenAPI document"]);
    assert!(with(one, "openapi: 3.0.1")[0].starts_with("AL0235 `a.json` this is no JSON: "));
    for wrong in
        [r#"{ "openapi": "3.1.0", "paths": {} }"#, r#"{ "swagger": "2.0", "paths": {} }"#, r#"{ "openapi": "3.0.1" }"#]
    {
        assert_eq!(with(one, wrong), ["AL0235 `a.json` this is no OpenAPI document of version 3.0 with paths"]);
    }
    assert_eq!(
        with("{ file: a.json, azureOpenAI: 2024-10-21, commit: 0123456789abcdef0123456789abcdef01234567 }", "{}"),
        ["AL0230 `a.json` the definition is a file and a version of Azure OpenAI's"]
    );
}

#[test]
fn names_that_are_made_collide_with_none_that_are_written() {
    // a-b of c, and b of... one key
    let text = r#"version: 1
name: two
azure: { resourceGroup: rg, location: eastus2 }
gateway: { publisher: { email: ai@contoso.com } }
accounts:
  a: { location: eastus2, deployments: { b-c: { model: gpt-4.1, version: "2025-04-14", capacity: 1 } } }
  a-b: { location: swedencentral, deployments: { c: { model: gpt-4.1, version: "2025-04-14", capacity: 1 } } }
pools:
  p: { members: [{ backend: a-b-c }] }
"#;
    assert!(said(text, &Options::default())[0].ends_with("two deployments give a backend `a-b-c`"));
    let twins = BASE
        .replace("      - { backend: first }\n", "")
        .replace("routes: { gpt: main }", "routes: { gpt: main }\n    surfaces: [v1]");
    let v1 = |from: &str, to: &str| said(&twins.replacen(from, to, 1), &Options::default());
    assert!(
        v1("pools:\n", "pools:\n  main-v1: { members: [{ backend: first }] }\n")
            .iter()
            .any(|said| said.ends_with("`main-v1` is the twin of `main` for the surface v1 of `openai`"))
    );
    assert!(
        v1("  first:", "  second-v1:")
            .iter()
            .any(|said| said.ends_with("`second-v1` is the name of a backend that is made for `second`"))
    );
    let pinned = BASE.replace("  first:", "  north-stateful:").replace("backend: first", "backend: north-stateful");
    let pinned = pinned.replace("retry: { count: 2 }", "stateful: { pin: north }");
    assert!(said(&pinned, &Options::default())[0].ends_with("is the name of a backend that is made for `north`"));
    check("retry: { count: 2 }", "stateful: { pin: north }", &[]);
    assert_eq!(errors("retry: { count: 2 }", "stateful: { pin: nort }"), ["AL0201 `nort` there is no account `nort`"]);
}

#[test]
fn two_apis_two_products_of_one_name() {
    assert_eq!(
        errors("apis:\n", "apis:\n  OPENAI: { path: other, pool: main }\n")
            .iter()
            .filter(|said| said.starts_with("AL0203"))
            .count(),
        1
    );
    let products = |text: &str| said(&format!("{BASE}products: {text}\n"), &Options::default()).len();
    assert_eq!(products("{ gold: { apis: [openai] }, silver: { apis: [openai] } }"), 0);
    assert_eq!(products("{ gold: { apis: [openai] }, GOLD: { apis: [openai] } }"), 1);
    assert_eq!(products("{ gold-: { apis: [openai] } }"), 1);
}

#[test]
fn a_priority_of_weight_nought_is_no_member_of_the_first_group() {
    // two of three have a weight: two retries reach the next priority
    let text = |weight: u8| {
        let more: String = (0..2)
            .map(|n| {
                format!(
                    "      p{n}: {{ model: gpt-4.1, version: \"2025-04-14\", sku: ProvisionedManaged, capacity: 50 }}\n"
                )
            })
            .collect();
        BASE.replace("      ptu: {", &format!("{more}      ptu: {{"))
            .replace("  first:", "  b0: { account: east, deployment: p0 }\n  b1: { account: east, deployment: p1 }\n  first:")
            .replace("      - { backend: first }\n", &format!("      - {{ backend: first, weight: {weight} }}\n      - {{ backend: b0 }}\n      - {{ backend: b1 }}\n"))
    };
    assert_eq!(said(&text(0), &Options::default()), [""; 0]);
    assert_eq!(said(&text(1), &Options::default())[0][..6], *"AL0327");
}

#[test]
fn what_is_never_written_and_never_used_is_refused() {
    let existing = "  existing: { name: x }\n  sku: BasicV2";
    check("  sku: BasicV2\n  publisher: { email: ai@contoso.com }", existing, &[]);
    check(
        "  sku: BasicV2",
        &format!("{existing}\n  capacity: 1"),
        &[
            "AL0230 `1` the service is an existing one, and never written",
            "AL0230 `publisher` the service is an existing one, and never written",
        ],
    );
    let id = |subscription: &str, group: &str| {
        let id = format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/z"
        );
        let text = BASE.replace("  north:\n", &format!("  north:\n    existing: {{ resourceId: {id} }}\n"));
        said(&text, &Options::default()).len()
    };
    let guid = "00000000-0000-0000-0000-000000000001";
    assert_eq!((id(guid, "rg"), id("s", "rg"), id(guid, "rg.")), (0, 1, 1));
    let pool = "  main:\n    failureStatus: 529\n    sessionAffinity: A\n";
    let pools = |strategy: &str| {
        let text = BASE.replace("  main:\n", pool).replace("retry: { count: 2 }", &format!("strategy: {strategy}"));
        said(&text, &Options::default()).into_iter().filter(|said| said.starts_with("AL02")).collect::<Vec<_>>()
    };
    assert_eq!(pools("pool"), [""; 0]);
    assert_eq!(
        pools("smart"),
        [
            "AL0230 `529` only policies pick from `main`, and `failureStatus` is of API Management's pool",
            "AL0230 `A` only policies pick from `main`, and `sessionAffinity` is of API Management's pool",
        ]
    );
}

#[test]
fn callers_are_known_by_words_that_nothing_else_needs() {
    let with =
        |callers: &str| said(&BASE.replace("retry: { count: 2 }", &format!("callers: {callers}")), &Options::default());
    assert_eq!(with("{ keys: { header: Ocp-Apim-Subscription-Key, query: subscription-key } }"), [""; 0]);
    assert_eq!(
        with("{ keys: { header: authorization, query: API-version } }"),
        [
            "AL0204 `authorization` the header `authorization` carries something else",
            "AL0204 `API-version` the query parameter `api-version` is Azure OpenAI's own",
        ]
    );
    assert_eq!(with("{ keys: { header: x-aoai-lb-backend } }").len(), 1);
    let guid = "11111111-1111-1111-1111-111111111111";
    assert_eq!(with(&format!("{{ entra: {{ tenant: {guid}, audiences: [a], applications: [{guid}] }} }}")), [""; 0]);
    assert_eq!(with("{ entra: { tenant: contoso.onmicrosoft.com } }"), [""; 0]);
    assert_eq!(
        with("{ entra: { tenant: a tenant, audiences: [\" \"], applications: [mine] } }"),
        [
            "AL0116 `a tenant` `a tenant` is no tenant",
            "AL0116 `\" \"` an audience is empty",
            "AL0116 `mine` `mine` is no client id of an application",
        ]
    );
}

#[test]
fn an_interval_of_more_than_a_minute_expands() {
    let text = BASE.replace("retry: { count: 2 }", "retry: { count: 2, interval: 90s, timeout: PT3M30S }");
    let long = expand(&text, &Options::default()).expect("a spec");
    assert!(long.contains("interval: 90s") && long.contains("timeout: 210s"), "{long}");
    assert_eq!(
        load(&long, &Options::default()).expect(&long).topology,
        load(&text, &Options::default()).expect("a spec").topology
    );
}

#[test]
fn trap_23_nobody_is_sent_away_for_hours() {
    check("tripDuration: 1s", "tripDuration: PT1H", &[]);
    check("tripDuration: 1s", "tripDuration: P1D", &["AL0349 `P1D` what trips `fast` gets no call for 1d"]);
    check("retry: { count: 2 }", "onExhausted: { maxRetryAfter: 1h }", &[]);
    check(
        "retry: { count: 2 }",
        "onExhausted: { maxRetryAfter: 2h }",
        &["AL0349 `2h` callers of `openai` may be sent away for 2h"],
    );
}

#[test]
fn a_conversation_is_not_balanced() {
    let third = "version: \"2025-04-14\", capacity: 100 }\nbreakers";
    let text = BASE.replace(
        &format!("model: gpt-4.1, {third}"),
        "model: gpt-realtime, version: \"2025-08-28\", capacity: 100 }\nbreakers",
    );
    let with = |text: &str| {
        let all = said(text, &Options::default());
        all.into_iter().filter(|said| said.starts_with("AL0242")).collect::<Vec<_>>()
    };
    assert_eq!(with(&text), ["AL0242 `third` `third` serves `gpt-realtime`, which is called over a WebSocket"]);
    // a deployment that no pool has is nobody's business
    assert_eq!(with(&text.replace("      - { backend: third, priority: 2, weight: 20 }\n", "")), [""; 0]);
}

#[test]
fn the_network_of_an_existing_gateway_is_somebody_elses() {
    let subnet = "/subscriptions/s/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/p";
    let with = |sku: &str| {
        let text = BASE
            .replace(
                "  sku: BasicV2\n  publisher: { email: ai@contoso.com }",
                &format!("  existing: {{ name: x }}{sku}"),
            )
            .replace(
                "    location: swedencentral\n",
                &format!("    location: swedencentral\n    network: {{ subnet: {subnet} }}\n"),
            );
        said(&text, &Options::default())
    };
    assert_eq!(with("\n  sku: StandardV2"), [""; 0]);
    assert_eq!(with(""), [""; 0]);
    assert_eq!(with("\n  sku: BasicV2").len(), 1);
}

#[test]
fn properties_in_azures_words_are_not_ours_twice() {
    check(
        "  sku: BasicV2",
        "  properties: { publisherEmail: x, a: { b: [1.5] } }",
        &[
            "AL0238 `x` `publisherEmail` is what this program writes itself",
            "AL0238 `1.5` 1.5 is no whole number, and a template holds no other",
        ],
    );
    check("  sku: BasicV2", "  properties: { apiVersionConstraint: { minApiVersion: 2021-08-01 } }", &[]);
    check(
        "  north:\n",
        "  north:\n    properties: { customSubDomainName: x }\n",
        &["AL0238 `x` `customSubDomainName` is what this program writes itself"],
    );
    check(
        "  sku: BasicV2",
        "  properties: { natGatewayStat: Enabled, newerThanThis: 1 }",
        &["AL0238 `Enabled` `natGatewayStat` is no property of Azure's"],
    );
    check(
        "  north:\n",
        "  north:\n    properties: { allowedFqdnLists: [], restore: true }\n",
        &["AL0238 `allowedFqdnLists` `allowedFqdnLists` is no property of Azure's"],
    );
    check(
        "  north:\n    location: swedencentral",
        "  north:\n    existing: { name: x }\n    properties: { a: b }",
        &["AL0230 `properties` `north` is an existing account, and never written"],
    );
}

#[test]
fn a_quota_is_of_one_subscription() {
    let shared = |more: &str| {
        let text = BASE.replace("    location: swedencentral\n", &format!("    location: eastus2\n{more}"));
        said(&text, &Options::default()).iter().filter(|said| said.starts_with("AL0311")).count()
    };
    assert_eq!(shared(""), 1);
    assert_eq!(shared("    subscription: 00000000-0000-0000-0000-000000000002\n"), 0);
    // another group of the same subscription draws on the same quota
    assert_eq!(shared("    resourceGroup: rg-other\n"), 1);
}

#[test]
fn a_callers_mistake_trips_nobody() {
    let with = |codes: &str| {
        let all = said(&BASE.replace("statusCodes: [429, 5xx]", &format!("statusCodes: {codes}")), &Options::default());
        all.into_iter().filter(|said| said.starts_with("AL0350")).collect::<Vec<_>>()
    };
    for codes in ["[401-412, 429, 5xx]", "[408, 429, 499]", "[414, 416-421, 423-599]"] {
        assert_eq!(with(codes), [""; 0]);
    }
    for (codes, status) in [("[4xx]", 400), ("[400-404]", 400), ("[413]", 413), ("[415]", 415), ("[422-429]", 422)] {
        assert_eq!(with(codes).len(), 1, "{codes}");
        assert!(with(codes)[0].contains(&format!("`fast` counts {status}, which is a caller's mistake")), "{codes}");
    }
}
