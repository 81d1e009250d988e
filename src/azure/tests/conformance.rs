//! Recorded traffic, played against a world at scale 1 in virtual time: status, polling headers, error codes and the
//! names of properties must be those of the recording. What differs and why stands in a table beside each recording.
//!
//! Times are not played: every request is sent two seconds after the last one. A poll that was answered "ended" is sent
//! again and again until ours has ended too, or long after.

mod deployments;

use super::*;
use std::collections::{BTreeMap, BTreeSet};

mod apim;
mod providers;

struct Recording {
    name: &'static str,
    /// What stood before the first request: the group (empty for none) with its location, and a service.
    group: (&'static str, &'static str),
    service: Option<&'static str>,
    /// The recorder kept `Retry-After`.
    retry_after: bool,
    /// Requests that are left out, by a piece of their address, and why.
    skipped: &'static [(&'static str, &'static str)],
    /// Differences in an answer, by its number, and why.
    known: &'static [(usize, &'static str)],
    /// What is changed in a request, by its number: this, for that, and why.
    edits: &'static [(usize, &'static str, &'static str, &'static str)],
    /// What others did before a request, by its number.
    aside: fn(&mut Bench, usize),
    /// Properties that one of the answers has and the other has not, and why.
    absent: &'static [(&'static str, &'static str)],
}

/// What a recording has where its row says nothing.
const NOTHING: &Recording = &Recording {
    name: "",
    group: ("", ""),
    service: None,
    retry_after: false,
    skipped: &[],
    known: &[],
    edits: &[],
    aside: |_, _| {},
    absent: &[],
};

#[allow(clippy::disallowed_methods)] // a test may read the disk
pub(super) fn exchanges(name: &str) -> Option<Vec<Value>> {
    let file = format!("{}/../shared/corpus/arm/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(file) else {
        assert!(std::env::var_os("CI").is_none(), "../shared is not here");
        println!("skipped: ../shared/corpus/arm is not here");
        return None;
    };
    let recording: Value = serde_json::from_str(&text).expect("a recording");
    recording["exchanges"].as_array().cloned()
}

/// The address of an operation without what is signed anew every time.
fn address(url: &str) -> String {
    let path = url.strip_prefix("https://management.azure.com").unwrap_or(url).to_lowercase();
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    let own: Vec<&str> =
        query.split('&').filter(|pair| pair.contains("asyncid=") || pair.contains("skiptoken=")).collect();
    format!("{path}?{}", own.join("&"))
}

fn is_running(answer: &Response) -> bool {
    answer.status == 202 || says_running(&String::from_utf8_lossy(&answer.body))
}

/// Whether a body is the status of an operation that goes on.
fn says_running(body: &str) -> bool {
    let status = serde_json::from_str::<Value>(body).ok().and_then(|body| body["status"].as_str().map(str::to_string));
    status.is_some_and(|status| !["Succeeded", "Failed", "Canceled"].contains(&status.as_str()))
}

