//! The spec as it is written: what is recorded, and where it goes.

use super::super::formats;
use schemars::JsonSchema;
use serde::Deserialize;

/// What is recorded, and where it goes.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Observability {
    /// The Log Analytics workspace: `new`, or the ARM id of one that is there.
    #[schemars(extend("pattern" = formats::SINK))]
    pub workspace: Option<String>,
    /// Application Insights: `new`, or the ARM id of one that is there.
    #[schemars(extend("pattern" = formats::SINK))]
    pub app_insights: Option<String>,
    /// Token metrics of every call, to Application Insights.
    pub metrics: Option<Metrics>,
    /// Whether each call's model and token counts are logged. Left out: false.
    pub llm_logs: Option<bool>,
    /// How many bytes of a body are logged. Left out: 0; any other number makes the gateway hold streams back.
    #[schemars(range(min = 0, max = 8192))]
    pub bodies: Option<u32>,
    /// Headers of answers that are logged. Left out: who served it, how many attempts were made, Retry-After.
    pub headers: Option<Vec<String>>,
    /// Whether a workbook with the queries is made. Left out: false.
    pub workbook: Option<bool>,
    /// When somebody is told.
    pub alerts: Option<Alerts>,
}

/// Token metrics.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metrics {
    /// The namespace that they stand in. Left out: aoai-lb.
    #[schemars(length(min = 1, max = 100))]
    pub namespace: Option<String>,
    /// What they are split by: `API ID`, `Operation ID`, `Product ID`, `User ID`, `Subscription ID`, `Location`, `Gateway
    /// ID`, and up to five of `Client IP`, `Deployment`, `Pool`. Left out: Subscription ID.
    pub dimensions: Option<Vec<String>>,
}

/// When somebody is told, by shares of the calls of five minutes; fewer than 20 calls tell nobody.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Alerts {
    /// Percent of the calls that end in 429. Left out: 5.
    #[schemars(range(min = 0, max = 100))]
    pub throttled: Option<u8>,
    /// Percent of the calls that a lower priority serves. Left out: 20.
    #[schemars(range(min = 0, max = 100))]
    pub spillover: Option<u8>,
    /// ARM id of the action group that tells people. Left out: the portal alone shows it.
    #[schemars(extend("pattern" = formats::ARM_ID))]
    pub action_group: Option<String>,
}
