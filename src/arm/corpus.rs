//! Recorded traffic: what this module makes of real answers.

use super::*;
use crate::wire::{Method, Request, Response};
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/arm");

/// A scenario's exchanges; `None`, after a plain notice, where there are no recordings.
#[allow(clippy::disallowed_methods)] // a test may read the disk
fn scenario(name: &str) -> Option<Vec<(Request, Response)>> {
    if !std::path::Path::new(FOLDER).exists() {
        assert!(std::env::var_os("CI").is_none(), "../shared/corpus/arm is not here");
        eprintln!("skipped: ../shared/corpus/arm is not here");
        return None;
    }
    let text = std::fs::read_to_string(format!("{FOLDER}/{name}.json")).expect("the recording");
    let recording: Value = serde_json::from_str(&text).expect("JSON");
    let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let exchanges = recording["exchanges"].as_array().expect("exchanges").iter().map(|exchange| {
        let method = Method::parse(&string(&exchange["request"]["method"])).expect("a method");
        let mut response = Response::empty(exchange["response"]["status"].as_u64().expect("a status") as u16);
        for (name, value) in exchange["response"]["headers"].as_object().expect("headers") {
            response.headers.set(name, string(value));
        }
        response.body = string(&exchange["response"]["body"]).into_bytes();
        (Request::arm(method, string(&exchange["request"]["url"])), response)
    });
    Some(exchanges.collect())
}

/// The path and query of an address, which recordings give without a host. The signature is left out: each answer has a
/// fresh one, and some recorded clients stayed with the first.
fn path(url: &str) -> &str {
    let path = url.strip_prefix("https://management.azure.com").unwrap_or(url);
    path.split("&t=").next().unwrap_or(path)
}

/// Follows the operation that exchange `start` began through the recording; gives how often it said wait, and the end.
fn follow(exchanges: &[(Request, Response)], start: usize) -> (usize, Option<Poll>) {
    let (request, response) = &exchanges[start];
    let Some(mut operation) = Operation::start(request, response) else { return (0, None) };
    let mut waits = 0;
    let mut last = None;
    for (asked, answer) in &exchanges[start + 1..] {
        let expected = operation.request().url;
        if asked.method != Method::Get || !path(&expected).eq_ignore_ascii_case(path(&asked.url)) {
            continue;
        }
        match operation.on_poll(answer) {
            Poll::Wait(_) => waits += 1,
            end => {
                last = Some(end);
                break;
            }
        }
    }
    (waits, last)
}

#[test]
fn recorded_operations_end_where_they_ended() {
    // scenario, exchange that starts it, waits, how it ends
    let cases = [
        ("cogsvc-softdelete-recover-purge", 0, 1, "get"),
        ("cogsvc-softdelete-recover-purge", 5, 0, "at once"),
        ("cogsvc-softdelete-recover-purge", 7, 0, "at once"),
        ("cogsvc-softdelete-recover-purge", 10, 1, "done"),
        ("apim-create-developer-long-lro", 1, 70, "get"),
        ("apim-deleted-service-purge", 24, 3, "done"),
        ("apim-delete-poll-ends-404", 13, 2, "done"),
        ("deployment-failed-operation-status", 0, 0, "failed"),
        ("deployment-failed-deep-nested", 0, 0, "failed"),
        ("deployment-failed-nested-template", 20, 1, "done"),
    ];
    for (name, start, waits, end) in cases {
        let Some(exchanges) = scenario(name) else { return };
        let (waited, last) = follow(&exchanges, start);
        let word = match &last {
            None => "at once",
            Some(Poll::Get(_)) => "get",
            Some(Poll::Done) => "done",
            Some(Poll::Failed(_)) => "failed",
            Some(Poll::Wait(_)) => "wait",
        };
        assert_eq!((waited, word), (waits, end), "{name}#{start}: {last:?}");
    }
}

