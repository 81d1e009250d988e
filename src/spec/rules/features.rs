//! Rules of what only some specs use: the surface v1, addresses of somebody else's, spill-over, roles, tiers, networks,
//! existing things, properties in Azure's own words.

use super::super::build::{Built, unknown};
use super::super::check::shown;
use super::super::yaml::{item, join};
use super::super::{formats, suggest};
use crate::diagnostic::{Diagnostic, code};
use crate::topology::{
    Account, AccountNetwork, Balancing, Deployment, DeploymentSku, Gateway, GatewaySku, Key, NetworkMode,
    OPENAI_FORMAT, Pool, Properties, Role, Routes, Standing, Strategy, Target, Topology,
};
use serde_json::Value as Json;

/// Reports everything that is wrong.
pub fn check(built: &Built, out: &mut Vec<Diagnostic>) {
    let topology = &built.topology;
    for (key, pool) in &topology.pools {
        foreign_members(topology, key, pool, out);
        if !topology.is_twin(key) {
            native_properties(key, pool, out);
            realtime(topology, key, pool, out);
        }
    }
    callers(topology, out);
    v1(topology, out);
    stateful(topology, out);
    for (key, account) in &topology.accounts {
        spillover(key, account, out);
        if let Some(role) = built.management.needed.get(key) {
            role_of_formats(key, account, *role, out);
        }
        written_account(key, account, out);
    }
    if let Some(gateway) = &topology.gateway {
        written_gateway(gateway, out);
        if built.management.tier_known {
            tier(topology, gateway, out);
        }
    }
    scopes(built, out);
}

/// A conversation over a WebSocket is neither balanced nor repeated.
fn realtime(topology: &Topology, key: &str, pool: &Pool, out: &mut Vec<Diagnostic>) {
    for (index, member) in pool.members.iter().enumerate() {
        let deployment = topology.backends.get(&member.backend).and_then(|backend| topology.deployment_of(backend));
        let Some(model) = deployment.map(|deployment| &deployment.model.name) else { continue };
        if model.to_ascii_lowercase().contains("realtime") {
            let message = format!("`{}` serves {}, which is called over a WebSocket", member.backend, shown(model));
            let at = join(&item(&format!("pools.{key}.members"), index), "backend");
            let problem = Diagnostic::new(code::REALTIME, message).at(at);
            out.push(problem.help("take it out of the pool: its callers open the WebSocket at the account"));
        }
    }
}

/// What API Management's pool does, a policy that picks does not.
fn native_properties(key: &str, pool: &Pool, out: &mut Vec<Diagnostic>) {
    let parts =
        [("failureStatus", pool.failure_status.is_some()), ("sessionAffinity", pool.session_affinity.is_some())];
    for (part, _) in parts.into_iter().filter(|(_, used)| *used && pool.balancing == Balancing::Policy) {
        let message = format!("only policies pick from `{key}`, and `{part}` is of API Management's pool");
        let problem = Diagnostic::new(code::TWO_WAYS, message).at(join(&join("pools", key), part));
        out.push(problem.help(format!("take `{part}` out, or use the strategy `pool`")));
    }
}

