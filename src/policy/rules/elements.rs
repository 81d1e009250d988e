//! Elements, attributes and their values, against the table.

use super::expressions::{self, Site};
use super::table::{self, Body, Child, Element, Expression, Need, Order, Policy, Value};
use super::{Document, Section, closest, view};
use crate::diagnostic::{Code, Diagnostic, Span, code};
use crate::policy_xml::raw::{self, Reading};
use std::collections::BTreeMap;

/// Checks a whole document.
pub(super) fn check(text: &str, document: &raw::Document, kind: Document, out: &mut Vec<Diagnostic>) {
    let mut walk = Walk { text, reading: document.reading, kind, out, seen: BTreeMap::new(), line_comments: 0 };
    walk.root(&document.root);
}

struct Walk<'a> {
    text: &'a str,
    reading: Reading,
    kind: Document,
    out: &'a mut Vec<Diagnostic>,
    /// Where a policy that may stand once was seen, by name and section.
    seen: BTreeMap<(&'static str, Option<Section>), Span>,
    /// Comments that begin with `//` in attributes; one is told.
    line_comments: usize,
}

/// Policies that the documentation allows once: in a section, or else in a document.
const ONCE: &[(&str, bool)] = &[
    ("rate-limit", false),
    ("quota", false),
    ("llm-semantic-cache-lookup", true),
    ("llm-semantic-cache-store", true),
    ("azure-openai-semantic-cache-lookup", true),
    ("azure-openai-semantic-cache-store", true),
];

/// Roots of documents that are no policy documents.
const RESOLVERS: &[&str] = &["http-data-source", "cosmosdb-data-source", "sql-data-source", "graphql-data-source"];

fn page(source: &str) -> String {
    match source {
        "schema" | "toolkit" | "knowledge base" => "`aoai-lb explain` names the sources".into(),
        page => format!("see learn.microsoft.com/azure/api-management/{page}"),
    }
}

