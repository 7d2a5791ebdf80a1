//! What holds for all services.

use super::{LAYOUT_VERSION, State};
use crate::{hash::Seed, shared::Shared};

#[repr(C)]
#[derive(Debug)]
pub struct Settings {
    pub timeouts: Timeouts,
    /// Services with a range of ports: without any, a destination that the directory does not have
    /// is nobody's.
    pub ranges: Shared,
    /// What datagrams' fragments are hashed with: random, and secret.
    pub seed: Seed,
    /// [`LAYOUT_VERSION`]; 0 in maps just made.
    pub version: u64,
    /// Not 0 while all is copied to other tables: a flow's member is then the same by either of them.
    pub frozen: Shared,
}

/// Seconds that a flow may be idle before its record expires, by [`State`]. As many as three bits
/// can tell apart, which is all that the verifier knows of a state.
#[repr(transparent)]
#[derive(Debug)]
pub struct Timeouts([Shared; 8]);

impl Timeouts {
    /// Those of IPVS (`tcp_timeouts` in ip_vs_proto_tcp.c, `udp_timeouts` in ip_vs_proto_udp.c):
    /// SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE, UDP. The last ones' records have their own end.
    pub const IPVS: [u32; 5] = [60, 900, 120, 10, 300];

    pub fn new(seconds: [u32; 5]) -> Self {
        let timeouts = Self(Default::default());
        timeouts.set(seconds);
        timeouts
    }

    pub fn set(&self, seconds: [u32; 5]) {
        for (timeout, seconds) in self.0.iter().zip(seconds) {
            timeout.store(seconds.into());
        }
    }

    pub fn of(&self, state: State) -> u32 {
        self.of_bits(state as u64) as u32
    }

    /// As `of`, by a state's number, of three bits.
    pub fn of_bits(&self, state: u64) -> u64 {
        self.0[state as usize & 7].load()
    }
}

impl Settings {
    pub fn new(timeouts: [u32; 5], seed: Seed) -> Self {
        Self {
            timeouts: Timeouts::new(timeouts),
            ranges: Shared::new(0),
            seed,
            version: LAYOUT_VERSION,
            frozen: Shared::new(0),
        }
    }
}
