//! Small things that answers are made of: instants, ids, ETags, names in another case, versions cut out.

use super::World;
use crate::catalogue::{PROPERTIES, not_older, region};
use crate::time::{Duration, Time};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// What every secret that is made here has in it.
const CANARY: &str = "CANARY";

/// `2023-07-25T08:03:24.9463833Z`: seven digits at most, without zeros at the end, as .NET writes it.
pub(super) fn stamp(time: Time) -> String {
    let whole = time.rfc3339();
    let digits = format!("{:07}", time.0 % 1_000_000_000 / 100);
    match digits.trim_end_matches('0') {
        "" => whole,
        fraction => whole.replace('Z', &format!(".{fraction}Z")),
    }
}

/// `7/9/2018 12:08:11 PM`, as .NET writes a date for an American.
pub(super) fn date_of_the_us(time: Time) -> String {
    let whole = time.rfc3339();
    let number = |range: std::ops::Range<usize>| whole.get(range).and_then(|part| part.parse().ok()).unwrap_or(0u32);
    let (year, month, day, hour) = (number(0..4), number(5..7), number(8..10), number(11..13));
    let half = if hour < 12 { "AM" } else { "PM" };
    format!("{month}/{day}/{year} {}:{} {half}", (hour + 11) % 12 + 1, whole.get(14..19).unwrap_or(""))
}

/// `PT1M2.5S`, hours and minutes as .NET's XmlConvert has them, seven digits at most.
pub(super) fn span(length: Duration) -> String {
    Duration(length.0 / 100 * 100).iso()
}

/// 100-nanosecond ticks since the year 1.
pub(super) fn ticks(time: Time) -> u64 {
    621_355_968_000_000_000 + time.0 / 100
}

/// A location's display name, `East US 2`; a region that is not known stays as it is.
pub(super) fn display_location(location: &str) -> String {
    region(location).map_or_else(|| location.to_string(), |region| region.display.to_string())
}

/// A location's short name, `eastus2`.
pub(super) fn short_location(location: &str) -> String {
    match region(location) {
        Some(region) => region.name.to_string(),
        None => location.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_lowercase()).collect(),
    }
}

/// Drops from `properties` what an older api-version does not know.
pub(super) fn cut_to_version(kind: &str, version: &str, properties: &mut Value) {
    for property in PROPERTIES.iter().filter(|p| p.resource == kind && !not_older(version, p.since)) {
        let path: Vec<&str> = property.path.split('.').collect();
        cut(properties, &path);
    }
}

fn cut(value: &mut Value, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else { return };
    let Value::Object(map) = value else { return };
    if rest.is_empty() {
        map.shift_remove(*first);
        return;
    }
    match first.strip_suffix("[]") {
        Some(name) => {
            for item in map.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten() {
                cut(item, rest);
            }
        }
        None => {
            if let Some(inner) = map.get_mut(*first) {
                cut(inner, rest);
            }
        }
    }
}

/// A JSON merge patch (RFC 7386), as a PATCH of Azure's means it.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            match value {
                Value::Null => {
                    target.shift_remove(name);
                }
                value => merge(target.entry(name.clone()).or_insert(Value::Null), value),
            }
        }
    }
}

/// What a PATCH leaves of a resource: a merge, but for its tags, which a PATCH replaces as a whole.
pub(super) fn patched(kept: &Map<String, Value>, patch: &Value) -> Value {
    let mut body = Value::Object(kept.clone());
    merge(&mut body, patch);
    if let (Value::Object(body), Some(tags)) = (&mut body, patch.get("tags")) {
        body.insert("tags".into(), tags.clone());
    }
    body
}

