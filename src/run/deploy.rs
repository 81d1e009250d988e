//! Deploying: one template deployment of what changes, then deletions, then reading back.

use super::client::{self, Outcome, Silence};
use super::event::{Event, Origin, Step};
use super::progress::{self, Progress};
use super::{problem, read_live};
use crate::arm::{self, Operation, Poll, failure, id, operation, request};
use crate::diagnostic::{Diagnostic, code};
use crate::plan::{self, Action, Plan, Scope, usual};
use crate::time::Duration;
use crate::topology::{Address, Definition, Live, Owner, SoftDeleted, Topology, defaults};
use crate::wire::Cloud;
use crate::{policy, policy_xml, template};
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How often what somebody else is doing is waited for before giving up.
const ROUNDS: usize = 5;
/// How often a template is sent that Azure answered with an error of its own.
const ATTEMPTS: u32 = 5;
/// How often a deployment is looked up whose PUT got no answer.
const LOOKS: u64 = 5;

/// What a deploy came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What Azure holds now.
    pub live: Live,
    /// Whether a deployment of the same content was found running and joined.
    pub joined: bool,
    /// Deletions that nobody agreed to: what came back with something recovered. The next plan shows them.
    pub left: Vec<Address>,
}

/// What `plan` needs to know: the choices for soft-deleted names, and the policies and bodies that would be written.
pub fn scope(desired: &Topology, recover: BTreeSet<String>, purge: BTreeSet<String>) -> Scope {
    let rendered = desired.apis.iter().filter_map(|(key, api)| {
        let text = policy::text(api).ok()?;
        Some((key.clone(), policy_xml::canonical(&text).ok()?))
    });
    let limits = desired.products.iter().filter_map(|(key, product)| {
        let text = policy::render_product(product.policy.intent()?);
        Some((key.clone(), policy_xml::canonical(&text).ok()?))
    });
    let bodies = template::written(desired).into_iter().map(|(address, written)| (address, written.body));
    Scope { recover, purge, rendered: rendered.collect(), limits: limits.collect(), bodies: bodies.collect() }
}

/// Carries a plan out. `desired` is resolved; `live` and `plan` are what somebody saw and agreed to.
///
/// What somebody else is doing to the same resources is waited for; then it is planned again, and what is left is done.
pub async fn deploy(
    cloud: &dyn Cloud,
    desired: &Topology,
    live: &Live,
    plan: &Plan,
    sink: &mut dyn FnMut(Event),
) -> Result<Done, Vec<Diagnostic>> {
    let whole = template::arm(&template::graph(desired));
    let mut deploying = Deploying {
        cloud,
        desired,
        unique: arm::unique(desired),
        name: arm::deployment_name(desired),
        hash: hash(&whole),
        sink,
        joined: false,
    };
    deploying.run(live.clone(), plan.clone()).await
}

/// The hash of a template, as the deployment's tag holds it.
fn hash(template: &Value) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(template.to_string().as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The same topology without the documents of definitions that an update leaves as they are: an import makes every
/// operation anew, and their callers would notice.
fn without_definitions(desired: &Topology, plan: &Plan) -> Topology {
    let mut desired = desired.clone();
    for (key, api) in &mut desired.apis {
        let Definition::Imported(import) = &mut api.definition else { continue };
        let update = plan.changes.iter().find(|change| change.address == Address::Api(key.clone()));
        if let Some(Action::Update(fields)) = update.map(|change| &change.action)
            && !fields.iter().any(|field| field.name == plan::DEFINITION)
        {
            import.document = None;
        }
    }
    desired
}

struct Deploying<'a> {
    cloud: &'a dyn Cloud,
    desired: &'a Topology,
    unique: String,
    /// Name of the template deployment.
    name: String,
    /// Hash of the whole template, whatever part of it is sent: the same spec has the same hash in every state.
    hash: String,
    sink: &'a mut dyn FnMut(Event),
    joined: bool,
}

