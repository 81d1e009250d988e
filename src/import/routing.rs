//! Backends, pools, APIs and who may call them.
//!
//! A backend of a spec calls one deployment. One that calls a whole account, as most samples have it, becomes one for
//! each deployment that callers can name: deployments of one name share a pool, and what is left of one model and version
//! shares one too, under every name that it has.

use super::evaluate::{Found, Template, last};
use super::policy::{self, Called, Choice};
use super::template::{Reading, place, split, target_of};
use crate::arm;
use crate::diagnostic::{Diagnostic, Span, code};
use crate::template::lint::json::Node;
use crate::topology::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A backend of the template.
struct Single<'a> {
    key: Key,
    calls: Target,
    node: &'a Node,
    breaker: Option<Breaker>,
}

/// A member of a pool before its backend is one deployment: the backend's name in lower case, priority, weight.
type Member0 = (String, u8, u8);

/// A pool that was made, with the names that callers may use for it; none where they are not known.
type Made = (Key, BTreeSet<String>);

pub(super) struct Routing<'x, 'r, 'a> {
    reading: &'x mut Reading<'r, 'a>,
    singles: BTreeMap<String, Single<'a>>,
    /// Pools of the gateway by name in lower case, and what they became.
    pools: BTreeMap<String, Vec<Made>>,
    /// Backends by name in lower case that something picks.
    used: BTreeSet<String>,
    /// APIs that were left out.
    lost: BTreeSet<String>,
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
        let calls = self.calls(url, found.node);
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
    fn calls(&mut self, url: &str, node: &Node) -> Target {
        let (host, path) = split(url);
        let Some(account) = self.reading.account_at(&host, node) else {
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

    fn azure_name(&self, key: &str) -> String {
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
    fn expand(&mut self, key: &str, members: &[Member0], span: Span) -> Vec<Made> {
        self.used.extend(members.iter().map(|(name, ..)| name.clone()));
        let whole = |name: &String| {
            !self.reading.is_ours()
                && matches!(self.singles.get(name), Some(Single { calls: Target::Account { .. }, .. }))
        };
        if !members.iter().any(|(name, ..)| whole(name)) {
            let member = |(name, priority, weight): &Member0| {
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
    fn groups<'m>(&self, members: &'m [Member0]) -> Vec<(BTreeSet<String>, Vec<(&'m Member0, String)>)> {
        let deployments = |name: &String| {
            let account = self.singles.get(name).and_then(|single| single.calls.account()).map(|(account, _)| account);
            account.and_then(|account| self.reading.topology.accounts.get(account)).map(|account| &account.deployments)
        };
        let mut by_name: BTreeMap<String, Vec<&Member0>> = BTreeMap::new();
        for member in members {
            for name in deployments(&member.0).into_iter().flat_map(|all| all.keys()) {
                by_name.entry(name.clone()).or_default().push(member);
            }
        }
        let unknown: Vec<&Member0> =
            members.iter().filter(|member| deployments(&member.0).is_none_or(BTreeMap::is_empty)).collect();
        let mut groups: Vec<(BTreeSet<String>, Vec<(&Member0, String)>)> = Vec::new();
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
    fn one(&mut self, (name, priority, weight): &Member0, deployment: &str, several: bool) -> Member {
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

    fn add_pool(&mut self, key: &str, members: Vec<Member>) {
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

    /// The policies of an API: its own first, then those of its operations.
    fn policies(&mut self, api: &Found<'a>) -> Vec<(&'r Found<'a>, String)> {
        let mut found = Vec::new();
        for kind in ["apis/policies", "apis/operations/policies"] {
            for policy in self.reading.of(kind) {
                if !policy.name.to_lowercase().starts_with(&format!("{}/", api.name.to_lowercase())) {
                    continue;
                }
                found.extend(self.document(policy).map(|text| (policy, text)));
            }
        }
        found
    }

    fn document(&mut self, policy: &Found<'a>) -> Option<String> {
        let format = self.reading.text(policy, "/properties/format").unwrap_or_default().to_ascii_lowercase();
        if format.ends_with("link") {
            let span = place(policy.node, "/properties/value");
            let message = "the policy stands somewhere else";
            self.reading.tell(code::NOT_CARRIED_OVER, span, message, "import the document that the link leads to");
            return None;
        }
        // parts that are not known are no reason to leave the whole aside
        let text = policy.body.pointer("/properties/value")?.as_str()?;
        if text.starts_with('\u{e000}') {
            return self.reading.text(policy, "/properties/value");
        }
        Some(Template::shown(text))
    }

    fn api(&mut self, found: &Found<'a>) {
        let name = found.own().to_owned();
        if name.contains(";rev=") {
            return;
        }
        let key = self.reading.key(&name);
        let policies = self.policies(found);
        let rendered = policies.iter().find_map(|(_, text)| match arm::read_policy(text) {
            Policy::Rendered(intent) => Some(intent),
            Policy::Other(_) => None,
        });
        let intent = match rendered {
            Some(intent) => Some(self.ours(intent)),
            None => self.guessed(&key, found, &policies),
        };
        let Some(mut intent) = intent else {
            self.lost.insert(name.to_lowercase());
            let message = format!("the API `{key}` is not carried over: it does not lead to a backend of the template");
            let help = "import its policy, or write the API by hand";
            return self.reading.tell(code::NOT_CARRIED_OVER, place(found.node, "/name"), message, help);
        };
        let given = |pointer: &str| found.body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let names = |end: &str| given(&format!("/properties/subscriptionKeyParameterNames/{end}")).map(str::to_owned);
        let required = found.body.pointer("/properties/subscriptionRequired").and_then(Value::as_bool).unwrap_or(true);
        intent.keys = required.then(|| KeyNames {
            header: names("header").unwrap_or_else(|| "Ocp-Apim-Subscription-Key".into()),
            query: names("query").unwrap_or_else(|| "subscription-key".into()),
        });
        let path = self.reading.text(found, "/properties/path").unwrap_or_else(|| key.clone());
        let display_name = self.reading.text(found, "/properties/displayName").unwrap_or_else(|| key.clone());
        let definition = self.definition(found);
        let operations = self.operations(found);
        let api = Api {
            path: path.trim_matches('/').to_owned(),
            display_name,
            definition,
            operations,
            ..Api::new(&name, Policy::Rendered(intent))
        };
        self.reading.topology.apis.insert(key, api);
    }

    /// What the policy of ours does, with the pools that only it knows.
    fn ours(&mut self, intent: Intent) -> Intent {
        for (name, candidates) in &intent.pools {
            let key = self.reading.key(name);
            let mut members = Vec::new();
            for candidate in candidates {
                let backend = self.reading.key(&candidate.backend);
                if let (Some(own), Some(found)) =
                    (&candidate.credential, self.reading.topology.backends.get_mut(&backend))
                {
                    let (header, named_value) = (own.header.clone(), own.named_value.clone());
                    found.credential = Some(Credential { header, named_value });
                }
                self.used.insert(candidate.backend.to_lowercase());
                members.push(Member { backend, priority: candidate.priority, weight: candidate.weight });
            }
            self.add_pool(&key, members);
        }
        intent
    }

    /// What somebody's policies mean.
    fn guessed(&mut self, key: &str, api: &Found<'a>, policies: &[(&Found<'a>, String)]) -> Option<Intent> {
        let mut read: Vec<(&Found<'a>, policy::Read)> = Vec::new();
        for (found, text) in policies {
            match policy::read(text) {
                Ok(mut policy) => {
                    let problems = std::mem::take(&mut policy.problems);
                    problems.into_iter().for_each(|problem| self.placed(problem, found, text));
                    read.push((found, policy));
                }
                Err(problem) => {
                    let message = format!("the policy of `{key}` cannot be read: {}", problem.message);
                    let problem = Diagnostic::new(code::NOT_CARRIED_OVER, message).help("see `aoai-lb lint`");
                    self.placed(Diagnostic { span: Some(Span::default()), ..problem }, found, text);
                }
            }
        }
        let at = read.iter().position(|(_, policy)| policy.strategy.is_some());
        let (found, policy) =
            read.swap_remove(at.or_else(|| read.iter().position(|(_, read)| !read.choices.is_empty()))?);
        let strategy = policy.strategy.unwrap_or(Strategy::Pool);
        let span = place(found.node, "/properties/value");
        let made = match strategy {
            Strategy::Pool => self.picked(&policy.choices, span),
            _ => self.listed(key, &policy.choices, found.node, span),
        };
        if made.is_empty() {
            return None;
        }
        if !found.name.to_lowercase().starts_with(&format!("{}/policies", api.name.to_lowercase()))
            && found.kind.contains("/operations/")
        {
            let message = format!("the policy of one operation is now that of the whole API `{key}`");
            self.reading.tell(code::CHANGED, place(found.node, "/name"), message, "check the other operations");
        }
        let message = format!("the policy of `{key}` is read as the strategy `{}`", strategy.word());
        let help = "check `strategy`, `routes` and `retry` of the API";
        self.reading.tell(code::STRATEGY_GUESSED, span, message, help);
        let (retry, token_limit, entra) = (policy.retry, policy.token_limit, policy.entra);
        Some(Intent { strategy, retry, token_limit, entra, ..Intent::new(routes(&made)) })
    }

    /// A problem in a policy, with its place in the template.
    fn placed(&mut self, mut problem: Diagnostic, policy: &Found<'_>, text: &str) {
        let inside = problem.span.unwrap_or_default();
        let line = text.get(..inside.start).unwrap_or_default().matches('\n').count() + 1;
        problem.span = Some(match self.reading.template.holder(text) {
            Some(node) => Span {
                start: node.source_of(self.reading.source, inside.start),
                end: node.source_of(self.reading.source, inside.end),
            },
            None => place(policy.node, "/properties/value"),
        });
        let api = Template::shown(policy.name.split('/').nth(1).unwrap_or_default());
        self.reading.out.push(problem.note(format!("line {line} of the policy of `{api}`")));
    }

    /// The pool that a policy names; of a backend alone, a pool of one.
    fn picked(&mut self, choices: &[Choice], span: Span) -> Vec<Made> {
        for choice in choices {
            let Called::Name(name) = &choice.called else { continue };
            let lower = name.to_lowercase();
            if let Some(made) = self.pools.get(&lower) {
                return made.clone();
            }
            if let Some(single) = self.singles.get(&lower) {
                let key = format!("{}-pool", single.key);
                return self.expand(&key, &[(lower, defaults::PRIORITY, defaults::WEIGHT)], span);
            }
        }
        Vec::new()
    }

    /// A pool of what a policy lists.
    fn listed(&mut self, api: &str, choices: &[Choice], node: &'a Node, span: Span) -> Vec<Made> {
        let mut members = Vec::new();
        for choice in choices {
            let name = match &choice.called {
                Called::Name(name) => name.to_lowercase(),
                Called::Url(url) => {
                    let calls = self.calls(url, node);
                    let key = match calls.account() {
                        Some((account, _)) => account.clone(),
                        None => split(url).0,
                    };
                    let name = format!("\u{0}{url}");
                    self.singles.entry(name.clone()).or_insert(Single { key, calls, node, breaker: None });
                    name
                }
            };
            if self.singles.contains_key(&name) {
                members.push((name, choice.priority, choice.weight));
            } else {
                let message = format!("the policy names the backend `{name}`, which the template does not make");
                self.reading.tell(code::NOT_CARRIED_OVER, span, message, "add it to the spec");
            }
        }
        if members.is_empty() {
            return Vec::new();
        }
        let topology = &self.reading.topology;
        let taken = |key: &String| topology.pools.contains_key(key) || self.singles.values().any(|one| one.key == *key);
        let own = [api.to_owned(), format!("{api}-pool"), format!("{api}-backends")];
        let key = own.iter().find(|key| !taken(key)).unwrap_or(&own[2]).clone();
        self.expand(&key, &members, span)
    }

    fn definition(&mut self, found: &Found<'a>) -> Definition {
        let Some(format) = self.reading.text(found, "/properties/format") else { return Definition::Operations };
        let value = self.reading.text(found, "/properties/value").unwrap_or_default();
        let span = place(found.node, "/properties/value");
        let link = value.split_once("/azure-rest-api-specs/").map(|(_, rest)| rest.split('/').collect::<Vec<_>>());
        if let Some([commit, .., version, _]) = link.as_deref() {
            let pinned = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            if pinned {
                let document = Document::Link { version: (*version).to_owned(), commit: (*commit).to_owned() };
                return Definition::Imported(Import { hash: document.hash(), document: Some(document) });
            }
            let message = format!("the API's definition follows the branch `{commit}` of Azure OpenAI's document");
            let help = format!(
                "the spec has operations of its own; pin a commit to keep it: `definition: {{ azureOpenAI: \"{version}\", commit: SHA }}`"
            );
            self.reading.tell(code::CHANGED, span, message, help);
            return Definition::Operations;
        }
        let message = format!("the API's definition ({format}) is not carried over");
        let help = "save the document beside the spec and name it: `definition: { file: openapi.json }`";
        self.reading.tell(code::NOT_CARRIED_OVER, span, message, help);
        Definition::Operations
    }

    /// The operations as they are in a template of ours; of somebody else's, whether every path is taken.
    fn operations(&self, api: &Found<'a>) -> BTreeMap<Key, Operation> {
        let begin = format!("{}/", api.name.to_lowercase());
        let all = self.reading.of("apis/operations");
        let own = all.iter().filter(|operation| operation.name.to_lowercase().starts_with(&begin));
        let text = |operation: &Found<'_>, pointer: &str| {
            Template::shown(operation.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default())
        };
        let operation = |found: &&&Found<'_>| {
            let operation = Operation {
                display_name: text(found, "/properties/displayName"),
                method: text(found, "/properties/method").to_ascii_uppercase(),
                url_template: text(found, "/properties/urlTemplate"),
            };
            (found.own().to_owned(), operation)
        };
        let operations: BTreeMap<Key, Operation> = own.map(|found| operation(&found)).collect();
        let takes_all = |operation: &Operation| {
            let path = operation.url_template.trim_matches('/');
            path == "*" || (path.starts_with("{*") && !path.contains("}/"))
        };
        if operations == defaults::every_operation() || operations.values().any(takes_all) {
            return defaults::every_operation();
        }
        operations
    }

    /// Policies above an API.
    fn broader(&mut self) {
        for kind in ["policies", "policyfragments"] {
            for found in self.reading.of(kind) {
                let message = "a policy of the whole service is not carried over";
                let help = "keep it: it acts on the stack's APIs too";
                let message = if kind == "policies" { message } else { "a policy fragment is not carried over" };
                self.reading.tell(code::NOT_CARRIED_OVER, place(found.node, "/name"), message, help);
            }
        }
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

    fn product(&mut self, found: &Found<'a>) {
        let begin = format!("{}/", found.name.to_lowercase());
        let mut apis: BTreeSet<Key> = BTreeSet::new();
        for kind in ["products/apis", "products/apilinks"] {
            for link in self.reading.of(kind).iter().filter(|link| link.name.to_lowercase().starts_with(&begin)) {
                let id = link.body.pointer("/properties/apiId").and_then(Value::as_str).map(last);
                let key = self.reading.key(id.unwrap_or(link.own()));
                if self.reading.topology.apis.contains_key(&key) {
                    apis.insert(key);
                }
            }
        }
        let key = self.reading.key(found.own());
        if apis.is_empty() {
            let message = format!("the product `{key}` is not carried over: it holds no API of the spec");
            return self.reading.tell(code::NOT_CARRIED_OVER, place(found.node, "/name"), message, "add it by hand");
        }
        let name = self.azure_name(&key);
        let mut intent = ProductIntent { product: name.clone(), token_limit: None, quota: None };
        for policy in self.reading.of("products/policies") {
            if !policy.name.to_lowercase().starts_with(&begin) {
                continue;
            }
            let Some(text) = self.document(policy) else { continue };
            let Ok(read) = policy::read(&text) else { continue };
            let problems = if self.reading.is_ours() { Vec::new() } else { read.problems };
            problems.into_iter().for_each(|problem| self.placed(problem, policy, &text));
            (intent.token_limit, intent.quota) = (read.token_limit, read.quota);
        }
        let display_name = self.reading.text(found, "/properties/displayName").unwrap_or_else(|| key.clone());
        let product = Product { name, display_name, apis, policy: Policy::Rendered(intent) };
        self.reading.topology.products.insert(key, product);
    }

    fn subscription(&mut self, found: &Found<'a>) {
        let name = found.own().to_owned();
        let key = self.reading.key(&name);
        let probe = self.reading.is_ours() && key == defaults::PROBE;
        if probe || name.eq_ignore_ascii_case(defaults::MASTER) {
            return;
        }
        let span = place(found.node, "/properties/scope");
        let scope = found.body.pointer("/properties/scope").and_then(Value::as_str).unwrap_or_default();
        let called = self.reading.key(last(scope.trim_end_matches('/')));
        let topology = &self.reading.topology;
        let whole = scope.trim_end_matches('/').to_ascii_lowercase().ends_with("/apis");
        let only = topology.apis.keys().next().filter(|_| topology.apis.len() == 1).cloned();
        let access = if scope.to_ascii_lowercase().contains("/products/") {
            topology.products.contains_key(&called).then_some(Access::Product(called))
        } else if whole {
            only.map(Access::Api)
        } else {
            topology.apis.contains_key(&called).then_some(Access::Api(called))
        };
        let Some(access) = access else {
            let message = format!("the subscription `{key}` is not carried over: the spec has not what it may call");
            return self.reading.tell(code::NOT_CARRIED_OVER, span, message, "add it by hand");
        };
        if whole {
            let message = format!("the subscription `{key}` may call every API; with the spec it is one");
            self.reading.tell(code::CHANGED, span, message, "check its `api`");
        }
        let display_name = self.reading.text(found, "/properties/displayName").unwrap_or_else(|| key.clone());
        let tracing = found.body.pointer("/properties/allowTracing").and_then(Value::as_bool).unwrap_or_default();
        let subscription = Subscription { name, display_name, access, tracing };
        self.reading.topology.subscriptions.insert(key, subscription);
    }
}

fn is_pool(found: &Found<'_>) -> bool {
    let kind = found.body.pointer("/properties/type").and_then(Value::as_str).unwrap_or_default();
    kind.eq_ignore_ascii_case("Pool") || (kind.is_empty() && found.body.pointer("/properties/pool").is_some())
}

/// Routes to pools: by name where names are known.
pub(super) fn routes(made: &[Made]) -> Routes {
    let named: BTreeMap<String, String> =
        made.iter().flat_map(|(pool, names)| names.iter().map(|name| (name.clone(), pool.clone()))).collect();
    match made {
        [(pool, names)] if names.is_empty() => Routes::All(pool.clone()),
        _ => Routes::ByName(named),
    }
}
