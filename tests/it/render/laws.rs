//! Laws of the two printers, for every topology.

use super::topologies::{any_topology, several};
use super::{cases, text, write};
use crate::bicep::{compile, compile_params, format_check, lint};
use aoai_lb::expr::{TemplateString, parse, template_string};
use aoai_lb::template::{Presence, Template, Value, arm, files, graph};
use aoai_lb::topology::{Access, Address, Holds, Identity, Topology};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

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

/// Everything that comes before a thing of the stack, however far, through modules too.
struct Order {
    /// Where an address stands: the template's symbol, and the symbol inside a module.
    places: BTreeMap<Address, (String, Option<String>)>,
    template: Template,
}

impl Order {
    fn of(template: Template) -> Order {
        let mut places = BTreeMap::new();
        for resource in &template.resources {
            places.extend(resource.address.clone().map(|address| (address, (resource.symbol.clone(), None))));
        }
        for module in &template.modules {
            let inner = module.template.resources.iter().filter(|r| r.presence == Presence::Written);
            places.extend(
                inner.filter_map(|r| Some((r.address.clone()?, (module.symbol.clone(), Some(r.symbol.clone()))))),
            );
        }
        Order { places, template }
    }

    /// Whether `first` is there before `then` is written.
    fn holds(&self, first: &Address, then: &Address) -> bool {
        let (Some(first), Some(then)) = (self.places.get(first), self.places.get(then)) else { return true };
        if self.template.resource(&first.0).is_some_and(|resource| resource.presence == Presence::Existing) {
            return true;
        }
        match (first, then) {
            ((a, Some(first)), (b, Some(then))) if a == b => {
                let module = &self.template.module(a).expect("the module").template;
                before(module, then).contains(first)
            }
            ((first, _), (then, _)) => before(&self.template, then).contains(first),
        }
    }
}

fn before(template: &Template, symbol: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = vec![symbol.to_owned()];
    while let Some(symbol) = next.pop() {
        next.extend(template.dependencies(&symbol).into_iter().filter(|symbol| found.insert(symbol.clone())));
    }
    found
}

