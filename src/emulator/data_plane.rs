//! The gateways of a local Azure as their callers meet them: what stands in the world is decoded as live state is, the
//! policy's twin ([`exchange`]) decides each call, and `models` answer for the accounts behind it.
//!
//! Keys and roles count: a caller needs the key of an active subscription that reaches the API, and the gateway's identity
//! needs a role on the account, which only works some minutes after it was given.
//!
//! Breakers, rotations and quotas are remembered for as long as a [`DataPlane`] lives, and start anew where what they
//! belong to was written. Nothing of it is kept in a file: API Management keeps it in the memory of its instances too.
//!
//! Deliberately absent: token limits and quotas of callers, Entra tokens (a call that needs one is refused), streaming,
//! and any policy that this program did not write: API Management would run it, this answers 500 and says so.

mod models;

use crate::arm::{self, Answers, request};
use crate::azure::World;
use crate::exchange::{self, Answer, Ask, Caller, Reply, Step, SubscriptionId};
use crate::pool::{GatewayState, Rotation};
use crate::rng::Draws;
use crate::time::{Duration, Time};
use crate::topology::intent::{Body, Intent};
use crate::topology::{Access, Key, Location, Name, Policy, Scope, Stack, Subscription, Topology};
use crate::wire::{Door, Method, Request, Response, Secret, Transport};
use models::{Identity, Models};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Who answers callers: the gateways of a world, and the models behind them.
#[derive(Debug, Default)]
pub struct DataPlane {
    gateways: BTreeMap<String, Gateway>,
    models: Models,
    calls: u64,
}

/// A gateway's memory.
#[derive(Debug)]
struct Gateway {
    topology: Topology,
    state: GatewayState,
}

/// A service as it stands now.
struct Service {
    topology: Topology,
    keys: Vec<(Secret, Key)>,
    identity: Value,
    named_values: Vec<Value>,
    /// Names and paths of APIs whose policy cannot be followed.
    foreign: Vec<(String, String)>,
}

impl Service {
    /// The API that a path belongs to, where its policy is not ours.
    fn foreign(&self, target: &str) -> Option<&str> {
        let path = target.split('?').next().unwrap_or_default().trim_start_matches('/').to_lowercase();
        let under = |root: &str| {
            path.strip_prefix(&root.to_lowercase())
                .is_some_and(|rest| root.is_empty() || rest.is_empty() || rest.starts_with('/'))
        };
        let longest = self.foreign.iter().filter(|(_, root)| under(root)).max_by_key(|(_, root)| root.len())?;
        let ours = self.topology.apis.values().filter(|api| under(&api.path)).map(|api| api.path.len()).max();
        ours.is_none_or(|ours| ours < longest.1.len()).then_some(longest.0.as_str())
    }
}

/// A call that has been answered, and when its answer is there.
#[derive(Debug)]
pub struct Answered {
    /// What the caller gets.
    pub response: Response,
    /// When.
    pub at: Time,
}

impl DataPlane {
    /// Answers a call to a gateway's own address (`https://apim.azure-api.net/openai/...`). What models and retries take is
    /// only told, by [`Answered::at`].
    pub fn call(&mut self, world: &mut World, now: Time, request: &Request) -> Result<Answered, Transport> {
        let ahead = world.time(now).since(now);
        let answered = self.answer(world, now + ahead, request)?;
        Ok(Answered { at: now + answered.at.since(now + ahead), ..answered })
    }

