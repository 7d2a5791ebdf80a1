//! keepalived.conf line by line, as far as its parser goes by lines: comments, definitions and included files.

use std::{
    path::{Path, PathBuf},
    rc::Rc,
};

use anyhow::{Result, anyhow, ensure};

use super::{
    super::notes::{Notes, Place},
    define::{Definitions, definition},
    include,
};

/// Octets of all files together, definitions replaced.
const EXPANDED_MAX: usize = 4 << 20;
/// Definitions within definitions.
const DEPTH_MAX: usize = 16;

/// A line without its comment, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) place: Place,
    pub(super) text: String,
}

/// What is known of a file while it is read.
pub(super) struct File {
    pub(super) name: Rc<str>,
    /// That names of included files go from.
    pub(super) dir: PathBuf,
    /// Files that include it, one in the other.
    pub(super) depth: usize,
}

pub(super) struct Reader<'n> {
    pub(super) notes: &'n mut Notes,
    pub(super) files: usize,
    definitions: Definitions,
    lines: Vec<Line>,
    octets: usize,
}

/// Returns the lines of a file and of those that it includes.
pub(super) fn lines(name: &str, path: &Path, text: &str, notes: &mut Notes) -> Result<Vec<Line>> {
    let mut reader = Reader {
        notes,
        files: 0,
        definitions: Definitions::default(),
        lines: Vec::new(),
        octets: 0,
    };
    let file = File {
        name: name.into(),
        dir: path.parent().unwrap_or(Path::new("")).to_owned(),
        depth: 0,
    };
    reader.file(&file, text)?;
    Ok(reader.lines)
}

impl Reader<'_> {
    pub(super) fn file(&mut self, file: &File, text: &str) -> Result<()> {
        for (at, line) in joined(text) {
            let place = Place {
                file: file.name.clone(),
                line: at + 1,
            };
            self.line(file, &place, &line, 0)?;
        }
        Ok(())
    }

    fn line(&mut self, file: &File, place: &Place, text: &str, depth: usize) -> Result<()> {
        ensure!(
            depth <= DEPTH_MAX,
            "{place}: definitions are more than {DEPTH_MAX} deep"
        );
        if text.is_empty() {
            return Ok(());
        }
        if let Some(pattern) = include::pattern(text) {
            return include::files(self, file, place, pattern);
        }
        if text.starts_with('~') {
            let what = "~SEQ and ~LST are not worked out; write the lines that it stands for";
            self.notes.left(place, what);
            return Ok(());
        }
        if let Some((name, value)) = definition(text) {
            self.definitions.set(name, value);
            return Ok(());
        }
        let dir = file.dir.to_string_lossy();
        let replaced = self.definitions.replaced(text, &dir, EXPANDED_MAX);
        let Some(text) = replaced.map_err(|why| anyhow!("{place}: {why}"))? else {
            return self.push(place, text);
        };
        for (_, line) in joined(&text) {
            self.line(file, place, &line, depth + 1)?;
        }
        Ok(())
    }

    fn push(&mut self, place: &Place, text: &str) -> Result<()> {
        self.octets += text.len() + 1;
        ensure!(
            self.octets <= EXPANDED_MAX,
            "{place}: with included files and definitions, more than {EXPANDED_MAX} octets"
        );
        self.lines.push(Line {
            place: place.clone(),
            text: text.to_owned(),
        });
        Ok(())
    }
}

/// Lines without comments, and where they begin, counted from zero. Of a definition all lines but the last end with a
/// backslash; they are one.
fn joined(text: &str) -> Vec<(usize, String)> {
    let mut all = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let mut line = without_comment(line).to_owned();
        if definition(&line).is_some() {
            while line.ends_with('\\') {
                line.pop();
                let Some((_, next)) = lines.next() else {
                    break;
                };
                line = line + "\n" + without_comment(next);
            }
        }
        all.push((at, line));
    }
    all
}

/// What is before a `#` or `!` that is not in quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#' | '!') => return line[..at].trim(),
            _ => {}
        }
    }
    line.trim()
}
