//! The patterns of the schema, each with the words for it and the same rule in Rust.
//!
//! An editor reads the pattern, the checker runs the rule; a test holds one against the other. Limits come from
//! facts/apim.md 7.2.

use super::model::Statuses;
use crate::diagnostic::{Code, code};
use crate::time::Duration;

/// A pattern, and what stands for it here.
pub struct Format {
    /// The pattern as the schema has it.
    pub pattern: &'static str,
    /// The code of a violation.
    pub code: fn() -> Code,
    /// What a value looks like: "use ...".
    pub help: &'static str,
    /// Whether the value is used as the text that it is, so that one of the wrong form can still be read.
    pub is_text: bool,
    /// The rule.
    pub holds: fn(&str) -> bool,
}

/// Every pattern of the schema.
pub static ALL: [Format; 17] = [
    Format {
        pattern: STACK,
        is_text: true,
        code: || code::BAD_NAME,
        help: "use 2 to 40 lower-case letters, digits and hyphens, a letter first, no hyphen last",
        holds: |text| {
            (2..=40).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && text.starts_with(|c: char| c.is_ascii_lowercase())
                && !text.ends_with('-')
        },
    },
    Format {
        pattern: GUID,
        is_text: true,
        code: || code::BAD_FORMAT,
        help: "use the id of a subscription, as `az account show --query id` prints it",
        holds: |text| {
            let lengths: Vec<usize> = text.split('-').map(str::len).collect();
            lengths == [8, 4, 4, 4, 12] && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        },
    },
    Format {
        pattern: RESOURCE_GROUP,
        is_text: true,
        code: || code::BAD_NAME,
        help: "use up to 90 letters, digits, `-`, `_`, `.`, `(` and `)`, no dot last",
        holds: |text| {
            (1..=90).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.()".contains(&b))
                && !text.ends_with('.')
        },
    },
    Format {
        pattern: LOCATION,
        is_text: true,
        code: || code::BAD_FORMAT,
        help: "use a region's name, as `eastus2`",
        holds: |text| {
            (2..=40).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ')
                && text.starts_with(|c: char| c.is_ascii_alphabetic())
        },
    },
    Format {
        pattern: SERVICE,
        is_text: true,
        code: || code::BAD_NAME,
        help: "use up to 50 letters, digits and hyphens, a letter first, no hyphen last",
        holds: |text| text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.len() <= 50 && hyphenated(text),
    },
    Format {
        pattern: ACCOUNT,
        is_text: true,
        code: || code::BAD_NAME,
        help: "use 2 to 64 letters, digits and hyphens, no hyphen at the ends: it is also a sub-domain",
        holds: |text| (2..=64).contains(&text.len()) && hyphenated(text),
    },
    Format {
        pattern: EMAIL,
        is_text: true,
        code: || code::BAD_FORMAT,
        help: "use an address that is read, as `ai@contoso.com`",
        holds: |text| {
            let parts: Vec<&str> = text.split('@').collect();
            text.len() <= 100
                && parts.len() == 2
                && parts.iter().all(|part| !part.is_empty())
                && text.bytes().all(|b| b.is_ascii_graphic())
        },
    },
    Format {
        pattern: API_PATH,
        is_text: true,
        code: || code::BAD_FORMAT,
        help: "use words of letters, digits, `-`, `_`, `.` and `~` with single slashes between them, as `openai`",
        holds: |text| {
            let inner = text.strip_prefix('/').unwrap_or(text);
            let inner = inner.strip_suffix('/').unwrap_or(inner);
            let part = |part: &str| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
            };
            text.len() <= 400 && inner.split('/').all(part)
        },
    },
    Format {
        pattern: HEADER,
        is_text: true,
        code: || code::BAD_NAME,
        help: "use up to 64 letters, digits, `-` and `_`",
        holds: |text| {
            (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        },
    },
    Format {
        pattern: ARM_ID,
        is_text: true,
        code: || code::BAD_FORMAT,
        help: "use the ARM id, `/subscriptions/ID/resourceGroups/GROUP/providers/...`, as `az resource show --query id` prints it",
        holds: is_arm_id,
    },
    Format {
        pattern: SINK,
        is_text: true,
        code: || code::BAD_FORMAT,
        help: "use `new`, or the ARM id of one that is there",
        holds: |text| text == "new" || is_arm_id(text),
    },
    Format {
        pattern: URL,
        is_text: true,
        code: || code::BAD_FORMAT,
        help: "use an address that begins with `https://`, without a query",
        holds: |text| {
            text.strip_prefix("https://").is_some_and(|rest| {
                rest.len() <= 1000
                    && rest.starts_with(|c: char| c.is_ascii_alphanumeric())
                    && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~:/%-".contains(&b))
            })
        },
    },
    Format {
        pattern: SECRET,
        is_text: true,
        code: || code::BAD_FORMAT,
        help: "use the secret's address, `https://VAULT.vault.azure.net/secrets/NAME`",
        holds: |text| {
            let parts: Vec<&str> = text.split('/').collect();
            let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            match parts.as_slice() {
                ["https:", "", host, "secrets", name] | ["https:", "", host, "secrets", name, _] => {
                    let version = parts.get(5).is_none_or(|version| word(version));
                    let host_ok = host.split_once('.').is_some_and(|(vault, domain)| {
                        word(vault)
                            && domain.starts_with("vault.")
                            && domain.len() > "vault.".len()
                            && domain.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'-')
                    });
                    host_ok && word(name) && version
                }
                _ => false,
            }
        },
    },
    Format {
        pattern: API_VERSION,
        is_text: true,
        code: || code::BAD_FORMAT,
        help: "use an api-version, as `2024-10-21`",
        holds: |text| {
            let date = text.strip_suffix("-preview").unwrap_or(text);
            let lengths: Vec<usize> = date.split('-').map(str::len).collect();
            lengths == [4, 2, 2] && date.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        },
    },
    Format {
        pattern: COMMIT,
        is_text: true,
        code: || code::BAD_FORMAT,
        help: "use a whole commit, 40 hexadecimal digits in lower case: a branch would move",
        holds: |text| text.len() == 40 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
    },
    Format {
        pattern: DURATION,
        is_text: false,
        code: || code::BAD_DURATION,
        help: "use ISO 8601, as `PT1M30S`, or the short form, as `90s`",
        holds: |text| Duration::parse(text).is_some(),
    },
    Format {
        pattern: STATUSES,
        is_text: false,
        code: || code::STATUS_CODES,
        help: "use statuses from 200 to 599: `429`, `500-503` or `5xx`",
        holds: |text| Statuses::parse(text).is_some(),
    },
];

