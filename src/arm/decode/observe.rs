//! What is recorded: loggers and diagnostics of the gateway, its diagnostic setting, and what stands beside it.
//!
//! A topology says of these only that they are there; what they are like is compared by their bodies.

use super::*;
use crate::arm::{id, unique};
use crate::topology::address::Logger;

impl Reading<'_> {
    pub(super) fn observability(&mut self, answers: &Answers) {
        for resource in &answers.recorders {
            let Some(address) = recorder(self.desired, text(resource, "/id")) else { continue };
            let owner = tagged(resource, &self.stack);
            // somebody else's workspace beside ours is nobody's business here
            if !self.live.has(&address) && (self.desired.has(&address) || owner == Owner::Ours) {
                self.note(address, resource, owner, answers);
            }
        }
        for logger in &answers.loggers {
            let owner = marked(text(logger, "/properties/description"), &self.stack);
            match Logger::named(text(logger, "/name")) {
                Some(known) if self.desired.has(&Address::Logger(known)) || owner == Owner::Ours => {
                    self.note(Address::Logger(known), logger, owner, answers);
                }
                // the service makes that one itself
                Some(Logger::AzureMonitor) => {}
                _ => self.live.undescribed.push(text(logger, "/id").to_owned()),
            }
        }
        let keys: Vec<(Key, String)> = self
            .live
            .topology
            .apis
            .keys()
            .filter_map(|key| Some((key.clone(), self.live.ids.get(&Address::Api(key.clone()))?.clone())))
            .collect();
        for (key, api) in keys {
            let owner = self.live.owners.get(&Address::Api(key.clone())).cloned().unwrap_or(Owner::Foreign);
            let all = answers.diagnostics.iter().filter(|(of, _)| id::same(of, &api)).flat_map(|(_, all)| all);
            for diagnostic in all {
                if let Some(logger) = Logger::named(text(diagnostic, "/name")) {
                    self.note(Address::Diagnostic { api: key.clone(), logger }, diagnostic, owner.clone(), answers);
                }
            }
        }
        // it can hold no mark: its name is the mark
        let name = defaults::setting_name(&unique(self.desired));
        let ours = answers.settings.iter().find(|setting| text(setting, "/name").eq_ignore_ascii_case(&name));
        if let Some(setting) = ours {
            self.note(Address::DiagnosticSetting, setting, Owner::Ours, answers);
        }
    }
}

/// What stands beside the gateway and records, by its id: the one that the spec wants, else any of its kind.
fn recorder(desired: &Topology, of: &str) -> Option<Address> {
    let kind = id::kind(of)?.to_ascii_lowercase();
    let address = match kind.as_str() {
        "microsoft.operationalinsights/workspaces" => Address::Workspace,
        "microsoft.insights/components" => Address::AppInsights,
        "microsoft.insights/workbooks" => Address::Workbook,
        "microsoft.insights/scheduledqueryrules" => {
            let word = id::name(of).split('-').next().unwrap_or_default();
            Address::Alert(address::Alert::ALL.into_iter().find(|alert| alert.word().eq_ignore_ascii_case(word))?)
        }
        _ => return None,
    };
    match id::of(desired, &address) {
        Some(wanted) => id::same(&wanted, of).then_some(address),
        None => Some(address),
    }
}

/// Ids of what the spec wants beside the gateway that records.
pub fn recorders(desired: &Topology) -> Vec<String> {
    let kinds = [Address::Workspace, Address::AppInsights, Address::Workbook];
    let kinds = kinds.into_iter().chain(address::Alert::ALL.map(Address::Alert));
    kinds.filter_map(|address| id::of(desired, &address)).collect()
}

/// Whether something of the group records, is this stack's, and left the spec.
pub fn is_left(desired: &Topology, resource: &Value) -> bool {
    let address = recorder(desired, text(resource, "/id"));
    address.is_some_and(|address| !desired.has(&address))
        && tagged(resource, &crate::arm::stack_id(desired)) == Owner::Ours
}
