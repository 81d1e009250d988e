//! A topology as YAML, the long form with nothing left out: one value a key, in the order in which the schema has them.
//!
//! What fits on a line stands on one, in braces. Text is plain where it is a word, else in double quotes.

use super::build::NO_BREAKER;
use super::{Rotation, Simulation, yaml};
use crate::topology::{
    Account, Api, Backend, Breaker, Deployment, Name, Policy, Pool, Routes, Subscription, Target, Threshold, Topology,
    defaults,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Columns of a line in braces.
const WIDTH: usize = 110;

/// The spec of a topology.
pub fn print(topology: &Topology, simulation: Simulation, silence: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    write_map(&tree(topology, simulation, silence), 0, &mut text);
    text
}

fn tree(topology: &Topology, simulation: Simulation, silence: &BTreeMap<String, String>) -> Map<String, Value> {
    let mut spec = Map::new();
    let mut add = |key: &str, value: Value| {
        if value.as_object().is_none_or(|map| !map.is_empty()) {
            spec.insert(key.into(), value);
        }
    };
    add("version", json!(1));
    add("name", json!(topology.stack.name));
    add("silence", json!(silence));
    let scope = &topology.scope;
    add(
        "azure",
        present([
            ("subscription", scope.subscription.as_ref().map(|id| json!(id))),
            ("resourceGroup", Some(json!(scope.resource_group))),
            ("location", Some(json!(scope.location.as_str()))),
            ("tags", Some(json!(topology.tags)).filter(|_| !topology.tags.is_empty())),
        ]),
    );
    if let Some(gateway) = &topology.gateway {
        add(
            "gateway",
            present([
                ("name", literal(&gateway.name)),
                ("sku", Some(json!(gateway.sku.as_str()))),
                ("capacity", Some(json!(gateway.capacity))),
                ("publisher", Some(json!({ "name": gateway.publisher.name, "email": gateway.publisher.email }))),
                ("identity", Some(json!("system"))),
            ]),
        );
    }
    add("roles", json!("manage"));
    add("accounts", each(&topology.accounts, account));
    let breakers: BTreeMap<String, &Breaker> = topology
        .backends
        .values()
        .filter_map(|backend| backend.breaker.as_ref())
        .map(|breaker| (breaker.name.clone(), breaker))
        .collect();
    add("breakers", each(&breakers, |rule| breaker(rule)));
    add("backends", each(&topology.backends, backend));
    add("pools", each(&topology.pools, pool));
    add("apis", each(&topology.apis, api));
    let subscriptions: BTreeMap<String, &Subscription> = topology
        .subscriptions
        .iter()
        .filter(|(key, _)| key.as_str() != defaults::PROBE)
        .map(|(key, subscription)| (key.clone(), subscription))
        .collect();
    // without a single one the key itself says so
    spec.insert("subscriptions".into(), each(&subscriptions, |found| subscription(found)));
    if !topology.stack.environment.is_empty() {
        spec.insert("environments".into(), json!({ topology.stack.environment.as_str(): {} }));
    }
    let rotation = match simulation.rotation {
        Rotation::Smooth => "smooth",
        Rotation::Random => "random",
    };
    spec.insert("simulation".into(), json!({ "instances": simulation.instances, "rotation": rotation }));
    spec
}

fn present<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    Value::Object(members.into_iter().filter_map(|(key, value)| Some((key.to_string(), value?))).collect())
}

fn each<T>(map: &BTreeMap<String, T>, print: impl Fn(&T) -> Value) -> Value {
    Value::Object(map.iter().map(|(key, value)| (key.clone(), print(value))).collect())
}

fn literal(name: &Name) -> Option<Value> {
    name.literal().map(|name| json!(name))
}

fn account(account: &Account) -> Value {
    present([
        ("name", literal(&account.name)),
        ("location", Some(json!(account.location.as_str()))),
        ("kind", Some(json!(account.kind.as_str()))),
        ("deployments", Some(each(&account.deployments, deployment))),
    ])
}

