//! What a call asks for: a deployment by its path, a deployment by its body, or something that one account keeps.

use super::Intent;
use crate::wire::Method;

/// Calls of the surface `v1` that any account answers, by the `model` of their body. Every other one belongs to the
/// account that made what it is about.
pub const BALANCED: [&str; 5] =
    ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/images/generations", "/v1/responses"];

/// The one of them whose answer is kept unless the body says otherwise.
pub const KEPT: &str = "/v1/responses";

/// What in a body names something that an account keeps.
pub const KEPT_BEFORE: [&str; 2] = ["previous_response_id", "conversation"];

/// What a call asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called<'a> {
    /// A deployment, by the path.
    Deployment {
        /// Its name, decoded; empty where the path has none.
        name: String,
        /// What the backend is asked for.
        rest: &'a str,
    },
    /// A deployment, by the body.
    Model {
        /// Its name; empty where the body has none.
        name: &'a str,
        /// What the backend is asked for.
        rest: &'a str,
    },
    /// Something that one account keeps, or that no deployment serves.
    Account {
        /// What the backend is asked for.
        rest: &'a str,
    },
}

/// What matters of a caller's body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// Whether it is a JSON object: any other says nothing.
    pub object: bool,
    /// The deployment that it names; empty for none.
    pub model: String,
    /// Whether it goes on from an answer that an account has kept.
    pub previous: bool,
    /// Whether its answer is to be kept, where it says so.
    pub store: Option<bool>,
}

/// No body, or none that says anything.
pub static NO_BODY: Body = Body::NONE;

impl Body {
    /// No body, or none that says anything.
    pub const NONE: Body = Body { object: false, model: String::new(), previous: false, store: None };

    /// Reads a body; what is no JSON object says nothing.
    pub fn read(content_type: &str, bytes: &[u8]) -> Body {
        let multipart = content_type.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
        let json = if multipart { None } else { serde_json::from_slice::<serde_json::Value>(bytes).ok() };
        let Some(serde_json::Value::Object(fields)) = json else { return Body::NONE };
        Body {
            object: true,
            model: fields.get("model").and_then(|model| model.as_str()).unwrap_or_default().to_owned(),
            previous: KEPT_BEFORE.iter().any(|name| fields.get(*name).is_some_and(|value| !value.is_null())),
            store: fields.get("store").and_then(serde_json::Value::as_bool),
        }
    }
}

impl Intent {
    /// What a call asks for, by its path behind the API's own (`below`) and its body.
    pub fn called<'a>(&self, method: Method, below: &'a str, body: &'a Body) -> Called<'a> {
        let v1 = below.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("/v1/"));
        if v1 && self.v1.is_some() {
            let balanced = method == Method::Post && BALANCED.iter().any(|path| path.eq_ignore_ascii_case(below));
            // who has an account for what is kept wants it kept there
            let kept = self.stateful.is_some() && body.object && body.store.unwrap_or(below.eq_ignore_ascii_case(KEPT));
            return match balanced && !body.previous && !kept {
                true => Called::Model { name: &body.model, rest: &below[3..] },
                false => Called::Account { rest: below },
            };
        }
        match by_deployment(below) {
            Some((name, rest)) => Called::Deployment { name, rest },
            None => Called::Account { rest: if below.is_empty() { "/" } else { below } },
        }
    }
}

/// A caller's path behind the API's own, with its slash: `/openai/v1/models` of the API `openai` is `/v1/models`.
pub fn below<'a>(path: &'a str, api_path: &str) -> &'a str {
    let rest = path.get(api_path.len()..).unwrap_or_default();
    rest.find('/').map_or("", |at| &rest[at..])
}

