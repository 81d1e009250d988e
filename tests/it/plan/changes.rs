//! One change at a time, of everything that stands in one service and its group: it is planned as a change of that thing
//! alone, in the words of the spec or of Azure, and deployed it leaves nothing to do.

use super::cloud::{Virtual, carry_out, deploy, planned, read, run};
use super::topologies::{everything, imported};
use aoai_lb::arm::{self, id, request};
use aoai_lb::plan::Action;
use aoai_lb::run::{Remains, destroy};
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

fn product(topology: &mut Topology) -> &mut ProductIntent {
    match &mut topology.products.get_mut("gold").expect("gold").policy {
        Policy::Rendered(intent) => intent,
        Policy::Other(text) => panic!("{text}"),
    }
}

const EDITS: &[(Edit, &[&str])] = &[
    (
        |t| t.products.get_mut("gold").unwrap().display_name = "Gold!".into(),
        &["~ product gold: display name GOLD -> Gold!"],
    ),
    (
        |t| product(t).token_limit.as_mut().unwrap().tokens_per_minute = 7,
        &["~ product policy of gold: tokenLimit 200000 tokens a minute -> 7 tokens a minute"],
    ),
    (|t| product(t).quota = None, &["~ product policy of gold: quota 5000000 tokens Monthly (gone)"]),
    (
        |t| {
            t.products.get_mut("gold").unwrap().apis.remove("own");
        },
        &["- product api own of gold"],
    ),
    (
        |t| {
            t.products.get_mut("bronze").unwrap().apis.insert("own".into());
        },
        &["+ product api own of bronze"],
    ),
    (
        |t| {
            t.products.remove("bronze");
            t.subscriptions.remove("of-bronze");
        },
        &["- subscription of-bronze", "- product bronze"],
    ),
    (
        |t| {
            let secret = "https://kv-quick.vault.azure.net/secrets/other-key".into();
            t.named_values.get_mut("partner").unwrap().holds = Holds::Vault(secret);
        },
        &[
            "~ named value partner: holds the secret https://kv-quick.vault.azure.net/secrets/partner-key -> the secret https://kv-quick.vault.azure.net/secrets/other-key",
        ],
    ),
    (
        |t| {
            t.named_values.remove("partner");
            t.backends.remove("partner");
        },
        &["- backend partner", "- named value partner"],
    ),
    (
        |t| t.apis.get_mut("imported").unwrap().display_name = "Calls".into(),
        &["~ api imported: display name API imported -> Calls"],
    ),
    (|t| t.apis.get_mut("imported").unwrap().definition = imported(3), &["~ api imported: definition A -> B"]),
    (
        |t| t.apis.get_mut("own").unwrap().template.as_mut().unwrap().text = OTHER.into(),
        &["~ policy of own: policy not ours -> as rendered"],
    ),
    (
        |t| observed(t).headers = vec!["Retry-After".into()],
        &[
            "~ diagnostic applicationinsights of imported: frontend.response.headers H -> Retry-After",
            "~ diagnostic applicationinsights of imported: backend.response.headers H -> Retry-After",
        ],
    ),
    (|t| observed(t).llm_logs = false, &["~ diagnostic setting: logs A -> B"]),
    (|t| observed(t).workbook = false, &["- workbook"]),
    (
        |t| observed(t).alerts.as_mut().unwrap().throttled = 6,
        &[
            "~ alert throttled: description More than 5 percent of the calls of five minutes. -> More than 6 percent of the calls of five minutes.",
            "~ alert throttled: criteria.allOf[0].threshold 5 -> 6",
        ],
    ),
    (|t| observed(t).alerts = None, &["- alert spillover", "- alert throttled"]),
    (
        |t| {
            t.tags.insert("owner".into(), "another".into());
            t.gateway.as_mut().unwrap().standing = Standing::Managed;
        },
        &[],
    ),
];

const OTHER: &str = "<policies><inbound><base /><set-header name=\"x\" exists-action=\"delete\" /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>";

#[test]
fn one_change_is_planned_alone_and_leaves_nothing() {
    let before = resolved(everything());
    let whole = deployed(&before);
    assert_eq!(changes(&planned(&whole, &before).1), [""; 0]);
    for (edit, wanted) in EDITS {
        let mut desired = before.clone();
        edit(&mut desired);
        let cloud = whole.fork();
        let (live, plan) = planned(&cloud, &desired);
        if wanted.is_empty() {
            continue;
        }
        assert_eq!(changes(&plan), *wanted);
        carry_out(&cloud, &desired, &live, &plan).unwrap_or_else(|problems| panic!("{wanted:?}: {problems:#?}"));
        assert_eq!(changes(&planned(&cloud, &desired).1), [""; 0], "{wanted:?}");
    }
}
