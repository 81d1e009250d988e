//! APIs, products and subscriptions.

use super::super::model::{self, Either, Keys, Map, Surface, Table, Word};
use super::super::yaml::join;
use super::super::{secrets, suggest};
use super::{CLIENT_ID, SUBSCRIPTION, Site, length, routing, two_ways, unknown};
use crate::diagnostic::{Diagnostic, code};
use crate::topology::intent::{Candidate, CandidateKey, Entra, LimitBy, Metrics, TokenLimit, TokenQuota};
use crate::topology::{
    Access, Api, Backend, Definition, Document, Import, Intent, Key, KeyNames, NamedValue, OnExhausted, OwnTemplate,
    Policy, Pool, Product, ProductIntent, Retry, Routes, Strategy, Subscription, defaults,
};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What an API is built among.
pub struct Around<'a, 's> {
    pub pools: &'a BTreeMap<Key, Pool>,
    pub backends: &'a BTreeMap<Key, Backend>,
    pub named_values: &'a BTreeMap<Key, NamedValue>,
    pub metrics: Option<&'a Metrics>,
    /// Name of the probe's subscription.
    pub probe: String,
    pub site: &'a Site<'s>,
}

impl Around<'_, '_> {
    /// The name of a pool in Azure; one that is not there keeps its key, which the rules report.
    fn pool(&self, key: &str) -> String {
        self.pools.get(key).map_or_else(|| key.to_owned(), |pool| pool.name.clone())
    }

    /// The names of the pools that serve a surface.
    fn routes(&self, written: &model::Api, twin: impl Fn(&str) -> String) -> Routes {
        match (&written.routes, &written.pool) {
            (Some(routes), _) => {
                Routes::ByName(routes.iter().map(|(name, key)| (name.clone(), self.pool(&twin(key)))).collect())
            }
            (None, Some(key)) => Routes::All(self.pool(&twin(key))),
            (None, None) => {
                let made = |key: &&Key| key.strip_suffix("-v1").is_some_and(|of| self.pools.contains_key(of));
                let pools = self.pools.keys().filter(|key| !made(key));
                Routes::ByName(pools.map(|key| (key.clone(), self.pool(&twin(key)))).collect())
            }
        }
    }

    /// What a policy picks from in each of these pools.
    fn candidates(&self, strategy: Strategy, routes: &[&Routes]) -> BTreeMap<String, Vec<Candidate>> {
        let names = routes.iter().flat_map(|routes| routes.pools());
        let found = names.filter_map(|name| self.pools.values().find(|pool| pool.name == name));
        let candidate = |member: &crate::topology::Member| {
            let backend = self.backends.get(&member.backend)?;
            Some(Candidate {
                backend: backend.name.clone(),
                priority: if strategy == Strategy::Smart { member.priority } else { defaults::PRIORITY },
                weight: member.weight,
                credential: backend.credential.as_ref().and_then(|credential| {
                    let named_value = self.named_values.get(&credential.named_value)?.name.clone();
                    Some(CandidateKey { header: credential.header.clone(), named_value })
                }),
            })
        };
        found.map(|pool| (pool.name.clone(), pool.members.iter().filter_map(candidate).collect())).collect()
    }
}

