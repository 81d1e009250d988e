//! Long-running operations: where to ask, when, and what an answer means.
//!
//! An [`Operation`] is data; the driver sends [`Operation::request`] after [`Operation::delay`] and shows it the answer.
//!
//! Invariants: an address is used as it came, never parsed or encoded again; an answer without an address keeps the last
//! one; a word that nobody knows means that it is still running; gone is a good end for a deletion.

use super::failure::{self, Failure};
use crate::time::Duration;
use crate::wire::{Method, Request, Response};
use serde_json::Value;

/// Without a Retry-After the first wait.
const FIRST: Duration = Duration::from_secs(1);
/// Without a Retry-After no wait is longer.
const SLOWEST: Duration = Duration::from_secs(15);
/// So many polls in a row may fail before the operation counts as lost.
const PATIENCE: u32 = 20;

/// How an operation is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// `Azure-AsyncOperation`: the body has a status word.
    Status,
    /// `Location`: 202 means running.
    Location,
    /// Neither: the resource itself is asked until its provisioning state ends.
    Resource,
}

/// A long-running operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    way: Way,
    url: String,
    /// The resource that was written.
    resource: String,
    method: Method,
    /// Where a POST has its result.
    result: Option<String>,
    asked: Option<Duration>,
    backoff: Duration,
    failed: u32,
}

/// What an answer to a poll means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Not yet: ask again after this long.
    Wait(Duration),
    /// It is done, and this answer is all there is.
    Done,
    /// It is done; the result stands at this address.
    Get(String),
    /// It failed, for these causes.
    Failed(Vec<Failure>),
}

impl Operation {
    /// What the answer to a write has started; `None` where the answer itself is the end. Only for answers of success.
    pub fn start(request: &Request, response: &Response) -> Option<Operation> {
        let header = |name| response.headers.get(name).filter(|value| !value.is_empty()).map(str::to_owned);
        let status = header("Azure-AsyncOperation");
        let location = header("Location");
        let operation = |way, url: String| Operation {
            way,
            url,
            resource: request.url.clone(),
            method: request.method,
            result: if request.method == Method::Post { location.clone() } else { None },
            asked: failure::retry_after(response),
            backoff: FIRST,
            failed: 0,
        };
        match (status, &location, response.status) {
            (Some(url), ..) => Some(operation(Way::Status, url)),
            (None, Some(url), 202) => Some(operation(Way::Location, url.clone())),
            // a 201 may name the new resource instead of an operation
            (None, Some(url), 201) if response.headers.get("Retry-After").is_some() => {
                Some(operation(Way::Location, url.clone()))
            }
            (None, _, 202) => Some(operation(Way::Resource, request.url.clone())),
            (None, _, 200 | 201) if running(&response.value().unwrap_or_default()) => {
                Some(operation(Way::Resource, request.url.clone()))
            }
            _ => None,
        }
    }

    /// Follows a resource that somebody else is writing until its provisioning state ends.
    pub fn settle(resource: impl Into<String>) -> Operation {
        let resource = resource.into();
        Operation {
            way: Way::Resource,
            url: resource.clone(),
            resource,
            method: Method::Get,
            result: None,
            asked: None,
            backoff: FIRST,
            failed: 0,
        }
    }

    /// The next poll.
    pub fn request(&self) -> Request {
        Request::arm(Method::Get, &self.url)
    }

    /// How long to wait before the next poll; without a Retry-After each wait is twice the one before, up to 15 s.
    pub fn delay(&mut self) -> Duration {
        match self.asked {
            Some(asked) => asked,
            None => {
                let delay = self.backoff;
                self.backoff = Duration(delay.0.saturating_mul(2)).min(SLOWEST);
                delay
            }
        }
    }

    /// What an answer means.
    pub fn on_poll(&mut self, response: &Response) -> Poll {
        match response.status {
            200..=299 => {}
            404 | 410 if matches!(self.method, Method::Delete | Method::Get) => return Poll::Done,
            404 | 408 | 429 | 500..=599 => return self.missed(response),
            _ => return Poll::Failed(failure::failures(response)),
        }
        self.failed = 0;
        self.follow(response);
        let body = response.value().unwrap_or_default();
        let word = match self.way {
            Way::Status => string(&body, "/status").or_else(|| string(&body, "/properties/provisioningState")),
            // a resource that is being deleted ends by not being there
            Way::Resource if self.method == Method::Delete => Some("Deleting"),
            Way::Resource => string(&body, "/properties/provisioningState"),
            // only an operation has a status beside an error
            Way::Location if body.get("error").is_some() => string(&body, "/status"),
            Way::Location => None,
        };
        match (word.map(State::of), response.status) {
            (Some(State::Failed(word)), _) => Poll::Failed(causes(&body, &word)),
            (Some(State::Running), _) | (None, 202) => self.wait(),
            (Some(State::Succeeded), _) | (None, _) => self.end(),
        }
    }

