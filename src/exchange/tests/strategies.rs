//! Policies that pick by themselves, the surface `v1`, what one account keeps, callers without keys.

use super::*;
use crate::topology::intent::{Body, Candidate, CandidateKey, Entra};
use crate::topology::{Balancing, Strategy as Picks};

/// The two regions under a strategy, both surfaces, and an account for what is kept; `foreign` has a key of its own.
pub(crate) fn picking(strategy: Picks) -> Topology {
    let mut topology = two_regions();
    let natively = strategy == Picks::Pool;
    let target = Target::Url("https://foreign.test/openai/deployments/gpt-foreign".into());
    topology.backends.insert("foreign".into(), Backend::new("foreign", target, None));
    for key in ["east", "ptu", "sweden"] {
        let backend = topology.backends[key].clone();
        let Target::Deployment { account, deployment } = backend.target.clone() else { panic!() };
        let twin =
            Backend { name: format!("{}-v1", backend.name), target: Target::V1 { account, deployment }, ..backend };
        topology.backends.insert(format!("{key}-v1"), twin);
    }
    let target = Target::Account { account: "east".into() };
    topology.backends.insert("kept".into(), Backend::new("east-stateful", target, None));
    if !natively {
        topology.backends.values_mut().for_each(|backend| backend.breaker = None);
    }
    let member = |backend: &str, priority| Member { backend: backend.into(), priority, weight: 50 };
    let twin = vec![member("ptu-v1", 1), member("east-v1", 2), member("sweden-v1", 2)];
    topology.pools.insert("gpt-v1".into(), Pool::new("gpt-v1", twin));
    let balancing = if natively { Balancing::Native } else { Balancing::Policy };
    topology.pools.values_mut().for_each(|pool| pool.balancing = balancing);
    let candidate = |backend: &str, priority, credential| Candidate {
        backend: backend.into(),
        priority: if strategy == Picks::Smart { priority } else { 1 },
        weight: 50,
        credential,
    };
    let key = CandidateKey { header: "x-foreign-key".into(), named_value: "foreign-key".into() };
    let pools = [
        (
            "gpt",
            vec![
                candidate("east-gpt-ptu", 1, None),
                candidate("east-gpt-east", 2, None),
                candidate("sweden-gpt-se", 2, None),
                candidate("foreign", 3, Some(key)),
            ],
        ),
        ("gpt-v1", vec![candidate("east-gpt-ptu-v1", 1, None), candidate("east-gpt-east-v1", 2, None)]),
    ];
    set(&mut topology, |intent| {
        intent.strategy = strategy;
        intent.v1 = Some(Routes::ByName([("chat".to_owned(), "gpt-v1".to_owned())].into()));
        intent.stateful = Some("east-stateful".into());
        if !natively {
            intent.pools = pools.map(|(name, pool)| (name.to_owned(), pool)).into();
        }
    });
    topology.apis.get_mut("openai").unwrap().operations = defaults::every_operation();
    topology
}

fn set(topology: &mut Topology, change: impl FnOnce(&mut Intent)) {
    let api = topology.apis.get_mut("openai").unwrap();
    if let Policy::Rendered(intent) = &mut api.policy {
        change(intent);
        api.keys = intent.keys.clone();
    }
}

fn names(bench: &Bench, asked: &[BackendId]) -> Vec<String> {
    let host = |id: &BackendId| bench.gateway.backends[id.index()].served_by.clone();
    asked.iter().map(host).map(|by| by.rsplit('/').next().unwrap_or_default().to_owned()).collect()
}

const ALL: [Picks; 3] = [Picks::Pool, Picks::RoundRobin, Picks::Smart];

fn wait_of(seconds: &'static str) -> Reply {
    azure(429, &[("Retry-After", seconds)])
}

