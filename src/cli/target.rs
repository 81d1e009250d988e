//! What `plan`, `deploy` and `destroy` share: a spec, whose names are decided once the subscription is known, the cloud
//! that it is about, and what is to be seen there.

use super::args;
use super::context::{Context, Spec};
use super::{Failure, Result};
use crate::arm::{Existing, id};
use crate::diagnostic::{Diagnostic, code};
use crate::emulator::LocalCloud;
use crate::io::local;
use crate::io::trace::Traced;
use crate::plan::{self, MissingRole, Plan, show, wire};
use crate::topology::{Address, Live, Standing, Topology};
use crate::ui::{self, Role, Verbosity, clean, paint};
use crate::wire::Cloud;
use crate::{run, spec};
use serde_json::Value;

/// A spec in front of a cloud.
pub(super) struct Target {
    pub(super) spec: Spec,
    /// Every name is literal.
    pub(super) desired: Topology,
    /// Whether the command line names the spec; otherwise the same command finds it again.
    named: bool,
    local: LocalCloud,
}

/// What is there, and what would change.
pub(super) struct View {
    pub(super) live: Live,
    pub(super) plan: Plan,
}

impl Target {
    pub(super) fn load(context: &Context, args: &args::Spec) -> Result<Target> {
        only_local(context.global.cloud.as_deref())?;
        let spec = context.load(args)?;
        let mut topology = spec.loaded.topology.clone();
        let subscription = match topology.scope.subscription.take() {
            Some(subscription) => subscription,
            None => from_environment()?.unwrap_or_else(|| local::SUBSCRIPTION.to_owned()),
        };
        topology.scope.subscription = Some(subscription.clone());
        let unique = spec::stack_unique(&topology).unwrap_or_default();
        let local = context.local(&subscription);
        context.ui.detail(&format!("subscription {subscription}, resource group {}", topology.scope.resource_group));
        Ok(Target {
            spec,
            desired: topology.resolve(&unique),
            named: args.spec.is_some(),
            local: LocalCloud::new(local),
        })
    }

    /// The cloud, which with `-vv` tells every request.
    pub(super) fn cloud(&self, context: &Context) -> Traced<'_> {
        Traced::new(&self.local as &dyn Cloud, context.ui.logger(Verbosity::Trace))
    }

    /// Reads live state.
    pub(super) async fn live(&self, context: &Context<'_>) -> Result<Live> {
        let cloud = self.cloud(context);
        let began = cloud.now();
        let live = run::read_live(&cloud, &self.desired).await.map_err(|problems| self.failure(problems))?;
        context.ui.detail(&format!("read {} live resources in {}", live.ids.len(), cloud.now().since(began)));
        Ok(live)
    }

    /// Makes in the local Azure what the spec calls existing and is not there yet, and says so.
    async fn furnish(&self, context: &Context<'_>) -> Result<()> {
        let cloud = self.cloud(context);
        let mut made = |existing: &Existing| {
            let group = id::after(&existing.id, "resourceGroups").unwrap_or_default();
            let place = if existing.what == "resource group" { String::new() } else { format!(" in {group}") };
            let what = format!("{} {}{place}", existing.what, id::name(&existing.id));
            context.ui.say(&format!("Made in the local Azure, because the spec calls it existing: {}.", clean(&what)));
        };
        run::furnish(&cloud, &self.desired, &mut made).await.map_err(|problems| self.failure(problems))
    }

    /// Reads live state and plans.
    pub(super) async fn look(&self, context: &Context<'_>, recover: &[String], purge: &[String]) -> Result<View> {
        self.furnish(context).await?;
        let live = self.live(context).await?;
        let names = |names: &[String]| names.iter().flat_map(|name| named(name, &live)).collect();
        let scope = run::scope(&self.desired, names(recover), names(purge));
        let mut plan = plan::plan(&self.desired, &live, &scope);
        self.look_for_roles(context, &mut plan);
        Ok(View { live, plan })
    }

    /// Roles that the spec leaves to somebody else: those that have to be there and are not are problems, others are told.
    fn look_for_roles(&self, context: &Context<'_>, plan: &mut Plan) {
        if self.spec.loaded.management.roles != spec::Roles::Check {
            return self.tell_roles(context, plan);
        }
        let missing = plan.missing_roles.iter().filter_map(|missing| {
            let (principal, scope) = (missing.principal.as_ref()?, self.scope_of(missing)?);
            let role = missing.role.title();
            let message = format!("the principal {principal} has not the role {role} on {scope}");
            let problem = Diagnostic::new(code::ROLE_MISSING, message).at("roles");
            Some(problem.help(format!("assign it: `{}`", assignment(missing, principal, &scope))))
        });
        plan.refusals.extend(missing.collect::<Vec<_>>());
        if plan.missing_roles.iter().any(|missing| missing.principal.is_none()) {
            context
                .ui
                .say("The gateway's identity is still to be made: whether it has its roles is looked at afterwards.");
        }
    }

    /// The commands that give the roles which somebody else is to give.
    pub(super) fn tell_roles(&self, context: &Context<'_>, plan: &Plan) {
        let known = plan.missing_roles.iter().filter_map(|missing| {
            Some(format!("  {}", assignment(missing, missing.principal.as_ref()?, &self.scope_of(missing)?)))
        });
        let known: Vec<String> = known.collect();
        if !known.is_empty() {
            context.ui.say("Roles that the gateway's identity needs and has not; the spec leaves them to you:");
            known.iter().for_each(|line| context.ui.say(line));
        }
    }

    /// The id of an account that is there.
    fn scope_of(&self, missing: &MissingRole) -> Option<String> {
        let there = self.desired.accounts.get(&missing.account)?.standing == Standing::Existing;
        let address = Address::Account(missing.account.clone());
        missing.scope.clone().or_else(|| id::of(&self.desired, &address).filter(|_| there))
    }

    /// The plan as a person reads it, on a terminal of that width.
    pub(super) fn shown(&self, context: &Context, plan: &Plan, width: Option<usize>) -> String {
        let scope = &self.desired.scope;
        let heading = format!("Plan for {} in {} ({})", self.desired.stack.name, scope.resource_group, scope.location);
        let everything = context.ui.verbosity >= Verbosity::Verbose;
        let detail = if everything { show::Detail::Everything } else { show::Detail::Changes };
        let lines = ui::plan(&show::lines(plan, detail), width);
        let gap = if lines.is_empty() { "" } else { "\n" };
        let summary = match plan.is_empty() {
            true => format!("Nothing would change: {} resources are as the spec wants them.", plan.unchanged.len()),
            false => format!("{}.", show::summary(plan)),
        };
        format!("{}\n{gap}{lines}{gap}{summary}\n", paint(Role::Strong, &clean(&heading)))
    }

    /// Problems that may point into the spec: a key becomes a place.
    pub(super) fn failure(&self, mut problems: Vec<Diagnostic>) -> Failure {
        self.place(&mut problems);
        Failure::of(&self.spec.source, problems)
    }

    pub(super) fn place(&self, problems: &mut [Diagnostic]) {
        for problem in problems {
            let span = problem.key.as_ref().and_then(|key| self.spec.loaded.spans.get(key));
            problem.span = problem.span.or(span);
        }
    }

    /// The command line that does something else with the same spec: `plan` gives `aoai-lb plan spec.yaml --cloud local`.
    pub(super) fn command(&self, context: &Context, command: &str) -> String {
        let mut line = format!("aoai-lb {command}");
        if self.named {
            line.push_str(&format!(" {}", quoted(&self.spec.source.name)));
        }
        let flags = [("env", &context.global.env), ("subscription", &context.global.subscription)];
        for (flag, value) in flags.into_iter().chain([("resource-group", &context.global.resource_group)]) {
            if let Some(value) = value {
                line.push_str(&format!(" --{flag} {}", quoted(value)));
            }
        }
        for (key, value) in &context.global.set {
            line.push_str(&format!(" --set {}", quoted(&format!("{key}={value}"))));
        }
        line
    }
}

