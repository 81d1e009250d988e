//! Reading live state: list calls side by side, three round trips deep.

use super::client::{get, get_value, list};
use crate::arm::{self, Answers, Existing, id, request};
use crate::diagnostic::{Diagnostic, Exit};
use crate::topology::address::Logger;
use crate::topology::{Address, Live, Location, Observability, Standing, Topology};
use crate::wire::{BoxFuture, Cloud, Request};
use futures::future::{join_all, try_join, try_join_all, try_join4};
use serde_json::Value;
use std::collections::BTreeSet;

/// Reads what Azure holds. `desired` is resolved: its names and its subscription are known.
///
/// First what the groups and the subscriptions of the stack hold, what the spec calls existing, and what is left of
/// quotas; then what is in the gateway and the accounts; then operations, policies, the ETags of what may have to be
/// deleted, and accounts that the gateway has a role on although the spec has left them.
pub async fn read_live(cloud: &dyn Cloud, desired: &Topology) -> Result<Live, Vec<Diagnostic>> {
    let answers = read(cloud, desired).await.map_err(|diagnostic| vec![diagnostic])?;
    arm::decode(desired, &answers)
}

type Listed<'a> = BoxFuture<'a, Result<Vec<Value>, Diagnostic>>;

/// One thing; nothing where it is not there.
fn one(cloud: &dyn Cloud, request: Request) -> Listed<'_> {
    Box::pin(async move { Ok(get_value(cloud, request).await?.into_iter().collect()) })
}

/// A list.
fn all(cloud: &dyn Cloud, request: Request) -> Listed<'_> {
    Box::pin(list(cloud, request))
}

/// A list that whoever deploys may not be allowed to see; then Azure will say later what is wrong.
fn seen(cloud: &dyn Cloud, request: Request) -> Listed<'_> {
    Box::pin(async move {
        match list(cloud, request).await {
            Err(problem) if problem.code.exit() == Exit::Forbidden => Ok(Vec::new()),
            other => other,
        }
    })
}

/// A list that serves to refuse early only, and that a region need not have.
fn told(cloud: &dyn Cloud, request: Request) -> Listed<'_> {
    Box::pin(async move {
        match list(cloud, request).await {
            Err(problem) if matches!(problem.code.exit(), Exit::Forbidden | Exit::Refused) => Ok(Vec::new()),
            other => other,
        }
    })
}

