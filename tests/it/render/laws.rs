//! Laws of the two printers, for every topology.

use super::topologies::{any_topology, several};
use super::{cases, text, write};
use crate::bicep::{compile, compile_params, format_check, lint};
use aoai_lb::expr::{TemplateString, parse, template_string};
use aoai_lb::template::{Template, Value, arm, files, graph};
use aoai_lb::topology::Topology;
use proptest::prelude::*;

/// What an independent compiler makes of our Bicep is our JSON, to the byte; nothing to format, nothing to warn of.
pub fn two_printers_agree(topology: &Topology) {
    let files = files(topology);
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &files);
    let compiled =
        compile(&folder.path().join("main.bicep")).unwrap_or_else(|error| panic!("{error}\n{}", files[0].text));
    let different = compiled.lines().zip(text(&files, "main.json").lines()).find(|(theirs, ours)| theirs != ours);
    assert_eq!(different, None, "compiled against ours");
    assert_eq!(compiled, text(&files, "main.json"));
    for file in files.iter().filter(|file| file.path.ends_with(".bicep") || file.path.ends_with(".bicepparam")) {
        assert_eq!(format_check(&file.text), Ok(()), "{}: {}", file.path, file.text);
    }
    for file in files.iter().filter(|file| file.path.ends_with(".bicep")) {
        assert_eq!(lint(&file.text), Vec::<String>::new(), "{}: {}", file.path, file.text);
    }
    let parameters = compile_params(&folder.path().join("main.bicepparam")).expect("the parameters compile");
    let parameters: serde_json::Value = serde_json::from_str(&parameters).expect("JSON");
    let main: serde_json::Value = serde_json::from_str(&compiled).expect("JSON");
    for (name, value) in parameters["parameters"].as_object().expect("parameters") {
        assert_eq!(value["value"], plain(&main["parameters"][name]["defaultValue"]), "{name}");
    }
}

/// Template strings without the second `[`: a parameters file holds no expressions.
fn plain(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    let text =
        |text: &str| if text.starts_with("[[") && text.ends_with(']') { text[1..].to_owned() } else { text.to_owned() };
    match value {
        Json::String(s) => Json::String(text(s)),
        Json::Object(members) => members.iter().map(|(name, value)| (text(name), plain(value))).collect(),
        other => other.clone(),
    }
}

#[test]
fn the_compiler_makes_our_json_of_our_bicep() {
    several().iter().for_each(|(_, topology)| two_printers_agree(topology));
}

#[test]
fn a_long_name_breaks_the_line_as_the_formatter_would() {
    for length in [0, 59, 60, 61, 62, 63, 64, 65, 200] {
        let mut topology = super::topologies::minimal();
        topology.stack.name = "n".repeat(length);
        two_printers_agree(&topology);
    }
}

#[test]
fn many_apis_have_a_policy_each() {
    let mut topology = super::topologies::minimal();
    let api = topology.apis["openai"].clone();
    for key in ["a b", "a/b", "A-b"] {
        topology.apis.insert(key.into(), api.clone());
    }
    let paths: Vec<String> = files(&topology).into_iter().map(|file| file.path).collect();
    assert_eq!(
        paths,
        [
            "main.bicep",
            "modules/role-assignment.bicep",
            "main.json",
            "policy-A-b.xml",
            "policy-a-b-2.xml",
            "policy-a-b-3.xml",
            "policy-openai.xml",
            "main.bicepparam"
        ]
    );
    two_printers_agree(&topology);
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn the_compiler_makes_our_json_of_any_bicep_of_ours(topology in any_topology()) {
        two_printers_agree(&topology);
    }

    #[test]
    fn rendering_twice_gives_the_same_bytes(topology in any_topology()) {
        prop_assert_eq!(files(&topology), files(&topology.clone()));
    }

    #[test]
    fn everything_that_is_named_is_there_and_stands_before(topology in any_topology()) {
        everything_named_stands_before(&graph(&topology));
    }
}

