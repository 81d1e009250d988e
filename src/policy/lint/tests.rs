use super::*;
use crate::diagnostic::code;

fn inbound(content: &str) -> String {
    format!("<policies><inbound>{content}</inbound></policies>")
}

fn codes(text: &str) -> Vec<Code> {
    let read = raw::read(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    pitfalls(text, &read.root, &BTreeMap::new()).iter().map(|problem| problem.code).collect()
}

#[track_caller]
fn fires(code: Code, text: &str) {
    assert!(codes(text).contains(&code), "{code} is not found in {text}: {:?}", codes(text));
}

#[track_caller]
fn silent(code: Code, text: &str) {
    assert!(!codes(text).contains(&code), "{code} is found in {text}");
}

/// A retry with this condition and count.
fn retry(condition: &str, count: &str) -> String {
    let condition = condition.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<policies><backend><retry condition='@({condition})' count='{count}' interval='0'><forward-request buffer-request-body='true' buffer-response='false' /></retry></backend></policies>"
    )
}

const STATUS: &str = "context.Response.StatusCode";

#[test]
fn a_policy_that_is_right_has_no_pitfall() {
    let text = r#"<policies>
      <inbound><base />
        <set-header name="api-key" exists-action="delete" />
        <authentication-managed-identity resource="https://cognitiveservices.azure.com" />
        <set-backend-service backend-id="pool" />
      </inbound>
      <backend>
        <retry condition="@(context.Response != null && (context.Response.StatusCode == 429 || context.Response.StatusCode >= 500))" count="2" interval="0">
          <forward-request buffer-request-body="true" buffer-response="false" />
        </retry>
      </backend>
      <outbound><base /></outbound>
    </policies>"#;
    assert_eq!(lint(text, &BTreeMap::new()), []);
    assert_eq!(lint(text, &BTreeMap::from([("pool".into(), 3)])), []);
    // all that a rotation needs, turned once
    assert_eq!(codes("<fragment><set-variable name='a' value='1' /></fragment>"), []);
}

#[test]
fn a_counter_that_is_turned_twice() {
    let turn = |key: &str| {
        format!(
            "<choose><when condition='@(true)'><set-backend-service backend-id='a' /><cache-store-value key='{key}' value='1' duration='9' /></when></choose>"
        )
    };
    let text = |inbound: &str, backend: &str| {
        format!(
            "<policies><inbound>{inbound}</inbound><backend><retry condition='@(false)' count='1' interval='0'>{backend}<forward-request /></retry></backend></policies>"
        )
    };
    fires(code::DOUBLE_FLIP, &text(&turn("n"), &turn("n")));
    silent(code::DOUBLE_FLIP, &text(&turn("n"), &turn("m")));
    silent(code::DOUBLE_FLIP, &text("", &turn("n")));
    silent(code::DOUBLE_FLIP, &text(&turn("n"), ""));
    // stored in inbound where it was missing, turned in the retry alone
    let missing =
        "<choose><when condition='@(true)'><cache-store-value key='n' value='0' duration='9' /></when></choose>";
    silent(code::DOUBLE_FLIP, &text(missing, &turn("n")));
}

