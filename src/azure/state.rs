//! What the local Azure keeps, as it stands in its file.
//!
//! Everything that will happen is written down with its time; [`super::advance`] makes it happen when a later request
//! looks. A resource's body is kept in the shape of the newest api-version; `show` functions of the providers cut it to
//! the version asked for.

use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::Unreadable;
use super::deployments::Deployment;
use super::faults::{Armed, Failed};
use super::lro::Operation;
use super::providers::Registration;

/// The format of the file. A change that an older program cannot read raises it, and gets its step in [`upgrade`].
///
/// 2 holds more than 1, faults among it; a later field may be left out (`serde(default)`) or has its step too.
pub(super) const FORMAT: u32 = 2;

/// The whole state. Keys of the maps are ids in lower case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub format: u32,
    pub subscription: String,
    pub tenant: String,
    pub scale: u32,
    /// Where ids and keys come from.
    pub seed: u64,
    /// Counts what was made or changed: ETags and generated ids come from it.
    pub serial: u64,
    /// Counts the requests that changed something.
    pub revision: u64,
    pub groups: BTreeMap<String, Group>,
    pub resources: BTreeMap<String, Resource>,
    pub deleted: BTreeMap<String, Deleted>,
    pub operations: BTreeMap<String, Operation>,
    pub deployments: BTreeMap<String, Deployment>,
    /// Where a namespace is not registered, by subscription and namespace; everywhere else it is.
    #[serde(default)]
    pub registrations: BTreeMap<String, Registration>,
    /// Tags of subscriptions.
    #[serde(default)]
    pub tags: BTreeMap<String, Map<String, Value>>,
    /// Faults on demand, in the order in which they are looked at.
    #[serde(default)]
    pub faults: Vec<Armed>,
    /// Steps of deployments that fail when they end, by the id of their entry in the list of operations.
    #[serde(default)]
    pub failing: BTreeMap<String, Failed>,
    /// How far this Azure's clock is ahead of the caller's.
    #[serde(default)]
    pub ahead: Duration,
}

/// A resource group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Group {
    pub subscription: String,
    pub name: String,
    pub location: String,
    pub body: Map<String, Value>,
    /// Being deleted: every write is refused.
    pub deleting: bool,
}

/// A resource of any type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Resource {
    pub id: String,
    pub name: String,
    /// The type in Azure's own case.
    pub kind: String,
    /// Without its quotes.
    pub etag: String,
    pub created: Time,
    pub changed: Time,
    /// Members beside id, name and type.
    pub body: Map<String, Value>,
    /// What no GET shows: keys, write-only values.
    pub hidden: BTreeMap<String, String>,
    /// Until when another write on it, or on what hangs on it, conflicts.
    pub busy: Time,
}

/// A soft-deleted resource with everything that hung on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Deleted {
    pub id: String,
    pub location: String,
    pub at: Time,
    /// When Azure purges it by itself.
    pub purge: Time,
    /// Being purged: the name is locked.
    pub purging: bool,
    /// The resource first, then its children.
    pub resources: Vec<Resource>,
}

/// Reads a file's text, of this format or an earlier one.
pub(super) fn read(text: &str) -> Result<State, Unreadable> {
    #[derive(Deserialize)]
    struct Format {
        format: u64,
    }
    let malformed = |error: serde_json::Error| Unreadable::Malformed(error.to_string());
    let Format { format } = serde_json::from_str(text).map_err(malformed)?;
    match format {
        0 => Err(Unreadable::Malformed("there is no format 0".into())),
        format if format == u64::from(FORMAT) => serde_json::from_str(text).map_err(malformed),
        format if format < u64::from(FORMAT) => {
            let state = upgrade(serde_json::from_str(text).map_err(malformed)?, format);
            serde_json::from_value(state).map_err(malformed)
        }
        newer => Err(Unreadable::Format(newer)),
    }
}

/// Brings a state of an earlier format to this one, a format at a time.
fn upgrade(mut state: Value, from: u64) -> Value {
    if from < 2
        && let Value::Object(members) = &mut state
    {
        // what 2 has beyond 1 may be left out, and then is not there
        members.insert("format".into(), 2.into());
    }
    state
}

impl State {
    /// Resources right under `parent` (a key with its final slash), of one type.
    pub fn children<'a>(&'a self, parent: &str, kind: &str) -> impl Iterator<Item = &'a Resource> + use<'a> {
        let kind = kind.to_string();
        self.below(parent).map(|(_, resource)| resource).filter(move |resource| resource.kind == kind)
    }

    /// Everything whose key begins so, with its key.
    pub fn below<'a>(&'a self, start: &str) -> impl Iterator<Item = (&'a String, &'a Resource)> + use<'a> {
        let start = start.to_string();
        self.resources.range(start.clone()..).take_while(move |(key, _)| key.starts_with(&start))
    }

    /// Takes a resource and everything under it out, the resource first.
    pub fn take(&mut self, key: &str) -> Vec<Resource> {
        let under = format!("{key}/");
        let keys: Vec<String> = self
            .resources
            .range(key.to_string()..)
            .take_while(|(k, _)| k.starts_with(key))
            .filter(|(k, _)| *k == key || k.starts_with(&under))
            .map(|(k, _)| k.clone())
            .collect();
        keys.into_iter().filter_map(|key| self.resources.remove(&key)).collect()
    }
}

impl Resource {
    /// Whether no operation works on it: one that failed has ended too.
    pub fn at_rest(&self) -> bool {
        matches!(self.text("properties/provisioningState"), "Succeeded" | "Failed")
    }

    /// A value in the body, by JSON pointer.
    pub fn at(&self, pointer: &str) -> &Value {
        let mut parts = pointer.trim_start_matches('/').split('/');
        let first = parts.next().and_then(|name| self.body.get(name));
        parts.fold(first.unwrap_or(&Value::Null), |value, name| value.get(name).unwrap_or(&Value::Null))
    }

    /// A text in the body, by JSON pointer; empty where there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or("")
    }

    /// Sets a property.
    pub fn set_property(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(Value::Object(properties)) = self.body.get_mut("properties") {
            properties.insert(name.to_string(), value.into());
        }
    }
}
