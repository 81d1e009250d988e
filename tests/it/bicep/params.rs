//! A `.bicepparam` file to the parameters file that the compiler writes from it. Values are literals; the functions
//! that the language has here (`readEnvironmentVariable`, `getSecret` and others) are refused by name.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::ast::{DeclKind, Expr, Node};
use super::emit::fits;
use super::lexer::Fault;
use super::program::Program;

const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#";

/// The parameters file, held against the template that it names.
pub fn parameters(path: &Path) -> Result<Value, String> {
    let label = path.display().to_string();
    let source = std::fs::read_to_string(path).map_err(|error| format!("{label}: {error}"))?;
    let program = Program::parse(&label, &source)?;
    let used = program.decls.iter().find_map(|decl| match &decl.kind {
        DeclKind::Using(used) => Some((decl.at, used)),
        _ => None,
    });
    let Some((at, used)) = used else { return Err(format!("{label}:1:1: a parameters file begins with `using`")) };
    let main = path.parent().unwrap_or(Path::new("")).join(used);
    if !main.is_file() {
        return Err(program.say(&Fault::new(at, format!("there is no file {used}"))));
    }
    let main = Program::load(&main)?;
    let given = assigned(&program, &main, used).map_err(|fault| program.say(&fault))?;
    for decl in &main.decls {
        if let DeclKind::Param(kind, None) = &decl.kind
            && !kind.nullable
            && !given.contains_key(&decl.name)
        {
            return Err(program.say(&Fault::new(at, format!("{used} needs the parameter `{}` (BCP258)", decl.name))));
        }
    }
    Ok(json!({ "$schema": SCHEMA, "contentVersion": "1.0.0.0", "parameters": given }))
}

fn assigned(program: &Program, main: &Program, used: &str) -> Result<Map<String, Value>, Fault> {
    let mut given = Map::new();
    for decl in &program.decls {
        let value = match &decl.kind {
            DeclKind::Using(_) => continue,
            DeclKind::Assign(value) => value,
            _ => return Err(Fault::new(decl.at, "only `using` and `param` are supported here")),
        };
        let kind = main.decls.iter().find_map(|param| match &param.kind {
            DeclKind::Param(kind, _) if param.name == decl.name => Some(kind),
            _ => None,
        });
        let Some(kind) = kind else {
            return Err(Fault::new(decl.at, format!("{used} takes no parameter `{}` (BCP259)", decl.name)));
        };
        fits(value, kind)?;
        if given.insert(decl.name.clone(), json!({ "value": constant(value)? })).is_some() {
            return Err(Fault::new(decl.at, format!("`{}` is given twice", decl.name)));
        }
    }
    Ok(given)
}

/// A literal as it is: nothing evaluates a parameters file, so no bracket is doubled.
fn constant(value: &Expr) -> Result<Value, Fault> {
    let refused = |at| Err(Fault::new(at, "only literals are supported here"));
    Ok(match &value.node {
        Node::Null => Value::Null,
        Node::Bool(value) => (*value).into(),
        Node::Int(value) => (*value).into(),
        Node::Array(items) => items.iter().map(constant).collect::<Result<Vec<_>, _>>()?.into(),
        Node::Object(properties) => {
            let mut object = Map::new();
            for property in properties {
                let Some(name) = property.name() else { return refused(property.at) };
                object.insert(name.to_owned(), constant(&property.value)?);
            }
            object.into()
        }
        _ => match value.plain() {
            Some(text) => text.into(),
            None => return refused(value.at),
        },
    })
}
