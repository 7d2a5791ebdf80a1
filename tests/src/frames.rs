//! Frames as clients send them, with checksums that verify.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::nd::checksum;

/// TCP flags (RFC 9293 section 3.1).
pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;

pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const ICMPV6: u8 = 58;
pub const SCTP: u8 = 132;
/// Extension headers of IPv6 (RFC 8200 section 4).
pub const HOP_BY_HOP: u8 = 0;
pub const ROUTING: u8 = 43;
pub const FRAGMENT: u8 = 44;
pub const AUTHENTICATION: u8 = 51;
pub const DESTINATION: u8 = 60;

/// What a client's packet says; `frame` writes it.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub to: [u8; 6],
    pub from: [u8; 6],
    pub client: Ipv4Addr,
    pub client_port: u16,
    pub vip: Ipv4Addr,
    pub port: u16,
    pub ttl: u8,
}

impl Sent {
    pub fn tcp(&self, flags: u8) -> Vec<u8> {
        let mut segment = self.ports();
        segment.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        self.ipv4(TCP, &[], &segment)
    }

    pub fn udp(&self) -> Vec<u8> {
        let mut datagram = self.ports();
        datagram.extend([0, 12, 0, 0]);
        datagram.extend(*b"data");
        self.ipv4(UDP, &[], &datagram)
    }

    /// As [`tcp`](Self::tcp), behind a header with options (of no operations, RFC 791 section 3.1).
    pub fn tcp_with_options(&self, flags: u8, words: usize) -> Vec<u8> {
        let mut segment = self.ports();
        segment.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        self.ipv4(TCP, &vec![1; words * 4], &segment)
    }

    /// What a router says of a packet that the VIP has sent to this client: the packet's header and
    /// the first eight octets behind it (RFC 792).
    pub fn icmp_error(&self, kind: u8, router: Ipv4Addr) -> Vec<u8> {
        let reply = Self {
            client: self.vip,
            client_port: self.port,
            vip: self.client,
            port: self.client_port,
            ..*self
        };
        let reply = reply.tcp(ACK);
        let mut message = vec![kind, 4, 0, 0, 0, 0, 0x05, 0x78];
        message.extend(&reply[14..14 + 28]);
        let from_router = Self {
            client: router,
            ..*self
        };
        from_router.ipv4(ICMP, &[], &message)
    }

    pub fn ipv4(&self, protocol: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        frame.extend(self.to);
        frame.extend(self.from);
        frame.extend([0x08, 0x00]);
        let header_len = 20 + options.len();
        let len = (header_len + payload.len()) as u16;
        let [high, low] = len.to_be_bytes();
        frame.extend([
            0x40 | (header_len / 4) as u8,
            0,
            high,
            low,
            0x12,
            0x34,
            0x40,
            0,
        ]);
        frame.extend([self.ttl, protocol, 0, 0]);
        frame.extend(self.client.octets());
        frame.extend(self.vip.octets());
        frame.extend(options);
        seal(&mut frame[14..14 + header_len]);
        frame.extend(payload);
        // Ethernet pads to 60 octets; what it pads with is anything.
        while frame.len() < 60 {
            frame.push(0xa5);
        }
        frame
    }

    /// A packet of SCTP whose first chunk is of a type (RFC 9260 section 3).
    pub fn sctp(&self, chunk: u8) -> Vec<u8> {
        let mut packet = self.ports();
        packet.extend([0, 0, 0, 7, 0xc5, 0xc5, 0xc5, 0xc5, chunk, 0, 0, 4]);
        self.ipv4(SCTP, &[], &packet)
    }

    /// One fragment of a datagram: at `offset` octets of its payload, with more behind it or not
    /// (RFC 791 section 3.2).
    pub fn fragment(&self, protocol: u8, (id, offset, more): (u16, u16, bool)) -> Vec<u8> {
        let mut payload = match offset {
            0 => self.ports(),
            _ => vec![0xda; 4],
        };
        payload.extend([0, 24, 0, 0, 0xda, 0xda, 0xda, 0xda, 0, SYN, 0xda, 0xda]);
        let mut frame = self.ipv4(protocol, &[], &payload);
        frame[18..20].copy_from_slice(&id.to_be_bytes());
        let flags = (offset / 8) | (u16::from(more) << 13);
        frame[20..22].copy_from_slice(&flags.to_be_bytes());
        seal(&mut frame[14..34]);
        frame
    }

