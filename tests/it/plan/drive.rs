//! Deploying and destroying against the local Azure.

use super::cloud::{Virtual, carry_out, chosen, deploy, planned, read, run, run_for};
use super::topologies::{self, config, quickstart, topology};
use aoai_lb::arm::{self, id, request};
use aoai_lb::azure::faults::{Failure, Fault, Requests};
use aoai_lb::plan::Action;
use aoai_lb::rng::{Stream, below, draw};
use aoai_lb::run::{Destroyed, Event, Remains, Step, destroy, inventory};
use aoai_lb::time::Duration;
use aoai_lb::topology::*;
use aoai_lb::wire::{Method, Request, Response, Transport};
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use serde_json::json;

fn resolved(topology: Topology) -> Topology {
    let unique = arm::unique(&topology);
    topology.resolve(&unique)
}

fn deployed(desired: &Topology) -> Virtual {
    let cloud = Virtual::new();
    deploy(&cloud, desired).expect("it deploys");
    cloud.writes();
    cloud
}

fn destroyed(cloud: &Virtual, desired: &Topology, remains: Remains) -> Destroyed {
    let live = read(cloud, desired);
    run(destroy(cloud, desired, &live, remains, &mut |_| {})).expect("it destroys")
}

#[test]
fn after_a_deploy_the_plan_is_empty() {
    let desired = resolved(quickstart());
    let cloud = Virtual::new();
    let (live, plan) = planned(&cloud, &desired);
    assert!(!plan.is_empty() && plan.refusals.is_empty() && plan.blocked.is_empty(), "{}", plan.summary());
    let (done, events) = carry_out(&cloud, &desired, &live, &plan).expect("it deploys");
    assert!(done.live.gateway_url.as_deref().is_some_and(|url| url.starts_with("https://") && !url.ends_with('/')));
    assert_eq!(done.live.topology, Topology { scope: done.live.topology.scope.clone(), ..desired.clone() });
    assert_eq!(planned(&cloud, &desired).1.changes, []);
    assert_eq!(events.last(), Some(&Event::Verified));
    for address in desired.addresses() {
        let told =
            |wanted: fn(&Event) -> Option<&Address>| events.iter().filter(|e| wanted(e) == Some(&address)).count();
        let begun = told(|event| match event {
            Event::ResourceStarted { resource, step: Step::Write, .. } => Some(resource),
            _ => None,
        });
        let ended = told(|event| match event {
            Event::ResourceDone { resource, step: Step::Write, .. } => Some(resource),
            _ => None,
        });
        assert_eq!((begun, ended), (1, 1), "{address}");
    }
    let name = arm::deployment_name(&desired);
    assert_eq!(
        cloud.writes(),
        [
            "PUT /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-quick".to_owned(),
            format!("PUT Microsoft.Resources/deployments/{name}")
        ]
    );
}

#[test]
fn a_weight_sends_the_pool_alone() {
    let mut desired = resolved(quickstart());
    let cloud = deployed(&desired);
    desired.pools.get_mut("gpt-pool").expect("it").members[0].weight = 30;
    let (live, plan) = planned(&cloud, &desired);
    let fields: Vec<String> = plan
        .changes
        .iter()
        .flat_map(|change| match &change.action {
            Action::Update(fields) => fields.iter().map(|field| format!("{} {field}", change.address)).collect(),
            other => vec![format!("{} {other:?}", change.address)],
        })
        .collect();
    assert_eq!(fields, ["pool gpt-pool member eastus2 weight 10 -> 30"]);
    let sent = carry_out(&cloud, &desired, &live, &plan).map(|_| cloud.sent_resources()).expect("it deploys");
    assert_eq!(sent, ["Microsoft.ApiManagement/service/backends"]);
    assert!(planned(&cloud, &desired).1.is_empty());
}

#[test]
fn two_deployments_of_an_account_go_one_after_another_around_a_third() {
    let mut desired = quickstart();
    let deployments = &mut desired.accounts.get_mut("eastus2").expect("it").deployments;
    for name in ["a", "b", "c"] {
        deployments.insert(name.into(), topologies::deployment(10));
    }
    let mut desired = resolved(desired);
    let cloud = deployed(&desired);
    let deployments = &mut desired.accounts.get_mut("eastus2").expect("it").deployments;
    for name in ["a", "c"] {
        deployments.get_mut(name).expect("it").capacity = 20;
    }
    deploy(&cloud, &desired).expect("Azure refuses two at a time");
    assert!(planned(&cloud, &desired).1.is_empty());
}