#[test]
fn round_robin_turns_once_a_call_and_goes_on_from_there() {
    let mut bench = Bench::new(&picking(Picks::RoundRobin));
    let mut first = Vec::new();
    for _ in 0..8 {
        let (asked, _) = bench.all_say(azure(200, &[]));
        first.extend(names(&bench, &asked));
    }
    assert_eq!(first, ["gpt-ptu", "gpt-east", "gpt-se", "gpt-foreign", "gpt-ptu", "gpt-east", "gpt-se", "gpt-foreign"]);
    // retries do not turn: the call after this one begins where it would have begun anyway
    let (asked, last) = bench.all_say(wait_of("9"));
    assert_eq!(names(&bench, &asked), ["gpt-ptu", "gpt-east", "gpt-se"]);
    assert_eq!(last, Step::Relay(Relay { backend: asked[2], attempts: 3, retry_after: None }));
    let (asked, _) = bench.all_say(azure(500, &[]));
    assert_eq!(names(&bench, &asked), ["gpt-east", "gpt-se", "gpt-foreign"]);
    let (asked, _) = bench.all_say(azure(500, &[]));
    assert_eq!(names(&bench, &asked), ["gpt-se", "gpt-foreign", "gpt-ptu"], "around the end");
}

#[test]
fn smart_leaves_alone_who_asked_for_it() {
    let mut bench = Bench::new(&picking(Picks::Smart));
    let (asked, last) = bench.all_say(wait_of("30"));
    let asked = names(&bench, &asked);
    assert_eq!(asked[0], "gpt-ptu");
    let mut group = asked[1..].to_vec();
    group.sort();
    assert_eq!(group, ["gpt-east", "gpt-se"], "the next priority, by chance");
    assert!(matches!(last, Step::Relay(Relay { attempts: 3, retry_after: None, .. })));
    // only the last priority is left; then nobody is, and nobody is asked
    let (asked, last) = bench.all_say(wait_of("3600"));
    assert_eq!(names(&bench, &asked), ["gpt-foreign"]);
    let exhausted = Answer::Exhausted { status: 429, attempts: 2, retry_after: Some(30) };
    assert_eq!(last, Step::Answer(exhausted), "no third attempt, the first is back in 30 s");
    bench.now = Time::from_secs(20);
    let (asked, last) = bench.all_say(azure(200, &[]));
    let exhausted = Answer::Exhausted { status: 429, attempts: 1, retry_after: Some(10) };
    assert_eq!((asked, last), (vec![], Step::Answer(exhausted)));
    bench.now = Time::from_secs(30);
    let (asked, _) = bench.all_say(azure(200, &[]));
    assert_eq!(names(&bench, &asked), ["gpt-ptu"]);
}

#[test]
fn nobody_is_away_for_longer_than_callers_are_told() {
    let mut bench = Bench::new(&picking(Picks::Smart));
    bench.all_say(wait_of("86400"));
    bench.now = Time::from_secs(59);
    assert_eq!(names(&bench, &bench_first(&bench)), ["gpt-foreign"]);
    bench.now = Time::from_secs(60);
    assert_eq!(names(&bench, &bench_first(&bench)), ["gpt-ptu"]);
}

/// Who a call would go to first.
fn bench_first(bench: &Bench) -> Vec<BackendId> {
    let mut copy = Bench { gateway: bench.gateway.clone(), state: bench.state.clone(), now: bench.now };
    send(copy.start().1).into_iter().collect()
}

#[test]
fn who_does_not_answer_is_away_only_if_the_call_goes_on() {
    let mut bench = Bench::new(&picking(Picks::Smart));
    let (mut exchange, _) = bench.start();
    bench.now += Duration::from_secs(1);
    let step = bench.on(&mut exchange, Reply::Silence);
    assert_ne!(names(&bench, &[send(step).unwrap()]), ["gpt-ptu"]);
    assert_ne!(names(&bench, &bench_first(&bench)), ["gpt-ptu"], "for others too");
    bench.now += Duration::from_secs(10);
    assert_eq!(names(&bench, &bench_first(&bench)), ["gpt-ptu"]);
    // a time-out is not repeated: perhaps it was the caller who hung up
    let (mut exchange, _) = bench.start();
    bench.now += Duration::from_secs(240);
    let step = bench.on(&mut exchange, Reply::Silence);
    assert_eq!(step, Step::Answer(Answer::Unavailable { attempts: 1, retry_after: None }));
    assert_eq!(names(&bench, &bench_first(&bench)), ["gpt-ptu"]);
}

