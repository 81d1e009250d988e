//! The policy of a product: what its subscriptions may use, all its APIs together.
//!
//! 1. `<base />`, our marker as in an API's policy, then one `llm-token-limit` whose counter is the product's name, a colon
//!    and the subscription's id. It stands before the API's policy runs, so before anybody knows the pool: a product has
//!    no count by pool, and `by: pool` counts by subscription here.
//! 2. Nothing else: an API's policy does not know products, and one may stand in several.

use super::context::limit;
use super::print::{csharp, xml_attribute};
use super::{marker, rendered, unmarked};
use crate::topology::{ProductIntent, intent};
use minijinja::context;

/// The policy that does what `intent` says.
pub fn render_product(intent: &ProductIntent) -> String {
    let ProductIntent { product, token_limit, quota } = intent;
    let context = context! {
        marker => xml_attribute(&marker(intent)),
        limits => (token_limit.is_some() || quota.is_some()).then_some(1),
        key => csharp(&format!("{product}:")),
        token_limit => token_limit.as_ref().map(limit),
        // a quota alone is counted by what backends say, which costs no delay
        estimate_prompt => token_limit.as_ref().is_some_and(|limit| limit.estimate_prompt),
        quota => quota.as_ref().map(|quota| {
            context! { tokens => quota.tokens, per => xml_attribute(quota.per.as_str()) }
        }),
        headers => context! {
            remaining => xml_attribute(intent::REMAINING_HEADER),
            consumed => xml_attribute(intent::CONSUMED_HEADER),
        },
    };
    rendered("product.xml.j2", context)
}

/// The intent that a product's policy of ours carries, like [`super::intent`].
pub fn product_intent(xml: &str) -> Option<ProductIntent> {
    unmarked(xml)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy_xml;
    use crate::topology::Intent;
    use crate::topology::Routes;
    use crate::topology::intent::{LimitBy, Period, TokenLimit, TokenQuota};

    fn gold() -> ProductIntent {
        let token_limit = TokenLimit { tokens_per_minute: 200_000, estimate_prompt: true, by: LimitBy::Subscription };
        let quota = TokenQuota { tokens: 50_000_000_000, per: Period::Monthly };
        ProductIntent { product: "gold\"".into(), token_limit: Some(token_limit), quota: Some(quota) }
    }

    #[test]
    fn a_products_policy_is_read_back_and_is_no_apis() {
        let api = super::super::render(&Intent::new(Routes::All("p".into())));
        for intent in [gold(), ProductIntent { product: "free".into(), token_limit: None, quota: None }] {
            let text = render_product(&intent);
            assert_eq!(product_intent(&text), Some(intent));
            assert_eq!((super::super::intent(&text), product_intent(&api)), (None, None));
        }
    }

    #[test]
    fn limit_and_quota_are_one_element_with_one_counter() {
        let limits = |intent: &ProductIntent| {
            let document = policy_xml::parse(&render_product(intent)).expect("XML");
            let found = document.root.descendants().into_iter().filter(|e| e.name == "llm-token-limit");
            let named = |e: &policy_xml::Element| {
                let names = ["tokens-per-minute", "token-quota", "token-quota-period", "estimate-prompt-tokens"];
                names.map(|name| e.attribute(name).unwrap_or("-").to_owned()).join(" ")
            };
            let keys = |e: &policy_xml::Element| e.attribute("counter-key").unwrap_or_default().to_owned();
            found.map(|e| (named(e), keys(e))).collect::<Vec<_>>()
        };
        let key = r#"@("gold\":" + (context.Subscription?.Id ?? context.Request.IpAddress))"#.to_owned();
        assert_eq!(limits(&gold()), [("200000 50000000000 Monthly true".into(), key.clone())]);
        let quota = ProductIntent { token_limit: None, ..gold() };
        assert_eq!(limits(&quota), [("- 50000000000 Monthly false".into(), key.clone())]);
        let rate = ProductIntent { quota: None, ..gold() };
        assert_eq!(limits(&rate), [("200000 - - true".into(), key)]);
        assert_eq!(limits(&ProductIntent { token_limit: None, quota: None, ..gold() }), []);
    }
}
