//! `explain`: the long text of a code.

use super::args;
use super::context::Context;
use super::{Done, Failure, Result};
use crate::diagnostic::{Code, Diagnostic, all, code};
use crate::ui::{reflow, table};
use serde_json::{Value, json};

pub(super) fn run(context: &Context, args: &args::Explain) -> Result {
    let Some(wanted) = &args.code else { return list(context) };
    // what is copied from a message may hold its brackets, what is typed be in lower case or the number alone
    let name = wanted.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_uppercase();
    let digits = name.strip_prefix("AL").unwrap_or(&name);
    let Some(found) = Code::parse(&format!("AL{digits:0>4}")) else { return Err(Failure::from(unknown(wanted))) };
    match context.ui.width_out {
        Some(width) => context.text(&reflow(found.explain(), width))?,
        None => context.text(found.explain())?,
    }
    Ok(Done::new(json!({ "code": found.as_str(), "severity": found.severity().word(), "text": found.explain() })))
}

fn list(context: &Context) -> Result {
    let rows: Vec<Vec<String>> =
        all().map(|code| vec![code.to_string(), code.severity().word().to_owned(), code.title().to_owned()]).collect();
    context.text(&format!("{}\n", table(&["code", "severity", "about"], &rows)))?;
    let codes: Value = all()
        .map(|code| json!({ "code": code.as_str(), "severity": code.severity().word(), "title": code.title() }))
        .collect();
    Ok(Done::new(json!({ "codes": codes })))
}

fn unknown(wanted: &str) -> Diagnostic {
    let near = all().map(|code| (strsim::levenshtein(&wanted.to_ascii_uppercase(), code.as_str()), code)).min();
    let problem = Diagnostic::new(code::UNKNOWN_CODE, format!("there is no code `{wanted}`"));
    match near {
        Some((distance, code)) if distance <= 2 => problem.help(format!("did you mean `aoai-lb explain {code}`?")),
        _ => problem.help("`aoai-lb explain` lists all codes"),
    }
}
