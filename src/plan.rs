//! What would change in Azure, in the spec's own words: [`plan`].
//!
//! A plan is a value: the [`Change`]s in the order in which they are carried out, what is left alone and why, what is
//! equal, what is blocked until somebody chooses, and what is refused. Making one cannot fail.
//!
//! Invariants: `plan(x, x)` has no change; carrying every change out leaves none; nothing is deleted that this stack
//! does not own; what depends on something is made after it and deleted before it.
//!
//! Deliberately absent: ARM ids, requests, templates and policy texts. The caller hands in the texts that it would
//! write ([`Scope::rendered`]), for a diff against a foreign policy.

mod body;
mod cost;
mod diff;
mod quota;
mod refused;
mod removal;
pub mod show;
pub mod wire;

pub use cost::{Range, Traffic, usual};

use crate::diagnostic::{Diagnostic, code};
use crate::topology::{Address, Key, Live, Missing, Owner, Policy, Role, SoftDeleted, Topology};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a plan needs to know beside the two states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Names or keys of soft-deleted things to take back.
    pub recover: BTreeSet<String>,
    /// Names or keys of soft-deleted things to give free.
    pub purge: BTreeSet<String>,
    /// The canonical XML of the policies that the spec wants, by API key.
    pub rendered: BTreeMap<Key, String>,
    /// The same of products, by product key.
    pub limits: BTreeMap<Key, String>,
    /// What would be written of each thing, as far as that is known beforehand.
    pub bodies: BTreeMap<Address, Value>,
}

/// What would change, and what would not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is done, in order.
    pub changes: Vec<Change>,
    /// What the spec wants and is there as it wants it.
    pub unchanged: Vec<Address>,
    /// What is there, is not in the spec, and is left alone.
    pub kept: Vec<Kept>,
    /// Names that somebody has to choose for.
    pub blocked: Vec<Blocked>,
    /// Roles that somebody else is to give, and that are not there.
    pub missing_roles: Vec<MissingRole>,
    /// What the spec asks for and is not done; nothing is written while there is one.
    pub refusals: Vec<Diagnostic>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What changes.
    pub address: Address,
    /// How.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// What is made, deleted, recovered or purged, in a few words; empty for an update.
    pub detail: String,
    /// When in the course of a deploy.
    pub phase: Phase,
    /// How long it usually takes.
    pub takes: Range,
    /// What the callers notice.
    pub traffic: Traffic,
    /// For a policy that is not ours: a unified diff of the canonical texts.
    pub diff: Option<String>,
}

/// How something changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Create,
    /// These fields change, in place.
    Update(Vec<Field>),
    /// It is deleted.
    Delete,
    /// A soft-deleted one is taken back.
    Recover,
    /// A soft-deleted one is deleted for ever.
    Purge,
}

/// The field that says that an API's definition changes.
pub const DEFINITION: &str = "definition";

/// One field of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// In the spec's words, `member eastus2 weight`.
    pub name: String,
    /// What is there, `None` for nothing.
    pub from: Option<String>,
    /// What the spec wants, `None` for nothing.
    pub to: Option<String>,
}

/// The course of a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The resource group, and names that are taken back or given free.
    Names,
    /// The service.
    Service,
    /// Accounts, model deployments, roles.
    Models,
    /// Backends, pools, APIs, policies, subscriptions.
    Routing,
    /// What left the spec.
    Removal,
}

impl Phase {
    /// `names`, `service`, `models`, `routing`, `removal`.
    pub const fn word(self) -> &'static str {
        match self {
            Phase::Names => "names",
            Phase::Service => "service",
            Phase::Models => "models",
            Phase::Routing => "routing",
            Phase::Removal => "removal",
        }
    }

    /// The phase in which something is made or changed.
    pub const fn of(address: &Address) -> Phase {
        match address {
            Address::ResourceGroup => Phase::Names,
            Address::Identity | Address::Workspace | Address::AppInsights | Address::Gateway => Phase::Service,
            Address::Account(_)
            | Address::Deployment { .. }
            | Address::Grant(_)
            | Address::PrivateEndpoint(_)
            | Address::DnsZoneGroup(_) => Phase::Models,
            Address::NamedValue(_)
            | Address::Backend(_)
            | Address::Pool(_)
            | Address::Api(_)
            | Address::Operation { .. }
            | Address::Policy(_)
            | Address::Product(_)
            | Address::ProductApi { .. }
            | Address::ProductPolicy(_)
            | Address::Subscription(_)
            | Address::Logger(_)
            | Address::Diagnostic { .. }
            | Address::DiagnosticSetting
            | Address::Workbook
            | Address::Alert(_) => Phase::Routing,
        }
    }
}

