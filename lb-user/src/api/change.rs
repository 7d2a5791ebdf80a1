//! What can be asked of the daemon's configuration, and how an operator would say it.

use std::{fmt, net::IpAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::director::NoMember,
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
    /// Removes all services.
    Clear,
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
            Self::Clear => f.write_str("ipvsadm -C"),
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
