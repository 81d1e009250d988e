//! Rendered files held against the contracts of Azure, where they are at hand.

use super::topologies::{Texts, several, topology_of};
use super::{cases, write};
use crate::policy::intents;
use aoai_lb::template::{File, files};
use aoai_lb::topology::ProductIntent;
use aoai_lb::topology::intent::{LimitBy, Period, TokenLimit, TokenQuota};
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
fn finds_nothing(tool: &Path, options: &[&str], all: &[(String, Vec<File>)], fits: fn(&str) -> bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut paths = Vec::new();
    for (number, (name, files)) in all.iter().enumerate() {
        let folder = folder.path().join(format!("{number}-{}", name.replace(' ', "-")));
        write(&folder, files);
        paths.extend(files.iter().filter(|file| fits(&file.path)).map(|file| folder.join(&file.path)));
    }
    let output = Command::new("python3").arg(tool).args(options).args(paths).output().expect("python3 runs");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

/// The examples, random topologies such as Azure takes, and random specs.
fn rendered() -> Vec<(String, Vec<File>)> {
    let config = cases(32);
    let number = config.cases;
    let mut runner = TestRunner::new(config);
    let any = (0..number).map(|number| {
        let tree = topology_of(Texts::Plain).new_tree(&mut runner).expect("a topology");
        (format!("random-{number}"), tree.current())
    });
    let specs = super::specs::some(number.into());
    several().into_iter().chain(any).chain(specs).map(|(name, topology)| (name, files(&topology))).collect()
}

#[test]
fn contracts_of_resource_types_hold() {
    let Some(tool) = tool("check-template", "jsonschema") else { return };
    finds_nothing(&tool, &[], &rendered(), |path| path == "main.json");
}

#[test]
fn schemas_of_policies_hold() {
    let Some(tool) = tool("check-policy", "sys") else { return };
    let file = |text: String| vec![File { path: "policy.xml".into(), text }];
    let mut all = rendered();
    all.extend(
        intents::all()
            .into_iter()
            .map(|(name, intent)| (name.replace([' ', '/'], "-"), file(aoai_lb::policy::render(&intent)))),
    );
    let token_limit = TokenLimit { tokens_per_minute: 9, estimate_prompt: true, by: LimitBy::Subscription };
    let quota = TokenQuota { tokens: 50_000_000_000, per: Period::Monthly };
    for (limit, quota) in
        [(Some(token_limit.clone()), None), (None, Some(quota.clone())), (Some(token_limit), Some(quota)), (None, None)]
    {
        let product = ProductIntent { product: "gold".into(), token_limit: limit, quota };
        all.push((format!("product-{}", all.len()), file(aoai_lb::policy::render_product(&product))));
    }
    for format in ["xml", "rawxml"] {
        finds_nothing(&tool, &["--strict", "--format", format], &all, |path| path.ends_with(".xml"));
    }
}
