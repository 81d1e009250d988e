//! The resources of a template as a topology, in the way that live state is one.

use super::evaluate::{self, Found, Template, last};
use super::routing::Routing;
use super::{Options, host_and_path, stack_name, stem};
use crate::diagnostic::{Code, Diagnostic, Span, code};
use crate::spec::{Draft, Roles};
use crate::template::lint::json::{Json, Node};
use crate::topology::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The types that are read, or that follow from what is read; others are named.
const SERVICE: &str = "microsoft.apimanagement/service";
pub(super) const ACCOUNTS: &str = "microsoft.cognitiveservices/accounts";
pub(super) const DEPLOYMENTS: &str = "microsoft.cognitiveservices/accounts/deployments";
const ROLES: &str = "microsoft.authorization/roleassignments";
pub(super) const ENDPOINTS: &str = "microsoft.network/privateendpoints";
pub(super) const ZONES: &str = "microsoft.network/privateendpoints/privatednszonegroups";
const IDENTITIES: &str = "microsoft.managedidentity/userassignedidentities";

/// Made along the way, or by the spec itself.
const SILENT: [&str; 4] = [
    "microsoft.resources/resourcegroups",
    "microsoft.authorization/roledefinitions",
    "microsoft.apimanagement/service/products/apis",
    "microsoft.apimanagement/service/products/apilinks",
];

/// Reads a template.
pub(super) fn read(text: &str, options: &Options<'_>) -> Result<(Draft, Vec<Diagnostic>), Diagnostic> {
    let root = super::json(text).ok_or_else(|| unreadable(text))?;
    let has_resources =
        root.get("resources").is_some_and(|node| matches!(node.value, Json::Array(_) | Json::Object(_)));
    if !has_resources {
        let problem = Diagnostic::new(code::NOT_IMPORTABLE, "the JSON is no ARM template: it has no `resources`");
        return Err(problem.span(Span { start: 0, end: 1 }).help("name the template that `bicep build` writes"));
    }
    let (found, template) = evaluate::resources(&root, options);
    let known = |found: &&Found<'_>| found.kind.starts_with(SERVICE) || found.kind.starts_with(ACCOUNTS);
    if !found.iter().any(|found| known(&found)) {
        let message = "the template has neither an API Management service nor an Azure OpenAI account";
        let problem = Diagnostic::new(code::NOT_IMPORTABLE, message).span(root.key("resources").unwrap_or_default());
        return Err(problem.help("name the template that makes them"));
    }
    let mut reading = Reading::new(&found, &template, text, options);
    reading.unknown_parameters(&root);
    reading.gateway();
    reading.accounts();
    reading.private_endpoints();
    Routing::new(&mut reading).read();
    reading.roles();
    let observed = reading.observability();
    reading.rest(&observed);
    Ok(reading.done())
}

fn unreadable(text: &str) -> Diagnostic {
    let why = serde_json::from_str::<Value>(text).err().map_or("it is nested too deep".into(), |why| why.to_string());
    let problem = Diagnostic::new(code::NOT_IMPORTABLE, format!("the text is no JSON: {why}"));
    problem.span(Span { start: 0, end: 1 }).help("name the template that `bicep build` writes")
}

/// A topology while it is being read.
pub(super) struct Reading<'r, 'a> {
    pub found: &'r [Found<'a>],
    pub template: &'r Template<'a>,
    pub source: &'r str,
    options: &'r Options<'r>,
    pub topology: Topology,
    /// The stack's name and the 13 characters of its names, where the template is ours.
    pub ours: Option<(String, String)>,
    /// Accounts by the host that they answer at.
    pub hosts: BTreeMap<String, Key>,
    pub mixed: BTreeSet<Key>,
    roles: Roles,
    needed: BTreeMap<Key, Role>,
    tier_known: bool,
    pub out: Vec<Diagnostic>,
}

