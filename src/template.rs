//! From a topology to a resource graph, [`graph`], and from the graph to Bicep and to ARM JSON.
//!
//! One graph, two printers: the graph carries order and meaning, `templates/` carries the layout of the Bicep, one file a
//! resource kind. `main.json` is byte for byte what `bicep build main.bicep` writes, `metadata._generator` aside.
//!
//! Invariants:
//!
//! 1. A symbol names one thing of its template, and everything that a value, a parent or a dependency names is there.
//! 2. What Azure needs first is a dependency: pools after backends, policies after what they name, backends after the
//!    deployment that they call, deployments of one account one after another. None is written that another implies.
//! 3. A parameter or variable that nothing uses is not there.
//! 4. Texts of a topology come out as they are, whatever they hold.
//! 5. What stands in another resource group is written by a module with that scope: an account with its deployments, and
//!    everything on a gateway that is there. What is there already is named, never written.
//!
//! Deliberately absent: conditions, loops, user-defined types (they would turn the template into its symbolic form),
//! anything that `bicep` would have to be called for.

mod arm;
mod bicep;
mod cut;
mod graph;
pub mod lint;
mod queries;
mod symbols;
mod value;
mod written;

pub use arm::{arm, arm_text};
pub use cut::cut;
pub use graph::graph;
pub use value::{Body, Value};
pub use written::{Written, written};

use crate::diagnostic::Diagnostic;
use crate::topology::{Address, Place, Topology};
use std::collections::{BTreeMap, BTreeSet};

/// A template: what one deployment writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// What whoever deploys may say otherwise.
    pub parameters: Vec<Parameter>,
    /// Values with a name.
    pub variables: Vec<Variable>,
    /// Resources in the order of their declaration.
    pub resources: Vec<Resource>,
    /// Nested deployments.
    pub modules: Vec<Module>,
    /// What the deployment answers.
    pub outputs: Vec<Output>,
    /// Files beside the Bicep that [`Value::File`] reads, by path.
    pub texts: BTreeMap<String, String>,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its symbol.
    pub name: String,
    /// `string`, `int` or `object`; `securestring` for what Azure is not to show.
    pub kind: &'static str,
    /// For people.
    pub description: String,
    /// Its value, unless whoever deploys says otherwise.
    pub default: Option<Value>,
    /// The only values that it may have; empty for any.
    pub allowed: Vec<Value>,
    /// The fewest characters.
    pub min_length: Option<u32>,
    /// The most characters.
    pub max_length: Option<u32>,
    /// The lowest number.
    pub min_value: Option<u32>,
}

/// A value with a name. None holds anything that is known only at run time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its symbol.
    pub name: String,
    /// What it stands for.
    pub value: Value,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// What it is to the spec; `None` for what a module names only to extend it.
    pub address: Option<Address>,
    /// Its name in the template.
    pub symbol: String,
    /// Whether this template writes it.
    pub presence: Presence,
    /// Why it stands as it does, where that is not plain.
    pub comment: Option<&'static str>,
    /// Its type.
    pub kind: &'static str,
    /// Its api-version.
    pub version: &'static str,
    /// Symbol of the resource that it is a child of.
    pub parent: Option<String>,
    /// Symbol of the resource that it extends.
    pub scope: Option<String>,
    /// Its resource group, of something that is there; nothing of it is a child here, for those stand in a module.
    pub place: Place,
    /// Its own name, without its parents'.
    pub name: Value,
    /// Everything else, in order.
    pub body: Body,
    /// Symbols of what must be there first, beside what it names anyway.
    pub depends_on: Vec<String>,
}

/// Whether a template writes a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It does.
    Written,
    /// It is there already, and only named.
    Existing,
}

/// A nested deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// What its file is about.
    pub about: About,
    /// Its name in the template.
    pub symbol: String,
    /// Its file.
    pub path: String,
    /// The name of the nested deployment.
    pub name: Value,
    /// The resource group that it deploys to.
    pub place: Place,
    /// The values of its parameters, in order.
    pub params: Body,
    /// What it deploys.
    pub template: Template,
    /// Symbols of what must be there first, beside what its parameters name.
    pub depends_on: Vec<String>,
    /// The resource that its outputs tell of, as whoever uses the module would name it: a cut without the module reads
    /// that one.
    pub tells_of: Option<Box<Resource>>,
}

/// What a module is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// An account of another resource group, and its deployments.
    Account,
    /// Everything on a gateway of another resource group.
    Gateway,
    /// A role on an account.
    Role,
}

/// An answer of the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its name.
    pub name: &'static str,
    /// `string` or `object`.
    pub kind: &'static str,
    /// For people.
    pub description: &'static str,
    /// What it says.
    pub value: Value,
}

