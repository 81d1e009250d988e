//! `deploy`: shows the plan, asks, carries it out, and shows what is there then.

use super::args;
use super::context::Context;
use super::progress::{Ended, Watch, steps};
use super::target::{self, Target, View};
use super::{Done, Failure, Result};
use crate::diagnostic::{Diagnostic, Exit, Severity, code};
use crate::io::local;
use crate::plan::{self, Action, Plan};
use crate::run;
use crate::time::Time;
use crate::topology::{Live, Pool, Target as Calls, Topology};
use crate::ui::{Answer, Role, clean, paint, table};
use crate::wire::Cloud;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A trace that the repository has: worth naming where it is there.
const TRACE: &str = "examples/traces/burst.csv";

pub(super) fn run(context: &Context, args: &args::Deploy) -> Result {
    let target = Target::load(context, &args.spec)?;
    context.block_on(deploy(context, args, &target))
}

async fn deploy(context: &Context<'_>, args: &args::Deploy, target: &Target) -> Result {
    let View { live, plan } = target.look(context, &args.recover, &args.purge).await?;
    no_such_name(args, &live)?;
    if plan.is_empty() && live.running.is_none() {
        context.ui.say("Nothing to change: Azure is as the spec wants it.");
        return finish(context, target, &live, &plan, "unchanged");
    }
    context.ui.show(&target.shown(context, &plan, context.ui.width_err));
    let blocked = plan.blocked.iter().map(|blocked| {
        let held = &blocked.holder;
        let until = held.scheduled_purge.map_or_else(String::new, |at| format!(" until {}", at.rfc3339()));
        let message = format!("the name `{}` is held by a soft-deleted {}{until}", held.name, blocked.address.kind());
        let help = format!("add `--recover {0}` to bring it back, or `--purge {0}` to give the name free", held.name);
        Diagnostic::new(code::PLAN_NOT_CLEAR, message).at(blocked.address.key()).help(help)
    });
    let problems: Vec<Diagnostic> = plan.refusals.iter().cloned().chain(blocked).collect();
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        let mut failure = target.failure(problems);
        let all = if plan.blocked.len() > 1 { " `--recover all` or `--purge all` answers for every name." } else { "" };
        failure.summary = Some(format!("Nothing was changed.{all}"));
        return Err(failure);
    }
    if let Some((name, _)) = &live.running {
        context.ui.say(&format!("{name} is running: it is attached to if it is of this spec."));
    }
    if ask(context, target, &plan)? == Answer::No {
        context.ui.say("Declined: nothing was changed.");
        return Ok(Done::new(json!({ "outcome": "declined", "plan": target::document(&plan) })).exit(Exit::Declined));
    }
    context.ui.say(&format!(
        "\nDeploying to {} in the local Azure of {}, {} times as fast as Azure. Ctrl-C detaches.",
        clean(&target.desired.scope.resource_group),
        local::FOLDER,
        context.global.time_scale
    ));
    let cloud = target.cloud(context);
    let began = cloud.now();
    let watch = Watch::new(
        context,
        steps(plan.changes.iter().map(|change| (&change.address, change.takes)), context.global.time_scale),
    );
    let mut sink = |event| watch.hear(event);
    match watch.until(run::deploy(&cloud, &target.desired, &live, &plan, &mut sink)).await? {
        Ended::Finished(Ok(done)) => {
            let took = cloud.now().since(began);
            context.ui.say(&format!(
                "{} in {took}, and read back: Azure is as the spec wants it.\n",
                paint(Role::Good, "Done")
            ));
            let scope = run::scope(&target.desired, BTreeSet::new(), BTreeSet::new());
            target.tell_roles(context, &plan::plan(&target.desired, &done.live, &scope));
            for address in &done.left {
                context.ui.say(&format!("{address} came back with what was recovered; the next deploy deletes it."));
            }
            finish(context, target, &done.live, &plan, "deployed")
        }
        Ended::Finished(Err(problems)) => {
            let again = target.command(context, "deploy");
            let mut failure = target.failure(problems);
            failure.summary = Some(format!("What was done stays. When the cause is gone: {again} --cloud local"));
            Err(failure)
        }
        Ended::Detached(name) => Ok(detached(context, target, name, began, &cloud)),
    }
}

/// `--recover` and `--purge` of something that nobody deleted is a mistake in the name.
fn no_such_name(args: &args::Deploy, live: &Live) -> Result<()> {
    let held: Vec<&str> = live.soft_deleted.iter().map(|held| held.name.as_str()).collect();
    let known = |name: &String| {
        name == "all"
            || held.iter().any(|held| held.eq_ignore_ascii_case(name))
            || live.soft_deleted.iter().any(|held| match &held.address {
                Some(crate::topology::Address::Account(key)) => key == name,
                Some(crate::topology::Address::Gateway) => name == "gateway",
                _ => false,
            })
    };
    let flags = args.recover.iter().map(|name| ("recover", name)).chain(args.purge.iter().map(|name| ("purge", name)));
    match flags.into_iter().find(|(_, name)| !known(name)) {
        None => Ok(()),
        Some((flag, name)) => {
            let problem =
                Diagnostic::new(code::NOTHING_HELD, format!("`--{flag} {name}`: nothing soft-deleted has that name"));
            let problem = match held.is_empty() {
                true => problem.help("leave it out: no name of this spec is held"),
                false => problem.help(format!("these are held: {}", held.join(", "))),
            };
            Err(Failure::from(problem))
        }
    }
}

