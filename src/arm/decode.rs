//! The answers to list calls, read into [`Live`].
//!
//! Invariants: a live thing that the spec names keeps the spec's key, any other has its Azure name, with a slash before
//! it where the spec uses that name as a key for something else; defaults are filled in as `spec` fills them; nothing
//! that Azure added is kept; and no answer, however odd, makes this panic. What the spec names and this program cannot
//! describe is a problem; what nobody named and cannot be described is listed by its id.

mod answers;
mod children;
mod deleted;
mod models;
mod networks;
mod observe;
mod usage;

pub use answers::{Answers, find_gateway, holds_models, is_endpoint, is_listed, is_ours, left_accounts, principal};
pub(crate) use children::breaker;
pub use deleted::soft_deleted;
pub use observe::{is_left, recorders};

use super::{id, operation};
use crate::diagnostic::{Diagnostic, code};
use crate::topology::{defaults, *};
use serde_json::Value;
use std::collections::BTreeMap;

/// Reads answers into live state. `desired` is resolved: its names are literal.
pub fn decode(desired: &Topology, answers: &Answers) -> Result<Live, Vec<Diagnostic>> {
    let mut reading = Reading {
        desired,
        stack: super::stack_id(desired),
        live: empty(desired),
        problems: Vec::new(),
        endpoints: Vec::new(),
        accounts: Vec::new(),
    };
    reading.group(answers);
    reading.gateway(answers);
    reading.models(answers);
    reading.networks(answers);
    reading.children(answers);
    reading.observability(answers);
    reading.missing(answers);
    reading.live.soft_deleted = deleted::soft_deleted(desired, &answers.deleted_services, &answers.deleted_accounts);
    reading.live.usage = usage::usage(answers);
    reading.live.running = running(answers);
    reading.live.topology.tags.clone_from(&desired.tags);
    if reading.problems.is_empty() { Ok(reading.live) } else { Err(reading.problems) }
}

/// Nothing is there.
fn empty(desired: &Topology) -> Live {
    Live {
        topology: Topology {
            api_versions: desired.api_versions.clone(),
            ..Topology::new(desired.stack.clone(), desired.scope.clone())
        },
        resource_group: None,
        owners: BTreeMap::new(),
        etags: BTreeMap::new(),
        ids: BTreeMap::new(),
        principal: None,
        gateway_url: None,
        soft_deleted: Vec::new(),
        usage: BTreeMap::new(),
        busy: BTreeMap::new(),
        bodies: BTreeMap::new(),
        undescribed: Vec::new(),
        running: None,
        missing: Vec::new(),
    }
}

/// Live state while it is being read.
struct Reading<'a> {
    desired: &'a Topology,
    /// The stack id.
    stack: String,
    live: Live,
    problems: Vec<Diagnostic>,
    /// Endpoints of accounts, lower case without a slash at the end, with the account's key.
    endpoints: Vec<(String, Key)>,
    /// Ids of accounts with their keys, those that the spec calls existing too.
    accounts: Vec<(String, Key)>,
}

