//! Values of a policy document as the service sees them: literals, and expressions cut into tokens.

use crate::diagnostic::Span;
use crate::policy_xml::csharp::{self, Entities, Expression, Fault};
use crate::policy_xml::raw::{self, Attribute, Element};

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Text, entities resolved.
    Literal(String),
    /// An expression, and where what follows it begins if that is not blank.
    Expression(Expression, Option<usize>),
    /// An expression that cannot be read.
    Broken(Fault),
}

impl Value {
    /// The expression's tokens, none for anything else.
    pub(super) fn tokens(&self) -> &[csharp::Token] {
        match self {
            Value::Expression(expression, _) => &expression.tokens,
            _ => &[],
        }
    }

    /// The literal text.
    pub(super) fn literal(&self) -> Option<&str> {
        match self {
            Value::Literal(text) => Some(text),
            _ => None,
        }
    }
}

/// The value that stands in a piece of the text.
pub(super) fn value(text: &str, span: Span, entities: Entities) -> Value {
    let raw = text.get(span.start..span.end).unwrap_or_default();
    let start = span.end - raw.trim_start().len();
    if !raw::begins(&text[start.min(text.len())..span.end.min(text.len())]) {
        return Value::Literal(match entities {
            Entities::Read => raw::decode(text, span),
            Entities::Literal => raw.to_owned(),
        });
    }
    match csharp::expression(text, start, span.end, entities) {
        Ok(expression) => {
            let rest = &text[expression.span.end..span.end];
            let after = (!rest.trim().is_empty()).then(|| span.end - rest.trim_start().len());
            Value::Expression(expression, after)
        }
        Err(fault) => Value::Broken(fault),
    }
}

/// An attribute's value.
pub(super) fn of(text: &str, attribute: &Attribute) -> Value {
    value(text, attribute.value, Entities::Read)
}

/// The value of the attribute of this name.
pub(super) fn named(text: &str, element: &Element, name: &str) -> Option<Value> {
    element.attribute(name).map(|attribute| of(text, attribute))
}

/// What stands between the tags: the first piece that is not blank, with its place.
pub(super) fn content(text: &str, element: &Element) -> Option<(Value, Span)> {
    let piece = element.texts.iter().find(|piece| !text[piece.span.start..piece.span.end].trim().is_empty())?;
    Some((value(text, piece.span, piece.entities), piece.span))
}