/// Who may call: words that would be refused by Azure, or that the call itself needs.
fn callers(topology: &Topology, out: &mut Vec<Diagnostic>) {
    for (key, api) in &topology.apis {
        let path = format!("apis.{key}.callers");
        if let Some(keys) = &api.keys {
            let taken = |word: &str| ["authorization", "host", "content-type", "content-length"].contains(&word);
            let ours = |word: &str| word.starts_with("x-aoai-lb-");
            let header = keys.header.to_ascii_lowercase();
            if taken(&header) || ours(&header) {
                let message = format!("the header `{}` carries something else", keys.header);
                let problem = Diagnostic::new(code::RESERVED, message).at(format!("{path}.keys.header"));
                out.push(problem.help("choose another name: the policy deletes it before a backend is called"));
            }
            if keys.query.eq_ignore_ascii_case("api-version") {
                let problem =
                    Diagnostic::new(code::RESERVED, "the query parameter `api-version` is Azure OpenAI's own");
                let problem = problem.at(format!("{path}.keys.query"));
                out.push(problem.help("choose another name: the policy deletes it before a backend is called"));
            }
        }
        let Some(entra) = api.policy.intent().and_then(|intent| intent.entra.as_ref()) else { continue };
        let path = format!("{path}.entra");
        let mut wrong = |path: String, message: String, help: &str| {
            out.push(Diagnostic::new(code::BAD_FORMAT, message).at(path).help(help));
        };
        let guid = |text: &str| formats::violated(formats::GUID, text).is_none();
        let domain = |text: &str| {
            let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            text.contains('.') && text.split('.').all(word)
        };
        if !guid(&entra.tenant) && !domain(&entra.tenant) {
            let message = format!("{} is no tenant", shown(&entra.tenant));
            wrong(join(&path, "tenant"), message, "use its id, or a domain of it, as `contoso.com`");
        }
        for (index, id) in entra.applications.iter().enumerate().filter(|(_, id)| !guid(id)) {
            let message = format!("{} is no client id of an application", shown(id));
            wrong(
                item(&join(&path, "applications"), index),
                message,
                "use a GUID, as `az ad app show --query appId` prints it",
            );
        }
        for (index, _) in entra.audiences.iter().enumerate().filter(|(_, audience)| audience.trim().is_empty()) {
            let help = "use what stands in the token's `aud`, as `api://openai`";
            wrong(item(&join(&path, "audiences"), index), "an audience is empty".into(), help);
        }
    }
}

/// API Management's own pool has no place for a member's key.
fn foreign_members(topology: &Topology, key: &str, pool: &Pool, out: &mut Vec<Diagnostic>) {
    if pool.balancing != Balancing::Native {
        return;
    }
    for (index, member) in pool.members.iter().enumerate() {
        let Some(backend) = topology.backends.get(&member.backend) else { continue };
        if !matches!(backend.target, Target::Url(_)) {
            continue;
        }
        let message =
            format!("`{}` is an address of somebody else's, and `{key}` is API Management's pool", member.backend);
        let at = join(&item(&format!("pools.{key}.members"), index), "backend");
        let problem = Diagnostic::new(code::FOREIGN_MEMBER, message).at(at).label("signs in with a key of its own");
        out.push(problem.help("set `strategy: smart` or `round-robin` on every API that routes here, or take it out"));
    }
}

/// Trap 1: on the surface v1 the body names the deployment, alike for every member.
fn v1(topology: &Topology, out: &mut Vec<Diagnostic>) {
    for (key, api) in &topology.apis {
        let Some(v1) = api.policy.intent().and_then(|intent| intent.v1.as_ref()) else { continue };
        let path = format!("apis.{key}");
        let routes: Vec<(Option<&str>, &str)> = match v1 {
            Routes::All(pool) => vec![(None, pool)],
            Routes::ByName(routes) => routes.iter().map(|(name, pool)| (Some(name.as_str()), pool.as_str())).collect(),
        };
        let mut told: Vec<&str> = Vec::new();
        for (route, name) in routes {
            let Some((twin, pool)) = topology.pool_by_name(name) else { continue };
            let written = twin.strip_suffix("-v1").unwrap_or(twin);
            let members = topology.pools.get(written).map_or(&pool.members, |pool| &pool.members);
            for (index, member) in members.iter().enumerate().filter(|_| !told.contains(&name)) {
                let target = topology.backends.get(&member.backend).map(|backend| &backend.target);
                let Some(Target::Url(_)) = target else { continue };
                let message = format!("`{}` is an address of somebody else's, and `{key}` serves v1", member.backend);
                let at = join(&item(&format!("pools.{written}.members"), index), "backend");
                let problem = Diagnostic::new(code::FOREIGN_MEMBER, message).at(at);
                out.push(problem.help("take it out of the pool, or serve the surface `deployments` alone"));
            }
            let mut names = pool.members.iter().filter_map(|member| deployment_name(topology, &member.backend));
            let Some((first, of)) = names.next() else { continue };
            if let Some((other, whose)) = names.find(|(name, _)| !name.eq_ignore_ascii_case(first)) {
                if !told.contains(&name) {
                    let message = format!(
                        "`{key}` serves v1, and members of `{written}` have different names: `{first}` of {of}, `{other}` of {whose}"
                    );
                    let problem =
                        Diagnostic::new(code::DEPLOYMENT_NAMES, message).at(format!("pools.{written}.members"));
                    out.push(problem.help("give the deployments one name, or serve the surface `deployments` alone"));
                }
            } else if let Some(route) = route.filter(|route| !route.eq_ignore_ascii_case(first)) {
                let message =
                    format!("callers of v1 say `{route}`, and the deployments of `{written}` are called `{first}`");
                let problem = Diagnostic::new(code::DEPLOYMENT_NAMES, message).at(join(&join(&path, "routes"), route));
                let help = format!("call the route `{first}`: the body goes on as it came, with its `model`");
                out.push(problem.help(help));
            }
            told.push(name);
        }
    }
}

