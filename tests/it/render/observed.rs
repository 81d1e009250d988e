//! What is recorded, products and imported definitions: a topology with all of it, any of it, and what is rendered.

use super::topologies::{Texts, anything, minimal, two_regions};
use super::{cases, text};
use aoai_lb::template::{arm, cut, files, graph};
use aoai_lb::topology::address::{Alert, Logger};
use aoai_lb::topology::intent::{LimitBy, Period, TokenLimit, TokenQuota};
use aoai_lb::topology::*;
use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// An id as Azure writes them.
fn id(kind: &str, name: &str) -> String {
    format!("/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-shared/providers/{kind}/{name}")
}

fn everything() -> Observability {
    Observability {
        workspace: Some(Sink::Managed(Name::Unique("log-".into()))),
        app_insights: Some(Sink::Managed(Name::Unique("appi-".into()))),
        llm_logs: true,
        bodies: 0,
        headers: defaults::logged_headers(),
        workbook: true,
        alerts: Some(Alerts {
            throttled: defaults::ALERT_THROTTLED,
            spillover: defaults::ALERT_SPILLOVER,
            action_group: Some(id("Microsoft.Insights/actionGroups", "on-call")),
        }),
    }
}

fn product(name: &str, apis: &[&str], limit: Option<u32>) -> Product {
    let token_limit = limit.map(|tokens_per_minute| TokenLimit {
        tokens_per_minute,
        estimate_prompt: true,
        by: LimitBy::Subscription,
    });
    let quota = limit.map(|_| TokenQuota { tokens: 50_000_000, per: Period::Monthly });
    Product {
        name: name.into(),
        display_name: name.into(),
        apis: apis.iter().map(|api| (*api).to_owned()).collect(),
        policy: Policy::Rendered(ProductIntent { product: name.into(), token_limit, quota }),
    }
}

fn imported(document: Document) -> Definition {
    Definition::Imported(Import { hash: document.hash(), document: Some(document) })
}

/// The document of Azure OpenAI itself.
fn link() -> Document {
    Document::Link { version: "2024-10-21".into(), commit: "0123456789abcdef0123456789abcdef01234567".into() }
}

/// Two regions with everything that this file is about.
pub fn observed() -> Topology {
    let mut topology = two_regions();
    topology.stack.name = "observed".into();
    topology.stack.environment = String::new();
    topology.observability = Some(everything());
    let api = topology.apis["openai"].clone();
    let file = Document::Text {
        path: "openai.json".into(),
        text: "{\n  \"openapi\": \"3.0.1\",\n  \"info\": { \"title\": \"it's ${x}\" },\n  \"paths\": {}\n}".into(),
    };
    let own = Api { name: "own".into(), path: "own".into(), operations: Default::default(), ..api.clone() };
    topology.apis.insert("own".into(), Api { definition: imported(file), ..own.clone() });
    topology.apis.insert(
        "pinned".into(),
        Api { name: "pinned".into(), path: "pinned".into(), definition: imported(link()), ..own },
    );
    topology.products.insert("gold".into(), product("gold", &["openai", "own"], Some(200_000)));
    topology.products.insert("free".into(), product("free", &["openai"], None));
    let team = topology.subscriptions["team-a"].clone();
    let access = Access::Product("gold".into());
    topology.subscriptions.insert("team-b".into(), Subscription { name: "team-b".into(), access, ..team });
    topology
}

/// The same with a workspace and an Application Insights that are there, and nothing more than that.
pub fn shared() -> Topology {
    let mut topology = minimal();
    topology.observability = Some(Observability {
        workspace: Some(Sink::Existing(id("Microsoft.OperationalInsights/workspaces", "log-shared"))),
        app_insights: Some(Sink::Existing(id("Microsoft.Insights/components", "appi-shared"))),
        llm_logs: false,
        bodies: 1024,
        headers: Vec::new(),
        workbook: false,
        alerts: None,
    });
    topology
}

/// Everything on a gateway of another group.
pub fn elsewhere() -> Topology {
    let mut topology = super::topologies::shared();
    topology.observability = Some(everything());
    let apis: Vec<&str> = topology.apis.keys().map(String::as_str).collect();
    topology.products.insert("gold".into(), product("gold", &apis, Some(200_000)));
    topology
}

fn any_sink(texts: Texts, kind: &'static str) -> impl Strategy<Value = Option<Sink>> {
    // a workspace's name has four characters
    let named = texts.text().prop_map(|name| format!("sink{name}"));
    let named = prop_oneof![named.clone().prop_map(Name::Literal), named.prop_map(Name::Unique)];
    let found = "[a-z][a-z0-9-]{0,20}".prop_map(move |name| id(kind, &name));
    prop::option::weighted(0.7, prop_oneof![named.prop_map(Sink::Managed), found.prop_map(Sink::Existing)])
}