#[test]
fn a_change_behind_our_back_shows() {
    let desired = resolved(quickstart());
    let cloud = deployed(&desired);
    let pool = id::of(&desired, &Address::Pool("gpt-pool".into())).expect("an id");
    let found = cloud.ask(&request::resource(&pool)).value().expect("a pool");
    let mut services = found["properties"]["pool"]["services"].clone();
    services[1]["weight"] = json!(90);
    let patch = Request::arm(Method::Patch, request::resource(&pool).url)
        .json(&json!({"properties": {"pool": {"services": services}}}))
        .header("If-Match", "*");
    assert!(cloud.ask(&patch).is_success());
    let (_, plan) = planned(&cloud, &desired);
    assert_eq!(plan.sent().into_iter().collect::<Vec<_>>(), [Address::Pool("gpt-pool".into())]);
    let Action::Update(fields) = &plan.changes[0].action else { panic!("an update") };
    assert_eq!(fields[0].to_string(), "member swedencentral weight 90 -> 20");
    deploy(&cloud, &desired).expect("it deploys");
    assert!(planned(&cloud, &desired).1.is_empty());
}

#[test]
fn another_policy_shows_as_a_diff_and_is_overwritten() {
    let desired = resolved(quickstart());
    let cloud = deployed(&desired);
    let policy = id::of(&desired, &Address::Policy("openai".into())).expect("an id");
    let xml = "<policies><inbound><base /></inbound><backend><base /></backend><outbound /><on-error /></policies>";
    let put = Request::arm(Method::Put, request::resource(&policy).url)
        .json(&json!({"properties": {"format": "rawxml", "value": xml}}))
        .header("If-Match", "*");
    assert!(cloud.ask(&put).is_success());
    let (_, plan) = planned(&cloud, &desired);
    assert_eq!(plan.changes.len(), 1);
    assert!(plan.changes[0].diff.as_deref().is_some_and(|diff| diff.contains("+") && diff.contains("retry")));
    deploy(&cloud, &desired).expect("it deploys");
    assert!(planned(&cloud, &desired).1.is_empty());
}

#[test]
fn destroying_with_purge_leaves_nothing() {
    let desired = resolved(quickstart());
    let cloud = deployed(&desired);
    let before = inventory(&read(&cloud, &desired));
    let gone = destroyed(&cloud, &desired, Remains::Purge);
    assert_eq!(gone.deleted, before.deleted);
    assert_eq!((gone.purged.len(), gone.remains.len(), gone.left.len()), (3, 0, 0), "{gone:?}");
    let live = read(&cloud, &desired);
    assert_eq!((&live.resource_group, live.addresses(), &live.soft_deleted), (&None, vec![], &vec![]));
    // again: nothing is there, and that is fine
    assert_eq!(destroyed(&cloud, &desired, Remains::Purge), Destroyed::default());
    deploy(&cloud, &desired).expect("it deploys anew");
}

#[test]
fn destroying_goes_from_the_top_down() {
    let desired = resolved(quickstart());
    let cloud = deployed(&desired);
    let deleted: Vec<String> =
        destroyed(&cloud, &desired, Remains::Keep).deleted.iter().map(ToString::to_string).collect();
    assert_eq!(
        deleted,
        [
            "policy of openai",
            "pool gpt-pool",
            "backend eastus2",
            "backend swedencentral",
            "subscription default",
            "subscription probe",
            "api openai",
            "role on eastus2",
            "role on swedencentral",
            "deployment gpt of eastus2",
            "deployment gpt of swedencentral",
            "account eastus2",
            "account swedencentral",
            "gateway",
            "resource group",
        ]
    );
}

