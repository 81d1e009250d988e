//! `lint`: what API Management refuses in somebody's policy or template, and known traps.

use super::args;
use super::context::{Context, count};
use super::sarif::{self, Written};
use super::{Done, Failure, Result};
use crate::diagnostic::{Diagnostic, Exit, Severity, code};
use crate::io::files;
use crate::policy;
use crate::template;
use crate::ui::{Role, Source, clean, paint};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

/// No template that Azure accepts is longer than 4 MB.
const LIMIT: u64 = 8 * 1024 * 1024;

pub(super) fn run(context: &Context, args: &args::Lint) -> Result {
    let source = source(&args.file)?;
    let (kind, problems) = match source.text.trim_start_matches('\u{feff}').trim_start().chars().next() {
        Some('<') => ("policy", policy::lint::lint(&source.text, &BTreeMap::new())),
        Some('{') => ("template", template::lint::lint(&source.text)),
        _ => return Err(Failure::from(neither(&source))),
    };
    context.tell(Some(&source), &problems);
    let name = clean(&source.name);
    context.ui.say(&match (problems.is_empty(), Exit::of(&problems)) {
        (true, _) => format!("{} {name}: nothing found.", paint(Role::Good, "✓")),
        (false, Exit::Done) => format!("{} {name}: {}.", paint(Role::Good, "✓"), told(&problems)),
        (false, _) => format!("{name}: {}.", told(&problems)),
    });
    let done = Done::new(json!({ "file": source.name, "kind": kind })).exit(Exit::of(&problems));
    let Some(target) = &args.sarif else { return Ok(done) };
    match sarif::write(context, target, Some(&source), &args.file, &problems)? {
        Written::File => Ok(done),
        Written::Output => Ok(Done { document: None, ..done }),
    }
}

/// `1 error, 2 warnings, 3 notes`
pub(super) fn told(problems: &[Diagnostic]) -> String {
    let notes = match problems.iter().filter(|problem| problem.severity == Severity::Note).count() {
        0 => String::new(),
        1 => "1 note".to_owned(),
        n => format!("{n} notes"),
    };
    let parts = [count(problems), notes];
    parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(", ")
}

/// Reads a foreign file; `-` is standard input.
pub(super) fn source(file: &Path) -> Result<Source> {
    let input = file.as_os_str() == "-";
    let name = if input { "standard input".to_owned() } else { file.display().to_string() };
    let read = if input { files::read_input(LIMIT) } else { files::read_text(file, LIMIT) };
    read.map(|text| Source { name: name.clone(), text }).map_err(|error| {
        let problem = Diagnostic::new(code::UNREADABLE_FILE, format!("`{name}` cannot be read: {error}"));
        Failure::from(match error.kind() {
            ErrorKind::NotFound => problem.help("check the path"),
            ErrorKind::IsADirectory => problem.help("name a file in it"),
            ErrorKind::InvalidData => problem.help("a policy or template is text: save it as UTF-8"),
            _ => problem,
        })
    })
}

fn neither(source: &Source) -> Diagnostic {
    let message = format!("`{}` is neither a policy (XML) nor an ARM template (JSON)", source.name);
    let problem = Diagnostic::new(code::UNREADABLE_TEMPLATE, message);
    if source.name.ends_with(".bicep") {
        return problem.help("compile it with `bicep build` first");
    }
    if [".yaml", ".yml"].iter().any(|end| source.name.ends_with(end)) {
        return problem.help(format!("check a spec with `aoai-lb validate {}`", source.name));
    }
    problem.help("name a policy document or a template; compile Bicep with `bicep build` first")
}
