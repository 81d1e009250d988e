//! Types of language version 2.0: what they admit, what is shown.

use super::*;

/// What a template says of a value for its parameter `p`.
fn verdict(definitions: &Value, p: &Value, value: Option<Value>) -> String {
    let template = symbolic(json!({"definitions": definitions, "parameters": {"p": p}}));
    let given = value.map_or(json!({}), |value| json!({"p": {"value": value}}));
    match prepare(&template, &given, &here()) {
        Ok(prepared) => format!("takes {}", prepared.parameters()["p"]["value"]),
        Err(error) => error.message,
    }
}

#[test]
fn values_are_of_their_types() {
    let shapes = json!({
        "name": {"type": "string", "minLength": 2, "maxLength": 3},
        "alias": {"$ref": "#/definitions/name", "allowedValues": ["ab", "abc"]},
        "pair": {"type": "array", "prefixItems": [{"type": "int"}, {"type": "bool"}], "items": false},
        "open": {"type": "array", "prefixItems": [{"type": "int"}], "items": {"type": "string"}},
        "tree": {"type": "object", "properties": {"left": {"$ref": "#/definitions/tree", "nullable": true}, "n": {"type": "int", "minValue": 1}}, "additionalProperties": false},
        "sealed": {"type": "object", "sealed": true, "properties": {"a": {"type": "int", "nullable": true}}},
        "words": {"type": "object", "additionalProperties": {"$ref": "#/definitions/name"}},
        "either": {"type": "object", "discriminator": {"propertyName": "kind", "mapping": {
            "int": {"type": "object", "properties": {"value": {"type": "int"}}, "additionalProperties": false},
            "name": {"$ref": "#/definitions/named"}
        }}},
        "named": {"type": "object", "properties": {"kind": {"type": "string"}, "value": {"$ref": "#/definitions/alias"}}}
    });
    let takes = |name: &str, value: Value| {
        let got = verdict(&shapes, &json!({"$ref": format!("#/definitions/{name}")}), Some(value.clone()));
        assert_eq!(got, format!("takes {value}"), "{name}");
    };
    let refuses = |name: &str, value: Value, why: &str| {
        let got = verdict(&shapes, &json!({"$ref": format!("#/definitions/{name}")}), Some(value.clone()));
        assert!(
            got.contains("The provided value for the template parameter 'p' at line '1' and column '0' is not valid."),
            "{got}"
        );
        assert!(got.contains(why), "{name} {value}: {got}");
    };
    takes("name", json!("ab"));
    refuses("name", json!("a"), "Length of the value should be greater than or equal to '2'.");
    refuses("name", json!(1), "Expected a value of type 'String, Uri', but received a value of type 'Integer'.");
    refuses("name", Value::Null, "received a value of type 'Null'.");
    takes("alias", json!("abc"));
    refuses("alias", json!("abx"), "not part of the allowed value(s)");
    refuses("alias", json!("abcd"), "not valid.");
    takes("pair", json!([1, true]));
    refuses("pair", json!([1]), "There are 1 items, not at least 2.");
    refuses("pair", json!([1, true, 1]), "There are more than 2 items.");
    refuses("pair", json!([1, 1]), "In item 1: Expected a value of type 'Boolean'");
    takes("open", json!([1, "a", "b"]));
    refuses("open", json!([1, 2]), "In item 1: Expected a value of type 'String, Uri'");
    takes("tree", json!({"n": 1, "LEFT": {"n": 2, "left": null}}));
    refuses("tree", json!({"n": 1, "left": {}}), "In property 'left': The property 'n' is missing.");
    refuses("tree", json!({"n": 0}), "In property 'n': The value should be greater than or equal to '1'.");
    refuses("tree", json!({"n": 1, "right": {}}), "The property 'right' is not allowed.");
    takes("sealed", json!({}));
    refuses("sealed", json!({"b": 1}), "The property 'b' is not allowed.");
    takes("words", json!({"x": "ab"}));
    refuses("words", json!({"x": "a"}), "In property 'x': Length");
    takes("either", json!({"kind": "int", "value": 1}));
    takes("either", json!({"kind": "name", "value": "ab"}));
    refuses("either", json!({"kind": "int", "value": "ab"}), "In property 'value': Expected a value of type 'Integer'");
    refuses("either", json!({"kind": "int", "value": 1, "more": 1}), "The property 'more' is not allowed.");
    refuses("either", json!({"kind": "other"}), "The property 'kind' is not one of 'int, name'.");
    refuses("either", json!({"value": 1}), "The property 'kind' is not one of");
}

