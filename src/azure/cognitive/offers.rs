//! What Cognitive Services offer in a region: models, SKUs of accounts, free names, capacity that is left.
//!
//! Models come from the catalogue; which region offers which stands there with the day of its source, and a model of
//! which the table says nothing is listed everywhere.

use super::usages;
use crate::azure::World;
use crate::azure::reply::{Reply, error, gateway};
use crate::azure::router::Ask;
use crate::azure::shape::short_location;
use crate::catalogue::{
    Kind, Lifecycle, MODELS, Model, REGIONS, SKUS, Serving, Sku, is_provisioned, model, offered, quota_name, region,
};
use serde_json::{Map, Value, json};

/// The kinds of account that hold models.
const HOLDERS: [&str; 2] = ["AIServices", "OpenAI"];

/// The models of a region.
pub(super) fn models(location: &str) -> Reply {
    let Some(region) = region(location) else { return no_such_location(location) };
    let value: Vec<Value> = MODELS
        .iter()
        .filter(|model| model.lifecycle != Lifecycle::Retired)
        .flat_map(|model| HOLDERS.map(|kind| (model, kind)))
        .map(|(model, kind)| json!({"kind": kind, "skuName": "S0", "model": shown(model, region.name)}))
        .collect();
    Reply::json(200, json!({ "value": value }))
}

/// The models that an account can deploy: the same without the account's own kind around each.
pub(super) fn models_of_account(kind: &str, location: &str) -> Reply {
    let holds = HOLDERS.contains(&kind);
    let value: Vec<Value> = MODELS
        .iter()
        .filter(|model| holds && model.lifecycle != Lifecycle::Retired)
        .map(|model| shown(model, &short_location(location)))
        .collect();
    Reply::json(200, json!({ "value": value }))
}

fn shown(known: &Model, region: &str) -> Value {
    let word = match known.lifecycle {
        Lifecycle::Current => "GenerallyAvailable",
        Lifecycle::Preview => "Preview",
        Lifecycle::Ending => "Deprecating",
        Lifecycle::Retired => "Deprecated",
    };
    let ends = (!known.retires.is_empty()).then(|| format!("{}T00:00:00Z", known.retires));
    let capabilities = match known.kind {
        Kind::Chat => json!({"chatCompletion": "true", "scaleType": "Manual,Standard"}),
        Kind::Embedding => json!({"embeddings": "true", "scaleType": "Manual,Standard"}),
        Kind::Media => json!({"scaleType": "Manual,Standard"}),
    };
    let skus: Vec<Value> = SKUS
        .iter()
        .filter(|sku| sells(known, sku, region))
        .map(|sku| {
            let (least, step) = known.units(sku.name).unwrap_or((1, 1));
            let mut item = json!({
                "name": sku.name,
                "usageName": quota_name(sku, known.format, known.name),
                "capacity": {"minimum": least, "step": step, "maximum": 100_000, "default": least},
            });
            if let (Value::Object(map), Some(ends)) = (&mut item, &ends) {
                map.insert("deprecationDate".into(), ends.clone().into());
            }
            item
        })
        .collect();
    let mut body = Map::from_iter([
        ("format".to_string(), known.format.into()),
        ("name".to_string(), known.name.into()),
        ("version".to_string(), known.version.into()),
        ("isDefaultVersion".to_string(), (model(known.name, None) == Some(known)).into()),
        ("skus".to_string(), skus.into()),
        ("maxCapacity".to_string(), 3.into()),
        ("capabilities".to_string(), capabilities),
        ("lifecycleStatus".to_string(), word.into()),
    ]);
    if let Some(ends) = ends {
        body.insert("deprecation".into(), json!({ "inference": ends }));
    }
    Value::Object(body)
}

/// Whether a region offers a model in a SKU, as far as the catalogue says.
fn sells(model: &Model, sku: &Sku, region: &str) -> bool {
    if sku.serving == Serving::Developer || (is_provisioned(sku.name) && model.provisioned.is_none()) {
        return false;
    }
    offered(model, sku.name).is_none_or(|regions| regions.contains(&region))
}

