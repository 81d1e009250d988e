//! Dependencies, without those that others imply: the linter warns of an entry that something else waits for already.

use super::super::Template;
use std::collections::BTreeSet;

/// Drops every written dependency that another dependency implies, in the template and in its modules.
pub(super) fn reduce(template: &mut Template) {
    let symbols: Vec<String> = template
        .resources
        .iter()
        .filter(|resource| !resource.depends_on.is_empty())
        .map(|resource| resource.symbol.clone())
        .chain(template.modules.iter().filter(|module| !module.depends_on.is_empty()).map(|m| m.symbol.clone()))
        .collect();
    for symbol in symbols {
        for entry in written(template, &symbol).clone() {
            written(template, &symbol).retain(|other| *other != entry);
            if !reaches(template, &symbol, &entry) {
                written(template, &symbol).push(entry);
            }
        }
        written(template, &symbol).sort();
    }
    template.modules.iter_mut().for_each(|module| reduce(&mut module.template));
}

/// The dependencies of a resource or module that stand there beside what it names.
fn written<'a>(template: &'a mut Template, symbol: &str) -> &'a mut Vec<String> {
    let module = template.modules.iter_mut().find(|module| module.symbol == symbol);
    let resource = template.resources.iter_mut().find(|resource| resource.symbol == symbol);
    let found = module.map(|module| &mut module.depends_on).or(resource.map(|resource| &mut resource.depends_on));
    found.expect("the symbol is of this template")
}

/// Whether something waits for another thing, if only through others.
fn reaches(template: &Template, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut next = vec![from.to_owned()];
    while let Some(symbol) = next.pop() {
        for below in template.dependencies(&symbol) {
            if below == to {
                return true;
            }
            if seen.insert(below.clone()) {
                next.push(below);
            }
        }
    }
    false
}