impl Deploying<'_> {
    async fn run(&mut self, mut live: Live, agreed: Plan) -> Result<Done, Vec<Diagnostic>> {
        clear(&agreed)?;
        let mut plan = agreed.clone();
        if self.settle(&mut live).await? {
            plan = self.plan_again(&live, &agreed)?;
        }
        if self.names(&plan).await? {
            live = self.read("after-recovery").await?;
            self.settle(&mut live).await?;
            plan = self.plan_again(&live, &agreed)?;
        }
        if !plan.sent().is_empty() {
            self.write(&live, &plan).await?;
        }
        let agreed: BTreeSet<Address> = agreed.deletions().into_iter().collect();
        for address in plan.deletions().into_iter().filter(|address| agreed.contains(address)) {
            self.delete(&live, address).await?;
        }
        let live = self.read("to-verify").await?;
        self.verify(live, &agreed)
    }

    async fn read(&mut self, why: &'static str) -> Result<Live, Vec<Diagnostic>> {
        (self.sink)(Event::Reading { why });
        read_live(self.cloud, self.desired).await
    }

    /// Plans again after something moved; choices that were agreed to still hold.
    fn plan_again(&self, live: &Live, agreed: &Plan) -> Result<Plan, Vec<Diagnostic>> {
        let chosen = |action: Action| {
            let changes = agreed.changes.iter().filter(move |change| change.action == action);
            let named = changes.flat_map(|change| {
                live.soft_deleted.iter().filter(|held| held.address.as_ref() == Some(&change.address))
            });
            named.map(|held| held.name.clone()).collect::<BTreeSet<String>>()
        };
        let scope = scope(self.desired, chosen(Action::Recover), chosen(Action::Purge));
        let plan = plan::plan(self.desired, live, &scope);
        clear(&plan)?;
        Ok(plan)
    }

    /// Waits until nobody works on what the spec names; tells whether anything was waited for.
    async fn settle(&mut self, live: &mut Live) -> Result<bool, Vec<Diagnostic>> {
        for round in 0..ROUNDS {
            if let Some((_, hash)) = live.running.clone() {
                if hash.as_deref() != Some(self.hash.as_str()) {
                    return Err(vec![self.somebody_else().await?]);
                }
                self.join().await?;
            } else {
                let busy: Vec<(Address, String)> = live
                    .busy
                    .iter()
                    .filter(|(address, _)| self.desired.names(address))
                    .map(|(address, word)| (address.clone(), word.clone()))
                    .collect();
                if busy.is_empty() {
                    return Ok(round > 0);
                }
                for (resource, state) in busy {
                    let Some(of) = live.ids.get(&resource).cloned().or_else(|| id::of(self.desired, &resource)) else {
                        continue;
                    };
                    (self.sink)(Event::Waiting { resource, state });
                    let waiting = Operation::settle(request::resource(&of).url);
                    // how it ended is seen when it is read again
                    let _ = client::follow(self.cloud, waiting).await.map_err(one)?;
                }
            }
            *live = self.read("after-waiting").await?;
        }
        Ok(true)
    }

    /// Joins a running deployment of the same content.
    async fn join(&mut self) -> Result<(), Vec<Diagnostic>> {
        self.joined = true;
        let deployment = id::deployment(self.desired, &self.name);
        let url = request::deployment(self.desired, &self.name).url;
        (self.sink)(Event::DeploymentStarted {
            name: self.name.clone(),
            id: deployment,
            origin: Origin::Found,
            resources: 0,
        });
        self.watch(Operation::settle(url)).await
    }

    /// The diagnostic about a running deployment of other content.
    async fn somebody_else(&self) -> Result<Diagnostic, Vec<Diagnostic>> {
        let request = request::deployment(self.desired, &self.name);
        let running = client::get_value(self.cloud, request).await.map_err(one)?.unwrap_or_default();
        let since = running.pointer("/properties/timestamp").and_then(Value::as_str).unwrap_or("an unknown time");
        let message = format!("`{}` is running with other content, last seen at work at {since}", self.name);
        Ok(Diagnostic::new(code::DEPLOYMENT_RUNNING, message).help("wait until it has ended, then plan again"))
    }

    /// The resource group, and names that are taken back or given free; tells whether live state moved by that.
    async fn names(&mut self, plan: &Plan) -> Result<bool, Vec<Diagnostic>> {
        let mut moved = false;
        for change in &plan.changes {
            let step = match change.action {
                Action::Create if change.address == Address::ResourceGroup => Step::Write,
                Action::Recover => Step::Recover,
                Action::Purge => Step::Purge,
                _ => continue,
            };
            let request = match step {
                Step::Write => {
                    let mut tags: BTreeMap<&str, &str> =
                        self.desired.tags.iter().map(|(key, tag)| (key.as_str(), tag.as_str())).collect();
                    let stack = defaults::stack_id(&self.desired.stack, &self.unique);
                    tags.insert(defaults::STACK_TAG, &stack);
                    request::create_group(self.desired, &json!(tags))
                }
                _ => {
                    let Some(held) = self.holder(&change.address).await? else { continue };
                    moved = true;
                    match (step, id::of(self.desired, &change.address)) {
                        (Step::Recover, Some(of)) => request::recover(&of, &held, self.desired),
                        _ => request::purge(&held),
                    }
                }
            };
            self.step(&change.address, step, request, change.takes).await?;
        }
        Ok(moved)
    }

    /// What holds a name right now.
    async fn holder(&self, address: &Address) -> Result<Option<SoftDeleted>, Vec<Diagnostic>> {
        let Some(of) = id::of(self.desired, address) else { return Ok(None) };
        let subscription = format!("/subscriptions/{}", id::after(&of, "subscriptions").unwrap_or_default());
        let request = match address {
            Address::Gateway => request::deleted_services(&subscription),
            _ => request::deleted_accounts(&subscription),
        };
        let found = client::list(self.cloud, request).await.map_err(one)?;
        let held = match address {
            Address::Gateway => arm::soft_deleted(self.desired, &found, &[]),
            _ => arm::soft_deleted(self.desired, &[], &found),
        };
        Ok(held.into_iter().find(|held| held.address.as_ref() == Some(address)))
    }

    /// Sends one write about one resource and follows it, with its events.
    async fn step(
        &mut self,
        address: &Address,
        step: Step,
        request: crate::wire::Request,
        takes: plan::Range,
    ) -> Result<(), Vec<Diagnostic>> {
        let began = self.cloud.now();
        (self.sink)(Event::started(address, step, takes));
        match client::carry_out(self.cloud, request).await.map_err(one)? {
            Outcome::Done | Outcome::Absent => {
                let elapsed = self.cloud.now().since(began);
                (self.sink)(Event::ResourceDone { resource: address.clone(), step, elapsed });
                Ok(())
            }
            Outcome::Failed(causes) => {
                let cause = causes.first().cloned().unwrap_or_default();
                (self.sink)(Event::ResourceFailed {
                    resource: address.clone(),
                    step,
                    code: cause.code,
                    message: cause.message,
                });
                if causes.iter().any(|cause| cause.status == 412) {
                    return Err(vec![changed(address)]);
                }
                Err(problem::all(&causes, address, code::AZURE_REFUSED))
            }
        }
    }

    /// Sends the template, cut to `sent`, and follows it.
    async fn write(&mut self, live: &Live, plan: &Plan) -> Result<(), Vec<Diagnostic>> {
        let there: BTreeSet<Address> = live.addresses().into_iter().collect();
        let sent = &plan.sent();
        let cut = template::cut(&template::graph(&without_definitions(self.desired, plan)), sent, &there);
        let resources = sent.len();
        let body = template::arm(&cut);
        let before = self.deployment().await?;
        if operation::running(&before) {
            return self.taken(&before).await;
        }
        (self.sink)(Event::DeploymentStarted {
            name: self.name.clone(),
            id: id::deployment(self.desired, &self.name),
            origin: Origin::Begun,
            resources,
        });
        let request = request::deploy(self.desired, &self.name, &body, &json!({}), &self.hash);
        let mut attempt = 0;
        loop {
            attempt += 1;
            let response = match client::send_once(self.cloud, &request).await {
                Ok(response) => response,
                Err(Silence::Unknown(why)) => return self.look(&before, &why).await,
                Err(Silence::Told(diagnostic)) => return Err(vec![diagnostic]),
            };
            if response.is_success() {
                return match Operation::start(&request, &response) {
                    Some(operation) => self.watch(operation).await,
                    None => Ok(()),
                };
            }
            if failure::retryable(&response) && attempt < ATTEMPTS {
                // whether it was taken is seen by looking
                self.cloud.sleep(self.cloud.now() + client::backoff(attempt)).await;
                let found = self.deployment().await?;
                if self.is_new(&found, &before) {
                    return self.join_own().await;
                }
                continue;
            }
            let causes = failure::failures(&response);
            if causes.iter().any(|cause| cause.code.eq_ignore_ascii_case("DeploymentActive")) {
                let running = self.deployment().await?;
                return self.taken(&running).await;
            }
            let about = |cause: &arm::Failure| {
                let target = cause.target.as_deref().unwrap_or_default();
                problem::told(cause, id::address(self.desired, &self.unique, target).as_ref(), code::AZURE_REFUSED)
            };
            return Err(causes.iter().map(about).collect());
        }
    }

    /// The template deployment as it stands, null where there is none.
    async fn deployment(&self) -> Result<Value, Vec<Diagnostic>> {
        let request = request::deployment(self.desired, &self.name);
        Ok(client::get_value(self.cloud, request).await.map_err(one)?.unwrap_or_default())
    }

    /// The name is taken by a running deployment: ours is joined, another's is told.
    async fn taken(&mut self, running: &Value) -> Result<(), Vec<Diagnostic>> {
        if self.is_same(running) {
            return self.join().await;
        }
        Err(vec![self.somebody_else().await?])
    }

    fn is_same(&self, deployment: &Value) -> bool {
        deployment.pointer(&format!("/tags/{}", request::HASH_TAG)).and_then(Value::as_str) == Some(self.hash.as_str())
    }

    /// Whether a deployment is one that this run's PUT began.
    fn is_new(&self, found: &Value, before: &Value) -> bool {
        let correlation = |deployment: &Value| deployment.pointer("/properties/correlationId").cloned();
        self.is_same(found) && correlation(found) != correlation(before)
    }

    /// Follows what this run's PUT began, although its answer was lost.
    async fn join_own(&mut self) -> Result<(), Vec<Diagnostic>> {
        let url = request::deployment(self.desired, &self.name).url;
        self.watch(Operation::settle(url)).await
    }

    /// Looks up what became of a PUT that nobody answered.
    async fn look(&mut self, before: &Value, why: &str) -> Result<(), Vec<Diagnostic>> {
        for look in 1..=LOOKS {
            self.cloud.sleep(self.cloud.now() + Duration::from_secs(look)).await;
            let found = self.deployment().await?;
            if self.is_new(&found, before) {
                return self.join_own().await;
            }
        }
        let message = format!("`{}` was sent and got no answer: {why}", self.name);
        Err(vec![Diagnostic::new(code::OUTCOME_UNKNOWN, message).help("run the same command again")])
    }

    /// Follows the template deployment to its end.
    async fn watch(&mut self, mut operation: Operation) -> Result<(), Vec<Diagnostic>> {
        let deployment = id::deployment(self.desired, &self.name);
        let began = self.cloud.now();
        let mut progress = Progress::new(self.desired, &self.unique);
        let mut wait = operation.delay();
        loop {
            self.cloud.sleep(self.cloud.now() + wait).await;
            let poll = client::poll(self.cloud, &mut operation).await.map_err(one)?;
            // the list is for people; where it cannot be had the deployment goes on
            let mut operations =
                client::list(self.cloud, request::deployment_operations(&deployment)).await.unwrap_or_default();
            let nested: Vec<String> = progress.nested(&operations);
            let lists = nested.iter().map(|of| client::list(self.cloud, request::deployment_operations(of)));
            operations.extend(join_all(lists).await.into_iter().flatten().flatten());
            let now = self.cloud.now();
            progress.tell(now, &operations, self.sink);
            let (name, elapsed) = (self.name.clone(), now.since(began));
            match poll {
                Poll::Wait(next) => {
                    wait = next;
                    let (done, running) = progress.counts();
                    (self.sink)(Event::DeploymentRunning { name, elapsed, done, running });
                }
                Poll::Done | Poll::Get(_) => {
                    (self.sink)(Event::DeploymentDone { name, elapsed });
                    return Ok(());
                }
                Poll::Failed(causes) => return Err(self.failed(&deployment, &causes).await?),
            }
        }
    }

    /// Why the template deployment failed.
    async fn failed(&self, deployment: &str, causes: &[arm::Failure]) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let found = progress::failures(self.cloud, self.desired, &self.unique, deployment).await.map_err(one)?;
        let mut found = if found.is_empty() {
            causes.iter().map(|cause| problem::told(cause, None, code::DEPLOYMENT_FAILED)).collect()
        } else {
            found
        };
        let running = self.deployment().await?;
        if let Some(correlation) = running.pointer("/properties/correlationId").and_then(Value::as_str) {
            let note = format!("deployment {}, correlation id {correlation}", self.name);
            found = found.into_iter().map(|diagnostic| diagnostic.note(note.clone())).collect();
        }
        Ok(found)
    }

    async fn delete(&mut self, live: &Live, address: Address) -> Result<(), Vec<Diagnostic>> {
        let Some(of) = live.ids.get(&address) else { return Ok(()) };
        let takes = usual(&live.topology, &address, &Action::Delete);
        let request = request::delete(of, etag(live, &address));
        self.step(&address, Step::Delete, request, takes).await
    }

    /// After a deploy nothing is left to plan.
    fn verify(&mut self, live: Live, agreed: &BTreeSet<Address>) -> Result<Done, Vec<Diagnostic>> {
        let plan = plan::plan(self.desired, &live, &scope(self.desired, BTreeSet::new(), BTreeSet::new()));
        let left: Vec<Address> = plan.deletions().into_iter().filter(|address| !agreed.contains(address)).collect();
        let odd: Vec<String> = plan
            .changes
            .iter()
            .filter(|change| !left.contains(&change.address))
            .map(|change| match &change.action {
                Action::Update(fields) => {
                    let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
                    format!("{}: {}", change.address, fields.join(", "))
                }
                Action::Create => format!("{} is missing", change.address),
                _ => format!("{} is still there", change.address),
            })
            .collect();
        let mut problems = plan.refusals;
        if let Some(first) = odd.first() {
            let mut diagnostic =
                Diagnostic::new(code::NOT_CONVERGED, format!("after deploying, Azure holds something else: {first}"));
            diagnostic.notes.extend(odd.iter().skip(1).cloned());
            problems.push(diagnostic.help("plan again; if it stays so with nobody else at work, report it"));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        (self.sink)(Event::Verified);
        Ok(Done { live, joined: self.joined, left })
    }
}

