//! What the linter finds in other people's files is never in ours.

use super::topologies::{any_topology, several};
use super::{cases, text};
use aoai_lb::diagnostic::Diagnostic;
use aoai_lb::topology::{Policy, Topology};
use aoai_lb::{policy, template};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Findings in the rendered template and in the rendered policies.
fn found(topology: &Topology) -> Vec<Diagnostic> {
    let files = template::files(topology);
    let mut found = template::lint::lint(text(&files, "main.json"));
    for file in files.iter().filter(|file| file.path.ends_with(".xml")) {
        found.extend(policy::lint::lint(&file.text, &BTreeMap::new()));
    }
    found
}

#[test]
fn our_own_files_have_no_finding() {
    for (name, topology) in several() {
        assert_eq!(found(&topology), [], "{name}");
    }
}

/// What a spec cannot say and a random topology can: names that are not names of one thing each. Two accounts of one
/// name are one account to Azure, and a policy that is taken over as it stands may say anything.
fn is_odd(topology: &Topology) -> bool {
    let names: BTreeSet<String> = topology.accounts.values().map(|account| format!("{:?}", account.name)).collect();
    let foreign = topology.apis.values().any(|api| matches!(api.policy, Policy::Other(_)));
    names.len() < topology.accounts.len() || foreign
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn no_topology_is_printed_with_a_finding(topology in any_topology()) {
        prop_assume!(!is_odd(&topology));
        prop_assert_eq!(found(&topology), []);
    }
}
