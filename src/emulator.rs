//! The local Azure as an HTTP server on 127.0.0.1, for clients that are not this program.
//!
//! A request becomes a [`Request`], goes through the same door as `--cloud local` ([`Local`]), and its answer goes back.
//! Addresses of operations begin with this server's own, so that a client polls here. Nobody gets in without the
//! bearer token; `Host` must be local and an `Origin` this server's own, so that no web page reaches it.
//!
//! Beside Azure Resource Manager there are a page for people at `/`, which holds nothing until it has the token, and the
//! control endpoint `/admin` behind it.
//!
//! Deliberately absent: TLS (the traffic never leaves the machine) and any knowledge of Azure.

mod admin;
mod cloud;
pub mod data_plane;
mod page;
pub mod scenario;

pub use cloud::LocalCloud;

use crate::azure::faults::challenge;
use crate::io::local::{self, Local};
use crate::io::signal::Signals;
use crate::time::Time;
use crate::wire::{Door, Headers, Method, Request, Response, Secret, Transport};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// ARM takes no larger body.
const BODY_LIMIT: usize = 4 << 20;

/// How long a client may take to send its headers.
const HEADER_TIME: Duration = Duration::from_secs(30);

/// So much of a body that is too long is thrown away before its client is told: one that still sends hears nothing.
const DRAINED: usize = 64 << 20;

/// How long a client may take to send its body.
const BODY_TIME: Duration = Duration::from_secs(60);

/// So many requests are kept for the page.
const KEPT: usize = 60;

/// How long requests under way may take once the server was asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// One running server.
pub struct Emulator {
    local: Local,
    token: Secret,
    heard: Box<dyn Fn(&Heard<'_>)>,
    /// The last requests, the newest first, as the page shows them.
    last: RefCell<VecDeque<Value>>,
}

/// One request that was answered, for a log.
#[derive(Debug)]
pub struct Heard<'a> {
    /// When the answer was ready.
    pub at: Time,
    /// The method.
    pub method: &'a str,
    /// The path without its query, which may hold a secret.
    pub path: &'a str,
    /// The answer's status; none where the connection was broken on purpose.
    pub status: Option<u16>,
    /// How long the answer took.
    pub took: crate::time::Duration,
}

/// The connection is to break without an answer.
#[derive(Debug)]
struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lost on purpose")
    }
}

impl std::error::Error for Lost {}

