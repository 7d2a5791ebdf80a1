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

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand, ValueEnum};

use crate::{
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
    /// Take the VIPs off lo, then remove the programs
    ///
    /// A VIP that was on lo before it was attached stays there. Where nothing is attached, there is nothing to do: that
    /// is no failure.
    Detach(Detach),
}

#[derive(Debug, Args)]
pub struct Attach {
    /// An interface that faces the director's LAN; may be given several times
    #[arg(long = "interface", value_name = "IF", requires = "vips")]
    interfaces: Vec<String>,
    /// A VIP; may be given several times
    #[arg(long = "vip", value_name = "IP", requires = "interfaces")]
    vips: Vec<String>,
    /// Where interfaces and VIPs are read from if none are given
    #[arg(long, value_name = "FILE", default_value = PATH, conflicts_with_all = ["interfaces", "vips"])]
    config: PathBuf,
    /// Where frames are stopped on their way in
    #[arg(long)]
    hook: Option<Hook>,
    #[command(flatten)]
    pins: Pins,
}

#[derive(Debug, Args)]
pub struct Status {
    #[arg(short, long, default_value = "table")]
    output: Output,
    #[command(flatten)]
    pins: Pins,
}

#[derive(Debug, Args)]
pub struct Detach {
    /// Only this interface; may be given several times
    #[arg(long = "interface", value_name = "IF")]
    interfaces: Vec<String>,
    #[command(flatten)]
    pins: Pins,
}

#[derive(Debug, Args)]
struct Pins {
    /// Where programs and maps are pinned, on a bpffs [default: /sys/fs/bpf/drover]
    #[arg(long = "pins", value_name = "DIR")]
    root: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    Table,
    Json,
}

/// Does what the command says; an error is one line.
pub fn run(command: Command) -> Result<ExitCode> {
    privileges::check()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    runtime.block_on(async {
        let netlink = net::connect()?;
        let mut out = io::stdout().lock();
        match command {
            Command::Attach(attach) => {
                let root = attach.pins.root.clone();
                attach::attach(&attach.wanted()?, root.as_deref(), &netlink, &mut out).await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Status(Status { output, pins }) => {
                let status = status::status(pins.root(), &netlink).await?;
                match output {
                    Output::Table => report::table(&status, &mut out)?,
                    Output::Json => report::json(&status, &mut out)?,
                }
                Ok(if status.ok {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::FAILURE
                })
            }
            Command::Detach(Detach { interfaces, pins }) => {
                detach::detach(&interfaces, pins.root(), &netlink, &mut out).await?;
                Ok(ExitCode::SUCCESS)
            }
        }
    })
}

impl Attach {
    fn wanted(self) -> Result<RealServer> {
        let mut wanted = if self.interfaces.is_empty() {
            RealServer::read(&self.config)?
        } else {
            RealServer::named(self.interfaces, &self.vips).map_err(anyhow::Error::msg)?
        };
        wanted.hook = self.hook.unwrap_or(wanted.hook);
        Ok(wanted)
    }
}

impl Pins {
    fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }
}
