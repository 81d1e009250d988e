//! The template engine as this program uses it: delimiters that neither Bicep nor C# nor API Management uses, and a
//! formatter that prints only what escapes itself. And what a policy prints: [`Xml`] and [`CSharp`].

use minijinja::value::Object;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, syntax::SyntaxConfig};
use std::fmt::{self, Display};

/// An engine with these templates that prints integers and what `own` knows as a text of the template's language, and refuses everything
/// else: a forgotten conversion is an error.
pub(crate) fn environment(
    templates: &[(&'static str, &'static str)],
    own: fn(&Value) -> Option<&dyn Display>,
) -> Environment<'static> {
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
    for (path, source) in templates {
        env.add_template(path, source).expect("our templates are well-formed");
    }
    env
}

/// Text that is XML already.
#[derive(Debug)]
pub(super) struct Xml(String);

/// Text that is C# already, inside an expression of a policy, inside XML.
#[derive(Debug)]
pub(super) struct CSharp(String);

impl Object for Xml {}
impl Object for CSharp {}

impl Display for Xml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Display for CSharp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the template of a policy may print.
pub(super) fn printed(value: &Value) -> Option<&dyn Display> {
    let xml = value.downcast_object_ref::<Xml>().map(|text| text as &dyn Display);
    xml.or_else(|| value.downcast_object_ref::<CSharp>().map(|text| text as &dyn Display))
}

/// A text between tags.
pub(super) fn xml(text: &str) -> Value {
    Value::from_object(Xml(escape(text)))
}

/// What a part of ours printed, so many columns further in. All of it is XML already.
pub(super) fn deeper(text: &str, columns: usize) -> Value {
    let pad = " ".repeat(columns);
    let line = |line: &str| if line.trim().is_empty() { line.to_owned() } else { format!("{pad}{line}") };
    Value::from_object(Xml(text.split_inclusive('\n').map(line).collect()))
}

/// A text as the value of an attribute, with its quotes. What API Management would read as an expression or as a named
/// value, and what XML cannot hold, becomes an expression that says exactly the text.
pub(super) fn xml_attribute(text: &str) -> Value {
    let written = if is_special(text) {
        format!("'@({})'", string(text))
    } else {
        format!("\"{}\"", escape(text).replace('"', "&quot;"))
    };
    Value::from_object(Xml(written))
}

fn is_special(text: &str) -> bool {
    let odd = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    ["@(", "@{", "{{"].iter().any(|mark| text.contains(mark)) || text.contains(odd)
}

/// A text between tags, like [`xml_attribute`]; blanks at its ends would not survive either.
pub(super) fn xml_text(text: &str) -> Value {
    Value::from_object(Xml(if is_special(text) || text.trim() != text {
        format!("@({})", string(text))
    } else {
        escape(text)
    }))
}

/// What a named value holds.
pub(super) fn named_value(name: &str) -> Value {
    Value::from_object(Xml(reference(name)))
}

/// What a named value holds, as the value of an attribute.
pub(super) fn named_value_attribute(name: &str) -> Value {
    Value::from_object(Xml(format!("\"{}\"", reference(name))))
}

/// Azure has no named value with other characters in its name, so nothing else can come out.
fn reference(name: &str) -> String {
    let safe: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).collect();
    format!("{{{{{safe}}}}}")
}

/// Code of ours, as it stands.
pub(super) fn code(code: &str) -> Value {
    Value::from_object(CSharp(code.to_owned()))
}

/// Texts as the items of a C# array.
pub(super) fn strings(texts: &[&str]) -> Value {
    code(&texts.iter().map(|text| string(text)).collect::<Vec<_>>().join(", "))
}

/// A text as a C# string literal.
pub(super) fn csharp(text: &str) -> Value {
    Value::from_object(CSharp(string(text)))
}

/// Numbers as the items of a C# array.
pub(super) fn numbers(numbers: impl Iterator<Item = u64>) -> Value {
    let items: Vec<String> = numbers.map(|number| number.to_string()).collect();
    Value::from_object(CSharp(items.join(", ")))
}

/// Only characters that mean nothing to XML and to API Management stand as they are: no quote of an attribute, no
/// entity, no named value, nothing that looks like a comment or an expression.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for unit in text.encode_utf16() {
        let before = out.chars().next_back();
        match char::from_u32(unit.into()) {
            Some(c @ ('"' | '\\')) => out.extend(['\\', c]),
            Some(c @ ('{' | '/')) if before != Some(c) => out.push(c),
            Some(c) if c.is_ascii_alphanumeric() || " ._:,;-+=()[]?!*}#%|~^".contains(c) => out.push(c),
            _ => out.push_str(&format!("\\u{unit:04x}")),
        }
    }
    out.push('"');
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
