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
        "/",
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
    ]);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn no_template_hurts(parameters in anything(), variables in anything(), resources in prop::collection::vec(anything(), 0..3), outputs in anything(), given in anything()) {
        let resources: Vec<Value> = resources.into_iter().map(|mut resource| {
            if let Some(members) = resource.as_object_mut() {
                members.entry("name").or_insert("a".into());
                members.entry("type").or_insert("A.B/c".into());
                members.entry("apiVersion").or_insert("1".into());
            }
            resource
        }).collect();
        for sections in [
            json!({"parameters": parameters, "variables": variables, "resources": resources, "outputs": outputs}),
            json!({"parameters": {"a": parameters}, "variables": {"a": variables}, "resources": resources, "outputs": {"a": outputs}}),
        ] {
            if let Ok(prepared) = prepare(&template(sections), &given, &here()) {
                let world = World::default();
                (0..prepared.nodes().len()).for_each(|node| drop(prepared.body(node, &world)));
                drop(prepared.outputs(&world));
            }
        }
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
