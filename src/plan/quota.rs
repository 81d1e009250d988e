//! Trap 12: what new and larger deployments ask for, against what is left of the subscription's quota.
//!
//! Azure looks at each deployment by itself before it takes a template, and again when it writes it. So neither one
//! deployment nor all of them together may ask for more than is left. What becomes smaller is counted back in the sum;
//! what is deleted is not, for it goes last.
//!
//! Deliberately absent: what a soft-deleted account holds, which Azure does not say. Where the plan takes one back or
//! gives it free, nobody knows what is left then, and nothing is refused.

use super::{Action, Planning, diff};
use crate::catalogue;
use crate::diagnostic::{Diagnostic, code};
use crate::topology::{Account, Address, Deployment, DeploymentSku, Key, Location, Usage};
use std::collections::BTreeMap;

/// A deployment that is made or changes.
struct Ask {
    address: Address,
    sku: DeploymentSku,
    /// What it has of the quota, and what it will have.
    from: u64,
    to: u64,
}

impl Ask {
    const fn more(&self) -> u64 {
        self.to.saturating_sub(self.from)
    }
}

impl Planning<'_> {
    /// Refuses what Azure would refuse for want of quota.
    pub(super) fn quota(&mut self) {
        let mut asks: BTreeMap<(Location, String), Vec<Ask>> = BTreeMap::new();
        for (key, account) in &self.desired.accounts {
            if account.place.subscription.is_some() || self.is_unclear(key, account) {
                continue;
            }
            for (deployment, wanted) in &account.deployments {
                if let Some(ask) = self.ask(key, deployment, wanted) {
                    asks.entry((account.location.clone(), quota(wanted))).or_default().push(ask);
                }
            }
        }
        for (of, asks) in asks {
            let refusal = self.live.usage.get(&of).and_then(|usage| short(&of.0, usage, &asks));
            self.plan.refusals.extend(refusal);
        }
    }

    /// Whether the plan gives quota free in the account's region, or brings the account back with what it had.
    fn is_unclear(&self, key: &Key, account: &Account) -> bool {
        let location = |address: &Address| match address {
            Address::Account(key) => self.desired.accounts.get(key).map(|account| &account.location),
            _ => None,
        };
        self.plan.changes.iter().any(|change| match change.action {
            Action::Purge => location(&change.address) == Some(&account.location),
            Action::Recover => change.address == Address::Account(key.clone()),
            _ => false,
        })
    }

    fn ask(&self, account: &Key, deployment: &Key, wanted: &Deployment) -> Option<Ask> {
        let address = Address::Deployment { account: account.clone(), deployment: deployment.clone() };
        let change = self.plan.changes.iter().find(|change| change.address == address)?;
        let there = match change.action {
            Action::Update(_) => self.live.topology.accounts.get(account)?.deployments.get(deployment),
            Action::Create => None,
            _ => return None,
        };
        let same = there.filter(|there| quota(there) == quota(wanted));
        let from = same.map_or(0, |there| u64::from(there.capacity));
        Some(Ask { address, sku: wanted.sku, from, to: u64::from(wanted.capacity) })
    }
}

/// The key of the quota that a deployment draws on.
fn quota(deployment: &Deployment) -> String {
    let sku = catalogue::sku(deployment.sku.as_str());
    let name = sku.map(|sku| catalogue::quota_name(sku, &deployment.model.format, &deployment.model.name));
    catalogue::quota_key(&name.unwrap_or_default())
}

/// Why what is asked of one quota is too much, at the deployment with which it is.
fn short(location: &Location, usage: &Usage, asks: &[Ask]) -> Option<Diagnostic> {
    let left = usage.left();
    let more: u64 = asks.iter().map(Ask::more).sum();
    let back: u64 = asks.iter().map(|ask| ask.from.saturating_sub(ask.to)).sum();
    let alone = asks.iter().find(|ask| ask.more() > left);
    let together = more.saturating_sub(back);
    if alone.is_none() && together <= left {
        return None;
    }
    let last = asks.iter().rfind(|ask| ask.more() > 0)?;
    let at = alone.unwrap_or(last);
    let figure = |n: u64| diff::capacity(at.sku, u32::try_from(n).unwrap_or(u32::MAX));
    let growing: Vec<String> = asks.iter().filter(|ask| ask.more() > 0).map(|ask| ask.address.to_string()).collect();
    let (who, what) = match (alone, growing.as_slice()) {
        (None, [first, second]) => (format!("{first} and {second} ask"), together),
        (None, [first, _, rest @ ..]) => (format!("{first} and {} others ask", rest.len() + 1), together),
        (alone, _) => (format!("{} asks", at.address), alone.unwrap_or(at).more()),
    };
    let what = if at.from == 0 { figure(what) } else { format!("{} more", figure(what)) };
    let left = if left == 0 { "nothing".to_owned() } else { figure(left) };
    let message = format!("{who} for {what} of {} in {location}, and {left} is left", usage.name);
    let (used, limit) = (figure(usage.used), figure(usage.limit));
    let problem = Diagnostic::new(code::QUOTA_SHORT, message)
        .at(at.address.key())
        .note(format!("{used} of {limit} are used; a soft-deleted account holds what it had until it is purged"))
        .help("lower the capacity, choose another region, or ask Azure for more: https://aka.ms/oai/quotaincrease");
    Some(problem)
}