fn deployment(deployment: &Deployment) -> Value {
    json!({
        "model": deployment.model.name,
        "version": deployment.model.version,
        "sku": deployment.sku.as_str(),
        "capacity": deployment.capacity,
        "versionUpgrade": deployment.version_upgrade.as_str(),
    })
}

fn breaker(breaker: &Breaker) -> Value {
    let (count, percentage) = match breaker.threshold {
        Threshold::Count(count) => (Some(json!(count)), None),
        Threshold::Percentage(percent) => (None, Some(json!(percent))),
    };
    let status = |range: &crate::topology::StatusRange| match range.min == range.max {
        true => json!(range.min),
        false => json!(range.to_string()),
    };
    present([
        ("count", count),
        ("percentage", percentage),
        ("interval", Some(json!(breaker.interval.iso()))),
        ("statusCodes", Some(breaker.status_codes.iter().map(status).collect())),
        ("tripDuration", Some(json!(breaker.trip_duration.iso()))),
        ("acceptRetryAfter", Some(json!(breaker.accept_retry_after))),
    ])
}

fn backend(backend: &Backend) -> Value {
    let (account, deployment) = match &backend.target {
        Target::Deployment { account, deployment } => (Some(json!(account)), Some(json!(deployment))),
        Target::Url(_) => (None, None),
    };
    let breaker = backend.breaker.as_ref().map_or(NO_BREAKER, |breaker| &breaker.name);
    present([("account", account), ("deployment", deployment), ("breaker", Some(json!(breaker)))])
}

fn pool(pool: &Pool) -> Value {
    let members: Vec<Value> = pool
        .members
        .iter()
        .map(|member| json!({ "backend": member.backend, "priority": member.priority, "weight": member.weight }))
        .collect();
    json!({ "members": members })
}

fn api(api: &Api) -> Value {
    let Policy::Rendered(intent) = &api.policy else {
        return json!({ "path": api.path, "displayName": api.display_name });
    };
    let (routes, pool) = match &intent.routes {
        Routes::ByName(routes) => (Some(json!(routes)), None),
        Routes::All(pool) => (None, Some(json!(pool))),
    };
    let retry = &intent.retry;
    let exhausted = &intent.on_exhausted;
    present([
        ("path", Some(json!(api.path))),
        ("displayName", Some(json!(api.display_name))),
        ("surfaces", Some(json!(["deployments"]))),
        ("definition", Some(json!("operations"))),
        ("strategy", Some(json!("pool"))),
        ("routes", routes),
        ("pool", pool),
        (
            "retry",
            Some(json!({
                "count": retry.count,
                "interval": retry.interval.to_string(),
                "firstFast": retry.first_fast,
                "timeout": format!("{}s", retry.timeout.secs_ceil()),
                "timeouts": retry.timeouts,
            })),
        ),
        (
            "onExhausted",
            Some(json!({
                "status": exhausted.status,
                "maxRetryAfter": format!("{}s", exhausted.max_retry_after.secs_ceil()),
            })),
        ),
        ("callers", Some(json!({ "keys": { "header": api.keys.header, "query": api.keys.query } }))),
    ])
}

fn subscription(subscription: &Subscription) -> Value {
    json!({ "api": subscription.api, "displayName": subscription.display_name, "tracing": subscription.tracing })
}

