//! A topology as YAML, the long form with nothing left out: one value a key, in the order in which the schema has them.
//!
//! What fits on a line stands on one, in braces. Text is plain where it is a word, else in double quotes.

use super::build::NO_BREAKER;
use super::{Loaded, Roles, Rotation, yaml};
use crate::topology::intent::{LimitBy, TokenLimit};
use crate::topology::{
    Access, Account, Api, Backend, Breaker, Definition, Deployment, Document, Gateway, Holds, Identity, Intent, Key,
    Name, Observability, Place, Policy, Pool, Product, Role, Routes, Sink, Standing, Subscription, Target, Threshold,
    Topology, defaults,
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Columns of a line in braces.
const WIDTH: usize = 110;

/// The spec of what was loaded.
pub fn print(loaded: &Loaded, silence: &BTreeMap<String, String>, mixed: &BTreeSet<Key>) -> String {
    text(&tree(loaded, silence, mixed))
}

/// A tree as YAML.
pub(super) fn text(tree: &Map<String, Value>) -> String {
    let mut text = String::new();
    write_map(tree, 0, &mut text);
    text
}

/// What stands where in the spec.
pub(super) fn tree(loaded: &Loaded, silence: &BTreeMap<String, String>, mixed: &BTreeSet<Key>) -> Map<String, Value> {
    let Loaded { topology, simulation, management, .. } = loaded;
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
            ("tags", filled(json!(topology.tags))),
            ("apiVersions", filled(json!(topology.api_versions))),
        ]),
    );
    if let Some(found) = &topology.gateway {
        add("gateway", gateway(found, management.tier_known));
    }
    let roles = match management.roles {
        Roles::Manage => "manage",
        Roles::Check => "check",
        Roles::Print => "print",
    };
    add("roles", json!(roles));
    add(
        "accounts",
        topology.accounts.iter().map(|(key, found)| (key, account(found, management.needed.get(key)))).collect(),
    );
    let breakers: BTreeMap<String, &Breaker> = topology
        .backends
        .values()
        .filter_map(|backend| backend.breaker.as_ref())
        .map(|breaker| (breaker.name.clone(), breaker))
        .collect();
    add("breakers", each(&breakers, |rule| breaker(rule)));
    let backends = topology.backends.iter().filter(|(_, found)| is_written(&found.target));
    add("backends", backends.map(|(key, found)| (key, backend(key, found, loaded))).collect());
    let pools = topology.pools.iter().filter(|(key, _)| !topology.is_twin(key));
    add("pools", pools.map(|(key, found)| (key, pool(found, mixed.contains(key)))).collect());
    add("apis", each(&topology.apis, |found| api(found, topology)));
    add("products", each(&topology.products, product));
    let subscriptions = topology.subscriptions.iter().filter(|(key, _)| key.as_str() != defaults::PROBE);
    let subscriptions: Value = subscriptions.map(|(key, found)| (key, subscription(found))).collect();
    // without a single one the key itself says so
    spec.insert("subscriptions".into(), subscriptions);
    let metrics = topology.apis.values().find_map(|api| api.policy.intent()?.metrics.as_ref());
    if let Some(found) = &topology.observability {
        let metrics =
            metrics.map(|metrics| json!({ "namespace": metrics.namespace, "dimensions": metrics.dimensions }));
        spec.insert("observability".into(), observability(found, metrics));
    }
    if !topology.stack.environment.is_empty() {
        spec.insert("environments".into(), json!({ topology.stack.environment.as_str(): {} }));
    }
    if !management.ignore_changes.is_empty() {
        spec.insert("ignoreChanges".into(), json!(management.ignore_changes));
    }
    spec.insert("protect".into(), json!(management.protect));
    let rotation = match simulation.rotation {
        Rotation::Smooth => "smooth",
        Rotation::Random => "random",
    };
    spec.insert("simulation".into(), json!({ "instances": simulation.instances, "rotation": rotation }));
    spec
}

/// Whether a spec says it, and not its place among the twins.
fn is_written(target: &Target) -> bool {
    matches!(target, Target::Deployment { .. } | Target::Url(_))
}

fn filled(value: Value) -> Option<Value> {
    let empty = value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
    (!empty).then_some(value)
}

fn gateway(found: &Gateway, tier_known: bool) -> Value {
    let managed = found.standing == Standing::Managed;
    let publisher = json!({ "name": found.publisher.name, "email": found.publisher.email });
    present([
        ("name", literal(&found.name).filter(|_| managed)),
        ("existing", (!managed).then(|| existing(&found.name, &found.place))),
        ("sku", tier_known.then(|| json!(found.sku.as_str()))),
        ("capacity", managed.then(|| json!(found.capacity))),
        ("publisher", Some(publisher).filter(|_| managed)),
        (
            "identity",
            Some(match &found.identity {
                Identity::System => json!("system"),
                Identity::Managed(user) | Identity::Existing(user) => json!({ "user": user }),
            }),
        ),
        (
            "network",
            found.network.as_ref().map(|network| json!({ "subnet": network.subnet, "mode": network.mode.as_str() })),
        ),
        ("properties", filled(Value::Object(found.properties.clone()))),
    ])
}

