//! Callers of a gateway of the local Azure: keys, roles, routes, quotas, breakers.

use super::cloud::{Virtual, deploy, run};
use aoai_lb::arm;
use aoai_lb::spec;
use aoai_lb::time::Duration;
use aoai_lb::topology::Topology;
use aoai_lb::wire::{Cloud, Door, Method, Request, Response, Secret, Transport};
use serde_json::{Value, json};

const CHAT: &str = "/openai/deployments/gpt-5.1/chat/completions?api-version=2024-10-21";

struct Bench {
    cloud: Virtual,
    desired: Topology,
    url: String,
    service: String,
}

impl Bench {
    /// The quickstart, deployed, and its roles at work.
    fn new() -> Bench {
        let bench = Bench::just_deployed();
        bench.cloud.pass(Duration::from_secs(600));
        bench
    }

    fn just_deployed() -> Bench {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart.yaml");
        let text = std::fs::read_to_string(file).expect("the example");
        let loaded = spec::load(&text, &spec::Options::default()).expect("it is right");
        let mut topology = loaded.topology;
        topology.scope.subscription = Some("00000000-0000-0000-0000-000000000001".into());
        let unique = arm::unique(&topology);
        let desired = topology.resolve(&unique);
        let cloud = Virtual::new();
        let (done, _) = deploy(&cloud, &desired).expect("it deploys");
        let service = arm::id::of(&desired, &aoai_lb::topology::Address::Gateway).expect("its id");
        let url = done.live.gateway_url.expect("its address");
        Bench { cloud, desired, url, service }
    }

    fn arm(&self, method: Method, path: &str, body: Value) -> Response {
        let mut request = Request::arm(method, path);
        if !body.is_null() {
            request = request.json(&body);
        }
        if method == Method::Patch {
            request = request.header("If-Match", "*");
        }
        self.cloud.ask(&request)
    }

    fn key(&self, subscription: &str) -> Secret {
        let path = format!("{}/subscriptions/{subscription}/listSecrets?api-version=2024-05-01", self.service);
        let secrets = self.arm(Method::Post, &path, Value::Null).value().expect("secrets");
        Secret::new(secrets["primaryKey"].as_str().expect("a key"))
    }

    fn try_call(&self, key: &Secret, target: &str, backend: Option<&str>, body: &Value) -> Result<Response, Transport> {
        let mut request = Request::arm(Method::Post, format!("{}{target}", self.url)).json(body);
        request.door = Door::Gateway { header: "api-key".into(), key: key.clone() };
        if let Some(backend) = backend {
            request = request.header("x-aoai-lb-backend", backend);
        }
        run(self.cloud.send(request))
    }

    fn call(&self, key: &Secret, target: &str) -> Response {
        self.try_call(key, target, None, &question()).expect("an answer")
    }

    fn probe(&self, backend: &str) -> Response {
        self.try_call(&self.key("probe"), CHAT, Some(backend), &question()).expect("an answer")
    }
}

fn question() -> Value {
    json!({"messages": [{"role": "user", "content": "Are you there?"}], "max_tokens": 1})
}

fn said(response: &Response) -> (u16, String) {
    let body = response.value().unwrap_or_default();
    let text = body["error"]["code"].as_str().or(body["message"].as_str()).unwrap_or_default();
    (response.status, text.to_owned())
}

fn served_by(response: &Response) -> &str {
    response.headers.get("x-aoai-lb-served-by").unwrap_or_default()
}

#[test]
fn a_probe_is_refused_until_the_role_works() {
    let bench = Bench::just_deployed();
    let refused = bench.probe("backend1");
    assert_eq!(said(&refused), (401, "PermissionDenied".into()));
    let text = String::from_utf8_lossy(&refused.body).into_owned();
    assert!(text.contains("Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"), "{text}");
    bench.cloud.pass(Duration::from_secs(300));
    for (backend, deployment) in [("backend1", "openaideploy1"), ("backend2", "openaideploy2")] {
        let response = bench.probe(backend);
        assert_eq!(response.status, 200, "{backend}");
        assert!(served_by(&response).ends_with(&format!("/{deployment}")), "{}", served_by(&response));
        assert_eq!(response.value().expect("a body")["usage"]["completion_tokens"], 1);
    }
    assert_eq!(said(&bench.probe("backend3")), (500, "Internal server error".into()));
}

