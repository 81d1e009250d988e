//! Backends with their breakers, and pools of them.

use super::super::value::body;
use super::super::{Resource, Value};
use super::inputs::marker;
use super::{API_MANAGEMENT, Build, GATEWAY, resource, version};
use crate::topology::*;

const BACKENDS: &str = "Microsoft.ApiManagement/service/backends";

impl Build<'_> {
    pub(super) fn backends(&mut self) {
        let mut said = Some("A backend never stands before the deployment that it calls.");
        for (key, backend) in &self.topology.backends {
            let (url, after) = match (&backend.target, backend.target.account()) {
                (Target::Url(url), _) => (url.as_str().into(), None),
                (_, None) => continue,
                (target, Some((account, deployment))) => {
                    let Some(endpoint) = self.of_account(account, "endpoint") else { continue };
                    let after = deployment.and_then(|name| self.deployments.get(&(account.as_str(), name.as_str())));
                    let path = target.path().unwrap_or_default();
                    (Value::concat([endpoint, path.as_str().into()]), after.cloned())
                }
            };
            let symbol = self.symbols.take("backend", &[key]);
            let mut properties =
                body([("description", marker()), ("type", "Single".into()), ("protocol", "http".into()), ("url", url)]);
            if let Some(breaker) = &backend.breaker {
                properties.push(("circuitBreaker".into(), circuit_breaker(breaker)));
            }
            self.add(Resource {
                comment: after.as_ref().and_then(|_| said.take()),
                parent: Some(GATEWAY.into()),
                name: backend.name.as_str().into(),
                body: body([("properties", Value::Object(properties))]),
                depends_on: after.into_iter().collect(),
                ..resource(Address::Backend(key.clone()), &symbol, BACKENDS, API_MANAGEMENT)
            });
            self.backends.insert(key, symbol);
        }
    }

    pub(super) fn pools(&mut self) {
        for (key, pool) in self.topology.pools.iter().filter(|(_, pool)| pool.balancing == Balancing::Native) {
            let symbol = self.symbols.take("pool", &[key]);
            let services = pool.members.iter().filter_map(|member| {
                let backend = self.backends.get(member.backend.as_str())?;
                Some(Value::object([
                    ("id", Value::prop(backend, &["id"])),
                    ("priority", u32::from(member.priority).into()),
                    ("weight", u32::from(member.weight).into()),
                ]))
            });
            let services: Vec<Value> = services.collect();
            let mut balanced = body([("services", services.into())]);
            if let Some(status) = pool.failure_status {
                let response = Value::object([("statusCode", u32::from(status).into())]);
                balanced.push(("failureResponse".into(), response));
            }
            if let Some(cookie) = &pool.session_affinity {
                let session = Value::object([("source", "cookie".into()), ("name", cookie.as_str().into())]);
                balanced.push(("sessionAffinity".into(), Value::object([("sessionId", session)])));
            }
            let properties =
                Value::object([("description", marker()), ("type", "Pool".into()), ("pool", Value::Object(balanced))]);
            self.add(Resource {
                parent: Some(GATEWAY.into()),
                name: pool.name.as_str().into(),
                version: version(BACKENDS, API_MANAGEMENT, &properties),
                body: body([("properties", properties)]),
                ..resource(Address::Pool(key.clone()), &symbol, BACKENDS, API_MANAGEMENT)
            });
            self.pools.insert(key, symbol);
        }
    }
}

fn circuit_breaker(breaker: &Breaker) -> Value {
    let threshold = match breaker.threshold {
        Threshold::Count(count) => ("count", count.into()),
        Threshold::Percentage(percentage) => ("percentage", u32::from(percentage).into()),
    };
    let ranges = breaker
        .status_codes
        .iter()
        .map(|range| Value::object([("min", u32::from(range.min).into()), ("max", u32::from(range.max).into())]));
    let ranges: Vec<Value> = ranges.collect();
    let mut condition =
        body([threshold, ("interval", breaker.interval.iso().as_str().into()), ("statusCodeRanges", ranges.into())]);
    if !breaker.error_reasons.is_empty() {
        let reasons: Vec<Value> = breaker.error_reasons.iter().map(|reason| reason.as_str().into()).collect();
        condition.push(("errorReasons".into(), reasons.into()));
    }
    let rule = Value::object([
        ("name", breaker.name.as_str().into()),
        ("failureCondition", Value::Object(condition)),
        ("tripDuration", breaker.trip_duration.iso().as_str().into()),
        ("acceptRetryAfter", breaker.accept_retry_after.into()),
    ]);
    Value::object([("rules", vec![rule].into())])
}
