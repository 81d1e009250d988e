//! SKUs of a model deployment: how it is billed, where it is processed, from which quota it draws.
//!
//! Sources, all MicrosoftDocs/azure-ai-docs: deployment types (2026), quotas and limits (2026-02-17): "limits are defined
//! per region, per subscription, and per model or deployment type", and the example is a Global Standard model, of which
//! each region has a pool of its own. So wherever a call is processed, its quota is that of the account's region.
//! Quota of provisioned units does not depend on the model (provisioned throughput, 2024-08).
//!
//! Names of quotas are those of `az cognitiveservices usage list`: `OpenAI.GlobalStandard.gpt-4o`, and for provisioned
//! units `OpenAI.GlobalProvisionedManaged` (azure-rest-api-specs, cognitiveservices, usages). Azure leaves out a hyphen
//! here and there, as in `OpenAI.GlobalStandard.gpt4.1-mini` (microsoft/customer-chatbot-solution-accelerator#238), so
//! names are compared by [`quota_key`].

/// How a deployment serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// Paid by the token, limited in tokens and requests a minute.
    Metered,
    /// Paid by the hour for reserved units.
    Provisioned,
    /// Files of calls, answered within a day.
    Batch,
    /// A fine-tuned model on trial: it is deleted after a day.
    Developer,
}

/// Where a call may be processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In the account's region.
    Region,
    /// Anywhere in the data zone of the account's region.
    DataZone,
    /// Anywhere.
    Global,
}

/// A SKU of a model deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sku {
    /// As Azure spells it.
    pub name: &'static str,
    /// How it serves.
    pub serving: Serving,
    /// Where a call may be processed.
    pub processed: Scope,
}

macro_rules! skus {
    ($($name:literal $serving:ident $scope:ident;)*) => {
        /// Every SKU, the metered ones first.
        pub const SKUS: &[Sku] =
            &[$(Sku { name: $name, serving: Serving::$serving, processed: Scope::$scope }),*];
    };
}

skus! {
    "Standard" Metered Region;
    "GlobalStandard" Metered Global;
    "DataZoneStandard" Metered DataZone;
    "ProvisionedManaged" Provisioned Region;
    "GlobalProvisionedManaged" Provisioned Global;
    "DataZoneProvisionedManaged" Provisioned DataZone;
    "GlobalBatch" Batch Global;
    "DataZoneBatch" Batch DataZone;
    "DeveloperTier" Developer Global;
}

/// Finds a SKU, case ignored as Azure does.
pub fn sku(name: &str) -> Option<&'static Sku> {
    SKUS.iter().find(|sku| sku.name.eq_ignore_ascii_case(name))
}

/// What two deployments of one subscription must have in common to draw on one quota, beside the SKU.
///
/// Versions of a model share it: `az cognitiveservices usage list` counts `OpenAI.GlobalStandard.gpt-4o`.
pub fn quota_of<'a>(sku: &Sku, region: &'a str, model: &'a str) -> (&'a str, &'a str) {
    if sku.serving == Serving::Provisioned { (region, "") } else { (region, model) }
}

/// The name of the quota that a deployment draws on, as Azure forms it.
pub fn quota_name(sku: &Sku, format: &str, model: &str) -> String {
    let family = if format.is_empty() || format.eq_ignore_ascii_case("OpenAI") { "OpenAI" } else { "AIServices" };
    match quota_of(sku, "", model) {
        (_, "") => format!("{family}.{}", sku.name),
        (_, model) => format!("{family}.{}.{model}", sku.name),
    }
}

/// What two spellings of one quota's name have in common: case, hyphens and the dot in a version are not told apart.
pub fn quota_key(name: &str) -> String {
    let mut parts = name.splitn(3, '.');
    let mut key: Vec<String> = parts.by_ref().take(2).map(str::to_lowercase).collect();
    let model = parts.next().unwrap_or_default();
    key.push(model.chars().filter(|c| !matches!(c, '-' | '.')).flat_map(char::to_lowercase).collect());
    key.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(sku_name: &str, format: &str, model: &str) -> String {
        quota_name(sku(sku_name).expect("a SKU"), format, model)
    }

    #[test]
    fn quotas_are_named_as_azure_names_them() {
        assert_eq!(name("GlobalStandard", "OpenAI", "gpt-5.1"), "OpenAI.GlobalStandard.gpt-5.1");
        assert_eq!(name("standard", "", "gpt-4o"), "OpenAI.Standard.gpt-4o");
        assert_eq!(name("GlobalProvisionedManaged", "OpenAI", "gpt-5.1"), "OpenAI.GlobalProvisionedManaged");
        assert_eq!(name("GlobalStandard", "DeepSeek", "DeepSeek-R1"), "AIServices.GlobalStandard.DeepSeek-R1");
    }

    #[test]
    fn a_hyphen_makes_no_other_quota_and_a_sku_does() {
        let key = quota_key("OpenAI.GlobalStandard.gpt-4.1-mini");
        assert_eq!(key, quota_key("OpenAI.GlobalStandard.gpt4.1-mini"));
        assert_eq!(key, quota_key("openai.globalstandard.GPT-4.1-Mini"));
        for other in ["OpenAI.Standard.gpt-4.1-mini", "OpenAI.GlobalStandard.gpt-4.1", "OpenAI.GlobalStandard"] {
            assert_ne!(key, quota_key(other));
        }
    }

    #[test]
    fn no_two_models_of_the_catalogue_share_a_quota_by_their_spelling() {
        let mut names: Vec<&str> = crate::catalogue::MODELS.iter().map(|model| model.name).collect();
        names.sort_unstable();
        names.dedup();
        let mut keys: Vec<String> = names.iter().map(|model| quota_key(&format!("OpenAI.Standard.{model}"))).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(names.len(), keys.len());
    }
}
