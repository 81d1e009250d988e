//! ARM ids: building them for what a topology wants, reading them, comparing them without case.

use super::{stack_id, unique};
use crate::expr;
use crate::topology::{Address, Identity, Place, Sink, Standing, Topology, defaults};
use std::collections::BTreeSet;

/// Whether two ids name one resource. Azure changes their case, and a slash at the end, as it likes.
pub fn same(a: &str, b: &str) -> bool {
    a.trim_end_matches('/').eq_ignore_ascii_case(b.trim_end_matches('/'))
}

/// Whether `scope` is `id` or something above it.
pub fn within(id: &str, scope: &str) -> bool {
    let (id, scope) = (id.trim_end_matches('/'), scope.trim_end_matches('/'));
    match id.split_at_checked(scope.len()) {
        Some((start, rest)) => start.eq_ignore_ascii_case(scope) && (rest.is_empty() || rest.starts_with('/')),
        None => false,
    }
}

/// The last segment: the resource's name.
pub fn name(id: &str) -> &str {
    id.trim_end_matches('/').rsplit('/').next().unwrap_or(id)
}

/// What stands after `/{segment}/` in an id, `resourceGroups` for one.
pub fn after<'a>(id: &'a str, segment: &str) -> Option<&'a str> {
    let mut parts = id.split('/').skip_while(|part| !part.eq_ignore_ascii_case(segment));
    parts.nth(1).filter(|part| !part.is_empty())
}

/// The resource type, `Microsoft.ApiManagement/service/backends`, in the id's case; `Microsoft.Resources/resourceGroups`
/// for a group.
pub fn kind(id: &str) -> Option<String> {
    let parts: Vec<&str> = id.trim_matches('/').split('/').collect();
    let provider = parts.iter().rposition(|part| part.eq_ignore_ascii_case("providers"));
    match provider {
        Some(at) => {
            let mut kind = (*parts.get(at + 1)?).to_owned();
            let types = parts.get(at + 2..)?;
            if types.is_empty() {
                return None;
            }
            for part in types.iter().step_by(2) {
                kind.push('/');
                kind.push_str(part);
            }
            Some(kind)
        }
        None if parts.len() == 4 => Some("Microsoft.Resources/resourceGroups".into()),
        None => None,
    }
}

/// `/subscriptions/{subscription}`, empty where the subscription is not known.
pub fn subscription(topology: &Topology) -> String {
    topology.scope.subscription.as_ref().map_or_else(String::new, |id| format!("/subscriptions/{id}"))
}

/// The id of the stack's resource group.
pub fn group(topology: &Topology) -> String {
    format!("{}/resourceGroups/{}", subscription(topology), topology.scope.resource_group)
}

/// The id of the resource group that a place is.
pub fn place(topology: &Topology, place: &Place) -> String {
    let subscription = match &place.subscription {
        Some(other) => format!("/subscriptions/{other}"),
        None => subscription(topology),
    };
    format!("{subscription}/resourceGroups/{}", place.resource_group.as_ref().unwrap_or(&topology.scope.resource_group))
}

/// The resource groups in which things of the stack stand: its own first, then those of its accounts elsewhere.
pub fn groups(topology: &Topology) -> Vec<String> {
    let mut all = vec![group(topology)];
    for account in topology.accounts.values().filter(|account| account.standing == Standing::Managed) {
        let group = place(topology, &account.place);
        if !all.iter().any(|other| same(other, &group)) {
            all.push(group);
        }
    }
    all
}

/// `/subscriptions/{subscription}` of each subscription in which things of the stack stand.
pub fn subscriptions(topology: &Topology) -> BTreeSet<String> {
    groups(topology).iter().filter_map(|group| subscription_of(group)).collect()
}

/// `/subscriptions/{subscription}` of an id, in lower case.
pub fn subscription_of(id: &str) -> Option<String> {
    after(id, "subscriptions").map(|id| format!("/subscriptions/{}", id.to_lowercase()))
}