    /// The same in the world's own time.
    fn answer(&mut self, world: &mut World, now: Time, request: &Request) -> Result<Answered, Transport> {
        let (host, target) = split(&request.url);
        let Some(service) = find(world, now, host) else {
            return Err(Transport::Unreachable(format!("no gateway of the local Azure is called `{host}`")));
        };
        let service = read(world, now, &service);
        let draws = Draws { seed: 0, request: self.calls };
        self.calls += 1;
        let Ok(gateway) = exchange::Gateway::new(&service.topology) else {
            return Ok(Answered { response: Answer::GatewayError.response(), at: now });
        };
        if let Some(api) = service.foreign(target) {
            let message =
                format!("the local Azure does not run the policy of the API '{api}': this program did not write it");
            return Ok(Answered {
                response: Response::json(500, &json!({"statusCode": 500, "message": message})),
                at: now,
            });
        }
        let mut headers = request.headers.clone();
        if let Door::Gateway { header, key } = &request.door {
            headers.set(header.as_str(), key.expose());
        }
        let body = Body::read(headers.get("Content-Type").unwrap_or_default(), &request.body);
        let call = exchange::http::Call { method: request.method, target, headers: &headers, body: &body };
        let ask = asked(&gateway, &service, &call);
        let kept = self.gateways.entry(host.to_lowercase());
        let fresh = || Gateway {
            topology: service.topology.clone(),
            state: GatewayState::new(&service.topology, Rotation::Smooth),
        };
        let memory = kept.or_insert_with(fresh);
        if memory.topology != service.topology {
            *memory = fresh();
        }
        let Some(intent) = intent(&service.topology, &ask) else {
            let (_, step) = gateway.start(&mut memory.state, now, draws, ask);
            return Ok(Answered { response: own(&step), at: now });
        };
        if intent.entra.is_some() && !matches!(ask, Ask::Probe { .. }) {
            let body = json!({"statusCode": 401, "message": "Unauthorized. Access token is missing or invalid."});
            return Ok(Answered { response: Response::json(401, &body), at: now });
        }
        let identity = Identity::of(intent, &service.identity, &service.named_values);
        let sender = Sender { world, request, call, identity, draws };
        Ok(follow(&gateway, memory, &mut self.models, sender, (now, ask)))
    }
}

/// What is sent on, and who for.
struct Sender<'a> {
    world: &'a mut World,
    request: &'a Request,
    call: exchange::http::Call<'a>,
    identity: Option<Identity>,
    draws: Draws,
}

/// From the first step of a call to its last.
fn follow(
    gateway: &exchange::Gateway,
    memory: &mut Gateway,
    models: &mut Models,
    sender: Sender<'_>,
    (mut now, ask): (Time, Ask),
) -> Answered {
    let Sender { world, request, call, identity, draws } = sender;
    let state = &mut memory.state;
    let (mut exchange, mut step) = gateway.start(state, now, draws, ask);
    let mut last: Option<Response> = None;
    loop {
        step = match step {
            Step::Send { backend, timeout } => {
                let forward = gateway.forward(&call, backend);
                let answer = match (&forward, &identity) {
                    (None, _) => None,
                    // the gateway gets no token: the call ends where its policy failed
                    (Some(_), None) => {
                        let response = Answer::GatewayError.response();
                        return Answered { response, at: now };
                    }
                    (Some(forward), Some(identity)) => {
                        let scaled = Scaled { scale: world.scale(), timeout };
                        models.answer(world, now, (forward, identity), request, (draws, exchange.attempts()), scaled)
                    }
                };
                let reply = match answer {
                    Some((response, at)) => {
                        now = now.max(at);
                        let reply = Reply::read(now, response.status, &response.headers);
                        last = Some(response);
                        reply
                    }
                    None => {
                        now += timeout.scaled_down(world.scale());
                        Reply::Silence
                    }
                };
                gateway.on(&mut exchange, state, now, draws, reply).0
            }
            Step::Wait(until) => {
                now = now.max(until);
                gateway.wake(&mut exchange, state, now, draws)
            }
            Step::Relay(relay) => {
                let mut response = last.unwrap_or_else(|| Answer::GatewayError.response());
                gateway.relayed(&relay, &mut response.headers);
                return Answered { response, at: now };
            }
            Step::Answer(_) => return Answered { response: own(&step), at: now },
        }
    }
}

/// How long things take here.
#[derive(Clone, Copy)]
struct Scaled {
    /// By what the length of an answer is divided.
    scale: u32,
    /// How long the gateway waits for an answer to begin.
    timeout: Duration,
}

/// The gateway's own answer.
fn own(step: &Step) -> Response {
    match step {
        Step::Answer(answer) => answer.response(),
        Step::Send { .. } | Step::Wait(_) | Step::Relay(_) => Answer::GatewayError.response(),
    }
}

