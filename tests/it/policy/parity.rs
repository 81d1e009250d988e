//! A policy and its twin: rendered policies, run by Mono against scripted backends, say and send what `exchange` says and
//! sends.
//!
//! `exchange` goes first, through calls made up by chance; what it was told becomes the script. So under every strategy
//! both meet the same replies at the same instants, and smart draws the same numbers.

use super::{intents, newtonsoft};
use aoai_lb::exchange::{Answer, Ask, Call, Caller, Destination, Gateway, Reply, Step};
use aoai_lb::policy;
use aoai_lb::policy_xml::{Element, Node, parse};
use aoai_lb::pool::{GatewayState, Rotation, State};
use aoai_lb::rng::{Draws, Stream, below, draw};
use aoai_lb::time::{Duration, Time};
use aoai_lb::topology::intent::{Body, Called, LimitBy, below as below_api};
use aoai_lb::topology::{
    Access, Account, Api, Backend, Balancing, Deployment, DeploymentSku, Intent, Location, Member, Name, Policy, Pool,
    Scope, Stack, Strategy, Subscription, Target, Topology, defaults,
};
use aoai_lb::wire::{Headers, Method};
use serde_json::{Value, json};
use std::process::Command;

/// Calls of one case share a cache.
const CALLS: usize = 12;

/// Chance, one number after another.
struct Chance {
    case: u64,
    drawn: u32,
}

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.drawn += 1;
        below(draw(7, Stream::Fault, self.case, self.drawn), n)
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// Everything that an intent of [`intents`] names.
fn topology(intent: Intent) -> Topology {
    let deployment = || Deployment::new("gpt-4.1", "2025-04-14", DeploymentSku::GlobalStandard, 50);
    let account = |name: &str, names: &[&str]| {
        let deployments = names.iter().map(|name| ((*name).to_owned(), deployment())).collect();
        Account::new(Name::Literal(name.into()), Location::new("eastus2"), deployments)
    };
    let natively = intent.strategy == Strategy::Pool;
    let breaker = natively.then(defaults::breaker);
    let target =
        |account: &str, deployment: &str| Target::Deployment { account: account.into(), deployment: deployment.into() };
    let v1 = |account: &str, deployment: &str| Target::V1 { account: account.into(), deployment: deployment.into() };
    let backends = [
        ("ptu", target("one", "gpt-ptu")),
        ("east", target("one", "gpt-east")),
        ("sweden", target("two", "gpt-se")),
        ("ptu-v1", v1("one", "gpt-ptu")),
        ("east-v1", v1("one", "gpt-east")),
        ("sweden-v1", v1("two", "gpt-se")),
        ("east-stateful", Target::Account { account: "one".into() }),
    ];
    let backend = |(key, target): (&str, Target)| {
        let breaker = if key == "east-stateful" { None } else { breaker.clone() };
        (key.to_owned(), Backend::new(key, target, breaker))
    };
    let member = |backend: &str, priority, weight| Member { backend: backend.into(), priority, weight };
    let pool = |name: &str, suffix: &str| {
        let members = [("ptu", 1, 1), ("east", 2, 2), ("sweden", 2, 1)];
        let members =
            members.map(|(backend, priority, weight)| member(&format!("{backend}{suffix}"), priority, weight));
        let balancing = if natively { Balancing::Native } else { Balancing::Policy };
        (name.to_owned(), Pool { balancing, ..Pool::new(name, members.into()) })
    };
    let subscription = |name: &str| {
        let access = Access::Api("openai".into());
        (name.to_owned(), Subscription { name: name.into(), display_name: name.into(), access, tracing: false })
    };
    let api = Api::new("openai", Policy::Rendered(intent));
    let stack = Stack { name: "parity".into(), environment: String::new() };
    let scope = Scope { subscription: None, resource_group: "rg".into(), location: Location::new("eastus2") };
    Topology {
        accounts: [("one", &["gpt-ptu", "gpt-east"] as &[_]), ("two", &["gpt-se"])]
            .map(|(key, names)| (key.to_owned(), account(&format!("aoai-{key}"), names)))
            .into(),
        backends: backends.map(backend).into(),
        pools: [pool("gpt", ""), pool("gpt-v1", "-v1")].into(),
        apis: [("openai".to_owned(), Api { operations: defaults::every_operation(), ..api })].into(),
        subscriptions: [subscription("default"), subscription(defaults::PROBE)].into(),
        ..Topology::new(stack, scope)
    }
}

