//! A small compiler of the Bicep that this program prints, so that `main.json` is held against something that does not
//! share a line with the printer: nothing here imports the crate. It gives the text of `bicep build` byte for byte,
//! `metadata._generator` left out. Loops, types of one's own, functions, imports, nested resources and scopes other
//! than a resource group are refused by name.

mod ast;
mod emit;
mod expr;
mod format;
mod lexer;
mod lint;
mod params;
mod parser;
mod program;
#[cfg(test)]
mod tests;

use std::path::Path;

/// The ARM template of a `main.bicep` with its modules and texts, as `bicep build` writes it.
pub fn compile(main: &Path) -> Result<String, String> {
    Ok(print(&emit::template(&program::Program::load(main)?)?))
}

/// The parameters file of a `.bicepparam`, as `bicep build-params` writes it.
pub fn compile_params(bicepparam: &Path) -> Result<String, String> {
    Ok(print(&params::parameters(bicepparam)?))
}

/// Whether a text keeps the cheap rules of `bicep format`; else the first place that does not, `line:column: what`.
pub fn format_check(source: &str) -> Result<(), String> {
    format::check(source).map_err(|fault| fault.to_string())
}

/// What the compiler's linter would say of a text, as far as its rules are cheap, and where; nothing where it is clean.
pub fn lint(source: &str) -> Vec<String> {
    lint::lint(source)
}

/// JSON as the compiler's writer prints it: two spaces, no final newline, three line separators escaped.
fn print(value: &serde_json::Value) -> String {
    format!("{value:#}").replace('\u{85}', "\\u0085").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}