/// Name of the deployment that a backend calls, and the account's key.
fn deployment_name<'a>(topology: &'a Topology, backend: &str) -> Option<(&'a str, &'a str)> {
    let (account, deployment) = topology.backends.get(backend)?.target.account()?;
    Some((deployment?, account))
}

fn stateful(topology: &Topology, out: &mut Vec<Diagnostic>) {
    for backend in topology.backends.values() {
        let Target::Account { account } = &backend.target else { continue };
        if !topology.accounts.contains_key(account) {
            let pins = |(key, api): (&Key, &crate::topology::Api)| {
                let stateful = api.policy.intent()?.stateful.as_ref()?;
                (*stateful == backend.name).then(|| format!("apis.{key}.stateful.pin"))
            };
            let path = topology.apis.iter().find_map(pins).unwrap_or_default();
            out.push(unknown("account", account, topology.accounts.keys()).at(path));
        }
    }
}

/// What a full provisioned deployment cannot serve goes to a standard one of the same account, model and reach.
fn spillover(key: &str, account: &Account, out: &mut Vec<Diagnostic>) {
    use DeploymentSku::*;
    for (name, deployment) in &account.deployments {
        let Some(wanted) = &deployment.spillover else { continue };
        let path = format!("accounts.{key}.deployments.{name}.spillover");
        let mut report = |message: String, help: &str| {
            out.push(Diagnostic::new(code::SPILLOVER, message).at(&path).help(help));
        };
        let target = account.deployments.get(wanted);
        let reaches = |to: &Deployment| {
            matches!(
                (deployment.sku, to.sku),
                (GlobalProvisionedManaged, GlobalStandard) | (DataZoneProvisionedManaged, DataZoneStandard)
            )
        };
        match (deployment.sku, target) {
            (_, None) => {
                let keys = account.deployments.keys();
                out.push(unknown("deployment", wanted, keys).at(path).note(format!("it is looked for in `{key}`")));
            }
            (ProvisionedManaged, _) => report(
                format!("`{name}` is provisioned in one region, which does not spill over"),
                "use GlobalProvisionedManaged or DataZoneProvisionedManaged, or let the pool do it by priority",
            ),
            (sku, _) if !sku.is_provisioned() => report(
                format!("`{name}` is not provisioned, and only provisioned deployments spill over"),
                "take `spillover` out",
            ),
            (_, Some(to)) if to.model.name != deployment.model.name => report(
                format!("`{wanted}` serves {}, and `{name}` serves {}", to.model.name, deployment.model.name),
                "name a deployment of the same model",
            ),
            (sku, Some(to)) if !reaches(to) => report(
                format!("{} does not spill over to {}", sku.as_str(), to.sku.as_str()),
                "name a standard deployment of the same reach: global to global, data zone to data zone",
            ),
            (_, Some(_)) => {}
        }
    }
}

/// A role that the spec names must call every format.
fn role_of_formats(key: &str, account: &Account, role: Role, out: &mut Vec<Diagnostic>) {
    let foreign = account.deployments.iter().find(|(_, deployment)| deployment.model.format != OPENAI_FORMAT);
    if let (Some((name, deployment)), Role::OpenAIUser | Role::OpenAIContributor) = (foreign, role) {
        let format = &deployment.model.format;
        let message = format!("`{name}` has the format {}, which {} does not call", shown(format), role.title());
        let problem = Diagnostic::new(code::WRONG_ROLE, message).at(format!("accounts.{key}.role"));
        out.push(problem.help(format!("use {}", Role::CognitiveServicesUser.title())));
    }
}

