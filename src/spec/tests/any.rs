//! Any valid spec: values over the whole JSON Schema, references that hold, and what the rules refuse taken out again.
//!
//! Used by the laws of the core and, through its path, by those of the renderer: it names nothing of the crate.

use serde_json::{Map, Value as Json, json};

/// Numbers that follow from a seed.
pub struct Dice {
    state: u64,
}

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice { state: seed }
    }

    fn below(&mut self, n: usize) -> usize {
        // splitmix64
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn some<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        (!of.is_empty()).then(|| of[self.below(of.len())].clone())
    }
}

/// Keys of a section: words, dots, hyphens, capitals where Azure takes them.
fn keys(section: &str) -> &'static [&'static str] {
    match section {
        "accounts" => &["a", "east-us", "b2", "closed"],
        "deployments" => &["d1", "gpt-4.1", "Chat_x", "ptu"],
        "breakers" => &["default", "ptu", "fast", "Fast-2"],
        "backends" => &["x", "y-2", "z_3", "u.4", "W", "v"],
        "pools" => &["p", "q.1", "d1", "Chat_x"],
        "apis" => &["one", "two", "openai", "a.b"],
        "products" => &["gold", "Bronze_1"],
        "subscriptions" => &["team-a", "batch", "default", "T.1"],
        "routes" => &["d1", "gpt-4.1", "Chat_x", "any"],
        "regions" | "ptu" => &["eastus2", "swedencentral", "westus3"],
        "models" => &["gpt-5.1", "text-embedding-3-large", "gpt-4.1"],
        "silence" => &["AL0310", "AL0311", "AL0327"],
        "tags" => &["owner", "cost center", "c'est \"ça\""],
        "apiVersions" => &["Microsoft.ApiManagement/service/backends", "Microsoft.CognitiveServices"],
        _ => &["k"],
    }
}

/// Texts that a careless printer breaks.
const TEXTS: [&str; 9] =
    ["word", "two words", "it's", "a \"b\" \\ c", "${{x}", "[x]", "{0} #", "line\nbreak", "é 😀 \u{85}"];

const NETWORK: &str = "/subscriptions/s/resourceGroups/n/providers/Microsoft.Network";
const GROUP: &str = "/subscriptions/s/resourceGroups/n/providers";

