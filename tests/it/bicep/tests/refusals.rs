//! What the compiler does not understand or does not allow, and where it says so.

use std::path::Path;

use super::{ACCOUNT, compile, compile_params, compile_text};

/// Sources with what the complaint about each holds.
const REFUSED: &[(&str, &str)] = &[
    // Text.
    ("var a = 'x", ":1:9: this string is never closed"),
    ("var a = '''x", ":1:9: this string is never closed"),
    ("var a = '${b", ":1:13: this interpolation is never closed"),
    ("var a = '${b\n}'", ":1:13: a string in single quotes stays on one line"),
    ("var a = \"x\"", ":1:9: strings stand in single quotes"),
    ("var a = '\\q'", ":1:11: no such escape"),
    ("var a = '\\u{110000}'", ":1:11: \\u{110000} is no character"),
    ("var a = 1b", ":1:10: a number ends where a name begins"),
    ("var a = 99999999999999999999", ":1:9: 99999999999999999999 is larger than 64 bits"),
    ("var a = 9999999999999999999", ":1:9: this number is above 64 bits"),
    ("/* x", ":1:1: this comment is never closed"),
    ("var a = 1 # x", ":1:11: `#` is no part of the language"),
    ("#if x", ":1:1: no such directive"),
    // Statements.
    ("vat a = 1", ":1:1: `vat` begins no statement"),
    ("var a = 1 var b = 2", ":1:11: the end of the line expected, `var` found"),
    ("type t = string", ":1:1: `type` is not supported here"),
    ("func f() string => 'x'", ":1:1: `func` is not supported here"),
    ("import 'x'", ":1:1: `import` is not supported here"),
    ("param p {\n  a: int\n}", ":1:9: types of one's own are not supported here"),
    ("param p thing", ":1:9: type `thing` is not supported here"),
    ("param p string | int", ":1:16: types of one's own"),
    ("var a int = 1", ":1:7: typed variables are not supported here"),
    ("resource r 'A.B/c' = {}", ":1:12: a resource type is written"),
    ("module m 'br:x' = {}", ":1:10: modules of registries are not supported here"),
    ("targetScope = 'subscription'", ":1:15: only the scope 'resourceGroup' is supported here"),
    ("using 'x.bicep'", "this stands only in a parameters file"),
    ("@batchSize(1)\nresource r 'A.B/c@1' = {\n  name: 'r'\n}", ":1:1: @batchSize() is not supported here"),
    ("@secure()\noutput o string = 'x'", ":1:1: @secure() is not supported here"),
    ("@secure()\nparam p int", "a parameter of type int cannot be secure (BCP125)"),
    ("@minLength(1)\n@minLength(2)\nparam p string", ":2:1: @minLength() is given twice (BCP166)"),
    ("param a int\n@minValue(a)\nparam p int", ":2:11: only literals can stand here"),
    // Expressions.
    ("var a = [for x in y: x]", ":1:10: loops are not supported here"),
    ("resource r 'A.B/c@1' = [for x in y: {}]", ":1:24: loops are not supported here"),
    ("var a = map([], x => x)", ":1:19: lambdas are not supported here"),
    ("var a = (x, y) => x", ":1:11: lambdas are not supported here"),
    ("param p object\nvar a = p.?x", ":2:11: safe access is not supported here"),
    ("param p object\nvar a = p!.x", ":2:10: the assertion `!` is not supported here"),
    ("var a = { ...b }", ":1:11: spreading is not supported here"),
    ("var a = { b: 1, b: 2 }", ":1:17: key `b` is given twice"),
    ("var a = { b: 1 c: 2 }", ":1:16: `}` expected, `c` found"),
    ("var a = length([1 2])", ":1:19: `]` expected, `2` found"),
    ("resource r 'A.B/c@1' = {\n  resource s 'd' = {}\n}", ":2:3: nested resources are not supported here"),
    ("var a = leength([])", ":1:9: function `leength` is not known here (BCP057)"),
    ("var a = loadJsonContent('x')", ":1:9: function `loadJsonContent` is not known here"),
    ("var a = utcNow()", ":1:9: utcNow() can stand only in a parameter's default (BCP065)"),
    // Symbols and types.
    ("var a = b", ":1:9: there is no `b` (BCP057)"),
    ("var a = 1\nparam a int", ":2:7: `a` is declared twice"),
    ("var a = 1\nparam p int = a", ":2:15: `a` cannot stand in a parameter's default (BCP072)"),
    ("var a = b\nvar b = a", "a cycle: a -> b -> a (BCP080)"),
    ("param p string = 1", ":1:18: string expected, int given (BCP033)"),
    ("output o array = {}", ":1:18: array expected, object given (BCP033)"),
    ("@allowed(['a'])\nparam p string = 'b'", ":2:18: the default is none of the allowed values"),
    // Resources.
    ("resource r 'A.B/c@1' = {}", ":1:10: `r` has no name"),
    ("resource r 'A.B/c/d@1' = {\n  name: 'x/y'\n}", ":1:10: a child without `parent` is not supported here"),
    ("resource r 'A.B/c@1' = {\n  name: 'r'\n  type: 'x'\n}", ":3:3: `type` of a resource is not written (BCP073)"),
    ("resource r 'A.B/c@1' = {\n  name: 'r'\n  dependsOn: ['x']\n}", ":3:15: `dependsOn` holds symbols"),
    ("resource r 'A.B/c@1' = {\n  name: 'r'\n  scope: subscription()\n}", ":3:10: this scope is not supported here"),
    (
        "resource r 'A.B/c@1' = {\n  name: 'r'\n  scope: resourceGroup('g')\n}",
        ":1:10: a resource of another group must",
    ),
    (
        "resource r 'A.B/c@1' = {\n  name: s.name\n}\nresource s 'A.B/c@1' = {\n  name: r.name\n}",
        "r -> s -> r (BCP080)",
    ),
];

