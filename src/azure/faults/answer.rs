//! Errors as Azure words them, by code.

use super::{Answer, Shape};
use crate::azure::World;
use crate::azure::ids::Url;
use crate::time::Time;
use crate::wire::{Method, Response};
use serde_json::{Value, json};

/// An error that was recorded.
pub(super) struct Known {
    pub code: &'static str,
    pub status: u16,
    /// Who answered: `gateway` is Azure Resource Manager, `service` a provider behind it; some say nothing.
    pub cause: Option<&'static str>,
    /// How long it says to wait where nobody says otherwise, in seconds.
    pub seconds: u64,
    pub message: fn(&About<'_>) -> String,
}

/// What a message speaks about.
pub(super) struct About<'a> {
    world: &'a World,
    now: Time,
    method: Method,
    url: &'a Url,
    seconds: u64,
}

/// The first of a status is what stands for it where no code is said.
const KNOWN: &[Known] = &[
    Known {
        code: "ExpiredAuthenticationToken",
        status: 401,
        cause: Some("gateway"),
        seconds: 0,
        message: |about| {
            let (expired, now) = (about.now - crate::time::Duration::from_secs(18), about.now);
            format!(
                "The access token expiry UTC time '{}' is earlier than current UTC time '{}'.",
                american(expired),
                american(now)
            )
        },
    },
    Known {
        code: "InvalidAuthenticationToken",
        status: 401,
        cause: Some("gateway"),
        seconds: 0,
        message: |_| "The access token is invalid.".into(),
    },
    Known {
        code: "AuthorizationFailed",
        status: 403,
        cause: Some("gateway"),
        seconds: 0,
        message: |about| {
            format!(
                "The client 'local@contoso.com' with object id '{}' does not have authorization to perform action '{}' over scope '/{}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
                crate::azure::shape::guid(&about.world.hash(&["caller"])),
                about.action(),
                about.url.path.join("/")
            )
        },
    },
    Known {
        code: "Conflict",
        status: 409,
        cause: None,
        seconds: 0,
        message: |_| {
            "The request failed due to conflict with a concurrent request. To resolve it, please refer to https://aka.ms/activitylog to get more details on the conflicting requests.".into()
        },
    },
    Known {
        code: "AnotherOperationInProgress",
        status: 409,
        cause: None,
        seconds: 0,
        message: |_| "Another operation on this or dependent resource is in progress.".into(),
    },
    Known {
        code: "RequestConflict",
        status: 409,
        cause: None,
        seconds: 0,
        message: |_| {
            "Another operation is being performed on the parent resource. Please retry the request later.".into()
        },
    },
    Known {
        code: "SubscriptionRequestsThrottled",
        status: 429,
        cause: None,
        seconds: 6,
        message: |about| {
            format!(
                "Number of requests for subscription '{}' and operation '{}' exceeded the backend storage limit. Please try again after '{}' seconds.",
                about.subscription(),
                about.operation(),
                about.seconds
            )
        },
    },
    Known {
        code: "ResourceRequestsThrottled",
        status: 429,
        cause: Some("gateway"),
        seconds: 324,
        message: |about| {
            format!(
                "Number of requests for action '{}' exceeded the limit of '150' for time interval '01:00:00'. Please try again after '{}' seconds.",
                about.action(),
                about.seconds
            )
        },
    },
    // a provider's own, whose code is no word
    Known {
        code: "429",
        status: 429,
        cause: None,
        seconds: 2,
        message: |about| {
            format!(
                "Request is temporarily throttled because subscription {} has issued too many requests. Retry after {} seconds.",
                about.subscription(),
                about.seconds
            )
        },
    },
    Known {
        code: "RetryableError",
        status: 429,
        cause: None,
        seconds: 14,
        message: |_| "A retryable error occurred.".into(),
    },
    Known {
        code: "InternalServerError",
        status: 500,
        cause: Some("service"),
        seconds: 0,
        message: |_| "Request processing failed due to internal error.".into(),
    },
    Known {
        code: "BadGatewayConnection",
        status: 502,
        cause: Some("service"),
        seconds: 0,
        message: |about| {
            format!(
                "The network connectivity issue encountered for '{}'; cannot fulfill the request.",
                about.namespace()
            )
        },
    },
    Known {
        code: "ServiceUnavailable",
        status: 503,
        cause: Some("service"),
        seconds: 0,
        message: |_| "The service is unavailable now. Please retry the request later.".into(),
    },
    Known {
        code: "ServerTimeout",
        status: 503,
        cause: Some("gateway"),
        seconds: 0,
        message: |about| {
            let tracking = crate::azure::shape::guid(&about.world.hash(&["tracking", &about.now.0.to_string()]));
            let stamp = about.now.rfc3339().replace(['-', ':'], "");
            format!(
                "The request timed out. Diagnostic information: timestamp '{stamp}', subscription id '{}', tracking id '{tracking}', request correlation id '{tracking}'.",
                about.subscription()
            )
        },
    },
    Known {
        code: "GatewayTimeout",
        status: 504,
        cause: Some("gateway"),
        seconds: 0,
        message: |about| {
            format!(
                "The gateway did not receive a response from '{}' within the specified time period.",
                about.namespace()
            )
        },
    },
];

