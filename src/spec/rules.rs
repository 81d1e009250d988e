//! What a topology must be before anything is made of it: references, limits, names. Every breach is reported.
//!
//! Limits are from facts/apim.md 1.2, 2.1, 6 and 7; the traps from facts/seeds.md 3.

mod features;
mod ids;
mod observe;
mod scopes;

use super::build::{Built, backend_key, unknown};
use super::check::shown;
use super::suggest;
use super::yaml::{item, join};
use crate::catalogue;
use crate::diagnostic::{Diagnostic, code};
use crate::time::Duration;
use crate::topology::intent::LimitBy;
use crate::topology::{
    Access, Breaker, Gateway, GatewaySku, Key, Model, Name, Pool, Routes, Standing, Target, Topology, defaults,
};
use std::collections::BTreeMap;

/// Reports everything that is wrong.
pub fn check(built: &Built, out: &mut Vec<Diagnostic>) {
    let topology = &built.topology;
    nothing_missing(topology, out);
    if let Some(gateway) = topology.gateway.as_ref().filter(|gateway| gateway.standing == Standing::Managed) {
        capacity(gateway, out);
    }
    tags(&topology.tags, out);
    accounts(topology, out);
    backends(topology, out);
    for (key, pool) in &topology.pools {
        self::pool(topology, key, pool, built.mixed.contains(key), out);
    }
    one_namespace(topology, out);
    apis(topology, out);
    subscriptions(topology, out);
    products(topology, out);
    features::check(built, out);
    scopes::check(built, out);
    observe::check(topology, out);
    ids::check(topology, out);
}

fn nothing_missing(topology: &Topology, out: &mut Vec<Diagnostic>) {
    // an empty short form has said so itself
    if out.iter().any(|problem| problem.code == code::NOTHING_HERE) {
        return;
    }
    let help = |key: &str| match key {
        "accounts" => "add an account with a deployment, or start with `models`",
        "pools" => "add a pool with its members, or start with `models`",
        _ => "add an API, or take `apis` out: one, `openai`, is then made",
    };
    for (key, empty) in [
        ("accounts", topology.accounts.is_empty()),
        ("pools", topology.pools.is_empty()),
        ("apis", topology.apis.is_empty()),
    ] {
        if empty {
            out.push(Diagnostic::new(code::NOTHING_HERE, format!("the spec has no {key}")).at(key).help(help(key)));
        }
    }
    for (key, _) in topology.accounts.iter().filter(|(_, account)| account.deployments.is_empty()) {
        let problem = Diagnostic::new(code::NOTHING_HERE, format!("the account `{key}` has no deployment"));
        out.push(problem.at(format!("accounts.{key}.deployments")).help("add one, or take the account out"));
    }
}

/// Scale units by tier (facts/apim.md 7.1).
fn capacity(gateway: &Gateway, out: &mut Vec<Diagnostic>) {
    use GatewaySku::*;
    let (min, max) = match gateway.sku {
        Consumption => (0, 0),
        Developer => (1, 1),
        Basic => (1, 2),
        Standard => (1, 4),
        BasicV2 | StandardV2 => (1, 10),
        PremiumV2 => (1, 30),
        Premium => (1, u32::MAX),
    };
    if !(min..=max).contains(&gateway.capacity) {
        let tier = gateway.sku.as_str();
        let units = if gateway.capacity == 1 { "unit" } else { "units" };
        let message = format!("{tier} cannot have {} {units}", gateway.capacity);
        let problem = Diagnostic::new(code::GATEWAY_CAPACITY, message);
        let help = match (min, max) {
            (0, 0) => "take `capacity` out: Consumption scales by itself".into(),
            (min, u32::MAX) => format!("use a capacity of at least {min}"),
            (min, max) if min == max => format!("use a capacity of {min}"),
            (min, max) => format!("use a capacity from {min} to {max}"),
        };
        out.push(problem.at("gateway.capacity").help(help));
    }
}

