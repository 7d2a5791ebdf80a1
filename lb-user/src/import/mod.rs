//! `drover import`: the files of keepalived, arptables and ipvsadm into this program's own.
//!
//! A reader of each makes drafts of what it finds, and notes of what it cannot carry over. What is written is what the
//! parser of the configuration takes.

mod arptables;
mod director;
mod draft;
mod input;
mod ipvsadm;
mod keepalived;
mod keys;
mod notes;
mod schedule;

pub use self::{
    input::{name, read},
    notes::{Notes, Place},
};

use std::path::Path;

use anyhow::Result;

/// A configuration file, and what it does not say of what it was made from.
#[derive(Debug)]
pub struct Imported {
    pub text: String,
    pub notes: Notes,
}

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// keepalived.conf
    Keepalived,
    /// `arptables-save`, or command lines
    Arptables,
    /// `ipvsadm -S`
    Ipvsadm,
}

impl Origin {
    /// Reads the text of the file at `path`; `interfaces` are those to be written, if any are named.
    ///
    /// Fails if the text as a whole cannot be understood.
    pub fn import(self, path: &Path, text: &str, interfaces: &[String]) -> Result<Imported> {
        match self {
            Self::Keepalived => keepalived::import(path, text, interfaces),
            Self::Arptables => arptables::import(path, text, interfaces),
            Self::Ipvsadm => ipvsadm::import(path, text, interfaces),
        }
    }
}