impl Emulator {
    /// A server in front of `local`, which lets in who knows `token` and tells `heard` of every answer.
    pub fn new(local: Local, token: Secret, heard: impl Fn(&Heard<'_>) + 'static) -> Emulator {
        Emulator { local, token, heard: Box::new(heard), last: RefCell::default() }
    }

    /// Serves until a signal comes, then lets requests under way finish. Needs a `LocalSet`.
    pub async fn serve(self, listener: TcpListener, mut signals: Signals) {
        let emulator = Rc::new(self);
        let (stop, stopped) = watch::channel(());
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                _ = signals.next() => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn_local(connection(Rc::clone(&emulator), stream, stopped.clone()));
                    }
                    // out of file handles: the next connection may find one
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
            }
        }
        drop(listener);
        let _ = stop.send(());
        let all = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GRACE, all).await;
    }

    /// One request, from the door to the answer.
    async fn answer(&self, incoming: hyper::Request<Incoming>) -> Result<Response, Lost> {
        let (parts, body) = incoming.into_parts();
        let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap_or(""));
        if let Some(refused) = from_elsewhere(header("host"), header("origin")) {
            return Ok(refused);
        }
        let method = Method::parse(parts.method.as_str());
        if let (Some(Method::Get | Method::Head), "/") = (method, parts.uri.path()) {
            return Ok(match crate::io::entropy() {
                Ok(nonce) => page::page(nonce),
                Err(problem) => error(500, problem.code.as_str(), &problem.message),
            });
        }
        if let Some(refused) = self.stranger(header("authorization")) {
            return Ok(refused);
        }
        let Some(method) = method else {
            let message = format!("The requested resource does not support http method '{}'.", parts.method);
            return Ok(error(405, "UnsupportedHttpMethod", &message));
        };
        let waits = header("expect").is_some();
        let body = match tokio::time::timeout(BODY_TIME, read(body, waits)).await {
            Ok(Ok(body)) => body,
            Ok(Err(refused)) => return Ok(refused),
            Err(_) => return Ok(error(408, "RequestTimeout", "The request content did not arrive in time.")),
        };
        let answered = match parts.uri.path().strip_prefix("/admin/") {
            Some(rest) => {
                let last = self.last.borrow().iter().cloned().collect();
                admin::answer(&self.local, method, rest.trim_end_matches('/'), &body, last).await
            }
            None => {
                let url = parts.uri.path_and_query().map_or("/", |url| url.as_str()).to_owned();
                // neither the token nor what concerns this connection is Azure's business
                let headers: Headers = parts
                    .headers
                    .iter()
                    .filter(|(name, _)| !matches!(name.as_str(), "authorization" | "host" | "connection"))
                    .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
                    .collect();
                self.local.handle(Request { door: Door::Arm, method, url, headers, body }).await
            }
        };
        match answered {
            Ok(response) => Ok(response),
            Err(Transport::Lost(_)) => Err(Lost),
            Err(Transport::Refused(problem)) => {
                let message = match &problem.help {
                    Some(help) => format!("{} ({help})", problem.message),
                    None => problem.message.clone(),
                };
                Ok(error(500, problem.code.as_str(), &message))
            }
            Err(other) => Ok(error(500, "InternalServerError", &other.to_string())),
        }
    }

    /// Who does not know the token.
    fn stranger(&self, authorization: Option<&str>) -> Option<Response> {
        let Some(authorization) = authorization else {
            let message = "Authentication failed. The 'Authorization' header is missing.";
            let why = "The authentication failed because of missing 'Authorization' header.";
            return Some(unauthorized("AuthenticationFailed", message, why));
        };
        let scheme = authorization.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "));
        let Some(given) = authorization.get(7..).filter(|_| scheme) else {
            let message = "Authentication failed. The 'Authorization' header is provided in an invalid format.";
            return Some(unauthorized("AuthenticationFailedInvalidHeader", message, message));
        };
        if !same(given.trim().as_bytes(), self.token.expose().as_bytes()) {
            let message = "The access token is invalid. The emulator printed its own at the start.";
            return Some(unauthorized("InvalidAuthenticationToken", message, "The access token is invalid."));
        }
        None
    }

    /// Tells of a request and keeps it for the page, which itself is not told of.
    fn note(&self, heard: &Heard<'_>) {
        (self.heard)(heard);
        if heard.path == "/" || heard.path.starts_with("/admin/") {
            return;
        }
        let mut last = self.last.borrow_mut();
        last.push_front(json!({
            "at": heard.at.rfc3339(),
            "method": heard.method,
            "path": heard.path,
            "status": heard.status,
            "took": heard.took.to_string(),
        }));
        last.truncate(KEPT);
    }
}

/// A whole body, or why it is not taken. A client that waits for a word before it sends too much never sends it.
async fn read(mut body: Incoming, waits: bool) -> Result<Vec<u8>, Response> {
    let too_large = || {
        let message = format!("The request content size exceeds the maximum size of {BODY_LIMIT} bytes.");
        error(413, "RequestContentTooLarge", &message).header("Connection", "close")
    };
    if waits && body.size_hint().lower() > BODY_LIMIT as u64 {
        return Err(too_large());
    }
    let (mut kept, mut length) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|failed| error(400, "InvalidRequestContent", &failed.to_string()))?;
        let Ok(piece) = frame.into_data() else { continue };
        length += piece.len();
        if length <= BODY_LIMIT {
            kept.extend_from_slice(&piece);
        } else if length > DRAINED {
            break;
        }
    }
    if length > BODY_LIMIT { Err(too_large()) } else { Ok(kept) }
}

