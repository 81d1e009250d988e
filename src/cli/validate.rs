//! `validate`: every problem of a spec at once, offline.

use super::args;
use super::context::{Context, Spec, count};
use super::sarif::{self, Written};
use super::{Done, Failure, Result};
use crate::ui::{Role, clean, paint};
use serde_json::json;
use std::path::Path;

pub(super) fn run(context: &Context, args: &args::Validate) -> Result {
    let checked = context.load(&args.spec);
    let Some(target) = &args.sarif else { return report(context, &checked?) };
    let (source, problems) = match &checked {
        Ok(spec) => (Some(&spec.source), &spec.loaded.warnings),
        Err(failure) => (failure.source.as_ref(), &failure.problems),
    };
    let file = source.map(|source| Path::new(&source.name)).or(args.spec.spec.as_deref());
    match sarif::write(context, target, source, file.unwrap_or(Path::new("aoai-lb.yaml")), problems) {
        // one document on standard output is enough
        Ok(Written::Output) => Ok(match checked {
            Ok(spec) => Done { document: None, ..report(context, &spec)? },
            Err(failure) => Done::said().exit(context.fail(failure)),
        }),
        Ok(Written::File) => report(context, &checked?),
        Err(problem) => {
            let mut failure = checked.err().unwrap_or_else(|| Failure::from(Vec::new()));
            failure.problems.extend(problem.problems);
            Err(failure)
        }
    }
}

fn report(context: &Context, spec: &Spec) -> Result {
    let topology = &spec.loaded.topology;
    let deployments: usize = topology.accounts.values().map(|account| account.deployments.len()).sum();
    let counts = [
        (topology.accounts.len(), "account"),
        (deployments, "deployment"),
        (topology.backends.len(), "backend"),
        (topology.pools.len(), "pool"),
        (topology.apis.len(), "API"),
        (topology.subscriptions.len(), "subscription"),
    ];
    let words: Vec<String> = counts.iter().map(|(n, word)| plural(*n, word)).collect();
    let warnings = count(&spec.loaded.warnings);
    let but = if warnings.is_empty() { String::new() } else { format!(", with {warnings}") };
    context.ui.say(&format!(
        "{} {} is valid{but}: {}.",
        paint(Role::Good, "✓"),
        clean(&spec.source.name),
        words.join(", ")
    ));
    let contains: serde_json::Map<_, _> =
        counts.iter().map(|(n, word)| (format!("{}s", word.to_lowercase()), json!(n))).collect();
    Ok(Done::new(
        json!({ "stack": topology.stack.name, "environment": topology.stack.environment, "contains": contains }),
    ))
}

fn plural(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}
