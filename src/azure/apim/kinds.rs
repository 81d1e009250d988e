//! Every kind of child that a service has here.

use super::child::{Child, Write, as_kept, no_action, nothing_more};
use super::{
    apis, backends, diagnostics, loggers, named_values, operations, people, policies, products, subscriptions,
};
use super::{fragments, plain, releases, version_sets};

const fn child(kind: &'static str, what: &'static str, id: (&'static str, usize), write: Write) -> Child {
    Child { kind, what, id, write, show: as_kept, delete: nothing_more, action: no_action }
}

/// The kinds.
pub(super) const KINDS: &[Child] = &[
    Child {
        delete: backends::delete,
        action: backends::action,
        ..child("Microsoft.ApiManagement/service/backends", "Backend", ("backendId", 80), backends::write)
    },
    Child {
        show: named_values::show,
        delete: named_values::delete,
        action: named_values::action,
        ..child("Microsoft.ApiManagement/service/namedValues", "Property", ("namedValueId", 256), named_values::write)
    },
    Child {
        show: apis::show,
        delete: apis::delete,
        ..child("Microsoft.ApiManagement/service/apis", "Api", ("apiId", 256), apis::write)
    },
    Child {
        show: operations::show,
        ..child("Microsoft.ApiManagement/service/apis/operations", "Operation", ("operationId", 80), operations::write)
    },
    diagnostic("Microsoft.ApiManagement/service/apis/diagnostics"),
    diagnostic("Microsoft.ApiManagement/service/diagnostics"),
    Child {
        show: plain::show_schema,
        ..child("Microsoft.ApiManagement/service/apis/schemas", "Schema", ("schemaId", 80), plain::schema)
    },
    child("Microsoft.ApiManagement/service/apis/releases", "ApiRelease", ("releaseId", 80), releases::write),
    Child {
        show: plain::show_resolver,
        ..child("Microsoft.ApiManagement/service/apis/resolvers", "Resolver", ("resolverId", 80), plain::resolver)
    },
    Child {
        delete: version_sets::delete,
        ..child(
            "Microsoft.ApiManagement/service/apiVersionSets",
            "ApiVersionSet",
            ("versionSetId", 80),
            version_sets::write,
        )
    },
    child("Microsoft.ApiManagement/service/loggers", "Logger", ("loggerId", 256), loggers::write),
    Child {
        delete: fragments::delete,
        ..child("Microsoft.ApiManagement/service/policyFragments", "PolicyFragment", ("id", 80), fragments::write)
    },
    Child {
        show: products::show,
        delete: products::delete,
        ..child("Microsoft.ApiManagement/service/products", "Product", ("productId", 256), products::write)
    },
    child("Microsoft.ApiManagement/service/products/apiLinks", "ProductApiLink", ("apiLinkId", 80), products::api_link),
    Child {
        show: subscriptions::show,
        action: subscriptions::action,
        ..child("Microsoft.ApiManagement/service/subscriptions", "Subscription", ("sid", 256), subscriptions::write)
    },
    Child {
        delete: people::delete_group,
        ..child("Microsoft.ApiManagement/service/groups", "Group", ("groupId", 256), people::group)
    },
    Child {
        delete: people::delete_user,
        ..child("Microsoft.ApiManagement/service/users", "User", ("userId", 80), people::user)
    },
    child("Microsoft.ApiManagement/service/tags", "Tag", ("tagId", 80), plain::tag),
    tag_link("Microsoft.ApiManagement/service/apis/tags"),
    tag_link("Microsoft.ApiManagement/service/apis/operations/tags"),
    tag_link("Microsoft.ApiManagement/service/products/tags"),
    child("Microsoft.ApiManagement/service/caches", "Cache", ("cacheId", 80), plain::cache),
    child(
        "Microsoft.ApiManagement/service/authorizationProviders",
        "AuthorizationProvider",
        ("authorizationProviderId", 256),
        plain::authorization_provider,
    ),
    policy("Microsoft.ApiManagement/service/policies"),
    policy("Microsoft.ApiManagement/service/apis/policies"),
    policy("Microsoft.ApiManagement/service/apis/operations/policies"),
    policy("Microsoft.ApiManagement/service/apis/resolvers/policies"),
    policy("Microsoft.ApiManagement/service/products/policies"),
];

const fn diagnostic(kind: &'static str) -> Child {
    Child { show: diagnostics::show, ..child(kind, "Diagnostic", ("diagnosticId", 80), diagnostics::write) }
}

const fn tag_link(kind: &'static str) -> Child {
    child(kind, "Tag", ("tagId", 80), plain::tag_link)
}

const fn policy(kind: &'static str) -> Child {
    Child { show: policies::show, ..child(kind, "PoliciesConfiguration", ("policyId", 80), policies::write) }
}

/// The kind of a type in Azure's own case.
pub(super) fn kind_of(kind: &str) -> Option<&'static Child> {
    KINDS.iter().find(|child| child.kind == kind)
}
