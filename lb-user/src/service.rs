//! A service's name, as operators write it: `tcp/172.25.138.100:80`.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use lb_common::{hash::Destination, tables::Service, wire::Protocol};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de};

use crate::address;

/// Protocol, VIP and ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName {
    pub protocol: Transport,
    pub vip: IpAddr,
    pub ports: PortRange,
}

#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    Tcp,
    Udp,
    Sctp,
}

/// Ports from the first to the last: of most services, one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    pub first: u16,
    pub last: u16,
}

impl PortRange {
    /// Every port.
    pub const ANY: Self = Self {
        first: 0,
        last: u16::MAX,
    };

    pub fn is_one(self) -> bool {
        self.first == self.last
    }

    fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    fn holds(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }
}

impl ServiceName {
    /// What packets to its first port have, or of several, what those to any port have.
    pub fn destination(self) -> Destination {
        let (vip, version) = address::of(self.vip);
        let port = match self.ports.is_one() {
            true => self.ports.first,
            false => 0,
        };
        Destination::new(vip, port.to_be_bytes(), (self.protocol.number(), version))
    }

    /// What packets have that tell no port, and those to ports that no service has alone.
    pub fn of_vip(self) -> Destination {
        self.destination().without_port()
    }

    /// A record of this name.
    pub fn record(self) -> Service {
        let (vip, version) = address::of(self.vip);
        let PortRange { first, last } = self.ports;
        Service::new(vip, [first, last], (self.protocol.number(), version))
    }

    /// Returns the name of a record, unless it is vacant.
    pub fn of(service: &Service) -> Option<Self> {
        let [first, last] = service.ports();
        Some(Self {
            protocol: Transport::of(service.destination.protocol())?,
            vip: address::ip(service.destination.vip, service.destination.version())?,
            ports: PortRange { first, last },
        })
    }

    /// Whether some packet could be for both, and neither is the more exact.
    pub fn conflicts(self, other: Self) -> bool {
        let (a, b) = (self.ports, other.ports);
        (self.protocol, self.vip) == (other.protocol, other.vip)
            && a.overlaps(b)
            && !a.holds(b)
            && !b.holds(a)
    }
}

impl Transport {
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    pub fn number(self) -> Protocol {
        match self {
            Self::Tcp => Protocol::TCP,
            Self::Udp => Protocol::UDP,
            Self::Sctp => Protocol::SCTP,
        }
    }

    pub fn of(protocol: Protocol) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == protocol)
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ANY => f.write_str("*"),
            Self { first, last } if first == last => write!(f, "{first}"),
            Self { first, last } => write!(f, "{first}-{last}"),
        }
    }
}

/// An address and what stands behind its colon: IPv6 is put in brackets.
pub fn with_ports(ip: IpAddr, ports: impl fmt::Display) -> String {
    match ip {
        IpAddr::V4(ip) => format!("{ip}:{ports}"),
        IpAddr::V6(ip) => format!("[{ip}]:{ports}"),
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = with_ports(self.vip, self.ports);
        write!(f, "{}/{at}", self.protocol.number())
    }
}

/// Why a text does not name a service.
#[derive(Debug, PartialEq, Eq)]
pub struct BadService(String);

impl fmt::Display for BadService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadService {}

impl FromStr for ServiceName {
    type Err = BadService;

    fn from_str(text: &str) -> Result<Self, BadService> {
        let bad = |why: &str| BadService(format!("bad service `{text}`: {why}"));
        let shape = "want PROTOCOL/VIP:PORT, as in tcp/192.0.2.1:80 or tcp/[2001:db8::1]:80";
        let (protocol, rest) = text.split_once('/').ok_or_else(|| bad(shape))?;
        let protocol = Transport::ALL
            .into_iter()
            .find(|it| it.number().to_string() == protocol)
            .ok_or_else(|| bad("the protocol is tcp, udp or sctp"))?;
        let (vip, ports) = rest.rsplit_once(':').ok_or_else(|| bad(shape))?;
        let bracketed = vip.strip_prefix('[').and_then(|vip| vip.strip_suffix(']'));
        if bracketed.is_none() && vip.contains(':') {
            return Err(bad(
                "an IPv6 address is put in brackets, as in tcp/[2001:db8::1]:80",
            ));
        }
        let vip = parse_unicast(bracketed.unwrap_or(vip)).map_err(|why| bad(&why))?;
        if bracketed.is_some() && vip.is_ipv4() {
            return Err(bad("brackets are for IPv6 addresses"));
        }
        Ok(Self {
            protocol,
            vip,
            ports: ports.parse().map_err(|why: String| bad(&why))?,
        })
    }
}

