//! Traps of backends, pools, APIs and subscriptions.

use super::follow::{Part, Parts, key_span, known, last_segment, parts_of, present, resource_id};
use super::json::Node;
use super::resources::{Resource, Resources};
use super::{Counts, literal, problem};
use crate::catalogue::{PROPERTIES, not_older, resource_type};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::Expr;
use std::collections::BTreeSet;

/// `microsoft.apimanagement/service/backends`
pub(super) const BACKENDS: &str = "microsoft.apimanagement/service/backends";

const ACCOUNTS: &str = "microsoft.cognitiveservices/accounts";
const DEPLOYMENTS: &str = "microsoft.cognitiveservices/accounts/deployments";

pub(super) fn check(resources: &Resources<'_>, out: &mut Vec<Diagnostic>) {
    for resource in &resources.list {
        young_properties(resource, out);
    }
    for at in resources.kind(BACKENDS) {
        let resource = &resources.list[at];
        double_slash(resources, resource, out);
        if is_pool(resources, resource) {
            forbidden(resource, out);
            let members = members(resources, at);
            order(resources, at, &members, out);
            deployments(resources, at, &members, out);
        }
    }
    for at in resources.kind("microsoft.apimanagement/service/subscriptions") {
        scope(resources, &resources.list[at], out);
    }
    for at in resources.kind("microsoft.apimanagement/service/apis") {
        definition(resources, &resources.list[at], out);
    }
}

fn is_pool(resources: &Resources<'_>, resource: &Resource<'_>) -> bool {
    literal(resources, resource, &["type"]).is_some_and(|kind| kind.eq_ignore_ascii_case("Pool"))
}

/// How many members each pool has that has a literal name and no loop.
pub(super) fn counts(resources: &Resources<'_>) -> Counts {
    let pools = resources.kind(BACKENDS).map(|at| &resources.list[at]).filter(|pool| is_pool(resources, pool));
    pools
        .filter_map(|pool| {
            let (_, own) = last_segment(&pool.name);
            let name = known(&own)?.to_owned();
            let members = services(pool).len();
            (members > 0).then_some((name, members))
        })
        .collect()
}

fn services<'a>(pool: &Resource<'a>) -> &'a [Node] {
    pool.node.path(&["properties", "pool", "services"]).map(Node::items).unwrap_or_default()
}

/// Properties that the api-version does not have yet.
fn young_properties(resource: &Resource<'_>, out: &mut Vec<Diagnostic>) {
    let (Some(known), Some(version), Some(properties)) =
        (resource_type(&resource.kind), resource.version(), resource.properties())
    else {
        return;
    };
    for property in PROPERTIES.iter().filter(|property| property.resource == known.name) {
        if not_older(version, property.since) {
            continue;
        }
        let Some(node) = at_path(properties, property.path) else { continue };
        let name = property.path.rsplit('.').next().unwrap_or(property.path);
        let message = format!("`{name}` is younger than the api-version {version}");
        let help = format!("use {} or newer", property.stable.unwrap_or(property.since));
        let note = "Azure may drop a property that it does not know, without a word";
        out.push(problem(code::PROPERTY_TOO_NEW, key_span(node, name), message, help).note(note));
    }
}

/// The object that holds the last key of a path, if the key has a value; `[]` is every element, or what a loop makes.
fn at_path<'a>(node: &'a Node, path: &str) -> Option<&'a Node> {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let Some(rest) = rest else { return node.get(first).filter(|value| present(value)).map(|_| node) };
    match first.strip_suffix("[]") {
        None => at_path(node.get(first)?, rest),
        Some(list) => {
            let looped = node.get("copy").map(Node::items).unwrap_or_default();
            let looped = looped.iter().filter(|copy| copy.get("name").and_then(Node::text) == Some(list));
            let mut inputs = looped.filter_map(|copy| copy.get("input"));
            let listed = node.get(list).map(Node::items).unwrap_or_default();
            listed.iter().find_map(|item| at_path(item, rest)).or_else(|| inputs.find_map(|item| at_path(item, rest)))
        }
    }
}

fn forbidden(pool: &Resource<'_>, out: &mut Vec<Diagnostic>) {
    let Some(properties) = pool.properties() else { return };
    for name in ["url", "protocol"] {
        if properties.get(name).is_some_and(present) {
            let message = format!("`{name}` on the pool {}: Azure refuses it", pool.label());
            out.push(problem(code::POOL_WITH_URL, key_span(properties, name), message, "take it out of the pool"));
        }
    }
}

/// A member: its place in the template's list of services, and the backends that it may be.
struct Member<'a> {
    node: &'a Node,
    backends: Vec<usize>,
}

fn members<'a>(resources: &Resources<'a>, pool: usize) -> Vec<Member<'a>> {
    let resource = &resources.list[pool];
    services(resource)
        .iter()
        .filter_map(|node| {
            let text = node.get("id")?.text()?;
            let tree = resources.frames.expression(text, resource.frame);
            let (_, wanted) = last_segment(&resource_id(&tree).map_or_else(|| parts_of(&tree), |(_, name)| name));
            let backends: Vec<usize> = resources
                .kind(BACKENDS)
                .filter(|at| *at != pool && last_segment(&resources.list[*at].name).1 == wanted)
                .collect();
            Some(Member { node, backends })
        })
        .collect()
}

