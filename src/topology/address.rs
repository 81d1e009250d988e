//! What a change, an event or a diagnostic is about: an [`Address`], by the spec's keys.

use super::Key;
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
