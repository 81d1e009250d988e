//! The emulator, by a raw HTTP client: what any other client of Azure Resource Manager would see.

use super::Place;
use serde_json::{Value, json};
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
        Server::with(place, &[])
    }

    /// One with more on its command line.
    pub fn with(place: &Place, more: &[&str]) -> Server {
        let mut child = place
            .command(&[&["emulator", "--port", "0", "--output", "json"], more].concat())
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
        assert_eq!(document["page"], format!("http://{address}/#token={token}"));
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
    // as recorded: where a token is to be had, then what was wrong
    let challenge = missing.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer authorization_uri=\"https://login.windows.net/00000000-"), "{challenge}");
    assert!(
        challenge.contains("\", error=\"invalid_token\", error_description=\"The authentication failed"),
        "{challenge}"
    );
    assert_eq!(missing.header("x-ms-failure-cause"), Some("gateway"));
    assert_eq!(missing.header("content-type"), Some("application/json; charset=utf-8"));
    let wrong = server.raw("GET", &url, &format!("{own}Authorization: Bearer {}x\r\n", server.token), "");
    assert_eq!((wrong.status, wrong.json()["error"]["code"].as_str()), (401, Some("InvalidAuthenticationToken")));
    let basic = server.raw("GET", &url, &format!("{own}Authorization: Basic {}\r\n", server.token), "");
    assert_eq!(
        (basic.status, basic.json()["error"]["code"].as_str()),
        (401, Some("AuthenticationFailedInvalidHeader"))
    );
    for origin in ["null", "http://evil.example", "http://127.0.0.1:1"] {
        let foreign = server.raw("GET", &url, &format!("{own}{token}Origin: {origin}\r\n"), "");
        assert_eq!((foreign.status, foreign.header("access-control-allow-origin")), (403, None), "{origin}");
    }
    let same = server.raw("GET", &url, &format!("{own}{token}Origin: http://{}\r\n", server.address), "");
    assert_eq!((same.status, same.header("access-control-allow-origin")), (200, None));
    for host in ["evil.example", "127.0.0.1.evil.example:80", "169.254.169.254"] {
        let foreign = server.raw("GET", &url, &format!("Host: {host}\r\n{token}"), "");
        assert_eq!(foreign.status, 403, "{host}");
    }
    assert_eq!(server.send("TRACE", &url, "").status, 405);
    for admin in ["/admin/state", "/admin/faults", "/admin/reset"] {
        assert_eq!(server.raw("POST", admin, &own, "").status, 401, "{admin}");
    }
}

