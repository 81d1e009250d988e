//! A spec to begin with.

use super::expand::word;
use super::formats;
use crate::catalogue::{self, Kind, Lifecycle};
use crate::diagnostic::{Diagnostic, code};

/// What a new spec says of whoever begins it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starter {
    /// The stack.
    pub name: String,
    /// The address that Azure writes to.
    pub email: String,
    /// A model, the current one of the catalogue where it is empty.
    pub model: String,
    /// Regions; the first is the gateway's.
    pub regions: Vec<String>,
}

/// Thousands of tokens a minute in each region: enough to try, within the least quota that subscriptions have.
const CAPACITY: u32 = 10;

/// The text of a new spec. Loading it gives no error.
pub fn starter(starter: &Starter) -> Result<String, Vec<Diagnostic>> {
    let model = if starter.model.is_empty() { current() } else { catalogue::model(&starter.model, None) };
    let mut problems = Vec::new();
    let mut form = |key: &str, pattern: &str, text: &str| {
        if let Some(format) = formats::violated(pattern, text) {
            let message = format!("`--{key}` cannot be {}", super::check::shown(text));
            problems.push(Diagnostic::new((format.code)(), message).help(format.help));
        }
    };
    form("name", formats::STACK, &starter.name);
    form("email", formats::EMAIL, &starter.email);
    starter.regions.iter().for_each(|region| form("region", formats::LOCATION, region));
    let Some(model) = model else {
        let message = format!("{} is no model that this program knows", super::check::shown(&starter.model));
        let current =
            catalogue::MODELS.iter().filter(|model| model.lifecycle == Lifecycle::Current && model.kind == Kind::Chat);
        let problem = Diagnostic::new(code::UNKNOWN_WORD, message);
        problems.push(problem.help(format!("use {}", super::suggest::list(current.map(|model| model.name)))));
        return Err(problems);
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let location = starter.regions.first().map_or("eastus2", String::as_str);
    let regions: Vec<String> = starter.regions.iter().map(|region| format!("{}: {CAPACITY}", word(region))).collect();
    let mut text = include_str!("../../templates/spec.yaml").to_owned();
    for (hole, value) in [
        ("name", word(&starter.name)),
        ("group", word(&format!("rg-{}", starter.name))),
        ("location", word(location)),
        ("email", word(&starter.email)),
        ("model", word(model.name)),
        ("version", format!("\"{}\"", model.version)),
        ("regions", regions.join(", ")),
    ] {
        text = text.replace(&format!("<< {hole} >>"), &value);
    }
    Ok(text)
}

/// The youngest model that answers chats, is not about to end, and is offered in more than one region.
fn current() -> Option<&'static catalogue::Model> {
    let offered = |model: &&catalogue::Model| {
        let regions = catalogue::offered(model, "GlobalStandard").unwrap_or_default();
        ["eastus2", "swedencentral"].iter().all(|region| regions.contains(region))
    };
    catalogue::MODELS
        .iter()
        .filter(|model| {
            model.lifecycle == Lifecycle::Current && model.kind == Kind::Chat && !model.name.contains("codex")
        })
        .find(offered)
}

#[cfg(test)]
mod tests {
    use super::super::{Options, load};
    use super::*;

    fn plain() -> Starter {
        Starter {
            name: "contoso-ai".into(),
            email: "ai@contoso.com".into(),
            model: String::new(),
            regions: vec!["eastus2".into(), "swedencentral".into()],
        }
    }

    #[test]
    fn what_one_begins_with_deserves_no_warning() {
        let text = starter(&plain()).expect("a spec");
        assert!(text.starts_with("# yaml-language-server: $schema=./aoai-lb.schema.json\n"));
        assert!(!text.contains("<<"), "{text}");
        let loaded = load(&text, &Options::default()).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
        assert_eq!(loaded.warnings, []);
        assert_eq!(loaded.topology.accounts.keys().collect::<Vec<_>>(), ["eastus2", "swedencentral"]);
        let named = Starter { model: "text-embedding-3-large".into(), ..plain() };
        assert!(load(&starter(&named).expect("a spec"), &Options::default()).is_ok());
    }

    #[test]
    fn what_cannot_be_is_said_at_once() {
        let wrong = Starter {
            name: "Contoso AI".into(),
            email: "nobody".into(),
            model: "gpt-99".into(),
            regions: vec!["east us 2!".into()],
        };
        let codes: Vec<&str> = starter(&wrong).expect_err("problems").iter().map(|p| p.code.as_str()).collect();
        assert_eq!(codes, ["AL0202", "AL0116", "AL0116", "AL0114"]);
    }
}
