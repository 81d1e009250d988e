//! Policy expressions: whether they can be compiled, as far as tokens tell, and whether what they name is documented.

use super::{closest, listed, view};
use crate::diagnostic::{Diagnostic, Span, code};
use crate::policy_xml::csharp::{Form, Kind, Token};

/// Where an expression stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    Attribute,
    Content,
}

/// So many names of one expression are told.
const ENOUGH: usize = 20;

/// Checks one value; a literal has nothing to check.
pub(super) fn check(value: &view::Value, out: &mut Vec<Diagnostic>) {
    let (expression, after) = match value {
        view::Value::Literal(_) => return,
        view::Value::Broken(fault) => {
            let span = Span { start: fault.at, end: fault.at + 1 };
            out.push(broken(span, &format!("the expression cannot be read: {}", fault.message)));
            return;
        }
        view::Value::Expression(expression, after) => (expression, *after),
    };
    if let Some(start) = after {
        let problem = broken(Span { start, end: start + 1 }, "text follows the end of the expression");
        out.push(problem.help("make the whole value one expression"));
    }
    let tokens = &expression.tokens;
    let returns = || tokens.iter().any(|token| token.is("return") || token.is("throw"));
    match expression.form {
        _ if tokens.is_empty() => out.push(broken(expression.span, "the expression is empty")),
        Form::Block if !returns() => {
            let problem = broken(expression.span, "a block of statements without `return`");
            out.push(problem.help("return the value, or use `@(...)` for a single expression"));
        }
        Form::Single if tokens.last().is_some_and(|token| token.is(";")) => {
            let problem = broken(expression.span, "a single expression does not end with `;`");
            out.push(problem.help("use `@{ ... return ...; }`"));
        }
        _ => {}
    }
    let told = out.len();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Word) {
        if out.len() - told >= ENOUGH {
            break;
        }
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        if before.is_some_and(|before| before.is(".") || before.is("?.")) {
            continue;
        }
        match token.text.as_str() {
            "dynamic" => {
                let message = "`dynamic` is refused in a policy expression";
                let problem = Diagnostic::new(code::REFUSED_EXPRESSION, message).span(token.span);
                out.push(problem.help("name the type, or use `var`"));
            }
            "context" => member(tokens, at, out),
            _ => type_named(tokens, at, out),
        }
    }
}

fn broken(span: Span, message: &str) -> Diagnostic {
    Diagnostic::new(code::BROKEN_EXPRESSION, message).span(span)
}

fn unlisted(token: &Token, message: String) -> Diagnostic {
    let problem = Diagnostic::new(code::UNLISTED_EXPRESSION, message).span(token.span);
    problem.help("use what the documentation of policy expressions lists")
}

/// The name behind the dot that follows a token.
fn behind(tokens: &[Token], at: usize) -> Option<&Token> {
    let dot = tokens.get(at + 1)?;
    tokens.get(at + 2).filter(|name| (dot.is(".") || dot.is("?.")) && name.kind == Kind::Word)
}

/// `context.A.B`
fn member(tokens: &[Token], at: usize, out: &mut Vec<Diagnostic>) {
    let Some(first) = behind(tokens, at) else { return };
    let Some((name, members)) = listed::CONTEXT.iter().find(|(name, _)| *name == first.text) else {
        let problem = unlisted(first, format!("`context` has no documented member `{}`", first.text));
        out.push(near(problem, &first.text, listed::CONTEXT.iter().map(|(name, _)| *name)));
        return;
    };
    let Some(second) = behind(tokens, at + 2).filter(|_| !members.is_empty()) else { return };
    let generic = ["ToString", "Equals", "GetHashCode", "GetType"];
    if !members.contains(&second.text.as_str()) && !generic.contains(&second.text.as_str()) {
        let problem = unlisted(second, format!("`context.{name}` has no documented member `{}`", second.text));
        out.push(near(problem, &second.text, members.iter().copied()));
    }
}

fn near<'a>(problem: Diagnostic, word: &str, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    match closest(word, known) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    }
}

/// `new A(...)`, `catch (A`, `A.B`, `<A>`: a name that can only be a type's.
fn type_named(tokens: &[Token], at: usize, out: &mut Vec<Diagnostic>) {
    let token = &tokens[at];
    if !token.text.starts_with(|c: char| c.is_ascii_uppercase()) {
        return;
    }
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    let after = tokens.get(at + 1);
    let caught = at >= 2 && tokens[at - 1].is("(") && tokens[at - 2].is("catch");
    let created = before.is_some_and(|before| before.is("new")) || caught;
    let argument = before.is_some_and(|before| before.is("<")) && after.is_some_and(|after| after.is(">"));
    let member = behind(tokens, at);
    if !created && !argument && member.is_none() {
        return;
    }
    if !listed::TYPES.contains(&token.text.as_str()) {
        // a single letter is the parameter of a type
        let own = token.text.len() == 1 || !caught && declared(tokens, &token.text);
        if !own {
            out.push(unlisted(token, format!("the type `{}` is not listed for policy expressions", token.text)));
        }
        return;
    }
    let members = listed::MEMBERS.iter().find(|(name, _)| *name == token.text);
    if let (Some((name, members)), Some(member)) = (members, member.filter(|_| !created))
        && !members.contains(&member.text.as_str())
    {
        out.push(unlisted(member, format!("`{name}.{}` is not listed for policy expressions", member.text)));
    }
}

/// Whether a name is a variable, a parameter or a key of this expression.
fn declared(tokens: &[Token], name: &str) -> bool {
    let places = (0..tokens.len()).filter(|at| tokens[*at].kind == Kind::Word && tokens[*at].text == name);
    places.into_iter().any(|at| {
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let typed = before.is_some_and(|before| {
            (before.kind == Kind::Word
                && !["new", "return", "in", "is", "as", "throw", "case", "else"].contains(&before.text.as_str()))
                || before.is("]")
                || before.is(">") && tokens.get(at + 1).is_some_and(|after| after.is("=") || after.is("in"))
        });
        typed || tokens.get(at + 1).is_some_and(|after| after.is("=>"))
    })
}
