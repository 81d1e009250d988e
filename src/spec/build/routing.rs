//! Breakers, backends, pools, and the twins of both for the surface `v1`.

use super::super::model::{self, Map, Surface, Word};
use super::super::yaml::{item, join};
use super::super::{Quota, rules};
use super::{NO_BREAKER, Site, length, two_ways, unknown};
use crate::diagnostic::{Diagnostic, code};
use crate::topology::{
    Account, Backend, Balancing, Breaker, Credential, GatewaySku, Holds, Key, Member, NamedValue, Pool, StatusRange,
    Strategy, Target, Threshold, defaults,
};
use std::collections::{BTreeMap, BTreeSet};

/// The breakers by key, the two that always exist among them.
pub fn breakers(written: Map<model::Breaker>, sku: GatewaySku, out: &mut Vec<Diagnostic>) -> BTreeMap<String, Breaker> {
    if sku == GatewaySku::Consumption && !written.is_empty() {
        out.push(no_breakers().at("breakers").help("take `breakers` out, or choose another `gateway.sku`"));
    }
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
            // who counts reasons alone has said so
            None if written.error_reasons.is_some() && !is_default(&key) => Vec::new(),
            None => base.status_codes,
        };
        let breaker = Breaker {
            name: base.name,
            threshold,
            interval: length(written.interval, base.interval),
            status_codes,
            error_reasons: written.error_reasons.unwrap_or(base.error_reasons),
            trip_duration: length(written.trip_duration, base.trip_duration),
            accept_retry_after: written.accept_retry_after.unwrap_or(base.accept_retry_after),
        };
        rules::breaker(&breaker, &path, out);
        breakers.insert(key, breaker);
    }
    breakers
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

/// What a backend is built within.
pub struct Within<'a, 's> {
    pub accounts: &'a BTreeMap<Key, Account>,
    pub breakers: &'a BTreeMap<String, Breaker>,
    pub pools: &'a BTreeMap<Key, Pool>,
    pub site: &'a Site<'s>,
}

/// The backends of a spec, and what comes with them.
#[derive(Default)]
pub struct Backends {
    pub all: BTreeMap<Key, Backend>,
    pub named_values: BTreeMap<Key, NamedValue>,
    pub quotas: BTreeMap<Key, Quota>,
}

pub fn backends(written: Map<model::Backend>, within: &Within<'_, '_>, out: &mut Vec<Diagnostic>) -> Backends {
    let sku = within.site.sku;
    let mut backends = Backends::default();
    for (key, written) in written {
        let path = join("backends", &key);
        let target = target(&written, &path, out);
        let breaker = match written.breaker.as_deref() {
            Some(NO_BREAKER) => None,
            Some(_) if sku == GatewaySku::Consumption => {
                let problem = no_breakers().at(join(&path, "breaker"));
                out.push(problem.help("take `breaker` out, or choose another `gateway.sku`"));
                None
            }
            Some(name) => {
                let breaker = within.breakers.get(name);
                if breaker.is_none() {
                    out.push(unknown("breaker", name, within.breakers.keys()).at(join(&path, "breaker")));
                }
                breaker.cloned()
            }
            None => default_breaker(&key, &target, within),
        };
        let credential = written.credential.map(|credential| {
            let name = within.site.name(&format!("{key}-key"));
            backends.named_values.insert(key.clone(), NamedValue { name, holds: Holds::Vault(credential.key_vault) });
            Credential { header: credential.header, named_value: key.clone() }
        });
        if let Some(model::Quota { tokens_per_minute, requests_per_minute }) = written.quota {
            let requests_per_minute = requests_per_minute.unwrap_or((tokens_per_minute / 1000 * 6).max(1));
            backends.quotas.insert(key.clone(), Quota { tokens_per_minute, requests_per_minute });
        }
        let name = within.site.name(&key);
        backends.all.insert(key, Backend { name, target, breaker, credential });
    }
    backends
}

