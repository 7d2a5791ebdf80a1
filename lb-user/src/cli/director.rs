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

/// Levels by `RUST_LOG`. systemd has the time; what is read by eye elsewhere has it too.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::Level::INFO.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .init();
}
