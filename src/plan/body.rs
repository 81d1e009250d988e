//! Differences between a body that would be written and the one that is there.
//!
//! Only what would be written is compared, so whatever Azure or somebody adds is theirs. Azure gives back what it was sent
//! in another shape: ids and words in another case, regions by their display name, durations and numbers in another
//! spelling, and nothing where something is off, empty or zero.
//!
//! What the spec has words for is compared by those, in [`super::diff`], and skipped here.

use super::Field;
use crate::time::Duration;
use crate::topology::{Address, Location, defaults};
use serde_json::{Map, Value};

/// What differs, by Azure's own words: `disableLocalAuth`, `tag owner`, `logs[GatewayLogs].enabled`.
pub(super) fn differences(address: &Address, wanted: &Value, there: &Value) -> Vec<Field> {
    let mut found = Found { told: told(address), fields: Vec::new() };
    found.compare("", wanted, Some(there));
    found.left_on(address, wanted, there);
    found.fields
}

/// What a write that leaves it out turns off, so that it is a difference where it is on.
const fn off_unless_written(address: &Address) -> Option<&'static str> {
    match address {
        Address::Diagnostic { .. } => Some("properties.largeLanguageModel.logs"),
        Address::Alert(_) => Some("properties.actions.actionGroups"),
        _ => None,
    }
}

/// Paths that the spec has words for, and those that Azure never gives back.
const fn told(address: &Address) -> &'static [&'static str] {
    match address {
        Address::Gateway => &["location", "sku", "properties.publisherName", "properties.publisherEmail"],
        Address::Account(_) => &["location", "kind"],
        Address::Deployment { .. } => &["sku", "properties"],
        Address::Backend(_) => &["properties.url", "properties.circuitBreaker", "properties.description"],
        Address::Api(_) => &[
            "properties.displayName",
            "properties.description",
            "properties.path",
            "properties.subscriptionKeyParameterNames",
            "properties.format",
            "properties.value",
        ],
        Address::Subscription(_) => &["properties.displayName", "properties.scope", "properties.allowTracing"],
        Address::Product(_) => &["properties.displayName", "properties.description"],
        Address::Logger(_) => &["properties.description", "properties.credentials"],
        Address::NamedValue(_)
        | Address::Grant(_)
        | Address::Pool(_)
        | Address::Operation { .. }
        | Address::Policy(_)
        | Address::ProductPolicy(_) => &["properties"],
        Address::ResourceGroup
        | Address::Identity
        | Address::Workspace
        | Address::AppInsights
        | Address::PrivateEndpoint(_)
        | Address::DnsZoneGroup(_)
        | Address::ProductApi { .. }
        | Address::Diagnostic { .. }
        | Address::DiagnosticSetting
        | Address::Workbook
        | Address::Alert(_) => &[],
    }
}

struct Found {
    told: &'static [&'static str],
    fields: Vec<Field>,
}

impl Found {
    fn compare(&mut self, path: &str, wanted: &Value, there: Option<&Value>) {
        if self.told.contains(&path) {
            return;
        }
        match wanted {
            Value::Null => {}
            // an identity is named by a member that holds nothing
            Value::Object(members) if members.is_empty() && path.starts_with("identity.") => {
                if there.is_none() {
                    self.note(path, None, wanted);
                }
            }
            Value::Object(members) => {
                let there = there.and_then(Value::as_object);
                for (name, wanted) in members {
                    // whose it is, is no property
                    if path == "tags" && name == defaults::STACK_TAG {
                        continue;
                    }
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    self.compare(&path, wanted, there.and_then(|members| member(members, name)));
                }
            }
            Value::Array(items) if items.iter().any(Value::is_object) => self.entries(path, items, there),
            Value::Array(items) => {
                let found = there.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                let all = |one: &[Value], other: &[Value]| {
                    one.iter().all(|item| other.iter().any(|other| same(path, item, other)))
                };
                if !(all(items, found) && all(found, items)) {
                    self.note(path, there, wanted);
                }
            }
            _ if path == "identity.type" => {
                // a service may have an identity of its own beside the one that it was given
                let words = there.and_then(Value::as_str).unwrap_or_default().split(',').map(str::trim);
                if !words.map(Value::from).any(|word| same(path, wanted, &word)) {
                    self.note(path, there, wanted);
                }
            }
            _ => {
                if !there.map_or_else(|| is_nothing(wanted), |there| same(path, wanted, there)) {
                    self.note(path, there, wanted);
                }
            }
        }
    }

