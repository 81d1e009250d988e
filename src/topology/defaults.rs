//! Every default, once, shared by `spec` (what a user left out) and `arm` (what Azure left out).

use super::*;

/// The probe's subscription: a reserved key, always rendered.
pub const PROBE: &str = "probe";

/// The subscription that every API Management service has from birth; it opens every API.
pub const MASTER: &str = "master";

/// The tag that says which stack owns a resource.
pub const STACK_TAG: &str = "aoai-lb-stack";

/// What stands before the stack id in a description.
pub const MARKER: &str = "aoai-lb:";

/// Audience of Azure OpenAI tokens in the public cloud (facts/apim.md 6).
pub const AUDIENCE: &str = "https://cognitiveservices.azure.com";

/// Members without one have this priority.
pub const PRIORITY: u8 = 1;

/// Members without one have this weight.
pub const WEIGHT: u8 = 1;

/// Weight and priority go from 0 to this (facts/apim.md 1.2).
pub const MAX_WEIGHT: u8 = 100;

/// A pool has at most so many members (facts/apim.md 2.1, 6).
pub const MAX_MEMBERS: usize = 30;

/// Statuses that mean "this backend cannot serve now": what is retried, and what a breaker counts.
///
/// Source: Azure-Samples/Apim-Samples, inference-failover, response matrix (facts/seeds.md 2).
pub const FAILURES: [StatusRange; 4] = [
    StatusRange { min: 408, max: 408 },
    StatusRange { min: 429, max: 429 },
    StatusRange { min: 499, max: 500 },
    StatusRange { min: 502, max: 504 },
];

/// The breaker of a metered deployment.
pub fn breaker() -> Breaker {
    Breaker {
        name: "default".into(),
        threshold: Threshold::Count(1),
        interval: Duration::from_secs(60),
        status_codes: FAILURES.to_vec(),
        trip_duration: Duration::from_secs(60),
        accept_retry_after: true,
    }
}

/// The breaker of a provisioned deployment: short, because a full PTU recovers within seconds.
pub fn breaker_provisioned() -> Breaker {
    Breaker {
        name: "ptu".into(),
        interval: Duration::from_secs(10),
        trip_duration: Duration::from_secs(1),
        ..breaker()
    }
}

/// Retries of an API: two more attempts, at once.
pub fn retry() -> Retry {
    Retry { count: 2, interval: Duration::ZERO, first_fast: true, timeout: Duration::from_secs(240), timeouts: false }
}

/// What callers get from an exhausted pool.
pub fn on_exhausted() -> OnExhausted {
    OnExhausted { status: 429, max_retry_after: Duration::from_secs(60) }
}

/// Where the OpenAI SDKs put the key.
pub fn keys() -> KeyNames {
    KeyNames { header: "api-key".into(), query: "api-key".into() }
}

/// Tier of a gateway.
pub const GATEWAY_SKU: GatewaySku = GatewaySku::BasicV2;

/// How a deployment is served.
pub const DEPLOYMENT_SKU: DeploymentSku = DeploymentSku::GlobalStandard;

/// A version is not swapped while it lives, so members of a pool stay alike; and it does not stop when it expires.
pub const VERSION_UPGRADE: VersionUpgrade = VersionUpgrade::OnceCurrentVersionExpired;

/// The stack id: `name/u`.
pub fn stack_id(stack: &Stack, unique: &str) -> String {
    format!("{}/{unique}", stack.name)
}

/// The length of what `uniqueString` gives.
pub const UNIQUE_LENGTH: usize = 13;

/// The name of every template write of a stack, which is also its lock: `aoai-lb-{name}-{u}`.
pub fn deployment_name(stack: &Stack, unique: &str) -> String {
    let (before, after) = affixes(format!("aoai-lb-{}-", stack.name), String::new());
    format!("{before}{unique}{after}")
}

/// What stands before and after `u` in the name of a nested deployment, `aoai-lb-{name}-{u}-{kind}-{key}`.
pub fn nested_affixes(stack: &Stack, kind: &str, key: &str) -> (String, String) {
    affixes(format!("aoai-lb-{}-", stack.name), format!("-{kind}-{key}"))
}

/// Keeps a deployment's name to the 64 characters that Azure allows (facts/apim.md 5.1): what is too long loses its
/// middle, and eight hex digits of the whole's SHA-256 stand there. `u` itself is never cut.
fn affixes(before: String, after: String) -> (String, String) {
    const BUDGET: usize = 64 - UNIQUE_LENGTH;
    if before.len() + after.len() <= BUDGET {
        return (before, after);
    }
    use sha2::Digest;
    let hash = sha2::Sha256::digest(format!("{before}*{after}").as_bytes());
    let digits: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let cut = |text: &str, keep: usize| text.chars().take(keep).filter(char::is_ascii).collect::<String>();
    let after: String = match after.len() {
        0..=24 => after,
        long => after.chars().skip(long.saturating_sub(24)).filter(char::is_ascii).collect(),
    };
    let before = cut(&before, BUDGET - digits.len() - 1 - after.len());
    (format!("{before}{digits}-"), after)
}

/// The operations of Azure OpenAI by deployment, as callers of the SDKs use them; our own table.
///
/// Source: the paths of `Azure/azure-rest-api-specs` data-plane/AzureOpenAI/inference 2024-10-21, those that take a
/// deployment.
pub fn operations() -> BTreeMap<Key, Operation> {
    const TABLE: [(&str, &str, &str); 7] = [
        ("audio-speech", "Speech", "audio/speech"),
        ("audio-transcriptions", "Transcriptions", "audio/transcriptions"),
        ("audio-translations", "Translations", "audio/translations"),
        ("chat-completions", "Chat completions", "chat/completions"),
        ("completions", "Completions", "completions"),
        ("embeddings", "Embeddings", "embeddings"),
        ("images-generations", "Image generations", "images/generations"),
    ];
    TABLE
        .into_iter()
        .map(|(name, title, path)| {
            let url_template = format!("/deployments/{{deployment}}/{path}");
            (name.into(), Operation { display_name: title.into(), method: "POST".into(), url_template })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_deployment_names_keep_both_ends_and_64_characters() {
        let stack = |name: &str| Stack { name: name.into(), environment: String::new() };
        assert_eq!(deployment_name(&stack("contoso-ai"), "a7wkljktk6wne"), "aoai-lb-contoso-ai-a7wkljktk6wne");
        let nested = |n: usize, key: &str| {
            let (before, after) = nested_affixes(&stack(&"x".repeat(n)), "role", key);
            format!("{before}a7wkljktk6wne{after}")
        };
        let (one, two) = (nested(60, "eastus2"), nested(61, "eastus2"));
        assert!(
            one.len() == 64 && one.starts_with("aoai-lb-xxx") && one.ends_with("-a7wkljktk6wne-role-eastus2"),
            "{one}"
        );
        assert_ne!(one, two);
        assert!(nested(5, &"k".repeat(90)).len() <= 64 && nested(90, &"k".repeat(90)).len() <= 64);
        assert!(deployment_name(&stack(&"x".repeat(90)), "a7wkljktk6wne").len() <= 64);
    }

    #[test]
    fn operations_name_their_deployment() {
        assert!(operations().values().all(|operation| operation.parameters() == ["deployment"]));
    }
}