/// Refuses what a web page of somebody else could send.
fn from_elsewhere(host: Option<&str>, origin: Option<&str>) -> Option<Response> {
    let Some(host) = host.filter(|host| is_local(host)) else {
        return Some(error(403, "Forbidden", "The Host header must name 127.0.0.1, localhost or [::1]."));
    };
    let own = |origin: &str| origin.strip_prefix("http://").is_some_and(|origin| origin.eq_ignore_ascii_case(host));
    origin.filter(|origin| !own(origin)).map(|_| error(403, "Forbidden", "The Origin header names another server."))
}

async fn connection(emulator: Rc<Emulator>, stream: tokio::net::TcpStream, mut stopped: watch::Receiver<()>) {
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let emulator = Rc::clone(&emulator);
        async move {
            let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
            let came = crate::io::now();
            let answer = emulator.answer(request).await;
            let at = crate::io::now();
            let status = answer.as_ref().ok().map(|response| response.status);
            emulator.note(&Heard { at, method: &method, path: &path, status, took: at.since(came) });
            answer.map(outgoing)
        }
    });
    let server = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .serve_connection(TokioIo::new(stream), service);
    let mut server = std::pin::pin!(server);
    // a connection that breaks is its client's affair
    tokio::select! {
        _ = server.as_mut() => return,
        _ = stopped.changed() => server.as_mut().graceful_shutdown(),
    }
    let _ = server.await;
}

/// The answer as hyper sends it. A header that HTTP cannot carry is left out.
fn outgoing(response: Response) -> hyper::Response<Full<Bytes>> {
    let mut outgoing = hyper::Response::new(Full::new(Bytes::from(response.body)));
    *outgoing.status_mut() = hyper::StatusCode::from_u16(response.status).unwrap_or(hyper::StatusCode::BAD_GATEWAY);
    for (name, value) in response.headers.iter() {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            outgoing.headers_mut().append(name, value);
        }
    }
    outgoing
}

/// An error in Azure Resource Manager's shape.
fn error(status: u16, code: &str, message: &str) -> Response {
    Response::json(status, &json!({ "error": { "code": code, "message": message } }))
        .header("x-ms-failure-cause", "gateway")
}

fn unauthorized(code: &str, message: &str, why: &str) -> Response {
    error(401, code, message).header("WWW-Authenticate", challenge(local::TENANT, why))
}

/// Whether a Host header names this machine.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name.to_ascii_lowercase().as_str(), "127.0.0.1" | "localhost" | "[::1]")
}

/// Compares without telling by its time where the difference is.
fn same(given: &[u8], right: &[u8]) -> bool {
    given.len() == right.len() && given.iter().zip(right).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        for host in ["127.0.0.1", "127.0.0.1:4141", "localhost", "LOCALHOST:1", "[::1]:80", "[::1]"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["", "127.0.0.1.evil.example", "evil.example:4141", "localhost.evil", "[::2]", "127.0.0.2", "::1"] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn only_this_server_is_no_stranger_to_itself() {
        let host = Some("127.0.0.1:4141");
        for origin in [None, Some("http://127.0.0.1:4141")] {
            assert!(from_elsewhere(host, origin).is_none(), "{origin:?}");
        }
        let foreign = [
            "null",
            "",
            "https://127.0.0.1:4141",
            "http://127.0.0.1:4142",
            "http://localhost:4141",
            "http://evil.example",
        ];
        for origin in foreign {
            assert_eq!(from_elsewhere(host, Some(origin)).map(|r| r.status), Some(403), "{origin}");
        }
        assert_eq!(from_elsewhere(None, None).map(|r| r.status), Some(403));
    }

    #[test]
    fn tokens_are_compared_whole() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abd", b"abc") && !same(b"ab", b"abc") && !same(b"", b"abc") && !same(b"abcd", b"abc"));
    }
}
