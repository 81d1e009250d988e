//! Differences between two things at one address, field by field, in the spec's words.

use super::{DEFINITION, Field, Scope, body};
use crate::topology::intent::{Candidate, LimitBy, TokenLimit, TokenQuota};
use crate::topology::*;
use std::collections::{BTreeMap, BTreeSet};

/// What differs at `address` between what is wanted and what is there; nothing where either side lacks it.
pub(super) fn fields(desired: &Topology, there: &Live, scope: &Scope, address: &Address) -> Vec<Field> {
    let live = &there.topology;
    let mut fields = Fields(Vec::new());
    // `None` where either side has nothing there: then there is nothing to compare
    let _ = match address {
        Address::ResourceGroup => None,
        Address::Gateway => desired.gateway.as_ref().zip(live.gateway.as_ref()).map(|(to, from)| {
            fields.gateway(from, to);
        }),
        Address::Account(key) => both(&desired.accounts, &live.accounts, key).map(|(to, from)| {
            fields.add("name", &from.name, &to.name);
            fields.add("location", &from.location, &to.location);
            fields.add("kind", from.kind.as_str(), to.kind.as_str());
        }),
        Address::Deployment { account, deployment } => both(&desired.accounts, &live.accounts, account)
            .and_then(|(to, from)| both(&to.deployments, &from.deployments, deployment))
            .map(|(to, from)| fields.deployment(from, to)),
        Address::Grant(key) => {
            both(&desired.grants, &live.grants, key).map(|(to, from)| fields.add("role", from.title(), to.title()))
        }
        Address::Backend(key) => both(&desired.backends, &live.backends, key).map(|(to, from)| {
            fields.add("name", &from.name, &to.name);
            fields.add("calls", called(&from.target), called(&to.target));
            fields.breaker(from.breaker.as_ref(), to.breaker.as_ref());
        }),
        Address::Pool(key) => both(&desired.pools, &live.pools, key).map(|(to, from)| {
            fields.add("name", &from.name, &to.name);
            fields.members(&from.members, &to.members);
            let status = |pool: &Pool| pool.failure_status.map(|status| status.to_string());
            fields.optional("failureStatus", status(from), status(to));
            fields.optional("sessionAffinity", from.session_affinity.clone(), to.session_affinity.clone());
        }),
        Address::Api(key) => both(&desired.apis, &live.apis, key).map(|(to, from)| {
            fields.add("name", &from.name, &to.name);
            fields.add("display name", &from.display_name, &to.display_name);
            fields.add("path", &from.path, &to.path);
            fields.keys(from.keys.as_ref(), to.keys.as_ref());
            let hash = |api: &Api| match &api.definition {
                Definition::Operations => None,
                Definition::Imported(import) => Some(import.hash.clone()),
            };
            fields.optional(DEFINITION, hash(from), hash(to));
        }),
        Address::Operation { api, operation } => both(&desired.apis, &live.apis, api)
            .and_then(|(to, from)| both(&to.operations, &from.operations, operation))
            .map(|(to, from)| {
                fields.add("display name", &from.display_name, &to.display_name);
                fields.add("method", &from.method, &to.method);
                fields.add("url", &from.url_template, &to.url_template);
            }),
        Address::Policy(key) => {
            both(&desired.apis, &live.apis, key).map(|(to, from)| fields.policy(&from.policy, &to.policy))
        }
        Address::Subscription(key) => both(&desired.subscriptions, &live.subscriptions, key).map(|(to, from)| {
            fields.add("name", &from.name, &to.name);
            fields.add("display name", &from.display_name, &to.display_name);
            fields.add("may call", from.access.describe(), to.access.describe());
            fields.add("tracing", from.tracing, to.tracing);
        }),
        Address::NamedValue(key) => both(&desired.named_values, &live.named_values, key).map(|(to, from)| {
            fields.add("name", &from.name, &to.name);
            fields.add("holds", from.holds.describe(), to.holds.describe());
        }),
        Address::Product(key) => both(&desired.products, &live.products, key).map(|(to, from)| {
            fields.add("name", &from.name, &to.name);
            fields.add("display name", &from.display_name, &to.display_name);
        }),
        Address::ProductPolicy(key) => {
            both(&desired.products, &live.products, key).map(|(to, from)| fields.limits(&from.policy, &to.policy))
        }
        Address::PrivateEndpoint(key) => endpoints(desired, live, key).map(|(to, from)| {
            fields.add("subnet", &from.subnet, &to.subnet);
        }),
        Address::DnsZoneGroup(key) => endpoints(desired, live, key).map(|(to, from)| {
            fields.optional("zone", from.dns_zone.clone(), to.dns_zone.clone());
        }),
        Address::Identity => desired.gateway.as_ref().zip(live.gateway.as_ref()).map(|(to, from)| {
            if let (Identity::Managed(to), Identity::Managed(from)) = (&to.identity, &from.identity) {
                fields.add("name", from, to);
            }
        }),
        Address::Workspace
        | Address::AppInsights
        | Address::ProductApi { .. }
        | Address::Logger(_)
        | Address::Diagnostic { .. }
        | Address::DiagnosticSetting
        | Address::Workbook
        | Address::Alert(_) => None,
    };
    if let (Some(wanted), Some(there)) = (scope.bodies.get(address), there.bodies.get(address)) {
        fields.0.extend(body::differences(address, wanted, there));
    }
    fields.0
}

