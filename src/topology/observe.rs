//! What is recorded of a gateway, and where it goes.

use super::Name;

/// Logs, metrics, alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observability {
    /// The Log Analytics workspace.
    pub workspace: Option<Sink>,
    /// Application Insights, where traces and token metrics go.
    pub app_insights: Option<Sink>,
    /// Whether prompts' and completions' token counts are logged for each call.
    pub llm_logs: bool,
    /// How many bytes of a body are logged; 0 for none. Any other number makes the gateway hold streams back.
    pub bodies: u32,
    /// Headers of answers that are logged.
    pub headers: Vec<String>,
    /// Whether a workbook with the queries stands in the resource group.
    pub workbook: bool,
    /// When somebody is told.
    pub alerts: Option<Alerts>,
}

/// Where records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// The stack makes it.
    Managed(Name),
    /// It is there, by its ARM id.
    Existing(String),
}

/// When somebody is told, by shares of the calls of five minutes; fewer than 20 calls tell nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerts {
    /// Percent of the calls that end in 429.
    pub throttled: u8,
    /// Percent of the calls that a lower priority serves.
    pub spillover: u8,
    /// ARM id of the action group that tells people; `None` where the portal alone shows it.
    pub action_group: Option<String>,
}
