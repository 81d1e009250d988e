use super::*;
use crate::rng::{Stream, draw};
use crate::topology::{self, Location, Member, Scope, Stack, Target, Threshold, defaults};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

/// Settings of the laws: the same cases each time, or many others at night.
pub(crate) fn laws(cases: u32) -> Config {
    let nightly = std::env::var_os("AOAI_LB_NIGHTLY").is_some();
    let mut config = Config { failure_persistence: None, ..Config::default() };
    (config.cases, config.rng_seed) = if nightly { (cases * 100, RngSeed::Random) } else { (cases, RngSeed::Fixed(1)) };
    config
}

/// A topology with the backends `a`, `b`, ... under one breaker and the pool `p` over all of them.
pub(crate) fn topology(members: &[(u8, u8)], breaker: Option<topology::Breaker>) -> Topology {
    let key = |at: usize| char::from(b'a' + at as u8).to_string();
    let backend = |at: usize| {
        let target = Target::Url(format!("https://{}.test/openai/deployments/x", key(at)));
        topology::Backend::new(&key(at), target, breaker.clone())
    };
    let member = |(at, &(priority, weight)): (usize, &(u8, u8))| Member { backend: key(at), priority, weight };
    let members_list = members.iter().enumerate().map(member).collect();
    let stack = Stack { name: "t".into(), environment: String::new() };
    let scope = Scope { subscription: None, resource_group: "rg".into(), location: Location::new("eastus2") };
    Topology {
        backends: (0..members.len()).map(|at| (key(at), backend(at))).collect(),
        pools: [("p".into(), topology::Pool::new("p", members_list))].into(),
        ..Topology::new(stack, scope)
    }
}

const P: PoolId = PoolId(0);

fn letters(state: &mut GatewayState, n: usize) -> String {
    let letter = |picked: Picked| char::from(b'a' + picked.backend.0 as u8);
    (0..n).map(|_| state.pick(Time::ZERO, 0, P).map_or('-', letter)).collect()
}

fn status(status: u16) -> Outcome {
    Outcome::Status { status, retry_after: None }
}

fn smooth(members: &[(u8, u8)], breaker: Option<topology::Breaker>) -> GatewayState {
    GatewayState::new(&topology(members, breaker), Rotation::Smooth)
}

#[test]
fn smooth_5_1_1_is_the_sequence_that_nginx_gives() {
    assert_eq!(letters(&mut smooth(&[(1, 5), (1, 1), (1, 1)], None), 14), "aabacaaaabacaa");
}

#[test]
fn ten_to_twenty_over_3000_is_1000_to_2000() {
    let picked = letters(&mut smooth(&[(1, 10), (1, 20)], None), 3000);
    assert_eq!((picked.matches('a').count(), picked.matches('b').count()), (1000, 2000));
}

#[test]
fn weight_zero_gets_nothing_unless_all_have_it() {
    assert_eq!(letters(&mut smooth(&[(1, 0), (1, 3)], None), 4), "bbbb");
    assert_eq!(letters(&mut smooth(&[(1, 0), (1, 0)], None), 4), "abab");
    // a group whose weighted members are open counts as unavailable, idle member or not
    let mut state = smooth(&[(1, 0), (1, 3), (2, 1)], Some(defaults::breaker()));
    state.observe(Time::ZERO, BackendId(1), status(500)).unwrap();
    assert_eq!(letters(&mut state, 2), "cc");
}

#[test]
fn a_lower_group_serves_only_while_every_member_above_is_open() {
    let mut state = smooth(&[(2, 1), (1, 1), (1, 1), (9, 1)], Some(defaults::breaker()));
    assert_eq!(letters(&mut state, 4), "bcbc");
    state.observe(Time::ZERO, BackendId(1), status(429)).unwrap();
    assert_eq!(letters(&mut state, 3), "ccc");
    state.observe(Time::ZERO, BackendId(2), status(503)).unwrap();
    assert_eq!(letters(&mut state, 3), "aaa");
    state.observe(Time::ZERO, BackendId(0), status(408)).unwrap();
    assert_eq!(letters(&mut state, 2), "dd");
    state.observe(Time::ZERO, BackendId(3), status(500)).unwrap();
    assert_eq!(letters(&mut state, 2), "--");
    assert_eq!(state.pick(Time::from_secs(60), 0, P).unwrap().priority, 1);
}

