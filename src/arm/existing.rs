//! What a spec calls existing: named, read, never written.

use super::id;
use crate::topology::{Identity, Sink, Standing, Topology};

/// Something that a spec calls existing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Existing {
    /// Where the spec says it, `gateway.existing`.
    pub key: String,
    /// The field's word for it, `service`.
    pub what: &'static str,
    /// Its ARM id.
    pub id: String,
}

impl Existing {
    /// Whether more of it is needed than its id: where it may not be read, nothing can be planned.
    pub fn is_read(&self) -> bool {
        matches!(self.what, SERVICE | ACCOUNT | DEPLOYMENT | IDENTITY)
    }
}

const SERVICE: &str = "service";
const ACCOUNT: &str = "account";
const DEPLOYMENT: &str = "deployment";
const IDENTITY: &str = "identity";

/// Everything that a topology calls existing, each once, what holds others before them. `desired` is resolved.
pub fn existing(desired: &Topology) -> Vec<Existing> {
    let mut all: Vec<Existing> = Vec::new();
    let mut note = |key: String, what: &'static str, id: Option<String>| {
        let Some(id) = id else { return };
        if !all.iter().any(|other| id::same(&other.id, &id)) {
            all.push(Existing { key, what, id });
        }
    };
    let own = id::group(desired);
    for (key, account) in desired.accounts.iter().filter(|(_, account)| account.standing == Standing::Managed) {
        let group = Some(id::place(desired, &account.place)).filter(|group| !id::same(group, &own));
        note(format!("accounts.{key}.resourceGroup"), "resource group", group);
    }
    if let Some(gateway) = &desired.gateway {
        let there = gateway.standing == Standing::Existing;
        if there || matches!(gateway.identity, Identity::Existing(_)) {
            note("gateway.identity".into(), IDENTITY, id::identity(desired));
        }
        let network = gateway.network.as_ref().filter(|_| !there);
        note("gateway.network.subnet".into(), "subnet", network.map(|network| network.subnet.clone()));
        if there {
            note("gateway.existing".into(), SERVICE, id::service(desired));
        }
    }
    for (key, account) in &desired.accounts {
        if account.standing == Standing::Existing {
            let of = id::account(desired, key);
            note(format!("accounts.{key}.existing"), ACCOUNT, of.clone());
            for deployment in account.deployments.keys() {
                let of = of.as_ref().map(|account| format!("{account}/deployments/{deployment}"));
                note(format!("accounts.{key}.deployments.{deployment}"), DEPLOYMENT, of);
            }
        } else if let Some(endpoint) = &account.network.private_endpoint {
            note(format!("accounts.{key}.network.subnet"), "subnet", Some(endpoint.subnet.clone()));
            note(format!("accounts.{key}.network.dnsZone"), "private DNS zone", endpoint.dns_zone.clone());
        }
    }
    if let Some(observability) = &desired.observability {
        let there = |sink: &Option<Sink>| match sink {
            Some(Sink::Existing(id)) => Some(id.clone()),
            Some(Sink::Managed(_)) | None => None,
        };
        note("observability.workspace".into(), "workspace", there(&observability.workspace));
        note("observability.appInsights".into(), "application insights", there(&observability.app_insights));
    }
    all
}
