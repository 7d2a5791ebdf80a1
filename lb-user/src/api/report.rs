//! What the daemon tells of its services, and of itself.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::fwmarks::Fwmarks,
    install::Policy,
    scheduler::{Flag, Scheduler},
    service::ServiceName,
};

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
    /// Of its table; those whose new and old connections go to different real servers, and those where a record is
    /// looked up first.
    pub slots: u32,
    pub slots_moving: u32,
    pub slots_exceptions: u32,
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
    /// What it says of itself, if it has an agent.
    pub agent: Option<AgentReport>,
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
    /// Attempts to connect that their client did not go on with, as nobody answered or it was refused, since the daemon
    /// started; `None` where flows have no records, or are of UDP.
    pub unanswered: Option<u64>,
    /// Clients that come back to it.
    pub persistent: u64,
    /// Of the slots of the service, those whose new flows it takes.
    pub slots: u32,
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

/// What the agent of a real server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentReport {
    /// Of its weight; said last, and so for as long as nothing else is.
    pub percent: u32,
    /// Its last answer, or why there was none. Neither before the first.
    pub words: Option<String>,
    pub error: Option<String>,
    pub seconds_ago: Option<u64>,
}

/// The state of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Active,
    /// It has come in, and takes as many new flows as are good for it.
    Warming,
    /// It takes no new flows while the other kind, of real and sorry servers, does.
    Standby,
    /// Its check has failed, or clients' connections have no answer.
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
    pub const ALL: [Self; 8] = [
        Self::Active,
        Self::Warming,
        Self::Standby,
        Self::Down,
        Self::Unresolved,
        Self::Quiesced,
        Self::Overloaded,
        Self::Draining,
    ];

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
    /// By firewall mark, what `ipvsadm -A -f` makes one service of.
    pub fwmarks: Fwmarks,
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
