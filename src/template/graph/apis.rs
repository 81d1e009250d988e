//! APIs with their operations and policies, and who may call them.

use super::super::value::body;
use super::super::{Body, Resource, Value};
use super::inputs::{file_stem, marker};
use super::{API_MANAGEMENT, Build, GATEWAY, resource};
use crate::policy;
use crate::topology::*;
use std::collections::{BTreeMap, BTreeSet};

impl Build<'_> {
    pub(super) fn apis(&mut self) {
        let paths = policy_paths(&self.topology.apis);
        let definitions = file_names("api-", ".openapi.json", self.topology.apis.keys());
        for (key, api) in &self.topology.apis {
            let symbol = self.symbols.take("api", &[key]);
            let keys = api.keys.clone().unwrap_or_else(defaults::keys);
            let mut properties = body([
                ("displayName", api.display_name.as_str().into()),
                ("description", marker_of(&api.definition)),
                ("path", api.path.as_str().into()),
                ("protocols", vec!["https".into()].into()),
                ("subscriptionRequired", api.keys.is_some().into()),
                (
                    "subscriptionKeyParameterNames",
                    Value::object([("header", keys.header.as_str().into()), ("query", keys.query.as_str().into())]),
                ),
            ]);
            properties.extend(self.definition(&api.definition, &definitions[key]));
            self.add(Resource {
                parent: Some(GATEWAY.into()),
                name: api.name.as_str().into(),
                body: body([("properties", Value::Object(properties))]),
                ..resource(Address::Api(key.clone()), &symbol, "Microsoft.ApiManagement/service/apis", API_MANAGEMENT)
            });
            for (operation_key, operation) in &api.operations {
                let operation_symbol = self.symbols.take("operation", &[key, operation_key]);
                let address = Address::Operation { api: key.clone(), operation: operation_key.clone() };
                self.add(Resource {
                    parent: Some(symbol.clone()),
                    name: operation_key.as_str().into(),
                    body: body([("properties", Value::Object(operation_properties(operation)))]),
                    ..resource(
                        address,
                        &operation_symbol,
                        "Microsoft.ApiManagement/service/apis/operations",
                        API_MANAGEMENT,
                    )
                });
            }
            self.policy(key, &symbol, api, &paths[key]);
            self.apis.insert(key, symbol);
        }
    }

    /// What API Management imports, where the operations are not written one by one.
    fn definition(&mut self, definition: &Definition, path: &str) -> Body {
        let Definition::Imported(Import { document: Some(document), .. }) = definition else { return Body::new() };
        match document {
            Document::Link { version, commit } => body([
                ("format", "openapi+json-link".into()),
                ("value", Document::link(version, commit).as_str().into()),
            ]),
            Document::Text { text, .. } => {
                self.template.texts.insert(path.to_owned(), text.clone());
                body([("format", "openapi+json".into()), ("value", Value::File(path.to_owned()))])
            }
        }
    }

    /// Who may call an API, or the APIs of a product.
    pub(super) fn subscriptions(&mut self) {
        for (key, subscription) in &self.topology.subscriptions {
            let scope = match &subscription.access {
                Access::Api(key) => self.apis.get(key.as_str()),
                Access::Product(key) => self.products.get(key.as_str()),
            };
            let Some(scope) = scope.map(|symbol| Value::prop(symbol, &["id"])) else { continue };
            let symbol = self.symbols.take("subscription", &[key]);
            self.add(Resource {
                parent: Some(GATEWAY.into()),
                name: subscription.name.as_str().into(),
                body: body([(
                    "properties",
                    Value::object([
                        ("displayName", subscription.display_name.as_str().into()),
                        ("scope", scope),
                        ("state", "active".into()),
                        ("allowTracing", subscription.tracing.into()),
                    ]),
                )]),
                ..resource(
                    Address::Subscription(key.clone()),
                    &symbol,
                    "Microsoft.ApiManagement/service/subscriptions",
                    API_MANAGEMENT,
                )
            });
        }
    }

    fn policy(&mut self, key: &str, symbol: &str, api: &Api, path: &str) {
        let after = api.policy.intent().map_or_else(Vec::new, |intent| self.named_in(intent));
        // a template of the user's own that gives no policy is an error of `policy::problems`, told before this
        let text = policy::text(api).unwrap_or_default();
        self.template.texts.insert(path.to_owned(), text);
        let own = self.symbols.take("policy", &[key]);
        self.add(Resource {
            comment: (!after.is_empty()).then_some("Azure refuses a policy that names what is not there."),
            parent: Some(symbol.to_owned()),
            name: "policy".into(),
            body: body([(
                "properties",
                Value::object([("format", "rawxml".into()), ("value", Value::File(path.to_owned()))]),
            )]),
            depends_on: after,
            ..resource(
                Address::Policy(key.to_owned()),
                &own,
                "Microsoft.ApiManagement/service/apis/policies",
                API_MANAGEMENT,
            )
        });
    }

    /// Symbols of everything that a policy names: pools, backends, named values.
    fn named_in(&self, intent: &Intent) -> Vec<String> {
        let topology = self.topology;
        let routes = [Some(&intent.routes), intent.v1.as_ref()].into_iter().flatten();
        let pools = routes.flat_map(|routes| routes.pools());
        let pools = pools.filter_map(|name| self.pools.get(topology.pool_by_name(name)?.0.as_str()));
        let candidates = intent.pools.values().flatten();
        let backends = candidates.clone().map(|candidate| &candidate.backend).chain(&intent.stateful);
        let backends = backends.filter_map(|name| self.backends.get(topology.backend_by_name(name)?.0.as_str()));
        let keys = candidates.filter_map(|candidate| candidate.credential.as_ref()).map(|key| &key.named_value);
        let values = keys.chain(&intent.client_id).filter_map(|name| {
            let found = topology.named_values.iter().find(|(_, value)| value.name.eq_ignore_ascii_case(name));
            self.named_values.get(found?.0.as_str())
        });
        let all: BTreeSet<&String> = pools.chain(backends).chain(values).collect();
        all.into_iter().cloned().collect()
    }
}

