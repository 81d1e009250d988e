//! How much slower or faster than its figures a backend is this time.

use crate::time::Duration;

/// A log-normal factor with median 1, as a table of quantiles: one draw, one look-up, integers only.
#[derive(Clone, Debug)]
pub struct Noise {
    /// Factors in 1/65,536, ascending; one for the middle of each of equally likely parts.
    quantiles: Vec<u32>,
}

/// How far it spreads: 95 % of all calls take at most one and a half times the median.
const SIGMA: f64 = 0.25;

const PARTS: u32 = 1024;
const ONE: f64 = 65_536.0;

impl Noise {
    /// The noise of every backend.
    pub fn new() -> Noise {
        let part = |at: u32| libm::exp(SIGMA * normal_quantile((f64::from(at) + 0.5) / f64::from(PARTS)));
        Noise { quantiles: (0..PARTS).map(|at| libm::round(part(at) * ONE) as u32).collect() }
    }

    /// A length, times the factor that 64 random bits stand for.
    #[inline]
    pub fn stretch(&self, length: Duration, bits: u64) -> Duration {
        let at = (bits >> 54) as usize; // PARTS is 2 to the 10
        let factor = self.quantiles.get(at).copied().unwrap_or(ONE as u32);
        Duration(u64::try_from((u128::from(length.0) * u128::from(factor)) >> 16).unwrap_or(u64::MAX))
    }
}

impl Default for Noise {
    fn default() -> Noise {
        Noise::new()
    }
}

/// The standard normal distribution's quantile, by bisection on its tail: slow, exact enough, and without a constant to
/// mistype.
fn normal_quantile(p: f64) -> f64 {
    let below = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
    let (mut low, mut high) = (-9.0, 9.0);
    for _ in 0..56 {
        let middle = 0.5 * (low + high);
        if below(middle) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_pinned() {
        let noise = Noise::new();
        assert_eq!(noise.quantiles.len(), PARTS as usize);
        let shown: Vec<u32> = [0, 1, 256, 511, 512, 768, 972, 1013, 1023].map(|at| noise.quantiles[at]).into();
        expect_test::expect!["[28740, 31151, 55388, 65516, 65556, 77603, 98801, 116960, 149440]"]
            .assert_eq(&format!("{shown:?}"));
    }

    #[test]
    fn its_median_is_one_and_its_quantiles_are_those_of_a_log_normal() {
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-9);
        assert!((normal_quantile(0.5)).abs() < 1e-9);
        let noise = Noise::new();
        let second = Duration::from_secs(1);
        let at = |p: f64| noise.stretch(second, (p * 2f64.powi(64)) as u64).0 as f64 / 1e9;
        for (p, factor) in [(0.5, 1.0), (0.025, (-0.49f64).exp()), (0.975, 0.49f64.exp())] {
            assert!((at(p) / factor - 1.0).abs() < 0.01, "{p}: {}", at(p));
        }
        assert!(noise.quantiles.is_sorted());
        assert_eq!(noise.stretch(Duration::MAX, u64::MAX), Duration::MAX, "the longest cannot grow");
    }
}
