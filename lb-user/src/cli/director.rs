//! `drover director`.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Places, log};
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
                log::to_stderr();
                director::run(&places.director(), &self.interface)
            }
            Some(Command::Detach) => director::detach(&places.director()),
        }
    }
}