/// Gives what was recorded and what we answered, for who wants to see more of it.
fn play(recording: &Recording) -> Vec<(usize, Value, Value)> {
    let Some(exchanges) = exchanges(recording.name) else { return Vec::new() };
    let subscription = "00000000-0000-0000-0000-000000000000";
    let mut bench = Bench::new();
    bench.world = World::new(subscription, subscription, 1);
    let (group, location) = recording.group;
    let path = format!("/subscriptions/{subscription}/resourceGroups/{group}");
    if !group.is_empty() {
        bench.send(Method::Put, &path, "2024-03-01", json!({ "location": location }));
    }
    if let Some(name) = recording.service {
        let body = exchanges[0]["request"]["body"].as_str().and_then(|text| serde_json::from_str(text).ok());
        let path = format!("{path}/providers/Microsoft.ApiManagement/service/{name}");
        assert_eq!(bench.send(Method::Put, &path, "2024-05-01", body.expect("a body")).status, 201);
        bench.wait(10_000);
    }
    // recorded addresses of operations, and ours
    let mut addresses: BTreeMap<String, String> = BTreeMap::new();
    let mut etags: BTreeMap<String, String> = BTreeMap::new();
    // recorded principals, and ours
    let mut principals: BTreeMap<String, String> = BTreeMap::new();
    let mut differences = Vec::new();
    let mut answers = Vec::new();
    for (i, exchange) in exchanges.iter().enumerate() {
        let (asked, said) = (&exchange["request"], &exchange["response"]);
        let url = asked["url"].as_str().unwrap_or("");
        if recording.skipped.iter().any(|(piece, _)| url.contains(piece)) {
            continue;
        }
        (recording.aside)(&mut bench, i);
        let ours = addresses.get(&address(url)).cloned();
        let ended = said["status"] != 202 && !says_running(said["body"].as_str().unwrap_or(""));
        let polled = ours.is_some();
        // a service and its children are asked again and again, everything else once, long after
        let apim = url.contains("Microsoft.ApiManagement");
        bench.wait(if polled && ended && !apim { 600 } else { 2 });
        let method = Method::parse(asked["method"].as_str().unwrap_or("")).expect("a method");
        let mut request = Request::arm(method, ours.unwrap_or_else(|| url.to_string()));
        let body = asked["body"].as_str().unwrap_or("").to_string();
        let edits = recording.edits.iter().filter(|(number, ..)| *number == i);
        let body = edits.fold(body, |body, (_, this, that, _)| body.replace(this, that));
        request.body = principals.iter().fold(body, |body, (this, that)| body.replace(this, that)).into_bytes();
        if let Some(etag) = asked["headers"]["if-match"].as_str() {
            let ours = etags.get(etag).map_or(etag, String::as_str).to_string();
            request = request.header("If-Match", ours);
        }
        let mut answer = bench.request(&request);
        // a poll that was answered "ended" is sent again until ours has ended too, or is gone
        let gone = said["status"] == 404;
        for _ in 0..200 {
            if !polled || !(ended && is_running(&answer) || gone && answer.status != 404) {
                break;
            }
            bench.wait(20);
            answer = bench.request(&request);
        }
        let header = |name: &str| said["headers"][name].as_str();
        for name in ["location", "azure-asyncoperation"] {
            // an address without a query is a resource's, and no operation's
            if let (Some(theirs), Some(ours)) = (header(name).filter(|url| url.contains('?')), answer.headers.get(name))
            {
                addresses.insert(address(theirs), ours.to_string());
            }
        }
        if let (Some(theirs), Some(ours)) = (header("etag"), answer.headers.get("etag")) {
            etags.insert(theirs.to_string(), ours.to_string());
        }
        let next = |body: &[u8]| {
            let body: Option<Value> = serde_json::from_slice(body).ok();
            body.and_then(|body| body["nextLink"].as_str().map(str::to_string))
        };
        if let (Some(theirs), Some(ours)) = (next(said["body"].as_str().unwrap_or("").as_bytes()), next(&answer.body)) {
            addresses.insert(address(&theirs), ours);
        }
        let mut found = Vec::new();
        let mut differ = |what: &str, theirs: String, ours: String| {
            if theirs != ours {
                found.push(format!(
                    "{} #{i} {} {what}: recorded {theirs}, ours {ours}",
                    recording.name,
                    method.as_str()
                ));
            }
        };
        differ("status", said["status"].to_string(), answer.status.to_string());
        let mut headers = vec!["azure-asyncoperation", "location", "etag", "content-type", "x-ms-failure-cause"];
        if recording.retry_after {
            headers.push("retry-after");
        }
        // some polls of a group's deletion bring no address, which ones differs
        if url.contains("/operationresults/") && said["status"] == 202 {
            headers.retain(|name| *name != "location");
        }
        for name in headers {
            let shown = |value: Option<&str>| match (name, value) {
                ("retry-after" | "content-type" | "x-ms-failure-cause", Some(value)) => value.to_string(),
                (_, value) => value.is_some().to_string(),
            };
            differ(name, shown(header(name)), shown(answer.headers.get(name)));
        }
        let theirs: Value = serde_json::from_str(said["body"].as_str().unwrap_or("")).unwrap_or(Value::Null);
        let ours = answer.value().unwrap_or(Value::Null);
        for pointer in ["/properties/principalId", "/identity/principalId"] {
            let text = |body: &Value| body.pointer(pointer).and_then(Value::as_str).map(str::to_string);
            if let (Some(theirs), Some(ours)) = (text(&theirs), text(&ours)) {
                principals.insert(theirs, ours);
            }
        }
        let of_apim = [
            "/code",
            "/count",
            "/properties/provisioningState",
            "/properties/targetProvisioningState",
            "/properties/platformVersion",
            "/properties/path",
            "/properties/apiRevision",
            "/properties/isCurrent",
        ];
        let of_apim = of_apim.into_iter().filter(|_| apim);
        for pointer in [
            "/error/code",
            "/error/message",
            "/error/details/0/message",
            "/status",
            "/type",
            "/properties/value",
            "/properties/format",
            "/properties/scope",
            "/location",
        ]
        .into_iter()
        .chain(of_apim)
        {
            let last = pointer.rsplit('/').next().unwrap_or("");
            if recording.absent.iter().any(|(known, _)| *known == last) {
                continue;
            }
            let text = |body: &Value| match body.pointer(pointer) {
                // when a deployment begins is a matter of time
                Some(word) if pointer == "/status" && word == "Accepted" => "\"Running\"".into(),
                found => found.map(Value::to_string).unwrap_or_default(),
            };
            // texts print a principal without its dashes
            let bare = |text: &str| text.replace('-', "");
            let translated =
                principals.iter().fold(text(&theirs), |text, (this, that)| text.replace(&bare(this), &bare(that)));
            differ(pointer, translated, text(&ours));
        }
        differ(
            "lines",
            said["body"].as_str().unwrap_or("").contains("\r\n  \"").to_string(),
            String::from_utf8_lossy(&answer.body).contains("\r\n  \"").to_string(),
        );
        if let (Some(theirs), Some(ours)) = (theirs["properties"].as_object(), ours["properties"].as_object()) {
            let names = |body: &serde_json::Map<String, Value>, other: &serde_json::Map<String, Value>| {
                let missing = body.keys().filter(|name| !other.contains_key(*name));
                missing
                    .filter(|name| !recording.absent.iter().any(|(known, _)| known == name))
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            differ("properties that ours lacks", names(theirs, ours), String::new());
            differ("properties that ours has more", String::new(), names(ours, theirs));
        }
        if !recording.known.iter().any(|(known, _)| *known == i) {
            differences.extend(found);
        }
        answers.push((i, theirs, ours));
    }
    assert!(!answers.is_empty());
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    // recordings of deployments name what differs below beside them
    if !recording.name.starts_with("deployment-") {
        let of_it = BELOW.iter().filter(|(name, ..)| recording.name.starts_with(name));
        let named: Vec<(&str, &str)> = of_it.map(|(_, path, why)| (*path, *why)).collect();
        same_members(recording, &answers, &named, &named);
    }
    answers
}

/// The members of a body, all the way down; what providers and templates put there is not looked into.
fn members(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    const OPAQUE: [&str; 7] = [
        ".properties.outputs",
        ".properties.parameters",
        ".template",
        ".properties.changes[].before",
        ".properties.changes[].after",
        ".value[].properties.outputs",
        ".value[].properties.parameters",
    ];
    if OPAQUE.contains(&path) {
        found.insert(path.to_owned());
        return;
    }
    match value {
        Value::Object(all) => {
            for (name, value) in all {
                members(value, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(items) => {
            for item in items {
                members(item, &format!("{path}[]"), found);
            }
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

/// Holds all answers of a recording against ours, but for members that are named with a reason.
fn same_members(
    recording: &Recording,
    answers: &[(usize, Value, Value)],
    absent: &[(&str, &str)],
    more: &[(&str, &str)],
) {
    let mut differences = Vec::new();
    for (i, theirs, ours) in answers {
        if recording.known.iter().any(|(known, _)| known == i) {
            continue;
        }
        let (mut recorded, mut answered) = (BTreeSet::new(), BTreeSet::new());
        members(theirs, "", &mut recorded);
        members(ours, "", &mut answered);
        let named = |list: &[(&str, &str)], path: &str| list.iter().any(|(known, _)| path.starts_with(known));
        for path in recorded.difference(&answered).filter(|path| !named(absent, path)) {
            differences.push(format!("{} #{i} ours lacks {path}", recording.name));
        }
        for path in answered.difference(&recorded).filter(|path| !named(more, path)) {
            differences.push(format!("{} #{i} ours has more: {path}", recording.name));
        }
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// Members below the properties that one side has and the other has not, and why: recording, path, reason.
const BELOW: &[(&str, &str, &str)] = &[
    ("apim-basicv2", ".systemData", "null in the answer that begins, a table of its own at the end"),
    ("apim-basicv2", ".properties.customProperties.", "which switches of old protocols are shown differs by service"),
    ("apim-children", ".properties.backendId", "recorded before it was shown"),
    ("apim-children", ".value[].properties.backendId", "recorded before it was shown"),
    ("apim-children", ".properties.provisioningState", "recorded before it was shown"),
    ("apim-children", ".value[].properties.provisioningState", "recorded before it was shown"),
    ("apim-children", ".identity", "the service is made here without one"),
    ("apim-children", ".value[].identity", "the service is made here without one"),
    ("apim-2022", ".error.details", "a fault has no such member"),
    ("apim-delete-poll", ".properties.backendId", "recorded before it was shown"),
    ("apim-policy-crud", ".value[].properties.", "the echo API has shorter operations here"),
    ("apim-subscription", ".properties.user.", "the owner is not spelled out here"),
    ("cogsvc-aiservices", ".properties.endpoints.", "services of no concern to a gateway"),
    ("cogsvc-aiservices", ".properties.capabilities.", "the model can do other things today"),
    ("cogsvc-aiservices", ".properties.armFeatures", "the features of somebody's subscription"),
    ("cogsvc", ".properties.callRateLimit.rules[]", "limits of services of no concern to a gateway"),
    ("cogsvc", ".value[].properties.callRateLimit.rules[]", "limits of services of no concern to a gateway"),
    ("cogsvc-missing", ".authorizations[]", "the application of a provider is not told here"),
    ("cogsvc-missing", ".registrationPolicy", "recorded before it was shown"),
    ("cogsvc-openai", ".properties.capabilities.", "the model can do other things today"),
    ("cogsvc-openai", ".value[].properties.capabilities.", "the model can do other things today"),
    ("cogsvc-softdelete", ".value[].", "somebody else's accounts stood in the list"),
    ("role-assignment-exists", ".value[].properties.", "definitions of roles are shorter here"),
    ("role-assignment-paging", ".nextLink", "ours ends a page earlier"),
];

#[test]
fn an_openai_account_and_a_model() {
    play(&Recording {
        name: "cogsvc-openai-deployment-2023-05-01",
        group: ("clitest.rg000001", "japaneast"),
        ..*NOTHING
    });
}

#[test]
fn an_account_deleted_restored_and_purged() {
    play(&Recording {
        name: "cogsvc-softdelete-recover-purge",
        group: ("clitest.rg000001", "southcentralus"),
        ..*NOTHING
    });
}

#[test]
fn keys_of_an_account() {
    play(&Recording { name: "cogsvc-crud-keys-2023-05-01", group: ("clitest.rg000001", "southcentralus"), ..*NOTHING });
}

#[test]
fn a_group_comes_and_goes() {
    play(&Recording { name: "rg-crud-delete-poll", group: ("cli_test_rg_scenario000001", "westus"), ..*NOTHING });
}

/// Recordings that are not played, and why.
const LEFT: &[(&str, &str)] = &[
    ("auth-errors-401-403", "single exchanges: faults have their shapes, and a test beside them compares"),
    ("conflicts-409", "single exchanges of other services: those that this Azure has are compared with its own"),
    ("deployment-failed-deep-nested", "an error of another provider, deep inside of a text: carried as it is"),
    ("deployment-list-with-nested-errors", "deployments to a tenant"),
    ("deployment-put-400-marketplace", "purchases in the marketplace"),
    ("deployment-validate-400-quota", "cores of virtual machines; the same shape for models is tested by hand"),
    ("deployment-whatif-templatespec-delta", "template specs are refused by name"),
    ("lro-status-failed-shapes", "single exchanges of other services: faults have their shapes"),
    ("server-errors-5xx", "single exchanges: faults have their shapes, and a test beside them compares"),
    ("throttling-429", "single exchanges: faults have their shapes, and a test beside them compares"),
];

/// No recording is forgotten: it is played, or it stands in the table.
#[test]
#[allow(clippy::disallowed_methods)] // a test may read the disk
fn every_recording_is_played_or_named() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/arm");
    let Ok(files) = std::fs::read_dir(folder) else {
        assert!(std::env::var_os("CI").is_none(), "../shared is not here");
        println!("skipped: ../shared/corpus/arm is not here");
        return;
    };
    let tests = [
        include_str!("conformance.rs"),
        include_str!("conformance/apim.rs"),
        include_str!("conformance/deployments.rs"),
        include_str!("conformance/providers.rs"),
    ]
    .concat();
    let names = files.filter_map(|file| file.ok()?.file_name().to_str()?.strip_suffix(".json").map(str::to_string));
    for name in names {
        let quoted = format!("\"{name}\"");
        let left = LEFT.iter().any(|(left, _)| *left == name);
        // standing in the table is one mention
        let played = tests.matches(&quoted).count() > usize::from(left);
        assert!(played || left, "{name} is neither played nor named");
    }
}
