//! Names that soft-deleted services and accounts still hold.

use super::*;
use crate::arm::id;
use crate::time::Time;

/// Every soft-deleted service and account of the subscription; those whose name the spec wants have its address.
pub fn soft_deleted(desired: &Topology, services: &[Value], accounts: &[Value]) -> Vec<SoftDeleted> {
    let (stack, unique) = (crate::arm::stack_id(desired), crate::arm::unique(desired));
    let wanted = |address: Address| Some((id::of(desired, &address)?, address));
    let mut found = Vec::new();
    for service in services {
        let gateway =
            wanted(Address::Gateway).filter(|(id, _)| id::name(id).eq_ignore_ascii_case(text(service, "/name")));
        // a soft-deleted service does not show its tags: it is ours if it stood where ours would stand under a name that
        // holds our hash; a name that somebody chose can have been anybody's
        let was = text(service, "/properties/serviceId");
        let ours = gateway.as_ref().is_some_and(|(id, _)| id::same(id, was) && id::name(id).ends_with(&unique));
        let owner = if ours { Owner::Ours } else { Owner::Foreign };
        found.push(remains(service, was, gateway.map(|(_, address)| address), owner));
    }
    for account in accounts {
        let address = desired.accounts.keys().cloned().map(Address::Account).find(|address| {
            let name = id::of(desired, address);
            name.is_some_and(|id| id::name(&id).eq_ignore_ascii_case(text(account, "/name")))
        });
        found.push(remains(account, text(account, "/id"), address, tagged(account, &stack)));
    }
    found
}

/// `was` is an id that names the resource group in which it stood.
fn remains(deleted: &Value, was: &str, address: Option<Address>, owner: Owner) -> SoftDeleted {
    let purge = text(deleted, "/properties/scheduledPurgeDate");
    SoftDeleted {
        address,
        name: text(deleted, "/name").to_owned(),
        id: text(deleted, "/id").to_owned(),
        location: Location::new(text(deleted, "/location")),
        resource_group: id::after(was, "resourceGroups").unwrap_or_default().to_owned(),
        scheduled_purge: Time::from_rfc3339(purge),
        owner,
    }
}
