//! Expressions with their values: the corpus beside the project where it is, and a table of our own always.

use super::*;
use serde_json::{Map, Value, json};
use std::path::Path;

/// A place with what a vector gives.
#[derive(Default)]
struct Place {
    parameters: Map<String, Value>,
    variables: Map<String, Value>,
    context: Value,
    nesting: usize,
}

impl Place {
    fn text(&self, key: &str, default: &str) -> String {
        self.context[key].as_str().unwrap_or(default).to_owned()
    }
}

impl Context for Place {
    fn parameter(&mut self, name: &str) -> Result<Value, EvalError> {
        get(&self.parameters, name).cloned().ok_or_else(|| EvalError::new(Fault::NotFound, name))
    }

    fn variable(&mut self, name: &str) -> Result<Value, EvalError> {
        let text = get(&self.variables, name).cloned().ok_or_else(|| EvalError::new(Fault::NotFound, name))?;
        self.nesting += 1;
        assert!(self.nesting < 100, "the vectors' variables have no circles");
        let value = resolve(&text, self);
        self.nesting -= 1;
        value
    }

    fn subscription(&mut self) -> Result<Value, EvalError> {
        let id = self.text("subscriptionId", "00000000-0000-0000-0000-000000000000");
        Ok(json!({"id": format!("/subscriptions/{id}"), "subscriptionId": id}))
    }

    fn resource_group(&mut self) -> Result<Value, EvalError> {
        if self.text("scope", "resourceGroup") != "resourceGroup" {
            return Err(EvalError::misplaced("resourceGroup"));
        }
        let name = self.text("resourceGroup", "rg");
        let subscription = self.subscription()?;
        Ok(
            json!({"id": format!("{}/resourceGroups/{name}", subscription["id"].as_str().unwrap_or_default()), "name": name}),
        )
    }

    fn deployment(&mut self) -> Result<Value, EvalError> {
        let parts = ["mode", "parameters", "provisioningState", "template", "templateHash"];
        let mut properties: Map<String, Value> = parts.into_iter().map(|part| (part.into(), json!({}))).collect();
        properties["mode"] = "Incremental".into();
        properties["provisioningState"] = "Accepted".into();
        Ok(json!({"name": "d", "location": self.context["location"], "properties": properties}))
    }

    fn management_group(&mut self) -> Result<Value, EvalError> {
        let name = self.context["managementGroup"].as_str().ok_or_else(|| EvalError::misplaced("managementGroup"))?;
        Ok(json!({"id": format!("/providers/Microsoft.Management/managementGroups/{name}"), "name": name}))
    }

    fn tenant(&mut self) -> Result<Value, EvalError> {
        Ok(json!({"tenantId": self.context["tenantId"]}))
    }

    fn providers(&mut self, namespace: &str, kind: Option<&str>) -> Result<Value, EvalError> {
        let all = self.context["providers"].as_array().cloned().unwrap_or_default();
        let provider = all.into_iter().find(|provider| provider["namespace"] == namespace);
        let provider = provider.ok_or_else(|| EvalError::unsupported("providers"))?;
        let Some(kind) = kind else { return Ok(provider) };
        let found = provider["resourceTypes"].as_array().into_iter().flatten().find(|of| of["resourceType"] == kind);
        Ok(found.cloned().unwrap_or_default())
    }

    fn now(&mut self) -> Result<i64, EvalError> {
        Ok(1_551_807_198)
    }

    fn new_guid(&mut self) -> Result<String, EvalError> {
        Ok("0f6c0b0a-5d1c-4e63-8a5f-2b8b6a1f9d3e".into())
    }

    /// As language version 2.0 has it: a function sees variables and the other functions.
    fn function(&mut self, name: &str, arguments: Vec<Value>, _: &mut Effort) -> Option<Result<Value, EvalError>> {
        let (space, member) = name.split_once('.')?;
        let spaces = self.context["functions"].as_array()?;
        let function = spaces.iter().find(|one| one["namespace"] == space)?["members"].get(member)?.clone();
        let names = function["parameters"].as_array()?.iter().filter_map(|parameter| parameter["name"].as_str());
        let parameters = names.map(str::to_owned).zip(arguments).collect();
        let mut inside =
            Place { parameters, variables: self.variables.clone(), context: self.context.clone(), nesting: 0 };
        Some(resolve(&function["output"]["value"], &mut inside))
    }

    fn copy_index(&mut self, _: Option<&str>) -> Result<i64, EvalError> {
        self.context["copyIndex"].as_i64().ok_or_else(|| EvalError::misplaced("copyIndex"))
    }
}

