//! What a packet tells: its flow, and what it does to it.

use crate::{
    hash::Flow,
    link,
    reason::Reason,
    wire::{EtherType, Frame, Header as _, Icmp, Ipv4, Ports, Protocol, Tcp},
};

/// A packet that could be for a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    pub flow: Flow,
    pub event: Event,
    /// Where the IPv4 header is.
    pub network: usize,
}

/// What a packet does to its connection: the flags of TCP that tell, or one that TCP has not.
///
/// To be asked, not told apart: of an enum the verifier follows every variant to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event(u8);

impl Event {
    pub const DATAGRAM: Self = Self(0x80);
    /// Nothing: a router tells what became of a packet of the real server's.
    pub const ERROR: Self = Self(0x40);

    pub fn of(segment: &Tcp) -> Self {
        Self(segment.flags & (Tcp::FIN | Tcp::SYN | Tcp::RST | Tcp::ACK))
    }

    // RST before SYN before FIN, as IPVS ranks them (`tcp_state_idx` in ip_vs_proto_tcp.c).

    pub fn is_rst(self) -> bool {
        self.0 & Tcp::RST != 0
    }

    /// A SYN with ACK is not the client opening a connection.
    pub fn is_syn(self) -> bool {
        self.0 & (Tcp::RST | Tcp::SYN | Tcp::ACK) == Tcp::SYN
    }

    pub fn is_fin(self) -> bool {
        self.0 & (Tcp::RST | Tcp::FIN) == Tcp::FIN && !self.is_syn()
    }

    pub fn is_datagram(self) -> bool {
        self == Self::DATAGRAM
    }

    pub fn is_error(self) -> bool {
        self == Self::ERROR
    }
}

impl Packet {
    pub fn of<F: Frame + ?Sized>(frame: &F) -> Result<Self, Reason> {
        let payload = link::payload(frame).ok_or(Reason::Truncated)?;
        if payload.ether_type != EtherType::IPV4 {
            return Err(Reason::NotIpv4);
        }
        let network = payload.offset;
        let ip = frame.header::<Ipv4>(network).ok_or(Reason::Truncated)?;
        let transport = network + ip.header_len().ok_or(Reason::BadHeader)?;
        if ip.is_fragment() {
            return Err(Reason::Fragment);
        }
        let (ports, event) = match ip.protocol {
            Protocol::TCP => {
                let tcp = frame.header::<Tcp>(transport).ok_or(Reason::Truncated)?;
                (tcp.ports, Event::of(tcp))
            }
            Protocol::UDP => {
                let ports = frame.header::<Ports>(transport).ok_or(Reason::Truncated)?;
                (*ports, Event::DATAGRAM)
            }
            Icmp::PROTOCOL => return Self::quoted(frame, network, transport, ip.destination),
            _ => return Err(Reason::NotTcpOrUdp),
        };
        Ok(Self {
            flow: Flow {
                client: ip.source,
                vip: ip.destination,
                ports,
                protocol: ip.protocol,
            },
            event,
            network,
        })
    }

    /// Reads an ICMP error: it quotes the head of a packet that a real server has sent as the VIP,
    /// so the flow is that packet's the other way round.
    fn quoted<F: Frame + ?Sized>(
        frame: &F,
        network: usize,
        icmp: usize,
        vip: [u8; 4],
    ) -> Result<Self, Reason> {
        let header = frame.header::<Icmp>(icmp).ok_or(Reason::Truncated)?;
        if !header.is_error() {
            return Err(Reason::NotTcpOrUdp);
        }
        let inner = icmp + Icmp::LEN;
        let ip = frame.header::<Ipv4>(inner).ok_or(Reason::Truncated)?;
        let transport = inner + ip.header_len().ok_or(Reason::BadHeader)?;
        let tells_ports = ip.protocol == Protocol::TCP || ip.protocol == Protocol::UDP;
        if !tells_ports || !ip.begins_transport() || ip.source != vip {
            return Err(Reason::NotTcpOrUdp);
        }
        let ports = frame.header::<Ports>(transport).ok_or(Reason::Truncated)?;
        Ok(Self {
            flow: Flow {
                client: ip.destination,
                vip,
                ports: Ports {
                    source: ports.destination,
                    destination: ports.source,
                },
                protocol: ip.protocol,
            },
            event: Event::ERROR,
            network,
        })
    }
}