impl Reading<'_> {
    fn group(&mut self, answers: &Answers) {
        let Some(group) = &answers.group else { return };
        let owner = tagged(group, &self.stack);
        self.live.topology.scope.location = Location::new(text(group, "/location"));
        self.note(Address::ResourceGroup, group, owner.clone(), answers);
        self.live.resource_group = Some(owner);
    }

    fn gateway(&mut self, answers: &Answers) {
        let Some(service) = find_gateway(self.desired, &answers.services) else { return };
        let name = text(service, "/name");
        let Some(sku) = GatewaySku::parse(text(service, "/sku/name")) else {
            let tier = text(service, "/sku/name");
            return self.not_understood(&Address::Gateway, format!("the service {name} is of the tier `{tier}`"));
        };
        let wanted = self.desired.gateway.as_ref();
        self.live.topology.gateway = Some(Gateway {
            place: wanted.map(|gateway| gateway.place.clone()).unwrap_or_default(),
            standing: wanted.map(|gateway| gateway.standing).unwrap_or_default(),
            identity: self.identity(answers),
            network: self.gateway_network(service),
            properties: wanted.map(|gateway| gateway.properties.clone()).unwrap_or_default(),
            name: self.name_as_wanted(self.desired.gateway.as_ref().map(|gateway| &gateway.name), name),
            location: Location::new(text(service, "/location")),
            sku,
            capacity: number(service, "/sku/capacity"),
            publisher: Publisher {
                name: text(service, "/properties/publisherName").to_owned(),
                email: text(service, "/properties/publisherEmail").to_owned(),
            },
        });
        let given = |pointer| Some(text(service, pointer)).filter(|text| !text.is_empty()).map(str::to_owned);
        self.live.principal = principal(self.desired, answers);
        self.live.gateway_url = given("/properties/gatewayUrl").map(|url| url.trim_end_matches('/').to_owned());
        self.note_own(wanted.map(|gateway| gateway.standing).unwrap_or_default(), Address::Gateway, service, answers);
    }

    /// The spec's spelling of a name, where the two differ in case only.
    fn name_as_wanted(&self, wanted: Option<&Name>, name: &str) -> Name {
        match wanted.and_then(Name::literal) {
            Some(wanted) if wanted.eq_ignore_ascii_case(name) => Name::Literal(wanted.to_owned()),
            _ => Name::Literal(name.to_owned()),
        }
    }

    /// Records what every resource has: its id, its owner, its ETag, whether it is being written, how it looks.
    fn note(&mut self, address: Address, resource: &Value, owner: Owner, answers: &Answers) {
        let given = text(resource, "/id");
        let etag = answers.etags.iter().find(|(of, _)| id::same(of, given)).map(|(_, etag)| etag.as_str());
        if let Some(etag) = etag.or_else(|| resource.get("etag").and_then(Value::as_str)) {
            self.live.etags.insert(address.clone(), etag.to_owned());
        }
        self.note_busy(&address, resource);
        if let Some(body) = without_secrets(&address, resource) {
            self.live.bodies.insert(address.clone(), body);
        }
        self.live.owners.insert(address.clone(), owner);
        self.live.ids.insert(address, given.to_owned());
    }

    /// The same of a service or an account; of one that the spec calls existing nothing is recorded but that it is
    /// being written: it is nothing that could be changed or deleted.
    fn note_own(&mut self, standing: Standing, address: Address, resource: &Value, answers: &Answers) {
        match standing {
            Standing::Managed => self.note(address, resource, tagged(resource, &self.stack), answers),
            Standing::Existing => self.note_busy(&address, resource),
        }
    }

    fn note_busy(&mut self, address: &Address, resource: &Value) {
        if operation::running(resource) {
            let word = text(resource, "/properties/provisioningState").to_owned();
            self.live.busy.insert(address.clone(), word);
        }
    }

    fn not_understood(&mut self, address: &Address, what: String) {
        self.problems.push(
            Diagnostic::new(code::NOT_UNDERSTOOD, format!("{what}, which this program does not know"))
                .at(address.key())
                .help("choose another name in the spec, or change what is there"),
        );
    }
}

/// A body without what nobody but its reader is to know.
fn without_secrets(address: &Address, resource: &Value) -> Option<Value> {
    if matches!(address, Address::NamedValue(_)) {
        return None;
    }
    let mut body = resource.clone();
    if let Some(Value::Object(properties)) = body.get_mut("properties") {
        properties.retain(|name, _| !SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name)));
    }
    Some(body)
}

/// What Application Insights and loggers show to whoever may read them.
const SECRETS: [&str; 3] = ["ConnectionString", "InstrumentationKey", "credentials"];

/// A running template deployment of the stack.
fn running(answers: &Answers) -> Option<(String, Option<String>)> {
    let deployment = answers.deployment.as_ref()?;
    if !operation::running(deployment) {
        return None;
    }
    let hash = tag(deployment, super::request::HASH_TAG).map(str::to_owned);
    Some((text(deployment, "/name").to_owned(), hash))
}

/// The key of a live thing: the spec's, where the spec names it.
fn keyed<T>(wanted: &BTreeMap<Key, T>, name_of: impl Fn(&Key, &T) -> Option<String>, name: &str) -> Key {
    let named = |(key, thing): &(&Key, &T)| name_of(key, thing).is_some_and(|n| n.eq_ignore_ascii_case(name));
    match wanted.iter().find(named) {
        Some((key, _)) => key.clone(),
        None if wanted.contains_key(name) => format!("/{name}"),
        None => name.to_owned(),
    }
}

/// Who a resource belongs to, by its tag.
fn tagged(resource: &Value, stack: &str) -> Owner {
    owner(tag(resource, defaults::STACK_TAG), stack)
}

/// Who a resource belongs to, by the last line of its description.
fn marked(description: &str, stack: &str) -> Owner {
    let last = description.trim_end().lines().next_back().unwrap_or_default().trim();
    let marker = last.strip_prefix(defaults::MARKER);
    owner(marker.and_then(|rest| rest.split_whitespace().next()), stack)
}

fn owner(found: Option<&str>, stack: &str) -> Owner {
    match found.map(str::trim) {
        Some(found) if found == stack => Owner::Ours,
        Some(other) if !other.is_empty() => Owner::Stack(other.to_owned()),
        _ => Owner::Foreign,
    }
}

/// A tag by name; names of tags have no case.
fn tag<'a>(resource: &'a Value, name: &str) -> Option<&'a str> {
    let tags = resource.get("tags")?.as_object()?;
    tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_str())
}

fn account_kind(text: &str) -> Option<AccountKind> {
    [AccountKind::OpenAI, AccountKind::AIServices].into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> u32 {
    value.pointer(pointer).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or_default()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests;
