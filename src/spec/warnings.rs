//! What works and a reader may regret: each can be silenced with a reason.
//!
//! What the catalogue knows about models and quota is in `models` and `quota`; provisioned throughput and retries have
//! files of their own.

mod features;
mod models;
mod provisioned;
mod quota;
mod retries;

use super::build::Built;
use super::check::shown;
use super::yaml::{item, join};
use super::{Spans, suggest};
use crate::catalogue::{REGIONS, region};
use crate::diagnostic::{Code, Diagnostic, Severity, code};
use crate::topology::{Account, Balancing, Deployment, GatewaySku, Key, Location, Member, Pool, Topology};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Every warning that applies on a day; without one, nothing is said about dates.
pub fn find(built: &Built, spans: &Spans, day: Option<Date>, out: &mut Vec<Diagnostic>) {
    let topology = &built.topology;
    placeholder(topology, out);
    one_region(topology, out);
    strange_regions(topology, out);
    quota::shared(topology, out);
    models::find(topology, spans, day, out);
    provisioned::misnamed(topology, out);
    provisioned::wasteful_breakers(topology, spans, out);
    provisioned::unused_breakers(topology, spans, out);
    let consumption = topology.gateway.as_ref().is_some_and(|gateway| gateway.sku == GatewaySku::Consumption);
    let native = |(key, pool): &(&String, &Pool)| pool.balancing == Balancing::Native && !topology.is_twin(key);
    // without breakers at all an error says so
    for (key, pool) in topology.pools.iter().filter(native).filter(|_| !consumption) {
        unreachable_groups(topology, key, pool, out);
    }
    for (key, pool) in topology.pools.iter().filter(|(key, _)| !topology.is_twin(key)) {
        mixed_groups(topology, key, pool, out);
    }
    retries::find(topology, out);
    features::find(built, out);
}

/// A deployment and where it stands.
#[derive(Clone, Copy)]
struct Deployed<'a> {
    account_key: &'a Key,
    account: &'a Account,
    key: &'a Key,
    deployment: &'a Deployment,
}

impl Deployed<'_> {
    /// One of its keys in the spec; its own for an empty one.
    fn path(&self, key: &str) -> String {
        let own = format!("accounts.{}.deployments.{}", self.account_key, self.key);
        if key.is_empty() { own } else { join(&own, key) }
    }
}

fn deployed(topology: &Topology) -> impl Iterator<Item = Deployed<'_>> {
    topology.accounts.iter().flat_map(|(account_key, account)| {
        let deployments = account.deployments.iter();
        deployments.map(move |(key, deployment)| Deployed { account_key, account, key, deployment })
    })
}

/// `gpt` of east, `gpt` of north and 3 more.
fn named(group: &[Deployed]) -> String {
    listed(group.iter().map(|found| format!("`{}` of {}", found.key, found.account_key)))
}

/// a, b and c; of more than four the first three by name.
fn listed(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.as_slice() {
        [] => "none".into(),
        [one] => one.clone(),
        [first @ .., last] if first.len() < 4 => format!("{} and {last}", first.join(", ")),
        more => format!("{} and {} more", more[..3].join(", "), more.len() - 3),
    }
}

/// Trap 34: names and addresses that samples have. Nobody reads `example.com`, which is reserved for texts like ours.
fn placeholder(topology: &Topology, out: &mut Vec<Diagnostic>) {
    const ADDRESSES: [&str; 3] = ["publisher@contoso.com", "test@test.com", "noreply@microsoft.com"];
    let Some(publisher) = topology.gateway.as_ref().map(|gateway| &gateway.publisher) else { return };
    let email = publisher.email.to_lowercase();
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    let reserved = ["com", "org", "net"].iter().any(|top| {
        let example = format!("example.{top}");
        domain == example || domain.ends_with(&format!(".{example}"))
    });
    if ADDRESSES.contains(&email.as_str()) || reserved {
        let problem = Diagnostic::new(code::PLACEHOLDER, "the publisher's address is the one of the samples");
        out.push(
            problem.at("gateway.publisher.email").help("write an address that is read: Azure sends notices to it"),
        );
    }
    // the quickstart's own misspelling
    if publisher.name.split_whitespace().any(|word| word.eq_ignore_ascii_case("contos")) {
        let problem = Diagnostic::new(code::PLACEHOLDER, "the publisher's name is the one of a sample");
        out.push(problem.at("gateway.publisher.name").help("write your own: developers and Azure's notices show it"));
    }
}

