//! Warnings about what only some specs use.

use super::super::build::Built;
use super::super::check::shown;
use super::super::yaml::{item, join};
use crate::diagnostic::{Diagnostic, Severity, code};
use crate::time::Duration;
use crate::topology::{Balancing, Breaker, Definition, Document, Key, Pool, Role, Routes, Target, Topology, defaults};

/// Error reasons that Microsoft's own documentation and samples use.
///
/// Source: learn.microsoft.com, "Backends in API Management"; no list is published (facts/apim.md 1.2, 2.3).
const REASONS: [&str; 1] = ["Server errors"];

/// Every warning that applies.
pub fn find(built: &Built, out: &mut Vec<Diagnostic>) {
    let topology = &built.topology;
    stateful_apis(topology, out);
    open_apis(topology, out);
    definitions(topology, out);
    error_reasons(topology, out);
    for (key, pool) in &topology.pools {
        image_names(topology, key, pool, out);
    }
    unused_pools(topology, out);
    breakers_under_policy(topology, out);
    roles(built, out);
    bodies(topology, out);
    long_absences(topology, out);
    callers_trip(topology, out);
}

/// A breaker that counts answers to one caller's mistakes takes the member away from every caller.
fn callers_trip(topology: &Topology, out: &mut Vec<Diagnostic>) {
    // of the caller alone; 401, 403 and 404 may be a member without its role or its deployment
    const MISTAKES: [u16; 4] = [400, 413, 415, 422];
    let mut told: Vec<&str> = Vec::new();
    for breaker in topology.backends.values().filter_map(|backend| backend.breaker.as_ref()) {
        let counts = |status: &u16| breaker.status_codes.iter().any(|range| range.contains(*status));
        let Some(status) = MISTAKES.iter().find(|status| counts(status)) else { continue };
        if !told.contains(&breaker.name.as_str()) {
            told.push(&breaker.name);
            let message = format!("`{}` counts {status}, which is a caller's mistake", breaker.name);
            let problem =
                Diagnostic::new(code::CALLERS_TRIP, message).at(format!("breakers.{}.statusCodes", breaker.name));
            out.push(problem.help("count what the member does wrong: `statusCodes: [408, 429, 499, 500, 502-504]`"));
        }
    }
}

/// Trap 23: nobody is asked whether a member answers again before its time is over.
fn long_absences(topology: &Topology, out: &mut Vec<Diagnostic>) {
    const LONG: Duration = Duration::from_secs(3600);
    let mut told: Vec<&str> = Vec::new();
    for breaker in topology.backends.values().filter_map(|backend| backend.breaker.as_ref()) {
        if breaker.trip_duration > LONG && !told.contains(&breaker.name.as_str()) {
            told.push(&breaker.name);
            let message = format!("what trips `{}` gets no call for {}", breaker.name, breaker.trip_duration);
            let problem =
                Diagnostic::new(code::LONG_ABSENCE, message).at(format!("breakers.{}.tripDuration", breaker.name));
            out.push(
                problem.help("use 1m: a member that still fails trips again, and its callers are served elsewhere"),
            );
        }
    }
    for (key, intent) in topology.apis.iter().filter_map(|(key, api)| Some((key, api.policy.intent()?))) {
        let longest = intent.on_exhausted.max_retry_after;
        if longest > LONG {
            let message = format!("callers of `{key}` may be sent away for {longest}");
            let problem =
                Diagnostic::new(code::LONG_ABSENCE, message).at(format!("apis.{key}.onExhausted.maxRetryAfter"));
            out.push(problem.help("use 60s: OpenAI's SDKs do not wait for longer"));
        }
    }
}

/// Trap 26: what one account made, another does not know.
fn stateful_apis(topology: &Topology, out: &mut Vec<Diagnostic>) {
    for (key, api) in &topology.apis {
        let Some(intent) = api.policy.intent() else { continue };
        let offers = match &api.definition {
            Definition::Operations => api.operations == defaults::every_operation(),
            Definition::Imported(import) => import.document.as_ref().is_some_and(names_stateful_paths),
        };
        if offers && intent.stateful.is_none() {
            let message = format!("`{key}` offers files, assistants and responses by id, and refuses them all");
            let problem = Diagnostic::new(code::STATEFUL_APIS, message).at(format!("apis.{key}.definition"));
            out.push(
                problem.help("pin them to one account: `stateful: { pin: ACCOUNT }`, or use `definition: operations`"),
            );
        }
    }
}

/// Whether an OpenAPI document has paths of things that one account keeps. Azure OpenAI's own stable ones have none.
fn names_stateful_paths(document: &Document) -> bool {
    const KEPT: [&str; 7] =
        ["/assistants", "/batches", "/files", "/responses", "/threads", "/vector_stores", "/fine_tuning"];
    match document {
        Document::Link { version, .. } => version.ends_with("-preview"),
        Document::Text { text, .. } => {
            let document: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
            let mut paths = document["paths"].as_object().into_iter().flat_map(|paths| paths.keys());
            paths.any(|path| KEPT.iter().any(|kept| path.starts_with(kept) || path.starts_with(&format!("/v1{kept}"))))
        }
    }
}

fn open_apis(topology: &Topology, out: &mut Vec<Diagnostic>) {
    for (key, api) in topology.apis.iter().filter(|(_, api)| api.keys.is_none()) {
        if api.policy.intent().is_some_and(|intent| intent.entra.is_none()) {
            let message = format!("anybody who knows the address may call `{key}`, and you pay");
            let problem = Diagnostic::new(code::OPEN_API, message).at(format!("apis.{key}.callers.keys"));
            out.push(
                problem.help("ask for keys, or for an Entra token: `callers: { keys: false, entra: { tenant: ID } }`"),
            );
        }
    }
}

