//! What holds for all services.

use super::{LAYOUT_VERSION, Timeouts};

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub timeouts: Timeouts,
    /// [`LAYOUT_VERSION`]; 0 in maps just made.
    pub version: u32,
    _reserved: u32,
}

impl Settings {
    /// Those of IPVS (`tcp_timeouts` in ip_vs_proto_tcp.c, `udp_timeouts` in ip_vs_proto_udp.c):
    /// SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE, UDP.
    pub const IPVS: Self = Self {
        timeouts: [60, 900, 120, 10, 300, 300, 300, 300],
        version: LAYOUT_VERSION,
        _reserved: 0,
    };
}
