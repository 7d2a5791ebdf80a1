//! A command line, read as popt(3) does: options anywhere, short ones in a row, values behind them or apart.

use super::options::{Key, ROWS, Row, Value};

pub(super) struct Words {
    words: Vec<String>,
    next: usize,
    /// Short options of the last word that have not been read.
    row: String,
    /// What is no option.
    pub(super) others: Vec<String>,
    are_all_others: bool,
}

/// An option and its value.
pub(super) type Read = (Key, Option<String>);

impl Words {
    pub(super) fn new(words: Vec<String>) -> Self {
        Self {
            words,
            next: 0,
            row: String::new(),
            others: Vec::new(),
            are_all_others: false,
        }
    }

    /// The word that was read last.
    pub(super) fn last(&self) -> &str {
        let last = self.next.checked_sub(1);
        let last = last.and_then(|last| self.words.get(last));
        last.map_or("", String::as_str)
    }

    /// Reads the next option, if there is one, or says what is wrong with it.
    pub(super) fn read(&mut self) -> Result<Option<Read>, String> {
        while self.row.is_empty() {
            let Some(word) = self.take() else {
                return Ok(None);
            };
            if self.are_all_others || word == "-" || !word.starts_with('-') {
                self.others.push(word);
            } else if word == "--" {
                self.are_all_others = true;
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (long, None),
                };
                let row = ROWS.iter().find(|row| row.long == name);
                return self.value(row, value).map(Some);
            } else {
                self.row = word[1..].to_owned();
            }
        }
        let short = self.row.remove(0);
        let row = ROWS.iter().find(|row| row.short == Some(short));
        if row.is_none_or(|row| row.value == Value::None) {
            return self.value(row, None).map(Some);
        }
        let rest = std::mem::take(&mut self.row);
        let rest = rest.strip_prefix('=').unwrap_or(&rest);
        let value = (!rest.is_empty()).then(|| rest.to_owned());
        self.value(row, value).map(Some)
    }

    fn value(&mut self, row: Option<&Row>, value: Option<String>) -> Result<Read, String> {
        let wrong = |words: &Self, what| Err(format!("{}: {what}", words.last()));
        let Some(row) = row else {
            return wrong(self, "unknown option");
        };
        let value = match row.value {
            Value::None if value.is_some() => {
                return wrong(self, "option does not take an argument");
            }
            Value::None => None,
            Value::Some => match value.or_else(|| self.take()) {
                None => return wrong(self, "missing argument"),
                value => value,
            },
            Value::Maybe => value.or_else(|| {
                let next = self.words.get(self.next)?;
                (!next.starts_with('-')).then(|| self.take())?
            }),
        };
        Ok((row.key, value))
    }

    fn take(&mut self) -> Option<String> {
        let word = self.words.get(self.next)?.clone();
        self.next += 1;
        Some(word)
    }
}
