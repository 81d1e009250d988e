//! The spec as written becomes a [`Topology`]: defaults are filled in, names decided.
//!
//! Total: it builds whatever the schema allows, dangling references included, for [`super::rules`] judges those. Only
//! what a topology cannot hold is reported here: two ways to say one thing, and breakers by name.

use super::model::{self, Length, Map, Spec, Word};
use super::yaml::{item, join};
use super::{Rotation, Simulation, suggest};
use crate::diagnostic::{Diagnostic, code};
use crate::time::Duration;
use crate::topology::{
    Account, AccountKind, Api, Backend, Breaker, Deployment, Gateway, GatewaySku, Intent, KeyNames, Location, Member,
    Model, Name, OnExhausted, Policy, Pool, Publisher, Retry, Role, Routes, Scope, Stack, StatusRange, Strategy,
    Subscription, Target, Threshold, Topology, defaults,
};
use std::collections::{BTreeMap, BTreeSet};

/// What stands in `breaker` for a backend without one.
pub const NO_BREAKER: &str = "none";

/// The key of the API and of the subscription that are made where none is written.
const API: &str = "openai";
const SUBSCRIPTION: &str = "default";

/// Topology and simulation of a spec, with the keys that it makes and where each comes from.
pub struct Built {
    pub topology: Topology,
    pub simulation: Simulation,
    pub silence: Map<String>,
    pub origins: Vec<(String, String)>,
}

/// Builds the topology of a spec in an environment.
pub fn build(mut spec: Spec, environment: Option<&str>, out: &mut Vec<Diagnostic>) -> Built {
    let mut origins = super::short::lengthen(&mut spec, out);
    let stack = Stack { name: spec.name, environment: environment.unwrap_or_default().into() };
    let scope = Scope {
        subscription: spec.azure.subscription.map(|id| id.to_lowercase()),
        resource_group: spec.azure.resource_group,
        location: Location::new(&spec.azure.location),
    };
    let gateway = gateway(spec.gateway, &stack, &scope);
    let accounts: BTreeMap<_, _> = spec
        .accounts
        .unwrap_or_default()
        .into_iter()
        .map(|(key, written)| (key.clone(), account(&key, written)))
        .collect();
    let written = spec.breakers.unwrap_or_default();
    if gateway.sku == GatewaySku::Consumption && !written.is_empty() {
        out.push(no_breakers().at("breakers").help("take `breakers` out, or choose another `gateway.sku`"));
    }
    let breakers = breakers(written, out);
    let backends = match spec.backends {
        Some(written) => backends(written, &accounts, &breakers, gateway.sku, out),
        None => backends_of_deployments(&accounts, &breakers, gateway.sku, &mut origins, out),
    };
    let pools: BTreeMap<_, _> =
        spec.pools.unwrap_or_default().into_iter().map(|(key, written)| (key.clone(), pool(key, written))).collect();
    let apis = spec.apis.unwrap_or_else(|| {
        origins.push((join("apis", API), "pools".into()));
        origins.push((join("apis", API), "models".into()));
        Map::from([(API.into(), model::Api::default())])
    });
    let apis: BTreeMap<_, _> =
        apis.into_iter().map(|(key, written)| (key.clone(), api(key, written, &pools, out))).collect();
    let grants = backends.values().filter_map(|backend| match &backend.target {
        Target::Deployment { account, .. } => Some((account.clone(), Role::OpenAIUser)),
        Target::Url(_) => None,
    });
    let topology = Topology {
        grants: grants.filter(|(account, _)| accounts.contains_key(account)).collect(),
        subscriptions: subscriptions(spec.subscriptions, &apis, out),
        tags: spec.azure.tags.unwrap_or_default(),
        gateway: Some(gateway),
        stack,
        scope,
        accounts,
        backends,
        pools,
        apis,
    };
    let simulation = spec.simulation.unwrap_or_default();
    Built {
        topology,
        simulation: Simulation {
            instances: simulation.instances.unwrap_or(1),
            rotation: simulation.rotation.map_or(Rotation::Smooth, |Word(rotation)| rotation),
        },
        silence: spec.silence.unwrap_or_default(),
        origins,
    }
}

