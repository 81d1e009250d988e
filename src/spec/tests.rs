//! Laws of the whole way from text to topology.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

/// Deterministic by day; many and random by night.
pub fn config() -> Config {
    let cheap = Config { cases: 256, failure_persistence: None, ..Config::default() };
    #[allow(clippy::disallowed_methods)] // a test may read the environment
    match std::env::var_os("AOAI_LB_NIGHTLY") {
        Some(_) => Config { cases: cheap.cases * 100, ..cheap },
        None => Config { rng_seed: RngSeed::Fixed(1), ..cheap },
    }
}

const EXAMPLES: [(&str, &str); 3] = [
    ("minimal", include_str!("../../examples/minimal.yaml")),
    ("quickstart", include_str!("../../examples/quickstart.yaml")),
    ("two-regions", include_str!("../../examples/two-regions.yaml")),
];

#[test]
fn every_example_loads_without_a_warning() {
    for (name, text) in EXAMPLES {
        match load(text, &Options::default()) {
            Ok(loaded) => assert_eq!(loaded.warnings, [], "{name}"),
            Err(problems) => panic!("{name}: {problems:#?}"),
        }
    }
}

#[test]
fn the_long_form_says_the_same() {
    for (name, text) in EXAMPLES {
        let long = expand(text, &Options::default()).expect(name);
        println!("{long}");
        let (short, long_form) = (load(text, &Options::default()).expect(name), load(&long, &Options::default()));
        let long_form = long_form.unwrap_or_else(|problems| panic!("{name}: {problems:#?}\n{long}"));
        assert_eq!(short.topology, long_form.topology, "{name}");
        assert_eq!((short.simulation, &short.warnings), (long_form.simulation, &long_form.warnings), "{name}");
        assert_eq!(expand(&long, &Options::default()).as_ref(), Ok(&long), "{name}");
    }
}

/// A spec that obeys every rule and deserves no warning; rows below break it in one place.
const BASE: &str = r#"version: 1
name: contoso-ai
azure: { resourceGroup: rg-ai, location: eastus2, tags: { owner: platform } }
gateway:
  sku: BasicV2
  publisher: { email: ai@contoso.com }
accounts:
  east:
    location: eastus2
    deployments:
      ptu: { model: gpt-4.1, version: "2025-04-14", sku: ProvisionedManaged, capacity: 50 }
      gpt: { model: gpt-4.1, version: "2025-04-14", capacity: 100 }
  north:
    location: swedencentral
    deployments:
      gpt: { model: gpt-4.1, version: "2025-04-14", capacity: 100 }
breakers:
  fast: { count: 1, interval: PT10S, statusCodes: [429, 5xx], tripDuration: 1s }
backends:
  first: { account: east, deployment: ptu }
  second: { account: east, deployment: gpt, breaker: fast }
  third: { account: north, deployment: gpt }
pools:
  main:
    members:
      - { backend: first }
      - { backend: second, priority: 2, weight: 10 }
      - { backend: third, priority: 2, weight: 20 }
apis:
  openai:
    routes: { gpt: main }
    retry: { count: 2 }
subscriptions:
  team: { api: openai }
"#;

/// What is said about a text: code, the underlined piece, the message.
fn said(text: &str, options: &Options) -> Vec<String> {
    let problems = match load(text, options) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    let show = |problem: &Diagnostic| {
        let piece = problem.span.and_then(|span| text.get(span.start..span.end)).unwrap_or("-");
        format!("{} `{piece}` {}", problem.code, problem.message)
    };
    problems.iter().map(show).collect()
}

/// Replaces one piece of [`BASE`] and says what must be reported.
#[track_caller]
fn check(from: &str, to: &str, expected: &[&str]) {
    assert!(BASE.contains(from), "the base has no {from}");
    let text = BASE.replacen(from, to, 1);
    assert_eq!(said(&text, &Options::default()), expected, "{from} -> {to}");
}

#[test]
fn the_base_of_these_tests_is_clean() {
    assert_eq!(said(BASE, &Options::default()), [""; 0]);
}

