//! The tree against the JSON Schema of [`super::model`]: every problem, each with its place and a suggestion.
//!
//! Only the keywords that our schema has are read; a test holds that. What comes out is a value that serde reads
//! without an error, or nothing. A key or a word that is misspelt is read as the one that was meant, a number out of range
//! as the nearest one in it, a name of the wrong form as it stands, and a single word that cannot be read as if it had been
//! left out, so that the rules can speak about the rest in the same run.

use super::yaml::{Entry, Node, Value, item, join};
use super::{formats, suggest};
use crate::catalogue::{self, Serving};
use crate::diagnostic::{Code, Diagnostic, code};
use serde_json::{Map, Value as Json};

/// Which node is looked at.
#[derive(Default)]
pub struct At {
    /// What messages call the document.
    what: &'static str,
    /// Its key: `pools.gpt-4.1.members[1].weight`.
    path: String,
    /// The same with `*` for the user's own words: `pools.*.members[].weight`.
    shape: String,
    /// The last word of it: `weight`.
    name: String,
}

impl At {
    /// The whole document, which messages call `what`.
    pub fn top(what: &'static str) -> At {
        At { what, ..At::default() }
    }

    /// A key that the schema knows as `meant`.
    fn known(&self, key: &str, meant: &str) -> At {
        At { what: self.what, path: join(&self.path, key), shape: join(&self.shape, meant), name: meant.into() }
    }

    /// A key of the user's own.
    fn own(&self, key: &str) -> At {
        At { what: self.what, path: join(&self.path, key), shape: join(&self.shape, "*"), name: key.into() }
    }

    /// As messages call it.
    fn title(&self) -> String {
        if self.path.is_empty() { format!("the {}", self.what) } else { format!("`{}`", self.name) }
    }

    fn item(&self, index: usize) -> At {
        At {
            what: self.what,
            path: item(&self.path, index),
            shape: format!("{}[]", self.shape),
            name: item(&self.name, index),
        }
    }
}

/// Checks `node` against `schema`.
pub fn check(schema: &Json, node: &Node, at: &At, out: &mut Vec<Diagnostic>) -> Option<Json> {
    if node.value == Value::Hole {
        return None;
    }
    let mut report = |problem: Diagnostic| {
        out.push(Diagnostic { span: node.span, ..problem.at(&at.path) });
        None
    };
    // Azure's own words, which nobody here knows
    if *schema == Json::Bool(true) {
        return Some(as_written(node));
    }
    if let (Value::Seq(rules), "breakers.*" | "backends.*.breaker") = (&node.value, at.shape.as_str()) {
        let message = format!("{} breaker rules are listed, and a backend has one", rules.len());
        let problem = Diagnostic::new(code::ONE_BREAKER_RULE, message).label("one rule per backend");
        return report(problem.help("keep one; its `statusCodes` may hold up to 10 ranges"));
    }
    let Some(schema) = branch(schema, &node.value) else {
        report(wrong_type(schema, node, at));
        return stand_in(schema, &node.value);
    };
    match &node.value {
        Value::Map(entries) => mapping(schema, node, entries, at, out),
        Value::Seq(items) => list(schema, node, items, at, out),
        Value::Plain(text) | Value::Quoted(text) => self::text(schema, text, node, at, out),
        Value::Int(number) => integer(schema, *number, node, at, out),
        Value::Bool(word) => Some(Json::Bool(*word)),
        Value::Float(number) => Some(Json::from(*number)),
        Value::Null | Value::Hole => Some(Json::Null),
    }
}

/// A tree as the JSON that it is.
fn as_written(node: &Node) -> Json {
    match &node.value {
        Value::Null | Value::Hole => Json::Null,
        Value::Bool(word) => Json::Bool(*word),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::Plain(text) | Value::Quoted(text) => Json::from(text.as_str()),
        Value::Seq(items) => items.iter().map(as_written).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|entry| (entry.key.clone(), as_written(&entry.node))).collect())
        }
    }
}

/// Whether a value is one word, or none: what holds no keys of others.
fn is_word(node: &Node) -> bool {
    !matches!(node.value, Value::Seq(_) | Value::Map(_) | Value::Hole)
}