#[test]
fn names_that_stay_are_recovered_or_purged() {
    for how in ["recover", "purge"] {
        let desired = resolved(quickstart());
        let cloud = deployed(&desired);
        let gone = destroyed(&cloud, &desired, Remains::Keep);
        assert_eq!(gone.remains.len(), 3);
        assert!(gone.remains.iter().all(|held| held.scheduled_purge.is_some()), "{:?}", gone.remains);
        let names: Vec<&str> = gone.remains.iter().map(|held| held.name.as_str()).collect();

        let (live, blocked) = planned(&cloud, &desired);
        assert_eq!(blocked.blocked.len(), 3);
        cloud.writes();
        let refused = carry_out(&cloud, &desired, &live, &blocked).expect_err("somebody has to choose");
        assert!(refused.iter().all(|diagnostic| diagnostic.code.as_str() == "AL0509"), "{refused:?}");
        assert_eq!(cloud.writes(), Vec::<String>::new());

        let (recover, purge): (&[&str], &[&str]) = if how == "recover" { (&names, &[]) } else { (&[], &names) };
        let (live, plan) = chosen(&cloud, &desired, recover, purge);
        assert_eq!((plan.blocked.len(), plan.refusals.len()), (0, 0));
        let (done, _) =
            carry_out(&cloud, &desired, &live, &plan).unwrap_or_else(|problems| panic!("{how}: {problems:?}"));
        assert_eq!(done.left, [], "{how}");
        assert!(planned(&cloud, &desired).1.is_empty());
    }
}

#[test]
fn names_that_stay_are_purged_by_a_later_destroy() {
    let desired = resolved(quickstart());
    let cloud = deployed(&desired);
    destroyed(&cloud, &desired, Remains::Keep);
    assert_eq!(inventory(&read(&cloud, &desired)).remains.len(), 3);
    assert_eq!(destroyed(&cloud, &desired, Remains::Purge).purged.len(), 3);
    assert_eq!(read(&cloud, &desired).soft_deleted, []);
}

/// The quickstart with a service and an account whose names somebody chose.
fn named(stack: &str) -> Topology {
    let mut topology = quickstart();
    topology.stack.name = stack.into();
    topology.gateway.as_mut().expect("it").name = Name::Literal("apim-chosen".into());
    topology.accounts.get_mut("eastus2").expect("it").name = Name::Literal("chosen".into());
    let unique = aoai_lb::arm::unique(&topology);
    topology.resolve(&unique)
}

#[test]
fn the_remains_of_another_stack_are_neither_purged_nor_recovered_by_ours() {
    let theirs = named("theirs");
    let cloud = deployed(&theirs);
    destroyed(&cloud, &theirs, Remains::Keep);
    let ours = named("ours");
    let gone = destroyed(&cloud, &ours, Remains::Purge);
    assert_eq!((gone.purged, gone.left.len()), (vec![], 2));
    assert!(gone.left[0].to_string().contains("nobody can say that it was this stack's"), "{:?}", gone.left);

    let (_, plan) = chosen(&cloud, &ours, &["chosen"], &["apim-chosen"]);
    assert_eq!(plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect::<Vec<_>>(), ["AL0514"]);
    // the service comes back as theirs, and nothing is put into it
    let (live, plan) = chosen(&cloud, &ours, &["apim-chosen"], &["chosen"]);
    assert_eq!((plan.refusals.len(), plan.blocked.len()), (0, 0));
    let problems = carry_out(&cloud, &ours, &live, &plan).map(|_| ()).expect_err("it is theirs");
    assert!(problems.iter().all(|problem| problem.code == aoai_lb::diagnostic::code::NOT_OURS), "{problems:?}");

    // a destroy that deletes it itself knows that it was its own
    let cloud = deployed(&theirs);
    assert_eq!(destroyed(&cloud, &theirs, Remains::Purge).purged.len(), 3);
}

/// A backend of somebody else on our gateway.
fn legacy(cloud: &Virtual, desired: &Topology) -> String {
    let gateway = id::of(desired, &Address::Gateway).expect("an id");
    let legacy = format!("{gateway}/backends/legacy");
    let body = json!({"properties": {"url": "https://legacy.example.com", "protocol": "http"}});
    let put = Request::arm(Method::Put, request::resource(&legacy).url).json(&body);
    assert!(cloud.ask(&put).is_success());
    legacy
}

