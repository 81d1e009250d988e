//! Models of Azure OpenAI: versions, lifecycle, context, requests to tokens, provisioned throughput.
//!
//! Sources, all MicrosoftDocs/azure-ai-docs: retirement schedule with replacements (2026-07-07), capabilities for the
//! context (2026-07), quota tier 1 for the ratio of requests to tokens (2026-08-20), sizing of provisioned throughput
//! (2026-05). A ratio that the tiers do not print is that of the older chat models, 6 requests a minute for each 1,000
//! tokens a minute (quota page, 2026-05). Where a model's context depends on how it is deployed, the largest stands here.
//!
//! Deliberately absent: models of other publishers, which an account of kind AIServices may hold, and whether a version
//! may still be deployed: a date here does not make Azure refuse, it makes a rule warn.

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

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text from text: chat completions, responses, or both.
    Chat,
    /// Embeddings.
    Embedding,
    /// Speech, images, video: known by name and date alone.
    Media,
}

/// How many tokens fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The longest prompt.
    pub input: u32,
    /// The longest answer.
    pub output: u32,
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
    /// What Azure names as its successor; empty where it names none.
    pub replacement: &'static str,
    /// What an output token weighs against an input token, where sizing says it.
    pub output_ratio: u32,
    /// What it is for.
    pub kind: Kind,
    /// What fits into it, where it is published.
    pub context: Option<Context>,
    /// Provisioned throughput, where it is sold.
    pub provisioned: Option<Provisioned>,
}

const fn ptu(input_tpm: u32, target_tps: u32, regional: (u32, u32)) -> Option<Provisioned> {
    Some(Provisioned { input_tpm, target_tps, global: (15, 5), regional })
}

const BIG: (u32, u32) = (50, 50);
const SMALL: (u32, u32) = (25, 25);

const fn fits(input: u32, output: u32) -> Option<Context> {
    Some(Context { input, output })
}

macro_rules! models {
    ($($name:literal $version:literal $lifecycle:ident $retires:literal $replacement:literal $ratio:literal $kind:ident
        $provisioned:expr, $context:expr;)*) => {
        /// Every version, by family, the youngest first.
        pub const MODELS: &[Model] = &[$(Model {
            name: $name,
            version: $version,
            format: "OpenAI",
            lifecycle: Lifecycle::$lifecycle,
            retires: $retires,
            replacement: $replacement,
            output_ratio: $ratio,
            kind: Kind::$kind,
            context: $context,
            provisioned: $provisioned,
        }),*];
    };
}

