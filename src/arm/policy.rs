//! A live policy document: one that we would render, or another.

use crate::topology::{Api, Intent, Policy, ProductIntent};
use crate::{policy, policy_xml};

/// Reads the policy document of an API. It is `Rendered` only where rendering the intent that it carries gives the same
/// document; where the spec has a template of its own, only where that gives the same.
pub fn read(xml: &str, wanted: Option<&Api>) -> Policy {
    match wanted.filter(|api| api.template.is_some()) {
        None => of(xml, policy::intent, policy::render),
        Some(api) => match (of(xml, |_| None::<Intent>, policy::render), policy::text(api)) {
            (Policy::Other(there), Ok(ours)) if policy_xml::canonical(&ours).is_ok_and(|ours| ours == there) => {
                api.policy.clone()
            }
            (other, _) => other,
        },
    }
}

/// Reads the policy document of a product.
pub fn read_product(xml: &str) -> Policy<ProductIntent> {
    of(xml, policy::product_intent, policy::render_product)
}

fn of<I>(xml: &str, intent: impl Fn(&str) -> Option<I>, render: impl Fn(&I) -> String) -> Policy<I> {
    if xml.trim().is_empty() {
        return Policy::Other(String::new());
    }
    let Ok(canonical) = policy_xml::canonical(xml) else {
        // it is compared, and shown, as it stands
        return Policy::Other(xml.to_owned());
    };
    match intent(xml) {
        Some(intent) if policy_xml::canonical(&render(&intent)).is_ok_and(|ours| ours == canonical) => {
            Policy::Rendered(intent)
        }
        _ => Policy::Other(canonical),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::intent::{LimitBy, TokenLimit};
    use crate::topology::{OwnTemplate, Routes};

    fn intent() -> Intent {
        Intent::new(Routes::All("pool".into()))
    }

    #[test]
    fn ours_is_recognised_in_the_form_of_the_service() {
        let text = policy::render(&intent());
        let served = policy_xml::service_form(&text).expect("it is well-formed");
        assert_ne!(text, served);
        for text in [text, served] {
            assert_eq!(read(&text, None), Policy::Rendered(intent()));
        }
    }

    #[test]
    fn ours_with_one_change_is_another() {
        let changed =
            policy::render(&intent()).replacen("<base />", "<base /><set-variable name=\"x\" value=\"1\" />", 1);
        assert!(matches!(read(&changed, None), Policy::Other(text) if text.contains("set-variable")));
        assert_eq!(read("", None), Policy::Other(String::new()));
        assert_eq!(read("no xml <", None), Policy::Other("no xml <".into()));
    }

    #[test]
    fn a_template_of_the_users_own_is_ours_where_it_gives_the_same() {
        let text = "<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /></outbound>\
                    <on-error><base /></on-error></policies>";
        let template = OwnTemplate { path: "own.xml.j2".into(), text: text.into() };
        let api = Api { template: Some(template), ..Api::new("a", Policy::Rendered(intent())) };
        let served = policy_xml::service_form(text).expect("it is well-formed");
        assert_eq!(read(&served, Some(&api)), Policy::Rendered(intent()));
        assert!(matches!(read(&served, None), Policy::Other(_)));
        // what the strategy would give is not what the template gives
        assert!(matches!(read(&policy::render(&intent()), Some(&api)), Policy::Other(_)));
    }

    #[test]
    fn a_products_policy_is_recognised_too() {
        let token_limit = TokenLimit { tokens_per_minute: 9, estimate_prompt: false, by: LimitBy::Subscription };
        let intent = ProductIntent { product: "gold".into(), token_limit: Some(token_limit), quota: None };
        let served = policy_xml::service_form(&policy::render_product(&intent)).expect("it is well-formed");
        assert_eq!(read_product(&served), Policy::Rendered(intent));
        assert!(matches!(read_product("<policies><inbound /></policies>"), Policy::Other(text) if !text.is_empty()));
        assert_eq!(read_product(" "), Policy::Other(String::new()));
    }
}
