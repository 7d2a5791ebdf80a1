//! ARP, for IPv4 VIPs.

use std::net::{IpAddr, Ipv4Addr};

use lb_common::realserver::Rip;

use crate::{
    Fate::{self, Asked, Claimed, Mangled, Pass},
    Hook, Server, TAGS,
};

const VIP: IpAddr = ip(10, 0, 0, 100);
const OTHER_VIP: IpAddr = ip(192, 0, 2, 1);
const RIP: IpAddr = ip(10, 0, 0, 1);
const FAR_RIP: IpAddr = ip(10, 1, 0, 1);
const PEER: IpAddr = ip(10, 0, 0, 9);
const FAR_PEER: IpAddr = ip(10, 1, 0, 9);
const NOBODY: IpAddr = ip(0, 0, 0, 0);
const STRANGER: IpAddr = ip(198, 51, 100, 7);

const REQUEST: u8 = 1;
const REPLY: u8 = 2;

/// Operation, sender, target; its fate on the way in, and on the way out.
type Row = (&'static str, u8, IpAddr, IpAddr, Fate, Fate);

#[rustfmt::skip]
const TABLE: [Row; 18] = [
    ("request for the VIP", REQUEST, PEER, VIP, Asked(VIP), Pass),
    ("request for the other VIP", REQUEST, PEER, OTHER_VIP, Asked(OTHER_VIP), Pass),
    ("probe for the VIP", REQUEST, NOBODY, VIP, Asked(VIP), Claimed(VIP)),
    ("announcement by request", REQUEST, VIP, VIP, Asked(VIP), Claimed(VIP)),
    ("announcement by reply", REPLY, VIP, VIP, Asked(VIP), Claimed(VIP)),
    ("reply to the VIP", REPLY, PEER, VIP, Asked(VIP), Pass),
    ("request from the VIP", REQUEST, VIP, PEER, Pass, Mangled(VIP, RIP)),
    ("request from the VIP into the second subnet", REQUEST, VIP, FAR_PEER, Pass, Mangled(VIP, FAR_RIP)),
    ("request from the VIP into no subnet", REQUEST, VIP, STRANGER, Pass, Mangled(VIP, RIP)),
    ("request from VIP to VIP", REQUEST, OTHER_VIP, VIP, Asked(VIP), Mangled(OTHER_VIP, RIP)),
    ("reply from the VIP", REPLY, VIP, PEER, Pass, Claimed(VIP)),
    ("reply from VIP to VIP", REPLY, VIP, OTHER_VIP, Asked(OTHER_VIP), Claimed(VIP)),
    ("request for the RIP", REQUEST, PEER, RIP, Pass, Pass),
    ("request from the RIP", REQUEST, RIP, PEER, Pass, Pass),
    ("reply from the RIP", REPLY, RIP, PEER, Pass, Pass),
    ("announcement of the RIP", REQUEST, RIP, RIP, Pass, Pass),
    ("probe for the RIP", REQUEST, NOBODY, RIP, Pass, Pass),
    ("reply from nobody", REPLY, NOBODY, VIP, Asked(VIP), Pass),
];

#[test]
fn every_class_has_its_fate_is_counted_and_otherwise_untouched() {
    let mut server = server();
    for (what, operation, sender, target, on_ingress, on_egress) in TABLE {
        for tags in TAGS {
            let frame = frame(tags, operation, sender, target);
            for (hook, fate) in [
                (Hook::Xdp, on_ingress),
                (Hook::TcIngress, on_ingress),
                (Hook::TcEgress, on_egress),
            ] {
                let what = format!("{what}, {} octets of tags, {hook:?}", tags.len());
                let left = match fate {
                    Mangled(_, rip) => self::frame(tags, operation, rip, target),
                    Pass | Asked(_) | Claimed(_) => frame.clone(),
                };
                server.check(&what, hook, &frame, &left, fate);
            }
        }
    }
}

#[test]
fn what_is_no_arp_of_ipv4_over_ethernet_passes() {
    let mut server = server();
    // Octets of the ARP that are not what they should be.
    let others = [(1, 6), (2, 0x86), (4, 8), (5, 16), (7, 3), (7, 8), (6, 1)];
    for tags in TAGS {
        for (octet, value) in others {
            let mut frame = frame(tags, REQUEST, VIP, VIP);
            frame[14 + tags.len() + octet] = value;
            server.passes(&frame);
        }
        for ether_type in [[0x08, 0x00], [0x86, 0xdd], [0x80, 0x35], [0x88, 0xcc]] {
            let mut frame = frame(tags, REQUEST, VIP, VIP);
            frame[12 + tags.len()..][..2].copy_from_slice(&ether_type);
            server.passes(&frame);
        }
    }
    server.passes(&frame(&TAGS[1].repeat(3), REQUEST, VIP, VIP));
}

#[test]
fn every_truncation_passes() {
    let mut server = server();
    for tags in TAGS {
        let whole = frame(tags, REQUEST, VIP, VIP);
        let end = 14 + tags.len() + 28;
        // The kernel takes no frame that is shorter than an Ethernet header.
        for len in 14..end {
            server.passes(&whole[..len]);
        }
        let whole = &whole[..end];
        for (hook, fate) in [
            (Hook::Xdp, Asked(VIP)),
            (Hook::TcIngress, Asked(VIP)),
            (Hook::TcEgress, Claimed(VIP)),
        ] {
            server.check("unpadded", hook, whole, whole, fate);
        }
    }
}

#[test]
fn without_a_rip_nothing_is_asked_in_the_name_of_a_vip() {
    let mut server = server();
    server.set_rips(&[]);
    let frame = frame(&[], REQUEST, VIP, PEER);
    server.check("no RIP", Hook::TcEgress, &frame, &frame, Claimed(VIP));
}

#[test]
fn the_last_of_the_rips_counts() {
    let mut server = server();
    let mut rips = [rip(FAR_RIP, [255; 4]); 16];
    rips[15] = rip(RIP, [255, 255, 255, 0]);
    server.set_rips(&rips);
    let asked = frame(&[], REQUEST, VIP, PEER);
    let left = frame(&[], REQUEST, RIP, PEER);
    let fate = Mangled(VIP, RIP);
    server.check("last", Hook::TcEgress, &asked, &left, fate);
}

/// Two VIPs and two RIPs.
fn server() -> Server {
    let mut server = Server::load();
    server.add_vip(VIP);
    server.add_vip(OTHER_VIP);
    server.set_rips(&[rip(RIP, [255, 255, 255, 0]), rip(FAR_RIP, [255, 255, 0, 0])]);
    server
}

fn rip(address: IpAddr, mask: [u8; 4]) -> Rip {
    Rip {
        address: octets(address),
        mask,
    }
}

/// A frame whose every octet that does not matter is 0xa5, padded as on a wire.
fn frame(tags: &[u8], operation: u8, sender: IpAddr, target: IpAddr) -> Vec<u8> {
    let mut frame = vec![0xa5; 12];
    frame.extend(tags);
    frame.extend([0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, operation]);
    frame.extend([0xa5; 6]);
    frame.extend(octets(sender));
    frame.extend([0xa5; 6]);
    frame.extend(octets(target));
    frame.resize(frame.len() + 18, 0xa5);
    frame
}

const fn ip(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

fn octets(address: IpAddr) -> [u8; 4] {
    match address {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(_) => unreachable!(),
    }
}
