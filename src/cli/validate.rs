//! `validate`: every problem of a spec at once, offline.

use super::args;
use super::context::{Context, Spec, count};
use super::{Done, Failure, Result};
use crate::diagnostic::{Diagnostic, code};
use crate::io::files::{self, Access};
use crate::ui::{self, Role, clean, paint};
use serde_json::json;
use std::path::{Component, Path, PathBuf};

pub(super) fn run(context: &Context, args: &args::Validate) -> Result {
    let checked = context.load(&args.spec);
    let Some(target) = &args.sarif else { return report(context, &checked?) };
    let (source, problems) = match &checked {
        Ok(spec) => (Some(&spec.source), &spec.loaded.warnings),
        Err(failure) => (failure.source.as_ref(), &failure.problems),
    };
    let file = source.map(|source| Path::new(&source.name)).or(args.spec.spec.as_deref());
    let document = ui::sarif(source, &artifact(file.unwrap_or(Path::new("aoai-lb.yaml"))), problems);
    let text = format!("{document:#}\n");
    if target.as_os_str() == "-" {
        context.ui.data(&text)?;
        // one document on standard output is enough
        return Ok(match checked {
            Ok(spec) => Done { document: None, ..report(context, &spec)? },
            Err(failure) => Done::said().exit(context.fail(failure)),
        });
    }
    if let Err(error) = files::replace(target, text.as_bytes(), Access::Usual) {
        let problem = Diagnostic::new(code::UNWRITABLE, format!("`{}` cannot be written: {error}", target.display()));
        let mut failure = checked.err().unwrap_or_else(|| Failure::from(Vec::new()));
        failure.problems.push(problem.help("choose another file, in a folder that is there"));
        return Err(failure);
    }
    report(context, &checked?)
}

/// Where a file stands, seen from the root of its repository; of the current folder where there is none.
fn artifact(file: &Path) -> serde_json::Value {
    let here = std::env::current_dir().unwrap_or_default();
    let mut whole = PathBuf::new();
    for part in here.join(file).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    let root = here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&here);
    ui::artifact(&whole, root)
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
