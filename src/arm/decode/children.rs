//! What stands in the gateway: named values, backends, pools, APIs with their operations and policies, products,
//! subscriptions.

use super::*;
use crate::arm::id;
use crate::time::Duration;
use std::collections::BTreeSet;

impl Reading<'_> {
    pub(super) fn children(&mut self, answers: &Answers) {
        let is_pool = |backend: &&Value| text(backend, "/properties/type").eq_ignore_ascii_case("Pool");
        answers.backends.iter().filter(|backend| !is_pool(backend)).for_each(|backend| self.backend(backend, answers));
        answers.backends.iter().filter(is_pool).for_each(|pool| self.pool(pool, answers));
        answers.named_values.iter().for_each(|value| self.named_value(value, answers));
        answers.apis.iter().for_each(|api| self.api(api, answers));
        answers.products.iter().for_each(|product| self.product(product, answers));
        answers.subscriptions.iter().for_each(|subscription| self.subscription(subscription, answers));
    }

    fn backend(&mut self, backend: &Value, answers: &Answers) {
        let name = text(backend, "/name");
        let key = keyed(&self.desired.backends, |_, wanted| Some(wanted.name.clone()), name);
        let described = Backend {
            name: self.desired.backends.get(&key).map_or(name, |wanted| &wanted.name).to_owned(),
            target: self.target(&key, text(backend, "/properties/url")),
            breaker: list(backend, "/properties/circuitBreaker/rules").first().map(breaker),
            credential: self.desired.backends.get(&key).and_then(|wanted| wanted.credential.clone()),
        };
        self.live.topology.backends.insert(key.clone(), described);
        let owner = marked(text(backend, "/properties/description"), &self.stack);
        self.note(Address::Backend(key), backend, owner, answers);
    }

    /// The deployment that a url calls, if it is one of an account in this group.
    fn target(&self, key: &str, url: &str) -> Target {
        let path = url.trim_end_matches('/');
        let (base, name) = match path.to_ascii_lowercase().find("/openai/deployments/") {
            Some(at) => (path[..at].to_lowercase(), &path[at + "/openai/deployments/".len()..]),
            None => return self.by_account(key, path).unwrap_or_else(|| Target::Url(url.to_owned())),
        };
        let account = match self.endpoints.iter().find(|(endpoint, _)| *endpoint == base) {
            Some((_, key)) => Some(key),
            None => self.absent_account(&base),
        };
        let Some(account) = account.filter(|_| !name.is_empty() && !name.contains('/')) else {
            return Target::Url(url.to_owned());
        };
        let known = |topology: &Topology| {
            let deployments = &topology.accounts.get(account)?.deployments;
            deployments.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned()
        };
        let deployment = known(self.desired).or_else(|| known(&self.live.topology));
        Target::Deployment { account: account.clone(), deployment: deployment.unwrap_or_else(|| name.to_owned()) }
    }

    /// An address that names no deployment: what the spec says that it calls, if it is of that account; of a backend
    /// that the spec does not have, the account.
    fn by_account(&self, key: &str, path: &str) -> Option<Target> {
        let Some(wanted) = self.desired.backends.get(key) else {
            // whatever of an account a backend of others calls, it needs the role there
            let lower = format!("{}/", path.to_ascii_lowercase());
            let mut endpoints = self.endpoints.iter();
            let (_, account) = endpoints.find(|(endpoint, _)| lower.starts_with(&format!("{endpoint}/")))?;
            return Some(Target::Account { account: account.clone() });
        };
        let wanted = &wanted.target;
        let end = match wanted {
            Target::V1 { .. } | Target::Account { .. } => format!("/{}", wanted.path()?),
            Target::Deployment { .. } | Target::Url(_) => return None,
        };
        let lower = path.to_ascii_lowercase();
        let base = lower.strip_suffix(&end)?;
        let known = self.endpoints.iter().find(|(endpoint, _)| endpoint == base).map(|(_, account)| account);
        let account = known.or_else(|| self.absent_account(base))?;
        (wanted.account()?.0 == account).then(|| wanted.clone())
    }

    /// An account that the spec wants, that is not there, and whose sub-domain this host is.
    fn absent_account(&self, base: &str) -> Option<&Key> {
        let host = base.strip_prefix("https://")?.split('.').next()?;
        let named = |account: &Account| account.name.literal().is_some_and(|name| name.eq_ignore_ascii_case(host));
        let found = self.desired.accounts.iter().find(|(_, account)| named(account));
        found.map(|(key, _)| key).filter(|key| !self.live.topology.accounts.contains_key(*key))
    }

    fn pool(&mut self, pool: &Value, answers: &Answers) {
        let name = text(pool, "/name");
        let key = keyed(&self.desired.pools, |_, wanted| Some(wanted.name.clone()), name);
        let backend = |name: &str| match self.live.topology.backend_by_name(name) {
            Some((key, _)) => key.clone(),
            None => keyed(&self.desired.backends, |_, wanted| Some(wanted.name.clone()), name),
        };
        let members = list(pool, "/properties/pool/services").iter().map(|member| Member {
            backend: backend(id::name(text(member, "/id"))),
            priority: small(member, "/priority").unwrap_or(defaults::PRIORITY),
            weight: small(member, "/weight").unwrap_or(defaults::WEIGHT),
        });
        let described = Pool {
            name: self.desired.pools.get(&key).map_or(name, |wanted| &wanted.name).to_owned(),
            members: members.collect(),
            balancing: Balancing::Native,
            failure_status: u16::try_from(number(pool, "/properties/failureResponse/statusCode"))
                .ok()
                .filter(|status| *status != 0),
            session_affinity: Some(text(pool, "/properties/pool/sessionAffinity/sessionId/name"))
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
        };
        self.live.topology.pools.insert(key.clone(), described);
        let owner = marked(text(pool, "/properties/description"), &self.stack);
        self.note(Address::Pool(key), pool, owner, answers);
    }

    fn api(&mut self, api: &Value, answers: &Answers) {
        let name = text(api, "/name");
        if name.contains(";rev=") {
            // an older revision; the current one stands in the list under its plain name
            return;
        }
        let key = keyed(&self.desired.apis, |_, wanted| Some(wanted.name.clone()), name);
        let given = text(api, "/id");
        let owner = marked(text(api, "/properties/description"), &self.stack);
        let of = |all: &BTreeMap<String, Vec<Value>>| -> Vec<Value> {
            all.iter().filter(|(id, _)| id::same(id, given)).flat_map(|(_, all)| all.clone()).collect()
        };
        let wanted = self.desired.apis.get(&key);
        // what a definition brings is part of it
        let imported = wanted.is_some_and(|api| matches!(api.definition, Definition::Imported(_)));
        let mut operations = BTreeMap::new();
        for operation in of(&answers.operations).into_iter().filter(|_| !imported) {
            let name = text(&operation, "/name");
            let wanted = wanted.map(|api| &api.operations);
            let name = wanted.map_or_else(|| name.to_owned(), |all| keyed(all, |key, _| Some(key.clone()), name));
            operations.insert(name.clone(), described_operation(&operation));
            self.note(Address::Operation { api: key.clone(), operation: name }, &operation, owner.clone(), answers);
        }
        let policy = answers.policies.iter().find(|(id, _)| id::same(id, given)).map(|(_, xml)| xml.as_str());
        let or = |pointer, default: &str| match text(api, pointer) {
            "" => default.to_owned(),
            given => given.to_owned(),
        };
        let described = Api {
            name: self.desired.apis.get(&key).map_or(name, |wanted| &wanted.name).to_owned(),
            display_name: text(api, "/properties/displayName").to_owned(),
            path: text(api, "/properties/path").trim_matches('/').to_owned(),
            keys: api.pointer("/properties/subscriptionRequired").and_then(Value::as_bool).unwrap_or(true).then(|| {
                KeyNames {
                    header: or("/properties/subscriptionKeyParameterNames/header", "Ocp-Apim-Subscription-Key"),
                    query: or("/properties/subscriptionKeyParameterNames/query", "subscription-key"),
                }
            }),
            definition: definition(text(api, "/properties/description")),
            template: wanted.and_then(|api| api.template.clone()),
            operations,
            policy: super::super::policy::read(policy.unwrap_or_default(), wanted),
        };
        self.live.topology.apis.insert(key.clone(), described);
        if policy.is_some() {
            self.live.ids.insert(Address::Policy(key.clone()), format!("{given}/policies/policy"));
            self.live.owners.insert(Address::Policy(key.clone()), owner.clone());
        }
        self.note(Address::Api(key), api, owner, answers);
    }

    fn named_value(&mut self, value: &Value, answers: &Answers) {
        let name = text(value, "/name");
        let key = keyed(&self.desired.named_values, |_, wanted| Some(wanted.name.clone()), name);
        let wanted = self.desired.named_values.get(&key);
        if wanted.is_none() && text(value, "/properties/displayName").starts_with(CREDENTIALS) {
            return;
        }
        let secret = text(value, "/properties/keyVault/secretIdentifier");
        let is_secret = value.pointer("/properties/secret").and_then(Value::as_bool).unwrap_or_default();
        let holds = match (secret, wanted) {
            ("", Some(NamedValue { holds: Holds::ClientId, .. })) if !is_secret => Holds::ClientId,
            ("", _) => Holds::Text,
            (secret, Some(NamedValue { holds: Holds::Vault(wanted), .. })) if wanted.eq_ignore_ascii_case(secret) => {
                Holds::Vault(wanted.clone())
            }
            (secret, _) => Holds::Vault(secret.to_owned()),
        };
        let described = NamedValue { name: wanted.map_or(name, |wanted| &wanted.name).to_owned(), holds };
        self.live.topology.named_values.insert(key.clone(), described);
        // it has no description; its tags are a list
        let tags = list(value, "/properties/tags").iter().filter_map(Value::as_str);
        let owners: Vec<Owner> = tags.map(|tag| marked(tag, &self.stack)).collect();
        let owner = owners.into_iter().find(|owner| *owner != Owner::Foreign).unwrap_or(Owner::Foreign);
        self.note(Address::NamedValue(key), value, owner, answers);
    }

    fn product(&mut self, product: &Value, answers: &Answers) {
        let name = text(product, "/name");
        let key = keyed(&self.desired.products, |_, wanted| Some(wanted.name.clone()), name);
        let wanted = self.desired.products.get(&key);
        let owner = marked(text(product, "/properties/description"), &self.stack);
        if wanted.is_none() && owner == Owner::Foreign && SAMPLES.iter().any(|sample| sample.eq_ignore_ascii_case(name))
        {
            return;
        }
        let given = text(product, "/id");
        let links = answers.product_apis.iter().filter(|(of, _)| id::same(of, given)).flat_map(|(_, all)| all);
        let mut apis = BTreeSet::new();
        for link in links {
            let name = text(link, "/name");
            let api = keyed(&self.desired.apis, |_, wanted| Some(wanted.name.clone()), name);
            let address = Address::ProductApi { product: key.clone(), api: api.clone() };
            self.live.ids.insert(address.clone(), format!("{given}/apis/{name}"));
            self.live.owners.insert(address, owner.clone());
            apis.insert(api);
        }
        let policy = answers.policies.iter().find(|(of, _)| id::same(of, given)).map(|(_, xml)| xml.as_str());
        if policy.is_some() {
            let address = Address::ProductPolicy(key.clone());
            self.live.ids.insert(address.clone(), format!("{given}/policies/policy"));
            self.live.owners.insert(address, owner.clone());
        }
        let described = Product {
            name: wanted.map_or(name, |wanted| &wanted.name).to_owned(),
            display_name: text(product, "/properties/displayName").to_owned(),
            apis,
            policy: super::super::policy::read_product(policy.unwrap_or_default()),
        };
        self.live.topology.products.insert(key.clone(), described);
        self.note(Address::Product(key), product, owner, answers);
    }

    fn subscription(&mut self, subscription: &Value, answers: &Answers) {
        let name = text(subscription, "/name");
        if name.eq_ignore_ascii_case(defaults::MASTER) {
            // Azure's own, in every service: it opens everything, and nobody can delete it
            return;
        }
        let key = keyed(&self.desired.subscriptions, |_, wanted| Some(wanted.name.clone()), name);
        let scope = text(subscription, "/properties/scope").trim_end_matches('/');
        // the id of an API is `.../service/{service}/apis/{api}`; `/apis` alone is every API
        let access = match (id::after(scope, "apis"), id::after(scope, "products")) {
            (Some(api), _) => Access::Api(keyed(&self.desired.apis, |_, wanted| Some(wanted.name.clone()), api)),
            (None, Some(product)) => {
                Access::Product(keyed(&self.desired.products, |_, wanted| Some(wanted.name.clone()), product))
            }
            (None, None) => Access::Api(format!("/{}", id::name(scope))),
        };
        // it has no place for a marker: it goes with what it may call
        let called = match &access {
            Access::Api(key) => Address::Api(key.clone()),
            Access::Product(key) => Address::Product(key.clone()),
        };
        let owner = self.live.owners.get(&called).cloned().unwrap_or(Owner::Foreign);
        let described = Subscription {
            name: self.desired.subscriptions.get(&key).map_or(name, |wanted| &wanted.name).to_owned(),
            display_name: text(subscription, "/properties/displayName").to_owned(),
            access,
            tracing: subscription.pointer("/properties/allowTracing").and_then(Value::as_bool).unwrap_or_default(),
        };
        self.live.topology.subscriptions.insert(key.clone(), described);
        self.note(Address::Subscription(key), subscription, owner, answers);
    }
}