fn both<'a, T>(to: &'a BTreeMap<Key, T>, from: &'a BTreeMap<Key, T>, key: &str) -> Option<(&'a T, &'a T)> {
    to.get(key).zip(from.get(key))
}

fn endpoints<'a>(
    desired: &'a Topology,
    live: &'a Topology,
    key: &str,
) -> Option<(&'a PrivateEndpoint, &'a PrivateEndpoint)> {
    let (to, from) = both(&desired.accounts, &live.accounts, key)?;
    to.network.private_endpoint.as_ref().zip(from.network.private_endpoint.as_ref())
}

/// What is at `address`, in a few words.
pub(super) fn detail(topology: &Topology, address: &Address) -> String {
    let found = || {
        Some(match address {
            Address::ResourceGroup => topology.scope.resource_group.clone(),
            Address::Gateway => {
                let gateway = topology.gateway.as_ref()?;
                format!("{}, {} x{} in {}", gateway.name, gateway.sku.as_str(), gateway.capacity, gateway.location)
            }
            Address::Account(key) => {
                let account = topology.accounts.get(key)?;
                format!("{}, {} in {}", account.name, account.kind.as_str(), account.location)
            }
            Address::Deployment { account, deployment } => {
                let found = topology.accounts.get(account)?.deployments.get(deployment)?;
                let capacity = capacity(found.sku, found.capacity);
                format!("{} {}, {} {capacity}", found.model.name, found.model.version, found.sku.as_str())
            }
            Address::Grant(key) => topology.grants.get(key)?.title().to_owned(),
            Address::Backend(key) => {
                let found = topology.backends.get(key)?;
                let breaker = found.breaker.as_ref().map_or("no breaker".into(), |b| format!("breaker {}", b.name));
                format!("calls {}, {breaker}", called(&found.target))
            }
            Address::Pool(key) => {
                let members = topology.pools.get(key)?.members.iter();
                members
                    .map(|m| format!("{} (priority {}, weight {})", m.backend, m.priority, m.weight))
                    .collect::<Vec<_>>()
                    .join(", ")
            }
            Address::Api(key) => format!("path /{}", topology.apis.get(key)?.path),
            Address::Operation { api, operation } => {
                let found = topology.apis.get(api)?.operations.get(operation)?;
                format!("{} {}", found.method, found.url_template)
            }
            Address::Policy(key) => match &topology.apis.get(key)?.policy {
                Policy::Rendered(intent) => routes(&intent.routes)
                    .iter()
                    .map(|(name, pool)| format!("{name} to pool {pool}"))
                    .collect::<Vec<_>>()
                    .join(", "),
                Policy::Other(_) => String::new(),
            },
            Address::Subscription(key) => format!("for {}", topology.subscriptions.get(key)?.access.describe()),
            Address::Product(key) => topology.products.get(key)?.display_name.clone(),
            Address::NamedValue(key) => topology.named_values.get(key)?.name.clone(),
            Address::Identity => match &topology.gateway.as_ref()?.identity {
                Identity::Managed(name) => name.clone(),
                Identity::System | Identity::Existing(_) => return None,
            },
            Address::PrivateEndpoint(key) => {
                let endpoint = topology.accounts.get(key)?.network.private_endpoint.as_ref()?;
                format!("in the subnet {}", last(&endpoint.subnet))
            }
            Address::DnsZoneGroup(key) => {
                let endpoint = topology.accounts.get(key)?.network.private_endpoint.as_ref()?;
                format!("in {}", last(endpoint.dns_zone.as_ref()?))
            }
            Address::Workspace
            | Address::AppInsights
            | Address::ProductApi { .. }
            | Address::ProductPolicy(_)
            | Address::Logger(_)
            | Address::Diagnostic { .. }
            | Address::DiagnosticSetting
            | Address::Workbook
            | Address::Alert(_) => String::new(),
        })
    };
    found().unwrap_or_default()
}

