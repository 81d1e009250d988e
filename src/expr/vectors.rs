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
    match (vector.get("expect"), outcome) {
        (Some(expected), Ok(value)) => (expected != value).then(|| format!("{value}")),
        (Some(_), Err(error)) => Some(error.message.clone()),
        (None, Ok(value)) => Some(format!("no error but {value}")),
        (None, Err(error)) => {
            let kind = vector["error"].as_str().unwrap_or("unknown-function");
            let message = vector["errorMessage"].as_str().map_or(gist(&error.message), gist);
            (kind != "error" && fault(kind) != error.fault || message != gist(&error.message))
                .then(|| format!("{:?} {}", error.fault, error.message))
        }
    }
}

fn outcome(vector: &Value) -> Result<Value, EvalError> {
    let members = |key: &str| vector[key].as_object().cloned().unwrap_or_default();
    let context = vector["context"].clone();
    let mut place = Place { parameters: members("parameters"), variables: members("variables"), context, nesting: 0 };
    resolve(&vector["expr"], &mut place)
}

/// Whether a function is not evaluated here: one of Azure's that is listed, or one of a template's own.
fn absent(name: &str) -> bool {
    name.contains('.') || EvalError::unknown(name).fault == Fault::Unsupported
}

#[test]
fn the_corpus() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/functions/vectors.json"));
    let Ok(text) = std::fs::read_to_string(path) else {
        assert!(std::env::var_os("CI").is_none(), "../shared/corpus/functions is not here");
        println!("skipped: ../shared/corpus/functions is not here");
        return;
    };
    let vectors: Vec<Value> = serde_json::from_str(&text).expect("the corpus is JSON");
    let (mut passed, mut refused, mut wrong) = (0, 0, Vec::new());
    for vector in &vectors {
        let law =
            matches!(vector["authority"].as_str(), Some("engine" | "azure" | "docs")) && vector["stale"].is_null();
        if !law {
            continue;
        }
        let outcome = outcome(vector);
        let complaint = complaint(vector, &outcome);
        match &outcome {
            _ if complaint.is_none() => passed += 1,
            // what the program has not it names, and what it names it has not
            Err(error) if matches!(error.fault, Fault::Unsupported | Fault::UnknownFunction) => {
                refused += 1;
                let name = error.message.split('\'').nth(1).unwrap_or_default();
                assert!(absent(name) && vector.to_string().contains(name), "{} refuses {name}", vector["id"]);
            }
            _ => wrong.push(format!(
                "{} {}: {} instead of {} {}",
                vector["id"],
                vector["expr"],
                complaint.unwrap_or_default(),
                vector["expect"],
                vector["errorMessage"]
            )),
        }
    }
    println!("{passed} passed, {refused} refused by name");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
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

#[test]
fn templates_are_resolved_at_any_depth() {
    let mut place = Place::default();
    place.parameters.insert("a".into(), "v".into());
    let template =
        json!({"[format('x-{0}', parameters('a'))]": ["[[y]", {"k": "[parameters('A')]", "n": null}], "[[x]": "[x] y"});
    assert_eq!(resolve(&template, &mut place), Ok(json!({"x-v": ["[y]", {"k": "v", "n": null}], "[x]": "[x] y"})));
    assert!(resolve(&json!({"[createArray()]": 1}), &mut place).is_err());
}
