//! The domain: what stands in Azure, or should, in canonical form.
//!
//! A [`Topology`] has every default filled in and every name decided. *Desired* (from a spec) and *live* (from Azure
//! Resource Manager) are the same type, so comparing them is comparing values. Maps are keyed by the spec's key; in live
//! state a thing that the spec names keeps the spec's key, any other has its Azure name as key.
//!
//! Every default stands here, once, in the constructors that `spec` and `arm` share ([`defaults`]).
//!
//! Deliberately absent: positions in the YAML (a diagnostic names a key, `spec::Spans` knows the place), keys and other
//! secrets, ARM ids, and anything about how a thing is written or read.

mod account;
pub mod address;
mod api;
mod backend;
pub mod defaults;
mod gateway;
pub mod intent;
pub mod live;
mod observe;
mod operations;

pub use account::*;
pub use address::Address;
pub use api::*;
pub use backend::*;
pub use gateway::*;
pub use intent::{Intent, OnExhausted, Policy, ProductIntent, Retry, Routes, Strategy};
pub use live::{Live, Missing, Owner, SoftDeleted, Usage};
pub use observe::*;

use std::collections::BTreeMap;
use std::fmt;

/// A key of the spec, as `eastus2` in `accounts.eastus2`.
pub type Key = String;

/// Properties of a resource that the spec has in Azure's own words.
pub type Properties = serde_json::Map<String, serde_json::Value>;

/// One gateway with everything behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// Who owns it.
    pub stack: Stack,
    /// Where it stands.
    pub scope: Scope,
    /// Tags of every resource that can have them, without our own.
    pub tags: BTreeMap<String, String>,
    /// Api-versions that the spec pins, by resource type or provider.
    pub api_versions: BTreeMap<String, String>,
    /// The API Management service; `None` only in live state, where there is none yet.
    pub gateway: Option<Gateway>,
    /// Azure OpenAI accounts.
    pub accounts: BTreeMap<Key, Account>,
    /// Accounts that the gateway's identity may call, each with the role it has there.
    pub grants: BTreeMap<Key, Role>,
    /// Roles that it needs on accounts and that somebody else gives; never in live state.
    pub needs: BTreeMap<Key, Role>,
    /// Values that policies of the gateway read by name.
    pub named_values: BTreeMap<Key, NamedValue>,
    /// Single backends of the gateway.
    pub backends: BTreeMap<Key, Backend>,
    /// Pools of backends. Backends and pools share one namespace in Azure.
    pub pools: BTreeMap<Key, Pool>,
    /// APIs of the gateway.
    pub apis: BTreeMap<Key, Api>,
    /// Products: APIs under one set of limits.
    pub products: BTreeMap<Key, Product>,
    /// Subscriptions of the gateway: who may call.
    pub subscriptions: BTreeMap<Key, Subscription>,
    /// What is recorded.
    pub observability: Option<Observability>,
}

/// The stack: what one spec owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The spec's `name`.
    pub name: String,
    /// The environment that was chosen, empty for none.
    pub environment: String,
}

/// Where the stack stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The Azure subscription's id, `None` until a command needs one.
    pub subscription: Option<String>,
    /// The resource group.
    pub resource_group: String,
    /// The region of the resource group and of the gateway.
    pub location: Location,
}

/// A region by its short name, `eastus2`: lower case, no blanks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location(String);

impl Location {
    /// A region that nobody said: of an existing account, which is never written.
    pub const fn unknown() -> Location {
        Location(String::new())
    }

    /// Whether it was said.
    pub fn is_known(&self) -> bool {
        !self.0.is_empty()
    }

    /// From any spelling that Azure uses: `East US 2`, `EASTUS2`, `eastus2`.
    pub fn new(text: &str) -> Location {
        Location(text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect())
    }

    /// The short name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name in Azure: as written, or made unique by the hash of the resource group and the stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// As it stands.
    Literal(String),
    /// The prefix, followed by 13 characters that depend on the subscription: `apim-` and `uniqueString(...)`.
    Unique(String),
}

impl Name {
    /// The name once the hash is known.
    pub fn resolve(&self, unique: &str) -> String {
        match self {
            Name::Literal(name) => name.clone(),
            Name::Unique(prefix) => format!("{prefix}{unique}"),
        }
    }

    /// The name if it is known already.
    pub fn literal(&self) -> Option<&str> {
        match self {
            Name::Literal(name) => Some(name),
            Name::Unique(_) => None,
        }
    }
}

impl fmt::Display for Name {
    /// For people: `apim-*` where the hash is not known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Literal(name) => f.write_str(name),
            Name::Unique(prefix) => write!(f, "{prefix}*"),
        }
    }
}

impl Topology {
    /// The gateway's keys of backends and pools by their names in Azure.
    pub fn backend_by_name(&self, name: &str) -> Option<(&Key, &Backend)> {
        self.backends.iter().find(|(_, backend)| backend.name.eq_ignore_ascii_case(name))
    }

    /// The pool with that name in Azure.
    pub fn pool_by_name(&self, name: &str) -> Option<(&Key, &Pool)> {
        self.pools.iter().find(|(_, pool)| pool.name.eq_ignore_ascii_case(name))
    }

    /// Whether a subscription with this access may call an API, by the API's key.
    pub fn may_call(&self, access: &Access, api: &str) -> bool {
        match access {
            Access::Api(key) => key == api,
            Access::Product(key) => self.products.get(key).is_some_and(|product| product.apis.contains(api)),
        }
    }

    /// Whether a pool is the twin of another one for the surface v1.
    pub fn is_twin(&self, pool: &str) -> bool {
        let of = pool.strip_suffix(&defaults::v1_twin("")).filter(|of| self.pools.contains_key(*of));
        let members = || self.pools.get(pool).into_iter().flat_map(|pool| &pool.members);
        let v1 = |member: &Member| {
            matches!(self.backends.get(&member.backend), Some(Backend { target: Target::V1 { .. }, .. }))
        };
        of.is_some() && members().all(v1)
    }

    /// The deployment that a backend calls.
    pub fn deployment_of(&self, backend: &Backend) -> Option<&Deployment> {
        let (account, deployment) = backend.target.account()?;
        self.accounts.get(account)?.deployments.get(deployment?)
    }

    /// The same topology with every name literal: `unique` is `uniqueString(toLower(resourceGroup().id), name, environment)`.
    pub fn resolve(mut self, unique: &str) -> Topology {
        let literal = |name: &Name| Name::Literal(name.resolve(unique));
        if let Some(gateway) = &mut self.gateway {
            gateway.name = literal(&gateway.name);
        }
        self.accounts.values_mut().for_each(|account| account.name = literal(&account.name));
        if let Some(found) = &mut self.observability {
            for sink in [&mut found.workspace, &mut found.app_insights].into_iter().flatten() {
                if let Sink::Managed(name) = sink {
                    *name = literal(name);
                }
            }
        }
        self
    }
}