fn written_account(key: &str, account: &Account, out: &mut Vec<Diagnostic>) {
    let path = format!("accounts.{key}");
    if account.standing == Standing::Existing {
        for (part, used) in
            [("network", account.network != AccountNetwork::default()), ("properties", !account.properties.is_empty())]
        {
            if used {
                out.push(never_written(&join(&path, part), format!("`{key}` is an existing account")));
            }
        }
        return;
    }
    const OURS: [(&str, &str); 4] = [
        ("customSubDomainName", "name"),
        ("disableLocalAuth", "nothing: keys are off, for the gateway signs in with its identity"),
        ("publicNetworkAccess", "network.public"),
        ("networkAcls.bypass", "network"),
    ];
    // learn.microsoft.com/azure/templates/microsoft.cognitiveservices/accounts, 2026-07-01, with those above
    const KNOWN: [&str; 20] = [
        "migrationToken",
        "customSubDomainName",
        "networkAcls",
        "encryption",
        "userOwnedStorage",
        "amlWorkspace",
        "publicNetworkAccess",
        "apiProperties",
        "dynamicThrottlingEnabled",
        "storedCompletionsDisabled",
        "restrictOutboundNetworkAccess",
        "allowedFqdnList",
        "disableLocalAuth",
        "restore",
        "locations",
        "raiMonitorConfig",
        "networkInjections",
        "allowProjectManagement",
        "defaultProject",
        "associatedProjects",
    ];
    properties(&account.properties, &join(&path, "properties"), &OURS, &KNOWN, out);
}

fn written_gateway(gateway: &Gateway, out: &mut Vec<Diagnostic>) {
    if gateway.standing == Standing::Existing {
        for (part, used) in [("network", gateway.network.is_some()), ("properties", !gateway.properties.is_empty())] {
            if used {
                out.push(never_written(&join("gateway", part), "the service is an existing one".into()));
            }
        }
        return;
    }
    const OURS: [(&str, &str); 4] = [
        ("publisherName", "gateway.publisher.name"),
        ("publisherEmail", "gateway.publisher.email"),
        ("virtualNetworkType", "gateway.network.mode"),
        ("virtualNetworkConfiguration", "gateway.network.subnet"),
    ];
    // learn.microsoft.com/azure/templates/microsoft.apimanagement/service, 2025-09-01-preview
    const KNOWN: [&str; 22] = [
        "publisherEmail",
        "publisherName",
        "notificationSenderEmail",
        "hostnameConfigurations",
        "publicIpAddressId",
        "publicNetworkAccess",
        "configurationApi",
        "virtualNetworkConfiguration",
        "additionalLocations",
        "customProperties",
        "certificates",
        "enableClientCertificate",
        "natGatewayState",
        "disableGateway",
        "virtualNetworkType",
        "apiVersionConstraint",
        "restore",
        "privateEndpointConnections",
        "legacyPortalStatus",
        "developerPortalStatus",
        "releaseChannel",
        "zoneRedundant",
    ];
    properties(&gateway.properties, "gateway.properties", &OURS, &KNOWN, out);
}

fn never_written(path: &str, why: String) -> Diagnostic {
    let message = format!("{why}, and never written");
    Diagnostic::new(code::TWO_WAYS, message).at(path).help("take this out, and set it where the service is made")
}

/// The property that was meant. A name that is like none of them may be younger than this list.
fn misspelt<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    if known.contains(&key) { None } else { suggest::closest(key, known.iter().copied()) }
}

/// Properties in Azure's own words that the spec has words of its own for, and values that no template can hold.
fn properties(written: &Properties, path: &str, ours: &[(&str, &str)], known: &[&str], out: &mut Vec<Diagnostic>) {
    for (key, value) in written {
        let at = join(path, key);
        if let Some((_, word)) = ours.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)) {
            let message = format!("{} is what this program writes itself", shown(key));
            out.push(Diagnostic::new(code::BAD_PROPERTY, message).at(&at).help(format!("use `{word}`")));
        } else if let Some(meant) = misspelt(key, known) {
            let message = format!("{} is no property of Azure's", shown(key));
            let problem = Diagnostic::new(code::BAD_PROPERTY, message).at(&at);
            out.push(problem.label(format!("did you mean `{meant}`?")).help(format!("write `{meant}`")));
        }
        values(value, &at, out);
    }
}