fn tags(tags: &BTreeMap<String, String>, out: &mut Vec<Diagnostic>) {
    if tags.len() > 49 {
        let problem = Diagnostic::new(code::BAD_NAME, format!("{} tags are too many", tags.len())).at("azure.tags");
        out.push(problem.help("keep 49: Azure takes 50, and one is the stack's"));
    }
    // Azure compares their names without case
    unlike(tags.keys().map(|key| (key.as_str(), format!("azure.tags.{key}"))), "tag", out);
    for (key, value) in tags {
        let path = format!("azure.tags.{key}");
        if key.eq_ignore_ascii_case(defaults::STACK_TAG) {
            let problem = Diagnostic::new(code::RESERVED, format!("the tag `{key}` is the program's own")).at(path);
            out.push(problem.help("choose another name: it says which stack owns a resource"));
        } else if key.chars().count() > 512 || key.contains(|c: char| "<>%&\\?/".contains(c) || c.is_control()) {
            let problem = Diagnostic::new(code::BAD_NAME, format!("{} is no name of a tag", shown(key))).at(path);
            out.push(problem.help("use up to 512 characters, none of `<>%&\\?/`"));
        } else if value.chars().count() > 256 {
            let problem = Diagnostic::new(code::BAD_NAME, format!("the tag `{key}` has more than 256 characters"));
            out.push(problem.at(path).help("shorten its value"));
        }
    }
}

fn accounts(topology: &Topology, out: &mut Vec<Diagnostic>) {
    let keys = topology.accounts.keys().map(|key| (key.as_str(), format!("accounts.{key}")));
    unlike(keys, "account", out);
    let names = topology.accounts.iter().filter_map(|(key, account)| match &account.name {
        Name::Literal(name) => Some((name.as_str(), format!("accounts.{key}.name"))),
        Name::Unique(_) => None,
    });
    unlike(names, "account name", out);
    for (key, account) in &topology.accounts {
        let path = format!("accounts.{key}");
        match &account.name {
            Name::Literal(_) => name(key, 80, "account", &path, out),
            // its name is also a sub-domain: lower case, 64 characters, `aoai-`, a hyphen and the hash among them
            Name::Unique(_) => {
                let lower = key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                let room = 64 - "aoai--".len() - defaults::UNIQUE_LENGTH;
                if !lower || key.len() > room || key.starts_with('-') || key.ends_with('-') || key.is_empty() {
                    let problem = Diagnostic::new(code::BAD_NAME, format!("{} is no key of an account", shown(key)));
                    out.push(problem.at(&path).help(format!(
                        "use up to {room} lower-case letters, digits and hyphens: it is part of a sub-domain; or give the account a `name`"
                    )));
                }
            }
        }
        let deployments = account.deployments.keys();
        unlike(deployments.clone().map(|key| (key.as_str(), format!("{path}.deployments.{key}"))), "deployment", out);
        for key in deployments {
            let path = format!("{path}.deployments.{key}");
            name(key, 64, "deployment", &path, out);
            if key.len() == 1 {
                let problem =
                    Diagnostic::new(code::BAD_NAME, format!("`{key}` is too short for a deployment")).at(path);
                out.push(problem.help("use at least 2 characters"));
            }
        }
    }
}

fn backends(topology: &Topology, out: &mut Vec<Diagnostic>) {
    let mut urls: BTreeMap<(String, String), &Key> = BTreeMap::new();
    for (key, backend) in &topology.backends {
        let path = format!("backends.{key}");
        // a name that follows from a key which is wrong itself is not wrong once more
        let follows = matches!(&backend.target, Target::Deployment { account, deployment }
            if (!is_name(account, 80) || !is_name(deployment, 64)) && *key == backend_key(account, deployment));
        if !follows {
            name(key, 80, "backend", &path, out);
        }
        if backend.name.len() > 80 && key.len() <= 80 {
            let problem = Diagnostic::new(code::BAD_NAME, format!("`{}` has more than 80 characters", backend.name));
            out.push(
                problem.at(&path).help("shorten the key: on an existing gateway the stack's name stands before it"),
            );
        }
        if let Target::Url(url) = &backend.target
            && let Some(first) = urls.insert((url.to_lowercase(), String::new()), key)
        {
            let problem = Diagnostic::new(code::ONE_URL, format!("`{first}` and `{key}` have one url"));
            out.push(problem.at(&path).help("keep one, and raise its weight where it was meant to get more calls"));
        }
        let Target::Deployment { account, deployment } = &backend.target else { continue };
        match topology.accounts.get(account) {
            // that it is missing has been said
            None if account.is_empty() => {}
            None => out.push(unknown("account", account, topology.accounts.keys()).at(join(&path, "account"))),
            Some(_) if deployment.is_empty() => {}
            Some(found) if !found.deployments.contains_key(deployment) => {
                let problem = unknown("deployment", deployment, found.deployments.keys());
                out.push(
                    problem.at(join(&path, "deployment")).note(format!("it is looked for in the account `{account}`")),
                );
            }
            Some(_) => {
                let url = (account.to_lowercase(), deployment.to_lowercase());
                if let Some(first) = urls.insert(url, key) {
                    let problem =
                        Diagnostic::new(code::ONE_URL, format!("`{first}` and `{key}` have one url")).at(path);
                    let problem = problem.label(format!("calls {deployment} of {account}, as `{first}` does"));
                    out.push(problem.help("keep one, and raise its weight where it was meant to get more calls"));
                }
            }
        }
    }
}

