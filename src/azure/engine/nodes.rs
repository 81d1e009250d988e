//! The resources of a template as they will be deployed, and what they are called.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One resource of a template that is to be deployed.
#[derive(Clone, Debug)]
pub struct Node {
    /// The whole id.
    pub id: String,
    /// The type, as in `Microsoft.ApiManagement/service/backends`.
    pub type_: String,
    /// The version of the provider's interface.
    pub api_version: String,
    /// The name with its parents' names, as in `gateway/pool`.
    pub name: String,
    /// The location, where the template gives one.
    pub location: Option<String>,
    /// The resources that must be there first, as positions in [`super::Prepared::nodes`].
    pub depends_on: Vec<usize>,
    /// Where a nested deployment deploys to; `None` for every other resource.
    pub nested: Option<Target>,
    pub(super) standing: Standing,
    /// What a symbolic template calls it.
    pub(super) symbol: Option<String>,
    /// The members that are evaluated up front, in the order of the template.
    pub(super) fixed: Map<String, Value>,
    /// The member `properties` as the template has it.
    pub(super) properties: Option<Arc<Value>>,
    /// The loop that it comes from, and the index in it.
    pub(super) turn: Option<(String, i64)>,
}

/// Whether a resource is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Deployed,
    /// Its condition does not hold.
    Skipped,
    /// The template only refers to it.
    Existing,
}

/// Where a nested deployment deploys to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The id of the subscription.
    pub subscription: String,
    /// The name of the group; `None` for the subscription itself.
    pub resource_group: Option<String>,
}

/// All resources of a template, to be found by what they are called.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    pub all: Vec<Node>,
    /// By symbol, and by symbol and index.
    symbols: Names,
    /// By id, by type and name, by name, and by loop.
    others: Names,
}

type Names = BTreeMap<String, Vec<usize>>;

impl Nodes {
    pub fn new(all: Vec<Node>) -> Nodes {
        let (mut symbols, mut others) = (Names::new(), Names::new());
        for (index, node) in all.iter().enumerate() {
            if let Some(symbol) = &node.symbol {
                enter(&mut symbols, symbol, index);
                if let Some((_, turn)) = &node.turn {
                    enter(&mut symbols, &format!("{symbol}[{turn}]"), index);
                }
            }
            if !node.id.is_empty() {
                [node.id.as_str(), relative(&node.id), &node.name]
                    .into_iter()
                    .for_each(|name| enter(&mut others, name, index));
            }
            if let Some((name, _)) = &node.turn {
                enter(&mut others, name, index);
            }
        }
        Nodes { all, symbols, others }
    }

    /// The positions of all that a `dependsOn` or a reference may mean: a symbol goes before everything else.
    pub fn meant(&self, name: &str) -> &[usize] {
        let name = name.to_lowercase();
        self.symbols.get(&name).or_else(|| self.others.get(&name)).map_or(&[], Vec::as_slice)
    }

    /// The resource that a reference means, if it is one; of several of one name that which is deployed.
    pub fn called(&self, name: &str) -> Option<&Node> {
        let meant = || self.meant(name).iter().filter_map(|index| self.all.get(*index));
        let node = meant().find(|node| node.standing != Standing::Skipped).or_else(|| meant().next())?;
        let loop_name = node.turn.as_ref().map(|(loop_name, _)| loop_name);
        let is_loop =
            [loop_name, node.symbol.as_ref()].into_iter().flatten().any(|called| called.eq_ignore_ascii_case(name));
        // a loop as a whole is called by no name of one resource
        let is_one = node.turn.is_none() || !is_loop || node.name.eq_ignore_ascii_case(name);
        is_one.then_some(node)
    }

    /// The resources of a symbol in the order of their loop, or `None` where there is no such symbol.
    pub fn of_symbol(&self, symbol: &str) -> Option<impl Iterator<Item = &Node>> {
        let mut found: Vec<&Node> =
            self.symbols.get(&symbol.to_lowercase())?.iter().filter_map(|index| self.all.get(*index)).collect();
        found.sort_by_key(|node| node.turn.as_ref().map(|(_, index)| *index));
        Some(found.into_iter())
    }
}

fn enter(names: &mut Names, name: &str, index: usize) {
    let entry = names.entry(name.to_lowercase()).or_default();
    if entry.last() != Some(&index) {
        entry.push(index);
    }
}

/// An id without its scope.
pub(super) fn relative(id: &str) -> &str {
    id.rsplit_once("/providers/").map_or(id, |(_, relative)| relative)
}
