//! How a real server keeps quiet about a VIP that it shares: it neither answers for it nor claims it.
//!
//! Decides, and changes nothing. Only requests and replies of IPv4 over Ethernet are judged;
//! everything else passes, truncated frames among it.

use core::mem::offset_of;

use crate::{
    realserver::rip_toward,
    verdict::{Mangle, Own, Party, Verdict, mapped},
    wire::{Arp, Ethernet, Frame, Operation},
};

const UNSPECIFIED: [u8; 4] = [0; 4];

pub(crate) fn ingress<F: Frame + ?Sized>(frame: &F, at: usize, own: &impl Own) -> Verdict {
    arp(frame, at)
        .and_then(|arp| own.vip(arp.target_ip))
        .map_or(Verdict::Pass, Verdict::Asked)
}

pub(crate) fn egress<F: Frame + ?Sized>(frame: &F, at: usize, own: &impl Own) -> Verdict {
    let Some(arp) = arp(frame, at) else {
        return Verdict::Pass;
    };
    let is_request = arp.operation == Operation::REQUEST;
    if is_request && arp.sender_ip == UNSPECIFIED {
        // A probe (RFC 5227 section 2.1.1): the director's answer would look like a conflict.
        return own
            .vip(arp.target_ip)
            .map_or(Verdict::Pass, Verdict::Claimed);
    }
    let Some(vip) = own.vip(arp.sender_ip) else {
        return Verdict::Pass;
    };
    if !is_request || arp.target_ip == arp.sender_ip {
        return Verdict::Claimed(vip);
    }
    let Some(rip) = rip_toward(own.rips(), arp.target_ip) else {
        return Verdict::Claimed(vip);
    };
    let mangle = Mangle {
        rip: mapped(rip),
        offset: at + offset_of!(Arp, sender_ip),
        checksum_offset: 0,
        checksum: [0; 2],
    };
    Verdict::Mangled(vip, mangle)
}

pub(crate) fn sender<F: Frame + ?Sized>(frame: &F, at: usize) -> Option<Party> {
    let arp = arp(frame, at)?;
    Some(Party {
        vip: mapped(arp.target_ip),
        ip: mapped(arp.sender_ip),
        mac: arp.sender_mac,
    })
}

pub(crate) fn receiver<F: Frame + ?Sized>(frame: &F, at: usize) -> Option<Party> {
    let arp = arp(frame, at)?;
    let is_probe = arp.sender_ip == UNSPECIFIED;
    Some(Party {
        vip: mapped(if is_probe {
            arp.target_ip
        } else {
            arp.sender_ip
        }),
        ip: mapped(arp.target_ip),
        // A request's own target has none yet.
        mac: frame.header::<Ethernet>(0)?.destination,
    })
}

/// Returns the ARP to be judged at an offset of `frame`.
fn arp<F: Frame + ?Sized>(frame: &F, at: usize) -> Option<&Arp> {
    let arp = frame.header::<Arp>(at)?;
    let is_judged = arp.is_ipv4_over_ethernet()
        && (arp.operation == Operation::REQUEST || arp.operation == Operation::REPLY);
    is_judged.then_some(arp)
}

#[cfg(test)]
mod tests;
