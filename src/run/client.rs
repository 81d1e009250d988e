//! One request after another: sending with repetition, lists with pages, operations followed to their end.

use super::problem;
use crate::arm::request::page;
use crate::arm::{Failure, Operation, Poll, failure};
use crate::diagnostic::Diagnostic;
use crate::time::Duration;
use crate::wire::{Cloud, Method, Request, Response, Transport};
use serde_json::Value;

/// Without a Retry-After the first wait, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const SLOWEST: Duration = Duration::from_secs(15);
/// How often a request is sent again that nobody answered.
const SILENT: u32 = 5;
/// More pages than any list has.
const PAGES: usize = 1000;

/// Why there is no answer to work with.
#[derive(Debug)]
pub(super) enum Silence {
    /// The write was sent, and nobody knows what became of it.
    Unknown(String),
    /// Anything else, told.
    Told(Diagnostic),
}

/// Sends a request that may be sent twice: a read, a deletion, a write of one whole resource. What Azure asks to try
/// again is tried again, with a cap; the last answer is given, whatever its status.
pub(super) async fn send(cloud: &dyn Cloud, request: &Request) -> Result<Response, Diagnostic> {
    let mut silent = 0;
    loop {
        match attempt(cloud, request, Again::Always).await {
            Ok(response) => return Ok(response),
            Err(Transport::Refused(diagnostic)) => return Err(*diagnostic),
            Err(silence) => {
                silent += 1;
                if silent > SILENT {
                    return Err(problem::unreachable(request, &silence));
                }
                cloud.sleep(cloud.now() + backoff(silent)).await;
            }
        }
    }
}

/// Sends a write that must not be sent twice once Azure may have it. An answer of 5xx says nothing about that, so it is
/// given as it is.
pub(super) async fn send_once(cloud: &dyn Cloud, request: &Request) -> Result<Response, Silence> {
    let mut silent = 0;
    loop {
        match attempt(cloud, request, Again::WhenRefused).await {
            Ok(response) => return Ok(response),
            Err(Transport::Refused(diagnostic)) => return Err(Silence::Told(*diagnostic)),
            Err(Transport::Lost(why)) => return Err(Silence::Unknown(why)),
            Err(silence) => {
                silent += 1;
                if silent > SILENT {
                    return Err(Silence::Told(problem::unreachable(request, &silence)));
                }
                cloud.sleep(cloud.now() + backoff(silent)).await;
            }
        }
    }
}

/// When a request is sent again by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Whenever Azure asks for it.
    Always,
    /// Only where Azure certainly did nothing.
    WhenRefused,
}

/// Sends until an answer comes that is not to be tried again.
async fn attempt(cloud: &dyn Cloud, request: &Request, again: Again) -> Result<Response, Transport> {
    let mut tries = 0;
    loop {
        let response = cloud.send(request.clone()).await?;
        tries += 1;
        let unclear = again == Again::WhenRefused && (response.status >= 500 || response.status == 408);
        if unclear || tries > failure::retries(&response, request.method) {
            return Ok(response);
        }
        let wait = failure::retry_after(&response).unwrap_or_else(|| backoff(tries));
        cloud.sleep(cloud.now() + wait).await;
    }
}

pub(super) fn backoff(tries: u32) -> Duration {
    Duration(FIRST.0.saturating_mul(1 << (tries - 1).min(20))).min(SLOWEST)
}

/// Reads one thing; `None` where it is not there.
pub(super) async fn get(cloud: &dyn Cloud, request: Request) -> Result<Option<Response>, Diagnostic> {
    let response = send(cloud, &request).await?;
    match response.status {
        404 | 204 => Ok(None),
        200..=299 => Ok(Some(response)),
        _ => Err(problem::refused(&request, &response)),
    }
}

/// Reads one thing as JSON; `None` where it is not there.
pub(super) async fn get_value(cloud: &dyn Cloud, request: Request) -> Result<Option<Value>, Diagnostic> {
    let Some(response) = get(cloud, request.clone()).await? else { return Ok(None) };
    response.value().map(Some).ok_or_else(|| problem::no_json(&request))
}

/// Reads every page of a list; nothing where what it would be in is not there.
pub(super) async fn list(cloud: &dyn Cloud, request: Request) -> Result<Vec<Value>, Diagnostic> {
    let mut items = Vec::new();
    let mut next = request;
    for _ in 0..PAGES {
        let Some(value) = get_value(cloud, next.clone()).await? else { break };
        let mut page = page(&value);
        items.append(&mut page.items);
        match page.next {
            Some(url) if url != next.url => next = Request::arm(Method::Get, url),
            _ => break,
        }
    }
    Ok(items)
}

/// What a write came to.
pub(super) enum Outcome {
    /// It was done.
    Done,
    /// There was nothing to delete.
    Absent,
    /// It was refused or failed.
    Failed(Vec<Failure>),
}

/// Sends a write that may be sent twice and follows it to its end.
pub(super) async fn carry_out(cloud: &dyn Cloud, request: Request) -> Result<Outcome, Diagnostic> {
    let response = send(cloud, &request).await?;
    match response.status {
        404 | 204 if request.method == Method::Delete => return Ok(Outcome::Absent),
        200..=299 => {}
        _ => return Ok(Outcome::Failed(failure::failures(&response))),
    }
    let Some(operation) = Operation::start(&request, &response) else { return Ok(Outcome::Done) };
    Ok(match follow(cloud, operation).await? {
        Ok(()) => Outcome::Done,
        Err(causes) => Outcome::Failed(causes),
    })
}

/// Follows an operation to its end.
pub(super) async fn follow(
    cloud: &dyn Cloud,
    mut operation: Operation,
) -> Result<Result<(), Vec<Failure>>, Diagnostic> {
    let mut wait = operation.delay();
    loop {
        cloud.sleep(cloud.now() + wait).await;
        match poll(cloud, &mut operation).await? {
            Poll::Wait(next) => wait = next,
            Poll::Done | Poll::Get(_) => return Ok(Ok(())),
            Poll::Failed(causes) => return Ok(Err(causes)),
        }
    }
}

/// Polls once.
pub(super) async fn poll(cloud: &dyn Cloud, operation: &mut Operation) -> Result<Poll, Diagnostic> {
    Ok(match cloud.send(operation.request()).await {
        Ok(response) => operation.on_poll(&response),
        Err(Transport::Refused(diagnostic)) => return Err(*diagnostic),
        Err(silence) => operation.on_silence(&silence.to_string()),
    })
}