/// A pool waits for its members.
fn order(resources: &Resources<'_>, pool: usize, members: &[Member<'_>], out: &mut Vec<Diagnostic>) {
    for member in members {
        let late = member.backends.iter().find(|backend| !resources.waits_for(pool, **backend));
        if let (Some(backend), true) = (late, member.backends.len() == 1) {
            let name = resources.list[*backend].label();
            let message = format!("the pool does not wait for its member {name}");
            let help = "add the member to `dependsOn` of the pool";
            let note = "Azure answers \"Backend Entity not found\" when the pool comes first";
            out.push(problem(code::MISSING_DEPENDENCY, member.node.span, message, help).note(note));
        }
    }
}

/// Members whose accounts have no deployment name in common, behind urls that end before it.
fn deployments(resources: &Resources<'_>, pool: usize, members: &[Member<'_>], out: &mut Vec<Diagnostic>) {
    let mut sets: Vec<(usize, BTreeSet<String>)> = Vec::new();
    for member in members {
        let [backend] = member.backends.as_slice() else { return };
        let resource = &resources.list[*backend];
        let Some(url) = resource.properties().and_then(|p| p.get("url")).and_then(Node::text) else { return };
        let url = resources.frames.expression(url, resource.frame);
        if !ends_before_deployment(&parts_of(&url)) {
            return;
        }
        let Some(names) = account_of(resources, &url).and_then(|account| names_in(resources, &account)) else { return };
        sets.push((*backend, names));
    }
    let Some((first, common)) = sets.first().map(|(at, names)| (*at, names.clone())) else { return };
    let odd = sets.iter().find(|(_, names)| names.is_disjoint(&common));
    let Some((odd, names)) = odd else { return };
    let list = |names: &BTreeSet<String>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let message = "members of the pool have different deployment names, and the caller's path names only one";
    let help = "give the deployments one name, or end each backend's url in `/openai/deployments/NAME`";
    let problem = problem(code::MIXED_DEPLOYMENTS, resources.list[pool].span(), message, help);
    let behind =
        |at: usize, names: &BTreeSet<String>| format!("behind {}: {}", resources.list[at].label(), list(names));
    out.push(problem.note(behind(first, &common)).note(behind(*odd, names)));
}

/// Whether a backend's url ends in `/openai`, or at the host.
fn ends_before_deployment(url: &Parts) -> bool {
    match url.last() {
        Some(Part::Known(text)) => {
            let text = text.trim_end_matches('/').to_ascii_lowercase();
            text.ends_with("/openai") || text == "openai" || text.ends_with(".openai.azure.com")
        }
        Some(Part::Open(tree)) => matches!(tree, Expr::Prop(_, name) if name.eq_ignore_ascii_case("endpoint")),
        None => false,
    }
}

/// The name of the account whose endpoint a url is.
fn account_of(resources: &Resources<'_>, url: &Expr) -> Option<Parts> {
    fn referenced(tree: &Expr) -> Option<Parts> {
        match tree {
            Expr::Call(name, args) if name.eq_ignore_ascii_case("reference") => {
                args.first().and_then(resource_id).filter(|(kind, _)| kind == ACCOUNTS).map(|(_, name)| name)
            }
            Expr::Call(_, args) => args.iter().find_map(referenced),
            Expr::Prop(base, _) => referenced(base),
            Expr::Index(base, _) => referenced(base),
            Expr::Str(_) | Expr::Int(_) => None,
        }
    }
    if let Some(name) = referenced(url) {
        return Some(name);
    }
    // https://NAME.openai.azure.com/openai
    let parts = parts_of(url);
    let (Part::Known(start), Part::Known(end)) = (parts.first()?, parts.last()?) else { return None };
    let host = start.strip_prefix("https://")?;
    let mut name: Parts = parts.clone();
    if parts.len() == 1 {
        let (name, _) = host.split_once(".openai.azure.com")?;
        return Some(vec![Part::Known(name.to_owned())]);
    }
    end.starts_with(".openai.azure.com").then_some(())?;
    name.pop();
    name.remove(0);
    if !host.is_empty() {
        name.insert(0, Part::Known(host.to_owned()));
    }
    resources.kind(ACCOUNTS).any(|at| resources.list[at].name == name).then_some(name)
}

/// The names of an account's deployments, where each is known.
fn names_in(resources: &Resources<'_>, account: &Parts) -> Option<BTreeSet<String>> {
    let deployments = resources.kind(DEPLOYMENTS).map(|at| last_segment(&resources.list[at].name));
    let mut names = BTreeSet::new();
    for (_, own) in deployments.filter(|(parent, _)| parent == account) {
        names.insert(known(&own)?.to_owned());
    }
    (!names.is_empty()).then_some(names)
}

