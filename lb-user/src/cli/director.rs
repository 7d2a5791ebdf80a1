//! `drover director`.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::Places;
use crate::director;

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Director {
    #[command(subcommand)]
    command: Option<Command>,
    /// Interface that clients' packets come in by, in place of the file's; repeatable
    #[arg(long, value_name = "IF")]
    interface: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take the program, its pins and the daemon's VIPs away; packets are then the host's own
    Detach,
}

impl Director {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        match self.command {
            None => {
                log_to_stderr();
                director::run(&places.director(), &self.interface)
            }
            Some(Command::Detach) => director::detach(&places.director()),
        }
    }
}

/// Levels by `RUST_LOG`; the journal has times of its own.
fn log_to_stderr() {
    let is_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::Level::INFO.into())
        .from_env_lossy();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false);
    if is_journal {
        log.without_time().init();
    } else {
        log.init();
    }
}
