//! The API Management service, and where things stand that may stand elsewhere than the stack.

use super::{Location, Name, Properties};

/// Where something stands: what is `None` is the stack's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The Azure subscription's id, lower case.
    pub subscription: Option<String>,
    /// The resource group.
    pub resource_group: Option<String>,
}

impl Place {
    /// Whether it is the stack's own resource group.
    pub const fn is_own(&self) -> bool {
        self.subscription.is_none() && self.resource_group.is_none()
    }
}

/// Whether the stack makes something, or only uses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// The stack makes, changes and deletes it.
    #[default]
    Managed,
    /// It is there already, and never written.
    Existing,
}

/// An API Management service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The service's name, unique in the world.
    pub name: Name,
    /// Its resource group.
    pub place: Place,
    /// Whether the stack makes it. Of an existing one only name and place are used; the rest is what the spec says of it.
    pub standing: Standing,
    /// Its region.
    pub location: Location,
    /// Its tier.
    pub sku: GatewaySku,
    /// Scale units; 0 on Consumption only.
    pub capacity: u32,
    /// Who is named as the publisher.
    pub publisher: Publisher,
    /// Who calls the models.
    pub identity: Identity,
    /// The network that it reaches its backends through.
    pub network: Option<GatewayNetwork>,
    /// Properties that are sent as the spec has them.
    pub properties: Properties,
}

/// The identity that the gateway calls models with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Identity {
    /// The service's own.
    #[default]
    System,
    /// A user-assigned identity that the stack makes, by name.
    Managed(String),
    /// A user-assigned identity that is there, by its ARM id.
    Existing(String),
}

/// A network that a gateway is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayNetwork {
    /// ARM id of the subnet.
    pub subnet: String,
    /// Who reaches the gateway.
    pub mode: NetworkMode,
}

/// Who reaches a gateway that is part of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkMode {
    /// Everybody; on the v2 tiers the network is for calls of backends alone.
    #[default]
    External,
    /// The network alone.
    Internal,
}

impl NetworkMode {
    /// As Azure spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            NetworkMode::External => "External",
            NetworkMode::Internal => "Internal",
        }
    }
}

/// Tiers of API Management (facts/apim.md 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum GatewaySku {
    Consumption,
    Developer,
    Basic,
    Standard,
    Premium,
    BasicV2,
    StandardV2,
    PremiumV2,
}

impl GatewaySku {
    /// Every tier.
    pub const ALL: [GatewaySku; 8] = {
        use GatewaySku::*;
        [Consumption, Developer, Basic, Standard, Premium, BasicV2, StandardV2, PremiumV2]
    };

    /// As Azure spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            GatewaySku::Consumption => "Consumption",
            GatewaySku::Developer => "Developer",
            GatewaySku::Basic => "Basic",
            GatewaySku::Standard => "Standard",
            GatewaySku::Premium => "Premium",
            GatewaySku::BasicV2 => "BasicV2",
            GatewaySku::StandardV2 => "StandardV2",
            GatewaySku::PremiumV2 => "PremiumV2",
        }
    }

    /// Azure compares tiers without case.
    pub fn parse(text: &str) -> Option<GatewaySku> {
        GatewaySku::ALL.into_iter().find(|sku| sku.as_str().eq_ignore_ascii_case(text))
    }
}

/// Who publishes the APIs, as developers and the service's notifications see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// A name.
    pub name: String,
    /// An address that is read.
    pub email: String,
}
