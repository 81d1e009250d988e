//! ARM ids that the spec holds must be of what they stand for: a zone where a zone belongs.

use super::super::check::shown;
use super::super::formats;
use crate::diagnostic::{Diagnostic, code};
use crate::topology::{Identity, Sink, Topology};

/// What an id stands for, and the type that it must name.
const SUBNET: (&str, &str) = ("a subnet", "Microsoft.Network/virtualNetworks/subnets");
const ZONE: (&str, &str) = ("a private DNS zone", "Microsoft.Network/privateDnsZones");
const IDENTITY: (&str, &str) = ("a user-assigned identity", "Microsoft.ManagedIdentity/userAssignedIdentities");
const WORKSPACE: (&str, &str) = ("a Log Analytics workspace", "Microsoft.OperationalInsights/workspaces");
const INSIGHTS: (&str, &str) = ("Application Insights", "Microsoft.Insights/components");
const ACTION_GROUP: (&str, &str) = ("an action group", "Microsoft.Insights/actionGroups");

/// Reports every id of another type.
pub fn check(topology: &Topology, out: &mut Vec<Diagnostic>) {
    let mut of = |path: String, id: &str, (what, kind): (&str, &str)| {
        // what is no id at all has been told
        if formats::violated(formats::ARM_ID, id).is_none() && !is_of(id, kind) {
            let problem = Diagnostic::new(code::BAD_FORMAT, format!("{} is no id of {what}", shown(id))).at(path);
            out.push(problem.help(format!("use an id of the type `{kind}`: {}", form(kind))));
        }
    };
    if let Some(gateway) = &topology.gateway {
        if let Some(network) = &gateway.network {
            of("gateway.network.subnet".into(), &network.subnet, SUBNET);
        }
        if let Identity::Existing(id) = &gateway.identity {
            of("gateway.identity.user".into(), id, IDENTITY);
        }
    }
    for (key, account) in &topology.accounts {
        let Some(endpoint) = &account.network.private_endpoint else { continue };
        of(format!("accounts.{key}.network.subnet"), &endpoint.subnet, SUBNET);
        if let Some(zone) = &endpoint.dns_zone {
            of(format!("accounts.{key}.network.dnsZone"), zone, ZONE);
        }
    }
    let Some(found) = &topology.observability else { return };
    for (part, sink, kind) in
        [("workspace", &found.workspace, WORKSPACE), ("appInsights", &found.app_insights, INSIGHTS)]
    {
        if let Some(Sink::Existing(id)) = sink {
            of(format!("observability.{part}"), id, kind);
        }
    }
    if let Some(group) = found.alerts.as_ref().and_then(|alerts| alerts.action_group.as_ref()) {
        of("observability.alerts.actionGroup".into(), group, ACTION_GROUP);
    }
}

/// Whether an id is one of a resource of this type in a resource group.
fn is_of(id: &str, kind: &str) -> bool {
    let parts: Vec<&str> = id.split('/').collect();
    let ["", "subscriptions", subscription, groups, group, "providers", namespace, rest @ ..] = parts.as_slice() else {
        return false;
    };
    let types = rest.iter().step_by(2);
    let found = std::iter::once(namespace).chain(types).copied().collect::<Vec<_>>().join("/");
    groups.eq_ignore_ascii_case("resourceGroups")
        && found.eq_ignore_ascii_case(kind)
        && rest.len().is_multiple_of(2)
        && [subscription, group].into_iter().chain(rest).all(|part| !part.is_empty())
}

/// `/subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Network/privateDnsZones/NAME`
fn form(kind: &str) -> String {
    let (namespace, types) = kind.split_once('/').unwrap_or((kind, ""));
    let types: String = types.split('/').map(|one| format!("/{one}/NAME")).collect();
    format!("/subscriptions/ID/resourceGroups/GROUP/providers/{namespace}{types}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_its_type_alone() {
        let group = "/subscriptions/s/resourceGroups/g/providers";
        assert!(is_of(&format!("{group}/Microsoft.Network/virtualNetworks/v/subnets/a"), SUBNET.1));
        assert!(is_of(&format!("{group}/microsoft.network/privatednszones/z"), ZONE.1));
        for other in [
            format!("{group}/Microsoft.Network/virtualNetworks/v"),
            format!("{group}/Microsoft.Network/virtualNetworks/v/subnets"),
            format!("{group}/Microsoft.Network/virtualNetworks/v/subnets/"),
            format!("{group}/Microsoft.Network/virtualNetworks/v/subnets/a/b/c"),
            "/subscriptions/s/providers/Microsoft.Network/virtualNetworks/v/subnets/a".into(),
            "/subscriptions".into(),
        ] {
            assert!(!is_of(&other, SUBNET.1), "{other}");
        }
        assert!(is_of(&form(SUBNET.1), SUBNET.1) && is_of(&form(ZONE.1), ZONE.1));
    }
}
