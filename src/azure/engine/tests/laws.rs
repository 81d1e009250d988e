//! What holds for every template.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

/// The same cases every time, unless the nightly run asks for many new ones.
fn cases(cases: u32) -> Config {
    match std::env::var_os("AOAI_LB_NIGHTLY") {
        None => Config { cases, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() },
        Some(_) => Config { cases: cases * 100, failure_persistence: None, ..Config::default() },
    }
}

/// Anything that might stand in a template, from the words that mean something.
fn anything() -> impl Strategy<Value = Value> {
    let word = proptest::sample::select(vec![
        "[[x]",
        "[",
        "[]",
        "[f(]",
        "[parameters('a')]",
        "[variables('a')]",
        "[variables('b')]",
        "[copyIndex()]",
        "a",
        "A.B/c",
        "[reference('a')]",
        "[resourceGroup().id]",
        "string",
        "int",
        "serial",
        "Microsoft.Resources/deployments",
        "incremental",
        "inner",
        "/",
        "[copyIndex('a')]",
        "[reference('a[0]').b]",
        "[references('a')]",
        "[resourceInfo('a').id]",
        "[own.a(1)]",
        "[newGuid()]",
        "#/definitions/a",
        "securestring",
        "object",
    ]);
    let leaf = prop_oneof![
        word.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from)
    ];
    let key = proptest::sample::select(vec![
        "name",
        "type",
        "apiVersion",
        "properties",
        "copy",
        "count",
        "input",
        "mode",
        "batchSize",
        "dependsOn",
        "condition",
        "scope",
        "template",
        "a",
        "b",
        "value",
        "defaultValue",
        "tags",
        "expressionEvaluationOptions",
        "subscriptionId",
        "allowedValues",
        "resources",
        "existing",
        "$ref",
        "nullable",
        "items",
        "prefixItems",
        "additionalProperties",
        "discriminator",
        "mapping",
        "propertyName",
        "namespace",
        "members",
        "output",
        "parameters",
    ]);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

