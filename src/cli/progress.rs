//! What a driver tells, as steps on the screen, lines in a pipe and lines of `--events`; and a driver that a signal can
//! end.
//!
//! A driver that is dropped leaves nothing behind that the next run does not find (`run` says so), so Ctrl-C needs no
//! cleaning up: it is answered at once.

use super::Result;
use super::context::{Context, machine};
use crate::diagnostic::Diagnostic;
use crate::io;
use crate::io::signal::Signals;
use crate::plan::Range;
use crate::run::{self, Event, Origin};
use crate::topology::Address;
use crate::ui::{Progress, Step, TICK};
use serde_json::Value;
use std::cell::RefCell;
use std::pin::pin;
use tokio::time::MissedTickBehavior;

/// A driver while it is watched.
pub(super) struct Watch<'a> {
    context: &'a Context<'a>,
    progress: RefCell<Progress<'a>>,
    /// The template deployment that runs.
    deployment: RefCell<Option<String>>,
}

/// How a driver ended.
pub(super) enum Ended<T> {
    /// By itself.
    Finished(std::result::Result<T, Vec<Diagnostic>>),
    /// A signal came, after this long. The name is that of the template deployment that goes on, where one had begun.
    Detached(Option<String>),
}

impl<'a> Watch<'a> {
    /// Nothing has begun.
    pub(super) fn new(context: &'a Context<'a>, steps: Vec<Step>) -> Watch<'a> {
        let progress = RefCell::new(Progress::new(&context.ui, steps, io::now()));
        Watch { context, progress, deployment: RefCell::default() }
    }

    /// Waits for the driver, whose events go to [`Watch::hear`], or for a signal.
    pub(super) async fn until<T>(
        &self,
        driver: impl Future<Output = std::result::Result<T, Vec<Diagnostic>>>,
    ) -> Result<Ended<T>> {
        let mut signals = Signals::listen().map_err(|error| machine("signals cannot be listened to", &error))?;
        let mut driver = pin!(driver);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let ended = loop {
            tokio::select! {
                biased;
                _ = signals.next() => break Ended::Detached(self.deployment.borrow().clone()),
                result = &mut driver => break Ended::Finished(result),
                _ = ticks.tick() => self.progress.borrow_mut().tick(io::now()),
            }
        };
        match ended {
            Ended::Detached(_) => self.progress.borrow_mut().leave(),
            Ended::Finished(_) => self.progress.borrow_mut().end(io::now()),
        }
        Ok(ended)
    }

    /// One event: into the picture, and into the file.
    pub(super) fn hear(&self, event: Event) {
        self.show(&event);
        if let Ok(Value::Object(mut fields)) = serde_json::to_value(&event)
            && let Some(Value::String(kind)) = fields.shift_remove("type")
        {
            self.context.event(&kind, Value::Object(fields));
        }
    }

    fn show(&self, event: &Event) {
        if is_small(event) {
            return;
        }
        let (mut progress, now) = (self.progress.borrow_mut(), io::now());
        match event {
            Event::ResourceStarted { resource, step, .. } => {
                let (group, name) = place(resource);
                progress.running(&group, &name, doing(*step), now);
            }
            Event::ResourceDone { resource, step, .. } => {
                let (group, name) = place(resource);
                progress.done(&group, &name, done(*step), now);
            }
            Event::ResourceFailed { resource, code, message, .. } => {
                let (group, name) = place(resource);
                let why = if message.is_empty() { code } else { message };
                progress.failed(&group, &name, why, now);
            }
            Event::Waiting { resource, state } => {
                progress.note(&format!("{resource} is {}: waiting for it", state.to_lowercase()), now);
            }
            Event::DeploymentStarted { name, origin, .. } => {
                *self.deployment.borrow_mut() = Some(name.clone());
                if *origin == Origin::Found {
                    progress.note(&format!("Attached to {name}, which an earlier run began."), now);
                }
            }
            Event::DeploymentDone { .. } => *self.deployment.borrow_mut() = None,
            Event::DeploymentRunning { .. } | Event::Reading { .. } | Event::Verified => progress.tick(now),
        }
    }
}

/// Operations come and go with their API, whose line tells of them.
fn is_small(event: &Event) -> bool {
    let (Event::ResourceStarted { resource, .. } | Event::ResourceDone { resource, .. }) = event else { return false };
    matches!(resource, Address::Operation { .. })
}

/// The steps of a picture, each with how long it usually takes here: the local Azure is `scale` times as fast.
pub(super) fn steps<'a>(resources: impl Iterator<Item = (&'a Address, Range)>, scale: u32) -> Vec<Step> {
    let step = |(resource, usual): (&Address, Range)| {
        let (group, name) = place(resource);
        Step { group, name, usual: Some((usual.from.scaled_down(scale), usual.to.scaled_down(scale))) }
    };
    resources.filter(|(resource, _)| !matches!(resource, Address::Operation { .. })).map(step).collect()
}

/// Which group a resource is shown in, and as what: by account, the service, and what routes calls.
fn place(resource: &Address) -> (String, String) {
    match resource {
        Address::ResourceGroup => ("service".into(), "resource group".into()),
        Address::Gateway => ("service".into(), "gateway".into()),
        Address::Account(key) => (key.clone(), "account".into()),
        Address::Deployment { account, deployment } => (account.clone(), format!("deployment {deployment}")),
        Address::Grant(account) => (account.clone(), "role".into()),
        Address::PrivateEndpoint(account) => (account.clone(), "private endpoint".into()),
        Address::DnsZoneGroup(account) => (account.clone(), "dns zone group".into()),
        Address::Identity => ("service".into(), "identity".into()),
        other => ("routing".into(), other.to_string()),
    }
}

const fn doing(step: run::Step) -> &'static str {
    match step {
        run::Step::Write => "writing",
        run::Step::Delete => "deleting",
        run::Step::Recover => "recovering",
        run::Step::Purge => "purging",
    }
}

const fn done(step: run::Step) -> &'static str {
    match step {
        run::Step::Write => "done",
        run::Step::Delete => "deleted",
        run::Step::Recover => "recovered",
        run::Step::Purge => "purged",
    }
}