#[test]
fn trap_28_a_cast_of_what_is_another_type() {
    let set = |value: &str| format!("<set-variable name='n' value='{value}' />");
    let read = |code: &str| format!("<set-variable name='m' value='@({code})' />");
    let string = "int.Parse((string)context.Variables[\"n\"])";
    for int in [
        "@(1)",
        "@(-1)",
        "@(int.Parse(\"1\") + 1)",
        "@(Convert.ToInt32(context.Variables[\"n\"]) - 1)",
        "@{ int n = 0; n++; return n; }",
        "@{ if (true) { return 1; } return 2; }",
    ] {
        fires(code::CAST_FAILS, &inbound(&format!("{}{}", set(int), read(string))));
        silent(code::CAST_FAILS, &inbound(&format!("{}{}", set(int), read("(int)context.Variables[\"n\"]"))));
        silent(
            code::CAST_FAILS,
            &inbound(&format!("{}{}", set(int), read("Convert.ToInt32(context.Variables[\"n\"])"))),
        );
    }
    for text in ["1", "@(\"a\" + 1)", "@(1.ToString())", "@{ string s = \"\"; return s; }"] {
        fires(code::CAST_FAILS, &inbound(&format!("{}{}", set(text), read("(int)context.Variables[\"n\"]"))));
        silent(code::CAST_FAILS, &inbound(&format!("{}{}", set(text), read(string))));
    }
    fires(code::CAST_FAILS, &inbound(&format!("{}{}", set("@(1 == 2)"), read(string))));
    for unknown in [
        "{{n}}",
        "@(context.Request.Body.As<JObject>())",
        "@{ if (true) { return 1; } return \"\"; }",
        "@(x ? 1 : 2)",
        "@(new [] { 1 }[0])",
    ] {
        silent(code::CAST_FAILS, &inbound(&format!("{}{}", set(unknown), read(string))));
    }
    // only what was set last counts, and only before
    silent(code::CAST_FAILS, &inbound(&format!("{}{}{}", set("@(1)"), set("1"), read(string))));
    silent(code::CAST_FAILS, &inbound(&format!("{}{}{}", set("1"), read(string), set("@(1)"))));
}

#[test]
fn trap_28_the_condition_of_a_retry_runs_after_its_policies() {
    let text = |set: &str| {
        format!(
            "<policies><inbound><set-variable name='n' value='1' /></inbound><backend><retry condition='@(int.Parse((string)context.Variables[\"n\"]) > 0)' count='2' interval='0'><forward-request />{set}</retry></backend></policies>"
        )
    };
    fires(
        code::CAST_FAILS,
        &text(
            "<choose><when condition='@(true)'><set-variable name='n' value='@{ int n = 0; return n; }' /></when></choose>",
        ),
    );
    silent(code::CAST_FAILS, &text(""));
    silent(code::CAST_FAILS, &text("<set-variable name='n' value='@{ int n = 0; return n.ToString(); }' />"));
    // the next attempt sees what this one sets
    let again = "<policies><inbound><set-variable name='n' value='1' /></inbound><backend><retry condition='@(true)' count='2' interval='0'><set-variable name='m' value='@((string)context.Variables[\"n\"])' /><forward-request /><set-variable name='n' value='@(2)' /></retry></backend></policies>";
    fires(code::CAST_FAILS, again);
}

#[test]
fn trap_28_a_cache_key_that_all_apis_share() {
    let text = |key: &str, chosen: &str| {
        inbound(&format!(
            "<cache-lookup-value key='{key}' variable-name='list' /><set-variable name='id' value='@(((JArray)context.Variables[\"list\"])[0].ToString())' /><set-backend-service backend-id='{chosen}' />"
        ))
    };
    let chosen = "@((string)context.Variables[\"id\"])";
    fires(code::SHARED_CACHE_KEY, &text("listBackends", chosen));
    silent(code::SHARED_CACHE_KEY, &text("@(\"list-\" + context.Api.Id)", chosen));
    silent(code::SHARED_CACHE_KEY, &text("list-{{api}}", chosen));
    // what does not choose a backend may be shared
    silent(code::SHARED_CACHE_KEY, &text("token", "pool"));
}

#[test]
fn trap_20_the_callers_mistakes_are_not_repeated() {
    fires(code::CLIENT_ERRORS_RETRIED, &retry(&format!("{STATUS} >= 400"), "2"));
    fires(code::CLIENT_ERRORS_RETRIED, &retry(&format!("{STATUS} != 200 && {STATUS} != 201"), "2"));
    silent(code::CLIENT_ERRORS_RETRIED, &retry(&format!("{STATUS} == 429 || {STATUS} >= 500"), "2"));
    silent(code::CLIENT_ERRORS_RETRIED, &retry(&format!("{STATUS} == 401 || {STATUS} >= 500"), "2"));
    silent(code::CLIENT_ERRORS_RETRIED, &retry("context.Variables.ContainsKey(\"a\")", "2"));
    // of another call than the backend's
    silent(
        code::CLIENT_ERRORS_RETRIED,
        &inbound(&format!(
            "<retry condition='@({STATUS} &gt;= 400)' count='2' interval='0'><set-method>GET</set-method></retry>"
        )),
    );
}

