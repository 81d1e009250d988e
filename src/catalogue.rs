//! Data tables about Azure, each with its source and date: what a region, a type, a tier, a role, a model is.
//!
//! Tables are sorted as people read them, and looked up by the functions here, without case where Azure ignores it.
//! A figure that nobody publishes is not in a table.
//!
//! They are Rust and no data files: a row that is misspelt does not compile, and nothing is parsed when the program starts.
//!
//! What changes by the week (prices, who offers what) is for warnings and estimates only, each with the day of its source.
//! Deliberately absent: the quota of a subscription and the capacity that is left; Azure itself answers for them.

mod availability;
mod models;
mod prices;
mod regions;
mod roles;
mod skus;
mod tiers;
mod types;

pub use availability::{AVAILABILITY_AS_OF, offered};
pub use models::{
    Context, Kind, Lifecycle, MODELS, MODELS_AS_OF, Model, Provisioned, is_provisioned, model, rpm_per_1k_tpm, versions,
};
pub use prices::{CURRENCY, PRICES_AS_OF, TokenPrice, token_price, unit_hour};
pub use regions::{DataZone, REGIONS, Region, region};
pub use roles::{ROLES, Role, role};
pub use skus::{SKUS, Scope, Serving, Sku, quota_key, quota_name, quota_of, sku};
pub use tiers::{Generation, TIERS, Tier, tier};
pub use types::{Operation, PROPERTIES, Property, ResourceType, TYPES, newest, not_older, resource_type, version_with};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found_without_case() {
        for (i, found) in TYPES.iter().enumerate() {
            assert!(TYPES[..i].iter().all(|other| !other.name.eq_ignore_ascii_case(found.name)), "{}", found.name);
            assert_eq!(resource_type(&found.name.to_uppercase()).map(|t| t.name), Some(found.name));
            assert!(!found.versions.is_empty());
            assert!(found.versions.windows(2).all(|pair| not_older(pair[1], pair[0])), "{} is not sorted", found.name);
        }
        for found in REGIONS {
            assert_eq!(region(found.display).map(|r| r.name), Some(found.name));
            assert_eq!(region(&found.name.to_uppercase()).map(|r| r.name), Some(found.name));
        }
    }

    #[test]
    fn versions_are_ordered_by_date_and_a_preview_comes_before() {
        assert!(not_older("2024-05-01", "2024-05-01"));
        assert!(not_older("2024-05-01", "2024-05-01-preview"));
        assert!(!not_older("2024-05-01-preview", "2024-05-01"));
        assert!(not_older("2024-06-01-preview", "2024-05-01"));
        assert_eq!(newest("Microsoft.ApiManagement/service/backends"), Some("2025-09-01-preview"));
        assert_eq!(newest("no/such"), None);
    }

    #[test]
    fn an_api_version_is_the_lowest_that_has_what_is_used() {
        let backend = |used: &[&str]| {
            version_with("Microsoft.ApiManagement/service/backends", "2024-05-01", |path| used.contains(&path))
        };
        assert_eq!(backend(&["pool", "pool.services[].weight"]), "2024-05-01");
        assert_eq!(backend(&["pool", "pool.failureResponse"]), "2024-10-01-preview", "no stable one has it");
        assert_eq!(backend(&["pool.sessionAffinity", "azureRegion"]), "2025-03-01-preview");
        let deployment = |used: &[&str]| {
            version_with("Microsoft.CognitiveServices/accounts/deployments", "2024-10-01", |path| used.contains(&path))
        };
        assert_eq!(deployment(&[]), "2024-10-01");
        assert_eq!(deployment(&["spilloverDeploymentName"]), "2025-06-01", "not a preview before it");
        assert_eq!(deployment(&["spilloverDeploymentName", "serviceTier"]), "2025-12-01");
        assert_eq!(version_with("no/such", "2020-01-01", |_| true), "2020-01-01");
    }

    #[test]
    fn ratios_differ_by_tier_of_deployment() {
        assert_eq!(rpm_per_1k_tpm("gpt-5.4", "GlobalStandard"), Some((10, 1)));
        assert_eq!(rpm_per_1k_tpm("gpt-5.4", "DataZoneStandard"), Some((1, 1)));
        assert_eq!(rpm_per_1k_tpm("o1", "GlobalStandard"), Some((1, 6)));
        assert_eq!(rpm_per_1k_tpm("gpt-4o", "Standard"), Some((6, 1)));
        assert_eq!(rpm_per_1k_tpm("gpt-5.4", "ProvisionedManaged"), None);
        assert_eq!(rpm_per_1k_tpm("nobody", "Standard"), None);
    }

    #[test]
    fn skus_say_how_they_serve() {
        let of = |name: &str| sku(name).map(|sku| (sku.serving, sku.processed));
        assert_eq!(of("datazoneprovisionedmanaged"), Some((Serving::Provisioned, Scope::DataZone)));
        assert_eq!(of("Standard"), Some((Serving::Metered, Scope::Region)));
        assert_eq!((of("GlobalBatch").map(|sku| sku.0), of("S0")), (Some(Serving::Batch), None));
        assert!(SKUS.iter().all(|sku| is_provisioned(sku.name) == sku.name.contains("Provisioned")));
        let group = |name: &str| quota_of(sku(name).expect("a SKU"), "eastus2", "gpt-4.1");
        assert_eq!(group("GlobalStandard"), ("eastus2", "gpt-4.1"));
        assert_eq!(group("GlobalProvisionedManaged"), ("eastus2", ""));
    }

    #[test]
    fn models_are_unique_and_their_successors_known() {
        for (i, found) in MODELS.iter().enumerate() {
            let same = |other: &&Model| (other.name, other.version) == (found.name, found.version);
            assert!(!MODELS[..i].iter().any(|other| same(&other)), "{} {}", found.name, found.version);
            assert!(found.replacement.is_empty() || model(found.replacement, None).is_some(), "{}", found.replacement);
            let day = |text: &str| text.len() == 10 && text.bytes().filter(|b| *b == b'-').count() == 2;
            assert!(found.retires.is_empty() || day(found.retires), "{}", found.retires);
            let ended = !found.retires.is_empty() && found.retires <= MODELS_AS_OF;
            assert!(found.lifecycle == Lifecycle::Ending || !ended || found.has_ended(None), "{}", found.name);
        }
    }

    #[test]
    fn units_are_asked_for_by_where_they_are_processed() {
        let of = |name: &str, sku: &str| model(name, None).and_then(|model| model.units(sku));
        assert_eq!(of("gpt-5-mini", "ProvisionedManaged"), Some((25, 25)));
        assert_eq!(of("gpt-5-mini", "DataZoneProvisionedManaged"), Some((15, 5)));
        assert_eq!(of("o1", "provisionedmanaged"), Some((25, 50)));
        assert_eq!((of("gpt-5-mini", "Standard"), of("gpt-5-nano", "ProvisionedManaged")), (None, None));
    }

    #[test]
    fn a_model_ends_on_its_day() {
        let found = model("gpt-5.1", None).expect("a model");
        assert_eq!(found.context, Some(Context { input: 272_000, output: 128_000 }));
        assert!(!found.has_ended(None) && !found.has_ended(Some("2027-05-14")) && found.has_ended(Some("2027-05-15")));
        assert!(model("gpt-35-turbo", None).is_some_and(|model| model.has_ended(None)));
        assert!(versions("gpt-4o").count() == 3 && versions("nobody").next().is_none());
    }

    #[test]
    fn regions_have_a_geography_and_some_a_zone() {
        let zone = |name: &str| region(name).map(|region| (region.geography, region.zone));
        assert_eq!(zone("westus3"), Some(("United States", Some(DataZone::UnitedStates))));
        assert_eq!(zone("Sweden Central"), Some(("Sweden", Some(DataZone::EuropeanUnion))));
        assert_eq!(zone("uksouth"), Some(("United Kingdom", None)));
        assert_eq!(zone("westindia"), Some(("India", None)));
    }

    #[test]
    fn some_model_is_current() {
        assert!(MODELS.iter().any(|m| m.lifecycle == Lifecycle::Current && m.provisioned.is_some()));
        assert!(model("GPT-5.1", Some("2025-11-13")).is_some());
        assert!(model("gpt-5.1", None).is_some() && model("gpt-5.1", Some("1999-01-01")).is_none());
    }
}