/// Something that is there, is not in the spec, and stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it is, where a topology can say it.
    pub address: Option<Address>,
    /// Its ARM id.
    pub id: String,
    /// Why it stays.
    pub reason: String,
}

/// A role that the gateway's identity needs on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingRole {
    /// Key of the account.
    pub account: Key,
    /// The role.
    pub role: Role,
    /// The object id of the gateway's identity; `None` where that is still to be made.
    pub principal: Option<String>,
    /// The ARM id of the account; `None` where that is still to be made.
    pub scope: Option<String>,
}

/// A name that has to be created and is held by something soft-deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// What has to be created.
    pub address: Address,
    /// What holds the name.
    pub holder: SoftDeleted,
}

impl Plan {
    /// Whether nothing would change, nothing is blocked and nothing refused.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.blocked.is_empty() && self.refusals.is_empty()
    }

    /// How many things are created, updated, deleted; recovered and purged ones count as neither.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |wanted: fn(&Action) -> bool| self.changes.iter().filter(|change| wanted(&change.action)).count();
        (
            count(|action| matches!(action, Action::Create)),
            count(|action| matches!(action, Action::Update(_))),
            count(|action| matches!(action, Action::Delete)),
        )
    }

    /// One line: `2 to create, 1 to update; usually 2m to 4m`.
    pub fn summary(&self) -> String {
        if self.is_empty() {
            return "nothing would change".into();
        }
        let (create, update, delete) = self.counts();
        let other = |wanted: Action| self.changes.iter().filter(|change| change.action == wanted).count();
        let parts = [
            (other(Action::Recover), "to recover"),
            (other(Action::Purge), "to purge"),
            (create, "to create"),
            (update, "to update"),
            (delete, "to delete"),
            (self.blocked.len(), "blocked until you choose"),
            (self.refusals.len(), "refused"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, words)| format!("{n} {words}")).collect();
        let mut line = parts.join(", ");
        if !self.changes.is_empty() {
            line.push_str(&format!("; usually {}", self.takes()));
        }
        line
    }

    /// How long carrying it out usually takes: phases follow each other, what stands in one goes side by side, except
    /// for deployments of one account and for deletions.
    pub fn takes(&self) -> Range {
        cost::total(&self.changes)
    }

    /// The addresses that a template has to send.
    pub fn sent(&self) -> BTreeSet<Address> {
        let sent = |change: &&Change| {
            matches!(change.action, Action::Create | Action::Update(_)) && change.address != Address::ResourceGroup
        };
        self.changes.iter().filter(sent).map(|change| change.address.clone()).collect()
    }

    /// What has to be deleted, in order.
    pub fn deletions(&self) -> Vec<Address> {
        let deleted = self.changes.iter().filter(|change| change.action == Action::Delete);
        deleted.map(|change| change.address.clone()).collect()
    }
}

/// What would change in Azure. `desired` is resolved: its names are literal.
pub fn plan(desired: &Topology, live: &Live, scope: &Scope) -> Plan {
    let mut planning = Planning { desired, live, scope, plan: Plan::default(), removed: BTreeSet::new() };
    planning.missing();
    planning.group();
    planning.names();
    planning.wanted();
    planning.quota();
    planning.roles();
    planning.unwanted();
    let mut plan = planning.plan;
    plan.changes.sort_by(|a, b| order(a).cmp(&order(b)));
    plan
}

/// Made after what it needs, deleted before it.
fn order(change: &Change) -> (Phase, i8, &Address) {
    let rank = rank(&change.address);
    (change.phase, if change.phase == Phase::Removal { -rank } else { rank }, &change.address)
}

const fn rank(address: &Address) -> i8 {
    match address {
        Address::ResourceGroup => 0,
        Address::Identity | Address::Workspace => 1,
        Address::AppInsights => 2,
        Address::Gateway => 3,
        Address::Account(_) => 4,
        Address::Deployment { .. } => 5,
        Address::Grant(_) | Address::PrivateEndpoint(_) => 6,
        Address::DnsZoneGroup(_) | Address::NamedValue(_) => 7,
        Address::Logger(_) | Address::Backend(_) => 8,
        Address::Pool(_) => 9,
        Address::Api(_) => 10,
        Address::Operation { .. } => 11,
        Address::Policy(_) | Address::Diagnostic { .. } => 12,
        Address::Product(_) => 13,
        Address::ProductApi { .. } => 14,
        Address::ProductPolicy(_) => 15,
        Address::Subscription(_) => 16,
        Address::DiagnosticSetting => 17,
        Address::Workbook | Address::Alert(_) => 18,
    }
}

