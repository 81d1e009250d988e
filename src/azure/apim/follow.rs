//! How an operation on a service is followed. It changed twice: until 2019 by `Location` alone, then by two headers with
//! one address under the service, since 2023-05-01-preview by two addresses under the location, as recorded.

use super::service;
use crate::azure::World;
use crate::azure::lro::{Asked, Follow, Operation, subscription_of};
use crate::azure::reply::{Reply, resource_not_found};
use crate::catalogue::not_older;
use crate::time::{Duration, Time};
use serde_json::json;

/// Recorded both: after a deletion, the address under the service says that it succeeded, or that there is no service.
const REMEMBERED: Duration = Duration::from_secs(60);

enum Addresses {
    Result,
    One,
    Two,
}

fn addresses(operation: &Operation) -> Addresses {
    match operation.follow {
        Follow::ServiceWork => Addresses::Result,
        _ if !not_older(&operation.version, "2020-01-01") => Addresses::Result,
        _ if !not_older(&operation.version, "2023-05-01-preview") => Addresses::One,
        _ => Addresses::Two,
    }
}

/// The headers of an answer that starts an operation.
pub(in crate::azure) fn started(world: &World, reply: Reply, now: Time, key: &str, operation: &Operation) -> Reply {
    match addresses(operation) {
        Addresses::Result => by_result(world, reply, now, key, operation),
        Addresses::One => by_one(world, reply, now, key, operation),
        Addresses::Two => reply
            .header("Azure-AsyncOperation", at_location(world, now, key, operation, "operationsStatuses"))
            .header("Location", at_location(world, now, key, operation, "operationResults"))
            .header("Retry-After", world.retry_after(20)),
    }
}

/// Answers a poll.
pub(in crate::azure) fn poll(world: &World, now: Time, key: &str, asked: Asked, operation: &Operation) -> Reply {
    let running = !operation.settled;
    let kept = world.state.resources.get(&operation.target.to_lowercase());
    let addresses = addresses(operation);
    let under_service = matches!(addresses, Addresses::One | Addresses::Result);
    if under_service && kept.is_none() && now.since(operation.ends) >= world.scaled(REMEMBERED) {
        let parts: Vec<&str> = operation.target.split('/').collect();
        let short = format!("Microsoft.ApiManagement/service/{}", parts.last().copied().unwrap_or(""));
        return resource_not_found(&short, parts.get(4).copied().unwrap_or(""));
    }
    match (addresses, asked, running) {
        (Addresses::One, Asked::Status, true) => {
            let reply = Reply::json(200, json!({"status": "InProgress"})).header("Content-Type", "application/json");
            by_one(world, reply, now, key, operation)
        }
        (Addresses::Two, Asked::Status, true) => {
            // recorded: both headers of a poll name the status address, whichever was asked
            let address = at_location(world, now, key, operation, "operationsStatuses");
            Reply::json(200, json!({"status": "InProgress"}))
                .header("Content-Type", "application/json")
                .header("Azure-AsyncOperation", address.clone())
                .header("Location", address)
                .header("Retry-After", world.retry_after(20))
        }
        (_, Asked::Status, false) => {
            Reply::json(200, json!({"status": "Succeeded"})).header("Content-Type", "application/json")
        }
        (Addresses::Two, Asked::Result, true) => Reply::empty(202)
            .header("Location", at_location(world, now, key, operation, "operationResults"))
            .header("Retry-After", world.retry_after(20)),
        (_, _, true) => by_result(world, Reply::empty(202), now, key, operation),
        (addresses, Asked::Result, false) => match kept {
            Some(kept) => {
                let reply = service::answer(200, kept, &operation.version);
                if matches!(addresses, Addresses::Two) { reply.etag(&kept.etag) } else { reply }
            }
            None => Reply::empty(200),
        },
    }
}

fn by_one(world: &World, reply: Reply, now: Time, key: &str, operation: &Operation) -> Reply {
    let address = format!("{}&asyncResponse", at_service(world, now, key, operation));
    reply
        .header("Azure-AsyncOperation", address.clone())
        .header("Location", address)
        .header("Retry-After", world.retry_after(20))
}

fn by_result(world: &World, reply: Reply, now: Time, key: &str, operation: &Operation) -> Reply {
    reply.header("Location", at_service(world, now, key, operation)).header("Retry-After", world.retry_after(60))
}

fn at_service(world: &World, now: Time, key: &str, operation: &Operation) -> String {
    let (origin, target, version) = (&world.origin, &operation.target, &operation.version);
    let signature = if not_older(version, "2020-01-01") { world.signature(now, key) } else { String::new() };
    format!("{origin}{target}/operationresults/{key}?api-version={version}{signature}")
}

fn at_location(world: &World, now: Time, key: &str, operation: &Operation, word: &str) -> String {
    let (origin, subscription, version) = (&world.origin, subscription_of(&operation.target), &operation.version);
    let base = format!("{origin}/subscriptions/{subscription}/providers/Microsoft.ApiManagement");
    let signature = world.signature(now, key);
    format!("{base}/locations/{}/{word}/{key}?api-version={version}{signature}", operation.location)
}
