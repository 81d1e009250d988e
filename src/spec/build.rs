//! The spec as written becomes a [`Topology`]: defaults are filled in, names decided.
//!
//! Total: it builds whatever the schema allows, dangling references included, for [`super::rules`] judges those. Only
//! what a topology cannot hold is reported here: two ways to say one thing, a part of one that is missing, breakers by
//! name, files that cannot be read.

mod accounts;
mod apis;
mod observe;
mod routing;

pub use routing::backend_key;

use super::model::{self, Either, Existing, Length, Map, Spec, Word};
use super::yaml::join;
use super::{Management, Roles, Rotation, Simulation, formats, suggest};
use crate::diagnostic::{Diagnostic, code};
use crate::time::Duration;
use crate::topology::{
    Gateway, GatewayNetwork, GatewaySku, Holds, Identity, Key, Location, Name, NamedValue, Place, Publisher, Scope,
    Stack, Standing, Topology, defaults,
};
use std::collections::{BTreeMap, BTreeSet};

/// What stands in `breaker` for a backend without one.
pub const NO_BREAKER: &str = "none";

/// The key of the API and of the subscription that are made where none is written.
const API: &str = "openai";
const SUBSCRIPTION: &str = "default";

/// The types of a gateway and of an account, as ids of existing ones name them.
const SERVICE: &str = "Microsoft.ApiManagement/service";
const ACCOUNT: &str = "Microsoft.CognitiveServices/accounts";

/// The key of the named value that holds the client id of the gateway's identity.
pub const CLIENT_ID: &str = "identity-client-id";

/// Topology and simulation of a spec, with the keys that it makes and where each comes from.
pub struct Built {
    pub topology: Topology,
    pub simulation: Simulation,
    pub management: Management,
    pub silence: Map<String>,
    /// Keys of pools whose members may differ in their models.
    pub mixed: BTreeSet<Key>,
    pub origins: Vec<(String, String)>,
}

/// What every part of the spec is built with.
struct Site<'a> {
    /// Reads a file beside the spec.
    files: &'a dyn Fn(&str) -> Result<String, String>,
    /// What stands before the names that are left out: the stack's name and a hyphen on a gateway that others use too.
    prefix: String,
    /// The gateway's tier.
    sku: GatewaySku,
}

impl Site<'_> {
    /// The name in the gateway of something whose name is left out.
    fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

