//! A template cut to what changes.

use super::{Presence, Resource, Template};
use crate::topology::Address;
use std::collections::BTreeSet;

/// Only the resources in `keep`, with what they need first and what is not `live`.
///
/// A resource outside is named, not written: a reference to it reads what is there. So every resource in the cut has the
/// body that it has in the whole. There are no outputs, because they would read more than the cut touches. A cut is for
/// [`arm`](super::arm); its Bicep is never printed.
pub fn cut(template: &Template, keep: &BTreeSet<Address>, live: &BTreeSet<Address>) -> Template {
    let mut cut = template.clone();
    let kept = closure(template, keep, live);
    let mut named = BTreeSet::new();
    cut.modules.retain(|module| keep.contains(&module.address));
    for module in &cut.modules {
        named.extend(module.dependencies());
    }
    for resource in &mut cut.resources {
        if kept.contains(&resource.symbol) {
            resource.depends_on.extend(through(template, resource, &kept));
            named.extend(resource.dependencies());
        } else {
            resource.presence = Presence::Existing;
            resource.body.clear();
            resource.depends_on.clear();
        }
    }
    // A name holds its parents' names.
    for resource in cut.resources.iter().rev() {
        if named.contains(&resource.symbol) {
            named.extend(resource.parent.clone());
        }
    }
    cut.resources.retain(|resource| kept.contains(&resource.symbol) || named.contains(&resource.symbol));
    cut.outputs.clear();
    cut.prune();
    cut
}

/// What must still come before a resource of the cut because something outside, that came between, is not written: of
/// three deployments of an account the third comes after the first although nobody writes the second.
fn through(template: &Template, resource: &Resource, kept: &BTreeSet<String>) -> Vec<String> {
    let direct = resource.dependencies();
    let mut seen: BTreeSet<String> = direct.clone();
    let mut next: Vec<&String> = direct.iter().filter(|symbol| !kept.contains(*symbol)).collect();
    let mut found = BTreeSet::new();
    while let Some(outside) = next.pop().and_then(|symbol| template.resource(symbol)) {
        for symbol in outside.dependencies() {
            if !seen.insert(symbol.clone()) {
                continue;
            }
            match template.resource(&symbol) {
                Some(_) if kept.contains(&symbol) => {
                    found.insert(symbol);
                }
                Some(further) => next.push(&further.symbol),
                None => {}
            }
        }
    }
    found.into_iter().collect()
}

/// Symbols of the resources that the cut writes.
fn closure(template: &Template, keep: &BTreeSet<Address>, live: &BTreeSet<Address>) -> BTreeSet<String> {
    let within = |addresses: &BTreeSet<Address>, address: &Option<Address>| {
        address.as_ref().is_some_and(|address| addresses.contains(address))
    };
    let mut kept = BTreeSet::new();
    let mut next: Vec<String> =
        template.resources.iter().filter(|r| within(keep, &r.address)).map(|r| r.symbol.clone()).collect();
    let kept_modules = template.modules.iter().filter(|module| keep.contains(&module.address));
    let missing = |symbols: BTreeSet<String>| {
        symbols.into_iter().filter(|symbol| template.resource(symbol).is_some_and(|r| !within(live, &r.address)))
    };
    next.extend(kept_modules.flat_map(|module| missing(module.dependencies())));
    while let Some(symbol) = next.pop() {
        if let Some(resource) = template.resource(&symbol)
            && kept.insert(symbol)
        {
            next.extend(missing(resource.dependencies()));
        }
    }
    kept
}
