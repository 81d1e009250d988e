//! The rings, held by a test: which module may name which, and how long a file may be.
//!
//! Every path of every source file is walked, `use` trees, expressions, types and the tokens inside macros; test modules
//! may use what they like. What is not in the table is not allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::visit::Visit;

const VOCABULARY: &[&str] = &["diagnostic", "time", "rng", "wire", "policy_xml"];

const CORE: &[&str] = &[
    "topology",
    "catalogue",
    "expr",
    "spec",
    "template",
    "policy",
    "plan",
    "arm",
    "import",
    "azure",
    "pool",
    "exchange",
    "quota",
    "backend",
    "sim",
];

/// Who may import what beside the vocabulary.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    let shell = [CORE, &["run", "io", "ui", "cli", "emulator"]].concat();
    BTreeMap::from([
        ("diagnostic", vec![]),
        ("time", vec![]),
        ("rng", vec![]),
        ("wire", vec![]),
        ("policy_xml", vec![]),
        ("topology", vec![]),
        ("catalogue", vec![]),
        ("expr", vec![]),
        ("spec", vec!["topology", "catalogue", "expr"]),
        ("template", vec!["topology", "policy", "expr", "catalogue"]),
        ("policy", vec!["topology"]),
        ("plan", vec!["topology", "catalogue"]),
        ("arm", vec!["topology", "policy", "expr", "catalogue"]),
        // a foreign file is read as live state is, and becomes a spec: it needs both ends, and nobody needs it
        ("import", vec!["topology", "policy", "expr", "spec", "template", "arm"]),
        ("azure", vec!["expr", "catalogue"]),
        ("pool", vec!["topology"]),
        ("exchange", vec!["pool", "topology"]),
        ("quota", vec!["topology", "catalogue"]),
        ("backend", vec!["quota", "topology", "catalogue"]),
        ("sim", vec!["exchange", "pool", "backend", "quota", "topology", "catalogue"]),
        ("run", CORE.to_vec()),
        ("emulator", [CORE, &["io"]].concat()),
        ("io", shell.clone()),
        ("ui", shell.clone()),
        ("cli", shell),
    ])
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let allowed = allowed();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (file, module) in sources() {
        let Some(may) = allowed.get(module.as_str()) else {
            wrong.push(format!("{}: module {module} is not in the table", file.display()));
            continue;
        };
        seen.insert(module.clone());
        if file.components().any(|part| part.as_os_str() == "tests") {
            // a folder of test modules
            continue;
        }
        for named in imports(&file) {
            let ok = named == module || VOCABULARY.contains(&named.as_str()) || may.contains(&named.as_str());
            if allowed.contains_key(named.as_str()) && !ok {
                wrong.push(format!("{}: {module} may not import {named}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let unused: Vec<_> = allowed.keys().filter(|module| !seen.contains(**module)).collect();
    assert!(unused.is_empty(), "in the table, not in src: {unused:?}");
}

#[test]
fn files_stay_within_600_lines() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter_map(|(file, _)| {
            let text = std::fs::read_to_string(&file).expect("a source file");
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().lines().count();
            (code > 600).then(|| format!("{}: {code} lines", file.display()))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn system_calls_that_differ_by_platform_stay_in_two_files() {
    for (file, _) in sources() {
        let text = std::fs::read_to_string(&file).expect("a source file");
        let home = ["signal.rs", "files.rs"].iter().any(|name| file.ends_with(Path::new("io").join(name)));
        assert!(home || !(text.contains("cfg(unix") || text.contains("cfg(windows")), "{}", file.display());
    }
}

/// Every source file with its top-level module; `lib.rs` and `main.rs` belong to none.
fn sources() -> Vec<(PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut open, mut files) = (vec![src.clone()], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(&src).expect("below src").with_extension("");
                let module = relative.iter().next().expect("a name").to_string_lossy().into_owned();
                if module != "lib" && module != "main" {
                    files.push((path, module));
                }
            }
        }
    }
    files.sort();
    files
}

fn imports(file: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).expect("a source file");
    let tree = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let depth = file.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("below src").iter().count();
    let mut walk = Imports { depth, found: BTreeSet::new() };
    walk.visit_file(&tree);
    walk.found
}

struct Imports {
    /// How many `super` lead out of the file's module to the crate.
    depth: usize,
    found: BTreeSet<String>,
}

impl Imports {
    /// Takes a path's segments; keeps the first one below the crate.
    fn path(&mut self, segments: &[String]) {
        let rest = match segments.first().map(String::as_str) {
            Some("crate" | "aoai_lb") => &segments[1..],
            Some("super") => {
                let up = segments.iter().take_while(|segment| *segment == "super").count();
                if up < self.depth {
                    return;
                }
                &segments[up..]
            }
            _ => return,
        };
        self.found.extend(rest.first().cloned());
    }

    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.path(&with(&name.ident)),
            syn::UseTree::Rename(rename) => self.path(&with(&rename.ident)),
            syn::UseTree::Glob(_) => self.path(before),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(before, item)),
        }
    }
}

impl<'a> Visit<'a> for Imports {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        let test = item.attrs.iter().any(|attr| {
            attr.path().is_ident("cfg") && attr.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test")
        });
        if !test {
            self.depth += 1;
            syn::visit::visit_item_mod(self, item);
            self.depth -= 1;
        }
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.path(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>());
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'a syn::Macro) {
        let tokens = item.tokens.to_string().replace(' ', "");
        for part in tokens.split("crate::").skip(1) {
            let name: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            self.found.insert(name);
        }
        syn::visit::visit_macro(self, item);
    }
}
