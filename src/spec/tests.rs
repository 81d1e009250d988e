//! Laws of the whole way from text to topology.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

/// Deterministic by day; many and random by night.
pub fn config() -> Config {
    let cheap = Config { cases: 256, failure_persistence: None, ..Config::default() };
    #[allow(clippy::disallowed_methods)] // a test may read the environment
    match std::env::var_os("AOAI_LB_NIGHTLY") {
        Some(_) => Config { cases: cheap.cases * 100, ..cheap },
        None => Config { rng_seed: RngSeed::Fixed(1), ..cheap },
    }
}