/// Any observability whose parts fit: what asks a workspace has one.
pub fn any_observability(texts: Texts) -> impl Strategy<Value = Observability> {
    let group = prop::option::of("[a-z]{1,9}".prop_map(|name| id("Microsoft.Insights/actionGroups", &name)));
    let alerts = (0..101u8, 0..101u8, group).prop_map(|(throttled, spillover, action_group)| Alerts {
        throttled,
        spillover,
        action_group,
    });
    let sinks =
        (any_sink(texts, "Microsoft.OperationalInsights/workspaces"), any_sink(texts, "Microsoft.Insights/components"));
    let asks = (any::<bool>(), any::<bool>(), prop::option::of(alerts));
    (sinks, asks, 0..8193u32, vec(texts.text(), 0..4)).prop_map(
        |((workspace, app_insights), (llm_logs, workbook, alerts), bodies, headers)| {
            let held = workspace.is_some();
            Observability {
                app_insights,
                llm_logs: llm_logs && held,
                bodies,
                headers,
                workbook: workbook && held,
                alerts: alerts.filter(|_| held),
                workspace,
            }
        },
    )
}

/// Any products of these APIs.
pub fn any_products(texts: Texts, apis: Vec<Key>) -> impl Strategy<Value = BTreeMap<Key, Product>> {
    let limit = (1..1_000_000u32, any::<bool>()).prop_map(|(tokens_per_minute, estimate_prompt)| TokenLimit {
        tokens_per_minute,
        estimate_prompt,
        by: LimitBy::Subscription,
    });
    let quota = (1..1_000_000_000u64, prop::sample::select(Period::ALL.to_vec()))
        .prop_map(|(tokens, per)| TokenQuota { tokens, per });
    let limits = (prop::option::of(limit), prop::option::of(quota));
    let some = prop::sample::subsequence(apis.clone(), 0..=apis.len());
    let product =
        (texts.key(), texts.text(), some, limits).prop_map(|(name, display_name, apis, (token_limit, quota))| {
            let policy = Policy::Rendered(ProductIntent { product: name.clone(), token_limit, quota });
            Product { name, display_name, apis: apis.into_iter().collect::<BTreeSet<Key>>(), policy }
        });
    // Azure's names differ from each other
    let numbered = |mut products: BTreeMap<Key, Product>| {
        for (product, number) in products.values_mut().zip(0..) {
            product.name = format!("{}{number}", product.name);
        }
        products
    };
    btree_map(texts.key(), product, 0..3).prop_map(numbered)
}

/// Any place where operations come from.
pub fn any_definition() -> impl Strategy<Value = Definition> {
    // JSON, so that no text begins with a byte order mark, which the compiler would drop
    let file = (anything(), anything()).prop_map(|(path, title)| {
        let text = format!("{:#}", serde_json::json!({ "openapi": "3.0.1", "info": { "title": title }, "paths": {} }));
        imported(Document::Text { path, text })
    });
    let live = "[0-9a-f]{8}".prop_map(|hash| Definition::Imported(Import { hash, document: None }));
    prop_oneof![2 => Just(Definition::Operations), 1 => Just(imported(link())), 2 => file, 1 => live]
}

/// Two regions with any of it.
fn any_observed() -> impl Strategy<Value = Topology> {
    let base = observed();
    let keys: Vec<Key> = base.apis.keys().cloned().collect();
    let definitions = vec(any_definition(), keys.len());
    let observability = prop::option::weighted(0.9, any_observability(Texts::Any));
    (observability, any_products(Texts::Any, keys), definitions, anything()).prop_flat_map(
        move |(observability, products, definitions, name)| {
            let mut topology = Topology { observability, products, ..base.clone() };
            topology.apis.values_mut().zip(definitions).for_each(|(api, definition)| api.definition = definition);
            topology.backends.values_mut().take(1).for_each(|backend| backend.name = name.clone());
            let mut keys: Vec<Key> = topology.products.keys().cloned().collect();
            keys.push("gone".into());
            prop::sample::select(keys).prop_map(move |key| {
                let mut topology = topology.clone();
                topology.subscriptions.values_mut().take(1).for_each(|s| s.access = Access::Product(key.clone()));
                topology
            })
        },
    )
}

fn resources(template: &Json, kind: &str) -> Vec<Json> {
    let all = template["resources"].as_array().expect("resources");
    all.iter().filter(|resource| resource["type"] == kind).cloned().collect()
}