    /// A datagram of UDP in fragments of so many octets each, in their order.
    pub fn fragmented(&self, id: u16, data: &[u8], size: usize) -> Vec<Vec<u8>> {
        let len = (8 + data.len()) as u16;
        // Without a checksum (RFC 768).
        let datagram = [&self.ports()[..], &len.to_be_bytes(), &[0, 0], data].concat();
        let fragments = split(&datagram, size).map(|(offset, more, part)| {
            let mut frame = self.ipv4(UDP, &[], part);
            frame[18..20].copy_from_slice(&id.to_be_bytes());
            let flags = (offset / 8) | (u16::from(more) << 13);
            frame[20..22].copy_from_slice(&flags.to_be_bytes());
            seal(&mut frame[14..34]);
            frame
        });
        fragments.collect()
    }

    fn ports(&self) -> Vec<u8> {
        [self.client_port.to_be_bytes(), self.port.to_be_bytes()].concat()
    }
}

/// As [`Sent`], by IPv6.
#[derive(Clone, Copy, Debug)]
pub struct Sent6 {
    pub to: [u8; 6],
    pub from: [u8; 6],
    pub client: Ipv6Addr,
    pub client_port: u16,
    pub vip: Ipv6Addr,
    pub port: u16,
    pub hops: u8,
}

impl Sent6 {
    pub fn tcp(&self, flags: u8) -> Vec<u8> {
        self.ipv6(TCP, &[], &self.segment(flags))
    }

    pub fn udp(&self) -> Vec<u8> {
        let datagram = [&self.ports()[..], &[0, 12, 0, 0], b"data"].concat();
        self.ipv6(UDP, &[], &datagram)
    }

    /// TCP behind extension headers, each of so many octets.
    pub fn tcp_behind(&self, flags: u8, headers: &[(u8, usize)]) -> Vec<u8> {
        self.ipv6(TCP, headers, &self.segment(flags))
    }

    /// As [`Sent::fragment`] (RFC 8200 section 4.5).
    pub fn fragment(&self, protocol: u8, (id, offset, more): (u32, u16, bool)) -> Vec<u8> {
        let mut payload = vec![protocol, 0];
        payload.extend((offset | u16::from(more)).to_be_bytes());
        payload.extend(id.to_be_bytes());
        payload.extend(match offset {
            0 => self.ports(),
            _ => vec![0xda; 4],
        });
        payload.extend([0, 24, 0, 0, 0xda, 0xda, 0xda, 0xda, 0, SYN, 0xda, 0xda]);
        self.ipv6(FRAGMENT, &[], &payload)
    }

    /// As [`Sent::fragmented`].
    pub fn fragmented(&self, id: u32, data: &[u8], size: usize) -> Vec<Vec<u8>> {
        let len = (8 + data.len()) as u16;
        let mut datagram = [&self.ports()[..], &len.to_be_bytes(), &[0, 0], data].concat();
        let checksum = checksum(self.client, self.vip, UDP, &datagram);
        datagram[6..8].copy_from_slice(&checksum.to_be_bytes());
        let fragments = split(&datagram, size).map(|(offset, more, part)| {
            let mut payload = vec![UDP, 0];
            payload.extend((offset | u16::from(more)).to_be_bytes());
            payload.extend(id.to_be_bytes());
            payload.extend(part);
            self.ipv6(FRAGMENT, &[], &payload)
        });
        fragments.collect()
    }

