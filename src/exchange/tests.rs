pub(crate) mod strategies;

use super::*;
use crate::pool::tests::laws;
use crate::pool::{Rotation, State};
use crate::topology::{
    Account, Backend, Deployment, DeploymentSku, Key, Location, Member, Name, Policy, Pool, Scope, Stack, Target,
    intent::{self, NO_BODY},
};
use crate::wire::{Headers, Method};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// PTU first, two regions behind it, three deployment names; callers say `chat`.
pub(crate) fn two_regions() -> Topology {
    let account = |name: &str, location: &str, deployments: &[(&str, DeploymentSku, u32)]| {
        let deployments = deployments
            .iter()
            .map(|&(name, sku, capacity)| (name.into(), Deployment::new("gpt-4.1", "2025-04-14", sku, capacity)));
        Account::new(Name::Literal(name.into()), Location::new(location), deployments.collect())
    };
    let backend = |account: &str, deployment: &str, breaker| {
        let target = Target::Deployment { account: account.into(), deployment: deployment.into() };
        Backend::new(&format!("{account}-{deployment}"), target, Some(breaker))
    };
    let member = |backend: &str, priority| Member { backend: backend.into(), priority, weight: 50 };
    let subscription = |name: &str| topology::Subscription {
        name: name.into(),
        display_name: name.into(),
        access: topology::Access::Api("openai".into()),
        tracing: false,
    };
    let intent = Intent::new(Routes::ByName([("chat".to_owned(), "gpt".to_owned())].into()));
    let stack = Stack { name: "two".into(), environment: String::new() };
    let scope = Scope { subscription: None, resource_group: "rg".into(), location: Location::new("eastus2") };
    let map = |pairs: Vec<(&str, Backend)>| -> BTreeMap<Key, Backend> {
        pairs.into_iter().map(|(key, backend)| (key.into(), backend)).collect()
    };
    Topology {
        accounts: [
            (
                "east".to_owned(),
                account(
                    "aoai-east",
                    "eastus2",
                    &[("gpt-ptu", DeploymentSku::ProvisionedManaged, 50), ("gpt-east", DeploymentSku::Standard, 50)],
                ),
            ),
            ("sweden".to_owned(), account("aoai-sweden", "swedencentral", &[("gpt-se", DeploymentSku::Standard, 50)])),
        ]
        .into(),
        backends: map(vec![
            ("east", backend("east", "gpt-east", defaults::breaker())),
            ("ptu", backend("east", "gpt-ptu", defaults::breaker_provisioned())),
            ("sweden", backend("sweden", "gpt-se", defaults::breaker())),
        ]),
        pools: [("gpt".to_owned(), Pool::new("gpt", vec![member("ptu", 1), member("east", 2), member("sweden", 2)]))]
            .into(),
        apis: [(
            "openai".to_owned(),
            topology::Api { display_name: "OpenAI".into(), ..topology::Api::new("openai", Policy::Rendered(intent)) },
        )]
        .into(),
        subscriptions: [
            ("default".to_owned(), subscription("default")),
            ("probe".to_owned(), subscription(defaults::PROBE)),
        ]
        .into(),
        ..Topology::new(stack, scope)
    }
}

/// The two regions with other retries.
fn with(change: impl FnOnce(&mut Intent)) -> Topology {
    let mut topology = two_regions();
    if let Policy::Rendered(intent) = &mut topology.apis.get_mut("openai").unwrap().policy {
        change(intent);
    }
    topology
}

const TARGET: &str = "/openai/deployments/chat/chat/completions?api-version=2024-10-21";
const EAST: BackendId = BackendId(0);
const PTU: BackendId = BackendId(1);
const SWEDEN: BackendId = BackendId(2);
const DEFAULT: Caller = Caller::Subscription(SubscriptionId(0));
const PROBE: Caller = Caller::Subscription(SubscriptionId(1));

/// A gateway under test: each call of `on` is one reply of a backend.
struct Bench {
    gateway: Gateway,
    state: GatewayState,
    now: Time,
}

impl Bench {
    fn new(topology: &Topology) -> Bench {
        Bench {
            gateway: Gateway::new(topology).unwrap(),
            state: GatewayState::new(topology, Rotation::Smooth),
            now: Time::ZERO,
        }
    }

