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
    /// Where the IPv4 header is.
    pub network: usize,
    /// Where the ports are.
    transport: usize,
    /// Whether it is an error about the flow, not of it.
    quotes: bool,
}

/// What a packet does to its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Syn,
    /// A segment that neither opens nor closes.
    Data,
    Fin,
    Rst,
    Datagram,
    /// Nothing: a router tells what became of a packet of the real server's.
    Error,
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
        if ip.protocol == Icmp::PROTOCOL {
            return Self::quoted(frame, network, transport, ip.destination);
        }
        if ip.protocol != Protocol::TCP && ip.protocol != Protocol::UDP {
            return Err(Reason::NotTcpOrUdp);
        }
        let ports = frame.header::<Ports>(transport).ok_or(Reason::Truncated)?;
        Ok(Self {
            flow: Flow {
                client: ip.source,
                vip: ip.destination,
                ports: *ports,
                protocol: ip.protocol,
            },
            network,
            transport,
            quotes: false,
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
            network,
            transport,
            quotes: true,
        })
    }

    /// RST before SYN before FIN, as IPVS ranks them (`tcp_state_idx` in ip_vs_proto_tcp.c).
    ///
    /// A SYN with ACK is not the client opening a connection.
    pub fn event<F: Frame + ?Sized>(&self, frame: &F) -> Result<Event, Reason> {
        if self.quotes {
            return Ok(Event::Error);
        }
        if self.flow.protocol == Protocol::UDP {
            return Ok(Event::Datagram);
        }
        let tcp = frame
            .header::<Tcp>(self.transport)
            .ok_or(Reason::Truncated)?;
        Ok(if tcp.is_rst() {
            Event::Rst
        } else if tcp.is_syn() && !tcp.is_ack() {
            Event::Syn
        } else if tcp.is_fin() {
            Event::Fin
        } else {
            Event::Data
        })
    }
}
