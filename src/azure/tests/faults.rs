//! Faults on demand: which requests meet them, what they answer, what becomes of operations.

use super::conformance::exchanges;
use super::deployments::{RESOURCES, deployment, order, small};
use super::*;
use crate::azure::faults::{Fault, fits};
use proptest::prelude::{prop_assert_eq, proptest};

fn fault(text: Value) -> Fault {
    let fault: Fault = serde_json::from_value(text).expect("a fault");
    assert_eq!(fault.flaws(), []);
    // what is kept reads as what was written
    let kept = serde_json::to_value(&fault).expect("JSON");
    assert_eq!(serde_json::from_value::<Fault>(kept).expect("a fault"), fault);
    fault
}

impl Bench {
    fn set(&mut self, faults: &[Value]) {
        let faults = faults.iter().cloned().map(fault).collect();
        self.world.set_faults(self.now, faults);
        // the file keeps them
        self.world = World::from_json(&self.world.to_json()).expect("a state");
    }

    fn done(&self) -> Vec<(u64, u64)> {
        self.world.faults().iter().map(|armed| (armed.seen, armed.done)).collect()
    }
}

#[test]
fn a_pattern_takes_any_run_of_characters() {
    for (pattern, text) in [
        ("*", ""),
        ("*", "/a/b"),
        ("/a", "/a"),
        ("/a*", "/a"),
        ("*/service/*", "/x/service/y"),
        ("*a*a", "aaa"),
        ("**", "x"),
        ("/a/*/c", "/a/b/b/c"),
    ] {
        assert!(fits(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in
        [("", "/"), ("/a", "/ab"), ("*/service", "/service/"), ("a*a", "a"), ("*ab*ba", "aba"), ("/a/*/c", "/a/c")]
    {
        assert!(!fits(pattern, text), "{pattern} {text}");
    }
}

proptest! {
    #![proptest_config(super::fuzz::config())]

    #[test]
    fn a_pattern_means_what_its_definition_says(pattern in "[ab*]{0,7}", text in "[ab]{0,8}") {
        fn slowly(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern.first(), text.first()) {
                (None, None) => true,
                (Some(b'*'), first) => slowly(&pattern[1..], text) || (first.is_some() && slowly(pattern, &text[1..])),
                (Some(a), Some(b)) => a == b && slowly(&pattern[1..], &text[1..]),
                _ => false,
            }
        }
        prop_assert_eq!(fits(&pattern, &text), slowly(pattern.as_bytes(), text.as_bytes()));
    }
}

#[test]
fn only_what_matches_is_met_and_counts_are_kept() {
    let mut bench = Bench::with_group();
    let path = "/SUBSCRIPTIONS/*/resourcegroups/RG";
    bench.set(&[json!({
        "match": {"method": "GET", "path": path, "apiVersion": "2024-03-01"}, "after": 1, "times": 2, "answer": {"status": 503},
    })]);
    let path = bench.group("");
    let statuses: Vec<u16> = (0..5).map(|_| bench.get(&path, "2024-03-01").0).collect();
    assert_eq!(statuses, [200, 503, 503, 200, 200]);
    assert_eq!(bench.done(), [(5, 2)]);
    assert_eq!(bench.get(&path, "2021-04-01").0, 200, "another api-version");
    assert_eq!(bench.send(Method::Head, &path, "2024-03-01", Value::Null).status, 204, "another method");
    assert_eq!(bench.get(&format!("{path}/resources"), "2024-03-01").0, 200, "another path");
    assert_eq!(bench.done(), [(5, 2)]);
}

#[test]
fn the_first_that_acts_wins_and_the_next_takes_over() {
    let mut bench = Bench::with_group();
    bench.set(&[
        json!({"name": "once", "times": 1, "answer": {"status": 429}}),
        json!({"times": 1, "answer": {"status": 500}}),
    ]);
    let path = bench.group("");
    let statuses: Vec<u16> = (0..3).map(|_| bench.get(&path, "2024-03-01").0).collect();
    assert_eq!(statuses, [429, 500, 200]);
    assert_eq!(bench.done(), [(3, 1), (2, 1)]);
}

#[test]
fn windows_are_measured_from_the_setting_and_scaled() {
    for (scale, length) in [(1, 60), (10, 6)] {
        let mut bench = Bench::with_group();
        bench.world = bench.world.with_scale(scale);
        bench.set(&[json!({"from": "1m", "until": "PT2M", "answer": {"status": 500}})]);
        let path = bench.group("");
        let mut at = |seconds: u64| {
            bench.wait(seconds);
            bench.get(&path, "2024-03-01").0
        };
        assert_eq!([at(0), at(length - 1), at(1), at(length - 1), at(1)], [200, 200, 500, 500, 200], "{scale}");
        assert_eq!(bench.done(), [(2, 2)]);
    }
}

#[test]
fn retry_after_is_scaled_and_the_words_say_the_same() {
    let mut bench = Bench::with_group();
    for (scale, seconds) in [(1, "90"), (30, "3"), (600, "1")] {
        bench.world = bench.world.with_scale(scale);
        bench.set(&[json!({"answer": {"status": 429, "retryAfter": "90s"}})]);
        let path = bench.group("");
        let answer = bench.send(Method::Get, &path, "2024-03-01", Value::Null);
        assert_eq!((answer.status, answer.headers.get("Retry-After")), (429, Some(seconds)));
        assert!(message(&answer).ends_with(&format!("try again after '{seconds}' seconds.")), "{}", message(&answer));
    }
}

/// The recorded errors, by file and place in it, and the faults that give them.
#[test]
fn errors_have_the_recorded_shapes() {
    let cases = [
        ("throttling-429", 0, json!({"code": "SubscriptionRequestsThrottled"})),
        ("throttling-429", 1, json!({"code": "ResourceRequestsThrottled"})),
        ("throttling-429", 2, json!({"status": 429, "code": "429", "message": "busy", "body": "pascal"})),
        ("throttling-429", 3, json!({"code": "429", "retryAfter": "2s"})),
        ("throttling-429", 4, json!({"code": "RetryableError", "retryAfter": "14s"})),
        ("auth-errors-401-403", 0, json!({"status": 401})),
        ("auth-errors-401-403", 1, json!({"status": 403})),
        ("server-errors-5xx", 0, json!({"status": 502})),
        ("server-errors-5xx", 2, json!({"status": 503, "body": "empty"})),
        ("server-errors-5xx", 3, json!({"status": 503})),
        ("server-errors-5xx", 4, json!({"status": 502, "message": "Forbidden", "body": "text"})),
        ("conflicts-409", 0, json!({"code": "AnotherOperationInProgress"})),
        ("conflicts-409", 4, json!({"status": 409})),
        ("deployment-validate-503-then-ok", 0, json!({"code": "ServerTimeout"})),
        ("apim-2022-08-01-children-500-on-delete", 42, json!({"status": 500})),
    ];
    for (file, place, answer) in cases {
        let Some(recorded) = exchanges(file) else { return };
        // a sequence has its error somewhere from that place on
        let errors = recorded.iter().skip(place);
        let exchange = errors.into_iter().find(|e| e["response"]["status"].as_u64() >= Some(400)).expect("an error");
        let (asked, said) = (&exchange["request"], &exchange["response"]);
        let mut bench = Bench::new();
        bench.set(&[json!({ "answer": answer })]);
        let method = Method::parse(asked["method"].as_str().unwrap_or("")).expect("a method");
        let ours = bench.request(&Request::arm(method, asked["url"].as_str().unwrap_or("")));
        let of = format!("{file} {place}");
        assert_eq!(Some(u64::from(ours.status)), said["status"].as_u64(), "{of}");
        for name in ["content-type", "retry-after", "x-ms-failure-cause"] {
            assert_eq!(ours.headers.get(name), said["headers"][name].as_str(), "{of} {name}");
        }
        let challenge = |text: &str| text.replace(|c: char| c.is_ascii_hexdigit() || c == '-', "");
        let recorded = said["headers"]["www-authenticate"].as_str().map(challenge);
        assert_eq!(ours.headers.get("www-authenticate").map(challenge), recorded, "{of}");
        let theirs = said["body"].as_str().unwrap_or("");
        match serde_json::from_str::<Value>(theirs) {
            Ok(theirs) => {
                let ours = ours.value().expect("JSON");
                let mut missing = Vec::new();
                members(&theirs, &ours, "", &mut missing);
                assert!(
                    missing.iter().all(|key| ["/error/details"].contains(&key.as_str())),
                    "{of}: {missing:?} {ours}"
                );
                for code in ["/error/code", "/Code"] {
                    assert_eq!(ours.pointer(code), theirs.pointer(code), "{of}");
                }
            }
            Err(_) => assert_eq!(String::from_utf8_lossy(&ours.body), theirs, "{of}"),
        }
    }
}

/// Members of `theirs` that `ours` has not.
fn members(theirs: &Value, ours: &Value, at: &str, missing: &mut Vec<String>) {
    match theirs {
        Value::Object(map) => {
            for (name, value) in map {
                match ours.get(name) {
                    Some(other) => members(value, other, &format!("{at}/{name}"), missing),
                    None => missing.push(format!("{at}/{name}")),
                }
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| members(item, &ours[i], &format!("{at}/{i}"), missing));
        }
        _ => {}
    }
}

#[test]
fn every_known_code_says_something_and_every_shape_carries_it() {
    for code in crate::azure::faults::known_codes() {
        for body in ["json", "bare", "pascal", "text", "html", "empty"] {
            let mut bench = Bench::new();
            bench.set(&[json!({"answer": {"code": code, "body": body}})]);
            let path = bench.service("");
            let answer = bench.send(Method::Put, &path, APIM, json!({}));
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            let value = answer.value();
            let said = |pointer: &str| value.as_ref().and_then(|v| v.pointer(pointer)).and_then(Value::as_str);
            assert!(answer.status >= 401, "{code}");
            match body {
                "json" => {
                    assert!(said("/error/code") == Some(code) && said("/error/message").is_some_and(|m| m.len() > 9))
                }
                "bare" => assert!(said("/code") == Some(code) && said("/message").is_some()),
                "pascal" => assert!(said("/Code") == Some(code) && said("/Details/2/ErrorEntity/Message").is_some()),
                "text" | "html" => assert!(value.is_none() && text.len() > 9, "{text}"),
                _ => assert!(text.is_empty() && answer.headers.get("Content-Type").is_none()),
            }
            assert_eq!(answer.status == 401, answer.headers.get("WWW-Authenticate").is_some());
            assert!(answer.headers.get("x-ms-request-id").is_some());
        }
    }
}

#[test]
fn a_read_lags_behind_what_was_made() {
    let mut bench = Bench::with_group();
    bench.set(&[json!({"match": {"path": "*/accounts*"}, "lag": "20s"})]);
    let path = bench.account("");
    assert_eq!(bench.send(Method::Put, &path, COGNITIVE, account("late-1")).status, 201);
    bench.wait(19);
    let missing = bench.send(Method::Get, &path, COGNITIVE, Value::Null);
    assert_eq!((missing.status, code(&missing).as_str()), (404, "ResourceNotFound"));
    let list = bench.group("/providers/Microsoft.CognitiveServices/accounts");
    assert_eq!(bench.get(&list, COGNITIVE).1["value"], json!([]));
    assert_eq!(bench.get(&bench.group("/resources"), "2024-03-01").1["value"].as_array().map(Vec::len), Some(1));
    // a write sees what is there
    assert!(bench.send(Method::Put, &path, COGNITIVE, account("late-1")).status != 201);
    bench.wait(1);
    assert_eq!(bench.get(&path, COGNITIVE).0, 200);
}

#[test]
fn a_broken_connection_tells_nothing_of_what_was_done() {
    for (moment, then) in [("before", 404), ("after", 200)] {
        let mut bench = Bench::new();
        bench.set(&[json!({"name": "cable", "match": {"method": "PUT"}, "times": 1, "drop": moment})]);
        let url = format!("{}?api-version=2024-03-01", bench.group(""));
        let put = Request::arm(Method::Put, url).json(&json!({"location": "eastus2"}));
        match bench.world.exchange(bench.now, &put) {
            Err(Transport::Lost(why)) => assert!(why.contains("cable"), "{why}"),
            other => panic!("{other:?}"),
        }
        let path = bench.group("");
        assert_eq!(bench.get(&path, "2024-03-01").0, then);
        assert_eq!(bench.world.exchange(bench.now, &put).map(|r| r.is_success()), Ok(true));
    }
}

#[test]
fn an_operation_takes_longer() {
    let mut bench = Bench::with_group();
    bench.set(&[json!({"match": {"method": "PUT", "path": "*/service/*"}, "slow": "10m"})]);
    let path = bench.service("");
    assert_eq!(bench.send(Method::Put, &path, APIM, service()).status, 201);
    bench.wait(500);
    assert_ne!(bench.get(&path, APIM).1["properties"]["provisioningState"], "Succeeded");
    bench.wait(250);
    assert_eq!(bench.get(&path, APIM).1["properties"]["provisioningState"], "Succeeded");
    // reads and synchronous writes start no operation
    assert_eq!(bench.done(), [(1, 1)]);
}

#[test]
fn an_operation_fails_at_its_end() {
    let mut bench = Bench::with_group();
    let failure = json!({"code": "InternalError", "message": "", "target": "apim", "status": 409});
    bench.set(&[json!({"times": 3, "fail": failure})]);
    let error = json!({"code": "InternalError", "message": "", "target": "apim"});
    // both addresses of a service
    let path = bench.service("");
    let made = bench.send(Method::Put, &path, APIM, service());
    let header = |response: &Response, name: &str| response.headers.get(name).expect(name).to_string();
    let (status, location) = (header(&made, "Azure-AsyncOperation"), header(&made, "Location"));
    assert_eq!(
        bench.request(&Request::arm(Method::Get, status.clone())).value(),
        Some(json!({"status": "InProgress"}))
    );
    bench.wait(1000);
    let ended = bench.request(&Request::arm(Method::Get, status));
    assert_eq!((ended.status, ended.value()), (200, Some(json!({"status": "Failed", "error": error}))));
    let ended = bench.request(&Request::arm(Method::Get, location));
    assert_eq!((ended.status, ended.value()), (409, Some(json!({"error": error}))));
    assert_eq!(bench.get(&path, APIM).1["properties"]["provisioningState"], "Failed");
    // an account, by the address of its status
    let path = bench.account("");
    let made = bench.send(Method::Put, &path, COGNITIVE, account("fails-1"));
    bench.wait(1000);
    let ended = bench.request(&Request::arm(Method::Get, header(&made, "Azure-AsyncOperation"))).value().expect("JSON");
    assert_eq!((&ended["status"], &ended["error"]), (&json!("Failed"), &error));
    assert!(ended["id"].is_string() && ended["endTime"].is_string());
    // a group, by `Location`: it stays
    let group = bench.group("");
    let gone = bench.send(Method::Delete, &group, "2024-03-01", Value::Null);
    bench.wait(1000);
    assert_eq!(bench.request(&Request::arm(Method::Get, header(&gone, "Location"))).status, 409);
    assert_eq!(bench.get(&group, "2024-03-01").1["properties"]["provisioningState"], "Succeeded");
    // what has failed can be written and deleted again
    assert_eq!(bench.send(Method::Put, &path, COGNITIVE, account("fails-1")).status, 200);
    let path = bench.service("");
    assert_eq!(bench.send(Method::Put, &path, APIM, service()).status / 100, 2);
    assert_eq!(bench.done(), [(5, 3)]);
}

#[test]
fn a_step_of_a_deployment_fails_with_its_own_error_and_the_rest_goes_on() {
    let mut bench = Bench::with_group();
    let failure = json!({"code": "SkuNotAvailable", "message": "none left"});
    bench.set(&[json!({"match": {"path": "*/microsoft.cognitiveservices/accounts/aoai"}, "fail": failure})]);
    let path = deployment(&bench, "");
    assert_eq!(bench.send(Method::Put, &path, RESOURCES, order(small())).status, 201);
    bench.wait(10_000);
    let (_, body) = bench.get(&path, RESOURCES);
    assert_eq!(body["properties"]["provisioningState"], "Failed", "{body}");
    let details = &body["properties"]["error"]["details"];
    assert_eq!(
        (&details[0]["code"], &details[0]["message"]),
        (&json!("SkuNotAvailable"), &json!("none left")),
        "{body}"
    );
    assert_eq!(bench.get(&bench.account(""), COGNITIVE).1["properties"]["provisioningState"], "Failed");
    assert_eq!(bench.get(&bench.service(""), APIM).1["properties"]["provisioningState"], "Succeeded");
    let (_, operations) = bench.get(&format!("{path}/operations"), RESOURCES);
    let failed: Vec<&Value> = operations["value"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|operation| operation["properties"]["provisioningState"] == "Failed")
        .collect();
    // the last is the evaluation of outputs
    assert_eq!(failed.len(), 2, "{operations}");
    assert_eq!(failed[0]["properties"]["statusMessage"]["error"]["code"], "SkuNotAvailable");
    // without the fault the same deployment goes through
    bench.set(&[]);
    assert_eq!(bench.send(Method::Put, &path, RESOURCES, order(small())).status, 200);
    bench.wait(10_000);
    assert_eq!(bench.get(&path, RESOURCES).1["properties"]["provisioningState"], "Succeeded");
}

#[test]
fn a_nested_deployment_fails_at_its_end_and_its_parent_with_it() {
    let mut bench = Bench::with_group();
    let failure = json!({"code": "InternalError", "message": "at the end"});
    bench.set(&[json!({"match": {"path": "*/deployments/role"}, "fail": failure})]);
    let path = deployment(&bench, "");
    bench.send(Method::Put, &path, RESOURCES, order(small()));
    bench.wait(10_000);
    assert_eq!(
        bench.get(&bench.group("/providers/Microsoft.Resources/deployments/role"), RESOURCES).1["properties"]["provisioningState"],
        "Failed"
    );
    let (_, body) = bench.get(&path, RESOURCES);
    assert_eq!(body["properties"]["error"]["details"][0]["code"], "ResourceDeploymentFailure", "{body}");
    assert_eq!(bench.done(), [(1, 1)]);
}

#[test]
fn the_same_requests_meet_the_same_faults() {
    let run = |restart: bool| {
        let mut bench = Bench::with_group();
        bench.set(&[
            json!({"match": {"method": "GET"}, "after": 2, "times": 3, "answer": {"status": 401}}),
            json!({"slow": "1m"}),
            json!({"match": {"path": "*/deployments/main"}, "fail": {"code": "X"}}),
        ]);
        let path = deployment(&bench, "");
        bench.send(Method::Put, &path, RESOURCES, order(small()));
        let mut answers = Vec::new();
        for _ in 0..40 {
            bench.wait(37);
            if restart {
                bench.world = World::from_json(&bench.world.to_json()).expect("a state");
            }
            let answer = bench.send(Method::Get, &path, RESOURCES, Value::Null);
            answers.push((answer.status, answer.body));
        }
        assert_eq!(answers.iter().filter(|(status, _)| *status == 401).count(), 3);
        (answers, bench.world.state)
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn flaws_are_told_by_key() {
    for (text, key) in [
        (json!({}), ""),
        (json!({"lag": "1s", "slow": "1s"}), ""),
        (json!({"lag": "1s", "from": "2s", "until": "2s"}), "until"),
        (json!({"lag": "1s", "match": {"path": "service/*"}}), "match.path"),
        (json!({"lag": "1s", "match": {"path": "/a?api-version=1"}}), "match.path"),
        (json!({"answer": {}}), "answer"),
        (json!({"answer": {"status": 418}}), "answer"),
        (json!({"answer": {"status": 409, "code": "Unheard"}}), "answer"),
    ] {
        let fault: Fault = serde_json::from_value(text.clone()).expect("the right form");
        let flaws = fault.flaws();
        assert!(flaws.iter().any(|flaw| flaw.key == key && !flaw.help.is_empty()), "{text}: {flaws:?}");
    }
    for text in [
        json!({"answer": {"status": 418, "body": "empty"}}),
        json!({"answer": {"status": 400, "code": "A", "message": "b"}}),
    ] {
        fault(text);
    }
}

#[test]
fn a_reset_empties_and_a_jump_lets_time_pass() {
    let mut bench = Bench::with_service();
    bench.set(&[
        json!({"match": {"method": "POST"}, "lag": "1s"}),
        json!({"answer": {"status": 503}, "times": 1, "after": 99}),
    ]);
    let path = bench.account("");
    assert_eq!(bench.send(Method::Put, &path, COGNITIVE, account("gone-1")).status, 201);
    bench.wait(60);
    assert_eq!(bench.send(Method::Delete, &path, COGNITIVE, Value::Null).status, 200);
    let deleted = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/deletedAccounts");
    bench.world.forward(bench.now, Duration::from_secs(47 * 3600));
    assert_eq!(bench.get(&deleted, COGNITIVE).1["value"].as_array().map(Vec::len), Some(1));
    bench.world.forward(bench.now, Duration::from_secs(3600));
    assert_eq!(bench.get(&deleted, COGNITIVE).1["value"].as_array().map(Vec::len), Some(0), "retention has passed");
    let revision = bench.world.revision();
    bench.world.reset(bench.now);
    assert!(bench.world.revision() > revision);
    assert_eq!((bench.world.faults().len(), bench.done()[1]), (2, (0, 0)));
    assert_eq!(bench.get(&bench.group(""), "2024-03-01").0, 404);
    bench.send(Method::Put, &bench.group(""), "2024-03-01", json!({"location": "eastus2"}));
    assert_eq!(bench.send(Method::Put, &bench.service(""), APIM, service()).status, 201, "the name is free");
}

/// Any fault that has the right form.
fn any_fault() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let length = || prop_oneof![Just("0s"), Just("1s"), Just("PT5M"), Just("P1000D"), Just("18446744073s")];
    let does = prop_oneof![
        (400u16..600, prop_oneof![Just("json"), Just("bare"), Just("pascal"), Just("text"), Just("html"), Just("empty")], length())
            .prop_map(|(status, body, wait)| json!({"answer": {"status": status, "code": "A\"\r\n", "message": "<é\u{0}\"", "body": body, "retryAfter": wait}})),
        length().prop_map(|length| json!({ "lag": length })),
        length().prop_map(|length| json!({ "slow": length })),
        Just(json!({"fail": {"code": "", "message": "", "target": "x"}})),
        prop_oneof![Just("before"), Just("after")].prop_map(|moment| json!({ "drop": moment })),
    ];
    let path = prop_oneof![Just("*"), Just("*/accounts/*"), Just("*/deployments/*"), Just("/"), Just("*%*ß*")];
    (does, path, 0u64..3, proptest::option::of(1u64..3), length(), proptest::option::of(length())).prop_map(
        |(mut fault, path, after, times, from, until)| {
            fault["match"] = json!({ "path": path });
            fault["after"] = after.into();
            fault["times"] = json!(times);
            fault["from"] = from.into();
            fault["until"] = json!(until);
            fault
        },
    )
}

proptest! {
    #![proptest_config(super::fuzz::config())]

    #[test]
    fn whatever_is_set_there_is_an_answer_or_a_lost_connection(
        faults in proptest::collection::vec(any_fault(), 1..5), scale in proptest::prelude::prop_oneof![1u32..3, 600u32..601],
    ) {
        let mut bench = Bench::with_group();
        bench.world = bench.world.with_scale(scale);
        let faults = faults.into_iter().map(|text| serde_json::from_value(text).expect("a fault")).collect();
        bench.world.set_faults(bench.now, faults);
        let urls = [bench.account(""), bench.service(""), deployment(&bench, ""), bench.group("")];
        for (n, (method, path)) in [Method::Put, Method::Get, Method::Delete].into_iter().flat_map(|m| urls.iter().map(move |u| (m, u))).enumerate() {
            bench.wait([0, 1, 400][n % 3]);
            let body = [account("fuzz-1"), service(), order(small()), json!({"location": "eastus2"})][n % 4].clone();
            let version = [COGNITIVE, APIM, RESOURCES, "2024-03-01"][n % 4];
            let request = Request::arm(method, format!("{path}?api-version={version}")).json(&body);
            match bench.world.exchange(bench.now, &request) {
                Ok(response) => prop_assert_eq!((200..600).contains(&response.status), true),
                Err(why) => prop_assert_eq!(matches!(why, Transport::Lost(_)), true),
            }
        }
        bench.wait(2_000_000);
        bench.world.view(bench.now);
        let text = bench.world.to_json();
        prop_assert_eq!(World::from_json(&text).map(|world| world.state), Ok(bench.world.state));
    }
}
