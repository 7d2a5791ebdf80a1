//! The real server's companion: `drover realserver …`.
//!
//! Nothing runs between commands: the programs are pinned, the VIPs are on `lo`, and what was asked
//! for is read back from there.

mod attach;
mod detach;
mod plan;
mod report;
mod site;
mod status;
mod watch;

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};

pub(crate) use self::status::{Status as Attached, status};
use crate::{
    cli::{Format, output},
    config::realserver::{Hook, PATH, RealServer},
    dataplane::privileges,
    net,
};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Keep quiet about VIPs on interfaces, then put the VIPs on lo
    ///
    /// All or nothing. Given again, it changes the VIPs to those named, puts this version's programs in the place of
    /// those attached, and takes up the interfaces' addresses; interfaces that are attached already stay.
    Attach(Attach),
    /// Show what is attached, and what was dropped and mangled
    ///
    /// Exits with 1 if something is missing, or nothing is attached.
    Status(Status),
    /// Print a line for each frame of ARP or Neighbor Discovery that is dropped or mangled, as it happens, until ctrl-C
    ///
    /// At most 100 lines a second and interface; of more, it says how many. An interface can be watched by one command
    /// at a time. Ends with 1 if nothing is attached, or nothing is any more.
    Watch(Watch),
    /// Take the VIPs off lo, then remove the programs
    ///
    /// A VIP that was on lo before it was attached stays there. Where nothing is attached, there is nothing to do: that
    /// is no failure.
    Detach(Detach),
}

#[derive(Debug, Args)]
pub struct Attach {
    /// An interface that faces the director's LAN; may be given several times [default: as the file says]
    #[arg(long = "interface", value_name = "IF", requires = "vips")]
    interfaces: Vec<String>,
    /// A VIP; may be given several times [default: as the file says]
    #[arg(long = "vip", value_name = "IP", requires = "interfaces")]
    vips: Vec<String>,
    /// Where frames are stopped on their way in [default: as the file says, else auto]
    #[arg(long)]
    hook: Option<Hook>,
}

#[derive(Debug, Args)]
pub struct Status {
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

#[derive(Debug, Args)]
pub struct Watch {
    /// Only this interface; may be given several times
    #[arg(long = "interface", value_name = "IF")]
    interfaces: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Detach {
    /// Only this interface; may be given several times
    #[arg(long = "interface", value_name = "IF")]
    interfaces: Vec<String>,
}

/// Does what the command says; an error is one line. The paths are those given, if not the usual.
pub fn run(command: Command, config: Option<&Path>, pins: Option<&Path>) -> Result<()> {
    privileges::check()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    let text = runtime.block_on(async {
        let netlink = net::connect()?;
        match command {
            Command::Attach(options) => {
                let wanted = options.wanted(config.unwrap_or(Path::new(PATH)))?;
                attach::attach(&wanted, pins, &netlink).await
            }
            Command::Detach(Detach { interfaces }) => {
                detach::detach(&interfaces, pins, &netlink).await
            }
            Command::Status(Status { output }) => {
                let status = status(pins, &netlink).await?;
                output::print(output, &status, report::table)?;
                status.verdict()?;
                Ok(String::new())
            }
            Command::Watch(Watch { interfaces }) => {
                watch::watch(&interfaces, pins).await?;
                Ok(String::new())
            }
        }
    })?;
    output::write(&text)
}

impl Attach {
    fn wanted(self, config: &Path) -> Result<RealServer> {
        let mut wanted = if self.interfaces.is_empty() {
            RealServer::read(config)?
        } else {
            RealServer::named(self.interfaces, &self.vips).map_err(anyhow::Error::msg)?
        };
        wanted.hook = self.hook.unwrap_or(wanted.hook);
        Ok(wanted)
    }
}
