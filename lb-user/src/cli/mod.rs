//! The command line: what can be said, and who does it.

mod apply;
mod director;
mod doctor;
mod events;
mod examples;
mod explain;
mod flows;
mod import;
mod ipvsadm;
mod list;
mod log;
mod manual;
pub mod mood;
pub mod output;
pub mod page;
pub mod progress;
mod rates;
mod real;
mod service;
mod stats;
mod status;
mod timeouts;
mod top;

use std::{env, ffi::OsString, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, FromArgMatches as _, Parser, Subcommand};
use serde::{Serialize, de::DeserializeOwned};

pub use self::output::Format;
use self::progress::Progress;
use crate::{api::client, config::schema, director::Paths, realserver, setup};

/// LVS direct routing on XDP: director, real servers' companion, and their controls
#[derive(Debug, Parser)]
#[command(
    name = "drover",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    places: Places,
}

/// Where things are, if not in their usual places.
#[derive(Args, Clone, Debug)]
pub struct Places {
    /// Configuration file [default: /etc/drover/director.toml or realserver.toml]
    #[arg(long, global = true, value_name = "FILE", env = "DROVER_CONFIG")]
    pub config: Option<PathBuf>,
    /// The director daemon's socket
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "DROVER_SOCKET",
        default_value = "/run/drover/director.sock"
    )]
    pub socket: PathBuf,
    /// Directory on a bpffs for what outlives a process [default: /sys/fs/bpf/drover]
    #[arg(long, global = true, value_name = "DIR", env = "DROVER_PINS")]
    pub pins: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the director's daemon, or take what it left away
    Director(director::Director),
    /// Add, change or remove services
    #[command(subcommand)]
    Service(service::Service),
    /// Add, change or remove real servers
    #[command(subcommand)]
    Real(real::Real),
    /// A real server: hold the VIPs, and keep quiet about them on the wire
    #[command(subcommand)]
    Realserver(realserver::Command),
    /// List services and their real servers, as `ipvsadm -ln` does
    List(list::List),
    /// Show how much services and their real servers get, in all or per second
    Stats(stats::Stats),
    /// Watch services and their real servers, as `htop` does processes
    Top(top::Top),
    /// List connections with their addresses, as `ipvsadm -lnc` does
    Flows(flows::Flows),
    /// Tell what would become of a packet, or of those of a capture; nothing is sent or changed
    Explain(explain::Explain),
    /// Show what has happened of late, or as it happens
    Events(events::Events),
    /// Show or change how long connections may be idle
    Timeouts(timeouts::Timeouts),
    /// Show how the director is: interfaces, limits, packets not forwarded
    Status(status::Status),
    /// Examine this host and its network, before it is set up and after: what is wrong, and what mends it
    ///
    /// Changes nothing. Exits with 0 if there is nothing worse than a note, 4 if there are warnings, 5 if there are
    /// errors.
    Doctor(doctor::Doctor),
    /// Put a file in the place of the daemon's, as one change
    Apply(apply::Apply),
    /// Show what a file would change, or the daemon's own as it is now
    Diff(apply::Diff),
    /// Go back to what was in force before the last change
    Undo(apply::Undo),
    /// Keep a change that waits to be confirmed
    Confirm,
    /// Have the daemon read its configuration file again
    Reload,
    /// Print a configuration of what keepalived, arptables or ipvsadm have; exit with 3 if not all is carried over
    #[command(subcommand)]
    Import(import::Import),
    /// Print the JSON Schema of director.toml, for editors
    Schema,
    /// Print a shell's completions of this command line
    Completions(manual::Completions),
    /// Write the manual pages of all commands into a directory
    Manual(manual::Manual),
    /// Take ipvsadm's command lines, and print its listings
    Ipvsadm(ipvsadm::Ipvsadm),
    /// Put this program, its unit and an example configuration in place; nothing is started
    Install(setup::Install),
}

impl Cli {
    /// Reads this process's command line. What is called by ipvsadm's name takes ipvsadm's.
    pub fn of_process() -> Self {
        if ipvsadm::called().is_none() {
            let matches = examples::command().get_matches();
            return Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        }
        let before = ["drover", "ipvsadm", "--"].map(OsString::from);
        Self::parse_from(before.into_iter().chain(env::args_os().skip(1)))
    }

    pub fn run(self) -> Result<ExitCode> {
        let places = self.places;
        let done = match self.command {
            Command::Ipvsadm(ipvsadm) => return Ok(ipvsadm.run(&places)),
            Command::Director(director) => director.run(&places),
            Command::Service(service) => service.run(&places),
            Command::Real(real) => real.run(&places),
            Command::Realserver(command) => {
                realserver::run(command, places.config.as_deref(), places.pins.as_deref())
            }
            Command::List(list) => list.run(&places),
            Command::Stats(stats) => stats.run(&places),
            Command::Top(top) => top.run(&places),
            Command::Flows(flows) => flows.run(&places),
            Command::Explain(explain) => explain.run(&places),
            Command::Events(events) => events.run(&places),
            Command::Timeouts(timeouts) => timeouts.run(&places),
            Command::Status(status) => status.run(&places),
            Command::Doctor(doctor) => doctor.run(&places),
            Command::Apply(apply) => apply.run(&places),
            Command::Diff(diff) => diff.run(&places),
            Command::Undo(undo) => undo.run(&places),
            Command::Confirm => places.post("/v1/confirm", &(), "confirming"),
            Command::Reload => places.post("/v1/reload", &(), "reading the file again"),
            Command::Import(import) => import.run(),
            Command::Schema => output::write(&format!("{:#}\n", schema::director())),
            Command::Completions(completions) => completions.run(),
            Command::Manual(manual) => manual.run(),
            Command::Install(install) => install.run(),
        };
        done.map(|()| ExitCode::SUCCESS)
    }
}

impl Places {
    fn director(&self) -> Paths {
        let config = self.config.clone();
        Paths {
            config: config.unwrap_or_else(|| "/etc/drover/director.toml".into()),
            socket: self.socket.clone(),
            pins: self.pins.clone(),
        }
    }

    /// Asks the daemon; `what` it is asked for is told while it takes long.
    fn get<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<T> {
        let _progress = Progress::of(what);
        client::get(&self.socket, path)
    }

    /// Has the daemon do `what`.
    fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
        what: &str,
    ) -> Result<T> {
        let _progress = Progress::of(what);
        client::post(&self.socket, path, body)
    }

    /// Has the daemon change its configuration.
    fn change(&self, change: crate::api::Change) -> Result<()> {
        self.post("/v1/changes", &[change], "changing the configuration")
    }
}
