//! What a real server does with a frame that is about a VIP.
//!
//! Addresses are of either family: one of IPv4 is mapped into IPv6 (RFC 4291 section 2.5.5.2), so
//! that there is one way, and one line to tell of it, for both.

use crate::{
    arp, link, ndp,
    realserver::{Rip, Rip6, Vip},
    wire::{Arp, EtherType, Ethernet, Frame, Header, Ipv6, MacAddr, Ndp, Vlan},
};

/// Octets from which every frame can be judged.
pub const OCTETS: usize = Ethernet::LEN + TAGS_MAX * Vlan::LEN + MESSAGE;

const TAGS_MAX: usize = 2;
const MESSAGE: usize = Ipv6::LEN + Ndp::LEN + <[u8; 16]>::LEN;
const _: () = assert!(Arp::LEN <= MESSAGE);

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// None of a VIP's business.
    Pass,
    /// Dropped: it came in for the VIP, which the director answers for.
    Asked(Vip),
    /// Dropped: it would have gone out and claimed the VIP.
    Claimed(Vip),
    /// Goes out with the RIP in the VIP's place.
    Mangled(Vip, Mangle),
}

/// What is written into a frame.
// Of octets alone it could lie anywhere on the stack, and the verifier wants its words aligned.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mangle {
    pub rip: [u8; 16],
    /// Where the VIP is: its four octets, if it is mapped.
    pub offset: usize,
    /// Where the checksum is, or 0: ARP has none.
    pub checksum_offset: usize,
    pub checksum: [u8; 2],
}

/// What a frame that is not passed was about, and who is at the other end of it.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    pub vip: [u8; 16],
    pub ip: [u8; 16],
    pub mac: MacAddr,
}

/// The VIPs and RIPs of an interface.
pub trait Own {
    fn vip(&self, address: [u8; 4]) -> Option<Vip>;

    fn vip6(&self, address: &[u8; 16]) -> Option<Vip>;

    fn rips(&self) -> impl Iterator<Item = Rip>;

    fn rips6(&self) -> impl Iterator<Item = Rip6>;
}

/// What a frame may say, and where that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Arp(usize),
    Ndp(usize),
}

impl Subject {
    /// Of a frame behind at most two VLAN tags.
    pub fn of<F: Frame + ?Sized>(frame: &F) -> Option<Self> {
        let payload = link::payload_within::<TAGS_MAX>(frame)?;
        if payload.ether_type == EtherType::ARP {
            return Some(Self::Arp(payload.offset));
        }
        if payload.ether_type != EtherType::IPV6 {
            return None;
        }
        let ip = frame.header::<Ipv6>(payload.offset)?;
        (ip.next_header == Ndp::PROTOCOL).then_some(Self::Ndp(payload.offset))
    }

    /// Decides on a frame from the wire.
    pub fn ingress<F: Frame + ?Sized>(self, frame: &F, own: &impl Own) -> Verdict {
        match self {
            Self::Arp(at) => arp::ingress(frame, at, own),
            Self::Ndp(at) => ndp::ingress(frame, at, own),
        }
    }

    /// Decides on a frame of this host's.
    pub fn egress<F: Frame + ?Sized>(self, frame: &F, own: &impl Own) -> Verdict {
        match self {
            Self::Arp(at) => arp::egress(frame, at, own),
            Self::Ndp(at) => ndp::egress(frame, at, own),
        }
    }

    /// Who sent a frame that came in for a VIP.
    pub fn sender<F: Frame + ?Sized>(self, frame: &F) -> Option<Party> {
        match self {
            Self::Arp(at) => arp::sender(frame, at),
            Self::Ndp(at) => ndp::sender(frame, at),
        }
    }

    /// Who was to get a frame of this host's, as it was before it was mangled.
    pub fn receiver<F: Frame + ?Sized>(self, frame: &F) -> Option<Party> {
        match self {
            Self::Arp(at) => arp::receiver(frame, at),
            Self::Ndp(at) => ndp::receiver(frame, at),
        }
    }
}

/// Whether `frame` may have a subject, as far as it is in reach: by its first EtherType, and the
/// next header.
pub fn may_concern(frame: &(impl Frame + ?Sized)) -> bool {
    let Some(ethernet) = frame.header::<Ethernet>(0) else {
        return false;
    };
    if ethernet.ether_type == EtherType::IPV6 {
        let ip = frame.header::<Ipv6>(Ethernet::LEN);
        return ip.is_none_or(|ip| ip.next_header == Ndp::PROTOCOL);
    }
    ethernet.ether_type == EtherType::ARP || ethernet.ether_type.is_vlan()
}

/// An IPv4 address as one of IPv6.
pub fn mapped([a, b, c, d]: [u8; 4]) -> [u8; 16] {
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d]
}