    /// What it means that no answer came.
    pub fn on_silence(&mut self, why: &str) -> Poll {
        self.failed += 1;
        if self.failed < PATIENCE {
            return self.wait();
        }
        Poll::Failed(vec![Failure { message: why.to_owned(), ..Failure::default() }])
    }

    fn missed(&mut self, response: &Response) -> Poll {
        self.failed += 1;
        if self.failed >= PATIENCE {
            return Poll::Failed(failure::failures(response));
        }
        match failure::retry_after(response) {
            Some(asked) => Poll::Wait(asked),
            None => self.wait(),
        }
    }

    fn wait(&mut self) -> Poll {
        Poll::Wait(self.delay())
    }

    fn end(&self) -> Poll {
        match (self.way, self.method) {
            (_, Method::Delete) | (Way::Location | Way::Resource, _) => Poll::Done,
            (Way::Status, Method::Put | Method::Patch) => Poll::Get(self.resource.clone()),
            (Way::Status, _) => self.result.clone().map_or(Poll::Done, Poll::Get),
        }
    }

    /// Takes over what the answer says about the next poll.
    fn follow(&mut self, response: &Response) {
        let name = match self.way {
            Way::Status => "Azure-AsyncOperation",
            Way::Location => "Location",
            Way::Resource => return,
        };
        if let Some(url) = response.headers.get(name).filter(|url| !url.is_empty()) {
            url.clone_into(&mut self.url);
        }
        if let Some(asked) = failure::retry_after(response) {
            self.asked = Some(asked);
        }
    }
}

/// A status word.
enum State {
    Succeeded,
    Failed(String),
    Running,
}

impl State {
    fn of(word: &str) -> State {
        match word.to_ascii_lowercase().as_str() {
            "succeeded" => State::Succeeded,
            "failed" | "canceled" | "cancelled" => State::Failed(word.to_owned()),
            _ => State::Running,
        }
    }
}

/// Whether a resource says of itself that a write on it has not ended.
pub fn running(resource: &Value) -> bool {
    string(resource, "/properties/provisioningState")
        .or_else(|| string(resource, "/properties/ProvisioningState"))
        .is_some_and(|word| matches!(State::of(word), State::Running))
}

fn string<'a>(body: &'a Value, pointer: &str) -> Option<&'a str> {
    body.pointer(pointer)?.as_str().filter(|word| !word.is_empty())
}

