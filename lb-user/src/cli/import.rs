//! `drover import`.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};

use super::output;
use crate::{
    import::{self, Origin},
    printable::printable,
};

#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// A director.toml of a keepalived.conf's virtual servers
    Keepalived(From),
    /// A realserver.toml of a real server's arptables rules
    Arptables(From),
    /// A director.toml of what `ipvsadm -S` prints
    Ipvsadm(From),
}

#[derive(Args, Debug)]
pub(super) struct From {
    /// What is imported; `-` is standard input
    file: PathBuf,
    /// An interface to be written; may be given several times [default: as the file says, else eth0]
    #[arg(long = "interface", value_name = "IF")]
    interfaces: Vec<String>,
    /// A new file to write to, in place of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Beside 1 and 2, which are errors: something is not carried over.
const LEFT: i32 = 3;

impl Import {
    pub(super) fn run(self) -> Result<()> {
        let (origin, from) = match self {
            Self::Keepalived(from) => (Origin::Keepalived, from),
            Self::Arptables(from) => (Origin::Arptables, from),
            Self::Ipvsadm(from) => (Origin::Ipvsadm, from),
        };
        let text = import::read(&from.file)?;
        let imported = origin.import(&from.file, &text, &from.interfaces)?;
        match &from.output {
            Some(path) => write(path, &imported.text)?,
            None => output::write(&imported.text)?,
        }
        let left = imported.notes.lines();
        for line in &left {
            eprintln!("{}", printable(line));
        }
        if !left.is_empty() {
            std::process::exit(LEFT);
        }
        Ok(())
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    let name = path.display();
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = match file {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{name} is there already; name a new file")
        }
        file => file.with_context(|| format!("cannot write {name}"))?,
    };
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    written.with_context(|| format!("cannot write {name}"))
}
