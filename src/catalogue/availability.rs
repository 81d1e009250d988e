//! Which region offers which version of a model in which SKU.
//!
//! Source: MicrosoftDocs/azure-ai-docs, model availability by region (2026-04-30). Regions are added by the month and
//! seldom taken away, so a region that stands here is offered, and one that does not was not on that day.
//!
//! Deliberately absent: gpt-5.5, six days old when the source was made, models of speech and images, and capacity: Azure
//! may have none left where a model is offered.

use super::models::Model;

/// The date of the source.
pub const AVAILABILITY_AS_OF: &str = "2026-04-30";

/// Regions of one row: names between blanks, in several texts.
type Regions = &'static [&'static str];

struct Row {
    model: &'static str,
    version: &'static str,
    /// By SKU, in the order of [`ORDER`].
    regions: [Regions; 6],
}

const ORDER: [&str; 6] = [
    "GlobalStandard",
    "DataZoneStandard",
    "Standard",
    "GlobalProvisionedManaged",
    "DataZoneProvisionedManaged",
    "ProvisionedManaged",
];

const US: &str = "eastus eastus2 northcentralus southcentralus westus westus3";
const US7: &str = "centralus eastus eastus2 northcentralus southcentralus westus westus3";
/// The data zone of the European Union without Italy, which lacks some.
const EU6: &str = "francecentral germanywestcentral polandcentral spaincentral swedencentral westeurope";
const EU7: &str = "francecentral germanywestcentral italynorth polandcentral spaincentral swedencentral westeurope";
const WORLD: &str = "australiaeast brazilsouth canadaeast eastus eastus2 francecentral germanywestcentral japaneast \
                     koreacentral northcentralus norwayeast polandcentral southafricanorth southcentralus southindia \
                     spaincentral swedencentral switzerlandnorth uaenorth uksouth westeurope westus";
const ALL: Regions = &[WORLD, "canadacentral centralus italynorth southeastasia switzerlandwest westus3"];
const NONE: Regions = &[];
const ZONES: Regions = &[US7, EU7];
const UNIT_ZONES: Regions = &[US, EU7];
const UNIT_ZONES_NO_ITALY: Regions = &[US, EU6];

macro_rules! rows {
    ($($model:literal $version:literal {
        global $global:expr; zone $zone:expr; region $region:expr;
        units $global_units:expr, $zone_units:expr, $region_units:expr;
    })*) => {
        const ROWS: &[Row] = &[$(Row {
            model: $model,
            version: $version,
            regions: [$global, $zone, $region, $global_units, $zone_units, $region_units],
        }),*];
    };
}