/// How API Management titles the named values that it makes of a logger's credentials.
const CREDENTIALS: &str = "Logger-Credentials-";

/// The products that a service of a classic tier has from birth.
const SAMPLES: [&str; 2] = ["starter", "unlimited"];

/// Where an API's operations come from, by what stands behind its marker.
fn definition(description: &str) -> Definition {
    let last = description.trim_end().lines().next_back().unwrap_or_default().trim();
    let mut words = last.strip_prefix(defaults::MARKER).unwrap_or_default().split_whitespace().skip(1);
    match words.next() {
        Some(hash) => Definition::Imported(Import { hash: hash.to_owned(), document: None }),
        None => Definition::Operations,
    }
}

fn described_operation(operation: &Value) -> Operation {
    let template = text(operation, "/properties/urlTemplate");
    Operation {
        display_name: text(operation, "/properties/displayName").to_owned(),
        method: text(operation, "/properties/method").to_ascii_uppercase(),
        url_template: format!("/{}", template.trim_start_matches('/')),
    }
}

/// A breaker rule as Azure has it.
pub(crate) fn breaker(rule: &Value) -> Breaker {
    let condition = |pointer: &str| format!("/failureCondition/{pointer}");
    let length = |pointer: &str| duration(text(rule, pointer)).unwrap_or(Duration::ZERO);
    let percentage = small(rule, &condition("percentage"));
    Breaker {
        name: text(rule, "/name").to_owned(),
        threshold: match percentage.filter(|_| number(rule, &condition("count")) == 0) {
            Some(percentage) => Threshold::Percentage(percentage),
            None => Threshold::Count(number(rule, &condition("count"))),
        },
        interval: length(&condition("interval")),
        status_codes: merged(list(rule, &condition("statusCodeRanges"))),
        error_reasons: list(rule, &condition("errorReasons"))
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        trip_duration: length("/tripDuration"),
        accept_retry_after: rule.pointer("/acceptRetryAfter").and_then(Value::as_bool).unwrap_or_default(),
    }
}

/// Ranges in canonical form: ascending, not overlapping, not adjacent.
pub(super) fn merged(ranges: &[Value]) -> Vec<StatusRange> {
    let status = |range: &Value, end| u16::try_from(number(range, end)).unwrap_or(u16::MAX);
    let mut all: Vec<StatusRange> =
        ranges.iter().map(|range| StatusRange { min: status(range, "/min"), max: status(range, "/max") }).collect();
    all.sort_unstable();
    let mut merged: Vec<StatusRange> = Vec::new();
    for range in all {
        match merged.last_mut() {
            Some(last) if range.min <= last.max.saturating_add(1) => last.max = last.max.max(range.max),
            _ => merged.push(range),
        }
    }
    merged
}

/// A duration as Azure writes it: ISO 8601, or `hh:mm:ss`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    Duration::parse(text).or_else(|| Duration::parse_clock(text))
}

fn small(value: &Value, pointer: &str) -> Option<u8> {
    value.pointer(pointer).and_then(Value::as_u64).and_then(|n| u8::try_from(n).ok())
}
