//! From a url to a provider, with the checks that Azure Resource Manager makes before it asks one.

mod checks;

pub(super) use checks::{group_problem, location_problem, type_problem, unknown, version_problem};

use super::engine::Target;
use super::ids::{Kind, ResourceId, Url, from_parts, group_key, is_guid};
use super::lro::{self, Asked};
use super::reply::{Reply, gateway, group_not_found, method_not_allowed, no_such_address, resource_not_found};
use super::state::Resource;
use super::{World, apim, authorization, cognitive, deployments, groups, locks, plain, providers, tags};
use crate::catalogue;
use crate::time::{Duration, Time};
use crate::wire::{Method, Request};
use checks::{LONGEST, name_problem, orphan, own_version_problem};
use serde_json::{Value, json};

/// A request for one resource, checked by the gateway.
pub(super) struct Call {
    pub now: Time,
    pub method: Method,
    pub id: ResourceId,
    pub version: String,
    pub url: Url,
    pub if_match: Option<String>,
    /// Null where there is none.
    pub body: Value,
    /// What a POST asks for, in lower case; empty for other methods.
    pub action: String,
    /// How long a synchronous write keeps others away from its parent, at scale 1.
    pub takes: Duration,
}

/// A request waits for its answer, so the next one comes after it: a second, not the many of a deployment.
const DIRECT: Duration = Duration::from_secs(1);

impl Call {
    /// The same call for another resource, with another body.
    pub fn to(&self, id: ResourceId, body: Value) -> Call {
        let (version, url) = (self.version.clone(), self.url.clone());
        let (if_match, action) = (self.if_match.clone(), self.action.clone());
        Call { now: self.now, method: self.method, id, version, url, if_match, body, action, takes: self.takes }
    }

    /// The key of the resource.
    pub fn key(&self) -> String {
        self.id.key()
    }
}

/// What every route needs.
pub(super) struct Ask<'a> {
    pub now: Time,
    pub method: Method,
    pub url: Url,
    pub version: String,
    pub request: &'a Request,
}

impl Ask<'_> {
    /// The body, null where there is none.
    pub fn body(&self) -> Result<Value, Reply> {
        if self.request.body.len() > LONGEST {
            let message = format!(
                "The request content size '{}' exceeds the maximum size of '{LONGEST}' bytes.",
                self.request.body.len()
            );
            return Err(gateway(413, "RequestContentTooLarge", message));
        }
        let sent = self.request.headers.get("Content-Type").filter(|_| !self.request.body.is_empty());
        let media = sent.map(|sent| sent.split(';').next().unwrap_or("").trim());
        if let Some(media) = media.filter(|media| !media.eq_ignore_ascii_case("application/json")) {
            let message =
                format!("The content media type '{media}' is not supported. Only 'application/json' is supported.");
            return Err(gateway(415, "UnsupportedMediaType", message));
        }
        let body = self.request.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.request.body);
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Null);
        }
        serde_json::from_slice(body).map_err(|problem| {
            let message = "The request content was invalid and could not be deserialized";
            gateway(400, "InvalidRequestContent", format!("{message}: '{problem}'."))
        })
    }
}

