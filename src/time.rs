//! Time as the core sees it: a number that the shell passes in.
//!
//! [`Time`] is nanoseconds since 1970-01-01 UTC; in a simulation, nanoseconds since its start. [`Duration`] is a length in
//! nanoseconds. Both are plain integers, so that sums are exact and a run can be repeated to the byte. Arithmetic
//! saturates: no trace and no Retry-After can make the core panic.
//!
//! Deliberately absent: any way to ask what time it is. Only the shell does (`io`).

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

const NS: u64 = 1_000_000_000;

/// An instant, in nanoseconds since 1970 UTC or since the start of a simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

/// A length of time in nanoseconds.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Duration(pub u64);

impl Time {
    /// The epoch, or the start of a simulation.
    pub const ZERO: Time = Time(0);

    /// An instant `seconds` after the epoch.
    pub const fn from_secs(seconds: u64) -> Time {
        Time(seconds.saturating_mul(NS))
    }

    /// The length from `earlier` to this instant, zero if `earlier` is later.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }

    /// As `2026-11-20T08:30:00Z`, fractions of a second dropped.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_second((self.0 / NS) as i64) {
            Ok(stamp) => stamp.to_string(),
            Err(_) => format!("{}ns", self.0),
        }
    }

    /// Reads `2026-11-20T08:30:00Z`; `None` where the text is no RFC 3339 instant after 1970.
    pub fn from_rfc3339(text: &str) -> Option<Time> {
        let stamp: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(stamp.as_nanosecond()).ok().map(Time)
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);
    /// The longest length; sums stay here.
    pub const MAX: Duration = Duration(u64::MAX);

    /// A length of whole seconds.
    pub const fn from_secs(seconds: u64) -> Duration {
        Duration(seconds.saturating_mul(NS))
    }

    /// A length of whole milliseconds.
    pub const fn from_millis(milliseconds: u64) -> Duration {
        Duration(milliseconds.saturating_mul(1_000_000))
    }

    /// Whole seconds, rounded up: what a `Retry-After` header can say.
    pub const fn secs_ceil(self) -> u64 {
        self.0.div_ceil(NS)
    }

    /// Whole milliseconds, rounded up: what `retry-after-ms` can say.
    pub const fn millis_ceil(self) -> u64 {
        self.0.div_ceil(1_000_000)
    }

    /// This length divided by `scale`, which counts as 1 where it is 0.
    pub const fn scaled_down(self, scale: u32) -> Duration {
        Duration(self.0 / if scale == 0 { 1 } else { scale as u64 })
    }

    /// What [`Duration::parse`] reads, as a pattern of JSON Schema.
    pub const PATTERN: &str = "^([Pp](?=.)([0-9]+(\\.[0-9]{1,9})?[Ww])?([0-9]+(\\.[0-9]{1,9})?[Dd])?([Tt](?=[0-9])([0-9]+(\\.[0-9]{1,9})?[Hh])?([0-9]+(\\.[0-9]{1,9})?[Mm])?([0-9]+(\\.[0-9]{1,9})?[Ss])?)?|[0-9]+(\\.[0-9]{1,9})?(ms|s|m|h|d))$";

    /// Reads ISO 8601 (`PT1M30S`, `P1D`) or the short form (`90s`, `1m`, `500ms`, `2h`, `1d`).
    ///
    /// Years and months are refused, for they have no fixed length; so are negative lengths.
    pub fn parse(text: &str) -> Option<Duration> {
        if text.starts_with(['P', 'p']) { parse_iso(text) } else { parse_short(text) }
    }

    /// Reads `hh:mm:ss`, as Azure writes a length in some answers.
    pub fn parse_clock(text: &str) -> Option<Duration> {
        let mut seconds = 0u64;
        let mut parts = 0;
        for part in text.split(':') {
            seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
            parts += 1;
        }
        (parts == 3 && seconds <= u64::MAX / NS).then_some(Duration::from_secs(seconds))
    }

    /// ISO 8601 as Azure writes it: `PT1M`, `PT1H30M`, `P1D`, `PT0.5S`, `PT0S`.
    pub fn iso(self) -> String {
        let (seconds, fraction) = (self.0 / NS, self.0 % NS);
        let (days, hours, minutes, rest) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let mut text = String::from("P");
        if days > 0 {
            text.push_str(&format!("{days}D"));
        }
        if seconds % 86_400 == 0 && fraction == 0 && days > 0 {
            return text;
        }
        text.push('T');
        if hours > 0 {
            text.push_str(&format!("{hours}H"));
        }
        if minutes > 0 {
            text.push_str(&format!("{minutes}M"));
        }
        if fraction > 0 {
            let digits = format!("{fraction:09}");
            text.push_str(&format!("{rest}.{}S", digits.trim_end_matches('0')));
        } else if rest > 0 || self.0 == 0 {
            text.push_str(&format!("{rest}S"));
        }
        text
    }
}

