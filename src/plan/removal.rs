//! What is there and not in the spec: deleted where it is ours and nobody else needs it, kept and told otherwise.

use super::{Action, Kept, Planning, diff, parent};
use crate::diagnostic::{Diagnostic, code};
use crate::topology::{Access, Address, DeploymentSku, Key, Owner, Target};

impl Planning<'_> {
    /// What is there and not in the spec.
    pub(super) fn unwanted(&mut self) {
        for address in self.live.addresses() {
            if !self.desired.has(&address) {
                self.leftover(address);
            }
        }
        for id in &self.live.undescribed {
            let reason = "of a kind that the spec cannot say: left alone".to_owned();
            self.plan.kept.push(Kept { address: None, id: id.clone(), reason });
        }
    }

    fn leftover(&mut self, address: Address) {
        let above = match &address {
            Address::Deployment { account, .. }
            | Address::Grant(account)
            | Address::PrivateEndpoint(account)
            | Address::DnsZoneGroup(account) => Some(Address::Account(account.clone())),
            other => parent(other),
        };
        // with an account whose removal is refused everything in it stays
        if above.is_some_and(|above| self.removed.contains(&above)) {
            return;
        }
        // they go with the API or the product, and stand or fall with it
        if parent(&address).is_some_and(|parent| !self.desired.has(&parent)) {
            return;
        }
        let owner = match &address {
            Address::Subscription(key) => match self.live.topology.subscriptions.get(key).map(|found| &found.access) {
                // it goes with an API or a product that goes, and is nobody's otherwise
                Some(Access::Api(api)) if !self.desired.apis.contains_key(api) => Address::Api(api.clone()),
                Some(Access::Product(product)) if !self.desired.products.contains_key(product) => {
                    Address::Product(product.clone())
                }
                _ => return self.keep(address, "not in the spec; nobody can say whose it is: left alone"),
            },
            other => parent(other).unwrap_or_else(|| other.clone()),
        };
        if !self.is_ours(&owner) {
            let reason = match self.live.owners.get(&owner) {
                Some(Owner::Stack(stack)) => format!("not in the spec, belongs to the stack {stack}: left alone"),
                _ => "not in the spec, not ours: left alone".to_owned(),
            };
            return self.keep(address, &reason);
        }
        if let Address::Grant(account) = &address
            && self.desired.needs.contains_key(account)
        {
            return self.keep(address, "the spec leaves roles to somebody else, and needs this one: left alone");
        }
        if let Some(backend) = self.still_called(&address) {
            return self.keep(address, &format!("the backend {backend}, which stays, needs it: left alone"));
        }
        if let Address::Backend(key) = &address
            && let Some(pool) = self.foreign_pool(key)
        {
            return self.keep(address, &format!("the pool {pool}, which is not ours, needs it: left alone"));
        }
        if let Some(diagnostic) = self.not_removed(&address) {
            self.removed.insert(address);
            return self.refuse(diagnostic);
        }
        if self.name_moves(&address) {
            // refused where the new thing was looked at; deleting would delete that
            return;
        }
        let detail = diff::detail(&self.live.topology, &address);
        self.change(address, Action::Delete, "it is ours and left the spec", detail);
    }

    fn keep(&mut self, address: Address, reason: &str) {
        let id = self.live.ids.get(&address).cloned().unwrap_or_default();
        self.plan.kept.push(Kept { address: Some(address), id, reason: reason.to_owned() });
    }

    fn not_removed(&self, address: &Address) -> Option<Diagnostic> {
        let provisioned = |account: &str, deployment: &str| {
            let found = self.live.topology.accounts.get(account)?.deployments.get(deployment)?;
            Some(DeploymentSku::is_provisioned(found.sku))
        };
        match address {
            Address::Gateway | Address::Account(_) => {}
            Address::Deployment { account, deployment } if provisioned(account, deployment) == Some(true) => {}
            _ => return None,
        }
        let id = self.live.ids.get(address).map(String::as_str).unwrap_or_default();
        Some(
            Diagnostic::new(code::REMOVAL_REFUSED, format!("{address} is ours and left the spec; it is not deleted"))
                .at(address.key())
                .help("put it back into the spec, or delete it in Azure yourself")
                .note(format!("it is {id}")),
        )
    }

    /// A backend that left the spec and stays, and calls a deployment, or an account with the role.
    fn still_called(&self, address: &Address) -> Option<&Key> {
        let calls = |target: &Target| match (target.account(), address) {
            (Some((account, _)), Address::Grant(of)) => account == of,
            (Some((account, Some(deployment))), Address::Deployment { account: of, deployment: named }) => {
                account == of && deployment == named
            }
            _ => false,
        };
        let stays = |key: &Key| {
            let ours = self.is_ours(&Address::Backend(key.clone()));
            !self.desired.backends.contains_key(key) && (!ours || self.foreign_pool(key).is_some())
        };
        let mut backends = self.live.topology.backends.iter();
        backends.find(|(key, backend)| calls(&backend.target) && stays(key)).map(|(key, _)| key)
    }

    /// A pool that is not ours and has a backend as a member.
    fn foreign_pool(&self, backend: &Key) -> Option<&Key> {
        let pools = self.live.topology.pools.iter().filter(|(key, _)| !self.is_ours(&Address::Pool((*key).clone())));
        let mut pools = pools.filter(|(_, pool)| pool.members.iter().any(|member| member.backend == *backend));
        pools.next().map(|(key, _)| key)
    }

    /// Whether the spec wants something of another kind under this name.
    fn name_moves(&self, address: &Address) -> bool {
        match address {
            Address::Backend(key) => {
                self.live.topology.backends.get(key).is_some_and(|b| self.desired.pool_by_name(&b.name).is_some())
            }
            Address::Pool(key) => {
                self.live.topology.pools.get(key).is_some_and(|p| self.desired.backend_by_name(&p.name).is_some())
            }
            _ => false,
        }
    }
}
