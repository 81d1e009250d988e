//! Progress of something long, as steps in groups: a picture that is redrawn in place on a terminal, lines elsewhere.
//!
//! On a terminal a group that is done, or has not begun, takes one line; what runs shows its phase, how long it has taken
//! and how long it usually takes. Where the window is too low for that, groups in which nothing runs share one line. In a pipe a line is written when a step ends, and a heartbeat while nothing does, so that
//! no log is silent for long.
//!
//! Deliberately absent: a thread. Whoever waits calls [`Progress::tick`].

use super::style::columns;
use super::{Role, Ui, clean, paint};
use crate::time::{Duration, Time};
use anstream::adapter::strip_str;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a picture is redrawn, at least.
pub const TICK: std::time::Duration = std::time::Duration::from_millis(100);

/// What took less was over when it was first seen: nobody knows how long it took.
const SEEN: Duration = Duration::from_millis(50);

/// The longest silence in a pipe.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// One thing that takes time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it belongs to, as `eastus2` or `routing`.
    pub group: String,
    /// What it is, once in its group.
    pub name: String,
    /// How long it usually takes.
    pub usual: Option<(Duration, Duration)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Running { since: Time, phase: String },
    Done { took: Duration },
    Failed { took: Duration, why: String },
}

struct Row {
    step: Step,
    state: State,
}

/// Steps and how far they are.
pub struct Progress<'a> {
    ui: &'a Ui,
    rows: Vec<Row>,
    began: Time,
    spoke: Time,
    /// On a terminal: what is drawn.
    drawn: Option<ProgressBar>,
}

