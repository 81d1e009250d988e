//! What a change costs: how long it usually takes, and what callers notice.
//!
//! Durations are those of the catalogue, which has them from recorded traffic, with room above and below; nobody
//! promises them.

use super::{Action, Change, Field, Phase};
use crate::catalogue;
use crate::time::Duration;
use crate::topology::{Address, Topology};
use std::collections::BTreeMap;
use std::fmt;

/// From how long to how long something usually takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// When it goes well.
    pub from: Duration,
    /// When it does not.
    pub to: Duration,
}

impl Range {
    const fn seconds(from: u64, to: u64) -> Range {
        Range { from: Duration::from_secs(from), to: Duration::from_secs(to) }
    }

    fn then(self, next: Range) -> Range {
        Range { from: self.from + next.from, to: self.to + next.to }
    }

    fn beside(self, other: Range) -> Range {
        Range { from: self.from.max(other.from), to: self.to.max(other.to) }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to { write!(f, "{}", self.from) } else { write!(f, "{} to {}", self.from, self.to) }
    }
}

/// What callers notice of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Nothing: calls go on.
    Flows,
    /// Calls that used it fail from then on, or while it lasts; the words say which.
    Interrupted(&'static str),
}

/// How long a change usually takes.
pub fn usual(topology: &Topology, address: &Address, action: &Action) -> Range {
    let kind = match address {
        Address::ResourceGroup => "Microsoft.Resources/resourceGroups",
        Address::Gateway => {
            let tier = topology.gateway.as_ref().and_then(|gateway| catalogue::tier(gateway.sku.as_str()));
            return match (action, tier) {
                (Action::Purge, _) | (Action::Delete, _) | (_, None) => Range::seconds(40, 180),
                (_, Some(tier)) => around(tier.create),
            };
        }
        Address::Account(_) if *action == Action::Purge => return Range::seconds(15, 60),
        Address::Account(_) => "Microsoft.CognitiveServices/accounts",
        Address::Deployment { .. } => "Microsoft.CognitiveServices/accounts/deployments",
        Address::Grant(_) => "Microsoft.Authorization/roleAssignments",
        Address::Backend(_) | Address::Pool(_) => "Microsoft.ApiManagement/service/backends",
        Address::Api(_) => "Microsoft.ApiManagement/service/apis",
        Address::Operation { .. } => "Microsoft.ApiManagement/service/apis/operations",
        Address::Policy(_) => "Microsoft.ApiManagement/service/apis/policies",
        Address::Subscription(_) => "Microsoft.ApiManagement/service/subscriptions",
        Address::Identity => "Microsoft.ManagedIdentity/userAssignedIdentities",
        Address::Workspace => "Microsoft.OperationalInsights/workspaces",
        Address::AppInsights => "Microsoft.Insights/components",
        Address::PrivateEndpoint(_) => "Microsoft.Network/privateEndpoints",
        Address::DnsZoneGroup(_) => "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        Address::NamedValue(_) => "Microsoft.ApiManagement/service/namedValues",
        Address::Product(_) => "Microsoft.ApiManagement/service/products",
        Address::ProductApi { .. } => "Microsoft.ApiManagement/service/products/apis",
        Address::ProductPolicy(_) => "Microsoft.ApiManagement/service/products/policies",
        Address::Logger(_) => "Microsoft.ApiManagement/service/loggers",
        Address::Diagnostic { .. } => "Microsoft.ApiManagement/service/apis/diagnostics",
        Address::DiagnosticSetting => "Microsoft.Insights/diagnosticSettings",
        Address::Workbook => "Microsoft.Insights/workbooks",
        Address::Alert(_) => "Microsoft.Insights/scheduledQueryRules",
    };
    around(catalogue::resource_type(kind).map_or(1, |kind| kind.seconds))
}

/// From two thirds of what was seen to twice as much.
fn around(seconds: u64) -> Range {
    Range::seconds((seconds * 2 / 3).max(1), seconds * 2)
}

/// What callers notice of a change.
pub(super) fn traffic(address: &Address, action: &Action) -> Traffic {
    let changes = |names: &[&str]| match action {
        Action::Update(fields) => {
            fields.iter().any(|Field { name, .. }| names.iter().any(|prefix| name.starts_with(prefix)))
        }
        _ => false,
    };
    match (address, action) {
        (Address::Api(_), Action::Delete) => Traffic::Interrupted("callers of this API get 404"),
        (Address::Operation { .. }, Action::Delete) => Traffic::Interrupted("callers of this operation get 404"),
        (Address::Subscription(_), Action::Delete) => Traffic::Interrupted("callers with its key get 401"),
        (Address::Api(_), _) if changes(&["path"]) => Traffic::Interrupted("callers of the old path get 404"),
        (Address::Api(_), _) if changes(&["key header", "key query"]) => {
            Traffic::Interrupted("callers that send the key as before get 401")
        }
        (Address::Api(_), _) if changes(&["subscriptionRequired"]) => {
            Traffic::Interrupted("callers without a key get 401")
        }
        (Address::Operation { .. }, _) if changes(&["method", "url"]) => {
            Traffic::Interrupted("callers of the old url get 404")
        }
        (Address::Subscription(_), _) if changes(&["api"]) => {
            Traffic::Interrupted("its key no longer opens the old API")
        }
        (Address::Policy(_), Action::Update(fields))
            if fields.iter().any(|field| field.name.starts_with("route ") && field.to.is_none()) =>
        {
            Traffic::Interrupted("callers of a route that is gone get 404")
        }
        _ => Traffic::Flows,
    }
}

/// How long all changes usually take together.
pub(super) fn total(changes: &[Change]) -> Range {
    let mut names = Range::default();
    let mut service = Range::default();
    let mut models: BTreeMap<&str, Range> = BTreeMap::new();
    let mut routing: BTreeMap<i8, Range> = BTreeMap::new();
    let mut removal = Range::default();
    for change in changes {
        let takes = change.takes;
        match (change.phase, &change.address) {
            (Phase::Names, _) => names = names.then(takes),
            (Phase::Service, _) => service = service.beside(takes),
            (
                Phase::Models,
                Address::Account(account)
                | Address::Deployment { account, .. }
                | Address::Grant(account)
                | Address::PrivateEndpoint(account)
                | Address::DnsZoneGroup(account),
            ) => {
                let chain = models.entry(account).or_default();
                *chain = chain.then(takes);
            }
            (Phase::Models | Phase::Routing, address) => {
                let rank = routing.entry(super::rank(address)).or_default();
                *rank = rank.beside(takes);
            }
            (Phase::Removal, _) => removal = removal.then(takes),
        }
    }
    let models = models.values().fold(service, |sum, chain| sum.beside(*chain));
    let routing = routing.values().fold(Range::default(), |sum, rank| sum.then(*rank));
    names.then(models).then(routing).then(removal)
}