fn one_region(topology: &Topology, out: &mut Vec<Diagnostic>) {
    let regions: BTreeSet<&Location> = topology.accounts.values().map(|account| &account.location).collect();
    if let (1, Some(region)) = (regions.len(), regions.first())
        && region.is_known()
    {
        let problem = Diagnostic::new(code::ONE_REGION, format!("every account is in {region}")).at("accounts");
        out.push(problem.help("add an account in a second region, or silence AL0310 with the reason"));
    }
}

/// A region that the catalogue lacks is new, or misspelt.
fn strange_regions(topology: &Topology, out: &mut Vec<Diagnostic>) {
    let stack = [("azure.location".to_string(), &topology.scope.location)];
    let accounts = topology.accounts.iter().map(|(key, found)| (format!("accounts.{key}.location"), &found.location));
    for (path, location) in stack.into_iter().chain(accounts) {
        let name = location.as_str();
        if !location.is_known() || region(name).is_some() {
            continue;
        }
        let message = format!("{} is no region that this program knows", shown(name));
        let problem = Diagnostic::new(code::STRANGE_REGION, message).at(path);
        let names = || REGIONS.iter().map(|region| region.name);
        let like: Vec<&str> = names().filter(|known| known.contains(name)).collect();
        out.push(match suggest::closest(name, names().collect::<Vec<_>>()) {
            Some(meant) => problem.label(format!("did you mean `{meant}`?")).help(format!("write `{meant}`")),
            None if !like.is_empty() => problem.help(format!("use {}", suggest::list(like))),
            None => problem.help("take a name that `az account list-locations --query [].name` prints"),
        });
    }
}

