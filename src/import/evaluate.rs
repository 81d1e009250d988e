//! What the resources of a template come to, as far as that can be known without Azure.
//!
//! Nothing fails: a text whose expression cannot be evaluated becomes an unknown, which stands in the value as a mark
//! with its reason ([`Template::reason`]), so that names made of it still lead to each other. A template is evaluated
//! twice, with different marks and different places where none was given: what differs is decided in Azure.
//!
//! Both forms are read, the classic and the symbolic one, with loops, conditions and the templates nested in them. The
//! engine of the local Azure is not used: it refuses what this has to pass over.

mod context;

use super::Options;
use crate::expr::{self, EvalError, Expr, Fault, TemplateString};
use crate::template::lint::json::{Json, Node};
use serde_json::{Map, Value, json};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Begins and ends the mark of an unknown; both are for private use, and no name holds them.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// Expressions that are evaluated for one template; real ones have some thousand.
const BUDGET: u32 = 40_000;

/// How deep expressions and values stand inside each other, parameters followed.
const WEIGHT: usize = 300;

/// Azure takes no more.
const MAX_RESOURCES: usize = 800;

/// The subscription where none is given.
const SUBSCRIPTION: [&str; 2] = ["00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"];

/// A resource of the template.
#[derive(Clone, Debug)]
pub(super) struct Found<'a> {
    /// Its type in lower case.
    pub kind: String,
    /// Its whole name, `service/api`.
    pub name: String,
    /// The same as the other evaluation has it: a name that differs is made in Azure.
    pub other: String,
    /// What the other evaluation sends.
    pub other_body: Value,
    /// Where it is deployed to.
    pub place: Place,
    /// What it extends.
    pub scope: String,
    /// Whether the template only reads it.
    pub existing: bool,
    /// Whether it is made only under a condition that is not known.
    pub condition: Option<String>,
    /// What is sent, without name and type.
    pub body: Value,
    /// Where it stands.
    pub node: &'a Node,
}

impl Found<'_> {
    /// The last part of its name.
    pub fn own(&self) -> &str {
        last(&self.name)
    }
}

/// The last part of a name with slashes.
pub(super) fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// A subscription, and a resource group in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub subscription: String,
    pub group: Option<String>,
}

impl Place {
    fn id(&self) -> String {
        let group = self.group.as_ref().map_or(String::new(), |group| format!("/resourceGroups/{group}"));
        format!("/subscriptions/{}{group}", self.subscription)
    }
}

/// A template being evaluated.
pub(super) struct Template<'a> {
    root: &'a Node,
    options: &'a Options<'a>,
    /// Which of the two evaluations this is.
    turn: usize,
    reasons: RefCell<Vec<String>>,
    /// Where the accounts that are referred to stand, by their names in lower case.
    places: RefCell<BTreeMap<String, Place>>,
    spent: Cell<u32>,
    weight: Cell<usize>,
}

/// Parameters and variables, and where they are evaluated.
struct Own<'a> {
    template: &'a Node,
    place: Place,
    given: BTreeMap<String, Value>,
    /// By section and name; `None` while it is being found.
    known: RefCell<BTreeMap<(&'static str, String), Option<Value>>>,
}

/// Where an expression stands.
#[derive(Clone)]
struct At<'t, 'a> {
    all: &'t Template<'a>,
    /// The template whose resources are called by name.
    template: &'a Node,
    own: Rc<Own<'a>>,
    /// Where resources are deployed to.
    target: Place,
    copies: Vec<(String, i64)>,
}

/// Everything in the template, in its order.
pub(super) fn resources<'a>(root: &'a Node, options: &'a Options<'a>) -> (Vec<Found<'a>>, Template<'a>) {
    let (mut first, template) = turn(root, options, 0);
    let (second, _) = turn(root, options, 1);
    if first.len() == second.len() {
        for (found, other) in first.iter_mut().zip(second) {
            (found.other, found.other_body) = (other.name, other.body);
        }
    }
    (first, template)
}