/// Every text that a template reads, where it reads it.
fn inlined(value: &Json, texts: &Json) -> Json {
    match value {
        Json::String(text) => {
            let name = text.strip_prefix("[variables('").and_then(|rest| rest.strip_suffix("')]"));
            name.filter(|name| name.starts_with("$fxv#")).map_or_else(|| value.clone(), |name| texts[name].clone())
        }
        Json::Array(items) => items.iter().map(|item| inlined(item, texts)).collect(),
        Json::Object(members) => members
            .iter()
            .filter(|(name, _)| *name != "dependsOn")
            .map(|(name, value)| (name.clone(), inlined(value, texts)))
            .collect(),
        other => other.clone(),
    }
}

fn bodies(template: &Json) -> Vec<Json> {
    let all = template["resources"].as_array().expect("resources");
    all.iter().map(|resource| inlined(resource, &template["variables"])).collect()
}

/// What changed is sent alone, as it stands in the whole: nothing that is there already is written with it.
#[test]
fn each_part_is_sent_alone() {
    for topology in [observed(), shared()] {
        let template = graph(&topology);
        let whole = bodies(&arm(&template));
        let all: BTreeSet<Address> = topology.addresses().into_iter().collect();
        for address in &all {
            let part = bodies(&arm(&cut(&template, &BTreeSet::from([address.clone()]), &all)));
            assert_eq!(part.len(), 1, "{address}");
            assert!(whole.contains(&part[0]), "{address}: {:#}", part[0]);
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn the_compiler_makes_our_json_of_whatever_is_observed(topology in any_observed()) {
        super::laws::two_printers_agree(&topology);
    }

    #[test]
    fn everything_observed_is_rendered_and_nothing_else(topology in any_observed()) {
        let rendered = graph(&topology).addresses();
        let mut wanted: BTreeSet<Address> = topology.addresses().into_iter().collect();
        if !topology.subscriptions.values().all(|s| match &s.access {
            Access::Product(key) => topology.products.contains_key(key),
            Access::Api(_) => true,
        }) {
            wanted.retain(|address| !matches!(address, Address::Subscription(_)) || rendered.contains(address));
        }
        prop_assert_eq!(rendered, wanted);
    }

    #[test]
    fn a_workbook_is_json_whatever_names_hold(topology in any_observed()) {
        let files = files(&topology);
        let workbook = files.iter().find(|file| file.path == "workbook.json");
        prop_assert_eq!(workbook.is_some(), topology.observability.as_ref().is_some_and(|o| o.workbook));
        if let Some(file) = workbook {
            let read: Json = serde_json::from_str(&file.text).expect("JSON");
            // one source: what the workbook asks stands in queries.kql, word for word
            let queries = text(&files, "queries.kql");
            let asked = read["items"].as_array().expect("items").iter().filter_map(|i| i["content"]["query"].as_str());
            let asked: Vec<&str> = asked.collect();
            prop_assert!(asked.len() >= 5);
            prop_assert!(asked.iter().all(|query| queries.contains(query)));
        }
    }
}

#[test]
fn no_secret_is_in_any_file() {
    for topology in [observed(), shared()] {
        for file in files(&topology) {
            for word in ["InstrumentationKey=", "IngestionEndpoint", "listKeys", "instrumentationKey"] {
                assert!(!file.text.contains(word), "{}: {word}", file.path);
            }
        }
        let outputs = arm(&graph(&topology))["outputs"].to_string();
        assert!(!outputs.contains("ConnectionString"), "{outputs}");
    }
}

#[test]
fn records_of_models_ask_for_the_version_that_has_them() {
    const DIAGNOSTIC: &str = "Microsoft.ApiManagement/service/apis/diagnostics";
    let versions = |topology: &Topology| -> BTreeSet<(String, bool)> {
        let found = resources(&arm(&graph(topology)), DIAGNOSTIC);
        let version = |r: &Json| r["apiVersion"].as_str().expect("a version").to_owned();
        found.iter().map(|r| (version(r), r["properties"].get("largeLanguageModel").is_some())).collect()
    };
    let plain = ("2024-05-01".to_owned(), false);
    assert_eq!(versions(&observed()), BTreeSet::from([plain.clone(), ("2024-10-01-preview".to_owned(), true)]));
    assert_eq!(versions(&shared()), BTreeSet::from([plain]));
}

#[test]
fn what_is_there_is_named_by_its_id_and_never_written() {
    let template = arm(&graph(&shared()));
    for kind in ["Microsoft.OperationalInsights/workspaces", "Microsoft.Insights/components"] {
        assert_eq!(resources(&template, kind), Vec::<Json>::new());
    }
    let [setting] = &resources(&template, "Microsoft.Insights/diagnosticSettings")[..] else { panic!("one setting") };
    assert_eq!(
        setting["properties"]["workspaceId"],
        id("Microsoft.OperationalInsights/workspaces", "log-shared").as_str()
    );
    assert_eq!(setting["scope"], "[resourceId('Microsoft.ApiManagement/service', parameters('gatewayName'))]");
    let loggers = resources(&template, "Microsoft.ApiManagement/service/loggers");
    assert_eq!(
        loggers[0]["properties"]["credentials"]["connectionString"],
        "[reference(variables('appInsightsId'), '2020-02-02').ConnectionString]"
    );
    assert_eq!(template["variables"]["appInsightsId"], id("Microsoft.Insights/components", "appi-shared").as_str());
    assert!(
        template["parameters"].get("logRetentionDays").is_none() && template["outputs"].get("workspaceId").is_none()
    );
}

#[test]
fn a_definition_is_sent_whole_and_its_hash_is_kept() {
    let topology = observed();
    let template = arm(&graph(&topology));
    let apis = resources(&template, "Microsoft.ApiManagement/service/apis");
    let of = |path: &str| apis.iter().find(|api| api["properties"]["path"] == path).expect(path)["properties"].clone();
    assert_eq!(of("openai").get("format"), None);
    assert_eq!(of("openai")["description"], "[format('aoai-lb:{0}', variables('stack'))]");
    let pinned = of("pinned");
    assert_eq!(pinned["format"], "openapi+json-link");
    assert_eq!(
        pinned["value"],
        "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/0123456789abcdef0123456789abcdef01234567/\
         specification/cognitiveservices/data-plane/AzureOpenAI/inference/stable/2024-10-21/inference.json"
    );
    assert_eq!(
        pinned["description"],
        format!("[format('aoai-lb:{{0}} {}', variables('stack'))]", link().hash()).as_str()
    );
    assert_eq!(of("own")["format"], "openapi+json");
    let Definition::Imported(Import { document: Some(Document::Text { text: sent, .. }), .. }) =
        &topology.apis["own"].definition
    else {
        panic!("a text")
    };
    assert_eq!(text(&files(&topology), "api-own.openapi.json"), sent);
}

#[test]
fn products_come_before_whoever_subscribes_to_them() {
    let template = graph(&observed());
    let dependencies =
        |symbol: &str| -> Vec<String> { template.resource(symbol).expect(symbol).dependencies().into_iter().collect() };
    assert_eq!(dependencies("productGold"), ["gateway"]);
    assert_eq!(dependencies("productApiGoldOpenai"), ["apiOpenai", "productGold"]);
    assert_eq!(dependencies("productPolicyGold"), ["productGold"]);
    assert_eq!(dependencies("subscriptionTeamB"), ["gateway", "productGold"]);
    assert_eq!(dependencies("diagnosticOpenaiApplicationinsights"), ["apiOpenai", "loggerApplicationInsights"]);
    assert_eq!(dependencies("loggerApplicationInsights"), ["appInsights", "gateway"]);
    assert_eq!(dependencies("diagnosticSetting"), ["gateway", "workspace"]);
    assert_eq!(dependencies("alertSpillover"), ["gateway"]);
    assert_eq!(Logger::AppInsights.name(), "applicationinsights");
    assert_eq!(Alert::ALL.len(), 2);
}

#[test]
fn spill_over_is_known_by_the_pools_of_the_topology() {
    let files = files(&observed());
    let alert = text(&files, "alerts/spillover.kql");
    for row in [
        r#"    "east", "gpt-4.1", 2, true,"#,
        r#"    "ptu", "gpt-4.1", 1, false,"#,
        r#"    "sweden", "gpt-4.1", 2, true,"#,
        r#"    BackendUrl matches regex "(?i)^https://aoai-two-regions-east\\.[^/]+/openai/deployments/chat-ptu([/?]|$)", "ptu","#,
        r#"    BackendUrl matches regex "(?i)^https://aoai-sweden-[a-z2-7]{13}\\.[^/]+/openai/deployments/chat-sweden([/?]|$)", "sweden","#,
        r#"| where ApiId in~ ("openai", "own", "pinned") and ApimSubscriptionId !~ "probe""#,
    ] {
        assert!(alert.lines().any(|line| line == row), "{row}\n{alert}");
    }
    assert!(text(&files, "queries.kql").contains("ApiManagementGatewayLlmLog"));
    let shared = super::observed::shared();
    let queries = super::text(&aoai_lb::template::files(&shared), "queries.kql").to_owned();
    assert!(!queries.contains("ApiManagementGatewayLlmLog") && !queries.contains("x-aoai-lb-attempts"));
}
