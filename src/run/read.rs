//! Reading live state: list calls side by side, three round trips deep.

use super::client::{get, get_value, list};
use crate::arm::{self, Answers, id, request};
use crate::diagnostic::{Diagnostic, Exit};
use crate::topology::{Live, Location, Topology};
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
        ]
        .into_iter()
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
    answers.usages = regions.into_iter().zip(first).collect();

    let accounts: Vec<String> = answers.accounts.iter().filter(|a| arm::holds_models(a)).map(given).collect();
    let gateway = arm::find_gateway(desired, &answers.services).map(given);
    let collections = ["backends", "apis", "subscriptions"];
    let children = gateway.iter().flat_map(|gateway| collections.map(|name| all(request::children(gateway, name))));
    let deployments = accounts.iter().map(|account| all(request::deployments(account)));
    let mut second = try_join_all(children.chain(deployments)).await?.into_iter();
    if gateway.is_some() {
        let mut next = || second.next().unwrap_or_default();
        answers.backends = next();
        answers.apis = next();
        answers.subscriptions = next();
    }
    answers.deployments = accounts.into_iter().zip(second).collect();

    third(cloud, desired, &mut answers).await?;
    Ok(answers)
}

/// Where the spec's deployments of the stack's subscription stand: each region has quotas of its own.
fn regions(desired: &Topology) -> BTreeSet<Location> {
    let accounts = desired.accounts.values().filter(|account| {
        !account.deployments.is_empty() && account.place.subscription.is_none() && account.location.is_known()
    });
    accounts.map(|account| account.location.clone()).collect()
}

/// What hangs on an API, and the ETags.
async fn third(cloud: &dyn Cloud, desired: &Topology, answers: &mut Answers) -> Result<(), Diagnostic> {
    let wanted =
        |api: &Value| desired.apis.values().any(|wanted| wanted.name.eq_ignore_ascii_case(id::name(&given(api))));
    let apis: Vec<String> =
        answers.apis.iter().filter(|api| wanted(api) || arm::is_ours(desired, api)).map(given).collect();
    let leaving: Vec<String> = leaving(desired, answers);
    let whole = join_all(apis.iter().map(|api| get(cloud, request::api(api))));
    let operations = join_all(apis.iter().map(|api| list(cloud, request::operations(api))));
    let policies = join_all(apis.iter().map(|api| get_value(cloud, request::policy(api))));
    let etags = join_all(leaving.iter().map(|resource| get(cloud, request::resource(resource))));
    let (whole, operations, policies, etags) = futures::future::join4(whole, operations, policies, etags).await;
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
    for (api, operations) in apis.iter().zip(operations) {
        answers.operations.insert(api.clone(), operations?);
    }
    for (api, policy) in apis.iter().zip(policies) {
        let policy = policy?;
        if let Some(text) = policy.as_ref().and_then(|policy| policy.pointer("/properties/value")?.as_str()) {
            answers.policies.insert(api.clone(), text.to_owned());
        }
    }
    for (resource, response) in leaving.into_iter().zip(etags) {
        if let Some(etag) = response?.as_ref().and_then(|response| response.headers.get("ETag")) {
            answers.etags.insert(resource, etag.to_owned());
        }
    }
    Ok(())
}

/// Ids of backends and pools that are ours and left the spec: a list does not show their ETags.
fn leaving(desired: &Topology, answers: &Answers) -> Vec<String> {
    let backends = desired.backends.values().map(|backend| &backend.name);
    let names: Vec<&String> = backends.chain(desired.pools.values().map(|pool| &pool.name)).collect();
    let gone = |resource: &&Value| {
        arm::is_ours(desired, resource)
            && !names.iter().any(|name| name.eq_ignore_ascii_case(id::name(&given(resource))))
    };
    answers.backends.iter().filter(gone).map(given).collect()
}

fn given(resource: &Value) -> String {
    resource.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}
