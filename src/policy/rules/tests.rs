use super::*;

/// A document with this in its inbound section, and something in every other.
fn inbound(content: &str) -> String {
    format!(
        "<policies><inbound><base />{content}</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>"
    )
}

fn backend(content: &str) -> String {
    format!("<policies><inbound><base /></inbound><backend>{content}</backend></policies>")
}

/// Codes and the texts that they point at.
fn found(text: &str) -> Vec<(String, String)> {
    let found = check(text, Document::Policy);
    let place = |span: Span| text.get(span.start..span.end.min(text.len())).unwrap_or("?").to_owned();
    found.iter().map(|problem| (problem.code.to_string(), place(problem.span.unwrap_or_default()))).collect()
}

/// Exactly one finding, of this code, at this text.
#[track_caller]
fn one(text: &str, code: &str, place: &str) {
    assert_eq!(found(text), [(code.to_owned(), place.to_owned())], "{text}\n{:?}", check(text, Document::Policy));
}

#[track_caller]
fn none(text: &str) {
    assert_eq!(check(text, Document::Policy), [], "{text}");
}

#[test]
fn documents_that_are_right_have_no_finding() {
    none("<policies />");
    none(&inbound(""));
    none(&inbound(
        "<set-variable name=\"a\" value=\"@(context.Request.Body.As<string>(true).Contains(\"x\") && 1 < 2)\" />",
    ));
    none(&inbound(
        "<set-header name='x' exists-action='override' id='1'><value>@{ return \"y\"; }</value></set-header>",
    ));
    none(&inbound(
        "<choose><when condition='@(true)'><set-method>GET</set-method></when><otherwise><rate-limit calls='1' renewal-period='60' /></otherwise></choose>",
    ));
    none(&inbound("<trace source='a'>text</trace><set-body template='liquid'>{{body.x}} <b/></set-body>"));
    none(&inbound("<set-status code='{{status}}' reason='x' />"));
    none(&backend(
        "<retry condition='@(context.Response.StatusCode == 429)' count='@(2)' interval='0'><forward-request timeout='60' buffer-request-body='true' /></retry>",
    ));
    none("<!-- c --><policies><backend><forward-request /></backend><inbound /></policies><!-- d -->");
    let fragment = "<fragment><set-variable name='a' value='1' /></fragment>";
    assert_eq!(check(fragment, Document::Fragment), []);
}

#[test]
fn sections_and_base_have_their_places() {
    one("<policy />", "AL0804", "<policy");
    one("<fragment />", "AL0804", "<fragment");
    one("<policies><inbond /></policies>", "AL0804", "<inbond");
    one("<policies><inbound /><inbound /></policies>", "AL0804", "<inbound");
    one(&inbound("<forward-request />"), "AL0804", "<forward-request");
    one(&inbound("<set-url>https://x</set-url>"), "AL0804", "<set-url");
    one(&inbound("<policies />"), "AL0804", "<policies");
    one(&inbound("<choose><when condition='@(true)'><base /></when></choose>"), "AL0804", "<base");
    one(&backend("<retry condition='@(true)' count='1' interval='0'><wait for='all' /></retry>"), "AL0804", "<wait");
    one("<policies><on-error><forward-request /></on-error></policies>", "AL0804", "<forward-request");
    one("<policies><outbound><rewrite-uri template='/x' /></outbound></policies>", "AL0804", "<rewrite-uri");
    let nested = "<fragment><include-fragment fragment-id='x' /></fragment>";
    assert_eq!(check(nested, Document::Fragment).iter().map(|p| p.code).collect::<Vec<_>>(), [code::POLICY_PLACE]);
}

#[test]
fn the_backend_section_holds_one_policy() {
    one(&backend("<base /><forward-request />"), "AL0809", "<forward-request");
    none(&backend(
        "<limit-concurrency key='k' max-count='3'><set-variable name='a' value='1' /><forward-request /></limit-concurrency>",
    ));
}