/// The deployment that a path names, decoded, and what follows, which is what the backend is asked for; `None` where
/// the path has no place for one.
///
/// `/deployments/gpt/chat/completions` is `gpt` and `/chat/completions`.
pub fn by_deployment(below: &str) -> Option<(String, &str)> {
    const MARK: &str = "/deployments/";
    let at = below.to_ascii_lowercase().find(MARK)?;
    let rest = &below[at + MARK.len()..];
    let (name, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Some((unescape(name), if tail.is_empty() { "/" } else { tail }))
}

/// Percent decoding; what is no escape, or would be no text, stays.
pub fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        match digits.filter(|d| first == b'%' && d.bytes().all(|b| b.is_ascii_hexdigit())) {
            Some(digits) => {
                bytes.push(u8::from_str_radix(digits, 16).unwrap_or(b'%'));
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|byte| format!("%{byte:02X}")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Routes;

    #[test]
    fn a_path_is_split_behind_the_api() {
        let split = |path, api| by_deployment(below(path, api));
        let chat = Some(("gpt-4.1".to_owned(), "/chat/completions"));
        assert_eq!(split("/openai/deployments/gpt-4.1/chat/completions", "openai"), chat);
        assert_eq!(split("/a/deployments/DEPLOYMENTS/gpt-4.1/chat/completions", "a/deployments"), chat);
        assert_eq!(split("/openai/deployments/my%20m%zz/x", "openai"), Some(("my m%zz".to_owned(), "/x")));
        assert_eq!(split("/openai/deployments/%C3%BC%C3", "openai"), Some(("ü%C3".to_owned(), "/")));
        assert_eq!(split("/openai/deployments/gpt", "openai"), Some(("gpt".to_owned(), "/")));
        assert_eq!(split("/openai/deployments//x", "openai"), Some((String::new(), "/x")));
        for none in ["/openai/deployments", "/openai/models", "", "/o"] {
            assert_eq!(split(none, "openai"), None, "{none}");
        }
        assert_eq!((below("/openai", "openai"), below("/v1/x", ""), below("/a/b/v1/x", "a/b")), ("", "/v1/x", "/v1/x"));
    }

    #[test]
    fn a_body_says_what_it_can() {
        let read = |text: &str| Body::read("application/json", text.as_bytes());
        let named = Body { object: true, model: "gpt".into(), ..Body::NONE };
        assert_eq!(read(r#"{"model":"gpt"}"#), named);
        assert_eq!(read(r#"{"model":"gpt","previous_response_id":null,"store":"no"}"#), named);
        assert!(
            read(r#"{"previous_response_id":"resp_1"}"#).previous && read(r#"{"conversation":{"id":"c"}}"#).previous
        );
        assert_eq!(read(r#"{"model":5,"store":false}"#), Body { object: true, store: Some(false), ..Body::NONE });
        for nothing in ["", "[1]", "{", "\u{0}", "\"gpt\""] {
            assert_eq!(read(nothing), Body::NONE, "{nothing}");
        }
        assert_eq!(Body::read("Multipart/form-data; boundary=x", br#"{"model":"gpt"}"#), Body::NONE);
    }

    #[test]
    fn calls_by_model_are_those_that_any_account_answers() {
        let mut intent = Intent::new(Routes::All("p".into()));
        intent.v1 = Some(Routes::All("p-v1".into()));
        let gpt = Body { object: true, model: "gpt".into(), ..Body::NONE };
        let called = |intent: &Intent, method, below, body: &Body| match intent.called(method, below, body) {
            Called::Deployment { name, rest } => format!("deployment {name} {rest}"),
            Called::Model { name, rest } => format!("model {name} {rest}"),
            Called::Account { rest } => format!("account {rest}"),
        };
        let post = |below, body: &Body| called(&intent, Method::Post, below, body);
        assert_eq!(post("/v1/chat/completions", &gpt), "model gpt /chat/completions");
        assert_eq!(post("/V1/Embeddings", &Body::NONE), "model  /Embeddings");
        assert_eq!(post("/v1/responses", &gpt), "model gpt /responses");
        assert_eq!(post("/v1/responses", &Body { previous: true, ..gpt.clone() }), "account /v1/responses");
        for other in ["/v1/responses/r/cancel", "/v1/files", "/v1/", "/assistants", "/v1"] {
            assert_eq!(post(other, &gpt), format!("account {other}"));
        }
        assert_eq!(called(&intent, Method::Get, "/v1/responses", &gpt), "account /v1/responses");
        assert_eq!(post("/deployments/v1/chat/completions", &gpt), "deployment v1 /chat/completions");
        assert_eq!(post("", &gpt), "account /");

        intent.stateful = Some("east-stateful".into());
        let pinned = |below, store| called(&intent, Method::Post, below, &Body { store, ..gpt.clone() });
        assert_eq!(pinned("/v1/responses", None), "account /v1/responses");
        assert_eq!(pinned("/v1/responses", Some(false)), "model gpt /responses");
        assert_eq!(pinned("/v1/chat/completions", None), "model gpt /chat/completions");
        assert_eq!(pinned("/v1/chat/completions", Some(true)), "account /v1/chat/completions");

        let nothing = called(&intent, Method::Post, "/v1/responses", &Body::NONE);
        assert_eq!(nothing, "model  /responses", "no body says nothing, not that it is to be kept");

        intent.v1 = None;
        assert_eq!(called(&intent, Method::Post, "/v1/chat/completions", &gpt), "account /v1/chat/completions");
    }
}
