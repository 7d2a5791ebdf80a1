//! A packet of IPv6 behind its extension headers, and of ICMPv6 about one.

use super::{Event, Packet, Part, has_ports, quoted, transport};
use crate::{
    address::{Address, Version},
    hash::{Flow, Kind},
    reason::Reason,
    verifier::forgotten,
    wire::{Extension, Frame, Header as _, Icmp, Ipv6, Ipv6Fragment, Ports, Protocol},
};

/// Extension headers that are looked behind, a fragment's among them. RFC 8200 section 4.1 has seven
/// kinds, of which one may come twice; more than half of that is seen in attacks alone.
const EXTENSIONS_MAX: usize = 4;
/// More than what they are behind, with as many of 2 KiB each; of one less than a power of two.
const OFFSET_MAX: usize = 0x3fff;

pub(super) fn packet<F: Frame + ?Sized>(frame: &F, network: usize) -> Result<Packet, Reason> {
    let ip = frame.header::<Ipv6>(network).ok_or(Reason::Truncated)?;
    if !ip.is_version_6() {
        return Err(Reason::BadHeader);
    }
    let (client, vip) = (Address::v6(ip.source), Address::v6(ip.destination));
    let mut upper = Upper {
        protocol: ip.next_header,
        offset: network + Ipv6::LEN,
        part: Part::WHOLE,
        id: 0,
    };
    for _ in 0..EXTENSIONS_MAX {
        if upper.is_reached() {
            break;
        }
        upper = upper.next(frame)?.forgotten(client.0[0]);
    }
    let Upper {
        protocol,
        offset,
        part,
        id,
    } = upper;
    let (ports, event) = if part == Part::LATER {
        if !has_ports(protocol) {
            return Err(Reason::OtherProtocol);
        }
        (Ports::NONE, Event::NONE)
    } else if protocol == Icmp::PROTOCOL_V6 {
        return error(frame, (network, offset), vip, ip.total_len());
    } else {
        transport(frame, protocol, offset)?
    };
    let flow = Flow::new(client, vip, Kind::new(ports, protocol, Version::V6));
    let part = (part, id);
    Ok(Packet::new(flow, event, part, network, ip.total_len()))
}

/// What comes behind the extension headers so far, and where.
#[derive(Clone, Copy)]
struct Upper {
    protocol: Protocol,
    offset: usize,
    part: Part,
    id: u32,
}

impl Upper {
    fn is_reached(self) -> bool {
        let Self { protocol, part, .. } = self;
        part == Part::LATER || has_ports(protocol) || protocol == Icmp::PROTOCOL_V6
    }

    /// Looks behind the extension header that it is at.
    fn next<F: Frame + ?Sized>(self, frame: &F) -> Result<Self, Reason> {
        let Self {
            protocol, offset, ..
        } = self;
        if protocol != Ipv6Fragment::PROTOCOL {
            let header = frame.header::<Extension>(offset).ok_or(Reason::Truncated)?;
            return Ok(Self {
                protocol: header.next_header,
                offset: offset + header.len(protocol).ok_or(Reason::OtherProtocol)?,
                ..self
            });
        }
        let header = frame
            .header::<Ipv6Fragment>(offset)
            .ok_or(Reason::Truncated)?;
        let next = Self {
            protocol: header.next_header,
            offset: offset + Ipv6Fragment::LEN,
            ..self
        };
        if header.is_whole() {
            return Ok(next);
        }
        let part = match header.is_first() {
            true => Part::FIRST,
            false => Part::LATER,
        };
        let id = u32::from_le_bytes(header.id);
        Ok(Self { part, id, ..next })
    }

    /// The same, of which the verifier does not know what led to it.
    fn forgotten(self, by: u64) -> Self {
        let Self {
            protocol,
            offset,
            part,
            ..
        } = self;
        let word = u64::from(protocol.0) | part.0 << 8 | (offset as u64) << 16;
        let word = forgotten(word, by);
        Self {
            protocol: Protocol(word as u8),
            offset: (word >> 16) as usize & OFFSET_MAX,
            part: Part(word >> 8 & 3),
            ..self
        }
    }
}

/// Reads an ICMPv6 error, sent to `vip`. The packet that it quotes is a real server's, whose stack
/// sends TCP, UDP and SCTP without extension headers, or in fragments.
fn error<F: Frame + ?Sized>(
    frame: &F,
    (network, icmp): (usize, usize),
    vip: Address,
    len: usize,
) -> Result<Packet, Reason> {
    let header = frame.header::<Icmp>(icmp).ok_or(Reason::Truncated)?;
    if !header.is_error_v6() {
        return Err(Reason::OtherProtocol);
    }
    let inner = icmp + Icmp::LEN;
    let ip = frame.header::<Ipv6>(inner).ok_or(Reason::Truncated)?;
    if !ip.is_version_6() {
        return Err(Reason::BadHeader);
    }
    let (mut protocol, mut offset) = (ip.next_header, inner + Ipv6::LEN);
    if protocol == Ipv6Fragment::PROTOCOL {
        let fragment = frame
            .header::<Ipv6Fragment>(offset)
            .ok_or(Reason::Truncated)?;
        if !fragment.is_first() {
            return Err(Reason::OtherProtocol);
        }
        protocol = fragment.next_header;
        offset += Ipv6Fragment::LEN;
    }
    let addresses = (Address::v6(ip.source), Address::v6(ip.destination));
    let flow = quoted(frame, vip, addresses, (protocol, Version::V6), offset)?;
    Ok(Packet::new(
        flow,
        Event::NONE,
        (Part::WHOLE, 0),
        network,
        len,
    ))
}