impl FromStr for PortRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = |text: &str| {
            let port = text.parse().ok().filter(|&port: &u16| port != 0);
            port.ok_or_else(|| {
                format!("`{text}` is not a port from 1 to 65535, a range as in 8000-8099, or *")
            })
        };
        if text == "*" {
            return Ok(Self::ANY);
        }
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (port(first)?, port(last)?),
            None => (port(text)?, port(text)?),
        };
        if first > last {
            return Err(format!("the range `{text}` ends before it begins"));
        }
        Ok(Self { first, last })
    }
}

/// Parses an address that a host can have on a LAN.
pub fn parse_unicast(text: &str) -> Result<IpAddr, String> {
    let Ok(address) = text.parse() else {
        return Err(format!("`{text}` is not an IP address"));
    };
    match not_a_hosts(address) {
        Some(kind) => Err(format!("{address} is {kind}")),
        None => Ok(address),
    }
}

/// Says what an address is that no host on a LAN can have, or that no client can reach.
pub fn not_a_hosts(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => match address.octets()[0] {
            0 => Some("no host's address"),
            127 => Some("a loopback address"),
            224..=239 => Some("a multicast address"),
            240.. => Some("a reserved address"),
            1..=126 | 128..=223 => None,
        },
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some("no host's address"),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Some("a loopback address"),
        IpAddr::V6(address) if address.is_multicast() => Some("a multicast address"),
        IpAddr::V6(address) if address.is_unicast_link_local() => Some("a link-local address"),
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => {
            Some("an IPv4 address mapped into IPv6")
        }
        IpAddr::V6(_) => None,
    }
}

impl Serialize for ServiceName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ServiceName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike() {
        for text in [
            "tcp/172.25.138.100:80",
            "udp/192.0.2.1:65535",
            "sctp/192.0.2.1:5060",
            "tcp/[2001:db8::1]:443",
            "tcp/192.0.2.1:*",
            "udp/[2001:db8::1]:16384-32767",
        ] {
            let name: ServiceName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(ServiceName::of(&name.record()), Some(name));
        }
    }

    #[test]
    fn ports_conflict_unless_one_is_within_the_other() {
        let name = |ports| {
            format!("tcp/192.0.2.1:{ports}")
                .parse::<ServiceName>()
                .unwrap()
        };
        for (one, other, conflicts) in [
            ("80", "443", false),
            ("80", "*", false),
            ("80", "80-90", false),
            ("80-90", "*", false),
            ("80-90", "90-99", true),
            ("80-90", "91-99", false),
        ] {
            let found = name(one).conflicts(name(other));
            assert_eq!(found, conflicts, "{one} and {other}");
            assert_eq!(name(other).conflicts(name(one)), conflicts);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, why) in [
            ("172.25.138.100:80", "want PROTOCOL/VIP:PORT"),
            ("tcp/172.25.138.100", "want PROTOCOL/VIP:PORT"),
            ("icmp/172.25.138.100:80", "the protocol is tcp, udp or sctp"),
            ("tcp/2001:db8::1:80", "an IPv6 address is put in brackets"),
            ("tcp/[192.0.2.1]:80", "brackets are for IPv6 addresses"),
            ("tcp/[fe80::1]:80", "fe80::1 is a link-local address"),
            (
                "tcp/192.0.2.1:90-80",
                "the range `90-80` ends before it begins",
            ),
            ("tcp/192.0.2.1:80-", "`` is not a port"),
            ("tcp/172.25.138.100:0", "`0` is not a port from 1 to 65535"),
            ("tcp/172.25.138.100:65536", "`65536` is not a port"),
            ("tcp/172.25.138.100:http", "`http` is not a port"),
            (
                "tcp/172.25.138.300:80",
                "`172.25.138.300` is not an IP address",
            ),
            ("tcp/vip:80", "`vip` is not an IP address"),
            ("tcp/0.0.0.0:80", "0.0.0.0 is no host's address"),
            ("tcp/127.0.0.1:80", "127.0.0.1 is a loopback address"),
            ("tcp/224.0.0.1:80", "224.0.0.1 is a multicast address"),
            ("tcp/255.255.255.255:80", "is a reserved address"),
        ] {
            let error = text.parse::<ServiceName>().unwrap_err().to_string();
            assert!(
                error.contains(why) && error.contains(text),
                "{text}: {error}"
            );
        }
    }
}