impl<'r, 'a> Reading<'r, 'a> {
    fn new(
        found: &'r [Found<'a>],
        template: &'r Template<'a>,
        source: &'r str,
        options: &'r Options<'r>,
    ) -> Reading<'r, 'a> {
        let ours = found.iter().find_map(marked).and_then(|id| {
            let (name, unique) = id.rsplit_once('/')?;
            Some((name.to_owned(), unique.to_owned()))
        });
        let service = found.iter().find(|found| found.kind == SERVICE);
        let service_name = service.filter(|found| found.name == found.other).map(|found| found.own());
        let name = match &ours {
            Some((name, _)) => name.clone(),
            None => stack_name(service_name.unwrap_or_else(|| stem(options.file))),
        };
        let place = service.or(found.first()).map(|found| &found.place);
        let group = place.and_then(|place| place.group.clone()).filter(|group| template.reason(group).is_none());
        let group = options.resource_group.map(str::to_owned).or(group);
        let scope = Scope {
            subscription: options.subscription.map(str::to_lowercase),
            resource_group: group.unwrap_or_default(),
            location: Location::unknown(),
        };
        Reading {
            found,
            template,
            source,
            options,
            topology: Topology::new(Stack { name, environment: String::new() }, scope),
            ours,
            hosts: BTreeMap::new(),
            mixed: BTreeSet::new(),
            roles: Roles::Manage,
            needed: BTreeMap::new(),
            tier_known: true,
            out: Vec::new(),
        }
    }

    pub fn is_ours(&self) -> bool {
        self.ours.is_some()
    }

    /// What stands before the names that the spec makes on a gateway that others use too.
    pub fn prefix(&self) -> String {
        match &self.topology.gateway {
            Some(gateway) if gateway.standing == Standing::Existing => format!("{}-", self.topology.stack.name),
            _ => String::new(),
        }
    }

    /// The key of something in the gateway.
    pub fn key(&self, name: &str) -> Key {
        let name = Template::shown(name);
        let stripped = name.strip_prefix(&self.prefix()).filter(|rest| self.is_ours() && !rest.is_empty());
        match stripped.unwrap_or(&name) {
            "" => "unnamed".to_owned(),
            key => key.to_owned(),
        }
    }

    pub fn of(&self, kind: &str) -> Vec<&'r Found<'a>> {
        let kind = format!("{SERVICE}/{kind}");
        self.found.iter().filter(|found| found.kind == kind && !found.existing).collect()
    }

    pub fn tell(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.out.push(Diagnostic::new(code, message).span(span).help(help));
    }

    /// A text of a resource that is known; says so where it is not.
    pub fn text(&mut self, found: &Found<'_>, pointer: &str) -> Option<String> {
        let value = found.body.pointer(pointer)?;
        let text = value.as_str()?;
        if let Some(reason) = self.unknown(value, found.other_body.pointer(pointer)) {
            self.not_known(found, pointer, &reason);
            return None;
        }
        Some(text.to_owned())
    }

    /// Why a value is not known: something in it is not, or the two evaluations differ.
    fn unknown(&self, value: &Value, other: Option<&Value>) -> Option<String> {
        let differs = other.is_some_and(|other| !other.is_null() && other != value);
        unknown_in(value, self.template)
            .or_else(|| differs.then(|| "it is made in Azure, from the resource group".into()))
    }

    /// A number of a resource that is known.
    pub fn number(&mut self, found: &Found<'_>, pointer: &str) -> Option<u32> {
        let value = found.body.pointer(pointer)?;
        if let Some(reason) = value.as_str().and_then(|text| self.template.reason(text)) {
            self.not_known(found, pointer, &reason);
        }
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
        u32::try_from(number).ok()
    }

    fn not_known(&mut self, found: &Found<'_>, pointer: &str, reason: &str) {
        let what = pointer.trim_start_matches('/').replace('/', ".");
        let message = format!("`{what}` of `{}` is not known: {reason}", self.base(found));
        let help = match reason {
            reason if reason.contains("parameter") => "give it in a file with `--parameters`, or fill it in",
            reason if reason.contains("the region") => "give it with `--location`, or fill it in",
            _ => "fill it in",
        };
        self.tell(code::NOT_KNOWN, place(found.node, pointer), message, help);
    }

    /// Parameters that are given and that the template does not have.
    fn unknown_parameters(&mut self, root: &Node) {
        for name in self.options.parameters.keys() {
            if root.get("parameters").and_then(|all| all.get(name)).is_none() {
                let message = format!("the template has no parameter `{name}`");
                let span = root.key("parameters").unwrap_or_default();
                self.tell(code::NOT_CARRIED_OVER, span, message, "check the file with the parameters");
            }
        }
    }

    fn gateway(&mut self) {
        let mut services = self.found.iter().filter(|found| found.kind == SERVICE);
        let service = services.clone().find(|found| !found.existing).or_else(|| services.next());
        // ours puts the stack's name before every name on a service that others use too
        let shared = self.ours.as_ref().is_some_and(|(stack, _)| {
            let probe = format!("{stack}-{}", defaults::PROBE);
            self.of("subscriptions").iter().any(|found| found.own() == probe)
        });
        let Some(found) = service.filter(|found| !found.existing && !shared) else {
            return self.existing_gateway(service);
        };
        let location = self.text(found, "/location").map_or(Location::unknown(), |text| Location::new(&text));
        let sku = self.text(found, "/sku/name");
        let known = sku.as_deref().and_then(GatewaySku::parse);
        if let (Some(sku), None) = (&sku, known) {
            let help = "choose a tier: `gateway.sku`";
            let message = format!("the tier `{sku}` of the service is none that a spec can say");
            self.tell(code::NOT_CARRIED_OVER, place(found.node, "/sku/name"), message, help);
        }
        let publisher = Publisher {
            name: self.text(found, "/properties/publisherName").unwrap_or_default(),
            email: self.text(found, "/properties/publisherEmail").unwrap_or_default(),
        };
        let identity = self.identity(found);
        let mut gateway = Gateway::new(self.name(found, "apim-"), location.clone(), publisher);
        gateway.sku = known.unwrap_or(defaults::GATEWAY_SKU);
        gateway.capacity = if gateway.sku == GatewaySku::Consumption { 0 } else { 1 };
        if let Some(capacity) = self.number(found, "/sku/capacity") {
            gateway.capacity = if gateway.sku == GatewaySku::Consumption { 0 } else { capacity };
        }
        gateway.identity = identity;
        let subnet = "/properties/virtualNetworkConfiguration/subnetResourceId";
        gateway.network = self.text(found, subnet).map(|subnet| GatewayNetwork {
            subnet,
            mode: match found.body.pointer("/properties/virtualNetworkType").and_then(Value::as_str) {
                Some("Internal") => NetworkMode::Internal,
                _ => NetworkMode::External,
            },
        });
        const OWN: [&str; 4] = ["publisherName", "publisherEmail", "virtualNetworkType", "virtualNetworkConfiguration"];
        gateway.properties = self.properties(found, &OWN);
        self.topology.scope.location = location;
        self.topology.gateway = Some(gateway);
        self.topology.tags = self.tags(found);
    }

    /// Only what stands in the service is in the template.
    fn existing_gateway(&mut self, service: Option<&Found<'_>>) {
        let child = self.found.iter().find(|found| found.kind.starts_with("microsoft.apimanagement/service/"));
        let Some(found) = service.or(child) else { return };
        let first = |name: &str| Value::from(name.split('/').next().unwrap_or_default());
        let full = first(&found.name);
        let unknown = self.unknown(&full, Some(&first(&found.other)));
        let name = full.as_str().filter(|_| unknown.is_none()).unwrap_or_default().to_owned();
        if let Some(reason) = unknown {
            let span = place(found.node, "/name");
            let message = format!("the name of the existing service is not known: {reason}");
            self.tell(code::NOT_KNOWN, span, message, "fill in `gateway.existing.name`");
        }
        let publisher = Publisher { name: String::new(), email: String::new() };
        let mut gateway = Gateway::new(Name::Literal(name), Location::unknown(), publisher);
        gateway.standing = Standing::Existing;
        let sku = found.body.pointer("/sku/name").and_then(Value::as_str).and_then(GatewaySku::parse);
        self.tier_known = sku.is_some();
        gateway.place = self.placed(&found.place);
        gateway.sku = sku.unwrap_or(gateway.sku);
        self.topology.gateway = Some(gateway);
        if !self.is_ours() {
            let message = format!("on an existing service the names of a spec begin with `{}`", self.prefix());
            let help = "expect `plan` to make backends and APIs of new names, beside those of the template";
            self.tell(code::CHANGED, place(found.node, "/name"), message, help);
        }
    }

    /// Where something stands, if not with the stack.
    pub fn placed(&self, at: &evaluate::Place) -> Place {
        let own = &self.topology.scope.resource_group;
        let group = at.group.clone().filter(|group| self.template.reason(group).is_none());
        Place {
            subscription: self.template.other_subscription(at),
            resource_group: group.filter(|group| !own.is_empty() && !group.eq_ignore_ascii_case(own)),
        }
    }

    /// A name as it stands, or, where it is made in Azure, left out.
    pub fn name(&mut self, found: &Found<'_>, prefix: &str) -> Name {
        let name = found.own();
        let other = last(&found.other);
        if let Some((_, unique)) = &self.ours
            && name.strip_suffix(unique.as_str()).is_some_and(|rest| rest == prefix)
        {
            return Name::Unique(prefix.to_owned());
        }
        if name == other && self.template.reason(name).is_none() {
            return Name::Literal(name.to_owned());
        }
        let why = match self.template.reason(name) {
            Some(reason) => format!("is not known: {reason}"),
            None => "is made in Azure, from the resource group".to_owned(),
        };
        let span = place(found.node, "/name");
        let message = format!("the name of `{}` {why}", self.base(found));
        let note = "left out, a name is a prefix and 13 characters that follow from the resource group";
        let help = "give `--subscription` and `--resource-group` to keep the name, or set `name`";
        self.out.push(Diagnostic::new(code::NAME_LEFT_OUT, message).span(span).help(help).note(note));
        Name::Unique(prefix.to_owned())
    }

    /// What of a name does not change with where it is deployed.
    pub fn base(&self, found: &Found<'_>) -> String {
        let (name, other) = (found.own(), last(&found.other));
        if name == other {
            return Template::shown(name);
        }
        let same = name.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
        let end = name.chars().rev().zip(other.chars().rev()).take_while(|(a, b)| a == b).count();
        let chars: Vec<char> = name.chars().collect();
        let end = end.min(chars.len() - same);
        let kept: String = chars[..same].iter().chain(&chars[chars.len() - end..]).collect();
        let parts = kept.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
        let kept = parts.collect::<Vec<_>>().join("-");
        if kept.is_empty() { found.kind.rsplit('/').next().unwrap_or_default().to_owned() } else { kept }
    }

    fn identity(&mut self, found: &Found<'_>) -> Identity {
        let users = found.body.pointer("/identity/userAssignedIdentities").and_then(Value::as_object);
        let Some(id) = users.and_then(|users| users.keys().next()) else {
            let word = found.body.pointer("/identity/type").and_then(Value::as_str).unwrap_or_default();
            if !word.to_ascii_lowercase().contains("systemassigned") {
                let message = "the service has no identity in the template; with a spec it has its own";
                self.tell(code::CHANGED, place(found.node, "/identity"), message, "expect `plan` to add it");
            }
            return Identity::System;
        };
        let made = self
            .found
            .iter()
            .find(|other| other.kind == IDENTITIES && !other.existing && last(id).eq_ignore_ascii_case(other.own()));
        match (made, self.template.reason(id)) {
            (Some(identity), None) if identity.name == identity.other => Identity::Managed(identity.own().to_owned()),
            (None, None) if id.starts_with('/') && self.options.subscription.is_some() => {
                Identity::Existing(id.clone())
            }
            (made, _) => {
                let message = "the name of the service's identity is not known";
                let help = "set `gateway.identity: { user: NAME }` to keep it";
                let node = made.map_or(found.node, |made| made.node);
                self.tell(code::NAME_LEFT_OUT, place(node, "/name"), message, help);
                Identity::Managed(format!("id-{}", self.topology.stack.name))
            }
        }
    }

    fn tags(&mut self, found: &Found<'_>) -> BTreeMap<String, String> {
        let mut tags = BTreeMap::new();
        for (name, value) in found.body.get("tags").and_then(Value::as_object).into_iter().flatten() {
            let Some(text) = value.as_str().filter(|_| name != defaults::STACK_TAG) else { continue };
            let other = found.other_body.get("tags").and_then(|tags| tags.get(name));
            match self.unknown(value, other) {
                Some(reason) => self.not_known(found, &format!("/tags/{name}"), &reason),
                None => drop(tags.insert(name.clone(), text.to_owned())),
            }
        }
        tags
    }

    /// Properties that a spec sends as they stand.
    pub fn properties(&mut self, found: &Found<'_>, own: &[&str]) -> Properties {
        let mut properties = Properties::new();
        for (name, value) in found.body.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if value.is_null() || own.iter().any(|own| own.eq_ignore_ascii_case(name)) {
                continue;
            }
            let other = found.other_body.get("properties").and_then(|properties| properties.get(name));
            match self.unknown(value, other) {
                Some(reason) => self.not_known(found, &format!("/properties/{name}"), &reason),
                None => drop(properties.insert(name.clone(), value.clone())),
            }
        }
        properties
    }

    fn roles(&mut self) {
        let mut any = false;
        for found in self.found.iter().filter(|found| found.kind == ROLES) {
            let id = found.body.pointer("/properties/roleDefinitionId").and_then(Value::as_str).unwrap_or_default();
            let Some(role) = Role::parse(last(id)) else { continue };
            any = true;
            let scope = last(found.scope.trim_end_matches('/')).to_lowercase();
            if let Some(key) = self.hosts.get(&format!("{scope}.openai.azure.com")) {
                self.needed.insert(key.clone(), role);
            }
        }
        if !any && !self.topology.accounts.is_empty() {
            self.roles = Roles::Check;
            let message = "the template gives the gateway's identity no role, so `roles` is `check`";
            let help = "set `roles: manage` to have the stack assign them";
            self.tell(code::CHANGED, Span { start: 0, end: 1 }, message, help);
        }
    }

    /// What no spec says, by type.
    fn rest(&mut self, observed: &[&str]) {
        const READ: [&str; 9] = [
            "/apis",
            "/apis/operations",
            "/apis/policies",
            "/apis/operations/policies",
            "/backends",
            "/products",
            "/products/policies",
            "/subscriptions",
            "/namedvalues",
        ];
        let mut others: BTreeMap<&str, Vec<&Found<'a>>> = BTreeMap::new();
        for found in self.found.iter().filter(|found| !found.existing) {
            let read =
                [SERVICE, ACCOUNTS, DEPLOYMENTS, ROLES, ENDPOINTS, ZONES, IDENTITIES].contains(&found.kind.as_str());
            let child = found.kind.strip_prefix(SERVICE).is_some_and(|kind| READ.contains(&kind));
            if let Some(reason) = found.condition.as_ref().filter(|_| read || child) {
                let message = format!("whether `{}` is made is not known: {reason}", Template::shown(found.own()));
                let span = place(found.node, "/condition");
                self.out.push(Diagnostic::new(code::NOT_KNOWN, message).span(span).help("take it out if it is not"));
            }
            let silent = SILENT.iter().chain(observed).any(|kind| *kind == found.kind);
            if !(read || child || silent) {
                others.entry(&found.kind).or_default().push(found);
            }
        }
        for (kind, all) in others {
            let names: Vec<String> =
                all.iter().take(5).map(|found| format!("`{}`", Template::shown(found.own()))).collect();
            let more = all.len() - names.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let written = all[0].node.get("type").and_then(Node::text).unwrap_or(kind);
            let message = format!("{written} is not carried over: {}{more}", names.join(", "));
            let help = if kind.contains("insights") || kind.contains("loggers") || kind.contains("diagnostics") {
                "see `observability` in the spec"
            } else {
                "keep it in a template of its own"
            };
            self.tell(code::NOT_CARRIED_OVER, place(all[0].node, "/type"), message, help);
        }
    }

    fn done(mut self) -> (Draft, Vec<Diagnostic>) {
        if !self.topology.scope.location.is_known()
            && let Some(location) = self.options.location
        {
            self.topology.scope.location = Location::new(location);
        }
        let comment = vec![
            format!("Made by `aoai-lb import` from {}.", super::named(self.options.file)),
            "What is not here was not carried over: the command said what.".to_owned(),
        ];
        let draft = Draft {
            topology: self.topology,
            roles: self.roles,
            needed: self.needed,
            tier_known: self.tier_known,
            mixed: self.mixed,
            comment,
        };
        (draft, self.out)
    }
}

