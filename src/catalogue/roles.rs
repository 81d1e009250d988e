//! Built-in roles that matter to a gateway in front of Azure OpenAI.
//!
//! Source: Azure built-in roles (learn.microsoft.com), 2026.

/// A built-in role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// The id of the definition, the same in every tenant.
    pub id: &'static str,
    /// The name that people know.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Whether it lets its holder call models.
    pub calls_models: bool,
}

/// The roles, the one that we grant first.
pub const ROLES: &[Role] = &[
    Role {
        id: "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
        name: "Cognitive Services OpenAI User",
        description: "Read access to view files, models, deployments. Create completion and embedding calls.",
        calls_models: true,
    },
    Role {
        id: "a97b65f3-24c7-4388-baec-2e87135dc908",
        name: "Cognitive Services User",
        description: "Lets you read and list keys of Cognitive Services.",
        calls_models: true,
    },
    Role {
        id: "a001fd3d-188f-4b5d-821b-7da978bf7442",
        name: "Cognitive Services OpenAI Contributor",
        description: "Full access including the ability to fine-tune, deploy and generate text.",
        calls_models: true,
    },
    Role {
        id: "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68",
        name: "Cognitive Services Contributor",
        description: "Lets you create, read, update, delete and manage keys of Cognitive Services.",
        calls_models: false,
    },
    Role {
        id: "b24988ac-6180-42a0-ab88-20f7382dd24c",
        name: "Contributor",
        description: "Lets you manage everything except access to resources.",
        calls_models: false,
    },
    Role {
        id: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        name: "Owner",
        description: "Lets you manage everything, including access to resources.",
        calls_models: false,
    },
    Role {
        id: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        name: "Reader",
        description: "Lets you view everything, but not make any changes.",
        calls_models: false,
    },
    Role {
        id: "4633458b-17de-408a-b874-0445c86b69e6",
        name: "Key Vault Secrets User",
        description: "Read secret contents.",
        calls_models: false,
    },
    Role {
        id: "3913510d-42f4-4e42-8a64-420c390055eb",
        name: "Monitoring Metrics Publisher",
        description: "Enables publishing metrics against Azure resources.",
        calls_models: false,
    },
];

/// Finds a role by the id of its definition, whole or its last part.
pub fn role(id: &str) -> Option<&'static Role> {
    let id = id.rsplit('/').next().unwrap_or(id);
    ROLES.iter().find(|role| role.id.eq_ignore_ascii_case(id))
}
