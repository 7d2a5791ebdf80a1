//! IPv6 (RFC 8200 section 3) and its extension headers (section 4).

use super::{Protocol, headers};

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Ipv6 {
    version_class: u8,
    _class_flow: [u8; 3],
    pub payload_len: [u8; 2],
    pub next_header: Protocol,
    pub hop_limit: u8,
    pub source: [u8; 16],
    pub destination: [u8; 16],
}

impl Ipv6 {
    pub fn is_version_6(&self) -> bool {
        self.version_class & 0xf0 == 0x60
    }

    /// Octets with this header, as it says itself.
    pub fn total_len(&self) -> usize {
        40 + usize::from(u16::from_be_bytes(self.payload_len))
    }

    /// Decrements the hop limit, as a router does; `None` if that would end it. No checksum has it.
    pub fn decrement_hop_limit(&mut self) -> Option<()> {
        if self.hop_limit <= 1 {
            return None;
        }
        self.hop_limit -= 1;
        Some(())
    }
}

/// What all extension headers but the fragment's begin with.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Extension {
    pub next_header: Protocol,
    len: u8,
}

impl Extension {
    pub const HOP_BY_HOP: Protocol = Protocol(0);
    pub const ROUTING: Protocol = Protocol(43);
    pub const AUTHENTICATION: Protocol = Protocol(51);
    pub const DESTINATION: Protocol = Protocol(60);

    /// Octets of the whole header, if it is one of `kind`.
    pub fn len(&self, kind: Protocol) -> Option<usize> {
        match kind {
            // In units of eight octets, without the first.
            Self::HOP_BY_HOP | Self::ROUTING | Self::DESTINATION => {
                Some((usize::from(self.len) + 1) * 8)
            }
            // In units of four, without two (RFC 4302 section 2.2).
            Self::AUTHENTICATION => Some((usize::from(self.len) + 2) * 4),
            Protocol(_) => None,
        }
    }
}

/// The fragment header (RFC 8200 section 4.5).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Ipv6Fragment {
    pub next_header: Protocol,
    _reserved: u8,
    offset_flags: [u8; 2],
    pub id: [u8; 4],
}

impl Ipv6Fragment {
    pub const PROTOCOL: Protocol = Protocol(44);

    /// Whether it begins with what follows the unfragmentable part.
    pub fn is_first(&self) -> bool {
        u16::from_be_bytes(self.offset_flags) & 0xfff8 == 0
    }

    /// Whether it is all there is: an atomic fragment (RFC 6946).
    pub fn is_whole(&self) -> bool {
        u16::from_be_bytes(self.offset_flags) & 0xfff9 == 0
    }
}

headers!(Ipv6: 40, Extension: 2, Ipv6Fragment: 8);
