//! Azure OpenAI accounts, their deployments, and their private endpoints.

use super::super::symbols::Symbols;
use super::super::value::body;
use super::super::{About, Module, Output, Presence, Resource, Template, Value};
use super::inputs::{file_stem, merged, name, nested, parameter};
use super::{ACCOUNT, Build, COGNITIVE_SERVICES, DEPLOYMENTS, NETWORK, resource, version};
use crate::topology::*;
use std::collections::{BTreeMap, BTreeSet};

/// An account, as the rest of the template names it.
pub(super) enum Named {
    /// A resource of the template, by symbol.
    Resource(String),
    /// What a module of its own writes, by the module's symbol.
    Module(String),
}

/// The values of an account that a module gets from outside.
struct Frame {
    name: Value,
    location: Value,
    tags: Value,
}

const SERIAL: &str = "One after the other: Azure refuses two deployments of one account at a time.";
const ENDPOINT: &str = "An account takes one operation at a time: the endpoint comes after the deployments.";

impl<'a> Build<'a> {
    pub(super) fn accounts(&mut self) {
        let mut said = Some(SERIAL);
        let mut stems = BTreeSet::new();
        let topology = self.topology;
        for (key, account) in &topology.accounts {
            let symbol = self.symbols.take("account", &[key]);
            let existing = Resource {
                presence: Presence::Existing,
                place: account.place.clone(),
                name: name(&account.name),
                ..resource(Address::Account(key.clone()), &symbol, ACCOUNT, COGNITIVE_SERVICES)
            };
            let named = match account.standing {
                Standing::Existing => {
                    self.add(existing);
                    Named::Resource(symbol)
                }
                Standing::Managed if account.place.is_own() => {
                    let frame = Frame {
                        name: name(&account.name),
                        location: Value::param("accountLocations").member(key),
                        tags: Value::var("stackTags"),
                    };
                    self.add(account_resource(key, account, &symbol, &frame));
                    let take = |deployment: &str| self.symbols.take("deployment", &[key, deployment]);
                    let (deployments, symbols) = deployments(key, account, &symbol, &frame, &mut said, take);
                    deployments.into_iter().for_each(|deployment| self.add(deployment));
                    let of_account =
                        symbols.into_iter().map(|(deployment, symbol)| ((key.as_str(), deployment), symbol));
                    self.deployments.extend(of_account);
                    Named::Resource(symbol)
                }
                Standing::Managed => {
                    let path = format!("modules/account-{}.bicep", file_stem(key, &mut stems));
                    self.template.modules.push(Module {
                        about: About::Account,
                        symbol: symbol.clone(),
                        path,
                        name: nested(&topology.stack, "account", key),
                        place: account.place.clone(),
                        params: body([
                            ("name", name(&account.name)),
                            ("location", Value::param("accountLocations").member(key)),
                            ("tags", Value::var("stackTags")),
                        ]),
                        template: account_module(key, account),
                        depends_on: Vec::new(),
                        tells_of: Some(Box::new(existing)),
                    });
                    Named::Module(symbol)
                }
            };
            self.accounts.insert(key, named);
        }
        let mut said = Some(ENDPOINT);
        for (key, account) in &topology.accounts {
            if let (Standing::Managed, Some(endpoint)) = (account.standing, &account.network.private_endpoint) {
                self.private_endpoint(key, account, endpoint, &mut said);
            }
        }
    }

    /// The id, name or endpoint of an account; `None` for one that is not there.
    pub(super) fn of_account(&self, key: &str, what: &'static str) -> Option<Value> {
        Some(match self.accounts.get(key)? {
            Named::Module(symbol) => Value::Output(symbol.clone(), what),
            Named::Resource(symbol) if what == "endpoint" => Value::prop(symbol, &["properties", what]),
            Named::Resource(symbol) => Value::prop(symbol, &[what]),
        })
    }

    fn private_endpoint(
        &mut self,
        key: &'a str,
        account: &Account,
        endpoint: &PrivateEndpoint,
        said: &mut Option<&'static str>,
    ) {
        let Some(id) = self.of_account(key, "id") else { return };
        let symbol = self.symbols.take("privateEndpoint", &[key]);
        let last = order(&account.deployments).pop();
        let after = last.and_then(|deployment| self.deployments.get(&(key, deployment.as_str())).cloned());
        let connection = Value::object([
            ("name", "account".into()),
            ("properties", Value::object([("privateLinkServiceId", id), ("groupIds", vec!["account".into()].into())])),
        ]);
        self.add(Resource {
            comment: after.as_ref().and_then(|_| said.take()),
            name: name(&account.name),
            body: body([
                ("location", Value::param("location")),
                ("tags", Value::var("stackTags")),
                (
                    "properties",
                    Value::object([
                        ("subnet", Value::object([("id", endpoint.subnet.as_str().into())])),
                        ("privateLinkServiceConnections", vec![connection].into()),
                    ]),
                ),
            ]),
            depends_on: after.into_iter().collect(),
            ..resource(Address::PrivateEndpoint(key.to_owned()), &symbol, PRIVATE_ENDPOINT, NETWORK)
        });
        let Some(zone) = &endpoint.dns_zone else { return };
        let group = self.symbols.take("dnsZoneGroup", &[key]);
        let config = Value::object([
            ("name", "openai".into()),
            ("properties", Value::object([("privateDnsZoneId", zone.as_str().into())])),
        ]);
        self.add(Resource {
            parent: Some(symbol),
            name: "default".into(),
            body: body([("properties", Value::object([("privateDnsZoneConfigs", vec![config].into())]))]),
            ..resource(Address::DnsZoneGroup(key.to_owned()), &group, DNS_ZONE_GROUP, NETWORK)
        });
    }
}

