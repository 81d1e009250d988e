//! The API Management service, and what its identity may call.

use super::super::value::body;
use super::super::{Module, Parameter, Presence, Resource, Template, Value};
use super::inputs::role_variable;
use super::{ACCOUNT, API_MANAGEMENT, AUTHORIZATION, Build, COGNITIVE_SERVICES, GATEWAY, SERVICE, resource};
use crate::topology::*;

impl Build<'_> {
    pub(super) fn gateway(&mut self) {
        self.add(Resource {
            name: Value::param("gatewayName"),
            body: body([
                ("location", Value::param("location")),
                ("tags", Value::var("stackTags")),
                (
                    "sku",
                    Value::object([
                        ("name", Value::param("gatewaySku")),
                        ("capacity", Value::param("gatewayCapacity")),
                    ]),
                ),
                ("identity", Value::object([("type", "SystemAssigned".into())])),
                (
                    "properties",
                    Value::object([
                        ("publisherName", Value::param("publisherName")),
                        ("publisherEmail", Value::param("publisherEmail")),
                    ]),
                ),
            ]),
            ..resource(Address::Gateway, GATEWAY, SERVICE, API_MANAGEMENT)
        });
    }

    /// A role assignment's name holds the principal, which Bicep allows only through a module (facts/bicep.md 2).
    pub(super) fn roles(&mut self) {
        for (key, role) in &self.topology.grants {
            let Some(account) = self.accounts.get(key.as_str()) else { continue };
            let symbol = self.symbols.take("role", &[key]);
            let (before, after) = defaults::nested_affixes(&self.topology.stack, "role", key);
            self.template.modules.push(Module {
                address: Address::Grant(key.clone()),
                symbol,
                path: "modules/role-assignment.bicep",
                name: Value::concat([before.as_str().into(), Value::var("unique"), after.as_str().into()]),
                params: body([
                    ("accountName", Value::prop(account, &["name"])),
                    ("principalId", Value::prop(GATEWAY, &["identity", "principalId"])),
                    ("roleId", Value::var(role_variable(*role))),
                    ("stack", Value::var("stack")),
                ]),
                template: role_assignment(),
            });
        }
    }
}

/// `modules/role-assignment.bicep`
fn role_assignment() -> Template {
    let parameter = |name: &str, description| Parameter {
        name: name.to_owned(),
        kind: "string",
        description,
        default: None,
        allowed: Vec::new(),
        min_length: None,
        max_length: None,
        min_value: None,
    };
    let assignment = "Microsoft.Authorization/roleAssignments";
    let definition = Value::Call(
        "subscriptionResourceId",
        vec!["Microsoft.Authorization/roleDefinitions".into(), Value::param("roleId")],
    );
    Template {
        parameters: vec![
            parameter("accountName", "Name of the Azure OpenAI account that the role is granted on."),
            parameter("principalId", "Object id of the identity that gets the role."),
            parameter("roleId", "Id of the role definition, a GUID."),
            parameter("stack", "Id of the stack that owns the assignment."),
        ],
        resources: vec![
            Resource {
                address: None,
                presence: Presence::Existing,
                name: Value::param("accountName"),
                ..resource(Address::Gateway, "account", ACCOUNT, COGNITIVE_SERVICES)
            },
            Resource {
                address: None,
                scope: Some("account".into()),
                name: Value::Call(
                    "guid",
                    vec![Value::prop("account", &["id"]), Value::param("principalId"), Value::param("roleId")],
                ),
                body: body([(
                    "properties",
                    Value::object([
                        ("principalId", Value::param("principalId")),
                        ("principalType", "ServicePrincipal".into()),
                        ("description", Value::concat([defaults::MARKER.into(), Value::param("stack")])),
                        ("roleDefinitionId", definition),
                    ]),
                )]),
                ..resource(Address::Gateway, "assignment", assignment, AUTHORIZATION)
            },
        ],
        ..Template::default()
    }
}