#[test]
fn attributes_are_those_of_the_table() {
    one(&inbound("<set-variable name='a' />"), "AL0805", "<set-variable");
    one(&inbound("<set-variable name='a' value='b' valeu='c' />"), "AL0805", "valeu");
    one(&inbound("<set-backend-service />"), "AL0805", "<set-backend-service");
    one(&inbound("<quota renewal-period='60' />"), "AL0805", "<quota");
    one(&inbound("<llm-token-limit counter-key='k' estimate-prompt-tokens='true' />"), "AL0805", "<llm-token-limit");
    one(&backend("<forward-request timeout='1' timeout-ms='1' />"), "AL0805", "<forward-request");
    one(&backend("<retry condition='@(true)' count='1'><forward-request /></retry>"), "AL0805", "<retry");
    // only unreadable XML can hold an attribute twice
    let twice = inbound("<set-variable name='a' name='b' value='@(1 < 2)' />");
    assert_eq!(found(&twice), [("AL0805".to_owned(), "name".to_owned())]);
    let help = check(&inbound("<set-variable nam='a' name='b' value='c' />"), Document::Policy).remove(0).help;
    assert_eq!(help.as_deref(), Some("did you mean `name`?"));
}

#[test]
fn values_are_of_their_type_and_range() {
    let retry = |count: &str| {
        backend(&format!("<retry condition='@(true)' count='{count}' interval='0'><forward-request /></retry>"))
    };
    for wrong in ["0", "51", "x", "", "1.5"] {
        one(&retry(wrong), "AL0806", wrong);
    }
    none(&retry("50"));
    none(&retry(" 1 "));
    one(&backend("<forward-request buffer-response='yes' />"), "AL0806", "yes");
    one(&inbound("<set-header name='x' exists-action='replace'><value>1</value></set-header>"), "AL0806", "replace");
    one(&inbound("<rate-limit calls='5' renewal-period='301' />"), "AL0806", "301");
    one(&inbound("<set-status code='99' />"), "AL0806", "99");
    one(&inbound("<llm-semantic-cache-lookup score-threshold='2' embeddings-backend-id='e' />"), "AL0806", "2");
    one(
        &inbound("<quota-by-key calls='1' renewal-period='300' counter-key='k' first-period-start='soon' />"),
        "AL0806",
        "soon",
    );
}

#[test]
fn expressions_stand_where_they_may() {
    one(&inbound("<set-variable name='@(1)' value='1' />"), "AL0807", "@(1)");
    one(&backend("<forward-request buffer-request-body='@(true)' />"), "AL0807", "@(true)");
    one(&inbound("<authentication-managed-identity resource='r' client-id='@(1)' />"), "AL0815", "@(1)");
    none(&backend("<forward-request timeout='@(60)' />"));
    one(&inbound("<set-variable name='a' value='x @(1)' />"), "AL0817", "x @(1)");
    one(&inbound("<set-header name='a'><value>x @(1)</value></set-header>"), "AL0817", "x @(1)");
}

#[test]
fn contents_are_those_of_the_table() {
    one(&inbound("stray"), "AL0808", "stray");
    one(&inbound("<set-header name='x'>text</set-header>"), "AL0808", "text");
    one(&inbound("<set-header name='x'><valu>1</valu></set-header>"), "AL0808", "<valu");
    one(&inbound("<choose><otherwise /></choose>"), "AL0808", "<choose");
    one(
        &inbound("<choose><otherwise /><when condition='@(true)'><set-method>GET</set-method></when></choose>"),
        "AL0808",
        "<when",
    );
    one(&inbound("<set-variable name='a' value='b'><value /></set-variable>"), "AL0808", "<value");
    one(
        &inbound("<return-response><set-body>x</set-body><set-status code='200' /></return-response>"),
        "AL0808",
        "<set-status",
    );
    one(
        &inbound("<return-response><set-status code='200' /><set-status code='200' /></return-response>"),
        "AL0808",
        "<set-status",
    );
    one(&inbound("<send-request mode='new' response-variable-name='r' />"), "AL0808", "<send-request");
    one(&inbound("<set-method>GET<b /></set-method>"), "AL0808", "<b");
    one("<policies><inbound><base>x</base></inbound></policies>", "AL0808", "x");
}

