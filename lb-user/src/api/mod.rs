//! What the daemon and its clients say to each other: JSON over HTTP on a unix socket.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /v1/services` (`?all=true`) | | `[ServiceReport]` |
//! | `GET /v1/status` | | `Status` |
//! | `GET /v1/flows` (a `flows::Query`) | | `flows::Report` |
//! | `GET /v1/timeouts` | | `Timeouts` |
//! | `GET /v1/openapi.json` | | all of this, for programs |
//! | `GET /v1/config` | | the text that is in force |
//! | `GET /v1/events` | | `events::Event`s, as they happen: server-sent events |
//! | `POST /v1/diff` | `diff::Text`, or `null`: the file | `diff::Diff` |
//! | `POST /v1/apply` | `diff::Apply` | `diff::Diff` |
//! | `POST /v1/undo`, `POST /v1/confirm` | | `diff::Diff`, nothing |
//! | `POST /v1/changes` | `[Change]`, all or none | |
//! | `POST /v1/reload` | | |
//!
//! What is refused is answered with a status of 4xx and `{"error": "one line"}`.

pub mod client;
pub mod diff;
pub mod events;
pub mod flows;
pub mod openapi;
mod schemas;
pub mod server;

use std::{collections::BTreeMap, fmt, net::IpAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::director::NoMember,
    install::Policy,
    scheduler::{Flag, Scheduler, listed},
    service::ServiceName,
};

/// What can be asked of the daemon's configuration; each changes `director.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    AddService(ServiceChange),
    EditService(ServiceChange),
    RemoveService {
        service: ServiceName,
    },
    AddReal(RealChange),
    EditReal(RealChange),
    RemoveReal {
        service: ServiceName,
        address: IpAddr,
    },
    /// Of idle connections, in seconds; those that are not given stay.
    SetTimeouts {
        tcp: Option<u32>,
        tcpfin: Option<u32>,
        udp: Option<u32>,
    },
}

/// What is said of a service; what is not said is as by default, or stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceChange {
    pub service: ServiceName,
    /// What else clients connect to, and what no more.
    #[serde(default)]
    pub also: Vec<ServiceName>,
    #[serde(default)]
    pub not_also: Vec<ServiceName>,
    /// Takes the place of the one before with its flags.
    pub scheduler: Option<Scheduler>,
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// Seconds; 0 is none.
    pub persistence: Option<u32>,
    pub persistence_prefix: Option<u8>,
    pub one_packet: Option<bool>,
    pub expire_quiescent: Option<bool>,
    pub expire_nodest: Option<bool>,
    pub no_member: Option<NoMember>,
    /// Of weight.
    pub quorum: Option<u32>,
    pub hysteresis: Option<u32>,
    /// The unspecified address is none.
    pub sorry_server: Option<IpAddr>,
    pub inhibit_on_failure: Option<bool>,
    /// Seconds; 0 is none.
    pub slow_start: Option<u32>,
    pub drain: Option<u32>,
}

/// What is said of a real server; what is not said is as by default, or stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RealChange {
    pub service: ServiceName,
    pub address: IpAddr,
    pub weight: Option<u32>,
    /// Connections; 0 is none.
    pub upper_threshold: Option<u32>,
    pub lower_threshold: Option<u32>,
}

impl ServiceChange {
    /// One that says nothing but whose it is.
    pub fn new(service: ServiceName) -> Self {
        Self {
            service,
            also: Vec::new(),
            not_also: Vec::new(),
            scheduler: None,
            flags: Vec::new(),
            persistence: None,
            persistence_prefix: None,
            one_packet: None,
            expire_quiescent: None,
            expire_nodest: None,
            no_member: None,
            quorum: None,
            hysteresis: None,
            sorry_server: None,
            inhibit_on_failure: None,
            slow_start: None,
            drain: None,
        }
    }
}

impl RealChange {
    /// One that says nothing but whose it is.
    pub fn new(service: ServiceName, address: IpAddr) -> Self {
        Self {
            service,
            address,
            weight: None,
            upper_threshold: None,
            lower_threshold: None,
        }
    }
}

/// As the operator would have said it.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddService(change) => write!(f, "service add {change}"),
            Self::EditService(change) => write!(f, "service edit {change}"),
            Self::RemoveService { service } => write!(f, "service remove {service}"),
            Self::AddReal(change) => write!(f, "real add {change}"),
            Self::EditReal(change) => write!(f, "real edit {change}"),
            Self::RemoveReal { service, address } => write!(f, "real remove {service} {address}"),
            Self::SetTimeouts { tcp, tcpfin, udp } => {
                f.write_str("timeouts set")?;
                said(f, "tcp", *tcp)?;
                said(f, "tcpfin", *tcpfin)?;
                said(f, "udp", *udp)
            }
        }
    }
}

