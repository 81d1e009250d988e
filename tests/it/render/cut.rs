//! A cut writes what it was asked for and what that needs, and every body is the body of the whole.

use super::cases;
use super::topologies::{any_topology, closed, examples, shared};
use aoai_lb::template::{Output, Presence, Resource, Template, Value, arm, cut, graph};
use aoai_lb::topology::Address;
use proptest::prelude::*;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Resources by type and name, those of modules too, the numbered variables of texts replaced by the texts.
fn printed(template: &Template) -> BTreeMap<String, Vec<Json>> {
    let mut found = BTreeMap::new();
    flatten(&arm(template), "", &mut found);
    found
}

fn flatten(whole: &Json, within: &str, found: &mut BTreeMap<String, Vec<Json>>) {
    for resource in whole["resources"].as_array().expect("resources") {
        let mut resource = resource.clone();
        texts(&mut resource["properties"], &whole["variables"]);
        let name = format!("{within}{} {}", resource["type"], resource["name"]);
        if let Some(properties) = resource["properties"].as_object_mut()
            && let Some(template) = properties.remove("template")
        {
            flatten(&template, &format!("{name}: "), found);
            let given = properties.remove("parameters").unwrap_or_default();
            for (parameter, value) in given.as_object().into_iter().flatten() {
                found.entry(format!("{name}: parameter {parameter}")).or_default().push(value.clone());
            }
        }
        found.entry(name).or_default().push(resource);
    }
}

/// Puts every text where it is read; of a module, `flatten` does it by the module's own.
fn texts(value: &mut Json, variables: &Json) {
    match value {
        Json::String(text) => {
            let name = text.strip_prefix("[variables('").and_then(|rest| rest.strip_suffix("')]"));
            if let Some(found) = name.filter(|name| name.starts_with("$fxv#")).map(|name| variables[name].clone()) {
                *value = found;
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| texts(item, variables)),
        Json::Object(members) => {
            members.iter_mut().filter(|(name, _)| *name != "template").for_each(|(_, item)| texts(item, variables));
        }
        _ => {}
    }
}

/// What stands for an output of a module, and for the resource that it tells of: as a whole string, and inside one.
fn outputs_of_modules(template: &Template) -> Vec<[String; 4]> {
    let mut found = Vec::new();
    for module in &template.modules {
        let Some(resource) = &module.tells_of else { continue };
        let read = |name: &&'static str| match *name {
            "endpoint" => Value::prop(&module.symbol, &["properties", "endpoint"]),
            name => Value::prop(&module.symbol, &[name]),
        };
        for name in ["endpoint", "id", "name"].iter() {
            let output = |value| Output { name: "x", kind: "string", description: "", value };
            let mut through = template.clone();
            through.outputs = vec![output(Value::Output(module.symbol.clone(), name))];
            let mut direct = Template { modules: Vec::new(), ..through.clone() };
            direct.resources.push(Resource::clone(resource));
            direct.outputs = vec![output(read(name))];
            let [through, direct] = [through, direct].map(|t| arm(&t)["outputs"]["x"]["value"].clone());
            let [through, direct] = [through, direct].map(|value| value.as_str().expect("a text").to_owned());
            let inside =
                |text: &str| text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text).to_owned();
            found.push([through.clone(), direct.clone(), inside(&through), inside(&direct)]);
        }
    }
    found
}