#[test]
fn an_unmanaged_backend_survives_deploy_and_destroy() {
    let mut desired = resolved(quickstart());
    let cloud = deployed(&desired);
    let legacy = legacy(&cloud, &desired);
    desired.pools.get_mut("gpt-pool").expect("it").members[0].weight = 7;
    let (_, plan) = planned(&cloud, &desired);
    assert_eq!(
        plan.kept.iter().map(|kept| kept.address.clone()).collect::<Vec<_>>(),
        [Some(Address::Backend("legacy".into()))]
    );
    deploy(&cloud, &desired).expect("it deploys");
    let gone = destroyed(&cloud, &desired, Remains::Purge);
    assert!(cloud.ask(&request::resource(&legacy)).is_success());
    let left: Vec<String> = gone.left.iter().map(ToString::to_string).collect();
    assert!(left[0].contains("gateway stays: backend legacy in it is not this stack's"), "{left:?}");
    assert!(left[1].contains("the resource group stays"), "{left:?}");
    assert!(!gone.deleted.contains(&Address::Gateway) && gone.deleted.contains(&Address::Account("eastus2".into())));
}

#[test]
fn a_destroy_leaves_a_backend_that_the_pool_of_somebody_else_has() {
    let desired = resolved(quickstart());
    let cloud = deployed(&desired);
    let gateway = id::of(&desired, &Address::Gateway).expect("an id");
    let pool = format!("{gateway}/backends/theirs");
    let services = json!([{"id": format!("{gateway}/backends/eastus2")}]);
    let body = json!({"properties": {"type": "Pool", "pool": {"services": services}}});
    assert!(cloud.ask(&Request::arm(Method::Put, request::resource(&pool).url).json(&body)).is_success());
    let gone = destroyed(&cloud, &desired, Remains::Purge);
    let left: Vec<String> = gone.left.iter().map(ToString::to_string).collect();
    assert!(
        left[0].contains("backend eastus2 stays: the pool theirs, which is not this stack's, needs it"),
        "{left:?}"
    );
    assert!(left[1].contains("gateway stays: pool theirs in it is not this stack's"), "{left:?}");
    assert!(gone.deleted.contains(&Address::Backend("swedencentral".into())));
    assert!(cloud.ask(&request::resource(&pool)).is_success());
}

#[test]
fn what_left_the_spec_is_deleted_with_the_etag_that_was_read() {
    let mut bigger = quickstart();
    bigger.backends.insert("old".into(), topologies::backend("old", "eastus2", "old"));
    bigger.accounts.get_mut("eastus2").expect("it").deployments.insert("old".into(), topologies::deployment(1));
    let members = vec![Member { backend: "old".into(), priority: 1, weight: 1 }];
    bigger.pools.insert("old-pool".into(), Pool::new("old-pool", members));
    bigger.apis.insert("old".into(), topologies::api("old", &["old-pool"]));
    bigger.subscriptions.insert("old-team".into(), topologies::subscription("old-team", "old"));
    let bigger = resolved(bigger);
    let cloud = deployed(&bigger);
    let desired = resolved(quickstart());

    let (live, plan) = planned(&cloud, &desired);
    let backend = Address::Backend("old".into());
    assert!(live.etags.get(&backend).is_some_and(|etag| etag.starts_with('"')), "{:?}", live.etags);
    // somebody touches the backend between plan and deploy
    let id = id::of(&bigger, &backend).expect("an id");
    let patch = Request::arm(Method::Patch, request::resource(&id).url)
        .json(&json!({"properties": {"title": "touched"}}))
        .header("If-Match", "*");
    assert!(cloud.ask(&patch).is_success());
    let problems = carry_out(&cloud, &desired, &live, &plan).expect_err("it changed");
    assert_eq!(problems[0].code.as_str(), "AL0506", "{problems:?}");
    assert!(cloud.ask(&request::resource(&id)).is_success());

    deploy(&cloud, &desired).expect("it deploys");
    assert!(planned(&cloud, &desired).1.is_empty());
    assert_eq!(cloud.ask(&request::resource(&id)).status, 404);
}