/// The ETag that a deletion carries; children of a service want one, and `*` where none was read.
pub(super) fn etag<'a>(live: &'a Live, address: &Address) -> Option<&'a str> {
    match address {
        Address::Backend(_)
        | Address::Pool(_)
        | Address::Api(_)
        | Address::Operation { .. }
        | Address::Policy(_)
        | Address::Product(_)
        | Address::ProductPolicy(_)
        | Address::NamedValue(_)
        | Address::Logger(_)
        | Address::Diagnostic { .. }
        | Address::Subscription(_) => Some(live.etags.get(address).map_or("*", String::as_str)),
        _ => None,
    }
}

/// It is not what the plan read any more.
pub(super) fn changed(address: &Address) -> Diagnostic {
    Diagnostic::new(code::CHANGED_MEANWHILE, format!("{address} changed since the plan was made; it was not deleted"))
        .at(address.key())
        .help("plan again and look at what changed")
}

/// Whether a plan can be carried out.
fn clear(plan: &Plan) -> Result<(), Vec<Diagnostic>> {
    let mut problems = plan.refusals.clone();
    problems.extend(plan.blocked.iter().map(|blocked| {
        let name = &blocked.holder.name;
        let whose = match blocked.holder.owner {
            Owner::Ours => "",
            _ => "; nobody can say that it was this stack's",
        };
        Diagnostic::new(
            code::PLAN_NOT_CLEAR,
            format!("a soft-deleted {} holds the name `{name}`{whose}", blocked.address.kind()),
        )
        .at(blocked.address.key())
        .help(format!("choose `--recover {name}` or `--purge {name}`"))
    }));
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn one(diagnostic: Diagnostic) -> Vec<Diagnostic> {
    vec![diagnostic]
}