rows! {
    "gpt-5.4" "2026-03-05" {
        global ALL; zone ZONES; region NONE;
        units ALL, UNIT_ZONES, &["australiaeast japaneast"];
    }
    "gpt-5.4-mini" "2026-03-17" { global ALL; zone &[US7]; region NONE; units NONE, NONE, NONE; }
    "gpt-5.4-nano" "2026-03-17" { global ALL; zone &[US7]; region NONE; units NONE, NONE, NONE; }
    "gpt-5.4-pro" "2026-03-05" {
        global &["eastus2 polandcentral southcentralus swedencentral"]; zone NONE; region NONE;
        units NONE, NONE, NONE;
    }
    "gpt-5.3-codex" "2026-02-24" { global ALL; zone &[US7]; region NONE; units ALL, NONE, NONE; }
    "gpt-5.2" "2025-12-11" {
        global ALL; zone &[US7]; region NONE;
        units ALL, UNIT_ZONES, &["australiaeast canadaeast japaneast koreacentral uksouth westus westus3"];
    }
    "gpt-5.2-codex" "2026-01-14" { global ALL; zone NONE; region NONE; units ALL, NONE, NONE; }
    "gpt-5.1" "2025-11-13" {
        global ALL; zone &[US7, "francecentral swedencentral"]; region &[US7, "swedencentral"];
        units ALL, UNIT_ZONES, &["australiaeast canadaeast southindia switzerlandnorth uaenorth uksouth westus3"];
    }
    "gpt-5.1-codex" "2025-11-13" { global ALL; zone NONE; region NONE; units ALL, UNIT_ZONES, NONE; }
    "gpt-5.1-codex-mini" "2025-11-13" { global ALL; zone NONE; region NONE; units NONE, NONE, NONE; }
    "gpt-5.1-codex-max" "2025-12-04" {
        global &["eastus2 swedencentral"]; zone NONE; region NONE;
        units NONE, NONE, NONE;
    }
    "gpt-5" "2025-08-07" {
        global &[WORLD, "centralus italynorth southeastasia westus3"]; zone ZONES; region NONE;
        units ALL, UNIT_ZONES, &[US7, "australiaeast canadaeast japaneast koreacentral southindia uksouth"];
    }
    "gpt-5-mini" "2025-08-07" {
        global &[WORLD, "centralus italynorth southeastasia westus3"]; zone ZONES; region NONE;
        units ALL, UNIT_ZONES, &["australiaeast canadaeast eastus2 japaneast koreacentral southindia uksouth westus3"];
    }
    "gpt-5-nano" "2025-08-07" {
        global &[WORLD, "centralus italynorth southeastasia westus3"]; zone ZONES; region NONE;
        units NONE, NONE, NONE;
    }
    "gpt-5-pro" "2025-10-06" {
        global &[WORLD, "canadacentral centralus italynorth southeastasia switzerlandwest"]; zone NONE; region NONE;
        units NONE, NONE, NONE;
    }
    "gpt-5-codex" "2025-09-15" {
        global &[WORLD, "canadacentral centralus italynorth southeastasia switzerlandwest"]; zone NONE; region NONE;
        units NONE, NONE, NONE;
    }
    "gpt-4.1" "2025-04-14" {
        global &[WORLD, "centralus italynorth southeastasia westus3"]; zone ZONES;
        region &[US, "swedencentral switzerlandnorth"];
        units ALL, UNIT_ZONES, &[
            US7, "australiaeast brazilsouth germanywestcentral japaneast koreacentral southeastasia southindia",
            "swedencentral switzerlandnorth uaenorth uksouth",
        ];
    }
    "gpt-4.1-mini" "2025-04-14" {
        global &[WORLD, "centralus italynorth southeastasia westus3"]; zone ZONES;
        region &[
            US, "australiaeast canadaeast francecentral japaneast southindia swedencentral switzerlandnorth uksouth",
            "westeurope",
        ];
        units ALL, UNIT_ZONES_NO_ITALY, &[
            US, "australiaeast brazilsouth japaneast koreacentral southindia swedencentral switzerlandnorth uksouth",
        ];
    }
    "gpt-4.1-nano" "2025-04-14" {
        global &[WORLD, "centralus italynorth southeastasia westus3"]; zone ZONES; region NONE;
        units ALL, UNIT_ZONES, &[US, "swedencentral"];
    }
    "gpt-4o" "2024-11-20" {
        global &[WORLD, "centralus italynorth westus3"]; zone ZONES;
        region &[
            US7, "australiaeast canadaeast francecentral japaneast norwayeast southindia swedencentral",
            "switzerlandnorth uksouth",
        ];
        units ALL, UNIT_ZONES_NO_ITALY, &[
            "australiaeast brazilsouth canadaeast centralus eastus eastus2 germanywestcentral japaneast koreacentral",
            "northcentralus polandcentral southeastasia southindia swedencentral switzerlandnorth uaenorth uksouth",
            "westeurope westus westus3",
        ];
    }
    "gpt-4o" "2024-08-06" {
        global &[WORLD, "centralus westus3"]; zone &[US7, EU6]; region &[US7, "swedencentral"];
        units ALL, UNIT_ZONES_NO_ITALY, &[
            US7, "australiaeast brazilsouth canadaeast francecentral germanywestcentral japaneast koreacentral",
            "norwayeast southeastasia southindia spaincentral swedencentral switzerlandnorth switzerlandwest uaenorth",
            "uksouth",
        ];
    }
    "gpt-4o" "2024-05-13" {
        global &[WORLD, "centralus westus3"]; zone &[US7, EU6]; region &[US, "swedencentral"];
        units ALL, UNIT_ZONES_NO_ITALY, &[
            US7, "australiaeast brazilsouth canadacentral canadaeast francecentral germanywestcentral japaneast",
            "koreacentral norwayeast polandcentral southafricanorth southindia spaincentral swedencentral",
            "switzerlandnorth uaenorth uksouth",
        ];
    }
    "gpt-4o-mini" "2024-07-18" {
        global &[WORLD, "centralus italynorth westus3"]; zone ZONES; region &[US, "swedencentral"];
        units ALL, UNIT_ZONES_NO_ITALY, &[
            US, "australiaeast brazilsouth canadacentral canadaeast francecentral japaneast koreacentral norwayeast",
            "southeastasia southindia spaincentral swedencentral switzerlandnorth switzerlandwest uksouth",
        ];
    }
    "o4-mini" "2025-04-16" {
        global &[WORLD, "centralus italynorth southeastasia westus3"]; zone ZONES; region &[US, "swedencentral"];
        units ALL, UNIT_ZONES, &[US7, "japaneast westeurope"];
    }
    "o3" "2025-04-16" {
        global &[WORLD, "centralus italynorth southeastasia westus3"]; zone ZONES; region NONE;
        units ALL, UNIT_ZONES, &[US, "australiaeast westeurope"];
    }
    "o3-mini" "2025-01-31" {
        global &[WORLD, "centralus italynorth westus3"]; zone ZONES; region NONE;
        units ALL, UNIT_ZONES_NO_ITALY, &[
            "australiaeast canadaeast eastus2 japaneast koreacentral southcentralus southindia swedencentral",
            "switzerlandnorth uaenorth",
        ];
    }
    "o3-pro" "2025-06-10" {
        global &["centralus eastus2 swedencentral"]; zone NONE; region NONE;
        units NONE, NONE, NONE;
    }
    "o1" "2024-12-17" {
        global &[WORLD, "centralus italynorth westus3"]; zone ZONES; region &[US, "swedencentral"];
        units ALL, UNIT_ZONES_NO_ITALY, &["japaneast uaenorth uksouth"];
    }
    "text-embedding-3-large" "1" {
        global &[WORLD, "centralus italynorth westus3"]; zone ZONES;
        region &[
            "australiaeast canadaeast eastus eastus2 francecentral germanywestcentral japaneast koreacentral norwayeast",
            "polandcentral southafricanorth southeastasia southindia spaincentral swedencentral switzerlandnorth",
            "uaenorth uksouth westus3",
        ];
        units NONE, NONE, NONE;
    }
    "text-embedding-3-small" "1" {
        global &[WORLD, "centralus italynorth westus3"]; zone ZONES;
        region &["australiaeast canadaeast eastus eastus2 japaneast switzerlandnorth uaenorth westus"];
        units NONE, NONE, NONE;
    }
    "text-embedding-ada-002" "2" {
        global &[WORLD, "italynorth westus3"]; zone ZONES;
        region &[
            US, "australiaeast brazilsouth canadaeast francecentral japaneast norwayeast southafricanorth southindia",
            "swedencentral switzerlandnorth uaenorth uksouth westeurope",
        ];
        units NONE, NONE, NONE;
    }
}

