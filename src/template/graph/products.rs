//! Products: APIs under one set of limits.

use super::super::value::body;
use super::super::{Resource, Value};
use super::apis::file_names;
use super::inputs::marker;
use super::{API_MANAGEMENT, Build, GATEWAY, resource};
use crate::policy;
use crate::topology::*;

const PRODUCT: &str = "Microsoft.ApiManagement/service/products";
const PRODUCT_API: &str = "Microsoft.ApiManagement/service/products/apis";
const PRODUCT_POLICY: &str = "Microsoft.ApiManagement/service/products/policies";

impl Build<'_> {
    /// Products with their APIs and policies.
    pub(super) fn products(&mut self) {
        let topology = self.topology;
        let paths = file_names("policies/product-", ".xml", topology.products.keys());
        for (key, product) in &topology.products {
            let symbol = self.symbols.take("product", &[key]);
            self.add(Resource {
                parent: Some(GATEWAY.into()),
                name: product.name.as_str().into(),
                body: body([(
                    "properties",
                    Value::object([
                        ("displayName", product.display_name.as_str().into()),
                        ("description", marker()),
                        ("subscriptionRequired", true.into()),
                        ("approvalRequired", false.into()),
                        ("state", "published".into()),
                    ]),
                )]),
                ..resource(Address::Product(key.clone()), &symbol, PRODUCT, API_MANAGEMENT)
            });
            for api_key in &product.apis {
                let Some(api) = self.apis.get(api_key.as_str()).cloned() else { continue };
                let link = self.symbols.take("productApi", &[key, api_key]);
                let address = Address::ProductApi { product: key.clone(), api: api_key.clone() };
                self.add(Resource {
                    parent: Some(symbol.clone()),
                    name: Value::prop(&api, &["name"]),
                    ..resource(address, &link, PRODUCT_API, API_MANAGEMENT)
                });
            }
            if product.policy.is_present() {
                self.product_policy(key, &symbol, product, &paths[key]);
            }
            self.products.insert(key, symbol);
        }
    }

    fn product_policy(&mut self, key: &str, product: &str, of: &Product, path: &str) {
        let text = match &of.policy {
            Policy::Rendered(intent) => policy::render_product(intent),
            Policy::Other(xml) => xml.clone(),
        };
        self.template.texts.insert(path.to_owned(), text);
        let symbol = self.symbols.take("productPolicy", &[key]);
        self.add(Resource {
            parent: Some(product.to_owned()),
            name: "policy".into(),
            body: body([(
                "properties",
                Value::object([("format", "rawxml".into()), ("value", Value::File(path.to_owned()))]),
            )]),
            ..resource(Address::ProductPolicy(key.to_owned()), &symbol, PRODUCT_POLICY, API_MANAGEMENT)
        });
    }
}