fn text(path: &str, pattern: Option<&str>, dice: &mut Dice) -> String {
    let ending = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
    let subnet = format!("{NETWORK}/virtualNetworks/v/subnets/p");
    match path {
        "name" => return dice.one(&["ab", "contoso-ai", "a234567890123456789012345678901234567890"]).into(),
        _ if ending(&["network.subnet"]) => return subnet,
        _ if ending(&["dnsZone"]) => return format!("{NETWORK}/privateDnsZones/privatelink.openai.azure.com"),
        _ if ending(&["actionGroup"]) => return format!("{GROUP}/Microsoft.Insights/actionGroups/ops"),
        _ if ending(&["identity.user"]) => {
            let id = format!("{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/id");
            return if dice.below(2) == 0 { id } else { "id-ai".into() };
        }
        _ if ending(&["workspace"]) => {
            let id = format!("{GROUP}/Microsoft.OperationalInsights/workspaces/w");
            return if dice.below(2) == 0 { id } else { "new".into() };
        }
        _ if ending(&["appInsights"]) => {
            let id = format!("{GROUP}/Microsoft.Insights/components/i");
            return if dice.below(2) == 0 { id } else { "new".into() };
        }
        _ if ending(&["resourceId"]) => {
            let kind = if path.starts_with("gateway") { "ApiManagement/service" } else { "CognitiveServices/accounts" };
            return format!(
                "/subscriptions/AAAAAAAA-0000-0000-0000-000000000001/resourceGroups/Rg/providers/Microsoft.{kind}/x"
            );
        }
        _ if ending(&[".subscription"]) => return "00000000-0000-0000-0000-00000000000A".into(),
        _ if ending(&["resourceGroup"]) => return dice.one(&["rg", "(Rg)_2", "rg-other"]).into(),
        _ if ending(&["location"]) => return dice.one(&["eastus2", "Sweden Central", "westus3"]).into(),
        _ if ending(&["email"]) => return "ops@contoso.com".into(),
        _ if ending(&[".model"]) => return dice.one(&["gpt-4.1", "gpt-4.1", "gpt-5.1", "no model"]).into(),
        _ if ending(&[".version"]) => return dice.one(&["2025-04-14", "1", "0613"]).into(),
        _ if ending(&[".format"]) => return dice.one(&["OpenAI", "DeepSeek"]).into(),
        _ if ending(&[".role"]) => {
            return dice.one(&["Cognitive Services User", "Cognitive Services OpenAI Contributor"]).into();
        }
        _ if ending(&["existing.name", "gateway.name", "accounts.*.name"]) => {
            return dice.one(&["there", "some-name", "x1"]).into();
        }
        _ if ending(&["apis.*.path"]) => return dice.one(&["openai", "/a/openai/", "b", "c/d"]).into(),
        _ if ending(&["url"]) => return format!("https://host-{}.example.com/v1/", dice.below(1000)),
        _ if ending(&["keyVault"]) => return "https://kv.vault.azure.net/secrets/llm".into(),
        _ if ending(&["azureOpenAI"]) => return dice.one(&["2024-10-21", "2025-01-01-preview"]).into(),
        _ if ending(&["commit"]) => return "0123456789abcdef0123456789abcdef01234567".into(),
        _ if ending(&["definition.file"]) => return "openapi.json".into(),
        _ if ending(&["policy.template"]) => return "own.xml.j2".into(),
        _ if ending(&["dimensions.*"]) => return dice.one(&["Subscription ID", "Client IP", "Pool", "API ID"]).into(),
        _ if ending(&["header", "query", "headers.*", "sessionAffinity"]) => {
            return dice.one(&["api-key", "X-Key", "x-ms-region"]).into();
        }
        _ if ending(&["tenant"]) => return "contoso.com".into(),
        _ if ending(&["applications.*"]) => return "11111111-1111-1111-1111-111111111111".into(),
        _ if ending(&["errorReasons.*"]) => return "Server errors".into(),
        _ if ending(&["apiVersions.*"]) => return dice.one(&["2024-05-01", "2024-10-01-preview"]).into(),
        _ if ending(&["ignoreChanges.*", "protect.*"]) => {
            return dice.one(&["gateway.capacity", "gateway", "accounts", "pools.p"]).into();
        }
        _ => {}
    }
    match pattern {
        // what the schema asks for and no path says: lengths of time, statuses
        Some(pattern) if pattern.contains("ms|s|m|h|d") => dice.one(&["PT1M", "90s", "2m", "1s", "PT1H"]).into(),
        Some(pattern) if pattern.contains("xx") => dice.one(&["429", "500-503", "5xx", "408"]).into(),
        Some(pattern) => panic!("{path} has the pattern {pattern}, and nothing here has it"),
        None => dice.one(&TEXTS).into(),
    }
}

