//! `drover install`: this binary, and a role's files, where systemd and the operator look for them.
//!
//! As often as it is run, the result is the same: each file is replaced in one step if it differs, and a configuration
//! that is there is never touched. Nothing is enabled or started, which is the operator's to do once the file is right.

mod files;
mod systemd;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use self::files::{File, Outcome};
use crate::cli::output;

#[derive(Args, Debug)]
pub struct Install {
    /// What this machine is to be
    #[arg(long)]
    role: Role,
    /// Put the files below this directory, for a package or an image; nothing is run then
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Where the binary and the units go; configuration is in /etc
    #[arg(long, value_name = "DIR", default_value = "/usr")]
    prefix: PathBuf,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Owns VIPs, and spreads connections over real servers
    Director,
    /// Serves: holds VIPs, and keeps quiet about them
    Realserver,
}

impl Install {
    pub fn run(&self) -> Result<()> {
        let prefix = self.prefix.to_str().filter(|prefix| is_plain(prefix));
        let prefix = prefix.with_context(|| {
            format!(
                "bad prefix {:?}; give an absolute path of letters, digits and /._-+",
                self.prefix
            )
        })?;
        let files = files::of(self.role, Path::new(prefix))?;
        let mut is_new = true;
        for file in &files {
            let outcome = file.put(&self.root, self.dry_run)?;
            is_new &= outcome != Outcome::Kept;
            // Line by line, as it is done.
            self.tell(file, outcome)?;
        }
        if self.root == Path::new("/") {
            for line in systemd::take_up(&files, self.dry_run)? {
                output::write(&line)?;
            }
        }
        output::write(&self.role.next(is_new))
    }

    fn tell(&self, file: &File, outcome: Outcome) -> Result<()> {
        let what = match (outcome, self.dry_run) {
            (Outcome::Put, false) => "installed",
            (Outcome::Put, true) => "would install",
            (Outcome::Same, _) => "is the same",
            (Outcome::Kept, _) => "kept as it is",
        };
        output::write(&format!(
            "{what:<14} {}\n",
            file.below(&self.root).display()
        ))
    }
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Director => "director",
            Self::Realserver => "realserver",
        }
    }

    /// What to type next, on a new machine or after an upgrade.
    fn next(self, is_new: bool) -> String {
        let (name, mut text) = (self.name(), String::from("next:\n"));
        let commands = match (is_new, self) {
            (true, _) => [
                format!("editor /etc/drover/{name}.toml"),
                format!("systemctl enable --now drover-{name}"),
            ],
            // No connection notices either.
            (false, Self::Director) => [
                format!("systemctl enable drover-{name}"),
                format!("systemctl restart drover-{name}"),
            ],
            (false, Self::Realserver) => [
                format!("systemctl enable drover-{name}"),
                format!("systemctl reload-or-restart drover-{name}"),
            ],
        };
        for command in commands {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {command}");
        }
        text
    }
}

/// Whether a path can stand in a unit as it is.
fn is_plain(path: &str) -> bool {
    path.starts_with('/')
        && path
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c))
}

/// Runs a program that says nothing if all is well.
fn run(words: &[&str]) -> Result<()> {
    let line = words.join(" ");
    let output = std::process::Command::new(words[0])
        .args(&words[1..])
        .output()
        .with_context(|| format!("cannot run `{line}`"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.trim().lines().last().unwrap_or_default();
    ensure!(
        output.status.success(),
        "`{line}`: {}: {last}",
        output.status
    );
    Ok(())
}
