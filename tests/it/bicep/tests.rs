//! Pairs of the corpus, a pair of our own, and what is refused.

mod refusals;
mod rules;

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
    found.retain(|path| path.extension().is_some_and(|end| end == "bicep" || end == "bicepparam"));
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
        if file.extension().is_some_and(|end| end == "bicep") && !file.ends_with("05-loops.bicep") {
            assert_eq!(lint(&source), Vec::<String>::new(), "{}", file.display());
        }
    }
}
#[test]
fn corpus_loops_and_warnings_are_refused() {
    let Some(folder) = corpus() else { return };
    let loops = compile(&folder.join("05-loops.bicep")).expect_err("types of one's own");
    assert!(loops.contains("05-loops.bicep:2:16: types of one's own are not supported here"), "{loops}");
    let name = compile(&folder.join("warnings/role-name.bicep")).expect_err("BCP120");
    assert!(name.contains("role-name.bicep:10:26: ") && name.contains("BCP120"), "{name}");
    let found = lint(&read(&folder.join("warnings/warnings.bicep")));
    let places: Vec<String> = found
        .iter()
        .filter_map(|complaint| {
            let mut parts = complaint.split(':');
            let (line, rule) = (parts.nth(1)?, parts.nth(1)?);
            Some(format!("{line}{rule}"))
        })
        .collect();
    let wanted = [
        "1 no-unused-params",
        "2 no-unused-params",
        "5 no-unused-vars",
        // The compiler does not say this one by default.
        "9 no-hardcoded-location",
        "19 use-parent-property",
        "23 no-hardcoded-env-urls",
        "46 no-unnecessary-dependson",
        "66 outputs-should-not-contain-secrets",
        "67 outputs-should-not-contain-secrets",
        "67 use-resource-symbol-reference",
    ];
    assert_eq!(places, wanted);
}

/// The folder of our own pair.
fn own() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/bicep/pair")).to_owned()
}

#[test]
fn own_pair_byte_for_byte() {
    let folder = own();
    assert_eq!(compile(&folder.join("main.bicep")), Ok(read(&folder.join("main.json"))));
    assert_eq!(compile_params(&folder.join("main.bicepparam")), Ok(read(&folder.join("main.parameters.json"))));
}

#[test]
fn own_pair_is_formatted_and_clean() {
    for file in ["main.bicep", "modules/grant.bicep"] {
        let source = read(&own().join(file));
        assert_eq!(format_check(&source), Ok(()), "{file}");
        assert_eq!(lint(&source), Vec::<String>::new(), "{file}");
    }
    assert_eq!(format_check(&read(&own().join("main.bicepparam"))), Ok(()));
}

/// The template of a text that has no modules.
fn compile_text(source: &str) -> Result<String, String> {
    Ok(super::print(&super::emit::template(&super::program::Program::parse("main.bicep", source)?)?))
}

const ACCOUNT: &str = "resource a 'Microsoft.CognitiveServices/accounts@2024-10-01' = {\n  name: 'a'\n}\n";

#[test]
fn an_array_type_or_a_nullable_one_makes_the_template_symbolic() {
    let child =
        "resource b 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {\n  parent: a\n  name: 'b'\n}\n";
    let outputs = "output e string = a.properties.e\noutput k string = a.kind\n";
    let source = format!("param p int[] = [1]\nparam q string?\n{ACCOUNT}{outputs}{child}");
    let written = compile_text(&source).expect("all of it is known");
    for part in [
        "\"languageVersion\": \"2.0\",\n  \"contentVersion\"",
        "\"type\": \"array\",\n      \"items\": {\n        \"type\": \"int\"\n      },\n      \"defaultValue\"",
        "\"type\": \"string\",\n      \"nullable\": true\n",
        "\"resources\": {\n    \"a\": {\n      \"type\"",
        "\"dependsOn\": [\n        \"a\"\n      ]",
        "[reference('a').e]",
        "[reference('a', 'full').kind]",
    ] {
        assert!(written.contains(part), "{part} is not in\n{written}");
    }
}

#[test]
fn methods_read_a_resource_by_its_id() {
    let written = compile_text(&format!("{ACCOUNT}output k string = a.listKeys().key1\n")).expect("known");
    let id = "resourceId('Microsoft.CognitiveServices/accounts', 'a')";
    assert!(written.contains(&format!("[listKeys({id}, '2024-10-01').key1]")), "{written}");
}

#[test]
fn line_separators_are_escaped_as_the_compiler_does() {
    let written = compile_text("output o string = '\u{85}\u{2028}\u{2029}\u{7f}\u{1f600}'\n").expect("known");
    assert!(written.contains("\"\\u0085\\u2028\\u2029\u{7f}\u{1f600}\""), "{written}");
}

#[test]
fn an_existing_resource_hands_on_what_it_waits_for() {
    let source = format!(
        "{ACCOUNT}resource o 'A.B/c@1' existing = {{\n  name: a.name\n}}\n\
         resource r 'A.B/c@1' = {{\n  name: 'r'\n  properties: {{\n    o: o.id\n  }}\n}}\n"
    );
    let written = compile_text(&source).expect("known");
    let waits = "\"dependsOn\": [\n        \"[resourceId('Microsoft.CognitiveServices/accounts', 'a')]\"\n      ]";
    assert!(written.contains(waits), "{written}");
}

#[test]
fn nothing_panics_on_a_text_with_a_hole_in_it() {
    let source = read(&own().join("main.bicep"));
    for (place, hole) in source.char_indices().step_by(5) {
        let (before, after) = source.split_at(place);
        for holed in [format!("{before}{}", &after[hole.len_utf8()..]), before.to_owned()] {
            let _ = (compile_text(&holed), lint(&holed), format_check(&holed));
        }
    }
    for deep in ["[", "(", "-", "!", "'${", "{a:", "f("] {
        let found = compile_text(&format!("var a = {}", deep.repeat(20_000))).expect_err(deep);
        assert!(found.contains(" deep"), "{found}");
    }
}
