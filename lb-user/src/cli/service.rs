//! `drover service`.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Result, ensure};
use clap::{ArgGroup, Args, Subcommand};

use super::Places;
use crate::{
    address,
    api::{Change, ServiceChange},
    config::director::NoMember,
    scheduler::{Flag, Scheduler},
    service::{ServiceName, parse_unicast},
};

#[derive(Debug, Subcommand)]
pub(super) enum Service {
    /// Add a service
    Add(Said),
    /// Change a service; its connections stay where they are
    #[command(group = ArgGroup::new("change").args(CHANGES).required(true).multiple(true))]
    Edit(Edit),
    /// Remove a service; the director's own stack then answers for its port
    Remove {
        /// What clients connect to, as in tcp/192.0.2.1:80
        #[arg(value_name = "PROTOCOL/VIP:PORT")]
        service: ServiceName,
    },
}

/// Of these, `edit` takes at least one.
const CHANGES: [&str; 16] = [
    "also",
    "not_also",
    "scheduler",
    "flags",
    "persistent",
    "netmask",
    "ops",
    "expire_quiescent",
    "expire_nodest",
    "no_member",
    "quorum",
    "hysteresis",
    "sorry_server",
    "inhibit_on_failure",
    "slow_start",
    "drain",
];

/// What is not said is as by default, or stays.
#[derive(Args, Debug)]
pub(super) struct Said {
    /// What clients connect to, as in tcp/192.0.2.1:80, udp/[2001:db8::1]:8000-8099 or tcp/192.0.2.1:*
    #[arg(value_name = "PROTOCOL/VIP:PORT")]
    service: ServiceName,
    /// Another VIP or port of the same service, with real servers and clients in common; repeatable
    #[arg(long, value_name = "PROTOCOL/VIP:PORT")]
    also: Vec<ServiceName>,
    /// How new connections are spread (wrr, if never said); flags that are not given with it are off
    #[arg(long, short)]
    scheduler: Option<Scheduler>,
    /// The scheduler's flags, with commas between
    #[arg(long, short = 'b', value_name = "FLAG,…", value_delimiter = ',')]
    flags: Vec<Flag>,
    /// Clients come back to their real server for so many seconds; 0: they do not
    #[arg(long, short, value_name = "SECONDS")]
    persistent: Option<u32>,
    /// Clients of one such network are one client: a prefix length, or as in 255.255.255.0
    #[arg(long, short = 'M', value_name = "PREFIX|MASK", value_parser = netmask)]
    netmask: Option<Netmask>,
    /// Each datagram is spread anew, and none is remembered (UDP); `--ops=false`: not so
    #[arg(long, short, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    ops: Option<bool>,
    /// Clients do not come back to a real server of weight 0; `…=false`: they do
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    expire_quiescent: Option<bool>,
    /// A removed real server's connections do not go on; `…=false`: they do until they end
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    expire_nodest: Option<bool>,
    /// What becomes of packets when no real server is there to take them
    #[arg(long, value_enum, value_name = "FATE")]
    no_member: Option<NoMember>,
    /// Weight of the real servers that can serve which the service needs (1, if never said)
    #[arg(long, value_name = "WEIGHT")]
    quorum: Option<u32>,
    /// So much less and the quorum is lost, so much more and it is there again
    #[arg(long, value_name = "WEIGHT")]
    hysteresis: Option<u32>,
    /// Who takes new connections while the quorum is lost; `none`: nobody
    #[arg(long, value_name = "RIP|none", value_parser = sorry)]
    sorry_server: Option<IpAddr>,
    /// A real server that is down keeps the connections it has; `…=false`: they are refused
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    inhibit_on_failure: Option<bool>,
    /// A real server that comes in gets to its weight within so long; 0: at once
    #[arg(long, value_name = "SECONDS")]
    slow_start: Option<u32>,
    /// A removed real server keeps its connections for so long; 0: until they end
    #[arg(long, value_name = "SECONDS")]
    drain: Option<u32>,
}

#[derive(Args, Debug)]
pub(super) struct Edit {
    #[command(flatten)]
    said: Said,
    /// One that is no more the service's, and whose connections end; repeatable
    #[arg(long, value_name = "PROTOCOL/VIP:PORT")]
    not_also: Vec<ServiceName>,
}

#[derive(Clone, Copy, Debug)]
struct Netmask {
    prefix: u8,
    /// With dots: of IPv4.
    is_dotted: bool,
}

impl Service {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        places.change(match self {
            Self::Add(said) => Change::AddService(said.change()?),
            Self::Edit(Edit { said, not_also }) => Change::EditService(ServiceChange {
                not_also,
                ..said.change()?
            }),
            Self::Remove { service } => Change::RemoveService { service },
        })
    }
}

impl Said {
    fn change(self) -> Result<ServiceChange> {
        let is_dotted = self.netmask.is_some_and(|mask| mask.is_dotted);
        ensure!(
            !is_dotted || self.service.vip.is_ipv4(),
            "VIP {} is IPv6; give --netmask as a prefix length, from 1 to 128",
            self.service.vip
        );
        Ok(ServiceChange {
            service: self.service,
            also: self.also,
            not_also: Vec::new(),
            scheduler: self.scheduler,
            flags: self.flags,
            persistence: self.persistent,
            persistence_prefix: self.netmask.map(|mask| mask.prefix),
            one_packet: self.ops,
            expire_quiescent: self.expire_quiescent,
            expire_nodest: self.expire_nodest,
            no_member: self.no_member,
            quorum: self.quorum,
            hysteresis: self.hysteresis,
            sorry_server: self.sorry_server,
            inhibit_on_failure: self.inhibit_on_failure,
            slow_start: self.slow_start,
            drain: self.drain,
        })
    }
}

fn sorry(text: &str) -> Result<IpAddr, String> {
    match text {
        "none" => Ok(Ipv4Addr::UNSPECIFIED.into()),
        address => parse_unicast(address),
    }
}

fn netmask(text: &str) -> Result<Netmask, String> {
    let is_dotted = text.contains('.');
    let prefix = address::prefix(text);
    let prefix = prefix.ok_or("it is a prefix length from 1, or a mask as in 255.255.255.0")?;
    Ok(Netmask { prefix, is_dotted })
}
