//! Every rule fires where it should, and not beside it: one row a case.

use super::super::*;
use super::{BASE, check, said};

#[test]
fn structure_is_checked() {
    check("version: 1\n", "version: 2\n", &["AL0115 `2` version 2 is not known"]);
    check("name: contoso-ai\n", "", &["AL0112 `version: 1` the spec has no `name`"]);
    check("name: contoso-ai", "name: Contoso", &["AL0202 `Contoso` `name` cannot be `Contoso`"]);
    check("weight: 10", "wieght: 10", &["AL0110 `wieght` unknown key `wieght`"]);
    check(
        "weight: 10",
        "wieght: 101",
        &["AL0110 `wieght` unknown key `wieght`", "AL0115 `101` weight 101 is above 100"],
    );
    check("weight: 10", "colour: 10", &["AL0110 `colour` unknown key `colour`"]);
    check("weight: 10", "weight: 101", &["AL0115 `101` weight 101 is above 100"]);
    check("weight: 10", "weight: -1", &["AL0115 `-1` weight -1 is below 0"]);
    check("weight: 10", "weight: 1.5", &["AL0113 `1.5` `weight` is the number 1.5"]);
    check("weight: 10", "weight: \"10\"", &["AL0113 `\"10\"` `weight` is the text `10`"]);
    check("priority: 2", "priority: 101", &["AL0115 `101` priority 101 is above 100"]);
    check("retry: { count: 2 }", "retry: { count: 51 }", &["AL0115 `51` count 51 is above 50"]);
    check("count: 1,", "count: 10001,", &["AL0115 `10001` count 10001 is above 10000"]);
    check("sku: BasicV2", "sku: Basicv2", &["AL0114 `Basicv2` `sku` cannot be `Basicv2`"]);
    check(
        "model: gpt-4.1, version: \"2025-04-14\", capacity",
        "model: gpt-4.1, version: 0613, capacity",
        &["AL0113 `0613` `version` is the number 613"],
    );
    check("capacity: 100 }\n  north", "capacity: 0 }\n  north", &["AL0115 `0` capacity 0 is below 1"]);
    check("members:\n", "members: none\n      #\n", &["AL0103 `-` this line is not indented like its neighbours"]);
    check("retry: { count: 2 }", "retry: 2", &["AL0113 `2` `retry` is the number 2"]);
    check("routes: { gpt: main }", "routes: [gpt]", &["AL0113 `[gpt]` `routes` is a list"]);
    check("tripDuration: 1s", "tripDuration: P1M", &["AL0209 `P1M` `tripDuration` cannot be `P1M`"]);
    check(
        "[429, 5xx]",
        "[429, 6xx, 42]",
        &["AL0208 `6xx` `statusCodes[1]` cannot be `6xx`", "AL0115 `42` statusCodes[2] 42 is below 200"],
    );
    check("location: swedencentral", "location:", &["AL0112 `` `north` has no `location`"]);
    check("subscriptions:\n  team: { api: openai }\n", "subscriptions:\n  team:\n", &["AL0113 `` `team` is nothing"]);
    check("email: ai@contoso.com", "email: contoso", &["AL0116 `contoso` `email` cannot be `contoso`"]);
    check("accounts:\n", "acounts:\n", &["AL0110 `acounts` unknown key `acounts`"]);
    check("    retry: { count: 2 }", "    displayName: \"\"", &["AL0202 `\"\"` `displayName` is empty"]);
    check("    retry: { count: 2 }", "    onExhausted: { status: 500 }", &["AL0114 `500` status 500 is not offered"]);
    check("    retry: { count: 2 }", "    surfaces: []", &["AL0221 `[]` `surfaces` is an empty list"]);
    // what may be left out may also stand without a value
    check("    retry: { count: 2 }", "    retry:\n    pool:", &[]);
}

