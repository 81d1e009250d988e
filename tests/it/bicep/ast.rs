//! The tree of a Bicep file. Every expression knows the place of its first character.

use super::lexer::Pos;

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// Its first character.
    pub at: Pos,
    /// What it is.
    pub node: Node,
}

/// The forms of an expression.
#[derive(Clone, Debug)]
pub enum Node {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number with its sign.
    Int(i64),
    /// A string, with or without interpolation.
    Text(Vec<Piece>),
    /// `{ ... }`
    Object(Vec<Property>),
    /// `[ ... ]`
    Array(Vec<Expr>),
    /// A parameter, variable, resource or module.
    Name(String),
    /// `base.name`, also written `base['name']`.
    Member(Box<Expr>, String),
    /// `base[index]`
    Index(Box<Expr>, Box<Expr>),
    /// `function(arguments)`, its namespace dropped.
    Call(String, Vec<Expr>),
    /// `base.function(arguments)`
    Method(Box<Expr>, String, Vec<Expr>),
    /// An operator before its operand.
    Unary(&'static str, Box<Expr>),
    /// An operator between its operands.
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// `condition ? yes : no`
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
}

/// A piece of a string.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Characters.
    Literal(String),
    /// An interpolated value.
    Value(Expr),
}

/// A member of an object.
#[derive(Clone, Debug)]
pub struct Property {
    /// The place of the key.
    pub at: Pos,
    /// The key.
    pub key: Vec<Piece>,
    /// The value.
    pub value: Expr,
}

impl Property {
    /// The key, where it holds no interpolation.
    pub fn name(&self) -> Option<&str> {
        plain(&self.key)
    }
}

/// The text of a string without interpolation.
pub fn plain(pieces: &[Piece]) -> Option<&str> {
    match pieces {
        [] => Some(""),
        [Piece::Literal(text)] => Some(text),
        _ => None,
    }
}

impl Expr {
    /// The text of a string without interpolation.
    pub fn plain(&self) -> Option<&str> {
        match &self.node {
            Node::Text(pieces) => plain(pieces),
            _ => None,
        }
    }

    /// Calls `visit` for this expression and everything in it, in the order of the text, as long as it answers true.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr) -> bool) {
        if !visit(self) {
            return;
        }
        let pieces = |pieces: &'a [Piece], visit: &mut dyn FnMut(&'a Expr) -> bool| {
            for piece in pieces {
                if let Piece::Value(value) = piece {
                    value.walk(visit);
                }
            }
        };
        match &self.node {
            Node::Null | Node::Bool(_) | Node::Int(_) | Node::Name(_) => {}
            Node::Text(found) => pieces(found, visit),
            Node::Object(properties) => {
                for property in properties {
                    pieces(&property.key, visit);
                    property.value.walk(visit);
                }
            }
            Node::Array(items) | Node::Call(_, items) => items.iter().for_each(|item| item.walk(visit)),
            Node::Member(base, _) | Node::Unary(_, base) => base.walk(visit),
            Node::Index(a, b) | Node::Binary(_, a, b) => {
                a.walk(visit);
                b.walk(visit);
            }
            Node::Method(base, _, arguments) => {
                base.walk(visit);
                arguments.iter().for_each(|item| item.walk(visit));
            }
            Node::Choice(a, b, c) => {
                a.walk(visit);
                b.walk(visit);
                c.walk(visit);
            }
        }
    }
}

/// A type as a parameter or an output names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// `string`, `int`, `bool`, `object` or `array`.
    pub base: String,
    /// How many `[]` follow.
    pub depth: usize,
    /// Whether `?` follows.
    pub nullable: bool,
}

/// A decorator without its namespace.
#[derive(Clone, Debug)]
pub struct Decorator {
    /// Where it stands.
    pub at: Pos,
    /// Its name.
    pub name: String,
    /// What it is given.
    pub arguments: Vec<Expr>,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Decl {
    /// The place of its name.
    pub at: Pos,
    /// The name that it declares; empty where a statement has none.
    pub name: String,
    /// What stands above it.
    pub decorators: Vec<Decorator>,
    /// What it is.
    pub kind: DeclKind,
}

/// The statements.
#[derive(Clone, Debug)]
pub enum DeclKind {
    /// `targetScope = '...'`
    TargetScope(Expr),
    /// `metadata name = value`
    Metadata(Expr),
    /// `param name type = default`
    Param(Type, Option<Expr>),
    /// `var name = value`
    Var(Expr),
    /// `resource name 'type@version' = ...`
    Resource(Resource),
    /// `module name 'path' = ...`
    Module(Module),
    /// `output name type = value`
    Output(Type, Expr),
    /// `using 'path'` of a parameters file.
    Using(String),
    /// `param name = value` of a parameters file.
    Assign(Expr),
}

/// A resource.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The type without its version.
    pub kind: String,
    /// The api-version.
    pub version: String,
    /// Whether it is only read.
    pub existing: bool,
    /// What stands in `if (...)`.
    pub condition: Option<Expr>,
    /// Its members.
    pub body: Vec<Property>,
}

/// A module.
#[derive(Clone, Debug)]
pub struct Module {
    /// The file, as written.
    pub path: String,
    /// What stands in `if (...)`.
    pub condition: Option<Expr>,
    /// Its members.
    pub body: Vec<Property>,
}

impl Decl {
    /// The members of a resource or module.
    pub fn body(&self) -> &[Property] {
        match &self.kind {
            DeclKind::Resource(resource) => &resource.body,
            DeclKind::Module(module) => &module.body,
            _ => &[],
        }
    }

    /// One member of a resource or module.
    pub fn property(&self, name: &str) -> Option<&Expr> {
        self.body().iter().find(|property| property.name() == Some(name)).map(|property| &property.value)
    }

    /// Every expression of the statement, in the order of the text, decorators left out.
    pub fn expressions(&self) -> Vec<&Expr> {
        let mut found = Vec::new();
        match &self.kind {
            DeclKind::Param(_, default) => found.extend(default),
            DeclKind::TargetScope(value)
            | DeclKind::Metadata(value)
            | DeclKind::Var(value)
            | DeclKind::Output(_, value)
            | DeclKind::Assign(value) => found.push(value),
            DeclKind::Resource(Resource { condition, body, .. }) | DeclKind::Module(Module { condition, body, .. }) => {
                found.extend(condition);
                for property in body {
                    for piece in &property.key {
                        if let Piece::Value(value) = piece {
                            found.push(value);
                        }
                    }
                    found.push(&property.value);
                }
            }
            DeclKind::Using(_) => {}
        }
        found
    }

    /// The decorator of that name.
    pub fn decorator(&self, name: &str) -> Option<&Decorator> {
        self.decorators.iter().find(|decorator| decorator.name == name)
    }
}
