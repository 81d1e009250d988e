//! Networks, as far as an account or a service is reached through one: virtual networks with their subnets, private
//! endpoints with the connection that they make on their target, private zones.
//!
//! A subnet is one thing with two addresses: its own, and an element of its network's body. A write of either is seen in
//! both.

use crate::azure::World;
use crate::azure::reply::{Reply, error, gateway};
use crate::azure::router::Call;
use crate::azure::shape::guid;
use crate::azure::state::Resource;
use crate::time::Time;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NETWORK: &str = "Microsoft.Network/virtualNetworks";
const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";
pub(in crate::azure) const ENDPOINT: &str = "Microsoft.Network/privateEndpoints";
const ZONE_GROUP: &str = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups";
const ZONE: &str = "Microsoft.Network/privateDnsZones";

/// Refuses a write while another one works on the resource, in recorded words.
pub(super) fn busy(world: &World, known: &Resource) -> Option<Reply> {
    let running = world
        .state
        .operations
        .iter()
        .find(|(_, operation)| !operation.settled && operation.target.eq_ignore_ascii_case(&known.id))?;
    let (key, operation) = running;
    let address = world.network_address(key, operation, "operations");
    let message = format!(
        "Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: {address}."
    );
    let error = json!({"code": "AnotherOperationInProgress", "message": message, "details": []});
    Some(Reply::pretty(409, json!({ "error": error })))
}

/// Refuses to delete a zone that is linked.
pub(super) fn holds(world: &World, call: &Call) -> Option<Reply> {
    if call.id.kind.name != ZONE {
        return None;
    }
    let under = format!("{}/", call.key());
    let (_, nested) = world.state.resources.range(under.clone()..).find(|(key, _)| key.starts_with(&under))?;
    let short = nested.id.split("/providers/").last().unwrap_or("");
    let message = format!(
        "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: '{short}'. Please delete all nested resources before deleting this resource."
    );
    Some(gateway(409, "CannotDeleteResource", message))
}

pub(super) fn dress(world: &mut World, resource: &mut Resource, known: Option<&Resource>) -> Result<(), Reply> {
    let id = resource.id.clone();
    match resource.kind.as_str() {
        ENDPOINT => {
            resource.etag = world.new_guid("network");
            endpoint(world, resource, known)?;
        }
        ZONE_GROUP => {
            for config in list(resource, "privateDnsZoneConfigs").into_iter().flatten() {
                let name = config["name"].as_str().unwrap_or("").to_string();
                config["id"] = format!("{id}/privateDnsZoneConfigs/{name}").into();
                config["properties"]["recordSets"] = json!([]);
                config["properties"]["provisioningState"] = "Succeeded".into();
            }
            resource.set_property("provisioningState", "Updating");
        }
        NETWORK => {
            for subnet in list(resource, "subnets").into_iter().flatten() {
                let name = subnet["name"].as_str().unwrap_or("").to_string();
                if name.is_empty() || name.contains('/') {
                    return Err(error(400, "InvalidRequestFormat", "Cannot parse the request: a subnet needs a name."));
                }
                *subnet = json!({
                    "name": name,
                    "id": format!("{id}/subnets/{name}"),
                    "properties": subnet_properties(subnet),
                    "type": SUBNET,
                });
            }
            resource.set_property("provisioningState", "Succeeded");
        }
        SUBNET => {
            let properties = subnet_properties(&Value::Object(resource.body.clone()));
            resource.body.insert("properties".into(), properties);
        }
        _ => resource.set_property("provisioningState", "Succeeded"),
    }
    Ok(())
}

fn list<'a>(resource: &'a mut Resource, name: &str) -> Option<&'a mut Vec<Value>> {
    let list = resource.body.get_mut("properties")?.get_mut(name)?.as_array_mut()?;
    // an element that is no object is none: Azure's own parser drops it
    list.retain(Value::is_object);
    list.iter_mut().filter(|item| !item["properties"].is_object()).for_each(|item| item["properties"] = json!({}));
    Some(list)
}

fn subnet_properties(sent: &Value) -> Value {
    let mut properties = sent["properties"].as_object().cloned().unwrap_or_default();
    properties.insert("provisioningState".into(), "Succeeded".into());
    properties.entry("delegations").or_insert(json!([]));
    properties.entry("privateEndpointNetworkPolicies").or_insert("Disabled".into());
    properties.entry("privateLinkServiceNetworkPolicies").or_insert("Enabled".into());
    properties.into()
}

