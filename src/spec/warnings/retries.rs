//! Traps 20 and 22: retries that a breaker outlasts, that cannot reach the members they are for, or that reach nobody.

use crate::diagnostic::{Diagnostic, code};
use crate::time::Duration;
use crate::topology::{Pool, Threshold, Topology, defaults};

/// What is odd about the retries of each API.
pub fn find(topology: &Topology, out: &mut Vec<Diagnostic>) {
    beside_breakers(topology, out);
    beside_pools(topology, out);
}

/// Trap 22, and its quieter form.
fn beside_breakers(topology: &Topology, out: &mut Vec<Diagnostic>) {
    for (key, intent) in topology.apis.iter().filter_map(|(key, api)| Some((key, api.policy.intent()?))) {
        let members = intent
            .routes
            .pools()
            .into_iter()
            .filter_map(|pool| topology.pools.get(pool))
            .flat_map(|pool| &pool.members);
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

/// Retries beside the members that they may reach.
fn beside_pools(topology: &Topology, out: &mut Vec<Diagnostic>) {
    for (key, intent) in topology.apis.iter().filter_map(|(key, api)| Some((key, api.policy.intent()?))) {
        let retries = intent.retry.count;
        let path = format!("apis.{key}.retry.count");
        let pools: Vec<&Pool> = intent.routes.pools().into_iter().filter_map(|pool| topology.pools.get(pool)).collect();
        let first = pools.iter().filter_map(|pool| first_group(pool).map(|size| (size, &pool.name)));
        // without any retry the caller has asked for the first answer, whatever it is
        if let Some((size, pool)) =
            first.max_by_key(|(size, _)| *size).filter(|(size, _)| (1..*size).contains(&retries))
        {
            let message = format!("{retries} retries of `{key}` may all fail in the first priority of `{pool}`");
            let problem = Diagnostic::new(code::RETRIES_BELOW_GROUP, message).at(&path);
            let problem = problem.label(format!("it has {size} members"));
            out.push(problem.help(format!("use a retry count of at least {size}: the next priority is then reached")));
        }
        let failures: Option<Vec<u64>> = pools.iter().map(|pool| until_open(topology, pool)).collect();
        let most = failures.and_then(|failures| failures.into_iter().max());
        let default = defaults::retry().count;
        let waits = intent.retry.interval > Duration::ZERO;
        if let Some(most) = most.filter(|most| !waits && retries > default && u64::from(retries) >= *most) {
            let message = format!("{retries} retries of `{key}` are more than its members can take");
            let problem = Diagnostic::new(code::RETRIES_BEYOND_MEMBERS, message).at(&path);
            let enough = (most.saturating_sub(1)).max(u64::from(default));
            let problem = problem.label(format!("after {most} failures every breaker is open"));
            out.push(
                problem.help(format!("use a retry count of {enough}, or an `interval` in which a breaker may close")),
            );
        }
    }
}

/// How many members are used first, where others come after them.
fn first_group(pool: &Pool) -> Option<u32> {
    let first = pool.members.iter().map(|member| member.priority).min()?;
    let size = pool.members.iter().filter(|member| member.priority == first).count();
    (size < pool.members.len()).then(|| u32::try_from(size).unwrap_or(u32::MAX))
}

/// How many failures open every breaker of a pool; `None` where one never opens, or opens by a share.
fn until_open(topology: &Topology, pool: &Pool) -> Option<u64> {
    let counts =
        pool.members.iter().map(|member| match topology.backends.get(&member.backend)?.breaker.as_ref()?.threshold {
            Threshold::Count(count) => Some(u64::from(count)),
            Threshold::Percentage(_) => None,
        });
    counts.sum()
}
