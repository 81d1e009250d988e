//! `emulator`: the local Azure over HTTP.

use super::args;
use super::context::{Context, machine};
use super::{Done, Result};
use crate::diagnostic::{Diagnostic, code};
use crate::emulator::{Emulator, Heard};
use crate::io::signal::Signals;
use crate::io::{self, local};
use crate::ui::{Output, Verbosity};
use crate::wire::Secret;
use serde_json::json;
use tokio::net::TcpListener;

pub(super) fn run(context: &Context, args: &args::Emulator) -> Result {
    let token = match &args.token {
        Some(token) => Secret::new(token.as_str()),
        None => io::token()?,
    };
    let subscription = context.global.subscription.as_deref().unwrap_or(local::SUBSCRIPTION);
    let local = context.local(subscription);
    context.block_on(async {
        let signals = Signals::listen().map_err(|error| machine("signals cannot be listened to", &error))?;
        let address = (args::Emulator::ADDRESS, args.port);
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Diagnostic::new(code::NO_PORT, format!("cannot listen on {}:{}: {error}", address.0, address.1))
                .help("choose another port with `--port`; 0 lets the system choose")
        })?;
        let own = listener.local_addr().map_err(|error| machine("the port has no number", &error))?;
        let url = format!("http://{own}");
        announce(context, &url, &token, subscription)?;
        let log = context.ui.logger(Verbosity::Verbose);
        let heard = move |heard: &Heard<'_>| {
            log(&format!("{} {} {} {}", heard.at.rfc3339(), heard.method, heard.path, heard.status));
        };
        Emulator::new(local.with_origin(url), token, heard).serve(listener, signals).await;
        Ok(())
    })?;
    context.ui.say(&format!("Stopped. The state stays in {}.", local::FOLDER));
    Ok(Done::said())
}

/// Where it is and how to get in; the token is what the user came for, so this is data.
fn announce(context: &Context, url: &str, token: &Secret, subscription: &str) -> Result<()> {
    let token = token.expose();
    if context.ui.output == Output::Json {
        context.ui.document(json!({ "url": url, "token": token, "subscription": subscription }))?;
    }
    context.text(&format!("url    {url}\ntoken  {token}\n"))?;
    context.ui.say(&format!(
        "The local Azure of this folder ({}), {} times as fast as Azure. Ctrl-C stops it. Try:\n  \
         curl -H 'Authorization: Bearer {token}' '{url}/subscriptions/{subscription}/resourcegroups?api-version=2021-04-01'",
        local::FOLDER,
        context.global.time_scale,
    ));
    Ok(())
}
