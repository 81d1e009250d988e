//! What a service of the classic tiers has from its first day: two products, a subscription to each, and an API that
//! answers what it was asked.

use super::child::{Written, in_service, keep, named};
use super::{apis, subscriptions};
use crate::azure::World;
use crate::azure::router::Call;
use crate::azure::shape::hex;
use crate::policy_xml;
use serde_json::{Map, Value, json};

const OPERATIONS: [(&str, &str, &str, &str); 6] = [
    ("create-resource", "Create resource", "POST", "/resource"),
    ("modify-resource", "Modify Resource", "PUT", "/resource"),
    ("remove-resource", "Remove resource", "DELETE", "/resource"),
    ("retrieve-header-only", "Retrieve header only", "HEAD", "/resource"),
    ("retrieve-resource", "Retrieve resource", "GET", "/resource"),
    ("retrieve-resource-cached", "Retrieve resource (cached)", "GET", "/resource-cached"),
];

const LIMITS: &str = "<policies><inbound><rate-limit calls=\"5\" renewal-period=\"60\" /><quota calls=\"100\" renewal-period=\"604800\" /><base /></inbound><backend><base /></backend><outbound><base /></outbound></policies>";

pub(super) fn give(world: &mut World, call: &Call) {
    let service = &call.id;
    let products = [
        (
            "starter",
            json!({
                "displayName": "Starter",
                "description": "Subscribers will be able to run 5 calls/minute up to a maximum of 100 calls/week.",
                "terms": "", "subscriptionRequired": true, "approvalRequired": false, "subscriptionsLimit": 1,
                "state": "published",
            }),
        ),
        (
            "unlimited",
            json!({
                "displayName": "Unlimited",
                "description": "Subscribers have completely unlimited access to the API. Administrator approval is required.",
                "terms": null, "subscriptionRequired": true, "approvalRequired": true, "subscriptionsLimit": 1,
                "state": "published",
            }),
        ),
    ];
    let api = in_service(service, "apis", &["echo-api"]);
    let sent = json!({
        "displayName": "Echo API", "serviceUrl": "http://echoapi.cloudapp.net/api", "path": "echo", "protocols": ["https"],
    });
    let echo = call.to(api.clone(), Value::Null);
    let Ok(written) = apis::write(world, &echo, crate::azure::shape::object(Some(&sent))) else { return };
    keep(world, call.now, &api, written);
    for (name, title, method, template) in OPERATIONS {
        let operation = json!({
            "displayName": title, "method": method, "urlTemplate": template, "templateParameters": [],
            "description": null, "request": {"queryParameters": [], "headers": [], "representations": []},
            "responses": [], "policies": null,
        });
        keep(world, call.now, &api.child("operations", name), Written::of(&operation));
    }
    for (name, properties) in products {
        let product = in_service(service, "products", &[name]);
        keep(world, call.now, &product, Written::of(&properties));
        keep(world, call.now, &product.child("apis", "echo-api"), Written::default());
        for group in ["administrators", "developers", "guests"] {
            keep(world, call.now, &product.child("groups", group), Written::default());
        }
        let id = in_service(service, "subscriptions", &[&hex(&world.fresh("subscription")[..12])]);
        let owner = named(world, service, "users", "/users/1").map(|user| Value::from(user.id.clone()));
        let sent = Map::from_iter([
            ("ownerId".to_string(), owner.unwrap_or_default()),
            ("allowTracing".to_string(), true.into()),
        ]);
        subscriptions::give(world, call.now, &id, &sent, product.text());
    }
    let limits = policy_xml::service_form(LIMITS).unwrap_or_default();
    let policy = in_service(service, "products/policies", &["starter", "policy"]);
    keep(world, call.now, &policy, Written::of(&json!({ "value": limits })));
}
