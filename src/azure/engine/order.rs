//! What depends on what, and the order that follows.

use super::copy::{Of, Turn};
use super::error::TemplateError;
use super::nodes::{Node, Nodes, Standing, relative};
use super::place::Place;
use crate::expr::{Expr, evaluate_within};
use serde_json::Value;
use std::collections::BTreeSet;

/// What a resource says of others.
#[derive(Debug, Default)]
pub(super) struct Bonds {
    /// What `dependsOn` says.
    pub wants: Vec<String>,
    /// What `reference` and `list*` ask for.
    pub refers: Vec<Expr>,
    /// The elements of its loop that must come before it, where the loop is a serial one.
    pub after: std::ops::Range<i64>,
}

/// The positions of what every resource depends on, each once.
pub(super) fn dependencies(nodes: &Nodes, bonds: &[Bonds], place: Place) -> Result<Vec<Vec<usize>>, TemplateError> {
    let direct: Vec<Vec<usize>> =
        nodes.all.iter().zip(bonds).map(|(node, bonds)| direct(node, bonds, nodes, place)).collect::<Result<_, _>>()?;
    Ok((0..direct.len()).map(|index| through_existing(index, nodes, &direct)).collect())
}

fn direct(node: &Node, bonds: &Bonds, nodes: &Nodes, place: Place) -> Result<Vec<usize>, TemplateError> {
    let mut on: Vec<usize> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut add = |index: usize| {
        if seen.insert(index) {
            on.push(index);
        }
    };
    for wanted in &bonds.wants {
        let found = nodes.meant(wanted);
        if found.is_empty() {
            let text = format!(
                "The resource '{}' is not defined in the template. Please see https://aka.ms/arm-template for usage details.",
                relative(wanted)
            );
            return Err(TemplateError::invalid(text, ""));
        }
        found.iter().for_each(|&index| add(index));
    }
    let turn = turn_of(node);
    for target in &bonds.refers {
        // what only running can tell is no dependency
        let mut effort = place.effort.get();
        let target = evaluate_within(target, &mut Place { turn: turn.as_ref(), ..place }, &mut effort);
        place.effort.set(effort);
        let Ok(Value::String(target)) = target else { continue };
        let is_other = |index: &&usize| nodes.all.get(**index).is_none_or(|other| other.id != node.id);
        nodes.meant(&target).iter().filter(is_other).for_each(|&index| add(index));
    }
    if let Some((name, _)) = &node.turn {
        let is_before = |other: &Node| {
            other.turn.as_ref().is_some_and(|(loop_name, index)| loop_name == name && bonds.after.contains(index))
        };
        nodes
            .meant(name)
            .iter()
            .filter(|&&index| nodes.all.get(index).is_some_and(is_before))
            .for_each(|&index| add(index));
    }
    Ok(on)
}

/// The loop that a resource comes from.
pub(super) fn turn_of(node: &Node) -> Option<Turn<'_>> {
    let (name, index) = node.turn.as_ref()?;
    Some(Turn { name, index: *index, of: Of::Whole, outer: None })
}

/// A dependency on what is not deployed falls away; one on what exists already is one on what that depends on.
fn through_existing(index: usize, nodes: &Nodes, direct: &[Vec<usize>]) -> Vec<usize> {
    let (mut on, mut seen) = (Vec::new(), BTreeSet::new());
    let mut waiting: Vec<usize> = direct.get(index).into_iter().flatten().rev().copied().collect();
    while let Some(next) = waiting.pop() {
        if !seen.insert(next) {
            continue;
        }
        match nodes.all.get(next).map(|node| node.standing) {
            Some(Standing::Deployed) => on.push(next),
            Some(Standing::Existing) => waiting.extend(direct.get(next).into_iter().flatten().rev()),
            Some(Standing::Skipped) | None => {}
        }
    }
    on
}

/// Puts what is deployed after what it depends on, otherwise in the order given; then what is not deployed.
pub(super) fn order(nodes: Vec<Node>, dependencies: &[Vec<usize>]) -> Result<Vec<Node>, TemplateError> {
    let mut placed: Vec<Option<usize>> = vec![None; nodes.len()];
    let mut sequence = Vec::with_capacity(nodes.len());
    let is_deployed = |index: usize| nodes[index].standing == Standing::Deployed;
    let ready = |index: usize, placed: &[Option<usize>]| {
        is_deployed(index) && placed[index].is_none() && dependencies[index].iter().all(|&on| placed[on].is_some())
    };
    while let Some(next) = (0..nodes.len()).find(|&index| ready(index, &placed)) {
        placed[next] = Some(sequence.len());
        sequence.push(next);
    }
    if let Some(stuck) = (0..nodes.len()).find(|&index| is_deployed(index) && placed[index].is_none()) {
        let text = format!(
            "Circular dependency detected on resource: '{}'. Please see https://aka.ms/arm-syntax-resources for usage details.",
            nodes[stuck].id
        );
        return Err(TemplateError::invalid(text, ""));
    }
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    let mut out = Vec::with_capacity(nodes.len());
    for index in sequence {
        let node = nodes[index]
            .take()
            .map(|node| Node { depends_on: dependencies[index].iter().filter_map(|&on| placed[on]).collect(), ..node });
        out.extend(node);
    }
    out.extend(nodes.into_iter().flatten());
    Ok(out)
}
