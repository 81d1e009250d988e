//! Azure OpenAI accounts, their model deployments, and the roles that a gateway has on them.

use super::{Key, Location, Name, Place, Properties, Standing};
use std::collections::BTreeMap;

/// An Azure OpenAI account (`Microsoft.CognitiveServices/accounts`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name, which is also its sub-domain.
    pub name: Name,
    /// Its resource group.
    pub place: Place,
    /// Whether the stack makes it. An existing one is never written, and neither are its deployments.
    pub standing: Standing,
    /// Its region.
    pub location: Location,
    /// `OpenAI` or `AIServices`.
    pub kind: AccountKind,
    /// Its model deployments.
    pub deployments: BTreeMap<Key, Deployment>,
    /// How it is reached.
    pub network: AccountNetwork,
    /// Properties that are sent as the spec has them.
    pub properties: Properties,
}

/// How an account is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountNetwork {
    /// Whether the world reaches it.
    pub public: bool,
    /// Where its private endpoint stands.
    pub private_endpoint: Option<PrivateEndpoint>,
}

impl Default for AccountNetwork {
    /// Open to whoever has a token.
    fn default() -> AccountNetwork {
        AccountNetwork { public: true, private_endpoint: None }
    }
}

/// A private endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateEndpoint {
    /// ARM id of the subnet.
    pub subnet: String,
    /// ARM id of the private DNS zone that names it.
    pub dns_zone: Option<String>,
}

/// The kinds of account that can hold Azure OpenAI deployments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// Azure OpenAI alone.
    OpenAI,
    /// Azure AI Foundry.
    AIServices,
}

impl AccountKind {
    /// As Azure spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            AccountKind::OpenAI => "OpenAI",
            AccountKind::AIServices => "AIServices",
        }
    }
}

/// A model deployment of an account. Its key is its name in Azure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Which model, and which version of it.
    pub model: Model,
    /// How it is served and billed.
    pub sku: DeploymentSku,
    /// Thousands of tokens a minute on standard tiers, PTUs on provisioned ones.
    pub capacity: u32,
    /// Whether Azure may replace the version.
    pub version_upgrade: VersionUpgrade,
    /// Name of its content filter; `None` for Azure's default.
    pub rai_policy: Option<String>,
    /// Key of the deployment of the same account that takes what a full provisioned one cannot.
    pub spillover: Option<Key>,
}

/// A model with its version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Model {
    /// Whose format its API has: `OpenAI`.
    pub format: String,
    /// `gpt-4.1`
    pub name: String,
    /// `2025-04-14`
    pub version: String,
}

/// How a deployment is served and billed (facts/apim.md 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum DeploymentSku {
    Standard,
    GlobalStandard,
    DataZoneStandard,
    ProvisionedManaged,
    GlobalProvisionedManaged,
    DataZoneProvisionedManaged,
}

impl DeploymentSku {
    /// Every tier that can stand behind a pool.
    pub const ALL: [DeploymentSku; 6] = {
        use DeploymentSku::*;
        [
            Standard,
            GlobalStandard,
            DataZoneStandard,
            ProvisionedManaged,
            GlobalProvisionedManaged,
            DataZoneProvisionedManaged,
        ]
    };

    /// As Azure spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            DeploymentSku::Standard => "Standard",
            DeploymentSku::GlobalStandard => "GlobalStandard",
            DeploymentSku::DataZoneStandard => "DataZoneStandard",
            DeploymentSku::ProvisionedManaged => "ProvisionedManaged",
            DeploymentSku::GlobalProvisionedManaged => "GlobalProvisionedManaged",
            DeploymentSku::DataZoneProvisionedManaged => "DataZoneProvisionedManaged",
        }
    }

    /// Azure compares tiers without case.
    pub fn parse(text: &str) -> Option<DeploymentSku> {
        DeploymentSku::ALL.into_iter().find(|sku| sku.as_str().eq_ignore_ascii_case(text))
    }

    /// Whether capacity is reserved (PTU) instead of metered (TPM).
    pub const fn is_provisioned(self) -> bool {
        use DeploymentSku::*;
        matches!(self, ProvisionedManaged | GlobalProvisionedManaged | DataZoneProvisionedManaged)
    }
}

/// Whether Azure may replace a deployment's model version by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum VersionUpgrade {
    NoAutoUpgrade,
    OnceCurrentVersionExpired,
    OnceNewDefaultVersionAvailable,
}

impl VersionUpgrade {
    /// As Azure spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            VersionUpgrade::NoAutoUpgrade => "NoAutoUpgrade",
            VersionUpgrade::OnceCurrentVersionExpired => "OnceCurrentVersionExpired",
            VersionUpgrade::OnceNewDefaultVersionAvailable => "OnceNewDefaultVersionAvailable",
        }
    }

    /// Reads Azure's word.
    pub fn parse(text: &str) -> Option<VersionUpgrade> {
        use VersionUpgrade::*;
        [NoAutoUpgrade, OnceCurrentVersionExpired, OnceNewDefaultVersionAvailable]
            .into_iter()
            .find(|option| option.as_str().eq_ignore_ascii_case(text))
    }
}

/// A role that the gateway's identity can have on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Cognitive Services OpenAI User: calls models of OpenAI's, reads nothing else.
    OpenAIUser,
    /// Cognitive Services User: calls models of any format, and lists keys.
    CognitiveServicesUser,
    /// Cognitive Services OpenAI Contributor: calls, makes and fine-tunes.
    OpenAIContributor,
}

impl Role {
    /// Every role that lets its holder call models.
    pub const ALL: [Role; 3] = [Role::OpenAIUser, Role::CognitiveServicesUser, Role::OpenAIContributor];

    /// The id of the role definition, the same in every tenant (facts/apim.md 7.3).
    pub const fn id(self) -> &'static str {
        match self {
            Role::OpenAIUser => "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
            Role::CognitiveServicesUser => "a97b65f3-24c7-4388-baec-2e87135dc908",
            Role::OpenAIContributor => "a001fd3d-188f-4b5d-821b-7da978bf7442",
        }
    }

    /// The role's name in Azure.
    pub const fn title(self) -> &'static str {
        match self {
            Role::OpenAIUser => "Cognitive Services OpenAI User",
            Role::CognitiveServicesUser => "Cognitive Services User",
            Role::OpenAIContributor => "Cognitive Services OpenAI Contributor",
        }
    }

    /// Finds a role by its name or its id.
    pub fn parse(text: &str) -> Option<Role> {
        let is = |name: &str| name.eq_ignore_ascii_case(text.trim());
        Role::ALL.into_iter().find(|role| is(role.title()) || is(role.id()))
    }

    /// The least that calls a model of this format (facts/apim.md 7.3).
    pub fn of_format(format: &str) -> Role {
        if format == OPENAI_FORMAT { Role::OpenAIUser } else { Role::CognitiveServicesUser }
    }
}

/// The format of OpenAI's own models.
pub const OPENAI_FORMAT: &str = "OpenAI";
