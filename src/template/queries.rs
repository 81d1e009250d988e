//! What people ask of a gateway's logs, in KQL: the texts that `queries.kql`, the workbook and the alerts share.
//!
//! Tables and columns: learn.microsoft.com, azure-monitor/reference/tables/ApiManagementGatewayLogs and
//! .../ApiManagementGatewayLlmLog (2026-08), and api-management/gateway-log-schema-reference. One row of the gateway's
//! log is one caller's call with the backend of its last attempt; token counts stand in one row of the LLM log a call,
//! under the same correlation id.
//!
//! Invariants:
//!
//! 1. Every query asks for the records of the resource that it runs at, the service: a workspace that several gateways
//!    share mixes nothing.
//! 2. Calls of other APIs of the gateway, and probes, are in none of them.
//! 3. A query that needs records which the topology does not ask for is left out.
//! 4. Whatever a name holds, it is the same text in KQL.
//!
//! Which backend served a call is read from the url that the gateway called, because `BackendId` may be the pool's
//! (the docs say "backend entity" and no more); it stands in where no url fits. The host of an account whose name is
//! made unique is the prefix and thirteen characters.
//!
//! Deliberately absent: a time range, which the page, the workbook and the alert each give.

use crate::policy::print::environment;
use crate::topology::address::Alert;
use crate::topology::intent::ATTEMPTS_HEADER;
use crate::topology::*;
use minijinja::{Environment, Value as Jinja, context};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::OnceLock;

/// The file of the queries.
pub(super) const QUERIES: &str = "queries.kql";

/// Text that is KQL already.
#[derive(Debug)]
struct Kql(String);

impl fmt::Display for Kql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl minijinja::value::Object for Kql {}

macro_rules! templates {
    ($($path:literal)*) => {
        &[$(($path, include_str!(concat!("../../templates/queries/", $path)))),*]
    };
}

const TEMPLATES: &[(&str, &str)] = templates![
    "alert-spillover.kql.j2"
    "alert-throttled.kql.j2"
    "calls-by-backend.kql.j2"
    "failures.kql.j2"
    "latency.kql.j2"
    "parts/calls.kql.j2"
    "parts/ours.kql.j2"
    "queries.kql.j2"
    "retries.kql.j2"
    "spillover.kql.j2"
    "throttled.kql.j2"
    "tokens.kql.j2"
];

/// A question of the workbook and of `queries.kql`.
struct Query {
    /// What it is called, and its template.
    name: &'static str,
    /// For people.
    title: &'static str,
    /// What it answers.
    about: &'static str,
    /// How the workbook shows it.
    shown: &'static str,
}

const CALLS: Query = Query {
    name: "calls-by-backend",
    title: "Calls by backend",
    about: "How many calls did each backend serve, and how many of them did it throttle or fail?",
    shown: "table",
};

const FAILURES: Query = Query {
    name: "failures",
    title: "Failures by status",
    about: "Which statuses did callers see, and was it the backend or the gateway that said so?",
    shown: "table",
};

const SPILLOVER: Query = Query {
    name: "spillover",
    title: "Spill-over",
    about: "What percentage of the served calls did a lower priority of the pool serve?",
    shown: "timechart",
};

const THROTTLED: Query = Query {
    name: "throttled",
    title: "429 by caller",
    about: "Which callers got 429, and was it a backend's quota or the gateway's own limit?",
    shown: "table",
};

const TOKENS: Query = Query {
    name: "tokens",
    title: "Tokens by caller and pool",
    about: "How many tokens did each caller use of each pool?",
    shown: "table",
};

const LATENCY: Query = Query {
    name: "latency",
    title: "Latency",
    about: "How many milliseconds did successful calls take, in all and at the backend?",
    shown: "table",
};

const RETRIES: Query = Query {
    name: "retries",
    title: "Attempts of a call",
    about: "How many attempts did calls need, and what did they cost?",
    shown: "table",
};

/// The queries whose records are there.
fn asked(observed: &Observability) -> Vec<Query> {
    let attempts = observed.headers.iter().any(|header| header.eq_ignore_ascii_case(ATTEMPTS_HEADER));
    let mut asked = vec![CALLS, FAILURES, SPILLOVER, THROTTLED];
    asked.extend(observed.llm_logs.then_some(TOKENS));
    asked.push(LATENCY);
    asked.extend(attempts.then_some(RETRIES));
    asked
}

/// `queries.kql`; `None` where no workspace holds what they ask for.
pub(super) fn file(topology: &Topology) -> Option<String> {
    let observed = topology.observability.as_ref().filter(|observed| observed.workspace.is_some())?;
    let queries = asked(observed);
    let queries =
        queries.iter().map(|query| context! { about => text(query.about), text => text(kql(query.name, topology)) });
    Some(render("queries.kql.j2", context! { queries => queries.collect::<Vec<_>>() }))
}

