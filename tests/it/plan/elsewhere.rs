//! What stands elsewhere or is there already: existing services and accounts, other groups and subscriptions, networks,
//! identities of a gateway's own. Existing things are used and left as they were.

use super::cloud::{Virtual, carry_out, deploy, planned, read, run};
use super::laws::resolved;
use super::topologies::{config, quickstart, topology};
use aoai_lb::arm::{existing, id, request};
use aoai_lb::plan::{Action, plan};
use aoai_lb::run::{Destroyed, Remains, destroy, furnish};
use aoai_lb::topology::*;
use aoai_lb::wire::{Method, Request};
use proptest::prelude::{Strategy as Arbitrary, any, prop_assert, prop_assert_eq, proptest};
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const OTHER: &str = "00000000-0000-0000-0000-000000000002";
const NETWORK: &str =
    "/subscriptions/00000000-0000-0000-0000-000000000003/resourceGroups/rg-network/providers/Microsoft.Network";

fn subnet(name: &str) -> String {
    format!("{NETWORK}/virtualNetworks/vnet-hub/subnets/{name}")
}

fn endpoint(zone: bool) -> PrivateEndpoint {
    let zone = zone.then(|| format!("{NETWORK}/privateDnsZones/privatelink.openai.azure.com"));
    PrivateEndpoint { subnet: subnet("endpoints"), dns_zone: zone }
}

fn existing_gateway(gateway: &mut Gateway) {
    gateway.standing = Standing::Existing;
    gateway.name = Name::Literal("apim-shared".into());
    gateway.place = Place { subscription: None, resource_group: Some("rg-shared".into()) };
}

fn existing_account(key: &str, account: &mut Account) {
    account.standing = Standing::Existing;
    account.name = Name::Literal(format!("legacy-{key}"));
    account.place = Place { subscription: Some(OTHER.into()), resource_group: Some("rg-legacy".into()) };
}

fn elsewhere(account: &mut Account) {
    account.place = Place { subscription: Some(OTHER.into()), resource_group: Some("rg-models".into()) };
}

/// The quickstart on a service of others, with one account of others in another subscription.
fn shared() -> Topology {
    let mut topology = quickstart();
    topology.gateway.iter_mut().for_each(existing_gateway);
    topology
        .accounts
        .iter_mut()
        .filter(|(key, _)| *key == "eastus2")
        .for_each(|(key, account)| existing_account(key, account));
    resolved(topology)
}

/// The quickstart in a network, with an account in another group, and an identity of its own.
fn private() -> Topology {
    let mut topology = quickstart();
    if let Some(gateway) = &mut topology.gateway {
        gateway.sku = GatewaySku::StandardV2;
        gateway.identity = Identity::Managed("id-quick".into());
        gateway.network = Some(GatewayNetwork { subnet: subnet("gateway"), mode: NetworkMode::External });
    }
    for (key, account) in &mut topology.accounts {
        account.network = AccountNetwork { public: key == "eastus2", private_endpoint: Some(endpoint(true)) };
        if key == "eastus2" {
            elsewhere(account);
        }
    }
    resolved(topology)
}

fn furnished(topologies: &[&Topology]) -> Virtual {
    let cloud = Virtual::new();
    for topology in topologies {
        run(furnish(&cloud, topology, &mut |_| {})).expect("it is made");
    }
    cloud.writes();
    cloud
}

/// What the spec calls existing, as it stands.
fn bodies(cloud: &Virtual, desired: &Topology) -> BTreeMap<String, Option<Value>> {
    let all = existing(desired).into_iter();
    all.map(|existing| (existing.id.clone(), cloud.ask(&request::newest(&existing.id)).value())).collect()
}

fn destroyed(cloud: &Virtual, desired: &Topology) -> Destroyed {
    let live = read(cloud, desired);
    run(destroy(cloud, desired, &live, Remains::Purge, &mut |_| {})).expect("it is destroyed")
}

fn put(cloud: &Virtual, id: &str, body: &Value) {
    let answer = cloud.ask(&Request::arm(Method::Put, request::resource(id).url).json(body));
    assert!(answer.is_success(), "{id}: {answer:?}");
}

