//! What a person sees: diagnostics with their place in the source, tables, progress, questions; and what a program
//! sees: one JSON document a command, and events as they happen.
//!
//! - Data goes to standard output, everything else to standard error.
//! - Colour is by role and decided once a stream; no meaning hangs on it. Without colour no escape byte is written.
//! - Text from outside (a spec, Azure) never reaches a terminal with control characters in it ([`clean`]).
//! - A question is asked only on a terminal. Elsewhere it is an error that names the flag to add.
//!
//! Deliberately absent: decisions, and any knowledge of commands.

mod events;
mod frame;
mod plan;
mod progress;
mod prompt;
mod sarif;
mod style;
mod table;

pub use events::Events;
pub use frame::Source;
pub use plan::plan;
pub use progress::{Progress, Step, TICK};
pub use prompt::Answer;
pub use sarif::{artifact, sarif};
pub use style::{Role, clean, paint, reflow};
pub use table::table;

use crate::diagnostic::{Code, Diagnostic, Severity, code};
use anstream::{AutoStream, ColorChoice};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// Format number of every JSON document and event; it changes when a reader would break.
pub const FORMAT: u32 = 1;

/// So many warnings of one kind are shown without `-v`.
const ALIKE: usize = 3;

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// `-q`: problems only.
    Quiet,
    /// What a person wants to know.
    Normal,
    /// `-v`: also how.
    Verbose,
    /// `-vv`: also every request.
    Trace,
}

/// What stands on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Text for people.
    Text,
    /// One JSON document.
    Json,
}

/// Whether questions may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Where standard input and standard error are a terminal.
    Terminal,
    /// `--no-input`: never.
    Never,
}

/// How the program talks.
pub struct Ui {
    /// How much.
    pub verbosity: Verbosity,
    /// In which form.
    pub output: Output,
    /// The columns of standard output, where it is a terminal.
    pub width_out: Option<usize>,
    /// The columns of standard error, where it is a terminal.
    pub width_err: Option<usize>,
    command: &'static str,
    colour_out: ColorChoice,
    colour_err: ColorChoice,
    input: Input,
}

impl Ui {
    /// Looks at the streams and the environment once.
    pub fn new(command: &'static str, colour: ColorChoice, verbosity: Verbosity, output: Output, input: Input) -> Ui {
        let decide = |auto: ColorChoice| if colour == ColorChoice::Auto { auto } else { colour };
        let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        Ui {
            verbosity,
            output,
            command,
            colour_out: decide(AutoStream::choice(&io::stdout())),
            colour_err: decide(AutoStream::choice(&io::stderr())),
            input: if terminal { input } else { Input::Never },
            width_out: terminal_size::terminal_size_of(io::stdout()).map(columns),
            width_err: terminal_size::terminal_size_of(io::stderr()).map(columns),
        }
    }

