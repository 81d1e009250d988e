//! Intents that use everything, and one thing at a time.

use aoai_lb::topology::intent::{Candidate, CandidateKey, Entra, LimitBy, Metrics, TokenLimit};
use aoai_lb::topology::{Intent, Routes, Strategy, defaults};

pub const STRATEGIES: [Strategy; 3] = [Strategy::Pool, Strategy::RoundRobin, Strategy::Smart];

/// By what both surfaces route to, a pool and its twin.
pub fn plain(strategy: Strategy) -> Intent {
    let candidate = |backend: &str, priority, weight| {
        let priority = if strategy == Strategy::Smart { priority } else { defaults::PRIORITY };
        Candidate { backend: backend.into(), priority, weight, credential: None }
    };
    let pools = [
        ("gpt", vec![candidate("ptu", 1, 1), candidate("east", 2, 2), candidate("sweden", 2, 1)]),
        ("gpt-v1", vec![candidate("ptu-v1", 1, 1), candidate("east-v1", 2, 2), candidate("sweden-v1", 2, 1)]),
    ];
    let picks = strategy != Strategy::Pool;
    Intent {
        strategy,
        pools: pools.map(|(name, pool)| (name.to_owned(), pool)).into_iter().filter(|_| picks).collect(),
        ..Intent::new(Routes::ByName([("chat".to_owned(), "gpt".to_owned())].into()))
    }
}

/// Both surfaces.
pub fn both(strategy: Strategy) -> Intent {
    Intent { v1: Some(Routes::ByName([("chat".to_owned(), "gpt-v1".to_owned())].into())), ..plain(strategy) }
}

/// Everything at once.
pub fn full(strategy: Strategy) -> Intent {
    let mut intent = both(strategy);
    let key = CandidateKey { header: "x-foreign-key".into(), named_value: "foreign-key".into() };
    if let Some(candidate) = intent.pools.get_mut("gpt").and_then(|pool| pool.get_mut(1)) {
        candidate.credential = Some(key);
    }
    Intent {
        stateful: Some("east-stateful".into()),
        entra: Some(Entra {
            tenant: "contoso.onmicrosoft.com".into(),
            audiences: vec!["api://aoai".into()],
            applications: vec!["00000000-0000-0000-0000-00000000000a".into()],
        }),
        client_id: Some("aoai-lb-client-id".into()),
        token_limit: Some(TokenLimit { tokens_per_minute: 400_000, estimate_prompt: true, by: LimitBy::Pool }),
        metrics: Some(Metrics {
            namespace: defaults::METRICS_NAMESPACE.into(),
            dimensions: ["Subscription ID", "Client IP", "Deployment", "Pool"].map(str::to_owned).into(),
        }),
        ..intent
    }
}

/// For each strategy the least, and every choice that changes a text.
pub fn all() -> Vec<(String, Intent)> {
    let mut all = Vec::new();
    for strategy in STRATEGIES {
        let mut add = |what: &str, intent: Intent| all.push((format!("{} {what}", strategy.word()), intent));
        add("plain", plain(strategy));
        add("both surfaces", both(strategy));
        add("full", full(strategy));
        let mut other = full(strategy);
        other.routes = Routes::ByName(Default::default());
        other.v1 = Some(Routes::All("gpt-v1".into()));
        (other.keys, other.stateful) = (None, None);
        (other.retry.count, other.on_exhausted.status) = (0, 503);
        other.entra = other.entra.map(|entra| Entra { audiences: vec![], applications: vec![], ..entra });
        add("v1 alone", other);
        let mut other = full(strategy);
        (other.v1, other.entra, other.metrics) = (None, None, None);
        (other.retry.timeouts, other.retry.first_fast) = (true, false);
        other.token_limit =
            Some(TokenLimit { tokens_per_minute: 1, estimate_prompt: false, by: LimitBy::Subscription });
        add("deployments with an account", other);
    }
    all
}