#[test]
fn a_breaker_opens_for_retry_after_or_trip_duration_and_closes_by_itself() {
    let trip = |breaker, retry_after| {
        let mut state = smooth(&[(1, 1)], Some(breaker));
        let outcome = Outcome::Status { status: 429, retry_after };
        let trip = state.observe(Time::from_secs(10), BackendId(0), outcome).unwrap();
        assert_eq!(state.state(Time(trip.until.0 - 1), BackendId(0)), State::Open { until: trip.until });
        assert_eq!(state.state(trip.until, BackendId(0)), State::Closed);
        (trip.until.since(Time::from_secs(10)), trip.by)
    };
    let (seven, minute) = (Duration::from_secs(7), Duration::from_secs(60));
    let deaf = topology::Breaker { accept_retry_after: false, ..defaults::breaker() };
    assert_eq!(trip(defaults::breaker(), Some(seven)), (seven, TripBy::RetryAfter));
    assert_eq!(trip(defaults::breaker(), None), (minute, TripBy::TripDuration));
    assert_eq!(trip(deaf, Some(seven)), (minute, TripBy::TripDuration));
}

#[test]
fn failures_count_for_one_interval_and_start_again_after_a_trip() {
    let breaker = topology::Breaker { threshold: Threshold::Count(3), ..defaults::breaker() };
    let mut state = smooth(&[(1, 1)], Some(breaker));
    let mut fails = |second: u64| state.observe(Time::from_secs(second), BackendId(0), status(500)).is_some();
    assert_eq!([0, 30, 60].map(&mut fails), [false; 3], "the first is 60 s old at 60");
    assert!(fails(61));
    assert!(!fails(62), "open: not counted, not extended");
    assert_eq!([121, 122].map(&mut fails), [false; 2], "closed with a counter at zero");
    assert!(fails(123));
}

#[test]
fn a_trip_shorter_than_the_interval_forgets_what_led_to_it() {
    let ten = Duration::from_secs(10);
    for (threshold, before, after) in [(Threshold::Count(3), 3, 3), (Threshold::Percentage(100), 1, 1)] {
        let breaker = topology::Breaker { threshold, trip_duration: ten, ..defaults::breaker() };
        let mut state = smooth(&[(1, 1)], Some(breaker));
        let mut until_trip = |from: u64| {
            (1..).find(|n| state.observe(Time::from_secs(from + n), BackendId(0), status(500)).is_some()).unwrap()
        };
        assert_eq!((until_trip(0), until_trip(20)), (before, after), "{threshold:?}");
    }
    // a call that was served before the trip is not in the share after it
    let half = topology::Breaker { threshold: Threshold::Percentage(60), trip_duration: ten, ..defaults::breaker() };
    let mut state = smooth(&[(1, 1)], Some(half));
    let mut at = |second: u64, code: u16| state.observe(Time::from_secs(second), BackendId(0), status(code)).is_some();
    assert!(!at(0, 200) && !at(1, 500) && at(2, 500), "two of three");
    assert!(!at(12, 200) && !at(13, 500) && at(14, 500), "and again, from nothing");
}

#[test]
fn only_named_statuses_count_and_no_response_does_not() {
    let mut state = smooth(&[(1, 1)], Some(defaults::breaker()));
    for code in [200, 400, 401, 404, 409, 501, 505] {
        assert_eq!(state.observe(Time::ZERO, BackendId(0), status(code)), None, "{code}");
    }
    assert_eq!(state.observe(Time::ZERO, BackendId(0), Outcome::NoResponse), None);
    let mut bare = smooth(&[(1, 1)], None);
    assert_eq!(bare.observe(Time::ZERO, BackendId(0), status(500)), None, "no breaker, no trip");
}

#[test]
fn a_percentage_is_of_the_calls_in_the_interval() {
    let half = topology::Breaker { threshold: Threshold::Percentage(50), ..defaults::breaker() };
    let mut state = smooth(&[(1, 1)], Some(half));
    let mut at = |second: u64, code: u16| state.observe(Time::from_secs(second), BackendId(0), status(code)).is_some();
    assert!(!at(0, 200) && !at(1, 200) && !at(2, 200));
    assert!(!at(3, 500) && !at(4, 500), "two of five");
    assert!(at(5, 500), "three of six");
    assert!(!at(70, 200) && at(71, 500), "one of two, the old window forgotten");
}