fn assignment(missing: &MissingRole, principal: &str, scope: &str) -> String {
    format!(
        "az role assignment create --assignee-object-id {principal} --assignee-principal-type ServicePrincipal --role {} --scope {scope}",
        missing.role.id()
    )
}

/// Commands to go on with, each below what it is for, so that a line can be copied.
pub(super) fn next(context: &Context, commands: &[(&str, String)]) {
    for (what, command) in commands {
        context.ui.say(&format!("  {}\n  {command}", paint(Role::Faint, &format!("# {what}"))));
    }
}

/// The soft-deleted names that somebody means: one, or `all` that this spec needs.
fn named(name: &str, live: &Live) -> Vec<String> {
    let needed = live.soft_deleted.iter().filter(|held| held.address.is_some());
    match name {
        "all" => needed.map(|held| held.name.clone()).collect(),
        _ => vec![name.to_owned()],
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A plan as a member of a command's document, which says format and tool itself.
pub(super) fn document(plan: &Plan) -> Value {
    let mut document = serde_json::to_value(wire::document(plan)).unwrap_or_default();
    if let Some(members) = document.as_object_mut() {
        members.remove("format");
        members.remove("tool");
    }
    document
}

/// Real clouds are refused by name.
fn only_local(cloud: Option<&str>) -> Result<()> {
    let problem = match cloud {
        Some("local") => return Ok(()),
        Some(other) => {
            Diagnostic::new(code::CLOUD_LATER, format!("the cloud `{other}` cannot be used in this version"))
        }
        None => Diagnostic::new(code::CLOUD_LATER, "this needs a cloud, and this version has only the local one"),
    };
    Err(Failure::from(problem.help("add `--cloud local`: an Azure in this program, kept in .aoai-lb/local")))
}

fn from_environment() -> Result<Option<String>> {
    let Some(text) = std::env::var("AZURE_SUBSCRIPTION_ID").ok().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if is_guid(&text) {
        return Ok(Some(text));
    }
    let message = format!("AZURE_SUBSCRIPTION_ID holds `{text}`, which is no subscription's id");
    Err(Failure::from(Diagnostic::new(code::BAD_SUBSCRIPTION, message).help("set it to a GUID, or unset it")))
}

fn is_guid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_split_it() {
        assert_eq!(quoted("examples/a-b_1.yaml"), "examples/a-b_1.yaml");
        assert_eq!(quoted("my spec's.yaml"), "'my spec'\\''s.yaml'");
        assert_eq!((quoted(""), quoted("a;b")), ("''".into(), "'a;b'".into()));
    }

    #[test]
    fn a_guid_is_a_guid() {
        assert!(is_guid(local::SUBSCRIPTION));
        for text in
            ["", "my-subscription", "00000000-0000-0000-0000-00000000000g", "0000000-00000-0000-0000-000000000001"]
        {
            assert!(!is_guid(text), "{text}");
        }
    }
}
