//! The cheap rules of `bicep format`: enough that a text which breaks none of them is very likely left as it is.
//! Deliberately absent: block comments that share a line with code, and operators broken over lines.

use super::lexer::{self, Fault, Kind, Pos, Token};

/// The width that the formatter breaks calls at.
const WIDTH: usize = 120;

/// A bracket that is open.
struct Open {
    mark: &'static str,
    at: Pos,
    /// Ended its line, so that every item has a line of its own.
    broken: bool,
    /// An index, a type's `[]`, or a call: brackets that belong to what stands before them.
    attached: bool,
    commas: usize,
    /// `?` that wait for their `:`.
    choices: usize,
}

/// The first rule that a text breaks.
pub fn check(source: &str) -> Result<(), Fault> {
    let (tokens, comments) = lexer::scan(source)?;
    let lines: Vec<&str> = source.split('\n').collect();
    check_lines(&lines, &tokens)?;
    let mut open: Vec<Open> = Vec::new();
    let mut indents = vec![0; lines.len() + 1];
    let mut settled = 0;
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| &tokens[index]);
        let first = before.is_none_or(|before| before.kind == Kind::Newline);
        let commented = comments.iter().any(|(at, _)| *at < token.at && at.line == token.at.line);
        if first && !commented && !matches!(token.kind, Kind::Newline | Kind::End) {
            let wanted = match (&token.kind, open.last()) {
                (Kind::Mark("?" | ":"), _) => settled + 2,
                (Kind::Mark("}" | "]" | ")"), Some(innermost)) => indents[innermost.at.line],
                (_, Some(innermost)) => indents[innermost.at.line] + 2,
                (_, None) => 0,
            };
            if !matches!(token.kind, Kind::Mark("?" | ":")) {
                settled = wanted;
            }
            indents[token.at.line] = wanted;
            if token.at.column != wanted + 1 {
                return fault(token.at, format!("indented by {}, not by {wanted}", token.at.column - 1));
            }
        }
        if let Some(before) = before
            && !first
            && !commented
            && before.end.line == token.at.line
            && !matches!(token.kind, Kind::Newline | Kind::End)
        {
            let found = token.at.column - before.end.column;
            let wanted = gap(&tokens[..index], token, tokens.get(index + 1), open.last());
            if found != wanted {
                return fault(token.at, format!("{found} blanks where {wanted} belong"));
            }
        }
        check_key(token, tokens.get(index + 1), open.last())?;
        step(&tokens, index, &mut open, &lines)?;
    }
    Ok(())
}

fn fault<T>(at: Pos, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::new(at, message))
}

/// What can be seen of lines alone; the lines of a verbatim string are its own.
fn check_lines(lines: &[&str], tokens: &[Token]) -> Result<(), Fault> {
    let verbatim = |line: usize| {
        tokens.iter().any(|token| matches!(token.kind, Kind::Text(_)) && token.at.line <= line && line < token.end.line)
    };
    let Some((last, inner)) = lines.split_last() else { return Ok(()) };
    if !last.is_empty() {
        return fault(Pos { line: lines.len(), column: 1 }, "the last line does not end");
    }
    for (index, line) in inner.iter().enumerate() {
        let at = Pos { line: index + 1, column: line.chars().count() };
        let blank = line.is_empty();
        if verbatim(index + 1) {
            continue;
        }
        if line.ends_with('\r') {
            return fault(at, "the line ends with a carriage return");
        }
        if line.ends_with([' ', '\t']) {
            return fault(at, "blanks at the end of the line");
        }
        if blank && index == 0 {
            return fault(at, "a blank line at the start");
        }
        if blank && index + 1 == inner.len() {
            return fault(at, "a blank line at the end");
        }
        if blank && inner[index - 1].is_empty() && !verbatim(index) {
            return fault(at, "two blank lines in a row");
        }
        let inside = index > 0 && verbatim(index);
        if !inside && line.trim_start_matches(' ').starts_with('\t') {
            return fault(at, "a tab");
        }
    }
    Ok(())
}

/// How many blanks stand before a token on its line.
fn gap(before: &[Token], token: &Token, after: Option<&Token>, open: Option<&Open>) -> usize {
    let Some(last) = before.last() else { return 0 };
    let operand =
        |kind: &Kind| matches!(kind, Kind::Word(_) | Kind::Number(_) | Kind::Text(_) | Kind::Mark(")" | "]" | "}"));
    let unary = match before.len().checked_sub(2).and_then(|index| before.get(index)) {
        Some(earlier) => !operand(&earlier.kind) || matches!(earlier.kind, Kind::Newline),
        None => true,
    };
    match (&last.kind, &token.kind) {
        (Kind::Mark("{"), Kind::Mark("}")) => 0,
        (Kind::Mark("(" | "[" | "." | "@" | "!"), _) => 0,
        (Kind::Mark("-"), _) if unary => 0,
        (_, Kind::Mark(")" | "]" | "," | ".")) => 0,
        (_, Kind::Mark(":")) => usize::from(open.is_none_or(|open| open.choices > 0)),
        (_, Kind::Mark("?")) if marks_type(after) => 0,
        (Kind::Word(word), Kind::Mark("(")) => usize::from(word == "if" || word == "for"),
        (kind, Kind::Mark("[")) if operand(kind) => 0,
        _ => 1,
    }
}