#[test]
fn structure_is_checked() {
    check("version: 1\n", "version: 2\n", &["AL0115 `2` version 2 is not known"]);
    check("name: contoso-ai\n", "", &["AL0112 `version: 1` the spec has no `name`"]);
    check("name: contoso-ai", "name: Contoso", &["AL0202 `Contoso` `Contoso` is no name"]);
    check("weight: 10", "wieght: 10", &["AL0110 `wieght` unknown key `wieght`"]);
    check("weight: 10", "colour: 10", &["AL0110 `colour` unknown key `colour`"]);
    check("weight: 10", "weight: 101", &["AL0115 `101` weight 101 is above 100"]);
    check("weight: 10", "weight: -1", &["AL0115 `-1` weight -1 is below 0"]);
    check("weight: 10", "weight: 1.5", &["AL0113 `1.5` `weight` is the number 1.5"]);
    check("weight: 10", "weight: \"10\"", &["AL0113 `\"10\"` `weight` is the text `10`"]);
    check("priority: 2", "priority: 101", &["AL0115 `101` priority 101 is above 100"]);
    check("retry: { count: 2 }", "retry: { count: 51 }", &["AL0115 `51` count 51 is above 50"]);
    check("count: 1,", "count: 10001,", &["AL0115 `10001` count 10001 is above 10000"]);
    check("sku: BasicV2", "sku: Basicv2", &["AL0114 `Basicv2` `Basicv2` is no sku"]);
    check(
        "model: gpt-4.1, version: \"2025-04-14\", capacity",
        "model: gpt-4.1, version: 0613, capacity",
        &["AL0113 `0613` `version` is the number 613"],
    );
    check("capacity: 100 }\n  north", "capacity: 0 }\n  north", &["AL0115 `0` capacity 0 is below 1"]);
    check("members:\n", "members: none\n      #\n", &["AL0103 `-` this line is not indented like its neighbours"]);
    check("retry: { count: 2 }", "retry: 2", &["AL0113 `2` `retry` is the number 2"]);
    check("routes: { gpt: main }", "routes: [gpt]", &["AL0113 `[gpt]` `routes` is a list"]);
    check("tripDuration: 1s", "tripDuration: P1M", &["AL0209 `P1M` `P1M` is no tripDuration"]);
    check(
        "[429, 5xx]",
        "[429, 6xx, 42]",
        &["AL0208 `6xx` `6xx` is no statusCodes[1]", "AL0115 `42` statusCodes[2] 42 is below 200"],
    );
    check("location: swedencentral", "location:", &["AL0113 `` `location` is nothing"]);
    check("subscriptions:\n  team: { api: openai }\n", "subscriptions:\n  team:\n", &["AL0113 `` `team` is nothing"]);
    check("email: ai@contoso.com", "email: contoso", &["AL0116 `contoso` `contoso` is no email"]);
    check("accounts:\n", "acounts:\n", &["AL0110 `acounts` unknown key `acounts`"]);
    check("    retry: { count: 2 }", "    displayName: \"\"", &["AL0202 `\"\"` `displayName` is empty"]);
    check("    retry: { count: 2 }", "    onExhausted: { status: 500 }", &["AL0114 `500` status 500 is not offered"]);
    check("    retry: { count: 2 }", "    surfaces: []", &["AL0115 `[]` `surfaces` is an empty list"]);
    // what may be left out may also stand without a value
    check("    retry: { count: 2 }", "    retry:\n    pool:", &[]);
}