/// A value of a schema.
pub fn value(schema: &Json, path: &str, dice: &mut Dice) -> Json {
    if let Some(choices) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Json::as_array) {
        let variable = |one: &&Json| one["pattern"].as_str().is_some_and(|pattern| pattern.ends_with("\\$\\{"));
        let real: Vec<&Json> = choices.iter().filter(|one| one["type"] != "null" && !variable(one)).collect();
        return value(real[dice.below(real.len())], path, dice);
    }
    if let Some(only) = schema.get("const") {
        return only.clone();
    }
    if let Some(words) = schema.get("enum").and_then(Json::as_array) {
        let words: Vec<&Json> = words.iter().filter(|word| !word.is_null()).collect();
        return words[dice.below(words.len())].clone();
    }
    let kind = match &schema["type"] {
        Json::Array(kinds) => kinds.iter().find(|kind| *kind != "null").and_then(Json::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("boolean") => json!(dice.below(2) == 0),
        Some("integer") => {
            let bound = |key: &str, default: i64| schema[key].as_i64().unwrap_or(default);
            let (min, max) = (bound("minimum", 0), bound("maximum", 100));
            let near = usize::try_from((max - min).min(12) + 1).unwrap_or(1);
            match dice.below(12) {
                0 => json!(max),
                _ => json!(min + dice.below(near) as i64),
            }
        }
        Some("string") => json!(text(path, schema["pattern"].as_str(), dice)),
        Some("array") => {
            let count = 1 + dice.below(3);
            (0..count).map(|_| value(&schema["items"], &format!("{path}.*"), dice)).collect()
        }
        Some("object") => object(schema, path, dice),
        other => panic!("{path}: {other:?}"),
    }
}

fn object(schema: &Json, path: &str, dice: &mut Dice) -> Json {
    let mut members = Map::new();
    if let Some(properties) = schema["properties"].as_object() {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        for (name, inner) in properties {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if required.contains(&name.as_str()) || dice.below(5) < 2 {
                members.insert(name.clone(), value(inner, &path, dice));
            }
        }
        return Json::Object(members);
    }
    let Some(inner) =
        schema.get("additionalProperties").filter(|inner| inner.get("type").is_some() || inner.get("anyOf").is_some())
    else {
        // in Azure's own words
        let text = TEXTS[dice.below(TEXTS.len())];
        return match (dice.below(3), path.starts_with("gateway")) {
            (0, _) => json!({}),
            (1, true) => json!({ "customProperties": { "A.b": "False", "it's": text }, "disableGateway": false }),
            (_, true) => json!({ "notificationSenderEmail": text, "enableClientCertificate": true }),
            (1, false) => json!({ "restore": false, "networkAcls": { "defaultAction": "Deny", "ipRules": [] } }),
            (_, false) => json!({ "allowedFqdnList": [text, "a.test"], "dynamicThrottlingEnabled": true }),
        };
    };
    let section = path.rsplit('.').next().unwrap_or_default();
    let all = keys(section);
    let least = usize::from(["accounts", "deployments", "backends", "pools", "apis"].contains(&section)) + 1;
    for _ in 0..least + dice.below(all.len()) {
        let key = dice.one(all);
        if !members.contains_key(key) {
            members.insert(key.into(), value(inner, &format!("{path}.*"), dice));
        }
    }
    Json::Object(members)
}

/// A spec over the schema whose references hold. The rules may still refuse parts of it.
pub fn spec(schema: &Json, seed: u64) -> Json {
    let mut dice = Dice::new(seed);
    let mut spec = value(schema, "", &mut dice);
    let members = spec.as_object_mut().expect("a spec");
    members.shift_remove("environments");
    // the short form now and then
    let long = ["accounts", "backends", "pools"];
    if members.contains_key("models") && dice.below(4) == 0 {
        long.iter().for_each(|key| drop(members.shift_remove(*key)));
    } else {
        members.shift_remove("models");
        for key in ["accounts", "pools"] {
            let inner = &schema["properties"][key];
            if !members.contains_key(key) {
                members.insert(key.into(), value(inner, key, &mut dice));
            }
        }
        refer_backends(members, schema, &mut dice);
    }
    refer_routes(members, &mut dice);
    let gateway = members["gateway"].as_object_mut().expect("a gateway");
    if let Some(existing) = gateway.get_mut("existing") {
        one_way(existing, &mut dice);
        ["name", "capacity", "publisher", "network", "properties"]
            .iter()
            .for_each(|key| drop(gateway.shift_remove(*key)));
    } else if !gateway.contains_key("publisher") {
        gateway.insert("publisher".into(), json!({ "email": "ops@contoso.com" }));
    }
    if gateway.contains_key("network") && dice.below(2) == 0 {
        gateway.insert("sku".into(), json!(dice.one(&["Premium", "PremiumV2", "Developer"])));
        gateway.shift_remove("capacity");
    }
    spec
}

