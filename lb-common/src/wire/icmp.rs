//! ICMP (RFC 792) and ICMPv6 (RFC 4443), as far as they tell which packet they are about; and echoes.

use core::mem::offset_of;

use super::{Protocol, headers};

/// What stands before the quoted packet, or what is echoed, in either.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Icmp {
    kind: u8,
    _code: u8,
    checksum: [u8; 2],
    id: [u8; 2],
    _rest: [u8; 2],
}

impl Icmp {
    pub const PROTOCOL: Protocol = Protocol(1);
    pub const PROTOCOL_V6: Protocol = Protocol(58);
    pub const CHECKSUM: usize = offset_of!(Self, checksum);

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

    /// Whether it asks for an echo, by ICMP or else by ICMPv6 (RFC 4443 section 4).
    pub fn is_echo_request(&self, is_v4: bool) -> bool {
        self.kind == if is_v4 { 8 } else { 128 }
    }

    pub fn is_echo_reply(&self, is_v4: bool) -> bool {
        self.kind == if is_v4 { 0 } else { 129 }
    }

    /// Whose echo it is.
    pub fn id(&self) -> [u8; 2] {
        self.id
    }
}

headers!(Icmp: 8);