#[test]
fn trap_20_attempts_fit_the_backends() {
    fires(code::RETRY_COUNT, &retry("false", "50"));
    silent(code::RETRY_COUNT, &retry("false", "3"));
    silent(code::RETRY_COUNT, &retry("false", "@(50)"));
    let picked = |count: &str| {
        format!(
            "<policies><backend><retry condition='@(false)' count='{count}' interval='0'><choose><when condition='@(true)'><set-backend-service backend-id='a' /></when><otherwise><set-backend-service backend-id='b' /></otherwise></choose><forward-request /></retry></backend></policies>"
        )
    };
    fires(code::RETRY_COUNT, &picked("3"));
    fires(code::RETRY_COUNT, &picked("2"));
    silent(code::RETRY_COUNT, &picked("1"));
    let text = "<policies><inbound><set-backend-service backend-id='pool' /></inbound><backend><retry condition='@(false)' count='3' interval='0'><forward-request buffer-request-body='true' buffer-response='false' /></retry></backend></policies>";
    let with = |members: usize| {
        let found = lint(text, &BTreeMap::from([("pool".to_owned(), members)]));
        found.iter().any(|problem| problem.code == code::RETRY_COUNT)
    };
    assert!(with(3) && with(2) && !with(4) && !codes(text).contains(&code::RETRY_COUNT));
}

#[test]
fn trap_20_no_answer_is_thought_of() {
    fires(code::NULL_RESPONSE, &retry(&format!("{STATUS} == 429"), "2"));
    fires(code::NULL_RESPONSE, &retry(&format!("{STATUS} == 429 && (bool)context.Variables[\"a\"]"), "2"));
    silent(code::NULL_RESPONSE, &retry(&format!("context.Response != null && {STATUS} == 429"), "2"));
    silent(code::NULL_RESPONSE, &retry(&format!("null == context.Response || {STATUS} == 429"), "2"));
    silent(code::NULL_RESPONSE, &retry("context.Response?.StatusCode == 429", "2"));
    silent(code::NULL_RESPONSE, &retry(&format!("(bool)context.Variables[\"answered\"] && {STATUS} == 429"), "2"));
    silent(code::NULL_RESPONSE, &retry("false", "2"));
}

#[test]
fn trap_21_no_match_on_a_reason_phrase() {
    for wrong in [
        "context.Response.StatusReason == \"x\"",
        "\"x\" != context.Response.StatusReason",
        "context.Response.StatusReason.Contains(\"Backend pool\")",
        "context.Response.StatusReason?.IndexOf(\"x\") > 0",
    ] {
        fires(code::REASON_PHRASE, &retry(wrong, "2"));
    }
    silent(
        code::REASON_PHRASE,
        &inbound("<set-status code='@(context.Response.StatusCode)' reason='@(context.Response.StatusReason)' />"),
    );
    silent(code::REASON_PHRASE, &inbound("<set-variable name='a' value='@(\"StatusReason ==\")' />"));
}

#[test]
fn trap_20_an_exhausted_pool_is_repeated_too() {
    fires(code::UNAVAILABLE_NOT_RETRIED, &retry(&format!("{STATUS} == 429"), "2"));
    fires(code::UNAVAILABLE_NOT_RETRIED, &retry(&format!("{STATUS} == 429 && (int)context.Variables[\"n\"] > 0"), "2"));
    silent(code::UNAVAILABLE_NOT_RETRIED, &retry(&format!("{STATUS} == 429 || {STATUS} == 503"), "2"));
    silent(code::UNAVAILABLE_NOT_RETRIED, &retry(&format!("new [] {{ 429, 503 }}.Contains({STATUS})"), "2"));
    silent(code::UNAVAILABLE_NOT_RETRIED, &retry(&format!("{STATUS} == 401"), "2"));
    silent(code::UNAVAILABLE_NOT_RETRIED, &retry("(bool)context.Variables[\"again\"]", "2"));
}

