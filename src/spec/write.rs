//! A spec that somebody still has to look at: a topology that was read elsewhere, printed with what is not known left out.
//!
//! Where a key must be there and its value is not known, the key is missing, so that [`super::load`] names it with its
//! place; nothing is invented. In a [`Draft`] not known is an empty text, a capacity of 0, an unknown region.

use super::{Loaded, Management, Roles, Rotation, Simulation, Spans, expand};
use crate::topology::{Key, Role, Topology};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What is written.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What is known.
    pub topology: Topology,
    /// How the gateway's identity gets its roles.
    pub roles: Roles,
    /// Roles that the identity has, by account, where they are others than a spec would give.
    pub needed: BTreeMap<Key, Role>,
    /// Whether the gateway's tier is known.
    pub tier_known: bool,
    /// Pools whose members have different models.
    pub mixed: BTreeSet<Key>,
    /// Lines of a comment at the beginning.
    pub comment: Vec<String>,
}

/// The YAML of a draft.
#[derive(Clone, Debug)]
pub struct Written {
    /// The text.
    pub spec: String,
    /// Keys that somebody must fill in.
    pub missing: Vec<String>,
    /// Where a value, or a name in it, looked like a secret and is left out: a spec holds none.
    pub secrets: Vec<String>,
}

/// The spec of a draft.
pub fn write(draft: &Draft) -> Written {
    let management = Management {
        roles: draft.roles,
        needed: draft.needed.clone(),
        ignore_changes: Vec::new(),
        protect: Vec::new(),
        tier_known: draft.tier_known,
    };
    let simulation = Simulation { instances: 1, rotation: Rotation::Smooth, quotas: BTreeMap::new() };
    let loaded = Loaded {
        topology: draft.topology.clone(),
        spans: Spans::default(),
        simulation,
        management,
        warnings: Vec::new(),
        silence: BTreeMap::new(),
    };
    let mut tree = expand::tree(&loaded, &BTreeMap::new(), &draft.mixed);
    // nothing was said of these
    tree.shift_remove("simulation");
    tree.shift_remove("protect");
    if draft.roles == Roles::Manage {
        tree.shift_remove("roles");
    }
    nameless(&mut tree);
    let (mut missing, mut secrets) = (Vec::new(), Vec::new());
    tree.iter_mut().for_each(|(key, value)| super::secrets::take(value, key, &mut secrets));
    holes(&mut tree, &draft.topology, &mut missing);
    let mut text = String::new();
    for line in &draft.comment {
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        let _ = writeln!(text, "{}", format!("# {line}").trim_end());
    }
    if !missing.is_empty() {
        let _ = writeln!(text, "#\n# Fill in, as `aoai-lb validate` asks for it:");
        for key in &missing {
            let _ = writeln!(text, "#   {}", key.chars().filter(|c| !c.is_control()).collect::<String>());
        }
    }
    text.push_str(&expand::text(&tree));
    Written { spec: text, missing, secrets }
}

/// Takes out what has no name: YAML can say it, and a spec cannot.
fn nameless(tree: &mut Map<String, Value>) {
    tree.retain(|key, _| !key.is_empty());
    tree.values_mut().for_each(nameless_in);
}

fn nameless_in(value: &mut Value) {
    match value {
        Value::Object(inner) => nameless(inner),
        Value::Array(items) => items.iter_mut().for_each(nameless_in),
        _ => {}
    }
}

