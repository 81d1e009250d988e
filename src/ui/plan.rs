//! A plan's lines in the colours of their roles, broken between words where a terminal is narrow.

use super::style::columns;
use super::{Role, clean, paint};
use crate::plan::show::{Line, Piece, Role as Part};

/// What a line that goes on is indented by, beyond its own indentation.
const HANGING: usize = 4;

/// The lines as text, painted; each ends with a newline. `width` is that of the terminal, where there is one.
pub fn plan(lines: &[Line], width: Option<usize>) -> String {
    let mut text = String::new();
    for line in lines {
        let pieces: Vec<Piece> =
            line.0.iter().map(|piece| Piece { role: piece.role, text: clean(&piece.text).into_owned() }).collect();
        for line in broken(pieces, width.unwrap_or(usize::MAX)) {
            line.iter().for_each(|piece| text.push_str(&colour(piece)));
            text.push('\n');
        }
    }
    text
}

/// The line as lines of at most `width` columns, as far as its blanks allow that.
fn broken(pieces: Vec<Piece>, width: usize) -> Vec<Vec<Piece>> {
    let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
    if columns(&text) <= width {
        return vec![pieces];
    }
    let indent = " ".repeat(text.len() - text.trim_start_matches(' ').len() + HANGING);
    let mut lines: Vec<Vec<Piece>> = vec![Vec::new()];
    let (mut used, mut begun) = (0, false);
    for piece in &pieces {
        // each word with the blanks before it
        for word in words(&piece.text) {
            let trimmed = word.trim_start_matches(' ');
            let role = piece.role;
            if begun && used + columns(word) > width && !trimmed.is_empty() {
                lines.push(vec![Piece { role, text: format!("{indent}{trimmed}") }]);
                used = indent.len() + columns(trimmed);
            } else if let Some(line) = lines.last_mut() {
                line.push(Piece { role, text: word.to_owned() });
                used += columns(word);
            }
            begun |= !trimmed.is_empty();
        }
    }
    lines
}

/// Words, each with the blanks before it.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        let end = rest[blanks..].find(' ').map_or(rest.len(), |end| blanks + end);
        let (word, after) = rest.split_at(end);
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

fn colour(piece: &Piece) -> String {
    match piece.role {
        Part::Plain => piece.text.clone(),
        Part::Create => paint(Role::Good, &piece.text),
        Part::Update | Part::Warning => paint(Role::Change, &piece.text),
        Part::Delete => paint(Role::Bad, &piece.text),
        Part::Note => paint(Role::Faint, &piece.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anstream::adapter::strip_str;

    fn line() -> Line {
        let piece = |role, text: &str| Piece { role, text: text.into() };
        Line(vec![
            piece(Part::Create, "  + pool openai-backend-pool"),
            piece(Part::Plain, "  backend1 (priority 1, weight 10), backend2 (priority 1, weight 20)"),
            piece(Part::Note, "  (1s to 2s)"),
        ])
    }

    #[test]
    fn a_long_line_is_broken_between_words_and_nothing_is_lost() {
        let text = |width| strip_str(&plan(&[line()], width)).to_string();
        expect_test::expect![[r#"
            at 52 columns
              + pool openai-backend-pool  backend1 (priority 1,
                  weight 10), backend2 (priority 1, weight 20)
                  (1s to 2s)
        "#]]
        .assert_eq(&format!("at 52 columns\n{}", text(Some(52))));
        assert_eq!(text(None).lines().count(), 1);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for width in 1..120 {
            let broken = text(Some(width));
            assert_eq!(words(&broken), words(&text(None)), "{width}");
            assert!(broken.lines().all(|line| line.len() <= width.max(40)), "{width}\n{broken}");
        }
    }
}
