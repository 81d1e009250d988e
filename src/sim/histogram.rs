//! Lengths of time, counted: 64 steps an octave, so a quantile is at most one part in 64 too long.

use crate::time::Duration;

/// Counts of lengths in log-linear steps. Two histograms can be added.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: Duration,
}

/// Steps are counted in units of 2^10 ns, about a microsecond.
const UNIT: u32 = 10;
const STEP_BITS: u32 = 6;
const STEPS: u64 = 1 << STEP_BITS;

impl Default for Histogram {
    fn default() -> Histogram {
        let last = step(u64::MAX >> UNIT);
        Histogram { counts: vec![0; last + 1], total: 0, max: Duration::ZERO }
    }
}

#[inline]
fn step(units: u64) -> usize {
    if units < STEPS {
        return units as usize;
    }
    let shift = units.ilog2() - STEP_BITS;
    (u64::from(shift + 1) * STEPS + ((units >> shift) - STEPS)) as usize
}

/// The longest length that falls into a step.
fn longest(step: usize) -> Duration {
    let (octave, place) = (step as u64 / STEPS, step as u64 % STEPS);
    let end = if octave == 0 { place + 1 } else { (STEPS + place + 1) << (octave - 1) };
    Duration((end << UNIT).wrapping_sub(1)) // the last step ends at the last nanosecond of all
}

impl Histogram {
    /// Counts one length.
    #[inline]
    pub fn add(&mut self, length: Duration) {
        if let Some(count) = self.counts.get_mut(step(length.0 >> UNIT)) {
            *count += 1;
        }
        self.total += 1;
        self.max = self.max.max(length);
    }

    /// The longest, exactly.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// A length that at least `per_mille` of a thousand do not exceed; zero where nothing was counted.
    pub fn quantile(&self, per_mille: u64) -> Duration {
        let rank = u128::from(self.total) * u128::from(per_mille.min(1000));
        let rank = rank.div_ceil(1000).max(1) as u64;
        let mut below = 0;
        for (at, count) in self.counts.iter().enumerate() {
            below += count;
            if below >= rank {
                return longest(at).min(self.max);
            }
        }
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::tests::laws;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(laws(256))]

        #[test]
        fn quantiles_are_right_within_one_part_in_64(
            mut lengths in prop::collection::vec(0..u64::MAX >> 2, 1..100),
            per_mille in 0..=1000u64,
        ) {
            let mut histogram = Histogram::default();
            lengths.iter().for_each(|&ns| histogram.add(Duration(ns)));
            lengths.sort_unstable();
            let rank = (lengths.len() as u64 * per_mille).div_ceil(1000).max(1) as usize;
            let (exact, got) = (lengths[rank - 1], histogram.quantile(per_mille).0);
            prop_assert!(got >= exact && got - exact <= exact / 64 + 1024, "{got} for {exact}");
            prop_assert_eq!(histogram.max().0, lengths[lengths.len() - 1]);
        }
    }

    #[test]
    fn steps_are_without_gaps() {
        for units in (0..5_000).chain((0..54).map(|bit| (1 << bit) - 1)).chain((0..54).map(|bit| 1 << bit)) {
            let at = step(units);
            assert!(longest(at).0 >> UNIT >= units && (at == 0 || longest(at - 1).0 >> UNIT < units), "{units}");
        }
        assert_eq!(Histogram::default().quantile(500), Duration::ZERO);
        let mut histogram = Histogram::default();
        histogram.add(Duration::MAX);
        assert_eq!(histogram.quantile(500), Duration::MAX);
    }
}