fn gateway(written: model::Gateway, stack: &Stack, scope: &Scope) -> Gateway {
    let sku = written.sku.map_or(defaults::GATEWAY_SKU, |Word(sku)| sku);
    Gateway {
        name: written.name.map_or_else(|| Name::Unique("apim-".into()), Name::Literal),
        location: scope.location.clone(),
        sku,
        capacity: written.capacity.unwrap_or(if sku == GatewaySku::Consumption { 0 } else { 1 }),
        publisher: Publisher {
            name: written.publisher.name.unwrap_or_else(|| stack.name.clone()),
            email: written.publisher.email,
        },
    }
}

fn account(key: &str, written: model::Account) -> Account {
    let deployments = written.deployments.into_iter().map(|(key, written)| (key, deployment(written)));
    Account {
        name: written.name.map_or_else(|| Name::Unique(format!("aoai-{key}-")), Name::Literal),
        location: Location::new(&written.location),
        kind: written.kind.map_or(AccountKind::OpenAI, |Word(kind)| kind),
        deployments: deployments.collect(),
    }
}

fn deployment(written: model::Deployment) -> Deployment {
    Deployment {
        model: Model { name: written.model, version: written.version },
        sku: written.sku.map_or(defaults::DEPLOYMENT_SKU, |Word(sku)| sku),
        capacity: written.capacity,
        version_upgrade: written.version_upgrade.map_or(defaults::VERSION_UPGRADE, |Word(option)| option),
    }
}

/// The breakers by key, the two that always exist among them.
fn breakers(written: Map<model::Breaker>, out: &mut Vec<Diagnostic>) -> BTreeMap<String, Breaker> {
    let defaults = [defaults::breaker(), defaults::breaker_provisioned()];
    let mut breakers: BTreeMap<String, Breaker> =
        defaults.iter().map(|breaker| (breaker.name.clone(), breaker.clone())).collect();
    for (key, written) in written {
        let path = join("breakers", &key);
        if key == NO_BREAKER {
            let problem = Diagnostic::new(code::RESERVED, "a breaker cannot be called `none`").at(&path);
            out.push(problem.help("choose another name; `breaker: none` means a backend without one"));
        }
        let base = breakers.get(&key).cloned().unwrap_or_else(|| Breaker { name: key.clone(), ..defaults::breaker() });
        if written.count.is_some() && written.percentage.is_some() {
            let problem = Diagnostic::new(code::BREAKER_THRESHOLD, format!("`{key}` has a count and a percentage"));
            let problem = problem.at(join(&path, "percentage")).label("beside `count`");
            out.push(problem.help("keep one of them: Azure takes either"));
        }
        let threshold = match (written.count, written.percentage) {
            (Some(count), _) => Threshold::Count(count),
            (None, Some(percent)) => Threshold::Percentage(percent),
            (None, None) => base.threshold,
        };
        let status_codes = match written.status_codes {
            Some(written) => statuses(written, &join(&path, "statusCodes"), out),
            None => base.status_codes,
        };
        let breaker = Breaker {
            name: base.name,
            threshold,
            interval: length(written.interval, base.interval),
            status_codes,
            trip_duration: length(written.trip_duration, base.trip_duration),
            accept_retry_after: written.accept_retry_after.unwrap_or(base.accept_retry_after),
        };
        super::rules::breaker(&breaker, &path, out);
        breakers.insert(key, breaker);
    }
    breakers
}

fn length(written: Option<Length>, default: Duration) -> Duration {
    written.map_or(default, |Length(length)| length)
}

/// Ascending, joined where they overlap or touch.
fn statuses(written: Vec<model::Statuses>, path: &str, out: &mut Vec<Diagnostic>) -> Vec<StatusRange> {
    for (index, model::Statuses(range)) in
        written.iter().enumerate().filter(|(_, written)| written.0.min > written.0.max)
    {
        let problem = Diagnostic::new(code::STATUS_CODES, format!("{range} runs backwards")).at(item(path, index));
        out.push(problem.help(format!("write {}-{}", range.max, range.min)));
    }
    let mut ranges: Vec<StatusRange> = written.into_iter().map(|model::Statuses(range)| range).collect();
    ranges.sort();
    let mut joined: Vec<StatusRange> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.min <= last.max.saturating_add(1) => last.max = last.max.max(range.max),
            _ => joined.push(range),
        }
    }
    joined
}