#[test]
fn what_a_later_version_reads_is_refused_by_name() {
    let late = |what: &str| format!("this version does not have {what} yet");
    for (from, to, piece, what) in [
        ("version: 1\n", "version: 1\nproducts: {}\n", "products", "`products`"),
        ("version: 1\n", "version: 1\nprotect: [gateway]\n", "protect", "`protect`"),
        ("version: 1\n", "version: 1\nignoreChanges: []\n", "ignoreChanges", "`ignoreChanges`"),
        ("version: 1\n", "version: 1\nobservability: {}\n", "observability", "`observability`"),
        ("version: 1\n", "version: 1\nroles: check\n", "check", "`check` as `roles`"),
        ("  sku: BasicV2", "  existing: { name: x }", "existing", "`existing`"),
        ("  sku: BasicV2", "  network: {}", "network", "`network`"),
        ("  sku: BasicV2", "  identity: { user: x }", "{ user: x }", "a mapping as `identity`"),
        ("{ account: north, deployment: gpt }", "{ url: https://x }", "url", "`url`"),
        ("routes: { gpt: main }", "strategy: smart", "smart", "`smart` as `strategy`"),
        ("routes: { gpt: main }", "surfaces: [deployments, v1]", "v1", "`v1` as `surfaces[1]`"),
        ("routes: { gpt: main }", "definition: catch-all", "catch-all", "`catch-all` as `definition`"),
        ("routes: { gpt: main }", "callers: { keys: false }", "false", "`false` as `keys`"),
        ("routes: { gpt: main }", "callers: { entra: {} }", "entra", "`entra`"),
        ("routes: { gpt: main }", "tokenLimit: {}", "tokenLimit", "`tokenLimit`"),
        ("team: { api: openai }", "team: { product: gold }", "product", "`product`"),
    ] {
        check(from, to, &[&format!("AL0111 `{piece}` {}", late(what))]);
    }
}