    /// As [`Sent::icmp_error`]: as much of the packet as fits is quoted (RFC 4443 section 2.4).
    pub fn icmp_error(&self, kind: u8, router: Ipv6Addr) -> Vec<u8> {
        let reply = Self {
            client: self.vip,
            client_port: self.port,
            vip: self.client,
            port: self.client_port,
            ..*self
        };
        let reply = reply.tcp(ACK);
        let mut message = vec![kind, 0, 0, 0, 0, 0, 0x05, 0x78];
        message.extend(&reply[14..]);
        let from_router = Self {
            client: router,
            ..*self
        };
        from_router.ipv6(ICMPV6, &[], &message)
    }

    pub fn ipv6(&self, protocol: u8, headers: &[(u8, usize)], payload: &[u8]) -> Vec<u8> {
        let kinds = headers.iter().map(|&(kind, _)| kind).chain([protocol]);
        let mut kinds = kinds.collect::<Vec<u8>>().into_iter();
        let len = headers.iter().map(|&(_, len)| len).sum::<usize>() + payload.len();
        let mut frame = [&self.to[..], &self.from, &[0x86, 0xdd, 0x60, 0, 0, 0]].concat();
        frame.extend((len as u16).to_be_bytes());
        frame.extend([kinds.next().unwrap_or(protocol), self.hops]);
        frame.extend(self.client.octets());
        frame.extend(self.vip.octets());
        for (&(kind, len), next) in headers.iter().zip(kinds) {
            let units = match kind {
                AUTHENTICATION => len / 4 - 2,
                _ => len / 8 - 1,
            };
            frame.extend([next, units as u8]);
            frame.extend(vec![0; len - 2]);
        }
        frame.extend(payload);
        frame
    }

    fn segment(&self, flags: u8) -> Vec<u8> {
        let segment = [0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0];
        [&self.ports()[..], &segment].concat()
    }

    fn ports(&self) -> Vec<u8> {
        [self.client_port.to_be_bytes(), self.port.to_be_bytes()].concat()
    }
}

/// Puts an 802.1Q tag into a frame.
pub fn tagged(frame: Vec<u8>, vlan: u16) -> Vec<u8> {
    tagged_as([0x81, 0x00], frame, vlan)
}

/// Puts a service tag into a frame (IEEE 802.1ad).
pub fn service_tagged(frame: Vec<u8>, vlan: u16) -> Vec<u8> {
    tagged_as([0x88, 0xa8], frame, vlan)
}

fn tagged_as([a, b]: [u8; 2], mut frame: Vec<u8>, vlan: u16) -> Vec<u8> {
    let [high, low] = vlan.to_be_bytes();
    frame.splice(12..12, [a, b, high, low]);
    frame
}

/// What a frame becomes when it is forwarded: other MACs, one less to live, a checksum that
/// verifies, and nothing else.
pub fn forwarded(mut frame: Vec<u8>, from: [u8; 6], to: [u8; 6]) -> Vec<u8> {
    frame[..6].copy_from_slice(&to);
    frame[6..12].copy_from_slice(&from);
    let mut network = 14;
    while matches!(frame[network - 2..network], [0x81, 0x00] | [0x88, 0xa8]) {
        network += 4;
    }
    if frame[network - 2..network] == [0x86, 0xdd] {
        frame[network + 7] -= 1;
        return frame;
    }
    frame[network + 8] -= 1;
    let header_len = usize::from(frame[network] & 0xf) * 4;
    seal(&mut frame[network..network + header_len]);
    frame
}

/// Has an untagged IPv4 packet say that it is so long.
pub fn with_length(mut frame: Vec<u8>, len: u16) -> Vec<u8> {
    frame[16..18].copy_from_slice(&len.to_be_bytes());
    seal(&mut frame[14..34]);
    frame
}

/// The parts of a payload, each with its offset and whether there are more.
fn split(payload: &[u8], size: usize) -> impl Iterator<Item = (u16, bool, &[u8])> {
    let parts = payload.chunks(size).enumerate();
    parts.map(move |(i, part)| {
        let offset = i * size;
        (offset as u16, offset + part.len() < payload.len(), part)
    })
}

/// Writes the checksum of an IPv4 header, from scratch (RFC 1071 section 1).
fn seal(header: &mut [u8]) {
    header[10..12].fill(0);
    let words = header.chunks(2);
    let mut sum: u32 = words
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    header[10..12].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}
