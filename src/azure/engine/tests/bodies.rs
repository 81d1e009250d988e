//! What a resource's provider gets, and what comes out at the end.

use super::*;

#[test]
fn bodies() {
    let template = template(json!({
        "parameters": {"n": {"type": "string", "defaultValue": "v"}},
        "resources": [
            resource("a", json!({"comments": "x", "location": "[resourceGroup().location]", "zones": null, "properties": {
                "kept": [null, {"b": null, "c": 1}], "gone": null, "null": "[null()]", "[[k]": "[[v]", "[parameters('n')]": 1
            }})),
            resource("b", json!({"kind": "k", "properties": {
                "all": "[reference('a', '2020-01-01', 'Full').location]",
                "id": "[reference('a', '2020-01-01', 'full').resourceId]",
                "kept": "[reference(resourceId('A.B/c', 'a')).kept[1].c]",
                "keys": "[listKeys('a', '2020-01-01').called]"
            }})),
            resource("c", json!({"properties": "[null()]"})),
            {"type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "n", "properties": {
                "mode": "incremental",
                "expressionEvaluationOptions": {"scope": "Inner"},
                "parameters": {"p": {"value": "[reference('a').kept]"}, "q": {"value": null}},
                "template": {"$schema": "s", "outputs": {"o": {"value": "[parameters('p')]", "x": null}}}
            }}
        ]
    }));
    let prepared = prepare(&template, &json!({}), &here()).expect("a good template");
    let mut world = World::default();
    let a = prepared.body(0, &world).expect("a body");
    let expected = json!({"location": "eastus2", "properties": {"kept": [null, {"c": 1}], "[k]": "[v]", "v": 1}});
    assert_eq!(a, expected);
    let error = prepared.body(1, &world).expect_err("a is not there yet");
    assert_eq!((error.code, error.path.as_deref()), ("ResourceNotFound", None));
    assert!(
        error.message.starts_with("The Resource 'A.B/c/a' under resource group 'rg' was not found."),
        "{}",
        error.message
    );
    world.put(&id("A.B/c/a"), a);
    assert_eq!(
        prepared.body(1, &world),
        Ok(json!({"kind": "k", "properties": {"all": "eastus2", "id": "A.B/c/a", "kept": 1, "keys": "listKeys"}}))
    );
    assert_eq!(prepared.body(2, &world), Ok(json!({})));
    let nested = prepared.body(3, &world).expect("a body");
    assert_eq!(nested["properties"]["parameters"], json!({"p": {"value": [null, {"c": 1}]}, "q": {"value": null}}));
    assert_eq!(nested["properties"]["template"], template["resources"][3]["properties"]["template"]);
    assert_eq!(
        prepared.providers(),
        json!([
            {"namespace": "A.B", "resourceTypes": [{"resourceType": "c", "locations": ["eastus2", null]}]},
            {"namespace": "Microsoft.Resources", "resourceTypes": [{"resourceType": "deployments", "locations": [null]}]}
        ])
    );
}

#[test]
fn references_that_cannot_be() {
    let with = |expression: &str| {
        let template = template(json!({"resources": [resource("a", json!({"properties": {"x": expression}}))]}));
        let error = deploy(&template, json!({})).err().expect("an error");
        assert_eq!(error.code, "InvalidTemplate");
        error.message
    };
    let begin = format!(
        "Unable to process template language expressions for resource '{}' at line '1' and column '0'. '",
        id("A.B/c/a")
    );
    let text = with("[reference('nothing').x]");
    assert!(
        text.starts_with(&begin) && text.contains("could not find template resource or resource copy with this name"),
        "{text}"
    );
    assert!(with("[reference(resourceId('A.B/c', 'other')).x]").contains("requires an API version"));
    assert!(
        with("[reference(resourceId('A.B/c', 'other'), '1', 'half').x]")
            .contains("expects its third parameter to be 'Full', not 'half'")
    );
}

#[test]
fn outputs() {
    let template_ = template(json!({
        "resources": [resource("a", json!({"properties": {"x": {"y": 1}}}))],
        "outputs": {
            "n": {"type": "int", "value": "[reference('a').x.y]"},
            "o": {"type": "object", "value": {"deep": ["[resourceGroup().location]"]}},
            "none": {"type": "string", "value": null},
            "secret": {"type": "securestring", "value": "s"},
            "off": {"type": "string", "condition": false, "value": "[reference('nothing').x]"}
        }
    }));
    assert_eq!(
        outputs_of(&template_, json!({})),
        json!({
            "n": {"type": "Int", "value": 1},
            "o": {"type": "Object", "value": {"deep": ["eastus2"]}},
            "none": {"type": "String"},
            "secret": {"type": "SecureString"}
        })
    );
    let failing = template(json!({"outputs": {
        "good": {"type": "string", "value": ""},
        "bad": {"type": "string", "value": "[base64(100)]"},
        "typed": {"type": "string", "value": 1}
    }}));
    let error = deploy(&failing, json!({})).err().expect("an error").to_value();
    let code = "DeploymentOutputEvaluationFailed";
    assert_eq!(
        error,
        json!({
            "code": code,
            "message": "Unable to evaluate template outputs: 'bad,typed'. Please see error details and deployment operations. Please see https://aka.ms/arm-common-errors for usage details.",
            "details": [
                {"code": code, "message": error["details"][0]["message"]},
                {"code": code, "message": "The template output 'typed' is not valid: Template output JToken type is not valid. Expected 'String, Uri'. Actual 'Integer'."}
            ]
        })
    );
    assert!(error["details"][0]["message"].as_str().is_some_and(|text| text.starts_with("The template output 'bad' is not valid: The template language function 'base64' expects its parameter to be of type 'String'.")));
    let early = template(json!({"outputs": {"o": {"type": "string", "value": "[parameters('p')]"}}}));
    let error = prepare(&early, &json!({}), &here()).expect_err("found up front");
    assert_eq!(
        error.to_value()["additionalInfo"],
        json!([{"type": "TemplateViolation", "info": {"lineNumber": 1, "linePosition": 0, "path": "outputs.o"}}])
    );
    assert!(error.message.starts_with("Deployment template validation failed: 'The template output 'o' is not valid: The template parameter 'p' is not found."));
}