fn write_map(map: &Map<String, Value>, indent: usize, text: &mut String) {
    for (key, value) in map {
        let start = text.len();
        let _ = write!(text, "{:indent$}{}:", "", word(key));
        write_value(value, indent, text);
        // what takes several lines at the top is a paragraph
        if indent == 0 && text[start..].lines().count() > 1 {
            if start > 0 && !text[..start].ends_with("\n\n") {
                text.insert(start, '\n');
            }
            text.push('\n');
        }
    }
    if indent == 0 {
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
}

/// What follows a key's colon.
fn write_value(value: &Value, indent: usize, text: &mut String) {
    match (value, flow(value)) {
        (_, Some(line)) if indent + line.len() <= WIDTH || !is_large(value) => {
            let _ = writeln!(text, " {line}");
        }
        (Value::Object(map), _) => {
            text.push('\n');
            write_map(map, indent + 2, text);
        }
        (Value::Array(items), _) => {
            text.push('\n');
            for item in items {
                let _ = write!(text, "{:1$}-", "", indent + 2);
                match flow(item) {
                    Some(line) => {
                        let _ = writeln!(text, " {line}");
                    }
                    None => write_value(item, indent + 4, text),
                }
            }
        }
        (value, line) => {
            let _ = writeln!(text, " {}", line.unwrap_or_else(|| value.to_string()));
        }
    }
}

fn is_large(value: &Value) -> bool {
    matches!(value, Value::Object(_) | Value::Array(_))
}

/// A scalar, or a collection of scalars on one line.
fn flow(value: &Value) -> Option<String> {
    match value {
        Value::Object(map) if map.is_empty() => Some("{}".into()),
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| {
                (!is_large(value)).then(|| Some(format!("{}: {}", word(key), flow(value)?)))?
            };
            Some(format!("{{ {} }}", map.iter().map(entry).collect::<Option<Vec<_>>>()?.join(", ")))
        }
        Value::Array(items) => {
            let item = |value: &Value| (!is_large(value)).then(|| flow(value))?;
            Some(format!("[{}]", items.iter().map(item).collect::<Option<Vec<_>>>()?.join(", ")))
        }
        Value::String(text) => Some(word(&text.replace("${", "$${"))),
        other => Some(other.to_string()),
    }
}

/// A text, plain where every reader takes it as itself, else in double quotes.
fn word(text: &str) -> String {
    let safe = |b: u8| b.is_ascii_alphanumeric() || b"_-./@".contains(&b);
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
    let typed = !matches!(yaml::plain(text), yaml::Value::Plain(_));
    // text to YAML 1.2, and something else to older readers
    let dated = text.starts_with(|c: char| c.is_ascii_digit()) && text.matches('-').count() > 1;
    let yes = ["y", "n", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word));
    if text.bytes().all(safe) && begins && !typed && !dated && !yes {
        return text.into();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            ' '..='~' => quoted.push(c),
            '\u{a1}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' => quoted.push(c),
            c => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::super::yaml::{Node, Value as Tree, parse};
    use super::*;
    use proptest::prelude::*;

    fn json(node: &Node) -> Value {
        match &node.value {
            Tree::Null | Tree::Hole => Value::Null,
            Tree::Bool(word) => json!(word),
            Tree::Int(number) => json!(number),
            Tree::Float(number) => json!(number),
            Tree::Plain(text) | Tree::Quoted(text) => json!(text.replace("$${", "${")),
            Tree::Seq(items) => items.iter().map(json).collect(),
            Tree::Map(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.clone(), json(&entry.node))).collect())
            }
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            Just(Value::Null),
            any::<String>().prop_map(Value::from),
            prop::sample::select(vec!["true", "1", "-", "a: b", "~", "0x1", "<<", "a#b", " x", "é", "\u{85}", "😀"])
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let key = prop_oneof!["[a-z]{1,3}", "\\PC{1,5}"].prop_filter("merge key", |key| key != "<<");
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..5)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(super::super::tests::config())]
        #[test]
        fn what_is_printed_is_read_as_itself(value in value()) {
            let mut text = String::from("root:");
            write_value(&value, 0, &mut text);
            let (root, problems) = parse(&text);
            prop_assert_eq!(problems, vec![], "{}", text);
            let root = root.expect("a tree");
            prop_assert_eq!(json(&root.entry("root").expect("the key").node), value, "{}", text);
        }
    }
}
