//! What a template deployment has done so far, told as events; and why it failed, told as diagnostics.

use super::client::list;
use super::event::{Event, Step};
use super::problem;
use crate::arm::{Failure, failure, id, request};
use crate::diagnostic::{Diagnostic, code};
use crate::plan::{Action, usual};
use crate::time::Time;
use crate::topology::{Address, Topology};
use crate::wire::Cloud;
use serde_json::Value;
use std::collections::BTreeMap;

/// How deep deployments nest that are looked into.
const DEPTH: usize = 4;

/// How far a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Done,
    Failed,
}

/// Resources of a template deployment, by what its operations said.
pub(super) struct Progress<'a> {
    desired: &'a Topology,
    unique: &'a str,
    seen: BTreeMap<Address, (State, Time)>,
}

impl<'a> Progress<'a> {
    pub fn new(desired: &'a Topology, unique: &'a str) -> Progress<'a> {
        Progress { desired, unique, seen: BTreeMap::new() }
    }

    /// Tells what is new in the operations of the deployment.
    pub fn tell(&mut self, now: Time, operations: &[Value], sink: &mut dyn FnMut(Event)) {
        for operation in in_order(operations) {
            let target = text(operation, "/properties/targetResource/id");
            let Some(resource) = id::address(self.desired, self.unique, target) else { continue };
            let state = match text(operation, "/properties/provisioningState") {
                "Succeeded" => State::Done,
                "Failed" | "Canceled" => State::Failed,
                _ => State::Running,
            };
            let began = match self.seen.get(&resource) {
                Some((before, _)) if *before == state => continue,
                Some((_, began)) => *began,
                None => {
                    let usual = usual(self.desired, &resource, &Action::Create);
                    sink(Event::started(&resource, Step::Write, usual));
                    now
                }
            };
            self.seen.insert(resource.clone(), (state, began));
            match state {
                State::Running => {}
                State::Done => sink(Event::ResourceDone { resource, step: Step::Write, elapsed: now.since(began) }),
                State::Failed => {
                    let cause = causes(operation).into_iter().next().unwrap_or_default();
                    let Failure { code, message, .. } = cause;
                    sink(Event::ResourceFailed { resource, step: Step::Write, code, message });
                }
            }
        }
    }

    /// Nested deployments of more than a role: what they write stands in their own operations.
    pub fn nested(&self, operations: &[Value]) -> Vec<String> {
        let targets = operations.iter().map(|operation| text(operation, "/properties/targetResource/id"));
        let nested = targets
            .filter(|target| id::is_deployment(target) && id::address(self.desired, self.unique, target).is_none());
        nested.map(str::to_owned).collect()
    }

    /// How many resources are done, and how many have begun and are not.
    pub fn counts(&self) -> (usize, usize) {
        let count = |wanted| self.seen.values().filter(|(state, _)| *state == wanted).count();
        (count(State::Done), count(State::Running))
    }
}

/// Why a deployment failed: the leaves of its failed operations, those of nested deployments instead of themselves.
pub(super) async fn failures(
    cloud: &dyn Cloud,
    desired: &Topology,
    unique: &str,
    deployment: &str,
) -> Result<Vec<Diagnostic>, Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    // a nested deployment, with the address that it stands for
    let mut open: Vec<(String, Option<Address>, usize)> = vec![(deployment.to_owned(), None, DEPTH)];
    while let Some((deployment, outer, depth)) = open.pop() {
        let operations = list(cloud, request::deployment_operations(&deployment)).await?;
        for operation in in_order(&operations) {
            if text(operation, "/properties/provisioningState") != "Failed" {
                continue;
            }
            let target = text(operation, "/properties/targetResource/id");
            if target.is_empty() {
                // the outputs, which fail because something else did
                continue;
            }
            let address = id::address(desired, unique, target).or_else(|| outer.clone());
            let nested = text(operation, "/properties/targetResource/resourceType");
            if nested.eq_ignore_ascii_case("Microsoft.Resources/deployments") && depth > 0 {
                open.push((target.to_owned(), address, depth - 1));
                continue;
            }
            for cause in causes(operation) {
                let diagnostic = problem::told(&cause, address.as_ref(), code::DEPLOYMENT_FAILED);
                if !found.iter().any(|seen| seen.message == diagnostic.message && seen.key == diagnostic.key) {
                    found.push(diagnostic);
                }
            }
        }
    }
    Ok(found)
}

/// Operations as they happened: Azure lists what changed last first.
fn in_order(operations: &[Value]) -> Vec<&Value> {
    let mut all: Vec<&Value> = operations.iter().rev().collect();
    all.sort_by_key(|operation| Time::from_rfc3339(text(operation, "/properties/timestamp")));
    all
}

/// Why an operation of a deployment failed.
fn causes(operation: &Value) -> Vec<Failure> {
    let target = text(operation, "/properties/targetResource/id");
    let request = text(operation, "/properties/serviceRequestId");
    let mut causes = operation.pointer("/properties/statusMessage").map(failure::leaves).unwrap_or_default();
    if causes.is_empty() {
        let message = operation.pointer("/properties/statusMessage").and_then(Value::as_str).unwrap_or_default();
        let code = text(operation, "/properties/statusCode").to_owned();
        causes.push(Failure { code, message: message.to_owned(), ..Failure::default() });
    }
    for cause in &mut causes {
        cause.target.get_or_insert_with(|| target.to_owned());
        if !request.is_empty() {
            cause.request.get_or_insert_with(|| request.to_owned());
        }
    }
    causes
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operations_are_told_as_they_happened() {
        let at = |name: &str, timestamp: &str| json!({"n": name, "properties": {"timestamp": timestamp}});
        let listed = [
            at("d", "2026-01-01T00:00:09.5Z"),
            at("c", "2026-01-01T00:00:09Z"),
            at("b", "2026-01-01T00:00:09Z"),
            at("a", "2026-01-01T00:00:08.75Z"),
        ];
        let told: Vec<&str> = in_order(&listed).into_iter().map(|operation| text(operation, "/n")).collect();
        assert_eq!(told, ["a", "b", "c", "d"]);
    }
}
