//! What of a quota is used, and what is refused beyond it.

use super::*;

const QUOTA: &str = "OpenAI.Standard.gpt-4o";

/// A group with an account `aoai` in eastus2, ready, and `limit` of [`QUOTA`].
fn with_account(limit: u64) -> Bench {
    let mut bench = Bench::with_group();
    bench.world = bench.world.with_quota(QUOTA, limit);
    assert_eq!(bench.send(Method::Put, &bench.account(""), COGNITIVE, account("quota-1")).status, 201);
    bench.wait(20);
    bench
}

fn sized(sku: &str, capacity: u64) -> Value {
    json!({"sku": {"name": sku, "capacity": capacity},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}}})
}

fn put(bench: &mut Bench, name: &str, capacity: u64) -> Response {
    bench.wait(2);
    bench.send(Method::Put, &bench.account(&format!("/deployments/{name}")), COGNITIVE, sized("Standard", capacity))
}

/// What is used of a quota and its limit, in a region.
fn usage(bench: &mut Bench, region: &str, name: &str) -> Option<(u64, u64)> {
    let path = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/{region}/usages");
    let (status, body) = bench.get(&path, COGNITIVE);
    assert_eq!(status, 200, "{body}");
    let all = body["value"].as_array().expect("a list");
    let found = all.iter().find(|quota| quota["name"]["value"] == name)?;
    Some((found["currentValue"].as_u64()?, found["limit"].as_u64()?))
}

#[test]
fn a_deployment_uses_the_quota_of_its_region_model_and_sku() {
    let mut bench = with_account(100);
    assert_eq!(usage(&mut bench, "eastus2", QUOTA), Some((0, 100)));
    assert_eq!(put(&mut bench, "gpt", 60).status, 201);
    assert_eq!(usage(&mut bench, "eastus2", QUOTA), Some((60, 100)));
    assert_eq!(usage(&mut bench, "East US 2", QUOTA), Some((60, 100)), "however the region is written");
    for (region, other) in [
        ("westus3", QUOTA),
        ("eastus2", "OpenAI.GlobalStandard.gpt-4o"),
        ("eastus2", "OpenAI.Standard.gpt-4o-mini"),
        ("eastus2", "OpenAI.ProvisionedManaged"),
        ("eastus2", "OpenAI.GlobalStandard.gpt4.1"),
    ] {
        assert_eq!(usage(&mut bench, region, other).map(|(used, _)| used), Some(0), "{other} in {region}");
    }
    let nowhere = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/moon/usages");
    assert_eq!(bench.get(&nowhere, COGNITIVE).0, 400);
}

#[test]
fn what_is_more_than_is_left_is_refused_in_azures_words() {
    let mut bench = with_account(100);
    assert_eq!(put(&mut bench, "gpt", 60).status, 201);
    let refused = put(&mut bench, "other", 41);
    assert_eq!((refused.status, code(&refused).as_str()), (400, "InsufficientQuota"));
    assert_eq!(
        message(&refused),
        "This operation require 41 new capacity in quota Tokens Per Minute (thousands) - gpt-4o, which is bigger than the \
         current available capacity 40. The current quota usage is 60 and the quota limit is 100 for quota Tokens Per \
         Minute (thousands) - gpt-4o."
    );
    assert_eq!(put(&mut bench, "other", 40).status, 201);
    // what a deployment has is its own: only what is new counts
    assert_eq!(put(&mut bench, "gpt", 60).status, 200);
    assert_eq!(code(&put(&mut bench, "gpt", 61)), "InsufficientQuota");
    assert_eq!(put(&mut bench, "gpt", 50).status, 200);
    assert_eq!(put(&mut bench, "other", 50).status, 200);
    // another SKU has another quota
    let global = sized("GlobalStandard", 500);
    bench.wait(2);
    assert_eq!(bench.send(Method::Put, &bench.account("/deployments/global"), COGNITIVE, global).status, 201);
}

#[test]
fn a_soft_deleted_account_holds_its_quota_until_it_is_purged() {
    let mut bench = with_account(100);
    put(&mut bench, "gpt", 60);
    bench.wait(2);
    assert_eq!(bench.send(Method::Delete, &bench.account(""), COGNITIVE, Value::Null).status, 200);
    assert_eq!(usage(&mut bench, "eastus2", QUOTA), Some((60, 100)));
    let remains = format!(
        "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/eastus2/resourceGroups/rg/deletedAccounts/aoai"
    );
    assert_eq!(bench.send(Method::Delete, &remains, COGNITIVE, Value::Null).status, 202);
    bench.wait(60);
    assert_eq!(usage(&mut bench, "eastus2", QUOTA), Some((0, 100)));
}

#[test]
fn a_template_is_refused_before_anything_is_made() {
    let mut bench = Bench::with_group();
    bench.world = bench.world.with_quota(QUOTA, 100);
    let template = |capacity: u64| {
        let mut account = account("quota-2");
        account["type"] = json!("Microsoft.CognitiveServices/accounts");
        account["apiVersion"] = json!(COGNITIVE);
        account["name"] = json!("aoai");
        let mut deployment = sized("Standard", capacity);
        deployment["type"] = json!("Microsoft.CognitiveServices/accounts/deployments");
        deployment["apiVersion"] = json!(COGNITIVE);
        deployment["name"] = json!("aoai/gpt");
        deployment["dependsOn"] = json!(["[resourceId('Microsoft.CognitiveServices/accounts', 'aoai')]"]);
        json!({"properties": {"mode": "Incremental", "template": {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0", "resources": [account, deployment]}}})
    };
    let path = bench.group("/providers/Microsoft.Resources/deployments/main");
    for (method, path) in [(Method::Post, format!("{path}/validate")), (Method::Put, path.clone())] {
        let refused = bench.send(method, &path, "2025-04-01", template(101));
        assert_eq!((refused.status, code(&refused).as_str()), (400, "InvalidTemplateDeployment"));
        let body = refused.value().expect("an error");
        assert_eq!(body["error"]["details"][0]["code"], "InsufficientQuota", "{body}");
    }
    bench.wait(600);
    assert_eq!(bench.get(&bench.account("").clone(), COGNITIVE).0, 404);
    assert_eq!(bench.send(Method::Put, &path, "2025-04-01", template(100)).status, 201);
    bench.wait(600);
    assert_eq!(usage(&mut bench, "eastus2", QUOTA), Some((100, 100)));
}