/// Trap 18: documents that API Management does not import.
fn definitions(topology: &Topology, out: &mut Vec<Diagnostic>) {
    for (key, api) in &topology.apis {
        let Definition::Imported(import) = &api.definition else { continue };
        let Some(Document::Link { version, .. }) = &import.document else { continue };
        if version == "2025-04-01-preview" {
            let message = format!("API Management refuses the document of {version}");
            let problem = Diagnostic::new(code::BAD_DOCUMENT, message).at(format!("apis.{key}.definition.azureOpenAI"));
            out.push(problem.help("use 2024-10-21, or a corrected copy as `file`"));
        }
    }
}

/// Trap 36: no list of reasons is published.
fn error_reasons(topology: &Topology, out: &mut Vec<Diagnostic>) {
    let mut told: Vec<&str> = Vec::new();
    let breakers = topology.backends.values().filter_map(|backend| backend.breaker.as_ref());
    for Breaker { name, error_reasons, .. } in breakers {
        if told.contains(&name.as_str()) {
            continue;
        }
        told.push(name);
        for (index, reason) in
            error_reasons.iter().enumerate().filter(|(_, reason)| !REASONS.contains(&reason.as_str()))
        {
            let message = format!("nobody knows whether API Management has the error reason {}", shown(reason));
            let at = item(&format!("breakers.{name}.errorReasons"), index);
            let problem = Diagnostic::new(code::ERROR_REASON, message).at(at);
            out.push(problem.help("count statuses: `statusCodes: [408, 429, 499, 500, 502-504]`"));
        }
    }
}

/// An image's request names its model in the body too, which nobody changes.
fn image_names(topology: &Topology, key: &str, pool: &Pool, out: &mut Vec<Diagnostic>) {
    let called = pool.members.iter().filter_map(|member| {
        let backend = topology.backends.get(&member.backend)?;
        let Target::Deployment { deployment, .. } = &backend.target else { return None };
        let model = &topology.deployment_of(backend)?.model.name;
        let image = model.contains("image") || model.starts_with("dall-e");
        image.then_some(deployment)
    });
    let mut called: Vec<&Key> = called.collect();
    called.dedup();
    if let [first, second, ..] = called.as_slice() {
        let message = format!("`{key}` makes images, and its deployments are called `{first}` and `{second}`");
        let problem = Diagnostic::new(code::IMAGE_NAMES, message).at(format!("pools.{key}.members"));
        out.push(problem.help("give them one name: SDKs put it into the body of an image request as well"));
    }
}

fn unused_pools(topology: &Topology, out: &mut Vec<Diagnostic>) {
    let routed: Vec<&str> = topology
        .apis
        .values()
        .filter_map(|api| api.policy.intent())
        .flat_map(|intent| std::iter::once(&intent.routes).chain(&intent.v1))
        .flat_map(Routes::pools)
        .collect();
    if out.iter().any(|problem| problem.severity == Severity::Error) {
        // a pool is often unused because a name or a route is wrong
        return;
    }
    for (key, pool) in &topology.pools {
        let twin = topology.pools.get(&defaults::v1_twin(key)).is_some_and(|twin| routed.contains(&twin.name.as_str()));
        if !routed.contains(&pool.name.as_str()) && !twin {
            let problem = Diagnostic::new(code::UNUSED_POOL, format!("no API routes to `{key}`"));
            out.push(problem.at(format!("pools.{key}")).help("add a route to it, or take it out"));
        }
    }
}

/// A policy that picks keeps count of its members itself.
fn breakers_under_policy(topology: &Topology, out: &mut Vec<Diagnostic>) {
    for (key, backend) in topology.backends.iter().filter(|(_, backend)| backend.breaker.is_some()) {
        let mut pools =
            topology.pools.values().filter(|pool| pool.members.iter().any(|member| member.backend == *key)).peekable();
        let written = matches!(backend.target, Target::Deployment { .. } | Target::Url(_));
        if written && pools.peek().is_some() && pools.all(|pool| pool.balancing == Balancing::Policy) {
            let message = format!("only policies pick `{key}`, and its breaker answers them 503 behind their back");
            let problem =
                Diagnostic::new(code::BREAKER_UNDER_POLICY, message).at(join(&join("backends", key), "breaker"));
            out.push(problem.help("take `breaker` out: `smart` and `round-robin` keep count themselves"));
        }
    }
}

/// Trap 16: more than is needed.
fn roles(built: &Built, out: &mut Vec<Diagnostic>) {
    for (key, role) in &built.management.needed {
        let wider = match role {
            Role::OpenAIContributor => "fine-tune, deploy and delete",
            // the least, where a format asks for it
            Role::CognitiveServicesUser
                if built.topology.accounts.get(key).is_some_and(|account| {
                    account
                        .deployments
                        .values()
                        .all(|deployment| deployment.model.format == crate::topology::OPENAI_FORMAT)
                }) =>
            {
                "list the account's keys"
            }
            _ => continue,
        };
        let message = format!("with {} the gateway may also {wider}", role.title());
        let problem = Diagnostic::new(code::ROLE_TOO_WIDE, message).at(format!("accounts.{key}.role"));
        out.push(problem.help(format!("leave `role` out: {} is enough", Role::OpenAIUser.title())));
    }
}

/// Trap 27: a gateway that logs a body reads it whole first.
fn bodies(topology: &Topology, out: &mut Vec<Diagnostic>) {
    if topology.observability.as_ref().is_some_and(|found| found.bodies > 0) {
        let problem = Diagnostic::new(code::BODIES, "bodies are logged, so streams reach callers all at once");
        out.push(problem.at("observability.bodies").help("use 0; `llmLogs` has the token counts of every call"));
    }
}