impl<'a> Progress<'a> {
    /// Steps that all wait.
    pub fn new(ui: &'a Ui, steps: impl IntoIterator<Item = Step>, now: Time) -> Progress<'a> {
        let rows = steps.into_iter().map(|step| Row { step, state: State::Waiting }).collect();
        let drawn = ui.watched().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            bar.with_style(style)
        });
        let mut progress = Progress { ui, rows, began: now, spoke: now, drawn };
        progress.tick(now);
        progress
    }

    /// A step runs, in this phase. One that nobody announced is added to its group.
    pub fn running(&mut self, group: &str, name: &str, phase: &str, now: Time) {
        let row = self.row(group, name);
        let since = match &row.state {
            State::Running { since, .. } => *since,
            _ => now,
        };
        row.state = State::Running { since, phase: phase.to_owned() };
        self.tick(now);
    }

    /// A step is done; `word` says what was done, as `deleted`.
    pub fn done(&mut self, group: &str, name: &str, word: &str, now: Time) {
        let row = self.row(group, name);
        let took = row.took(now);
        row.state = State::Done { took };
        let took = if took < SEEN { String::new() } else { format!(" in {took}") };
        self.line(&format!("{} {}{took}", self.label(group, name), paint(Role::Good, word)), now);
        self.tick(now);
    }

    /// A step failed.
    pub fn failed(&mut self, group: &str, name: &str, why: &str, now: Time) {
        let row = self.row(group, name);
        let took = row.took(now);
        row.state = State::Failed { took, why: why.to_owned() };
        self.line(
            &format!("{} {} after {took}: {}", self.label(group, name), paint(Role::Bad, "failed"), clean(why)),
            now,
        );
        self.tick(now);
    }

    /// Something else worth a line.
    pub fn note(&mut self, text: &str, now: Time) {
        match &self.drawn {
            Some(bar) => bar.suspend(|| self.ui.say(text)),
            None => self.line(text, now),
        }
    }

    /// Redraws, or gives the heartbeat.
    pub fn tick(&mut self, now: Time) {
        if let Some(bar) = &self.drawn {
            let picture = self.picture(now, self.ui.height().unwrap_or(usize::MAX));
            bar.set_message(if self.ui.coloured() { picture } else { strip_str(&picture).to_string() });
            bar.tick();
        } else if now.since(self.spoke) >= HEARTBEAT {
            let line = match self.longest(now) {
                Some(text) => text,
                None => "still waiting".to_owned(),
            };
            self.line(&line, now);
        }
    }

    /// Leaves the last picture on the terminal.
    pub fn end(&mut self, now: Time) {
        self.tick(now);
        if let Some(bar) = self.drawn.take() {
            bar.abandon();
        }
    }

    /// Leaves the picture as it was drawn last. After Ctrl-C the terminal has written `^C` behind it and may stand a line
    /// lower, so that drawing over it would leave pieces.
    pub fn leave(&mut self) {
        if let Some(bar) = self.drawn.take() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
            bar.abandon();
        }
    }

    fn row(&mut self, group: &str, name: &str) -> &mut Row {
        let at = self.rows.iter().position(|row| row.step.group == group && row.step.name == name);
        let at = at.unwrap_or_else(|| {
            let step = Step { group: group.to_owned(), name: name.to_owned(), usual: None };
            // behind the last of its group, so that a group stays together
            let last = self.rows.iter().rposition(|row| row.step.group == group).map_or(self.rows.len(), |at| at + 1);
            self.rows.insert(last, Row { step, state: State::Waiting });
            last
        });
        &mut self.rows[at]
    }

    /// A line in a pipe; a terminal has the picture.
    fn line(&mut self, text: &str, now: Time) {
        if self.drawn.is_none() {
            self.ui.say(&format!(
                "  {} {text}",
                paint(Role::Faint, &format!("[{:>6}]", now.since(self.began).to_string()))
            ));
            self.spoke = now;
        }
    }

    /// A step's group and name, the groups under each other.
    fn label(&self, group: &str, name: &str) -> String {
        let width = self.rows.iter().map(|row| row.step.group.chars().count()).max().unwrap_or(0);
        format!("{} {}", paint(Role::Strong, &format!("{:width$}", clean(group))), clean(name))
    }

    /// What has been running longest, for the heartbeat.
    fn longest(&self, now: Time) -> Option<String> {
        let running = self.rows.iter().filter_map(|row| match &row.state {
            State::Running { since, phase } => Some((*since, row, phase)),
            _ => None,
        });
        let all = running.clone().count();
        let (since, row, phase) = running.min_by_key(|(since, ..)| *since)?;
        let more = if all > 1 { format!(", and {} more", all - 1) } else { String::new() };
        let label = self.label(&row.step.group, &row.step.name);
        Some(format!("{label} {} for {}{}{more}", clean(phase), now.since(since), row.step.usually()))
    }

    /// The picture on a terminal of that many lines.
    fn picture(&self, now: Time, height: usize) -> String {
        let mut groups: Vec<(&str, Vec<&Row>)> = Vec::new();
        for row in &self.rows {
            match groups.iter_mut().find(|(group, _)| *group == row.step.group) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((&row.step.group, vec![row])),
            }
        }
        let lines = |groups: &[(&str, Vec<&Row>)]| {
            let width = groups.iter().map(|(group, _)| columns(group)).max().unwrap_or(0);
            let mut lines = Vec::new();
            for (group, rows) in groups {
                for (i, text) in picture_of_group(rows, now).into_iter().enumerate() {
                    let head = if i == 0 { clean(group) } else { "".into() };
                    lines.push(format!("  {} {text}", paint(Role::Strong, &format!("{head:width$}"))));
                }
            }
            lines
        };
        let whole = lines(&groups);
        if whole.len() < height {
            return whole.join("\n");
        }
        let (busy, quiet): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|(_, rows)| rows.iter().any(|row| row.is_shown()));
        let heading = if busy.is_empty() { "all".to_owned() } else { format!("{} others", quiet.len()) };
        let others = (heading.as_str(), quiet.into_iter().flat_map(|(_, rows)| rows).collect());
        let mut folded = lines(&[busy, vec![others]].concat());
        // the last line, what has been done, stays
        let too_many = folded.len().saturating_sub(height.saturating_sub(1).max(2));
        if too_many > 0 {
            let last = folded.len() - 1;
            let cut = last - too_many - 1;
            folded.splice(cut..last, [paint(Role::Faint, &format!("  and {} more lines", last - cut))]);
        }
        folded.join("\n")
    }
}

impl Step {
    fn usually(&self) -> String {
        // what is over before one has read it needs no such words
        let usual = self.usual.filter(|(_, to)| *to >= Duration::from_secs(1));
        usual.map_or(String::new(), |(from, to)| format!(" (usually {from} to {to})"))
    }
}

impl Row {
    /// Whether it has a line of its own.
    fn is_shown(&self) -> bool {
        matches!(self.state, State::Running { .. } | State::Failed { .. })
    }

    fn took(&self, now: Time) -> Duration {
        match &self.state {
            State::Running { since, .. } => now.since(*since),
            State::Done { took } | State::Failed { took, .. } => *took,
            State::Waiting => Duration::ZERO,
        }
    }
}

