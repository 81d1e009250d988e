//! Destroying: everything that belongs to the stack, from the top down, and nothing else.
//!
//! A service or an account goes with all that is in it, so one that holds something that is not the stack's stays. Its
//! own furniture does not count: the sample API and the subscription `master` that Azure puts into every service.

use super::client::{self, Outcome};
use super::deploy::{changed, etag};
use super::event::{Event, Step};
use super::{problem, read_live};
use crate::arm::{self, Operation, id, request};
use crate::diagnostic::{Diagnostic, code};
use crate::plan::{Action, usual};
use crate::topology::{Access, Address, Live, Owner, Policy, SoftDeleted, Topology};
use crate::wire::{Cloud, Request};
use serde_json::Value;
use std::collections::BTreeSet;

/// What becomes of names that Azure keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remains {
    /// They stay soft-deleted until Azure purges them.
    Keep,
    /// They are given free for ever.
    Purge,
}

/// What a destroy would delete and leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// What is deleted, in order; the resource group last, if it is this stack's and turns out to be empty.
    pub deleted: Vec<Address>,
    /// What stays, with the reason.
    pub left: Vec<Diagnostic>,
    /// Names of this stack that are soft-deleted already.
    pub remains: Vec<SoftDeleted>,
}

/// What a destroy came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// What was deleted, in order.
    pub deleted: Vec<Address>,
    /// Names that were given free.
    pub purged: Vec<String>,
    /// What stays soft-deleted, and until when.
    pub remains: Vec<SoftDeleted>,
    /// What was left as it is.
    pub left: Vec<Diagnostic>,
}

/// What a destroy would delete.
pub fn inventory(live: &Live) -> Inventory {
    let mut found = Inventory::default();
    let ours = |address: &Address| live.owners.get(address) == Some(&Owner::Ours);
    let there = live.addresses();
    let of_our_api = |address: &Address| match address {
        Address::Policy(api) => ours(&Address::Api(api.clone())),
        Address::Subscription(key) => {
            let api = live.topology.subscriptions.get(key).map(|subscription| match &subscription.access {
                Access::Api(api) => Address::Api(api.clone()),
                Access::Product(product) => Address::Product(product.clone()),
            });
            api.is_some_and(|api| ours(&api))
        }
        // an API takes its operations and diagnostics with it, a product its links and its policy
        Address::Operation { .. }
        | Address::Diagnostic { .. }
        | Address::ProductApi { .. }
        | Address::ProductPolicy(_) => false,
        _ => ours(address),
    };
    let mut doomed: Vec<Address> = there.iter().filter(|address| of_our_api(address)).cloned().collect();
    doomed.sort_by_key(|address| (rank(address), address.clone()));
    let guests = |container: &Address| -> Option<&Address> {
        there.iter().find(|address| match (container, address) {
            (
                Address::Gateway,
                Address::Backend(_) | Address::Pool(_) | Address::NamedValue(_) | Address::Product(_),
            ) => !doomed.contains(address),
            (Address::Gateway, Address::Api(key)) => !doomed.contains(address) && key != "echo-api",
            (Address::Account(key), Address::Deployment { account, .. }) => account == key && !doomed.contains(address),
            _ => false,
        })
    };
    let foreign_pool = |backend: &str| {
        let mut pools = live.topology.pools.iter().filter(|(key, _)| !doomed.contains(&Address::Pool((*key).clone())));
        pools.find(|(_, pool)| pool.members.iter().any(|member| member.backend == backend)).map(|(key, _)| key)
    };
    let stays = |address: &Address| -> Option<String> {
        match address {
            Address::Backend(key) => {
                return foreign_pool(key)
                    .map(|pool| format!("{address} stays: the pool {pool}, which is not this stack's, needs it"));
            }
            Address::Gateway | Address::Account(_) => {}
            _ => return None,
        }
        let id = live.ids.get(address).map(String::as_str).unwrap_or_default();
        let undescribed = live.undescribed.iter().find(|other| arm::id::within(other, id));
        match (guests(address), undescribed) {
            (Some(guest), _) => Some(format!("{address} stays: {guest} in it is not this stack's")),
            (None, Some(other)) => Some(format!("{address} stays: {other} in it is not this stack's")),
            (None, None) => None,
        }
    };
    for address in &doomed {
        match stays(address) {
            Some(why) => found.left.push(left(why, address)),
            None => found.deleted.push(address.clone()),
        }
    }
    for address in &there {
        let foreign = matches!(address, Address::Gateway | Address::Account(_)) && !ours(address);
        if foreign {
            found.left.push(left(format!("{address} stays: it is not this stack's"), address));
        }
    }
    if live.resource_group == Some(Owner::Ours) {
        found.deleted.push(Address::ResourceGroup);
    }
    for held in live.soft_deleted.iter().filter(|held| !is_ours(held)) {
        if let Some(address) = &held.address {
            let why = format!("a soft-deleted {} holds the name {}", address.kind(), held.name);
            let help = format!("if nobody needs it: `deploy --purge {}`", held.name);
            found.left.push(left(format!("{why}; nobody can say that it was this stack's"), address).help(help));
        }
    }
    found.remains = live.soft_deleted.iter().filter(|held| is_ours(held)).cloned().collect();
    found
}

