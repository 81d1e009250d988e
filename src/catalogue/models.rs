//! Models of Azure OpenAI: versions, lifecycle, requests to tokens, provisioned throughput.
//!
//! Sources, all MicrosoftDocs/azure-ai-docs: retirement schedule (2026-07-07), quota tier 1 for the ratio of requests
//! to tokens (2026-08-20), sizing of provisioned throughput (2026-05). A ratio that the tiers do not print is that of
//! the older chat models, 6 requests a minute for each 1,000 tokens a minute (quota page, 2026-05).
//!
//! Deliberately absent: which region offers a model, and whether one may still be deployed: a date here does not make
//! Azure refuse, it makes a rule warn.

/// The date of the youngest source.
pub const MODELS_AS_OF: &str = "2026-08-20";

/// Where a version stands in its life, at [`MODELS_AS_OF`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// Generally available, and not to be retired within half a year of the table.
    Current,
    /// Preview.
    Preview,
    /// Still running; no new customer may deploy it, or its end is near.
    Ending,
    /// Answers with errors.
    Retired,
}

/// Figures of provisioned throughput.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provisioned {
    /// Input tokens a minute that one unit serves.
    pub input_tpm: u32,
    /// The latency target, output tokens a second.
    pub target_tps: u32,
    /// Least units and step, global and data zone.
    pub global: (u32, u32),
    /// Least units and step, in one region.
    pub regional: (u32, u32),
}

/// One version of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// `gpt-5.4`.
    pub name: &'static str,
    /// `2026-03-05`.
    pub version: &'static str,
    /// `OpenAI`.
    pub format: &'static str,
    /// Where it stands.
    pub lifecycle: Lifecycle,
    /// When it ends, `2027-03-05`; empty where nobody says.
    pub retires: &'static str,
    /// What an output token weighs against an input token, where sizing says it.
    pub output_ratio: u32,
    /// Whether it answers chat completions; else it makes embeddings.
    pub chat: bool,
    /// Provisioned throughput, where it is sold.
    pub provisioned: Option<Provisioned>,
}

const fn ptu(input_tpm: u32, target_tps: u32, regional: (u32, u32)) -> Option<Provisioned> {
    Some(Provisioned { input_tpm, target_tps, global: (15, 5), regional })
}

const BIG: (u32, u32) = (50, 50);
const SMALL: (u32, u32) = (25, 25);

macro_rules! models {
    ($($name:literal $version:literal $lifecycle:ident $retires:literal $ratio:literal $kind:ident $provisioned:expr;)*) => {
        /// Every version, by family, the youngest first.
        pub const MODELS: &[Model] = &[$(Model {
            name: $name,
            version: $version,
            format: "OpenAI",
            lifecycle: Lifecycle::$lifecycle,
            retires: $retires,
            output_ratio: $ratio,
            chat: models!(@ $kind),
            provisioned: $provisioned,
        }),*];
    };
    (@ chat) => { true };
    (@ embed) => { false };
}