/// The last part of an id: a name.
fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// `50K TPM` or `50 PTU`.
pub(super) fn capacity(sku: DeploymentSku, capacity: u32) -> String {
    if sku.is_provisioned() { format!("{capacity} PTU") } else { format!("{capacity}K TPM") }
}

fn called(target: &Target) -> String {
    match target {
        Target::Deployment { account, deployment } => format!("deployment {deployment} of {account}"),
        Target::V1 { account, deployment } => format!("deployment {deployment} of {account} on the surface v1"),
        Target::Account { account } => format!("account {account}"),
        Target::Url(url) => url.clone(),
    }
}

fn threshold(threshold: Threshold) -> String {
    match threshold {
        Threshold::Count(count) => count.to_string(),
        Threshold::Percentage(percentage) => format!("{percentage}%"),
    }
}

fn codes(ranges: &[StatusRange]) -> String {
    ranges.iter().map(StatusRange::to_string).collect::<Vec<_>>().join(", ")
}

fn limit(limit: &TokenLimit) -> String {
    let by = match limit.by {
        LimitBy::Subscription => "",
        LimitBy::Pool => " by pool",
    };
    let estimate = if limit.estimate_prompt { "" } else { ", prompts not estimated" };
    format!("{} tokens a minute{by}{estimate}", limit.tokens_per_minute)
}

fn quota(quota: &TokenQuota) -> String {
    format!("{} tokens {}", quota.tokens, quota.per.as_str())
}

/// `*` stands for every name.
fn routes(routes: &Routes) -> BTreeMap<&str, &str> {
    match routes {
        Routes::All(pool) => BTreeMap::from([("*", pool.as_str())]),
        Routes::ByName(routes) => routes.iter().map(|(name, pool)| (name.as_str(), pool.as_str())).collect(),
    }
}

/// Fields that differ, in the order in which they were looked at.
struct Fields(Vec<Field>);

impl Fields {
    fn add(&mut self, name: &str, from: impl ToString, to: impl ToString) {
        self.optional(name, Some(from.to_string()), Some(to.to_string()));
    }

    fn optional(&mut self, name: &str, from: Option<String>, to: Option<String>) {
        if from != to {
            self.0.push(Field { name: name.to_owned(), from, to });
        }
    }

