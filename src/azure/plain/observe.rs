//! Log Analytics and what stands on it: workspaces, components, workbooks, rules, diagnostic settings.
//!
//! A deleted workspace is kept for 14 days; a PUT of its name brings it back with its ids and keys, and `force=true`
//! deletes it for good (learn.microsoft.com, delete and recover a Log Analytics workspace).

use crate::azure::World;
use crate::azure::lro::system_data;
use crate::azure::reply::{Reply, error};
use crate::azure::router::Call;
use crate::azure::shape::{short_location, stamp};
use crate::azure::state::Resource;
use serde_json::{Map, Value, json};

pub(super) const COMPONENT: &str = "Microsoft.Insights/components";
pub(super) const COMPONENT_SHOWN: &str = "microsoft.insights/components";
pub(super) const SETTING: &str = "Microsoft.Insights/diagnosticSettings";
pub(super) const WORKBOOK: &str = "Microsoft.Insights/workbooks";
pub(in crate::azure) const WORKSPACE: &str = "Microsoft.OperationalInsights/workspaces";

/// Whether a delete keeps the resource for a while.
pub(super) fn keeps(call: &Call) -> bool {
    let forced = call.url.query("force").is_some_and(|force| force.eq_ignore_ascii_case("true"));
    call.id.kind.name == WORKSPACE && !forced
}

/// A deleted workspace of the same id, which a PUT brings back.
pub(super) fn recover(world: &mut World, key: &str) -> Option<Resource> {
    let fits = |resource: &Resource| resource.kind == WORKSPACE && resource.id.eq_ignore_ascii_case(key);
    let deleted = world.state.deleted.iter().find(|(_, gone)| gone.resources.first().is_some_and(fits));
    let at = deleted.map(|(at, _)| at.clone())?;
    world.state.deleted.remove(&at)?.resources.into_iter().next()
}

/// `deletedWorkspaces` of a subscription or of a group: `under` is its key with a slash behind it.
pub(in crate::azure) fn deleted(world: &World, under: &str) -> Reply {
    let gone = world.state.deleted.values().filter_map(|gone| gone.resources.first());
    let value: Vec<Value> = gone
        .filter(|workspace| workspace.kind == WORKSPACE && workspace.id.to_lowercase().starts_with(under))
        .map(super::show)
        .collect();
    Reply::json(200, json!({ "value": value }))
}

pub(super) fn action(known: &Resource, action: &str) -> Option<Reply> {
    if known.kind != WORKSPACE || action != "sharedkeys" {
        return None;
    }
    let key = |name: &str| known.hidden.get(name).cloned().unwrap_or_default();
    Some(Reply::json(200, json!({"primarySharedKey": key("primary"), "secondarySharedKey": key("secondary")})))
}

pub(super) fn dress(world: &mut World, resource: &mut Resource, known: Option<&Resource>) -> Result<(), Reply> {
    match resource.kind.as_str() {
        WORKSPACE => workspace(world, resource, known),
        COMPONENT => component(world, resource, known),
        SETTING => setting(resource),
        WORKBOOK => {
            resource.etag = world.new_account_etag(resource.changed);
            resource.body.entry("kind").or_insert("shared".into());
            add(resource, "version", "Notebook/1.0".into());
            add(resource, "category", "workbook".into());
            let changed = stamp(resource.changed);
            resource.set_property("timeModified", changed);
            resource.body.insert("systemData".into(), system_data(resource.created, resource.changed));
            Ok(())
        }
        "Microsoft.Insights/scheduledQueryRules" => {
            resource.etag = world.new_account_etag(resource.changed);
            add(resource, "enabled", true.into());
            add(resource, "isLegacyLogAnalyticsRule", false.into());
            add(resource, "isWorkspaceAlertsStorageConfigured", false.into());
            resource.body.insert("systemData".into(), system_data(resource.created, resource.changed));
            Ok(())
        }
        _ => {
            add(resource, "enabled", true.into());
            Ok(())
        }
    }
}

/// Adds a property that was not sent.
fn add(resource: &mut Resource, name: &str, value: Value) {
    if let Some(Value::Object(properties)) = resource.body.get_mut("properties") {
        properties.entry(name).or_insert(value);
    }
}

