//! What decides, calls and answers, and what changes the request and the answer.

use super::*;

/// What makes up a request that a policy sends.
const REQUEST: &[Child] = &[
    policy("set-url", 0, 1),
    policy("set-method", 0, 1),
    policy("set-header", 0, MANY),
    policy("set-body", 0, 1),
    policy("authentication-certificate", 0, 1),
    policy("authentication-token", 0, 1),
    policy("authentication-token-store", 0, 1),
    policy("authentication-managed-identity", 0, 1),
    policy("proxy", 0, 1),
];

pub(super) const FLOW: &[Policy] = &[
    Policy {
        name: "choose",
        sections: EVERYWHERE,
        source: "choose-policy",
        element: Element {
            attributes: &[],
            body: Body::Children(
                Order::Fixed,
                &[
                    child("when", 1, MANY, &[must("condition", Value::Bool)], Body::Policies),
                    child("otherwise", 0, 1, &[], Body::Policies),
                ],
            ),
        },
    },
    Policy {
        name: "forward-request",
        sections: BACKEND,
        source: "forward-request-policy",
        element: Element {
            attributes: &[
                may("timeout", INT),
                may("timeout-ms", INT),
                may("continue-timeout", INT),
                may("follow-redirects", Value::Bool),
                may_literal("buffer-request-body", Value::Bool),
                may_literal("buffer-response", Value::Bool),
                may_literal("fail-on-error-status-code", Value::Bool),
                may("http-version", Value::Text),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "include-fragment",
        sections: EVERYWHERE,
        source: "include-fragment-policy",
        element: Element { attributes: &[must_literal("fragment-id", Value::Text)], body: Body::Empty },
    },
    Policy {
        name: "limit-concurrency",
        sections: EVERYWHERE,
        source: "limit-concurrency-policy",
        element: Element {
            attributes: &[must("key", Value::Text), must_literal("max-count", INT)],
            body: Body::Policies,
        },
    },
    Policy {
        name: "mock-response",
        sections: NOT_BACKEND,
        source: "toolkit",
        element: Element {
            attributes: &[
                may_literal("enabled", Value::Bool),
                may_literal("status-code", INT),
                may_literal("content-type", Value::Text),
                may_literal("index", INT),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "proxy",
        sections: INBOUND,
        source: "toolkit",
        element: Element {
            attributes: &[must("url", Value::Text), may("username", Value::Text), may("password", Value::Text)],
            body: Body::Empty,
        },
    },
    Policy {
        name: "retry",
        sections: EVERYWHERE,
        source: "retry-policy",
        element: Element {
            attributes: &[
                must("condition", Value::Bool),
                must("count", Value::Whole(1, 50)),
                must("interval", Value::Whole(0, i64::MAX)),
                may("delta", Value::Whole(1, i64::MAX)),
                may("max-interval", Value::Whole(1, i64::MAX)),
                may("first-fast-retry", Value::Bool),
            ],
            body: Body::Policies,
        },
    },
    Policy {
        name: "return-response",
        sections: EVERYWHERE,
        source: "return-response-policy",
        element: Element {
            attributes: &[may_literal("response-variable-name", Value::Text)],
            body: Body::Children(
                Order::Fixed,
                &[policy("set-status", 0, 1), policy("set-header", 0, MANY), policy("set-body", 0, 1)],
            ),
        },
    },
    Policy {
        name: "rewrite-uri",
        sections: INBOUND,
        source: "rewrite-uri-policy",
        element: Element {
            attributes: &[must("template", Value::Text), may("copy-unmatched-params", Value::Bool)],
            body: Body::Empty,
        },
    },
    Policy {
        name: "send-one-way-request",
        sections: EVERYWHERE,
        source: "toolkit",
        element: Element {
            attributes: &[may("mode", Value::Words(&["new", "copy"])), may_literal("timeout", INT)],
            body: Body::Children(Order::Fixed, REQUEST),
        },
    },
    Policy {
        name: "send-request",
        sections: EVERYWHERE,
        source: "send-request-policy",
        element: Element {
            attributes: &[
                may("mode", Value::Words(&["new", "copy"])),
                may("response-variable-name", Value::Text),
                may("timeout", INT),
                may("timeout-ms", INT),
                may_literal("ignore-error", Value::Bool),
                may_literal("buffer-response", Value::Bool),
                may_literal("fail-on-error-status-code", Value::Bool),
            ],
            body: Body::Children(Order::Fixed, REQUEST),
        },
    },
    Policy {
        name: "set-backend-service",
        sections: INBOUND_BACKEND,
        source: "set-backend-service-policy",
        element: Element {
            attributes: &[
                may("backend-id", Value::Text),
                may("base-url", Value::Text),
                may("sf-partition-key", Value::Text),
                may("dapr-app-id", Value::Text),
                may("dapr-method", Value::Text),
                may("dapr-namespace", Value::Text),
                may("sf-replica-type", Value::Words(&["primary", "secondary"])),
                may("sf-resolve-condition", Value::Bool),
                may("sf-service-instance-name", Value::Text),
                may("sf-listener-name", Value::Text),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "set-body",
        sections: EVERYWHERE,
        source: "set-body-policy",
        element: Element {
            attributes: &[
                may_literal("template", Value::Words(&["none", "liquid"])),
                may_literal("xsi-nil", Value::Words(&["blank", "null"])),
                may_literal("parse-date", Value::Bool),
                may_literal("html-decode-expression", Value::Bool),
            ],
            body: Body::Free,
        },
    },
    Policy {
        name: "set-header",
        sections: EVERYWHERE,
        source: "set-header-policy",
        element: Element {
            attributes: &[must("name", Value::Text), may("exists-action", Value::Words(EXISTS))],
            body: Body::Children(Order::Fixed, &[texts("value", 0)]),
        },
    },
    Policy {
        name: "set-method",
        sections: EVERYWHERE,
        source: "api-management-error-handling-policies",
        element: Element { attributes: &[], body: Body::Text(Value::Some) },
    },
    Policy {
        name: "set-query-parameter",
        sections: INBOUND_BACKEND,
        source: "set-query-parameter-policy",
        element: Element {
            attributes: &[must("name", Value::Text), may("exists-action", Value::Words(EXISTS))],
            body: Body::Children(Order::Fixed, &[texts("value", 0)]),
        },
    },
    Policy {
        name: "set-status",
        sections: EVERYWHERE,
        source: "set-status-policy",
        element: Element {
            attributes: &[must("code", Value::Whole(100, 999)), may("reason", Value::Text)],
            body: Body::Empty,
        },
    },
    Policy {
        name: "set-url",
        sections: NOWHERE,
        source: "send-request-policy",
        element: Element { attributes: &[], body: Body::Text(Value::Some) },
    },
    Policy {
        name: "set-variable",
        sections: EVERYWHERE,
        source: "set-variable-policy",
        element: Element {
            attributes: &[must_literal("name", Value::Text), must("value", Value::Text)],
            body: Body::Empty,
        },
    },
    Policy {
        name: "trace",
        sections: EVERYWHERE,
        source: "trace-policy",
        element: Element {
            attributes: &[
                must("source", Value::Text),
                may_literal("severity", Value::Words(&["verbose", "information", "error"])),
            ],
            body: Body::Children(
                Order::Mixed,
                &[
                    child("metadata", 0, MANY, &[must("name", Value::Text), must("value", Value::Text)], Body::Empty),
                    texts("message", 0),
                ],
            ),
        },
    },
    Policy {
        name: "wait",
        sections: NOT_ON_ERROR,
        source: "wait-policy",
        element: Element {
            attributes: &[must("for", Value::Words(&["all", "any"]))],
            body: Body::Children(
                Order::Free,
                &[
                    policy("choose", 0, MANY),
                    policy("forward-request", 0, MANY),
                    policy("send-request", 0, MANY),
                    policy("cache-lookup-value", 0, MANY),
                    policy("cache-store-value", 0, MANY),
                    policy("authentication-managed-identity", 0, MANY),
                    policy("authentication-token", 0, MANY),
                ],
            ),
        },
    },
];