/// Something that is there is named by its id, or by its parts.
fn one_way(existing: &mut Json, dice: &mut Dice) {
    let members = existing.as_object_mut().expect("something that is there");
    if members.contains_key("resourceId") && dice.below(2) == 0 {
        members.retain(|key, _| key == "resourceId");
    } else {
        members.shift_remove("resourceId");
        members.insert("name".into(), json!("there"));
    }
}

fn names(members: &Map<String, Json>, section: &str) -> Vec<String> {
    members.get(section).and_then(Json::as_object).into_iter().flat_map(|map| map.keys().cloned()).collect()
}

fn each<'a>(members: &'a mut Map<String, Json>, section: &str) -> Vec<&'a mut Map<String, Json>> {
    let all = members.get_mut(section).and_then(Json::as_object_mut);
    all.into_iter().flat_map(|map| map.values_mut()).filter_map(Json::as_object_mut).collect()
}

/// Deployments for backends, breakers for them, backends for pools.
fn refer_backends(spec: &mut Map<String, Json>, schema: &Json, dice: &mut Dice) {
    let mut breakers = names(spec, "breakers");
    breakers.extend(["default", "ptu", "none"].map(str::to_owned));
    let mut free: Vec<(String, String)> = Vec::new();
    for (key, account) in spec["accounts"].as_object_mut().into_iter().flatten() {
        let account = account.as_object_mut().expect("an account");
        let own: Vec<String> =
            account["deployments"].as_object().into_iter().flat_map(|all| all.keys().cloned()).collect();
        for deployment in account["deployments"].as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
            if let (Some(spillover), Some(to)) = (deployment.get_mut("spillover"), dice.some(&own)) {
                *spillover = json!(to);
            }
        }
        free.extend(own.into_iter().map(|deployment| (key.clone(), deployment)));
        if let Some(existing) = account.get_mut("existing") {
            one_way(existing, dice);
            ["name", "subscription", "resourceGroup", "network", "properties"]
                .iter()
                .for_each(|key| drop(account.shift_remove(*key)));
        } else if !account.contains_key("location") {
            account.insert("location".into(), json!("eastus2"));
        }
    }
    let made: Vec<String> = free.iter().map(|(account, deployment)| format!("{account}-{deployment}")).collect();
    if let Some(mut backends) = spec.shift_remove("backends") {
        let map = backends.as_object_mut().expect("backends");
        map.retain(|_, backend| {
            let backend = backend.as_object_mut().expect("a backend");
            if dice.below(4) == 0 {
                ["account", "deployment"].iter().for_each(|key| drop(backend.shift_remove(*key)));
                let url =
                    value(&schema["properties"]["backends"]["additionalProperties"]["properties"]["url"], "url", dice);
                backend.insert("url".into(), url);
            } else {
                ["url", "credential", "quota"].iter().for_each(|key| drop(backend.shift_remove(*key)));
                if free.is_empty() {
                    return false;
                }
                let (account, deployment) = free.swap_remove(dice.below(free.len()));
                backend.insert("account".into(), json!(account));
                backend.insert("deployment".into(), json!(deployment));
            }
            if backend.contains_key("breaker") {
                backend.insert("breaker".into(), json!(dice.some(&breakers)));
            }
            true
        });
        if !map.is_empty() {
            spec.insert("backends".into(), backends);
        }
    }
    let backends = if spec.contains_key("backends") { names(spec, "backends") } else { made };
    for pool in each(spec, "pools") {
        let mut left = backends.clone();
        let members = pool["members"].as_array_mut().expect("members");
        members.retain_mut(|member| {
            let there = !left.is_empty();
            if there {
                member["backend"] = json!(left.swap_remove(dice.below(left.len())));
            }
            there
        });
        if dice.below(3) > 0 {
            pool.insert("allowMixedModels".into(), json!(true));
        }
    }
}