/// Addresses of the backends, as the harness needs them.
fn urls(topology: &Topology) -> Value {
    let url = |(key, backend): (&String, &Backend)| {
        let (account, _) = backend.target.account().expect("one of ours");
        let url = format!("https://aoai-{account}.openai.azure.com/{}", backend.target.path().expect("a path"));
        (key.clone(), url.into())
    };
    Value::Object(topology.backends.iter().map(url).collect())
}

/// A policy for the harness: elements as JSON, each expression as `#!` and its number.
fn tree(element: &Element, expressions: &mut Vec<String>) -> Value {
    let mut numbered = |text: &str| {
        let text = text.trim();
        let inside = |open: &str, close: &str| text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
        let code = match (inside("@(", ")"), inside("@{", "}")) {
            (Some(code), _) => format!("return (object)({code});"),
            (_, Some(code)) => code.to_owned(),
            (None, None) => return Value::from(text),
        };
        // the script is the clock and the chance
        let code = code.replace("DateTimeOffset.UtcNow", "Clock.Offset").replace("DateTime.UtcNow", "Clock.UtcNow");
        expressions.push(code.replace("new Random(Guid.NewGuid().GetHashCode())", "new Chance()"));
        Value::from(format!("#!{}", expressions.len() - 1))
    };
    let text: String = element
        .children
        .iter()
        .filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let text = numbered(&text);
    let attributes: Value = element.attributes.iter().map(|(name, value)| (name.clone(), numbered(value))).collect();
    let children: Vec<Value> = element.elements().map(|child| tree(child, expressions)).collect();
    json!({ "n": element.name, "a": attributes, "t": text, "c": children })
}

/// One call through the twin.
struct Told {
    script: Value,
    expected: Value,
}

/// What a backend might say.
fn reply(chance: &mut Chance, now: Time, timeout: Duration) -> (Value, Duration) {
    let ms = chance.of(&[0, 0, 40, 900, 12_345]);
    let status = chance.of(&[200, 200, 429, 429, 429, 500, 503, 408, 409, 400, 401, 404, 499, 502, 504, 0, 0, 1]);
    match status {
        0 => return (json!({ "ms": ms }), Duration::from_millis(ms)),
        1 => return (json!({ "ms": timeout.0 / 1_000_000 }), timeout),
        _ => {}
    }
    let mut headers = vec![["x-note".to_owned(), "kept".to_owned()]];
    if chance.below(8) > 0 {
        headers.push(["apim-request-id".into(), "1".into()]);
    }
    if chance.below(3) > 0 {
        let date = now + Duration::from_secs(chance.below(90));
        let date = jiff::Timestamp::from_second((date.0 / 1_000_000_000) as i64).expect("a time");
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let seconds = chance.of(&["0", "1", "7", "30", "61", "86400", "-1", "soon", "1.5", " 5 "]);
        let text = if chance.below(4) == 0 { date } else { seconds.to_owned() };
        headers.push(["Retry-After".into(), text]);
    }
    if chance.below(4) == 0 {
        headers.push(["retry-after-ms".into(), chance.of(&["200", "1600", "x", "70000"]).into()]);
    }
    if chance.below(9) == 0 {
        headers.push(["x-aoai-lb-attempts".into(), "9".into()]);
    }
    (json!({ "ms": ms, "status": status, "headers": headers }), Duration::from_millis(ms))
}

fn fields(value: &Value) -> Headers {
    let pairs = value["headers"].as_array().into_iter().flatten();
    pairs.map(|pair| (pair[0].as_str().unwrap_or_default(), pair[1].as_str().unwrap_or_default())).collect()
}

fn sorted(headers: &Headers) -> Vec<String> {
    let mut all: Vec<(String, &str)> = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    all.sort();
    all.into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

const BODIES: [&str; 8] = [
    r#"{"model":"chat","messages":[]}"#,
    r#"{"model":"CHAT"}"#,
    r#"{"model":"unknown"}"#,
    r#"{"model":"chat","store":true}"#,
    r#"{"model":"chat","store":false,"previous_response_id":null}"#,
    r#"{"model":"chat","previous_response_id":"resp_1"}"#,
    r#"{"model":["chat"]}"#,
    "no json",
];

const PATHS: [(Method, &str); 12] = [
    (Method::Post, "/deployments/chat/chat/completions"),
    (Method::Post, "/Deployments/Ch%61t/embeddings"),
    (Method::Post, "/deployments/chat"),
    (Method::Post, "/deployments/other/chat/completions"),
    (Method::Post, "/deployments//chat/completions"),
    (Method::Post, "/v1/chat/completions"),
    (Method::Post, "/v1/responses"),
    (Method::Post, "/V1/Embeddings"),
    (Method::Get, "/v1/responses/resp_1"),
    (Method::Get, "/v1/models"),
    (Method::Post, "/v1/batches"),
    (Method::Get, "/assistants"),
];

/// What a caller sends.
struct Asked {
    method: Method,
    path: String,
    query: &'static [&'static str],
    headers: Vec<[String; 2]>,
    body: Option<&'static str>,
    subscription: Option<&'static str>,
}