fn existing(name: &Name, place: &Place) -> Value {
    present([
        ("name", literal(name)),
        ("resourceGroup", place.resource_group.as_ref().map(|group| json!(group))),
        ("subscription", place.subscription.as_ref().map(|id| json!(id))),
    ])
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

fn account(account: &Account, role: Option<&Role>) -> Value {
    let managed = account.standing == Standing::Managed;
    let place = |value: &Option<String>| value.as_ref().filter(|_| managed).map(|text| json!(text));
    let network = &account.network;
    let endpoint = network.private_endpoint.as_ref();
    let formats = account.deployments.values().map(|deployment| deployment.model.format.as_str());
    // the default needs no word
    let role = role.filter(|role| !formats.map(Role::of_format).any(|least| least == **role));
    present([
        ("name", literal(&account.name).filter(|_| managed)),
        ("existing", (!managed).then(|| existing(&account.name, &account.place))),
        ("subscription", place(&account.place.subscription)),
        ("resourceGroup", place(&account.place.resource_group)),
        ("location", account.location.is_known().then(|| json!(account.location.as_str()))),
        ("kind", Some(json!(account.kind.as_str()))),
        ("role", role.map(|role| json!(role.title()))),
        (
            "network",
            Some(present([
                ("public", Some(json!(network.public))),
                ("subnet", endpoint.map(|endpoint| json!(endpoint.subnet))),
                ("dnsZone", endpoint.and_then(|endpoint| endpoint.dns_zone.as_ref()).map(|id| json!(id))),
            ]))
            .filter(|_| endpoint.is_some() || !network.public),
        ),
        ("properties", filled(Value::Object(account.properties.clone()))),
        ("deployments", Some(each(&account.deployments, deployment))),
    ])
}

fn deployment(deployment: &Deployment) -> Value {
    let format = &deployment.model.format;
    present([
        ("model", Some(json!(deployment.model.name))),
        ("version", Some(json!(deployment.model.version))),
        ("format", (format != crate::topology::OPENAI_FORMAT).then(|| json!(format))),
        ("sku", Some(json!(deployment.sku.as_str()))),
        ("capacity", Some(json!(deployment.capacity))),
        ("versionUpgrade", Some(json!(deployment.version_upgrade.as_str()))),
        ("raiPolicy", deployment.rai_policy.as_ref().map(|name| json!(name))),
        ("spillover", deployment.spillover.as_ref().map(|key| json!(key))),
    ])
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
        ("statusCodes", filled(breaker.status_codes.iter().map(status).collect())),
        ("errorReasons", filled(json!(breaker.error_reasons))),
        ("tripDuration", Some(json!(breaker.trip_duration.iso()))),
        ("acceptRetryAfter", Some(json!(breaker.accept_retry_after))),
    ])
}

fn backend(key: &Key, backend: &Backend, loaded: &Loaded) -> Value {
    let target = |at: Option<&Key>| at.map(|key| json!(key));
    let (account, deployment, url) = match &backend.target {
        Target::Url(url) => (None, None, Some(json!(url))),
        other => {
            let found = other.account();
            (target(found.map(|(account, _)| account)), target(found.and_then(|(_, deployment)| deployment)), None)
        }
    };
    let credential = backend.credential.as_ref().and_then(|credential| {
        match &loaded.topology.named_values.get(&credential.named_value)?.holds {
            Holds::Vault(secret) => Some(json!({ "keyVault": secret, "header": credential.header })),
            Holds::ClientId | Holds::Text => None,
        }
    });
    let quota = loaded.simulation.quotas.get(key).map(
        |quota| json!({ "tokensPerMinute": quota.tokens_per_minute, "requestsPerMinute": quota.requests_per_minute }),
    );
    let breaker = backend.breaker.as_ref().map_or(NO_BREAKER, |breaker| &breaker.name);
    present([
        ("account", account),
        ("deployment", deployment),
        ("url", url),
        ("credential", credential),
        ("quota", quota),
        ("breaker", Some(json!(breaker))),
    ])
}

fn pool(pool: &Pool, mixed: bool) -> Value {
    let members: Vec<Value> = pool
        .members
        .iter()
        .map(|member| json!({ "backend": member.backend, "priority": member.priority, "weight": member.weight }))
        .collect();
    present([
        ("members", Some(json!(members))),
        ("failureStatus", pool.failure_status.map(|status| json!(status))),
        ("sessionAffinity", pool.session_affinity.as_ref().map(|name| json!(name))),
        ("allowMixedModels", mixed.then(|| json!(true))),
    ])
}

/// Routes by the keys of their pools; the name of a pool that is not there stays.
fn routes(routes: &Routes, topology: &Topology, suffix: &str) -> (Option<Value>, Option<Value>) {
    let key = |name: &str| {
        let key = topology.pool_by_name(name).map_or(name, |(key, _)| key);
        json!(key.strip_suffix(suffix).unwrap_or(key))
    };
    match routes {
        Routes::ByName(routes) => (Some(routes.iter().map(|(name, pool)| (name, key(pool))).collect()), None),
        Routes::All(pool) => (None, Some(key(pool))),
    }
}

