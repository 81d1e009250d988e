//! The registry of codes. A code is for ever: never renumber, never reuse.
//!
//! | range | about |
//! |---|---|
//! | AL01 | reading the spec: text, variables, structure |
//! | AL02 | what the spec says: references, limits, names |
//! | AL03 | what the spec says and a reader may regret: warnings |
//! | AL04 | rendering and its files |
//! | AL05 | Azure: reading, planning, deploying, destroying |
//! | AL06 | the local Azure |
//! | AL07 | simulation and traces |
//! | AL08 | foreign files: lint and import |
//! | AL09 | the command line, the machine, our bugs |

use super::{Exit, Severity};
use std::fmt;

/// A stable code, `AL0212`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(usize);

struct Entry {
    name: &'static str,
    severity: Severity,
    exit: Exit,
    explain: &'static str,
}

macro_rules! registry {
    ($($number:literal $name:ident $severity:ident $exit:ident;)*) => {
        /// Every code by its name.
        #[allow(missing_docs, reason = "the explain text of each says it")]
        pub mod code {
            use super::{Code, Index};
            $(pub const $name: Code = Code(Index::$name as usize);)*
        }

        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Index { $($name),* }

        static ENTRIES: &[Entry] = &[$(Entry {
            name: $number,
            severity: Severity::$severity,
            exit: Exit::$exit,
            explain: include_str!(concat!("explain/", $number, ".md")),
        }),*];
    };
}

