//! What callers can call: tables of operations, our own.
//!
//! Sources: the paths of `Azure/azure-rest-api-specs` data-plane/AzureOpenAI/inference 2024-10-21 and of its v1
//! document (2025-08), those that the OpenAI SDKs use.

use super::{Key, Operation};
use std::collections::BTreeMap;

/// Which surfaces an API serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surfaces {
    /// `/deployments/NAME/...`
    Deployments,
    /// `/v1/...`
    V1,
    /// Both.
    Both,
}

/// Operations by deployment: name, title, what follows the deployment.
const BY_DEPLOYMENT: [(&str, &str, &str); 7] = [
    ("audio-speech", "Speech", "audio/speech"),
    ("audio-transcriptions", "Transcriptions", "audio/transcriptions"),
    ("audio-translations", "Translations", "audio/translations"),
    ("chat-completions", "Chat completions", "chat/completions"),
    ("completions", "Completions", "completions"),
    ("embeddings", "Embeddings", "embeddings"),
    ("images-generations", "Image generations", "images/generations"),
];

/// Operations of the surface v1 whose body names a model.
const V1: [(&str, &str, &str); 5] = [
    ("v1-chat-completions", "Chat completions", "chat/completions"),
    ("v1-completions", "Completions", "completions"),
    ("v1-embeddings", "Embeddings", "embeddings"),
    ("v1-images-generations", "Image generations", "images/generations"),
    ("v1-responses", "Responses", "responses"),
];

/// Operations that only the account that made a thing can answer: name, title, method, path.
const STATEFUL: [(&str, &str, &str, &str); 14] = [
    ("v1-responses-get", "Get a response", "GET", "/v1/responses/{id}"),
    ("v1-responses-delete", "Delete a response", "DELETE", "/v1/responses/{id}"),
    ("v1-responses-cancel", "Cancel a response", "POST", "/v1/responses/{id}/cancel"),
    ("v1-responses-items", "List a response's input items", "GET", "/v1/responses/{id}/input_items"),
    ("v1-files-list", "List files", "GET", "/v1/files"),
    ("v1-files-create", "Upload a file", "POST", "/v1/files"),
    ("v1-files-get", "Get a file", "GET", "/v1/files/{id}"),
    ("v1-files-delete", "Delete a file", "DELETE", "/v1/files/{id}"),
    ("v1-files-content", "Get a file's content", "GET", "/v1/files/{id}/content"),
    ("v1-batches-list", "List batches", "GET", "/v1/batches"),
    ("v1-batches-create", "Create a batch", "POST", "/v1/batches"),
    ("v1-batches-get", "Get a batch", "GET", "/v1/batches/{id}"),
    ("v1-batches-cancel", "Cancel a batch", "POST", "/v1/batches/{id}/cancel"),
    ("v1-models-list", "List models", "GET", "/v1/models"),
];

/// The operations of an API. Stateful ones stand on the surface v1 and where `stateful` says that one account gets them;
/// without it a response by id is there all the same, and refused with the reason.
pub fn operations_of(surfaces: Surfaces, pinned: bool) -> BTreeMap<Key, Operation> {
    let operation = |title: &str, method: &str, url_template: String| Operation {
        display_name: title.into(),
        method: method.into(),
        url_template,
    };
    let mut all = BTreeMap::new();
    if surfaces != Surfaces::V1 {
        for (name, title, path) in BY_DEPLOYMENT {
            all.insert(name.into(), operation(title, "POST", format!("/deployments/{{deployment}}/{path}")));
        }
    }
    if surfaces != Surfaces::Deployments {
        for (name, title, path) in V1 {
            all.insert(name.into(), operation(title, "POST", format!("/v1/{path}")));
        }
    }
    if surfaces != Surfaces::Deployments || pinned {
        for (name, title, method, path) in STATEFUL {
            all.insert(name.into(), operation(title, method, path.into()));
        }
    }
    all
}

/// Every path by every method.
pub fn every_operation() -> BTreeMap<Key, Operation> {
    const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    let operation = |method: &str| {
        let name = format!("all-{}", method.to_ascii_lowercase());
        (name, Operation { display_name: format!("{method} all"), method: method.into(), url_template: "/*".into() })
    };
    METHODS.into_iter().map(operation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_by_deployment_name_their_deployment() {
        let all = operations_of(Surfaces::Deployments, false);
        assert_eq!(all.len(), BY_DEPLOYMENT.len());
        assert!(all.values().all(|operation| operation.parameters() == ["deployment"]));
    }

    #[test]
    fn surfaces_add_up() {
        let count = |surfaces, pinned| operations_of(surfaces, pinned).len();
        assert_eq!(count(Surfaces::V1, false), V1.len() + STATEFUL.len());
        assert_eq!(count(Surfaces::Both, true), count(Surfaces::V1, true) + BY_DEPLOYMENT.len());
        assert_eq!(count(Surfaces::Deployments, true), BY_DEPLOYMENT.len() + STATEFUL.len());
        assert_eq!(every_operation().len(), 7);
    }
}
