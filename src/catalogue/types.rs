//! Resource types: api-versions, how their operations are followed, and the version that brought each property.
//!
//! Sources: versions and properties from Azure/bicep-types-az (2026-08); kinds of operation and typical seconds from
//! recorded traffic (2020 to 2026).

use crate::time::Duration;
use std::cmp::Ordering;

/// How a write of a type is followed to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The answer is the end.
    Synchronous,
    /// `Azure-AsyncOperation`, then a GET of the resource.
    AsyncOperation,
    /// `Location`, whose last answer is the resource or empty.
    Location,
    /// Both headers; clients follow `Azure-AsyncOperation`.
    Both,
}

/// A resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// `Microsoft.ApiManagement/service/backends`, in Azure's own case.
    pub name: &'static str,
    /// Api-versions from old to new.
    pub versions: &'static [&'static str],
    /// How a write is followed.
    pub operation: Operation,
    /// How long a write takes inside a template deployment, in seconds; a service's is its tier's.
    pub seconds: u64,
    /// Whether a deleted one keeps its name until it is purged.
    pub soft_delete: bool,
    /// Whether it stands in a region of its own.
    pub located: bool,
}

impl ResourceType {
    /// How long a write takes inside a template deployment.
    pub const fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// The provider, `Microsoft.ApiManagement`.
    pub fn namespace(&self) -> &'static str {
        self.name.split('/').next().unwrap_or(self.name)
    }

    /// The parts after the provider: `service`, `backends`.
    pub fn segments(&self) -> impl Iterator<Item = &'static str> {
        self.name.split('/').skip(1)
    }

    /// Whether an api-version is known for this type.
    pub fn knows(&self, version: &str) -> bool {
        self.versions.iter().any(|known| known.eq_ignore_ascii_case(version))
    }
}

const API_MANAGEMENT: &[&str] = &[
    "2019-01-01",
    "2019-12-01",
    "2020-06-01-preview",
    "2020-12-01",
    "2021-08-01",
    "2021-12-01-preview",
    "2022-08-01",
    "2023-03-01-preview",
    "2023-05-01-preview",
    "2023-09-01-preview",
    "2024-05-01",
    "2024-06-01-preview",
    "2024-10-01-preview",
    "2025-03-01-preview",
    "2025-09-01-preview",
];
const COGNITIVE: &[&str] = &[
    "2017-04-18",
    "2021-04-30",
    "2021-10-01",
    "2022-03-01",
    "2022-10-01",
    "2022-12-01",
    "2023-05-01",
    "2023-10-01-preview",
    "2024-04-01-preview",
    "2024-06-01-preview",
    "2024-10-01",
    "2025-04-01-preview",
    "2025-06-01",
    "2025-09-01",
    "2025-12-01",
    "2026-03-01",
    "2026-05-01",
    "2026-07-01",
];
const RESOURCES: &[&str] = &[
    "2016-09-01",
    "2017-05-10",
    "2018-05-01",
    "2019-05-01",
    "2019-10-01",
    "2020-06-01",
    "2020-10-01",
    "2021-01-01",
    "2021-04-01",
    "2022-09-01",
    "2023-07-01",
    "2024-03-01",
    "2024-07-01",
    "2024-11-01",
    "2025-03-01",
    "2025-04-01",
];
const AUTHORIZATION: &[&str] = &[
    "2015-07-01",
    "2018-01-01-preview",
    "2018-09-01-preview",
    "2020-04-01-preview",
    "2020-10-01-preview",
    "2022-04-01",
];