registry! {
    // AL01: reading the spec
    "AL0101" UNREADABLE_FILE Error Spec;
    "AL0102" DUPLICATE_KEY Error Spec;
    "AL0103" BROKEN_YAML Error Spec;
    "AL0104" TOO_MUCH_YAML Error Spec;
    "AL0105" YAML_FEATURE Error Spec;
    "AL0106" MISSING_VARIABLE Error Spec;
    "AL0107" BAD_VARIABLE Error Spec;
    "AL0108" BAD_ENVIRONMENT Error Spec;
    "AL0109" BAD_SET Error Spec;
    "AL0110" UNKNOWN_KEY Error Spec;
    "AL0111" NOT_YET Error Spec;
    "AL0112" MISSING_KEY Error Spec;
    "AL0113" WRONG_TYPE Error Spec;
    "AL0114" UNKNOWN_WORD Error Spec;
    "AL0115" OUT_OF_RANGE Error Spec;
    "AL0116" BAD_FORMAT Error Spec;

    // AL02: what the spec says
    "AL0201" UNKNOWN_REFERENCE Error Spec;
    "AL0202" BAD_NAME Error Spec;
    "AL0203" COLLISION Error Spec;
    "AL0204" RESERVED Error Spec;
    "AL0205" GATEWAY_CAPACITY Error Spec;
    "AL0206" NO_BREAKER_ON_CONSUMPTION Error Spec;
    "AL0207" BREAKER_THRESHOLD Error Spec;
    "AL0208" STATUS_CODES Error Spec;
    "AL0209" BAD_DURATION Error Spec;
    "AL0210" ONE_BREAKER_RULE Error Spec;
    "AL0211" POOL_SIZE Error Spec;
    "AL0212" LITERAL_SECRET Error Spec;
    "AL0213" DUPLICATE_MEMBER Error Spec;
    "AL0214" POOL_OF_POOLS Error Spec;
    "AL0215" ONE_URL Error Spec;
    "AL0216" MIXED_MODELS Error Spec;
    "AL0217" NO_WEIGHT Error Spec;
    "AL0218" PATH_COLLISION Error Spec;
    "AL0219" ROUTES Error Spec;
    "AL0220" TWO_FORMS Error Spec;
    "AL0221" NOTHING_HERE Error Spec;
    "AL0222" BAD_SILENCE Error Spec;
    "AL0223" WHICH_API Error Spec;
    "AL0224" SKU_WITHOUT_CALLS Error Spec;
    "AL0230" TWO_WAYS Error Spec;
    "AL0231" DEPLOYMENT_NAMES Error Spec;
    "AL0232" FOREIGN_MEMBER Error Spec;
    "AL0233" SPILLOVER Error Spec;
    "AL0234" WRONG_ROLE Error Spec;
    "AL0235" BAD_FILE Error Spec;
    "AL0236" TIER Error Spec;
    "AL0237" NO_SINK Error Spec;
    "AL0238" BAD_PROPERTY Error Spec;
    "AL0239" DIMENSION Error Spec;
    "AL0240" BAD_SCOPE Error Spec;
    "AL0241" PRODUCT_LIMIT Error Spec;
    "AL0242" REALTIME Error Spec;

    // AL03: warnings
    "AL0310" ONE_REGION Warning Done;
    "AL0311" SHARED_QUOTA Warning Done;
    "AL0312" UNREACHABLE_GROUP Warning Done;
    "AL0313" MIXED_GROUP Warning Done;
    "AL0314" PLACEHOLDER Warning Done;
    "AL0315" BREAKER_WITHOUT_RETRY Warning Done;
    "AL0316" RETRY_BELOW_BREAKER Warning Done;
    "AL0317" UNUSED_SILENCE Note Done;
    "AL0318" STRANGE_REGION Warning Done;
    "AL0319" UNKNOWN_MODEL Warning Done;
    "AL0320" UNKNOWN_VERSION Warning Done;
    "AL0321" MODEL_RETIRED Warning Done;
    "AL0322" MODEL_ENDING Warning Done;
    "AL0323" NOT_OFFERED Warning Done;
    "AL0324" UNITS Warning Done;
    "AL0325" NAMED_PROVISIONED Warning Done;
    "AL0326" PROVISIONED_BREAKER Warning Done;
    "AL0327" RETRIES_BELOW_GROUP Warning Done;
    "AL0328" RETRIES_BEYOND_MEMBERS Warning Done;
    "AL0329" UNUSED_BREAKER Warning Done;
    "AL0340" STATEFUL_APIS Warning Done;
    "AL0341" BODIES Warning Done;
    "AL0342" ERROR_REASON Warning Done;
    "AL0343" IMAGE_NAMES Warning Done;
    "AL0344" OPEN_API Warning Done;
    "AL0345" UNUSED_POOL Warning Done;
    "AL0346" ROLE_TOO_WIDE Warning Done;
    "AL0347" BREAKER_UNDER_POLICY Warning Done;
    "AL0348" BAD_DOCUMENT Warning Done;
    "AL0349" LONG_ABSENCE Warning Done;
    "AL0350" CALLERS_TRIP Warning Done;

    // AL04: rendering
    "AL0401" BAD_TEMPLATE Error Spec;
    "AL0402" TEMPLATE_NOT_XML Error Spec;
    "AL0403" POLICY_TOO_LARGE Error Spec;
    "AL0404" PINNED_VERSION Error Spec;

    // AL05: Azure
    "AL0501" AZURE_REFUSED Error Refused;
    "AL0502" AZURE_FORBIDDEN Error Forbidden;
    "AL0503" AZURE_UNREACHABLE Error Failed;
    "AL0504" OUTCOME_UNKNOWN Error Running;
    "AL0505" DEPLOYMENT_RUNNING Error Running;
    "AL0506" CHANGED_MEANWHILE Error Refused;
    "AL0507" NOT_CONVERGED Error Failed;
    "AL0508" NOT_UNDERSTOOD Error Refused;
    "AL0509" PLAN_NOT_CLEAR Error Refused;
    "AL0510" NOT_OURS Error Refused;
    "AL0511" FIXED_ONCE_CREATED Error Refused;
    "AL0512" REMOVAL_REFUSED Error Refused;
    "AL0513" NAME_TAKEN Error Refused;
    "AL0514" RECOVERY_IMPOSSIBLE Error Refused;
    "AL0515" LEFT_BEHIND Warning Done;
    "AL0516" DEPLOYMENT_FAILED Error Refused;
    "AL0517" QUOTA_SHORT Error Refused;
    "AL0518" NOT_THERE Error Refused;
    "AL0519" ROLE_MISSING Error Refused;

    // AL06: the local Azure
    "AL0601" STATE_DAMAGED Error Failed;
    "AL0602" STATE_NEWER Error Failed;
    "AL0603" STATE_UNREACHABLE Error Failed;
    "AL0604" STATE_LOCKED Error Failed;
    "AL0605" NO_PORT Error Failed;
    "AL0606" BAD_FAULT Error Spec;

    // AL07: simulation
    "AL0701" TRACE_FORMAT Error Spec;
    "AL0702" TRACE_ROW Error Spec;
    "AL0703" TRACE_ROUTE Error Spec;
    "AL0704" NO_FIGURES Error Spec;
    "AL0705" FOREIGN_POLICY Error Spec;
    "AL0706" NO_CALLER Error Spec;

    // AL08: foreign files, what API Management accepts as a policy
    "AL0801" UNREADABLE_POLICY Error Spec;
    "AL0802" UNREADABLE_TEMPLATE Error Spec;
    "AL0803" UNKNOWN_POLICY Warning Done;
    "AL0804" POLICY_PLACE Error Spec;
    "AL0805" POLICY_ATTRIBUTE Error Spec;
    "AL0806" POLICY_VALUE Error Spec;
    "AL0807" EXPRESSION_PLACE Error Spec;
    "AL0808" POLICY_CONTENT Error Spec;
    "AL0809" BACKEND_SECTION Error Spec;
    "AL0810" BROKEN_EXPRESSION Error Spec;
    "AL0811" REFUSED_EXPRESSION Error Spec;
    "AL0812" UNLISTED_EXPRESSION Warning Done;
    "AL0813" POLICY_SIZE Error Spec;
    "AL0814" ONE_FORMAT Warning Done;
    "AL0815" DISPUTED_POLICY Warning Done;
    "AL0816" UNSET_VARIABLE Warning Done;
    "AL0817" TEXT_AROUND_EXPRESSION Warning Done;

    // AL08: foreign files, what goes wrong in policies
    "AL0820" DOUBLE_FLIP Warning Done;
    "AL0821" CAST_FAILS Error Spec;
    "AL0822" SHARED_CACHE_KEY Warning Done;
    "AL0823" CLIENT_ERRORS_RETRIED Warning Done;
    "AL0824" RETRY_COUNT Warning Done;
    "AL0825" NULL_RESPONSE Warning Done;
    "AL0826" REASON_PHRASE Warning Done;
    "AL0827" UNAVAILABLE_NOT_RETRIED Warning Done;
    "AL0828" RETRY_AFTER_DATE Warning Done;
    "AL0829" RETRY_AFTER_MS Note Done;
    "AL0830" RETRY_AFTER_UNCAPPED Note Done;
    "AL0831" SECRETS_PASSED_ON Warning Done;
    "AL0832" BUFFERED_STREAM Warning Done;
    "AL0833" LITERAL_KEY Warning Done;
    "AL0834" BODY_LOST Warning Done;
    "AL0835" MALFORMED_TRACEPARENT Warning Done;
    "AL0836" MEANINGLESS_ATTRIBUTE Note Done;

    // AL08: foreign files, templates
    "AL0837" POLICY_FORMAT Error Spec;
    "AL0838" DEFINITION_FORMAT Error Spec;
    "AL0839" MOVING_DEFINITION Warning Done;
    "AL0840" MIXED_DEPLOYMENTS Error Spec;
    "AL0841" PROPERTY_TOO_NEW Warning Done;
    "AL0842" POOL_WITH_URL Error Spec;
    "AL0843" SUBSCRIPTION_SCOPE Error Spec;
    "AL0844" MISSING_DEPENDENCY Warning Done;
    "AL0845" DOUBLE_SLASH Warning Done;
    "AL0846" PARALLEL_DEPLOYMENTS Warning Done;
    "AL0847" MISPLACED_SKU Warning Done;
    "AL0848" ROLE_NAME Warning Done;
    "AL0849" SERVER_VARIABLE Warning Done;

    // AL08: foreign files, import
    "AL0850" NOT_IMPORTABLE Error Spec;
    "AL0851" NOT_CARRIED_OVER Warning Done;
    "AL0852" NOT_KNOWN Warning Done;
    "AL0853" NAME_LEFT_OUT Note Done;
    "AL0854" SPLIT_BACKEND Note Done;
    "AL0855" STRATEGY_GUESSED Note Done;
    "AL0856" CHANGED Warning Done;
    "AL0857" BAD_PARAMETERS Error Spec;
    "AL0858" SPEC_EXISTS Error Failed;

    // AL09: the command line
    "AL0901" BUG Error Bug;
    "AL0902" CLOUD_LATER Error Usage;
    "AL0903" NO_SPEC Error Usage;
    "AL0904" NO_TERMINAL Error Usage;
    "AL0905" UNWRITABLE Error Failed;
    "AL0906" FILES_DIFFER Error Failed;
    "AL0907" UNKNOWN_CODE Error Usage;
    "AL0908" MACHINE Error Failed;
    "AL0909" BAD_SUBSCRIPTION Error Usage;
    "AL0910" NOTHING_HELD Error Usage;
    "AL0911" FOREIGN_FILE Error Failed;
    "AL0990" INTERNAL Error Bug;
}

/// Every code, in order.
pub fn all() -> impl Iterator<Item = Code> {
    (0..ENTRIES.len()).map(Code)
}

impl Code {
    /// Finds `AL0212`, in any case.
    pub fn parse(text: &str) -> Option<Code> {
        all().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }

    /// The code itself.
    pub fn as_str(self) -> &'static str {
        ENTRIES[self.0].name
    }

    /// How bad this problem always is.
    pub fn severity(self) -> Severity {
        ENTRIES[self.0].severity
    }

    /// What the program exits with where this is the first error.
    pub fn exit(self) -> Exit {
        ENTRIES[self.0].exit
    }

    /// What it is about, in a few words: the heading of the long text.
    pub fn title(self) -> &'static str {
        let first = self.explain().lines().next().unwrap_or_default();
        first.split_once(": ").map_or(first, |(_, title)| title)
    }

    /// The long text, Markdown: what it is, cause, fix, source.
    pub fn explain(self) -> &'static str {
        ENTRIES[self.0].explain
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
