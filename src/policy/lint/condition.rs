//! For which statuses a condition holds, as far as its tokens tell.

use crate::policy_xml::csharp::{Kind, Token};

/// Brackets inside each other that are followed.
const DEPTH: usize = 32;

/// What a condition is for a given status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    /// It hangs on something else.
    Open,
}

/// What the condition is when the backend answered with this status.
pub(super) fn holds(tokens: &[Token], status: u16) -> Truth {
    or(tokens, status, 0)
}

fn or(tokens: &[Token], status: u16, depth: usize) -> Truth {
    let parts = divide(tokens, "||");
    if depth > DEPTH || parts.len() > 1 && parts.iter().any(|part| part.is_empty()) {
        return Truth::Open;
    }
    let found: Vec<Truth> = parts.into_iter().map(|part| and(part, status, depth)).collect();
    match found {
        all if all.contains(&Truth::Yes) => Truth::Yes,
        all if all.contains(&Truth::Open) => Truth::Open,
        _ => Truth::No,
    }
}

fn and(tokens: &[Token], status: u16, depth: usize) -> Truth {
    let found: Vec<Truth> = divide(tokens, "&&").into_iter().map(|part| not(part, status, depth)).collect();
    match found {
        all if all.contains(&Truth::No) => Truth::No,
        all if all.contains(&Truth::Open) => Truth::Open,
        _ => Truth::Yes,
    }
}

fn not(tokens: &[Token], status: u16, depth: usize) -> Truth {
    match tokens {
        [bang, rest @ ..] if bang.is("!") && depth < DEPTH => match not(rest, status, depth + 1) {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            Truth::Open => Truth::Open,
        },
        [open, inner @ .., close] if open.is("(") && close.is(")") && balanced(inner) => or(inner, status, depth + 1),
        _ => comparison(tokens, status),
    }
}

/// The pieces between the marks that stand in no bracket.
fn divide<'a>(tokens: &'a [Token], mark: &str) -> Vec<&'a [Token]> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0usize);
    for (at, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Mark {
            match token.text.as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                text if text == mark && depth == 0 => {
                    parts.push(&tokens[start..at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
    }
    parts.push(&tokens[start..]);
    parts
}

fn balanced(tokens: &[Token]) -> bool {
    let mut depth = 0i64;
    for token in tokens.iter().filter(|token| token.kind == Kind::Mark) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

fn comparison(tokens: &[Token], status: u16) -> Truth {
    let truth = |yes: bool| if yes { Truth::Yes } else { Truth::No };
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    match words.as_slice() {
        ["true"] => return Truth::Yes,
        ["false"] => return Truth::No,
        ["context", ".", "Response", "!=", "null"] | ["null", "!=", "context", ".", "Response"] => return Truth::Yes,
        ["context", ".", "Response", "==", "null"] | ["null", "==", "context", ".", "Response"] => return Truth::No,
        _ => {}
    }
    let is_status = |words: &[&str]| {
        matches!(
            words,
            ["context", ".", "Response", "." | "?.", "StatusCode"]
                | ["context", ".", "Response", "?", ".", "StatusCode"]
        )
    };
    if let Some(at) = words.iter().position(|word| ["==", "!=", "<", "<=", ">", ">="].contains(word)) {
        let (left, right) = (&words[..at], &words[at + 1..]);
        let (number, flipped) = match (left, right) {
            (left, [number]) if is_status(left) => (number, false),
            ([number], right) if is_status(right) => (number, true),
            _ => return Truth::Open,
        };
        let Ok(number) = number.parse::<u16>() else { return Truth::Open };
        let (a, b) = if flipped { (number, status) } else { (status, number) };
        return truth(match words[at] {
            "==" => a == b,
            "!=" => a != b,
            "<" => a < b,
            "<=" => a <= b,
            ">" => a > b,
            _ => a >= b,
        });
    }
    // new [] { 429, 503 }.Contains(context.Response.StatusCode)
    let contains = words.iter().position(|word| *word == "Contains");
    if let Some(at) = contains.filter(|at| words.first() == Some(&"new") && words.len() == at + 8) {
        let numbers: Vec<u16> = words[..at].iter().filter_map(|word| word.parse().ok()).collect();
        if is_status(&words[at + 2..at + 7]) && !numbers.is_empty() {
            return truth(numbers.contains(&status));
        }
    }
    Truth::Open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy_xml::csharp::{Entities, expression};

    fn holds(code: &str, status: u16) -> Truth {
        let text = format!("@({code})");
        super::holds(&expression(&text, 0, text.len(), Entities::Read).expect("an expression").tokens, status)
    }

    #[test]
    fn conditions_on_statuses_are_understood() {
        for (code, yes, no) in [
            ("context.Response.StatusCode >= 400", 404, 200),
            (
                "context.Response != null && (context.Response.StatusCode == 429 || 500 <= context.Response.StatusCode)",
                503,
                404,
            ),
            ("!(context.Response.StatusCode < 500)", 503, 429),
            ("new [] { 429, 503 }.Contains(context.Response.StatusCode)", 503, 500),
            ("context.Response == null || context.Response.StatusCode == 429", 429, 503),
            ("context.Response?.StatusCode == 429", 429, 503),
        ] {
            assert_eq!((holds(code, yes), holds(code, no)), (Truth::Yes, Truth::No), "{code}");
        }
    }

    #[test]
    fn what_hangs_on_more_is_open() {
        let code = "context.Response.StatusCode == 429 && (int)context.Variables[\"n\"] > 0";
        assert_eq!((holds(code, 429), holds(code, 503)), (Truth::Open, Truth::No));
        assert_eq!(holds("context.Response.StatusCode == 429 || (bool)context.Variables[\"n\"]", 503), Truth::Open);
        assert_eq!(holds("a ? b : c", 503), Truth::Open);
        let deep = format!("{}context.Response.StatusCode == 429{}", "(".repeat(5_000), ")".repeat(5_000));
        assert_eq!(holds(&deep, 429), Truth::Open);
        assert_eq!(holds(&"!".repeat(5_000), 429), Truth::Open);
    }
}
