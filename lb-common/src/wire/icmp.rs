//! ICMP (RFC 792) and ICMPv6 (RFC 4443), as far as they tell which packet they are about.

use super::{Protocol, headers};

/// What stands before the quoted packet, in either.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Icmp {
    kind: u8,
    _code: u8,
    _checksum: [u8; 2],
    _rest: [u8; 4],
}

impl Icmp {
    pub const PROTOCOL: Protocol = Protocol(1);
    pub const PROTOCOL_V6: Protocol = Protocol(58);

    /// Whether it quotes a packet of its receiver's: destination unreachable, source quench, time
    /// exceeded, parameter problem. Those that IPVS forwards (`ip_vs_in_icmp` in ip_vs_core.c),
    /// and the last.
    pub fn is_error(&self) -> bool {
        matches!(self.kind, 3 | 4 | 11 | 12)
    }

    /// The same of ICMPv6, whose errors are the first half of its types (RFC 4443 section 2.1).
    pub fn is_error_v6(&self) -> bool {
        self.kind < 128
    }
}

headers!(Icmp: 8);
