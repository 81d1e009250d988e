//! Expressions of a template followed as far as names go: variables, parameters of nested templates, `format` and
//! `concat` are resolved, the rest stays as it is written.
//!
//! Two texts are the same when their parts are: what stays open is compared as it is written, with the template that its
//! parameters belong to. So two names that are computed alike are one name, whatever they come to.
//!
//! Deliberately absent: values of parameters of the outermost template, and anything that is known at run time.

use super::json::{Json, Node};
use crate::diagnostic::Span;
use crate::expr::{self, Expr, TemplateString};
use std::cell::Cell;

/// Variables inside variables that are followed.
const DEPTH: usize = 24;

/// Nodes of an expression that are looked at; a template that doubles itself ends here.
const BUDGET: usize = 4_000;

/// A template: the whole file, or a nested one.
pub(super) struct Frame<'a> {
    pub(super) template: &'a Node,
    /// Values that a deployment passes, and the frame that they are written in.
    pub(super) passed: Option<(&'a Node, usize)>,
}

/// All templates of a file.
pub(super) struct Frames<'a>(pub(super) Vec<Frame<'a>>);

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Known(String),
    /// An expression that was not followed.
    Open(Expr),
}

/// A text in parts; neighbours are not both known.
pub(super) type Parts = Vec<Part>;

impl<'a> Frames<'a> {
    /// The parts of a string of a template.
    pub(super) fn parts(&self, text: &str, frame: usize) -> Parts {
        let mut parts = Vec::new();
        split(&self.expression(text, frame), &mut parts);
        parts
    }

    /// The expression that a string of a template is, followed.
    pub(super) fn expression(&self, text: &str, frame: usize) -> Expr {
        let budget = Cell::new(BUDGET);
        self.string(text, frame, 0, &budget)
    }

    fn string(&self, text: &str, frame: usize, depth: usize, budget: &Cell<usize>) -> Expr {
        match expr::template_string(text) {
            TemplateString::Literal(literal) => Expr::Str(literal.to_string()),
            TemplateString::Expression(code) => match expr::parse(code) {
                Ok(tree) => self.follow(&tree, frame, depth, budget),
                Err(_) => Expr::Str(text.to_owned()),
            },
        }
    }

    fn follow(&self, tree: &Expr, frame: usize, depth: usize, budget: &Cell<usize>) -> Expr {
        let left = budget.get();
        if left == 0 {
            return tree.clone();
        }
        budget.set(left - 1);
        match tree {
            Expr::Str(_) | Expr::Int(_) => tree.clone(),
            Expr::Prop(base, name) => Expr::Prop(Box::new(self.follow(base, frame, depth, budget)), name.clone()),
            Expr::Index(base, index) => Expr::Index(
                Box::new(self.follow(base, frame, depth, budget)),
                Box::new(self.follow(index, frame, depth, budget)),
            ),
            Expr::Call(name, args) => {
                let lower = name.to_ascii_lowercase();
                if let (true, [Expr::Str(key)]) = (depth < DEPTH, args.as_slice()) {
                    let found = match lower.as_str() {
                        "variables" => self.variable(key, frame),
                        "parameters" => self.parameter(key, frame),
                        _ => None,
                    };
                    if let Some((text, frame)) = found {
                        return self.string(text, frame, depth + 1, budget);
                    }
                }
                if lower == "parameters" || lower == "variables" {
                    // the same name is another thing in another template
                    let tagged = args.iter().cloned().chain((frame > 0).then_some(Expr::Int(frame as i64)));
                    return Expr::call(lower, tagged);
                }
                let args: Vec<Expr> = args.iter().map(|arg| self.follow(arg, frame, depth, budget)).collect();
                fold(&lower, args)
            }
        }
    }

    /// A variable that is a string.
    fn variable(&self, name: &str, frame: usize) -> Option<(&'a str, usize)> {
        let value = self.0.get(frame)?.template.get("variables")?.get(name)?;
        value.text().map(|text| (text, frame))
    }

    /// What a nested template's parameter is given as a string, or has as its default.
    fn parameter(&self, name: &str, frame: usize) -> Option<(&'a str, usize)> {
        let here = self.0.get(frame)?;
        let (passed, outer) = here.passed?;
        match passed.get(name) {
            Some(given) => given.get("value")?.text().map(|text| (text, outer)),
            None => self.default(name, frame),
        }
    }

    /// A parameter's default.
    fn default(&self, name: &str, frame: usize) -> Option<(&'a str, usize)> {
        let declared = self.0.get(frame)?.template.get("parameters")?.get(name)?;
        declared.get("defaultValue")?.text().map(|text| (text, frame))
    }

