//! Rendered files held against the contracts of Azure, where they are at hand.

use super::topologies::{Texts, several, topology_of};
use super::{cases, write};
use aoai_lb::template::files;
use aoai_lb::topology::Topology;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tool outside the repository that needs these modules of Python; nothing where it or they are not here.
fn tool(name: &str, modules: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/tools").join(name);
    let python = || Command::new("python3").args(["-c", &format!("import {modules}")]).output();
    let missing = match path.is_file() {
        false => format!("../shared/tools/{name} is not here"),
        true if !python().is_ok_and(|output| output.status.success()) => format!("python3 with {modules} is not here"),
        true => return Some(path),
    };
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    println!("skipped: {missing}");
    None
}

/// Runs a tool on the rendered files whose path fits; it must find nothing.
fn finds_nothing(tool: &Path, options: &[&str], topologies: &[(String, Topology)], fits: fn(&str) -> bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut paths = Vec::new();
    for (name, topology) in topologies {
        let folder = folder.path().join(name);
        let files = files(topology);
        write(&folder, &files);
        paths.extend(files.iter().filter(|file| fits(&file.path)).map(|file| folder.join(&file.path)));
    }
    let output = Command::new("python3").arg(tool).args(options).args(paths).output().expect("python3 runs");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

/// The examples, and random topologies such as Azure takes.
fn some() -> Vec<(String, Topology)> {
    let config = cases(32);
    let number = config.cases;
    let mut runner = TestRunner::new(config);
    let any = (0..number).map(|number| {
        let tree = topology_of(Texts::Plain).new_tree(&mut runner).expect("a topology");
        (format!("random-{number}"), tree.current())
    });
    several().into_iter().map(|(name, topology)| (name.replace(' ', "-"), topology)).chain(any).collect()
}

#[test]
fn contracts_of_resource_types_hold() {
    let Some(tool) = tool("check-template", "jsonschema") else { return };
    finds_nothing(&tool, &[], &some(), |path| path == "main.json");
}

#[test]
fn schemas_of_policies_hold() {
    let Some(tool) = tool("check-policy", "sys") else { return };
    for format in ["xml", "rawxml"] {
        finds_nothing(&tool, &["--strict", "--format", format], &some(), |path| path.ends_with(".xml"));
    }
}