/// What is read in place of a word of the wrong kind, so that the rules still run: where a number belongs the one from
/// which least follows, where any text does the number's digits.
fn stand_in(schema: &Json, value: &Value) -> Option<Json> {
    if let Value::Int(number) = value {
        let any_text = |leaf: &&Json| {
            let text = leaf["type"] == "string" || leaf["type"][0] == "string";
            text && leaf.get("enum").is_none() && leaf.get("pattern").is_none()
        };
        return leaves(schema).into_iter().find(any_text).map(|_| Json::from(number.to_string()));
    }
    if !matches!(value, Value::Plain(_) | Value::Quoted(_) | Value::Bool(_)) {
        return None;
    }
    let is_integer = |leaf: &&Json| leaf["type"] == "integer" || leaf["type"][0] == "integer";
    let leaf = leaves(schema).into_iter().find(is_integer).filter(|leaf| leaf.get("enum").is_none())?;
    let (least, most) = (leaf["minimum"].as_i64().unwrap_or(0), leaf["maximum"].as_i64().unwrap_or(i64::MAX));
    Some(Json::from(1.min(most).max(least)))
}

/// The part of the schema that speaks about a value of this kind.
fn branch<'a>(schema: &'a Json, value: &Value) -> Option<&'a Json> {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) => "integer",
        Value::Float(_) => "number",
        Value::Plain(_) | Value::Quoted(_) => "string",
        Value::Seq(_) => "array",
        Value::Map(_) => "object",
        Value::Hole => return Some(schema),
    };
    leaves(schema).into_iter().find(|leaf| match &leaf["type"] {
        Json::String(one) => one == kind,
        Json::Array(several) => several.iter().any(|one| one == kind),
        _ => true,
    })
}

/// The schema itself, or each of its alternatives.
fn leaves(schema: &Json) -> Vec<&Json> {
    match schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
        Some(alternatives) => alternatives.iter().flat_map(leaves).collect(),
        None => vec![schema],
    }
}

fn wrong_type(schema: &Json, node: &Node, at: &At) -> Diagnostic {
    let kinds: Vec<&str> = leaves(schema)
        .into_iter()
        .flat_map(|leaf| match &leaf["type"] {
            Json::Array(several) => several.iter().filter_map(Json::as_str).collect(),
            one => Vec::from_iter(one.as_str()),
        })
        .filter(|kind| *kind != "null")
        .collect();
    let words: Vec<&str> = kinds.iter().map(|kind| expected(kind)).collect();
    let found = match &node.value {
        Value::Null => "nothing".into(),
        Value::Bool(word) => format!("`{word}`"),
        Value::Int(number) => format!("the number {number}"),
        Value::Float(number) if whole(*number).is_some() => "a number with a point or an exponent".into(),
        Value::Float(number) if number.fract() == 0.0 => "a number of more than 18 digits".into(),
        Value::Float(number) => format!("the number {number}"),
        Value::Plain(text) | Value::Quoted(text) => format!("the text {}", shown(text)),
        Value::Seq(_) => "a list".into(),
        Value::Map(_) => "a mapping".into(),
        Value::Hole => "a variable without a value".into(),
    };
    let problem = Diagnostic::new(code::WRONG_TYPE, format!("{} is {found}", at.title()))
        .label(format!("{} is expected", words.join(" or ")));
    let wants = |kind: &str| kinds.contains(&kind);
    let help = match &node.value {
        Value::Int(number) if wants("string") && is_duration(schema) => {
            format!("add the unit: `{number}s` for seconds")
        }
        // a switch where a name belongs would only be a strange name in quotes
        Value::Bool(_) if wants("string") && first_line(schema).is_some() => {
            format!("write text: {}", first_line(schema).unwrap_or_default())
        }
        Value::Int(_) | Value::Float(_) | Value::Bool(_) if wants("string") => "put it in quotes: it is text".into(),
        Value::Float(number) if wants("integer") && whole(*number).is_some() => {
            format!("write `{}`", whole(*number).unwrap_or_default())
        }
        Value::Quoted(text) if wants("integer") && text.parse::<i64>().is_ok() => "write it without quotes".into(),
        Value::Plain(text) if wants("boolean") && matches!(text.to_lowercase().as_str(), "yes" | "on") => {
            "write `true`".into()
        }
        Value::Plain(text) if wants("boolean") && matches!(text.to_lowercase().as_str(), "no" | "off") => {
            "write `false`".into()
        }
        Value::Null if wants("object") && needs_nothing(schema) => format!("write `{}: {{}}`, or take it out", at.name),
        Value::Null => format!("give it a value, or take `{}` out", at.name),
        Value::Plain(_) | Value::Quoted(_) | Value::Int(_) if wants("array") && takes_item(schema, &node.value) => {
            format!("write `[{}]`", quoted(&node.value))
        }
        _ if wants("array") => "write a list: each item on its own line after `- `, or all between `[` and `]`".into(),
        Value::Seq(_) if wants("object") && takes_words(schema) => {
            "write each item with what belongs to it, without the hyphen: `ITEM: VALUE`".into()
        }
        Value::Seq(_) if wants("object") && takes_names(schema) => {
            "write each item under a name of its own, without the hyphen: `NAME:` and its keys below it".into()
        }
        Value::Plain(_) | Value::Quoted(_) | Value::Int(_) if wants("object") => match only_key(schema, &node.value) {
            Some(key) => format!("write `{{ {key}: {} }}`", quoted(&node.value)),
            None => A_MAPPING.into(),
        },
        _ if wants("object") => A_MAPPING.into(),
        _ => match first_line(schema) {
            Some(what) if wants("string") => format!("write {}: {what}", words.join(" or ")),
            _ => format!("write {}", words.join(" or ")),
        },
    };
    problem.help(help)
}