    /// The literal that a string comes to, defaults of parameters taken as their values.
    pub(super) fn literal(&self, text: &str, frame: usize) -> Option<String> {
        let mut followed = self.expression(text, frame);
        for _ in 0..4 {
            followed = match &followed {
                Expr::Str(literal) => return Some(literal.clone()),
                Expr::Call(name, args) if name == "parameters" => {
                    let (Expr::Str(key), at) = (args.first()?, args.get(1)) else { return None };
                    let frame = match at {
                        Some(Expr::Int(frame)) => usize::try_from(*frame).ok()?,
                        _ => 0,
                    };
                    let (text, frame) = self.default(key, frame)?;
                    self.expression(text, frame)
                }
                _ => return None,
            };
        }
        None
    }

    /// The text that a string comes to by replacements which are not known: what it is before them.
    pub(super) fn unreplaced(&self, text: &str, frame: usize) -> Option<String> {
        let mut tree = &self.expression(text, frame);
        while let Expr::Call(name, args) = tree
            && name.eq_ignore_ascii_case("replace")
        {
            tree = args.first()?;
        }
        match tree {
            Expr::Str(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// The node that a string comes to: itself, or what a variable or parameter holds.
    pub(super) fn holder(&self, node: &'a Node, frame: usize) -> Option<&'a Node> {
        let (mut node, mut frame) = (node, frame);
        for _ in 0..DEPTH {
            let Some(text) = node.text() else { return Some(node) };
            let TemplateString::Expression(code) = expr::template_string(text) else { return Some(node) };
            let (name, args) = match expr::parse(code).ok()? {
                // a file of JSON as text
                Expr::Call(name, mut args) if name.eq_ignore_ascii_case("string") && args.len() == 1 => {
                    match args.pop()? {
                        Expr::Call(name, args) => (name, args),
                        _ => return None,
                    }
                }
                Expr::Call(name, args) => (name, args),
                _ => return None,
            };
            let [Expr::Str(key)] = args.as_slice() else { return None };
            (node, frame) = match name.to_ascii_lowercase().as_str() {
                "variables" => (self.0.get(frame)?.template.get("variables")?.get(key)?, frame),
                "parameters" => match self.0.get(frame)?.passed {
                    Some((passed, outer)) if passed.get(key).is_some() => (passed.get(key)?.get("value")?, outer),
                    _ => (self.0.get(frame)?.template.get("parameters")?.get(key)?.get("defaultValue")?, frame),
                },
                _ => return None,
            };
        }
        None
    }
}

/// A call whose arguments are followed, simpler where that is plain.
fn fold(name: &str, args: Vec<Expr>) -> Expr {
    let strings = || args.iter().all(|arg| matches!(arg, Expr::Str(_)));
    match (name, args.as_slice()) {
        ("format", [Expr::Str(layout), rest @ ..]) => match formatted(layout, rest) {
            Some(parts) => joined(parts),
            None => Expr::call(name, args),
        },
        // `concat` also joins arrays; with a string in it, it does not
        ("concat", list) if list.iter().any(|arg| matches!(arg, Expr::Str(_))) => joined(args),
        ("string", [Expr::Str(text)]) => Expr::str(text.as_str()),
        ("tolower", [Expr::Str(text)]) => Expr::str(text.to_lowercase()),
        ("toupper", [Expr::Str(text)]) => Expr::str(text.to_uppercase()),
        ("replace", [Expr::Str(text), Expr::Str(from), Expr::Str(to)]) if strings() && !from.is_empty() => {
            Expr::str(text.replace(from.as_str(), to))
        }
        _ => Expr::call(name, args),
    }
}

/// The pieces of a `format`; `None` where a hole has a format of its own or no argument.
fn formatted(layout: &str, args: &[Expr]) -> Option<Vec<Expr>> {
    let (mut pieces, mut literal) = (Vec::new(), String::new());
    let mut rest = layout;
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let brace = &rest[at..at + 1];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            literal.push_str(brace);
            rest = after;
            continue;
        }
        let (index, after) = rest.split_once('}').filter(|_| brace == "{")?;
        let arg = args.get(index.parse::<usize>().ok()?)?;
        pieces.push(Expr::Str(std::mem::take(&mut literal)));
        pieces.push(arg.clone());
        rest = after;
    }
    literal.push_str(rest);
    pieces.push(Expr::Str(literal));
    Some(pieces)
}

/// Pieces as one `concat` without empty and neighbouring literals; a literal where all are.
fn joined(pieces: Vec<Expr>) -> Expr {
    let mut flat: Vec<Expr> = Vec::new();
    for piece in pieces {
        let inner = match piece {
            Expr::Call(name, args) if name == "concat" => args,
            Expr::Int(number) => vec![Expr::str(number.to_string())],
            other => vec![other],
        };
        for piece in inner {
            match (flat.last_mut(), piece) {
                (_, Expr::Str(text)) if text.is_empty() => {}
                (Some(Expr::Str(before)), Expr::Str(text)) => before.push_str(&text),
                (_, piece) => flat.push(piece),
            }
        }
    }
    match flat.len() {
        0 => Expr::str(""),
        1 if matches!(flat[0], Expr::Str(_)) => flat.remove(0),
        _ => Expr::call("concat", flat),
    }
}

/// The parts of a followed expression.
fn split(tree: &Expr, parts: &mut Parts) {
    match tree {
        Expr::Str(text) => match parts.last_mut() {
            Some(Part::Known(before)) => before.push_str(text),
            _ => parts.push(Part::Known(text.clone())),
        },
        Expr::Call(name, args) if name == "concat" => args.iter().for_each(|arg| split(arg, parts)),
        other => parts.push(Part::Open(other.clone())),
    }
}

/// The parts of a followed expression.
pub(super) fn parts_of(tree: &Expr) -> Parts {
    let mut parts = Vec::new();
    split(tree, &mut parts);
    parts
}

/// Type, in lower case, and name of what a `resourceId` names: `a/b/c` in parts.
pub(super) fn resource_id(tree: &Expr) -> Option<(String, Parts)> {
    let Expr::Call(name, args) = tree else { return None };
    if !["resourceid", "subscriptionresourceid", "extensionresourceid", "tenantresourceid"]
        .contains(&name.to_ascii_lowercase().as_str())
    {
        return None;
    }
    let is_type = |arg: &Expr| match arg {
        Expr::Str(text) => {
            let (provider, rest) = text.split_once('/')?;
            (provider.contains('.') && !rest.is_empty() && !text.starts_with('/')).then(|| text.to_ascii_lowercase())
        }
        _ => None,
    };
    let (at, kind) = args.iter().enumerate().find_map(|(at, arg)| is_type(arg).map(|kind| (at, kind)))?;
    let mut parts = Vec::new();
    for (place, segment) in args[at + 1..].iter().enumerate() {
        if place > 0 {
            split(&Expr::str("/"), &mut parts);
        }
        split(segment, &mut parts);
    }
    Some((kind, parts))
}

/// A name behind its last `/`, and what is before it.
pub(super) fn last_segment(parts: &[Part]) -> (Parts, Parts) {
    for (at, part) in parts.iter().enumerate().rev() {
        let Part::Known(text) = part else { continue };
        let Some((before, after)) = text.rsplit_once('/') else { continue };
        let known = |text: &str| (!text.is_empty()).then(|| Part::Known(text.to_owned()));
        let parent = parts[..at].iter().cloned().chain(known(before)).collect();
        let own = known(after).into_iter().chain(parts[at + 1..].iter().cloned()).collect();
        return (parent, own);
    }
    (Vec::new(), parts.to_vec())
}

/// A text that is wholly known.
pub(super) fn known(parts: &[Part]) -> Option<&str> {
    match parts {
        [Part::Known(text)] => Some(text),
        [] => Some(""),
        _ => None,
    }
}

/// Whether any part hangs on the turn of a loop.
pub(super) fn loops(parts: &[Part]) -> bool {
    parts.iter().any(|part| matches!(part, Part::Open(tree) if mentions(tree, "copyindex")))
}

/// Whether a call of this name, in lower case, stands in an expression.
pub(super) fn mentions(tree: &Expr, wanted: &str) -> bool {
    match tree {
        Expr::Str(_) | Expr::Int(_) => false,
        Expr::Call(name, args) => name.eq_ignore_ascii_case(wanted) || args.iter().any(|arg| mentions(arg, wanted)),
        Expr::Prop(base, _) => mentions(base, wanted),
        Expr::Index(base, index) => mentions(base, wanted) || mentions(index, wanted),
    }
}

/// Whether a value is there: neither `null` nor the call of it.
pub(super) fn present(node: &Node) -> bool {
    !matches!(&node.value, Json::Null) && node.text().is_none_or(|text| !text.trim().eq_ignore_ascii_case("[null()]"))
}

/// The place of a key of a node, or the node's own.
pub(super) fn key_span(node: &Node, key: &str) -> Span {
    node.key(key).unwrap_or(node.span)
}
