//! SKUs of a model deployment: how it is billed, where it is processed, from which quota it draws.
//!
//! Sources, all MicrosoftDocs/azure-ai-docs: deployment types (2026), quotas and limits (2026-02-17): "limits are defined
//! per region, per subscription, and per model or deployment type", and the example is a Global Standard model, of which
//! each region has a pool of its own. So wherever a call is processed, its quota is that of the account's region.
//! Quota of provisioned units does not depend on the model (provisioned throughput, 2024-08).

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
