use std::{vec, vec::Vec};

use super::*;
use crate::{
    realserver::{Rip, Rip6, Vip},
    verdict::Subject,
    wire::{Header as _, MacAddr},
};

const VIP: [u8; 4] = [10, 0, 0, 100];
const OTHER_VIP: [u8; 4] = [192, 0, 2, 1];
const RIP: [u8; 4] = [10, 0, 0, 1];
const FAR_RIP: [u8; 4] = [10, 1, 0, 1];
const PEER: [u8; 4] = [10, 0, 0, 9];
const FAR_PEER: [u8; 4] = [10, 1, 0, 9];

const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const TAGS: [&[u8]; 4] = [
    &[],
    &[0x81, 0x00, 0xa5, 0xa5],
    &[0x88, 0xa8, 0xa5, 0xa5],
    &[0x88, 0xa8, 0xa5, 0xa5, 0x81, 0x00, 0xa5, 0xa5],
];

const ENTRY: Vip = Vip { index: 7, flags: 0 };
const OTHER_ENTRY: Vip = Vip { index: 8, flags: 0 };

/// What becomes of a frame, as the table has it: a verdict without its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Pass,
    Asked(Vip),
    Claimed(Vip),
    Mangled(Vip, [u8; 4]),
}
use Fate::{Asked, Claimed, Mangled, Pass};