/// An object, `{}` for anything else.
pub(super) fn object(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

impl World {
    /// Bits that follow from the seed and `parts` alone.
    pub(super) fn hash(&self, parts: &[&str]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.state.seed.to_be_bytes());
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().into()
    }

    /// Bits that were never drawn before.
    pub(super) fn fresh(&mut self, label: &str) -> [u8; 32] {
        self.state.serial += 1;
        self.hash(&[label, &self.state.serial.to_string()])
    }

    /// A new id.
    pub(super) fn new_guid(&mut self, label: &str) -> String {
        guid(&self.fresh(label))
    }

    /// A new ETag of API Management: eight bytes that grow.
    pub(super) fn new_etag(&mut self) -> String {
        self.state.serial += 1;
        STANDARD.encode((0x1_0000_0000 + self.state.serial).to_be_bytes())
    }

    /// A new ETag of an account.
    pub(super) fn new_account_etag(&mut self, now: Time) -> String {
        self.state.serial += 1;
        format!("{:08x}-0000-2300-0000-{:08x}0000", self.state.serial, now.0 / 1_000_000_000)
    }

    /// A new secret key of letters and digits. Every one has the word CANARY in it, so that a search finds one that has
    /// come where it does not belong.
    pub(super) fn new_key(&mut self, label: &str, length: usize) -> String {
        const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let bits: Vec<u8> = (0..length.div_ceil(32)).flat_map(|_| self.fresh(label)).collect();
        let mut key: String =
            bits.iter().take(length).map(|byte| char::from(LETTERS[usize::from(*byte) % 62])).collect();
        let at = length.saturating_sub(CANARY.len()).min(8);
        key.replace_range(at..(at + CANARY.len()).min(key.len()), CANARY);
        key
    }

    /// The parameters that sign an operation's url: a time, a whole certificate, a signature, a hash. Each answer signs
    /// anew, and every url stays good.
    pub(super) fn signature(&self, now: Time, operation: &str) -> String {
        let time = now.0.to_string();
        let s = URL_SAFE_NO_PAD.encode([self.hash(&["s", operation, &time]); 8].concat());
        let h = URL_SAFE_NO_PAD.encode(self.hash(&["h", operation, &time]));
        let c: Vec<u8> = (0..66).flat_map(|i| self.hash(&["c", &i.to_string()])).collect();
        format!("&t={}&c=MII{}&s={s}&h={h}", ticks(now), URL_SAFE_NO_PAD.encode(c))
    }

    /// `Retry-After` by the scale: whole seconds, at least 1.
    pub(super) fn retry_after(&self, seconds: u64) -> String {
        Duration::from_secs(seconds).scaled_down(self.state.scale).secs_ceil().max(1).to_string()
    }

    /// A length by the scale.
    pub(super) fn scaled(&self, length: Duration) -> Duration {
        length.scaled_down(self.state.scale)
    }
}

/// A GUID from the first 16 bytes.
pub(super) fn guid(bytes: &[u8; 32]) -> String {
    let h = hex(&bytes[..16]);
    let variant = ["8", "9", "a", "b"][usize::from(bytes[8] >> 6)];
    format!("{}-{}-4{}-{variant}{}-{}", &h[..8], &h[8..12], &h[13..16], &h[17..20], &h[20..32])
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_dotnets() {
        assert_eq!(stamp(Time(1_700_000_000_946_383_300)), "2023-11-14T22:13:20.9463833Z");
        assert_eq!(stamp(Time(1_700_000_000_500_000_000)), "2023-11-14T22:13:20.5Z");
        assert_eq!(stamp(Time::from_secs(1_700_000_000)), "2023-11-14T22:13:20Z");
        assert_eq!(ticks(Time::ZERO), 621_355_968_000_000_000);
        assert_eq!(date_of_the_us(Time::from_secs(1_700_000_000)), "11/14/2023 10:13:20 PM");
        assert_eq!(date_of_the_us(Time::from_secs(1_704_067_205)), "1/1/2024 12:00:05 AM");
    }

    #[test]
    fn an_older_version_does_not_see_younger_properties() {
        let whole = json!({"type": "Pool", "pool": {"services": [{"id": "x", "weight": 1, "priority": 2}]}});
        let kind = "Microsoft.ApiManagement/service/backends";
        let seen = |version| {
            let mut value = whole.clone();
            cut_to_version(kind, version, &mut value);
            value
        };
        assert_eq!(seen("2024-05-01"), whole);
        assert_eq!(seen("2023-05-01-preview"), json!({"type": "Pool", "pool": {"services": [{"id": "x"}]}}));
        assert_eq!(seen("2022-08-01"), json!({}));
    }

    #[test]
    fn a_patch_is_a_merge_patch() {
        let mut value = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        merge(&mut value, &json!({"a": {"b": null, "e": 3}, "d": [2]}));
        assert_eq!(value, json!({"a": {"c": 2, "e": 3}, "d": [2]}));
    }
}
