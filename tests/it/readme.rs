//! The README's commands, run as they stand.
//!
//! Every block marked `sh` is run by a shell, in order, in one folder that holds the examples, with `aoai-lb` on the PATH.
//! Each line must end with 0, or with what a comment `# exits 2` at its end says. `cargo run --release --` stands for the
//! program, and the emulator gets a port that is free. Lines that get and build the repository (`git`, `cd`, `cargo test`,
//! `cargo install`, `cargo build`) are for the reader, and so is a block marked otherwise (`console`, `text`, `yaml`).

#![cfg(unix)]

use crate::cli::{Place, root};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

/// The lines of each `sh` block, with their numbers; a line that ends in `\` goes on in the next.
fn blocks(text: &str) -> Vec<Vec<(usize, String)>> {
    let mut blocks: Vec<Vec<(usize, String)>> = Vec::new();
    let (mut inside, mut open) = (false, false);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        match (line, inside) {
            ("```sh", false) => {
                inside = true;
                blocks.push(Vec::new());
            }
            ("```", true) => inside = false,
            (line, true) if !line.is_empty() && !line.starts_with('#') => {
                let (part, goes_on) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
                let block = blocks.last_mut().expect("a block has begun");
                match block.last_mut() {
                    Some((_, before)) if open => before.push_str(part),
                    _ => block.push((number + 1, part.to_owned())),
                }
                open = goes_on;
            }
            _ => {}
        }
    }
    blocks
}

fn is_for_the_reader(command: &str) -> bool {
    ["git ", "cd ", "cargo test", "cargo install", "cargo build"].iter().any(|prefix| command.starts_with(prefix))
}

/// A script that runs the lines and ends at the first that does not do what it says.
fn script(lines: &[(usize, String)]) -> String {
    let mut script = String::new();
    for (number, line) in lines.iter().filter(|(_, line)| !is_for_the_reader(line)) {
        let expected = line.rsplit_once("# exits ").map_or("0", |(_, code)| code.trim());
        assert!(expected.bytes().all(|b| b.is_ascii_digit()), "README.md:{number}: {line}");
        let command = line.replace("cargo run --release -- ", "aoai-lb ");
        script.push_str(&format!(
            "{command}\ncode=$?\nif [ $code -ne {expected} ]; then echo \"README.md:{number} ended with $code\" >&2; exit 99; fi\n"
        ));
    }
    script
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let place = Place::with_examples();
    let program = Path::new(env!("CARGO_BIN_EXE_aoai-lb")).parent().unwrap();
    let curl = Command::new("curl").arg("--version").output().is_ok_and(|output| output.status.success());
    for block in blocks(&text) {
        if !curl && block.iter().any(|(_, line)| line.contains("curl")) {
            assert!(std::env::var_os("CI").is_none(), "curl is not here");
            println!("skipped: curl is not here, for the block at README.md:{}", block[0].0);
            continue;
        }
        let output = Command::new("/bin/sh")
            .args(["-c", &script(&block).replace("8181", &port.to_string())])
            .current_dir(place.path(""))
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", program.display()))
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "--- stdout\n{}\n--- stderr\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }
    // the main job is there in the reader's own words, and was run
    let first = "cargo run --release -- deploy examples/quickstart.yaml --cloud local --yes";
    assert!(blocks(&text).concat().iter().any(|(_, line)| line.starts_with(first)), "the README has no `{first}`");
}

#[test]
fn every_exit_code_is_documented() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let rows: Vec<String> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for (exit, meaning) in aoai_lb::diagnostic::Exit::ALL {
        let row = format!("| {} | {meaning} |", exit as u8);
        assert!(rows.contains(&row), "the README has no row `{row}`");
    }
}

#[test]
fn blocks_are_read_as_a_reader_reads_them() {
    let text = "x\n```sh\n# first\na \\\n  b # exits 2\n\nc\n```\n```text\nd\n```\n```sh\ncd e\n```\n";
    let line = |number, text: &str| (number, text.to_owned());
    assert_eq!(blocks(text), [vec![line(4, "a b # exits 2"), line(7, "c")], vec![line(13, "cd e")]]);
    assert_eq!(script(&blocks(text)[1]), "");
    let failing =
        script(&[line(1, "exit_with() { return $1; }"), line(2, "exit_with 3 # exits 3"), line(3, "exit_with 1")]);
    let output = Command::new("/bin/sh").args(["-c", &failing]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "README.md:3 ended with 1\n");
}

#[test]
fn every_trap_has_its_row_and_its_rules() {
    let text = std::fs::read_to_string(root().join("docs/traps.md")).unwrap();
    let rows =
        text.lines().filter(|line| line.starts_with("| ") && line[2..].starts_with(|c: char| c.is_ascii_digit()));
    let mut wanted = 1..=36;
    for row in rows {
        let number = row[2..].split(' ').next().unwrap();
        assert_eq!(number.parse::<u32>().ok(), wanted.next(), "{row}");
        let names = row.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.starts_with("AL0"));
        for name in names {
            assert!(aoai_lb::diagnostic::Code::parse(name).is_some(), "there is no {name}: {row}");
        }
    }
    assert_eq!(wanted.next(), None);
    // an explanation that speaks of a trap stands in that trap's row
    for code in aoai_lb::diagnostic::all() {
        let text_of_code = code.explain();
        for (at, _) in text_of_code.match_indices("(trap ") {
            let number: String = text_of_code[at + 6..].chars().take_while(char::is_ascii_digit).collect();
            let row = text.lines().find(|line| line.starts_with(&format!("| {number} |")));
            assert!(row.is_some_and(|row| row.contains(code.as_str())), "{code} speaks of trap {number}");
        }
    }
}