/// Answers any request.
pub(super) fn route(world: &mut World, now: Time, request: &Request) -> Reply {
    let url = Url::parse(&request.url);
    if url.escaped_slash {
        return Reply::empty(404);
    }
    let lower: Vec<String> = url.path.iter().map(|part| part.to_lowercase()).collect();
    let low: Vec<&str> = lower.iter().map(String::as_str).collect();
    let path: Vec<String> = url.path.clone();
    let raw: Vec<&str> = path.iter().map(String::as_str).collect();

    if let Some(reply) = poll(world, now, &low, &raw, &url) {
        return reply;
    }
    let version = match url.query("api-version") {
        Some(version) if !version.is_empty() => version.to_string(),
        _ => {
            let message = "The api-version query parameter (?api-version=) is required for all requests.";
            return gateway(400, "MissingApiVersionParameter", message);
        }
    };
    let ask = Ask { now, method: request.method, url, version, request };
    if let (["subscriptions", ..], [_, subscription, ..]) = (low.as_slice(), raw.as_slice())
        && !is_guid(subscription)
    {
        let message = format!("The provided subscription identifier '{subscription}' is malformed or invalid.");
        return gateway(400, "InvalidSubscriptionId", message);
    }
    if let Some(refusal) = own_version_problem(&low, &ask.version) {
        return refusal;
    }
    match (low.as_slice(), raw.as_slice()) {
        (["subscriptions"], _) => groups::subscriptions(world, &ask),
        (["subscriptions", _], [_, subscription]) => groups::subscription(world, &ask, subscription),
        (["subscriptions", _, "locations"], [_, subscription, _]) => groups::locations(&ask, subscription),
        (["subscriptions", _, "resourcegroups"], [_, subscription, _]) => groups::list(world, &ask, subscription),
        (["subscriptions", _, "resourcegroups", _], [_, subscription, _, group]) => {
            groups::one(world, &ask, subscription, group)
        }
        (["subscriptions", _, "resourcegroups", _, "resources"], [_, subscription, _, group, _]) => {
            groups::resources(world, &ask, subscription, Some(group))
        }
        (["subscriptions", _, "resourcegroups", _, "exporttemplate"], [_, subscription, _, group, _]) => {
            deployments::export(world, &ask, subscription, group)
        }
        (["subscriptions", _, "resources"], [_, subscription, _]) => groups::resources(world, &ask, subscription, None),
        (["providers"], _) => providers::list(world, &ask, ""),
        (["subscriptions", _, "providers"], [_, subscription, _]) => providers::list(world, &ask, subscription),
        (["subscriptions", _, "providers", _], [_, subscription, _, namespace]) => {
            providers::one(world, &ask, subscription, namespace)
        }
        (["subscriptions", _, "providers", _, action @ ("register" | "unregister")], [_, subscription, _, name, _]) => {
            providers::change(world, &ask, subscription, name, action)
        }
        (
            ["subscriptions", _, "resourcegroups", _, "providers", "microsoft.resources", "deployments", ..],
            [_, subscription, _, group, _, _, _, rest @ ..],
        )
        | (["subscriptions", _, "resourcegroups", _, "deployments", ..], [_, subscription, _, group, _, rest @ ..]) => {
            let target = Target { subscription: subscription.to_string(), resource_group: Some(group.to_string()) };
            deployments::route(world, &ask, &target, rest)
        }
        (
            ["subscriptions", _, "providers", "microsoft.resources", "deployments", ..],
            [_, subscription, _, _, _, rest @ ..],
        )
        | (["subscriptions", _, "deployments", ..], [_, subscription, _, rest @ ..]) => {
            let target = Target { subscription: subscription.to_string(), resource_group: None };
            deployments::route(world, &ask, &target, rest)
        }
        _ => provider(world, &ask, &low, &raw),
    }
}

/// Operations are asked for at addresses of their own.
fn poll(world: &World, now: Time, low: &[&str], raw: &[&str], url: &Url) -> Option<Reply> {
    let key = raw.last()?;
    match low {
        ["subscriptions", _, "operationresults", _] => Some(lro::poll(world, now, key, Asked::Result, url)),
        ["subscriptions", _, "providers", _, "locations", _, "operationsstatuses", _] => {
            Some(lro::poll(world, now, key, Asked::Status, url))
        }
        ["subscriptions", _, "providers", "microsoft.network", "locations", _, "operations", _] => {
            Some(lro::poll(world, now, key, Asked::Status, url))
        }
        ["subscriptions", _, "providers", namespace, "locations", _, "operationresults", _] => {
            let account = *namespace == "microsoft.cognitiveservices";
            Some(lro::poll(world, now, key, if account { Asked::Status } else { Asked::Result }, url))
        }
        ["subscriptions", _, "providers", _, "locations", _, "deletedservices", _, "operationresults", _] => {
            Some(lro::poll(world, now, key, Asked::Result, url))
        }
        ["subscriptions", _, "resourcegroups", _, "providers", _, "service", _, "operationresults", _] => {
            let asked = if url.query("asyncResponse").is_some() { Asked::Status } else { Asked::Result };
            Some(lro::poll(world, now, key, asked, url))
        }
        _ => match (url.query("azure-asyncId"), url.query("asyncId")) {
            (Some(key), _) => Some(lro::poll(world, now, key, Asked::Status, url)),
            (None, Some(key)) => Some(lro::poll(world, now, key, Asked::Result, url)),
            (None, None) => None,
        },
    }
}

