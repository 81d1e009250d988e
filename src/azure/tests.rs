//! Tests of the whole, request by request, in virtual time.

use super::*;
use crate::time::Duration;
use crate::wire::Method;
use serde_json::{Value, json};

pub(super) const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";
const APIM: &str = "2024-05-01";
const COGNITIVE: &str = "2024-10-01";

/// A world and a clock.
pub(super) struct Bench {
    pub world: World,
    pub now: Time,
}

impl Bench {
    pub fn new() -> Bench {
        Bench {
            world: World::new(SUBSCRIPTION, "11111111-1111-1111-1111-111111111111", 1).with_seed(7),
            now: Time::from_secs(1_795_000_000),
        }
    }

    /// With a resource group `rg` in it.
    pub fn with_group() -> Bench {
        let mut bench = Bench::new();
        assert_eq!(bench.send(Method::Put, &bench.group(""), "2024-03-01", json!({"location": "eastus2"})).status, 201);
        bench
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    pub fn group(&self, rest: &str) -> String {
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg{rest}")
    }

    pub fn service(&self, rest: &str) -> String {
        self.group(&format!("/providers/Microsoft.ApiManagement/service/apim{rest}"))
    }

    pub fn account(&self, rest: &str) -> String {
        self.group(&format!("/providers/Microsoft.CognitiveServices/accounts/aoai{rest}"))
    }

    pub fn request(&mut self, request: &Request) -> Response {
        self.world.handle(self.now, request)
    }

    pub fn send(&mut self, method: Method, path: &str, version: &str, body: Value) -> Response {
        let sign = if path.contains('?') { '&' } else { '?' };
        let request = Request::arm(method, format!("{path}{sign}api-version={version}"));
        let request = if body.is_null() { request } else { request.json(&body) };
        self.request(&request)
    }

    pub fn get(&mut self, path: &str, version: &str) -> (u16, Value) {
        let response = self.send(Method::Get, path, version, Value::Null);
        (response.status, response.value().unwrap_or(Value::Null))
    }

    /// A service `apim`, ready.
    pub fn with_service() -> Bench {
        let mut bench = Bench::with_group();
        assert_eq!(bench.send(Method::Put, &bench.service(""), APIM, service()).status, 201);
        bench.wait(101);
        bench
    }
}

fn service() -> Value {
    json!({
        "location": "eastus2",
        "sku": {"name": "BasicV2", "capacity": 1},
        "identity": {"type": "SystemAssigned"},
        "properties": {"publisherEmail": "a@contoso.com", "publisherName": "Contoso"},
    })
}

fn account(domain: &str) -> Value {
    json!({
        "location": "EastUS2",
        "kind": "OpenAI",
        "sku": {"name": "S0"},
        "properties": {"customSubDomainName": domain, "disableLocalAuth": true},
    })
}

fn single(url: &str) -> Value {
    json!({"properties": {"type": "Single", "protocol": "http", "url": url}})
}

fn pool(members: &[&str]) -> Value {
    let services: Vec<Value> = members.iter().map(|id| json!({"id": id, "priority": 1, "weight": 10})).collect();
    json!({"properties": {"type": "Pool", "pool": {"services": services}}})
}

fn code(response: &Response) -> String {
    let value = response.value().unwrap_or(Value::Null);
    value.pointer("/error/code").and_then(Value::as_str).unwrap_or("").to_string()
}

fn message(response: &Response) -> String {
    let value = response.value().unwrap_or(Value::Null);
    let deep = value.pointer("/error/details/0/message").or(value.pointer("/error/message"));
    deep.and_then(Value::as_str).unwrap_or("").to_string()
}

#[test]
fn groups_live_and_die() {
    let mut bench = Bench::new();
    let path = bench.group("");
    let found = bench.send(Method::Head, &path, "2024-03-01", Value::Null);
    assert_eq!((found.status, found.body.len()), (404, 0));
    let made = bench.send(Method::Put, &path, "2024-03-01", json!({"location": "East US 2", "tags": {"a": "b"}}));
    assert_eq!(made.status, 201);
    let body = made.value().expect("a group");
    assert_eq!((&body["location"], &body["properties"]["provisioningState"]), (&json!("eastus2"), &json!("Succeeded")));
    assert_eq!(bench.send(Method::Put, &path, "2024-03-01", json!({"location": "westus"})).status, 409);
    assert_eq!(bench.send(Method::Put, &path.to_lowercase(), "2024-03-01", json!({"location": "eastus2"})).status, 200);
    assert_eq!(bench.send(Method::Head, &path, "2024-03-01", Value::Null).status, 204);

    let gone = bench.send(Method::Delete, &path, "2024-03-01", Value::Null);
    assert_eq!((gone.status, gone.headers.get("Retry-After"), gone.body.len()), (202, Some("15"), 0));
    let poll = gone.headers.get("Location").expect("an address").to_string();
    assert_eq!(
        code(&bench.send(Method::Put, &path, "2024-03-01", json!({"location": "eastus2"}))),
        "ResourceGroupBeingDeleted"
    );
    assert_eq!(bench.request(&Request::arm(Method::Get, poll.clone())).status, 202);
    bench.wait(60);
    let end = bench.request(&Request::arm(Method::Get, poll));
    assert_eq!((end.status, end.body.len()), (200, 0));
    assert_eq!(bench.get(&path, "2024-03-01").0, 404);
}

#[test]
fn a_service_takes_its_time_and_never_answers_with_what_was_sent() {
    let mut bench = Bench::with_group();
    let path = bench.service("");
    let made = bench.send(Method::Put, &path, APIM, service());
    assert_eq!((made.status, made.headers.get("Retry-After")), (201, Some("20")));
    let status = made.headers.get("Azure-AsyncOperation").expect("a status").to_string();
    let result = made.headers.get("Location").expect("a result").to_string();
    assert!(status.contains("/locations/eastus2/operationsStatuses/") && status.len() > 3000, "{status}");
    let body = made.value().expect("a service");
    assert_eq!(body["location"], "East US 2");
    assert_eq!(body["properties"]["provisioningState"], "Created");
    assert_eq!(body["properties"]["gatewayUrl"], "https://apim.azure-api.net");
    assert!(body["identity"]["principalId"].is_string());

    bench.wait(1);
    let poll = bench.request(&Request::arm(Method::Get, status.clone()));
    assert_eq!(poll.value(), Some(json!({"status": "InProgress"})));
    assert!(poll.headers.get("Azure-AsyncOperation").is_some_and(|fresh| fresh != status), "signed anew");
    assert_eq!(bench.request(&Request::arm(Method::Get, result.clone())).status, 202);
    assert_eq!(code(&bench.send(Method::Put, &path, APIM, service())), "ServiceLocked");
    let backends = format!("{path}/backends/b");
    assert_eq!(code(&bench.send(Method::Put, &backends, APIM, single("https://b/"))), "ServiceLocked");
    bench.wait(99);
    let end = bench.request(&Request::arm(Method::Get, status));
    assert_eq!((end.value(), end.headers.get("Retry-After")), (Some(json!({"status": "Succeeded"})), None));
    assert_eq!(bench.request(&Request::arm(Method::Get, result)).status, 200);
    assert_eq!(bench.get(&path, APIM).1["properties"]["provisioningState"], "Succeeded");

    // nothing to change: no operation
    let again = bench.send(Method::Put, &path, APIM, service());
    assert_eq!((again.status, again.headers.get("Azure-AsyncOperation")), (200, None));
    let mut tagged = service();
    tagged["tags"] = json!({"a": "b"});
    let changed = bench.send(Method::Put, &path, APIM, tagged);
    assert_eq!((changed.status, changed.headers.get("Retry-After")), (200, Some("20")));
    assert_eq!(changed.value().expect("a service")["properties"]["targetProvisioningState"], "Updating");
}

#[test]
fn a_deleted_service_keeps_its_name_until_it_is_purged() {
    let mut bench = Bench::with_service();
    let path = bench.service("");
    assert_eq!(bench.send(Method::Put, &bench.service("/backends/b"), APIM, single("https://b/")).status, 201);
    let gone = bench.send(Method::Delete, &path, APIM, Value::Null);
    assert_eq!(gone.status, 202);
    assert_eq!(gone.value().expect("the service")["properties"]["provisioningState"], "Deleting");
    bench.wait(60);
    assert_eq!(bench.get(&path, APIM).0, 404);
    assert_eq!(bench.send(Method::Delete, &path, APIM, Value::Null).status, 204);
    let refused = bench.send(Method::Put, &path, APIM, service());
    assert_eq!((refused.status, code(&refused).as_str()), (409, "ServiceAlreadyExistsInSoftDeletedState"));

    let deleted = format!(
        "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ApiManagement/locations/eastus2/deletedservices/apim"
    );
    let shown = bench.get(&deleted, APIM).1;
    assert_eq!((&shown["location"], &shown["properties"]["serviceId"]), (&json!("East US 2"), &json!(path)));
    let list = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ApiManagement/deletedservices");
    assert_eq!(bench.get(&list, APIM).1["value"][0], shown);

    // restored with everything in it
    let mut restore = service();
    restore["properties"]["restore"] = json!(true);
    assert_eq!(bench.send(Method::Put, &path, APIM, restore).status, 201);
    bench.wait(60);
    assert_eq!(bench.get(&bench.service("/backends/b"), APIM).0, 200);
    assert_eq!(bench.send(Method::Delete, &path, APIM, Value::Null).status, 202);
    bench.wait(60);

    let purge = bench.send(Method::Delete, &deleted, APIM, Value::Null);
    assert_eq!((purge.status, purge.headers.get("Azure-AsyncOperation")), (202, None));
    let poll = purge.headers.get("Location").expect("an address").to_string();
    assert_eq!(code(&bench.send(Method::Put, &path, APIM, service())), "ServiceLocked");
    assert_eq!(bench.request(&Request::arm(Method::Get, poll.clone())).status, 202);
    bench.wait(61);
    assert_eq!(bench.request(&Request::arm(Method::Get, poll)).status, 200);
    assert_eq!(bench.send(Method::Delete, &deleted, APIM, Value::Null).status, 204);
    assert_eq!(bench.send(Method::Put, &path, APIM, service()).status, 201);
}

#[test]
fn what_nobody_purges_goes_after_two_days() {
    let mut bench = Bench::with_group();
    assert_eq!(bench.send(Method::Put, &bench.account(""), COGNITIVE, account("a-1")).status, 201);
    bench.wait(20);
    bench.send(Method::Delete, &bench.account(""), COGNITIVE, Value::Null);
    let list = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/deletedAccounts");
    bench.wait(48 * 3600 - 1);
    assert_eq!(bench.get(&list, COGNITIVE).1["value"].as_array().map(Vec::len), Some(1));
    bench.wait(1);
    assert_eq!(bench.get(&list, COGNITIVE).1["value"], json!([]));
}

#[test]
fn backends_come_back_with_defaults_and_etags() {
    let mut bench = Bench::with_service();
    let path = bench.service("/backends/east");
    let sent = json!({"properties": {
        "type": "Single", "protocol": "http", "url": "https://e/", "description": "d",
        "circuitBreaker": {"rules": [{
            "name": "r", "tripDuration": "PT60S", "acceptRetryAfter": true,
            "failureCondition": {"count": 1, "interval": "PT1M", "statusCodeRanges": [{"min": 429, "max": 429}]},
        }]},
    }});
    let made = bench.send(Method::Put, &path, APIM, sent.clone());
    assert_eq!(made.status, 201);
    let etag = made.headers.get("ETag").expect("an etag").to_string();
    assert!(String::from_utf8_lossy(&made.body).contains("\r\n  \"id\""));
    let body = made.value().expect("a backend");
    assert_eq!(body["properties"]["title"], Value::Null);
    assert_eq!(body["properties"]["tls"], json!({"validateCertificateChain": true, "validateCertificateName": true}));
    assert_eq!(body["properties"]["credentials"], json!({"header": {}, "query": {}}));
    assert_eq!(body["properties"]["circuitBreaker"]["rules"][0]["tripDuration"], "PT1M");
    // the same again: the same etag
    assert_eq!(bench.send(Method::Put, &path, APIM, sent).headers.get("ETag"), Some(etag.as_str()));

    let head = bench.send(Method::Head, &path, APIM, Value::Null);
    assert_eq!((head.status, head.headers.get("ETag"), head.body.len()), (200, Some(etag.as_str()), 0));
    let url = format!("{path}?api-version={APIM}");
    let patch = json!({"properties": {"description": "other"}});
    let bare = Request::arm(Method::Patch, url.clone()).json(&patch);
    assert_eq!(bench.request(&bare).status, 400);
    assert_eq!(bench.request(&bare.clone().header("If-Match", "\"AAAA\"")).status, 412);
    let done = bench.request(&bare.header("If-Match", etag.clone()));
    assert_eq!(done.status, 200);
    assert_eq!(done.value().expect("a backend")["properties"]["description"], "other");
    let delete = Request::arm(Method::Delete, url);
    assert_eq!(bench.request(&delete.clone().header("If-Match", etag)).status, 412);
    assert_eq!(bench.request(&delete.clone().header("If-Match", "*")).status, 200);
    assert_eq!(bench.request(&delete).status, 204);
    let (status, gone) = bench.get(&path, APIM);
    assert_eq!((status, &gone["error"]["message"]), (404, &json!("Backend not found.")));
}

#[test]
fn pools_are_refused_as_azure_refuses_them() {
    let mut bench = Bench::with_service();
    let put = |bench: &mut Bench, name: &str, body: Value| {
        let path = bench.service(&format!("/backends/{name}"));
        bench.send(Method::Put, &path, APIM, body)
    };
    let early = put(&mut bench, "pool", pool(&["/backends/a"]));
    assert_eq!((early.status, message(&early).as_str()), (400, "Backend Entity 'a' not found."));
    assert_eq!(put(&mut bench, "a", single("https://a/")).status, 201);
    let mut with_url = pool(&["/backends/a"]);
    with_url["properties"]["url"] = json!("https://x/");
    with_url["properties"]["protocol"] = json!("http");
    let refused = put(&mut bench, "pool", with_url);
    assert_eq!(message(&refused), "Url is not supported for backend pool.");
    assert_eq!(refused.value().expect("an error")["error"]["details"].as_array().map(Vec::len), Some(2));
    for (name, value) in [("weight", 101), ("priority", -1)] {
        let mut wrong = pool(&["/backends/a"]);
        wrong["properties"]["pool"]["services"][0][name] = json!(value);
        assert_eq!(put(&mut bench, "pool", wrong).status, 400, "{name}");
    }
    assert_eq!(put(&mut bench, "pool", pool(&["/backends/a"; 31])).status, 400);
    assert_eq!(put(&mut bench, "pool", pool(&[])).status, 400);

    let made = put(&mut bench, "pool", pool(&["/backends/A"]));
    assert_eq!(made.status, 201);
    let body = made.value().expect("a pool");
    assert_eq!(body["properties"]["pool"]["services"][0]["id"], json!(bench.service("/backends/a")));
    assert!(body["properties"].get("url").is_none());
    assert_eq!(put(&mut bench, "pool2", pool(&["/backends/pool"])).status, 400);
    // an older version does not see the weights
    let old = bench.get(&bench.service("/backends/pool"), "2023-05-01-preview").1;
    assert_eq!(old["properties"]["pool"]["services"][0].as_object().map(serde_json::Map::len), Some(1));

    let member = bench.send(Method::Delete, &bench.service("/backends/a"), APIM, Value::Null);
    assert_eq!(member.status, 400);
    assert_eq!(bench.send(Method::Delete, &bench.service("/backends/pool"), APIM, Value::Null).status, 200);
    assert_eq!(bench.send(Method::Delete, &bench.service("/backends/a"), APIM, Value::Null).status, 200);
}

#[test]
fn a_breaker_has_one_rule_and_one_threshold() {
    let mut bench = Bench::with_service();
    let rule = json!({"name": "r", "tripDuration": "PT1M",
        "failureCondition": {"count": 1, "interval": "PT1M", "statusCodeRanges": [{"min": 429, "max": 429}]}});
    let mut attempt = |change: &dyn Fn(&mut Value)| {
        let mut rules = json!([rule]);
        change(&mut rules);
        let mut body = single("https://a/");
        body["properties"]["circuitBreaker"] = json!({ "rules": rules });
        bench.send(Method::Put, &bench.service("/backends/a"), APIM, body).status
    };
    assert_eq!(attempt(&|_| {}), 201);
    assert_eq!(attempt(&|rules| *rules = json!([rule, rule])), 400);
    assert_eq!(attempt(&|rules| rules[0]["failureCondition"]["percentage"] = json!(50)), 400);
    assert_eq!(attempt(&|rules| rules[0]["failureCondition"]["count"] = json!(0)), 400);
    assert_eq!(attempt(&|rules| rules[0]["failureCondition"]["interval"] = json!("60s")), 400);
    assert_eq!(attempt(&|rules| rules[0]["tripDuration"] = json!(null)), 400);
    assert_eq!(attempt(&|rules| rules[0]["failureCondition"]["statusCodeRanges"] = json!([])), 400);
    assert_eq!(attempt(&|rules| rules[0]["failureCondition"]["statusCodeRanges"][0]["max"] = json!(600)), 400);
}

#[test]
fn accounts_are_followed_by_one_header_and_deleted_at_once() {
    let mut bench = Bench::with_group();
    let path = bench.account("");
    let made = bench.send(Method::Put, &path, COGNITIVE, account("Contoso-1"));
    assert_eq!((made.status, made.headers.get("Location"), made.headers.get("Retry-After")), (201, None, None));
    let status = made.headers.get("Azure-AsyncOperation").expect("a status").to_string();
    assert!(status.contains("/locations/EastUS2/operationResults/") && status.contains("api-version=2017-04-18"));
    let body = made.value().expect("an account");
    assert_eq!(body["properties"]["endpoint"], "https://contoso-1.openai.azure.com/");
    assert_eq!((&body["location"], &body["properties"]["provisioningState"]), (&json!("EastUS2"), &json!("Creating")));
    assert_eq!(
        bench.request(&Request::arm(Method::Get, status.clone())).value().expect("a status")["status"],
        "Creating"
    );
    bench.wait(20);
    let end = bench.request(&Request::arm(Method::Get, status)).value().expect("a status");
    assert!(end["status"] == "Succeeded" && end["endTime"].is_string());
    let keys = bench.send(Method::Post, &format!("{path}/listKeys"), COGNITIVE, Value::Null);
    assert_eq!(keys.status, 400, "no keys without local authentication");

    let mut other = account("contoso-1");
    other["location"] = json!("swedencentral");
    let second = bench.group("/providers/Microsoft.CognitiveServices/accounts/second");
    assert_eq!(code(&bench.send(Method::Put, &second, COGNITIVE, other)), "CustomDomainInUse");
    let mut moved = account("Contoso-1");
    moved["location"] = json!("westus");
    assert_eq!(code(&bench.send(Method::Put, &path, COGNITIVE, moved)), "InvalidResourceLocation");

    let tags = bench.send(Method::Patch, &path, COGNITIVE, json!({"tags": {"a": "b"}}));
    assert_eq!((tags.status, tags.headers.get("Azure-AsyncOperation")), (200, None));
    let others = bench.send(Method::Patch, &path, COGNITIVE, json!({"tags": {"c": "d"}}));
    assert_eq!(others.value().expect("an account")["tags"], json!({"c": "d"}), "a patch replaces tags as a whole");
    let network = json!({"properties": {"publicNetworkAccess": "Disabled"}});
    let slow = bench.send(Method::Patch, &path, COGNITIVE, network);
    assert!(slow.status == 202 && slow.headers.get("Location").is_some() && slow.value().is_some());
    bench.wait(20);

    let gone = bench.send(Method::Delete, &path, COGNITIVE, Value::Null);
    assert_eq!((gone.status, gone.body.len()), (200, 0));
    assert_eq!(code(&bench.send(Method::Put, &path, COGNITIVE, account("Contoso-1"))), "FlagMustBeSetForRestore");
    let restored = json!({"location": "eastus2", "properties": {"restore": true}});
    let back = bench.send(Method::Put, &path, COGNITIVE, restored);
    assert_eq!((back.status, back.headers.get("Azure-AsyncOperation")), (201, None));
    assert_eq!(bench.get(&path, COGNITIVE).1["properties"]["publicNetworkAccess"], "Disabled");

    bench.send(Method::Delete, &path, COGNITIVE, Value::Null);
    let purge = format!(
        "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/eastus2/resourceGroups/RG/deletedAccounts/aoai"
    );
    let purged = bench.send(Method::Delete, &purge, COGNITIVE, Value::Null);
    assert_eq!(purged.status, 202);
    let status = purged.headers.get("Azure-AsyncOperation").expect("a status").to_string();
    assert_eq!(bench.request(&Request::arm(Method::Get, status)).value().expect("a status")["status"], "Deleting");
    bench.wait(30);
    assert_eq!(bench.get(&purge, COGNITIVE).0, 404);
    assert_eq!(bench.send(Method::Put, &path, COGNITIVE, account("Contoso-1")).status, 201);
}

#[test]
fn the_gateway_refuses_what_no_provider_sees() {
    let mut bench = Bench::with_group();
    let path = bench.service("");
    let cases = [
        (format!("{path}?api-version=1999-01-01"), 400, "NoRegisteredProviderFound"),
        (path.clone(), 400, "MissingApiVersionParameter"),
        (format!("{path}?api-version={APIM}"), 404, "ResourceNotFound"),
        (path.replace("/rg/", "/none/") + "?api-version=2024-05-01", 404, "ResourceGroupNotFound"),
        (
            bench.group("/providers/Microsoft.Storage/storageAccounts/x?api-version=2024-01-01"),
            404,
            "InvalidResourceType",
        ),
    ];
    for (url, status, word) in cases {
        let answer = bench.request(&Request::arm(Method::Get, url.clone()));
        assert_eq!((answer.status, code(&answer).as_str()), (status, word), "{url}");
        if status == 404 {
            assert_eq!(answer.headers.get("x-ms-failure-cause"), Some("gateway"), "{url}");
        }
    }
    let escaped = bench.request(&Request::arm(Method::Get, format!("{path}%2Fx?api-version={APIM}")));
    assert_eq!((escaped.status, escaped.body.len()), (404, 0));
    let orphan = bench.send(Method::Put, &format!("{path}/backends/b"), APIM, single("https://b/"));
    assert_eq!((orphan.status, code(&orphan).as_str()), (404, "ParentResourceNotFound"));
    let nowhere = json!({"location": "BLA", "kind": "OpenAI", "sku": {"name": "S0"}});
    assert_eq!(
        code(&bench.send(Method::Put, &bench.account(""), COGNITIVE, nowhere)),
        "LocationNotAvailableForResourceType"
    );
    let broken = Request { body: b"{".to_vec(), ..Request::arm(Method::Put, format!("{path}?api-version={APIM}")) };
    assert_eq!(code(&bench.request(&broken)), "InvalidRequestContent");
}

#[test]
fn only_changes_raise_the_revision_and_refusals_change_nothing() {
    let mut bench = Bench::with_service();
    let before = bench.world.revision();
    bench.get(&bench.service(""), APIM);
    bench.send(Method::Put, &bench.service("/backends/p"), APIM, pool(&["/backends/none"]));
    bench.send(Method::Put, &bench.service(""), APIM, service());
    assert_eq!(bench.world.revision(), before);
    bench.send(Method::Put, &bench.service("/backends/b"), APIM, single("https://b/"));
    assert_eq!(bench.world.revision(), before + 1);
}

#[test]
fn a_file_between_two_requests_changes_nothing() {
    let run = |through_file: bool| {
        let mut bench = Bench::with_service();
        let mut seen = Vec::new();
        let steps = [
            (Method::Put, bench.service("/backends/b"), single("https://b/")),
            (Method::Get, bench.service(""), Value::Null),
            (Method::Delete, bench.service(""), Value::Null),
            (Method::Get, bench.service(""), Value::Null),
        ];
        for (method, path, body) in steps {
            let kept = bench.world.to_json();
            let before = bench.world.revision();
            seen.push(bench.send(method, &path, APIM, body));
            if through_file {
                // as io does: what a read has advanced is not kept
                let text = if bench.world.revision() == before { kept } else { bench.world.to_json() };
                bench.world = World::from_json(&text).expect("its own text");
            }
            bench.wait(70);
        }
        seen
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn the_scale_divides_waits_and_neither_dates_nor_retention() {
    let mut bench = Bench::new();
    bench.world = bench.world.with_scale(600);
    bench.send(Method::Put, &bench.group(""), "2024-03-01", json!({"location": "eastus2"}));
    let made = bench.send(Method::Put, &bench.service(""), APIM, service());
    assert_eq!(made.headers.get("Retry-After"), Some("1"));
    let created = made.value().expect("a service")["properties"]["createdAtUtc"].clone();
    assert!(created.as_str().is_some_and(|date| date.starts_with(&bench.now.rfc3339()[..19])), "{created}");
    // half a minute until others know the service's identity, and two minutes until it is ready, both divided
    let principal = made.value().expect("a service")["identity"]["principalId"].clone();
    let assignment =
        bench.service("/providers/Microsoft.Authorization/roleAssignments/11111111-2222-3333-4444-555555555555");
    let definition = format!(
        "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
    );
    let role = json!({"properties": {"principalId": principal, "roleDefinitionId": definition}});
    bench.now += Duration::from_millis(49);
    assert_eq!(code(&bench.send(Method::Put, &assignment, "2022-04-01", role.clone())), "PrincipalNotFound");
    bench.now += Duration::from_millis(1);
    assert_eq!(bench.send(Method::Put, &assignment, "2022-04-01", role).status, 201);
    bench.now += Duration::from_millis(117);
    assert_eq!(bench.get(&bench.service(""), APIM).1["properties"]["provisioningState"], "Succeeded");
    // two days are two days
    assert_eq!(bench.send(Method::Delete, &bench.service(""), APIM, Value::Null).status, 202);
    bench.wait(10);
    let deleted = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ApiManagement/deletedservices");
    bench.wait(48 * 3600 - 12);
    assert_eq!(bench.get(&deleted, APIM).1["value"].as_array().map(Vec::len), Some(1));
    bench.wait(12);
    assert_eq!(bench.get(&deleted, APIM).1["value"].as_array().map(Vec::len), Some(0));
}

mod apim;
mod children;
mod conformance;
mod deployments;
mod faults;
mod fuzz;
mod offers;
mod plain;
mod published;
mod quota;
mod scopes;
mod stored;
mod whatif;