/// What is done is one line, what waits is one line, the rest is shown.
fn picture_of_group(rows: &[&Row], now: Time) -> Vec<String> {
    let done: Vec<&Row> = rows.iter().filter(|row| matches!(row.state, State::Done { .. })).copied().collect();
    let waiting = rows.iter().filter(|row| row.state == State::Waiting).count();
    let shown = rows.iter().filter(|row| row.is_shown());
    let mut lines = Vec::new();
    let mut waits = match waiting {
        0 => String::new(),
        _ if waiting == rows.len() => "waiting".to_owned(),
        _ => format!("{waiting} waiting"),
    };
    if !done.is_empty() {
        let took = done.iter().map(|row| row.took(now)).max().unwrap_or_default();
        let what =
            if done.len() == rows.len() { "done".to_owned() } else { format!("done {} of {}", done.len(), rows.len()) };
        let took = if took < SEEN { String::new() } else { format!(" {took}") };
        // with nothing between them, both are one line
        let waits = match shown.clone().count() {
            0 if !waits.is_empty() => format!(", {}", std::mem::take(&mut waits)),
            _ => String::new(),
        };
        lines.push(format!("{}{}", paint(Role::Good, &what), paint(Role::Faint, &format!("{took}{waits}"))));
    }
    let width = shown.clone().map(|row| columns(&row.step.name)).max().unwrap_or(0);
    for row in shown {
        let name = clean(&row.step.name);
        lines.push(match &row.state {
            State::Failed { took, why } => {
                format!("{name:width$}  {} after {took}: {}", paint(Role::Bad, "failed"), clean(why))
            }
            State::Running { since, phase } => {
                let elapsed = now.since(*since).to_string();
                let usually = row.step.usually();
                let phase = paint(Role::Change, &format!("{} {}", spinner(now), clean(phase)));
                format!("{name:width$}  {phase} {elapsed}{}", paint(Role::Faint, &usually))
            }
            _ => continue,
        });
    }
    if !waits.is_empty() {
        lines.push(paint(Role::Faint, &waits));
    }
    lines
}

fn spinner(now: Time) -> char {
    const FRAMES: [char; 8] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧'];
    FRAMES[(now.0 / 100_000_000 % FRAMES.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{Input, Output, Verbosity};

    #[test]
    fn a_low_window_folds_what_is_quiet() {
        let ui = Ui::new("deploy", anstream::ColorChoice::Never, Verbosity::Quiet, Output::Text, Input::Never);
        let steps = (0..30).flat_map(|n| {
            ["account", "deployment"].map(|name| Step { group: format!("east-{n}"), name: name.into(), usual: None })
        });
        let at = Time::from_secs;
        let mut progress = Progress::new(&ui, steps, at(0));
        (0..30).for_each(|n| progress.done(&format!("east-{n}"), "account", "done", at(0)));
        let picture = |progress: &Progress<'_>, height| strip_str(&progress.picture(at(9), height)).to_string();
        assert_eq!(picture(&progress, 24), "  all done 30 of 60, 30 waiting");
        assert_eq!(picture(&progress, 31).lines().next(), Some("  east-0  done 1 of 2, 1 waiting"));
        progress.running("east-7", "deployment", "writing", at(2));
        expect_test::expect![[r#"
            the picture
              east-7    done 1 of 2
                        deployment  ⠂ writing 7s
              29 others done 29 of 58, 29 waiting"#]]
        .assert_eq(&format!("the picture\n{}", picture(&progress, 24)).replace(spinner(at(9)), "⠂"));
        (0..30).for_each(|n| progress.running(&format!("east-{n}"), "deployment", "writing", at(2)));
        for height in 4..70 {
            let lines = picture(&progress, height).lines().count();
            assert!(lines < height, "{lines} lines in {height}");
        }
    }

    #[test]
    fn the_picture_shows_what_runs_and_folds_the_rest() {
        let ui = Ui::new("deploy", anstream::ColorChoice::Never, Verbosity::Quiet, Output::Text, Input::Never);
        let step = |group: &str, name: &str| Step { group: group.into(), name: name.into(), usual: None };
        let gateway = Step {
            usual: Some((Duration::from_secs(300), Duration::from_secs(900))),
            ..step("service", "gateway apim")
        };
        let steps = [gateway, step("eastus2", "account"), step("eastus2", "deployment gpt"), step("routing", "pool p")];
        let at = Time::from_secs;
        let mut progress = Progress::new(&ui, steps, at(0));
        progress.running("service", "gateway apim", "Activating", at(0));
        progress.running("eastus2", "account", "running", at(0));
        progress.done("eastus2", "account", "done", at(38));
        progress.running("eastus2", "deployment gpt", "running", at(38));
        progress.running("service", "role on eastus2", "running", at(39));
        progress.failed("service", "role on eastus2", "PrincipalNotFound\u{7}", at(40));
        let picture = strip_str(&progress.picture(at(60), 24)).to_string();
        expect_test::expect![[r#"
            the picture
              service gateway apim     ⠋ Activating 1m (usually 5m to 15m)
                      role on eastus2  failed after 1s: PrincipalNotFound\u{7}
              eastus2 done 1 of 2 38s
                      deployment gpt  ⠋ running 22s
              routing waiting"#]]
        .assert_eq(&format!("the picture\n{picture}"));
        assert_eq!(strip_str(&progress.picture(at(60), 7)).to_string(), picture, "just fits");
        let beat = strip_str(&progress.longest(at(60)).expect("something runs")).to_string();
        assert_eq!(beat, "service gateway apim Activating for 1m (usually 5m to 15m), and 1 more");
    }
}
