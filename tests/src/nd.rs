//! Frames of Neighbor Discovery (RFC 4861 section 4), with checksums that verify.

use std::net::Ipv6Addr;

use crate::frames::ICMPV6;

pub const ROUTER_SOLICITATION: u8 = 133;
pub const SOLICITATION: u8 = 135;
pub const ADVERTISEMENT: u8 = 136;

/// What a message says; `frame` writes it.
#[derive(Clone, Copy, Debug)]
pub struct Nd<'a> {
    pub to: [u8; 6],
    pub from: [u8; 6],
    /// VLAN tags, as they lie there.
    pub tags: &'a [u8],
    pub kind: u8,
    pub flags: [u8; 4],
    pub source: Ipv6Addr,
    pub destination: Ipv6Addr,
    /// None in those for routers.
    pub target: Option<Ipv6Addr>,
    pub options: &'a [u8],
}

impl Nd<'_> {
    pub fn frame(&self) -> Vec<u8> {
        let mut message = vec![self.kind, 0, 0, 0];
        message.extend(self.flags);
        message.extend(self.target.iter().flat_map(Ipv6Addr::octets));
        message.extend(self.options);
        let checksum = checksum(self.source, self.destination, ICMPV6, &message);
        message[2..4].copy_from_slice(&checksum.to_be_bytes());

        let mut frame = [&self.to[..], &self.from, self.tags, &[0x86, 0xdd]].concat();
        // With a class and a flow label that are of no matter.
        frame.extend([0x6a, 0xa5, 0xa5, 0xa5]);
        frame.extend((message.len() as u16).to_be_bytes());
        frame.extend([58, 255]);
        frame.extend(self.source.octets());
        frame.extend(self.destination.octets());
        frame.extend(message);
        frame
    }
}

/// A source (1) or target (2) link-layer address option.
pub fn link_layer_address(kind: u8, [a, b, c, d, e, f]: [u8; 6]) -> [u8; 8] {
    [kind, 1, a, b, c, d, e, f]
}

/// The checksum of a message behind IPv6, from scratch (RFC 8200 section 8.1).
pub(crate) fn checksum(
    source: Ipv6Addr,
    destination: Ipv6Addr,
    protocol: u8,
    message: &[u8],
) -> u16 {
    let len = (message.len() as u32).to_be_bytes();
    let (source, destination) = (source.octets(), destination.octets());
    let pseudo_header = [&source[..], &destination, &len, &[0, 0, 0, protocol]].concat();
    let all = [&pseudo_header, message].concat();
    let words = all.chunks(2).map(|word| match *word {
        [high, low] => u32::from(u16::from_be_bytes([high, low])),
        [high] => u32::from(high) << 8,
        _ => 0,
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