/// Builds the topology of a spec in an environment.
pub fn build(
    mut spec: Spec,
    environment: Option<&str>,
    files: &dyn Fn(&str) -> Result<String, String>,
    out: &mut Vec<Diagnostic>,
) -> Built {
    let mut origins = super::short::lengthen(&mut spec, out);
    let stack = Stack { name: spec.name, environment: environment.unwrap_or_default().into() };
    let scope = Scope {
        subscription: spec.azure.subscription.map(|id| id.to_lowercase()),
        resource_group: spec.azure.resource_group,
        location: Location::new(&spec.azure.location),
    };
    let tier_known = spec.gateway.sku.is_some() || spec.gateway.existing.is_none();
    let gateway = gateway(spec.gateway, &stack, &scope, out);
    let prefix = match gateway.standing {
        Standing::Managed => String::new(),
        Standing::Existing => format!("{}-", stack.name),
    };
    let site = Site { files, prefix, sku: gateway.sku };
    let accounts = accounts::accounts(spec.accounts.unwrap_or_default(), &scope, out);
    let apis = spec.apis.unwrap_or_else(|| {
        origins.push((join("apis", API), "pools".into()));
        origins.push((join("apis", API), "models".into()));
        Map::from([(API.into(), model::Api::default())])
    });
    let pools = routing::pools(spec.pools.unwrap_or_default(), &apis, &site);
    let breakers = routing::breakers(spec.breakers.unwrap_or_default(), gateway.sku, out);
    let within = routing::Within { accounts: &accounts.all, breakers: &breakers, pools: &pools.all, site: &site };
    let mut backends = match spec.backends {
        Some(written) => routing::backends(written, &within, out),
        None => routing::backends_of_deployments(&within, &mut origins, out),
    };
    let mut named_values = backends.named_values;
    if gateway.identity != Identity::System {
        let name = site.name(CLIENT_ID);
        named_values.insert(CLIENT_ID.into(), NamedValue { name, holds: Holds::ClientId });
    }
    let mut all_pools = pools.all;
    routing::twins(&apis, &mut all_pools, &mut backends.all, &site, &mut origins, out);
    let observability = spec.observability.map(|written| observe::observability(written, out));
    let (metrics, observability) = observability.unwrap_or_default();
    let around = apis::Around {
        pools: &all_pools,
        backends: &backends.all,
        named_values: &named_values,
        metrics: metrics.as_ref(),
        probe: site.name(defaults::PROBE),
        site: &site,
    };
    let apis: BTreeMap<_, _> =
        apis.into_iter().map(|(key, written)| (key.clone(), apis::api(&key, written, &around, out))).collect();
    let products = apis::products(spec.products.unwrap_or_default(), &site);
    let needed = accounts::needed(&accounts, &backends.all);
    let roles = spec.roles.map_or(Roles::Manage, |Word(roles)| roles);
    let topology = Topology {
        grants: if roles == Roles::Manage { needed.clone() } else { BTreeMap::new() },
        needs: if roles == Roles::Manage { BTreeMap::new() } else { needed.clone() },
        subscriptions: apis::subscriptions(spec.subscriptions, &apis, &products, &site, out),
        tags: spec.azure.tags.unwrap_or_default(),
        api_versions: spec.azure.api_versions.unwrap_or_default(),
        gateway: Some(gateway),
        stack,
        scope,
        accounts: accounts.all,
        named_values,
        backends: backends.all,
        pools: all_pools,
        apis,
        products,
        observability,
    };
    let simulation = spec.simulation.unwrap_or_default();
    let protect = spec.protect.unwrap_or_else(|| vec!["gateway".into(), "accounts".into()]);
    Built {
        topology,
        simulation: Simulation {
            instances: simulation.instances.unwrap_or(1),
            rotation: simulation.rotation.map_or(Rotation::Smooth, |Word(rotation)| rotation),
            quotas: backends.quotas,
        },
        management: Management {
            roles,
            needed,
            ignore_changes: spec.ignore_changes.unwrap_or_default(),
            protect,
            tier_known,
        },
        silence: spec.silence.unwrap_or_default(),
        mixed: pools.mixed,
        origins,
    }
}

fn gateway(written: model::Gateway, stack: &Stack, scope: &Scope, out: &mut Vec<Diagnostic>) -> Gateway {
    let sku = written.sku.map_or(defaults::GATEWAY_SKU, |Word(sku)| sku);
    let found = written.existing.map(|existing| self::existing(existing, SERVICE, "gateway.existing", scope, out));
    let standing = if found.is_some() { Standing::Existing } else { Standing::Managed };
    if written.name.is_some() && found.is_some() {
        out.push(two_ways("gateway.name", "the gateway has a name and is an existing one", "`existing`"));
    }
    let parts = [("capacity", written.capacity.is_some()), ("publisher", written.publisher.is_some())];
    for (part, _) in parts.into_iter().filter(|(_, used)| *used && found.is_some()) {
        let problem = Diagnostic::new(code::TWO_WAYS, "the service is an existing one, and never written");
        out.push(problem.at(join("gateway", part)).help("take this out, and set it where the service is made"));
    }
    if written.publisher.is_none() && found.is_none() {
        let problem = Diagnostic::new(code::MISSING_KEY, "`gateway` has no `publisher`").at("gateway.publisher");
        out.push(problem.help("add `publisher: { email: ADDRESS }`, an address that is read: Azure writes to it"));
    }
    let (name, place) = found.unwrap_or_else(|| {
        (written.name.map_or_else(|| Name::Unique("apim-".into()), Name::Literal), Place::default())
    });
    let (publisher, email) = written.publisher.map_or((None, None), |written| (written.name, Some(written.email)));
    Gateway {
        name,
        place,
        standing,
        location: scope.location.clone(),
        sku,
        capacity: written.capacity.unwrap_or(if sku == GatewaySku::Consumption { 0 } else { 1 }),
        publisher: Publisher {
            name: publisher.unwrap_or_else(|| stack.name.clone()),
            email: email.unwrap_or_default(),
        },
        identity: match written.identity {
            None | Some(Either::Word(_)) => Identity::System,
            Some(Either::Map(identity)) if identity.user.starts_with('/') => Identity::Existing(identity.user),
            Some(Either::Map(identity)) => Identity::Managed(identity.user),
        },
        network: written.network.map(|network| GatewayNetwork {
            subnet: network.subnet,
            mode: network.mode.map(|Word(mode)| mode).unwrap_or_default(),
        }),
        properties: written.properties.unwrap_or_default(),
    }
}

