//! What was not carried over, and where it stands.

use std::{collections::HashMap, rc::Rc};

/// A line of a file, counted from one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub file: Rc<str>,
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

#[derive(Debug, Default)]
pub struct Notes {
    all: Vec<(Place, String)>,
}

impl Notes {
    /// Something is not carried over: what, and why.
    pub(super) fn left(&mut self, place: &Place, what: impl Into<String>) {
        self.all.push((place.clone(), what.into()));
    }

    /// A line for each thing, those of the same words together; by their lines.
    pub fn lines(&self) -> Vec<String> {
        let mut files = HashMap::new();
        for (place, _) in &self.all {
            let number = files.len();
            files.entry(&place.file).or_insert(number);
        }
        let mut all: Vec<_> = self.all.iter().collect();
        all.sort_by_key(|(place, _)| (files[&place.file], place.line));
        let mut at = HashMap::new();
        let mut lines: Vec<(&Place, &str, Vec<usize>)> = Vec::new();
        for (place, what) in all {
            let known = *at.entry((&place.file, what)).or_insert(lines.len());
            match lines.get_mut(known) {
                Some((first, _, others)) => {
                    if first.line != place.line && others.last() != Some(&place.line) {
                        others.push(place.line);
                    }
                }
                None => lines.push((place, what, Vec::new())),
            }
        }
        lines.into_iter().map(line).collect()
    }
}

fn line((place, what, others): (&Place, &str, Vec<usize>)) -> String {
    let others: Vec<_> = others.iter().map(usize::to_string).collect();
    match others.len() {
        0 => format!("{place}: {what}"),
        1 => format!("{place}: {what} (and line {})", others[0]),
        _ => format!("{place}: {what} (and lines {})", others.join(", ")),
    }
}
