//! A Bicep file with its modules and the texts that it loads, and who means whom in it: symbols, cycles,
//! dependencies, what is known only at run time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::ast::{Decl, DeclKind, Expr, Node, Resource};
use super::lexer::{Fault, Pos};
use super::parser;

/// Members of a resource that are known at the start of the deployment.
const KNOWN_AT_START: [&str; 4] = ["id", "name", "type", "apiVersion"];

/// A file, parsed.
pub struct Program {
    /// The file as messages name it.
    pub label: String,
    /// Its statements.
    pub decls: Vec<Decl>,
    /// The files of its modules by symbol; empty where the text alone is looked at.
    pub modules: BTreeMap<String, Program>,
    /// What `loadTextContent` gave, by the place of the call.
    pub texts: BTreeMap<Pos, String>,
}

impl Program {
    /// Reads a file, its modules and texts.
    pub fn load(path: &Path) -> Result<Self, String> {
        Self::load_below(path, &mut Vec::new())
    }

    fn load_below(path: &Path, above: &mut Vec<PathBuf>) -> Result<Self, String> {
        let label = path.display().to_string();
        let source = fs::read_to_string(path).map_err(|error| format!("{label}: {error}"))?;
        let mut program = Self::parse(&label, &source)?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        above.push(plain_path(path));
        for decl in &program.decls {
            let DeclKind::Module(module) = &decl.kind else { continue };
            let file = folder.join(&module.path);
            if above.contains(&plain_path(&file)) {
                return Err(program.say(&Fault::new(decl.at, format!("module `{}` calls itself", decl.name))));
            }
            if !file.is_file() {
                return Err(program.say(&Fault::new(decl.at, format!("there is no file {}", module.path))));
            }
            program.modules.insert(decl.name.clone(), Self::load_below(&file, above)?);
        }
        above.pop();
        let mut texts = BTreeMap::new();
        for (at, arguments) in program.text_calls() {
            let named = match arguments {
                [argument] => argument.plain(),
                _ => None,
            };
            let Some(named) = named else {
                return Err(program.say(&Fault::new(at, "loadTextContent takes one path without interpolation")));
            };
            let text = fs::read_to_string(folder.join(named))
                .map_err(|error| program.say(&Fault::new(at, format!("{named}: {error}"))))?;
            texts.insert(at, text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned());
        }
        program.texts = texts;
        Ok(program)
    }

    /// Parses a text and checks who means whom in it.
    pub fn parse(label: &str, source: &str) -> Result<Self, String> {
        let source = source.strip_prefix('\u{feff}').unwrap_or(source);
        let decls = parser::parse(source).map_err(|fault| format!("{label}:{fault}"))?;
        let program = Self { label: label.to_owned(), decls, modules: BTreeMap::new(), texts: BTreeMap::new() };
        program.check().map_err(|fault| program.say(&fault))?;
        Ok(program)
    }

    /// A fault with the file's name.
    pub fn say(&self, fault: &Fault) -> String {
        format!("{}:{fault}", self.label)
    }

    /// Whoever an expression can name.
    pub fn symbol(&self, name: &str) -> Option<&Decl> {
        self.decls.iter().find(|decl| {
            decl.name == name
                && matches!(
                    decl.kind,
                    DeclKind::Param(..) | DeclKind::Var(_) | DeclKind::Resource(_) | DeclKind::Module(_)
                )
        })
    }

    /// The resource of that name.
    pub fn resource(&self, name: &str) -> Option<(&Decl, &Resource)> {
        let decl = self.symbol(name)?;
        match &decl.kind {
            DeclKind::Resource(resource) => Some((decl, resource)),
            _ => None,
        }
    }

    /// The calls of `loadTextContent` in the order of the text, but for those that are a variable's whole value.
    pub fn indirect_texts(&self) -> Vec<Pos> {
        let whole: Vec<Pos> = self
            .decls
            .iter()
            .filter_map(|decl| match &decl.kind {
                DeclKind::Var(Expr { at, node: Node::Call(..) }) => Some(*at),
                _ => None,
            })
            .collect();
        self.text_calls().into_iter().map(|(at, _)| at).filter(|at| !whole.contains(at)).collect()
    }

