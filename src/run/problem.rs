//! What Azure said, as diagnostics: the leaf cause first, then the key, Azure's code, the id of the request.

use crate::arm::{Failure, failure, id};
use crate::diagnostic::{Code, Diagnostic, code};
use crate::topology::Address;
use crate::wire::{Request, Response, Transport};

/// No answer came.
pub(super) fn unreachable(request: &Request, silence: &Transport) -> Diagnostic {
    Diagnostic::new(code::AZURE_UNREACHABLE, silence.to_string())
        .note(format!("asked for {} {}", request.method.as_str(), path(request)))
        .help("check the network and run the command again; it reads what is there first")
}

/// An answer that is no JSON.
pub(super) fn no_json(request: &Request) -> Diagnostic {
    Diagnostic::new(code::NOT_UNDERSTOOD, "Azure answered with something that is no JSON")
        .note(format!("asked for {} {}", request.method.as_str(), path(request)))
        .help("check for a proxy between this machine and Azure")
}

/// Azure refused a request that is about nothing in particular of the spec.
pub(super) fn refused(request: &Request, response: &Response) -> Diagnostic {
    let cause = failure::failures(response).into_iter().next().unwrap_or_default();
    told(&cause, None, code::AZURE_REFUSED).note(format!("asked for {} {}", request.method.as_str(), path(request)))
}

/// Causes of something that failed, about a thing of the spec.
pub(super) fn all(causes: &[Failure], address: &Address, code: Code) -> Vec<Diagnostic> {
    causes.iter().map(|cause| told(cause, Some(address), code)).collect()
}

/// One cause.
pub(super) fn told(cause: &Failure, address: Option<&Address>, code: Code) -> Diagnostic {
    let code = if is_forbidden(cause) { code::AZURE_FORBIDDEN } else { code };
    let message = if cause.message.is_empty() { cause.code.clone() } else { cause.message.clone() };
    let mut diagnostic = Diagnostic::new(code, message);
    if let Some(address) = address {
        diagnostic = diagnostic.at(address.key()).label(address.to_string());
    }
    let mut said = String::from("Azure said ");
    said.push_str(if cause.code.is_empty() { "no code" } else { &cause.code });
    if cause.status > 0 {
        said.push_str(&format!(" with status {}", cause.status));
    }
    if let Some(target) = &cause.target {
        said.push_str(&format!(" about {}", id::name(target)));
    }
    if let Some(request) = &cause.request {
        said.push_str(&format!(" (request {request})"));
    }
    diagnostic = diagnostic.note(said);
    match help(&cause.code) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

fn is_forbidden(cause: &Failure) -> bool {
    let codes = ["AuthorizationFailed", "LinkedAuthorizationFailed", "Forbidden", "InvalidAuthenticationToken"];
    matches!(cause.status, 401 | 403) || codes.iter().any(|code| code.eq_ignore_ascii_case(&cause.code))
}

/// What to do about a code of Azure's, where that is known.
fn help(code: &str) -> Option<&'static str> {
    let known = [
        ("InsufficientQuota", "lower the capacity, choose another region, or ask Azure for more quota"),
        ("FlagMustBeSetForRestore", "choose `--recover NAME` or `--purge NAME` for the soft-deleted account"),
        (
            "ServiceAlreadyExistsInSoftDeletedState",
            "choose `--recover NAME` or `--purge NAME` for the soft-deleted service",
        ),
        ("ServiceAlreadyExists", "the name is taken in the whole world: choose another in `gateway.name`"),
        ("CustomDomainInUse", "the sub-domain is taken in the whole world: choose another account name"),
        ("AuthorizationFailed", "ask for a role that holds the action, on the resource group or above"),
        ("LinkedAuthorizationFailed", "ask for a role that holds the action on the linked resource too"),
        (
            "MissingSubscriptionRegistration",
            "register the resource provider in the subscription: `az provider register`",
        ),
        ("ScopeLocked", "remove the lock, or ask whoever set it"),
        ("RequestDisallowedByPolicy", "a policy of the subscription forbids it: ask whoever owns that policy"),
        ("PreconditionFailed", "plan again"),
    ];
    known.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)).map(|(_, help)| *help)
}

/// The address of a request without its query, which can hold a signature.
fn path(request: &Request) -> &str {
    request.url.split('?').next().unwrap_or_default()
}