fn values(value: &Json, path: &str, out: &mut Vec<Diagnostic>) {
    match value {
        Json::Number(number) if number.as_i64().is_none() => {
            let message = format!("{number} is no whole number, and a template holds no other");
            let problem = Diagnostic::new(code::BAD_PROPERTY, message).at(path);
            out.push(problem.help("write a whole number, or a text in quotes where Azure takes one"));
        }
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| values(value, &item(path, index), out));
        }
        Json::Object(members) => members.iter().for_each(|(key, value)| values(value, &join(path, key), out)),
        _ => {}
    }
}

const IN_A_NETWORK: &str = "choose StandardV2, PremiumV2, Premium or Developer, or take `network` out";

/// Traps 6 and 33: what a tier does not have (facts/apim.md 2.1, 6 and 7.1).
fn tier(topology: &Topology, gateway: &Gateway, out: &mut Vec<Diagnostic>) {
    use GatewaySku::*;
    let sku = gateway.sku;
    let name = sku.as_str();
    let mut report = |path: String, message: String, help: &str| {
        out.push(Diagnostic::new(code::TIER, message).at(path).help(help));
    };
    if sku == Consumption {
        // learn.microsoft.com, "Monitor published APIs": logs and metrics of requests are for the other tiers
        if topology.observability.as_ref().is_some_and(|found| found.workspace.is_some()) {
            let message = format!("{name} sends no logs of requests to a workspace");
            let help = "take `workspace` and what needs it out, or choose another `gateway.sku`";
            report("observability.workspace".into(), message, help);
        }
        for (key, pool) in
            topology.pools.iter().filter(|(key, pool)| pool.balancing == Balancing::Native && !key.ends_with("-v1"))
        {
            let first = pool.members.iter().map(|member| member.priority).min();
            if let Some(index) = pool.members.iter().position(|member| Some(member.priority) != first) {
                let path = join(&item(&format!("pools.{key}.members"), index), "priority");
                let message = format!("a lower priority of `{key}` is never used: {name} has no circuit breakers");
                report(path, message, "give all members one priority, or choose another `gateway.sku`");
            }
        }
        for (key, intent) in topology.apis.iter().filter_map(|(key, api)| Some((key, api.policy.intent()?))) {
            if intent.token_limit.is_some() {
                let message = format!("{name} has no token limits");
                report(format!("apis.{key}.tokenLimit"), message, "take it out, or choose another `gateway.sku`");
            }
            if intent.strategy != Strategy::Pool {
                let message = format!(
                    "the strategy {} keeps count in the gateway's cache, and {name} has none",
                    intent.strategy.word()
                );
                report(format!("apis.{key}.strategy"), message, "use `pool`, or choose another `gateway.sku`");
            }
        }
        for (key, product) in &topology.products {
            if product.policy.intent().is_some_and(|intent| intent.token_limit.is_some() || intent.quota.is_some()) {
                let message = format!("{name} has no token limits");
                report(format!("products.{key}"), message, "take the limits out, or choose another `gateway.sku`");
            }
        }
    }
    let without = matches!(sku, Consumption | Basic | BasicV2);
    if let Some(network) = &gateway.network {
        if without {
            let message = format!("{name} cannot be part of a network");
            report("gateway.network".into(), message, IN_A_NETWORK);
        } else if network.mode == NetworkMode::Internal && matches!(sku, Standard | StandardV2) {
            let message = format!("{name} cannot be hidden in a network");
            report("gateway.network.mode".into(), message, "use External, or choose PremiumV2, Premium or Developer");
        } else if sku == Standard {
            let message = format!("{name} cannot be part of a network");
            report("gateway.network".into(), message, IN_A_NETWORK);
        }
    } else {
        let hidden = |(_, account): &(&Key, &Account)| !account.network.public && account.standing == Standing::Managed;
        for (key, _) in topology.accounts.iter().filter(hidden) {
            let path = format!("accounts.{key}.network");
            match without || sku == Standard {
                true => {
                    let message =
                        format!("`{key}` is private, and a gateway of the tier {name} cannot be part of a network");
                    report(
                        path,
                        message,
                        "choose StandardV2, PremiumV2, Premium or Developer, and give the gateway a `network`",
                    );
                }
                // which network an existing service is part of, the spec cannot say
                false if gateway.standing == Standing::Existing => {}
                false => {
                    let message = format!("`{key}` is private, and the gateway is part of no network");
                    report(path, message, "add `network: { subnet: ID }` to the gateway");
                }
            }
        }
    }
}

