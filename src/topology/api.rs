//! APIs, products and subscriptions: what callers call, and who may.

use super::Key;
use super::intent::{Policy, ProductIntent};
use std::collections::{BTreeMap, BTreeSet};

/// An API of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Its name in the gateway.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// The first part of the path that callers use, without slashes at its ends.
    pub path: String,
    /// Where a caller's subscription key stands; `None` where callers need no key.
    pub keys: Option<KeyNames>,
    /// Where its operations come from.
    pub definition: Definition,
    /// What callers can call, by operation name; empty for an imported definition.
    pub operations: BTreeMap<Key, Operation>,
    /// What happens to a call.
    pub policy: Policy,
    /// A policy template of the user's own, instead of the strategy's; never in live state.
    pub template: Option<OwnTemplate>,
}

/// A policy template of the user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTemplate {
    /// Its file, as the spec names it.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// Where an API's operations come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Definition {
    /// They are written one by one.
    Operations,
    /// API Management imports an OpenAPI document.
    Imported(Import),
}

/// An OpenAPI document that API Management imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Eight hex digits of the hash of what is sent: Azure never gives the document back.
    pub hash: String,
    /// What is sent; `None` in live state.
    pub document: Option<Document>,
}

/// What is sent of an OpenAPI document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// Azure OpenAI's own, pinned to a commit of Azure/azure-rest-api-specs.
    Link {
        /// The API's version, `2024-10-21`.
        version: String,
        /// The commit.
        commit: String,
    },
    /// A text, JSON.
    Text {
        /// Its file, as the spec names it.
        path: String,
        /// What is sent of it.
        text: String,
    },
}

impl Document {
    /// The address of a link.
    pub fn link(version: &str, commit: &str) -> String {
        let channel = if version.ends_with("-preview") { "preview" } else { "stable" };
        format!(
            "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/{commit}/specification/cognitiveservices/data-plane/AzureOpenAI/inference/{channel}/{version}/inference.json"
        )
    }

    /// Eight hex digits of the SHA-256 of what is sent.
    pub fn hash(&self) -> String {
        use sha2::Digest;
        let sent = match self {
            Document::Link { version, commit } => Document::link(version, commit),
            Document::Text { text, .. } => text.clone(),
        };
        sha2::Sha256::digest(sent.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Where a caller puts the subscription key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeyNames {
    /// A header.
    pub header: String,
    /// A query parameter.
    pub query: String,
}

/// One operation of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What people see.
    pub display_name: String,
    /// An HTTP method, in capitals.
    pub method: String,
    /// `/deployments/{deployment}/chat/completions`
    pub url_template: String,
}

impl Operation {
    /// The names between braces of the url template, in order.
    pub fn parameters(&self) -> Vec<&str> {
        self.url_template.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect()
    }
}

/// A product: APIs under one set of limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its name in the gateway.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// Keys of the APIs in it.
    pub apis: BTreeSet<Key>,
    /// Its limits.
    pub policy: Policy<ProductIntent>,
}

/// A subscription of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its name in the gateway.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// What it may call.
    pub access: Access,
    /// Whether its callers may ask for a trace.
    pub tracing: bool,
}

/// What a subscription may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// One API, by key.
    Api(Key),
    /// The APIs of a product, by key.
    Product(Key),
}

impl Access {
    /// `api chat`, `product gold`
    pub fn describe(&self) -> String {
        match self {
            Access::Api(key) => format!("api {key}"),
            Access::Product(key) => format!("product {key}"),
        }
    }
}

/// A named value of the gateway, which policies read as `{{name}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedValue {
    /// Its name in the gateway, and in policies.
    pub name: String,
    /// What it holds.
    pub holds: Holds,
}

/// What a named value holds. Never a secret of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The client id of the gateway's user-assigned identity.
    ClientId,
    /// A secret of a key vault, by its address; the gateway reads it.
    Vault(String),
    /// A text of its own, which nobody looks at; in live state only.
    Text,
}

impl Holds {
    /// `the identity's client id`, `the secret https://...`, `a text`
    pub fn describe(&self) -> String {
        match self {
            Holds::ClientId => "the identity's client id".into(),
            Holds::Vault(secret) => format!("the secret {secret}"),
            Holds::Text => "a text".into(),
        }
    }
}
