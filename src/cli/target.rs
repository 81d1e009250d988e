//! What `plan`, `deploy` and `destroy` share: a spec, whose names are decided once the subscription is known, and the
//! cloud that it is about.

use super::args;
use super::context::{Context, Spec};
use super::{Failure, Result};
use crate::diagnostic::{Diagnostic, code};
use crate::io::local::{self, Local};
use crate::spec;
use crate::topology::Topology;

/// A spec in front of a cloud.
pub(super) struct Target {
    pub(super) spec: Spec,
    /// Every name is literal.
    pub(super) desired: Topology,
    pub(super) cloud: Local,
}

impl Target {
    pub(super) fn load(context: &Context, args: &args::Spec) -> Result<Target> {
        only_local(context.global.cloud.as_deref())?;
        let spec = context.load(args)?;
        let mut topology = spec.loaded.topology.clone();
        let subscription = match topology.scope.subscription.take() {
            Some(subscription) => subscription,
            None => from_environment()?.unwrap_or_else(|| local::SUBSCRIPTION.to_owned()),
        };
        topology.scope.subscription = Some(subscription.clone());
        let unique = spec::stack_unique(&topology).unwrap_or_default();
        let cloud = context.local(&subscription);
        context.ui.detail(&format!("subscription {subscription}, resource group {}", topology.scope.resource_group));
        Ok(Target { spec, desired: topology.resolve(&unique), cloud })
    }

    /// Problems that may point into the spec: a key becomes a place.
    pub(super) fn failure(&self, mut problems: Vec<Diagnostic>) -> Failure {
        self.place(&mut problems);
        Failure::of(&self.spec.source, problems)
    }

    pub(super) fn place(&self, problems: &mut [Diagnostic]) {
        for problem in problems {
            let span = problem.key.as_ref().and_then(|key| self.spec.loaded.spans.get(key));
            problem.span = problem.span.or(span);
        }
    }
}

/// Real clouds are refused by name.
fn only_local(cloud: Option<&str>) -> Result<()> {
    let problem = match cloud {
        Some("local") => return Ok(()),
        Some(other) => {
            Diagnostic::new(code::CLOUD_LATER, format!("the cloud `{other}` cannot be used in this version"))
        }
        None => Diagnostic::new(code::CLOUD_LATER, "this needs a cloud, and this version has only the local one"),
    };
    Err(Failure::from(problem.help("add `--cloud local`: an Azure in this program, kept in .aoai-lb/local")))
}

fn from_environment() -> Result<Option<String>> {
    let Some(text) = std::env::var("AZURE_SUBSCRIPTION_ID").ok().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if is_guid(&text) {
        return Ok(Some(text));
    }
    let message = format!("AZURE_SUBSCRIPTION_ID holds `{text}`, which is no subscription's id");
    Err(Failure::from(Diagnostic::new(code::BAD_SUBSCRIPTION, message).help("set it to a GUID, or unset it")))
}

fn is_guid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_a_guid() {
        assert!(is_guid(local::SUBSCRIPTION));
        for text in
            ["", "my-subscription", "00000000-0000-0000-0000-00000000000g", "0000000-00000-0000-0000-000000000001"]
        {
            assert!(!is_guid(text), "{text}");
        }
    }
}
