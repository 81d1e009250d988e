//! Backends and pools, and the order in which what stands in the gateway is read.
//!
//! A backend of a spec calls one deployment. One that calls a whole account, as most samples have it, becomes one for
//! each deployment that callers can name: deployments of one name share a pool, and what is left of one model and version
//! shares one too, under every name that it has.

use super::evaluate::{Found, Template, last};
use super::template::{Reading, place, split, target_of};
use crate::arm;
use crate::diagnostic::{Diagnostic, Span, code};
use crate::template::lint::json::Node;
use crate::topology::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A backend of the template.
pub(super) struct Single<'a> {
    pub key: Key,
    pub calls: Target,
    pub node: &'a Node,
    pub breaker: Option<Breaker>,
}

/// A member of a pool before its backend is one deployment: the backend's name in lower case, priority, weight.
type Listed = (String, u8, u8);

/// Deployments that stand together: their names, and members with a deployment each.
type Group<'m> = (BTreeSet<String>, Vec<(&'m Listed, String)>);

/// A pool that was made, with the names that callers may use for it; none where they are not known.
pub(super) type Made = (Key, BTreeSet<String>);

pub(super) struct Routing<'x, 'r, 'a> {
    pub(super) reading: &'x mut Reading<'r, 'a>,
    pub(super) singles: BTreeMap<String, Single<'a>>,
    /// Pools of the gateway by name in lower case, and what they became.
    pub(super) pools: BTreeMap<String, Vec<Made>>,
    /// Backends by name in lower case that something picks.
    pub(super) used: BTreeSet<String>,
    /// APIs that were left out.
    pub(super) lost: BTreeSet<String>,
}

impl<'x, 'r, 'a> Routing<'x, 'r, 'a> {
    pub fn new(reading: &'x mut Reading<'r, 'a>) -> Self {
        let (singles, pools, used, lost) = Default::default();
        Routing { reading, singles, pools, used, lost }
    }

    pub fn read(mut self) {
        self.named_values();
        let (pools, singles): (Vec<_>, Vec<_>) =
            self.reading.of("backends").into_iter().partition(|found| is_pool(found));
        singles.iter().for_each(|found| self.single(found));
        self.distinct_breakers();
        self.emit_singles();
        pools.iter().for_each(|found| self.pool(found));
        self.reading.of("apis").iter().for_each(|found| self.api(found));
        self.broader();
        self.unused();
        self.reading.of("products").iter().for_each(|found| self.product(found));
        self.reading.of("subscriptions").iter().for_each(|found| self.subscription(found));
    }

    fn named_values(&mut self) {
        for found in self.reading.of("namedvalues") {
            let name = found.own().to_owned();
            let secret = found.body.pointer("/properties/keyVault/secretIdentifier").is_some();
            match self.reading.text(found, "/properties/keyVault/secretIdentifier") {
                Some(secret) => {
                    let value = NamedValue { name: name.clone(), holds: Holds::Vault(secret) };
                    self.reading.topology.named_values.insert(name, value);
                }
                None if secret || self.reading.is_ours() => {}
                None => {
                    let message = format!("the named value `{}` is not carried over", Template::shown(&name));
                    let help = "a spec makes the named values that its policies need";
                    self.reading.tell(code::NOT_CARRIED_OVER, place(found.node, "/name"), message, help);
                }
            }
        }
    }

    fn single(&mut self, found: &Found<'a>) {
        let key = self.reading.key(found.own());
        let Some(url) = found.body.pointer("/properties/url").and_then(Value::as_str) else {
            self.reading.text(found, "/properties/url");
            return;
        };
        let other = found.other_body.pointer("/properties/url").and_then(Value::as_str).unwrap_or(url);
        let calls = self.calls(url, other, found.node);
        if let Target::Url(url) = &calls
            && let Some(reason) = self.reading.template.reason(url)
        {
            let message = format!("the backend `{key}` is not carried over: {reason}");
            return self.reading.tell(code::NOT_KNOWN, place(found.node, "/properties/url"), message, "fill it in");
        }
        let rules = found.body.pointer("/properties/circuitBreaker/rules").and_then(Value::as_array);
        let rules = rules.map(Vec::as_slice).unwrap_or_default();
        if rules.len() > 1 {
            let span = place(found.node, "/properties/circuitBreaker/rules");
            let message = format!("`{key}` has {} breaker rules; the first one is carried over", rules.len());
            self.reading.tell(code::NOT_CARRIED_OVER, span, message, "a backend has one breaker rule");
        }
        let mut breaker = rules.first().map(arm::breaker);
        if let Some(breaker) = &mut breaker {
            let name = Template::shown(&breaker.name);
            breaker.name = if name.is_empty() || name == "none" { key.clone() } else { name };
        }
        self.singles.insert(found.own().to_lowercase(), Single { key, calls, node: found.node, breaker });
    }

