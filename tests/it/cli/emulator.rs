//! The emulator, by a raw HTTP client: what any other client of Azure Resource Manager would see.

use super::Place;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// A running emulator, ended when it goes out of scope.
pub struct Server {
    child: Child,
    pub address: String,
    pub token: String,
}

/// An answer over the wire.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Server {
    pub fn start(place: &Place) -> Server {
        let mut child = place
            .command(&["emulator", "--port", "0", "--output", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stream = serde_json::Deserializer::from_reader(BufReader::new(child.stdout.take().unwrap()));
        let document = stream.into_iter::<Value>().next().unwrap().unwrap();
        assert_eq!((&document["format"], &document["tool"]), (&Value::from(1), &Value::from("aoai-lb")));
        let address = document["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        let token = document["token"].as_str().unwrap().to_owned();
        assert!(address.starts_with("127.0.0.1:") && token.starts_with("local-"));
        Server { child, address, token }
    }

    /// A request as a well-behaved client sends it.
    pub fn send(&self, method: &str, url: &str, body: &str) -> Answer {
        let authorization = format!("Authorization: Bearer {}\r\n", self.token);
        self.raw(method, url, &format!("Host: {}\r\n{authorization}", self.address), body)
    }

    /// A request with exactly these header lines, beside those that frame it.
    pub fn raw(&self, method: &str, url: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {url} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        let mut headers = Vec::new();
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_owned(), value.to_owned()));
        }
        let mut body = String::new();
        reader.read_to_string(&mut body).unwrap();
        Answer { status, headers, body }
    }

    /// Ends it as Ctrl-C does, and gives its exit code.
    #[cfg(unix)]
    pub fn interrupt(mut self) -> Option<i32> {
        super::interrupt::signal(&self.child, "INT");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-0000-0000-000000000001";
const VERSION: &str = "api-version=2021-04-01";

#[test]
fn nobody_gets_in_without_the_token_or_from_elsewhere() {
    let place = Place::new();
    let server = Server::start(&place);
    let url = format!("{SUBSCRIPTION}/resourcegroups?{VERSION}");
    let own = format!("Host: {}\r\n", server.address);
    let token = format!("Authorization: Bearer {}\r\n", server.token);

    assert_eq!(server.raw("GET", &url, &format!("{own}{token}"), "").status, 200);
    let missing = server.raw("GET", &url, &own, "");
    assert_eq!((missing.status, missing.json()["error"]["code"].as_str()), (401, Some("AuthenticationFailed")));
    assert!(missing.header("www-authenticate").unwrap().starts_with("Bearer "));
    let wrong = server.raw("GET", &url, &format!("{own}Authorization: Bearer {}x\r\n", server.token), "");
    assert_eq!((wrong.status, wrong.json()["error"]["code"].as_str()), (401, Some("InvalidAuthenticationToken")));
    let basic = server.raw("GET", &url, &format!("{own}Authorization: Basic {}\r\n", server.token), "");
    assert_eq!(basic.status, 401);
    for host in ["evil.example", "127.0.0.1.evil.example:80", "169.254.169.254"] {
        let foreign = server.raw("GET", &url, &format!("Host: {host}\r\n{token}"), "");
        assert_eq!(foreign.status, 403, "{host}");
    }
    assert_eq!(server.send("TRACE", &url, "").status, 405);
    assert_eq!(server.raw("GET", &url, &format!("{own}{token}"), &" ".repeat(5 << 20)).status, 413);
}

#[test]
fn it_is_the_same_azure_as_cloud_local() {
    let place = Place::new();
    let server = Server::start(&place);
    let url = format!("{SUBSCRIPTION}/resourcegroups/rg?{VERSION}");
    assert_eq!(server.send("GET", &url, "").status, 404);
    let made = server.send("PUT", &url, r#"{"location":"eastus2"}"#);
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(server.send("HEAD", &url, "").body, "");
    let state: Value = serde_json::from_str(&place.read(".aoai-lb/local/state.json")).unwrap();
    assert_eq!(state["format"], 2);
    assert!(!place.read(".aoai-lb/local/state.json").contains(&server.token), "the token was stored");

    let deleted = server.send("DELETE", &url, "");
    assert_eq!(deleted.status, 202);
    let next = deleted.header("location").unwrap();
    let poll = next.strip_prefix(&format!("http://{}", server.address)).unwrap_or_else(|| panic!("{next}"));
    assert!([200, 202].contains(&server.send("GET", poll, "").status));

    // a second one works on the same state
    let second = Server::start(&place);
    assert_ne!(second.token, server.token);
    assert!(second.send("GET", &format!("{SUBSCRIPTION}/resourcegroups?{VERSION}"), "").status == 200);
}

#[test]
fn a_damaged_state_is_said_over_http_too() {
    let place = Place::new();
    place.write(".aoai-lb/local/state.json", "{\"format\": 1,");
    let server = Server::start(&place);
    let url = format!("{SUBSCRIPTION}/resourcegroups?{VERSION}");
    let answer = server.send("GET", &url, "");
    assert_eq!((answer.status, answer.json()["error"]["code"].as_str()), (500, Some("AL0601")));
    assert_eq!(place.read(".aoai-lb/local/state.json.damaged-1"), "{\"format\": 1,");
    assert_eq!(server.send("GET", &url, "").status, 200);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_well_and_a_taken_port_is_said() {
    let place = Place::new();
    let server = Server::start(&place);
    let port = server.address.rsplit_once(':').unwrap().1;
    place.run(&format!("emulator --port {port}")).exits(1).says("AL0605");
    assert_eq!(server.interrupt(), Some(0));
}
