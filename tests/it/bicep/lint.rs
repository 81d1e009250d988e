//! The cheap rules of the compiler's linter, by their names there. Two are stricter here: an entry of `dependsOn` that
//! any other dependency already waits for is unnecessary, and `resourceId()` is not written where a symbol serves.

use std::collections::BTreeSet;

use super::ast::{Decl, DeclKind, Expr, Node, Piece, Resource};
use super::expr::{Form, Writer};
use super::lexer::Pos;
use super::program::{Explicit, Program, names_in, runs};

/// Hosts that differ by cloud.
const HOSTS: [&str; 12] = [
    "azuredatalakeanalytics.net",
    "azuredatalakestore.net",
    "batch.core.windows.net",
    "core.windows.net",
    "database.windows.net",
    "datalake.azure.net",
    "gallery.azure.com",
    "graph.windows.net",
    "login.microsoftonline.com",
    "management.azure.com",
    "management.core.windows.net",
    "vault.azure.net",
];

/// Words that make a parameter's name look like a secret, and words with which it does not.
const SECRETS: [&str; 5] = ["password", "pwd", "secret", "accountkey", "acctkey"];
const HARMLESS: [&str; 5] = ["secretpermissions", "secretversion", "secreturi", "secreturl", "secretname"];

/// The complaints about a text, in its order.
pub fn lint(source: &str) -> Vec<String> {
    let program = match Program::parse("main.bicep", source) {
        Ok(program) => program,
        Err(error) => return vec![error],
    };
    let mut found = Vec::new();
    unused(&program, &mut found);
    for decl in &program.decls {
        parameter(decl, &mut found);
        waits(&program, decl, &mut found);
        resource(&program, decl, &mut found);
        output(&program, decl, &mut found);
        for value in decl.expressions() {
            expression(&program, value, &mut found);
        }
    }
    found.sort();
    let lines: Vec<&str> = source.lines().collect();
    found.retain(|(at, message)| !is_disabled(at.line.checked_sub(2).and_then(|above| lines.get(above)), message));
    found.into_iter().map(|(at, message)| format!("main.bicep:{}:{}: {message}", at.line, at.column)).collect()
}

/// Whether the line above says `#disable-next-line` of a complaint's rule.
fn is_disabled(above: Option<&&str>, message: &str) -> bool {
    let mut words = above.map_or("", |line| line.trim_start()).split_whitespace();
    let rule = message.split(':').next().unwrap_or_default();
    words.next() == Some("#disable-next-line") && words.any(|word| word == rule)
}

type Found = Vec<(Pos, String)>;

fn unused(program: &Program, found: &mut Found) {
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for decl in &program.decls {
        named.extend(decl.expressions().into_iter().flat_map(names_in));
    }
    for decl in &program.decls {
        let name = &decl.name;
        let complaint = match &decl.kind {
            _ if named.contains(name.as_str()) => continue,
            DeclKind::Param(..) => format!("no-unused-params: parameter `{name}` is never used"),
            DeclKind::Var(_) => format!("no-unused-vars: variable `{name}` is never used"),
            DeclKind::Resource(Resource { existing: true, .. }) => {
                format!("no-unused-existing-resources: existing resource `{name}` is never used")
            }
            _ => continue,
        };
        found.push((decl.at, complaint));
    }
}

fn parameter(decl: &Decl, found: &mut Found) {
    let DeclKind::Param(kind, default) = &decl.kind else { return };
    let name = decl.name.to_lowercase();
    let secure = decl.decorator("secure").is_some();
    let secret = SECRETS.iter().any(|word| name.contains(word)) && !HARMLESS.iter().any(|word| name.contains(word));
    if secret && !secure && ["string", "object"].contains(&kind.base.as_str()) {
        let message =
            format!("secure-secrets-in-params: parameter `{}` looks like a secret without @secure()", decl.name);
        found.push((decl.at, message));
    }
    let harmless = |default: &Expr| match &default.node {
        Node::Object(members) => members.is_empty(),
        Node::Call(name, _) => name == "newGuid",
        _ => default.plain() == Some(""),
    };
    if secure && default.as_ref().is_some_and(|default| !harmless(default)) {
        let message = format!("secure-parameter-default: secure parameter `{}` has a default", decl.name);
        found.push((decl.at, message));
    }
}

fn waits(program: &Program, decl: &Decl, found: &mut Found) {
    let Some(Expr { node: Node::Array(items), .. }) = decl.property("dependsOn") else { return };
    let inferred = program.dependencies(decl, Explicit::LeftOut);
    for (index, item) in items.iter().enumerate() {
        let Node::Name(entry) = &item.node else { continue };
        let others = items.iter().enumerate().filter(|(other, _)| *other != index);
        let written = others.filter_map(|(_, other)| match &other.node {
            Node::Name(name) => program.symbol(name),
            _ => None,
        });
        let mut waiting: Vec<&Decl> = written.collect();
        waiting.extend(&inferred);
        let mut reached: BTreeSet<&str> = inferred.iter().map(|other| other.name.as_str()).collect();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while let Some(next) = waiting.pop() {
            if seen.insert(&next.name) {
                for below in program.dependencies(next, Explicit::Counted) {
                    reached.insert(&below.name);
                    waiting.push(below);
                }
            }
        }
        let existing = program.resource(entry).is_some_and(|(_, resource)| resource.existing);
        if existing || reached.contains(entry.as_str()) {
            found.push((item.at, format!("no-unnecessary-dependson: entry `{entry}` is unnecessary")));
        }
    }
}

