//! What works and a reader may regret: each can be silenced with a reason.

mod features;

use super::build::Built;
use super::check::shown;
use super::suggest;
use super::yaml::{item, join};
use crate::catalogue::{REGIONS, region};
use crate::diagnostic::{Code, Diagnostic, Severity, code};
use crate::topology::{
    Balancing, Deployment, DeploymentSku, GatewaySku, Location, Member, Model, Pool, Threshold, Topology,
};
use std::collections::{BTreeMap, BTreeSet};

/// Every warning that applies; the topology obeys the rules.
pub fn find(built: &Built, out: &mut Vec<Diagnostic>) {
    let topology = &built.topology;
    placeholder(topology, out);
    one_region(topology, out);
    strange_regions(topology, out);
    shared_quota(topology, out);
    let consumption = topology.gateway.as_ref().is_some_and(|gateway| gateway.sku == GatewaySku::Consumption);
    let native = |(key, pool): &(&String, &Pool)| pool.balancing == Balancing::Native && !topology.is_twin(key);
    // without breakers at all an error says so
    for (key, pool) in topology.pools.iter().filter(native).filter(|_| !consumption) {
        unreachable_groups(topology, key, pool, out);
    }
    for (key, pool) in topology.pools.iter().filter(|(key, _)| !topology.is_twin(key)) {
        mixed_groups(topology, key, pool, out);
    }
    retries(topology, out);
    features::find(built, out);
}

/// Trap 34: a name that every sample has.
fn placeholder(topology: &Topology, out: &mut Vec<Diagnostic>) {
    let email = topology.gateway.as_ref().map(|gateway| gateway.publisher.email.as_str());
    if email.is_some_and(|email| email.eq_ignore_ascii_case("publisher@contoso.com")) {
        let problem = Diagnostic::new(code::PLACEHOLDER, "the publisher's address is the one of the samples");
        out.push(
            problem.at("gateway.publisher.email").help("write an address that is read: Azure sends notices to it"),
        );
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

/// Trap 3: two deployments of one region, model and SKU draw on one quota of the subscription.
fn shared_quota(topology: &Topology, out: &mut Vec<Diagnostic>) {
    let mut quotas: BTreeMap<(&Location, &Model, DeploymentSku), String> = BTreeMap::new();
    for (account, found) in &topology.accounts {
        let metered = |(_, deployment): &(&String, &Deployment)| !deployment.sku.is_provisioned();
        for (name, deployment) in found.deployments.iter().filter(metered).filter(|_| found.location.is_known()) {
            let quota = (&found.location, &deployment.model, deployment.sku);
            let path = format!("accounts.{account}.deployments.{name}");
            if let Some(first) = quotas.get(&quota) {
                let message = format!("{name} of {account} shares its quota with {first}");
                let problem = Diagnostic::new(code::SHARED_QUOTA, message).at(path);
                let problem = problem.label(format!(
                    "{} {} in {}",
                    deployment.sku.as_str(),
                    deployment.model.name,
                    found.location
                ));
                out.push(
                    problem
                        .help("use another region or another sku: balancing between the two adds no tokens a minute"),
                );
            } else {
                quotas.insert(quota, format!("{name} of {account}"));
            }
        }
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

/// Trap 22, and its quieter form.
fn retries(topology: &Topology, out: &mut Vec<Diagnostic>) {
    for (key, intent) in topology.apis.iter().filter_map(|(key, api)| Some((key, api.policy.intent()?))) {
        let members = intent
            .routes
            .pools()
            .into_iter()
            .filter_map(|pool| topology.pool_by_name(pool))
            .flat_map(|(_, pool)| &pool.members);
        let counts =
            members.filter_map(|member| match topology.backends.get(&member.backend)?.breaker.as_ref()?.threshold {
                Threshold::Count(count) => Some((count, &member.backend)),
                Threshold::Percentage(_) => None,
            });
        let Some((count, backend)) = counts.max_by_key(|(count, _)| *count).filter(|(count, _)| *count > 1) else {
            continue;
        };
        let retries = intent.retry.count;
        let path = format!("apis.{key}.retry.count");
        if retries == 0 {
            let message = format!("callers of `{key}` see every failure of `{backend}` until {count} have come");
            let problem = Diagnostic::new(code::BREAKER_WITHOUT_RETRY, message).at(path);
            out.push(problem.help("use a breaker count of 1, or retry"));
        } else if retries < count {
            let message =
                format!("{retries} retries of `{key}` may all fail at `{backend}`, which trips after {count}");
            let problem = Diagnostic::new(code::RETRY_BELOW_BREAKER, message).at(path);
            out.push(problem.help(format!("use a retry count of at least {count}, or a breaker count of 1")));
        }
    }
}

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
        } else if !problems.iter().any(|problem| Some(problem.code) == known) {
            let note = Diagnostic::new(code::UNUSED_SILENCE, format!("{name} is silenced and does not occur")).at(path);
            about.push(note.help("take it out of `silence`"));
        }
    }
    problems.retain(|problem| problem.severity != Severity::Warning || !silence.contains_key(problem.code.as_str()));
    problems.append(&mut about);
}