fn fault(word: &str) -> Fault {
    match word {
        "arg-count" => Fault::ArgumentCount,
        "arg-type" => Fault::ArgumentType,
        "arg-value" => Fault::ArgumentValue,
        "range" => Fault::Range,
        "overflow" => Fault::Overflow,
        "divide-by-zero" => Fault::DivideByZero,
        "index" => Fault::Index,
        "not-found" => Fault::NotFound,
        "segments" => Fault::Segments,
        "fail" => Fault::Fail,
        "unknown-function" => Fault::UnknownFunction,
        other => panic!("{other} is no kind of error"),
    }
}

/// The text before the address of a help page, which differs between versions.
fn gist(message: &str) -> &str {
    message.split("Please see").next().unwrap_or_default().trim()
}

/// What is wrong with the outcome, if anything.
fn complaint(vector: &Value, outcome: &Result<Value, EvalError>) -> Option<String> {
    match (vector.get("expect"), vector["match"].as_str(), outcome) {
        (Some(expected), _, Ok(value)) => (expected != value).then(|| format!("{value}")),
        (None, Some(pattern), Ok(value)) => (!fits(pattern, value)).then(|| format!("{value}")),
        (Some(_), _, Err(error)) | (None, Some(_), Err(error)) => Some(error.message.clone()),
        (None, None, Ok(value)) => Some(format!("no error but {value}")),
        (None, None, Err(error)) => {
            let kind = vector["error"].as_str().unwrap_or("unknown-function");
            let message = vector["errorMessage"].as_str().map_or(gist(&error.message), gist);
            (kind != "error" && fault(kind) != error.fault || message != gist(&error.message))
                .then(|| format!("{:?} {}", error.fault, error.message))
        }
    }
}

/// Whether a text fits one of the few patterns of the corpus: digits, counts, and letters that stand for themselves.
fn fits(pattern: &str, value: &Value) -> bool {
    let mut text = value.as_str().unwrap_or_default();
    let mut rest = pattern.trim_start_matches('^').trim_end_matches('$');
    while let Some(first) = rest.chars().next() {
        let digit = rest.starts_with("\\d");
        rest = &rest[if digit { 2 } else { first.len_utf8() }..];
        let (least, most) = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((count, after)) => {
                rest = after;
                let (least, most) = count.split_once(',').unwrap_or((count, count));
                (least.parse().expect("a count"), most.parse().expect("a count"))
            }
            None => (1, 1),
        };
        let is_meant = |c: &char| if digit { c.is_ascii_digit() } else { *c == first };
        let found = text.chars().take(most).take_while(is_meant).count();
        if found < least {
            return false;
        }
        text = &text[found..];
    }
    text.is_empty()
}

fn outcome(vector: &Value) -> Result<Value, EvalError> {
    let members = |key: &str| vector[key].as_object().cloned().unwrap_or_default();
    let mut context = vector["context"].clone();
    if let Some(functions) = vector.get("functions") {
        context["functions"] = functions.clone();
    }
    let mut place = Place { parameters: members("parameters"), variables: members("variables"), context, nesting: 0 };
    resolve(&vector["expr"], &mut place)
}

/// A string or what is made of strings, every string read.
fn resolve(value: &Value, place: &mut Place) -> Result<Value, EvalError> {
    match value {
        Value::String(text) => text_value(text, place, &mut Effort::default()),
        Value::Array(items) => items.iter().map(|item| resolve(item, place)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| Ok((key.clone(), resolve(value, place)?)))
            .collect::<Result<_, _>>()
            .map(Value::Object),
        other => Ok(other.clone()),
    }
}

/// Vectors of weaker authority, or stale ones, that come out otherwise here, and why.
const OTHERWISE: &[(&str, &str)] = &[
    ("base64ToString-016", "bytes that are no UTF-8 become replacement characters, as in .NET; the port refuses them"),
    ("dataUri-004", "stale: the engine writes charset=utf-8 now"),
    ("dataUri-005", "stale: the engine writes charset=utf-8 now"),
    ("dataUri-006", "stale: the engine writes charset=utf-8 now"),
    ("dataUri-007", "stale: the engine writes charset=utf-8 now"),
    ("dataUri-008", "stale: the engine writes charset=utf-8 now"),
    ("dataUriToString-013", "stale: the engine reads what it writes now"),
    ("dataUriToString-020", "Azure refuses the charset utf8, the port takes it"),
    ("dataUriToString-023", "Azure refuses the charset utf8, the port takes it"),
    ("dataUriToString-027", "application/json that is no JSON is refused; the port gives the text"),
    ("dataUriToString-028", "the port refuses a media type that begins with a colon"),
    ("dataUriToString-030", "the port refuses a charset that stands twice"),
    ("dataUriToString-032", "the port refuses parameters other than charset"),
    ("json-014", "no text is no JSON; one port says null, another an error"),
    ("property-access-009", "an index into an object is a fault of its type, not of its bounds"),
];

