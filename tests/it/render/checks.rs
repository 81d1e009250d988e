//! Rendered files held against the contracts of Azure, where they are at hand.

use super::topologies::several;
use super::write;
use aoai_lb::template::files;
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
fn finds_nothing(tool: &Path, options: &[&str], fits: fn(&str) -> bool) {
    for (name, topology) in several() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = files(&topology);
        write(folder.path(), &files);
        let paths = files.iter().filter(|file| fits(&file.path)).map(|file| folder.path().join(&file.path));
        let output = Command::new("python3").arg(tool).args(options).args(paths).output().expect("python3 runs");
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{name}: {said}");
    }
}

#[test]
fn contracts_of_resource_types_hold() {
    let Some(tool) = tool("check-template", "jsonschema") else { return };
    finds_nothing(&tool, &[], |path| path == "main.json");
}

#[test]
fn schemas_of_policies_hold() {
    let Some(tool) = tool("check-policy", "sys") else { return };
    for format in ["xml", "rawxml"] {
        finds_nothing(&tool, &["--strict", "--format", format], |path| path.ends_with(".xml"));
    }
}
