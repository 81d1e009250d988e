//! The symbolic form, resources nested in resources, nested deployments, functions of a template's own, moments.

use super::*;

fn output(kind: &str, value: &str) -> Value {
    json!({"type": kind, "value": value})
}

#[test]
fn symbols() {
    let sym = |name: &str, more: Value| resource(name, more);
    let template = symbolic(json!({
        "resources": {
            "off": sym("off", json!({"condition": false, "properties": {}})),
            "nameless": sym("[parameters('nothing').name]", json!({"condition": "[not(equals(parameters('nothing'), null()))]"})),
            "last": sym("last", json!({"dependsOn": ["many", "off", "nameless"]})),
            "many": sym("[format('m{0}', copyIndex())]", json!({
                "copy": {"name": "many", "count": 3},
                "condition": "[not(equals(copyIndex(), 1))]",
                "properties": {"i": "[copyIndex()]"}
            })),
            "there": sym("there", json!({"existing": true, "resourceGroup": "other", "dependsOn": ["early"]})),
            "late": sym("late", json!({"properties": {"x": "[reference('there').x]"}, "dependsOn": ["there"]})),
            "early": sym("early", json!({})),
            "parent::child": {"type": "A.B/c/d", "apiVersion": "1", "name": "[format('{0}/{1}', 'early', 'child')]", "dependsOn": ["early"]}
        },
        "parameters": {"nothing": {"type": "object", "nullable": true}},
        "outputs": {
            "third": output("int", "[reference('many[2]').i]"),
            "computed": output("int", "[reference(format('many[{0}]', 0)).i]"),
            "all": output("array", "[map(references('many'), lambda('m', lambdaVariables('m').i))]"),
            "none": output("array", "[references('off')]"),
            "full": output("array", "[map(references('many', '2020-01-01', 'full'), lambda('m', lambdaVariables('m').resourceId))]"),
            "there": output("string", "[reference('there', '2020-01-01', 'full').properties.x]"),
            "id": output("string", "[resourceInfo('there').id]"),
            "name": output("string", "[resourceInfo('parent::child').name]"),
            "key": output("string", "[listKeys('early', '2020-01-01').called]")
        }
    }));
    let mut world = World::default();
    let other = id("A.B/c/there").replace("/rg/", "/other/");
    world.put(&other, json!({"properties": {"x": "seen"}}));
    let outputs = world.deploy(&template, &json!({}), &here()).expect("deploys");
    assert_eq!(
        values(&outputs),
        json!({
            "third": 2, "computed": 0, "all": [0, 2], "none": [], "full": ["A.B/c/m0", "A.B/c/m2"], "there": "seen", "id": other,
            "name": "early/child", "key": "listKeys"
        })
    );
    let prepared = prepare(&template, &json!({}), &here()).expect("a good template");
    let on = |name: &str| {
        let node = prepared.nodes().iter().find(|node| node.name == name).expect("a node");
        node.depends_on.iter().map(|&on| prepared.nodes()[on].name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(prepared.nodes().len(), 6, "neither what exists nor what is not wanted");
    assert_eq!(on("last"), ["m0", "m2"]);
    assert_eq!(on("late"), ["early"], "through what exists");
    assert_eq!(world.body("/late")["properties"]["x"], "seen");
    let of = |expression: &str| {
        let template = symbolic(json!({"resources": {"a": sym("a", json!({"properties": {"x": expression}}))}}));
        message(&template, json!({}))
    };
    assert!(of("[reference('b')]").contains("could not find template resource or resource copy with this name"));
    assert!(of("[references('b')]").contains("could not find template resource or resource copy with this name"));
    let in_loop = symbolic(json!({"resources": {
        "a": sym("a", json!({})),
        "b": sym("[format('b{0}', copyIndex())]", json!({"copy": {"name": "b", "count": 1}, "properties": {"x": "[references('a')]"}}))
    }}));
    assert!(
        message(&in_loop, json!({})).contains("The template function 'references' is not expected at this location.")
    );
    let undefined = symbolic(json!({"resources": {"a": sym("a", json!({"dependsOn": ["b"]}))}}));
    assert!(message(&undefined, json!({})).contains("The resource 'b' is not defined in the template."));
}

#[test]
fn what_exists_stands_in_any_scope() {
    let there = |more: Value| {
        let template = symbolic(json!({
            "resources": {"r": resource("r", more)},
            "outputs": {"id": output("string", "[resourceInfo('r').id]")}
        }));
        let outputs = outputs_of(&template, json!({}));
        outputs["id"]["value"].as_str().expect("an id").to_owned()
    };
    assert_eq!(there(json!({"existing": true})), id("A.B/c/r"));
    assert_eq!(
        there(json!({"existing": true, "subscriptionId": "s2", "resourceGroup": "g2"})),
        "/subscriptions/s2/resourceGroups/g2/providers/A.B/c/r"
    );
    assert_eq!(there(json!({"existing": true, "subscriptionId": "s2"})), "/subscriptions/s2/providers/A.B/c/r");
    assert_eq!(there(json!({"existing": true, "scope": "/"})), "/providers/A.B/c/r");
    assert_eq!(
        there(json!({"existing": true, "scope": "[subscription().id]"})),
        format!("/subscriptions/{SUBSCRIPTION}/providers/A.B/c/r")
    );
}

#[test]
fn resources_in_resources() {
    let child = |kind: &str, name: &str, more: Value| {
        let mut child = json!({"type": kind, "apiVersion": "1", "name": name});
        more.as_object().expect("members").iter().for_each(|(key, value)| child[key] = value.clone());
        child
    };
    let children = json!([
        child(
            "d",
            "x",
            json!({"dependsOn": ["p"], "resources": [child("e", "y", json!({"properties": {"n": "[parameters('n')]"}}))]})
        ),
        child("f", "z", json!({"condition": false}))
    ]);
    let template_ = template(json!({
        "parameters": {"n": {"type": "int", "defaultValue": 4}},
        "resources": [resource("p", json!({"resources": children})), resource("last", json!({"dependsOn": ["[resourceId('A.B/c/d', 'p', 'x')]"]}))]
    }));
    let (world, _) = deploy(&template_, json!({})).expect("deploys");
    assert_eq!(world.ids(), [id("A.B/c/p"), id("A.B/c/p/d/x"), id("A.B/c/p/d/x/e/y"), id("A.B/c/last")]);
    assert_eq!(world.body("/e/y")["properties"]["n"], 4);
    let in_loop = template(json!({"resources": [resource("[format('p{0}', copyIndex())]", json!({
        "copy": {"name": "ps", "count": 2}, "resources": [child("d", "[format('x{0}', copyIndex())]", json!({}))]
    }))]}));
    assert_eq!(names(&in_loop), ["p0", "p0/x0", "p1", "p1/x1"]);
    let copied = json!([child("d", "x", json!({"copy": {"name": "c", "count": 2}}))]);
    let with = |children: Value| {
        message(&template(json!({"resources": [resource("p", json!({"resources": children}))]})), json!({}))
    };
    assert!(with(copied).contains("Copy is not supported for nested resources."));
    assert!(with(json!([child("d", "p/x", json!({}))])).contains("has incorrect segment lengths"));
    assert!(
        with(json!([child("d", "[nothing()]", json!({}))])).contains("The template function 'nothing' is not valid.")
    );
}

#[test]
fn templates_of_the_outer_scope_are_their_parents() {
    let inner = json!({
        "type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "inner", "properties": {
            "mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": {"p": {"value": "[variables('v')]"}},
            "template": template(json!({"parameters": {"p": {"type": "string"}}, "outputs": {"o": output("string", "[parameters('p')]")}}))
        }
    });
    let nested = template(json!({
        "variables": {"v": "nested's"},
        "resources": [
            {"type": "A.B/c", "apiVersion": "1", "name": "[variables('v')]", "properties": {"[variables('v')]": "[parameters('raw')]", "t": "[reference('first').x]"}},
            inner
        ],
        "outputs": {"v": output("string", "[variables('v')]"), "raw": output("string", "[parameters('raw')]")}
    }));
    let deployment = |template: Value| {
        json!({
            "type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "n", "properties": {"mode": "Incremental", "template": template}
        })
    };
    let whole = |resources: Value| {
        template(json!({
            "parameters": {"raw": {"type": "string", "defaultValue": "[[x]"}},
            "variables": {"v": "parents"},
            "resources": resources,
            "outputs": {"v": output("string", "[reference('n').outputs.v.value]"), "raw": output("string", "[reference('n').outputs.raw.value]")}
        }))
    };
    let template_ = whole(json!([deployment(nested), resource("first", json!({"properties": {"x": [1]}}))]));
    let mut world = World::default();
    let outputs = world.deploy(&template_, &json!({}), &here()).expect("deploys");
    assert_eq!(values(&outputs), json!({"v": "parents", "raw": "[x]"}));
    assert_eq!(
        world.ids(),
        [
            id("A.B/c/first"),
            id("Microsoft.Resources/deployments/n"),
            id("A.B/c/parents"),
            id("Microsoft.Resources/deployments/inner")
        ],
        "what it refers to comes first"
    );
    assert_eq!(world.body("/c/parents")["properties"], json!({"parents": "[x]", "t": [1]}));
    let inner = world.resource(&id("Microsoft.Resources/deployments/inner"), None).expect("deployed");
    assert_eq!(inner["properties"]["outputs"]["o"]["value"], "parents");
    let looped = template(
        json!({"resources": [resource("[format('r{0}', copyIndex())]", json!({"copy": {"name": "l", "count": 2}}))]}),
    );
    assert!(message(&whole(json!([deployment(looped.clone())])), json!({})).contains("copyIndex"));
    let mut plain = looped;
    plain["resources"][0]["name"] = "r".into();
    assert!(
        message(&whole(json!([deployment(plain)])), json!({}))
            .contains("does not support loops inside of a nested template of the scope 'outer'")
    );
    let unknown = template(json!({"outputs": {"o": output("string", "[parameters('p')]")}}));
    assert!(
        message(&whole(json!([deployment(unknown)])), json!({})).contains("The template parameter 'p' is not found.")
    );
    let own = template(
        json!({"resources": [resource("a", json!({}))], "outputs": {"o": output("string", "[reference('a').x]")}}),
    );
    assert!(message(&whole(json!([deployment(own)])), json!({})).contains("could not find template resource"));
}

fn functions(members: Value) -> Value {
    json!([{"namespace": "own", "members": members}])
}

#[test]
fn functions_of_a_templates_own() {
    let member = |parameters: Value, output: Value| json!({"parameters": parameters, "output": output});
    let greet = member(
        json!([{"name": "who", "type": "string"}, {"name": "times", "type": "int"}]),
        json!({"type": "object", "value": {"text": "[concat('hello ', parameters('WHO'))]", "list": "[range(0, parameters('times'))]"}}),
    );
    let template_ = template(json!({
        "functions": functions(json!({"greet": greet})),
        "parameters": {"p": {"type": "string", "defaultValue": "[own.greet('p', 1).text]"}},
        "variables": {"v": "[OWN.Greet('v', 2)]"},
        "outputs": {"p": output("string", "[parameters('p')]"), "v": output("object", "[variables('v')]")}
    }));
    assert_eq!(
        values(&outputs_of(&template_, json!({}))),
        json!({"p": "hello p", "v": {"text": "hello v", "list": [0, 1]}})
    );
    let with = |version: &str, members: Value, expression: &str| {
        let resources = if version == "1.0" { json!([]) } else { json!({}) };
        let template = template(json!({
            "languageVersion": version, "functions": functions(members), "resources": resources, "variables": {"v": "x"},
            "outputs": {"o": output("string", expression)}
        }));
        match deploy(&template, json!({})) {
            Ok((_, outputs)) => outputs["o"]["value"].to_string(),
            Err(error) => error.to_value().to_string(),
        }
    };
    let one = |value: &str| json!({"a": member(json!([]), output("string", value)), "b": member(json!([]), output("string", "[concat('b', 'b')]"))});
    assert_eq!(with("2.0", one("[concat(variables('v'), own.b())]"), "[own.a()]"), "\"xbb\"");
    for (value, refused) in [
        ("[variables('v')]", "variables"),
        ("[own.b()]", "own.b"),
        ("[reference('x')]", "reference"),
        ("[listKeys('x', '1')]", "listKeys"),
    ] {
        let text = format!("These function calls are not supported in a function definition: '{refused}'.");
        assert!(with("1.0", one(value), "[own.a()]").contains(&text), "{value}");
    }
    assert!(with("2.0", one("[reference('x')]"), "x").contains("These function calls are not supported"));
    let strict = json!({"a": member(json!([{"name": "n", "type": "int"}]), output("string", "[parameters('n')]"))});
    assert!(
        with("1.0", strict.clone(), "[own.a()]").contains("function requires 1 argument(s) while 0 were provided.")
    );
    assert!(with("1.0", strict.clone(), "[own.a('1')]").contains(
        "The argument 'n' of the template function 'own.a' is not valid. Expected a value of type 'Integer'"
    ));
    assert!(with("1.0", strict, "[own.a(1)]").contains("The output of the template function 'own.a' is not valid."));
    assert!(with("1.0", one("x"), "[own.c()]").contains("The template function 'own.c' is not valid."));
    // neither calls without end nor calls that double
    let itself = json!({"a": member(json!([]), output("string", "[own.a()]"))});
    assert!(with("2.0", itself, "[own.a()]").contains("nested deeper than"));
    let many: Map<String, Value> = (0..12)
        .map(|n| {
            let next = format!("[concat({})]", vec![format!("own.f{}()", n + 1); 8].join(", "));
            (format!("f{n}"), member(json!([]), output("string", if n == 11 { "" } else { &next })))
        })
        .collect();
    assert!(with("2.0", many.into(), "[own.f0()]").contains("limit exceeded"));
}

#[test]
fn moments_and_guids_are_for_defaults_only() {
    let template_ = template(json!({
        "parameters": {
            "a": {"type": "string", "defaultValue": "[newGuid()]"},
            "b": {"type": "string", "defaultValue": "[newGuid()]"},
            "now": {"type": "string", "defaultValue": "[utcNow()]"},
            "day": {"type": "string", "defaultValue": "[utcNow('d')]"}
        },
        "outputs": {"a": output("string", "[parameters('a')]"), "b": output("string", "[parameters('b')]"), "now": output("string", "[parameters('now')]"), "day": output("string", "[parameters('day')]")}
    }));
    let first = values(&outputs_of(&template_, json!({})));
    assert_eq!((&first["now"], &first["day"]), (&json!("20261118T110640Z"), &json!("11/18/2026")));
    assert_ne!(first["a"], first["b"]);
    assert_eq!(first["a"].as_str().map(str::len), Some(36));
    assert_eq!(first, values(&outputs_of(&template_, json!({}))), "a scope gives the same again");
    let mut other = here();
    other.seed += 1;
    let outputs = World::default().deploy(&template_, &json!({}), &other).expect("deploys");
    assert_ne!(values(&outputs)["a"], first["a"]);
    for (expression, name) in
        [("[newGuid()]", "newGuid"), ("[utcNow()]", "utcNow"), ("[if(true(), '', newGuid())]", "newGuid")]
    {
        let text = format!("The template function '{name}' is not expected at this location.");
        let in_output = template(json!({"outputs": {"o": output("string", expression)}}));
        assert!(message(&in_output, json!({})).contains(&text), "{expression}");
    }
    assert!(
        message(&template(json!({"variables": {"v": "[utcNow()]"}})), json!({})).contains("'utcNow' is not expected")
    );
}

#[test]
fn what_cannot_be_known_yet_stays_as_it_is_written() {
    let template = template(json!({"resources": [
        resource("a", json!({"location": "l", "properties": {
            "known": "[concat('x', 'y')]", "unknown": "[reference('b').x]", "keys": ["[listKeys('b', '1').key]"], "gone": null,
            "copy": [{"name": "many", "count": 2, "input": "[format('{0}{1}', copyIndex('many'), reference('b').x)]"}]
        }})),
        resource("b", json!({}))
    ]}));
    let prepared = prepare(&template, &json!({}), &here()).expect("a good template");
    let unknown = "[format('{0}{1}', copyIndex('many'), reference('b').x)]";
    let expected = json!({"location": "l", "properties": {"known": "xy", "unknown": "[reference('b').x]", "keys": ["[listKeys('b', '1').key]"], "many": [unknown, unknown]}});
    assert_eq!(prepared.foreseen_body(1, &World::default()), expected);
    let mut world = World::default();
    world.put(&id("A.B/c/b"), json!({"properties": {"x": "z"}}));
    assert_eq!(prepared.foreseen_body(1, &world)["properties"]["many"], json!(["0z", "1z"]));
}

#[test]
fn management_groups() {
    let scope =
        Scope { management_group: Some("m".into()), subscription: String::new(), resource_group: None, ..here() };
    let mut template = template(json!({
        "resources": [resource("a", json!({"location": "[deployment().location]", "properties": {"of": "[managementGroup().id]"}}))],
        "outputs": {"id": output("string", "[managementGroupResourceId('A.B/c', 'a')]")}
    }));
    template["$schema"] =
        "https://schema.management.azure.com/schemas/2019-08-01/managementGroupDeploymentTemplate.json#".into();
    assert!(message(&template, json!({})).contains("does not support deployments to tenants and management groups"));
    let mut world = World::default();
    let outputs = world.deploy(&template, &json!({}), &scope).expect("deploys");
    let group = "/providers/Microsoft.Management/managementGroups/m";
    assert_eq!(world.ids(), [format!("{group}/providers/A.B/c/a")]);
    assert_eq!(outputs["id"]["value"], format!("{group}/providers/A.B/c/a"));
    assert_eq!(world.body("/a"), &json!({"location": "westeurope", "properties": {"of": group}}));
    template["variables"] = json!({"v": "[subscription().id]"});
    assert!(
        world
            .deploy(&template, &json!({}), &scope)
            .is_err_and(|error| error.message.contains("'SUBSCRIPTION' is not expected"))
    );
}
