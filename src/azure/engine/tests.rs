//! The engine held against templates: the corpus beside the project where it is, and templates of our own always.

mod bodies;
mod corpus;
mod forms;
mod laws;
mod loops;
mod published;
mod types;

use super::*;
use std::collections::BTreeMap;

const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

/// An Azure of a few lines: it keeps what it is sent, by id.
#[derive(Default)]
struct World {
    resources: BTreeMap<String, Value>,
    /// What a resource says, whatever it was sent.
    answers: BTreeMap<String, Value>,
    /// What was deployed, in order: id and body.
    log: Vec<(String, Value)>,
}

impl Runtime for World {
    fn resource(&self, id: &str, _: Option<&str>) -> Option<Value> {
        let id = id.to_lowercase();
        self.answers.get(&id).or_else(|| self.resources.get(&id)).cloned()
    }

    fn list(&self, function: &str, id: &str, _: &str) -> Option<Value> {
        let keys = json!({"called": function, "key1": "k1", "key2": "k2", "primaryKey": "p", "secondaryKey": "s"});
        self.resource(id, None).map(|_| keys)
    }
}

impl World {
    fn put(&mut self, id: &str, body: Value) {
        self.resources.insert(id.to_lowercase(), body);
    }

    /// A whole deployment, nested ones included; gives the outputs' values.
    fn deploy(&mut self, template: &Value, parameters: &Value, scope: &Scope) -> Result<Value, TemplateError> {
        let prepared = prepare(template, parameters, scope)?;
        for (index, node) in prepared.nodes().iter().enumerate() {
            let mut body = prepared.body(index, self)?;
            self.log.push((node.id.clone(), body.clone()));
            if let Some(target) = &node.nested {
                let inner = inner(scope, target, &node.name);
                let properties = body["properties"].take();
                let parameters = properties.get("parameters").unwrap_or(&Value::Null);
                let outputs = self.deploy(&properties["template"], parameters, &inner)?;
                body = json!({"properties": {"outputs": outputs}});
            }
            answer(node, &mut body);
            self.put(&node.id, body);
        }
        prepared.outputs(self)
    }

    fn ids(&self) -> Vec<&str> {
        self.log.iter().map(|(id, _)| id.as_str()).collect()
    }

    fn body(&self, end: &str) -> &Value {
        &self.log.iter().find(|(id, _)| id.ends_with(end)).unwrap_or_else(|| panic!("no {end} in {:?}", self.ids())).1
    }
}

/// What a service adds to what it is sent.
fn answer(node: &Node, body: &mut Value) {
    let name = &node.name;
    if body["identity"]["type"].as_str().is_some_and(|kind| kind.contains("SystemAssigned")) {
        body["identity"]["principalId"] = format!("principal of {name}").into();
    }
    let added = match node.type_.as_str() {
        "Microsoft.CognitiveServices/accounts" => {
            json!({"endpoint": format!("https://{name}.openai.azure.com/"), "endpoints": {}})
        }
        "Microsoft.ApiManagement/service" => json!({"gatewayUrl": format!("https://{name}.azure-api.net")}),
        "Microsoft.ManagedIdentity/userAssignedIdentities" => json!({"clientId": "client", "principalId": "principal"}),
        "Microsoft.Insights/components" => json!({"ConnectionString": "connection", "InstrumentationKey": "key"}),
        "Microsoft.App/containerApps" => json!({"configuration": {"ingress": {"fqdn": format!("{name}.example")}}}),
        "Microsoft.KeyVault/vaults/secrets" => json!({"secretUri": "uri", "secretUriWithVersion": "uri/version"}),
        "Microsoft.Network/privateEndpoints" => json!({"networkInterfaces": [{"id": "nic"}], "customDnsConfigs": []}),
        _ => return,
    };
    let sent = body["properties"].as_object().cloned().unwrap_or_default();
    let mut properties = Value::Object(sent);
    added.as_object().expect("members").iter().for_each(|(key, value)| properties[key] = value.clone());
    body["properties"] = properties;
}

