//! A plan as lines of text: pieces with a role each, so that `ui` can colour them and nothing depends on it.
//!
//! Every line begins with a sign: `+` create, `~` update, `-` delete, `<` recover, `x` purge, `?` left alone, `!` asks
//! or refuses, `=` nothing to do. A diff is cut after [`DIFF`] lines unless everything is asked for.

use super::{Action, Change, Plan, Traffic};
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

/// So many lines of a policy's diff are shown unless everything is asked for.
pub const DIFF: usize = 40;

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What changes and what is left alone.
    Changes,
    /// What is equal as well.
    Everything,
}

/// One line under the others: the counts, in which what [`lines`] folds is named, and how long it takes.
pub fn summary(plan: &Plan) -> String {
    match plan.changes.iter().filter(|change| folded(plan, change)).count() {
        0 => plan.summary(),
        n => plan.summary().replacen("to create", &format!("to create ({n} of them operations)"), 1),
    }
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
            lines.push(title(change.phase.word()));
        }
        lines.extend(change_lines(plan, change, detail));
    }
    if !plan.kept.is_empty() {
        lines.push(title("kept"));
    }
    for kept in &plan.kept {
        let what = kept.address.as_ref().map_or_else(|| kept.id.clone(), ToString::to_string);
        lines.push(Line::of([(Role::Note, format!("  ? {what}")), (Role::Note, format!("  {}", kept.reason))]));
    }
    if !plan.blocked.is_empty() {
        lines.push(title("blocked until you choose"));
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
    if !plan.refusals.is_empty() {
        lines.push(title("refused"));
    }
    for refusal in &plan.refusals {
        lines.push(Line::of([(Role::Warning, format!("  ! {}", refusal.message))]));
    }
    if detail == Detail::Everything && !plan.unchanged.is_empty() {
        lines.push(title("as wanted"));
        lines.extend(plan.unchanged.iter().map(|address| Line::of([(Role::Note, format!("  = {address}"))])));
    }
    lines
}

fn title(text: &str) -> Line {
    Line::of([(Role::Note, text.to_owned())])
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

fn change_lines(plan: &Plan, change: &Change, detail: Detail) -> Vec<Line> {
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
    let diff: Vec<&str> = change.diff.iter().flat_map(|diff| diff.lines()).collect();
    // a line that says that one more is left out is no shorter than that one
    let shown = if detail == Detail::Everything || diff.len() <= DIFF + 1 { diff.len() } else { DIFF };
    for line in &diff[..shown] {
        let role = match line.chars().next() {
            Some('+') => Role::Create,
            Some('-') => Role::Delete,
            Some('@') => Role::Note,
            _ => Role::Plain,
        };
        lines.push(Line::of([(role, format!("      {line}"))]));
    }
    if shown < diff.len() {
        let more = format!("      {} more lines of the difference: `-v` shows them", diff.len() - shown);
        lines.push(Line::of([(Role::Note, more)]));
    }
    if let Traffic::Interrupted(why) = change.traffic {
        lines.push(Line::of([(Role::Warning, format!("      interrupts traffic: {why}"))]));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Phase, Range};
    use crate::time::Duration;
    use crate::topology::Address;

    fn change(address: Address, action: Action) -> Change {
        Change {
            address,
            action,
            reason: String::new(),
            detail: String::new(),
            phase: Phase::Routing,
            takes: Range { from: Duration::from_secs(1), to: Duration::from_secs(2) },
            traffic: Traffic::Flows,
            diff: None,
        }
    }

    #[test]
    fn what_is_folded_is_counted_where_a_reader_sees_it() {
        let operation =
            |name: &str| change(Address::Operation { api: "openai".into(), operation: name.into() }, Action::Create);
        let api = Change { detail: "path /openai".into(), ..change(Address::Api("openai".into()), Action::Create) };
        let plan = Plan { changes: vec![api, operation("chat"), operation("embeddings")], ..Plan::default() };
        let lines: Vec<String> = lines(&plan, Detail::Changes).iter().map(Line::text).collect();
        assert_eq!(lines, ["routing", "  + api openai  path /openai, 2 operations  (1s to 2s)"]);
        assert!(summary(&plan).starts_with("3 to create (2 of them operations); "), "{}", summary(&plan));
    }

    #[test]
    fn a_long_difference_is_cut_and_says_so() {
        let shown = |length: usize, detail: Detail| {
            let diff = (0..length).map(|n| format!("+<line-{n} />\n")).collect();
            let policy =
                Change { diff: Some(diff), ..change(Address::Policy("openai".into()), Action::Update(vec![])) };
            let plan = Plan { changes: vec![policy], ..Plan::default() };
            lines(&plan, detail).iter().map(Line::text).collect::<Vec<_>>()
        };
        let cut = shown(300, Detail::Changes);
        assert_eq!(cut.len(), 2 + DIFF + 1);
        assert_eq!(cut.last().map(String::as_str), Some("      260 more lines of the difference: `-v` shows them"));
        assert_eq!(shown(300, Detail::Everything).len(), 302);
        assert_eq!(shown(DIFF + 1, Detail::Changes).len(), 2 + DIFF + 1, "one more is no reason to cut");
    }
}