#[test]
fn trap_28_retry_after_may_be_a_date() {
    let read =
        |code: &str| format!("<policies><outbound><set-variable name='a' value='@({code})' /></outbound></policies>");
    let header = "context.Response.Headers.GetValueOrDefault(\"Retry-After\", \"10\")";
    for parse in ["int.Parse", "Convert.ToInt32", "double.Parse", "Int32.Parse"] {
        fires(code::RETRY_AFTER_DATE, &read(&format!("{parse}({header})")));
    }
    silent(code::RETRY_AFTER_DATE, &read(&format!("int.TryParse({header}, out n) ? n : 10")));
    silent(code::RETRY_AFTER_DATE, &read("int.Parse(context.Response.Headers.GetValueOrDefault(\"x-count\", \"1\"))"));
    silent(code::RETRY_AFTER_DATE, &read(&format!("int.Parse(\"1\") + {header}.Length")));
    // what the caller sent is another matter
    silent(
        code::RETRY_AFTER_DATE,
        &read("int.Parse(context.Request.Headers.GetValueOrDefault(\"Retry-After\", \"1\"))"),
    );
}

#[test]
fn notes_on_retry_after() {
    let read = |code: &str| {
        format!("<policies><outbound><set-variable name='a' value='@{{ {code} }}' /></outbound></policies>")
    };
    let header = |name: &str| format!("context.Response.Headers.GetValueOrDefault(\"{name}\", \"\")");
    let plain = read(&format!("return DateTime.UtcNow.AddSeconds({}.Length);", header("Retry-After")));
    fires(code::RETRY_AFTER_MS, &plain);
    fires(code::RETRY_AFTER_UNCAPPED, &plain);
    let both = read(&format!("return {} + {};", header("retry-after-ms"), header("Retry-After")));
    silent(code::RETRY_AFTER_MS, &both);
    silent(code::RETRY_AFTER_UNCAPPED, &both);
    let capped = read(&format!("return DateTime.UtcNow.AddSeconds(Math.Min(60, {}.Length));", header("Retry-After")));
    silent(code::RETRY_AFTER_UNCAPPED, &capped);
}

#[test]
fn the_callers_secrets_stay_at_the_gateway() {
    let identity = "<authentication-managed-identity resource='r' />";
    let delete = "<set-header name='API-Key' exists-action='delete' />";
    let pool = "<set-backend-service backend-id='p' />";
    fires(code::SECRETS_PASSED_ON, &inbound(pool));
    fires(code::SECRETS_PASSED_ON, &inbound(&format!("{identity}{pool}")));
    fires(code::SECRETS_PASSED_ON, &inbound(&format!("{delete}{pool}")));
    fires(
        code::SECRETS_PASSED_ON,
        &inbound(&format!(
            "{delete}<authentication-managed-identity resource='r' output-token-variable-name='t' />{pool}"
        )),
    );
    silent(code::SECRETS_PASSED_ON, &inbound(&format!("{delete}{identity}{pool}")));
    let header = "<set-header name='Authorization'><value>@(\"Bearer \" + (string)context.Variables[\"t\"])</value></set-header>";
    silent(code::SECRETS_PASSED_ON, &inbound(&format!("{delete}{header}{pool}")));
    let skip = delete.replace("delete", "skip");
    fires(code::SECRETS_PASSED_ON, &inbound(&format!("{skip}{identity}{pool}")));
    silent(code::SECRETS_PASSED_ON, &inbound("<base />"));
}

#[test]
fn trap_27_streams_are_not_held_back() {
    let call = |attributes: &str| format!("<policies><backend><forward-request {attributes} /></backend></policies>");
    fires(code::BUFFERED_STREAM, &call(""));
    fires(code::BUFFERED_STREAM, &call("buffer-response='true'"));
    silent(code::BUFFERED_STREAM, &call("buffer-response='false'"));
    let body = "<set-variable name='b' value='@(context.Response.Body.As&lt;string>(true))' />";
    let outbound = |content: &str| {
        format!(
            "<policies><inbound><set-backend-service backend-id='p' /></inbound><outbound>{content}</outbound></policies>"
        )
    };
    silent(code::BUFFERED_STREAM, &format!("<policies><outbound>{body}</outbound></policies>"));
    fires(code::BUFFERED_STREAM, &outbound(body));
    let when = |condition: &str| outbound(&format!("<choose><when condition='@({condition})'>{body}</when></choose>"));
    silent(code::BUFFERED_STREAM, &when("context.Response.StatusCode &gt;= 400"));
    fires(code::BUFFERED_STREAM, &when("context.Response.StatusCode == 200"));
    silent(code::BUFFERED_STREAM, &inbound(&body.replace("Response", "Request")));
}

