//! What a plan says of one change at a time: its words, its order, what it refuses and what it leaves alone.

use super::laws::{apply, planned, resolved, seen};
use super::topologies::{self, live, quickstart};
use aoai_lb::diagnostic::code;
use aoai_lb::plan::{Action, Plan, Scope, plan, show};
use aoai_lb::time::{Duration, Time};
use aoai_lb::topology::*;

fn shown(plan: &Plan) -> String {
    show::lines(plan, show::Detail::Changes).iter().map(|line| line.text() + "\n").collect()
}

#[test]
fn what_a_policy_does_is_told_in_the_specs_words() {
    use aoai_lb::topology::intent::{Candidate, LimitBy, TokenLimit};
    let before = quickstart();
    let mut after = before.clone();
    let api = after.apis.get_mut("openai").expect("the API");
    let Policy::Rendered(intent) = &mut api.policy else { panic!("ours") };
    intent.token_limit = Some(TokenLimit { tokens_per_minute: 9, estimate_prompt: true, by: LimitBy::Pool });
    intent.v1 = Some(Routes::All("gpt-pool".into()));
    intent.stateful = Some("eastus2".into());
    let member = Candidate { backend: "eastus2".into(), priority: 1, weight: 3, credential: None };
    intent.pools = [("gpt-pool".to_owned(), vec![member])].into();
    let plan = planned(&after, &live(&before, &Owner::Ours));
    let [change] = plan.changes.as_slice() else { panic!("{plan:#?}") };
    let Action::Update(fields) = &change.action else { panic!("{change:#?}") };
    let said: Vec<String> =
        fields.iter().map(|f| format!("{}: {:?}", f.name, f.to.as_deref().unwrap_or("-"))).collect();
    assert_eq!(
        said,
        [
            "v1 route *: \"gpt-pool\"",
            "pool gpt-pool member eastus2: \"priority 1, weight 3\"",
            "stateful: \"eastus2\"",
            "tokenLimit: \"9 tokens a minute by pool\"",
        ]
    );
}