/// From the top down: what routes before what is routed to, what is in something before it.
const fn rank(address: &Address) -> u8 {
    match address {
        Address::DiagnosticSetting | Address::Workbook | Address::Alert(_) => 0,
        Address::Policy(_) | Address::ProductPolicy(_) | Address::Diagnostic { .. } => 1,
        Address::Pool(_) => 2,
        Address::Backend(_) => 3,
        Address::Subscription(_) => 4,
        Address::ProductApi { .. } => 5,
        Address::Product(_) => 6,
        Address::Operation { .. } => 7,
        Address::Api(_) => 8,
        Address::NamedValue(_) | Address::Logger(_) => 9,
        Address::Grant(_) | Address::DnsZoneGroup(_) => 10,
        Address::PrivateEndpoint(_) => 11,
        Address::Deployment { .. } => 12,
        Address::Account(_) => 13,
        Address::Gateway => 14,
        Address::Identity | Address::AppInsights => 15,
        Address::Workspace => 16,
        Address::ResourceGroup => 17,
    }
}

fn is_ours(held: &SoftDeleted) -> bool {
    held.owner == Owner::Ours
}

fn left(why: String, address: &Address) -> Diagnostic {
    Diagnostic::new(code::LEFT_BEHIND, why).at(address.key())
}

/// Deletes what belongs to the stack. What is gone already is fine, so it can be run again at any time.
pub async fn destroy(
    cloud: &dyn Cloud,
    desired: &Topology,
    live: &Live,
    remains: Remains,
    sink: &mut dyn FnMut(Event),
) -> Result<Destroyed, Vec<Diagnostic>> {
    let result = Destroyed::default();
    let mut destroying = Destroying { cloud, desired, sink, names: remains, result, gone: BTreeSet::new() };
    let live = destroying.settle(live).await?;
    let inventory = inventory(&live);
    destroying.result.left = inventory.left;
    for address in inventory.deleted.iter().filter(|address| **address != Address::ResourceGroup) {
        destroying.delete(&live, address).await?;
    }
    destroying.remains().await?;
    if inventory.deleted.contains(&Address::ResourceGroup) {
        destroying.group(&live).await?;
    }
    Ok(destroying.result)
}

struct Destroying<'a> {
    cloud: &'a dyn Cloud,
    desired: &'a Topology,
    sink: &'a mut dyn FnMut(Event),
    names: Remains,
    result: Destroyed,
    /// Where the remains of what was deleted stand, in lower case.
    gone: BTreeSet<String>,
}

