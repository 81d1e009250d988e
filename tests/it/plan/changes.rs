//! One change at a time, of everything that stands in one service and its group: it is planned as a change of that thing
//! alone, in the words of the spec or of Azure, and deployed it leaves nothing to do.

use super::cloud::{Virtual, carry_out, deploy, planned, read, run};
use super::topologies::{everything, imported};
use aoai_lb::arm::{self, id, request};
use aoai_lb::plan::Action;
use aoai_lb::run::{Remains, destroy};
use aoai_lb::time::Duration;
use aoai_lb::topology::*;
use aoai_lb::wire::{Method, Request};
use serde_json::json;

fn resolved(topology: Topology) -> Topology {
    let unique = arm::unique(&topology);
    topology.resolve(&unique)
}

fn deployed(desired: &Topology) -> Virtual {
    let cloud = Virtual::new();
    deploy(&cloud, desired).unwrap_or_else(|problems| panic!("{problems:#?}"));
    cloud.writes();
    cloud
}

/// What would change, a line each.
fn changes(plan: &aoai_lb::plan::Plan) -> Vec<String> {
    assert_eq!((plan.refusals.len(), plan.blocked.len()), (0, 0), "{:?}", plan.refusals);
    let one = |change: &aoai_lb::plan::Change| {
        let address = &change.address;
        match &change.action {
            Action::Update(fields) => fields.iter().map(|field| format!("~ {address}: {field}")).collect(),
            Action::Create => vec![format!("+ {address}")],
            Action::Delete => vec![format!("- {address}")],
            other => vec![format!("{other:?} {address}")],
        }
    };
    plan.changes.iter().flat_map(one).collect()
}

type Edit = fn(&mut Topology);

fn observed(topology: &mut Topology) -> &mut Observability {
    topology.observability.as_mut().expect("it is observed")
}

fn alerts(topology: &mut Topology) -> &mut Alerts {
    observed(topology).alerts.as_mut().expect("it has alerts")
}

fn product<'a>(topology: &'a mut Topology, key: &str) -> &'a mut Product {
    topology.products.get_mut(key).expect("a product")
}

fn limits(topology: &mut Topology) -> &mut ProductIntent {
    match &mut product(topology, "gold").policy {
        Policy::Rendered(intent) => intent,
        Policy::Other(text) => panic!("{text}"),
    }
}

fn api<'a>(topology: &'a mut Topology, key: &str) -> &'a mut Api {
    topology.apis.get_mut(key).expect("an API")
}

const OTHER: &str = "<policies><inbound><base /><set-header name=\"x\" exists-action=\"delete\" /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>";

const EDITS: &[(&str, Edit)] = &[
    ("a product's name", |t| product(t, "gold").display_name = "Gold!".into()),
    ("a product's limit", |t| limits(t).token_limit.as_mut().expect("a limit").tokens_per_minute = 7),
    ("no quota", |t| limits(t).quota = None),
    ("an API less in a product", |t| {
        product(t, "gold").apis.remove("own");
    }),
    ("an API more in a product", |t| {
        product(t, "bronze").apis.insert("own".into());
    }),
    ("no product", |t| {
        t.products.remove("bronze");
        t.subscriptions.remove("of-bronze");
    }),
    ("another secret", |t| {
        let secret = "https://kv-quick.vault.azure.net/secrets/other-key".into();
        t.named_values.get_mut("partner").expect("it").holds = Holds::Vault(secret);
    }),
    ("no secret", |t| {
        t.named_values.remove("partner");
        t.backends.remove("partner");
    }),
    ("the title of an imported API", |t| api(t, "imported").display_name = "Calls".into()),
    ("another definition", |t| api(t, "imported").definition = imported(3)),
    ("operations instead of a definition", |t| {
        let operations = api(t, "openai").operations.clone();
        let api = api(t, "imported");
        (api.definition, api.operations) = (Definition::Operations, operations);
    }),
    ("another template", |t| api(t, "own").template.as_mut().expect("its own").text = OTHER.into()),
    ("no template", |t| api(t, "own").template = None),
    ("other headers", |t| observed(t).headers = vec!["Retry-After".into()]),
    ("bodies", |t| observed(t).bodies = 512),
    ("no logs of models", |t| observed(t).llm_logs = false),
    ("no workbook", |t| observed(t).workbook = false),
    ("a threshold", |t| alerts(t).throttled = 6),
    ("an action group", |t| {
        let group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-ops/providers/Microsoft.Insights/actionGroups/on-call";
        alerts(t).action_group = Some(group.into());
    }),
    ("no alerts", |t| observed(t).alerts = None),
    ("no products at all", |t| {
        t.products.clear();
        t.subscriptions.retain(|_, subscription| matches!(subscription.access, Access::Api(_)));
    }),
    ("no insights", |t| observed(t).app_insights = None),
    ("nothing recorded", |t| t.observability = None),
    ("no API", |t| {
        t.apis.remove("own");
        product(t, "gold").apis.remove("own");
    }),
];

