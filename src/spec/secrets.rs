//! Keys that were written into the spec, or into a file that it names: refused wherever they stand, as values, as parts of
//! longer texts and as names, and never repeated in a message.
//!
//! A 32 digit hexadecimal value is an Azure OpenAI key or an API Management key of old; 84 and more letters and digits
//! without a blank are the newer account keys, tokens and base64. Deliberately absent: passwords, which look like any word.

use super::yaml::{Node, Value, item, join};
use crate::diagnostic::{Diagnostic, Span, code};
use serde_json::Value as Json;

const HELP: &str = "take it out and rotate it; the gateway signs in with its managed identity";

/// Whether a text looks like a key, or has one in it.
pub fn looks_secret(text: &str) -> bool {
    // an id of Azure holds names, which are often hashes; the address of a vault's secret holds its version
    let secret = |rest: &str| rest.contains(".vault.") && rest.contains("/secrets/");
    let address = text.strip_prefix("https://");
    if text.starts_with("/subscriptions/") || address.is_some_and(secret) {
        return false;
    }
    // who looks for a host finds it
    let text = address.map_or(text, |rest| rest.find(['/', '?', '#']).map_or("", |end| &rest[end..]));
    let mut pieces = text.split(|c: char| !c.is_ascii_alphanumeric());
    let mut words = text.split(|c: char| c.is_whitespace() || "\"'`,;<>(){}".contains(c));
    let mut names = text.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c));
    let of_address = address.is_some();
    pieces.any(is_hexadecimal)
        || words.any(|word| !of_address && is_long(word))
        || names.any(|name| is_prefixed(name) || of_address && is_long(name))
        || is_connection(text)
}

fn is_hexadecimal(word: &str) -> bool {
    word.len() == 32
        && word.bytes().all(|b| b.is_ascii_hexdigit())
        && word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

fn is_long(word: &str) -> bool {
    word.len() >= 84 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_.-".contains(&b)) && is_mixed(word)
}

/// `sk-...`: so the keys of OpenAI itself begin.
fn is_prefixed(word: &str) -> bool {
    word.strip_prefix("sk-").is_some_and(|rest| rest.len() >= 32 && is_mixed(rest))
}

fn is_mixed(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().any(|b| b.is_ascii_uppercase())
        && word.bytes().any(|b| b.is_ascii_lowercase())
}

/// A connection string, or a signed address.
fn is_connection(text: &str) -> bool {
    ["AccountKey=", "SharedAccessKey=", "InstrumentationKey=", "&sig=", "?sig="].iter().any(|name| {
        let value = text.split_once(name).map_or("", |(_, value)| value);
        value.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"+/=%-".contains(b)).count() >= 16
    })
}

/// Reports every key that stands in the tree, and gives the texts that hold one: no other message may repeat them.
pub fn find(root: &Node, out: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut texts = Vec::new();
    walk(root, "", &mut |text, path, span| {
        let problem = Diagnostic::new(code::LITERAL_SECRET, "this looks like a key, and a spec holds none").at(path);
        out.push(Diagnostic { span, ..problem.help(HELP) });
        texts.push(text.to_owned());
    });
    texts
}

fn walk(node: &Node, path: &str, report: &mut dyn FnMut(&str, &str, Option<Span>)) {
    match &node.value {
        Value::Plain(text) | Value::Quoted(text) if looks_secret(text) => report(text, path, node.span),
        Value::Seq(items) => {
            items.iter().enumerate().for_each(|(index, node)| walk(node, &item(path, index), report));
        }
        Value::Map(entries) => {
            for entry in entries {
                // names of Azure's properties are long, and have dots
                if looks_secret(&entry.key) && !entry.key.starts_with("Microsoft.") {
                    report(&entry.key, path, entry.key_span);
                }
                walk(&entry.node, &join(path, &entry.key), report);
            }
        }
        _ => {}
    }
}

/// Takes the texts out of what is told: a message may quote the spec.
pub fn redact(problems: &mut [Diagnostic], texts: &[String]) {
    const HIDDEN: &str = "***";
    for problem in problems.iter_mut().filter(|_| !texts.is_empty()) {
        let parts = [Some(&mut problem.message), problem.label.as_mut(), problem.help.as_mut(), problem.key.as_mut()];
        for part in parts.into_iter().flatten().chain(&mut problem.notes) {
            texts.iter().for_each(|text| *part = part.replace(text.as_str(), HIDDEN));
        }
    }
}