pub fn api(key: &str, written: model::Api, around: &Around<'_, '_>, out: &mut Vec<Diagnostic>) -> Api {
    let path = join("apis", key);
    if written.routes.is_some() && written.pool.is_some() {
        let problem = Diagnostic::new(code::ROUTES, format!("`{key}` has routes and one pool for all"));
        let problem = problem.at(join(&path, "pool")).label("beside `routes`");
        out.push(problem.help("keep one of them"));
    }
    let strategy = routing::strategy(&written);
    let routes = match routing::serves(&written, Surface::Deployments) {
        true => around.routes(&written, str::to_owned),
        // no name has a route
        false => Routes::ByName(BTreeMap::new()),
    };
    let v1 = routing::serves(&written, Surface::V1).then(|| around.routes(&written, defaults::v1_twin));
    let picks = strategy != Strategy::Pool;
    let served: Vec<&Routes> = std::iter::once(&routes).chain(&v1).collect();
    let pools = if picks { around.candidates(strategy, &served) } else { BTreeMap::new() };
    let pinned = written.stateful.as_ref().and_then(|stateful| around.backends.get(&defaults::pinned(&stateful.pin)));
    let stateful = pinned.map(|backend| backend.name.clone());
    let callers = written.callers.unwrap_or_default();
    let keys = keys(callers.keys);
    let (retry, exhausted) = (written.retry.unwrap_or_default(), written.on_exhausted.unwrap_or_default());
    let (retries, exhaustion) = (defaults::retry(), defaults::on_exhausted());
    let definition = definition(written.definition, &join(&path, "definition"), around.site, out);
    let operations = match &definition {
        Origin::Table(Table::Operations) => {
            defaults::operations_of(routing_surfaces(&routes, v1.is_some()), stateful.is_some())
        }
        Origin::Table(Table::CatchAll) => defaults::every_operation(),
        Origin::Imported(_) => BTreeMap::new(),
    };
    let intent = Intent {
        strategy,
        routes,
        v1,
        pools,
        stateful,
        keys: keys.clone(),
        entra: callers.entra.map(|entra| Entra {
            tenant: entra.tenant,
            audiences: entra.audiences.unwrap_or_default(),
            applications: entra.applications.unwrap_or_default(),
        }),
        audience: defaults::AUDIENCE.into(),
        client_id: around.named_values.get(CLIENT_ID).map(|value| value.name.clone()),
        token_limit: written.token_limit.map(token_limit),
        metrics: around.metrics.cloned(),
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
        probe: around.probe.clone(),
    };
    let template = written.policy.and_then(|written| {
        let path = join(&path, "policy.template");
        let text = read(&written.template, &path, around.site, out)?;
        if let Some(line) = secrets::line_of(&text) {
            out.push(secret(&written.template, &format!("line {line}"), &path));
        }
        Some(OwnTemplate { path: written.template, text })
    });
    let api_path = written.path.unwrap_or_else(|| key.to_owned());
    Api {
        display_name: written.display_name.unwrap_or_else(|| key.to_owned()),
        path: api_path.trim_matches('/').into(),
        keys,
        definition: match definition {
            Origin::Table(_) => Definition::Operations,
            Origin::Imported(import) => Definition::Imported(import),
        },
        operations,
        policy: Policy::Rendered(intent),
        template,
        name: around.site.name(key),
    }
}

fn routing_surfaces(routes: &Routes, v1: bool) -> defaults::Surfaces {
    let none = matches!(routes, Routes::ByName(routes) if routes.is_empty());
    match (none, v1) {
        (true, true) => defaults::Surfaces::V1,
        (false, true) => defaults::Surfaces::Both,
        (_, false) => defaults::Surfaces::Deployments,
    }
}

fn keys(written: Option<Either<bool, Keys>>) -> Option<KeyNames> {
    let names = defaults::keys();
    match written {
        Some(Either::Word(false)) => None,
        None | Some(Either::Word(true)) => Some(names),
        Some(Either::Map(written)) => Some(KeyNames {
            header: written.header.unwrap_or(names.header),
            query: written.query.unwrap_or(names.query),
        }),
    }
}

fn token_limit(written: model::TokenLimit) -> TokenLimit {
    TokenLimit {
        tokens_per_minute: written.tokens_per_minute,
        estimate_prompt: written.estimate_prompt.unwrap_or(true),
        by: written.by.map_or(LimitBy::Subscription, |Word(by)| by),
    }
}

/// Where operations come from.
enum Origin {
    Table(Table),
    Imported(Import),
}

fn definition(
    written: Option<Either<Word<Table>, model::Definition>>,
    path: &str,
    site: &Site<'_>,
    out: &mut Vec<Diagnostic>,
) -> Origin {
    let written = match written {
        None => return Origin::Table(Table::Operations),
        Some(Either::Word(Word(table))) => return Origin::Table(table),
        Some(Either::Map(written)) => written,
    };
    let document = match (written.azure_openai, written.commit, written.file) {
        (None, None, Some(file)) => {
            let path = join(path, "file");
            let text = read(&file, &path, site, out).and_then(|text| openapi(&text, &path, out));
            text.map(|text| Document::Text { path: file, text })
        }
        (Some(version), Some(commit), None) => Some(Document::Link { version, commit }),
        (version, commit, None) => {
            let missing = if version.is_none() { "azureOpenAI" } else { "commit" };
            let problem = Diagnostic::new(code::MISSING_KEY, format!("`definition` has no `{missing}`"));
            let help = match commit.is_some() || version.is_some() {
                true => "`azureOpenAI` and `commit` go together: a branch would move",
                false => "add `azureOpenAI:` and `commit:`, or `file:`",
            };
            out.push(problem.at(join(path, missing)).help(help));
            None
        }
        (_, _, Some(_)) => {
            let message = "the definition is a file and a version of Azure OpenAI's";
            out.push(two_ways(&join(path, "file"), message, "`file`"));
            None
        }
    };
    match document {
        None => Origin::Table(Table::Operations),
        Some(document) => Origin::Imported(Import { hash: document.hash(), document: Some(document) }),
    }
}