    /// What an address calls.
    pub(super) fn calls(&mut self, url: &str, other: &str, node: &Node) -> Target {
        let (host, path) = split(url);
        let Some(account) = self.reading.account_at(&host, &split(other).0, node) else {
            return Target::Url(url.trim_end_matches('/').to_owned());
        };
        match target_of(&path) {
            Some(deployment) => Target::Deployment { account, deployment: deployment.to_owned() },
            None if path.eq_ignore_ascii_case("openai/v1") => Target::V1 { account, deployment: String::new() },
            None => Target::Account { account },
        }
    }

    /// One rule for each name: a spec names rules, and backends share them.
    fn distinct_breakers(&mut self) {
        let mut rules: BTreeMap<String, Breaker> = BTreeMap::new();
        for single in self.singles.values_mut() {
            let Some(breaker) = &mut single.breaker else { continue };
            match rules.get(&breaker.name) {
                Some(known) if known != breaker => {
                    breaker.name = format!("{}-{}", breaker.name, single.key);
                    rules.insert(breaker.name.clone(), breaker.clone());
                }
                Some(_) => {}
                None => drop(rules.insert(breaker.name.clone(), breaker.clone())),
            }
        }
    }

    /// Backends that stay as they are. Of ours, the twins for the surface `v1` lead back to what the spec says.
    fn emit_singles(&mut self) {
        let ours = self.reading.is_ours();
        let mut twins = Vec::new();
        for (name, single) in &self.singles {
            let mut target = single.calls.clone();
            if let Target::Deployment { account, deployment } = &target
                && let Some(account) = self.reading.topology.accounts.get_mut(account)
                && account.standing == Standing::Existing
            {
                // what it is only Azure knows
                let unknown = || Deployment::new("", "", defaults::DEPLOYMENT_SKU, 0);
                account.deployments.entry(deployment.clone()).or_insert_with(unknown);
            }
            match &mut target {
                Target::Account { .. } if !ours => continue,
                Target::V1 { account, deployment } => {
                    let base = single.key.strip_suffix("-v1").unwrap_or(&single.key).to_owned();
                    let known = self.reading.topology.accounts.get(account);
                    let known = known.map(|account| account.deployments.keys().cloned().collect::<Vec<_>>());
                    let known = known.unwrap_or_default();
                    // its name is the account's and the deployment's, unless somebody named it
                    let named = known.iter().find(|deployment| base.ends_with(deployment.as_str()));
                    *deployment = named.or(known.first()).cloned().unwrap_or_default();
                    let target = Target::Deployment { account: account.clone(), deployment: deployment.clone() };
                    twins.push((base, target, single.breaker.clone()));
                }
                _ => {}
            }
            let backend = Backend { name: name.clone(), target, breaker: single.breaker.clone(), credential: None };
            let backend = Backend { name: self.azure_name(&single.key), ..backend };
            self.reading.topology.backends.insert(single.key.clone(), backend);
        }
        for (key, target, breaker) in twins {
            let backend = Backend::new(&self.azure_name(&key), target, breaker);
            self.reading.topology.backends.entry(key).or_insert(backend);
        }
    }

    pub(super) fn azure_name(&self, key: &str) -> String {
        if self.reading.is_ours() { format!("{}{key}", self.reading.prefix()) } else { key.to_owned() }
    }