#[test]
fn what_is_no_failure_sends_nobody_away() {
    for (status, fields) in
        [(200, &[] as &[_]), (400, &[]), (404, &[]), (409, &[("Retry-After", "9")]), (429, &[("Retry-After", "0")])]
    {
        let mut bench = Bench::new(&picking(Picks::Smart));
        bench.all_say(azure(status, fields));
        assert_eq!(names(&bench, &bench_first(&bench)), ["gpt-ptu"], "{status}");
    }
    let mut bench = Bench::new(&picking(Picks::Smart));
    let (mut exchange, _) = bench.start();
    bench.on(&mut exchange, azure(503, &[]));
    bench.now = Time::from_secs(9);
    assert_ne!(names(&bench, &bench_first(&bench)), ["gpt-ptu"], "without a word for 10 s");
    bench.now = Time::from_secs(10);
    assert_eq!(names(&bench, &bench_first(&bench)), ["gpt-ptu"]);
}

#[test]
fn smart_shares_follow_weights_inside_a_priority() {
    let mut topology = picking(Picks::Smart);
    set(&mut topology, |intent| {
        for (candidate, weight) in intent.pools.get_mut("gpt").unwrap().iter_mut().zip([0, 10, 20, 0]) {
            (candidate.priority, candidate.weight) = (1, weight);
        }
    });
    let bench = Bench::new(&topology);
    let mut counts = BTreeMap::<String, u32>::new();
    for request in 0..3_000 {
        let draws = Draws { seed: 1, request };
        let ask = bench.gateway.ask(ApiId(0), Some(SubscriptionId(0)), "chat");
        let (_, step) = bench.gateway.start(&mut bench.state.clone(), Time::ZERO, draws, ask);
        *counts.entry(names(&bench, &[send(step).unwrap()]).remove(0)).or_default() += 1;
    }
    // five standard deviations of a binomial with p = 1/3
    assert!(counts.len() == 2 && counts["gpt-east"].abs_diff(1_000) < 130, "{counts:?}");
}

#[test]
fn a_tripped_candidate_is_one_backend_and_no_exhausted_pool() {
    for strategy in [Picks::RoundRobin, Picks::Smart] {
        let mut topology = picking(strategy);
        topology.backends.values_mut().for_each(|backend| backend.breaker = Some(defaults::breaker()));
        let mut bench = Bench::new(&topology);
        for at in 0..topology.backends.len() as u16 {
            let outcome = Outcome::Status { status: 429, retry_after: Some(Duration::from_secs(20)) };
            bench.state.observe(Time::ZERO, BackendId(at), outcome).unwrap();
        }
        let (asked, last) = bench.all_say(azure(200, &[]));
        let unavailable = Answer::Unavailable { attempts: 3, retry_after: Some(20) };
        assert_eq!((asked, last), (vec![], Step::Answer(unavailable)), "{strategy:?}");
    }
    let unmarked = Reply::read(Time::ZERO, 503, &Headers::default());
    for (strategy, exhausted) in [(Picks::Pool, true), (Picks::RoundRobin, false), (Picks::Smart, false)] {
        let (_, last) = Bench::new(&picking(strategy)).all_say(unmarked);
        assert_eq!(matches!(last, Step::Answer(Answer::Exhausted { .. })), exhausted, "{strategy:?}");
    }
}

/// What a call on its way looks like: what is asked for, and what each backend of the topology would be sent.
fn read(bench: &Bench, method: Method, target: &str, body: &Body) -> (Ask, String) {
    let headers = Headers::default();
    let call = Call { method, target, headers: &headers, body };
    let ask = bench.gateway.read(&call, DEFAULT);
    let backend = match ask {
        Ask::Account { backend, .. } => backend,
        _ => EAST,
    };
    (ask, bench.gateway.forward(&call, backend).unwrap().url)
}

#[test]
fn the_surface_v1_is_routed_by_the_bodys_model() {
    let chat = Body { object: true, model: "Chat".into(), ..Body::NONE };
    for strategy in ALL {
        let bench = Bench::new(&picking(strategy));
        let (ask, _) = read(&bench, Method::Post, "/openai/v1/chat/completions", &chat);
        let subscription = Some(SubscriptionId(0));
        let expected = match strategy {
            Picks::Pool => Ask::Pool { api: ApiId(0), pool: PoolId(1), subscription },
            _ => Ask::Candidates { api: ApiId(0), candidates: CandidatesId(1), subscription },
        };
        assert_eq!(ask, expected, "{strategy:?}");
        let headers = Headers::default();
        let target = "/openai/v1/chat/completions?api-version=preview";
        let call = Call { method: Method::Post, target, headers: &headers, body: &chat };
        let twin = BackendId(bench.gateway.backends.iter().position(|b| b.name == "east-gpt-east-v1").unwrap() as u16);
        let url = bench.gateway.forward(&call, twin).unwrap().url;
        assert_eq!(url, "https://aoai-east.openai.azure.com/openai/v1/chat/completions?api-version=preview");
        for nameless in [Body::NONE, Body { object: true, model: "gpt-ptu".into(), ..Body::NONE }] {
            let (ask, _) = read(&bench, Method::Post, "/openai/v1/embeddings", &nameless);
            assert_eq!(ask, Ask::Refused(Answer::DeploymentNotFound));
        }
    }
    // one pool for every name is still for a name
    let mut topology = picking(Picks::Pool);
    set(&mut topology, |intent| intent.v1 = Some(Routes::All("gpt-v1".into())));
    let bench = Bench::new(&topology);
    let (ask, _) = read(&bench, Method::Post, "/openai/v1/embeddings", &Body::NONE);
    assert_eq!(ask, Ask::Refused(Answer::DeploymentNotFound));
}

