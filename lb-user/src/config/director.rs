//! What the operator wants of a director.

use std::{
    iter,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Error, Source, Stamp, availability::Availability, file, fwmarks::Fwmarks, places::Places,
};
use crate::{
    dataplane::director::{Limits, Mode},
    health::{agent::Agent, check::Check, passive::Passive},
    install::{Policy, Thresholds},
    scheduler::{Flag, Scheduler},
    service::ServiceName,
};

/// Real servers of one service, and services, at the most: what the slots and the directory hold.
pub const REALS_MAX: usize = 4096;
pub const SERVICES_MAX: usize = lb_common::tables::SERVICES_MAX - 1;
/// VIPs and ports of one service: at a change of it the records of all are gone through.
pub const DESTINATIONS_MAX: usize = 64;
/// IPVS takes as much; 0 is quiesced.
pub const WEIGHT_MAX: u32 = 65535;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub interfaces: Vec<String>,
    pub xdp: Mode,
    pub vip: VipMode,
    pub limits: Limits,
    /// Seconds, of [`Timeouts`](lb_common::tables::Timeouts).
    pub timeouts: [u32; 5],
    /// Seconds between two questions for each VIP, whether another host has it; 0 is none.
    pub leak_check: u32,
    /// Where pages are served; nowhere without.
    pub http: Option<SocketAddr>,
    /// What `ipvsadm -f` names.
    pub fwmarks: Fwmarks,
    pub services: Vec<Service>,
    /// Of the file that says this; none if no file does.
    pub stamp: Option<Stamp>,
    pub places: Places,
}

/// Who puts the VIPs on the director.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VipMode {
    /// The daemon, which also announces them.
    #[default]
    Own,
    /// Something else: keepalived, a routing daemon, the operator.
    External,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The first of what its clients connect to, and its name.
    pub listen: ServiceName,
    /// The others, of the same IP version.
    pub also: Vec<ServiceName>,
    pub scheduler: Scheduler,
    /// Each once, in their order.
    pub flags: Vec<Flag>,
    pub policy: Policy,
    pub availability: Availability,
    /// Asked of each real server; without, all are taken to be well.
    pub check: Option<Arc<Check>>,
    /// Whom each real server has that speaks for it.
    pub agent: Option<Agent>,
    /// What clients' connections have to say of its real servers.
    pub passive: Option<Passive>,
    pub reals: Vec<Real>,
}

impl Service {
    /// All that its clients connect to.
    pub fn destinations(&self) -> impl Iterator<Item = ServiceName> + Clone {
        iter::once(self.listen).chain(self.also.iter().copied())
    }

    /// Where its connections may go: its real servers and its sorry server.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let reals = self.reals.iter().map(|real| real.address);
        reals.chain(self.availability.sorry)
    }

    /// Whether its flows are counted.
    pub fn is_tracked(&self) -> bool {
        let counts = self.reals.iter().any(|it| it.thresholds.upper > 0);
        self.policy
            .tracks(self.scheduler, self.destinations(), counts)
    }
}

/// Says that no service has a name, and of which service it is a further destination, if of one.
pub fn no_service(name: ServiceName, holder: Option<ServiceName>) -> String {
    match holder {
        Some(holder) => format!("{name} is part of service {holder}; give that name"),
        None => format!("there is no service {name}; `drover list` shows those there are"),
    }
}

/// What becomes of packets when no real server is eligible.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum NoMember {
    /// The director's own stack refuses them at once.
    #[default]
    Reject,
    /// Nothing answers.
    Drop,
}

impl NoMember {
    pub fn name(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Drop => "drop",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Real {
    pub address: IpAddr,
    pub weight: u32,
    pub thresholds: Thresholds,
}

impl Config {
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::of(&Source::read(path)?)
    }

    pub fn of(source: &Source) -> Result<Self, Error> {
        file::checked(source)
    }

    /// Reads the text of a file that is, or is to be, at `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        file::checked(&Source::new(path, text))
    }

    pub fn service(&self, name: ServiceName) -> Option<&Service> {
        self.services.iter().find(|service| service.listen == name)
    }

    /// Returns the name of the service that a destination is of.
    pub fn holder(&self, name: ServiceName) -> Option<ServiceName> {
        let has = |service: &&Service| service.destinations().any(|it| it == name);
        self.services.iter().find(has).map(|it| it.listen)
    }
}

/// Seconds of persistence, and of a timeout: 31 days, as IPVS takes.
pub const SECONDS_MAX: u32 = 31 * 24 * 60 * 60;

pub fn check_seconds(what: &str, seconds: i64) -> Result<u32, String> {
    u32::try_from(seconds)
        .ok()
        .filter(|seconds| (1..=SECONDS_MAX).contains(seconds))
        .ok_or_else(|| format!("`{what}` is from 1 to {SECONDS_MAX} seconds (31 days)"))
}

pub fn check_weight(weight: i64) -> Result<u32, String> {
    u32::try_from(weight)
        .ok()
        .filter(|&weight| weight <= WEIGHT_MAX)
        .ok_or_else(|| {
            format!("weight {weight} is out of range; it is from 0 (quiesced) to {WEIGHT_MAX}")
        })
}