impl Walk<'_> {
    fn say(&mut self, code: Code, span: Span, message: String) -> &mut Diagnostic {
        self.out.push(Diagnostic::new(code, message).span(span));
        self.out.last_mut().expect("it was pushed")
    }

    fn help(&mut self, code: Code, span: Span, message: String, help: impl Into<String>) {
        self.say(code, span, message).help = Some(help.into());
    }

    fn root(&mut self, root: &raw::Element) {
        let expected = match self.kind {
            Document::Policy => "policies",
            Document::Fragment => "fragment",
        };
        if RESOLVERS.contains(&root.name.as_str()) {
            let message = format!("`<{}>` is the resolver of a GraphQL API, and none is checked", root.name);
            self.help(
                code::UNKNOWN_POLICY,
                root.span,
                message,
                "check it against the policy reference of API Management",
            );
            return;
        }
        if root.name != expected {
            let message = format!("the root is `<{}>`, not `<{expected}>`", root.name);
            self.help(code::POLICY_PLACE, root.span, message, "wrap the policies in it");
            return;
        }
        self.attributes(root, &[], false);
        if self.kind == Document::Fragment {
            self.policies(root, None);
            return;
        }
        self.no_text(root);
        let mut seen = Vec::new();
        for child in &root.children {
            let Some(section) = Section::parse(&child.name) else {
                let message = format!("`<{}>` is no section", child.name);
                self.help(code::POLICY_PLACE, child.span, message, "use inbound, backend, outbound and on-error");
                continue;
            };
            if seen.contains(&section) {
                let message = format!("the section `{}` stands twice", child.name);
                self.help(code::POLICY_PLACE, child.span, message, "put its policies into the first one");
            }
            seen.push(section);
            self.attributes(child, &[], false);
            self.policies(child, Some(section));
            if section == Section::Backend && child.children.len() > 1 {
                let message = format!("the backend section holds {} policies, one is allowed", child.children.len());
                let span = child.children[1].span;
                let help = "put them into one `retry`, `choose` or `limit-concurrency`, or into a fragment";
                self.help(code::BACKEND_SECTION, span, message, help);
            }
        }
    }

    /// Policies right inside a section, or inside one that holds policies.
    fn policies(&mut self, parent: &raw::Element, section: Option<Section>) {
        self.no_text(parent);
        for child in &parent.children {
            if child.name != "base" {
                self.policy(child, section);
                continue;
            }
            self.attributes(child, &[], false);
            if Section::parse(&parent.name).is_none() {
                let message = format!("`<base />` inside `<{}>`", parent.name);
                self.help(code::POLICY_PLACE, child.span, message, "put it directly into a section");
            }
            if let Some(inner) = child.children.first() {
                self.help(code::POLICY_CONTENT, inner.span, "`<base>` is not empty".into(), "close it as `<base />`");
            }
            self.no_text(child);
        }
    }

    fn policy(&mut self, element: &raw::Element, section: Option<Section>) {
        let Some(policy) = table::policy_named(&element.name) else {
            return self.stranger(element, section);
        };
        if let Some(section) = section.filter(|section| !policy.sections.contains(section)) {
            let message = format!("`<{}>` may not stand in {}", policy.name, section.name());
            let places: Vec<&str> = policy.sections.iter().map(|section| section.name()).collect();
            let help = match places.as_slice() {
                [] => "put it inside the policy that it belongs to".to_owned(),
                places => format!("put it into {}; {}", places.join(", "), page(policy.source)),
            };
            self.help(code::POLICY_PLACE, element.span, message, help);
        }
        self.once(policy, element, section);
        self.against(element, &policy.element, section, true);
        self.beyond(element);
    }

    /// An element that this program does not know, and what can be known inside it.
    fn stranger(&mut self, element: &raw::Element, section: Option<Section>) {
        if ["policies", "fragment"].contains(&element.name.as_str()) || Section::parse(&element.name).is_some() {
            let message = format!("`<{}>` stands inside another element", element.name);
            self.help(
                code::POLICY_PLACE,
                element.span,
                message,
                "`policies` holds the sections, and sections hold policies",
            );
            return;
        }
        let message = format!("the policy `<{}>` is not known to this program", element.name);
        let near = closest(&element.name, table::all().map(|policy| policy.name));
        let help = match near {
            Some(near) => format!("did you mean `<{near}>`?"),
            None => "check it against the policy reference of API Management".into(),
        };
        self.help(code::UNKNOWN_POLICY, element.span, message, help);
        for child in element.children.iter().filter(|child| table::policy_named(&child.name).is_some()) {
            self.policy(child, section);
        }
    }

    fn once(&mut self, policy: &'static Policy, element: &raw::Element, section: Option<Section>) {
        let Some((_, in_section)) = ONCE.iter().find(|(name, _)| *name == policy.name) else { return };
        let key = (policy.name, section.filter(|_| *in_section));
        if self.seen.contains_key(&key) {
            let place = if *in_section { "section" } else { "document" };
            let message = format!("`<{}>` stands again, the documentation allows it once in a {place}", policy.name);
            self.help(code::DISPUTED_POLICY, element.span, message, page(policy.source));
        }
        self.seen.entry(key).or_insert(element.span);
    }

    /// Attributes, texts and children of an element.
    fn against(&mut self, element: &raw::Element, known: &Element, section: Option<Section>, is_policy: bool) {
        self.attributes(element, known.attributes, is_policy);
        match &known.body {
            Body::Policies => self.policies(element, section),
            Body::Free => self.free(element),
            Body::Empty => {
                self.no_text(element);
                for child in &element.children {
                    let message = format!("`<{}>` inside `<{}>`, which is empty", child.name, element.name);
                    self.help(code::POLICY_CONTENT, child.span, message, "take it out");
                }
            }
            Body::Text(value) => {
                for child in &element.children {
                    let message = format!("`<{}>` inside `<{}>`, which holds text only", child.name, element.name);
                    self.help(code::POLICY_CONTENT, child.span, message, "take it out");
                }
                self.text_of(element, *value);
            }
            Body::Children(order, children) => {
                match order {
                    Order::Mixed => self.free(element),
                    Order::Fixed | Order::Free => self.no_text(element),
                }
                self.children(element, *order, children, section);
            }
        }
    }

    fn children(&mut self, element: &raw::Element, order: Order, known: &'static [Child], section: Option<Section>) {
        let mut counts = vec![0; known.len()];
        let mut last = 0;
        for child in &element.children {
            let Some(at) = known.iter().position(|known| known.name == child.name) else {
                let message = format!("`<{}>` may not stand in `<{}>`", child.name, element.name);
                let names: Vec<&str> = known.iter().map(|known| known.name).collect();
                let help = match closest(&child.name, names.iter().copied()) {
                    Some(near) => format!("did you mean `<{near}>`?"),
                    None => format!("use {}", names.join(", ")),
                };
                self.help(code::POLICY_CONTENT, child.span, message, help);
                continue;
            };
            counts[at] += 1;
            if counts[at] == known[at].most.saturating_add(1) {
                let message = format!("`<{}>` stands more than {} times", child.name, known[at].most);
                let message = if known[at].most == 1 { format!("`<{}>` stands twice", child.name) } else { message };
                self.help(code::POLICY_CONTENT, child.span, message, "take one out");
            }
            if order == Order::Fixed && at < last {
                let message =
                    format!("`<{}>` stands after `<{}>` in `<{}>`", child.name, known[last].name, element.name);
                let names: Vec<&str> = known.iter().map(|known| known.name).collect();
                self.help(code::POLICY_CONTENT, child.span, message, format!("keep the order {}", names.join(", ")));
            }
            last = last.max(at);
            match (&known[at].element, table::policy_named(&child.name)) {
                (Some(inner), _) => self.against(child, inner, section, false),
                // what runs as a policy of its own has its section; what only describes a request has none
                (None, _) if element.name == "wait" => self.policy(child, section),
                (None, Some(policy)) => {
                    self.against(child, &policy.element, section, true);
                    self.beyond(child);
                }
                (None, None) => {}
            }
        }
        for (known, count) in known.iter().zip(counts) {
            if count < known.least {
                let message = format!("`<{}>` needs a `<{}>`", element.name, known.name);
                self.help(code::POLICY_CONTENT, element.span, message, "add it");
            }
        }
    }

    fn attributes(&mut self, element: &raw::Element, known: &'static [table::Attribute], is_policy: bool) {
        let mut seen: Vec<&str> = Vec::new();
        for attribute in &element.attributes {
            let name = attribute.name.as_str();
            if seen.contains(&name) {
                let message = format!("`<{}>` has `{name}` twice", element.name);
                self.help(code::POLICY_ATTRIBUTE, attribute.span, message, "take one out");
            }
            seen.push(name);
            if name == "xmlns" || name.starts_with("xmlns:") || name.starts_with("xml:") {
                continue;
            }
            if let Some(known) = known.iter().find(|known| known.name == name) {
                self.value(element, attribute, known);
            } else if !(is_policy && name == "id") {
                let message = format!("`<{}>` has no attribute `{name}`", element.name);
                let help = match closest(name, known.iter().map(|known| known.name)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "take it out".into(),
                };
                self.help(code::POLICY_ATTRIBUTE, attribute.span, message, help);
            }
        }
        for known in known.iter().filter(|known| known.need == Need::Must && !seen.contains(&known.name)) {
            let message = format!("`<{}>` needs the attribute `{}`", element.name, known.name);
            self.help(code::POLICY_ATTRIBUTE, element.span, message, "add it");
        }
    }

    fn value(&mut self, element: &raw::Element, attribute: &raw::Attribute, known: &table::Attribute) {
        let value = view::of(self.text, attribute);
        let name = format!("`{}` of `<{}>`", attribute.name, element.name);
        match &value {
            view::Value::Literal(text) => self.literal(&name, text, attribute.value, known.value),
            _ => {
                let message = match known.expression {
                    Expression::Allowed => None,
                    Expression::Refused => Some((code::EXPRESSION_PLACE, format!("{name} takes no expression"))),
                    Expression::Disputed => {
                        let message = format!("{name}: the documentation allows no expression here");
                        Some((code::DISPUTED_POLICY, message))
                    }
                };
                if let Some((code, message)) = message {
                    self.help(code, attribute.value, message, "write a literal or a named value, `{{name}}`");
                }
                self.expression(&value, Site::Attribute, attribute.value);
            }
        }
    }

    fn expression(&mut self, value: &view::Value, site: Site, span: Span) {
        expressions::check(value, self.out);
        let view::Value::Expression(expression, _) = value else { return };
        let lines = self.text[span.start..span.end].contains('\n');
        let comment = expression
            .line_comment
            .filter(|_| site == Site::Attribute && self.reading == Reading::Xml && lines && self.line_comments == 0);
        if let Some(comment) = comment {
            self.line_comments += 1;
            let message = "a `//` comment in an attribute takes the rest of the code with it".into();
            self.say(code::ONE_FORMAT, comment, message).notes.push(
                "XML turns the line ends of an attribute into blanks; only a reader of `rawxml` keeps them".into(),
            );
            self.out.last_mut().expect("it was pushed").help = Some("use `/* */`".into());
        }
    }

    fn literal(&mut self, name: &str, text: &str, span: Span, value: Value) {
        if text.find("{{").is_some_and(|at| text[at..].contains("}}")) {
            return;
        }
        if text.contains("@(") || text.contains("@{") {
            let message = format!("{name}: an expression beside other text is not evaluated");
            self.help(code::TEXT_AROUND_EXPRESSION, span, message, "make the whole value one expression");
        }
        let Some(expected) = refused(text, value) else { return };
        let shown: String = text.chars().take(60).collect();
        self.help(code::POLICY_VALUE, span, format!("{name} is `{shown}`"), format!("write {expected}"));
    }

    fn no_text(&mut self, element: &raw::Element) {
        for piece in &element.texts {
            let text = &self.text[piece.span.start..piece.span.end];
            if text.trim().is_empty() {
                continue;
            }
            let start = piece.span.end - text.trim_start().len();
            let shown: String = text.trim().lines().next().unwrap_or_default().chars().take(40).collect();
            let message = format!("text inside `<{}>`: `{shown}`", element.name);
            let span = Span { start, end: start + text.trim().len() };
            self.help(code::POLICY_CONTENT, span, message, "take it out, or put it into the element that holds it");
        }
    }

    fn text_of(&mut self, element: &raw::Element, value: Value) {
        let name = format!("the text of `<{}>`", element.name);
        match view::content(self.text, element) {
            None => self.literal(&name, "", element.span, value),
            Some((view::Value::Literal(text), span)) => self.literal(&name, text.trim(), span, value),
            Some((found, span)) => self.expression(&found, Site::Content, span),
        }
    }

    /// Content that may be anything: only a text that begins as an expression is looked at.
    fn free(&mut self, element: &raw::Element) {
        match view::content(self.text, element) {
            Some((view::Value::Literal(_), _)) | None => {}
            Some((view::Value::Broken(_) | view::Value::Expression(_, Some(_)), _)) if !element.children.is_empty() => {
            }
            Some((found, span)) => self.expression(&found, Site::Content, span),
        }
    }

    /// What no table says.
    fn beyond(&mut self, element: &raw::Element) {
        let name = element.name.as_str();
        let has = |attribute: &str| element.attribute(attribute).is_some();
        let span = element.span;
        match name {
            "set-backend-service" => {
                let any = element.attributes.iter().any(|a| {
                    ["base-url", "backend-id", "dapr-app-id"].contains(&a.name.as_str()) || a.name.starts_with("sf-")
                });
                if !any {
                    let message = "`<set-backend-service>` names no backend".into();
                    self.help(code::POLICY_ATTRIBUTE, span, message, "add `backend-id` or `base-url`");
                }
            }
            "llm-token-limit" | "azure-openai-token-limit" => {
                if !has("tokens-per-minute") && !has("token-quota") {
                    let help = "add `tokens-per-minute`, `token-quota`, or both";
                    self.help(code::POLICY_ATTRIBUTE, span, format!("`<{name}>` limits nothing"), help);
                }
                if has("token-quota") && !has("token-quota-period") {
                    let message = format!("`<{name}>` has a quota without `token-quota-period`");
                    self.help(code::DISPUTED_POLICY, span, message, "add `token-quota-period`");
                }
            }
            "emit-metric" | "llm-emit-token-metric" | "azure-openai-emit-token-metric" => {
                let dimensions = element.children.iter().filter(|child| child.name == "dimension");
                let (most, all) = (if name == "emit-metric" { 10 } else { 5 }, dimensions.clone().count());
                let own = dimensions.filter(|child| child.attribute("value").is_some()).count();
                if all == 0 {
                    let message = format!("`<{name}>` has no dimension, the documentation wants one");
                    self.help(code::DISPUTED_POLICY, span, message, "add a `dimension`");
                }
                if own > most {
                    let message =
                        format!("`<{name}>` has {own} dimensions of its own, the documentation allows {most}");
                    self.help(code::DISPUTED_POLICY, span, message, "take some out");
                }
            }
            "quota" | "quota-by-key" if !has("calls") && !has("bandwidth") && element.children.is_empty() => {
                let message = format!("`<{name}>` limits nothing");
                self.help(code::POLICY_ATTRIBUTE, span, message, "add `calls`, `bandwidth`, or both");
            }
            "forward-request" if has("timeout") && has("timeout-ms") => {
                let message = "`<forward-request>` has `timeout` and `timeout-ms`".into();
                self.help(code::POLICY_ATTRIBUTE, span, message, "keep one of them");
            }
            "send-request" => {
                let mode = view::named(self.text, element, "mode");
                let is_new = mode.is_none_or(|mode| mode.literal() == Some("new"));
                if is_new && !element.children.iter().any(|child| child.name == "set-url") {
                    let message = "`<send-request>` of a new request has no `<set-url>`".into();
                    self.help(code::POLICY_CONTENT, span, message, "add `<set-url>`");
                }
            }
            "include-fragment" if self.kind == Document::Fragment => {
                let message = "a fragment cannot include a fragment".into();
                self.help(code::POLICY_PLACE, span, message, "include both in the policy");
            }
            "retry" => {
                if has("max-interval") && !has("delta") {
                    let message = "`max-interval` without `delta`: the interval stays the same".into();
                    self.help(code::DISPUTED_POLICY, span, message, "add `delta`");
                }
                for inner in element.children.iter().filter(|child| child.name == "wait") {
                    let message = "`<wait>` may not stand in `<retry>`".into();
                    self.help(code::POLICY_PLACE, inner.span, message, "put the `retry` inside, or leave `wait` out");
                }
                self.empty(element);
            }
            "limit-concurrency" => self.empty(element),
            "choose" => {
                for when in element.children.iter().filter(|child| child.name == "when") {
                    self.empty(when);
                }
            }
            _ => {}
        }
    }

    fn empty(&mut self, element: &raw::Element) {
        if element.children.is_empty() {
            let message = format!("`<{}>` is empty", element.name);
            self.help(code::DISPUTED_POLICY, element.span, message, "put policies into it, or take it out");
        }
    }
}

