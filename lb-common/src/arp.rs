//! How a real server keeps quiet about a VIP that it shares: it neither answers for it nor claims it.
//!
//! Decides, and changes nothing. Only requests and replies of IPv4 over Ethernet, behind at most two
//! VLAN tags, are judged; everything else passes, truncated frames among it.

use core::mem::offset_of;

use crate::{
    link,
    realserver::{Rip, Vip, rip_toward},
    wire::{Arp, EtherType, Ethernet, Frame, Header as _, MacAddr, Operation, Vlan},
};

/// Octets from which every frame can be judged.
pub const OCTETS: usize = Ethernet::LEN + TAGS_MAX * Vlan::LEN + Arp::LEN;

const TAGS_MAX: usize = 2;
const UNSPECIFIED: [u8; 4] = [0; 4];

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// None of a VIP's business.
    Pass,
    /// Dropped: it came in for the VIP, which the director answers for.
    Asked(Vip),
    /// Dropped: it would have gone out and claimed the VIP.
    Claimed(Vip),
    /// Goes out with `rip` at `offset`, in the VIP's place.
    Mangled {
        vip: Vip,
        rip: [u8; 4],
        offset: usize,
    },
}

/// What a frame that is not passed was about, and who is at the other end of it.
#[repr(align(4))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    pub vip: [u8; 4],
    pub ip: [u8; 4],
    pub mac: MacAddr,
}

impl Party {
    /// Who sent a frame that came in for a VIP.
    pub fn from_wire<F: Frame + ?Sized>(frame: &F) -> Option<Self> {
        let (arp, _) = arp(frame)?;
        Some(Self {
            vip: arp.target_ip,
            ip: arp.sender_ip,
            mac: arp.sender_mac,
        })
    }

    /// Who was to get a frame of this host's, as it was before it was mangled.
    pub fn from_host<F: Frame + ?Sized>(frame: &F) -> Option<Self> {
        let (arp, _) = arp(frame)?;
        let is_probe = arp.sender_ip == UNSPECIFIED;
        Some(Self {
            vip: if is_probe {
                arp.target_ip
            } else {
                arp.sender_ip
            },
            ip: arp.target_ip,
            // A request's own target has none yet.
            mac: frame.header::<Ethernet>(0)?.destination,
        })
    }
}

/// Whether `frame` may be ARP, by its first EtherType.
pub fn may_be(frame: &(impl Frame + ?Sized)) -> bool {
    frame.header::<Ethernet>(0).is_some_and(|ethernet| {
        ethernet.ether_type == EtherType::ARP || ethernet.ether_type.is_vlan()
    })
}

/// Decides on a frame from the wire.
pub fn ingress<F: Frame + ?Sized>(frame: &F, vip: impl Fn([u8; 4]) -> Option<Vip>) -> Verdict {
    arp(frame)
        .and_then(|(arp, _)| vip(arp.target_ip))
        .map_or(Verdict::Pass, Verdict::Asked)
}

/// Decides on a frame of this host's.
pub fn egress<F: Frame + ?Sized>(
    frame: &F,
    vip: impl Fn([u8; 4]) -> Option<Vip>,
    rips: impl IntoIterator<Item = Rip>,
) -> Verdict {
    let Some((arp, offset)) = arp(frame) else {
        return Verdict::Pass;
    };
    let is_request = arp.operation == Operation::REQUEST;
    if is_request && arp.sender_ip == UNSPECIFIED {
        // A probe (RFC 5227 section 2.1.1): the director's answer would look like a conflict.
        return vip(arp.target_ip).map_or(Verdict::Pass, Verdict::Claimed);
    }
    let Some(vip) = vip(arp.sender_ip) else {
        return Verdict::Pass;
    };
    if !is_request || arp.target_ip == arp.sender_ip {
        return Verdict::Claimed(vip);
    }
    match rip_toward(rips, arp.target_ip) {
        Some(rip) => Verdict::Mangled {
            vip,
            rip,
            offset: offset + offset_of!(Arp, sender_ip),
        },
        None => Verdict::Claimed(vip),
    }
}

/// Returns the ARP to be judged in `frame`, and where it is.
fn arp<F: Frame + ?Sized>(frame: &F) -> Option<(&Arp, usize)> {
    let payload = link::payload_within::<TAGS_MAX>(frame)?;
    if payload.ether_type != EtherType::ARP {
        return None;
    }
    let arp = frame.header::<Arp>(payload.offset)?;
    let is_judged = arp.is_ipv4_over_ethernet()
        && (arp.operation == Operation::REQUEST || arp.operation == Operation::REPLY);
    is_judged.then_some((arp, payload.offset))
}

#[cfg(test)]
mod tests;
