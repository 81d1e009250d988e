//! What a deployment answers.

use super::super::{Output, Value};
use super::gateway::IDENTITY;
use super::{Build, GATEWAY};
use crate::topology::{Identity, Standing};

impl Build<'_> {
    pub(super) fn outputs(&mut self) {
        let group = |what: &str| Value::Call("resourceGroup", vec![]).member(what);
        let group = Value::object(["id", "name", "location"].map(|what| (what, group(what))));
        self.answer("resourceGroup", "object", "The resource group of the stack.", group);
        if let Some(gateway) = &self.topology.gateway {
            let of_gateway = |path: &[&'static str]| Value::prop(GATEWAY, path);
            self.answer("gatewayId", "string", "Id of the API Management service.", of_gateway(&["id"]));
            self.answer("gatewayName", "string", "Name of the API Management service.", of_gateway(&["name"]));
            let url = of_gateway(&["properties", "gatewayUrl"]);
            self.answer("gatewayUrl", "string", "URL that callers use.", url.clone());
            if gateway.identity != Identity::System {
                let of_identity = |path: &[&'static str]| Value::prop(IDENTITY, path);
                let identity = Value::object([
                    ("id", of_identity(&["id"])),
                    ("name", of_identity(&["name"])),
                    ("clientId", of_identity(&["properties", "clientId"])),
                    ("principalId", of_identity(&["properties", "principalId"])),
                ]);
                self.answer("identity", "object", "The identity that the gateway calls models with.", identity);
            }
            let urls = self.topology.apis.iter().map(|(key, api)| {
                (key.clone(), Value::concat([url.clone(), format!("/{}", api.path).as_str().into()]))
            });
            let urls: Value = urls.collect();
            self.answer_if_any("apiUrls", "URLs of the APIs by key.", urls);
            let names = self.topology.subscriptions.iter();
            let names: Value =
                names.map(|(key, subscription)| (key.clone(), subscription.name.as_str().into())).collect();
            self.answer_if_any("subscriptions", "Names of the subscriptions by key; their keys are no output.", names);
        }
        let accounts = self.topology.accounts.iter().filter_map(|(key, account)| {
            let of = |what| Some((what, self.of_account(key, what)?));
            // where somebody else's stands is not asked
            let managed = account.standing == Standing::Managed;
            let location = managed.then(|| Value::param("accountLocations").member(key));
            let members = [of("id")?, of("name")?, of("endpoint")?].into_iter();
            let members = members.chain(location.map(|location| ("location", location)));
            let members: Value = members.map(|(name, value)| (name.to_owned(), value)).collect();
            Some((key.clone(), members))
        });
        let accounts: Value = accounts.collect();
        self.answer_if_any("accounts", "Ids, names, endpoints and regions of the accounts by key.", accounts);
    }

    fn answer(&mut self, name: &'static str, kind: &'static str, description: &'static str, value: Value) {
        self.template.outputs.push(Output { name, kind, description, value });
    }

    fn answer_if_any(&mut self, name: &'static str, description: &'static str, value: Value) {
        if matches!(&value, Value::Object(members) if !members.is_empty()) {
            self.answer(name, "object", description, value);
        }
    }
}
