//! APIs: versions, revisions, definitions.

use super::*;

#[test]
fn versions_of_an_api_share_a_path() {
    let mut bench = Bench::with_service();
    for (properties, field) in [
        (json!({"displayName": "v", "versioningScheme": "Query"}), "VersionQueryName"),
        (json!({"displayName": "v", "versioningScheme": "Header"}), "VersionHeaderName"),
        (json!({"displayName": "v", "versioningScheme": "Guess"}), "'Guess'"),
        (json!({"displayName": "v"}), "VersioningScheme is required"),
    ] {
        let refused = put(&mut bench, "/apiVersionSets/v", properties);
        assert!(message(&refused).contains(field), "{}", message(&refused));
    }
    assert_eq!(
        put(&mut bench, "/apiVersionSets/v", json!({"displayName": "V", "versioningScheme": "segment"})).status,
        201
    );
    let version = |version: &str| {
        let mut api = api("a");
        api["apiVersion"] = json!(version);
        api["apiVersionSetId"] = json!("/apiVersionSets/v");
        api
    };
    let made = put(&mut bench, "/apis/a1", version("v1")).value().expect("an api");
    assert_eq!(made["properties"]["apiVersionSetId"], json!(bench.service("/apiVersionSets/v")));
    assert_eq!(made["properties"]["apiVersionSet"]["versioningScheme"], "Segment");
    assert_eq!(made["properties"]["effectivePath"], "a/v1");
    assert!(get(&mut bench, "/apis/a1")["properties"].get("apiVersionSet").is_none());
    assert_eq!(put(&mut bench, "/apis/a2", version("v2")).status, 201);
    assert!(message(&put(&mut bench, "/apis/a3", version("v1"))).contains("same Path"));
    assert!(message(&put(&mut bench, "/apis/a3", api("a"))).contains("same Path"));
    let mut lost = version("v3");
    lost["apiVersionSetId"] = json!("/apiVersionSets/none");
    assert!(message(&put(&mut bench, "/apis/a3", lost)).contains("'none' could not be found"));
    let delete = |bench: &mut Bench, rest: &str| {
        let path = bench.service(rest);
        bench.send(Method::Delete, &path, OLD, Value::Null).status
    };
    assert_eq!(delete(&mut bench, "/apiVersionSets/v"), 400, "it has APIs");
    assert_eq!((delete(&mut bench, "/apis/a1"), delete(&mut bench, "/apis/a2")), (200, 200));
    assert_eq!(delete(&mut bench, "/apiVersionSets/v"), 204, "a set goes with its last API");
}

/// What hangs on an API may be of another provider.
#[test]
fn a_revision_is_made_of_an_api_with_a_lock() {
    let mut bench = Bench::with_service();
    put(&mut bench, "/apis/a", api("a"));
    let lock = bench.service("/apis/a/providers/Microsoft.Authorization/locks/keep");
    let level = json!({"properties": {"level": "CanNotDelete"}});
    assert_eq!(bench.send(Method::Put, &lock, "2016-09-01", level).status, 201);
    let mut second = api("a");
    second["sourceApiId"] = json!("/apis/a");
    assert_eq!(put(&mut bench, "/apis/a;rev=2", second).status, 201);
}

#[test]
fn a_release_makes_a_revision_current() {
    let mut bench = Bench::with_service();
    put(&mut bench, "/apis/a", api("a"));
    let operation = json!({"displayName": "o", "method": "GET", "urlTemplate": "/o"});
    put(&mut bench, "/apis/a/operations/one", operation.clone());
    let mut second = api("a");
    second["sourceApiId"] = json!("/apis/a");
    second["apiRevisionDescription"] = json!("second");
    let made = put(&mut bench, "/apis/a;rev=2", second).value().expect("a revision");
    assert_eq!((&made["name"], &made["properties"]["apiRevision"]), (&json!("a;rev=2"), &json!("2")));
    assert!(made["properties"].get("isCurrent").is_none());
    assert_eq!(names(&mut bench, "/apis"), ["a"], "a list has the current ones");
    assert_eq!(names(&mut bench, "/apis/a;rev=2/operations"), ["one"], "a copy");
    put(
        &mut bench,
        "/apis/a%3Brev%3D2/operations/two",
        json!({"displayName": "t", "method": "GET", "urlTemplate": "/t"}),
    );
    assert_eq!(names(&mut bench, "/apis/a/operations"), ["one"]);
    let revisions = get(&mut bench, "/apis/a/revisions");
    assert_eq!(revisions["value"][0]["apiId"], "/apis/a;rev=2");
    assert_eq!(
        (&revisions["value"][1]["isCurrent"], &revisions["value"][1]["privateUrl"]),
        (&json!(true), &json!("/a"))
    );
    let release = put(&mut bench, "/apis/a/releases/r", json!({"apiId": "/apis/a;rev=2", "notes": "n"}));
    assert_eq!(release.status, 201, "{}", message(&release));
    assert_eq!(release.value().expect("a release")["properties"]["apiId"], json!(bench.service("/apis/a")));
    let current = get(&mut bench, "/apis/a");
    assert_eq!(
        (&current["properties"]["apiRevision"], &current["properties"]["isCurrent"]),
        (&json!("2"), &json!(true))
    );
    assert_eq!(names(&mut bench, "/apis/a/operations"), ["one", "two"]);
    assert_eq!(names(&mut bench, "/apis/a;rev=1/operations"), ["one"]);
    assert_eq!(get(&mut bench, "/apis/a;rev=2")["name"], "a", "the current one has two names");
    assert_eq!(names(&mut bench, "/apis/a/releases"), ["r"]);
    assert_eq!(put(&mut bench, "/apis/a/releases/s", json!({"apiId": "/apis/b"})).status, 400);
    for wrong in ["a;rev=0", "a;rev=x", "a;rev=", "a;b"] {
        assert_eq!(put(&mut bench, &format!("/apis/{wrong}"), api("a")).status, 400, "{wrong}");
    }
    let third = put(&mut bench, "/apis/new;rev=3", api("new")).value().expect("an api");
    assert_eq!((&third["name"], &third["properties"]["apiRevision"]), (&json!("new"), &json!("3")));
    let path = bench.service("/apis/a");
    assert_eq!(bench.send(Method::Delete, &path, OLD, Value::Null).status, 200);
    assert_eq!(bench.get(&format!("{path};rev=1"), APIM).0, 404, "its revisions go with it");
}

