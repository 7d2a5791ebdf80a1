//! The programs that are measured, and the feeder before them.

#![allow(dead_code, reason = "each of the benches that share it uses a part")]

pub(crate) mod baselines;
pub(crate) mod directors;
pub(crate) mod feeder;

use std::net::Ipv4Addr;

use tests::frames::Sent;

use directors::{CLEAN, MAC, VIP};

/// What is sent to them, unless another service is meant.
pub(crate) const SENT: Sent = Sent {
    to: MAC,
    from: [2, 0, 0, 0, 0, 1],
    client: Ipv4Addr::new(10, 0, 0, 0),
    client_port: 40000,
    vip: VIP,
    port: CLEAN,
    ttl: 64,
};
