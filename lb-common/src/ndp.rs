//! How a real server keeps quiet about an IPv6 VIP that it shares, in Neighbor Discovery.
//!
//! Decides, and changes nothing. Only solicitations of neighbours and routers, and advertisements
//! of neighbours, are judged, if they are valid by RFC 4861 (sections 6.1.1, 7.1.1 and 7.1.2) and follow
//! the IPv6 header at once; everything else passes, truncated frames among it. Checksums, options
//! and a length beyond the frame's end are for the receiver to refuse.

use core::mem::offset_of;

use crate::{
    realserver::rip_toward,
    verdict::{Mangle, Own, Party, Verdict},
    wire::{Ethernet, Frame, Header as _, Ipv6, Ndp, NdpKind},
};

const UNSPECIFIED: [u8; 16] = [0; 16];

/// A message to be judged.
struct Message<'a> {
    ip: &'a Ipv6,
    ndp: &'a Ndp,
    /// Whom it asks for or tells of; a router's solicitation: whoever is to hear it.
    target: &'a [u8; 16],
}

pub(crate) fn ingress<F: Frame + ?Sized>(frame: &F, at: usize, own: &impl Own) -> Verdict {
    message(frame, at)
        .filter(|message| message.ndp.kind != NdpKind::ROUTER_SOLICITATION)
        .and_then(|message| own.vip6(message.target))
        .map_or(Verdict::Pass, Verdict::Asked)
}

pub(crate) fn egress<F: Frame + ?Sized>(frame: &F, at: usize, own: &impl Own) -> Verdict {
    let Some(message) = message(frame, at) else {
        return Verdict::Pass;
    };
    let Some(vip) = own.vip6(message.tells_of()) else {
        return Verdict::Pass;
    };
    if !message.tells_of_source() {
        return Verdict::Claimed(vip);
    }
    let Some(rip) = rip_toward(own.rips6(), *message.target) else {
        return Verdict::Claimed(vip);
    };
    let mangle = Mangle {
        rip,
        offset: at + offset_of!(Ipv6, source),
        checksum_offset: at + Ipv6::LEN + offset_of!(Ndp, checksum),
        checksum: updated(message.ndp.checksum, &message.ip.source, &rip),
    };
    Verdict::Mangled(vip, mangle)
}

pub(crate) fn sender<F: Frame + ?Sized>(frame: &F, at: usize) -> Option<Party> {
    let message = message(frame, at)?;
    Some(Party {
        vip: *message.target,
        ip: message.ip.source,
        mac: frame.header::<Ethernet>(0)?.source,
    })
}

pub(crate) fn receiver<F: Frame + ?Sized>(frame: &F, at: usize) -> Option<Party> {
    let message = message(frame, at)?;
    Some(Party {
        vip: *message.tells_of(),
        ip: if message.tells_of_source() {
            *message.target
        } else {
            message.ip.destination
        },
        mac: frame.header::<Ethernet>(0)?.destination,
    })
}

impl<'a> Message<'a> {
    /// Whose place the receiver learns, or believes to be taken.
    fn tells_of(&self) -> &'a [u8; 16] {
        if self.tells_of_source() {
            &self.ip.source
        } else {
            self.target
        }
    }

    /// Solicitations tell of their source; but one from nobody asks for an address that is to be
    /// used (RFC 4862 section 5.4.2).
    fn tells_of_source(&self) -> bool {
        self.ndp.kind != NdpKind::NEIGHBOR_ADVERTISEMENT
            && self.ip.source != UNSPECIFIED
            && self.ip.source != *self.target
    }
}

/// Returns the message to be judged behind the IPv6 header at an offset of `frame`.
fn message<F: Frame + ?Sized>(frame: &F, at: usize) -> Option<Message<'_>> {
    let ip = frame.header::<Ipv6>(at)?;
    let ndp = frame.header::<Ndp>(at + Ipv6::LEN)?;
    if !ip.is_version_6() || ip.hop_limit != Ndp::HOP_LIMIT || ndp.code != 0 {
        return None;
    }
    let mut len = Ndp::LEN;
    let mut target = &ip.destination;
    if ndp.kind == NdpKind::NEIGHBOR_SOLICITATION || ndp.kind == NdpKind::NEIGHBOR_ADVERTISEMENT {
        target = frame.header(at + Ipv6::LEN + Ndp::LEN)?;
        len += target.len();
    } else if ndp.kind != NdpKind::ROUTER_SOLICITATION || ip.source == UNSPECIFIED {
        return None;
    }
    let is_whole = usize::from(u16::from_be_bytes(ip.payload_len)) >= len;
    is_whole.then_some(Message { ip, ndp, target })
}

/// The checksum when an address of the pseudo-header (RFC 8200 section 8.1) is replaced: RFC 1624
/// equation 3. The sum is the same in either byte order (RFC 1071 section 2), and of words of any
/// length, so long as what they carry over comes back.
fn updated(checksum: [u8; 2], before: &[u8; 16], after: &[u8; 16]) -> [u8; 2] {
    let sum = |address: &[u8; 16]| {
        let (words, _) = address.as_chunks();
        let words = words
            .iter()
            .map(|word| u64::from(u32::from_ne_bytes(*word)));
        words.sum::<u64>()
    };
    // The complement of four words is what they lack.
    let complement = 4 * u64::from(u32::MAX) - sum(before);
    let mut sum = u64::from(!u16::from_ne_bytes(checksum)) + complement + sum(after);
    // Less than 2³⁶: folded three times it has 17 bits, and then 16.
    for _ in 0..4 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_ne_bytes()
}

#[cfg(test)]
mod tests;
