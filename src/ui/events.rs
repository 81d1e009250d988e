//! `--events FILE`: what happens, one JSON object a line, beside whatever else is printed.

use super::FORMAT;
use crate::diagnostic::{Diagnostic, code};
use crate::time::Time;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The open file, and the number of the next event.
pub struct Events {
    file: File,
    path: PathBuf,
    next: u64,
}

impl Events {
    /// Begins a new file, whose first line says what it is.
    pub fn create(path: &Path, command: &str, now: Time) -> Result<Events, Box<Diagnostic>> {
        let file = File::create(path).map_err(|error| unwritable(path, &error))?;
        let mut events = Events { file, path: path.to_owned(), next: 0 };
        let start = serde_json::json!({ "format": FORMAT, "tool": env!("CARGO_PKG_NAME"), "command": command });
        events.write("start", now, start)?;
        Ok(events)
    }

    /// Appends an event: `type`, `at` and `seq`, then its own fields.
    pub fn write(&mut self, kind: &str, at: Time, fields: Value) -> Result<(), Box<Diagnostic>> {
        let mut event = Map::new();
        event.insert("type".into(), kind.into());
        event.insert("at".into(), at.rfc3339().into());
        event.insert("seq".into(), self.next.into());
        if let Value::Object(fields) = fields {
            event.extend(fields);
        }
        self.next += 1;
        let line = format!("{}\n", Value::Object(event));
        self.file.write_all(line.as_bytes()).map_err(|error| unwritable(&self.path, &error))
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Box<Diagnostic> {
    let message = format!("events cannot be written to `{}`: {error}", path.display());
    Box::new(Diagnostic::new(code::UNWRITABLE, message).help("give another file with `--events`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_an_event_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events");
        let mut events = Events::create(&path, "deploy", Time::from_secs(0)).expect("a file");
        events.write("done", Time::from_secs(1), serde_json::json!({ "what": "x" })).expect("written");
        let text = std::fs::read_to_string(&path).expect("a text");
        expect_test::expect![[r#"
            {"type":"start","at":"1970-01-01T00:00:00Z","seq":0,"format":1,"tool":"aoai-lb","command":"deploy"}
            {"type":"done","at":"1970-01-01T00:00:01Z","seq":1,"what":"x"}
        "#]]
        .assert_eq(&text);
        assert!(Events::create(&folder.path().join("no/such"), "deploy", Time::ZERO).is_err());
    }
}
