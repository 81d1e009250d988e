//! The quickstart, end to end, as the issue tells it: render, plan, deploy, drift, destroy, purge.

use super::{Place, emulator::Server};
use serde_json::Value;
use std::process::Stdio;

const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-0000-0000-000000000001";
const DEPLOY: &str = "deploy quickstart.yaml --cloud local --yes";
const PLAN: &str = "plan quickstart.yaml --cloud local --detailed-exitcode";
const DESTROY: &str = "destroy quickstart.yaml --cloud local --yes";

fn deployed() -> Place {
    let place = Place::quickstart();
    place.run(DEPLOY).exits(0);
    place
}

#[test]
fn the_first_deploy_tells_its_story() {
    let place = Place::quickstart();
    place.run("plan quickstart.yaml --cloud local").exits(0).snapshot("plan-first");
    let run = place.run(DEPLOY).exits(0);
    // what runs side by side may end in any order
    let mut told = run.err.clone();
    told.truncate(run.err.find("Deploying").unwrap());
    super::snapshot("deploy-first", &format!("--- stdout\n{}--- stderr\n{told}", run.out));
    assert!(run.out.contains("https://") && !run.out.contains('\x1b') && !run.err.contains('\x1b'));
    place.run(PLAN).exits(0).snapshot("plan-empty");
}

