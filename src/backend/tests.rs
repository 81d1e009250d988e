use super::*;
use crate::quota::PTU_DEPTH;
use crate::topology::{Deployment, DeploymentSku};

fn deployment(model: &str, sku: DeploymentSku, capacity: u32) -> Deployment {
    Deployment::new(model, "2025-04-14", sku, capacity)
}

fn figures(model: &str, sku: DeploymentSku, capacity: u32) -> Figures {
    figures::of(&deployment(model, sku, capacity)).expect("figures").0
}

const DRAWS: Draws = Draws { seed: 1, request: 0 };

fn work(prompt: u32, output: u32, max_tokens: u32) -> Work {
    Work { prompt, output, max_tokens }
}

#[test]
fn figures_come_from_the_catalogue() {
    let metered =
        |tokens_per_minute, requests_per_minute| Admission::Metered { tokens_per_minute, requests_per_minute };
    assert_eq!(figures("gpt-4.1", DeploymentSku::GlobalStandard, 50).admission, metered(50_000, 50));
    assert_eq!(figures("gpt-4o", DeploymentSku::Standard, 50).admission, metered(50_000, 300));
    // one request a minute for each 6,000 tokens
    assert_eq!(figures("o1", DeploymentSku::GlobalStandard, 60).admission, metered(60_000, 10));
    let provisioned = figures("gpt-4.1", DeploymentSku::ProvisionedManaged, 50);
    assert_eq!(provisioned.admission, Admission::Provisioned { tokens_per_minute: 150_000 });
    assert_eq!(provisioned.output_ratio, 4);
    assert_eq!(provisioned.output_token, Duration::from_millis(12) + Duration(500_000), "80 tokens a second");

    let unknown = figures::of(&deployment("nobody", DeploymentSku::Standard, 10)).expect("metered figures");
    assert_eq!(unknown.0.admission, metered(10_000, 10));
    assert!(unknown.1.is_some_and(|assumed| assumed.contains("not in the catalogue")));
    assert_eq!(figures::of(&deployment("nobody", DeploymentSku::ProvisionedManaged, 10)), None);
}

#[test]
fn a_metered_deployment_charges_prompt_and_max_tokens() {
    let noise = Noise::new();
    let mut backend = Backend::new(figures("gpt-4o", DeploymentSku::Standard, 10), PTU_DEPTH);
    let mut offer = |work| backend.offer(Time::ZERO, DRAWS, 1, &noise, work);
    assert!(matches!(offer(work(4_000, 10, 1_000)), Reply::Served { .. }));
    let refused = Reply::Refused {
        at: Time::ZERO + REFUSAL,
        cause: Cause::Tpm,
        retry_after: Duration::from_secs(60),
        retry_after_ms: None,
    };
    assert_eq!(offer(work(4_001, 10, 1_000)), refused);
    assert!(matches!(offer(work(4_000, 10, 1_000)), Reply::Served { .. }));
    let response = refusal(&refused, "ChatCompletions_Create", "2024-10-21").expect("a refusal");
    assert_eq!((response.status, response.headers.get("Retry-After")), (429, Some("60")));
    let message = response.value().expect("JSON")["error"]["message"].to_string();
    assert!(message.contains("exceeded token rate limit") && message.contains("after 60 seconds."), "{message}");
}

#[test]
fn every_answer_of_a_metered_deployment_says_what_is_left() {
    let mut backend = Backend::new(figures("gpt-4o", DeploymentSku::Standard, 10), PTU_DEPTH);
    backend.offer(Time::ZERO, DRAWS, 1, &Noise::new(), work(4_000, 10, 1_000));
    let mut headers = Headers::default();
    rate_limits(&backend.remaining(Time::ZERO).expect("limits"), &mut headers);
    let shown = |name: &str| headers.get(name).map(str::to_owned);
    assert_eq!(shown("x-ratelimit-limit-requests").as_deref(), Some("10"), "60 RPM are 10 in 10 s");
    assert_eq!(shown("x-ratelimit-remaining-requests").as_deref(), Some("9"));
    assert_eq!(shown("x-ratelimit-limit-tokens").as_deref(), Some("10000"));
    assert_eq!(shown("x-ratelimit-remaining-tokens").as_deref(), Some("5000"));
    let mut provisioned = Backend::new(figures("gpt-4.1", DeploymentSku::ProvisionedManaged, 50), PTU_DEPTH);
    assert_eq!(provisioned.remaining(Time::ZERO), None);
}

#[test]
fn a_provisioned_deployment_corrects_its_estimate_at_the_end() {
    let noise = Noise::new();
    // 150,000 input tokens a minute, 10 s deep: full at 25,000
    let mut backend = Backend::new(figures("gpt-4.1", DeploymentSku::ProvisionedManaged, 50), PTU_DEPTH);
    let large = work(1_000, 0, 7_000); // 29,000 estimated, 1,000 in truth
    assert!(matches!(backend.offer(Time::ZERO, DRAWS, 1, &noise, large), Reply::Served { .. }));
    let refused = backend.offer(Time::ZERO, DRAWS, 1, &noise, large);
    let Reply::Refused { cause: Cause::Ptu, retry_after, retry_after_ms, .. } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(retry_after, Duration::from_secs(2), "1.6 s, rounded up");
    assert_eq!(retry_after_ms, Some(Duration::from_millis(1600)));
    backend.complete(Time::ZERO, large);
    assert!(matches!(backend.offer(Time::ZERO, DRAWS, 1, &noise, large), Reply::Served { .. }));
}

#[test]
fn more_tokens_take_longer_and_the_first_comes_before_the_last() {
    let noise = Noise::new();
    let took = |prompt, output| {
        let mut backend = Backend::new(figures("gpt-4.1", DeploymentSku::GlobalStandard, 50_000), PTU_DEPTH);
        match backend.offer(Time::ZERO, DRAWS, 1, &noise, work(prompt, output, output)) {
            Reply::Served { first, last } => (first, last),
            refused => panic!("{refused:?}"),
        }
    };
    let (first, last) = took(1_000, 100);
    assert!(first < last && took(1_000, 200).1 > last && took(2_000, 100).0 > first);
    assert_eq!(took(1_000, 100), (first, last), "the same draw, the same latency");
}
