//! A check's packets, with checksums from scratch.

use std::net::IpAddr;

use tests::frames::{ICMP, ICMPV6, TCP, UDP};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    Tcp(u16, u16),
    Udp(u16, u16),
    /// Without a checksum (RFC 768).
    UdpUnsummed(u16, u16),
    /// Whose checksum comes to 0, and goes as all ones, where it is the destination's address that
    /// ends in this octet.
    Request(u16),
    Reply(u16),
}

/// A frame of odd length, with payload behind the headers.
pub(crate) fn frame(from: IpAddr, to: IpAddr, says: Says) -> Vec<u8> {
    framed(from, to, says, b"odd")
}

pub(crate) fn framed(from: IpAddr, to: IpAddr, says: Says, data: &[u8]) -> Vec<u8> {
    let is_v4 = from.is_ipv4();
    let ports = |from: u16, to: u16| [from.to_be_bytes(), to.to_be_bytes()].concat();
    let echo = |kind, id: u16| [&[kind, 0, 0, 0][..], &id.to_be_bytes(), &[0, 1]].concat();
    let (protocol, mut message, checksum_at) = match says {
        Says::Tcp(from, to) => {
            let rest = [0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0];
            (TCP, [&ports(from, to)[..], &rest].concat(), 16)
        }
        Says::Udp(from, to) | Says::UdpUnsummed(from, to) => {
            let len = (8 + data.len() as u16).to_be_bytes();
            (UDP, [&ports(from, to)[..], &len, &[0, 0]].concat(), 6)
        }
        Says::Request(id) if is_v4 => (ICMP, echo(8, id), 2),
        Says::Reply(id) if is_v4 => (ICMP, echo(0, id), 2),
        Says::Request(id) => (ICMPV6, echo(128, id), 2),
        Says::Reply(id) => (ICMPV6, echo(129, id), 2),
    };
    message.extend(data);
    let octets = |ip| match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let addresses = [octets(from), octets(to)].concat();
    let len = (message.len() as u16).to_be_bytes();
    let pseudo = match protocol {
        ICMP => Vec::new(),
        _ => [&addresses[..], &[0, protocol], &len].concat(),
    };
    let checksum = match (sum(&[&pseudo[..], &message].concat()), says) {
        (_, Says::UdpUnsummed(..)) => 0,
        (0, Says::Udp(..)) => 0xffff,
        (checksum, _) => checksum,
    };
    message[checksum_at..][..2].copy_from_slice(&checksum.to_be_bytes());

    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 5];
    if is_v4 {
        let len = (20 + message.len() as u16).to_be_bytes();
        let mut header = [
            &[0x45, 0][..],
            &len,
            &[0x12, 0x34, 0x40, 0, 64, protocol, 0, 0],
        ]
        .concat();
        header.extend(&addresses);
        let checksum = sum(&header).to_be_bytes();
        header[10..12].copy_from_slice(&checksum);
        frame.extend([8, 0]);
        frame.extend(header);
    } else {
        frame.extend([0x86, 0xdd, 0x6a, 0xa5, 0xa5, 0xa5]);
        frame.extend(len);
        frame.extend([protocol, 64]);
        frame.extend(addresses);
    }
    frame.extend(message);
    frame
}

/// The checksum of octets (RFC 1071 section 1); an odd one is the high half of a word.
pub(crate) fn sum(octets: &[u8]) -> u16 {
    let words = octets.chunks(2);
    let mut sum: u32 = words
        .map(|word| u32::from(u16::from_be_bytes([word[0], *word.get(1).unwrap_or(&0)])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