#[test]
fn a_changed_weight_is_one_change_in_the_specs_words() {
    let place = deployed();
    place.edit("quickstart.yaml", "weight: 10", "weight: 30");
    let plan = place.run(PLAN).exits(2);
    assert!(plan.out.contains("weight 10 -> 30"), "{}", plan.out);
    plan.snapshot("plan-weight");
    let json = place.run(&format!("{PLAN} --output json")).exits(2).json();
    let changes = json["plan"]["changes"].as_array().unwrap();
    assert_eq!((changes.len(), &changes[0]["kind"], &changes[0]["action"]), (1, &"pool".into(), &"update".into()));
    place.run(&format!("{DEPLOY} --events events.ndjson")).exits(0).snapshot_without_times("deploy-weight");
    place.run(PLAN).exits(0);
    let events = place.read("events.ndjson");
    for (n, line) in events.lines().enumerate() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["seq"], n);
        assert!(event["type"].is_string() && event["at"].is_string());
    }
    assert!(events.lines().last().unwrap().contains(r#""type":"end""#));
}

#[test]
fn a_change_behind_our_back_is_drift() {
    let place = deployed();
    let server = Server::start(&place);
    let pool = pool(&server);
    let url = format!("{}?api-version=2024-05-01", pool["id"].as_str().unwrap());
    let mut body = serde_json::json!({ "properties": pool["properties"] });
    let members = body["properties"]["pool"]["services"].as_array_mut().unwrap();
    let member = members.iter_mut().find(|member| member["weight"] == 10).unwrap();
    member["weight"] = 30.into();
    let put = server.send("PUT", &url, &body.to_string());
    assert!([200, 201].contains(&put.status), "{put:?}");

    let plan = place.run(PLAN).exits(2);
    assert!(plan.out.contains("weight 30 -> 10"), "{}", plan.out);
    place.run(DEPLOY).exits(0);
    place.run(PLAN).exits(0);
}

/// The quickstart's pool, as the emulator shows it.
fn pool(server: &Server) -> Value {
    let group = format!("{SUBSCRIPTION}/resourceGroups/");
    let groups = server.send("GET", &format!("{SUBSCRIPTION}/resourcegroups?api-version=2021-04-01"), "").json();
    let name = groups["value"][0]["name"].as_str().unwrap().to_owned();
    let services = format!("{group}{name}/providers/Microsoft.ApiManagement/service");
    let services_found = server.send("GET", &format!("{services}?api-version=2024-05-01"), "").json();
    let service = services_found["value"][0]["name"].as_str().unwrap();
    let backends = server.send("GET", &format!("{services}/{service}/backends?api-version=2024-05-01"), "").json();
    let backends = backends["value"].as_array().unwrap();
    backends.iter().find(|backend| backend["properties"]["type"] == "Pool").unwrap().clone()
}

#[test]
fn render_is_byte_stable_and_check_holds_it() {
    let place = Place::quickstart();
    place.run("render quickstart.yaml -o out").exits(0);
    for name in ["main.bicep", "main.json", "policy.xml", "main.bicepparam"] {
        assert!(!place.read(&format!("out/{name}")).is_empty());
    }
    assert!(std::fs::read_dir(place.path("out/modules")).unwrap().count() > 0);
    place.run("render quickstart.yaml -o again").exits(0);
    assert_eq!(place.read("out/main.json"), place.read("again/main.json"));
    assert_eq!(place.run("render quickstart.yaml").exits(0).out, place.read("out/main.bicep"));

    let check = "render quickstart.yaml -o out --check";
    place.run(check).exits(0);
    place.run("render quickstart.yaml -o out").exits(0).says("up to date");
    place.write("out/policy.xml", "<policies/>");
    place.write("out/modules/old.bicep", "// rendered by aoai-lb\n");
    place.write("out/modules/mine.bicep", "// my own\n");
    std::fs::remove_file(place.path("out/main.json")).unwrap();
    place.run(check).exits(1).snapshot("render-check");
    place.run("render quickstart.yaml -o out").exits(0).says("no longer rendered");
    place.run(check).exits(0);
    assert!(!place.path("out/modules/old.bicep").exists() && place.path("out/modules/mine.bicep").exists());
}

#[test]
fn a_file_of_somebody_else_is_not_overwritten() {
    let place = Place::quickstart();
    place.write("mine/main.bicep", "// my own project\n");
    let refused = place.run("render quickstart.yaml -o mine").exits(1).says("AL0911").says("mine/main.bicep");
    assert!(refused.says("`-o`").out.is_empty());
    assert_eq!(place.read("mine/main.bicep"), "// my own project\n");
    assert_eq!(std::fs::read_dir(place.path("mine")).unwrap().count(), 1, "something was written");
    // every file that we write has the mark, so that what is ours is known as ours
    place.run("render quickstart.yaml -o out").exits(0);
    for name in ["main.bicep", "main.json", "policy.xml", "main.bicepparam", "modules/role-assignment.bicep"] {
        assert!(place.read(&format!("out/{name}")).contains("aoai-lb"), "{name}");
    }
    place.write("file", "");
    place.run("render quickstart.yaml -o file").exits(1).says("AL0905").says("is a file, not a folder");
}

#[test]
fn a_folder_that_cannot_be_written_gets_nothing() {
    let place = Place::quickstart();
    place.write("out/modules", "a file where a folder should be");
    place.run("render quickstart.yaml -o out").exits(1).says("AL0905");
    assert_eq!(std::fs::read_dir(place.path("out")).unwrap().count(), 1, "something was written");
}

#[test]
fn the_long_form_means_the_same() {
    let place = Place::quickstart();
    for name in super::examples() {
        let long = place.run(&format!("render {name}.yaml --expanded")).exits(0).out;
        place.write("long.yaml", &long);
        assert_eq!(place.run("render long.yaml").exits(0).out, place.run(&format!("render {name}.yaml")).exits(0).out);
        assert_eq!(place.run("render long.yaml --expanded").exits(0).out, long, "{name}");
    }
}

#[test]
fn destroy_leaves_names_or_nothing() {
    let place = deployed();
    place.run(DESTROY).exits(0).says("soft-deleted");
    // the names are held: said before anything is written
    let before = place.read(".aoai-lb/local/state.json");
    let refused = place.run(DEPLOY).exits(5);
    assert!(refused.err.contains("--recover") && refused.err.contains("--purge"), "{}", refused.err);
    assert_eq!(before, place.read(".aoai-lb/local/state.json"), "a refused deploy wrote something");

    let plan = place.run(&format!("{PLAN} --output json")).exits(2).json();
    let names: Vec<String> = plan["plan"]["blocked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|blocked| blocked["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 3, "a service and two accounts");
    let first = &names[0];
    place.run(&format!("{DEPLOY} --recover all --purge {first}")).exits(5).says("recovered and purged at once");
    place.run(&format!("{DEPLOY} --recover {first}")).exits(5).says(&names[1]);
    place.run(&format!("{DEPLOY} --recover apim-nobody")).exits(64).says("AL0910").says(first);
    place.run(&format!("{DEPLOY} --recover all")).exits(0);
    place.run(PLAN).exits(0);

    place.run(DESTROY).exits(0);
    let purge = format!("{DEPLOY} --purge {}", names.join(" --purge "));
    place.run(&purge).exits(0);
    place.run(PLAN).exits(0);

    place.run(&format!("{DESTROY} --purge-soft-deleted")).exits(0);
    let server = Server::start(&place);
    for (list, version) in [
        ("resourcegroups", "2021-04-01"),
        ("resources", "2021-04-01"),
        ("providers/Microsoft.ApiManagement/deletedservices", "2024-05-01"),
        ("providers/Microsoft.CognitiveServices/deletedAccounts", "2024-10-01"),
    ] {
        let answer = server.send("GET", &format!("{SUBSCRIPTION}/{list}?api-version={version}"), "");
        assert_eq!((answer.status, &answer.json()["value"]), (200, &serde_json::json!([])), "{list}");
    }
    place.run(&format!("{DESTROY} --purge-soft-deleted")).exits(0).says("Nothing to delete");
    place.run(DEPLOY).exits(0);
}

#[test]
fn destroy_of_nothing_is_nothing() {
    let place = Place::quickstart();
    place.run(DESTROY).exits(0).says("Nothing to delete");
}

#[test]
fn without_a_terminal_nothing_asks() {
    let place = Place::quickstart();
    place.run("deploy quickstart.yaml --cloud local").exits(64).says("AL0904").says("--yes");
    place.run("deploy quickstart.yaml --cloud local --no-input").exits(64).says("--yes");
    place.run(DEPLOY).exits(0);
    place.run("destroy quickstart.yaml --cloud local").exits(64).says("AL0904").says("--yes");
    place.run(PLAN).exits(0);
}

#[test]
fn json_is_one_document_a_command() {
    let place = Place::quickstart();
    for line in [
        "validate quickstart.yaml",
        "render quickstart.yaml",
        "render quickstart.yaml -o out",
        "render minimal.yaml --expanded",
        "plan quickstart.yaml --cloud local",
        DEPLOY,
        "simulate quickstart.yaml --trace traces/burst.csv",
        DESTROY,
        "explain",
        "schema",
        "completions bash",
        "plan quickstart.yaml",
        "validate nowhere.yaml",
    ] {
        let run = place.run(&format!("{line} --output json"));
        assert_eq!(run.json()["command"], line.split(' ').next().unwrap(), "{line}");
    }
}

#[test]
fn quiet_says_problems_only() {
    let place = Place::quickstart();
    for line in ["validate quickstart.yaml", DEPLOY, PLAN] {
        assert_eq!(place.run(&format!("{line} -q")).exits(0).err, "", "{line}");
    }
    assert!(place.run(&format!("{PLAN} -v")).exits(0).err.contains("subscription"));
}

#[test]
fn no_key_is_ever_told() {
    let place = deployed();
    let server = Server::start(&place);
    let list = server.send("GET", &format!("{SUBSCRIPTION}/resources?api-version=2021-04-01"), "").json();
    let all = list["value"].as_array().unwrap();
    let service =
        all.iter().find(|one| one["type"] == "Microsoft.ApiManagement/service").unwrap()["id"].as_str().unwrap();
    // accounts have none: their local authentication is off
    let mut keys = Vec::new();
    for name in ["openai-subscription", "probe"] {
        let ask = format!("{service}/subscriptions/{name}/listSecrets?api-version=2024-05-01");
        let secrets = server.send("POST", &ask, "").json();
        keys.extend(secrets.as_object().unwrap().values().filter_map(Value::as_str).map(str::to_owned));
    }
    assert!(keys.len() == 4 && keys.iter().all(|key| key.len() >= 32), "{keys:?}");
    place.edit("quickstart.yaml", "weight: 10", "weight: 30");
    for line in [PLAN, DEPLOY, PLAN, DESTROY] {
        for form in ["text", "json"] {
            let run = place.run(&format!("{line} -vv --events events.ndjson --output {form}"));
            let told = [run.out, run.err, place.read("events.ndjson")].concat();
            assert!(keys.iter().all(|key| !told.contains(key.as_str())), "{line}");
        }
    }
}

#[test]
fn two_processes_at_once_leave_a_whole_state() {
    let place = Place::quickstart();
    place.run(DEPLOY).exits(0);
    let line: Vec<&str> = PLAN.split(' ').collect();
    let start = || place.command(&line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let children: Vec<_> = (0..4).map(|_| start()).collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    // two deploys of the same spec: one does it, the other attaches or finds it done; none breaks it
    place.edit("quickstart.yaml", "weight: 10", "weight: 30");
    let line: Vec<&str> = DEPLOY.split(' ').collect();
    let start = || place.command(&line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let ends: Vec<_> = [start(), start()].into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    for end in &ends {
        let code = end.status.code().unwrap();
        assert!([0, 7].contains(&code), "{code}: {}", String::from_utf8_lossy(&end.stderr));
    }
    assert!(ends.iter().any(|end| end.status.code() == Some(0)));
    place.run(PLAN).exits(0);
}

#[test]
fn a_spec_is_found_by_name_by_variable_and_above() {
    let place = Place::quickstart();
    place.write("aoai-lb.yaml", &place.read("minimal.yaml"));
    place.run("validate").exits(0).says("aoai-lb.yaml is valid");
    place.write("deep/er/x", "");
    let run = |variables: &[(&str, &str)]| {
        let mut command = place.command(&["validate"]);
        super::ran(command.current_dir(place.path("deep/er")).envs(variables.iter().copied()))
    };
    run(&[]).exits(0).says("../../aoai-lb.yaml is valid");
    run(&[("AOAI_LB_SPEC", "../../quickstart.yaml")]).exits(0).says("../../quickstart.yaml is valid");
    std::fs::create_dir(place.path("deep/.git")).unwrap();
    run(&[]).exits(64).says("AL0903");
}

#[cfg(unix)]
#[test]
fn the_state_is_the_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = deployed();
    let mode = |name: &str| std::fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(".aoai-lb/local"), mode(".aoai-lb/local/state.json")), (0o700, 0o600));
}

#[test]
fn more_capacity_than_the_quota_has_is_refused_before_anything_is_written() {
    let place = Place::quickstart();
    place.edit("quickstart.yaml", "capacity: 10  ", "capacity: 1001  ");
    for command in [PLAN, DEPLOY] {
        let run = place.run(command).exits(5).says("AL0517").says("1001K TPM");
        assert!(run.err.contains("https://aka.ms/oai/quotaincrease"), "{}", run.err);
    }
    let server = Server::start(&place);
    let groups = server.send("GET", &format!("{SUBSCRIPTION}/resourcegroups?api-version=2021-04-01"), "").json();
    assert_eq!(groups["value"].as_array().map(Vec::len), Some(0), "{groups}");
    drop(server);
    place.edit("quickstart.yaml", "capacity: 1001  ", "capacity: 1000  ");
    place.run(DEPLOY).exits(0);
    place.run(PLAN).exits(0);
    place.edit("quickstart.yaml", "capacity: 1000  ", "capacity: 1001  ");
    place.run(PLAN).exits(5).snapshot("plan-quota");
}