#[test]
fn only_the_key_of_an_active_subscription_opens_the_door() {
    let bench = Bench::new();
    assert_eq!(bench.call(&bench.key("openai-subscription"), CHAT).status, 200);
    assert_eq!(bench.call(&bench.key("master"), CHAT).status, 200);
    let missing = bench.call(&Secret::new(""), CHAT);
    assert_eq!(missing.status, 401);
    let (status, text) = said(&bench.call(&Secret::new("0123456789abcdef"), CHAT));
    assert!(status == 401 && text.contains("invalid subscription key"), "{text}");
    let path = format!("{}/subscriptions/openai-subscription?api-version=2024-05-01", bench.service);
    let body = json!({"properties": {"state": "suspended"}});
    assert!(bench.arm(Method::Patch, &path, body).status < 300);
    assert_eq!(bench.call(&bench.key("openai-subscription"), CHAT).status, 401);
    // only the stack's own subscription probes: for anybody else the header says nothing
    let ordinary = bench.try_call(&bench.key("master"), CHAT, Some("backend3"), &question()).expect("an answer");
    assert_eq!(ordinary.status, 200);
}

#[test]
fn what_is_not_there_is_not_found() {
    let bench = Bench::new();
    let key = bench.key("openai-subscription");
    let unrouted = CHAT.replace("gpt-5.1", "gpt-9");
    assert_eq!(said(&bench.call(&key, &unrouted)), (404, "DeploymentNotFound".into()));
    assert_eq!(said(&bench.call(&key, "/elsewhere")), (404, "Resource not found".into()));
    assert_eq!(said(&bench.call(&key, CHAT.split('?').next().expect("a path"))), (404, "404".into()), "no api-version");
    let embeddings = CHAT.replace("chat/completions", "embeddings");
    assert_eq!(said(&bench.call(&key, &embeddings)), (400, "OperationNotSupported".into()));
    let account = arm::id::of(&bench.desired, &aoai_lb::topology::Address::Account("cog1".into())).expect("its id");
    let path = format!("{account}/deployments/openaideploy1?api-version=2024-10-01");
    assert_eq!(bench.arm(Method::Delete, &path, Value::Null).status, 200);
    assert_eq!(said(&bench.probe("backend1")), (404, "DeploymentNotFound".into()));
    let mut elsewhere = Request::arm(Method::Get, "https://nobody.azure-api.net/openai");
    elsewhere.door = Door::Gateway { header: "api-key".into(), key };
    assert!(matches!(run(bench.cloud.send(elsewhere)), Err(Transport::Unreachable(_))));
}

#[test]
fn a_full_deployment_trips_its_breaker_and_the_other_one_serves() {
    let bench = Bench::new();
    let key = bench.key("openai-subscription");
    // 10K and 20K tokens a minute: 30 calls of 1,000 tokens fit in
    let big = json!({"messages": [], "max_tokens": 1000});
    let calls: Vec<Response> = (0..40).map(|_| bench.try_call(&key, CHAT, None, &big).expect("an answer")).collect();
    let served = |name: &str| calls.iter().filter(|call| call.status == 200 && served_by(call).ends_with(name)).count();
    let (first, second) = (served("openaideploy1"), served("openaideploy2"));
    assert!(first <= 10 && second <= 20 && first + second >= 25, "{first} and {second}");
    let last = calls.last().expect("a call");
    assert_eq!(last.status, 429);
    assert!(last.headers.get("Retry-After").is_some());
    bench.cloud.pass(Duration::from_secs(120));
    assert_eq!(bench.try_call(&key, CHAT, None, &big).expect("an answer").status, 200);
}

#[test]
fn a_role_that_is_taken_away_no_longer_works() {
    let bench = Bench::new();
    let account = arm::id::of(&bench.desired, &aoai_lb::topology::Address::Account("cog1".into())).expect("its id");
    let list = format!("{account}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01");
    let roles = bench.arm(Method::Get, &list, Value::Null).value().expect("roles");
    let id = roles["value"][0]["id"].as_str().expect("an id");
    assert_eq!(bench.arm(Method::Delete, &format!("{id}?api-version=2022-04-01"), Value::Null).status, 200);
    assert_eq!(said(&bench.probe("backend1")), (401, "PermissionDenied".into()));
    assert_eq!(bench.probe("backend2").status, 200);
}

#[test]
fn a_policy_of_somebody_else_is_not_run() {
    let bench = Bench::new();
    let path = format!("{}/apis/openai/policies/policy?api-version=2024-05-01", bench.service);
    let value = "<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>";
    let body = json!({"properties": {"format": "rawxml", "value": value}});
    assert_eq!(bench.arm(Method::Put, &path, body).status, 200);
    let (status, text) = said(&bench.call(&bench.key("openai-subscription"), CHAT));
    assert!(status == 500 && text.contains("'openai'"), "{text}");
}
