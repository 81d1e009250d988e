//! A live policy document: one that we would render, or another.

use crate::topology::Policy;
use crate::{policy, policy_xml};

/// Reads a policy document. It is `Rendered` only where rendering the intent that it carries gives the same document.
pub fn read(xml: &str) -> Policy {
    if xml.trim().is_empty() {
        return Policy::Other(String::new());
    }
    let Ok(canonical) = policy_xml::canonical(xml) else {
        // it is compared, and shown, as it stands
        return Policy::Other(xml.to_owned());
    };
    match policy::intent(xml) {
        Some(intent) if policy_xml::canonical(&policy::render(&intent)).is_ok_and(|ours| ours == canonical) => {
            Policy::Rendered(intent)
        }
        _ => Policy::Other(canonical),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Intent, Routes};

    fn intent() -> Intent {
        Intent::new(Routes::All("pool".into()))
    }

    #[test]
    fn ours_is_recognised_in_the_form_of_the_service() {
        let text = policy::render(&intent());
        let served = policy_xml::service_form(&text).expect("it is well-formed");
        assert_ne!(text, served);
        for text in [text, served] {
            assert_eq!(read(&text), Policy::Rendered(intent()));
        }
    }

    #[test]
    fn ours_with_one_change_is_another() {
        let changed =
            policy::render(&intent()).replacen("<base />", "<base /><set-variable name=\"x\" value=\"1\" />", 1);
        assert!(matches!(read(&changed), Policy::Other(text) if text.contains("set-variable")));
        assert_eq!(read(""), Policy::Other(String::new()));
        assert_eq!(read("no xml <"), Policy::Other("no xml <".into()));
    }
}
