//! The text of an API's policy, where users may have a template of their own, and what is wrong with it.
//!
//! A template of the user's own sees what ours see and may include our parts (`<% include "parts/auth.xml.j2" %>`). The
//! same formatter holds: it prints only what escapes itself. What comes out must be XML.

use super::{context, engine, lint, render, render_product, rules};
use crate::diagnostic::{Diagnostic, Severity, code};
use crate::policy_xml;
use crate::topology::{Api, GatewaySku, OwnTemplate, Policy, Topology};
use std::collections::BTreeMap;

/// The policy of an API: of its intent, or of the template that the spec names; live text where it is not ours.
/// Diagnostics have no key: [`problems`] adds it.
pub fn text(api: &Api) -> Result<String, Vec<Diagnostic>> {
    match (&api.policy, &api.template) {
        (Policy::Other(text), _) => Ok(text.clone()),
        (Policy::Rendered(intent), None) => Ok(render(intent)),
        (Policy::Rendered(intent), Some(template)) => {
            let text = fill(template, context::of(intent)).map_err(|problem| vec![problem])?;
            policy_xml::parse(&text).map_err(|malformed| vec![not_xml(template, &malformed.to_string())])?;
            let found = checked(template, &text, &BTreeMap::new());
            if found.iter().any(|problem| problem.severity == Severity::Error) { Err(found) } else { Ok(text) }
        }
    }
}

/// What rules and pitfalls of policies say of what a template gives. Their places are in that text, which nobody sees.
fn checked(template: &OwnTemplate, text: &str, pools: &BTreeMap<String, usize>) -> Vec<Diagnostic> {
    let placed = |problem: Diagnostic| {
        let line = problem.span.map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count());
        let line = line.map_or(String::new(), |line| format!(", line {line}"));
        let message = format!("what {} gives{line}: {}", template.path, problem.message);
        Diagnostic { message, span: None, ..problem }
    };
    // in somebody's policy a key is a warning; what we send to Azure holds none
    let refused = |problem: Diagnostic| match problem.code == code::LITERAL_KEY {
        true => Diagnostic { code: code::LITERAL_SECRET, severity: code::LITERAL_SECRET.severity(), ..problem },
        false => problem,
    };
    lint::lint(text, pools).into_iter().map(refused).map(placed).collect()
}

fn fill(template: &OwnTemplate, context: minijinja::Value) -> Result<String, Diagnostic> {
    let bad = |error: minijinja::Error| {
        // the cause says more than "could not render include"
        let mut leaf: &minijinja::Error = &error;
        while let Some(cause) = std::error::Error::source(leaf).and_then(|cause| cause.downcast_ref()) {
            leaf = cause;
        }
        let (name, line) = (leaf.name().unwrap_or(&template.path), leaf.line().unwrap_or(1));
        let what = leaf.detail().map_or_else(|| leaf.kind().to_string(), str::to_owned);
        Diagnostic::new(code::BAD_TEMPLATE, format!("{name}, line {line}: {what}"))
            .label("this template")
            .help("correct the template; `aoai-lb explain AL0401` says what it may use")
    };
    let mut engine = engine().clone();
    engine.add_template_owned(template.path.clone(), template.text.clone()).map_err(bad)?;
    engine.get_template(&template.path).and_then(|ours| ours.render(context)).map_err(bad)
}

fn not_xml(template: &OwnTemplate, why: &str) -> Diagnostic {
    Diagnostic::new(code::TEMPLATE_NOT_XML, format!("what {} gives is no XML: {why}", template.path))
        .label("this template")
        .help("close what is open, put expressions into single quotes, write `&amp;&amp;` and `&lt;` in them")
}