/// Name and place of something that is there; `kind` is its type.
fn existing(written: Existing, kind: &str, path: &str, scope: &Scope, out: &mut Vec<Diagnostic>) -> (Name, Place) {
    let place = |subscription: Option<String>, group: Option<String>| Place {
        subscription: subscription.map(|id| id.to_lowercase()).filter(|id| scope.subscription.as_ref() != Some(id)),
        resource_group: group.filter(|group| !group.eq_ignore_ascii_case(&scope.resource_group)),
    };
    let Existing { name, resource_group, subscription, resource_id } = written;
    if let Some(id) = resource_id {
        if name.is_some() || resource_group.is_some() || subscription.is_some() {
            out.push(two_ways(&join(path, "resourceId"), "an id is given beside a name", "`resourceId`"));
        }
        let parts: Vec<&str> = id.split('/').collect();
        if let ["", "subscriptions", subscription, groups, group, "providers", provider, last, name] = parts.as_slice()
            && groups.eq_ignore_ascii_case("resourceGroups")
            && format!("{provider}/{last}").eq_ignore_ascii_case(kind)
            // what the id says must do where the parts of it are written one by one
            && formats::violated(formats::GUID, subscription).is_none()
            && formats::violated(formats::RESOURCE_GROUP, group).is_none()
            && (1..=64).contains(&name.len())
        {
            let place = place(Some((*subscription).to_owned()), Some((*group).to_owned()));
            return (Name::Literal((*name).to_owned()), place);
        }
        let problem = Diagnostic::new(code::BAD_FORMAT, format!("this is no id of the type `{kind}`"));
        let help = format!("use `/subscriptions/ID/resourceGroups/GROUP/providers/{kind}/NAME`");
        out.push(problem.at(join(path, "resourceId")).help(help));
        return (Name::Literal(String::new()), Place::default());
    }
    let name = name.unwrap_or_else(|| {
        let problem = Diagnostic::new(code::MISSING_KEY, "`existing` has no `name`").at(join(path, "name"));
        out.push(problem.help("add `name:`, or `resourceId:` with the whole id"));
        String::new()
    });
    (Name::Literal(name), place(subscription, resource_group))
}

/// One thing is said in two ways.
fn two_ways(path: &str, message: impl Into<String>, keep: &str) -> Diagnostic {
    Diagnostic::new(code::TWO_WAYS, message).at(path).help(format!("keep one of them, as {keep}"))
}

fn length(written: Option<Length>, default: Duration) -> Duration {
    written.map_or(default, |Length(length)| length)
}

/// A reference to something that is not there.
pub fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a String> + Clone) -> Diagnostic {
    let names: BTreeSet<&str> = known.map(String::as_str).collect();
    let problem = Diagnostic::new(code::UNKNOWN_REFERENCE, format!("there is no {kind} {}", super::check::shown(name)));
    match suggest::closest(name, names.iter().copied()) {
        Some(meant) => problem.label(format!("did you mean `{meant}`?")).help(format!("write `{meant}`, or define it")),
        None if names.is_empty() => problem.help("define it"),
        None => problem.help(format!("define it, or use one of {}", suggest::list(names))),
    }
}
