mod strategies;

use super::engine::Class;
use super::report::{Backend as Row, Ending};
use super::*;
use crate::exchange::tests::two_regions;
use crate::pool::tests::laws;
use crate::time::Time;
use crate::topology::{DeploymentSku, Member, Policy, Routes, Target};
use proptest::prelude::*;

/// Two metered deployments of one model with weights 10 and 20, as the quickstart has them.
fn quickstart(capacity: u32) -> Topology {
    let mut topology = two_regions();
    for account in topology.accounts.values_mut() {
        account.deployments.retain(|_, deployment| !deployment.sku.is_provisioned());
        for deployment in account.deployments.values_mut() {
            (deployment.sku, deployment.capacity) = (DeploymentSku::GlobalStandard, capacity);
        }
    }
    topology.backends.remove("ptu");
    let member = |backend: &str, weight| Member { backend: backend.into(), priority: 1, weight };
    topology.pools.get_mut("gpt").unwrap().members = vec![member("east", 10), member("sweden", 20)];
    topology
}

/// PTU first; every deployment with this capacity.
fn spilling(capacity: u32) -> Topology {
    let mut topology = two_regions();
    for account in topology.accounts.values_mut() {
        account.deployments.values_mut().for_each(|deployment| deployment.capacity = capacity);
    }
    topology
}

fn every(gap_ms: u64, n: u64, prompt: u32, output: u32) -> Vec<Arrival> {
    (0..n).map(|k| Arrival { at: Time(k * gap_ms * 1_000_000), prompt, output, deployment: None }).collect()
}

fn simulate(topology: &Topology, options: &Options, trace: &[Arrival]) -> Report {
    run(topology, options, trace.iter().cloned().map(Ok), &mut |_| {}).unwrap()
}

fn burst() -> Vec<Arrival> {
    let bytes = include_bytes!("../../examples/traces/burst.csv");
    trace::arrivals([Ok(bytes)]).collect::<Result<_, _>>().unwrap()
}

fn row<'a>(report: &'a Report, key: &str) -> &'a Row {
    report.backends.iter().find(|backend| backend.backend == key).unwrap()
}

/// What must hold of every report.
fn conserved(report: &Report) {
    assert_eq!(report.callers.iter().map(|callers| callers.count).sum::<u64>(), report.requests);
    for b in &report.backends {
        assert_eq!(b.served + b.refused_tpm + b.refused_rpm + b.refused_ptu + b.timed_out, b.attempts, "{b:?}");
        assert_eq!(b.open_timeline.iter().sum::<u64>(), b.open.0, "{b:?}");
        assert!(b.open.0 <= report.duration.0.saturating_mul(u64::from(report.instances)));
    }
    let sum = |what: fn(&Row) -> u64| report.backends.iter().map(what).sum::<u64>();
    assert_eq!(sum(|b| b.attempts), report.retries.attempts);
    assert_eq!(sum(|b| b.trips), report.breakers.trips);
    let served = report.callers.iter().find(|callers| callers.ending == Ending::Served).map_or(0, |c| c.count);
    assert_eq!(sum(|b| b.served), served, "what was served, a caller got");
    assert!(report.retries.saved <= report.retries.repeated && report.retries.saved <= served);
}

#[test]
fn without_refusals_shares_are_the_weights() {
    let report = simulate(&quickstart(100_000), &Options::default(), &every(100, 3_000, 100, 10));
    conserved(&report);
    assert_eq!((row(&report, "east").served, row(&report, "sweden").served), (1_000, 2_000));
    assert_eq!((report.callers.len(), report.callers[0].count, report.breakers.trips), (1, 3_000, 0));
    assert!(report.text().contains("No breaker opened"));
}