const LOCKS: &[&str] = &["2015-01-01", "2016-09-01", "2017-04-01", "2020-05-01"];
const TAGS: &[&str] = &["2019-10-01", "2020-06-01", "2021-04-01", "2022-09-01", "2024-03-01", "2025-04-01"];
const ZONES: &[&str] = &["2018-09-01", "2020-06-01", "2024-06-01"];
const VAULTS: &[&str] = &["2019-09-01", "2021-10-01", "2022-07-01", "2023-07-01", "2024-11-01", "2025-05-01"];
const IDENTITIES: &[&str] = &["2018-11-30", "2022-01-31-preview", "2023-01-31", "2023-07-31-preview", "2024-11-30"];
const NETWORK: &[&str] = &[
    "2019-11-01",
    "2020-11-01",
    "2021-05-01",
    "2021-08-01",
    "2022-01-01",
    "2022-05-01",
    "2022-07-01",
    "2022-09-01",
    "2022-11-01",
    "2023-02-01",
    "2023-04-01",
    "2023-05-01",
    "2023-06-01",
    "2023-09-01",
    "2023-11-01",
    "2024-01-01",
    "2024-03-01",
    "2024-05-01",
];
const WORKSPACES: &[&str] =
    &["2020-08-01", "2020-10-01", "2021-06-01", "2021-12-01-preview", "2022-10-01", "2023-09-01"];

