//! What a driver tells while it works: [`Event`]. Each is one JSON object; members and types are only ever added.

use crate::plan::{Range, wire::Thing};
use crate::time::Duration;
use crate::topology::Address;
use serde::{Serialize, Serializer};

/// One thing that happened. In JSON: `{"type": "resource-started", "resource": {...}, ...}`, lengths in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// Live state is read again.
    Reading {
        /// Why: `after-recovery`, `to-verify`, ...
        why: &'static str,
    },
    /// Something is waited for that somebody else began.
    Waiting {
        /// What it is.
        #[serde(serialize_with = "thing")]
        resource: Address,
        /// Azure's word for what is done to it.
        state: String,
    },
    /// A template deployment runs.
    DeploymentStarted {
        /// Its name.
        name: String,
        /// Its ARM id.
        id: String,
        /// Whether this run began it, or found it running.
        origin: Origin,
        /// How many resources it writes, 0 where that is not known.
        resources: usize,
    },
    /// The template deployment still runs; comes with every poll.
    DeploymentRunning {
        /// Its name.
        name: String,
        /// Since it was begun or found.
        #[serde(rename = "elapsedMs", serialize_with = "milliseconds")]
        elapsed: Duration,
        /// How many resources are done.
        done: usize,
        /// How many have begun and are not done.
        running: usize,
    },
    /// The template deployment has ended.
    DeploymentDone {
        /// Its name.
        name: String,
        /// Since it was begun or found.
        #[serde(rename = "elapsedMs", serialize_with = "milliseconds")]
        elapsed: Duration,
    },
    /// Work on a resource has begun.
    ResourceStarted {
        /// What it is.
        #[serde(serialize_with = "thing")]
        resource: Address,
        /// What is done.
        step: Step,
        /// How long it usually takes, at least.
        #[serde(rename = "usualFromMs", serialize_with = "milliseconds")]
        usual_from: Duration,
        /// How long it usually takes, at most.
        #[serde(rename = "usualToMs", serialize_with = "milliseconds")]
        usual_to: Duration,
    },
    /// Work on a resource has ended well.
    ResourceDone {
        /// What it is.
        #[serde(serialize_with = "thing")]
        resource: Address,
        /// What was done.
        step: Step,
        /// How long it took, as far as this run saw it.
        #[serde(rename = "elapsedMs", serialize_with = "milliseconds")]
        elapsed: Duration,
    },
    /// Work on a resource has failed. The causes come as diagnostics at the end.
    ResourceFailed {
        /// What it is.
        #[serde(serialize_with = "thing")]
        resource: Address,
        /// What was tried.
        step: Step,
        /// Azure's code.
        code: String,
        /// The leaf cause.
        message: String,
    },
    /// Reading back showed what the spec says.
    Verified,
}

/// Who began a template deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// This run.
    Begun,
    /// An earlier run, with the same content.
    Found,
}

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// It is made or changed.
    Write,
    /// It is deleted.
    Delete,
    /// A soft-deleted one is taken back.
    Recover,
    /// A soft-deleted one is deleted for ever.
    Purge,
}

impl Event {
    /// Work on `resource` begins.
    pub(super) fn started(resource: &Address, step: Step, usual: Range) -> Event {
        Event::ResourceStarted { resource: resource.clone(), step, usual_from: usual.from, usual_to: usual.to }
    }
}

fn thing<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
    Thing::new(address).serialize(serializer)
}

fn milliseconds<S: Serializer>(length: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(length.millis_ceil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_flat_object_with_a_type() {
        let pool = Address::Pool("gpt".into());
        let usual = Range { from: Duration::from_secs(1), to: Duration::from_secs(2) };
        let event = Event::started(&pool, Step::Write, usual);
        let json = serde_json::to_string(&event).expect("plain data");
        assert_eq!(
            json,
            r#"{"type":"resource-started","resource":{"kind":"pool","key":"pools.gpt","title":"pool gpt"},"step":"write","usualFromMs":1000,"usualToMs":2000}"#
        );
        assert_eq!(serde_json::to_string(&Event::Verified).expect("plain data"), r#"{"type":"verified"}"#);
    }
}