#[test]
fn http_is_taken_as_it_comes() {
    let place = Place::new();
    let server = Server::start(&place);
    let url = format!("{SUBSCRIPTION}/resourcegroups/rg?{VERSION}");
    let head = format!("Host: {}\r\nAuthorization: Bearer {}\r\n", server.address, server.token);
    let stream = || TcpStream::connect(&server.address).unwrap();
    let answer = |mut stream: TcpStream, text: &str| {
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };

    // a body that is too long, sent to its end or announced
    for size in [5 << 20, 12 << 20] {
        let large = server.send("PUT", &url, &" ".repeat(size));
        assert_eq!((large.status, large.json()["error"]["code"].as_str()), (413, Some("RequestContentTooLarge")));
    }
    let announced = format!("PUT {url} HTTP/1.1\r\n{head}Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    let refused = answer(stream(), &announced);
    assert!(refused.starts_with("HTTP/1.1 413 "), "{refused}");

    // a client that asks before it sends
    let mut polite = stream();
    let body = r#"{"location":"eastus2"}"#;
    write!(polite, "PUT {url} HTTP/1.1\r\n{head}Expect: 100-continue\r\nContent-Length: {}\r\n\r\n", body.len())
        .unwrap();
    let mut reader = BufReader::new(polite.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line.trim_end(), "HTTP/1.1 100 Continue");
    // and uses its connection again
    let rest = answer(polite, &format!("{body}HEAD {url} HTTP/1.1\r\n{head}Connection: close\r\n\r\n"));
    let mut more = String::new();
    let _ = reader.read_to_string(&mut more);
    let both = format!("{more}{rest}");
    assert!(both.contains("HTTP/1.1 201 Created") && both.contains("HTTP/1.1 204 No Content"), "{both}");

    // a body in chunks
    let chunks = format!(
        "PUT {url} HTTP/1.1\r\n{head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n16\r\n{body}\r\n0\r\n\r\n"
    );
    assert!(answer(stream(), &chunks).starts_with("HTTP/1.1 200 "));
    // escapes, an escaped slash, a whole address, bytes that are no text
    for (url, status) in [
        (format!("/%73ubscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/%72g?{VERSION}"), 200),
        (format!("{SUBSCRIPTION}/resourceGroups/a%2Fb?{VERSION}"), 404),
        (format!("http://{}{url}", server.address), 200),
        (format!("{SUBSCRIPTION}/resourceGroups/%ff%00?{VERSION}"), 404),
        (format!("{SUBSCRIPTION}/resourceGroups/{}?{VERSION}", "x".repeat(20_000)), 404),
        ("//?".into(), 400),
    ] {
        let got = server.send("GET", &url, "");
        assert_eq!(got.status, status, "{url}: {got:?}");
    }
    // what is no HTTP is refused, and the next one is served
    for text in
        ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
    {
        let said = answer(stream(), text);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 400 ") || said.starts_with("HTTP/1.1 505 "), "{said}");
    }
    let many = "X-A: b\r\n".repeat(5000);
    let said = answer(stream(), &format!("GET {url} HTTP/1.1\r\n{head}{many}\r\n"));
    assert!(said.starts_with("HTTP/1.1 4"), "{said}");
    // many at once, most of them silent
    let silent: Vec<TcpStream> = (0..150).map(|_| stream()).collect();
    assert_eq!(server.send("GET", &url, "").status, 200);
    drop(silent);
    assert_eq!(server.send("GET", &url, "").status, 200);
}

#[test]
fn the_page_holds_nothing_until_it_has_the_token() {
    let place = Place::new();
    let server = Server::start(&place);
    let own = format!("Host: {}\r\n", server.address);
    let page = server.raw("GET", "/", &own, "");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.body.contains("<title>Local Azure</title>") && !page.body.contains(&server.token));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_ne!(server.raw("GET", "/", &own, "").header("content-security-policy"), Some(policy), "one nonce for all");
    assert_eq!(server.raw("HEAD", "/", &own, "").body, "");
    assert_eq!(server.raw("GET", "/", "Host: evil.example\r\n", "").status, 403);
    assert_eq!(server.raw("GET", "/", &format!("{own}Origin: http://evil.example\r\n"), "").status, 403);

    server.send("PUT", &format!("{SUBSCRIPTION}/resourcegroups/rg?{VERSION}"), r#"{"location":"eastus2"}"#);
    let account = format!("{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/a-page");
    let query = "api-version=2024-10-01";
    let body = json!({"location": "eastus2", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {"customSubDomainName": "a-page"}});
    assert_eq!(server.send("PUT", &format!("{account}?{query}"), &body.to_string()).status, 201);
    server.send("GET", &format!("{account}?{query}&secret=CANARY"), "");
    let state = server.send("GET", "/admin/state", "");
    assert_eq!((state.status, state.header("cache-control")), (200, Some("no-store")));
    assert!(!state.body.contains("CANARY") && !state.body.contains(&server.token), "{}", state.body);
    let state = state.json();
    assert_eq!(state["groups"][0]["resources"][0]["name"], "a-page");
    assert_eq!(state["requests"].as_array().map(Vec::len), Some(3), "the page itself is not told of");
    let last = &state["requests"][0];
    assert_eq!((&last["method"], &last["path"], &last["status"]), (&json!("GET"), &json!(account), &json!(200)));
    assert_eq!(state["scale"], 600);
}

#[test]
fn faults_are_set_met_counted_and_taken_away() {
    let place = Place::new();
    let server = Server::start(&place);
    let url = format!("{SUBSCRIPTION}/resourcegroups/rg?{VERSION}");
    let none = server.send("GET", "/admin/faults", "");
    assert_eq!(none.json(), json!({"faults": [], "counts": []}));
    let busy = json!({"name": "busy", "match": {"method": "GET"}, "times": 1, "answer": {"status": 429, "retryAfter": "PT20M"}});
    let set = server.send("PUT", "/admin/faults", &json!({ "faults": [busy] }).to_string());
    assert_eq!((set.status, &set.json()["faults"][0]), (200, &busy), "{set:?}");
    let met = server.send("GET", &url, "");
    // 20 minutes, divided by 600
    assert_eq!((met.status, met.header("retry-after")), (429, Some("2")));
    assert_eq!(met.json()["error"]["code"], "SubscriptionRequestsThrottled");
    assert_eq!(server.send("GET", &url, "").status, 404);
    assert_eq!(server.send("GET", "/admin/faults", "").json()["counts"], json!([{"seen": 2, "done": 1}]));

    // a broken connection: nothing comes back, and the second time the request was carried out
    let yaml = "faults:\n- match: { method: PUT }\n  times: 1\n  drop: before\n- match: { method: PUT }\n  times: 1\n  drop: after\n";
    assert_eq!(server.send("PUT", "/admin/faults", yaml).status, 200);
    for there in [404, 200] {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        let body = r#"{"location":"eastus2"}"#;
        let head = format!("Host: {}\r\nAuthorization: Bearer {}\r\n", server.address, server.token);
        write!(stream, "PUT {url} HTTP/1.1\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(answer, b"");
        assert_eq!(server.send("GET", &url, "").status, there);
    }
    assert_eq!(server.send("GET", "/admin/state", "").json()["requests"][1]["status"], Value::Null);

    // one more after those, refused ones with their places, and none
    assert_eq!(
        server.send("POST", "/admin/faults", r#"{"faults":[{"lag":"1s"}]}"#).json()["faults"].as_array().map(Vec::len),
        Some(3)
    );
    let wrong = server.send("PUT", "/admin/faults", "{\"faults\": [\n  {\"lagg\": \"1s\"},\n  {\"slow\": \"soon\"}]}");
    assert_eq!((wrong.status, &wrong.json()["error"]["code"]), (400, &json!("InvalidScenario")));
    let details = wrong.json()["error"]["details"].clone();
    assert!(details[0]["message"].as_str().unwrap().starts_with("line 2, column 4: unknown key `lagg`"), "{details}");
    assert_eq!(details[1]["target"], "faults[1].slow");
    assert_eq!(server.send("DELETE", "/admin/faults", "").status, 204);
    assert_eq!(server.send("GET", "/admin/faults", "").json()["faults"], json!([]));

    // a reset, a jump, and what there is not
    assert_eq!(server.send("POST", "/admin/reset", "").status, 204);
    assert_eq!(server.send("GET", &url, "").status, 404);
    let before = server.send("GET", "/admin/state", "").json()["now"].clone();
    let jumped = server.send("POST", "/admin/time", r#"{"forward": "P2D"}"#);
    assert_eq!(jumped.status, 200, "{jumped:?}");
    assert!(jumped.json()["now"].as_str() > before.as_str());
    for body in ["", "{}", r#"{"forward": "yesterday"}"#, r#"{"forward": "P99999D"}"#, "\u{1}"] {
        assert_eq!(server.send("POST", "/admin/time", body).status, 400, "{body}");
    }
    assert_eq!(server.send("PATCH", "/admin/faults", "").status, 405);
    assert_eq!(server.send("GET", "/admin/nothing", "").status, 404);
}

#[test]
fn a_scenario_is_met_by_the_command_line_too() {
    let place = Place::with_examples();
    {
        let server = Server::with(&place, &["--scenario", "examples/scenarios/throttled.yaml"]);
        let told = server.send("GET", "/admin/faults", "").json();
        assert!(told["faults"].as_array().is_some_and(|faults| faults.len() > 3), "{told}");
        // the first process is gone, its faults stay
    }
    let told = Server::start(&place);
    assert!(told.send("GET", "/admin/faults", "").json()["faults"].as_array().is_some_and(|faults| faults.len() > 3));
    place.run("deploy examples/quickstart.yaml --cloud local --yes").exits(0);
    let counts = told.send("GET", "/admin/faults", "").json()["counts"].clone();
    assert_eq!(counts[0]["done"], 2, "the order was throttled twice: {counts}");
    let met = counts.as_array().unwrap().iter().filter(|count| count["done"].as_u64() > Some(0)).count();
    assert!(met >= 2, "{counts}");
    place.run("plan examples/quickstart.yaml --cloud local --detailed-exitcode").exits(0);
}

#[test]
fn the_documented_scenario_is_one() {
    let text = std::fs::read_to_string(super::root().join("docs/emulator.md")).unwrap();
    let blocks: Vec<&str> = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 1);
    let place = Place::new();
    place.write("scenario.yaml", blocks[0]);
    let server = Server::with(&place, &["--scenario", "scenario.yaml"]);
    let told = server.send("GET", "/admin/faults", "").json();
    assert_eq!(told["faults"].as_array().map(Vec::len), Some(6));
    // and every code that it names needs no words
    let codes = text.split("Codes that need no words: ").nth(1).unwrap().split("A\nstatus alone").next().unwrap();
    let known = codes.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() > 5);
    let faults: Vec<Value> = known.map(|code| json!({"answer": {"code": code}})).collect();
    assert!(faults.len() > 10, "{codes}");
    let set = server.send("PUT", "/admin/faults", &json!({ "faults": faults }).to_string());
    assert_eq!(set.status, 200, "{set:?}");
}

#[test]
fn a_scenario_that_is_wrong_is_told_with_its_place() {
    let place = Place::new();
    place.write("bad.yaml", "faults:\n  - match: { methd: PUT }\n    answer: { status: 42 }\n  - drop: later\n");
    let ran = place.run("emulator --port 0 --scenario bad.yaml").exits(4).says("bad.yaml:2:").says("AL0110");
    assert!(ran.err.contains("did you mean `method`?") && ran.err.contains("AL0115"), "{}", ran.err);
    place.write("bad.yaml", "faults:\n  - lag: 1s\n    slow: 1s\n");
    place.run("emulator --port 0 --scenario bad.yaml").exits(4).says("AL0606").says("bad.yaml:2:");
    place.run("emulator --port 0 --scenario none.yaml").exits(4).says("AL0101");
    assert!(!place.path(".aoai-lb").exists());
}

#[test]
fn unknown_types_are_taken_on_demand() {
    let place = Place::new();
    let url = format!("{SUBSCRIPTION}/resourceGroups/rg/providers/Contoso.Things/things/one?api-version=2024-01-01");
    let body = r#"{"location":"eastus2","properties":{"size":3}}"#;
    {
        let strict = Server::start(&place);
        strict.send("PUT", &format!("{SUBSCRIPTION}/resourcegroups/rg?{VERSION}"), r#"{"location":"eastus2"}"#);
        let refused = strict.send("PUT", &url, body);
        assert!(refused.status >= 400 && refused.body.contains("Contoso.Things/things"), "{refused:?}");
    }
    let lenient = Server::with(&place, &["--lenient"]);
    let made = lenient.send("PUT", &url, body);
    assert!([200, 201].contains(&made.status), "{made:?}");
    assert_eq!(lenient.send("GET", &url, "").json()["properties"]["size"], 3);
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
    let server = Server::start(&place);
    place.write(".aoai-lb/local/state.json", "{\"format\": 1,");
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
