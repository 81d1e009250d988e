//! Pairs of the corpus, a pair of our own, and what is refused.

use std::path::{Path, PathBuf};

use super::{compile, compile_params, format_check, lint};

/// The pairs of a corpus outside the repository, or nothing where it is not here.
fn corpus() -> Option<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/bicep"));
    if folder.is_dir() {
        return Some(folder.to_owned());
    }
    assert!(std::env::var_os("CI").is_none(), "../shared/corpus/bicep is not here");
    println!("skipped: ../shared/corpus/bicep is not here");
    None
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A template's text without the lines of `metadata._generator`, and without `metadata` where nothing else is in it.
fn without_generator(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        if line.trim() != "\"_generator\": {" {
            kept.push(line);
            continue;
        }
        let close = lines.by_ref().find(|line| line.trim().starts_with('}'));
        if close.is_some_and(|close| !close.ends_with(',')) {
            assert_eq!(kept.pop().map(str::trim), Some("\"metadata\": {"), "_generator stands alone or first");
            lines.next();
        }
    }
    kept.join("\n")
}

#[test]
fn corpus_pairs_byte_for_byte() {
    let Some(folder) = corpus() else { return };
    let mut failed = Vec::new();
    for pair in [
        "01-quickstart",
        "02-existing-cross-scope",
        "03-observability",
        "04-strings",
        "06-expressions",
        "07-user-identity",
        "08-other-groups",
        "09-brackets",
    ] {
        let expected = without_generator(&read(&folder.join(format!("{pair}.json"))));
        match compile(&folder.join(format!("{pair}.bicep"))) {
            Ok(found) if found == expected => {}
            Ok(found) => {
                let line = found.lines().zip(expected.lines()).position(|(a, b)| a != b);
                let line = line.unwrap_or_else(|| found.lines().count().min(expected.lines().count()));
                failed.push(format!(
                    "{pair}, line {}:\n  found    {:?}\n  expected {:?}",
                    line + 1,
                    found.lines().nth(line),
                    expected.lines().nth(line)
                ));
            }
            Err(error) => failed.push(error),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn corpus_parameters_byte_for_byte() {
    let Some(folder) = corpus() else { return };
    let found = compile_params(&folder.join("01-quickstart.bicepparam"));
    assert_eq!(found, Ok(read(&folder.join("01-quickstart.parameters.json"))));
}

/// Every Bicep file of the corpus that the compiler is content with.
fn clean_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in [folder.to_owned(), folder.join("modules")] {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        found.extend(entries.flatten().map(|entry| entry.path()));
    }
    found.retain(|path| {
        let loops = path.ends_with("05-loops.bicep");
        path.extension().is_some_and(|end| end == "bicep" || end == "bicepparam") && !loops
    });
    found.sort();
    found
}

#[test]
fn corpus_files_are_formatted_and_clean() {
    let Some(folder) = corpus() else { return };
    let files = clean_files(&folder);
    assert!(files.len() >= 12, "{files:?}");
    for file in files {
        let source = read(&file);
        assert_eq!(format_check(&source), Ok(()), "{}", file.display());
        if file.extension().is_some_and(|end| end == "bicep") {
            assert_eq!(lint(&source), Vec::<String>::new(), "{}", file.display());
        }
    }
}
