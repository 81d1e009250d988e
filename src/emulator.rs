//! The local Azure as an HTTP server on 127.0.0.1, for clients that are not this program.
//!
//! A request becomes a [`Request`], goes through the same door as `--cloud local` ([`Local`]), and its answer goes back.
//! Addresses of operations begin with this server's own, so that a client polls here. Nobody gets in without the
//! bearer token; `Host` must be local, so that no web page reaches it through a name that resolves to 127.0.0.1.
//!
//! Deliberately absent: TLS (the traffic never leaves the machine) and any knowledge of Azure.

mod cloud;
pub mod data_plane;

pub use cloud::LocalCloud;

use crate::io::local::Local;
use crate::io::signal::Signals;
use crate::time::Time;
use crate::wire::{Door, Headers, Method, Request, Response, Secret, Transport};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// ARM takes no larger body.
const BODY_LIMIT: usize = 4 << 20;

/// How long a client may take to send its headers.
const HEADER_TIME: Duration = Duration::from_secs(30);

/// How long requests under way may take once the server was asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// One running server.
pub struct Emulator {
    local: Local,
    token: Secret,
    heard: Box<dyn Fn(&Heard<'_>)>,
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
    /// The answer's status.
    pub status: u16,
}

impl Emulator {
    /// A server in front of `local`, which lets in who knows `token` and tells `heard` of every answer.
    pub fn new(local: Local, token: Secret, heard: impl Fn(&Heard<'_>) + 'static) -> Emulator {
        Emulator { local, token, heard: Box::new(heard) }
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
    async fn answer(&self, incoming: hyper::Request<Incoming>) -> Response {
        let (parts, body) = incoming.into_parts();
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(refused) = self.guard(header("host"), header("authorization")) {
            return refused;
        }
        let Some(method) = Method::parse(parts.method.as_str()) else {
            let message = format!("The requested resource does not support http method '{}'.", parts.method);
            return error(405, "UnsupportedHttpMethod", &message);
        };
        let body = match Limited::new(body, BODY_LIMIT).collect().await {
            Ok(body) => body.to_bytes().to_vec(),
            Err(failed) if failed.is::<LengthLimitError>() => {
                let message = format!("The request content size exceeds the maximum size of {BODY_LIMIT} bytes.");
                return error(413, "RequestContentTooLarge", &message);
            }
            Err(failed) => return error(400, "InvalidRequestContent", &failed.to_string()),
        };
        let url = parts.uri.path_and_query().map_or("/", |url| url.as_str()).to_owned();
        // neither the token nor what concerns this connection is Azure's business
        let headers: Headers = parts
            .headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "authorization" | "host" | "connection"))
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        match self.local.handle(Request { door: Door::Arm, method, url, headers, body }).await {
            Ok(response) => response,
            Err(Transport::Refused(problem)) => {
                let message = match &problem.help {
                    Some(help) => format!("{} ({help})", problem.message),
                    None => problem.message.clone(),
                };
                error(500, problem.code.as_str(), &message)
            }
            Err(other) => error(500, "InternalServerError", &other.to_string()),
        }
    }

    /// Who may not come in.
    fn guard(&self, host: Option<&str>, authorization: Option<&str>) -> Option<Response> {
        if !host.is_some_and(is_local) {
            return Some(error(403, "Forbidden", "The Host header must name 127.0.0.1, localhost or [::1]."));
        }
        let scheme = |text: &str| text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "));
        let Some(authorization) = authorization.filter(|text| scheme(text)) else {
            let message = "Authentication failed. The 'Authorization' header is missing.";
            return Some(unauthorized("AuthenticationFailed", message, "invalid_request"));
        };
        if !same(authorization[7..].trim().as_bytes(), self.token.expose().as_bytes()) {
            let message = "The access token is invalid. The emulator printed its own at the start.";
            return Some(unauthorized("InvalidAuthenticationToken", message, "invalid_token"));
        }
        None
    }
}

async fn connection(emulator: Rc<Emulator>, stream: tokio::net::TcpStream, mut stopped: watch::Receiver<()>) {
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let emulator = Rc::clone(&emulator);
        async move {
            let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
            let response = emulator.answer(request).await;
            let at = crate::io::now();
            (emulator.heard)(&Heard { at, method: &method, path: &path, status: response.status });
            Ok::<_, Infallible>(outgoing(response))
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

fn unauthorized(code: &str, message: &str, kind: &str) -> Response {
    let challenge = format!("Bearer error=\"{kind}\", error_description=\"{message}\"");
    error(401, code, message).header("WWW-Authenticate", challenge)
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
    fn tokens_are_compared_whole() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abd", b"abc") && !same(b"ab", b"abc") && !same(b"", b"abc") && !same(b"abcd", b"abc"));
    }
}
