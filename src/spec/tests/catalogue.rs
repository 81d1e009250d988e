//! Every warning that the catalogue gives fires where it should, and not beside it.

use super::super::*;
use super::{BASE, check, said};
use crate::catalogue::{Kind, MODELS, TIERS, model, tier};
use crate::topology::GatewaySku;

/// What is said on a day.
fn said_on(day: &str, text: &str) -> Vec<String> {
    let today = Time::from_rfc3339(&format!("{day}T12:00:00Z"));
    assert!(today.is_some(), "{day}");
    said(text, &Options { today, ..Options::default() })
}

/// The first problem of [`BASE`] with one piece replaced.
fn first(from: &str, to: &str) -> Diagnostic {
    assert!(BASE.contains(from), "the base has no {from}");
    let problems = match load(&BASE.replace(from, to), &Options::default()) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    problems.into_iter().next().expect("a problem")
}

#[test]
fn a_model_that_nobody_knows_is_a_warning() {
    let text = BASE.replace("gpt-4.1", "gpt-41");
    assert_eq!(said(&text, &Options::default()), ["AL0319 `gpt-41` `gpt-41` is no model that this program knows"]);
    let problem = first("gpt-4.1", "gpt-41");
    assert_eq!(problem.label.as_deref(), Some("did you mean `gpt-4.1`?"));
    assert_eq!(problem.notes, ["the same holds for `gpt` of east and `gpt` of north"]);
    assert_eq!(problem.key.as_deref(), Some("accounts.east.deployments.ptu.model"));
    // told at the first of the file, whatever the keys are called
    let renamed =
        BASE.replace("  east:", "  zulu:").replace("account: east", "account: zulu").replace("gpt-4.1", "gpt-41");
    let problem = load(&renamed, &Options::default()).expect("a spec").warnings.remove(0);
    assert_eq!(problem.key.as_deref(), Some("accounts.zulu.deployments.ptu.model"));
    // letters do not count
    assert_eq!(said(&BASE.replace("gpt-4.1", "GPT-4.1"), &Options::default()), [""; 0]);
    // other publishers' models are not in the table
    let foundry = |format: &str| {
        let text = BASE.replace("model: gpt-4.1", &format!("format: {format}, model: DeepSeek-V3.2"));
        said(&text.replace("    location:", "    kind: AIServices\n    location:"), &Options::default()).len()
    };
    assert_eq!((foundry("DeepSeek"), foundry("OpenAI")), (0, 1));
    assert_eq!(said(&BASE.replace("gpt-4.1", "DeepSeek-V3.2"), &Options::default()).len(), 1);
}

#[test]
fn a_version_that_nobody_knows_is_a_warning() {
    let problem = first("2025-04-14", "2025-04-15");
    assert_eq!(
        problem.to_string(),
        "warning[AL0320]: `2025-04-15` is no version of `gpt-4.1` that this program knows (accounts.east.deployments.ptu.version)"
    );
    assert_eq!(problem.help.as_deref(), Some("write `2025-04-14`"));
    assert_eq!(first("2025-04-14", "0613").help.as_deref(), Some("use `2025-04-14`"));
}

#[test]
fn a_model_is_judged_on_its_day() {
    // without a day only what had ended when the table was made
    assert_eq!(said(BASE, &Options::default()), [""; 0]);
    assert_eq!(said_on("2026-07-15", BASE), [""; 0]);
    assert_eq!(said_on("2026-07-16", BASE), ["AL0322 `gpt-4.1` `gpt-4.1` 2025-04-14 ends on 2026-10-14"]);
    assert_eq!(said_on("2026-10-13", BASE), ["AL0322 `gpt-4.1` `gpt-4.1` 2025-04-14 ends on 2026-10-14"]);
    assert_eq!(said_on("2026-10-14", BASE), ["AL0321 `gpt-4.1` `gpt-4.1` 2025-04-14 ended on 2026-10-14"]);
    let options = Options { today: Time::from_rfc3339("2026-10-13T00:00:00Z"), ..Options::default() };
    let warnings = load(BASE, &options).expect("a spec").warnings;
    assert_eq!(warnings[0].label.as_deref(), Some("in 1 day"));
    assert_eq!(warnings[0].help.as_deref(), Some("move to gpt-5.1 2025-11-13, which lasts until 2027-05-15"));
    assert_eq!(warnings[0].notes, ["the same holds for `gpt` of east and `gpt` of north"]);
    let text = BASE.replace("gpt-4.1, version: \"2025-04-14\"", "gpt-35-turbo, version: \"0613\"");
    assert_eq!(said(&text, &Options::default())[0], "AL0321 `gpt-35-turbo` `gpt-35-turbo` 0613 ended");
}