/// The id of the stack that wrote a resource, where it is ours.
fn marked(found: &Found<'_>) -> Option<String> {
    let tags = found.body.get("tags").and_then(Value::as_object);
    if let Some(id) = tags.and_then(|tags| tags.get(defaults::STACK_TAG)).and_then(Value::as_str) {
        return Some(id.to_owned());
    }
    let description = found.body.pointer("/properties/description").and_then(Value::as_str)?;
    description.lines().next_back()?.trim().strip_prefix(defaults::MARKER).map(str::to_owned)
}

/// Why something in a value is not known.
fn unknown_in(value: &Value, template: &Template<'_>) -> Option<String> {
    match value {
        Value::String(text) => template.reason(text),
        Value::Array(items) => items.iter().find_map(|item| unknown_in(item, template)),
        Value::Object(members) => {
            members.iter().find_map(|(key, item)| template.reason(key).or_else(|| unknown_in(item, template)))
        }
        _ => None,
    }
}

/// Where a property stands, or what is around it.
pub(super) fn place(node: &Node, pointer: &str) -> Span {
    let mut found = node;
    let mut last_key = node.key("name").unwrap_or(Span { start: node.span.start, end: node.span.start + 1 });
    for part in pointer.split('/').skip(1) {
        let next = match part.parse::<usize>() {
            Ok(index) => found.items().get(index),
            Err(_) => {
                if let Some(key) = found.key(part) {
                    last_key = key;
                }
                found.get(part)
            }
        };
        match next {
            Some(node) => found = node,
            None => break,
        }
    }
    match found.value {
        Json::Object(_) | Json::Array(_) => last_key,
        _ => found.span,
    }
}

/// What an address calls.
pub(super) fn target_of(path: &str) -> Option<&str> {
    let lower = path.to_ascii_lowercase();
    let at = lower.find("openai/deployments/")?;
    Some(path[at + "openai/deployments/".len()..].split('/').next().unwrap_or_default())
}

/// Host and path of the backend's address.
pub(super) fn split(url: &str) -> (String, String) {
    host_and_path(url)
}
