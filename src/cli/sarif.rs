//! `--sarif`: problems as code scanning reads them, of `validate` and of `lint`.

use super::context::Context;
use super::{Failure, Result};
use crate::diagnostic::{Diagnostic, code};
use crate::io::files::{self, Access};
use crate::ui::{self, Source};
use std::path::{Component, Path, PathBuf};

/// Where the document went.
pub(super) enum Written {
    /// To a file.
    File,
    /// To standard output, which then holds no other.
    Output,
}

/// Writes the problems of `file` to `target`; `-` is standard output.
pub(super) fn write(
    context: &Context,
    target: &Path,
    source: Option<&Source>,
    file: &Path,
    problems: &[Diagnostic],
) -> Result<Written> {
    let document = ui::sarif(source, &artifact(file), problems);
    let text = format!("{document:#}\n");
    if target.as_os_str() == "-" {
        context.ui.data(&text)?;
        return Ok(Written::Output);
    }
    match files::replace(target, text.as_bytes(), Access::Usual) {
        Ok(_) => Ok(Written::File),
        Err(error) => {
            let message = format!("`{}` cannot be written: {error}", target.display());
            let problem = Diagnostic::new(code::UNWRITABLE, message);
            Err(Failure::from(problem.help("choose another file, in a folder that is there")))
        }
    }
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