#[test]
fn a_successor_lasts_and_is_of_the_same_kind() {
    for gone in
        MODELS.iter().filter(|model| model.kind != Kind::Media && (model.has_ended(None) || !model.retires.is_empty()))
    {
        let text = BASE
            .replace("gpt-4.1", gone.name)
            .replace("\"2025-04-14\"", &format!("\"{}\"", gone.version))
            .replace("sku: ProvisionedManaged, capacity: 50", "capacity: 1");
        let day = if gone.retires.is_empty() { "2026-08-20" } else { gone.retires };
        let options = Options { today: Time::from_rfc3339(&format!("{day}T00:00:00Z")), ..Options::default() };
        let warnings = load(&text, &options).expect("a spec").warnings;
        let problem = warnings.iter().find(|problem| problem.code == code::MODEL_RETIRED);
        let help =
            problem.and_then(|problem| problem.help.as_deref()).unwrap_or_else(|| panic!("{text}: {warnings:?}"));
        let Some(next) = help.strip_prefix("move to ").and_then(|rest| model(rest.split(' ').next()?, None)) else {
            assert!(help.contains("az cognitiveservices model list"), "{help}");
            continue;
        };
        assert!(next.kind == gone.kind && !next.has_ended(Some(day)) && next.name != gone.name, "{help}");
    }
}

#[test]
fn a_region_offers_what_it_offers() {
    let east = "sku: ProvisionedManaged, capacity: 50";
    check(east, "sku: GlobalProvisionedManaged, capacity: 50", &[]);
    check("location: swedencentral", "location: italynorth", &[]);
    check(
        "version: \"2025-04-14\", capacity: 100 }\nbreakers",
        "version: \"2025-04-14\", sku: Standard, capacity: 100 }\nbreakers",
        &[],
    );
    let text = BASE.replacen("capacity: 100 }\nbreakers", "sku: Standard, capacity: 100 }\nbreakers", 1);
    assert_eq!(
        said(&text.replace("swedencentral", "norwayeast"), &Options::default()),
        ["AL0323 `Standard` norwayeast offered no Standard of `gpt-4.1` 2025-04-14"]
    );
    let text = BASE.replace("gpt-4.1", "gpt-5.1").replace("2025-04-14", "2025-11-13");
    let warnings = load(&text, &Options::default()).expect("a spec").warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(warnings[0].message, "eastus2 offered no ProvisionedManaged of `gpt-5.1` 2025-11-13");
    assert_eq!(warnings[0].help.as_deref(), Some("use `GlobalProvisionedManaged`, `DataZoneProvisionedManaged` here"));
    assert_eq!(warnings[0].label.as_deref(), Some("on 2026-04-30, as Azure's table has it"));
    // a region that is not known is said to be so, and no more
    check(
        "location: swedencentral",
        "location: sweden",
        &["AL0318 `sweden` `sweden` is no region that this program knows"],
    );
}

#[test]
fn units_are_sold_in_steps() {
    let units = |sku: &str, capacity: u32| {
        first("sku: ProvisionedManaged, capacity: 50", &format!("sku: {sku}, capacity: {capacity}")).to_string()
    };
    check("capacity: 50", "capacity: 100", &[]);
    check("capacity: 50", "capacity: 49", &["AL0324 `49` ProvisionedManaged of `gpt-4.1` is not sold as 49 units"]);
    check("capacity: 50", "capacity: 75", &["AL0324 `75` ProvisionedManaged of `gpt-4.1` is not sold as 75 units"]);
    check("sku: ProvisionedManaged, capacity: 50", "sku: DataZoneProvisionedManaged, capacity: 20", &[]);
    assert!(units("GlobalProvisionedManaged", 14).contains("not sold as 14 units"));
    assert!(units("DataZoneProvisionedManaged", 16).contains("not sold as 16 units"));
    let help = |capacity: &str| first("capacity: 50", capacity).help.unwrap_or_default();
    assert_eq!((help("capacity: 49"), help("capacity: 75")), ("use 50".into(), "use 50 or 100".into()));
}

