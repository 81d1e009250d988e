//! What Azure OpenAI costs, in US dollars, without any discount.
//!
//! Source: the Azure Retail Prices of Cognitive Services, meters of Azure OpenAI (2026-08-11), as the MIT-licensed
//! package azure-genai-prices 0.2.0 holds them. They say that a data zone costs a tenth more than the world, and a region
//! a tenth more again, times what its place costs ([`PLACES`]): this was checked against the meters of gpt-4.1,
//! gpt-4.1-mini, gpt-4o of 2024-11-20, o1 and o3. Azure rounds some of them to six digits a thousand tokens.
//!
//! Deliberately absent: prompts above 272,000 tokens, which cost up to twice as much; priority processing; batch;
//! reservations of provisioned units; regional prices that no meter shows (the gpt-5 models, gpt-4o before 2024-11-20);
//! sovereign clouds.

use super::models::Model;
use super::skus::{Scope, Serving, sku};

/// The date of the source.
pub const PRICES_AS_OF: &str = "2026-08-11";

/// The currency of every price.
pub const CURRENCY: &str = "USD";

/// What a million tokens cost, in millionths of a dollar: so many picodollars a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenPrice {
    /// Of the prompt.
    pub input: u64,
    /// Of the prompt, where it was cached; the input's where no cheaper one is published.
    pub cached: u64,
    /// Of the answer.
    pub output: u64,
}

struct Row {
    model: &'static str,
    /// Empty for every version.
    version: &'static str,
    /// The narrowest scope that a meter shows.
    narrowest: Scope,
    world: TokenPrice,
}

/// Dollars become millionths; exact, as no price has more than six digits behind the point.
const fn micro(dollars: f64) -> u64 {
    (dollars * 1_000_000.0 + 0.5) as u64
}

macro_rules! prices {
    ($($model:literal $version:literal $narrowest:ident $input:literal $cached:literal $output:literal;)*) => {
        const ROWS: &[Row] = &[$(Row {
            model: $model,
            version: $version,
            narrowest: Scope::$narrowest,
            world: TokenPrice { input: micro($input), cached: micro($cached), output: micro($output) },
        }),*];
    };
}

// model, version, narrowest scope; dollars a million tokens, anywhere in the world: input, cached input, output
prices! {
    "gpt-5.5" "" DataZone 5.0 0.5 30.0;
    "gpt-5.4" "" DataZone 2.5 0.25 15.0;
    "gpt-5.4-mini" "" DataZone 0.75 0.075 4.5;
    "gpt-5.4-nano" "" DataZone 0.2 0.02 1.25;
    "gpt-5.4-pro" "" DataZone 30.0 30.0 180.0;
    "gpt-5.3-codex" "" DataZone 1.75 0.175 14.0;
    "gpt-5.2" "" DataZone 1.75 0.175 14.0;
    "gpt-5.2-codex" "" DataZone 1.75 0.175 14.0;
    "gpt-5.1" "" DataZone 1.25 0.125 10.0;
    "gpt-5.1-codex" "" DataZone 1.25 0.125 10.0;
    "gpt-5.1-codex-max" "" DataZone 1.25 0.125 10.0;
    "gpt-5.1-codex-mini" "" DataZone 0.25 0.025 2.0;
    "gpt-5" "" DataZone 1.25 0.125 10.0;
    "gpt-5-codex" "" DataZone 1.25 0.125 10.0;
    "gpt-5-mini" "" DataZone 0.25 0.025 2.0;
    "gpt-5-nano" "" DataZone 0.05 0.005 0.4;
    "gpt-5-pro" "" DataZone 15.0 15.0 120.0;
    "gpt-chat-latest" "" Global 5.0 0.5 30.0;
    "gpt-4.1" "" Region 2.0 0.5 8.0;
    "gpt-4.1-mini" "" Region 0.4 0.1 1.6;
    "gpt-4.1-nano" "" Region 0.1 0.025 0.4;
    "gpt-4o" "2024-05-13" DataZone 5.0 5.0 15.0;
    "gpt-4o" "2024-08-06" DataZone 2.5 1.25 10.0;
    "gpt-4o" "2024-11-20" Region 2.5 1.25 10.0;
    "gpt-4o-mini" "" DataZone 0.15 0.075 0.6;
    "o4-mini" "" Region 1.1 0.275 4.4;
    "o3" "" Region 2.0 0.5 8.0;
    "o3-mini" "" Region 1.1 0.55 4.4;
    "o3-pro" "" Global 20.0 20.0 80.0;
    "o1" "" Region 15.0 7.5 60.0;
    "text-embedding-3-large" "" Region 0.13 0.13 0.0;
    "text-embedding-3-small" "" Region 0.02 0.02 0.0;
    "text-embedding-ada-002" "2" Region 0.1 0.1 0.0;
}

