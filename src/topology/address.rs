//! What a change, an event or a diagnostic is about: an [`Address`], by the spec's keys.

use super::{Balancing, Identity, Key, Sink, Standing, Topology};
use std::fmt;

/// One resource of a stack, by the spec's keys. The order is the order in which people read a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// The resource group.
    ResourceGroup,
    /// The user-assigned identity of the gateway.
    Identity,
    /// The Log Analytics workspace.
    Workspace,
    /// Application Insights.
    AppInsights,
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
    /// The private endpoint of an account.
    PrivateEndpoint(Key),
    /// The name of a private endpoint in its DNS zone.
    DnsZoneGroup(Key),
    /// A named value.
    NamedValue(Key),
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
    /// A product.
    Product(Key),
    /// An API in a product.
    ProductApi {
        /// Key of the product.
        product: Key,
        /// Key of the API.
        api: Key,
    },
    /// The policy of a product.
    ProductPolicy(Key),
    /// A subscription of the gateway.
    Subscription(Key),
    /// Where the gateway sends records.
    Logger(Logger),
    /// What is recorded of an API.
    Diagnostic {
        /// Key of the API.
        api: Key,
        /// Where it goes.
        logger: Logger,
    },
    /// What the gateway's logs are and where they go.
    DiagnosticSetting,
    /// The workbook.
    Workbook,
    /// An alert.
    Alert(Alert),
}

/// Where a gateway sends records. The order is that of their names in Azure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Logger {
    /// To Application Insights.
    AppInsights,
    /// To the logs that a diagnostic setting sends on.
    AzureMonitor,
}

impl Logger {
    /// The name that API Management wants of it, and of every diagnostic that uses it.
    pub const fn name(self) -> &'static str {
        match self {
            Logger::AppInsights => "applicationinsights",
            Logger::AzureMonitor => "azuremonitor",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Logger> {
        [Logger::AppInsights, Logger::AzureMonitor].into_iter().find(|logger| logger.name().eq_ignore_ascii_case(name))
    }
}

/// An alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alert {
    /// A lower priority serves too many calls.
    Spillover,
    /// Too many calls end in 429.
    Throttled,
}

impl Alert {
    /// Every alert.
    pub const ALL: [Alert; 2] = [Alert::Spillover, Alert::Throttled];

    /// `spillover`, `throttled`.
    pub const fn word(self) -> &'static str {
        match self {
            Alert::Spillover => "spillover",
            Alert::Throttled => "throttled",
        }
    }
}

impl Address {
    /// `pool`, `model deployment`, ...: the field's word for it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Address::ResourceGroup => "resource group",
            Address::Identity => "identity",
            Address::Workspace => "workspace",
            Address::AppInsights => "application insights",
            Address::Gateway => "gateway",
            Address::Account(_) => "account",
            Address::Deployment { .. } => "deployment",
            Address::Grant(_) => "role",
            Address::PrivateEndpoint(_) => "private endpoint",
            Address::DnsZoneGroup(_) => "dns zone group",
            Address::NamedValue(_) => "named value",
            Address::Backend(_) => "backend",
            Address::Pool(_) => "pool",
            Address::Api(_) => "api",
            Address::Operation { .. } => "operation",
            Address::Policy(_) => "policy",
            Address::Product(_) => "product",
            Address::ProductApi { .. } => "product api",
            Address::ProductPolicy(_) => "product policy",
            Address::Subscription(_) => "subscription",
            Address::Logger(_) => "logger",
            Address::Diagnostic { .. } => "diagnostic",
            Address::DiagnosticSetting => "diagnostic setting",
            Address::Workbook => "workbook",
            Address::Alert(_) => "alert",
        }
    }

    /// The key in the spec that it comes from, as diagnostics name it: `accounts.eastus2.deployments.gpt`.
    pub fn key(&self) -> String {
        match self {
            Address::ResourceGroup => "azure.resourceGroup".into(),
            Address::Identity => "gateway.identity".into(),
            Address::Workspace | Address::DiagnosticSetting => "observability.workspace".into(),
            Address::AppInsights => "observability.appInsights".into(),
            Address::Gateway => "gateway".into(),
            Address::Account(key) | Address::Grant(key) => format!("accounts.{key}"),
            Address::PrivateEndpoint(key) | Address::DnsZoneGroup(key) => format!("accounts.{key}.network"),
            // a named value comes from the backend or the identity that it serves; its key names a backend, or neither
            Address::NamedValue(key) => format!("backends.{key}"),
            Address::Deployment { account, deployment } => format!("accounts.{account}.deployments.{deployment}"),
            Address::Backend(key) => format!("backends.{key}"),
            Address::Pool(key) => format!("pools.{key}"),
            Address::Api(key) | Address::Operation { api: key, .. } | Address::Policy(key) => format!("apis.{key}"),
            Address::Product(key) | Address::ProductApi { product: key, .. } | Address::ProductPolicy(key) => {
                format!("products.{key}")
            }
            Address::Subscription(key) => format!("subscriptions.{key}"),
            Address::Logger(_) | Address::Diagnostic { .. } => "observability".into(),
            Address::Workbook => "observability.workbook".into(),
            Address::Alert(alert) => format!("observability.alerts.{}", alert.word()),
        }
    }
}

