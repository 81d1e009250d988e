//! The outermost of a template: which members it has, its schema and language version, how much it holds.

use super::error::TemplateError;
use super::{Scope, members};
use serde_json::{Value, json};

/// The language of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// The classic form: resources are a list, and are called by id or name.
    One,
    /// The symbolic form: resources have symbols, and there are types.
    Two,
}

const MEMBERS: [&str; 11] = [
    "$schema",
    "languageVersion",
    "contentVersion",
    "apiProfile",
    "metadata",
    "definitions",
    "functions",
    "parameters",
    "variables",
    "resources",
    "outputs",
];

/// What experimental versions of the language have.
const EXPERIMENTS: [&str; 4] = ["asserts", "extensions", "externalInputs", "imports"];

/// Checks the members of a template, its schema, and how much it holds; gives its language version.
pub(super) fn shape(template: &Value, scope: &Scope) -> Result<Version, TemplateError> {
    let Some(all) = template.as_object() else {
        return Err(TemplateError::invalid("The template is not an object", ""));
    };
    let is_one_of = |key: &str, known: &[&str]| known.iter().any(|member| member.eq_ignore_ascii_case(key));
    if let Some(key) = all.keys().find(|key| !is_one_of(key, &MEMBERS)) {
        if is_one_of(key, &EXPERIMENTS) {
            return Err(TemplateError::unsupported(format!("the template section '{key}'"), key));
        }
        let text =
            format!("Could not find member '{key}' on object of type 'Template'. Path '{key}', line 1, position 0.");
        return Err(TemplateError::invalid(text, key));
    }
    for required in ["$schema", "contentVersion", "resources"] {
        if !all.contains_key(required) {
            let text = format!("Required property '{required}' not found in JSON. Path '', line 1, position 0.");
            return Err(TemplateError::invalid(text, ""));
        }
    }
    schema(template["$schema"].as_str().unwrap_or_default(), scope)?;
    let version = match template.get("languageVersion").map(|version| version.as_str().unwrap_or_default()) {
        None | Some("1.0") => Version::One,
        Some("1.9-experimental" | "1.10-experimental" | "2.0") => Version::Two,
        Some(other) => {
            return Err(TemplateError::unsupported(
                format!("templates of languageVersion '{other}'"),
                "languageVersion",
            ));
        }
    };
    let has_types = template.get("definitions").is_some_and(|definitions| *definitions != json!({}));
    if version == Version::One && has_types {
        let what = "the template section 'definitions', which needs language version 2.0";
        return Err(TemplateError::unsupported(what, "definitions"));
    }
    for (section, limit) in [("parameters", 256), ("variables", 512), ("outputs", 64)] {
        let actual = members(template, section)?.len();
        if actual > limit {
            return Err(too_many(section, limit, actual));
        }
    }
    Ok(version)
}

pub(super) fn too_many(section: &str, limit: usize, actual: usize) -> TemplateError {
    let text = format!(
        "The number of template {section} limit exceeded. Limit: '{limit}' and actual: '{actual}'. Please see \
         https://aka.ms/arm-template/#{section} for usage details."
    );
    TemplateError::invalid(text, section)
}

fn schema(address: &str, scope: &Scope) -> Result<(), TemplateError> {
    const VERSIONS: [&str; 5] = ["2014-04-01-preview", "2015-01-01", "2018-05-01", "2019-04-01", "2019-08-01"];
    const KINDS: [&str; 2] = ["deploymentTemplate.json", "subscriptionDeploymentTemplate.json"];
    const OF_MANAGEMENT_GROUPS: &str = "managementGroupDeploymentTemplate.json";
    let path = address.trim_end_matches('#').split_once("://schema.management.azure.com/schemas/");
    let known = path.and_then(|(_, path)| path.split_once('/')).is_some_and(|(version, kind)| {
        VERSIONS.contains(&version)
            && (KINDS.iter().any(|known| known.eq_ignore_ascii_case(kind))
                || scope.management_group.is_some() && OF_MANAGEMENT_GROUPS.eq_ignore_ascii_case(kind))
    });
    if known {
        return Ok(());
    }
    for other in ["tenantDeploymentTemplate.json", OF_MANAGEMENT_GROUPS] {
        if path.is_some_and(|(_, path)| path.ends_with(other)) {
            return Err(TemplateError::unsupported("deployments to tenants and management groups", "$schema"));
        }
    }
    let text = format!(
        "Template schema '{address}' is not supported. Supported versions are '{}'. Please see \
         https://aka.ms/arm-template for usage details.",
        VERSIONS.join(",")
    );
    Err(TemplateError::invalid(text, "$schema"))
}
