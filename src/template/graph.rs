//! From a topology to its resource graph.

mod inputs;
mod observe;
mod products;

use super::symbols::Symbols;
use super::value::body;
use super::{Body, Module, Output, Parameter, Presence, Resource, Template, Value};
use crate::policy;
use crate::topology::*;
use inputs::{marker, name, parameters, role_variable, variables};
use std::collections::BTreeMap;

/// The floor for API Management; it has everything that a pool needs (facts/apim.md 1.1).
const API_MANAGEMENT: &str = "2024-05-01";
/// The floor for Azure OpenAI.
const COGNITIVE_SERVICES: &str = "2024-10-01";
const AUTHORIZATION: &str = "2022-04-01";

const SERVICE: &str = "Microsoft.ApiManagement/service";
const ACCOUNT: &str = "Microsoft.CognitiveServices/accounts";

/// Names that no resource may take: parameters, variables, and the functions that a bare prefix would hide.
const RESERVED: [&str; 17] = [
    "location",
    "gatewayName",
    "gatewaySku",
    "gatewayCapacity",
    "publisherName",
    "publisherEmail",
    "accountLocations",
    "tags",
    "unique",
    "stack",
    "stackTags",
    "openAIUser",
    "logRetentionDays",
    "gateway",
    "deployment",
    "subscription",
    "union",
];

/// The graph of everything in a topology.
///
/// What a topology names but does not have is left out: a spec's topology has none of it. Without a gateway there are
/// the accounts alone.
pub fn graph(topology: &Topology) -> Template {
    let mut build = Build {
        topology,
        symbols: Symbols::new(&RESERVED),
        accounts: BTreeMap::new(),
        deployments: BTreeMap::new(),
        template: Template { parameters: parameters(topology), variables: variables(topology), ..Template::default() },
    };
    build.accounts();
    if topology.gateway.is_some() {
        build.gateway();
        build.roles();
        let pools = build.backends();
        let apis = build.apis(&pools);
        build.observability(&apis);
    }
    build.outputs();
    let mut template = build.template;
    template.prune();
    template
}

struct Build<'a> {
    topology: &'a Topology,
    symbols: Symbols,
    /// Symbols by key.
    accounts: BTreeMap<&'a str, String>,
    /// Symbols by keys of account and deployment.
    deployments: BTreeMap<(&'a str, &'a str), String>,
    template: Template,
}

impl<'a> Build<'a> {
    fn add(&mut self, resource: Resource) {
        self.template.resources.push(resource);
    }

    fn accounts(&mut self) {
        let mut said = Some("One after the other: Azure refuses two deployments of one account at a time.");
        for (key, account) in &self.topology.accounts {
            let symbol = self.symbols.take("account", &[key]);
            let name = name(&account.name);
            self.add(Resource {
                name: name.clone(),
                body: body([
                    ("location", Value::param("accountLocations").member(key)),
                    ("tags", Value::var("stackTags")),
                    ("kind", account.kind.as_str().into()),
                    ("sku", Value::object([("name", "S0".into())])),
                    (
                        "properties",
                        Value::object([
                            ("customSubDomainName", name),
                            ("disableLocalAuth", true.into()),
                            ("publicNetworkAccess", "Enabled".into()),
                        ]),
                    ),
                ]),
                ..resource(Address::Account(key.clone()), &symbol, ACCOUNT, COGNITIVE_SERVICES)
            });
            let mut before: Option<String> = None;
            for (deployment_key, deployment) in &account.deployments {
                let deployment_symbol = self.symbols.take("deployment", &[key, deployment_key]);
                let address = Address::Deployment { account: key.clone(), deployment: deployment_key.clone() };
                self.add(Resource {
                    comment: before.as_ref().and_then(|_| said.take()),
                    parent: Some(symbol.clone()),
                    name: deployment_key.as_str().into(),
                    body: deployment_body(deployment),
                    depends_on: before.into_iter().collect(),
                    ..resource(
                        address,
                        &deployment_symbol,
                        "Microsoft.CognitiveServices/accounts/deployments",
                        COGNITIVE_SERVICES,
                    )
                });
                before = Some(deployment_symbol.clone());
                self.deployments.insert((key, deployment_key), deployment_symbol);
            }
            self.accounts.insert(key, symbol);
        }
    }

