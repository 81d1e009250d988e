//! The template engine as this program uses it: delimiters that neither Bicep nor C# nor API Management uses, and a
//! formatter that prints only what escapes itself.

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, syntax::SyntaxConfig};
use std::fmt::Display;

/// An engine that prints integers and what `own` knows as a text of the template's language, and refuses everything
/// else: a forgotten conversion is an error.
pub(crate) fn environment(own: fn(&Value) -> Option<&dyn Display>) -> Environment<'static> {
    let mut env = Environment::new();
    let syntax = SyntaxConfig::builder()
        .block_delimiters("<%", "%>")
        .variable_delimiters("<<", ">>")
        .comment_delimiters("<#", "#>")
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .expect("the delimiters differ");
    env.set_syntax(syntax);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_formatter(move |out, _, value| {
        let printed = match own(value) {
            Some(text) => write!(out, "{text}"),
            None if value.is_integer() => write!(out, "{value}"),
            None => {
                let refused = format!("a template may not print a plain {}", value.kind());
                return Err(Error::new(ErrorKind::InvalidOperation, refused));
            }
        };
        printed.map_err(|_| Error::new(ErrorKind::WriteFailure, "out of memory"))
    });
    env
}