    fn start(&mut self) -> (Exchange, Step) {
        self.start_as(&Headers::default(), DEFAULT)
    }

    fn start_as(&mut self, headers: &Headers, caller: Caller) -> (Exchange, Step) {
        let ask = self.gateway.read(&Call { method: Method::Post, target: TARGET, headers, body: &NO_BODY }, caller);
        self.gateway.start(&mut self.state, self.now, DRAWS, ask)
    }

    fn on(&mut self, exchange: &mut Exchange, reply: Reply) -> Step {
        self.gateway.on(exchange, &mut self.state, self.now, DRAWS, reply).0
    }

    /// A whole call against backends that all say the same; who was asked, and the last step.
    fn all_say(&mut self, reply: Reply) -> (Vec<BackendId>, Step) {
        let (mut exchange, mut step) = self.start();
        let mut asked = Vec::new();
        loop {
            step = match step {
                Step::Send { backend, .. } => {
                    asked.push(backend);
                    self.on(&mut exchange, reply)
                }
                Step::Wait(until) => {
                    self.now = until;
                    self.gateway.wake(&mut exchange, &mut self.state, until, DRAWS)
                }
                done => return (asked, done),
            };
        }
    }
}

const DRAWS: Draws = Draws { seed: 1, request: 0 };

/// An answer of a backend of Azure OpenAI.
fn azure(status: u16, fields: &[(&str, &str)]) -> Reply {
    let mut headers: Headers = fields.iter().copied().collect();
    headers.set("apim-request-id", "1");
    Reply::read(Time::ZERO, status, &headers)
}

fn send(step: Step) -> Option<BackendId> {
    match step {
        Step::Send { backend, .. } => Some(backend),
        _ => None,
    }
}

#[test]
fn each_attempt_goes_to_its_members_own_deployment() {
    let mut bench = Bench::new(&two_regions());
    let (asked, _) = bench.all_say(azure(429, &[]));
    assert_eq!(asked, [PTU, EAST, SWEDEN]);
    let headers = Headers::default();
    let call = Call { method: Method::Post, target: TARGET, headers: &headers, body: &NO_BODY };
    let urls: Vec<String> = asked.iter().map(|&backend| bench.gateway.forward(&call, backend).unwrap().url).collect();
    assert_eq!(
        urls,
        [
            "https://aoai-east.openai.azure.com/openai/deployments/gpt-ptu/chat/completions?api-version=2024-10-21",
            "https://aoai-east.openai.azure.com/openai/deployments/gpt-east/chat/completions?api-version=2024-10-21",
            "https://aoai-sweden.openai.azure.com/openai/deployments/gpt-se/chat/completions?api-version=2024-10-21",
        ]
    );
}

#[test]
fn nothing_secret_of_the_callers_reaches_a_backend() {
    let bench = Bench::new(&two_regions());
    let headers: Headers = [
        ("API-Key", "CANARY"),
        ("Ocp-Apim-Subscription-Key", "CANARY"),
        ("authorization", "Bearer CANARY"),
        ("X-MS-Spillover-Deployment", "CANARY"),
        ("x-aoai-lb-backend", "CANARY"),
        ("X-AOAI-LB-Attempts", "CANARY"),
        ("Content-Type", "application/json"),
        ("x-ms-client-request-id", "7"),
    ]
    .into_iter()
    .collect();
    let target = format!("{TARGET}&API-KEY=CANARY&subscription-key=CANARY&api%2Dkey=CANARY&x=1");
    let call = Call { method: Method::Post, target: &target, headers: &headers, body: &NO_BODY };
    assert_eq!(bench.gateway.key(&call), Some("CANARY"));
    let forward = bench.gateway.forward(&call, PTU).unwrap();
    assert!(!format!("{forward:?}").contains("CANARY"), "{forward:?}");
    assert!(forward.url.ends_with("/gpt-ptu/chat/completions?api-version=2024-10-21&x=1"));
    let kept: Vec<_> = forward.headers.iter().collect();
    assert_eq!(kept, [("Content-Type", "application/json"), ("x-ms-client-request-id", "7")]);
}

