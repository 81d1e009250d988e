//! A plan as JSON, `format: 1`. Members are only ever added.

use super::{Action, Plan, Traffic};
use crate::topology::{Address, Owner};
use serde::Serialize;

/// The number of this format.
pub const FORMAT: u32 = 1;

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// [`FORMAT`].
    pub format: u32,
    /// `aoai-lb`.
    pub tool: &'static str,
    /// Whether nothing would change.
    pub empty: bool,
    /// One line for people; no contract.
    pub summary: String,
    /// What would change, in order.
    pub changes: Vec<Change>,
    /// Addresses of what is equal.
    pub unchanged: Vec<Thing>,
    /// What is left alone.
    pub kept: Vec<Kept>,
    /// What somebody has to choose for.
    pub blocked: Vec<Blocked>,
    /// What is refused.
    pub refusals: Vec<Refusal>,
}

/// What something is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Thing {
    /// `pool`, `backend`, ...
    pub kind: &'static str,
    /// The key in the spec, `pools.gpt-4.1`; things of one API share its key.
    pub key: String,
    /// For people: `pool gpt-4.1`.
    pub title: String,
}

impl Thing {
    /// What an address says.
    pub fn new(address: &Address) -> Thing {
        Thing { kind: address.kind(), key: address.key(), title: address.to_string() }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What it is about.
    #[serde(flatten)]
    pub thing: Thing,
    /// `create`, `update`, `delete`, `recover`, `purge`.
    pub action: &'static str,
    /// `names`, `service`, `models`, `routing`, `removal`.
    pub phase: &'static str,
    /// Why; no contract.
    pub reason: String,
    /// What it is; no contract.
    pub detail: String,
    /// The fields of an update.
    pub fields: Vec<Field>,
    /// How long it usually takes, at least, in milliseconds.
    pub usual_from_ms: u64,
    /// How long it usually takes, at most, in milliseconds.
    pub usual_to_ms: u64,
    /// What callers notice, `null` for nothing.
    pub interrupts: Option<&'static str>,
    /// A unified diff of policies.
    pub diff: Option<String>,
}

/// One field of an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// In the spec's words.
    pub name: String,
    /// What is there.
    pub from: Option<String>,
    /// What the spec wants.
    pub to: Option<String>,
}

/// What is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// What it is, where the program can say it.
    pub thing: Option<Thing>,
    /// Its ARM id.
    pub id: String,
    /// Why; no contract.
    pub reason: String,
}

/// A name that somebody has to choose for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    /// What has to be made.
    #[serde(flatten)]
    pub thing: Thing,
    /// The name that is held.
    pub name: String,
    /// The region in which it is held.
    pub location: String,
    /// When Azure gives it free.
    pub until: Option<String>,
    /// Whether it was this stack's.
    pub ours: bool,
}

/// What is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The code, `AL0511`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The key in the spec.
    pub key: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

/// The document of a plan.
pub fn document(plan: &Plan) -> Document {
    Document {
        format: FORMAT,
        tool: "aoai-lb",
        empty: plan.is_empty(),
        summary: plan.summary(),
        changes: plan.changes.iter().map(change).collect(),
        unchanged: plan.unchanged.iter().map(Thing::new).collect(),
        kept: plan
            .kept
            .iter()
            .map(|kept| Kept {
                thing: kept.address.as_ref().map(Thing::new),
                id: kept.id.clone(),
                reason: kept.reason.clone(),
            })
            .collect(),
        blocked: plan
            .blocked
            .iter()
            .map(|blocked| Blocked {
                thing: Thing::new(&blocked.address),
                name: blocked.holder.name.clone(),
                location: blocked.holder.location.to_string(),
                until: blocked.holder.scheduled_purge.map(crate::time::Time::rfc3339),
                ours: blocked.holder.owner == Owner::Ours,
            })
            .collect(),
        refusals: plan
            .refusals
            .iter()
            .map(|refusal| Refusal {
                code: refusal.code.as_str(),
                message: refusal.message.clone(),
                key: refusal.key.clone(),
                help: refusal.help.clone(),
            })
            .collect(),
    }
}

fn change(change: &super::Change) -> Change {
    let (action, fields) = match &change.action {
        Action::Create => ("create", &[][..]),
        Action::Update(fields) => ("update", fields.as_slice()),
        Action::Delete => ("delete", &[][..]),
        Action::Recover => ("recover", &[][..]),
        Action::Purge => ("purge", &[][..]),
    };
    let field =
        |field: &super::Field| Field { name: field.name.clone(), from: field.from.clone(), to: field.to.clone() };
    Change {
        thing: Thing::new(&change.address),
        action,
        phase: change.phase.word(),
        reason: change.reason.clone(),
        detail: change.detail.clone(),
        fields: fields.iter().map(field).collect(),
        usual_from_ms: change.takes.from.millis_ceil(),
        usual_to_ms: change.takes.to.millis_ceil(),
        interrupts: match change.traffic {
            Traffic::Flows => None,
            Traffic::Interrupted(why) => Some(why),
        },
        diff: change.diff.clone(),
    }
}
