//! The policies that API Management has, as a table: where each may stand, its attributes, what is inside.
//!
//! Sources: the page of each policy in the documentation (`learn.microsoft.com/azure/api-management/`, read in 2026-08),
//! named in its row; for elements, attributes and their order also the schemas of `microsoft/vscode-apimanagement`
//! (2025-07), `schema` where nothing else names a policy. `toolkit` stands for
//! `Azure/azure-api-management-policy-toolkit` (2026-05), `knowledge base` for the table of policies in
//! `microsoft/vscode-apimanagement`: they say where policies may stand whose page is silent. Where the sources disagree,
//! what published policies do is allowed.
//!
//! Deliberately absent: resolvers of GraphQL, and policies of which nothing but the name is published.

mod flow;
mod llm;
mod traffic;
mod transform;
mod validate;

use super::Section;

/// A policy.
pub(super) struct Policy {
    pub(super) name: &'static str,
    /// The sections that it may stand in; none where it stands only inside other policies.
    pub(super) sections: &'static [Section],
    /// Its page in the documentation, or who else says so.
    pub(super) source: &'static str,
    pub(super) element: Element,
}

/// What may stand in an element.
pub(super) struct Element {
    pub(super) attributes: &'static [Attribute],
    pub(super) body: Body,
}

/// An attribute.
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) need: Need,
    pub(super) expression: Expression,
    pub(super) value: Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Must,
    May,
}

/// Whether a value may be an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expression {
    Allowed,
    Refused,
    /// The documentation says no, published policies do it.
    Disputed,
}

/// What a literal must be.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Value {
    Text,
    /// Text that is not empty.
    Some,
    Bool,
    /// A whole number from, to.
    Whole(i64, i64),
    /// A number from, to.
    Decimal(i32, i32),
    Words(&'static [&'static str]),
    Date,
}

/// What stands between the tags.
pub(super) enum Body {
    Empty,
    /// Policies, as in the section around.
    Policies,
    Text(Value),
    /// Content that is not looked at, but for its expressions.
    Free,
    Children(Order, &'static [Child]),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As in the table.
    Fixed,
    Free,
    /// In any order, and text beside.
    Mixed,
}

/// An element inside another.
pub(super) struct Child {
    pub(super) name: &'static str,
    pub(super) least: usize,
    pub(super) most: usize,
    /// `None` where it is the policy of this name.
    pub(super) element: Option<Element>,
}

/// The policy of this name.
pub(super) fn policy_named(name: &str) -> Option<&'static Policy> {
    all().find(|policy| policy.name == name)
}

/// Every policy.
pub(super) fn all() -> impl Iterator<Item = &'static Policy> + Clone {
    [flow::FLOW, traffic::TRAFFIC, llm::LLM, validate::VALIDATE, transform::TRANSFORM].into_iter().flatten()
}

const MANY: usize = usize::MAX;

const EVERYWHERE: &[Section] = &[Section::Inbound, Section::Backend, Section::Outbound, Section::OnError];
const INBOUND: &[Section] = &[Section::Inbound];
const BACKEND: &[Section] = &[Section::Backend];
const OUTBOUND: &[Section] = &[Section::Outbound];
const INBOUND_BACKEND: &[Section] = &[Section::Inbound, Section::Backend];
const INBOUND_OUTBOUND: &[Section] = &[Section::Inbound, Section::Outbound];
const NOT_ON_ERROR: &[Section] = &[Section::Inbound, Section::Backend, Section::Outbound];
const NOT_BACKEND: &[Section] = &[Section::Inbound, Section::Outbound, Section::OnError];
const AFTER_BACKEND: &[Section] = &[Section::Outbound, Section::OnError];
const NOWHERE: &[Section] = &[];

const INT: Value = Value::Whole(i32::MIN as i64, i32::MAX as i64);
const LONG: Value = Value::Whole(i64::MIN, i64::MAX);
const DECIMAL: Value = Value::Decimal(i32::MIN, i32::MAX);

const EXISTS: &[&str] = &["override", "append", "skip", "delete"];
const CACHES: &[&str] = &["prefer-external", "internal", "external"];
const ACTIONS: &[&str] = &["ignore", "prevent", "detect"];

const fn must(name: &'static str, value: Value) -> Attribute {
    Attribute { name, need: Need::Must, expression: Expression::Allowed, value }
}

const fn may(name: &'static str, value: Value) -> Attribute {
    Attribute { name, need: Need::May, expression: Expression::Allowed, value }
}

const fn must_literal(name: &'static str, value: Value) -> Attribute {
    Attribute { name, need: Need::Must, expression: Expression::Refused, value }
}

const fn may_literal(name: &'static str, value: Value) -> Attribute {
    Attribute { name, need: Need::May, expression: Expression::Refused, value }
}

const fn disputed(name: &'static str, value: Value) -> Attribute {
    Attribute { name, need: Need::May, expression: Expression::Disputed, value }
}

const fn child(name: &'static str, least: usize, most: usize, attributes: &'static [Attribute], body: Body) -> Child {
    Child { name, least, most, element: Some(Element { attributes, body }) }
}

/// An element without attributes, once at most, whose children stand in their order.
const fn group(name: &'static str, children: &'static [Child]) -> Child {
    child(name, 0, 1, &[], Body::Children(Order::Fixed, children))
}

/// An element that is a text, at least so many times.
const fn texts(name: &'static str, least: usize) -> Child {
    child(name, least, MANY, &[], Body::Text(Value::Text))
}

/// What a metric is split by.
const DIMENSIONS: &[Child] =
    &[child("dimension", 0, 10, &[must("name", Value::Text), may("value", Value::Text)], Body::Empty)];

const fn policy(name: &'static str, least: usize, most: usize) -> Child {
    Child { name, least, most, element: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fits_together() {
        let mut seen = std::collections::BTreeSet::new();
        for policy in all() {
            assert!(seen.insert(policy.name), "{} twice", policy.name);
            assert!(!policy.source.is_empty(), "{}", policy.name);
            check(policy.name, &policy.element);
        }
        assert!(seen.len() > 55);
    }

    fn check(name: &str, element: &Element) {
        for (at, attribute) in element.attributes.iter().enumerate() {
            let twice = element.attributes[..at].iter().any(|other| other.name == attribute.name);
            assert!(!twice, "{name} {}", attribute.name);
        }
        let Body::Children(_, children) = &element.body else { return };
        for child in *children {
            assert!(child.least <= child.most && child.most > 0, "{name} {}", child.name);
            match &child.element {
                Some(element) => check(child.name, element),
                None => assert!(policy_named(child.name).is_some(), "{name} {}", child.name),
            }
        }
    }
}
