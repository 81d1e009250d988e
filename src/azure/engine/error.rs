//! What is wrong with a template, as Azure says it.

use crate::expr::{EvalError, Fault};
use serde_json::{Value, json};

/// A template that cannot be deployed, or a piece of one that cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// `InvalidTemplate`, `DeploymentOutputEvaluationFailed`, `ResourceNotFound` and so on.
    pub code: &'static str,
    /// The whole text.
    pub message: String,
    /// Where in the template, as `parameters.location`: then there is a `TemplateViolation` with it.
    pub path: Option<String>,
    /// One for each output that failed.
    pub details: Vec<TemplateError>,
}

/// Where something stands. A template arrives as a value, so its lines are lost.
pub(super) const AT: &str = "at line '1' and column '0'";

impl TemplateError {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> TemplateError {
        TemplateError { code, message: message.into(), path: None, details: Vec::new() }
    }

    /// A fault that is found before anything is deployed.
    pub(super) fn invalid(text: impl AsRef<str>, path: impl Into<String>) -> TemplateError {
        let message = format!("Deployment template validation failed: '{}'.", text.as_ref());
        TemplateError { path: Some(path.into()), ..TemplateError::new("InvalidTemplate", message) }
    }

    /// Something that Azure takes and this engine does not.
    pub(super) fn unsupported(what: impl AsRef<str>, path: impl Into<String>) -> TemplateError {
        TemplateError::invalid(format!("The local Azure does not support {}.", what.as_ref()), path)
    }

    /// An expression in `subject` (such as `variable 'v'`) that has no value.
    pub(super) fn expression(subject: &str, error: &EvalError, path: impl Into<String>) -> TemplateError {
        TemplateError::invalid(not_valid(subject, error), path)
    }

    /// An expression of a resource that has no value while the deployment runs.
    pub(super) fn running(id: &str, error: &EvalError) -> TemplateError {
        if error.fault == Fault::ResourceNotFound {
            return TemplateError::new("ResourceNotFound", &*error.message);
        }
        let message =
            format!("Unable to process template language expressions for resource '{id}' {AT}. '{}'", error.message);
        TemplateError::new("InvalidTemplate", message)
    }

    /// The error object of a body: `code`, `message`, and where there are some `additionalInfo` and `details`.
    pub fn to_value(&self) -> Value {
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(path) = &self.path {
            let info = json!({"lineNumber": 1, "linePosition": 0, "path": path});
            error["additionalInfo"] = json!([{"type": "TemplateViolation", "info": info}]);
        }
        if !self.details.is_empty() {
            error["details"] = self.details.iter().map(TemplateError::to_value).collect();
        }
        error
    }
}

/// The sentence about an expression that has no value.
pub(super) fn not_valid(subject: &str, error: &EvalError) -> String {
    // the text's own full stop stays, as in Azure
    format!(
        "The template {subject} is not valid: {}. Please see https://aka.ms/arm-template-expressions for usage details.",
        error.message
    )
}