/// A whole number that is written otherwise, as `1e6`.
fn whole(number: f64) -> Option<i64> {
    // what a float holds exactly
    let exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    exact.then(|| format!("{number:.0}").parse().ok()).flatten()
}

/// What is known only where it is deployed, as a variable, and what no rule looks at.
const WITHOUT_RULES: &str = "azure.subscription";

const A_MAPPING: &str = "write a mapping: `key: value` lines below it, indented";

fn is_duration(schema: &Json) -> bool {
    leaves(schema).iter().any(|leaf| leaf["pattern"] == formats::DURATION)
}

/// Whether its keys are the user's own words.
fn takes_names(schema: &Json) -> bool {
    leaves(schema).iter().any(|leaf| leaf["additionalProperties"].is_object() && !leaf["properties"].is_object())
}

/// Whether the values of those keys are single words.
fn takes_words(schema: &Json) -> bool {
    takes_names(schema)
        && leaves(schema)
            .iter()
            .any(|leaf| branch(&leaf["additionalProperties"], &Value::Plain(String::new())).is_some())
}

/// Whether a mapping can be empty.
fn needs_nothing(schema: &Json) -> bool {
    leaves(schema).iter().any(|leaf| leaf["properties"].is_object() && !leaf["required"].is_array())
}

/// Whether a list can hold it.
fn takes_item(schema: &Json, value: &Value) -> bool {
    leaves(schema).iter().any(|leaf| leaf["items"].is_object() && branch(&leaf["items"], value).is_some())
}

/// The key that a mapping needs, else its `name`, where that takes such a value.
fn only_key<'a>(schema: &'a Json, value: &Value) -> Option<&'a str> {
    let leaf = leaves(schema).into_iter().find(|leaf| leaf["properties"].is_object())?;
    let key = match leaf["required"].as_array().map_or(&[][..], Vec::as_slice) {
        [] => "name",
        [key] => key.as_str()?,
        _ => return None,
    };
    branch(leaf["properties"].get(key)?, value).map(|_| key)
}

/// A word as it is written again.
fn quoted(value: &Value) -> String {
    match value {
        Value::Plain(text) | Value::Quoted(text) => shown(text).trim_matches('`').into(),
        Value::Int(number) => number.to_string(),
        _ => String::new(),
    }
}

fn expected(kind: &str) -> &'static str {
    match kind {
        "object" => "a mapping",
        "array" => "a list",
        "integer" => "a whole number",
        "boolean" => "`true` or `false`",
        _ => "text",
    }
}

/// What is written where names are expected, each with a mapping below it: the keys of that mapping, one level too high.
fn level_left_out(schema: &Json, entries: &[Entry], at: &At) -> Option<Diagnostic> {
    let inner = leaves(schema).into_iter().find_map(|leaf| leaf["properties"].as_object())?;
    let one_of_them =
        |entry: &Entry| inner.get(&entry.key).is_some_and(|schema| branch(schema, &entry.node.value).is_some());
    let scalar = |entry: &Entry| !matches!(entry.node.value, Value::Map(_) | Value::Hole);
    let first = entries.first()?;
    if entries.len() < 2 || !entries.iter().all(|entry| one_of_them(entry) && scalar(entry)) {
        return None;
    }
    let message = format!("{} holds `{}`, and a name is expected", at.title(), first.key);
    let problem = Diagnostic::new(code::WRONG_TYPE, message).at(&at.path).label("no name of yours");
    let problem = problem.help("write a name of your choice above these keys, as `NAME:`, and indent them below it");
    Some(Diagnostic { span: first.key_span, ..problem })
}

