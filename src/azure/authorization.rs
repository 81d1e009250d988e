//! Role assignments on any scope, and the definitions of built-in roles.

use super::World;
use super::reply::Reply;
use super::router::Ask;

/// Answers where the address is one of Microsoft.Authorization's.
pub(super) fn route(_world: &mut World, _ask: &Ask<'_>, _low: &[&str], _raw: &[&str]) -> Option<Reply> {
    None
}
