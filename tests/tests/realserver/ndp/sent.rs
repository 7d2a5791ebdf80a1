//! Messages as they are sent, and as they leave.

use std::net::Ipv6Addr;

use tests::nd::{ADVERTISEMENT as NA, Nd, ROUTER_SOLICITATION as RS, SOLICITATION as NS};

use super::{
    LINK_RIP, NOBODY, PEER, RIP, ROUTERS, VIP,
    Want::{Claimed, Mangled},
};
use crate::Fate;

pub(super) const LINK_LAYER_ADDRESS: [u8; 8] = [1, 1, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5];

/// What a message says; its destination is of no matter, but for a router's solicitation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'a> {
    pub(super) kind: u8,
    pub(super) source: Ipv6Addr,
    pub(super) target: Ipv6Addr,
    pub(super) options: &'a [u8],
}

/// On the way out: one of each kind that is not passed.
pub(super) const JUDGED: [Sent<'_>; 4] = [
    judged(NA, VIP, VIP),
    judged(NS, NOBODY, VIP),
    judged(NS, VIP, PEER),
    judged(RS, VIP, ROUTERS),
];

const fn judged(kind: u8, source: Ipv6Addr, target: Ipv6Addr) -> Sent<'static> {
    Sent {
        kind,
        source,
        target,
        options: &LINK_LAYER_ADDRESS,
    }
}

impl Sent<'_> {
    pub(super) fn fate(&self) -> Fate {
        match (self.kind, self.source) {
            (RS, _) => Mangled(VIP, LINK_RIP).into(),
            (NS, VIP) => Mangled(VIP, RIP).into(),
            _ => Claimed(VIP).into(),
        }
    }

    pub(super) fn left(&self) -> Self {
        let source = match (self.kind, self.source) {
            (RS, _) => LINK_RIP,
            (NS, VIP) => RIP,
            (_, source) => source,
        };
        Self { source, ..*self }
    }

    pub(super) fn message_len(&self) -> usize {
        if self.kind == RS { 8 } else { 24 }
    }

    /// A frame whose every octet that does not matter is 0xa5, padded as on a wire.
    pub(super) fn frame(&self, tags: &[u8]) -> Vec<u8> {
        let is_for_routers = self.kind == RS;
        let nd = Nd {
            to: [0xa5; 6],
            from: [0xa5; 6],
            tags,
            kind: self.kind,
            flags: [0xa5; 4],
            source: self.source,
            destination: if is_for_routers {
                self.target
            } else {
                [0xa5; 16].into()
            },
            target: (!is_for_routers).then_some(self.target),
            options: self.options,
        };
        let mut frame = nd.frame();
        frame.resize(frame.len() + 18, 0xa5);
        frame
    }
}
