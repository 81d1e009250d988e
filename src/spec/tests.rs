//! Laws of the whole way from text to topology.

use super::*;
use proptest::test_runner::{Config, RngSeed};

mod any;
mod catalogue;
mod edges;
mod features;
mod hostile;
mod laws;
mod many;
mod rules;

/// Deterministic by day; many and random by night.
pub fn config() -> Config {
    let cheap = Config { cases: 256, failure_persistence: None, ..Config::default() };
    #[allow(clippy::disallowed_methods)] // a test may read the environment
    match std::env::var_os("AOAI_LB_NIGHTLY") {
        Some(_) => Config { cases: cheap.cases * 100, ..cheap },
        None => Config { rng_seed: RngSeed::Fixed(1), ..cheap },
    }
}

/// Every example, by its file's name.
#[allow(clippy::disallowed_methods)] // a test may read the disk
fn examples() -> Vec<(String, String)> {
    let folder = std::fs::read_dir(EXAMPLES).expect("the examples");
    let mut found: Vec<(String, String)> = folder
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
            (name, std::fs::read_to_string(&path).expect("a text"))
        })
        .collect();
    found.sort();
    assert!(found.len() >= 13, "{found:?}");
    found
}

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

/// The files beside the examples.
#[allow(clippy::disallowed_methods)] // a test may read the disk
fn beside(path: &str) -> Result<String, String> {
    std::fs::read_to_string(format!("{EXAMPLES}/{path}")).map_err(|error| error.to_string())
}

/// Options with which every example loads.
fn with_files() -> Options<'static> {
    Options { files: &beside, ..Options::default() }
}

#[test]
fn every_example_loads_without_a_warning() {
    for (name, text) in examples() {
        match load(&text, &with_files()) {
            Ok(loaded) => assert_eq!(loaded.warnings, [], "{name}"),
            Err(problems) => panic!("{name}: {problems:#?}"),
        }
    }
}

#[test]
fn the_example_with_an_environment_loads_in_it() {
    let (_, text) = examples().into_iter().find(|(name, _)| name == "environments").expect("the example");
    let loaded = load(&text, &Options { environment: Some("dev"), ..Options::default() }).expect("a spec");
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.topology.tags["stage"], "development");
    assert_eq!(loaded.topology.accounts["eastus2"].deployments["gpt-5.4-mini"].capacity, 20);
}

#[test]
fn the_long_form_says_the_same() {
    for (name, text) in examples() {
        let long = expand(&text, &with_files()).expect(&name);
        let (short, long_form) = (load(&text, &with_files()).expect(&name), load(&long, &with_files()));
        let long_form = long_form.unwrap_or_else(|problems| panic!("{name}: {problems:#?}\n{long}"));
        assert_eq!(short.topology, long_form.topology, "{name}");
        assert_eq!((short.simulation, &short.warnings), (long_form.simulation, &long_form.warnings), "{name}");
        assert_eq!(expand(&long, &with_files()).as_ref(), Ok(&long), "{name}");
    }
}

/// A spec that obeys every rule and deserves no warning; rows below break it in one place.
pub const BASE: &str = r#"version: 1
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
    // whose subscription it is, no rule asks
    let text = BASE
        .replace("azure: {", "azure: { subscription: \"${ID}\",")
        .replace("{ gpt: main }", "{ gpt: mian }")
        .replace("weight: 10", "weight: 101");
    assert_eq!(
        said(&text, &Options::default()),
        [
            "AL0106 `\"${ID}\"` the variable `ID` is not set",
            "AL0115 `101` weight 101 is above 100",
            "AL0201 `mian` there is no pool `mian`",
        ]
    );
    let text =
        BASE.replace("  sku: BasicV2", "  sku: ${SKU}\n  capacity: ${UNITS}").replace("weight: 10", "weight: 101");
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
silence: { AL0312: "shown on purpose", AL0316: "and this", AL0340: meant, AL0346: meant, AL0310: unused }
azure: { subscription: 00000000-0000-0000-0000-000000000001, resourceGroup: "(rg)", location: East US 2, tags: { a: "$${b}", "c d": "x: 'y'\n#" }, apiVersions: { Microsoft.ApiManagement/service/backends: 2024-10-01-preview } }
gateway:
  name: my-apim
  sku: Premium
  capacity: 2
  publisher: { name: "no", email: a@b.c }
  identity: { user: id-full }
  network: { subnet: /subscriptions/s/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/g, mode: Internal }
  properties: { customProperties: { "Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls10": "False" }, disableGateway: false }
roles: manage
accounts:
  a: { location: eastus2, kind: AIServices, name: my-account, role: Cognitive Services User, deployments: { d1: { model: m, version: "1", versionUpgrade: NoAutoUpgrade, capacity: 1, raiPolicy: strict }, d2: { model: m, version: "1", sku: DataZoneStandard, capacity: 1 } } }
  b: { location: westus, resourceGroup: rg-b, subscription: 00000000-0000-0000-0000-000000000002, deployments: { d3: { model: m, version: "1", capacity: 1 }, pp: { model: m, version: "1", sku: GlobalProvisionedManaged, capacity: 15, spillover: d3 } } }
  c: { existing: { name: old, resourceGroup: rg-old }, deployments: { d1: { model: m, version: "1", capacity: 5 }, deep: { model: DeepSeek-R1, version: "1", format: DeepSeek, capacity: 5 } } }
  closed: { location: westus3, network: { subnet: /subscriptions/s/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/p, dnsZone: /subscriptions/s/resourceGroups/n/providers/Microsoft.Network/privateDnsZones/privatelink.openai.azure.com }, properties: { networkAcls: { defaultAction: Deny } }, deployments: { d1: { model: m, version: "1", capacity: 1 } } }