impl fmt::Display for ServiceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.service)?;
        for (option, names) in [("also", &self.also), ("not-also", &self.not_also)] {
            let mut names = names.iter();
            names.try_for_each(|name| said(f, option, Some(name)))?;
        }
        said(f, "scheduler", self.scheduler)?;
        let flags = self.flags.as_slice();
        said(f, "flags", (!flags.is_empty()).then(|| listed(flags)))?;
        said(f, "persistent", self.persistence)?;
        said(f, "netmask", self.persistence_prefix)?;
        for (option, on) in [
            ("ops", self.one_packet),
            ("expire-quiescent", self.expire_quiescent),
            ("expire-nodest", self.expire_nodest),
            ("inhibit-on-failure", self.inhibit_on_failure),
        ] {
            match on {
                Some(true) => write!(f, " --{option}")?,
                Some(false) => write!(f, " --{option}=false")?,
                None => {}
            }
        }
        said(f, "no-member", self.no_member.map(NoMember::name))?;
        said(f, "sorry-server", self.sorry_server)?;
        for (option, number) in [
            ("quorum", self.quorum),
            ("hysteresis", self.hysteresis),
            ("slow-start", self.slow_start),
            ("drain", self.drain),
        ] {
            said(f, option, number)?;
        }
        Ok(())
    }
}

impl fmt::Display for RealChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.service, self.address)?;
        said(f, "weight", self.weight)?;
        said(f, "u-threshold", self.upper_threshold)?;
        said(f, "l-threshold", self.lower_threshold)
    }
}

fn said(f: &mut fmt::Formatter<'_>, option: &str, value: Option<impl fmt::Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, " --{option} {value}"))
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceReport {
    pub service: ServiceName,
    /// All that its clients connect to, the service's name first.
    pub listen: Vec<ServiceName>,
    pub scheduler: Scheduler,
    pub flags: Vec<Flag>,
    #[serde(flatten)]
    pub policy: PolicyReport,
    /// The weight that it needs of real servers that can serve, and whether it has that.
    pub quorum: u32,
    pub has_quorum: bool,
    pub reals: Vec<RealReport>,
}

/// How a service treats flows, but for spreading new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RealReport {
    pub address: IpAddr,
    pub weight: u32,
    pub state: State,
    /// When it came to be so, as in RFC 3339.
    pub since: String,
    /// What the last check of it has seen, if it is checked.
    pub check: Option<CheckReport>,
    /// Whether it is who takes new connections while the quorum is lost.
    pub is_sorry: bool,
    /// Connections; 0 is none.
    pub upper_threshold: u32,
    pub lower_threshold: u32,
    /// Why it has its state, unless it takes new flows as its weight says.
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

/// One check, and those of the same result before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckReport {
    pub is_good: bool,
    pub words: String,
    /// That it took.
    pub milliseconds: u64,
    pub seconds_ago: u64,
    pub in_a_row: u32,
    /// As many in a row change the state.
    pub needed: u32,
}

/// The state of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Active,
    /// It has come in, and takes as many new flows as are good for it.
    Warming,
    /// It takes no new flows while the other kind, of real and sorry servers, does.
    Standby,
    /// Its check has failed.
    Down,
    /// Its MAC is not known.
    Unresolved,
    /// Weight 0: keeps its flows, takes no new ones.
    Quiesced,
    /// At its upper threshold: takes no new flows until it is below the lower one.
    Overloaded,
    /// Removed, and still there for the flows it has.
    Draining,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Warming => "warming",
            Self::Standby => "standby",
            Self::Down => "down",
            Self::Unresolved => "unresolved",
            Self::Quiesced => "quiesced",
            Self::Overloaded => "overloaded",
            Self::Draining => "draining",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Octets that a flow takes.
    pub flow_octets: u64,
    /// Octets of the tables, counters aside.
    pub memory: u64,
    /// Seconds until the last change is taken back, if it waits to be confirmed.
    pub unconfirmed: Option<u64>,
    /// Other hosts that say to have a VIP.
    pub leaks: Vec<LeakReport>,
    /// How often such was heard of a host that is not among them, as they are too many.
    pub leaks_more: u64,
    /// Packets not forwarded.
    pub reasons: BTreeMap<String, ReasonReport>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InterfaceReport {
    pub name: String,
    /// `native`, `generic`, or what is wrong.
    pub xdp: String,
    pub mac: Option<String>,
    pub addresses: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeakReport {
    pub vip: IpAddr,
    pub mac: String,
    /// The RIPs of the real server whose MAC it is; none if it is a stranger's.
    pub real: Vec<IpAddr>,
    pub interface: String,
    /// As in RFC 3339.
    pub since: String,
    pub last_seen: String,
    /// How often it was heard.
    pub count: u64,
}

/// Seconds that a connection may be idle, as `ipvsadm --set` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Timeouts {
    pub tcp: u32,
    pub tcpfin: u32,
    pub udp: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Used {
    pub used: u64,
    pub most: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReasonReport {
    pub packets: u64,
    pub fate: String,
}

/// The body of a refusal.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    pub error: String,
}
