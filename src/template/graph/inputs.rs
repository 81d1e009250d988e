//! Parameters and variables of a graph, and the names that are made of them.

use super::super::{Body, Parameter, Value, Variable};
use crate::topology::*;
use std::collections::BTreeSet;

/// Literal, or with the hash of the resource group and the stack.
pub(super) fn name(name: &Name) -> Value {
    match name {
        Name::Literal(name) => name.as_str().into(),
        Name::Unique(prefix) => Value::concat([prefix.as_str().into(), Value::var("unique")]),
    }
}

/// The hash: `uniqueString(toLower(resourceGroup().id), name, environment)`.
fn unique(stack: &Stack) -> Value {
    let group = Value::Call("resourceGroup", vec![]).member("id");
    Value::Call(
        "uniqueString",
        vec![Value::Call("toLower", vec![group]), stack.name.as_str().into(), stack.environment.as_str().into()],
    )
}

/// What a description ends in: whose it is.
pub(super) fn marker() -> Value {
    Value::concat([defaults::MARKER.into(), Value::var("stack")])
}

/// The variable that holds a role's id.
pub(super) fn role_variable(role: Role) -> &'static str {
    match role {
        Role::OpenAIUser => "openAIUser",
        Role::CognitiveServicesUser => "cognitiveServicesUser",
        Role::OpenAIContributor => "openAIContributor",
    }
}

/// The name of a nested deployment.
pub(super) fn nested(stack: &Stack, kind: &str, key: &str) -> Value {
    let (before, after) = defaults::nested_affixes(stack, kind, key);
    Value::concat([before.as_str().into(), Value::var("unique"), after.as_str().into()])
}

/// Our own members, and those of the spec that are none of them.
pub(super) fn merged(own: Body, written: &Properties) -> Value {
    let mut all = own;
    for (name, value) in written {
        if !all.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)) {
            all.push((name.clone(), value.into()));
        }
    }
    Value::Object(all)
}

/// A key as part of a file's name; each differs from the others by more than case, as some systems want it.
pub(super) fn file_stem(key: &str, taken: &mut BTreeSet<String>) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let stem: String = key.chars().take(80).map(safe).collect();
    let mut unique = stem.clone();
    let mut number = 2;
    while !taken.insert(unique.to_ascii_lowercase()) {
        unique = format!("{stem}-{number}");
        number += 1;
    }
    unique
}

/// A parameter that has to be given.
pub(super) fn parameter(name: &str, kind: &'static str, description: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        kind,
        description: description.to_owned(),
        default: None,
        allowed: Vec::new(),
        min_length: None,
        max_length: None,
        min_value: None,
    }
}

/// What whoever deploys may say otherwise.
pub(super) fn parameters(topology: &Topology) -> Vec<Parameter> {
    let parameter = |name: &str, kind, description, default| Parameter {
        default: Some(default),
        ..parameter(name, kind, description)
    };
    let region = match &topology.gateway {
        Some(gateway) if gateway.standing == Standing::Managed => "Region of the API Management service.",
        _ => "Region of what is made beside the accounts.",
    };
    let location = topology.gateway.as_ref().map_or(&topology.scope.location, |gateway| &gateway.location);
    let mut parameters = vec![parameter("location", "string", region, location.as_str().into())];
    if let Some(gateway) = &topology.gateway {
        let default = match &gateway.name {
            Name::Literal(name) => name.as_str().into(),
            Name::Unique(prefix) => Value::concat([prefix.as_str().into(), unique(&topology.stack)]),
        };
        let name = match gateway.standing {
            Standing::Managed => "Name of the API Management service.",
            Standing::Existing => "Name of the API Management service that is there.",
        };
        let tiers = tiers(gateway.sku).iter().map(|sku| sku.as_str().into()).collect();
        parameters.extend([
            Parameter {
                min_length: Some(1),
                max_length: Some(50),
                ..parameter("gatewayName", "string", name, default)
            },
            Parameter {
                allowed: tiers,
                ..parameter("gatewaySku", "string", "Tier of the API Management service.", gateway.sku.as_str().into())
            },
            Parameter {
                min_value: Some(u32::from(gateway.sku != GatewaySku::Consumption)),
                ..parameter(
                    "gatewayCapacity",
                    "int",
                    "Scale units of the API Management service.",
                    gateway.capacity.into(),
                )
            },
            parameter(
                "publisherName",
                "string",
                "Shown to developers as the publisher.",
                gateway.publisher.name.as_str().into(),
            ),
            parameter(
                "publisherEmail",
                "string",
                "Receives the notifications of the service.",
                gateway.publisher.email.as_str().into(),
            ),
        ]);
    }
    parameters.extend(super::observe::parameters(topology));
    let managed = topology.accounts.iter().filter(|(_, account)| account.standing == Standing::Managed);
    let locations = managed.map(|(key, account)| (key.clone(), account.location.as_str().into()));
    let tags = topology.tags.iter().map(|(key, tag)| (key.clone(), tag.as_str().into()));
    parameters.extend([
        parameter("accountLocations", "object", "Regions of the accounts by key.", Value::Object(locations.collect())),
        parameter("tags", "object", "Tags of every resource that can have them.", Value::Object(tags.collect())),
    ]);
    parameters
}

/// The tiers that a service of this tier can move to without being made anew.
fn tiers(sku: GatewaySku) -> &'static [GatewaySku] {
    use GatewaySku::*;
    match sku {
        Consumption => &[Consumption],
        Developer | Basic | Standard | Premium => &[Developer, Basic, Standard, Premium],
        BasicV2 | StandardV2 | PremiumV2 => &[BasicV2, StandardV2, PremiumV2],
    }
}

/// Those that later values use; a variable stands behind those that it uses.
pub(super) fn variables(topology: &Topology) -> Vec<Variable> {
    let variable = |name: &str, value| Variable { name: name.to_owned(), value };
    let stack = format!("{}/", topology.stack.name);
    let tag = Value::object([(defaults::STACK_TAG, Value::var("stack"))]);
    let roles = Role::ALL.into_iter().map(|role| variable(role_variable(role), role.id().into()));
    let mut variables: Vec<Variable> = roles.collect();
    variables.extend([
        variable("unique", unique(&topology.stack)),
        variable("stack", Value::concat([stack.as_str().into(), Value::var("unique")])),
        variable("stackTags", Value::Call("union", vec![Value::param("tags"), tag])),
    ]);
    variables
}
