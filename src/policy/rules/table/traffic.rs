//! Caches, limits, identities and metrics.

use super::*;

/// The rate of an API or an operation.
const RATE: &[Attribute] = &[
    may_literal("calls", INT),
    may_literal("renewal-period", INT),
    may("retry-after-header-name", Value::Text),
    may("retry-after-variable-name", Value::Text),
    may("remaining-calls-header-name", Value::Text),
    may("remaining-calls-variable-name", Value::Text),
    may("total-calls-header-name", Value::Text),
    may("id", Value::Text),
    may("name", Value::Text),
];

const RATE_OF_OPERATION: Child = child("operation", 0, MANY, RATE, Body::Empty);

/// The quota of an API or an operation.
const QUOTA: &[Attribute] =
    &[may_literal("calls", INT), may_literal("bandwidth", LONG), may("id", Value::Text), may("name", Value::Text)];

pub(super) const TRAFFIC: &[Policy] = &[
    Policy {
        name: "authentication-basic",
        sections: INBOUND,
        source: "toolkit",
        element: Element {
            attributes: &[must("username", Value::Text), must("password", Value::Text)],
            body: Body::Empty,
        },
    },
    Policy {
        name: "authentication-certificate",
        sections: INBOUND,
        source: "toolkit",
        element: Element {
            attributes: &[
                may("thumbprint", Value::Text),
                may("certificate-id", Value::Text),
                may("body", Value::Text),
                may("password", Value::Text),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "authentication-managed-identity",
        sections: INBOUND_OUTBOUND,
        source: "authentication-managed-identity-policy",
        element: Element {
            attributes: &[
                may("resource", Value::Text),
                disputed("client-id", Value::Text),
                may_literal("output-token-variable-name", Value::Text),
                may_literal("ignore-error", Value::Bool),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "authentication-token",
        sections: EVERYWHERE,
        source: "schema",
        element: Element {
            attributes: &[
                may_literal("token-type", Value::Words(&["managed-service-identity", "token-service"])),
                may("token-service-url", Value::Text),
                may("resource-url", Value::Text),
                may_literal("ignore-error", Value::Bool),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "authentication-token-store",
        sections: EVERYWHERE,
        source: "schema",
        element: Element {
            attributes: &[
                may("token-id", Value::Text),
                may("client-id", Value::Text),
                may("output-token-variable-name", Value::Text),
                may_literal("ignore-error", Value::Bool),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "cache-lookup",
        sections: INBOUND,
        source: "toolkit",
        element: Element {
            attributes: &[
                must("vary-by-developer", Value::Bool),
                must("vary-by-developer-groups", Value::Bool),
                may("downstream-caching-type", Value::Words(&["none", "private", "public"])),
                may("must-revalidate", Value::Bool),
                may_literal("caching-type", Value::Words(CACHES)),
                may("allow-private-response-caching", Value::Bool),
            ],
            body: Body::Children(Order::Free, &[texts("vary-by-header", 0), texts("vary-by-query-parameter", 0)]),
        },
    },
    Policy {
        name: "cache-lookup-value",
        sections: EVERYWHERE,
        source: "cache-lookup-value-policy",
        element: Element {
            attributes: &[
                must("key", Value::Text),
                may("default-value", Value::Text),
                must_literal("variable-name", Value::Text),
                may_literal("caching-type", Value::Words(CACHES)),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "cache-remove-value",
        sections: EVERYWHERE,
        source: "cache-remove-value-policy",
        element: Element {
            attributes: &[must("key", Value::Text), may_literal("caching-type", Value::Words(CACHES))],
            body: Body::Empty,
        },
    },
    Policy {
        name: "cache-store",
        sections: OUTBOUND,
        source: "toolkit",
        element: Element {
            attributes: &[must("duration", INT), may("cache-response", Value::Bool), may("caching-mode", Value::Text)],
            body: Body::Empty,
        },
    },
    Policy {
        name: "cache-store-value",
        sections: EVERYWHERE,
        source: "cache-store-value-policy",
        element: Element {
            attributes: &[
                must("duration", INT),
                must("key", Value::Text),
                must("value", Value::Text),
                may_literal("caching-type", Value::Words(CACHES)),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "cache-value",
        sections: EVERYWHERE,
        source: "toolkit",
        element: Element {
            attributes: &[
                must("key", Value::Text),
                must("variable-name", Value::Text),
                may("expires-after", Value::Text),
                may("refresh-after", Value::Text),
                may("default-value", Value::Text),
                may("caching-type", Value::Text),
            ],
            body: Body::Free,
        },
    },
    Policy {
        name: "emit-metric",
        sections: EVERYWHERE,
        source: "emit-metric-policy",
        element: Element {
            attributes: &[
                may_literal("default-dimensions", Value::Bool),
                must_literal("name", Value::Text),
                may_literal("namespace", Value::Text),
                may("value", DECIMAL),
            ],
            body: Body::Children(Order::Fixed, DIMENSIONS),
        },
    },
    Policy {
        name: "get-authorization-context",
        sections: NOT_ON_ERROR,
        source: "toolkit",
        element: Element {
            attributes: &[
                must("provider-id", Value::Text),
                must("authorization-id", Value::Text),
                may("identity-type", Value::Text),
                may("identity", Value::Text),
                must("context-variable-name", Value::Text),
                may("ignore-error", Value::Bool),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "quota",
        sections: INBOUND,
        source: "quota-policy",
        element: Element {
            attributes: &[
                may_literal("calls", INT),
                may_literal("bandwidth", LONG),
                may_literal("renewal-period", INT),
            ],
            body: Body::Children(
                Order::Fixed,
                &[child(
                    "api",
                    0,
                    MANY,
                    QUOTA,
                    Body::Children(Order::Fixed, &[child("operation", 0, MANY, QUOTA, Body::Empty)]),
                )],
            ),
        },
    },
    Policy {
        name: "quota-by-key",
        sections: INBOUND,
        source: "quota-by-key-policy",
        element: Element {
            attributes: &[
                may_literal("calls", INT),
                may_literal("bandwidth", LONG),
                may("renewal-period", Value::Text),
                may_literal("first-period-start", Value::Date),
                must("counter-key", Value::Text),
                may("increment-condition", Value::Text),
                may("increment-count", Value::Text),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "rate-limit",
        sections: INBOUND,
        source: "rate-limit-policy",
        element: Element {
            attributes: &[
                must_literal("calls", INT),
                must_literal("renewal-period", Value::Whole(1, 300)),
                may_literal("retry-after-header-name", Value::Text),
                may_literal("retry-after-variable-name", Value::Text),
                may_literal("remaining-calls-header-name", Value::Text),
                may_literal("remaining-calls-variable-name", Value::Text),
                may_literal("total-calls-header-name", Value::Text),
            ],
            body: Body::Children(
                Order::Fixed,
                &[child("api", 0, MANY, RATE, Body::Children(Order::Fixed, &[RATE_OF_OPERATION])), RATE_OF_OPERATION],
            ),
        },
    },
    Policy {
        name: "rate-limit-by-key",
        sections: INBOUND,
        source: "rate-limit-by-key-policy",
        element: Element {
            attributes: &[
                must("calls", INT),
                must("renewal-period", Value::Whole(1, 300)),
                must("counter-key", Value::Text),
                may("increment-condition", Value::Text),
                may("increment-count", Value::Text),
                may_literal("increment-after-response", Value::Bool),
                may_literal("flexible-retry-window", Value::Bool),
                may_literal("retry-after-header-name", Value::Text),
                may_literal("retry-after-variable-name", Value::Text),
                may_literal("remaining-calls-header-name", Value::Text),
                may_literal("remaining-calls-variable-name", Value::Text),
                may_literal("total-calls-header-name", Value::Text),
            ],
            body: Body::Empty,
        },
    },
];
