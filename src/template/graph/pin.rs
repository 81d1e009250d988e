//! Api-versions that the spec pins.

use super::super::{Presence, Resource, Template};
use super::uses;
use crate::catalogue;
use crate::diagnostic::{Diagnostic, code};
use std::collections::BTreeMap;

/// What a resource's type is pinned to: its own pin before its provider's.
fn pinned<'a>(kind: &str, pins: &'a BTreeMap<String, String>) -> Option<(&'a String, &'a String)> {
    let provider = kind.split('/').next().unwrap_or(kind);
    let of = |name: &str| pins.iter().find(|(pin, _)| pin.eq_ignore_ascii_case(name));
    of(kind).or_else(|| of(provider))
}

/// Uses the pinned versions. One that the type does not have stays unused, and is reported by [`problems`].
pub(super) fn versions(template: &mut Template, pins: &BTreeMap<String, String>) {
    if pins.is_empty() {
        return;
    }
    for resource in &mut template.resources {
        let known = catalogue::resource_type(resource.kind);
        let wanted = pinned(resource.kind, pins).map(|(_, version)| version);
        let version =
            known.and_then(|kind| kind.versions.iter().find(|version| Some(**version) == wanted.map(String::as_str)));
        resource.version = version.copied().unwrap_or(resource.version);
    }
    template.modules.iter_mut().for_each(|module| versions(&mut module.template, pins));
}

/// Pins that name nothing, that their type does not know, or that lack a property which the spec uses.
pub fn problems(template: &Template, pins: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let mut resources = Vec::new();
    collect(template, &mut resources);
    let mut found = Vec::new();
    for (pin, version) in pins {
        let path = format!("azure.apiVersions.{pin}");
        let ours = |resource: &&&Resource| pinned(resource.kind, pins).is_some_and(|(name, _)| name == pin);
        let mut told: Vec<&str> = Vec::new();
        let mut unknown: Vec<&str> = Vec::new();
        let mut any = false;
        for resource in resources.iter().filter(ours) {
            any = true;
            let Some(kind) = catalogue::resource_type(resource.kind) else { continue };
            let problem = |message: String| Diagnostic::new(code::PINNED_VERSION, message).at(&path);
            if !kind.versions.contains(&version.as_str()) {
                if !unknown.contains(&resource.kind) {
                    unknown.push(resource.kind);
                }
                continue;
            }
            let properties = resource.body.iter().find(|(name, _)| name == "properties").map(|(_, value)| value);
            let younger = |property: &&catalogue::Property| {
                property.resource.eq_ignore_ascii_case(resource.kind)
                    && !told.contains(&property.path)
                    && !catalogue::not_older(version, property.since)
                    && properties.is_some_and(|value| uses(value, property.path))
            };
            let missing: Vec<&catalogue::Property> = catalogue::PROPERTIES.iter().filter(younger).collect();
            for property in missing {
                let message = format!("{} of {version} has no `{}`, which is used", resource.kind, property.path);
                let since = property.stable.unwrap_or(property.since);
                found.push(problem(message).help(format!("use {since} or newer, or take the pin out")));
                told.push(property.path);
            }
        }
        // a provider's pin is one mistake, of however many types
        if let [first, others @ ..] = unknown.as_slice() {
            let versions = catalogue::resource_type(first).map_or(&[][..], |kind| kind.versions);
            let newest = versions.last().copied().unwrap_or_default();
            let message = format!("{first} has no api-version {version} that this program knows");
            let problem = Diagnostic::new(code::PINNED_VERSION, message).at(&path);
            let problem = problem.help(format!("use one that it has, as {newest}, or take the pin out"));
            found.push(match others {
                [] => problem,
                [one] => problem.note(format!("nor has {one}")),
                more => problem.note(format!("nor have {} other types of this spec", more.len())),
            });
        }
        if !any {
            let message = format!("nothing here is of the type or provider `{pin}`");
            let problem = Diagnostic::new(code::PINNED_VERSION, message).at(&path);
            found.push(
                problem.help("name a resource type, as `Microsoft.ApiManagement/service/backends`, or a provider"),
            );
        }
    }
    found
}