/// The format of a pattern, where `text` does not have it.
pub fn violated(pattern: &str, text: &str) -> Option<&'static Format> {
    ALL.iter().find(|format| format.pattern == pattern && !(format.holds)(text))
}

fn is_arm_id(text: &str) -> bool {
    text.strip_prefix("/subscriptions/").is_some_and(|rest| {
        text.len() <= 500
            && !rest.starts_with('/')
            && !rest.is_empty()
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.()/".contains(&b))
    })
}

fn hyphenated(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !text.starts_with('-') && !text.ends_with('-')
}

/// A stack's name; 40 characters leave room in the names that follow from it.
pub const STACK: &str = "^[a-z][a-z0-9-]{0,38}[a-z0-9]$";
/// A subscription's id.
pub const GUID: &str = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";
/// A resource group.
pub const RESOURCE_GROUP: &str = "^[A-Za-z0-9_.()-]{0,89}[A-Za-z0-9_()-]$";
/// A region.
pub const LOCATION: &str = "^[A-Za-z][A-Za-z0-9 ]{1,39}$";
/// An API Management service.
pub const SERVICE: &str = "^[A-Za-z]([A-Za-z0-9-]{0,48}[A-Za-z0-9])?$";
/// An Azure OpenAI account.
pub const ACCOUNT: &str = "^[A-Za-z0-9][A-Za-z0-9-]{0,62}[A-Za-z0-9]$";
/// An e-mail address, roughly.
pub const EMAIL: &str = "^(?=.{3,100}$)[!-?A-~]+@[!-?A-~]+$";
/// An API's path; slashes at its ends are dropped.
pub const API_PATH: &str = "^(?=.{1,400}$)/?[A-Za-z0-9_.~-]+(/[A-Za-z0-9_.~-]+)*/?$";
/// A header or a query parameter.
pub const HEADER: &str = "^[A-Za-z0-9_-]{1,64}$";
/// A length of time.
pub const DURATION: &str = Duration::PATTERN;
/// One status or several.
pub const STATUSES: &str = "^([2-5][0-9]{2}(-[2-5][0-9]{2})?|[2-5]xx)$";
/// An ARM id.
pub const ARM_ID: &str = "^(?=.{1,500}$)/subscriptions/[A-Za-z0-9_.()-][A-Za-z0-9_.()/-]*$";
/// Where records go.
pub const SINK: &str = "^(new|(?=.{1,500}$)/subscriptions/[A-Za-z0-9_.()-][A-Za-z0-9_.()/-]*)$";
/// An address of a backend.
pub const URL: &str = "^https://[A-Za-z0-9][A-Za-z0-9._~:/%-]{0,999}$";
/// A secret of a key vault.
pub const SECRET: &str = "^https://[A-Za-z0-9-]+\\.vault\\.[a-z.-]+/secrets/[A-Za-z0-9-]+(/[A-Za-z0-9-]+)?$";
/// A version of Azure OpenAI's API.
pub const API_VERSION: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$";
/// A commit.
pub const COMMIT: &str = "^[0-9a-f]{40}$";
