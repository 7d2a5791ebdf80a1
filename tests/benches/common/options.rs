//! What every bench can be asked.

use std::path::PathBuf;

/// As few as quartiles are worth telling of.
const ROUNDS_MIN: usize = 9;

pub(crate) struct Options {
    pub(crate) json: Option<PathBuf>,
    pub(crate) rounds: usize,
}

impl Options {
    pub(crate) fn new(rounds: usize) -> Self {
        Self { json: None, rounds }
    }

    /// Takes an option and its value up; whether it is one of these.
    pub(crate) fn take(&mut self, option: &str, value: &mut Value<'_>) -> Result<bool, String> {
        match option {
            "--json" => self.json = Some(value.next(option)?.into()),
            "--rounds" => self.rounds = rounds(&value.next(option)?)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The words behind an option.
pub(crate) struct Value<'w>(pub(crate) &'w mut dyn Iterator<Item = String>);

impl Value<'_> {
    pub(crate) fn next(&mut self, option: &str) -> Result<String, String> {
        self.0.next().ok_or(format!("{option} needs a value"))
    }
}

/// Reads a whole command line; `take` is for the options that are the bench's own.
pub(crate) fn parse(
    words: &mut dyn Iterator<Item = String>,
    rounds: usize,
    mut take: impl FnMut(&str, &mut Value<'_>) -> Result<bool, String>,
) -> Result<Options, String> {
    let mut options = Options::new(rounds);
    while let Some(option) = words.next() {
        let mut value = Value(words);
        if !options.take(&option, &mut value)? && !take(&option, &mut value)? {
            return Err(format!("{option}: no such option"));
        }
    }
    Ok(options)
}

fn rounds(text: &str) -> Result<usize, String> {
    let rounds = text.parse().ok().filter(|rounds| *rounds >= ROUNDS_MIN);
    rounds.ok_or(format!(
        "--rounds {text}: not a number of at least {ROUNDS_MIN}"
    ))
}
