//! `drover service`.

use anyhow::Result;
use clap::Subcommand;

use super::Places;
use crate::{api::Change, scheduler::Scheduler, service::ServiceName};

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
    },
    /// Change a service; its connections stay where they are
    Edit {
        /// What clients connect to, as in tcp/192.0.2.1:80
        #[arg(value_name = "PROTOCOL/VIP:PORT")]
        service: ServiceName,
        /// How new connections are spread
        #[arg(long, short)]
        scheduler: Scheduler,
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
            Self::Add { service, scheduler } => Change::AddService { service, scheduler },
            Self::Edit { service, scheduler } => Change::EditService { service, scheduler },
            Self::Remove { service } => Change::RemoveService { service },
        })
    }
}