#[test]
fn trap_29_keys_do_not_stand_in_policies() {
    let header =
        |name: &str, value: &str| inbound(&format!("<set-header name='{name}'><value>{value}</value></set-header>"));
    // digits of no key
    let key = "0123456789abcdef".repeat(2);
    fires(code::LITERAL_KEY, &header("api-key", "a-key-of-somebody"));
    fires(code::LITERAL_KEY, &header("Authorization", "Bearer a-token-of-somebody"));
    fires(code::LITERAL_KEY, &header("x", &key));
    fires(code::LITERAL_KEY, &header("x", &format!("@(\"{key}\")")));
    fires(code::LITERAL_KEY, &inbound("<authentication-basic username='u' password='p' />"));
    silent(code::LITERAL_KEY, &header("api-key", "{{the-key-of-somebody}}"));
    silent(code::LITERAL_KEY, &header("api-key", "@((string)context.Variables[\"key\"])"));
    silent(code::LITERAL_KEY, &header("x", "a-text-of-somebody-that-is-long"));
    silent(code::LITERAL_KEY, &inbound("<authentication-basic username='u' password='{{p}}' />"));
}

#[test]
fn a_repeated_request_keeps_its_body() {
    let text = |attributes: &str| {
        format!(
            "<policies><backend><retry condition='@(false)' count='1' interval='0'><forward-request {attributes} /></retry></backend></policies>"
        )
    };
    fires(code::BODY_LOST, &text(""));
    fires(code::BODY_LOST, &text("buffer-request-body='false'"));
    silent(code::BODY_LOST, &text("buffer-request-body='true'"));
    silent(code::BODY_LOST, "<policies><backend><forward-request /></backend></policies>");
}

#[test]
fn a_traceparent_is_well_formed() {
    let header = |value: &str| {
        inbound(&format!("<set-header name='traceparent' exists-action='skip'><value>{value}</value></set-header>"))
    };
    for wrong in [
        "@(\"00\" + Guid.NewGuid() + \"-0000000000000000-01\")",
        "@(\"00-\" + Guid.NewGuid().ToString(\"N\") + \"-0000000000000000-01\")",
        "@(\"00-\" + Guid.NewGuid() + \"-b7ad6b7169203331-01\")",
        "00-x-y-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    ] {
        fires(code::MALFORMED_TRACEPARENT, &header(wrong));
    }
    for right in [
        "@(\"00-\" + Guid.NewGuid().ToString(\"N\") + \"-b7ad6b7169203331-01\")",
        "@(context.Request.Headers.GetValueOrDefault(\"traceparent\", \"\"))",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "{{traceparent}}",
    ] {
        silent(code::MALFORMED_TRACEPARENT, &header(right));
    }
    silent(code::MALFORMED_TRACEPARENT, &header("00-x").replace("traceparent", "x-trace"));
}

#[test]
fn an_id_names_no_backend() {
    fires(code::MEANINGLESS_ATTRIBUTE, &inbound("<set-backend-service id='lb' backend-id='p' />"));
    silent(
        code::MEANINGLESS_ATTRIBUTE,
        &inbound("<set-backend-service backend-id='p' /><set-header name='x' id='a' />"),
    );
}

#[test]
fn rules_and_pitfalls_come_together_in_order() {
    let text = "<policies><inbound><set-backend-service id='lb' /></inbound><backend><base /><forward-request /></backend></policies>";
    let found = lint(text, &BTreeMap::new());
    let codes: Vec<&str> = found.iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(codes, ["AL0805", "AL0831", "AL0836", "AL0809", "AL0832"]);
    assert_eq!(lint("<policies>", &BTreeMap::new()).len(), 1);
}