/// Resources name resources before them, or modules; modules name anything but themselves; a symbol names one thing.
fn everything_named_stands_before(template: &Template) {
    let modules: Vec<&str> = template.modules.iter().map(|module| module.symbol.as_str()).collect();
    let mut before: Vec<&str> = Vec::new();
    for resource in &template.resources {
        for symbol in resource.dependencies() {
            let known = before.contains(&symbol.as_str()) || modules.contains(&symbol.as_str());
            assert!(known, "{} names {symbol}", resource.symbol);
        }
        before.push(&resource.symbol);
    }
    for module in &template.modules {
        for symbol in module.dependencies() {
            let known = before.contains(&symbol.as_str()) || modules.contains(&symbol.as_str());
            assert!(known && symbol != module.symbol, "{} names {symbol}", module.symbol);
        }
        everything_named_stands_before(&module.template);
    }
    let mut symbols: Vec<String> = before.iter().chain(&modules).map(|symbol| symbol.to_ascii_lowercase()).collect();
    let names = template.parameters.iter().map(|p| &p.name).chain(template.variables.iter().map(|v| &v.name));
    symbols.extend(names.map(|name| name.to_ascii_lowercase()));
    symbols.sort();
    assert!(symbols.windows(2).all(|pair| pair[0] != pair[1]), "{symbols:?}");
}

/// Every string that Azure would evaluate.
fn expressions(json: &serde_json::Value, found: &mut Vec<String>) {
    use serde_json::Value as Json;
    let text = |text: &str, found: &mut Vec<String>| {
        if let TemplateString::Expression(expression) = template_string(text) {
            found.push(expression.to_owned());
        }
    };
    match json {
        Json::String(s) => text(s, found),
        Json::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        Json::Object(members) => members.iter().for_each(|(name, value)| {
            text(name, found);
            expressions(value, found);
        }),
        _ => {}
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn every_expression_is_one(topology in any_topology()) {
        let mut found = Vec::new();
        expressions(&arm(&graph(&topology)), &mut found);
        for expression in found {
            let again = parse(&expression).map(|tree| tree.to_string());
            prop_assert_eq!(again.as_ref(), Ok(&expression));
        }
    }
}

/// DESIGN 5, "Order is explicit".
#[test]
fn what_azure_needs_first_comes_first() {
    let template = graph(&super::topologies::two_regions());
    let dependencies =
        |symbol: &str| -> Vec<String> { template.resource(symbol).expect(symbol).dependencies().into_iter().collect() };
    assert_eq!(dependencies("deploymentEastUsChat"), ["accountEastUs"]);
    assert_eq!(dependencies("deploymentEastUsChatPtu"), ["accountEastUs", "deploymentEastUsChat"]);
    assert_eq!(dependencies("deploymentSwedenChatSweden"), ["accountSweden"]);
    assert_eq!(dependencies("backendPtu"), ["accountEastUs", "deploymentEastUsChatPtu", "gateway"]);
    assert_eq!(template.resource("backendPtu").expect("it").depends_on, ["deploymentEastUsChatPtu"]);
    assert_eq!(dependencies("poolGpt41"), ["backendEast", "backendPtu", "backendSweden", "gateway"]);
    assert_eq!(dependencies("policyOpenai"), ["apiOpenai", "poolGpt41"]);
    assert_eq!(dependencies("subscriptionTeamA"), ["apiOpenai", "gateway"]);
    assert!(template.resources.iter().all(|r| r.parent.is_none() || r.kind.matches('/').count() >= 2));
}

#[test]
fn a_foreign_url_is_printed() {
    let mut topology = super::topologies::minimal();
    let backend = topology.backends.get_mut("eastus2-gpt-4.1").expect("the backend");
    backend.target = aoai_lb::topology::Target::Url("https://example.com/x".into());
    let template = graph(&topology);
    let backend = template.resource("backendEastus2Gpt41").expect("the backend");
    let Some((_, Value::Object(properties))) = backend.body.first() else { panic!("properties") };
    let url = properties.iter().find(|(name, _)| name == "url").map(|(_, url)| url);
    assert_eq!(url, Some(&Value::Text("https://example.com/x".into())));
    two_printers_agree(&topology);
}
