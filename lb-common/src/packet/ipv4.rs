//! A packet of IPv4, and of ICMP about one.

use super::{Event, Packet, Part, has_ports, quoted, transport};
use crate::{
    address::{Address, Version},
    hash::{Flow, Kind},
    reason::Reason,
    wire::{Frame, Header as _, Icmp, Ipv4, Ports},
};

#[inline(always)] // As `Packet::of`.
pub(super) fn packet<F: Frame + ?Sized>(frame: &F, network: usize) -> Result<Packet, Reason> {
    let ip = frame.header::<Ipv4>(network).ok_or(Reason::Truncated)?;
    let offset = network + ip.header_len().ok_or(Reason::BadHeader)?;
    let (client, vip) = (Address::v4(ip.source), Address::v4(ip.destination));
    let part = match (ip.is_fragment(), ip.begins_transport()) {
        (false, _) => Part::WHOLE,
        (true, true) => Part::FIRST,
        (true, false) => Part::LATER,
    };
    let (ports, event) = if part == Part::LATER {
        if !has_ports(ip.protocol) {
            return Err(Reason::OtherProtocol);
        }
        (Ports::NONE, Event::NONE)
    } else if ip.protocol == Icmp::PROTOCOL {
        return error(frame, (network, offset), vip, ip.total_len());
    } else {
        transport(frame, ip.protocol, offset)?
    };
    let flow = Flow::new(client, vip, Kind::new(ports, ip.protocol, Version::V4));
    let part = (part, u16::from_le_bytes(ip.id).into());
    Ok(Packet::new(flow, event, part, network, ip.total_len()))
}

/// Reads an ICMP error, sent to `vip`.
fn error<F: Frame + ?Sized>(
    frame: &F,
    (network, icmp): (usize, usize),
    vip: Address,
    len: usize,
) -> Result<Packet, Reason> {
    let header = frame.header::<Icmp>(icmp).ok_or(Reason::Truncated)?;
    if !header.is_error() {
        return Err(Reason::OtherProtocol);
    }
    let inner = icmp + Icmp::LEN;
    let ip = frame.header::<Ipv4>(inner).ok_or(Reason::Truncated)?;
    let offset = inner + ip.header_len().ok_or(Reason::BadHeader)?;
    if !ip.begins_transport() {
        return Err(Reason::OtherProtocol);
    }
    let addresses = (Address::v4(ip.source), Address::v4(ip.destination));
    let flow = quoted(frame, vip, addresses, (ip.protocol, Version::V4), offset)?;
    Ok(Packet::new(
        flow,
        Event::NONE,
        (Part::WHOLE, 0),
        network,
        len,
    ))
}