    fn gateway(&mut self, from: &Gateway, to: &Gateway) {
        self.add("name", &from.name, &to.name);
        self.add("location", &from.location, &to.location);
        self.add("sku", from.sku.as_str(), to.sku.as_str());
        self.add("capacity", from.capacity, to.capacity);
        self.add("publisher name", &from.publisher.name, &to.publisher.name);
        self.add("publisher email", &from.publisher.email, &to.publisher.email);
        let network = |gateway: &Gateway| {
            gateway.network.as_ref().map(|found| (found.subnet.clone(), found.mode.as_str().to_owned()))
        };
        let ((from_subnet, from_mode), (to_subnet, to_mode)) = (network(from).unzip(), network(to).unzip());
        self.optional("network subnet", from_subnet, to_subnet);
        self.optional("network mode", from_mode, to_mode);
    }

    fn deployment(&mut self, from: &Deployment, to: &Deployment) {
        self.add("model", &from.model.name, &to.model.name);
        self.add("version", &from.model.version, &to.model.version);
        self.add("sku", from.sku.as_str(), to.sku.as_str());
        self.add("capacity", capacity(from.sku, from.capacity), capacity(to.sku, to.capacity));
        self.add("version upgrade", from.version_upgrade.as_str(), to.version_upgrade.as_str());
        self.add("format", &from.model.format, &to.model.format);
        self.optional("raiPolicy", from.rai_policy.clone(), to.rai_policy.clone());
        self.optional("spillover", from.spillover.clone(), to.spillover.clone());
    }

    fn breaker(&mut self, from: Option<&Breaker>, to: Option<&Breaker>) {
        let (Some(from), Some(to)) = (from, to) else {
            let name = |breaker: &Breaker| breaker.name.clone();
            return self.optional("breaker", from.map(name), to.map(name));
        };
        self.add("breaker", &from.name, &to.name);
        self.add("breaker count", threshold(from.threshold), threshold(to.threshold));
        self.add("breaker interval", from.interval, to.interval);
        self.add("breaker statusCodes", codes(&from.status_codes), codes(&to.status_codes));
        self.add("breaker errorReasons", from.error_reasons.join(", "), to.error_reasons.join(", "));
        self.add("breaker tripDuration", from.trip_duration, to.trip_duration);
        self.add("breaker acceptRetryAfter", from.accept_retry_after, to.accept_retry_after);
    }

    fn routes(&mut self, what: &str, from: Option<&Routes>, to: Option<&Routes>) {
        let (there, wanted) = (from.map(routes).unwrap_or_default(), to.map(routes).unwrap_or_default());
        let names: BTreeSet<&str> = there.keys().chain(wanted.keys()).copied().collect();
        for name in names {
            let pool = |routes: &BTreeMap<&str, &str>| routes.get(name).map(|pool| (*pool).to_owned());
            self.optional(&format!("{what} {name}"), pool(&there), pool(&wanted));
        }
    }

    /// What a policy picks from.
    fn candidates(&mut self, from: &BTreeMap<String, Vec<Candidate>>, to: &BTreeMap<String, Vec<Candidate>>) {
        let of = |pools: &BTreeMap<String, Vec<Candidate>>| -> BTreeMap<(String, String), String> {
            let all = pools.iter().flat_map(|(pool, members)| members.iter().map(move |member| (pool, member)));
            let whole = |member: &Candidate| format!("priority {}, weight {}", member.priority, member.weight);
            all.map(|(pool, member)| ((pool.clone(), member.backend.clone()), whole(member))).collect()
        };
        let (there, wanted) = (of(from), of(to));
        let names: BTreeSet<&(String, String)> = there.keys().chain(wanted.keys()).collect();
        for name @ (pool, member) in names {
            let title = format!("pool {pool} member {member}");
            self.optional(&title, there.get(name).cloned(), wanted.get(name).cloned());
        }
    }

    fn keys(&mut self, from: Option<&KeyNames>, to: Option<&KeyNames>) {
        let name = |keys: Option<&KeyNames>, of: fn(&KeyNames) -> &String| keys.map(|keys| of(keys).clone());
        self.optional("key header", name(from, |keys| &keys.header), name(to, |keys| &keys.header));
        self.optional("key query", name(from, |keys| &keys.query), name(to, |keys| &keys.query));
    }

