//! `render`: what a spec means in Azure's own languages.
//!
//! Without `-o`, standard output is `main.bicep`, which is what one wants to read or to pipe, and the names of all files
//! stand on standard error. With `-o`, all files are written as one; what an earlier rendering left in that folder and
//! this one no longer has is removed. Only a file with a name of ours and our mark in it counts as that.
//!
//! With `roles: print` the commands that assign roles stand on standard error, and in the JSON.

use super::args;
use super::context::{Context, beside};
use super::{Done, Failure, Result};
use crate::diagnostic::{Diagnostic, code};
use crate::io::files;
use crate::spec;
use crate::template::{self, File};
use crate::ui::{Role, paint};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// A rendered file is some hundred kilobytes at most.
const FILE_LIMIT: u64 = 16 << 20;

pub(super) fn run(context: &Context, args: &args::Render) -> Result {
    if args.expanded {
        let source = context.source(&args.spec)?;
        let text = spec::expand(&source.text, &context.options(&beside(&source)))
            .map_err(|problems| Failure::of(&source, problems))?;
        context.text(&text)?;
        return Ok(Done::new(json!({ "spec": text })));
    }
    let spec = context.load(&args.spec)?;
    let files = template::files(&spec.loaded.topology);
    let mut done = match &args.out {
        None => print(context, &files)?,
        Some(folder) if args.check => return check(context, folder, &files),
        Some(folder) => write(context, folder, &files)?,
    };
    let commands = spec::roles::commands(&spec.loaded);
    if !commands.is_empty() {
        context.ui.say("\nOnce it is deployed, these commands give the gateway its roles:\n");
        commands.iter().for_each(|command| context.ui.say(&format!("  {command}")));
        if let Some(Value::Object(document)) = &mut done.document {
            document.insert("roleCommands".into(), json!(commands));
        }
    }
    Ok(done)
}

fn print(context: &Context, files: &[File]) -> Result {
    let main = files.iter().find(|file| file.path == "main.bicep");
    context.text(main.map_or("", |file| &file.text))?;
    let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    context.ui.say(&format!("This is main.bicep. `-o DIR` writes all of it: {}.", names.join(", ")));
    let all: Value = files.iter().map(|file| json!({ "path": file.path, "text": file.text })).collect();
    Ok(Done::new(json!({ "files": all })))
}

fn write(context: &Context, folder: &Path, files: &[File]) -> Result {
    let unwritable = |error: std::io::Error| {
        let message = format!("`{}` cannot be written: {error}", folder.display());
        Failure::from(Diagnostic::new(code::UNWRITABLE, message).help("choose another folder with `-o`"))
    };
    if folder.exists() && !folder.is_dir() {
        let problem = Diagnostic::new(code::UNWRITABLE, format!("`{}` is a file, not a folder", folder.display()));
        return Err(Failure::from(problem.help("choose another folder with `-o`")));
    }
    let foreign = foreign(folder, files);
    if !foreign.is_empty() {
        return Err(Failure::from(foreign));
    }
    let stale = stale(folder, files).map_err(unwritable)?;
    let texts = files.iter().map(|file| (file.path.as_str(), file.text.as_str()));
    let done = files::replace_all(folder, texts).map_err(unwritable)?;
    for path in &stale {
        fs::remove_file(path).map_err(unwritable)?;
    }
    for path in &done.written {
        context.ui.say(&format!("  {} {}", paint(Role::Good, "wrote"), path.display()));
    }
    for path in &stale {
        context.ui.say(&format!("  {} {}, which is no longer rendered", paint(Role::Bad, "removed"), path.display()));
    }
    if done.written.is_empty() && stale.is_empty() {
        context.ui.say(&format!("{} is up to date: {} files.", folder.display(), done.unchanged.len()));
    }
    Ok(Done::new(
        json!({ "written": names(&done.written), "unchanged": names(&done.unchanged), "removed": names(&stale) }),
    ))
}

fn check(context: &Context, folder: &Path, files: &[File]) -> Result {
    let stale = stale(folder, files).map_err(|error| {
        let message = format!("`{}` cannot be read: {error}", folder.display());
        Failure::from(Diagnostic::new(code::FILES_DIFFER, message))
    })?;
    let mut problem = Diagnostic::new(code::FILES_DIFFER, "");
    let (mut missing, mut differ) = (0, 0);
    for file in files {
        let path = folder.join(&file.path);
        if files::holds(&path, &file.text) {
            continue;
        }
        if path.exists() {
            differ += 1;
            problem = problem.note(format!("differs: {}", path.display()));
        } else {
            missing += 1;
            problem = problem.note(format!("missing: {}", path.display()));
        }
    }
    for path in &stale {
        problem = problem.note(format!("should not be there: {}", path.display()));
    }
    if problem.notes.is_empty() {
        context.ui.say(&format!("{} is up to date: {} files.", folder.display(), files.len()));
        return Ok(Done::new(json!({ "folder": folder.display().to_string(), "files": files.len() })));
    }
    let counts = [(differ, "different"), (missing, "missing"), (stale.len(), "left over")];
    let counts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    problem.message = format!("`{}` is not what the spec renders to: {}", folder.display(), counts.join(", "));
    Err(Failure::from(problem.help(format!("write it again: `aoai-lb render -o {}`", folder.display()))))
}

/// What stands where we would write, and was written by somebody else. Beside a file with our mark it was ours, and
/// edited.
fn foreign(folder: &Path, files: &[File]) -> Vec<Diagnostic> {
    let there = files.iter().map(|file| folder.join(&file.path)).filter(|path| path.exists());
    let (ours, foreign): (Vec<PathBuf>, Vec<PathBuf>) = there.partition(|path| has_mark(path));
    if !ours.is_empty() {
        return Vec::new();
    }
    let problem = |path: PathBuf| {
        let message = format!("`{}` is there and was not written by aoai-lb", path.display());
        Diagnostic::new(code::FOREIGN_FILE, message).help("choose another folder with `-o`, or move that file away")
    };
    foreign.into_iter().map(problem).collect()
}

/// What an earlier rendering left and this one does not have.
fn stale(folder: &Path, files: &[File]) -> std::io::Result<Vec<PathBuf>> {
    let mut stale = Vec::new();
    for (sub, ours) in [("", is_ours as fn(&str) -> bool), ("modules", |name| name.ends_with(".bicep"))] {
        let place = folder.join(sub);
        if !place.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&place)? {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let relative = if sub.is_empty() { name.to_owned() } else { format!("{sub}/{name}") };
            let rendered = files.iter().any(|file| file.path == relative);
            if ours(name) && !rendered && has_mark(&path) {
                stale.push(path);
            }
        }
    }
    stale.sort();
    Ok(stale)
}

fn is_ours(name: &str) -> bool {
    matches!(name, "main.bicep" | "main.bicepparam" | "main.json")
        || (name.starts_with("policy") && name.ends_with(".xml"))
}

fn has_mark(path: &Path) -> bool {
    files::read_text(path, FILE_LIMIT).is_ok_and(|text| text.contains("aoai-lb"))
}

fn names(paths: &[PathBuf]) -> Value {
    paths.iter().map(|path| path.display().to_string()).collect()
}