#[test]
fn what_one_account_keeps_goes_there_or_is_refused() {
    let previous = Body { object: true, model: "chat".into(), previous: true, store: Some(false) };
    let kept: &[(Method, &str, &Body)] = &[
        (Method::Get, "/v1/responses/r1", &Body::NONE),
        (Method::Post, "/v1/responses", &previous),
        (Method::Get, "/v1/models", &Body::NONE),
        (Method::Post, "/v1/batches", &Body::NONE),
        (Method::Delete, "/v1/files/f1", &Body::NONE),
        (Method::Post, "/assistants", &Body::NONE),
        (Method::Get, "/threads/t/runs", &Body::NONE),
    ];
    for strategy in ALL {
        let mut topology = picking(strategy);
        let bench = Bench::new(&topology);
        for (method, path, body) in kept {
            let (ask, url) = read(&bench, *method, &format!("/openai{path}?after=1"), body);
            assert!(matches!(ask, Ask::Account { .. }), "{path}: {ask:?}");
            assert_eq!(url, format!("https://aoai-east.openai.azure.com/openai{path}?after=1"));
        }
        set(&mut topology, |intent| intent.stateful = None);
        let bench = Bench::new(&topology);
        for (method, path, body) in kept {
            let (ask, _) = read(&bench, *method, &format!("/openai{path}"), body);
            assert_eq!(ask, Ask::Refused(Answer::StatefulRefused), "{path}");
        }
    }
    let response = Answer::StatefulRefused.response();
    assert_eq!(
        (response.status, response.value().unwrap()["error"]["code"].as_str()),
        (400, Some("stateful_not_supported"))
    );
}

#[test]
fn what_one_account_keeps_has_one_backend_under_every_strategy() {
    for strategy in ALL {
        let mut bench = Bench::new(&picking(strategy));
        let (ask, _) = read(&bench, Method::Get, "/openai/v1/responses/r1", &Body::NONE);
        let (mut exchange, mut step) = bench.gateway.start(&mut bench.state, Time::ZERO, DRAWS, ask);
        let mut asked = Vec::new();
        while let Some(backend) = send(step) {
            asked.push(backend);
            step = bench.on(&mut exchange, wait_of("9"));
        }
        assert_eq!((asked.len(), asked[0], asked[2]), (3, asked[1], asked[1]), "{strategy:?}");
        // and a failure of it says nothing of the pool
        assert_eq!(names(&bench, &bench_first(&bench)), ["gpt-ptu"], "{strategy:?}");
    }
}

#[test]
fn surfaces_stand_alone() {
    let mut topology = picking(Picks::Smart);
    set(&mut topology, |intent| intent.routes = Routes::ByName(BTreeMap::new()));
    let bench = Bench::new(&topology);
    assert_eq!(read(&bench, Method::Post, TARGET, &Body::NONE).0, Ask::Refused(Answer::DeploymentNotFound));
    let asked = bench.gateway.ask(ApiId(0), Some(SubscriptionId(0)), "chat");
    assert!(matches!(asked, Ask::Candidates { candidates: CandidatesId(1), .. }), "a simulator names no surface");
    assert_eq!(bench.gateway.route_names(ApiId(0)), Some(vec!["chat"]));
    set(&mut topology, |intent| (intent.v1, intent.stateful) = (None, None));
    let bench = Bench::new(&topology);
    let chat = Body { object: true, model: "chat".into(), ..Body::NONE };
    let (ask, _) = read(&bench, Method::Post, "/openai/v1/chat/completions", &chat);
    assert_eq!(ask, Ask::Refused(Answer::StatefulRefused));
}

