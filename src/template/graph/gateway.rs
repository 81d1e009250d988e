//! The API Management service, its identity, and what that may call.

use super::super::value::body;
use super::super::{About, Module, Presence, Resource, Template, Value};
use super::inputs::{marker, merged, nested, parameter, role_variable};
use super::{ACCOUNT, API_MANAGEMENT, AUTHORIZATION, Build, COGNITIVE_SERVICES, GATEWAY, SERVICE, resource, version};
use crate::topology::*;

/// The symbol of a user-assigned identity.
pub(super) const IDENTITY: &str = "identity";

const IDENTITIES: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
const MANAGED_IDENTITY: &str = "2024-11-30";

impl Build<'_> {
    /// The user-assigned identity, where there is one. On a gateway that is there it must be already.
    pub(super) fn identity(&mut self, gateway: &Gateway) {
        let base = resource(Address::Identity, IDENTITY, IDENTITIES, MANAGED_IDENTITY);
        let identity = match (&gateway.identity, gateway.standing) {
            (Identity::System, _) => return,
            (Identity::Managed(name), Standing::Managed) => Resource {
                name: name.as_str().into(),
                body: body([("location", Value::param("location")), ("tags", Value::var("stackTags"))]),
                ..base
            },
            (Identity::Managed(name), Standing::Existing) => Resource {
                presence: Presence::Existing,
                place: gateway.place.clone(),
                name: name.as_str().into(),
                ..base
            },
            (Identity::Existing(id), _) => {
                let (name, place) = place_of(id, &self.topology.scope);
                Resource { presence: Presence::Existing, place, name: name.as_str().into(), ..base }
            }
        };
        self.add(identity);
    }

    pub(super) fn gateway(&mut self, gateway: &Gateway) {
        if gateway.standing == Standing::Existing {
            self.add(Resource {
                presence: Presence::Existing,
                place: gateway.place.clone(),
                name: Value::param("gatewayName"),
                ..resource(Address::Gateway, GATEWAY, SERVICE, API_MANAGEMENT)
            });
            return;
        }
        let mut properties = body([
            ("publisherName", Value::param("publisherName")),
            ("publisherEmail", Value::param("publisherEmail")),
        ]);
        if let Some(network) = &gateway.network {
            let configuration = Value::object([("subnetResourceId", network.subnet.as_str().into())]);
            properties.extend(body([
                ("virtualNetworkType", network.mode.as_str().into()),
                ("virtualNetworkConfiguration", configuration),
            ]));
        }
        let properties = merged(properties, &gateway.properties);
        let identity = match gateway.identity {
            Identity::System => Value::object([("type", "SystemAssigned".into())]),
            Identity::Managed(_) | Identity::Existing(_) => Value::object([
                ("type", "UserAssigned".into()),
                ("userAssignedIdentities", Value::keyed(Value::prop(IDENTITY, &["id"]), Value::object([]))),
            ]),
        };
        self.add(Resource {
            name: Value::param("gatewayName"),
            version: version(SERVICE, API_MANAGEMENT, &properties),
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
                ("identity", identity),
                ("properties", properties),
            ]),
            ..resource(Address::Gateway, GATEWAY, SERVICE, API_MANAGEMENT)
        });
    }

    /// A role assignment's name holds the principal, which Bicep allows only through a module (facts/bicep.md 2).
    pub(super) fn roles(&mut self, gateway: &Gateway) {
        let principal = match gateway.identity {
            Identity::System => Value::prop(GATEWAY, &["identity", "principalId"]),
            Identity::Managed(_) | Identity::Existing(_) => Value::prop(IDENTITY, &["properties", "principalId"]),
        };
        for (key, role) in &self.topology.grants {
            let Some(account) = self.of_account(key, "name") else { continue };
            let place = self.topology.accounts.get(key).map(|account| account.place.clone()).unwrap_or_default();
            let symbol = self.symbols.take("role", &[key]);
            self.template.modules.push(Module {
                about: About::Role,
                symbol,
                path: "modules/role-assignment.bicep".into(),
                name: nested(&self.topology.stack, "role", key),
                place,
                params: body([
                    ("accountName", account),
                    ("principalId", principal.clone()),
                    ("roleId", Value::var(role_variable(*role))),
                    ("stack", Value::var("stack")),
                ]),
                template: role_assignment(key),
                depends_on: Vec::new(),
                tells_of: None,
            });
        }
    }

    /// Values that policies read by name.
    pub(super) fn named_values(&mut self, gateway: &Gateway) {
        let user_assigned = gateway.identity != Identity::System;
        let client_id = Value::prop(IDENTITY, &["properties", "clientId"]);
        for (key, value) in &self.topology.named_values {
            let (holds, secret) = match &value.holds {
                Holds::ClientId if user_assigned => (("value", client_id.clone()), false),
                Holds::ClientId | Holds::Text => continue,
                Holds::Vault(uri) => {
                    let mut vault = body([("secretIdentifier", uri.as_str().into())]);
                    vault.extend(user_assigned.then(|| ("identityClientId".into(), client_id.clone())));
                    (("keyVault", Value::Object(vault)), true)
                }
            };
            let symbol = self.symbols.take("namedValue", &[key]);
            self.add(Resource {
                parent: Some(GATEWAY.into()),
                name: value.name.as_str().into(),
                body: body([(
                    "properties",
                    Value::object([
                        ("displayName", value.name.as_str().into()),
                        holds,
                        ("secret", secret.into()),
                        ("tags", vec![marker()].into()),
                    ]),
                )]),
                ..resource(
                    Address::NamedValue(key.clone()),
                    &symbol,
                    "Microsoft.ApiManagement/service/namedValues",
                    API_MANAGEMENT,
                )
            });
            self.named_values.insert(key, symbol);
        }
    }
}