#[test]
fn null_and_nothing() {
    let none = json!({});
    let p = json!({"type": "string", "nullable": true});
    assert_eq!(verdict(&none, &p, None), "takes null");
    assert_eq!(verdict(&none, &p, Some(Value::Null)), "takes null");
    let defaulted = json!({"type": "string", "defaultValue": "d"});
    assert_eq!(verdict(&none, &defaulted, Some(Value::Null)), "takes \"d\"");
    assert!(verdict(&none, &json!({"type": "string"}), None).contains("is not provided"));
    assert!(
        verdict(&none, &json!({"type": "string", "defaultValue": 1}), None)
            .contains("received a value of type 'Integer'")
    );
    let classic = template(json!({"parameters": {"p": defaulted}}));
    let prepared = prepare(&classic, &json!({"p": {"value": null}}), &here()).expect("a good template");
    assert_eq!(prepared.parameters()["p"]["value"], "d", "in the classic form too");
    let both = json!({"type": "string", "nullable": true, "defaultValue": "d"});
    assert_eq!(verdict(&none, &both, Some(Value::Null)), "takes null");
}

#[test]
fn definitions_that_cannot_be() {
    let ints = json!({"type": "int"});
    let reference = |name: &str| json!({"$ref": format!("#/definitions/{name}")});
    let with = |definitions: Value| verdict(&definitions, &ints, Some(json!(1)));
    assert!(with(json!({"a": reference("b"), "b": reference("a")})).contains("its definition refers to itself"));
    assert!(with(json!({"a": reference("b")})).contains("does not support the type \"#/definitions/b\""));
    assert!(with(json!({"a": {"type": "array", "items": {"type": "text"}}})).contains("its type 'text' is not known"));
    assert!(with(json!({"a": {"type": "object", "properties": {"x": 1}}})).contains("its type is not an object"));
    assert!(with(json!({"a": {}})).contains("its type '' is not known"));
    // a tag that leads to the type itself
    let looping =
        json!({"a": {"type": "object", "discriminator": {"propertyName": "k", "mapping": {"x": reference("a")}}}});
    assert!(verdict(&looping, &reference("a"), Some(json!({"k": "x"}))).contains("nested too deeply"));
}

#[test]
fn secrets_are_not_shown_wherever_they_are() {
    let template = symbolic(json!({
        "definitions": {"deep": {"type": "object", "properties": {"list": {"type": "array", "items": {"type": "secureString"}}, "self": {"$ref": "#/definitions/deep", "nullable": true}}}},
        "parameters": {"p": {"$ref": "#/definitions/deep", "defaultValue": {"list": ["s"]}}, "q": {"type": "array", "items": {"type": "string"}, "defaultValue": ["securestring"]}},
        "outputs": {
            "p": {"$ref": "#/definitions/deep", "value": "[parameters('p')]"},
            "n": {"type": "string", "nullable": true, "value": "[null()]"},
            "q": {"type": "array", "items": {"type": "string"}, "value": "[parameters('q')]"}
        }
    }));
    let prepared = prepare(&template, &json!({}), &here()).expect("a good template");
    assert_eq!(
        prepared.parameters(),
        json!({"p": {"type": "Object"}, "q": {"type": "Array", "value": ["securestring"]}})
    );
    let outputs = prepared.outputs(&World::default()).expect("outputs");
    assert_eq!(
        outputs,
        json!({"p": {"type": "Object"}, "n": {"type": "String"}, "q": {"type": "Array", "value": ["securestring"]}})
    );
    let wrong = symbolic(json!({"outputs": {"o": {"type": "array", "items": {"type": "int"}, "value": ["a"]}}}));
    let error = deploy(&wrong, json!({})).err().expect("an error");
    assert!(
        error.details[0]
            .message
            .contains("The template output 'o' is not valid: In item 0: Expected a value of type 'Integer'")
    );
}
