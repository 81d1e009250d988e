//! What API Management accepts as a policy document: elements, places, values, expressions.
//!
//! [`check`] reads well-formed XML and `rawxml` with unescaped expressions alike. What the service refuses is an error;
//! what it takes and the documentation does not know, or knows otherwise, is a warning. Each finding has its place in the
//! text.
//!
//! Deliberately absent: resolvers of GraphQL, whether a backend, fragment or named value exists, the types of C# values,
//! and what is allowed but unwise ([`super::lint`]).

mod elements;
mod expressions;
mod listed;
mod table;
mod variables;

use super::view;
use crate::diagnostic::{Diagnostic, Span, code};
use crate::policy_xml::raw;

/// Which kind of document a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// `<policies>`
    Policy,
    /// `<fragment>`
    Fragment,
}

/// A section of a policy document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Inbound,
    Backend,
    Outbound,
    OnError,
}

impl Section {
    const ALL: [Section; 4] = [Section::Inbound, Section::Backend, Section::Outbound, Section::OnError];

    const fn name(self) -> &'static str {
        match self {
            Section::Inbound => "inbound",
            Section::Backend => "backend",
            Section::Outbound => "outbound",
            Section::OnError => "on-error",
        }
    }

    fn parse(name: &str) -> Option<Section> {
        Section::ALL.into_iter().find(|section| section.name() == name)
    }
}

/// The longest policy document, in bytes (service limits, 2020-04).
pub const LIMIT: usize = 256 * 1024;

/// The longest policy document on the Consumption tier (service limits, 2020-04).
pub const CONSUMPTION_LIMIT: usize = 16 * 1024;

/// The longest fragment (policy fragments, 2026-02).
pub const FRAGMENT_LIMIT: usize = 512_000;

/// Whether a document is longer than `limit` bytes.
pub fn size(text: &str, limit: usize) -> Option<Diagnostic> {
    (text.len() > limit).then(|| {
        Diagnostic::new(code::POLICY_SIZE, format!("the document has {} bytes, the limit is {limit}", text.len()))
            .span(Span { start: 0, end: 0 })
            .help("move parts of it into policy fragments")
    })
}

/// Everything in a document that API Management refuses or does not document, in the order of the text.
pub fn check(text: &str, kind: Document) -> Vec<Diagnostic> {
    let limit = match kind {
        Document::Policy => LIMIT,
        Document::Fragment => FRAGMENT_LIMIT,
    };
    let mut found: Vec<Diagnostic> = size(text, limit).into_iter().collect();
    match raw::read(text) {
        Ok(document) => {
            elements::check(text, &document, kind, &mut found);
            variables::check(text, &document.root, kind, &mut found);
        }
        Err(fault) => found.push(unreadable(&fault)),
    }
    found.sort_by_key(|problem| problem.span.map(|span| span.start));
    found.dedup();
    found
}

/// A document that is neither XML nor `rawxml`.
pub(super) fn unreadable(fault: &raw::Fault) -> Diagnostic {
    Diagnostic::new(code::UNREADABLE_POLICY, format!("the policy cannot be read: {}", fault.message))
        .span(Span { start: fault.at, end: fault.at + 1 })
        .help("close what is open; the rest is checked once this can be read")
}

/// The known word that was probably meant.
fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|known| (strsim::damerau_levenshtein(word, known), known)).min()?;
    (near.0 * 4 <= near.1.len().max(4)).then_some(near.1)
}

#[cfg(test)]
mod tests;
