//! The control endpoint below `/admin`, for whoever has the token: faults, a reset, a jump of the clock, and what the page
//! shows.
//!
//! | request | what |
//! |---|---|
//! | `GET /admin/faults` | the faults that are set, and how often each was met |
//! | `PUT /admin/faults` | sets a scenario in place of them |
//! | `POST /admin/faults` | sets a scenario after them |
//! | `DELETE /admin/faults` | takes all away |
//! | `POST /admin/reset` | takes away everything that was made; faults stay and begin anew |
//! | `POST /admin/time` | `{"forward": "2h"}` lets the local Azure's clock jump |
//! | `GET /admin/state` | what exists, runs and is soft-deleted, and the last requests |

use super::{error, scenario};
use crate::azure::World;
use crate::diagnostic::Diagnostic;
use crate::io::local::Local;
use crate::spec;
use crate::time::Duration;
use crate::wire::{Method, Response, Transport};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Jump {
    /// How far the clock jumps, at most ten years.
    #[schemars(extend("pattern" = Duration::PATTERN))]
    forward: String,
}

/// Beyond this, instants would no longer have a date.
const FURTHEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Answers a request below `/admin`; `rest` is what follows it.
pub(super) async fn answer(
    local: &Local,
    method: Method,
    rest: &str,
    body: &[u8],
    last: Vec<Value>,
) -> Result<Response, Transport> {
    Ok(match (method, rest) {
        (Method::Get, "state") => {
            let view = local.look(|world, now| serde_json::to_value(world.view(now))).await?;
            let mut view = view.unwrap_or_default();
            view["requests"] = last.into();
            Response::json(200, &view).header("Cache-Control", "no-store")
        }
        (Method::Get, "faults") => Response::json(200, &local.look(|world, _| told(world)).await?),
        (Method::Put | Method::Post, "faults") => match text(body)
            .and_then(|text| scenario::read(text).map_err(|problems| refused("InvalidScenario", text, &problems)))
        {
            Err(refusal) => refusal,
            Ok(faults) => {
                let set = |world: &mut World, now| {
                    match method {
                        Method::Put => world.set_faults(now, faults),
                        _ => world.add_faults(now, faults),
                    }
                    told(world)
                };
                Response::json(200, &local.change(set).await?)
            }
        },
        (Method::Delete, "faults") => {
            local.change(|world, now| world.set_faults(now, Vec::new())).await?;
            Response::empty(204)
        }
        (Method::Post, "reset") => {
            local.change(World::reset).await?;
            Response::empty(204)
        }
        (Method::Post, "time") => match text(body).and_then(jump) {
            Err(refusal) => refusal,
            Ok(by) => {
                let jumped = local.change(|world, now| {
                    world.forward(now, by);
                    world.view(now).now
                });
                Response::json(200, &json!({ "now": jumped.await? }))
            }
        },
        (_, "state" | "faults" | "reset" | "time") => {
            error(405, "MethodNotAllowed", &format!("'/admin/{rest}' has no {}.", method.as_str()))
        }
        _ => error(404, "NotFound", &format!("There is no '/admin/{rest}'; there are state, faults, reset and time.")),
    })
}

/// The faults that are set and what became of them.
fn told(world: &World) -> Value {
    let faults: Vec<Value> =
        world.faults().iter().map(|armed| serde_json::to_value(&armed.fault).unwrap_or_default()).collect();
    let counts: Vec<Value> =
        world.faults().iter().map(|armed| json!({"seen": armed.seen, "done": armed.done})).collect();
    json!({ "faults": faults, "counts": counts })
}

fn text(body: &[u8]) -> Result<&str, Response> {
    std::str::from_utf8(body).map_err(|_| error(400, "InvalidRequestContent", "The request content is not UTF-8."))
}

fn jump(text: &str) -> Result<Duration, Response> {
    let wrong = |problems: &[Diagnostic]| refused("InvalidRequestContent", text, problems);
    let (jump, _) = spec::document::<Jump>(text, "request").map_err(|problems| wrong(&problems))?;
    match Duration::parse(&jump.forward) {
        Some(by) if by <= FURTHEST => Ok(by),
        _ => Err(error(400, "InvalidRequestContent", "The clock jumps ten years at most.")),
    }
}

/// Everything that is wrong with a body, in the shape in which Azure tells several things.
fn refused(code: &str, text: &str, problems: &[Diagnostic]) -> Response {
    let details: Vec<Value> = problems
        .iter()
        .map(|problem| {
            let place = problem.span.map(|span| spec::position(text, span.start));
            let place = place.map(|(line, column)| format!("line {line}, column {column}: ")).unwrap_or_default();
            let help = problem.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
            json!({
                "code": problem.code.as_str(),
                "target": problem.key,
                "message": format!("{place}{}{help}", problem.message),
            })
        })
        .collect();
    let message = "The request content is not what is read here; see the details.";
    Response::json(400, &json!({"error": {"code": code, "message": message, "details": details}}))
}
