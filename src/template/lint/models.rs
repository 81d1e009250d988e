//! Traps of model deployments and of the roles that the gateway needs.

use super::follow::{Parts, key_span, last_segment, loops, mentions, present};
use super::json::Json;
use super::problem;
use super::resources::{Resource, Resources};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::Expr;
use std::collections::BTreeMap;

const DEPLOYMENTS: &str = "microsoft.cognitiveservices/accounts/deployments";

/// Deployments of one account of which every pair is looked at; of more, neighbours only.
const PAIRS: usize = 32;

pub(super) fn check(resources: &Resources<'_>, out: &mut Vec<Diagnostic>) {
    let mut accounts: BTreeMap<Parts, Vec<usize>> = BTreeMap::new();
    for at in resources.kind(DEPLOYMENTS) {
        let resource = &resources.list[at];
        sku(resource, out);
        let (account, _) = last_segment(&resource.name);
        looped(resource, &account, out);
        accounts.entry(account).or_default().push(at);
    }
    for deployments in accounts.values() {
        parallel(resources, deployments, out);
    }
    for at in resources.kind("microsoft.authorization/roleassignments") {
        role(resources, &resources.list[at], out);
    }
}

fn sku(deployment: &Resource<'_>, out: &mut Vec<Diagnostic>) {
    let Some(properties) = deployment.properties() else { return };
    if properties.get("sku").is_some_and(present) {
        let message = format!("the SKU of the deployment {} stands in its properties", deployment.label());
        let help = "move `sku` beside `properties`";
        out.push(problem(code::MISPLACED_SKU, key_span(properties, "sku"), message, help));
    }
}

const NOTE: &str = "Azure answers 409 RequestConflict to the second one";

/// A loop that makes several deployments of one account at once.
fn looped(deployment: &Resource<'_>, account: &Parts, out: &mut Vec<Diagnostic>) {
    let Some(copy) = deployment.node.get("copy") else { return };
    let is = |key: &str, wanted: &str| match copy.get(key).map(|node| &node.value) {
        Some(Json::Text(text)) => text.eq_ignore_ascii_case(wanted),
        Some(Json::Number(number)) => number == wanted,
        _ => false,
    };
    let serial = is("mode", "serial") && (copy.get("batchSize").is_none() || is("batchSize", "1"));
    if serial || is("count", "1") || loops(account) {
        return;
    }
    let message = "the deployments of one account are made at the same time";
    let help = "add `\"mode\": \"serial\", \"batchSize\": 1` to the loop (`@batchSize(1)` in Bicep)";
    out.push(problem(code::PARALLEL_DEPLOYMENTS, copy.span, message, help).note(NOTE));
}

/// Deployments of one account that do not wait for each other.
fn parallel(resources: &Resources<'_>, deployments: &[usize], out: &mut Vec<Diagnostic>) {
    for (place, later) in deployments.iter().enumerate().skip(1) {
        let first = if deployments.len() > PAIRS { place - 1 } else { 0 };
        let ordered = |earlier: usize| {
            resources.waits_for(*later, earlier)
                || resources.waits_for(earlier, *later)
                || exclusive(resources, earlier, *later)
        };
        let Some(earlier) = deployments[first..place].iter().find(|earlier| !ordered(**earlier)) else { continue };
        let (one, other) = (&resources.list[*earlier], &resources.list[*later]);
        let message = format!("{} and {} of one account are made at the same time", one.label(), other.label());
        let help = "let each wait for the one before, by `dependsOn`";
        out.push(problem(code::PARALLEL_DEPLOYMENTS, other.span(), message, help).note(NOTE));
    }
}

/// Whether both are made only under a condition: they may be alternatives.
fn exclusive(resources: &Resources<'_>, one: usize, other: usize) -> bool {
    let conditional = |at: usize| {
        std::iter::successors(Some(at), |at| resources.list[*at].deployment)
            .any(|at| resources.list[at].node.get("condition").is_some())
    };
    conditional(one) && conditional(other)
}

/// A role assignment's name must change with whom it is for.
fn role(resources: &Resources<'_>, assignment: &Resource<'_>, out: &mut Vec<Diagnostic>) {
    let (Some(name), Some(principal)) =
        (assignment.node.get("name"), assignment.node.path(&["properties", "principalId"]))
    else {
        return;
    };
    let (Some(text), Some(principal)) = (name.text(), principal.text()) else { return };
    let tree = resources.frames.expression(text, assignment.frame);
    if !mentions(&tree, "guid") {
        return;
    }
    let who = resources.frames.expression(principal, assignment.frame);
    // as it is written, and as it is followed
    let says = [text, &tree.to_string()].iter().any(|text| text.to_ascii_lowercase().contains("principal"));
    if says || holds(&tree, &who) || !at_run_time(&who) {
        return;
    }
    let message = "the name of the role assignment does not change with the principal";
    let help = "put the principal's id into `guid(...)`, beside scope and role";
    let note = "when the identity is made anew, Azure answers RoleAssignmentUpdateNotPermitted";
    out.push(problem(code::ROLE_NAME, name.span, message, help).note(note));
}

fn holds(tree: &Expr, part: &Expr) -> bool {
    tree == part
        || match tree {
            Expr::Str(_) | Expr::Int(_) => false,
            Expr::Call(_, args) => args.iter().any(|arg| holds(arg, part)),
            Expr::Prop(base, _) => holds(base, part),
            Expr::Index(base, index) => holds(base, part) || holds(index, part),
        }
}

/// Whether a principal is known only once its identity is made: one that is given does not change by itself.
fn at_run_time(principal: &Expr) -> bool {
    mentions(principal, "reference")
}
