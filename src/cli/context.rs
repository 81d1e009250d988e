//! What every command shares: the terminal, the global flags, how a spec is found, what was told so far.

use super::args::{self, Colour, Form, Global};
use super::{Done, Failure, Result};
use crate::diagnostic::{Diagnostic, Exit, Severity, code};
use crate::io::files;
use crate::io::local::{self, Local};
use crate::spec::{self, Loaded};
use crate::time::Time;
use crate::ui::{self, Events, Input, Output, Source, Ui, Verbosity};
use crate::{policy, template};
use anstream::ColorChoice;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// No spec is longer; the reader in `spec` has a budget of its own for what it expands to.
const SPEC_LIMIT: u64 = spec::MAX_BYTES as u64;

/// The longest of Azure OpenAI's own OpenAPI documents has a megabyte.
const FILE_LIMIT: u64 = 8 << 20;

/// The file name that is looked for.
const SPEC_NAME: &str = "aoai-lb.yaml";

/// One run of the program.
pub(super) struct Context<'a> {
    pub(super) ui: Ui,
    pub(super) global: &'a Global,
    events: RefCell<Option<Events>>,
    told: RefCell<Vec<Value>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        global: &'a Global,
        command: &'static str,
    ) -> std::result::Result<Context<'a>, (Box<Ui>, Box<Diagnostic>)> {
        let colour = match global.color {
            Colour::Auto => ColorChoice::Auto,
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        };
        let verbosity = match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Trace,
        };
        let output = if global.output == Form::Json { Output::Json } else { Output::Text };
        let input = if global.no_input { Input::Never } else { Input::Terminal };
        let ui = Ui::new(command, colour, verbosity, output, input);
        let events = match &global.events {
            None => None,
            Some(path) => match Events::create(path, command, crate::io::now()) {
                Ok(events) => Some(events),
                Err(problem) => return Err((Box::new(ui), problem)),
            },
        };
        Ok(Context { ui, global, events: RefCell::new(events), told: RefCell::default() })
    }

    /// Tells problems at once and keeps them for the JSON document.
    pub(super) fn tell(&self, source: Option<&Source>, problems: &[Diagnostic]) {
        self.ui.problems(source, problems);
        for problem in problems {
            let value = ui::problem(problem, source);
            self.event("diagnostic", value.clone());
            self.told.borrow_mut().push(value);
        }
    }

    /// Notes an event. A file that cannot be written any more is told once and given up: the work goes on.
    pub(super) fn event(&self, kind: &str, fields: Value) {
        let mut events = self.events.borrow_mut();
        let written = events.as_mut().map(|file| file.write(kind, crate::io::now(), fields));
        if let Some(Err(problem)) = written {
            *events = None;
            self.ui.problems(None, &[*problem]);
        }
    }

    /// Text on standard output, unless a JSON document will stand there.
    pub(super) fn text(&self, text: &str) -> Result<()> {
        if self.ui.output == Output::Text {
            self.ui.data(text)?;
        }
        Ok(())
    }

    /// Tells why a command did not come to its end, and gives its exit code.
    pub(super) fn fail(&self, failure: Failure) -> Exit {
        self.tell(failure.source.as_ref(), &failure.problems);
        if let Some(summary) = &failure.summary {
            self.ui.say(summary);
        }
        match Exit::of(&failure.problems) {
            Exit::Done => Exit::Failed,
            exit => exit,
        }
    }

    /// The end of the command: problems, document, exit code.
    pub(super) fn finish(&self, result: Result) -> Exit {
        let done = result.unwrap_or_else(|failure| Done::new(json!({})).exit(self.fail(failure)));
        self.event("end", json!({ "exit": done.exit as u8 }));
        let fields = match done.document {
            Some(fields) if self.ui.output == Output::Json => fields,
            _ => return done.exit,
        };
        let mut document = json!({ "exit": done.exit as u8, "diagnostics": *self.told.borrow() });
        if let (Value::Object(document), Value::Object(fields)) = (&mut document, fields) {
            document.extend(fields);
        }
        match self.ui.document(document) {
            Ok(()) => done.exit,
            Err(problem) => {
                self.ui.problems(None, std::slice::from_ref(&problem));
                problem.code.exit()
            }
        }
    }

    /// Finds and reads the spec's text.
    pub(super) fn source(&self, spec: &args::Spec) -> Result<Source> {
        let path = self.find(spec)?;
        match files::read_text(&path, SPEC_LIMIT) {
            Ok(text) => Ok(Source { name: path.display().to_string(), text }),
            Err(error) => {
                let message = format!("`{}` cannot be read: {error}", path.display());
                let problem = Diagnostic::new(code::UNREADABLE_FILE, message);
                Err(Failure::from(match error.kind() {
                    ErrorKind::NotFound => problem.help("check the path, or leave SPEC out to use aoai-lb.yaml"),
                    ErrorKind::IsADirectory => problem.help("name the file in it: a spec is one file"),
                    ErrorKind::InvalidData => problem.help("a spec is text: save it as UTF-8, or check the path"),
                    ErrorKind::FileTooLarge => problem.help("a spec has some kilobytes: check the path"),
                    _ => problem,
                }))
            }
        }
    }

    /// Finds, reads and loads the spec; tells its warnings.
    pub(super) fn load(&self, spec: &args::Spec) -> Result<Spec> {
        let source = self.source(spec)?;
        match spec::load(&source.text, &self.options(&beside(&source))) {
            Ok(mut loaded) => {
                let mut more = policy::problems(&loaded.topology);
                more.extend(template::problems(&loaded.topology));
                more.extend(std::mem::take(&mut loaded.warnings));
                loaded.warnings = loaded.placed(more);
                if loaded.warnings.iter().any(|problem| problem.severity == Severity::Error) {
                    let summary = format!("{} is not valid: {}.", ui::clean(&source.name), count(&loaded.warnings));
                    return Err(Failure { summary: Some(summary), ..Failure::of(&source, loaded.warnings) });
                }
                self.tell(Some(&source), &loaded.warnings);
                Ok(Spec { source, loaded })
            }
            Err(problems) => {
                let summary = format!("{} is not valid: {}.", ui::clean(&source.name), count(&problems));
                Err(Failure { summary: Some(summary), ..Failure::of(&source, problems) })
            }
        }
    }

    /// What the command line says about the spec.
    pub(super) fn options<'b>(
        &'b self,
        files: &'b dyn Fn(&str) -> std::result::Result<String, String>,
    ) -> spec::Options<'b> {
        spec::Options {
            environment: self.global.env.as_deref(),
            set: &self.global.set,
            variables: &|name| std::env::var(name).ok(),
            files,
            subscription: self.global.subscription.as_deref(),
            resource_group: self.global.resource_group.as_deref(),
            today: Some(today()),
        }
    }

    /// The local Azure of this folder.
    pub(super) fn local(&self, subscription: &str) -> Local {
        Local::new(local::FOLDER, subscription, self.global.time_scale)
    }

    /// Runs a future to its end, on this thread.
    pub(super) fn block_on<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| machine("no event loop can be had", &error))?;
        runtime.block_on(tokio::task::LocalSet::new().run_until(future))
    }

    fn find(&self, spec: &args::Spec) -> Result<PathBuf> {
        if let Some(path) = &spec.spec {
            return Ok(path.clone());
        }
        if let Some(path) = std::env::var_os("AOAI_LB_SPEC").filter(|path| !path.is_empty()) {
            self.ui.detail(&format!("spec: {} (AOAI_LB_SPEC)", Path::new(&path).display()));
            return Ok(PathBuf::from(path));
        }
        let here = std::env::current_dir().unwrap_or_default();
        let mut above = PathBuf::new();
        for folder in here.ancestors() {
            if folder.join(SPEC_NAME).is_file() {
                let path = above.join(SPEC_NAME);
                if folder != here {
                    self.ui.say(&format!("Using {}.", path.display()));
                }
                return Ok(path);
            }
            if folder.join(".git").exists() {
                break;
            }
            above.push("..");
        }
        Err(Failure::from(
            Diagnostic::new(code::NO_SPEC, "no spec was given, and there is no aoai-lb.yaml here or above")
                .help("name the spec: `aoai-lb validate spec.yaml`"),
        ))
    }
}

/// The day on which a spec is judged: the clock's, or that of SOURCE_DATE_EPOCH, by which a build says when it is.
fn today() -> Time {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.trim().parse().ok());
    epoch.map_or_else(crate::io::now, Time::from_secs)
}

/// Reads files beside a spec.
pub(super) fn beside(source: &Source) -> impl Fn(&str) -> std::result::Result<String, String> + use<> {
    let folder = Path::new(&source.name).parent().map(Path::to_path_buf).unwrap_or_default();
    move |path: &str| files::read_text(&folder.join(path), FILE_LIMIT).map_err(|error| error.to_string())
}

/// A spec that was read.
pub(super) struct Spec {
    pub(super) source: Source,
    pub(super) loaded: Loaded,
}

/// The system refuses something basic.
pub(super) fn machine(what: &str, error: &std::io::Error) -> Failure {
    Failure::from(Diagnostic::new(code::MACHINE, format!("{what}: {error}")))
}

/// `1 error, 2 warnings`; empty where there is neither.
pub(super) fn count(problems: &[Diagnostic]) -> String {
    let of = |severity: Severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let words = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{n} {word}s")),
    };
    [words(of(Severity::Error), "error"), words(of(Severity::Warning), "warning")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}