fn scope(subscription: &str, group: Option<&str>) -> Scope {
    let group = group.map(|name| ResourceGroup {
        id: format!("/subscriptions/{subscription}/resourceGroups/{name}"),
        name: name.into(),
        location: "eastus2".into(),
        tags: json!({}),
    });
    Scope {
        subscription: subscription.into(),
        resource_group: group,
        management_group: None,
        deployment_name: "main".into(),
        location: Some("westeurope".into()),
        tenant: "00000000-0000-0000-0000-00000000000f".into(),
        now: Time::from_secs(1_795_000_000),
        seed: 7,
    }
}

fn inner(outer: &Scope, target: &Target, name: &str) -> Scope {
    let inner = scope(&target.subscription, target.resource_group.as_deref());
    Scope { deployment_name: name.into(), tenant: outer.tenant.clone(), ..inner }
}

fn here() -> Scope {
    scope(SUBSCRIPTION, Some("rg"))
}

/// An id in the group of [`here`].
fn id(path: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/{path}")
}

/// A template around some sections.
fn template(sections: Value) -> Value {
    let mut template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": []
    });
    for (key, value) in sections.as_object().expect("sections") {
        template[key] = value.clone();
    }
    template
}

/// The same in the symbolic form.
fn symbolic(sections: Value) -> Value {
    let mut template = template(json!({"languageVersion": "2.0", "resources": {}}));
    for (key, value) in sections.as_object().expect("sections") {
        template[key] = value.clone();
    }
    template
}

/// The values of the outputs.
fn values(outputs: &Value) -> Value {
    let outputs = outputs.as_object().expect("outputs").iter();
    outputs.map(|(name, output)| (name.clone(), output["value"].clone())).collect::<Map<_, _>>().into()
}

/// A resource of type `A.B/c` with some more members.
fn resource(name: &str, more: Value) -> Value {
    let mut resource = json!({"type": "A.B/c", "apiVersion": "2020-01-01", "name": name});
    for (key, value) in more.as_object().expect("members") {
        resource[key] = value.clone();
    }
    resource
}

fn deploy(template: &Value, parameters: Value) -> Result<(World, Value), TemplateError> {
    let mut world = World::default();
    let outputs = world.deploy(template, &parameters, &here())?;
    Ok((world, outputs))
}

fn message(template: &Value, parameters: Value) -> String {
    deploy(template, parameters).err().map_or("no error".into(), |error| error.message)
}

fn names(template: &Value) -> Vec<String> {
    let prepared = prepare(template, &json!({}), &here()).expect("a good template");
    prepared.nodes().iter().map(|node| node.name.clone()).collect()
}

fn outputs_of(template: &Value, parameters: Value) -> Value {
    deploy(template, parameters).expect("deploys").1
}

#[test]
fn parameters_are_given_or_have_defaults() {
    let template = template(json!({
        "parameters": {
            "a": {"type": "string"},
            "b": {"type": "STRING", "defaultValue": "[concat(parameters('A'), '-', parameters('c'))]"},
            "c": {"type": "string", "defaultValue": "[[c]"},
            "n": {"type": "int", "defaultValue": 3, "minValue": 1, "maxValue": 5},
            "s": {"type": "secureString", "defaultValue": "secret"},
            "l": {"type": "array", "defaultValue": [1], "allowedValues": [1, 2], "maxLength": 2}
        },
        "outputs": {"b": {"type": "string", "value": "[parameters('b')]"}}
    }));
    assert_eq!(outputs_of(&template, json!({"A": {"value": "[x]"}}))["b"]["value"], "[x]-[c]");
    let prepared = prepare(&template, &json!({"a": {"value": "x"}}), &here()).expect("a good template");
    assert_eq!(
        prepared.parameters(),
        json!({
            "a": {"type": "String", "value": "x"},
            "b": {"type": "String", "value": "x-[c]"},
            "c": {"type": "String", "value": "[c]"},
            "n": {"type": "Int", "value": 3},
            "s": {"type": "SecureString"},
            "l": {"type": "Array", "value": [1]}
        })
    );
    for (given, text) in [
        (json!({}), "The value for the template parameter 'a' at line '1' and column '0' is not provided."),
        (json!({"a": {}}), "The value for the template parameter 'a' at line"),
        (json!({"a": {"value": null}}), "Expected 'String, Uri'. Actual 'Null'."),
        (
            json!({"a": {"value": 1}}),
            "Template parameter JToken type is not valid. Expected 'String, Uri'. Actual 'Integer'.",
        ),
        (
            json!({"a": {"value": ""}, "x": {"value": 1}}),
            "The template parameters 'x' in the parameters file are not valid",
        ),
        (json!({"a": {"value": ""}, "n": {"value": 6}}), "The value should be less than or equal to '5'."),
        (json!({"a": {"value": ""}, "n": {"value": 0}}), "The value should be greater than or equal to '1'."),
        (json!({"a": {"value": ""}, "l": {"value": [3]}}), "The parameter value is not part of the allowed value(s)."),
        (
            json!({"a": {"value": ""}, "l": {"value": [1, 2, 1]}}),
            "Length of the value should be less than or equal to '2'.",
        ),
        (json!({"a": {"reference": {}}}), "does not support parameters from a key vault"),
    ] {
        let got = message(&template, given.clone());
        assert!(got.contains(text), "{given}: {got}");
    }
}

