//! Any text comes out as that text: decoders of our own read back what was printed.

use super::topologies::{anything, closed, minimal};
use super::{cases, text};
use aoai_lb::template::{arm, files, graph};
use aoai_lb::topology::{Account, Backend, Gateway, Holds, Identity, Name, Target, Topology};
use proptest::prelude::*;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The text that a Bicep string literal stands for, by the rules of the language.
fn decode_bicep(literal: &str) -> String {
    let inner = literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).expect("quotes");
    let mut out = String::new();
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        assert!(c != '\'' && c != '\n' && c != '\r', "unescaped {c:?}");
        assert!(c != '$' || chars.peek() != Some(&'{'), "an interpolation");
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some(c @ ('\\' | '\'' | '$')) => out.push(c),
            Some('u') => {
                assert_eq!(chars.next(), Some('{'));
                let digits: String = chars.by_ref().take_while(|c| *c != '}').collect();
                let number = u32::from_str_radix(&digits, 16).expect("hexadecimal");
                out.push(char::from_u32(number).expect("a character"));
            }
            other => panic!("escape {other:?}"),
        }
    }
    out
}

/// The text that a string of a template stands for; it must be none that is evaluated.
fn decode_arm(text: &str) -> &str {
    match text.strip_prefix('[') {
        Some(rest) if text.ends_with(']') => {
            assert!(rest.starts_with('['), "{text} would be evaluated");
            rest
        }
        _ => text,
    }
}

/// The first argument of a `format` whose only hole stands at its end, read by the rules of ARM and of .NET.
fn decode_format(expression: &str) -> String {
    let inside = expression.strip_prefix("[format('").expect("a format");
    let quoted = inside.strip_suffix("', variables('unique'))]").expect("one hole");
    let mut out = String::new();
    let mut rest = quoted.strip_suffix("{0}").expect("the hole");
    while let Some(c) = rest.chars().next() {
        let doubled = matches!(c, '\'' | '{' | '}');
        assert!(!doubled || rest[1..].starts_with(c), "a single {c}");
        out.push(c);
        rest = &rest[c.len_utf8() * if doubled { 2 } else { 1 }..];
    }
    out
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_text_is_itself(any in anything()) {
        let mut topology = minimal();
        topology.apis.get_mut("openai").expect("the api").display_name = any.clone();
        let template = arm(&graph(&topology));
        let api = template["resources"].as_array().expect("resources").iter()
            .find(|r| r["type"] == "Microsoft.ApiManagement/service/apis").expect("the api");
        prop_assert_eq!(decode_arm(api["properties"]["displayName"].as_str().expect("text")), &any);

        let files = files(&topology);
        let bicep = text(&files, "main.bicep");
        let api = bicep.split("service/apis@").nth(1).expect("the api");
        let line = api.lines().find(|line| line.trim_start().starts_with("displayName: ")).expect("the name");
        prop_assert_eq!(decode_bicep(line.trim_start().trim_start_matches("displayName: ")), any);
    }

    #[test]
    fn a_key_is_itself(any in anything()) {
        let mut topology = minimal();
        topology.tags.insert(any.clone(), "x".into());
        let template = arm(&graph(&topology));
        let tags = template["parameters"]["tags"]["defaultValue"].as_object().expect("tags");
        prop_assert_eq!(tags.keys().map(|key| decode_arm(key)).collect::<Vec<_>>(), [any.as_str()]);
    }

    #[test]
    fn a_text_before_the_hash_is_itself(any in anything()) {
        let mut topology = minimal();
        topology.accounts.get_mut("eastus2").expect("the account").name = aoai_lb::topology::Name::Unique(any.clone());
        let template = arm(&graph(&topology));
        let name = template["resources"][0]["name"].as_str().expect("a name");
        if any.is_empty() {
            prop_assert_eq!(name, "[variables('unique')]");
        } else {
            prop_assert_eq!(decode_format(name), any);
        }
    }
}

/// A text of a topology: where it is put, and where it comes out: a type, and a pointer into a resource of it.
type Field = (fn(&mut Topology, &str), &'static str, &'static str);

fn one<'a, T>(map: &'a mut BTreeMap<String, T>, key: &str) -> &'a mut T {
    map.get_mut(key).expect("it is there")
}

fn gateway(topology: &mut Topology) -> &mut Gateway {
    topology.gateway.as_mut().expect("a gateway")
}

fn east(topology: &mut Topology) -> &mut Account {
    one(&mut topology.accounts, "east")
}

fn ptu(topology: &mut Topology) -> &mut Backend {
    one(&mut topology.backends, "ptu")
}

const SERVICE: &str = "Microsoft.ApiManagement/service";
const ACCOUNT: &str = "Microsoft.CognitiveServices/accounts";
const DEPLOYMENT: &str = "Microsoft.CognitiveServices/accounts/deployments";
const BACKEND: &str = "Microsoft.ApiManagement/service/backends";
const NAMED_VALUE: &str = "Microsoft.ApiManagement/service/namedValues";
const MODULE: &str = "Microsoft.Resources/deployments";