/// The codes that need no words.
pub fn known_codes() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.code)
}

/// The recorded error that an answer means: by its code, else by its status.
pub(super) fn known(answer: &Answer) -> Option<&'static Known> {
    match (&answer.code, answer.status) {
        (Some(code), _) => KNOWN.iter().find(|known| known.code.eq_ignore_ascii_case(code)),
        (None, Some(status)) => KNOWN.iter().find(|known| known.status == status),
        (None, None) => None,
    }
}

/// The answer as it goes out, before the headers that every answer has.
pub(super) fn response(world: &World, now: Time, method: Method, url: &Url, answer: &Answer) -> Response {
    let known = known(answer);
    let retry = answer.retry_after.map(|length| world.retry_after(length.secs_ceil()));
    let said = retry.clone().unwrap_or_else(|| world.retry_after(known.map_or(1, |known| known.seconds)));
    let about = About { world, now, method, url, seconds: said.parse().unwrap_or(1) };
    let status = answer.status.or(known.map(|known| known.status)).unwrap_or(500);
    let code = answer.code.clone().or(known.map(|known| known.code.into())).unwrap_or_else(|| status.to_string());
    let message = answer.message.clone().or_else(|| known.map(|known| (known.message)(&about))).unwrap_or_default();
    let mut response = match answer.body.unwrap_or(Shape::Json) {
        Shape::Json => Response::json(status, &json!({ "error": error(&code, &message, &about) })),
        Shape::Bare => Response::json(status, &json!({"code": code, "message": message})),
        Shape::Pascal => Response::json(status, &pascal(&code, &message)),
        Shape::Text => text(status, "text/plain; charset=utf-8", format!("{message}\n")),
        Shape::Html => text(status, "text/html; charset=us-ascii", page(status, &message)),
        Shape::Empty => Response::empty(status),
    };
    // a text comes from in front of the provider, and what has no words says nothing of itself
    let cause = match answer.body {
        Some(Shape::Text) => Some("gateway"),
        Some(Shape::Html | Shape::Empty) => None,
        _ => known.and_then(|known| known.cause),
    };
    if let Some(cause) = cause {
        response.headers.set("x-ms-failure-cause", cause);
    }
    if status == 401 {
        let why = if code == "ExpiredAuthenticationToken" { "The access token has expired." } else { &message };
        response.headers.set("WWW-Authenticate", challenge(&world.state.tenant, why));
    }
    if let Some(retry) = retry {
        response.headers.set("Retry-After", retry);
    }
    response
}

/// The `WWW-Authenticate` of Azure Resource Manager.
pub fn challenge(tenant: &str, why: &str) -> String {
    // a quote would end the description
    let why = why.replace(['"', '\r', '\n'], "'");
    format!(
        "Bearer authorization_uri=\"https://login.windows.net/{tenant}\", error=\"invalid_token\", error_description=\"{why}\""
    )
}

