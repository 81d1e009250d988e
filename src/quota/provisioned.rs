//! Provisioned throughput: a bucket that drains.

use super::{Cause, Refusal};
use crate::time::{Duration, Time};

/// One token in the bucket's unit: nanoseconds of a minute, so that tokens a minute drain in whole units a nanosecond.
const TOKEN: u64 = 60_000_000_000;

/// A provisioned deployment and its utilisation.
#[derive(Clone, Debug)]
pub struct Provisioned {
    /// Input tokens a minute, which is units a nanosecond.
    rate: u64,
    /// 100 % utilisation, in units.
    full: u64,
    level: u64,
    at: Time,
}

impl Provisioned {
    /// A deployment that serves `tokens_per_minute` input tokens, and is full when it is `depth` behind.
    pub fn new(tokens_per_minute: u64, depth: Duration) -> Provisioned {
        let full = tokens_per_minute.saturating_mul(depth.0);
        Provisioned { rate: tokens_per_minute, full, level: 0, at: Time::ZERO }
    }

    /// Admits a call of an estimated weight in input tokens, unless utilisation is above 100 %.
    #[inline]
    pub fn admit(&mut self, now: Time, estimate: u64) -> Result<(), Refusal> {
        self.drain(now);
        if self.level > self.full {
            let wait = (self.level - self.full).div_ceil(self.rate.max(1));
            return Err(Refusal { cause: Cause::Ptu, wait: Duration(wait) });
        }
        self.level = self.level.saturating_add(estimate.saturating_mul(TOKEN));
        Ok(())
    }

    /// Replaces the estimate of an admitted call by what it was.
    #[inline]
    pub fn complete(&mut self, now: Time, estimate: u64, actual: u64) {
        self.drain(now);
        let units = actual.abs_diff(estimate).saturating_mul(TOKEN);
        self.level =
            if actual >= estimate { self.level.saturating_add(units) } else { self.level.saturating_sub(units) };
    }

    /// Utilisation in thousandths.
    pub fn per_mille(&mut self, now: Time) -> u64 {
        self.drain(now);
        (u128::from(self.level) * 1000 / u128::from(self.full.max(1))) as u64
    }

    #[inline]
    fn drain(&mut self, now: Time) {
        self.level = self.level.saturating_sub(now.since(self.at).0.saturating_mul(self.rate));
        self.at = self.at.max(now);
    }
}