#[test]
fn a_key_is_looked_for_in_the_header_and_then_in_the_query() {
    let bench = Bench::new(&two_regions());
    let key = |fields: &[(&str, &str)], target| {
        let headers = fields.iter().copied().collect();
        bench.gateway.key(&Call { method: Method::Post, target, headers: &headers, body: &NO_BODY }).map(str::to_owned)
    };
    assert_eq!(key(&[("api-key", "a")], "/openai/x?api-key=b").as_deref(), Some("a"));
    assert_eq!(key(&[], "/openai/x?a=1&api-key=b").as_deref(), Some("b"));
    assert_eq!(key(&[], "/openai/x"), None);
    assert_eq!(key(&[("api-key", "a")], "/other/x"), None);
}

#[test]
fn what_the_gateway_answers_before_any_backend() {
    let bench = Bench::new(&two_regions());
    let none = Headers::default();
    let read =
        |method, target, caller| bench.gateway.read(&Call { method, target, headers: &none, body: &NO_BODY }, caller);
    let refused = Ask::Refused;
    for (method, target) in [
        (Method::Post, "/other/deployments/chat/chat/completions"),
        (Method::Post, "/openaix/deployments/chat/chat/completions"),
        (Method::Get, "/openai/deployments/chat/chat/completions"),
        (Method::Post, "/openai/deployments/chat/nothing"),
        (Method::Post, "/openai/deployments//chat/completions"),
        (Method::Post, "/"),
        (Method::Post, ""),
    ] {
        assert_eq!(read(method, target, Caller::Missing), refused(Answer::OperationNotFound), "{target}");
    }
    assert_eq!(read(Method::Post, TARGET, Caller::Missing), refused(Answer::KeyMissing));
    assert_eq!(read(Method::Post, TARGET, Caller::Invalid), refused(Answer::KeyInvalid));
    let nobody = Caller::Subscription(SubscriptionId(9));
    assert_eq!(read(Method::Post, TARGET, nobody), refused(Answer::KeyInvalid));
    let unrouted = "/openai/deployments/gpt-ptu/chat/completions";
    assert_eq!(read(Method::Post, unrouted, DEFAULT), refused(Answer::DeploymentNotFound));
    let found = Ask::Pool { api: ApiId(0), pool: PoolId(0), subscription: Some(SubscriptionId(0)) };
    assert_eq!(read(Method::Post, "/OpenAI/Deployments/CHAT/chat/completions", DEFAULT), found);
    assert_eq!(bench.gateway.ask(ApiId(0), Some(SubscriptionId(0)), "chat"), found, "the simulator's short cut");

    for (answer, status, word) in [
        (Answer::OperationNotFound, 404, "Resource not found"),
        (Answer::KeyMissing, 401, "missing subscription key"),
        (Answer::KeyInvalid, 401, "invalid subscription key"),
        (Answer::DeploymentNotFound, 404, "DeploymentNotFound"),
    ] {
        let response = answer.response();
        assert_eq!(response.status, status);
        assert!(response.value().unwrap().to_string().contains(word), "{response:?}");
    }
}

#[test]
fn a_subscription_of_another_api_is_no_key() {
    let mut topology = two_regions();
    topology.subscriptions.get_mut("default").unwrap().access = topology::Access::Api("another".into());
    let gateway = Gateway::new(&topology).unwrap();
    assert_eq!(gateway.ask(ApiId(0), Some(SubscriptionId(0)), "chat"), Ask::Refused(Answer::KeyInvalid));
}