    fn text_calls(&self) -> Vec<(Pos, &[Expr])> {
        let mut found = Vec::new();
        for value in self.decls.iter().flat_map(Decl::expressions) {
            value.walk(&mut |inner| {
                if let Node::Call(name, arguments) = &inner.node
                    && name == "loadTextContent"
                {
                    found.push((inner.at, arguments.as_slice()));
                }
                true
            });
        }
        found
    }

    fn check(&self) -> Result<(), Fault> {
        let mut names: BTreeSet<(bool, &str)> = BTreeSet::new();
        for decl in &self.decls {
            let output = matches!(decl.kind, DeclKind::Output(..));
            if !decl.name.is_empty()
                && !matches!(decl.kind, DeclKind::Metadata(_))
                && !names.insert((output, &decl.name))
            {
                return Err(Fault::new(decl.at, format!("`{}` is declared twice", decl.name)));
            }
        }
        for decl in &self.decls {
            for value in decl.expressions() {
                self.check_names(decl, value)?;
            }
        }
        let mut done = BTreeSet::new();
        for decl in &self.decls {
            self.check_cycles(decl, &mut Vec::new(), &mut done)?;
        }
        for decl in &self.decls {
            self.check_start(decl)?;
        }
        Ok(())
    }

    fn check_names(&self, decl: &Decl, value: &Expr) -> Result<(), Fault> {
        let mut fault = None;
        value.walk(&mut |inner| {
            let message = match &inner.node {
                Node::Name(name) => match (self.symbol(name).map(|found| &found.kind), &decl.kind) {
                    (None, _) => Some(format!("there is no `{name}` (BCP057)")),
                    (Some(DeclKind::Param(..)), _) => None,
                    (Some(_), DeclKind::Param(..)) => {
                        Some(format!("`{name}` cannot stand in a parameter's default (BCP072)"))
                    }
                    _ => None,
                },
                Node::Call(name, _) if matches!(name.as_str(), "utcNow" | "newGuid") => {
                    (!matches!(decl.kind, DeclKind::Param(..)))
                        .then(|| format!("{name}() can stand only in a parameter's default (BCP065)"))
                }
                _ => None,
            };
            fault = fault.take().or_else(|| message.map(|message| Fault::new(inner.at, message)));
            fault.is_none()
        });
        fault.map_or(Ok(()), Err)
    }