fn parse_short(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let unit = match &text[split..] {
        "ms" => 1_000_000,
        "s" => NS,
        "m" => 60 * NS,
        "h" => 3600 * NS,
        "d" => 86_400 * NS,
        _ => return None,
    };
    decimal(&text[..split], unit)
}

fn parse_iso(text: &str) -> Option<Duration> {
    let mut total = 0u64;
    let mut number = String::new();
    let mut units: &[(char, u64)] = &[('W', 7 * 86_400 * NS), ('D', 86_400 * NS)];
    let (mut parts, mut in_time) = (0, false);
    for c in text[1..].chars() {
        match c.to_ascii_uppercase() {
            'T' if !in_time && number.is_empty() => {
                (in_time, units) = (true, &[('H', 3600 * NS), ('M', 60 * NS), ('S', NS)]);
            }
            '0'..='9' | '.' => number.push(c),
            unit => {
                let at = units.iter().position(|(name, _)| *name == unit)?;
                total = total.checked_add(decimal(&number, units[at].1)?.0)?;
                units = &units[at + 1..];
                number.clear();
                parts += 1;
            }
        }
    }
    let ends_in_t = text.ends_with(['T', 't']);
    (parts > 0 && number.is_empty() && !ends_in_t).then_some(Duration(total))
}

/// `number` times `unit` nanoseconds, exact to the nanosecond.
fn decimal(number: &str, unit: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || (fraction.is_empty() && number.contains('.')) || fraction.len() > 9 {
        return None;
    }
    let mut total = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    if !fraction.is_empty() {
        let scaled = u128::from(fraction.parse::<u64>().ok()?) * u128::from(unit) / 10u128.pow(fraction.len() as u32);
        total = total.checked_add(u64::try_from(scaled).ok()?)?;
    }
    Some(Duration(total))
}

impl fmt::Display for Duration {
    /// For people: `250ms`, `0s`, `1.5s`, `1m30s`, `2h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Duration(ns) = *self;
        if ns == 0 {
            return f.write_str("0s");
        }
        if ns <= NS - 1_000_000 {
            return write!(f, "{}ms", ns.div_ceil(1_000_000));
        }
        let ns = ns.max(NS); // what is rounded up to a thousand milliseconds is a second
        let (seconds, tenths) = (ns / NS, ns % NS / (NS / 10));
        if seconds < 60 {
            return if tenths == 0 { write!(f, "{seconds}s") } else { write!(f, "{seconds}.{tenths}s") };
        }
        let parts =
            [(seconds / 86_400, 'd'), (seconds / 3600 % 24, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
        parts.iter().filter(|(n, _)| *n > 0).try_for_each(|(n, unit)| write!(f, "{n}{unit}"))
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso())
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, length: Duration) -> Time {
        Time(self.0.saturating_add(length.0))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, length: Duration) {
        *self = *self + length;
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, length: Duration) -> Time {
        Time(self.0.saturating_sub(length.0))
    }
}

impl Add for Duration {
    type Output = Duration;
    fn add(self, other: Duration) -> Duration {
        Duration(self.0.saturating_add(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_and_short_forms_say_the_same() {
        for (iso, short) in
            [("PT1M", "60s"), ("PT1M", "1m"), ("PT1H30M", "90m"), ("P1D", "24h"), ("PT0.5S", "500ms"), ("PT0S", "0s")]
        {
            assert_eq!(Duration::parse(iso), Duration::parse(short), "{iso} {short}");
            assert_eq!(Duration::parse(short).map(Duration::iso).as_deref(), Some(iso));
        }
    }

    #[test]
    fn what_has_no_fixed_length_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1M",
            "P1Y",
            "1",
            "s",
            "-1s",
            "PT1",
            "PT1S1M",
            "1x",
            "P1DT",
            "1.s",
            ".5s",
            "99999999999999999999s",
        ] {
            assert_eq!(Duration::parse(text), None, "{text}");
        }
    }

    #[test]
    fn people_read_short_lengths() {
        for (iso, shown) in [
            ("PT0S", "0s"),
            ("PT0.25S", "250ms"),
            ("PT0.000000001S", "1ms"),
            ("PT0.999S", "999ms"),
            ("PT0.999000001S", "1s"),
            ("PT59.99S", "59.9s"),
            ("PT1.5S", "1.5s"),
            ("PT90S", "1m30s"),
            ("PT2H", "2h"),
            ("P1DT1S", "1d1s"),
        ] {
            assert_eq!(Duration::parse(iso).map(|d| d.to_string()).as_deref(), Some(shown));
        }
    }

    #[test]
    fn instants_survive_text() {
        let time = Time::from_secs(1_795_000_000);
        assert_eq!(Time::from_rfc3339(&time.rfc3339()), Some(time));
        assert_eq!(Time(u64::MAX) + Duration::from_secs(9), Time(u64::MAX));
    }

    proptest::proptest! {
        #[test]
        fn any_length_survives_iso(ns in 0..u64::MAX / 2) {
            proptest::prop_assert_eq!(Duration::parse(&Duration(ns).iso()), Some(Duration(ns)));
        }
    }
}