#[test]
fn two_pools_see_one_breaker() {
    let mut both = topology(&[(1, 1)], Some(defaults::breaker()));
    let twin = both.pools["p"].clone();
    both.pools.insert("q".into(), twin);
    let mut state = GatewayState::new(&both, Rotation::Smooth);
    state.observe(Time::ZERO, BackendId(0), status(500)).unwrap();
    assert_eq!((state.pick(Time::ZERO, 0, PoolId(0)), state.pick(Time::ZERO, 0, PoolId(1))), (None, None));
    assert_eq!(state.pick(Time::ZERO, 0, PoolId(2)), None, "no such pool");
    assert_eq!(state.reopens(Time::ZERO, PoolId(2)), None);
}

#[test]
fn each_pool_has_a_rotation_of_its_own() {
    let mut both = topology(&[(1, 1), (1, 1), (1, 1)], None);
    let mut second = both.pools["p"].clone();
    second.members.remove(0);
    both.pools.insert("q".into(), second);
    let mut state = GatewayState::new(&both, Rotation::Random);
    assert_eq!(state.rotation(), Rotation::Random);
    state.rotation = Rotation::Smooth;
    let mut pick = |pool| state.pick(Time::ZERO, 0, PoolId(pool)).unwrap().backend.0;
    assert_eq!([0, 1, 0, 1, 1, 0].map(&mut pick), [0, 1, 1, 2, 1, 2]);
}

#[test]
fn an_exhausted_pool_reopens_with_its_first_breaker() {
    let mut state = smooth(&[(1, 1), (2, 1), (2, 0)], Some(defaults::breaker()));
    state.observe(Time::from_secs(1), BackendId(0), status(500)).unwrap();
    assert_eq!(state.reopens(Time::from_secs(1), P), None, "one can be picked");
    state.observe(Time::from_secs(3), BackendId(1), status(500)).unwrap();
    assert_eq!(state.reopens(Time::from_secs(3), P), Some(Time::from_secs(61)), "the idle member does not count");
    assert_eq!(state.reopens(Time::from_secs(61), P), None);
    assert_eq!(GatewayState::new(&topology(&[], None), Rotation::Smooth).reopens(Time::ZERO, P), None, "never");
}

#[test]
fn no_topology_is_too_odd() {
    let mut none = smooth(&[], None);
    assert_eq!((letters(&mut none, 1).as_str(), none.observe(Time::ZERO, BackendId(0), status(500))), ("-", None));
    let full = vec![(255, 255); 26];
    assert_eq!(letters(&mut smooth(&full, None), 26), "abcdefghijklmnopqrstuvwxyz");

    let mut stray = topology(&[(1, 1), (1, 1)], None);
    stray.pools.get_mut("p").unwrap().members[0].backend = "elsewhere".into();
    let mut state = GatewayState::new(&stray, Rotation::Smooth);
    assert_eq!(letters(&mut state, 2), "bb", "a member without a backend is left out");
    assert_eq!(state.pick(Time::ZERO, 0, P).map(|picked| picked.member), Some(1), "and its place stays its own");

    // more backends than ids: what has none is left out, and nothing takes its place
    let mut many = topology(&[(1, 1)], Some(defaults::breaker()));
    let one = many.backends["a"].clone();
    many.backends.extend((0..=u32::from(u16::MAX)).map(|at| (format!("b{at:06}"), one.clone())));
    let member = |backend: &str| Member { backend: backend.into(), priority: 1, weight: 1 };
    many.pools.get_mut("p").unwrap().members = vec![member("b065534"), member("b065535")];
    let mut state = GatewayState::new(&many, Rotation::Smooth);
    assert_eq!(state.pick(Time::ZERO, 0, P).map(|picked| picked.backend), Some(BackendId(u16::MAX)));
    state.observe(Time::ZERO, BackendId(u16::MAX), status(500)).unwrap();
    assert_eq!(state.pick(Time::ZERO, 0, P), None);
}

