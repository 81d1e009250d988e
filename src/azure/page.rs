//! Lists of the gateway's own: filters of the form `name eq 'value' and ...`, and pages with `$top` and `$skiptoken`.

use super::World;
use super::reply::{Reply, gateway};
use super::router::Ask;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// What a filter asks for: names in lower case, with the value that each must have.
pub(super) type Filter = Vec<(String, String)>;

/// Reads the `$filter` of a request. `known` are the names that the list can be filtered by, in lower case.
pub(super) fn filter(ask: &Ask<'_>, known: &[&str]) -> Result<Filter, Reply> {
    let text = ask.url.query("$filter").unwrap_or("").trim();
    let refusal = || {
        let message = format!("Invalid $filter '{text}' specified in the query string.");
        gateway(400, "InvalidFilterInQueryString", message)
    };
    if text.is_empty() {
        return Ok(Filter::new());
    }
    read(text).filter(|found| found.iter().all(|(name, _)| known.contains(&name.as_str()))).ok_or_else(refusal)
}

/// `a eq 'x' and b eq 'y'`, words in any case; a quote in a value is written twice.
fn read(text: &str) -> Option<Filter> {
    let mut found = Filter::new();
    let mut rest = text;
    loop {
        let (name, after) = rest.trim_start().split_once(|c: char| c.is_whitespace())?;
        let after = word(after, "eq")?.trim_start().strip_prefix('\'')?;
        let (value, after) = quoted(after)?;
        found.push((name.to_ascii_lowercase(), value));
        if after.trim().is_empty() {
            return Some(found);
        }
        rest = word(after, "and")?;
    }
}

/// What follows a word, blanks before it left out.
fn word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = text.trim_start();
    let (found, rest) = text.split_at_checked(word.len())?;
    (found.eq_ignore_ascii_case(word) && rest.starts_with(|c: char| c.is_whitespace())).then_some(rest)
}

/// A text up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' if chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                chars.next();
                value.push('\'');
            }
            '\'' => return Some((value, &text[at + 1..])),
            other => value.push(other),
        }
    }
    None
}

/// A page of a list, `most` items unless the caller asks for fewer; recorded, the token counts what was shown.
pub(super) fn page(world: &World, ask: &Ask<'_>, values: Vec<Value>, most: usize) -> Reply {
    let top = match ask.url.query("$top").map(str::parse::<usize>) {
        None => most,
        Some(Ok(top)) if top > 0 => top.min(most),
        Some(_) => {
            let message = "The value of '$top' in the query string is no number above zero.";
            return gateway(400, "InvalidTopInQueryString", message);
        }
    };
    let skip = match ask.url.query("$skiptoken").map(skipped) {
        None => 0,
        Some(Some(skip)) => skip,
        Some(None) => {
            let message = "The provided '$skiptoken' in the query string is invalid.";
            return gateway(400, "InvalidSkipToken", message);
        }
    };
    let more = values.len() > skip.saturating_add(top);
    let shown: Vec<Value> = values.into_iter().skip(skip).take(top).collect();
    let mut body = json!({ "value": shown });
    if more && let Value::Object(body) = &mut body {
        let token = STANDARD.encode(format!("{{\"SkipCount\":{},\"Type\":\"First\"}}", skip + top));
        let path = ask.url.path.iter().map(|part| escaped(part)).collect::<Vec<_>>().join("/");
        let mut next = format!("{}/{path}?", world.origin);
        for name in ["$filter", "$top"] {
            if let Some(value) = ask.url.query(name) {
                next.push_str(&format!("{}={}&", escaped(name), escaped(value)));
            }
        }
        // recorded: escapes in lower case
        next.push_str(&format!("api-version={}&%24skiptoken={}", escaped(&ask.version), escaped(&token)));
        body.insert("nextLink".into(), next.into());
    }
    Reply::json(200, body)
}

/// How much a token says was shown.
fn skipped(token: &str) -> Option<usize> {
    let text = STANDARD.decode(token).ok()?;
    let token: Value = serde_json::from_slice(&text).ok()?;
    usize::try_from(token.get("SkipCount")?.as_u64()?).ok()
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~()':".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read() {
        let one = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(read("tagName eq 'a'"), Some(vec![one("tagname", "a")]));
        assert_eq!(
            read(" tagName EQ 'it''s' and tagvalue eq '' "),
            Some(vec![one("tagname", "it's"), one("tagvalue", "")])
        );
        for wrong in ["", "a", "a eq", "a eq b", "a eq 'b", "a eq 'b' or c eq 'd'", "a eq 'b' and", "a ne 'b'", "é"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