/// What is wrong with the policies of a topology: templates of the user's own, and size.
pub fn problems(topology: &Topology) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let consumption = topology.gateway.as_ref().is_some_and(|gateway| gateway.sku == GatewaySku::Consumption);
    let largest = if consumption { rules::CONSUMPTION_LIMIT } else { rules::LIMIT };
    let mut measure = |key: String, text: &str| {
        if text.len() > largest {
            let kib = |bytes: usize| bytes.div_ceil(1024);
            let message = format!("the policy of `{key}` has {} KiB", kib(text.len()));
            let problem = Diagnostic::new(code::POLICY_TOO_LARGE, message).at(key);
            found.push(problem.label(format!("the service takes {} KiB", kib(largest))).help(match consumption {
                true => {
                    "route fewer names, serve one surface, or choose another `gateway.sku`: Consumption takes 16 KiB"
                }
                false => "split the API: fewer routes and pools in each",
            }));
        }
    };
    let pools = topology.pools.values().map(|pool| (pool.name.clone(), pool.members.len())).collect();
    let mut wrong = Vec::new();
    for (key, api) in &topology.apis {
        let at = |problem: Diagnostic| problem.at(format!("apis.{key}.policy.template"));
        match text(api) {
            Ok(text) => {
                measure(format!("apis.{key}"), &text);
                // what is allowed, and worth knowing
                wrong.extend(api.template.iter().flat_map(|template| checked(template, &text, &pools)).map(at));
            }
            Err(problems) => wrong.extend(problems.into_iter().map(at)),
        }
    }
    for (key, product) in &topology.products {
        if let Policy::Rendered(intent) = &product.policy {
            measure(format!("products.{key}"), &render_product(intent));
        }
    }
    found.extend(wrong);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Gateway, Intent, Location, Member, Name, Pool, Publisher, Routes, Scope, Stack};

    fn api(template: &str) -> Api {
        let routes = [("chat".to_owned(), "gpt".to_owned())].into();
        let template = OwnTemplate { path: "own.xml.j2".into(), text: template.into() };
        let policy = Policy::Rendered(Intent::new(Routes::ByName(routes)));
        Api { template: Some(template), ..Api::new("openai", policy) }
    }

    fn topology(api: Api) -> Topology {
        let stack = Stack { name: "t".into(), environment: String::new() };
        let location = Location::new("eastus2");
        let publisher = Publisher { name: "Contoso".into(), email: "ai@contoso.com".into() };
        let gateway = Gateway::new(Name::Literal("apim".into()), location.clone(), publisher);
        let scope = Scope { subscription: None, resource_group: "rg".into(), location };
        Topology { gateway: Some(gateway), apis: [("openai".into(), api)].into(), ..Topology::new(stack, scope) }
    }

    fn said(template: &str) -> Vec<String> {
        problems(&topology(api(template)))
            .iter()
            .map(|problem| format!("{} {}", problem.code, problem.message))
            .collect()
    }

    const OWN: &str = "<policies>
  <inbound>
    <base />
    <set-variable name=\"aoai-lb\" value=<< marker >> />
<% include \"parts/auth.xml.j2\" %>
<% for route in deployments.routes %>
    <set-variable name=\"pool\" value='@(<< route.pool >>)' />
<% endfor %>
  </inbound>
  <backend>
    <forward-request timeout=\"<< retry.timeout >>\" buffer-response=\"false\" />
  </backend>
  <outbound><base /></outbound>
  <on-error><base /></on-error>