#[test]
fn only_what_matters_is_assumed() {
    let said = |members: &[(u8, u8)], breaker: topology::Breaker, opened: bool| {
        let topology = topology(members, Some(breaker));
        assumptions(&topology, Rotation::Smooth, |key| key == "a", |_| opened).join("; ")
    };
    let simple = defaults::breaker();
    assert_eq!(said(&[(1, 1), (2, 1), (2, 0)], simple.clone(), false), "", "what was not called does not matter");
    assert!(said(&[(1, 1), (1, 1)], simple.clone(), false).starts_with("members of a group take turns by smooth"));
    assert!(said(&[(1, 0)], simple.clone(), false).starts_with("a member of weight 0"));
    let of = |threshold| topology::Breaker { threshold, ..simple.clone() };
    let counting = said(&[(1, 1)], of(Threshold::Count(2)), false);
    assert!(counting.starts_with("a breaker's window slides") && !counting.contains("percentage"));
    assert!(said(&[(1, 1)], of(Threshold::Percentage(5)), false).contains("counts a percentage"));
    assert!(said(&[(1, 1)], simple.clone(), true).contains("an accepted Retry-After"));
    let deaf = said(&[(1, 1)], topology::Breaker { accept_retry_after: false, ..simple }, true);
    assert!(deaf.contains("half-open") && !deaf.contains("Retry-After"));
}

fn members() -> impl Strategy<Value = Vec<(u8, u8)>> {
    prop::collection::vec((0..3u8, 0..=100u8), 1..9)
}

proptest! {
    #![proptest_config(laws(256))]

    #[test]
    fn smooth_shares_follow_weights_exactly_over_a_cycle(weights in prop::collection::vec(0..=100u8, 1..9)) {
        let members: Vec<(u8, u8)> = weights.iter().map(|&weight| (1, weight)).collect();
        let cycle: usize = weights.iter().map(|&weight| usize::from(weight)).sum();
        let mut state = smooth(&members, None);
        let once = letters(&mut state, cycle);
        for (at, &weight) in weights.iter().enumerate() {
            let letter = char::from(b'a' + at as u8);
            prop_assert_eq!(once.matches(letter).count(), usize::from(weight));
        }
        prop_assert_eq!(letters(&mut state, cycle), once);
    }

    #[test]
    fn never_an_open_member_and_never_past_a_closed_one_above(
        members in members(),
        random in any::<bool>(),
        events in prop::collection::vec((0..9u16, prop::sample::select(vec![200u16, 429, 500]), 0..40u64), 1..200),
    ) {
        let rotation = if random { Rotation::Random } else { Rotation::Smooth };
        let mut state = GatewayState::new(&topology(&members, Some(defaults::breaker())), rotation);
        let mut now = Time::ZERO;
        for (request, (backend, code, seconds)) in events.into_iter().enumerate() {
            now += Duration::from_secs(seconds);
            state.observe(now, BackendId(backend), status(code));
            let takes_part = |at: usize| {
                let (priority, weight) = members[at];
                weight > 0 || members.iter().all(|&(other, weight)| other != priority || weight == 0)
            };
            let closed = |at: usize| state.state(now, BackendId(at as u16)) == State::Closed;
            let best = (0..members.len()).filter(|&at| closed(at) && takes_part(at)).map(|at| members[at].0).min();
            let picked = state.clone().pick(now, draw(1, Stream::Pick, request as u64, 0), P);
            prop_assert_eq!(picked.map(|picked| picked.priority), best);
            if let Some(picked) = picked {
                let at = usize::from(picked.member);
                prop_assert!(closed(at) && takes_part(at) && members[at].0 == picked.priority);
                prop_assert_eq!(picked.backend.index(), at);
            }
            state.pick(now, draw(1, Stream::Pick, request as u64, 0), P);
        }
    }
}

#[test]
fn random_shares_are_near_the_weights() {
    let mut state = GatewayState::new(&topology(&[(1, 10), (1, 20)], None), Rotation::Random);
    let n = 30_000;
    let first = (0..n).filter(|&k| state.pick(Time::ZERO, draw(7, Stream::Pick, k, 0), P).unwrap().member == 0).count();
    // five standard deviations of a binomial with p = 1/3
    assert!(first.abs_diff(10_000) < 409, "{first}");
}
