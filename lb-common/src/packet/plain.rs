//! What nearly all packets are: whole, of TCP or UDP, behind IP without options or extension headers,
//! in a frame without tags.
//!
//! Such a packet is known from one look at its length, and where all is in it the compiler knows:
//! the program is compiled once for each kind of them, and once for all others.

use super::{Event, Packet, Part};
use crate::{
    address::{Address, Version},
    hash::{Flow, Kind},
    wire::{EtherType, Ethernet, Frame, Header as _, Ipv4, Ipv6, Protocol, headers},
};

/// All the headers of a plain packet, as far as TCP's flags; of UDP, some of the payload.
#[repr(C)]
#[derive(Clone, Copy)]
struct Plain<I> {
    ethernet: Ethernet,
    ip: I,
    ports: [u8; 4],
    _sequence: [u8; 8],
    _offset: u8,
    flags: u8,
}

headers!(Plain<Ipv4>: 48, Plain<Ipv6>: 68);

impl Packet {
    /// Reads a plain packet of IPv4; `None` if it is not one.
    #[inline(always)] // As `of`.
    pub fn plain_v4<F: Frame + ?Sized>(frame: &F) -> Option<Self> {
        let headers = frame.header::<Plain<Ipv4>>(0)?;
        let ip = &headers.ip;
        if headers.ethernet.ether_type != EtherType::IPV4 || !ip.is_plain() {
            return None;
        }
        let addresses = (Address::v4(ip.source), Address::v4(ip.destination));
        headers.packet(addresses, (ip.protocol, Version::V4), ip.total_len())
    }

    /// Reads a plain packet of IPv6; `None` if it is not one.
    #[inline(always)] // As `of`.
    pub fn plain_v6<F: Frame + ?Sized>(frame: &F) -> Option<Self> {
        let headers = frame.header::<Plain<Ipv6>>(0)?;
        let ip = &headers.ip;
        if headers.ethernet.ether_type != EtherType::IPV6 || !ip.is_version_6() {
            return None;
        }
        let addresses = (Address::v6(ip.source), Address::v6(ip.destination));
        headers.packet(addresses, (ip.next_header, Version::V6), ip.total_len())
    }
}

impl<I: Copy> Plain<I> {
    #[inline(always)] // A part of its callers.
    fn packet(
        &self,
        (client, vip): (Address, Address),
        (protocol, version): (Protocol, Version),
        len: usize,
    ) -> Option<Packet> {
        let event = match protocol {
            Protocol::TCP => Event::of_flags(self.flags),
            Protocol::UDP => Event::DATAGRAM,
            Protocol(_) => return None,
        };
        let flow = Flow::new(client, vip, Kind::of(self.ports, protocol, version));
        let part = (Part::WHOLE, 0);
        Some(Packet::known(flow, event, part, Ethernet::LEN, len))
    }
}