/// Whether a `?` before this token makes a type nullable.
fn marks_type(after: Option<&Token>) -> bool {
    matches!(after, Some(Token { kind: Kind::Mark("=") | Kind::Newline | Kind::End, .. }))
}

fn check_key(token: &Token, after: Option<&Token>, open: Option<&Open>) -> Result<(), Fault> {
    let Kind::Text(segments) = &token.kind else { return Ok(()) };
    let key = matches!(after, Some(Token { kind: Kind::Mark(":"), .. }))
        && open.is_some_and(|open| open.mark == "{" && open.choices == 0);
    let [lexer::Segment::Literal(text)] = segments.as_slice() else { return Ok(()) };
    let plain =
        !text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
    if key && plain {
        return fault(token.at, format!("the key {text} needs no quotes"));
    }
    Ok(())
}

/// Brackets, commas and the line breaks that belong to them.
fn step(tokens: &[Token], index: usize, open: &mut Vec<Open>, lines: &[&str]) -> Result<(), Fault> {
    let token = &tokens[index];
    let before = index.checked_sub(1).map(|index| &tokens[index].kind);
    let ends_line = matches!(tokens.get(index + 1), Some(Token { kind: Kind::Newline | Kind::End, .. }));
    match token.kind {
        Kind::Mark(mark @ ("{" | "[" | "(")) => {
            let attached =
                mark != "{" && matches!(before, Some(Kind::Word(_) | Kind::Text(_) | Kind::Mark(")" | "]" | "}")));
            open.push(Open { mark, at: token.at, broken: ends_line, attached, commas: 0, choices: 0 });
            let blank = lines.get(token.at.line).is_some_and(|line| line.is_empty());
            if ends_line && blank {
                return fault(token.at, "a blank line after a bracket opens");
            }
        }
        Kind::Mark("?") if !marks_type(tokens.get(index + 1)) => {
            if let Some(innermost) = open.last_mut() {
                innermost.choices += 1;
            }
        }
        Kind::Mark(":") => {
            if let Some(innermost) = open.last_mut() {
                innermost.choices = innermost.choices.saturating_sub(1);
            }
        }
        Kind::Mark(",") => {
            if let Some(innermost) = open.last_mut() {
                innermost.commas += 1;
                if innermost.mark != "(" && (innermost.broken || ends_line) {
                    return fault(token.at, "a comma where every item has its own line");
                }
                if innermost.mark == "(" && innermost.broken && !ends_line {
                    return fault(token.at, "the arguments of a broken call stand one a line");
                }
            }
        }
        Kind::Mark("}" | "]" | ")") => {
            if before == Some(&Kind::Newline) && lines.get(token.at.line - 2).is_some_and(|line| line.is_empty()) {
                return fault(token.at, "a blank line before a bracket closes");
            }
            if let Some(closed) = open.pop() {
                check_closed(&closed, token, before, lines)?;
                if open.is_empty() && lines[closed.at.line - 1].starts_with('@') {
                    if !ends_line {
                        return fault(token.at, "a decorator has a line of its own");
                    }
                    if lines.get(token.at.line).is_some_and(|line| line.is_empty()) {
                        return fault(token.at, "a blank line below a decorator");
                    }
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn check_closed(closed: &Open, token: &Token, before: Option<&Kind>, lines: &[&str]) -> Result<(), Fault> {
    let one_line = closed.at.line == token.at.line;
    let empty = before == Some(&Kind::Mark(closed.mark));
    let call = closed.mark == "(" && closed.attached;
    if closed.broken != (before == Some(&Kind::Newline)) {
        return fault(
            token.at,
            "a bracket that opens at the end of a line closes on a line of its own, and no other does",
        );
    }
    if !one_line && !closed.broken && closed.mark != "(" {
        return fault(closed.at, "this is written over several lines, so every item has its own");
    }
    let breaks = if closed.mark == "(" { call && closed.commas > 0 } else { !closed.attached && !empty };
    if one_line && breaks && token.at.column > WIDTH {
        return fault(closed.at, format!("this ends beyond column {WIDTH} and so is broken over lines"));
    }
    if closed.broken && call {
        if closed.commas == 0 {
            return fault(closed.at, "a call with one argument is not broken");
        }
        let mut flat = String::new();
        for line in &lines[closed.at.line - 1..token.at.line] {
            let line = if flat.is_empty() { line } else { line.trim_start() };
            flat.push_str(line);
            if flat.ends_with(',') {
                flat.push(' ');
            }
            if line.ends_with(['{', '[']) || line.contains("//") {
                return Ok(());
            }
        }
        if flat.chars().count() <= WIDTH {
            return fault(closed.at, "this call fits on one line");
        }
    }
    Ok(())
}
