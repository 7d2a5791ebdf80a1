//! Neighbor Discovery, for IPv6 VIPs.

mod sent;

use std::{cell::RefCell, net::Ipv6Addr};

use lb_common::realserver::Rip6;
use proptest::prelude::*;
use tests::nd::{ADVERTISEMENT as NA, ROUTER_SOLICITATION as RS, SOLICITATION as NS};

use self::sent::{JUDGED, LINK_LAYER_ADDRESS, Sent};
use crate::{Fate, Hook, Server, TAGS};

const VIP: Ipv6Addr = ip(0x2001, 0xdb8, 0, 0x100);
const OTHER_VIP: Ipv6Addr = ip(0x2001, 0xdb8, 0xf, 0x100);
const RIP: Ipv6Addr = ip(0x2001, 0xdb8, 0, 1);
const FAR_RIP: Ipv6Addr = ip(0x2001, 0xdb8, 1, 1);
const LINK_RIP: Ipv6Addr = ip(0xfe80, 0, 0, 1);
const PEER: Ipv6Addr = ip(0x2001, 0xdb8, 0, 9);
const FAR_PEER: Ipv6Addr = ip(0x2001, 0xdb8, 1, 9);
const LINK_PEER: Ipv6Addr = ip(0xfe80, 0, 0, 9);
const STRANGER: Ipv6Addr = ip(0x2001, 0xdb8, 0xffff, 7);
const NOBODY: Ipv6Addr = Ipv6Addr::UNSPECIFIED;
const ROUTERS: Ipv6Addr = ip(0xff02, 0, 0, 2);
/// As an IPv4 VIP would be, which has no IPv6.
const MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x0a00, 0x64);

const RA: u8 = 134;
const REDIRECT: u8 = 137;

#[derive(Clone, Copy)]
enum Want {
    Pass,
    Asked(Ipv6Addr),
    Claimed(Ipv6Addr),
    Mangled(Ipv6Addr, Ipv6Addr),
}
use Want::{Asked, Claimed, Mangled, Pass};

