//! A policy alone: its backends are a list of addresses, or names that only the gateway knows.
//!
//! The gateway and the accounts are there already, so the spec calls them existing; what the policy cannot say of them is
//! left out.

use super::policy::{self, Called};
use super::{Options, account_of_host, host_and_path, stack_name, stem};
use crate::diagnostic::{Diagnostic, Span, code};
use crate::spec::{Draft, Roles};
use crate::topology::*;
use std::collections::{BTreeMap, BTreeSet};

/// The key of the one API.
const API: &str = "openai";

/// The pool of a list.
const POOL: &str = "backends";

/// Reads a policy document.
pub(super) fn read(text: &str, options: &Options<'_>) -> Result<(Draft, Vec<Diagnostic>), Diagnostic> {
    if let Policy::Rendered(_) = crate::arm::read_policy(text, None) {
        let message = "this is a policy of aoai-lb's own, and says nothing of accounts and deployments";
        let problem = Diagnostic::new(code::NOT_IMPORTABLE, message).span(Span { start: 0, end: 1 });
        return Err(problem.help("import the template beside it, `main.json`"));
    }
    let read = policy::read(text)?;
    let start = text.len() - text.trim_start().len();
    let beginning = Span { start, end: start + 1 };
    let Some(strategy) = read.strategy else {
        let message = "the policy does not say in a plain way which backends it calls";
        let problem = Diagnostic::new(code::NOT_IMPORTABLE, message).span(beginning);
        return Err(problem
            .help("import the template that makes the backends, or write the spec with `aoai-lb schema` at hand"));
    };
    let mut out = read.problems;
    let stack = Stack { name: stack_name(stem(options.file)), environment: String::new() };
    let scope = Scope {
        subscription: options.subscription.map(str::to_lowercase),
        resource_group: options.resource_group.unwrap_or_default().to_owned(),
        location: options.location.map_or(Location::unknown(), Location::new),
    };
    let mut topology = Topology::new(stack, scope);
    let publisher = Publisher { name: String::new(), email: String::new() };
    let mut gateway = Gateway::new(Name::Literal(String::new()), Location::unknown(), publisher);
    gateway.standing = Standing::Existing;
    topology.gateway = Some(gateway);
    let mut members = Vec::new();
    let mut pool = POOL.to_owned();
    for choice in &read.choices {
        match &choice.called {
            Called::Name(name) if strategy == Strategy::Pool => {
                pool.clone_from(name);
                let message =
                    format!("`{name}` is a pool or a backend of the gateway, which the policy does not describe");
                out.push(
                    Diagnostic::new(code::NOT_KNOWN, message)
                        .span(choice.span)
                        .help("fill in accounts, backends and the pool's members"),
                );
            }
            Called::Name(name) => {
                // whose account it calls only the gateway knows
                let message = format!("which account the backend `{name}` calls is not in the policy");
                let help = format!("fill in `account` and `deployment` of `backends.{name}`");
                out.push(Diagnostic::new(code::NOT_KNOWN, message).span(choice.span).help(help));
                let target = Target::Deployment { account: String::new(), deployment: String::new() };
                topology.backends.insert(name.clone(), Backend::new(name, target, None));
                members.push(Member { backend: name.clone(), priority: choice.priority, weight: choice.weight });
            }
            Called::Url(url) => {
                let key = backend(&mut topology, url, choice.span, &mut out);
                members.push(Member { backend: key, priority: choice.priority, weight: choice.weight });
            }
        }
    }
    topology.pools.insert(pool.clone(), Pool::new(&pool, members));
    let message = format!("the policy is read as the strategy `{}`", strategy.word());
    let help = "check `strategy`, `routes` and `retry` of the API";
    out.push(Diagnostic::new(code::STRATEGY_GUESSED, message).span(beginning).help(help));
    let (retry, token_limit, entra) = (read.retry, read.token_limit, read.entra);
    let intent = Intent { strategy, retry, token_limit, entra, ..Intent::new(Routes::All(pool)) };
    topology.apis.insert(API.into(), Api::new(API, Policy::Rendered(intent)));
    let draft = Draft {
        topology,
        roles: Roles::Manage,
        needed: BTreeMap::new(),
        tier_known: false,
        mixed: BTreeSet::new(),
        comment: vec![
            format!("Made by `aoai-lb import` from {}.", super::named(options.file)),
            "What is not here was not carried over: the command said what. The policy does not say what the accounts"
                .into(),
            "hold: give each its deployments, as `NAME: { model: ..., version: \"...\", capacity: ... }`.".into(),
        ],
    };
    Ok((draft, out))
}

/// The backend at an address, with its account; gives its key.
fn backend(topology: &mut Topology, url: &str, span: Span, out: &mut Vec<Diagnostic>) -> Key {
    let (host, path) = host_and_path(url);
    let Some(name) = account_of_host(&host).filter(|name| is_account(name)) else {
        let key = distinct(&host.replace(['<', '>'], ""), topology);
        let target = match url.starts_with("https://") && is_host(&host) {
            true => Target::Url(url.trim_end_matches('/').to_owned()),
            false => Target::Deployment { account: String::new(), deployment: String::new() },
        };
        let message = format!("`{url}` is no address of an Azure OpenAI account");
        let help = format!("check `backends.{key}`");
        out.push(Diagnostic::new(code::NOT_KNOWN, message).span(span).help(help));
        topology.backends.insert(key.clone(), Backend::new(&key, target, None));
        return key;
    };
    let mut account = Account::new(Name::Literal(name.to_owned()), Location::unknown(), BTreeMap::new());
    account.standing = Standing::Existing;
    topology.accounts.entry(name.to_owned()).or_insert(account);
    let deployment = super::template::target_of(&path).unwrap_or_default().to_owned();
    if deployment.is_empty() {
        let message = format!("`{name}` is called as a whole, and which deployment callers name is not in the policy");
        let help = format!("fill in `deployment` of the backend, and `accounts.{name}.deployments`");
        out.push(Diagnostic::new(code::SPLIT_BACKEND, message).span(span).help(help));
    }
    let key = distinct(name, topology);
    let target = Target::Deployment { account: name.to_owned(), deployment };
    topology.backends.insert(key.clone(), Backend::new(&key, target, None));
    key
}

fn distinct(base: &str, topology: &Topology) -> Key {
    let base = if base.is_empty() { "backend" } else { base };
    let numbered = (2..).map(|n| format!("{base}-{n}"));
    let free = |key: &String| !topology.backends.contains_key(key) && key != POOL;
    std::iter::once(base.to_owned()).chain(numbered).find(free).unwrap_or_default()
}

fn is_account(name: &str) -> bool {
    name.len() >= 2 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_host(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':'))
}