/// What is wrong with a breaker; `path` is its key.
pub fn breaker(breaker: &Breaker, path: &str, out: &mut Vec<Diagnostic>) {
    let name = &breaker.name;
    let alphanumeric = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if name.len() > 80 || !word || !alphanumeric(name.chars().next()) || !alphanumeric(name.chars().last()) {
        let problem = Diagnostic::new(code::BAD_NAME, format!("{} is no name for a breaker", shown(name))).at(path);
        out.push(problem.help("use up to 80 letters, digits and hyphens, no hyphen at the ends"));
    }
    let ranges = breaker.status_codes.len();
    let reasons = breaker.error_reasons.len();
    if reasons > 10 || breaker.error_reasons.iter().any(|reason| reason.is_empty() || reason.chars().count() > 200) {
        let message = format!("`{name}` has {reasons} error reasons, and Azure takes 10 of up to 200 characters");
        let problem = Diagnostic::new(code::STATUS_CODES, message).at(join(path, "errorReasons"));
        out.push(problem.help("count statuses instead: no list of reasons is published"));
    }
    if (ranges == 0 && reasons == 0) || ranges > 10 {
        let message = format!("`{name}` has {ranges} status ranges, and Azure takes 1 to 10");
        let problem = Diagnostic::new(code::STATUS_CODES, message).at(join(path, "statusCodes"));
        out.push(problem.help("join neighbours, as `500-503`, or count `5xx`"));
    }
    for (key, length) in [("interval", breaker.interval), ("tripDuration", breaker.trip_duration)] {
        out.extend(seconds(key, length, 1, None).map(|problem| problem.at(join(path, key))));
    }
}

/// What is wrong with a length that is written as whole seconds.
fn seconds(name: &str, length: Duration, min: u64, max: Option<u64>) -> Option<Diagnostic> {
    let whole = length == Duration::from_secs(length.secs_ceil());
    let problem = |why: &str| Diagnostic::new(code::BAD_DURATION, format!("{name} {length} is {why}"));
    if !whole {
        return Some(problem("no whole number of seconds").help(format!("use {}s", length.secs_ceil())));
    }
    match max {
        _ if length < Duration::from_secs(min) => Some(problem("too short").help(format!("use at least {min}s"))),
        Some(max) if length > Duration::from_secs(max) => Some(problem("too long").help(format!("use at most {max}s"))),
        _ => None,
    }
}

fn pool(topology: &Topology, key: &str, pool: &Pool, mixed: bool, out: &mut Vec<Diagnostic>) {
    let path = format!("pools.{key}");
    name(key, 80, "pool", &path, out);
    let members = join(&path, "members");
    let long = pool.members.len();
    if long == 0 || long > defaults::MAX_MEMBERS {
        let problem = Diagnostic::new(code::POOL_SIZE, format!("`{key}` has {long} members")).at(&members);
        out.push(problem.help(format!("use 1 to {} members", defaults::MAX_MEMBERS)));
    }
    let mut first: Option<(&Key, &Model)> = None;
    for (index, member) in pool.members.iter().enumerate() {
        let at = join(&item(&members, index), "backend");
        let name = &member.backend;
        if let Some(earlier) = pool.members[..index].iter().position(|other| other.backend == *name) {
            let problem = Diagnostic::new(code::DUPLICATE_MEMBER, format!("`{name}` is a member twice")).at(at);
            out.push(
                problem.label(format!("also members[{earlier}]")).help("keep one; its weight says how much it gets"),
            );
            continue;
        }
        let Some(backend) = topology.backends.get(name) else {
            out.push(if topology.pools.contains_key(name) {
                let problem = Diagnostic::new(code::POOL_OF_POOLS, format!("`{name}` is a pool")).at(at);
                problem.help("name backends: a pool cannot hold a pool")
            } else {
                no_backend(topology, name).at(at)
            });
            continue;
        };
        let Some(deployment) = topology.deployment_of(backend) else { continue };
        match first {
            None => first = Some((name, &deployment.model)),
            Some((other, model)) if !is_same(model, &deployment.model) && !mixed => {
                let of = |model: &Model| format!("{} {}", model.name, model.version);
                let message = format!("`{key}` mixes {} and {}", of(model), of(&deployment.model));
                let problem = Diagnostic::new(code::MIXED_MODELS, message).at(at);
                let problem = problem.label(format!("`{other}` serves {}", of(model)));
                out.push(problem.help(match misspelt(model, &deployment.model) {
                    Some((wrong, right)) => format!("write `{right}` for `{wrong}`, or give each model its own pool"),
                    None => "give each model its own pool: callers would get one or the other by chance".into(),
                }));
            }
            Some(_) => {}
        }
    }
    let mut groups: BTreeMap<u8, u32> = BTreeMap::new();
    for member in &pool.members {
        *groups.entry(member.priority).or_default() += u32::from(member.weight);
    }
    for (priority, _) in groups.iter().filter(|(_, weight)| **weight == 0) {
        let message = format!("no member of priority {priority} in `{key}` has a weight");
        out.push(
            Diagnostic::new(code::NO_WEIGHT, message).at(&members).help("give one of them a weight of at least 1"),
        );
    }
}