#[test]
fn a_mistake_is_one_problem_with_its_own_cure() {
    let cure = |from: &str, to: &str| {
        assert_eq!(BASE.matches(from).count(), 1, "{from}");
        let problems = load(&BASE.replace(from, to), &Options::default()).expect_err("a problem");
        let [problem] = problems.as_slice() else { panic!("{from} -> {to}: {problems:#?}") };
        format!("{} {}: {}", problem.code, problem.message, problem.help.as_deref().unwrap_or("-"))
    };
    for (from, to, said) in [
        (
            "api: openai",
            "api: [openai]",
            "AL0113 `api` is a list: write text: key of the API that it may call. Left out, without `product`: the only one",
        ),
        ("interval: PT10S", "interval: 10", "AL0113 `interval` is the number 10: add the unit: `10s` for seconds"),
        ("- { backend: first }", "- first", "AL0113 `members[0]` is the text `first`: write `{ backend: first }`"),
        (
            "  north:\n    location: swedencentral\n    deployments:\n      gpt: { model: gpt-4.1, version: \"2025-04-14\", capacity: 100 }",
            "  north:\n    location: swedencentral\n    deployments:\n      model: gpt-4.1\n      version: \"2025-04-14\"\n      capacity: 100",
            "AL0113 `deployments` holds `model`, and a name is expected: write a name of your choice above these keys, as `NAME:`, and indent them below it",
        ),
        (
            "subscriptions:\n  team: { api: openai }",
            "subscriptions:\n  - name: team\n    api: openai",
            "AL0113 `subscriptions` is a list: write each item under a name of its own, without the hyphen: `NAME:` and its keys below it",
        ),
        (
            "weight: 10 }",
            "weight: 99999999999999999999 }",
            "AL0113 `weight` is a number of more than 18 digits: write a whole number",
        ),
        (
            "resourceGroup: rg-ai",
            "resource_group_name: rg-ai",
            "AL0110 unknown key `resource_group_name`: write `resourceGroup`",
        ),
        (
            "  main:\n    members:\n      - { backend: first }\n      - { backend: second, priority: 2, weight: 10 }\n      - { backend: third, priority: 2, weight: 20 }\n",
            "",
            "AL0221 the spec has no pools: add a pool with its members, or start with `models`",
        ),
        ("  team: { api: openai }", "  team:", "AL0113 `team` is nothing: write `team: {}`, or take it out"),
        ("retry: { count: 2 }", "surfaces: v1", "AL0113 `surfaces` is the text `v1`: write `[v1]`"),
        (
            "retry: { count: 2 }",
            "tokenLimit: 1000",
            "AL0113 `tokenLimit` is the number 1000: write `{ tokensPerMinute: 1000 }`",
        ),
        (
            "  sku: BasicV2\n",
            "  sku: BasicV2\n  existing: apim-x\n",
            "AL0113 `existing` is the text `apim-x`: write `{ name: apim-x }`",
        ),
        (
            "routes: { gpt: main }",
            "routes: [main]",
            "AL0113 `routes` is a list: write each item with what belongs to it, without the hyphen: `ITEM: VALUE`",
        ),
        (
            "    members:\n",
            "    sessionAffinity: true\n    members:\n",
            "AL0113 `sessionAffinity` is `true`: write text: name of the cookie that keeps a caller at one member. Left out: none",
        ),
        ("owner: platform", "owner: true", "AL0113 `owner` is `true`: put it in quotes: it is text"),
        (
            "    members:\n",
            "    failureStatus: 42\n    members:\n",
            "AL0115 failureStatus 42 is below 100: use a number from 100 to 599",
        ),
        ("capacity: 50", "capacity: 5e1", "AL0113 `capacity` is a number with a point or an exponent: write `50`"),
        (
            "subscriptions:\n",
            "products: { gold: { apis: [] } }\nsubscriptions:\n",
            "AL0221 `apis` is an empty list: list at least one",
        ),
        (
            "  third: { account: north, deployment: gpt }\n",
            "  third: { account: north, deployment: gpt }\n  key: { url: https://a.example/b, credential: { keyVault: 0123456789abcdef0123456789abcdef, header: api-key } }\n",
            "AL0212 this looks like a key, and a spec holds none: take it out and rotate it; the gateway signs in with its managed identity",
        ),
        // a weight that cannot be is no priority without one
        (
            "- { backend: first }",
            "- { backend: first, weight: -1 }",
            "AL0115 weight -1 is below 0: use a number from 0 to 100",
        ),
        (
            "azure: {",
            "azure: { apiVersions: { Microsoft.ApiManagement: latest },",
            "AL0116 `Microsoft.ApiManagement` cannot be `latest`: use an api-version, as `2024-10-21`",
        ),
        (
            "  first: { account: east, deployment: ptu }\n  second: { account: east, deployment: gpt, breaker: fast }\n  third: { account: north, deployment: gpt }\npools:\n  main:\n    members:\n      - { backend: first }\n",
            "  second: { account: east, deployment: gpt, breaker: fast }\n  third: { account: north, deployment: gpt }\npools:\n  main:\n    members:\n      - { backend: east-ptu }\n",
            "AL0201 there is no backend `east-ptu`: add `east-ptu: { account: east, deployment: ptu }` to `backends`",
        ),
        (
            "  sku: BasicV2\n",
            "  sku: BasicV2\n  network: { subnet: /subscriptions/a/resourceGroups/b/providers/Microsoft.Network/virtualNetworks/c/subnets/d }\n",
            "AL0236 BasicV2 cannot be part of a network: choose StandardV2, PremiumV2, Premium or Developer, or take `network` out",
        ),
    ] {
        assert_eq!(cure(from, to), said);
    }
    // what another tool calls a part of it is no reason for a second problem
    check(
        "publisher: { email: ai@contoso.com }",
        "publisher: { email: ai@contoso.com }\n  publisherName: Contoso",
        &["AL0110 `publisherName` unknown key `publisherName`"],
    );
}