/// The regions that offer a version in a SKU; none where it is offered nowhere, `None` where the table does not say.
pub fn offered(model: &Model, sku: &str) -> Option<Vec<&'static str>> {
    let row = ROWS.iter().find(|row| row.model == model.name && row.version == model.version)?;
    let index = ORDER.iter().position(|known| known.eq_ignore_ascii_case(sku))?;
    let mut regions: Vec<&str> = row.regions[index].iter().flat_map(|text| text.split_whitespace()).collect();
    regions.sort_unstable();
    Some(regions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{DataZone, model, region, sku};

    #[test]
    fn every_row_is_of_a_known_model_and_names_known_regions_once() {
        for row in ROWS {
            let known = model(row.model, Some(row.version));
            let known = known.unwrap_or_else(|| panic!("{} {} is no model", row.model, row.version));
            for name in ORDER {
                let regions = offered(known, name).expect("a row");
                assert!(regions.windows(2).all(|pair| pair[0] != pair[1]), "{} {name}: {regions:?}", row.model);
                for found in &regions {
                    assert!(region(found).is_some(), "{} {name}: {found}", row.model);
                }
                assert!(sku(name).is_some());
                let units = name.contains("Provisioned") && !regions.is_empty();
                // its latency target is not published
                let unknown = row.model == "gpt-5.1-codex";
                assert!(!units || known.provisioned.is_some() || unknown, "{} {name}", row.model);
            }
        }
    }

    #[test]
    fn a_data_zone_is_offered_in_that_zone_only() {
        for row in ROWS {
            for name in [row.regions[1], row.regions[4]].concat().iter().flat_map(|text| text.split_whitespace()) {
                let zone = region(name).and_then(|region| region.zone);
                assert!(matches!(zone, Some(DataZone::UnitedStates | DataZone::EuropeanUnion)), "{name}");
            }
        }
    }

    #[test]
    fn the_source_is_read_as_it_stands() {
        let offers = |name: &str, sku: &str, region: &str| {
            offered(model(name, None).expect("a model"), sku).map(|regions| regions.contains(&region))
        };
        assert_eq!(offers("gpt-5.1", "GlobalStandard", "eastus2"), Some(true));
        assert_eq!(offers("gpt-5.1", "provisionedmanaged", "eastus2"), Some(false));
        assert_eq!(offers("gpt-5.1", "ProvisionedManaged", "westus3"), Some(true));
        assert_eq!(offers("gpt-5", "Standard", "eastus2"), Some(false));
        assert_eq!(offers("gpt-5", "GlobalBatch", "eastus2"), None);
        assert_eq!(offers("gpt-5.5", "GlobalStandard", "eastus2"), None);
        assert_eq!(offered(model("gpt-5.4", None).expect("it"), "GlobalStandard").map(|all| all.len()), Some(28));
    }
}