const PRIVATE_ENDPOINT: &str = "Microsoft.Network/privateEndpoints";
const DNS_ZONE_GROUP: &str = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups";

fn account_resource(key: &str, account: &Account, symbol: &str, frame: &Frame) -> Resource {
    let access = if account.network.public { "Enabled" } else { "Disabled" };
    let properties = merged(
        body([
            ("customSubDomainName", frame.name.clone()),
            ("disableLocalAuth", true.into()),
            ("publicNetworkAccess", access.into()),
        ]),
        &account.properties,
    );
    Resource {
        name: frame.name.clone(),
        version: version(ACCOUNT, COGNITIVE_SERVICES, &properties),
        body: body([
            ("location", frame.location.clone()),
            ("tags", frame.tags.clone()),
            ("kind", account.kind.as_str().into()),
            ("sku", Value::object([("name", "S0".into())])),
            ("properties", properties),
        ]),
        ..resource(Address::Account(key.to_owned()), symbol, ACCOUNT, COGNITIVE_SERVICES)
    }
}

/// The deployments of an account, each after the one before, with their symbols by key.
fn deployments<'a>(
    key: &str,
    account: &'a Account,
    parent: &str,
    frame: &Frame,
    said: &mut Option<&'static str>,
    mut take: impl FnMut(&str) -> String,
) -> (Vec<Resource>, BTreeMap<&'a str, String>) {
    let symbols: BTreeMap<&str, String> =
        account.deployments.keys().map(|deployment| (deployment.as_str(), take(deployment))).collect();
    let mut before: Option<String> = None;
    let resources = order(&account.deployments).into_iter().map(|deployment_key| {
        let deployment = &account.deployments[deployment_key];
        let symbol = &symbols[deployment_key.as_str()];
        let properties = deployment_properties(deployment, &symbols);
        let address = Address::Deployment { account: key.to_owned(), deployment: deployment_key.clone() };
        let sku = Value::object([("name", deployment.sku.as_str().into()), ("capacity", deployment.capacity.into())]);
        Resource {
            comment: before.as_ref().and_then(|_| said.take()),
            parent: Some(parent.to_owned()),
            name: deployment_key.as_str().into(),
            version: version(DEPLOYMENTS, COGNITIVE_SERVICES, &properties),
            body: body([("tags", frame.tags.clone()), ("sku", sku), ("properties", properties)]),
            depends_on: before.replace(symbol.clone()).into_iter().collect(),
            ..resource(address, symbol, DEPLOYMENTS, COGNITIVE_SERVICES)
        }
    });
    (resources.collect(), symbols)
}

/// Keys of an account's deployments, each after the one that it spills over to; else by key.
fn order(deployments: &BTreeMap<Key, Deployment>) -> Vec<&Key> {
    let mut order: Vec<&Key> = Vec::new();
    for first in deployments.keys() {
        // a ring, which the rules refuse, ends where it begins
        let mut chain: Vec<&Key> = Vec::new();
        let mut next = Some(first);
        while let Some(key) = next.filter(|key| !order.contains(key) && !chain.contains(key)) {
            chain.push(key);
            let target = deployments[key].spillover.as_ref();
            next = target.and_then(|target| deployments.get_key_value(target)).map(|(key, _)| key);
        }
        order.extend(chain.into_iter().rev());
    }
    order
}

fn deployment_properties(deployment: &Deployment, symbols: &BTreeMap<&str, String>) -> Value {
    let mut properties = body([
        (
            "model",
            Value::object([
                ("format", deployment.model.format.as_str().into()),
                ("name", deployment.model.name.as_str().into()),
                ("version", deployment.model.version.as_str().into()),
            ]),
        ),
        ("versionUpgradeOption", deployment.version_upgrade.as_str().into()),
    ]);
    let rai_policy = deployment.rai_policy.as_ref().map(|name| ("raiPolicyName".to_owned(), name.as_str().into()));
    properties.extend(rai_policy);
    let spillover = deployment.spillover.as_ref();
    properties.extend(spillover.filter(|target| symbols.contains_key(target.as_str())).map(|target| {
        // not by symbol: in a ring that would be a cycle
        ("spilloverDeploymentName".to_owned(), target.as_str().into())
    }));
    Value::Object(properties)
}

/// `modules/account-{key}.bicep`
fn account_module(key: &str, account: &Account) -> Template {
    let mut symbols = Symbols::new(&["name", "location", "tags", "account", "deployment"]);
    let frame = Frame { name: Value::param("name"), location: Value::param("location"), tags: Value::param("tags") };
    let take = |deployment: &str| symbols.take("deployment", &[deployment]);
    let (deployments, _) = deployments(key, account, "account", &frame, &mut Some(SERIAL), take);
    let account = account_resource(key, account, "account", &frame);
    let output = |name, description, path: &[&'static str]| Output {
        name,
        kind: "string",
        description,
        value: Value::prop("account", path),
    };
    Template {
        parameters: vec![
            parameter("name", "string", "Name of the account, which is also its sub-domain."),
            parameter("location", "string", "Region of the account."),
            parameter("tags", "object", "Tags of the account and of its deployments."),
        ],
        resources: [account].into_iter().chain(deployments).collect(),
        outputs: vec![
            output("endpoint", "Endpoint of the account, with a slash at its end.", &["properties", "endpoint"]),
            output("id", "Id of the account.", &["id"]),
            output("name", "Name of the account.", &["name"]),
        ],
        ..Template::default()
    }
}
