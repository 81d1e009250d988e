//! The README's commands, run as they stand.
//!
//! Every line of a block marked `sh` runs in order in one folder that holds the examples, with `aoai-lb` on the PATH. It
//! must end with 0, or with what a comment `# exit 2` at its end says. `cargo run --release --` stands for the program; the
//! lines that get and build the repository (`git`, `cd`, `cargo test`, `cargo install`, `cargo build`) are for the reader,
//! and so is a block marked otherwise (`console`, `text`, `yaml`).

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use crate::cli::{Place, root};
use std::path::Path;
use std::process::Command;

/// The lines of the `sh` blocks, with their numbers; a line that ends in `\` goes on in the next.
fn commands(text: &str) -> Vec<(usize, String)> {
    let mut commands: Vec<(usize, String)> = Vec::new();
    let (mut inside, mut open) = (false, false);
    for (number, line) in text.lines().enumerate() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            "" => {}
            comment if comment.starts_with('#') => {}
            line if inside => {
                let (part, goes_on) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
                match commands.last_mut() {
                    Some((_, before)) if open => before.push_str(part),
                    _ => commands.push((number + 1, part.to_owned())),
                }
                open = goes_on;
            }
            _ => {}
        }
    }
    commands
}

fn is_for_the_reader(command: &str) -> bool {
    ["git ", "cd ", "cargo test", "cargo install", "cargo build"].iter().any(|prefix| command.starts_with(prefix))
}

fn run(place: &Place, number: usize, line: &str) {
    let (command, expected) = match line.rsplit_once("# exit ") {
        Some((command, code)) => (command.trim(), code.trim().parse().unwrap()),
        None => (line, 0),
    };
    let command = command.replace("cargo run --release -- ", "aoai-lb ");
    let program = Path::new(env!("CARGO_BIN_EXE_aoai-lb")).parent().unwrap();
    let output = Command::new("/bin/sh")
        .args(["-c", &command])
        .current_dir(place.path(""))
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", program.display()))
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(expected),
        "README.md:{number}: {command}\n--- stdout\n{}\n--- stderr\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let commands = commands(&text);
    let place = Place::with_examples();
    for (number, line) in commands.iter().filter(|(_, line)| !is_for_the_reader(line)) {
        run(&place, *number, line);
    }
    // the main job is there in the reader's own words, and was run
    let first = "cargo run --release -- deploy examples/quickstart.yaml --cloud local --yes";
    assert!(commands.iter().any(|(_, line)| line.starts_with(first)), "the README has no `{first}`");
}

#[test]
fn every_exit_code_is_documented() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    for (exit, meaning) in aoai_lb::diagnostic::Exit::ALL {
        let row = format!("| {} | {meaning} |", exit as u8);
        assert!(text.contains(&row), "the README has no row `{row}`");
    }
}

#[test]
fn blocks_are_read_as_a_reader_reads_them() {
    let text = "x\n```sh\n# first\na \\\n  b # exit 2\n\nc\n```\n```text\nd\n```\n";
    assert_eq!(commands(text), [(4, "a b # exit 2".to_owned()), (7, "c".to_owned())]);
}
