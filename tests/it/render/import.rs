//! What we render is read back: a template of ours becomes the spec that it came from.
//!
//! A template cannot say: the environment that it was rendered for (only a hash of it), files beside the spec, what the
//! deployments of an account are that is there already (its key neither), who sees to roles that it does not give, and
//! what the simulator assumes. All else must come back; what this program does not render is in no template either.

use super::topologies::{any_topology, examples};
use super::{cases, text};
use aoai_lb::diagnostic::{Diagnostic, code};
use aoai_lb::topology::*;
use aoai_lb::{import, spec, template};
use proptest::prelude::*;
use serde_json::Map;

fn main_json(topology: &Topology) -> String {
    text(&template::files(topology), "main.json").to_owned()
}

fn imported(main: &str, topology: &Topology) -> Result<import::Imported, Diagnostic> {
    let parameters = Map::new();
    let options = import::Options {
        file: "main.json",
        parameters: &parameters,
        subscription: topology.scope.subscription.as_deref(),
        resource_group: Some(&topology.scope.resource_group),
        location: Some(topology.scope.location.as_str()),
    };
    import::read(main, &options)
}

fn load(text: &str) -> Result<Topology, Vec<Diagnostic>> {
    spec::load(text, &spec::Options::default()).map(|loaded| loaded.topology)
}

/// A topology without what the template does not say.
fn said(mut topology: Topology, main: &str) -> Topology {
    let says = |word: &str| main.contains(word);
    topology.stack.environment.clear();
    // the spec's own, always the same
    topology.subscriptions.remove(defaults::PROBE);
    if !says("service/loggers") {
        topology.observability = None;
    }
    if !says("service/products") {
        topology.products.clear();
        topology.subscriptions.retain(|_, subscription| matches!(subscription.access, Access::Api(_)));
    }
    let (vault, user) = (says("secretIdentifier"), says("userAssignedIdentities"));
    topology.named_values.retain(|_, value| match value.holds {
        Holds::Vault(_) => vault,
        Holds::ClientId | Holds::Text => user,
    });
    if let Some(gateway) = &mut topology.gateway {
        if !user {
            gateway.identity = Identity::System;
        }
        if !says("virtualNetworkConfiguration") {
            gateway.network = None;
        }
        if gateway.standing == Standing::Existing {
            // a service of somebody else's has a tier and a publisher of its own
            (gateway.place, gateway.sku, gateway.capacity) = (Place::default(), defaults::GATEWAY_SKU, 1);
        }
    }
    for account in topology.accounts.values_mut() {
        if !says("privateEndpoints") {
            account.network = AccountNetwork::default();
        }
        if !says("spilloverDeploymentName") {
            account.deployments.values_mut().for_each(|deployment| deployment.spillover = None);
        }
        // written into the stack's own group, as long as no module leads elsewhere
        if !says("\"resourceGroup\":") {
            (account.place, account.standing) = (Place::default(), Standing::Managed);
        }
    }
    for backend in topology.backends.values_mut().filter(|_| !vault) {
        backend.credential = None;
    }
    for api in topology.apis.values_mut() {
        (api.template, api.definition) = (None, Definition::Operations);
        if !says("\"operations\"") && api.operations.is_empty() {
            api.operations.clear();
        }
        if let Policy::Rendered(intent) = &mut api.policy {
            if !says("service/loggers") {
                intent.metrics = None;
            }
            if !user {
                intent.client_id = None;
            }
            let candidates = intent.pools.values_mut().flatten();
            candidates.filter(|_| !vault).for_each(|candidate| candidate.credential = None);
        }
    }
    topology
}

/// APIs whose definition is a file have no operations of their own; read back they have ours.
fn without_files(mut topology: Topology, of: &Topology) -> Topology {
    for (key, api) in &mut topology.apis {
        let original = of.apis.get(key).map(|api| &api.definition);
        if matches!(original, Some(Definition::Imported(_))) {
            api.operations.clear();
        }
    }
    topology
}

#[test]
fn a_template_of_ours_becomes_the_spec_that_it_came_from() {
    for (name, topology) in examples() {
        let main = main_json(&topology);
        let made = imported(&main, &topology).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        let others = topology.accounts.values().any(|account| account.standing == Standing::Existing);
        match load(&made.spec) {
            Ok(back) => {
                let back = without_files(said(back, &main), &topology);
                let was = without_files(said(topology.clone(), &main), &topology);
                same(&name, &was, &back);
            }
            Err(problems) if others => {
                let key = |problem: &Diagnostic| problem.key.clone().unwrap_or_default();
                let asks =
                    |problem: &Diagnostic| problem.code == code::MISSING_KEY && key(problem).contains(".deployments.");
                assert!(problems.iter().all(asks), "{name}: {problems:#?}\n{}", made.spec);
            }
            Err(problems) => panic!("{name}: {problems:#?}\n{}", made.spec),
        }
    }
}

fn same(name: &str, was: &Topology, back: &Topology) {
    let (was, back) = (format!("{was:#?}"), format!("{back:#?}"));
    if was != back {
        let diff = similar::TextDiff::from_lines(&was, &back).unified_diff().header("was", "came back").to_string();
        panic!("{name}\n{diff}");
    }
}

proptest! {
    #![proptest_config(cases(256))]

    /// Whatever was rendered: what comes out is a spec that has no key that a spec does not have, and every deployment,
    /// backend and pool with a plain name is in it.
    #[test]
    fn any_template_of_ours_becomes_a_spec(topology in any_topology()) {
        let main = main_json(&topology);
        match imported(&main, &topology) {
            Err(problem) => {
                prop_assert_eq!(problem.code, code::NOT_IMPORTABLE);
                let managed = topology.accounts.values().any(|account| account.standing == Standing::Managed);
                prop_assert!(topology.gateway.is_none() && !managed, "{}", problem);
            }
            Ok(made) => {
                let problems = load(&made.spec).err().unwrap_or_default();
                let odd = [code::UNKNOWN_KEY, code::BROKEN_YAML, code::DUPLICATE_KEY, code::YAML_FEATURE];
                prop_assert!(!problems.iter().any(|problem| odd.contains(&problem.code)), "{:#?}\n{}", problems, made.spec);
                for problem in &made.problems {
                    let span = problem.span.unwrap_or_default();
                    prop_assert!(main.get(span.start..span.end).is_some(), "{:?}", span);
                }
            }
        }
    }
}
