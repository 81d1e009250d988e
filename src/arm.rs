//! Azure Resource Manager as data: ids, requests, what answers mean.
//!
//! Nothing here sends anything. [`request`] builds what a driver sends, [`operation`] follows a write to its end,
//! [`failure`] finds the causes in an error, [`decode`] reads the answers to lists into a
//! [`Topology`] in the spec's keys, with defaults filled in exactly as `spec` fills them: so
//! that whatever Azure adds, re-cases or re-indents is no difference.
//!
//! Deliberately absent: sockets, tokens, clocks and waiting (`run` drives, the shell sends), and templates.

mod decode;
mod existing;
pub mod failure;
pub mod id;
pub mod operation;
mod policy;
pub mod request;

pub(crate) use decode::breaker;
pub use decode::{
    Answers, decode, find_gateway, holds_models, is_endpoint, is_left, is_listed, is_ours, left_accounts, principal,
    recorders, soft_deleted,
};
pub use existing::{Existing, existing};
pub use failure::Failure;
pub use operation::{Operation, Poll};
pub use policy::read as read_policy;

#[cfg(test)]
mod corpus;

use crate::expr;
use crate::topology::{Topology, defaults};

/// The 13 characters that make a stack's names unique: `uniqueString(toLower(resourceGroup().id), name, environment)`.
pub fn unique(topology: &Topology) -> String {
    let group = id::group(topology).to_lowercase();
    expr::unique_string(&[&group, &topology.stack.name, &topology.stack.environment])
}

/// The id of the stack, as tags and markers hold it.
pub fn stack_id(topology: &Topology) -> String {
    defaults::stack_id(&topology.stack, &unique(topology))
}

/// The name of the stack's template deployment.
pub fn deployment_name(topology: &Topology) -> String {
    defaults::deployment_name(&topology.stack, &unique(topology))
}
