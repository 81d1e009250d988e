//! The answers themselves, and what can be said of them before all have come.

use super::{account_kind, list, marked, tagged, text};
use crate::arm::id;
use crate::topology::{Identity, Key, Location, Owner, Standing, Topology};
use serde_json::Value;
use std::collections::BTreeMap;

/// What Azure answered.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// The resource group, `None` where it does not exist.
    pub group: Option<Value>,
    /// API Management services in the group, and the one that the spec calls existing.
    pub services: Vec<Value>,
    /// Accounts in the group, and those elsewhere that the stack has to do with.
    pub accounts: Vec<Value>,
    /// User-assigned identities in the group, and the one that the spec calls existing.
    pub identities: Vec<Value>,
    /// Private endpoints in the group.
    pub private_endpoints: Vec<Value>,
    /// What names private endpoints in DNS zones, by the endpoint's id.
    pub dns_zone_groups: BTreeMap<String, Vec<Value>>,
    /// What the spec calls existing, by id: `None` where it is not there, absent where nobody may say.
    pub existing: BTreeMap<String, Option<Value>>,
    /// Soft-deleted services of the subscriptions.
    pub deleted_services: Vec<Value>,
    /// Soft-deleted accounts of the subscriptions.
    pub deleted_accounts: Vec<Value>,
    /// Quotas by region, where Azure told them.
    pub usages: BTreeMap<Location, Vec<Value>>,
    /// Roles at, above and below the groups and the existing accounts, and those of the gateway's identity anywhere.
    pub roles: Vec<Value>,
    /// Backends and pools of the gateway.
    pub backends: Vec<Value>,
    /// Named values of the gateway.
    pub named_values: Vec<Value>,
    /// APIs of the gateway.
    pub apis: Vec<Value>,
    /// Products of the gateway.
    pub products: Vec<Value>,
    /// Loggers of the gateway.
    pub loggers: Vec<Value>,
    /// Diagnostic settings of the gateway.
    pub settings: Vec<Value>,
    /// What is recorded beside the gateway: what the spec wants of it, and what is marked as the stack's.
    pub recorders: Vec<Value>,
    /// Subscriptions of the gateway.
    pub subscriptions: Vec<Value>,
    /// Operations by the API's id.
    pub operations: BTreeMap<String, Vec<Value>>,
    /// Diagnostics by the API's id.
    pub diagnostics: BTreeMap<String, Vec<Value>>,
    /// APIs in a product by the product's id.
    pub product_apis: BTreeMap<String, Vec<Value>>,
    /// Policy documents by the id of the API or the product; what has none is absent.
    pub policies: BTreeMap<String, String>,
    /// Model deployments by the account's id.
    pub deployments: BTreeMap<String, Vec<Value>>,
    /// ETags by id, of what may have to be deleted.
    pub etags: BTreeMap<String, String>,
    /// The stack's template deployment, `None` where there is none.
    pub deployment: Option<Value>,
}

impl Answers {
    /// Keeps of the accounts in other groups those that the spec names or that are the stack's, and puts what the spec
    /// calls existing among its like.
    pub fn settle(&mut self, desired: &Topology) {
        let own = id::group(desired);
        let (stack, named) = (crate::arm::stack_id(desired), |of: &str| account_key(desired, of).is_some());
        self.accounts.retain(|account| {
            let of = text(account, "/id");
            id::within(of, &own) || named(of) || tagged(account, &stack) == Owner::Ours
        });
        for (of, found) in &self.existing {
            let Some(found) = found else { continue };
            let all = match id::kind(of).unwrap_or_default().to_ascii_lowercase().as_str() {
                "microsoft.apimanagement/service" => &mut self.services,
                "microsoft.cognitiveservices/accounts" => &mut self.accounts,
                "microsoft.managedidentity/userassignedidentities" => &mut self.identities,
                "microsoft.cognitiveservices/accounts/deployments" => {
                    let account = of.rsplitn(3, '/').last().unwrap_or_default();
                    self.deployments.entry(account.to_owned()).or_default()
                }
                _ => continue,
            };
            if !all.iter().any(|other| id::same(text(other, "/id"), of)) {
                all.push(found.clone());
            }
        }
    }
}

