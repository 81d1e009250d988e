//! Expressions as the compiler writes them: a value of JSON where it can be one, else the text of an ARM expression.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::ast::{Decl, DeclKind, Expr, Node, Piece, Property, Resource};
use super::lexer::{Fault, Pos};
use super::program::{Program, runs};

/// The api-version of a module's deployment.
pub const DEPLOYMENTS: &str = "2025-04-01";

/// Functions that ARM knows under the same name. What is missing here is refused, so a slip of the pen is found.
const FUNCTIONS: &[&str] = &[
    "array",
    "base64",
    "base64ToJson",
    "base64ToString",
    "bool",
    "concat",
    "contains",
    "createArray",
    "dataUri",
    "dataUriToString",
    "dateTimeAdd",
    "deployment",
    "empty",
    "endsWith",
    "environment",
    "extensionResourceId",
    "first",
    "format",
    "guid",
    "indexOf",
    "int",
    "intersection",
    "join",
    "json",
    "last",
    "lastIndexOf",
    "length",
    "list",
    "managementGroupResourceId",
    "max",
    "min",
    "newGuid",
    "padLeft",
    "range",
    "reference",
    "replace",
    "resourceGroup",
    "resourceId",
    "skip",
    "split",
    "startsWith",
    "string",
    "subscription",
    "subscriptionResourceId",
    "substring",
    "take",
    "tenant",
    "tenantResourceId",
    "toLower",
    "toUpper",
    "trim",
    "union",
    "uniqueString",
    "uri",
    "uriComponent",
    "uriComponentToString",
    "utcNow",
];

/// The two forms of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Resources in an array, named by their ids.
    Classic,
    /// Resources in an object, named by their symbols.
    Symbolic,
}

/// Where a resource lives.
pub enum Place<'a> {
    /// In the group that the template is deployed to.
    Here,
    /// In another group, of another subscription where one is named.
    Group(Option<&'a Expr>, &'a Expr),
    /// On another resource, as its extension.
    On(&'a Decl, &'a Resource),
}

/// What writing an expression needs to know.
pub struct Writer<'a> {
    /// The file.
    pub program: &'a Program,
    /// The form that it takes.
    pub form: Form,
    /// The number of the variable that holds a loaded text, by the place of the call.
    pub texts: BTreeMap<Pos, usize>,
}

type Written<T> = Result<T, Fault>;

impl<'a> Writer<'a> {
    /// A value where JSON stands.
    pub fn value(&self, expr: &'a Expr) -> Written<Value> {
        Ok(match &expr.node {
            Node::Null => Value::Null,
            Node::Bool(value) => (*value).into(),
            Node::Int(value) => (*value).into(),
            Node::Text(_) if expr.plain().is_some() => literal(expr.plain().unwrap_or_default()).into(),
            Node::Array(items) => items.iter().map(|item| self.value(item)).collect::<Written<Vec<_>>>()?.into(),
            Node::Object(properties) => {
                let mut object = Map::new();
                for property in properties {
                    object.insert(self.key(property)?, self.value(&property.value)?);
                }
                object.into()
            }
            Node::Name(name) => match self.program.symbol(name).map(|found| &found.kind) {
                Some(DeclKind::Var(value)) if self.program.inlined(value) => self.value(value)?,
                _ => self.bracketed(expr)?,
            },
            Node::Member(base, member) => match (self.named(base), member.as_str()) {
                (Some(decl), "name") => self.value(own_name(decl)?)?,
                (Some(Decl { kind: DeclKind::Resource(resource), .. }), "type") => resource.kind.as_str().into(),
                (Some(Decl { kind: DeclKind::Resource(resource), .. }), "apiVersion") => {
                    resource.version.as_str().into()
                }
                _ => self.bracketed(expr)?,
            },
            Node::Call(name, _) if name == "loadTextContent" && !self.texts.contains_key(&expr.at) => {
                literal(self.loaded(expr.at)?).into()
            }
            Node::Call(name, arguments) if name == "any" && arguments.len() == 1 => self.value(&arguments[0])?,
            _ => self.bracketed(expr)?,
        })
    }

