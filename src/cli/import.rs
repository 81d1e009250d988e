//! `import`: somebody's template or policy becomes a spec.

use super::args;
use super::context::Context;
use super::lint::{source, told};
use super::{Done, Failure, Result};
use crate::diagnostic::{Diagnostic, code};
use crate::import::{self, Imported, Options};
use crate::io::files::{self, Access};
use crate::ui::{Role, clean, paint};
use serde_json::{Map, json};
use std::path::Path;

pub(super) fn run(context: &Context, args: &args::Import) -> Result {
    // before any work, and again when it is written
    if let Some(path) = args.out.as_deref().filter(|path| !args.force && path.exists()) {
        return Err(Failure::from(there(path)));
    }
    let source = source(&args.file)?;
    let parameters = match &args.parameters {
        None => Map::new(),
        Some(path) => {
            let given = self::source(path)?;
            import::parameters(&given.text).map_err(|problem| Failure::of(&given, vec![problem]))?
        }
    };
    let options = Options {
        file: &source.name,
        parameters: &parameters,
        subscription: context.global.subscription.as_deref(),
        resource_group: context.global.resource_group.as_deref(),
        location: args.location.as_deref(),
    };
    let made = import::read(&source.text, &options).map_err(|problem| Failure::of(&source, vec![problem]))?;
    context.tell(Some(&source), &made.problems);
    match &args.out {
        None => context.text(&made.spec)?,
        Some(path) => write(path, &made.spec, args)?,
    }
    summary(context, &source.name, &made, args.out.as_deref());
    let out = args.out.as_ref().map(|path| path.display().to_string());
    Ok(Done::new(json!({
        "file": source.name, "kind": made.kind, "spec": made.spec, "missing": made.missing, "written": out,
    })))
}

fn write(path: &Path, text: &str, args: &args::Import) -> Result<()> {
    if !args.force && path.exists() {
        return Err(Failure::from(there(path)));
    }
    files::replace(path, text.as_bytes(), Access::Usual).map_err(|error| {
        let message = format!("`{}` cannot be written: {error}", path.display());
        Failure::from(Diagnostic::new(code::UNWRITABLE, message).help("choose another file with `-o`"))
    })
}

fn there(path: &Path) -> Diagnostic {
    Diagnostic::new(code::SPEC_EXISTS, format!("`{}` is there already", path.display()))
        .help("choose another file with `-o`, or add `--force`")
}

fn summary(context: &Context, name: &str, made: &Imported, out: Option<&Path>) {
    let told = if made.problems.is_empty() { String::new() } else { format!(", with {}", told(&made.problems)) };
    let written = out.map_or(String::new(), |path| format!(" in {}", clean(&path.display().to_string())));
    context.ui.say(&format!("{} {} became a spec{written}{told}.", paint(Role::Good, "✓"), clean(name)));
    match made.missing.len() {
        0 => context.ui.say("Nothing is left to fill in: `aoai-lb validate` checks it."),
        1 => context.ui.say("1 key is left to fill in; the spec names it, and `aoai-lb validate` asks for it."),
        n => context
            .ui
            .say(&format!("{n} keys are left to fill in; the spec names them, and `aoai-lb validate` asks for them.")),
    }
}