fn endpoint(world: &mut World, resource: &mut Resource, known: Option<&Resource>) -> Result<(), Reply> {
    let id = resource.id.clone();
    let subnet = resource.text("properties/subnet/id").to_string();
    if subnet.is_empty() {
        return Err(error(400, "InvalidRequestFormat", "Cannot parse the request: a private endpoint needs a subnet."));
    }
    if !world.state.resources.contains_key(&subnet.to_lowercase()) {
        let message = format!(
            "Resource {subnet} referenced by resource {id} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region."
        );
        return Err(error(400, "InvalidResourceReference", message));
    }
    for connections in ["privateLinkServiceConnections", "manualPrivateLinkServiceConnections"] {
        for connection in list(resource, connections).into_iter().flatten() {
            let name = connection["name"].as_str().unwrap_or("").to_string();
            let target = connection["properties"]["privateLinkServiceId"].as_str().unwrap_or("").to_string();
            if !world.state.resources.contains_key(&target.to_lowercase()) {
                let message =
                    format!("Private link service {target} referenced by private endpoint {id} was not found.");
                return Err(error(400, "LinkedServiceNotFound", message));
            }
            connection["id"] = format!("{id}/{connections}/{name}").into();
            connection["properties"]["provisioningState"] = "Succeeded".into();
            connection["properties"]["privateLinkServiceConnectionState"] = json!({
                "status": if connections.starts_with("manual") { "Pending" } else { "Approved" },
                "description": "",
                "actionsRequired": "None",
            });
        }
    }
    let guid = match known {
        Some(known) => known.text("properties/resourceGuid").to_string(),
        None => world.new_guid("endpoint"),
    };
    let mut nic = id.split("/privateEndpoints/").next().unwrap_or("").to_string();
    nic.push_str(&format!("/networkInterfaces/{}.nic.{guid}", resource.name));
    let Some(Value::Object(properties)) = resource.body.get_mut("properties") else { return Ok(()) };
    for name in ["privateLinkServiceConnections", "manualPrivateLinkServiceConnections", "ipConfigurations"] {
        properties.entry(name).or_insert(json!([]));
    }
    properties.insert("customDnsConfigs".into(), json!([]));
    properties.insert("networkInterfaces".into(), json!([{ "id": nic }]));
    properties.insert("resourceGuid".into(), guid.into());
    properties.insert("provisioningState".into(), "Updating".into());
    Ok(())
}

/// What a write leaves elsewhere: a network its subnets, a subnet its place in the network.
pub(super) fn wrote(world: &mut World, key: &str) {
    let Some(resource) = world.state.resources.get(key).cloned() else { return };
    match resource.kind.as_str() {
        NETWORK => {
            let under = format!("{key}/subnets/");
            world.state.resources.retain(|other, _| !other.starts_with(&under));
            for subnet in resource.at("properties/subnets").as_array().into_iter().flatten() {
                let id = subnet["id"].as_str().unwrap_or("").to_string();
                let child = Resource {
                    name: subnet["name"].as_str().unwrap_or("").to_string(),
                    kind: SUBNET.to_string(),
                    etag: String::new(),
                    created: resource.changed,
                    changed: resource.changed,
                    body: [("properties".to_string(), subnet["properties"].clone())].into_iter().collect(),
                    hidden: BTreeMap::new(),
                    busy: Time::ZERO,
                    id,
                };
                world.state.resources.insert(child.id.to_lowercase(), child);
            }
        }
        SUBNET => {
            let properties = resource.at("properties");
            let element =
                json!({"name": resource.name, "id": resource.id, "properties": properties, "type": resource.kind});
            in_network(world, key, Some(element));
        }
        _ => {}
    }
}

/// What the end of a write leaves elsewhere: a private endpoint its connection on the target.
pub(in crate::azure) fn settled(world: &mut World, key: &str) {
    let Some(endpoint) = world.state.resources.get(key).filter(|resource| resource.kind == ENDPOINT).cloned() else {
        return;
    };
    for connection in endpoint.at("properties/privateLinkServiceConnections").as_array().into_iter().flatten() {
        let properties = &connection["properties"];
        let target = properties["privateLinkServiceId"].as_str().unwrap_or("");
        let suffix = guid(&world.hash(&["connection", key]));
        let Some(target) = world.state.resources.get_mut(&target.to_lowercase()) else { continue };
        let name = format!("{}.{suffix}", endpoint.name);
        let shown = json!({
            "id": format!("{}/privateEndpointConnections/{name}", target.id),
            "name": name,
            "type": format!("{}/privateEndpointConnections", target.kind),
            "properties": {
                "privateEndpoint": {"id": endpoint.id},
                "groupIds": properties["groupIds"],
                "privateLinkServiceConnectionState": properties["privateLinkServiceConnectionState"],
                "provisioningState": "Succeeded",
            },
        });
        let mut kept = connections(target, key);
        kept.push(shown);
        target.set_property("privateEndpointConnections", kept);
    }
}

/// The connections on a target without those of one endpoint.
fn connections(target: &Resource, endpoint: &str) -> Vec<Value> {
    let mut kept = target.at("properties/privateEndpointConnections").as_array().cloned().unwrap_or_default();
    let own = |item: &Value| item["properties"]["privateEndpoint"]["id"].as_str().map(str::to_lowercase);
    kept.retain(|item| own(item).as_deref() != Some(endpoint));
    kept
}

/// What goes elsewhere when a resource goes.
pub(in crate::azure) fn removed(world: &mut World, key: &str) {
    match world.state.resources.get(key).map(|resource| resource.kind.as_str()) {
        Some(ENDPOINT) => {
            for target in world.state.resources.values_mut() {
                let before = target.at("properties/privateEndpointConnections").as_array().map_or(0, Vec::len);
                let kept = connections(target, key);
                if kept.len() != before {
                    target.set_property("privateEndpointConnections", kept);
                }
            }
        }
        Some(SUBNET) => in_network(world, key, None),
        _ => {}
    }
}

/// Puts a subnet into its network's body, in place of the one of that name, or takes it out.
fn in_network(world: &mut World, key: &str, element: Option<Value>) {
    let Some((network, _)) = key.rsplit_once("/subnets/") else { return };
    let Some(network) = world.state.resources.get_mut(network) else { return };
    let mut subnets = network.at("properties/subnets").as_array().cloned().unwrap_or_default();
    let place = subnets.iter().position(|item| item["id"].as_str().is_some_and(|id| id.to_lowercase() == key));
    match (place, element) {
        (Some(place), Some(element)) => subnets[place] = element,
        (None, Some(element)) => subnets.push(element),
        (Some(place), None) => drop(subnets.remove(place)),
        (None, None) => {}
    }
    network.set_property("subnets", subnets);
}