#[test]
fn a_quota_is_named_once_with_what_is_asked_of_it() {
    let third = "  north:\n    location: swedencentral\n    deployments:\n";
    let more = format!("{third}      gpt-2: {{ model: GPT-4.1, version: \"2025-04-14\", capacity: 50 }}\n");
    let text = BASE.replace(third, &more);
    let warnings = load(&text, &Options::default()).expect("a spec").warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(
        warnings[0].message,
        "`gpt` of north and `gpt-2` of north draw on one quota: GlobalStandard gpt-4.1 in swedencentral"
    );
    assert_eq!(warnings[0].label.as_deref(), Some("together they ask for 150K TPM of it"));
    // the pool has one of the two
    let help = warnings[0].help.as_deref();
    assert_eq!(help, Some("use another region or another sku: what one has, the others have not"));
    let one_region = load(&BASE.replace("swedencentral", "eastus2"), &Options::default()).expect("a spec").warnings;
    let shared: Vec<_> = one_region.iter().filter(|problem| problem.code == code::SHARED_QUOTA).collect();
    let [shared] = shared.as_slice() else { panic!("{one_region:?}") };
    assert_eq!(shared.label.as_deref(), Some("together they ask for 200K TPM of it"));
    let help = shared.help.as_deref();
    assert_eq!(help, Some("use another region or another sku: balancing between them adds no tokens a minute"));
    // provisioned units are each deployment's own, another SKU has another quota
    check(
        third,
        &format!(
            "{third}      gpt-2: {{ model: gpt-4.1, version: \"2025-04-14\", sku: DataZoneStandard, capacity: 50 }}\n"
        ),
        &[],
    );
    check(
        "      ptu: {",
        "      ptu-2: { model: gpt-4.1, version: \"2025-04-14\", sku: ProvisionedManaged, capacity: 50 }\n      ptu: {",
        &[],
    );
}

#[test]
fn what_is_called_provisioned_should_be() {
    let sku = "ptu: { model: gpt-4.1, version: \"2025-04-14\", sku: ProvisionedManaged, capacity: 50 }";
    check(
        sku,
        "ptu: { model: gpt-4.1, version: \"2025-04-14\", sku: DataZoneStandard, capacity: 50 }",
        &["AL0325 `DataZoneStandard` `ptu` is called provisioned, and is DataZoneStandard"],
    );
    let backend = BASE.replace("second", "east-PTU");
    assert_eq!(
        said(&backend, &Options::default()),
        ["AL0325 `gpt` the backend `east-PTU` is called provisioned, and `gpt` is GlobalStandard"]
    );
    let account = BASE.replace("north", "ptu-north");
    assert_eq!(
        said(&account, &Options::default()),
        ["AL0325 `ptu-north` the account `ptu-north` is called provisioned, and none of its deployments is"]
    );
    assert_eq!(
        said(&BASE.replace("east:", "ptu:").replace("account: east", "account: ptu"), &Options::default()),
        [""; 0]
    );
}

#[test]
fn a_provisioned_member_is_not_left_alone_for_long() {
    let wasteful = |to: &str| {
        let text = BASE.replace("first: { account: east, deployment: ptu }", to);
        said(&text, &Options::default())
    };
    assert_eq!(
        wasteful("first: { account: east, deployment: ptu, breaker: default }"),
        ["AL0326 `default` `first` is provisioned, and the breaker `default` stays open for 1m after a 429"]
    );
    let rule = |rule: &str| {
        let text = BASE.replace("breakers:\n", &format!("breakers:\n  ptu: {rule}\n"));
        said(&text, &Options::default())
    };
    assert_eq!(
        rule("{ tripDuration: 5s, acceptRetryAfter: false }"),
        [
            "AL0326 `5s` `first` is provisioned, and the breaker `ptu` stays open for 5s after a 429, whatever Retry-After says"
        ]
    );
    for fine in [
        "{ tripDuration: 10s }",
        "{ tripDuration: 2s, acceptRetryAfter: false }",
        "{ tripDuration: 1h, statusCodes: [5xx] }",
    ] {
        assert_eq!(rule(fine), [""; 0], "{fine}");
    }
    assert_eq!(rule("{ tripDuration: 11s }").len(), 1);
}

