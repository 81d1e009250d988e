//! Keys that were written into the spec: refused wherever they stand, and never repeated in a message.
//!
//! A 32 digit hexadecimal value is an Azure OpenAI key or an API Management key of old; 84 and more letters and digits
//! without a blank are the newer account keys, tokens and base64.

use super::yaml::{Node, Value, item, join};
use crate::diagnostic::{Diagnostic, code};

/// Whether a text looks like a key.
pub fn looks_secret(text: &str) -> bool {
    let hex = text.len() == 32
        && text.bytes().all(|b| b.is_ascii_hexdigit())
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic());
    let address = text.starts_with("/subscriptions/") || text.starts_with("https://");
    let long = text.len() >= 84
        && !address
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_.-".contains(&b))
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_uppercase())
        && text.bytes().any(|b| b.is_ascii_lowercase());
    hex || long
}

/// Reports every key that stands in the tree.
pub fn find(node: &Node, path: &str, out: &mut Vec<Diagnostic>) {
    match &node.value {
        Value::Plain(text) | Value::Quoted(text) if looks_secret(text) => {
            let problem =
                Diagnostic::new(code::LITERAL_SECRET, "this looks like a key, and a spec holds none").at(path);
            let problem = problem.help("take it out and rotate it; the gateway signs in with its managed identity");
            out.push(Diagnostic { span: node.span, ..problem });
        }
        Value::Seq(items) => {
            items.iter().enumerate().for_each(|(index, node)| find(node, &item(path, index), out));
        }
        Value::Map(entries) => entries.iter().for_each(|entry| find(&entry.node, &join(path, &entry.key), out)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::looks_secret;

    #[test]
    fn keys_are_seen_and_ordinary_texts_are_not() {
        for secret in ["0123456789abcdef0123456789ABCDEF".to_string(), "Ab3".repeat(28)] {
            assert!(looks_secret(&secret), "{secret}");
        }
        for text in [
            "00000000-0000-0000-0000-000000000001",
            "0123456789abcdef0123456789abcde",
            "12345678901234567890123456789012",
            &"a long description of what this is for, which has blanks and 1 Digit, and goes on".repeat(2),
            &"a".repeat(100),
        ] {
            assert!(!looks_secret(text), "{text}");
        }
    }
}
