//! What we render is read back: a template of ours becomes the spec that it came from.

use super::topologies::{any_topology, several};
use super::{cases, text};
use aoai_lb::diagnostic::{Diagnostic, Severity, code};
use aoai_lb::topology::{Balancing, Definition, Name, Place, Policy, Standing, Topology};
use aoai_lb::{import, spec, template};
use proptest::prelude::*;
use serde_json::Map;

/// The spec that our template of a topology becomes.
fn imported(topology: &Topology) -> import::Imported {
    let files = template::files(topology);
    let parameters = Map::new();
    let options = import::Options {
        file: "main.json",
        parameters: &parameters,
        subscription: topology.scope.subscription.as_deref(),
        resource_group: Some(&topology.scope.resource_group),
        location: Some(topology.scope.location.as_str()),
    };
    import::read(text(&files, "main.json"), &options).unwrap_or_else(|problem| panic!("{problem}"))
}

fn loaded(text: &str) -> Result<Topology, Vec<Diagnostic>> {
    spec::load(text, &spec::Options::default()).map(|loaded| loaded.topology)
}

/// Both sides without what a template does not say: which environment it was rendered for (only a hash of it), names that
/// follow from that, files beside the spec, and roles that somebody else sees to.
fn comparable(mut topology: Topology, said: &Said) -> Topology {
    topology.stack.environment.clear();
    for api in topology.apis.values_mut() {
        api.template = None;
        if let Definition::Imported(_) = api.definition {
            (api.definition, api.operations) = (Definition::Operations, Default::default());
        }
    }
    if !said.roles {
        topology.grants.clear();
    }
    if !said.places {
        for account in topology.accounts.values_mut() {
            (account.place, account.standing) = (Place::default(), Standing::Managed);
        }
    }
    if !said.gateway {
        if let Some(gateway) = &mut topology.gateway {
            gateway.standing = Standing::Managed;
            gateway.place = Place::default();
            gateway.publisher.email.clear();
            gateway.publisher.name.clear();
        }
    }
    topology
}

/// What the template says of a topology.
struct Said {
    roles: bool,
    places: bool,
    gateway: bool,
}

#[test]
fn a_template_of_ours_becomes_the_spec_that_it_came_from() {
    for (name, topology) in several() {
        let made = imported(&topology);
        eprintln!("{name}: {:#?}\n{}", made.problems, made.spec);
        let back = loaded(&made.spec).unwrap_or_else(|problems| panic!("{name}: {problems:#?}\n{}", made.spec));
        let said = Said { roles: true, places: true, gateway: true };
        pretty_assertions_eq(&name, &comparable(back, &said), &comparable(topology, &said));
    }
}

fn pretty_assertions_eq(name: &str, one: &Topology, other: &Topology) {
    let (one, other) = (format!("{one:#?}"), format!("{other:#?}"));
    if one != other {
        let diff = similar::TextDiff::from_lines(&other, &one).unified_diff().header("was", "came back").to_string();
        panic!("{name}\n{diff}");
    }
}
