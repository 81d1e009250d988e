//! Trap 13, from the catalogue: models that nobody knows, that end, that a region does not offer, and units that Azure
//! does not sell. The catalogue has a date and Azure moves on, so none of this is an error.
//!
//! What holds for several deployments alike is said once, at the first of them.

use super::{Deployed, deployed, named};
use crate::catalogue::{self, Kind, Lifecycle, MODELS, Model, is_provisioned};
use crate::diagnostic::{Diagnostic, code};
use crate::spec::check::shown;
use crate::spec::{Spans, suggest};
use crate::topology::{Standing, Topology};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// A model is said to end so many days before it does: time to try another.
const NOTICE_DAYS: i64 = 90;

/// The format of the models that the table has.
const FORMAT: &str = "OpenAI";

/// Everything that the catalogue says about the models of a topology, on a day where that is known.
pub fn find(topology: &Topology, spans: &Spans, day: Option<Date>, out: &mut Vec<Diagnostic>) {
    let mut alike: BTreeMap<(&str, &str), Vec<Deployed>> = BTreeMap::new();
    // models of other publishers are not in the table
    for found in deployed(topology).filter(|found| found.deployment.model.format.eq_ignore_ascii_case(FORMAT)) {
        alike.entry((&found.deployment.model.name, &found.deployment.model.version)).or_default().push(found);
    }
    // the first is the one that a reader meets first
    for group in alike.values_mut() {
        group.sort_by_key(|found| spans.get(&found.path("")).map(|span| span.start));
    }
    for ((name, version), group) in &alike {
        let Some(known) = catalogue::model(name, Some(version)) else {
            out.extend(unknown(name, version, group));
            continue;
        };
        match life(known, group, day) {
            // what is gone need not be offered
            Some(problem) if problem.code == code::MODEL_RETIRED => out.push(problem),
            problem => {
                out.extend(problem);
                not_offered(known, group, out);
            }
        }
        out.extend(group.iter().filter(|found| is_made(found)).filter_map(|found| units(known, found)));
    }
}

/// A name or a version that is not in the table: misspelt, or newer than it.
fn unknown(name: &str, version: &str, group: &[Deployed]) -> Option<Diagnostic> {
    let first = group.first()?;
    let mut known = catalogue::versions(name).peekable();
    let (code, message, key, word, words): (_, _, _, _, Vec<&str>) = if known.peek().is_some() {
        let message = format!("{} is no version of `{name}` that this program knows", shown(version));
        (code::UNKNOWN_VERSION, message, "version", version, known.map(|model| model.version).collect())
    } else {
        let message = format!("{} is no model that this program knows", shown(name));
        (code::UNKNOWN_MODEL, message, "model", name, MODELS.iter().map(|model| model.name).collect())
    };
    let meant = suggest::closest(word, words.clone());
    let problem = Diagnostic::new(code, message).at(first.path(key));
    let problem = match meant {
        Some(meant) => problem.label(format!("did you mean `{meant}`?")).help(format!("write `{meant}`")),
        None if code == code::UNKNOWN_VERSION => problem.help(format!("use {}", suggest::list(words))),
        None => problem.help("take a name that `az cognitiveservices model list --location REGION` prints"),
    };
    Some(also(problem, group))
}

/// The end of a model's life.
fn life(known: &Model, group: &[Deployed], day: Option<Date>) -> Option<Diagnostic> {
    let first = group.first()?;
    let today = day.map(|day| day.to_string());
    let end = known.retires.parse::<Date>().ok();
    let name = format!("`{}` {}", known.name, known.version);
    let problem = if known.has_ended(today.as_deref()) {
        let when = if end.is_some() { format!(" on {}", known.retires) } else { String::new() };
        let problem = Diagnostic::new(code::MODEL_RETIRED, format!("{name} ended{when}"));
        problem.label("Azure deploys it no more, and calls of it fail")
    } else {
        let left = day?.until(end?).ok()?.get_days();
        if i64::from(left) > NOTICE_DAYS {
            return None;
        }
        let days = if left == 1 { "day" } else { "days" };
        Diagnostic::new(code::MODEL_ENDING, format!("{name} ends on {}", known.retires))
            .label(format!("in {left} {days}"))
    };
    let help = match successor(known, first.deployment.sku.as_str(), day) {
        Some(next) if next.retires.is_empty() => format!("move to {} {}", next.name, next.version),
        Some(next) => format!("move to {} {}, which lasts until {}", next.name, next.version, next.retires),
        None => "move to a model that `az cognitiveservices model list --location REGION` prints".into(),
    };
    Some(also(problem.at(first.path("model")).help(help), group))
}

