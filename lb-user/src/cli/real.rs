//! `drover real`.

use std::net::IpAddr;

use anyhow::Result;
use clap::{ArgGroup, Args, Subcommand};

use super::Places;
use crate::{
    api::{Change, RealChange},
    config::director::{WEIGHT_MAX, check_weight},
    service::{ServiceName, parse_unicast},
};

#[derive(Debug, Subcommand)]
pub(super) enum Real {
    /// Add a real server to a service
    Add(Said),
    /// Change a real server's weight or thresholds; its connections stay
    #[command(group = ArgGroup::new("change").args(CHANGES).required(true).multiple(true))]
    Edit(Said),
    /// Remove a real server; the connections it has go on until they end
    Remove {
        /// What clients connect to, as in tcp/192.0.2.1:80
        #[arg(value_name = "PROTOCOL/VIP:PORT")]
        service: ServiceName,
        /// The real server's own address
        #[arg(value_name = "RIP", value_parser = parse_unicast)]
        address: IpAddr,
    },
}

/// Of these, `edit` takes at least one.
const CHANGES: [&str; 3] = ["weight", "u_threshold", "l_threshold"];

/// What is not said is as by default, or stays.
#[derive(Args, Debug)]
pub(super) struct Said {
    /// What clients connect to, as in tcp/192.0.2.1:80
    #[arg(value_name = "PROTOCOL/VIP:PORT")]
    service: ServiceName,
    /// The real server's own address
    #[arg(value_name = "RIP", value_parser = parse_unicast)]
    address: IpAddr,
    /// Share of new connections, 0 to 65535 (1, if never said); 0 takes none
    #[arg(long, short, value_parser = weight, allow_hyphen_values = true)]
    weight: Option<u32>,
    /// With so many connections it takes no new ones; 0: with any number it does
    #[arg(long, short = 'x', value_name = "N")]
    u_threshold: Option<u32>,
    /// Until it has fewer than so many again; 0: than three quarters of --u-threshold
    #[arg(long, short = 'y', value_name = "N")]
    l_threshold: Option<u32>,
}

impl Real {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        places.change(match self {
            Self::Add(said) => Change::AddReal(said.change()),
            Self::Edit(said) => Change::EditReal(said.change()),
            Self::Remove { service, address } => Change::RemoveReal { service, address },
        })
    }
}

impl Said {
    fn change(self) -> RealChange {
        RealChange {
            service: self.service,
            address: self.address,
            weight: self.weight,
            upper_threshold: self.u_threshold,
            lower_threshold: self.l_threshold,
        }
    }
}

fn weight(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(weight) => check_weight(weight),
        Err(_) => Err(format!("it is a number from 0 (quiesced) to {WEIGHT_MAX}")),
    }
}