impl Resource {
    /// Symbols of everything that must be there first: parent, scope, what it names, what was written.
    pub fn dependencies(&self) -> BTreeSet<String> {
        let mut symbols: BTreeSet<String> =
            self.depends_on.iter().chain(&self.parent).chain(&self.scope).cloned().collect();
        let mut note = |symbol: &str| {
            symbols.insert(symbol.to_owned());
        };
        self.name.symbols(&mut note);
        self.body.iter().for_each(|(_, value)| value.symbols(&mut note));
        symbols
    }
}

impl Module {
    /// Symbols of everything that must be there first.
    pub fn dependencies(&self) -> BTreeSet<String> {
        let mut symbols: BTreeSet<String> = self.depends_on.iter().cloned().collect();
        let mut note = |symbol: &str| {
            symbols.insert(symbol.to_owned());
        };
        self.name.symbols(&mut note);
        self.params.iter().for_each(|(_, value)| value.symbols(&mut note));
        symbols
    }
}

/// A rendered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path with `/`, relative to the output folder.
    pub path: String,
    /// What it holds.
    pub text: String,
}

impl Template {
    /// The resource with that symbol.
    pub fn resource(&self, symbol: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.symbol == symbol)
    }

    /// The module with that symbol.
    pub fn module(&self, symbol: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.symbol == symbol)
    }

    /// Symbols of everything that must be there before this resource or module.
    pub fn dependencies(&self, symbol: &str) -> BTreeSet<String> {
        match (self.resource(symbol), self.module(symbol)) {
            (Some(resource), _) => resource.dependencies(),
            (None, Some(module)) => module.dependencies(),
            (None, None) => BTreeSet::new(),
        }
    }

    /// The address of everything that it writes, its modules included.
    pub fn addresses(&self) -> BTreeSet<Address> {
        let written = self.resources.iter().filter(|resource| resource.presence == Presence::Written);
        let own = written.filter_map(|resource| resource.address.clone());
        own.chain(self.modules.iter().flat_map(|module| module.template.addresses())).collect()
    }

    /// Drops what nothing uses.
    fn prune(&mut self) {
        let mut used = BTreeSet::new();
        let mut note = |name: &str| {
            used.insert(name.to_owned());
        };
        for resource in &self.resources {
            resource.name.names(&mut note);
            resource.body.iter().for_each(|(_, value)| value.names(&mut note));
        }
        for module in &self.modules {
            module.name.names(&mut note);
            module.params.iter().for_each(|(_, value)| value.names(&mut note));
        }
        self.outputs.iter().for_each(|output| output.value.names(&mut note));
        // A variable stands behind those that it uses.
        for variable in self.variables.iter().rev() {
            if used.contains(&variable.name) {
                variable.value.names(&mut |name| {
                    used.insert(name.to_owned());
                });
            }
        }
        self.variables.retain(|variable| used.contains(&variable.name));
        self.parameters.retain(|parameter| used.contains(&parameter.name));
        self.texts.retain(|path, _| used.contains(path));
    }
}

/// How a file of a module names one beside `main.bicep`.
const ABOVE: &str = "../";

/// What is wrong with how a topology would be written: api-versions that the spec pins.
pub fn problems(topology: &Topology) -> Vec<Diagnostic> {
    if topology.api_versions.is_empty() {
        return Vec::new();
    }
    graph::pins(&graph(topology), &topology.api_versions)
}

/// Every file that `render` writes, byte-stable: `main.bicep`, its modules, `main.json`, the texts that it reads, the
/// queries of what is recorded, `main.bicepparam`.
pub fn files(topology: &Topology) -> Vec<File> {
    let template = graph(topology);
    let file = |path: &str, text: String| File { path: path.to_owned(), text };
    let mut files = vec![file("main.bicep", bicep::main(&template))];
    let modules: BTreeMap<&str, &Module> = template.modules.iter().map(|m| (m.path.as_str(), m)).collect();
    files.extend(modules.iter().map(|(path, module)| file(path, bicep::module(module))));
    files.push(file("main.json", arm_text(&template)));
    let inner = modules.values().flat_map(|module| &module.template.texts);
    let inner = inner.map(|(path, text)| (path.strip_prefix(ABOVE).unwrap_or(path), text));
    let texts: BTreeMap<&str, &String> =
        template.texts.iter().map(|(path, text)| (path.as_str(), text)).chain(inner).collect();
    files.extend(texts.into_iter().map(|(path, text)| file(path, text.clone())));
    files.extend(queries::file(topology).map(|text| file(queries::QUERIES, text)));
    files.push(file("main.bicepparam", bicep::parameters(&template)));
    files
}