fn turn<'a>(root: &'a Node, options: &'a Options<'a>, turn: usize) -> (Vec<Found<'a>>, Template<'a>) {
    let all = Template {
        root,
        options,
        turn,
        reasons: RefCell::default(),
        places: RefCell::default(),
        spent: Cell::new(0),
        weight: Cell::new(0),
    };
    let schema = root.get("$schema").and_then(Node::text).unwrap_or_default().to_ascii_lowercase();
    let of_group = !(schema.contains("subscriptiondeployment") || schema.contains("tenantdeployment"));
    let group = || match options.resource_group {
        Some(group) => group.to_owned(),
        None => all.unknown("the resource group is not given".into()),
    };
    let place = Place {
        subscription: options.subscription.unwrap_or(SUBSCRIPTION[turn]).to_owned(),
        group: of_group.then(group),
    };
    let given = options.parameters.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
    let own = Rc::new(Own { template: root, place: place.clone(), given, known: RefCell::default() });
    let at = At { all: &all, template: root, own, target: place, copies: Vec::new() };
    let mut found = Vec::new();
    at.resources(&mut found);
    (found, all)
}

impl Template<'_> {
    fn unknown(&self, reason: String) -> String {
        let mut reasons = self.reasons.borrow_mut();
        let number = reasons.iter().position(|known| *known == reason).unwrap_or_else(|| {
            reasons.push(reason);
            reasons.len() - 1
        });
        format!("{OPEN}{}{number}{CLOSE}", self.turn)
    }

    /// Why a text is not known, where it is not.
    pub fn reason(&self, text: &str) -> Option<String> {
        let (_, mark) = text.split_once(OPEN)?;
        let number = mark.split(CLOSE).next()?.get(1..)?;
        let reasons = self.reasons.borrow();
        Some(number.parse::<usize>().ok().and_then(|n| reasons.get(n)).cloned().unwrap_or_default())
    }

    /// A text for people: unknown parts are dots.
    pub fn shown(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, mark)) = rest.split_once(OPEN) {
            out.push_str(before);
            out.push_str("...");
            rest = mark.split_once(CLOSE).map_or("", |(_, after)| after);
        }
        out + rest
    }

    /// Where an account stands that an expression refers to by its id.
    pub fn place_of(&self, account: &str) -> Option<Place> {
        self.places.borrow().get(&account.to_lowercase()).cloned()
    }

    /// The subscription, where the template says one of its own.
    pub fn other_subscription(&self, place: &Place) -> Option<String> {
        let own = self.options.subscription.unwrap_or(SUBSCRIPTION[self.turn]);
        let known = self.reason(&place.subscription).is_none() && !place.subscription.eq_ignore_ascii_case(own);
        known.then(|| place.subscription.to_lowercase())
    }

    fn enter(&self, weight: usize) -> Result<Held<'_>, EvalError> {
        let held = Held { weight: &self.weight, own: weight };
        self.weight.set(self.weight.get() + weight);
        self.spent.set(self.spent.get() + 1);
        if self.weight.get() > WEIGHT || self.spent.get() > BUDGET {
            return Err(fault("there is too much to evaluate"));
        }
        Ok(held)
    }
}

/// Gives back what an evaluation weighed.
struct Held<'w> {
    weight: &'w Cell<usize>,
    own: usize,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.weight.set(self.weight.get() - self.own);
    }
}

fn fault(message: impl Into<String>) -> EvalError {
    EvalError::new(Fault::NotFound, message)
}

fn depth(tree: &Expr) -> usize {
    1 + match tree {
        Expr::Str(_) | Expr::Int(_) => 0,
        Expr::Call(_, args) => args.iter().map(depth).max().unwrap_or(0),
        Expr::Prop(base, _) => depth(base),
        Expr::Index(base, index) => depth(base).max(depth(index)),
    }
}

