//! What is told to a person when something is wrong: one type, [`Diagnostic`], one registry of codes, [`code`], one
//! table of exit codes, [`Exit`].
//!
//! A diagnostic says the leaf cause first, names the place in the spec, says what to do, and carries a stable code whose
//! long text `aoai-lb explain` prints. The core makes diagnostics; it never prints one.
//!
//! Words: a message is a lower-case fragment without a full stop ("weight 101 is above 100"); a help is an imperative
//! ("use a weight from 0 to 100"). Messages quote what the user wrote as `` `it stands` ``.
//!
//! Deliberately absent: colours and source frames (`ui`), and positions of topology values: a rule names a key, and
//! `spec::Spans` knows where that key stands.

mod codes;

pub use codes::{Code, all, code};

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing will be done.
    Error,
    /// It will be done, and you should know.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// `error`, `warning`, `note`.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// A piece of a source text, in bytes from its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which kind of problem, for ever.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The leaf cause.
    pub message: String,
    /// The key in the spec, as `pools.gpt-4o.members[1].weight`.
    pub key: Option<String>,
    /// Where that stands in the source; filled in by `spec`, which alone knows.
    pub span: Option<Span>,
    /// A few words beside the underlined place.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// Anything else: what Azure said, a correlation id.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic of the severity that the registry gives its code.
    pub fn new(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: code.severity(),
            message: message.into(),
            key: None,
            span: None,
            label: None,
            help: None,
            notes: Vec::new(),
        }
    }

    /// Names the key in the spec.
    pub fn at(mut self, key: impl Into<String>) -> Diagnostic {
        self.key = Some(key.into());
        self
    }

    /// Names the place in the source.
    pub fn span(mut self, span: Span) -> Diagnostic {
        self.span = Some(span);
        self
    }

    /// A few words beside the underlined place.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = Some(label.into());
        self
    }

    /// What to do.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// One more thing to know.
    pub fn note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    /// One line, for logs and tests: `error[AL0212]: message (key)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.severity.word(), self.code, self.message)?;
        if let Some(key) = &self.key {
            write!(f, " ({key})")?;
        }
        Ok(())
    }
}

/// The exit codes of the program, part of its contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to change.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// `--detailed-exitcode`: changes are present.
    Changes = 2,
    /// Not signed in, or not allowed.
    Forbidden = 3,
    /// The spec is wrong, or another input file.
    Spec = 4,
    /// Azure refused: quota, policy, conflict.
    Refused = 5,
    /// Detached or declined; Azure may still be working.
    Declined = 6,
    /// Still running, or somebody else's deployment is.
    Running = 7,
    /// The command line is wrong.
    Usage = 64,
    /// A bug of this program.
    Bug = 70,
}

impl Exit {
    /// Every code with its meaning, in order: the table in the README.
    pub const ALL: [(Exit, &'static str); 10] = [
        (Exit::Done, "done, or nothing to change"),
        (Exit::Failed, "failed"),
        (Exit::Changes, "`plan --detailed-exitcode`: changes are present"),
        (Exit::Forbidden, "not signed in, or not allowed"),
        (Exit::Spec, "the spec or another input file is wrong"),
        (Exit::Refused, "Azure refused: quota, policy, conflict"),
        (Exit::Declined, "detached or declined; Azure may still be working"),
        (Exit::Running, "still running, or somebody else's deployment is"),
        (Exit::Usage, "the command line is wrong"),
        (Exit::Bug, "a bug of this program"),
    ];

    /// The exit code for a set of problems: that of the first error, done without one.
    pub fn of(problems: &[Diagnostic]) -> Exit {
        let first = problems.iter().find(|problem| problem.severity == Severity::Error);
        first.map_or(Exit::Done, |problem| problem.code.exit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_explained() {
        let mut seen = std::collections::BTreeSet::new();
        for code in all() {
            assert!(seen.insert(code.as_str()), "{code} twice");
            assert!(code.as_str().len() == 6 && code.as_str().starts_with("AL"), "{code}");
            let text = code.explain();
            assert!(text.starts_with("# ") && text.len() > 120 && text.ends_with('\n'), "explain text of {code}");
            for part in ["## Cause", "## Fix"] {
                assert!(text.contains(part), "explain text of {code} has no {part}");
            }
        }
    }

    /// Every row of the traps is explained with the public text that shows it.
    #[test]
    fn what_catches_a_trap_names_its_source() {
        let traps = include_str!("../docs/traps.md");
        let rows = traps.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| #"));
        assert_eq!(rows.count(), 36);
        for code in all().filter(|code| traps.contains(code.as_str())) {
            assert!(code.explain().contains("\nSource: "), "explain text of {code} has no source");
        }
    }

    #[test]
    fn every_explain_file_belongs_to_a_code() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/diagnostic/explain");
        #[allow(clippy::disallowed_methods)] // a test may read the disk
        for entry in std::fs::read_dir(folder).expect("the folder of explain texts") {
            let name = entry.expect("an entry").file_name().into_string().expect("a name");
            assert!(all().any(|code| format!("{code}.md") == name), "{name} explains nothing");
        }
    }

    #[test]
    fn the_first_error_gives_the_exit_code() {
        let warning = Diagnostic::new(code::ONE_REGION, "one region");
        assert_eq!(Exit::of(&[]), Exit::Done);
        assert_eq!(Exit::of(std::slice::from_ref(&warning)), Exit::Done);
        assert_eq!(Exit::of(&[warning, Diagnostic::new(code::DUPLICATE_KEY, "twice")]), Exit::Spec);
    }
}
