//! `drover timeouts`.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Format, Places, output};
use crate::api::{self, Change};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Timeouts {
    #[command(subcommand)]
    command: Option<Command>,
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Change them, also for the connections there are; those that are not named stay
    Set(Set),
}

#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
struct Set {
    /// Established TCP and SCTP connections
    #[arg(long, value_name = "SECONDS")]
    tcp: Option<u32>,
    /// TCP and SCTP connections that the client has closed
    #[arg(long, value_name = "SECONDS")]
    tcpfin: Option<u32>,
    /// Clients' datagrams
    #[arg(long, value_name = "SECONDS")]
    udp: Option<u32>,
}

impl Timeouts {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        if let Some(Command::Set(Set { tcp, tcpfin, udp })) = self.command {
            return places.change(Change::SetTimeouts { tcp, tcpfin, udp });
        }
        let timeouts: api::Timeouts = places.get("/v1/timeouts", "reading timeouts")?;
        output::print(self.output, &timeouts, |timeouts, page| {
            let api::Timeouts { tcp, tcpfin, udp } = timeouts;
            page.line(
                4,
                &format!("Timeout (tcp tcpfin udp): {tcp} {tcpfin} {udp}"),
            );
        })
    }
}
