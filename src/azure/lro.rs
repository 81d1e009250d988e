//! Long-running operations: where each kind is followed, and what a poll answers.
//!
//! The kinds are those of recorded traffic: a service by both headers with signed addresses, an account by
//! `Azure-AsyncOperation` alone and always at api-version 2017-04-18, a resource group by `Location` alone, a child of a
//! service at the resource's own address.

use super::faults::{self, Failed};
use super::ids::Url;
use super::reply::{Reply, gateway};
use super::shape::{hex, stamp};
use super::state::Resource;
use super::{World, apim};
use crate::catalogue::not_older;
use crate::time::{Duration, Time};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An operation that was started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Operation {
    pub follow: Follow,
    /// The id of what it works on.
    pub target: String,
    pub location: String,
    pub version: String,
    pub started: Time,
    pub ends: Time,
    pub effect: Effect,
    /// The effect has happened, or it has failed.
    pub settled: bool,
    /// It fails when it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<Failed>,
}

/// How an operation is followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Follow {
    /// An API Management service, written or deleted.
    Service,
    /// An API Management service that does something else: a backup.
    ServiceWork,
    /// A soft-deleted service, purged.
    ServicePurge,
    /// An account; the word is its status while it runs.
    Account(String),
    /// A resource group, deleted.
    Group,
    /// A resource of a network.
    Network,
    /// A child of a service; the code is what `Location` answers at the end.
    Child(u16),
    /// A deployment, taken out of the history.
    Forgetting,
    /// A what-if, with its result.
    WhatIf(Value),
}

/// What happens when an operation ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Effect {
    /// The resource succeeded.
    Settle,
    /// The resource is gone.
    Remove,
    /// The resource is soft-deleted.
    SoftDelete,
    /// The group and all in it are gone.
    RemoveGroup,
    /// A soft-deleted resource is gone; the key is that of the deleted one.
    Purge(String),
    /// The children of a service are there.
    Place(Vec<Resource>),
    /// Nothing: it had happened at once.
    Nothing,
}

/// What to start.
pub(super) struct Start<'a> {
    pub now: Time,
    pub follow: Follow,
    pub target: &'a str,
    /// The last name of the target, part of the address of some.
    pub name: &'a str,
    pub location: &'a str,
    pub version: &'a str,
    /// At scale 1.
    pub takes: Duration,
    pub effect: Effect,
}

impl World {
    /// Starts an operation and adds the headers by which it is followed.
    pub(super) fn start(&mut self, reply: Reply, start: Start<'_>) -> Reply {
        let bits = self.fresh("operation");
        let key = match &start.follow {
            Follow::Service | Follow::ServiceWork | Follow::ServicePurge => {
                STANDARD.encode(format!("{}:{}_{}", start.location, start.name, hex(&bits[..4])))
            }
            Follow::Account(_) | Follow::Network => super::shape::guid(&bits),
            Follow::Group => job("RESOURCEGROUPDELETIONJOB", &start, &bits),
            Follow::Forgetting => job("DEPLOYMENTDELETIONJOB", &start, &bits),
            Follow::WhatIf(_) => job("DeploymentWhatIfJob", &start, &bits),
            Follow::Child(_) => hex(&bits[..12]),
        };
        let operation = Operation {
            follow: start.follow,
            target: start.target.to_string(),
            location: start.location.to_string(),
            version: start.version.to_string(),
            started: start.now,
            ends: start.now + self.scaled(start.takes),
            effect: start.effect,
            settled: false,
            fails: None,
        };
        let mut reply = self.followed(reply, start.now, &key, &operation);
        reply.operation = Some(key.clone());
        self.state.operations.insert(key, operation);
        reply
    }

    /// The answer that started the operation that runs on a target, given in lower case.
    pub(super) fn again(&self, now: Time, target: &str) -> Option<Reply> {
        let runs = |operation: &Operation| !operation.settled && operation.target.to_lowercase() == target;
        let (key, operation) = self.state.operations.iter().find(|(_, operation)| runs(operation))?;
        Some(self.followed(Reply::empty(202), now, key, operation))
    }

    /// The headers of an answer that starts an operation.
    fn followed(&self, reply: Reply, now: Time, key: &str, operation: &Operation) -> Reply {
        let (origin, version) = (&self.origin, &operation.version);
        let signature = self.signature(now, key);
        match &operation.follow {
            Follow::Service | Follow::ServiceWork => apim::follow::started(self, reply, now, key, operation),
            Follow::ServicePurge => {
                let address =
                    format!("{origin}{}/operationresults/{key}?api-version={version}{signature}", operation.target);
                reply.header("Location", address)
            }
            Follow::Account(_) => {
                let address = self.account_address(key, operation);
                let both = reply.status == 202;
                let reply = reply.header("Azure-AsyncOperation", format!("{address}{signature}"));
                match both {
                    true => {
                        reply.header("Location", format!("{address}&operationResultResponseType=Location{signature}"))
                    }
                    false => reply,
                }
            }
            Follow::Group | Follow::Forgetting => {
                let address = format!("{}?api-version={version}{signature}", self.group_address(key, operation));
                reply.header("Location", address).header("Retry-After", self.retry_after(15))
            }
            Follow::WhatIf(_) => {
                let address = format!("{}?api-version={version}{signature}", self.group_address(key, operation));
                reply.header("Location", address)
            }
            Follow::Network => {
                let address = self.network_address(key, operation, "operations");
                let reply = reply.header("Azure-AsyncOperation", address).header("Retry-After", self.retry_after(10));
                match operation.effect {
                    Effect::Remove => {
                        reply.header("Location", self.network_address(key, operation, "operationResults"))
                    }
                    _ => reply,
                }
            }
            Follow::Child(code) => {
                let address = format!("{origin}{}?api-version={version}", operation.target);
                let reply = match not_older(version, "2023-05-01-preview") {
                    true => reply.header("Azure-AsyncOperation", format!("{address}&azure-asyncId={key}")),
                    false => reply,
                };
                reply.header("Location", format!("{address}&asyncId={key}&asyncCode={code}"))
            }
        }
    }