breakers:
  default: { count: 3 }
  share: { percentage: 10, interval: P1D, statusCodes: [429, 5xx, 430-432], tripDuration: 90m, acceptRetryAfter: false }
  reasons: { errorReasons: [Server errors] }
backends:
  x: { account: a, deployment: d1, breaker: share }
  y: { account: a, deployment: d2, breaker: none }
  z: { account: b, deployment: d3 }
  w: { account: c, deployment: d1, breaker: reasons }
  v: { account: closed, deployment: d1 }
  u: { url: https://llm.example.com/v1, credential: { keyVault: https://kv.vault.azure.net/secrets/llm, header: api-key }, quota: { tokensPerMinute: 60000 } }
pools:
  p: { members: [{ backend: z, priority: 0, weight: 100 }, { backend: x, priority: 0, weight: 0 }, { backend: y, priority: 7 }] }
  q: { members: [{ backend: y }, { backend: z, priority: 2 }], failureStatus: 529, sessionAffinity: SessionId }
  s: { members: [{ backend: u }, { backend: v, weight: 3 }], allowMixedModels: true }
  d1: { members: [{ backend: x }, { backend: w, priority: 2 }] }
apis:
  one: { path: /a/openai/, displayName: "One: 1", routes: { "4.1": p, x: q }, retry: { count: 1, interval: 2s, firstFast: false, timeout: 1m, timeouts: true } }
  two: { pool: q, onExhausted: { status: 503, maxRetryAfter: 1h }, callers: { keys: { header: X-Key, query: key } } }
  three:
    pool: s
    strategy: smart
    definition: catch-all
    stateful: { pin: a }
    tokenLimit: { tokensPerMinute: 1000, estimatePrompt: false, by: pool }
    callers: { keys: false, entra: { tenant: contoso.com, audiences: [api://openai], applications: [11111111-1111-1111-1111-111111111111] } }
  four: { surfaces: [v1], routes: { d1: d1 }, definition: { file: openapi.json } }
  five: { surfaces: [deployments, v1], pool: d1, strategy: round-robin, definition: { azureOpenAI: "2024-10-21", commit: 0123456789abcdef0123456789abcdef01234567 } }
  six: { routes: { d1: d1 }, policy: { template: own.xml.j2 } }
products:
  gold: { apis: [one, three], displayName: Gold, tokenLimit: { tokensPerMinute: 5 }, quota: { tokens: 50000000, per: Monthly } }
  bare: { apis: [two] }
subscriptions:
  team-a: { product: gold, tracing: true }
  batch: { api: two, displayName: Batch }
observability:
  workspace: new
  appInsights: /subscriptions/s/resourceGroups/n/providers/Microsoft.Insights/components/appi
  metrics: { namespace: ours, dimensions: [Subscription ID, Client IP] }
  llmLogs: true
  bodies: 0
  headers: [x-ms-region]
  workbook: true
  alerts: { throttled: 1, actionGroup: /subscriptions/s/resourceGroups/n/providers/Microsoft.Insights/actionGroups/ops }
ignoreChanges: [gateway.capacity]
protect: [gateway, accounts, pools.p]
simulation: { instances: 3, rotation: random }
"#;

/// The files beside [`FULL`].
fn full_files(path: &str) -> Result<String, String> {
    match path {
        "openapi.json" => {
            Ok(r#"{ "openapi": "3.0.1", "servers": [{ "url": "https://{endpoint}/openai" }], "paths": {} }"#.into())
        }
        "own.xml.j2" => Ok("<policies />".into()),
        other => Err(format!("no {other}")),
    }
}

#[test]
fn the_long_form_keeps_everything() {
    let options = Options { files: &full_files, ..Options::default() };
    let loaded = load(FULL, &options).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let quotas = BTreeMap::from([("u".into(), Quota { tokens_per_minute: 60_000, requests_per_minute: 360 })]);
    assert_eq!(loaded.simulation, Simulation { instances: 3, rotation: Rotation::Random, quotas });
    assert_eq!(loaded.topology.subscriptions.keys().collect::<Vec<_>>(), ["batch", "probe", "team-a"]);
    assert_eq!(loaded.topology.tags["a"], "${b}");
    let long = expand(FULL, &options).expect("a spec");
    let again = load(&long, &options).unwrap_or_else(|problems| panic!("{problems:#?}\n{long}"));
    assert_eq!(again.topology, loaded.topology, "{long}");
    assert_eq!((&again.simulation, &again.management), (&loaded.simulation, &loaded.management));
    assert_eq!(expand(&long, &options).as_ref(), Ok(&long));
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

#[test]
fn the_published_schema_adds_variables_and_nothing_else() {
    fn without_variables(schema: &Json) -> Json {
        match schema {
            Json::Object(members) => {
                let strict = members.get("anyOf").and_then(Json::as_array).filter(|alternatives| {
                    alternatives.len() == 2
                        && alternatives[1]["pattern"].as_str().is_some_and(|text| text.ends_with("\\$\\{"))
                });
                let mut plain: serde_json::Map<String, Json> = match strict {
                    Some(alternatives) => alternatives[0].as_object().cloned().unwrap_or_default(),
                    None => members.iter().map(|(key, value)| (key.clone(), without_variables(value))).collect(),
                };
                plain.extend(members.get("description").map(|text| ("description".to_string(), text.clone())));
                Json::Object(plain)
            }
            Json::Array(items) => items.iter().map(without_variables).collect(),
            other => other.clone(),
        }
    }
    assert_eq!(&without_variables(&schema()), structure());
    assert_ne!(&schema(), structure());
}