    /// The resource or module that an expression is the symbol of.
    fn named(&self, expr: &Expr) -> Option<&'a Decl> {
        let Node::Name(name) = &expr.node else { return None };
        self.program.symbol(name).filter(|decl| matches!(decl.kind, DeclKind::Resource(_) | DeclKind::Module(_)))
    }

    fn bracketed(&self, expr: &'a Expr) -> Written<Value> {
        Ok(format!("[{}]", self.text(expr)?).into())
    }

    fn key(&self, property: &'a Property) -> Written<String> {
        match property.name() {
            Some(name) => Ok(literal(name)),
            None => Ok(format!("[{}]", self.format(&property.key)?)),
        }
    }

    fn loaded(&self, at: Pos) -> Written<&'a str> {
        self.program.texts.get(&at).map(String::as_str).ok_or_else(|| Fault::new(at, "this text was not loaded"))
    }

    /// The text of an expression without its brackets.
    pub fn text(&self, expr: &'a Expr) -> Written<String> {
        Ok(match &expr.node {
            Node::Null => "null()".to_owned(),
            Node::Bool(value) => format!("{value}()"),
            Node::Int(value) if i32::try_from(*value).is_err() => format!("json('{value}')"),
            Node::Int(value) => value.to_string(),
            Node::Text(pieces) => match expr.plain() {
                Some(text) => quoted(text),
                None => self.format(pieces)?,
            },
            Node::Array(items) => call("createArray", &self.texts_of(items)?),
            Node::Object(properties) => {
                let mut arguments = Vec::new();
                for property in properties {
                    arguments.push(match property.name() {
                        Some(name) => quoted(name),
                        None => self.format(&property.key)?,
                    });
                    arguments.push(self.text(&property.value)?);
                }
                call("createObject", &arguments)
            }
            Node::Name(name) => self.name(expr.at, name)?,
            Node::Member(base, member) => self.member(expr.at, base, member)?,
            Node::Index(base, index) => format!("{}[{}]", self.text(base)?, self.text(index)?),
            Node::Call(name, arguments) => self.function(expr.at, name, arguments)?,
            Node::Method(base, name, arguments) => self.method(expr.at, base, name, arguments)?,
            Node::Unary("!", operand) => call("not", &[self.text(operand)?]),
            Node::Unary(_, operand) => call("sub", &["0".to_owned(), self.text(operand)?]),
            Node::Binary(operator, left, right) => binary(operator, self.text(left)?, self.text(right)?),
            Node::Choice(condition, yes, no) => call("if", &[self.text(condition)?, self.text(yes)?, self.text(no)?]),
        })
    }

    fn texts_of(&self, items: &'a [Expr]) -> Written<Vec<String>> {
        items.iter().map(|item| self.text(item)).collect()
    }

    fn format(&self, pieces: &'a [Piece]) -> Written<String> {
        let mut pattern = String::new();
        let mut arguments = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Literal(text) => pattern.push_str(&text.replace('{', "{{").replace('}', "}}")),
                Piece::Value(value) => {
                    pattern.push_str(&format!("{{{}}}", arguments.len()));
                    arguments.push(self.text(value)?);
                }
            }
        }
        arguments.insert(0, quoted(&pattern));
        Ok(call("format", &arguments))
    }

    fn name(&self, at: Pos, name: &str) -> Written<String> {
        let Some(decl) = self.program.symbol(name) else {
            return Err(Fault::new(at, format!("there is no `{name}` (BCP057)")));
        };
        match &decl.kind {
            DeclKind::Param(..) => Ok(format!("parameters({})", quoted(name))),
            DeclKind::Var(value) if self.program.inlined(value) => self.text(value),
            DeclKind::Var(_) => Ok(format!("variables({})", quoted(name))),
            DeclKind::Resource(resource) => self.reference(decl, resource, Reads::All),
            _ => Err(Fault::new(at, format!("module `{name}` as a value is not supported here"))),
        }
    }

    fn member(&self, at: Pos, base: &'a Expr, member: &str) -> Written<String> {
        let (outputs, symbol) = match &base.node {
            Node::Member(inner, outputs) if outputs == "outputs" => (true, inner.as_ref()),
            _ => (false, base),
        };
        let Some(decl) = self.named(symbol) else { return Ok(format!("{}{}", self.text(base)?, step(member))) };
        match (&decl.kind, member, outputs) {
            (DeclKind::Resource(resource), "id", false) => self.id(decl, resource),
            (DeclKind::Resource(_), "name", false) => self.text(own_name(decl)?),
            (DeclKind::Resource(resource), "type", false) => Ok(quoted(&resource.kind)),
            (DeclKind::Resource(resource), "apiVersion", false) => Ok(quoted(&resource.version)),
            (DeclKind::Resource(resource), "properties", false) => self.reference(decl, resource, Reads::Properties),
            (DeclKind::Module(_), "name", false) => self.text(own_name(decl)?),
            (DeclKind::Module(module), _, true) => {
                let declared = self.program.modules.get(&decl.name).is_none_or(|program| {
                    program.decls.iter().any(|out| out.name == member && matches!(out.kind, DeclKind::Output(..)))
                });
                if !declared {
                    return Err(Fault::new(at, format!("{} has no output `{member}` (BCP053)", module.path)));
                }
                let deployment = match self.form {
                    Form::Classic => call("reference", &[self.module_id(decl)?, quoted(DEPLOYMENTS)]),
                    Form::Symbolic => call("reference", &[quoted(&decl.name)]),
                };
                Ok(format!("{deployment}.outputs{}.value", step(member)))
            }
            (DeclKind::Module(_), _, false) => {
                Err(Fault::new(at, format!("a module has `name` and `outputs`, no `{member}` that is supported here")))
            }
            _ => Ok(format!("{}{}", self.text(base)?, step(member))),
        }
    }

    fn function(&self, at: Pos, name: &str, arguments: &'a [Expr]) -> Written<String> {
        if name == "loadTextContent" {
            return match self.texts.get(&at) {
                Some(number) => Ok(format!("variables('$fxv#{number}')")),
                None => Ok(quoted(self.loaded(at)?)),
            };
        }
        match (name, arguments) {
            ("any", [argument]) => self.text(argument),
            _ if FUNCTIONS.contains(&name) || runs(name) => Ok(call(name, &self.texts_of(arguments)?)),
            _ => Err(Fault::new(at, format!("function `{name}` is not known here (BCP057)"))),
        }
    }

    fn method(&self, at: Pos, base: &'a Expr, name: &str, arguments: &'a [Expr]) -> Written<String> {
        let resource = match &base.node {
            Node::Name(symbol) => self.program.resource(symbol),
            _ => None,
        };
        let (Some((decl, resource)), true) = (resource, runs(name) && name != "reference") else {
            return Err(Fault::new(at, format!("method `{name}` is not supported here")));
        };
        let mut all = vec![self.id(decl, resource)?];
        if arguments.is_empty() {
            all.push(quoted(&resource.version));
        }
        all.extend(self.texts_of(arguments)?);
        Ok(call(name, &all))
    }

    fn reference(&self, decl: &'a Decl, resource: &'a Resource, reads: Reads) -> Written<String> {
        let mut arguments = match self.form {
            Form::Classic => vec![self.id(decl, resource)?, quoted(&resource.version)],
            Form::Symbolic => vec![quoted(&decl.name)],
        };
        if reads == Reads::All {
            arguments.push(quoted("full"));
        }
        Ok(call("reference", &arguments))
    }

    /// The expressions of a resource's names, its ancestors' first.
    pub fn names(&self, decl: &'a Decl, resource: &'a Resource) -> Written<Vec<String>> {
        let mut names = match self.parent(decl, resource)? {
            Some((above, parent)) => self.names(above, parent)?,
            None => Vec::new(),
        };
        names.push(self.text(own_name(decl)?)?);
        Ok(names)
    }

    /// The parent of a resource, checked against its type.
    pub fn parent(&self, decl: &'a Decl, resource: &'a Resource) -> Written<Option<(&'a Decl, &'a Resource)>> {
        let Some(parent) = decl.property("parent") else {
            if resource.kind.split('/').count() > 2 {
                let message = format!("a child without `parent` is not supported here: {}", resource.kind);
                return Err(Fault::new(decl.at, message));
            }
            return Ok(None);
        };
        let found = match &parent.node {
            Node::Name(name) => self.program.resource(name),
            _ => None,
        };
        let Some((above, kind)) = found else {
            return Err(Fault::new(parent.at, "a parent is the symbol of a resource (BCP036)"));
        };
        let child = resource.kind.rsplit_once('/').map(|(above, _)| above);
        if child.is_none_or(|child| !child.eq_ignore_ascii_case(&kind.kind)) {
            let message = format!("{} is no parent of {} (BCP036)", kind.kind, resource.kind);
            return Err(Fault::new(parent.at, message));
        }
        Ok(Some((above, kind)))
    }

    /// Where a resource or a module lives.
    pub fn place(&self, decl: &'a Decl) -> Written<Place<'a>> {
        if let DeclKind::Resource(resource) = &decl.kind
            && let Some((above, _)) = self.parent(decl, resource)?
        {
            if let Some(scope) = decl.property("scope") {
                return Err(Fault::new(scope.at, "a child lives where its parent lives (BCP164)"));
            }
            return self.place(above);
        }
        let Some(scope) = decl.property("scope") else { return Ok(Place::Here) };
        match &scope.node {
            Node::Name(name) if matches!(decl.kind, DeclKind::Resource(_)) => match self.program.resource(name) {
                Some((on, resource)) => Ok(Place::On(on, resource)),
                None => Err(Fault::new(scope.at, format!("`{name}` is no resource"))),
            },
            Node::Call(function, arguments) if function == "resourceGroup" => match arguments.as_slice() {
                [] => Ok(Place::Here),
                [group] => Ok(Place::Group(None, group)),
                [subscription, group] => Ok(Place::Group(Some(subscription), group)),
                _ => Err(Fault::new(scope.at, "resourceGroup() takes a name, or a subscription and a name")),
            },
            _ => {
                Err(Fault::new(scope.at, "this scope is not supported here: a resource's symbol or resourceGroup() is"))
            }
        }
    }

    /// The id of a resource.
    pub fn id(&self, decl: &'a Decl, resource: &'a Resource) -> Written<String> {
        self.id_of(self.place(decl)?, &resource.kind, self.names(decl, resource)?)
    }

    /// The id of a module's deployment.
    pub fn module_id(&self, decl: &'a Decl) -> Written<String> {
        self.id_of(self.place(decl)?, "Microsoft.Resources/deployments", vec![self.text(own_name(decl)?)?])
    }

    fn id_of(&self, place: Place<'a>, kind: &str, names: Vec<String>) -> Written<String> {
        let (function, mut arguments) = match place {
            Place::Here => ("resourceId", Vec::new()),
            Place::Group(subscription, group) => {
                let subscription = match subscription {
                    Some(subscription) => self.text(subscription)?,
                    None => "subscription().subscriptionId".to_owned(),
                };
                let pattern = quoted("/subscriptions/{0}/resourceGroups/{1}");
                ("extensionResourceId", vec![call("format", &[pattern, subscription, self.text(group)?])])
            }
            Place::On(decl, resource) => ("extensionResourceId", vec![self.id(decl, resource)?]),
        };
        arguments.push(quoted(kind));
        arguments.extend(names);
        Ok(call(function, &arguments))
    }
}