    /// The order of members means nothing.
    fn members(&mut self, from: &[Member], to: &[Member]) {
        let find = |members: &[Member], key: &str| members.iter().find(|member| member.backend == key).cloned();
        let whole = |m: &Member| format!("priority {}, weight {}", m.priority, m.weight);
        for wanted in to {
            let name = format!("member {}", wanted.backend);
            match find(from, &wanted.backend) {
                None => self.optional(&name, None, Some(whole(wanted))),
                Some(member) => {
                    self.add(&format!("{name} priority"), member.priority, wanted.priority);
                    self.add(&format!("{name} weight"), member.weight, wanted.weight);
                }
            }
        }
        for gone in from.iter().filter(|member| find(to, &member.backend).is_none()) {
            self.optional(&format!("member {}", gone.backend), Some(whole(gone)), None);
        }
    }

    fn policy(&mut self, from: &Policy, to: &Policy) {
        self.rendered(from, to, Fields::intents);
    }

    fn limits(&mut self, from: &Policy<ProductIntent>, to: &Policy<ProductIntent>) {
        self.rendered(from, to, |fields, from, to| {
            fields.optional("tokenLimit", from.token_limit.as_ref().map(limit), to.token_limit.as_ref().map(limit));
            fields.optional("quota", from.quota.as_ref().map(quota), to.quota.as_ref().map(quota));
        });
    }

    fn rendered<I: PartialEq>(&mut self, from: &Policy<I>, to: &Policy<I>, intents: impl Fn(&mut Fields, &I, &I)) {
        match (from, to) {
            (from, to) if from == to => {}
            (Policy::Rendered(there), Policy::Rendered(wanted)) => {
                let before = self.0.len();
                intents(self, there, wanted);
                if self.0.len() == before {
                    // no word of the spec tells them apart, and yet they are not the same
                    self.optional("policy", Some("rendered otherwise".into()), Some("as rendered".into()));
                }
            }
            (Policy::Other(_), _) => self.optional("policy", Some("not ours".into()), Some("as rendered".into())),
            (Policy::Rendered(_), Policy::Other(_)) => {
                self.optional("policy", Some("as rendered".into()), Some("another".into()));
            }
        }
    }

    fn intents(&mut self, from: &Intent, to: &Intent) {
        self.add("strategy", from.strategy.word(), to.strategy.word());
        self.routes("route", Some(&from.routes), Some(&to.routes));
        self.routes("v1 route", from.v1.as_ref(), to.v1.as_ref());
        self.candidates(&from.pools, &to.pools);
        self.optional("stateful", from.stateful.clone(), to.stateful.clone());
        self.optional("tokenLimit", from.token_limit.as_ref().map(limit), to.token_limit.as_ref().map(limit));
        let entra = |intent: &Intent| intent.entra.as_ref().map(|entra| entra.tenant.clone());
        self.optional("entra tenant", entra(from), entra(to));
        let metrics = |intent: &Intent| intent.metrics.as_ref().map(|metrics| metrics.dimensions.join(", "));
        self.optional("metrics", metrics(from), metrics(to));
        self.keys(from.keys.as_ref(), to.keys.as_ref());
        self.add("audience", &from.audience, &to.audience);
        self.add("retry count", from.retry.count, to.retry.count);
        self.add("retry interval", from.retry.interval, to.retry.interval);
        self.add("retry firstFast", from.retry.first_fast, to.retry.first_fast);
        self.add("retry timeout", from.retry.timeout, to.retry.timeout);
        self.add("retry timeouts", from.retry.timeouts, to.retry.timeouts);
        self.add("onExhausted status", from.on_exhausted.status, to.on_exhausted.status);
        self.add("onExhausted maxRetryAfter", from.on_exhausted.max_retry_after, to.on_exhausted.max_retry_after);
        self.add("probe subscription", &from.probe, &to.probe);
    }
}