#[test]
fn references_must_lead_somewhere() {
    // keys have a case, although names in Azure have none
    check("{ gpt: main }", "{ gpt: Main }", &["AL0201 `Main` there is no pool `Main`"]);
    check("account: north", "account: nort", &["AL0201 `nort` there is no account `nort`"]);
    check(
        "account: north, deployment: gpt",
        "account: north, deployment: gpt5x",
        &["AL0201 `gpt5x` there is no deployment `gpt5x`"],
    );
    check("breaker: fast", "breaker: fsat", &["AL0201 `fsat` there is no breaker `fsat`"]);
    check("backend: third", "backend: thrid", &["AL0201 `thrid` there is no backend `thrid`"]);
    check("{ gpt: main }", "{ gpt: mian }", &["AL0201 `mian` there is no pool `mian`"]);
    check("routes: { gpt: main }", "pool: nobody", &["AL0201 `nobody` there is no pool `nobody`"]);
    check("api: openai", "api: opnai", &["AL0201 `opnai` there is no API `opnai`"]);
    check("breaker: fast", "breaker: ptu", &["AL0329 `fast` no backend has the breaker `fast`"]);
    let problems = load(&BASE.replace("account: north", "account: nort"), &Options::default()).expect_err("an error");
    assert_eq!(problems[0].label.as_deref(), Some("did you mean `north`?"));
    assert_eq!(problems[0].key.as_deref(), Some("backends.third.account"));
}

#[test]
fn gateways_keep_to_their_tier() {
    check("sku: BasicV2", "sku: BasicV2\n  capacity: 11", &["AL0205 `11` BasicV2 cannot have 11 units"]);
    check("sku: BasicV2", "sku: BasicV2\n  capacity: 10", &[]);
    check("sku: BasicV2", "sku: Developer\n  capacity: 2", &["AL0205 `2` Developer cannot have 2 units"]);
    check("sku: BasicV2", "sku: Premium\n  capacity: 99", &[]);
    check("sku: BasicV2", "sku: PremiumV2\n  capacity: 31", &["AL0205 `31` PremiumV2 cannot have 31 units"]);
    check(
        "sku: BasicV2",
        "sku: Consumption\n  capacity: 1",
        &[
            "AL0205 `1` Consumption cannot have 1 unit",
            "AL0206 `breakers` Consumption has no circuit breakers",
            "AL0206 `fast` Consumption has no circuit breakers",
            "AL0236 `2` a lower priority of `main` is never used: Consumption has no circuit breakers",
        ],
    );
}

