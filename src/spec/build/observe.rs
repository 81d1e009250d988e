//! What is recorded.

use super::super::model;
use crate::diagnostic::Diagnostic;
use crate::topology::intent::Metrics;
use crate::topology::{Alerts, Name, Observability, Sink, defaults};

/// Token metrics, which the policies send, and everything else.
pub fn observability(
    written: model::Observability,
    _out: &mut Vec<Diagnostic>,
) -> (Option<Metrics>, Option<Observability>) {
    let sink = |written: Option<String>, prefix: &str| {
        written.map(|text| match text.as_str() {
            "new" => Sink::Managed(Name::Unique(prefix.into())),
            _ => Sink::Existing(text),
        })
    };
    let metrics = written.metrics.map(|written| Metrics {
        namespace: written.namespace.unwrap_or_else(|| defaults::METRICS_NAMESPACE.into()),
        dimensions: written.dimensions.unwrap_or_else(|| vec!["Subscription ID".into()]),
    });
    let observability = Observability {
        workspace: sink(written.workspace, "log-"),
        app_insights: sink(written.app_insights, "appi-"),
        llm_logs: written.llm_logs.unwrap_or(false),
        bodies: written.bodies.unwrap_or(0),
        headers: written.headers.unwrap_or_else(defaults::logged_headers),
        workbook: written.workbook.unwrap_or(false),
        alerts: written.alerts.map(|written| Alerts {
            throttled: written.throttled.unwrap_or(defaults::ALERT_THROTTLED),
            spillover: written.spillover.unwrap_or(defaults::ALERT_SPILLOVER),
            action_group: written.action_group,
        }),
    };
    (metrics, Some(observability))
}
