//! Questions, only where somebody can answer.

use super::{Input, Role, Ui, clean, paint};
use crate::diagnostic::{Diagnostic, code};
use std::io::{self, BufRead, Write};

/// What a person answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Yes,
    /// Do nothing.
    No,
}

impl Ui {
    /// Asks a question that `y` or `yes` agrees to; anything else declines. `flag` is what answers it without a terminal.
    pub fn confirm(&self, question: &str, flag: &str) -> Result<Answer, Box<Diagnostic>> {
        let line = self.ask(&format!("{question} [y/N] "), flag)?;
        Ok(if matches!(line.to_ascii_lowercase().as_str(), "y" | "yes") { Answer::Yes } else { Answer::No })
    }

    /// Asks for a word to be typed, so that nobody agrees by habit.
    pub fn confirm_by_name(&self, question: &str, name: &str, flag: &str) -> Result<Answer, Box<Diagnostic>> {
        let line = self.ask(&format!("{question} Type {} to go on: ", paint(Role::Strong, &clean(name))), flag)?;
        Ok(if line == name { Answer::Yes } else { Answer::No })
    }

    fn ask(&self, question: &str, flag: &str) -> Result<String, Box<Diagnostic>> {
        if self.input == Input::Never {
            let message = "this needs an answer, and there is nobody to ask".to_owned();
            let help = format!("add `{flag}`, or run it in a terminal without `--no-input`");
            return Err(Box::new(Diagnostic::new(code::NO_TERMINAL, message).help(help)));
        }
        let mut stream = anstream::AutoStream::new(io::stderr(), self.colour_err);
        let _ = write!(stream, "{question}").and_then(|()| stream.flush());
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(|error| {
            Box::new(Diagnostic::new(code::NO_TERMINAL, format!("the answer cannot be read: {error}")))
        })?;
        Ok(line.trim().to_owned())
    }
}