#[test]
fn breakers_are_what_azure_takes() {
    check("count: 1,", "count: 1, percentage: 50,", &["AL0207 `50` `fast` has a count and a percentage"]);
    check("count: 1,", "percentage: 50,", &[]);
    check("count: 1,", "percentage: 0,", &["AL0115 `0` percentage 0 is below 1"]);
    check("count: 1,", "percentage: 101,", &["AL0115 `101` percentage 101 is above 100"]);
    check("[429, 5xx]", "[]", &["AL0208 `statusCodes` `fast` has 0 status ranges, and Azure takes 1 to 10"]);
    check("[429, 5xx]", "[503-500]", &["AL0208 `503-500` 503-500 runs backwards"]);
    let ranges = |n: u16| format!("[{}]", (0..n).map(|i| (200 + 2 * i).to_string()).collect::<Vec<_>>().join(", "));
    check("[429, 5xx]", &ranges(10), &[]);
    check("[429, 5xx]", &ranges(11), &["AL0208 `statusCodes` `fast` has 11 status ranges, and Azure takes 1 to 10"]);
    // neighbours are one range
    check("[429, 5xx]", "[200, 201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211]", &[]);
    check("interval: PT10S", "interval: PT0.5S", &["AL0209 `PT0.5S` interval 500ms is no whole number of seconds"]);
    check("interval: PT10S", "interval: 0s", &["AL0209 `0s` interval 0s is too short"]);
    check(
        "fast: { count: 1, interval: PT10S, statusCodes: [429, 5xx], tripDuration: 1s }",
        "fast: [{ count: 1 }, { count: 2 }]",
        &["AL0210 `[{ count: 1 }, { count: 2 }]` 2 breaker rules are listed, and a backend has one"],
    );
    check(
        "breaker: fast",
        "breaker: [fast, ptu]",
        &["AL0210 `[fast, ptu]` 2 breaker rules are listed, and a backend has one"],
    );
    check("  fast:", "  none: {}\n  fast:", &["AL0204 `none` a breaker cannot be called `none`"]);
    check(
        "  fast:",
        "  a_b: {}\n  fast:",
        &["AL0202 `a_b` `a_b` is no name for a breaker", "AL0329 `a_b` no backend has the breaker `a_b`"],
    );
}

#[test]
fn pools_are_what_azure_takes() {
    let members = |backends: &[&str]| {
        let lines: Vec<String> = backends.iter().map(|backend| format!("      - {{ backend: {backend} }}\n")).collect();
        BASE.find("      - { backend: first }").map(|at| {
            let end = BASE.find("apis:").unwrap_or(BASE.len());
            format!("{}{}{}", &BASE[..at], lines.concat(), &BASE[end..])
        })
    };
    let said = |backends: &[&str]| said(&members(backends).expect("the base has members"), &Options::default());
    assert_eq!(said(&["second", "third"]), [""; 0]);
    assert_eq!(said(&["second", "second"]), ["AL0213 `second` `second` is a member twice"]);
    assert_eq!(said(&["main"]), ["AL0214 `main` `main` is a pool"]);
    let many = vec!["second"; 31];
    let problems = said(&many);
    assert_eq!((problems.len(), problems[0].as_str()), (31, "AL0211 `members` `main` has 31 members"));
    assert!(!said(&many[..30]).iter().any(|problem| problem.starts_with("AL0211")));
    check(
        "members:\n      - { backend: first }\n      - { backend: second, priority: 2, weight: 10 }\n      - { backend: third, priority: 2, weight: 20 }",
        "members: []",
        &["AL0211 `members` `main` has 0 members"],
    );
    check("weight: 10", "weight: 0", &[]);
    check(
        "weight: 10 }\n      - { backend: third, priority: 2, weight: 20",
        "weight: 0 }\n      - { backend: third, priority: 2, weight: 0",
        &["AL0217 `members` no member of priority 2 in `main` has a weight"],
    );
    let version = "model: gpt-4.1, version: \"2025-04-14\", capacity: 100 }\nbreakers";
    check(
        version,
        "model: gpt-4.1, version: \"2025-05-01\", capacity: 100 }\nbreakers",
        &[
            "AL0216 `third` `main` mixes gpt-4.1 2025-04-14 and gpt-4.1 2025-05-01",
            "AL0320 `\"2025-05-01\"` `2025-05-01` is no version of `gpt-4.1` that this program knows",
        ],
    );
    check(version, "model: GPT-4.1, version: \"2025-04-14\", capacity: 100 }\nbreakers", &[]);
    let cure = |to: &str| {
        let problems = load(&BASE.replace(version, to), &Options::default()).expect_err("mixed models");
        problems[0].help.clone().unwrap_or_default()
    };
    let model =
        |name: &str, version: &str| format!("model: {name}, version: \"{version}\", capacity: 100 }}\nbreakers");
    assert_eq!(
        cure(&model("gpt-4.11", "2025-04-14")),
        "write `gpt-4.1` for `gpt-4.11`, or give each model its own pool"
    );
    assert_eq!(
        cure(&model("gpt-4.1", "2025-04-41")),
        "write `2025-04-14` for `2025-04-41`, or give each model its own pool"
    );
    assert_eq!(
        cure(&model("gpt-4o", "2024-11-20")),
        "give each model its own pool: callers would get one or the other by chance"
    );
    check(
        version,
        "model: gpt-4o, version: \"2024-11-20\", capacity: 100 }\nbreakers",
        &["AL0216 `third` `main` mixes gpt-4.1 2025-04-14 and gpt-4o 2024-11-20"],
    );
}

