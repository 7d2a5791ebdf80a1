//! What an answer has to match.

use regex::bytes::{Regex, RegexBuilder};

/// Octets of what a pattern is compiled to. Its text has the limit of all texts in the file.
const COMPILED_MAX: usize = 1 << 20;

/// A regular expression, or octets that must be in it.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    pub fn of(text: &str) -> Result<Self, String> {
        let regex = RegexBuilder::new(text).size_limit(COMPILED_MAX).build();
        let regex = regex.map_err(|error| told(&error))?;
        let text = text.to_owned();
        Ok(Self { text, regex })
    }

    /// As `of`, or `hex:` and the octets.
    pub fn of_octets(text: &str) -> Result<Self, String> {
        let Some(digits) = text.strip_prefix("hex:") else {
            return Self::of(text);
        };
        let escaped = octets(digits)?
            .iter()
            .map(|octet| format!(r"\x{octet:02x}"))
            .collect::<String>();
        let pattern = Self::of(&format!("(?-u){escaped}"))?;
        let text = text.to_owned();
        Ok(Self { text, ..pattern })
    }

    pub(super) fn matches(&self, answer: &[u8]) -> bool {
        self.regex.is_match(answer)
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Of several lines, the others of which point at the place, the last.
fn told(error: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(_) = error {
        return "it is too large once it is compiled".into();
    }
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

/// Reads hexadecimal digits, two per octet, with or without spaces between these.
pub fn octets(digits: &str) -> Result<Vec<u8>, String> {
    let words = digits.split_ascii_whitespace();
    let mut octets = Vec::new();
    for word in words {
        if !word.is_ascii() || !word.len().is_multiple_of(2) {
            return Err("hexadecimal digits come in twos".into());
        }
        for at in (0..word.len()).step_by(2) {
            let octet = u8::from_str_radix(&word[at..at + 2], 16);
            // `from_str_radix` would take a sign.
            let is_digits = word[at..at + 2].bytes().all(|it| it.is_ascii_hexdigit());
            let octet = octet.ok().filter(|_| is_digits);
            octets.push(octet.ok_or("hexadecimal digits are 0 to 9 and a to f")?);
        }
    }
    Ok(octets)
}