fn backends(
    written: Map<model::Backend>,
    accounts: &BTreeMap<String, Account>,
    breakers: &BTreeMap<String, Breaker>,
    sku: GatewaySku,
    out: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Backend> {
    let mut backends = BTreeMap::new();
    for (key, written) in written {
        let path = join(&join("backends", &key), "breaker");
        let breaker = match written.breaker.as_deref() {
            Some(NO_BREAKER) => None,
            Some(_) if sku == GatewaySku::Consumption => {
                out.push(no_breakers().at(path).help("take `breaker` out, or choose another `gateway.sku`"));
                None
            }
            Some(name) => {
                let breaker = breakers.get(name);
                if breaker.is_none() {
                    out.push(unknown("breaker", name, breakers.keys()).at(path));
                }
                breaker.cloned()
            }
            None => {
                let deployment =
                    accounts.get(&written.account).and_then(|account| account.deployments.get(&written.deployment));
                default_breaker(deployment, breakers, sku)
            }
        };
        let target = Target::Deployment { account: written.account, deployment: written.deployment };
        backends.insert(key.clone(), Backend { name: key, target, breaker });
    }
    backends
}

fn backends_of_deployments(
    accounts: &BTreeMap<String, Account>,
    breakers: &BTreeMap<String, Breaker>,
    sku: GatewaySku,
    origins: &mut Vec<(String, String)>,
    out: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Backend> {
    let mut backends: BTreeMap<String, Backend> = BTreeMap::new();
    for (account, deployments) in accounts.iter().map(|(key, account)| (key, &account.deployments)) {
        for (deployment, found) in deployments {
            let name = format!("{account}-{deployment}");
            let source = join(&join(&join("accounts", account), "deployments"), deployment);
            origins.push((join("backends", &name), source.clone()));
            let target = Target::Deployment { account: account.clone(), deployment: deployment.clone() };
            let breaker = default_breaker(Some(found), breakers, sku);
            if backends.insert(name.clone(), Backend { name: name.clone(), target, breaker }).is_some() {
                let problem = Diagnostic::new(code::COLLISION, format!("two deployments give a backend `{name}`"));
                out.push(problem.at(source).help("name the backends yourself, under `backends`"));
            }
        }
    }
    backends
}

fn no_breakers() -> Diagnostic {
    Diagnostic::new(code::NO_BREAKER_ON_CONSUMPTION, "Consumption has no circuit breakers")
}

/// `ptu` for what is provisioned, `default` for the rest, none where the gateway has none.
fn default_breaker(
    deployment: Option<&Deployment>,
    breakers: &BTreeMap<String, Breaker>,
    sku: GatewaySku,
) -> Option<Breaker> {
    let provisioned = deployment.is_some_and(|deployment| deployment.sku.is_provisioned());
    let name = if provisioned { defaults::breaker_provisioned().name } else { defaults::breaker().name };
    breakers.get(&name).filter(|_| sku != GatewaySku::Consumption).cloned()
}

fn pool(key: String, written: model::Pool) -> Pool {
    let members = written.members.into_iter().map(|written| Member {
        backend: written.backend,
        priority: written.priority.unwrap_or(defaults::PRIORITY),
        weight: written.weight.unwrap_or(defaults::WEIGHT),
    });
    Pool { name: key, members: members.collect() }
}

fn api(key: String, written: model::Api, pools: &BTreeMap<String, Pool>, out: &mut Vec<Diagnostic>) -> Api {
    if written.routes.is_some() && written.pool.is_some() {
        let problem = Diagnostic::new(code::ROUTES, format!("`{key}` has routes and one pool for all"));
        let problem = problem.at(format!("apis.{key}.pool")).label("beside `routes`");
        out.push(problem.help("keep one of them"));
    }
    let routes = match (written.routes, written.pool) {
        (Some(routes), _) => Routes::ByName(routes),
        (None, Some(pool)) => Routes::All(pool),
        (None, None) => Routes::ByName(pools.iter().map(|(key, pool)| (key.clone(), pool.name.clone())).collect()),
    };
    let (retry, exhausted) = (written.retry.unwrap_or_default(), written.on_exhausted.unwrap_or_default());
    let (retries, exhaustion, names) = (defaults::retry(), defaults::on_exhausted(), defaults::keys());
    let written_keys = written.callers.and_then(|callers| callers.keys).unwrap_or_default();
    let keys = KeyNames {
        header: written_keys.header.unwrap_or(names.header),
        query: written_keys.query.unwrap_or(names.query),
    };
    let intent = Intent {
        strategy: Strategy::Pool,
        routes,
        keys: keys.clone(),
        audience: defaults::AUDIENCE.into(),
        retry: Retry {
            count: retry.count.unwrap_or(retries.count),
            interval: length(retry.interval, retries.interval),
            first_fast: retry.first_fast.unwrap_or(retries.first_fast),
            timeout: length(retry.timeout, retries.timeout),
            timeouts: retry.timeouts.unwrap_or(retries.timeouts),
        },
        on_exhausted: OnExhausted {
            status: exhausted.status.unwrap_or(exhaustion.status),
            max_retry_after: length(exhausted.max_retry_after, exhaustion.max_retry_after),
        },
        probe: defaults::PROBE.into(),
    };
    let path = written.path.unwrap_or_else(|| key.clone());
    Api {
        display_name: written.display_name.unwrap_or_else(|| key.clone()),
        path: path.trim_matches('/').into(),
        keys,
        operations: defaults::operations(),
        policy: Policy::Rendered(intent),
        name: key,
    }
}

fn subscriptions(
    written: Option<Map<model::Subscription>>,
    apis: &BTreeMap<String, Api>,
    out: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Subscription> {
    let only = if apis.len() == 1 { apis.keys().next() } else { None };
    let written = written.unwrap_or_else(|| match only {
        Some(_) => Map::from([(SUBSCRIPTION.into(), model::Subscription::default())]),
        None => apis
            .keys()
            .map(|api| (api.clone(), model::Subscription { api: Some(api.clone()), ..Default::default() }))
            .collect(),
    });
    let mut subscriptions = BTreeMap::new();
    for (key, written) in written {
        let reserved = [
            (defaults::PROBE, "the program's own", "choose another name: `deploy` probes backends with it"),
            (defaults::MASTER, "Azure's own", "choose another name: it opens every API of the gateway"),
        ];
        if let Some((_, whose, help)) = reserved.iter().find(|(name, ..)| key.eq_ignore_ascii_case(name)) {
            let problem = Diagnostic::new(code::RESERVED, format!("the subscription `{key}` is {whose}"));
            out.push(problem.at(join("subscriptions", &key)).help(*help));
            continue;
        }
        if written.api.is_none() && only.is_none() && !apis.is_empty() {
            let problem = Diagnostic::new(code::WHICH_API, format!("`{key}` does not say which API it may call"));
            let problem = problem.at(join("subscriptions", &key));
            out.push(problem.help(format!("add `api:`, one of {}", suggest::list(apis.keys().map(String::as_str)))));
        }
        let api = written.api.or_else(|| apis.keys().next().cloned()).unwrap_or_default();
        let display_name = written.display_name.unwrap_or_else(|| key.clone());
        let tracing = written.tracing.unwrap_or(false);
        subscriptions.insert(key.clone(), Subscription { name: key, display_name, api, tracing });
    }
    // a subscription has one scope, so the probe's is the first API: every API's probe route reaches every backend
    if let Some(api) = apis.keys().next() {
        let name = defaults::PROBE.to_string();
        let probe = Subscription { display_name: "Probe of aoai-lb".into(), api: api.clone(), tracing: false, name };
        subscriptions.insert(defaults::PROBE.into(), probe);
    }
    subscriptions
}

/// A reference to something that is not there.
pub fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a String> + Clone) -> Diagnostic {
    let names: BTreeSet<&str> = known.map(String::as_str).collect();
    let problem = Diagnostic::new(code::UNKNOWN_REFERENCE, format!("there is no {kind} {}", super::check::shown(name)));
    match suggest::closest(name, names.iter().copied()) {
        Some(meant) => problem.label(format!("did you mean `{meant}`?")).help(format!("write `{meant}`, or define it")),
        None if names.is_empty() => problem.help("define it"),
        None => problem.help(format!("define it, or use one of {}", suggest::list(names))),
    }
}
