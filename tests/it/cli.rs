//! The program as a user runs it: the binary, in an empty folder, with an empty environment.
//!
//! Texts are held as raw files under `snapshots/cli/`; `UPDATE_SNAPSHOTS=1 cargo test` writes them anew. Whatever differs
//! from run to run (times, ports, tokens) is replaced before the comparison.

#![allow(clippy::unwrap_used)]

mod commands;
mod emulator;
mod examples;
mod flow;
mod import;
mod init;
mod input;
mod interrupt;
mod lint;
mod own_policy;
mod sarif;
mod sdk;
mod secrets;
mod simulate;
mod state;

use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// An empty folder to run the program in.
pub struct Place {
    folder: TempDir,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// The names of the example specs.
pub fn examples() -> Vec<String> {
    let folder = std::fs::read_dir(root().join("examples")).unwrap();
    let names =
        folder.filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".yaml").map(str::to_owned));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

impl Place {
    pub fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder with the examples in it.
    pub fn quickstart() -> Place {
        let place = Place::new();
        copy(&root().join("examples"), &place.path(""));
        place
    }

    /// A folder that holds the examples as the repository does.
    pub fn with_examples() -> Place {
        let place = Place::new();
        copy(&root().join("examples"), &place.path("examples"));
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Replaces the only occurrence of `from` in a file.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {name}");
        self.write(name, &text.replace(from, to));
    }

    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aoai-lb"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("COLUMNS", "100").env("TZ", "UTC").env("HOME", self.folder.path());
        // models end by and by; the examples do not on this day, 2026-11-01
        command.env("SOURCE_DATE_EPOCH", "1793491200");
        command.stdin(Stdio::null());
        command
    }

    /// Runs the program to its end; the arguments are divided at blanks.
    pub fn run(&self, line: &str) -> Ran {
        ran(&mut self.command(&line.split_whitespace().collect::<Vec<_>>()))
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// The same run, which must have ended with this code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// The same run, which must have said this on standard error.
    #[track_caller]
    pub fn says(self, text: &str) -> Ran {
        assert!(self.err.contains(text), "no `{text}` in\n{}", self.err);
        self
    }

    /// The one JSON document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        let document: Value = serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}:\n{}", self.out));
        assert_eq!((&document["format"], &document["tool"]), (&Value::from(1), &Value::from("aoai-lb")));
        assert_eq!(document["exit"], Value::from(self.code), "the document's exit code");
        document
    }

    /// Holds both streams and the exit code against a file.
    #[track_caller]
    pub fn snapshot(&self, name: &str) {
        snapshot(name, &self.text());
    }

    /// The same for a run that tells how long things took.
    #[track_caller]
    pub fn snapshot_without_times(&self, name: &str) {
        snapshot(name, &timeless(&self.text()));
    }

    fn text(&self) -> String {
        format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.out, self.err)
    }
}

/// Holds a text against `snapshots/cli/NAME.txt`.
#[track_caller]
pub fn snapshot(name: &str, text: &str) {
    let path = root().join("snapshots/cli").join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let held = std::fs::read_to_string(&path).unwrap_or_default();
    if held != text {
        let diff = similar::TextDiff::from_lines(&held, text).unified_diff().header("held", "now").to_string();
        panic!("{} differs; UPDATE_SNAPSHOTS=1 writes it anew\n{diff}", path.display());
    }
}

/// Lengths of time (`1.2s`, `340ms`, `1m2s`) become `#s`: they differ from run to run.
fn timeless(text: &str) -> String {
    let mut text = text.to_owned();
    while text.contains("[ ") {
        text = text.replace("[ ", "[");
    }
    let mut result = String::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let word = rest[..start].chars().next_back().is_some_and(|c| c.is_alphanumeric() || "-_.".contains(c));
        let end =
            start + rest[start..].find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len() - start);
        let token = rest[start..end].trim_end_matches('.');
        let end = start + token.len();
        result.push_str(&rest[..start]);
        result.push_str(if !word && is_length(token) { "#s" } else { token });
        rest = &rest[end..];
    }
    result + rest
}

fn is_length(token: &str) -> bool {
    let mut rest = token;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let unit = ["ms", "s", "m", "h", "d"].into_iter().find(|unit| rest[digits..].starts_with(unit));
        let (1.., Some(unit)) = (digits, unit) else { return false };
        rest = &rest[digits + unit.len()..];
    }
    true
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn only_lengths_of_time_are_taken_out() {
    let text = "[   1s] 0.4s, (1m2s) 340ms; gpt-5.1 2024-11-20 30 10s. a1s PT1M 100%\n3s";
    assert_eq!(timeless(text), "[#s] #s, (#s) #s; gpt-5.1 2024-11-20 30 #s. a1s PT1M 100%\n#s");
}