#[test]
fn a_probe_reaches_any_backend_on_the_path_that_it_needs() {
    for strategy in ALL {
        let bench = Bench::new(&picking(strategy));
        let probe = |target: &str, name: &str| {
            let headers: Headers = [("x-aoai-lb-backend", name)].into_iter().collect();
            let call = Call { method: Method::Post, target, headers: &headers, body: &NO_BODY };
            bench.gateway.read(&call, PROBE)
        };
        let one = |ask| matches!(ask, Ask::Probe { destination: Destination::Backend(_), .. });
        assert!(one(probe(TARGET, "foreign")) && one(probe("/openai/v1/chat/completions", "east-gpt-ptu-v1")));
        assert!(one(probe("/openai/v1/models", "east-stateful")));
        assert_eq!(probe("/openai/deployments//x", "foreign"), Ask::Refused(Answer::DeploymentNotFound));
        let pool = probe(TARGET, "gpt");
        match strategy {
            Picks::Pool => assert!(matches!(pool, Ask::Probe { destination: Destination::Pool(_), .. })),
            _ => assert_eq!(pool, Ask::Refused(Answer::GatewayError), "no such pool stands in the gateway"),
        }
    }
}

#[test]
fn nothing_secret_of_the_callers_reaches_a_backend_on_any_surface_of_any_strategy() {
    for strategy in ALL {
        let mut topology = picking(strategy);
        set(&mut topology, |intent| {
            let (audiences, applications) = (Vec::new(), Vec::new());
            intent.entra = Some(Entra { tenant: "t".into(), audiences, applications });
            intent.keys = Some(topology::KeyNames { header: "x-team-key".into(), query: "team-key".into() });
        });
        let bench = Bench::new(&topology);
        let secret = [
            "x-team-key",
            "api-key",
            "Ocp-Apim-Subscription-Key",
            "authorization",
            "x-ms-spillover-deployment",
            "x-aoai-lb-backend",
            "x-aoai-lb-consumed-tokens",
        ];
        let picks = strategy != Picks::Pool;
        let headers: Headers =
            secret.into_iter().chain(picks.then_some("X-Foreign-Key")).map(|n| (n, "CANARY")).collect();
        let chat = Body { object: true, model: "chat".into(), ..Body::NONE };
        for path in ["/deployments/chat/chat/completions", "/v1/chat/completions", "/v1/files", "/assistants"] {
            let target = format!("/openai{path}?team-key=CANARY&subscription%2Dkey=CANARY&api-version=1");
            let call = Call { method: Method::Post, target: &target, headers: &headers, body: &chat };
            for at in 0..bench.gateway.backends.len() as u16 {
                let forward = bench.gateway.forward(&call, BackendId(at)).unwrap();
                assert!(!format!("{forward:?}").contains("CANARY"), "{strategy:?} {forward:?}");
                assert!(forward.url.ends_with("?api-version=1"));
                let foreign = bench.gateway.backends[usize::from(at)].name == "foreign";
                assert_eq!(forward.credential.is_some(), foreign && picks, "each its own key and no other's");
            }
        }
    }
}

#[test]
fn callers_without_keys_are_served_where_none_is_needed() {
    let mut topology = picking(Picks::Smart);
    set(&mut topology, |intent| intent.keys = None);
    let bench = Bench::new(&topology);
    let none = Headers::default();
    let call = Call { method: Method::Post, target: TARGET, headers: &none, body: &NO_BODY };
    let anybody = Ask::Candidates { api: ApiId(0), candidates: CandidatesId(0), subscription: None };
    for caller in [Caller::Missing, Caller::Invalid] {
        assert_eq!(bench.gateway.read(&call, caller), anybody);
    }
    assert_eq!(bench.gateway.ask(ApiId(0), None, "chat"), anybody);
    let keyed: Headers = [("ocp-apim-subscription-key", "k")].into_iter().collect();
    assert_eq!(bench.gateway.key(&Call { headers: &keyed, ..call }), Some("k"), "the probe's");
    assert_eq!(
        Bench::new(&picking(Picks::Smart)).gateway.ask(ApiId(0), None, "chat"),
        Ask::Refused(Answer::KeyInvalid)
    );
}
