//! Dependencies, without those that others imply: the linter warns of an entry that something else waits for already.

use super::super::Template;
use std::collections::{BTreeMap, BTreeSet};

/// Drops every written dependency that another dependency implies, in the template and in its modules.
pub(super) fn reduce(template: &mut Template) {
    // what is implied stays implied when something implied is dropped, so the graph is made once
    let graph = Graph::of(template);
    for resource in template.resources.iter_mut().filter(|resource| !resource.depends_on.is_empty()) {
        let written = std::mem::take(&mut resource.depends_on);
        resource.depends_on = graph.needed(written, &resource.dependencies());
    }
    for module in template.modules.iter_mut().filter(|module| !module.depends_on.is_empty()) {
        let written = std::mem::take(&mut module.depends_on);
        module.depends_on = graph.needed(written, &module.dependencies());
    }
    template.modules.iter_mut().for_each(|module| reduce(&mut module.template));
}

/// What waits for what, by numbers: there are hundreds of resources, and each is asked about.
struct Graph {
    numbers: BTreeMap<String, usize>,
    edges: Vec<Vec<usize>>,
}

impl Graph {
    fn of(template: &Template) -> Graph {
        let resources = template.resources.iter().map(|resource| (&resource.symbol, resource.dependencies()));
        let modules = template.modules.iter().map(|module| (&module.symbol, module.dependencies()));
        let mut graph = Graph { numbers: BTreeMap::new(), edges: Vec::new() };
        for (symbol, below) in resources.chain(modules) {
            let below = below.iter().map(|symbol| graph.number(symbol)).collect();
            let number = graph.number(symbol);
            graph.edges[number] = below;
        }
        graph
    }

    fn number(&mut self, symbol: &str) -> usize {
        if let Some(number) = self.numbers.get(symbol) {
            return *number;
        }
        self.numbers.insert(symbol.to_owned(), self.edges.len());
        self.edges.push(Vec::new());
        self.edges.len() - 1
    }

    /// Of the written dependencies of something those that neither another one nor what it names implies, sorted.
    fn needed(&self, mut written: Vec<String>, named: &BTreeSet<String>) -> Vec<String> {
        for entry in written.clone() {
            written.retain(|other| *other != entry);
            if !self.reaches(written.iter().chain(named), &entry) {
                written.push(entry);
            }
        }
        written.sort();
        written
    }

    /// Whether something is among others, or one of them waits for it, if only through others.
    fn reaches<'a>(&self, from: impl Iterator<Item = &'a String>, to: &str) -> bool {
        let Some(to) = self.numbers.get(to) else { return false };
        let mut next: Vec<usize> = from.filter_map(|symbol| self.numbers.get(symbol).copied()).collect();
        let mut seen = vec![false; self.edges.len()];
        while let Some(number) = next.pop() {
            if number == *to {
                return true;
            }
            if !std::mem::replace(&mut seen[number], true) {
                next.extend(&self.edges[number]);
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Presence, Resource, Value, value::body};
    use super::super::{Body, resource};
    use super::*;
    use crate::topology::Address;

    fn of(symbol: &str, depends_on: &[&str], body: Body) -> Resource {
        Resource {
            presence: Presence::Written,
            depends_on: depends_on.iter().map(|symbol| (*symbol).to_owned()).collect(),
            body,
            ..resource(Address::Gateway, symbol, super::super::SERVICE, super::super::API_MANAGEMENT)
        }
    }

    #[test]
    fn what_another_dependency_implies_is_dropped() {
        let named = body([("properties", Value::prop("b", &["id"]))]);
        let mut template = Template {
            resources: vec![
                of("a", &[], Body::new()),
                of("b", &["a"], Body::new()),
                of("c", &["b", "a"], Body::new()),
                of("d", &["c", "b", "a"], Body::new()),
                // waits for b by its name, and so for a
                of("e", &["a", "b"], named),
                of("f", &["e", "d", "b"], Body::new()),
            ],
            ..Template::default()
        };
        reduce(&mut template);
        let left: Vec<String> =
            template.resources.iter().map(|r| format!("{} {}", r.symbol, r.depends_on.join(","))).collect();
        assert_eq!(left, ["a ", "b a", "c b", "d c", "e ", "f d,e"]);
    }
}