    fn pool(&mut self, found: &Found<'a>) {
        let key = self.reading.key(found.own());
        let services = found.body.pointer("/properties/pool/services").and_then(Value::as_array);
        let mut members = Vec::new();
        for (index, service) in services.into_iter().flatten().enumerate() {
            let id = service.get("id").and_then(Value::as_str).unwrap_or_default();
            let share = |name: &str, default: u8| {
                let number = service.get(name).and_then(Value::as_u64);
                number.map_or(default, |number| u8::try_from(number).unwrap_or(u8::MAX).min(defaults::MAX_WEIGHT))
            };
            let name = last(id.trim_end_matches('/')).to_lowercase();
            if !self.singles.contains_key(&name) {
                let span = place(found.node, &format!("/properties/pool/services/{index}/id"));
                let message =
                    format!("`{key}` has the member `{}`, which the template does not make", Template::shown(&name));
                self.reading.tell(code::NOT_CARRIED_OVER, span, message, "add that backend to the spec");
                continue;
            }
            members.push((name, share("priority", defaults::PRIORITY), share("weight", defaults::WEIGHT)));
        }
        let span = place(found.node, "/name");
        let failure_status = found.body.pointer("/properties/failureResponse/statusCode").and_then(Value::as_u64);
        let affinity = found.body.pointer("/properties/pool/sessionAffinity/sessionId/name").and_then(Value::as_str);
        let made = self.expand(&key, &members, span);
        for (key, _) in &made {
            if let Some(pool) = self.reading.topology.pools.get_mut(key) {
                pool.failure_status = failure_status.and_then(|status| u16::try_from(status).ok());
                pool.session_affinity = affinity.map(str::to_owned);
            }
        }
        self.twin(&key, &made);
        self.pools.insert(found.own().to_lowercase(), made);
    }

    /// The pool that one of our twins for the surface `v1` stands beside.
    fn twin(&mut self, key: &Key, made: &[Made]) {
        let Some(base) = key.strip_suffix("-v1").filter(|_| self.reading.is_ours() && !made.is_empty()) else { return };
        let topology = &mut self.reading.topology;
        let Some(pool) = topology.pools.get(key).cloned() else { return };
        let members = pool.members.iter().map(|member| {
            let backend = member.backend.strip_suffix("-v1").unwrap_or(&member.backend).to_owned();
            Member { backend, ..member.clone() }
        });
        let members = members.collect();
        let name = pool.name.strip_suffix("-v1").unwrap_or(&pool.name).to_owned();
        topology.pools.entry(base.to_owned()).or_insert(Pool { name, members, ..pool });
    }

    /// Makes the pool, or, where members call whole accounts, a pool for each name that callers can use.
    pub(super) fn expand(&mut self, key: &str, members: &[Listed], span: Span) -> Vec<Made> {
        self.used.extend(members.iter().map(|(name, ..)| name.clone()));
        let whole = |name: &String| {
            !self.reading.is_ours()
                && matches!(self.singles.get(name), Some(Single { calls: Target::Account { .. }, .. }))
        };
        if !members.iter().any(|(name, ..)| whole(name)) {
            let member = |(name, priority, weight): &Listed| {
                let backend = self.singles.get(name)?.key.clone();
                Some(Member { backend, priority: *priority, weight: *weight })
            };
            let members: Vec<Member> = members.iter().filter_map(member).collect();
            self.add_pool(key, members);
            return vec![(key.to_owned(), BTreeSet::new())];
        }
        let groups = self.groups(members);
        let mut made = Vec::new();
        for (names, chosen) in &groups {
            let pool = match groups.len() {
                1 => key.to_owned(),
                _ => format!("{key}-{}", names.first().map_or("rest", String::as_str)),
            };
            let members = chosen.iter().map(|(member, deployment)| self.one(member, deployment, groups.len() > 1));
            let members = members.collect();
            self.add_pool(&pool, members);
            made.push((pool, names.clone()));
        }
        let names: Vec<String> = groups.iter().flat_map(|(names, _)| names).map(|name| format!("`{name}`")).collect();
        let message = match names.is_empty() {
            true => format!("the backends of `{key}` call whole accounts, whose deployments are not known"),
            false => format!(
                "the backends of `{key}` call whole accounts; each is now one for a deployment: {}",
                names.join(", ")
            ),
        };
        let help = match names.is_empty() {
            true => "fill in the deployments, and `deployment` of each backend",
            false => "check that these are the names that callers use",
        };
        self.reading.tell(code::SPLIT_BACKEND, span, message, help);
        let differ = groups.iter().any(|(names, _)| names.len() > 1);
        if differ {
            let message = format!("the members of `{key}` have deployments of different names");
            let help = "with this spec a caller may use any of them";
            let note = "as the template has it, a call that reaches the wrong member is answered by 404";
            self.reading.out.push(Diagnostic::new(code::CHANGED, message).span(span).help(help).note(note));
        }
        made
    }