/// A member that is no backend. A deployment has one by itself only where `backends` is left out.
fn no_backend(topology: &Topology, name: &str) -> Diagnostic {
    let pairs = topology
        .accounts
        .iter()
        .flat_map(|(account, found)| found.deployments.keys().map(move |deployment| (account, deployment)));
    let of_deployment = pairs.into_iter().find(|(account, deployment)| backend_key(account, deployment) == name);
    let Some((account, deployment)) = of_deployment else {
        return unknown("backend", name, topology.backends.keys());
    };
    Diagnostic::new(code::UNKNOWN_REFERENCE, format!("there is no backend {}", shown(name)))
        .label("where `backends` is written, only what stands there is made")
        .help(format!("add `{name}: {{ account: {account}, deployment: {deployment} }}` to `backends`"))
}

/// Azure compares names without case.
fn is_same(one: &Model, other: &Model) -> bool {
    one.name.eq_ignore_ascii_case(&other.name)
        && one.version.eq_ignore_ascii_case(&other.version)
        && one.format.eq_ignore_ascii_case(&other.format)
}

/// Of two models the name or version that nobody knows, where the other is known and nearly the same.
fn misspelt<'a>(one: &'a Model, other: &'a Model) -> Option<(&'a str, &'a str)> {
    let known = |model: &Model| catalogue::model(&model.name, Some(&model.version)).is_some();
    let (wrong, right) = match (known(one), known(other)) {
        (false, true) => (one, other),
        (true, false) => (other, one),
        _ => return None,
    };
    let (wrong, right) = match wrong.name == right.name {
        true => (&wrong.version, &right.version),
        false => (&wrong.name, &right.name),
    };
    suggest::closest(wrong, [right.as_str()]).map(|right| (wrong.as_str(), right))
}

/// Backends and pools are one kind of resource in Azure.
fn one_namespace(topology: &Topology, out: &mut Vec<Diagnostic>) {
    let pools = topology.pools.keys().map(|key| (key.as_str(), format!("pools.{key}")));
    let backends = topology.backends.keys().map(|key| (key.as_str(), format!("backends.{key}")));
    unlike(backends.chain(pools), "backend or pool", out);
}

