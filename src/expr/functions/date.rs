//! Dates: `dateTimeAdd`, `dateTimeFromEpoch`, `dateTimeToEpoch`, and the text of `utcNow`.
//!
//! A date is written by .NET's standard and custom formats in the invariant culture. A year of a duration has 365 days
//! and a month 30, as .NET reads ISO 8601 durations (`XmlConvert.ToTimeSpan`); no published example says otherwise.

use super::super::value::text;
use super::{Args, Function, function};
use crate::expr::error::{EvalError, Fault};
use jiff::civil::{DateTime, Weekday};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::Value;

pub(super) const TABLE: &[Function] = &[
    function("dateTimeAdd", (2, 3), add),
    function("dateTimeFromEpoch", (1, 1), |args| {
        let date =
            of_epoch(args.int(0)?).ok_or_else(|| args.error(Fault::Range, "expects a date before the year 10000"))?;
        Ok(written(args, date, ISO)?.into())
    }),
    function("dateTimeToEpoch", (1, 1), |args| {
        let (date, _) = read(args.text(0)?).ok_or_else(|| no_date(args, args.any(0)))?;
        let stamp = TimeZone::UTC.to_timestamp(date).map_err(|_| no_date(args, args.any(0)))?;
        Ok(stamp.as_second().into())
    }),
];

const ISO: &str = "yyyy-MM-ddTHH:mm:ssZ";
/// What `utcNow` writes where it is told nothing.
const COMPACT: &str = "yyyyMMddTHHmmssZ";
/// What .NET writes of a date where it is told nothing.
const GENERAL: &str = "M/d/yyyy h:mm:ss tt";

/// `utcNow([format])` of this moment, in seconds since 1970.
pub(in super::super) fn utc_now(args: &Args, now: i64) -> Result<Value, EvalError> {
    let format = if args.get(0).is_some() { args.text(0)? } else { COMPACT };
    let date = of_epoch(now).ok_or_else(|| args.wrong_value("has no moment"))?;
    Ok(written(args, date, format)?.into())
}

fn of_epoch(seconds: i64) -> Option<DateTime> {
    let date = Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC).datetime();
    (date.year() > 0).then_some(date)
}

fn no_date(args: &Args, value: &Value) -> EvalError {
    args.wrong_value(&format!("expects a date in ISO 8601 format. The provided value is '{}'", text(value)))
}

fn add(args: &Args) -> Result<Value, EvalError> {
    let (base, duration) = (args.text(0)?, args.text(1)?);
    let (date, form) = read(base).ok_or_else(|| no_date(args, args.any(0)))?;
    let length = duration_of(duration).ok_or_else(|| {
        let message = format!(
            "The template function 'dateTimeAdd' has an invalid parameter. The second parameter '{duration}' is not a valid \
             ISO8601 Duration string. Please see https://aka.ms/arm-syntax-functions ."
        );
        EvalError::new(Fault::ArgumentValue, message)
    })?;
    let out_of_range = || args.error(Fault::Range, "leads to a date that is none");
    let sum = date.checked_add(length).ok().filter(|sum| sum.year() > 0).ok_or_else(out_of_range)?;
    let format = if args.get(2).is_some() { args.text(2)? } else { form };
    Ok(written(args, sum, format)?.into())
}

/// Reads a date, and the format that a date computed from it has by default.
fn read(text: &str) -> Option<(DateTime, &'static str)> {
    let form = match text.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', ..] => ISO,
        [_, _, _, _, _, _, _, _, b'T', ..] => COMPACT,
        _ => GENERAL,
    };
    let date = match text.parse::<Timestamp>() {
        Ok(stamp) => stamp.to_zoned(TimeZone::UTC).datetime(),
        Err(_) => text.parse().ok()?,
    };
    (date.year() > 0).then_some((date, form))
}

/// An ISO 8601 duration, which may be negative as a whole.
fn duration_of(text: &str) -> Option<SignedDuration> {
    const DAY: i64 = 86_400;
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let rest = rest.strip_prefix('P')?;
    let (days, clock) = rest.split_once('T').map_or((rest, None), |(days, clock)| (days, Some(clock)));
    if days.is_empty() && clock.is_none() || clock == Some("") {
        return None;
    }
    let mut total = SignedDuration::ZERO;
    for (mut part, units) in [
        (days, &[('Y', 365 * DAY), ('M', 30 * DAY), ('D', DAY)]),
        (clock.unwrap_or(""), &[('H', 3600), ('M', 60), ('S', 1)]),
    ] {
        let mut allowed = units.iter();
        while !part.is_empty() {
            let end = part.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let (number, unit) = (&part[..end], part[end..].chars().next()?);
            // each at most once, the larger before the smaller
            let (_, seconds) = allowed.find(|(letter, _)| *letter == unit)?;
            part = &part[end + unit.len_utf8()..];
            let (whole, fraction) = number.split_once('.').map_or((number, ""), |(whole, fraction)| (whole, fraction));
            if number.contains('.') && (unit != 'S' || fraction.is_empty() || fraction.len() > 9) {
                return None;
            }
            let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
            let whole: i64 = whole.parse().ok()?;
            total = total.checked_add(SignedDuration::new(whole.checked_mul(*seconds)?, nanos))?;
        }
    }
    total.checked_mul(sign)
}

