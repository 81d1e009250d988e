//! `emulator`: the local Azure over HTTP.

use super::args;
use super::context::{Context, machine};
use super::{Done, Failure, Result};
use crate::azure::Unknown;
use crate::azure::faults::Fault;
use crate::diagnostic::{Diagnostic, code};
use crate::emulator::{Emulator, Heard, scenario};
use crate::io::local::{self, Local};
use crate::io::signal::Signals;
use crate::io::{self, files};
use crate::ui::{Output, Source, Verbosity};
use crate::wire::{Secret, Transport};
use serde_json::json;
use std::path::Path;
use tokio::net::TcpListener;

/// A scenario has some kilobytes.
const SCENARIO_LIMIT: u64 = 1 << 20;

pub(super) fn run(context: &Context, args: &args::Emulator) -> Result {
    let token = match &args.token {
        Some(token) => Secret::new(token.as_str()),
        None => io::token()?,
    };
    let subscription = context.global.subscription.as_deref().unwrap_or(local::SUBSCRIPTION);
    let unknown = if args.lenient { Unknown::Accepted } else { Unknown::Refused };
    let local = context.local(subscription).with_unknown_types(unknown);
    let faults = args.scenario.as_deref().map(read).transpose()?;
    context.block_on(async {
        let signals = Signals::listen().map_err(|error| machine("signals cannot be listened to", &error))?;
        let address = (args::Emulator::ADDRESS, args.port);
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Diagnostic::new(code::NO_PORT, format!("cannot listen on {}:{}: {error}", address.0, address.1))
                .help("choose another port with `--port`; 0 lets the system choose")
        })?;
        let own = listener.local_addr().map_err(|error| machine("the port has no number", &error))?;
        let url = format!("http://{own}");
        let set = set(&local, faults).await?;
        announce(context, &url, &token, subscription)?;
        if set > 0 {
            let faults = if set == 1 { "1 fault is".to_owned() } else { format!("{set} faults are") };
            context.ui.say(&format!("{faults} set; DELETE {url}/admin/faults takes all away."));
        }
        let log = context.ui.logger(Verbosity::Verbose);
        let heard = move |heard: &Heard<'_>| {
            let status = heard.status.map_or_else(|| "lost".to_owned(), |status| status.to_string());
            log(&format!("{} {} {} {status} {}", heard.at.rfc3339(), heard.method, heard.path, heard.took));
        };
        Emulator::new(local.with_origin(url), token, heard).serve(listener, signals).await;
        Ok(())
    })?;
    context.ui.say(&format!("Stopped. The state stays in {}.", local::FOLDER));
    Ok(Done::said())
}

fn read(file: &Path) -> Result<Vec<Fault>> {
    let name = file.display().to_string();
    let text = files::read_text(file, SCENARIO_LIMIT).map_err(|error| {
        let problem = Diagnostic::new(code::UNREADABLE_FILE, format!("`{name}` cannot be read: {error}"));
        problem.help("name a scenario: a file of faults in YAML or JSON")
    })?;
    scenario::read(&text).map_err(|problems| Failure::of(&Source { name, text }, problems))
}

/// Sets the faults, where some are given, and tells how many are set now.
async fn set(local: &Local, faults: Option<Vec<Fault>>) -> Result<usize> {
    let answered = match faults {
        Some(faults) => {
            let set = |world: &mut crate::azure::World, now| {
                world.set_faults(now, faults);
                world.faults().len()
            };
            local.change(set).await
        }
        None => local.look(|world, _| world.faults().len()).await,
    };
    answered.map_err(|problem| match problem {
        Transport::Refused(problem) => Failure::from(*problem),
        other => Failure::from(Diagnostic::new(code::INTERNAL, other.to_string())),
    })
}

/// Where it is and how to get in; the token is what the user came for, so this is data.
fn announce(context: &Context, url: &str, token: &Secret, subscription: &str) -> Result<()> {
    let token = token.expose();
    if context.ui.output == Output::Json {
        let page = format!("{url}/#token={token}");
        context.ui.document(json!({ "url": url, "token": token, "page": page, "subscription": subscription }))?;
    }
    context.text(&format!("url    {url}\ntoken  {token}\npage   {url}/#token={token}\n"))?;
    context.ui.say(&format!(
        "The local Azure of this folder ({}), {} times as fast as Azure. Ctrl-C stops it. Try:\n  \
         curl -H 'Authorization: Bearer {token}' '{url}/subscriptions/{subscription}/resourcegroups?api-version=2021-04-01'",
        local::FOLDER,
        context.global.time_scale,
    ));
    Ok(())
}
