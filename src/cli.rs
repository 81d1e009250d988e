//! The command line: one file a command, each of them wiring and no logic.
//!
//! A command gives back what its JSON document holds; text it prints as it goes. A failure is a list of diagnostics with
//! the source that they point into, told here and nowhere else. The exit code is that of the first error
//! ([`Exit::of`]), or what the command says.
//!
//! Deliberately absent: decisions about Azure, pools or plans. They are in the core.

mod args;
mod bug;
mod completions;
mod context;
mod deploy;
mod destroy;
mod emulator;
mod explain;
mod import;
mod init;
mod lint;
mod plan;
mod progress;
mod render;
mod sarif;
mod schema;
mod simulate;
mod target;
mod validate;

use crate::diagnostic::{Diagnostic, Exit};
use crate::ui::Source;
use args::{Cli, Command};
use clap::Parser;
use context::Context;
use serde_json::Value;

/// Runs the program that the command line asks for.
pub fn main() -> Exit {
    bug::guard(|| match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => {
            // clap knows which stream, and whether that has colour
            let _ = error.print();
            if error.use_stderr() { Exit::Usage } else { Exit::Done }
        }
    })
}

fn run(cli: Cli) -> Exit {
    let context = match Context::new(&cli.global, name(&cli.command)) {
        Ok(context) => context,
        Err((ui, problem)) => {
            ui.problems(None, std::slice::from_ref(&problem));
            return problem.code.exit();
        }
    };
    let result = match &cli.command {
        Command::Init(args) => init::run(&context, args),
        Command::Validate(args) => validate::run(&context, args),
        Command::Render(args) => render::run(&context, args),
        Command::Plan(args) => plan::run(&context, args),
        Command::Deploy(args) => deploy::run(&context, args),
        Command::Destroy(args) => destroy::run(&context, args),
        Command::Simulate(args) => simulate::run(&context, args),
        Command::Emulator(args) => emulator::run(&context, args),
        Command::Import(args) => import::run(&context, args),
        Command::Lint(args) => lint::run(&context, args),
        Command::Explain(args) => explain::run(&context, args),
        Command::Schema => schema::run(&context),
        Command::Completions(args) => completions::run(&context, args),
    };
    context.finish(result)
}

const fn name(command: &Command) -> &'static str {
    match command {
        Command::Init(_) => "init",
        Command::Validate(_) => "validate",
        Command::Render(_) => "render",
        Command::Plan(_) => "plan",
        Command::Deploy(_) => "deploy",
        Command::Destroy(_) => "destroy",
        Command::Simulate(_) => "simulate",
        Command::Emulator(_) => "emulator",
        Command::Import(_) => "import",
        Command::Lint(_) => "lint",
        Command::Explain(_) => "explain",
        Command::Schema => "schema",
        Command::Completions(_) => "completions",
    }
}

/// What a command that came to its end leaves.
struct Done {
    exit: Exit,
    /// An object: the command's part of the JSON document; `None` where the document was written already.
    document: Option<Value>,
}

impl Done {
    fn new(document: Value) -> Done {
        Done { exit: Exit::Done, document: Some(document) }
    }

    /// The JSON document was written when the work began.
    fn said() -> Done {
        Done { exit: Exit::Done, document: None }
    }

    fn exit(mut self, exit: Exit) -> Done {
        self.exit = exit;
        self
    }
}

/// Why a command did not come to its end.
struct Failure {
    source: Option<Source>,
    problems: Vec<Diagnostic>,
    /// One line after them.
    summary: Option<String>,
}

impl From<Diagnostic> for Failure {
    fn from(problem: Diagnostic) -> Failure {
        Failure::from(vec![problem])
    }
}

impl From<Box<Diagnostic>> for Failure {
    fn from(problem: Box<Diagnostic>) -> Failure {
        Failure::from(*problem)
    }
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(problems: Vec<Diagnostic>) -> Failure {
        Failure { source: None, problems, summary: None }
    }
}

impl Failure {
    /// The same, with the text that its spans point into.
    fn of(source: &Source, problems: Vec<Diagnostic>) -> Failure {
        Failure { source: Some(source.clone()), problems, summary: None }
    }
}

type Result<T = Done> = std::result::Result<T, Failure>;