/// What to take instead: what Azure names, if it lasts, else the model of that kind and size which lasts longest.
fn successor(gone: &Model, sku: &str, day: Option<Date>) -> Option<&'static Model> {
    let soon = day.and_then(|day| day.checked_add(NOTICE_DAYS.days()).ok()).map(|day| day.to_string());
    let lasts = |model: &&Model| {
        let sold = !is_provisioned(sku) || model.provisioned.is_some();
        sold && model.name != gone.name && model.lifecycle == Lifecycle::Current && !model.has_ended(soon.as_deref())
    };
    let mut named = gone.replacement;
    // a chain of names ends within a few links; the bound is for a table with a ring in it
    for _ in 0..MODELS.len() {
        match catalogue::model(named, None) {
            Some(next) if lasts(&next) => return Some(next),
            Some(next) => named = next.replacement,
            None => break,
        }
    }
    // `gpt-5.1-codex-mini` is small, and for code
    let size = |model: &Model| ["-mini", "-nano", "-codex", "-pro"].map(|part| model.name.contains(part));
    let alike = |model: &&Model| {
        let general = model.kind != Kind::Chat || model.name.starts_with("gpt-");
        general && model.kind == gone.kind && model.kind != Kind::Media && size(model) == size(gone)
    };
    MODELS.iter().filter(|model| lasts(model) && alike(model)).max_by_key(|model| model.retires)
}

/// A version that a region does not offer in that SKU.
fn not_offered(known: &Model, group: &[Deployed], out: &mut Vec<Diagnostic>) {
    let mut alike: BTreeMap<(&str, &str), Vec<Deployed>> = BTreeMap::new();
    for found in group.iter().filter(|found| is_made(found)) {
        let region = found.account.location.as_str();
        let Some(offers) = catalogue::offered(known, found.deployment.sku.as_str()) else { continue };
        if catalogue::region(region).is_some() && !offers.contains(&region) {
            alike.entry((found.deployment.sku.as_str(), region)).or_default().push(*found);
        }
    }
    for ((sku, region), group) in &alike {
        let Some(first) = group.first() else { continue };
        let message = format!("{region} offered no {sku} of `{}` {}", known.name, known.version);
        let problem = Diagnostic::new(code::NOT_OFFERED, message).at(first.path("sku"));
        let problem = problem.label(format!("on {}, as Azure's table has it", catalogue::AVAILABILITY_AS_OF));
        let elsewhere = catalogue::offered(known, sku).unwrap_or_default();
        let here: Vec<&str> = catalogue::SKUS
            .iter()
            .filter(|other| is_provisioned(other.name) == is_provisioned(sku))
            .filter(|other| catalogue::offered(known, other.name).is_some_and(|regions| regions.contains(region)))
            .map(|other| other.name)
            .collect();
        let help = match (here.is_empty(), elsewhere.is_empty()) {
            (false, _) => format!("use {} here", suggest::list(here)),
            (true, false) => format!("use one of {}", suggest::list(elsewhere)),
            (true, true) => "use another model or sku: no region offered this".into(),
        };
        out.push(also(problem.help(help), group));
    }
}

/// Whether the stack makes it: what is there already was offered.
fn is_made(found: &Deployed) -> bool {
    found.account.standing == Standing::Managed
}

/// Provisioned units come in steps from a least amount.
fn units(known: &Model, found: &Deployed) -> Option<Diagnostic> {
    let sku = found.deployment.sku.as_str();
    let (least, step) = known.units(sku)?;
    let capacity = found.deployment.capacity;
    if capacity >= least && (capacity - least).is_multiple_of(step) {
        return None;
    }
    let message = format!("{sku} of `{}` is not sold as {capacity} units", known.name);
    let problem = Diagnostic::new(code::UNITS, message).at(found.path("capacity"));
    let below = if capacity < least { least } else { capacity - (capacity - least) % step };
    let help = if capacity < least { format!("use {least}") } else { format!("use {below} or {}", below + step) };
    Some(problem.label(format!("{least} and more, in steps of {step}")).help(help))
}

/// Says for which other deployments the same holds.
fn also(problem: Diagnostic, group: &[Deployed]) -> Diagnostic {
    match group {
        [] | [_] => problem,
        [_, others @ ..] => problem.note(format!("the same holds for {}", named(others))),
    }
}