#[test]
fn references_must_lead_somewhere() {
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
    check("breaker: fast", "breaker: ptu", &[]);
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
            "AL0205 `1` Consumption cannot have 1 units",
            "AL0206 `fast` Consumption has no circuit breakers",
            "AL0312 `2` priority 2 of `main` is never used: `first` has no breaker",
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
    check("  fast:", "  a_b: {}\n  fast:", &["AL0202 `a_b` `a_b` is no name for a breaker"]);
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
        &["AL0216 `third` `main` mixes gpt-4.1 2025-04-14 and gpt-4.1 2025-05-01"],
    );
    check(
        version,
        "model: gpt-4o, version: \"2025-04-14\", capacity: 100 }\nbreakers",
        &["AL0216 `third` `main` mixes gpt-4.1 2025-04-14 and gpt-4o 2025-04-14"],
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
        &["AL0203 `first` `first` is the name of both backends.first and pools.first"],
    );
    check(
        "pools:\n",
        "pools:\n  FIRST: { members: [{ backend: third }] }\n",
        &["AL0203 `FIRST` `first` and `FIRST` are one name to Azure"],
    );
    check(
        "  north:\n",
        "  North:\n",
        &["AL0202 `North` `North` is no key of an account", "AL0201 `north` there is no account `north`"],
    );
    check("  north:\n", "  north:\n    name: my--account\n", &[]);
    check("  north:\n", "  north:\n    name: -account\n", &["AL0202 `-account` `-account` is no name"]);
    check("  north:\n", "  north:\n    name: a\n", &["AL0202 `a` `a` is no name"]);
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
fn warnings_warn_and_can_be_silenced() {
    check(
        "swedencentral",
        "East US 2",
        &[
            "AL0310 `accounts` every account is in eastus2",
            "AL0311 `gpt` gpt of north shares its quota with gpt of east",
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
    assert_eq!(silenced("{ AL0315: meant, AL0310: meant }"), ["AL0317 `meant` AL0310 is silenced and does not occur"]);
    assert_eq!(silenced("{ AL0315: \" \" }"), ["AL0222 `\" \"` AL0315 is silenced without a reason"]);
    assert_eq!(silenced("{ AL0315: x, AL9999: x }"), ["AL0222 `x` there is no code `AL9999`"]);
    assert_eq!(silenced("{ AL0315: x, AL0102: x }"), ["AL0222 `x` AL0102 is no warning"]);
}

#[test]
fn every_problem_is_reported_at_once_in_the_order_of_the_file() {
    let text = BASE
        .replace("weight: 10", "weight: 101")
        .replace("account: north, deployment", "account: nort, deployment")
        .replace("count: 1,", "cuont: 1,")
        .replace("  team:", "  probe:")
        .replace("gateway:", "azure: {}\ngateway:");
    let problems = load(&text, &Options::default()).expect_err("problems");
    let places: Vec<(&str, (usize, usize))> = problems
        .iter()
        .map(|problem| (problem.code.as_str(), position(&text, problem.span.expect("a place").start)))
        .collect();
    assert_eq!(
        places,
        [("AL0102", (4, 1)), ("AL0110", (19, 11)), ("AL0201", (23, 21)), ("AL0115", (28, 49)), ("AL0204", (35, 3)),]
    );
}

#[test]
fn variables_that_are_missing_do_not_hide_the_rest() {
    let text =
        BASE.replace("  sku: BasicV2", "  sku: ${SKU}\n  capacity: ${UNITS}").replace("weight: 10", "weight: 101");
    assert_eq!(
        said(&text, &Options::default()),
        [
            "AL0106 `${SKU}` the variable `SKU` is not set",
            "AL0106 `${UNITS}` the variable `UNITS` is not set",
            "AL0115 `101` weight 101 is above 100",
        ]
    );
    let set = [("gateway.sku".to_string(), "Basic".to_string())];
    let get = |name: &str| (name == "UNITS").then(|| "2".to_string());
    let options = Options { set: &set, variables: &get, ..Options::default() };
    let gateway = load(&text.replace("101", "10"), &options).expect("a spec").topology.gateway.expect("a gateway");
    assert_eq!((gateway.sku.as_str(), gateway.capacity), ("Basic", 2));
}

#[test]
fn the_command_line_wins_and_is_named_in_messages() {
    let set = [("pools.main.members[1].weight".to_string(), "101".to_string())];
    let options = Options { set: &set, ..Options::default() };
    let problems = load(BASE, &options).expect_err("a weight of 101");
    assert_eq!(problems[0].message, "weight 101 is above 100");
    assert_eq!(problems[0].notes, ["`pools.main.members[1].weight` is set on the command line"]);
    let options = Options {
        subscription: Some("00000000-0000-0000-0000-000000000001"),
        resource_group: Some("rg-2"),
        ..Options::default()
    };
    let scope = load(BASE, &options).expect("a spec").topology.scope;
    assert_eq!((scope.resource_group.as_str(), scope.subscription.as_deref()), ("rg-2", options.subscription));
}

#[test]
fn an_environment_makes_its_own_stack() {
    let text = format!(
        "{BASE}environments:\n  dev: {{ azure: {{ resourceGroup: rg-dev }}, gateway: {{ sku: Developer }} }}\n"
    );
    let of = |environment| {
        let options =
            Options { environment, subscription: Some("00000000-0000-0000-0000-000000000001"), ..Options::default() };
        load(&text, &options).expect("a spec").topology
    };
    let (plain, dev) = (of(None), of(Some("dev")));
    assert_eq!((plain.scope.resource_group.as_str(), dev.scope.resource_group.as_str()), ("rg-ai", "rg-dev"));
    assert_eq!(dev.stack.environment, "dev");
    assert_ne!(stack_unique(&plain), stack_unique(&dev));
    let options = Options { environment: Some("dev"), ..Options::default() };
    let long = expand(&text, &options).expect("a spec");
    assert_eq!(load(&long, &options).expect("the long form").topology, load(&text, &options).expect("a spec").topology);
}

#[test]
fn the_stack_is_told_apart_by_subscription_group_name_and_environment() {
    let mut topology = load(BASE, &Options::default()).expect("a spec").topology;
    assert_eq!(stack_unique(&topology), None);
    topology.scope.subscription = Some("00000000-0000-0000-0000-00000000000A".into());
    let id = "/subscriptions/00000000-0000-0000-0000-00000000000a/resourcegroups/rg-ai";
    assert_eq!(stack_unique(&topology), Some(expr::unique_string(&[id, "contoso-ai", ""])));
}

#[test]
fn the_short_form_becomes_what_the_design_says() {
    let text = r#"version: 1
name: contoso-ai
azure: { resourceGroup: rg-contoso-ai, location: eastus2 }
gateway: { publisher: { email: ops@contoso.com } }
models:
  gpt-4.1: { version: "2025-04-14", regions: { eastus2: 100, swedencentral: 50 }, ptu: { eastus2: 50 } }
  text-embedding-3-large: { version: "1", regions: { eastus2: 350, swedencentral: 350 } }
"#;
    let loaded = load(text, &Options::default()).expect("a spec");
    assert_eq!(loaded.warnings, []);
    let topology = &loaded.topology;
    let deployments: Vec<String> = topology
        .accounts
        .iter()
        .flat_map(|(key, account)| {
            account.deployments.iter().map(move |(name, d)| format!("{key} {name} {} {}", d.sku.as_str(), d.capacity))
        })
        .collect();
    assert_eq!(
        deployments,
        [
            "eastus2 gpt-4.1 GlobalStandard 100",
            "eastus2 gpt-4.1-ptu ProvisionedManaged 50",
            "eastus2 text-embedding-3-large GlobalStandard 350",
            "swedencentral gpt-4.1 GlobalStandard 50",
            "swedencentral text-embedding-3-large GlobalStandard 350",
        ]
    );
    let members = |pool: &str| -> Vec<String> {
        topology.pools[pool].members.iter().map(|m| format!("{} {} {}", m.backend, m.priority, m.weight)).collect()
    };
    assert_eq!(members("gpt-4.1"), ["eastus2-gpt-4.1-ptu 1 1", "eastus2-gpt-4.1 2 2", "swedencentral-gpt-4.1 2 1"]);
    assert_eq!(
        members("text-embedding-3-large"),
        ["eastus2-text-embedding-3-large 1 1", "swedencentral-text-embedding-3-large 1 1"]
    );
    let breaker = |backend: &str| topology.backends[backend].breaker.as_ref().map(|breaker| breaker.name.as_str());
    assert_eq!((breaker("eastus2-gpt-4.1-ptu"), breaker("eastus2-gpt-4.1")), (Some("ptu"), Some("default")));
    assert_eq!(topology.apis.keys().collect::<Vec<_>>(), ["openai"]);
    assert_eq!(topology.subscriptions.keys().collect::<Vec<_>>(), ["default", "probe"]);
    assert_eq!(topology.grants.keys().collect::<Vec<_>>(), ["eastus2", "swedencentral"]);
    let names: Vec<String> = topology.accounts.values().map(|account| account.name.to_string()).collect();
    assert_eq!(names, ["aoai-eastus2-*", "aoai-swedencentral-*"]);
    let gateway = topology.gateway.as_ref().expect("a gateway");
    assert_eq!((gateway.name.to_string().as_str(), gateway.sku.as_str(), gateway.capacity), ("apim-*", "BasicV2", 1));
    // what the short form makes stands where it comes from
    let piece = |key: &str| loaded.spans.get(key).map(|span| &text[span.start..span.end]);
    assert_eq!(piece("backends.swedencentral-gpt-4.1"), Some("50"));
    assert_eq!(piece("pools.gpt-4.1.members[0].weight"), Some("50"));
    assert_eq!(piece("apis.openai"), Some("models"));
}

/// Everything that a spec may say, so that the long form is tried with it.
const FULL: &str = r#"version: 1
name: full
silence: { AL0312: "shown on purpose", AL0316: "and this", AL0310: unused }
azure: { subscription: 00000000-0000-0000-0000-000000000001, resourceGroup: "(rg)", location: East US 2, tags: { a: "$${b}", "c d": "x: 'y'\n#" } }
gateway: { name: my-apim, sku: Standard, capacity: 2, publisher: { name: "no", email: a@b.c }, identity: system }
roles: manage
accounts:
  a: { location: eastus2, kind: AIServices, name: my-account, deployments: { d1: { model: m, version: "1", versionUpgrade: NoAutoUpgrade, capacity: 1 }, d2: { model: m, version: "1", sku: DataZoneStandard, capacity: 1 } } }
  b: { location: westus, deployments: { d3: { model: m, version: "1", capacity: 1 } } }
breakers:
  default: { count: 3 }
  share: { percentage: 10, interval: P1D, statusCodes: [429, 5xx, 430-432], tripDuration: 90m, acceptRetryAfter: false }
backends:
  x: { account: a, deployment: d1, breaker: share }
  y: { account: a, deployment: d2, breaker: none }
  z: { account: b, deployment: d3 }
pools:
  p: { members: [{ backend: z, priority: 0, weight: 100 }, { backend: x, priority: 0, weight: 0 }, { backend: y, priority: 7 }] }
  q: { members: [{ backend: y }, { backend: z, priority: 2 }] }
apis:
  one: { path: /a/openai/, displayName: "One: 1", routes: { "4.1": p, x: q }, retry: { count: 1, interval: 2s, firstFast: false, timeout: 1m, timeouts: true } }
  two: { pool: q, onExhausted: { status: 503, maxRetryAfter: 1h }, callers: { keys: { header: X-Key, query: key } } }
simulation: { instances: 3, rotation: random }
"#;

#[test]
fn the_long_form_keeps_everything() {
    let loaded = load(FULL, &Options::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(loaded.simulation, Simulation { instances: 3, rotation: Rotation::Random });
    assert_eq!(loaded.topology.subscriptions.keys().collect::<Vec<_>>(), ["one", "probe", "two"]);
    assert_eq!(loaded.topology.tags["a"], "${b}");
    let long = expand(FULL, &Options::default()).expect("a spec");
    let again = load(&long, &Options::default()).unwrap_or_else(|problems| panic!("{problems:#?}\n{long}"));
    assert_eq!(again.topology, loaded.topology, "{long}");
    assert_eq!(again.simulation, loaded.simulation);
    let codes = |loaded: &Loaded| loaded.warnings.iter().map(|warning| warning.code).collect::<Vec<_>>();
    assert_eq!(codes(&again), codes(&loaded));
}

#[test]
fn every_property_of_the_schema_is_described() {
    fn walk(schema: &Json, path: &str) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{key}");
            assert!(property["description"].as_str().is_some_and(|text| text.len() > 3), "{path} has no description");
            walk(property, &path);
        }
        for inner in ["items", "additionalProperties"].into_iter().filter_map(|key| schema.get(key)) {
            walk(inner, &format!("{path}.*"));
        }
        schema["anyOf"].as_array().into_iter().flatten().for_each(|inner| walk(inner, path));
    }
    walk(structure(), "");
    walk(&schema(), "");
}

#[test]
fn the_schema_has_only_what_the_checker_reads() {
    const READ: [&str; 21] = [
        "$schema",
        "title",
        "description",
        "format",
        "type",
        "properties",
        "required",
        "additionalProperties",
        "enum",
        "const",
        "anyOf",
        "items",
        "minimum",
        "maximum",
        "pattern",
        "minLength",
        "maxLength",
        "minItems",
        "default",
        "oneOf",
        "writeOnly",
    ];
    fn walk(schema: &Json, path: &str) {
        let Json::Object(members) = schema else { return };
        for (key, value) in members {
            assert!(READ.contains(&key.as_str()), "{path}: {key}");
            match key.as_str() {
                "properties" => value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .for_each(|(key, inner)| walk(inner, &format!("{path}.{key}"))),
                "anyOf" | "oneOf" => value.as_array().into_iter().flatten().for_each(|inner| walk(inner, path)),
                "items" | "additionalProperties" => walk(value, &format!("{path}.*")),
                "pattern" => {
                    let known = formats::ALL.iter().any(|format| Some(format.pattern) == value.as_str());
                    assert!(known, "{path}: no rule for the pattern {value}");
                }
                _ => {}
            }
        }
    }
    walk(structure(), "");
    assert!(!structure().to_string().contains("$ref"));
}

/// Whatever is said about a text is well placed, and is no bug of ours.
fn survives(text: &str) -> Result<(), TestCaseError> {
    let get = |name: &str| (name.len() % 2 == 0).then(|| name.to_string());
    for environment in [None, Some("dev")] {
        let options = Options { environment, variables: &get, ..Options::default() };
        let problems = match load(text, &options) {
            Ok(loaded) => {
                let long = expand(text, &options).map_err(|_| TestCaseError::fail("expands not"))?;
                let again = load(&long, &options).map_err(|p| TestCaseError::fail(format!("{p:#?}\n{long}")))?;
                prop_assert_eq!(&again.topology, &loaded.topology, "{}", long);
                loaded.warnings
            }
            Err(problems) => {
                prop_assert!(problems.iter().any(|problem| problem.severity == Severity::Error), "{:?}", problems);
                problems
            }
        };
        for problem in &problems {
            prop_assert!(problem.code != code::INTERNAL, "{}", problem);
            prop_assert!(problem.help.is_some() || problem.code < code::UNKNOWN_KEY, "{}", problem);
            if let Some(span) = problem.span {
                prop_assert!(text.get(span.start..span.end).is_some(), "{} {:?}", problem, span);
            }
        }
        let place = |problem: &Diagnostic| (problem.severity, problem.span.map(|span| span.start));
        prop_assert!(problems.is_sorted_by_key(place));
    }
    Ok(())
}

/// Every word that stands in the schema or means something to us.
fn words() -> Vec<String> {
    fn walk(schema: &Json, out: &mut Vec<String>) {
        match schema {
            Json::Object(members) => {
                out.extend(
                    members.get("properties").and_then(Json::as_object).into_iter().flat_map(|map| map.keys().cloned()),
                );
                out.extend(
                    members
                        .get("enum")
                        .and_then(Json::as_array)
                        .into_iter()
                        .flatten()
                        .map(|word| word.as_str().map_or_else(|| word.to_string(), String::from)),
                );
                members.values().for_each(|inner| walk(inner, out));
            }
            Json::Array(items) => items.iter().for_each(|inner| walk(inner, out)),
            _ => {}
        }
    }
    let mut words: Vec<String> = [
        "a",
        "b",
        "dev",
        "probe",
        "none",
        "default",
        "ptu",
        "AL0310",
        "0",
        "1",
        "101",
        "-1",
        "4294967296",
        "60s",
        "PT1M",
        "5xx",
        "500-503",
        "${ab}",
        "${a}",
        "x${ab}",
        "${",
        "\"1\"",
        "\"\"",
        "~",
        "true",
        "eastus2",
        "a@b",
        "1.5",
        "existing",
        "smart",
    ]
    .map(String::from)
    .to_vec();
    walk(structure(), &mut words);
    words.sort();
    words.dedup();
    words
}

/// A tree as one line of YAML, of words that specs are made of.
fn tree() -> impl Strategy<Value = String> {
    let word = prop::sample::select(words())
        .prop_map(|word| if word.contains(['{', '[']) { format!("\"{word}\"") } else { word });
    word.clone().prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            4 => prop::collection::btree_map(word.clone(), inner, 0..6).prop_map(|entries| {
                let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    })
}

/// The full spec with some of its scalars replaced: mostly right, and wrong in any place.
fn mutated() -> impl Strategy<Value = String> {
    let pieces: Vec<&str> = FULL.split_inclusive([' ', ',', '{', '}', '[', ']', '\n', ':']).collect();
    let count = pieces.len();
    let change = (0..count, prop::sample::select(words()), any::<bool>());
    prop::collection::vec(change, 0..4).prop_map(move |changes| {
        let mut pieces: Vec<String> = pieces.iter().map(|piece| piece.to_string()).collect();
        for (at, word, drop) in changes {
            let last = pieces[at].pop().unwrap_or(' ');
            pieces[at] = if drop { String::new() } else { format!("{word}{last}") };
        }
        pieces.concat()
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        survives(&text)?;
    }

    #[test]
    fn no_yaml_is_too_strange(text in r##"([a-c&*!|>%@`'\"#,\[\]{}:?\-\t \n$]|<<|---|\.\.\.|: |- |\$\{a\}|[a-z]+: ){0,60}"##) {
        survives(&text)?;
    }

    #[test]
    fn no_tree_is_too_strange(text in tree()) {
        survives(&text)?;
    }

    #[test]
    fn a_spec_with_mistakes_is_told_about_them(text in mutated()) {
        survives(&text)?;
    }

    #[test]
    fn no_key_of_set_is_too_strange(path in r#"[a-z\.\[\]"0-9]{0,12}|(pools|p|members|\.|\[|\]|0|1|"){0,8}"#, value in any::<String>()) {
        let set = [(path, value)];
        let options = Options { set: &set, ..Options::default() };
        if let Err(problems) = load(FULL, &options) {
            prop_assert!(problems.iter().all(|problem| problem.code != code::INTERNAL), "{:?}", problems);
        }
    }
}