/// Name and place of something by its ARM id.
fn place_of(id: &str, scope: &Scope) -> (String, Place) {
    let parts: Vec<&str> = id.split('/').collect();
    let after = |word: &str| {
        let at = parts.iter().position(|part| part.eq_ignore_ascii_case(word))?;
        parts.get(at + 1).map(|part| (*part).to_owned())
    };
    let subscription = after("subscriptions").map(|id| id.to_lowercase());
    let group = after("resourceGroups");
    let name = parts.last().copied().unwrap_or_default().to_owned();
    let own = scope.subscription.is_some() && subscription == scope.subscription;
    let group = group.filter(|group| !group.eq_ignore_ascii_case(&scope.resource_group));
    (name, Place { subscription: subscription.filter(|_| !own), resource_group: group })
}

/// `modules/role-assignment.bicep`
fn role_assignment(key: &str) -> Template {
    let assignment = "Microsoft.Authorization/roleAssignments";
    let definition = Value::Call(
        "subscriptionResourceId",
        vec!["Microsoft.Authorization/roleDefinitions".into(), Value::param("roleId")],
    );
    Template {
        parameters: vec![
            parameter("accountName", "string", "Name of the Azure OpenAI account that the role is granted on."),
            parameter("principalId", "string", "Object id of the identity that gets the role."),
            parameter("roleId", "string", "Id of the role definition, a GUID."),
            parameter("stack", "string", "Id of the stack that owns the assignment."),
        ],
        resources: vec![
            Resource {
                address: None,
                presence: Presence::Existing,
                name: Value::param("accountName"),
                ..resource(Address::Account(key.to_owned()), "account", ACCOUNT, COGNITIVE_SERVICES)
            },
            Resource {
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
                ..resource(Address::Grant(key.to_owned()), "assignment", assignment, AUTHORIZATION)
            },
        ],
        ..Template::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_where_something_stands() {
        let mut scope =
            Scope { subscription: None, resource_group: "rg-own".into(), location: Location::new("eastus2") };
        let of = |id: &str, scope: &Scope| {
            let (name, place) = place_of(id, scope);
            (name, place.subscription, place.resource_group)
        };
        let some = |text: &str| Some(text.to_owned());
        let id =
            "/subscriptions/AAAA/resourcegroups/RG-own/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id";
        assert_eq!(of(id, &scope), ("id".into(), some("aaaa"), None));
        scope.subscription = some("aaaa");
        assert_eq!(of(id, &scope), ("id".into(), None, None), "the stack's own");
        assert_eq!(of(&id.replace("RG-own", "rg-2"), &scope), ("id".into(), None, some("rg-2")));
        assert_eq!(of("a name", &scope), ("a name".into(), None, None));
    }
}