#[test]
fn a_probe_goes_to_the_backend_that_it_names_once() {
    let mut bench = Bench::new(&two_regions());
    let named = |name: &str| -> Headers { [("x-aoai-lb-backend", name)].into_iter().collect() };
    let (mut exchange, step) = bench.start_as(&named("sweden-GPT-SE"), PROBE);
    assert_eq!(send(step), Some(SWEDEN));
    let last = bench.on(&mut exchange, azure(503, &[("Retry-After", "86400")]));
    assert_eq!(last, Step::Relay(Relay { backend: SWEDEN, attempts: 1, retry_after: None }), "no retry, no change");
    assert_eq!(bench.start_as(&named("sweden-gpt-se"), PROBE).1, Step::Answer(Answer::BreakerOpen));
    assert_eq!(bench.start_as(&named("nobody"), PROBE).1, Step::Answer(Answer::GatewayError));
    // for anybody else the header means nothing, and a probe without it is an ordinary call
    assert_eq!(send(bench.start_as(&named("sweden-gpt-se"), DEFAULT).1), Some(PTU));
    assert_eq!(send(bench.start_as(&Headers::default(), PROBE).1), Some(PTU));
    assert_eq!(send(bench.start_as(&named(""), PROBE).1), Some(PTU));
    let (mut exchange, _) = bench.start_as(&named("gpt"), PROBE);
    assert_eq!(bench.on(&mut exchange, Reply::Silence), Step::Answer(Answer::GatewayError));
    // what looks like the gateway's own 503 was served by nobody
    let (mut exchange, _) = bench.start_as(&named("gpt"), PROBE);
    let unmarked = Reply::read(Time::ZERO, 503, &Headers::default());
    assert_eq!(bench.on(&mut exchange, unmarked), Step::Answer(Answer::BreakerOpen));
}

#[test]
fn what_is_repeated_and_what_becomes_of_it() {
    let relay = |backend, attempts| Step::Relay(Relay { backend, attempts, retry_after: None });
    let gone = Answer::Unavailable { attempts: 3, retry_after: None };
    for status in (200..600).filter(|status| *status != 409) {
        let mut bench = Bench::new(&two_regions());
        let (asked, last) = bench.all_say(azure(status, &[]));
        match status {
            408 | 429 | 499 => assert_eq!((asked.len(), last), (3, relay(SWEDEN, 3)), "{status}"),
            500 | 502 | 503 | 504 => assert_eq!((asked.len(), last), (3, Step::Answer(gone)), "{status}"),
            _ => assert_eq!((asked.len(), last), (1, relay(PTU, 1)), "{status}"),
        }
    }
    let conflict = |fields: &[(&str, &str)]| Bench::new(&two_regions()).all_say(azure(409, fields)).0;
    assert_eq!(conflict(&[]), [PTU]);
    // repeated, and not counted by the breaker: the same member again
    assert_eq!(conflict(&[("Retry-After", "1")]), [PTU; 3]);
    assert_eq!(conflict(&[("Retry-After", "soon")]), [PTU; 3]);
}

#[test]
fn the_little_that_a_reply_knows_is_enough_to_repeat() {
    for status in 100..600 {
        for fields in [&[] as &[_], &[("Retry-After", "1")], &[("Retry-After", "?")], &[("retry-after-ms", "1")]] {
            let headers: Headers = fields.iter().copied().collect();
            let Reply::Answered { retry_after, .. } = Reply::read(Time::ZERO, status, &headers) else { panic!() };
            assert_eq!(repeats(status, retry_after), Retry::repeats(status, &headers), "{status} {fields:?}");
        }
    }
}

#[test]
fn silence_is_repeated_unless_it_took_the_whole_timeout() {
    let mut bench = Bench::new(&two_regions());
    let (mut exchange, step) = bench.start();
    let Step::Send { timeout, .. } = step else { panic!("{step:?}") };
    assert_eq!(timeout, Duration::from_secs(240));
    bench.now += Duration::from_secs(239);
    assert_eq!(send(bench.on(&mut exchange, Reply::Silence)), Some(PTU), "no breaker counts silence");
    bench.now += Duration::from_millis(239_990);
    // a timer that rang a tick early: a time-out all the same
    let gone = Step::Answer(Answer::Unavailable { attempts: 2, retry_after: None });
    assert_eq!(bench.on(&mut exchange, Reply::Silence), gone, "a generation that is paid for already");

    let mut bench = Bench::new(&with(|intent| intent.retry.timeouts = true));
    let (mut exchange, _) = bench.start();
    bench.now += timeout;
    assert_eq!(send(bench.on(&mut exchange, Reply::Silence)), Some(PTU));
}