impl<'a> At<'_, 'a> {
    /// The value of a piece of the template.
    fn value(&self, node: &Node) -> Value {
        let Ok(_held) = self.all.enter(1) else {
            return self.all.unknown("there is too much to evaluate".into()).into();
        };
        match &node.value {
            Json::Null => Value::Null,
            Json::Bool(value) => (*value).into(),
            Json::Number(number) => serde_json::from_str(number).unwrap_or(Value::Null),
            Json::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Json::Text(text) => self.text(text),
            Json::Object(entries) => {
                let mut members = Map::new();
                for (key, _, node) in entries {
                    if key.eq_ignore_ascii_case("copy") && is_loop(node) {
                        for each in node.items() {
                            if let Some((name, values)) = self.looped(each) {
                                members.insert(name, values);
                            }
                        }
                    } else if let Value::String(key) = self.text(key) {
                        members.insert(key, self.value(node));
                    }
                }
                members.into()
            }
        }
    }

    fn text(&self, text: &str) -> Value {
        match expr::template_string(text) {
            TemplateString::Literal(text) => text.into_owned().into(),
            TemplateString::Expression(source) => {
                let value = self.evaluate(source).and_then(expr::bounded);
                value.unwrap_or_else(|error| self.all.unknown(short(&error.message)).into())
            }
        }
    }

    fn evaluate(&self, source: &str) -> Result<Value, EvalError> {
        let tree = expr::parse(source)?;
        let _held = self.all.enter(depth(&tree))?;
        expr::evaluate(&tree, &mut self.clone())
    }

    /// One loop over values: its name and what it makes.
    fn looped(&self, each: &Node) -> Option<(String, Value)> {
        let name = each.get("name").and_then(Node::text)?.to_owned();
        let values = self.turns(&name, each)?.iter().map(|at| at.value(each.get("input").unwrap_or(each))).collect();
        Some((name, values))
    }

    /// A place for each turn of a loop; `None` where their number is not known.
    fn turns(&self, name: &str, copy: &Node) -> Option<Vec<Self>> {
        let count = self.value(copy.get("count")?).as_i64()?;
        let count = count.clamp(0, MAX_RESOURCES as i64);
        Some((0..count).map(|turn| self.inside(name, turn)).collect())
    }

    fn inside(&self, name: &str, turn: i64) -> Self {
        let mut inner = self.clone();
        inner.copies.push((name.to_owned(), turn));
        inner
    }

    fn resources(&self, out: &mut Vec<Found<'a>>) {
        let Some(nodes) = self.template.get("resources") else { return };
        for node in nodes.entries().iter().map(|(_, _, node)| node).chain(nodes.items()) {
            self.each(node, None, out);
        }
    }

    fn each(&self, node: &'a Node, parent: Option<&Found<'a>>, out: &mut Vec<Found<'a>>) {
        match node.get("copy") {
            None => self.resource(node, parent, out),
            Some(copy) => {
                let name = copy.get("name").and_then(Node::text).unwrap_or_default();
                let turns = self.turns(name, copy);
                // how many there are is not known: one stands for all
                let turns = turns.unwrap_or_else(|| vec![self.inside(name, 0)]);
                turns.iter().for_each(|at| at.resource(node, parent, out));
            }
        }
    }

    fn resource(&self, node: &'a Node, parent: Option<&Found<'a>>, out: &mut Vec<Found<'a>>) {
        let (Some(kind), Some(name)) = (node.get("type").and_then(Node::text), node.get("name")) else { return };
        let Ok(_held) = self.all.enter(8) else { return };
        let condition = match node.get("condition").map(|condition| self.value(condition)) {
            None | Some(Value::Bool(true)) => None,
            Some(Value::Bool(false)) => return,
            Some(other) => Some(other.as_str().and_then(|text| self.all.reason(text)).unwrap_or_default()),
        };
        if out.len() >= MAX_RESOURCES {
            return;
        }
        let (mut kind, mut name) = (kind.to_ascii_lowercase(), self.words(name));
        if let Some(parent) = parent {
            (kind, name) = (format!("{}/{kind}", parent.kind), format!("{}/{name}", parent.name));
        }
        if kind == DEPLOYMENTS {
            if let Some(inner) = self.nested(node) {
                inner.resources(out);
            }
            return;
        }
        let existing = node.get("existing").is_some();
        let read = !existing && READ.iter().any(|start| kind.starts_with(start));
        let members = ["location", "kind", "sku", "identity", "tags", "properties"];
        let members = members.iter().filter_map(|member| Some(((*member).to_owned(), self.value(node.get(member)?))));
        let body = if read { members.collect() } else { Map::new() };
        let found = Found {
            other: name.clone(),
            other_body: Value::Null,
            place: self.placed(node),
            scope: node.get("scope").map(|scope| self.words(scope)).unwrap_or_default(),
            body: body.into(),
            kind,
            name,
            existing,
            condition,
            node,
        };
        let children = node.get("resources").map(Node::items).unwrap_or_default();
        out.push(found.clone());
        children.iter().for_each(|child| self.each(child, Some(&found), out));
    }

    fn words(&self, node: &Node) -> String {
        match self.value(node) {
            Value::String(text) => text,
            _ => self.all.unknown("this is no text".into()),
        }
    }

    /// Where a resource is deployed to: only of nested deployments, and of existing resources, the template says it.
    fn placed(&self, node: &Node) -> Place {
        let member = |name: &str| node.get(name).map(|node| self.words(node));
        Place {
            subscription: member("subscriptionId").unwrap_or_else(|| self.target.subscription.clone()),
            group: member("resourceGroup").or_else(|| self.target.group.clone()),
        }
    }

    /// A nested deployment from inside.
    fn nested(&self, node: &'a Node) -> Option<Self> {
        let properties = node.get("properties")?;
        let template = properties.get("template")?;
        let target = self.placed(node);
        let scope = properties.path(&["expressionEvaluationOptions", "scope"]).and_then(Node::text);
        if !scope.is_some_and(|scope| scope.eq_ignore_ascii_case("inner")) {
            return Some(At { template, target, ..self.clone() });
        }
        let passed = properties.get("parameters").map(Node::entries).unwrap_or_default();
        let given = passed.iter().filter_map(|(name, _, node)| {
            // `{"value": ...}`, or an expression that makes one
            let value = match node.get("value") {
                Some(value) => self.value(value),
                None => match self.value(node) {
                    Value::Object(mut members) => members.shift_remove("value")?,
                    _ => return None,
                },
            };
            Some((name.to_lowercase(), value))
        });
        let own = Own { template, place: target.clone(), given: given.collect(), known: RefCell::default() };
        Some(At { all: self.all, template, own: Rc::new(own), target, copies: Vec::new() })
    }

    /// A parameter or a variable, found once.
    fn known(
        &self,
        section: &'static str,
        name: &str,
        find: impl FnOnce(&Self) -> Result<Value, EvalError>,
    ) -> Result<Value, EvalError> {
        let key = (section, name.to_lowercase());
        if let Some(known) = self.own.known.borrow().get(&key) {
            return known.clone().ok_or_else(|| fault(format!("`{name}` refers to itself")));
        }
        self.own.known.borrow_mut().insert(key.clone(), None);
        let place = self.own.place.clone();
        let outside = At { template: self.own.template, target: place, copies: Vec::new(), ..self.clone() };
        let found = find(&outside).and_then(expr::bounded);
        match &found {
            Ok(value) => self.own.known.borrow_mut().insert(key, Some(value.clone())),
            Err(_) => self.own.known.borrow_mut().remove(&key),
        };
        found
    }

    /// What `reference` shows of a resource of the template, found by its symbol, its name or its id.
    fn shown(&self, target: &str) -> Option<Value> {
        let (provider, names) = match target.rsplit_once("/providers/") {
            Some((scope, path)) => {
                let scope: Vec<&str> = scope.split('/').collect();
                if let ["", _, subscription, _, group] = scope.as_slice() {
                    let place = Place { subscription: (*subscription).to_owned(), group: Some((*group).to_owned()) };
                    self.all.places.borrow_mut().entry(last(path).to_lowercase()).or_insert(place);
                }
                let parts: Vec<&str> = path.split('/').collect();
                let kinds: Vec<&str> = parts.iter().skip(1).step_by(2).copied().collect();
                let kind = format!("{}/{}", parts.first()?, kinds.join("/")).to_ascii_lowercase();
                (kind, parts.iter().skip(2).step_by(2).copied().collect::<Vec<_>>().join("/"))
            }
            None => {
                let (node, at) = self.called(target)?;
                let kind = node.get("type").and_then(Node::text)?.to_ascii_lowercase();
                if kind == DEPLOYMENTS {
                    return Some(at.nested(node)?.outputs());
                }
                (kind, at.words(node.get("name")?))
            }
        };
        if provider == DEPLOYMENTS {
            let (node, at) = self.called(last(&names))?;
            return Some(at.nested(node)?.outputs());
        }
        let unknown = |what: &str| self.all.unknown(format!("the {what} of a resource is known only in Azure"));
        let identity = |what: &str| unknown(&format!("{what} of the identity"));
        Some(match provider.as_str() {
            "microsoft.cognitiveservices/accounts" => json!({
                "properties": { "endpoint": format!("https://{names}.openai.azure.com/") }
            }),
            "microsoft.apimanagement/service" => json!({
                "identity": { "principalId": identity("principal"), "tenantId": identity("tenant") },
                "properties": { "gatewayUrl": format!("https://{names}.azure-api.net") }
            }),
            "microsoft.managedidentity/userassignedidentities" => json!({
                "properties": { "principalId": identity("principal"), "clientId": identity("client id") }
            }),
            _ => return None,
        })
    }

    /// A resource by its symbol, with the turn of a loop as `loop[1]`, or by its name.
    fn called(&self, target: &str) -> Option<(&'a Node, Self)> {
        let (symbol, turn) = match target.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
            Some((symbol, turn)) => (symbol, turn.parse::<i64>().ok()),
            None => (target, None),
        };
        let resources = self.template.get("resources")?;
        if let Some(node) = resources.get(symbol) {
            let name = node.path(&["copy", "name"]).and_then(Node::text).unwrap_or(symbol);
            return Some((node, turn.map_or_else(|| self.clone(), |turn| self.inside(name, turn))));
        }
        for node in resources.items() {
            let turns = match node.get("copy") {
                None => vec![self.clone()],
                Some(copy) => self.turns(copy.get("name").and_then(Node::text).unwrap_or_default(), copy)?,
            };
            for at in turns {
                if node.get("name").is_some_and(|name| at.words(name).eq_ignore_ascii_case(target)) {
                    return Some((node, at));
                }
            }
        }
        None
    }

    /// A nested deployment as `reference` shows it.
    fn outputs(&self) -> Value {
        let outputs = self.template.get("outputs").map(Node::entries).unwrap_or_default();
        let output = |(name, _, node): &(String, _, Node)| {
            let value = match (node.get("value"), node.get("copy")) {
                (Some(value), _) => self.value(value),
                (None, Some(copy)) => {
                    let turns = self.turns(name, copy)?;
                    turns.iter().map(|at| at.value(copy.get("input").unwrap_or(copy))).collect()
                }
                _ => return None,
            };
            Some((name.clone(), json!({ "value": value })))
        };
        json!({ "properties": { "outputs": outputs.iter().filter_map(output).collect::<Map<_, _>>() } })
    }
}

