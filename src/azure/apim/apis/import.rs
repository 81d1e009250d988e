//! An API from a definition: OpenAPI 3 and Swagger 2 as JSON, GraphQL by its address.
//!
//! No address is read. One is known: the definitions of Azure OpenAI in Azure/azure-rest-api-specs, of which a shortened
//! form is held, with the operations of 2024-10-21 (stable). Every other link is refused.
//!
//! Every operation of the definition becomes an operation of the API; a required query parameter becomes part of its
//! template, as the service does where the caller does not say otherwise.
//!
//! Deliberately absent: schemas of bodies, and every other format, which is refused by name.

use crate::azure::World;
use crate::azure::reply::{Reply, validation};
use crate::azure::router::Call;
use crate::azure::shape::object;
use crate::azure::state::Resource;
use serde_json::{Map, Value, json};

/// What a definition says.
pub(super) struct Definition {
    /// Properties of the API that the caller need not send.
    pub properties: Map<String, Value>,
    /// Names of operations with their properties.
    operations: Vec<(String, Map<String, Value>)>,
    /// Recorded: an import is slow, but for GraphQL.
    pub is_slow: bool,
}

/// How the address of a definition of Azure OpenAI looks: a piece of it, and its end.
const AZURE_OPENAI: (&str, &str) = ("/Azure/azure-rest-api-specs/", "/inference.json");

/// Path, operation id and title of its operations.
const OPERATIONS: [(&str, &str, &str); 6] = [
    ("completions", "Completions_Create", "Creates a completion for the provided prompt."),
    ("embeddings", "embeddings_create", "Get a vector representation of a given input."),
    ("chat/completions", "ChatCompletions_Create", "Creates a completion for the chat message"),
    ("audio/transcriptions", "Transcriptions_Create", "Transcribes audio into the input language."),
    ("audio/translations", "Translations_Create", "Transcribes and translates input audio into English text."),
    ("images/generations", "ImageGenerations_Create", "Generates a batch of images from a text caption"),
];

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Reads the definition that a caller sent; `None` where none was.
pub(super) fn read(_: &World, sent: &Map<String, Value>) -> Result<Option<Definition>, Reply> {
    // a widely used template sends the document itself, not its text, and it is taken
    let document = sent.get("value").filter(|value| value.is_object()).map(Value::to_string);
    let text = |name: &str| sent.get(name).and_then(Value::as_str);
    let (format, value) = match (text("format"), text("value").or(document.as_deref())) {
        (None, None) => return Ok(None),
        (Some(_), None) => return Err(validation(&[("value", "Value is required.".into())])),
        (None, Some(_)) => return Err(validation(&[("format", "Format is required.".into())])),
        (Some(format), Some(value)) => (format, value),
    };
    match format {
        "openapi" | "openapi+json" | "swagger-json" => {
            let unreadable = |problem: &dyn std::fmt::Display| {
                let message = format!("Parsing error(s): The input is no OpenAPI document in JSON: {problem}.");
                validation(&[("representation", message)])
            };
            let document: Value = serde_json::from_str(value).map_err(|problem| unreadable(&problem))?;
            definition(&document).map(Some).map_err(|problem| unreadable(&problem))
        }
        "openapi-link" | "openapi+json-link" | "swagger-link-json" => {
            if value.contains(AZURE_OPENAI.0) && value.ends_with(AZURE_OPENAI.1) {
                return Ok(definition(&azure_openai()).ok());
            }
            let message = format!("Unable to load the definition from '{value}': the local Azure reads no links.");
            Err(validation(&[("value", message)]))
        }
        "graphql-link" => {
            let properties =
                Map::from_iter([("serviceUrl".to_string(), value.into()), ("apiType".to_string(), "graphql".into())]);
            Ok(Some(Definition { properties, operations: Vec::new(), is_slow: false }))
        }
        other => {
            let message =
                format!("The local Azure imports openapi and swagger as JSON, and graphql-link: '{other}' is refused.");
            Err(validation(&[("format", message)]))
        }
    }
}

/// The shortened definition of Azure OpenAI.
fn azure_openai() -> Value {
    let operation = |id: &str, title: &str| {
        json!({"post": {
            "operationId": id,
            "summary": title,
            "parameters": [
                {"name": "deployment-id", "in": "path", "required": true, "schema": {"type": "string"}},
                {"name": "api-version", "in": "query", "required": true, "schema": {"type": "string"}},
            ],
            "requestBody": {"content": {"application/json": {}}},
            "responses": {"200": {"description": "OK", "content": {"application/json": {}}}},
        }})
    };
    let paths: Map<String, Value> = OPERATIONS
        .iter()
        .map(|(path, id, title)| (format!("/deployments/{{deployment-id}}/{path}"), operation(id, title)))
        .collect();
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Azure OpenAI Service API", "description": "Azure OpenAI APIs for completions and search"},
        "servers": [{"url": "https://{endpoint}/openai",
            "variables": {"endpoint": {"default": "your-resource-name.openai.azure.com"}}}],
        "paths": paths,
    })
}

