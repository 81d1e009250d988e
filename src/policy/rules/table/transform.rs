//! What changes contents, and what speaks to other services.

use super::*;

pub(super) const TRANSFORM: &[Policy] = &[
    Policy {
        name: "block",
        sections: EVERYWHERE,
        source: "schema",
        element: Element { attributes: &[], body: Body::Policies },
    },
    Policy {
        name: "find-and-replace",
        sections: EVERYWHERE,
        source: "toolkit",
        element: Element { attributes: &[must("from", Value::Text), must("to", Value::Text)], body: Body::Empty },
    },
    Policy {
        name: "invoke-dapr-binding",
        sections: NOT_BACKEND,
        source: "toolkit",
        element: Element {
            attributes: &[
                must("name", Value::Text),
                may_literal("template", Value::Words(&["liquid"])),
                may("response-variable-name", Value::Text),
                may("operation", Value::Text),
                may("timeout", INT),
                may_literal("ignore-error", Value::Bool),
            ],
            body: Body::Children(
                Order::Mixed,
                &[
                    group("metadata", &[child("item", 0, MANY, &[must("key", Value::Text)], Body::Text(Value::Text))]),
                    child("data", 0, 1, &[], Body::Free),
                ],
            ),
        },
    },
    Policy {
        name: "invoke-request",
        sections: EVERYWHERE,
        source: "schema",
        element: Element {
            attributes: &[must("url", Value::Text)],
            body: Body::Children(Order::Fixed, &[texts("value", 0)]),
        },
    },
    Policy {
        name: "json-to-xml",
        sections: EVERYWHERE,
        source: "toolkit",
        element: Element {
            attributes: &[
                must("apply", Value::Words(&["always", "content-type-json"])),
                may("consider-accept-header", Value::Bool),
                may_literal("parse-date", Value::Bool),
                may("attribute-block-name", Value::Text),
                may("attribute-prefix", Value::Text),
                may("namespace-block-name", Value::Text),
                may("namespace-separator", Value::Text),
                may("namespace-prefix", Value::Text),
                may("invalid-character-replacement", Value::Text),
                may("null-values", Value::Text),
                may_literal("trim-values", Value::Bool),
                may("empty-values", Value::Words(&["preserve", "as-null"])),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "log-to-eventhub",
        sections: EVERYWHERE,
        source: "toolkit",
        element: Element {
            attributes: &[
                must("logger-id", Value::Text),
                may("partition-key", Value::Text),
                may("partition-id", Value::Text),
            ],
            body: Body::Text(Value::Text),
        },
    },
    Policy {
        name: "publish-to-dapr",
        sections: NOT_BACKEND,
        source: "toolkit",
        element: Element {
            attributes: &[
                may("pubsub-name", Value::Text),
                must("topic", Value::Text),
                may_literal("template", Value::Words(&["liquid"])),
                may("response-variable-name", Value::Text),
                may("timeout", INT),
                may_literal("ignore-error", Value::Bool),
                may_literal("content-type", Value::Words(&["application/json"])),
            ],
            body: Body::Free,
        },
    },
    Policy {
        name: "redirect-content-urls",
        sections: INBOUND_OUTBOUND,
        source: "toolkit",
        element: Element { attributes: &[], body: Body::Empty },
    },
    Policy {
        name: "send-service-bus-message",
        sections: NOT_BACKEND,
        source: "toolkit",
        element: Element {
            attributes: &[
                may("queue-name", Value::Text),
                may("topic-name", Value::Text),
                may("namespace", Value::Text),
                may("client-id", Value::Text),
            ],
            body: Body::Free,
        },
    },
    Policy {
        name: "set-request-metric-dimension-value",
        sections: EVERYWHERE,
        source: "schema",
        element: Element { attributes: &[must("name", Value::Text), must("value", Value::Text)], body: Body::Empty },
    },
    Policy {
        name: "xml-to-json",
        sections: EVERYWHERE,
        source: "toolkit",
        element: Element {
            attributes: &[
                must("kind", Value::Words(&["javascript-friendly", "direct"])),
                must("apply", Value::Words(&["always", "content-type-xml"])),
                may("consider-accept-header", Value::Bool),
                may("preserve-whitespace-nodes", Value::Bool),
                may("empty-values", Value::Words(&["preserve", "as-null"])),
                may("trim-values", Value::Bool),
                may("always-array-child-elements", Value::Bool),
            ],
            body: Body::Empty,
        },
    },
    Policy {
        name: "xsl-transform",
        sections: NOT_BACKEND,
        source: "toolkit",
        element: Element { attributes: &[], body: Body::Free },
    },
];
