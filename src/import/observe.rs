//! What is recorded, and where it goes.

use super::evaluate::{Found, last};
use super::template::Reading;
use crate::topology::address::Alert;
use crate::topology::*;
use serde_json::Value;

const WORKSPACE: &str = "microsoft.operationalinsights/workspaces";
const INSIGHTS: &str = "microsoft.insights/components";
const SETTING: &str = "microsoft.insights/diagnosticsettings";
const WORKBOOK: &str = "microsoft.insights/workbooks";
const ALERT: &str = "microsoft.insights/scheduledqueryrules";

impl Reading<'_, '_> {
    /// Gives the types that were read.
    pub(super) fn observability(&mut self) -> Vec<&'static str> {
        let loggers = self.of("loggers");
        let (found, own) = (self.found, self.is_ours());
        let of =
            |kind: &str| found.iter().filter(move |found| found.kind == kind && !found.existing).collect::<Vec<_>>();
        let settings: Vec<&Found<'_>> = of(SETTING).into_iter().filter(|found| on_service(&found.scope)).collect();
        if loggers.is_empty() && settings.is_empty() {
            return Vec::new();
        }
        let is = |logger: &Found<'_>, word: &str| {
            let kind = logger.body.pointer("/properties/loggerType").and_then(Value::as_str).unwrap_or_default();
            kind.eq_ignore_ascii_case(word)
        };
        let mut insights = None;
        for logger in loggers.iter().filter(|logger| is(logger, "applicationInsights")) {
            insights = insights.or(self.sink(logger, "/properties/resourceId", &of(INSIGHTS), "appi-"));
        }
        let mut workspace = None;
        for setting in &settings {
            workspace = workspace.or(self.sink(setting, "/properties/workspaceId", &of(WORKSPACE), "log-"));
        }
        // the one that Application Insights keeps its records in
        workspace = workspace
            .or((insights.is_some() && !of(WORKSPACE).is_empty()).then(|| Sink::Managed(Name::Unique("log-".into()))));
        let diagnostics: Vec<&Found<'_>> =
            ["apis/diagnostics", "diagnostics"].iter().flat_map(|kind| self.of(kind)).collect();
        let first = |pointer: &str| diagnostics.iter().find_map(|found| found.body.pointer(pointer));
        let bodies = first("/properties/frontend/response/body/bytes").and_then(Value::as_u64).unwrap_or_default();
        let headers = first("/properties/frontend/response/headers").and_then(Value::as_array);
        let headers = headers.map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        let alerts: Vec<&Found<'_>> = if own { of(ALERT) } else { Vec::new() };
        let threshold = |alert: Alert| {
            let named = alerts.iter().find(|found| found.own().starts_with(alert.word()));
            let threshold =
                named.and_then(|found| found.body.pointer("/properties/criteria/allOf/0/threshold")?.as_u64());
            threshold.and_then(|threshold| u8::try_from(threshold).ok())
        };
        let group = alerts.iter().find_map(|found| found.body.pointer("/properties/actions/actionGroups/0")?.as_str());
        let alerts = threshold(Alert::Throttled).map(|throttled| Alerts {
            throttled,
            spillover: threshold(Alert::Spillover).unwrap_or(defaults::ALERT_SPILLOVER),
            action_group: group.map(str::to_owned),
        });
        self.topology.observability = Some(Observability {
            workspace,
            app_insights: insights,
            llm_logs: first("/properties/largeLanguageModel/logs").is_some_and(|word| word == "enabled"),
            bodies: u32::try_from(bodies).unwrap_or(u32::MAX).min(8192),
            headers: headers.unwrap_or_else(defaults::logged_headers),
            workbook: own && !of(WORKBOOK).is_empty(),
            alerts,
        });
        let mut read = vec![WORKSPACE, INSIGHTS, "microsoft.apimanagement/service/loggers"];
        read.extend([
            "microsoft.apimanagement/service/diagnostics",
            "microsoft.apimanagement/service/apis/diagnostics",
        ]);
        read.extend(own.then_some([SETTING, WORKBOOK, ALERT]).into_iter().flatten());
        read
    }

    /// Where records go: to what the template makes, or to what is there by its id.
    fn sink(&mut self, found: &Found<'_>, pointer: &str, made: &[&Found<'_>], prefix: &str) -> Option<Sink> {
        let id = found.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if made.iter().any(|made| made.own().eq_ignore_ascii_case(last(id))) || (id.is_empty() && !made.is_empty()) {
            return Some(Sink::Managed(Name::Unique(prefix.to_owned())));
        }
        self.text(found, pointer).filter(|id| id.starts_with("/subscriptions/")).map(Sink::Existing)
    }
}

/// Whether something extends an API Management service.
fn on_service(scope: &str) -> bool {
    let scope = scope.to_ascii_lowercase();
    scope.contains("microsoft.apimanagement/service")
}
