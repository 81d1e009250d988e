//! Networks: that of the gateway, private endpoints, and the identity of a gateway that has one of its own.

use super::answers::{identity, is_endpoint};
use super::*;
use crate::arm::{self, id};

impl Reading<'_> {
    /// The gateway's identity, as far as it is there: whether the gateway has it is looked at apart.
    pub(super) fn identity(&mut self, answers: &Answers) -> Identity {
        let Some(gateway) = &self.desired.gateway else { return Identity::System };
        let found = match (&gateway.identity, identity(self.desired, answers)) {
            (wanted @ (Identity::Managed(_) | Identity::Existing(_)), Some(found)) => Some((wanted.clone(), found)),
            _ => None,
        };
        // one that left the spec
        let left = || {
            let mut all = answers.identities.iter();
            let ours = all.find(|identity| tagged(identity, &self.stack) == Owner::Ours)?;
            Some((Identity::Managed(text(ours, "/name").to_owned()), ours))
        };
        let Some((described, found)) = found.or_else(left) else { return Identity::System };
        if gateway.standing == Standing::Managed && matches!(described, Identity::Managed(_)) {
            let owner = tagged(found, &self.stack);
            self.note(Address::Identity, found, owner, answers);
        }
        described
    }

    /// The network that the gateway is part of.
    pub(super) fn gateway_network(&self, service: &Value) -> Option<GatewayNetwork> {
        let wanted = self.desired.gateway.as_ref().and_then(|gateway| gateway.network.as_ref());
        let subnet = text(service, "/properties/virtualNetworkConfiguration/subnetResourceId");
        let mode = text(service, "/properties/virtualNetworkType");
        let mode = [NetworkMode::External, NetworkMode::Internal]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(mode))?;
        Some(GatewayNetwork { subnet: spelled(subnet, wanted.map(|network| network.subnet.as_str())), mode })
    }

    /// The private endpoints of accounts; those that are neither wanted nor the stack's are nobody's business here.
    pub(super) fn networks(&mut self, answers: &Answers) {
        for endpoint in answers.private_endpoints.iter().filter(|endpoint| is_endpoint(self.desired, endpoint)) {
            self.private_endpoint(endpoint, answers);
        }
    }

    fn private_endpoint(&mut self, endpoint: &Value, answers: &Answers) {
        let given = text(endpoint, "/id");
        let connected = text(endpoint, "/properties/privateLinkServiceConnections/0/properties/privateLinkServiceId");
        let account = self.accounts.iter().find(|(of, _)| id::same(of, connected)).map(|(_, key)| key.clone());
        let named = |key: &&Key| {
            let wanted = id::of(self.desired, &Address::PrivateEndpoint((*key).clone()));
            wanted.is_some_and(|wanted| id::same(&wanted, given))
        };
        let named = self.desired.accounts.keys().find(named).cloned();
        let owner = tagged(endpoint, &self.stack);
        let Some(key) = account.filter(|key| named.as_ref().is_none_or(|named| named == key)) else {
            // it has the name of one that is wanted and leads elsewhere, or it is ours and leads nowhere
            match named {
                Some(key) => self.note(Address::PrivateEndpoint(key), endpoint, owner, answers),
                None => self.live.undescribed.push(given.to_owned()),
            }
            return;
        };
        let wanted = self.desired.accounts.get(&key).and_then(|account| account.network.private_endpoint.as_ref());
        let groups = answers.dns_zone_groups.iter().find(|(of, _)| id::same(of, given)).map(|(_, groups)| groups);
        let group = groups.and_then(|groups| groups.first());
        let zone = group.map(|group| {
            let zone = text(group, "/properties/privateDnsZoneConfigs/0/properties/privateDnsZoneId");
            spelled(zone, wanted.and_then(|endpoint| endpoint.dns_zone.as_deref()))
        });
        let subnet = text(endpoint, "/properties/subnet/id");
        let described = PrivateEndpoint {
            subnet: spelled(subnet, wanted.map(|endpoint| endpoint.subnet.as_str())),
            dns_zone: zone,
        };
        if let Some(account) = self.live.topology.accounts.get_mut(&key) {
            account.network.private_endpoint = Some(described);
        }
        if let Some(group) = group {
            self.note(Address::DnsZoneGroup(key.clone()), group, owner.clone(), answers);
        }
        self.note(Address::PrivateEndpoint(key), endpoint, owner, answers);
    }

    /// What the spec calls existing and is not there, or not as it is needed.
    pub(super) fn missing(&mut self, answers: &Answers) {
        for existing in arm::existing(self.desired) {
            let Some(None) = answers.existing.get(&existing.id) else { continue };
            let what = format!("the {} {}", existing.what, id::name(&existing.id));
            self.live.missing.push(Missing { key: existing.key, what, id: existing.id });
        }
        let there = self.desired.gateway.as_ref().is_some_and(|gateway| gateway.standing == Standing::Existing);
        let Some(service) = find_gateway(self.desired, &answers.services).filter(|_| there) else { return };
        let has = match id::identity(self.desired) {
            None => self.live.principal.is_some(),
            Some(wanted) => has_identity(service, &wanted),
        };
        if !has && !self.desired.grants.is_empty() {
            let what = match id::identity(self.desired) {
                None => format!("the own identity of the service {}", text(service, "/name")),
                Some(wanted) => format!("the identity {} of the service {}", id::name(&wanted), text(service, "/name")),
            };
            let id = text(service, "/id").to_owned();
            self.live.missing.push(Missing { key: "gateway.identity".into(), what, id });
        }
    }
}

/// Whether a service has a user-assigned identity.
pub(super) fn has_identity(service: &Value, wanted: &str) -> bool {
    let all = service.pointer("/identity/userAssignedIdentities").and_then(Value::as_object);
    all.is_some_and(|all| all.keys().any(|of| id::same(of, wanted)))
}

/// An id in the spec's spelling, where the two differ in case only.
fn spelled(given: &str, wanted: Option<&str>) -> String {
    wanted.filter(|wanted| id::same(wanted, given)).unwrap_or(given).to_owned()
}
