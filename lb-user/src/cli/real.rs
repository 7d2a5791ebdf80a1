//! `drover real`.

use std::net::IpAddr;

use anyhow::Result;
use clap::Subcommand;

use super::Places;
use crate::{
    api::Change,
    config::director::{WEIGHT_MAX, check_weight},
    service::{ServiceName, parse_unicast},
};

#[derive(Debug, Subcommand)]
pub(super) enum Real {
    /// Add a real server to a service
    Add {
        /// What clients connect to, as in tcp/192.0.2.1:80
        #[arg(value_name = "PROTOCOL/VIP:PORT")]
        service: ServiceName,
        /// The real server's own address
        #[arg(value_name = "RIP", value_parser = parse_unicast)]
        address: IpAddr,
        /// Share of new connections, 0 to 65535; 0 takes none [default: 1]
        #[arg(long, short, value_parser = weight, allow_hyphen_values = true)]
        weight: Option<u32>,
    },
    /// Change a real server's weight; its connections stay
    Edit {
        /// What clients connect to, as in tcp/192.0.2.1:80
        #[arg(value_name = "PROTOCOL/VIP:PORT")]
        service: ServiceName,
        /// The real server's own address
        #[arg(value_name = "RIP", value_parser = parse_unicast)]
        address: IpAddr,
        /// Share of new connections, 0 to 65535; 0 takes none
        #[arg(long, short, value_parser = weight, allow_hyphen_values = true)]
        weight: u32,
    },
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

impl Real {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        places.change(match self {
            Self::Add {
                service,
                address,
                weight,
            } => Change::AddReal {
                service,
                address,
                weight,
            },
            Self::Edit {
                service,
                address,
                weight,
            } => Change::EditReal {
                service,
                address,
                weight,
            },
            Self::Remove { service, address } => Change::RemoveReal { service, address },
        })
    }
}

fn weight(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(weight) => check_weight(weight),
        Err(_) => Err(format!("it is a number from 0 (quiesced) to {WEIGHT_MAX}")),
    }
}
