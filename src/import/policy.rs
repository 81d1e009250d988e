//! What somebody's policy means in the words of a spec, where that is plain; everything else is named with its place.

use crate::diagnostic::{Code, Diagnostic, Span, code};
use crate::policy_xml::csharp::{self, Entities, Kind};
use crate::policy_xml::raw::{self, Attribute, Element};
use crate::time::Duration;
use crate::topology::intent::{Entra, LimitBy, Period, TokenLimit, TokenQuota};
use crate::topology::{Retry, Strategy, defaults};
use std::collections::BTreeSet;

/// A policy as far as a spec can say it.
pub(super) struct Read {
    /// Who picks the backend; `None` where it is not plain.
    pub strategy: Option<Strategy>,
    /// What is picked from: one pool or backend under [`Strategy::Pool`].
    pub choices: Vec<Choice>,
    pub retry: Retry,
    /// Whether the policy repeats calls at all; else `retry` is the default.
    pub retries: bool,
    pub token_limit: Option<TokenLimit>,
    pub quota: Option<TokenQuota>,
    pub entra: Option<Entra>,
    /// What is not carried over, with places in the policy.
    pub problems: Vec<Diagnostic>,
}

/// One backend that a policy names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub called: Called,
    pub priority: u8,
    pub weight: u8,
    /// Where it stands in the policy.
    pub span: Span,
}

/// How a policy names a backend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Called {
    /// By its name in the gateway.
    Name(String),
    /// By its address.
    Url(String),
}

/// The statuses that are retried, whatever the policy says.
const RETRIED: &str = "408, 429, 499, 500 and 502 to 504 are repeated, another status never";

/// Reads a policy.
pub(super) fn read(text: &str) -> Result<Read, Diagnostic> {
    let document = raw::read(text).map_err(|fault| {
        let at = fault.at.min(text.len());
        Diagnostic::new(code::UNREADABLE_POLICY, fault.message)
            .span(Span { start: at, end: at })
            .help("close what is open")
    })?;
    let mut reader = Reader { text, strategy: None, used: BTreeSet::new(), read: nothing() };
    reader.choices(&document.root);
    reader.read.strategy = reader.strategy;
    reader.used = reader.names_used(&document.root);
    for section in &document.root.children {
        if ["inbound", "backend", "outbound", "on-error"].contains(&section.name.as_str()) {
            section.children.iter().for_each(|element| reader.element(element));
        } else {
            reader.element(section);
        }
    }
    Ok(reader.read)
}

fn nothing() -> Read {
    Read {
        strategy: None,
        choices: Vec::new(),
        retry: defaults::retry(),
        retries: false,
        token_limit: None,
        quota: None,
        entra: None,
        problems: Vec::new(),
    }
}

struct Reader<'a> {
    text: &'a str,
    strategy: Option<Strategy>,
    /// Variables that the picking reads.
    used: BTreeSet<String>,
    read: Read,
}