    fn account_address(&self, key: &str, operation: &Operation) -> String {
        let subscription = subscription_of(&operation.target);
        let provider = "providers/Microsoft.CognitiveServices/locations";
        let location = &operation.location;
        let path = format!("/subscriptions/{subscription}/{provider}/{location}/operationResults/{key}");
        format!("{}{path}?api-version=2017-04-18", self.origin)
    }

    /// One of the two addresses of an operation of a network's: `operations`, `operationResults`.
    pub(super) fn network_address(&self, key: &str, operation: &Operation, word: &str) -> String {
        let subscription = subscription_of(&operation.target);
        let (location, version) = (&operation.location, &operation.version);
        let path =
            format!("/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}/{word}/{key}");
        format!("{}{path}?api-version={version}", self.origin)
    }

    fn group_address(&self, key: &str, operation: &Operation) -> String {
        format!("{}/subscriptions/{}/operationresults/{key}", self.origin, subscription_of(&operation.target))
    }
}

/// The name of a job of Azure Resource Manager's own: what it does, where, and a number.
fn job(what: &str, start: &Start<'_>, bits: &[u8; 32]) -> String {
    STANDARD_NO_PAD.encode(format!(
        "{{\"jobId\":\"{what}-{}-{}\",\"jobLocation\":\"{}\"}}",
        start.name.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), ":"),
        hex(&bits[..4]).to_uppercase(),
        start.location
    ))
}

/// The subscription in an id.
pub(super) fn subscription_of(id: &str) -> &str {
    id.split('/').nth(2).unwrap_or("")
}

/// Which of the two addresses of an operation is asked.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Asked {
    /// `Azure-AsyncOperation`.
    Status,
    /// `Location`.
    Result,
}

/// Answers a poll.
pub(super) fn poll(world: &World, now: Time, key: &str, asked: Asked, url: &Url) -> Reply {
    let Some(operation) = world.state.operations.get(key) else {
        return gateway(404, "NotFound", format!("The operation '{key}' could not be found."));
    };
    let of_result = asked == Asked::Result || url.query("operationResultResponseType").is_some();
    let answers = if of_result { Asked::Result } else { Asked::Status };
    let address = world.account_address(key, operation);
    let id = address.trim_start_matches(&world.origin).split('?').next().unwrap_or("");
    if let Some(failed) = faults::poll(operation, key, id, answers) {
        return failed;
    }
    let running = !operation.settled;
    match &operation.follow {
        Follow::Service | Follow::ServiceWork => apim::follow::poll(world, now, key, asked, operation),
        Follow::ServicePurge | Follow::Group | Follow::Forgetting | Follow::WhatIf(_) if running => {
            let reply = world.followed(Reply::empty(202), now, key, operation);
            match operation.follow {
                // recorded: some polls of a group's deletion bring no address
                Follow::Group if now.0 / 1_000_000_000 % 7 == 3 => without_location(reply),
                _ => reply,
            }
        }
        Follow::ServicePurge | Follow::Group => Reply::empty(200),
        Follow::Forgetting => Reply::empty(204),
        Follow::WhatIf(result) => Reply::json(200, result.clone()),
        Follow::Account(_) if of_result => match running {
            true => world.followed(Reply::empty(202), now, key, operation),
            false => Reply::empty(200),
        },
        Follow::Account(word) => {
            let started = operation.started.rfc3339();
            Reply::json(
                200,
                match running {
                    true => json!({"id": id, "name": key, "status": word, "startTime": started}),
                    false => {
                        let ended = operation.ends.rfc3339();
                        json!({"id": id, "name": key, "status": "Succeeded", "startTime": started, "endTime": ended})
                    }
                },
            )
        }
        Follow::Network => match (asked, running) {
            (Asked::Status, true) => {
                Reply::json(200, json!({"status": "InProgress"})).header("Retry-After", world.retry_after(10))
            }
            (Asked::Status, false) => Reply::json(200, json!({"status": "Succeeded"})),
            (Asked::Result, true) => world.followed(Reply::empty(202), now, key, operation),
            (Asked::Result, false) => Reply::empty(204),
        },
        Follow::Child(code) => match (asked, running) {
            (Asked::Status, true) => Reply::pretty(200, json!({"status": "InProgress"})),
            (Asked::Status, false) => Reply::pretty(200, json!({"status": "Succeeded"})),
            (Asked::Result, true) => world.followed(Reply::empty(202), now, key, operation),
            (Asked::Result, false) => match world.state.resources.get(&operation.target.to_lowercase()) {
                Some(child) if *code != 204 => {
                    Reply::pretty(*code, apim::show(child, &operation.version, apim::View::Read)).etag(&child.etag)
                }
                _ => Reply::empty(*code),
            },
        },
    }
}

fn without_location(mut reply: Reply) -> Reply {
    reply.headers.retain(|(name, _)| *name != "Location");
    reply
}

/// The systemData of resources that have it.
pub(super) fn system_data(created: Time, changed: Time) -> serde_json::Value {
    json!({
        "createdBy": "local@contoso.com",
        "createdByType": "User",
        "createdAt": stamp(created),
        "lastModifiedBy": "local@contoso.com",
        "lastModifiedByType": "User",
        "lastModifiedAt": stamp(changed),
    })
}