/// What `protect` and `ignoreChanges` name must be there, and a key of it one that a spec can have.
fn scopes(built: &Built, out: &mut Vec<Diagnostic>) {
    let topology = &built.topology;
    let named: Vec<String> = topology.addresses().iter().map(|address| address.key()).collect();
    let sections = ["gateway", "accounts", "backends", "pools", "apis", "products", "subscriptions", "observability"];
    // what has keys of its own, the longest name last: a key may hold dots
    let mut wholes: Vec<&str> = named.iter().map(String::as_str).filter(|name| !sections.contains(name)).collect();
    wholes.extend(["gateway", "observability"]);
    wholes.sort_by_key(|name| name.len());
    let inside = |entry: &str| {
        let below = |whole: &&&str| entry.strip_prefix(**whole).is_some_and(|rest| rest.starts_with('.'));
        let whole = wholes.iter().rev().find(below)?;
        Some((*whole, entry[whole.len()..].trim_start_matches('.').to_owned()))
    };
    let known = |entry: &str| {
        sections.contains(&entry)
            || wholes.contains(&entry)
            || inside(entry).is_some_and(|(whole, rest)| has_key(schema_of(whole), &rest))
    };
    let candidates = |entry: &str| {
        let of_whole = inside(entry).into_iter().flat_map(|(whole, _)| {
            let keys = schema_of(whole)["properties"].as_object().into_iter().flat_map(|all| all.keys());
            keys.map(|key| join(whole, key)).collect::<Vec<_>>()
        });
        named.iter().cloned().chain(sections.map(str::to_owned)).chain(of_whole).collect::<Vec<String>>()
    };
    for (list, entries) in [("protect", &built.management.protect), ("ignoreChanges", &built.management.ignore_changes)]
    {
        for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| !known(entry)) {
            let problem = Diagnostic::new(code::BAD_SCOPE, format!("{} names nothing here", shown(entry)));
            let problem = problem.at(item(list, index));
            let candidates = candidates(entry);
            let near = suggest::closest(entry, candidates.iter().map(String::as_str));
            out.push(match near {
                Some(meant) => problem.label(format!("did you mean `{meant}`?")).help(format!("write `{meant}`")),
                None => problem.help("name a key of the spec, as `accounts.eastus2` or `gateway.capacity`"),
            });
        }
    }
}

/// The schema of what an address names, as `pools.main`.
fn schema_of(name: &str) -> &'static Json {
    let section = name.split('.').next().unwrap_or_default();
    let whole = &super::super::structure()["properties"][section];
    let one = objects(whole).find(|one| one["additionalProperties"].is_object());
    let Some(one) = one.filter(|_| name.contains('.')) else { return objects(whole).next().unwrap_or(whole) };
    let one = &one["additionalProperties"];
    match section == "accounts" && name.contains(".deployments.") {
        true => &one["properties"]["deployments"]["additionalProperties"],
        false => one,
    }
}

/// A schema, or those of its alternatives, that are of mappings.
fn objects(schema: &'static Json) -> Box<dyn Iterator<Item = &'static Json>> {
    match schema["anyOf"].as_array() {
        Some(alternatives) => Box::new(alternatives.iter().flat_map(objects)),
        None => Box::new(
            std::iter::once(schema)
                .filter(|one| one["properties"].is_object() || !one["additionalProperties"].is_null()),
        ),
    }
}

/// Whether what has this schema may have a key, `retry.count`.
fn has_key(schema: &'static Json, path: &str) -> bool {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    objects(schema).any(|one| match &one["properties"][first] {
        // names of the user's own: a deployment that is there has an address
        Json::Null => !one["properties"].is_object() && !one["additionalProperties"]["properties"]["model"].is_object(),
        inner => rest.is_empty() || has_key(inner, rest),
    })
}
