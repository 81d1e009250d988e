//! Reading live state: list calls side by side, three round trips deep.

use super::client::{get, get_value, list};
use crate::arm::{self, Answers, id, request};
use crate::diagnostic::{Diagnostic, Exit};
use crate::topology::address::Logger;
use crate::topology::{Address, Live, Location, Observability, Topology};
use crate::wire::{BoxFuture, Cloud, Request};
use futures::future::{join_all, try_join_all};
use serde_json::Value;
use std::collections::BTreeSet;

/// Reads what Azure holds. `desired` is resolved: its names and its subscription are known.
///
/// First what the group and the subscription hold and what is left of quotas, then what is in the gateway and the accounts, then operations,
/// policies, and the ETags of what may have to be deleted.
pub async fn read_live(cloud: &dyn Cloud, desired: &Topology) -> Result<Live, Vec<Diagnostic>> {
    let answers = read(cloud, desired).await.map_err(|diagnostic| vec![diagnostic])?;
    arm::decode(desired, &answers)
}

async fn read(cloud: &dyn Cloud, desired: &Topology) -> Result<Answers, Diagnostic> {
    let mut answers = Answers::default();
    let one = |request: Request| -> BoxFuture<'_, Result<Vec<Value>, Diagnostic>> {
        Box::pin(async move { Ok(get_value(cloud, request).await?.into_iter().collect()) })
    };
    let all = |request: Request| -> BoxFuture<'_, Result<Vec<Value>, Diagnostic>> { Box::pin(list(cloud, request)) };
    let seen = |request: Request| -> BoxFuture<'_, Result<Vec<Value>, Diagnostic>> {
        Box::pin(async move {
            match list(cloud, request).await {
                // whoever may not look at the whole subscription deploys without knowing; Azure will say it then
                Err(diagnostic) if diagnostic.code.exit() == Exit::Forbidden => Ok(Vec::new()),
                other => other,
            }
        })
    };
    let told = |request: Request| -> BoxFuture<'_, Result<Vec<Value>, Diagnostic>> {
        Box::pin(async move {
            match list(cloud, request).await {
                // quota needs a role on the subscription, and serves to refuse early only
                Err(problem) if matches!(problem.code.exit(), Exit::Forbidden | Exit::Refused) => Ok(Vec::new()),
                other => other,
            }
        })
    };
    let regions = regions(desired);
    let recorders = arm::recorders(desired);
    let usages = regions.iter().map(|region| told(request::usages(desired, region)));
    let mut first = try_join_all(
        [
            one(request::group(desired)),
            one(request::deployment(desired, &arm::deployment_name(desired))),
            all(request::services(desired)),
            all(request::accounts(desired)),
            all(request::roles(desired)),
            seen(request::deleted_services(desired)),
            seen(request::deleted_accounts(desired)),
            all(request::resources(desired)),
        ]
        .into_iter()
        .chain(recorders.iter().map(|recorder| one(request::whole(recorder))))
        .chain(usages),
    )
    .await?
    .into_iter();
    let mut next = || first.next().unwrap_or_default();
    answers.group = next().pop();
    answers.deployment = next().pop();
    answers.services = next();
    answers.accounts = next();
    answers.roles = next();
    answers.deleted_services = next();
    answers.deleted_accounts = next();
    let inside = next();
    answers.recorders = recorders.iter().flat_map(|_| next()).collect();
    // those that left the spec are known by their mark
    answers.recorders.extend(inside.into_iter().filter(|resource| arm::is_left(desired, resource)));
    answers.usages = regions.into_iter().zip(first).collect();

    let accounts: Vec<String> = answers.accounts.iter().filter(|a| arm::holds_models(a)).map(given).collect();
    let gateway = arm::find_gateway(desired, &answers.services).map(given);
    let collections = ["backends", "apis", "subscriptions", "namedValues", "products", "loggers"];
    let children = gateway.iter().flat_map(|gateway| collections.map(|name| all(request::children(gateway, name))));
    let deployments = accounts.iter().map(|account| all(request::deployments(account)));
    let mut second = try_join_all(children.chain(deployments)).await?.into_iter();
    if gateway.is_some() {
        let mut next = || second.next().unwrap_or_default();
        answers.backends = next();
        answers.apis = next();
        answers.subscriptions = next();
        answers.named_values = next();
        answers.products = next();
        answers.loggers = next();
    }
    answers.deployments = accounts.into_iter().zip(second).collect();

    third(cloud, desired, gateway.as_deref(), &mut answers).await?;
    Ok(answers)
}

/// Where the spec's deployments of the stack's subscription stand: each region has quotas of its own.
fn regions(desired: &Topology) -> BTreeSet<Location> {
    let accounts = desired.accounts.values().filter(|account| {
        !account.deployments.is_empty() && account.place.subscription.is_none() && account.location.is_known()
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
