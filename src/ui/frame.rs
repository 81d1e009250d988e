//! Diagnostics as a person reads them: the message, the line of the spec with the place underlined, what to do.

use super::clean;
use super::style::wrap;
use crate::diagnostic::{Diagnostic, Severity, Span, code};
use crate::spec;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

/// A text that diagnostics point into.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, as the user gave it.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// The same with what looks like a key covered: a terminal is often somebody's log.
    pub(super) fn covered(&self, problems: &[Diagnostic]) -> Source {
        let mut text = spec::covered(&self.text);
        let secret = |problem: &&Diagnostic| [code::LITERAL_SECRET, code::LITERAL_KEY].contains(&problem.code);
        for span in problems.iter().filter(secret).filter_map(|problem| problem.span) {
            let place = self.inside(span);
            let cover = |c: char| if c.is_ascii_alphanumeric() { '*' } else { c };
            let covered: String = text[place.clone()].chars().map(cover).collect();
            text.replace_range(place, &covered);
        }
        Source { name: self.name.clone(), text }
    }

    /// The span inside the text, at character boundaries, at least one character wide where there is one.
    fn inside(&self, span: Span) -> std::ops::Range<usize> {
        let floor = |mut at: usize| {
            at = at.min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = floor(span.start);
        let end = floor(span.end).max(start);
        let one = self.text[start..].chars().next().filter(|&c| c != '\n').map_or(0, char::len_utf8);
        start..end.max(start + one)
    }

    /// Line and column, both from 1, columns in characters.
    fn position(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// A place as it stands in a JSON document.
    pub(super) fn place(&self, span: Span) -> Value {
        let span = self.inside(span);
        let (line, column) = self.position(span.start);
        let (end_line, end_column) = self.position(span.end);
        json!({ "file": self.name, "line": line, "column": column, "endLine": end_line, "endColumn": end_column })
    }
}

/// The whole diagnostic, painted; the stream drops the paint where there is no colour. Where somebody says how many
/// columns there are, notes and help are broken between words.
pub(super) fn frame(problem: &Diagnostic, source: Option<&Source>, width: Option<usize>) -> String {
    // the number of the line, ` = `, the longest of the words before the text
    let line = source.zip(problem.span).map_or(0, |(source, span)| source.position(source.inside(span).start).0);
    let margin = line.to_string().len() + " = help: ".len();
    let broken = |text: &str| match width {
        Some(width) => wrap(&clean(text), width.saturating_sub(margin).max(20)),
        None => clean(text).into_owned(),
    };
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(clean(&problem.message)).id(problem.code.as_str()));
    let mut long_label = None;
    match (source, problem.span) {
        (Some(source), Some(span)) => {
            let span = source.inside(span);
            let mut mark = AnnotationKind::Primary.span(first_line(&source.text, span));
            if let Some(label) = &problem.label {
                // a label that would run off the line is a note of its own
                if label.chars().count() <= 60 {
                    mark = mark.label(clean(label));
                } else {
                    long_label = Some(label);
                }
            }
            group = group.element(Snippet::source(&source.text).path(clean(&source.name)).annotation(mark));
        }
        (Some(source), None) => {
            if let Some(key) = &problem.key {
                let place = format!("{}, {}", clean(&source.name), clean(key));
                group = group.element(Level::NOTE.with_name(Some("in")).message(place));
            }
        }
        (None, _) => {}
    }
    if let Some(label) = long_label {
        group = group.element(Level::NOTE.message(broken(label)));
    }
    for note in &problem.notes {
        group = group.element(Level::NOTE.message(broken(note)));
    }
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(broken(help)));
    }
    let more = format!("aoai-lb explain {}", problem.code);
    group = group.element(Level::NOTE.with_name(Some("more")).message(more));
    Renderer::styled().term_width(width.unwrap_or(100)).render(&[group])
}

/// A span that stays on its first line: a whole mapping underlined helps nobody.
fn first_line(text: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let end = text[span.clone()].find('\n').map_or(span.end, |newline| span.start + newline);
    span.start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::code;
    use anstream::adapter::strip_str;

    const SPEC: &str = "version: 1\npools:\n  p:\n    members:\n      - { backend: a, weight: 101 }\n";

    fn show(problem: &Diagnostic) -> String {
        let source = Source { name: "spec.yaml".into(), text: SPEC.into() };
        strip_str(&frame(problem, Some(&source), None)).to_string()
    }

    #[test]
    fn help_is_broken_between_words_on_a_terminal() {
        let at = SPEC.find("101").expect("a weight");
        let problem = Diagnostic::new(code::DUPLICATE_KEY, "weight 101 is above 100")
            .span(Span { start: at, end: at + 3 })
            .note("what is said here goes on for more than the columns that there are")
            .help("use `a`, `b`, `c`, `d`, `e`, `f` or `g`");
        let source = Source { name: "spec.yaml".into(), text: SPEC.into() };
        let shown = strip_str(&frame(&problem, Some(&source), Some(40))).to_string();
        let last: Vec<&str> = shown.lines().skip(6).collect();
        assert_eq!(
            last,
            [
                "  = note: what is said here goes on for",
                "          more than the columns that",
                "          there are",
                "  = help: use `a`, `b`, `c`, `d`, `e`,",
                "          `f` or `g`",
                "  = more: aoai-lb explain AL0102"
            ]
        );
    }

    #[test]
    fn a_diagnostic_points_at_its_place() {
        let at = SPEC.find("101").expect("a weight");
        let problem = Diagnostic::new(code::DUPLICATE_KEY, "weight 101 is above 100")
            .span(Span { start: at, end: at + 3 })
            .label("0 to 100")
            .note("said twice")
            .help("use a smaller weight");
        expect_test::expect![[r#"
            error[AL0102]: weight 101 is above 100
             --> spec.yaml:5:31
              |
            5 |       - { backend: a, weight: 101 }
              |                               ^^^ 0 to 100
              |
              = note: said twice
              = help: use a smaller weight
              = more: aoai-lb explain AL0102"#]]
        .assert_eq(&show(&problem));
    }

    #[test]
    fn no_span_and_any_span_can_be_shown() {
        let problem = Diagnostic::new(code::UNREADABLE_FILE, "bad\x1b[0m").at("pools.p");
        expect_test::expect![[r#"
            error[AL0101]: bad\u{1b}[0m
             |
             = in: spec.yaml, pools.p
             = more: aoai-lb explain AL0101"#]]
        .assert_eq(&show(&problem));
        for span in [(0, 0), (SPEC.len(), SPEC.len() + 9), (10, 11), (11, 40), (usize::MAX, 0)] {
            let span = Span { start: span.0, end: span.1 };
            assert!(show(&problem.clone().span(span)).contains("spec.yaml:"));
        }
    }
}
