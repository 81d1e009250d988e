//! The page for people, and what may be printed into it.
//!
//! It holds nothing of the Azure: a script in it asks for that with the token, which comes behind the `#` of its address
//! and so is sent to nobody. It loads nothing from elsewhere, and no other page can frame it.

use crate::policy::print::environment;
use crate::wire::Response;
use minijinja::{Environment, Value, context, value::Object};
use std::fmt::{self, Display};
use std::sync::OnceLock;

const NAME: &str = "emulator.html.j2";
const TEMPLATES: &[(&str, &str)] = &[(NAME, include_str!("../../templates/emulator.html.j2"))];

/// Text that is HTML already: escaped for an element and for a quoted attribute.
#[derive(Debug)]
struct Html(String);

/// JSON that can stand inside a script element.
#[derive(Debug)]
struct Script(String);

impl Object for Html {}
impl Object for Script {}

impl Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn html(text: &str) -> Value {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    Value::from_object(Html(escaped))
}

fn script(value: &serde_json::Value) -> Value {
    // no tag can end or begin inside, and no line of JavaScript either
    let text = value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    Value::from_object(Script(text.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")))
}

fn printed(value: &Value) -> Option<&dyn Display> {
    let html = value.downcast_object_ref::<Html>().map(|text| text as &dyn Display);
    html.or_else(|| value.downcast_object_ref::<Script>().map(|text| text as &dyn Display))
}

/// The page. `nonce` is a word that nobody can guess: only what carries it runs.
pub(super) fn page(nonce: u64) -> Response {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| environment(TEMPLATES, printed));
    let nonce = format!("{nonce:016x}");
    let version = env!("CARGO_PKG_VERSION");
    let data = serde_json::json!({ "version": version });
    let template = engine.get_template(NAME).expect("our template is there");
    let text = template
        .render(context! { version => html(version), data => script(&data), nonce => html(&nonce) })
        .unwrap_or_else(|error| panic!("our template fits: {error:#}"));
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let mut response = Response::empty(200)
        .header("Content-Type", "text/html; charset=utf-8")
        .header("Content-Security-Policy", policy)
        .header("X-Frame-Options", "DENY")
        .header("X-Content-Type-Options", "nosniff")
        .header("Referrer-Policy", "no-referrer")
        .header("Cache-Control", "no-store");
    response.body = text.into_bytes();
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_and_loads_nothing() {
        let response = page(7);
        let text = String::from_utf8(response.body.clone()).expect("UTF-8");
        assert!(text.starts_with("<!doctype html>") && text.trim_end().ends_with("</html>"));
        assert_eq!(text.matches("nonce=\"0000000000000007\"").count(), 2);
        assert!(!text.contains("<<") && !text.contains("<%"));
        for outside in ["src=", "@import", "url(", "//cdn"] {
            assert!(!text.contains(outside), "{outside}");
        }
        assert!(response.headers.get("Content-Security-Policy").is_some_and(|csp| csp.contains("default-src 'none'")));
    }

    #[test]
    fn what_is_printed_stays_what_it_is() {
        let shown = |value: &Value| printed(value).map(ToString::to_string).unwrap_or_default();
        assert_eq!(shown(&html("<a b=\"'\">&")), "&lt;a b=&quot;&#39;&quot;&gt;&amp;");
        let hostile = serde_json::json!({"a": "</script><!--\u{2028}&"});
        let written = shown(&script(&hostile));
        assert!(!written.contains(['<', '>', '&', '\u{2028}']));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).expect("JSON"), hostile);
        assert!(printed(&Value::from("plain")).is_none());
    }
}