impl Topology {
    /// The address of everything in it that stands in Azure and that the stack makes, in the order of [`Address`]; the
    /// resource group, which is no part of it, is not among them.
    pub fn addresses(&self) -> Vec<Address> {
        let mut all = self.of_gateway();
        for (key, account) in self.accounts.iter().filter(|(_, account)| account.standing == Standing::Managed) {
            all.push(Address::Account(key.clone()));
            let deployments = account.deployments.keys();
            all.extend(deployments.map(|d| Address::Deployment { account: key.clone(), deployment: d.clone() }));
            if let Some(endpoint) = &account.network.private_endpoint {
                all.push(Address::PrivateEndpoint(key.clone()));
                all.extend(endpoint.dns_zone.iter().map(|_| Address::DnsZoneGroup(key.clone())));
            }
        }
        all.extend(self.grants.keys().cloned().map(Address::Grant));
        all.extend(self.named_values.keys().cloned().map(Address::NamedValue));
        all.extend(self.backends.keys().cloned().map(Address::Backend));
        let pools = self.pools.iter().filter(|(_, pool)| pool.balancing == Balancing::Native);
        all.extend(pools.map(|(key, _)| Address::Pool(key.clone())));
        for (key, api) in &self.apis {
            all.push(Address::Api(key.clone()));
            all.extend(api.operations.keys().map(|o| Address::Operation { api: key.clone(), operation: o.clone() }));
            all.extend(api.has_policy().then(|| Address::Policy(key.clone())));
        }
        for (key, product) in &self.products {
            all.push(Address::Product(key.clone()));
            all.extend(product.apis.iter().map(|a| Address::ProductApi { product: key.clone(), api: a.clone() }));
            all.extend(product.policy.is_present().then(|| Address::ProductPolicy(key.clone())));
        }
        all.extend(self.subscriptions.keys().cloned().map(Address::Subscription));
        all.extend(self.of_observability());
        all.sort();
        all
    }

    fn of_gateway(&self) -> Vec<Address> {
        let Some(gateway) = &self.gateway else { return Vec::new() };
        let mut all = Vec::new();
        if gateway.standing == Standing::Managed {
            all.push(Address::Gateway);
            all.extend(matches!(gateway.identity, Identity::Managed(_)).then_some(Address::Identity));
        }
        all
    }

    fn of_observability(&self) -> Vec<Address> {
        let Some(found) = &self.observability else { return Vec::new() };
        let mut all = Vec::new();
        let managed = |sink: &Option<Sink>| matches!(sink, Some(Sink::Managed(_)));
        all.extend(managed(&found.workspace).then_some(Address::Workspace));
        all.extend(managed(&found.app_insights).then_some(Address::AppInsights));
        for logger in found.loggers() {
            all.push(Address::Logger(logger));
            all.extend(self.apis.keys().map(|api| Address::Diagnostic { api: api.clone(), logger }));
        }
        all.extend(found.workspace.as_ref().map(|_| Address::DiagnosticSetting));
        all.extend(found.workbook.then_some(Address::Workbook));
        all.extend(found.alerts.iter().flat_map(|_| Alert::ALL.map(Address::Alert)));
        all
    }

    /// Whether it has something at this address, if only as something that is there already.
    pub fn names(&self, address: &Address) -> bool {
        match address {
            Address::Gateway => self.gateway.is_some(),
            Address::Account(key) => self.accounts.contains_key(key),
            Address::Deployment { account, deployment } => {
                self.accounts.get(account).is_some_and(|account| account.deployments.contains_key(deployment))
            }
            other => self.has(other),
        }
    }

    /// Whether there is something at this address.
    pub fn has(&self, address: &Address) -> bool {
        *address == Address::ResourceGroup || self.addresses().binary_search(address).is_ok()
    }
}

impl<I> super::Policy<I> {
    /// Whether there is a policy; one that the spec made always is.
    pub fn is_present(&self) -> bool {
        !matches!(self, super::Policy::Other(text) if text.is_empty())
    }
}

impl super::Observability {
    /// Where the gateway sends records. Without a diagnostic of its own an API's records in a workspace have no headers.
    pub fn loggers(&self) -> Vec<Logger> {
        let insights = self.app_insights.as_ref().map(|_| Logger::AppInsights);
        let monitor = (self.workspace.is_some() || self.llm_logs).then_some(Logger::AzureMonitor);
        insights.into_iter().chain(monitor).collect()
    }
}

impl super::Api {
    /// Whether it has a policy of its own; one that the spec made always has.
    pub fn has_policy(&self) -> bool {
        self.policy.is_present()
    }
}

impl fmt::Display for Address {
    /// `pool gpt-4.1`, `deployment gpt-4.1 of eastus2`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Address::ResourceGroup
            | Address::Identity
            | Address::Workspace
            | Address::AppInsights
            | Address::Gateway
            | Address::DiagnosticSetting
            | Address::Workbook => Ok(()),
            Address::Deployment { account, deployment } => write!(f, " {deployment} of {account}"),
            Address::Grant(account) => write!(f, " on {account}"),
            Address::PrivateEndpoint(of) | Address::DnsZoneGroup(of) | Address::ProductPolicy(of) => {
                write!(f, " of {of}")
            }
            Address::Operation { api, operation } => write!(f, " {operation} of {api}"),
            Address::Policy(api) => write!(f, " of {api}"),
            Address::ProductApi { product, api } => write!(f, " {api} of {product}"),
            Address::Logger(logger) => write!(f, " {}", logger.name()),
            Address::Diagnostic { api, logger } => write!(f, " {} of {api}", logger.name()),
            Address::Alert(alert) => write!(f, " {}", alert.word()),
            Address::Account(key)
            | Address::NamedValue(key)
            | Address::Backend(key)
            | Address::Pool(key)
            | Address::Api(key)
            | Address::Product(key)
            | Address::Subscription(key) => write!(f, " {key}"),
        }
    }
}