/// What a place costs, in tenths of the cheapest, and which regions are such places.
const PLACES: [(u64, &str); 3] = [
    (
        10,
        "australiaeast centralindia centralus eastus eastus2 northcentralus southcentralus southindia westcentralus \
         westus westus2 westus3",
    ),
    (
        11,
        "belgiumcentral canadacentral canadaeast francecentral germanynorth germanywestcentral italynorth japaneast \
         japanwest koreacentral norwayeast polandcentral qatarcentral southafricanorth spaincentral swedencentral \
         switzerlandnorth switzerlandwest uaenorth uksouth",
    ),
    (12, "brazilsouth eastasia northeurope southeastasia westeurope"),
];

fn place(region: &str) -> Option<u64> {
    PLACES
        .iter()
        .find(|(_, regions)| regions.split_whitespace().any(|known| known == region))
        .map(|(tenths, _)| *tenths)
}

/// What a million tokens of a metered deployment cost in a region; `None` where no meter shows it.
pub fn token_price(model: &Model, sku_name: &str, region: &str) -> Option<TokenPrice> {
    let sku = sku(sku_name).filter(|sku| sku.serving == Serving::Metered)?;
    let row = ROWS.iter().find(|row| row.model == model.name && ["", model.version].contains(&row.version))?;
    // hundredths of the price anywhere in the world
    let hundredths = match (sku.processed, row.narrowest) {
        (Scope::Global, _) => 100,
        (Scope::DataZone, Scope::DataZone | Scope::Region) => 110,
        (Scope::Region, Scope::Region) => 11 * place(region)?,
        _ => return None,
    };
    let times = |price: u64| (price * hundredths).div_ceil(100);
    Some(TokenPrice { input: times(row.world.input), cached: times(row.world.cached), output: times(row.world.output) })
}

/// What one provisioned unit costs an hour, in millionths of a dollar, without a reservation.
pub fn unit_hour(sku_name: &str, region: &str) -> Option<u64> {
    let sku = sku(sku_name).filter(|sku| sku.serving == Serving::Provisioned)?;
    match sku.processed {
        Scope::Global => Some(1_000_000),
        Scope::DataZone => Some(1_100_000),
        Scope::Region => Some(200_000 * place(region)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Kind, MODELS, model, region};

    #[test]
    fn every_price_is_of_a_known_model_and_every_place_a_region() {
        for row in ROWS {
            let version = Some(row.version).filter(|version| !version.is_empty());
            assert!(model(row.model, version).is_some(), "{}", row.model);
            assert!(row.world.input >= row.world.cached && row.world.input > 0, "{}", row.model);
        }
        for name in PLACES.iter().flat_map(|(_, regions)| regions.split_whitespace()) {
            assert!(region(name).is_some(), "{name}");
        }
    }

    #[test]
    fn prices_are_those_of_the_meters() {
        let price = |name: &str, version: Option<&str>, sku: &str, region: &str| {
            let found = token_price(model(name, version).expect("a model"), sku, region)?;
            Some((found.input, found.cached, found.output))
        };
        assert_eq!(price("gpt-5.1", None, "GlobalStandard", "eastus2"), Some((1_250_000, 125_000, 10_000_000)));
        assert_eq!(price("gpt-5.1", None, "DataZoneStandard", "eastus2"), Some((1_375_000, 137_500, 11_000_000)));
        assert_eq!(price("gpt-5.1", None, "Standard", "eastus2"), None);
        assert_eq!(price("gpt-4.1", None, "Standard", "eastus2"), Some((2_200_000, 550_000, 8_800_000)));
        assert_eq!(price("gpt-4.1", None, "Standard", "swedencentral"), Some((2_420_000, 605_000, 9_680_000)));
        assert_eq!(price("gpt-4.1", None, "Standard", "northeurope"), Some((2_640_000, 660_000, 10_560_000)));
        assert_eq!(
            price("gpt-4o", Some("2024-05-13"), "GlobalStandard", "x"),
            Some((5_000_000, 5_000_000, 15_000_000))
        );
        assert_eq!(price("gpt-5.4-nano", None, "DataZoneStandard", "x"), Some((220_000, 22_000, 1_375_000)));
        assert_eq!(price("gpt-5.1", None, "ProvisionedManaged", "eastus2"), None);
        assert_eq!(price("o3-pro", None, "DataZoneStandard", "eastus2"), None);
        assert_eq!(unit_hour("ProvisionedManaged", "eastus2"), Some(2_000_000));
        assert_eq!(unit_hour("ProvisionedManaged", "swedencentral"), Some(2_200_000));
        assert_eq!(unit_hour("ProvisionedManaged", "westeurope"), Some(2_400_000));
        assert_eq!(unit_hour("ProvisionedManaged", "mexicocentral"), None);
        assert_eq!(unit_hour("DataZoneProvisionedManaged", "swedencentral"), Some(1_100_000));
        assert_eq!(unit_hour("GlobalProvisionedManaged", "anywhere"), Some(1_000_000));
        assert_eq!(unit_hour("GlobalStandard", "eastus2"), None);
    }

    #[test]
    fn what_is_sold_by_the_unit_has_a_price_by_the_token_too() {
        for found in MODELS.iter().filter(|model| model.provisioned.is_some()) {
            assert_eq!(found.kind, Kind::Chat);
            assert!(token_price(found, "GlobalStandard", "eastus2").is_some(), "{} {}", found.name, found.version);
        }
    }
}