#[test]
fn names_are_what_azure_takes() {
    check(
        "  third:",
        "  fourth: { account: north, deployment: gpt }\n  third:",
        &["AL0215 `third` `fourth` and `third` have one url"],
    );
    check(
        "pools:\n",
        "pools:\n  first: { members: [{ backend: third }] }\n",
        &[
            "AL0203 `first` `first` is the name of both backends.first and pools.first",
            "AL0345 `first` no API routes to `first`",
        ],
    );
    check(
        "pools:\n",
        "pools:\n  FIRST: { members: [{ backend: third }] }\n",
        &["AL0203 `FIRST` `first` and `FIRST` are one name to Azure", "AL0345 `FIRST` no API routes to `FIRST`"],
    );
    // what follows from a name that is wrong is not wrong once more
    let short = "version: 1\nname: ai\nazure: { resourceGroup: rg, location: eastus2 }\ngateway: { publisher: { email: ai@contoso.com } }\naccounts:\n  e us: { location: eastus2, deployments: { gpt: { model: gpt-5.1, version: \"2025-11-13\", capacity: 1 } } }\n  w: { location: westus3, deployments: { \"g/t\": { model: gpt-5.1, version: \"2025-11-13\", capacity: 1 } } }\npools: { p: { members: [{ backend: \"e us-gpt\" }, { backend: \"w-g/t\" }] } }\n";
    assert_eq!(
        super::said(short, &Options::default()),
        ["AL0202 `e us` `e us` is no key of an account", "AL0202 `\"g/t\"` `g/t` is no name for a deployment"]
    );
    check(
        "  north:\n",
        "  North:\n",
        &["AL0202 `North` `North` is no key of an account", "AL0201 `north` there is no account `north`"],
    );
    check("  north:\n", "  north:\n    name: my--account\n", &[]);
    check("  north:\n", "  north:\n    name: -account\n", &["AL0202 `-account` `name` cannot be `-account`"]);
    check("  north:\n", "  north:\n    name: a\n", &["AL0202 `a` `name` cannot be `a`"]);
    check("location: eastus2\n    dep", "location: eastus2\n    name: same\n    dep", &[]);
    check(
        "first:",
        "-first:",
        &["AL0202 `-first` `-first` is no name for a backend", "AL0201 `first` there is no backend `first`"],
    );
    check(
        "      ptu: {",
        "      g: {",
        &["AL0202 `g` `g` is too short for a deployment", "AL0201 `ptu` there is no deployment `ptu`"],
    );
    check("{ gpt: main }", "{ \"g/t\": main }", &["AL0202 `main` `g/t` is no name for a route"]);
    check("{ gpt: main }", "{ gpt: main, GPT: main }", &["AL0203 `main` `GPT` and `gpt` are one name to Azure"]);
    check("{ gpt: main }", "{}", &["AL0219 `routes` `openai` has no route"]);
    check(
        "{ gpt: main }",
        "{ gpt: main }\n    pool: main",
        &["AL0219 `main` `openai` has routes and one pool for all"],
    );
    check(
        "apis:\n",
        "apis:\n  other: { path: /OpenAI/, pool: main }\n",
        &["AL0218 `/OpenAI/` `openai` and `other` have the path `OpenAI`"],
    );
    check("team:", "probe:", &["AL0204 `probe` the subscription `probe` is the program's own"]);
    check("team:", "Master:", &["AL0204 `Master` the subscription `Master` is Azure's own"]);
    check(
        "{ owner: platform }",
        "{ owner: platform, Owner: p }",
        &["AL0203 `platform` `Owner` and `owner` are one name to Azure"],
    );
    check("owner:", "aoai-lb-stack:", &["AL0204 `platform` the tag `aoai-lb-stack` is the program's own"]);
    check("owner:", "\"a/b\":", &["AL0202 `platform` `a/b` is no name of a tag"]);
    check("{ api: openai }", "{}", &[]);
    check(
        "  team: { api: openai }",
        "  team: {}\n  \"a b\": {}",
        &["AL0202 `\"a b\"` `a b` is no name for a subscription"],
    );
    check("apis:\n", "apis:\n  second: { pool: main }\n", &[]);
    let two = BASE.replace("apis:\n", "apis:\n  second: { pool: main }\n").replace("{ api: openai }", "{}");
    assert_eq!(said(&two, &Options::default()), ["AL0223 `team` `team` does not say which API it may call"]);
}