#[test]
fn what_is_not_understood_is_said_with_its_place() {
    for (source, wanted) in REFUSED {
        let found = compile_text(source).expect_err(source);
        assert!(found.starts_with("main.bicep:") && found.contains(wanted), "{source}\n  {found}\n  {wanted}");
    }
}

#[test]
fn a_child_stands_below_its_own_parent_in_its_own_group() {
    let existing = "resource o 'A.B/c@1' existing = {\n  name: 'o'\n  scope: resourceGroup('g')\n}\n";
    for (kind, wanted) in [
        ("A.B/c/d", "main.bicep:5:10: a resource of another group must stand in a module (BCP139, BCP165)"),
        ("A.B/x/d", "main.bicep:6:11: A.B/c is no parent of A.B/x/d (BCP036)"),
    ] {
        let child = format!("{existing}resource d '{kind}@1' = {{\n  parent: o\n  name: 'd'\n}}\n");
        assert_eq!(compile_text(&child), Err(wanted.to_owned()));
    }
}

#[test]
fn what_must_be_known_at_the_start_is_not_read_at_run_time() {
    let with = |body: &str| {
        compile_text(&format!("{ACCOUNT}var v = a.properties.e\nresource b 'A.B/c@1' = {body}\noutput o string = v\n"))
    };
    for known in ["a.id", "a.name", "a.type", "a.apiVersion", "'${a.name}-b'"] {
        with(&format!("{{\n  name: {known}\n}}")).unwrap_or_else(|error| panic!("{known}: {error}"));
    }
    for (body, wanted) in [
        ("{\n  name: a.properties.e\n}", "6:9: `a.properties`"),
        ("{\n  name: guid(a.id, a.identity.principalId)\n}", "6:20: `a.identity`"),
        ("{\n  name: 'x-${v}'\n}", "6:14: through `v`: `a.properties`"),
        ("{\n  name: a.listKeys().key1\n}", "6:9: listKeys()"),
        ("{\n  name: reference('x').y\n}", "6:9: reference()"),
        ("if (empty(a.tags)) {\n  name: 'b'\n}", "5:34: `a.tags`"),
        ("{\n  name: 'b'\n  scope: resourceGroup(a.location)\n}", "7:24: `a.location`"),
    ] {
        let found = with(body).expect_err(body);
        assert!(found.starts_with(&format!("main.bicep:{wanted} is known only")), "{body}\n  {found}");
        assert!(found.ends_with("must be known at the start of the deployment (BCP120)"), "{found}");
    }
}

/// A folder with those files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a temporary file");
    }
    folder
}

fn hold(source: &str, found: Result<String, String>, wanted: Option<&str>) {
    match (found, wanted) {
        (Ok(_), None) => {}
        (Err(found), Some(wanted)) => assert!(found.contains(wanted), "{source}\n  {found}\n  {wanted}"),
        (found, _) => panic!("{source}\n  {found:?}\n  {wanted:?}"),
    }
}