/// A lower group is used only when every member above is tripped (facts/apim.md 2.1).
fn unreachable_groups(topology: &Topology, key: &str, pool: &Pool, out: &mut Vec<Diagnostic>) {
    let mut priorities: Vec<u8> = pool.members.iter().map(|member| member.priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    let never_trips =
        |member: &&Member| topology.backends.get(&member.backend).is_some_and(|backend| backend.breaker.is_none());
    for pair in priorities.windows(2) {
        let mut group = pool.members.iter().filter(|member| member.priority == pair[0]);
        if let Some(member) = group.find(never_trips) {
            let message = format!("priority {} of `{key}` is never used: `{}` has no breaker", pair[1], member.backend);
            let lower = pool.members.iter().position(|member| member.priority == pair[1]).unwrap_or(0);
            let path = format!("pools.{key}.members");
            let problem = Diagnostic::new(code::UNREACHABLE_GROUP, message).at(join(&item(&path, lower), "priority"));
            out.push(problem.help("give every member above a breaker, or all members one priority"));
            return;
        }
    }
}

/// Trap 25: what is paid for by the hour should be full before what is paid for by the token.
fn mixed_groups(topology: &Topology, key: &str, pool: &Pool, out: &mut Vec<Diagnostic>) {
    let provisioned = |member: &Member| {
        let deployment = topology.backends.get(&member.backend).and_then(|backend| topology.deployment_of(backend));
        deployment.map(|deployment| deployment.sku.is_provisioned())
    };
    for (index, member) in pool.members.iter().enumerate().filter(|(_, member)| provisioned(member) == Some(false)) {
        let beside =
            pool.members.iter().find(|other| other.priority == member.priority && provisioned(other) == Some(true));
        if let Some(other) = beside {
            let message = format!("`{}` is pay-as-you-go beside the provisioned `{}`", member.backend, other.backend);
            let path = format!("pools.{key}.members");
            let problem = Diagnostic::new(code::MIXED_GROUP, message).at(join(&item(&path, index), "priority"));
            let next = u32::from(member.priority) + 1;
            out.push(
                problem.help(format!(
                    "use priority {next}: tokens are then bought only when the provisioned ones are full"
                )),
            );
        }
    }
}

/// Whether a warning at `about` may come from what was read in place of a mistake at `key`.
///
/// A mistake in an account makes everything doubtful that calls it, and leaves the other accounts alone; one in how calls
/// are balanced leaves the accounts alone.
pub fn is_doubtful(about: &str, key: &str) -> bool {
    let head = |path: &str| path.split(['.', '[']).next().unwrap_or_default().to_owned();
    let entry = |path: &str| path.splitn(3, '.').take(2).map(str::to_owned).collect::<Vec<_>>();
    match (head(about).as_str(), head(key).as_str()) {
        // nobody knows where it is
        (_, "") => true,
        ("accounts", "accounts") => entry(about).len() < 2 || entry(key).len() < 2 || entry(about) == entry(key),
        ("accounts", "models") => true,
        (about @ ("accounts" | "azure" | "gateway"), key) => about == key,
        (_, "azure" | "silence" | "subscriptions" | "products" | "observability" | "simulation") => false,
        _ => true,
    }
}

/// Whether a name that leads nowhere may be misspelt, and mean just what seems unused.
pub fn is_sought(unused: Code, problems: &[Diagnostic]) -> bool {
    let (section, key) = match unused {
        code::UNUSED_BREAKER => ("backends.", ".breaker"),
        code::UNUSED_POOL => ("apis.", ""),
        _ => return false,
    };
    // routes that are wrong altogether lead nowhere either
    problems
        .iter()
        .filter(|problem| [code::UNKNOWN_REFERENCE, code::ROUTES].contains(&problem.code))
        .any(|problem| problem.key.as_deref().is_some_and(|path| path.starts_with(section) && path.ends_with(key)))
}

/// Codes about policies: what a template of the user's own gives is looked at later, with [`super::Loaded::placed`].
const OF_POLICIES: &str = "AL08";

/// Drops the warnings that are meant. Reports silences that cannot work, and those that say nothing.
pub fn silence(silence: &BTreeMap<String, String>, problems: &mut Vec<Diagnostic>) {
    let mut about = Vec::new();
    for (name, reason) in silence {
        let path = join("silence", name);
        let known = Code::parse(name).filter(|code| code.as_str() == name);
        let wrong = match known {
            None => {
                Some((format!("there is no code {}", shown(name)), "use the code that the warning prints, as `AL0310`"))
            }
            Some(code) if code.severity() != Severity::Warning => {
                Some((format!("{code} is no warning"), "take it out: only warnings can be silenced"))
            }
            Some(_) if reason.trim().is_empty() => Some((
                format!("{name} is silenced without a reason"),
                "say why it is meant, for whoever reads this next",
            )),
            Some(_) => None,
        };
        if let Some((message, help)) = wrong {
            about.push(Diagnostic::new(code::BAD_SILENCE, message).at(path).help(help));
        } else if !name.starts_with(OF_POLICIES) && !problems.iter().any(|problem| Some(problem.code) == known) {
            let note = Diagnostic::new(code::UNUSED_SILENCE, format!("{name} is silenced and does not occur")).at(path);
            about.push(note.help("take it out of `silence`"));
        }
    }
    problems.retain(|problem| problem.severity != Severity::Warning || !silence.contains_key(problem.code.as_str()));
    problems.append(&mut about);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_makes_doubtful_what_depends_on_it() {
        for (about, key, doubtful) in [
            ("accounts.a.deployments.x.sku", "accounts.a.location", true),
            ("accounts.a.deployments.x.sku", "accounts.b.location", false),
            ("accounts.a.deployments.x.sku", "accounts", true),
            ("accounts", "accounts.b.location", true),
            ("accounts.a.deployments.x.sku", "models.gpt.ptu", true),
            ("accounts.a.deployments.x.sku", "pools.p.members[0]", false),
            ("accounts.a.deployments.x.sku", "", true),
            ("gateway.publisher.email", "gateway.sku", true),
            ("gateway.publisher.email", "accounts.a", false),
            ("pools.p.members[1].priority", "accounts.b.location", true),
            ("pools.p.members[1].priority", "pools.q", true),
            ("apis.a.retry.count", "silence.AL0310", false),
        ] {
            assert_eq!(is_doubtful(about, key), doubtful, "{about} by {key}");
        }
    }

    #[test]
    fn words_are_listed_and_not_too_many() {
        let of = |n: usize| listed((0..n).map(|n| n.to_string()));
        assert_eq!((of(1), of(2), of(3)), ("0".into(), "0 and 1".into(), "0, 1 and 2".into()));
        assert_eq!((of(4), of(5)), ("0, 1, 2 and 3".into(), "0, 1, 2 and 2 more".into()));
    }
}
