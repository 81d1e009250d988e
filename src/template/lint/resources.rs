//! The resources of a template and of those nested in it, with their names followed and what each waits for.

use super::follow::{Frame, Frames, Part, Parts, known, resource_id};
use super::json::Node;
use crate::expr::Expr;
use std::collections::BTreeSet;

/// Templates inside each other that are read.
const DEPTH: usize = 8;

/// Resources that are read; Azure takes 800 in one template.
const MOST: usize = 5_000;

/// A resource.
pub(super) struct Resource<'a> {
    pub(super) node: &'a Node,
    /// The frame that its expressions are written in.
    pub(super) frame: usize,
    /// Its type in lower case.
    pub(super) kind: String,
    /// Its whole name: `service/api`.
    pub(super) name: Parts,
    symbol: Option<String>,
    /// The deployment that it stands in, by its place in the list.
    pub(super) deployment: Option<usize>,
    waits: Vec<Wait>,
}

/// One entry of `dependsOn`, or what a run-time reference waits for.
enum Wait {
    Named(String, Parts),
    /// A symbol, or the name of a loop.
    Symbol(String),
}

/// All of them.
pub(super) struct Resources<'a> {
    pub(super) frames: Frames<'a>,
    pub(super) list: Vec<Resource<'a>>,
    /// What each waits for, by place.
    edges: Vec<Vec<usize>>,
}

impl<'a> Resources<'a> {
    pub(super) fn of(template: &'a Node) -> Resources<'a> {
        let frames = Frames(vec![Frame { template, passed: None }]);
        let mut found = Resources { frames, list: Vec::new(), edges: Vec::new() };
        found.template(template, 0, None, 0);
        let edges = |at: usize| found.list[at].waits.iter().flat_map(|wait| found.meant(wait, at)).collect();
        found.edges = (0..found.list.len()).map(edges).collect();
        found
    }

    fn template(&mut self, template: &'a Node, frame: usize, deployment: Option<usize>, depth: usize) {
        let Some(resources) = template.get("resources") else { return };
        for (symbol, _, node) in resources.entries() {
            self.resource(node, frame, deployment, Some(symbol), None, depth);
        }
        for node in resources.items() {
            self.resource(node, frame, deployment, None, None, depth);
        }
    }

    fn resource(
        &mut self,
        node: &'a Node,
        frame: usize,
        deployment: Option<usize>,
        symbol: Option<&str>,
        parent: Option<usize>,
        depth: usize,
    ) {
        let (Some(kind), Some(name)) = (node.get("type").and_then(Node::text), node.get("name").and_then(Node::text))
        else {
            return;
        };
        if node.get("existing").is_some() || depth > DEPTH || self.list.len() >= MOST {
            return;
        }
        let (mut kind, mut name) = (kind.to_ascii_lowercase(), self.frames.parts(name, frame));
        if let Some(parent) = parent.map(|at| &self.list[at]) {
            kind = format!("{}/{kind}", parent.kind);
            name = join(&parent.name, name);
        }
        let at = self.list.len();
        let waits = self.waits(node, frame);
        let symbol = symbol.map(str::to_owned).or_else(|| loop_name(node));
        self.list.push(Resource { node, frame, kind, name, symbol, deployment, waits });
        for child in node.get("resources").map(Node::items).unwrap_or_default() {
            self.resource(child, frame, deployment, None, Some(at), depth + 1);
        }
        let nested = node.path(&["properties", "template"]).filter(|_| self.list[at].kind == DEPLOYMENTS);
        if let Some(template) = nested {
            let scope = node.path(&["properties", "expressionEvaluationOptions", "scope"]).and_then(Node::text);
            let inner = if scope.is_some_and(|scope| scope.eq_ignore_ascii_case("inner")) {
                let nothing = node.path(&["properties", "parameters"]).unwrap_or(template);
                self.frames.0.push(Frame { template, passed: Some((nothing, frame)) });
                self.frames.0.len() - 1
            } else {
                frame
            };
            self.template(template, inner, Some(at), depth + 1);
        }
    }

    fn waits(&self, node: &'a Node, frame: usize) -> Vec<Wait> {
        let mut waits = Vec::new();
        for entry in node.get("dependsOn").map(Node::items).unwrap_or_default() {
            let Some(text) = entry.text() else { continue };
            let tree = self.frames.expression(text, frame);
            waits.extend(wait(&tree));
        }
        // what is read at run time is waited for
        let own = node.entries().iter().filter(|(key, ..)| !["dependsOn", "name", "type"].contains(&key.as_str()));
        for (key, _, part) in own {
            let parts: Vec<&Node> = match key.as_str() {
                // a nested template's own references are its own
                "properties" => {
                    part.entries().iter().filter(|(key, ..)| key != "template").map(|(_, _, node)| node).collect()
                }
                _ => vec![part],
            };
            for text in parts.iter().flat_map(|part| part.texts()).filter(|text| text.contains("reference(")) {
                references(&self.frames.expression(text, frame), &mut waits);
            }
        }
        waits
    }

    /// Whether `to` is written before `from`, as far as can be seen.
    pub(super) fn waits_for(&self, from: usize, to: usize) -> bool {
        let around = |at: usize| std::iter::successors(Some(at), |at| self.list[*at].deployment);
        let targets: BTreeSet<usize> = around(to).filter(|at| !around(from).any(|outer| outer == *at)).collect();
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            // what stands in a deployment waits for whatever that waits for
            for holder in around(at) {
                if !seen.insert(holder) {
                    continue;
                }
                if self.edges[holder].iter().any(|found| targets.contains(found)) {
                    return true;
                }
                open.extend(&self.edges[holder]);
            }
        }
        false
    }

