//! From a topology to its resource graph: [`Build`] goes through the topology once, one file a concern, and each step
//! names what the steps before it have noted.

mod accounts;
mod apis;
mod backends;
mod gateway;
mod inputs;
mod observe;
mod order;
mod outputs;
mod pin;
mod products;
mod split;

use super::symbols::Symbols;
use super::{Body, Presence, Resource, Template, Value};
use crate::catalogue;
use crate::topology::*;
use accounts::Named;
use inputs::{parameters, variables};
use std::collections::BTreeMap;

/// The floor for API Management; it has everything that a pool needs (facts/apim.md 1.1).
const API_MANAGEMENT: &str = "2024-05-01";
/// The floor for Azure OpenAI.
const COGNITIVE_SERVICES: &str = "2024-10-01";
const AUTHORIZATION: &str = "2022-04-01";
const NETWORK: &str = "2024-05-01";

const SERVICE: &str = "Microsoft.ApiManagement/service";
const ACCOUNT: &str = "Microsoft.CognitiveServices/accounts";
const DEPLOYMENTS: &str = "Microsoft.CognitiveServices/accounts/deployments";

/// The symbol of the API Management service: every child of it has this parent.
const GATEWAY: &str = "gateway";

/// Names that no resource may take: parameters, variables, and the functions that a bare prefix would hide.
const RESERVED: [&str; 21] = [
    "location",
    "gatewayName",
    "gatewaySku",
    "gatewayCapacity",
    "publisherName",
    "publisherEmail",
    "accountLocations",
    "tags",
    "unique",
    "stack",
    "stackTags",
    "openAIUser",
    "logRetentionDays",
    "appInsightsId",
    GATEWAY,
    split::MODULE,
    split::ENDPOINTS,
    "identity",
    "deployment",
    "subscription",
    "union",
];

/// The graph of everything in a topology.
///
/// What a topology names but does not have is left out: a spec's topology has none of it. Without a gateway there are
/// the accounts alone.
pub fn graph(topology: &Topology) -> Template {
    let mut build = Build {
        topology,
        symbols: Symbols::new(&RESERVED),
        accounts: BTreeMap::new(),
        deployments: BTreeMap::new(),
        named_values: BTreeMap::new(),
        backends: BTreeMap::new(),
        pools: BTreeMap::new(),
        apis: BTreeMap::new(),
        products: BTreeMap::new(),
        template: Template { parameters: parameters(topology), variables: variables(topology), ..Template::default() },
    };
    build.accounts();
    if let Some(gateway) = &topology.gateway {
        build.identity(gateway);
        build.gateway(gateway);
        build.roles(gateway);
        build.named_values(gateway);
        build.backends();
        build.pools();
        build.apis();
        build.products();
        build.subscriptions();
        build.observability();
    }
    build.outputs();
    build.observed_outputs();
    let mut template = split::gateway(build);
    order::reduce(&mut template);
    pin::versions(&mut template, &topology.api_versions);
    template.prune();
    template
}

pub(super) use pin::problems as pins;

/// A graph that is being built. Every map holds symbols; a step that needs what another has made finds it there.
struct Build<'a> {
    topology: &'a Topology,
    /// Identifiers that are taken.
    symbols: Symbols,
    /// Accounts by key; [`Build::of_account`] gives what others need of one.
    accounts: BTreeMap<&'a str, Named>,
    /// Model deployments that this template itself writes, by keys of account and deployment.
    deployments: BTreeMap<(&'a str, &'a str), String>,
    /// Named values by key.
    named_values: BTreeMap<&'a str, String>,
    /// Single backends by key.
    backends: BTreeMap<&'a str, String>,
    /// Pools that stand in Azure, by key.
    pools: BTreeMap<&'a str, String>,
    /// APIs by key.
    apis: BTreeMap<&'a str, String>,
    /// Products by key.
    products: BTreeMap<&'a str, String>,
    /// What is there so far.
    template: Template,
}

impl Build<'_> {
    fn add(&mut self, resource: Resource) {
        self.template.resources.push(resource);
    }
}

/// A resource with nothing but its identity.
fn resource(address: Address, symbol: &str, kind: &'static str, version: &'static str) -> Resource {
    Resource {
        address: Some(address),
        symbol: symbol.to_owned(),
        presence: Presence::Written,
        comment: None,
        kind,
        version,
        parent: None,
        scope: None,
        place: Place::default(),
        name: "".into(),
        body: Body::new(),
        depends_on: Vec::new(),
    }
}

/// The api-version for a resource with these properties: the floor, unless one of them is younger.
fn version(kind: &'static str, floor: &'static str, properties: &Value) -> &'static str {
    catalogue::version_with(kind, floor, |path| uses(properties, path))
}

/// Whether a value has something at a path, `pool.services[].weight`.
fn uses(value: &Value, path: &str) -> bool {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let Value::Object(members) = value else { return false };
    let name = first.strip_suffix("[]").unwrap_or(first);
    let Some((_, found)) = members.iter().find(|(member, _)| member.eq_ignore_ascii_case(name)) else { return false };
    match (found, rest) {
        (_, "") => true,
        (Value::Array(items), rest) => items.iter().any(|item| uses(item, rest)),
        (found, rest) => uses(found, rest),
    }
}
