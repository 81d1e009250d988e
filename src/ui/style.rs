//! Colours by role, and text that is safe to print.
//!
//! Painted text always holds escape bytes; the stream that it goes to drops them where there is no colour.

use anstream::adapter::strip_str;
use std::borrow::Cow;

/// What a piece of text is, from which its colour follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Something comes to be, or is as it should be.
    Good,
    /// Something changes.
    Change,
    /// Something goes away, or failed.
    Bad,
    /// A name that the eye looks for.
    Strong,
    /// What matters less.
    Faint,
}

/// The text in the colour of its role.
pub fn paint(role: Role, text: &str) -> String {
    let on = match role {
        Role::Good => "\x1b[32m",
        Role::Change => "\x1b[33m",
        Role::Bad => "\x1b[31m",
        Role::Strong => "\x1b[1m",
        Role::Faint => "\x1b[2m",
    };
    format!("{on}{text}\x1b[0m")
}

/// The text without control characters, so that nothing from outside can drive a terminal. Line ends stay.
pub fn clean(text: &str) -> Cow<'_, str> {
    let bad = |c: char| (c.is_control() && c != '\n' && c != '\t') || is_bidi(c);
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| if bad(c) { c.escape_unicode().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(shown).collect())
}

/// Characters that turn the direction of writing, by which a text can show what it does not say.
const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// How many columns a painted text takes.
pub(super) fn columns(text: &str) -> usize {
    strip_str(text).to_string().chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_drives_a_terminal() {
        assert_eq!(clean("plain\ttext\n"), "plain\ttext\n");
        assert_eq!(clean("a\x1b[2Jb\r\u{202e}"), "a\\u{1b}[2Jb\\u{d}\\u{202e}");
    }
}
