//! A service's name, as operators write it: `tcp/172.25.138.100:80`.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use lb_common::{hash::Destination, wire::Protocol};
use serde::{Deserialize, Serialize, de};

/// Protocol, VIP and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName {
    pub protocol: Transport,
    pub vip: Ipv4Addr,
    pub port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    Tcp,
    Udp,
}

impl ServiceName {
    pub fn destination(self) -> Destination {
        Destination {
            vip: self.vip.octets(),
            port: self.port.to_be_bytes(),
            protocol: self.protocol.number(),
        }
    }

    pub fn of(destination: Destination) -> Option<Self> {
        Some(Self {
            protocol: match destination.protocol {
                Protocol::TCP => Transport::Tcp,
                Protocol::UDP => Transport::Udp,
                Protocol(_) => return None,
            },
            vip: destination.vip.into(),
            port: u16::from_be_bytes(destination.port),
        })
    }
}

impl Transport {
    fn number(self) -> Protocol {
        match self {
            Self::Tcp => Protocol::TCP,
            Self::Udp => Protocol::UDP,
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.protocol.number(), self.vip, self.port)
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
        let shape = "want PROTOCOL/VIP:PORT, as in tcp/192.0.2.1:80";
        let (protocol, rest) = text.split_once('/').ok_or_else(|| bad(shape))?;
        let protocol = match protocol {
            "tcp" => Transport::Tcp,
            "udp" => Transport::Udp,
            _ => return Err(bad("the protocol is tcp or udp")),
        };
        let (vip, port) = rest.rsplit_once(':').ok_or_else(|| bad(shape))?;
        let vip = parse_unicast(vip).map_err(|why| bad(&why))?;
        let port = port
            .parse()
            .ok()
            .filter(|&port: &u16| port != 0)
            .ok_or_else(|| bad(&format!("`{port}` is not a port from 1 to 65535")))?;
        Ok(Self {
            protocol,
            vip,
            port,
        })
    }
}

/// Parses an IPv4 address that a host can have on a LAN.
pub fn parse_unicast(text: &str) -> Result<Ipv4Addr, String> {
    let Ok(address) = text.parse() else {
        return Err(format!("`{text}` is not an IPv4 address"));
    };
    match not_a_hosts(IpAddr::V4(address)) {
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
        for text in ["tcp/172.25.138.100:80", "udp/192.0.2.1:65535"] {
            let name: ServiceName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(ServiceName::of(name.destination()), Some(name));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, why) in [
            ("172.25.138.100:80", "want PROTOCOL/VIP:PORT"),
            ("tcp/172.25.138.100", "want PROTOCOL/VIP:PORT"),
            ("sctp/172.25.138.100:80", "the protocol is tcp or udp"),
            ("tcp/172.25.138.100:0", "`0` is not a port from 1 to 65535"),
            ("tcp/172.25.138.100:65536", "`65536` is not a port"),
            ("tcp/172.25.138.100:http", "`http` is not a port"),
            (
                "tcp/172.25.138.300:80",
                "`172.25.138.300` is not an IPv4 address",
            ),
            ("tcp/vip:80", "`vip` is not an IPv4 address"),
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