#[test]
fn a_weight_is_one_change_in_the_words_of_the_spec() {
    let before = resolved(quickstart());
    let mut after = before.clone();
    after.pools.get_mut("gpt-pool").expect("the pool").members[0].weight = 30;
    let plan = planned(&after, &live(&before, &Owner::Ours));
    assert_eq!(plan.sent().into_iter().collect::<Vec<_>>(), [Address::Pool("gpt-pool".into())]);
    expect_test::expect![[r#"
        routing
          ~ pool gpt-pool  (1s to 2s)
              member eastus2 weight 10 -> 30
    "#]]
    .assert_eq(&shown(&plan));
    assert_eq!(plan.summary(), "1 to update; usually 1s to 2s");
}

#[test]
fn nothing_there_is_everything_in_order() {
    let desired = resolved(quickstart());
    let mut nothing = live(&desired, &Owner::Ours);
    nothing.resource_group = None;
    nothing.topology = Topology {
        gateway: None,
        accounts: Default::default(),
        grants: Default::default(),
        backends: Default::default(),
        pools: Default::default(),
        apis: Default::default(),
        subscriptions: Default::default(),
        tags: Default::default(),
        ..nothing.topology
    };
    let plan = planned(&desired, &nothing);
    expect_test::expect![[r#"
        names
          + resource group  rg-quick in eastus2  (1s to 2s)
        service
          + gateway  apim-a7wkljktk6wne, BasicV2 x1 in eastus2  (1m6s to 3m20s)
        models
          + account eastus2  aoai-eastus2-a7wkljktk6wne, OpenAI in eastus2  (13s to 40s)
          + account swedencentral  aoai-swedencentral-a7wkljktk6wne, OpenAI in swedencentral  (13s to 40s)
          + deployment gpt of eastus2  gpt-4.1 2025-04-14, GlobalStandard 10K TPM  (10s to 30s)
          + deployment gpt of swedencentral  gpt-4.1 2025-04-14, GlobalStandard 10K TPM  (10s to 30s)
          + role on eastus2  Cognitive Services OpenAI User  (1s to 4s)
          + role on swedencentral  Cognitive Services OpenAI User  (1s to 4s)
        routing
          + backend eastus2  calls deployment gpt of eastus2, breaker default  (1s to 2s)
          + backend swedencentral  calls deployment gpt of swedencentral, breaker default  (1s to 2s)
          + pool gpt-pool  eastus2 (priority 1, weight 10), swedencentral (priority 1, weight 20)  (1s to 2s)
          + api openai  path /openai, 7 operations  (1s to 2s)
          + policy of openai  model-gpt-pool to pool gpt-pool  (1s to 2s)
          + subscription default  for api openai  (1s to 2s)
          + subscription probe  for api openai  (1s to 2s)
    "#]]
    .assert_eq(&shown(&plan));
}

#[test]
fn what_left_the_spec_is_deleted_from_the_top() {
    let before = {
        let mut before = quickstart();
        before.backends.insert("old".into(), topologies::backend("old", "eastus2", "old"));
        before.accounts.get_mut("eastus2").expect("it").deployments.insert("old".into(), topologies::deployment(1));
        let members = vec![Member { backend: "old".into(), priority: 1, weight: 1 }];
        before.pools.insert("old-pool".into(), Pool::new("old-pool", members));
        before.apis.insert("old".into(), topologies::api("old", &["old-pool"]));
        before.subscriptions.insert("old-team".into(), topologies::subscription("old-team", "old"));
        resolved(before)
    };
    let plan = planned(&resolved(quickstart()), &live(&before, &Owner::Ours));
    let order: Vec<String> = plan.deletions().iter().map(Address::to_string).collect();
    assert_eq!(
        order,
        ["subscription old-team", "api old", "pool old-pool", "backend old", "deployment old of eastus2"]
    );
    assert!(shown(&plan).contains("interrupts traffic: callers of this API get 404"));
}

fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect()
}

#[test]
fn what_this_version_does_not_do_is_refused_by_name() {
    let before = resolved(quickstart());
    let there = live(&before, &Owner::Ours);
    let refused = |change: fn(&mut Topology)| {
        let mut after = before.clone();
        change(&mut after);
        let plan = planned(&after, &there);
        (codes(&plan), plan.refusals.first().map(|refusal| refusal.to_string()).unwrap_or_default())
    };
    let (codes, text) = refused(|t| t.gateway.as_mut().expect("it").sku = GatewaySku::Premium);
    assert_eq!(codes, ["AL0511"]);
    assert!(text.contains("sku BasicV2 -> Premium"), "{text}");
    assert_eq!(refused(|t| t.accounts.get_mut("eastus2").expect("it").kind = AccountKind::AIServices).0, ["AL0511"]);
    let model = |t: &mut Topology| {
        let deployments = &mut t.accounts.get_mut("eastus2").expect("it").deployments;
        deployments.get_mut("gpt").expect("it").model.name = "gpt-5.1".into();
    };
    assert_eq!(refused(model).0, ["AL0511"]);
    let (codes, text) = refused(|t| {
        t.accounts.remove("swedencentral");
        t.grants.remove("swedencentral");
        t.backends.remove("swedencentral");
        t.pools.get_mut("gpt-pool").expect("it").members.pop();
    });
    assert_eq!(codes, ["AL0512"]);
    assert!(text.contains("accounts.swedencentral"), "{text}");
    let (codes, _) = refused(|t| {
        t.pools.insert("eastus2".into(), Pool::new("eastus2", Vec::new()));
        t.backends.remove("eastus2");
    });
    assert_eq!(codes, ["AL0513"]);
}

#[test]
fn a_version_and_a_capacity_change_in_place() {
    let before = resolved(quickstart());
    let mut after = before.clone();
    let deployments = &mut after.accounts.get_mut("eastus2").expect("it").deployments;
    let deployment = deployments.get_mut("gpt").expect("it");
    (deployment.capacity, deployment.model.version) = (20, "2026-01-01".into());
    let plan = planned(&after, &live(&before, &Owner::Ours));
    assert!(plan.refusals.is_empty());
    assert!(shown(&plan).contains("version 2025-04-14 -> 2026-01-01"), "{}", shown(&plan));
    assert!(shown(&plan).contains("capacity 10K TPM -> 20K TPM"));
}

#[test]
fn what_is_not_ours_is_listed_or_refused() {
    let desired = resolved(quickstart());
    let mut there = live(&desired, &Owner::Ours);
    there.topology.backends.insert("legacy".into(), topologies::backend("legacy", "eastus2", "gpt"));
    there.owners.insert(Address::Backend("legacy".into()), Owner::Stack("other/x".into()));
    there.topology.subscriptions.insert("someone".into(), topologies::subscription("someone", "openai"));
    there.owners.insert(Address::Subscription("someone".into()), Owner::Ours);
    there.undescribed.push("/subscriptions/s/odd".into());
    let plan = planned(&desired, &there);
    assert!(plan.is_empty());
    expect_test::expect![[r#"
        kept
          ? backend legacy  not in the spec, belongs to the stack other/x: left alone
          ? subscription someone  not in the spec; nobody can say whose it is: left alone
          ? /subscriptions/s/odd  of a kind that the spec cannot say: left alone
    "#]]
    .assert_eq(&shown(&plan));
    there.owners.insert(Address::Pool("gpt-pool".into()), Owner::Foreign);
    assert!(planned(&desired, &there).is_empty(), "equal and not ours is no change");
    there.topology.pools.get_mut("gpt-pool").expect("it").members[0].weight = 1;
    assert_eq!(codes(&planned(&desired, &there)), ["AL0510"]);
}

#[test]
fn a_path_has_one_api() {
    let before = resolved(quickstart());
    let mut after = before.clone();
    let renamed = after.apis.remove("openai").expect("it");
    after.apis.insert("oai".into(), Api { name: "oai".into(), path: "OpenAI".into(), ..renamed });
    after.subscriptions.values_mut().for_each(|subscription| subscription.access = Access::Api("oai".into()));
    let plan = planned(&after, &live(&before, &Owner::Ours));
    assert_eq!(codes(&plan), ["AL0513"]);
    assert!(
        plan.refusals[0].message.contains("the path `OpenAI` is that of the live api openai"),
        "{:?}",
        plan.refusals
    );

    // in place too: an API moves to where another still stands
    let mut two = before.clone();
    two.apis.insert("second".into(), topologies::api("second", &["gpt-pool"]));
    let mut moved = before.clone();
    moved.apis.get_mut("openai").expect("it").path = "second".into();
    assert_eq!(codes(&planned(&moved, &live(&two, &Owner::Ours))), ["AL0513"]);
}

#[test]
fn the_subscription_of_azure_itself_is_never_written() {
    let before = resolved(quickstart());
    let mut after = before.clone();
    after.subscriptions.insert("Master".into(), topologies::subscription("Master", "openai"));
    let plan = planned(&after, &live(&before, &Owner::Ours));
    assert_eq!((codes(&plan), plan.changes.len()), (vec!["AL0513"], 0));
}

#[test]
fn what_a_backend_that_stays_calls_stays_too() {
    let before = {
        let mut before = quickstart();
        before.accounts.get_mut("eastus2").expect("it").deployments.insert("old".into(), topologies::deployment(1));
        before.backends.insert("old".into(), topologies::backend("old", "eastus2", "old"));
        resolved(before)
    };
    let mut desired = resolved(quickstart());
    desired.backends.remove("eastus2");
    desired.grants.remove("eastus2");
    desired.pools.get_mut("gpt-pool").expect("it").members.remove(0);
    // nobody needs them: they go
    let there = live(&before, &Owner::Ours);
    let gone = planned(&desired, &there).deletions();
    let deployment = Address::Deployment { account: "eastus2".into(), deployment: "old".into() };
    assert!(gone.contains(&deployment) && gone.contains(&Address::Grant("eastus2".into())), "{gone:?}");
    // somebody else's pool has our backend: it stays, with its deployment and the role
    let mut shared = there.clone();
    let members = vec![Member { backend: "old".into(), priority: 1, weight: 1 }];
    shared.topology.pools.insert("theirs".into(), Pool::new("theirs", members));
    shared.owners.insert(Address::Pool("theirs".into()), Owner::Foreign);
    assert_eq!(planned(&desired, &shared).deletions(), [Address::Backend("eastus2".into())]);
    // the backend itself is somebody else's
    let mut foreign = there.clone();
    foreign.owners.insert(Address::Backend("old".into()), Owner::Foreign);
    let plan = planned(&desired, &foreign);
    assert_eq!(plan.deletions(), [Address::Backend("eastus2".into())]);
    assert!(shown(&plan).contains("the backend old, which stays, needs it: left alone"), "{}", shown(&plan));
}

#[test]
fn with_an_account_that_stays_all_in_it_stays() {
    let before = resolved(quickstart());
    let mut after = before.clone();
    after.accounts.remove("swedencentral");
    after.grants.remove("swedencentral");
    after.backends.remove("swedencentral");
    after.pools.get_mut("gpt-pool").expect("it").members.pop();
    let plan = planned(&after, &live(&before, &Owner::Ours));
    assert_eq!(codes(&plan), ["AL0512"]);
    assert_eq!(plan.deletions(), [Address::Backend("swedencentral".into())]);
}

#[test]
fn a_backend_cannot_take_the_name_of_a_live_pool() {
    let before = resolved(quickstart());
    let mut after = before.clone();
    after.pools.clear();
    after.backends.insert("gpt-pool".into(), topologies::backend("GPT-pool", "eastus2", "gpt"));
    let plan = planned(&after, &live(&before, &Owner::Ours));
    assert_eq!((codes(&plan), plan.deletions()), (vec!["AL0513"], vec![]));
    assert!(plan.refusals[0].message.contains("`GPT-pool` is the name of a live pool"), "{:?}", plan.refusals);
}

#[test]
fn a_pool_cannot_take_the_name_of_a_live_backend() {
    let before = resolved(quickstart());
    let mut after = before.clone();
    after.pools.insert("eastus2".into(), Pool::new("eastus2", Vec::new()));
    after.backends.remove("eastus2");
    after.pools.get_mut("gpt-pool").expect("it").members.remove(0);
    let plan = planned(&after, &live(&before, &Owner::Ours));
    assert_eq!((codes(&plan), plan.deletions()), (vec!["AL0513"], vec![]));
}

#[test]
fn where_callers_put_the_key_interrupts_and_the_reason_is_the_difference() {
    let desired = resolved(quickstart());
    let mut before = desired.clone();
    let api = before.apis.get_mut("openai").expect("it");
    api.keys.as_mut().expect("keys").header = "x-key".into();
    let Policy::Rendered(intent) = &mut api.policy else { panic!("ours") };
    intent.keys.as_mut().expect("keys").header = "x-key".into();
    let plan = planned(&desired, &live(&before, &Owner::Ours));
    let text = shown(&plan);
    assert_eq!(text.matches("interrupts traffic: callers that send the key as before get 401").count(), 1, "{text}");
    assert!(plan.changes.iter().all(|change| change.reason == "the spec and Azure differ"), "{:?}", plan.changes);
}

#[test]
fn an_operation_that_the_spec_does_not_have_goes_where_the_api_is_ours() {
    let desired = resolved(quickstart());
    let mut there = live(&desired, &Owner::Ours);
    let operations = &mut there.topology.apis.get_mut("openai").expect("it").operations;
    operations.insert("extra".into(), operations["embeddings"].clone());
    let extra = Address::Operation { api: "openai".into(), operation: "extra".into() };
    assert_eq!(planned(&desired, &there).deletions(), std::slice::from_ref(&extra));
    assert!(shown(&planned(&desired, &there)).contains("interrupts traffic: callers of this operation get 404"));
    there.owners.insert(Address::Api("openai".into()), Owner::Foreign);
    let plan = planned(&desired, &there);
    assert!(plan.is_empty());
    assert_eq!(plan.kept.iter().filter_map(|kept| kept.address.clone()).collect::<Vec<_>>(), [extra]);
}

#[test]
fn an_operation_that_moves_interrupts() {
    let desired = resolved(quickstart());
    let mut before = desired.clone();
    let operations = &mut before.apis.get_mut("openai").expect("it").operations;
    operations.get_mut("embeddings").expect("it").url_template = "/embeddings".into();
    operations.get_mut("completions").expect("it").display_name = "another".into();
    let text = shown(&planned(&desired, &live(&before, &Owner::Ours)));
    assert_eq!(text.matches("interrupts traffic: callers of the old url get 404").count(), 1, "{text}");
}

#[test]
fn only_a_route_that_goes_interrupts() {
    let before = resolved(quickstart());
    let mut after = before.clone();
    let pool = Pool { name: "other".into(), ..before.pools["gpt-pool"].clone() };
    after.pools.insert("other".into(), pool);
    let route = |topology: &mut Topology, name: &str, pool: &str| {
        let Policy::Rendered(intent) = &mut topology.apis.get_mut("openai").expect("it").policy else { panic!("ours") };
        intent.routes = Routes::ByName([(name.to_owned(), pool.to_owned())].into());
    };
    route(&mut after, "model-gpt-pool", "other");
    let moved = shown(&planned(&after, &live(&before, &Owner::Ours)));
    assert!(moved.contains("route model-gpt-pool gpt-pool -> other") && !moved.contains("interrupts"), "{moved}");
    route(&mut after, "another", "other");
    let gone = shown(&planned(&after, &live(&before, &Owner::Ours)));
    assert!(gone.contains("interrupts traffic: callers of a route that is gone get 404"), "{gone}");
}

#[test]
fn nothing_is_put_into_what_is_not_ours() {
    let desired = resolved(quickstart());
    let mut there = live(&desired, &Owner::Ours);
    let openai = Address::Api("openai".into());
    there.owners.insert(openai, Owner::Foreign);
    assert!(planned(&desired, &there).is_empty());
    let api = there.topology.apis.get_mut("openai").expect("it");
    api.policy = Policy::Other(String::new());
    api.operations.remove("embeddings");
    let plan = planned(&desired, &there);
    assert_eq!((codes(&plan), plan.changes.len()), (vec!["AL0510"], 0));
    let text = plan.refusals[0].to_string();
    assert!(
        text.contains("api openai exists and carries no mark of this stack; operation embeddings of openai and 1 more"),
        "{text}"
    );

    let mut there = live(&desired, &Owner::Ours);
    there.owners.insert(Address::Gateway, Owner::Stack("other/x".into()));
    there.owners.insert(Address::Account("eastus2".into()), Owner::Foreign);
    there.topology.accounts.get_mut("eastus2").expect("it").deployments.clear();
    there.topology.backends.remove("eastus2");
    there.topology.grants.remove("eastus2");
    let plan = planned(&desired, &there);
    assert_eq!(codes(&plan), ["AL0510", "AL0510"]);
    assert!(plan.refusals[0].message.contains("gateway exists and belongs to the stack other/x; backend eastus2"));
    assert_eq!(plan.sent().into_iter().collect::<Vec<_>>(), [Address::Grant("eastus2".into())]);
}

#[test]
fn what_the_spec_has_no_word_for_is_a_change_too() {
    let desired = resolved(quickstart());
    let mut there = live(&desired, &Owner::Ours);
    let say = |there: &mut Live, address: Address, pointer: &str, value: serde_json::Value| {
        let body = there.bodies.get_mut(&address).expect("a body");
        *body.pointer_mut(pointer).expect("a property") = value;
    };
    say(&mut there, Address::Api("openai".into()), "/properties/subscriptionRequired", false.into());
    say(&mut there, Address::Subscription("default".into()), "/properties/state", "suspended".into());
    expect_test::expect![[r#"
        routing
          ~ api openai  (1s to 2s)
              subscriptionRequired false -> true
              interrupts traffic: callers without a key get 401
          ~ subscription default  (1s to 2s)
              state suspended -> active
    "#]]
    .assert_eq(&shown(&planned(&desired, &there)));
    say(&mut there, Address::Account("eastus2".into()), "/properties/disableLocalAuth", false.into());
    assert_eq!(codes(&planned(&desired, &there)), ["AL0511"]);
}

#[test]
fn policies_that_differ_without_a_word_for_it_are_a_change() {
    let mut before = resolved(quickstart());
    let route = |topology: &mut Topology, routes| {
        let Policy::Rendered(intent) = &mut topology.apis.get_mut("openai").expect("it").policy else { panic!("ours") };
        intent.routes = routes;
    };
    let mut after = before.clone();
    route(&mut before, Routes::All("gpt-pool".into()));
    route(&mut after, Routes::ByName([("*".to_owned(), "gpt-pool".to_owned())].into()));
    let plan = planned(&after, &live(&before, &Owner::Ours));
    assert_eq!(plan.sent().into_iter().collect::<Vec<_>>(), [Address::Policy("openai".into())]);
}

#[test]
fn a_foreign_policy_is_shown_as_a_diff() {
    let desired = resolved(quickstart());
    let mut there = live(&desired, &Owner::Ours);
    there.topology.apis.get_mut("openai").expect("it").policy =
        Policy::Other("<policies>\n  <inbound />\n</policies>\n".into());
    let scope = Scope {
        rendered: [("openai".to_owned(), "<policies>\n  <inbound>\n  </inbound>\n</policies>\n".to_owned())].into(),
        ..Scope::default()
    };
    let plan = plan(&desired, &there, &scope);
    assert_eq!(plan.sent().into_iter().collect::<Vec<_>>(), [Address::Policy("openai".into())]);
    assert!(shown(&plan).contains("-  <inbound />"), "{}", shown(&plan));
}

#[test]
fn a_held_name_waits_for_a_choice() {
    let desired = resolved(quickstart());
    let mut there = live(&desired, &Owner::Ours);
    there.topology.accounts.remove("eastus2");
    there.topology.grants.remove("eastus2");
    there.soft_deleted.push(SoftDeleted {
        address: Some(Address::Account("eastus2".into())),
        name: "aoai-eastus2-a7wkljktk6wne".into(),
        id: "/subscriptions/s/providers/p/locations/eastus2/resourceGroups/rg-quick/deletedAccounts/x".into(),
        location: Location::new("eastus2"),
        resource_group: "RG-quick".into(),
        scheduled_purge: Some(Time::ZERO + Duration::from_secs(172_800)),
        owner: Owner::Ours,
    });
    let blocked = planned(&desired, &there);
    assert_eq!(blocked.blocked.len(), 1);
    assert!(!blocked.is_empty());
    assert!(shown(&blocked).contains("hint: `--recover aoai-eastus2-a7wkljktk6wne`"), "{}", shown(&blocked));
    let choice = |recover: &[&str], purge: &[&str]| Scope {
        recover: recover.iter().map(ToString::to_string).collect(),
        purge: purge.iter().map(ToString::to_string).collect(),
        ..Scope::default()
    };
    let plan = |desired: &Topology, there: &Live, scope: &Scope| plan(desired, &seen(there), scope);
    let actions = |plan: &Plan| {
        let about = plan.changes.iter().filter(|change| change.address == Address::Account("eastus2".into()));
        about.map(|change| change.action.clone()).collect::<Vec<_>>()
    };
    let recovered = plan(&desired, &there, &choice(&["AOAI-eastus2-a7wkljktk6wne"], &[]));
    assert_eq!((actions(&recovered), recovered.blocked.len()), (vec![Action::Recover], 0));
    let purged = plan(&desired, &there, &choice(&[], &["eastus2"]));
    assert_eq!(actions(&purged), [Action::Purge, Action::Create]);
    assert_eq!(
        codes(&plan(&desired, &there, &choice(&["eastus2"], &["eastus2"]))),
        [code::RECOVERY_IMPOSSIBLE.as_str()]
    );
    there.soft_deleted[0].owner = Owner::Stack("other/x".into());
    let refused = plan(&desired, &there, &choice(&["eastus2"], &[]));
    assert_eq!(codes(&refused), [code::RECOVERY_IMPOSSIBLE.as_str()]);
    assert!(refused.refusals[0].message.contains("not this stack's"), "{:?}", refused.refusals);
    there.soft_deleted[0].owner = Owner::Ours;
    there.soft_deleted[0].resource_group = "rg-other".into();
    assert_eq!(codes(&plan(&desired, &there, &choice(&["eastus2"], &[]))), [code::RECOVERY_IMPOSSIBLE.as_str()]);
    there.soft_deleted[0].resource_group = String::new();
    assert!(plan(&desired, &there, &choice(&["eastus2"], &[])).refusals.is_empty());
    there.soft_deleted[0].location = Location::new("westus");
    assert_eq!(codes(&plan(&desired, &there, &choice(&["eastus2"], &[]))), [code::RECOVERY_IMPOSSIBLE.as_str()]);
    for recovering in [&recovered, &purged] {
        let mut state = there.clone();
        recovering.changes.iter().for_each(|change| apply(&mut state, &desired, change));
        assert!(planned(&desired, &state).is_empty());
    }
}