</policies>
";

    #[test]
    fn a_template_of_ones_own_holds_no_key() {
        let with = |value: &str| {
            let header = format!(
                "<set-header name=\"api-key\" exists-action=\"override\"><value>{value}</value></set-header>\n  </inbound>"
            );
            said(&OWN.replace("</inbound>", &header))
                .into_iter()
                .filter(|said| said.starts_with("AL0212"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            with("a-key-of-somebody"),
            ["AL0212 what own.xml.j2 gives, line 20: a key stands in the policy as it is"]
        );
        assert_eq!(with("{{the-key-of-somebody}}"), [""; 0]);
    }

    #[test]
    fn a_template_of_ones_own_has_no_pitfalls_unsaid() {
        let retry = |count: u32| {
            let retry = format!(
                "<retry condition='@(context.Response.StatusCode >= 400)' count=\"{count}\" interval=\"1\">\n      \
                 <set-backend-service backend-id=\"gpt\" /><forward-request buffer-request-body=\"true\" buffer-response=\"false\" /></retry>"
            );
            let text =
                OWN.replace("<forward-request timeout=\"<< retry.timeout >>\" buffer-response=\"false\" />", &retry);
            let mut topology = topology(api(&text));
            let members = ["a", "b"].map(|backend| Member { backend: backend.into(), priority: 1, weight: 1 });
            topology.pools.insert("gpt".into(), Pool::new("gpt", members.into()));
            let found = problems(&topology);
            assert!(found.iter().all(|problem| problem.severity != Severity::Error), "{found:?}");
            let place = |problem: &Diagnostic| problem.message.starts_with("what own.xml.j2 gives, line ");
            assert!(found.iter().all(place), "{found:?}");
            found.iter().map(|problem| problem.code).collect::<Vec<_>>()
        };
        assert!(retry(1).contains(&code::CLIENT_ERRORS_RETRIED) && !retry(1).contains(&code::RETRY_COUNT));
        // the pool has two members
        assert!(retry(2).contains(&code::RETRY_COUNT));
    }

    #[test]
    fn a_template_of_ones_own_sees_what_ours_see() {
        let api = api(OWN);
        let text = super::text(&api).expect("a policy");
        assert!(text.contains("<authentication-managed-identity resource=") && text.contains("value='@(\"gpt\")'"));
        assert_eq!(crate::policy::intent(&text).as_ref(), api.policy.intent());
        assert_eq!(problems(&topology(api)), []);
        let ours = Api { template: None, ..self::api("") };
        assert_eq!(super::text(&ours).ok(), ours.policy.intent().map(render));
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let cut = OWN.replace("<% endfor %>\n", "");
        let bad = |found: &str, text: &str| {
            let said = said(text);
            assert!(said.len() == 1 && said[0].starts_with("AL0401 ") && said[0].contains(found), "{said:?}");
        };
        bad("own.xml.j2, line 1", "<policies><% if %></policies>");
        bad("own.xml.j2", &cut);
        bad("own.xml.j2, line 4: ", &OWN.replace("<< marker >>", "<< nothing.at_all >>"));
        bad(
            "own.xml.j2, line 4: a template may not print a plain string",
            &OWN.replace("<< marker >>", "<< \"plain\" >>"),
        );
        bad("parts/none.xml.j2", &OWN.replace("parts/auth.xml.j2", "parts/none.xml.j2"));
        let problem = &problems(&topology(api("<policies><% if %></policies>")))[0];
        assert_eq!(problem.key.as_deref(), Some("apis.openai.policy.template"));
    }

    #[test]
    fn what_comes_out_is_xml_and_a_policy() {
        for broken in ["<policies>", "no xml", "<policies><when condition=\"@(1 < 2)\" /></policies>", ""] {
            let said = said(broken);
            assert!(said.len() == 1 && said[0].starts_with("AL0402 what own.xml.j2 gives is no XML: "), "{said:?}");
        }
        let said = said(&OWN.replace(
            "<forward-request timeout=\"<< retry.timeout >>\" buffer-response=\"false\" />",
            "<base /><base />\n<wrong />",
        ));
        assert!(
            said.iter().any(|said| said.contains("what own.xml.j2 gives, line ") && said.contains("wrong")),
            "{said:?}"
        );
        assert!(super::text(&api("<policies><backend><base /><retry /></backend></policies>")).is_err());
    }

    #[test]
    fn a_template_cannot_take_the_place_of_one_of_ours_for_others() {
        let mut stolen = api(OWN);
        stolen.template.as_mut().expect("a template").path = "parts/auth.xml.j2".into();
        assert!(super::text(&stolen).is_err(), "it would include itself without end");
        assert!(super::text(&api(OWN)).is_ok());
    }

    #[test]
    fn what_is_too_large_is_said_by_tier() {
        let many = |n: usize| {
            let routes = (0..n).map(|n| (format!("deployment-{n}"), format!("pool-{n}"))).collect();
            topology(Api::new("openai", Policy::Rendered(Intent::new(Routes::ByName(routes)))))
        };
        let codes = |topology: &Topology| problems(topology).iter().map(|p| p.code).collect::<Vec<_>>();
        let on = |mut topology: Topology| {
            topology.gateway.as_mut().expect("a gateway").sku = GatewaySku::Consumption;
            topology
        };
        assert_eq!((codes(&many(30)), codes(&on(many(30)))), (vec![], vec![code::POLICY_TOO_LARGE]));
        assert_eq!((codes(&on(many(2))), codes(&many(3_000))), (vec![], vec![code::POLICY_TOO_LARGE]));
        let message = problems(&on(many(30)))[0].to_string();
        assert!(message.ends_with("(apis.openai)") && message.contains("has 2"), "{message}");
    }
}
