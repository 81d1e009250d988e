//! What a deployment can serve and how fast, from the catalogue.

use crate::catalogue;
use crate::time::Duration;
use crate::topology::Deployment;

/// Figures of one deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// What it admits.
    pub admission: Admission,
    /// What an output token weighs against an input token on provisioned throughput.
    pub output_ratio: u32,
    /// How long before the first token, for an empty prompt.
    pub first_token: Duration,
    /// How much longer for each token of the prompt.
    pub prompt_token: Duration,
    /// How long each output token takes.
    pub output_token: Duration,
}

/// What a deployment admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// By tokens and requests.
    Metered {
        /// TPM.
        tokens_per_minute: u64,
        /// RPM.
        requests_per_minute: u64,
    },
    /// By utilisation of its PTUs.
    Provisioned {
        /// Input tokens a minute that its units serve.
        tokens_per_minute: u64,
    },
}

/// Tokens a second where nobody publishes a target.
const TOKENS_PER_SECOND: u64 = 50;

const FIRST_TOKEN: Duration = Duration::from_millis(400);
const PROMPT_TOKEN: Duration = Duration(50_000);

/// The figures of a deployment, with what had to be assumed about its model; `None` for provisioned throughput of a
/// model whose throughput nobody publishes.
pub fn of(deployment: &Deployment) -> Option<(Figures, Option<String>)> {
    let name = &deployment.model.name;
    let known = catalogue::model(name, Some(&deployment.model.version)).or_else(|| catalogue::model(name, None));
    let provisioned = known.and_then(|model| model.provisioned);
    let capacity = u64::from(deployment.capacity);
    let admission = if deployment.sku.is_provisioned() {
        Admission::Provisioned { tokens_per_minute: capacity * u64::from(provisioned?.input_tpm) }
    } else {
        let (requests, thousands) = catalogue::rpm_per_1k_tpm(name, deployment.sku.as_str()).unwrap_or((1, 1));
        Admission::Metered {
            tokens_per_minute: capacity * 1000,
            requests_per_minute: capacity * u64::from(requests) / u64::from(thousands.max(1)),
        }
    };
    let per_second = provisioned.map_or(TOKENS_PER_SECOND, |model| u64::from(model.target_tps.max(1)));
    let assumed = match (known, provisioned) {
        (None, _) => Some(format!(
            "{name} is not in the catalogue: 1 RPM for each 1,000 TPM, {TOKENS_PER_SECOND} tokens a second"
        )),
        (Some(_), None) => Some(format!("{name} writes {TOKENS_PER_SECOND} tokens a second: no figure is published")),
        (Some(_), Some(_)) => None,
    };
    let figures = Figures {
        admission,
        output_ratio: known.map_or(1, |model| model.output_ratio),
        first_token: FIRST_TOKEN,
        prompt_token: PROMPT_TOKEN,
        output_token: Duration(1_000_000_000 / per_second),
    };
    Some((figures, assumed))
}

/// The figures of a backend that is nobody's deployment here, with what had to be assumed about it.
pub fn foreign(name: &str, tokens_per_minute: u32, requests_per_minute: u32) -> (Figures, String) {
    let figures = Figures {
        admission: Admission::Metered {
            tokens_per_minute: tokens_per_minute.into(),
            requests_per_minute: requests_per_minute.into(),
        },
        output_ratio: 1,
        first_token: FIRST_TOKEN,
        prompt_token: PROMPT_TOKEN,
        output_token: Duration(1_000_000_000 / TOKENS_PER_SECOND),
    };
    let note = format!(
        "{name}, of which nothing else is known: {tokens_per_minute} TPM, {requests_per_minute} RPM, {TOKENS_PER_SECOND} tokens a second"
    );
    (figures, note)
}

impl Figures {
    /// What a call weighs on provisioned throughput, in input tokens.
    #[inline]
    pub fn weight(&self, prompt: u32, output: u32) -> u64 {
        u64::from(prompt) + u64::from(self.output_ratio) * u64::from(output)
    }

    /// Until the first token, without noise.
    #[inline]
    pub fn first_token(&self, prompt: u32) -> Duration {
        self.first_token + times(self.prompt_token, prompt)
    }

    /// Until the last token, without noise.
    #[inline]
    pub fn whole(&self, prompt: u32, output: u32) -> Duration {
        self.first_token(prompt) + times(self.output_token, output)
    }
}

#[inline]
const fn times(length: Duration, tokens: u32) -> Duration {
    Duration(length.0.saturating_mul(tokens as u64))
}

/// What is assumed about speed, whatever the model.
pub fn assumptions() -> Vec<String> {
    vec![
        format!(
            "a call takes {FIRST_TOKEN}, 50 us for each prompt token, and its output at the model's latency target; \
             times a log-normal factor (sigma 0.25), however busy the deployment is"
        ),
        "backends never fail: no outage, no 5xx".into(),
    ]
}
