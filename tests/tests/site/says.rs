//! What clients send to a service, of either version of IP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lb_common::{
    hash::{Flow, Kind},
    wire::Ports,
};
use lb_user::address;
use tests::frames::{Sent, Sent6, UDP};

use super::{Client, DIRECTOR, ROUTER, Site};

/// What a packet says of its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// TCP, with these flags.
    Segment(u8),
    Datagram,
    /// The fragment of such a datagram of UDP that tells its flow, and one that does not.
    First(u16),
    Later(u16),
}

impl Says {
    pub(crate) fn is_datagram(self) -> bool {
        matches!(self, Self::Datagram | Self::First(_))
    }

    /// Whether it is of TCP, with these flags alone.
    pub(crate) fn is(self, flags: u8) -> bool {
        self == Self::Segment(flags)
    }

    /// Whether it is of TCP, with these flags among others.
    pub(crate) fn has(self, flag: u8) -> bool {
        matches!(self, Self::Segment(flags) if flags & flag != 0)
    }
}

impl Site {
    /// What a client sends to the service, to its first port if it has several.
    pub(crate) fn from(&self, (client, port): Client) -> Sent {
        let (IpAddr::V4(client), IpAddr::V4(vip)) = (self.address_of(client), self.name.vip) else {
            unreachable!("{} is of IPv6", self.name);
        };
        Sent {
            to: DIRECTOR,
            from: ROUTER,
            client,
            client_port: port,
            vip,
            port: self.name.ports.first,
            ttl: 64,
        }
    }

    fn from6(&self, (client, port): Client) -> Sent6 {
        let (IpAddr::V6(client), IpAddr::V6(vip)) = (self.address_of(client), self.name.vip) else {
            unreachable!("{} is of IPv4", self.name);
        };
        Sent6 {
            to: DIRECTOR,
            from: ROUTER,
            client,
            client_port: port,
            vip,
            port: self.name.ports.first,
            hops: 64,
        }
    }

    pub(super) fn frame(&self, client: Client, says: Says) -> Vec<u8> {
        if self.name.vip.is_ipv4() {
            let sent = self.from(client);
            return match says {
                Says::Segment(flags) => sent.tcp(flags),
                Says::Datagram => sent.udp(),
                Says::First(id) => sent.fragment(UDP, (id, 0, true)),
                Says::Later(id) => sent.fragment(UDP, (id, 24, false)),
            };
        }
        let sent = self.from6(client);
        match says {
            Says::Segment(flags) => sent.tcp(flags),
            Says::Datagram => sent.udp(),
            Says::First(id) => sent.fragment(UDP, (id.into(), 0, true)),
            Says::Later(id) => sent.fragment(UDP, (id.into(), 24, false)),
        }
    }

    pub(crate) fn flow(&self, (client, port): Client) -> Flow {
        let (client, version) = address::of(self.address_of(client));
        let (vip, _) = address::of(self.name.vip);
        let ports = Ports {
            source: port.to_be_bytes(),
            destination: self.name.ports.first.to_be_bytes(),
        };
        let kind = Kind::new(ports, self.name.protocol.number(), version);
        Flow::new(client, vip, kind)
    }

    fn address_of(&self, client: u8) -> IpAddr {
        match self.name.vip {
            IpAddr::V4(_) => Ipv4Addr::new(198, 51, 100, client).into(),
            IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 7, 0, 0, 0, 0, client.into()).into(),
        }
    }
}