/// How much of a resource is read at run time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    Properties,
    All,
}

/// The name as written in a resource or module.
pub fn own_name(decl: &Decl) -> Written<&Expr> {
    decl.property("name").ok_or_else(|| Fault::new(decl.at, format!("`{}` has no name", decl.name)))
}

fn call(function: &str, arguments: &[String]) -> String {
    format!("{function}({})", arguments.join(", "))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn step(member: &str) -> String {
    let mut characters = member.chars();
    let plain = characters.next().is_some_and(|c| c == '_' || c.is_ascii_alphabetic())
        && characters.all(|c| c == '_' || c.is_ascii_alphanumeric());
    if plain { format!(".{member}") } else { format!("[{}]", quoted(member)) }
}

fn binary(operator: &str, left: String, right: String) -> String {
    let lower = |text: String| call("toLower", &[text]);
    let function = match operator {
        "+" => "add",
        "-" => "sub",
        "*" => "mul",
        "/" => "div",
        "%" => "mod",
        "<" => "less",
        "<=" => "lessOrEquals",
        ">" => "greater",
        ">=" => "greaterOrEquals",
        "&&" => "and",
        "||" => "or",
        "??" => "coalesce",
        "!=" => return call("not", &[call("equals", &[left, right])]),
        "=~" => return call("equals", &[lower(left), lower(right)]),
        "!~" => return call("not", &[call("equals", &[lower(left), lower(right)])]),
        _ => "equals",
    };
    call(function, &[left, right])
}

/// A literal string as JSON holds it: ARM would take `[x]` for an expression, so it gets a second bracket.
pub fn literal(text: &str) -> String {
    if text.starts_with('[') && text.ends_with(']') { format!("[{text}") } else { text.to_owned() }
}
