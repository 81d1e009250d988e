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

    // AL02: what the spec says

    // AL03: warnings
    "AL0310" ONE_REGION Warning Done;

    // AL04: rendering

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

    // AL06: the local Azure
    "AL0601" STATE_DAMAGED Error Failed;
    "AL0602" STATE_NEWER Error Failed;
    "AL0603" STATE_UNREACHABLE Error Failed;
    "AL0604" STATE_LOCKED Error Failed;
    "AL0605" NO_PORT Error Failed;

    // AL07: simulation
    "AL0701" TRACE_FORMAT Error Spec;
    "AL0702" TRACE_ROW Error Spec;
    "AL0703" TRACE_ROUTE Error Spec;
    "AL0704" NO_FIGURES Error Spec;
    "AL0705" FOREIGN_POLICY Error Spec;
    "AL0706" NO_CALLER Error Spec;

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
