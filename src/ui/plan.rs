//! A plan's lines in the colours of their roles.

use super::{Role, clean, paint};
use crate::plan::show::{Line, Role as Part};

/// The lines as text, painted; each ends with a newline.
pub fn plan(lines: &[Line]) -> String {
    lines
        .iter()
        .map(|line| line.0.iter().map(|piece| colour(piece.role, &piece.text)).collect::<String>() + "\n")
        .collect()
}

fn colour(part: Part, text: &str) -> String {
    let text = clean(text);
    match part {
        Part::Plain => text.into_owned(),
        Part::Create => paint(Role::Good, &text),
        Part::Update | Part::Warning => paint(Role::Change, &text),
        Part::Delete => paint(Role::Bad, &text),
        Part::Note => paint(Role::Faint, &text),
    }
}