/// The text with asterisks where a key stands, as long as it was: it is shown in terminals, which are often logs.
pub fn covered(text: &str) -> String {
    let mut covered = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let of_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let name = rest.find(|c| !of_name(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(name.max(rest.chars().next().map_or(0, char::len_utf8)));
        let secret = is_prefixed(name) || name.split(['-', '_']).any(is_hexadecimal);
        covered.extend(name.chars().map(|c| if secret && c.is_ascii_alphanumeric() { '*' } else { c }));
        rest = after;
    }
    covered
}

/// The line of a template that has a key in it.
pub fn line_of(text: &str) -> Option<usize> {
    text.lines().position(looks_secret).map(|line| line + 1)
}

/// Where a key stands in a JSON document: a value that is one whole, under a name that says so. Examples in OpenAPI
/// documents are full of ids that look like one.
pub fn place_in(document: &Json, path: &str) -> Option<String> {
    const NAMES: [&str; 5] = ["key", "secret", "token", "password", "authorization"];
    match document {
        Json::Object(members) => members.iter().find_map(|(name, value)| {
            let lower = name.to_ascii_lowercase();
            let named = NAMES.iter().any(|word| lower.contains(word));
            let path = join(path, name);
            match value {
                Json::String(text) if named && looks_secret(text) => Some(path),
                value => place_in(value, &path),
            }
        }),
        Json::Array(items) => items.iter().enumerate().find_map(|(index, value)| place_in(value, &item(path, index))),
        _ => None,
    }
}

/// Takes out what looks like a key, and gives the places where it stood; a place is never a key itself.
pub fn take(value: &mut Json, path: &str, taken: &mut Vec<String>) {
    let is_key = |value: &Json| value.as_str().is_some_and(looks_secret);
    match value {
        Json::Object(members) => members.retain(|name, value| {
            // names of Azure's properties are long, and have dots
            let named = looks_secret(name) && !name.starts_with("Microsoft.");
            let at = if named { path.to_owned() } else { join(path, name) };
            if named || is_key(value) {
                taken.push(at);
                return false;
            }
            take(value, &at, taken);
            true
        }),
        Json::Array(items) => {
            let mut index = 0;
            items.retain_mut(|value| {
                let at = item(path, index);
                index += 1;
                if is_key(value) {
                    taken.push(at);
                    return false;
                }
                take(value, &at, taken);
                true
            });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789ABCDEF";

    #[test]
    fn keys_are_seen_and_ordinary_texts_are_not() {
        for secret in [
            HEX.to_string(),
            "Ab3".repeat(28),
            format!("the key is {HEX}."),
            format!("https://x.test/openai/{HEX}/chat"),
            format!("https://x.test?api-key={HEX}"),
            format!("https://x.test/{}", "Ab3".repeat(28)),
            format!("Bearer {}", "Ab3".repeat(28)),
            format!("sk-proj-{}", "aB3_".repeat(10)),
            "Endpoint=sb://x/;SharedAccessKey=abcdefghijklmnop=".into(),
            "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=https://x".into(),
            "https://x.blob.test/a?sv=1&sig=abcdefghijklmnopq%3D".into(),
        ] {
            assert!(looks_secret(&secret), "{secret}");
        }
        for text in [
            "00000000-0000-0000-0000-000000000001",
            "0123456789abcdef0123456789abcde",
            "12345678901234567890123456789012",
            "0123456789abcdef0123456789abcdef01234567",
            &format!("/subscriptions/s/resourceGroups/rg-{HEX}"),
            &format!("https://kv.vault.azure.net/secrets/llm/{HEX}"),
            &format!("https://{HEX}.example.com/v1"),
            "https://x.test/openai/deployments/gpt-4.1",
            "sk-one",
            "SharedAccessKey=",
            "InstrumentationKey",
            &"a long description of what this is for, which has blanks and 1 Digit, and goes on".repeat(2),
            &"a".repeat(100),
        ] {
            assert!(!looks_secret(text), "{text}");
        }
    }

    #[test]
    fn a_key_is_covered_and_nothing_moves() {
        assert_eq!(covered(&format!("a: é{HEX}é, b")), format!("a: é{}é, b", "*".repeat(32)));
        let prefixed = format!("sk-proj-{}", "aB3_".repeat(10));
        assert_eq!(covered(&format!("\"{prefixed}\"")).len(), prefixed.len() + 2);
        assert!(!covered(&prefixed).contains("aB3"));
        for text in ["", "nothing here, 00000000-0000-0000-0000-000000000001\n", "é 😀"] {
            assert_eq!(covered(text), text);
        }
    }

    #[test]
    fn a_document_has_a_key_where_it_says_so() {
        let place = |text: &str| place_in(&serde_json::from_str(text).expect("JSON"), "");
        let key = format!(r#"{{ "a": [{{ "api-key": "{HEX}" }}] }}"#);
        assert_eq!(place(&key).as_deref(), Some("a[0].api-key"));
        assert_eq!(place(&key.replace("api-key", "id")), None);
        assert_eq!(place(r#"{ "api-key": "a word" }"#), None);
        assert_eq!((line_of(&format!("a\n<x>{HEX}</x>\n")), line_of("a\nb")), (Some(2), None));
    }

    #[test]
    fn keys_are_taken_out_and_their_places_said() {
        let mut tree = serde_json::json!({
            "a": { "b": HEX, HEX: 1, "c": "word" }, "d": ["x", format!("key {HEX}"), { "e": HEX }],
        });
        let mut taken = Vec::new();
        take(&mut tree, "", &mut taken);
        assert_eq!(taken, ["a.b", "a", "d[1]", "d[2].e"]);
        assert_eq!(tree, serde_json::json!({ "a": { "c": "word" }, "d": ["x", {}] }));
    }
}