#[test]
fn lengths_of_an_api_are_whole_seconds_in_range() {
    let retry = "retry: { count: 2 }";
    check(retry, "retry: { timeout: 241s }", &["AL0209 `241s` timeout 4m1s is too long"]);
    check(retry, "retry: { timeout: 0s }", &["AL0209 `0s` timeout 0s is too short"]);
    check(retry, "retry: { interval: 100ms }", &["AL0209 `100ms` interval 100ms is no whole number of seconds"]);
    check(retry, "retry: { interval: 0s, timeout: PT4M }", &[]);
    check(retry, "onExhausted: { maxRetryAfter: 0s }", &["AL0209 `0s` maxRetryAfter 0s is too short"]);
}

#[test]
fn a_word_for_a_number_hides_nothing_else() {
    let text = BASE.replacen("capacity: 100", "capacity: ten", 1).replacen("gpt: main", "gpt: nowhere", 1);
    let codes: Vec<String> =
        said(&text, &Options::default()).iter().map(|line| line.chars().take(6).collect()).collect();
    assert_eq!(codes, ["AL0113", "AL0201"], "{text}");
}

#[test]
fn a_spec_that_makes_nothing_is_refused() {
    check(
        "    deployments:\n      gpt: { model: gpt-4.1, version: \"2025-04-14\", capacity: 100 }\nb",
        "    deployments: {}\nb",
        &["AL0221 `deployments` the account `north` has no deployment", "AL0201 `gpt` there is no deployment `gpt`"],
    );
    let head = &BASE[..BASE.find("accounts:").unwrap_or(0)];
    assert_eq!(
        said(head, &Options::default()),
        ["AL0221 `version: 1` the spec has no accounts", "AL0221 `version: 1` the spec has no pools"]
    );
    let empty = format!("{head}models: {{ gpt-4.1: {{ version: \"1\" }} }}\n");
    assert_eq!(said(&empty, &Options::default()), ["AL0221 `gpt-4.1` `gpt-4.1` has no region"]);
    assert_eq!(said(&format!("{head}models: {{}}\n"), &Options::default()), ["AL0221 `models` `models` is empty"]);
    let odd = format!(
        "{head}models: {{ gpt-4.1: {{ version: \"2025-04-14\", ptu: {{ east_us: 50 }}, regions: {{ eastus2: 1 }} }} }}\n"
    );
    assert_eq!(said(&odd, &Options::default()), ["AL0116 `50` `east_us` is no region"]);
    let none = format!(
        "{head}models: {{ gpt-4.1: {{ version: \"2025-04-14\", ptu: {{ eastus: 0 }}, regions: {{ eastus2: 1 }} }} }}\n"
    );
    assert_eq!(said(&none, &Options::default()), ["AL0115 `0` eastus 0 is below 1"]);
    let both =
        BASE.replace("accounts:\n", "models: { gpt-4.1: { version: \"1\", regions: { eastus2: 1 } } }\naccounts:\n");
    let twice: Vec<String> =
        said(&both, &Options::default()).into_iter().filter(|line| line.contains("AL0220")).collect();
    assert_eq!(twice.len(), 3, "{twice:?}");
}