/// What an alert asks every five minutes: one row with the column `Share`, in percent, or none with fewer than 20 calls,
/// of which a share says nothing.
pub(super) fn alert(topology: &Topology, alert: Alert) -> String {
    kql(&format!("alert-{}", alert.word()), topology)
}

/// The workbook, as Azure Monitor reads it (github.com/Microsoft/Application-Insights-Workbooks, schema/workbook.json).
pub(super) fn workbook(topology: &Topology, observed: &Observability) -> String {
    const SCHEMA: &str = "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json";
    let durations: Vec<Json> =
        [5 * 60, 30 * 60, 60 * 60, 4 * 60 * 60, 24 * 60 * 60, 7 * 24 * 60 * 60, 30 * 24 * 60 * 60]
            .iter()
            .map(|seconds: &u64| json!({ "durationMs": seconds * 1000 }))
            .collect();
    let mut items = vec![json!({
        "type": 9,
        "content": {
            "version": "KqlParameterItem/1.0",
            "parameters": [{
                "id": "1",
                "version": "KqlParameterItem/1.0",
                "name": "TimeRange",
                "label": "Time range",
                "type": 4,
                "isRequired": true,
                "value": { "durationMs": 24 * 60 * 60 * 1000 },
                "typeSettings": { "selectableValues": durations },
            }],
        },
        "name": "parameters",
    })];
    items.extend(asked(observed).iter().map(|query| {
        json!({
            "type": 3,
            "content": {
                "version": "KqlItem/1.0",
                "query": kql(query.name, topology),
                "size": 0,
                "title": query.title,
                "noDataMessage": "No records in this time.",
                "timeContextFromParameter": "TimeRange",
                "queryType": 0,
                "resourceType": "microsoft.apimanagement/service",
                "visualization": query.shown,
            },
            "name": query.name,
        })
    }));
    let mut text = format!("{:#}", json!({ "version": "Notebook/1.0", "items": items, "$schema": SCHEMA }));
    text.push('\n');
    text
}

fn kql(name: &str, topology: &Topology) -> String {
    render(&format!("{name}.kql.j2"), context_of(topology))
}

fn render(name: &str, context: Jinja) -> String {
    fn printed(value: &Jinja) -> Option<&dyn fmt::Display> {
        value.downcast_object_ref::<Kql>().map(|text| text as &dyn fmt::Display)
    }
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| environment(TEMPLATES, printed));
    let template = engine.get_template(name).expect("our templates are there");
    template.render(context).unwrap_or_else(|error| panic!("our templates fit a topology: {error:#}"))
}

/// What the templates see.
fn context_of(topology: &Topology) -> Jinja {
    let apis: Vec<String> = topology.apis.values().map(|api| literal(&api.name)).collect();
    let probe = topology.subscriptions.get(defaults::PROBE).map_or(defaults::PROBE, |probe| probe.name.as_str());
    // what is in a list must be something
    let apis = if apis.is_empty() { literal("") } else { apis.join(", ") };
    let members = members(topology).into_iter().map(|(backend, (pools, priority, spill))| {
        context! {
            backend => text(literal(backend)),
            pool => text(literal(&pools.into_iter().collect::<Vec<_>>().join(", "))),
            priority,
            spill => text(spill.to_string()),
        }
    });
    let backends = urls(topology)
        .into_iter()
        .map(|(url, name)| context! { url => text(literal(&url)), name => text(literal(name)) });
    context! {
        apis => text(apis),
        probe => text(literal(probe)),
        attempts => text(literal(ATTEMPTS_HEADER)),
        members => members.collect::<Vec<_>>(),
        backends => backends.collect::<Vec<_>>(),
    }
}

/// Every member by the backend's name: its pools, its priority, and whether a call that it serves was spilled over: in
/// every pool that it is in, another priority goes before its own.
fn members(topology: &Topology) -> BTreeMap<&str, (BTreeSet<&str>, u8, bool)> {
    let mut members: BTreeMap<&str, (BTreeSet<&str>, u8, bool)> = BTreeMap::new();
    for pool in topology.pools.values() {
        let first = pool.members.iter().map(|member| member.priority).min().unwrap_or_default();
        for member in &pool.members {
            let Some(backend) = topology.backends.get(&member.backend) else { continue };
            let spill = member.priority > first;
            let (pools, priority, spilled) =
                members.entry(&backend.name).or_insert((BTreeSet::new(), member.priority, spill));
            pools.insert(&pool.name);
            *priority = member.priority.min(*priority);
            *spilled = *spilled && spill;
        }
    }
    members
}

