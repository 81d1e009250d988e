//! Azure OpenAI accounts and their deployments.

use super::super::value::body;
use super::super::{Body, Resource, Value};
use super::inputs::name;
use super::{ACCOUNT, Build, COGNITIVE_SERVICES, resource};
use crate::topology::*;

impl Build<'_> {
    pub(super) fn accounts(&mut self) {
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
