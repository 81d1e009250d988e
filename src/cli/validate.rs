//! `validate`: every problem of a spec at once, offline.

use super::args;
use super::context::{Context, count};
use super::{Done, Result};
use crate::ui::{Role, clean, paint};
use serde_json::json;

pub(super) fn run(context: &Context, args: &args::Spec) -> Result {
    let spec = context.load(args)?;
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
