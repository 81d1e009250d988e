//! What goes wrong in hand-written policies that API Management accepts: each pitfall has been met in published ones.
//!
//! [`lint`] is [`rules`] and pitfalls together. A pitfall is told once for the place that has to change, not
//! for every place where it shows.
//!
//! Deliberately absent: what broader scopes add by `<base />`, what named values and fragments hold, and any guess: an
//! expression whose meaning tokens do not tell is passed over.

mod condition;
mod retry;
mod state;
mod traffic;

use super::rules::{self, Document};
use super::view::{self, Value};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::policy_xml::csharp::Kind;
use crate::policy_xml::raw::{self, Attribute, Element};
use std::collections::BTreeMap;

/// Everything that can be said about a policy document or fragment, in the order of the text.
///
/// `pools` says how many members a pool has, by its id, where that is known.
pub fn lint(text: &str, pools: &BTreeMap<String, usize>) -> Vec<Diagnostic> {
    let document = match raw::read(text) {
        Ok(document) => document,
        Err(fault) => return vec![rules::unreadable(&fault)],
    };
    let kind = if document.root.name == "fragment" { Document::Fragment } else { Document::Policy };
    let mut found = rules::check(text, kind);
    found.extend(pitfalls(text, &document.root, pools));
    found.sort_by_key(|problem| (problem.span.map(|span| span.start), problem.code));
    found
}

fn pitfalls(text: &str, root: &Element, pools: &BTreeMap<String, usize>) -> Vec<Diagnostic> {
    let mut parents = Vec::new();
    let policy = Policy { text, elements: flatten(root, None, &mut parents), parents, pools };
    let mut found = Vec::new();
    retry::check(&policy, &mut found);
    state::check(&policy, &mut found);
    traffic::check(&policy, &mut found);
    found
}

/// A document with its elements in a row, each with its parent's place in it.
struct Policy<'a> {
    text: &'a str,
    elements: Vec<&'a Element>,
    parents: Vec<Option<usize>>,
    pools: &'a BTreeMap<String, usize>,
}

fn flatten<'a>(element: &'a Element, parent: Option<usize>, parents: &mut Vec<Option<usize>>) -> Vec<&'a Element> {
    let at = parents.len();
    parents.push(parent);
    let mut row = vec![element];
    for child in &element.children {
        row.extend(flatten(child, Some(at), parents));
    }
    row
}

/// An expression with the element that it stands in.
struct Site {
    /// The element, by its place in the row.
    at: usize,
    /// The attribute, or none for the text.
    attribute: Option<String>,
    value: Value,
}

impl<'a> Policy<'a> {
    /// The elements of this name.
    fn named(&self, name: &'a str) -> impl Iterator<Item = usize> {
        (0..self.elements.len()).filter(move |at| self.elements[*at].name == name)
    }

    /// What an element stands in, from the inside to the root.
    fn ancestors(&self, at: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.parents[at], |at| self.parents[*at])
    }

    /// Whether one element stands in another, at any depth.
    fn inside(&self, at: usize, outer: usize) -> bool {
        self.ancestors(at).any(|ancestor| ancestor == outer)
    }

    /// The innermost element of this name around an element.
    fn around(&self, at: usize, name: &str) -> Option<usize> {
        self.ancestors(at).find(|ancestor| self.elements[*ancestor].name == name)
    }

    /// The name of the section that an element stands in.
    fn section(&self, at: usize) -> Option<&'a str> {
        let top: Vec<usize> = self.ancestors(at).collect();
        let section = top.len().checked_sub(2).map(|second| top[second])?;
        Some(self.elements[section].name.as_str())
    }

    fn value(&self, at: usize, attribute: &str) -> Option<Value> {
        view::named(self.text, self.elements[at], attribute)
    }

    /// An attribute's literal value.
    fn literal(&self, at: usize, attribute: &str) -> Option<String> {
        self.value(at, attribute).and_then(|value| value.literal().map(str::to_owned))
    }

    /// Every expression, in the order of the text.
    fn expressions(&self) -> Vec<Site> {
        let mut sites = Vec::new();
        for (at, element) in self.elements.iter().enumerate() {
            let values = element.attributes.iter().map(|a: &Attribute| (Some(a.name.clone()), view::of(self.text, a)));
            let content = view::content(self.text, element).map(|(value, _)| (None, value));
            for (attribute, value) in values.chain(content) {
                if matches!(value, Value::Expression(..)) {
                    sites.push(Site { at, attribute, value });
                }
            }
        }
        sites
    }

    /// Where an attribute's value stands, or the element without it.
    fn span(&self, at: usize, attribute: &str) -> Span {
        let element = self.elements[at];
        element.attribute(attribute).map_or(element.span, |attribute| attribute.value)
    }
}

impl Site {
    /// Whether a string of the expression is this text, without case.
    fn says(&self, text: &str) -> bool {
        self.value.tokens().iter().any(|token| token.kind == Kind::Text && token.text.eq_ignore_ascii_case(text))
    }
}

fn problem(code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
    Diagnostic::new(code, message).span(span).help(help)
}

#[cfg(test)]
mod tests;
