//! `init`: a spec to begin with, and its schema for the editor.

use super::args;
use super::context::Context;
use super::{Done, Failure, Result};
use crate::diagnostic::{Diagnostic, code};
use crate::io::files;
use crate::spec::{self, Starter};
use crate::ui::{Role, paint};
use serde_json::json;

const SPEC: &str = "aoai-lb.yaml";
const SCHEMA: &str = "aoai-lb.schema.json";

pub(super) fn run(context: &Context, args: &args::Init) -> Result {
    let starter = Starter {
        name: args.name.clone(),
        email: args.email.clone(),
        model: args.model.clone().unwrap_or_default(),
        regions: args.region.clone(),
    };
    let text = spec::starter(&starter).map_err(Failure::from)?;
    let folder = &args.folder;
    let path = folder.join(SPEC);
    if path.exists() && !args.force {
        let problem = Diagnostic::new(code::FOREIGN_FILE, format!("`{}` is there already", path.display()));
        return Err(Failure::from(problem.help("choose another folder, or write it anew with `--force`")));
    }
    let schema = format!("{:#}\n", spec::schema());
    let done = files::replace_all(folder, [(SPEC, text.as_str()), (SCHEMA, schema.as_str())]).map_err(|error| {
        let message = format!("`{}` cannot be written: {error}", folder.display());
        Failure::from(Diagnostic::new(code::UNWRITABLE, message).help("choose another folder"))
    })?;
    for written in &done.written {
        context.ui.say(&format!("  {} {}", paint(Role::Good, "wrote"), written.display()));
    }
    context.ui.say(&format!("Next: aoai-lb validate {}", path.display()));
    Ok(Done::new(json!({ "spec": path.display().to_string(), "schema": folder.join(SCHEMA).display().to_string() })))
}