/// Addresses behind `providers`: of a subscription, of a group, and of whatever stands on a resource.
fn provider(world: &mut World, ask: &Ask<'_>, low: &[&str], raw: &[&str]) -> Reply {
    if let Some(reply) = authorization::definitions_at(ask, low, raw) {
        return reply;
    }
    let Some(at) = low.iter().rposition(|part| *part == "providers") else { return no_such_address() };
    match (low, raw) {
        (["subscriptions", _, "providers", namespace, ..], [_, subscription, _, _, rest @ ..]) if at == 2 => {
            let rest_low = &low[4..];
            match *namespace {
                "microsoft.apimanagement" => apim::in_subscription(world, ask, subscription, rest_low, rest),
                "microsoft.cognitiveservices" => cognitive::in_subscription(world, ask, subscription, rest_low, rest),
                _ => anywhere(world, ask, at, raw),
            }
        }
        (["subscriptions", _, "providers", ..], _) => anywhere(world, ask, at, raw),
        (["subscriptions", _, "resourcegroups", _, "providers", _, ..], [_, subscription, _, group, ..]) => {
            match group_problem(world, ask.method, subscription, group) {
                Some(refusal) => refusal,
                None => anywhere(world, ask, at, raw),
            }
        }
        _ => no_such_address(),
    }
}

/// `Namespace/type/name/...` behind the part at `at`: an even number of parts after the namespace is a resource, an odd
/// one a list, or of a POST an action.
fn anywhere(world: &mut World, ask: &Ask<'_>, at: usize, raw: &[&str]) -> Reply {
    let tail = &raw[at + 1..];
    if tail.len() % 2 == 1 {
        return match from_parts(raw) {
            Some(id) => one(world, ask, id, String::new()),
            None => no_such_address(),
        };
    }
    let Some((last, before)) = raw.split_last() else { return no_such_address() };
    if ask.method == Method::Post {
        return match from_parts(before) {
            Some(id) => one(world, ask, id, last.to_lowercase()),
            None => no_such_address(),
        };
    }
    if let Some(reply) = cognitive::of_account(world, ask, raw).or_else(|| apim::derived_list(world, ask, raw)) {
        return reply;
    }
    let kind = Kind::new(&type_of(tail));
    if kind.name.eq_ignore_ascii_case("Microsoft.OperationalInsights/deletedWorkspaces") && ask.method == Method::Get {
        return plain::observe::deleted(world, &format!("/{}/", raw[..at].join("/")).to_lowercase());
    }
    if let Some(refusal) = type_problem(world, &kind, &ask.version) {
        return refusal;
    }
    if ask.method != Method::Get {
        return method_not_allowed(ask.method.as_str());
    }
    // what the list is under: the parent of its members, or what they stand in or on
    let parent = match tail.len() {
        2 => from_parts(&raw[..at]),
        _ => from_parts(before),
    };
    let parent = parent.map(|id| id.recased(&world.state));
    if let Some(parent) = &parent
        && !world.state.resources.contains_key(&parent.key())
    {
        let top = parent.top();
        return match world.state.resources.contains_key(&top.key()) && kind.name.starts_with(apim::SERVICE) {
            true => apim::not_found(&parent.kind.name),
            false => resource_not_found(&top.short(), &top.group),
        };
    }
    let scope = parent.map_or_else(|| format!("/{}", raw[..at].join("/")), |parent| parent.text());
    list(world, ask, &kind, &scope, tail.len() == 2)
}

