//! Faults on demand: what a request meets instead of an answer, or what becomes of the operation that it starts.
//!
//! A [`Fault`] says which requests it waits for, when, how often, and one thing that it does. It is kept with the state, so
//! `--cloud local` and the emulator meet the same ones. What happens is a function of the state and the time: counts
//! are part of the state, windows are measured from the moment at which the fault was set. Every length is at scale 1
//! and is divided as the operations' are.
//!
//! The first fault of the list that acts on a request is the one that does; a fault counts the requests that reach it.
//! Steps of a template deployment are writes too, but only for `slow` and `fail`: an answer has nobody to be sent to.
//!
//! The shapes of answers are recorded ones (azure-cli, azure-service-operator and azure-sdk-for-net, 2015 to 2024):
//! throttling by Azure Resource Manager and by a provider, server errors as JSON, text, a page or nothing, an expired
//! token, operations that fail behind a status of 200.
//!
//! Deliberately absent: chance. What should happen now and then is said with `after` and `times`.

mod answer;
mod operation;

pub use answer::{challenge, known_codes};
pub(super) use operation::{Failed, deployment, poll, settle, started, step, step_end};

use super::World;
use super::ids::Url;
use crate::time::{Duration, Time};
use crate::wire::{Method, Request, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One fault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// What it is called in errors and on the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 80))]
    pub name: Option<String>,
    /// The requests that it waits for; left out, every request.
    #[serde(default, rename = "match", skip_serializing_if = "Requests::is_all")]
    pub requests: Requests,
    /// How many of them pass first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub after: u64,
    /// How often it happens; left out, every time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub times: Option<u64>,
    /// How long after it was set it begins.
    #[serde(default, with = "length", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("pattern" = Duration::PATTERN))]
    pub from: Option<Duration>,
    /// How long after it was set it ends; left out, never.
    #[serde(default, with = "length", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("pattern" = Duration::PATTERN))]
    pub until: Option<Duration>,
    /// The request is answered with an error and not carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// A read does not see what was made less than so long ago.
    #[serde(default, with = "length", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("pattern" = Duration::PATTERN))]
    pub lag: Option<Duration>,
    /// The operation that a write starts takes so much longer.
    #[serde(default, with = "length", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("pattern" = Duration::PATTERN))]
    pub slow: Option<Duration>,
    /// The operation that a write starts fails at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail: Option<Failure>,
    /// The connection breaks, `before` the request is carried out or `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("enum" = ["before", "after"]))]
    pub drop: Option<Moment>,
}

/// Which requests a fault waits for: those that fit everything that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requests {
    /// The method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("enum" = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"]))]
    pub method: Option<Method>,
    /// The path without its query, `*` for any run of characters; upper and lower case are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2000))]
    pub path: Option<String>,
    /// The api-version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    pub api_version: Option<String>,
}

impl Requests {
    fn is_all(&self) -> bool {
        *self == Requests::default()
    }
}

/// An error that is answered. What is left out is as Azure has it for the code, or for the status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    /// The status, 400 to 599.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 400, max = 599))]
    pub status: Option<u16>,
    /// The error's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub code: Option<String>,
    /// The error's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4000))]
    pub message: Option<String>,
    /// The `Retry-After` header; left out, the answer has none.
    #[serde(default, with = "length", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("pattern" = Duration::PATTERN))]
    pub retry_after: Option<Duration>,
    /// The shape of the body: `json`, `bare` (no `error` around it), `pascal` (App Service's), `text`, `html`, `empty`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("enum" = ["json", "bare", "pascal", "text", "html", "empty"]))]
    pub body: Option<Shape>,
}

/// The shape of an error's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Shape {
    /// `{"error":{"code","message"}}`
    Json,
    /// `{"code","message"}`
    Bare,
    /// `{"Code","Message","Details"}`, as App Service writes it.
    Pascal,
    /// The message alone.
    Text,
    /// A page for a browser.
    Html,
    /// Nothing.
    Empty,
}

/// Why an operation fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Failure {
    /// The error's code, which Azure sometimes leaves empty.
    #[schemars(length(max = 100))]
    pub code: String,
    /// The error's message, which Azure sometimes leaves empty.
    #[serde(default)]
    #[schemars(length(max = 4000))]
    pub message: String,
    /// What the error is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    pub target: Option<String>,
    /// The status with which an operation that is followed by `Location` alone ends, and a step that fails at once; 500
    /// where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 400, max = 599))]
    pub status: Option<u16>,
}

/// When a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Moment {
    /// Nothing was carried out.
    Before,
    /// The request was carried out, and its answer is lost.
    After,
}