    fn gateway(&mut self) {
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
            ..resource(Address::Gateway, "gateway", SERVICE, API_MANAGEMENT)
        });
    }

    /// A role assignment's name holds the principal, which Bicep allows only through a module (facts/bicep.md 2).
    fn roles(&mut self) {
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
                    ("principalId", Value::prop("gateway", &["identity", "principalId"])),
                    ("roleId", Value::var(role_variable(*role))),
                    ("stack", Value::var("stack")),
                ]),
                template: role_assignment(),
            });
        }
    }

    /// Backends, then pools; gives the symbols of the pools by name in Azure.
    fn backends(&mut self) -> BTreeMap<String, String> {
        const BACKENDS: &str = "Microsoft.ApiManagement/service/backends";
        let mut backends: BTreeMap<&str, String> = BTreeMap::new();
        let mut said = Some("A backend never stands before the deployment that it calls.");
        for (key, backend) in &self.topology.backends {
            let (url, after) = match (&backend.target, backend.target.account()) {
                (Target::Url(url), _) => (url.as_str().into(), None),
                (_, None) => continue,
                (target, Some((account, deployment))) => {
                    let Some(symbol) = self.accounts.get(account.as_str()) else { continue };
                    let endpoint = Value::prop(symbol, &["properties", "endpoint"]);
                    let after = deployment.and_then(|name| self.deployments.get(&(account.as_str(), name.as_str())));
                    let path = target.path().unwrap_or_default();
                    (Value::concat([endpoint, path.as_str().into()]), after.cloned())
                }
            };
            let symbol = self.symbols.take("backend", &[key]);
            let mut properties =
                body([("description", marker()), ("type", "Single".into()), ("protocol", "http".into()), ("url", url)]);
            if let Some(breaker) = &backend.breaker {
                properties.push(("circuitBreaker".into(), circuit_breaker(breaker)));
            }
            self.add(Resource {
                comment: after.as_ref().and_then(|_| said.take()),
                parent: Some("gateway".into()),
                name: backend.name.as_str().into(),
                body: body([("properties", Value::Object(properties))]),
                depends_on: after.into_iter().collect(),
                ..resource(Address::Backend(key.clone()), &symbol, BACKENDS, API_MANAGEMENT)
            });
            backends.insert(key, symbol);
        }

        let mut pools = BTreeMap::new();
        for (key, pool) in self.topology.pools.iter().filter(|(_, pool)| pool.balancing == Balancing::Native) {
            let symbol = self.symbols.take("pool", &[key]);
            let services = pool.members.iter().filter_map(|member| {
                let backend = backends.get(member.backend.as_str())?;
                Some(Value::object([
                    ("id", Value::prop(backend, &["id"])),
                    ("priority", u32::from(member.priority).into()),
                    ("weight", u32::from(member.weight).into()),
                ]))
            });
            let services: Vec<Value> = services.collect();
            self.add(Resource {
                parent: Some("gateway".into()),
                name: pool.name.as_str().into(),
                body: body([(
                    "properties",
                    Value::object([
                        ("description", marker()),
                        ("type", "Pool".into()),
                        ("pool", Value::object([("services", services.into())])),
                    ]),
                )]),
                ..resource(Address::Pool(key.clone()), &symbol, BACKENDS, API_MANAGEMENT)
            });
            pools.insert(pool.name.to_ascii_lowercase(), symbol);
        }
        pools
    }

    /// APIs, products, subscriptions; gives the symbols of the APIs by key.
    fn apis(&mut self, pools: &BTreeMap<String, String>) -> BTreeMap<&'a str, String> {
        let mut apis: BTreeMap<&str, String> = BTreeMap::new();
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
                parent: Some("gateway".into()),
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
            self.policy(key, &symbol, &api.policy, &paths[key], pools);
            apis.insert(key, symbol);
        }
        let products = self.products(&apis);
        for (key, subscription) in &self.topology.subscriptions {
            let scope = match &subscription.access {
                Access::Api(api) => apis.get(api.as_str()),
                Access::Product(product) => products.get(product.as_str()),
            };
            let Some(scope) = scope else { continue };
            let symbol = self.symbols.take("subscription", &[key]);
            self.add(Resource {
                parent: Some("gateway".into()),
                name: subscription.name.as_str().into(),
                body: body([(
                    "properties",
                    Value::object([
                        ("displayName", subscription.display_name.as_str().into()),
                        ("scope", Value::prop(scope, &["id"])),
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
        apis
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

    fn policy(&mut self, key: &str, api: &str, policy: &Policy, path: &str, pools: &BTreeMap<String, String>) {
        let (text, named) = match policy {
            Policy::Rendered(intent) => (policy::render(intent), intent.routes.pools()),
            Policy::Other(xml) => (xml.clone(), Vec::new()),
        };
        let mut after: Vec<String> =
            named.iter().filter_map(|name| pools.get(&name.to_ascii_lowercase()).cloned()).collect();
        after.sort();
        after.dedup();
        self.template.texts.insert(path.to_owned(), text);
        let symbol = self.symbols.take("policy", &[key]);
        self.add(Resource {
            comment: (!after.is_empty()).then_some("Azure refuses a policy that names a pool that is not there."),
            parent: Some(api.to_owned()),
            name: "policy".into(),
            body: body([(
                "properties",
                Value::object([("format", "rawxml".into()), ("value", Value::File(path.to_owned()))]),
            )]),
            depends_on: after,
            ..resource(
                Address::Policy(key.to_owned()),
                &symbol,
                "Microsoft.ApiManagement/service/apis/policies",
                API_MANAGEMENT,
            )
        });
    }

    fn outputs(&mut self) {
        if self.topology.gateway.is_some() {
            self.template.outputs.push(Output {
                name: "gatewayName",
                kind: "string",
                description: "Name of the API Management service.",
                value: Value::prop("gateway", &["name"]),
            });
            self.template.outputs.push(Output {
                name: "gatewayUrl",
                kind: "string",
                description: "URL that callers use.",
                value: Value::prop("gateway", &["properties", "gatewayUrl"]),
            });
        }
        if !self.accounts.is_empty() {
            let endpoints = self
                .accounts
                .iter()
                .map(|(key, symbol)| ((*key).to_owned(), Value::prop(symbol, &["properties", "endpoint"])));
            self.template.outputs.push(Output {
                name: "endpoints",
                kind: "object",
                description: "Endpoints of the accounts by key.",
                value: Value::Object(endpoints.collect()),
            });
        }
    }
}

/// A resource with nothing but its identity.
fn resource(address: Address, symbol: &str, kind: &'static str, version: &'static str) -> Resource {
    Resource {
        address: Some(address),
        symbol: symbol.to_owned(),
        presence: Presence::Written,
        comment: None,
        kind,
        version,
        parent: None,
        scope: None,
        name: "".into(),
        body: Body::new(),
        depends_on: Vec::new(),
    }
}

fn deployment_body(deployment: &Deployment) -> Body {
    body([
        ("tags", Value::var("stackTags")),
        ("sku", Value::object([("name", deployment.sku.as_str().into()), ("capacity", deployment.capacity.into())])),
        (
            "properties",
            Value::object([
                (
                    "model",
                    Value::object([
                        ("format", "OpenAI".into()),
                        ("name", deployment.model.name.as_str().into()),
                        ("version", deployment.model.version.as_str().into()),
                    ]),
                ),
                ("versionUpgradeOption", deployment.version_upgrade.as_str().into()),
            ]),
        ),
    ])
}

fn circuit_breaker(breaker: &Breaker) -> Value {
    let threshold = match breaker.threshold {
        Threshold::Count(count) => ("count", count.into()),
        Threshold::Percentage(percentage) => ("percentage", u32::from(percentage).into()),
    };
    let ranges = breaker
        .status_codes
        .iter()
        .map(|range| Value::object([("min", u32::from(range.min).into()), ("max", u32::from(range.max).into())]));
    let ranges: Vec<Value> = ranges.collect();
    let rule = Value::object([
        ("name", breaker.name.as_str().into()),
        (
            "failureCondition",
            Value::object([
                threshold,
                ("interval", breaker.interval.iso().as_str().into()),
                ("statusCodeRanges", ranges.into()),
            ]),
        ),
        ("tripDuration", breaker.trip_duration.iso().as_str().into()),
        ("acceptRetryAfter", breaker.accept_retry_after.into()),
    ]);
    Value::object([("rules", vec![rule].into())])
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

/// The marker of an API. Azure never gives a definition back, so its hash stands there too.
fn marker_of(definition: &Definition) -> Value {
    match definition {
        Definition::Operations => marker(),
        Definition::Imported(import) => Value::concat([marker(), " ".into(), import.hash.as_str().into()]),
    }
}

/// Where the policy of each API stands: `policy.xml` where there is one API, else `policy-{key}.xml`.
fn policy_paths(apis: &BTreeMap<Key, Api>) -> BTreeMap<&Key, String> {
    if apis.len() == 1 {
        return apis.keys().map(|key| (key, "policy.xml".to_owned())).collect();
    }
    file_names("policy-", ".xml", apis.keys())
}

/// A file for each key: `{before}{key}{after}`, what no file system likes replaced.
fn file_names<'a>(before: &str, after: &str, keys: impl Iterator<Item = &'a Key>) -> BTreeMap<&'a Key, String> {
    let mut taken = std::collections::BTreeSet::new();
    let mut path = |key: &Key| {
        let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let stem: String = key.chars().take(80).map(safe).collect();
        let mut path = format!("{before}{stem}{after}");
        let mut number = 2;
        // Files on some systems differ by more than case.
        while !taken.insert(path.to_ascii_lowercase()) {
            path = format!("{before}{stem}-{number}{after}");
            number += 1;
        }
        path
    };
    keys.map(|key| (key, path(key))).collect()
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