/// Operation, sender, target; what becomes of it on the way in, and on the way out.
type Row = (&'static str, u8, [u8; 4], [u8; 4], Fate, Fate);

#[rustfmt::skip]
const TABLE: [Row; 17] = [
    ("request for a VIP", REQUEST, PEER, VIP, Asked(ENTRY), Pass),
    ("request for another", REQUEST, PEER, OTHER_VIP, Asked(OTHER_ENTRY), Pass),
    ("probe", REQUEST, UNSPECIFIED, VIP, Asked(ENTRY), Claimed(ENTRY)),
    ("announcement, request", REQUEST, VIP, VIP, Asked(ENTRY), Claimed(ENTRY)),
    ("announcement, reply", REPLY, VIP, VIP, Asked(ENTRY), Claimed(ENTRY)),
    ("reply to a VIP", REPLY, PEER, VIP, Asked(ENTRY), Pass),
    ("request from a VIP", REQUEST, VIP, PEER, Pass, Mangled(ENTRY, RIP)),
    ("request from a VIP, second subnet", REQUEST, VIP, FAR_PEER, Pass, Mangled(ENTRY, FAR_RIP)),
    ("request from a VIP, no subnet", REQUEST, VIP, [8, 8, 8, 8], Pass, Mangled(ENTRY, RIP)),
    ("request from VIP to VIP", REQUEST, VIP, OTHER_VIP, Asked(OTHER_ENTRY), Mangled(ENTRY, RIP)),
    ("reply from a VIP", REPLY, VIP, PEER, Pass, Claimed(ENTRY)),
    ("request for a RIP", REQUEST, PEER, RIP, Pass, Pass),
    ("request from a RIP", REQUEST, RIP, PEER, Pass, Pass),
    ("reply from a RIP", REPLY, RIP, PEER, Pass, Pass),
    ("announcement of a RIP", REQUEST, RIP, RIP, Pass, Pass),
    ("probe for a RIP", REQUEST, UNSPECIFIED, RIP, Pass, Pass),
    ("reply from nobody", REPLY, UNSPECIFIED, VIP, Asked(ENTRY), Pass),
];

#[test]
fn what_is_told_names_the_vip_and_the_other_end() {
    let party = |vip, ip, mac| {
        Some(Party {
            vip: mapped(vip),
            ip: mapped(ip),
            mac: MacAddr { octets: mac },
        })
    };
    let all_a5 = [0xa5; 6];
    for tags in TAGS {
        let mut frame = frame(tags, REQUEST, PEER, VIP);
        let sender_mac = Ethernet::LEN + tags.len() + offset_of!(Arp, sender_mac);
        frame[sender_mac..][..6].fill(0x5a);
        let subject = Subject::of(&frame[..]).unwrap();
        assert_eq!(subject.sender(&frame[..]), party(VIP, PEER, [0x5a; 6]));
    }
    for (sender, target, vip) in [(VIP, PEER, VIP), (UNSPECIFIED, VIP, VIP), (VIP, VIP, VIP)] {
        let frame = frame(&[], REQUEST, sender, target);
        let subject = Subject::of(&frame[..]).unwrap();
        assert_eq!(subject.receiver(&frame[..]), party(vip, target, all_a5));
    }
}

#[test]
fn every_class_has_its_fate() {
    for (what, operation, sender, target, on_ingress, on_egress) in TABLE {
        for tags in TAGS {
            let frame = frame(tags, operation, sender, target);
            let what = std::format!("{what} behind {} octets of tags", tags.len());
            assert_eq!(
                fate(&frame, way_in(&frame)),
                (on_ingress, frame.clone()),
                "{what}, in"
            );
            let mut left = frame.clone();
            if let Mangled(_, rip) = on_egress {
                left[28 + tags.len()..][..4].copy_from_slice(&rip);
            }
            assert_eq!(
                fate(&frame, way_out(&frame)),
                (on_egress, left),
                "{what}, out"
            );
        }
    }
}

#[test]
fn without_a_rip_nothing_is_asked_in_the_name_of_a_vip() {
    let frame = frame(&[], REQUEST, VIP, PEER);
    for rips in [&[][..], &[Rip::default()]] {
        let subject = Subject::of(&frame[..]).unwrap();
        let verdict = subject.egress(&frame[..], &Known(rips));
        assert_eq!(verdict, Verdict::Claimed(ENTRY));
    }
}

#[test]
fn what_is_no_arp_of_ipv4_over_ethernet_passes() {
    // Octet of the ARP, and what else it may hold: hardware and protocol, lengths, operation.
    let others = [
        (1, 6),
        (0, 1),
        (2, 0x86),
        (3, 0xdd),
        (4, 8),
        (5, 16),
        (6, 1),
        (7, 3),
        (7, 8),
    ];
    for tags in TAGS {
        for (octet, value) in others {
            let mut frame = frame(tags, REQUEST, VIP, VIP);
            frame[14 + tags.len() + octet] = value;
            passes(&frame);
        }
        for ether_type in [[0x08, 0x00], [0x86, 0xdd], [0x80, 0x35], [0x00, 0x2a]] {
            let mut frame = frame(tags, REQUEST, VIP, VIP);
            frame[12 + tags.len()..][..2].copy_from_slice(&ether_type);
            passes(&frame);
        }
    }
}

#[test]
fn a_third_tag_passes() {
    let tags = [0x81, 0x00, 0, 1].repeat(3);
    passes(&frame(&tags, REQUEST, VIP, VIP));
}

#[test]
fn every_truncation_passes() {
    for tags in TAGS {
        let whole = frame(tags, REQUEST, VIP, VIP);
        let end = 14 + tags.len() + 28;
        for len in 0..end {
            passes(&whole[..len]);
        }
        assert_eq!(way_in(&whole[..end]), Verdict::Asked(ENTRY));
        assert_eq!(way_out(&whole[..end]), Verdict::Claimed(ENTRY));
    }
}

fn passes(frame: &[u8]) {
    assert_eq!(way_in(frame), Verdict::Pass, "{frame:02x?}");
    assert_eq!(way_out(frame), Verdict::Pass, "{frame:02x?}");
}

/// The fate that a verdict means, and the frame it leaves.
fn fate(frame: &[u8], verdict: Verdict) -> (Fate, Vec<u8>) {
    let mut frame = frame.to_vec();
    let fate = match verdict {
        Verdict::Pass => Pass,
        Verdict::Asked(vip) => Asked(vip),
        Verdict::Claimed(vip) => Claimed(vip),
        Verdict::Mangled(vip, how) => {
            let [.., a, b, c, d] = how.rip;
            let rip = [a, b, c, d];
            assert_eq!((how.rip, how.checksum_offset), (mapped(rip), 0));
            frame[how.offset..][..4].copy_from_slice(&rip);
            Mangled(vip, rip)
        }
    };
    (fate, frame)
}

fn way_in(frame: &[u8]) -> Verdict {
    Subject::of(frame).map_or(Verdict::Pass, |subject| subject.ingress(frame, &Known(&[])))
}

fn way_out(frame: &[u8]) -> Verdict {
    let rip = |address, mask| Rip { address, mask };
    let rips = [rip(RIP, [255, 255, 255, 0]), rip(FAR_RIP, [255, 255, 0, 0])];
    Subject::of(frame).map_or(Verdict::Pass, |subject| {
        subject.egress(frame, &Known(&rips))
    })
}

/// The two VIPs, and these RIPs.
struct Known<'a>(&'a [Rip]);

impl Own for Known<'_> {
    fn vip(&self, address: [u8; 4]) -> Option<Vip> {
        match address {
            VIP => Some(ENTRY),
            OTHER_VIP => Some(OTHER_ENTRY),
            _ => None,
        }
    }

    fn vip6(&self, _: &[u8; 16]) -> Option<Vip> {
        None
    }

    fn rips(&self) -> impl Iterator<Item = Rip> {
        self.0.iter().copied()
    }

    fn rips6(&self) -> impl Iterator<Item = Rip6> {
        [].into_iter()
    }
}

/// A frame whose every octet that does not matter is 0xa5, padded as on a wire.
fn frame(tags: &[u8], operation: u8, sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![0xa5; 12];
    frame.extend(tags);
    frame.extend([0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, operation]);
    frame.extend([0xa5; 6]);
    frame.extend(sender);
    frame.extend([0xa5; 6]);
    frame.extend(target);
    frame.resize(frame.len() + 18, 0xa5);
    frame
}