/// The service that is this stack's gateway: the one with its name, else the one with its tag.
pub fn find_gateway<'a>(desired: &Topology, services: &'a [Value]) -> Option<&'a Value> {
    let wanted = id::service(desired);
    let there = desired.gateway.as_ref().is_some_and(|gateway| gateway.standing == Standing::Existing);
    let stack = crate::arm::stack_id(desired);
    services
        .iter()
        .find(|service| wanted.as_ref().is_some_and(|of| id::same(of, text(service, "/id"))))
        .or_else(|| services.iter().find(|service| !there && tagged(service, &stack) == Owner::Ours))
}

/// Whether an account is of a kind that can hold Azure OpenAI deployments.
pub fn holds_models(account: &Value) -> bool {
    account_kind(text(account, "/kind")).is_some()
}

/// Whether a resource of the gateway carries this stack's marker.
pub fn is_ours(desired: &Topology, resource: &Value) -> bool {
    let tags = list(resource, "/properties/tags").iter().filter_map(Value::as_str);
    let stack = crate::arm::stack_id(desired);
    tags.chain([text(resource, "/properties/description")]).any(|text| marked(text, &stack) == Owner::Ours)
}

/// Whether an account's deployments are listed: it can hold models, and is none that the spec calls existing.
pub fn is_listed(desired: &Topology, account: &Value) -> bool {
    let wanted = account_key(desired, text(account, "/id")).and_then(|key| desired.accounts.get(&key));
    holds_models(account) && wanted.is_none_or(|account| account.standing == Standing::Managed)
}

/// Whether a private endpoint is one that the spec wants, or this stack's.
pub fn is_endpoint(desired: &Topology, endpoint: &Value) -> bool {
    let wanted = |key: &Key| {
        let of = id::of(desired, &crate::topology::Address::PrivateEndpoint(key.clone()));
        of.is_some_and(|of| id::same(&of, text(endpoint, "/id")))
    };
    desired.accounts.keys().any(wanted) || tagged(endpoint, &crate::arm::stack_id(desired)) == Owner::Ours
}

/// The object id of the identity that the gateway calls models with.
pub fn principal(desired: &Topology, answers: &Answers) -> Option<String> {
    let found = match desired.gateway.as_ref().map(|gateway| &gateway.identity) {
        None | Some(Identity::System) => {
            text(find_gateway(desired, &answers.services)?, "/identity/principalId").to_owned()
        }
        Some(Identity::Managed(_) | Identity::Existing(_)) => {
            text(identity(desired, answers)?, "/properties/principalId").to_owned()
        }
    };
    Some(found).filter(|principal| !principal.is_empty())
}

/// The user-assigned identity that the spec wants.
pub(super) fn identity<'a>(desired: &Topology, answers: &'a Answers) -> Option<&'a Value> {
    let wanted = id::identity(desired)?;
    answers.identities.iter().find(|identity| id::same(&wanted, text(identity, "/id")))
}

/// Accounts that the gateway has this stack's role on, and that no list has shown: they left the spec.
pub fn left_accounts(desired: &Topology, answers: &Answers) -> Vec<String> {
    let Some(principal) = principal(desired, answers) else { return Vec::new() };
    let stack = crate::arm::stack_id(desired);
    let mut left: Vec<String> = Vec::new();
    for role in &answers.roles {
        let scope = text(role, "/properties/scope");
        let account =
            id::kind(scope).is_some_and(|kind| kind.eq_ignore_ascii_case("Microsoft.CognitiveServices/accounts"));
        let known =
            || answers.accounts.iter().map(|account| text(account, "/id")).chain(left.iter().map(String::as_str));
        if account
            && text(role, "/properties/principalId").eq_ignore_ascii_case(&principal)
            && marked(text(role, "/properties/description"), &stack) == Owner::Ours
            && !known().any(|other| id::same(other, scope))
        {
            left.push(scope.to_owned());
        }
    }
    left
}

/// The key of the account with that id.
pub(super) fn account_key(desired: &Topology, of: &str) -> Option<Key> {
    let named = |key: &&Key| id::account(desired, key).is_some_and(|wanted| id::same(&wanted, of));
    desired.accounts.keys().find(named).cloned()
}