fn resource(program: &Program, decl: &Decl, found: &mut Found) {
    let DeclKind::Resource(resource) = &decl.kind else { return };
    if resource.kind.split('/').count() > 2 && decl.property("parent").is_none() {
        found.push((decl.at, format!("use-parent-property: `{}` is a child without `parent`", decl.name)));
    }
    let Some(mut location) = decl.property("location") else { return };
    let at = location.at;
    while let Node::Name(name) = &location.node
        && let Some(DeclKind::Var(value)) = program.symbol(name).map(|found| &found.kind)
    {
        location = value;
    }
    if location.plain().is_some_and(|text| !text.eq_ignore_ascii_case("global")) {
        found.push((at, format!("no-hardcoded-location: `{}` has a literal location", decl.name)));
    }
}

fn output(program: &Program, decl: &Decl, found: &mut Found) {
    let DeclKind::Output(_, value) = &decl.kind else { return };
    value.walk(&mut |inner| {
        let secret = match &inner.node {
            Node::Call(name, _) | Node::Method(_, name, _) => name != "reference" && runs(name),
            Node::Name(name) => program.symbol(name).is_some_and(|found| found.decorator("secure").is_some()),
            _ => false,
        };
        if secret {
            found.push((inner.at, format!("outputs-should-not-contain-secrets: output `{}`", decl.name)));
        }
        true
    });
}

fn expression(program: &Program, value: &Expr, found: &mut Found) {
    value.walk(&mut |inner| {
        let complaint = match &inner.node {
            Node::Text(pieces) => text(program, pieces),
            Node::Call(name, arguments) => function(program, name, arguments),
            _ => None,
        };
        found.extend(complaint.map(|complaint| (inner.at, complaint)));
        true
    });
}

fn text(program: &Program, pieces: &[Piece]) -> Option<String> {
    for piece in pieces {
        let Piece::Literal(text) = piece else { continue };
        let text = text.to_lowercase();
        if let Some(host) = HOSTS.iter().find(|host| names_host(&text, host)) {
            return Some(format!("no-hardcoded-env-urls: {host} differs by cloud"));
        }
    }
    let [Piece::Value(value)] = pieces else { return None };
    let string = match &value.node {
        Node::Text(_) => true,
        Node::Name(name) => match program.symbol(name).map(|found| &found.kind) {
            Some(DeclKind::Param(kind, _)) => kind.base == "string" && kind.depth == 0 && !kind.nullable,
            Some(DeclKind::Var(value)) => matches!(value.node, Node::Text(_)),
            _ => false,
        },
        Node::Member(base, member) => match &base.node {
            Node::Name(name) => program.resource(name).is_some() && (member == "id" || member == "name"),
            _ => false,
        },
        _ => false,
    };
    string.then(|| "simplify-interpolation: a string in a string".to_owned())
}

/// Whether a text names a host, itself or below another name, and not as the end of a longer name.
fn names_host(text: &str, host: &str) -> bool {
    text.match_indices(host).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + host.len()..].chars().next();
        let part = |c: char| c == '-' || c.is_ascii_alphanumeric();
        !before.is_some_and(part) && !after.is_some_and(|c| part(c) || c == '.')
    })
}

fn function(program: &Program, name: &str, arguments: &[Expr]) -> Option<String> {
    if name == "concat" && arguments.iter().any(|argument| argument.plain().is_some()) {
        return Some("prefer-interpolation: concat() of strings".to_owned());
    }
    if runs(name) {
        let of_symbol = arguments.first().is_some_and(|first| match &first.node {
            Node::Member(base, member) if member == "id" => match &base.node {
                Node::Name(symbol) => program.resource(symbol).is_some(),
                _ => false,
            },
            _ => false,
        });
        return of_symbol.then(|| format!("use-resource-symbol-reference: {name}() of a symbol's id"));
    }
    if name != "resourceId" {
        return None;
    }
    let writer = Writer { program, form: Form::Classic, texts: Default::default() };
    let written: Vec<String> = arguments.iter().map(|argument| writer.text(argument)).collect::<Result<_, _>>().ok()?;
    let wanted = format!("resourceId({})", written.join(", "));
    let symbol = program.decls.iter().find(|decl| match &decl.kind {
        DeclKind::Resource(resource) => writer.id(decl, resource).is_ok_and(|id| id.eq_ignore_ascii_case(&wanted)),
        _ => false,
    })?;
    Some(format!("use-symbol: resourceId() where `{}.id` would serve", symbol.name))
}