#[test]
fn a_full_ptu_spills_over_and_comes_back() {
    // 50 PTU serve 2,500 input tokens a second; a request of 1,000 + 4 x 100 every 200 ms wants 7,000
    let report = simulate(&spilling(50), &Options::default(), &every(200, 600, 1_000, 100));
    conserved(&report);
    let (ptu, east) = (row(&report, "ptu"), row(&report, "east"));
    assert_eq!(report.backends[0].backend, "ptu", "the first priority stands first");
    assert!(ptu.refused_ptu > 10 && ptu.trips == ptu.refused_ptu, "{ptu:?}");
    assert!(east.served > 0 && row(&report, "sweden").served > 0);
    // never above capacity: what drained, the depth, and calls that overshot or were still running at the end
    let input = ptu.prompt_tokens + 4 * ptu.output_tokens;
    assert!(input <= 2_500 * (120 + 10) + 1_400, "{input}");
    assert!(input >= 2_500 * 110, "and not far below: {input}");
    assert!(ptu.open.0 > 0 && ptu.trips > 10, "its breaker closes after a second or two");
}

#[test]
fn nobody_left_is_an_exhausted_pool() {
    // 1,000 tokens a minute each: the first request of each backend fits, and no other
    let report = simulate(&quickstart(1), &Options::default(), &every(1_000, 30, 900, 50));
    conserved(&report);
    let count = |ending| report.callers.iter().find(|callers| callers.ending == ending).map_or(0, |c| c.count);
    assert_eq!((count(Ending::Served), count(Ending::Refused), count(Ending::PoolExhausted)), (2, 0, 28));
    assert_eq!(report.breakers.trips, 2, "both breakers stay open for the rest of the minute");
    assert!(report.callers.iter().all(|callers| callers.status == 200 || callers.status == 429));
}

#[test]
fn a_completion_comes_before_an_arrival_at_the_same_instant() {
    let arrivals =
        |third: u64| [0, 0, third].map(|ns| Arrival { at: Time(ns), prompt: 900, output: 50, deployment: None });
    let mut alone = quickstart(1);
    alone.pools.get_mut("gpt").unwrap().members.truncate(1);
    // the second is refused, which the gateway hears 10 ms later and opens the breaker
    let attempts = |third| simulate(&alone, &Options::default(), &arrivals(third)).retries.attempts;
    assert_eq!(attempts(backend::REFUSAL.0 - 1), 3);
    assert_eq!(attempts(backend::REFUSAL.0), 2);
}

#[test]
fn events_are_ordered_by_time_class_request_attempt() {
    let keys =
        [(1, Class::Wake, 0, 0), (1, Class::Completion, 1, 2), (0, Class::Wake, 9, 9), (1, Class::Completion, 1, 1)];
    let mut events = keys.map(|(at, class, request, attempt)| engine::Event::new(Time(at), class, request, attempt));
    events.sort();
    let sorted = events.map(|event| (event.at.0, event.class, event.request, event.attempt));
    assert_eq!(
        sorted,
        [(0, Class::Wake, 9, 9), (1, Class::Completion, 1, 1), (1, Class::Completion, 1, 2), (1, Class::Wake, 0, 0)]
    );
}

#[test]
fn an_attempt_without_a_first_token_in_time_is_given_up_and_still_paid_for() {
    let mut topology = spilling(50);
    let Policy::Rendered(intent) = &mut topology.apis.get_mut("openai").unwrap().policy else { panic!() };
    intent.retry.timeout = Duration::from_secs(1);
    // 40,000 prompt tokens take 2.4 s to the first token and are more than the PTU's depth
    let report = simulate(&topology, &Options::default(), &every(2_000, 3, 40_000, 0));
    conserved(&report);
    let ptu = row(&report, "ptu");
    assert_eq!(
        (ptu.attempts, ptu.timed_out, ptu.refused_ptu),
        (2, 1, 1),
        "given up, yet it fills the second one's way"
    );
    assert_eq!(report.backends.iter().map(|backend| backend.timed_out).sum::<u64>(), 3, "a time-out is not repeated");
    let seen: Vec<_> = report.callers.iter().map(|c| (c.status, c.ending, c.count)).collect();
    assert_eq!(seen, [(503, Ending::Unavailable, 3)]);
    assert!(report.text().contains("3 attempts had no answer in time"));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let bytes = |seed, rotation, instances| {
        let options = Options { seed, rotation, instances, ..Options::default() };
        let report = simulate(&quickstart(50), &options, &burst());
        serde_json::to_string(&report).unwrap() + &report.text()
    };
    for (rotation, instances) in [(Rotation::Smooth, 1), (Rotation::Random, 1), (Rotation::Smooth, 3)] {
        assert_eq!(bytes(1, rotation, instances), bytes(1, rotation, instances));
        assert_ne!(bytes(1, rotation, instances), bytes(2, rotation, instances));
    }
}