const fn monitoring(name: &'static str, versions: &'static [&'static str], seconds: u64) -> ResourceType {
    let operation = Operation::Synchronous;
    ResourceType { name, versions, operation, seconds, soft_delete: false, located: true }
}

const fn child(name: &'static str) -> ResourceType {
    quick(name, API_MANAGEMENT)
}

/// A child whose writes go on after they are answered.
const fn slow_child(name: &'static str) -> ResourceType {
    ResourceType { operation: Operation::Both, seconds: 2, ..child(name) }
}

/// A type whose writes are done when they are answered.
const fn quick(name: &'static str, versions: &'static [&'static str]) -> ResourceType {
    ResourceType { name, versions, operation: Operation::Synchronous, seconds: 1, soft_delete: false, located: false }
}

/// Every type that this program knows.
pub const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "Microsoft.Resources/resourceGroups",
        versions: RESOURCES,
        operation: Operation::Synchronous,
        seconds: 1,
        soft_delete: false,
        located: true,
    },
    ResourceType {
        name: "Microsoft.Resources/deployments",
        versions: RESOURCES,
        operation: Operation::AsyncOperation,
        seconds: 1,
        soft_delete: false,
        located: false,
    },
    ResourceType {
        name: "Microsoft.ApiManagement/service",
        versions: API_MANAGEMENT,
        operation: Operation::Both,
        seconds: 100,
        soft_delete: true,
        located: true,
    },
    child("Microsoft.ApiManagement/service/backends"),
    slow_child("Microsoft.ApiManagement/service/namedValues"),
    slow_child("Microsoft.ApiManagement/service/policyFragments"),
    child("Microsoft.ApiManagement/service/policies"),
    child("Microsoft.ApiManagement/service/apis"),
    child("Microsoft.ApiManagement/service/apis/operations"),
    child("Microsoft.ApiManagement/service/apis/operations/policies"),
    child("Microsoft.ApiManagement/service/apis/policies"),
    child("Microsoft.ApiManagement/service/apis/diagnostics"),
    slow_child("Microsoft.ApiManagement/service/apis/schemas"),
    child("Microsoft.ApiManagement/service/apis/releases"),
    child("Microsoft.ApiManagement/service/apis/resolvers"),
    child("Microsoft.ApiManagement/service/apis/resolvers/policies"),
    child("Microsoft.ApiManagement/service/apiVersionSets"),
    child("Microsoft.ApiManagement/service/diagnostics"),
    child("Microsoft.ApiManagement/service/loggers"),
    child("Microsoft.ApiManagement/service/products"),
    child("Microsoft.ApiManagement/service/products/apis"),
    child("Microsoft.ApiManagement/service/products/apiLinks"),
    child("Microsoft.ApiManagement/service/products/groups"),
    child("Microsoft.ApiManagement/service/products/policies"),
    child("Microsoft.ApiManagement/service/subscriptions"),
    child("Microsoft.ApiManagement/service/groups"),
    child("Microsoft.ApiManagement/service/users"),
    child("Microsoft.ApiManagement/service/tags"),
    child("Microsoft.ApiManagement/service/apis/tags"),
    child("Microsoft.ApiManagement/service/apis/operations/tags"),
    child("Microsoft.ApiManagement/service/products/tags"),
    child("Microsoft.ApiManagement/service/caches"),
    child("Microsoft.ApiManagement/service/authorizationProviders"),
    ResourceType {
        name: "Microsoft.CognitiveServices/accounts",
        versions: COGNITIVE,
        operation: Operation::AsyncOperation,
        seconds: 20,
        soft_delete: true,
        located: true,
    },
    ResourceType {
        name: "Microsoft.CognitiveServices/accounts/deployments",
        versions: COGNITIVE,
        operation: Operation::Synchronous,
        seconds: 15,
        soft_delete: false,
        located: false,
    },
    quick("Microsoft.CognitiveServices/accounts/raiPolicies", COGNITIVE),
    ResourceType { located: true, ..quick("Microsoft.CognitiveServices/accounts/projects", COGNITIVE) },
    // a deleted workspace is kept for 14 days, but its name only brings it back: nothing has to be purged
    monitoring("Microsoft.OperationalInsights/workspaces", WORKSPACES, 15),
    monitoring(
        "Microsoft.Insights/components",
        &["2015-05-01", "2018-05-01-preview", "2020-02-02-preview", "2020-02-02"],
        3,
    ),
    monitoring("Microsoft.Insights/workbooks", &["2021-03-08", "2021-08-01", "2022-04-01", "2023-06-01"], 2),
    monitoring(
        "Microsoft.Insights/scheduledQueryRules",
        &["2021-08-01", "2022-06-15", "2023-03-15-preview", "2023-12-01"],
        3,
    ),
    ResourceType {
        name: "Microsoft.Insights/diagnosticSettings",
        versions: &["2016-09-01", "2017-05-01-preview", "2021-05-01-preview"],
        operation: Operation::Synchronous,
        seconds: 2,
        soft_delete: false,
        located: false,
    },
    ResourceType {
        name: "Microsoft.Authorization/roleAssignments",
        versions: AUTHORIZATION,
        operation: Operation::Synchronous,
        seconds: 2,
        soft_delete: false,
        located: false,
    },
    ResourceType {
        name: "Microsoft.Authorization/roleDefinitions",
        versions: AUTHORIZATION,
        operation: Operation::Synchronous,
        seconds: 2,
        soft_delete: false,
        located: false,
    },
    ResourceType { located: true, ..quick("Microsoft.ManagedIdentity/userAssignedIdentities", IDENTITIES) },
    ResourceType {
        name: "Microsoft.Network/privateEndpoints",
        versions: NETWORK,
        operation: Operation::AsyncOperation,
        seconds: 30,
        soft_delete: false,
        located: true,
    },
    ResourceType {
        name: "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        versions: NETWORK,
        operation: Operation::AsyncOperation,
        seconds: 10,
        soft_delete: false,
        located: false,
    },
    ResourceType { located: true, ..quick("Microsoft.Network/virtualNetworks", NETWORK) },
    quick("Microsoft.Network/virtualNetworks/subnets", NETWORK),
    ResourceType { located: true, ..quick("Microsoft.Network/networkSecurityGroups", NETWORK) },
    ResourceType { located: true, ..quick("Microsoft.Network/publicIPAddresses", NETWORK) },
    // zones and action groups stand in `global`, which is no region
    quick("Microsoft.Network/privateDnsZones", ZONES),
    quick("Microsoft.Network/privateDnsZones/virtualNetworkLinks", ZONES),
    quick("Microsoft.Insights/actionGroups", &["2021-09-01", "2022-06-01", "2023-01-01"]),
    ResourceType { located: true, ..quick("Microsoft.KeyVault/vaults", VAULTS) },
    quick("Microsoft.Authorization/locks", LOCKS),
    quick("Microsoft.Resources/tags", TAGS),
];

/// Finds a type, case ignored.
pub fn resource_type(name: &str) -> Option<&'static ResourceType> {
    TYPES.iter().find(|known| known.name.eq_ignore_ascii_case(name))
}

/// The newest api-version known of a type: what live state is read at.
pub fn newest(name: &str) -> Option<&'static str> {
    resource_type(name).and_then(|known| known.versions.last().copied())
}

