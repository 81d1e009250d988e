//! Provisioned throughput: a bucket that drains.

use super::{Cause, Refusal};
use crate::time::{Duration, Time};

/// One token in the bucket's unit: nanoseconds of a minute, so that tokens a minute drain in whole units a nanosecond.
const TOKEN: u128 = 60_000_000_000;

/// A provisioned deployment and its utilisation.
#[derive(Clone, Debug)]
pub struct Provisioned {
    /// Input tokens a minute, which is units a nanosecond.
    rate: u64,
    /// 100 % utilisation, in units. In 64 bits a large deployment of a small model would not fit.
    full: u128,
    level: u128,
    at: Time,
}

impl Provisioned {
    /// A deployment that serves `tokens_per_minute` input tokens, and is full when it is `depth` behind.
    pub fn new(tokens_per_minute: u64, depth: Duration) -> Provisioned {
        let full = u128::from(tokens_per_minute) * u128::from(depth.0);
        Provisioned { rate: tokens_per_minute, full, level: 0, at: Time::ZERO }
    }

    /// Admits a call of an estimated weight in input tokens, unless utilisation is above 100 %.
    #[inline]
    pub fn admit(&mut self, now: Time, estimate: u64) -> Result<(), Refusal> {
        self.drain(now);
        if self.level > self.full {
            let wait = (self.level - self.full).div_ceil(u128::from(self.rate.max(1)));
            let wait = Duration(u64::try_from(wait).unwrap_or(u64::MAX));
            return Err(Refusal { cause: Cause::Ptu, wait });
        }
        self.level = self.level.saturating_add(u128::from(estimate) * TOKEN);
        Ok(())
    }

    /// Replaces the estimate of an admitted call by what it was.
    #[inline]
    pub fn complete(&mut self, now: Time, estimate: u64, actual: u64) {
        self.drain(now);
        let units = u128::from(actual.abs_diff(estimate)) * TOKEN;
        self.level =
            if actual >= estimate { self.level.saturating_add(units) } else { self.level.saturating_sub(units) };
    }

    /// Utilisation in thousandths.
    pub fn per_mille(&mut self, now: Time) -> u64 {
        self.drain(now);
        let per_mille = self.level.saturating_mul(1000) / self.full.max(1);
        u64::try_from(per_mille).unwrap_or(u64::MAX)
    }

    #[inline]
    fn drain(&mut self, now: Time) {
        self.level = self.level.saturating_sub(u128::from(now.since(self.at).0) * u128::from(self.rate));
        self.at = self.at.max(now);
    }
}
