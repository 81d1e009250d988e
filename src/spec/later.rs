//! What the design of the spec has and this version has not: said by name, so that nothing is ignored in silence.
//!
//! A row goes away when the version that reads it comes. Shapes are keys with `*` for the user's own words.

use super::yaml::Value;

/// Keys by the shape of their mapping.
const KEYS: [(&str, &[&str]); 9] = [
    ("", &["products", "observability", "ignoreChanges", "protect"]),
    ("gateway", &["existing", "properties", "network"]),
    ("accounts.*", &["existing", "network", "subscription", "resourceGroup", "properties"]),
    ("accounts.*.deployments.*", &["raiPolicy", "spillover"]),
    ("backends.*", &["url", "credential", "quota"]),
    ("pools.*", &["failureStatus", "sessionAffinity"]),
    ("apis.*", &["tokenLimit", "policy", "stateful"]),
    ("apis.*.callers", &["entra"]),
    ("subscriptions.*", &["product"]),
];

/// Values by the shape of their key. `{}` stands for any mapping.
const VALUES: [(&str, &[&str]); 6] = [
    ("roles", &["check", "print"]),
    ("gateway.identity", &["{}"]),
    ("apis.*.strategy", &["smart", "round-robin"]),
    ("apis.*.surfaces[]", &["v1"]),
    ("apis.*.definition", &["catch-all", "{}"]),
    ("apis.*.callers.keys", &["false"]),
];

/// Whether a later version reads that key.
pub fn is_later_key(shape: &str, key: &str) -> bool {
    KEYS.iter().any(|(row, keys)| *row == shape && keys.contains(&key))
}

/// The name of a value that a later version reads.
pub fn later_value(shape: &str, value: &Value) -> Option<&'static str> {
    let word = match value {
        Value::Plain(text) | Value::Quoted(text) => text.as_str(),
        Value::Map(_) => "{}",
        Value::Bool(false) => "false",
        _ => return None,
    };
    let (_, words) = VALUES.iter().find(|(row, _)| *row == shape)?;
    words.iter().find(|listed| **listed == word).copied()
}