fn apis(topology: &Topology, out: &mut Vec<Diagnostic>) {
    unlike(topology.apis.keys().map(|key| (key.as_str(), format!("apis.{key}"))), "API", out);
    let mut paths: BTreeMap<String, &Key> = BTreeMap::new();
    for (key, api) in &topology.apis {
        let path = format!("apis.{key}");
        name(key, 80, "API", &path, out);
        if let Some(first) = paths.insert(api.path.to_lowercase(), key) {
            let problem =
                Diagnostic::new(code::PATH_COLLISION, format!("`{first}` and `{key}` have the path `{}`", api.path));
            out.push(problem.at(join(&path, "path")).help("give each API its own path"));
        }
        let Some(intent) = api.policy.intent() else { continue };
        // a key that leads nowhere stands there as it was written, in its own case
        let is_pool = |name: &String| topology.pools.values().any(|pool| pool.name == *name);
        match &intent.routes {
            // where no pool is at all, that has been said
            Routes::All(_) | Routes::ByName(_) if topology.pools.is_empty() => {}
            Routes::All(pool) => {
                if !is_pool(pool) {
                    out.push(unknown("pool", pool, topology.pools.keys()).at(join(&path, "pool")));
                }
            }
            Routes::ByName(routes) => {
                let path = join(&path, "routes");
                if routes.is_empty() && intent.v1.is_none() {
                    let problem = Diagnostic::new(code::ROUTES, format!("`{key}` has no route")).at(&path);
                    out.push(problem.help("route a deployment name to a pool, or take `routes` out for all pools"));
                }
                unlike(routes.keys().map(|name| (name.as_str(), join(&path, name))), "route", out);
                for (route, pool) in routes {
                    let path = join(&path, route);
                    name(route, 64, "route", &path, out);
                    if !is_pool(pool) {
                        out.push(unknown("pool", pool, topology.pools.keys()).at(path));
                    }
                }
            }
        }
        let retry = join(&path, "retry");
        let lengths = [
            (join(&retry, "interval"), "interval", intent.retry.interval, 0, None),
            // forward-request may not honour more (facts/apim.md 6)
            (join(&retry, "timeout"), "timeout", intent.retry.timeout, 1, Some(240)),
            (join(&path, "onExhausted.maxRetryAfter"), "maxRetryAfter", intent.on_exhausted.max_retry_after, 1, None),
        ];
        for (path, name, length, min, max) in lengths {
            out.extend(seconds(name, length, min, max).map(|problem| problem.at(path)));
        }
    }
}

fn subscriptions(topology: &Topology, out: &mut Vec<Diagnostic>) {
    unlike(
        topology.subscriptions.keys().map(|key| (key.as_str(), format!("subscriptions.{key}"))),
        "subscription",
        out,
    );
    for (key, subscription) in &topology.subscriptions {
        let path = format!("subscriptions.{key}");
        name(key, 80, "subscription", &path, out);
        match &subscription.access {
            Access::Api(api) if !api.is_empty() && !topology.apis.contains_key(api) => {
                out.push(unknown("API", api, topology.apis.keys()).at(join(&path, "api")));
            }
            Access::Api(_) | Access::Product(_) => {}
        }
    }
}

fn products(topology: &Topology, out: &mut Vec<Diagnostic>) {
    unlike(topology.products.keys().map(|key| (key.as_str(), format!("products.{key}"))), "product", out);
    for (key, product) in &topology.products {
        let path = format!("products.{key}");
        name(key, 80, "product", &path, out);
        let limit = product.policy.intent().and_then(|intent| intent.token_limit.as_ref());
        if limit.is_some_and(|limit| limit.by == LimitBy::Pool) {
            let problem = Diagnostic::new(code::PRODUCT_LIMIT, format!("the limit of `{key}` cannot know the pool"));
            let problem = problem.at(format!("{path}.tokenLimit.by"));
            out.push(problem.help("take `by` out, or put the limit on the API"));
        }
        for api in product.apis.iter().filter(|api| !topology.apis.contains_key(*api)) {
            out.push(unknown("API", api, topology.apis.keys()).at(join(&path, "apis")));
        }
    }
}

/// A key that is a name in Azure, in its path and in a policy.
fn name(key: &str, most: usize, kind: &str, path: &str, out: &mut Vec<Diagnostic>) {
    if !is_name(key, most) {
        let article = if kind.starts_with(['a', 'A']) { "an" } else { "a" };
        let problem =
            Diagnostic::new(code::BAD_NAME, format!("{} is no name for {article} {kind}", shown(key))).at(path);
        out.push(
            problem.help(format!("use up to {most} letters, digits, `-`, `_` and `.`, a letter or digit at both ends")),
        );
    }
}

fn is_name(key: &str, most: usize) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let word = key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    key.len() <= most && word && ends(key.chars().next()) && ends(key.chars().last())
}

/// Azure compares names without case.
fn unlike<'a>(names: impl Iterator<Item = (&'a str, String)>, kind: &str, out: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<String, (&str, String)> = BTreeMap::new();
    for (name, path) in names {
        if let Some((first, place)) = seen.insert(name.to_lowercase(), (name, path.clone())) {
            let message = if first == name {
                format!("`{name}` is the name of both {place} and {path}")
            } else {
                format!("`{first}` and `{name}` are one name to Azure")
            };
            let problem = Diagnostic::new(code::COLLISION, message).at(path);
            out.push(problem.label(format!("a second {kind} of that name")).help("rename one of them"));
        }
    }
}
