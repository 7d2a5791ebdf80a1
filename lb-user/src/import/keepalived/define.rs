//! `$NAME=VALUE`, and `$NAME` and `${NAME}` in lines after it.

use std::collections::HashMap;

#[derive(Default)]
pub(super) struct Definitions(HashMap<String, String>);

/// Reads a line that defines: the name and what it stands for.
pub(super) fn definition(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix('$')?.split_once('=')?;
    is_name(name).then(|| (name, value.trim()))
}

impl Definitions {
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// Returns the line with what its names stand for, once: that may have names again. None if it has none that are
    /// defined. Fails beyond so many octets.
    pub(super) fn replaced(
        &self,
        line: &str,
        dir: &str,
        octets_max: usize,
    ) -> Result<Option<String>, String> {
        let mut text = String::new();
        let mut rest = line;
        let mut is_replaced = false;
        while let Some(at) = rest.find('$') {
            text += &rest[..at];
            rest = &rest[at..];
            let known = reference(rest).and_then(|(name, length)| {
                let value = match name {
                    "_PWD" => Some(dir),
                    _ => self.0.get(name).map(String::as_str),
                };
                Some((value?, length))
            });
            // As it is, if it is defined nowhere.
            let (value, length) = known.unwrap_or(("$", 1));
            is_replaced |= known.is_some();
            text += value;
            rest = &rest[length..];
            if text.len() > octets_max {
                return Err(format!(
                    "with its definitions, more than {octets_max} octets"
                ));
            }
        }
        Ok(is_replaced.then(|| text + rest))
    }
}

/// The name at the start of a text, and the octets of the whole reference.
fn reference(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix('$')?;
    if let Some((name, _)) = rest.strip_prefix('{').and_then(|it| it.split_once('}')) {
        return is_name(name).then_some((name, name.len() + 3));
    }
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let name = &rest[..end];
    is_name(name).then_some((name, end + 1))
}

fn is_name(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(is_word) && !text.starts_with(|c: char| c.is_ascii_digit()) && !text.is_empty()
}