    /// Writes data to standard output. A reader that has gone away is no error.
    pub fn data(&self, text: &str) -> Result<(), Box<Diagnostic>> {
        let mut stream = AutoStream::new(io::stdout(), self.colour_out);
        match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                let message = format!("standard output cannot be written: {error}");
                Err(Box::new(Diagnostic::new(code::UNWRITABLE, message)))
            }
            _ => Ok(()),
        }
    }

    /// Writes the one JSON document of this command.
    pub fn document(&self, fields: Value) -> Result<(), Box<Diagnostic>> {
        let mut document = Map::new();
        document.insert("format".into(), FORMAT.into());
        document.insert("tool".into(), env!("CARGO_PKG_NAME").into());
        document.insert("version".into(), env!("CARGO_PKG_VERSION").into());
        document.insert("command".into(), self.command.into());
        if let Value::Object(fields) = fields {
            document.extend(fields);
        }
        self.data(&format!("{:#}\n", Value::Object(document)))
    }

    /// A line for people, unless `-q`.
    pub fn say(&self, text: &str) {
        if self.verbosity >= Verbosity::Normal {
            match self.width_err {
                Some(width) => self.err(&style::wrap(text, width)),
                None => self.err(text),
            }
        }
    }

    /// What a person has to see before a question: on a terminal also with `-q`.
    pub fn show(&self, text: &str) {
        if self.verbosity >= Verbosity::Normal || self.input == Input::Terminal {
            self.err(text.trim_end_matches('\n'));
        }
    }

    /// A line with `-v`.
    pub fn detail(&self, text: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.err(&paint(Role::Faint, text));
        }
    }

    /// Problems, each with its place in the source. With `-q` only errors; without `-v` no more than a few warnings of
    /// one kind, for the rest say the same about other places.
    pub fn problems(&self, source: Option<&Source>, problems: &[Diagnostic]) {
        let mut seen: BTreeMap<Code, usize> = BTreeMap::new();
        let covered = source.map(|source| source.covered(problems));
        let source = covered.as_ref();
        for problem in problems {
            let is_error = problem.severity == Severity::Error;
            if !is_error && self.verbosity < Verbosity::Normal {
                continue;
            }
            let count = seen.entry(problem.code).or_default();
            *count += 1;
            if is_error || *count <= ALIKE || self.verbosity >= Verbosity::Verbose {
                self.err(&frame::frame(problem, source, self.width_err.or_else(asked)));
                self.err("");
            }
        }
        for (code, count) in seen {
            if code.severity() != Severity::Error && count > ALIKE && self.verbosity < Verbosity::Verbose {
                let (more, word) = (count - ALIKE, code.severity().word());
                self.say(&match more {
                    1 => format!("1 more {word} {code}: `-v` shows it.\n"),
                    _ => format!("{more} more {word}s {code}: `-v` shows them.\n"),
                });
            }
        }
    }

    /// A line on standard error, whatever the verbosity. An error there has nobody to be told.
    fn err(&self, text: &str) {
        let _ = writeln!(AutoStream::new(io::stderr(), self.colour_err), "{text}");
    }

    /// A way to say lines from elsewhere, with at least this verbosity.
    pub fn logger(&self, verbosity: Verbosity) -> impl Fn(&str) + 'static {
        let (shown, colour) = (self.verbosity >= verbosity, self.colour_err);
        move |line| {
            if shown {
                let _ = writeln!(AutoStream::new(io::stderr(), colour), "{}", clean(line));
            }
        }
    }

    /// Whether standard error has colour.
    fn coloured(&self) -> bool {
        self.colour_err != ColorChoice::Never
    }

    /// The lines of the terminal that standard error is, now: a window changes its size.
    fn height(&self) -> Option<usize> {
        terminal_size::terminal_size_of(io::stderr()).map(|(_, height)| usize::from(height.0))
    }

    /// Whether a person watches standard error, and lines of requests do not run through the picture.
    fn watched(&self) -> bool {
        let shown = [Verbosity::Normal, Verbosity::Verbose].contains(&self.verbosity);
        io::stderr().is_terminal() && shown
    }
}

/// The columns that are used of a terminal.
fn columns((width, _): (terminal_size::Width, terminal_size::Height)) -> usize {
    usize::from(width.0).clamp(40, 400)
}

/// The columns that COLUMNS asks for, where no terminal says how many there are.
fn asked() -> Option<usize> {
    let columns: usize = std::env::var("COLUMNS").ok()?.parse().ok()?;
    Some(columns.clamp(40, 400))
}

/// A diagnostic as it stands in a JSON document.
pub fn problem(problem: &Diagnostic, source: Option<&Source>) -> Value {
    let place = match (source, problem.span) {
        (Some(source), Some(span)) => source.place(span),
        _ => Value::Null,
    };
    json!({
        "code": problem.code.as_str(),
        "severity": problem.severity.word(),
        "title": problem.code.title(),
        "message": problem.message,
        "key": problem.key,
        "place": place,
        "label": problem.label,
        "help": problem.help,
        "notes": problem.notes,
        "explain": format!("{} explain {}", env!("CARGO_PKG_NAME"), problem.code),
    })
}

/// Several diagnostics as they stand in a JSON document.
pub fn problems(problems: &[Diagnostic], source: Option<&Source>) -> Value {
    problems.iter().map(|one| problem(one, source)).collect()
}