/// Pools for APIs, APIs for products and subscriptions, accounts to pin to.
fn refer_routes(spec: &mut Map<String, Json>, dice: &mut Dice) {
    let mut pools = names(spec, "pools");
    let mut accounts = names(spec, "accounts");
    if pools.is_empty() {
        pools = names(spec, "models");
        accounts = vec!["eastus2".into()];
    }
    for api in each(spec, "apis") {
        match dice.below(3) {
            0 => ["routes", "pool"].iter().for_each(|key| drop(api.shift_remove(*key))),
            1 => {
                api.shift_remove("routes");
                api.insert("pool".into(), json!(dice.some(&pools)));
            }
            _ => {
                api.shift_remove("pool");
                let routes = ["d1", "gpt-4.1", "any"].map(|name| (name.to_owned(), json!(dice.some(&pools))));
                api.insert("routes".into(), routes.into_iter().take(1 + dice.below(3)).collect());
            }
        }
        if let Some(pin) = api.get_mut("stateful").and_then(|stateful| stateful.get_mut("pin")) {
            *pin = json!(dice.some(&accounts));
        }
        if let Some(definition) = api.get_mut("definition").and_then(Json::as_object_mut) {
            let keep: &[&str] = if dice.below(2) == 0 { &["file"] } else { &["azureOpenAI", "commit"] };
            let all = json!({ "file": "openapi.json", "azureOpenAI": "2024-10-21", "commit": "0123456789abcdef0123456789abcdef01234567" });
            *definition = keep.iter().map(|key| ((*key).to_owned(), all[*key].clone())).collect();
        }
    }
    let mut apis = names(spec, "apis");
    if apis.is_empty() {
        apis.push("openai".into());
    }
    for product in each(spec, "products") {
        product.insert("apis".into(), json!([dice.some(&apis)]));
    }
    let products = names(spec, "products");
    for subscription in each(spec, "subscriptions") {
        match dice.some(&products).filter(|_| dice.below(2) == 0) {
            Some(product) => {
                subscription.shift_remove("api");
                subscription.insert("product".into(), json!(product));
            }
            None => {
                subscription.shift_remove("product");
                subscription.insert("api".into(), json!(dice.some(&apis)));
            }
        }
    }
}

/// Takes out what is refused until nothing is; nothing where that leads nowhere. `refused` gives the keys.
pub fn repaired(mut spec: Json, refused: impl Fn(&str) -> Vec<String>) -> Option<Json> {
    for _ in 0..60 {
        let keys = refused(&spec.to_string());
        let Some(key) = keys.first() else { return Some(spec) };
        if !take_out(&mut spec, key) {
            return None;
        }
    }
    None
}

/// Takes out a key, or the nearest one above it that is there and is no whole section that has to be.
fn take_out(node: &mut Json, path: &str) -> bool {
    match node {
        Json::Object(members) => {
            let inside = |key: &String| {
                path.strip_prefix(key.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            // the longest: keys have dots
            let Some(key) = members.keys().filter(|key| inside(key)).max_by_key(|key| key.len()).cloned() else {
                return false;
            };
            let rest = path[key.len()..].trim_start_matches('.');
            if rest.is_empty() || !take_out(&mut members[&key], rest) {
                members.shift_remove(&key);
            }
            true
        }
        Json::Array(items) => {
            let Some((index, rest)) = path.trim_start_matches('[').split_once(']') else { return false };
            let Some(at) = index.parse::<usize>().ok().filter(|at| *at < items.len()) else { return false };
            let rest = rest.trim_start_matches('.');
            if rest.is_empty() || !take_out(&mut items[at], rest) {
                items.remove(at);
            }
            true
        }
        _ => false,
    }
}
