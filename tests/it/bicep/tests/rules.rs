//! Each rule of the format and of the linter, broken once.

use super::{format_check, lint};

#[test]
fn each_rule_of_the_format_is_held() {
    let long = "x".repeat(100);
    let broken_twice_a_line = format!("var a = concat(\n  '{long}', 'b',\n  'c'\n)\n");
    let long_call = format!("var a = concat('{long}', 'b')\n");
    let long_array = format!("var a = [1, '{long}', 'bcdef']\n");
    for (source, wanted) in [
        ("var a = 1", "1:1: the last line does not end"),
        ("var a = 1\n\n", "2:0: a blank line at the end"),
        ("\nvar a = 1\n", "1:0: a blank line at the start"),
        ("var a = 1\n\n\nvar b = 2\n", "3:0: two blank lines in a row"),
        ("var a = 1 \n", "1:10: blanks at the end of the line"),
        ("var a = 1\r\n", "1:10: the line ends with a carriage return"),
        ("var a = {\n\tb: 1\n}\n", "2:5: a tab"),
        ("var a = {\n    b: 1\n}\n", "2:5: indented by 4, not by 2"),
        (" var a = 1\n", "1:2: indented by 1, not by 0"),
        ("var a = {\n  b: 1\n  }\n", "3:3: indented by 2, not by 0"),
        ("var a = true\n? 1\n  : 2\n", "2:1: indented by 0, not by 2"),
        ("var a = {\n\n  b: 1\n}\n", "1:9: a blank line after a bracket opens"),
        ("var a = {\n  b: 1\n\n}\n", "4:1: a blank line before a bracket closes"),
        ("var a = {\n  b:1\n}\n", "2:5: 0 blanks where 1 belong"),
        ("var a = {\n  b : 1\n}\n", "2:5: 1 blanks where 0 belong"),
        ("var a = {\n  'b': 1\n}\n", "2:3: the key b needs no quotes"),
        ("var a = {b: 1}\n", "1:10: 0 blanks where 1 belong"),
        ("var a = [ 1 ]\n", "1:11: 1 blanks where 0 belong"),
        ("var a = [1,2]\n", "1:12: 0 blanks where 1 belong"),
        ("var a = [\n  1,\n  2\n]\n", "2:4: a comma where every item has its own line"),
        ("var a = [{\n  b: 1\n}]\n", "1:9: this is written over several lines, so every item has its own"),
        ("var a = [\n  1]\n", "2:4: a bracket that opens at the end of a line closes on a line of its own"),
        ("var a=1\n", "1:6: 0 blanks where 1 belong"),
        ("var a = 1+ 2\n", "1:10: 0 blanks where 1 belong"),
        ("var a = - 1\n", "1:11: 1 blanks where 0 belong"),
        ("var a = min (1, 2)\n", "1:13: 1 blanks where 0 belong"),
        ("var a = min(\n  1,\n  2\n)\n", "1:12: this call fits on one line"),
        ("var a = empty(\n  ''\n)\n", "1:14: a call with one argument is not broken"),
        (&broken_twice_a_line, "2:105: the arguments of a broken call stand one a line"),
        (&long_call, "1:15: this ends beyond column 120"),
        (&long_array, "1:9: this ends beyond column 120"),
        ("@secure() param a string\n", "1:9: a decorator has a line of its own"),
        ("@secure()\n\nparam a string\n", "1:9: a blank line below a decorator"),
        ("var a = \"b\"\n", "1:9: strings stand in single quotes"),
    ] {
        let found = format_check(source).expect_err(source);
        assert!(found.starts_with(wanted), "{source}\n  {found}\n  {wanted}");
    }
    for good in [
        "",
        &format!("var a = '{long}{long}'\n"),
        &format!("var a = empty('{long}{long}')\n"),
        &format!("var a = concat(\n  '{long}',\n  'b'\n)\n"),
        "var a = union(b, {\n  c: 1\n})\n",
        "var a = '''\n  x \n\n\n\ty'''\n",
        "var a = b ? -1 : !c\n// why\nvar d = e\n  ? f[0].g\n  : h - 1\n",
        "var a /* over\nlines */ = 1\n",
        "param p string? // why\nparam q int[] = []\n",
    ] {
        assert_eq!(format_check(good), Ok(()), "{good}");
    }
}

/// A resource, and one that names it.
const TWO: &str = "resource r 'A.B/c@1' = {\n  name: 'r'\n}\nresource s 'A.B/c@1' = {\n  name: '${r.name}s'\n";

#[test]
fn each_rule_of_the_linter_is_held() {
    let implied = format!("{TWO}  dependsOn: [\n    r\n  ]\n}}\n");
    let implied_by_another =
        format!("{TWO}}}\nresource t 'A.B/c@1' = {{\n  name: 't'\n  dependsOn: [\n    r\n    s\n  ]\n}}\n");
    let symbol = "param p string\nresource r 'A.B/c@1' = {\n  name: p\n}\noutput o string = resourceId('A.B/c', p)\n";
    for (source, wanted) in [
        ("param p string\n", "1:7: no-unused-params: parameter `p` is never used"),
        ("var v = 1\n", "1:5: no-unused-vars: variable `v` is never used"),
        ("resource r 'A.B/c@1' existing = {\n  name: 'r'\n}\n", "1:10: no-unused-existing-resources"),
        ("param aPassword string\noutput o int = length(aPassword)\n", "1:7: secure-secrets-in-params"),
        ("@secure()\nparam p string = 'x'\nvar v = length(p)\noutput o int = v\n", "2:7: secure-parameter-default"),
        ("@secure()\nparam p string\noutput o string = p\n", "3:19: outputs-should-not-contain-secrets"),
        ("resource r 'A.B/c@1' = {\n  name: 'r'\n  location: 'eastus'\n}\n", "3:13: no-hardcoded-location"),
        ("var l = 'x'\nresource r 'A.B/c@1' = {\n  name: 'r'\n  location: l\n}\n", "4:13: no-hardcoded-location"),
        ("output o string = 'https://x.vault.azure.net/'\n", "1:19: no-hardcoded-env-urls: vault.azure.net"),
        ("param p string\noutput o string = '${p}'\n", "2:19: simplify-interpolation"),
        ("param p string\noutput o string = concat('a', p)\n", "2:19: prefer-interpolation"),
        (symbol, "5:19: use-symbol: resourceId() where `r.id` would serve"),
        (&implied, "7:5: no-unnecessary-dependson: entry `r` is unnecessary"),
        (&implied_by_another, "10:5: no-unnecessary-dependson: entry `r` is unnecessary"),
        ("var a = \n", "1:9: a value expected, the end of the line found"),
    ] {
        let found = lint(source);
        let wanted = format!("main.bicep:{wanted}");
        assert!(matches!(found.as_slice(), [only] if only.starts_with(&wanted)), "{source}\n  {found:?}\n  {wanted}");
    }
    let disabled = |rule: &str| format!("#disable-next-line {rule}\noutput o string = 'https://x.vault.azure.net/'\n");
    assert_eq!(lint(&disabled("BCP037 no-hardcoded-env-urls")), Vec::<String>::new());
    assert_eq!(lint(&disabled("no-hardcoded-location")).len(), 1);
    let clean = "param secretName string\nparam group string\nresource r 'A.B/c@1' = {\n  name: secretName\n  \
                 location: 'global'\n}\noutput o string = 'https://notvault.azure.net.org/${resourceId('A.B/c', group)}'\n";
    assert_eq!(lint(clean), Vec::<String>::new());
}