/// What a backend calls: a deployment, or an address.
fn target(written: &model::Backend, path: &str, out: &mut Vec<Diagnostic>) -> Target {
    let model::Backend { account, deployment, url, credential, quota, .. } = written;
    if let Some(url) = url {
        if account.is_some() || deployment.is_some() {
            out.push(two_ways(
                &join(path, "url"),
                "a backend has a url and a deployment",
                "`account` and `deployment`",
            ));
        }
        return Target::Url(url.trim_end_matches('/').to_owned());
    }
    for (key, written) in [("credential", credential.is_some()), ("quota", quota.is_some())] {
        if written {
            let message = format!("`{key}` belongs to a backend with a url");
            let problem = Diagnostic::new(code::TWO_WAYS, message).at(join(path, key));
            out.push(problem.help(format!("take `{key}` out: the gateway signs in with its identity")));
        }
    }
    let mut needed = |key: &str, value: &Option<String>, what: &str| {
        if value.is_none() {
            let message = format!("a backend has no `{key}`");
            let problem = Diagnostic::new(code::MISSING_KEY, message).at(join(path, key));
            out.push(problem.help(format!("add `{key}:`, {what}")));
        }
        value.clone().unwrap_or_default()
    };
    let account = needed("account", account, "the key of an account, or `url:` for an address of somebody else's");
    let deployment = needed("deployment", deployment, "the key of a deployment in that account");
    Target::Deployment { account, deployment }
}

/// The key of the backend that a deployment has by itself.
pub fn backend_key(account: &str, deployment: &str) -> Key {
    format!("{account}-{deployment}")
}

pub fn backends_of_deployments(
    within: &Within<'_, '_>,
    origins: &mut Vec<(String, String)>,
    out: &mut Vec<Diagnostic>,
) -> Backends {
    let mut backends = Backends::default();
    for (account, deployments) in within.accounts.iter().map(|(key, account)| (key, &account.deployments)) {
        for deployment in deployments.keys() {
            let key = backend_key(account, deployment);
            let source = join(&join(&join("accounts", account), "deployments"), deployment);
            origins.push((join("backends", &key), source.clone()));
            let target = Target::Deployment { account: account.clone(), deployment: deployment.clone() };
            let breaker = default_breaker(&key, &target, within);
            let backend = Backend { name: within.site.name(&key), target, breaker, credential: None };
            if backends.all.insert(key.clone(), backend).is_some() {
                let problem = Diagnostic::new(code::COLLISION, format!("two deployments give a backend `{key}`"));
                out.push(problem.at(source).help("name the backends yourself, under `backends`"));
            }
        }
    }
    backends
}

fn no_breakers() -> Diagnostic {
    Diagnostic::new(code::NO_BREAKER_ON_CONSUMPTION, "Consumption has no circuit breakers")
}

/// `ptu` for what is provisioned, `default` for the rest; none where the gateway has none, or where only policies pick
/// the backend: they keep count themselves, and what is tripped for API Management answers them 503.
fn default_breaker(key: &str, target: &Target, within: &Within<'_, '_>) -> Option<Breaker> {
    let mut pools =
        within.pools.values().filter(|pool| pool.members.iter().any(|member| member.backend == key)).peekable();
    let by_policy = pools.peek().is_some() && pools.all(|pool| pool.balancing == Balancing::Policy);
    if within.site.sku == GatewaySku::Consumption || by_policy {
        return None;
    }
    let deployment =
        target.account().and_then(|(account, deployment)| within.accounts.get(account)?.deployments.get(deployment?));
    let provisioned = deployment.is_some_and(|deployment| deployment.sku.is_provisioned());
    let name = if provisioned { defaults::breaker_provisioned().name } else { defaults::breaker().name };
    within.breakers.get(&name).cloned()
}

fn is_default(key: &str) -> bool {
    key == defaults::breaker().name || key == defaults::breaker_provisioned().name
}

/// The pools of a spec.
pub struct Pools {
    pub all: BTreeMap<Key, Pool>,
    pub mixed: BTreeSet<Key>,
}

/// The pools. One is API Management's unless only policies that pick themselves, or the surface `v1`, which has twins,
/// use it.
pub fn pools(written: Map<model::Pool>, apis: &Map<model::Api>, site: &Site<'_>) -> Pools {
    let mut pools = Pools { all: BTreeMap::new(), mixed: BTreeSet::new() };
    for (key, written) in written {
        let users: Vec<&model::Api> = apis.values().filter(|api| routes(api, &key)).collect();
        let native = |api: &&model::Api| strategy(api) == Strategy::Pool && serves(api, Surface::Deployments);
        let balancing = match () {
            () if users.is_empty() || users.iter().any(native) => Balancing::Native,
            () if users.iter().any(|api| serves(api, Surface::Deployments)) => Balancing::Policy,
            () if users.iter().all(|api| strategy(api) != Strategy::Pool) => Balancing::Policy,
            () => Balancing::Twin,
        };
        if written.allow_mixed_models == Some(true) {
            pools.mixed.insert(key.clone());
        }
        let members = written.members.into_iter().map(|written| Member {
            backend: written.backend,
            priority: written.priority.unwrap_or(defaults::PRIORITY),
            weight: written.weight.unwrap_or(defaults::WEIGHT),
        });
        let pool = Pool {
            name: site.name(&key),
            members: members.collect(),
            balancing,
            failure_status: written.failure_status,
            session_affinity: written.session_affinity,
        };
        pools.all.insert(key, pool);
    }
    pools
}

