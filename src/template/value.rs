//! Values of a template: literals, and expressions that both printers know.

/// The members of an object, in order.
pub type Body = Vec<(String, Value)>;

/// A value of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text, as it is.
    Text(String),
    /// A list.
    Array(Vec<Value>),
    /// An object.
    Object(Body),
    /// A parameter, by name.
    Param(String),
    /// A variable, by name.
    Var(String),
    /// A property of a resource of this template, by symbol and path: `id`, `name`, `properties.endpoint`.
    Prop(String, Vec<&'static str>),
    /// An answer of a module of this template, by symbol and name.
    Output(String, &'static str),
    /// A member of a value.
    Member(Box<Value>, String),
    /// An object of one member, whose name is computed.
    Keyed(Box<Value>, Box<Value>),
    /// A function, called.
    Call(&'static str, Vec<Value>),
    /// Texts and expressions in a row. Made by [`Value::concat`].
    Interpolated(Vec<Value>),
    /// The text of a file beside the Bicep.
    File(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Bool(flag)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Value {
        Value::Int(number.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::Array(items)
    }
}

impl Value {
    /// A parameter.
    pub fn param(name: &str) -> Value {
        Value::Param(name.to_owned())
    }

    /// A variable.
    pub fn var(name: &str) -> Value {
        Value::Var(name.to_owned())
    }

    /// A property of the resource `symbol`.
    pub fn prop(symbol: &str, path: &[&'static str]) -> Value {
        Value::Prop(symbol.to_owned(), path.to_vec())
    }

    /// A member of this value.
    pub fn member(self, name: &str) -> Value {
        Value::Member(Box::new(self), name.to_owned())
    }

    /// An object of one member, whose name is `name`'s value.
    pub fn keyed(name: Value, value: Value) -> Value {
        Value::Keyed(Box::new(name), Box::new(value))
    }

    /// An object.
    pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
        Value::Object(body(members))
    }

    /// The parts in a row, as one text.
    pub fn concat<const N: usize>(parts: [Value; N]) -> Value {
        let mut kept: Vec<Value> = Vec::new();
        for part in parts {
            match (kept.last_mut(), part) {
                (_, Value::Text(text)) if text.is_empty() => {}
                (Some(Value::Text(before)), Value::Text(text)) => before.push_str(&text),
                (_, part) => kept.push(part),
            }
        }
        match kept.len() {
            0 => Value::from(""),
            1 => kept.swap_remove(0),
            _ => Value::Interpolated(kept),
        }
    }

    /// Whether nothing has to be computed.
    pub fn is_literal(&self) -> bool {
        match self {
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_) => true,
            Value::Array(items) => items.iter().all(Value::is_literal),
            Value::Object(members) => members.iter().all(|(_, value)| value.is_literal()),
            _ => false,
        }
    }

    /// Calls `note` with the symbol of every resource and module that is named.
    pub fn symbols(&self, note: &mut impl FnMut(&str)) {
        self.visit(&mut |value| {
            if let Value::Prop(symbol, _) | Value::Output(symbol, _) = value {
                note(symbol);
            }
        });
    }

    /// Calls `note` with every parameter, variable and file that is named.
    pub fn names(&self, note: &mut impl FnMut(&str)) {
        self.visit(&mut |value| {
            if let Value::Param(name) | Value::Var(name) | Value::File(name) = value {
                note(name);
            }
        });
    }

    /// Calls `note` with every file that is named, in order.
    pub fn files<'a>(&'a self, note: &mut impl FnMut(&'a str)) {
        self.visit(&mut |value| {
            if let Value::File(path) = value {
                note(path);
            }
        });
    }

    fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Value)) {
        see(self);
        match self {
            Value::Array(items) | Value::Call(_, items) | Value::Interpolated(items) => {
                items.iter().for_each(|item| item.visit(see));
            }
            Value::Object(members) => members.iter().for_each(|(_, value)| value.visit(see)),
            Value::Member(base, _) => base.visit(see),
            Value::Keyed(name, value) => {
                name.visit(see);
                value.visit(see);
            }
            _ => {}
        }
    }

    /// The value with every part replaced that `change` has another for; what it gives is taken as it is.
    pub(super) fn map(&self, change: &mut impl FnMut(&Value) -> Option<Value>) -> Value {
        if let Some(other) = change(self) {
            return other;
        }
        let mut all = |items: &[Value]| items.iter().map(|item| item.map(change)).collect::<Vec<Value>>();
        match self {
            Value::Array(items) => Value::Array(all(items)),
            Value::Call(name, items) => Value::Call(name, all(items)),
            Value::Interpolated(items) => Value::Interpolated(all(items)),
            Value::Object(members) => {
                Value::Object(members.iter().map(|(name, value)| (name.clone(), value.map(change))).collect())
            }
            Value::Member(base, name) => Value::Member(Box::new(base.map(change)), name.clone()),
            Value::Keyed(name, value) => Value::Keyed(Box::new(name.map(change)), Box::new(value.map(change))),
            leaf => leaf.clone(),
        }
    }
}

impl From<&serde_json::Value> for Value {
    /// As it stands; a number that is no whole one of 64 bits has no literal in Bicep, and is read from its text.
    fn from(json: &serde_json::Value) -> Value {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(*flag),
            Json::Number(number) => match number.as_i64() {
                Some(number) => Value::Int(number),
                None => Value::Call("json", vec![Value::Text(number.to_string())]),
            },
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => items.iter().map(Value::from).collect::<Vec<Value>>().into(),
            Json::Object(members) => members.iter().map(|(name, value)| (name.clone(), Value::from(value))).collect(),
        }
    }
}

impl FromIterator<(String, Value)> for Value {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Value {
        Value::Object(members.into_iter().collect())
    }
}

/// The members of an object.
pub(super) fn body<const N: usize>(members: [(&str, Value); N]) -> Body {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether Bicep and ARM let a name stand without quotes.
pub(super) fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= 255
}
