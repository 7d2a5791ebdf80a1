//! ICMP (RFC 792), as far as it tells which packet it is about.

use super::{Protocol, headers};

/// What stands before the quoted packet.
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

    /// Whether it quotes a packet of its receiver's: destination unreachable, source quench, time
    /// exceeded, parameter problem. Those that IPVS forwards (`ip_vs_in_icmp` in ip_vs_core.c),
    /// and the last.
    pub fn is_error(&self) -> bool {
        matches!(self.kind, 3 | 4 | 11 | 12)
    }
}

headers!(Icmp: 8);