impl Destroying<'_> {
    /// Waits for what an earlier run began, and reads again.
    async fn settle(&mut self, live: &Live) -> Result<Live, Vec<Diagnostic>> {
        let mut waiting: Vec<(Address, String, String)> = live
            .busy
            .iter()
            .filter_map(|(address, word)| Some((address.clone(), word.clone(), live.ids.get(address)?.clone())))
            .filter(|(address, ..)| live.owners.get(address) == Some(&Owner::Ours))
            .map(|(address, word, of)| (address, word, request::resource(&of).url))
            .collect();
        if let Some((name, _)) = &live.running {
            let url = request::deployment(self.desired, name).url;
            waiting.insert(0, (Address::ResourceGroup, format!("deployment {name}"), url));
        }
        if waiting.is_empty() {
            return Ok(live.clone());
        }
        for (resource, state, url) in waiting {
            (self.sink)(Event::Waiting { resource, state });
            // how it ended is seen when it is read again
            let _ = client::follow(self.cloud, Operation::settle(url)).await.map_err(one)?;
        }
        (self.sink)(Event::Reading { why: "after-waiting" });
        read_live(self.cloud, self.desired).await
    }

    async fn delete(&mut self, live: &Live, address: &Address) -> Result<(), Vec<Diagnostic>> {
        // an API without a policy of its own has none to delete
        if let Address::Policy(key) = address
            && live.topology.apis.get(key).is_some_and(|api| api.policy == Policy::Other(String::new()))
        {
            return Ok(());
        }
        let Some(of) = live.ids.get(address).cloned() else { return Ok(()) };
        let location = match address {
            Address::Gateway => live.topology.gateway.as_ref().map(|gateway| &gateway.location),
            Address::Account(key) => live.topology.accounts.get(key).map(|account| &account.location),
            _ => None,
        };
        if let Some(location) = location {
            self.gone.insert(request::remains(&of, location).to_lowercase());
        }
        let request = match (address, self.names) {
            // a workspace has no remains that could be purged later
            (Address::Workspace, Remains::Purge) => request::delete_for_good(&of),
            _ => request::delete(&of, etag(live, address)),
        };
        self.step(address, Step::Delete, request).await?;
        self.result.deleted.push(address.clone());
        Ok(())
    }

    async fn step(&mut self, address: &Address, step: Step, request: Request) -> Result<(), Vec<Diagnostic>> {
        let began = self.cloud.now();
        let action = if step == Step::Purge { Action::Purge } else { Action::Delete };
        (self.sink)(Event::started(address, step, usual(self.desired, address, &action)));
        match client::carry_out(self.cloud, request).await.map_err(one)? {
            Outcome::Done | Outcome::Absent => {
                let elapsed = self.cloud.now().since(began);
                (self.sink)(Event::ResourceDone { resource: address.clone(), step, elapsed });
                Ok(())
            }
            Outcome::Failed(causes) => {
                let cause = causes.first().cloned().unwrap_or_default();
                let (code, message) = (cause.code, cause.message);
                (self.sink)(Event::ResourceFailed { resource: address.clone(), step, code, message });
                if causes.iter().any(|cause| cause.status == 412) {
                    return Err(vec![changed(address)]);
                }
                Err(problem::all(&causes, address, code::AZURE_REFUSED))
            }
        }
    }

    /// Names that stay soft-deleted: those of this run and of earlier ones.
    async fn held(&self) -> Result<Vec<SoftDeleted>, Vec<Diagnostic>> {
        let (mut services, mut accounts) = (Vec::new(), Vec::new());
        for subscription in id::subscriptions(self.desired) {
            services.extend(client::list(self.cloud, request::deleted_services(&subscription)).await.map_err(one)?);
            accounts.extend(client::list(self.cloud, request::deleted_accounts(&subscription)).await.map_err(one)?);
        }
        let mut held = arm::soft_deleted(self.desired, &services, &accounts);
        held.retain(|held| is_ours(held) || self.gone.contains(&held.id.to_lowercase()));
        Ok(held)
    }

    async fn remains(&mut self) -> Result<(), Vec<Diagnostic>> {
        let held = self.held().await?;
        if self.names == Remains::Keep {
            self.result.remains = held;
            return Ok(());
        }
        for held in held {
            let named = || match id::after(&held.id, "deletedservices") {
                Some(_) => Address::Gateway,
                None => Address::Account(held.name.clone()),
            };
            let address = held.address.clone().unwrap_or_else(named);
            self.step(&address, Step::Purge, request::purge(&held)).await?;
            self.result.purged.push(held.name);
        }
        self.result.remains = self.held().await?;
        Ok(())
    }

    /// The resource group, if nothing is left in it.
    async fn group(&mut self, live: &Live) -> Result<(), Vec<Diagnostic>> {
        let inside = client::list(self.cloud, request::resources(self.desired)).await.map_err(one)?;
        let Some(first) = inside.first() else {
            let of = live.ids.get(&Address::ResourceGroup).cloned().unwrap_or_else(|| id::group(self.desired));
            self.step(&Address::ResourceGroup, Step::Delete, request::delete(&of, None)).await?;
            self.result.deleted.push(Address::ResourceGroup);
            return Ok(());
        };
        let name = first.get("id").and_then(Value::as_str).unwrap_or_default();
        let why = format!("the resource group stays: {} is still in it", id::name(name));
        self.result.left.push(left(why, &Address::ResourceGroup));
        Ok(())
    }
}

fn one(diagnostic: Diagnostic) -> Vec<Diagnostic> {
    vec![diagnostic]
}