/// JSON with texts that look like what they are not.
fn json_value() -> impl Strategy<Value = Value> {
    let text = proptest::sample::select(vec!["", "[x]", "[[x]", "[", "a", "]", "[concat('a')]", "copy"]);
    let leaf = prop_oneof![
        text.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let key = proptest::sample::select(vec!["a", "b", "[x]", "[[c]", "d"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((key, inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

/// A value as a template has to write it.
fn written(value: &Value) -> Value {
    match value {
        Value::String(text) => crate::expr::literal(text).into(),
        Value::Array(items) => items.iter().map(written).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(k, v)| (crate::expr::literal(k), written(v))).collect())
        }
        other => other.clone(),
    }
}

/// The type that has one value only.
fn type_of(value: &Value) -> Value {
    match value {
        Value::Bool(_) => json!({"type": "bool", "allowedValues": [value]}),
        Value::Number(_) => json!({"type": "int", "allowedValues": [value]}),
        Value::Array(items) => {
            json!({"type": "array", "prefixItems": items.iter().map(type_of).collect::<Vec<_>>(), "items": false})
        }
        Value::Object(members) => {
            let properties: Map<String, Value> = members.iter().map(|(k, v)| (k.clone(), type_of(v))).collect();
            json!({"type": "object", "properties": properties, "additionalProperties": false})
        }
        _ => json!({"type": "string", "allowedValues": [value]}),
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn no_template_hurts(parts in prop::collection::vec(anything(), 7), resources in prop::collection::vec(anything(), 0..3)) {
        let resources: Vec<Value> = resources.into_iter().map(|mut resource| {
            if let Some(members) = resource.as_object_mut() {
                members.entry("name").or_insert("a".into());
                members.entry("type").or_insert("A.B/c".into());
                members.entry("apiVersion").or_insert("1".into());
            }
            resource
        }).collect();
        let symbols: Value = resources.iter().enumerate().map(|(n, r)| (["a", "b", "c"][n % 3].to_owned(), r.clone())).collect::<Map<_, _>>().into();
        let [parameters, variables, outputs, definitions, functions, given, member] = &parts[..] else { return Ok(()) };
        let own = json!([{"namespace": "own", "members": {"a": {"parameters": [{"name": "a", "type": "int"}], "output": {"type": "string", "value": member}}}}]);
        for sections in [
            json!({"parameters": parameters, "variables": variables, "resources": resources, "outputs": outputs, "functions": functions}),
            json!({"parameters": {"a": parameters}, "variables": {"a": variables}, "resources": resources, "outputs": {"a": outputs}, "functions": own}),
            json!({
                "languageVersion": "2.0", "definitions": {"a": definitions}, "functions": own, "parameters": {"a": parameters},
                "variables": {"a": variables, "copy": [{"name": "b", "count": 2, "input": member}]}, "resources": symbols, "outputs": {"a": outputs}
            }),
        ] {
            let template = template(sections);
            if let Ok(prepared) = prepare(&template, given, &here()) {
                let world = World::default();
                for node in 0..prepared.nodes().len() {
                    drop(prepared.body(node, &world));
                    drop(prepared.foreseen_body(node, &world));
                }
                let again = prepare(&template, given, &here()).map(|again| again.outputs(&world));
                prop_assert_eq!(again, Ok(prepared.outputs(&world)));
            }
        }
    }

    #[test]
    fn a_text_is_the_same_in_every_scope(value in json_value()) {
        let nested = |scope: &str| {
            let template = template(json!({"outputs": {"[[o]": {"type": "object", "value": {"v": written(&value)}}}}));
            let mut properties = json!({"mode": "Incremental", "template": template});
            if scope == "inner" {
                properties["expressionEvaluationOptions"] = json!({"scope": "inner"});
            }
            json!({"type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": scope, "properties": properties})
        };
        let (world, _) = deploy(&template(json!({"resources": [nested("inner"), nested("outer")]})), json!({})).expect("deploys");
        let of = |scope: &str| world.resource(&id(&format!("Microsoft.Resources/deployments/{scope}")), None).expect("deployed");
        let (inner, outer) = (of("inner"), of("outer"));
        prop_assert_eq!(&inner, &outer);
        let output = inner["properties"]["outputs"].as_object().and_then(|outputs| outputs.values().next()).expect("an output");
        prop_assert_eq!(&output["value"]["v"], &value);
    }

    #[test]
    fn a_value_is_of_the_type_made_from_it_and_of_no_other(value in json_value(), other in json_value()) {
        let takes = |type_: &Value, value: &Value| {
            let template = symbolic(json!({"parameters": {"p": type_}}));
            prepare(&template, &json!({"p": {"value": value}}), &here()).is_ok()
        };
        let type_ = type_of(&value);
        prop_assert!(takes(&type_, &value));
        prop_assert_eq!(takes(&type_, &other), value == other);
    }

    #[test]
    fn a_loop_counts(count in 0i64..60, inner in 0i64..8, offset in -5i64..5) {
        let copy = |name: &str, count: i64, input: Value| json!([{"name": name, "count": count, "input": input}]);
        let input = json!({"copy": copy("inner", inner, json!(format!("[add(copyIndex('outer', {offset}), copyIndex('inner'))]")))});
        let template = template(json!({
            "variables": {"copy": copy("outer", count, input)},
            "outputs": {"o": {"type": "array", "value": "[variables('outer')]"}}
        }));
        let expected: Vec<Value> = (0..count).map(|i| json!({"inner": (0..inner).map(|j| i + offset + j).collect::<Vec<_>>()})).collect();
        prop_assert_eq!(&outputs_of(&template, json!({}))["o"]["value"], &json!(expected));
    }

    #[test]
    fn everything_comes_after_what_it_depends_on(edges in prop::collection::vec((0usize..12, 0usize..12), 0..30), turn in 0usize..12) {
        // edges from a higher to a lower number have no circle; the template lists the numbers turned
        let name = |n: usize| format!("r{n}");
        let on = |n: usize| edges.iter().filter(|(a, b)| (*a).max(*b) == n && a != b).map(|(a, b)| name((*a).min(*b))).collect::<Vec<_>>();
        let numbers: Vec<usize> = (0..12).map(|n| (n + turn) % 12).collect();
        let resources: Vec<Value> = numbers.iter().map(|&n| resource(&name(n), json!({"dependsOn": on(n)}))).collect();
        let prepared = prepare(&template(json!({"resources": resources})), &json!({}), &here()).expect("no circle");
        let order: Vec<&str> = prepared.nodes().iter().map(|node| node.name.as_str()).collect();
        prop_assert_eq!(order.len(), 12);
        for (index, node) in prepared.nodes().iter().enumerate() {
            let n: usize = node.name[1..].parse().expect("a number");
            let wanted = on(n);
            prop_assert!(node.depends_on.iter().all(|&on| on < index));
            prop_assert!(wanted.iter().all(|wanted| node.depends_on.iter().any(|&on| order[on] == wanted)));
            // nothing waits that could have gone before its neighbour
            let listed = |name: &str| numbers.iter().position(|&n| format!("r{n}") == name);
            let before = index.checked_sub(1).map(|before| order[before]);
            prop_assert!(before.is_none_or(|before| listed(before) < listed(&node.name) || node.depends_on.contains(&(index - 1))));
        }
    }
}
