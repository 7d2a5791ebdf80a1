//! What packets carry: segments, datagrams, chunks, and errors about others.

use tests::{
    Chance,
    frames::{ACK, FIN, ICMP, ICMPV6, RST, SCTP, SYN, TCP, UDP},
};

use super::packets::{LIE, ipv4, ipv6, lie};

/// Those of the services, and one of none.
const TCP_PORTS: [u16; 14] = [80, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 8000, 8042, 8100];
const UDP_PORTS: [u16; 4] = [53, 53, 53, 99];
const SCTP_PORTS: [u16; 4] = [5060, 5060, 5060, 80];

/// The protocol, and what is of it.
pub(super) fn payload(chance: &mut Chance, is_quoted: bool, is_v6: bool) -> (u8, Vec<u8>) {
    let icmp = if is_v6 { ICMPV6 } else { ICMP };
    match chance.below(32) {
        0..=3 if !is_quoted => (icmp, error(chance, is_v6)),
        0 => (icmp, vec![8, 0, 0, 0, 0, 1, 0, 1]),
        4..=9 => (UDP, datagram(chance, is_quoted)),
        10 | 11 => (SCTP, chunk(chance, is_quoted)),
        12 => (chance.below(256) as u8, vec![0; chance.below(32)]),
        _ => (TCP, segment(chance, is_quoted)),
    }
}

fn ports(chance: &mut Chance, is_quoted: bool, services: &[u16]) -> Vec<u8> {
    let client = 40_000 + chance.below(4) as u16;
    let service = services[chance.below(services.len())];
    let both = if is_quoted {
        [service, client]
    } else {
        [client, service]
    };
    both.map(u16::to_be_bytes).concat()
}

/// RFC 9293 section 3.1.
fn segment(chance: &mut Chance, is_quoted: bool) -> Vec<u8> {
    let mut segment = ports(chance, is_quoted, &TCP_PORTS);
    let flags = [
        SYN,
        SYN,
        ACK,
        ACK,
        ACK,
        ACK,
        FIN | ACK,
        RST,
        SYN | ACK,
        0,
        0xff,
    ][chance.below(11)];
    let words = if chance.one_in(LIE) {
        chance.below(16)
    } else {
        5
    };
    segment.extend([
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        1,
        (words as u8) << 4,
        flags,
        1,
        0,
        0,
        0,
        0,
        0,
    ]);
    segment.extend(vec![0; chance.below(24)]);
    segment
}

/// RFC 768.
fn datagram(chance: &mut Chance, is_quoted: bool) -> Vec<u8> {
    let mut datagram = ports(chance, is_quoted, &UDP_PORTS);
    let octets = chance.below(24);
    datagram.extend(lie(chance, 8 + octets).to_be_bytes());
    datagram.extend(vec![0; 2 + octets]);
    datagram
}

/// RFC 9260 section 3: INIT, DATA, ABORT, SHUTDOWN COMPLETE and COOKIE ECHO among them.
fn chunk(chance: &mut Chance, is_quoted: bool) -> Vec<u8> {
    let mut packet = ports(chance, is_quoted, &SCTP_PORTS);
    packet.extend([0; 8]);
    packet.extend([[0, 1, 6, 7, 10, 14][chance.below(6)], 0, 0, 16]);
    packet.extend([0; 12]);
    packet
}

/// RFC 792 and RFC 4443 section 3, with as much of what they are about as there is, or less.
fn error(chance: &mut Chance, is_v6: bool) -> Vec<u8> {
    let kinds = if is_v6 {
        [1, 2, 3, 4, 128, 135]
    } else {
        [3, 4, 5, 11, 12, 8]
    };
    let mut message = vec![kinds[chance.below(6)], chance.below(8) as u8];
    message.extend([0, 0, 0, 0, 5, 0]);
    let mut quoted = if is_v6 {
        ipv6(chance, true)
    } else {
        ipv4(chance, true)
    };
    if chance.one_in(3) {
        quoted.truncate(chance.below(quoted.len()));
    }
    message.extend(quoted);
    message
}