impl Reader<'_> {
    fn value(&self, attribute: &Attribute) -> String {
        raw::decode(self.text, attribute.value)
    }

    fn get(&self, element: &Element, name: &str) -> Option<String> {
        element.attribute(name).map(|attribute| self.value(attribute))
    }

    /// A value that is no expression and no named value.
    fn plain(&self, element: &Element, name: &str) -> Option<String> {
        self.get(element, name).filter(|value| !value.starts_with('@') && !value.contains("{{"))
    }

    /// What is picked from, and who picks.
    fn choices(&mut self, root: &Element) {
        let all = root.descendants();
        let variables = all.iter().filter(|element| element.name == "set-variable");
        let lists = variables.filter_map(|element| element.attribute("value"));
        let listed: Vec<Choice> = lists.flat_map(|value| self.listed(value)).collect();
        if !listed.is_empty() {
            (self.strategy, self.read.choices) = (Some(Strategy::Smart), listed);
            return;
        }
        let sets: Vec<&Element> = all.iter().copied().filter(|element| element.name == "set-backend-service").collect();
        for set in &sets {
            let name = self.plain(set, "backend-id").map(Called::Name);
            let Some(called) = name.or_else(|| self.plain(set, "base-url").map(Called::Url)) else { continue };
            let choice = Choice { called, priority: defaults::PRIORITY, weight: defaults::WEIGHT, span: set.span };
            if !self.read.choices.iter().any(|known| known.called == choice.called) {
                self.read.choices.push(choice);
            }
        }
        let counts = |element: &&Element| element.name == "cache-lookup-value";
        let counted: Vec<String> =
            all.iter().copied().filter(counts).filter_map(|element| self.get(element, "variable-name")).collect();
        let rotates = all.iter().filter(|element| element.name == "choose").any(|choose| {
            let inner = choose.descendants();
            let conditions = inner.iter().filter_map(|element| self.get(element, "condition"));
            inner.iter().any(|element| element.name == "set-backend-service")
                && conditions.into_iter().any(|text| counted.iter().any(|name| text.contains(name.as_str())))
        });
        self.strategy = match self.read.choices.len() {
            0 => None,
            1 if sets.len() == 1 || !rotates => Some(Strategy::Pool),
            _ if rotates => Some(Strategy::RoundRobin),
            _ => None,
        };
    }

    /// The backends of a list, as `new JObject() { { "url", "https://..." }, { "priority", 1 }, ... }`.
    fn listed(&self, value: &Attribute) -> Vec<Choice> {
        if !self.text.get(value.value.start..).is_some_and(|rest| rest.starts_with('@')) {
            return Vec::new();
        }
        let read = csharp::expression(self.text, value.value.start, value.value.end, Entities::Read);
        let Ok(expression) = read else { return Vec::new() };
        let tokens = &expression.tokens;
        let begins = |at: &usize| tokens[*at].is("new") && tokens.get(at + 1).is_some_and(|next| next.is("JObject"));
        let starts: Vec<usize> = (0..tokens.len()).filter(begins).collect();
        let mut choices = Vec::new();
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(tokens.len());
            let (mut called, mut priority, mut weight) = (None, None, None);
            for pair in tokens[*start..end].windows(5) {
                let [open, key, comma, value, close] = pair else { continue };
                if !(open.is("{") && key.kind == Kind::Text && comma.is(",") && close.is("}")) {
                    continue;
                }
                match (key.text.to_ascii_lowercase().as_str(), value.kind) {
                    ("url" | "endpoint", Kind::Text) => called = Some(Called::Url(value.text.clone())),
                    ("backend-id" | "backendid" | "name", Kind::Text) => {
                        called = Some(Called::Name(value.text.clone()));
                    }
                    ("priority", Kind::Number) => priority = value.text.parse::<u8>().ok(),
                    ("weight", Kind::Number) => weight = value.text.parse::<u8>().ok(),
                    _ => {}
                }
            }
            let (Some(called), Some(priority)) = (called, priority) else { continue };
            let span = Span { start: tokens[*start].span.start, end: tokens[start + 1].span.end };
            let weight = weight.unwrap_or(defaults::WEIGHT).min(defaults::MAX_WEIGHT);
            choices.push(Choice { called, priority: priority.min(defaults::MAX_WEIGHT), weight, span });
        }
        choices
    }

    /// The variables that conditions and expressions around the picking name: they are part of it.
    fn names_used(&self, root: &Element) -> BTreeSet<String> {
        if !matches!(self.strategy, Some(Strategy::Smart | Strategy::RoundRobin)) {
            return BTreeSet::new();
        }
        let all = root.descendants();
        let backend = root.children.iter().find(|section| section.name == "backend");
        let inside = backend.map(|section| section.descendants()).unwrap_or_default();
        let texts: Vec<String> =
            inside.iter().flat_map(|element| element.attributes.iter().map(|value| self.value(value))).collect();
        let cached = all.iter().filter_map(|element| self.get(element, "variable-name"));
        let set = all.iter().filter(|element| element.name == "set-variable").filter_map(|set| self.get(set, "name"));
        let named = |name: &String| texts.iter().any(|text| text.contains(&format!("\"{name}\"")) || text == name);
        cached.chain(set.filter(named)).collect()
    }

    /// Whether an element is nothing but part of the picking.
    fn picks(&self, element: &Element) -> bool {
        if self.strategy.is_none() {
            return false;
        }
        let by_policy = self.strategy != Some(Strategy::Pool);
        match element.name.as_str() {
            "set-backend-service" | "base" => true,
            "cache-lookup-value" | "cache-store-value" => by_policy,
            "set-variable" => by_policy && self.get(element, "name").is_some_and(|name| self.used.contains(&name)),
            "choose" => by_policy && !element.children.is_empty() && self.all_pick(element),
            "when" | "otherwise" => by_policy && self.all_pick(element),
            _ => false,
        }
    }

    fn all_pick(&self, element: &Element) -> bool {
        element.children.iter().all(|child| self.picks(child))
    }

    fn element(&mut self, element: &Element) {
        if self.picks(element) {
            return;
        }
        match element.name.as_str() {
            "base" | "authentication-managed-identity" => {}
            "set-header"
                if self.get(element, "name").is_some_and(|name| name.eq_ignore_ascii_case("authorization")) => {}
            "retry" => {
                self.retry(element);
                element.children.iter().for_each(|child| self.element(child));
            }
            "forward-request" => {
                let seconds = self.plain(element, "timeout").and_then(|text| text.parse::<u64>().ok());
                if let Some(seconds) = seconds.filter(|seconds| (1..=240).contains(seconds)) {
                    self.read.retry.timeout = Duration::from_secs(seconds);
                }
            }
            "azure-openai-token-limit" | "llm-token-limit" => self.token_limit(element),
            "validate-azure-ad-token" => self.entra(element),
            "choose" if self.mentions_backends(element) => {
                let message = "the policy picks a backend by a condition, which a spec cannot say";
                self.lose(element.span, message, "give each pool a route under `apis.NAME.routes`");
            }
            "set-backend-service" => {
                let message = "the backend comes from an expression";
                self.lose(element.span, message, "give the API a `pool` or `routes`");
            }
            name => {
                let message = format!("`{name}` is not carried over");
                self.lose(
                    element.span,
                    message,
                    "do without it, or keep it in a template of your own: `policy.template`",
                );
            }
        }
    }

    fn mentions_backends(&self, element: &Element) -> bool {
        element.descendants().iter().any(|inner| inner.name == "set-backend-service")
    }

    fn lose(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.tell(code::NOT_CARRIED_OVER, span, message, help);
    }

    fn tell(&mut self, code: Code, span: Span, message: impl Into<String>, help: &str) {
        self.read.problems.push(Diagnostic::new(code, message).span(span).help(help));
    }

    fn retry(&mut self, element: &Element) {
        self.read.retries = true;
        let number = |name: &str| self.plain(element, name).and_then(|text| text.trim().parse::<u64>().ok());
        let (count, interval) = (number("count"), number("interval"));
        if let Some(count) = count.and_then(|count| u32::try_from(count).ok()).filter(|count| *count <= 50) {
            self.read.retry.count = count;
        } else {
            self.lose(element.span, "how often a call is repeated is no plain number", "set `retry.count`");
        }
        if let Some(seconds) = interval.filter(|seconds| *seconds <= 3600) {
            self.read.retry.interval = Duration::from_secs(seconds);
        }
        self.read.retry.first_fast = match self.plain(element, "first-fast-retry").as_deref() {
            Some(word) => word == "true",
            None => interval == Some(0),
        };
        if let Some(condition) = element.attribute("condition") {
            let message = "when a call is repeated is not carried over";
            self.tell(code::NOT_CARRIED_OVER, condition.span, message, "check that it fits");
            if let Some(problem) = self.read.problems.last_mut() {
                problem.notes.push(RETRIED.into());
            }
        }
        for name in ["delta", "max-interval"] {
            if let Some(attribute) = element.attribute(name) {
                self.lose(attribute.span, format!("`{name}` of the retry is not carried over"), "use `retry.interval`");
            }
        }
    }

    fn token_limit(&mut self, element: &Element) {
        let tokens = self.plain(element, "tokens-per-minute").and_then(|text| text.trim().parse::<u32>().ok());
        let by_subscription = self
            .get(element, "counter-key")
            .is_some_and(|key| key.replace('?', "").contains("context.Subscription.Id"));
        let quota = self.plain(element, "token-quota").and_then(|text| text.trim().parse::<u64>().ok());
        let period = self.plain(element, "token-quota-period");
        let per = Period::ALL.into_iter().find(|per| period.as_deref() == Some(per.as_str()));
        if let (Some(tokens), Some(per), true) = (quota, per, by_subscription) {
            self.read.quota = Some(TokenQuota { tokens, per });
        }
        match tokens.filter(|tokens| *tokens > 0) {
            Some(tokens_per_minute) if by_subscription && self.read.token_limit.is_none() => {
                let estimate = self.plain(element, "estimate-prompt-tokens");
                let estimate_prompt = estimate.is_some_and(|word| word == "true");
                let by = LimitBy::Subscription;
                self.read.token_limit = Some(TokenLimit { tokens_per_minute, estimate_prompt, by });
            }
            None if self.read.quota.is_some() => {}
            _ => {
                let message = "the token limit is not carried over";
                self.tell(code::NOT_CARRIED_OVER, element.span, message, "set `tokenLimit` of the API or of a product");
                if let Some(problem) = self.read.problems.last_mut() {
                    problem.notes.push("a spec counts tokens of a minute, by subscription".into());
                }
            }
        }
    }

    fn entra(&mut self, element: &Element) {
        let inner = element.descendants();
        let texts = |name: &str| -> Vec<String> {
            let named = inner.iter().filter(|element| element.name == name);
            let text = |element: &&Element| {
                let text: String = element.texts.iter().map(|text| raw::decode(self.text, text.span)).collect();
                text.trim().to_owned()
            };
            named.map(text).collect()
        };
        let (audiences, applications) = (texts("audience"), texts("application-id"));
        let plain = |text: &String| !text.contains("{{") && !text.starts_with('@') && !text.is_empty();
        match self.plain(element, "tenant-id") {
            Some(tenant) if audiences.iter().chain(&applications).all(plain) => {
                self.read.entra = Some(Entra { tenant, audiences, applications });
            }
            _ => self.lose(element.span, "the check of callers' tokens is not carried over", "set `callers.entra`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(inbound: &str, backend: &str) -> Read {
        let text = format!("<policies><inbound><base />{inbound}</inbound><backend>{backend}</backend></policies>");
        read(&text).unwrap_or_else(|problem| panic!("{problem}"))
    }

    fn names(read: &Read) -> Vec<&Called> {
        read.choices.iter().map(|choice| &choice.called).collect()
    }

    #[test]
    fn a_literal_backend_is_a_pool_of_the_gateway() {
        let found = policy(r#"<set-backend-service backend-id="chat" />"#, "<forward-request timeout=\"60\" />");
        assert_eq!((found.strategy, names(&found)), (Some(Strategy::Pool), vec![&Called::Name("chat".into())]));
        assert_eq!((found.retry.timeout, found.problems), (Duration::from_secs(60), vec![]));
    }

    #[test]
    fn a_counter_in_the_cache_is_a_rotation() {
        let turn = |id: &str| {
            format!(r#"<set-backend-service backend-id="{id}" /><cache-store-value key="n" value="1" duration="9" />"#)
        };
        let pick = format!(
            r#"<cache-lookup-value key="n" variable-name="n" /><choose><when condition="@((string)context.Variables["n"] == "0")">{}</when>
            <otherwise>{}</otherwise></choose>"#,
            turn("one"),
            turn("two")
        );
        let found = policy(
            &pick,
            r#"<retry condition="@(context.Response.StatusCode >= 400)" count="3" interval="5"><forward-request /></retry>"#,
        );
        assert_eq!(found.strategy, Some(Strategy::RoundRobin));
        assert_eq!(names(&found), [&Called::Name("one".into()), &Called::Name("two".into())]);
        assert_eq!(
            (found.retry.count, found.retry.interval, found.retry.first_fast),
            (3, Duration::from_secs(5), false)
        );
        let said: Vec<&str> = found.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(said, ["when a call is repeated is not carried over"]);
    }

    #[test]
    fn a_condition_of_another_kind_is_said() {
        let found = policy(
            r#"<choose><when condition="@(context.Request.Method == "GET")"><set-backend-service backend-id="one" /></when>
               <otherwise><set-backend-service backend-id="two" /></otherwise></choose><set-backend-service base-url="@(x)" />
               <cors /><llm-token-limit tokens-per-minute="5" counter-key="@(context.Request.IpAddress)" />"#,
            "",
        );
        assert_eq!((found.strategy, found.choices.len(), found.token_limit), (None, 2, None));
        let said: Vec<&str> = found.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "the policy picks a backend by a condition, which a spec cannot say",
                "the backend comes from an expression",
                "`cors` is not carried over",
                "the token limit is not carried over",
            ]
        );
    }

    #[test]
    fn limits_and_callers_are_read_where_they_are_plain() {
        let found = policy(
            r#"<azure-openai-token-limit tokens-per-minute="400" counter-key="@(context.Subscription.Id)" estimate-prompt-tokens="true" />
               <validate-azure-ad-token tenant-id="contoso.com"><client-application-ids><application-id>a</application-id>
               </client-application-ids></validate-azure-ad-token>"#,
            "",
        );
        let limit = TokenLimit { tokens_per_minute: 400, estimate_prompt: true, by: LimitBy::Subscription };
        assert_eq!((found.token_limit, found.problems), (Some(limit), vec![]));
        assert_eq!(
            found.entra.map(|entra| (entra.tenant, entra.applications)),
            Some(("contoso.com".into(), vec!["a".into()]))
        );
    }
}