/// `microsoft.resources/deployments`
const DEPLOYMENTS: &str = "microsoft.resources/deployments";

/// The types whose bodies are read.
const READ: [&str; 8] = [
    "microsoft.cognitiveservices/",
    "microsoft.apimanagement/",
    "microsoft.authorization/roleassignments",
    "microsoft.network/privateendpoints",
    "microsoft.managedidentity/",
    "microsoft.operationalinsights/workspaces",
    "microsoft.insights/diagnosticsettings",
    "microsoft.insights/scheduledqueryrules",
];

fn is_loop(node: &Node) -> bool {
    node.items().iter().any(|item| item.get("count").is_some())
}

/// The first sentence: what follows leads to Azure's pages.
fn short(message: &str) -> String {
    let first = message.split(". ").next().unwrap_or_default().trim_end_matches('.');
    first.chars().filter(|c| !c.is_control()).take(160).collect()
}

impl<'a> Template<'a> {
    /// The text of the template that says this, if it is the only one.
    pub fn holder(&self, text: &str) -> Option<&'a Node> {
        let mut open = vec![self.root];
        while let Some(node) = open.pop() {
            if node.text() == Some(text) {
                return Some(node);
            }
            open.extend(node.items());
            open.extend(node.entries().iter().map(|(_, _, node)| node));
        }
        None
    }
}
