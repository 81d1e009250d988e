//! Tiers of API Management: how far they scale, what they can, how long they take.
//!
//! Sources: capacity and capabilities from the documentation of tiers and gateways (2018, 2024-06, 2025-11); durations
//! from recorded traffic (2020 to 2026). The documentation says "20 to 30 minutes" where recordings show 36 and 71.

use crate::time::Duration;

/// The two platforms, between which no service can move, and the one without either's features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Developer, Basic, Standard, Premium.
    Classic,
    /// BasicV2, StandardV2, PremiumV2.
    V2,
    /// Consumption.
    Consumption,
}

/// A tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// As `sku.name` has it.
    pub name: &'static str,
    /// The platform.
    pub generation: Generation,
    /// The least capacity.
    pub min: u32,
    /// The most capacity.
    pub max: u32,
    /// Whether its gateway has circuit breakers.
    pub breaker: bool,
    /// How long creation takes, in seconds.
    pub create: u64,
    /// How long an update takes, in seconds.
    pub update: u64,
}

impl Tier {
    /// How long creation takes.
    pub const fn creation(&self) -> Duration {
        Duration::from_secs(self.create)
    }

    /// How long a change of the service itself takes.
    pub const fn change(&self) -> Duration {
        Duration::from_secs(self.update)
    }
}

const fn classic(name: &'static str, max: u32) -> Tier {
    Tier { name, generation: Generation::Classic, min: 1, max, breaker: true, create: 2160, update: 2280 }
}

const fn v2(name: &'static str, max: u32) -> Tier {
    Tier { name, generation: Generation::V2, min: 1, max, breaker: true, create: 100, update: 30 }
}

/// Every tier that can be bought.
pub const TIERS: &[Tier] = &[
    Tier {
        name: "Consumption",
        generation: Generation::Consumption,
        min: 0,
        max: 0,
        breaker: false,
        create: 90,
        update: 60,
    },
    classic("Developer", 1),
    classic("Basic", 2),
    classic("Standard", 4),
    classic("Premium", 31),
    v2("BasicV2", 10),
    v2("StandardV2", 10),
    v2("PremiumV2", 30),
];

/// Finds a tier, case ignored as Azure does.
pub fn tier(name: &str) -> Option<&'static Tier> {
    TIERS.iter().find(|tier| tier.name.eq_ignore_ascii_case(name))
}
