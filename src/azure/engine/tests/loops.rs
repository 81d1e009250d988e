//! Loops over values: in variables, properties and outputs, in each other, within limits.

use super::*;

fn one(name: &str, count: Value, input: Value) -> Value {
    json!({"name": name, "count": count, "input": input})
}

#[test]
fn variables() {
    let template = template(json!({
        "parameters": {"n": {"type": "int", "defaultValue": 2}},
        "variables": {
            "before": "[length(variables('numbers'))]",
            "copy": [
                one("numbers", json!("[parameters('n')]"), json!("[copyIndex('numbers', 10)]")),
                one("objects", json!("3"), json!({"i": "[copyIndex('OBJECTS')]", "of": "[variables('numbers')]"})),
                one("none", json!(0), json!("[fail('never')]"))
            ],
            "object": {"kept": 1, "copy": [one("list", json!(2), json!({"copy": [one("inner", json!(2), json!("[format('{0}{1}', copyIndex('list'), copyIndex('inner'))]"))]}))]},
            "plain": {"copy": "a word", "count": 1}
        },
        "outputs": {"all": {"type": "array", "value": ["[variables('before')]", "[variables('numbers')]", "[variables('objects')[2]]", "[variables('none')]", "[variables('object')]", "[variables('plain')]"]}}
    }));
    assert_eq!(
        outputs_of(&template, json!({}))["all"]["value"],
        json!([
            2,
            [10, 11],
            {"i": 2, "of": [10, 11]},
            [],
            {"kept": 1, "list": [{"inner": ["00", "01"]}, {"inner": ["10", "11"]}]},
            {"copy": "a word", "count": 1}
        ])
    );
}

#[test]
fn properties() {
    let properties = json!({
        "first": 1,
        "copy": [
            one("pairs", json!("[copyIndex()]"), json!({"own": "[copyIndex('pairs')]", "resource": "[copyIndex()]", "x": "[reference('a').x]"})),
            one("names", json!(2), json!("[copyIndex('names', 1)]"))
        ]
    });
    let template = template(json!({"resources": [
        resource("[format('r{0}', copyIndex())]", json!({"copy": {"name": "rs", "count": 3}, "properties": properties})),
        resource("a", json!({"properties": {"x": "ax"}}))
    ]}));
    let (world, _) = deploy(&template, json!({})).expect("deploys");
    assert_eq!(world.body("/r0")["properties"], json!({"first": 1, "pairs": [], "names": [1, 2]}));
    assert_eq!(
        world.body("/r2")["properties"]["pairs"],
        json!([{"own": 0, "resource": 2, "x": "ax"}, {"own": 1, "resource": 2, "x": "ax"}])
    );
    assert_eq!(world.ids()[0], id("A.B/c/a"), "an input refers to it");
}

#[test]
fn outputs() {
    let template_ = template(json!({
        "resources": [resource("[format('r{0}', copyIndex())]", json!({"copy": {"name": "rs", "count": 2}, "properties": {"i": "[copyIndex()]"}}))],
        "outputs": {
            "all": {"type": "array", "copy": {"count": "[length(createArray(1, 2))]", "input": {"n": "[copyIndex(1)]", "i": "[reference(format('r{0}', copyIndex())).i]"}}},
            "none": {"type": "array", "copy": {"count": 0, "input": 1}},
            "off": {"type": "array", "condition": false, "copy": {"count": "[fail('never')]", "input": 1}}
        }
    }));
    let (_, outputs) = deploy(&template_, json!({})).expect("deploys");
    assert_eq!(values(&outputs), json!({"all": [{"n": 1, "i": 0}, {"n": 2, "i": 1}], "none": []}));
    let with = |copy: Value| message(&template(json!({"outputs": {"o": {"type": "array", "copy": copy}}})), json!({}));
    assert!(with(json!({"count": 801, "input": 1})).contains("its count '801' is not between 0 and 800"));
    assert!(with(json!({"input": 1})).contains("its count is of type 'Null'"));
    assert!(
        with(json!({"count": "[reference('x').n]", "input": 1}))
            .contains("'reference' is not expected at this location")
    );
}

#[test]
fn loops_that_cannot_be() {
    let with = |copy: Value| message(&template(json!({"variables": {"copy": copy}})), json!({}));
    assert!(with(json!([{"count": 1, "input": 1}])).contains("The copy is not valid: it has no name"));
    assert!(with(json!([one("a", json!(1), json!(1)), {"name": "b", "count": 1}])).contains("it has no input"));
    assert!(with(json!([one("a", json!(-1), json!(1))])).contains("its count '-1' is not between 0 and 800"));
    assert!(with(json!([one("a", json!(true), json!(1))])).contains("its count is of type 'Boolean'"));
    assert!(
        with(json!([one("a", json!(2), json!("[copyIndex()]"))]))
            .contains("'copyIndex' is not expected at this location")
    );
    assert!(
        with(json!([one("a", json!(2), json!("[copyIndex('b')]"))]))
            .contains("'copyIndex' is not expected at this location")
    );
    assert!(
        with(json!([one("a", json!(2), json!("[variables('a')]"))])).contains("Circular reference to 'a' detected")
    );
    // a loop in a loop in a loop makes no more than a template may hold
    let nested =
        (0..4).fold(json!("xxxxxxxxxxxxxxxx"), |inner, n| json!({"copy": [one(&format!("l{n}"), json!(800), inner)]}));
    assert!(message(&template(json!({"variables": {"v": nested}})), json!({})).contains("limit exceeded"));
    let empty = (0..4).fold(
        json!([]),
        |inner, n| json!({"copy": [one(&format!("l{n}"), json!(if n == 0 { 0 } else { 800 }), inner)]}),
    );
    assert!(message(&template(json!({"variables": {"v": empty}})), json!({})).contains("limit exceeded"));
}