/// Every resource of a type under a parent; in a group, or in a subscription.
fn list(world: &World, ask: &Ask<'_>, kind: &Kind, scope: &str, direct: bool) -> Reply {
    let scope = scope.to_lowercase();
    match kind.name.as_str() {
        authorization::ASSIGNMENT => return authorization::list(world, ask, &scope),
        locks::LOCK => return locks::list(world, ask, &scope),
        _ => {}
    }
    if !direct && kind.name.starts_with(apim::SERVICE) {
        return apim::list(world, ask, &kind.name, &scope);
    }
    // a type that stands in groups is listed in the whole subscription
    let whole = direct && scope.split('/').count() == 3 && !kind.extends();
    let under = match direct {
        true if !whole => format!("{scope}/providers/{}/", kind.name.to_lowercase()),
        _ => format!("{scope}/"),
    };
    if kind.name == apim::SERVICE {
        return apim::services(world, ask, &under);
    }
    let values: Vec<Value> =
        world.state.children(&under, &kind.name).map(|resource| show(resource, &ask.version)).collect();
    Reply::json(200, json!({ "value": values }))
}

/// A resource as its provider shows it.
pub(super) fn show(resource: &Resource, version: &str) -> Value {
    match resource.kind.as_str() {
        apim::SERVICE => apim::service::show(resource, version),
        "Microsoft.CognitiveServices/accounts" => cognitive::accounts::show(resource, version),
        "Microsoft.CognitiveServices/accounts/deployments" => cognitive::deployments::show(resource, version),
        cognitive::children::FILTER | cognitive::children::PROJECT => cognitive::children::show(resource),
        authorization::ASSIGNMENT => authorization::show(resource, version),
        kind if kind.starts_with(apim::SERVICE) => apim::show(resource, version, apim::View::Read),
        _ => plain::show(resource),
    }
}

fn one(world: &mut World, ask: &Ask<'_>, id: ResourceId, action: String) -> Reply {
    let body = match ask.body() {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let call = Call {
        now: ask.now,
        method: ask.method,
        id: id.recased(&world.state),
        version: ask.version.clone(),
        url: ask.url.clone(),
        if_match: ask.request.headers.get("If-Match").map(str::to_string),
        body,
        action,
        takes: DIRECT,
    };
    let mut reply = call_provider(world, &call);
    // recorded: errors on several lines in 2019, on one since
    reply.pretty &= reply.is_success() || !catalogue::not_older(&call.version, "2021-08-01");
    reply
}

/// Checks what the gateway checks, and asks the provider. Template deployments come in here too.
pub(super) fn call_provider(world: &mut World, call: &Call) -> Reply {
    let kind = &call.id.kind;
    if let Some(refusal) = type_problem(world, kind, &call.version) {
        return refusal;
    }
    let misplaced = (call.id.on.is_some() || call.id.group.is_empty()) && !kind.extends();
    if misplaced {
        return no_such_address();
    }
    if !call.id.group.is_empty() && !world.state.groups.contains_key(&group_key(&call.id.subscription, &call.id.group))
    {
        return group_not_found(&call.id.group);
    }
    if let Some(refusal) = providers::problem(world, call) {
        return refusal;
    }
    if call.method == Method::Put
        && let Some(refusal) = name_problem(&call.id)
    {
        return refusal;
    }
    if call.method == Method::Put
        && let Some(refusal) = location_problem(world, &call.id, call.body.get("location").and_then(Value::as_str))
    {
        return refusal;
    }
    if let Some(refusal) = orphan(world, call).or_else(|| locks::problem(world, call)) {
        return refusal;
    }
    match kind.name.as_str() {
        name if name.starts_with(apim::SERVICE) => apim::handle(world, call),
        "Microsoft.CognitiveServices/accounts" => cognitive::accounts::handle(world, call),
        "Microsoft.CognitiveServices/accounts/deployments" => cognitive::deployments::handle(world, call),
        cognitive::children::FILTER | cognitive::children::PROJECT => cognitive::children::handle(world, call),
        authorization::ASSIGNMENT => authorization::handle(world, call),
        locks::LOCK => locks::handle(world, call),
        tags::TAGS => tags::handle(world, call),
        other => match kind.namespace() {
            "Microsoft.ApiManagement" | "Microsoft.CognitiveServices" | "Microsoft.Resources" => unknown(other),
            _ => plain::handle(world, call),
        },
    }
}

/// `Namespace/a/b` of `Namespace/a/name/b/name`.
fn type_of(rest: &[&str]) -> String {
    let segments = rest.iter().skip(1).step_by(2);
    segments.fold(rest.first().copied().unwrap_or("").to_string(), |kind, segment| format!("{kind}/{segment}"))
}