fn read(file: &str, path: &str, site: &Site<'_>, out: &mut Vec<Diagnostic>) -> Option<String> {
    match (site.files)(file) {
        Ok(text) => Some(text),
        Err(why) => {
            let message = format!("{} cannot be read: {why}", super::super::check::shown(file));
            let problem = Diagnostic::new(code::BAD_FILE, message).at(path);
            out.push(problem.help("check the path; it is relative to the spec"));
            None
        }
    }
}

/// A file beside the spec goes to Azure as the spec does.
fn secret(file: &str, place: &str, path: &str) -> Diagnostic {
    let problem = Diagnostic::new(code::LITERAL_SECRET, format!("{file} holds what looks like a key: {place}"));
    problem.at(path).help("take it out and rotate it; a named value of a key vault can be written as `{{NAME}}`")
}

/// What API Management imports of an OpenAPI document: all but its servers. Azure OpenAI's names one with a variable,
/// which the import refuses, and a policy sets every backend anyway (trap 18, facts/seeds.md 3).
fn openapi(text: &str, path: &str, out: &mut Vec<Diagnostic>) -> Option<String> {
    let wrong = |what: String, help: &str| Diagnostic::new(code::BAD_FILE, what).at(path).help(help);
    let mut document = match serde_json::from_str::<Json>(text) {
        Ok(Json::Object(document)) => document,
        Ok(_) => {
            out.push(wrong("this is no OpenAPI document".into(), "name a JSON file that begins with `{`"));
            return None;
        }
        Err(error) => {
            out.push(wrong(format!("this is no JSON: {error}"), "convert it: API Management imports it as JSON"));
            return None;
        }
    };
    let version = document.get("openapi").and_then(Json::as_str).unwrap_or_default();
    if !version.starts_with("3.0") || !document.get("paths").is_some_and(Json::is_object) {
        let what = "this is no OpenAPI document of version 3.0 with paths";
        out.push(wrong(what.into(), "use the document of `Azure/azure-rest-api-specs`, or one like it"));
        return None;
    }
    document.shift_remove("servers");
    let document = Json::Object(document);
    if let Some(place) = secrets::place_in(&document, "") {
        out.push(secret("this document", &place, path));
    }
    serde_json::to_string_pretty(&document).ok()
}

pub fn products(written: Map<model::Product>, site: &Site<'_>) -> BTreeMap<Key, Product> {
    let product = |(key, written): (Key, model::Product)| {
        let intent = ProductIntent {
            product: site.name(&key),
            token_limit: written.token_limit.map(token_limit),
            quota: written.quota.map(|quota| TokenQuota { tokens: quota.tokens, per: quota.per.0 }),
        };
        let product = Product {
            name: site.name(&key),
            display_name: written.display_name.unwrap_or_else(|| key.clone()),
            apis: written.apis.into_iter().collect(),
            policy: Policy::Rendered(intent),
        };
        (key, product)
    };
    written.into_iter().map(product).collect()
}

pub fn subscriptions(
    written: Option<Map<model::Subscription>>,
    apis: &BTreeMap<Key, Api>,
    products: &BTreeMap<Key, Product>,
    site: &Site<'_>,
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
        if written.api.is_some() && written.product.is_some() {
            let message = format!("`{key}` has an API and a product");
            out.push(two_ways(&join(&join("subscriptions", &key), "product"), message, "`product`"));
        }
        if let Some(product) = &written.product
            && !products.contains_key(product)
        {
            let path = join(&join("subscriptions", &key), "product");
            out.push(unknown("product", product, products.keys()).at(path));
        }
        if written.product.is_none() && written.api.is_none() && only.is_none() && !apis.is_empty() {
            let problem = Diagnostic::new(code::WHICH_API, format!("`{key}` does not say which API it may call"));
            let problem = problem.at(join("subscriptions", &key));
            out.push(problem.help(format!("add `api:`, one of {}", suggest::list(apis.keys().map(String::as_str)))));
        }
        let api = || written.api.clone().or_else(|| apis.keys().next().cloned()).unwrap_or_default();
        let access = written.product.clone().map_or_else(|| Access::Api(api()), Access::Product);
        let display_name = written.display_name.unwrap_or_else(|| key.clone());
        let tracing = written.tracing.unwrap_or(false);
        let name = site.name(&key);
        subscriptions.insert(key, Subscription { name, display_name, access, tracing });
    }
    // a subscription has one scope, so the probe's is the first API: every API's probe route reaches every backend
    if let Some(api) = apis.keys().next() {
        let name = site.name(defaults::PROBE);
        let access = Access::Api(api.clone());
        let probe = Subscription { display_name: "Probe of aoai-lb".into(), access, tracing: false, name };
        subscriptions.insert(defaults::PROBE.into(), probe);
    }
    subscriptions
}
