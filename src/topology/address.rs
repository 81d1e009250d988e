//! What a change, an event or a diagnostic is about: an [`Address`], by the spec's keys.

use super::{Key, Topology};
use std::fmt;

/// One resource of a stack, by the spec's keys. The order is the order in which people read a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// The resource group.
    ResourceGroup,
    /// The API Management service.
    Gateway,
    /// An account.
    Account(Key),
    /// A model deployment of an account.
    Deployment {
        /// Key of the account.
        account: Key,
        /// Key of the deployment.
        deployment: Key,
    },
    /// The role of the gateway's identity on an account.
    Grant(Key),
    /// A single backend.
    Backend(Key),
    /// A pool.
    Pool(Key),
    /// An API.
    Api(Key),
    /// An operation of an API.
    Operation {
        /// Key of the API.
        api: Key,
        /// Name of the operation.
        operation: Key,
    },
    /// The policy of an API.
    Policy(Key),
    /// A subscription of the gateway.
    Subscription(Key),
}

impl Address {
    /// `pool`, `model deployment`, ...: the field's word for it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Address::ResourceGroup => "resource group",
            Address::Gateway => "gateway",
            Address::Account(_) => "account",
            Address::Deployment { .. } => "deployment",
            Address::Grant(_) => "role",
            Address::Backend(_) => "backend",
            Address::Pool(_) => "pool",
            Address::Api(_) => "api",
            Address::Operation { .. } => "operation",
            Address::Policy(_) => "policy",
            Address::Subscription(_) => "subscription",
        }
    }

    /// The key in the spec that it comes from, as diagnostics name it: `accounts.eastus2.deployments.gpt`.
    pub fn key(&self) -> String {
        match self {
            Address::ResourceGroup => "azure.resourceGroup".into(),
            Address::Gateway => "gateway".into(),
            Address::Account(key) | Address::Grant(key) => format!("accounts.{key}"),
            Address::Deployment { account, deployment } => format!("accounts.{account}.deployments.{deployment}"),
            Address::Backend(key) => format!("backends.{key}"),
            Address::Pool(key) => format!("pools.{key}"),
            Address::Api(key) | Address::Operation { api: key, .. } | Address::Policy(key) => format!("apis.{key}"),
            Address::Subscription(key) => format!("subscriptions.{key}"),
        }
    }
}

impl Topology {
    /// The address of everything in it, in the order of [`Address`]; the resource group, which is no part of it, is not
    /// among them.
    pub fn addresses(&self) -> Vec<Address> {
        let mut all: Vec<Address> = self.gateway.iter().map(|_| Address::Gateway).collect();
        for (key, account) in &self.accounts {
            all.push(Address::Account(key.clone()));
            let deployments = account.deployments.keys();
            all.extend(deployments.map(|d| Address::Deployment { account: key.clone(), deployment: d.clone() }));
        }
        all.extend(self.grants.keys().cloned().map(Address::Grant));
        all.extend(self.backends.keys().cloned().map(Address::Backend));
        all.extend(self.pools.keys().cloned().map(Address::Pool));
        for (key, api) in &self.apis {
            all.push(Address::Api(key.clone()));
            all.extend(api.operations.keys().map(|o| Address::Operation { api: key.clone(), operation: o.clone() }));
            all.extend(api.has_policy().then(|| Address::Policy(key.clone())));
        }
        all.extend(self.subscriptions.keys().cloned().map(Address::Subscription));
        all.sort();
        all
    }

    /// Whether there is something at this address.
    pub fn has(&self, address: &Address) -> bool {
        let api = |key: &Key| self.apis.get(key);
        match address {
            Address::ResourceGroup => true,
            Address::Gateway => self.gateway.is_some(),
            Address::Account(key) => self.accounts.contains_key(key),
            Address::Deployment { account, deployment } => {
                self.accounts.get(account).is_some_and(|account| account.deployments.contains_key(deployment))
            }
            Address::Grant(key) => self.grants.contains_key(key),
            Address::Backend(key) => self.backends.contains_key(key),
            Address::Pool(key) => self.pools.contains_key(key),
            Address::Api(key) => self.apis.contains_key(key),
            Address::Operation { api: key, operation } => {
                api(key).is_some_and(|a| a.operations.contains_key(operation))
            }
            Address::Policy(key) => api(key).is_some_and(super::Api::has_policy),
            Address::Subscription(key) => self.subscriptions.contains_key(key),
        }
    }
}

impl super::Api {
    /// Whether it has a policy of its own; one that the spec made always has.
    pub fn has_policy(&self) -> bool {
        !matches!(&self.policy, super::Policy::Other(text) if text.is_empty())
    }
}

impl fmt::Display for Address {
    /// `pool gpt-4.1`, `deployment gpt-4.1 of eastus2`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Address::ResourceGroup | Address::Gateway => Ok(()),
            Address::Deployment { account, deployment } => write!(f, " {deployment} of {account}"),
            Address::Grant(account) => write!(f, " on {account}"),
            Address::Operation { api, operation } => write!(f, " {operation} of {api}"),
            Address::Policy(api) => write!(f, " of {api}"),
            Address::Account(key)
            | Address::Backend(key)
            | Address::Pool(key)
            | Address::Api(key)
            | Address::Subscription(key) => write!(f, " {key}"),
        }
    }
}
