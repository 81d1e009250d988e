//! `roles: print`: the commands of `az` that assign the roles which the gateway's identity needs.
//!
//! Names that are left out are known once they are deployed, so the commands ask the deployment of the rendered files for
//! them. Deliberately absent: running them.

use super::{Loaded, Roles};
use crate::topology::{Identity, Scope};

/// The commands, one a line of a POSIX shell; none where the template assigns the roles, or somebody has.
pub fn commands(loaded: &Loaded) -> Vec<String> {
    let Some(gateway) = &loaded.topology.gateway else { return Vec::new() };
    if loaded.management.roles != Roles::Print || loaded.management.needed.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![outputs(&loaded.topology.scope)];
    lines.push(match gateway.identity {
        Identity::System => {
            "principal=$(az resource show --ids \"$(output gatewayId.value)\" --query identity.principalId --output tsv)"
                .into()
        }
        Identity::Managed(_) | Identity::Existing(_) => "principal=$(output identity.value.principalId)".into(),
    });
    lines.extend(loaded.management.needed.iter().map(|(key, role)| {
        // a key may hold a hyphen or a dot, which a query takes in quotes
        format!(
            "az role assignment create --assignee-object-id \"$principal\" --assignee-principal-type ServicePrincipal \
             --role {} --scope \"$(output 'accounts.value.\"{key}\".id')\"",
            role.id()
        )
    }));
    lines
}

/// A function that asks for one output. Without `--name` a deployment is called as its file, `main`.
fn outputs(scope: &Scope) -> String {
    let subscription = scope.subscription.as_ref().map_or(String::new(), |id| format!(" --subscription {id}"));
    format!(
        "output() {{ az deployment group show --name main --resource-group '{}'{subscription} \
         --query \"properties.outputs.$1\" --output tsv; }}",
        scope.resource_group
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::BASE;
    use super::super::{Options, load};
    use super::commands;
    use crate::topology::Address;

    fn of(roles: &str, more: (&str, &str)) -> (Vec<String>, usize) {
        let text = format!("{}roles: {roles}\n", BASE.replace(more.0, more.1));
        let loaded = load(&text, &Options::default()).expect("a spec");
        let grants = loaded.topology.addresses().into_iter().filter(|one| matches!(one, Address::Grant(_))).count();
        (commands(&loaded), grants)
    }

    #[test]
    fn printed_roles_are_not_assigned_by_the_template() {
        let (lines, grants) = of("print", ("", ""));
        assert_eq!(
            lines,
            [
                "output() { az deployment group show --name main --resource-group 'rg-ai' --query \"properties.outputs.$1\" --output tsv; }",
                "principal=$(az resource show --ids \"$(output gatewayId.value)\" --query identity.principalId --output tsv)",
                "az role assignment create --assignee-object-id \"$principal\" --assignee-principal-type ServicePrincipal --role 5e0bd9bd-7b93-4f28-af87-19fc36ad61bd --scope \"$(output 'accounts.value.\"east\".id')\"",
                "az role assignment create --assignee-object-id \"$principal\" --assignee-principal-type ServicePrincipal --role 5e0bd9bd-7b93-4f28-af87-19fc36ad61bd --scope \"$(output 'accounts.value.\"north\".id')\"",
            ]
        );
        assert_eq!(grants, 0);
        let (lines, _) = of("print", ("  sku: BasicV2", "  identity: { user: id-ai }"));
        assert_eq!(lines[1], "principal=$(output identity.value.principalId)");
        let (lines, _) =
            of("print", ("{ resourceGroup", "{ subscription: 00000000-0000-0000-0000-000000000001, resourceGroup"));
        assert!(lines[0].contains("'rg-ai' --subscription 00000000-0000-0000-0000-000000000001 "), "{}", lines[0]);
    }

    #[test]
    fn roles_that_are_managed_or_there_need_no_command() {
        assert_eq!(of("manage", ("", "")), (vec![], 2));
        assert_eq!(of("check", ("", "")), (vec![], 0));
    }
}
