//! What Azure holds now: [`Live`].

use super::{Address, Location, Topology};
use crate::time::Time;
use serde_json::Value;
use std::collections::BTreeMap;

/// Live state, as far as a stack can see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// What is there of the kinds that a topology describes: everything in the resource group, everything on the gateway.
    pub topology: Topology,
    /// Whether the resource group exists.
    pub resource_group: Option<Owner>,
    /// Who owns what is there.
    pub owners: BTreeMap<Address, Owner>,
    /// ETags of the resources that a DELETE or PATCH must carry.
    pub etags: BTreeMap<Address, String>,
    /// ARM ids of everything that is there.
    pub ids: BTreeMap<Address, String>,
    /// The object id of the gateway's identity.
    pub principal: Option<String>,
    /// The gateway's public address, without a slash at its end.
    pub gateway_url: Option<String>,
    /// Names that a soft-deleted service or account still holds.
    pub soft_deleted: Vec<SoftDeleted>,
    /// What of each quota is used in a region, by the quota's key (`catalogue::quota_key`); nothing where Azure does not
    /// say it.
    pub usage: BTreeMap<(Location, String), Usage>,
    /// What is being written or deleted right now, with Azure's word for it.
    pub busy: BTreeMap<Address, String>,
    /// What is there as Azure shows it, for what the spec has no word for. Named values, which may hold a text of
    /// anybody's, are not among them.
    pub bodies: BTreeMap<Address, Value>,
    /// ARM ids of what stands there in a shape that a topology cannot say: left alone.
    pub undescribed: Vec<String>,
    /// A deployment of this stack that is running, by name, with the hash that its template carries.
    pub running: Option<(String, Option<String>)>,
    /// What the spec calls existing and is not there.
    pub missing: Vec<Missing>,
}

/// Something that the spec calls existing and that is not there, or not as it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Where the spec says it, `gateway.existing`.
    pub key: String,
    /// What it is, `the service apim-shared`.
    pub what: String,
    /// Its ARM id, or that of what lacks it.
    pub id: String,
}

/// A quota of a subscription in a region: thousands of tokens a minute, or provisioned units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Its name as Azure spells it.
    pub name: String,
    /// What deployments have of it, those of soft-deleted accounts too.
    pub used: u64,
    /// How much they may have together.
    pub limit: u64,
}

impl Live {
    /// Whether there is something at this address.
    pub fn has(&self, address: &Address) -> bool {
        self.ids.contains_key(address)
    }

    /// The address of everything that is there, in the order of [`Address`]; the resource group is not among them.
    pub fn addresses(&self) -> Vec<Address> {
        self.ids.keys().filter(|address| **address != Address::ResourceGroup).cloned().collect()
    }
}

impl Usage {
    /// What nobody has.
    pub const fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// Who a live resource belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This stack: the tag or the marker is there.
    Ours,
    /// Another stack of this program, by its id.
    Stack(String),
    /// Somebody else.
    Foreign,
}

/// A soft-deleted service or account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoftDeleted {
    /// What would have to be created under its name, where the spec names it; else `None`.
    pub address: Option<Address>,
    /// Its name.
    pub name: String,
    /// Its ARM id: where it is purged.
    pub id: String,
    /// Its region.
    pub location: Location,
    /// The resource group that it stood in, and comes back to; empty where Azure does not say it.
    pub resource_group: String,
    /// When Azure purges it by itself.
    pub scheduled_purge: Option<Time>,
    /// Whether it was this stack's: by its tag, or, as a soft-deleted service does not show its tags, by a name that only
    /// this stack makes.
    pub owner: Owner,
}