#[test]
fn expressions_must_compile_as_far_as_tokens_tell() {
    let value = |expression: &str| inbound(&format!("<set-header name='x'><value>{expression}</value></set-header>"));
    for wrong in [
        "@(1",
        "@(a]",
        "@(\"a)",
        "@('ab' == a)",
        "@()",
        "@{ }",
        "@(1;)",
        "@{ int a = 1; }",
        "@(1) x",
        "@{ /* return 1; }",
    ] {
        let codes: Vec<String> = found(&value(wrong)).into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, ["AL0810"], "{wrong}");
    }
    none(&value("@{ if (true) { throw new Exception(\"}\"); } return 'x'; /* ) */ }"));
    none(&value("@(\"//\" + $\"{1}\" + @\"\\\")"));
    one(&value("@{ dynamic x = 1; return x; }"), "AL0811", "dynamic");
    none(&value("@(\"dynamic\")"));
}

#[test]
fn types_and_members_are_those_of_the_documentation() {
    let value = |expression: &str| inbound(&format!("<set-header name='x'><value>{expression}</value></set-header>"));
    one(&value("@(context.Reqest.Method)"), "AL0812", "Reqest");
    one(&value("@(context.Response.Status)"), "AL0812", "Status");
    one(&value("@(new XmlDocument().InnerText)"), "AL0812", "XmlDocument");
    one(&value("@(DateTime.ParseExact(\"\", \"\", null))"), "AL0812", "ParseExact");
    one(&value("@(new List<Thread>())"), "AL0812", "Thread");
    one(&value("@{ try { return 1; } catch (FormatException e) { return e.Message; } }"), "AL0812", "FormatException");
    none(&value("@{ var Jwt2 = context.Request.Headers; return Jwt2.GetValueOrDefault(\"a\", \"Thread.Sleep\"); }"));
    none(&value("@(new JObject(new JProperty(\"a\", Convert.ToInt32(\"1\"))).ToString())"));
    none(&value("@(context.User?.Email ?? context.Request.Headers.GetValueOrDefault(\"a\", \"\"))"));
    none(&value("@(context.Variables.GetValueOrDefault<JArray>(\"a\").Select(X => X.Value<int>()).Sum())"));
}

#[test]
fn strangers_are_warned_of() {
    one(&inbound("<set-heder name='x' />"), "AL0803", "<set-heder");
    one("<sql-data-source />", "AL0803", "<sql-data-source");
    let inside = inbound("<brand-new><set-header name='a' nme='b' /></brand-new>");
    assert_eq!(found(&inside).iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), ["AL0803", "AL0805"]);
}

#[test]
fn disputed_uses_are_warned_of() {
    let limit = "<rate-limit calls='1' renewal-period='60' />";
    one(&inbound(&format!("{limit}{limit}")), "AL0815", "<rate-limit");
    one(&inbound("<choose><when condition='@(true)' /></choose>"), "AL0815", "<when");
    one(&inbound("<emit-metric name='m' />"), "AL0815", "<emit-metric");
    one(
        &inbound("<llm-token-limit counter-key='k' estimate-prompt-tokens='true' token-quota='1' />"),
        "AL0815",
        "<llm-token-limit",
    );
    one(
        &backend("<retry condition='@(true)' count='1' interval='1' max-interval='9'><forward-request /></retry>"),
        "AL0815",
        "<retry",
    );
}

