//! `service/diagnostics` and `service/apis/diagnostics`: what of a call is recorded, and by which logger.

use super::child::{View, Written, named};
use super::sent::Sent;
use crate::azure::World;
use crate::azure::reply::Reply;
use crate::azure::router::Call;
use crate::azure::shape::object;
use crate::azure::state::Resource;
use crate::catalogue::not_older;
use serde_json::{Map, Value, json};

/// Bytes of a body that are recorded at most.
const BODY: u64 = 8192;

pub(super) fn write(world: &mut World, call: &Call, sent: Map<String, Value>) -> Result<Written, Reply> {
    let mut sent = Sent::new(sent);
    let insights = call.id.name().eq_ignore_ascii_case("applicationinsights");
    let logger = sent.needed("loggerId", 1..=2000);
    let target = named(world, &call.id, "loggers", &logger).map(|kept| kept.id.clone());
    if target.is_none() && !logger.is_empty() {
        let name = logger.rsplit('/').next().unwrap_or(&logger);
        sent.refuse("loggerId", format!("Logger with id '{name}' could not be found."));
    }
    let always = sent.word("alwaysLog", &["allErrors"]);
    let protocol = sent.word("httpCorrelationProtocol", &["None", "Legacy", "W3C"]);
    let verbosity = sent.word("verbosity", &["verbose", "information", "error"]).unwrap_or("information");
    let client = sent.flag("logClientIp").unwrap_or(true);
    let format = sent.word("operationNameFormat", &["Name", "Url"]);
    let metrics = sent.flag("metrics");
    let sampling = sampling(&mut sent);
    let frontend = messages("frontend", &mut sent);
    let backend = messages("backend", &mut sent);
    let model = sent.object("largeLanguageModel");
    let words = ["enabled", "disabled"];
    if model.get("logs").is_some_and(|logs| !logs.as_str().is_some_and(|logs| words.contains(&logs))) {
        sent.refuse("largeLanguageModel", "The value of logs must be enabled or disabled.");
    }
    sent.end()?;
    let mut properties = json!({
        "alwaysLog": always,
        "httpCorrelationProtocol": protocol.or(insights.then_some("Legacy")),
        "verbosity": verbosity,
        "logClientIp": client,
        "loggerId": target,
        "sampling": sampling,
        "frontend": frontend,
        "backend": backend,
        "largeLanguageModel": if model.is_empty() { Value::Null } else { model.into() },
        "mcp": null,
        "a2a": null,
        "tags": null,
    });
    if let Value::Object(properties) = &mut properties {
        if let Some(format) = format {
            properties.insert("operationNameFormat".into(), format.into());
        }
        if let Some(metrics) = metrics {
            properties.insert("metrics".into(), metrics.into());
        }
    }
    Ok(Written::of(&properties))
}

/// Recorded at 2024-05-01: members that came later are there, without a value. Before that they are not.
pub(super) fn show(_: &Resource, version: &str, _: View, properties: &mut Map<String, Value>) {
    for name in ["largeLanguageModel", "mcp", "a2a"] {
        match not_older(version, "2024-05-01") {
            true => {
                properties.entry(name).or_insert(Value::Null);
            }
            false => {
                properties.shift_remove(name);
            }
        }
    }
}

fn sampling(sent: &mut Sent) -> Value {
    sent.given("sampling").cloned().map_or(Value::Null, |sampling| {
        let percentage = sampling.get("percentage").and_then(Value::as_f64);
        if percentage.is_none_or(|share| !(0.0..=100.0).contains(&share)) {
            sent.refuse("sampling", "Percentage must be from 0 to 100.");
        }
        let kind = sampling.get("samplingType").and_then(Value::as_str).unwrap_or("fixed");
        if !kind.eq_ignore_ascii_case("fixed") {
            sent.refuse("sampling", format!("The value '{kind}' is not valid for SamplingType."));
        }
        // recorded: a whole number comes back as 100.0
        json!({"samplingType": "fixed", "percentage": percentage})
    })
}

/// What is recorded of the requests and the answers of one side. Recorded: query parameters are hidden.
fn messages(side: &'static str, sent: &mut Sent) -> Value {
    let hidden = json!({"queryParams": [{"value": "*", "mode": "Hide"}]});
    let given = sent.object(side);
    let mut message = |name: &str, masking: Value| {
        let message = object(given.get(name));
        let bytes = message.get("body").and_then(|body| body.get("bytes")).and_then(Value::as_u64);
        if bytes.is_some_and(|bytes| bytes > BODY) {
            sent.refuse(side, format!("At most {BODY} bytes of a body can be logged."));
        }
        json!({
            "headers": message.get("headers").cloned().unwrap_or_default(),
            "body": message.get("body").cloned().unwrap_or_default(),
            "dataMasking": message.get("dataMasking").filter(|value| !value.is_null()).cloned().unwrap_or(masking),
        })
    };
    let request = message("request", hidden);
    let response = match given.get("response").filter(|value| !value.is_null()) {
        Some(_) => message("response", Value::Null),
        None => Value::Null,
    };
    json!({"request": request, "response": response})
}