    fn left_on(&mut self, address: &Address, wanted: &Value, there: &Value) {
        let Some(path) = off_unless_written(address) else { return };
        let at = |value: &Value| path.split('.').try_fold(value.clone(), |value, name| value.get(name).cloned());
        let on = at(there).filter(|value| !is_nothing(value) && value != "disabled");
        if let (Some(on), None) = (on, at(wanted)) {
            self.fields.push(Field { name: name_of(path), from: Some(shown(&on)), to: None });
        }
    }

    /// Entries with a name are found by it, and others beside them are Azure's, unless they are switched on; those without
    /// stand in their order.
    fn entries(&mut self, path: &str, wanted: &[Value], there: Option<&Value>) {
        let found = there.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let names = ["category", "name", "id"].into_iter();
        let name = names.into_iter().find(|name| wanted.iter().all(|entry| entry.get(name).is_some()));
        for (number, entry) in wanted.iter().enumerate() {
            let (title, other) = match name.and_then(|name| Some((name, entry.get(name)?))) {
                Some((name, value)) => {
                    let named = |other: &&Value| other.get(name).is_some_and(|other| same(path, value, other));
                    (shown(value), found.iter().find(named))
                }
                None => (number.to_string(), found.get(number)),
            };
            self.compare(&format!("{path}[{title}]"), entry, other);
        }
        let on = |other: &&Value| other.get("category").is_some() && other.get("enabled") == Some(&Value::Bool(true));
        for other in found.iter().filter(on).filter(|_| name == Some("category")) {
            let category = other.get("category").unwrap_or(&Value::Null);
            if !wanted.iter().any(|entry| entry.get("category").is_some_and(|entry| same(path, entry, category))) {
                let name = format!("{}[{}].enabled", name_of(path), shown(category));
                self.fields.push(Field { name, from: Some("true".into()), to: None });
            }
        }
        if name.is_none() && found.len() > wanted.len() {
            let count = |entries: usize| Some(format!("{entries} entries"));
            self.fields.push(Field { name: name_of(path), from: count(found.len()), to: count(wanted.len()) });
        }
    }

    fn note(&mut self, path: &str, there: Option<&Value>, wanted: &Value) {
        let there = there.filter(|there| !there.is_null()).map(shown);
        self.fields.push(Field { name: name_of(path), from: there, to: Some(shown(wanted)) });
    }
}

/// Names of members have no case.
fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members
        .get(name)
        .or_else(|| members.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

fn name_of(path: &str) -> String {
    let path = path.strip_prefix("properties.").unwrap_or(path);
    match path.strip_prefix("tags.") {
        Some(tag) => format!("tag {tag}"),
        None => path.to_owned(),
    }
}

/// A value as a person reads it; what is long is not repeated.
fn shown(value: &Value) -> String {
    const LONG: usize = 120;
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    if text.contains('\n') || text.len() > LONG {
        use sha2::Digest;
        let hash: String = sha2::Sha256::digest(text.as_bytes()).iter().take(4).map(|b| format!("{b:02x}")).collect();
        return format!("a text of {} characters ({hash})", text.chars().count());
    }
    text
}

/// What Azure may leave out.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// Whether two values are one in different spellings.
fn same(path: &str, wanted: &Value, there: &Value) -> bool {
    if wanted == there || is_nothing(wanted) && is_nothing(there) {
        return true;
    }
    match (wanted, there) {
        (Value::Number(wanted), Value::Number(there)) => wanted.as_f64() == there.as_f64(),
        (Value::String(wanted), Value::String(there)) => same_text(path, wanted, there),
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_) | Value::Null) => false,
        // a number or a flag as a text
        (wanted, there) => shown(wanted).eq_ignore_ascii_case(&shown(there)),
    }
}