#[test]
fn a_failed_resource_shows_its_leaf_and_its_key() {
    let desired = resolved(quickstart());
    let cloud = Virtual::new();
    let message = "The content filter of the deployment is not known.".to_owned();
    cloud.set_faults(vec![Fault {
        requests: Requests { path: Some("*/aoai-eastus2*/deployments/gpt".into()), ..Requests::default() },
        times: Some(1),
        fail: Some(Failure { code: "InvalidResourceProperties".into(), message, target: None, status: Some(400) }),
        ..Fault::default()
    }]);
    let problems = deploy(&cloud, &desired).map(|_| ()).expect_err("it fails");
    let first = &problems[0];
    assert_eq!(first.key.as_deref(), Some("accounts.eastus2.deployments.gpt"), "{problems:?}");
    assert!(first.message.contains("content filter"), "{first:?}");
    assert!(first.notes.iter().any(|note| note.contains("correlation id")), "{first:?}");
    // what can be made was made; with the cause gone the rest follows
    deploy(&cloud, &desired).expect("it deploys");
    assert!(planned(&cloud, &desired).1.is_empty());
}

#[test]
fn what_azure_refuses_up_front_changes_nothing() {
    let mut desired = resolved(quickstart());
    let deployments = &mut desired.accounts.get_mut("eastus2").expect("it").deployments;
    deployments.get_mut("gpt").expect("it").model.name = "no-such-model".into();
    let cloud = Virtual::new();
    let problems = deploy(&cloud, &desired).map(|_| ()).expect_err("it fails");
    assert!(problems[0].message.contains("no-such-model"), "{problems:?}");
    let live = read(&cloud, &desired);
    assert_eq!(live.ids.keys().collect::<Vec<_>>(), [&Address::ResourceGroup]);
    let right = resolved(quickstart());
    deploy(&cloud, &right).expect("it deploys");
    assert!(planned(&cloud, &right).1.is_empty());
}

/// Puts `fault` between the driver and Azure.
fn with_fault(
    cloud: &Virtual,
    fault: impl FnMut(&Request, &mut aoai_lb::azure::World, aoai_lb::time::Time) -> Option<Result<Response, Transport>>
    + 'static,
) {
    *cloud.fault.borrow_mut() = Some(Box::new(fault));
}

fn is_template(request: &Request) -> bool {
    request.method == Method::Put && request.url.contains("/Microsoft.Resources/deployments/")
}

#[test]
fn an_unknown_outcome_is_looked_up_and_never_sent_twice() {
    let desired = resolved(quickstart());
    let cloud = Virtual::new();
    with_fault(&cloud, |request, world, now| {
        is_template(request).then(|| {
            world.handle(now, request);
            Err(Transport::Lost("reset".into()))
        })
    });
    deploy(&cloud, &desired).expect("it is found running");
    let puts = cloud.writes().iter().filter(|write| write.contains("Microsoft.Resources/deployments")).count();
    assert_eq!(puts, 1);
    assert!(planned(&cloud, &desired).1.is_empty());

    // it never arrived: that is said, and the next run is the way out
    let cloud = Virtual::new();
    with_fault(&cloud, |request, _, _| is_template(request).then(|| Err(Transport::Lost("reset".into()))));
    let problems = deploy(&cloud, &desired).map(|_| ()).expect_err("nobody knows");
    assert_eq!(problems[0].code.as_str(), "AL0504", "{problems:?}");
    assert_eq!(cloud.writes().iter().filter(|write| write.contains("deployments")).count(), 1);
    *cloud.fault.borrow_mut() = None;
    deploy(&cloud, &desired).expect("it deploys");
}

#[test]
fn an_error_of_azure_itself_is_looked_into_before_the_template_goes_again() {
    let desired = resolved(quickstart());
    // taken, and answered with 504: one PUT
    let cloud = Virtual::new();
    with_fault(&cloud, |request, world, now| {
        is_template(request).then(|| {
            world.handle(now, request);
            Ok(Response::empty(504))
        })
    });
    deploy(&cloud, &desired).expect("it is found running");
    assert_eq!(cloud.writes().iter().filter(|write| write.contains("Microsoft.Resources/deployments")).count(), 1);
    // not taken, and answered with 503 twice: three PUTs
    let cloud = Virtual::new();
    let mut n = 0;
    with_fault(&cloud, move |request, _, _| {
        n += u32::from(is_template(request));
        (is_template(request) && n < 3).then(|| Ok(Response::empty(503)))
    });
    deploy(&cloud, &desired).expect("it deploys");
    assert_eq!(cloud.writes().iter().filter(|write| write.contains("Microsoft.Resources/deployments")).count(), 3);
}

