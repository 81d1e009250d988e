//! Policy documents of API Management as XML: a small tree, a canonical text, and the text that the service gives back.
//!
//! [`canonical`] is what two documents are compared by: they are equal when they differ only in white space between
//! elements, line ends, the quotes and the order of attributes, how characters are escaped, `<x />` against `<x></x>`,
//! and comments. White space inside attribute values and texts counts, for an expression is C#.
//!
//! An attribute keeps its line breaks, unlike in XML 1.0, because the service reads its documents so (`rawxml`).
//!
//! The form of `rawxml` in which expressions are not escaped is no XML: [`raw`] alone reads it, with places.
//!
//! Deliberately absent: which policies exist and where they may stand (`policy`, and the local Azure).

pub mod csharp;
pub mod raw;
mod read;
mod write;

pub use read::parse;

use std::fmt;

/// A document: its root, and the comments around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Comments before the root.
    pub before: Vec<Node>,
    /// The root, `policies` or `fragment`.
    pub root: Element,
    /// Comments after the root.
    pub after: Vec<Node>,
}

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its attributes as they stand, values unescaped.
    pub attributes: Vec<(String, String)>,
    /// What is inside, white space between elements left out.
    pub children: Vec<Node>,
}

/// What stands in an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text, unescaped.
    Text(String),
    /// A comment.
    Comment(String),
}

/// Why a text is no XML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong, a lower-case fragment.
    pub message: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in characters.
    pub column: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on line {}, column {}", self.message, self.line, self.column)
    }
}

impl Element {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The elements right inside.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            _ => None,
        })
    }

    /// This element and all inside it, in document order.
    pub fn descendants(&self) -> Vec<&Element> {
        let mut found = vec![self];
        for element in self.elements() {
            found.extend(element.descendants());
        }
        found
    }
}

impl Document {
    /// The text as API Management gives it back, as of [`service_form`].
    pub fn service_form(&self) -> String {
        write::service_form(self)
    }
}

/// The text by which documents are compared: two blanks a level, attributes sorted, no comment.
///
/// Canonical texts are their own canonical text, and good to read in a diff.
pub fn canonical(text: &str) -> Result<String, Malformed> {
    parse(text).map(|document| write::canonical(&document))
}

/// The text as API Management gives it back: a tab a level, CRLF, `<x />`, comments kept, everything escaped.
pub fn service_form(text: &str) -> Result<String, Malformed> {
    parse(text).map(|document| write::service_form(&document))
}

/// The literal value of the first `set-variable` of this name in the inbound section; `None` where there is none, or
/// where its value is an expression.
pub fn set_variable(text: &str, name: &str) -> Option<String> {
    let document = parse(text).ok()?;
    let inbound = document.root.elements().find(|section| section.name == "inbound")?;
    let found = inbound
        .descendants()
        .into_iter()
        .find(|element| element.name == "set-variable" && element.attribute("name") == Some(name))?;
    let value = found.attribute("value")?;
    (!is_expression(value)).then(|| value.to_string())
}

