//! Parameters and variables of a graph, and the names that are made of them.

use super::super::{Parameter, Value, Variable};
use crate::topology::*;

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

/// What whoever deploys may say otherwise.
pub(super) fn parameters(topology: &Topology) -> Vec<Parameter> {
    let parameter = |name: &str, kind, description, default| Parameter {
        name: name.to_owned(),
        kind,
        description,
        default: Some(default),
        allowed: Vec::new(),
        min_length: None,
        max_length: None,
        min_value: None,
    };
    let mut parameters = Vec::new();
    if let Some(gateway) = &topology.gateway {
        let default = match &gateway.name {
            Name::Literal(name) => name.as_str().into(),
            Name::Unique(prefix) => Value::concat([prefix.as_str().into(), unique(&topology.stack)]),
        };
        let tiers = tiers(gateway.sku).iter().map(|sku| sku.as_str().into()).collect();
        parameters.extend([
            parameter("location", "string", "Region of the API Management service.", gateway.location.as_str().into()),
            Parameter {
                min_length: Some(1),
                max_length: Some(50),
                ..parameter("gatewayName", "string", "Name of the API Management service.", default)
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
    let locations = topology.accounts.iter().map(|(key, account)| (key.clone(), account.location.as_str().into()));
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