/// What a literal should have been, where it is not.
fn refused(text: &str, value: Value) -> Option<String> {
    let trimmed = text.trim();
    let number = || {
        let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        trimmed.parse::<i64>().ok().filter(|_| plain)
    };
    match value {
        Value::Text => None,
        Value::Some => trimmed.is_empty().then(|| "a text that is not empty".into()),
        Value::Bool => (!["true", "false", "1", "0"].contains(&trimmed)).then(|| "true or false".into()),
        Value::Whole(from, to) => {
            let fits = number().is_some_and(|number| (from..=to).contains(&number));
            (!fits).then(|| match (from, to) {
                (_, i64::MAX) if from > i64::from(i32::MIN) => format!("a whole number of at least {from}"),
                (..=-2, _) => "a whole number".into(),
                _ => format!("a whole number from {from} to {to}"),
            })
        }
        Value::Decimal(from, to) => {
            let plain = trimmed.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
            let fits = trimmed.parse::<f64>().is_ok_and(|n| plain && n >= f64::from(from) && n <= f64::from(to));
            (!fits).then(|| match from {
                i32::MIN => "a number".into(),
                _ => format!("a number from {from} to {to}"),
            })
        }
        Value::Words(words) => (!words.contains(&trimmed)).then(|| words.join(", ")),
        Value::Date => {
            let date = trimmed.len() >= 19
                && trimmed.bytes().enumerate().take(19).all(|(at, b)| match at {
                    4 | 7 => b == b'-',
                    10 => b == b'T',
                    13 | 16 => b == b':',
                    _ => b.is_ascii_digit(),
                });
            (!date).then(|| "a date and time as 2026-01-31T00:00:00Z".into())
        }
    }
}