/// Fields of [`closed`].
const FIELDS: &[Field] = &[
    (
        |t, any| gateway(t).network.as_mut().expect("it").subnet = any.into(),
        SERVICE,
        "/properties/virtualNetworkConfiguration/subnetResourceId",
    ),
    (|t, any| drop(gateway(t).properties.insert("custom".into(), any.into())), SERVICE, "/properties/custom"),
    (
        |t, any| gateway(t).identity = Identity::Managed(any.into()),
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        "/name",
    ),
    (|t, any| east(t).name = Name::Literal(any.into()), ACCOUNT, "/name"),
    (
        |t, any| drop(east(t).properties.insert("odd".into(), serde_json::json!({ "a": [any] }))),
        ACCOUNT,
        "/properties/odd/a/0",
    ),
    (|t, any| one(&mut east(t).deployments, "a-ptu").model.format = any.into(), DEPLOYMENT, "/properties/model/format"),
    (|t, any| one(&mut east(t).deployments, "a-ptu").model.name = any.into(), DEPLOYMENT, "/properties/model/name"),
    (
        |t, any| one(&mut east(t).deployments, "a-ptu").model.version = any.into(),
        DEPLOYMENT,
        "/properties/model/version",
    ),
    (
        |t, any| one(&mut east(t).deployments, "a-ptu").rai_policy = Some(any.into()),
        DEPLOYMENT,
        "/properties/raiPolicyName",
    ),
    (
        |t, any| east(t).network.private_endpoint.as_mut().expect("it").subnet = any.into(),
        "Microsoft.Network/privateEndpoints",
        "/properties/subnet/id",
    ),
    (
        |t, any| east(t).network.private_endpoint.as_mut().expect("it").dns_zone = Some(any.into()),
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        "/properties/privateDnsZoneConfigs/0/properties/privateDnsZoneId",
    ),
    (|t, any| one(&mut t.accounts, "ai").place.subscription = Some(any.into()), MODULE, "/subscriptionId"),
    (|t, any| one(&mut t.accounts, "ai").place.resource_group = Some(any.into()), MODULE, "/resourceGroup"),
    (|t, any| ptu(t).target = Target::Url(any.into()), BACKEND, "/properties/url"),
    (
        |t, any| ptu(t).breaker.as_mut().expect("it").name = any.into(),
        BACKEND,
        "/properties/circuitBreaker/rules/0/name",
    ),
    (
        |t, any| ptu(t).breaker.as_mut().expect("it").error_reasons = vec![any.into()],
        BACKEND,
        "/properties/circuitBreaker/rules/0/failureCondition/errorReasons/0",
    ),
    (
        |t, any| one(&mut t.pools, "chat").session_affinity = Some(any.into()),
        BACKEND,
        "/properties/pool/sessionAffinity/sessionId/name",
    ),
    (|t, any| one(&mut t.named_values, "identity-client-id").name = any.into(), NAMED_VALUE, "/properties/displayName"),
    (
        |t, any| one(&mut t.named_values, "identity-client-id").holds = Holds::Vault(any.into()),
        NAMED_VALUE,
        "/properties/keyVault/secretIdentifier",
    ),
    (|t, any| one(&mut t.apis, "openai").path = any.into(), "Microsoft.ApiManagement/service/apis", "/properties/path"),
    (
        |t, any| one(&mut t.subscriptions, "probe").display_name = any.into(),
        "Microsoft.ApiManagement/service/subscriptions",
        "/properties/displayName",
    ),
];

/// Every string at a pointer of every resource of a type, in modules too.
fn texts_at(template: &Json, kind: &str, pointer: &str, found: &mut Vec<String>) {
    for resource in template["resources"].as_array().into_iter().flatten() {
        if resource["type"] == kind {
            found.extend(resource.pointer(pointer).and_then(Json::as_str).map(str::to_owned));
        }
        texts_at(&resource["properties"]["template"], kind, pointer, found);
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn a_text_is_itself_wherever_it_stands(any in anything(), field in prop::sample::select(FIELDS)) {
        let (put, kind, pointer) = field;
        let mut topology = closed();
        put(&mut topology, &any);
        let mut found = Vec::new();
        texts_at(&arm(&graph(&topology)), kind, pointer, &mut found);
        // what is computed stands beside it
        found.retain(|text| !(text.starts_with('[') && !text.starts_with("[[") && text.ends_with(']')));
        prop_assert!(found.iter().any(|text| decode_arm(text) == any), "{any:?} is not in {found:?} at {pointer}");
        super::laws::two_printers_agree(&topology);
    }
}

#[test]
fn every_field_is_where_the_table_says() {
    for (put, kind, pointer) in FIELDS {
        let mut topology = closed();
        put(&mut topology, "[it's {0} ${x}]");
        let mut found = Vec::new();
        texts_at(&arm(&graph(&topology)), kind, pointer, &mut found);
        assert!(found.iter().any(|text| text == "[[it's {0} ${x}]"), "{kind} {pointer}: {found:?}");
        super::laws::two_printers_agree(&topology);
    }
}
