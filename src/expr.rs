//! ARM template expressions: the tree, its printer, its parser, and the functions.
//!
//! A tree is what stands between the brackets of `"[...]"`. The printer writes what the Bicep compiler writes; [`parse`]
//! reads it. [`call`] is a function of values alone; [`evaluate`] takes a tree in a place, a [`Context`];
//! [`text_value`] takes a string of a template, which may be an expression ([`template_string`], [`literal`]).
//!
//! Invariants:
//!
//! - `parse(print(e)) == e` for every tree whose index is no string (that is a property) and whose names are names.
//! - No text and no tree can exhaust the stack, the memory or the patience of whoever evaluates it.
//! - What is not known is refused by name, never guessed: an unknown function, a format specifier, a type that does not
//!   fit.
//!
//! Deliberately absent: `distinct`, `like` and `externalInput`, of which no rules are known, and the metadata of
//! `providers` and `deployer`, unless the place has them. They are refused as not supported.

mod error;
mod evaluate;
mod functions;
mod hash;
mod parse;
mod value;
#[cfg(test)]
mod vectors;

pub use error::{EvalError, Fault, type_name};
pub use evaluate::{Context, Effort, View, evaluate, evaluate_within, known, text_value};
pub use functions::call;
pub use hash::{guid, unique_string};
pub use parse::{MAX_DEPTH, MAX_LENGTH, ParseError, TemplateString, literal, parse, template_string};
pub use value::{bounded, get, limit, same, set, size};

use std::fmt;

/// An ARM template expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expr {
    /// `'text'`
    Str(String),
    /// `42`
    Int(i64),
    /// `name(a, b)`; also `true()`, `false()`, `null()`, `createObject(...)`, `createArray(...)`
    Call(String, Vec<Expr>),
    /// `base.name`, printed as `base['odd name']` where the name is no identifier
    Prop(Box<Expr>, String),
    /// `base[index]`
    Index(Box<Expr>, Box<Expr>),
}

impl Expr {
    /// `name(args...)`
    pub fn call(name: impl Into<String>, args: impl IntoIterator<Item = Expr>) -> Expr {
        Expr::Call(name.into(), args.into_iter().collect())
    }

    /// `'text'`
    pub fn str(text: impl Into<String>) -> Expr {
        Expr::Str(text.into())
    }

    /// `self.name`
    pub fn prop(self, name: impl Into<String>) -> Expr {
        Expr::Prop(Box::new(self), name.into())
    }
}

