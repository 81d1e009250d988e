//! A template cut to what changes.

use super::{Module, Presence, Resource, Template, Value};
use crate::topology::Address;
use std::collections::{BTreeMap, BTreeSet};

/// Only the resources in `keep`, with what they need first and what is not `live`.
///
/// A resource outside is named, not written: a reference to it reads what is there, and one to a module's output reads
/// the resource that the output tells of. So every resource in the cut has the body that it has in the whole. A module
/// is cut like the template around it. There are no outputs but those of modules, because they would read more than the
/// cut touches. A cut is for [`arm`](super::arm); its Bicep is never printed.
pub fn cut(template: &Template, keep: &BTreeSet<Address>, live: &BTreeSet<Address>) -> Template {
    let kept = closure(template, keep, live);
    let mut cut = template.clone();
    cut.outputs.clear();
    cut.modules.retain_mut(|module| match kept.modules.get(&module.symbol) {
        Some((_, cut)) => {
            *module = cut.clone();
            module.depends_on.extend(through(template, &module.symbol, &module.dependencies(), &kept));
            true
        }
        None => false,
    });
    for resource in &mut cut.resources {
        if kept.resources.contains(&resource.symbol) {
            let further = through(template, &resource.symbol, &resource.dependencies(), &kept);
            resource.depends_on.extend(further);
        } else {
            resource.presence = Presence::Existing;
            resource.body.clear();
            resource.depends_on.clear();
        }
    }
    let outside = template.modules.iter().filter(|module| !kept.modules.contains_key(&module.symbol));
    let outside: Vec<&Resource> = outside.filter_map(|module| module.tells_of.as_deref()).collect();
    read_directly(&mut cut, &outside);
    cut.resources.extend(outside.into_iter().cloned());
    drop_unnamed(&mut cut, &kept);
    cut.prune();
    cut
}

/// What the cut writes.
struct Kept {
    /// Symbols of resources.
    resources: BTreeSet<String>,
    /// Modules by symbol: what is kept of each, and it cut to that.
    modules: BTreeMap<String, (BTreeSet<Address>, Module)>,
}

impl Kept {
    fn has(&self, symbol: &str) -> bool {
        self.resources.contains(symbol) || self.modules.contains_key(symbol)
    }
}

fn closure(template: &Template, keep: &BTreeSet<Address>, live: &BTreeSet<Address>) -> Kept {
    let is_written = |resource: &Resource, within: &dyn Fn(&Address) -> bool| {
        resource.presence == Presence::Written && resource.address.as_ref().is_some_and(within)
    };
    let mut kept = Kept { resources: BTreeSet::new(), modules: BTreeMap::new() };
    let asked = template.resources.iter().filter(|resource| is_written(resource, &|address| keep.contains(address)));
    let mut next: Vec<String> = Vec::new();
    for resource in asked {
        kept.resources.insert(resource.symbol.clone());
        next.extend(resource.dependencies());
    }
    for module in &template.modules {
        let some: BTreeSet<Address> = module.template.addresses().intersection(keep).cloned().collect();
        next.extend(keep_of_module(&mut kept, module, some, live));
    }
    // what these need, unless it lives
    while let Some(symbol) = next.pop() {
        if let Some(module) = template.module(&symbol) {
            let some = module.template.addresses().difference(live).cloned().collect();
            next.extend(keep_of_module(&mut kept, module, some, live));
        } else if let Some(resource) = template.resource(&symbol)
            && is_written(resource, &|address| !live.contains(address))
            && kept.resources.insert(symbol)
        {
            next.extend(resource.dependencies());
        }
    }
    kept
}

/// Keeps more of a module; gives what that needs, if it is more.
fn keep_of_module(
    kept: &mut Kept,
    module: &Module,
    mut some: BTreeSet<Address>,
    live: &BTreeSet<Address>,
) -> BTreeSet<String> {
    let before = kept.modules.get(&module.symbol).map(|(addresses, _)| addresses.clone()).unwrap_or_default();
    if some.is_subset(&before) {
        return BTreeSet::new();
    }
    some.extend(before);
    let outputs = module.template.outputs.clone();
    let mut inner = cut(&module.template, &some, live);
    inner.outputs = outputs;
    let taken = |name: &String| inner.parameters.iter().any(|parameter| parameter.name == *name);
    let params = module.params.iter().filter(|(name, _)| taken(name)).cloned().collect();
    let module = Module { params, template: inner, ..module.clone() };
    let needs = module.dependencies();
    kept.modules.insert(module.symbol.clone(), (some, module));
    needs
}

/// What must still come before something of the cut because something outside, that came between, is not written: of
/// three deployments of an account the third comes after the first although nobody writes the second.
fn through(template: &Template, symbol: &str, direct: &BTreeSet<String>, kept: &Kept) -> Vec<String> {
    let mut seen: BTreeSet<String> = direct.iter().cloned().chain([symbol.to_owned()]).collect();
    let mut next: Vec<String> = direct.iter().filter(|symbol| !kept.has(symbol)).cloned().collect();
    let mut found = BTreeSet::new();
    while let Some(outside) = next.pop() {
        for symbol in template.dependencies(&outside) {
            if !seen.insert(symbol.clone()) {
                continue;
            }
            if kept.has(&symbol) {
                found.insert(symbol);
            } else {
                next.push(symbol);
            }
        }
    }
    found.into_iter().collect()
}

/// Reads from a resource what the output of a module that is not written would say of it.
fn read_directly(cut: &mut Template, outside: &[&Resource]) {
    let mut change = |value: &Value| match value {
        Value::Output(symbol, name) if outside.iter().any(|resource| resource.symbol == *symbol) => Some(match *name {
            "id" | "name" => Value::prop(symbol, &[name]),
            name => Value::prop(symbol, &["properties", name]),
        }),
        _ => None,
    };
    let bodies = cut.resources.iter_mut().map(|resource| &mut resource.body);
    for (_, value) in bodies.chain(cut.modules.iter_mut().map(|module| &mut module.params)).flatten() {
        *value = value.map(&mut change);
    }
}

/// Drops what is neither written nor named.
fn drop_unnamed(cut: &mut Template, kept: &Kept) {
    let mut named: BTreeSet<String> = cut.modules.iter().flat_map(Module::dependencies).collect();
    let written = cut.resources.iter().filter(|resource| kept.resources.contains(&resource.symbol));
    named.extend(written.flat_map(Resource::dependencies));
    // A name holds its parents' names.
    for resource in cut.resources.iter().rev() {
        if named.contains(&resource.symbol) {
            named.extend(resource.parent.clone());
        }
    }
    cut.resources.retain(|resource| kept.resources.contains(&resource.symbol) || named.contains(&resource.symbol));
}