// name, version, lifecycle, end, replacement, weight of an output token, kind, provisioned throughput, context
models! {
    "gpt-5.5" "2026-04-24" Current "2027-04-23" "" 6 Chat ptu(1_200, 100, BIG), fits(922_000, 128_000);
    "gpt-5.4" "2026-03-05" Current "2027-03-05" "" 6 Chat ptu(2_400, 50, BIG), fits(922_000, 128_000);
    "gpt-5.4-mini" "2026-03-17" Current "2027-03-18" "" 6 Chat None, fits(272_000, 128_000);
    "gpt-5.4-nano" "2026-03-17" Current "2027-03-18" "" 6 Chat None, fits(272_000, 128_000);
    "gpt-5.4-pro" "2026-03-05" Current "2027-03-06" "" 6 Chat None, fits(922_000, 128_000);
    "gpt-5.3-codex" "2026-02-24" Current "2027-02-25" "" 8 Chat ptu(3_400, 50, BIG), fits(272_000, 128_000);
    "gpt-5.2" "2025-12-11" Ending "2026-12-12" "" 8 Chat ptu(3_400, 50, BIG), fits(272_000, 128_000);
    "gpt-5.2-codex" "2026-01-14" Ending "2027-01-14" "" 8 Chat ptu(3_400, 50, BIG), fits(272_000, 128_000);
    "gpt-5.1" "2025-11-13" Current "2027-05-15" "" 8 Chat ptu(4_750, 50, BIG), fits(272_000, 128_000);
    "gpt-5.1-codex" "2025-11-13" Current "2027-05-15" "" 8 Chat None, fits(272_000, 128_000);
    "gpt-5.1-codex-mini" "2025-11-13" Current "2027-05-15" "" 8 Chat None, fits(272_000, 128_000);
    "gpt-5.1-codex-max" "2025-12-04" Ending "2026-12-05" "" 8 Chat None, fits(272_000, 128_000);
    "gpt-5" "2025-08-07" Ending "2027-02-06" "" 8 Chat ptu(4_750, 50, BIG), fits(272_000, 128_000);
    "gpt-5-mini" "2025-08-07" Ending "2027-02-06" "" 8 Chat ptu(23_750, 80, SMALL), fits(272_000, 128_000);
    "gpt-5-nano" "2025-08-07" Ending "2027-02-06" "" 8 Chat None, fits(272_000, 128_000);
    "gpt-5-pro" "2025-10-06" Current "2027-04-07" "" 8 Chat None, fits(272_000, 128_000);
    "gpt-5-codex" "2025-09-15" Current "2027-03-17" "" 8 Chat None, fits(272_000, 128_000);
    "gpt-chat-latest" "2026-05-28" Preview "" "" 6 Chat None, fits(111_616, 16_384);
    "gpt-chat-latest" "2026-05-05" Preview "2026-11-05" "" 6 Chat None, fits(111_616, 16_384);
    "gpt-4.1" "2025-04-14" Ending "2026-10-14" "" 4 Chat ptu(3_000, 80, BIG), fits(1_047_576, 32_768);
    "gpt-4.1-mini" "2025-04-14" Ending "2026-10-14" "" 4 Chat ptu(14_900, 90, SMALL), fits(1_047_576, 32_768);
    "gpt-4.1-nano" "2025-04-14" Ending "2026-10-14" "" 4 Chat ptu(59_400, 100, SMALL), fits(1_047_576, 32_768);
    "gpt-4o" "2024-11-20" Ending "2026-10-01" "gpt-5.1" 4 Chat ptu(2_500, 25, BIG), fits(128_000, 16_384);
    "gpt-4o" "2024-08-06" Ending "2026-10-01" "gpt-5.1" 4 Chat ptu(2_500, 25, BIG), fits(128_000, 16_384);
    "gpt-4o" "2024-05-13" Ending "2026-10-01" "gpt-5.1" 4 Chat ptu(2_500, 25, BIG), fits(128_000, 4_096);
    "gpt-4o-mini" "2024-07-18" Ending "2026-10-01" "gpt-4.1-mini" 4 Chat ptu(37_000, 33, SMALL), fits(128_000, 16_384);
    "o4-mini" "2025-04-16" Ending "2026-10-16" "" 4 Chat ptu(5_400, 90, SMALL), fits(200_000, 100_000);
    "o3" "2025-04-16" Ending "2026-10-16" "" 4 Chat ptu(3_000, 80, BIG), fits(200_000, 100_000);
    "o3-mini" "2025-01-31" Ending "2026-10-01" "o4-mini" 4 Chat ptu(2_500, 66, SMALL), fits(200_000, 100_000);
    "o3-pro" "2025-06-10" Ending "2026-12-10" "" 4 Chat None, fits(200_000, 100_000);
    "o3-deep-research" "2025-06-26" Ending "2026-12-26" "" 4 Chat None, None;
    "codex-mini" "2025-05-16" Ending "2026-11-15" "" 4 Chat None, fits(200_000, 100_000);
    "o1" "2024-12-17" Ending "2026-09-16" "" 4 Chat ptu(230, 25, (25, 50)), fits(200_000, 100_000);
    "o1-pro" "2025-03-19" Ending "2026-09-18" "" 4 Chat None, None;
    "text-embedding-3-large" "1" Current "2027-04-15" "" 1 Embedding None, None;
    "text-embedding-3-small" "1" Current "2027-04-15" "" 1 Embedding None, None;
    "text-embedding-ada-002" "2" Current "2027-04-15" "" 1 Embedding None, None;
    "text-embedding-ada-002" "1" Current "2027-04-15" "" 1 Embedding None, None;
    "gpt-4" "turbo-2024-04-09" Retired "" "" 4 Chat None, fits(128_000, 4_096);
    "gpt-35-turbo" "0125" Retired "" "" 4 Chat None, None;
    "gpt-35-turbo" "1106" Retired "" "" 4 Chat None, None;
    "gpt-35-turbo" "0613" Retired "" "" 4 Chat None, None;
    "gpt-5.3-chat" "2026-03-03" Retired "2026-06-29" "gpt-chat-latest" 8 Chat None, fits(111_616, 16_384);
    "gpt-5.2-chat" "2026-02-10" Retired "2026-06-29" "gpt-chat-latest" 8 Chat None, fits(111_616, 16_384);
    "gpt-5.2-chat" "2025-12-11" Retired "2026-05-13" "gpt-chat-latest" 8 Chat None, fits(111_616, 16_384);
    "gpt-5.1-chat" "2025-11-13" Retired "2026-06-29" "gpt-chat-latest" 8 Chat None, fits(111_616, 16_384);
    "gpt-5-chat" "2025-10-03" Retired "2026-05-13" "gpt-chat-latest" 8 Chat None, fits(128_000, 16_384);
    "gpt-5-chat" "2025-08-07" Retired "2026-06-29" "gpt-chat-latest" 8 Chat None, fits(128_000, 16_384);
    "model-router" "2025-11-18" Current "2027-05-20" "" 1 Chat None, None;
    "model-router" "2025-08-07" Ending "2026-08-30" "" 1 Chat None, None;
    "model-router" "2025-05-19" Ending "2026-08-30" "" 1 Chat None, None;
    "gpt-4o-mini-transcribe" "2025-12-15" Ending "2026-12-15" "" 1 Media None, None;
    "gpt-4o-mini-transcribe" "2025-03-20" Ending "2026-10-15" "" 1 Media None, None;
    "gpt-4o-mini-tts" "2025-12-15" Ending "2026-12-15" "" 1 Media None, None;
    "gpt-4o-mini-tts" "2025-03-20" Ending "2026-10-15" "" 1 Media None, None;
    "gpt-4o-transcribe" "2025-03-20" Ending "2026-10-15" "" 1 Media None, None;
    "gpt-4o-transcribe-diarize" "2025-10-15" Ending "2026-10-15" "" 1 Media None, None;
    "gpt-audio-1.5" "2026-02-23" Current "2027-02-23" "" 1 Media None, None;
    "gpt-audio" "2025-08-28" Current "2027-02-28" "" 1 Media None, None;
    "gpt-audio-mini" "2025-12-15" Ending "2026-12-15" "" 1 Media None, None;
    "gpt-audio-mini" "2025-10-06" Ending "2026-09-21" "" 1 Media None, None;
    "gpt-image-2" "2026-04-21" Current "2027-04-21" "" 1 Media None, None;
    "gpt-image-1.5" "2025-12-16" Ending "2026-12-16" "" 1 Media None, None;
    "gpt-image-1-mini" "2025-10-06" Current "2027-04-07" "" 1 Media None, None;
    "gpt-image-1" "2025-04-15" Preview "2026-10-23" "" 1 Media None, None;
    "gpt-realtime-2.1" "2026-07-07" Current "2027-06-25" "" 1 Media None, None;
    "gpt-realtime-2.1-mini" "2026-07-07" Current "2027-06-25" "" 1 Media None, None;
    "gpt-realtime-2" "2026-05-06" Current "2027-05-06" "" 1 Media None, None;
    "gpt-realtime-1.5" "2026-02-23" Current "2027-02-23" "" 1 Media None, None;
    "gpt-realtime" "2025-08-28" Current "2027-02-28" "" 1 Media None, None;
    "gpt-realtime-mini" "2025-12-15" Ending "2026-12-15" "" 1 Media None, None;
    "gpt-realtime-mini" "2025-10-06" Ending "2026-07-23" "" 1 Media None, None;
    "sora-2" "2025-12-08" Preview "2026-09-15" "" 1 Media None, None;
    "sora-2" "2025-10-06" Retired "2026-07-15" "sora-2" 1 Media None, None;
    "tts" "001" Preview "2026-12-15" "" 1 Media None, None;
    "tts-hd" "001" Ending "2026-12-15" "" 1 Media None, None;
    "whisper" "001" Ending "2026-12-15" "" 1 Media None, None;
}

