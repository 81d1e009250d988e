//! `$filter` of lists of children, in the forms that clients use: `name eq 'x'`, `ne`, `startswith(name,'x')`,
//! `endswith`, `contains`, several of them joined by `and`.
//!
//! `name` is the display name where a child has one, as recorded for products; every other field is a property. Letters
//! of both cases are the same. Anything else is refused.

use crate::azure::reply::{Reply, validation};
use serde_json::Value;

/// One condition.
struct Condition {
    field: String,
    test: Test,
    value: String,
}

#[derive(Clone, Copy)]
enum Test {
    Equal,
    Other,
    Starts,
    Ends,
    Contains,
}

/// The children that a filter leaves.
pub(super) fn filtered(text: Option<&str>, values: Vec<Value>) -> Result<Vec<Value>, Reply> {
    let text = text.unwrap_or("").trim();
    if text.is_empty() {
        return Ok(values);
    }
    let Some(conditions) = read(text) else {
        return Err(validation(&[("$filter", format!("The filter '{text}' is not supported."))]));
    };
    Ok(values.into_iter().filter(|value| conditions.iter().all(|condition| condition.fits(value))).collect())
}

impl Condition {
    fn fits(&self, child: &Value) -> bool {
        let property = |name: &str| {
            let properties = child.get("properties")?.as_object()?;
            properties.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        let found = match self.field.as_str() {
            "name" => property("displayName").filter(|value| !value.is_null()).or_else(|| child.get("name")),
            field => property(field),
        };
        let own = match found {
            Some(Value::String(text)) => text.to_lowercase(),
            Some(Value::Bool(flag)) => flag.to_string(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let wanted = self.value.to_lowercase();
        match self.test {
            Test::Equal => own == wanted,
            Test::Other => own != wanted,
            Test::Starts => own.starts_with(&wanted),
            Test::Ends => own.ends_with(&wanted),
            Test::Contains => own.contains(&wanted),
        }
    }
}

fn read(text: &str) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    let mut rest = text;
    loop {
        let (condition, after) = one(rest.trim_start())?;
        conditions.push(condition);
        let after = after.trim_start();
        if after.is_empty() {
            return Some(conditions);
        }
        rest = word(after, "and")?;
    }
}

fn one(text: &str) -> Option<(Condition, &str)> {
    let calls = [("startswith", Test::Starts), ("endswith", Test::Ends), ("contains", Test::Contains)];
    for (name, test) in calls {
        let Some((head, rest)) = text.split_at_checked(name.len()) else { continue };
        let Some(inside) = rest.trim_start().strip_prefix('(').filter(|_| head.eq_ignore_ascii_case(name)) else {
            continue;
        };
        let (field, inside) = inside.split_once(',')?;
        let (value, after) = literal(inside.trim_start())?;
        let condition = Condition { field: field_name(field)?, test, value };
        return Some((condition, after.trim_start().strip_prefix(')')?));
    }
    let (field, rest) = text.split_once(|c: char| c.is_whitespace())?;
    let (test, rest) = match word(rest, "eq") {
        Some(rest) => (Test::Equal, rest),
        None => (Test::Other, word(rest, "ne")?),
    };
    let (value, after) = literal(rest.trim_start())?;
    Some((Condition { field: field_name(field)?, test, value }, after))
}

/// A field as `name` or `properties/displayName`.
fn field_name(text: &str) -> Option<String> {
    let name = text.trim().rsplit('/').next()?;
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric())).then(|| name.to_string())
}

/// A text in quotes, one of which is written twice inside; or `true`, `false`, a number.
fn literal(text: &str) -> Option<(String, &str)> {
    let Some(inside) = text.strip_prefix('\'') else {
        let end = text.find(|c: char| c.is_whitespace() || c == ')').unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        let plain = word == "true" || word == "false" || word.parse::<i64>().is_ok();
        return plain.then(|| (word.to_string(), rest));
    };
    let mut value = String::new();
    let mut rest = inside;
    loop {
        let (part, after) = rest.split_once('\'')?;
        value.push_str(part);
        match after.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value, after)),
        }
    }
}

fn word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (found, rest) = text.trim_start().split_at_checked(word.len())?;
    (found.eq_ignore_ascii_case(word) && rest.starts_with(|c: char| c.is_whitespace())).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn filters_that_clients_send() {
        let all = || {
            vec![
                json!({"name": "starter", "properties": {"displayName": "Starter", "state": "published", "limit": 1}}),
                json!({"name": "it's", "properties": {"displayName": null, "state": "notPublished", "limit": 2}}),
            ]
        };
        let names = |text: &str| {
            filtered(Some(text), all()).ok().map(|found| {
                found.iter().filter_map(|value| value["name"].as_str().map(str::to_string)).collect::<Vec<_>>()
            })
        };
        let some = |names: &[&str]| Some(names.iter().map(|name| name.to_string()).collect::<Vec<_>>());
        assert_eq!(names("name eq 'STARTER'"), some(&["starter"]));
        assert_eq!(names("name eq 'it''s'"), some(&["it's"]));
        assert_eq!(names("name ne 'starter' and limit eq 2"), some(&["it's"]));
        assert_eq!(names("properties/state eq 'published' and startswith(displayName, 'St')"), some(&["starter"]));
        assert_eq!(names("contains(state,'published')"), some(&["starter", "it's"]));
        assert_eq!(names("endswith(name,'er')"), some(&["starter"]));
        assert_eq!(names("none eq 'x'"), some(&[]));
        assert_eq!(names(""), some(&["starter", "it's"]));
        for wrong in [
            "name",
            "name eq",
            "name eq x",
            "name gt 'x'",
            "name eq 'x",
            "startswith(name 'x')",
            "a eq 1 or b eq 2",
            "eq eq eq",
        ] {
            assert_eq!(names(wrong), None, "{wrong}");
        }
    }
}