#[test]
fn waits_between_attempts_follow_interval_and_first_fast() {
    let slow = |first_fast| {
        with(|intent| {
            intent.retry = Retry { count: 3, interval: Duration::from_secs(2), first_fast, ..defaults::retry() }
        })
    };
    let stops = |topology: &Topology| {
        let mut bench = Bench::new(topology);
        let (mut exchange, mut step) = bench.start();
        let mut stops = Vec::new();
        loop {
            step = match step {
                Step::Send { .. } => {
                    stops.push(bench.now.0 / 1_000_000_000);
                    bench.on(&mut exchange, azure(429, &[]))
                }
                Step::Wait(until) => {
                    bench.now = until;
                    bench.gateway.wake(&mut exchange, &mut bench.state, until, DRAWS)
                }
                _ => return (stops, exchange.attempts()),
            };
        }
    };
    // the PTU's breaker is open for a second only, so the pool always has somebody
    assert_eq!(stops(&slow(true)), (vec![0, 0, 2, 4], 4));
    assert_eq!(stops(&slow(false)), (vec![0, 2, 4, 6], 4));
}

#[test]
fn an_exhausted_pool_answers_with_the_smallest_known_wait() {
    let mut bench = Bench::new(&two_regions());
    let (mut exchange, _) = bench.start();
    bench.on(&mut exchange, azure(429, &[("Retry-After", "90")]));
    bench.on(&mut exchange, azure(503, &[("Retry-After", "30")]));
    let last = bench.on(&mut exchange, azure(429, &[("Retry-After", "3600")]));
    let relay = Relay { backend: SWEDEN, attempts: 3, retry_after: Some(60) };
    assert_eq!(last, Step::Relay(relay), "the last answer is the caller's, its Retry-After capped");

    bench.now = Time::from_secs(10);
    let (_, step) = bench.start();
    let exhausted = Answer::Exhausted { status: 429, attempts: 3, retry_after: Some(20) };
    assert_eq!(step, Step::Answer(exhausted), "the first breaker closes in 20 s");
    let response = exhausted.response();
    assert_eq!((response.status, response.headers.get("Retry-After")), (429, Some("20")));
    assert_eq!(response.headers.get("x-aoai-lb-attempts"), Some("3"));
    assert_eq!(response.value().unwrap()["error"]["code"], "rate_limit_exceeded");

    // with a wait between attempts a breaker may close meanwhile
    bench = Bench::new(&with(|intent| intent.retry.interval = Duration::from_secs(30)));
    for backend in [EAST, PTU, SWEDEN] {
        let outcome = Outcome::Status { status: 429, retry_after: Some(Duration::from_secs(25)) };
        bench.state.observe(Time::ZERO, backend, outcome).unwrap();
    }
    let (mut exchange, step) = bench.start();
    assert_eq!(step, Step::Wait(Time::from_secs(30)), "the second attempt found nobody either");
    let step = bench.gateway.wake(&mut exchange, &mut bench.state, Time::from_secs(30), DRAWS);
    assert_eq!((send(step), exchange.attempts()), (Some(PTU), 3));
}

