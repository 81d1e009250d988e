//! Rules of what is recorded.

use super::super::check::shown;
use super::super::yaml::item;
use super::super::{formats, suggest};
use crate::diagnostic::{Diagnostic, code};
use crate::topology::{Sink, Topology, defaults};

/// Reports everything that is wrong.
pub fn check(topology: &Topology, out: &mut Vec<Diagnostic>) {
    let Some(found) = &topology.observability else { return };
    let metrics = topology.apis.values().find_map(|api| api.policy.intent()?.metrics.as_ref());
    let mut needs = |used: bool, key: &str, what: &str, sink: &str, there: bool| {
        if used && !there {
            let problem =
                Diagnostic::new(code::NO_SINK, format!("{what} need {sink}")).at(format!("observability.{key}"));
            let word = if sink == "a workspace" { "workspace" } else { "appInsights" };
            out.push(problem.help(format!("add `{word}: new`, or the id of one that is there")));
        }
    };
    let workspace = found.workspace.is_some();
    needs(metrics.is_some(), "metrics", "token metrics", "Application Insights", found.app_insights.is_some());
    needs(found.llm_logs, "llmLogs", "logs of calls", "a workspace", workspace);
    needs(found.workbook, "workbook", "the workbook's queries", "a workspace", workspace);
    needs(found.alerts.is_some(), "alerts", "alerts", "a workspace", workspace);
    let made = matches!(found.app_insights, Some(Sink::Managed(_)));
    needs(made, "appInsights", "new Application Insights", "a workspace", workspace);
    dimensions(metrics.map_or(&[], |metrics| &metrics.dimensions), out);
    for (index, header) in found.headers.iter().enumerate() {
        if let Some(format) = formats::violated(formats::HEADER, header) {
            let problem = Diagnostic::new((format.code)(), format!("{} is no header", shown(header)));
            out.push(problem.at(item("observability.headers", index)).help(format.help));
        }
    }
}

/// What token metrics can be split by (facts/policy.md a).
fn dimensions(written: &[String], out: &mut Vec<Diagnostic>) {
    let known = || defaults::DIMENSIONS.into_iter().chain(defaults::CUSTOM_DIMENSIONS);
    let path = "observability.metrics.dimensions";
    for (index, name) in written.iter().enumerate() {
        let at = item(path, index);
        if !known().any(|known| known == name) {
            let problem = Diagnostic::new(code::DIMENSION, format!("{} is no dimension", shown(name))).at(at);
            out.push(match suggest::closest(name, known()) {
                Some(meant) => problem.label(format!("did you mean `{meant}`?")).help(format!("write `{meant}`")),
                None => problem.help(format!("use {}", suggest::list(known()))),
            });
        } else if written[..index].contains(name) {
            out.push(Diagnostic::new(code::DIMENSION, format!("`{name}` stands twice")).at(at).help("keep one"));
        }
    }
}