/// Takes out what is not known.
fn holes(tree: &mut Map<String, Value>, topology: &Topology, missing: &mut Vec<String>) {
    let Some(Value::Object(azure)) = tree.get_mut("azure") else { return };
    for key in ["resourceGroup", "location"] {
        hole(azure, key, "azure", missing);
    }
    match tree.get_mut("gateway") {
        Some(Value::Object(gateway)) => {
            if let Some(Value::Object(publisher)) = gateway.get_mut("publisher") {
                hole(publisher, "email", "gateway.publisher", missing);
                if publisher.get("name").is_some_and(|name| name == "") {
                    publisher.shift_remove("name");
                }
            }
            if let Some(Value::Object(existing)) = gateway.get_mut("existing") {
                hole(existing, "name", "gateway.existing", missing);
            }
        }
        _ => {
            tree.insert("gateway".into(), json!({}));
            missing.push("gateway.publisher".into());
        }
    }
    if topology.accounts.is_empty() {
        missing.push("accounts".into());
    }
    for (key, account) in &topology.accounts {
        let path = format!("accounts.{key}");
        let Some(Value::Object(written)) = tree.get_mut("accounts").and_then(|all| all.get_mut(key)) else { continue };
        if account.standing == crate::topology::Standing::Managed && !account.location.is_known() {
            missing.push(format!("{path}.location"));
        }
        if account.deployments.is_empty() {
            missing.push(format!("{path}.deployments"));
        }
        if let Some(Value::Object(existing)) = written.get_mut("existing") {
            hole(existing, "name", &format!("{path}.existing"), missing);
        }
        let Some(Value::Object(deployments)) = written.get_mut("deployments") else { continue };
        for (name, deployment) in deployments.iter_mut() {
            let Value::Object(deployment) = deployment else { continue };
            let path = format!("{path}.deployments.{name}");
            for key in ["model", "version", "capacity"] {
                hole(deployment, key, &path, missing);
            }
        }
    }
    let backends = tree.get_mut("backends").and_then(Value::as_object_mut);
    for (key, backend) in backends.into_iter().flatten() {
        let Value::Object(backend) = backend else { continue };
        for part in ["account", "deployment"] {
            if backend.contains_key(part) || (part == "deployment" && !backend.contains_key("url")) {
                hole(backend, part, &format!("backends.{key}"), missing);
            }
        }
    }
    for (key, pool) in &topology.pools {
        if pool.members.is_empty() {
            missing.push(format!("pools.{key}.members"));
        }
    }
}

fn hole(map: &mut Map<String, Value>, key: &str, path: &str, missing: &mut Vec<String>) {
    if map.get(key).is_none_or(|value| value == "" || value == 0) {
        map.shift_remove(key);
        missing.push(format!("{path}.{key}"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Options, load};
    use super::*;
    use crate::diagnostic::code;
    use crate::topology::*;

    #[test]
    fn what_is_not_known_is_missing_with_its_place() {
        let stack = Stack { name: "contoso".into(), environment: String::new() };
        let scope = Scope { subscription: None, resource_group: "rg".into(), location: Location::new("eastus2") };
        let mut topology = Topology::new(stack, scope);
        let publisher = Publisher { name: String::new(), email: String::new() };
        topology.gateway = Some(Gateway::new(Name::Unique("apim-".into()), Location::new("eastus2"), publisher));
        let deployments = [("chat", 0), ("", 5)]
            .map(|(name, capacity)| (name.to_owned(), Deployment::new("", "1", DeploymentSku::Standard, capacity)));
        let account = Account::new(Name::Unique("aoai-east-".into()), Location::unknown(), BTreeMap::from(deployments));
        topology.accounts.insert("east".into(), account);
        let draft = Draft {
            topology,
            roles: Roles::Check,
            needed: BTreeMap::new(),
            tier_known: true,
            mixed: BTreeSet::new(),
            comment: vec!["from\nsomewhere".into()],
        };
        let Written { spec: text, missing, secrets } = write(&draft);
        assert!(secrets.is_empty());
        let expected = [
            "gateway.publisher.email",
            "accounts.east.location",
            "accounts.east.deployments.chat.model",
            "accounts.east.deployments.chat.capacity",
        ];
        assert_eq!(missing, expected);
        assert!(text.starts_with("# fromsomewhere\n#\n# Fill in") && text.contains("roles: check"), "{text}");
        let problems = load(&text, &Options::default()).expect_err("it is not complete");
        // the region is asked for once the structure is right
        for key in expected.into_iter().filter(|key| !key.ends_with(".location")) {
            let asked = |problem: &&crate::diagnostic::Diagnostic| problem.key.as_deref() == Some(key);
            let problem = problems.iter().find(asked).unwrap_or_else(|| panic!("{key}: {problems:#?}"));
            assert!(problem.code == code::MISSING_KEY && problem.span.is_some());
        }
    }
}