models! {
    "gpt-5.5" "2026-04-24" Current "2027-04-23" 6 chat ptu(1_200, 100, BIG);
    "gpt-5.4" "2026-03-05" Current "2027-03-05" 6 chat ptu(2_400, 50, BIG);
    "gpt-5.4-mini" "2026-03-17" Current "2027-03-18" 6 chat None;
    "gpt-5.4-nano" "2026-03-17" Current "2027-03-18" 6 chat None;
    "gpt-5.4-pro" "2026-03-05" Current "2027-03-06" 6 chat None;
    "gpt-5.3-codex" "2026-02-24" Current "2027-02-25" 8 chat ptu(3_400, 50, BIG);
    "gpt-5.2" "2025-12-11" Ending "2026-12-12" 8 chat ptu(3_400, 50, BIG);
    "gpt-5.2-codex" "2026-01-14" Ending "2027-01-14" 8 chat None;
    "gpt-5.1" "2025-11-13" Current "2027-05-15" 8 chat ptu(4_750, 50, BIG);
    "gpt-5.1-codex" "2025-11-13" Current "2027-05-15" 8 chat None;
    "gpt-5.1-codex-mini" "2025-11-13" Current "2027-05-15" 8 chat None;
    "gpt-5.1-codex-max" "2025-12-04" Ending "2026-12-05" 8 chat None;
    "gpt-5" "2025-08-07" Ending "2027-02-06" 8 chat ptu(4_750, 50, BIG);
    "gpt-5-mini" "2025-08-07" Ending "2027-02-06" 8 chat ptu(23_750, 80, SMALL);
    "gpt-5-nano" "2025-08-07" Ending "2027-02-06" 8 chat None;
    "gpt-5-pro" "2025-10-06" Current "2027-04-07" 8 chat None;
    "gpt-5-codex" "2025-09-15" Current "2027-03-17" 8 chat None;
    "gpt-chat-latest" "2026-05-05" Preview "2026-11-05" 6 chat None;
    "gpt-4.1" "2025-04-14" Ending "2026-10-14" 4 chat ptu(3_000, 80, BIG);
    "gpt-4.1-mini" "2025-04-14" Ending "2026-10-14" 4 chat ptu(14_900, 90, SMALL);
    "gpt-4.1-nano" "2025-04-14" Ending "2026-10-14" 4 chat ptu(59_400, 100, SMALL);
    "gpt-4o" "2024-11-20" Ending "2026-10-01" 4 chat ptu(2_500, 25, BIG);
    "gpt-4o" "2024-08-06" Ending "2026-10-01" 4 chat ptu(2_500, 25, BIG);
    "gpt-4o" "2024-05-13" Ending "2026-10-01" 4 chat ptu(2_500, 25, BIG);
    "gpt-4o-mini" "2024-07-18" Ending "2026-10-01" 4 chat ptu(37_000, 33, SMALL);
    "o4-mini" "2025-04-16" Ending "2026-10-16" 4 chat ptu(5_400, 90, SMALL);
    "o3" "2025-04-16" Ending "2026-10-16" 4 chat ptu(3_000, 80, BIG);
    "o3-mini" "2025-01-31" Ending "2026-10-01" 4 chat ptu(2_500, 66, SMALL);
    "o3-pro" "2025-06-10" Ending "2026-12-10" 4 chat None;
    "o1" "2024-12-17" Ending "2026-09-16" 4 chat ptu(230, 25, (25, 50));
    "text-embedding-3-large" "1" Current "2027-04-15" 1 embed None;
    "text-embedding-3-small" "1" Current "2027-04-15" 1 embed None;
    "text-embedding-ada-002" "2" Current "2027-04-15" 1 embed None;
    "gpt-4" "turbo-2024-04-09" Retired "" 4 chat None;
    "gpt-35-turbo" "0125" Retired "" 4 chat None;
    "gpt-35-turbo" "1106" Retired "" 4 chat None;
    "gpt-35-turbo" "0613" Retired "" 4 chat None;
}

/// Finds a version of a model; without a version the youngest, which is not always Azure's default.
pub fn model(name: &str, version: Option<&str>) -> Option<&'static Model> {
    MODELS.iter().find(|model| {
        model.name.eq_ignore_ascii_case(name)
            && version.is_none_or(|version| model.version.eq_ignore_ascii_case(version))
    })
}

/// Whether a SKU of a deployment is provisioned throughput.
pub fn is_provisioned(sku: &str) -> bool {
    sku.to_ascii_lowercase().contains("provisioned")
}

/// How many requests a minute come with how many thousand tokens a minute, `(requests, thousands)`.
///
/// `None` for provisioned throughput, which counts no requests, and for a model that the table does not know.
pub fn rpm_per_1k_tpm(name: &str, sku: &str) -> Option<(u32, u32)> {
    if is_provisioned(sku) || model(name, None).is_none() {
        return None;
    }
    let (name, sku) = (name.to_ascii_lowercase(), sku.to_ascii_lowercase());
    let global = sku == "globalstandard";
    Some(match name.as_str() {
        "gpt-5" | "gpt-5.1" | "gpt-5.2" | "gpt-5.1-codex-max" | "gpt-5.2-codex" | "gpt-5.3-codex" | "gpt-5-pro"
        | "gpt-chat-latest" | "gpt-4o-mini" => (10, 1),
        "gpt-5.1-codex" if !global => (10, 1),
        "gpt-5.4" if global => (10, 1),
        "o1" => (1, 6),
        "o3-mini" | "o3-pro" => (1, 10),
        "gpt-4o" | "gpt-4" | "gpt-35-turbo" | "text-embedding-ada-002" => (6, 1),
        "text-embedding-3-large" | "text-embedding-3-small" if global => (6, 1),
        _ => (1, 1),
    })
}