#[test]
fn keys_of_azure_have_no_place_in_a_spec() {
    let key = "0123456789abcdef0123456789abcdef";
    for (from, to) in [
        ("platform", key),
        ("sku: BasicV2", key),
        ("gpt: main", key),
        ("ai@contoso.com", key),
        ("breaker: fast", "breaker: fast, key: X"),
    ] {
        let to = if from.contains("sku") {
            format!("sku: {to}")
        } else if from.contains("gpt") {
            format!("gpt: {to}")
        } else {
            to.replace('X', key)
        };
        let text = BASE.replacen(from, &to, 1);
        let problems = load(&text, &Options::default()).expect_err("a key is refused");
        assert!(problems.iter().any(|problem| problem.code == code::LITERAL_SECRET), "{from}: {problems:?}");
        assert!(!format!("{problems:?}").contains(key), "{from}: {problems:?}");
    }
}

#[test]
fn a_key_is_found_in_texts_names_and_variables_and_is_nowhere_repeated() {
    let key = "0123456789abcdef0123456789abcdef";
    let foreign = |url: &str| format!("url: {url} }}");
    for (from, to) in [
        ("platform", format!("\"my key: {key}\"")),
        ("owner:", format!("{key}:")),
        ("gpt: main", format!("{key}: main")),
        ("  sku: BasicV2", format!("  {key}: BasicV2")),
        ("account: north, deployment: gpt }", foreign(&format!("https://x.test/{key}/openai"))),
        ("account: north, deployment: gpt }", foreign(&format!("https://x.test?api-key={key}"))),
        ("account: north, deployment: gpt", format!("account: north, deployment: {key}")),
        ("  sku: BasicV2", format!("  properties: {{ customProperties: {{ a: [x, {key}] }} }}")),
        ("platform", "\"${KEY}\"".to_owned()),
    ] {
        let text = BASE.replacen(from, &to, 1);
        let variables = |_: &str| Some(key.to_owned());
        let problems = load(&text, &Options { variables: &variables, ..Options::default() }).expect_err(&to);
        assert!(problems.iter().any(|problem| problem.code == code::LITERAL_SECRET), "{to}: {problems:?}");
        assert!(!format!("{problems:?}").contains(key), "{to}: {problems:?}");
    }
    let set = [("azure.tags.owner".to_owned(), key.to_owned())];
    let problems = load(BASE, &Options { set: &set, ..Options::default() }).expect_err("a key is refused");
    assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), [code::LITERAL_SECRET]);
    check(
        "  sku: BasicV2",
        "  properties: { customProperties: { Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Ciphers.TLS_RSA_WITH_AES_256_CBC_SHA256: \"False\" } }",
        &[],
    );
    // the version of a vault's secret is no secret
    let vault = format!(
        "url: https://x.test, credential: {{ keyVault: https://kv.vault.azure.net/secrets/k/{key}, header: api-key }} }}"
    );
    let text = BASE.replacen("account: north, deployment: gpt }", &vault, 1);
    assert_eq!(
        said(&text, &Options::default()),
        ["AL0232 `third` `third` is an address of somebody else's, and `main` is API Management's pool"]
    );
}