    /// Which deployments of whole accounts stand together: names, and members with a deployment each.
    fn groups<'m>(&self, members: &'m [Listed]) -> Vec<Group<'m>> {
        let deployments = |name: &String| {
            let account = self.singles.get(name).and_then(|single| single.calls.account()).map(|(account, _)| account);
            account.and_then(|account| self.reading.topology.accounts.get(account)).map(|account| &account.deployments)
        };
        let mut by_name: BTreeMap<String, Vec<&Listed>> = BTreeMap::new();
        for member in members {
            for name in deployments(&member.0).into_iter().flat_map(|all| all.keys()) {
                by_name.entry(name.clone()).or_default().push(member);
            }
        }
        let unknown: Vec<&Listed> =
            members.iter().filter(|member| deployments(&member.0).is_none_or(BTreeMap::is_empty)).collect();
        let mut groups: Vec<Group<'_>> = Vec::new();
        let mut by_model: BTreeMap<Model, usize> = BTreeMap::new();
        for (name, owners) in by_name {
            let model = deployments(&owners[0].0).and_then(|all| all.get(&name)).map(|found| found.model.clone());
            let alone = owners.len() == 1 && members.len() > 1;
            let at = match model.filter(|_| alone) {
                Some(model) => *by_model.entry(model).or_insert(groups.len()),
                None => groups.len(),
            };
            if at == groups.len() {
                groups.push(Default::default());
            }
            groups[at].0.insert(name.clone());
            groups[at].1.extend(owners.into_iter().map(|owner| (owner, name.clone())));
        }
        if groups.is_empty() {
            groups.push(Default::default());
        }
        for (_, chosen) in &mut groups {
            // an account whose deployments nobody knows has whatever the others have
            chosen.extend(unknown.iter().map(|member| (*member, String::new())));
            chosen.sort_by_key(|(member, _)| members.iter().position(|known| known == *member));
        }
        groups
    }

    /// The backend for one deployment of a member.
    fn one(&mut self, (name, priority, weight): &Listed, deployment: &str, several: bool) -> Member {
        let (mut key, mut target, breaker) = match self.singles.get(name) {
            Some(single) => (single.key.clone(), single.calls.clone(), single.breaker.clone()),
            None => (name.clone(), Target::Url(String::new()), None),
        };
        if let Target::Account { account } = target {
            if several && !deployment.is_empty() {
                key = format!("{key}-{deployment}");
            }
            target = Target::Deployment { account, deployment: deployment.to_owned() };
        }
        self.reading.topology.backends.entry(key.clone()).or_insert(Backend::new(&key, target, breaker));
        Member { backend: key, priority: *priority, weight: *weight }
    }

    pub(super) fn add_pool(&mut self, key: &str, members: Vec<Member>) {
        let topology = &mut self.reading.topology;
        let models: BTreeSet<&Model> = members
            .iter()
            .filter_map(|member| topology.backends.get(&member.backend))
            .filter_map(|backend| Some(&topology.deployment_of(backend)?.model))
            .collect();
        if models.len() > 1 {
            self.reading.mixed.insert(key.to_owned());
        }
        let name = self.azure_name(key);
        self.reading.topology.pools.insert(key.to_owned(), Pool::new(&name, members));
    }

    /// Backends that call whole accounts and that nothing picks.
    fn unused(&mut self) {
        let ours = self.reading.is_ours();
        let left = |(name, single): (&String, &Single<'a>)| {
            let whole = matches!(single.calls, Target::Account { .. });
            (whole && !ours && !self.used.contains(name)).then(|| (single.key.clone(), place(single.node, "/name")))
        };
        let left: Vec<(Key, Span)> = self.singles.iter().filter_map(left).collect();
        for (key, span) in left {
            let message =
                format!("the backend `{key}` is not carried over: it calls a whole account, and nothing picks it");
            self.reading.tell(code::NOT_CARRIED_OVER, span, message, "write one backend for each deployment");
        }
    }
}

fn is_pool(found: &Found<'_>) -> bool {
    let kind = found.body.pointer("/properties/type").and_then(Value::as_str).unwrap_or_default();
    kind.eq_ignore_ascii_case("Pool") || (kind.is_empty() && found.body.pointer("/properties/pool").is_some())
}