/// Finds a version of a model; without a version the youngest, which is not always Azure's default.
pub fn model(name: &str, version: Option<&str>) -> Option<&'static Model> {
    versions(name).find(|model| version.is_none_or(|version| model.version.eq_ignore_ascii_case(version)))
}

/// Every version of a model, the youngest first.
pub fn versions(name: &str) -> impl Iterator<Item = &'static Model> {
    MODELS.iter().filter(move |model| model.name.eq_ignore_ascii_case(name))
}

impl Model {
    /// Least units and step of a provisioned SKU, where the model is sold by the unit.
    pub fn units(&self, sku: &str) -> Option<(u32, u32)> {
        let figures = self.provisioned.filter(|_| is_provisioned(sku))?;
        let regional = super::skus::sku(sku).is_some_and(|sku| sku.processed == super::skus::Scope::Region);
        Some(if regional { figures.regional } else { figures.global })
    }

    /// Whether it has ended by a day, `2026-11-28`; without one, whether it had when the table was made.
    pub fn has_ended(&self, day: Option<&str>) -> bool {
        self.lifecycle == Lifecycle::Retired || day.is_some_and(|day| !self.retires.is_empty() && self.retires <= day)
    }
}

/// Whether a SKU of a deployment is provisioned throughput.
pub fn is_provisioned(sku: &str) -> bool {
    super::skus::sku(sku).is_some_and(|sku| sku.serving == super::skus::Serving::Provisioned)
}

/// How many requests a minute come with how many thousand tokens a minute, `(requests, thousands)`.
///
/// `None` for provisioned throughput, which counts no requests, and for a model of whose limits the table knows nothing.
pub fn rpm_per_1k_tpm(name: &str, sku: &str) -> Option<(u32, u32)> {
    if is_provisioned(sku) || model(name, None).is_none_or(|model| model.kind == Kind::Media) {
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
