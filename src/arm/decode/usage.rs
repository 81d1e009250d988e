//! What of each quota is used. It only serves to refuse early, so what is odd is passed over.

use super::{Answers, text};
use crate::catalogue::quota_key;
use crate::topology::{Location, Usage};
use serde_json::Value;
use std::collections::BTreeMap;

/// The quotas that Azure told, by region and key.
pub fn usage(answers: &Answers) -> BTreeMap<(Location, String), Usage> {
    let all = answers.usages.iter().flat_map(|(location, quotas)| quotas.iter().map(move |quota| (location, quota)));
    all.filter_map(|(location, quota)| {
        let name = text(quota, "/name/value");
        // numbers come with and without a dot; a part of a unit is one that is used, and none that is left
        let figure = |pointer: &str| quota.pointer(pointer).and_then(Value::as_f64).filter(|n| *n >= 0.0);
        let (used, limit) = (figure("/currentValue")?.ceil() as u64, figure("/limit")?.floor() as u64);
        let usage = Usage { name: name.to_owned(), used, limit };
        (!name.is_empty()).then(|| ((location.clone(), quota_key(name)), usage))
    })
    .collect()
}
