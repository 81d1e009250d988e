//! The accounts behind a gateway: who may call them, which deployment answers, what is left of its quota, and an answer
//! whose text is made up.
//!
//! Sources: the roles that let somebody call models, and that a role works only after minutes (learn.microsoft.com, "Azure
//! RBAC troubleshooting": up to 10 minutes); the words of the refusals are those of Azure OpenAI as callers quote them.

use super::{Scaled, get, list, text};
use crate::azure::World;
use crate::backend::{self, Backend, Figures, Noise, Work};
use crate::catalogue;
use crate::exchange::http::Forward;
use crate::quota::PTU_DEPTH;
use crate::rng::Draws;
use crate::time::{Duration, Time};
use crate::topology::intent::Intent;
use crate::topology::{Deployment, DeploymentSku, Model, VersionUpgrade};
use crate::wire::{Headers, Method, Request, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How long a role takes until it works, divided by the scale: between the minute that it often is and the ten that are
/// documented.
const ROLE_PROPAGATION: Duration = Duration::from_secs(5 * 60);

/// How many tokens an answer has where nobody limits it.
const ANSWER: u32 = 16;

/// Whom a token names, and what it is good for.
#[derive(Debug)]
pub(super) struct Identity {
    principal: String,
    audience: String,
}

impl Identity {
    /// The identity that a policy signs in with, if the service has it.
    pub fn of(intent: &Intent, identity: &Value, named_values: &[Value]) -> Option<Identity> {
        let principal = match &intent.client_id {
            None => text(identity, "/principalId"),
            Some(name) => {
                let named = |value: &&Value| {
                    let display = text(value, "/properties/displayName");
                    display.eq_ignore_ascii_case(name) || text(value, "/name").eq_ignore_ascii_case(name)
                };
                let client = named_values.iter().find(named).map(|value| text(value, "/properties/value"))?;
                let users = identity.get("userAssignedIdentities")?.as_object()?;
                let user = users.values().find(|user| text(user, "/clientId").eq_ignore_ascii_case(client))?;
                text(user, "/principalId")
            }
        };
        let audience = intent.audience.clone();
        (!principal.is_empty()).then(|| Identity { principal: principal.to_owned(), audience })
    }
}

/// The quotas of deployments, by their ids.
#[derive(Debug, Default)]
pub(super) struct Models {
    quotas: BTreeMap<String, (Figures, Backend)>,
    noise: Noise,
}

impl Models {
    /// What a backend answers, and when; `None` where nobody does: no account has that host.
    pub fn answer(
        &mut self,
        world: &mut World,
        now: Time,
        (forward, identity): (&Forward, &Identity),
        request: &Request,
        (draws, attempt): (Draws, u32),
        scaled: Scaled,
    ) -> Option<(Response, Time)> {
        let (host, target) = super::split(&forward.url);
        let account = super::everywhere(world, now, "Microsoft.CognitiveServices/accounts", "2024-10-01");
        let account = account.into_iter().find(|account| {
            let endpoint = text(account, "/properties/endpoint");
            super::split(endpoint).0.eq_ignore_ascii_case(host)
        })?;
        let called = Called::read(request.method, target, &request.body);
        if let Some(refusal) = refused(world, now, &account, identity, &called) {
            return Some((marked(refusal, &account), now));
        }
        let id = text(&account, "/id").to_owned();
        let deployment = get(world, now, &deployment(&id, &called.deployment));
        let Some(deployment) = deployment.filter(|_| !called.deployment.is_empty()) else {
            let message = "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.";
            return Some((marked(error(404, "DeploymentNotFound", message), &account), now));
        };
        if let Some(refusal) = unfit(&deployment, &called) {
            return Some((marked(refusal, &account), now));
        }
        let (figures, _) = backend::figures::of(&described(&deployment)?)?;
        let key = text(&deployment, "/id").to_lowercase();
        let (known, quota) = self.quotas.entry(key).or_insert_with(|| (figures, Backend::new(figures, PTU_DEPTH)));
        if *known != figures {
            (*known, *quota) = (figures, Backend::new(figures, PTU_DEPTH));
        }
        let reply = quota.offer(now, draws, attempt, &self.noise, called.work);
        let (mut response, at) = match reply {
            backend::Reply::Refused { at, .. } => {
                (backend::refusal(&reply, called.operation.name(), &called.version)?, at)
            }
            backend::Reply::Served { first, last } => {
                // the gateway would not wait for so late a beginning
                if first.since(now) > scaled.timeout {
                    return None;
                }
                (served(&called, &deployment), now + last.since(now).scaled_down(scaled.scale))
            }
        };
        if let Some(remaining) = quota.remaining(now) {
            backend::rate_limits(&remaining, &mut response.headers);
        }
        quota.complete(at, called.work);
        Some((marked(response, &account), at))
    }
}

/// A call as an account reads it.
struct Called {
    method: Method,
    /// The deployment that path or body names; empty for none.
    deployment: String,
    operation: Operation,
    /// The api-version of the query; empty where there is none.
    version: String,
    surface: Surface,
    work: Work,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Surface {
    Deployments,
    V1,
}

/// What is asked of a model.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    ChatCompletions,
    Completions,
    Embeddings,
    Responses,
    Other,
}

impl Operation {
    fn of(path: &str) -> Operation {
        match path.trim_end_matches('/').to_ascii_lowercase().as_str() {
            path if path.ends_with("/chat/completions") => Operation::ChatCompletions,
            path if path.ends_with("/completions") => Operation::Completions,
            path if path.ends_with("/embeddings") => Operation::Embeddings,
            path if path.ends_with("/responses") => Operation::Responses,
            _ => Operation::Other,
        }
    }

    /// As Azure names it in a refusal.
    fn name(self) -> &'static str {
        match self {
            Operation::ChatCompletions => "ChatCompletions_Create",
            Operation::Completions => "Completions_Create",
            Operation::Embeddings => "Embeddings_Create",
            Operation::Responses => "Responses_Create",
            Operation::Other => "Unknown",
        }
    }

    /// What a role must allow, and the path that Azure names.
    fn action(self) -> (&'static str, &'static str) {
        match self {
            Operation::ChatCompletions => {
                ("deployments/chat/completions/action", "deployments/{deployment-id}/chat/completions")
            }
            Operation::Completions => ("deployments/completions/action", "deployments/{deployment-id}/completions"),
            Operation::Embeddings => ("deployments/embeddings/action", "deployments/{deployment-id}/embeddings"),
            Operation::Responses | Operation::Other => ("responses/write", "responses"),
        }
    }
}

