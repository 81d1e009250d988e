//! A large spec with some sixty mistakes of all kinds: each is reported, once, in the order of the file, in one pass.

use super::super::*;
use super::said;
use crate::diagnostic::Code;
use std::cell::Cell;

/// Regions that offer gpt-5.1 and gpt-5.4 anywhere in the world.
const REGIONS: [&str; 28] = [
    "australiaeast",
    "brazilsouth",
    "canadacentral",
    "canadaeast",
    "centralus",
    "eastus",
    "eastus2",
    "francecentral",
    "germanywestcentral",
    "italynorth",
    "japaneast",
    "koreacentral",
    "northcentralus",
    "norwayeast",
    "polandcentral",
    "southafricanorth",
    "southcentralus",
    "southeastasia",
    "southindia",
    "spaincentral",
    "swedencentral",
    "switzerlandnorth",
    "switzerlandwest",
    "uaenorth",
    "uksouth",
    "westeurope",
    "westus",
    "westus3",
];

/// Mistakes in a deployment that no backend calls. What a line deserves stands behind it.
const DEPLOYMENTS: [&str; 18] = [
    "d01: { model: gpt-5l, version: \"2025-11-13\", capacity: 1 } # AL0319",
    "d02: { model: gpt-5-nano, version: \"2025-08-31\", capacity: 1 } # AL0320",
    "d03: { model: gpt-35-turbo, version: \"0613\", capacity: 1 } # AL0321",
    "d04: { model: gpt-5, version: \"2025-08-07\", sku: Standard, capacity: 1 } # AL0323",
    "d05: { model: gpt-5.1, version: \"2025-11-13\", sku: GlobalProvisionedManaged, capacity: 16 } # AL0324",
    "d06-ptu: { model: gpt-5-mini, version: \"2025-08-07\", capacity: 1 } # AL0325",
    "d07: { model: gpt-5-mini, version: \"2025-08-07\", sku: GlobalBatch, capacity: 1 } # AL0224",
    "d08: { model: gpt-5-nano, version: \"2025-08-07\", capacity: 0 } # AL0115",
    "d09: { model: gpt-5-nano, version: \"2025-08-07\", capasity: 1 } # AL0110",
    "d10: { model: gpt-5-nano, version: \"2025-08-07\", capacity: ten } # AL0113",
    "d11: { model: gpt-5-nano, version: \"2025-08-07\", capacity: 1, sku: Globalstandard } # AL0114",
    "d12: { model: gpt-5-nano, version: \"2025-08-07\", capacity: 1, versionUpgrade: Never } # AL0114",
    "d: { model: gpt-5-pro, version: \"2025-10-06\", capacity: 1 } # AL0202",
    "\"d 14\": { model: gpt-5-codex, version: \"2025-09-15\", capacity: 1 } # AL0202",
    "GPT: { model: gpt-5-codex, version: \"2025-09-15\", capacity: 1 }",
    "d16: { model: gpt-5-codex, version: \"2025-09-15\", capacity: 1, colour: red } # AL0110",
    "d17: { model: gpt-5-mini, version: \"2025-08-07\", capacity: 1000001 } # AL0115",
    "d18: { model: gpt-5.2, version: \"2025-12-11\", capacity: 1, capacity: 2 } # AL0102",
];

const REST: &str = r#"  Upper: # AL0202
    location: mars # AL0318
    deployments: { gpt: { model: gpt-5.2, version: "2025-12-11", capacity: 1 } }
  empty:
    location: eastus2
    deployments: {} # AL0221
  named:
    location: eastus2
    name: -x # AL0202
    kind: Openai # AL0114
    deployments: { gpt: { model: o3, version: "2025-04-16", capacity: 1 } }
breakers:
  both: { count: 1, percentage: 5 } # AL0207
  nothing: { statusCodes: [] } # AL0208
  backwards: { statusCodes: [503-500] } # AL0208
  never: { interval: 0s } # AL0209
  half: { tripDuration: 500ms } # AL0209
  none: {} # AL0204
  a_b: {} # AL0202
  cuonted: { cuont: 1 } # AL0110
  large: { count: 10001 } # AL0115
backends:
  first: { account: a00, deployment: gpt }
  lost: { account: a77, deployment: gpt } # AL0201
  missing: { account: a01, deployment: gpx } # AL0201
  odd: { account: a02, deployment: gpt, breaker: fsat } # AL0201
  twin: { account: a03, deployment: gpt }
  twin-2: { account: a03, deployment: gpt } # AL0215
  -b: { account: a04, deployment: gpt } # AL0202
"#;

const END: &str = r#"  none: { members: [] } # AL0211
  twice:
    members:
      - { backend: first }
      - { backend: first } # AL0213
      - { backend: main } # AL0214
      - { backend: nobody } # AL0201
      - { backend: b29, weight: 101 } # AL0115 AL0216
  weightless: # the list has no place of its own
    members: # AL0217
      - { backend: first, weight: 0 }
  twin: { members: [{ backend: twin }] } # AL0203
apis:
  openai: { path: openai, pool: main, retry: { count: 51 } } # AL0115
  second: { path: /OpenAI/, pool: main } # AL0218
  third:
    routes: {} # AL0219
  fourth:
    routes: { gpt: mian } # AL0201
    retry: { timeout: 241s } # AL0209
    onExhausted: { status: 500 } # AL0114
  fifth: { pool: main, retry: { interval: 100ms } } # AL0209
  sixth: { pool: main, routes: { gpt: main } } # AL0219