fn asked(chance: &mut Chance, intent: &Intent) -> Asked {
    let simple = chance.below(2) == 0;
    let (method, path) = if simple { PATHS[chance.of(&[0, 5])] } else { chance.of(&PATHS) };
    let body = if simple {
        Some(BODIES[0])
    } else {
        chance
            .of(&[None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), Some(7)])
            .map(|at: usize| BODIES[at])
    };
    let query: &[&str] =
        chance.of(&[&[], &["api-version=1"], &["api%2Dkey=CANARY", "api-version=1", "subscription-key=CANARY"]]);
    let mut headers: Vec<[String; 2]> = vec![
        ["api-key".into(), "CANARY".into()],
        ["Authorization".into(), "Bearer app=CANARY".into()],
        ["X-Aoai-Lb-Served-By".into(), "CANARY".into()],
        ["x-ms-client-request-id".into(), "7".into()],
        ["Content-Type".into(), chance.of(&["application/json", "application/json", "multipart/form-data"]).into()],
    ];
    if intent.credentials().next().is_some() {
        headers.push(["X-Foreign-Key".into(), "CANARY".into()]);
    }
    let mut subscription = if intent.keys.is_none() { None } else { Some("default") };
    if chance.below(6) == 0 {
        subscription = Some(defaults::PROBE);
    }
    if chance.below(3) == 0 || subscription == Some(defaults::PROBE) {
        headers.push(["x-aoai-lb-backend".into(), chance.of(&["SWEDEN", "ptu", "EAST", "east-stateful"]).into()]);
    }
    Asked { method, path: format!("/openai{path}"), query, headers, body, subscription }
}

/// Lets the twin serve one call, and writes down what it is told and what it does.
fn told(gateway: &Gateway, state: &mut GatewayState, topology: &Topology, chance: &mut Chance, now: &mut Time) -> Told {
    let intent = topology.apis["openai"].policy.intent().expect("ours");
    let asked = asked(chance, intent);
    let headers: Headers = asked.headers.iter().map(|[name, value]| (name.as_str(), value.as_str())).collect();
    let content_type = headers.get("Content-Type").unwrap_or_default();
    let read = asked.body.map_or(Body::NONE, |body| Body::read(content_type, body.as_bytes()));
    let target = match asked.query.is_empty() {
        true => asked.path.clone(),
        false => format!("{}?{}", asked.path, asked.query.join("&")),
    };
    let call = Call { method: asked.method, target: &target, headers: &headers, body: &read };
    let caller = asked.subscription.and_then(|name| gateway.subscription(name));
    let caller = caller.map_or(Caller::Missing, Caller::Subscription);
    let ask = gateway.read(&call, caller);
    let draws = Draws { seed: 3, request: chance.below(1 << 40) };
    let at = *now;
    let (mut exchange, mut step) = gateway.start(state, *now, draws, ask);
    let (mut replies, mut sent) = (Vec::new(), Vec::new());
    let (mut last, mut body) = ((0, Headers::default()), None);
    loop {
        // attempts that met the gateway's own 503: an answer, or in the end an error
        let owned = matches!(ask, Ask::Pool { .. } | Ask::Probe { .. });
        let sending = usize::from(matches!(step, Step::Send { .. }));
        let tripped = if owned { exchange.attempts() as usize - replies.len() - sending } else { 0 };
        for n in 0..tripped {
            let wait = reopens(state, ask, *now).map(|until| until.since(*now).secs_ceil().to_string());
            let fields: Vec<[String; 2]> = wait.map(|wait| ["Retry-After".to_owned(), wait]).into_iter().collect();
            let error = matches!(step, Step::Answer(_)) && n + 1 == tripped && chance.below(2) == 0;
            replies
                .push(json!({ "ms": 0, "status": 503, "headers": fields, "url": "https://pool/none", "error": error }));
            sent.push(Value::Null);
        }
        step = match step {
            Step::Send { backend, timeout } => {
                let forward = gateway.forward(&call, backend).expect("a backend");
                let mut headers = forward.headers;
                match forward.credential {
                    Some(key) => headers.set(key.header, format!("{{{{{}}}}}", key.named_value)),
                    None => headers.set("Authorization", "Bearer TOKEN"),
                }
                let picked = topology.backends.keys().nth(backend.index()).expect("a key");
                sent.push(json!({ "url": forward.url, "headers": sorted(&headers), "at": now.0 / 1_000_000 }));
                let (mut said, took) = reply(chance, *now, timeout);
                if matches!(ask, Ask::Pool { .. }) {
                    said["url"] = urls(topology)[picked].clone();
                }
                *now += took;
                let read = match said["status"].as_u64() {
                    Some(status) => {
                        last = (status as u16, fields(&said));
                        Reply::read(*now, status as u16, &last.1)
                    }
                    None => Reply::Silence,
                };
                replies.push(said);
                gateway.on(&mut exchange, state, *now, draws, read).0
            }
            Step::Wait(until) => {
                *now = until;
                gateway.wake(&mut exchange, state, *now, draws)
            }
            Step::Relay(relay) => {
                gateway.relayed(&relay, &mut last.1);
                body = Some(String::new());
                break;
            }
            Step::Answer(answer) => {
                let response = answer.response();
                last = (response.status, response.headers);
                // of what the service itself says only the status is known
                if !matches!(answer, Answer::GatewayError | Answer::BreakerOpen) {
                    body = Some(String::from_utf8(response.body).expect("text"));
                }
                break;
            }
        };
    }
    let headers = body.as_ref().map_or(Value::Null, |_| json!(sorted(&last.1)));
    let counted = counted(intent, &asked, &body_name(intent, &call), ask, destination(topology, ask, &call));
    // as texts: they are longer than what JSON numbers hold everywhere
    let draws: Vec<String> = (0..60).map(|attempt| draws.get(Stream::Pick, attempt).to_string()).collect();
    Told {
        script: json!({
            "at": at.0 / 1_000_000, "method": asked.method.as_str(), "path": asked.path, "query": asked.query,
            "headers": asked.headers, "body": asked.body, "subscription": asked.subscription,
            "replies": replies, "draws": draws,
        }),
        expected: json!({
            "status": last.0, "body": body.unwrap_or_default(), "headers": headers, "sent": sent, "counted": counted,
            "ended": now.0 / 1_000_000, "left": 0,
        }),
    }
}