fn mapping(schema: &Json, node: &Node, entries: &[Entry], at: &At, out: &mut Vec<Diagnostic>) -> Option<Json> {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let free = schema.get("additionalProperties").filter(|free| **free != Json::Bool(false));
    if let Some(problem) = free.filter(|_| properties.is_empty()).and_then(|free| level_left_out(free, entries, at)) {
        out.push(problem);
        return None;
    }
    let mut read = Map::new();
    let mut whole = true;
    let at_top = at.path.is_empty();
    let required: Vec<&str> =
        schema["required"].as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(Json::as_str).collect();
    for Entry { key, key_span, node: value } in entries {
        let mut take = |schema: &Json, at: At, out: &mut Vec<Diagnostic>| match check(schema, value, &at, out) {
            Some(json) => {
                read.insert(at.name, json);
            }
            // a single word that cannot be read and may be left out is read as left out, so that the rules still run
            None => {
                let left_out = is_word(value) || (value.value == Value::Hole && at.shape == WITHOUT_RULES);
                whole &= !at_top && left_out && !required.contains(&key.as_str());
            }
        };
        if let Some(schema) = properties.get(key) {
            take(schema, at.known(key, key), out);
        } else if let Some(schema) = free.filter(|_| properties.is_empty()) {
            take(schema, at.own(key), out);
        } else {
            let known = || properties.keys().map(String::as_str);
            // a value that cannot be the other key's was never meant to be
            let fits = |meant: &&str| branch(&properties[*meant], &value.value).is_some();
            let meant = suggest::closest(key, known()).filter(fits);
            let problem =
                Diagnostic::new(code::UNKNOWN_KEY, format!("unknown key {}", shown(key))).at(join(&at.path, key));
            let problem = match meant {
                Some(meant) => problem.label(format!("did you mean `{meant}`?")).help(format!("write `{meant}`")),
                None => problem.help(format!("keys here are {}", suggest::list(known()))),
            };
            out.push(Diagnostic { span: *key_span, ..problem });
            match meant.filter(|meant| !entries.iter().any(|entry| entry.key == *meant)) {
                Some(meant) => take(&properties[meant], at.known(key, meant), out),
                // at the top much else may depend on it
                None => whole &= !at_top,
            }
        }
    }
    for key in required.into_iter().filter(|key| !read.contains_key(*key)) {
        whole = false;
        let tried = entries.iter().any(|entry| entry.key == key || suggest::closest(&entry.key, [key]).is_some());
        if !tried {
            let problem =
                Diagnostic::new(code::MISSING_KEY, format!("{} has no `{key}`", at.title())).at(join(&at.path, key));
            let what = first_line(&properties[key]).unwrap_or_default();
            let problem = problem.help(format!("add `{key}:`, {what}"));
            out.push(Diagnostic { span: node.span, ..problem });
        }
    }
    whole.then_some(Json::Object(read))
}

fn list(schema: &Json, node: &Node, items: &[Node], at: &At, out: &mut Vec<Diagnostic>) -> Option<Json> {
    if schema["minItems"].as_u64().is_some_and(|min| (items.len() as u64) < min) {
        let problem = Diagnostic::new(code::NOTHING_HERE, format!("`{}` is an empty list", at.name)).at(&at.path);
        let optional = schema["type"].is_array();
        let help = if optional { "list at least one, or leave the key out" } else { "list at least one" };
        out.push(Diagnostic { span: node.span, ..problem.help(help) });
        return None;
    }
    let mut read = Vec::new();
    for (index, node) in items.iter().enumerate() {
        read.push(check(&schema["items"], node, &at.item(index), out));
    }
    read.into_iter().collect::<Option<Vec<Json>>>().map(Json::Array)
}