/// What has no mark of its own goes with its parent, and belongs to whoever that belongs to.
fn parent(address: &Address) -> Option<Address> {
    match address {
        Address::Operation { api, .. } | Address::Policy(api) | Address::Diagnostic { api, .. } => {
            Some(Address::Api(api.clone()))
        }
        Address::ProductApi { product, .. } | Address::ProductPolicy(product) => {
            Some(Address::Product(product.clone()))
        }
        Address::DnsZoneGroup(account) => Some(Address::PrivateEndpoint(account.clone())),
        _ => None,
    }
}

/// A plan while it is being made.
struct Planning<'a> {
    desired: &'a Topology,
    live: &'a Live,
    scope: &'a Scope,
    plan: Plan,
    /// Accounts and the like whose removal was refused: what is in them is not removed either.
    removed: BTreeSet<Address>,
}

impl Planning<'_> {
    fn change(&mut self, address: Address, action: Action, reason: &str, detail: String) {
        let phase = match action {
            Action::Delete => Phase::Removal,
            Action::Recover | Action::Purge => Phase::Names,
            Action::Create | Action::Update(_) => Phase::of(&address),
        };
        self.plan.changes.push(Change {
            takes: usual(self.desired, &address, &action),
            traffic: cost::traffic(&address, &action),
            reason: reason.to_owned(),
            diff: None,
            address,
            action,
            detail,
            phase,
        });
    }

    fn refuse(&mut self, diagnostic: Diagnostic) {
        self.plan.refusals.push(diagnostic);
    }

    fn is_ours(&self, address: &Address) -> bool {
        self.live.owners.get(address) == Some(&Owner::Ours)
    }

    /// What the spec calls existing has to be there.
    fn missing(&mut self) {
        for Missing { key, what, id } in &self.live.missing {
            let help =
                "check its name and place in the spec, or have it made: what a spec calls existing is never written";
            let problem =
                Diagnostic::new(code::NOT_THERE, format!("{what} is not there, and the spec calls it existing"));
            self.plan.refusals.push(problem.at(key).note(format!("it would be {id}")).help(help));
        }
    }

    fn group(&mut self) {
        match self.live.resource_group {
            Some(_) => self.plan.unchanged.push(Address::ResourceGroup),
            None => {
                let location = &self.desired.scope.location;
                let detail = format!("{} in {location}", self.desired.scope.resource_group);
                self.change(Address::ResourceGroup, Action::Create, "it does not exist", detail);
            }
        }
    }

    /// Roles that the spec leaves to somebody else.
    fn roles(&mut self) {
        for (account, role) in &self.desired.needs {
            if self.live.topology.grants.get(account) != Some(role) {
                self.plan.missing_roles.push(MissingRole {
                    account: account.clone(),
                    role: *role,
                    principal: self.live.principal.clone(),
                    scope: self.live.ids.get(&Address::Account(account.clone())).cloned(),
                });
            }
        }
    }

    /// Names that something soft-deleted holds.
    fn names(&mut self) {
        for holder in &self.live.soft_deleted {
            let Some(address) = holder.address.clone() else { continue };
            if self.live.has(&address) {
                continue;
            }
            let key = match &address {
                Address::Account(key) => key.as_str(),
                _ => "gateway",
            };
            let chosen = |names: &BTreeSet<String>| {
                names.iter().any(|name| name.eq_ignore_ascii_case(&holder.name) || name == key)
            };
            let detail = format!("{} in {}", holder.name, holder.location);
            match (chosen(&self.scope.recover), chosen(&self.scope.purge)) {
                (false, false) => self.plan.blocked.push(Blocked { address, holder: holder.clone() }),
                (false, true) => {
                    self.change(address, Action::Purge, "its name is needed", detail);
                }
                (true, false) => match self.elsewhere(&address, holder) {
                    None => self.change(address, Action::Recover, "its name is needed", detail),
                    Some(diagnostic) => self.refuse(diagnostic),
                },
                (true, true) => self.refuse(
                    Diagnostic::new(
                        code::RECOVERY_IMPOSSIBLE,
                        format!("`{}` is to be recovered and purged at once", holder.name),
                    )
                    .at(address.key())
                    .help("choose one of `--recover` and `--purge`"),
                ),
            }
        }
    }

    /// Why a soft-deleted thing does not come back where the spec wants it.
    fn elsewhere(&self, address: &Address, holder: &SoftDeleted) -> Option<Diagnostic> {
        let (wanted, place) = match address {
            Address::Account(key) => {
                let account = self.desired.accounts.get(key)?;
                (&account.location, account.place.resource_group.as_ref())
            }
            _ => (&self.desired.gateway.as_ref()?.location, None),
        };
        let refusal = |what: String| {
            Diagnostic::new(code::RECOVERY_IMPOSSIBLE, format!("`{}` {what}", holder.name))
                .at(address.key())
                .help(format!("purge it with `--purge {}`, or put it back into the spec as it was", holder.name))
        };
        match (address, &holder.owner) {
            (_, Owner::Ours) => {}
            // a service does not say whose it was until it is back; then nothing is put into it that is not ours
            (Address::Gateway, _) => {}
            _ => return Some(refusal("is not this stack's, and would come back as somebody else's".into())),
        }
        if holder.location != *wanted {
            return Some(refusal(format!("comes back in {}, the spec wants {wanted}", holder.location)));
        }
        let (was, group) = (&holder.resource_group, place.unwrap_or(&self.desired.scope.resource_group));
        let elsewhere = !was.is_empty() && !was.eq_ignore_ascii_case(group);
        elsewhere.then(|| refusal(format!("comes back in the resource group {was}, the spec wants {group}")))
    }

    /// What the spec wants.
    fn wanted(&mut self) {
        let mut guests: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
        for address in self.desired.addresses() {
            if self.plan.changes.iter().any(|c| c.address == address && c.action == Action::Recover) {
                continue;
            }
            if !self.live.has(&address) {
                if let Some(host) = self.host(&address) {
                    guests.entry(host).or_default().push(address);
                } else if let Some(diagnostic) = self.name_taken(&address).or_else(|| self.path_taken(&address)) {
                    self.refuse(diagnostic);
                } else {
                    let detail = diff::detail(self.desired, &address);
                    self.change(address, Action::Create, "it is in the spec and does not exist", detail);
                }
                continue;
            }
            let fields = diff::fields(self.desired, self.live, self.scope, &address);
            if fields.is_empty() {
                self.plan.unchanged.push(address);
            } else if let Some(diagnostic) = self.path_taken(&address) {
                self.refuse(diagnostic);
            } else if let Some(diagnostic) = self.not_changed(&address, &fields) {
                self.refuse(diagnostic);
            } else {
                let diff = self.policy_diff(&address);
                let reason = match &address {
                    Address::Policy(_) | Address::ProductPolicy(_) if diff.is_some() => {
                        "the live policy is not what this program renders"
                    }
                    _ => "the spec and Azure differ",
                };
                self.change(address, Action::Update(fields), reason, String::new());
                if let Some(change) = self.plan.changes.last_mut() {
                    change.diff = diff;
                }
            }
        }
        for (host, guests) in &guests {
            self.refuse(self.not_our_host(host, guests));
        }
    }

    /// The texts of a policy that is not as rendered, side by side.
    fn policy_diff(&self, address: &Address) -> Option<String> {
        let there = &self.live.topology;
        let (live, wanted) = match address {
            Address::Policy(key) => match &there.apis.get(key)?.policy {
                Policy::Other(live) => (live, self.scope.rendered.get(key)?),
                Policy::Rendered(_) => return None,
            },
            Address::ProductPolicy(key) => match &there.products.get(key)?.policy {
                Policy::Other(live) => (live, self.scope.limits.get(key)?),
                Policy::Rendered(_) => return None,
            },
            _ => return None,
        };
        let diff = similar::TextDiff::from_lines(live, wanted);
        Some(diff.unified_diff().context_radius(2).header("live", "spec").to_string())
    }
}

impl std::fmt::Display for Field {
    /// `weight 10 -> 30`; for something new or gone `weight 30 (new)`, `weight 10 (gone)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(f, "{} {from} -> {to}", self.name),
            (None, Some(to)) => write!(f, "{} {to} (new)", self.name),
            (Some(from), None) => write!(f, "{} {from} (gone)", self.name),
            (None, None) => f.write_str(&self.name),
        }
    }
}
