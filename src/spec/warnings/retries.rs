//! Traps 20 and 22: retries that a breaker outlasts, that cannot reach the members they are for, or that reach nobody.

use crate::diagnostic::{Diagnostic, code};
use crate::time::Duration;
use crate::topology::{Intent, Pool, Routes, Strategy, Threshold, Topology, defaults};
use std::collections::BTreeMap;

/// What is odd about the retries of each API.
pub fn find(topology: &Topology, out: &mut Vec<Diagnostic>) {
    for (key, intent) in topology.apis.iter().filter_map(|(key, api)| Some((key, api.policy.intent()?))) {
        let pools = pools(topology, intent);
        // a policy that picks itself knows who failed, without a breaker
        if intent.strategy == Strategy::Pool {
            beside_breakers(topology, key, intent, &pools, out);
            beyond_members(topology, key, intent, &pools, out);
        }
        // a rotation has no priorities
        if intent.strategy != Strategy::RoundRobin {
            below_group(key, intent, &pools, out);
        }
    }
}

/// The pools that an API leads to, by their keys in the spec: of a pool and its twin for the surface v1 the one.
fn pools<'a>(topology: &'a Topology, intent: &Intent) -> BTreeMap<&'a str, &'a Pool> {
    let names = intent.routes.pools().into_iter().chain(intent.v1.iter().flat_map(Routes::pools));
    let written = |key: &'a String| match topology.is_twin(key) {
        true => key.strip_suffix(&defaults::v1_twin("")).unwrap_or(key),
        false => key.as_str(),
    };
    names.filter_map(|name| topology.pool_by_name(name)).map(|(key, pool)| (written(key), pool)).collect()
}

/// Trap 22, and its quieter form.
fn beside_breakers(
    topology: &Topology,
    key: &str,
    intent: &Intent,
    pools: &BTreeMap<&str, &Pool>,
    out: &mut Vec<Diagnostic>,
) {
    let members = pools.values().flat_map(|pool| &pool.members);
    let counts =
        members.filter_map(|member| match topology.backends.get(&member.backend)?.breaker.as_ref()?.threshold {
            Threshold::Count(count) => Some((count, &member.backend)),
            Threshold::Percentage(_) => None,
        });
    let Some((count, backend)) = counts.max_by_key(|(count, _)| *count).filter(|(count, _)| *count > 1) else {
        return;
    };
    let retries = intent.retry.count;
    let path = format!("apis.{key}.retry.count");
    if retries == 0 {
        let message = format!("callers of `{key}` see every failure of `{backend}` until {count} have come");
        let problem = Diagnostic::new(code::BREAKER_WITHOUT_RETRY, message).at(path);
        out.push(problem.help("use a breaker count of 1, or retry"));
    } else if retries < count {
        let message = format!("{retries} retries of `{key}` may all fail at `{backend}`, which trips after {count}");
        let problem = Diagnostic::new(code::RETRY_BELOW_BREAKER, message).at(path);
        out.push(problem.help(format!("use a retry count of at least {count}, or a breaker count of 1")));
    }
}

/// Trap 20: a call that ends before it has tried the first priority.
fn below_group(key: &str, intent: &Intent, pools: &BTreeMap<&str, &Pool>, out: &mut Vec<Diagnostic>) {
    let retries = intent.retry.count;
    let largest =
        pools.iter().filter_map(|(name, pool)| Some((first_group(pool)?, name))).max_by_key(|(size, _)| *size);
    // without any retry the caller has asked for the first answer, whatever it is
    let Some((size, pool)) = largest.filter(|(size, _)| (1..*size).contains(&retries)) else { return };
    let message = format!("{retries} retries of `{key}` may all fail in the first priority of `{pool}`");
    let problem = Diagnostic::new(code::RETRIES_BELOW_GROUP, message).at(format!("apis.{key}.retry.count"));
    let problem = problem.label(format!("it has {size} members"));
    out.push(problem.help(format!("use a retry count of at least {size}: the next priority is then reached")));
}

/// Trap 20: attempts when nobody is left.
fn beyond_members(
    topology: &Topology,
    key: &str,
    intent: &Intent,
    pools: &BTreeMap<&str, &Pool>,
    out: &mut Vec<Diagnostic>,
) {
    let (retries, default) = (intent.retry.count, defaults::retry().count);
    let failures: Option<Vec<u64>> = pools.values().map(|pool| until_open(topology, pool)).collect();
    let Some(most) = failures.and_then(|failures| failures.into_iter().max()) else { return };
    if intent.retry.interval > Duration::ZERO || retries <= default || u64::from(retries) < most {
        return;
    }
    let message = format!("{retries} retries of `{key}` are more than its members can take");
    let problem = Diagnostic::new(code::RETRIES_BEYOND_MEMBERS, message).at(format!("apis.{key}.retry.count"));
    let enough = most.saturating_sub(1).max(u64::from(default));
    let problem = problem.label(format!("after {most} failures every breaker is open"));
    out.push(problem.help(format!("use a retry count of {enough}, or an `interval` in which a breaker may close")));
}

/// How many members are used first, where others come after them.
fn first_group(pool: &Pool) -> Option<u32> {
    let first = pool.members.iter().map(|member| member.priority).min()?;
    let size = pool.members.iter().filter(|member| member.priority == first && member.weight > 0).count();
    let others = pool.members.iter().any(|member| member.priority > first);
    others.then(|| u32::try_from(size).unwrap_or(u32::MAX))
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