fn integer(schema: &Json, number: i64, node: &Node, at: &At, out: &mut Vec<Diagnostic>) -> Option<Json> {
    let name = &at.name;
    let mut report = |problem: Diagnostic| out.push(Diagnostic { span: node.span, ..problem.at(&at.path) });
    if let Some(only) = schema["const"].as_i64().filter(|only| *only != number) {
        report(
            Diagnostic::new(code::OUT_OF_RANGE, format!("{name} {number} is not known"))
                .help(format!("write `{name}: {only}`, the one that this program reads")),
        );
        return None;
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(&Json::from(number))) {
        let words: Vec<String> = words.iter().filter(|word| !word.is_null()).map(Json::to_string).collect();
        let problem = Diagnostic::new(code::UNKNOWN_WORD, format!("{name} {number} is not offered"));
        report(problem.help(format!("use {}", suggest::list(words.iter().map(String::as_str)))));
        return None;
    }
    let (min, max) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
    let range = match (min, max) {
        (Some(min), Some(max)) => format!("use a number from {min} to {max}"),
        (Some(min), None) => format!("use a number of at least {min}"),
        _ => format!("use a number of at most {}", max.unwrap_or(i64::MAX)),
    };
    let over = max.filter(|max| number > *max).map(|max| ("above", max));
    let under = min.filter(|min| number < *min).map(|min| ("below", min));
    let Some((side, limit)) = over.or(under) else { return Some(Json::from(number)) };
    report(Diagnostic::new(code::OUT_OF_RANGE, format!("{name} {number} is {side} {limit}")).help(range));
    Some(Json::from(limit))
}

fn text(schema: &Json, text: &str, node: &Node, at: &At, out: &mut Vec<Diagnostic>) -> Option<Json> {
    let name = &at.name;
    let mut report = |problem: Diagnostic| out.push(Diagnostic { span: node.span, ..problem.at(&at.path) });
    let cannot = |code: Code| Diagnostic::new(code, format!("`{name}` cannot be {}", shown(text)));
    if let Some(words) = schema["enum"].as_array() {
        let known = || words.iter().filter_map(Json::as_str);
        if known().any(|word| word == text) {
            return Some(Json::from(text));
        }
        if let Some(problem) = without_calls(text).filter(|_| at.shape == "accounts.*.deployments.*.sku") {
            report(problem.help(format!("use {}", suggest::list(known()))));
            return known().find(|word| *word == "GlobalStandard").map(Json::from);
        }
        let problem = cannot(code::UNKNOWN_WORD).help(format!("use {}", suggest::list(known())));
        let meant = suggest::closest(text, known());
        report(match meant {
            Some(meant) => problem.label(format!("did you mean `{meant}`?")),
            None => problem,
        });
        return meant.map(Json::from);
    }
    if let Some(format) = schema["pattern"].as_str().and_then(|pattern| formats::violated(pattern, text)) {
        report(cannot((format.code)()).help(format.help));
        return format.is_text.then(|| Json::from(text));
    }
    let long = text.chars().count() as u64;
    let max = schema["maxLength"].as_u64().unwrap_or(u64::MAX);
    if schema["minLength"].as_u64().is_some_and(|min| long < min) {
        let problem = Diagnostic::new(code::BAD_NAME, format!("`{name}` is empty"));
        report(problem.help("write something, or leave the key out"));
    } else if long > max {
        let problem = Diagnostic::new(code::BAD_NAME, format!("`{name}` has {long} characters, more than {max}"));
        report(problem.help("shorten it"));
    }
    Some(Json::from(text))
}

/// A SKU that Azure has and no call can be sent to.
fn without_calls(word: &str) -> Option<Diagnostic> {
    let sku = catalogue::sku(word)?;
    let why = match sku.serving {
        Serving::Batch => "it takes files of calls, and answers within a day",
        Serving::Developer => "it is for the trial of a fine-tuned model, and is deleted after a day",
        Serving::Metered | Serving::Provisioned => return None,
    };
    let message = format!("{} cannot stand behind a pool", sku.name);
    Some(Diagnostic::new(code::SKU_WITHOUT_CALLS, message).label(why))
}

/// What a key is, as its description begins.
fn first_line(schema: &Json) -> Option<String> {
    schema["description"].as_str()?.lines().next().map(lower)
}

fn lower(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// A text as messages quote it; never a secret, never long.
pub fn shown(text: &str) -> String {
    if super::secrets::looks_secret(text) {
        return "`***`".into();
    }
    let line: String = text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(60).is_some() { format!("`{line}...`") } else { format!("`{line}`") }
}
