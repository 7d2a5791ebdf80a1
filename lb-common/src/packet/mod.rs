//! What a packet tells: its flow, and what it does to it.

mod event;
mod ipv4;
mod ipv6;
mod plain;

pub use self::event::Event;
use crate::{
    address::{Address, Version},
    hash::{Flow, Kind},
    link::{self, Payload},
    reason::Reason,
    verifier::forgotten,
    wire::{EtherType, Ethernet, Frame, FrameMut, Ipv4, Ipv6, Ports, Protocol, Sctp, Tcp},
};

/// A packet that could be for a service.
///
/// Words: of octets LLVM makes accesses that the verifier refuses, on the stack.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    pub flow: Flow,
    /// The event in 8 bits, then [`Part`] in 2, and where the IP header is.
    facts: u64,
    /// Octets of the frame up to the end of the IP packet, as that says.
    octets: u64,
    /// In 32 bits, which datagram of its two addresses and protocol it is a part of, as it lies.
    id: u64,
}

/// What there is of a datagram. As [`Event`], to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part(u64);

impl Part {
    const WHOLE: Self = Self(0);
    /// The fragment that begins with the transport's header.
    const FIRST: Self = Self(1);
    /// Another one: it has no ports.
    const LATER: Self = Self(2);
}

/// Tags that a packet for a service may be behind: two, as IEEE 802.1ad has them.
const TAGS_MAX: usize = 2;
/// More than a header is ever at, of one bit less than a power of two.
const NETWORK_MAX: u64 = 31;

impl Packet {
    #[inline(always)] // Else its parts go through memory.
    pub fn of<F: Frame + ?Sized>(frame: &F) -> Result<Self, Reason> {
        let Payload { ether_type, offset } =
            link::payload_within::<TAGS_MAX>(frame).ok_or(Reason::Truncated)?;
        // How many tags there are is not to matter to the verifier from here on.
        let ethernet = frame.header::<Ethernet>(0).ok_or(Reason::Truncated)?;
        let offset = forgotten(offset as u64, ethernet.source.word()) & NETWORK_MAX;
        let offset = offset as usize;
        match ether_type {
            EtherType::IPV4 => ipv4::packet(frame, offset),
            EtherType::IPV6 => ipv6::packet(frame, offset),
            _ => Err(Reason::NotIp),
        }
    }

    #[inline(always)] // As above.
    fn new(flow: Flow, event: Event, (part, id): (Part, u32), network: usize, len: usize) -> Self {
        let packet = Self::known(flow, event, (part, id), network, len);
        let [client, _] = flow.client.0;
        Self {
            flow: flow.forgotten(client | client << 32),
            facts: forgotten(packet.facts, client),
            ..packet
        }
    }

    #[inline(always)] // As above.
    fn known(
        flow: Flow,
        event: Event,
        (part, id): (Part, u32),
        network: usize,
        len: usize,
    ) -> Self {
        let facts = event.bits() | part.0 << 8 | (network as u64) << 10;
        let octets = (network + len) as u64;
        let id = id.into();
        Self {
            flow,
            facts,
            octets,
            id,
        }
    }

    pub fn event(&self) -> Event {
        Event::of_bits(self.facts)
    }

    /// Where the IP header is.
    pub fn network(&self) -> usize {
        (self.facts >> 10 & NETWORK_MAX) as usize
    }

    pub fn octets(&self) -> usize {
        self.octets as usize
    }

    pub fn id(&self) -> u32 {
        self.id as u32
    }

    pub fn is_whole(&self) -> bool {
        self.part() == Part::WHOLE
    }

    pub fn is_first(&self) -> bool {
        self.part() == Part::FIRST
    }

    pub fn is_later(&self) -> bool {
        self.part() == Part::LATER
    }

    fn part(&self) -> Part {
        Part(self.facts >> 8 & 3)
    }

    /// Decrements the time to live or the hop limit, as a router does; `None` if that would end it.
    pub fn live_on<F: FrameMut + ?Sized>(&self, frame: &mut F) -> Option<()> {
        match self.flow.kind().version() {
            Version::V4 => frame.header_mut::<Ipv4>(self.network())?.decrement_ttl(),
            _ => frame
                .header_mut::<Ipv6>(self.network())?
                .decrement_hop_limit(),
        }
    }
}

/// Reads what the transport's header at `offset` tells.
#[inline(always)] // Else its answer goes through memory.
fn transport<F: Frame + ?Sized>(
    frame: &F,
    protocol: Protocol,
    offset: usize,
) -> Result<(Ports, Event), Reason> {
    match protocol {
        Protocol::TCP => {
            let tcp = frame.header::<Tcp>(offset).ok_or(Reason::Truncated)?;
            Ok((tcp.ports, Event::of_tcp(tcp)))
        }
        Protocol::UDP => {
            let ports = frame.header::<Ports>(offset).ok_or(Reason::Truncated)?;
            Ok((*ports, Event::DATAGRAM))
        }
        Protocol::SCTP => {
            let sctp = frame.header::<Sctp>(offset).ok_or(Reason::Truncated)?;
            Ok((sctp.ports, Event::of_sctp(sctp)))
        }
        _ => Err(Reason::OtherProtocol),
    }
}

fn has_ports(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::TCP | Protocol::UDP | Protocol::SCTP)
}

/// The flow that a quoted packet is of: a real server has sent it as the VIP, so it is the client's
/// the other way round. The error was sent to `vip`.
#[inline(always)] // As `transport`.
fn quoted<F: Frame + ?Sized>(
    frame: &F,
    vip: Address,
    (source, client): (Address, Address),
    (protocol, version): (Protocol, Version),
    offset: usize,
) -> Result<Flow, Reason> {
    if !has_ports(protocol) || source != vip {
        return Err(Reason::OtherProtocol);
    }
    let ports = frame.header::<Ports>(offset).ok_or(Reason::Truncated)?;
    let ports = Ports {
        source: ports.destination,
        destination: ports.source,
    };
    Ok(Flow::new(client, vip, Kind::new(ports, protocol, version)))
}
