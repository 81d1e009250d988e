//! The doors to the machine: clock, entropy, files, signals, and the local Azure's state on disk.
//!
//! Everything that asks the operating system for something is here or in `ui` (the terminal) and `emulator` (a socket);
//! what differs by platform stands in [`files`] and [`signal`] only.
//!
//! Deliberately absent: decisions. A door does what it is told and says what went wrong as a diagnostic.

pub mod files;
pub mod local;
pub mod signal;
pub mod trace;

use crate::diagnostic::{Diagnostic, code};
use crate::time::Time;
use crate::wire::Secret;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the wall clock says.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// `local-` and 256 random bits in hexadecimal: a token that nobody can guess, and nobody can mistake for Azure's.
pub fn token() -> Result<Secret, Box<Diagnostic>> {
    let mut digits = String::from("local-");
    for _ in 0..4 {
        digits.push_str(&format!("{:016x}", entropy()?));
    }
    Ok(Secret::new(digits))
}

/// 64 random bits from the operating system.
pub fn entropy() -> Result<u64, Box<Diagnostic>> {
    getrandom::u64().map_err(|error| {
        Box::new(Diagnostic::new(code::MACHINE, format!("the system gives no random numbers: {error}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_say_where_they_come_from() {
        let (a, b) = (token().expect("a token"), token().expect("a token"));
        assert_ne!(a.expose(), b.expose());
        assert!(a.expose().starts_with("local-") && a.expose().len() == 70);
    }

    #[test]
    fn the_clock_is_after_this_was_written() {
        assert!(now() > Time::from_rfc3339("2026-01-01T00:00:00Z").expect("an instant"));
    }
}
