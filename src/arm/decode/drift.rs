//! What the templates always write alike, and the spec has no word for: looked at all the same, because somebody who
//! switches local keys on or lets callers in without a subscription has changed what the stack is.
//!
//! Only what the spec names is looked at, and only these properties: whatever else Azure or somebody adds is theirs.

use super::{list, tag, text};
use crate::topology::{Address, Drift, Identity, Topology};
use serde_json::Value;

/// How a live resource departs from what is always written.
pub(super) fn of(desired: &Topology, address: &Address, resource: &Value) -> Vec<Drift> {
    if !desired.has(address) {
        return Vec::new();
    }
    let mut found = Found { resource, drift: Vec::new() };
    match address {
        Address::Gateway => {
            let identity = text(resource, "/identity/type");
            let wanted = match desired.gateway.as_ref().map(|gateway| &gateway.identity) {
                None | Some(Identity::System) => "SystemAssigned",
                Some(Identity::Managed(_) | Identity::Existing(_)) => "UserAssigned",
            };
            if !identity.to_ascii_lowercase().contains(&wanted.to_ascii_lowercase()) {
                let there = Some(identity.to_owned()).filter(|word| !word.is_empty());
                found.note("identity", there, wanted);
            }
            found.tags(desired);
        }
        Address::Account(key) => {
            found.word("sku", "/sku/name", "S0");
            if let Some(name) = desired.accounts.get(key).and_then(|account| account.name.literal()) {
                found.word("customSubDomainName", "/properties/customSubDomainName", name);
            }
            found.word("disableLocalAuth", "/properties/disableLocalAuth", "true");
            let public = desired.accounts.get(key).is_none_or(|account| account.network.public);
            let wanted = if public { "Enabled" } else { "Disabled" };
            found.word("publicNetworkAccess", "/properties/publicNetworkAccess", wanted);
            found.tags(desired);
        }
        Address::Deployment { .. } => {
            found.tags(desired);
        }
        Address::Backend(_) => found.word("protocol", "/properties/protocol", "http"),
        Address::Api(_) => {
            let protocols: Vec<&str> =
                list(resource, "/properties/protocols").iter().filter_map(Value::as_str).collect();
            if !matches!(protocols.as_slice(), [one] if one.eq_ignore_ascii_case("https")) {
                found.note("protocols", Some(protocols.join(", ")).filter(|all| !all.is_empty()), "https");
            }
        }
        Address::Subscription(_) => found.word("state", "/properties/state", "active"),
        // what a template writes of these is all in the topology
        _ => {}
    }
    found.drift
}

struct Found<'a> {
    resource: &'a Value,
    drift: Vec<Drift>,
}

impl Found<'_> {
    fn note(&mut self, name: &str, from: Option<String>, to: &str) {
        self.drift.push(Drift { name: name.to_owned(), from, to: to.to_owned() });
    }

    /// A word, a number or a flag, without case.
    fn word(&mut self, name: &str, pointer: &str, wanted: &str) {
        let there = match self.resource.pointer(pointer) {
            None | Some(Value::Null) => None,
            Some(Value::String(word)) => Some(word.clone()),
            Some(other) => Some(other.to_string()),
        };
        if !there.as_ref().is_some_and(|word| word.eq_ignore_ascii_case(wanted)) {
            self.note(name, there, wanted);
        }
    }

    /// The tags that the spec sets; others are not ours to look at.
    fn tags(&mut self, desired: &Topology) {
        for (key, wanted) in &desired.tags {
            let there = tag(self.resource, key);
            if there != Some(wanted.as_str()) {
                self.note(&format!("tag {key}"), there.map(str::to_owned), wanted);
            }
        }
    }
}
