//! Fuzz targets: what reads bytes from outside. Each is a plain function that must return, whatever it is given, and
//! that holds a law or two beside. `cargo test` runs them over `fuzz/seeds/` and mutations of it.

use aoai_lb::azure::{World, engine};
use aoai_lb::diagnostic::code;
use aoai_lb::time::Time;
use aoai_lb::wire::{Headers, Method, Request, Response};
use aoai_lb::{arm, expr, import, policy, policy_xml, sim, spec, template};

/// A target with the name of its folder of seeds.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 9] = [
    ("spec", spec),
    ("expression", expression),
    ("policy", policy),
    ("trace", trace),
    ("request", request),
    ("template", template),
    ("failure", failure),
    ("lint", lint),
    ("import", import),
];

/// A spec: a valid one renders, and its long form means the same; a problem stands inside the text.
fn spec(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match spec::load(text, &spec::Options::default()) {
        Ok(loaded) => {
            assert!(!template::files(&loaded.topology).is_empty());
            let long = spec::expand(text, &spec::Options::default()).expect("a valid spec has a long form");
            let again = spec::load(&long, &spec::Options::default()).expect("a long form is valid");
            assert_eq!(loaded.topology, again.topology, "{long}");
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            for span in problems.iter().filter_map(|problem| problem.span) {
                assert!(text.get(span.start..span.end).is_some(), "{span:?}");
            }
        }
    }
}

/// An ARM expression: what is read prints as something that reads as the same.
fn expression(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(tree) = expr::parse(text) {
        assert_eq!(expr::parse(&tree.to_string()), Ok(tree));
    }
    let literal = expr::literal(text);
    assert!(matches!(expr::template_string(&literal), expr::TemplateString::Literal(same) if same == text));
}

/// A policy document: how the service gives it back is the same document.
fn policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    policy::intent(text);
    if let (Ok(canonical), Ok(back)) = (policy_xml::canonical(text), policy_xml::service_form(text)) {
        assert_eq!(policy_xml::canonical(&back), Ok(canonical));
    }
}

/// A trace: however it is cut into pieces, the rows are the same.
fn trace(data: &[u8]) {
    let whole: Vec<_> = sim::trace::arrivals([Ok(data)]).collect();
    let pieces: Vec<_> = sim::trace::arrivals(data.chunks(7).map(Ok)).collect();
    assert_eq!(whole, pieces);
}

/// Requests to the local Azure, a zero byte between them: the first line is method and url, then come headers up to an
/// empty line, where there is one, and the rest is the body. Every refusal has one of Azure's shapes and changes nothing.
fn request(data: &[u8]) {
    let mut world = World::new("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-00000000007e", 600);
    let start = Time::from_secs(1_794_999_000);
    for (url, body) in SETUP {
        let mut request = Request::arm(Method::Put, url);
        request.body = body.as_bytes().to_vec();
        let response = world.handle(start, &request);
        assert!(response.status < 300, "{url} {}", String::from_utf8_lossy(&response.body));
    }
    for (at, part) in data.split(|byte| *byte == 0).enumerate() {
        let (line, body) = part.split_at(part.iter().position(|byte| *byte == b'\n').unwrap_or(part.len()));
        let (fields, body) = headers(body.get(1..).unwrap_or_default());
        let line = String::from_utf8_lossy(line);
        let Some((method, url)) = line.split_once(' ') else { continue };
        let Some(method) = Method::parse(method) else { continue };
        let mut request = Request::arm(method, url.trim());
        request.headers = fields;
        request.body = body.to_vec();
        let (now, before) = (Time::from_secs(1_795_000_000 + at as u64), world.revision());
        let response = world.handle(now, &request);
        assert!((100..600).contains(&response.status));
        if response.status >= 400 {
            assert_eq!(world.revision(), before, "{line}");
            assert!(is_refusal(&response), "{line} {}", String::from_utf8_lossy(&response.body));
        }
    }
    let text = world.to_json();
    assert_eq!(World::from_json(&text).map(|world| world.to_json()).as_deref(), Ok(text.as_str()));
}

