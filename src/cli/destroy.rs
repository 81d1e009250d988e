//! `destroy`: shows what goes and what stays, asks for the stack's name, and deletes.

use super::args;
use super::context::Context;
use super::progress::{Ended, Watch, steps};
use super::target::{self, Target};
use super::{Done, Result};
use crate::diagnostic::Exit;
use crate::plan::{Action, usual, wire::Thing};
use crate::run::{self, Destroyed, Inventory, Remains};
use crate::topology::{Address, Name, SoftDeleted, Topology};
use crate::ui::{Answer, Role, clean, paint};
use crate::wire::Cloud;
use serde_json::{Value, json};

pub(super) fn run(context: &Context, args: &args::Destroy) -> Result {
    let target = Target::load(context, &args.spec)?;
    context.block_on(destroy(context, args, &target))
}

async fn destroy(context: &Context<'_>, args: &args::Destroy, target: &Target) -> Result {
    let live = target.live(context).await?;
    let inventory = run::inventory(&live);
    let purges = args.purge_soft_deleted && !inventory.remains.is_empty();
    if inventory.deleted.is_empty() && !purges && live.running.is_none() && live.busy.is_empty() {
        tell_left(context, target, &inventory);
        context.ui.say("Nothing to delete: this stack owns nothing here.");
        tell_remains(context, target, &inventory.remains);
        return Ok(Done::new(document("unchanged", &Destroyed { remains: inventory.remains, ..Destroyed::default() })));
    }
    context.ui.show(&shown(target, &live.topology, &inventory, args));
    tell_left(context, target, &inventory);
    let stack = &target.desired.stack.name;
    let warning = match args.purge_soft_deleted {
        true => "This cannot be undone.",
        false => "Calls through this gateway will fail.",
    };
    let answer = match context.global.yes {
        true => Answer::Yes,
        false => context.ui.confirm_by_name(warning, stack, "--yes")?,
    };
    if answer == Answer::No {
        context.ui.say("Declined: nothing was deleted.");
        return Ok(Done::new(json!({ "outcome": "declined" })).exit(Exit::Declined));
    }
    let cloud = target.cloud(context);
    let began = cloud.now();
    context.ui.say(&format!("\nDestroying {} in the local Azure. Ctrl-C detaches.", clean(stack)));
    let known = if live.topology.gateway.is_some() { &live.topology } else { &target.desired };
    let doomed = inventory.deleted.iter().map(|address| (address, usual(known, address, &Action::Delete)));
    let watch = Watch::new(context, steps(doomed, context.global.time_scale));
    let remains = if args.purge_soft_deleted { Remains::Purge } else { Remains::Keep };
    let mut sink = |event| watch.hear(event);
    match watch.until(run::destroy(&cloud, &target.desired, &live, remains, &mut sink)).await? {
        Ended::Finished(Ok(mut done)) => {
            let took = cloud.now().since(began);
            let freed = match done.purged.len() {
                0 => String::new(),
                1 => ", 1 name freed".to_owned(),
                n => format!(", {n} names freed"),
            };
            let what = format!("{} deleted{freed}", done.deleted.len());
            context.ui.say(&format!("{} in {took}: {what}.", paint(Role::Good, "Done")));
            // what the inventory told already is not told again
            let told = std::mem::take(&mut done.left).into_iter().filter(|left| !inventory.left.contains(left));
            let mut new: Vec<_> = told.collect();
            target.place(&mut new);
            context.tell(Some(&target.spec.source), &new);
            tell_remains(context, target, &done.remains);
            Ok(Done::new(document("destroyed", &done)))
        }
        Ended::Finished(Err(problems)) => {
            let mut failure = target.failure(problems);
            let again = target.command(context, "destroy");
            failure.summary = Some(format!("What was deleted is gone. To go on: {again} --cloud local"));
            Err(failure)
        }
        Ended::Detached(_) => {
            let took = cloud.now().since(began);
            let again = target.command(context, "destroy");
            let what = "Azure finishes what it has begun, and begins nothing more";
            context.ui.say(&format!("\nDetached after {took}: {what}.\n\nNext:"));
            target::next(context, &[("to go on from here", format!("{again} --cloud local"))]);
            Ok(Done::new(json!({ "outcome": "detached" })).exit(Exit::Declined))
        }
    }
}

/// What goes, as a plan shows it.
fn shown(target: &Target, live: &Topology, inventory: &Inventory, args: &args::Destroy) -> String {
    let scope = &target.desired.scope;
    let heading = format!("Destroying {} in {}", clean(&target.desired.stack.name), clean(&scope.resource_group));
    let mut text = format!("{}\n\n", paint(Role::Strong, &heading));
    for address in &inventory.deleted {
        let name = match address {
            Address::ResourceGroup => Some(scope.resource_group.as_str()),
            Address::Gateway => live.gateway.as_ref().and_then(|gateway| literal(&gateway.name)),
            Address::Account(key) => live.accounts.get(key).and_then(|account| literal(&account.name)),
            _ => None,
        };
        let name = name.map_or_else(String::new, |name| format!("  {}", clean(name)));
        text.push_str(&format!("{}{name}\n", paint(Role::Bad, &format!("  - {}", clean(&address.to_string())))));
    }
    for held in inventory.remains.iter().filter(|_| args.purge_soft_deleted) {
        text.push_str(&format!("{}\n", paint(Role::Bad, &format!("  x {}, soft-deleted", clean(&held.name)))));
    }
    let after = match args.purge_soft_deleted {
        true => "nothing of it can be recovered, and the names are free",
        false => "Azure keeps the service and the accounts soft-deleted, and their names with them",
    };
    text.push_str(&format!("\n{} to delete; {after}.\n", inventory.deleted.len()));
    text
}

fn literal(name: &Name) -> Option<&str> {
    match name {
        Name::Literal(name) => Some(name),
        Name::Unique(_) => None,
    }
}

fn tell_left(context: &Context, target: &Target, inventory: &Inventory) {
    let mut left = inventory.left.clone();
    target.place(&mut left);
    context.tell(Some(&target.spec.source), &left);
}

fn tell_remains(context: &Context, target: &Target, remains: &[SoftDeleted]) {
    if remains.is_empty() {
        return;
    }
    context.ui.say("Azure keeps these soft-deleted, and their names taken:");
    for held in remains {
        let until = held.scheduled_purge.map_or_else(|| "nobody knows when".to_owned(), |at| at.rfc3339());
        context.ui.say(&format!("  {} in {} until {until}", clean(&held.name), held.location));
    }
    let again = target.command(context, "destroy");
    context.ui.say(&format!("To free the names: {again} --cloud local --purge-soft-deleted"));
}

fn document(outcome: &str, done: &Destroyed) -> Value {
    let remains = |held: &SoftDeleted| {
        json!({
            "name": held.name,
            "location": held.location.as_str(),
            "until": held.scheduled_purge.map(|at| at.rfc3339()),
        })
    };
    json!({
        "outcome": outcome,
        "deleted": done.deleted.iter().map(Thing::new).collect::<Vec<_>>(),
        "purged": done.purged,
        "remains": done.remains.iter().map(remains).collect::<Vec<_>>(),
    })
}