#[test]
fn one_change_is_planned_alone_and_leaves_nothing() {
    let before = resolved(everything());
    let whole = deployed(&before);
    assert_eq!(changes(&planned(&whole, &before).1), [""; 0]);
    let mut told = String::new();
    for (name, edit) in EDITS {
        let mut desired = before.clone();
        edit(&mut desired);
        let cloud = whole.fork();
        let (live, plan) = planned(&cloud, &desired);
        told.push_str(&format!("{name}\n"));
        for change in changes(&plan) {
            told.push_str(&format!("  {change}\n"));
        }
        carry_out(&cloud, &desired, &live, &plan).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        assert_eq!(changes(&planned(&cloud, &desired).1), [""; 0], "{name}");
    }
    expect_test::expect![[r#"
        a product's name
          ~ product gold: display name GOLD -> Gold!
        a product's limit
          ~ product policy of gold: tokenLimit 200000 tokens a minute -> 7 tokens a minute
        no quota
          ~ product policy of gold: quota 5000000 tokens Monthly (gone)
        an API less in a product
          - product api own of gold
        an API more in a product
          + product api own of bronze
        no product
          - subscription of-bronze
          - product bronze
        another secret
          ~ named value partner: holds the secret https://kv-quick.vault.azure.net/secrets/partner-key -> the secret https://kv-quick.vault.azure.net/secrets/other-key
        no secret
          ~ workbook: serializedData a text of 9565 characters (82ebb151) -> a text of 9085 characters (099d7cd8)
          ~ alert spillover: criteria.allOf[0].query a text of 906 characters (f2a6ef7e) -> a text of 795 characters (b2e1e259)
          - backend partner
          - named value partner-key
        the title of an imported API
          ~ api imported: display name API imported -> Calls
        another definition
          ~ api imported: definition e7d7e1ea -> f6ffc451
        operations instead of a definition
          ~ api imported: definition e7d7e1ea (gone)
          + operation audio-speech of imported
          + operation audio-transcriptions of imported
          + operation audio-translations of imported
          + operation chat-completions of imported
          + operation completions of imported
          + operation embeddings of imported
          + operation images-generations of imported
          - operation call-0 of imported
          - operation call-1 of imported
        another template
          ~ policy of own: policy not ours -> as rendered
        no template
          ~ policy of own: policy not ours -> as rendered
        other headers
          ~ diagnostic applicationinsights of imported: frontend.response.headers x-aoai-lb-served-by, x-aoai-lb-attempts, Retry-After -> Retry-After
          ~ diagnostic applicationinsights of imported: backend.response.headers x-aoai-lb-served-by, x-aoai-lb-attempts, Retry-After -> Retry-After
          ~ diagnostic azuremonitor of imported: frontend.response.headers x-aoai-lb-served-by, x-aoai-lb-attempts, Retry-After -> Retry-After
          ~ diagnostic azuremonitor of imported: backend.response.headers x-aoai-lb-served-by, x-aoai-lb-attempts, Retry-After -> Retry-After
          ~ diagnostic applicationinsights of openai: frontend.response.headers x-aoai-lb-served-by, x-aoai-lb-attempts, Retry-After -> Retry-After
          ~ diagnostic applicationinsights of openai: backend.response.headers x-aoai-lb-served-by, x-aoai-lb-attempts, Retry-After -> Retry-After
          ~ diagnostic azuremonitor of openai: frontend.response.headers x-aoai-lb-served-by, x-aoai-lb-attempts, Retry-After -> Retry-After
          ~ diagnostic azuremonitor of openai: backend.response.headers x-aoai-lb-served-by, x-aoai-lb-attempts, Retry-After -> Retry-After
          ~ diagnostic applicationinsights of own: frontend.response.headers x-aoai-lb-served-by, x-aoai-lb-attempts, Retry-After -> Retry-After
          ~ diagnostic applicationinsights of own: backend.response.headers x-aoai-lb-served-by, x-aoai-lb-attempts, Retry-After -> Retry-After
          ~ diagnostic azuremonitor of own: frontend.response.headers x-aoai-lb-served-by, x-aoai-lb-attempts, Retry-After -> Retry-After
          ~ diagnostic azuremonitor of own: backend.response.headers x-aoai-lb-served-by, x-aoai-lb-attempts, Retry-After -> Retry-After
          ~ workbook: serializedData a text of 9565 characters (82ebb151) -> a text of 8777 characters (0b83e440)
        bodies
          ~ diagnostic applicationinsights of imported: frontend.request.body.bytes 0 -> 512
          ~ diagnostic applicationinsights of imported: frontend.response.body.bytes 0 -> 512
          ~ diagnostic applicationinsights of imported: backend.request.body.bytes 0 -> 512
          ~ diagnostic applicationinsights of imported: backend.response.body.bytes 0 -> 512
          ~ diagnostic azuremonitor of imported: frontend.request.body.bytes 0 -> 512
          ~ diagnostic azuremonitor of imported: frontend.response.body.bytes 0 -> 512
          ~ diagnostic azuremonitor of imported: backend.request.body.bytes 0 -> 512
          ~ diagnostic azuremonitor of imported: backend.response.body.bytes 0 -> 512
          ~ diagnostic applicationinsights of openai: frontend.request.body.bytes 0 -> 512
          ~ diagnostic applicationinsights of openai: frontend.response.body.bytes 0 -> 512
          ~ diagnostic applicationinsights of openai: backend.request.body.bytes 0 -> 512
          ~ diagnostic applicationinsights of openai: backend.response.body.bytes 0 -> 512
          ~ diagnostic azuremonitor of openai: frontend.request.body.bytes 0 -> 512
          ~ diagnostic azuremonitor of openai: frontend.response.body.bytes 0 -> 512
          ~ diagnostic azuremonitor of openai: backend.request.body.bytes 0 -> 512
          ~ diagnostic azuremonitor of openai: backend.response.body.bytes 0 -> 512
          ~ diagnostic applicationinsights of own: frontend.request.body.bytes 0 -> 512
          ~ diagnostic applicationinsights of own: frontend.response.body.bytes 0 -> 512
          ~ diagnostic applicationinsights of own: backend.request.body.bytes 0 -> 512
          ~ diagnostic applicationinsights of own: backend.response.body.bytes 0 -> 512
          ~ diagnostic azuremonitor of own: frontend.request.body.bytes 0 -> 512
          ~ diagnostic azuremonitor of own: frontend.response.body.bytes 0 -> 512
          ~ diagnostic azuremonitor of own: backend.request.body.bytes 0 -> 512
          ~ diagnostic azuremonitor of own: backend.response.body.bytes 0 -> 512
        no logs of models
          ~ diagnostic azuremonitor of imported: largeLanguageModel.logs enabled (gone)
          ~ diagnostic azuremonitor of openai: largeLanguageModel.logs enabled (gone)
          ~ diagnostic azuremonitor of own: largeLanguageModel.logs enabled (gone)
          ~ diagnostic setting: logs[GatewayLlmLogs].enabled true (gone)
          ~ workbook: serializedData a text of 9565 characters (82ebb151) -> a text of 7907 characters (eea3b260)
        no workbook
          - workbook
        a threshold
          ~ alert throttled: description More than 5 percent of the calls of five minutes. -> More than 6 percent of the calls of five minutes.
          ~ alert throttled: criteria.allOf[0].threshold 5 -> 6
        an action group
          ~ alert spillover: actions.actionGroups a text of 123 characters (f64c7292) (new)
          ~ alert throttled: actions.actionGroups a text of 123 characters (f64c7292) (new)
        no alerts
          - alert spillover
          - alert throttled
        no products at all
          - subscription of-bronze
          - subscription of-gold
          - product bronze
          - product gold
        no insights
          - diagnostic applicationinsights of imported
          - diagnostic applicationinsights of openai
          - diagnostic applicationinsights of own
          - logger applicationinsights
          - application insights
        nothing recorded
          - workbook
          - alert spillover
          - alert throttled
          - diagnostic setting
          - diagnostic applicationinsights of imported
          - diagnostic azuremonitor of imported
          - diagnostic applicationinsights of openai
          - diagnostic azuremonitor of openai
          - diagnostic applicationinsights of own
          - diagnostic azuremonitor of own
          - logger applicationinsights
          - logger azuremonitor
          - application insights
          - workspace
        no API
          ~ workbook: serializedData a text of 9565 characters (82ebb151) -> a text of 9502 characters (91c92b51)
          ~ alert spillover: criteria.allOf[0].query a text of 906 characters (f2a6ef7e) -> a text of 899 characters (dc7d8afa)
          ~ alert throttled: criteria.allOf[0].query a text of 241 characters (ec087941) -> a text of 234 characters (3bad53c5)
          - product api own of gold
          - api own
    "#]].assert_eq(&told);
}

#[test]
fn an_update_that_leaves_a_definition_as_it_is_does_not_import_it_again() {
    let before = resolved(everything());
    let cloud = deployed(&before);
    let imports = |cloud: &Virtual| {
        let log = cloud.log.borrow();
        log.iter().filter(|request| String::from_utf8_lossy(&request.body).contains("openapi+json")).count()
    };
    for (edit, sent) in [
        ((|t| api(t, "imported").display_name = "Calls".into()) as Edit, 0),
        (|t| api(t, "imported").definition = imported(3), 1),
    ] {
        let mut desired = before.clone();
        edit(&mut desired);
        let cloud = cloud.fork();
        deploy(&cloud, &desired).expect("it deploys");
        assert_eq!(imports(&cloud), sent);
        let api = id::of(&desired, &Address::Api("imported".into())).expect("an id");
        let operations = cloud.ask(&request::operations(&api)).value().expect("a list");
        assert_eq!(operations["value"].as_array().map(Vec::len), Some(2 + sent), "operations survive an update");
    }
}

#[test]
fn what_somebody_changes_behind_our_back_is_put_back() {
    let desired = resolved(everything());
    let whole = deployed(&desired);
    let patches = [
        (Address::Product("gold".into()), json!({"properties": {"state": "notPublished"}})),
        (Address::Alert(address::Alert::Throttled), json!({"properties": {"enabled": false}})),
        (Address::Workspace, json!({"properties": {"retentionInDays": 90}})),
        (Address::Workbook, json!({"properties": {"displayName": "Mine"}})),
    ];
    for (address, body) in patches {
        let cloud = whole.fork();
        let of = id::of(&desired, &address).expect("an id");
        let patch = Request::arm(Method::Patch, request::resource(&of).url).json(&body).header("If-Match", "*");
        let answer = cloud.ask(&patch);
        assert!(answer.is_success(), "{address}: {answer:?}");
        let plan = planned(&cloud, &desired).1;
        assert_eq!(plan.sent().into_iter().collect::<Vec<_>>(), std::slice::from_ref(&address), "{address}");
        deploy(&cloud, &desired).expect("it deploys");
        assert!(planned(&cloud, &desired).1.is_empty(), "{address}");
    }
}

#[test]
fn what_is_not_ours_is_left_alone_and_keeps_the_service() {
    let desired = resolved(everything());
    let cloud = deployed(&desired);
    let gateway = id::of(&desired, &Address::Gateway).expect("an id");
    let others = [
        ("namedValues/theirs", json!({"properties": {"displayName": "theirs", "value": "x"}})),
        ("products/theirs", json!({"properties": {"displayName": "Theirs"}})),
    ];
    for (path, body) in &others {
        let put = Request::arm(Method::Put, request::resource(&format!("{gateway}/{path}")).url).json(body);
        assert!(cloud.ask(&put).is_success(), "{path}");
    }
    cloud.pass(Duration::from_secs(60));
    let plan = planned(&cloud, &desired).1;
    assert!(plan.is_empty(), "{}", plan.summary());
    let kept: Vec<String> = plan.kept.iter().filter_map(|kept| Some(kept.address.as_ref()?.to_string())).collect();
    assert_eq!(kept, ["named value theirs", "product theirs"]);
    let live = read(&cloud, &desired);
    let gone = run(destroy(&cloud, &desired, &live, Remains::Purge, &mut |_| {})).expect("it destroys");
    assert!(gone.left.iter().any(|left| left.to_string().contains("named value theirs in it")), "{:?}", gone.left);
    for (path, _) in &others {
        assert!(cloud.ask(&request::resource(&format!("{gateway}/{path}"))).is_success(), "{path}");
    }
}

#[test]
fn destroying_everything_leaves_nothing() {
    let desired = resolved(everything());
    let cloud = deployed(&desired);
    let live = read(&cloud, &desired);
    let gone = run(destroy(&cloud, &desired, &live, Remains::Purge, &mut |_| {})).expect("it destroys");
    assert_eq!((gone.remains.len(), gone.left.len()), (0, 0), "{:?}", gone.left);
    let live = read(&cloud, &desired);
    assert_eq!((&live.resource_group, live.addresses()), (&None, vec![]));
}

#[test]
fn roles_that_somebody_else_gives_are_missed_until_they_are_there_and_never_deleted() {
    let mut desired = resolved(everything());
    desired.needs = std::mem::take(&mut desired.grants);
    let cloud = deployed(&desired);
    let (live, plan) = planned(&cloud, &desired);
    assert!(plan.is_empty(), "{}", plan.summary());
    let missing: Vec<&str> = plan.missing_roles.iter().map(|missing| missing.account.as_str()).collect();
    assert_eq!(missing, ["eastus2", "swedencentral"]);
    assert!(plan.missing_roles.iter().all(|missing| missing.principal == live.principal && missing.scope.is_some()));
    // once the stack gave them itself
    let mut managed = desired.clone();
    managed.grants = std::mem::take(&mut managed.needs);
    deploy(&cloud, &managed).expect("it deploys");
    let (_, plan) = planned(&cloud, &desired);
    assert_eq!((plan.is_empty(), plan.missing_roles.len()), (true, 0), "{}", plan.summary());
}
