//! Frames as clients send them, with checksums that verify.

use std::net::Ipv4Addr;

/// TCP flags (RFC 9293 section 3.1).
pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;

pub const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;

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

    fn ports(&self) -> Vec<u8> {
        [self.client_port.to_be_bytes(), self.port.to_be_bytes()].concat()
    }
}

/// Puts an 802.1Q tag into a frame.
pub fn tagged(mut frame: Vec<u8>, vlan: u16) -> Vec<u8> {
    let [high, low] = vlan.to_be_bytes();
    frame.splice(12..12, [0x81, 0x00, high, low]);
    frame
}

/// What a frame becomes when it is forwarded: other MACs, one less to live, a checksum that
/// verifies, and nothing else.
pub fn forwarded(mut frame: Vec<u8>, from: [u8; 6], to: [u8; 6]) -> Vec<u8> {
    frame[..6].copy_from_slice(&to);
    frame[6..12].copy_from_slice(&from);
    let network = if frame[12..14] == [0x81, 0x00] {
        18
    } else {
        14
    };
    frame[network + 8] -= 1;
    let header_len = usize::from(frame[network] & 0xf) * 4;
    seal(&mut frame[network..network + header_len]);
    frame
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