#[test]
fn a_bad_network_is_ridden_out() {
    let desired = resolved(quickstart());
    let cloud = Virtual::new();
    let mut n = 0;
    with_fault(&cloud, move |request, _, _| {
        n += 1;
        match below(draw(1, Stream::Fault, n, 0), 20) {
            0 if !is_template(request) => Some(Err(Transport::Lost("reset".into()))),
            1 | 2 => Some(Err(Transport::Unreachable("no route".into()))),
            3 | 4 => Some(Ok(Response::empty(429).header("Retry-After", "2"))),
            5 => Some(Ok(Response::empty(503))),
            _ => None,
        }
    });
    deploy(&cloud, &desired).expect("it deploys");
    destroyed(&cloud, &desired, Remains::Purge);
    *cloud.fault.borrow_mut() = None;
    assert_eq!(read(&cloud, &desired).addresses(), []);
}

#[test]
fn a_dead_network_and_a_missing_right_are_told() {
    let desired = resolved(quickstart());
    let cloud = Virtual::new();
    with_fault(&cloud, |_, _, _| Some(Err(Transport::Unreachable("no route".into()))));
    let problems = run(aoai_lb::run::read_live(&cloud, &desired)).expect_err("nobody answers");
    assert_eq!(problems[0].code.as_str(), "AL0503");
    let forbidden = json!({"error": {"code": "AuthorizationFailed", "message": "The client may not do this."}});
    with_fault(&cloud, move |_, _, _| Some(Ok(Response::json(403, &forbidden))));
    let problems = run(aoai_lb::run::read_live(&cloud, &desired)).expect_err("not allowed");
    assert_eq!((problems[0].code.as_str(), problems[0].message.as_str()), ("AL0502", "The client may not do this."));
}

#[test]
fn another_spec_in_flight_is_named_and_the_same_is_joined() {
    let desired = resolved(quickstart());
    let mut other = desired.clone();
    other.pools.get_mut("gpt-pool").expect("it").members[0].weight = 1;
    let cloud = Virtual::new();
    let (live, plan) = planned(&cloud, &desired);
    // dropped as soon as the template is on its way
    let mut steps = 1;
    while !cloud.writes().iter().any(|write| write.contains("Microsoft.Resources/deployments")) {
        steps += 1;
        assert!(run_for(steps, aoai_lb::run::deploy(&cloud, &desired, &live, &plan, &mut |_| {})).is_none());
    }
    let (live, plan) = planned(&cloud, &other);
    assert!(live.running.is_some());
    let problems = carry_out(&cloud, &other, &live, &plan).map(|_| ()).expect_err("somebody else is at work");
    assert_eq!(problems[0].code.as_str(), "AL0505", "{problems:?}");
    assert!(problems[0].message.contains("20"), "since when: {}", problems[0].message);
    let (live, plan) = planned(&cloud, &desired);
    assert!(live.running.is_some());
    cloud.writes();
    let (done, events) = carry_out(&cloud, &desired, &live, &plan).expect("it joins");
    assert!(done.joined);
    assert!(!cloud.writes().iter().any(|write| write.contains("Microsoft.Resources/deployments")), "no second PUT");
    assert_eq!(events.last(), Some(&Event::Verified));
}

#[test]
fn reading_is_three_round_trips_deep() {
    // nothing is sent before what it needs is known: with each answer a round late, three rounds end it
    let desired = resolved(quickstart());
    let cloud = deployed(&desired);
    let mut steps = 1;
    while run_for(steps, aoai_lb::run::read_live(&cloud, &desired)).is_none() {
        steps += 1;
    }
    // a request gives way twice
    assert_eq!(steps, 6);
}