/// `modelCapacities`: what is left of a model's quotas, in one region or in every one that offers it.
pub(super) fn capacities(world: &World, ask: &Ask<'_>, subscription: &str, location: Option<&str>) -> Reply {
    let asked = |name: &str| ask.url.query(name).unwrap_or("");
    let (format, name, version) = (asked("modelFormat"), asked("modelName"), asked("modelVersion"));
    if format.is_empty() || name.is_empty() || version.is_empty() {
        let message = "The query parameters 'modelFormat', 'modelName' and 'modelVersion' are required.";
        return error(400, "InvalidQueryParameter", message);
    }
    if let Some(location) = location.filter(|location| region(location).is_none()) {
        return no_such_location(location);
    }
    let Some(known) = model(name, Some(version)).filter(|known| known.format.eq_ignore_ascii_case(format)) else {
        return Reply::json(200, json!({"value": []}));
    };
    let there = |name: &str| location.is_none_or(|location| short_location(location) == name);
    let mut value = Vec::new();
    for region in REGIONS.iter().filter(|region| there(region.name)) {
        for sku in SKUS.iter().filter(|sku| sells(known, sku, region.name)) {
            let Some(left) = usages::left(world, subscription, region.name, sku, known) else { continue };
            let base = "/providers/Microsoft.CognitiveServices/locations";
            let called = format!("{}.{}.{}", known.format, known.name, known.version);
            value.push(json!({
                "id": format!("/subscriptions/{subscription}{base}/{}/models/{called}/skuCapacities/{}", region.name, sku.name),
                "type": "Microsoft.CognitiveServices/locations/models/skuCapacities",
                "name": sku.name,
                "location": region.name,
                "properties": {
                    "model": {"format": known.format, "name": known.name, "version": known.version},
                    "skuName": sku.name,
                    "availableCapacity": left,
                    "availableFinetuneCapacity": 0,
                },
            }));
        }
    }
    Reply::json(200, json!({ "value": value }))
}

/// `skus`: what accounts are sold as, and where.
pub(super) fn account_skus() -> Reply {
    let locations: Vec<String> = REGIONS.iter().map(|region| region.name.to_uppercase()).collect();
    let value: Vec<Value> = super::accounts::KINDS
        .iter()
        .map(|kind| {
            json!({
                "resourceType": "accounts",
                "name": "S0",
                "tier": "Standard",
                "kind": kind,
                "locations": locations,
                "restrictions": [],
            })
        })
        .collect();
    Reply::json(200, json!({ "value": value }))
}

/// `checkSkuAvailability` of a region.
pub(super) fn check_skus(location: &str, body: &Value) -> Reply {
    if region(location).is_none() {
        return no_such_location(location);
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("");
    let Some(skus) = body.get("skus").and_then(Value::as_array) else {
        return error(400, "InvalidRequestBody", "The body needs 'skus', 'kind' and 'type'.");
    };
    let sold = super::accounts::KINDS.iter().any(|kind| kind.eq_ignore_ascii_case(text("kind")));
    let value: Vec<Value> = skus
        .iter()
        .map(|sku| {
            let free = sold && (sku == "S0" || sku == "F0");
            let why = (!free).then_some("The SKU is not offered for this kind in this region.");
            json!({
                "kind": text("kind"),
                "type": text("type"),
                "skuName": sku,
                "skuAvailable": free,
                "reason": why.map(|_| "NotAvailableForSubscription"),
                "message": why,
            })
        })
        .collect();
    Reply::json(200, json!({ "value": value }))
}

/// `checkDomainAvailability`: whether an account may still take a subdomain.
pub(super) fn check_domain(world: &World, body: &Value) -> Reply {
    let Some(name) = body.get("subdomainName").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
        return error(400, "InvalidRequestBody", "The body needs 'subdomainName' and 'type'.");
    };
    let free = !super::accounts::taken(world, "", name);
    let why =
        (!free).then(|| format!("The subdomain name '{name}' is not available as it's already used by a resource."));
    Reply::json(
        200,
        json!({
            "isSubdomainAvailable": free,
            "reason": why,
            "subdomainName": name,
            "type": super::ACCOUNT,
            "kind": body.get("kind"),
        }),
    )
}

pub(super) fn no_such_location(location: &str) -> Reply {
    let message = format!("No registered resource provider found for location '{location}'.");
    gateway(400, "NoRegisteredProviderFound", message)
}