/// Whether api-version `a` is `b` or newer: by date, and on one date the preview comes first.
pub fn not_older(a: &str, b: &str) -> bool {
    fn parts(version: &str) -> (&str, bool) {
        match version.split_at_checked(10) {
            Some((date, rest)) => (date, rest.is_empty()),
            None => (version, true),
        }
    }
    parts(a).cmp(&parts(b)) != Ordering::Less
}

/// A property and the api-version that brought it. A read with an older version does not show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property {
    /// The type.
    pub resource: &'static str,
    /// The path under `properties`; `[]` stands for every element.
    pub path: &'static str,
    /// The first api-version, of whichever kind, that has it.
    pub since: &'static str,
    /// The first stable api-version that has it, where one has.
    pub stable: Option<&'static str>,
}

const fn backend(path: &'static str, since: &'static str, stable: Option<&'static str>) -> Property {
    Property { resource: "Microsoft.ApiManagement/service/backends", path, since, stable }
}

const fn account(path: &'static str, since: &'static str) -> Property {
    Property { resource: "Microsoft.CognitiveServices/accounts", path, since, stable: Some(since) }
}

const fn service(path: &'static str, since: &'static str) -> Property {
    Property { resource: "Microsoft.ApiManagement/service", path, since, stable: None }
}

const fn deployment(path: &'static str, since: &'static str) -> Property {
    Property { resource: "Microsoft.CognitiveServices/accounts/deployments", path, since, stable: Some(since) }
}

/// Properties younger than their type, oldest first.
pub const PROPERTIES: &[Property] = &[
    backend("circuitBreaker", "2023-03-01-preview", Some("2024-05-01")),
    backend("type", "2023-05-01-preview", Some("2024-05-01")),
    backend("pool", "2023-05-01-preview", Some("2024-05-01")),
    backend("circuitBreaker.rules[].acceptRetryAfter", "2023-09-01-preview", Some("2024-05-01")),
    backend("pool.services[].weight", "2023-09-01-preview", Some("2024-05-01")),
    backend("pool.services[].priority", "2023-09-01-preview", Some("2024-05-01")),
    backend("circuitBreaker.rules[].failureResponse", "2024-10-01-preview", None),
    backend("pool.failureResponse", "2024-10-01-preview", None),
    backend("pool.sessionAffinity", "2024-10-01-preview", None),
    backend("azureRegion", "2025-03-01-preview", None),
    backend("pool.services[].preferredCarbonEmission", "2025-03-01-preview", None),
    Property {
        resource: "Microsoft.ApiManagement/service/apis/diagnostics",
        path: "largeLanguageModel",
        since: "2024-10-01-preview",
        stable: None,
    },
    deployment("spilloverDeploymentName", "2025-06-01"),
    deployment("serviceTier", "2025-12-01"),
    deployment("deploymentState", "2025-12-01"),
    deployment("routing", "2025-12-01"),
    account("allowProjectManagement", "2025-06-01"),
    account("associatedProjects", "2025-06-01"),
    account("defaultProject", "2025-06-01"),
    account("networkInjections", "2025-06-01"),
    account("storedCompletionsDisabled", "2025-12-01"),
    service("releaseChannel", "2024-06-01-preview"),
    service("zoneRedundant", "2025-03-01-preview"),
];

/// The api-version for a resource that uses some properties: `floor`, unless one is younger; then the lowest stable one
/// that has them all, or the lowest preview where no stable one has. `uses` tells of a path under `properties`.
pub fn version_with(kind: &str, floor: &'static str, uses: impl Fn(&str) -> bool) -> &'static str {
    let used: Vec<&Property> = PROPERTIES.iter().filter(|p| p.resource == kind && uses(p.path)).collect();
    let versions = resource_type(kind).map_or(&[][..], |known| known.versions);
    let mut from_floor = versions.iter().filter(|version| not_older(version, floor));
    let stable = from_floor.clone().find(|version| {
        !version.ends_with("-preview") && used.iter().all(|p| p.stable.is_some_and(|since| not_older(version, since)))
    });
    let any = from_floor.find(|version| used.iter().all(|p| not_older(version, p.since)));
    stable.or(any).copied().unwrap_or(floor)
}