fn collect<'a>(template: &'a Template, into: &mut Vec<&'a Resource>) {
    into.extend(template.resources.iter().filter(|resource| resource.presence == Presence::Written));
    template.modules.iter().for_each(|module| collect(&module.template, into));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Account, Deployment, DeploymentSku, Location, Name, Scope, Stack, Topology};

    const DEPLOYMENTS: &str = "Microsoft.CognitiveServices/accounts/deployments";

    /// Two deployments of an account, one of which spills over: a property of 2025-06-01.
    fn template(pins: &[(&str, &str)]) -> (Template, Vec<Diagnostic>) {
        let deployment = |sku| Deployment::new("gpt-5.1", "2025-11-13", sku, 15);
        let provisioned =
            Deployment { spillover: Some("standard".into()), ..deployment(DeploymentSku::GlobalProvisionedManaged) };
        let deployments =
            [("ptu".into(), provisioned), ("standard".into(), deployment(DeploymentSku::GlobalStandard))].into();
        let location = Location::new("eastus2");
        let account = Account::new(Name::Literal("a".into()), location.clone(), deployments);
        let stack = Stack { name: "t".into(), environment: String::new() };
        let scope = Scope { subscription: None, resource_group: "rg".into(), location };
        let topology = Topology {
            accounts: [("a".into(), account)].into(),
            api_versions: pins.iter().map(|(pin, version)| ((*pin).into(), (*version).into())).collect(),
            ..Topology::new(stack, scope)
        };
        (super::super::graph(&topology), crate::template::problems(&topology))
    }

    fn versions_of(template: &Template, kind: &str) -> Vec<&'static str> {
        let mut all: Vec<_> = template.resources.iter().filter(|r| r.kind == kind).map(|r| r.version).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn a_pin_replaces_the_version_of_its_type_or_provider() {
        let (plain, problems) = template(&[]);
        assert_eq!((versions_of(&plain, DEPLOYMENTS), problems.len()), (vec!["2024-10-01", "2025-06-01"], 0));
        let (pinned, problems) = template(&[("microsoft.cognitiveservices", "2025-09-01")]);
        assert_eq!((versions_of(&pinned, DEPLOYMENTS), problems.len()), (vec!["2025-09-01", "2025-09-01"], 0));
        assert_eq!(versions_of(&pinned, "Microsoft.CognitiveServices/accounts"), ["2025-09-01"]);
        // the type's own pin comes first
        let (both, _) = template(&[("Microsoft.CognitiveServices", "2025-09-01"), (DEPLOYMENTS, "2025-12-01")]);
        assert_eq!(versions_of(&both, DEPLOYMENTS), ["2025-12-01", "2025-12-01"]);
        assert_eq!(versions_of(&both, "Microsoft.CognitiveServices/accounts"), ["2025-09-01"]);
    }

    #[test]
    fn a_pin_that_loses_a_property_or_names_nothing_is_refused() {
        let said = |pins: &[(&str, &str)]| template(pins).1.iter().map(ToString::to_string).collect::<Vec<_>>();
        let at = |pin: &str, what: &str| vec![format!("error[AL0404]: {what} (azure.apiVersions.{pin})")];
        assert_eq!(
            said(&[(DEPLOYMENTS, "2024-10-01")]),
            at(DEPLOYMENTS, &format!("{DEPLOYMENTS} of 2024-10-01 has no `spilloverDeploymentName`, which is used"))
        );
        assert_eq!(
            said(&[(DEPLOYMENTS, "1999-01-01")]),
            at(DEPLOYMENTS, &format!("{DEPLOYMENTS} has no api-version 1999-01-01 that this program knows"))
        );
        // a provider's pin is one mistake
        let accounts = "Microsoft.CognitiveServices/accounts";
        let (_, found) = template(&[("Microsoft.CognitiveServices", "1999-01-01")]);
        assert_eq!(
            found.iter().map(|problem| (problem.to_string(), problem.notes.clone())).collect::<Vec<_>>(),
            [(
                at(
                    "Microsoft.CognitiveServices",
                    &format!("{accounts} has no api-version 1999-01-01 that this program knows")
                )
                .remove(0),
                vec![format!("nor has {DEPLOYMENTS}")]
            )]
        );
        assert_eq!(
            said(&[("Microsoft.Web", "2024-10-01")]),
            at("Microsoft.Web", "nothing here is of the type or provider `Microsoft.Web`")
        );
    }
}
