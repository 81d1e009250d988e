//! Deploying and destroying against the local Azure.

use super::cloud::{Virtual, carry_out, chosen, deploy, planned, read, run, run_for};
use super::topologies::{self, config, quickstart, topology};
use aoai_lb::arm::{self, id, request};
use aoai_lb::plan::Action;
use aoai_lb::run::{Destroyed, Event, Remains, Step, destroy, inventory};
use aoai_lb::time::Duration;
use aoai_lb::topology::*;
use aoai_lb::wire::{Method, Request, Response, Transport};
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};
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
