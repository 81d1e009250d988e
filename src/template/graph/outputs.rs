//! What a deployment answers.

use super::super::{Output, Value};
use super::{Build, GATEWAY};

impl Build<'_> {
    pub(super) fn outputs(&mut self) {
        if self.topology.gateway.is_some() {
            self.template.outputs.push(Output {
                name: "gatewayName",
                kind: "string",
                description: "Name of the API Management service.",
                value: Value::prop(GATEWAY, &["name"]),
            });
            self.template.outputs.push(Output {
                name: "gatewayUrl",
                kind: "string",
                description: "URL that callers use.",
                value: Value::prop(GATEWAY, &["properties", "gatewayUrl"]),
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
