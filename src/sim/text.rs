//! A report for people: plain text, nothing wider than 80 columns.

use super::report::{Backend, Ending, Quantiles, Report, Trip, per_mille};
use super::{MaxTokens, report};
use crate::pool::{Rotation, TripBy};
use crate::time::Duration;
use std::fmt::Write;

const WIDTH: usize = 80;

/// How many openings of breakers are told one by one.
const TOLD_TRIPS: usize = 8;

/// The longest name of a backend in the first column, and a space behind it; longer ones are cut.
const NAME: usize = 19;

pub(super) fn text(report: &Report) -> String {
    let mut out = String::new();
    // writing to a String cannot fail
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let instances = if report.instances == 1 { "instance" } else { "instances" };
    let rotation = match report.rotation {
        Rotation::Smooth => "smooth",
        Rotation::Random => "random",
    };
    let max_tokens = match report.max_tokens {
        MaxTokens::Actual => "as written".to_owned(),
        MaxTokens::Constant(n) => grouped(n.into()),
    };
    let length = report.duration;
    let requests = if report.requests == 1 { "request" } else { "requests" };
    writeln!(out, "{} {requests} in {length} to the api {}", grouped(report.requests), cut(&report.api, 40))?;
    writeln!(
        out,
        "seed {}, {} gateway {instances}, {rotation} rotation, max_tokens {max_tokens}",
        report.seed, report.instances
    )?;

    writeln!(out, "\nCallers got")?;
    for callers in &report.callers {
        let (count, share) = (grouped(callers.count), percent(per_mille(callers.count, report.requests)));
        writeln!(out, "  {}  {:<22}{count:>13}  {share:>7}", callers.status, callers.ending.words())?;
    }

    if report.callers.iter().any(|callers| callers.ending == Ending::Served) {
        writeln!(out, "\nLatency of what was served    p50       p95       p99       max")?;
        for (what, quantiles) in [("to the last token", report.latency), ("to the first token", report.first_token)] {
            let Quantiles { p50, p95, p99, max } = quantiles;
            let [p50, p95, p99, max] = [p50, p95, p99, max].map(|length| length.to_string());
            writeln!(out, "  {what:<21}{p50:>10}{p95:>10}{p99:>10}{max:>10}")?;
        }
    } else {
        writeln!(out, "\nNothing was served")?;
    }

    writeln!(out, "\nBackends             attempts   share   served  429tpm  429rpm  429ptu  trips")?;
    for backend in &report.backends {
        let Backend { attempts, served, refused_tpm, refused_rpm, refused_ptu, trips, .. } = backend;
        let share = percent(backend.share_per_mille);
        let name = cut(&backend.backend, NAME - 1);
        writeln!(
            out,
            "  {name:<NAME$}{attempts:>8}{share:>8}{served:>9}{refused_tpm:>8}{refused_rpm:>8}{refused_ptu:>8}{trips:>7}"
        )?;
    }
    let timed_out: u64 = report.backends.iter().map(|backend| backend.timed_out).sum();
    if timed_out > 0 {
        writeln!(out, "  {} attempts had no answer in time", grouped(timed_out))?;
    }
    let report::Retries { attempts, repeated, saved } = report.retries;
    writeln!(
        out,
        "  {} attempts; {} requests needed more than one, {} of them were served",
        grouped(attempts),
        grouped(repeated),
        grouped(saved)
    )?;

    breakers(out, report)?;

    writeln!(out, "\nAssumptions (not calibrated against logs of a real gateway)")?;
    report.assumptions.iter().try_for_each(|assumption| wrapped(out, assumption))
}

fn breakers(out: &mut String, report: &Report) -> std::fmt::Result {
    let breakers = &report.breakers;
    if breakers.trips == 0 {
        return writeln!(out, "\nNo breaker opened");
    }
    writeln!(out, "\nBreakers (a column is {}: . closed, 1-9 tenths of it open, # open)", breakers.column)?;
    let whole = breakers.column.0.saturating_mul(u64::from(report.instances));
    let mut width = 0;
    for backend in report.backends.iter().filter(|backend| backend.trips > 0) {
        let strip: String = backend.open_timeline.iter().map(|&open| tenths(open, whole)).collect();
        width = strip.len();
        writeln!(out, "  {:<NAME$}{strip}", cut(&backend.backend, NAME - 1))?;
    }
    let end = report.duration.to_string();
    if width > end.len() + 2 {
        writeln!(out, "  {:NAME$}0s{end:>width$}", "", width = width - 2)?;
    }
    let instances = report.instances > 1;
    writeln!(
        out,
        "\n{:>11}  {:<NAME$}{:>9}  because of",
        "at",
        if instances { "backend, instance" } else { "backend" },
        "open for"
    )?;
    for trip in breakers.first.iter().take(TOLD_TRIPS) {
        let Trip { at, backend, status, until, instance, .. } = trip;
        let by = match trip.by {
            TripBy::RetryAfter => "Retry-After",
            TripBy::TripDuration => "trip duration",
        };
        let (at, length) = (Duration(at.0).to_string(), until.since(*at).to_string());
        let on = if instances { format!(" {instance}") } else { String::new() };
        let name = cut(backend, NAME - 1 - on.len()) + &on;
        writeln!(out, "{at:>11}  {name:<NAME$}{length:>9}  {status}, {by}")?;
    }
    let untold = breakers.trips - breakers.first.len().min(TOLD_TRIPS) as u64;
    if untold > 0 {
        writeln!(out, "  and {} more times", grouped(untold))?;
    }
    Ok(())
}

/// How much of a column a breaker was open: what is little is not nothing, and what is much is not all.
fn tenths(open: u64, whole: u64) -> char {
    match open {
        0 => '.',
        open if open >= whole => '#',
        open => match u128::from(open) * 10 / u128::from(whole) {
            0 | 1 => '1',
            tenths => char::from(b'0' + tenths as u8),
        },
    }
}

/// `1,234,567`
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `33.3%`
fn percent(per_mille: u64) -> String {
    format!("{}.{}%", per_mille / 10, per_mille % 10)
}

/// Keys of one spec often begin alike, so what is too long is cut in its middle.
fn cut(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        return name.to_owned();
    }
    let kept = width.saturating_sub(2);
    let (head, tail) = (kept / 2, kept - kept / 2);
    name.chars().take(head).chain("..".chars()).chain(name.chars().skip(length - tail)).collect()
}

/// One item of a list, its further lines indented.
fn wrapped(out: &mut String, text: &str) -> std::fmt::Result {
    let mut line = String::from("  -");
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(out, "{line}")?;
            line = String::from("   ");
        }
        line.push(' ');
        line.push_str(word);
    }
    writeln!(out, "{line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_is_not_nothing_and_much_is_not_all() {
        let shown: String =
            [0, 1, 199, 200, 550, 999, 1_000, u64::MAX].map(|open| tenths(open, 1_000)).iter().collect();
        assert_eq!(shown, ".11259##");
    }

    #[test]
    fn names_are_cut_in_their_middle() {
        assert_eq!(cut("contoso-eastus2", 15), "contoso-eastus2");
        assert_eq!(cut("contoso-eastus2-gpt", 15), "contos..us2-gpt");
        assert_eq!(cut("contoso", 1).len(), 2, "nothing is too narrow");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((percent(1_000), percent(7)), ("100.0%".into(), "0.7%".into()));
    }
}