#[test]
fn the_example_trips_breakers() {
    let report = simulate(&quickstart(50), &Options { seed: 1, ..Options::default() }, &burst());
    conserved(&report);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((json["format"].as_u64(), json["requests"].as_u64()), (Some(1), Some(707)));
    assert!(json["backends"][0]["sharePerMille"].is_u64() && json["breakers"]["first"][0]["by"] == "retry-after");
    let text = report.text();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.is_ascii(), "{text}");
    expect_test::expect![[r#"
        707 requests in 10m8s to the api openai
        seed 1, 1 gateway instance, smooth rotation, max_tokens as written

        Callers got
          200  served                          417    59.0%
          429  pool exhausted                  290    41.0%

        Latency of what was served    p50       p95       p99       max
          to the last token          2.1s      6.8s      8.8s     10.7s
          to the first token        428ms     655ms     772ms     953ms

        Backends             attempts   share   served  429tpm  429rpm  429ptu  trips
          east                    193   40.5%      167       0      26       0     26
          sweden                  284   59.5%      250       0      34       0     34
          477 attempts; 16 requests needed more than one, 11 of them were served

        Breakers (a column is 16s: . closed, 1-9 tenths of it open, # open)
          east               ...............6876...........1252.....
          sweden             ...............6877...........3533.....
                             0s                                10m8s

                 at  backend             open for  because of
               4m2s  sweden                    2s  429, Retry-After
               4m3s  east                      3s  429, Retry-After
               4m4s  sweden                    3s  429, Retry-After
               4m6s  east                      5s  429, Retry-After
               4m8s  sweden                    3s  429, Retry-After
              4m13s  sweden                    2s  429, Retry-After
              4m14s  east                      3s  429, Retry-After
              4m15s  sweden                    3s  429, Retry-After
          and 52 more times

        Assumptions (not calibrated against logs of a real gateway)
          - members of a group take turns by smooth weighted round robin, as nginx does
          - a failure that arrives while the breaker is open does not extend it
          - an open breaker closes fully, without a half-open phase
          - an accepted Retry-After of any length replaces the trip duration;
            retry-after-ms is not read
          - a second attempt picks again from the pool, because the policy sets the
            backend anew
          - the gateway's 503 of an exhausted pool says in Retry-After when the first
            breaker closes
          - an attempt at an exhausted pool uses up one of the retries
          - TPM is a log that slides over 60 s (measured in 2024; the documentation
            speaks of a reset each minute)
          - RPM is a sixth of the limit in any 10 s, rounded down, at least 1
          - a call takes its prompt's tokens and its max_tokens at admission; nothing is
            given back when it ends (Azure estimates the prompt, nobody publishes how)
          - a refused call is not charged; Retry-After is the wait in whole seconds,
            rounded up
          - max_tokens of every call is what was written in the end: the least that it
            can be
          - a call takes 400ms, 50 us for each prompt token, and its output at the
            model's latency target; times a log-normal factor (sigma 0.25), however busy
            the deployment is
          - backends never fail: no outage, no 5xx
          - a refusal takes 10ms
          - callers do not try again by themselves
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_report_says_only_what_was_assumed_in_it() {
    let said = |topology: &Topology, trace: &[Arrival]| {
        let report = simulate(topology, &Options::default(), trace);
        report.assumptions.join("; ")
    };
    let calm = said(&quickstart(100_000), &every(100, 30, 100, 10));
    for absent in ["PTU", "percentage", "weight 0", "while the breaker is open", "a second attempt", "a refusal takes"]
    {
        assert!(!calm.contains(absent), "{absent} in {calm}");
    }
    assert!(calm.contains("TPM is a log") && calm.contains("take turns"), "{calm}");
    let mut roomy = spilling(1_000);
    roomy.accounts.get_mut("east").unwrap().deployments.get_mut("gpt-ptu").unwrap().capacity = 50;
    let spilled = said(&roomy, &every(200, 600, 1_000, 100));
    for present in ["a PTU deployment", "TPM is a log", "a second attempt", "a refusal takes", "half-open"] {
        assert!(spilled.contains(present), "{present} not in {spilled}");
    }
    assert!(!spilled.contains("exhausted"), "{spilled}");
    let exhausted = said(&quickstart(1), &every(1_000, 30, 900, 50));
    assert!(exhausted.contains("uses up one of the retries"), "{exhausted}");
    // the regions behind the PTUs were never called
    let ptu_only = said(&spilling(50), &every(1_000, 3, 100, 10));
    assert!(!ptu_only.contains("TPM is") && !ptu_only.contains("take turns"), "{ptu_only}");
    let two = Options { instances: 2, rotation: Rotation::Random, ..Options::default() };
    let report = simulate(&quickstart(100_000), &two, &every(100, 30, 100, 10));
    let said = report.assumptions.join("; ");
    assert!(said.contains("instances at random") && said.contains("each call draws a member"), "{said}");
}

#[test]
fn any_report_fits_80_columns() {
    let mut topology = quickstart(1);
    let long = |at: usize| format!("contoso-production-{}-gpt-standard-{at:02}", "x".repeat(40));
    let east = topology.backends["east"].clone();
    topology.backends = (0..30).map(|at| (long(at), east.clone())).collect();
    let member = |at| Member { backend: long(at), priority: 1 + at as u8 / 10, weight: 0 };
    topology.pools.get_mut("gpt").unwrap().members = (0..30).map(member).collect();
    let options = Options { instances: 3, ..Options::default() };
    let report = simulate(&topology, &options, &every(500, 2_000, 400, 400));
    conserved(&report);
    assert!(report.breakers.trips > 100);
    let text = report.text();
    let bad: Vec<&str> = text.lines().filter(|line| line.len() > 80 || line.trim_end() != *line).collect();
    assert!(text.is_ascii() && bad.is_empty(), "{bad:?}");
    assert!(text.contains("contoso-..ndard-07 ") && text.contains("and") && text.contains("more times"), "{text}");
    assert!(text.contains("backend, instance") && text.contains("429, Retry-After"), "{text}");

    let lost = [Arrival { deployment: Some("nobody".into()), ..every(1, 1, 1, 1)[0].clone() }];
    let report = simulate(&quickstart(50), &Options::default(), &lost);
    conserved(&report);
    let text = report.text();
    let top: String = text.lines().take(7).map(|line| format!("{line}\n")).collect();
    expect_test::expect![[r#"
        1 request in 0s to the api openai
        seed 0, 1 gateway instance, smooth rotation, max_tokens as written

        Callers got
          404  not routed                        1   100.0%

        Nothing was served
    "#]]
    .assert_eq(&top);
    assert!(report.assumptions == ["callers do not try again by themselves"], "{:?}", report.assumptions);
}

#[test]
fn the_end_is_the_last_answer_not_what_a_backend_still_writes() {
    let mut topology = quickstart(50);
    let Policy::Rendered(intent) = &mut topology.apis.get_mut("openai").unwrap().policy else { panic!() };
    intent.retry.timeout = Duration::from_secs(1);
    // 2.4 s to the first token, given up after one
    let report = simulate(&topology, &Options::default(), &every(1, 1, 40_000, 1_000));
    conserved(&report);
    assert_eq!(
        (report.duration, report.backends[0].timed_out + report.backends[1].timed_out),
        (Duration::from_secs(1), 1)
    );
    assert!(report.assumptions.iter().any(|text| text.contains("writes the answer to its end")));
}

#[test]
fn no_trace_and_no_topology_is_too_odd() {
    // at the end of all time, and backwards
    let at = |ns: u64| Arrival { at: Time(ns), prompt: 900, output: 50, deployment: None };
    let ends = [at(0), at(0), at(5), at(u64::MAX / 2), at(3), at(u64::MAX - 1), at(u64::MAX), at(u64::MAX)];
    for instances in [1, 3] {
        let report = simulate(&quickstart(1), &Options { instances, ..Options::default() }, &ends);
        conserved(&report);
        assert_eq!(report.requests, 8);
        assert!(report.text().lines().all(|line| line.len() <= 80), "{}", report.text());
    }
    let largest = [Arrival { at: Time::ZERO, prompt: u32::MAX, output: u32::MAX, deployment: None }];
    for capacity in [0, 1, u32::MAX] {
        conserved(&simulate(&spilling(capacity), &Options::default(), &largest));
        conserved(&simulate(&quickstart(capacity), &Options::default(), &every(0, 9, 0, 0)));
    }
    let mut empty = quickstart(1);
    empty.pools.get_mut("gpt").unwrap().members.clear();
    let report = simulate(&empty, &Options::default(), &every(1, 2, 1, 1));
    conserved(&report);
    assert_eq!(report.callers[0].ending, Ending::PoolExhausted);
    let mut always = quickstart(1);
    for backend in always.backends.values_mut() {
        let breaker = backend.breaker.as_mut().unwrap();
        (breaker.interval, breaker.trip_duration) = (Duration::ZERO, Duration::ZERO);
        breaker.accept_retry_after = false;
    }
    conserved(&simulate(&always, &Options::default(), &every(0, 9, 600, 1)));
}

#[test]
fn an_arrival_at_the_end_of_a_trip_is_served() {
    let arrivals =
        |last: u64| [0, 0, last].map(|ns| Arrival { at: Time(ns), prompt: 900, output: 50, deployment: None });
    let mut alone = quickstart(1);
    alone.pools.get_mut("gpt").unwrap().members.truncate(1);
    // the second is refused at once; 10 ms later the breaker opens for the 60 s that Retry-After says
    let closes = backend::REFUSAL.0 + 60_000_000_000;
    let served = |last| simulate(&alone, &Options::default(), &arrivals(last)).callers[0].count;
    assert_eq!((served(closes - 1), served(closes)), (1, 2));
}

#[test]
fn every_key_of_the_report_is_documented() {
    fn keys(value: &serde_json::Value, into: &mut std::collections::BTreeSet<String>) {
        match value {
            serde_json::Value::Object(object) => object.iter().for_each(|(key, value)| {
                into.insert(key.clone());
                keys(value, into);
            }),
            serde_json::Value::Array(all) => all.iter().for_each(|value| keys(value, into)),
            value => assert!(!value.is_f64(), "{value}"),
        }
    }
    let documented = include_str!("../../docs/simulate-report.md");
    let words: Vec<&str> = documented.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let mut found = std::collections::BTreeSet::new();
    let options = Options { max_tokens: MaxTokens::Constant(100), ..Options::default() };
    keys(&serde_json::to_value(simulate(&quickstart(50), &options, &burst())).unwrap(), &mut found);
    assert!(found.len() > 35, "{found:?}");
    for key in found {
        assert!(words.contains(&key.as_str()), "docs/simulate-report.md does not say what `{key}` is");
    }
}

#[test]
fn the_example_is_what_its_recipe_makes() {
    let mut x = 20_241_120u64;
    let mut u = || {
        x = x * 16_807 % 2_147_483_647;
        x as f64 / 2_147_483_647.0
    };
    let mut text = String::from("arrival,prompt_tokens,output_tokens\n");
    let mut t = 0.0;
    loop {
        let rate = match t {
            t if (240.0..300.0).contains(&t) => 6.0,
            t if (480.0..540.0).contains(&t) => 2.0,
            _ => 0.5,
        };
        t += u() * 2.0 / rate;
        if t >= 600.0 {
            break;
        }
        let (p, o) = (u(), u());
        let (prompt, output) = ((100.0 + 2400.0 * p * p * p) as u32, (20.0 + 480.0 * o * o) as u32);
        text.push_str(&format!("{t:.3},{prompt},{output}\n"));
    }
    assert_eq!(include_str!("../../examples/traces/burst.csv"), text, "see examples/traces/README.md");
}

#[test]
fn what_the_trace_calls_must_be_known() {
    let run = |topology: &Topology, options: &Options| {
        run(topology, options, every(1, 1, 1, 1).into_iter().map(Ok), &mut |_| {}).unwrap_err().to_string()
    };
    let named = |deployment: &str| Options { deployment: Some(deployment.into()), ..Options::default() };
    let mut topology = quickstart(50);
    let none = "error[AL0703]: the api `openai` has no route for the deployment `x`";
    assert_eq!(run(&topology, &named("x")), none);
    let other = Options { api: Some("x".into()), ..Options::default() };
    assert_eq!(run(&topology, &other), "error[AL0703]: the spec has no api `x`");

    let Policy::Rendered(intent) = &mut topology.apis.get_mut("openai").unwrap().policy else { panic!() };
    intent.routes = Routes::ByName([("a".into(), "gpt".into()), ("b".into(), "gpt".into())].into());
    let which = "error[AL0703]: the trace does not say which deployment is called: `a`, `b`";
    assert_eq!(run(&topology, &Options::default()), which);
    simulate(&topology, &named("b"), &every(1, 1, 1, 1));
    let trace = ["a", "B", "c"].map(|name| Arrival { deployment: Some(name.into()), ..every(1, 1, 1, 1)[0].clone() });
    let report = simulate(&topology, &Options::default(), &trace);
    let endings: Vec<_> = report.callers.iter().map(|c| (c.status, c.ending, c.count)).collect();
    assert_eq!(endings, [(200, Ending::Served, 2), (404, Ending::Rejected, 1)]);

    let mut two = topology.clone();
    two.apis.insert("second".into(), two.apis["openai"].clone());
    assert_eq!(run(&two, &Options::default()), "error[AL0703]: the spec has several apis: `openai`, `second`");
    topology.subscriptions.remove("default");
    let nobody = "error[AL0706]: no subscription may call the api `openai` (apis.openai)";
    assert_eq!(run(&topology, &Options::default()), nobody);
}

#[test]
fn what_cannot_be_simulated_is_refused_by_name() {
    let run = |topology: &Topology| {
        run(topology, &Options::default(), every(1, 1, 1, 1).into_iter().map(Ok), &mut |_| {}).unwrap_err().to_string()
    };
    let mut foreign = quickstart(50);
    foreign.backends.get_mut("east").unwrap().target = Target::Url("https://a.test/".into());
    assert_eq!(run(&foreign), "error[AL0704]: the backend `east` calls no deployment of this spec (backends.east)");
    let quotas = BTreeMap::from([("east".to_owned(), (60_000, 360))]);
    let report = simulate(&foreign, &Options { quotas, ..Options::default() }, &every(10, 9, 1, 1));
    assert!(report.backends.iter().any(|backend| backend.backend == "east" && backend.served > 0));
    assert!(report.assumptions.iter().any(|said| said.contains("60000 TPM, 360 RPM")), "{:?}", report.assumptions);
    let mut unknown = two_regions();
    unknown.accounts.get_mut("east").unwrap().deployments.get_mut("gpt-ptu").unwrap().model.name = "mystery".into();
    let want =
        "error[AL0704]: no throughput of a provisioned unit is known for `mystery`, which `ptu` calls (backends.ptu)";
    assert_eq!(run(&unknown), want);
    let mut other = quickstart(50);
    other.apis.get_mut("openai").unwrap().policy = Policy::Other(String::new());
    assert_eq!(run(&other), "error[AL0705]: the policy of the api `openai` is not ours (apis.openai)");
    let empty = super::run(&quickstart(50), &Options::default(), std::iter::empty(), &mut |_| {}).unwrap_err();
    assert_eq!(empty.to_string(), "error[AL0701]: the trace has no requests");
}

#[test]
fn a_constant_max_tokens_takes_more_quota_and_cuts_answers() {
    let options = |max_tokens| Options { max_tokens, ..Options::default() };
    let refused = |max_tokens| {
        let report = simulate(&quickstart(50), &options(max_tokens), &burst());
        conserved(&report);
        report
            .callers
            .iter()
            .filter(|callers| callers.ending != Ending::Served)
            .map(|callers| callers.count)
            .sum::<u64>()
    };
    assert!(refused(MaxTokens::Constant(4096)) > refused(MaxTokens::Actual));
    let report = simulate(&quickstart(100_000), &options(MaxTokens::Constant(7)), &every(100, 10, 1, 100));
    assert_eq!(report.backends.iter().map(|backend| backend.output_tokens).sum::<u64>(), 70);
}

#[test]
fn progress_hears_of_every_request_in_the_end() {
    let mut heard = Vec::new();
    let trace = every(1, PROGRESS + 3, 1, 1);
    run(&quickstart(50), &Options::default(), trace.into_iter().map(Ok), &mut |n| heard.push(n)).unwrap();
    assert_eq!(heard, [PROGRESS, PROGRESS + 3]);
}

#[test]
fn the_public_trace_runs_through() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/traces/AzureLLMInferenceTrace_code.csv");
    let Ok(bytes) = std::fs::read(path) else {
        assert!(std::env::var_os("CI").is_none(), "{path} is not here");
        println!("skipped: ../shared/traces is not here");
        return;
    };
    let report = run(&spilling(100), &Options::default(), trace::arrivals([Ok(bytes)]), &mut |_| {}).unwrap();
    conserved(&report);
    assert_eq!(report.requests, 8_819);
    // bursts of 415 requests in 10 s meet limits of 16
    assert!(report.breakers.trips > 0 && row(&report, "east").refused_rpm > 0);
}

proptest! {
    #![proptest_config(laws(64))]

    #[test]
    fn nothing_is_lost_whatever_arrives(
        arrivals in prop::collection::vec((0..2_000u64, 1..5_000u32, 0..1_000u32), 1..150),
        capacity in 1..60u32,
        instances in 1..4u32,
        random in any::<bool>(),
        seed in any::<u64>(),
        count in 0..4u32,
        interval in 0..3u64,
    ) {
        let mut topology = spilling(capacity);
        let Policy::Rendered(intent) = &mut topology.apis.get_mut("openai").unwrap().policy else { panic!() };
        (intent.retry.count, intent.retry.interval) = (count, Duration::from_secs(interval));
        let mut now = 0;
        let trace: Vec<Arrival> = arrivals
            .into_iter()
            .map(|(gap, prompt, output)| {
                now += gap * 1_000_000;
                Arrival { at: Time(now), prompt, output, deployment: None }
            })
            .collect();
        let rotation = if random { Rotation::Random } else { Rotation::Smooth };
        let report = simulate(&topology, &Options { seed, instances, rotation, ..Options::default() }, &trace);
        conserved(&report);
        prop_assert!(report.retries.attempts <= report.requests * u64::from(count + 1));
    }
}