/// Whether a value is an expression, `@(...)` or `@{...}`.
pub fn is_expression(value: &str) -> bool {
    let value = value.trim();
    value.starts_with("@(") || value.starts_with("@{")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_matter_does_not_show() {
        let a = "<!-- hello -->\r\n<policies>\r\n\t<inbound>\r\n\t\t<set-variable name=\"a\" value=\"@(&quot;x&quot; + 1)\" />\r\n\t</inbound>\r\n</policies>";
        let b = "<policies><inbound><set-variable value='@(\"x\" + 1)' name='a'></set-variable><!-- no --></inbound></policies>";
        assert_eq!(canonical(a), canonical(b));
        assert_eq!(
            canonical(a).as_deref(),
            Ok(
                "<policies>\n  <inbound>\n    <set-variable name=\"a\" value=\"@(&quot;x&quot; + 1)\" />\n  </inbound>\n</policies>\n"
            )
        );
    }

    #[test]
    fn what_matters_shows() {
        let base = "<policies><inbound><a x='1  2' /></inbound></policies>";
        for other in [
            "<policies><inbound><a x='1 2' /></inbound></policies>",
            "<policies><inbound><a x='1  2'>t</a></inbound></policies>",
            "<policies><inbound><a x='1  2' /><a x='1  2' /></inbound></policies>",
            "<policies><backend><a x='1  2' /></backend></policies>",
        ] {
            assert_ne!(canonical(base), canonical(other), "{other}");
        }
        // texts keep their blanks, and line ends are one thing
        assert_ne!(canonical("<a><v> x</v></a>"), canonical("<a><v>x</v></a>"));
        assert_eq!(canonical("<a><v>x\r\ny</v></a>"), canonical("<a><v>x\ny</v></a>"));
        assert_eq!(canonical("<a v='x&#xA;y'/>"), canonical("<a v=\"x\r\ny\"/>"));
    }

    #[test]
    fn the_service_indents_by_tabs_and_escapes() {
        let sent = "<!-- c -->\n<policies>\n  <inbound>\n    <set-header name='x' exists-action='append'>\n      <value>true</value>\n    </set-header>\n    <base></base>\n    <choose><when condition='@(a &lt; 1 &amp;&amp; b == \"c\")'/></choose></inbound><outbound/></policies>";
        let got = service_form(sent).expect("a document");
        assert_eq!(
            got,
            "<!-- c -->\r\n<policies>\r\n\t<inbound>\r\n\t\t<set-header name=\"x\" exists-action=\"append\">\r\n\t\t\t<value>true</value>\r\n\t\t</set-header>\r\n\t\t<base />\r\n\t\t<choose>\r\n\t\t\t<when condition=\"@(a &lt; 1 &amp;&amp; b == &quot;c&quot;)\" />\r\n\t\t</choose>\r\n\t</inbound>\r\n\t<outbound />\r\n</policies>"
        );
        assert_eq!(canonical(&got), canonical(sent));
        assert_eq!(service_form(&got).as_deref(), Ok(got.as_str()));
    }

    #[test]
    fn line_breaks_in_values_survive_the_service() {
        let sent = "<policies><inbound><set-variable name='v' value='@{\n  return 1;\n}' /></inbound></policies>";
        let got = service_form(sent).expect("a document");
        assert!(got.contains("value=\"@{&#xA;  return 1;&#xA;}\""), "{got}");
        assert_eq!(canonical(&got), canonical(sent));
    }

    #[test]
    fn a_marker_is_a_literal_in_inbound() {
        let text = "<policies><inbound><base /><set-variable name=\"aoai-lb\" value=\"1.abc\" /></inbound></policies>";
        assert_eq!(set_variable(text, "aoai-lb").as_deref(), Some("1.abc"));
        assert_eq!(set_variable(text, "other"), None);
        assert_eq!(set_variable(&text.replace("1.abc", "@(1)"), "aoai-lb"), None);
        assert_eq!(set_variable(&text.replace("inbound", "outbound"), "aoai-lb"), None);
        assert_eq!(set_variable("no xml", "aoai-lb"), None);
    }

    #[test]
    fn what_is_no_xml_is_named_with_its_place() {
        for (text, line, word) in [
            ("", 1, "no element"),
            ("<a>", 1, "closed"),
            ("<a></b>", 1, "b"),
            ("<a/><b/>", 1, "root"),
            ("x<a/>", 1, "outside"),
            ("<a b='1' b='2'/>", 1, "duplicated"),
            ("<a>\n<b c=\"@(\"x\")\" /></a>", 2, ""),
            ("<a>&nbsp;</a>", 1, "nbsp"),
            ("<!DOCTYPE a><a/>", 1, "DOCTYPE"),
            ("<a b=\"a < b\"/>", 1, "<"),
        ] {
            let problem = parse(text).expect_err(text);
            assert_eq!(problem.line, line, "{text}: {problem}");
            assert!(problem.message.to_lowercase().contains(&word.to_lowercase()), "{text}: {problem}");
        }
        let deep = format!("{}{}", "<a>".repeat(500), "</a>".repeat(500));
        assert!(parse(&deep).is_err());
    }

    fn value() -> impl Strategy<Value = String> {
        "[ -~\n\té&<>\"']{0,12}".prop_map(|text| text.to_string())
    }

    fn element() -> impl Strategy<Value = Element> {
        let leaf = ("[a-z]{1,4}", prop::collection::btree_map("[a-z]{1,3}", value(), 0..3), value()).prop_map(
            |(name, attributes, text)| Element {
                name,
                attributes: attributes.into_iter().collect(),
                children: if text.trim().is_empty() { Vec::new() } else { vec![Node::Text(text)] },
            },
        );
        leaf.prop_recursive(3, 12, 3, |inner| {
            ("[a-z]{1,4}", prop::collection::vec(inner, 0..3)).prop_map(|(name, children)| Element {
                name,
                attributes: Vec::new(),
                children: children.into_iter().map(Node::Element).collect(),
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_canonical_text_survives_the_service(root in element()) {
            let document = Document { before: Vec::new(), root, after: Vec::new() };
            let text = write::canonical(&document);
            let back = service_form(&text).expect("our own text is xml");
            prop_assert_eq!(canonical(&text).expect("xml"), text.clone());
            prop_assert_eq!(canonical(&back).expect("xml"), text.clone());
            prop_assert_eq!(service_form(&back).expect("xml"), back);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}", tail in "[<>&;'\"=/a! -]{0,40}") {
            let _ = parse(&text);
            let _ = canonical(&tail);
            let _ = service_form(&format!("<a>{tail}</a>"));
        }
    }
}