fn workspace(world: &mut World, resource: &mut Resource, known: Option<&Resource>) -> Result<(), Reply> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let name = resource.name.as_str();
    if !(4..=63).contains(&name.len()) || !name.chars().all(plain) || name.starts_with('-') || name.ends_with('-') {
        let message = format!(
            "The workspace name '{name}' is invalid: it has from 4 to 63 letters, digits and '-', which is neither first nor last."
        );
        return Err(error(400, "InvalidParameter", message));
    }
    resource.etag = world.new_account_etag(resource.changed);
    let customer = match known {
        Some(known) => known.text("properties/customerId").to_string(),
        None => world.new_guid("workspace"),
    };
    for name in ["primary", "secondary"] {
        if !resource.hidden.contains_key(name) {
            resource.hidden.insert(name.into(), world.new_key(name, 88));
        }
    }
    let (created, changed) = (stamp(resource.created), stamp(resource.changed));
    resource.set_property("customerId", customer);
    resource.set_property("provisioningState", "Succeeded");
    let sku = resource.at("properties/sku").clone();
    let name = sku.get("name").and_then(Value::as_str).unwrap_or("PerGB2018").to_lowercase();
    let mut sku = sku.as_object().cloned().unwrap_or_default();
    // Azure answers the SKU's name in lower case, whichever was sent
    sku.insert("name".into(), name.into());
    sku.insert("lastSkuUpdate".into(), created.clone().into());
    resource.set_property("sku", sku);
    add(resource, "retentionInDays", 30.into());
    let mut features = resource.at("properties/features").as_object().cloned().unwrap_or_default();
    features.insert("legacy".into(), 0.into());
    features.insert("searchVersion".into(), 1.into());
    features.entry("enableLogAccessUsingOnlyResourcePermissions").or_insert(true.into());
    resource.set_property("features", features);
    let mut capping = resource.at("properties/workspaceCapping").as_object().cloned().unwrap_or_default();
    capping.entry("dailyQuotaGb").or_insert((-1.0).into());
    capping.insert("quotaNextResetTime".into(), changed.clone().into());
    capping.insert("dataIngestionStatus".into(), "RespectQuota".into());
    resource.set_property("workspaceCapping", capping);
    add(resource, "publicNetworkAccessForIngestion", "Enabled".into());
    add(resource, "publicNetworkAccessForQuery", "Enabled".into());
    resource.set_property("createdDate", created);
    resource.set_property("modifiedDate", changed);
    Ok(())
}

fn component(world: &mut World, resource: &mut Resource, known: Option<&Resource>) -> Result<(), Reply> {
    let sent = match resource.body.remove("properties") {
        Some(Value::Object(sent)) => sent,
        _ => Map::new(),
    };
    resource.etag = world.new_account_etag(resource.changed);
    resource.body.entry("tags").or_insert_with(|| json!({}));
    let (app, key) = match known {
        Some(known) => {
            (known.text("properties/AppId").to_string(), known.text("properties/InstrumentationKey").to_string())
        }
        None => (world.new_guid("component"), world.new_key("instrumentation key", 32)),
    };
    let region = short_location(resource.text("location"));
    let connection = format!(
        "InstrumentationKey={key};IngestionEndpoint=https://{region}-0.in.applicationinsights.azure.com/;LiveEndpoint=https://{region}.livediagnostics.monitor.azure.com/;ApplicationId={app}"
    );
    let or = |name: &str, usual: Value| sent.get(name).cloned().unwrap_or(usual);
    let mut properties = json!({
        "ApplicationId": resource.name,
        "AppId": app,
        "Application_Type": or("Application_Type", "web".into()),
        "Flow_Type": or("Flow_Type", Value::Null),
        "Request_Source": or("Request_Source", Value::Null),
        "InstrumentationKey": key,
        "ConnectionString": connection,
        "Name": resource.name,
        "CreationDate": stamp(resource.created).replace('Z', "+00:00"),
        "TenantId": resource.id.split('/').nth(2),
        "provisioningState": "Succeeded",
        "SamplingPercentage": or("SamplingPercentage", Value::Null),
        "RetentionInDays": or("RetentionInDays", 90.into()),
        "WorkspaceResourceId": or("WorkspaceResourceId", Value::Null),
        "IngestionMode": "LogAnalytics",
        "publicNetworkAccessForIngestion": or("publicNetworkAccessForIngestion", "Enabled".into()),
        "publicNetworkAccessForQuery": or("publicNetworkAccessForQuery", "Enabled".into()),
        "Ver": "v2",
    });
    if let Value::Object(map) = &mut properties {
        for (name, value) in sent {
            if !map.contains_key(&name) {
                map.insert(name, value);
            }
        }
    }
    resource.body.insert("properties".into(), properties);
    Ok(())
}

/// Diagnostic settings show every place that they could write to, and every category's retention.
fn setting(resource: &mut Resource) -> Result<(), Reply> {
    let targets = [
        "storageAccountId",
        "serviceBusRuleId",
        "workspaceId",
        "eventHubAuthorizationRuleId",
        "eventHubName",
        "marketplacePartnerId",
    ];
    if targets.iter().all(|name| resource.at(&format!("properties/{name}")).is_null()) {
        let message = "Diagnostic settings need a place to write to: a workspace, a storage account or an event hub.";
        return Err(error(400, "BadRequest", message));
    }
    for name in targets.iter().filter(|name| **name != "marketplacePartnerId").chain(&["logAnalyticsDestinationType"]) {
        add(resource, name, Value::Null);
    }
    for list in ["logs", "metrics"] {
        let mut items = resource.at(&format!("properties/{list}")).as_array().cloned().unwrap_or_default();
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.entry("retentionPolicy").or_insert_with(|| json!({"enabled": false, "days": 0}));
            for name in if list == "logs" { &["category", "categoryGroup"][..] } else { &["timeGrain"][..] } {
                item.entry(*name).or_insert(Value::Null);
            }
        }
        resource.set_property(list, items);
    }
    for name in ["location", "kind", "tags", "identity"] {
        resource.body.insert(name.into(), Value::Null);
    }
    Ok(())
}
