//! A live policy document: one that we would render, or another.

use crate::policy_xml;
use crate::topology::Policy;

/// Reads a policy document. It is `Rendered` only where rendering the intent that it carries gives the same document.
pub(super) fn read(xml: &str) -> Policy {
    if xml.trim().is_empty() {
        return Policy::Other(String::new());
    }
    match policy_xml::canonical(xml) {
        Ok(canonical) => Policy::Other(canonical),
        // it is compared, and shown, as it stands
        Err(_) => Policy::Other(xml.to_owned()),
    }
}