/// An account's endpoint ends with `/` already.
fn double_slash(resources: &Resources<'_>, backend: &Resource<'_>, out: &mut Vec<Diagnostic>) {
    let Some(node) = backend.node.path(&["properties", "url"]) else { return };
    let Some(text) = node.text() else { return };
    let parts = resources.frames.parts(text, backend.frame);
    let endpoint = |part: &Part| matches!(part, Part::Open(Expr::Prop(base, name)) if name.eq_ignore_ascii_case("endpoint") && is_account(resources, base));
    let joined = parts
        .windows(2)
        .any(|pair| matches!(pair, [open, Part::Known(text)] if endpoint(open) && text.starts_with('/')));
    let written = known(&parts).and_then(|url| url.split_once("://")).is_some_and(|(_, rest)| rest.contains("//"));
    if joined || written {
        let message = "the url has two slashes: an account's endpoint ends with one already";
        out.push(problem(code::DOUBLE_SLASH, node.span, message, "write `{endpoint}openai`, without a slash between"));
    }
}

/// Whether `reference(...)` reads an account.
fn is_account(resources: &Resources<'_>, tree: &Expr) -> bool {
    let Expr::Call(name, args) = tree else { return false };
    match (name.eq_ignore_ascii_case("reference"), args.first()) {
        (true, Some(Expr::Str(symbol))) => {
            resources.kind(ACCOUNTS).any(|at| resources.list[at].symbol() == Some(symbol.as_str()))
        }
        (true, Some(id)) => resource_id(id).is_some_and(|(kind, _)| kind == ACCOUNTS),
        _ => false,
    }
}

/// A subscription's scope is `/apis/NAME`, not `/apis/` and an id.
fn scope(resources: &Resources<'_>, subscription: &Resource<'_>, out: &mut Vec<Diagnostic>) {
    let Some(node) = subscription.node.path(&["properties", "scope"]) else { return };
    let Some(text) = node.text() else { return };
    let parts = resources.frames.parts(text, subscription.frame);
    let Some(Part::Known(start)) = parts.first() else { return };
    let lower = start.to_ascii_lowercase();
    let prefix = ["/apis/", "/products/"].into_iter().find(|prefix| lower.starts_with(prefix));
    let Some(prefix) = prefix else { return };
    let doubled = match parts.get(1) {
        Some(Part::Open(tree)) if lower == prefix => {
            resource_id(tree).is_some() || matches!(tree, Expr::Prop(_, name) if name.eq_ignore_ascii_case("id"))
        }
        _ => lower[prefix.len()..].starts_with('/'),
    };
    if doubled {
        let message = format!("the scope holds a whole id behind `{prefix}`: its keys open nothing");
        let help = format!("write `{prefix}NAME`, or the id alone");
        let note = "Azure accepts it, and the gateway answers every call with 401";
        out.push(problem(code::SUBSCRIPTION_SCOPE, node.span, message, help).note(note));
    }
}

/// Where an API's definition comes from.
fn definition(resources: &Resources<'_>, api: &Resource<'_>, out: &mut Vec<Diagnostic>) {
    let Some(node) = api.node.path(&["properties", "value"]) else { return };
    let Some(format) = literal(resources, api, &["format"]) else { return };
    let is_link = format.to_ascii_lowercase().contains("-link");
    let holder = resources.frames.holder(node, api.frame);
    let inline = holder.is_some_and(|holder| holder.text().is_none());
    let value = node.text().and_then(|text| resources.frames.literal(text, api.frame));
    let text = value.as_deref().map(str::trim_start).unwrap_or_default();
    let address = text.starts_with("http://") || text.starts_with("https://");
    if (inline || !text.is_empty()) && address != is_link {
        let (message, help) = match is_link {
            true => ("the format is a link, and the value is the definition itself", "drop `-link` from the format"),
            false => ("the value is an address, and the format is that of a definition", "add `-link` to the format"),
        };
        out.push(problem(code::DEFINITION_FORMAT, node.span, format!("{message}: `{format}`"), help));
        return;
    }
    if is_link {
        let moving = ["/main/", "/master/", "/refs/heads/", "/HEAD/"].into_iter().find(|part| text.contains(part));
        if let Some(branch) = moving {
            let message = format!("the definition is read from a branch that moves: `{}`", branch.trim_matches('/'));
            let help = "put a commit in its place, or send the definition inline";
            out.push(problem(code::MOVING_DEFINITION, node.span, message, help));
        }
        return;
    }
    let nested = holder.and_then(|holder| holder.get("servers"));
    let urls = nested.map(Node::texts).unwrap_or_default();
    let servers = text.find("\"servers\"").map(|at| text[at..].split(']').next().unwrap_or_default());
    if urls.iter().copied().chain(servers).any(|server| server.contains("{endpoint}")) {
        let message = "the definition's server holds the variable `{endpoint}`";
        let help = "put an address in its place; the backend decides where calls go";
        let note = "imports were refused with \"Invalid value of the Web service url\"";
        out.push(problem(code::SERVER_VARIABLE, node.span, message, help).note(note));
    }
}