fn operation_properties(operation: &Operation) -> Body {
    let mut properties = body([
        ("displayName", operation.display_name.as_str().into()),
        ("method", operation.method.as_str().into()),
        ("urlTemplate", operation.url_template.as_str().into()),
    ]);
    let parameters: Vec<Value> = operation
        .parameters()
        .into_iter()
        .map(|name| Value::object([("name", name.into()), ("type", "string".into()), ("required", true.into())]))
        .collect();
    if !parameters.is_empty() {
        properties.push(("templateParameters".into(), parameters.into()));
    }
    properties
}

/// Where the policy of each API stands: `policy.xml` where there is one API, else `policy-{key}.xml`.
fn policy_paths(apis: &BTreeMap<Key, Api>) -> BTreeMap<&Key, String> {
    if apis.len() == 1 {
        return apis.keys().map(|key| (key, "policy.xml".to_owned())).collect();
    }
    file_names("policy-", ".xml", apis.keys())
}

/// A file for each key: `{before}{key}{after}`, what no file system likes replaced.
pub(super) fn file_names<'a>(
    before: &str,
    after: &str,
    keys: impl Iterator<Item = &'a Key>,
) -> BTreeMap<&'a Key, String> {
    let mut taken = BTreeSet::new();
    keys.map(|key| (key, format!("{before}{}{after}", file_stem(key, &mut taken)))).collect()
}

/// The marker of an API. Azure never gives a definition back, so its hash stands there too.
fn marker_of(definition: &Definition) -> Value {
    match definition {
        Definition::Operations => marker(),
        Definition::Imported(import) => {
            let hash = format!(" {}", import.hash);
            Value::concat([defaults::MARKER.into(), Value::var("stack"), hash.as_str().into()])
        }
    }
}
