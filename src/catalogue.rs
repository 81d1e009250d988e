//! Data tables about Azure, each with its source and date: what a region, a type, a tier, a role, a model is.
//!
//! Tables are sorted as people read them, and looked up by the functions here, without case where Azure ignores it.
//! A figure that nobody publishes is not in a table.
//!
//! Deliberately absent: prices, quota of a subscription, which region offers which model. They change by the week and
//! Azure itself answers for them.

mod models;
mod regions;
mod roles;
mod tiers;
mod types;

pub use models::{Lifecycle, MODELS, MODELS_AS_OF, Model, Provisioned, is_provisioned, model, rpm_per_1k_tpm};
pub use regions::{REGIONS, Region, region};
pub use roles::{ROLES, Role, role};
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
    fn ratios_differ_by_tier_of_deployment() {
        assert_eq!(rpm_per_1k_tpm("gpt-5.4", "GlobalStandard"), Some((10, 1)));
        assert_eq!(rpm_per_1k_tpm("gpt-5.4", "DataZoneStandard"), Some((1, 1)));
        assert_eq!(rpm_per_1k_tpm("o1", "GlobalStandard"), Some((1, 6)));
        assert_eq!(rpm_per_1k_tpm("gpt-4o", "Standard"), Some((6, 1)));
        assert_eq!(rpm_per_1k_tpm("gpt-5.4", "ProvisionedManaged"), None);
        assert_eq!(rpm_per_1k_tpm("nobody", "Standard"), None);
    }

    #[test]
    fn some_model_is_current() {
        assert!(MODELS.iter().any(|m| m.lifecycle == Lifecycle::Current && m.provisioned.is_some()));
        assert!(model("GPT-5.1", Some("2025-11-13")).is_some());
        assert!(model("gpt-5.1", None).is_some() && model("gpt-5.1", Some("1999-01-01")).is_none());
    }
}