impl fmt::Display for Expr {
    /// Without the outer brackets of a template string.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Str(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Expr::Int(number) => write!(f, "{number}"),
            Expr::Call(name, args) => {
                write!(f, "{name}(")?;
                for (i, arg) in args.iter().enumerate() {
                    write!(f, "{}{arg}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
            Expr::Prop(base, name) if is_identifier(name) => write!(f, "{base}.{name}"),
            Expr::Prop(base, name) => write!(f, "{base}[{}]", Expr::str(name.as_str())),
            Expr::Index(base, index) => write!(f, "{base}[{index}]"),
        }
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngSeed};

    /// The same cases every time, unless the nightly run asks for many new ones.
    fn cases(cases: u32) -> Config {
        match std::env::var_os("AOAI_LB_NIGHTLY") {
            None => Config { cases, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() },
            Some(_) => Config { cases: cases * 100, failure_persistence: None, ..Config::default() },
        }
    }

    fn name() -> impl Strategy<Value = String> {
        "[a-zA-Z_][a-zA-Z0-9_]{0,8}"
    }

    fn tree() -> impl Strategy<Value = Expr> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Expr::Int),
            any::<String>().prop_map(Expr::Str),
            "['\\[\\](){},. -]{0,6}".prop_map(Expr::Str)
        ];
        leaf.prop_recursive(6, 48, 4, |inner| {
            let index = inner.clone().prop_filter("a string is a property", |e| !matches!(e, Expr::Str(_)));
            prop_oneof![
                4 => (name(), prop::collection::vec(inner.clone(), 0..4)).prop_map(|(name, args)| Expr::Call(name, args)),
                1 => (name(), name(), inner.clone()).prop_map(|(space, name, arg)| Expr::call(format!("{space}.{name}"), [arg])),
                1 => (inner.clone(), name()).prop_map(|(base, name)| base.prop(name)),
                1 => (inner.clone(), any::<String>()).prop_map(|(base, name)| base.prop(name)),
                1 => (inner, index).prop_map(|(base, index)| Expr::Index(Box::new(base), Box::new(index))),
            ]
        })
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn what_is_printed_is_read_back(tree in tree()) {
            prop_assert_eq!(parse(&tree.to_string()), Ok(tree));
        }

        #[test]
        fn no_text_hurts(text in "['\\[\\](),. a-c1-]{0,40}|\\PC{0,20}") {
            if let Ok(tree) = parse(&text) {
                prop_assert_eq!(parse(&tree.to_string()), Ok(tree));
            }
            template_string(&text);
        }

        #[test]
        fn every_text_can_be_written_as_a_literal(text in "\\[{0,3}[\\[\\]x]{0,4}\\]{0,2}|\\PC{0,10}") {
            let written = literal(&text);
            prop_assert_eq!(template_string(&written), TemplateString::Literal(text.as_str().into()));
        }
    }

    #[test]
    fn access_chains_and_blanks() {
        let text = "reference(resourceId('T', 'n'), '2024-05-01', 'full').identity['a b'][-1].c";
        let spaced = " reference ( resourceId('T' ,'n'),'2024-05-01' , 'full' ) . identity [ 'a b' ] [ -1 ] . c ";
        assert_eq!(parse(text).map(|e| e.to_string()), Ok(text.to_owned()));
        assert_eq!(parse(text), parse(spaced));
        assert_eq!(parse("'it''s'"), Ok(Expr::str("it's")));
        assert_eq!(parse("__bicep.greet()"), Ok(Expr::call("__bicep.greet", [])));
    }

    #[test]
    fn faults_are_named_where_they_are() {
        let fault = |text: &str| match parse(text) {
            Err(ParseError::Unexpected { at, expected, actual, .. }) => format!("{at} {expected} {actual}"),
            other => format!("{other:?}"),
        };
        assert_eq!(fault(""), "0 LeftParenthesis EndOfData");
        assert_eq!(fault("concat('a'"), "10 RightParenthesis EndOfData");
        assert_eq!(fault("true"), "4 LeftParenthesis EndOfData");
        assert_eq!(fault("f('a)"), "2 LeftParenthesis Unrecognized");
        assert_eq!(fault("f() g()"), "4 EndOfData Identifier");
        assert_eq!(fault("f().1"), "4 Identifier Integer");
        assert_eq!(fault("99999999999999999999"), "0 LeftParenthesis Unrecognized");
        assert_eq!(fault("f(1,)"), "4 LeftParenthesis RightParenthesis");
        assert!(parse("concat('a'").is_err_and(|e| e.to_string()
            == "Unable to parse language expression 'concat('a'': expected token 'RightParenthesis' and actual 'EndOfData'."));
    }

    #[test]
    fn hostile_nesting_is_refused() {
        for (open, close) in [("f(", ")"), ("f()[", "]")] {
            let nested = |n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
            assert!(parse(&nested(100)).is_ok());
            assert_eq!(parse(&nested(4_000)), Err(ParseError::TooDeep));
        }
        assert_eq!(parse(&format!("f(){}", ".a".repeat(10_000))), Err(ParseError::TooDeep));
        assert_eq!(parse(&format!("f(){}", "[1]".repeat(8_000))), Err(ParseError::TooDeep));
        assert_eq!(parse(&format!("'{}'", "a".repeat(MAX_LENGTH))), Err(ParseError::TooLong));
        assert!(parse(&format!("f({}1)", "1,".repeat(10_000))).is_ok(), "many arguments are not deep");
    }

    #[test]
    fn brackets() {
        for (written, meant) in [
            ("[[x]", "[x]"),
            ("[[[x]", "[[x]"),
            ("[[]", "[]"),
            ("[[", "[["),
            ("[x", "[x"),
            ("x]", "x]"),
            ("[x] y", "[x] y"),
            ("[", "["),
            ("", ""),
            ("[[a", "[[a"),
            (" [x]", " [x]"),
        ] {
            assert_eq!(template_string(written), TemplateString::Literal(meant.into()), "{written}");
            assert_eq!(literal(meant), written);
        }
        assert_eq!(template_string("[ f() ]"), TemplateString::Expression(" f() "));
        assert_eq!(template_string("[]"), TemplateString::Expression(""));
    }
}