/// With what a provider puts below it.
fn error(code: &str, message: &str, about: &About<'_>) -> Value {
    match code {
        "RetryableError" => {
            let path = about.url.path.join("/");
            let seconds = about.seconds;
            let leaf = format!("Operation is updating resource /{path}. The call can be retried in {seconds} seconds.");
            let details = json!([{"code": "RetryableErrorDueToAnotherOperation", "message": leaf}]);
            json!({"code": code, "message": message, "details": details})
        }
        _ => json!({"code": code, "message": message}),
    }
}

fn pascal(code: &str, message: &str) -> Value {
    let entity = json!({
        "ExtendedCode": "59206", "MessageTemplate": message, "Parameters": [], "Code": code, "Message": message,
    });
    json!({
        "Code": code,
        "Message": message,
        "Target": null,
        "Details": [{"Message": message}, {"Code": code}, {"ErrorEntity": entity}],
        "Innererror": null,
    })
}

/// What a web server says that has nobody behind it.
fn page(status: u16, message: &str) -> String {
    let escaped = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\"http://www.w3.org/TR/html4/strict.dtd\">\r\n<HTML><HEAD><TITLE>HTTP Error {status}</TITLE></HEAD>\r\n<BODY><h2>HTTP Error {status}</h2>\r\n<hr><p>{escaped}</p>\r\n</BODY></HTML>\r\n"
    )
}

fn text(status: u16, kind: &str, body: String) -> Response {
    let mut response = Response::empty(status).header("Content-Type", kind);
    response.body = body.into_bytes();
    response
}

impl About<'_> {
    fn subscription(&self) -> &str {
        let named = |parts: &[String]| parts.first().is_some_and(|part| part.eq_ignore_ascii_case("subscriptions"));
        match self.url.path.get(1) {
            Some(id) if named(&self.url.path) => id,
            _ => &self.world.state.subscription,
        }
    }

    /// The provider and the types after the last `providers`: `Microsoft.ApiManagement`, `service`, `apis`.
    fn types(&self) -> Vec<&str> {
        let path = &self.url.path;
        let at = path.iter().rposition(|part| part.eq_ignore_ascii_case("providers"));
        let Some((namespace, rest)) = at.and_then(|at| path[at + 1..].split_first()) else {
            return match path.len() {
                0..=2 => vec!["Microsoft.Resources", "subscriptions"],
                _ => vec!["Microsoft.Resources", "subscriptions", "resourceGroups"],
            };
        };
        std::iter::once(namespace).chain(rest.iter().step_by(2)).map(String::as_str).collect()
    }

    fn namespace(&self) -> &str {
        self.types().first().copied().unwrap_or("")
    }

    /// `Microsoft.ApiManagement/service/write`
    fn action(&self) -> String {
        let verb = match self.method {
            Method::Get | Method::Head => "read",
            Method::Put | Method::Patch => "write",
            Method::Delete => "delete",
            Method::Post => "action",
        };
        format!("{}/{verb}", self.types().join("/"))
    }

    /// `PUT/SUBSCRIPTIONS/RESOURCEGROUPS/PROVIDERS/MICROSOFT.APIMANAGEMENT/SERVICE/`
    fn operation(&self) -> String {
        let in_group = self.url.path.get(2).is_some_and(|part| part.eq_ignore_ascii_case("resourcegroups"));
        let group = if in_group { "/RESOURCEGROUPS" } else { "" };
        let types = self.types().join("/").to_uppercase();
        format!("{}/SUBSCRIPTIONS{group}/PROVIDERS/{types}/", self.method.as_str())
    }
}

/// `8/17/2020 3:46:33 AM`, as .NET writes an instant in American.
fn american(time: Time) -> String {
    let text = time.rfc3339();
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    let hour = number(11..13);
    let half = if hour < 12 { "AM" } else { "PM" };
    let shown = if hour % 12 == 0 { 12 } else { hour % 12 };
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    format!("{month}/{day}/{year} {shown}:{:02}:{:02} {half}", number(14..16), number(17..19))
}