fn texts(plan: &aoai_lb::plan::Plan) -> Vec<String> {
    let word = |action: &Action| match action {
        Action::Create => "+".to_owned(),
        Action::Update(fields) => {
            format!("~ {}", fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Action::Delete => "-".to_owned(),
        Action::Recover | Action::Purge => "?".to_owned(),
    };
    plan.changes.iter().map(|change| format!("{} {}", change.address, word(&change.action))).collect()
}

#[test]
fn an_existing_service_and_account_are_used_and_left_as_they_were() {
    let mut desired = shared();
    let cloud = furnished(&[&desired]);
    let service = id::service(&desired).expect("a name");
    let theirs = format!("{service}/backends/theirs");
    put(&cloud, &theirs, &json!({"properties": {"url": "https://theirs.example.com", "protocol": "http"}}));
    let before = (bodies(&cloud, &desired), cloud.ask(&request::resource(&theirs)).value());

    deploy(&cloud, &desired).expect("it deploys");
    let (live, again) = planned(&cloud, &desired);
    assert!(again.is_empty(), "{again:?}");
    assert_eq!(
        again.kept.iter().map(|kept| kept.address.clone()).collect::<Vec<_>>(),
        [Some(Address::Backend("theirs".into()))]
    );
    assert_eq!(live.topology.grants.len(), 2);
    assert!(
        live.ids.keys().all(|address| !matches!(address, Address::Gateway)),
        "an existing service is no resource of ours"
    );
    // a change is one change, in a module of the other group
    desired.pools.get_mut("gpt-pool").expect("it").members[0].weight = 7;
    assert_eq!(texts(&planned(&cloud, &desired).1), ["pool gpt-pool ~ member eastus2 weight 10 -> 7"]);
    deploy(&cloud, &desired).expect("it deploys");
    assert!(planned(&cloud, &desired).1.is_empty());

    let gone = destroyed(&cloud, &desired);
    assert_eq!((&gone.left, &gone.remains), (&vec![], &vec![]));
    assert!(!gone.deleted.iter().any(|address| matches!(address, Address::Gateway)), "{:?}", gone.deleted);
    assert_eq!((bodies(&cloud, &desired), cloud.ask(&request::resource(&theirs)).value()), before);
    let live = read(&cloud, &desired);
    assert_eq!(live.addresses(), [Address::Backend("theirs".into())]);
    assert_eq!(live.topology.grants, BTreeMap::new());
}

#[test]
fn what_is_called_existing_and_is_not_there_is_told_before_anything_is_written() {
    for desired in [shared(), private()] {
        let cloud = Virtual::new();
        let (live, plan) = planned(&cloud, &desired);
        let mut told: Vec<_> =
            plan.refusals.iter().map(|refusal| (refusal.code.as_str(), refusal.key.clone())).collect();
        let mut wanted: Vec<_> =
            existing(&desired).into_iter().map(|existing| ("AL0518", Some(existing.key))).collect();
        told.sort();
        wanted.sort();
        assert!(!wanted.is_empty());
        assert_eq!(told, wanted);
        assert!(plan.refusals.iter().all(|refusal| refusal.help.is_some()));
        carry_out(&cloud, &desired, &live, &plan).map(|_| ()).expect_err("it is refused");
        assert_eq!(cloud.writes(), Vec::<String>::new());
    }
}

#[test]
fn a_service_without_an_identity_is_told() {
    let desired = shared();
    let cloud = furnished(&[&desired]);
    let service = id::service(&desired).expect("a name");
    let patch =
        Request::arm(Method::Patch, request::resource(&service).url).json(&json!({"identity": {"type": "None"}}));
    assert!(cloud.ask(&patch).is_success());
    cloud.pass(aoai_lb::time::Duration::from_secs(3600));
    let plan = planned(&cloud, &desired).1;
    let told: Vec<String> = plan.refusals.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("the own identity of the service apim-shared is not there"), "{told:?}");
    assert_eq!(plan.refusals[0].key.as_deref(), Some("gateway.identity"));
}

#[test]
fn a_role_of_others_is_enough_and_stays() {
    let desired = shared();
    let cloud = furnished(&[&desired]);
    let principal = read(&cloud, &desired).principal.expect("an identity");
    let group = format!("/subscriptions/{OTHER}/resourceGroups/rg-legacy");
    let name = "11111111-2222-3333-4444-555555555555";
    let assignment = format!("{group}/providers/Microsoft.Authorization/roleAssignments/{name}");
    let role =
        format!("/subscriptions/{OTHER}/providers/Microsoft.Authorization/roleDefinitions/{}", Role::OpenAIUser.id());
    put(
        &cloud,
        &assignment,
        &json!({"properties": {"principalId": principal, "principalType": "ServicePrincipal", "roleDefinitionId": role}}),
    );
    let plan = planned(&cloud, &desired).1;
    let roles: Vec<String> = texts(&plan).into_iter().filter(|text| text.starts_with("role")).collect();
    assert_eq!(roles, ["role on swedencentral +"]);
    deploy(&cloud, &desired).expect("it deploys");
    destroyed(&cloud, &desired);
    assert!(cloud.ask(&request::resource(&assignment)).is_success());
}

#[test]
fn a_role_on_an_account_that_left_the_spec_goes_unless_others_need_it() {
    let mut both = shared();
    both.accounts.iter_mut().for_each(|(key, account)| existing_account(key, account));
    let cloud = furnished(&[&both]);
    deploy(&cloud, &both).expect("it deploys");
    let mut desired = both.clone();
    desired.accounts.remove("eastus2");
    desired.grants.remove("eastus2");
    desired.backends.remove("eastus2");
    desired.pools.get_mut("gpt-pool").expect("it").members.retain(|member| member.backend != "eastus2");
    // somebody else on the gateway calls the account on the surface v1
    let service = id::service(&desired).expect("a name");
    let theirs = format!("{service}/backends/theirs");
    let url = "https://legacy-eastus2.openai.azure.com/openai/v1";
    put(&cloud, &theirs, &json!({"properties": {"url": url, "protocol": "http"}}));
    let plan = planned(&cloud, &desired).1;
    assert_eq!(texts(&plan), ["pool gpt-pool ~ member eastus2 priority 1, weight 10 (gone)", "backend eastus2 -"]);
    assert!(
        plan.kept.iter().any(|kept| kept.reason == "the backend theirs, which stays, needs it: left alone"),
        "{:?}",
        plan.kept
    );
    // and then no more
    let gone = Request::arm(Method::Delete, request::resource(&theirs).url).header("If-Match", "*");
    assert!(cloud.ask(&gone).is_success());
    let plan = planned(&cloud, &desired).1;
    assert_eq!(texts(&plan).len(), 3, "{:?}", texts(&plan));
    assert_eq!(texts(&plan)[2], "role on legacy-eastus2 -");
    deploy(&cloud, &desired).expect("it deploys");
    assert!(planned(&cloud, &desired).1.is_empty());
    assert!(cloud.ask(&request::resource(&id::account(&both, "eastus2").expect("a name"))).is_success());
}

#[test]
fn a_private_stack_converges_and_leaves_the_network_as_it_was() {
    let desired = private();
    let cloud = furnished(&[&desired]);
    let before = bodies(&cloud, &desired);
    deploy(&cloud, &desired).expect("it deploys");
    let (live, again) = planned(&cloud, &desired);
    assert!(again.is_empty(), "{:?} {:?}", texts(&again), again.refusals);
    assert_eq!(live.topology.accounts["swedencentral"].network.private_endpoint, Some(endpoint(true)));
    assert_eq!(
        live.topology.gateway.as_ref().map(|gateway| &gateway.identity),
        Some(&Identity::Managed("id-quick".into()))
    );

    // an endpoint that leaves the spec takes its name in the zone with it
    let mut open = desired.clone();
    open.accounts.get_mut("eastus2").expect("it").network.private_endpoint = None;
    let plan = planned(&cloud, &open).1;
    assert_eq!(texts(&plan), ["private endpoint of eastus2 -"], "{:?}", plan.refusals);
    deploy(&cloud, &open).expect("it deploys");
    assert!(planned(&cloud, &open).1.is_empty());
    deploy(&cloud, &desired).expect("it deploys");
    // one without a zone loses that alone
    let mut unnamed = desired.clone();
    unnamed.accounts.get_mut("swedencentral").expect("it").network.private_endpoint = Some(endpoint(false));
    assert_eq!(texts(&planned(&cloud, &unnamed).1), ["dns zone group of swedencentral -"]);
    // one in another subnet is another endpoint
    let mut moved = desired.clone();
    if let Some(endpoint) = &mut moved.accounts.get_mut("swedencentral").expect("it").network.private_endpoint {
        endpoint.subnet = subnet("gateway");
    }
    let plan = planned(&cloud, &moved).1;
    assert_eq!(plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect::<Vec<_>>(), ["AL0511"]);

    let gone = destroyed(&cloud, &desired);
    assert_eq!((&gone.left, &gone.remains), (&vec![], &vec![]));
    assert_eq!(bodies(&cloud, &desired), before);
    let live = read(&cloud, &desired);
    assert_eq!((live.addresses(), live.resource_group), (vec![], None));
}

#[test]
fn an_endpoint_of_somebody_else_is_not_taken() {
    let desired = private();
    let cloud = furnished(&[&desired]);
    deploy(&cloud, &desired).expect("it deploys");
    let of = id::of(&desired, &Address::PrivateEndpoint("swedencentral".into())).expect("an id");
    let mut body = cloud.ask(&request::resource(&of)).value().expect("a body");
    body["tags"] = json!({"owner": "network team"});
    put(&cloud, &of, &body);
    cloud.pass(aoai_lb::time::Duration::from_secs(600));
    let mut unnamed = desired.clone();
    unnamed.accounts.get_mut("swedencentral").expect("it").network.private_endpoint = None;
    let plan = planned(&cloud, &unnamed).1;
    assert!(texts(&plan).is_empty(), "{:?}", texts(&plan));
    destroyed(&cloud, &desired);
    assert!(cloud.ask(&request::resource(&of)).is_success(), "it is not this stack's");
}

/// A random topology of which parts are there already or stand elsewhere.
fn anywhere() -> impl Arbitrary<Value = (Topology, Topology)> {
    let places = proptest::collection::vec(0u8..6, 6);
    (topology(), topology(), any::<bool>(), 0u8..3, places).prop_map(|(mut first, mut second, shared, identity, places)| {
        for topology in [&mut first, &mut second] {
            if let Some(gateway) = &mut topology.gateway {
                gateway.identity = match identity {
                    0 => Identity::System,
                    1 => Identity::Managed("id-quick".into()),
                    _ => Identity::Existing(format!(
                        "/subscriptions/{OTHER}/resourceGroups/rg-ids/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-theirs"
                    )),
                };
                if shared {
                    existing_gateway(gateway);
                }
            }
            // an account of one key stands in one place, whatever else changes
            for (key, account) in &mut topology.accounts {
                let at = ["east", "north", "west"].iter().position(|known| known == key).unwrap_or_default();
                match places[at] {
                    0 => existing_account(key, account),
                    1 => elsewhere(account),
                    2 => account.place = Place { subscription: None, resource_group: Some("rg-models".into()) },
                    3 => {
                        elsewhere(account);
                        account.network.private_endpoint = Some(endpoint(false));
                    }
                    4 => account.network = AccountNetwork { public: false, private_endpoint: Some(endpoint(true)) },
                    _ => {}
                }
            }
        }
        (resolved(first), resolved(second))
    })
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn anything_anywhere_converges_and_existing_things_stay((first, second) in anywhere()) {
        let fail = |problems: Vec<aoai_lb::diagnostic::Diagnostic>| TestCaseError::fail(format!("{problems:?}"));
        let cloud = furnished(&[&first, &second]);
        let before = (bodies(&cloud, &first), bodies(&cloud, &second));
        deploy(&cloud, &first).map_err(fail)?;
        let again = planned(&cloud, &first).1;
        prop_assert!(again.is_empty(), "{:?} {:?}", texts(&again), again.refusals);
        let (live, next) = planned(&cloud, &second);
        let last = if next.refusals.is_empty() {
            carry_out(&cloud, &second, &live, &next).map_err(fail)?;
            let again = planned(&cloud, &second).1;
            prop_assert!(again.is_empty(), "{:?} {:?}", texts(&again), again.refusals);
            second.clone()
        } else {
            cloud.writes();
            prop_assert!(carry_out(&cloud, &second, &live, &next).is_err());
            prop_assert_eq!(cloud.writes(), Vec::<String>::new());
            first.clone()
        };
        let gone = destroyed(&cloud, &last);
        prop_assert_eq!((gone.remains.len(), gone.left.len()), (0, 0), "{:?}", gone.left);
        let live = read(&cloud, &last);
        // a service makes a named value for the key of a logger, and keeps it
        let of_service = |address: &Address| {
            matches!(address, Address::NamedValue(_)) && live.owners.get(address) == Some(&Owner::Foreign)
        };
        let left: Vec<Address> = live.addresses().into_iter().filter(|address| !of_service(address)).collect();
        prop_assert_eq!((left, live.topology.grants), (vec![], BTreeMap::new()));
        prop_assert_eq!((bodies(&cloud, &first), bodies(&cloud, &second)), before);
    }

    #[test]
    fn a_plan_against_itself_is_empty_anywhere((desired, _) in anywhere()) {
        let live = super::topologies::live(&desired, &Owner::Ours);
        let plan = plan(&desired, &live, &aoai_lb::run::scope(&desired, Default::default(), Default::default()));
        prop_assert!(plan.is_empty(), "{:?} {:?}", texts(&plan), plan.refusals);
    }
}