/// When an exhausted pool, or a probe's tripped backend, is there again.
fn reopens(state: &GatewayState, ask: Ask, now: Time) -> Option<Time> {
    match ask {
        Ask::Pool { pool, .. } => state.reopens(now, pool),
        Ask::Probe { destination: Destination::Backend(backend), .. } => match state.state(now, backend) {
            State::Open { until } => Some(until),
            State::Closed => None,
        },
        _ => None,
    }
}

/// Name of the pool, or of the account's backend, that an ordinary call goes to.
fn destination(topology: &Topology, ask: Ask, call: &Call<'_>) -> Option<String> {
    let intent = topology.apis["openai"].policy.intent().expect("ours");
    match ask {
        Ask::Pool { .. } | Ask::Candidates { .. } => {
            let path = call.target.split('?').next().unwrap_or_default();
            match intent.called(call.method, below_api(path, "openai"), call.body) {
                Called::Deployment { name, .. } => intent.routes.pool(&name).map(str::to_owned),
                Called::Model { name, .. } => intent.v1.as_ref()?.pool(name).map(str::to_owned),
                Called::Account { .. } => None,
            }
        }
        Ask::Account { .. } => intent.stateful.clone(),
        Ask::Probe { .. } | Ask::Refused(_) => None,
    }
}

/// The deployment as the caller named it.
fn body_name(intent: &Intent, call: &Call<'_>) -> String {
    let path = call.target.split('?').next().unwrap_or_default();
    match intent.called(call.method, below_api(path, "openai"), call.body) {
        Called::Deployment { name, .. } => name,
        Called::Model { name, .. } => name.to_owned(),
        Called::Account { .. } => String::new(),
    }
}

/// What limits and metrics are counted by (rule 7).
fn counted(intent: &Intent, asked: &Asked, name: &str, ask: Ask, pool: Option<String>) -> Vec<String> {
    let Some(pool) = pool.filter(|_| !matches!(ask, Ask::Probe { .. } | Ask::Refused(_))) else { return Vec::new() };
    let application = if intent.entra.is_some() { "CANARY" } else { "192.0.2.7" };
    let caller = asked.subscription.unwrap_or(application);
    let limit = intent.token_limit.as_ref().map(|limit| match limit.by {
        LimitBy::Subscription => format!("openai:{caller}"),
        LimitBy::Pool => format!("openai:{caller}:{pool}"),
    });
    let metrics = intent
        .metrics
        .iter()
        .flat_map(|_| ["Client IP=192.0.2.7".to_owned(), format!("Deployment={name}"), format!("Pool={pool}")]);
    limit.into_iter().chain(metrics).collect()
}