#[test]
fn variables_may_stand_in_any_order() {
    let mut variables = json!({
        "a": "[concat(variables('B'), '!')]",
        "b": {"x": ["[variables('c')]"]},
        "c": "[variables(concat('', 'd'))]",
        "d": "[resourceGroup().name]"
    });
    variables["a"] = "[concat(variables('B').x[0], '!')]".into();
    // a chain longer than any stack would bear by recursion
    for n in 0..400 {
        variables[format!("v{n}")] = format!("[concat(variables('v{}'), 'x')]", n + 1).into();
    }
    variables["v400"] = "".into();
    let output = |text: &str| json!({"type": "string", "value": text});
    let template = template(json!({
        "variables": variables,
        "outputs": {"a": output("[variables('a')]"), "v": output("[variables('v0')]")}
    }));
    let outputs = outputs_of(&template, json!({}));
    assert_eq!((&outputs["a"]["value"], &outputs["v"]["value"]), (&json!("rg!"), &json!("x".repeat(400))));
}

#[test]
fn variables_that_cannot_be() {
    let with = |variables: Value| message(&template(json!({"variables": variables})), json!({}));
    assert!(
        with(json!({"a": "[variables('b')]", "b": "[variables('a')]"}))
            .contains("The template variable 'b' is not valid: Circular")
    );
    assert!(with(json!({"a": "[variables('nothing')]"})).contains("The template variable 'nothing' is not found."));
    assert!(with(json!({"a": "[fail('why')]"})).contains("The template variable 'a' is not valid: why. Please see"));
    assert!(
        with(json!({"a": "[reference('x')]"}))
            .contains("The template function 'reference' is not expected at this location.")
    );
    assert!(with(json!({"a": "[nothing()]"})).contains("The template function 'nothing' is not valid."));
    assert!(with(json!({"a": "[concat('"})).contains("no error"), "without a bracket at its end it is a text");
    assert!(with(json!({"a": "[concat(]"})).contains("expected token 'LeftParenthesis' and actual 'EndOfData'"));
    let doubling: Map<String, Value> = std::iter::once(("v0".to_owned(), json!("xxxxxxxx")))
        .chain(
            (1..100)
                .map(|n| (format!("v{n}"), format!("[concat(variables('v{0}'), variables('v{0}'))]", n - 1).into())),
        )
        .collect();
    assert!(with(doubling.into()).contains("evaluation limit exceeded"));
}

#[test]
fn ids_are_made_of_scope_type_and_name() {
    let template = template(json!({"resources": [
        resource("p", json!({})),
        {"type": "A.B/c/d/e", "apiVersion": "1", "name": "p/q/r"},
        {"type": "X.Y/z", "apiVersion": "1", "name": "ext", "scope": "[resourceId('A.B/c', 'p')]"},
        {"type": "X.Y/z", "apiVersion": "1", "name": "ext2", "scope": "A.B/c/p"},
        {"type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "n1", "resourceGroup": "other",
         "properties": nested(json!({}))},
        {"type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "n2", "subscriptionId": "s2", "resourceGroup": "g2",
         "properties": nested(json!({}))},
        {"type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "n3", "subscriptionId": "s2", "location": "l",
         "properties": nested(json!({}))}
    ]}));
    let prepared = prepare(&template, &json!({}), &here()).expect("a good template");
    let ids: Vec<&str> = prepared.nodes().iter().map(|node| node.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            id("A.B/c/p"),
            id("A.B/c/p/d/q/e/r"),
            id("A.B/c/p/providers/X.Y/z/ext"),
            id("A.B/c/p/providers/X.Y/z/ext2"),
            id("Microsoft.Resources/deployments/n1").replace("/rg/", "/other/"),
            "/subscriptions/s2/resourceGroups/g2/providers/Microsoft.Resources/deployments/n2".into(),
            "/subscriptions/s2/providers/Microsoft.Resources/deployments/n3".into(),
        ]
    );
    let targets: Vec<_> = prepared.nodes()[4..].iter().map(|node| node.nested.clone().expect("nested")).collect();
    let target = |subscription: &str, group: Option<&str>| Target {
        subscription: subscription.into(),
        resource_group: group.map(str::to_owned),
    };
    assert_eq!(targets, [target(SUBSCRIPTION, Some("other")), target("s2", Some("g2")), target("s2", None)]);
}