subscriptions:
  probe: { api: openai } # AL0204
  Master: { api: openai } # AL0204
  team: { api: opnai } # AL0201
  whose: {} # AL0223
  "a b": { api: openai } # AL0202
silence:
  AL9999: because # AL0222
  AL0102: because # AL0222
  AL0310: " " # AL0222
"#;

fn spec() -> String {
    let mut text = String::from(
        "version: 1\nname: large\nazure:\n  resourceGroup: rg\n  location: eastus2\n  tags:\n    owner: a # AL0203\n    \
         Owner: b\n    aoai-lb-stack: x # AL0204\n    a/b: c # AL0202\ngateway:\n  sku: BasicV2\n  \
         capacity: 11 # AL0205\n  publisher:\n    email: me@example.com # AL0314\naccounts:\n",
    );
    let mut mistakes = DEPLOYMENTS.iter();
    for n in 0..47 {
        // 28 regions, two of them again in another SKU, and a model of its own for the rest
        let (region, model, sku) = match n {
            0..28 => (REGIONS[n], "gpt-5.1, version: \"2025-11-13\"", "GlobalStandard"),
            28 => ("eastus2", "gpt-5.1, version: \"2025-11-13\"", "DataZoneStandard"),
            _ => (REGIONS[n - 29], "gpt-5.4, version: \"2026-03-05\"", "GlobalStandard"),
        };
        text.push_str(&format!("  a{n:02}:\n    location: {region}\n    kind: ${{KIND}}\n    deployments:\n"));
        if n > 4
            && let Some(mistake) = mistakes.next()
        {
            text.push_str(&format!("      {mistake}\n"));
        }
        let collides = if text.ends_with("GPT: { model: gpt-5-codex, version: \"2025-09-15\", capacity: 1 }\n") {
            " # AL0203"
        } else {
            ""
        };
        text.push_str(&format!("      gpt: {{ model: {model}, sku: {sku}, capacity: 10 }}{collides}\n"));
    }
    assert!(mistakes.next().is_none());
    text.push_str(REST);
    for n in 5..47 {
        text.push_str(&format!("  b{n:02}: {{ account: a{n:02}, deployment: gpt }}\n"));
    }
    text.push_str("pools:\n  main:\n    members:\n      - { backend: first }\n");
    for n in 5..29 {
        text.push_str(&format!("      - {{ backend: b{n:02}, weight: {n} }}\n"));
    }
    text.push_str("  second:\n    members:\n");
    for n in 29..47 {
        text.push_str(&format!("      - {{ backend: b{n:02} }}\n"));
    }
    text.push_str(END);
    text
}

/// What stands behind the lines: each code with its line.
fn deserved(text: &str) -> Vec<(String, usize)> {
    let mut all = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let comment = line.split_once(" # ").map_or("", |(_, comment)| comment);
        let codes = comment.split(' ').filter(|word| Code::parse(word).is_some());
        all.extend(codes.map(|code| (code.to_owned(), number + 1)));
    }
    all
}

#[test]
fn sixty_mistakes_are_sixty_problems_in_the_order_of_the_file() {
    let text = spec();
    let asked = Cell::new(0);
    let variables = |name: &str| {
        asked.set(asked.get() + 1);
        (name == "KIND").then(|| "OpenAI".to_owned())
    };
    let options = Options { variables: &variables, ..Options::default() };
    let problems = load(&text, &options).expect_err("sixty problems");
    let told: Vec<(String, usize)> = problems
        .iter()
        .map(|problem| (problem.code.to_string(), position(&text, problem.span.expect("a place").start).0))
        .collect();
    let (mut sorted, mut expected) = (told.clone(), deserved(&text));
    assert!(expected.len() >= 60, "{}", expected.len());
    sorted.sort();
    expected.sort();
    let show = |all: &[(String, usize)]| all.iter().map(|(code, line)| format!("{code} {line}")).collect::<Vec<_>>();
    assert_eq!(show(&sorted), show(&expected), "\n{text}");
    // errors, then warnings, each by line
    let order = |(code, line): &(String, usize)| (Code::parse(code).map(Code::severity), *line);
    assert!(told.windows(2).all(|pair| order(&pair[0]) <= order(&pair[1])), "{told:?}");
    // each variable is asked for where it stands, and nowhere again
    assert_eq!(asked.get(), text.matches("${KIND}").count());
    // the same again
    assert_eq!(load(&text, &options).expect_err("the same"), problems);
}

#[test]
fn what_is_alike_in_fifty_accounts_is_said_once() {
    let mut text = String::from(
        "version: 1\nname: alike\nazure: { resourceGroup: rg, location: eastus2 }\n\
         gateway: { publisher: { email: a@contoso.com } }\naccounts:\n",
    );
    for n in 0..50 {
        text.push_str(&format!("  a{n:02}: {{ location: eastus2, deployments: {{ gpt: {{ model: gpt-4.11, version: \"1\", capacity: 10 }} }} }}\n"));
    }
    text.push_str("pools:\n  main:\n    members:\n");
    for n in 0..30 {
        text.push_str(&format!("      - {{ backend: a{n:02}-gpt }}\n"));
    }
    assert_eq!(
        said(&text, &Options::default()),
        [
            "AL0310 `accounts` every account is in eastus2",
            "AL0319 `gpt-4.11` `gpt-4.11` is no model that this program knows",
            "AL0311 `gpt` `gpt` of a00, `gpt` of a01, `gpt` of a02 and 47 more draw on one quota: GlobalStandard gpt-4.11 in eastus2",
        ]
    );
}