    /// What an entry of `dependsOn` names.
    fn meant(&self, wait: &Wait, from: usize) -> Vec<usize> {
        let here = |resource: &Resource<'_>| resource.deployment == self.list[from].deployment;
        let fits = |resource: &Resource<'_>| match wait {
            Wait::Named(kind, name) => resource.kind == *kind && resource.name == *name,
            Wait::Symbol(symbol) => {
                let own = resource.symbol.as_ref().is_some_and(|own| own == symbol);
                here(resource) && (own || known(&resource.name) == Some(symbol.as_str()))
            }
        };
        (0..self.list.len()).filter(|at| fits(&self.list[*at])).collect()
    }

    /// The resources of a type, in lower case.
    pub(super) fn kind<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = usize> + 'b {
        (0..self.list.len()).filter(move |at| self.list[*at].kind == kind)
    }
}

impl Resource<'_> {
    /// Its symbol, or the name of its loop.
    pub(super) fn symbol(&self) -> Option<&str> {
        self.symbol.as_deref()
    }
}

/// `microsoft.resources/deployments`
pub(super) const DEPLOYMENTS: &str = "microsoft.resources/deployments";

fn loop_name(node: &Node) -> Option<String> {
    node.path(&["copy", "name"]).and_then(Node::text).map(str::to_owned)
}

fn join(parent: &[Part], own: Parts) -> Parts {
    let mut name = parent.to_vec();
    let slash = std::iter::once(Part::Known("/".into()));
    for part in slash.chain(own) {
        match (name.last_mut(), part) {
            (Some(Part::Known(before)), Part::Known(text)) => before.push_str(&text),
            (_, part) => name.push(part),
        }
    }
    name
}

fn wait(tree: &Expr) -> Option<Wait> {
    if let Some((kind, name)) = resource_id(tree) {
        return Some(Wait::Named(kind, name));
    }
    // `symbol`, `loop`, and `symbol[0]`
    let name = match tree {
        Expr::Str(name) => name.clone(),
        Expr::Call(concat, args) if concat == "concat" => match args.first() {
            Some(Expr::Str(name)) if name.ends_with('[') => name.clone(),
            _ => return None,
        },
        _ => return None,
    };
    let name = name.split('[').next().unwrap_or_default();
    let id = name.rsplit_once("/providers/").map(|(_, id)| id);
    match id.map(|id| id.split('/').collect::<Vec<_>>()).as_deref() {
        Some([provider, rest @ ..]) if rest.len() > 1 => {
            let kinds: Vec<&str> = rest.iter().step_by(2).copied().collect();
            let names: Vec<&str> = rest.iter().skip(1).step_by(2).copied().collect();
            let kind = format!("{provider}/{}", kinds.join("/")).to_ascii_lowercase();
            Some(Wait::Named(kind, vec![Part::Known(names.join("/"))]))
        }
        _ => Some(Wait::Symbol(name.rsplit('/').next().unwrap_or(name).to_owned())),
    }
}

/// What the `reference(...)` calls of an expression wait for.
fn references(tree: &Expr, waits: &mut Vec<Wait>) {
    match tree {
        Expr::Call(name, args) => {
            if name.eq_ignore_ascii_case("reference") {
                waits.extend(args.first().and_then(wait));
            }
            args.iter().for_each(|arg| references(arg, waits));
        }
        Expr::Prop(base, _) => references(base, waits),
        Expr::Index(base, index) => {
            references(base, waits);
            references(index, waits);
        }
        Expr::Str(_) | Expr::Int(_) => {}
    }
}