fn nested(template_sections: Value) -> Value {
    json!({
        "mode": "Incremental",
        "expressionEvaluationOptions": {"scope": "inner"},
        "template": template(template_sections)
    })
}

#[test]
fn a_subscription_has_no_group() {
    let mut template = template(json!({
        "resources": [
            {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "1", "name": "g", "location": "[deployment().location]"},
            {"type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "n", "resourceGroup": "g",
             "properties": nested(json!({})),
             "dependsOn": ["[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'g')]"]}
        ],
        "outputs": {"id": {"type": "string", "value": "[resourceId('A.B/c', 'x')]"}}
    }));
    let subscription = scope(SUBSCRIPTION, None);
    let mut world = World::default();
    let outputs = world.deploy(&template, &json!({}), &subscription).expect("deploys");
    assert_eq!(outputs["id"]["value"], format!("/subscriptions/{SUBSCRIPTION}/providers/A.B/c/x"));
    assert_eq!(world.ids()[0], format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/g"));
    assert_eq!(world.body("/resourceGroups/g")["location"], "westeurope");
    template["variables"] = json!({"v": "[resourceGroup()]"});
    let error = world.deploy(&template, &json!({}), &subscription).expect_err("there is no group");
    assert!(
        error
            .message
            .contains("The template variable 'v' is not valid: The template function 'RESOURCEGROUP' is not expected")
    );
}

#[test]
fn order_is_the_templates_unless_something_depends() {
    let on = |name: &str, on: Value| resource(name, json!({"dependsOn": on}));
    let resources = json!([
        on("e", json!(["[resourceId('A.B/c', 'c')]"])),
        on("d", json!(["a", "A.B/c/B"])),
        resource("c", json!({"properties": {"x": "[reference('b').y]"}})),
        resource("b", json!({"properties": {"x": "[if(false(), reference(resourceId('A.B/c', 'a'), '1').y, 1)]"}})),
        resource("a", json!({})),
        on("z", json!(["off"])),
        resource("off", json!({"condition": "[equals(1, 2)]", "dependsOn": ["z"]})),
    ]);
    let template = template(json!({"resources": resources}));
    assert_eq!(names(&template), ["a", "b", "d", "c", "e", "z"]);
    let prepared = prepare(&template, &json!({}), &here()).expect("a good template");
    let on: Vec<_> = prepared.nodes().iter().map(|node| node.depends_on.clone()).collect();
    assert_eq!(on, [vec![], vec![0], vec![0, 1], vec![1], vec![3], vec![]]);
    assert_eq!(prepared.dependencies().as_array().map(Vec::len), Some(4));
    assert_eq!(
        prepared.dependencies()[0],
        json!({
            "dependsOn": [{"id": id("A.B/c/a"), "resourceType": "A.B/c", "resourceName": "a"}],
            "id": id("A.B/c/b"), "resourceType": "A.B/c", "resourceName": "b"
        })
    );
}

#[test]
fn dependencies_that_cannot_be() {
    let with = |resources: Value| message(&template(json!({"resources": resources})), json!({}));
    let on = |name: &str, on: &str| resource(name, json!({"dependsOn": [on]}));
    assert!(
        with(json!([on("a", "b"), on("b", "a")]))
            .contains(&format!("Circular dependency detected on resource: '{}'", id("A.B/c/a")))
    );
    assert!(with(json!([on("a", "a")])).contains("Circular dependency"));
    let either = |off: &str| {
        let one = |condition: bool| resource("a", json!({"condition": condition, "properties": {"of": condition}}));
        let late =
            resource("late", json!({"dependsOn": [off], "properties": {"x": format!("[reference('{off}').of]")}}));
        let template = template(json!({"resources": [one(false), one(true), late]}));
        let (world, _) = deploy(&template, json!({})).expect("one of them is");
        assert_eq!(
            (world.ids(), &world.body("/late")["properties"]["x"]),
            (vec![id("A.B/c/a").as_str(), id("A.B/c/late").as_str()], &json!(true))
        );
    };
    either("a");
    either(&id("A.B/c/a"));
    let text = "The resource 'A.B/c/x' is not defined in the template.";
    assert!(with(json!([on("a", &id("A.B/c/x"))])).contains(text));
    assert!(
        with(json!([resource("a", json!({})), resource("A", json!({}))]))
            .contains("The resource 'A.B/c/A' at line '1' and column '0' is defined multiple times")
    );
}

#[test]
fn loops_of_resources() {
    let looped = |copy: Value| {
        resource("[format('r{0}', copyIndex('loop', 1))]", json!({"copy": copy, "properties": {"i": "[copyIndex()]"}}))
    };
    let resources = json!([
        looped(json!({"name": "loop", "count": "[add(2, 3)]", "mode": "serial", "batchSize": 2})),
        resource("first", json!({})),
        resource("last", json!({"dependsOn": ["LOOP"]}))
    ]);
    let template_ = template(json!({"resources": resources}));
    assert_eq!(names(&template_), ["first", "r1", "r2", "r3", "r4", "r5", "last"]);
    let prepared = prepare(&template_, &json!({}), &here()).expect("a good template");
    let on: Vec<_> = prepared.nodes().iter().map(|node| node.depends_on.clone()).collect();
    assert_eq!(on, [vec![], vec![], vec![], vec![1, 2], vec![1, 2], vec![3, 4], vec![1, 2, 3, 4, 5]]);
    assert_eq!(prepared.body(3, &World::default()), Ok(json!({"properties": {"i": 2}})));
    let with = |copy: Value| message(&template(json!({"resources": [looped(copy)]})), json!({}));
    assert_eq!(with(json!({"name": "loop", "count": 0})), "no error");
    assert_eq!(with(json!({"name": "loop", "count": "3"})), "no error");
    assert!(with(json!({"name": "loop", "count": 801})).contains("its count '801' is not between 0 and 800"));
    assert!(with(json!({"name": "loop", "count": -1})).contains("its count '-1'"));
    assert!(with(json!({"name": "loop", "count": "[reference('x').n]"})).contains("'reference' is not expected"));
    assert!(with(json!({"name": "loop", "count": 2, "mode": "serial", "batchSize": 3})).contains("its batchSize '3'"));
    assert!(with(json!({"name": "other", "count": 2})).contains("'copyIndex' is not expected at this location"));
    let many = json!([looped(json!({"name": "loop", "count": 800})), resource("one", json!({}))]);
    let text = "The number of template resources limit exceeded. Limit: '800' and actual: '801'.";
    assert!(message(&template(json!({"resources": many})), json!({})).contains(text));
}

#[test]
fn resources_that_cannot_be() {
    let with = |resource: Value| message(&template(json!({"resources": [resource]})), json!({}));
    let more = |more: Value| with(resource("r", more));
    assert!(
        with(json!({"type": "A.B/c", "apiVersion": "1"}))
            .contains("is not valid. The name property cannot be null or empty.")
    );
    assert!(with(json!({"type": "A.B/c", "name": "a"})).contains("The apiVersion property cannot be null or empty."));
    assert!(with(json!({"type": "A.B/c", "apiVersion": "1", "name": "a/b"})).contains("has incorrect segment lengths"));
    assert!(
        with(json!({"type": "A.B/c", "apiVersion": "1", "name": "[reference('x').y]"}))
            .contains("The template resource '[reference('x').y]' at line")
    );
    assert!(more(json!({"nmae": 1})).contains("Could not find member 'nmae' on object of type 'TemplateResource'."));
    assert!(more(json!({"tags": "[reference('r').tags]"})).contains("'reference' is not expected at this location"));
    assert!(more(json!({"condition": 3})).contains("The condition is of type 'Integer'"));
    assert!(
        more(json!({"properties": {"a": ["[variables('x')]"]}})).contains("The template variable 'x' is not found.")
    );
    assert!(
        more(json!({"properties": {"a": "[copyIndex()]"}}))
            .contains("The function can only be used in a resource with copy specified.")
    );
    assert!(more(json!({"resources": [{}]})).contains("The type property cannot be null or empty."));
    assert!(more(json!({"existing": true})).contains("Could not find member 'existing'"));
    assert!(with(json!(1)).contains("is not an object"));
    let nested = |properties: Value| {
        with(
            json!({"type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "n", "properties": properties}),
        )
    };
    let group = json!({"type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "n", "scope": "Microsoft.Management/managementGroups/m"});
    assert!(with(group).contains("does not support nested deployments to tenants and management groups"));
    assert!(nested(json!({"templateLink": {}})).contains("does not support linked templates"));
    assert!(nested(json!({"mode": "Complete", "template": {}})).contains("has the mode 'Incremental'"));
}

#[test]
fn output_names_are_re_cased() {
    for (name, shown) in [
        ("AZURE_STORAGE_ACCOUNT_ID", "azurE_STORAGE_ACCOUNT_ID"),
        ("ARRAY_INT", "arraY_INT"),
        ("gatewayUrl", "gatewayUrl"),
        ("GatewayUrl", "gatewayUrl"),
        ("URL", "url"),
        ("URLPath", "urlPath"),
        ("", ""),
    ] {
        assert_eq!(output_name(name), shown);
    }
}

#[test]
fn templates_that_cannot_be() {
    let with = |key: &str, value: Value| message(&template(json!({key: value})), json!({}));
    let without = |key: &str| {
        let mut template = template(json!({}));
        template.as_object_mut().expect("a template").remove(key);
        message(&template, json!({}))
    };
    assert!(without("resources").contains("Required property 'resources' not found in JSON."));
    assert!(without("$schema").contains("Required property '$schema' not found in JSON."));
    assert!(
        with("parameters2", json!({})).contains("Could not find member 'parameters2' on object of type 'Template'.")
    );
    assert!(with("$schema", json!("http://x")).contains("Template schema 'http://x' is not supported."));
    assert!(
        with("$schema", json!("https://schema.management.azure.com/schemas/2019-08-01/tenantDeploymentTemplate.json#"))
            .contains("does not support deployments to tenants")
    );
    assert!(
        with("languageVersion", json!("2.2-experimental")).contains("templates of languageVersion '2.2-experimental'")
    );
    assert!(with("extensions", json!({})).contains("does not support the template section 'extensions'"));
    assert!(with("functions", json!({})).contains("they are not an array"));
    assert!(with("definitions", json!({"a": {"type": "int"}})).contains("which needs language version 2.0"));
    assert!(with("parameters", json!([])).contains("The template section 'parameters' is not an object"));
    assert!(with("resources", json!({})).contains("The template section 'resources' is not an array"));
    assert!(
        message(&symbolic(json!({"resources": []})), json!({}))
            .contains("The template section 'resources' is not an object")
    );
    assert!(with("parameters", json!({"p": {"type": "string", "nullable": true}})).contains("'nullable' of a type"));
    assert!(with("parameters", json!({"p": {"type": "text"}})).contains("its type 'text' is not known"));
    let many: Map<String, Value> = (0..65).map(|n| (format!("o{n}"), json!({"type": "int", "value": n}))).collect();
    assert!(
        with("outputs", many.into())
            .contains("The number of template outputs limit exceeded. Limit: '64' and actual: '65'.")
    );
    assert!(message(&json!([]), json!({})).contains("is not an object"));
}

#[test]
fn deployments_know_themselves() {
    let value = "[format('{0} {1} {2}', deployment().name, deployment().properties.mode, tenant().tenantId)]";
    let template = template(json!({"outputs": {"o": {"type": "string", "value": value}}}));
    let outputs = outputs_of(&template, json!({}));
    assert_eq!(outputs["o"]["value"], "main Incremental 00000000-0000-0000-0000-00000000000f");
    assert_ne!(template_hash(&template), template_hash(&json!({})));
}
