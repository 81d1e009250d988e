//! What refuses callers and contents.

use super::*;

/// What is said of a claim that a token must have.
const CLAIM: &[Attribute] =
    &[may("name", Value::Text), may("match", Value::Words(&["all", "any"])), may("separator", Value::Text)];

const PARAMETERS: &[Child] =
    &[child("parameter", 0, MANY, &[must("name", Value::Text), must("action", Value::Words(ACTIONS))], Body::Empty)];

/// What happens to parameters that the API names, and to others.
const PARAMETER_ACTIONS: &[Attribute] = &[
    must("specified-parameter-action", Value::Words(ACTIONS)),
    must("unspecified-parameter-action", Value::Words(ACTIONS)),
];

pub(super) const VALIDATE: &[Policy] = &[
    Policy {
        name: "check-header",
        sections: INBOUND,
        source: "toolkit",
        element: Element {
            attributes: &[
                must("name", Value::Text),
                must("failed-check-httpcode", INT),
                may("failed-check-error-message", Value::Text),
                may("ignore-case", Value::Bool),
            ],
            body: Body::Children(Order::Fixed, &[texts("value", 0)]),
        },
    },
    Policy {
        name: "cors",
        sections: INBOUND,
        source: "toolkit",
        element: Element {
            attributes: &[may("allow-credentials", Value::Bool), may("terminate-unmatched-request", Value::Bool)],
            body: Body::Children(
                Order::Free,
                &[
                    child("allowed-origins", 1, 1, &[], Body::Children(Order::Fixed, &[texts("origin", 1)])),
                    child(
                        "allowed-methods",
                        0,
                        1,
                        &[may("preflight-result-max-age", Value::Whole(0, 4_294_967_295))],
                        Body::Children(Order::Fixed, &[texts("method", 1)]),
                    ),
                    group("allowed-headers", &[texts("header", 1)]),
                    group("expose-headers", &[texts("header", 1)]),
                ],
            ),
        },
    },
    Policy {
        name: "cross-domain",
        sections: INBOUND,
        source: "toolkit",
        element: Element { attributes: &[], body: Body::Free },
    },
    Policy {
        name: "ip-filter",
        sections: INBOUND,
        source: "toolkit",
        element: Element {
            attributes: &[may("action", Value::Words(&["allow", "forbid"]))],
            body: Body::Children(
                Order::Free,
                &[
                    texts("address", 0),
                    child("address-range", 0, MANY, &[must("from", Value::Text), must("to", Value::Text)], Body::Empty),
                ],
            ),
        },
    },
    Policy {
        name: "jsonp",
        sections: OUTBOUND,
        source: "toolkit",
        element: Element { attributes: &[must("callback-parameter-name", Value::Text)], body: Body::Empty },
    },
    Policy {
        name: "validate-azure-ad-token",
        sections: INBOUND,
        source: "validate-azure-ad-token-policy",
        element: Element {
            attributes: &[
                may("failed-validation-httpcode", INT),
                may("failed-validation-error-message", Value::Text),
                must("tenant-id", Value::Text),
                may("header-name", Value::Text),
                may("authentication-endpoint", Value::Text),
                may("require-scheme", Value::Text),
                may("query-parameter-name", Value::Text),
                may("token-value", Value::Text),
                may("allow-protected-forwarded-tokens", Value::Bool),
                may("allow-proof-of-possession-tokens", Value::Bool),
                may("output-token-variable-name", Value::Some),
            ],
            body: Body::Children(
                Order::Free,
                &[
                    group("backend-application-ids", &[texts("application-id", 1)]),
                    group("client-application-ids", &[texts("application-id", 1)]),
                    group("audiences", &[texts("audience", 1)]),
                    group(
                        "required-claims",
                        &[child("claim", 1, MANY, CLAIM, Body::Children(Order::Fixed, &[texts("value", 0)]))],
                    ),
                    group(
                        "decryption-keys",
                        &[child(
                            "key",
                            1,
                            MANY,
                            &[may("id", Value::Text), must("certificate-id", Value::Text)],
                            Body::Empty,
                        )],
                    ),
                ],
            ),
        },
    },
    Policy {
        name: "validate-client-certificate",
        sections: INBOUND,
        source: "toolkit",
        element: Element {
            attributes: &[
                may_literal("validate-revocation", Value::Bool),
                may_literal("validate-trust", Value::Bool),
                may_literal("validate-not-before", Value::Bool),
                may_literal("validate-not-after", Value::Bool),
                may_literal("ignore-error", Value::Bool),
            ],
            body: Body::Children(
                Order::Fixed,
                &[group(
                    "identities",
                    &[child(
                        "identity",
                        1,
                        10,
                        &[
                            may("thumbprint", Value::Text),
                            may("serial-number", Value::Text),
                            may("common-name", Value::Text),
                            may("subject", Value::Text),
                            may("dns-name", Value::Text),
                            may("issuer-subject", Value::Text),
                            may("issuer-thumbprint", Value::Text),
                            may("issuer-certificate-id", Value::Text),
                        ],
                        Body::Text(Value::Text),
                    )],
                )],
            ),
        },
    },
    Policy {
        name: "validate-content",
        sections: NOT_BACKEND,
        source: "toolkit",
        element: Element {
            attributes: &[
                must("unspecified-content-type-action", Value::Words(ACTIONS)),
                must("max-size", Value::Whole(0, 4_294_967_295)),
                must("size-exceeded-action", Value::Words(ACTIONS)),
                may("errors-variable-name", Value::Text),
            ],
            body: Body::Children(
                Order::Fixed,
                &[
                    child(
                        "content-type-map",
                        0,
                        1,
                        &[may("any-content-type-value", Value::Text), may("missing-content-type-value", Value::Text)],
                        Body::Children(
                            Order::Fixed,
                            &[child(
                                "type",
                                0,
                                MANY,
                                &[may("from", Value::Text), may("when", Value::Bool), must("to", Value::Text)],
                                Body::Empty,
                            )],
                        ),
                    ),
                    child(
                        "content",
                        0,
                        MANY,
                        &[
                            must_literal("validate-as", Value::Words(&["json", "xml", "soap"])),
                            may("type", Value::Text),
                            must("action", Value::Words(ACTIONS)),
                            may("schema-id", Value::Text),
                            may("schema-ref", Value::Text),
                            may_literal("allow-additional-properties", Value::Bool),
                            may_literal("case-insensitive-property-names", Value::Bool),
                        ],
                        Body::Empty,
                    ),
                ],
            ),
        },
    },
    Policy {
        name: "validate-graphql-request",
        sections: INBOUND,
        source: "validate-graphql-request-policy",
        element: Element {
            attributes: &[
                may("error-variable-name", Value::Text),
                may("max-depth", Value::Text),
                may("max-size", Value::Text),
                may("max-total-depth", Value::Text),
                may("max-complexity", Value::Text),
            ],
            body: Body::Children(
                Order::Fixed,
                &[group(
                    "authorize",
                    &[child(
                        "rule",
                        1,
                        100,
                        &[must("path", Value::Text), may("action", Value::Words(&["allow", "reject", "remove"]))],
                        Body::Empty,
                    )],
                )],
            ),
        },
    },
    Policy {
        name: "validate-headers",
        sections: AFTER_BACKEND,
        source: "toolkit",
        element: Element {
            attributes: &[
                must("specified-header-action", Value::Words(ACTIONS)),
                must("unspecified-header-action", Value::Words(ACTIONS)),
                may("errors-variable-name", Value::Text),
            ],
            body: Body::Children(
                Order::Fixed,
                &[child(
                    "header",
                    0,
                    MANY,
                    &[must("name", Value::Text), must("action", Value::Words(ACTIONS))],
                    Body::Empty,
                )],
            ),
        },
    },
    Policy {
        name: "validate-jwt",
        sections: INBOUND,
        source: "validate-jwt-policy",
        element: Element {
            attributes: &[
                may("failed-validation-httpcode", INT),
                may("failed-validation-error-message", Value::Text),
                may("header-name", Value::Text),
                may("require-scheme", Value::Text),
                may("query-parameter-name", Value::Text),
                may("token-value", Value::Text),
                may("clock-skew", INT),
                may("require-expiration-time", Value::Bool),
                may("require-signed-tokens", Value::Bool),
                may_literal("output-token-variable-name", Value::Some),
            ],
            body: Body::Children(
                Order::Fixed,
                &[
                    child("openid-config", 0, MANY, &[must("url", Value::Text), may("host", Value::Text)], Body::Empty),
                    group("issuer-signing-tokens", &[texts("token", 0)]),
                    child(
                        "issuer-signing-keys",
                        0,
                        1,
                        &[],
                        Body::Children(
                            Order::Free,
                            &[
                                child(
                                    "key",
                                    0,
                                    MANY,
                                    &[
                                        may("id", Value::Text),
                                        may("certificate-id", Value::Text),
                                        may("n", Value::Text),
                                        may("e", Value::Text),
                                    ],
                                    Body::Text(Value::Text),
                                ),
                                child("zumo-master-key", 0, MANY, &[may("id", Value::Text)], Body::Text(Value::Text)),
                            ],
                        ),
                    ),
                    group(
                        "decryption-keys",
                        &[child(
                            "key",
                            1,
                            MANY,
                            &[may("id", Value::Text), may("certificate-id", Value::Text)],
                            Body::Text(Value::Text),
                        )],
                    ),
                    group("audiences", &[texts("audience", 0)]),
                    group("issuers", &[texts("issuer", 0)]),
                    group(
                        "required-claims",
                        &[child("claim", 0, MANY, CLAIM, Body::Children(Order::Fixed, &[texts("value", 0)]))],
                    ),
                ],
            ),
        },
    },
    Policy {
        name: "validate-odata-request",
        sections: INBOUND,
        source: "toolkit",
        element: Element {
            attributes: &[
                may("error-variable-name", Value::Text),
                may("default-odata-version", Value::Text),
                may("min-odata-version", Value::Text),
                may("max-odata-version", Value::Text),
                may("max-size", Value::Text),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "validate-parameters",
        sections: INBOUND,
        source: "toolkit",
        element: Element {
            attributes: &[
                must("specified-parameter-action", Value::Words(ACTIONS)),
                must("unspecified-parameter-action", Value::Words(ACTIONS)),
                may("errors-variable-name", Value::Text),
            ],
            body: Body::Children(
                Order::Fixed,
                &[
                    child("headers", 0, 1, PARAMETER_ACTIONS, Body::Children(Order::Fixed, PARAMETERS)),
                    child("query", 0, 1, PARAMETER_ACTIONS, Body::Children(Order::Fixed, PARAMETERS)),
                    child(
                        "path",
                        0,
                        1,
                        &[must("specified-parameter-action", Value::Words(ACTIONS))],
                        Body::Children(Order::Fixed, PARAMETERS),
                    ),
                ],
            ),
        },
    },
    Policy {
        name: "validate-status-code",
        sections: AFTER_BACKEND,
        source: "toolkit",
        element: Element {
            attributes: &[
                must("unspecified-status-code-action", Value::Words(ACTIONS)),
                may("errors-variable-name", Value::Text),
            ],
            body: Body::Children(
                Order::Fixed,
                &[child(
                    "status-code",
                    0,
                    MANY,
                    &[must_literal("code", Value::Whole(0, 4_294_967_295)), must("action", Value::Words(ACTIONS))],
                    Body::Empty,
                )],
            ),
        },
    },
];
