//! `simulate`: a trace through the pool, offline.

use super::args;
use super::context::Context;
use super::{Done, Failure, Result};
use crate::diagnostic::{Diagnostic, code};
use crate::io::files;
use crate::pool;
use crate::sim::{self, trace};
use crate::spec;
use crate::ui::Source;
use serde_json::json;
use std::io::ErrorKind;
use std::path::Path;

/// Bytes that are read at once: a trace of any length needs no more memory.
const CHUNK: usize = 1 << 18;

pub(super) fn run(context: &Context, args: &args::Simulate) -> Result {
    let spec = context.load(&args.spec)?;
    let assumed = &spec.loaded.simulation;
    let options = sim::Options {
        seed: args.seed,
        instances: assumed.instances,
        rotation: match assumed.rotation {
            spec::Rotation::Smooth => pool::Rotation::Smooth,
            spec::Rotation::Random => pool::Rotation::Random,
        },
        quotas: assumed
            .quotas
            .iter()
            .map(|(key, quota)| (key.clone(), (quota.tokens_per_minute, quota.requests_per_minute)))
            .collect(),
        api: args.api.clone(),
        deployment: args.deployment.clone(),
        ..sim::Options::default()
    };
    let chunks = files::chunks(&args.trace, CHUNK).map_err(|error| unreadable(&args.trace, &error))?;
    let mut chunks = chunks.map(|chunk| chunk.map_err(|error| unreadable(&args.trace, &error))).peekable();
    if let Some(Ok(first)) = chunks.peek()
        && let Some(kind) = files::kind(first)
    {
        return Err(Failure::from(no_text(&args.trace, kind)));
    }
    let report = sim::run(&spec.loaded.topology, &options, trace::arrivals(chunks), &mut |_| {})
        .map_err(|problem| about(problem, &spec.source, &spec.loaded.spans, &args.trace))?;
    context.text(&report.text())?;
    Ok(Done::new(json!({ "report": report })))
}

/// A problem of the trace names the trace; one of the spec points into it.
fn about(mut problem: Diagnostic, source: &Source, spans: &spec::Spans, trace: &Path) -> Failure {
    match problem.key.as_ref().map(|key| spans.get(key)) {
        Some(span) => {
            problem.span = problem.span.or(span);
            Failure::of(source, vec![problem])
        }
        None => Failure::from(problem.note(format!("the trace is `{}`", trace.display()))),
    }
}

/// A trace that is no text is refused by what it is.
fn no_text(path: &Path, kind: &str) -> Diagnostic {
    let name = path.display();
    let problem = Diagnostic::new(code::TRACE_FORMAT, format!("the trace `{name}` is {kind}, and CSV is read"));
    problem.help(match kind.strip_prefix("compressed with ") {
        Some("gzip") => format!("unpack it first: `gunzip --keep {name}`"),
        Some(tool) => format!("unpack it first: `{tool} -d {name}`"),
        None => "save it as CSV in UTF-8".to_owned(),
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    let problem = Diagnostic::new(code::UNREADABLE_FILE, format!("`{}` cannot be read: {error}", path.display()));
    if error.kind() == ErrorKind::NotFound { problem.help("check the path of `--trace`") } else { problem }
}