/// What Azure needs first, said of the topology alone: pairs of what comes first and what comes then.
fn needed_first(topology: &Topology) -> Vec<(Address, Address)> {
    let mut pairs = Vec::new();
    let deployment = |account: &str, deployment: &str| Address::Deployment {
        account: account.to_owned(),
        deployment: deployment.to_owned(),
    };
    for (key, account) in &topology.accounts {
        let of = Address::Account(key.clone());
        for (name, found) in &account.deployments {
            pairs.push((of.clone(), deployment(key, name)));
            pairs.push((deployment(key, name), Address::PrivateEndpoint(key.clone())));
            let ring = |target: &str| {
                // whoever follows the targets comes back
                let mut seen = BTreeSet::from([target]);
                let mut at = target;
                while let Some(next) = account.deployments[at].spillover.as_deref() {
                    at = next;
                    if !seen.insert(at) {
                        return seen.contains(name.as_str());
                    }
                }
                false
            };
            if let Some(target) = found.spillover.as_ref().filter(|target| !ring(target)) {
                pairs.push((deployment(key, target), deployment(key, name)));
            }
        }
        pairs.push((of.clone(), Address::PrivateEndpoint(key.clone())));
        pairs.push((Address::PrivateEndpoint(key.clone()), Address::DnsZoneGroup(key.clone())));
        pairs.push((of, Address::Grant(key.clone())));
        let system = topology.gateway.as_ref().is_some_and(|gateway| gateway.identity == Identity::System);
        pairs.push((if system { Address::Gateway } else { Address::Identity }, Address::Grant(key.clone())));
    }
    pairs.push((Address::Identity, Address::Gateway));
    pairs.extend(topology.named_values.keys().map(|key| (Address::Gateway, Address::NamedValue(key.clone()))));
    for (key, backend) in &topology.backends {
        let then = Address::Backend(key.clone());
        pairs.push((Address::Gateway, then.clone()));
        if let Some((account, called)) = backend.target.account() {
            pairs.push((Address::Account(account.clone()), then.clone()));
            pairs.extend(called.map(|called| (deployment(account, called), then)));
        }
    }
    for (key, pool) in &topology.pools {
        let members = pool.members.iter().map(|member| Address::Backend(member.backend.clone()));
        pairs.extend(members.map(|member| (member, Address::Pool(key.clone()))));
    }
    for (key, api) in &topology.apis {
        let then = Address::Policy(key.clone());
        pairs.push((Address::Gateway, Address::Api(key.clone())));
        pairs.push((Address::Api(key.clone()), then.clone()));
        let Some(intent) = api.policy.intent() else { continue };
        let routed = intent.routes.pools().into_iter().chain(intent.v1.iter().flat_map(|routes| routes.pools()));
        let pools = routed.filter_map(|name| topology.pool_by_name(name)).map(|(key, _)| Address::Pool(key.clone()));
        let picked = intent.pools.values().flatten();
        let named = picked.clone().map(|candidate| candidate.backend.as_str()).chain(intent.stateful.as_deref());
        let backends = named.filter_map(|name| topology.backend_by_name(name)).map(|(key, _)| key.clone());
        let keys = picked.filter_map(|candidate| Some(candidate.credential.as_ref()?.named_value.as_str()));
        let values = keys.chain(intent.client_id.as_deref()).filter_map(|name| {
            topology
                .named_values
                .iter()
                .find(|(_, value)| value.name.eq_ignore_ascii_case(name))
                .map(|(key, _)| key.clone())
        });
        let first: Vec<Address> =
            pools.chain(backends.map(Address::Backend)).chain(values.map(Address::NamedValue)).collect();
        pairs.extend(first.into_iter().map(|first| (first, then.clone())));
    }
    for (key, subscription) in &topology.subscriptions {
        let first = match &subscription.access {
            Access::Api(api) => Address::Api(api.clone()),
            Access::Product(product) => Address::Product(product.clone()),
        };
        pairs.push((first, Address::Subscription(key.clone())));
    }
    pairs
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn what_azure_needs_first_comes_first_in_any_template(topology in any_topology()) {
        let order = Order::of(graph(&topology));
        for (first, then) in needed_first(&topology) {
            prop_assert!(order.holds(&first, &then), "{first} before {then}");
        }
        // two deployments of one account never at a time
        for (key, account) in &topology.accounts {
            let all: Vec<Address> = account.deployments.keys()
                .map(|deployment| Address::Deployment { account: key.clone(), deployment: deployment.clone() }).collect();
            for (at, one) in all.iter().enumerate() {
                for other in &all[at + 1..] {
                    prop_assert!(order.holds(one, other) || order.holds(other, one), "{one} and {other}");
                }
            }
        }
    }

    #[test]
    fn everything_of_the_stack_is_written_and_nothing_else(topology in any_topology()) {
        let mut wanted: BTreeSet<Address> = topology.addresses().into_iter().collect();
        // what names something that is not there has no place to stand
        let system = topology.gateway.as_ref().is_some_and(|gateway| gateway.identity == Identity::System);
        wanted.retain(|address| match address {
            Address::NamedValue(key) if system => topology.named_values[key].holds != Holds::ClientId,
            Address::Subscription(key) => match &topology.subscriptions[key].access {
                Access::Api(api) => topology.apis.contains_key(api),
                Access::Product(product) => topology.products.contains_key(product),
            },
            _ => true,
        });
        if topology.gateway.is_none() {
            let of_accounts = |address: &Address| {
                use Address::*;
                matches!(address, Account(_) | Deployment { .. } | PrivateEndpoint(_) | DnsZoneGroup(_))
            };
            wanted.retain(of_accounts);
        }
        prop_assert_eq!(graph(&topology).addresses(), wanted);
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
