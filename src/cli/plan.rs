//! `plan`: what deploy would change.

use super::args;
use super::context::Context;
use super::target::{Target, View};
use super::{Done, Result};
use crate::diagnostic::Exit;
use serde_json::json;

pub(super) fn run(context: &Context, args: &args::Plan) -> Result {
    let target = Target::load(context, &args.spec)?;
    let View { plan, .. } = context.block_on(target.look(context, &[], &[]))?;
    context.text(&target.shown(context, &plan, context.ui.width_out))?;
    let mut refusals = plan.refusals.clone();
    target.place(&mut refusals);
    context.tell(Some(&target.spec.source), &refusals);
    let exit = match Exit::of(&refusals) {
        Exit::Done if args.detailed_exitcode && !plan.is_empty() => Exit::Changes,
        exit => exit,
    };
    Ok(Done::new(json!({ "plan": super::target::document(&plan) })).exit(exit))
}