fn definition(document: &Value) -> Result<Definition, String> {
    let swagger = document.get("swagger").is_some();
    if !swagger && document.get("openapi").is_none() {
        return Err("it has neither 'openapi' nor 'swagger'".into());
    }
    let paths = document.get("paths").and_then(Value::as_object).ok_or("it has no 'paths'")?;
    let info = object(document.get("info"));
    let mut properties = Map::new();
    let mut add = |name: &str, value: Option<&Value>| {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            properties.insert(name.into(), value.clone());
        }
    };
    add("displayName", info.get("title"));
    add("description", info.get("description"));
    add("termsOfServiceUrl", info.get("termsOfService"));
    for name in ["contact", "license"] {
        add(name, info.get(name).filter(|value| value.is_object()));
    }
    add("serviceUrl", service_url(document, swagger).map(Value::from).as_ref());
    let mut operations: Vec<(String, Map<String, Value>)> = Vec::new();
    for (path, item) in paths {
        for method in METHODS {
            let Some(Value::Object(operation)) = item.get(method) else { continue };
            let (name, properties) = operation_of(document, path, item, method, operation);
            let taken = |name: &str| operations.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            let free = (2..).map(|n| format!("{name}-{n}")).find(|name| !taken(name)).filter(|_| taken(&name));
            operations.push((free.unwrap_or(name), properties));
        }
    }
    Ok(Definition { properties, operations, is_slow: true })
}

/// The address that the definition gives, where it is a whole one.
fn service_url(document: &Value, swagger: bool) -> Option<String> {
    let url = match swagger {
        true => {
            let host = document.get("host")?.as_str()?;
            let scheme = document.pointer("/schemes/0").and_then(Value::as_str).unwrap_or("https");
            format!("{scheme}://{host}{}", document.get("basePath").and_then(Value::as_str).unwrap_or(""))
        }
        false => {
            let variables = object(document.pointer("/servers/0/variables"));
            let url = document.pointer("/servers/0/url")?.as_str()?.to_string();
            variables.iter().fold(url, |url, (name, variable)| {
                let usual = variable.get("default").and_then(Value::as_str).unwrap_or("");
                url.replace(&format!("{{{name}}}"), usual)
            })
        }
    };
    (url.starts_with("https://") || url.starts_with("http://")).then_some(url)
}

/// The name and the properties of one operation.
fn operation_of(
    document: &Value,
    path: &str,
    item: &Value,
    method: &str,
    operation: &Map<String, Value>,
) -> (String, Map<String, Value>) {
    let text = |name: &str| operation.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = text("operationId").map_or_else(|| slug(&format!("{method}-{path}")), slug);
    let title = text("summary").or(text("operationId")).map_or_else(|| format!("{method} {path}"), str::to_string);
    let own = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let shared = item.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let mut template = Vec::new();
    let (mut query, mut headers) = (Vec::new(), Vec::new());
    let mut added = Vec::new();
    for parameter in own.chain(shared).map(|parameter| resolve(document, parameter)) {
        let Some(name) = parameter.get("name").and_then(Value::as_str) else { continue };
        let required = parameter.get("required").and_then(Value::as_bool).unwrap_or(false);
        match parameter.get("in").and_then(Value::as_str) {
            Some("path") => template.push(contract(document, parameter, name, true)),
            Some("query") if required => {
                added.push(format!("{name}={{{name}}}"));
                template.push(contract(document, parameter, name, true));
            }
            Some("query") => query.push(contract(document, parameter, name, false)),
            Some("header") => headers.push(contract(document, parameter, name, required)),
            _ => {}
        }
    }
    for name in super::super::operations::template_names(path) {
        if !template.iter().any(|known| known.get("name").and_then(Value::as_str) == Some(&name)) {
            template.push(json!({"name": name, "type": "string", "required": true, "values": []}));
        }
    }
    let url = if added.is_empty() { path.to_string() } else { format!("{path}?{}", added.join("&")) };
    let responses: Vec<Value> = object(operation.get("responses"))
        .iter()
        .filter_map(|(code, response)| {
            let response = resolve(document, response);
            Some(json!({
                "statusCode": code.parse::<u16>().ok()?,
                "description": response.get("description").cloned().unwrap_or_default(),
                "representations": representations(response),
                "headers": [],
            }))
        })
        .collect();
    let body = operation.get("requestBody").map(|body| resolve(document, body));
    let properties = json!({
        "displayName": title.chars().take(300).collect::<String>(),
        "method": method.to_uppercase(),
        "urlTemplate": url,
        "templateParameters": template,
        "description": operation.get("description").cloned().unwrap_or_default(),
        "request": {"queryParameters": query, "headers": headers,
            "representations": body.map(representations).unwrap_or_default()},
        "responses": responses,
        "policies": null,
    });
    (name, object(Some(&properties)))
}

fn contract(document: &Value, parameter: &Value, name: &str, required: bool) -> Value {
    let schema = parameter.get("schema").map_or(parameter, |schema| resolve(document, schema));
    let mut contract = Map::from_iter([("name".to_string(), Value::from(name))]);
    if let Some(description) = parameter.get("description").and_then(Value::as_str) {
        contract.insert("description".into(), description.into());
    }
    contract.insert("type".into(), schema.get("type").and_then(Value::as_str).unwrap_or("string").into());
    if required {
        contract.insert("required".into(), true.into());
    }
    contract.insert("values".into(), schema.get("enum").filter(|all| all.is_array()).cloned().unwrap_or(json!([])));
    Value::Object(contract)
}

fn representations(of: &Value) -> Vec<Value> {
    let content = object(of.get("content"));
    content.keys().map(|kind| json!({ "contentType": kind })).collect()
}

/// What a `$ref` inside the document points to; the reference itself where it leads nowhere.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
    target.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

/// A name of letters, digits and dashes.
fn slug(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let parts: Vec<&str> = plain.split('-').filter(|part| !part.is_empty()).collect();
    let short: String = parts.join("-").chars().take(80).collect();
    if short.is_empty() { "operation".into() } else { short }
}

/// The operations as they will be kept under the API.
pub(super) fn operations(world: &mut World, call: &Call, definition: &Definition) -> Vec<Resource> {
    let each = definition.operations.iter();
    each.map(|(name, properties)| {
        let id = call.id.child("operations", name);
        super::super::child::resource(world, call.now, &id, properties.clone(), Default::default()).1
    })
    .collect()
}