fn api(api: &Api, topology: &Topology) -> Value {
    let Policy::Rendered(intent) = &api.policy else {
        return json!({ "path": api.path, "displayName": api.display_name });
    };
    let by_name = !matches!(&intent.routes, Routes::ByName(routes) if routes.is_empty());
    let (routes, pool) = match &intent.v1 {
        Some(v1) if !by_name => routes(v1, topology, &defaults::v1_twin("")),
        _ => routes(&intent.routes, topology, ""),
    };
    let mut surfaces = Vec::new();
    if by_name || intent.v1.is_none() {
        surfaces.push("deployments");
    }
    surfaces.extend(intent.v1.iter().map(|_| "v1"));
    let retry = &intent.retry;
    let exhausted = &intent.on_exhausted;
    present([
        ("path", Some(json!(api.path))),
        ("displayName", Some(json!(api.display_name))),
        ("surfaces", Some(json!(surfaces))),
        ("definition", Some(definition(api))),
        ("strategy", Some(json!(intent.strategy.word()))),
        ("routes", routes),
        ("pool", pool),
        (
            "retry",
            Some(json!({
                "count": retry.count,
                "interval": format!("{}s", retry.interval.secs_ceil()),
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
        ("tokenLimit", intent.token_limit.as_ref().map(token_limit)),
        ("callers", Some(callers(api, intent))),
        ("policy", api.template.as_ref().map(|own| json!({ "template": own.path }))),
        ("stateful", stateful(intent, topology)),
    ])
}

fn definition(api: &Api) -> Value {
    match &api.definition {
        Definition::Imported(import) => match &import.document {
            Some(Document::Link { version, commit }) => json!({ "azureOpenAI": version, "commit": commit }),
            Some(Document::Text { path, .. }) => json!({ "file": path }),
            None => json!("operations"),
        },
        Definition::Operations if api.operations == defaults::every_operation() => json!("catch-all"),
        Definition::Operations => json!("operations"),
    }
}

fn callers(api: &Api, intent: &Intent) -> Value {
    let keys = match &api.keys {
        Some(keys) => json!({ "header": keys.header, "query": keys.query }),
        None => json!(false),
    };
    let entra = intent.entra.as_ref().map(|entra| {
        present([
            ("tenant", Some(json!(entra.tenant))),
            ("audiences", filled(json!(entra.audiences))),
            ("applications", filled(json!(entra.applications))),
        ])
    });
    present([("keys", Some(keys)), ("entra", entra)])
}

fn stateful(intent: &Intent, topology: &Topology) -> Option<Value> {
    let (_, backend) = topology.backend_by_name(intent.stateful.as_ref()?)?;
    let (account, _) = backend.target.account()?;
    Some(json!({ "pin": account }))
}

fn token_limit(limit: &TokenLimit) -> Value {
    let by = match limit.by {
        LimitBy::Subscription => "subscription",
        LimitBy::Pool => "pool",
    };
    json!({ "tokensPerMinute": limit.tokens_per_minute, "estimatePrompt": limit.estimate_prompt, "by": by })
}

fn product(product: &Product) -> Value {
    let intent = product.policy.intent();
    let quota = intent.and_then(|intent| intent.quota.as_ref());
    present([
        ("apis", Some(json!(product.apis))),
        ("displayName", Some(json!(product.display_name))),
        ("tokenLimit", intent.and_then(|intent| intent.token_limit.as_ref()).map(token_limit)),
        ("quota", quota.map(|quota| json!({ "tokens": quota.tokens, "per": quota.per.as_str() }))),
    ])
}

fn subscription(subscription: &Subscription) -> Value {
    let (api, product) = match &subscription.access {
        Access::Api(key) => (Some(json!(key)), None),
        Access::Product(key) => (None, Some(json!(key))),
    };
    present([
        ("api", api),
        ("product", product),
        ("displayName", Some(json!(subscription.display_name))),
        ("tracing", Some(json!(subscription.tracing))),
    ])
}

fn observability(found: &Observability, metrics: Option<Value>) -> Value {
    let sink = |sink: &Option<Sink>| {
        sink.as_ref().map(|sink| match sink {
            Sink::Managed(_) => json!("new"),
            Sink::Existing(id) => json!(id),
        })
    };
    present([
        ("workspace", sink(&found.workspace)),
        ("appInsights", sink(&found.app_insights)),
        ("metrics", metrics),
        ("llmLogs", Some(json!(found.llm_logs))),
        ("bodies", Some(json!(found.bodies))),
        ("headers", Some(json!(found.headers))),
        ("workbook", Some(json!(found.workbook))),
        (
            "alerts",
            found.alerts.as_ref().map(|alerts| {
                present([
                    ("throttled", Some(json!(alerts.throttled))),
                    ("spillover", Some(json!(alerts.spillover))),
                    ("actionGroup", alerts.action_group.as_ref().map(|id| json!(id))),
                ])
            }),
        ),
    ])
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
pub fn word(text: &str) -> String {
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
