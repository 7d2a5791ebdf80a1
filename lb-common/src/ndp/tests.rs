use std::{vec, vec::Vec};

use super::*;
use crate::{
    realserver::{Rip, Rip6, Vip},
    verdict::Subject,
    wire::MacAddr,
};

const VIP: [u8; 16] = [0xa1; 16];
const PEER: [u8; 16] = [0xb2; 16];
const GROUP: [u8; 16] = [0xff; 16];

const ENTRY: Vip = Vip { index: 7, flags: 0 };

#[test]
fn what_is_told_names_the_vip_and_the_other_end() {
    let [source_mac, destination_mac] = [0x5a, 0xc3].map(|octet| MacAddr { octets: [octet; 6] });
    for (kind, source, target, ip) in [
        (NdpKind::NEIGHBOR_SOLICITATION, VIP, PEER, PEER),
        (NdpKind::NEIGHBOR_SOLICITATION, UNSPECIFIED, VIP, GROUP),
        (NdpKind::NEIGHBOR_ADVERTISEMENT, PEER, VIP, GROUP),
        (NdpKind::ROUTER_SOLICITATION, VIP, PEER, GROUP),
    ] {
        let frame = frame(kind, source, target);
        let receiver = Party {
            vip: VIP,
            ip,
            mac: destination_mac,
        };
        let subject = Subject::of(&frame[..]).unwrap();
        assert_eq!(subject.receiver(&frame[..]), Some(receiver));
    }
    let frame = frame(NdpKind::NEIGHBOR_SOLICITATION, PEER, VIP);
    let sender = Party {
        vip: VIP,
        ip: PEER,
        mac: source_mac,
    };
    let subject = Subject::of(&frame[..]).unwrap();
    assert_eq!(subject.sender(&frame[..]), Some(sender));
}

#[test]
fn every_truncation_passes() {
    let frame = frame(NdpKind::NEIGHBOR_ADVERTISEMENT, VIP, VIP);
    let judged = |frame: &[u8]| {
        let subject = Subject::of(frame)?;
        Some((
            subject.ingress(frame, &Known),
            subject.egress(frame, &Known),
        ))
    };
    for len in 0..frame.len() {
        let judged = judged(&frame[..len]);
        assert!(
            matches!(judged, None | Some((Verdict::Pass, Verdict::Pass))),
            "{len}: {judged:?}"
        );
    }
    let whole = (Verdict::Asked(ENTRY), Verdict::Claimed(ENTRY));
    assert_eq!(judged(&frame), Some(whole));
}

/// RFC 1624 section 4 has the sums that its equation 3 was made for.
#[test]
fn a_checksum_is_updated_as_the_rfc_does() {
    let address = |word: [u8; 2]| {
        let mut address = [0; 16];
        address[6..8].copy_from_slice(&word);
        address
    };
    let (before, after) = (address([0x55, 0x55]), address([0x32, 0x85]));
    assert_eq!(updated([0xdd, 0x2f], &before, &after), [0x00, 0x00]);
    for octet in [0, 0xff] {
        assert_eq!(
            updated([0xdd, 0x2f], &[octet; 16], &[octet; 16]),
            [0xdd, 0x2f]
        );
    }
}

struct Known;

impl Own for Known {
    fn vip(&self, _: [u8; 4]) -> Option<Vip> {
        None
    }

    fn vip6(&self, address: &[u8; 16]) -> Option<Vip> {
        (*address == VIP).then_some(ENTRY)
    }

    fn rips(&self) -> impl Iterator<Item = Rip> {
        [].into_iter()
    }

    fn rips6(&self) -> impl Iterator<Item = Rip6> {
        [].into_iter()
    }
}

/// A frame to [`GROUP`].
fn frame(kind: NdpKind, source: [u8; 16], target: [u8; 16]) -> Vec<u8> {
    let kind = match kind {
        NdpKind::ROUTER_SOLICITATION => 133,
        NdpKind::NEIGHBOR_SOLICITATION => 135,
        _ => 136,
    };
    let mut frame = vec![0xc3; 6];
    frame.extend([0x5a; 6]);
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 24, 58, 255]);
    frame.extend(source);
    frame.extend(GROUP);
    frame.extend([kind, 0, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5]);
    frame.extend(target);
    frame
}