fn same_text(path: &str, wanted: &str, there: &str) -> bool {
    let is_id = |text: &str| text.starts_with('/');
    let is_word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if path.ends_with("location") {
        return Location::new(wanted) == Location::new(there);
    }
    if is_id(wanted) || is_word(wanted) {
        let length = |text| Duration::parse(text).or_else(|| Duration::parse_clock(text));
        let (a, b) = (wanted.trim_end_matches('/'), there.trim_end_matches('/'));
        return a.eq_ignore_ascii_case(b) || length(wanted).is_some_and(|wanted| length(there) == Some(wanted));
    }
    if wanted.starts_with(['{', '['])
        && let (Ok(a), Ok(b)) = (serde_json::from_str::<Value>(wanted), serde_json::from_str::<Value>(there))
    {
        return a == b;
    }
    let lines = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
    lines(wanted) == lines(there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(address: &Address, wanted: Value, there: Value) -> Vec<String> {
        differences(address, &wanted, &there).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_azure_shapes_anew_is_no_difference() {
        let wanted = json!({
            "location": "eastus2",
            "tags": {"owner": "platform", "aoai-lb-stack": "s/u"},
            "sku": {"name": "PerGB2018"},
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "workspaceId": "/subscriptions/S/resourceGroups/rg/providers/X/y",
                "window": "PT5M", "long": "P1D", "on": true, "off": false, "none": null, "zero": {"bytes": 0},
                "threshold": 5, "text": "a\nb\n", "json": "{\"a\": [1, 2]}", "flag": "False",
                "logs": [{"category": "GatewayLogs", "enabled": true}],
                "headers": [], "order": ["b", "A"],
            },
        });
        let there = json!({
            "id": "/x", "location": "East US 2",
            "tags": {"Owner": "platform", "hidden": "x"},
            "sku": {"name": "pergb2018", "more": 1},
            "identity": {"type": "SystemAssigned, UserAssigned"},
            "properties": {
                "workspaceid": "/subscriptions/s/resourcegroups/RG/providers/x/y/",
                "window": "00:05:00", "long": "PT24H", "on": true, "zero": {"bytes": null},
                "threshold": 5.0, "text": "a\r\nb", "json": "{\"a\":[1,2]}", "flag": "false",
                "logs": [{"category": "Other", "enabled": false}, {"category": "GatewayLogs", "enabled": true, "r": {}}],
                "order": ["a", "b"],
            },
        });
        assert_eq!(of(&Address::Workspace, wanted, there), [""; 0]);
    }

    #[test]
    fn what_differs_is_told_in_azures_words() {
        let wanted = json!({
            "tags": {"owner": "platform", "aoai-lb-stack": "s/u"},
            "properties": {
                "disableLocalAuth": true, "query": "A\n| where B", "hours": "PT1H", "enabled": false,
                "logs": [{"category": "GatewayLogs", "enabled": true}, {"category": "Llm", "enabled": true}],
                "allOf": [{"threshold": 5}], "headers": ["a", "b"],
            },
        });
        let there = json!({
            "tags": {"aoai-lb-stack": "other"},
            "properties": {
                "disableLocalAuth": null, "query": "A\n| where b", "hours": "PT2H", "enabled": true,
                "logs": [{"category": "gatewaylogs", "enabled": false}],
                "allOf": [{"threshold": 6}, {"threshold": 7}], "headers": ["a"],
            },
        });
        assert_eq!(
            of(&Address::Workspace, wanted.clone(), there),
            [
                "tag owner platform (new)",
                "disableLocalAuth true (new)",
                "query a text of 11 characters (e75d9dae) -> a text of 11 characters (9c46c809)",
                "hours PT2H -> PT1H",
                "enabled true -> false",
                "logs[GatewayLogs].enabled false -> true",
                "logs[Llm].category Llm (new)",
                "logs[Llm].enabled true (new)",
                "allOf[0].threshold 6 -> 5",
                "allOf 2 entries -> 1 entries",
                "headers a -> a, b",
            ]
        );
        // where there is nothing at all, everything is new but what is off
        assert_eq!(of(&Address::Workspace, wanted, Value::Null).len(), 10);
    }

    #[test]
    fn what_is_not_written_any_more_is_turned_off() {
        let logs =
            |all: &[&str]| -> Vec<Value> { all.iter().map(|c| json!({"category": c, "enabled": true})).collect() };
        let wanted = json!({"properties": {"logs": logs(&["GatewayLogs"])}});
        let there = json!({"properties": {"logs": logs(&["GatewayLogs", "GatewayLlmLogs"])}});
        let said = ["logs[GatewayLlmLogs].enabled true (gone)"];
        assert_eq!(of(&Address::DiagnosticSetting, wanted, there), said);
        let diagnostic =
            Address::Diagnostic { api: "a".into(), logger: crate::topology::address::Logger::AzureMonitor };
        let there = |logs: &str| json!({"properties": {"largeLanguageModel": {"logs": logs}}});
        let wanted = json!({"properties": {}});
        assert_eq!(of(&diagnostic, wanted.clone(), there("enabled")), ["largeLanguageModel.logs enabled (gone)"]);
        assert_eq!(of(&diagnostic, wanted, there("disabled")), [""; 0]);
        assert_eq!(of(&diagnostic, there("enabled"), there("Enabled")), [""; 0]);
    }

    #[test]
    fn what_the_spec_has_words_for_is_compared_by_those() {
        let wanted = json!({"properties": {"url": "https://a", "protocol": "http"}});
        let there = json!({"properties": {"url": "https://b", "protocol": "soap"}});
        assert_eq!(of(&Address::Backend("a".into()), wanted, there), ["protocol soap -> http"]);
    }
}