#[test]
fn a_definition_brings_its_operations() {
    let mut bench = Bench::with_service();
    let document = json!({
        "openapi": "3.0.1",
        "info": {"title": "Pets", "description": "d", "version": "1", "license": {"name": "MIT"}},
        "servers": [{"url": "https://pets.example/v1"}],
        "components": {"parameters": {"id": {"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}}},
        "paths": {
            "/pets": {
                "get": {"operationId": "list pets", "summary": "List", "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "enum": [1, 2]}},
                    {"name": "kind", "in": "query", "required": true, "schema": {"type": "string"}},
                    {"name": "x-trace", "in": "header", "schema": {"type": "string"}},
                ], "responses": {"200": {"description": "ok", "content": {"application/json": {}}}, "default": {}}},
                "post": {"requestBody": {"content": {"application/json": {}}}, "responses": {}},
            },
            "/pets/{id}": {"parameters": [{"$ref": "#/components/parameters/id"}], "delete": {"operationId": "list-pets"}},
        },
    });
    let mut sent = json!({"path": "pets", "format": "openapi+json", "value": document.to_string()});
    let answer = put(&mut bench, "/apis/pets", sent.clone());
    assert_eq!((answer.status, answer.headers.get("Location").is_some()), (201, true));
    let early =
        put(&mut bench, "/apis/pets/operations/x", json!({"displayName": "x", "method": "GET", "urlTemplate": "/x"}));
    assert_eq!(early.status, 404, "the API is not there yet");
    bench.wait(10);
    let api = get(&mut bench, "/apis/pets");
    assert_eq!(
        (&api["properties"]["displayName"], &api["properties"]["serviceUrl"]),
        (&json!("Pets"), &json!("https://pets.example/v1"))
    );
    assert_eq!(api["properties"]["license"], json!({"name": "MIT", "url": null}));
    assert_eq!(names(&mut bench, "/apis/pets/operations"), ["list-pets", "list-pets-2", "post-pets"]);
    let list = get(&mut bench, "/apis/pets/operations/list-pets");
    assert_eq!(list["properties"]["urlTemplate"], "/pets?kind={kind}");
    assert_eq!(list["properties"]["request"]["queryParameters"][0]["values"], json!([1, 2]));
    assert_eq!(list["properties"]["request"]["headers"][0]["name"], "x-trace");
    assert_eq!(list["properties"]["responses"][0]["representations"], json!([{"contentType": "application/json"}]));
    let delete = get(&mut bench, "/apis/pets/operations/list-pets-2");
    assert_eq!(
        delete["properties"]["templateParameters"][0],
        json!({"name": "id", "type": "integer", "required": true, "values": []})
    );
    // another definition takes the place of the operations
    let mut fewer = document;
    fewer["paths"].as_object_mut().expect("paths").remove("/pets/{id}");
    sent["value"] = json!(fewer.to_string());
    sent["displayName"] = json!("Mine");
    settled(&mut bench, "/apis/pets", sent);
    assert_eq!(names(&mut bench, "/apis/pets/operations"), ["list-pets", "post-pets"]);
    assert_eq!(get(&mut bench, "/apis/pets")["properties"]["displayName"], "Mine");
    let swagger = json!({"swagger": "2.0", "info": {"title": "S"}, "host": "s.example", "basePath": "/b", "schemes": ["http"],
        "paths": {"/x": {"get": {"parameters": [{"name": "q", "in": "query", "type": "boolean"}]}}}});
    settled(&mut bench, "/apis/s", json!({"path": "s", "format": "swagger-json", "value": swagger.to_string()}));
    assert_eq!(get(&mut bench, "/apis/s")["properties"]["serviceUrl"], "http://s.example/b");
    assert_eq!(names(&mut bench, "/apis/s/operations"), ["get-x"]);
    for (format, value) in [
        ("openapi", "{}"),
        ("openapi+json", "no json"),
        ("openapi+json", "{\"openapi\": \"3\"}"),
        ("wsdl", "<x />"),
        ("openapi-link", "https://x"),
    ] {
        let refused = put(&mut bench, "/apis/bad", json!({"path": "bad", "format": format, "value": value}));
        assert_eq!((refused.status, code(&refused).as_str()), (400, "ValidationError"), "{format} {value}");
    }
    assert_eq!(put(&mut bench, "/apis/bad", json!({"path": "bad", "value": "x"})).status, 400);
    // no address is read, but one that the program itself writes is known
    let link = "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/abc/specification/cognitiveservices/data-plane/AzureOpenAI/inference/stable/2024-10-21/inference.json";
    settled(
        &mut bench,
        "/apis/openai",
        json!({"displayName": "o", "path": "openai", "format": "openapi+json-link", "value": link}),
    );
    assert_eq!(names(&mut bench, "/apis/openai/operations").len(), 6);
    assert_eq!(
        get(&mut bench, "/apis/openai")["properties"]["serviceUrl"],
        "https://your-resource-name.openai.azure.com/openai"
    );
}