#[test]
fn modules_are_held_against_their_files() {
    let module = "param p string\nparam q string = ''\noutput o string = '${p}${q}'\n";
    let given = "  params: {\n    p: 'x'\n  }\n";
    let named_at_run_time = "resource r 'A.B/c@1' = {\n  name: m.outputs.o\n}\n";
    let scoped_at_run_time = "module n 'm.bicep' = {\n  name: 'n'\n  scope: resourceGroup(m.outputs.o)\n}\n";
    for (body, rest, wanted) in [
        (given, "output o string = m.outputs.o\n", None),
        ("", "", Some("main.bicep:1:8: m.bicep needs the parameter `p` (BCP035)")),
        ("  params: {\n    p: 1\n  }\n", "", Some("main.bicep:4:8: string expected, int given")),
        ("  params: {\n    p: ''\n    r: ''\n  }\n", "", Some("main.bicep:5:5: m.bicep takes no parameter `r`")),
        ("  kind: 'x'\n", "", Some("main.bicep:3:3: a module has name, scope, params and dependsOn")),
        (given, "output o string = m.outputs.x\n", Some("main.bicep:7:19: m.bicep has no output `x` (BCP053)")),
        (given, named_at_run_time, Some("main.bicep:8:9: `m.outputs` is known only at run time")),
        (given, scoped_at_run_time, Some("main.bicep:9:24: `m.outputs` is known only at run time")),
    ] {
        let main = format!("module m 'm.bicep' = {{\n  name: 'm'\n{body}}}\n{rest}");
        let folder = folder(&[("main.bicep", &main), ("m.bicep", module)]);
        hold(&main, compile(&folder.path().join("main.bicep")), wanted);
    }
}

#[test]
fn files_that_are_missing_or_wrong_are_named() {
    for (main, wanted) in [
        ("module m 'x.bicep' = {\n  name: 'm'\n}\n", "main.bicep:1:8: there is no file x.bicep"),
        ("module m './main.bicep' = {\n  name: 'm'\n}\n", "main.bicep:1:8: module `m` calls itself"),
        ("module m 'bad.bicep' = {\n  name: 'm'\n}\n", "bad.bicep:1:9: there is no `b`"),
        (
            "module m 'ok.bicep' = {\n  params: {}\n}\n",
            "main.bicep:1:8: module `m` without a name is not supported here",
        ),
        ("var a = loadTextContent('no.txt')\n", "main.bicep:1:9: no.txt: "),
        ("var a = loadTextContent('a.txt', 'x')\n", "main.bicep:1:9: loadTextContent takes one path"),
    ] {
        let folder = folder(&[("main.bicep", main), ("bad.bicep", "var a = b\n"), ("ok.bicep", "var a = 1\n")]);
        hold(main, compile(&folder.path().join("main.bicep")), Some(wanted));
    }
    assert!(compile(Path::new("no/such.bicep")).is_err_and(|error| error.starts_with("no/such.bicep: ")));
}

#[test]
fn parameters_are_held_against_their_template() {
    let main = "param p string\nparam q int = 1\n";
    for (given, wanted) in [
        ("using 'main.bicep'\nparam p = 'x'\n", None),
        ("param p = 'x'\n", Some("a parameters file begins with `using`")),
        ("using 'x.bicep'\n", Some("there is no file x.bicep")),
        ("using 'main.bicep'\nparam q = 2\n", Some("main.bicep needs the parameter `p` (BCP258)")),
        ("using 'main.bicep'\nparam p = 'x'\nparam r = 1\n", Some(":3:7: main.bicep takes no parameter `r` (BCP259)")),
        ("using 'main.bicep'\nparam p = 1\n", Some(":2:11: string expected, int given")),
        ("using 'main.bicep'\nparam p = getSecret('x')\n", Some(":2:11: only literals are supported here")),
        ("using 'main.bicep'\nparam p = 'x'\nparam p = 'y'\n", Some(":3:7: `p` is declared twice")),
        ("using 'main.bicep'\nvar a = 1\nparam p = 'x'\n", Some(":2:5: only `using` and `param` are supported here")),
    ] {
        let folder = folder(&[("main.bicep", main), ("main.bicepparam", given)]);
        hold(given, compile_params(&folder.path().join("main.bicepparam")), wanted);
    }
}
