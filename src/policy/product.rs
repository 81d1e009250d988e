//! The policy of a product: the limits of whoever subscribes to it, counted by product and subscription.

use super::print::{self, csharp, environment, xml_attribute};
use crate::topology::ProductIntent;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minijinja::{Environment, context};
use std::sync::OnceLock;

const TEMPLATES: &[(&str, &str)] = &[("product.xml.j2", include_str!("../../templates/policy/product.xml.j2"))];

/// The policy that does what `intent` says.
pub fn render_product(intent: &ProductIntent) -> String {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| environment(TEMPLATES, print::printed));
    let template = engine.get_template("product.xml.j2").expect("our templates are there");
    let json = serde_json::to_vec(intent).expect("an intent is plain data");
    let marker = format!("{}{}", super::FORMAT, URL_SAFE_NO_PAD.encode(json));
    let context = context! {
        marker => xml_attribute(&marker),
        counter => csharp(&format!("{}:", intent.product)),
        tokens_per_minute => intent.token_limit.as_ref().map(|limit| limit.tokens_per_minute),
        estimate => intent.token_limit.as_ref().is_none_or(|limit| limit.estimate_prompt),
        quota => intent.quota.as_ref().map(|quota| context! {
            counter => csharp(&format!("{}:quota:", intent.product)),
            tokens => quota.tokens,
            per => xml_attribute(quota.per.as_str()),
        }),
    };
    template.render(context).unwrap_or_else(|error| panic!("our templates fit an intent: {error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy_xml;
    use crate::topology::intent::{LimitBy, Period, TokenLimit, TokenQuota};

    #[test]
    fn limits_are_counted_by_product_and_subscription() {
        let limit = TokenLimit { tokens_per_minute: 200_000, estimate_prompt: true, by: LimitBy::Subscription };
        let quota = TokenQuota { tokens: 50_000_000, per: Period::Monthly };
        let intent = ProductIntent { product: "gold".into(), token_limit: Some(limit), quota: Some(quota) };
        let text = render_product(&intent);
        assert!(policy_xml::parse(&text).is_ok(), "{text}");
        let count = text.matches("<llm-token-limit ").count();
        assert_eq!(count, 2);
        assert!(text.contains(r#"counter-key='@("gold:" + context.Subscription.Id)' tokens-per-minute="200000""#));
        assert!(text.contains(r#"token-quota="50000000" token-quota-period="Monthly""#));
        let none = render_product(&ProductIntent { token_limit: None, quota: None, ..intent });
        assert!(!none.contains("llm-token-limit"));
    }
}
