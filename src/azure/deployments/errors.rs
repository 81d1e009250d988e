//! Trees of errors, as they are nested by api-version.
//!
//! Recorded to 2021 (by api-version), a detail is the status word of the operation with the whole status message as a
//! text of JSON; since, a detail is the error itself, and `DeploymentFailed` has a target.

use super::{DEPLOYMENT, Deployment, StepState};
use crate::catalogue::not_older;
use serde_json::{Value, json};

/// The first api-version whose errors are nested as objects.
const NESTED: &str = "2021-04-01";

/// The page that an error sends its reader to.
fn page(version: &str) -> &'static str {
    match version {
        _ if not_older(version, NESTED) => "https://aka.ms/arm-deployment-operations",
        _ if not_older(version, "2018-05-01") => "https://aka.ms/DeployOperations",
        _ => "https://aka.ms/arm-debug",
    }
}

/// What the list of operations says of outputs that were not evaluated.
pub(super) fn outputs_skipped(version: &str) -> String {
    format!(
        "Template output evaluation skipped: at least one resource deployment operation failed. Please list deployment operations for details. Please see {} for usage details.",
        page(version)
    )
}

/// The tree of errors of a deployment: its own, and below it those of its steps.
pub(super) fn failure(deployment: &Deployment) -> Value {
    let version = &deployment.version;
    let message = format!(
        "At least one resource deployment operation failed. Please list deployment operations for details. Please see {} for usage details.",
        page(version)
    );
    let failed = deployment.steps.iter().filter_map(|step| match &step.state {
        StepState::Failed { status, error, .. } => Some((step, *status, error)),
        _ => None,
    });
    if !not_older(version, NESTED) {
        let details: Vec<Value> = failed
            .map(|(_, status, message)| {
                let text = serde_json::to_string_pretty(message).unwrap_or_default().replace('\n', "\r\n");
                json!({"code": status_word(status), "message": text})
            })
            .collect();
        return json!({"code": "DeploymentFailed", "message": message, "details": details});
    }
    let details: Vec<Value> = failed
        .map(|(step, _, message)| {
            let mut error = message.get("error").cloned().unwrap_or(Value::Null);
            if let Value::Object(map) = &mut error
                && step.kind != DEPLOYMENT
            {
                map.entry("target").or_insert_with(|| step.id.clone().into());
            }
            error
        })
        .collect();
    json!({"code": "DeploymentFailed", "target": deployment.id, "message": message, "details": details})
}

/// What the parent of a deployment that did not succeed says of it; the version is the parent's.
pub(super) fn unfinished(version: &str, child: &str, state: &str, error: Option<Value>) -> Value {
    let details: Vec<Value> = error.into_iter().collect();
    let error = match not_older(version, NESTED) {
        true => json!({
            "code": "ResourceDeploymentFailure",
            "target": child,
            "message": format!("The resource write operation failed to complete successfully, because it reached terminal provisioning state '{state}'."),
            "details": details,
        }),
        false => json!({
            "code": "ResourceDeploymentFailure",
            "message": format!("The resource operation completed with terminal provisioning state '{state}'."),
            "details": details,
        }),
    };
    json!({"status": state, "error": error})
}

/// The word of an HTTP status in lists of operations.
pub(super) fn status_word(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "NoContent",
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        412 => "PreconditionFailed",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalServerError",
    }
}