fn causes(body: &Value, word: &str) -> Vec<Failure> {
    let tree = body.pointer("/properties/error").map_or_else(|| failure::leaves(body), failure::leaves);
    if !tree.is_empty() && tree.iter().any(|leaf| !leaf.message.is_empty() || !leaf.code.is_empty()) {
        return tree;
    }
    vec![Failure { code: word.to_owned(), message: "Azure did not say why".into(), ..Failure::default() }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SIGNED: &str = "https://management.azure.com/x/operationsStatuses/YQ==?api-version=1&asyncResponse&t=a%2Fb";

    fn put() -> Request {
        Request::arm(Method::Put, "/r?api-version=1")
    }

    fn status(word: &str) -> Response {
        Response::json(200, &json!({"status": word}))
    }

    fn seconds(n: u64) -> Poll {
        Poll::Wait(Duration::from_secs(n))
    }

    #[test]
    fn an_async_operation_is_followed_to_the_resource() {
        let begun = Response::empty(201)
            .header("Azure-AsyncOperation", SIGNED)
            .header("Location", "/other")
            .header("Retry-After", "20");
        let mut operation = Operation::start(&put(), &begun).expect("running");
        assert_eq!(operation.request().url, SIGNED);
        assert_eq!(operation.delay(), Duration::from_secs(20));
        let moved = status("InProgress").header("azure-asyncoperation", "/next?x=1").header("Location", "/elsewhere");
        assert_eq!(operation.on_poll(&moved), seconds(20));
        assert_eq!(operation.request().url, "/next?x=1");
        for word in ["Accepted", "Running", "creating", "Updating", "Deleting", "Quantising"] {
            assert_eq!(operation.on_poll(&status(word)), seconds(20), "{word}");
        }
        assert_eq!(operation.request().url, "/next?x=1");
        assert_eq!(operation.on_poll(&status("succeeded")), Poll::Get("/r?api-version=1".into()));
    }

    #[test]
    fn without_a_word_from_azure_waits_double_up_to_15_seconds() {
        let begun = Response::empty(201).header("Azure-AsyncOperation", "/o");
        let mut operation = Operation::start(&put(), &begun).expect("running");
        let waits: Vec<u64> = (0..6).map(|_| operation.delay().secs_ceil()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 15, 15]);
    }

    #[test]
    fn a_location_is_done_at_any_success_but_202() {
        for end in [200, 201, 204] {
            let begun = Response::empty(202).header("Location", "/o").header("Retry-After", "15");
            let mut operation = Operation::start(&put(), &begun).expect("running");
            // a poll without Location keeps the address and the wait
            assert_eq!(operation.on_poll(&Response::empty(202)), seconds(15));
            assert_eq!(operation.request().url, "/o");
            assert_eq!(
                operation.on_poll(&Response::empty(202).header("Location", "/p").header("Retry-After", "3")),
                seconds(3)
            );
            assert_eq!(operation.request().url, "/p");
            assert_eq!(operation.on_poll(&Response::empty(end)), Poll::Done);
        }
    }

    #[test]
    fn a_location_that_names_the_new_resource_is_no_operation() {
        let created = Response::json(201, &json!({"properties": {}})).header("Location", "/subscriptions/s/x");
        assert_eq!(Operation::start(&put(), &created), None);
        let old = created.header("Retry-After", "60");
        assert!(Operation::start(&put(), &old).is_some());
    }

    #[test]
    fn gone_is_a_good_end_for_a_deletion_only() {
        let begun = Response::empty(202).header("Azure-AsyncOperation", "/o");
        let delete = Request::arm(Method::Delete, "/r");
        let mut operation = Operation::start(&delete, &begun).expect("running");
        assert_eq!(operation.on_poll(&status("InProgress")), seconds(1));
        assert_eq!(operation.on_poll(&Response::empty(404)), Poll::Done);
        let mut operation = Operation::start(&put(), &begun).expect("running");
        assert_eq!(operation.on_poll(&Response::empty(404)), seconds(1));
        assert_eq!(Operation::start(&delete, &Response::empty(200)), None);
        assert_eq!(Operation::start(&delete, &Response::empty(204)), None);
    }

    #[test]
    fn a_failed_poll_is_tried_again_and_at_last_reported() {
        let begun = Response::empty(201).header("Azure-AsyncOperation", "/o");
        let mut operation = Operation::start(&put(), &begun).expect("running");
        assert_eq!(operation.on_poll(&Response::empty(503)), seconds(1));
        assert_eq!(operation.on_poll(&Response::empty(429).header("Retry-After", "7")), seconds(7));
        assert_eq!(operation.on_silence("connection lost"), seconds(2));
        assert_eq!(operation.on_poll(&status("Succeeded")), Poll::Get("/r?api-version=1".into()));
        let mut last = Poll::Done;
        for _ in 0..PATIENCE {
            last = operation.on_poll(&Response::empty(500));
        }
        assert!(matches!(last, Poll::Failed(_)));
        assert!(matches!(operation.on_poll(&Response::empty(403)), Poll::Failed(_)));
    }

    #[test]
    fn a_failure_inside_a_good_answer_shows_its_leaf() {
        let begun = Response::empty(201).header("Azure-AsyncOperation", "/o");
        let mut operation = Operation::start(&put(), &begun).expect("running");
        let body = json!({"error": {"code": "DeploymentFailed", "message": "m", "details": [{"code": "Quota", "message": "no"}]}, "status": "Failed"});
        let Poll::Failed(causes) = operation.on_poll(&Response::json(200, &body)) else { panic!("it failed") };
        assert_eq!((causes[0].code.as_str(), causes[0].message.as_str()), ("Quota", "no"));
        let Poll::Failed(causes) = operation.on_poll(&status("Canceled")) else { panic!("it was cancelled") };
        assert_eq!(causes[0].code, "Canceled");
    }

    #[test]
    fn without_headers_the_resource_itself_is_asked() {
        let state = |word: &str| Response::json(200, &json!({"properties": {"provisioningState": word}}));
        assert_eq!(Operation::start(&put(), &state("Succeeded")), None);
        let mut operation = Operation::start(&put(), &state("Accepted")).expect("running");
        assert_eq!(operation.request().url, "/r?api-version=1");
        assert_eq!(operation.on_poll(&state("Creating")), seconds(1));
        assert_eq!(operation.on_poll(&state("Succeeded")), Poll::Done);
        let mut deletion =
            Operation::start(&Request::arm(Method::Delete, "/r"), &Response::empty(202)).expect("running");
        assert_eq!(deletion.on_poll(&state("Deleting")), seconds(1));
        assert_eq!(deletion.on_poll(&Response::empty(404)), Poll::Done);
    }
}
