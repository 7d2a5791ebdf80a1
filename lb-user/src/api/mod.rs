//! What the daemon and its clients say to each other: JSON over HTTP on a unix socket.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /v1/services` (`?all=true`) | | `[ServiceReport]` |
//! | `GET /v1/status` | | `Status` |
//! | `POST /v1/changes` | `[Change]`, all or none | |
//! | `POST /v1/reload` | | |
//!
//! What is refused is answered with a status of 4xx and `{"error": "one line"}`.

pub mod client;
pub mod server;

use std::{collections::BTreeMap, fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{
    install::Policy,
    scheduler::{Flag, Scheduler, listed},
    service::ServiceName,
};

/// What can be asked of the daemon's configuration; each changes `director.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    AddService {
        service: ServiceName,
        scheduler: Option<Scheduler>,
        #[serde(default)]
        flags: Vec<Flag>,
    },
    /// A scheduler takes the place of the one before with its flags; flags alone, of the flags.
    EditService {
        service: ServiceName,
        scheduler: Option<Scheduler>,
        #[serde(default)]
        flags: Vec<Flag>,
    },
    RemoveService {
        service: ServiceName,
    },
    AddReal {
        service: ServiceName,
        address: IpAddr,
        weight: Option<u32>,
    },
    EditReal {
        service: ServiceName,
        address: IpAddr,
        weight: u32,
    },
    RemoveReal {
        service: ServiceName,
        address: IpAddr,
    },
}

/// As the operator would have said it.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddService {
                service,
                scheduler,
                flags,
            } => {
                write!(f, "service add {service}")?;
                scheduled(f, *scheduler, flags)
            }
            Self::EditService {
                service,
                scheduler,
                flags,
            } => {
                write!(f, "service edit {service}")?;
                scheduled(f, *scheduler, flags)
            }
            Self::RemoveService { service } => write!(f, "service remove {service}"),
            Self::AddReal {
                service,
                address,
                weight,
            } => {
                write!(f, "real add {service} {address}")?;
                weight.map_or(Ok(()), |weight| write!(f, " --weight {weight}"))
            }
            Self::EditReal {
                service,
                address,
                weight,
            } => write!(f, "real edit {service} {address} --weight {weight}"),
            Self::RemoveReal { service, address } => write!(f, "real remove {service} {address}"),
        }
    }
}

fn scheduled(
    f: &mut fmt::Formatter<'_>,
    scheduler: Option<Scheduler>,
    flags: &[Flag],
) -> fmt::Result {
    if let Some(scheduler) = scheduler {
        write!(f, " --scheduler {scheduler}")?;
    }
    match flags {
        [] => Ok(()),
        flags => write!(f, " --flags {}", listed(flags)),
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceReport {
    pub service: ServiceName,
    pub scheduler: Scheduler,
    pub flags: Vec<Flag>,
    #[serde(flatten)]
    pub policy: PolicyReport,
    pub reals: Vec<RealReport>,
}

/// How a service treats flows, but for spreading new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyReport {
    /// Seconds; 0 if it is not persistent.
    pub persistence: u32,
    /// Bits of a client's address that count; 0 if it is not persistent.
    pub persistence_prefix: u8,
    pub one_packet: bool,
    pub expire_quiescent: bool,
    pub expire_nodest: bool,
}

impl PolicyReport {
    pub fn of(policy: &Policy) -> Self {
        let persistence = policy.persistence;
        Self {
            persistence: persistence.map_or(0, |it| it.seconds),
            persistence_prefix: persistence.map_or(0, |it| it.prefix),
            one_packet: policy.one_packet,
            expire_quiescent: policy.expire_quiescent,
            expire_nodest: policy.expire_nodest,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RealReport {
    pub address: IpAddr,
    pub weight: u32,
    pub state: State,
    /// Connections; 0 is none.
    pub upper_threshold: u32,
    pub lower_threshold: u32,
    /// Why it takes no new flows, if it does not.
    pub reason: Option<String>,
    pub mac: Option<String>,
    /// Flows as IPVS counts them; `None` where flows have no records.
    pub active: Option<u64>,
    pub inactive: Option<u64>,
    /// Clients that come back to it.
    pub persistent: u64,
    /// New flows so far.
    pub connections: u64,
    pub packets: u64,
    pub bytes: u64,
}

/// The state of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Active,
    /// Its MAC is not known.
    Unresolved,
    /// Weight 0: keeps its flows, takes no new ones.
    Quiesced,
    /// At its upper threshold: takes no new flows until it is below the lower one.
    Overloaded,
    /// Removed, and still there for the flows it has.
    Draining,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub version: String,
    pub pid: u32,
    pub config: String,
    pub pins: String,
    pub vip: String,
    pub interfaces: Vec<InterfaceReport>,
    pub services: Used,
    pub members: Used,
    pub flows: Used,
    /// Octets of the tables, counters aside.
    pub memory: u64,
    /// Packets not forwarded.
    pub reasons: BTreeMap<String, ReasonReport>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceReport {
    pub name: String,
    /// `native`, `generic`, or what is wrong.
    pub xdp: String,
    pub mac: Option<String>,
    pub addresses: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    pub used: u64,
    pub most: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonReport {
    pub packets: u64,
    pub fate: String,
}

/// The body of a refusal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refusal {
    pub error: String,
}
