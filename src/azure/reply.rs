//! Answers, and the shapes of errors that Azure has.

use crate::wire::Response;
use serde_json::{Value, json};

/// One answer, before the headers that every answer has.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<Box<Value>>,
    /// Children of an API Management service are printed over several lines with CRLF, everything else on one.
    pub pretty: bool,
    /// The operation that this write started.
    pub operation: Option<String>,
}

impl Reply {
    pub fn empty(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: None, pretty: false, operation: None }
    }

    pub fn json(status: u16, body: Value) -> Reply {
        Reply { body: Some(Box::new(body)), ..Reply::empty(status) }
    }

    pub fn pretty(status: u16, body: Value) -> Reply {
        Reply { pretty: true, ..Reply::json(status, body) }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// With an ETag, given without its quotes.
    pub fn etag(self, etag: &str) -> Reply {
        self.header("ETag", format!("\"{etag}\""))
    }

    pub fn is_success(&self) -> bool {
        self.status < 300
    }

    pub fn into_response(self) -> Response {
        let mut response = Response::empty(self.status);
        for (name, value) in &self.headers {
            response.headers.set(*name, value.clone());
        }
        if let Some(body) = &self.body {
            if response.headers.get("Content-Type").is_none() {
                response.headers.set("Content-Type", "application/json; charset=utf-8");
            }
            response.body = match self.pretty {
                true => serde_json::to_string_pretty(body).unwrap_or_default().replace('\n', "\r\n").into_bytes(),
                false => body.to_string().into_bytes(),
            };
        }
        response
    }
}

/// `{"error":{"code","message"}}`, from a resource provider.
pub(super) fn error(status: u16, code: &str, message: impl Into<String>) -> Reply {
    Reply::json(status, json!({"error": {"code": code, "message": message.into()}}))
}

/// The same, answered by Azure Resource Manager before a provider was asked.
pub(super) fn gateway(status: u16, code: &str, message: impl Into<String>) -> Reply {
    error(status, code, message).header("x-ms-failure-cause", "gateway")
}

/// `ResourceNotFound` of a child of an API Management service.
pub(super) fn child_not_found(what: &str) -> Reply {
    let error = json!({"code": "ResourceNotFound", "message": format!("{what} not found."), "details": null});
    Reply::pretty(404, json!({ "error": error }))
}

/// `ValidationError` of API Management, one detail a field.
pub(super) fn validation(problems: &[(&str, String)]) -> Reply {
    let details: Vec<Value> = problems
        .iter()
        .map(|(target, message)| json!({"code": "ValidationError", "target": target, "message": message}))
        .collect();
    let message = "One or more fields contain incorrect values:";
    Reply::pretty(400, json!({"error": {"code": "ValidationError", "message": message, "details": details}}))
}

/// An error about an API Management service itself.
pub(super) fn service_error(status: u16, code: &str, message: String) -> Reply {
    let error = json!({"code": code, "subCode": null, "message": message, "details": null, "innerError": null});
    Reply::json(status, json!({ "error": error }))
}

pub(super) fn group_not_found(group: &str) -> Reply {
    gateway(404, "ResourceGroupNotFound", format!("Resource group '{group}' could not be found."))
}

pub(super) fn resource_not_found(short: &str, group: &str) -> Reply {
    let more = "For more details please go to https://aka.ms/ARMResourceNotFoundFix";
    let message = format!("The Resource '{short}' under resource group '{group}' was not found. {more}");
    gateway(404, "ResourceNotFound", message)
}

pub(super) fn method_not_allowed(method: &str) -> Reply {
    // API Management's own shape: no code, no `error`
    Reply::json(405, json!({"Message": format!("The requested resource does not support http method '{method}'.")}))
}

pub(super) fn no_such_address() -> Reply {
    gateway(404, "NotFound", "No HTTP resource was found that matches the request URI.")
}