/// The same with every output of a module read from its resource.
fn read_directly(json: &mut Json, outputs: &[[String; 4]]) {
    match json {
        Json::String(text) => {
            for [through, direct, through_inside, direct_inside] in outputs {
                *text = if text == through { direct.clone() } else { text.replace(through_inside, direct_inside) };
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| read_directly(item, outputs)),
        Json::Object(members) => members.values_mut().for_each(|value| read_directly(value, outputs)),
        _ => {}
    }
}

/// Symbols of everything that comes before a resource or module, however far.
fn before_in(template: &Template, symbol: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = vec![symbol.to_owned()];
    while let Some(symbol) = next.pop() {
        next.extend(template.dependencies(&symbol).into_iter().filter(|symbol| found.insert(symbol.clone())));
    }
    found
}

fn without_depends_on(resource: &Json) -> Json {
    let mut resource = resource.clone();
    resource.as_object_mut().map(|members| members.remove("dependsOn"));
    resource
}

/// Symbols of what a template writes.
fn written(template: &Template) -> BTreeSet<String> {
    let resources = template.resources.iter().filter(|resource| resource.presence == Presence::Written);
    resources.map(|r| r.symbol.clone()).chain(template.modules.iter().map(|m| m.symbol.clone())).collect()
}

/// What comes before comes before in the whole, if only through something that the cut does not write; what the cut
/// writes keeps its order; what something needs is written or lives. In modules too.
fn order_holds(whole: &Template, part: &Template, live: &BTreeSet<Address>) {
    let there = written(part);
    let addresses: BTreeSet<Address> = part.addresses().union(live).cloned().collect();
    for symbol in &there {
        let needed = before_in(whole, symbol);
        assert!(part.dependencies(symbol).is_subset(&needed), "{symbol}");
        let cut = before_in(part, symbol);
        let direct = match part.module(symbol) {
            // a module that is cut needs no more than its part does
            Some(module) => module.dependencies(),
            None => whole.dependencies(symbol),
        };
        for symbol in direct {
            let of = match (whole.resource(&symbol), whole.module(&symbol)) {
                (Some(resource), _) if resource.presence == Presence::Existing => BTreeSet::new(),
                (Some(resource), _) => resource.address.iter().cloned().collect(),
                (None, Some(module)) => module.template.addresses(),
                (None, None) => panic!("{symbol} is not there"),
            };
            assert!(of.is_subset(&addresses), "{symbol} is needed");
        }
        if part.module(symbol).is_none() {
            assert!(needed.intersection(&there).all(|symbol| cut.contains(symbol)), "{symbol}");
        }
    }
    for module in &part.modules {
        let whole = whole.module(&module.symbol).expect("it is in the whole");
        order_holds(&whole.template, &module.template, live);
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn every_body_is_the_body_of_the_whole(
        topology in any_topology(),
        keep in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        live in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let template = graph(&topology);
        let all: Vec<Address> = template.addresses().into_iter().collect();
        let some = |indices: &[prop::sample::Index]| -> BTreeSet<Address> {
            if all.is_empty() { return BTreeSet::new() }
            indices.iter().map(|index| index.get(&all).clone()).collect()
        };
        let (keep, live) = (some(&keep), some(&live));
        let part = cut(&template, &keep, &live);
        let outputs = outputs_of_modules(&template);
        let (before, after) = (printed(&template), printed(&part));
        let plain = |json: &Json| {
            let mut json = without_depends_on(json);
            read_directly(&mut json, &outputs);
            json
        };
        // two things of one name, which the rules refuse, are told apart by nothing
        for (name, resources) in &after {
            let wanted: Vec<Json> = before[name].iter().map(plain).collect();
            for resource in resources {
                prop_assert!(wanted.contains(&plain(resource)), "{name}: {resource:#} is none of {wanted:#?}");
            }
        }
        order_holds(&template, &part, &live);
        // Parameters and variables say in the cut what they say in the whole.
        let (whole, cut) = (arm(&template), arm(&part));
        for part in ["parameters", "variables"] {
            for (name, value) in cut[part].as_object().into_iter().flatten().filter(|(name, _)| !name.starts_with("$fxv")) {
                prop_assert_eq!(value, &whole[part][name]);
            }
        }
        prop_assert!(cut.get("outputs").is_none());

        // What was asked for is written; what else is written was needed and is not live; what was dropped lives.
        let written = part.addresses();
        prop_assert!(keep.is_subset(&written));
        prop_assert!(written.difference(&keep).all(|address| !live.contains(address)));
    }

    #[test]
    fn cutting_nothing_away_changes_nothing_but_outputs(topology in any_topology()) {
        let template = graph(&topology);
        let part = cut(&template, &template.addresses(), &BTreeSet::new());
        let mut whole = template.clone();
        // what is there already and only an output names is not named any more
        whole.resources.retain(|resource| resource.presence == Presence::Written || part.resource(&resource.symbol).is_some());
        prop_assert_eq!(&part.resources, &whole.resources);
        prop_assert_eq!(&part.modules, &whole.modules);
        prop_assert!(part.outputs.is_empty());
    }
}

#[test]
fn a_changed_weight_sends_the_pool_alone() {
    let (_, quickstart) = examples().into_iter().find(|(name, _)| name == "quickstart").expect("the example");
    let template = graph(&quickstart);
    let pool = Address::Pool("openai-backend-pool".into());
    let part = cut(&template, &BTreeSet::from([pool.clone()]), &template.addresses());
    let json = arm(&part);
    let resources = json["resources"].as_array().expect("resources");
    assert_eq!(resources.len(), 1);
    assert_eq!(resources[0]["properties"]["pool"]["services"][1]["weight"], 20);
    assert_eq!(resources[0].get("dependsOn"), None);
    assert_eq!(
        resources[0]["properties"]["pool"]["services"][0]["id"],
        "[resourceId('Microsoft.ApiManagement/service/backends', parameters('gatewayName'), 'backend1')]"
    );
    let names = |part: &str| json[part].as_object().expect(part).keys().cloned().collect::<Vec<_>>();
    assert_eq!(names("parameters"), ["gatewayName"]);
    assert_eq!(names("variables"), ["unique", "stack"]);

    // A member that is not there joins, with its deployment; its account lives and is read.
    let missing = [
        Address::Backend("backend1".into()),
        Address::Deployment { account: "cog1".into(), deployment: "openaideploy1".into() },
    ];
    let live = template.addresses().into_iter().filter(|address| !missing.contains(address)).collect();
    let json = arm(&cut(&template, &BTreeSet::from([pool]), &live));
    let kinds: Vec<&str> =
        json["resources"].as_array().expect("resources").iter().filter_map(|r| r["type"].as_str()).collect();
    assert_eq!(
        kinds,
        [
            "Microsoft.CognitiveServices/accounts/deployments",
            "Microsoft.ApiManagement/service/backends",
            "Microsoft.ApiManagement/service/backends"
        ]
    );
    assert_eq!(
        json["resources"][1]["properties"]["url"],
        "[format('{0}openai/deployments/openaideploy1', reference(resourceId('Microsoft.CognitiveServices/accounts', \
         format('aoai-cog1-{0}', variables('unique'))), '2024-10-01').endpoint)]"
    );
}

/// The types of what a template writes, those of a module in front of the module's.
fn kinds(template: &Json) -> Vec<String> {
    let all = template["resources"].as_array().into_iter().flatten();
    all.flat_map(|resource| {
        let mut found = kinds(&resource["properties"]["template"]);
        found.push(resource["type"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned());
        found
    })
    .collect()
}

#[test]
fn a_change_on_a_gateway_elsewhere_sends_a_module_with_it_alone() {
    let template = graph(&shared());
    let pool = Address::Pool("old".into());
    let part = arm(&cut(&template, &BTreeSet::from([pool]), &template.addresses()));
    assert_eq!(kinds(&part), ["backends", "deployments"]);
    let module = &part["resources"][0];
    assert_eq!(module["resourceGroup"], "rg-shared");
    let names = |object: &Json| object.as_object().expect("it").keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&module["properties"]["parameters"]), ["gatewayName", "stack"]);
    assert_eq!(names(&module["properties"]["template"]["parameters"]), ["gatewayName", "stack"]);
    assert_eq!(module.get("dependsOn"), None);

    // A backend needs the endpoint of its account: of a module that is not written it reads the account itself.
    let backend = Address::Backend("france".into());
    let part = arm(&cut(&template, &BTreeSet::from([backend.clone()]), &template.addresses()));
    assert_eq!(kinds(&part), ["backends", "deployments"]);
    let endpoints = &part["resources"][0]["properties"]["parameters"]["endpoints"]["value"];
    let france = endpoints["france"].as_str().expect("an expression");
    assert!(france.contains("'rg-france'), 'Microsoft.CognitiveServices/accounts'"), "{france}");

    // Where the deployment that it calls is not there, that comes first, alone, and the account's module with it.
    let missing = Address::Deployment { account: "france".into(), deployment: "gpt-4.1".into() };
    let live = template.addresses().into_iter().filter(|address| *address != missing).collect();
    let cut = cut(&template, &BTreeSet::from([backend.clone()]), &live);
    assert_eq!(cut.addresses(), BTreeSet::from([backend, missing]));
    let part = arm(&cut);
    assert_eq!(kinds(&part), ["deployments", "deployments", "backends", "deployments"]);
    assert!(part["resources"][1]["dependsOn"][0].as_str().expect("an id").contains("-account-france"), "{part}");
}

#[test]
fn a_private_endpoint_of_an_account_elsewhere_reads_its_id() {
    let template = graph(&closed());
    let endpoint = Address::PrivateEndpoint("ai".into());
    let json = arm(&cut(&template, &BTreeSet::from([endpoint]), &template.addresses()));
    assert_eq!(kinds(&json), ["privateEndpoints"]);
    let connection = &json["resources"][0]["properties"]["privateLinkServiceConnections"][0];
    let id = connection["properties"]["privateLinkServiceId"].as_str().expect("an id");
    assert!(
        id.starts_with("[extensionResourceId(format('/subscriptions/{0}/resourceGroups/{1}', subscription()"),
        "{id}"
    );
}
