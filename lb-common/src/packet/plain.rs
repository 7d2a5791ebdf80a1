//! What nearly all packets are: whole, of TCP or UDP, behind IP without options or extension headers,
//! in a frame without tags.

use super::{Event, Packet, Part};
use crate::{
    address::{Address, Version},
    hash::{Flow, Kind},
    wire::{EtherType, Ethernet, Frame, Header as _, Ipv4, Protocol, headers},
};

/// All the headers of a plain packet of IPv4; of UDP, some of the payload.
#[repr(C)]
#[derive(Clone, Copy)]
struct Plain4 {
    ethernet: Ethernet,
    ip: Ipv4,
    ports: [u8; 4],
    _sequence: [u8; 8],
    _offset: u8,
    flags: u8,
}

headers!(Plain4: 48);

impl Packet {
    /// Reads a plain packet; `None` if it is not one.
    #[inline(always)] // As `of`.
    pub fn plain<F: Frame + ?Sized>(frame: &F) -> Option<Self> {
        let Plain4 {
            ethernet,
            ip,
            ports,
            flags,
            ..
        } = frame.header::<Plain4>(0)?;
        if ethernet.ether_type != EtherType::IPV4 || !ip.is_plain() {
            return None;
        }
        if ip.protocol != Protocol::TCP && ip.protocol != Protocol::UDP {
            return None;
        }
        let (client, vip) = (Address::v4(ip.source), Address::v4(ip.destination));
        let flow = Flow::new(
            client,
            vip,
            Kind::of(*ports, ip.protocol, Version::V4),
        );
        let event = match ip.protocol {
            Protocol::TCP => Event::of_flags(*flags),
            _ => Event::DATAGRAM,
        };
        Some(Self::known(
            flow,
            event,
            (Part::Whole, 0),
            Ethernet::LEN,
            ip.total_len(),
        ))
    }
}
