//! Configuration files: TOML into types, and errors that say where.
//!
//! Every error is one line: file, line, column, what is wrong, what to do. Checks that a type
//! cannot express are made by their owners on [`toml::Spanned`] values, with [`Source::error`].

mod agent;
mod availability;
mod check;
mod destinations;
pub mod director;
pub mod edit;
mod file;
pub mod fwmarks;
pub mod kept;
mod listen;
mod numbers;
mod passive;
pub mod places;
pub mod realserver;
pub mod schema;
mod services;
mod wording;

pub use self::wording::suggested;

use std::{
    fmt, fs, io,
    ops::Range,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    path: PathBuf,
    at: Option<Position>,
    what: String,
}

/// Counted from one; columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    line: usize,
    column: usize,
}

/// A file's text, and its name for errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    path: PathBuf,
    text: String,
    stamp: Option<Stamp>,
}

/// What a file system says of a file: something else, once anybody has written it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    pub fn at(path: &Path) -> Option<Self> {
        Some(Self::of(&fs::metadata(path).ok()?))
    }

    fn of(file: &fs::Metadata) -> Self {
        Self {
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
        }
    }
}

/// Reads a file whose type says all there is to check.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    Source::read(path)?.parse()
}

/// As [`read`], of a text that is at hand.
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, Error> {
    Source::new(path, text).parse()
}

impl Source {
    /// Octets of the largest file that is read.
    pub const OCTETS_MAX: u64 = 16 << 20;

    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
            stamp: None,
        }
    }

    pub fn read(path: &Path) -> Result<Self, Error> {
        let unreadable = |what: String| Error {
            path: path.into(),
            at: None,
            what,
        };
        // Before it is read: what is written meanwhile is seen the next time.
        let metadata = fs::metadata(path);
        if let Ok(metadata) = &metadata {
            let size = metadata.len();
            if !metadata.is_file() {
                // Reading some would wait for ever, or never end.
                return Err(unreadable("not a file; name one with --config".into()));
            }
            if size > Self::OCTETS_MAX {
                return Err(unreadable(format!(
                    "{size} octets; at most {}",
                    Self::OCTETS_MAX
                )));
            }
        }
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self {
                stamp: metadata.ok().as_ref().map(Stamp::of),
                ..Self::new(path, text)
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(unreadable(
                "no such file; write it, or name another with --config".into(),
            )),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(unreadable("not text in UTF-8".into()))
            }
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn into_text(self) -> String {
        self.text
    }

    pub fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        toml::from_str(&self.text).map_err(|error| Error {
            path: self.path.clone(),
            at: error.span().map(|span| self.position(span)),
            what: wording::reworded(error.message()),
        })
    }

    /// The error that `what` is, about the value at `span`.
    pub fn error(&self, span: Range<usize>, what: impl fmt::Display) -> Error {
        Error {
            path: self.path.clone(),
            at: Some(self.position(span)),
            what: what.to_string(),
        }
    }

    /// Returns the line that an offset is on.
    pub fn line(&self, offset: usize) -> usize {
        self.position(offset..offset).line
    }

    fn position(&self, span: Range<usize>) -> Position {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Position {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
        }
    }
}

impl Error {
    /// What is wrong, without where.
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if let Some(Position { line, column }) = self.at {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.what)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests;
