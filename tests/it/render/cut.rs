//! A cut writes what it was asked for and what that needs, and every body is the body of the whole.

use super::cases;
use super::topologies::{any_topology, examples};
use aoai_lb::template::{Template, arm, cut, graph};
use aoai_lb::topology::Address;
use proptest::prelude::*;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

fn addresses(template: &Template) -> BTreeSet<Address> {
    let resources = template.resources.iter().filter_map(|resource| resource.address.clone());
    resources.chain(template.modules.iter().map(|module| module.address.clone())).collect()
}

/// Resources by type and name, the numbered variables of texts replaced by the texts.
fn printed(template: &Template) -> BTreeMap<String, Json> {
    let whole = arm(template);
    let resources = whole["resources"].as_array().expect("resources").iter().map(|resource| {
        let mut resource = resource.clone();
        let value = resource["properties"]["value"].as_str().map(str::to_owned);
        if let Some(variable) = value.as_deref().and_then(|v| v.strip_prefix("[variables('")?.strip_suffix("')]")) {
            resource["properties"]["value"] = whole["variables"][variable].clone();
        }
        (format!("{} {}", resource["type"], resource["name"]), resource)
    });
    resources.collect()
}

/// Symbols of everything that comes before a resource, however far.
fn before_in(template: &Template, symbol: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = vec![symbol.to_owned()];
    while let Some(resource) = next.pop().and_then(|symbol| template.resource(&symbol)) {
        next.extend(resource.dependencies().into_iter().filter(|symbol| found.insert(symbol.clone())));
    }
    found
}

fn without_depends_on(resource: &Json) -> Json {
    let mut resource = resource.clone();
    resource.as_object_mut().map(|members| members.remove("dependsOn"));
    resource
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
        let all: Vec<Address> = addresses(&template).into_iter().collect();
        let some = |indices: &[prop::sample::Index]| -> BTreeSet<Address> {
            if all.is_empty() { return BTreeSet::new() }
            indices.iter().map(|index| index.get(&all).clone()).collect()
        };
        let (keep, live) = (some(&keep), some(&live));
        let part = cut(&template, &keep, &live);
        let (before, after) = (printed(&template), printed(&part));
        for (name, resource) in &after {
            prop_assert_eq!(without_depends_on(resource), without_depends_on(&before[name]), "{}", name);
        }
        // What comes before comes before in the whole, if only through something that the cut does not write; and what
        // the cut writes keeps its order.
        for resource in part.resources.iter().filter(|r| r.presence == aoai_lb::template::Presence::Written) {
            let needed = before_in(&template, &resource.symbol);
            prop_assert!(resource.dependencies().is_subset(&needed), "{}", resource.symbol);
            let cut = before_in(&part, &resource.symbol);
            let written = |symbol: &&String| part.resource(symbol).is_some_and(|r| r.presence == aoai_lb::template::Presence::Written);
            prop_assert!(needed.iter().filter(written).all(|symbol| cut.contains(symbol)), "{}", resource.symbol);
        }
        // Parameters and variables say in the cut what they say in the whole.
        let (whole, cut) = (arm(&template), arm(&part));
        for part in ["parameters", "variables"] {
            for (name, value) in cut[part].as_object().into_iter().flatten().filter(|(name, _)| !name.starts_with("$fxv")) {
                prop_assert_eq!(value, &whole[part][name]);
            }
        }
        prop_assert!(cut.get("outputs").is_none());

        // What was asked for is written; what else is written was needed and is not live; what was dropped lives.
        let written: BTreeSet<Address> = part.resources.iter()
            .filter(|r| r.presence == aoai_lb::template::Presence::Written)
            .filter_map(|r| r.address.clone())
            .chain(part.modules.iter().map(|m| m.address.clone()))
            .collect();
        prop_assert!(keep.is_subset(&written));
        prop_assert!(written.difference(&keep).all(|address| !live.contains(address)));
        for address in &written {
            let whole = template.resources.iter().find(|r| r.address.as_ref() == Some(address)).map(|r| r.dependencies());
            let module = template.modules.iter().find(|m| m.address == *address).map(|m| m.dependencies());
            for symbol in whole.or(module).expect("it is in the whole") {
                let needed = template.resource(&symbol).and_then(|r| r.address.clone()).expect("it has an address");
                prop_assert!(written.contains(&needed) || live.contains(&needed), "{address} needs {needed}");
            }
        }
    }

    #[test]
    fn cutting_nothing_away_changes_nothing_but_outputs(topology in any_topology()) {
        let template = graph(&topology);
        let mut whole = template.clone();
        whole.outputs.clear();
        let part = cut(&template, &addresses(&template), &BTreeSet::new());
        prop_assert_eq!(&part.resources, &whole.resources);
        prop_assert_eq!(&part.modules, &whole.modules);
    }
}

#[test]
fn a_changed_weight_sends_the_pool_alone() {
    let (_, quickstart) = examples().into_iter().find(|(name, _)| name == "quickstart").expect("the example");
    let template = graph(&quickstart);
    let pool = Address::Pool("openai-backend-pool".into());
    let part = cut(&template, &BTreeSet::from([pool.clone()]), &addresses(&template));
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
    let live = addresses(&template).into_iter().filter(|address| !missing.contains(address)).collect();
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
