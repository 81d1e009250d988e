//! The functions that take a lambda: `map`, `filter`, `reduce`, `sort`, `toObject`, `groupBy`, `mapValues`.

use super::super::error::{EvalError, Fault};
use super::super::functions::Args;
use super::super::value::{entry, limit, set, size};
use super::{Evaluator, Expr};
use serde_json::{Map, Value};

impl Evaluator<'_> {
    /// Calls one of the functions that take a lambda.
    pub(super) fn with_lambda(&mut self, function: &'static str, args: &[Expr]) -> Result<Value, EvalError> {
        let over = [self.value(&args[0])?];
        let given = Args { function, values: &over };
        // `reduce` has the value to begin with in between
        let first = if function == "reduce" { 2 } else { 1 };
        let lambdas = args[first..].iter().map(|arg| Lambda::of(function, arg)).collect::<Result<Vec<_>, _>>()?;
        let lambda = &lambdas[0];
        let mut room = Room(0);
        if function == "mapValues" {
            let mut out = Map::new();
            for (key, value) in given.object(0)? {
                out.insert(key.clone(), room.take(self.apply(lambda, &[value])?)?);
            }
            return Ok(out.into());
        }
        let items = given.array(0)?;
        let indexed = || items.iter().enumerate().map(|(index, item)| (item, Value::from(index)));
        match function {
            "map" => indexed().map(|(item, index)| room.take(self.apply(lambda, &[item, &index])?)).collect(),
            "filter" => {
                let mut out = Vec::new();
                for (item, index) in indexed() {
                    if self.decide(function, lambda, &[item, &index])? {
                        out.push(item.clone());
                    }
                }
                Ok(Value::Array(out))
            }
            "reduce" => {
                let mut sum = self.value(&args[1])?;
                for (item, index) in indexed() {
                    sum = self.apply(lambda, &[&sum, item, &index])?;
                    limit(size(&sum))?;
                }
                Ok(sum)
            }
            "sort" => Ok(self.sort(lambda, items.iter().collect())?.into_iter().cloned().collect()),
            _ => {
                let mut out = Map::new();
                for item in items {
                    let key = [self.apply(lambda, &[item])?];
                    let key = Args { function, values: &key }.text(0)?;
                    let value = match lambdas.get(1) {
                        Some(lambda) => self.apply(lambda, &[item])?,
                        None => item.clone(),
                    };
                    let value = room.take(value)?;
                    match (function, entry(&mut out, key)) {
                        ("groupBy", Some(Value::Array(group))) => group.push(value),
                        ("groupBy", _) => set(&mut out, key, Value::Array(vec![value])),
                        _ => set(&mut out, key, value),
                    }
                }
                Ok(out.into())
            }
        }
    }

    /// Merged, so that a lambda that contradicts itself gives some order and no harm.
    fn sort<'v>(&mut self, before: &Lambda, mut items: Vec<&'v Value>) -> Result<Vec<&'v Value>, EvalError> {
        if items.len() < 2 {
            return Ok(items);
        }
        let right = items.split_off(items.len() / 2);
        let mut left = self.sort(before, items)?.into_iter().peekable();
        let mut right = self.sort(before, right)?.into_iter().peekable();
        let mut out = Vec::new();
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let next = if self.decide("sort", before, &[b, a])? { right.next() } else { left.next() };
            out.extend(next);
        }
        Ok(out.into_iter().chain(left).chain(right).collect())
    }

    fn decide(&mut self, function: &'static str, lambda: &Lambda, values: &[&Value]) -> Result<bool, EvalError> {
        let value = self.apply(lambda, values)?;
        Args { function, values: &[value] }.bool(0)
    }

    /// The body with the lambda's variables set, of which it may name fewer than there are.
    fn apply(&mut self, lambda: &Lambda, values: &[&Value]) -> Result<Value, EvalError> {
        let before = self.lambdas.len();
        let variables = lambda.names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), (*value).clone()));
        self.lambdas.extend(variables);
        let value = self.value(lambda.body);
        self.lambdas.truncate(before);
        value
    }
}

/// How much a result holds so far.
struct Room(usize);

impl Room {
    fn take(&mut self, value: Value) -> Result<Value, EvalError> {
        self.0 += size(&value);
        limit(self.0).map(|()| value)
    }
}

/// `lambda('name', ..., body)`, which may stand only as an argument of these functions.
struct Lambda<'e> {
    names: Vec<&'e str>,
    body: &'e Expr,
}

impl<'e> Lambda<'e> {
    fn of(function: &str, expr: &'e Expr) -> Result<Lambda<'e>, EvalError> {
        let name = |expr: &'e Expr| if let Expr::Str(name) = expr { Some(name.as_str()) } else { None };
        let lambda = match expr {
            Expr::Call(callee, args) if callee.eq_ignore_ascii_case("lambda") => args.split_last(),
            _ => None,
        };
        let names = lambda.and_then(|(body, names)| Some((body, names.iter().map(name).collect::<Option<_>>()?)));
        names.map(|(body, names)| Lambda { names, body }).ok_or_else(|| {
            let message = format!("The template language function '{function}' expects a lambda as its parameter.");
            EvalError::new(Fault::ArgumentType, message)
        })
    }
}
