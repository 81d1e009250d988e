//! ARM template expressions: the tree, its printer, its parser, and the functions.
//!
//! A tree is what stands between the brackets of `"[...]"`. The printer writes what the Bicep compiler writes.

use std::fmt;

/// An ARM template expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expr {
    /// `'text'`
    Str(String),
    /// `42`
    Int(i64),
    /// `name(a, b)`; also `true()`, `false()`, `null()`, `createObject(...)`, `createArray(...)`
    Call(String, Vec<Expr>),
    /// `base.name`, printed as `base['odd name']` where the name is no identifier
    Prop(Box<Expr>, String),
    /// `base[index]`
    Index(Box<Expr>, Box<Expr>),
}

impl Expr {
    /// `name(args...)`
    pub fn call(name: impl Into<String>, args: impl IntoIterator<Item = Expr>) -> Expr {
        Expr::Call(name.into(), args.into_iter().collect())
    }

    /// `'text'`
    pub fn str(text: impl Into<String>) -> Expr {
        Expr::Str(text.into())
    }

    /// `self.name`
    pub fn prop(self, name: impl Into<String>) -> Expr {
        Expr::Prop(Box::new(self), name.into())
    }
}

impl fmt::Display for Expr {
    /// Without the outer brackets of a template string.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Str(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Expr::Int(number) => write!(f, "{number}"),
            Expr::Call(name, args) => {
                write!(f, "{name}(")?;
                for (i, arg) in args.iter().enumerate() {
                    write!(f, "{}{arg}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
            Expr::Prop(base, name) if is_identifier(name) => write!(f, "{base}.{name}"),
            Expr::Prop(base, name) => write!(f, "{base}[{}]", Expr::str(name.as_str())),
            Expr::Index(base, index) => write!(f, "{base}[{index}]"),
        }
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
