//! Furnishing a local Azure: what a spec calls existing is made there on first use, without this program's mark.
//!
//! It stands there as somebody else would have made it: a service with its own identity, a network with its subnets, an
//! account with the deployments that the spec says are in it. What is there already is left as it is.
//!
//! Only a local Azure is furnished. In a real one what is missing is told, and nothing is written.

use super::client::{self, Outcome};
use super::problem;
use crate::arm::{self, Existing, id, request};
use crate::diagnostic::{Diagnostic, code};
use crate::topology::{Account, Deployment, GatewaySku, Identity, Location, Topology};
use crate::wire::{Cloud, Method, Request};
use serde_json::{Value, json};

/// Makes what `desired` calls existing and is not there; `made` is told of each.
pub async fn furnish(
    cloud: &dyn Cloud,
    desired: &Topology,
    made: &mut dyn FnMut(&Existing),
) -> Result<(), Vec<Diagnostic>> {
    for existing in arm::existing(desired) {
        let mut all: Vec<(String, Value)> = Vec::new();
        if let Some(group) = group_of(&existing.id) {
            let location = location(desired, &existing);
            all.push((group, json!({"location": location.as_str()})));
        }
        if let Some((network, _)) = existing.id.split_once("/subnets/") {
            let properties = json!({"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}});
            all.push((
                network.to_owned(),
                json!({"location": desired.scope.location.as_str(), "properties": properties}),
            ));
        }
        if id::kind(&existing.id).is_some_and(|kind| !kind.eq_ignore_ascii_case("Microsoft.Resources/resourceGroups")) {
            all.push((existing.id.clone(), body(desired, &existing)));
        }
        for (id, body) in all {
            if put(cloud, &existing, &id, &body).await? && id::same(&id, &existing.id) {
                made(&existing);
            }
        }
    }
    Ok(())
}

/// Writes what is not there; tells whether it did.
async fn put(cloud: &dyn Cloud, existing: &Existing, id: &str, body: &Value) -> Result<bool, Vec<Diagnostic>> {
    let one = |diagnostic| vec![diagnostic];
    if client::get_value(cloud, request::resource(id)).await.map_err(one)?.is_some() {
        return Ok(false);
    }
    let request = Request::arm(Method::Put, request::resource(id).url).json(body);
    match client::carry_out(cloud, request).await.map_err(one)? {
        Outcome::Done | Outcome::Absent => Ok(true),
        Outcome::Failed(causes) => {
            let told = causes.iter().map(|cause| problem::told(cause, None, code::AZURE_REFUSED).at(&existing.key));
            Err(told.collect())
        }
    }
}

/// The id of the resource group that something stands in, or is.
fn group_of(of: &str) -> Option<String> {
    let (subscription, group) = (id::after(of, "subscriptions")?, id::after(of, "resourceGroups")?);
    Some(format!("/subscriptions/{subscription}/resourceGroups/{group}"))
}

/// The region of the group that something stands in: that of an account where the spec says it.
fn location(desired: &Topology, existing: &Existing) -> Location {
    let account = account(desired, &existing.key).map(|(_, account)| account.location.clone());
    account.filter(Location::is_known).unwrap_or_else(|| desired.scope.location.clone())
}

/// The account that a key of the spec is about.
fn account<'a>(desired: &'a Topology, key: &str) -> Option<(&'a String, &'a Account)> {
    let about = |(account, _): &(&String, &Account)| key.starts_with(&format!("accounts.{account}."));
    // of two keys that both fit the longer is meant
    desired.accounts.iter().filter(about).max_by_key(|(account, _)| account.len())
}

/// What something is like that the spec calls existing, as far as the spec says it.
fn body(desired: &Topology, existing: &Existing) -> Value {
    let kind = id::kind(&existing.id).unwrap_or_default().to_ascii_lowercase();
    let location = location(desired, existing);
    match kind.as_str() {
        "microsoft.apimanagement/service" => service(desired),
        "microsoft.cognitiveservices/accounts" => json!({
            "location": location.as_str(),
            "kind": account(desired, &existing.key).map_or("OpenAI", |(_, account)| account.kind.as_str()),
            "sku": {"name": "S0"},
            "properties": {"customSubDomainName": id::name(&existing.id), "publicNetworkAccess": "Enabled"},
        }),
        "microsoft.cognitiveservices/accounts/deployments" => {
            let found = account(desired, &existing.key).and_then(|(_, of)| of.deployments.get(id::name(&existing.id)));
            found.map_or(Value::Null, deployment)
        }
        "microsoft.network/virtualnetworks/subnets" => subnet(desired, existing),
        "microsoft.network/privatednszones" => json!({"location": "global"}),
        "microsoft.operationalinsights/workspaces" => {
            json!({"location": location.as_str(), "properties": {"sku": {"name": "PerGB2018"}, "retentionInDays": 30}})
        }
        "microsoft.insights/components" => {
            json!({"location": location.as_str(), "kind": "web", "properties": {"Application_Type": "web"}})
        }
        _ => json!({"location": location.as_str()}),
    }
}

fn service(desired: &Topology) -> Value {
    let Some(gateway) = &desired.gateway else { return Value::Null };
    let identity = match (&gateway.identity, id::identity(desired)) {
        (Identity::System, _) | (_, None) => json!({"type": "SystemAssigned"}),
        (Identity::Managed(_) | Identity::Existing(_), Some(of)) => {
            json!({"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {of: {}}})
        }
    };
    json!({
        "location": gateway.location.as_str(),
        "sku": {"name": gateway.sku.as_str(), "capacity": gateway.capacity},
        "identity": identity,
        "properties": {"publisherName": "Somebody else", "publisherEmail": "somebody-else@example.com"},
    })
}

fn deployment(found: &Deployment) -> Value {
    let mut properties = json!({
        "model": {"format": found.model.format, "name": found.model.name, "version": found.model.version},
        "versionUpgradeOption": found.version_upgrade.as_str(),
    });
    if let Some(policy) = &found.rai_policy {
        properties["raiPolicyName"] = json!(policy);
    }
    json!({"sku": {"name": found.sku.as_str(), "capacity": found.capacity}, "properties": properties})
}

/// A subnet; one of a gateway on the v2 tiers is delegated, as those want it.
fn subnet(desired: &Topology, existing: &Existing) -> Value {
    use sha2::Digest;
    // subnets of one network must not overlap
    let hash = sha2::Sha256::digest(existing.id.to_lowercase().as_bytes());
    let prefix = format!("10.{}.{}.0/24", hash[0], hash[1]);
    let v2 = desired.gateway.as_ref().is_some_and(|gateway| {
        matches!(gateway.sku, GatewaySku::BasicV2 | GatewaySku::StandardV2 | GatewaySku::PremiumV2)
    });
    let delegated = v2 && existing.key.starts_with("gateway.");
    let delegations = if delegated {
        json!([{"name": "gateway", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}])
    } else {
        json!([])
    };
    json!({"properties": {"addressPrefix": prefix, "delegations": delegations}})
}
