//! The expressions of rendered policies, compiled by a real C# compiler where there is one.

use super::{intents, newtonsoft};
use crate::render::topologies::several;
use aoai_lb::policy;
use aoai_lb::policy_xml::{Element, Node, parse};
use aoai_lb::template::files;
use std::collections::BTreeSet;
use std::process::Command;

/// What every expression may take for granted, and the place where each stands.
const HEAD: &str = "using System; using System.Collections.Generic; using System.Linq; using Newtonsoft.Json.Linq;\n\
     public static class Expressions {\n";

/// Every expression of an element and of what is inside, as C# statements.
fn expressions(element: &Element, found: &mut BTreeSet<String>) {
    let texts = element.children.iter().filter_map(|node| match node {
        Node::Text(text) => Some(text),
        _ => None,
    });
    for text in element.attributes.iter().map(|(_, value)| value).chain(texts) {
        let text = text.trim();
        let inside = |open: &str, close: &str| text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
        found.extend(inside("@(", ")").map(|code| format!("return (object)({code});")));
        found.extend(inside("@{", "}").map(str::to_owned));
    }
    element.elements().for_each(|child| expressions(child, found));
}

#[test]
fn expressions_are_csharp() {
    let Some(newtonsoft) = newtonsoft() else { return };
    let mut found = BTreeSet::new();
    for (_, topology) in several() {
        for file in files(&topology).iter().filter(|file| file.path.ends_with(".xml")) {
            expressions(&parse(&file.text).expect("XML").root, &mut found);
        }
    }
    for (_, intent) in intents::all() {
        expressions(&parse(&policy::render(&intent)).expect("XML").root, &mut found);
    }
    assert!(found.len() > 60, "{found:?}");
    let methods =
        found.iter().zip(0..).map(|(code, n)| format!("public static object E{n}(IContext context) {{\n{code}\n}}\n"));
    let folder = tempfile::tempdir().expect("a folder");
    let written = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the file is written");
        path
    };
    let sources = [
        written("Context.cs", include_str!("csharp/Context.cs")),
        written("Expressions.cs", &(HEAD.to_owned() + &methods.collect::<String>() + "}\n")),
    ];
    let library = format!("-out:{}", folder.path().join("expressions.dll").display());
    let reference = format!("-r:{}", newtonsoft.display());
    let options = ["-langversion:7", "-warnaserror", "-target:library", library.as_str(), reference.as_str()];
    let output = Command::new("mcs").args(options).args(sources).output().expect("mcs runs");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