/// A pattern of the urls that a call of each backend has, the more precise first.
fn urls(topology: &Topology) -> Vec<(String, &str)> {
    let mut urls: Vec<(usize, String, &str)> = Vec::new();
    for backend in topology.backends.values() {
        let (host, path) = match (&backend.target, backend.target.account()) {
            (Target::Url(url), _) => (escape(url.trim_end_matches('/')), String::new()),
            (target, Some((account, _))) => {
                let Some(account) = topology.accounts.get(account) else { continue };
                let name = match &account.name {
                    Name::Literal(name) => escape(name),
                    Name::Unique(prefix) => format!("{}[a-z2-7]{{{}}}", escape(prefix), defaults::UNIQUE_LENGTH),
                };
                (format!("https://{name}\\.[^/]+"), format!("/{}", target.path().unwrap_or_default()))
            }
            (_, None) => continue,
        };
        urls.push((path.len(), format!("(?i)^{host}{}([/?]|$)", escape(&path)), &backend.name));
    }
    urls.sort_by(|(a, ..), (b, ..)| b.cmp(a));
    urls.into_iter().map(|(_, url, name)| (url, name)).collect()
}

/// A text as a part of a regular expression (RE2) that is that text and nothing else.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A text as a KQL string.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn text(text: impl Into<String>) -> Jinja {
    Jinja::from_object(Kql(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology() -> Topology {
        let stack = Stack { name: "demo".into(), environment: String::new() };
        let location = Location::new("eastus2");
        let mut topology =
            Topology::new(stack, Scope { subscription: None, resource_group: "rg".into(), location: location.clone() });
        let account = |name| Account::new(name, location.clone(), BTreeMap::new());
        topology.accounts.insert("east".into(), account(Name::Unique("aoai-east-".into())));
        topology.accounts.insert("west".into(), account(Name::Literal("contoso.west".into())));
        let on = |account: &str, deployment: &str| Target::Deployment {
            account: account.into(),
            deployment: deployment.into(),
        };
        for (key, target) in [
            ("east", on("east", "gpt")),
            ("east-all", Target::Account { account: "east".into() }),
            ("east-v1", Target::V1 { account: "east".into(), deployment: "gpt".into() }),
            ("west", on("west", "gpt-4.1")),
            ("else", Target::Url("https://example.com/v1/".into())),
        ] {
            topology.backends.insert(key.into(), Backend::new(key, target, None));
        }
        topology
    }

    #[test]
    fn a_backend_is_known_by_its_url_the_more_precise_first() {
        let topology = topology();
        let found = urls(&topology);
        let found: Vec<(&str, &str)> = found.iter().map(|(url, name)| (*name, url.as_str())).collect();
        assert_eq!(
            found,
            [
                ("west", r"(?i)^https://contoso\.west\.[^/]+/openai/deployments/gpt-4\.1([/?]|$)"),
                ("east", r"(?i)^https://aoai-east-[a-z2-7]{13}\.[^/]+/openai/deployments/gpt([/?]|$)"),
                ("east-v1", r"(?i)^https://aoai-east-[a-z2-7]{13}\.[^/]+/openai/v1([/?]|$)"),
                ("east-all", r"(?i)^https://aoai-east-[a-z2-7]{13}\.[^/]+/openai([/?]|$)"),
                ("else", r"(?i)^https://example\.com/v1([/?]|$)"),
            ]
        );
    }

    #[test]
    fn a_call_is_spilled_over_where_every_pool_has_something_before() {
        let mut topology = topology();
        let member = |backend: &str, priority| Member { backend: backend.into(), priority, weight: 1 };
        let pool = |name: &str, members| (name.to_owned(), Pool::new(name, members));
        topology.pools = BTreeMap::from([
            pool("a", vec![member("east", 2), member("west", 3), member("gone", 1)]),
            pool("b", vec![member("west", 1), member("else", 5)]),
            pool("c", vec![member("else", 4)]),
        ]);
        let found: Vec<(&str, u8, bool)> =
            members(&topology).into_iter().map(|(name, (_, priority, spill))| (name, priority, spill)).collect();
        // first in one pool is first: nothing says which pool a call came through
        assert_eq!(found, [("east", 2, true), ("else", 4, false), ("west", 1, false)]);
    }

    #[test]
    fn names_are_themselves_in_kql_and_in_patterns() {
        assert_eq!(literal("a\"b\\c'\n\u{85}ü"), r#""a\"b\\c'\n\u0085ü""#);
        assert_eq!(escape("a.b-c_d (e)[f]{g}^$|?*+\\/"), r"a\.b-c_d \(e\)\[f\]\{g\}\^\$\|\?\*\+\\/");
    }
}