#[test]
fn trap_19_line_comments_are_lost_in_xml_alone() {
    let lines = "<set-variable name='a' value='@{ // why\n return 1;\n}' />";
    one(&inbound(lines), "AL0814", "// why");
    none(&inbound(&lines.replace("// why", "/* why */")));
    none(&inbound(&lines.replace("return 1", "return \"x\" + (1 < 2)").replace('\'', "\"")));
    none(&inbound("<set-body>@{ // why\n return \"\";\n}</set-body>"));
}

#[test]
fn variables_are_set_before_they_are_read() {
    let read = "<set-variable name='b' value='@((string)context.Variables[\"a\"])' />";
    let set = "<set-variable name='a' value='1' />";
    one(&inbound(read), "AL0816", "\"a\"");
    one(&inbound(&format!("{read}{set}")), "AL0816", "\"a\"");
    none(&inbound(&format!("{set}{read}")));
    none(&inbound(&format!("<include-fragment fragment-id='f' />{read}")));
    none(&inbound(
        "<choose><when condition='@(context.Variables.ContainsKey(\"a\") &amp;&amp; (bool)context.Variables[\"a\"])'><set-method>GET</set-method></when></choose>",
    ));
    none(&inbound(&format!("<send-request response-variable-name='a'><set-url>x</set-url></send-request>{read}")));
    let retry = |inside: &str| {
        backend(&format!(
            "<retry condition='@((bool)context.Variables[\"a\"])' count='1' interval='0'>{inside}<forward-request /></retry>"
        ))
    };
    none(&retry(set));
    one(&retry(""), "AL0816", "\"a\"");
}

#[test]
fn long_documents_are_refused() {
    let long = inbound(&format!("<!--{}-->", "x".repeat(LIMIT)));
    assert_eq!(check(&long, Document::Policy).iter().map(|p| p.code).collect::<Vec<_>>(), [code::POLICY_SIZE]);
    let middle = inbound(&format!("<!--{}-->", "x".repeat(CONSUMPTION_LIMIT)));
    assert!(size(&middle, CONSUMPTION_LIMIT).is_some() && size(&middle, LIMIT).is_none());
    none(&middle);
}

#[test]
fn what_cannot_be_read_is_one_error() {
    for text in ["", "x", "<policies>", "<policies><inbound></policies>", "<a b=c/>"] {
        let codes: Vec<String> = found(text).into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, ["AL0801"], "{text}");
    }
}

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/expressions/vectors.json");

/// What the compiler takes has no error here, what the documentation lists no warning, and some of the rest has one.
#[test]
#[allow(clippy::disallowed_methods)] // a test may read the disk
fn expressions_that_compile_are_accepted() {
    let Ok(text) = std::fs::read_to_string(VECTORS) else {
        assert!(std::env::var_os("CI").is_none(), "../shared/corpus/expressions is not here");
        eprintln!("skipped: ../shared/corpus/expressions is not here");
        return;
    };
    let (mut accepted, mut refused, mut warned) = (0, 0, 0);
    let whole: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let vectors = whole.as_array().or_else(|| whole["vectors"].as_array()).expect("vectors");
    for vector in vectors {
        let expression = vector["expr"].as_str().expect("an expression");
        let escaped = expression.replace('&', "&amp;").replace('<', "&lt;");
        let text = inbound(&format!("<set-body>{escaped}</set-body>"));
        let (unlisted, found): (Vec<_>, Vec<_>) =
            check(&text, Document::Policy).into_iter().partition(|p| p.code == code::UNLISTED_EXPRESSION);
        let errors: Vec<Diagnostic> =
            found.into_iter().filter(|p| p.severity == crate::diagnostic::Severity::Error).collect();
        if vector.get("compile").is_none() {
            assert_eq!(errors, [], "{expression}");
            accepted += 1;
            let outside = vector.get("outside").is_some();
            assert!(outside || unlisted.is_empty(), "{expression}: {unlisted:?}");
            warned += usize::from(!unlisted.is_empty());
        }
        refused += usize::from(!errors.is_empty());
    }
    assert!(accepted > 3_000 && refused > 10 && warned > 10, "{accepted} {refused} {warned}");
}
