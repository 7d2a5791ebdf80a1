//! `drover service`.

use anyhow::Result;
use clap::Subcommand;

use super::Places;
use crate::{
    api::Change,
    scheduler::{Flag, Scheduler},
    service::ServiceName,
};

#[derive(Debug, Subcommand)]
pub(super) enum Service {
    /// Add a service
    Add {
        /// What clients connect to, as in tcp/192.0.2.1:80
        #[arg(value_name = "PROTOCOL/VIP:PORT")]
        service: ServiceName,
        /// How new connections are spread [default: wrr]
        #[arg(long, short)]
        scheduler: Option<Scheduler>,
        /// The scheduler's flags, with commas between
        #[arg(long, short = 'b', value_name = "FLAG,…", value_delimiter = ',')]
        flags: Vec<Flag>,
    },
    /// Change a service; its connections stay where they are
    Edit {
        /// What clients connect to, as in tcp/192.0.2.1:80
        #[arg(value_name = "PROTOCOL/VIP:PORT")]
        service: ServiceName,
        /// How new connections are spread; flags that are not given with it are off
        #[arg(long, short, required_unless_present = "flags")]
        scheduler: Option<Scheduler>,
        /// The scheduler's flags, with commas between
        #[arg(long, short = 'b', value_name = "FLAG,…", value_delimiter = ',')]
        flags: Vec<Flag>,
    },
    /// Remove a service; the director's own stack then answers for its port
    Remove {
        /// What clients connect to, as in tcp/192.0.2.1:80
        #[arg(value_name = "PROTOCOL/VIP:PORT")]
        service: ServiceName,
    },
}

impl Service {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        places.change(match self {
            Self::Add {
                service,
                scheduler,
                flags,
            } => Change::AddService {
                service,
                scheduler,
                flags,
            },
            Self::Edit {
                service,
                scheduler,
                flags,
            } => Change::EditService {
                service,
                scheduler,
                flags,
            },
            Self::Remove { service } => Change::RemoveService { service },
        })
    }
}