#[test]
fn the_corpus() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/functions/vectors.json"));
    let Ok(text) = std::fs::read_to_string(path) else {
        assert!(std::env::var_os("CI").is_none(), "../shared/corpus/functions is not here");
        println!("skipped: ../shared/corpus/functions is not here");
        return;
    };
    let vectors: Vec<Value> = serde_json::from_str(&text).expect("the corpus is JSON");
    let (mut law, mut more, mut wrong) = (0, 0, Vec::new());
    let mut otherwise: Vec<&str> = Vec::new();
    for vector in &vectors {
        let is_law =
            matches!(vector["authority"].as_str(), Some("engine" | "azure" | "docs")) && vector["stale"].is_null();
        let outcome = outcome(vector);
        let id = vector["id"].as_str().expect("an id");
        match complaint(vector, &outcome) {
            None if is_law => law += 1,
            None => more += 1,
            Some(_) if !is_law && OTHERWISE.iter().any(|(known, _)| *known == id) => otherwise.push(id),
            Some(complaint) => wrong.push(format!(
                "{id} {}: {complaint} instead of {} {} ({}, stale {})",
                vector["expr"], vector["expect"], vector["error"], vector["authority"], vector["stale"]
            )),
        }
    }
    println!("{law} of law and {more} others come out as they say, {} others do not", otherwise.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let known: Vec<&str> = OTHERWISE.iter().map(|(id, _)| *id).collect();
    assert!(known.iter().all(|id| otherwise.contains(id)), "what comes out as it says is not listed");
}

/// Vectors of our own, so that a clone alone tests every rule: an expression, and its value, or the beginning of its error.
const OURS: &str = include_str!("vectors.txt");

#[test]
fn our_own() {
    let members = |value: Value| value.as_object().cloned().expect("an object");
    let list = json!([3, "a", null, {"k": 1.5}]);
    let mut place = Place {
        parameters: members(json!({"Name": "[x]", "list": list, "tags": {"Owner": "me", "NULL": null}})),
        variables: members(json!({"joined": "[concat(parameters('name'), '!')]", "plain": "[[x]"})),
        context: json!({"copyIndex": 2}),
        nesting: 0,
    };
    let mut count = 0;
    for line in OURS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (text, expected) = line.split_once(" => ").expect("an arrow");
        let got = match parse(text).map_err(EvalError::from).and_then(|expr| evaluate(&expr, &mut place)) {
            Ok(value) => value.to_string(),
            Err(error) => format!("{:?}: {}", error.fault, gist(&error.message)),
        };
        assert_eq!(got, expected, "{text}");
        count += 1;
    }
    assert!(count > 100);
}

#[test]
fn hostile_expressions_end() {
    let limits = [
        "padLeft('', 2000000000)",
        "replace(padLeft('', 2000000), ' ', padLeft('', 2000))",
        "format('{0,2000000000}', 1)",
        "format(concat('{0}{0}{0}', '{0}'), padLeft('', 3000000))",
        "join(range(0, 10000), padLeft('', 10000))",
        "map(range(0, 10000), lambda('x', padLeft('', 10000)))",
        "map(range(0, 10000), lambda('x', map(range(0, 10000), lambda('y', true()))))",
        "reduce(range(0, 100), 'x', lambda('all', 'x', concat(lambdaVariables('all'), lambdaVariables('all'))))",
    ];
    for text in limits {
        let expr = parse(text).expect("an expression");
        assert_eq!(evaluate(&expr, &mut Place::default()).map_err(|error| error.fault), Err(Fault::Limit), "{text}");
    }
}

#[test]
fn the_deepest_expression_has_room_on_the_stack() {
    let nested = |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
    for text in [
        nested("add(1, ", ")", MAX_DEPTH - 1),
        nested("if(true(), ", ", 2)", MAX_DEPTH - 1),
        nested("map(createArray(1), lambda('x', ", "))", MAX_DEPTH / 2 - 1),
        nested("createArray(", ")", MAX_DEPTH - 1),
    ] {
        let expr = parse(&text).expect("an expression");
        assert!(evaluate(&expr, &mut Place::default()).is_ok(), "{text}");
    }
}

#[test]
fn values_cannot_grow_for_ever() {
    let deep = (0..300).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(bounded(deep).map_err(|error| error.fault), Err(Fault::Limit));
    assert_eq!(bounded(json!("x".repeat(5 << 20))).map_err(|error| error.fault), Err(Fault::Limit));
    assert_eq!(bounded(json!({"a": [1]})), Ok(json!({"a": [1]})));
}