/// What the request asks for, by the first subscription whose key it shows and that may ask it.
fn asked(gateway: &exchange::Gateway, service: &Service, call: &exchange::http::Call<'_>) -> Ask {
    let Some(shown) = gateway.key(call) else { return gateway.read(call, Caller::Missing) };
    let order: Vec<&Key> = service.topology.subscriptions.keys().collect();
    let fitting = service.keys.iter().filter(|(key, _)| key.expose() == shown);
    let ids = fitting.filter_map(|(_, name)| {
        let at = order.iter().position(|key| *key == name)?;
        u16::try_from(at).ok().map(SubscriptionId)
    });
    let mut asks = ids.map(|id| gateway.read(call, Caller::Subscription(id)));
    let refused = |ask: &Ask| matches!(ask, Ask::Refused(Answer::KeyInvalid));
    asks.find(|ask| !refused(ask)).unwrap_or_else(|| gateway.read(call, Caller::Invalid))
}

/// The policy that a call meets.
fn intent<'a>(topology: &'a Topology, ask: &Ask) -> Option<&'a Intent> {
    let (Ask::Pool { api, .. } | Ask::Candidates { api, .. } | Ask::Account { api, .. } | Ask::Probe { api, .. }) = ask
    else {
        return None;
    };
    topology.apis.values().nth(usize::from(api.0))?.policy.intent()
}

/// Host, and path with query, of an address.
fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find(['/', '?']) {
        Some(at) => (&rest[..at], &rest[at..]),
        None => (rest, "/"),
    }
}

/// What a GET of the whole list, page by page, gives.
fn list(world: &mut World, now: Time, mut request: Request) -> Vec<Value> {
    let mut all = Vec::new();
    // no list of a local Azure has so many pages
    for _ in 0..1000 {
        let Some(body) = world.look(now, &request).value() else { break };
        let page = request::page(&body);
        all.extend(page.items);
        match page.next {
            Some(next) => request.url = next,
            None => break,
        }
    }
    all
}

