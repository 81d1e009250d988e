//! APIs with what their policies mean, products, subscriptions.

use super::evaluate::{Found, Template, last};
use super::policy::{self, Called, Choice};
use super::routing::{Made, Routing, Single};
use super::template::{place, split};
use crate::arm;
use crate::diagnostic::{Diagnostic, Span, code};
use crate::template::lint::json::Node;
use crate::topology::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

impl<'r, 'a> Routing<'_, 'r, 'a> {
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

    pub(super) fn api(&mut self, found: &Found<'a>) {
        let name = found.own().to_owned();
        if name.contains(";rev=") {
            return;
        }
        let key = self.reading.key(&name);
        let policies = self.policies(found);
        let rendered = policies.iter().find_map(|(_, text)| match arm::read_policy(text, None) {
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
        // told only where the API is carried over: of another one all is lost
        let mut lost = Vec::new();
        for (found, text) in policies {
            match policy::read(text) {
                Ok(mut policy) => {
                    lost.extend(std::mem::take(&mut policy.problems).into_iter().map(|problem| (problem, found, text)));
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
        lost.into_iter().for_each(|(problem, found, text)| self.placed(problem, found, text));
        if !found.name.to_lowercase().starts_with(&format!("{}/policies", api.name.to_lowercase()))
            && found.kind.contains("/operations/")
        {
            let message = format!("the policy of one operation is now that of the whole API `{key}`");
            self.reading.tell(code::CHANGED, place(found.node, "/name"), message, "check the other operations");
        }
        let message = format!("the policy of `{key}` is read as the strategy `{}`", strategy.word());
        let help = "check `strategy`, `routes` and `retry` of the API";
        let mut problem = Diagnostic::new(code::STRATEGY_GUESSED, message).span(span).help(help);
        if !policy.retries {
            problem
                .notes
                .push(format!("it repeats no call; with the spec a call is repeated {} times", policy.retry.count));
        }
        self.reading.out.push(problem);
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
                    let calls = self.calls(url, url, node);
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
    pub(super) fn broader(&mut self) {
        for kind in ["policies", "policyfragments"] {
            for found in self.reading.of(kind) {
                let message = "a policy of the whole service is not carried over";
                let help = "keep it: it acts on the stack's APIs too";
                let message = if kind == "policies" { message } else { "a policy fragment is not carried over" };
                self.reading.tell(code::NOT_CARRIED_OVER, place(found.node, "/name"), message, help);
            }
        }
    }

    pub(super) fn product(&mut self, found: &Found<'a>) {
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

    pub(super) fn subscription(&mut self, found: &Found<'a>) {
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

/// Routes to pools: by name where names are known.
fn routes(made: &[Made]) -> Routes {
    let named: BTreeMap<String, String> =
        made.iter().flat_map(|(pool, names)| names.iter().map(|name| (name.clone(), pool.clone()))).collect();
    match made {
        [(pool, names)] if names.is_empty() => Routes::All(pool.clone()),
        _ => Routes::ByName(named),
    }
}