#[test]
fn policies_and_their_twin_say_and_send_the_same() {
    let Some(newtonsoft) = newtonsoft() else { return };
    let nightly = std::env::var_os("AOAI_LB_NIGHTLY").is_some();
    let rounds = if nightly { 200 } else { 24 };
    let mut all = intents::all();
    for (_, intent) in intents::all().into_iter().filter(|(name, _)| name.ends_with("full")) {
        let mut patient = intent;
        patient.retry.count = 4;
        patient.retry.interval = Duration::from_secs(3);
        all.push((format!("{} patient", patient.strategy.word()), patient));
    }
    let (mut expressions, mut policies, mut cases, mut expected) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut addresses = Value::Null;
    for (at, (name, intent)) in all.iter().enumerate() {
        let document = parse(&policy::render(intent)).expect("XML");
        policies.push(tree(&document.root, &mut expressions));
        let topology = topology(intent.clone());
        addresses = urls(&topology);
        let gateway = Gateway::new(&topology).expect("a gateway");
        for round in 0..rounds {
            let mut chance = Chance { case: (at * 1_000 + round) as u64, drawn: 0 };
            let mut state = GatewayState::new(&topology, Rotation::Smooth);
            let mut now = Time::from_secs(1_800_000_000);
            let mut calls = Vec::new();
            for _ in 0..CALLS {
                let told = told(&gateway, &mut state, &topology, &mut chance, &mut now);
                let mut shown = told.script.clone();
                shown["draws"] = Value::Null;
                expected.push((name.clone(), shown, told.expected));
                calls.push(told.script);
                now += Duration::from_millis(chance.of(&[0, 0, 700, 1_000, 7_000, 10_000, 30_000, 60_000]));
            }
            cases.push(json!({ "policy": at, "late": round % 2 == 0, "calls": calls }));
        }
    }
    let answers = run(&newtonsoft, &expressions, &json!({ "policies": policies, "cases": cases, "urls": addresses }));
    assert_eq!(answers.len(), expected.len());
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for (mut answer, (name, script, expected)) in answers.into_iter().zip(expected) {
        if expected["headers"].is_null() {
            answer["headers"] = Value::Null;
        }
        for (at, sent) in answer["sent"].as_array_mut().into_iter().flatten().enumerate() {
            if expected["sent"][at].is_null() {
                *sent = Value::Null;
            } else if let Some(sent) = sent.as_object_mut() {
                sent.remove("backend");
            }
        }
        assert!(!answer["sent"].to_string().contains("CANARY"), "{name}: {answer:#}");
        assert_eq!(answer, expected, "{name}\n{script}");
        let strategy = name.split(' ').next().unwrap_or_default();
        *seen.entry(format!("{strategy} {}", expected["status"])).or_default() += 1;
    }
    // every strategy met every end
    for strategy in intents::STRATEGIES {
        for status in [200, 400, 404, 429, 503] {
            assert!(seen.contains_key(&format!("{} {status}", strategy.word())), "{status}: {seen:?}");
        }
    }
}

/// Compiles the harness with these expressions, runs it, and reads what it says.
fn run(newtonsoft: &std::path::Path, expressions: &[String], input: &Value) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let written = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the file is written");
        path
    };
    let mut code = String::from(
        "using System; using System.Collections.Generic; using System.Linq; using Newtonsoft.Json.Linq;\n\
         class Chance { public int Next(int n) { return Dice.Next(n); } }\n\
         public static class Expressions {\n",
    );
    for (n, expression) in expressions.iter().enumerate() {
        code += &format!("static object E{n}(IContext context) {{\n{expression}\n}}\n");
    }
    let names: Vec<String> = (0..expressions.len()).map(|n| format!("E{n}")).collect();
    code += &format!("public static readonly Func<IContext, object>[] All = {{ {} }};\n}}\n", names.join(", "));
    let sources = [
        written("Context.cs", include_str!("csharp/Context.cs")),
        written("Gateway.cs", include_str!("csharp/Gateway.cs")),
        written("Expressions.cs", &code),
    ];
    let program = folder.path().join("gateway.exe");
    let output = Command::new("mcs")
        .args(["-langversion:7", &format!("-out:{}", program.display()), &format!("-r:{}", newtonsoft.display())])
        .args(sources)
        .output()
        .expect("mcs runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::copy(newtonsoft, folder.path().join("Newtonsoft.Json.dll")).expect("the assembly is copied");
    let script = written("script.json", &input.to_string());
    let output = Command::new("mono").arg(&program).arg(script).output().expect("mono runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).expect("text");
    said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}