/// A plan that deletes wants the stack's name typed; any other a `y`.
fn ask(context: &Context, target: &Target, plan: &Plan) -> Result<Answer> {
    if context.global.yes || plan.changes.is_empty() {
        return Ok(Answer::Yes);
    }
    let stack = &target.desired.stack.name;
    let gone = plan.changes.iter().filter(|change| matches!(change.action, Action::Delete | Action::Purge)).count();
    Ok(match gone {
        0 => context.ui.confirm(&format!("Deploy {}?", clean(stack)), "--yes")?,
        _ => context.ui.confirm_by_name(&format!("This deletes {gone} of what is there."), stack, "--yes")?,
    })
}

fn detached(context: &Context, target: &Target, name: Option<String>, began: Time, cloud: &dyn Cloud) -> Done {
    let took = cloud.now().since(began);
    let again = target.command(context, "deploy");
    let what = match &name {
        Some(name) => format!("Azure goes on with the deployment {name}"),
        None => "Azure finishes what it has begun, and begins nothing more".to_owned(),
    };
    let plan = target.command(context, "plan");
    context.ui.say(&format!("\nDetached after {took}: {what}.\n\nNext:"));
    target::next(
        context,
        &[
            ("to attach again", format!("{again} --cloud local")),
            ("what is still to be done", format!("{plan} --cloud local")),
        ],
    );
    Done::new(json!({ "outcome": "detached", "deployment": name })).exit(Exit::Declined)
}

/// What stands now, as data; what to try next, beside it.
fn finish(context: &Context, target: &Target, live: &Live, plan: &Plan, outcome: &str) -> Result {
    let desired = &target.desired;
    let mut text = String::new();
    if let Some(url) = &live.gateway_url {
        for api in desired.apis.values() {
            text.push_str(&format!("{}  {}/{}\n", paint(Role::Strong, "Gateway"), clean(url), clean(&api.path)));
        }
    }
    for (key, pool) in &desired.pools {
        text.push_str(&format!("\n{} {}\n{}\n", paint(Role::Strong, "Pool"), clean(key), members(desired, pool)));
    }
    context.text(&text)?;
    let mut next = vec![("what differs now", format!("{} --cloud local", target.command(context, "plan")))];
    if std::path::Path::new(TRACE).is_file() {
        let simulate = target.command(context, "simulate");
        next.push(("what callers would see", format!("{simulate} --trace {TRACE}")));
    }
    next.push(("this local Azure over HTTP", "aoai-lb emulator".to_owned()));
    let destroy = target.command(context, "destroy");
    next.push(("leave nothing behind", format!("{destroy} --cloud local --purge-soft-deleted")));
    context.ui.say("\nNext:");
    target::next(context, &next);
    let pools: Value =
        desired.pools.iter().map(|(key, pool)| json!({ "pool": key, "members": wire(desired, pool) })).collect();
    Ok(Done::new(json!({
        "outcome": outcome,
        "gateway": live.gateway_url,
        "pools": pools,
        "plan": target::document(plan),
    })))
}

/// A pool as a table: member, account, region, deployment, priority, weight.
fn members(desired: &Topology, pool: &Pool) -> String {
    let rows = rows(desired, pool);
    table(&["member", "account", "region", "deployment", "priority", "weight"], &rows)
}

fn rows(desired: &Topology, pool: &Pool) -> Vec<Vec<String>> {
    let row = |member: &crate::topology::Member| {
        let (account, region, deployment) = match desired.backends.get(&member.backend).map(|backend| &backend.target) {
            Some(Calls::Url(url)) => (url.clone(), String::new(), String::new()),
            Some(target) => {
                let (account, deployment) = target.account().unzip();
                let region = account.and_then(|key| Some(desired.accounts.get(key)?.location.to_string()));
                (
                    account.cloned().unwrap_or_default(),
                    region.unwrap_or_default(),
                    deployment.flatten().cloned().unwrap_or_default(),
                )
            }
            None => Default::default(),
        };
        let cells = [
            member.backend.clone(),
            account,
            region,
            deployment,
            member.priority.to_string(),
            member.weight.to_string(),
        ];
        cells.iter().map(|cell| clean(cell).into_owned()).collect()
    };
    pool.members.iter().map(row).collect()
}

fn wire(desired: &Topology, pool: &Pool) -> Value {
    let member = |row: Vec<String>, member: &crate::topology::Member| {
        json!({
            "member": row[0], "account": row[1], "region": row[2], "deployment": row[3],
            "priority": member.priority, "weight": member.weight,
        })
    };
    rows(desired, pool).into_iter().zip(&pool.members).map(|(row, one)| member(row, one)).collect()
}