/// Something that the spec calls existing; `None` where nobody may say whether it is there.
async fn there(cloud: &dyn Cloud, existing: &Existing) -> Result<Option<Vec<Value>>, Diagnostic> {
    match get_value(cloud, request::newest(&existing.id)).await {
        Ok(found) => Ok(Some(found.into_iter().collect())),
        // of a network that is somebody else's its id is all that is needed
        Err(problem) if problem.code.exit() == Exit::Forbidden && !existing.is_read() => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// The answers to many lists, one after the other.
async fn together(lists: impl Iterator<Item = Listed<'_>>) -> Result<Vec<Value>, Diagnostic> {
    let lists: Vec<Listed<'_>> = lists.collect();
    Ok(try_join_all(lists).await?.into_iter().flatten().collect())
}

async fn read(cloud: &dyn Cloud, desired: &Topology) -> Result<Answers, Diagnostic> {
    let mut answers = Answers::default();
    let (own, groups, subscriptions) = (id::group(desired), id::groups(desired), id::subscriptions(desired));
    let regions = regions(desired);
    let existing = arm::existing(desired);
    let usages = try_join_all(regions.iter().map(|region| told(cloud, request::usages(desired, region))));
    let group = try_join_all([
        one(cloud, request::group(desired)),
        one(cloud, request::deployment(desired, &arm::deployment_name(desired))),
        all(cloud, request::services(&own)),
        seen(cloud, request::identities(&own)),
        seen(cloud, request::private_endpoints(&own)),
        all(cloud, request::resources(desired)),
    ]);
    let recorders = arm::recorders(desired);
    let recording = together(recorders.iter().map(|recorder| one(cloud, request::whole(recorder))));
    let scopes = role_scopes(desired, &groups);
    // whoever may not look at a whole subscription deploys without knowing; Azure will say it then
    let deleted_services = together(subscriptions.iter().map(|of| seen(cloud, request::deleted_services(of))));
    let deleted_accounts = together(subscriptions.iter().map(|of| seen(cloud, request::deleted_accounts(of))));
    let accounts = together(groups.iter().map(|group| all(cloud, request::accounts(group))));
    let roles = together(scopes.iter().map(|scope| all(cloud, request::roles(scope))));
    let there = try_join_all(existing.iter().map(|existing| there(cloud, existing)));
    let (group, usages, deleted, (accounts, roles, there, recording)) = try_join4(
        group,
        usages,
        try_join(deleted_services, deleted_accounts),
        try_join4(accounts, roles, there, recording),
    )
    .await?;
    let mut group = group.into_iter();
    let mut next = || group.next().unwrap_or_default();
    answers.group = next().pop();
    answers.deployment = next().pop();
    answers.services = next();
    answers.identities = next();
    answers.private_endpoints = next();
    // those that left the spec are known by their mark
    let left = next().into_iter().filter(|resource| arm::is_left(desired, resource));
    answers.recorders = recording.into_iter().chain(left).collect();
    answers.usages = regions.into_iter().zip(usages).collect();
    (answers.deleted_services, answers.deleted_accounts) = deleted;
    answers.accounts = accounts;
    answers.roles = roles;
    for (existing, found) in existing.into_iter().zip(there) {
        answers.existing.extend(found.map(|found| (existing.id, found.into_iter().next())));
    }
    answers.settle(desired);

    let accounts: Vec<String> = answers.accounts.iter().filter(|a| arm::is_listed(desired, a)).map(given).collect();
    let endpoints: Vec<String> =
        answers.private_endpoints.iter().filter(|e| arm::is_endpoint(desired, e)).map(given).collect();
    let gateway = arm::find_gateway(desired, &answers.services).map(given);
    let principal = arm::principal(desired, &answers);
    let collections = ["backends", "apis", "subscriptions", "namedValues", "products", "loggers"];
    let children =
        gateway.iter().flat_map(|gateway| collections.map(|name| all(cloud, request::children(gateway, name))));
    let deployments = accounts.iter().map(|account| all(cloud, request::deployments(account)));
    let zones = endpoints.iter().map(|endpoint| all(cloud, request::dns_zone_groups(endpoint)));
    // roles on what left the spec stand where nothing else of it does
    let around: BTreeSet<String> = scopes.iter().chain(&gateway).filter_map(|of| id::subscription_of(of)).collect();
    let roles = principal
        .iter()
        .flat_map(|principal| around.iter().map(move |of| seen(cloud, request::roles_of(of, principal))));
    let (children, deployments, zones, roles) =
        try_join4(try_join_all(children), try_join_all(deployments), try_join_all(zones), together(roles)).await?;
    let mut children = children.into_iter();
    let mut next = || children.next().unwrap_or_default();
    answers.backends = next();
    answers.apis = next();
    answers.subscriptions = next();
    answers.named_values = next();
    answers.products = next();
    answers.loggers = next();
    answers.deployments.extend(accounts.into_iter().zip(deployments));
    answers.dns_zone_groups = endpoints.into_iter().zip(zones).collect();
    answers.roles.extend(roles);

    let left = arm::left_accounts(desired, &answers);
    let (left, third) = futures::future::join(
        try_join_all(left.iter().map(|account| one(cloud, request::newest(account)))),
        third(cloud, desired, gateway.as_deref(), &mut answers),
    )
    .await;
    third?;
    answers.accounts.extend(left?.into_iter().flatten());
    Ok(answers)
}

/// Where roles of the gateway on the stack's accounts can stand: a group shows those of all that is in it.
fn role_scopes(desired: &Topology, groups: &[String]) -> Vec<String> {
    let mut scopes = groups.to_vec();
    let existing = desired.accounts.iter().filter(|(_, account)| account.standing == Standing::Existing);
    for account in existing.filter_map(|(key, _)| id::account(desired, key)) {
        if !scopes.iter().any(|scope| id::within(&account, scope)) {
            scopes.push(account);
        }
    }
    scopes
}

/// Where the spec's deployments of the stack's subscription stand: each region has quotas of its own.
fn regions(desired: &Topology) -> BTreeSet<Location> {
    let accounts = desired.accounts.values().filter(|account| {
        account.standing == Standing::Managed
            && !account.deployments.is_empty()
            && account.place.subscription.is_none()
            && account.location.is_known()
    });
    accounts.map(|account| account.location.clone()).collect()
}

/// What hangs on an API or a product, and the ETags.
async fn third(
    cloud: &dyn Cloud,
    desired: &Topology,
    gateway: Option<&str>,
    answers: &mut Answers,
) -> Result<(), Diagnostic> {
    let ids = |all: &[Value], names: Vec<&String>| -> Vec<String> {
        let named = |one: &Value| names.iter().any(|name| name.eq_ignore_ascii_case(id::name(&given(one))));
        all.iter().filter(|one| named(one) || arm::is_ours(desired, one)).map(given).collect()
    };
    let apis = ids(&answers.apis, desired.apis.values().map(|api| &api.name).collect());
    let products = ids(&answers.products, desired.products.values().map(|product| &product.name).collect());
    // without a logger there is nowhere to record to
    let recorded: &[String] = if answers.loggers.is_empty() { &[] } else { &apis };
    let set = desired.has(&Address::DiagnosticSetting) || !answers.loggers.is_empty();
    let settings = try_join_all(gateway.filter(|_| set).map(|gateway| list(cloud, request::settings(gateway))));
    let leaving: Vec<String> = leaving(desired, answers);
    let whole = join_all(apis.iter().map(|api| get(cloud, request::api(api))));
    let operations = join_all(apis.iter().map(|api| list(cloud, request::operations(api))));
    let diagnostics = join_all(recorded.iter().map(|api| list(cloud, request::diagnostics(api))));
    let links = join_all(products.iter().map(|product| list(cloud, request::product_apis(product))));
    let governed: Vec<&String> = apis.iter().chain(&products).collect();
    let policies = join_all(governed.iter().map(|of| get_value(cloud, request::policy(of))));
    let etags = join_all(leaving.iter().map(|resource| get(cloud, request::resource(resource))));
    let lists = futures::future::join4(operations, diagnostics, links, settings);
    let (whole, (operations, diagnostics, links, settings), policies, etags) =
        futures::future::join4(whole, lists, policies, etags).await;
    for (api, response) in apis.iter().zip(whole) {
        let Some(response) = response? else { continue };
        if let Some(etag) = response.headers.get("ETag") {
            answers.etags.insert(api.clone(), etag.to_owned());
        }
        let listed = answers.apis.iter_mut().find(|listed| id::same(&given(listed), api));
        if let (Some(listed), Some(whole)) = (listed, response.value()) {
            *listed = whole;
        }
    }
    answers.settings = settings?.concat();
    let kept = [
        (&apis[..], operations, &mut answers.operations),
        (recorded, diagnostics, &mut answers.diagnostics),
        (&products[..], links, &mut answers.product_apis),
    ];
    for (parents, lists, kept) in kept {
        for (parent, list) in parents.iter().zip(lists) {
            kept.insert(parent.clone(), list?);
        }
    }
    for (of, policy) in governed.into_iter().zip(policies) {
        let policy = policy?;
        if let Some(text) = policy.as_ref().and_then(|policy| policy.pointer("/properties/value")?.as_str()) {
            answers.policies.insert(of.clone(), text.to_owned());
        }
    }
    for (resource, response) in leaving.into_iter().zip(etags) {
        if let Some(etag) = response?.as_ref().and_then(|response| response.headers.get("ETag")) {
            answers.etags.insert(resource, etag.to_owned());
        }
    }
    Ok(())
}

/// Ids of what is in the gateway, is ours and left the spec: a list does not show their ETags. An API is read as a whole.
fn leaving(desired: &Topology, answers: &Answers) -> Vec<String> {
    let backends = desired.backends.values().map(|backend| &backend.name);
    let pools = desired.pools.values().map(|pool| &pool.name);
    let values = desired.named_values.values().map(|value| &value.name);
    let products = desired.products.values().map(|product| &product.name);
    let loggers = desired.observability.iter().flat_map(Observability::loggers).map(Logger::name);
    let of = |all: &[Value], names: Vec<&str>| -> Vec<String> {
        let gone = |one: &&Value| {
            arm::is_ours(desired, one) && !names.iter().any(|name| name.eq_ignore_ascii_case(id::name(&given(one))))
        };
        all.iter().filter(gone).map(given).collect()
    };
    [
        of(&answers.backends, backends.chain(pools).map(String::as_str).collect()),
        of(&answers.named_values, values.map(String::as_str).collect()),
        of(&answers.products, products.map(String::as_str).collect()),
        of(&answers.loggers, loggers.collect()),
    ]
    .concat()
}

fn given(resource: &Value) -> String {
    resource.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}