/// What is wrong with a fault that has the right form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The key in it, `answer.message`; empty for the fault itself.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Fault {
    /// What is wrong with it, beyond what its schema says.
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let mut flaw = |key: &'static str, message: &str, help: String| {
            flaws.push(Flaw { key, message: message.into(), help });
        };
        let does =
            [self.answer.is_some(), self.lag.is_some(), self.slow.is_some(), self.fail.is_some(), self.drop.is_some()];
        match does.iter().filter(|done| **done).count() {
            0 => flaw("", "the fault does nothing", "say one of `answer`, `lag`, `slow`, `fail` and `drop`".into()),
            1 => {}
            _ => flaw("", "the fault does several things", "write a fault for each: the first that acts wins".into()),
        }
        if let Some(until) = self.until
            && until <= self.from.unwrap_or(Duration::ZERO)
        {
            flaw("until", "the fault ends before it begins", "use a length above `from`".into());
        }
        if let Some(path) = &self.requests.path {
            if !path.starts_with(['/', '*']) {
                flaw("match.path", "the path begins with neither `/` nor `*`", format!("write `*/{path}`"));
            }
            if path.contains('?') {
                let help = "leave it out: a path has no query, and `apiVersion` is a key of its own";
                flaw("match.path", "the path holds a `?`", help.into());
            }
        }
        if let Some(answer) = &self.answer {
            let known = answer::known(answer);
            if answer.status.is_none() && known.is_none() {
                let help = format!("add `status:`, or use one of {}", known_codes().collect::<Vec<_>>().join(", "));
                flaw("answer", "the answer has no status, and its code is not known here", help);
            }
            let wordless = matches!(answer.body, Some(Shape::Empty));
            if known.is_none() && !wordless && (answer.code.is_none() || answer.message.is_none()) {
                let help = "add `code:` and `message:`: only those that were recorded have words of their own";
                flaw("answer", "nobody recorded the words of this answer", help.into());
            }
        }
        flaws
    }

    /// Its name, else what it does.
    pub fn title(&self) -> &str {
        let does = [
            (self.answer.is_some(), "answer"),
            (self.lag.is_some(), "lag"),
            (self.slow.is_some(), "slow"),
            (self.fail.is_some(), "fail"),
            (self.drop.is_some(), "drop"),
        ];
        let does = does.iter().find(|(done, _)| *done).map_or("fault", |(_, word)| word);
        self.name.as_deref().unwrap_or(does)
    }
}

/// A fault that was set, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Armed {
    /// The fault.
    pub fault: Fault,
    /// When it was set.
    pub since: Time,
    /// How many requests that match came while it could happen.
    pub seen: u64,
    /// How often it happened.
    pub done: u64,
}

impl Armed {
    /// A fault that is set now.
    pub(super) fn new(fault: Fault, since: Time) -> Armed {
        Armed { fault, since, seen: 0, done: 0 }
    }
}

/// What a fault looks at.
pub(super) struct Subject<'a> {
    pub method: Method,
    /// In lower case, from its first slash.
    pub path: &'a str,
    pub version: Option<&'a str>,
}

impl Requests {
    fn fit(&self, subject: &Subject<'_>) -> bool {
        self.method.is_none_or(|method| method == subject.method)
            && self.path.as_ref().is_none_or(|pattern| fits(&pattern.to_lowercase(), subject.path))
            && self
                .api_version
                .as_ref()
                .is_none_or(|wanted| subject.version.is_some_and(|version| version.eq_ignore_ascii_case(wanted)))
    }
}

/// Whether `text` has the form of `pattern`, where `*` stands for any run of characters.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

/// What a request meets.
pub(super) enum Met {
    /// Nothing: it is handled as ever.
    Nothing,
    Answer(Response),
    /// It is handled as if nothing younger were there.
    Lag(Duration),
    /// The name of the fault tells people whose doing it is.
    Drop(Moment, String),
}

/// Looks for the fault that acts on a request, and counts.
pub(super) fn meet(world: &mut World, now: Time, request: &Request) -> Met {
    if world.state.faults.is_empty() {
        return Met::Nothing;
    }
    let url = Url::parse(&request.url);
    let path = format!("/{}", url.path.join("/")).to_lowercase();
    let subject = Subject { method: request.method, path: &path, version: url.query("api-version") };
    let at_once = |fault: &Fault| {
        fault.answer.is_some() || fault.drop.is_some() || (fault.lag.is_some() && !request.method.writes())
    };
    let Some(fault) = act(world, now, &subject, at_once) else { return Met::Nothing };
    match (&fault.answer, fault.drop, fault.lag) {
        (Some(answer), _, _) => Met::Answer(answer::response(world, now, request.method, &url, answer)),
        (None, Some(moment), _) => Met::Drop(moment, fault.title().into()),
        (None, None, lag) => Met::Lag(world.scaled(lag.unwrap_or(Duration::ZERO))),
    }
}

/// The first fault of a kind that acts on a subject. Those before it, and it, have counted.
fn act(world: &mut World, now: Time, subject: &Subject<'_>, kind: impl Fn(&Fault) -> bool) -> Option<Fault> {
    let scale = world.state.scale;
    let mut counted = false;
    let mut acts = None;
    for armed in &mut world.state.faults {
        let fault = &armed.fault;
        let age = now.since(armed.since);
        let scaled = |length: Option<Duration>| length.map(|length| length.scaled_down(scale));
        let open =
            scaled(fault.from).is_none_or(|from| age >= from) && scaled(fault.until).is_none_or(|until| age < until);
        if !open || !kind(fault) || !fault.requests.fit(subject) {
            continue;
        }
        counted = true;
        armed.seen += 1;
        if armed.seen > fault.after && fault.times.is_none_or(|times| armed.done < times) {
            armed.done += 1;
            acts = Some(fault.clone());
            break;
        }
    }
    if counted {
        world.state.revision += 1;
    }
    acts
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Lengths as people write them; what is written again is ISO 8601.
mod length {
    use crate::time::Duration;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(length: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        match length {
            Some(length) => to.serialize_str(&length.iso()),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let wrong = || D::Error::custom(format!("`{text}` is no length of time"));
        Duration::parse(&text).map(Some).ok_or_else(wrong)
    }
}
