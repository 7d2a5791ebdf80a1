//! Packets as they may come: of the clients and services of a small site, nested as protocols nest them, with lengths that lie, and
//! with octets that are anything.

use tests::{
    Chance,
    frames::{AUTHENTICATION, DESTINATION, FRAGMENT, HOP_BY_HOP, ROUTING},
};

use super::payload::payload;
use crate::site::{DIRECTOR, REAL, ROUTER, SENT, SENT6};

/// The kernel runs a program on no fewer octets.
const LEAST: usize = 14;
/// One packet of so many is changed afterwards.
const BROKEN: usize = 10;
/// One length of so many lies.
pub(super) const LIE: usize = 48;
/// Of the virtual router 1 (RFC 9568 section 7.3).
const VIRTUAL_ROUTER: [u8; 6] = [0, 0, 0x5e, 0, 1, 1];

pub(super) fn packet(chance: &mut Chance) -> Vec<u8> {
    let mut frame = ethernet(chance);
    if chance.one_in(BROKEN) {
        change(&mut frame, chance);
    }
    frame.resize(frame.len().max(LEAST), 0);
    frame
}

fn ethernet(chance: &mut Chance) -> Vec<u8> {
    let to = match chance.below(32) {
        0 => REAL,
        1 => VIRTUAL_ROUTER,
        2 => [0xff; 6],
        _ => DIRECTOR,
    };
    let mut frame = [to, ROUTER].concat();
    let tags = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3][chance.below(16)];
    for tag in 0..tags {
        let kind: u16 = if tag + 1 < tags { 0x88a8 } else { 0x8100 };
        frame.extend(kind.to_be_bytes());
        frame.extend([0, [0, 100, 7][chance.below(3)]]);
    }
    let is_v6 = chance.one_in(3);
    let kind: u16 = match (chance.below(40), is_v6) {
        (0, _) => 0x0806,
        (_, true) => 0x86dd,
        (_, false) => 0x0800,
    };
    frame.extend(kind.to_be_bytes());
    let packet = match is_v6 {
        true => ipv6(chance, false),
        false => ipv4(chance, false),
    };
    frame.extend(packet);
    // Padding up to the least frame of Ethernet.
    if chance.one_in(4) {
        frame.resize(frame.len().max(60), 0);
    }
    frame
}

/// RFC 791 section 3.1; within an error, what the VIP has sent.
pub(super) fn ipv4(chance: &mut Chance, is_quoted: bool) -> Vec<u8> {
    let vip = match chance.below(32) {
        0 => [192, 0, 2, 3],
        1 => [192, 0, 2, 77],
        _ => SENT.vip.octets(),
    };
    let [a, b, c, _] = SENT.client.octets();
    let client = [a, b, c, chance.below(4) as u8];
    let (protocol, payload) = payload(chance, is_quoted, false);
    let options = [0, 0, 0, 0, 1, 10][chance.below(6)];
    let length = 20 + 4 * options + payload.len();
    let words = if chance.one_in(LIE) {
        chance.below(16)
    } else {
        5 + options
    };
    let fragment: u16 = match chance.below(16) {
        0 => 0x2000,
        1 => 0x2000 | chance.below(64) as u16,
        2 => chance.below(64) as u16,
        _ => 0x4000,
    };
    let mut packet = vec![0x40 | words as u8, 0];
    packet.extend(lie(chance, length).to_be_bytes());
    packet.extend([0, chance.below(4) as u8]);
    packet.extend(fragment.to_be_bytes());
    packet.extend([ttl(chance), protocol, 0, 0]);
    packet.extend(
        if is_quoted {
            [vip, client]
        } else {
            [client, vip]
        }
        .concat(),
    );
    packet.extend(vec![1; 4 * options]);
    packet.extend(payload);
    packet
}

/// RFC 8200 sections 3 and 4.
pub(super) fn ipv6(chance: &mut Chance, is_quoted: bool) -> Vec<u8> {
    let mut vip = SENT6.vip.octets();
    let mut client = SENT6.client.octets();
    client[15] = chance.below(4) as u8;
    if chance.one_in(16) {
        vip[15] = 77;
    }
    let (mut next, mut payload) = payload(chance, is_quoted, true);
    for _ in 0..[0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 9][chance.below(12)] {
        let kinds = [HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION];
        let kind = kinds[chance.below(kinds.len())];
        let more = chance.below(3) as u8;
        let mut header = match kind {
            FRAGMENT => {
                let offset = [1, 0, 8, 9, 0x10][chance.below(5)];
                vec![next, 0, 0, offset, 0, 0, 0, chance.below(4) as u8]
            }
            // Counted in words of four octets, less two (RFC 4302 section 2.2).
            AUTHENTICATION => {
                let mut header = vec![next, 2 * more + 4, 0, 0];
                header.resize(4 * (2 * usize::from(more) + 6), 0);
                header
            }
            _ => {
                let mut header = vec![next, more, 1, 4];
                header.resize(8 * (usize::from(more) + 1), 0);
                header
            }
        };
        if chance.one_in(LIE) {
            header[1] = chance.below(256) as u8;
        }
        header.extend(payload);
        (next, payload) = (kind, header);
    }
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend(lie(chance, payload.len()).to_be_bytes());
    packet.extend([next, ttl(chance)]);
    packet.extend(
        if is_quoted {
            [vip, client]
        } else {
            [client, vip]
        }
        .concat(),
    );
    packet.extend(payload);
    packet
}

fn ttl(chance: &mut Chance) -> u8 {
    [64, 64, 64, 64, 64, 255, 2, 1, 0][chance.below(9)]
}

pub(super) fn lie(chance: &mut Chance, length: usize) -> u16 {
    match chance.one_in(LIE) {
        true => [0, 1, 8, 19, 20, 21, 40, 1500, 65_535][chance.below(9)],
        false => length as u16,
    }
}

/// Cuts it short, or changes some octets, near the front rather.
fn change(frame: &mut Vec<u8>, chance: &mut Chance) {
    if chance.one_in(2) {
        frame.truncate(chance.below(frame.len()));
        return;
    }
    for _ in 0..=chance.below(3) {
        let within = 1 + chance.below(frame.len());
        let at = chance.below(within);
        frame[at] = chance.below(256) as u8;
    }
}