#[test]
fn a_file_that_goes_to_azure_holds_no_key() {
    let key = "0123456789abcdef0123456789abcdef";
    let with = |line: &str, file: String| {
        let text = BASE.replace("    retry: { count: 2 }", line);
        said(&text, &Options { files: &|_| Ok(file.clone()), ..Options::default() })
    };
    let own = "    policy: { template: own.xml.j2 }";
    assert_eq!(
        with(own, format!("<policies>\n<!-- {key} -->\n</policies>")),
        ["AL0212 `own.xml.j2` own.xml.j2 holds what looks like a key: line 2"]
    );
    assert_eq!(with(own, "<policies />".into()), [""; 0]);
    let document = |name: &str| format!(r#"{{ "openapi": "3.0.1", "paths": {{}}, "x": {{ "{name}": "{key}" }} }}"#);
    let line = "    definition: { file: a.json }";
    assert_eq!(
        with(line, document("api-key")),
        ["AL0212 `a.json` this document holds what looks like a key: x.api-key"]
    );
    assert_eq!(with(line, document("id")), [""; 0]);
}

#[test]
fn a_region_that_nobody_knows_is_a_warning() {
    let strange = |place: &str| format!("AL0318 `{place}` `{place}` is no region that this program knows");
    check("location: swedencentral", "location: sweden", &[&strange("sweden")]);
    check("location: swedencentral", "location: swedencentrall", &[&strange("swedencentrall")]);
    check("location: swedencentral", "location: Sweden Central", &[]);
    let help = |place: &str| {
        let text = BASE.replace("location: swedencentral", &format!("location: {place}"));
        let warnings = load(&text, &Options::default()).expect("a spec").warnings;
        warnings[0].help.clone().unwrap_or_default()
    };
    assert_eq!(help("sweden"), "use `swedencentral`");
    assert_eq!(help("swedencentrall"), "write `swedencentral`");
}

#[test]
fn warnings_warn_and_can_be_silenced() {
    check(
        "swedencentral",
        "East US 2",
        &[
            "AL0310 `accounts` every account is in eastus2",
            "AL0311 `gpt` `gpt` of east and `gpt` of north draw on one quota: GlobalStandard gpt-4.1 in eastus2",
        ],
    );
    check(
        "ai@contoso.com",
        "Publisher@contoso.com",
        &["AL0314 `Publisher@contoso.com` the publisher's address is the one of the samples"],
    );
    check(
        "deployment: ptu }",
        "deployment: ptu, breaker: none }",
        &["AL0312 `2` priority 2 of `main` is never used: `first` has no breaker"],
    );
    check("deployment: gpt }", "deployment: gpt, breaker: none }", &[]);
    check(
        "backend: second, priority: 2",
        "backend: second, priority: 1",
        &["AL0313 `1` `second` is pay-as-you-go beside the provisioned `first`"],
    );
    check(
        "count: 1,",
        "count: 3,",
        &["AL0316 `2` 2 retries of `openai` may all fail at `second`, which trips after 3"],
    );
    check("count: 1,", "count: 2,", &[]);
    check("retry: { count: 2 }", "retry: { count: 0 }", &[]);
    let leaking = BASE.replace("count: 1,", "count: 3,").replace("retry: { count: 2 }", "retry: { count: 0 }");
    assert_eq!(
        said(&leaking, &Options::default()),
        ["AL0315 `0` callers of `openai` see every failure of `second` until 3 have come"]
    );
    let silenced = |silence: &str| {
        said(&leaking.replace("version: 1\n", &format!("version: 1\nsilence: {silence}\n")), &Options::default())
    };
    assert_eq!(silenced("{ AL0315: \"a demonstration\" }"), [""; 0]);
    assert_eq!(silenced("{ AL0315: meant, AL0310: meant }"), ["AL0317 `AL0310` AL0310 is silenced and does not occur"]);
    // what a policy template gives is looked at later
    assert_eq!(silenced("{ AL0315: meant, AL0832: meant }"), [""; 0]);
    assert_eq!(silenced("{ AL0315: \" \" }"), ["AL0222 `AL0315` AL0315 is silenced without a reason"]);
    assert_eq!(silenced("{ AL0315: x, AL9999: x }"), ["AL0222 `AL9999` there is no code `AL9999`"]);
    assert_eq!(silenced("{ AL0315: x, AL0102: x }"), ["AL0222 `AL0102` AL0102 is no warning"]);
}
