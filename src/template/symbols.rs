//! Names in a template: a key of the spec becomes a Bicep identifier, each once.

use std::collections::BTreeSet;

/// Identifiers that are taken.
pub(super) struct Symbols(BTreeSet<String>);

/// The longest part of an identifier that comes from a key; Bicep allows 255 characters for the whole.
const LONGEST: usize = 80;

impl Symbols {
    /// `reserved`: parameters, variables, and functions that a symbol would hide.
    pub fn new(reserved: &[&str]) -> Symbols {
        Symbols(reserved.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// `backend` and the key `gpt-4.1` make `backendGpt41`; a second one is `backendGpt41_2`. Symbols differ by more than
    /// case, because the compiler sorts dependencies by symbol without it.
    pub fn take(&mut self, prefix: &str, keys: &[&str]) -> String {
        let words = keys.iter().flat_map(|key| key.split(|c: char| !c.is_ascii_alphanumeric()));
        let mut tail = String::new();
        for word in words {
            let mut chars = word.chars();
            tail.extend(chars.next().map(|first| first.to_ascii_uppercase()));
            tail.push_str(chars.as_str());
        }
        let stem = format!("{prefix}{}", tail.get(..LONGEST).unwrap_or(&tail));
        let mut symbol = stem.clone();
        let mut number = 2;
        while !self.0.insert(symbol.to_ascii_lowercase()) {
            symbol = format!("{stem}_{number}");
            number += 1;
        }
        symbol
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_identifiers_each_once() {
        let mut symbols = Symbols::new(&["deployment", "stack"]);
        let mut take = |prefix, key| symbols.take(prefix, &[key]);
        assert_eq!(take("backend", "gpt-4.1"), "backendGpt41");
        assert_eq!(take("backend", "gpt-41"), "backendGpt41_2");
        assert_eq!(take("backend", "GPT 41"), "backendGPT41_3");
        assert_eq!(take("pool", "gpt_4o-mini"), "poolGpt4oMini");
        assert_eq!(take("api", "OpenAI"), "apiOpenAI");
        assert_eq!(take("deployment", "ü"), "deployment_2");
        assert_eq!(take("backend", &"x".repeat(300)).len(), "backend".len() + LONGEST);
        assert_eq!(symbols.take("deployment", &["east-us", "gpt"]), "deploymentEastUsGpt");
    }
}
