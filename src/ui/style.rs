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

/// Prose broken between words. A line that begins with a blank is laid out already, or a command to copy, and stays.
pub(super) fn wrap(text: &str, width: usize) -> String {
    let line = |line: &str| {
        if line.starts_with(' ') || columns(line) <= width {
            return line.to_owned();
        }
        let mut wrapped = String::new();
        let mut used = 0;
        for word in line.split(' ') {
            let long = columns(word);
            if used > 0 && used + 1 + long > width {
                wrapped.push('\n');
                used = 0;
            } else if used > 0 {
                wrapped.push(' ');
                used += 1;
            }
            wrapped.push_str(word);
            used += long;
        }
        wrapped
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Markdown whose paragraphs and list items fill the columns anew. Headings, tables and code stay as they are.
pub fn reflow(markdown: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    // a paragraph, or an item whose further lines stand under its text
    let mut block: Option<(&str, String)> = None;
    let flush = |block: &mut Option<(&str, String)>, lines: &mut Vec<String>| {
        if let Some((indent, text)) = block.take() {
            lines.push(wrap(&text, width - indent.len()).replace('\n', &format!("\n{indent}")));
        }
    };
    let mut code = false;
    for line in markdown.split('\n') {
        let fence = line.starts_with("```");
        if code || fence || line.is_empty() || line.starts_with(['#', '|']) {
            flush(&mut block, &mut lines);
            lines.push(line.to_owned());
            code ^= fence;
        } else if line.starts_with("- ") {
            flush(&mut block, &mut lines);
            block = Some(("  ", line.to_owned()));
        } else {
            match &mut block {
                Some((_, text)) => text.extend([" ", line.trim_start()]),
                None => block = Some(("", line.to_owned())),
            }
        }
    }
    flush(&mut block, &mut lines);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_fill_the_columns_and_code_stays() {
        let text = "# a heading that is long\n\none two three four\nfive\n\n- six seven\n  eight\n- nine\n\n```yaml\na: a long line of code\n```\n";
        let filled = "# a heading that is long\n\none two\nthree four\nfive\n\n- six\n  seven\n  eight\n- nine\n\n```yaml\na: a long line of code\n```\n";
        assert_eq!(reflow(text, 10), filled);
        for code in crate::diagnostic::all() {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&reflow(code.explain(), 60)), words(code.explain()), "{code}");
        }
    }

    #[test]
    fn prose_is_broken_between_words_and_commands_are_not() {
        let text = "\nDetached after 3s: Azure goes on.\n  aoai-lb deploy a-long-name.yaml --cloud local";
        let wrapped = "\nDetached after 3s:\nAzure goes on.\n  aoai-lb deploy a-long-name.yaml --cloud local";
        assert_eq!(wrap(text, 20), wrapped);
        assert_eq!(wrap(text, 80), text);
        assert_eq!(wrap(&paint(Role::Good, "a b"), 3), paint(Role::Good, "a b"));
    }

    #[test]
    fn nothing_from_outside_drives_a_terminal() {
        assert_eq!(clean("plain\ttext\n"), "plain\ttext\n");
        assert_eq!(clean("a\x1b[2Jb\r\u{202e}"), "a\\u{1b}[2Jb\\u{d}\\u{202e}");
    }
}