    fn check_cycles<'a>(
        &'a self,
        decl: &'a Decl,
        above: &mut Vec<&'a str>,
        done: &mut BTreeSet<(usize, usize)>,
    ) -> Result<(), Fault> {
        let key = (decl.at.line, decl.at.column);
        if done.contains(&key) {
            return Ok(());
        }
        // An output has a namespace of its own: it can bear the name of what it shows.
        let symbol = self.symbol(&decl.name).is_some_and(|found| found.at == decl.at);
        if symbol && above.contains(&decl.name.as_str()) {
            let round = above.join(" -> ");
            return Err(Fault::new(decl.at, format!("a cycle: {round} -> {} (BCP080)", decl.name)));
        }
        above.push(if symbol { &decl.name } else { "" });
        for name in decl.expressions().into_iter().flat_map(names_in) {
            if let Some(next) = self.symbol(name) {
                self.check_cycles(next, above, done)?;
            }
        }
        above.pop();
        done.insert(key);
        Ok(())
    }

    /// What must be known at the start of the deployment is (BCP120).
    fn check_start(&self, decl: &Decl) -> Result<(), Fault> {
        let (condition, what) = match &decl.kind {
            DeclKind::Resource(resource) => (&resource.condition, &resource.kind),
            DeclKind::Module(module) => (&module.condition, &module.path),
            _ => return Ok(()),
        };
        if let Some(condition) = condition {
            self.known_at_start(condition, &format!("the condition of {what}"))?;
        }
        for property in ["name", "scope", "parent"] {
            let Some(value) = decl.property(property) else { continue };
            // A resource as parent or scope is named, not read.
            if property != "name" && matches!(&value.node, Node::Name(name) if self.resource(name).is_some()) {
                continue;
            }
            self.known_at_start(value, &format!("`{property}` of {what}"))?;
        }
        Ok(())
    }

    fn known_at_start(&self, value: &Expr, what: &str) -> Result<(), Fault> {
        let mut fault = None;
        value.walk(&mut |inner| {
            if fault.is_some() {
                return false;
            }
            let message = match &inner.node {
                Node::Member(base, member) => match &base.node {
                    Node::Name(name) => match self.symbol(name).map(|found| &found.kind) {
                        Some(DeclKind::Resource(_)) if KNOWN_AT_START.contains(&member.as_str()) => return false,
                        Some(DeclKind::Module(_)) if member == "name" => return false,
                        Some(DeclKind::Resource(_) | DeclKind::Module(_)) => format!("`{name}.{member}`"),
                        _ => return true,
                    },
                    _ => return true,
                },
                Node::Name(name) => match self.symbol(name).map(|found| &found.kind) {
                    Some(DeclKind::Resource(_) | DeclKind::Module(_)) => format!("`{name}`"),
                    Some(DeclKind::Var(value)) => {
                        if let Err(below) = self.known_at_start(value, what) {
                            fault = Some(Fault::new(inner.at, format!("through `{name}`: {}", below.message)));
                        }
                        return false;
                    }
                    _ => return true,
                },
                Node::Call(name, _) if runs(name) => format!("{name}()"),
                Node::Method(_, name, _) => format!("{name}()"),
                _ => return true,
            };
            fault = Some(Fault::new(
                inner.at,
                format!("{message} is known only at run time, but {what} must be known at the start of the deployment (BCP120)"),
            ));
            false
        });
        fault.map_or(Ok(()), Err)
    }

    /// Whether a variable needs a value of run time and so is written out where it is used.
    pub fn inlined(&self, value: &Expr) -> bool {
        let mut found = false;
        value.walk(&mut |inner| {
            match &inner.node {
                Node::Member(base, member) => {
                    let known = match &base.node {
                        Node::Name(name) => match self.symbol(name).map(|found| &found.kind) {
                            Some(DeclKind::Resource(_)) => KNOWN_AT_START.contains(&member.as_str()),
                            Some(DeclKind::Module(_)) => member == "name",
                            _ => false,
                        },
                        _ => false,
                    };
                    if known {
                        return false;
                    }
                }
                Node::Name(name) => match self.symbol(name).map(|found| &found.kind) {
                    Some(DeclKind::Resource(_) | DeclKind::Module(_)) => found = true,
                    Some(DeclKind::Var(value)) => found = found || self.inlined(value),
                    _ => {}
                },
                Node::Call(name, _) => found = found || runs(name),
                Node::Method(..) => found = true,
                _ => {}
            }
            !found
        });
        found
    }

    /// The resources and modules that a resource or module waits for, sorted as the compiler writes them: what it
    /// names, through variables too, and in place of an existing resource what that one names.
    pub fn dependencies<'a>(&'a self, decl: &'a Decl, explicit: Explicit) -> Vec<&'a Decl> {
        let mut found: BTreeMap<(String, &str), &Decl> = BTreeMap::new();
        let mut next: Vec<&str> = Vec::new();
        let mut seen = BTreeSet::new();
        let skipped =
            |at: Pos| explicit == Explicit::LeftOut && decl.property("dependsOn").is_some_and(|value| value.at == at);
        for value in decl.expressions() {
            if !skipped(value.at) {
                next.extend(names_in(value));
            }
        }
        while let Some(name) = next.pop() {
            if !seen.insert(name) {
                continue;
            }
            let Some(other) = self.symbol(name) else { continue };
            match &other.kind {
                DeclKind::Resource(Resource { existing: true, .. }) | DeclKind::Var(_) => {
                    next.extend(other.expressions().into_iter().flat_map(names_in));
                }
                DeclKind::Resource(_) | DeclKind::Module(_) => {
                    found.insert((name.to_lowercase(), name), other);
                }
                _ => {}
            }
        }
        found.into_values().collect()
    }
}

/// Whether `dependsOn` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explicit {
    /// It does.
    Counted,
    /// It does not.
    LeftOut,
}

/// Functions that ask Azure at run time.
pub fn runs(function: &str) -> bool {
    function == "reference" || (function.starts_with("list") && function.len() > 4)
}

/// Every symbol that an expression names.
pub fn names_in(value: &Expr) -> Vec<&str> {
    let mut found = Vec::new();
    value.walk(&mut |inner| {
        if let Node::Name(name) = &inner.node {
            found.push(name.as_str());
        }
        true
    });
    found
}

/// A path without `.` and `..`, to compare.
fn plain_path(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}