/// What a backend does.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// Answers with the headers that Azure OpenAI sends, and these.
    Azure(u16, &'static [(&'static str, &'static str)]),
    /// Answers with these headers alone.
    Bare(u16, &'static [(&'static str, &'static str)]),
    /// Does not answer, for so many seconds.
    Nothing(u64),
}

/// What a caller sees, in words.
fn seen(gateway: &Gateway, last: Step, status: u16, headers: &Headers) -> String {
    let (status, headers, by) = match last {
        Step::Relay(relay) => {
            let mut headers = headers.clone();
            gateway.relayed(&relay, &mut headers);
            let by = headers.get(intent::SERVED_BY_HEADER).unwrap_or("nobody").to_owned();
            (status, headers, by.split_once('/').map_or(by.clone(), |(_, deployment)| deployment.to_owned()))
        }
        Step::Answer(answer) => {
            let response = answer.response();
            let code = response.value().and_then(|body| body["error"]["code"].as_str().map(str::to_owned));
            (response.status, response.headers, code.unwrap_or_else(|| "the gateway".into()))
        }
        other => panic!("{other:?}"),
    };
    let named = |name, word| headers.get(name).map_or(String::new(), |value| format!(", {word} {value}"));
    let rest =
        [named("Retry-After", "after"), named("retry-after-ms", "ms"), named(intent::ATTEMPTS_HEADER, "attempt")];
    format!("{status} {by}{}", rest.concat())
}

/// Rules 12 to 24, by example.
#[test]
fn what_callers_see() {
    use Said::{Azure, Bare, Nothing};
    let full: &[Said] = &[Azure(429, &[("Retry-After", "90")]), Azure(429, &[("Retry-After", "30")])];
    let rows: &[(&[Said], &str)] = &[
        (&[Azure(200, &[])], "200 gpt-ptu, attempt 1"),
        (&[Azure(429, &[("Retry-After", "9")]), Azure(200, &[])], "200 gpt-east, attempt 2"),
        (&[full, &[Azure(429, &[("Retry-After", "40")])]].concat(), "429 gpt-se, after 40, attempt 3"),
        (&[full, &[Azure(429, &[("Retry-After", "61")])]].concat(), "429 gpt-se, after 60, attempt 3"),
        (
            &[full, &[Azure(429, &[("Retry-After", "5"), ("retry-after-ms", "61000")])]].concat(),
            "429 gpt-se, after 60, attempt 3",
        ),
        (&[full, &[Azure(429, &[("retry-after-ms", "1500")])]].concat(), "429 gpt-se, ms 1500, attempt 3"),
        (&[full, &[Azure(429, &[("Retry-After", "soon")])]].concat(), "429 gpt-se, after soon, attempt 3"),
        (
            &[full, &[Azure(429, &[("Retry-After", "99999999999999999999")])]].concat(),
            "429 gpt-se, after 99999999999999999999, attempt 3",
        ),
        (&[full, &[Azure(500, &[])]].concat(), "503 service_unavailable, after 30, attempt 3"),
        (&[Azure(500, &[]), Azure(502, &[]), Azure(504, &[])], "503 service_unavailable, attempt 3"),
        (
            &[Azure(500, &[]), Azure(502, &[("retry-after-ms", "200")]), Azure(503, &[])],
            "503 service_unavailable, after 1, attempt 3",
        ),
        (
            &[full, &[Azure(503, &[("Retry-After", "Thu, 01 Jan 1970 00:00:10 GMT")])]].concat(),
            "503 service_unavailable, after 10, attempt 3",
        ),
        (
            &[full, &[Azure(503, &[("Retry-After", "01 Jan 1970 00:00:10 GMT")])]].concat(),
            "503 service_unavailable, after 30, attempt 3",
        ),
        (&[full, &[Bare(503, &[("Retry-After", "20")])]].concat(), "429 rate_limit_exceeded, after 20, attempt 3"),
        (&[Bare(503, &[]), Bare(503, &[]), Bare(503, &[])], "429 rate_limit_exceeded, attempt 3"),
        (&[Bare(503, &[]), Bare(503, &[]), Bare(502, &[])], "503 service_unavailable, attempt 3"),
        (
            &[Azure(429, &[("Retry-After", "7")]), Nothing(0), Nothing(239)],
            "503 service_unavailable, after 7, attempt 3",
        ),
        (&[Nothing(240)], "503 service_unavailable, attempt 1"),
        (&[Nothing(1), Azure(200, &[])], "200 gpt-ptu, attempt 2"),
        (&[Azure(409, &[])], "409 gpt-ptu, attempt 1"),
        (&[Azure(409, &[("Retry-After", "1")]), Azure(200, &[])], "200 gpt-ptu, attempt 2"),
        (&[Azure(400, &[])], "400 gpt-ptu, attempt 1"),
        (&[Azure(401, &[])], "401 gpt-ptu, attempt 1"),
        (&[Azure(404, &[("Retry-After", "3600")])], "404 gpt-ptu, after 60, attempt 1"),
        (&[Azure(200, &[("x-aoai-lb-served-by", "me/me"), ("x-aoai-lb-attempts", "9")])], "200 gpt-ptu, attempt 1"),
    ];
    for (said, expected) in rows {
        let mut bench = Bench::new(&two_regions());
        let (mut exchange, mut step) = bench.start();
        let (mut last, mut said) = ((0, Headers::default()), said.iter());
        while let Step::Send { .. } = step {
            let reply = match *said.next().unwrap_or_else(|| panic!("{expected}: one attempt more")) {
                Nothing(seconds) => {
                    bench.now += Duration::from_secs(seconds);
                    Reply::Silence
                }
                Azure(status, fields) => {
                    last = (status, fields.iter().copied().chain([("x-ms-region", "East US")]).collect());
                    Reply::read(bench.now, status, &last.1)
                }
                Bare(status, fields) => {
                    last = (status, fields.iter().copied().collect());
                    Reply::read(bench.now, status, &last.1)
                }
            };
            step = bench.on(&mut exchange, reply);
        }
        assert_eq!(seen(&bench.gateway, step, last.0, &last.1), *expected);
        assert!(said.next().is_none(), "{expected}: one attempt less");
    }
}

#[test]
fn a_503_without_a_backends_mark_is_an_exhausted_pool() {
    let unmarked = Reply::read(Time::ZERO, 503, &Headers::default());
    let (_, last) = Bench::new(&two_regions()).all_say(unmarked);
    assert_eq!(last, Step::Answer(Answer::Exhausted { status: 429, attempts: 3, retry_after: None }));
    let other = Reply::read(Time::ZERO, 502, &Headers::default());
    let (_, last) = Bench::new(&two_regions()).all_say(other);
    assert_eq!(last, Step::Answer(Answer::Unavailable { attempts: 3, retry_after: None }));
}

#[test]
fn answers_say_who_served_and_in_how_many_attempts() {
    let bench = Bench::new(&two_regions());
    let mut headers: Headers = [("retry-after-ms", "90000"), ("Retry-After", "90")].into_iter().collect();
    let relay = Relay { backend: EAST, attempts: 2, retry_after: Some(60) };
    bench.gateway.relayed(&relay, &mut headers);
    let shown: Vec<_> = headers.iter().collect();
    let served_by = (intent::SERVED_BY_HEADER, "aoai-east.openai.azure.com/gpt-east");
    assert_eq!(shown, [("Retry-After", "60"), served_by, (intent::ATTEMPTS_HEADER, "2")]);
}

#[test]
fn a_foreign_policy_is_refused_by_name() {
    let mut topology = two_regions();
    topology.apis.get_mut("openai").unwrap().policy = Policy::Other("<policies />".into());
    let problem = Gateway::new(&topology).unwrap_err();
    assert_eq!((problem.code, problem.key.as_deref()), (code::FOREIGN_POLICY, Some("apis.openai")));
}

proptest! {
    #![proptest_config(laws(256))]

    /// Whatever backends say, a call ends, within its retries, and asks no open member.
    #[test]
    fn every_call_ends_within_its_retries(
        count in 0..6u32,
        interval in 0..3u64,
        first_fast in any::<bool>(),
        said in prop::collection::vec((prop::sample::select(vec![0u16, 200, 400, 409, 429, 500, 503]), 0..100u64), 60),
    ) {
        let interval = Duration::from_secs(interval);
        let retry = Retry { count, interval, first_fast, ..defaults::retry() };
        let mut bench = Bench::new(&with(|intent| intent.retry = retry));
        let mut said = said.into_iter();
        for _ in 0..9 {
            let (mut exchange, mut step) = bench.start();
            let mut sent = 0;
            loop {
                step = match step {
                    Step::Send { backend, .. } => {
                        sent += 1;
                        prop_assert_eq!(bench.state.state(bench.now, backend), State::Closed);
                        let (status, seconds) = said.next().unwrap_or((200, 0));
                        let wait = seconds.to_string();
                        let reply = if status == 0 { Reply::Silence } else { azure(status, &[("Retry-After", &wait)]) };
                        bench.now += Duration::from_millis(seconds);
                        bench.on(&mut exchange, reply)
                    }
                    Step::Wait(until) => {
                        prop_assert!(until == bench.now + interval && until > bench.now);
                        bench.now = until;
                        bench.gateway.wake(&mut exchange, &mut bench.state, until, DRAWS)
                    }
                    Step::Relay(Relay { attempts, .. })
                    | Step::Answer(Answer::Exhausted { attempts, .. } | Answer::Unavailable { attempts, .. }) => {
                        prop_assert_eq!(attempts, exchange.attempts());
                        prop_assert!(sent <= attempts && attempts <= count + 1);
                        break;
                    }
                    Step::Answer(other) => return Err(TestCaseError::fail(format!("{other:?}"))),
                };
            }
        }
    }
}
