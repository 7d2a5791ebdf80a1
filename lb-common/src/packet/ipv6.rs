//! A packet of IPv6 behind its extension headers, and of ICMPv6 about one.

use super::{Event, Packet, Part, has_ports, quoted, transport};
use crate::{
    address::{Address, Version},
    hash::{Flow, Kind},
    reason::Reason,
    wire::{Extension, Frame, Header as _, Icmp, Ipv6, Ipv6Fragment, Ports, Protocol},
};

/// Extension headers that are looked behind, a fragment's among them. RFC 8200 section 4.1 has seven
/// kinds, of which one may come twice; more than half of that is seen in attacks alone.
const EXTENSIONS_MAX: usize = 4;

pub(super) fn packet<F: Frame + ?Sized>(frame: &F, network: usize) -> Result<Packet, Reason> {
    let ip = frame.header::<Ipv6>(network).ok_or(Reason::Truncated)?;
    if !ip.is_version_6() {
        return Err(Reason::BadHeader);
    }
    let (client, vip) = (Address::v6(ip.source), Address::v6(ip.destination));
    let upper = upper(frame, ip.next_header, network + Ipv6::LEN)?;
    let Upper {
        protocol,
        offset,
        part,
        id,
    } = upper;
    let (ports, event) = if part == Part::Later {
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

/// What comes behind the extension headers, and where.
struct Upper {
    protocol: Protocol,
    offset: usize,
    part: Part,
    id: u32,
}

fn upper<F: Frame + ?Sized>(
    frame: &F,
    mut protocol: Protocol,
    mut offset: usize,
) -> Result<Upper, Reason> {
    let mut part = Part::Whole;
    let mut id = 0;
    for _ in 0..EXTENSIONS_MAX {
        if has_ports(protocol) || protocol == Icmp::PROTOCOL_V6 {
            break;
        }
        if protocol == Ipv6Fragment::PROTOCOL {
            let header = frame
                .header::<Ipv6Fragment>(offset)
                .ok_or(Reason::Truncated)?;
            protocol = header.next_header;
            offset += Ipv6Fragment::LEN;
            if !header.is_whole() {
                id = u32::from_le_bytes(header.id);
                part = match header.is_first() {
                    true => Part::First,
                    false => Part::Later,
                };
            }
            if part == Part::Later {
                break;
            }
            continue;
        }
        let header = frame.header::<Extension>(offset).ok_or(Reason::Truncated)?;
        offset += header.len(protocol).ok_or(Reason::OtherProtocol)?;
        protocol = header.next_header;
    }
    Ok(Upper {
        protocol,
        offset,
        part,
        id,
    })
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
        (Part::Whole, 0),
        network,
        len,
    ))
}