/// Type, source, target; its fate on the way in, and on the way out.
type Row = (&'static str, u8, Ipv6Addr, Ipv6Addr, Want, Want);

#[rustfmt::skip]
const TABLE: [Row; 30] = [
    ("solicitation for the VIP", NS, PEER, VIP, Asked(VIP), Pass),
    ("solicitation for the other VIP", NS, LINK_PEER, OTHER_VIP, Asked(OTHER_VIP), Pass),
    ("duplicate address detection of the VIP", NS, NOBODY, VIP, Asked(VIP), Claimed(VIP)),
    ("solicitation from the VIP for itself", NS, VIP, VIP, Asked(VIP), Claimed(VIP)),
    ("advertisement of the VIP", NA, VIP, VIP, Asked(VIP), Claimed(VIP)),
    ("advertisement of the VIP by another source", NA, LINK_PEER, VIP, Asked(VIP), Claimed(VIP)),
    ("solicitation from the VIP", NS, VIP, PEER, Pass, Mangled(VIP, RIP)),
    ("solicitation from the VIP into the second subnet", NS, VIP, FAR_PEER, Pass, Mangled(VIP, FAR_RIP)),
    ("solicitation from the VIP for a link-local address", NS, VIP, LINK_PEER, Pass, Mangled(VIP, LINK_RIP)),
    ("solicitation from the VIP into no subnet", NS, VIP, STRANGER, Pass, Mangled(VIP, LINK_RIP)),
    ("solicitation from VIP for VIP", NS, OTHER_VIP, VIP, Asked(VIP), Mangled(OTHER_VIP, RIP)),
    ("solicitation from the VIP for the RIP", NS, VIP, RIP, Pass, Mangled(VIP, RIP)),
    ("advertisement of the other VIP from the VIP", NA, VIP, OTHER_VIP, Asked(OTHER_VIP), Claimed(OTHER_VIP)),
    ("advertisement of the RIP from the VIP", NA, VIP, RIP, Pass, Pass),
    ("router solicitation from the VIP", RS, VIP, ROUTERS, Pass, Mangled(VIP, LINK_RIP)),
    ("router solicitation from the RIP", RS, RIP, ROUTERS, Pass, Pass),
    ("router solicitation from nobody", RS, NOBODY, ROUTERS, Pass, Pass),
    ("router solicitation to the VIP", RS, PEER, VIP, Pass, Pass),
    ("router solicitation from nobody to the VIP", RS, NOBODY, VIP, Pass, Pass),
    ("router advertisement from the VIP", RA, VIP, VIP, Pass, Pass),
    ("redirect from the VIP", REDIRECT, VIP, VIP, Pass, Pass),
    ("solicitation for the RIP", NS, PEER, RIP, Pass, Pass),
    ("solicitation from the RIP", NS, RIP, PEER, Pass, Pass),
    ("advertisement of the RIP", NA, RIP, RIP, Pass, Pass),
    ("duplicate address detection of the RIP", NS, NOBODY, RIP, Pass, Pass),
    ("solicitation for the link-local address", NS, LINK_PEER, LINK_RIP, Pass, Pass),
    ("advertisement of the link-local address", NA, LINK_RIP, LINK_RIP, Pass, Pass),
    ("duplicate address detection of the link-local address", NS, NOBODY, LINK_RIP, Pass, Pass),
    ("solicitation for the IPv4 VIP, mapped", NS, PEER, MAPPED, Pass, Pass),
    ("solicitation from the IPv4 VIP, mapped", NS, MAPPED, PEER, Pass, Pass),
];

#[test]
fn every_class_has_its_fate_is_counted_and_otherwise_untouched() {
    let mut server = server();
    for (what, kind, source, target, on_ingress, on_egress) in TABLE {
        for tags in TAGS {
            for options in [&[][..], &LINK_LAYER_ADDRESS, &[0xa5; 7]] {
                let sent = Sent {
                    kind,
                    source,
                    target,
                    options,
                };
                let frame = sent.frame(tags);
                for (hook, want) in [
                    (Hook::Xdp, on_ingress),
                    (Hook::TcIngress, on_ingress),
                    (Hook::TcEgress, on_egress),
                ] {
                    let what = format!("{what}, {} octets of tags, {hook:?}", tags.len());
                    let source = want.source().unwrap_or(source);
                    let left = Sent { source, ..sent }.frame(tags);
                    server.check(&what, hook, &frame, &left, want.into());
                }
            }
        }
    }
}

/// Octets of the IPv6 header or the message that are not what they should be (RFC 4861 sections
/// 6.1.1, 7.1.1 and 7.1.2).
const INVALID: [(&str, usize, u8); 12] = [
    ("version 4", 0, 0x4a),
    ("version 7", 0, 0x7a),
    ("hop-by-hop options", 6, 0),
    ("TCP", 6, 6),
    ("a fragment", 6, 44),
    ("ICMP", 6, 1),
    ("routed", 7, 254),
    ("routed", 7, 64),
    ("routed", 7, 0),
    ("code", 41, 1),
    ("echo request", 40, 128),
    ("multicast listener report", 40, 143),
];

#[test]
fn what_is_not_valid_passes() {
    let mut server = server();
    for tags in TAGS {
        for sent in JUDGED {
            for (_, octet, value) in INVALID {
                let mut frame = sent.frame(tags);
                frame[14 + tags.len() + octet] = value;
                server.passes(&frame);
            }
        }
    }
    server.passes(&JUDGED[0].frame(&TAGS[1].repeat(3)));
}

#[test]
fn a_length_that_lies_passes_if_it_is_too_short_and_counts_for_nothing_if_it_is_too_long() {
    let mut server = server();
    for tags in TAGS {
        for sent in JUDGED {
            let with_length = |mut frame: Vec<u8>, len: u16| {
                frame[14 + tags.len() + 4..][..2].copy_from_slice(&len.to_be_bytes());
                frame
            };
            for len in 0..sent.message_len() {
                server.passes(&with_length(sent.frame(tags), len as u16));
            }
            for len in [sent.message_len() as u16, 33, 1500, 0xffff] {
                let frame = with_length(sent.frame(tags), len);
                let mut left = with_length(sent.left().frame(tags), len);
                // The sum that was updated is of another length, too.
                let checksum = 14 + tags.len() + 42..14 + tags.len() + 44;
                left[checksum.clone()].copy_from_slice(&sent.left().frame(tags)[checksum]);
                server.check(
                    &format!("length {len}"),
                    Hook::TcEgress,
                    &frame,
                    &left,
                    sent.fate(),
                );
            }
        }
    }
}

#[test]
fn every_truncation_passes() {
    let mut server = server();
    for tags in TAGS {
        for sent in JUDGED {
            let end = 14 + tags.len() + 40 + sent.message_len();
            let (frame, left) = (sent.frame(tags), sent.left().frame(tags));
            // The kernel takes no frame that is shorter than an Ethernet header.
            for len in 14..end {
                server.passes(&frame[..len]);
            }
            let (frame, left) = (&frame[..end], &left[..end]);
            server.check("without options", Hook::TcEgress, frame, left, sent.fate());
        }
    }
}

#[test]
fn without_a_rip_nothing_is_asked_in_the_name_of_a_vip() {
    let mut server = server();
    server.set_rips6(&[]);
    for (kind, target) in [(NS, PEER), (RS, ROUTERS)] {
        let sent = Sent {
            kind,
            source: VIP,
            target,
            options: &LINK_LAYER_ADDRESS,
        };
        let frame = sent.frame(&[]);
        server.check(
            "no RIP",
            Hook::TcEgress,
            &frame,
            &frame,
            Claimed(VIP).into(),
        );
    }
}

#[test]
fn the_last_of_the_rips_counts() {
    let mut server = server();
    let mut rips = [rip(FAR_RIP, 128); 16];
    rips[15] = rip(RIP, 64);
    server.set_rips6(&rips);
    let [_, _, sent, ..] = JUDGED;
    let (frame, left) = (sent.frame(&[]), sent.left().frame(&[]));
    server.check("last", Hook::TcEgress, &frame, &left, sent.fate());
}

#[test]
fn what_is_mangled_has_a_checksum_that_verifies() {
    let mut server = Server::load();
    let mut runner = proptest::test_runner::TestRunner::default();
    let octets = any::<[u8; 16]>;
    let edge = prop_oneof![octets(), Just([0; 16]), Just([0xff; 16])];
    let options = prop::collection::vec(any::<u8>(), 0..48);
    let strategy = (edge, octets(), options, any::<bool>());
    server.add_vip(VIP);
    let server = RefCell::new(server);
    runner
        .run(&strategy, |(rip, target, options, is_router)| {
            let (rip, target) = (Ipv6Addr::from(rip), Ipv6Addr::from(target));
            // What ends the list is not in it.
            prop_assume!(rip != NOBODY && target != VIP);
            let mut server = server.borrow_mut();
            server.set_rips6(&[self::rip(rip, 64)]);
            let sent = Sent {
                kind: if is_router { RS } else { NS },
                source: VIP,
                target,
                options: &options,
            };
            let left = Sent {
                source: rip,
                ..sent
            };
            let fate = Mangled(VIP, rip).into();
            server.check(
                "any",
                Hook::TcEgress,
                &sent.frame(&[]),
                &left.frame(&[]),
                fate,
            );
            Ok(())
        })
        .unwrap();
}

impl Want {
    /// What the source becomes.
    fn source(self) -> Option<Ipv6Addr> {
        match self {
            Mangled(_, rip) => Some(rip),
            Pass | Asked(_) | Claimed(_) => None,
        }
    }
}

impl From<Want> for Fate {
    fn from(want: Want) -> Self {
        match want {
            Pass => Self::Pass,
            Asked(vip) => Self::Asked(vip.into()),
            Claimed(vip) => Self::Claimed(vip.into()),
            Mangled(vip, rip) => Self::Mangled(vip.into(), rip.into()),
        }
    }
}

/// Two VIPs and three RIPs; and what would be a VIP if families were confused.
fn server() -> Server {
    let mut server = Server::load();
    server.add_vip(VIP);
    server.add_vip(OTHER_VIP);
    server.add_vip(MAPPED.to_ipv4_mapped().unwrap());
    server.set_rips6(&[rip(LINK_RIP, 64), rip(RIP, 64), rip(FAR_RIP, 64)]);
    server
}

fn rip(address: Ipv6Addr, prefix_len: u32) -> Rip6 {
    let mask = u128::MAX << (128 - prefix_len);
    Rip6 {
        address: address.octets(),
        mask: mask.to_be_bytes(),
    }
}

const fn ip(a: u16, b: u16, c: u16, d: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, 0, 0, 0, 0, d)
}