/// The id of the gateway, wherever it stands. `None` where its name is not known.
pub fn service(topology: &Topology) -> Option<String> {
    let gateway = topology.gateway.as_ref()?;
    let group = place(topology, &gateway.place);
    Some(format!("{group}/providers/Microsoft.ApiManagement/service/{}", gateway.name.literal()?))
}

/// The id of an account by its key, wherever it stands. `None` where its name is not known.
pub fn account(topology: &Topology, key: &str) -> Option<String> {
    let account = topology.accounts.get(key)?;
    let group = place(topology, &account.place);
    Some(format!("{group}/providers/Microsoft.CognitiveServices/accounts/{}", account.name.literal()?))
}

/// The id of the gateway's user-assigned identity: the stack's own, or one that is there.
pub fn identity(topology: &Topology) -> Option<String> {
    let gateway = topology.gateway.as_ref()?;
    match &gateway.identity {
        Identity::System => None,
        Identity::Existing(id) => Some(id.clone()),
        Identity::Managed(name) => {
            let group = place(topology, &gateway.place);
            Some(format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"))
        }
    }
}

/// The id of the stack's template deployment, or of one that it nests.
pub fn deployment(topology: &Topology, name: &str) -> String {
    format!("{}/providers/Microsoft.Resources/deployments/{name}", group(topology))
}

/// The id that a thing of `topology` has. `None` where it is not in the topology, where its name is not known, and for a
/// role, whose name is a hash of things that only Azure knows.
pub fn of(topology: &Topology, address: &Address) -> Option<String> {
    let service = || service(topology);
    let account = |key: &str| account(topology, key);
    let endpoint = |key: &str| {
        let name = topology.accounts.get(key)?.name.literal()?;
        Some(format!("{}/providers/Microsoft.Network/privateEndpoints/{name}", group(topology)))
    };
    let api = |key: &str| Some(format!("{}/apis/{}", service()?, topology.apis.get(key)?.name));
    match address {
        Address::ResourceGroup => Some(group(topology)),
        Address::Gateway => service(),
        Address::Account(key) => account(key),
        Address::Deployment { account: of, deployment } => {
            let key = topology.accounts.get(of)?.deployments.get_key_value(deployment)?.0;
            Some(format!("{}/deployments/{key}", account(of)?))
        }
        Address::Grant(_) => None,
        Address::Backend(key) => Some(format!("{}/backends/{}", service()?, topology.backends.get(key)?.name)),
        Address::Pool(key) => Some(format!("{}/backends/{}", service()?, topology.pools.get(key)?.name)),
        Address::Api(key) => api(key),
        Address::Operation { api: of, operation } => {
            let key = topology.apis.get(of)?.operations.get_key_value(operation)?.0;
            Some(format!("{}/operations/{key}", api(of)?))
        }
        Address::Policy(key) => Some(format!("{}/policies/policy", api(key)?)),
        Address::Subscription(key) => {
            Some(format!("{}/subscriptions/{}", service()?, topology.subscriptions.get(key)?.name))
        }
        Address::NamedValue(key) => {
            Some(format!("{}/namedValues/{}", service()?, topology.named_values.get(key)?.name))
        }
        Address::Product(key) => Some(format!("{}/products/{}", service()?, topology.products.get(key)?.name)),
        Address::ProductApi { product, api } => {
            let (product, api) = (&topology.products.get(product)?.name, &topology.apis.get(api)?.name);
            Some(format!("{}/products/{product}/apis/{api}", service()?))
        }
        Address::ProductPolicy(key) => {
            Some(format!("{}/products/{}/policies/policy", service()?, topology.products.get(key)?.name))
        }
        Address::Logger(logger) => Some(format!("{}/loggers/{}", service()?, logger.name())),
        Address::Diagnostic { api: of, logger } => Some(format!("{}/diagnostics/{}", api(of)?, logger.name())),
        Address::Workspace | Address::AppInsights => {
            let observed = topology.observability.as_ref()?;
            let (sink, kind) = match address {
                Address::Workspace => (observed.workspace.as_ref()?, "Microsoft.OperationalInsights/workspaces"),
                _ => (observed.app_insights.as_ref()?, "Microsoft.Insights/components"),
            };
            let Sink::Managed(name) = sink else { return None };
            Some(format!("{}/providers/{kind}/{}", group(topology), name.literal()?))
        }
        Address::DiagnosticSetting => {
            topology.observability.as_ref()?.workspace.as_ref()?;
            let name = defaults::setting_name(&unique(topology));
            Some(format!("{}/providers/Microsoft.Insights/diagnosticSettings/{name}", service()?))
        }
        Address::Workbook => {
            topology.observability.as_ref().filter(|observed| observed.workbook)?;
            let name = expr::guid(&[&group(topology), &stack_id(topology), "workbook"]);
            Some(format!("{}/providers/Microsoft.Insights/workbooks/{name}", group(topology)))
        }
        Address::Alert(alert) => {
            topology.observability.as_ref()?.alerts.as_ref()?;
            let name = format!("{}-{}", alert.word(), unique(topology));
            Some(format!("{}/providers/Microsoft.Insights/scheduledQueryRules/{name}", group(topology)))
        }
        Address::Identity => identity(topology),
        Address::PrivateEndpoint(key) => endpoint(key),
        Address::DnsZoneGroup(key) => Some(format!("{}/privateDnsZoneGroups/default", endpoint(key)?)),
    }
}

/// Whether an id is that of a template deployment.
pub fn is_deployment(id: &str) -> bool {
    kind(id).is_some_and(|kind| kind.eq_ignore_ascii_case("Microsoft.Resources/deployments"))
}

/// Which wanted thing an id names; a nested deployment of a role stands for the role that it carries.
pub fn address(topology: &Topology, unique: &str, id: &str) -> Option<Address> {
    if is_deployment(id) {
        let found = topology.grants.keys().find(|key| {
            let (before, after) = defaults::nested_affixes(&topology.stack, ROLE, key);
            format!("{before}{unique}{after}").eq_ignore_ascii_case(name(id))
        });
        return found.cloned().map(Address::Grant);
    }
    let mut all = topology.addresses();
    all.push(Address::ResourceGroup);
    all.into_iter().find(|address| of(topology, address).is_some_and(|of| same(&of, id)))
}

/// The kind that the names of nested deployments of roles hold.
pub const ROLE: &str = "role";

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "/subscriptions/S/resourceGroups/rg/providers/Microsoft.ApiManagement/service/apim";

    #[test]
    fn ids_are_compared_without_case_and_last_slash() {
        assert!(same(SERVICE, &format!("{}/", SERVICE.to_uppercase())));
        assert!(within(&format!("{SERVICE}/backends/a"), &SERVICE.to_lowercase()));
        assert!(within(SERVICE, "/subscriptions/s") && within(SERVICE, SERVICE));
        assert!(!within(&format!("{SERVICE}2"), SERVICE) && !within("/subscriptions/s", SERVICE));
        assert!(within(SERVICE, "/"));
    }

    #[test]
    fn parts_of_an_id() {
        let id = format!("{SERVICE}/backends/a");
        assert_eq!(name(&id), "a");
        assert_eq!(after(&id, "resourcegroups"), Some("rg"));
        assert_eq!(after(&id, "nothing"), None);
        assert_eq!(kind(&id).as_deref(), Some("Microsoft.ApiManagement/service/backends"));
        assert_eq!(kind("/subscriptions/s/resourceGroups/rg").as_deref(), Some("Microsoft.Resources/resourceGroups"));
        let role = format!("{SERVICE}/providers/Microsoft.Authorization/roleAssignments/g");
        assert_eq!(kind(&role).as_deref(), Some("Microsoft.Authorization/roleAssignments"));
        assert_eq!((kind(""), kind("/providers"), kind("/providers/a")), (None, None, None));
    }
}