fn written(args: &Args, date: DateTime, format: &str) -> Result<String, EvalError> {
    let custom = match format {
        "d" => "MM/dd/yyyy",
        "D" => "dddd, dd MMMM yyyy",
        "f" => "dddd, dd MMMM yyyy HH:mm",
        "F" | "U" => "dddd, dd MMMM yyyy HH:mm:ss",
        "g" => "MM/dd/yyyy HH:mm",
        "G" | "" => "MM/dd/yyyy HH:mm:ss",
        "m" | "M" => "MMMM dd",
        "o" | "O" => "yyyy-MM-ddTHH:mm:ss.fffffffZ",
        "r" | "R" => "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
        "s" => "yyyy-MM-ddTHH:mm:ss",
        "t" => "HH:mm",
        "T" => "HH:mm:ss",
        "u" => "yyyy-MM-dd HH:mm:ssZ",
        "y" | "Y" => "yyyy MMMM",
        custom if custom.chars().count() == 1 => return Err(no_format(args, format)),
        custom => custom,
    };
    custom_format(date, custom).ok_or_else(|| no_format(args, format))
}

fn no_format(args: &Args, format: &str) -> EvalError {
    args.wrong_value(&format!("was invoked with the format '{format}', which is none of a date"))
}

fn custom_format(date: DateTime, format: &str) -> Option<String> {
    const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let day_name = DAYS[Weekday::to_sunday_zero_offset(date.weekday()) as usize % 7];
    let month_name = MONTHS[(date.month() as usize + 11) % 12];
    let hour12 = (date.hour() + 11) % 12 + 1;
    let digits = |number: i64, width: usize| format!("{number:0width$}");
    let fraction = format!("{:09}", date.subsec_nanosecond());
    let mut out = String::new();
    let mut rest = format;
    while let Some(letter) = rest.chars().next() {
        let count = rest.chars().take_while(|c| *c == letter).count();
        let run = |most: usize| count.min(most);
        let (text, taken) = match letter {
            'd' => match count {
                1 | 2 => (digits(date.day().into(), count), count),
                3 => (day_name[..3].to_owned(), 3),
                _ => (day_name.to_owned(), count),
            },
            'M' => match count {
                1 | 2 => (digits(date.month().into(), count), count),
                3 => (month_name[..3].to_owned(), 3),
                _ => (month_name.to_owned(), count),
            },
            'y' => match count {
                1 | 2 => (digits((date.year() % 100).into(), count), count),
                _ => (digits(date.year().into(), count.min(100)), count),
            },
            'H' => (digits(date.hour().into(), run(2)), count),
            'h' => (digits(hour12.into(), run(2)), count),
            'm' => (digits(date.minute().into(), run(2)), count),
            's' => (digits(date.second().into(), run(2)), count),
            'f' if count <= 7 => (fraction[..count].to_owned(), count),
            'F' if count <= 7 => (fraction[..count].trim_end_matches('0').to_owned(), count),
            'f' | 'F' => return None,
            't' => {
                let word = if date.hour() < 12 { "AM" } else { "PM" };
                (word[..run(2)].to_owned(), count)
            }
            'g' => ("A.D.".to_owned(), count),
            'K' => ("Z".repeat(count.min(100)), count),
            'z' => (["+0", "+00", "+00:00"][run(3) - 1].to_owned(), count),
            '\'' | '"' => {
                let inner = &rest[1..];
                let end = inner.find(letter)?;
                (inner[..end].to_owned(), end + 2)
            }
            '\\' => {
                let next = rest[1..].chars().next()?;
                (next.to_string(), 1 + next.len_utf8())
            }
            // marks a single letter as a custom format
            '%' => (String::new(), 1),
            other => (other.to_string(), other.len_utf8()),
        };
        out.push_str(&text);
        rest = rest.get(taken..)?;
    }
    Some(out)
}