/// Who picks under an API.
pub fn strategy(api: &model::Api) -> Strategy {
    api.strategy.as_ref().map_or(Strategy::Pool, |Word(strategy)| *strategy)
}

/// Whether an API serves a surface.
pub fn serves(api: &model::Api, surface: Surface) -> bool {
    match &api.surfaces {
        None => surface == Surface::Deployments,
        Some(surfaces) => surfaces.iter().any(|Word(written)| *written == surface),
    }
}

/// Whether an API routes to a pool, by the pool's key.
fn routes(api: &model::Api, pool: &str) -> bool {
    match (&api.routes, &api.pool) {
        (Some(routes), _) => routes.values().any(|routed| routed == pool),
        (None, Some(all)) => all == pool,
        (None, None) => true,
    }
}

/// Twins for the surface `v1`: of each pool that it routes to, and of each member. Members of a native pool are not
/// shared with it: a breaker trips for one path at a time.
pub fn twins(
    apis: &Map<model::Api>,
    pools: &mut BTreeMap<Key, Pool>,
    backends: &mut BTreeMap<Key, Backend>,
    site: &Site<'_>,
    origins: &mut Vec<(String, String)>,
    out: &mut Vec<Diagnostic>,
) {
    let written: Vec<Key> = pools.keys().cloned().collect();
    for (api_key, api) in apis.iter().filter(|(_, api)| serves(api, Surface::V1)) {
        for key in written.iter().filter(|key| routes(api, key)) {
            let twin_key = defaults::v1_twin(key);
            let native = strategy(api) == Strategy::Pool;
            if let Some(twin) = pools.get_mut(&twin_key).filter(|_| !written.contains(&twin_key)) {
                if native {
                    twin.balancing = Balancing::Native;
                }
                continue;
            }
            let Some(pool) = pools.get(key).cloned() else { continue };
            let mut members = Vec::new();
            for member in &pool.members {
                let Some(backend) = backends.get(&member.backend) else { continue };
                let Target::Deployment { account, deployment } = backend.target.clone() else { continue };
                let twin = defaults::v1_twin(&member.backend);
                origins.push((join("backends", &twin), join("backends", &member.backend)));
                let target = Target::V1 { account, deployment };
                let breaker = backend.breaker.clone();
                collision(&twin, backends.get(&twin), &target, &member.backend, out);
                backends.insert(twin.clone(), Backend { name: site.name(&twin), target, breaker, credential: None });
                members.push(Member { backend: twin, ..member.clone() });
            }
            if written.contains(&twin_key) {
                let message = format!("`{twin_key}` is the twin of `{key}` for the surface v1 of `{api_key}`");
                let problem = Diagnostic::new(code::COLLISION, message).at(join("pools", &twin_key));
                out.push(problem.help("rename this pool"));
                continue;
            }
            origins.push((join("pools", &twin_key), join("pools", key)));
            let balancing = if native { Balancing::Native } else { Balancing::Policy };
            pools.insert(twin_key.clone(), Pool { name: site.name(&twin_key), members, balancing, ..pool });
        }
    }
    for (key, api) in apis {
        let Some(account) = api.stateful.as_ref().map(|stateful| stateful.pin.clone()) else { continue };
        let pinned = defaults::pinned(&account);
        let target = Target::Account { account: account.clone() };
        origins.push((join("backends", &pinned), join(&join("apis", key), "stateful")));
        collision(&pinned, backends.get(&pinned), &target, &account, out);
        let breaker = None;
        backends.insert(pinned.clone(), Backend { name: site.name(&pinned), target, breaker, credential: None });
    }
}

/// A backend that is written has the name of one that is made.
fn collision(name: &str, written: Option<&Backend>, made: &Target, of: &str, out: &mut Vec<Diagnostic>) {
    if written.is_some_and(|written| written.target != *made) {
        let message = format!("`{name}` is the name of a backend that is made for `{of}`");
        let problem = Diagnostic::new(code::COLLISION, message).at(join("backends", name));
        out.push(problem.help("rename this backend"));
    }
}
