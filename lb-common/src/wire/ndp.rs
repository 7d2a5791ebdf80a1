//! Neighbor Discovery (RFC 4861 section 4), as far as it tells whose address it is about.

use super::{Protocol, headers};

/// The type of an ICMPv6 message.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NdpKind(u8);

impl NdpKind {
    pub const ROUTER_SOLICITATION: Self = Self(133);
    pub const NEIGHBOR_SOLICITATION: Self = Self(135);
    pub const NEIGHBOR_ADVERTISEMENT: Self = Self(136);
}

/// What every message begins with. In those about a neighbour, the target's address follows; in all,
/// the options end the message.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Ndp {
    pub kind: NdpKind,
    pub code: u8,
    pub checksum: [u8; 2],
    _flags: [u8; 4],
}

/// What every option begins with.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct NdpOption {
    pub kind: u8,
    /// In units of eight octets, with this.
    pub len: u8,
}

impl NdpOption {
    /// Whose address it is that the message is about, in an advertisement (RFC 4861 section 4.6.1).
    pub const TARGET_ADDRESS: u8 = 2;
}

impl Ndp {
    /// ICMPv6.
    pub const PROTOCOL: Protocol = Protocol(58);
    /// Routers forward no packet with it, so it was sent on this link (RFC 4861 section 3.1).
    pub const HOP_LIMIT: u8 = 255;
}

headers!(Ndp: 8, NdpOption: 2);