#[test]
fn retries_reach_the_next_priority_and_no_further() {
    let text = |members: usize, retries: u32| {
        let deployments: String = (0..members)
            .map(|n| {
                format!(
                    "      p{n}: {{ model: gpt-4.1, version: \"2025-04-14\", sku: ProvisionedManaged, capacity: 50 }}\n"
                )
            })
            .collect();
        let backends: String =
            (0..members).map(|n| format!("  b{n}: {{ account: east, deployment: p{n} }}\n")).collect();
        let listed: String = (0..members).map(|n| format!("      - {{ backend: b{n} }}\n")).collect();
        BASE.replace("      ptu: {", &format!("{deployments}      ptu: {{"))
            .replace("  first:", &format!("{backends}  first:"))
            .replace("      - { backend: first }\n", &listed)
            .replace("retry: { count: 2 }", &format!("retry: {{ count: {retries} }}"))
    };
    let said = |members: usize, retries: u32| said(&text(members, retries), &Options::default());
    assert_eq!(said(3, 2), ["AL0327 `2` 2 retries of `openai` may all fail in the first priority of `main`"]);
    assert_eq!((said(3, 3), said(2, 2), said(4, 0)), (vec![], vec![], vec![]));
    assert_eq!(said(1, 3), ["AL0328 `3` 3 retries of `openai` are more than its members can take"]);
    assert_eq!((said(2, 3), said(3, 4)), (vec![], vec![]));
    check("retry: { count: 2 }", "retry: { count: 9, interval: 1s }", &[]);
    check("count: 1,", "percentage: 10,", &[]);
    let patient = BASE.replace("retry: { count: 2 }", "retry: { count: 4 }").replace("count: 1,", "count: 3,");
    assert_eq!(super::said(&patient, &Options::default()), [""; 0]);
    let problem = first("retry: { count: 2 }", "retry: { count: 3 }");
    assert_eq!(problem.help.as_deref(), Some("use a retry count of 2, or an `interval` in which a breaker may close"));
    assert_eq!(problem.label.as_deref(), Some("after 3 failures every breaker is open"));
}

#[test]
fn a_breaker_is_there_for_a_backend() {
    check(
        "breakers:\n",
        "breakers:\n  patient: { count: 9 }\n",
        &["AL0329 `patient` no backend has the breaker `patient`"],
    );
    // misspelt at its only use, it is not unused as well
    check("breaker: fast", "breaker: fsat", &["AL0201 `fsat` there is no breaker `fsat`"]);
}

#[test]
fn samples_are_recognised_by_their_publisher() {
    let email = |address: &str| said(&BASE.replace("ai@contoso.com", address), &Options::default()).len();
    for sample in
        ["publisher@contoso.com", "Test@test.com", "me@example.com", "me@mail.example.org", "noreply@microsoft.com"]
    {
        assert_eq!(email(sample), 1, "{sample}");
    }
    for fine in ["ops@contoso.com", "me@myexample.com", "publisher@contoso.org"] {
        assert_eq!(email(fine), 0, "{fine}");
    }
    let name =
        |name: &str| said(&BASE.replace("publisher: {", &format!("publisher: {{ name: {name},")), &Options::default());
    assert_eq!(name("Contos Publisher"), ["AL0314 `Contos Publisher` the publisher's name is the one of a sample"]);
    assert_eq!(name("Contoso"), [""; 0]);
}

#[test]
fn a_sku_without_calls_is_refused_by_name() {
    let sku = |sku: &str| said(&BASE.replace("sku: ProvisionedManaged", &format!("sku: {sku}")), &Options::default());
    for name in ["GlobalBatch", "DataZoneBatch", "DeveloperTier"] {
        assert_eq!(sku(name), [format!("AL0224 `{name}` {name} cannot stand behind a pool")]);
    }
    assert_eq!(sku("Globalbatch"), ["AL0224 `Globalbatch` GlobalBatch cannot stand behind a pool"]);
    assert_eq!(sku("S0"), ["AL0114 `S0` `sku` cannot be `S0`"]);
    // the rest is still checked
    let text = BASE.replace("sku: ProvisionedManaged", "sku: GlobalBatch").replace("gpt: main", "gpt: mian");
    assert_eq!(said(&text, &Options::default()).len(), 2);
}