#[test]
fn every_recorded_long_operation_is_started() {
    for name in ["apim-basicv2-2024-05-01-service-and-children", "apim-children-crud-and-service-delete"] {
        let Some(exchanges) = scenario(name) else { return };
        for (i, (request, response)) in exchanges.iter().enumerate().filter(|(_, (r, _))| r.method.writes()) {
            let asked = response.headers.get("azure-asyncoperation").or(response.headers.get("location"));
            let began = response.is_success() && (response.status == 202 || asked.is_some());
            assert_eq!(Operation::start(request, response).is_some(), began, "{name}#{i} {}", request.url);
        }
    }
}

#[test]
fn recorded_errors_are_walked_to_their_leaves() {
    // scenario, exchange, code of the first leaf, what its message holds
    let cases = [
        (
            "deployment-failed-operation-status",
            1,
            "MultiPlacementGroupVMScaleSetCannotReferenceBasicLoadbalancer",
            "basic SKU",
        ),
        (
            "deployment-failed-deep-nested",
            1,
            "UnsupportedProperty",
            ".properties.services[].location is not supported.",
        ),
        ("deployment-failed-nested-template", 0, "ResourceGroupNotFound", "could not be found"),
        ("deployment-put-400-marketplace", 0, "AccountSetupError", "AAD tenant"),
        ("deployment-validate-400-quota", 0, "QuotaExceeded", "Total Regional Cores"),
        ("throttling-429", 0, "SubscriptionRequestsThrottled", "try again after"),
        ("throttling-429", 2, "429", "exclusive lock"),
    ];
    for (name, at, code, message) in cases {
        let Some(exchanges) = scenario(name) else { return };
        let found = failure::failures(&exchanges[at].1);
        assert_eq!(found[0].code, code, "{name}#{at}: {found:?}");
        assert!(found[0].message.contains(message), "{name}#{at}: {found:?}");
    }
    for name in
        ["throttling-429", "conflicts-409", "server-errors-5xx", "auth-errors-401-403", "lro-status-failed-shapes"]
    {
        let Some(exchanges) = scenario(name) else { return };
        for (i, (_, response)) in exchanges.iter().enumerate().filter(|(_, (_, r))| !r.is_success()) {
            let found = failure::failures(response);
            assert!(!found[0].message.is_empty() && !found[0].message.contains('\n'), "{name}#{i}: {found:?}");
            assert_eq!(
                failure::retryable(response),
                response.status == 429 || response.status >= 500 || {
                    let again = [
                        "ServiceLocked",
                        "AnotherOperationInProgress",
                        "RequestConflict",
                        "Conflict",
                        "ResourceGroupBeingDeleted",
                        "RetryableError",
                    ];
                    response.status == 409 && found.iter().any(|f| again.contains(&f.code.as_str()))
                },
                "{name}#{i}: {found:?}"
            );
        }
    }
}

#[test]
fn a_list_of_usages() {
    let Some(exchanges) = scenario("cogsvc-models-and-usages-list") else { return };
    let value = exchanges[0].1.value().expect("JSON");
    let region = crate::topology::Location::new("westeurope");
    let answers = Answers { usages: [(region.clone(), request::page(&value).items)].into(), ..Answers::default() };
    let scope = crate::topology::Scope {
        subscription: Some("s".into()),
        resource_group: "rg".into(),
        location: region.clone(),
    };
    let stack = crate::topology::Stack { name: "stack".into(), environment: String::new() };
    let live = decode(&Topology::new(stack, scope), &answers).expect("it is understood");
    let usage = |name: &str| &live.usage[&(region.clone(), crate::catalogue::quota_key(name))];
    let turbo = usage("OpenAI.Standard.gpt-35-turbo");
    assert_eq!((turbo.used, turbo.limit, turbo.left()), (480, 480, 0));
    assert_eq!(usage("OpenAI.Standard.text-embedding-ada-002").left(), 600);
    assert_eq!(live.usage.len(), value["value"].as_array().map_or(0, Vec::len), "each is told apart");
}
