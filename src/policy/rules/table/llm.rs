//! What is for language models.

use super::*;

/// How tokens are counted for each dimension. Policies of both names take the same.
const TOKEN_METRIC: Element = Element {
    attributes: &[
        may_literal("namespace", Value::Text),
        may("name", Value::Text),
        may_literal("value-type", Value::Words(&["all", "total-tokens", "prompt-tokens", "completion-tokens"])),
        may_literal("ignore-prompt", Value::Bool),
    ],
    body: Body::Children(Order::Fixed, DIMENSIONS),
};

/// Where answers to prompts like this one are looked for. Policies of both names take the same.
const CACHE_LOOKUP: Element = Element {
    attributes: &[
        must_literal("score-threshold", Value::Decimal(0, 1)),
        must("embeddings-backend-id", Value::Text),
        may_literal("embeddings-backend-auth", Value::Words(&["system-assigned", "header"])),
        may("ignore-system-messages", Value::Text),
        may("cache-id", Value::Text),
        may("max-message-count", Value::Text),
    ],
    body: Body::Children(Order::Free, &[texts("vary-by", 0)]),
};

/// How long an answer is kept. Policies of both names take the same.
const CACHE_STORE: Element = Element { attributes: &[must("duration", INT)], body: Body::Empty };

/// How many tokens a caller has. Policies of both names take the same.
const TOKEN_LIMIT: Element = Element {
    attributes: &[
        may("tokens-per-minute", INT),
        disputed("token-quota", LONG),
        may_literal(
            "token-quota-period",
            Value::Words(&["Indefinite", "Hourly", "Daily", "Weekly", "Monthly", "Yearly"]),
        ),
        must("counter-key", Value::Text),
        must_literal("estimate-prompt-tokens", Value::Bool),
        may_literal("prompt-type", Value::Words(&["auto", "chat-completion", "completion", "embeddings"])),
        may_literal("retry-after-header-name", Value::Text),
        may_literal("retry-after-variable-name", Value::Text),
        may_literal("remaining-tokens-header-name", Value::Text),
        may_literal("remaining-tokens-variable-name", Value::Text),
        may_literal("remaining-quota-tokens-header-name", Value::Text),
        may_literal("remaining-quota-tokens-variable-name", Value::Text),
        may_literal("tokens-consumed-header-name", Value::Text),
        may_literal("tokens-consumed-variable-name", Value::Text),
        may_literal("ignore-prompt", Value::Bool),
    ],
    body: Body::Empty,
};

pub(super) const LLM: &[Policy] = &[
    Policy {
        name: "azure-openai-emit-token-metric",
        sections: INBOUND,
        source: "azure-openai-emit-token-metric-policy",
        element: TOKEN_METRIC,
    },
    Policy {
        name: "azure-openai-semantic-cache-lookup",
        sections: INBOUND,
        source: "azure-openai-semantic-cache-lookup-policy",
        element: CACHE_LOOKUP,
    },
    Policy {
        name: "azure-openai-semantic-cache-store",
        sections: OUTBOUND,
        source: "azure-openai-semantic-cache-store-policy",
        element: CACHE_STORE,
    },
    Policy {
        name: "azure-openai-token-limit",
        sections: INBOUND,
        source: "azure-openai-token-limit-policy",
        element: TOKEN_LIMIT,
    },
    Policy {
        name: "llm-content-safety",
        sections: INBOUND_OUTBOUND,
        source: "llm-content-safety-policy",
        element: Element {
            attributes: &[
                must("backend-id", Value::Text),
                may("shield-prompt", Value::Text),
                may("enforce-on-completions", Value::Text),
                may("window-size", Value::Text),
                may("window-overlap-size", Value::Text),
            ],
            body: Body::Children(
                Order::Free,
                &[
                    child(
                        "categories",
                        0,
                        1,
                        &[may("output-type", Value::Words(&["FourSeverityLevels", "EightSeverityLevels"]))],
                        Body::Children(
                            Order::Fixed,
                            &[child(
                                "category",
                                1,
                                MANY,
                                &[
                                    must("name", Value::Words(&["Hate", "SelfHarm", "Sexual", "Violence"])),
                                    must("threshold", Value::Whole(0, 7)),
                                ],
                                Body::Empty,
                            )],
                        ),
                    ),
                    group("blocklists", &[child("id", 1, 1, &[], Body::Text(Value::Text))]),
                ],
            ),
        },
    },
    Policy {
        name: "llm-emit-token-metric",
        sections: INBOUND,
        source: "llm-emit-token-metric-policy",
        element: TOKEN_METRIC,
    },
    Policy {
        name: "llm-semantic-cache-lookup",
        sections: INBOUND,
        source: "llm-semantic-cache-lookup-policy",
        element: CACHE_LOOKUP,
    },
    Policy {
        name: "llm-semantic-cache-store",
        sections: OUTBOUND,
        source: "llm-semantic-cache-store-policy",
        element: CACHE_STORE,
    },
    Policy { name: "llm-token-limit", sections: INBOUND, source: "llm-token-limit-policy", element: TOKEN_LIMIT },
];
