//! Variables that are read before anything sets them.

use super::{Document, view};
use crate::diagnostic::{Diagnostic, Span, code};
use crate::policy_xml::csharp::{Kind, Token};
use crate::policy_xml::raw::Element;
use std::collections::{BTreeMap, BTreeSet};

/// How a variable is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// `context.Variables["x"]`, which throws where there is none.
    Index,
    /// `ContainsKey("x")` or `TryGetValue("x", ...)`
    Test,
    /// Anything else, with a default.
    Default,
}

struct Read {
    name: String,
    how: How,
    span: Span,
    /// From where on it runs: the condition of a retry runs after what is inside.
    runs: usize,
}

/// Reports the first read of each variable that nothing before it sets.
pub(super) fn check(text: &str, root: &Element, kind: Document, out: &mut Vec<Diagnostic>) {
    let mut known: BTreeMap<String, Span> = BTreeMap::new();
    let mut reads = Vec::new();
    let mut fragment = None;
    for element in root.descendants() {
        sets(text, element, &mut known);
        if element.name == "include-fragment" {
            fragment.get_or_insert(element.span.start);
        }
        let after = || element.descendants().last().map_or(element.span.start, |last| last.span.end);
        for attribute in &element.attributes {
            let value = view::of(text, attribute);
            let late = element.name == "retry" && attribute.name == "condition";
            reads_of(value.tokens(), late.then(after), &mut reads);
        }
        if let Some((value, _)) = view::content(text, element) {
            reads_of(value.tokens(), None, &mut reads);
        }
    }
    let tested: BTreeSet<&str> =
        reads.iter().filter(|read| read.how == How::Test).map(|read| read.name.as_str()).collect();
    let mut said = BTreeSet::new();
    for read in reads.iter().filter(|read| read.how == How::Index) {
        let name = read.name.as_str();
        let first = known.get(name);
        let elsewhere = kind == Document::Fragment || fragment.is_some_and(|at| at < read.span.start);
        let before = first.is_some_and(|first| first.start < read.runs);
        if before
            || tested.contains(name)
            || name.contains("{{")
            || (first.is_none() && elsewhere)
            || !said.insert(name)
        {
            continue;
        }
        let message = match first {
            Some(_) => format!("the variable `{name}` is read before it is set"),
            None => format!("the variable `{name}` is read and nothing in this document sets it"),
        };
        let problem = Diagnostic::new(code::UNSET_VARIABLE, message).span(read.span);
        out.push(problem.help("set it first, or read it by `GetValueOrDefault`"));
    }
}

/// Notes the variables that a policy sets.
fn sets(text: &str, element: &Element, known: &mut BTreeMap<String, Span>) {
    for attribute in &element.attributes {
        let name = attribute.name.as_str();
        let sets = match element.name.as_str() {
            "set-variable" => name == "name",
            "return-response" => false,
            _ => name == "variable-name" || name.ends_with("-variable-name"),
        };
        if let Some(variable) = view::of(text, attribute).literal().filter(|_| sets) {
            known.entry(variable.to_owned()).or_insert(element.span);
        }
    }
}

fn reads_of(tokens: &[Token], late: Option<usize>, reads: &mut Vec<Read>) {
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.is("Variables")) {
        if !at.checked_sub(2).is_some_and(|from| tokens[from].is("context")) {
            continue;
        }
        let mut rest = tokens[at + 1..].iter();
        let how = match rest.next() {
            Some(mark) if mark.is("[") => How::Index,
            Some(mark) if mark.is(".") => {
                let test = rest.next().is_some_and(|name| name.is("ContainsKey") || name.is("TryGetValue"));
                // over the type argument
                let open = rest.find(|token| token.is("(") || token.is(";"));
                if !open.is_some_and(|token| token.is("(")) {
                    continue;
                }
                if test { How::Test } else { How::Default }
            }
            _ => continue,
        };
        if let Some(name) = rest.next().filter(|name| name.kind == Kind::Text) {
            let runs = late.unwrap_or(token.span.start);
            reads.push(Read { name: name.text.clone(), how, span: name.span, runs });
        }
    }
}
