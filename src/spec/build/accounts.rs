//! Accounts with their deployments, and the roles that they need.

use super::super::model::{self, Map, Word};
use super::super::yaml::join;
use super::{ACCOUNT, existing, two_ways};
use crate::diagnostic::{Diagnostic, code};
use crate::topology::{
    Account, AccountKind, AccountNetwork, Backend, Deployment, Key, Location, Model, Name, OPENAI_FORMAT, Place,
    PrivateEndpoint, Role, Scope, Standing, defaults,
};
use std::collections::BTreeMap;

/// The accounts of a spec.
pub struct Accounts {
    pub all: BTreeMap<Key, Account>,
    /// Roles that the spec names itself.
    pub roles: BTreeMap<Key, Role>,
}

pub fn accounts(written: Map<model::Account>, scope: &Scope, out: &mut Vec<Diagnostic>) -> Accounts {
    let mut accounts = Accounts { all: BTreeMap::new(), roles: BTreeMap::new() };
    for (key, mut written) in written {
        if let Some(name) = written.role.take()
            && let Some(role) = role(&name, &join(&join("accounts", &key), "role"), out)
        {
            accounts.roles.insert(key.clone(), role);
        }
        let account = account(&key, written, scope, out);
        accounts.all.insert(key, account);
    }
    accounts
}

/// Trap 16: only some roles let their holder call a model.
fn role(name: &str, path: &str, out: &mut Vec<Diagnostic>) -> Option<Role> {
    let found = Role::parse(name);
    if found.is_none() {
        let message = format!("with the role {} the gateway cannot call models", super::super::check::shown(name));
        let problem = Diagnostic::new(code::WRONG_ROLE, message).at(path);
        let titles = Role::ALL.map(Role::title);
        out.push(problem.help(format!("use {}", super::suggest::list(titles))));
    }
    found
}

fn account(key: &str, written: model::Account, scope: &Scope, out: &mut Vec<Diagnostic>) -> Account {
    let path = join("accounts", key);
    let is_existing = written.existing.is_some();
    if is_existing && (written.name.is_some() || written.subscription.is_some() || written.resource_group.is_some()) {
        let message = format!("`{key}` is an existing account, and its name or place is given again");
        out.push(two_ways(&join(&path, "existing"), message, "`existing`"));
    }
    if written.location.is_none() && !is_existing {
        let problem = Diagnostic::new(code::MISSING_KEY, format!("`{key}` has no `location`"));
        out.push(problem.at(join(&path, "location")).help("add `location:`, its region, as `swedencentral`"));
    }
    let (name, place) = match written.existing {
        Some(found) => existing(found, ACCOUNT, &join(&path, "existing"), scope, out),
        None => (
            written.name.map_or_else(|| Name::Unique(format!("aoai-{key}-")), Name::Literal),
            Place {
                subscription: written
                    .subscription
                    .map(|id| id.to_lowercase())
                    .filter(|id| scope.subscription.as_ref() != Some(id)),
                resource_group: written
                    .resource_group
                    .filter(|group| !group.eq_ignore_ascii_case(&scope.resource_group)),
            },
        ),
    };
    let deployments = written.deployments.into_iter().map(|(key, written)| (key, deployment(written)));
    Account {
        name,
        place,
        standing: if is_existing { Standing::Existing } else { Standing::Managed },
        location: match (written.location, is_existing) {
            (Some(name), _) => Location::new(&name),
            (None, true) => Location::unknown(),
            (None, false) => scope.location.clone(),
        },
        kind: written.kind.map_or(AccountKind::OpenAI, |Word(kind)| kind),
        deployments: deployments.collect(),
        network: network(written.network.unwrap_or_default(), &join(&path, "network"), out),
        properties: written.properties.unwrap_or_default(),
    }
}

fn network(written: model::AccountNetwork, path: &str, out: &mut Vec<Diagnostic>) -> AccountNetwork {
    let model::AccountNetwork { public, subnet, dns_zone } = written;
    if subnet.is_none() && dns_zone.is_some() {
        let problem = Diagnostic::new(code::MISSING_KEY, "`network` has a `dnsZone` and no `subnet`");
        out.push(problem.at(join(path, "subnet")).help("add `subnet:`, where the private endpoint gets its address"));
    }
    AccountNetwork {
        public: public.unwrap_or(subnet.is_none()),
        private_endpoint: subnet.map(|subnet| PrivateEndpoint { subnet, dns_zone }),
    }
}

fn deployment(written: model::Deployment) -> Deployment {
    let format = written.format.unwrap_or_else(|| OPENAI_FORMAT.into());
    Deployment {
        model: Model { name: written.model, version: written.version, format },
        sku: written.sku.map_or(defaults::DEPLOYMENT_SKU, |Word(sku)| sku),
        capacity: written.capacity,
        version_upgrade: written.version_upgrade.map_or(defaults::VERSION_UPGRADE, |Word(option)| option),
        rai_policy: written.rai_policy,
        spillover: written.spillover,
    }
}

/// The roles that the gateway's identity needs: one on every account that a backend calls.
pub fn needed(accounts: &Accounts, backends: &BTreeMap<Key, Backend>) -> BTreeMap<Key, Role> {
    let called = backends.values().filter_map(|backend| backend.target.account());
    let role = |key: &Key| {
        let account = accounts.all.get(key)?;
        let mut roles = account.deployments.values().map(|deployment| Role::of_format(&deployment.model.format));
        let least = roles.find(|role| *role != Role::OpenAIUser).unwrap_or(Role::OpenAIUser);
        Some((key.clone(), accounts.roles.get(key).copied().unwrap_or(least)))
    };
    called.filter_map(|(account, _)| role(account)).collect()
}
