//! What goes over the wire, as data: [`Request`], [`Response`], [`Transport`], [`Secret`], and the door they pass,
//! [`Cloud`].
//!
//! A request names its door: Azure Resource Manager, whose door adds the token, or the gateway, whose key travels as a
//! [`Secret`]. So nothing in the core ever holds a token, and a key cannot be printed by accident.
//!
//! Deliberately absent: sockets, TLS, redirects, any HTTP library. They stand behind [`Cloud`] in the shell.

use crate::time::Time;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// A future that borrows; everything runs on one thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The world outside, as far as a driver may see it: requests, and the clock.
pub trait Cloud {
    /// Sends a request and gives the answer, whatever its status. An error means that no answer came.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Transport>>;
    /// What time it is.
    fn now(&self) -> Time;
    /// Waits until `until`, which may have passed.
    fn sleep(&self, until: Time) -> BoxFuture<'_, ()>;
}

/// Where a request goes, and what is added on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// Azure Resource Manager. The url is a path with its query (`/subscriptions/...?api-version=...`), or the whole
    /// address of an operation as a header gave it. The door adds the token.
    Arm,
    /// The gateway's own address. The key goes into the header that the API names; no token is added.
    Gateway {
        /// The header that carries the key.
        header: String,
        /// The key.
        key: Secret,
    },
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Method {
    Get,
    Head,
    Put,
    Patch,
    Post,
    Delete,
}

impl Method {
    /// As it stands in a request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        }
    }

    /// Reads a request line's word; the case counts, as in HTTP.
    pub fn parse(text: &str) -> Option<Method> {
        use Method::*;
        [Get, Head, Put, Patch, Post, Delete].into_iter().find(|method| method.as_str() == text)
    }

    /// Whether the method can change something.
    pub const fn writes(self) -> bool {
        !matches!(self, Method::Get | Method::Head)
    }
}

/// Header fields in order; names are compared without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Replaces every value of `name`.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        self.remove(&name);
        self.0.push((name, value.into()));
    }

    /// Drops every value of `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Headers {
        Headers(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who answers it.
    pub door: Door,
    /// What it does.
    pub method: Method,
    /// Path and query, or a whole address; sent as it stands, never re-encoded.
    pub url: String,
    /// Header fields beside those that the door adds.
    pub headers: Headers,
    /// The body, empty for none.
    pub body: Vec<u8>,
}

impl Request {
    /// A request to Azure Resource Manager without a body.
    pub fn arm(method: Method, url: impl Into<String>) -> Request {
        Request { door: Door::Arm, method, url: url.into(), headers: Headers::default(), body: Vec::new() }
    }

    /// The same request with a JSON body.
    pub fn json(mut self, body: &serde_json::Value) -> Request {
        self.headers.set("Content-Type", "application/json");
        self.body = body.to_string().into_bytes();
        self
    }

    /// The same request with one more header field.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Request {
        self.headers.set(name, value);
        self
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status, 100 to 599.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// The body, empty for none.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer without header or body.
    pub fn empty(status: u16) -> Response {
        Response { status, headers: Headers::default(), body: Vec::new() }
    }

    /// An answer with a JSON body.
    pub fn json(status: u16, body: &serde_json::Value) -> Response {
        let mut response = Response::empty(status);
        response.headers.set("Content-Type", "application/json; charset=utf-8");
        response.body = body.to_string().into_bytes();
        response
    }

    /// The same answer with one more header field.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Response {
        self.headers.set(name, value);
        self
    }

    /// Whether the status is 2xx.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The body as JSON, `None` where it is none.
    pub fn value(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Why no answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The address was not reached; nothing was sent.
    Unreachable(String),
    /// The connection broke or timed out after something was sent: the outcome is unknown.
    Lost(String),
    /// The door itself could not work: no credential, a state file that cannot be read. A whole diagnostic.
    Refused(Box<crate::diagnostic::Diagnostic>),
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Transport::Unreachable(why) => write!(f, "not reached: {why}"),
            Transport::Lost(why) => write!(f, "connection lost: {why}"),
            Transport::Refused(diagnostic) => f.write_str(&diagnostic.message),
        }
    }
}

/// A text that is never shown: `Debug` prints `***`, there is no `Display` and no serde.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself. Each caller of this is a place where a secret may leave: keep them few.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_ignore_case() {
        let mut headers: Headers = [("Retry-After", "20"), ("retry-after", "30")].into_iter().collect();
        assert_eq!(headers.get("RETRY-AFTER"), Some("20"));
        headers.set("retry-AFTER", "1");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("retry-AFTER", "1")]);
    }

    #[test]
    fn a_secret_does_not_print() {
        let request = Request {
            door: Door::Gateway { header: "api-key".into(), key: Secret::new("CANARY") },
            ..Request::arm(Method::Get, "/")
        };
        assert!(!format!("{request:?}").contains("CANARY"));
    }
}
