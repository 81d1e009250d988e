//! A plan as lines of text: pieces with a role each, so that `ui` can colour them and nothing depends on it.
//!
//! Every line begins with a sign: `+` create, `~` update, `-` delete, `<` recover, `x` purge, `?` left alone, `!` asks
//! or refuses.

use super::{Action, Change, Phase, Plan, Traffic};
use crate::topology::Owner;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Plain,
    /// Something that is made, or comes back.
    Create,
    /// Something that changes.
    Update,
    /// Something that goes.
    Delete,
    /// What is said beside it.
    Note,
    /// What somebody has to look at.
    Warning,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub role: Role,
    /// The text, without line ends.
    pub text: String,
}

/// One line, without the blanks at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub Vec<Piece>);

impl Line {
    fn of(pieces: impl IntoIterator<Item = (Role, String)>) -> Line {
        Line(pieces.into_iter().map(|(role, text)| Piece { role, text }).collect())
    }

    /// The line without its roles.
    pub fn text(&self) -> String {
        self.0.iter().map(|piece| piece.text.as_str()).collect()
    }
}

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What changes and what is left alone.
    Changes,
    /// What is equal as well.
    Everything,
}

/// The lines of a plan. Operations of an API that is made or deleted as a whole are counted, not listed.
pub fn lines(plan: &Plan, detail: Detail) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut phase = None;
    for change in &plan.changes {
        if folded(plan, change) {
            continue;
        }
        if phase != Some(change.phase) {
            phase = Some(change.phase);
            lines.push(Line::of([(Role::Note, heading(change.phase).to_owned())]));
        }
        lines.extend(change_lines(plan, change));
    }
    for kept in &plan.kept {
        let what = kept.address.as_ref().map_or_else(|| kept.id.clone(), ToString::to_string);
        lines.push(Line::of([(Role::Note, format!("  ? {what}")), (Role::Note, format!("  {}", kept.reason))]));
    }
    for blocked in &plan.blocked {
        let holder = &blocked.holder;
        let until = holder.scheduled_purge.map_or_else(String::new, |time| format!(" until {}", time.rfc3339()));
        let whose = match &holder.owner {
            Owner::Ours => "",
            Owner::Stack(_) | Owner::Foreign => " (nobody can say that it was this stack's)",
        };
        let what = format!("  ! {}", blocked.address);
        let why = format!("  a soft-deleted {} holds the name {}{until}{whose}", blocked.address.kind(), holder.name);
        lines.push(Line::of([(Role::Warning, what), (Role::Plain, why)]));
        let hint = format!("      hint: `--recover {0}` or `--purge {0}`", holder.name);
        lines.push(Line::of([(Role::Note, hint)]));
    }
    for refusal in &plan.refusals {
        lines.push(Line::of([(Role::Warning, format!("  ! {}", refusal.message))]));
    }
    if detail == Detail::Everything {
        lines.extend(plan.unchanged.iter().map(|address| Line::of([(Role::Note, format!("  = {address}"))])));
    }
    lines
}

const fn heading(phase: Phase) -> &'static str {
    match phase {
        Phase::Names => "names",
        Phase::Service => "service",
        Phase::Models => "models",
        Phase::Routing => "routing",
        Phase::Removal => "removal",
    }
}

/// Whether a change is told by the line of the API that it belongs to.
fn folded(plan: &Plan, change: &Change) -> bool {
    match &change.address {
        crate::topology::Address::Operation { api, .. } => plan.changes.iter().any(|other| {
            other.address == crate::topology::Address::Api(api.clone())
                && matches!((&other.action, &change.action), (Action::Create, Action::Create))
        }),
        _ => false,
    }
}

fn change_lines(plan: &Plan, change: &Change) -> Vec<Line> {
    let (role, sign) = match change.action {
        Action::Create => (Role::Create, '+'),
        Action::Update(_) => (Role::Update, '~'),
        Action::Delete => (Role::Delete, '-'),
        Action::Recover => (Role::Create, '<'),
        Action::Purge => (Role::Delete, 'x'),
    };
    let mut first = vec![(role, format!("  {sign} {}", change.address))];
    let mut about = change.detail.clone();
    if let (crate::topology::Address::Api(key), Action::Create) = (&change.address, &change.action) {
        let of = |address: &crate::topology::Address| matches!(address, crate::topology::Address::Operation { api, .. } if api == key);
        let operations = plan.changes.iter().filter(|other| of(&other.address)).count();
        about.push_str(&format!(", {operations} operations"));
    }
    if !about.is_empty() {
        first.push((Role::Plain, format!("  {about}")));
    }
    first.push((Role::Note, format!("  ({})", change.takes)));
    let mut lines = vec![Line::of(first)];
    if let Action::Update(fields) = &change.action {
        lines.extend(fields.iter().map(|field| Line::of([(Role::Plain, format!("      {field}"))])));
    }
    for line in change.diff.iter().flat_map(|diff| diff.lines()) {
        let role = match line.chars().next() {
            Some('+') => Role::Create,
            Some('-') => Role::Delete,
            Some('@') => Role::Note,
            _ => Role::Plain,
        };
        lines.push(Line::of([(role, format!("      {line}"))]));
    }
    if let Traffic::Interrupted(why) = change.traffic {
        lines.push(Line::of([(Role::Warning, format!("      interrupts traffic: {why}"))]));
    }
    lines
}
