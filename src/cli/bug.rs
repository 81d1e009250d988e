//! What happens when the program itself is wrong: a short message, a report file, exit 70.
//!
//! The report holds no argument, no spec and no environment: whoever sends it should not have to read it first.

use crate::diagnostic::{Diagnostic, Exit, code};
use std::backtrace::Backtrace;
use std::io::Write;
use std::panic::{self, PanicHookInfo, UnwindSafe};
use std::path::PathBuf;

/// Runs `program`; a panic in it becomes a diagnostic with a report, and exit 70.
pub fn guard(program: impl FnOnce() -> Exit + UnwindSafe) -> Exit {
    panic::set_hook(Box::new(tell));
    panic::catch_unwind(program).unwrap_or(Exit::Bug)
}

fn tell(info: &PanicHookInfo<'_>) {
    let report = write_report(info);
    let problem = Diagnostic::new(code::BUG, format!("a bug of aoai-lb: {}", message(info)));
    let problem = match &report {
        Ok(path) => problem.help(format!("send this report to the authors: {}", path.display())),
        Err(error) => problem.note(format!("no report was written: {error}")),
    };
    // no `Ui` here: it may be what is broken
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "{problem}");
    for line in problem.help.iter().chain(&problem.notes) {
        let _ = writeln!(stderr, "  = {line}");
    }
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    // the first line, cut: a payload may quote what it was given
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

fn write_report(info: &PanicHookInfo<'_>) -> std::io::Result<PathBuf> {
    let file = tempfile::Builder::new().prefix("aoai-lb-bug-").suffix(".txt").tempfile()?;
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    write!(
        file.as_file(),
        "aoai-lb {}\nsystem {} {}\nat {place}\n{}\n\n{}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        message(info),
        Backtrace::force_capture(),
    )?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::panic)]
    fn a_panic_is_exit_70_and_a_report() {
        let folder = std::env::temp_dir();
        let reports = || {
            let names = std::fs::read_dir(&folder).expect("a folder").filter_map(Result::ok);
            names.map(|e| e.path()).filter(|p| p.to_string_lossy().contains("aoai-lb-bug-")).collect::<Vec<_>>()
        };
        let before = reports();
        assert_eq!(guard(|| panic!("one thing\nSECRET-ON-LINE-TWO")), Exit::Bug);
        let _ = panic::take_hook();
        let new: Vec<_> = reports().into_iter().filter(|path| !before.contains(path)).collect();
        let text = new.iter().map(|path| std::fs::read_to_string(path).expect("a report")).collect::<String>();
        new.iter().for_each(|path| std::fs::remove_file(path).expect("removed"));
        assert!(text.contains("one thing") && text.contains("src/cli/bug.rs") && !text.contains("SECRET"), "{text}");
    }
}