/// A run of deploy that is dropped after `steps`, then a whole one.
fn interrupted(desired: &Topology, steps: usize) -> Result<(), String> {
    let cloud = Virtual::new();
    let (live, plan) = planned(&cloud, desired);
    if run_for(steps, aoai_lb::run::deploy(&cloud, desired, &live, &plan, &mut |_| {})).is_none() {
        cloud.pass(Duration::from_millis(10));
    }
    let (live, plan) = planned(&cloud, desired);
    carry_out(&cloud, desired, &live, &plan).map_err(|problems| format!("after {steps} steps: {problems:?}"))?;
    let after = planned(&cloud, desired).1;
    if after.is_empty() { Ok(()) } else { Err(format!("after {steps} steps: {:?}", after.changes)) }
}

#[test]
fn a_deploy_dropped_anywhere_converges_with_the_next() {
    let desired = resolved(quickstart());
    for steps in (0..40).chain((40..200).step_by(7)) {
        interrupted(&desired, steps).unwrap_or_else(|why| panic!("{why}"));
    }
}

#[test]
fn a_recovery_or_purge_dropped_anywhere_converges_with_the_next() {
    let desired = resolved(quickstart());
    let held = deployed(&desired);
    let gone = destroyed(&held, &desired, Remains::Keep);
    let names: Vec<&str> = gone.remains.iter().map(|held| held.name.as_str()).collect();
    for steps in (0..120).step_by(3) {
        let (recover, purge): (&[&str], &[&str]) = if steps % 2 == 0 { (&names, &[]) } else { (&[], &names) };
        let cloud = held.fork();
        let (live, plan) = chosen(&cloud, &desired, recover, purge);
        let _ = run_for(steps, aoai_lb::run::deploy(&cloud, &desired, &live, &plan, &mut |_| {}));
        let (live, plan) = chosen(&cloud, &desired, recover, purge);
        carry_out(&cloud, &desired, &live, &plan).unwrap_or_else(|why| panic!("after {steps} steps: {why:?}"));
        assert!(planned(&cloud, &desired).1.is_empty(), "after {steps} steps");
    }
}

#[test]
fn a_destroy_dropped_anywhere_is_finished_by_the_next() {
    let desired = resolved(quickstart());
    let whole = deployed(&desired);
    for steps in (0..160).step_by(3) {
        let cloud = whole.fork();
        let live = read(&cloud, &desired);
        let _ = run_for(steps, destroy(&cloud, &desired, &live, Remains::Purge, &mut |_| {}));
        let gone = destroyed(&cloud, &desired, Remains::Purge);
        assert_eq!((&gone.remains, &gone.left), (&vec![], &vec![]), "after {steps} steps");
        let live = read(&cloud, &desired);
        assert_eq!(
            (&live.resource_group, live.addresses(), &live.soft_deleted),
            (&None, vec![], &vec![]),
            "after {steps} steps"
        );
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn any_topology_converges_from_nothing_and_from_another(first in topology(), second in topology()) {
        let (first, second) = (resolved(first), resolved(second));
        let cloud = Virtual::new();
        deploy(&cloud, &first).map_err(|problems| proptest::test_runner::TestCaseError::fail(format!("{problems:?}")))?;
        prop_assert!(planned(&cloud, &first).1.is_empty());
        let (live, plan) = planned(&cloud, &second);
        if plan.refusals.is_empty() {
            carry_out(&cloud, &second, &live, &plan)
                .map_err(|problems| proptest::test_runner::TestCaseError::fail(format!("{problems:?}")))?;
            prop_assert!(planned(&cloud, &second).1.is_empty());
        } else {
            cloud.writes();
            prop_assert!(carry_out(&cloud, &second, &live, &plan).is_err());
            prop_assert_eq!(cloud.writes(), Vec::<String>::new());
        }
        let gone = destroyed(&cloud, &first, Remains::Purge);
        prop_assert_eq!((gone.remains.len(), gone.left.len()), (0, 0));
        prop_assert_eq!(read(&cloud, &first).addresses(), vec![]);
    }

    #[test]
    fn any_deploy_can_be_dropped(desired in topology(), steps in 0usize..150) {
        let why = interrupted(&resolved(desired), steps);
        prop_assert!(why.is_ok(), "{:?}", why);
    }
}