/// Trap 7 and 33: the rule has every tier of the catalogue, with its limits.
#[test]
fn every_tier_keeps_to_its_units() {
    assert_eq!(GatewaySku::ALL.len(), TIERS.len());
    for sku in GatewaySku::ALL {
        let found = tier(sku.as_str()).expect("a tier of the catalogue");
        let refused = |units: u32| {
            let text = BASE.replace("sku: BasicV2", &format!("sku: {}\n  capacity: {units}", sku.as_str()));
            said(&text, &Options::default()).iter().any(|problem| problem.starts_with("AL0205"))
        };
        assert!(!refused(found.min) && !refused(found.max), "{}", found.name);
        assert!(found.min == 0 || refused(found.min - 1), "{}", found.name);
        // how far a Premium service scales is a matter of asking
        assert_eq!(refused(found.max + 1), sku != GatewaySku::Premium, "{}", found.name);
    }
}

/// Trap 35: what a name may be, and that a name which is put together is not too long.
#[test]
fn names_with_dots_and_capitals_are_fine_and_long_ones_are_not() {
    let text = BASE.replace("second", "gpt-4.1-PAYG_eastus2").replace("main", "gpt-4.1-Pool");
    assert_eq!(said(&text, &Options::default()), [""; 0]);
    let backends = BASE.find("backends:").zip(BASE.find("pools:")).expect("both");
    let long = format!("{}{}", &BASE[..backends.0], &BASE[backends.1..])
        .replace(
            "      gpt: { model: gpt-4.1, version: \"2025-04-14\", capacity: 100 }\nbreakers",
            &format!(
                "      {}: {{ model: gpt-4.1, version: \"2025-04-14\", capacity: 100 }}\nbreakers",
                "g".repeat(64)
            ),
        )
        .replace("north", &"n".repeat(20));
    let problems = said(&long, &Options::default());
    assert!(
        problems.iter().any(|problem| problem.starts_with("AL0202") && problem.contains("is no name for a backend")),
        "{problems:?}"
    );
    check("  fast:", "  Fast-1:", &["AL0201 `fast` there is no breaker `fast`"]);
}

/// What the quickstart of Azure-Samples says (C1), as a spec of ours: what is wrong with it is told.
#[test]
fn the_quickstart_of_the_samples_is_told_what_it_lacks() {
    let text = r#"version: 1
name: quickstart
azure: { resourceGroup: rg, location: eastus }
gateway: { sku: BasicV2, publisher: { name: Contos Publisher, email: publisher@contoso.com } }
accounts:
  cog1: { location: eastus, deployments: { openaideploy1: { model: gpt-35-turbo, version: "0613", sku: Standard, capacity: 10 } } }
  cog2: { location: eastus, deployments: { openaideploy2: { model: gpt-35-turbo, version: "0613", sku: Standard, capacity: 10 } } }
breakers:
  default: { count: 3, interval: PT5M, statusCodes: [429], tripDuration: PT1M }
backends:
  backend1: { account: cog1, deployment: openaideploy1 }
  backend2: { account: cog2, deployment: openaideploy2 }
pools:
  openai-backend-pool: { members: [{ backend: backend1, weight: 10 }, { backend: backend2, weight: 20 }] }
apis:
  openai: { pool: openai-backend-pool, retry: { count: 0 } }
"#;
    let codes: Vec<String> =
        said(text, &Options::default()).iter().map(|said| said.chars().take(6).collect()).collect();
    assert_eq!(codes, ["AL0314", "AL0314", "AL0310", "AL0321", "AL0311", "AL0315"]);
}

/// Two deployments of which one is only called provisioned (C9).
#[test]
fn a_ptu_by_name_alone_is_told() {
    let text = r#"version: 1
name: landing-zone
azure: { resourceGroup: rg, location: eastus2 }
gateway: { sku: StandardV2, publisher: { email: ai@contoso.com } }
accounts:
  ptu: { location: eastus2, deployments: { gpt: { model: gpt-4o, version: "2024-11-20", capacity: 100 } } }
  paygo: { location: eastus2, deployments: { gpt: { model: gpt-4o, version: "2024-11-20", capacity: 50 } } }
breakers:
  default: { count: 1, statusCodes: [429], tripDuration: PT1M }
pools:
  chat: { members: [{ backend: ptu-gpt }, { backend: paygo-gpt, priority: 2 }] }
apis:
  openai: { pool: chat, retry: { count: 1 } }
"#;
    let problems = load(text, &Options::default()).expect("a spec").warnings;
    let codes: Vec<&str> = problems.iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(codes, ["AL0310", "AL0325", "AL0311"]);
    assert_eq!(problems[2].label.as_deref(), Some("together they ask for 150K TPM of it"));
}