fn get(world: &mut World, now: Time, request: &Request) -> Option<Value> {
    let response = world.look(now, request);
    (response.status == 200).then(|| response.value()).flatten()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Every resource of a type, in every subscription.
fn everywhere(world: &mut World, now: Time, kind: &str, version: &str) -> Vec<Value> {
    let subscriptions = list(world, now, Request::arm(Method::Get, "/subscriptions?api-version=2022-12-01"));
    let of = |subscription: &Value| {
        let id = text(subscription, "/subscriptionId");
        Request::arm(Method::Get, format!("/subscriptions/{id}/providers/{kind}?api-version={version}"))
    };
    subscriptions.iter().flat_map(|subscription| list(world, now, of(subscription))).collect()
}

/// The service that a host name belongs to.
fn find(world: &mut World, now: Time, host: &str) -> Option<Value> {
    let services = everywhere(world, now, "Microsoft.ApiManagement/service", "2024-05-01");
    services.into_iter().find(|service| {
        let url = text(service, "/properties/gatewayUrl");
        let own = url.split_once("://").map_or(url, |(_, host)| host).trim_end_matches('/');
        // before it has been created once, its name means nothing
        own.eq_ignore_ascii_case(host) && text(service, "/properties/provisioningState") != "Created"
    })
}

/// Decodes a service, and everything behind it, as live state is decoded.
fn read(world: &mut World, now: Time, service: &Value) -> Service {
    let id = text(service, "/id").to_owned();
    let parts: Vec<&str> = id.split('/').collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default().to_owned();
    let scope = Scope {
        subscription: Some(part(2)),
        resource_group: part(4),
        location: Location::new(text(service, "/location")),
    };
    let desired = Topology::new(Stack { name: String::new(), environment: String::new() }, scope);
    let mut children = |collection: &str| list(world, now, request::children(&id, collection));
    let mut answers = Answers {
        services: vec![service.clone()],
        backends: children("backends"),
        apis: children("apis"),
        subscriptions: children("subscriptions"),
        ..Answers::default()
    };
    let named_values = children("namedValues");
    let products = children("products");
    let apis: Vec<String> = answers.apis.iter().map(|api| text(api, "/id").to_owned()).collect();
    // where callers put their keys stands in the whole API, not in the list
    answers.apis = apis.iter().filter_map(|api| get(world, now, &request::api(api))).collect();
    for api in apis {
        answers.operations.insert(api.clone(), list(world, now, request::operations(&api)));
        if let Some(policy) = get(world, now, &request::policy(&api)) {
            answers.policies.insert(api, text(&policy, "/properties/value").to_owned());
        }
    }
    answers.accounts = everywhere(world, now, "Microsoft.CognitiveServices/accounts", "2024-10-01");
    let accounts: Vec<String> = answers.accounts.iter().map(|account| text(account, "/id").to_owned()).collect();
    for account in accounts {
        let deployments = list(world, now, request::deployments(&account));
        answers.deployments.insert(account, deployments);
    }
    let mut topology = match arm::decode(&desired, &answers) {
        Ok(live) => live.topology,
        Err(_) => desired,
    };
    let gateway = Name::Literal(text(service, "/name").to_owned());
    topology.gateway = topology.gateway.map(|found| crate::topology::Gateway { name: gateway, ..found });
    let members: BTreeMap<String, Vec<String>> = products
        .iter()
        .map(|product| {
            let apis = list(world, now, request::children(text(product, "/id"), "apis"));
            let names = apis.iter().map(|api| text(api, "/name").to_lowercase()).collect();
            (text(product, "/name").to_lowercase(), names)
        })
        .collect();
    let keys = callers(world, now, &mut topology, &answers.subscriptions, &members);
    // a policy that is not ours cannot be followed; the APIs beside it can
    let (ours, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
        std::mem::take(&mut topology.apis).into_iter().partition(|(_, api)| matches!(api.policy, Policy::Rendered(_)));
    topology.apis = ours;
    let foreign = others.into_values().map(|api| (api.name, api.path)).collect();
    Service { topology, keys, identity: service.get("identity").cloned().unwrap_or_default(), named_values, foreign }
}

/// Puts who may call what into the topology, an entry for each API, and gives the keys with their entries.
fn callers(
    world: &mut World,
    now: Time,
    topology: &mut Topology,
    subscriptions: &[Value],
    products: &BTreeMap<String, Vec<String>>,
) -> Vec<(Secret, Key)> {
    topology.subscriptions.clear();
    let apis: Vec<(Key, String)> =
        topology.apis.iter().map(|(key, api)| (key.clone(), api.name.to_lowercase())).collect();
    let mut keys = Vec::new();
    for subscription in subscriptions.iter().filter(|found| text(found, "/properties/state") == "active") {
        let (id, name) = (text(subscription, "/id"), text(subscription, "/name"));
        let scope = text(subscription, "/properties/scope").trim_end_matches('/').to_lowercase();
        let reaches = |api: &str| match (arm::id::after(&scope, "apis"), arm::id::after(&scope, "products")) {
            (Some(only), _) => only == api,
            (None, Some(product)) => products.get(product).is_some_and(|apis| apis.iter().any(|found| found == api)),
            // the whole service, or all of its APIs
            (None, None) => true,
        };
        let secrets = Request::arm(Method::Post, format!("{id}/listSecrets?api-version=2024-05-01"));
        let secrets = world.look(now, &secrets).value().unwrap_or_default();
        for (key, _) in apis.iter().filter(|(_, api)| reaches(api)) {
            let entry = format!("{name}/{key}");
            let described = Subscription {
                name: name.to_owned(),
                display_name: name.to_owned(),
                access: Access::Api(key.clone()),
                tracing: false,
            };
            topology.subscriptions.insert(entry.clone(), described);
            let both = ["/primaryKey", "/secondaryKey"].map(|pointer| text(&secrets, pointer));
            let shown = both.into_iter().filter(|key| !key.is_empty());
            keys.extend(shown.map(|key| (Secret::new(key), entry.clone())));
        }
    }
    keys
}