impl Called {
    fn read(method: Method, target: &str, body: &[u8]) -> Called {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let parameter = |name: &str| {
            let named = query.split('&').filter_map(|field| field.split_once('='));
            named.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        let number = |name: &str| body.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        let limit = ["max_completion_tokens", "max_output_tokens", "max_tokens"].into_iter().find_map(number);
        let output = limit.map_or(ANSWER, |limit| limit.min(ANSWER)).max(1);
        // four characters a token, as the documentation of Azure OpenAI has it
        let asked = ["messages", "input", "prompt"].iter().filter_map(|name| body.get(*name));
        let prompt = asked.map(|value| value.to_string().len()).sum::<usize>() / 4;
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (deployment, surface) = match segments.as_slice() {
            [openai, deployments, name, ..]
                if openai.eq_ignore_ascii_case("openai") && deployments.eq_ignore_ascii_case("deployments") =>
            {
                ((*name).to_owned(), Surface::Deployments)
            }
            _ => (text(&body, "/model").to_owned(), Surface::V1),
        };
        Called {
            method,
            deployment,
            operation: Operation::of(path),
            version: parameter("api-version").unwrap_or_default(),
            surface,
            work: Work {
                prompt: u32::try_from(prompt).unwrap_or(u32::MAX).max(1),
                output,
                max_tokens: limit.unwrap_or(ANSWER),
            },
        }
    }
}

/// Why an account lets nobody in.
fn refused(world: &mut World, now: Time, account: &Value, identity: &Identity, called: &Called) -> Option<Response> {
    let audience = identity.audience.trim_end_matches('/');
    if !["https://cognitiveservices.azure.com", "https://ai.azure.com"].contains(&audience) {
        let message = "Access denied due to invalid token. The audience of the token is not this service.";
        return Some(error(401, "401", message));
    }
    let open = !text(account, "/properties/publicNetworkAccess").eq_ignore_ascii_case("Disabled");
    let endpoints = account.pointer("/properties/privateEndpointConnections").and_then(Value::as_array);
    if !open && endpoints.is_none_or(Vec::is_empty) {
        return Some(error(403, "403", "Public access is disabled. Please configure private endpoint."));
    }
    if !may_call(world, now, text(account, "/id"), &identity.principal) {
        let (action, path) = called.operation.action();
        let message = format!(
            "The principal `{}` lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/{action}` to perform `{} /openai/{path}` operation.",
            identity.principal,
            called.method.as_str()
        );
        return Some(error(401, "PermissionDenied", &message));
    }
    // the surface v1 needs no version
    if called.surface == Surface::Deployments && called.version.is_empty() || called.operation == Operation::Other {
        return Some(error(404, "404", "Resource not found"));
    }
    None
}

/// Whether a principal has a role on an account, or above it, that lets it call models, and has had it long enough.
fn may_call(world: &mut World, now: Time, account: &str, principal: &str) -> bool {
    let filter = "%24filter=atScope()";
    let url = format!("{account}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&{filter}");
    let scale = world.scale();
    list(world, now, Request::arm(Method::Get, url)).iter().any(|assignment| {
        let since = Time::from_rfc3339(text(assignment, "/properties/createdOn"));
        text(assignment, "/properties/principalId").eq_ignore_ascii_case(principal)
            && catalogue::role(text(assignment, "/properties/roleDefinitionId")).is_some_and(|role| role.calls_models)
            && since.is_none_or(|since| now.since(since) >= ROLE_PROPAGATION.scaled_down(scale))
    })
}

/// Why a model cannot do what is asked.
fn unfit(deployment: &Value, called: &Called) -> Option<Response> {
    let name = text(deployment, "/properties/model/name");
    let embeds = catalogue::model(name, None).map(|model| model.kind == catalogue::Kind::Embedding)?;
    let (operation, fits) = match called.operation {
        Operation::Embeddings => ("embeddings", embeds),
        Operation::ChatCompletions => ("chatCompletion", !embeds),
        Operation::Completions => ("completion", false),
        Operation::Responses | Operation::Other => return None,
    };
    let message = format!(
        "The {operation} operation does not work with the specified model, {name}. Please choose different model and try again. You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993."
    );
    (!fits).then(|| error(400, "OperationNotSupported", &message))
}

fn deployment(account: &str, name: &str) -> Request {
    Request::arm(Method::Get, format!("{account}/deployments/{name}?api-version=2024-10-01"))
}

/// A deployment as far as its quota goes; `None` for tiers that serve no calls at once.
fn described(deployment: &Value) -> Option<Deployment> {
    let capacity = deployment.pointer("/sku/capacity").and_then(Value::as_u64).unwrap_or(1);
    Some(Deployment {
        model: Model {
            format: text(deployment, "/properties/model/format").to_owned(),
            name: text(deployment, "/properties/model/name").to_owned(),
            version: text(deployment, "/properties/model/version").to_owned(),
        },
        sku: DeploymentSku::parse(text(deployment, "/sku/name"))?,
        capacity: u32::try_from(capacity).unwrap_or(u32::MAX),
        version_upgrade: VersionUpgrade::NoAutoUpgrade,
        rai_policy: None,
        spillover: None,
    })
}

/// An answer whose text nobody wrote.
fn served(called: &Called, deployment: &Value) -> Response {
    let model =
        format!("{}-{}", text(deployment, "/properties/model/name"), text(deployment, "/properties/model/version"));
    let Work { prompt, output, .. } = called.work;
    let usage =
        json!({"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt.saturating_add(output)});
    let words = vec!["local"; usize::try_from(output).unwrap_or(1)].join(" ");
    let body = match called.operation {
        Operation::Embeddings => json!({
            "object": "list", "model": model,
            "data": [{"object": "embedding", "index": 0, "embedding": [0.0, 0.0, 0.0, 1.0]}],
            "usage": {"prompt_tokens": prompt, "total_tokens": prompt},
        }),
        Operation::Responses => json!({
            "id": "resp_local", "object": "response", "status": "completed", "model": model,
            "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": words}]}],
            "usage": {"input_tokens": prompt, "output_tokens": output, "total_tokens": prompt.saturating_add(output)},
        }),
        Operation::ChatCompletions | Operation::Completions | Operation::Other => json!({
            "id": "chatcmpl-local", "object": "chat.completion", "model": model,
            "choices": [{"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": words}}],
            "usage": usage,
        }),
    };
    Response::json(200, &body)
}

/// The headers by which everybody knows whose answer it is.
fn marked(mut response: Response, account: &Value) -> Response {
    let mut headers: Headers = std::mem::take(&mut response.headers);
    headers.set("apim-request-id", "00000000-0000-0000-0000-000000000000");
    headers.set("x-ms-region", text(account, "/location"));
    Response { headers, ..response }
}

fn error(status: u16, code: &str, message: &str) -> Response {
    Response::json(status, &json!({"error": {"code": code, "message": message}}))
}