/// What stands in the world before the first request of a seed.
const SETUP: [(&str, &str); 3] = [
    (
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg?api-version=2021-04-01",
        r#"{"location":"eastus2"}"#,
    ),
    (
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.ApiManagement/service/apim?api-version=2024-05-01",
        r#"{"location":"eastus2","sku":{"name":"BasicV2","capacity":1},"properties":{"publisherEmail":"a@contoso.com","publisherName":"Contoso"}}"#,
    ),
    (
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/aoai?api-version=2024-10-01",
        r#"{"location":"eastus2","kind":"OpenAI","sku":{"name":"S0"},"properties":{"customSubDomainName":"a-1"}}"#,
    ),
];

/// Lines of the form `name: value` up to an empty one, and what follows; without an empty line all is body.
fn headers(text: &[u8]) -> (Headers, &[u8]) {
    let none = (Headers::default(), text);
    let Some(end) = text.windows(2).position(|pair| pair == b"\n\n") else { return none };
    let Ok(fields) = std::str::from_utf8(&text[..end]) else { return none };
    let fields: Option<Vec<(&str, &str)>> = fields.lines().map(|line| line.split_once(": ")).collect();
    match fields {
        Some(fields) => (fields.into_iter().collect(), &text[end + 2..]),
        None => none,
    }
}

/// One of the shapes in which Azure refuses, or nothing at all.
fn is_refusal(response: &Response) -> bool {
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let error = body.get("error").unwrap_or(&body);
    let word = |name: &str| error.get(name).is_some_and(serde_json::Value::is_string);
    response.body.is_empty() || (word("code") && word("message")) || (response.status == 405 && word("Message"))
}

/// Nothing exists.
struct Nothing;

impl engine::Runtime for Nothing {
    fn resource(&self, _: &str, _: Option<&str>) -> Option<serde_json::Value> {
        None
    }

    fn list(&self, _: &str, _: &str, _: &str) -> Option<serde_json::Value> {
        None
    }
}

/// An ARM template.
fn template(data: &[u8]) {
    let Ok(value) = serde_json::from_slice(data) else { return };
    let group = engine::ResourceGroup {
        id: "/subscriptions/s/resourceGroups/rg".into(),
        name: "rg".into(),
        location: "eastus2".into(),
        tags: serde_json::json!({}),
    };
    let scope = engine::Scope {
        subscription: "s".into(),
        resource_group: Some(group),
        management_group: None,
        deployment_name: "d".into(),
        location: None,
        tenant: "t".into(),
        now: Time::from_secs(1_795_000_000),
        seed: 1,
    };
    if let Ok(prepared) = engine::prepare(&value, &serde_json::json!({}), &scope) {
        for (at, node) in prepared.nodes().iter().enumerate() {
            assert!(node.depends_on.iter().all(|before| *before < at), "{}", node.id);
            drop(prepared.body(at, &Nothing));
            drop(prepared.foreseen_body(at, &Nothing));
        }
        drop(prepared.outputs(&Nothing));
    }
}

/// An error body: something is found in every answer that failed.
fn failure(data: &[u8]) {
    let response = Response { status: 409, headers: Headers::default(), body: data.to_vec() };
    assert!(!arm::failure::failures(&response).is_empty());
    arm::failure::retryable(&response);
}

/// A foreign policy or template: whatever is found stands inside the text.
fn lint(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let found = [policy::lint::lint(text, &Default::default()), template::lint::lint(text)];
    for span in found.iter().flatten().filter_map(|problem| problem.span) {
        assert!(span.start <= span.end && span.start <= text.len(), "{span:?}");
    }
}

/// Somebody's template or policy: what comes out is a spec with no key that a spec does not have, and every problem
/// stands in the text.
fn import(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parameters = serde_json::Map::new();
    let options = import::Options {
        file: "main.json",
        parameters: &parameters,
        subscription: None,
        resource_group: Some("rg-contoso"),
        location: None,
    };
    let problems = match import::read(text, &options) {
        Err(problem) => vec![problem],
        Ok(made) => {
            let odd = [code::UNKNOWN_KEY, code::BROKEN_YAML, code::DUPLICATE_KEY, code::YAML_FEATURE];
            let asked = spec::load(&made.spec, &spec::Options::default()).err().unwrap_or_default();
            assert!(asked.iter().all(|problem| !odd.contains(&problem.code)), "{asked:?}\n{}", made.spec);
            made.problems
        }
    };
    for span in problems.iter().filter_map(|problem| problem.span) {
        assert!(text.get(span.start..span.end).is_some(), "{span:?}");
    }
}
